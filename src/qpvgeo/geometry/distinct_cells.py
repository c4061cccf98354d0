"""Cells of a grid frame, each once: told by their coordinates, several times faster than by the texts of their ids."""

import numpy as np
import pandas as pd

from qpvgeo.errors import DataError
from qpvgeo.frames.require import require_unique_cells
from qpvgeo.geometry.insee_lattice import Cells, cells_of, format_ids

__all__ = ["distinct_cells"]


def distinct_cells(grid: pd.DataFrame) -> Cells:
    """Cells of a grid frame in which no cell stands twice.

    Raises
    ------
    DataError
        Cells appear several times, else ids are not those of one lattice: lists them.

    Examples
    --------
    >>> grid = pd.DataFrame({"population": [3.0]}, index=["CRS3035RES200mN2029800E4252400"])
    >>> distinct_cells(grid).east.tolist()
    [4252400]
    """
    try:
        cells = cells_of(grid)
    except DataError:
        require_unique_cells(grid)
        raise
    if not _in_order(cells):
        order = np.lexsort((cells.east, cells.north))
        north, east = cells.north[order], cells.east[order]
        if ((north[1:] == north[:-1]) & (east[1:] == east[:-1])).any():
            require_unique_cells(grid)
            # the same cell, written in two ways
            require_unique_cells(grid.set_axis(pd.Index(format_ids(cells)), axis="index"))
    return cells


def _in_order(cells: Cells) -> bool:
    """Whether cells stand northwards, then eastwards, as in the order of their ids."""
    up, right = np.diff(cells.north), np.diff(cells.east)
    return bool(((up > 0) | ((up == 0) & (right > 0))).all())
