"""Shapes in their legal projection: the place where square metres and metres come from.

Every measure of qpvgeo goes through `to_metric`: each shape is taken to the legal projection of the territory that it
lies in, so that a frame may hold Lille and Mamoudzou together.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from qpvgeo import territories
from qpvgeo.errors import DataError

__all__ = [
    "DEGREES",
    "areas_m2",
    "at_home",
    "geodesic_areas_m2",
    "looks_swapped",
    "middles",
    "reproject",
    "require_axes",
    "territory_of",
    "to_degrees",
    "to_metric",
]

DEGREES = 4326
"""The geographic system in which frames of several territories come together: WGS 84."""

_USE_MARGIN = 3.0
"""Degrees that a projection may be used beyond the area it is made for: that of Guyane stops short of Maripasoula."""

Shapes = npt.NDArray[np.object_]
Booleans = npt.NDArray[np.bool_]


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def reproject(shapes: npt.ArrayLike, source: Any, target: Any) -> Shapes:  # noqa: ANN401 - any CRS that pyproj reads
    """Shapes in another projection, vertex by vertex; untouched when it is the same.

    Parameters
    ----------
    shapes
        Geometries; missing ones stay missing.
    source, target
        What pyproj reads as a CRS: EPSG number, WKT, `pyproj.CRS`.
    """
    given = np.asarray(shapes, dtype=object)
    before, after = pyproj.CRS.from_user_input(source), pyproj.CRS.from_user_input(target)
    if before.equals(after, ignore_axis_order=True):
        return given
    transformer = _transformer(before.to_wkt(), after.to_wkt())

    def move(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1]))

    return shapely.transform(given, move)


def territory_of(shapes: npt.ArrayLike, crs: Any) -> npt.NDArray[np.object_]:  # noqa: ANN401
    """Territory that each shape lies in, by the middle of its bounds; None outside all of them.

    Examples
    --------
    >>> import shapely
    >>> territory_of(shapely.points([[700000, 6600000], [0, 0]]), 2154).tolist()
    ['hexagone', None]
    """
    return territories.of_points(*to_degrees(*middles(shapes), pyproj.CRS.from_user_input(crs)))


def middles(shapes: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Middle of the bounds of each shape; NaN for a missing one."""
    box = shapely.bounds(np.asarray(shapes, dtype=object))
    return (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2


def to_degrees(x: npt.ArrayLike, y: npt.ArrayLike, crs: pyproj.CRS) -> tuple[Any, Any]:
    """Longitudes and latitudes of coordinates; a geographic system is taken for WGS 84, which it is within a metre."""
    x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
    if crs.is_geographic or not len(x):
        return x, y
    return _transformer(crs.to_wkt(), f"EPSG:{DEGREES}").transform(x, y)


def looks_swapped(x: npt.ArrayLike, y: npt.ArrayLike, crs: Any) -> Booleans:  # noqa: ANN401
    """Whether coordinates look as if their axes were exchanged.

    Parameters
    ----------
    x, y
        Coordinates, as they come; same length.
    crs
        Their CRS.

    Returns
    -------
    numpy.ndarray of bool
        True where (x, y) lies in no French territory and (y, x) in one. A territory far from where a projection is
        made for counts as none: the axes of Guadeloupe exchanged give places in Guyane. False where it cannot be
        told: without finite coordinates, abroad, and in metres around Saint-Georges in Guyane, whose easting and
        northing are alike.

    Examples
    --------
    >>> looks_swapped([50.63, 3.06, 0.0], [3.06, 50.63, 0.0], 4326).tolist()
    [True, False, False]
    >>> looks_swapped([7_060_000], [704_000], 2154).tolist()
    [True]
    """
    system = pyproj.CRS.from_user_input(crs)
    swapped: Booleans = ~at_home(x, y, system) & at_home(y, x, system)
    return swapped


def at_home(x: npt.ArrayLike, y: npt.ArrayLike, crs: pyproj.CRS) -> Booleans:
    """Whether points lie in a French territory that their projection is made for, or legal in."""
    lon, lat = to_degrees(x, y, crs)
    found = territories.of_points(lon, lat)
    home: Booleans = found != None  # noqa: E711 - elementwise on an object array
    use = None if crs.is_geographic else crs.area_of_use
    if use is None or use.west > use.east:
        return home
    near = (lon >= use.west - _USE_MARGIN) & (lon <= use.east + _USE_MARGIN)
    near &= (lat >= use.south - _USE_MARGIN) & (lat <= use.north + _USE_MARGIN)
    # French Polynesia is wider than any zone
    epsg = crs.to_epsg()
    for one in territories.territories().values():
        near |= (found == one.code) & (one.epsg == epsg)
    return np.asarray(home & near)


def require_axes(frame: Any, *, name: str, what: str) -> None:  # noqa: ANN401 - a GeoSeries or a GeoDataFrame
    """Raise when a layer lies nowhere in France, and most of it would with its axes exchanged.

    Parameters
    ----------
    frame
        GeoSeries or GeoDataFrame with a CRS.
    name, what
        Name that the way out gives the frame, and what an error calls the shapes.

    Raises
    ------
    DataError
        Says how to exchange the axes.
    """
    shapes = frame.geometry.to_numpy()
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    x, y = middles(shapes)
    swapped = looks_swapped(x, y, frame.crs)
    if 2 * swapped.sum() <= len(shapes) or at_home(x, y, pyproj.CRS.from_user_input(frame.crs)).any():
        return
    turned = f"{name}.geometry.transform(lambda xy: xy[:, ::-1])"
    raise DataError(
        f"The {what} lie in no French territory, and {int(swapped.sum())} of {len(shapes)} would with their axes "
        f"exchanged: latitude or northing comes first, {_where(shapes[swapped][0])}.",
        way_out=f"Exchange them: {name} = " + (f"{name}.set_geometry({turned})." if frame.ndim > 1 else f"{turned}."),
    )


def to_metric(shapes: npt.ArrayLike, crs: Any, *, what: str = "shapes") -> tuple[Shapes, npt.NDArray[np.object_]]:  # noqa: ANN401
    """Shapes in the legal projection of the territory each lies in.

    Parameters
    ----------
    shapes
        Geometries in one CRS; they may lie in several territories.
    crs
        Their CRS.
    what
        What an error calls them.

    Returns
    -------
    tuple of numpy.ndarray
        The projected shapes (metres; two shapes of different territories are not in the same projection) and the
        territory of each. A missing shape stays missing, in no territory.

    Raises
    ------
    DataError
        The CRS is not known, or shapes lie in no French territory: lists their positions.
    """
    if crs is None:
        raise DataError(f"The projection of the {what} is not known.", way_out="Set it with `.set_crs(...)`.")
    given = np.asarray(shapes, dtype=object)
    place = territory_of(given, crs)
    absent = shapely.is_missing(given) | shapely.is_empty(given)
    outside = np.flatnonzero((place == None) & ~absent)  # noqa: E711 - elementwise on an object array
    if len(outside):
        raise DataError(
            f"{len(outside)} of {len(given)} {what} lie in no French territory.",
            problems=[f"position {row}: {_where(given[row])}" for row in outside],
            way_out="Look whether latitude and longitude are swapped, or whether the declared projection is wrong.",
        )
    projected = given.copy()
    for code in dict.fromkeys(place[~absent]):
        rows = place == code
        projected[rows] = reproject(given[rows], crs, territories.get(code).epsg)
    return projected, place


def _where(shape: Any) -> str:  # noqa: ANN401
    return "bounds " + ", ".join(f"{value:.6g}" for value in shape.bounds)


def areas_m2(shapes: npt.ArrayLike, crs: Any, *, what: str = "shapes") -> npt.NDArray[np.float64]:  # noqa: ANN401
    """Areas in square metres, each in the legal projection of its territory; NaN for a missing shape."""
    return np.asarray(shapely.area(to_metric(shapes, crs, what=what)[0]), dtype=float)


def geodesic_areas_m2(shapes: npt.ArrayLike, crs: Any) -> npt.NDArray[np.float64]:  # noqa: ANN401
    """Areas in square metres on the ellipsoid, free of any projection: the check of the legal ones.

    Slow (one shape at a time): for tests and audits, not for measuring.

    Examples
    --------
    >>> import shapely
    >>> square = [shapely.box(3.0, 50.6, 3.01, 50.61)]
    >>> abs(areas_m2(square, 4326) / geodesic_areas_m2(square, 4326) - 1) < 0.006
    array([ True])
    """
    geod = pyproj.Geod(ellps="GRS80")
    oriented = shapely.orient_polygons(reproject(shapes, crs, DEGREES))
    return np.array([geod.geometry_area_perimeter(shape)[0] for shape in oriented], dtype=float)
