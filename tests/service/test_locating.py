"""Points, one by one and in lists: three states, equal to `tag_points`, and everything wrong said at once."""

import math

import numpy as np
import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo.service.locating import tolerance_of

TAGS = ("state", "reason", "qpv_code", "also_in", "nearest_qpv", "distance_m", "band")


def rows_of(table):
    """Rows of a table as JSON has them."""
    return [{name: None if pd.isna(row[name]) else row[name] for name in TAGS} for row in table.to_dict("records")]


def same(answer, row):
    """Whether a row of an answer is that of the library, distances to the micrometre."""
    distance = answer["distance_m"], row["distance_m"]
    near = distance[0] is distance[1] or (None not in distance and math.isclose(*distance, abs_tol=1e-6))
    return near and all(answer[name] == row[name] for name in TAGS if name != "distance_m")


def test_a_point_inside(client, inside):
    lon, lat, code = inside
    found = client.get("/v1/locate", params={"lon": lon, "lat": lat}).json()
    assert (found["state"], found["in_qpv"], found["qpv_code"], found["vintage"]) == ("in", True, code, 2024)
    assert found["perimeters"][0] == code
    assert found["distance_m"] == 0
    assert found["fictional"]
    assert found["indicative"]
    assert found["sources"][0]["sha256"]


def test_a_point_outside_is_false_with_its_distance(client):
    found = client.get("/v1/locate", params={"lon": -3.7, "lat": 45.9}).json()
    assert (found["state"], found["in_qpv"], found["qpv_code"], found["perimeters"]) == ("out", False, None, [])


@pytest.mark.parametrize(
    ("lon", "lat", "reason"),
    [
        (45.97, -3.6, "latitude and longitude look swapped"),
        (2.35, 48.85, "no perimeters of this territory"),
        (13.4, 52.5, "outside France"),
    ],
)
def test_unknown_is_never_false(client, lon, lat, reason):
    found = client.get("/v1/locate", params={"lon": lon, "lat": lat}).json()
    assert (found["state"], found["in_qpv"], found["reason"]) == ("unknown", None, reason)


def test_a_day_chooses_the_geography(client, inside):
    lon, lat, _ = inside
    before = client.get("/v1/locate", params={"lon": lon, "lat": lat, "on": "2020-01-01"}).json()
    after = client.get("/v1/locate", params={"lon": lon, "lat": lat, "on": "2024-06-30"}).json()
    assert (before["on"], before["vintage"], after["vintage"]) == ("2020-01-01", 2015, 2024)
    assert before["qpv_code"].startswith("QP")
    assert after["qpv_code"].startswith("QN")


def test_an_approximate_point_is_unknown(client, inside):
    asked = {"lon": inside[0], "lat": inside[1]}
    exact = client.get("/v1/locate", params={**asked, "type": "housenumber", "score": 0.9}).json()
    street = client.get("/v1/locate", params={**asked, "type": "street", "score": 0.9}).json()
    poor = client.get("/v1/locate", params={**asked, "type": "housenumber", "score": 0.2}).json()
    near = client.get("/v1/locate", params={**asked, "type": "street", "tolerance_m": 400}).json()
    assert [one["state"] for one in (exact, street, poor, near)] == ["in", "unknown", "unknown", "unknown"]
    assert (street["reason"], near["reason"]) == ("location too coarse", "near the boundary")
    assert street["in_qpv"] is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, None, None), 0.0),
        ((None, "housenumber", 0.5), 0.0),
        ((None, "housenumber", 0.49), math.inf),
        ((None, "municipality", None), math.inf),
        ((25.0, "municipality", 0.1), 25.0),
        ((0.0, "street", None), 0.0),
    ],
)
def test_tolerance_of_a_geocoded_point(given, expected):
    assert tolerance_of(*given) == expected


def test_all_that_is_wrong_is_said_at_once(client):
    asked = {"lon": "2,35", "on": "30/06/2024", "longitude": "1", "vintage": "2019"}
    answer = client.get("/v1/locate", params=asked)
    found = answer.json()
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert (found["key"], len(found["problems"])) == ("service.invalid_question", 5)
    assert found["way_out"]


@pytest.mark.parametrize("lon", ["nan", "inf", "1_0", "１", "", "1e999", "0x10"])
def test_what_is_no_number(client, lon):
    assert client.get("/v1/locate", params={"lon": lon, "lat": "48"}).status_code == 400


def test_errors_speak_the_language_of_the_asker(client):
    said = {
        lang: client.get("/v1/locate", headers={"accept-language": lang}).json()["title"]
        for lang in ("fr", "en", "de, en;q=0.5", "en;q=0.2, fr-FR;q=0.9")
    }
    assert said["fr"] == said["en;q=0.2, fr-FR;q=0.9"] != said["en"] == said["de, en;q=0.5"]
    assert client.get("/v1/locate", params={"lang": "fr"}).json()["title"] == said["fr"]


def test_a_list_is_tagged_as_by_the_library(client, addresses):
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    some = addresses.head(500)
    lon, lat = (pd.to_numeric(some[name], errors="coerce") for name in ("lon", "lat"))
    points = [[None if np.isnan(x) else x, None if np.isnan(y) else y] for x, y in zip(lon, lat, strict=True)]
    expected = rows_of(qg.tag_points((lon.to_numpy(), lat.to_numpy()), qpv, crs=4326))
    found = client.post("/v1/locate", json=points).json()
    assert found["points"] == len(some) == sum(found["states"].values())
    assert all(map(same, found["rows"], expected))
    # one by one, without a frame
    for point, row in list(zip(points, expected, strict=True))[:40]:
        if None not in point:
            one = client.get("/v1/locate", params=dict(zip(("lon", "lat"), point, strict=True))).json()
            assert same(one, row)


def test_points_by_name_keep_their_id(client, inside):
    lon, lat, code = inside
    body = {"points": [{"id": "a", "lon": lon, "lat": lat}, {"id": 2, "lon": lon, "lat": lat, "result_type": "street"}]}
    rows = client.post("/v1/locate", json=body).json()["rows"]
    assert [(row["id"], row["state"]) for row in rows] == [("a", "in"), (2, "unknown")]
    assert rows[0]["qpv_code"] == code


def test_a_geojson_comes_back_as_one(client, inside):
    lon, lat, code = inside
    feature = {
        "type": "Feature",
        "id": 7,
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {"a": 1},
    }
    bare = {"type": "Feature", "geometry": None, "properties": None}
    answer = client.post("/v1/locate", json={"type": "FeatureCollection", "features": [feature, bare]})
    first, second = answer.json()["features"]
    assert answer.headers["content-type"] == "application/geo+json"
    assert (first["id"], first["properties"]["a"], first["properties"]["qpv_code"]) == (7, 1, code)
    assert (second["properties"]["state"], second["properties"]["reason"]) == ("unknown", "no coordinates")


def test_every_wrong_point_is_named(client):
    points = [[1], ["a", 2], [True, 1], {"lon": 1}, {"geometry": {"type": "LineString"}}, [10**400, 1], 3, [2.3, 48.8]]
    answer = client.post("/v1/locate", content=__import__("json").dumps(points))
    assert answer.status_code == 400
    assert answer.json()["key"] in {"service.wrong_points", "service.not_json"}
    del points[5]
    found = client.post("/v1/locate", json=points).json()
    assert (found["key"], len(found["problems"])) == ("service.wrong_points", 6)


@pytest.mark.parametrize("body", [b"", b"{", b"[[1,2],", b"\xff\xfe", b"[" * 5_000, b'{"points": 3}', b"null", b'"a"'])
def test_bodies_that_are_no_list_of_points(client, body):
    answer = client.post("/v1/locate", content=body)
    assert answer.status_code == 400
    assert answer.json()["way_out"]


def test_an_empty_list_is_answered(client):
    assert client.post("/v1/locate", json=[]).json()["rows"] == []


def test_more_points_than_the_limit_are_refused(client):
    answer = client.post("/v1/locate", json=[[2, 48]] * 10_001)
    assert (answer.status_code, answer.json()["key"]) == (413, "service.too_many_points")


@pytest.mark.parametrize(
    "query",
    [
        "lon=2,35&lat=48",
        "lon=%D9%A2&lat=48",
        "lon=1_0&lat=48",
        "lon=2&lat=48&lon=",
        "lon=2;lat=48",
        "lon=2&lat=48&vintage=2_024",
        "lon=2&lat=48&vintage=202%D9%A4",
        "lon=2&lat=48&vintage=+2024.0",
        "lon=2&lat=48&on=2024-W01-1",
        "lon=2&lat=48&on=202%D9%A4-01-01",
        "lon=2&lat=48&on=20240101",
        "lon=2&lat=48&%00=1",
    ],
)
def test_texts_that_python_alone_takes_for_numbers_and_days_are_refused(client, query):
    answer = client.get(f"/v1/locate?{query}")
    assert (answer.status_code, len(answer.json()["problems"]) > 0) == (400, True)


@pytest.mark.parametrize("query", ["lon=-3.7&lat=45.9", "lon=+-3.7&lat=%34%35.9", "lon=9&lon=-37e-1&&lat=45.9&", ""])
def test_a_page_of_another_site_has_the_same_bytes(client, query):
    one, other = (client.get(f"/v1/locate?{query}", headers=more) for more in ({}, {"origin": "https://a.example"}))
    assert (one.status_code, one.content) == (other.status_code, other.content)


@pytest.mark.parametrize("feature", [[2.0, 48.0], None, "x", {"lon": 2.0, "lat": 48.0, "properties": [1]}])
def test_what_is_no_feature_is_refused_by_its_row(client, feature):
    wrong = {"type": "Feature", "geometry": {"type": "Point", "coordinates": ["x", 48.0]}, "properties": {}}
    refused = client.post("/v1/locate", json={"features": [feature, wrong]}, params={"lang": "en"})
    assert (refused.status_code, refused.json()["key"]) == (400, "service.wrong_points")
    assert [one.split(" ")[:2] for one in refused.json()["problems"]] == [["point", "0"], ["point", "1"]]
    assert "not a GeoJSON feature" in refused.json()["problems"][0]


def test_a_json_that_is_too_deep_to_be_written_is_refused(client):
    deep = "[" * 400 + "]" * 400
    for body in (
        f'[{{"lon": 2.0, "lat": 48.0, "id": {deep}}}]',
        f'{{"features": [{{"lon": 2, "lat": 48, "id": {deep}}}]}}',
    ):
        refused = client.post("/v1/locate", content=body)
        assert (refused.status_code, refused.json()["key"]) == (400, "service.too_deep")
