"""Data-set level warnings: most points outside France, unusable tolerances; and counts of tags.

Counts of the batches of a file add up to those of the file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyproj

from qpvgeo.language import Note
from qpvgeo.tagging.coordinates import Coordinates
from qpvgeo.tagging.options import STATES, band_name, within
from qpvgeo.tagging.placement import Places, number

__all__ = ["Counted", "TagCounts", "counted", "crs_name", "tested"]


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
        Tolerances that are missing, negative or not numbers.
    beyond_reach
        Tolerances beyond the greatest distance measured.
    by_commune, by_department, by_territory
        Codes of communes tested against the place, by what was compared.
    elsewhere
        Those that disagree with it.
    """

    located: int = 0
    outside: int = 0
    other_unit: int = 0
    no_distance: int = 0
    beyond_reach: int = 0
    by_commune: int = 0
    by_department: int = 0
    by_territory: int = 0
    elsewhere: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        """Counts of both."""
        return Counted(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def notes(self, crs: pyproj.CRS, reach: float) -> list[str]:
        """Counts as notes: most points outside France, unusable tolerances.

        Parameters
        ----------
        crs
            That of the points.
        reach
            Greatest distance measured, metres.

        Examples
        --------
        >>> Counted(located=3, outside=3, other_unit=3).notes(pyproj.CRS(2154), 500.0)
        ['3 of 3 points lie outside France: crs=EPSG:2154 is in metres and the values look like degrees']
        """
        found: list[str] = []
        if 2 * self.outside > self.located:
            key = "tagging.outside_france"
            if 2 * self.other_unit > self.outside:
                key = "tagging.degrees_as_metres" if not crs.is_geographic else "tagging.metres_as_degrees"
            found.append(Note(key, count=self.outside, located=self.located, crs=crs_name(crs)))
        if self.no_distance:
            found.append(Note("tagging.unusable_tolerances", count=self.no_distance))
        if self.beyond_reach:
            found.append(Note("tagging.tolerances_beyond", count=self.beyond_reach, reach=reach))
        compared = self.by_commune + self.by_department + self.by_territory
        if compared or self.elsewhere:
            found.append(
                Note(
                    "tagging.commune_tested",
                    count=compared,
                    by_commune=self.by_commune,
                    by_department=self.by_department,
                    by_territory=self.by_territory,
                )
            )
        if self.elsewhere:
            found.append(Note("tagging.commune_differs", count=self.elsewhere))
        return found


def tested(check: npt.NDArray[np.int8]) -> Counted:
    """Counts of the tests of codes of communes."""
    each = np.bincount(check[check >= 0] // 2, minlength=3).tolist()
    return Counted(
        by_commune=each[0],
        by_department=each[1],
        by_territory=each[2],
        elsewhere=int(((check > 0) & (check % 2 == 1)).sum()),
    )


def counted(found: Coordinates, places: Places, *, no_distance: int, beyond_reach: int) -> Counted:
    """Counts of some points, once they have a place."""
    if not places.reason.any():
        return Counted(len(found.x), no_distance=no_distance, beyond_reach=beyond_reach)
    unplaced = np.flatnonzero(places.reason)
    why = places.reason[unplaced]
    lost = unplaced[why == number("outside France")]
    nowhere = sum(
        int(np.count_nonzero(why == number(reason)))
        for reason in (
            "no coordinates",
            "coordinates are not numbers",
            "not finite",
            "row cannot be read",
            "projection not known",
        )
    )
    like_degrees = (np.abs(found.x[lost]) <= 180) & (np.abs(found.y[lost]) <= 90)
    other = ~like_degrees if found.crs.is_geographic else like_degrees
    return Counted(len(found.x) - nowhere, len(lost), int(other.sum()), no_distance, beyond_reach)


def crs_name(crs: Any) -> str:  # noqa: ANN401 - whatever pyproj reads
    """Short name of a projection."""
    known = pyproj.CRS.from_user_input(crs)
    epsg = known.to_epsg()
    return known.name if epsg is None else f"EPSG:{epsg}"


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

    def add(self, tags: pa.RecordBatch, counted: Counted) -> None:
        """Add the counts of a batch."""
        self.rows += tags.num_rows
        self.counted += counted
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
        """Notes on all rows: see `Counted.notes`; lines of a CSV in an old encoding."""
        notes = self.counted.notes(pyproj.CRS.from_user_input(crs), reach)
        if self.old_lines:
            notes.append(Note("tagging.old_lines", count=self.old_lines))
        return notes

    def _one(self, suffix: str, bands: Sequence[float]) -> dict[str, Any]:
        states, reasons = self._of[f"state{suffix}"], self._of[f"reason{suffix}"]
        counts = self._of.get(f"band{suffix}", {})
        return {
            "states": {state: states.get(state, 0) for state in STATES},
            "bands": {band_name(band): counts.get(within(band), 0) for band in bands},
            "reasons": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        }
