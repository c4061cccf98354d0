"""People of perimeters: each method worked out by hand, bounds and partitions on random shapes, the case of Lille."""

import ast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_index_equal
from shapely import LineString, MultiPolygon, Point, Polygon, box
from shapely.ops import split
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry import cell_cover, insee_lattice
from qpvgeo.geometry.insee_lattice import Cells, Lattice, format_ids
from qpvgeo.population.estimation import ESTIMATE_COLUMNS, FEW_HOUSEHOLDS, RATE_HOUSEHOLDS, estimate_population
from qpvgeo.population.reliability import WARNINGS, in_words
from qpvgeo.read.grid.reader import read_grid

N, E = 3_070_000, 3_830_000  # near Lille
INSEE = Lattice(3035, 200)
METHODS = ("area", "centroid", "touching", "points", "constrained")
SUMS = ("low", "estimate", "high", "households", "poor_households")


def grid_of(people, *, lattice=INSEE, origin=(N, E), **columns):
    """Grid frame of a table of people, rows northwards; cells without a number are not in the file."""
    table = np.asarray(people, dtype=float)
    row, col = np.nonzero(~np.isnan(table))
    cells = Cells(lattice, origin[0] + row * lattice.size, origin[1] + col * lattice.size)
    values = table[row, col]
    frame = {
        "population": values,
        "households": values / 2,
        "poor_households": values / 8,
        "living_standard_sum_eur": values * 20_000,
        "imputed": np.zeros(len(values), bool),
        "communes": [["59350"]] * len(values),
    }
    return pd.DataFrame(frame | columns, index=format_ids(cells))


def at(x, y, width=200, height=200):
    return box(E + x, N + y, E + x + width, N + y + height)


def layer(*shapes, index=None, crs=3035):
    return gpd.GeoSeries(list(shapes), index=index, crs=crs)


def points(*places, crs=3035):
    return layer(*(Point(E + x, N + y) for x, y in places), crs=crs)


def estimate(shape, grid, column="estimate", **options):
    """One figure of one perimeter."""
    return estimate_population(layer(shape), grid, **options)[column].iloc[0]


UNIFORM = grid_of(np.full((6, 6), 100.0))
ROW = grid_of([[100, 200, 400]])  # three cells from west to east


@st.composite
def stars(draw):
    """Outline around a centre over the uniform grid, at times snapped to metres or to grid lines."""
    size, x, y = draw(st.floats(20, 700)), draw(st.floats(0, 1200)), draw(st.floats(0, 1200))
    radii = np.array(draw(st.lists(st.floats(0.1, 1), min_size=3, max_size=9))) * size
    angles = draw(st.floats(0, 6.3)) + np.arange(len(radii)) * 2 * np.pi / len(radii)
    shape = np.column_stack([E + x + radii * np.cos(angles), N + y + radii * np.sin(angles)])
    snap = draw(st.sampled_from([0, 1, 50, 200]))
    shape = Polygon(np.round(shape / snap) * snap if snap else shape)
    mended = shapely.make_valid(shape, method="structure")
    assume(shapely.get_dimensions(mended) == 2 and mended.area > 1)
    return mended


@st.composite
def grids(draw):
    """Six by six cells, some empty of people, some not in the file."""
    number = st.sampled_from([0.0, np.nan]) | st.floats(0.5, 900)
    return grid_of(np.reshape(draw(st.lists(number, min_size=36, max_size=36)), (6, 6)))


def metres(low, high):
    """Coordinates as files give them: to the millimetre, at times on the lines of a grid of 50 m."""
    steps = st.integers(0, 24).map(lambda step: step * 50.0)
    return st.floats(low, high).map(lambda value: round(value, 3)) | steps


places = st.lists(st.tuples(metres(-100, 1300), metres(-100, 1300)), min_size=1, max_size=25)


def test_columns_are_those_announced():
    assert tuple(estimate_population(layer(at(0, 0)), UNIFORM).columns) == ESTIMATE_COLUMNS


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


def homes(*places, **columns):
    """Points with what stands beside them."""
    return gpd.GeoDataFrame(columns, geometry=points(*places).array)


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


INDEXES = {
    "unsorted text": pd.Index(["z", "a", "m"], name="qpv_code"),
    "numbers": pd.Index([30, 10, 20]),
    "repeated": pd.Index(["a", "b", "a"]),
    "default": pd.RangeIndex(3),
    "levels": pd.MultiIndex.from_tuples([("x", 2), ("x", 1), ("a", 1)], names=["epci", "part"]),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
@pytest.mark.parametrize("frame", [False, True], ids=["GeoSeries", "GeoDataFrame"])
def test_index_comes_out_as_it_went_in(index, frame):
    perimeters = layer(at(0, 0), at(9_000, 0), at(400, 0), index=index)
    given_ = gpd.GeoDataFrame({"geometry": perimeters}, geometry="geometry") if frame else perimeters
    found = estimate_population(given_, ROW)
    assert_index_equal(found.index, index)
    assert found["estimate"].tolist() == [100.0, pytest.approx(np.nan, nan_ok=True), 400.0]


def test_what_is_given_stays_as_it_was():
    perimeters, grid = layer(at(100, 0, 350, 200), index=["a"]), ROW.copy()
    before = perimeters.to_wkb().tolist()
    estimate_population(perimeters, grid, method="constrained", constraint=pd.Series({"a": 300.0}))
    assert_frame_equal(grid, ROW)
    assert perimeters.to_wkb().tolist() == before


@settings(max_examples=10, deadline=None)
@given(shapes=st.lists(stars(), min_size=2, max_size=5), grid=grids(), seed=st.integers(0, 99))
@pytest.mark.parametrize("method", METHODS)
def test_order_of_perimeters_and_cells_changes_nothing(method, shapes, grid, seed):
    rng = np.random.default_rng(seed)
    perimeters = layer(*shapes, index=[f"q{k}" for k in range(len(shapes))])
    order, rows = rng.permutation(len(shapes)), rng.permutation(len(grid))
    options = options_of(method, perimeters, [(300, 300), (710, 20)])
    # raking sums the perimeters of a cell, in whatever order they come
    exact = {"check_exact": True} if method != "constrained" else {"rtol": 1e-6, "atol": 1e-6}
    expected = estimate_population(perimeters, grid, **options).drop(columns=["reliability", "warnings"]).iloc[order]
    found = estimate_population(perimeters.iloc[order], grid.iloc[rows], **options).drop(
        columns=["reliability", "warnings"]
    )
    assert_frame_equal(found, expected, **exact)


def options_of(method, perimeters, where):
    if method == "points":
        return {"method": method, "points": points(*where)}
    if method == "constrained":
        return {"method": method, "constraint": pd.Series(150.0, index=perimeters.index)}
    return {"method": method}


@settings(max_examples=25, deadline=None)
@given(shapes=st.lists(stars(), min_size=1, max_size=5), grid=grids(), where=places)
@pytest.mark.parametrize("method", METHODS)
def test_estimate_stands_between_its_bounds(method, shapes, grid, where):
    perimeters = layer(*shapes)
    found = estimate_population(perimeters, grid, **options_of(method, perimeters, where))
    known = found[found["cells"] > 0]
    assert (known["low"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["high"]).all()
    assert (known["low"] >= 0).all()


@settings(max_examples=30, deadline=None)
@given(shape=stars(), grid=grids())
def test_bounds_are_those_of_plain_shapely(shape, grid):
    ids = grid.index.str.extract(r"N(\d+)E(\d+)").astype(int).to_numpy()
    cells = shapely.box(ids[:, 1], ids[:, 0], ids[:, 1] + 200, ids[:, 0] + 200)
    inside, outside = shapely.area(shapely.intersection(cells, shape)), shapely.area(shapely.difference(cells, shape))
    # whether a limit that follows a grid line touches the cell beside it is for the last bit to say
    assume((((inside > 1) | (inside < 1e-9)) & ((outside > 1) | (outside < 1e-9))).all())
    crossed, whole = inside > 1, outside < 1
    found = estimate_population(layer(shape), grid).iloc[0]
    assert found["cells"] == pytest.approx(crossed.sum())
    if crossed.any():
        assert found["high"] == pytest.approx(grid["population"].to_numpy()[crossed].sum())
        assert found["low"] == pytest.approx(grid["population"].to_numpy()[whole].sum())


def cut(shape, cuts):
    """Shape cut along lines: parts that share their limits."""
    parts = [shape]
    for x, y, angle in cuts:
        foot = np.array([E + x, N + y])
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        ends = [
            foot - 9_000 * along,
            foot + 9_000 * along,
            foot + 9_000 * (across + along),
            foot + 9_000 * (across - along),
        ]
        side = Polygon(ends)
        parts = [piece for part in parts for piece in (part.intersection(side), part.difference(side))]
    return [part for part in parts if shapely.get_dimensions(part) == 2]


line = st.tuples(metres(0, 1200), metres(0, 1200), st.floats(0, 3.2) | st.sampled_from([0.0, np.pi / 2, np.pi / 4]))


@settings(max_examples=30, deadline=None)
@given(shape=stars(), cuts=st.lists(line, min_size=1, max_size=3), grid=grids(), where=places)
@pytest.mark.parametrize("method", ["area", "centroid", "points"])
def test_parts_of_a_partition_add_up_to_the_whole(method, shape, cuts, grid, where):
    options = options_of(method, None, where)
    whole = estimate_population(layer(shape), grid, **options).iloc[0]
    parts = estimate_population(layer(*cut(shape, cuts)), grid, **options)
    for column in ("estimate", "households", "poor_households"):
        assert parts[column].sum() == pytest.approx(np.nan_to_num(whole[column]), rel=1e-6, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(shape=stars(), cuts=st.lists(line, min_size=1, max_size=3), grid=grids())
def test_parts_never_have_more_wholly_inside_nor_less_touched_than_the_whole(shape, cuts, grid):
    whole = estimate_population(layer(shape), grid).iloc[0]
    parts = estimate_population(layer(*cut(shape, cuts)), grid)
    assert parts["low"].sum() <= np.nan_to_num(whole["low"]) + 1e-6
    assert parts["high"].sum() >= np.nan_to_num(whole["high"]) - 1e-6


@pytest.mark.parametrize("method", ["area", "centroid", "points"])
def test_strips_of_lambert_93_add_up_to_the_people_of_the_grid(method):
    """Perimeters drawn in another projection than the grid's, edge to edge."""
    west, south, east, north = layer(at(-500, -500, 2_200, 2_200)).to_crs(2154).total_bounds
    strips = layer(*(box(x, south, x + (east - west) / 7, north) for x in np.linspace(west, east, 8)[:-1]), crs=2154)
    found = estimate_population(strips, UNIFORM, **options_of(method, None, [(100, 100), (730, 240), (731, 260)]))
    assert found["estimate"].sum() == pytest.approx(3_600, rel=1e-6)


@pytest.mark.parametrize("crs", [2154, 4326, 3857])
def test_points_in_another_projection_count_alike(crs):
    addresses = points((150, 20), (150, 90), (190, 150), (20, 20)).to_crs(crs)
    assert estimate(at(100, 0, 100, 200), ROW, method="points", points=addresses) == pytest.approx(75)


@pytest.mark.parametrize("crs", [2154, 4326])
def test_perimeter_in_another_projection_than_the_points_counts_alike(crs):
    perimeter = layer(at(100, 0, 100, 200)).to_crs(crs)
    addresses = points((150, 20), (150, 90), (190, 150), (20, 20))
    found = estimate_population(perimeter, ROW, method="points", points=addresses)
    # corners that are projected stray into the next cell by a hair, which has no point
    assert found["estimate"].iloc[0] == pytest.approx(75, abs=0.01)


def test_buildings_count_by_their_centroid():
    buildings = layer(at(90, 10, 40, 20), at(60, 10, 60, 20), at(10, 10, 20, 20))  # centroids at 110, 90 and 20
    found = estimate_population(layer(at(100, 0, 100, 200)), ROW, method="points", points=buildings)
    assert found["estimate"].iloc[0] == pytest.approx(100 / 3)


def test_layer_of_buildings_may_be_a_frame_with_other_columns():
    buildings = gpd.GeoDataFrame({"height": [3, 9]}, geometry=[at(110, 10, 10, 10), at(10, 10, 9, 9)], crs=3035)
    assert estimate(at(100, 0, 100, 200), ROW, method="points", points=buildings) == pytest.approx(50)


def test_points_without_place_count_nowhere():
    addresses = layer(Point(E + 150, N + 20), None, Point(), Point(E + 20, N + 20))
    assert estimate(at(100, 0, 100, 200), ROW, method="points", points=addresses) == pytest.approx(50)


@pytest.mark.parametrize("nowhere", [layer(), layer(None), layer(Point())], ids=["no rows", "missing", "empty"])
def test_layer_without_any_place_falls_back_on_area(nowhere):
    found = estimate_population(layer(at(100, 0, 100, 200)), ROW, method="points", points=nowhere).iloc[0]
    assert found[["estimate", "fallback_share"]].tolist() == [50.0, 1.0]


LIMITS = {
    "upright": (LineString([(E + 100, N - 50), (E + 100, N + 300)]), (100, 70)),
    "level": (LineString([(E - 50, N + 100), (E + 300, N + 100)]), (70, 100)),
    "oblique": (LineString([(E - 50, N - 50), (E + 300, N + 300)]), (70, 70)),
    "grid line": (LineString([(E + 200, N - 50), (E + 200, N + 300)]), (200, 70)),
}


@pytest.mark.parametrize(("limit", "place"), LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("method", ["points", "centroid"])
def test_point_on_a_shared_limit_counts_once(limit, place, method):
    parts = shapely.get_parts(split(at(-50, -50, 350, 350), limit))
    options = {"points": points(place)} if method == "points" else {}
    found = estimate_population(layer(*parts), grid_of([[100, 200]]), method=method, **options)
    whole = estimate_population(layer(at(-50, -50, 350, 350)), grid_of([[100, 200]]), method=method, **options)
    assert len(parts) == 2
    assert found["estimate"].sum() == pytest.approx(whole["estimate"].sum())


def test_hole_in_a_perimeter_leaves_its_points_out():
    ring = at(-50, -50, 300, 300).difference(at(50, 50, 100, 100))
    found = estimate(ring, ROW, method="points", points=points((100, 100), (20, 20), (30, 30), (180, 180)))
    assert found == pytest.approx(75 + 200 * 50 / 200)  # a quarter of the east cell, which has no point


def test_invalid_outline_counts_as_the_area_that_it_encloses():
    eight = Polygon([(E, N), (E + 200, N + 200), (E + 200, N), (E, N + 200), (E, N)])
    assert estimate(eight, ROW) == pytest.approx(50)


def test_perimeters_that_overlap_count_each_for_itself():
    found = estimate_population(layer(at(0, 0), at(0, 0)), ROW)
    assert found["estimate"].tolist() == [100.0, 100.0]


def test_multipolygon_adds_its_parts():
    assert estimate(MultiPolygon([at(0, 0), at(400, 0, 100, 200)]), ROW) == 300.0


def test_perimeter_drawn_by_hand_in_degrees_is_one_call():
    drawn = gpd.GeoSeries([at(100, 100, 400, 400)], crs=3035).to_crs(4326)
    found = estimate_population(drawn, UNIFORM)
    assert found.index.tolist() == [0]
    # straight in degrees is not straight in the projection: square metres of difference
    assert found["estimate"].iloc[0] == pytest.approx(400, rel=1e-5)


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


def test_provenance_tells_method_and_sources():
    sample = qg.sample()
    qpv, grid = qg.read_qpv(sample.qpv_2024), read_grid(sample.grid_2019)
    about = estimate_population(qpv, grid, method="centroid").attrs["qpvgeo"]
    assert (about["method"], about["grid_vintage"], about["fictional"]) == ("centroid", 2019, True)
    assert [record["file"] for record in about["files"]] == [sample.qpv_2024.name, sample.grid_2019.name]


def test_total_by_commune_is_met_on_the_sample():
    grid = read_grid(qg.sample().grid_2019)
    communes = grid["communes"].explode().dropna().unique().tolist()
    totals = pd.Series(1_000.0, index=communes)
    everywhere = gpd.GeoSeries([box(*qg.read_qpv(qg.sample().qpv_2024).to_crs(3035).total_bounds)], crs=3035).buffer(
        50_000
    )
    alone = grid[[isinstance(found, list) for found in grid["communes"]]]
    found = estimate_population(everywhere, alone, method="constrained", constraint=totals)
    assert found["estimate"].iloc[0] == pytest.approx(totals.sum(), rel=1e-9)
    assert found.attrs["qpvgeo"]["constraint"]["unmet"] == []


@pytest.fixture(scope="module")
def lille(real_data):
    """Perimeters, grid and published people of Lille."""
    path = real_data / "filosofi" / "filosofi2017_200m_lille.gpkg"
    names = {
        "id": "cell_id",
        "num_people": "population",
        "mean_std_living": "living_standard_mean_eur",
        "poverty_ratio": "poverty_rate",
    }
    grid = read_grid(path, layer="enriched_grid", columns=names, keep=[])
    qpv = pyogrio.read_dataframe(path, layer="qpvs").set_index("CODE_QP")
    published = qg.read_population(real_data / "qpv2015" / "pop_qp_2013.csv")["population"]
    return qpv, grid, published.reindex(qpv.index).astype(float)


@pytest.mark.real
def test_area_finds_four_fifths_of_the_published_people_of_lille(lille):
    """Fiscal households, cells under 11 households and dense estates at the edge make up the gap."""
    qpv, grid, published = lille
    found = estimate_population(qpv, grid)["estimate"]
    assert len(found) == 26
    assert found.sum() / published.sum() == pytest.approx(0.795, abs=0.001)


@pytest.mark.real
def test_area_follows_the_published_people_of_lille(lille):
    qpv, grid, published = lille
    assert np.corrcoef(estimate_population(qpv, grid)["estimate"], published)[0, 1] == pytest.approx(0.9977, abs=1e-4)


@pytest.mark.real
def test_constrained_meets_the_published_people_of_lille(lille):
    qpv, grid, published = lille
    found = estimate_population(qpv, grid, method="constrained", constraint=published)
    assert found["estimate"].to_numpy() == pytest.approx(published.to_numpy(), rel=1e-3)
    assert found["gap"].abs().max() < 1e-3
    assert found.attrs["qpvgeo"]["constraint"]["unmet"] == []


@pytest.mark.real
def test_published_people_of_lille_stand_between_the_bounds_without_exception(lille):
    qpv, grid, published = lille
    found = estimate_population(qpv, grid)
    outside = published[(published < found["low"]) | (published > found["high"])]
    assert outside.index.tolist() == []


@pytest.mark.real
@pytest.mark.parametrize("method", ["area", "centroid", "touching"])
def test_poverty_of_lille_is_that_of_priority_neighbourhoods(lille, method):
    """Above a third in the perimeters together, under a fifth in the whole extract."""
    qpv, grid, _ = lille
    found = estimate_population(qpv, grid, method=method)
    inside = np.average(found["poverty_rate"], weights=found["estimate"].clip(lower=1))
    assert inside > 0.3
    assert grid["poor_population"].sum() / grid["population"].sum() < 0.2


def test_ids_are_parsed_once_whatever_is_asked(monkeypatch):
    """Ids are parsed when a grid is read, and not again: neither by estimates, nor by profiles, nor by maps."""
    asked = []
    real = insee_lattice.parse_ids
    monkeypatch.setattr(insee_lattice, "parse_ids", lambda *given: asked.append(len(given)) or real(*given))
    grid = read_grid(qg.sample().grid_2019)
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    first = estimate_population(qpv, grid)
    assert_frame_equal(estimate_population(qpv, grid.assign(heat=1.0)), first)
    qg.population.boundary_profile(qpv, grid, bands=(0, 100))
    assert asked == []
    plain = grid.set_axis(pd.Index(grid.index.tolist(), dtype="str"), axis="index")
    estimate_population(qpv, plain)
    estimate_population(qpv, plain)
    assert len(asked) == 1


def test_cover_and_validity_are_looked_at_once_for_choosing_cells_and_for_estimating(monkeypatch):
    made = []
    real = cell_cover._cover
    monkeypatch.setattr(cell_cover, "_cover", lambda *given: made.append(1) or real(*given))
    qpv = qg.read_qpv(qg.sample().qpv_2024).to_crs(2154)
    grid = read_grid(qg.sample().grid_2019, where=qpv)
    cut = estimate_population(qpv, grid)
    whole = estimate_population(qpv, read_grid(qg.sample().grid_2019))
    assert len(made) == 1
    assert_frame_equal(cut, whole)


def test_a_cover_is_kept_for_the_same_outlines_alone():
    areas = layer(at(0, 0), at(200, 0))
    assert estimate_population(areas, ROW)["estimate"].tolist() == [100.0, 200.0]
    areas.iloc[0] = at(400, 0)
    assert estimate_population(areas, ROW)["estimate"].tolist() == [400.0, 200.0]
    assert estimate_population(areas.iloc[::-1], ROW)["estimate"].tolist() == [200.0, 400.0]
    moved = areas.translate(200, 0)
    assert estimate_population(moved, ROW)["estimate"].iloc[1] == 400.0
