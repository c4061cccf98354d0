"""A base map from a real server of tiles on this machine; nothing of it is needed."""

import http.server
import io
import threading

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import qpvgeo as qg
from qpvgeo import maps
from qpvgeo.errors import FetchError
from qpvgeo.maps import basemaps

pytest.importorskip("contextily", reason="the basemap extra is not installed")

RED = (200, 30, 30)


class Tiles(http.server.BaseHTTPRequestHandler):
    """Red tiles under /ok, nothing elsewhere."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if not self.path.startswith("/ok/"):
            self.send_error(404)
            return
        picture = io.BytesIO()
        Image.new("RGB", (256, 256), RED).save(picture, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(picture.getvalue())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tiles) as running:
        running.asked = []
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()
    plt.close("all")


@pytest.fixture
def drawn():
    sample = qg.sample()
    qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    place = maps.find_place("QN09902I", qpv, communes)
    return maps.qpv(qpv, communes, place=place), place


def test_tiles_are_under_the_perimeters_and_the_frame_stays(server, drawn, tmp_path):
    ax, place = drawn
    limits = (ax.get_xlim(), ax.get_ylim())
    url = f"http://127.0.0.1:{server.server_port}/ok/{{z}}/{{x}}/{{y}}.png"
    assert maps.basemap(ax, place, url) is ax
    assert server.asked
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    with Image.open(maps.save(ax, tmp_path / "map.png", dpi=60)) as picture:
        red = np.abs(np.asarray(picture.convert("RGB"), dtype=int) - RED).sum(axis=2) < 30
    assert red.mean() > 0.2
    assert min(one.get_zorder() for one in ax.collections) > max(image.get_zorder() for image in ax.images)


def test_server_without_the_tiles_leaves_the_map_as_it_was(server, drawn):
    ax, place = drawn
    with pytest.raises(FetchError) as caught:
        maps.basemap(ax, place, f"http://127.0.0.1:{server.server_port}/no/{{z}}/{{x}}/{{y}}.png")
    assert caught.value.key == "maps.no_tiles"
    assert not ax.images
    assert any(one.get_facecolor().any() for one in ax.collections if 1 <= one.get_zorder() < 1.5)


def test_tiles_of_ign_are_asked_at_its_address():
    plan, photo = basemaps._tiles("plan"), basemaps._tiles("photo")
    assert plan.build_url(x=1, y=2, z=3).startswith("https://data.geopf.fr/wmts?")
    assert "PLANIGN" in plan.url + str(dict(plan))
    assert "ORTHO" in photo.url + str(dict(photo))


def test_tiles_in_the_form_of_ign_are_drawn(server, drawn):
    ax, place = drawn
    address = f"http://127.0.0.1:{server.server_port}/ok/wmts?SERVICE=WMTS&REQUEST=GetTile&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}"
    assert maps.basemap(ax, place, address) is ax
    assert all("TILEMATRIX=" in path for path in server.asked)
    assert server.asked
    assert len(ax.images) == 1
