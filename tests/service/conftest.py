"""The server of the sample that the tests of the service share, and what they ask it about."""

import contextlib
import http.server
import json
import threading

import pytest

for _needed in ("httpx", "starlette", "uvicorn", "orjson"):
    pytest.importorskip(_needed)

from tests.servers import Server  # noqa: E402 - it needs them


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Server of the sample, without limit of rate; the whole session asks it."""
    one = Server(tmp_path_factory.mktemp("server"), "--sample", "--rate", "0")
    yield one
    one.stop()


@pytest.fixture(scope="session")
def client(server):
    return server.client


@pytest.fixture(scope="session")
def inside():
    """A point in the first QPV of the sample, and its code."""
    import qpvgeo as qg

    qpv = qg.read_qpv(qg.sample().qpv_2024)
    point = qpv.geometry.iloc[0].representative_point()
    return point.x, point.y, qpv.index[0]


@pytest.fixture(scope="session")
def addresses():
    """Rows of the addresses of the sample, as text."""
    import pandas as pd

    import qpvgeo as qg

    return pd.read_csv(qg.sample().addresses, sep=";", dtype="str")


@pytest.fixture
def leftovers(server):
    """Folders that the server holds; none may be left behind."""
    return server.leftovers


class GeocoderOfTests(http.server.ThreadingHTTPServer):
    """The national geocoder, played by a server on this machine: what it answers, and what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Geocoding)
        self.seen, self.said, self.status = [], {"type": "FeatureCollection", "features": []}, 200
        self.url = f"http://127.0.0.1:{self.server_port}/geocodage/search"

    def knows(self, label, lon, lat, kind="housenumber", score=0.97):
        about = {"label": label, "score": score, "type": kind, "citycode": "99001", "id": "99001_0010_00001"}
        feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]}, "properties": about}
        self.said = {"type": "FeatureCollection", "features": [feature], "query": label}


class _Geocoding(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        said = self.server.said
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def geocoder():
    with GeocoderOfTests() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        site.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def geocoding(tmp_path_factory, geocoder):
    """Server of the sample that asks a geocoder."""
    one = Server(
        tmp_path_factory.mktemp("geocoding"), "--sample", "--rate", "0", "--no-grid", "--geocoder", geocoder.url
    )
    yield one
    one.stop()
