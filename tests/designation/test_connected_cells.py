"""Connected zones of cells: the partition, label by label, of scipy.ndimage on a raster."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from qpvgeo.designation.connected_cells import connected_zones
from qpvgeo.geometry.insee_lattice import Cells, Lattice

LATTICE = Lattice(3035, 200)


def cells_of(raster):
    rows, columns = np.nonzero(raster)
    return Cells(LATTICE, rows * 200 + 2_000_000, columns * 200 + 4_000_000)


def test_nothing_is_in_no_zone():
    assert len(connected_zones(cells_of(np.zeros((2, 2))))) == 0


def test_a_u_is_one_zone():
    assert connected_zones(cells_of(np.array([[1, 1, 1], [1, 0, 1]])), contiguity="rook").tolist() == [0] * 5


def test_a_row_does_not_go_on_in_the_next_one():
    assert connected_zones(cells_of(np.array([[0, 0, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]))).tolist() == [0, 1]


@pytest.mark.parametrize(("gap", "zones"), [(0, 2), (1, 1)])
def test_a_gap_is_stepped_over(gap, zones):
    assert connected_zones(cells_of(np.array([[1, 0, 1]])), gap=gap).max() + 1 == zones


def test_a_rook_counts_both_ways_of_a_gap():
    # two steps east and one north is three steps of a rook, two of a king
    raster = np.array([[1, 0, 0], [0, 0, 1]])
    assert connected_zones(cells_of(raster), contiguity="rook", gap=1).tolist() == [0, 1]
    assert connected_zones(cells_of(raster), contiguity="rook", gap=2).tolist() == [0, 0]
    assert connected_zones(cells_of(raster), contiguity="queen", gap=1).tolist() == [0, 0]


rasters = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95)).map(
    lambda drawn: np.random.default_rng(drawn[2]).random(drawn[:2]) < drawn[3]
)


@given(rasters, st.sampled_from(["queen", "rook"]))
@settings(max_examples=200, deadline=None)
def test_labels_are_those_of_ndimage(raster, contiguity):
    structure = np.ones((3, 3)) if contiguity == "queen" else None
    expected = ndimage.label(raster, structure)[0][np.nonzero(raster)] - 1
    assert connected_zones(cells_of(raster), contiguity=contiguity).tolist() == expected.tolist()


@given(rasters, st.sampled_from(["queen", "rook"]), st.integers(0, 2), st.randoms())
@settings(max_examples=100, deadline=None)
def test_zones_are_those_of_all_pairs_of_cells_within_the_steps(raster, contiguity, gap, random):
    cells = cells_of(raster)
    order = list(range(len(cells)))
    random.shuffle(order)
    mixed = Cells(LATTICE, cells.north[order], cells.east[order])
    found = connected_zones(mixed, contiguity=contiguity, gap=gap)
    up, right = (np.abs(np.subtract.outer(side, side)) // 200 for side in (mixed.north, mixed.east))
    near = (np.maximum(up, right) if contiguity == "queen" else up + right) <= gap + 1
    reached = near.copy()
    for _ in range(len(order)):
        wider = reached @ near
        if (wider == reached).all():
            break
        reached = wider
    assert (np.equal.outer(found, found) == reached).all()
