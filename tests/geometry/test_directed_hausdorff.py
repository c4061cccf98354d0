"""Greatest distance to a perimeter: by hand where corners say too little, by dense samples on random shapes."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

from qpvgeo.geometry import directed_hausdorff
from qpvgeo.geometry import directed_hausdorff as farthest
from qpvgeo.geometry.directed_hausdorff import farthest_m

SQUARE = box(0, 0, 1000, 1000)
STEP = 2.0


@st.composite
def stars(draw, reach=120.0):
    """Outline around a centre, concave as often as not, at times on whole metres."""
    x, y = draw(st.floats(-reach, reach)), draw(st.floats(-reach, reach))
    radii = np.array(draw(st.lists(st.floats(0.1, 1), min_size=3, max_size=9))) * draw(st.floats(3, 80))
    angles = draw(st.floats(0, 6.3)) + np.arange(len(radii)) * 2 * np.pi / len(radii)
    corners = np.column_stack([x + radii * np.cos(angles), y + radii * np.sin(angles)])
    shape = Polygon(np.round(corners) if draw(st.booleans()) else corners)
    return shape if shape.is_valid and shape.area > 1 else Point(x, y).buffer(5)


def sampled(shape):
    """Points of a shape, none of its points farther than 2 m from one of them."""
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west, east + STEP, STEP), np.arange(south, north + STEP, STEP))
    inside = shapely.contains_xy(shape, x, y)
    rim = shapely.get_coordinates(shapely.segmentize(shape.boundary, 1.0))
    return shapely.points(np.vstack([np.column_stack([x[inside], y[inside]]), rim]))


@pytest.mark.parametrize(
    ("shape", "metres"),
    [
        (box(100, 100, 200, 200), 0.0),  # inside
        (box(0, 0, 1000, 1000), 0.0),  # the very outline
        (box(900, 0, 1100, 100), 100.0),  # across
        (box(1050, 0, 1100, 100), 100.0),
        (box(1000, 1000, 1030, 1040), 50.0),  # off a corner: 30, 40, 50
        (MultiPolygon([box(1050, 0, 1060, 10), box(-500, 0, -490, 10)]), 500.0),  # all its buildings
    ],
)
def test_distance_by_hand(shape, metres):
    assert farthest_m([shape], SQUARE).tolist() == [metres]


def test_middle_of_an_edge_between_two_arms_is_farther_than_its_ends():
    arms = MultiPolygon([box(0, 0, 10, 1000), box(710, 0, 720, 1000)])
    shape = box(10, 400, 710, 420)
    corners = shapely.distance(shapely.points(shapely.get_coordinates(shape)), arms)
    assert corners.max() == 0
    assert farthest_m([shape], arms).tolist() == [350.0]


def test_inside_of_a_court_is_farther_than_its_whole_outline():
    court = box(0, 0, 900, 900).difference(box(100, 100, 800, 800))
    shape = box(100, 100, 800, 800)
    assert shapely.distance(shape.boundary, court) == 0
    assert farthest_m([shape], court).tolist() == [350.0]


def test_place_between_three_parts_is_the_centre_of_their_circle():
    angles = np.radians([90, 210, 330])
    parts = MultiPolygon([Point(400 * np.cos(a), 400 * np.sin(a)).buffer(1e-3) for a in angles])
    assert farthest_m([box(-50, -50, 50, 50)], parts)[0] == pytest.approx(400 - 1e-3, abs=60)
    # the centre itself is no corner: it is 60 m or more from every corner
    far = farthest_m([Polygon([(350 * np.cos(a), 350 * np.sin(a)) for a in angles])], parts)
    assert far[0] == pytest.approx(400 - 1e-3, abs=2e-3)


@pytest.fixture
def looked_at(monkeypatch):
    """Number of triangles that were cut so far."""
    seen, bisected = [], directed_hausdorff._bisected
    monkeypatch.setattr(farthest, "_bisected", lambda corners: seen.append(len(corners)) or bisected(corners))
    return lambda: sum(seen)


X, Y = 700_000.0, 6_600_000.0  # where rounding is that of Lambert-93
ARMS = shapely.union_all([box(X, Y, X + 500, Y + 50), box(X, Y, X + 50, Y + 500), box(X + 450, Y, X + 500, Y + 500)])


@pytest.mark.parametrize("turn", [0, 10, 33.3, 45, 71.1])
@pytest.mark.parametrize(
    "bounds", [(203, 250, 300, 300), (50, 50, 450, 500), (61.3, 70.7, 433.9, 480.1), (249, 100, 251, 400)], ids=str
)
def test_line_between_parallel_arms_is_not_followed_to_the_last_bit(looked_at, turn, bounds):
    west, south, east, north = bounds
    shape = box(X + west, Y + south, X + east, Y + north)
    turned = [shapely.affinity.rotate(one, turn, origin=(X, Y)) for one in (shape, ARMS)]
    assert farthest_m(turned[:1], turned[1]).tolist() == [200.0]
    assert looked_at() < 500


@pytest.mark.parametrize("lean", [1e-5, 1e-3, 0.1, 5.0])
def test_line_between_arms_that_are_nearly_parallel_is_not_followed_either(looked_at, lean):
    leaning = Polygon([(X, Y), (X + 50, Y), (X + 50 - lean, Y + 2000), (X, Y + 2000)])
    arms = MultiPolygon([leaning, box(X + 450, Y, X + 500, Y + 2000)])
    shape = box(X + 51.3, Y + 100.7, X + 433.7, Y + 1800.3)
    found = farthest_m([shape], arms)[0]
    # the bisector of the two limits: half of the width there, but for the slope
    width = 400 + lean * 1800.3 / 2000
    assert found == pytest.approx(width / (1 + np.hypot(1, lean / 2000)), abs=2e-4)
    assert looked_at() < 500


@pytest.mark.parametrize("turn", [0, 20, 30, 45, 60])
def test_shape_that_shares_a_turned_edge_with_the_perimeter_leaves_no_flat_triangles(looked_at, turn):
    perimeter = shapely.union(box(X, Y, X + 200, Y + 350), box(X + 350, Y + 100, X + 800, Y + 300))
    turned = [shapely.affinity.rotate(one, turn, origin=(X, Y)) for one in (box(X, Y, X + 350, Y + 350), perimeter)]
    # on the south side, as far from the west part as from the corner of the east one: u**2 = (150 - u)**2 + 100**2
    assert farthest_m(turned[:1], turned[1]).tolist() == [108.3333]
    assert looked_at() < 500


@pytest.mark.parametrize("segments", [4, 16])
def test_ring_between_two_rings_is_not_followed_all_around(looked_at, segments):
    centre = Point(X, Y)
    outer = centre.buffer(400, quad_segs=segments).difference(centre.buffer(380, quad_segs=segments))
    rings = shapely.union(outer, centre.buffer(100, quad_segs=segments))
    shape = centre.buffer(330, quad_segs=40).difference(centre.buffer(150, quad_segs=40))
    seen = shapely.distance(sampled(shape), rings).max()
    assert seen - 1e-4 <= farthest_m([shape], rings)[0] <= seen + 2
    assert looked_at() < 20_000


def test_missing_and_empty_shapes_have_no_distance_and_far_ones_are_beyond_the_limit():
    found = farthest_m([None, Polygon(), box(1100, 0, 1301, 10), box(1100, 0, 1300, 10)], SQUARE, limit=300)
    assert np.array_equal(found, [np.nan, np.nan, np.inf, 300.0], equal_nan=True)


def test_no_shape_gives_no_distance():
    assert farthest_m([], SQUARE).tolist() == []


@settings(max_examples=150, deadline=None)
@given(shapes=st.lists(stars(), min_size=1, max_size=3), parts=st.lists(stars(), min_size=1, max_size=4))
def test_dense_samples_agree(shapes, parts):
    perimeter = shapely.union_all(parts)
    for shape, found in zip(shapes, farthest_m(shapes, perimeter), strict=True):
        seen = shapely.distance(sampled(shape), perimeter).max()
        assert seen - 1e-4 <= found <= seen + 2


@settings(max_examples=100, deadline=None)
@given(shape=stars(), part=stars())
def test_corners_are_enough_for_a_convex_perimeter(shape, part):
    corners = shapely.points(shapely.get_coordinates(shape))
    expected = shapely.distance(corners, part.convex_hull).max()
    assert farthest_m([shape], part.convex_hull)[0] == pytest.approx(expected, abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(shapes=st.lists(stars(), min_size=2, max_size=4), part=stars())
def test_order_and_company_change_nothing(shapes, part):
    together = farthest_m(shapes, part)
    assert together[::-1].tolist() == farthest_m(shapes[::-1], part).tolist()
    assert together.tolist() == [farthest_m([shape], part)[0] for shape in shapes]
