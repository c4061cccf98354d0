"""Coordinates of shapes that are points, read once, straight from the array that a frame holds."""

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geometry.parallel import in_chunks

__all__ = ["coordinates_of_shapes", "single_points"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Shapes = npt.NDArray[np.object_]


def coordinates_of_shapes(shapes: Shapes) -> tuple[Floats, Floats, Rows]:
    """Eastings and northings of points, NaN for what is missing or empty; positions of shapes that are no points.

    What has no easting is looked at afterwards, and nothing else. A multipoint of one point, as many programs write a
    point, is that point.

    Examples
    --------
    >>> shapes = [shapely.Point(5, 6), shapely.MultiPoint([(1, 2)]), shapely.Point(), None, shapely.box(0, 0, 1, 1)]
    >>> x, y, others = coordinates_of_shapes(np.array(shapes))
    >>> x.tolist(), y.tolist(), others.tolist()
    ([5.0, 1.0, nan, nan, nan], [6.0, 2.0, nan, nan, nan], [4])
    """
    x, y = np.empty(len(shapes)), np.empty(len(shapes))

    def read(rows: slice) -> Rows:
        try:
            shapely.get_x(shapes[rows], out=x[rows])
            shapely.get_y(shapes[rows], out=y[rows])
        except shapely.errors.GEOSException:
            # GEOS asks nothing of an empty point
            drawn = ~shapely.is_empty(shapes[rows])
            x[rows], y[rows] = np.nan, np.nan
            shapely.get_x(shapes[rows], out=x[rows], where=drawn)
            shapely.get_y(shapes[rows], out=y[rows], where=drawn)
        without: Rows = np.flatnonzero(np.isnan(x[rows])) + rows.start
        return without

    rows = np.concatenate([np.empty(0, np.intp), *in_chunks(read, len(shapes))])
    rows = rows[(shapely.get_type_id(shapes[rows]) > 0) & ~shapely.is_empty(shapes[rows])]
    drawn = single_points(shapes[rows])
    x[rows], y[rows] = shapely.get_x(drawn), shapely.get_y(drawn)
    return x, y, rows[shapely.get_type_id(drawn) > 0]


def single_points(shapes: Shapes) -> Shapes:
    """Shapes in which a multipoint of one point, as many programs write a point, is that point.

    Examples
    --------
    >>> [one.geom_type for one in single_points(np.array([shapely.MultiPoint([(1, 2)]), shapely.Point(0, 0)]))]
    ['Point', 'Point']
    """
    alone = np.flatnonzero((shapely.get_type_id(shapes) == 4) & (shapely.get_num_geometries(shapes) == 1))
    if len(alone):
        shapes = shapes.copy()
        shapes[alone] = shapely.get_geometry(shapes[alone], 0)
    return shapes
