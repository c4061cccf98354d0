"""The producers of the files, played by a real server on this machine.

It stands as the proxy of the run, so that every address keeps its host: the catalogue is read with http in place of
https, and what is not known here is not found.
"""

import contextlib
import csv
import dataclasses
import gzip
import hashlib
import http.server
import io
import json
import re
import shutil
import threading
import zipfile
from collections import Counter

import openpyxl
import pytest
from tests.sources import sites

from qpvgeo.samples import sample
from qpvgeo.sources import catalog, robots, transfer

_AGENT = re.compile(r"Mozilla/5\.0 \(compatible; qpvgeo/[\w.]+(; \+\S+)?\)")
_STATIC = "static.data.gouv.fr/resources/quartiers-prioritaires-de-la-politique-de-la-ville-qpv"
_DATASET = "www.data.gouv.fr/api/1/datasets/5a561801c751df42d7fca9b6/"
_ETALAB = "etalab-datasets.geo.data.gouv.fr/contours-administratifs"
_INSEE = "www.insee.fr/fr/statistiques"


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return stream.getvalue()


def _workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _cog(communes):
    head = "TYPECOM,COM,REG,DEP,CTCD,ARR,TNCC,NCC,NCCENR,LIBELLE,CAN,COMPARENT\n"
    rows = [
        f"COM,{one['code']},99,99,99D,991,0,{one['nom'].upper()},{one['nom']},{one['nom']},9901,\n" for one in communes
    ]
    return (head + "".join(rows)).encode()


def _populations(communes):
    head = "CODREG;REG;CODDEP;DEP;CODARR;CODCAN;CODCOM;COM;PMUN;PCAP;PTOT\n"
    rows = [
        f"99;Large;99;Large;1;01;{one['code'][2:]};{one['nom']};{float(one['population']):.0f};0;1\n"
        for one in communes
    ]
    return head + "".join(rows)


def _epci(communes, units):
    """Workbook of the composition of EPCI, whose names of columns are in the sixth row."""
    names = {one["code"]: one["nom"] for one in units}
    composed = [[one["epci"], names.get(one["epci"], ""), "99", "99", one["code"], one["nom"]] for one in communes]
    listed = [[code, name, "CA", sum(row[0] == code for row in composed)] for code, name in names.items()]
    above = [["Composition"], ["Source"], [], [], ["Libellé"]]
    return _workbook(
        EPCI=[*above, ["EPCI", "LIBEPCI", "NATURE_EPCI", "NB_COM"], *listed],
        Composition_communale=[*above, ["EPCI", "LIBEPCI", "DEP", "REG", "CODGEO", "LIBGEO"], *composed],
    )


class Producers(http.server.ThreadingHTTPServer):
    """Hosts and what they serve.

    Attributes
    ----------
    files
        Bytes by address, without its scheme.
    moved
        Address that another redirects to.
    closed
        Hosts that refuse every program (403).
    down
        Hosts that answer 503.
    services
        What gives the status and body of the addresses that begin so.
    robots
        Rules for programs by address.
    strict
        Hosts that refuse the agents that do not say who they are.
    cut
        Bytes after which the first answer of an address is cut.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Visit)
        self.files, self.moved, self.cut = {}, {}, {}
        self.closed, self.down, self.strict = set(), set(), {"www.insee.fr", "data.geopf.fr"}
        self.at_once, self.most_at_once, self.counting = Counter(), Counter(), threading.Lock()
        self.services = {}
        self.seen, self.robots, self.robots_read = [], {}, []

    @property
    def root(self):
        return f"http://127.0.0.1:{self.server_port}"

    def page(self, number, *names, summary):
        """Serve a statistics page that lists files."""
        links = "".join(f'<li><a class="f" href="/fr/statistiques/fichier/{number}/{name}">x</a>' for name in names)
        body = f"<!DOCTYPE html><html><body><a href='/fr/accueil'>Insee</a><ul>{links}</ul></body></html>"
        self.files[f"{_INSEE}/{number}?sommaire={summary}"] = body.encode()

    def list_resources(self):
        """Serve the data set that lists what the static host has."""
        listed = [
            {"title": url.rpartition("/")[2], "url": f"http://{url}", "format": "x", "last_modified": "2026-01-16"}
            for url in self.files
            if url.startswith(_STATIC)
        ]
        self.files[_DATASET] = json.dumps({"id": "5a56", "resources": listed}).encode()

    def asked(self, host):
        return [url for url, _ in self.seen if url.startswith(host)]

    def handle_error(self, request, client_address):
        """Stay quiet about clients that leave."""


class _Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host, site = self.path.removeprefix("http://").partition("/")[0], self.server
        self.here = host
        with site.counting:
            site.at_once[host] += 1
            site.most_at_once[host] = max(site.most_at_once[host], site.at_once[host])
        try:
            if self.path.endswith("/robots.txt"):
                self.rules()
            else:
                self.visit()
        finally:
            self.leave()

    def leave(self):
        """Count the visit out, before its last byte: a client that has it may already ask again."""
        if self.here is not None:
            with self.server.counting:
                self.server.at_once[self.here] -= 1
            self.here = None

    def rules(self):
        url = self.path.removeprefix("http://")
        self.server.robots_read.append(url)
        self.answer(200 if url in self.server.robots else 404, self.server.robots.get(url, b""))

    def visit(self):
        site, url = self.server, self.path.removeprefix("http://")
        site.seen.append((url, dict(self.headers)))
        host = url.partition("/")[0]
        if host in site.closed or (host in site.strict and not _AGENT.fullmatch(self.headers.get("User-Agent", ""))):
            return self.answer(403)
        if service := next((one for start, one in site.services.items() if url.startswith(start)), None):
            return self.answer(*service(url))
        if url in site.moved and host not in site.down:
            return self.answer(301 if url in site.files else 302, Location=f"http://{site.moved[url]}")
        if host in site.down or url not in site.files:
            return self.answer(503 if host in site.down else 404)
        body = site.files[url]
        tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and self.headers.get("If-Range") == tag else 0
        if start >= len(body):
            return self.answer(416)
        ranged = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        shown = body[start : site.cut.pop(url, len(body))]
        return self.answer(206 if start else 200, shown, len(body) - start, ETag=tag, **ranged)

    def do_HEAD(self):
        self.do_GET()

    def answer(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body) if length is None else length)} | headers).items():
            self.send_header(name, value)
        body = b"" if self.command == "HEAD" else body
        if not body:
            self.leave()
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body[:-1])
            self.leave()
            self.wfile.write(body[-1:])

    def log_message(self, *_):
        pass


def _sample_as_published(site):
    """Give the files of the sample the addresses of the published ones."""
    files = sample()
    static, insee = site.files, f"{_INSEE}/fichier"
    static[f"{_STATIC}/20180110-144945/qp-politiquedelaville-shp.zip"] = files.qpv_2015.read_bytes()
    static[f"{_STATIC}/20260115-204323/qpv-2024-geojson.zip"] = files.qpv_2024.read_bytes()
    with zipfile.ZipFile(files.qpv_2024) as archive:
        outlines = archive.read(next(name for name in archive.namelist() if name.endswith(".geojson")))
    name = "qp2024-france-hexagonale-outre-mer-wgs84-epsg4326.geojson"
    static[f"{_STATIC}/20250206-161839/{name}"] = outlines
    site.moved["www.data.gouv.fr/api/1/datasets/r/942d4ee8-8142-4556-8ea1-335537ce1119"] = (
        f"{_STATIC}/20260115-204323/qpv-2024-geojson.zip"
    )
    communes, units = (_rows(path) for path in (files.communes_table, files.epci_table))
    site.list_resources()
    site.page(5428762, "pop_qp.csv", summary=2500477)
    site.page(8210600, "autre.pdf", "pop_QPV24.csv", summary=8186144)
    site.page(8210602, "pop_reference_communales_QPV24.csv", summary=8186144)
    site.files |= {
        f"{insee}/5428762/pop_qp.csv": files.population_2015.read_bytes(),
        f"{insee}/8210600/pop_QPV24.csv": files.population_2024.read_bytes(),
        f"{insee}/8210602/pop_reference_communales_QPV24.csv": files.population_2024_communes.read_bytes(),
        f"{insee}/8186239/TAG_QPV2024_2025_csv.zip": zipped(TAG__csv="QPV;PART\nQN09901M;1\n"),
        f"{insee}/7766585/v_commune_2024.csv": _cog(communes),
        f"{insee}/8377162/v_commune_2025.csv": _cog(communes),
        f"{insee}/6683035/ensemble.zip": zipped(
            donnees_communes__csv=_populations(communes), donnees_cantons__csv="A;B\n"
        ),
        f"{insee}/2510634/epci_au_01-01-2025.zip": zipped(**{"EPCI_au_01-01-2025.xlsx": _epci(communes, units)}),
        "www.insee.fr/fr/information/2510634": b"<html>"
        b'<a href="/fr/statistiques/fichier/2510634/ept_au_01-01-2025.xlsx">',
        f"{insee}/2510634/ept_au_01-01-2025.xlsx": _workbook(
            EPT=[["EPT", "LIBEPT", "CODGEO"], ["T1", "Territoire", "99001"]]
        ),
        f"{_ETALAB}/2025/geojson/communes-100m.geojson.gz": gzip.compress(files.communes.read_bytes()),
    }


@pytest.fixture
def producers(monkeypatch, tmp_path):
    """Producers that serve the sample under the published names and addresses, behind a proxy."""
    table = {}
    for key, one in catalog._table().items():
        plain = [dataclasses.replace(a, url=a.url.replace("https://", "http://")) for a in one.addresses]
        table[key] = dataclasses.replace(one, addresses=tuple(plain))
    monkeypatch.setattr(catalog, "_table", lambda: table)
    monkeypatch.setattr(transfer, "BACKOFF_S", 0.0)
    robots.forget()
    for name in (*sites.PROXIES, *(name.upper() for name in sites.PROXIES)):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    with Producers() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        _sample_as_published(server)
        monkeypatch.setenv("HTTP_PROXY", server.root)
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def calm(tmp_path, monkeypatch):
    """No waiting between attempts, and nothing of the surroundings."""
    monkeypatch.setattr(transfer, "BACKOFF_S", 0.0)
    for name in (*sites.PROXIES, *(name.upper() for name in sites.PROXIES), *sites.BUNDLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def site():
    """A site that answers what a test tells it to."""
    with sites.Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.tell(sites.says())
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def toy(site, monkeypatch):
    """Put a dataset served by the site in the catalogue."""

    def add(name="toy.csv", **fields):
        url = fields.pop("url", site.url(name))
        addresses = () if url is None else (catalog.Address(url, "established"),)
        given = {"page": "https://example.org/page", "addresses": addresses, "filenames": (name,)}
        dataset = catalog.Dataset(key="toy", title="A toy", kind="list", format="csv", **(given | fields))
        monkeypatch.setitem(catalog._table(), "toy", dataset)
        return dataset

    add()
    return add


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Folder with the perimeters and the populations of the sample; nothing else is searched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    for path in (sample().qpv_2024, sample().population_2024):
        shutil.copy(path, folder)
    return folder
