"""Connected zones of lattice cells, without a raster: runs of consecutive cells are nodes of a sparse graph.

Memory follows the number of cells, not the extent. The labels are those of `scipy.ndimage.label` on the raster of the
cells: numbered by the first cell of each zone, southern rows first, west to east.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from qpvgeo.geometry.insee_lattice import Cells

__all__ = ["Contiguity", "connected_zones"]

Contiguity = Literal["queen", "rook"]

Integers = npt.NDArray[np.int64]


def connected_zones(cells: Cells, *, contiguity: Contiguity = "queen", gap: int = 0) -> Integers:
    """Number the connected zones of cells.

    Parameters
    ----------
    cells
        Cells of one lattice, each once, in any order.
    contiguity : {"queen", "rook"}
        Whether cells that share only a corner touch (`"queen"`), or need a side (`"rook"`).
    gap
        How many missing cells a zone may step over: cells are joined up to `gap + 1` steps apart, counted as a king
        moves (`"queen"`) or as a rook does (`"rook"`).

    Returns
    -------
    numpy.ndarray
        Number of the zone of each cell, from 0, in the order of the cells.

    Examples
    --------
    >>> from qpvgeo.geometry.insee_lattice import parse_ids
    >>> corner = parse_ids(["CRS3035RES200mN2000000E4000000", "CRS3035RES200mN2000200E4000200"])
    >>> connected_zones(corner).tolist(), connected_zones(corner, contiguity="rook").tolist()
    ([0, 0], [0, 1])
    """
    if not len(cells):
        return np.empty(0, np.int64)
    steps = gap + 1
    size = cells.lattice.size
    row = (cells.north - cells.north.min()) // size
    column = (cells.east - cells.east.min()) // size + steps
    width = int(column.max()) + 1 + 2 * steps
    place = row * width + column
    order = np.argsort(place, kind="stable")
    ordered = place[order]
    # margins on both sides are wider than a step, so that no run goes on in the next row
    begins = np.r_[True, np.diff(ordered) > 1]
    run = np.cumsum(begins) - 1
    first, last = ordered[begins], ordered[np.r_[begins[1:], True]]
    lower, upper = _touching_runs(first, last, width, steps, diagonal=contiguity == "queen")
    count = len(first)
    graph = csr_array((np.ones(len(lower), np.int8), (lower, upper)), shape=(count, count))
    label = connected_components(graph, directed=False)[1]
    # in the order of the first run of each zone
    _, met, inverse = np.unique(label, return_index=True, return_inverse=True)
    number = np.empty(len(met), np.int64)
    number[np.argsort(met)] = np.arange(len(met))
    found = np.empty(len(cells), np.int64)
    found[order] = number[inverse][run]
    return found


def _touching_runs(
    first: Integers, last: Integers, width: int, steps: int, *, diagonal: bool
) -> tuple[Integers, Integers]:
    """Pairs of runs that touch, or come within the steps."""
    beside = np.flatnonzero(first[1:] - last[:-1] <= steps)
    lower, upper = [beside], [beside + 1]
    for up in range(1, steps + 1):
        aside = steps if diagonal else steps - up
        start = np.searchsorted(last, first + up * width - aside)
        stop = np.searchsorted(first, last + up * width + aside, side="right")
        many = np.maximum(stop - start, 0)
        owner = np.repeat(np.arange(len(first)), many)
        lower.append(owner)
        upper.append(np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(start, many))
    return np.concatenate(lower), np.concatenate(upper)
