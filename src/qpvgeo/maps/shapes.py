"""Outlines as matplotlib draws them: one collection for a layer, however many shapes it has."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.path import Path

__all__ = ["draw", "paths_of"]

Shapes = npt.NDArray[np.object_]


def paths_of(shapes: Shapes) -> list[Path]:
    """One path for each shape, holes and parts together; an empty path where there is no outline."""
    parts, owner = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(xy), Path.LINETO, Path.code_type)
    first = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]]) if len(xy) else np.zeros(0, np.intp)
    codes[first] = Path.MOVETO
    codes[np.r_[first[1:] - 1, len(xy) - 1] if len(first) else first] = Path.CLOSEPOLY
    of = owner[part[ring]] if len(xy) else np.zeros(0, np.intp)
    ends = np.searchsorted(of, np.arange(len(shapes) + 1))
    return [Path(xy[a:b], codes[a:b] if b > a else None) for a, b in pairwise(ends.tolist())]


def draw(ax: Axes, shapes: Shapes, **style: Any) -> PathCollection:  # noqa: ANN401 - whatever a collection takes
    """Add shapes to axes as one collection; colours may be one for each shape."""
    collection = PathCollection(paths_of(shapes), transform=ax.transData, **style)
    ax.add_collection(collection, autolim=False)
    return collection
