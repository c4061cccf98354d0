"""JSON of the tags of many points, put together from texts kept: of rows alike only the distance differs."""

from typing import Any

import numpy as np
import orjson

from qpvgeo.language import term
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
    >>> [orjson.loads(text)["state"] for text in RowTexts().of(tags, ("", 2024, "en"))]
    ['out', 'unknown']
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], dict[Any, tuple[str, str]]] = {}

    def of(self, tags: PointTags, asked: tuple[Any, ...]) -> list[str]:
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
        positions, codes = tags.positions, [*tags.places.codes, None]
        columns = (positions.state, positions.reason, positions.held_by, positions.nearest, positions.band)
        keys: list[tuple[Any, ...]] = list(
            zip(
                *(column.tolist() for column in columns),
                [codes[at] for at in tags.places.territory.tolist()],
                strict=True,
            )
        )
        for row, others in positions.also.by_row():
            keys[row] = (*keys[row], *others.tolist())
        fresh = {key: row for row, key in enumerate(keys) if key not in kept}
        if fresh:
            told = tags.taken(list(fresh.values())).rows()
            kept.update(zip(fresh, (_parts(row, asked[-1]) for row in told), strict=True))
        if not keys:
            return []
        # written together, several times faster than one by one; a missing one is null
        metres = orjson.dumps(np.ascontiguousarray(positions.distance_m), option=orjson.OPT_SERIALIZE_NUMPY)
        return [
            f"{before}{text}{after}"
            for (before, after), text in zip(map(kept.__getitem__, keys), metres[1:-1].decode().split(","), strict=True)
        ]


def _parts(row: dict[str, Any], lang: str) -> tuple[str, str]:
    """Text before the distance, and after it."""
    text = orjson.dumps(said(row, lang) | {"distance_m": orjson.Fragment(_HERE)}).decode()
    before, _, after = text.partition(_HERE)
    return before, after
