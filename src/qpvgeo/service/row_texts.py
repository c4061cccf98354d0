"""JSON of the tags of many points, put together from texts kept: of rows alike only the distance differs."""

from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from qpvgeo.codes.territories import territories
from qpvgeo.language import term
from qpvgeo.tagging.placement import REASONS
from qpvgeo.tagging.plain_tags import PointTags

__all__ = ["RowTexts", "said"]

_IN = {"in": True, "out": False, "unknown": None}
_MOST = 20_000
"""Texts kept: a QPV has one for the points inside and one for each band, in each language."""

_HERE = "\x01"
"""Stands for the distance; no JSON has it as it is."""


def said(row: dict[str, Any], lang: str) -> dict[str, Any]:
    """Tags of a point, with the state as a truth value that may be missing, and the reason in words."""
    also = row["also_in"].split(", ") if row["also_in"] else []
    return {
        **row,
        "in_qpv": _IN[row["state"]],
        "perimeters": [row["qpv_code"], *also] if row["qpv_code"] else [],
        "reason_text": None if row["reason"] is None else term(row["reason"], lang),
    }


class RowTexts:
    """Texts of rows in use, by what was asked for.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> tags = qg.PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024)).tag([-3.7, 2.0], [45.9, 48.0])
    >>> [orjson.loads(text)["state"] for text in RowTexts().of(tags, ("", 2024, "en")).to_pylist()]
    ['out', 'unknown']
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], dict[Any, tuple[str, str]]] = {}

    def of(self, tags: PointTags, asked: tuple[Any, ...]) -> pa.LargeStringArray:
        """JSON object of each point.

        Parameters
        ----------
        tags
            Those of some points.
        asked
            What their perimeters depend on: the day, the vintage; then the language.
        """
        if sum(map(len, self._kept.values())) > _MOST:
            # not emptied: another thread may be reading
            self._kept = {}
        kept = self._kept.setdefault(asked, {})
        numbers, first, alike = np.unique(_numbers(tags), return_index=True, return_inverse=True)
        keys: list[Any] = numbers.tolist()
        rows: list[int] = first.tolist()
        for row, others in tags.positions.also.by_row():
            keys.append((keys[alike[row]], *others.tolist()))
            rows.append(row)
            alike[row] = len(keys) - 1
        fresh = {key: row for key, row in zip(keys, rows, strict=True) if key not in kept}
        if fresh:
            told = tags.taken(list(fresh.values())).rows()
            kept.update(zip(fresh, (_parts(row, asked[-1]) for row in told), strict=True))
        before, after = (
            pa.array([kept[key][part] for key in keys], pa.large_string()).take(pa.array(alike)) for part in (0, 1)
        )
        return pc.binary_join_element_wise(
            before, _metres(tags.positions.distance_m), after, pa.scalar("", before.type)
        )


def _numbers(tags: PointTags) -> npt.NDArray[np.int64]:
    """A number for each point: rows of one number differ in their distance alone, of an odd one in `also_in` too."""
    positions, known = tags.positions, list(territories())
    place = np.array([known.index(code) for code in tags.places.codes] + [-1])[tags.places.territory]
    many = len(tags.perimeters.labels)
    found = positions.state.astype(np.int64)
    for column, values in (
        (positions.reason, len(REASONS) + 1),
        (positions.held_by, many + 1),
        (positions.nearest, many + 1),
        (positions.band, len(tags.question.bands) + 3),
        (place, len(known) + 1),
    ):
        found = found * values + column + 1
    found *= 2
    # a point that others hold too does not stand for those that lie in its perimeter alone
    found[positions.also.rows] += 1
    return found


def _metres(distances: npt.NDArray[np.float64]) -> pa.LargeStringArray:
    """Distances as JSON, written together several times faster than one by one; a missing one is null."""
    if not len(distances):
        return pa.array([], pa.large_string())
    text = orjson.dumps(np.ascontiguousarray(distances), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].decode()
    return pc.split_pattern(pa.array([text], pa.large_string()), ",").flatten()


def _parts(row: dict[str, Any], lang: str) -> tuple[str, str]:
    """Text before the distance, and after it."""
    text = orjson.dumps(said(row, lang) | {"distance_m": orjson.Fragment(_HERE)}).decode()
    before, _, after = text.partition(_HERE)
    return before, after
