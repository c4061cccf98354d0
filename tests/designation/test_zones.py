"""Eligible cells, candidate zones, agreement, sensitivity and verdicts, on cases worked by hand."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError


def grid_of(rows, **columns):
    """Grid of rows of (north, east, people, living standard in euros, poor households of ten), in steps of 200 m."""
    ids = [f"CRS3035RES200mN{2_000_000 + 200 * row[0]}E{4_000_000 + 200 * row[1]}" for row in rows]
    people = [float(row[2]) for row in rows]
    frame = pd.DataFrame(
        {
            "population": people,
            "households": [20.0] * len(rows),
            "poor_households": [float(row[4]) for row in rows],
            "living_standard_sum_eur": [row[2] * row[3] for row in rows],
            "imputed": [False] * len(rows),
            "communes": [["01001"]] * len(rows),
        }
        | columns,
        index=pd.Index(ids, name="cell_id", dtype="str"),
    )
    frame.attrs["qpvgeo"] = {"files": [], "epsg": 3035}
    return frame


def units_of(median=20_000, population=50_000):
    return pd.DataFrame({"unit": ["U"], "population": [population], "median": [median]}, index=["01001"])


# 600 + 500 people side by side are poor, 850 alone are, 500 are a little too rich, the others are rich; the mean of the
# unit is (1,950 x 11,000 + 500 x 12,400 + 1,550 x w) / 4,000 = 20,000 with w = 33,774.19...
RICH = (4_000 * 20_000 - 1_950 * 11_000 - 500 * 12_400) / 1_550
ROWS = [
    (0, 0, 600, 11_000, 10),
    (0, 1, 500, 11_000, 9),
    (5, 5, 850, 11_000, 8),
    (0, 2, 500, 12_400, 5),
    (9, 9, 1_550, RICH, 0),
]


@pytest.fixture
def cells():
    return qg.eligible_cells(grid_of(ROWS), units_of(), national_median=20_000)


def test_the_mean_is_scaled_to_the_median_of_the_unit(cells):
    assert cells["threshold_eur"].tolist() == [12_000] * 5
    assert cells["income_eur"].round(6).tolist()[:4] == [11_000, 11_000, 11_000, 12_400]
    assert cells["state"].tolist() == ["eligible"] * 3 + ["above threshold"] * 2
    assert cells.attrs["qpvgeo"]["calibration"]["U"]["factor"] == pytest.approx(1)


def test_the_rate_of_poverty_takes_as_many_people_as_the_mean_does():
    cells = qg.eligible_cells(grid_of(ROWS), units_of(), national_median=20_000, income="poverty")
    assert cells.attrs["qpvgeo"]["calibration"]["U"]["poverty_rate"] == pytest.approx(8 / 20)
    assert cells["eligible"].tolist() == [True, True, True, False, False]


def test_a_column_of_medians_is_compared_as_it_is():
    grid = grid_of(ROWS, median_declared=[11_999.0, 12_000.0, float("nan"), 12_001.0, 30_000.0])
    cells = qg.eligible_cells(grid, units_of(), national_median=20_000, income="median_declared")
    # strictly below; what is missing is not known, and not above
    assert cells["eligible"].tolist() == [True, False, pd.NA, False, False]
    assert cells["state"].iloc[2] == "no data"


def test_a_small_unit_has_no_eligible_cell():
    cells = qg.eligible_cells(grid_of(ROWS), units_of(population=9_900), national_median=20_000)
    assert set(cells["state"]) == {"unit too small"}
    assert not cells["eligible"].any()


def test_cells_of_no_unit_are_apart():
    grid = grid_of(ROWS, communes=[["01002"], *[["01001"]] * 4])
    cells = qg.eligible_cells(grid, units_of(), national_median=20_000)
    assert cells["state"].iloc[0] == "no unit"


def test_imputed_cells_and_few_households_are_marked():
    grid = grid_of(ROWS, imputed=[True, False, False, False, False], households=[20, 10, 20, 20, 20])
    cells = qg.eligible_cells(grid, units_of(), national_median=20_000)
    assert cells["basis"].tolist() == ["imputed", "few households", "observed", "observed", "observed"]
    assert "designation.unsure_cells" in {note.key for note in cells.attrs["qpvgeo"]["notes"]}


def test_one_zone_passes_one_is_short_of_people_and_one_cell_is_a_little_too_rich(cells):
    found = qg.candidate_zones(cells, geometry=True)
    assert found.zones["population"].tolist() == [1_100]
    assert found.zones["area_km2"].tolist() == [0.08]
    assert found.zones.geometry.iloc[0].equals(shapely.box(4_000_000, 2_000_000, 4_000_400, 2_000_200))
    people, income = (found.near_misses[found.near_misses["kind"] == kind] for kind in ("people", "income"))
    assert people[["population", "short_by"]].to_numpy().tolist() == [[850, 150]]
    assert income["population"].tolist() == [500]
    assert found.cells["zone"].tolist() == [1, 1, pd.NA, pd.NA, pd.NA]


def test_a_zone_of_exactly_the_least_people_passes(cells):
    assert len(qg.candidate_zones(cells, min_population=1_100).zones) == 1
    assert len(qg.candidate_zones(cells, min_population=1_101).zones) == 0


@pytest.mark.parametrize("options", [{"contiguity": "bishop"}, {"gap": -1}, {"gap": 0.5}, {"min_population": "x"}])
def test_options_that_cannot_be_are_refused(cells, options):
    refused(lambda: qg.candidate_zones(cells, **options), "designation.zones_options", UsageError)


def qpv_of(*boxes):
    shapes = [shapely.box(4_000_000 + 200 * w, 2_000_000 + 200 * s, 4_000_000 + 200 * e, 2_000_000 + 200 * n)
              for w, s, e, n in boxes]  # fmt: skip
    codes = [f"QN0010{number}M" for number in range(1, len(boxes) + 1)]
    return gpd.GeoDataFrame(
        {"name": codes, "vintage": 2024, "release": "", "territory": "hexagone", "department": "01", "region": "84",
         "communes": [["01001"]] * len(boxes)},
        geometry=shapes, index=pd.Index(codes, name="qpv_code"), crs=3035,
    )  # fmt: skip


def test_agreement_has_bounds(cells):
    # the first holds a whole poor cell and half of the next; the second a quarter of the rich one
    found = qg.designation.compare_with_official(qg.candidate_zones(cells), qpv_of((0, 0, 1.5, 1), (9, 9, 9.5, 9.5)))
    first, second = found.by_qpv.iloc[0], found.by_qpv.iloc[1]
    assert (first["population"], first["eligible_share"], first["eligible_low"]) == (850, 1, 1)
    assert bool(second["no_eligible_cell"])
    assert second["eligible_share"] == 0
    unit = found.by_unit.loc["U"]
    assert unit["in_qpv_share"] == pytest.approx(850 / 1_950)
    assert unit["in_qpv_low"] == pytest.approx(600 / 1_950)
    assert unit["in_qpv_high"] == pytest.approx(1_100 / 1_950)
    # two of the poorest three are mostly inside: each beats the two rich ones, ties with the third poor cell
    assert unit["order"] == pytest.approx((2 + 0.5 + 2 + 0.5) / 6)
    assert found.by_zone["in_qpv_share"].tolist() == [pytest.approx(850 / 1_100)]


def test_perimeters_elsewhere_are_refused(cells):
    far = qpv_of((5_000, 5_000, 5_001, 5_001))
    refused(lambda: qg.designation.compare_with_official(qg.candidate_zones(cells), far), "designation.no_overlap")


def test_people_grow_with_the_threshold(cells):
    table = qg.designation.designation_sensitivity(
        cells, threshold_factors=[0.9, 1, 1.05], contiguity=["rook"], gap=[0], min_population=[1_000]
    )
    # at 12,600 the cell of 12,400 joins the zone
    assert table["population"].tolist() == [0, 1_100, 1_600]
    assert table["eligible_population"].tolist() == [0, 1_950, 2_450]


def test_sensitivity_of_both_proxies_is_one_table(cells):
    poverty = qg.eligible_cells(grid_of(ROWS), units_of(), national_median=20_000, income="poverty")
    table = qg.designation.designation_sensitivity(
        {"mean": cells, "poverty": poverty},
        threshold_factors=[1],
        contiguity=["queen"],
        gap=[0],
        min_population=[1_000],
    )
    assert table[["proxy", "population"]].to_numpy().tolist() == [["mean", 1_100], ["poverty", 1_100]]


def test_a_drawn_perimeter_is_judged_with_the_nearest_change(cells):
    drawn = qpv_of((0, 0, 1, 1), (0, 0, 2, 1), (0, 0, 3, 1), (20, 20, 21, 21))
    judged = qg.designation.judge_perimeters(drawn, cells)
    verdicts = judged.verdicts
    # (600 x 11,000 + 500 x 11,000 + 500 x 12,400) / 1,600 = 11,437.5 is still below
    assert verdicts["passes"].tolist() == [False, True, True, pd.NA]
    assert verdicts["income_eur"].iloc[2] == pytest.approx(11_437.5)
    assert [note.key for note in verdicts["reasons"].iloc[0]] == ["designation.too_few_people"]
    changes = judged.changes.set_index("perimeter")[["change", "population"]]
    assert changes.loc[["QN00101M"]].to_numpy().tolist() == [["add", 500]]
    # of 1,600 people, without the first 600 there are still 1,000
    assert changes.loc["QN00103M"].to_numpy().tolist() == [["leave out", 600], ["leave out", 500]]


def test_a_perimeter_that_is_too_rich_names_the_cells_to_leave_out(cells):
    judged = qg.designation.judge_perimeters(qpv_of((0, 0, 10, 10)), cells)
    assert not judged.verdicts["passes"].iloc[0]
    assert judged.changes["change"].tolist() == ["leave out"]
    assert judged.changes["population"].tolist() == [1_550]


@pytest.mark.parametrize("bad", [None, "cells", pd.DataFrame({"a": [1]})])
def test_other_things_are_refused(bad):
    for call in (
        lambda: qg.eligible_cells(bad, units_of(), national_median=20_000),
        lambda: qg.eligible_cells(grid_of(ROWS), bad, national_median=20_000),
        lambda: qg.candidate_zones(bad),
        lambda: qg.designation.compare_with_official(bad, qpv_of((0, 0, 1, 1))),
        lambda: qg.designation.judge_perimeters(qpv_of((0, 0, 1, 1)), bad),
    ):
        refused(call)


def test_units_with_two_medians_and_communes_twice_are_refused():
    units = pd.concat([units_of(), units_of(median=21_000)])
    error = refused(
        lambda: qg.eligible_cells(grid_of(ROWS), units, national_median=20_000),
        "designation.units_unusable",
        DataError,
    )
    assert {problem.key for problem in error.problems} == {"designation.commune_twice", "designation.unit_values"}


@pytest.mark.real
def test_lille_agrees_with_its_qpv(real_data):
    """Cells under the threshold lie in the QPV for five people of six, and cells of QPV are poorer than the others.

    National median of 2017: 21,120 euros of declared income; 19,500 for the unit is an assumption.
    """
    path = real_data / "filosofi" / "filosofi2017_200m_lille.gpkg"
    names = {"id": "cell_id", "num_people": "population", "mean_std_living": "living_standard_mean_eur"}
    grid = qg.read_grid(path, layer="enriched_grid", columns=names, keep=[])
    units = pd.DataFrame({"unit": ["59702"], "population": [1_000_000], "median": [19_500]}, index=["59350"])
    cells = qg.eligible_cells(grid, units, national_median=21_120)
    assert cells["threshold_eur"].dropna().unique().tolist() == [12_400]
    qpv = gpd.read_file(path, layer="qpvs").set_index("CODE_QP")
    agreement = qg.designation.compare_with_official(qg.candidate_zones(cells), qpv)
    assert agreement.total["order"] == pytest.approx(0.964, abs=0.002)
    assert agreement.total["in_qpv_share"] == pytest.approx(0.83, abs=0.01)


def test_a_perimeter_that_passes_has_the_cell_without_which_it_fails(cells):
    judged = qg.designation.judge_perimeters(qpv_of((0, 0, 2, 1)), cells)
    assert judged.verdicts["passes"].tolist() == [True]
    # 600 of 1,100 people: without them 500 are too few
    assert judged.changes[["change", "population"]].to_numpy().tolist() == [["leave out", 600]]


def test_the_mean_of_the_whole_unit_calibrates_a_part_of_it():
    units = units_of().assign(mean=25_000)
    cells = qg.eligible_cells(grid_of(ROWS), units, national_median=20_000)
    # 20,000 / 25,000 = 0.8
    assert cells["income_eur"].round(6).tolist()[:4] == [8_800, 8_800, 8_800, 9_920]
    about = cells.attrs["qpvgeo"]
    assert about["calibration"]["U"]["mean_of"] == "unit"
    assert "designation.calibrated_on_cells" not in {note.key for note in about["notes"]}
    alone = qg.eligible_cells(grid_of(ROWS), units_of(), national_median=20_000)
    assert "designation.calibrated_on_cells" in {note.key for note in alone.attrs["qpvgeo"]["notes"]}


def test_rates_of_poor_people_stand_in_where_households_are_not_counted():
    people = [row[2] * row[4] / 20 for row in ROWS]
    grid = grid_of(ROWS, poor_population=people, households=None, poor_households=None)
    cells = qg.eligible_cells(grid, units_of(), national_median=20_000, income="poverty")
    assert cells["poverty_rate"].tolist() == [0.5, 0.45, 0.4, 0.25, 0]
    assert cells["eligible"].tolist() == [True, True, True, False, False]
    assert qg.candidate_zones(cells).zones["poverty_rate"].tolist() == [pytest.approx((600 * 0.5 + 500 * 0.45) / 1_100)]
    bare = grid_of(ROWS, households=None, poor_households=None)
    # no rate at all is no zone of nobody: it is refused
    refused(
        lambda: qg.eligible_cells(bare, units_of(), national_median=20_000, income="poverty"),
        "designation.income_unusable",
        UsageError,
    )


@pytest.mark.real
def test_bondy_of_2019_with_its_qpv_of_2024(real_data):
    grid = qg.read_grid(real_data / "filosofi" / "filosofi2019_200m_bondy.gpkg", layer="bondy")
    units = qg.designation.single_unit(grid, population=10_700_000, median=23_000, mean=28_000)
    cells = qg.eligible_cells(grid, units, national_median=21_930, regime="2023")
    # the weights are swapped in the unit of Paris: 0.6 x (0.3 x 21,930 + 0.7 x 23,000) = 13,607.4
    assert cells["threshold_eur"].unique().tolist() == [13_700]
    qpv = qg.read_qpv(real_data / "qpv2024" / "qpv2024_bondy_clip_fullres.gpkg")
    total = qg.designation.compare_with_official(qg.candidate_zones(cells), qpv).total
    assert total[["eligible_share", "in_qpv_share", "order"]].round(3).tolist() == [0.677, 0.636, 0.781]
    assert total["qpv_without_eligible_cell"] == 0
