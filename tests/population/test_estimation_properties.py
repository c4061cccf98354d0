"""Properties of estimates of people: order, bounds, partitions, points and overlaps."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_index_equal
from shapely import LineString, MultiPolygon, Point, Polygon, box
from shapely.ops import split
from tests.population.small_cells import (
    ROW,
    UNIFORM,
    E,
    N,
    at,
    cut,
    estimate,
    grid_of,
    layer,
    metres,
    places,
    points,
    stars,
)

from qpvgeo.population.estimation import estimate_population

METHODS = ("area", "centroid", "touching", "points", "constrained")


@st.composite
def grids(draw):
    """Six by six cells, some empty of people, some not in the file."""
    number = st.sampled_from([0.0, np.nan]) | st.floats(0.5, 900)
    return grid_of(np.reshape(draw(st.lists(number, min_size=36, max_size=36)), (6, 6)))


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
