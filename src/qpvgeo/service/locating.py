"""Is this point in a QPV: one point without a frame, or thousands; three states, and never False for unknown."""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.service.problems import LimitError
from qpvgeo.service.row_texts import said
from qpvgeo.service.served_data import Held
from qpvgeo.tagging.options import STATES
from qpvgeo.tagging.plain_tags import ROW, PointTags
from qpvgeo.tagging.tolerance import BAN_MIN_SCORE

__all__ = ["Options", "located", "many_located", "tolerance_of"]

_SHOWN = 40
_CERTAIN = "housenumber"
_TAGS = frozenset({*said(dict.fromkeys(ROW, None) | {"state": "out"}, "en")})
"""Names of a row, which go before properties of the same name."""

Options = dict[str, Any]
"""`on` and `vintage`, of which one is None; `tolerance_m`, metres, or None."""


def tolerance_of(given: float | None, kind: str | None, score: float | None) -> float:
    """Metres by which a point may be off: those given, else what its geocoding says; infinite where that is too little.

    An address found to its number with a fair score counts as exact, anything else as coarse, as in `qpvgeo.tag_points`
    with `tolerance_m="ban"`; a tolerance that is given goes before.

    Examples
    --------
    >>> tolerance_of(None, "housenumber", 0.9), tolerance_of(None, "street", 0.9), tolerance_of(200.0, "street", 0.9)
    (0.0, inf, 200.0)
    """
    if given is not None:
        return given
    coarse = (kind is not None and kind != _CERTAIN) or (score is not None and score < BAN_MIN_SCORE)
    return math.inf if coarse else 0.0


def located(held: Held, lon: float, lat: float, options: Options, lang: str) -> bytes:
    """Answer of one point, as JSON: its tags, what they rest on, and what they are worth."""
    row = held.one_point(options["on"], options["vintage"]).row(lon, lat, options["tolerance_m"] or 0.0)
    return orjson.dumps(said(row, lang) | {"on": options["on"]} | held.about(lang))


def many_located(held: Held, value: Any, options: Options, lang: str, most: int) -> tuple[bytes, int, bool]:  # noqa: ANN401
    """Answer of a JSON list of points, or of a GeoJSON: a row or a feature for each, in their order.

    Returns
    -------
    tuple of bytes, int and bool
        The JSON, how many points it has, and whether it is a GeoJSON.

    Raises
    ------
    UsageError
        There is no list of points, or a point is none: all are listed.
    LimitError
        There are too many points.
    """
    features = value.get("features") if isinstance(value, dict) else None
    points = features if features is not None else value.get("points") if isinstance(value, dict) else value
    if not isinstance(points, list):
        raise UsageError(Note("service.no_points"), way_out=Note("service.points_are"))
    if len(points) > most:
        raise LimitError(Note("service.too_many_points", count=len(points), most=most), way_out=Note("service.use_tag"))
    lon, lat, tolerances = _columns(points, of_features=features is not None)
    own = options["tolerance_m"]
    exact = not any(tolerances) and not own
    metres: Any = 0.0 if exact else [own if own is not None else one for one in tolerances or [0.0] * len(points)]
    tags = _tags(held, lon, lat, options, metres)
    texts = held.texts.of(tags, (options["on"], options["vintage"], lang))
    states = dict(zip(STATES, np.bincount(tags.positions.state, minlength=len(STATES)).tolist(), strict=True))
    about = {"on": options["on"], "points": len(texts), "states": states} | held.about(lang)
    if features is not None:
        head, texts = '{"type":"FeatureCollection","features":[', _each(_feature, points, texts)
    else:
        head = '{"rows":['
        if dict in set(map(type, points)):
            texts = _each(_named, points, texts)
    rows = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), pa.scalar(",", texts.type))[0].as_buffer()
    return (
        b"".join([head.encode(), rows, b"],", orjson.dumps(about)[1:]]),
        len(texts),
        bool(features is not None),
    )


def _each(write: Callable[[Any, str], str], points: list[Any], texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """Texts of rows, each written with its point."""
    return pa.array(list(map(write, points, texts.to_pylist())), pa.large_string())


def _columns(points: list[Any], *, of_features: bool) -> tuple[Any, Any, Sequence[float]]:
    """Longitudes, latitudes and tolerances of a JSON list of points; no tolerances where all are exact.

    Raises
    ------
    UsageError
        A point is none: all are listed.
    """
    if not of_features and set(map(type, points)) == {list} and set(map(len, points)) == {2}:
        numbers = list(chain.from_iterable(points))
        if set(map(type, numbers)) == {float}:
            # pairs of numbers are most of the long lists
            return numbers[::2], numbers[1::2], ()
    found = [
        Note("service.not_a_feature", row=row) if of_features and not _is_feature(one) else _point(row, one)
        for row, one in enumerate(points)
    ]
    wrong = [one for one in found if isinstance(one, str)]
    if wrong:
        raise UsageError(Note("service.wrong_points"), problems=wrong, way_out=Note("service.points_are"))
    lon, lat, tolerances = zip(*found, strict=True) if found else ((), (), ())
    return lon, lat, tolerances


def _is_feature(given: Any) -> bool:  # noqa: ANN401 - of a JSON
    """Whether something has properties that the tags may go to."""
    return isinstance(given, dict) and isinstance(given.get("properties") or {}, dict)


def _named(point: Any, row: str) -> str:  # noqa: ANN401 - of a JSON
    """Row with the `id` of its point."""
    if type(point) is dict and "id" in point:
        return f'{{"id":{_text(point["id"])},{row[1:]}'
    return row


def _feature(feature: dict[str, Any], row: str) -> str:
    """Feature with its own properties and its tags."""
    own = {name: value for name, value in (feature.get("properties") or {}).items() if name not in _TAGS}
    kept = {name: feature[name] for name in ("type", "id", "geometry") if name in feature}
    properties = f"{_text(own)[:-1]},{row[1:]}" if own else row
    return _text(kept | {"properties": orjson.Fragment(properties)})


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        # what is read may be deeper than what is written
        raise UsageError(Note("service.too_deep"), way_out=Note("service.points_are")) from error


def _tags(held: Held, lon: Any, lat: Any, options: Options, tolerance: Any) -> PointTags:  # noqa: ANN401
    given = np.asarray(tolerance, dtype=float) if isinstance(tolerance, list) else tolerance
    return held.index.tag(
        np.asarray(lon, dtype=float),
        np.asarray(lat, dtype=float),
        on=options["on"],
        vintage=options["vintage"],
        tolerance_m=given,
    )


def _point(row: int, given: Any) -> tuple[float, float, float] | str:  # noqa: ANN401 - of a JSON
    """Longitude, latitude and tolerance of a point, missing as NaN; or what is wrong with it."""
    more: Any = {}
    if isinstance(given, dict) and "geometry" in given:
        shape, more = given["geometry"], given.get("properties") or {}
        if shape is None:
            pair: Any = (None, None)
        elif isinstance(shape, dict) and shape.get("type") == "Point":
            pair = shape.get("coordinates")
        else:
            return Note("service.not_a_point", row=row)
    elif isinstance(given, dict):
        if not {"lon", "lat"} <= given.keys():
            return Note("service.without_lon_lat", row=row)
        pair, more = (given["lon"], given["lat"]), given
    else:
        pair = given
    if not isinstance(pair, list | tuple) or not 2 <= len(pair) <= 3 or not isinstance(more, dict):
        return Note("service.not_a_point", row=row)
    numbers = [_number(one) for one in (*pair[:2], more.get("tolerance_m"), _score(more))]
    if any(one is None for one in numbers):
        return Note("service.not_numbers", row=row)
    lon, lat, own, score = (math.nan if one is None else one for one in numbers)
    kind = more.get("result_type")
    tolerance = tolerance_of(
        None if math.isnan(own) else own,
        None if kind is None else str(kind)[:_SHOWN],
        None if math.isnan(score) else score,
    )
    return lon, lat, tolerance


def _score(more: dict[str, Any]) -> Any:  # noqa: ANN401 - of a JSON
    return more.get("result_score")


def _number(value: Any) -> float | None:  # noqa: ANN401 - of a JSON
    """Number of a JSON, NaN for null; None for anything else."""
    if value is None:
        return math.nan
    # true is a number to Python
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
