"""Exact distance from points to the nearest perimeter boundary, up to a maximum.

Around the boundaries the plane is cut into cells. Each cell keeps the few edges that may be the nearest of one of its
points: those no farther from its middle than the nearest edge is, plus the diagonal of the cell. Large cells are cut in
four, step by step, and each quarter looks at the edges of the whole only. A point is measured to the edges of its cell,
a few at a time, those nearest to the middle first, until no other can be nearer to the point.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geometry.edges import edges_of
from qpvgeo.geometry.parallel import in_chunks, in_threads, keep_memory
from qpvgeo.geometry.point_location import Floats, Frame, Ints, Longs, Shapes, expand

__all__ = ["BoundaryDistance"]

_FEWEST, _MOST = 4, 16
"""Cells in the side of the large ones that the search begins with."""

_PAIRS = 1 << 15
_POINTS = 1 << 14
"""Pairs of cell and edge searched, and points measured, together: few enough to stay in the cache."""

_AT_ONCE = 8
"""Edges that a point is measured to before it is asked whether others may be nearer."""

_SLACK_M = 1e-6
_ROUNDED_M = 1e-2
"""More than a distance within a few kilometres loses in four bytes."""

_STEPS_BITS = 16
"""Edges of a cell are sorted by their distance in so many steps, some centimetres each."""


@dataclass(frozen=True, slots=True, eq=False)
class BoundaryDistance:
    """Boundaries of areas of one projection, indexed for the nearest one; `BoundaryDistance.build` makes it.

    Attributes
    ----------
    reach
        Maximum distance in metres; nothing is returned beyond it.
    frame
        Where the tiles and cells lie.
    coarse, fine
        Number of each tile among those with a boundary within the maximum distance, or -1; number of each of their
        cells plus 1, or 0.
    start, near, far
        The edges of a cell are `near[start[number]:start[number + 1]]`, those nearest to its middle first; `far` is at
        most their distance from it, in metres.
    edges
        A column for each edge, in the order of the areas: west end, its northing, length eastwards and northwards,
        position of the area, one over the square of the length.
    """

    reach: float
    frame: Frame
    coarse: Ints
    fine: Ints
    start: Ints
    near: Ints
    far: npt.NDArray[np.float32]
    edges: Floats

    @classmethod
    def build(cls, areas: Shapes, *, reach: float, cell: float) -> "BoundaryDistance":
        """Index the boundaries of areas.

        Parameters
        ----------
        areas
            Valid polygons in metres, without a missing one. Of two at the same distance the first is nearest.
        reach
            Maximum distance in metres; nothing is returned beyond it.
        cell
            Side of the cells in metres: the smaller, the fewer edges a point is measured to and the longer it takes.
        """
        bounds = np.array(shapely.total_bounds(areas) if len(areas) else (0.0, 0.0, 0.0, 0.0))
        frame = Frame.around(bounds + np.array([-1, -1, 1, 1]) * (reach + 2 * cell * _MOST), cell)
        edges = _segments(areas)
        keys, start, near, far = _candidates(edges, frame, reach)
        return cls(reach, frame, *frame.store(keys, np.arange(1, len(keys) + 1)), start, near, far, edges)

    def nearest(self, x: Floats, y: Floats) -> tuple[Floats, Ints]:
        """Distance to the nearest boundary in metres and position of its area; NaN and -1 beyond the maximum."""
        distance, area = np.empty(len(x)), np.empty(len(x), np.int32)

        def look(rows: slice) -> None:
            distance[rows], area[rows] = np.nan, -1
            held, cell = self.frame.look_up(self.coarse, self.fine, x[rows], y[rows])
            near = np.flatnonzero(cell)
            points, cell = held[near], cell[near]
            for at in range(0, len(points), _POINTS):
                part = points[at : at + _POINTS]
                found, of = self._measured(x[rows][part], y[rows][part], cell[at : at + _POINTS] - 1)
                inside = np.flatnonzero(found <= self.reach)
                part = part[inside]
                distance[rows][part], area[rows][part] = found[inside], of[inside]

        in_chunks(look, len(x))
        return distance, area

    def _measured(self, x: Floats, y: Floats, cell: Ints) -> tuple[Floats, Ints]:
        """Distance of points to the nearest edge of their cells and position of its area; anything beyond the reach."""
        best, edge = np.full(len(x), np.inf), np.zeros(len(x), np.int32)
        rows, off = np.arange(len(x)), self._off_middle(x, y)
        at, last = self.start[cell], self.start[cell + 1] - 1
        step = np.arange(_AT_ONCE, dtype=np.int32)[:, None]
        while True:
            which = self.near.take(np.minimum(at + step, last))
            square = _squares(self.edges, which, x, y)
            least = np.minimum.reduce(square)
            # edges stand in the order of their areas: the first of the nearest ones decides
            first = np.minimum.reduce(np.where(square == least, which, np.int32(self.edges.shape[1])))
            held, known = best[rows], edge[rows]
            edge[rows] = np.where(least < held, first, np.where(least == held, np.minimum(first, known), known))
            best[rows] = least = np.minimum(least, held)
            at = at + np.int32(_AT_ONCE)
            more = np.flatnonzero(at <= last)
            # an edge is at most as much nearer to the point than to the middle as the point is off the middle
            bound = np.minimum(np.sqrt(least[more]), self.reach) + off[more]
            more = more[self.far.take(at[more]) <= bound]
            if not len(more):
                return np.sqrt(best), self.edges[4].take(edge).astype(np.int32)
            rows, x, y, off, at, last = (one[more] for one in (rows, x, y, off, at, last))

    def nearest_one(self, x: float, y: float) -> tuple[float, int]:
        """The same of one point, without arrays: edge by edge, until no other can be nearer."""
        cell = self.frame.look_up_one(self.coarse, self.fine, x, y) - 1
        if cell < 0:
            return math.nan, -1
        right, up = (x - self.frame.x) / self.frame.cell % 1, (y - self.frame.y) / self.frame.cell % 1
        off = math.hypot(right - 0.5, up - 0.5) * self.frame.cell
        item, best, edge, bound = self.edges.item, math.inf, 0, self.reach + off
        for at in range(self.start.item(cell), self.start.item(cell + 1)):
            if self.far.item(at) > bound:
                break
            which = self.near.item(at)
            across, rise = item(2, which), item(3, which)
            east, north = x - item(0, which), y - item(1, which)
            along = min(max((east * across + north * rise) * item(5, which), 0.0), 1.0)
            east, north = east - across * along, north - rise * along
            square = east * east + north * north
            if square < best:
                best, edge = square, which
                bound = min(math.sqrt(best), self.reach) + off
            elif square == best:
                # edges stand in the order of their areas: the first of the nearest ones decides
                edge = min(edge, which)
        distance = math.sqrt(best)
        return (distance, int(item(4, edge))) if distance <= self.reach else (math.nan, -1)

    def _off_middle(self, x: Floats, y: Floats) -> Floats:
        """Distance of points from the middle of their cells, metres."""
        right, up = (axis / self.frame.cell for axis in (x - self.frame.x, y - self.frame.y))
        return np.asarray(np.hypot(right - np.floor(right) - 0.5, up - np.floor(up) - 0.5) * self.frame.cell)


def _segments(areas: Shapes) -> Floats:
    """Columns of `BoundaryDistance.edges`.

    The ends of an edge are put in one order, so that two areas that share it are at the same distance to the last bit.
    """
    edges = edges_of(areas)
    turn = (edges.x0 > edges.x1) | ((edges.x0 == edges.x1) & (edges.y0 > edges.y1))
    x0, x1 = np.where(turn, edges.x1, edges.x0), np.where(turn, edges.x0, edges.x1)
    y0, y1 = np.where(turn, edges.y1, edges.y0), np.where(turn, edges.y0, edges.y1)
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    inverse = np.divide(1.0, square, out=np.zeros(len(square)), where=square > 0)
    return np.stack([x0, y0, dx, dy, edges.owner.astype(float), inverse])


def _squares(edges: Floats, which: npt.NDArray[Any], x: Floats, y: Floats) -> Floats:
    """Squares of the distances of points to edges, in pairs."""
    dx, dy = edges[2].take(which), edges[3].take(which)
    right: Floats = x - edges[0].take(which)
    up: Floats = y - edges[1].take(which)
    along = right * dx
    along += up * dy
    along *= edges[5].take(which)
    np.clip(along, 0.0, 1.0, out=along)
    dx *= along
    dy *= along
    right -= dx
    up -= dy
    right *= right
    up *= up
    right += up
    return right


def _candidates(edges: Floats, frame: Frame, reach: float) -> tuple[Longs, Ints, Ints, npt.NDArray[np.float32]]:
    """Cells near an edge, the edges that may be the nearest of one of their points, and how far these are."""
    if not edges.shape[1]:
        return np.empty(0, np.int64), np.zeros(1, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
    keys, edge = _first_pairs(edges, frame, reach)
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    # cells are searched in blocks that stay in the cache, and never all at once
    block = np.r_[first[np.flatnonzero(np.diff(first // _PAIRS, prepend=-1))], len(keys)]

    def search(at: int) -> tuple[Longs, Longs, Floats]:
        rows = slice(int(block[at]), int(block[at + 1]))
        return _searched(edges, frame, reach, keys[rows], edge[rows])

    keep_memory()
    parts = in_threads(search, range(len(block) - 1))
    keys, edge = (np.concatenate([part[which] for part in parts]) for which in (0, 1))
    far = np.concatenate([part[2] for part in parts]).astype(np.float32) - np.float32(_ROUNDED_M)
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return keys[first], np.r_[first, len(keys)].astype(np.int32), edge.astype(np.int32), far


def _searched(edges: Floats, frame: Frame, reach: float, keys: Longs, edge: Longs) -> tuple[Longs, Longs, Floats]:
    """Pairs of small cell and edge, and how far apart they are, from pairs of large cell and edge.

    Pairs stand together by cell, in the end those of the nearest edges first.
    """
    cells = _large(frame, reach)
    while True:
        keys, edge, far = _pruned(edges, frame, reach, cells, keys, edge)
        if not len(keys):
            return keys, edge, far
        if cells == 1:
            order, far = _by_distance(keys, far)
            return keys, edge[order], far
        cells //= 2
        first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        many = np.diff(np.r_[first, len(keys)])
        # the four quarters of a cell one after another, each with all the edges of the whole
        group, step = expand(np.zeros(len(first), np.int64), 4 * many)
        quarter, item = np.divmod(step, many[group])
        pair = first[group] + item
        corner = np.array([0, cells, cells * frame.width, cells * frame.width + cells])
        keys, edge = keys[pair] + corner[quarter], edge[pair]


def _by_distance(keys: Longs, far: Floats) -> tuple[Longs, Floats]:
    """Order of pairs that stand together by cell, those of the nearest edges first; how far these are at least.

    Cell, distance in steps, and place are one number: numbers are sorted several times faster than places by them.
    """
    step = (float(far.max()) + 1) / (1 << _STEPS_BITS)
    bits = len(keys).bit_length()
    packed = np.cumsum(np.r_[False, keys[1:] != keys[:-1]])
    packed <<= _STEPS_BITS
    packed += (far / step).astype(np.int64)
    packed <<= bits
    packed += np.arange(len(keys))
    packed.sort(kind="stable")
    least: Floats = ((packed >> bits) & ((1 << _STEPS_BITS) - 1)).astype(np.float64) * step
    return packed & ((1 << bits) - 1), least


def _large(frame: Frame, reach: float) -> int:
    """Cells in the side of a large one: about as wide as the maximum distance: fewer pairs to begin with."""
    cells = _FEWEST
    while cells < _MOST and cells * frame.cell < reach:
        cells *= 2
    return cells


def _first_pairs(edges: Floats, frame: Frame, reach: float) -> tuple[Longs, Longs]:
    """Large cells in the box of each edge, widened by the maximum distance; by cell, then in the order of the edges."""
    cells = _large(frame, reach)
    side = frame.cell * cells
    low, high = np.minimum(edges[:2], edges[:2] + edges[2:4]), np.maximum(edges[:2], edges[:2] + edges[2:4])
    corner = np.array([[frame.x], [frame.y]])
    first = np.floor((low - reach - corner) / side).astype(np.int64)
    last = np.floor((high + reach - corner) / side).astype(np.int64)
    span = last - first + 1
    edge, step = expand(np.zeros(edges.shape[1], np.int64), span[0] * span[1])
    col = first[0][edge] + step % span[0][edge]
    row = first[1][edge] + step // span[0][edge]
    keys = (row * frame.width + col) * cells
    order = np.argsort(keys, kind="stable")
    return keys[order], edge[order]


def _pruned(
    edges: Floats, frame: Frame, reach: float, cells: int, keys: Longs, edge: Longs
) -> tuple[Longs, Longs, Floats]:
    """Pairs of cell and edge where the edge may be the nearest of a point of the cell, within the maximum; how far."""
    side = frame.cell * cells
    radius = side * 0.5**0.5
    x = (frame.x + (keys % frame.width) * frame.cell + side / 2).astype(np.float64, copy=False)
    y = (frame.y + (keys // frame.width) * frame.cell + side / 2).astype(np.float64, copy=False)
    distance = np.sqrt(_squares(edges, edge, x, y))
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    least = np.repeat(np.minimum.reduceat(distance, first), np.diff(np.r_[first, len(keys)]))
    # an edge is at most a radius nearer to a point than to the middle, and the nearest one at most a radius farther
    kept = distance <= np.minimum(least + 2 * radius, reach + radius) + _SLACK_M
    return keys[kept], edge[kept], distance[kept]
