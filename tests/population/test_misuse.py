"""What is not a layer, a grid, points or totals gets one error of ours, never one from inside a library."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Point, box
from tests.builders import layer, refused

from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry.cell_cover import overlap_cells
from qpvgeo.geometry.insee_lattice import Cells, Lattice, format_ids
from qpvgeo.population.boundary_profiles import boundary_profile
from qpvgeo.population.estimation import estimate_population

N, E = 3_070_000, 3_830_000
CELLS = Cells(Lattice(3035, 200), np.array([N, N, N]), np.array([E, E + 200, E + 400]))
GRID = pd.DataFrame(
    {"population": [100.0, 200.0, 400.0], "households": [50.0, 100.0, 200.0], "communes": [["59350"]] * 3},
    index=format_ids(CELLS),
)
QPV = layer({"a": box(E, N, E + 300, N + 200), "b": box(E + 300, N, E + 600, N + 200)}, crs=3035)
POINTS = layer({"p": Point(E + 10, N + 10)}, crs=3035)

NO_LAYER = {
    "nothing": None,
    "path": Path("qpv.gpkg"),
    "name": "qpv-2024",
    "number": 3,
    "list": [box(0, 0, 1, 1)],
    "array": np.array([box(0, 0, 1, 1)]),
    "one shape": box(0, 0, 1, 1),
    "plain frame": pd.DataFrame({"geometry": [box(0, 0, 1, 1)]}),
    "plain series": pd.Series([box(0, 0, 1, 1)]),
    "without geometry": gpd.GeoDataFrame({"a": [1]}),
}
BAD_LAYER = {
    "no CRS": QPV.set_crs(None, allow_override=True),
    "points": POINTS,
    "lines": layer({"l": shapely.LineString([(E, N), (E + 9, N)])}, crs=3035),
    "infinite": layer({"i": shapely.Polygon([(E, N), (E + 9, np.inf), (E + 9, N)])}, crs=3035),
}
NO_GRID = {"nothing": None, "path": "grid.csv", "number": 3, "series": GRID["population"], "list": [1], "layer": QPV}
TWO_LEVELS = pd.MultiIndex.from_arrays([GRID.index, [1, 2, 3]])
BAD_GRID = {
    "no people": GRID.drop(columns="population"),
    "people as text": GRID.assign(population=["a", "b", "c"]),
    "people as objects": GRID.assign(population=[{}, [], None]),
    "people as days": GRID.assign(population=pd.date_range("2020-01-01", periods=3)),
    "negative people": GRID.assign(population=[1.0, -1.0, 2.0]),
    "infinite people": GRID.assign(population=[1.0, np.inf, 2.0]),
    "negative households": GRID.assign(households=[1.0, -1.0, 2.0]),
    "text households": GRID.assign(households=["x", "y", "z"]),
    "two columns of people": pd.concat([GRID, GRID["population"]], axis="columns"),
    "no ids": GRID.reset_index(drop=True),
    "a missing id": GRID.set_axis([*GRID.index[:2], None], axis="index"),
    "cells twice": pd.concat([GRID, GRID]),
    "two levels": GRID.set_axis(TWO_LEVELS, axis="index"),
    "no index but a column": GRID.reset_index(names="cell_id"),
    "two projections": GRID.set_axis([*GRID.index[:2], "CRS2975RES200mN7634400E319000"], axis="index"),
}
MEASURES = {
    "estimate": estimate_population,
    "profile": lambda qpv, grid: boundary_profile(qpv, grid, bands=(0,)),
    "cells": overlap_cells,
}


@pytest.mark.parametrize("call", MEASURES.values(), ids=MEASURES.keys())
@pytest.mark.parametrize("qpv", NO_LAYER.values(), ids=NO_LAYER.keys())
def test_what_is_not_a_layer(call, qpv):
    refused(lambda: call(qpv, GRID), kind=UsageError)


@pytest.mark.parametrize("call", MEASURES.values(), ids=MEASURES.keys())
@pytest.mark.parametrize("qpv", BAD_LAYER.values(), ids=BAD_LAYER.keys())
def test_layers_that_are_not_areas(call, qpv):
    refused(lambda: call(qpv, GRID), kind=DataError)


@pytest.mark.parametrize("call", [estimate_population, boundary_profile, overlap_cells])
@pytest.mark.parametrize("grid", NO_GRID.values(), ids=NO_GRID.keys())
def test_what_is_not_a_grid(call, grid):
    refused(lambda: call(QPV, grid))


@pytest.mark.parametrize("call", [estimate_population, boundary_profile])
@pytest.mark.parametrize("grid", BAD_GRID.values(), ids=BAD_GRID.keys())
def test_grids_that_cannot_be_summed(call, grid):
    assert refused(lambda: call(QPV, grid), kind=DataError).way_out


def test_impossible_figures_name_their_cells():
    error = refused(
        lambda: estimate_population(QPV, BAD_GRID["infinite people"]), "population.impossible_figures", DataError
    )
    assert [problem.values["cell"] for problem in error.problems] == [GRID.index[1]]


@pytest.mark.parametrize("points", NO_LAYER.values(), ids=NO_LAYER.keys())
def test_points_that_are_not_a_layer(points):
    refused(lambda: estimate_population(QPV, GRID, method="points", points=points), kind=UsageError)


BAD_TOTALS = {
    "number": 3,
    "text": "x",
    "list": [1, 2],
    "mapping": {"a": 1.0},
    "frame": pd.DataFrame({"population": [1.0]}),
    "of nobody": pd.Series({"x": 1.0}),
    "empty": pd.Series(dtype=float),
    "words": pd.Series({"a": "many"}),
    "negative": pd.Series({"a": -1.0}),
    "infinite": pd.Series({"a": np.inf}),
    "missing": pd.Series({"a": np.nan}),
    "twice": pd.Series([1.0, 2.0], index=["a", "a"]),
    "two levels": pd.Series([1.0], index=pd.MultiIndex.from_tuples([("a", 1)])),
    "days": pd.Series({"a": pd.Timestamp("2020-01-01")}),
}


@pytest.mark.parametrize("totals", BAD_TOTALS.values(), ids=BAD_TOTALS.keys())
def test_totals_that_cannot_be_met(totals):
    refused(lambda: estimate_population(QPV, GRID, method="constrained", constraint=totals))


@pytest.mark.parametrize("method", [None, 3, "median", ["area"], "AREA"])
def test_methods_that_do_not_exist(method):
    refused(lambda: estimate_population(QPV, GRID, method=method), "population.no_method", UsageError)


@pytest.mark.parametrize("bands", [None, 3, "x", [], [1, 1], [2, 1], [np.nan], [np.inf], [None], [[1]], {}])
def test_bands_that_are_not_distances(bands):
    refused(lambda: boundary_profile(QPV, GRID, bands=bands), "population.bad_bands", UsageError)


GOOD_LAYERS = {
    "series": QPV.geometry,
    "other name": QPV.rename_geometry("outline"),
    "repeated labels": QPV.set_axis(["a", "a"], axis="index"),
    "two levels": QPV.set_axis(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), axis="index"),
    "missing label": QPV.set_axis(["a", None], axis="index"),
    "numbers": QPV.reset_index(drop=True),
    "degrees": QPV.to_crs(4326),
    "three axes": QPV.set_geometry(shapely.force_3d(QPV.geometry.array)),
}


@pytest.mark.parametrize("qpv", GOOD_LAYERS.values(), ids=GOOD_LAYERS.keys())
def test_layers_in_other_dress_give_the_same_people(qpv):
    found = estimate_population(qpv, GRID, geometry=True)
    assert found["estimate"].tolist() == pytest.approx([200.0, 500.0], rel=1e-4)
    pd.testing.assert_index_equal(found.index, qpv.index)
    assert boundary_profile(qpv, GRID, bands=(0,))["population"].sum() == pytest.approx(700)
    assert len(overlap_cells(qpv, GRID)) >= 4


GOOD_GRIDS = {
    "nullable": GRID.assign(population=GRID["population"].astype("Float64")),
    "whole numbers": GRID.assign(population=GRID["population"].astype("Int64")),
    "Arrow": GRID.assign(population=GRID["population"].astype("float64[pyarrow]")),
    "object ids": GRID.set_axis(GRID.index.astype(object), axis="index"),
    "categories": GRID.set_axis(pd.CategoricalIndex(GRID.index), axis="index"),
    "as a layer": gpd.GeoDataFrame(GRID, geometry=[box(E, N, E + 1, N + 1)] * 3, crs=3035),
    "people alone": GRID[["population"]],
}


@pytest.mark.parametrize("grid", GOOD_GRIDS.values(), ids=GOOD_GRIDS.keys())
def test_grids_in_other_dress_give_the_same_people(grid):
    assert estimate_population(QPV, grid)["estimate"].tolist() == [200.0, 500.0]
    assert boundary_profile(QPV, grid, bands=(0,))["population"].sum() == pytest.approx(700)


def test_one_missing_number_of_people_stays_missing():
    grid = GRID.assign(population=pd.array([pd.NA, 200, 400], dtype="Int64"))
    assert estimate_population(QPV, grid)["estimate"].isna().tolist() == [True, False]
