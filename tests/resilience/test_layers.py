"""What a layer covers, where it lies, and quantiles that tell nobody apart."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from tests.builders import refused
from tests.resilience.test_exposed_people import EAST, NORTH, box, grid_of, layer

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.resilience import exposure_beside

TWO = [100, 300]


def area():
    return layer(box(0, 0, 2, 1))


def notes(found):
    return {note.key for note in found.attrs["qpvgeo"]["notes"]}


def far_points():
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy([5.37], [43.3]), crs=4326)


FAR = {
    "another region": lambda: layer(box(3000, 0, 3001, 1)),
    "degrees said to be metres": lambda: gpd.GeoDataFrame(geometry=[shapely.box(9, 41, 10, 42)], crs=3035),
    "metres said to be degrees": lambda: layer(box(0, 0, 1, 1)).set_crs(4326, allow_override=True),
}


def test_without_what_polygons_cover_there_is_no_share_no_ratio_and_no_total():
    found = qg.exposure(area(), layer(box(0, 0, 1, 1)), grid_of([*TWO, 100]), around=layer(box(0, 0, 3, 1)))
    about = found.attrs["qpvgeo"]
    assert found[["share", "ratio"]].isna().all().all()
    assert about["inside"] == {"estimate": None, "low": 0.25, "high": 1}
    assert about["outside"] == {"estimate": None, "low": 0, "high": 1}
    assert about["ratio"]["estimate"] is None
    assert found["low"].tolist() == [100]
    assert "resilience.rest_unknown" in notes(found)


def test_the_ratio_beside_is_not_1_for_want_of_what_is_covered():
    units = layer(box(0, 0, 4, 1), labels=["A"])
    zone = layer(box(0, 0, 1, 1), box(2, 0, 3, 1))
    found = exposure_beside(area(), zone, grid_of([100] * 4), units)
    assert found[["share", "rest_share", "ratio"]].isna().all().all()
    assert "resilience.rest_unknown" in notes(found)


def test_a_qpv_of_which_a_layer_says_nothing_has_no_estimate_and_no_rank():
    areas = layer(box(0, 0, 1, 1), box(1, 0, 2, 1))
    found = qg.exposure(areas, layer(box(0, 0, 1, 1)), grid_of(TWO))
    assert found[["low", "high", "unknown"]].to_numpy().tolist() == [[100, 100, 0], [0, 300, 300]]
    assert found[["estimate", "rank"]].isna().to_numpy().tolist() == [[False, False], [True, True]]
    # where nobody is left to know, the share is a fact
    assert found["share"].tolist() == [1, pd.NA]
    # the other may have more
    assert found["rank_worst"].tolist() == [2, pd.NA]
    assert found.attrs["qpvgeo"]["inside"]["estimate"] is None


def test_what_a_layer_shows_beyond_what_it_covers_is_exposed_and_makes_no_share():
    found = qg.exposure(area(), layer(box(1, 0, 1.5, 1)), grid_of(TWO), covered=layer(box(0, 0, 1, 1)))
    assert found[["estimate", "unknown"]].to_numpy().tolist() == [[150, 150]]
    assert found["share"].tolist() == [0]


@pytest.mark.parametrize("covered", [None, "everywhere"])
@pytest.mark.parametrize("where", FAR)
def test_a_layer_far_from_the_qpv_is_refused_and_exposes_nobody(where, covered):
    error = refused(
        lambda: qg.exposure(area(), FAR[where](), grid_of(TWO), covered=covered), "resilience.far", DataError
    )
    assert [problem.values["name"] for problem in error.problems] == ["layer"]


@pytest.mark.parametrize("where", FAR)
def test_areas_far_from_the_qpv_are_refused(where):
    far, zone, grid = FAR[where](), layer(box(0, 0, 1, 1)), grid_of(TWO)
    error = refused(lambda: qg.exposure(area(), zone, grid, covered=far, around=far), "resilience.far", DataError)
    assert [problem.values["name"] for problem in error.problems] == ["covered", "around"]
    refused(lambda: exposure_beside(area(), zone, grid, far), "resilience.far", DataError)


def test_points_of_another_region_are_refused():
    refused(lambda: qg.exposure(area(), far_points(), grid_of(TWO), within_m=300), "resilience.far", DataError)


def test_a_list_of_points_says_nothing_far_beyond_its_bounds():
    # a park in the first cell; the second QPV lies 20 km to the east
    areas = layer(box(0, 0, 1, 1), box(100, 0, 101, 1))
    park = layer(shapely.Point(EAST + 100, NORTH + 100))
    found = qg.exposure(areas, park, grid_of([100] * 101), within_m=150)
    assert found["unknown"].tolist() == [0, 100]
    assert found["estimate"].isna().tolist() == [False, True]
    assert "resilience.list_complete" in notes(found)
    everywhere = qg.exposure(areas, park, grid_of([100] * 101), within_m=150, covered="everywhere")
    assert everywhere["estimate"].tolist() == [100, 0]
    assert "resilience.list_complete" not in notes(everywhere)


def test_points_may_say_where_they_are_complete():
    park = layer(shapely.Point(EAST + 100, NORTH + 100))
    found = qg.exposure(
        layer(box(0, 0, 3, 1)), park, grid_of([100, 0, 300]), within_m=150, covered=layer(box(0, 0, 2, 1))
    )
    assert found[["estimate", "unknown"]].to_numpy().tolist() == [[100, 300]]
    assert found["share"].tolist() == [1]


@pytest.mark.parametrize("name", ["layer", "around", "covered"])
@pytest.mark.parametrize("shapes", [[], [None], [shapely.Polygon()]], ids=["no row", "missing", "empty"])
def test_layers_without_a_shape_are_refused(name, shapes):
    given = {"layer": layer(box(0, 0, 1, 1)), "around": None, "covered": "everywhere"}
    given[name] = gpd.GeoDataFrame(geometry=shapes, crs=3035)
    zone = given.pop("layer")
    error = refused(lambda: qg.exposure(area(), zone, grid_of(TWO), **given), "resilience.options", UsageError)
    assert [(problem.key, problem.values["name"]) for problem in error.problems] == [("resilience.empty_layer", name)]


@pytest.mark.parametrize("name", ["around", "covered"])
def test_areas_that_are_points_are_refused(name):
    given = {name: layer(shapely.Point(EAST, NORTH))}
    refused(lambda: qg.exposure(area(), layer(box(0, 0, 1, 1)), grid_of(TWO), **given), "resilience.options")


def test_a_ratio_over_nobody_is_missing_and_says_why():
    found = qg.exposure(
        layer(box(0, 0, 1, 1)), layer(box(0, 0, 1, 1)), grid_of(TWO), covered="everywhere", around=area()
    )
    assert found["ratio"].isna().all()
    assert "resilience.ratio_over_none" in notes(found)


@pytest.mark.parametrize("options", [{"covered": "everywhere"}, {"within_m": 150}], ids=["polygons", "distance"])
def test_shapes_that_reach_no_cell_change_nothing(options):
    zone = layer(box(0, 0, 1, 1), box(10, 0, 11, 1), box(0, 4000, 1, 4001))
    alone = qg.exposure(area(), zone.iloc[:1], grid_of(TWO), **options)
    pd.testing.assert_frame_equal(qg.exposure(area(), zone, grid_of(TWO), **options), alone)


def test_a_layer_near_the_qpv_that_reaches_nobody_exposes_nobody():
    # seen around, and found elsewhere: that is known
    beside = layer(box(10, 0, 11, 1))
    found = qg.exposure(area(), beside, grid_of(TWO), covered="everywhere")
    assert found[["low", "estimate", "high", "unknown", "share"]].to_numpy().tolist() == [[0, 0, 0, 0, 0]]
    # unless nobody has looked
    unsaid = qg.exposure(area(), beside, grid_of(TWO))
    assert unsaid[["estimate", "share"]].isna().all().all()
    assert unsaid["unknown"].tolist() == [400]


def test_areas_around_that_hold_nothing_but_the_qpv_are_said_to():
    found = qg.exposure(area(), layer(box(0, 0, 1, 1)), grid_of(TWO), covered="everywhere", around=area())
    assert found.attrs["qpvgeo"]["outside"]["estimate"] is None
    assert "resilience.no_rest" in notes(found)


@pytest.mark.parametrize("heat", [[30.0, 30.0], [30.0, np.nan]], ids=["constant", "one value"])
def test_a_quantile_that_everybody_reaches_is_refused(heat):
    refused(
        lambda: qg.exposure(area(), "heat", grid_of(TWO, heat=heat), quantile=0.8),
        "resilience.quantile_of_all",
        DataError,
    )


def test_a_quantile_of_a_column_full_of_zeros_is_refused():
    # nine in ten live where there is no dwelling of the kind: the median is 0, and everybody has 0 or more
    grid = grid_of([900, 100], dwellings=[0, 4])
    refused(lambda: qg.exposure(area(), "dwellings", grid, quantile=0.5), "resilience.quantile_of_all", DataError)


def test_ties_at_a_quantile_are_told():
    # half of the people share the value that the hottest fifth begins with
    found = qg.exposure(layer(box(0, 0, 3, 1)), "heat", grid_of([500, 400, 100], heat=[30, 40, 41]), quantile=0.8)
    assert found.attrs["qpvgeo"]["reached_share"] == 0.5
    told = next(note for note in found.attrs["qpvgeo"]["notes"] if note.key == "resilience.quantile_reached")
    assert told.values["share"] == 0.5


def test_a_value_given_may_be_reached_by_all_or_by_none():
    grid = grid_of(TWO, heat=[30.0, 30.0])
    assert qg.exposure(area(), "heat", grid, above=30)["share"].tolist() == [1]
    assert qg.exposure(area(), "heat", grid, above=31)["share"].tolist() == [0]


def test_values_that_are_all_missing_are_refused():
    grid = grid_of(TWO, heat=[np.nan, np.nan])
    refused(lambda: qg.exposure(area(), "heat", grid, above=30), "resilience.no_values", DataError)


@pytest.mark.parametrize("people", [-5, np.inf, -np.inf])
def test_people_that_cannot_be_are_refused(people):
    call = lambda: qg.exposure(area(), layer(box(0, 0, 1, 1)), grid_of([people, 3]), covered="everywhere")  # noqa: E731
    assert len(refused(call, "population.impossible_figures", DataError).problems) == 1


def test_people_that_are_not_known_are_missing_and_not_0():
    areas = layer(box(0, 0, 1, 1), box(1, 0, 2, 1))
    found = qg.exposure(areas, layer(box(0, 0, 2, 1)), grid_of([100, np.nan]), covered="everywhere")
    assert found[["population", "estimate", "share"]].isna().to_numpy().tolist() == [[False] * 3, [True] * 3]
    assert found.attrs["qpvgeo"]["inside"]["estimate"] is None
    assert "resilience.people_missing" in notes(found)


def test_what_was_asked_is_said_in_words():
    grid = grid_of(TWO, heat=[30.0, 40.0])
    said = qg.exposure(area(), "heat", grid, above=35).attrs["qpvgeo"]["asked"]
    assert (said.key, said.values) == ("resilience.asked_above", {"layer": "heat", "value": 35})
