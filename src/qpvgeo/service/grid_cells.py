"""Cells of a grid, sorted so that those around a polygon are found at once, in a file that all workers map.

A national grid has 2.3 million cells: none of them is in the memory of a worker until somebody draws around it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from qpvgeo.geometry.insee_lattice import Cells, Lattice, cells_of, format_ids

__all__ = ["GridCells"]

_NOT_KEPT = "communes"


@dataclass(eq=False)
class GridCells:
    """Cells of a grid.

    Attributes
    ----------
    lattice
        Projection and size.
    table
        `north` and `east` (metres), sorted, and the figures.
    attrs
        Those of the frame.
    path
        File of the table; None in memory.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> grid, qpv = qg.read_grid(qg.sample().grid_2019), qg.read_qpv(qg.sample().qpv_2024)
    >>> near = GridCells.of(grid).around(qpv.head(1))
    >>> bool(qg.estimate_population(qpv.head(1), near).equals(qg.estimate_population(qpv.head(1), grid)))
    True
    """

    lattice: Lattice
    table: pa.Table | None
    attrs: dict[str, Any]
    path: Path | None = None

    @classmethod
    def of(cls, grid: pd.DataFrame) -> "GridCells":
        """Cells of a frame of `qpvgeo.read_grid`."""
        cells = cells_of(grid)
        north, east = np.asarray(cells.north), np.asarray(cells.east)
        order = np.lexsort((east, north))
        columns: dict[str, Any] = {
            "north": pa.array(north[order], pa.int64()),
            "east": pa.array(east[order], pa.int64()),
        }
        for name in grid.columns:
            if name != _NOT_KEPT:
                columns[str(name)] = pa.array(grid[name].iloc[order], from_pandas=True)
        return cls(cells.lattice, pa.table(columns), dict(grid.attrs))

    def stored(self, path: Path) -> "GridCells":
        """The same, in a file."""
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, self.held.schema) as writer:
            writer.write_table(self.held.combine_chunks())
        return GridCells(self.lattice, None, self.attrs, path)

    @property
    def held(self) -> pa.Table:
        """The table, mapped where it is in a file."""
        if self.table is None:
            self.table = pa.ipc.open_file(pa.memory_map(str(self.path))).read_all()
        return self.table

    def around(self, area: gpd.GeoDataFrame) -> pd.DataFrame:
        """Frame of the cells within the box of an area, as `qpvgeo.estimate_population` takes it."""
        box = area.to_crs(self.lattice.epsg).total_bounds
        table, size = self.held, self.lattice.size
        if not np.isfinite(box).all():
            return self._frame(table.slice(0, 0))
        west, south, east, north = box.tolist()
        first, last = np.searchsorted(_numbers(table, "north"), [south - size, north], side="left").tolist()
        part = table.slice(first, last - first)
        across = _numbers(part, "east")
        return self._frame(part.filter(pa.array((across >= west - size) & (across <= east))))

    def _frame(self, part: pa.Table) -> pd.DataFrame:
        cells = Cells(self.lattice, _numbers(part, "north"), _numbers(part, "east"))
        frame = part.drop_columns(["north", "east"]).to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
        frame.index = format_ids(cells).rename("cell_id")
        frame.attrs = dict(self.attrs)
        return frame

    def __getstate__(self) -> dict[str, Any]:
        """All but a table that is in a file."""
        return vars(self) | ({"table": None} if self.path is not None else {})


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    column = table[name]
    if column.num_chunks == 1:
        found: npt.NDArray[np.int64] = column.chunk(0).to_numpy(zero_copy_only=True)
        return found
    return np.asarray(column.to_numpy(), np.int64)
