"""Candidate zones and what comes near, on cases worked by hand."""

import pandas as pd
import pytest
import shapely
from tests.builders import refused
from tests.designation.grids import ROWS, cell_id, grid_of, medians_of, qpv_of, units_of

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError


@pytest.fixture
def cells():
    return qg.eligible_cells(grid_of(ROWS), units_of(), national_median=20_000)


def near(found, kind):
    return found.near_misses[found.near_misses["kind"] == kind]


def test_one_zone_passes_one_is_short_of_people_and_one_cell_is_a_little_too_rich(cells):
    found = qg.candidate_zones(cells, geometry=True)
    assert found.zones["population"].tolist() == [1_100]
    assert found.zones["area_km2"].tolist() == [0.08]
    assert found.zones.geometry.iloc[0].equals(shapely.box(4_000_000, 2_000_000, 4_000_400, 2_000_200))
    assert near(found, "people")[["population", "short_by"]].to_numpy().tolist() == [[850, 150]]
    assert near(found, "income")["population"].tolist() == [500]
    assert found.cells["zone"].tolist() == [1, 1, pd.NA, pd.NA, pd.NA]


def test_a_zone_of_exactly_the_least_people_passes(cells):
    assert len(qg.candidate_zones(cells, min_population=1_100).zones) == 1
    assert len(qg.candidate_zones(cells, min_population=1_101).zones) == 0


def test_tenths_that_make_up_the_least_people_are_a_candidate_in_every_table():
    # ten times 0.1 is 0.9999999999999999 in binary
    cells = medians_of([(0, east, 0.1, 11_000) for east in range(10)])
    found = qg.candidate_zones(cells, min_population=1)
    assert found.zones["narrow"].tolist() == [False]
    table = qg.designation.designation_sensitivity(
        cells, threshold_factors=[1], contiguity=["rook"], gap=[0], min_population=[1]
    )
    assert table["zones"].tolist() == [1]


@pytest.mark.parametrize(
    ("column", "value", "key"),
    [("eligible", "False", "not_truths"), ("population", "12", "income_not_numbers")],
)
def test_texts_in_the_table_of_cells_are_refused(cells, column, value, key):
    texts = cells.assign(**{column: value})
    error = refused(lambda: qg.candidate_zones(texts), "designation.cells_unusable", DataError)
    assert [problem.key for problem in error.problems] == [f"designation.{key}"]


def test_a_gap_that_is_too_long_is_told_the_longest(cells):
    error = refused(lambda: qg.candidate_zones(cells, gap=1_001), "designation.zones_options", UsageError)
    assert error.problems[0].values["most"] == 1_000


# The threshold is 12,000 euros: 12,600 if it were 5 % higher, 11,400 if it were 5 % lower.
STRIPS = [
    (0, 0, 1_000, 11_399),
    (2, 0, 1_000, 11_400),
    (4, 0, 1_000, 12_000),
    (6, 0, 1_000, 12_599),
    (8, 0, 1_000, 12_600),
    # 700 people; with the 300 of the next cell they are a zone
    (10, 0, 700, 11_000),
    (10, 1, 300, 12_300),
    # a candidate that a higher threshold only makes larger
    (12, 0, 1_000, 11_000),
    (12, 1, 200, 12_300),
]


def test_what_is_within_five_percent_of_the_threshold_on_either_side():
    found = qg.candidate_zones(medians_of(STRIPS))
    assert near(found, "income")["cell_id"].tolist() == [cell_id(4, 0), cell_id(6, 0), cell_id(10, 1), cell_id(12, 1)]
    assert near(found, "narrow cell")["cell_id"].tolist() == [cell_id(2, 0)]


def test_zones_that_a_higher_threshold_would_make_and_a_lower_one_unmake():
    found = qg.candidate_zones(medians_of(STRIPS))
    # three zones of 1,000 people; that at 11,400 is not strictly below 11,400
    assert found.zones["narrow"].tolist() == [False, True, False]
    assert near(found, "narrow zone")["zone"].tolist() == [2]
    would = near(found, "threshold")
    assert would["population"].tolist() == [1_000, 1_000, 1_000]
    # what each needs: 12,000 / 12,000 - 1, 12,599 / 12,000 - 1, 12,300 / 12,000 - 1
    assert would["short_by"].round(6).tolist() == [0, round(599 / 12_000, 6), 0.025]


def test_a_zone_that_shrinks_below_the_least_people_is_narrow():
    # 600 at 11,000 and 500 at 11,900: the second is lost at 11,400
    found = qg.candidate_zones(medians_of([(0, 0, 600, 11_000), (0, 1, 500, 11_900)]))
    assert found.zones["narrow"].tolist() == [True]


def test_cells_that_are_not_known_are_in_no_zone_and_near_none():
    found = qg.candidate_zones(medians_of([(0, 0, 600, 11_000), (0, 1, 500, None), (0, 2, 600, 11_000)]))
    assert len(found.zones) == 0
    assert set(found.near_misses["kind"]) <= {"people"}


def test_the_imputed_share_is_missing_where_nothing_says():
    rows = [(0, 0, 900, 11_000), (0, 1, 300, 11_000)]
    said = medians_of(rows, imputed=[True, False])
    assert qg.candidate_zones(said).zones["imputed_share"].tolist() == [0.75]
    bare = medians_of(rows, imputed=None, households=None)
    assert qg.candidate_zones(bare).zones["imputed_share"].isna().all()


def test_imputed_cells_set_aside_are_in_no_zone():
    grid = grid_of(ROWS, imputed=[True, False, False, False, False])
    cells = qg.eligible_cells(grid, units_of(), national_median=20_000, set_aside=["imputed"])
    found = qg.candidate_zones(cells, min_population=500)
    assert found.zones["population"].tolist() == [850, 500]
    assert found.zones.attrs["qpvgeo"]["set_aside"] == ["imputed"]


def test_the_density_of_the_regime_is_asked_of_zones():
    # a zone of 25 cells of 100 people: 2,500 to the square kilometre; of 41 people: 1,025
    units = units_of(mean=20_000).set_axis(["97202"])
    for people, zones in ((100, 1), (41, 0)):
        grid = grid_of([(0, east, people, 9_000, 10) for east in range(25)], communes=[["97202"]] * 25)
        cells = qg.eligible_cells(grid, units, national_median=20_000, regime="martinique-reunion-2014")
        assert len(qg.candidate_zones(cells).zones) == zones


@pytest.mark.parametrize(
    "options",
    [{"contiguity": "bishop"}, {"gap": -1}, {"gap": 0.5}, {"gap": True}, {"gap": 10**9}]
    + [{"min_population": least} for least in ("x", float("nan"), float("inf"), -1, True, None)],
    ids=str,
)
def test_options_that_cannot_be_are_refused(cells, options):
    refused(lambda: qg.candidate_zones(cells, **options), "designation.zones_options", UsageError)


@pytest.mark.parametrize("bad", [None, "cells", pd.DataFrame({"a": [1]})])
def test_other_things_are_refused(bad):
    for call in (
        lambda: qg.eligible_cells(bad, units_of(), national_median=20_000),
        lambda: qg.eligible_cells(grid_of(ROWS), bad, national_median=20_000),
        lambda: qg.candidate_zones(bad),
        lambda: qg.designation.compare_with_official(bad, qpv_of((0, 0, 1, 1))),
        lambda: qg.designation.judge_perimeters(qpv_of((0, 0, 1, 1)), bad),
        lambda: qg.designation.designation_sensitivity(bad),
    ):
        refused(call)
