"""Calls and layers that estimates refuse, each with its reason."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box
from tests.builders import refused
from tests.population.small_cells import ROW, UNIFORM, at, grid_of, homes, layer, points

from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry.insee_lattice import Lattice
from qpvgeo.population.estimation import estimate_population

BAD_CALLS = {
    "unknown method": ({"method": "median"}, UsageError, "no method 'median'"),
    "points without layer": ({"method": "points"}, UsageError, "go together"),
    "layer without points": ({"method": "area", "points": points((1, 1))}, UsageError, "go together"),
    "constrained without totals": ({"method": "constrained"}, UsageError, "needs totals"),
    "points without CRS": ({"method": "points", "points": points((1, 1), crs=None)}, DataError, "points have no CRS"),
    "totals of nobody": (
        {"method": "constrained", "constraint": pd.Series({"x": 3.0})},
        DataError,
        "None of the totals",
    ),
    "totals of nothing": ({"method": "constrained", "constraint": pd.Series({0: "x"})}, DataError, "not numbers"),
}


@pytest.mark.parametrize(("options", "error", "says"), BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_bad_call_is_refused(options, error, says):
    with pytest.raises(error, match=says):
        estimate_population(layer(at(0, 0)), UNIFORM, **options)


BAD_GRIDS = {
    "no people": (UNIFORM.drop(columns="population"), "population"),
    "no ids": (UNIFORM.reset_index(drop=True), "cell ids cannot be used"),
    "cells twice": (pd.concat([UNIFORM, UNIFORM.iloc[:2]]), "several times"),
    "two lattices": (pd.concat([UNIFORM, grid_of([[1]], lattice=Lattice(3035, 1000))]), "1 cell id cannot be used"),
}


@pytest.mark.parametrize(("grid", "says"), BAD_GRIDS.values(), ids=BAD_GRIDS.keys())
def test_frame_that_is_no_grid_is_refused(grid, says):
    with pytest.raises(DataError, match=says):
        estimate_population(layer(at(0, 0)), grid)


def test_cells_that_stand_twice_are_listed():
    with pytest.raises(DataError) as caught:
        estimate_population(layer(at(0, 0)), pd.concat([ROW, ROW.iloc[[2, 0]]]))
    assert sorted(caught.value.problems) == sorted(ROW.index[[0, 2]])


def test_perimeters_without_crs_are_refused():
    with pytest.raises(DataError, match="no CRS"):
        estimate_population(gpd.GeoSeries([at(0, 0)]), UNIFORM)


def test_perimeters_that_are_lines_are_refused():
    with pytest.raises(DataError, match="not a polygon"):
        estimate_population(layer(at(0, 0).exterior), UNIFORM)


def test_perimeters_of_another_projection_than_they_say_are_refused():
    """Metres called degrees gave missing figures without a reason."""
    metres = layer(at(0, 0), None, at(400, 0)).to_crs(2154)
    wrong = metres.set_crs(4326, allow_override=True)
    assert refused(lambda: estimate_population(wrong, ROW), "geometry.nowhere").message.values["count"] == 2
    # one that lies abroad is missing beside others
    abroad = gpd.GeoSeries([*metres.to_crs(4326), box(-74.1, 40.7, -74, 40.8)], crs=4326)
    assert estimate_population(abroad, ROW)["estimate"].notna().tolist() == [True, False, True, False]


def swap(layer):
    return layer.geometry.transform(lambda xy: xy[:, ::-1])


@pytest.mark.parametrize("crs", [4326, 2154])
def test_perimeters_with_exchanged_axes_are_refused_with_the_way_out(crs):
    right = layer(at(0, 0), None, at(400, 0)).to_crs(crs)
    with pytest.raises(DataError, match="2 of 2 would with their axes exchanged") as caught:
        estimate_population(swap(right), ROW)
    assert caught.value.way_out == "Exchange them: qpv = qpv.geometry.transform(lambda xy: xy[:, ::-1])."
    assert estimate_population(swap(swap(right)), ROW)["estimate"].iloc[0] == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize("crs", [4326, 2154])
def test_points_with_exchanged_axes_are_refused_with_the_way_out(crs):
    wrong = homes((150, 20), (20, 20), weight=[3, 1]).to_crs(crs)
    wrong = wrong.set_geometry(swap(wrong))
    with pytest.raises(DataError, match="2 of 2 would with their axes exchanged") as caught:
        estimate_population(layer(at(100, 0, 100, 200)), ROW, method="points", points=wrong)
    assert "points = points.set_geometry(points.geometry.transform(" in caught.value.way_out
