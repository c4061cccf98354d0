"""Edges of outlines, and the pieces that a grid of whole coordinates cuts them into.

Covering cells with areas and looking points up in them both start here: an outline becomes straight edges, and an edge
becomes pieces that each lie in one cell.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["Edges", "cut", "edges_of"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of rings, exteriors anticlockwise and holes clockwise: `owner` is the position of the area."""

    owner: Rows
    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats

    def of(self, rows: Any) -> "Edges":  # noqa: ANN401 - a mask, a slice or positions
        """Some of the edges."""
        return Edges(self.owner[rows], self.x0[rows], self.y0[rows], self.x1[rows], self.y1[rows])


def edges_of(shapes: npt.NDArray[np.object_]) -> Edges:
    """Edges of areas, in the order of the areas; exteriors are turned anticlockwise and holes clockwise."""
    oriented = shapely.orient_polygons(shapes)
    parts, owner = shapely.get_parts(oriented, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    return Edges(
        owner[part[ring[:-1][inside]]], xy[:-1, 0][inside], xy[:-1, 1][inside], xy[1:, 0][inside], xy[1:, 1][inside]
    )


def cut(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> tuple[Rows, Floats, Floats, Floats, Floats]:
    """Cut edges at the grid lines: number of the edge and ends of each piece, in cells, pieces of an edge in order."""
    if not len(x0):
        return np.empty(0, np.intp), x0, y0, x1, y1
    ex, tx, at_x = _crossings(x0, x1)
    ey, ty, at_y = _crossings(y0, y1)
    number = np.arange(len(x0))
    edge = np.concatenate([number, ex, ey])
    t = np.concatenate([np.zeros(len(x0)), tx, ty])
    # a point on a grid line is put on it, to the last bit
    x = np.concatenate([x0, at_x, x0[ey] + ty * (x1 - x0)[ey]])
    y = np.concatenate([y0, y0[ex] + tx * (y1 - y0)[ex], at_y])
    order = np.lexsort((t, edge))
    edge, x, y = edge[order], x[order], y[order]
    last = np.r_[edge[1:] != edge[:-1], True]
    xb, yb = np.r_[x[1:], 0.0], np.r_[y[1:], 0.0]
    xb[last], yb[last] = x1[edge[last]], y1[edge[last]]
    return edge, x, y, xb, yb


def _crossings(a: Floats, b: Floats) -> tuple[Rows, Floats, Floats]:
    """Where edges cross whole coordinates: edge, position along it (0 to 1), the coordinate."""
    low = np.floor(np.minimum(a, b)) + 1
    count = np.maximum(np.ceil(np.maximum(a, b)) - low, 0).astype(np.int64)
    edge = np.repeat(np.arange(len(a)), count)
    line = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + low[edge]
    return edge, (line - a[edge]) / (b - a)[edge], line
