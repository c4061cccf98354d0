"""Area that polygons share, pair by pair, without ever building what they share.

The ground under an edge is a trapezoid, and a polygon is the sum of the trapezoids of its edges, those of its lower
edges counted as less than nothing. The area shared by two polygons is then a sum, over pairs of an edge of the one and
an edge of the other that lie above each other, of the area under both. Because upper and lower edges of a polygon are
as many at every easting, what is left of that sum is

    - 1/2 of the sum, over pairs of edges, of (sign of the one) (sign of the other) (area between the two).

No edge is ever judged to cross another, to touch it or to lie on it: outlines that share edges are as good as any, and
what differs from exact arithmetic is the rounding of the sum alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geometry.edges import edges_of
from qpvgeo.geometry.parallel import in_threads, keep_memory
from qpvgeo.geometry.point_location import expand

__all__ = ["ROUNDING_M2", "shared_areas"]

ROUNDING_M2 = 1e-7
"""Square metres within which an area is that of all of a polygon, or none: a tenth of a square millimetre."""

_ROUNDING = 1e-14
_EDGES, _PAIRS = 1 << 15, 1 << 17
"""Edges looked for, and pairs of edges measured, together: few enough to stay in the cache."""

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Shapes = npt.NDArray[np.object_]


def shared_areas(a: Shapes, b: Shapes, i: Rows, j: Rows) -> Floats:
    """Area shared by polygons of one array and polygons of another, in pairs.

    Parameters
    ----------
    a, b
        Valid polygons in one projection, metres.
    i, j
        Positions in `a` and in `b` of each pair.

    Returns
    -------
    numpy.ndarray
        Square metres; 0 for a pair that only touches, the area of the polygon for one that lies in the other. The
        answer for a pair does not depend on the other pairs.

    Examples
    --------
    >>> import shapely
    >>> square, beside = shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)
    >>> shared_areas(np.array([square]), np.array([beside, square.buffer(1), shapely.box(50, 50, 200, 200)]),
    ...              np.array([0, 0, 0]), np.array([0, 1, 2])).tolist()
    [0.0, 10000.0, 2500.0]
    """
    if not len(i):
        return np.zeros(0)
    keep_memory()
    area_a, area_b = shapely.area(a)[i], shapely.area(b)[j]
    same = shapely.equals_identical(a[i], b[j])
    shared = np.where(same, area_a, 0.0)
    rows = np.flatnonzero(~same)
    if len(rows):
        shared[rows] = _summed(a, b, i[rows], j[rows])
    boxes = zip(shapely.bounds(a)[i].T, shapely.bounds(b)[j].T, strict=True)
    west, south, east, north = (np.stack(pair) for pair in boxes)
    across, up = np.minimum(*east) - np.maximum(*west), np.maximum(*north) - np.minimum(*south)
    slack = ROUNDING_M2 + _ROUNDING * np.maximum(across, 0) * up
    least = np.minimum(area_a, area_b)
    shared = np.where(shared >= least - slack, least, shared)
    return np.where(shared <= np.minimum(slack, least / 2), 0.0, shared)


@dataclass(frozen=True, slots=True)
class _Side:
    """Edges of polygons that are not vertical, from west to east, polygon by polygon."""

    start: Rows
    x0: Floats
    x1: Floats
    y0: Floats
    slope: Floats
    sign: Floats
    west: Floats
    east: Floats
    widest: Floats
    key: Floats
    span: float
    slack: float

    @classmethod
    def of(cls, shapes: Shapes) -> "_Side":
        """Edges of polygons."""
        edges = edges_of(shapes)
        edges = edges.of(edges.x0 != edges.x1)
        west, _, east, _ = shapely.bounds(shapes).T
        span = 4 * float(np.nanmax(east - west, initial=0.0)) + 4
        x0 = np.minimum(edges.x0, edges.x1)
        # one number for polygon and easting; rounded, so that it only finds candidates
        key = edges.owner * span + (x0 - west[edges.owner])
        order = np.argsort(key, kind="stable")
        edges, x0, key = edges.of(order), x0[order], key[order]
        x1 = np.maximum(edges.x0, edges.x1)
        start = np.searchsorted(edges.owner, np.arange(len(shapes) + 1))
        widest = np.zeros(len(shapes))
        drawn = np.flatnonzero(start[1:] > start[:-1])
        if len(drawn):
            widest[drawn] = np.maximum.reduceat(x1 - x0, start[drawn])
        return cls(
            start=start,
            x0=x0,
            x1=x1,
            y0=np.where(edges.x0 < edges.x1, edges.y0, edges.y1),
            slope=(edges.y1 - edges.y0) / (edges.x1 - edges.x0),
            sign=np.where(edges.x0 < edges.x1, -1.0, 1.0),
            west=west,
            east=east,
            widest=widest,
            key=key,
            span=span,
            slack=8 * float(np.spacing(len(shapes) * span)),
        )

    def between(self, polygons: Rows, west: Floats, east: Floats) -> tuple[Rows, Rows]:
        """First and last edges of polygons that may reach between two eastings."""
        first = self.before(polygons, west - self.widest[polygons], -self.slack)
        return first, np.maximum(self.before(polygons, east, self.slack), first)

    def before(self, polygons: Rows, x: Floats, slack: float) -> Rows:
        """Position of the first edge of polygons that begins east of somewhere."""
        away = np.clip(x - self.west[polygons], -1.0, self.span / 2)
        return np.searchsorted(self.key, polygons * self.span + away + slack)


def _summed(a: Shapes, b: Shapes, i: Rows, j: Rows) -> Floats:
    """Areas shared, job by job; a job builds the edges of its own polygons and forgets them."""
    size_a, size_b = (shapely.get_num_coordinates(shapes).astype(np.intp) for shapes in (a, b))
    jobs = _jobs(size_a, size_b, i, j)

    def work(rows: Rows) -> Floats:
        (own, mine), (others, theirs) = (np.unique(which[rows], return_inverse=True) for which in (i, j))
        return _shared(_Side.of(a[own]), _Side.of(b[others]), mine, theirs)

    found = np.empty(len(i))
    for rows, areas in zip(jobs, in_threads(work, jobs), strict=True):
        found[rows] = areas
    return found


def _jobs(size_a: Rows, size_b: Rows, i: Rows, j: Rows) -> list[Rows]:
    """Pairs in jobs of some edges each: a polygon with many edges is in few of them, with all that touches it."""
    (many, few), (sizes, others) = ((i, j), (size_a, size_b))
    if size_b[j].sum() > size_a[i].sum():
        (many, few), (sizes, others) = ((j, i), (size_b, size_a))
    order = np.lexsort((few, many))
    begins = np.r_[True, np.diff(many[order]) != 0]
    edges = np.cumsum(others[few[order]] + np.where(begins, sizes[many[order]], 0))
    least = max(_EDGES, 2 * int(sizes[many].max()))
    return np.split(order, np.flatnonzero(np.diff(edges // least)) + 1)


def _shared(one: _Side, other: _Side, i: Rows, j: Rows) -> Floats:
    """Areas shared by pairs of polygons whose edges are built."""
    west, east = np.maximum(one.west[i], other.west[j]), np.minimum(one.east[i], other.east[j])
    # an edge of a pair begins above one of the other, or the other above it
    begun = _half(one, other, one.between(i, west, east), j, strict=False)
    return -0.25 * (begun + _half(other, one, other.between(j, west, east), i, strict=True))


def _half(one: _Side, other: _Side, ranges: tuple[Rows, Rows], j: Rows, *, strict: bool) -> Floats:
    """Sum, for each pair, of what `_between` says of edges of one and the edges of the other that begin beside them."""
    pair, edge = expand(*ranges)
    first = other.before(j[pair], one.x0[edge], -other.slack)
    last = other.before(j[pair], one.x1[edge], other.slack)
    many = last - first
    if many.sum() <= _PAIRS:
        row, signed = _between(one, other, (edge, first, last), strict=strict)
        return np.asarray(np.bincount(pair[row], signed, len(j)), dtype=np.float64)
    # the sum of a pair is the same whatever else is summed beside it
    if len(j) > 1:
        middle = len(j) // 2
        halves = (slice(None, middle), slice(middle, None))
        return np.concatenate(
            [_half(one, other, (ranges[0][rows], ranges[1][rows]), j[rows], strict=strict) for rows in halves]
        )
    cuts = np.flatnonzero(np.diff(np.cumsum(many) // _PAIRS)) + 1
    parts = zip(*(np.split(which, cuts) for which in (edge, first, last)), strict=True)
    return np.array([sum(float(_between(one, other, part, strict=strict)[1].sum()) for part in parts)])


def _between(one: _Side, other: _Side, ranges: tuple[Rows, Rows, Rows], *, strict: bool) -> tuple[Rows, Floats]:
    """Four times the signed area between edges of one and ranges of edges of the other that begin above or below them.

    The first answer is the position in the ranges. With `strict`, edges that begin at one easting are left out: the
    other half of the sum has them.
    """
    edge, first, last = ranges
    row, above = expand(first, last)
    from_x, start = one.x0[edge][row], other.x0[above]
    end = one.x1[edge][row]
    fits = ((start > from_x) if strict else (start >= from_x)) & (start < end)
    if not fits.all():
        row, above = row[fits], above[fits]
        from_x, start, end = from_x[fits], start[fits], end[fits]
    slope = one.slope[edge][row]
    width = np.minimum(end, other.x1[above], out=end)
    width -= start
    # how far the one is above the other, where what they have in common begins and ends; small numbers first
    start -= from_x
    start *= slope
    left = one.y0[edge][row]
    left -= other.y0[above]
    left += start
    slope -= other.slope[above]
    slope *= width
    right = slope
    right += left
    crossed = np.flatnonzero(left * right < 0)
    left, right = np.abs(left, out=left), np.abs(right, out=right)
    a, b = left[crossed], right[crossed]
    left += right
    left[crossed] = (a * a + b * b) / (a + b)
    left *= width
    left *= one.sign[edge][row]
    left *= other.sign[above]
    return row, left
