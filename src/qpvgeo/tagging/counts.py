"""What the answers about points have in common, in words: counts that a reader of single rows would miss.

Counts of the parts of a file add up to those of the whole.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj

from qpvgeo.tagging.coordinates import Coordinates
from qpvgeo.tagging.options import STATES, band_name
from qpvgeo.tagging.placement import Places, number

__all__ = ["Counted", "TagCounts", "counted", "crs_name", "with_counted"]


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of points.

    Attributes
    ----------
    located
        Points that have coordinates.
    outside
        Those that lie outside France.
    other_unit
        Those of them whose coordinates look like degrees in a projection in metres, or the reverse.
    no_distance
        Tolerances that are missing, below zero or no number.
    beyond_reach
        Tolerances beyond what can be told.
    """

    located: int = 0
    outside: int = 0
    other_unit: int = 0
    no_distance: int = 0
    beyond_reach: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        """Counts of both."""
        return Counted(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def notes(self, crs: pyproj.CRS, reach: float) -> list[str]:
        """Counts in words: points most of which lie outside France, tolerances that say nothing.

        Parameters
        ----------
        crs
            That of the points.
        reach
            Greatest distance that could be told, metres.

        Examples
        --------
        >>> Counted(located=3, outside=3, other_unit=3).notes(pyproj.CRS(2154), 500.0)
        ['3 of 3 points lie outside France: crs=EPSG:2154 says metres and the values look like degrees']
        """
        found = []
        if 2 * self.outside > self.located:
            units = ("degrees", "metres") if crs.is_geographic else ("metres", "degrees")
            why = (
                f": crs={crs_name(crs)} says {units[0]} and the values look like {units[1]}"
                if 2 * self.other_unit > self.outside
                else f", where crs={crs_name(crs)} puts them"
            )
            found.append(f"{self.outside:,} of {self.located:,} points lie outside France{why}")
        if self.no_distance:
            told = "that is no distance (missing, below zero, no number): too coarse"
            found.append(f"{_have(self.no_distance)} a tolerance {told}")
        if self.beyond_reach:
            told = f"beyond the {reach:,.15g} m that can be told: too coarse"
            found.append(f"{_have(self.beyond_reach)} a tolerance {told}")
        return found


def counted(found: Coordinates, places: Places, *, no_distance: int, beyond_reach: int) -> Counted:
    """Counts of some points, once they have a place."""
    if not places.reason.any():
        return Counted(len(found.x), no_distance=no_distance, beyond_reach=beyond_reach)
    unplaced = sum(
        int(np.count_nonzero(places.reason == number(reason)))
        for reason in ("no coordinates", "coordinates are no numbers", "not finite")
    )
    lost = np.flatnonzero(places.reason == number("outside France"))
    like_degrees = (np.abs(found.x[lost]) <= 180) & (np.abs(found.y[lost]) <= 90)
    other = ~like_degrees if found.crs.is_geographic else like_degrees
    return Counted(len(found.x) - unplaced, len(lost), int(other.sum()), no_distance, beyond_reach)


def crs_name(crs: Any) -> str:  # noqa: ANN401 - whatever pyproj reads
    """Short name of a projection."""
    known = pyproj.CRS.from_user_input(crs)
    epsg = known.to_epsg()
    return known.name if epsg is None else f"EPSG:{epsg}"


def _have(many: int) -> str:
    return f"{many:,} points have" if many > 1 else "1 point has"


_COUNTED = b"counted"


def with_counted(tags: pa.RecordBatch, counted: Mapping[str, int]) -> pa.RecordBatch:
    """Tags that carry what was counted of their rows."""
    return tags.replace_schema_metadata({_COUNTED: json.dumps(dict(counted))})


class TagCounts:
    """How many rows have which tags.

    Parameters
    ----------
    names
        Columns of the tags.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.rows = self.resumed = self.old_lines = 0
        self.counted = Counted()
        self._suffixes = [name.removeprefix("state") for name in names if name.startswith("state")]
        self._of = {name: dict[str, int]() for name in names if name.startswith(("state", "reason", "band"))}

    def add(self, tags: pa.RecordBatch) -> None:
        """Count some rows more."""
        self.rows += tags.num_rows
        self.counted += Counted(**json.loads((tags.schema.metadata or {}).get(_COUNTED, json.dumps(asdict(Counted())))))
        for name, counts in self._of.items():
            column = tags.column(name)
            places = column.indices.drop_null().to_numpy()
            found = np.bincount(places, minlength=len(column.dictionary)).tolist()
            for label, count in zip(column.dictionary.to_pylist(), found, strict=True):
                if count:
                    counts[label] = counts.get(label, 0) + count

    def answer(self, bands: Sequence[float]) -> dict[str, Any]:
        """Counts by state, band and reason: those of the last vintage, and of each where there are several."""
        each = {suffix: self._one(suffix, bands) for suffix in self._suffixes}
        found = {"rows": self.rows, **each[self._suffixes[-1]]}
        if len(each) > 1:
            found["by_vintage"] = {suffix.removeprefix("_"): counts for suffix, counts in each.items()}
        return found

    def notes(self, crs: Any, reach: float) -> list[str]:  # noqa: ANN401 - whatever pyproj reads
        """What the rows have in common, in words: see `Counted.notes`; lines of a CSV in an old encoding."""
        notes = self.counted.notes(pyproj.CRS.from_user_input(crs), reach)
        if self.old_lines:
            are, were = ("s are", "were") if self.old_lines > 1 else (" is", "was")
            notes.append(f"{self.old_lines:,} line{are} not UTF-8 and {were} read as cp1252")
        return notes

    def _one(self, suffix: str, bands: Sequence[float]) -> dict[str, Any]:
        states, reasons = self._of[f"state{suffix}"], self._of[f"reason{suffix}"]
        within = self._of.get(f"band{suffix}", {})
        return {
            "states": {state: states.get(state, 0) for state in STATES},
            "bands": {band_name(band): within.get(f"within {band_name(band)} m", 0) for band in bands},
            "reasons": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        }
