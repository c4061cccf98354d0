"""Areas that polygons share: worked out by hand, and whatever shapely's own intersection measures."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from tests.geometry.test_point_location import blob

from qpvgeo.geometry import shared_area as shared
from qpvgeo.geometry.shared_area import shared_areas

X, Y = 700_000.0, 6_600_000.0


def at(x, y, width=100, height=100):
    return box(X + x, Y + y, X + x + width, Y + y + height)


def area_of(one, other):
    first = np.zeros(1, np.intp)
    return float(shared_areas(np.array([one]), np.array([other]), first, first)[0])


def every_pair(a, b):
    i, j = np.indices((len(a), len(b))).reshape(2, -1)
    return np.array(a), np.array(b), i, j


def intersected(a, b, i, j):
    """Slow twin, near the origin, where coordinates of an intersection are rounded least."""
    near = [shapely.transform(shapes, lambda xy: xy - (X, Y)) for shapes in (a, b)]
    return shapely.area(shapely.intersection(near[0][i], near[1][j]))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (at(50, 0), 5_000),
        (at(50, 50), 2_500),
        (at(25, 25, 50, 50), 2_500),
        (at(0, 0), 10_000),
        (at(-10, -10, 200, 200), 10_000),
        (at(100, 0), 0),
        (at(0, 100), 0),
        (at(100, 100), 0),
        (at(0, 30, 100, 40), 4_000),
        (at(30, 0, 40, 100), 4_000),
        (at(500, 0), 0),
        (at(0, 500), 0),
        (shapely.Polygon([(X, Y), (X + 100, Y + 100), (X, Y + 100)]), 5_000),
        (shapely.Polygon([(X + 50, Y - 50), (X + 150, Y + 50), (X + 50, Y + 150), (X - 50, Y + 50)]), 10_000),
        (shapely.Polygon([(X + 50, Y - 25), (X + 125, Y + 50), (X + 50, Y + 125), (X - 25, Y + 50)]), 8_750),
        (at(-10, -10, 120, 120).difference(at(20, 20, 60, 60)), 6_400),
        (shapely.MultiPolygon([at(0, 0, 10, 10), at(90, 90, 500, 500), at(300, 300)]), 200),
        (shapely.Polygon(), 0),
    ],
)
def test_area_that_a_square_of_a_hectare_shares(other, expected):
    assert area_of(at(0, 0), other) == pytest.approx(expected, abs=1e-7)
    assert area_of(other, at(0, 0)) == pytest.approx(expected, abs=1e-7)


def test_no_pair_gives_nothing():
    none = np.zeros(0, np.intp)
    assert shared_areas(np.array([at(0, 0)]), np.array([at(0, 0)]), none, none).tolist() == []


def test_sliver_wider_than_rounding_is_kept_and_a_thinner_one_is_none():
    assert area_of(at(0, 0), at(100 - 1e-6, 0)) == pytest.approx(1e-4, rel=1e-3)
    assert area_of(at(0, 0), at(100 - 1e-10, 0)) == 0


def test_neighbours_with_a_corner_on_the_edge_of_the_other_share_nothing():
    slanted = shapely.Polygon([(X, Y), (X + 70, Y + 30), (X + 100, Y + 130), (X, Y + 130)])
    below = shapely.Polygon([(X, Y), (X + 70, Y + 30), (X + 70, Y - 30)])
    halfway = shapely.Polygon([(X, Y), (X + 35, Y + 15), (X + 70, Y + 30), (X + 35, Y - 30)])
    assert area_of(slanted, below) == area_of(slanted, halfway) == 0


def shapes_of(seeds, chance, decimals):
    found = [
        blob(seed, X + chance.uniform(0, 900), Y + chance.uniform(0, 900), chance.uniform(50, 600)) for seed in seeds
    ]
    found = [shape if decimals is None else shapely.set_precision(shape, 10.0**-decimals) for shape in found]
    whole = [shape for shape in found if shape.area > 1]
    return [whole[0].difference(whole[-1]), *whole] if whole else []


@settings(max_examples=150, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 10_000), min_size=1, max_size=5),
    others=st.lists(st.integers(0, 10_000), min_size=1, max_size=5),
    decimals=st.sampled_from([None, 1, -1, -2]),
)
def test_any_polygons_share_what_shapely_measures(seeds, others, decimals):
    chance = np.random.default_rng([*seeds, *others])
    a, b = shapes_of(seeds, chance, decimals), shapes_of(others, chance, decimals)
    # parts of one shape share edges with it
    b += [shapely.intersection(a[-1], at(0, 0, 400, 400)), *b[:1]] if a else []
    a, b = ([shape for shape in side if shape.area > 1] for side in (a, b))
    if a and b:
        pairs = every_pair(a, b)
        assert shared_areas(*pairs) == pytest.approx(intersected(*pairs), abs=1e-6)


@pytest.fixture(scope="module")
def many():
    chance = np.random.default_rng(5)
    a, b = (
        [
            blob(seed, X + chance.uniform(0, 3_000), Y + chance.uniform(0, 3_000), 400, corners=60)
            for seed in range(start, start + 40)
        ]
        for start in (0, 40)
    )
    return every_pair(a, b)


def test_area_of_a_pair_does_not_depend_on_the_others_to_the_last_bit(many, monkeypatch):
    a, b, i, j = many
    whole = shared_areas(a, b, i, j)
    order = np.random.default_rng(1).permutation(len(i))[:200]
    assert shared_areas(a, b, i[order], j[order]).tolist() == whole[order].tolist()
    monkeypatch.setattr("qpvgeo.settings.threads", 1)
    monkeypatch.setattr(shared, "_EDGES", 1)
    assert shared_areas(a, b, i, j).tolist() == whole.tolist()


def test_many_edges_are_measured_bit_by_bit_with_the_same_answer(many, monkeypatch):
    a, b, i, j = many
    whole = shared_areas(a, b, i, j)
    monkeypatch.setattr(shared, "_PAIRS", 16)
    parts = shared_areas(a, b, i, j)
    assert parts == pytest.approx(whole, abs=1e-6)
    assert shared_areas(a, b, i[::-1], j[::-1])[::-1].tolist() == parts.tolist()


def test_country_and_a_quarter_are_measured_in_one_call():
    ring = shapely.Point(X, Y).buffer(400_000, quad_segs=4_000)
    quarter = blob(3, X + 399_900, Y, 400, corners=40)
    found = area_of(ring, quarter)
    assert found == pytest.approx(ring.intersection(quarter).area, abs=1e-3)
    assert 0 < found < quarter.area
