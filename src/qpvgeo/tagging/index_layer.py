"""Perimeters of one territory and one vintage, in its legal projection, and what answers questions about points there.

What answers is built at the first question that needs it, and coarser when few points will be asked about: the answers
are the same, and the building is over sooner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geometry.boundary_distance import Limits
from qpvgeo.geometry.parallel import PerProcess
from qpvgeo.geometry.point_location import PointGrid

__all__ = ["Layer"]

_MOST_CELLS, _MOST_LIMITS_CELLS = 1.6e7, 4e6
"""Perimeters as large as communes get larger cells, so that the index keeps to a few hundred megabytes."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How what answers is built while fewer points than that have been asked about.

    Attributes
    ----------
    points
        Number of points.
    by_boxes
        Whether in or out is answered by the boxes around perimeters, without a look at their outlines.
    cell, limits_cell
        Sides of the cells that answer in or out, and distances, metres.
    """

    points: float
    by_boxes: bool
    cell: float
    limits_cell: float


_STEPS = (
    _Step(2e6, by_boxes=True, cell=200.0, limits_cell=400.0),
    _Step(8e6, by_boxes=False, cell=100.0, limits_cell=200.0),
    _Step(np.inf, by_boxes=False, cell=50.0, limits_cell=100.0),
)
"""What the finer saves in asking is, from that number of points on, more than what it costs in building."""

Shapes = npt.NDArray[np.object_]


class Layer:
    """Perimeters of one territory and one vintage, in its legal projection.

    Attributes
    ----------
    territory, vintage
        Code; year, or None for perimeters that have none.
    codes
        Labels of the perimeters: the smaller first, then the lower. It is the order in which they win.
    areas
        Their outlines, metres.
    """

    def __init__(
        self,
        territory: str,
        vintage: int | None,
        codes: Sequence[str],
        areas: Shapes,
        *,
        grid: PointGrid | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.territory, self.vintage = territory, vintage
        self.codes = np.array(codes, dtype=object)
        self.areas = areas
        self._grid, self._limits = grid, limits
        self._asked = 0.0
        # what a file brings is the finest, and so is what is built without a word on the number of points
        self._step = len(_STEPS) - 1
        self._lock = PerProcess(Lock)

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock, which stays in its process."""
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """What another process sent, with a lock of its own."""
        vars(self).update(state, _lock=PerProcess(Lock))

    def expect(self, many: float) -> None:
        """Say how many points will be asked about; infinitely many for the finest that answers."""
        with self._lock.own():
            self._asked += many
            step = next((at for at, one in enumerate(_STEPS) if self._asked < one.points), len(_STEPS) - 1)
            if self._grid is None and self._limits is None:
                self._step = step
            elif step > self._step:
                self._step, self._grid, self._limits = step, None, None

    @property
    def grid(self) -> PointGrid:
        """What answers in or out; built at the first call."""
        with self._lock.own():
            if self._grid is None:
                step = _STEPS[self._step]
                if step.by_boxes:
                    west, south, east, north = shapely.bounds(self.areas).reshape(-1, 4).T
                    ground = float(((east - west) * (north - south)).sum())
                    self._grid = PointGrid.of_boxes(self.areas, cell=_wide(step.cell, ground, _MOST_CELLS))
                else:
                    ground = float(shapely.area(self.areas).sum())
                    self._grid = PointGrid.build(self.areas, cell=_wide(step.cell, ground, _MOST_CELLS))
            return self._grid

    def limits(self, reach: float) -> Limits:
        """What answers distances; built at the first call."""
        with self._lock.own():
            if self._limits is None:
                near = float(shapely.length(self.areas).sum()) * 2 * reach
                cell = _wide(_STEPS[self._step].limits_cell, near, _MOST_LIMITS_CELLS)
                self._limits = Limits.build(self.areas, reach=reach, cell=cell)
            return self._limits


def _wide(cell: float, ground: float, most: float) -> float:
    """Side of cells, metres: wider where there would be too many of them."""
    return float(max(cell, (ground / most) ** 0.5))
