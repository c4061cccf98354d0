"""Whether outlines differ by more than they are precise: ground lost or gained that is somewhere wide.

Outlines are published at 1:4,000, copied, simplified, drawn anew. What that does to them is strips along a limit, which
may hold much ground and are thin. A change is ground in which a circle fits whose diameter is the tolerance: outlines
that were shifted by that much, in whatever direction, have none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.geometry.parallel import in_parts
from qpvgeo.geometry.shared_area import ROUNDING_M2

__all__ = ["SIGNIFICANT_SHARE", "Uncovered", "related", "uncovered", "wide"]

SIGNIFICANT_SHARE = 0.05
"""Perimeters descend from each other when they share more than this part of one of them."""

OVERLAP_M2 = 0.01
"""Ground held twice that is no overlap: cutting outlines moves their limits by less than a micrometre."""

Bools = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]
Side = Mapping[str, pd.Series]


class Uncovered(NamedTuple):
    """What is uncovered of the perimeters of one side.

    Attributes
    ----------
    closed
        By label: whether nothing is uncovered that is somewhere wider than the tolerance.
    shape
        By label: the ground that is uncovered, where perimeters of the other side overlap on the rest. Missing
        elsewhere: there it is as large as what the pairs leave.
    """

    closed: pd.Series
    shape: gpd.GeoSeries


def wide(
    pairs: pd.DataFrame, sides: Sequence[Side], tolerance_m: float, part: Literal["shared", "lost", "gained"]
) -> Bools:
    """Whether a part of each pair is somewhere wider than the tolerance: what they share, or what one has beyond.

    Parameters
    ----------
    pairs
        `code_from`, `code_to`, `area_m2` (shared).
    sides
        `outline` and `area` by label, metres and square metres, of the one and of the other.
    tolerance_m
        Metres; 0 for any ground beyond rounding.
    part
        `shared`; `lost`: of `code_from` beyond `code_to`; `gained`: of `code_to` beyond `code_from`.
    """
    one, other = (
        side["outline"].loc[pairs[name]].to_numpy() for side, name in zip(sides, ("code_from", "code_to"), strict=True)
    )
    cut = shapely.intersection if part == "shared" else shapely.difference
    if part == "gained":
        one, other = other, one
    shared = pairs["area_m2"].to_numpy()
    area = shared if part == "shared" else shapely.area(one) - shared
    there = area > ROUNDING_M2
    # ground nowhere wider than that has less area than its limit times half of it, and its limit is made of the two
    certain = area > tolerance_m / 2 * (shapely.length(one) + shapely.length(other))
    found: Bools = certain & there
    doubtful = np.flatnonzero(~certain & there)

    def held(one: Shapes, other: Shapes) -> Bools:
        return _holds(np.asarray(cut(one, other)), tolerance_m)

    found[doubtful] = in_parts(held, one[doubtful], other[doubtful])
    return found


def related(pairs: pd.DataFrame, sides: Sequence[Side], tolerance_m: float) -> Bools:
    """Whether pairs share more than a strip: ground wider than the tolerance, or a part of one that is a strip itself.

    Parameters are those of `wide`.
    """
    found = wide(pairs, sides, tolerance_m, "shared")
    strips = np.flatnonzero(~found)
    for side, name in zip(sides, ("code_from", "code_to"), strict=True):
        labels = pairs[name].iloc[strips]
        part = pairs["area_m2"].to_numpy()[strips] > SIGNIFICANT_SHARE * side["area"].loc[labels].to_numpy()
        found[strips] |= part & ~_holds(side["outline"].loc[labels].to_numpy(), tolerance_m)
    return found


def uncovered(
    pairs: pd.DataFrame, sides: Sequence[Side], changes: Mapping[str, Bools], tolerance_m: float
) -> list[Uncovered]:
    """What the other side leaves uncovered of each perimeter.

    Parameters
    ----------
    pairs, sides, tolerance_m
        As for `wide`.
    changes
        What `wide` says of the parts `lost` and `gained`.

    Returns
    -------
    list of Uncovered
        Of the one side and of the other.
    """
    found = []
    for own, others, (side, other), part in zip(
        sides, reversed(sides), (("code_from", "code_to"), ("code_to", "code_from")), ("lost", "gained"), strict=True
    ):
        labels = own["outline"].index
        closed = pd.Series(False, index=labels)
        shapes: dict[str, Any] = {}
        many = pairs.groupby(side)[side].transform("size")
        alone = (many == 1).to_numpy()
        closed[pairs.loc[alone, side].to_numpy()] = ~changes[part][alone]
        for label, group in pairs[~alone].groupby(side):
            left = shapely.difference(own["outline"][label], shapely.union_all(others["outline"].loc[group[other]]))
            closed[label] = not (left.area > ROUNDING_M2 and _holds(np.array([left]), tolerance_m)[0])
            if left.area > own["area"][label] - group["area_m2"].sum() + OVERLAP_M2:
                shapes[label] = left
        shape = gpd.GeoSeries([shapes.get(label) for label in labels], index=labels)
        found.append(Uncovered(closed, shape))
    return found


def _holds(shapes: Shapes, tolerance_m: float) -> Bools:
    """Whether a circle of that diameter fits into each shape."""
    if tolerance_m == 0:
        return np.ones(len(shapes), dtype=bool)
    return np.asarray(~shapely.is_empty(shapely.buffer(shapes, -tolerance_m / 2)))
