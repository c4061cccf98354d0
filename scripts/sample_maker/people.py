"""Where people live: one fictional truth, from which every table of people is made.

The truth is a lattice of points, 25 in each 200 m cell, each with its people, its commune and its neighbourhoods.
The grid is the truth gathered by cell, so it blurs the limits of the neighbourhoods as the published grid does;
the published populations are the truth gathered by outline.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sample_maker.chance import between
from sample_maker.place import COMMUNES, commune_shape
from sample_maker.plane import EUROPE, at, inside_shape, lonlat, to_lambert
from sample_maker.quarters import QPV_2015, QPV_2024, Quarter

__all__ = ["MUNICIPAL", "Truth", "census", "census_by_commune", "truth"]

CELL_M = 200
STEPS_M = (20, 60, 100, 140, 180)
UNIT = 1_000_000  # people are counted in millionths, whole, so that sums are exact
MUNICIPAL = 1.065  # people of the census for one person of the tax files, as in towns of this size
EMPTY_BELOW = 790.0  # inhabitants per km2 under which a cell of the countryside may be empty

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Truth:
    """The lattice: cell corners in EPSG:3035, people in millionths, commune and neighbourhood ranks or -1."""

    northing_m: Whole
    easting_m: Whole
    people: Whole
    commune: Whole
    qpv_2015: Whole
    qpv_2024: Whole


def _lattice() -> tuple[Whole, Whole, Whole, Whole]:
    """Give the cell corners (northing, easting) and the Lambert-93 places of every lattice point."""
    corners = [EUROPE(*lonlat(at(x, y))) for x in (-8500, 8500) for y in (-6500, 6500)]
    lowest = [int(min(c[axis] for c in corners)) // 1000 * 1000 for axis in (0, 1)]
    highest = [int(max(c[axis] for c in corners)) for axis in (0, 1)]
    easting, northing, dx, dy = np.meshgrid(
        np.arange(lowest[0], highest[0], CELL_M), np.arange(lowest[1], highest[1], CELL_M), STEPS_M, STEPS_M,
        indexing="ij",
    )  # fmt: skip
    easting, northing, dx, dy = (a.ravel() for a in (easting, northing, dx, dy))
    x, y = to_lambert((easting + dx).astype(np.float64), (northing + dy).astype(np.float64))
    return northing, easting, x, y


def _ranks(quarters: list[Quarter], x: Whole, y: Whole) -> Whole:
    ranks = np.full(x.shape, -1, dtype=np.int64)
    for rank, quarter in enumerate(quarters):
        ranks[inside_shape(quarter.shape, x, y)] = rank
    return ranks


def _estate_density(quarter: Quarter) -> float:
    """Inhabitants per km2 of an estate; those that were dropped are less dense."""
    if quarter.code in {"QP099009", "QP099014"}:
        return between(5000, 6200, "estate", quarter.name)
    return between(8000, 9200, "estate", quarter.name)


def _cell_noise(northing: Whole, easting: Whole, name: str, low: float, high: float) -> NDArray[np.float64]:
    cells, place = np.unique(np.stack([northing, easting]), axis=1, return_inverse=True)
    drawn = np.array([between(low, high, name, int(n), int(e)) for n, e in cells.T])
    return drawn[place.ravel()]


def _density(northing: Whole, easting: Whole, x: Whole, y: Whole) -> NDArray[np.float64]:
    """Inhabitants per km2 outside the estates: town centres that fade, and a few farms."""
    density = np.full(x.shape, 14.0)
    for commune in COMMUNES:
        centre = at(*commune.centre)
        away = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (100 * commune.spread_m) ** 2
        density += 1.12 * commune.peak / (1 + away) ** 2
    density *= _cell_noise(northing, easting, "noise", 0.45, 1.55)
    # The countryside has empty cells: the fewer people around, the more often.
    shelter = _cell_noise(northing, easting, "empty", 0.0, 1.0) * EMPTY_BELOW
    return np.where(density < shelter, 0.0, density)


@cache
def truth() -> Truth:
    """Make the lattice; points at sea are left out."""
    northing, easting, x, y = _lattice()
    commune = np.full(x.shape, -1, dtype=np.int64)
    for rank, each in enumerate(COMMUNES):
        commune[inside_shape(commune_shape(each), x, y)] = rank
    land = commune >= 0
    northing, easting, x, y, commune = (a[land] for a in (northing, easting, x, y, commune))
    old, new = _ranks(QPV_2015, x, y), _ranks(QPV_2024, x, y)
    density = _density(northing, easting, x, y)
    noise = _cell_noise(northing, easting, "estate noise", 0.75, 1.25)
    for quarters, ranks in ((QPV_2024, new), (QPV_2015, old)):
        for rank, quarter in enumerate(quarters):
            here = ranks == rank
            density[here] = _estate_density(quarter) * noise[here]
    people = np.rint(density * (40 * 40 / 1e6) * UNIT).astype(np.int64)
    return Truth(northing, easting, people, commune, old, new)


def _municipal(people: Whole, *name: object) -> int:
    return round(int(people.sum()) / UNIT * MUNICIPAL * between(0.985, 1.015, "census", *name))


def census() -> tuple[dict[str, int], dict[str, int]]:
    """Give the population of each commune, and of each neighbourhood of 2015 (census of 2013)."""
    points = truth()
    communes = {c.code: _municipal(points.people[points.commune == r], c.code) for r, c in enumerate(COMMUNES)}
    old = {q.code: _municipal(points.people[points.qpv_2015 == r], q.code) for r, q in enumerate(QPV_2015)}
    return communes, old


def census_by_commune() -> dict[str, dict[str, int]]:
    """Give the population of each neighbourhood of 2024 in each commune it is published under.

    The people of a sliver in a commune that is not named go to the first commune named.
    """
    points = truth()
    table: dict[str, dict[str, int]] = {}
    for rank, quarter in enumerate(QPV_2024):
        inside = points.qpv_2024 == rank
        parts = {}
        for code in quarter.communes[1:]:
            there = inside & (points.commune == [c.code for c in COMMUNES].index(code))
            parts[code] = _municipal(points.people[there], quarter.code, code)
            inside &= ~there
        table[quarter.code] = {quarter.communes[0]: _municipal(points.people[inside], quarter.code), **parts}
    return table
