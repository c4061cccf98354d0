"""Point in polygon on a two-level grid: points in cells wholly inside or outside need no geometric test.

The plane is cut into tiles, and the tiles that areas reach into are cut into cells. A cell lies wholly inside one area,
wholly outside all of them, or is doubtful: crossed by an outline, or shared by several areas. Only a point in a
doubtful cell is tested against outlines. The limit of an area belongs to it.

The lines of the grid lie off round coordinates, so that outlines and points that people drew on round ones seldom fall
on them; those that do are doubtful on both sides.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geometry.edges import cut, edges_of
from qpvgeo.geometry.parallel import PerProcess, in_chunks, in_threads, keep_memory

__all__ = ["Frame", "PointGrid", "expand"]

_BLOCK = 1 << 22
"""Points looked up before those in doubtful cells are tested: many, so that an outline is tested often in a row."""

_FEW = 256
"""Under so many tests, sorting them and starting threads takes longer than the tests."""

_JOBS = 8
"""Parts that tests are cut into, for the threads to share."""

_TILE_BITS = 5
_TILE = 1 << _TILE_BITS
_OFF_ROUND_M = 0.003719
_HAIR = 1e-6

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Frame:
    """Tiles of square cells over a part of the plane.

    Attributes
    ----------
    x, y
        South-west corner, metres.
    cell
        Side of a cell, metres.
    columns, rows
        Number of tiles eastwards and northwards; a rim of tiles is always empty.
    """

    x: float
    y: float
    cell: float
    columns: int
    rows: int

    @classmethod
    def around(cls, bounds: Iterable[float], cell: float) -> "Frame":
        """Frame that holds bounds with a rim of a tile at least."""
        west, south, east, north = bounds
        side = cell * _TILE
        x, y = (np.floor(low / side) * side - side - _OFF_ROUND_M for low in (west, south))
        return cls(float(x), float(y), cell, int((east - x) // side) + 2, int((north - y) // side) + 2)

    @property
    def width(self) -> int:
        """Cells from west to east."""
        return self.columns << _TILE_BITS

    def split(self, keys: Longs) -> tuple[Longs, Longs]:
        """Tile, and place in the tile, of cells numbered row by row."""
        row, col = keys // self.width, keys % self.width
        tile = (row >> _TILE_BITS) * self.columns + (col >> _TILE_BITS)
        return tile, ((row & (_TILE - 1)) << _TILE_BITS) + (col & (_TILE - 1))

    def store(self, keys: Longs, values: npt.NDArray[Any]) -> "tuple[Ints, Ints]":
        """Number of each tile among those that have cells (-1 for the others), and the values of their cells."""
        tile, inner = self.split(keys)
        there = np.zeros(self.columns * self.rows, dtype=bool)
        there[tile] = True
        used = np.flatnonzero(there)
        coarse = np.full(len(there), -1, np.int32)
        coarse[used] = np.arange(len(used), dtype=np.int32)
        fine = np.zeros(len(used) << (2 * _TILE_BITS), np.int32)
        fine[(coarse[tile].astype(np.int64) << (2 * _TILE_BITS)) + inner] = values
        return coarse, fine

    def look_up(self, coarse: Ints, fine: Ints, x: Floats, y: Floats) -> tuple[npt.NDArray[np.intp], Ints]:
        """Points that lie in tiles that have cells, and the values of their cells."""
        # a tile is a power of two of cells wide: from either number the same tile follows, to the last bit
        per_cell = 1 / self.cell
        per_tile = per_cell / _TILE
        right, up = x - self.x, y - self.y
        right *= per_tile
        up *= per_tile
        if not (right.min() >= 0 and right.max() < self.columns and up.min() >= 0 and up.max() < self.rows):
            # the corner lies in the rim, which is empty; what is not finite goes there too
            inside = (right >= 0) & (right < self.columns) & (up >= 0) & (up < self.rows)
            right, up = np.where(inside, right, 0), np.where(inside, up, 0)
        at = up.astype(np.int32)
        at *= np.int32(self.columns)
        at += right.astype(np.int32)
        tile = coarse.take(at)
        held = np.flatnonzero(tile >= 0)
        col, row = ((axis[held] * _TILE).astype(np.int32) & (_TILE - 1) for axis in (right, up))
        return held, fine.take((tile[held].astype(np.int64) << (2 * _TILE_BITS)) + (row << _TILE_BITS) + col)

    def look_up_one(self, coarse: Ints, fine: Ints, x: float, y: float) -> int:
        """Value of the cell that one point lies in, 0 where its tile has no cells: as `look_up`, without arrays."""
        per_tile = 1 / self.cell / _TILE
        right, up = (x - self.x) * per_tile, (y - self.y) * per_tile
        if not (0 <= right < self.columns and 0 <= up < self.rows):
            return 0
        tile = coarse.item(int(up) * self.columns + int(right))
        if tile < 0:
            return 0
        col, row = int(right * _TILE) & (_TILE - 1), int(up * _TILE) & (_TILE - 1)
        return fine.item((tile << (2 * _TILE_BITS)) + (row << _TILE_BITS) + col)


@dataclass(frozen=True, slots=True, eq=False)
class PointGrid:
    """Areas of one projection, ready to be asked which of them hold points; `PointGrid.build` makes it.

    Attributes
    ----------
    areas
        Polygons in metres. Where several hold a point, the first in this order wins.
    frame
        Where the tiles and cells lie.
    coarse, fine
        Number of each tile among those that areas reach into, or -1; values of the cells of these tiles: 0 outside, the
        position of an area plus 1 wholly inside it, or -1 minus the number of a doubtful cell.
    start, held
        The areas of a doubtful cell are `held[start[number]:start[number + 1]]`.
    """

    areas: Shapes
    frame: Frame
    coarse: Ints
    fine: Ints
    start: Ints
    held: Ints
    # a prepared outline builds parts of itself while it answers: two threads at once would break it
    _one_at_a_time: PerProcess[Lock] = field(default_factory=lambda: PerProcess(Lock), repr=False)
    _ready: PerProcess[Shapes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make outlines of its own ready: others may prepare and ask the caller's at the same time."""
        object.__setattr__(self, "_ready", PerProcess(lambda: _prepared(self.areas)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Made again in another process: prepared outlines do not travel."""
        return PointGrid, (self.areas, self.frame, self.coarse, self.fine, self.start, self.held)

    @classmethod
    def build(cls, areas: Shapes, *, cell: float) -> "PointGrid":
        """Grid of areas, by their outlines.

        Parameters
        ----------
        areas
            Valid polygons in metres, without a missing one.
        cell
            Side of the cells in metres: the smaller, the fewer points are tested and the longer the building.
        """
        keep_memory()
        frame = Frame.around(_bounds(areas), cell)
        keys, values, start, held = _classes(areas, frame)
        return cls(areas, frame, *frame.store(keys, values), start, held)

    @classmethod
    def of_boxes(cls, areas: Shapes, *, cell: float) -> "PointGrid":
        """Grid of areas, by the boxes around them: built in no time, and every point in a box is tested.

        Parameters are those of `build`; the answers are the same.
        """
        frame = Frame.around(_bounds(areas), cell)
        keys, start, held = _boxes(areas, frame)
        return cls(areas, frame, *frame.store(keys, -1 - np.arange(len(keys))), start, held)

    def locate(self, x: Floats, y: Floats) -> Ints:
        """Position of the first area that holds each point; -1 for none."""
        return self.locate_all(x, y)[0]

    def locate_all(self, x: Floats, y: Floats) -> tuple[Ints, Longs, Ints]:
        """Position of the first area that holds each point, and what other areas hold: points and areas, in pairs."""
        found = np.empty(len(x), np.int32)
        others = [
            self._located(found, x, y, slice(start, min(start + _BLOCK, len(x)))) for start in range(0, len(x), _BLOCK)
        ]
        return found, _joined([part for part, _ in others], np.int64), _joined([part for _, part in others], np.int32)

    def holding(self, x: float, y: float) -> list[int]:
        """Positions of the areas that hold one point, in their order: as `locate_all`, without arrays of points."""
        value = self.frame.look_up_one(self.coarse, self.fine, x, y)
        if value >= 0:
            return [value - 1] if value else []
        some = self.held[self.start.item(-1 - value) : self.start.item(-value)]
        with self._one_at_a_time.own():
            hit = shapely.intersects_xy(self._ready.own()[some], x, y)
        found: list[int] = some[hit].tolist()
        return found

    def _located(self, found: Ints, x: Floats, y: Floats, block: slice) -> tuple[Longs, Ints]:
        """Fill in the answers of a block of points; what other areas hold, in pairs."""
        found, x, y = found[block], x[block], y[block]

        def look(rows: slice) -> tuple[Longs, Ints, Floats, Floats]:
            part, right, up = found[rows], x[rows], y[rows]
            part.fill(-1)
            held, value = self.frame.look_up(self.coarse, self.fine, right, up)
            value -= 1
            part[held] = value
            doubt = np.flatnonzero(value < -1)
            points = held.take(doubt)
            part[points] = -1
            return points + rows.start, -2 - value.take(doubt), right.take(points), up.take(points)

        doubtful = in_chunks(look, len(x))
        points, cells, x, y = (np.concatenate(parts) for parts in zip(*doubtful, strict=True))
        if not len(points):
            return points, np.empty(0, np.int32)
        pair, at = expand(self.start[cells], self.start[cells + 1])
        area = self.held[at]
        hit = self._hit(x, y, pair, area)
        point, area, pair = points[pair[hit]], area[hit], pair[hit]
        # the areas of a cell stand in order: the first that holds the point is its own
        other = np.r_[False, pair[1:] == pair[:-1]][: len(pair)]
        found[point[~other]] = area[~other]
        return point[other] + block.start, area[other]

    def _hit(self, x: Floats, y: Floats, point: Longs, area: Ints) -> npt.NDArray[np.bool_]:
        """Whether areas hold points, in pairs."""
        if len(area) < _FEW:
            with self._one_at_a_time.own():
                return _holds(self._ready.own()[area], x[point], y[point])
        # points of one area after another: its outline stays in the cache; short numbers are sorted 20 times faster
        short = len(self.areas) <= np.iinfo(np.int16).max
        order = np.argsort(area.astype(np.int16) if short else area, kind="stable")
        point, area = point[order], area[order]
        hit = np.empty(len(order), dtype=bool)
        outlines = self._ready.own()

        def test(rows: slice) -> None:
            hit[order[rows]] = _holds(outlines[area[rows]], x[point[rows]], y[point[rows]])

        # an outline is in the hands of one thread alone
        first = np.r_[0, np.flatnonzero(area[1:] != area[:-1]) + 1, len(area)] if len(area) else np.zeros(1, np.intp)
        ends = np.unique(first[np.searchsorted(first, np.linspace(0, len(area), _JOBS + 1))])
        with self._one_at_a_time.own():
            in_threads(test, [slice(*pair) for pair in pairwise(ends.tolist())])
        return hit


def _holds(outlines: Shapes, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
    """Whether outlines that are prepared hold points, in pairs: in the hands of one thread alone."""
    found: npt.NDArray[np.bool_] = shapely.intersects_xy(outlines, x, y)
    return found


def _prepared(areas: Shapes) -> Shapes:
    outlines = shapely.force_2d(areas)
    shapely.prepare(outlines)
    return np.asarray(outlines)


def _bounds(areas: Shapes) -> Iterable[float]:
    bounds: Iterable[float] = shapely.total_bounds(areas) if len(areas) else (0.0, 0.0, 0.0, 0.0)
    return bounds


def _boxes(areas: Shapes, frame: Frame) -> tuple[Longs, Ints, Ints]:
    """Cells that the boxes of areas reach into; `start` and `held` of them, as if all were doubtful."""
    # as points are looked up: rounding keeps the order, so that a point of a box lies in one of its cells
    west, south, east, north = (
        np.floor((side - low) * (1 / frame.cell)).astype(np.int64)
        for side, low in zip(shapely.bounds(areas).reshape(-1, 4).T, (frame.x, frame.y) * 2, strict=True)
    )
    across, up = east - west + 1, north - south + 1
    area, step = _ragged(across * up)
    keys = (south[area] + step // across[area]) * frame.width + west[area] + step % across[area]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]][: len(keys)])
    return keys[first], np.append(first, len(keys)).astype(np.int32), area[order].astype(np.int32)


def _classes(areas: Shapes, frame: Frame) -> tuple[Longs, Ints, Ints, Ints]:
    """Cells that areas reach into and their values, `start` and `held` of the doubtful ones."""
    many = max(len(areas), 1)
    edges = edges_of(areas)
    x0, x1 = ((x - frame.x) / frame.cell for x in (edges.x0, edges.x1))
    y0, y1 = ((y - frame.y) / frame.cell for y in (edges.y0, edges.y1))
    edge, xa, ya, xb, yb = cut(x0, y0, x1, y1)
    crossed = _crossed(frame, (xa + xb) / 2, (ya + yb) / 2, edges.owner[edge], many)
    # pieces end on lines, where a point may fall on either side
    crossed = _unique(np.concatenate([crossed, *_crossed_beside(frame, xa, ya, edges.owner[edge], many)]))
    inner = _unique(_inner(frame, (x0, y0, x1, y1), edges.owner, many))
    inner = inner[~_among(inner, crossed)]
    cell = inner // many
    doubtful = _unique(np.concatenate([crossed // many, cell[1:][cell[1:] == cell[:-1]]]))
    shared = _among(cell, doubtful)
    pairs = _unique(np.concatenate([crossed, inner[shared]]))
    start = np.append(np.searchsorted(pairs // many, doubtful), len(pairs)).astype(np.int32)
    certain = inner[~shared]
    keys = np.concatenate([certain // many, doubtful])
    values = np.concatenate([certain % many + 1, -1 - np.arange(len(doubtful))]).astype(np.int32)
    return keys, values, start, (pairs % many).astype(np.int32)


def _crossed(frame: Frame, x: Floats, y: Floats, owner: Any, many: int) -> Longs:  # noqa: ANN401 - positions
    """Cells of points, with the area they belong to, as one number."""
    keys = np.floor(y).astype(np.int64) * frame.width + np.floor(x).astype(np.int64)
    return np.asarray(keys * many + owner)


def _crossed_beside(frame: Frame, x: Floats, y: Floats, owner: Any, many: int) -> list[Longs]:  # noqa: ANN401
    """Cells around the points of an outline that lie on a line of the grid, or within a hair of one."""
    near = np.flatnonzero((np.abs(x - np.rint(x)) < _HAIR) | (np.abs(y - np.rint(y)) < _HAIR))
    x, y, owner = x[near], y[near], owner[near]
    return [_crossed(frame, x + dx, y + dy, owner, many) for dx in (-_HAIR, _HAIR) for dy in (-_HAIR, _HAIR)]


def _inner(frame: Frame, edges: tuple[Floats, Floats, Floats, Floats], owner: Any, many: int) -> Longs:  # noqa: ANN401
    """Cells whose middle lies inside an area: along each row, between the odd crossings and the even ones."""
    x0, y0, x1, y1 = edges
    low = np.ceil(np.minimum(y0, y1) - 0.5)
    number = (np.ceil(np.maximum(y0, y1) - 0.5) - low).astype(np.int64)
    edge, step = _ragged(number)
    row = low[edge] + step
    x = x0[edge] + (row + 0.5 - y0[edge]) / (y1 - y0)[edge] * (x1 - x0)[edge]
    of = owner[edge]
    order = np.lexsort((x, row, of))
    col = np.ceil(x[order] - 0.5).astype(np.int64)
    first, last = col[::2], col[1::2]
    run, step = _ragged(last - first)
    rows, areas = row[order][::2].astype(np.int64), of[order][::2]
    return np.asarray((rows[run] * frame.width + first[run] + step) * many + areas[run])


def _ragged(number: Longs) -> tuple[Longs, Longs]:
    """Position repeated as often as told, and a count from 0 within each."""
    of = np.repeat(np.arange(len(number)), number)
    return of, np.arange(len(of)) - np.repeat(np.cumsum(number) - number, number)


def expand(start: npt.NDArray[Any], stop: npt.NDArray[Any]) -> tuple[Longs, Longs]:
    """Ranges one after another: which range, and the number in it.

    Examples
    --------
    >>> [part.tolist() for part in expand(np.array([5, 0]), np.array([7, 1]))]
    [[0, 0, 1], [5, 6, 0]]
    """
    of, step = _ragged((stop - start).astype(np.int64))
    return of, step + start[of]


def _unique(keys: Longs) -> Longs:
    """Sorted, each once: several times faster than `numpy.unique` on whole numbers."""
    keys = np.sort(keys)
    return keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys


def _among(keys: Longs, table: Longs) -> npt.NDArray[np.bool_]:
    """Whether each number stands in a sorted table."""
    if not len(table):
        return np.zeros(len(keys), dtype=bool)
    return np.asarray(table[np.minimum(np.searchsorted(table, keys), len(table) - 1)] == keys)


def _joined(parts: list[npt.NDArray[Any]], dtype: Any) -> npt.NDArray[Any]:  # noqa: ANN401
    return np.concatenate([np.empty(0, dtype), *parts])
