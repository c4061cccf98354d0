"""Shapes in their legal projection: the place where square metres and metres come from.

Every measure of qpvgeo goes through `to_metric`: each shape is taken to the legal projection of the territory that it
lies in, so that a frame may hold Lille and Mamoudzou together.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError
from qpvgeo.language import Note

__all__ = [
    "DEGREES",
    "System",
    "areas_m2",
    "at_home",
    "geodesic_areas_m2",
    "in_degrees",
    "in_use",
    "looks_swapped",
    "middles",
    "reproject",
    "require_axes",
    "require_in_france",
    "returns",
    "territory_of",
    "to_degrees",
    "to_metric",
    "transformer",
]

DEGREES = 4326
"""The geographic system in which frames of several territories come together: WGS 84."""

_USE_MARGIN = 3.0
"""Degrees beyond the area that a projection is made for in which a point raises no doubt about its axes."""

_RETURNS_WITHIN = 1e-3
"""Units of a projection, most often metres, by which coordinates may miss themselves on the way to degrees and back."""

Shapes = npt.NDArray[np.object_]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """A CRS by the text that it was made from, for what is kept of it: PROJ takes longer to compare two.

    Examples
    --------
    >>> System(pyproj.CRS(2154)) == System(pyproj.CRS("EPSG:2154"))
    True
    """

    crs: pyproj.CRS

    def __hash__(self) -> int:
        return hash(self.crs.srs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, System) and self.crs.srs == other.crs.srs


def transformer(source: Any, target: Any) -> pyproj.Transformer:  # noqa: ANN401 - any CRS that pyproj reads
    """Way from a system to another, eastwards first; made once, for making it takes longer than a few thousand points.

    Examples
    --------
    >>> lon, lat = transformer(2154, 4326).transform(652_000, 6_862_000)
    >>> round(lon, 2), round(lat, 2)
    (2.35, 48.86)
    """
    return _transformer(*(System(pyproj.CRS.from_user_input(crs)) for crs in (source, target)))


@lru_cache(maxsize=64)
def _transformer(source: System, target: System) -> pyproj.Transformer:
    try:
        return pyproj.Transformer.from_crs(source.crs, target.crs, always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise DataError(
            Note("geometry.no_transformation", source=source.crs.name, target=target.crs.name),
            way_out=Note("geometry.set_known_crs"),
        ) from error


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
    way = transformer(before, after)

    def move(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(way.transform(coordinates[:, 0], coordinates[:, 1]))

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


def in_degrees(crs: pyproj.CRS) -> bool:
    """Whether coordinates are degrees from Greenwich; the older French systems count in grads from Paris.

    Examples
    --------
    >>> in_degrees(pyproj.CRS(4326)), in_degrees(pyproj.CRS(2154)), in_degrees(pyproj.CRS(4807))
    (True, False, False)
    """
    return _in_degrees(System(crs))


@lru_cache(maxsize=64)
def _in_degrees(system: System) -> bool:
    crs = system.crs
    if not crs.is_geographic or crs.prime_meridian is None:
        return False
    return crs.prime_meridian.longitude == 0 and all(axis.unit_name == "degree" for axis in crs.axis_info[:2])


def to_degrees(x: npt.ArrayLike, y: npt.ArrayLike, crs: pyproj.CRS) -> tuple[Any, Any]:
    """Longitudes and latitudes of coordinates; what is in degrees is taken for WGS 84, near enough to tell territories.

    Examples
    --------
    >>> lon, lat = to_degrees([0.0], [54.26], pyproj.CRS(4807))
    >>> lon.round(2).tolist(), lat.round(2).tolist()
    ([2.34], [48.83])
    """
    x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
    if in_degrees(crs) or not len(x):
        return x, y
    return transformer(crs, _degrees()).transform(x, y)


@lru_cache(maxsize=1)
def _degrees() -> pyproj.CRS:
    return pyproj.CRS.from_epsg(DEGREES)


def returns(x: npt.ArrayLike, y: npt.ArrayLike, crs: pyproj.CRS) -> Booleans:
    """Whether coordinates come back from degrees as they were: far from where it is made for, a projection may fold.

    Examples
    --------
    >>> returns([448_251.8, 2e7], [5_411_932.7, 5e6], pyproj.CRS(32631)).tolist()
    [True, False]
    """
    x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
    if in_degrees(crs) or not len(x):
        return np.ones(len(x), dtype=bool)
    back = transformer(crs, _degrees()).transform(*to_degrees(x, y, crs), direction="INVERSE")
    same: Booleans = (np.abs(back[0] - x) <= _RETURNS_WITHIN) & (np.abs(back[1] - y) <= _RETURNS_WITHIN)
    return same


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
    x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
    swapped: Booleans = ~at_home(x, y, system)
    if swapped.any():
        swapped[swapped] = at_home(y[swapped], x[swapped], system)
    return swapped


def at_home(x: npt.ArrayLike, y: npt.ArrayLike, crs: pyproj.CRS) -> Booleans:
    """Whether points lie in a French territory that their projection is made for, or legal in."""
    lon, lat = to_degrees(x, y, crs)
    found: Booleans = territories.of_points(lon, lat) != None  # noqa: E711 - elementwise on an object array
    return found & in_use(lon, lat, crs)


def in_use(lon: npt.ArrayLike, lat: npt.ArrayLike, crs: pyproj.CRS) -> Booleans:
    """Whether places, in degrees, lie where a projection is made for or nearly, or in a territory it is legal in.

    Examples
    --------
    >>> in_use([3.06, -61.53], [50.63, 16.24], pyproj.CRS(2154)).tolist()
    [True, False]
    """
    lon, lat = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    boxes = _boxes_in_use(System(crs))
    if not boxes:
        return np.ones(len(lon), dtype=bool)
    near = np.zeros(len(lon), dtype=bool)
    for box in boxes:
        near |= _in_box(lon, lat, box)
    return near


@lru_cache(maxsize=64)
def _boxes_in_use(system: System) -> list[tuple[float, float, float, float]]:
    """Boxes where a projection is in use, margins included; none for one without such a place."""
    crs = system.crs
    use = None if crs.is_geographic else crs.area_of_use
    if use is None or use.west > use.east:
        return []
    near, margin = use.bounds, _USE_MARGIN
    # French Polynesia is wider than any zone
    epsg = crs.to_epsg()
    legal = [one.bounds for one in territories.territories().values() if one.epsg == epsg and one.bounds is not None]
    return [(near[0] - margin, near[1] - margin, near[2] + margin, near[3] + margin), *legal]


def _in_box(lon: Any, lat: Any, box: tuple[float, float, float, float]) -> Booleans:  # noqa: ANN401
    west, south, east, north = box
    held: Booleans = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return held


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
    counts = {"count": int(swapped.sum()), "total": len(shapes)}
    raise DataError(
        Note("geometry.axes_exchanged", what=what, bounds=_bounds(shapes[swapped][0]), **counts),
        way_out=Note(
            "geometry.exchange_axes", name=name, call=f"{name}.set_geometry({turned})" if frame.ndim > 1 else turned
        ),
    )


def require_in_france(frame: Any, *, name: str) -> npt.NDArray[np.object_]:  # noqa: ANN401 - a layer
    """Territory of each shape, unless all lie outside France: a wrong CRS would give no figures without a word.

    Parameters
    ----------
    frame
        GeoSeries or GeoDataFrame with a CRS.
    name
        Name of the layer.

    Returns
    -------
    numpy.ndarray of object
        As `territory_of`: None for a shape that is missing, empty or abroad.

    Raises
    ------
    DataError
        Says that the CRS is not that of the coordinates, or that the axes are exchanged.
    """
    shapes = frame.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    found = territory_of(shapes, frame.crs)
    if not there.any() or (found[there] != None).any():  # noqa: E711 - elementwise
        return found
    require_axes(frame, name=name, what=name)
    raise DataError(
        Note("geometry.nowhere", name=name, crs=frame.crs.to_string(), count=int(there.sum())),
        way_out=Note("geometry.check_crs", name=name),
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
        How an error calls them: a note, or the name of an argument.

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
        raise DataError(Note("geometry.no_crs", what=what), way_out=Note("geometry.set_crs"))
    given = np.asarray(shapes, dtype=object)
    place = territory_of(given, crs)
    absent = shapely.is_missing(given) | shapely.is_empty(given)
    outside = np.flatnonzero((place == None) & ~absent)  # noqa: E711 - elementwise on an object array
    if len(outside):
        raise DataError(
            Note("geometry.outside_france", what=what, count=len(outside), total=len(given)),
            problems=[
                Note("geometry.position_bounds", position=int(row), bounds=_bounds(given[row])) for row in outside
            ],
            way_out=Note("geometry.swapped_or_wrong_crs"),
        )
    projected = given.copy()
    for code in dict.fromkeys(place[~absent]):
        rows = place == code
        projected[rows] = reproject(given[rows], crs, territories.get(code).epsg)
    return projected, place


def _bounds(shape: Any) -> str:  # noqa: ANN401
    """West, south, east, north, in six digits."""
    return ", ".join(f"{value:.6g}" for value in shape.bounds)


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
