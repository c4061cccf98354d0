"""Exact cover of the cells of a lattice by areas, without ever building a cell.

The outline of an area is cut at the grid lines; each piece lies in one cell and adds, by Green's theorem, the area
between itself and the right side of its cell to that cell, and its height to all the cells on its right. A running sum
along each row gives the covered share of every cell at once.

The heights are counted in units of 2^-44 of a cell (2^-48 of itself for a tiny area), as whole numbers: their sums are
exact, so that the result does not depend on the order of the areas, on what else is computed beside them, or on the
number of threads.
"""

import operator
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames import require
from qpvgeo.geometry import insee_lattice as grid_lattice
from qpvgeo.geometry.distinct_cells import distinct_cells
from qpvgeo.geometry.edges import Edges, cut, edges_of
from qpvgeo.geometry.insee_lattice import Cells, Lattice
from qpvgeo.geometry.outline_repair import mended
from qpvgeo.geometry.parallel import PerProcess
from qpvgeo.geometry.projection import transformer
from qpvgeo.language import Note

__all__ = ["MAX_SHIFT_M", "Cover", "cover", "overlap_cells"]

MAX_SHIFT_M = 0.01
"""An edge that is straight in one projection is bent in another: edges are cut so that it moves less than this."""

_UNIT = float(1 << 44)

_SMALL, _FINE_BITS = -4, 48  # an area less than a sixteenth of a cell tall is counted in finer units of its own

_TOUCHED = 1e-12

_WINDOW = 1 << 22

_KEPT_PAIRS = 1 << 18

_MOST_CELLS = 1 << 26  # twice the box of the hexagone in cells of 200 m

_SHORT_M = 25.0

Floats = npt.NDArray[np.float64]

Rows = npt.NDArray[np.intp]

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Cover:
    """Cells that areas cover, a row per area and cell, in the order of the areas, then northwards, then eastwards.

    Attributes
    ----------
    area
        Position of the area.
    cells
        The cells, of the lattice asked for.
    share
        Share of the cell that is covered, above 0 and up to 1; 1 exactly for a cell wholly inside.
    size_m2
        Area of each area in the projection of the lattice, by position.
    """

    area: Rows
    cells: Cells
    share: Floats
    size_m2: Floats


def cover(areas: gpd.GeoDataFrame | gpd.GeoSeries, lattice: Lattice, *, sound: bool = False) -> Cover:
    """Cells of a lattice that areas cover, with the exact share of each.

    Parameters
    ----------
    areas
        Polygons with a CRS; any projection, any size. A missing one covers nothing; an invalid one counts as the
        area that its rings enclose (`qpvgeo.repair`).
    lattice
        Projection and size of the cells.
    sound
        The outlines are known to be valid (`qpvgeo.geometry.validity.mended`), and are not checked again.

    Returns
    -------
    Cover
        Shares are those of plain polygon intersection within 1e-12 of a cell, and within 1e-9 of a tiny area (down to
        a centimetre; coordinates themselves hold no more). A cell that an area only touches along a side or at a
        corner is not covered.

    Raises
    ------
    DataError
        The CRS is missing, or some shapes are lines or points: lists them.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> found = cover(gpd.GeoSeries([shapely.box(100, 0, 400, 200)], crs=3035), Lattice(3035, 200))
    >>> found.cells.east.tolist(), found.share.tolist()
    ([0, 200], [0.5, 1.0])
    """
    shapes = (areas.geometry if sound else mended(areas)).to_numpy()
    rows = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    found = _kept_cover(shapes[rows], areas.crs, lattice, areas.index[rows])
    size = np.zeros(len(shapes))
    size[rows] = found.size_m2
    return Cover(rows[found.area], found.cells, found.share, size)


_LAST: PerProcess[deque[tuple[Any, Any, Lattice, Cover]]] = PerProcess(lambda: deque(maxlen=2))


def _kept_cover(shapes: Shapes, crs: Any, lattice: Lattice, labels: pd.Index) -> Cover:  # noqa: ANN401
    """Cover of areas, kept for the next question about the very same outlines: choosing cells, then estimating.

    Outlines cannot be changed in place, so that the same objects are the same areas.
    """
    last = _LAST.own()
    for outlines, projection, of, found in tuple(last):
        same = of == lattice and len(outlines) == len(shapes) and all(map(operator.is_, outlines, shapes))
        if same and projection == crs:
            return found
    found = _cover(shapes, crs, lattice, labels)
    if len(found.share) <= _KEPT_PAIRS:
        for values in (found.area, found.cells.north, found.cells.east, found.share, found.size_m2):
            values.flags.writeable = False
        last.append((shapes, crs, lattice, found))
    return found


def _cover(shapes: Shapes, crs: Any, lattice: Lattice, labels: pd.Index) -> Cover:  # noqa: ANN401
    edges = _projected(edges_of(shapes), crs, lattice.epsg, labels)
    # around the first vertex of each area, so that large coordinates do not eat the digits
    first = np.r_[True, edges.owner[1:] != edges.owner[:-1]] if len(edges.owner) else np.empty(0, bool)
    base = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0)) if len(first) else np.empty(0, np.intp)
    ax, ay = edges.x0[base], edges.y0[base]
    cross = (edges.x0 - ax) * (edges.y1 - ay) - (edges.x1 - ax) * (edges.y0 - ay)
    size = np.bincount(edges.owner, cross / 2, len(shapes)).astype(np.float64)
    _require_bounded(edges, lattice.size, labels)
    parts = [_cells_of(part, lattice.size) for part in _windows(edges, lattice.size)]
    owner = np.concatenate([np.empty(0, np.intp), *(part[0] for part in parts)])
    col = np.concatenate([np.empty(0, np.int64), *(part[1] for part in parts)])
    row = np.concatenate([np.empty(0, np.int64), *(part[2] for part in parts)])
    share = np.concatenate([np.empty(0), *(part[3] for part in parts)])
    return Cover(owner, Cells(lattice, row * lattice.size, col * lattice.size), share, size)


def _require_place(owner: Rows, ends: list[Floats], labels: pd.Index, crs: pyproj.CRS, epsg: int) -> None:
    """Raise for areas that have no place in the projection of the lattice: their CRS is most often a wrong one."""
    nowhere = ~np.isfinite(ends).all(axis=0)
    if nowhere.any():
        lost, name = labels[np.unique(owner[nowhere])], crs.to_string()
        raise DataError(
            Note("geometry.not_in_projection", count=len(lost), crs=name, epsg=epsg),
            problems=map(str, lost),
            way_out=Note("geometry.swapped_or_wrong_crs"),
        )


def _projected(edges: Edges, source: Any, epsg: int, labels: pd.Index) -> Edges:  # noqa: ANN401
    """Edges in the projection of the lattice, cut where a straight edge would stray by more than a centimetre."""
    before, after = pyproj.CRS.from_user_input(source), pyproj.CRS.from_epsg(epsg)
    if before.equals(after, ignore_axis_order=True) or not len(edges.owner):
        return edges
    move = transformer(before, after).transform
    ends = _moved_ends(edges, move)
    _require_place(edges.owner, ends, labels, before, epsg)
    # a shorter edge would stray by as much only where the earth is bent within some kilometres
    long = np.flatnonzero(np.hypot(ends[2] - ends[0], ends[3] - ends[1]) > _SHORT_M)
    middle = move((edges.x0[long] + edges.x1[long]) / 2, (edges.y0[long] + edges.y1[long]) / 2)
    strays = np.zeros(len(edges.owner))
    strays[long] = np.hypot(
        middle[0] - (ends[0][long] + ends[2][long]) / 2, middle[1] - (ends[1][long] + ends[3][long]) / 2
    )
    # the sagitta falls with the square of the length; a third of the allowance leaves room for edges that bend unevenly
    pieces = np.maximum(np.ceil(np.sqrt(strays / (MAX_SHIFT_M / 3))), 1).astype(np.int64)
    if (pieces == 1).all():
        return Edges(edges.owner, *ends)
    whole, bent = pieces == 1, np.flatnonzero(pieces > 1)
    many = pieces[bent]
    edge = np.repeat(bent, many)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(many) - many, many)
    last = step == np.repeat(many - 1, many)
    x = edges.x0[edge] + (edges.x1 - edges.x0)[edge] * (step / pieces[edge])
    y = edges.y0[edge] + (edges.y1 - edges.y0)[edge] * (step / pieces[edge])
    x0, y0 = move(x, y)
    x0[step == 0], y0[step == 0] = ends[0][bent], ends[1][bent]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    x1[last], y1[last] = ends[2][bent], ends[3][bent]
    owner = np.r_[edges.owner[whole], edges.owner[edge]]
    order = np.argsort(owner, kind="stable")
    joined = [np.r_[ends[k][whole], new][order] for k, new in enumerate((x0, y0, x1, y1))]
    return Edges(owner[order], *joined)


def _moved_ends(edges: Edges, move: Callable[..., Any]) -> list[Floats]:
    """Both ends of edges in another projection: x0, y0, x1, y1; the end of an edge mostly starts the next."""
    x0, y0 = (np.asarray(axis) for axis in move(edges.x0, edges.y0))
    x1, y1 = np.append(x0[1:], np.nan), np.append(y0[1:], np.nan)
    last = np.append((edges.x1[:-1] != edges.x0[1:]) | (edges.y1[:-1] != edges.y0[1:]), True)
    x1[last], y1[last] = move(edges.x1[last], edges.y1[last])
    return [x0, y0, x1, y1]


def _require_bounded(edges: Edges, size: int, labels: pd.Index) -> None:
    """Raise for areas wider than any territory, whose cells would fill the memory: their coordinates are wrong."""
    if not len(edges.owner):
        return
    starts, width, height = _boxes(edges)
    wide = np.flatnonzero((width / size) * (height / size) > _MOST_CELLS)
    if len(wide):
        raise DataError(
            Note("geometry.too_wide", count=len(wide), most=_MOST_CELLS),
            problems=[
                Note("geometry.width", label=str(labels[edges.owner[starts[at]]]), width=width[at], height=height[at])
                for at in wide
            ],
            way_out=Note("geometry.swapped_or_wrong_crs"),
        )


def _boxes(edges: Edges) -> tuple[Rows, Floats, Floats]:
    """Where the edges of each area start, and the width and height of its box."""
    starts = np.flatnonzero(np.r_[True, edges.owner[1:] != edges.owner[:-1]])
    width = np.maximum.reduceat(edges.x0, starts) - np.minimum.reduceat(edges.x0, starts)
    height = np.maximum.reduceat(edges.y0, starts) - np.minimum.reduceat(edges.y0, starts)
    return starts, width, height


def _windows(edges: Edges, size: int) -> Iterator[Edges]:
    """Groups of areas whose boxes hold few enough cells to be computed together."""
    if not len(edges.owner):
        return
    starts, width, height = _boxes(edges)
    stops = np.r_[starts[1:], len(edges.owner)]
    boxes = (width / size + 3) * (height / size + 2)
    group = (np.cumsum(boxes) // _WINDOW).astype(np.int64)
    for chosen in np.split(np.arange(len(starts)), np.flatnonzero(np.diff(group)) + 1):
        yield edges.of(slice(int(starts[chosen[0]]), int(stops[chosen[-1]])))


def _cells_of(edges: Edges, size: int) -> tuple[Rows, npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Area, column, row and share of the covered cells of a group of areas."""
    starts = np.flatnonzero(np.r_[True, edges.owner[1:] != edges.owner[:-1]])
    areas = edges.owner[starts]
    local = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(edges.owner)]))
    left = np.floor(np.minimum.reduceat(edges.x0, starts) / size).astype(np.int64)
    low = np.floor(np.minimum.reduceat(edges.y0, starts) / size).astype(np.int64)
    # counted as the columns of the pieces are below: rounding must not put one beside the window
    width = np.floor((np.maximum.reduceat(edges.x0, starts) - left * size) / size).astype(np.int64) + 2
    height = np.floor((np.maximum.reduceat(edges.y0, starts) - low * size) / size).astype(np.int64) + 1
    offset = np.cumsum(width * height) - width * height
    total = int((width * height).sum())

    # from the corner of each area's own window: few digits before the point, and none of its neighbours' in the way
    ox, oy = left[local] * size, low[local] * size
    edge, xa, ya, xb, yb = cut(
        (edges.x0 - ox) / size, (edges.y0 - oy) / size, (edges.x1 - ox) / size, (edges.y1 - oy) / size
    )
    area = local[edge]
    col = np.floor((xa + xb) / 2).astype(np.int64)
    row = np.minimum(np.floor((ya + yb) / 2).astype(np.int64), height[area] - 1)
    foot = np.minimum.reduceat((edges.y0 - oy) / size, starts)
    unit = _units((np.maximum.reduceat(edges.y0, starts) - np.minimum.reduceat(edges.y0, starts)) / size)
    rise = np.rint((ya - foot[area]) * unit[area]) - np.rint((yb - foot[area]) * unit[area])
    inside = np.rint(rise * (1 - ((xa + xb) / 2 - col)))
    cell = offset[area] + row * width[area] + col
    sums = np.bincount(cell, inside, total) + np.bincount(cell + 1, rise - inside, total)
    sums = np.cumsum(sums)
    # each area starts from nothing: whole numbers, so that taking away what came before is exact
    before = np.r_[0.0, sums[offset[1:] - 1]]
    share = (sums - np.repeat(before, width * height)) / np.repeat(unit, width * height)
    edge_cell = np.zeros(total, dtype=bool)
    edge_cell[cell] = True
    share = np.where(edge_cell, np.clip(share, 0.0, 1.0), np.rint(share))
    found = np.flatnonzero(share > _TOUCHED)
    owner = np.searchsorted(offset, found, "right") - 1
    inner = found - offset[owner]
    return areas[owner], left[owner] + inner % width[owner], low[owner] + inner // width[owner], share[found]


def _units(tall: Floats) -> Floats:
    """Whole numbers in the side of a cell, for each area: more for one far smaller than a cell, to keep its digits."""
    power = np.floor(np.log2(np.maximum(tall, 1e-9)))
    return np.where(power < _SMALL, np.exp2(_FINE_BITS - power), _UNIT)


@judged
def overlap_cells(areas: gpd.GeoDataFrame | gpd.GeoSeries, lattice: Lattice | pd.DataFrame) -> pd.DataFrame:
    """Give the overlap table of areas and the cells of a lattice, or of a grid.

    Parameters
    ----------
    areas
        As for `cover`.
    lattice
        Projection and size of the cells, or a grid frame (`qpvgeo.read_grid`): then only the cells that it has.

    Returns
    -------
    pandas.DataFrame
        A row per area and covered cell: `left` (label of the area), `right` (cell id), `area_m2` (in the projection
        of the lattice), `left_share` (of the area), `right_share` (of the cell, 1 exactly when it is wholly inside).

    Raises
    ------
    DataError
        As `cover`, or the index of the grid does not hold ids of one lattice, each once.
    UsageError
        The areas are not a layer, or the lattice is neither a lattice nor a grid frame.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> area = gpd.GeoSeries([shapely.box(4252500, 2029800, 4252600, 2030000)], index=["here"], crs=3035)
    >>> overlap_cells(area, Lattice(3035, 200))
       left                           right  area_m2  left_share  right_share
    0  here  CRS3035RES200mN2029800E4252400  20000.0         1.0          0.5
    """
    require.require_layer(areas, name="areas")
    if isinstance(lattice, pd.DataFrame):
        table = distinct_cells(lattice)
        found = cover(areas, table.lattice)
        held = grid_lattice.locate(found.cells, table) >= 0
        cells = Cells(table.lattice, found.cells.north[held], found.cells.east[held])
        found = Cover(found.area[held], cells, found.share[held], found.size_m2)
    elif isinstance(lattice, Lattice):
        found = cover(areas, lattice)
    else:
        raise UsageError(
            Note("geometry.no_lattice", kind=type(lattice).__name__), way_out=Note("geometry.give_lattice")
        )
    area = found.share * float(found.cells.lattice.size**2)
    return pd.DataFrame(
        {
            "left": areas.index[found.area],
            "right": grid_lattice.format_ids(found.cells),
            "area_m2": area,
            "left_share": np.minimum(area / found.size_m2[found.area], 1.0),
            "right_share": found.share,
        }
    )
