"""Area that the rings of an outline enclose, whether or not they cross: the yardstick of every repair.

The rings are cut where they cross, and the plane falls into faces. A face belongs to a polygon when the outer ring
turns around it and no inner ring does (the nonzero rule); it belongs to an outline when it belongs to one of its
polygons. No repair method is involved, so that none is judged by itself.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["enclosed_m2"]

_GRID_M = 1e-5
"""Grid on which rings are cut: a hundredth of a millimetre, on which cutting always ends."""

Floats = npt.NDArray[np.float64]


def enclosed_m2(shape: Any) -> float:  # noqa: ANN401 - any geometry
    """Area enclosed by the polygons of a geometry; lines and points enclose nothing.

    Parameters
    ----------
    shape
        Geometry in metres, valid or not.

    Examples
    --------
    >>> enclosed_m2(shapely.from_wkt("POLYGON ((0 0, 100 100, 100 0, 0 100, 0 0))"))
    5000.0
    """
    polygons = [part for part in _parts(shape) if part.geom_type == "Polygon" and not part.is_empty]
    if not polygons:
        return 0.0
    # around the south-west corner, so that large coordinates do not eat the digits
    corner = np.floor(shapely.total_bounds(polygons)[:2])
    polygons = list(shapely.transform(polygons, lambda xy: xy - corner))
    rings = [ring for ring in shapely.get_rings(polygons) if shapely.length(ring) > 0]
    if not rings:
        return 0.0
    lines = shapely.unary_union([shapely.linestrings(ring.coords) for ring in rings], grid_size=_GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    middles = shapely.get_coordinates(shapely.point_on_surface(faces))
    inside = np.zeros(len(faces), dtype=bool)
    for polygon in polygons:
        own = _turns(polygon.exterior, middles) != 0
        for hole in polygon.interiors:
            own &= _turns(hole, middles) == 0
        inside |= own
    return float(shapely.area(faces[inside]).sum())


def _parts(shape: Any) -> list[Any]:  # noqa: ANN401
    """Single geometries of a geometry, collections within collections included."""
    if shape is None:
        return []
    return [one for part in shape.geoms for one in _parts(part)] if hasattr(shape, "geoms") else [shape]


def _turns(ring: Any, points: Floats) -> npt.NDArray[np.int64]:  # noqa: ANN401
    """How many times a ring turns around each point, anticlockwise."""
    xy = shapely.get_coordinates(ring)
    (x0, y0), (x1, y1) = xy[:-1].T, xy[1:].T
    turns = np.zeros(len(points), np.int64)
    for at, (x, y) in enumerate(points.tolist()):
        left = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        turns[at] = ((y0 <= y) & (y1 > y) & (left > 0)).sum() - ((y0 > y) & (y1 <= y) & (left < 0)).sum()
    return turns
