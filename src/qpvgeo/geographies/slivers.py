"""Whether outlines differ by more than they are precise: area lost or gained that is somewhere wide.

Outlines are published at 1:4,000, copied, simplified, redrawn. This leaves slivers along boundaries, large in area but
thin. A change is area in which a circle fits whose diameter is the tolerance: outlines that were shifted by that much,
in whatever direction, have none.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geographies.crosswalk_layers import Pairs, Shapes, Side
from qpvgeo.geometry.parallel import in_parts
from qpvgeo.geometry.shared_area import ROUNDING_M2

__all__ = ["SIGNIFICANT_SHARE", "Uncovered", "related", "uncovered", "wide"]

SIGNIFICANT_SHARE = 0.05
"""Perimeters descend from each other when they share more than this part of one of them."""

OVERLAP_M2 = 0.01
"""Area covered twice that is not an overlap: cutting outlines moves their boundaries by less than a micrometre."""

Bools = npt.NDArray[np.bool_]


class Uncovered(NamedTuple):
    """What is uncovered of the perimeters of one side, in the order of its labels.

    Attributes
    ----------
    closed
        Whether nothing is uncovered that is somewhere wider than the tolerance.
    shape
        The area that is uncovered, where perimeters of the other side overlap on the rest. Missing elsewhere: there it
        is as large as what the pairs leave.
    """

    closed: Bools
    shape: Shapes


def wide(pairs: Pairs, tolerance_m: float, part: Literal["shared", "lost", "gained"]) -> Bools:
    """Whether a part of each pair is somewhere wider than the tolerance: what they share, or what one has beyond.

    Parameters
    ----------
    pairs
        Pairs of the two sides.
    tolerance_m
        Metres; 0 for any area beyond rounding.
    part
        - `shared`: area of both.
        - `lost`: area of the one beyond the other.
        - `gained`: area of the other beyond the one.
    """
    one, other = pairs.outlines()
    if part == "gained":
        one, other = other, one
    area = pairs.area if part == "shared" else shapely.area(one) - pairs.area
    there = area > ROUNDING_M2
    # area nowhere wider than that is less than its boundary times half of it, and its boundary is made of the two
    certain = area > tolerance_m / 2 * (shapely.length(one) + shapely.length(other))
    found: Bools = certain & there
    doubtful = np.flatnonzero(~certain & there)
    if part == "shared":
        found[doubtful] = _holds(pairs.pieces(doubtful), tolerance_m)
        return found

    def held(one: Shapes, other: Shapes) -> Bools:
        return _holds(np.asarray(shapely.difference(one, other)), tolerance_m)

    found[doubtful] = in_parts(held, one[doubtful], other[doubtful])
    return found


def related(pairs: Pairs, tolerance_m: float) -> Bools:
    """Whether pairs share more than a strip: area wider than the tolerance, or a part of one that is a strip itself."""
    found = wide(pairs, tolerance_m, "shared")
    strips = np.flatnonzero(~found)
    for side in (pairs.one, pairs.other):
        at = pairs.positions(side)[strips]
        part = pairs.area[strips] > SIGNIFICANT_SHARE * side.area[at]
        found[strips[part]] |= ~_holds(side.outline[at[part]], tolerance_m)
    return found


def uncovered(pairs: Pairs, side: Side, changed: Mapping[str, Bools], tolerance_m: float) -> Uncovered:
    """What the other side leaves uncovered of each perimeter.

    Parameters
    ----------
    pairs
        Pairs of the two sides.
    side
        One of the two.
    changed
        What `wide` says about the parts `lost` and `gained`.
    tolerance_m
        Metres.
    """
    part, others = ("lost", pairs.other) if side is pairs.one else ("gained", pairs.one)
    own, theirs = pairs.positions(side), pairs.positions(others)
    closed = np.zeros(len(side.labels), dtype=bool)
    shape = np.full(len(side.labels), None, dtype=object)
    count = np.bincount(own, minlength=len(side.labels))
    alone = count[own] == 1
    closed[own[alone]] = ~changed[part][alone]
    held = pairs.sums(side, pairs.area)
    order = np.argsort(own, kind="stable")
    ends = np.cumsum(count)
    for at in np.flatnonzero(count > 1):
        rows = order[ends[at] - count[at] : ends[at]]
        left = shapely.difference(side.outline[at], shapely.union_all(others.outline[theirs[rows]]))
        closed[at] = not (left.area > ROUNDING_M2 and _holds(np.array([left]), tolerance_m)[0])
        if left.area > side.area[at] - held[at] + OVERLAP_M2:
            shape[at] = left
    return Uncovered(closed, shape)


def _holds(shapes: Shapes, tolerance_m: float) -> Bools:
    """Whether a circle of that diameter fits into each shape."""
    if tolerance_m == 0:
        return np.ones(len(shapes), dtype=bool)
    return np.asarray(~shapely.is_empty(shapely.buffer(shapes, -tolerance_m / 2)))
