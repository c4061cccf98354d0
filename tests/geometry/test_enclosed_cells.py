"""Cells between others of their row and of their column: by hand, and as a search of every cell finds them."""

import numpy as np
import pytest

from qpvgeo.geometry.enclosed_cells import enclosed
from qpvgeo.geometry.insee_lattice import Cells, Lattice

LATTICE = Lattice(3035, 200)


def cells(*pairs):
    at = np.array(pairs, dtype=np.int64).reshape(-1, 2) * 200
    return Cells(LATTICE, at[:, 0], at[:, 1])


def test_a_corner_of_an_l_is_not_enclosed():
    table = cells((0, 0), (1, 0), (2, 0), (0, 1), (0, 2))
    assert enclosed(cells((0, 1), (1, 1), (2, 2), (9, 9)), table).tolist() == [True, False, False, False]


def test_no_cell_is_enclosed_by_none():
    assert enclosed(cells((0, 0)), cells()).tolist() == [False]
    assert enclosed(cells(), cells((0, 0))).tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_as_a_search_of_every_cell_finds(seed):
    draw = np.random.default_rng(seed)
    table = {tuple(pair) for pair in draw.integers(0, 8, (20, 2)).tolist()}
    wanted = [(north, east) for north in range(8) for east in range(8)]

    def between(north, east):
        row, column = [e for n, e in table if n == north], [n for n, e in table if e == east]
        return bool(row and column) and min(row) <= east <= max(row) and min(column) <= north <= max(column)

    assert enclosed(cells(*wanted), cells(*table)).tolist() == [between(*one) for one in wanted]
