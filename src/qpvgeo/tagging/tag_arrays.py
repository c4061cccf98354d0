"""Tags of points as arrays, by options that are judged once: what is prepared for them is kept with the index."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.tagging.batch_tagger import Tagger
from qpvgeo.tagging.coordinates import Coordinates, crs_fault, numbers_in
from qpvgeo.tagging.options import Options
from qpvgeo.tagging.plain_tags import PointTags
from qpvgeo.tagging.tolerance import tolerance_of

if TYPE_CHECKING:
    from qpvgeo.tagging.perimeter_index import PerimeterIndex

__all__ = ["Asked", "prepared", "tags_of"]

_KEPT = 64
"""Sets of options that are kept with an index."""

_NO_ROWS, _NO_LABELS = np.empty(0, np.intp), pd.RangeIndex(0)


class Asked(NamedTuple):
    """What is asked of some points: arguments of `PerimeterIndex.tag`, as they were given.

    Attributes
    ----------
    crs, bands, distance, on, vintage
        As there.
    tolerance_m
        The tolerance of all points; None where each has its own.
    """

    crs: Any
    bands: Any
    distance: Any
    on: Any
    vintage: Any
    tolerance_m: Any


def tags_of(index: "PerimeterIndex", x: npt.ArrayLike, y: npt.ArrayLike, asked: Asked, tolerance_m: Any) -> PointTags:  # noqa: ANN401
    """Tags of points as arrays: see `PerimeterIndex.tag`."""
    right, up = numbers_in(x), numbers_in(y)
    if right.shape != up.shape:
        raise UsageError(Note("tagging.arrays_differ", x=str(right.shape), y=str(up.shape)))
    tagger, crs = prepared(index, asked)
    labels = _NO_LABELS if np.ndim(tolerance_m) == 0 else pd.RangeIndex(len(right))
    points = Coordinates(right, up, crs, labels, _NO_ROWS)
    return tagger.point_tags(points, tolerance_of(None, tolerance_m, labels))[0]


def prepared(index: "PerimeterIndex", asked: Asked) -> tuple[Tagger, pyproj.CRS]:
    """Tagger of some options, and the CRS; judged and made at the first call, and kept with the index."""
    if isinstance(asked.crs, pyproj.CRS):
        # a CRS takes long to be compared with another
        asked = asked._replace(crs=asked.crs.srs)
    if isinstance(asked.bands, list):
        asked = asked._replace(bands=tuple(asked.bands))
    # True equals 1, and is neither a distance nor a projection
    key = (*asked, *map(type, asked))
    try:
        kept = index.taggers.get(key)
    except TypeError:
        # what cannot be hashed is judged each time
        return _made(index, asked)
    if kept is None:
        kept = _made(index, asked)
        if len(index.taggers) >= _KEPT:
            index.taggers.clear()
        index.taggers[key] = kept
    return kept


def _made(index: "PerimeterIndex", asked: Asked) -> tuple[Tagger, pyproj.CRS]:
    tolerance = 0.0 if asked.tolerance_m is None else asked.tolerance_m
    options = Options(bands=asked.bands, distance=asked.distance, on=asked.on, tolerance_m=tolerance)
    fault = crs_fault(None, asked.crs)
    if asked.crs is None:
        fault = Note("tagging.not_a_projection")
    options.require(crs=fault)
    crs = pyproj.CRS.from_user_input(asked.crs)
    if asked.on is None:
        return Tagger.prepare(index, options, vintages=[_chosen(index, asked.vintage)]), crs
    if asked.vintage is not None:
        raise UsageError(Note("tagging.vintage_and_day"), way_out=Note("tagging.choose_vintage"))
    return Tagger.prepare(index, options), crs


def _chosen(index: "PerimeterIndex", vintage: int | None) -> int | None:
    """Vintage asked for, or the only one that an index holds."""
    held = index.vintages
    if vintage is None and len(held) == 1:
        return held[0]
    if vintage is None or vintage not in held:
        key = "tagging.several_vintages" if vintage is None else "tagging.no_such_vintage"
        raise UsageError(
            Note(key, vintage=str(vintage), vintages=[str(year) for year in held]),
            way_out=Note("tagging.choose_vintage"),
        )
    return vintage
