"""Verdicts on drawn perimeters, and the change that turns each: applied to the outline and judged again."""

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused
from tests.designation.grids import box, cell_id, grid_of, medians_of, qpv_of, units_of

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError

LEAST = 1_000
judge = qg.designation.judge_perimeters


def judged_one(shape, cells, **options):
    """Verdict on one shape, and its changes."""
    found = judge(gpd.GeoDataFrame(geometry=[shape], index=["drawn"], crs=3035), cells, **options)
    verdict = found.verdicts.loc["drawn"].copy()
    verdict["passes"] = verdict["passes"] if verdict["passes"] is pd.NA else bool(verdict["passes"])
    return verdict, found.changes


def reasons(verdict):
    return [note.key.removeprefix("designation.") for note in verdict["reasons"]]


def applied(shape, changes):
    """The outline once cells are added and left out."""
    for change, cell in changes[["change", "cell_id"]].itertuples(index=False):
        north, east = (int(part) for part in cell.split("N", 1)[1].split("E"))
        square = box(
            (east - 4_000_000) / 200, (north - 2_000_000) / 200, (east - 3_999_800) / 200, (north - 1_999_800) / 200
        )
        shape = shape.union(square) if change == "add" else shape.difference(square)
    return shape


def turned(shape, cells, **options):
    """Verdict before and after its own changes."""
    before, changes = judged_one(shape, cells, **options)
    after, _ = judged_one(applied(shape, changes), cells, **options)
    return before["passes"], after["passes"]


def test_too_few_people_are_made_up_by_the_cell_beside():
    # 600 people at 11,000; beside them 500 at 11,500 are eligible, 700 at 13,000 are not
    cells = medians_of([(0, 0, 600, 11_000), (0, 1, 500, 11_500), (1, 0, 700, 13_000)])
    verdict, changes = judged_one(box(0, 0, 1, 1), cells)
    assert (verdict["passes"], verdict["population_margin"]) == (False, -400)
    assert reasons(verdict) == ["too_few_people"]
    assert changes[["change", "cell_id", "population"]].to_numpy().tolist() == [["add", cell_id(0, 1), 500]]
    assert turned(box(0, 0, 1, 1), cells) == (False, True)


def test_a_cut_cell_is_added_by_its_rest():
    # 600 + half of 500 = 850 people; the other half makes 1,100
    cells = medians_of([(0, 0, 600, 11_000), (0, 1, 500, 11_500)])
    verdict, changes = judged_one(box(0, 0, 1.5, 1), cells)
    assert verdict[["population_low", "population", "population_high"]].tolist() == [600, 850, 1_100]
    assert changes[["change", "population"]].to_numpy().tolist() == [["add", 250]]
    assert turned(box(0, 0, 1.5, 1), cells) == (False, True)


def test_a_way_leads_to_poor_cells_beyond_a_rich_one():
    # 500 at 11,000; 100 at 14,000; then 600 at 11,000: in all 1,200 at 11,250
    cells = medians_of([(0, 0, 500, 11_000), (0, 1, 100, 14_000), (0, 2, 600, 11_000)])
    changes = judged_one(box(0, 0, 1, 1), cells)[1]
    assert changes[["change", "cell_id"]].to_numpy().tolist() == [["add", cell_id(0, 1)], ["add", cell_id(0, 2)]]
    assert turned(box(0, 0, 1, 1), cells) == (False, True)


def test_a_rich_perimeter_is_led_to_poor_cells_and_leaves_its_own_out():
    # 100 at 11,000 and 300 at 30,000 (+5,400,000 above 12,000); beyond 100 at 20,000 (+800,000) lie 1,500 at 10,000
    # (-3,000,000): all but the rich cell held make 12,000 - 2,300,000 / 1,700
    cells = medians_of(
        [(0, 0, 100, 11_000), (1, 0, 300, 30_000), (0, 1, 50, 20_000), (0, 2, 50, 20_000), (0, 3, 1_500, 10_000)]
    )
    assert sorted(judged_one(box(0, 0, 1, 2), cells)[1]["change"]) == ["add", "add", "add", "leave out"]
    assert turned(box(0, 0, 1, 2), cells) == (False, True)


def test_a_perimeter_is_not_moved_away_from_all_it_holds():
    cells = medians_of([(0, 0, 300, 30_000), (0, 1, 50, 20_000), (0, 2, 1_500, 11_000)])
    verdict, changes = judged_one(box(0, 0, 1, 1), cells)
    assert not len(changes)
    assert verdict["nearest_change"].key == "designation.no_change_found"


def test_the_fewest_cells_are_left_out_by_what_each_adds_to_the_income():
    # 1,000 at 11,000 = -1,000,000 under 12,000; 300 at 14,000 = +600,000; 100 at 17,000 = +500,000: the larger goes
    cells = medians_of([(0, 0, 1_000, 11_000), (0, 1, 300, 14_000), (0, 2, 100, 17_000)])
    verdict, changes = judged_one(box(0, 0, 3, 1), cells)
    assert reasons(verdict) == ["too_rich"]
    assert changes[["change", "cell_id", "population"]].to_numpy().tolist() == [["leave out", cell_id(0, 1), 300]]


def test_a_perimeter_short_and_rich_needs_both():
    # 400 at 11,900 and 300 at 20,000; beside: 700 at 11,000. Added alone: (400 x -100 + 300 x 8,000 - 700,000) > 0
    cells = medians_of([(0, 0, 400, 11_900), (0, 1, 300, 20_000), (1, 0, 700, 11_000)])
    verdict, changes = judged_one(box(0, 0, 2, 1), cells)
    assert reasons(verdict) == ["too_few_people", "too_rich"]
    assert sorted(changes["change"]) == ["add", "leave out"]
    assert turned(box(0, 0, 2, 1), cells) == (False, True)


def test_a_perimeter_that_passes_fails_by_a_rich_cell_as_well():
    # 5,000 people cannot be made too few by one cell of 1,000, but 1,000 at 40,000 beside them are too rich
    cells = medians_of([*[(0, east, 1_000, 11_000) for east in range(5)], (1, 0, 1_000, 40_000)])
    verdict, changes = judged_one(box(0, 0, 5, 1), cells)
    assert verdict["passes"]
    assert changes[["change", "cell_id"]].to_numpy().tolist() == [["add", cell_id(1, 0)]]
    assert turned(box(0, 0, 5, 1), cells) == (True, False)


@pytest.mark.parametrize(
    ("units", "rows", "key"),
    [
        (units_of(population=9_900), [(0, 0, 600, 11_000)], "unit_decides"),
        # alone in the sea: nothing to add
        (None, [(0, 0, 600, 11_000)], "no_change_found"),
        # one cell: without it nothing is left to judge
        (None, [(0, 0, 1_600, 11_000)], "no_change_found"),
        (None, [(0, 0, 1_600, None)], "nothing_to_turn"),
        (units_of(median=float("nan")), [(0, 0, 1_600, 11_000)], "nothing_to_turn"),
    ],
    ids=["unit too small", "nothing beside", "one cell", "income not known", "median not known"],
)
def test_where_no_change_is_there_is_a_word(units, rows, key):
    cells = medians_of([*rows, (50, 50, 10, 15_000)], units)
    verdict, changes = judged_one(box(0, 0, 1, 1), cells)
    assert not len(changes)
    assert verdict["nearest_change"].key == f"designation.{key}"


def test_people_whose_income_is_not_known_leave_the_verdict_open():
    # 1,000 at 11,000 and 500 unknown; incomes known in the unit go from 8,000 to 26,000:
    # (1,000 x 11,000 + 500 x 8,000) / 1,500 = 10,000 and (11,000,000 + 13,000,000) / 1,500 = 16,000
    cells = medians_of([(0, 0, 1_000, 11_000), (0, 1, 500, None), (9, 9, 1, 8_000), (8, 8, 1, 26_000)])
    verdict, _ = judged_one(box(0, 0, 2, 1), cells)
    assert verdict["passes"] is pd.NA
    assert reasons(verdict) == ["income_not_known"]
    assert verdict[["income_eur", "income_low", "income_high"]].tolist() == [11_000, 10_000, 16_000]
    assert verdict["income_known_share"] == pytest.approx(2 / 3)


def test_what_fails_whatever_is_not_known_fails():
    # 1,000 at 24,000 and 500 at nothing at all: 16,000 is above 12,000
    cells = medians_of([(0, 0, 1_000, 24_000), (0, 1, 500, None), (9, 9, 1, 8_000)])
    assert judged_one(box(0, 0, 2, 1), cells)[0]["passes"] is False
    # too few people are too few whatever their income
    assert judged_one(box(0, 0, 0.5, 1), cells)[0]["passes"] is False


def test_a_change_leaves_out_what_is_not_known():
    cells = medians_of([(0, 0, 600, 11_000), (0, 1, 200, None), (1, 0, 500, 11_000)])
    verdict, changes = judged_one(box(0, 0, 2, 1), cells)
    assert reasons(verdict) == ["too_few_people", "income_not_known"]
    assert changes[["change", "cell_id"]].to_numpy().tolist() == [
        ["leave out", cell_id(0, 1)],
        ["add", cell_id(1, 0)],
    ]
    assert turned(box(0, 0, 2, 1), cells) == (False, True)


def test_a_strip_that_cannot_be_judged_is_a_matter_of_drawing():
    cells = medians_of([(0, 0, 1_100, 11_000), (0, 1, 500, None)])
    assert judged_one(box(0, 0, 1.009, 1), cells)[0]["passes"] is True
    assert judged_one(box(0, 0, 1.011, 1), cells)[0]["passes"] is pd.NA


def test_imputed_cells_set_aside_are_not_known():
    rows = [(0, 0, 1_100, 11_000, 5), (0, 1, 500, 11_000, 5)]
    grid = grid_of(rows, med=[11_000, 11_000], imputed=[False, True])
    options = {"national_median": 20_000, "income": "med"}
    cells = qg.eligible_cells(grid, units_of(), **options, set_aside=["imputed"])
    assert judged_one(box(0, 0, 2, 1), cells)[0]["passes"] is pd.NA
    assert judged_one(box(0, 0, 2, 1), qg.eligible_cells(grid, units_of(), **options))[0]["passes"] is True


def test_the_density_of_the_regime_is_asked():
    # 1,100 people on 0.04 km2, and on ten times that: 2,750 to the square kilometre, and on twenty: 1,375
    units = pd.DataFrame({"unit": "U", "population": 50_000, "median": 20_000}, index=["97202"])
    grid = grid_of([(0, 0, 1_100, 11_000, 5)], med=[11_000], communes=[["97202"]])
    cells = qg.eligible_cells(
        grid, units, national_median=20_000, income="med", regime="martinique-reunion-2014"
    )  # fmt: skip
    assert judged_one(box(0, 0, 10, 1), cells)[0]["passes"] is True
    assert reasons(judged_one(box(0, 0, 20, 1), cells)[0]) == ["too_sparse"]


def test_no_perimeter_is_an_empty_table():
    found = judge(qpv_of((0, 0, 1, 1)).iloc[:0], medians_of([(0, 0, 1_100, 11_000)]))
    assert len(found.verdicts) == len(found.changes) == 0
    assert {"passes", "reasons", "nearest_change"} <= set(found.verdicts.columns)


@pytest.mark.parametrize("least", [float("nan"), float("inf"), -1, True, "1000", None])
def test_a_minimum_that_is_no_number_of_people_is_refused(least):
    cells = medians_of([(0, 0, 1_100, 11_000)])
    refused(lambda: judge(qpv_of((0, 0, 1, 1)), cells, min_population=least), "designation.zones_options", UsageError)


@pytest.mark.parametrize(
    "areas",
    [
        pd.DataFrame({"a": [1]}),
        qpv_of((0, 0, 1, 1)).set_crs(None, allow_override=True),
        pd.concat([qpv_of((0, 0, 1, 1))] * 2),
    ],
    ids=["no layer", "no projection", "labels twice"],
)
def test_what_is_no_perimeter_is_refused(areas):
    refused(lambda: judge(areas, medians_of([(0, 0, 1_100, 11_000)])), None, (DataError, UsageError))


SIDE = 5
WHOLE = st.integers(0, SIDE)
GRIDS = st.lists(
    st.tuples(st.integers(0, 700), st.sampled_from([9_000, 11_000, 11_900, 12_000, 13_000, 18_000, None])),
    min_size=SIDE * SIDE,
    max_size=SIDE * SIDE,
)


def shape_of(corners):
    """Union of rectangles between corners in halves of a cell, none where all are flat."""
    boxes = [box(min(a, c) / 2, min(b, d) / 2, max(a, c) / 2, max(b, d) / 2) for a, b, c, d in corners]
    boxes = [one for one in boxes if one.area]
    return boxes[0].union(boxes[-1]) if boxes else None


HALVES = st.integers(0, 2 * SIDE)
SHAPES = st.lists(st.tuples(HALVES, HALVES, HALVES, HALVES), min_size=1, max_size=2).map(shape_of).filter(bool)


def single_changes(shape, cells):
    """Verdicts after each change of one cell: any cell held left out, any cell beside or cut and known added."""
    known = cells[cells["income_eur"].notna()]
    for cell in cells.index:
        for change in ("leave out", "add"):
            if change == "add" and cell not in known.index:
                continue
            other = applied(shape, pd.DataFrame({"change": [change], "cell_id": [cell]}))
            beside = shape.distance(other.difference(shape)) == 0
            if not other.is_empty and not other.equals(shape) and beside:
                yield judged_one(other, cells)[0]["passes"]


@settings(max_examples=60, deadline=None)
@given(GRIDS, SHAPES)
def test_a_change_turns_the_verdict_of_the_outline(values, shape):
    rows = [(at // SIDE, at % SIDE, people, median) for at, (people, median) in enumerate(values)]
    cells = medians_of([*rows, (50, 50, 1, 11_000)])
    before, changes = judged_one(shape, cells)
    if len(changes):
        after, _ = judged_one(applied(shape, changes), cells)
        assert (before["passes"], after["passes"]) in {(True, False), (False, True)}
        assert before["nearest_change"].key.startswith("designation.turns_with_")
    else:
        assert before["nearest_change"].key in {"designation.no_change_found", "designation.nothing_to_turn"}


@settings(max_examples=15, deadline=None)
@given(GRIDS, SHAPES)
def test_one_cell_is_found_whenever_one_is_enough(values, shape):
    rows = [(at // SIDE, at % SIDE, people, median) for at, (people, median) in enumerate(values)]
    cells = medians_of([*rows, (50, 50, 1, 11_000)])
    before, changes = judged_one(shape, cells)
    if before["passes"] is not pd.NA and len(changes) != 1:
        assert (not before["passes"]) not in [one for one in single_changes(shape, cells) if one is not pd.NA]


@pytest.mark.parametrize("people", [(123, 456, 789), (333.3, 333.3, 333.4)], ids=["whole", "tenths"])
def test_incomes_all_at_the_threshold_are_not_below_it(people):
    cells = medians_of([(0, east, count, 12_000) for east, count in enumerate(people)])
    for width in (1.37, 2.11, 3):
        verdict, _ = judged_one(box(0, 0, width, 1), cells, min_population=0)
        assert reasons(verdict) == ["too_rich"]


def test_tenths_that_make_up_the_least_people_pass():
    cells = medians_of([(0, east, 0.1, 11_000) for east in range(10)])
    verdict, _ = judged_one(box(0, 0, 10, 1), cells, min_population=1)
    assert verdict["passes"] is True


def test_a_part_of_a_person_missing_is_one_person():
    cells = medians_of([(0, 0, 999.7, 11_000), (0, 1, 100, 11_000)])
    verdict, _ = judged_one(box(0, 0, 1, 1), cells)
    assert verdict["reasons"][0].say("en") == "1 person short of 1,000"
    assert verdict["reasons"][0].say("fr") == "il manque 1 habitant pour atteindre 1\u202f000"


@pytest.mark.parametrize("crs", [3035, 2154, 4326])
def test_a_zone_drawn_in_any_projection_has_its_people(crs):
    cells = medians_of([(0, east, 250, 11_000) for east in range(4)] + [(1, 0, 90, 11_000), (0, 4, 90, 11_000)])
    area = gpd.GeoDataFrame(geometry=[box(0, 0, 4, 1)], crs=3035).to_crs(crs)
    verdict = judge(area, cells).verdicts.iloc[0]
    assert verdict["passes"]
    assert verdict["population_low"] == 1_000
    assert verdict["population_low"] <= verdict["population"] <= verdict["population_high"] < 1_001
