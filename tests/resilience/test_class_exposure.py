"""Exposure class by class: nobody is lost between classes, and limits are judged."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from tests.builders import refused
from tests.resilience.test_exposed_people import box, grid_of, layer

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.resilience import exposure_by_class

ROW = [100, 200, 300, 400]


def of(found, column="estimate"):
    """Values of the one QPV by class."""
    return found[column].loc["a"].to_dict()


def zones(*grades):
    return layer(*(box(n, 0, n + 1, 1) for n in range(len(grades)))).assign(grade=list(grades))


def test_people_outside_of_polygons_that_do_not_say_where_they_looked_are_unknown():
    found = exposure_by_class(layer(box(0, 0, 4, 1)), zones("high", "low"), grid_of(ROW), "grade")
    assert of(found) == {"high": 100, "low": 200, "(unknown)": 700}
    assert found["share"].isna().all()


def test_people_in_no_polygon_of_what_it_covers_are_a_row_of_their_own():
    found = exposure_by_class(
        layer(box(0, 0, 4, 1)), zones("high", "low"), grid_of(ROW), "grade", covered=layer(box(0, 0, 3, 1))
    )
    assert of(found) == {"high": 100, "low": 200, "(outside)": 300, "(unknown)": 400}
    shares = of(found, "share")
    assert [shares[name] for name in ("high", "low", "(outside)")] == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    # the 400 of whom nothing is known may be of each class
    assert of(found, "high") == {"high": 500, "low": 600, "(outside)": 700, "(unknown)": 400}


@pytest.mark.parametrize("missing", [None, np.nan, "", " "], ids=["none", "nan", "empty", "blank"])
def test_people_in_a_shape_without_a_class_are_not_lost(missing):
    found = exposure_by_class(
        layer(box(0, 0, 4, 1)), zones("high", missing), grid_of(ROW), "grade", covered="everywhere"
    )
    assert of(found) == {"high": 100, "(no class)": 200, "(outside)": 700, "(unknown)": 0}
    # those without a class may be of the class, and are in no share of it
    assert of(found, "high")["high"] == 300
    assert of(found, "share")["high"] == pytest.approx(100 / 800)


@pytest.mark.parametrize("taken", ["(no class)", "(outside)", " (unknown) "])
def test_a_class_named_as_a_row_beside_the_classes_is_refused(taken):
    found = refused(
        lambda: exposure_by_class(layer(box(0, 0, 4, 1)), zones("high", taken), grid_of(ROW), "grade"),
        "resilience.classes_taken",
        UsageError,
    )
    assert found.message.values["classes"] == taken.strip()


def test_values_take_their_limits_alone():
    wrong = lambda: exposure_by_class(layer(box(0, 0, 4, 1)), "v", grid_of(ROW, v=1.0), [1], covered="everywhere")  # noqa: E731
    assert refused(wrong, "resilience.unknown_options", UsageError).way_out.key == "resilience.limits_alone"


def test_classes_say_what_exposure_says_of_its_layer():
    area, parks = layer(box(0, 0, 4, 1)), layer(box(0, 0, 1, 1).centroid).assign(kind="park")
    found = exposure_by_class(area, parks, grid_of(ROW), "kind", within_m=150)
    whole = qg.exposure(area, parks, grid_of(ROW), within_m=150)
    assert found.attrs["qpvgeo"]["notes"] == whole.attrs["qpvgeo"]["notes"]


def test_classes_are_in_order_whatever_they_are_made_of():
    area, grid = layer(box(0, 0, 4, 1)), grid_of(ROW)
    numbers = exposure_by_class(area, zones(10, 2, 1), grid, "grade", covered="everywhere")
    assert list(of(numbers))[:3] == ["1", "2", "10"]
    grades = pd.Categorical(["strong", "weak", "strong"], ["weak", "middle", "strong"], ordered=True)
    ordered = exposure_by_class(area, zones(1, 2, 3).assign(grade=grades), grid, "grade", covered="everywhere")
    assert of(ordered) == {"weak": 200, "strong": 400, "(outside)": 400, "(unknown)": 0}


def test_classes_of_points_are_those_nearer_than_the_distance():
    parks = layer(box(0, 0, 1, 1).centroid, box(3, 0, 4, 1).centroid).assign(kind=["park", "garden"])
    found = exposure_by_class(layer(box(0, 0, 4, 1)), parks, grid_of(ROW), "kind", within_m=150)
    assert of(found)["(unknown)"] == 0
    assert sum(of(found).values()) == pytest.approx(1000)


def test_classes_of_a_column_are_apart_and_add_up():
    grid = grid_of(ROW, heat=[30.0, 35.0, 40.0, np.nan])
    found = exposure_by_class(layer(box(0, 0, 4, 1)), "heat", grid, [35, 40])
    assert of(found) == {"< 35": 100, "35 – 40": 200, "≥ 40": 300, "(unknown)": 400}
    assert list(of(found)) == ["< 35", "35 – 40", "≥ 40", "(unknown)"]
    assert found["share"].sum() == pytest.approx(1)


def test_limits_that_are_close_stay_apart():
    grid = grid_of([1, 2, 4], income=[1_000_000.05, 1_000_000.15, 1_000_000.25])
    found = exposure_by_class(layer(box(0, 0, 3, 1)), "income", grid, [1_000_000.1, 1_000_000.2])
    assert list(of(found).values()) == [1, 2, 4, 0]


def test_a_table_of_the_caller_has_classes_too():
    metres = pd.Series([90.0, 410.0], index=["a", "b"], name="metres")
    areas = layer(box(0, 0, 1, 1), box(1, 0, 3, 1), box(3, 0, 4, 1))
    found = exposure_by_class(areas, metres, grid_of(ROW), [300])
    assert found["estimate"].fillna(-1).to_dict() == {
        ("a", "< 300"): 100,
        ("a", "≥ 300"): 0,
        ("a", "(unknown)"): 0,
        ("b", "< 300"): 0,
        ("b", "≥ 300"): 500,
        ("b", "(unknown)"): 0,
        # of this one the table says nothing
        ("c", "< 300"): -1,
        ("c", "≥ 300"): -1,
        ("c", "(unknown)"): 400,
    }


@pytest.mark.parametrize("limits", [(35, 40), np.array([35, 40]), pd.Series([35, 40]), [np.int64(35), np.float32(40)]])
def test_limits_may_be_any_list_of_numbers(limits):
    found = exposure_by_class(layer(box(0, 0, 1, 1)), "heat", grid_of([1], heat=[36.0]), limits)
    assert of(found)["35 – 40"] == 1


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        ([], "resilience.no_limits"),
        ("35", "resilience.no_limits"),
        (None, "resilience.no_limits"),
        (35, "resilience.no_limits"),
        ([np.nan], "resilience.limit_not_number"),
        ([1, np.inf], "resilience.limit_not_number"),
        ([1, "2"], "resilience.limit_not_number"),
        ([True], "resilience.limit_not_number"),
        ([3, 2], "resilience.limits_fall"),
        ([2, 2], "resilience.limits_fall"),
    ],
    ids=str,
)
def test_limits_that_are_none_are_refused(limits, key):
    call = lambda: exposure_by_class(layer(box(0, 0, 1, 1)), "heat", grid_of([1], heat=[1.0]), limits)  # noqa: E731
    error = refused(call, "resilience.limits", UsageError)
    assert {problem.key for problem in error.problems} == {key}


def test_every_wrong_limit_is_listed():
    call = lambda: exposure_by_class(layer(box(0, 0, 1, 1)), "heat", grid_of([1], heat=[1.0]), [1, "a", None])  # noqa: E731
    assert len(refused(call, "resilience.limits", UsageError).problems) == 2


@pytest.mark.parametrize("by", ["nothing", "geometry", 3, None, ["grade"]], ids=str)
def test_classes_of_no_column_are_refused(by):
    call = lambda: exposure_by_class(layer(box(0, 0, 1, 1)), zones("high"), grid_of([1]), by)  # noqa: E731
    refused(call, "resilience.no_class_column", UsageError)


def test_a_column_without_a_class_is_refused():
    call = lambda: exposure_by_class(layer(box(0, 0, 1, 1)), zones(None), grid_of([1]), "grade")  # noqa: E731
    refused(call, "resilience.no_classes", UsageError)


@pytest.mark.parametrize("option", ["above", "quantile", "around", "up"])
def test_options_that_classes_do_not_take_are_refused_and_not_passed_over(option):
    area, grid = layer(box(0, 0, 1, 1)), grid_of([1], heat=[1.0])
    refused(lambda: exposure_by_class(area, "heat", grid, [1], **{option: 1}), "resilience.unknown_options", UsageError)
    call = lambda: exposure_by_class(area, zones("high"), grid, "grade", **{option: 1})  # noqa: E731
    refused(call, "resilience.unknown_options", UsageError)


def test_floods_of_the_sample_by_grade():
    sample = qg.sample()
    qpv, grid = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019)
    floods = gpd.read_file(sample.floods)
    found = exposure_by_class(qpv, floods, grid, "alea", covered="everywhere")
    found = found["estimate"].reset_index().pivot_table(index="qpv_code", columns="class", values="estimate")
    whole = qg.exposure(qpv, floods, grid, covered="everywhere")
    # grades lie apart: together they are the zone
    whole = whole.loc[found.index]
    assert found[["Faible", "Moyen", "Fort"]].sum(axis=1).to_numpy() == pytest.approx(whole["estimate"].to_numpy())
    assert found.sum(axis=1).to_numpy() == pytest.approx(whole["population"].to_numpy())
