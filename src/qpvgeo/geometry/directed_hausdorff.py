"""How far the farthest point of a shape lies from a perimeter: "wholly within 300 m", tested by true distance.

Distance to a perimeter is no convex function of the place: where the perimeter bends round a shape or lies in several
parts, the farthest point can be in the middle of an edge or inside the shape, and the vertices alone say too little.
A buffer polygon says too little as well: its round corners are chords, which under-reach.

So shape and perimeter are both cut into triangles, and the triangles of the shape are bisected until the answer is
bracketed. Proof: the distance to one triangle of the perimeter is convex, hence largest at a corner, and so is the mean
of two such distances. The distance to the perimeter exceeds neither: that bounds it over a triangle of the shape from
above, by at most the diameter more than at its corners, which bound it from below.

Between parallel limits the distance is greatest all along a line, which corners may never fall on. So it is measured
too where an edge meets that line: as far from the piece nearest to one end as from that of the other.
"""

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["PRECISION_M", "farthest_m"]

PRECISION_M = 1e-4
"""Distances are given to a tenth of a millimetre."""

_BRACKET_M = PRECISION_M / 10
_FLAT_M = PRECISION_M / 100
"""A triangle less high than that is a line: rounding leaves such ones where shape and perimeter share an edge."""

_CORNERS = np.arange(3)
_PAIRS = ((0, 1), (0, 2), (1, 2))

Floats = npt.NDArray[np.float64]


def farthest_m(shapes: npt.ArrayLike, perimeter: shapely.Geometry, *, limit: float = np.inf) -> Floats:
    """Greatest distance from any point of each shape to a perimeter.

    Parameters
    ----------
    shapes
        Valid polygons; a missing or empty one has no farthest point.
    perimeter
        Valid polygon, in the same projection, in metres. Points inside it, or on its limit, are at 0.
    limit
        Beyond this the distance is not looked for.

    Returns
    -------
    numpy.ndarray of float
        Metres, to a tenth of a millimetre; infinite beyond the limit, NaN for a missing shape.

    Examples
    --------
    The middle of the edge is farther from the two arms than its ends are:

    >>> import shapely
    >>> arms = shapely.union_all([shapely.box(0, 0, 10, 100), shapely.box(110, 0, 120, 100)])
    >>> farthest_m([shapely.box(10, 40, 110, 60), shapely.box(0, 20, 10, 30)], arms).tolist()
    [50.0, 0.0]
    """
    given = np.asarray(shapes, dtype=object)
    # what lies inside is at 0: it is taken out, or every seam between pieces would be followed to the last bit
    corners, owner = _triangles(shapely.difference(given, perimeter))
    pieces = np.asarray(shapely.polygons(_triangles(np.array([perimeter], dtype=object))[0]))
    tree = shapely.STRtree(pieces)
    best = np.zeros(len(given))
    while len(owner):
        points = np.asarray(shapely.points(corners))
        nearest = tree.nearest(points.ravel()).reshape(points.shape)
        # from each corner (axis 1) to the piece nearest to each corner (axis 2)
        gaps = shapely.distance(points[:, :, None], pieces[nearest][:, None, :])
        np.maximum.at(best, owner, gaps[:, _CORNERS, _CORNERS].max(axis=1))
        means = np.stack([gaps[:, :, a] + gaps[:, :, b] for a, b in _PAIRS], axis=2) / 2
        most = np.minimum(gaps.max(axis=1).min(axis=1), means.max(axis=1).min(axis=1))
        left = (most > best[owner] + _BRACKET_M) & (best[owner] <= limit + PRECISION_M)
        met, of = _meetings(corners[left], nearest[left], gaps[left])
        seen = np.asarray(shapely.points(met))
        np.maximum.at(best, owner[left][of], shapely.distance(seen, pieces[tree.nearest(seen)]))
        left &= most > best[owner] + _BRACKET_M
        corners, owner = _bisected(corners[left]), np.repeat(owner[left], 2)
    found = np.round(best, 4)
    found[found > limit] = np.inf
    found[shapely.is_missing(given) | shapely.is_empty(given)] = np.nan
    return found


def _meetings(corners: Floats, nearest: npt.NDArray[np.intp], gaps: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Points of edges that are about as far from the piece nearest to one end as from that of the other; of which."""
    found, of = [np.empty((0, 2))], [np.empty(0, np.intp)]
    for a, b in _PAIRS:
        at = np.flatnonzero(nearest[:, a] != nearest[:, b])
        ahead, behind = gaps[at, a, b] - gaps[at, a, a], gaps[at, b, a] - gaps[at, b, b]
        both = ahead + behind
        share = np.divide(ahead, both, out=np.full(len(at), 0.5), where=both > 0)[:, None]
        found.append(corners[at, a] + share * (corners[at, b] - corners[at, a]))
        of.append(at)
    return np.concatenate(found), np.concatenate(of)


def _triangles(shapes: npt.NDArray[np.object_]) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Corners of triangles that fill the shapes, and the position of the shape of each."""
    parts, shape = shapely.get_parts(shapes, return_index=True)
    triangles, part = shapely.get_parts(shapely.constrained_delaunay_triangles(parts), return_index=True)
    rings = shapely.get_coordinates(shapely.get_exterior_ring(triangles)).reshape(-1, 4, 2)
    return rings[:, :3], shape[part]


def _bisected(corners: Floats) -> Floats:
    """Two triangles for each, halves of it along its longest edge, one after the other.

    One that is flat becomes the two halves of its longest edge: as triangles they would lie over each other.
    """
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
    first = sides.argmax(axis=1)[:, None]
    order = (first + _CORNERS) % 3
    a, b, c = np.moveaxis(np.take_along_axis(corners, order[:, :, None], axis=1), 1, 0)
    middle = (a + b) / 2
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    flat = np.abs(ux * vy - uy * vx) < _FLAT_M * sides.max(axis=1)
    c = np.where(flat[:, None], middle, c)
    return np.stack([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)], 1).reshape(-1, 3, 2)
