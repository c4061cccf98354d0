"""The OpenAPI document of the service: paths, parameters, shapes, and examples that the data held can answer."""

from functools import cache
from typing import Any

from qpvgeo._version import __version__
from qpvgeo.language import Note
from qpvgeo.service.limits import Limits
from qpvgeo.service.served_data import Held

__all__ = ["document"]

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_MAYBE_TEXT: Json = {"type": ["string", "null"]}
_NUMBER: Json = {"type": "number"}
_MAYBE_NUMBER: Json = {"type": ["number", "null"]}
_COUNT: Json = {"type": "integer", "minimum": 0}
_ANY: Json = {"type": "object"}


def document(held: Held, limits: Limits, lang: str, *, addresses: bool = False) -> Json:
    """OpenAPI 3.1 document.

    Examples
    --------
    >>> from qpvgeo.service import Held, Limits
    >>> sorted(document(Held.read(sample=True, grid=False), Limits(), "en")["paths"])[-1]
    '/v1/vat'
    """

    def said(key: str) -> str:
        return Note(f"service.{key}").say(lang)

    example = _example(held)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "qpvgeo",
            "version": __version__,
            "summary": said("api_summary"),
            "description": Note("service.indicative").say(lang),
            "license": {"name": "Licence Ouverte 2.0", "identifier": "etalab-2.0"},
        },
        "paths": {
            "/v1/locate": {
                "get": _get("locate", said("api_locate"), _point_parameters(held, example), "Located"),
                "post": _post(
                    "locateMany",
                    said("api_locate_many"),
                    [_day(), _vintage(held), _query("tolerance_m", _positive())],
                    _points_body(limits, example),
                    {"application/json": "LocatedRows", "application/geo+json": "Collection"},
                ),
            },
            "/v1/tag": {"post": _tag(said("api_tag"), held, limits, example)},
            "/v1/qpv": {
                "get": _get("qpv", said("api_qpv"), _list_parameters(held), "Collection", "application/geo+json")
            },
            "/v1/qpv/{code}": {
                "get": _get("oneQpv", said("api_one_qpv"), [_code(example)], "Feature", "application/geo+json")
            },
            "/v1/places": {"get": _get("places", said("api_places"), _place_parameters(example), "Places")},
            **(_addresses(said("api_addresses")) if addresses else {}),
            "/v1/vat": {
                "post": _post(
                    "vat",
                    said("api_vat"),
                    [
                        _query("on", _date("2025-03-01"), required=True, example="2025-03-01"),
                        _query("npnru", _TEXT | {"maxLength": 2000, "pattern": "^[A-Za-z0-9, ]*$"}),
                    ],
                    _polygons_body(example),
                    {"application/json": "Rows"},
                )
            },
            "/v1/population": {
                "post": _post(
                    "population", said("api_population"), [], _polygons_body(example), {"application/json": "Rows"}
                )
            },
            "/health": {"get": _get("health", said("api_health"), [], "Health")},
            "/metrics": {"get": _plain("metrics", said("api_metrics"), "text/plain")},
        },
        "components": {"schemas": _schemas()},
    }


def _example(held: Held) -> Json:
    """A QPV with an outline, a point in it, and a square around it."""
    frame = held.qpv[held.vintages[0]]
    drawn = frame[frame.geometry.notna() & ~frame.geometry.is_empty].iloc[:1].to_crs(4326)
    point = drawn.geometry.iloc[0].representative_point()
    lon, lat = round(point.x, 6), round(point.y, 6)
    half = 0.0005
    ring = [[lon - half, lat - half], [lon + half, lat - half], [lon + half, lat + half], [lon - half, lat + half]]
    ring = [[round(x, 6), round(y, 6)] for x, y in [*ring, ring[0]]]
    return {
        "lon": lon,
        "lat": lat,
        "code": str(drawn.index[0]),
        "name": str(drawn["name"].iloc[0]) if "name" in drawn.columns else str(drawn.index[0]),
        "polygon": {"type": "Polygon", "coordinates": [ring]},
    }


def _query(name: str, schema: Json, *, required: bool = False, example: Any = None) -> Json:  # noqa: ANN401
    found: Json = {"name": name, "in": "query", "required": required, "schema": schema}
    return found if example is None else found | {"example": example}


def _positive() -> Json:
    return _NUMBER | {"minimum": 0}


def _date(example: str) -> Json:
    return _TEXT | {"format": "date", "examples": [example]}


def _day() -> Json:
    return _query("on", _date("2024-06-30"))


def _vintage(held: Held) -> Json:
    return _query("vintage", {"type": "integer", "enum": held.vintages, "default": held.vintages[0]})


def _code(example: Json) -> Json:
    return {"name": "code", "in": "path", "required": True, "schema": _TEXT, "example": example["code"]}


def _point_parameters(held: Held, example: Json) -> list[Json]:
    return [
        _query("lon", _NUMBER, required=True, example=example["lon"]),
        _query("lat", _NUMBER, required=True, example=example["lat"]),
        _day(),
        _vintage(held),
        _query("tolerance_m", _positive()),
        _query("type", _TEXT | {"maxLength": 40, "examples": ["housenumber", "street"]}),
        _query("score", _NUMBER),
    ]


def _list_parameters(held: Held) -> list[Json]:
    return [
        _vintage(held),
        _query("territory", _TEXT | {"maxLength": 20}),
        _query("commune", _TEXT | {"maxLength": 5}),
        _query("bbox", _TEXT, example="2.4,48.8,2.6,49.0"),
        _query("limit", _COUNT | {"maximum": 500, "default": 50}),
        _query("offset", _COUNT | {"maximum": 100_000}),
        _query("geometry", {"enum": ["0", "1"], "type": "string", "default": "1"}),
    ]


def _place_parameters(example: Json) -> list[Json]:
    return [
        _query("q", _TEXT | {"minLength": 1, "maxLength": 80}, required=True, example=example["name"]),
        _query("limit", _COUNT | {"maximum": 50, "default": 10}),
        _query("kind", {"type": "string", "enum": ["qpv", "commune", "epci"]}),
    ]


def _addresses(summary: str) -> Json:
    parameters = [
        _query("q", _TEXT | {"minLength": 1, "maxLength": 200}, required=True, example="1 rue de la Paix, Paris"),
        _query("limit", _COUNT | {"maximum": 20, "default": 5}),
    ]
    return {"/v1/addresses": {"get": _get("addresses", summary, parameters, "Addresses")}}


def _points_body(limits: Limits, example: Json) -> Json:
    point = {"type": "object", "required": ["lon", "lat"], "properties": {"lon": _MAYBE_NUMBER, "lat": _MAYBE_NUMBER}}
    pair = {"type": "array", "items": _MAYBE_NUMBER, "minItems": 2, "maxItems": 3}
    given = [{"id": "a", "lon": example["lon"], "lat": example["lat"]}, {"id": "b", "lon": 3.06, "lat": None}]
    listed = {"type": "array", "items": {"anyOf": [point, pair]}, "maxItems": limits.points}
    return _body({"application/json": {"schema": listed, "example": given}})


def _polygons_body(example: Json) -> Json:
    position = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 3}
    ring = {"type": "array", "items": position, "minItems": 4}
    schema = {
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {"type": {"const": "Polygon"}, "coordinates": {"type": "array", "items": ring, "minItems": 1}},
    }
    return _body({"application/json": {"schema": schema, "example": example["polygon"]}})


def _body(content: Json) -> Json:
    return {"required": True, "content": content}


def _content(kinds: dict[str, str]) -> Json:
    return {media: {"schema": {"$ref": f"#/components/schemas/{name}"}} for media, name in kinds.items()}


def _responses(content: Json) -> Json:
    problem = _content({"application/problem+json": "Problem"})
    return {
        "200": {"description": "OK", "content": content},
        "default": {"description": "Problem (RFC 9457)", "content": problem},
    }


def _get(name: str, summary: str, parameters: list[Json], shape: str, media: str = "application/json") -> Json:
    found: Json = {"operationId": name, "summary": summary, "parameters": parameters}
    return found | {"responses": _responses(_content({media: shape}))}


def _post(name: str, summary: str, parameters: list[Json], body: Json, kinds: dict[str, str]) -> Json:
    found: Json = {"operationId": name, "summary": summary, "parameters": parameters, "requestBody": body}
    return found | {"responses": _responses(_content(kinds))}


def _plain(name: str, summary: str, media: str) -> Json:
    return {"operationId": name, "summary": summary, "responses": _responses({media: {"schema": _TEXT}})}


def _tag(summary: str, held: Held, limits: Limits, example: Json) -> Json:
    parameters = [
        _day(),
        _vintage(held),
        *(_query(name, _TEXT | {"maxLength": 200}) for name in ("x", "y", "commune", "layer", "bands", "tolerance")),
        _query("crs", _TEXT | {"maxLength": 40}),
        _query("distance", {"type": "string", "enum": ["exact", "signed", "band"], "default": "exact"}),
        _query("output", {"type": "string", "enum": ["csv", "parquet"]}),
        _query("safe", {"type": "string", "enum": ["0", "1"], "default": "0"}),
    ]
    text = f"id;lon;lat\n1;{example['lon']};{example['lat']}\n"
    binary: Json = {"schema": _TEXT | {"format": "binary", "maxLength": limits.file_bytes}}
    workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    body = _body(
        {
            "text/csv": {"schema": _TEXT, "example": text},
            "application/vnd.apache.parquet": binary,
            workbook: binary,
        }
    )
    answers = {"text/csv": {"schema": _TEXT}, "application/vnd.apache.parquet": binary}
    found: Json = {"operationId": "tag", "summary": summary, "parameters": parameters, "requestBody": body}
    return found | {"responses": _responses(answers)}


@cache
def _schemas() -> Json:
    about: Json = {
        "indicative": _TEXT,
        "vintages": {"type": "array", "items": {"type": "integer"}},
        "licence": _MAYBE_TEXT,
        "credits": {"type": "array", "items": _TEXT},
        "sources": {"type": "array", "items": _ANY},
        "notes": {"type": "array", "items": _TEXT},
        "fictional": _MAYBE_TEXT,
        "lang": {"enum": ["en", "fr"]},
    }
    point: Json = {
        "state": {"enum": ["in", "out", "unknown"]},
        "in_qpv": {"type": ["boolean", "null"]},
        "reason": _MAYBE_TEXT,
        "reason_text": _MAYBE_TEXT,
        "qpv_code": _MAYBE_TEXT,
        "qpv_name": _MAYBE_TEXT,
        "qpv_commune": _MAYBE_TEXT,
        "also_in": _MAYBE_TEXT,
        "perimeters": {"type": "array", "items": _TEXT},
        "nearest_qpv": _MAYBE_TEXT,
        "distance_m": _MAYBE_NUMBER,
        "band": _MAYBE_TEXT,
        "territory": _MAYBE_TEXT,
        "vintage": {"type": ["integer", "null"]},
    }
    rows = {"rows": {"type": "array", "items": _ANY}}
    located = {"rows": {"type": "array", "items": {"type": "object", "properties": point, "required": list(point)}}}
    features = {"type": {"const": "FeatureCollection"}, "features": {"type": "array", "items": _ANY}}
    return {
        "Located": _whole(point | {"on": _MAYBE_TEXT} | about),
        "LocatedRows": _whole(located | {"on": _MAYBE_TEXT, "points": _COUNT, "states": _ANY} | about),
        "Collection": _whole(features | about),
        "Feature": _whole({"type": {"const": "Feature"}, "id": _TEXT, "properties": _ANY, **about}),
        "Places": _whole({"places": {"type": "array", "items": _ANY}} | about),
        "Addresses": _whole({"addresses": {"type": "array", "items": _ANY}, "geocoder": _TEXT} | about),
        "Rows": _whole(rows | about),
        "Health": _whole({"status": {"const": "ok"}, "version": _TEXT, "digest": _TEXT} | about),
        "Problem": _problem(),
    }


def _whole(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _problem() -> Json:
    found = {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "key": _TEXT,
        "problems": {"type": "array", "items": _TEXT},
        "way_out": _MAYBE_TEXT,
        "lang": {"enum": ["en", "fr"]},
    }
    return _whole(found)
