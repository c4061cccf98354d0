"""The ways out that the service prints are taken on what raised them."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner
from tests.builders import refused

from qpvgeo.cli import app
from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.service import Held, create_app, serve
from qpvgeo.service.geocoder import Geocoder


def test_what_is_too_long_is_sent_in_smaller_parts_or_tagged_at_home(client, inside, tmp_path):
    points = [list(inside[:2])] * 3
    body = json.dumps(points).encode()
    refused = client.post("/v1/locate", content=body + b" " * 5_000_000)
    assert (refused.status_code, refused.json()["way_out"]) == (413, Note("service.smaller_parts").say("en"))
    parts = [client.post("/v1/locate", json=[one]).json()["rows"] for one in points]
    assert [row["state"] for rows in parts for row in rows] == ["in"] * 3
    pd.DataFrame(points, columns=["lon", "lat"]).to_csv(tmp_path / "in.csv", index=False)
    words = ["tag", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), "--sample", "--json"]
    assert json.loads(CliRunner().invoke(app, words).stdout)["states"]["in"] == 3


@pytest.mark.parametrize("given", ["data.geopf.fr", "ftp://a/b", "http://", ""])
def test_what_is_no_geocoder_is_refused_before_anything_is_read(given):
    error = refused(lambda: serve(sample=True, geocoder=given), "service.not_a_geocoder", UsageError)
    assert error.way_out.key == "service.name_a_geocoder"
    # the way out is taken: the address that it names is one
    create_app(Held.read(sample=True, grid=False), geocoder=str(error.way_out).split()[-1].rstrip("."))


def test_offline_no_geocoder_is_named(monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    error = refused(lambda: Geocoder("http://127.0.0.1:9/search"), "service.geocoder_offline", UsageError)
    assert error.way_out.key == "service.without_geocoder"
    assert create_app(Held.read(sample=True, grid=False)).routes
    monkeypatch.delenv("QPVGEO_OFFLINE")
    assert Geocoder("http://127.0.0.1:9/search").host == "127.0.0.1:9"


def test_a_file_is_told_its_parameters_and_not_options_of_python(client):
    east, north = 652_000, 6_861_000

    def sent(rows, query=""):
        answered = client.post(f"/v1/tag{query}", content=rows.encode())
        return answered.status_code, answered.json()["way_out"] if answered.status_code != 200 else answered.text

    rows = f"id;est;nord\n1;{east};{north}\n"
    status, way_out = sent(rows)
    assert status == 422
    assert "x=…&y=…&crs=2154" in way_out
    assert not [word for word in ("--", "Python") if word in way_out]
    status, way_out = sent(rows, "?x=est&y=nord")
    assert (status, way_out) == (422, Note("service.give_projection").say("en"))
    status, text = sent(rows, "?x=est&y=nord&crs=2154")
    assert status == 200
    assert "1;652000;6861000;" in text


def test_a_workbook_of_two_tables_of_points_is_told_the_parameter(client, inside, tmp_path):
    points = pd.DataFrame({"lon": [inside[0]], "lat": [inside[1]]})
    with pd.ExcelWriter(tmp_path / "two.xlsx") as book:
        points.to_excel(book, sheet_name="a", index=False)
        points.to_excel(book, sheet_name="b", index=False)
    content = (tmp_path / "two.xlsx").read_bytes()
    told = client.post("/v1/tag", content=content).json()["way_out"]
    assert told == Note("service.name_one_layer", layer="a").say("en")
    assert client.post("/v1/tag", params={"layer": "a"}, content=content).status_code == 200
