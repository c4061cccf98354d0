"""The OpenAPI document of the service: paths, parameters, shapes, and examples that the data held can answer."""

from collections.abc import Callable
from functools import cache
from typing import Any

from qpvgeo._version import __version__
from qpvgeo.language import Note
from qpvgeo.service.limits import Limits
from qpvgeo.service.polygons import polygon_limits
from qpvgeo.service.request_parameters import TEXT_PATTERN
from qpvgeo.service.served_data import Held

__all__ = ["document"]

Json = dict[str, Any]
Said = Callable[..., str]
"""Words of a key of the room, in the language of the document."""

_TEXT: Json = {"type": "string"}
_MAYBE_TEXT: Json = {"type": ["string", "null"]}
_NUMBER: Json = {"type": "number"}
_MAYBE_NUMBER: Json = {"type": ["number", "null"]}
_COUNT: Json = {"type": "integer", "minimum": 0}
_ANY: Json = {"type": "object"}
_DATE: Json = {"type": "string", "format": "date", "examples": ["2024-06-30"]}
_SIDE = r"-?[0-9]+(\.[0-9]+)?"
_BOX = f"^{_SIDE},{_SIDE},{_SIDE},{_SIDE}$"
_CODE = "(QP([0-9]{3}|02[AB])[0-9]{3}|QN([0-9]{3}|02[AB])[0-9]{2}[NMIC])"
_CODES = f"^{_CODE}(, ?{_CODE})*$"


def document(held: Held, limits: Limits, lang: str, *, addresses: bool = False) -> Json:
    """OpenAPI 3.1 document.

    Examples
    --------
    >>> from qpvgeo.service import Held, Limits
    >>> sorted(document(Held.read(sample=True, grid=False), Limits(), "en")["paths"])[-1]
    '/v1/vat'
    """

    def said(key: str, **values: Any) -> str:  # noqa: ANN401 - what a note takes
        return Note(f"service.{key}", **values).say(lang)

    example, polygons = _example(held), said("doc_polygon", **polygon_limits(limits))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "qpvgeo",
            "version": __version__,
            "summary": said("api_summary"),
            "description": f"{said('indicative')} {said('doc_empty')}",
            "license": {"name": "Licence Ouverte 2.0", "identifier": "etalab-2.0"},
        },
        "paths": {
            "/v1/locate": {
                "get": _get("locate", said("api_locate"), _point_parameters(held, example, said), "Located"),
                "post": _post(
                    "locateMany",
                    said("api_locate_many"),
                    [*_geography(held, said), _query("tolerance_m", _positive(), said("doc_tolerance"))],
                    _points_body(limits, example, said),
                    {"application/json": "LocatedRows", "application/geo+json": "Collection"},
                ),
            },
            "/v1/tag": {"post": _tag(held, limits, example, said)},
            "/v1/qpv": {
                "get": _get("qpv", said("api_qpv"), _list_parameters(held, said), "Collection", "application/geo+json")
            },
            "/v1/qpv/{code}": {
                "get": _get("oneQpv", said("api_one_qpv"), [_code(example)], "Feature", "application/geo+json")
            },
            "/v1/places": {"get": _get("places", said("api_places"), _place_parameters(example, said), "Places")},
            **(_addresses(said) if addresses else {}),
            "/v1/vat": {
                "post": _post(
                    "vat",
                    said("api_vat"),
                    [
                        _query("on", _DATE, said("doc_permit"), required=True, example="2025-03-01"),
                        _query("npnru", _TEXT | {"maxLength": 2000, "pattern": _CODES}, said("doc_npnru")),
                    ],
                    _polygons_body(example, polygons),
                    {"application/json": "Rows"},
                )
            },
            **(_population(example, polygons, said) if held.grids else {}),
            "/health": {"get": _get("health", said("api_health"), [], "Health")},
            "/metrics": {"get": _plain("metrics", said("api_metrics"), "text/plain")},
        },
        "components": {"schemas": _schemas(), "responses": {"Problem": _refusal(said("doc_problem"))}},
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


def _query(
    name: str,
    schema: Json,
    about: str | None = None,
    *,
    required: bool = False,
    example: Any = None,  # noqa: ANN401 - of the kind of the parameter
) -> Json:
    found: Json = {"name": name, "in": "query", "required": required, "schema": schema}
    found |= {} if about is None else {"description": about}
    return found if example is None else found | {"example": example}


def _positive() -> Json:
    return _NUMBER | {"minimum": 0}


def _words(most: int) -> Json:
    return _TEXT | {"maxLength": most, "pattern": TEXT_PATTERN}


def _geography(held: Held, said: Said) -> list[Json]:
    """Parameters of which one at most chooses the geography."""
    return [_query("on", _DATE, said("doc_on")), _vintage(held, said("doc_vintage"))]


def _vintage(held: Held, about: str | None = None) -> Json:
    return _query("vintage", {"type": "integer", "enum": held.vintages}, about)


def _code(example: Json) -> Json:
    return {"name": "code", "in": "path", "required": True, "schema": _TEXT, "example": example["code"]}


def _point_parameters(held: Held, example: Json, said: Said) -> list[Json]:
    return [
        _query("lon", _NUMBER, required=True, example=example["lon"]),
        _query("lat", _NUMBER, required=True, example=example["lat"]),
        *_geography(held, said),
        _query("tolerance_m", _positive(), said("doc_tolerance")),
        _query("type", _words(40) | {"examples": ["housenumber", "street"]}, said("doc_type")),
        _query("score", _NUMBER, said("doc_score")),
    ]


def _list_parameters(held: Held, said: Said) -> list[Json]:
    return [
        _vintage(held),
        _query("territory", _words(20)),
        _query("commune", _words(5)),
        _query("bbox", _TEXT | {"pattern": _BOX}, said("doc_bbox"), example="2.4,48.8,2.6,49.0"),
        _query("limit", _COUNT | {"maximum": 500, "default": 50}),
        _query("offset", _COUNT | {"maximum": 100_000}),
        _query("geometry", {"enum": ["0", "1"], "type": "string", "default": "1"}),
    ]


def _place_parameters(example: Json, said: Said) -> list[Json]:
    return [
        _query("q", _words(80), said("doc_q"), required=True, example=example["name"]),
        _query("limit", _COUNT | {"maximum": 50, "default": 10}),
        _query("kind", {"type": "string", "enum": ["qpv", "commune", "epci"]}),
    ]


def _addresses(said: Said) -> Json:
    parameters = [
        _query("q", _words(200), required=True, example="1 rue de la Paix, Paris"),
        _query("limit", _COUNT | {"maximum": 20, "default": 5}),
    ]
    return {"/v1/addresses": {"get": _get("addresses", said("api_addresses"), parameters, "Addresses")}}


def _population(example: Json, about: str, said: Said) -> Json:
    body, kinds = _polygons_body(example, about), {"application/json": "Rows"}
    return {"/v1/population": {"post": _post("population", said("api_population"), [], body, kinds)}}


def _points_body(limits: Limits, example: Json, said: Said) -> Json:
    known: Json = {
        "lon": _MAYBE_NUMBER,
        "lat": _MAYBE_NUMBER,
        "tolerance_m": {"type": ["number", "null"], "minimum": 0},
        "result_type": _MAYBE_TEXT,
        "result_score": _MAYBE_NUMBER,
    }
    point = {"type": "object", "required": ["lon", "lat"], "properties": known}
    pair = {"type": "array", "items": _MAYBE_NUMBER, "minItems": 2, "maxItems": 3}
    given = [{"id": "a", "lon": example["lon"], "lat": example["lat"]}, {"id": "b", "lon": 3.06, "lat": None}]
    listed = {"type": "array", "items": {"anyOf": [point, pair]}, "maxItems": limits.points}
    return _body({"application/json": {"schema": listed, "example": given}}, said("doc_points", most=limits.points))


def _polygons_body(example: Json, about: str) -> Json:
    position = {"type": "array", "items": _NUMBER | {"minimum": -180, "maximum": 180}, "minItems": 2, "maxItems": 3}
    ring = {"type": "array", "items": position, "minItems": 4}
    schema = {
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {"type": {"const": "Polygon"}, "coordinates": {"type": "array", "items": ring, "minItems": 1}},
    }
    return _body({"application/json": {"schema": schema, "example": example["polygon"]}}, about)


def _body(content: Json, about: str) -> Json:
    return {"required": True, "description": about, "content": content}


def _content(kinds: dict[str, str]) -> Json:
    return {media: {"schema": {"$ref": f"#/components/schemas/{name}"}} for media, name in kinds.items()}


def _refusal(about: str) -> Json:
    return {"description": about, "content": _content({"application/problem+json": "Problem"})}


def _responses(content: Json) -> Json:
    return {
        "200": {"description": "OK", "content": content},
        "default": {"$ref": "#/components/responses/Problem"},
    }


def _get(name: str, summary: str, parameters: list[Json], shape: str, media: str = "application/json") -> Json:
    found: Json = {"operationId": name, "summary": summary, "parameters": parameters}
    return found | {"responses": _responses(_content({media: shape}))}


def _post(name: str, summary: str, parameters: list[Json], body: Json, kinds: dict[str, str]) -> Json:
    found: Json = {"operationId": name, "summary": summary, "parameters": parameters, "requestBody": body}
    return found | {"responses": _responses(_content(kinds))}


def _plain(name: str, summary: str, media: str) -> Json:
    return {"operationId": name, "summary": summary, "responses": _responses({media: {"schema": _TEXT}})}


def _tag(held: Held, limits: Limits, example: Json, said: Said) -> Json:
    parameters = [
        *_geography(held, said),
        *(_query(name, _words(200)) for name in ("x", "y", "commune", "layer", "bands", "tolerance")),
        _query("crs", _words(40)),
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
        },
        said("doc_file", most=limits.rows),
    )
    answers = {"text/csv": {"schema": _TEXT}, "application/vnd.apache.parquet": binary}
    found: Json = {"operationId": "tag", "summary": said("api_tag"), "parameters": parameters, "requestBody": body}
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
