"""Distance to the nearest limit: by hand, then as shapely measures it."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.geometry.test_point_location import areas, blob

from qpvgeo.geometry import parallel as chunks
from qpvgeo.geometry.boundary_distance import BoundaryDistance

SQUARE = shapely.box(10_000, 20_000, 10_300, 20_300)


def limits_of(*shapes, reach=500.0, cell=100.0):
    return BoundaryDistance.build(areas(*shapes), reach=reach, cell=cell)


def nearest(limits, *points):
    distance, area = limits.nearest(*np.array(points, dtype=float).T)
    return distance.tolist(), area.tolist()


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((9_900, 20_150), 100.0),
        ((10_600, 20_700), 500.0),
        ((10_150, 20_150), 150.0),
        ((10_000, 20_100), 0.0),
        ((10_300, 20_300), 0.0),
    ],
    ids=["beside an edge", "beyond a corner", "in the middle", "on an edge", "on a vertex"],
)
def test_distance_to_the_limit_of_a_square(point, expected):
    assert nearest(limits_of(SQUARE), point) == ([pytest.approx(expected, abs=1e-9)], [0])


@pytest.mark.parametrize(
    "point", [(9_499.99, 20_150), (0, 0), (np.nan, 20_150), (np.inf, 20_150), (1e12, 1e12)], ids=str
)
def test_beyond_the_reach_there_is_no_answer(point):
    distance, area = nearest(limits_of(SQUARE), point)
    assert np.isnan(distance[0])
    assert area == [-1]


def test_nearest_is_by_edge_and_not_by_vertex():
    long = shapely.box(10_000, 20_000, 14_000, 20_100)
    near_vertex = shapely.box(12_000, 20_400, 12_010, 20_410)
    assert nearest(limits_of(long, near_vertex), (12_000, 20_240)) == ([pytest.approx(140)], [0])


def test_of_two_areas_at_one_distance_the_first_is_nearest():
    east = shapely.box(10_300, 20_000, 10_600, 20_300)
    on_the_edge, beyond_the_vertex = (10_300, 20_150), (10_300, 20_400)
    for pair in ((SQUARE, east), (east, SQUARE)):
        assert nearest(limits_of(*pair), on_the_edge, beyond_the_vertex)[1] == [0, 0]


def test_edge_of_no_length_is_a_point():
    ring = shapely.Polygon([(10_000, 20_000), (10_300, 20_000), (10_300, 20_000), (10_300, 20_300), (10_000, 20_000)])
    assert nearest(limits_of(ring), (10_400, 19_900))[0] == [pytest.approx(100 * 2**0.5)]


def test_no_area_and_no_point():
    assert nearest(limits_of(), (1, 2))[1] == [-1]
    assert limits_of(SQUARE).nearest(np.empty(0), np.empty(0))[0].tolist() == []


@settings(max_examples=50, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 10_000), min_size=1, max_size=5),
    reach=st.sampled_from([0.0, 20.0, 300.0, 500.0, 3_000.0]),
    cell=st.sampled_from([20.0, 100.0, 700.0]),
)
def test_any_shapes_and_points_are_measured_as_shapely_does(seeds, reach, cell):
    chance = np.random.default_rng(seeds)
    # far from the origin, as in Lambert-93
    shapes = [blob(seed, *(chance.uniform(0, 2_000, 2) + 6e6), chance.uniform(1, 600)) for seed in seeds]
    shapes = [shape for shape in shapes if shape.area]
    x, y = chance.uniform(-1_500, 3_500, (2, 300)) + 6e6
    distance, area = limits_of(*shapes, reach=reach, cell=cell).nearest(x, y)
    to_each = np.array([shapely.distance(shapely.boundary(shape), shapely.points(x, y)) for shape in shapes])
    expected = to_each.min(axis=0)
    decided = np.abs(expected - reach) > 1e-6
    assert (np.isnan(distance) == (expected > reach))[decided].all()
    known = np.flatnonzero(~np.isnan(distance))
    assert distance[known] == pytest.approx(expected[known], abs=1e-6)
    assert to_each[area[known], known] == pytest.approx(expected[known], abs=1e-6)


def test_nearest_of_small_far_areas_is_found_from_every_corner_of_a_large_cell():
    """An edge up to twice the radius farther from the middle of a cell may be the nearest to a corner of it."""
    chance = np.random.default_rng(5)
    shapes = [shapely.box(x, y, x + 1, y + 1) for x, y in chance.uniform(0, 3_000, (30, 2))]
    x, y = chance.uniform(0, 3_000, (2, 2_000))
    distance, area = limits_of(*shapes, reach=3_000.0, cell=700.0).nearest(x, y)
    to_each = np.array([shapely.distance(shapely.boundary(shape), shapely.points(x, y)) for shape in shapes])
    assert distance == pytest.approx(to_each.min(axis=0), abs=1e-6)
    assert (area == to_each.argmin(axis=0)).all()


def test_order_chunks_and_threads_change_nothing(monkeypatch):
    chance = np.random.default_rng(3)
    shapes = [blob(seed, *chance.uniform(0, 9_000, 2), 400, corners=40) for seed in range(60)]
    x, y = chance.uniform(0, 9_000, (2, 100_000))
    limits = limits_of(*shapes)
    expected = limits.nearest(x, y)
    for threads, chunk in ((1, 1_000), (4, 4_096), (2, 1 << 20)):
        monkeypatch.setattr("qpvgeo.settings.threads", threads)
        monkeypatch.setattr(chunks, "CHUNK", chunk)
        turned = limits_of(*shapes).nearest(x[::-1].copy(), y[::-1].copy())
        assert np.array_equal(turned[0][::-1], expected[0], equal_nan=True)
        assert (turned[1][::-1] == expected[1]).all()


def test_areas_that_share_edges_or_lie_alike_are_told_by_their_order():
    """Many edges at one distance, more than are looked at together: the first area decides, as all at once would."""
    chance = np.random.default_rng(12)
    tiles = [shapely.box(x, y, x + 10, y + 10) for x in range(0, 120, 10) for y in range(0, 120, 10)]
    limits = limits_of(*tiles, reach=60.0, cell=50.0)
    x, y = np.concatenate([chance.uniform(-50, 170, (2, 400)), np.rint(chance.uniform(-10, 130, (2, 400)))], axis=1)
    distance, area = limits.nearest(x, y)
    to_each = np.array([shapely.distance(shapely.boundary(tile), shapely.points(x, y)) for tile in tiles])
    near = np.flatnonzero(to_each.min(axis=0) <= 60)
    assert distance[near] == pytest.approx(to_each.min(axis=0)[near], abs=1e-9)
    first = (to_each[:, near] <= to_each.min(axis=0)[near] + 1e-9).argmax(axis=0)
    assert (area[near] == first).all()
    assert (area[np.setdiff1d(np.arange(len(x)), near)] == -1).all()


def test_edges_of_a_cell_stand_by_their_distance_and_are_not_told_too_far():
    chance = np.random.default_rng(9)
    shapes = [blob(seed, *chance.uniform(0, 2_000, 2), 300, corners=30) for seed in range(20)]
    limits = limits_of(*shapes, cell=200.0)
    cells = np.flatnonzero(limits.fine)
    tile = np.flatnonzero(limits.coarse >= 0)[cells >> 10]
    inner = cells & 1023
    column, row = tile % limits.frame.columns * 32 + (inner & 31), tile // limits.frame.columns * 32 + (inner >> 5)
    for number, col, up in zip(limits.fine[cells] - 1, column, row, strict=True):
        rows = slice(limits.start[number], limits.start[number + 1])
        middle = shapely.Point(limits.frame.x + (col + 0.5) * 200, limits.frame.y + (up + 0.5) * 200)
        x, y, dx, dy = limits.edges[:4, limits.near[rows]]
        edges = shapely.linestrings(np.stack([np.stack([x, y], -1), np.stack([x + dx, y + dy], -1)], axis=1))
        apart = shapely.distance(edges, middle)
        assert (limits.far[rows] <= apart + 1e-6).all()
        assert (np.diff(limits.far[rows]) >= -1e-6).all()
