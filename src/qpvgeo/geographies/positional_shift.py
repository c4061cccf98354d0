"""How far apart two layers draw the outlines that did not change: their positional shift.

An outline that is the same in both layers, because both name it alike or because the last letter of its code says that
nothing changed, is drawn twice: the Hausdorff distance of its two boundaries is the shift of the layers there.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import official
from qpvgeo.geographies.crosswalk_layers import Pairs, pairs_of, side_of

__all__ = ["DEFAULT_TOLERANCE_M", "Shift", "shift_of", "tolerance_of"]

DEFAULT_TOLERANCE_M = 1.0
"""Tolerance for layers drawn with the same precision, metres."""

_MOST = 90
_TIMES_MEDIAN = 4.0  # beyond, a code says that nothing changed where something did

Bools = npt.NDArray[np.bool_]


class Shift(NamedTuple):
    """Shift of two layers.

    Attributes
    ----------
    outlines
        Number of outlines that are the same in both.
    median_m, most_m
        Distance of their boundaries in the middle case, and for nine in ten: metres.
    tolerance_m
        Tolerance that fits: whole metres.
    """

    outlines: int
    median_m: float
    most_m: float
    tolerance_m: float


def shift_of(pairs: Pairs) -> Shift | None:
    """Measure the shift of two layers; None where no outline is known to be the same in both."""
    same = _same(pairs)
    if not same.any():
        return None
    one, other = (shapely.boundary(outline) for outline in pairs.outlines(same))
    metres = shapely.hausdorff_distance(one, other)
    median, most = (float(value) for value in np.percentile(metres, (50, _MOST)))
    fitting = max(DEFAULT_TOLERANCE_M, float(np.ceil(round(min(most, _TIMES_MEDIAN * median), 3))))
    return Shift(len(metres), median, most, fitting)


def tolerance_of(qpv_2015: Any, qpv_2024: Any) -> float:  # noqa: ANN401 - judged as those of a crosswalk
    """Tolerance of `crosswalk` that fits two layers, metres; the default one where their shift cannot be measured."""
    shift = shift_of(pairs_of(side_of(qpv_2015, "from"), side_of(qpv_2024, "to")))
    return DEFAULT_TOLERANCE_M if shift is None else shift.tolerance_m


def _same(pairs: Pairs) -> Bools:
    """Pairs of outlines that are the same by code: most of each is the other, and nothing shares more with either."""
    labels = [side.labels[pairs.positions(side)] for side in (pairs.one, pairs.other)]
    named = np.asarray(labels[0] == labels[1], dtype=bool)
    unchanged = named if named.any() else _unchanged(labels[0]) | _unchanged(labels[1])
    most = pairs.area > 0.5 * np.maximum(pairs.one.area[pairs.left], pairs.other.area[pairs.right])
    return unchanged & most


def _unchanged(labels: pd.Index) -> Bools:
    """Codes of 2024 whose last letter says that the perimeter of 2015 was kept."""
    codes = labels.to_series().drop_duplicates()
    kept = codes[codes.str.endswith("I") & codes.map(official.vintage_of).eq(2024)]
    return np.asarray(labels.isin(kept), dtype=bool)
