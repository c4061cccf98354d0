"""A site of one page on this computer, and files to download from it."""

import contextlib
import http.server
import io
import os
import threading
import zipfile
from pathlib import Path

import pytest

from qpvgeo.sources import catalog
from qpvgeo.sources.download import fetch

CSV = b"codeQPV;popMuniQPV\nQN07501M;2500\n"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Site(http.server.ThreadingHTTPServer):
    """A server that gives the answers it was told, in turn; the last one again and again."""

    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Visit)
        self.answers, self.seen = [], []
        self.over = threading.Event()

    @property
    def root(self):
        return f"http://127.0.0.1:{self.server_port}"

    def url(self, name="file.csv"):
        return f"{self.root}/{name}"

    def tell(self, *answers):
        self.answers = list(answers)

    def handle_error(self, request, client_address):
        """Stay quiet about clients that leave."""


class Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.endswith("/robots.txt"):
            self.send_error(404)
            return
        self.server.seen.append((self.path, dict(self.headers)))
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, *_):
        pass


def says(body=CSV, status=200, **headers):
    def answer(visit):
        visit.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Length": str(len(body))} | named).items():
            if value is not None:
                visit.send_header(name, value)
        visit.end_headers()
        with contextlib.suppress(OSError):
            visit.wfile.write(body)

    return answer


def files(folder):
    """Files of a folder by name, but the locks, which are empty."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {
        name: body for name, body in found.items() if body or (not name.endswith(".lock") and ".locks/" not in name)
    }


def refused(kind, key=None, **options):
    """The fetch fails in this way, and the message says where to put which file."""
    cache = Path(os.environ["QPVGEO_CACHE"])
    before = files(cache)
    with pytest.raises(kind) as raised:
        fetch("toy", **options)
    assert key is None or raised.value.key == f"sources.{key}"
    assert type(raised.value) is kind
    assert files(cache) == before
    assert catalog.get("toy").filename in raised.value.way_out
    assert str(cache) in raised.value.way_out
    assert raised.value.way_out.key
    assert "https://example.org/page" in raised.value.way_out
    return raised.value


def a_zip(contents):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return stream.getvalue()
