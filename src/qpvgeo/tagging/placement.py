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
from qpvgeo.geometry.projection import DEGREES, System, in_degrees, in_use, looks_swapped, returns, to_degrees
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
Box = tuple[int, float, float, float, float]


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
    near, border = (None, None) if fictional else _near(System(points.crs))

    def look(rows: slice) -> set[int]:
        x, y = points.x[rows], points.y[rows]
        part, why = territory[rows], reason[rows]
        others = _in_box(near, x, y, part)
        lost = np.empty(0, np.intp)
        if border is not None:
            here = np.flatnonzero(part >= 0) if len(others) else None
            lost = border.beyond(x, y) if here is None else here[border.beyond(x[here], y[here])]
            part[lost], why[lost] = -1, number("outside France")
        if len(others):
            part[others], why[others] = _judged(x[others], y[others], known, points.crs, fictional=fictional)
        return set(np.unique(part).tolist()) if len(others) or len(lost) else {int(part[0])}

    there = sorted(set().union(*in_chunks(look, len(points.x))) - {-1})
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


@lru_cache(maxsize=64)
def _near(system: System) -> tuple[Box | None, TerritoryOutline | None]:
    """Box in which a point of a projection lies, most often, its territory by number first; and the border of it."""
    box = _box_of(system.crs)
    if box is None:
        return None, None
    return (list(territories.territories()).index(box[0]), *box[1:]), outline_of(box[0], system.crs)


def _in_box(near: Box | None, x: Floats, y: Floats, territory: Bytes) -> npt.NDArray[np.intp]:
    """Give the points of a box the number of its territory; positions of the others."""
    if near is None:
        return np.arange(len(x))
    code, west, south, east, north = near
    # no comparison holds for what is not a number
    if west <= x.min() and x.max() <= east and south <= y.min() and y.max() <= north:
        territory.fill(code)
        return np.empty(0, np.intp)
    own = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    territory[own] = code
    return np.flatnonzero(~own)


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

    Most points fall in it, and need not be taken to degrees to be known. Of degrees it is the box of the hexagone. None
    where the projection is shared.
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
    move = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True).transform
    across, up = np.linspace(west, east, _BORDER_POINTS), np.linspace(south, north, _BORDER_POINTS)
    left, right = move(np.full_like(up, west), up)[0].max(), move(np.full_like(up, east), up)[0].min()
    low, high = move(across, np.full_like(across, south))[1].max(), move(across, np.full_like(across, north))[1].min()
    return of[0].code, float(left), float(low), float(right), float(high)
