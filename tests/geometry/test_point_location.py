"""Points in areas: cases worked out by hand, then whatever shapely says of random shapes and points."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qpvgeo.geometry import parallel as chunks
from qpvgeo.geometry import point_location as pointgrid
from qpvgeo.geometry.point_location import PointGrid

SQUARE = shapely.box(1_000, 2_000, 1_300, 2_300)


def areas(*shapes):
    return np.array(shapes, dtype=object)


def grid_of(*shapes, cell=50.0):
    return PointGrid.build(areas(*shapes), cell=cell)


def locate(grid, *points):
    x, y = np.array(points, dtype=float).T
    return grid.locate(x, y).tolist()


def first_holder(shapes, x, y):
    """The plain answer: the first of the areas that covers each point."""
    points = shapely.points(x, y)
    holds = np.array([shapely.covers(shape, points) for shape in shapes])
    return np.where(holds.any(axis=0), holds.argmax(axis=0), -1)


def blob(seed, x, y, radius, corners=9):
    """A polygon of any form around a point."""
    chance = np.random.default_rng(seed)
    turn = np.sort(chance.uniform(0, 2 * np.pi, corners))
    far = radius * chance.uniform(0.3, 1, corners)
    shape = shapely.Polygon(np.stack([x + far * np.cos(turn), y + far * np.sin(turn)], axis=-1))
    return shapely.make_valid(shape, method="structure", keep_collapsed=False)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((1_150, 2_150), 0),
        ((1_000, 2_150), 0),
        ((1_300, 2_300), 0),
        ((999.999999, 2_150), -1),
        ((1_300.000001, 2_150), -1),
        ((1_150, 2_300.000001), -1),
        ((-1e9, 2_150), -1),
        ((1_150, 1e9), -1),
        ((np.nan, 2_150), -1),
        ((np.inf, -np.inf), -1),
    ],
    ids=str,
)
def test_point_in_or_out_of_a_square_whose_limit_belongs_to_it(point, expected):
    assert locate(grid_of(SQUARE), point) == [expected]


def test_first_of_the_areas_that_hold_a_point_wins_and_the_others_are_told():
    grid = grid_of(shapely.box(1_100, 2_100, 1_200, 2_200), SQUARE, shapely.box(1_150, 2_150, 1_400, 2_400))
    found, points, others = grid.locate_all(
        np.array([1_110.0, 1_180.0, 1_350.0]), np.array([2_110.0, 2_180.0, 2_350.0])
    )
    assert found.tolist() == [0, 0, 2]
    assert sorted(zip(points.tolist(), others.tolist(), strict=True)) == [(0, 1), (1, 1), (1, 2)]


def test_hole_is_outside_and_its_edge_inside():
    ring = SQUARE.difference(shapely.box(1_100, 2_100, 1_200, 2_200))
    assert locate(grid_of(ring), (1_150, 2_150), (1_100, 2_150), (1_050, 2_050)) == [-1, 0, 0]


def test_second_part_of_an_area_counts():
    both = shapely.union(SQUARE, shapely.box(9_000, 9_000, 9_100, 9_100))
    assert locate(grid_of(both), (9_050, 9_050), (5_000, 5_000)) == [0, -1]


@pytest.mark.parametrize("shift", [0.0, -0.003719, 25.0, 1e-7])
def test_edges_along_the_lines_of_the_grid_are_exact(shift):
    # the lines lie off round coordinates by a length that an outline might have by chance
    shape = shapely.box(3_200 + shift, 3_200 + shift, 6_400 + shift, 6_400 + shift)
    west = 3_200 + shift
    points = [(west, 4_000), (np.nextafter(west, 0), 4_000), (np.nextafter(west, 1e9), 4_000)]
    expected = shapely.covers(shape, shapely.points(points))
    assert locate(grid_of(shape), *points) == [0 if held else -1 for held in expected]


@pytest.mark.parametrize("build", [PointGrid.build, PointGrid.of_boxes])
def test_no_area_holds_nothing(build):
    assert build(areas(), cell=50.0).locate(np.array([1.0]), np.array([2.0])).tolist() == [-1]


def test_boxes_tell_the_first_of_the_areas_and_the_others_as_outlines_do():
    shapes = areas(shapely.box(1_100, 2_100, 1_200, 2_200), SQUARE, shapely.box(1_150, 2_150, 1_400, 2_400))
    x, y = np.array([1_110.0, 1_180.0, 1_350.0]), np.array([2_110.0, 2_180.0, 2_350.0])
    for found, other in zip(
        PointGrid.of_boxes(shapes, cell=200.0).locate_all(x, y), grid_of(*shapes).locate_all(x, y), strict=True
    ):
        assert found.tolist() == other.tolist()


def test_no_point_gives_nothing():
    assert grid_of(SQUARE).locate(np.empty(0), np.empty(0)).tolist() == []


@pytest.mark.parametrize("build", [PointGrid.build, PointGrid.of_boxes])
@settings(max_examples=60, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 10_000), min_size=1, max_size=6),
    cell=st.sampled_from([7.0, 25.0, 50.0, 333.0, 5_000.0]),
    rounded=st.sampled_from([None, 0, 1]),
)
def test_any_shapes_and_points_are_answered_as_shapely_does(build, seeds, cell, rounded):
    chance = np.random.default_rng(seeds)
    shapes = [blob(seed, *chance.uniform(0, 1_500, 2), chance.uniform(1, 800)) for seed in seeds]
    shapes = [shape if rounded is None else shapely.set_precision(shape, 10.0**-rounded) for shape in shapes]
    shapes = [shape for shape in shapes if shape.area]
    x, y = chance.uniform(-900, 2_400, (2, 400))
    corners = shapely.get_coordinates(shapes)
    middles = (corners + np.roll(corners, 1, axis=0)) / 2
    x, y = np.r_[x, corners[:, 0], middles[:, 0]], np.r_[y, corners[:, 1], middles[:, 1]]
    if rounded is not None:
        x, y = x.round(rounded), y.round(rounded)
    assert (build(areas(*shapes), cell=cell).locate(x, y) == first_holder(shapes, x, y)).all()


@pytest.fixture(scope="module")
def many():
    chance = np.random.default_rng(7)
    shapes = [blob(seed, *chance.uniform(0, 9_000, 2), 400, corners=40) for seed in range(60)]
    return areas(*shapes), *chance.uniform(0, 9_000, (2, 200_000))


def test_order_chunks_and_threads_change_nothing(many, monkeypatch):
    shapes, x, y = many
    grid = PointGrid.build(shapes, cell=50.0)
    expected = grid.locate(x, y)
    assert (grid.locate(x[::-1].copy(), y[::-1].copy())[::-1] == expected).all()
    for threads, chunk, block in ((1, 1_000, 7_000), (4, 4_096, 1 << 22), (2, 1 << 20, 50_000)):
        monkeypatch.setattr("qpvgeo.settings.threads", threads)
        monkeypatch.setattr(chunks, "CHUNK", chunk)
        monkeypatch.setattr(pointgrid, "_BLOCK", block)
        assert (grid.locate(x, y) == expected).all()


def test_several_threads_share_a_grid(many):
    shapes, x, y = many
    both = areas(*shapely.union(shapes[:30], shapes[30:]))
    grid = PointGrid.build(both, cell=50.0)
    expected = first_holder(both, x[:20_000], y[:20_000])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: grid.locate(x[:20_000], y[:20_000]), range(32)))
    assert all((answer == expected).all() for answer in answers)


def test_grid_sent_to_another_process_answers_the_same(many):
    shapes, x, y = many
    grid = PointGrid.build(shapes, cell=50.0)
    assert (pickle.loads(pickle.dumps(grid)).locate(x, y) == grid.locate(x, y)).all()
