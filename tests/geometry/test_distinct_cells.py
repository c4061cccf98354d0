"""Cells of a grid, each once: as pandas says of the ids, in any order; and one cell written in two ways."""

import numpy as np
import pandas as pd
import pytest
from tests.builders import refused

from qpvgeo.errors import DataError
from qpvgeo.geometry.distinct_cells import distinct_cells
from qpvgeo.geometry.insee_lattice import Cells, Lattice, format_ids


def grid(north, east):
    cells = Cells(Lattice(3035, 200), np.asarray(north, dtype=np.int64) * 200, np.asarray(east, dtype=np.int64) * 200)
    return pd.DataFrame({"population": 1.0}, index=pd.Index(format_ids(cells)))


def test_cells_in_any_order_are_given():
    chance = np.random.default_rng(2)
    place = chance.permutation(900)
    frame = grid(10_000 + place // 30, 20_000 + place % 30)
    found = distinct_cells(frame)
    assert (found.north // 200 - 10_000).tolist() == (place // 30).tolist()
    assert distinct_cells(frame.sort_index()).lattice == Lattice(3035, 200)


@pytest.mark.parametrize("rows", [[0, 0], [0, 1, 1], [2, 0, 1, 0], [0, 1, 2, 3, 2, 0]], ids=str)
def test_cells_that_stand_twice_are_listed_as_pandas_does(rows):
    frame = grid([10_000, 10_000, 10_001, 10_002], [20_000, 20_001, 20_000, 20_000]).iloc[rows]
    error = refused(lambda: distinct_cells(frame), "frames.cells_repeated", DataError)
    assert sorted(error.problems) == sorted(frame.index[frame.index.duplicated()].unique())


def test_one_cell_written_in_two_ways_stands_twice():
    frame = pd.DataFrame(
        {"population": 1.0}, index=["CRS3035RES200mN2029800E4252400", "CRS3035RES200mN02029800E4252400"]
    )
    error = refused(lambda: distinct_cells(frame), "frames.cells_repeated", DataError)
    assert error.problems == ("CRS3035RES200mN2029800E4252400",)


def test_ids_that_are_none_are_refused_after_those_that_repeat():
    refused(lambda: distinct_cells(pd.DataFrame(index=["here", "there"])), kind=DataError)
    refused(lambda: distinct_cells(pd.DataFrame(index=["here", "here"])), "frames.cells_repeated", DataError)


def test_no_cell():
    assert len(distinct_cells(grid([], []))) == 0
