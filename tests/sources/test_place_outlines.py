"""Communes around a place, from a server that plays the WFS of IGN."""

import json
import urllib.parse

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.at_hand import place_outlines
from qpvgeo.at_hand.place_outlines import fetch_outlines
from qpvgeo.cli import app
from qpvgeo.errors import FetchError, OfflineError, TruncatedError, UsageError
from qpvgeo.samples import sample
from qpvgeo.sources import hash_record, wfs

HOST = "data.geopf.fr/wfs"
REPORT = (
    '<ows:ExceptionReport xmlns:ows="x"><ows:Exception exceptionCode="InvalidParameterValue">'
    "<ows:ExceptionText>Unknown layer</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"
)


class Service:
    """Communes of the sample by pages, in the columns of ADMIN EXPRESS."""

    def __init__(self):
        frame = gpd.read_file(sample().communes)
        self.communes = gpd.GeoDataFrame(
            {
                "cleabs": [f"COMMUNE_{code}" for code in frame["code"]],
                "code_insee": frame["code"],
                "nom_officiel": frame["nom"],
            },
            geometry=frame.geometry,
        )
        self.editions = ["2024", "2025", "LATEST"]
        self.report, self.lost, self.asked = None, 0, []

    def __call__(self, url):
        asked = {k.upper(): v for k, v in urllib.parse.parse_qsl(urllib.parse.urlsplit(f"http://{url}").query)}
        self.asked.append(asked)
        if self.report is not None:
            return self.report
        if asked["REQUEST"] == "GetCapabilities":
            names = [
                f"ADMINEXPRESS-COG-CARTO.{edition}:{layer}"
                for edition in self.editions
                for layer in ("region", "commune")
            ]
            return 200, "".join(f"<FeatureType><Name>{name}</Name></FeatureType>" for name in names).encode()
        south, west, north, east = map(float, asked["BBOX"].split(",")[:4])
        assert asked["BBOX"].endswith("urn:ogc:def:crs:EPSG::4326")
        near = self.communes[self.communes.intersects(shapely.box(west, south, east, north))]
        start, count = int(asked["STARTINDEX"]), int(asked["COUNT"])
        page = json.loads(near.iloc[start : start + count].to_json())
        for one in page["features"]:
            one["id"] = f"commune.{one['properties']['cleabs']}"
        page["features"] = page["features"][: len(page["features"]) - self.lost]
        return 200, json.dumps(page | {"numberMatched": len(near), "numberReturned": len(page["features"])}).encode()


@pytest.fixture
def service(producers, monkeypatch):
    monkeypatch.setattr(place_outlines, "SERVICE", f"http://{HOST}")
    made = producers.services[HOST] = Service()
    return made


def around(name):
    """Communes that meet the box of the QPV of a place, widened by the margin."""
    box = shapely.box(*qg.load(2024, name, sample=True).qpv.total_bounds).buffer(0.05, join_style="mitre")
    frame = gpd.read_file(sample().communes)
    return sorted(frame.loc[frame.intersects(box), "code"])


def test_the_communes_around_a_place_are_had(service):
    path = fetch_outlines("99003", sample().path)
    assert path.name == "ADMINEXPRESS-COG-CARTO_2025_communes_99003.geojson"
    communes = qg.read_communes(path)
    assert sorted(communes.index) == around("99003")
    assert communes["cog_year"].unique().tolist() == [2025]
    assert service.asked[-1]["TYPENAMES"] == "ADMINEXPRESS-COG-CARTO.2025:commune"


def test_the_edition_and_the_day_are_recorded(service):
    path = fetch_outlines("Hautvent", sample().path)
    entry = hash_record.read()["communes-around:99003"]
    assert (entry["edition"], entry["layer"]) == ("2025", "ADMINEXPRESS-COG-CARTO.2025:commune")
    assert entry["sha256"] == qg.read_communes(path).attrs["qpvgeo"]["files"][0]["sha256"]
    asked = len(service.asked)
    assert fetch_outlines("Hautvent", sample().path) == path
    assert len(service.asked) == asked
    fetch_outlines("Hautvent", sample().path, update=True)
    assert len(service.asked) > asked


def test_an_edition_without_a_year_says_so(service):
    service.editions = ["LATEST"]
    assert "_LATEST_" in fetch_outlines("99003", sample().path).name
    assert hash_record.read()["communes-around:99003"]["edition"] == "LATEST"


def test_pages_are_put_together(service, monkeypatch):
    whole = fetch_outlines("99", sample().path).read_bytes()
    monkeypatch.setattr(wfs, "PAGE", 5)
    assert fetch_outlines("99", sample().path, update=True).read_bytes() == whole
    starts = [asked["STARTINDEX"] for asked in service.asked if asked["REQUEST"] == "GetFeature"]
    assert starts == ["0", "0", "5", "10"]


def test_pages_that_do_not_add_up_are_refused(service):
    service.lost = 1
    refused(lambda: fetch_outlines("99003", sample().path), "sources.pages_do_not_add_up", TruncatedError)
    assert "communes-around:99003" not in hash_record.read()


@pytest.mark.parametrize("status", [200, 400])
def test_an_exception_report_is_said(service, status):
    service.report = (status, REPORT.encode())
    error = refused(lambda: fetch_outlines("99003", sample().path), None, FetchError)
    if status == 200:
        assert error.key == "sources.service_says"
        assert "Unknown layer" in error.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"features": []}', b'{"numberMatched": "3", "features": []}'])
def test_an_answer_that_makes_no_sense_is_refused(service, body):
    service.report = (200, body)
    refused(lambda: fetch_outlines("99003", sample().path), "sources.odd_answer", FetchError)


@pytest.mark.usefixtures("service")
def test_a_box_of_a_country_is_refused(monkeypatch):
    monkeypatch.setattr(wfs, "_MOST", 3)
    refused(lambda: fetch_outlines("99", sample().path), "sources.too_many_features", UsageError)
    refused(lambda: wfs.features(HOST, "x", (3, 0, 2, 1)), "sources.not_a_box", UsageError)


def test_offline_asks_nothing(service, monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    refused(lambda: fetch_outlines("99003", sample().path), "sources.offline", OfflineError)
    assert service.asked == []


@pytest.mark.usefixtures("service")
def test_fetch_of_a_place_leaves_the_country_out(producers):
    result = CliRunner().invoke(app, ["fetch", "--place", "99003", "--json"])
    assert result.exit_code == 0, result.output
    rows = {row["key"]: row for row in json.loads(result.stdout)["files"]}
    assert rows["communes-around:99003"]["path"].endswith("_2025_communes_99003.geojson")
    assert "communes-outlines-2025-100m" not in rows
    assert producers.asked("etalab") == []
    result = CliRunner().invoke(app, ["coverage", "--by", "commune", "--place", "99003", "--json"])
    (row,) = json.loads(result.stdout)["rows"]
    expected = CliRunner().invoke(app, ["coverage", "--by", "commune", "--place", "99003", "--json", "--sample"])
    assert row["qpv_population"] == json.loads(expected.stdout)["rows"][0]["qpv_population"]


def test_a_service_that_refuses_leaves_the_file_of_the_country(service):
    service.report = (403, b"")
    result = CliRunner().invoke(app, ["fetch", "--place", "99003", "--json"])
    assert result.exit_code == 3
    (row,) = json.loads(result.stdout)["failed"]
    assert row["error"] == "ForbiddenError"
    assert row["names"] == ["communes-100m.geojson.gz"]
