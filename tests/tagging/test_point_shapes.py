"""Coordinates of shapes that are points: as each shape says itself, wherever missing, empty and other ones stand."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qpvgeo.geometry import parallel
from qpvgeo.tagging.coordinates import coordinates_of
from qpvgeo.tagging.point_shapes import coordinates_of_shapes, single_points

KINDS = (
    shapely.Point(3, 4),
    shapely.Point(3, 4, 5),
    shapely.Point(),
    None,
    shapely.MultiPoint([(1, 2)]),
    shapely.MultiPoint(),
    shapely.Polygon(),
    shapely.Point(np.inf, 1),
    shapely.Point(1, np.nan),
)


def one_by_one(shape):
    """The slow way: what a shape says itself."""
    if shape is None or shape.is_empty:
        return (np.nan, np.nan)
    shape = shape.geoms[0] if shape.geom_type == "MultiPoint" else shape
    return shape.x, shape.y


def test_any_mixture_is_read_as_shape_by_shape(monkeypatch):
    monkeypatch.setattr(parallel, "CHUNK", 50)
    chance = np.random.default_rng(5)
    shapes = np.array(KINDS, dtype=object)[chance.integers(0, len(KINDS), 700)]
    shapes[100:300] = shapely.points(chance.uniform(0, 9, (200, 2)))
    x, y, others = coordinates_of_shapes(shapes)
    assert np.array_equal(np.column_stack([x, y]), np.array([one_by_one(shape) for shape in shapes]), equal_nan=True)
    assert not len(others)


@pytest.mark.parametrize(
    "other", [shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)]), shapely.MultiPoint([(0, 0), (1, 1)])]
)
def test_shapes_that_are_no_points_are_told_by_their_positions(other):
    assert coordinates_of_shapes(np.array([shapely.Point(1, 1), other, None, other]))[2].tolist() == [1, 3]


def test_shapes_of_a_frame_stay_as_they_are():
    shapes = gpd.GeoSeries([shapely.MultiPoint([(1, 2)]), shapely.Point()], crs=2154)
    held = list(shapes)
    coordinates_of(shapes)
    assert list(shapes) == held
    assert [one.geom_type for one in shapes] == ["MultiPoint", "Point"]
    assert single_points(np.array(held))[0].geom_type == "Point"


def test_no_shape_has_no_coordinates():
    x, y, others = coordinates_of_shapes(np.empty(0, dtype=object))
    assert (len(x), len(y), len(others)) == (0, 0, 0)
