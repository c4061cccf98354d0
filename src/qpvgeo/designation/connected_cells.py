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
    # places of a country fit four bytes, and are found twice as fast in them
    small = (int(row.max()) + 2 * steps) * width < np.iinfo(np.int32).max
    place = (row * width + column).astype(np.int32 if small else np.int64)
    # ids are mostly in order: to look costs less than to sort
    order = None if bool((place[1:] > place[:-1]).all()) else np.argsort(place, kind="stable")
    ordered = place if order is None else place[order]
    # margins on both sides are wider than a step, so that no run goes on in the next row
    begins = np.empty(len(ordered), bool)
    begins[0] = True
    np.greater(ordered[1:], ordered[:-1] + 1, out=begins[1:])
    starts = np.flatnonzero(begins)
    first, last = ordered[starts], ordered[np.append(starts[1:], len(ordered)) - 1]
    graph = _graph(first, last, width, steps, diagonal=contiguity == "queen")
    label = connected_components(graph, directed=False)[1]
    zone_of = _by_first_run(label)
    zone = np.repeat(zone_of, np.diff(np.append(starts, len(ordered))))
    if order is None:
        return zone
    found = np.empty(len(cells), np.int64)
    found[order] = zone
    return found


def _by_first_run(label: npt.NDArray[np.int32]) -> Integers:
    """Labels numbered in the order of the first run of each zone."""
    highest = np.maximum.accumulate(label)
    if label[0] == 0 and bool((highest[1:] - highest[:-1] <= 1).all()):
        return label.astype(np.int64)
    _, met, inverse = np.unique(label, return_index=True, return_inverse=True)
    number = np.empty(len(met), np.int64)
    number[np.argsort(met)] = np.arange(len(met))
    return number[inverse]


def _graph(first: Integers, last: Integers, width: int, steps: int, *, diagonal: bool) -> csr_array:
    """Runs that touch, or come within the steps, as a sparse graph: each pair once, from the lower run."""
    if steps == 1:
        # every neighbour of a run lies in the next row, side by side: the rows of the matrix are ready
        start, many = _above(first, last, width, 1 if diagonal else 0)
        ends = np.concatenate([[0], np.cumsum(many)])
        other = np.arange(ends[-1]) + np.repeat(start - ends[:-1], many)
        shape = (len(first), len(first))
        return csr_array((np.ones(len(other), np.int8), other.astype(np.int32), ends.astype(np.int32)), shape=shape)
    lower, upper = _touching_runs(first, last, width, steps, diagonal=diagonal)
    return csr_array((np.ones(len(lower), np.int8), (lower, upper)), shape=(len(first), len(first)))


def _above(first: Integers, last: Integers, step: int, aside: int) -> tuple[Integers, Integers]:
    """First run within reach of each run some rows above, and how many there are."""
    # a Python number keeps four bytes four bytes
    start = np.searchsorted(last, first + (step - aside))
    stop = np.searchsorted(first, last + (step + aside), side="right")
    return start, np.maximum(stop - start, 0)


def _touching_runs(
    first: Integers, last: Integers, width: int, steps: int, *, diagonal: bool
) -> tuple[Integers, Integers]:
    """Pairs of runs that touch, or come within the steps."""
    beside = np.flatnonzero(first[1:] - last[:-1] <= steps)
    lower, upper = [beside], [beside + 1]
    for up in range(1, steps + 1):
        aside = steps if diagonal else steps - up
        start, many = _above(first, last, up * width, aside)
        owner = np.repeat(np.arange(len(first)), many)
        lower.append(owner)
        upper.append(np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(start, many))
    return np.concatenate(lower), np.concatenate(upper)
