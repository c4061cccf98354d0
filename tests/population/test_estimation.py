"""People of perimeters: each method worked out by hand, bounds and partitions on random shapes, the case of Lille."""

import ast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box
from tests.builders import refused
from tests.population.small_cells import ROW, UNIFORM, E, N, at, estimate, grid_of, homes, layer, points, stars

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry.insee_lattice import Lattice
from qpvgeo.population.estimation import ESTIMATE_COLUMNS, FEW_HOUSEHOLDS, RATE_HOUSEHOLDS, estimate_population
from qpvgeo.population.reliability import WARNINGS, in_words
from qpvgeo.read.grid.reader import read_grid

SUMS = ("low", "estimate", "high", "households", "poor_households")


def test_columns_are_those_announced():
    assert tuple(estimate_population(layer(at(0, 0)), UNIFORM).columns) == ESTIMATE_COLUMNS


def test_provenance_tells_method_and_sources():
    sample = qg.sample()
    qpv, grid = qg.read_qpv(sample.qpv_2024), read_grid(sample.grid_2019)
    about = estimate_population(qpv, grid, method="centroid").attrs["qpvgeo"]
    assert (about["method"], about["grid_vintage"], about["fictional"]) == ("centroid", 2019, True)
    assert [record["file"] for record in about["files"]] == [sample.qpv_2024.name, sample.grid_2019.name]


def test_area_by_hand_shares_crossed_cells_out_by_surface():
    # half of 100, all of 200, a quarter of 400
    found = estimate_population(layer(at(100, 0, 350, 200)), ROW).iloc[0]
    assert found[["low", "estimate", "high"]].tolist() == [200.0, 350.0, 700.0]
    assert found[["households", "poor_households", "cells"]].tolist() == [175.0, 43.75, 3]


@pytest.mark.parametrize(("x", "people"), [(-90, 300.0), (110, 600.0)])
def test_centroid_by_hand_takes_all_or_nothing(x, people):
    assert estimate(at(x, 0, 400, 200), ROW, method="centroid") == people


def test_touching_by_hand_takes_all():
    found = estimate_population(layer(at(199, 0, 2, 200)), ROW, method="touching").iloc[0]
    assert found[["low", "estimate", "high"]].tolist() == [0.0, 300.0, 300.0]


def test_cells_that_only_share_a_side_are_not_touched():
    assert estimate(at(200, 0), ROW, method="touching") == 200.0


def test_points_by_hand_take_the_share_of_the_points_inside_and_fall_back_on_area():
    # west: 3 of 4 points of the cell are inside; east: no point, a quarter of the area
    addresses = points((150, 20), (150, 90), (199, 150), (20, 20))
    found = estimate_population(layer(at(100, 0, 350, 200)), ROW, method="points", points=addresses).iloc[0]
    assert found[["low", "estimate", "high"]].tolist() == [200.0, 75 + 200 + 100, 700.0]
    assert found["fallback_share"] == pytest.approx(100 / 375)


def test_points_count_by_their_weight():
    # of four homes in the cell of 100 people, three are in the building inside
    buildings = homes((150, 20), (20, 20), weight=[3, 1])
    found = estimate_population(layer(at(100, 0, 100, 200)), ROW, method="points", points=buildings)
    assert found[["low", "estimate", "high"]].iloc[0].tolist() == [0.0, 75.0, 100.0]
    assert found["fallback_share"].tolist() == [0.0]
    assert found.attrs["qpvgeo"]["points_weight"] == "weight"


@pytest.mark.parametrize("kind", ["int64", "Int64", "float32", "object", "str"])
def test_weights_of_any_kind_of_number_count_alike(kind):
    buildings = homes((150, 20), (20, 20), weight=pd.Series([3, 1]).astype(kind))
    assert estimate(at(100, 0, 100, 200), ROW, method="points", points=buildings) == 75


def test_points_of_equal_weight_count_as_points():
    where = [(150, 20), (150, 90), (190, 150), (20, 20), (350, 20)]
    perimeter = at(100, 0, 350, 200)
    weighed = estimate(perimeter, ROW, method="points", points=homes(*where, weight=[0.1] * 5))
    assert weighed == pytest.approx(estimate(perimeter, ROW, method="points", points=points(*where)))


def test_cell_whose_points_weigh_nothing_falls_back_on_area():
    empty = homes((150, 20), (450, 20), (510, 20), weight=[0, 1, 0])
    found = estimate_population(layer(at(50, 0, 400, 200)), ROW, method="points", points=empty).iloc[0]
    # three quarters of the area of 100 people; of 400, no home is within 50 m of the limit; 200 are wholly inside
    assert found["estimate"] == 75 + 200 + 0
    assert found["fallback_share"] == pytest.approx(75 / 275)


def test_points_weigh_where_they_lie_in_whatever_order_and_with_points_nowhere():
    buildings = homes((20, 20), (150, 20), (150, 90), weight=[2, 5, 1])
    nowhere = gpd.GeoDataFrame({"weight": [9.0]}, geometry=[None], crs=3035)
    shuffled = pd.concat([buildings.iloc[[2, 0]], nowhere, buildings.iloc[[1]]])
    assert estimate(at(100, 0, 100, 200), ROW, method="points", points=shuffled) == 75


def test_provenance_says_that_points_count_once():
    perimeter = layer(at(100, 0, 100, 200))
    counted = estimate_population(perimeter, ROW, method="points", points=homes((20, 20), homes=[3]))
    for found in (counted, estimate_population(perimeter, ROW)):
        assert found.attrs["qpvgeo"]["points_weight"] is None


def test_weights_that_are_none_are_all_listed():
    wrong = homes(*[(20, 20)] * 6, weight=[1, -1, None, np.inf, "many", 0])
    with pytest.raises(DataError, match="4 of 6 points have no usable weight") as caught:
        estimate_population(layer(at(0, 0)), ROW, method="points", points=wrong)
    assert caught.value.problems == ("point 1: -1", "point 2: None", "point 3: inf", "point 4: 'many'")


def test_points_outside_a_crossed_cell_leave_it_out():
    found = estimate_population(layer(at(100, 0, 100, 200)), ROW, method="points", points=points((20, 20))).iloc[0]
    assert found[["low", "estimate", "high", "cells"]].tolist() == [0.0, 0.0, 100.0, 1]


def test_cell_wholly_inside_counts_whole_without_any_point():
    found = estimate_population(layer(at(0, 0)), ROW, method="points", points=points((900, 900))).iloc[0]
    assert found[["estimate", "fallback_share"]].tolist() == [100.0, 0.0]


def test_constrained_by_hand_moves_people_within_the_cells():
    # odds 1 and 1/3 in the crossed cells of 100 and 400 become twice as large: shares 2/3 and 2/5
    target = 100 * 2 / 3 + 200 + 400 * 2 / 5
    perimeter = layer(at(100, 0, 350, 200), index=["a"])
    found = estimate_population(perimeter, ROW, method="constrained", constraint=pd.Series({"a": target})).iloc[0]
    assert found[["low", "estimate", "high"]].tolist() == [200.0, pytest.approx(target, rel=1e-5), 700.0]
    assert found["households"] == pytest.approx(target / 2, rel=1e-5)
    assert found["target"] == target
    assert found["gap"] == pytest.approx(0, abs=1e-5)


def test_total_out_of_reach_gives_the_bound_and_is_said_unmet():
    perimeters = layer(at(100, 0, 100, 200), at(400, 0, 100, 200), index=["a", "b"])
    constraint = pd.Series({"a": 1_000.0, "b": 300.0})
    found = estimate_population(perimeters, ROW, method="constrained", constraint=constraint)
    assert found["estimate"].tolist() == [pytest.approx(100, rel=1e-3), pytest.approx(300, rel=1e-5)]
    assert found["gap"].tolist() == [pytest.approx(-0.9, abs=1e-3), pytest.approx(0, abs=1e-5)]
    assert found.attrs["qpvgeo"]["constraint"]["unmet"] == ["a"]


def test_total_of_a_perimeter_without_grid_leaves_it_missing():
    perimeters = layer(at(100, 0, 100, 200), at(9_000, 0), index=["a", "b"])
    found = estimate_population(perimeters, ROW, method="constrained", constraint=pd.Series({"a": 60.0, "b": 5.0}))
    assert found["estimate"].tolist() == [pytest.approx(60, rel=1e-5), pytest.approx(np.nan, nan_ok=True)]
    assert found["target"].tolist() == [60.0, 5.0]
    assert found["gap"].isna().tolist() == [False, True]


def test_perimeters_all_without_grid_cannot_be_constrained_but_are_told():
    found = estimate_population(
        layer(at(9_000, 0), index=["a"]), ROW, method="constrained", constraint=pd.Series({"a": 5.0})
    )
    assert found["estimate"].isna().all()
    assert found["cells"].tolist() == [0]


def test_constraint_by_commune_scales_estimate_and_bounds():
    found = estimate_population(
        layer(at(100, 0, 350, 200)), ROW, method="constrained", constraint=pd.Series({"59350": 1_400.0})
    ).iloc[0]
    assert found[["low", "estimate", "high", "households"]].tolist() == [400.0, 700.0, 1_400.0, 350.0]


def test_constraint_follows_any_method():
    perimeter = layer(at(100, 0, 100, 200), index=["a"])
    options = {"method": "points", "points": points((150, 20), (20, 20), (30, 30))}
    # a third of the people; odds 1/2 become 1
    found = estimate_population(perimeter, ROW, constraint=pd.Series({"a": 50.0}), **options)
    assert found["estimate"].iloc[0] == pytest.approx(50, rel=1e-5)
    assert found["fallback_share"].iloc[0] == 0.0


def test_rate_is_the_ratio_of_sums_not_the_mean_of_rates():
    grid = grid_of([[300, 30]], households=[100.0, 10.0], poor_households=[50.0, 0.0])
    assert estimate(at(0, 0, 400, 200), grid, "poverty_rate") == pytest.approx(50 / 110)


def test_rate_weighs_the_households_that_the_shares_give():
    grid = grid_of([[300, 100]], households=[100.0, 40.0], poor_households=[50.0, 10.0])
    assert estimate(at(100, 0, 300, 200), grid, "poverty_rate") == pytest.approx((25 + 10) / (50 + 40))


def test_living_standard_is_the_mean_of_persons():
    grid = grid_of([[300, 100]], living_standard_sum_eur=[300 * 10_000.0, 100 * 30_000.0])
    assert estimate(at(0, 0, 400, 200), grid, "living_standard_mean_eur") == pytest.approx(15_000)


def test_rate_of_a_grid_without_households_is_by_people():
    grid = grid_of([[300, 100]], households=np.nan, poor_households=np.nan, poor_population=[150.0, 0.0])
    found = estimate_population(layer(at(0, 0, 400, 200)), grid)
    assert found["poverty_rate"].iloc[0] == pytest.approx(150 / 400)
    assert found["households"].isna().all()


def test_rates_by_households_are_not_taken_by_people():
    grid = grid_of([[300]], households=100.0, poor_households=20.0, poor_population=150.0)
    assert estimate(at(0, 0), grid, "poverty_rate") == pytest.approx(0.2)


RELIABILITY = {
    RATE_HOUSEHOLDS: "",
    RATE_HOUSEHOLDS - 0.01: "rates not given under 30 households",
    FEW_HOUSEHOLDS: "rates not given under 30 households",
    FEW_HOUSEHOLDS - 0.01: "few households",
    0: "few households",
}


@pytest.mark.parametrize(("households", "words"), RELIABILITY.items())
def test_few_households_are_said_in_words(households, words):
    assert estimate(at(0, 0), grid_of([[60]], households=households), "reliability") == words


@pytest.mark.parametrize(("households", "given_"), [(RATE_HOUSEHOLDS, True), (RATE_HOUSEHOLDS - 0.01, False)])
@pytest.mark.parametrize("column", ["poverty_rate", "living_standard_mean_eur"])
def test_rates_are_missing_under_thirty_households(households, given_, column):
    grid = grid_of([[60]], households=households, poor_households=3.0)
    assert pd.notna(estimate(at(0, 0), grid, column)) == given_


def test_mostly_imputed_is_said():
    grid = grid_of([[300, 100]], imputed=[True, False])
    assert estimate(at(0, 0, 400, 200), grid, "reliability") == "mostly imputed"


def test_mostly_edge_is_said():
    assert estimate(at(100, 100), UNIFORM, "reliability") == "mostly edge"


def test_several_reasons_are_said_together():
    grid = grid_of([[60]], households=8.0, imputed=True)
    assert estimate(at(50, 50, 100, 100), grid, "reliability") == "few households; mostly imputed; mostly edge"


def test_perimeter_that_lies_mostly_beside_the_grid_says_so():
    assert "mostly_no_cell" in estimate(at(-250, 0, 400, 200), ROW, "warnings")


def test_perimeter_that_the_grid_holds_does_not_say_otherwise():
    assert estimate(at(0, 0, 600, 200), ROW, "reliability") == ""


def test_imputed_share_is_of_people_not_of_cells():
    grid = grid_of([[300, 100, 100]], imputed=[True, False, False])
    assert estimate(at(0, 0, 600, 200), grid, "imputed_share") == pytest.approx(0.6)


def test_imputed_share_is_of_the_people_estimated():
    grid = grid_of([[300, 100]], imputed=[True, False])
    assert estimate(at(100, 0, 300, 200), grid, "imputed_share") == pytest.approx(150 / 250)


def test_imputed_share_is_missing_when_the_grid_does_not_say():
    assert pd.isna(estimate(at(0, 0), ROW.drop(columns="imputed"), "imputed_share"))


def test_inside_share_by_hand():
    assert estimate(at(100, 0, 500, 200), ROW, "inside_share") == pytest.approx(0.8)


def test_cells_are_counted_when_they_are_in_the_grid():
    assert estimate(at(100, 100, 700, 700), ROW, "cells") == 3


def test_other_columns_are_summed_on_demand():
    grid = grid_of([[100, 200]], ind_0_3=[10.0, 40.0], log_soc=[1.0, 2.0])
    found = estimate_population(layer(at(100, 0, 300, 200)), grid, columns=["log_soc", "ind_0_3"]).iloc[0]
    assert found[["log_soc", "ind_0_3"]].tolist() == [2.5, 45.0]


TWO = grid_of([[100, 300]], warm=[10.0, 30.0], ind_0_3=[10.0, 40.0], men_surf=[500.0, 900.0])


def test_temperatures_are_averaged_over_the_people_with_their_bounds():
    # all of 100 people at 10, half of 300 at 30
    found = estimate_population(layer(at(0, 0, 300, 200)), TWO, columns={"warm": "mean"}).iloc[0]
    assert found[["warm", "warm_low", "warm_high"]].tolist() == [5500 / 250, 10.0, 30.0]
    found = estimate_population(layer(at(0, 0, 300, 200)), TWO, columns={"warm": "mean_by_area"}).iloc[0]
    assert found["warm"] == pytest.approx(10 * 2 / 3 + 30 / 3)


def test_bounds_of_a_mean_hold_cells_that_the_method_left_out():
    # the centre of the second cell is not inside: somebody there may be
    found = estimate_population(layer(at(0, 0, 250, 200)), TWO, method="centroid", columns={"warm": "mean"}).iloc[0]
    assert found[["warm", "warm_low", "warm_high"]].tolist() == [10.0, 10.0, 30.0]


def test_measures_are_declared_or_known():
    found = estimate_population(layer(at(0, 0, 400, 200)), TWO, columns=["ind_0_3", "men_surf"])
    assert found.attrs["qpvgeo"]["columns"] == {"ind_0_3": "sum", "men_surf": "sum"}
    found = estimate_population(layer(at(0, 0, 400, 200)), TWO, columns={"warm": "sum", "ind_0_3": "mean"}).iloc[0]
    assert (found["warm"], found["ind_0_3"]) == (40.0, pytest.approx(13_000 / 400))


@pytest.mark.parametrize("name", ["warm", "land_surface_temperature", "ind_snv_mean", "i_pauv", "ind_r"])
def test_a_column_of_unknown_measure_is_never_summed_and_the_way_out_works(name):
    grid = TWO.assign(**{name: [10.0, 30.0]})
    error = refused(
        lambda: estimate_population(layer(at(0, 0)), grid, columns=["ind_0_3", name]),
        "population.measure_unknown",
        UsageError,
    )
    assert [problem.values["name"] for problem in error.problems] == [name]
    options = {"columns": ast.literal_eval(error.way_out.values["example"])}
    assert estimate_population(layer(at(0, 0)), grid, **options)[name].tolist() == [10.0]


BAD_COLUMNS = {
    "one name": ("ind_0_3", "population.columns_no_list"),
    "number": (3, "population.columns_no_list"),
    "frame": (UNIFORM, "population.columns_no_list"),
    "no names": ([1, None], "population.bad_columns"),
    "a result": (["households"], "population.bad_columns"),
    "text": (["communes"], "population.bad_columns"),
    "no measure": ({"ind_0_3": "median"}, "population.bad_columns"),
}


@pytest.mark.parametrize(("columns", "key"), BAD_COLUMNS.values(), ids=BAD_COLUMNS.keys())
def test_columns_that_cannot_be_measured_are_refused(columns, key):
    refused(lambda: estimate_population(layer(at(0, 0)), TWO, columns=columns), key, UsageError)


def test_a_value_missing_in_a_cell_makes_the_mean_missing_there_only():
    grid = TWO.assign(warm=[np.nan, 30.0])
    found = estimate_population(layer(at(0, 0, 300, 200), at(200, 0)), grid, columns={"warm": "mean"})
    assert found["warm"].isna().tolist() == [True, False]
    assert found["warm_low"].isna().tolist() == [True, False]


def test_a_cell_that_gives_nothing_may_lack_a_value():
    grid = TWO.assign(ind_0_3=[10.0, np.nan])
    found = estimate_population(layer(at(0, 0, 250, 200)), grid, method="centroid", columns=["ind_0_3"])
    assert found["ind_0_3"].tolist() == [10.0]


@settings(max_examples=40, deadline=None)
@given(shape=stars(), values=st.lists(st.floats(-50, 50), min_size=36, max_size=36))
def test_means_lie_between_their_bounds(shape, values):
    grid = UNIFORM.assign(warm=values)
    found = estimate_population(layer(shape), grid, columns={"warm": "mean"}).iloc[0]
    assert not found["warm"] < found["warm_low"]
    assert not found["warm"] > found["warm_high"]


def test_estimates_come_with_their_outlines_on_demand():
    areas = layer(at(0, 0), None, index=["a", "b"])
    found = estimate_population(areas, ROW, geometry=True)
    assert isinstance(found, gpd.GeoDataFrame)
    assert (found.crs, found.index.tolist()) == (areas.crs, ["a", "b"])
    assert found.geometry["a"].equals(areas["a"])
    assert found.attrs["qpvgeo"]["method"] == "area"


def test_totals_that_were_not_met_are_said_in_the_notes_and_the_rows():
    # 100 of 100 inside wholly, up to 200 more in the crossed cell: 900 cannot be reached
    areas = layer(at(0, 0, 300, 200), at(400, 0), index=["far", "met"])
    totals = pd.Series({"far": 900.0, "met": 400.0})
    found = estimate_population(areas, ROW, method="constrained", constraint=totals)
    assert ["total_not_met" in codes for codes in found["warnings"]] == [True, False]
    (note,) = found.attrs["qpvgeo"]["notes"]
    assert (note.key, note.values["count"], note.values["total"]) == ("population.totals_not_met", 1, 2)
    assert note.values["worst"] == pytest.approx(300 / 900 - 1, abs=1e-3)
    assert note.values["codes"] == ["far"]


def test_perimeters_without_a_total_are_named():
    areas = layer(at(0, 0), at(400, 0), index=["a", "b"])
    found = estimate_population(areas, ROW, method="constrained", constraint=pd.Series({"a": 100.0}))
    assert [note.key for note in found.attrs["qpvgeo"]["notes"]] == ["population.rows_without_total"]


def test_warnings_are_codes_with_a_sentence_in_both_languages():
    row = {"gap": -0.44}
    for code in WARNINGS:
        (note,) = in_words([code], row)
        assert note.key == f"population.{code}"
        assert note.say("fr") != note.say("en")


def test_column_that_the_grid_lacks_is_refused():
    with pytest.raises(DataError, match="ind_80p"):
        estimate_population(layer(at(0, 0)), UNIFORM, columns=["ind_80p"])


NO_GRID = {
    "far from the extract": layer(at(9_000, 0)),
    "Guadeloupe": layer(box(-61.55, 16.2, -61.5, 16.25), crs=4326),
    "Guadeloupe in metres": layer(box(650_000, 1_790_000, 650_400, 1_790_400), crs=5490),
    "missing": layer(None),
    "empty": layer(Polygon()),
    "encloses nothing": layer(Polygon([(E, N), (E + 9, N), (E, N), (E, N)])),
}


WHY = {"far from the extract": "no cell of the grid under it"} | dict.fromkeys(
    ("Guadeloupe", "Guadeloupe in metres"), "no grid"
)


@pytest.mark.parametrize("name", NO_GRID)
@pytest.mark.parametrize("method", ["area", "centroid", "touching"])
def test_where_there_is_no_grid_all_is_missing_and_never_zero(name, method):
    found = estimate_population(NO_GRID[name], UNIFORM, method=method)
    assert found["cells"].tolist() == [0]
    assert found["reliability"].tolist() == [WHY.get(name, "no outline")]
    assert found.drop(columns=["cells", "reliability", "warnings"]).isna().all(axis=None)


def test_a_perimeter_that_an_extract_covers_in_part_says_so():
    one = UNIFORM.iloc[[0]]
    north, east = (int(part) for part in one.index[0].removeprefix("CRS3035RES200mN").split("E"))
    perimeter = layer(box(east, north, east + 200, north + 300))
    found = estimate_population(perimeter, one).iloc[0]
    assert found["grid_share"] == pytest.approx(2 / 3)
    assert "partly_no_cell" in found["warnings"]


def test_a_bare_polygon_is_refused_with_the_way_to_wrap_it():
    with pytest.raises(UsageError, match="GeoSeries"):
        estimate_population(at(0, 0), UNIFORM)


@pytest.mark.parametrize("columns", [["poverty_rate"], "ind_0_3"])
def test_columns_that_would_overwrite_results_are_refused(columns):
    grid = UNIFORM.assign(poverty_rate=0.5, ind_0_3=1.0)
    with pytest.raises((UsageError, DataError)):
        estimate_population(layer(at(0, 0)), grid, columns=columns)


def test_points_mostly_elsewhere_are_told():
    found = estimate_population(
        layer(at(100, 0, 200, 200)), UNIFORM, method="points", points=points((90_000, 90_000))
    ).iloc[0]
    assert "mostly_by_area" in found["warnings"]


def test_points_do_not_make_up_for_the_grid():
    found = estimate_population(layer(at(9_000, 0)), UNIFORM, method="points", points=points((9_050, 50)))
    assert found.drop(columns=["cells", "reliability", "warnings"]).isna().all(axis=None)


def test_grid_of_martinique_says_nothing_of_guadeloupe_in_the_same_projection():
    grid = grid_of([[100]], lattice=Lattice(5490, 200), origin=(1_790_000, 650_000))
    found = estimate_population(NO_GRID["Guadeloupe in metres"], grid)
    assert found["cells"].tolist() == [0]


def test_kilometre_grid_of_la_reunion_by_hand():
    grid = grid_of([[100, 300]], lattice=Lattice(2975, 1000), origin=(7_680_000, 340_000))
    perimeter = layer(box(340_500, 7_680_000, 342_000, 7_681_000), crs=2975)
    assert estimate_population(perimeter, grid)["estimate"].tolist() == [350.0]


def test_perimeters_with_and_without_grid_stand_side_by_side():
    found = estimate_population(layer(at(9_000, 0), at(0, 0), None), UNIFORM)
    assert found["cells"].tolist() == [0, 1, 0]
    assert found["estimate"].isna().tolist() == [True, False, True]


def test_grid_without_rows_leaves_all_missing():
    found = estimate_population(layer(at(0, 0)), UNIFORM.iloc[:0])
    assert (found["cells"].tolist(), found["estimate"].isna().tolist()) == ([0], [True])


def test_no_perimeters_give_no_rows():
    found = estimate_population(layer(), UNIFORM)
    assert (len(found), tuple(found.columns)) == (0, ESTIMATE_COLUMNS)


def test_inhabited_area_without_people_is_a_zero_that_is_known():
    found = estimate_population(layer(at(0, 0)), grid_of([[0]])).iloc[0]
    assert found[["low", "estimate", "high", "cells"]].tolist() == [0.0, 0.0, 0.0, 1]
    assert found[["poverty_rate", "imputed_share"]].isna().all()


@pytest.mark.parametrize("method", ["area", "centroid", "touching"])
@pytest.mark.parametrize("kind", ["float64", "Float64", pd.ArrowDtype(pa.float64())], ids=str)
def test_value_that_is_missing_makes_the_sum_missing_not_smaller(method, kind):
    grid = grid_of([[100, 200, 400]])
    grid["households"] = pd.array([50, None, 200], dtype="Float64").astype(kind)
    found = estimate_population(layer(at(0, 0, 400, 200), at(400, 0)), grid, method=method)
    assert found["households"].tolist() == [pytest.approx(np.nan, nan_ok=True), 200.0]
    assert found["poverty_rate"].isna().tolist() == [True, False]
    assert found["estimate"].tolist() == [300.0, 400.0]


@pytest.mark.parametrize("kind", ["float64", "Int64"])
def test_people_that_are_missing_make_estimate_and_bounds_missing(kind):
    grid = ROW.assign(population=pd.array([100, None, 400], dtype="Int64").astype(kind))
    found = estimate_population(layer(at(0, 0, 400, 200), at(400, 0)), grid)
    assert found["estimate"].isna().tolist() == [True, False]
    assert found["high"].isna().tolist() == [True, False]
    assert found["low"].isna().tolist() == [True, False]
