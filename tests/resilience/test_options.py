"""Options judged at the door: numbers of NumPy are numbers, and every fault is told at once."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from tests.builders import refused
from tests.resilience.test_exposed_people import EAST, NORTH, box, grid_of, layer

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.resilience import exposure_beside


def grid():
    return grid_of([100, 300], heat=[30.0, 40.0], word=["a", "b"], endless=[1.0, np.inf])


def area():
    return layer(box(0, 0, 2, 1))


def park():
    return layer(shapely.Point(EAST + 100, NORTH + 100))


def keys(call):
    return [problem.key for problem in refused(call, "resilience.options", UsageError).problems]


@pytest.mark.parametrize("number", [np.int64(150), np.float32(150), 150, 150.0], ids=lambda one: type(one).__name__)
def test_distances_may_be_any_number(number):
    found = qg.exposure(layer(box(0, 0, 1, 1)), park(), grid(), within_m=number)
    assert found["estimate"].tolist() == [100]


@pytest.mark.parametrize("number", [np.int64(35), np.float32(35), 35], ids=lambda one: type(one).__name__)
def test_thresholds_may_be_any_number(number):
    assert qg.exposure(area(), "heat", grid(), above=number)["estimate"].tolist() == [300]
    assert qg.exposure(area(), "heat", grid(), below=number)["estimate"].tolist() == [100]


ODD = [True, "300", np.nan, np.inf, -np.inf, [300], pd.NA, np.array([1, 2]), object, 3j]


@pytest.mark.parametrize("odd", [*ODD, -1, 0, 1e6], ids=str)
def test_distances_that_are_none_are_refused(odd):
    assert keys(lambda: qg.exposure(area(), park(), grid(), within_m=odd)) == ["resilience.bad_distance"]


@pytest.mark.parametrize("option", ["above", "below"])
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_thresholds_that_are_none_are_refused(odd, option):
    found = keys(lambda: qg.exposure(area(), "heat", grid(), **{option: odd}))
    assert found == ["resilience.threshold_not_a_number"]


@pytest.mark.parametrize("odd", [*ODD, 0, 1, -0.2, 80], ids=str)
def test_quantiles_that_are_none_are_refused(odd):
    assert keys(lambda: qg.exposure(area(), "heat", grid(), quantile=odd)) == ["resilience.bad_quantile"]


@pytest.mark.parametrize("odd", ["here", "", 3, True, shapely.box(0, 0, 1, 1), pd.DataFrame({"a": [1]}), []], ids=str)
def test_what_is_covered_is_polygons_or_everywhere(odd):
    assert keys(lambda: qg.exposure(area(), area(), grid(), covered=odd)) == ["resilience.bad_covered"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("nothing", "resilience.no_column"),
        ("word", "resilience.column_not_numbers"),
        ("endless", "resilience.column_infinite"),
        ("zones.gpkg", "resilience.read_layer"),
    ],
)
def test_columns_that_hold_no_values_are_refused(name, key):
    assert keys(lambda: qg.exposure(area(), name, grid(), above=3)) == [key]


def test_a_column_that_stands_twice_is_refused():
    twice = pd.concat([grid(), grid()[["heat"]]], axis=1)
    assert keys(lambda: qg.exposure(area(), "heat", twice, above=3)) == ["frames.columns_repeated"]


def test_every_fault_is_in_one_error():
    found = keys(
        lambda: qg.exposure(
            area().set_crs(None, allow_override=True), "none", grid(), above="x", within_m=3, around=3, covered="here"
        )
    )
    assert found == [
        "frames.crs_missing",
        "frames.not_a_layer",
        "resilience.bad_covered",
        "resilience.no_column",
        "resilience.threshold_not_a_number",
        "resilience.column_options",
    ]


def test_a_series_of_shapes_is_a_layer():
    series = gpd.GeoSeries([box(0, 0, 1, 1)], crs=3035)
    found = qg.exposure(area(), series, grid(), covered="everywhere", around=series)
    assert found["estimate"].tolist() == [100]


@pytest.mark.parametrize("units", [None, 3, "communes"])
def test_units_that_are_no_layer_are_told_with_the_other_faults(units):
    found = keys(lambda: exposure_beside(area(), "heat", grid(), units))
    assert found == ["frames.not_a_layer", "resilience.above_or_quantile"]


def test_units_with_a_label_twice_are_refused():
    units = layer(box(0, 0, 1, 1), box(1, 0, 2, 1), labels=["A", "A"])
    assert keys(lambda: exposure_beside(area(), "heat", grid(), units, above=3)) == ["frames.label_repeated"]
