"""What the answers about points have in common, in words: counts that a reader of single rows would miss.

Counts of the parts of a file add up to those of the whole.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyproj

from qpvgeo.places import Coordinates, Places, number

__all__ = ["Counted", "counted", "crs_name"]


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
