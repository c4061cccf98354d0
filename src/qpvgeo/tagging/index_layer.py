"""Perimeters of one territory and vintage with their point-location and distance indexes.

The indexes are built lazily; small queries use a coarser grid, which is cheaper to build and gives the same answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geometry.boundary_distance import BoundaryDistance
from qpvgeo.geometry.parallel import PerProcess
from qpvgeo.geometry.point_location import PointGrid

__all__ = ["IndexLayer"]

_MOST_CELLS, _MOST_BOUNDARY_CELLS = 1.6e7, 4e6
"""Perimeters as large as communes get larger cells, so that the index keeps to a few hundred megabytes."""


@dataclass(frozen=True, slots=True)
class _Size:
    """Size of the grids of an index.

    Attributes
    ----------
    by_boxes
        Whether points are located by the bounding boxes of the perimeters, whose outlines are not cut.
    cell, boundary_cell
        Sides of the cells of the location grid and of the distance grid, metres.
    """

    by_boxes: bool
    cell: float
    boundary_cell: float


_SIZES = {
    0.0: _Size(by_boxes=True, cell=200.0, boundary_cell=400.0),
    4e6: _Size(by_boxes=False, cell=50.0, boundary_cell=200.0),
    1.6e7: _Size(by_boxes=False, cell=50.0, boundary_cell=100.0),
}
"""From so many query points on, a finer grid repays its construction."""

_FINEST = _SIZES[1.6e7]

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]


class IndexLayer:
    """Perimeters of one territory and one vintage, in its legal projection.

    Attributes
    ----------
    territory, vintage
        Code; year, or None for perimeters that have none.
    codes
        Labels of the perimeters: the smaller first, then the lower. It is the order in which they win.
    areas
        Their outlines, metres.
    names, communes
        Name of each perimeter, and the communes that it lies in; missing where the source gives none.
    lost
        Where the perimeters lie whose outline was lost in repair; None for nowhere.
    """

    def __init__(  # noqa: PLR0913 - the perimeters, and grids that a file brings
        self,
        territory: str,
        vintage: int | None,
        codes: Sequence[str],
        areas: Shapes,
        *,
        names: Sequence[str | None] | None = None,
        communes: Sequence[str | None] | None = None,
        lost: Any = None,  # noqa: ANN401 - a shape
        grid: PointGrid | None = None,
        boundaries: BoundaryDistance | None = None,
    ) -> None:
        self.territory, self.vintage = territory, vintage
        self.codes = np.array(codes, dtype=object)
        self.areas = areas
        self.names = [None] * len(codes) if names is None else list(names)
        self.communes = [None] * len(codes) if communes is None else list(communes)
        self.lost = lost
        self._lost = [(part.bounds, part) for part in shapely.get_parts(lost)] if lost is not None else []
        self._grid, self._boundaries = grid, boundaries
        # grids read from a file are the finest, and so are those built without a known number of points
        self._size, self._points = _FINEST, 0.0
        self._lock = PerProcess(Lock)

    def __getstate__(self) -> dict[str, Any]:
        """Everything except the lock, which stays in its process."""
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """State sent by another process, with a new lock."""
        vars(self).update(state, _lock=PerProcess(Lock))

    def expect(self, points: float) -> None:
        """Announce how many points will be located; infinitely many for the finest grids.

        Coarse grids are replaced once, when all the points announced repay it.
        """
        with self._lock.own():
            self._points += points
            size = next(size for least, size in reversed(_SIZES.items()) if self._points >= least)
            built = self._grid is not None or self._boundaries is not None
            if built and size.boundary_cell >= self._size.boundary_cell:
                return
            if size.by_boxes != self._size.by_boxes:
                self._grid = None
            self._size, self._boundaries = size, None

    @property
    def grid(self) -> PointGrid:
        """Grid that locates points; built at the first call."""
        with self._lock.own():
            if self._grid is None:
                size = self._size
                if size.by_boxes:
                    west, south, east, north = shapely.bounds(self.areas).reshape(-1, 4).T
                    covered = float(((east - west) * (north - south)).sum())
                    self._grid = PointGrid.of_boxes(self.areas, cell=_wide(size.cell, covered, _MOST_CELLS))
                else:
                    covered = float(shapely.area(self.areas).sum())
                    self._grid = PointGrid.build(self.areas, cell=_wide(size.cell, covered, _MOST_CELLS))
            return self._grid

    def boundaries(self, reach: float) -> BoundaryDistance:
        """Grid that measures distances to the nearest boundary; built at the first call."""
        with self._lock.own():
            if self._boundaries is None:
                near = float(shapely.length(self.areas).sum()) * 2 * reach
                cell = _wide(self._size.boundary_cell, near, _MOST_BOUNDARY_CELLS)
                self._boundaries = BoundaryDistance.build(self.areas, reach=reach, cell=cell)
            return self._boundaries

    def is_lost(self, x: float, y: float) -> bool:
        """The same of one point."""
        return any(
            west <= x <= east and south <= y <= north and bool(shapely.intersects_xy(part, x, y))
            for (west, south, east, north), part in self._lost
        )

    def may_be_lost(self, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Whether points may lie in a perimeter whose outline was lost in repair."""
        found = np.zeros(len(x), dtype=bool)
        for (west, south, east, north), part in self._lost:
            near = np.flatnonzero((x >= west) & (x <= east))
            near = near[(y[near] >= south) & (y[near] <= north)]
            found[near] |= shapely.intersects_xy(part, x[near], y[near])
        return found


def _wide(cell: float, covered: float, most: float) -> float:
    """Side of cells, metres: wider where there would be too many of them."""
    return float(max(cell, (covered / most) ** 0.5))
