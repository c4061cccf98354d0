"""Outlines made valid in the projection where they are measured, and only where their area is kept."""

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geometry.validity import polygonal, valid

__all__ = ["sound"]

_KEPT_AREA = 0.01
"""Share of its area by which a repaired outline may differ from what its vertices enclose."""

Rows = npt.NDArray[np.intp]
Shapes = npt.NDArray[np.object_]


def sound(shapes: Shapes) -> tuple[Shapes, Rows, Rows]:
    """Make polygons valid without losing area; an outline that is valid in degrees may not be so in metres.

    Parameters
    ----------
    shapes
        Polygons and multipolygons in the projection in which they are measured; missing ones stay missing.

    Returns
    -------
    tuple of numpy.ndarray
        The outlines, with the repaired ones in their place; positions of the repaired ones; positions of those that
        stay invalid, since each way to repair them changes their area by more than 1 %.

    Examples
    --------
    >>> needle = shapely.Polygon([(0, 0), (100, 0), (100, 50), (150, 50), (100, 50), (100, 100), (0, 100)])
    >>> bow_tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    >>> outlines, repaired, lost = sound(np.array([needle, bow_tie]))
    >>> outlines[0].area, repaired.tolist(), lost.tolist()
    (10000.0, [0], [1])
    """
    broken = np.flatnonzero(~(shapely.is_missing(shapes) | valid(shapes)))
    if not len(broken):
        return shapes, broken, broken
    enclosed = shapely.area(shapes[broken])
    ways = np.stack([polygonal(shapely.make_valid(shapes[broken], method=way)) for way in ("structure", "linework")])
    off = np.abs(shapely.area(ways) - enclosed)
    kept = off.min(axis=0) <= _KEPT_AREA * enclosed
    outlines = shapes.copy()
    outlines[broken[kept]] = ways[off.argmin(axis=0), np.arange(len(broken))][kept]
    return outlines, broken[kept], broken[~kept]
