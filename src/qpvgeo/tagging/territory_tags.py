"""Tags of points by the perimeters of one territory: a pure function of coordinates, perimeters and options.

`gathered` puts the tags of several territories together. Text is made at the end only: until then a perimeter is its
position among those in force, and a state or a reason a small number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.geometry.parallel import in_chunks
from qpvgeo.geometry.point_location import expand
from qpvgeo.tagging.applicable_perimeters import InForce
from qpvgeo.tagging.index_layer import IndexLayer
from qpvgeo.tagging.options import Question
from qpvgeo.tagging.placement import number

__all__ = [
    "IN",
    "OUT",
    "UNKNOWN",
    "Others",
    "Tags",
    "gathered",
    "leave_unknown",
    "settle",
    "tag_territory",
    "without_perimeters",
]

IN, OUT, UNKNOWN = 0, 1, 2
"""Positions in `STATES`."""

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.int8]
Rows = slice | npt.NDArray[np.intp]


class Others(NamedTuple):
    """Perimeters that hold a point besides its own, in pairs in the order of the points.

    Attributes
    ----------
    rows
        Positions of the points.
    areas
        Positions of the perimeters.
    """

    rows: npt.NDArray[np.intp]
    areas: npt.NDArray[np.int32]

    @classmethod
    def none(cls) -> "Others":
        """No pair."""
        return cls(np.empty(0, np.intp), np.empty(0, np.int32))

    def groups(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Where the pairs of each point begin, and how many they are."""
        starts = np.flatnonzero(np.diff(self.rows, prepend=-1))
        return starts, np.diff(starts, append=len(self.rows))

    def by_row(self) -> Iterator[tuple[int, npt.NDArray[np.int32]]]:
        """Each point that has some, and its perimeters."""
        for start, size in zip(*(part.tolist() for part in self.groups()), strict=True):
            yield self.rows.item(start), self.areas[start : start + size]

    def taken(self, rows: npt.NDArray[np.intp]) -> "Others":
        """Pairs of some points, by their positions, which count from 0 then."""
        of, at = expand(np.searchsorted(self.rows, rows, "left"), np.searchsorted(self.rows, rows, "right"))
        return Others(of, self.areas[at])


@dataclass(frozen=True, slots=True, eq=False)
class Tags:
    """Tags of points, as arrays with one value per point.

    Attributes
    ----------
    state
        Position in `STATES`.
    reason
        Position in `REASONS` plus 1; 0 for none.
    held_by
        Position of the perimeter that holds the point; -1 for none.
    also
        The other perimeters that hold it.
    nearest, distance_m
        Nearest perimeter (-1 for none) and distance to its boundary; empty when distances are not wanted.
    band
        0 inside, then the position of the band plus 1, the last one beyond all; empty without bands.
    """

    state: Bytes
    reason: Bytes
    held_by: npt.NDArray[Any]
    also: Others
    nearest: npt.NDArray[Any]
    distance_m: Floats
    band: Bytes


def _blank(many: int, question: Question, kind: Any) -> Tags:  # noqa: ANN401 - a dtype
    """Tags of points that are out and near nothing."""
    measured = many if question.measures else 0
    return Tags(
        np.full(many, OUT, np.int8),
        np.zeros(many, np.int8),
        np.full(many, -1, kind),
        Others.none(),
        np.full(measured, -1, kind),
        np.full(measured, np.nan),
        np.full(many if question.bands else 0, len(question.bands) + 1, np.int8),
    )


def without_perimeters(many: int, tolerance: Floats, answer: InForce, question: Question, kind: Any) -> Tags:  # noqa: ANN401
    """Tags of points of a territory whose perimeters are not known, or that has none by law."""
    tags = _blank(many, question, kind)
    if tolerance.ndim:
        leave_unknown(tags, np.flatnonzero(np.isinf(tolerance)), "location too coarse")
    if answer.missing:
        leave_unknown(tags, np.flatnonzero(tags.state == OUT), answer.missing)
    return tags


def tag_territory(  # noqa: PLR0913 - the points, the perimeters, the options
    layer: IndexLayer,
    metres: tuple[Floats, Floats],
    tolerance: Floats,
    question: Question,
    *,
    doubt: str | None = None,
    offset: int = 0,
    kind: Any = np.int32,  # noqa: ANN401 - a dtype
) -> Tags:
    """Tag points given in metres of the legal projection of a territory.

    Parameters
    ----------
    layer
        Perimeters of the territory.
    metres
        Eastings and northings.
    tolerance
        Metres, one for all points or one for each; infinite where the location is too coarse.
    question
        Bands, form of the distances, maximum distance.
    doubt
        Reason why points in none of the perimeters are unknown; None where they are out.
    offset
        Position of the first perimeter of the layer among all those of the question.
    kind
        Type of the positions: small ones are written faster.
    """
    x, y = metres
    found, points, others = layer.grid.locate_all(x, y)
    tags = replace(_blank(len(x), question, kind), also=Others(points, others + np.int32(offset)))
    measured = bool(question.bands) or bool(tolerance.any())
    if measured:
        # built before, or one thread would build while the other waits
        layer.boundaries(question.reach)

    def look(part: slice) -> None:
        own = found[part]
        out = own < 0
        tags.held_by[part] = np.where(out, -1, own + offset) if offset else own
        tags.state[part] = out
        if measured:
            slack = tolerance[part] if tolerance.ndim else tolerance
            _measure(tags, part, layer, (x[part], y[part]), own, slack, question, offset)

    in_chunks(look, len(x))
    if layer.lost is not None:
        out = np.flatnonzero(tags.state == OUT)
        leave_unknown(tags, out[layer.may_be_lost(x[out], y[out])], "outline lost in repair")
    if doubt:
        leave_unknown(tags, np.flatnonzero(tags.state == OUT), doubt)
    return tags


def _measure(  # noqa: PLR0913, PLR0917 - a part of the points
    tags: Tags,
    part: slice,
    layer: IndexLayer,
    metres: tuple[Floats, Floats],
    found: npt.NDArray[np.int32],
    slack: Floats,
    question: Question,
    offset: int,
) -> None:
    """Write distances and bands, and what they make unknown."""
    boundaries = layer.boundaries(question.reach)
    if slack.any():
        distance, near = boundaries.nearest(*metres)
        coarse = np.isinf(slack)
        close = (distance <= slack) & (slack > 0) & ~coarse
        tags.state[part] = np.where(coarse | close, UNKNOWN, tags.state[part])
        reason = np.where(coarse, number("location too coarse"), number("near the boundary"))
        tags.reason[part] = np.where(coarse | close, reason, tags.reason[part])
        if coarse.any():
            lost = np.broadcast_to(coarse, len(found))
            distance[lost], near[lost] = np.nan, -1
        inside = np.flatnonzero((found >= 0) & ~coarse)
    else:
        distance, near = np.full(len(found), np.nan), np.full(len(found), -1, np.int32)
        outside, inside = np.flatnonzero(found < 0), np.flatnonzero(found >= 0)
        distance[outside], near[outside] = boundaries.nearest(metres[0][outside], metres[1][outside])
    bands = question.bands
    if not bands:
        return
    distance[inside], near[inside] = 0.0, found[inside]
    known = np.flatnonzero(distance <= bands[-1])
    band = np.full(len(found), len(bands) + 1, np.int8)
    band[known] = np.searchsorted(bands, distance[known], "left") + 1
    band[inside] = 0
    tags.band[part] = band
    if not question.measures:
        return
    kept = known
    if question.distance == "signed":
        _sign(distance, inside, found, layer, metres)
        kept = np.r_[known, inside]
    metre, nearest = np.full(len(found), np.nan), np.full(len(found), -1, np.int32)
    metre[kept], nearest[kept] = distance[kept], near[kept] + offset
    tags.distance_m[part], tags.nearest[part] = metre, nearest


def _sign(
    distance: Floats,
    inside: npt.NDArray[np.intp],
    found: npt.NDArray[np.int32],
    layer: IndexLayer,
    metres: tuple[Floats, Floats],
) -> None:
    """Distance of the points inside to the boundary of their perimeter, below zero."""
    for area in np.unique(found[inside]):
        rows = inside[found[inside] == area]
        boundary = shapely.boundary(layer.areas[area])
        # taken from zero: minus zero is not what a point on the boundary should read
        distance[rows] = 0.0 - shapely.distance(boundary, shapely.points(metres[0][rows], metres[1][rows]))


def leave_unknown(tags: Tags, rows: npt.NDArray[np.intp], reason: str) -> None:
    """Make points unknown, without nearest perimeter."""
    tags.state[rows], tags.reason[rows] = UNKNOWN, number(reason)
    if len(tags.nearest):
        tags.nearest[rows], tags.distance_m[rows] = -1, np.nan


def settle(tags: Tags) -> Tags:
    """Take the perimeters and the band from unknown points: what is not known to be in a perimeter is in none."""
    unknown = np.flatnonzero(tags.state == UNKNOWN)
    tags.held_by[unknown] = -1
    if len(tags.band):
        tags.band[unknown] = -1
    rows, areas = tags.also
    known = tags.state[rows] != UNKNOWN
    return replace(tags, also=Others(rows[known], areas[known]))


def gathered(reason: Bytes, parts: Sequence[tuple[Rows, Tags]], question: Question, kind: Any) -> Tags:  # noqa: ANN401
    """Tags of all points: those of each territory in their rows, unknown where a point has no territory.

    Parameters
    ----------
    reason
        Why points have no territory, by number; 0 for those that have one.
    parts
        Rows of the points of a territory, and their tags; all rows, where it is alone.
    question, kind
        As for `tag_territory`.
    """
    lost = np.flatnonzero(reason)
    if len(parts) == 1 and isinstance(parts[0][0], slice):
        tags = parts[0][1]
        if len(tags.nearest):
            tags.nearest[lost], tags.distance_m[lost] = -1, np.nan
    else:
        tags = _blank(len(reason), question, kind)
        for rows, own in parts:
            tags.state[rows], tags.reason[rows], tags.held_by[rows] = own.state, own.reason, own.held_by
            if len(tags.nearest):
                tags.nearest[rows], tags.distance_m[rows] = own.nearest, own.distance_m
            if len(tags.band):
                tags.band[rows] = own.band
        tags = replace(tags, also=_joined(parts))
    tags.state[lost], tags.reason[lost] = UNKNOWN, reason[lost]
    return tags


def _joined(parts: Sequence[tuple[Rows, Tags]]) -> Others:
    """Pairs of all territories, in the order of the points."""
    rows = np.concatenate([np.empty(0, np.intp), *(rows[own.also.rows] for rows, own in parts)])  # type: ignore[index]
    areas = np.concatenate([np.empty(0, np.int32), *(own.also.areas for _, own in parts)])
    order = np.argsort(rows, kind="stable")
    return Others(rows[order], areas[order])
