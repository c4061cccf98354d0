"""Tags of points by prepared options and perimeters: prepared once, then applied to each batch of points.

`Tagger.prepare` judges nothing that `Options` has judged: it finds the perimeters in force in each territory, once.
`Tagger.tag` then needs the coordinates of a batch only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyproj

from qpvgeo.codes import territories
from qpvgeo.errors import UsageError
from qpvgeo.geometry.parallel import in_chunks
from qpvgeo.geometry.projection import System, transformer
from qpvgeo.language import Note
from qpvgeo.tagging.applicable_perimeters import by_day, by_vintage, day_notes
from qpvgeo.tagging.commune_check import CHECKS, CommuneOutlines, checked, clean_codes, department_boxes
from qpvgeo.tagging.coordinates import Coordinates
from qpvgeo.tagging.counts import counted, tested
from qpvgeo.tagging.options import Options, Question
from qpvgeo.tagging.placement import Places, place
from qpvgeo.tagging.plain_tags import Perimeters, PointTags
from qpvgeo.tagging.tag_columns import Column, Tagged, columns_of
from qpvgeo.tagging.territory_tags import (
    Rows,
    Tags,
    gathered,
    leave_unknown,
    settle,
    tag_territory,
    without_perimeters,
)
from qpvgeo.tagging.tolerance import Tolerance

if TYPE_CHECKING:
    from qpvgeo.tagging.perimeter_index import PerimeterIndex

__all__ = ["Tagger"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Points and their places.

    Attributes
    ----------
    places
        Territory of each, or why it has none.
    parts
        Code, rows and metres of the points of each territory; all rows where it is alone, those without one too.
    tolerance
        Metres, one for all points or one for each.
    beyond
        How many tolerances are beyond the greatest distance measured.
    """

    places: Places
    parts: Sequence[tuple[str, Rows, tuple[Floats, Floats]]]
    tolerance: Floats
    beyond: int


@dataclass(frozen=True, slots=True)
class Tagger:
    """Options and perimeters, ready for points; `Tagger.prepare` makes it.

    Attributes
    ----------
    index
        The perimeters.
    question
        What is measured.
    notes
        What the tags do not know: perimeters without outline, partial lists, days.
    perimeters
        Those in force: of each vintage, or by the lists of the day.
    """

    index: "PerimeterIndex"
    question: Question
    notes: list[str]
    perimeters: list[Perimeters]
    _on: bool
    _expected: float
    _outlines: CommuneOutlines | None = None
    _boxes: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def prepare(
        cls,
        index: "PerimeterIndex",
        options: Options,
        *,
        expected: float = 0,
        communes: Any = None,  # noqa: ANN401 - whatever was given
        vintages: Sequence[int | None] | None = None,
    ) -> "Tagger":
        """Find the perimeters in force, once for all points.

        Parameters
        ----------
        index
            The perimeters.
        options
            Options, already judged (`Options.require`).
        expected
            How many points there are in all batches, where they are more than in the first.
        communes
            Outlines of communes or departments (`CommuneOutlines.of`).

        vintages
            Those to tag by, where no day is given; None for all that the index holds.

        Raises
        ------
        UsageError
            The index does not measure as far as the options need, or a day is given and perimeters have no vintage.
        """
        needed = options.needed
        if index.reach_m < needed:
            raise UsageError(
                Note("tagging.index_too_short", reach=f"{index.reach_m:g}", needed=f"{needed:g}"),
                way_out=Note("tagging.build_wider", needed=f"{needed:g}"),
            )
        codes = list(territories.territories())
        on = options.on is not None
        if on:
            found = by_day(index, codes, options.on, options.lists)
            in_force = [Perimeters.of(dict(zip(codes, found, strict=True)), "")]
        else:
            years = index.vintages if vintages is None else vintages
            in_force = [
                Perimeters.of(
                    dict(zip(codes, by_vintage(index, codes, vintage), strict=True)),
                    f"_{vintage}" if len(years) > 1 else "",
                )
                for vintage in years
            ]
        question = Question(options.limits, str(options.distance), index.reach_m)
        outlines = None if communes is None else CommuneOutlines.of(communes)
        boxes: dict[str, tuple[float, ...]] = {}
        if options.commune is not None:
            for layer in (one.layer for each in in_force for one in each.in_force.values()):
                boxes |= {} if layer is None else department_boxes(layer.codes.tolist(), layer.areas)
        notes = [*index.notes, *day_notes(index, options.on)]
        return cls(index, question, notes, in_force, on, expected, outlines, boxes)

    def tag(self, points: Coordinates, tolerance: Tolerance, codes: pd.Series | None = None) -> Tagged:
        """Columns of tags of a batch of points.

        Parameters
        ----------
        points
            Their coordinates.
        tolerance
            How far they may be from where they are said to be.
        codes
            Codes of their communes, to be tested against their places.
        """
        batch = self._batch(points, tolerance, placed_only=codes is not None or self._outlines is not None)
        check = None if codes is None else checked(clean_codes(codes), batch.parts, self._outlines, self._boxes)
        apart = np.empty(0, np.intp) if check is None else np.flatnonzero((check > 0) & (check % 2 == 1))
        found = self._point_tags(batch, apart)
        columns = [column for tags in found for column in columns_of(tags, dated=self._on)]
        if self._outlines is not None:
            columns += [Column(*one) for one in self._outlines.columns(len(points.x), batch.parts)]
        if check is not None:
            columns.append(Column("commune_check", check, pa.array(CHECKS, pa.large_string())))
        counts = counted(points, batch.places, no_distance=tolerance.no_distance, beyond_reach=batch.beyond)
        return Tagged(columns, counts if check is None else counts + tested(check))

    def point_tags(self, points: Coordinates, tolerance: Tolerance) -> list[PointTags]:
        """Tags of a batch of points as arrays: by each vintage, or by the lists of a day.

        Parameters are those of `tag`, which makes columns of them.
        """
        return self._point_tags(self._batch(points, tolerance), np.empty(0, np.intp))

    def _batch(self, points: Coordinates, tolerance: Tolerance, *, placed_only: bool = False) -> _Batch:
        """Points by territory; without `placed_only` the lone one may bring points that have none."""
        metres, beyond = tolerance.within(self.question.reach)
        places = place(points, fictional=self.index.fictional)
        return _Batch(
            places,
            [(code, rows, _metres(points, rows, code)) for code, rows in _rows_of(places, placed_only=placed_only)],
            metres,
            beyond,
        )

    def _point_tags(self, batch: _Batch, apart: npt.NDArray[np.intp]) -> list[PointTags]:
        """Tags of points, those unknown whose commune and place disagree."""
        found = []
        for perimeters in self.perimeters:
            tags = self._tags(perimeters, batch)
            leave_unknown(tags, apart, "commune and place disagree")
            found.append(PointTags(settle(tags), batch.places, perimeters, self.question))
        return found

    def _tags(self, perimeters: Perimeters, batch: _Batch) -> Tags:
        """Tags by one vintage, or by the lists of a day."""
        # small numbers are written faster: tens of millions of points take longer to write down than to find
        kind = np.int16 if len(perimeters.labels) < np.iinfo(np.int16).max else np.int32
        found: list[tuple[Rows, Tags]] = []
        for code, rows, metres in batch.parts:
            answer = perimeters.in_force[code]
            slack = batch.tolerance[rows] if batch.tolerance.ndim else batch.tolerance
            if answer.layer is None:
                tags = without_perimeters(len(metres[0]), slack, answer, self.question, kind)
            else:
                answer.layer.expect(max(self._expected, self.index.expected(len(metres[0]))))
                tags = tag_territory(
                    answer.layer,
                    metres,
                    slack,
                    self.question,
                    doubt=answer.doubt,
                    offset=perimeters.offsets[code],
                    kind=kind,
                )
            found.append((rows, tags))
        return gathered(batch.places.reason, found, self.question, kind)


def _rows_of(places: Places, *, placed_only: bool) -> list[tuple[str, Rows]]:
    """Rows of the points of each territory; all where there is one, and few without: to take them out takes longer."""
    if len(places.codes) == 1:
        lost = np.count_nonzero(places.reason)
        if not lost or (not placed_only and 2 * lost < len(places.reason)):
            return [(places.codes[0], slice(None))]
    return [(code, np.flatnonzero(places.territory == at)) for at, code in enumerate(places.codes)]


def _metres(points: Coordinates, rows: Rows, code: str) -> tuple[Floats, Floats]:
    """Coordinates of some points in the legal projection of their territory."""
    x, y = points.x[rows], points.y[rows]
    move = _way(System(points.crs), code)
    if move is None:
        return np.ascontiguousarray(x), np.ascontiguousarray(y)
    moved = np.empty((2, len(x)))

    def part(rows: slice) -> None:
        moved[0, rows], moved[1, rows] = move.transform(x[rows], y[rows])

    in_chunks(part, len(x))
    return moved[0], moved[1]


@lru_cache(maxsize=64)
def _way(system: System, code: str) -> pyproj.Transformer | None:
    """Way to the legal projection of a territory; None where points are in it."""
    legal = pyproj.CRS.from_epsg(territories.get(code).epsg)
    return None if system.crs.equals(legal, ignore_axis_order=True) else transformer(system.crs, legal)
