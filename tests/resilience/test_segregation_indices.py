"""Indices of the package `segregation` on the households of cells: extremes by hand, and what is no household."""

import numpy as np
import pytest
from tests.builders import refused
from tests.resilience.test_exposed_people import box, grid_of, layer

from qpvgeo.errors import DataError
from qpvgeo.resilience import inequality


def test_poor_households_that_live_apart_are_wholly_dissimilar():
    pytest.importorskip("segregation")
    grid = grid_of([200, 200], households=[100.0, 100.0], poor_households=[100.0, 0.0])
    found = inequality(grid, layer(box(0, 0, 1, 1)))
    assert found.loc["all", ["cells", "households", "dissimilarity", "isolation"]].tolist() == [2, 200, 1, 1]
    # with one group alone there is nothing to tell apart
    assert found.loc[["in QPV", "outside"], "dissimilarity"].isna().all()
    even = inequality(grid.assign(poor_households=[30.0, 30.0]), layer(box(0, 0, 1, 1)))
    assert even.loc["all", ["dissimilarity", "isolation"]].tolist() == pytest.approx([0, 0.3])


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({}, None),
        ({"households": [10.0, 20.0], "poor_households": [11.0, 2.0]}, "resilience.more_poor_than_all"),
        ({"households": [np.nan] * 2, "poor_households": [1.0, 2.0]}, "resilience.no_households"),
        ({"households": [-10.0, 20.0], "poor_households": [1.0, 2.0]}, "population.impossible_figures"),
        ({"households": [np.inf, 20.0], "poor_households": [1.0, 2.0]}, "population.impossible_figures"),
    ],
    ids=["missing", "none known", "more poor than all", "negative", "infinite"],
)
def test_households_that_cannot_be_are_refused(columns, key):
    pytest.importorskip("segregation")
    refused(lambda: inequality(grid_of([1, 1], **columns), layer(box(0, 0, 1, 1))), key, DataError)
