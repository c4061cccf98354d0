"""How zones move with the options: a row per combination, and where its figures come from."""

import pytest
from tests.builders import refused
from tests.designation.grids import ROWS, grid_of, units_of

import qpvgeo as qg
from qpvgeo.errors import UsageError

sensitivity = qg.designation.designation_sensitivity
ONE = {"threshold_factors": [1], "contiguity": ["queen"], "gap": [0], "min_population": [1_000]}


@pytest.fixture
def cells():
    return qg.eligible_cells(grid_of(ROWS), units_of(), national_median=20_000)


@pytest.fixture
def poverty():
    return qg.eligible_cells(grid_of(ROWS), units_of(), national_median=20_000, income="poverty")


def test_people_grow_with_the_threshold(cells):
    table = sensitivity(cells, **ONE | {"threshold_factors": [0.9, 1, 1.05], "contiguity": ["rook"]})
    # at 12,600 the cell of 12,400 joins the zone
    assert table["population"].tolist() == [0, 1_100, 1_600]
    assert table["eligible_population"].tolist() == [0, 1_950, 2_450]


def test_the_proxies_are_one_table_with_the_calibration_of_each(cells, poverty):
    table = sensitivity({"mean": cells, "poverty": poverty}, **ONE)
    assert table[["proxy", "population"]].to_numpy().tolist() == [["mean", 1_100], ["poverty", 1_100]]
    about = table.attrs["qpvgeo"]
    assert about["regime"] == "2014"
    assert about["article"] == "décret 2014-767, art. 2 et 4"
    assert about["calibration"]["mean"]["U"]["factor"] == pytest.approx(1)
    assert about["calibration"]["poverty"]["U"]["poverty_rate"] == pytest.approx(0.4)
    assert {note.key for note in about["notes"]} >= {"designation.proxy_mean", "designation.proxy_poverty"}


@pytest.mark.parametrize("options", [{}, {"gap": [0, 1], "min_population": [500, 1_100], "contiguity": ["rook"]}])
def test_rows_are_those_of_candidate_zones(cells, options):
    table = sensitivity(cells, **ONE | options)
    for row in table.itertuples():
        zones = qg.candidate_zones(
            cells, contiguity=row.contiguity, gap=row.gap, min_population=row.min_population
        ).zones  # fmt: skip
        assert (row.zones, row.cells, row.population) == (len(zones), zones["cells"].sum(), zones["population"].sum())


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({"threshold_factors": [0, -1, float("inf"), float("nan"), True, "1"]}, ["bad_factor"] * 6),
        ({"threshold_factors": []}, ["no_values"]),
        ({"gap": [], "contiguity": ()}, ["no_values", "no_values"]),
        (
            {"contiguity": ["bishop"], "gap": [-1], "min_population": [None]},
            ["bad_contiguity", "bad_gap", "bad_minimum"],
        ),
    ],
    ids=["factors", "no factor", "no values", "others"],
)
def test_every_option_that_cannot_be_is_listed(cells, options, keys):
    error = refused(lambda: sensitivity(cells, **ONE | options), "designation.sensitivity_options", UsageError)
    assert [problem.key for problem in error.problems] == [f"designation.{key}" for key in keys]


@pytest.mark.parametrize("given", [{}, {"mean": None}, None, "cells"], ids=["none", "no frame", "nothing", "text"])
def test_what_is_no_table_of_cells_is_refused(given):
    refused(lambda: sensitivity(given, **ONE))


def test_one_contiguity_may_be_given_alone(cells):
    assert sensitivity(cells, **ONE | {"contiguity": "rook"})["contiguity"].tolist() == ["rook"]


def test_what_is_no_frame_is_refused():
    refused(lambda: sensitivity(None), "frames.not_a_frame", UsageError)
