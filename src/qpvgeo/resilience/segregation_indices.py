"""Are the poor apart from the others? Indices of the `segregation` package, on the households of cells.

Cells become the units of the package, poor and other households its two groups; the indices are those of the package.
"""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.frames.require import require_columns, require_outlines
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.insee_lattice import Cells, locate
from qpvgeo.language import Note
from qpvgeo.population.grid_columns import checked_cells

__all__ = ["inequality"]

_HALF = 1 / 2


@judged
def inequality(grid: pd.DataFrame, qpv: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give the dissimilarity and the isolation of poor households, in QPV, outside of them, and over all cells.

    Parameters
    ----------
    grid
        Frame of `qpvgeo.read_grid` with `households` and `poor_households`, of the area of interest: the indices
        depend on it.
    qpv
        Perimeters. A cell of which at least half lies in a QPV counts as inside.

    Returns
    -------
    pandas.DataFrame
        On `scope` (`all`, `in QPV`, `outside`): `cells`, `households`, `poor_households`, `dissimilarity` (share of the
        poor who would have to move for an even spread over the cells, 0 to 1) and `isolation` (mean share of the poor
        in the cell of a poor household, 0 to 1). Missing where a scope holds no household of one of the groups. Cells
        without a number of households are left out.

    Raises
    ------
    UsageError
        The package `segregation` is not installed (`pip install 'qpvgeo[inequality]'`).
    DataError
        Columns are missing, no cell gives both, figures are negative or infinite, cells hold more poor households than
        households, or no perimeter touches a cell.

    Notes
    -----
    Imputed cells share the rate of poverty of their group, and the rate of a cell is capped at 80 %: both indices are
    lower than on households themselves.
    """
    require_columns(grid, ["households", "poor_households"], what="The grid")
    lattice = checked_cells(grid)
    require_outlines(qpv, name="qpv")
    try:
        from segregation.singlegroup import Dissim, Isolation  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(Note("resilience.no_segregation"), way_out=Note("resilience.install_segregation")) from error
    inside = _inside(lattice, qpv)
    table = pd.DataFrame(
        {
            "poor": grid["poor_households"].astype("Float64").to_numpy(float, na_value=np.nan),
            "all": grid["households"].astype("Float64").to_numpy(float, na_value=np.nan),
        }
    )
    more = grid.index[(table["poor"] > table["all"]).to_numpy()]
    if len(more):
        raise DataError(Note("resilience.more_poor_than_all", count=len(more)), problems=map(str, more))
    known = (table.notna().all(axis=1) & (table["all"] > 0)).to_numpy()
    if not known.any():
        raise DataError(Note("resilience.no_households"), way_out=Note("resilience.no_households_way_out"))
    rows = {}
    for scope, kept in (("all", known), ("in QPV", known & inside), ("outside", known & ~inside)):
        cells = table[kept].reset_index(drop=True)
        poor, everyone = cells["poor"].sum(), cells["all"].sum()
        both = 0 < poor < everyone
        rows[scope] = {
            "cells": len(cells),
            "households": everyone,
            "poor_households": poor,
            "dissimilarity": _index(Dissim, cells) if both else np.nan,
            "isolation": _index(Isolation, cells) if both else np.nan,
        }
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("scope").astype({"cells": "int64"})
    files = [*provenance(grid).get("files", []), *provenance(qpv).get("files", [])]
    return stamp(found, files, fictional=is_fictional(grid, qpv), notes=[Note("resilience.capped_poverty")])


def _index(kind: Any, cells: pd.DataFrame) -> float:  # noqa: ANN401 - a class of the package
    return float(kind(cells, group_pop_var="poor", total_pop_var="all").statistic)


def _inside(lattice: Cells, qpv: gpd.GeoDataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether at least half of each cell lies in a QPV."""
    found = cover(qpv, lattice.lattice)
    at = locate(Cells(lattice.lattice, found.cells.north, found.cells.east), lattice)
    if not (at >= 0).any():
        raise DataError(Note("resilience.no_cells"), way_out=Note("resilience.no_cells_way_out"))
    share = np.bincount(at[at >= 0], found.share[at >= 0], len(lattice.east))
    return np.asarray(share >= _HALF)
