"""Columns of tags: arrays of positions and labels become a frame of pandas or Arrow columns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from qpvgeo.tagging.counts import Counted
from qpvgeo.tagging.options import STATES
from qpvgeo.tagging.placement import REASONS
from qpvgeo.tagging.plain_tags import PointTags

__all__ = ["Column", "Tagged", "columns_of"]


@dataclass(frozen=True, slots=True)
class Column:
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
    if not len(there):
        # zeros that are only read take no memory
        offsets, bits = np.zeros(many + 1, np.int64), np.zeros((many + 7) // 8, np.uint8)
        column = pa.LargeStringArray.from_buffers(many, pa.py_buffer(offsets), pa.py_buffer(b""), pa.py_buffer(bits))
    else:
        texts = labels.take(pa.array(positions[there]))
        ends = np.frombuffer(texts.buffers()[1], np.int64, len(texts) + 1, 8 * texts.offset)
        # a text ends where that of the last point before it does
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

    columns: list[Column]
    counted: Counted

    def frame(self, index: pd.Index) -> pd.DataFrame:
        """As a frame on the index of the points."""
        there: dict[int, npt.NDArray[np.intp]] = {}
        columns = {one.name: one.series(there) for one in self.columns}
        return pd.DataFrame(columns, copy=False).set_axis(index, axis="index")

    def batch(self) -> pa.RecordBatch:
        """As Arrow columns whose types do not depend on the rows."""
        return pa.RecordBatch.from_arrays([one.array() for one in self.columns], [one.name for one in self.columns])


def columns_of(tags: PointTags, *, dated: bool) -> list[Column]:
    """Columns of tags, with the end of their names; `dated` with the vintage that each point was tagged by."""
    own, perimeters, question = tags.positions, tags.perimeters, tags.question
    columns = [
        Column("state", own.state, pa.array(STATES), fixed=True),
        Column("reason", own.reason - np.int8(1), pa.array(REASONS, pa.large_string())),
        Column("qpv_code", own.held_by, perimeters.labels),
    ]
    if perimeters.names.null_count < len(perimeters.names):
        columns.append(Column("qpv_name", own.held_by, perimeters.names))
    if perimeters.communes.null_count < len(perimeters.communes):
        columns.append(Column("qpv_commune", own.held_by, perimeters.communes))
    columns.append(_also(tags))
    if question.measures:
        columns.append(Column("nearest_qpv", own.nearest, perimeters.labels))
        columns.append(Column("distance_m", own.distance_m))
    if question.bands:
        columns.append(Column("band", own.band, pa.array(question.band_names), fixed=True, ordered=True))
    if dated:
        layers = (perimeters.in_force[code].layer for code in tags.places.codes)
        years = pd.array([None if one is None else one.vintage for one in layers] + [None], dtype="Int64")
        columns.append(Column("vintage", years.take(tags.places.territory)))
    return [Column(f"{c.name}{perimeters.suffix}", c.values, c.labels, c.fixed, c.ordered) for c in columns]


def _also(tags: PointTags) -> Column:
    """The other perimeters that hold a point, as text: one for each row would take more memory than all the rest."""
    labels, others = tags.perimeters.texts["labels"], tags.positions.also
    starts, sizes = others.groups()
    texts = labels[others.areas[starts]]
    for at in np.flatnonzero(sizes > 1).tolist():
        texts[at] = ", ".join(labels[others.areas[starts[at] : starts[at] + sizes[at]]])
    each = pa.array(texts, pa.large_string()).dictionary_encode()
    also = np.full(len(tags), -1, np.int16 if len(each.dictionary) < np.iinfo(np.int16).max else np.int32)
    also[others.rows[starts]] = each.indices.to_numpy()
    return Column("also_in", also, each.dictionary)
