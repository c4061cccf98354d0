"""Territory of points, or the reason why they have none.

Values may be missing, infinite, outside France, or have latitude and longitude swapped: every row gets a territory or a
reason.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyproj

from qpvgeo.codes import territories
from qpvgeo.geometry.parallel import in_chunks
from qpvgeo.geometry.projection import (
    DEGREES,
    System,
    in_degrees,
    in_use,
    looks_swapped,
    returns,
    to_degrees,
    transformer,
)
from qpvgeo.geometry.territory_outline import TerritoryOutline, outline_of
from qpvgeo.tagging.coordinates import Coordinates, Floats

__all__ = ["REASONS", "Places", "number", "place"]

REASONS = (
    "no coordinates",
    "coordinates are not numbers",
    "not finite",
    "latitude and longitude look swapped",
    "outside France",
    "location too coarse",
    "near the boundary",
    "no perimeters of this territory",
    "no perimeters of the geography of that day",
    "geography of that day not known",
    "row cannot be read",
    "outline lost in repair",
    "commune and place disagree",
    "projection not known",
)
"""Why a point is neither in nor out. Their numbers, from 1, stand in `Places.reason`; 0 is none."""

_BORDER_POINTS = 101

Bytes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Places:
    """Territory of points.

    Attributes
    ----------
    codes
        Territories that hold at least one point.
    territory
        Position in `codes` for each point; -1 for none.
    reason
        Position in `REASONS` plus 1; 0 for a point that is placed.
    """

    codes: tuple[str, ...]
    territory: Bytes
    reason: Bytes


def number(reason: str) -> int:
    """Number that stands for a reason."""
    return REASONS.index(reason) + 1


def place(points: Coordinates, *, fictional: bool = False) -> Places:
    """Territory of each point, or why it has none.

    Parameters
    ----------
    points
        Coordinates.
    fictional
        Whether to place among fictional perimeters: the island of the sample, which no real point lies on, is then the
        one place that has a territory, and a point in France has no perimeters of its own.

    Examples
    --------
    >>> from qpvgeo.tagging.coordinates import coordinates_of
    >>> found = place(coordinates_of(([3.06, 50.63, 0.0, float("nan")], [50.63, 3.06, 0.0, 48.0]), crs=4326))
    >>> found.codes, [REASONS[reason - 1] if reason else "" for reason in found.reason]
    (('hexagone',), ['', 'latitude and longitude look swapped', 'outside France', 'no coordinates'])
    """
    known = list(territories.territories())
    territory, reason = np.full(len(points.x), -1, np.int8), np.zeros(len(points.x), np.int8)
    near = None if fictional else _near(System(points.crs))

    def look(rows: slice) -> npt.NDArray[np.intp]:
        """Place the points of the territory that is near; positions of the others."""
        assert near is not None  # noqa: S101 - without one it is not called
        x, y = points.x[rows], points.y[rows]
        territory[rows].fill(near.territory)
        others = near.border.beyond(x, y)
        lost = near.holds(x[others], y[others])
        others += rows.start
        territory[others], reason[others[lost]] = -1, number("outside France")
        return others[~lost]

    others = None if near is None else np.concatenate([np.empty(0, np.intp), *in_chunks(look, len(points.x))])

    def judge(rows: slice) -> set[int]:
        some = rows if others is None else others[rows]
        found, reason[some] = _judged(points.x[some], points.y[some], known, points.crs, fictional=fictional)
        territory[some] = found
        return set(np.unique(found).tolist())

    found = set().union(*in_chunks(judge, len(points.x) if others is None else len(others)))
    if near is not None and (territory == near.territory).any():
        found.add(near.territory)
    there = sorted(found - {-1})
    reason[points.unread] = number("coordinates are not numbers")
    if points.unprojected is not None:
        reason[points.unprojected] = number("projection not known")
    if points.broken is not None:
        reason[points.broken], territory[points.broken] = number("row cannot be read"), -1
    if there != list(range(len(there))):
        renumber = np.full(len(known) + 1, -1, np.int8)
        renumber[there] = range(len(there))

        def numbered(rows: slice) -> None:
            territory[rows] = renumber[territory[rows]]

        in_chunks(numbered, len(territory))
    return Places(tuple(known[position] for position in there), territory, reason)


@dataclass(frozen=True, slots=True)
class _Near:
    """The territory in which a point of a projection lies, most often.

    Attributes
    ----------
    territory
        Its number.
    border
        Its outline: a point within need not be taken to degrees to be known.
    box
        West, south, east, north of a box that lies within its degrees: a point of it beyond the border is abroad or at
        sea, and in no other territory.
    """

    territory: int
    border: TerritoryOutline
    box: tuple[float, float, float, float]

    def holds(self, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Whether points lie in the box."""
        west, south, east, north = self.box
        found: npt.NDArray[np.bool_] = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        return found


@lru_cache(maxsize=64)
def _near(system: System) -> _Near | None:
    """Territory that a projection is made for; None where it is shared."""
    found = _box_of(system.crs)
    if found is None:
        return None
    code, *box = found
    return _Near(
        list(territories.territories()).index(code), outline_of(code, system.crs), (box[0], box[1], box[2], box[3])
    )


def _judged(x: Floats, y: Floats, known: list[str], crs: pyproj.CRS, *, fictional: bool) -> tuple[Bytes, Bytes]:
    """Territory, by number, and reason of points that are not plainly inside one."""
    territory, reason = np.full(len(x), -1, np.int8), np.zeros(len(x), np.int8)
    missing, finite = np.isnan(x) | np.isnan(y), np.isfinite(x) & np.isfinite(y)
    reason[~finite] = number("not finite")
    reason[missing] = number("no coordinates")
    rows = np.flatnonzero(finite)
    x, y = x[rows], y[rows]
    lon, lat = to_degrees(x, y, crs)
    found = _boxed(lon, lat, known)
    away = np.flatnonzero((found >= 0) & ~in_use(lon, lat, crs))
    found[away[~returns(x[away], y[away], crs)]] = -1
    _keep_within(found, lon, lat, known)
    lost, why = np.flatnonzero(found < 0), np.zeros(len(found), np.int8)
    swapped = looks_swapped(x[lost], y[lost], crs)
    why[lost] = np.where(swapped, number("latitude and longitude look swapped"), number("outside France"))
    if fictional:
        real, island = found >= 0, np.ones(len(found), dtype=bool)
        island[outline_of(territories.SAMPLE).beyond(lon, lat)] = False
        found[real], why[real] = -1, number("no perimeters of this territory")
        found[island], why[island] = known.index("hexagone"), 0
    territory[rows], reason[rows] = found, why
    return territory, reason


def _keep_within(found: Bytes, lon: Floats, lat: Floats, known: list[str]) -> None:
    """Take their territory, by number, from the points that lie beyond its outline."""
    for position, many in enumerate(np.bincount(found + 1, minlength=len(known) + 1)[1:].tolist()):
        if many == len(found):
            found[outline_of(known[position]).beyond(lon, lat)] = -1
        elif many:
            here = np.flatnonzero(found == position)
            found[here[outline_of(known[position]).beyond(lon[here], lat[here])]] = -1


def _boxed(lon: Floats, lat: Floats, known: list[str]) -> Bytes:
    """Number of the territory whose box holds each point, in degrees; -1 for none."""
    found = np.full(len(lon), -1, np.int8)
    for position, code in enumerate(known):
        bounds = territories.get(code).bounds
        if bounds is not None:
            west, south, east, north = bounds
            found[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)] = position
    return found


def _box_of(crs: pyproj.CRS) -> tuple[str, float, float, float, float] | None:
    """Territory that a projection is the legal one of, and a box of metres that lies within its degrees.

    Of degrees it is the box of the hexagone. None where the projection is shared.
    """
    if in_degrees(crs):
        bounds = territories.get("hexagone").bounds
        return None if bounds is None else ("hexagone", *bounds)
    epsg = crs.to_epsg()
    of = [
        one for one in territories.territories().values() if one.epsg == epsg and one.bounds and not crs.is_geographic
    ]
    if len(of) != 1 or of[0].bounds is None:
        return None
    west, south, east, north = of[0].bounds
    move = transformer(DEGREES, crs).transform
    across, up = np.linspace(west, east, _BORDER_POINTS), np.linspace(south, north, _BORDER_POINTS)
    left, right = move(np.full_like(up, west), up)[0].max(), move(np.full_like(up, east), up)[0].min()
    low, high = move(across, np.full_like(across, south))[1].max(), move(across, np.full_like(across, north))[1].min()
    return of[0].code, float(left), float(low), float(right), float(high)
