"""Tags of points by prepared options and perimeters: prepared once, then applied to each batch of points.

`Tagger.prepare` judges nothing that `Options` has judged: it finds the perimeters in force in each territory, once.
`Tagger.tag` then needs the coordinates of a batch only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyproj

from qpvgeo.codes import territories
from qpvgeo.errors import UsageError
from qpvgeo.geometry.parallel import in_chunks
from qpvgeo.geometry.projection import transformer
from qpvgeo.language import Note
from qpvgeo.tagging.commune_check import CHECKS, CommuneOutlines, checked, clean_codes, department_boxes
from qpvgeo.tagging.coordinates import Coordinates
from qpvgeo.tagging.counts import Counted, counted, tested
from qpvgeo.tagging.in_force import InForce, by_day, by_vintage, day_notes
from qpvgeo.tagging.options import STATES, Options, Question, band_name, within
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.placement import REASONS, Places, place
from qpvgeo.tagging.territory_tags import (
    UNKNOWN,
    Rows,
    Tags,
    gathered,
    leave_unknown,
    tag_territory,
    without_perimeters,
)
from qpvgeo.tagging.tolerance import Tolerance

__all__ = ["Tagged", "Tagger"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Perimeters:
    """Perimeters in force, those of all territories one after the other.

    Attributes
    ----------
    in_force
        What applies in each territory.
    offsets
        Position of the first perimeter of each territory.
    labels, names, communes
        Of each perimeter.
    suffix
        End of the names of columns.
    """

    in_force: dict[str, InForce]
    offsets: dict[str, int]
    labels: pa.Array
    names: pa.Array
    communes: pa.Array
    suffix: str

    @classmethod
    def of(cls, in_force: dict[str, InForce], suffix: str) -> "_Perimeters":
        """Number the perimeters of the territories."""
        layers = {code: one.layer for code, one in in_force.items() if one.layer is not None}
        offsets, many = {}, 0
        for code, layer in layers.items():
            offsets[code] = many
            many += len(layer.codes)
        text = pa.large_string()
        labels = pa.array([str(label) for layer in layers.values() for label in layer.codes], text)
        names = pa.array([name for layer in layers.values() for name in layer.names], text)
        communes = pa.array([name for layer in layers.values() for name in layer.communes], text)
        return cls(in_force, offsets, labels, names, communes, suffix)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of tags: positions in some labels, or numbers."""

    name: str
    values: npt.NDArray[Any]
    labels: pa.Array | None = None
    fixed: bool = False
    ordered: bool = False

    def array(self) -> pa.Array:
        """As Arrow; the type does not depend on the rows."""
        if self.labels is None:
            kind = pa.float64() if self.values.dtype.kind == "f" else pa.int64()
            return pa.array(self.values, kind, from_pandas=True)
        places: npt.NDArray[Any] = self.values.astype(np.int8 if self.fixed else np.int32, copy=False)
        labels = self.labels.cast(pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(places, mask=places < 0), labels, ordered=self.ordered)

    def series(self, there: dict[int, npt.NDArray[np.intp]]) -> Any:  # noqa: ANN401 - what pandas takes for a column
        """As pandas: categories where the values are ordered or few, else plain text.

        `there` keeps which positions are set, for columns that have the same.
        """
        if self.labels is None:
            return self.values
        if self.fixed:
            return pd.Categorical.from_codes(self.values, self.labels.to_pylist(), ordered=self.ordered)
        if id(self.values) not in there:
            there[id(self.values)] = np.flatnonzero(self.values >= 0)
        return _text(self.values, self.labels, there[id(self.values)])


def _text(positions: npt.NDArray[Any], labels: pa.Array, there: npt.NDArray[np.intp]) -> Any:  # noqa: ANN401
    """Labels at some positions as plain text of pandas, missing but `there`.

    The buffers of the column are written here: most points are in no perimeter, and `take` would look at each.
    """
    many = len(positions)
    if labels.null_count:
        there = there[labels.is_valid().to_numpy(zero_copy_only=False)[positions[there]]]
    column = pa.nulls(many, pa.large_string())
    if len(there):
        texts = labels.take(pa.array(positions[there]))
        ends = np.frombuffer(texts.buffers()[1], np.int64, len(texts) + 1, 8 * texts.offset)
        offsets = np.repeat(ends, np.diff(there, prepend=-1, append=many))
        held = np.zeros(many, dtype=bool)
        held[there] = True
        bits = np.packbits(held, bitorder="little")
        buffers = [pa.py_buffer(offsets), texts.buffers()[2], pa.py_buffer(bits)]
        column = pa.LargeStringArray.from_buffers(many, *buffers, many - len(there))
    return pd.array(pa.chunked_array([column]), dtype=pd.StringDtype("pyarrow", na_value=np.nan))


@dataclass(frozen=True, slots=True)
class Tagged:
    """Tags of a batch of points.

    Attributes
    ----------
    columns
        The columns of tags.
    counted
        Counts of the batch.
    """

    columns: list[_Column]
    counted: Counted

    def frame(self, index: pd.Index) -> pd.DataFrame:
        """As a frame on the index of the points."""
        there: dict[int, npt.NDArray[np.intp]] = {}
        columns = {one.name: one.series(there) for one in self.columns}
        return pd.DataFrame(columns, copy=False).set_axis(index, axis="index")

    def batch(self) -> pa.RecordBatch:
        """As Arrow columns whose types do not depend on the rows."""
        return pa.RecordBatch.from_arrays([one.array() for one in self.columns], [one.name for one in self.columns])


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
    """

    index: PerimeterIndex
    question: Question
    notes: list[str]
    _vintages: list[_Perimeters]
    _on: bool
    _expected: float
    _outlines: CommuneOutlines | None = None
    _boxes: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def prepare(cls, index: PerimeterIndex, options: Options, *, expected: float = 0, communes: Any = None) -> "Tagger":  # noqa: ANN401
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
            vintages = [_Perimeters.of(dict(zip(codes, found, strict=True)), "")]
        else:
            several = len(index.vintages) > 1
            vintages = [
                _Perimeters.of(
                    dict(zip(codes, by_vintage(index, codes, vintage), strict=True)), f"_{vintage}" if several else ""
                )
                for vintage in index.vintages
            ]
        question = Question(options.limits, str(options.distance), index.reach_m)
        outlines = None if communes is None else CommuneOutlines.of(communes)
        boxes: dict[str, tuple[float, ...]] = {}
        if options.commune is not None:
            for layer in (one.layer for each in vintages for one in each.in_force.values()):
                boxes |= {} if layer is None else department_boxes(layer.codes.tolist(), layer.areas)
        notes = [*index.notes, *day_notes(index, options.on)]
        return cls(index, question, notes, vintages, on, expected, outlines, boxes)

    def tag(self, points: Coordinates, tolerance: Tolerance, codes: pd.Series | None = None) -> Tagged:
        """Tags of a batch of points.

        Parameters
        ----------
        points
            Their coordinates.
        tolerance
            How far they may be from where they are said to be.
        codes
            Codes of their communes, to be tested against their places.
        """
        metres, beyond = tolerance.within(self.question.reach)
        places = place(points, fictional=self.index.fictional)
        parts = [(code, rows, _metres(points, rows, code)) for code, rows in _rows_of(places)]
        check = None if codes is None else checked(clean_codes(codes), parts, self._outlines, self._boxes)
        apart = np.empty(0, np.intp) if check is None else np.flatnonzero((check > 0) & (check % 2 == 1))
        columns: list[_Column] = []
        for perimeters in self._vintages:
            tags = self._tags(perimeters, places, parts, metres)
            leave_unknown(tags, apart, "commune and place disagree")
            columns += self._columns(perimeters, places, tags)
        if self._outlines is not None:
            columns += [_Column(*one) for one in self._outlines.columns(len(points.x), parts)]
        if check is not None:
            columns.append(_Column("commune_check", check, pa.array(CHECKS, pa.large_string())))
        counts = counted(points, places, no_distance=tolerance.no_distance, beyond_reach=beyond)
        return Tagged(columns, counts if check is None else counts + tested(check))

    def _tags(
        self,
        perimeters: _Perimeters,
        places: Places,
        parts: Sequence[tuple[str, Rows, tuple[Floats, Floats]]],
        tolerance: Floats,
    ) -> Tags:
        """Tags by one vintage, or by the lists of a day."""
        # small numbers are written faster: tens of millions of points take longer to write down than to find
        kind = np.int16 if len(perimeters.labels) < np.iinfo(np.int16).max else np.int32
        found: list[tuple[Rows, Tags]] = []
        for code, rows, metres in parts:
            answer, slack = perimeters.in_force[code], tolerance[rows] if tolerance.ndim else tolerance
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
        return gathered(places.reason, found, self.question, kind)

    def _columns(self, perimeters: _Perimeters, places: Places, tags: Tags) -> list[_Column]:
        """Columns of tags, with the end of their names."""
        unknown = np.flatnonzero(tags.state == UNKNOWN)
        # a point that is not known to be in a perimeter is in none
        tags.held_by[unknown] = -1
        columns = [
            _Column("state", tags.state, pa.array(STATES), fixed=True),
            _Column("reason", tags.reason - np.int8(1), pa.array(REASONS, pa.large_string())),
            _Column("qpv_code", tags.held_by, perimeters.labels),
        ]
        if perimeters.names.null_count < len(perimeters.names):
            columns.append(_Column("qpv_name", tags.held_by, perimeters.names))
        if perimeters.communes.null_count < len(perimeters.communes):
            columns.append(_Column("qpv_commune", tags.held_by, perimeters.communes))
        columns.append(_also(tags, perimeters.labels))
        bands = self.question.bands
        if self.question.measures:
            columns.append(_Column("nearest_qpv", tags.nearest, perimeters.labels))
            columns.append(_Column("distance_m", tags.distance_m))
        if bands:
            names = ["in", *map(within, bands), f"beyond {band_name(bands[-1])} m"]
            tags.band[unknown] = -1
            columns.append(_Column("band", tags.band, pa.array(names), fixed=True, ordered=True))
        if self._on:
            layers = (perimeters.in_force[code].layer for code in places.codes)
            years = pd.array([None if one is None else one.vintage for one in layers] + [None], dtype="Int64")
            columns.append(_Column("vintage", years.take(places.territory)))
        return [_Column(f"{c.name}{perimeters.suffix}", c.values, c.labels, c.fixed, c.ordered) for c in columns]


def _rows_of(places: Places) -> list[tuple[str, Rows]]:
    """Rows of the points of each territory."""
    if len(places.codes) == 1 and not places.reason.any():
        return [(places.codes[0], slice(None))]
    return [(code, np.flatnonzero(places.territory == at)) for at, code in enumerate(places.codes)]


def _also(tags: Tags, labels: pa.Array) -> _Column:
    """The other perimeters that hold a point, as text: one for each row would take more memory than all the rest."""
    texts = {
        row: ", ".join(labels[other].as_py() for other in others)
        for row, others in tags.also.items()
        if tags.state[row] != UNKNOWN
    }
    each = {text: position for position, text in enumerate(sorted(set(texts.values())))}
    also = np.full(len(tags.state), -1, np.int16 if len(each) < np.iinfo(np.int16).max else np.int32)
    also[list(texts)] = [each[text] for text in texts.values()]
    return _Column("also_in", also, pa.array(list(each), pa.large_string()))


def _metres(points: Coordinates, rows: Rows, code: str) -> tuple[Floats, Floats]:
    """Coordinates of some points in the legal projection of their territory."""
    x, y = points.x[rows], points.y[rows]
    legal = pyproj.CRS.from_epsg(territories.get(code).epsg)
    if points.crs.equals(legal, ignore_axis_order=True):
        return np.ascontiguousarray(x), np.ascontiguousarray(y)
    move = transformer(points.crs, legal).transform
    moved = np.empty((2, len(x)))

    def part(rows: slice) -> None:
        moved[0, rows], moved[1, rows] = move(x[rows], y[rows])

    in_chunks(part, len(x))
    return moved[0], moved[1]
