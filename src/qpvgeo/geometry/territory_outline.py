"""Which points lie outside a territory, by an outline drawn by hand off its coast and along its land border.

Bounding boxes of territories include Brussels, Albina, Philipsburg and open sea; such points must be "outside France",
not "out of a QPV".

The plane is cut into cells of some kilometres, each wholly within the outline, wholly outside it, or crossed by it;
only for a point in a crossed cell are the edges counted that lie east of the point. Points in a rectangle of cells that
are all within need not be looked at one by one.

Source: the table `outlines` of the facts. It is coarse, and errs on the side of France: a point just over the border
or off the coast may lie within. Measured all along it, the distance to the nearest commune has a median of 3.8 km and a
greatest value of 11.4 km around the hexagone and Corsica. Overseas the median is 1.7 km (Saint-Martin) to 6.5 km
(Nouvelle-Calédonie) and the greatest value 4.2 to 22.7 km; in French Polynesia, where some atolls are missing from the
communes measured, 9.4 and 102 km. Along land borders it is some hundred metres to some kilometres: most of Monaco and
the Pas de la Case lie within, Geneva, Basel and Andorra la Vella beyond.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from qpvgeo import facts
from qpvgeo.geometry.edges import cut, edges_of
from qpvgeo.geometry.point_location import expand
from qpvgeo.geometry.projection import DEGREES, in_degrees, reproject

__all__ = ["TerritoryOutline", "outline_of"]

_ACROSS = 256
"""Cells in a row, and in a column: small enough a table to stay in the cache."""

_STRAIGHT_DEG = 0.05
"""Length over which an edge that is straight in degrees strays by less than a metre in a projection."""

_WITHIN, _BEYOND, _CROSSED = range(3)

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class TerritoryOutline:
    """The outline of a territory in one projection, indexed for points; `outline_of` makes it.

    Attributes
    ----------
    corner
        Easting and northing of the south-west corner of the cells.
    per_unit
        Cells in a unit of the projection, eastwards and northwards.
    cells
        Class of each cell, row by row.
    edges
        Columns for each edge, in cells: easting and northing of its start, easting for each northing, end northing.
    start, held
        The edges that reach into a row of cells are `held[start[row]:start[row + 1]]`.
    below
        How many of the cells south and west of each corner of cells are not wholly within.
    """

    corner: tuple[float, float]
    per_unit: tuple[float, float]
    cells: npt.NDArray[np.int8]
    edges: Floats
    start: Rows
    held: Rows
    below: npt.NDArray[np.int32]

    def beyond(self, x: Floats, y: Floats) -> Rows:
        """Positions of the points that lie beyond the outline; what is not finite does."""
        right, up = x - self.corner[0], y - self.corner[1]
        with np.errstate(over="ignore"):
            # what is too large becomes infinite, and lies beyond
            right *= self.per_unit[0]
            up *= self.per_unit[1]
        if not len(x):
            return np.empty(0, np.intp)
        west, east, south, north = right.min(), right.max(), up.min(), up.max()
        # no comparison holds for what is not a number
        if west >= 0 and east < _ACROSS and south >= 0 and north < _ACROSS:
            if self._within(int(west), int(south), int(east) + 1, int(north) + 1):
                return np.empty(0, np.intp)
        else:
            # the corner is beyond
            there = (right >= 0) & (right < _ACROSS) & (up >= 0) & (up < _ACROSS)
            right, up = np.where(there, right, 0), np.where(there, up, 0)
        at = up.astype(np.int32)
        at *= np.int32(_ACROSS)
        at += right.astype(np.int32)
        cell = self.cells.take(at)
        rows: Rows = np.flatnonzero(cell)
        if not len(rows):
            return rows
        crossed = cell[rows] == _CROSSED
        kept = ~crossed
        near = rows[crossed]
        kept[crossed] = ~_within(self.edges, self.start, self.held, right[near], up[near])
        lost: Rows = rows[kept]
        return lost

    def holds(self, x: float, y: float) -> bool:
        """Whether one point lies within the outline: as `beyond`, without arrays where its cell tells."""
        right, up = (x - self.corner[0]) * self.per_unit[0], (y - self.corner[1]) * self.per_unit[1]
        if not (0 <= right < _ACROSS and 0 <= up < _ACROSS):
            return False
        cell = self.cells.item(int(up) * _ACROSS + int(right))
        if cell == _CROSSED:
            return not len(self.beyond(np.array([x]), np.array([y])))
        return cell == _WITHIN

    def _within(self, west: int, south: int, east: int, north: int) -> bool:
        """Whether all the cells between some columns and rows are wholly within."""
        corners = self.below[north, east] + self.below[south, west]
        return bool(corners == self.below[north, west] + self.below[south, east])


def outline_of(territory: str, crs: Any = DEGREES) -> TerritoryOutline:  # noqa: ANN401 - any CRS that pyproj reads
    """Outline of a territory in the projection of points; what is in degrees is taken for WGS 84.

    Parameters
    ----------
    territory
        Code of a territory; `99` is the box around the island of the sample.
    crs
        CRS of the points.

    Examples
    --------
    >>> outline_of("hexagone").beyond(np.array([3.06, 4.35, -3.0]), np.array([50.63, 50.85, 45.0])).tolist()
    [1, 2]
    >>> outline_of("978").beyond(np.array([-63.085, -63.05]), np.array([18.067, 18.026])).tolist()
    [1]
    """
    if isinstance(crs, int) and crs == DEGREES:
        return _made(territory, "")
    known = pyproj.CRS.from_user_input(crs)
    return _made(territory, "" if in_degrees(known) else known.to_wkt())


@lru_cache(maxsize=64)
def _made(territory: str, wkt: str) -> TerritoryOutline:
    rings: dict[str, list[tuple[float, float]]] = {}
    for row in facts.rows("outlines"):
        if row["territory"] == territory:
            rings.setdefault(row["ring"], []).append((float(row["lon"]), float(row["lat"])))
    drawn = shapely.segmentize([shapely.Polygon(ring) for ring in rings.values()], _STRAIGHT_DEG)
    shapes = reproject(drawn, DEGREES, wkt) if wkt else drawn
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    # a rim of a cell is beyond
    per_unit = (_ACROSS - 2) / (east - west), (_ACROSS - 2) / (north - south)
    corner = west - 1 / per_unit[0], south - 1 / per_unit[1]
    found = edges_of(shapes)
    x0, x1 = ((axis - corner[0]) * per_unit[0] for axis in (found.x0, found.x1))
    y0, y1 = ((axis - corner[1]) * per_unit[1] for axis in (found.y0, found.y1))
    slope = np.divide(x1 - x0, y1 - y0, out=np.zeros(len(x0)), where=y1 != y0)
    edges = np.stack([x0, y0, slope, y1])
    low, high = (np.floor(end(y0, y1)).astype(np.int64) for end in (np.minimum, np.maximum))
    edge, reached = expand(low, high + 1)
    held = edge[np.argsort(reached, kind="stable")]
    start = np.searchsorted(np.sort(reached), np.arange(_ACROSS + 1))

    _, xa, ya, xb, yb = cut(x0, y0, x1, y1)
    cells = np.full((_ACROSS, _ACROSS), _CROSSED, np.int8)
    crossed = np.zeros(cells.shape, dtype=bool)
    crossed[np.floor((ya + yb) / 2).astype(int), np.floor((xa + xb) / 2).astype(int)] = True
    up, right = np.nonzero(~crossed)
    middle: tuple[Floats, Floats] = np.add(right, 0.5, dtype=np.float64), np.add(up, 0.5, dtype=np.float64)
    cells[~crossed] = np.where(_within(edges, start, held, *middle), _WITHIN, _BEYOND)
    below = np.zeros((_ACROSS + 1, _ACROSS + 1), np.int32)
    below[1:, 1:] = (cells != _WITHIN).cumsum(axis=0).cumsum(axis=1)
    return TerritoryOutline(corner, per_unit, cells.ravel(), edges, start, held, below)


def _within(edges: Floats, start: Rows, held: Rows, right: Floats, up: Floats) -> npt.NDArray[np.bool_]:
    """Whether points, in cells, lie within the outline: an odd number of edges lies east of them."""
    row = up.astype(np.intp)
    point, at = expand(start[row], start[row + 1])
    x0, y0, slope, y1 = edges[:, held[at]]
    y = up[point]
    east = ((y0 > y) != (y1 > y)) & (right[point] < x0 + (y - y0) * slope)
    odd: npt.NDArray[np.bool_] = np.bincount(point, east, len(up)) % 2 == 1
    return odd
