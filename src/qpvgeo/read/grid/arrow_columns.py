"""Columns of a grid table as Arrow, and which rows of it.

Only the columns asked for are read, and never an outline. With a filter, rows are chosen batch by batch, after what the
form can skip by itself: row groups of Parquet by their statistics, rows of a GeoPackage or a shapefile by SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import shapely

from qpvgeo.errors import DataError
from qpvgeo.formats.gdal import gdal
from qpvgeo.formats.text_tables import SECRET_MARKS
from qpvgeo.language import Note
from qpvgeo.read.grid.table_forms import HEAD_ROWS, Table, damage

__all__ = ["Kept", "Prefilter", "count_outlines", "first_rows", "outlines", "read"]

_BLOCK_BYTES = 1 << 22
_MISSING = ["", "NULL", "null", "NaN", *{form for mark in SECRET_MARKS for form in (mark, mark.upper())}]

Kept = Callable[[Any], Any]
"""Which rows of a batch to keep: takes an Arrow batch, gives a mask."""


@dataclass(frozen=True, slots=True)
class Prefilter:
    """What a form may skip rows by, before the exact choice; rows it keeps too many are no harm.

    Attributes
    ----------
    column
        Column of texts.
    between
        First and last text, in the order of characters.
    containing
        Texts of which one must stand in the cell.
    """

    column: str
    between: tuple[str, str] | None = None
    containing: tuple[str, ...] = ()

    @property
    def expression(self) -> Any:  # noqa: ANN401 - an Arrow expression, or None
        """The range for Parquet."""
        if self.between is None:
            return None
        low, high = self.between
        return (pads.field(self.column) >= low) & (pads.field(self.column) <= high)

    @property
    def sql(self) -> str | None:
        """The condition for GDAL; None for a list so long that it would cost more than it saves."""
        name = '"' + self.column.replace('"', '""') + '"'
        if self.between is not None:
            return f"{name} >= '{self.between[0]}' AND {name} <= '{self.between[1]}'"
        if 0 < len(self.containing) <= 30:
            return " OR ".join(f"{name} LIKE '%{text}%'" for text in self.containing)
        return None


def first_rows(table: Table, column: str) -> pa.ChunkedArray:
    """First rows of a column, a thousand at most."""
    try:
        if table.form == "csv":
            return table.sample[column]
        if table.form == "vector":
            options = {"layer": table.layer, "columns": [column], "read_geometry": False}
            return gdal().read_arrow(table.opened, max_features=HEAD_ROWS, **options)[1][column]
        with pq.ParquetFile(table.opened) as file:
            batches = file.iter_batches(HEAD_ROWS, columns=[column])
            found = pa.Table.from_batches(islice(batches, 1), pa.schema([file.schema_arrow.field(column)]))
            return _without_views(found)[column]
    except damage() as error:
        raise DataError(
            Note("grid.damaged", file=table.label, cause=str(error)), way_out=Note("grid.download_again")
        ) from error


def read(
    table: Table,
    names: Sequence[str],
    types: Mapping[str, pa.DataType],
    kept: Kept | None = None,
    prefilter: Prefilter | None = None,
) -> pa.Table:
    """Columns of a table.

    Parameters
    ----------
    table
        As `find` opened it.
    names
        Columns to read.
    types
        How to read those of a CSV file, which has no types of its own.
    kept
        Chooses the rows of each batch; None keeps all.
    prefilter
        What the form may skip rows by; needs `kept`.

    Raises
    ------
    DataError
        The file is damaged.
    """
    try:
        if table.form == "csv":
            return _read_csv(table, names, types, kept)
        if table.form == "parquet":
            return _read_parquet(table, names, kept, prefilter)
        return _read_vector(table, names, kept, prefilter)
    except damage() as error:
        raise DataError(
            Note("grid.damaged", file=table.label, cause=str(error)), way_out=Note("grid.download_again")
        ) from error


def _read_csv(table: Table, names: Sequence[str], types: Mapping[str, pa.DataType], kept: Kept | None) -> pa.Table:
    """Typed columns; where a number can be read with no decimal sign, all come as text, for the caller to judge."""
    for decimal in ".,":
        try:
            return _parsed_csv(table, names, types, kept, decimal)
        except pa.ArrowInvalid as error:
            if "UTF8" in str(error) and table.encoding == "utf-8":
                return _read_csv(replace(table, encoding="cp1252"), names, types, kept)
            if "conversion error" not in str(error):
                raise
    return _parsed_csv(table, names, dict.fromkeys(names, pa.string()), kept, ".")


def _parsed_csv(
    table: Table, names: Sequence[str], types: Mapping[str, pa.DataType], kept: Kept | None, decimal: str
) -> pa.Table:
    parse = pacsv.ParseOptions(delimiter=table.delimiter)
    convert = pacsv.ConvertOptions(
        include_columns=list(names), column_types=dict(types), null_values=_MISSING, decimal_point=decimal
    )
    options = pacsv.ReadOptions(encoding=table.encoding, column_names=list(table.header), skip_rows=1)
    with pa.input_stream(str(table.opened), compression="detect") as stream:
        if kept is None:
            return pacsv.read_csv(stream, options, parse, convert)
        options.block_size = _BLOCK_BYTES
        with pacsv.open_csv(stream, options, parse, convert) as reader:
            return _chosen(reader, reader.schema, kept)


def _read_parquet(table: Table, names: Sequence[str], kept: Kept | None, prefilter: Prefilter | None) -> pa.Table:
    if kept is None:
        return _without_views(pq.read_table(table.opened, columns=list(names), partitioning=None))
    dataset = pads.dataset(table.opened, format="parquet")
    condition = prefilter.expression if prefilter else None
    scanner = dataset.scanner(columns=list(names), filter=condition)
    plain = _without_views(scanner.projected_schema.empty_table()).schema
    batches = (part for batch in scanner.to_batches() for part in _without_views(pa.table(batch)).to_batches())
    return _chosen(batches, plain, kept)


def _without_views(table: pa.Table) -> pa.Table:
    """Columns of string views as plain text, which old versions of pyarrow neither cast nor compare."""
    for at, column in enumerate(table.schema):
        if pa.types.is_string_view(column.type):
            table = table.set_column(at, column.name, pa.array(table[at].to_pylist(), pa.large_string()))
    return table


def _read_vector(table: Table, names: Sequence[str], kept: Kept | None, prefilter: Prefilter | None) -> pa.Table:
    about = {"layer": table.layer, "columns": list(names), "read_geometry": False}
    if kept is None:
        return gdal().read_arrow(table.opened, **about)[1].select(list(names))
    condition = prefilter.sql if prefilter else None
    with gdal().open_arrow(table.opened, where=condition, **about) as (_, stream):
        reader = pa.RecordBatchReader.from_stream(stream)
        return _chosen(reader, reader.schema, kept).select(list(names))


def _chosen(batches: Any, schema: pa.Schema, kept: Kept) -> pa.Table:  # noqa: ANN401
    parts = [batch.filter(pa.array(kept(batch), pa.bool_())) for batch in batches]
    return pa.Table.from_batches([part for part in parts if part.num_rows], schema)


def count_outlines(table: Table) -> int:
    """How many rows of a table have a place for an outline; 0 for a table without."""
    if table.form == "vector":
        about = gdal().read_info(table.opened, layer=table.layer, force_feature_count=True)
        return int(about["features"]) if about["geometry_type"] else 0
    if table.form != "parquet" or table.outline is None:
        return 0
    return int(pq.read_metadata(table.opened).num_rows)


def outlines(table: Table, column: str, *, rows: int | None = None) -> tuple[Any, Any] | None:
    """Texts of a column and outlines beside them.

    Parameters
    ----------
    table
        As `find` opened it.
    column
        Column of texts.
    rows
        How many of the first rows; None reads all.

    Returns
    -------
    tuple or None
        Arrow array of the texts and shapely array of the outlines; None for a table that has none.

    Raises
    ------
    DataError
        The outlines are damaged.
    """
    try:
        return _outlines(table, column, rows)
    except damage() as error:
        raise DataError(
            Note("grid.damaged", file=table.label, cause=str(error)), way_out=Note("grid.download_again")
        ) from error


def _outlines(table: Table, column: str, rows: int | None) -> tuple[Any, Any] | None:
    if table.form == "vector":
        about = gdal().read_info(table.opened, layer=table.layer)
        if not about["geometry_type"]:
            return None
        options = {"layer": table.layer, "columns": [column], "max_features": rows}
        meta, found = gdal().read_arrow(table.opened, **options)
        return found[column], shapely.from_wkb(found[meta["geometry_name"] or "wkb_geometry"].to_numpy())
    if table.form != "parquet" or table.outline is None:
        return None
    with pq.ParquetFile(table.opened) as file:
        batches = file.iter_batches(rows or 1 << 16, columns=[column, table.outline])
        found = pa.Table.from_batches(islice(batches, 1 if rows else None))
    return found[column], shapely.from_wkb(found[table.outline].to_numpy())
