"""Cells between others: where a grid has none there, nobody lives; beyond them it was perhaps not read."""

import numpy as np
import numpy.typing as npt

from qpvgeo.geometry.insee_lattice import Cells

__all__ = ["enclosed"]


def enclosed(wanted: Cells, table: Cells) -> npt.NDArray[np.bool_]:
    """Whether cells lie between others of a table, along their row and along their column.

    Parameters
    ----------
    wanted, table
        Cells of one lattice.

    Examples
    --------
    >>> from qpvgeo.geometry.insee_lattice import neighbours, parse_ids
    >>> ring = neighbours(parse_ids(["CRS3035RES200mN2029800E4252400"]))
    >>> table = Cells(ring[0].lattice, *np.hstack([(one.north, one.east) for one in ring]))
    >>> enclosed(parse_ids(["CRS3035RES200mN2029800E4252400", "CRS3035RES200mN2029800E4252800"]), table).tolist()
    [True, False]
    """
    found = np.ones(len(wanted.north), dtype=bool)
    for one, other in (("north", "east"), ("east", "north")):
        lines, at = np.unique(getattr(wanted, one), return_inverse=True)
        near = np.isin(getattr(table, one), lines)
        line, along = np.searchsorted(lines, getattr(table, one)[near]), getattr(table, other)[near]
        first, last = np.full(len(lines), np.inf), np.full(len(lines), -np.inf)
        np.minimum.at(first, line, along)
        np.maximum.at(last, line, along)
        found &= (first[at] <= getattr(wanted, other)) & (getattr(wanted, other) <= last[at])
    return found
