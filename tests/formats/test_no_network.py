"""No file makes a reader ask the network, whatever its ending and its content: a server that counts is never asked."""

import json
import threading
import warnings
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import geopandas as gpd
import pytest
from shapely import box

import qpvgeo as qg
from qpvgeo.errors import QpvgeoError
from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise

ENDINGS = (".geojson", ".json", ".gpkg", ".shp", ".fgb", ".kml", ".gml", ".tab", ".csv", ".zip")


def contents(url):
    """What GDAL would take for a virtual layer, a service, a pipeline or an address, by a short name."""
    virtual = f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/{url}/a</SrcDataSource></OGRVRTLayer>'
    shape = {"type": "Feature", "properties": {"code_qp": "QN05901M"}, "geometry": box(3, 50, 4, 51).__geo_interface__}
    linked = {"type": "link", "properties": {"href": f"{url}/crs", "type": "proj4"}}
    return {
        "virtual": f"{virtual}</OGRVRTDataSource>",
        "commented": f"<!-- a -->\n{virtual}</OGRVRTDataSource>",
        "maps": f'<GDAL_WMS><Service name="WMS"><ServerUrl>{url}/wms?</ServerUrl></Service></GDAL_WMS>',
        "features": f"<OGRWFSDataSource><URL>{url}/wfs</URL></OGRWFSDataSource>",
        "pipeline": json.dumps({"type": "gdal_streamed_alg", "command_line": f"gdal vector read /vsicurl/{url}/a"}),
        "collections": json.dumps({"links": [{"rel": "data", "href": f"{url}/collections"}]}),
        "catalogue": json.dumps({"stac_version": "1.0.0", "features": [], "links": [{"rel": "next", "href": url}]}),
        "crs": json.dumps({"type": "FeatureCollection", "crs": linked, "features": [shape]}),
        "address": f"/vsicurl/{url}/a.geojson",
        "database": "PG:host=127.0.0.1 port=1",
    }


@pytest.fixture
def asked():
    """Address of a server, and what it was asked."""
    requests = []

    class Counting(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_error(404)

        do_HEAD = do_POST = do_GET  # noqa: N815 - names of the base class

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()
    server.server_close()


def read_everyhow(path):
    """Read a file as perimeters, by the doctor and by a scan; errors of ours are answers."""
    for call in (qg.read_qpv, examine, lambda one: list(recognise.identify(one))):
        with suppress(QpvgeoError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(path)


@pytest.mark.parametrize("offline", ["1", "0"])
def test_no_content_under_any_ending_asks_the_network(tmp_path, monkeypatch, asked, offline):
    monkeypatch.setenv("QPVGEO_OFFLINE", offline)
    url, requests = asked
    for name, text in contents(url).items():
        for ending in ENDINGS:
            path = tmp_path / f"{name}{ending}"
            path.write_text(text)
            read_everyhow(path)
    assert requests == []


@pytest.mark.parametrize("kind", ["schema", "document type", "network link", "projection"])
def test_sound_files_that_name_an_address_do_not_ask_it(tmp_path, asked, kind):
    url, requests = asked
    layer = gpd.GeoDataFrame({"code_qp": ["QN05901M"]}, geometry=[box(3, 50, 3.01, 50.01)], crs=4326)
    path = tmp_path / {"network link": "a.kml", "projection": "a.shp"}.get(kind, "a.gml")
    layer.to_file(path, driver={".kml": "KML", ".gml": "GML"}.get(path.suffix))
    if kind == "projection":
        path.with_suffix(".prj").write_text(f"{url}/prj")
    else:
        text = path.read_text()
        for sidecar in tmp_path.glob("*.xsd"):
            sidecar.unlink()
        link = f"<NetworkLink><Link><href>{url}/n</href></Link></NetworkLink>\n<Placemark"
        changed = {
            "schema": text.replace('schemaLocation="', f'schemaLocation="{url}/a {url}/a.xsd '),
            "document type": text.replace("?>", f'?>\n<!DOCTYPE a SYSTEM "{url}/a.dtd">', 1),
            "network link": text.replace("<Placemark", link, 1),
        }[kind]
        assert changed != text
        path.write_text(changed)
    read_everyhow(path)
    assert requests == []
