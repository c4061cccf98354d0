"""Area that rings enclose: hand-worked shapes, and valid polygons as their own oracle."""

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from qpvgeo.geometry.enclosed_area import enclosed_m2

FAR = 6_600_000


def ring(*points, holes=()):
    return shapely.Polygon([(x, FAR + y) for x, y in points], [[(x, FAR + y) for x, y in hole] for hole in holes])


SQUARE = ring((0, 0), (100, 0), (100, 100), (0, 100))
TWICE = ring(*[(0, 0), (100, 0), (100, 100), (0, 100)] * 2)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (SQUARE, 10_000),
        (ring((0, 0), (100, 100), (100, 0), (0, 100)), 5_000),
        (TWICE, 10_000),
        (ring((0, 0), (100, 0), (100, 100), (0, 100), holes=[[(50, 40), (150, 40), (150, 60), (50, 60)]]), 9_000),
        (shapely.MultiPolygon([SQUARE, ring((50, 0), (150, 0), (150, 100), (50, 100))]), 15_000),
        (shapely.GeometryCollection([SQUARE, shapely.Point(0, 0)]), 10_000),
        (ring((0, 0), (100, 0), (50, 0)), 0),
        (shapely.LineString([(0, 0), (1, 1)]), 0),
        (shapely.Polygon(), 0),
        (None, 0),
    ],
    ids=["square", "bow tie", "twice", "hole that leaves", "two parts", "collection", "flat", "line", "empty", "none"],
)
def test_area_of_shapes_worked_by_hand(shape, area):
    assert enclosed_m2(shape) == pytest.approx(area, abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=3, max_size=12, unique=True))
def test_area_of_a_valid_polygon_is_its_own(points):
    hull = shapely.MultiPoint(points).convex_hull
    assert enclosed_m2(hull) == pytest.approx(hull.area, abs=0.1)
