"""QPV, places, people, VAT, and what every answer carries: validators, headers, metrics, a document that is true."""

import asyncio
import hashlib
import json
import re

import httpx
import pytest

import qpvgeo as qg
from qpvgeo.service import Held, Limits, create_app
from qpvgeo.service.openapi import document


def square(lon, lat, half=0.002):
    ring = [[lon - half, lat - half], [lon + half, lat - half], [lon + half, lat + half], [lon - half, lat + half]]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def test_the_list_of_a_geography(client):
    found = client.get("/v1/qpv", params={"vintage": 2015, "limit": 5, "offset": 10}).json()
    assert (found["type"], found["total"], len(found["features"])) == ("FeatureCollection", 14, 4)
    assert found["features"][0]["properties"]["vintage"] == 2015
    assert found["features"][0]["geometry"]["type"] in {"Polygon", "MultiPolygon"}


def test_the_list_is_cut_by_place(client, inside):
    lon, lat, code = inside
    box = f"{lon - 1e-4},{lat - 1e-4},{lon + 1e-4},{lat + 1e-4}"
    there = client.get("/v1/qpv", params={"bbox": box, "geometry": "0"}).json()["features"]
    assert [(one["id"], one["geometry"]) for one in there] == [(code, None)]
    assert client.get("/v1/qpv", params={"territory": "974"}).json()["features"] == []
    commune = client.get("/v1/qpv", params={"commune": "99001"}).json()
    assert 0 < commune["total"] < 16
    assert all("99001" in one["properties"]["communes"] for one in commune["features"])


def test_a_list_cut_to_nothing_is_empty_whatever_else_cuts_it(client):
    asked = {"territory": "nowhere", "commune": "99001", "bbox": "2,48,3,49", "geometry": "0"}
    for left_out in ("", *asked):
        given = {name: value for name, value in asked.items() if name != left_out}
        answer = client.get("/v1/qpv", params=given)
        assert answer.status_code == 200, given
        if left_out != "territory":
            assert (answer.json()["total"], answer.json()["features"]) == (0, [])


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "3,1,2,4", "nan,0,1,1", "-200,0,1,1"])
def test_boxes_that_are_none(client, box):
    assert client.get("/v1/qpv", params={"bbox": box}).json()["key"] == "service.invalid_question"


def test_one_quarter_has_its_figures_with_bounds_and_its_ancestors(client):
    sample = qg.sample()
    new, grid = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019)
    found = client.get("/v1/qpv/qn09901m").json()
    told, people = found["properties"], qg.estimate_population(new.loc[["QN09901M"]], grid).iloc[0]
    assert (told["population"], told["population_year"], told["population_basis"]) == (1753, 2020, "published")
    assert [told["estimate"][name] for name in ("low", "estimate", "high")] == pytest.approx(
        [people["low"], people["estimate"], people["high"]]
    )
    assert told["estimate"]["grid_year"] == 2019
    walk = qg.crosswalk(qg.read_qpv(sample.qpv_2015), new).query("code_to == 'QN09901M'").dropna(subset="code_from")
    assert [(one["qpv_code"], one["kind"]) for one in told["links"]] == [
        (code, "ancestor") for code in walk["code_from"]
    ]
    assert told["links"][0]["share"] == pytest.approx(walk["to_share"].iloc[0], abs=1e-3)
    old = client.get("/v1/qpv/QP099001").json()["properties"]
    assert {one["kind"] for one in old["links"]} == {"successor"}


@pytest.mark.parametrize("code", ["QN00000X", "..%2f..%2fetc%2fpasswd", "<script>", "QN099%00", "a" * 500])
def test_a_quarter_that_is_none(client, code):
    answer = client.get(f"/v1/qpv/{code}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "<script>" not in answer.text


@pytest.mark.parametrize("asked", ["misaine", "LA MISAINE", "la misâine", "QN09902I"])
def test_places_forgive_accents_and_case(client, asked):
    found = client.get("/v1/places", params={"q": asked}).json()["places"]
    assert found[0]["code"] in {"QN09902I", "QP099001"}
    assert len(found[0]["bbox"]) == 4


def test_places_of_a_kind(client):
    commune = client.get("/v1/places", params={"q": "port brume", "kind": "commune"}).json()["places"]
    assert [(one["kind"], one["code"]) for one in commune] == [("commune", "99001")]
    epci = client.get("/v1/places", params={"q": "brumes", "kind": "epci"}).json()["places"]
    assert epci[0]["code"] == "299900019"
    assert client.get("/v1/places", params={"q": "zzzz"}).json()["places"] == []


def test_people_of_a_drawn_polygon_are_those_of_the_library(client, inside):
    import geopandas as gpd
    import shapely

    drawn = square(*inside[:2])
    feature = {"type": "Feature", "id": "mine", "geometry": drawn, "properties": {}}
    found = client.post("/v1/population", json=feature).json()["rows"]
    shape = gpd.GeoSeries([shapely.from_geojson(json.dumps(drawn))], crs=4326)
    people = qg.estimate_population(shape, qg.read_grid(qg.sample().grid_2019)).iloc[0]
    assert found[0]["id"] == "mine"
    for name in ("low", "estimate", "high", "households"):
        assert found[0][name] == pytest.approx(people[name])
    assert inside[2] in found[0]["qpv"]


def test_people_are_no_path_where_no_grid_is_held():
    """It is neither told nor there: not an error of the server, which monitors would count."""
    held = Held.read(sample=True, grid=False)
    found, told = [], document(held, Limits(), "en")

    async def asks():
        transport = httpx.ASGITransport(app=create_app(held))
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            found.append(await client.post("/v1/population", json=square(2.35, 48.85)))
            found.append(await client.get("/"))

    asyncio.run(asks())
    assert [(one.status_code, one.json()["key"]) for one in found] == [
        (404, "service.no_grid"),
        (404, "service.no_page"),
    ]
    assert "grille" in found[0].json()["way_out"]
    assert "/v1/population" not in told["paths"]


def test_the_document_describes_in_the_language_of_its_reader(client):
    for lang, word in (("en", "not together with vintage"), ("fr", "incompatible avec vintage")):
        told = client.get("/openapi.json", params={"lang": lang}).json()
        texts = [one["description"] for one in told["paths"]["/v1/locate"]["get"]["parameters"] if "description" in one]
        assert any(word in text for text in texts)
        bodies = [one["post"]["requestBody"] for one in told["paths"].values() if "post" in one]
        assert all(one["description"] for one in bodies)


_OF_BATCHES = ["on", "vintage", "tolerance_m"]
_OF_POINTS = [*_OF_BATCHES, "type", "score"]


@pytest.mark.parametrize(
    ("method", "name"), [*(("GET", name) for name in _OF_POINTS), *(("POST", name) for name in _OF_BATCHES)]
)
def test_a_parameter_that_is_given_empty_is_refused(client, method, name):
    """A program that lost its day would be answered for another one."""
    for empty in ("", " ", "\t"):
        given = {name: empty} | ({"lon": -3.5, "lat": 45.9} if method == "GET" else {})
        answer = client.request(method, "/v1/locate", params=given, json=None if method == "GET" else [[1, 2]])
        assert (answer.status_code, len(answer.json()["problems"])) == (400, 1)
        assert answer.json()["problems"][0].startswith(f"{name} is empty: leave it out")
    assert client.get("/v1/places", params={"q": "port", "kind": ""}).status_code == 400


@pytest.mark.parametrize("text", ["a\x07b", "\x1b[2J", "a\x85b", "a\u2028b"])
def test_texts_that_steer_a_terminal_are_refused_as_the_document_tells(client, text):
    told = client.get("/openapi.json").json()["paths"]["/v1/places"]["get"]["parameters"][0]["schema"]["pattern"]
    assert client.get("/v1/places", params={"q": text}).status_code == 400
    assert not re.search(told, text)


@pytest.mark.parametrize("text", ["port\u00a0", "la\u202fmisaine", "é", "\u200bport", "👩\u200d🔬"])
def test_texts_as_people_paste_them_are_taken_as_the_document_tells(client, text):
    told = client.get("/openapi.json").json()["paths"]["/v1/places"]["get"]["parameters"][0]["schema"]["pattern"]
    assert client.get("/v1/places", params={"q": text}).status_code == 200
    assert re.search(told, text)


def test_a_polygon_without_an_area_is_refused_in_words(client):
    answer = client.post("/v1/population", json={"type": "Polygon", "coordinates": [[[1, 45]] * 4]})
    assert answer.status_code == 400
    assert "with an area" in answer.json()["problems"][0]


def test_people_where_there_is_no_grid_are_null_and_not_zero(client):
    found = client.post("/v1/population", json=square(2.35, 48.85)).json()["rows"][0]
    assert (found["low"], found["estimate"], found["high"], found["grid"]) == (None, None, None, None)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, "a"], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [900, 0], [900, 900], [0, 0]]]},
        {"type": "FeatureCollection", "features": []},
        {"type": "Feature", "geometry": None},
        [],
        7,
    ],
)
def test_shapes_that_are_no_polygon(client, body):
    answer = client.post("/v1/population", json=body)
    assert answer.status_code == 400
    assert answer.json()["way_out"]


def test_polygons_beyond_the_limits(client):
    far = client.post("/v1/population", json=square(2, 47, half=3))
    many = client.post("/v1/population", json={"type": "FeatureCollection", "features": [square(2, 47)] * 101})
    ring = [[2 + row * 1e-6, 47 + row % 2 * 1e-5] for row in range(10_001)]
    detailed = client.post("/v1/population", json={"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    assert [one.status_code for one in (far, many, detailed)] == [413, 413, 413]


def test_vat_is_that_of_the_library(client):
    import geopandas as gpd

    sample = qg.sample()
    groups = gpd.read_file(sample.footprints).query("programme != ''")
    qpv = [qg.read_qpv(sample.qpv_2024), qg.read_qpv(sample.qpv_2015)]
    expected = qg.vat_zone(groups, qpv, npnru=["QP099001"], on="2025-03-01", former=qpv[1])
    body = json.loads(groups[["geometry"]].to_crs(4326).to_json())
    found = client.post("/v1/vat", params={"on": "2025-03-01", "npnru": "QP099001"}, json=body).json()
    assert found["on"] == "2025-03-01"
    zones = [None if zone != zone or zone is None else zone for zone in expected["zone"].astype(object)]  # noqa: PLR0124
    assert [row["zone"] for row in found["rows"]] == zones
    assert {row["eligible"] for row in found["rows"]} <= {True, False, None}
    assert client.post("/v1/vat", json=body).json()["key"] == "service.invalid_question"


def test_an_answer_is_not_sent_again(client, inside):
    asked = {"lon": inside[0], "lat": inside[1]}
    first = client.get("/v1/locate", params=asked)
    again = client.get("/v1/locate", params=asked, headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
    other = client.get(
        "/v1/locate", params=asked, headers={"if-none-match": first.headers["etag"], "accept-language": "fr"}
    )
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)
    assert "private" in first.headers["cache-control"]
    assert "public" in client.get("/v1/qpv", params={"limit": 1}).headers["cache-control"]


def test_other_sites_may_ask(client):
    answer = client.get("/v1/places", params={"q": "port"}, headers={"origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"
    asked = {"origin": "https://example.org", "access-control-request-method": "POST"}
    assert client.options("/v1/tag", headers=asked).status_code == 200


def test_health_and_metrics(client):
    health = client.get("/health").json()
    assert (health["status"], health["vintages"]) == ("ok", [2024, 2015])
    assert len(health["digest"]) == len(hashlib.sha256().hexdigest())
    text = client.get("/metrics").text
    assert 'qpvgeo_requests_total{path="/health",method="GET",status="200"' in text
    assert "qpvgeo_request_seconds_bucket" in text


def test_paths_and_methods_that_are_not_there(client):
    assert client.get("/v1/nothing").json()["key"] == "service.no_such_path"
    assert client.get("/../../etc/passwd").status_code == 404
    refused = client.put("/v1/locate")
    assert (refused.status_code, refused.json()["status"]) == (405, 405)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/locate", "GET, HEAD, POST"),
        ("/v1/population", "POST"),
        ("/v1/qpv/QN00101M", "GET, HEAD"),
        ("/health", "GET, HEAD"),
    ],
)
def test_a_refused_method_comes_with_those_of_the_path(client, path, methods):
    answer = client.request("OPTIONS", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)


def test_the_examples_of_the_document_are_answered(client):
    document = client.get("/openapi.json").json()
    asked = 0
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            given = {one["name"]: one["example"] for one in about.get("parameters", []) if "example" in one}
            address = path.format(**given)
            query = {name: value for name, value in given.items() if f"{{{name}}}" not in path}
            if path == "/v1/vat":
                query["on"] = "2025-03-01"
            for media, body in about.get("requestBody", {}).get("content", {"": {}}).items():
                if media and "example" not in body:
                    continue
                text = body.get("example")
                content = text.encode() if isinstance(text, str) else json.dumps(text).encode() if text else None
                answer = client.request(method, address, params=query, content=content, headers={"content-type": media})
                assert answer.status_code == 200, answer.text
                asked += 1
    assert asked == len([1 for methods in document["paths"].values() for _ in methods])


def test_nothing_of_an_asker_is_written(server, client):
    lon, lat, name = -3.612345, 45.954321, "Rue-des-Secrets"
    client.get("/v1/locate", params={"lon": lon, "lat": lat})
    client.post("/v1/locate", json=[{"id": name, "lon": lon, "lat": lat}])
    client.post("/v1/tag", content=f"adresse;lon;lat\n{name};{lon};{lat}\n".encode())
    client.post("/v1/tag", content=f"adresse;x\n{name};{lon}\n".encode())
    client.get("/v1/places", params={"q": name})
    client.get(f"/{name}", headers={"user-agent": name, "referer": f"https://{name}.fr"})
    client.post("/v1/population", json=square(lon, lat))
    log = server.log()
    assert "/v1/locate" in log
    assert not [one for one in (str(lon), str(lat), "612345", "954321", name, "127.0.0.1") if one in log]
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"request", "method", "path", "status", "ms", "bytes"} <= set(lines[-1])


def test_a_schema_run_of_the_document(server):
    """Cases made from the document, a few a path: no server error, and answers of the shapes that it says."""
    schemathesis = pytest.importorskip("schemathesis")
    hypothesis = pytest.importorskip("hypothesis")
    document = httpx.get(server.about["url"] + "/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = server.about["url"]
    checks = [
        schemathesis.checks.CHECKS.get_by_names([name])[0]
        for name in ("not_a_server_error", "response_schema_conformance", "content_type_conformance")
    ]
    seen = 0
    for one in schema.get_all_operations():
        operation = one.ok()
        if operation.path == "/v1/tag":
            continue

        @hypothesis.settings(
            max_examples=12,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def asks(case):
            case.call_and_validate(checks=checks)

        asks()
        seen += 1
    assert seen == 9
