"""What cells can be judged by, and what they are when they cannot."""

import pandas as pd
import pytest
from tests.builders import refused
from tests.designation.grids import ROWS, grid_of, units_of

import qpvgeo as qg
from qpvgeo.designation.eligibility import moved
from qpvgeo.errors import DataError, UsageError


def judged(grid, units=None, **options):
    """Eligible cells at a threshold of 12,000 euros."""
    return qg.eligible_cells(grid, units_of() if units is None else units, **{"national_median": 20_000} | options)


def of_communes(communes, **units):
    """A cell of 100 people a commune, and a unit of them all."""
    rows = [(0, east, 100, 9_000, 10) for east in range(len(communes))]
    table = pd.DataFrame({"unit": "A", "population": 45_000, "median": 19_000, **units}, index=list(communes))
    return grid_of(rows, communes=[[code] for code in communes]), table


def note_keys(frame):
    return [note.key.removeprefix("designation.") for note in frame.attrs["qpvgeo"]["notes"]]


@pytest.fixture
def cells():
    return judged(grid_of(ROWS))


def test_the_mean_is_scaled_to_the_median_of_the_unit(cells):
    assert cells["threshold_eur"].tolist() == [12_000] * 5
    assert cells["income_eur"].round(6).tolist()[:4] == [11_000, 11_000, 11_000, 12_400]
    assert cells["state"].tolist() == ["eligible"] * 3 + ["above threshold"] * 2
    assert cells.attrs["qpvgeo"]["calibration"]["U"]["factor"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("commune", "regime", "key"),
    [
        ("97302", "2014", "designation.other_method"),
        ("97102", "2014", "designation.other_method"),
        ("97602", "martinique-reunion-2014", "designation.other_method"),
        ("97202", "2014", "designation.own_thresholds"),
        ("97411", "2023", "designation.own_thresholds"),
        ("59350", "martinique-reunion-2014", "designation.not_own_thresholds"),
    ],
)
def test_a_territory_of_another_method_is_refused_by_name(commune, regime, key):
    grid, units = of_communes([commune])
    error = refused(lambda: judged(grid, units, regime=regime), "designation.other_places", UsageError)
    assert [problem.key for problem in error.problems] == [key]


def test_the_threshold_of_martinique_has_its_regime():
    grid, units = of_communes(["97202"])
    assert len(judged(grid, units, regime="martinique-reunion-2014")) == 1


@pytest.mark.parametrize("median", [float("nan"), 0, -1, float("inf"), "20000", True, None, pd.NA])
def test_a_national_median_that_is_no_amount_is_refused(median):
    refused(lambda: judged(grid_of(ROWS), national_median=median), "designation.income_unusable", UsageError)


@pytest.mark.parametrize("rate", [True, -0.1, 1.1, float("nan"), float("inf"), "0.4"])
def test_a_rate_that_is_no_share_is_refused(rate):
    refused(
        lambda: judged(grid_of(ROWS), income="poverty", poverty_rate=rate), "designation.income_unusable", UsageError
    )


@pytest.mark.parametrize("amount", [{"median": 0}, {"mean": -5}, {"mean": float("inf")}, {"population": -1},
                                    {"median": True}, {"population": "many"}])  # fmt: skip
def test_amounts_of_units_are_numbers_above_0(amount):
    error = refused(lambda: judged(grid_of(ROWS), units_of(**amount)), "designation.units_unusable", DataError)
    assert {problem.key for problem in error.problems} == {"designation.unit_amount"}


def test_units_with_two_medians_and_communes_twice_are_refused():
    units = pd.concat([units_of(), units_of(median=21_000)])
    error = refused(lambda: judged(grid_of(ROWS), units), "designation.units_unusable", DataError)
    assert {problem.key for problem in error.problems} == {"designation.commune_twice", "designation.unit_values"}


@pytest.mark.parametrize("value", [-1.0, float("inf"), float("-inf")])
@pytest.mark.parametrize("column", ["population", "households", "living_standard_sum_eur", "med"])
def test_values_that_cannot_be_are_refused_with_a_cell(column, value):
    grid = grid_of(ROWS, med=[11_000.0] * 5)
    grid[column] = [value, *grid[column].tolist()[1:]]
    error = refused(lambda: judged(grid, income="med"), "designation.grid_unusable", DataError)
    assert [(one.values["column"], one.values["cell"]) for one in error.problems] == [(column, grid.index[0])]


@pytest.mark.parametrize("values", [[True] * 5, ["much"] * 5, [True, 1, 1, 1, 1]], ids=["truths", "words", "mixed"])
def test_medians_that_are_no_numbers_are_refused(values):
    refused(lambda: judged(grid_of(ROWS, med=values), income="med"), "designation.grid_unusable", DataError)


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "double[pyarrow]", "object", "float32"])
def test_numbers_of_any_make_give_the_same(dtype):
    grid = grid_of([(*row[:2], row[2], round(row[3]), row[4]) for row in ROWS])
    plain = judged(grid)
    names = ["population", "households", "poor_households"]
    pd.testing.assert_frame_equal(judged(grid.astype(dict.fromkeys(names, dtype))), plain)
    units = units_of().astype({"population": dtype, "median": dtype})
    pd.testing.assert_frame_equal(judged(grid, units), plain)


def test_a_cell_without_people_or_income_is_not_known():
    grid = grid_of(ROWS, med=[11_000, None, 11_000, 12_400, 40_000])
    grid.loc[grid.index[2], "population"] = None
    cells = judged(grid, income="med")
    assert cells["state"].tolist() == ["eligible", "no data", "no data", "above threshold", "above threshold"]
    assert cells["eligible"].tolist() == [True, pd.NA, pd.NA, False, False]


@pytest.mark.parametrize(
    ("units", "state", "eligible"),
    [
        (units_of(population=9_900), "unit too small", False),
        (units_of(population=9_900, median=float("nan")), "unit too small", False),
        (units_of(population=9_901), "eligible", True),
        (units_of(population=float("nan")), "unit unknown", pd.NA),
        (units_of(median=float("nan")), "unit unknown", pd.NA),
    ],
    ids=["small", "small without median", "just large enough", "no population", "no median"],
)
def test_a_unit_too_small_is_not_one_that_is_unknown(units, state, eligible):
    cells = judged(grid_of(ROWS, med=[11_000] * 5), units, income="med")
    assert set(cells["state"]) == {state}
    assert cells["eligible"].tolist() == [eligible] * 5


def test_cells_of_no_unit_are_apart_from_those_without_commune():
    grid = grid_of(ROWS, communes=[["01002"], None, *[["01001"]] * 3])
    cells = judged(grid)
    assert cells["state"].tolist()[:2] == ["no unit", "unit unknown"]
    assert cells["eligible"].tolist()[:2] == [False, pd.NA]
    assert {"state_no_unit", "state_unit_unknown"} <= set(note_keys(cells))


@pytest.mark.parametrize("codes", [[1001], ["1001"], [1001.0], [" 01001"]], ids=["number", "text", "float", "space"])
def test_codes_that_a_spreadsheet_made_are_repaired_with_a_word(codes):
    cells = judged(grid_of(ROWS), units_of().set_axis(codes))
    assert cells["eligible"].sum() == 3
    assert "codes_repaired" in note_keys(cells)


def test_communes_that_have_none_in_common_are_one_error():
    error = refused(
        lambda: judged(grid_of(ROWS), units_of().set_axis(["59350"])), "designation.no_common_commune", DataError
    )
    assert [list(problem.values["communes"]) for problem in error.problems] == [["01001"], ["59350"]]


def test_an_arrondissement_is_in_the_unit_of_its_commune():
    grid = grid_of(ROWS, communes=[["75118"]] * 5)
    assert judged(grid, units_of().set_axis(["75056"]))["unit"].tolist() == ["U"] * 5
    whole = grid_of(ROWS, communes=[["75056"]] * 5)
    assert judged(whole, units_of().set_axis(["75118"]))["unit"].tolist() == ["U"] * 5


@pytest.mark.parametrize("which", ["grid", "units"])
def test_what_is_empty_is_refused(which):
    given = {"grid": grid_of(ROWS), "units": units_of()}
    given[which] = given[which].iloc[:0]
    refused(lambda: judged(**given), {"grid": "designation.empty_grid", "units": "designation.units_unusable"}[which])


def test_how_sure_a_cell_is_is_said():
    grid = grid_of(ROWS, imputed=[True, False, False, False, False], households=[20, 10, 20, 20, 20])
    cells = judged(grid)
    assert cells["basis"].tolist() == ["imputed", "few households", "observed", "observed", "observed"]
    assert "unsure_cells" in note_keys(cells)
    bare = judged(grid_of(ROWS).drop(columns=["imputed", "households", "poor_households"]))
    assert set(bare["basis"]) == {"not known"}


def test_cells_set_aside_are_neither_eligible_nor_not():
    grid = grid_of(ROWS, imputed=[True, False, False, False, False], households=[20, 10, 20, 20, 20])
    cells = judged(grid, set_aside=["imputed", "few households"])
    assert cells["state"].tolist()[:3] == ["imputed", "few households", "eligible"]
    assert cells["eligible"].tolist()[:3] == [pd.NA, pd.NA, True]
    assert {"state_imputed", "state_few_households"} <= set(note_keys(cells))
    assert cells.attrs["qpvgeo"]["set_aside"] == ["imputed", "few households"]
    refused(lambda: judged(grid, set_aside=["poor"]), "designation.income_unusable", UsageError)


def test_the_mean_of_the_whole_unit_calibrates_a_part_of_it():
    cells = judged(grid_of(ROWS), units_of(mean=25_000))
    # 20,000 / 25,000 = 0.8
    assert cells["income_eur"].round(6).tolist()[:4] == [8_800, 8_800, 8_800, 9_920]
    assert cells.attrs["qpvgeo"]["calibration"]["U"]["mean_of"] == "unit"
    assert "calibrated_on_cells" not in note_keys(cells)
    assert "calibrated_on_cells" in note_keys(judged(grid_of(ROWS)))


def test_rates_of_poor_people_stand_in_where_households_are_not_counted():
    people = [row[2] * row[4] / 20 for row in ROWS]
    grid = grid_of(ROWS, poor_population=people, households=None, poor_households=None)
    cells = judged(grid, income="poverty")
    assert cells["poverty_rate"].tolist() == [0.5, 0.45, 0.4, 0.25, 0]
    assert cells["eligible"].tolist() == [True, True, True, False, False]
    assert qg.candidate_zones(cells).zones["poverty_rate"].tolist() == [pytest.approx((600 * 0.5 + 500 * 0.45) / 1_100)]
    bare = grid_of(ROWS, households=None, poor_households=None)
    # no rate at all is no zone of nobody: it is refused
    refused(lambda: judged(bare, income="poverty"), "designation.income_unusable", UsageError)


def test_a_threshold_that_is_moved_judges_again_what_was_judged(cells):
    # 12,000 x 1.05 = 12,600 is above 12,400; x 0.9 = 10,800 is under 11,000
    assert moved(cells, 1.05)["eligible"].tolist() == [True, True, True, True, False]
    assert not moved(cells, 0.9)["eligible"].any()
    poverty = judged(grid_of(ROWS), income="poverty", poverty_rate=0.42)
    # 0.42 / 1.05 = 0.4
    assert poverty["eligible"].tolist() == [True, True, False, False, False]
    assert moved(poverty, 1.06)["eligible"].tolist() == [True, True, True, False, False]


def test_the_rate_of_poverty_takes_as_many_people_as_the_mean_does():
    cells = judged(grid_of(ROWS), income="poverty")
    assert cells.attrs["qpvgeo"]["calibration"]["U"]["poverty_rate"] == pytest.approx(8 / 20)
    assert cells["eligible"].tolist() == [True, True, True, False, False]


def test_a_column_of_medians_is_compared_as_it_is():
    cells = judged(
        grid_of(ROWS, median_declared=[11_999.0, 12_000.0, None, 12_001.0, 30_000.0]), income="median_declared"
    )
    # strictly below; what is missing is not known, and not above
    assert cells["eligible"].tolist() == [True, False, pd.NA, False, False]
    assert cells["state"].iloc[2] == "no data"


@pytest.mark.parametrize("values", [["0"] * 5, [9] * 5, [0.5] * 5], ids=["texts", "nines", "halves"])
def test_marks_of_imputation_that_are_no_truths_are_refused(values):
    error = refused(lambda: judged(grid_of(ROWS, imputed=values)), "designation.grid_unusable", DataError)
    assert [(one.key, one.values["column"]) for one in error.problems] == [("designation.not_truths", "imputed")]


def test_ones_and_zeros_are_marks_of_imputation():
    cells = judged(grid_of(ROWS, imputed=[1, 0, None, 1.0, 0]))
    assert cells["basis"].tolist() == ["imputed", "observed", "observed", "imputed", "observed"]


@pytest.mark.parametrize("income", ["med", "poverty"])
def test_a_cell_without_people_is_no_data(income):
    rows = [(0, 0, 0, 9_000, 15), (0, 1, 100, 9_000, 15)]
    cells = judged(grid_of(rows, med=[9_000, 9_000]), income=income, poverty_rate=0.4)
    assert cells["state"].tolist() == ["no data", "eligible"]


def test_people_that_are_not_known_do_not_move_the_rate_required():
    # 1,950 people are below by the mean: the cells of 10, 9 and 8 poor of 20 hold them
    rows = [(3, 3, float("nan"), 9_000, 9.5), *ROWS]
    cells = judged(grid_of(rows), income="poverty")
    assert cells.attrs["qpvgeo"]["calibration"]["U"]["poverty_rate"] == pytest.approx(0.4)
    assert cells["state"].tolist() == ["no data", *["eligible"] * 3, *["above threshold"] * 2]


@pytest.mark.parametrize("code", [1001, 1001.0], ids=["whole", "float"])
def test_codes_of_communes_that_became_numbers_find_their_unit(code):
    assert judged(grid_of(ROWS, communes=[code] * 5))["unit"].tolist() == ["U"] * 5


def test_an_amount_that_cannot_be_is_told_once_for_a_unit():
    units = pd.concat([units_of(median=-1), units_of(median=-1).set_axis(["01002"])])
    error = refused(lambda: judged(grid_of(ROWS), units), "designation.units_unusable", DataError)
    assert [problem.values["value"] for problem in error.problems] == ["-1"]


def test_an_income_at_a_moved_threshold_is_not_below_it():
    # 12,000 x 1.1 is 13,200.000000000002 in binary
    cells = judged(grid_of(ROWS, med=[13_200, 13_199.99, 1, 1, 1]), income="med")
    assert moved(cells, 1.1)["state"].tolist()[:2] == ["above threshold", "eligible"]
