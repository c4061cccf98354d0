"""Rows written as they come, to CSV or Parquet: what was there first, then the columns that were added.

A CSV gets its cells back as they were, and shapes as WKT; what is added is quoted only where it must be, distances to
the millimetre, with decimal points or, where the source writes so, with decimal commas.
"""

import codecs
import gzip
import re
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from qpvgeo.errors import DataError
from qpvgeo.formats.csv_dialect import named
from qpvgeo.formats.geoparquet import geo_column
from qpvgeo.formats.table_batches import Table
from qpvgeo.formats.table_stream import CsvTable
from qpvgeo.language import Note

__all__ = ["SUFFIXES", "CsvSink", "ParquetSink", "Sink", "open_sink"]

SUFFIXES = (".csv", ".csv.gz", ".parquet")

_DECIMALS = 3
_LOOK = 1 << 14
_GZIP_LEVEL = 6

_FORMULA, _NUMBER = r"^\s*[=+\-@\t\r]", r"^\s*[-+]?[\d\s.,]+(?:[eE][-+]?\d+)?\s*$"
"""What a spreadsheet takes for a formula, and what is a number all the same."""


class Sink(Protocol):
    """A file that is being written."""

    def write(self, whole: pa.Table | pa.Array, added: pa.RecordBatch) -> None:
        """Write rows: all columns of the source, or the text of each row, and the columns added."""

    def __enter__(self) -> Self:
        """Go on."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Finish the file."""


def open_sink(
    path: Path, name: str, table: Table, added: pa.Schema, *, decimal_commas: bool = False, safe: bool = False
) -> Sink:
    """Start a file.

    Parameters
    ----------
    path
        Where it is written.
    name
        What it will be called: its ending says the form.
    table
        The source, for its columns and the way a CSV is written.
    added
        Columns added.
    decimal_commas
        Whether a CSV has decimal commas in the columns added.
    safe
        Whether cells of the source that a spreadsheet would run as a formula get an apostrophe.

    Raises
    ------
    DataError
        Columns of the source cannot stand in a CSV: all are listed.
    """
    if name.lower().endswith(".parquet"):
        return ParquetSink(path, table.schema, added)
    shapes = geo_column(table.schema)
    nested = [
        Note("formats.column_type", column=field.name, kind=str(field.type))
        for field in table.schema
        if (shapes is None or shapes.encoding != "WKB" or field.name != shapes.name) and _is_nested(field.type)
    ]
    if nested:
        raise DataError(
            Note("formats.no_cells", file=table.path.name), problems=nested, way_out=Note("formats.write_parquet")
        )
    return CsvSink(
        path, table, added, packed=name.lower().endswith(".gz"), decimal="," if decimal_commas else ".", safe=safe
    )


def _is_nested(kind: pa.DataType) -> bool:
    tests = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


class ParquetSink:
    """Parquet, a row group for each batch."""

    def __init__(self, path: Path, source: pa.Schema, added: pa.Schema) -> None:
        if source.names.count("") > 1:
            # which no reader would tell from each other
            names = named(source.names)
            source = pa.schema(
                [field.with_name(name) for field, name in zip(source, names, strict=True)], source.metadata
            )
        metadata = (source.metadata or {}) | (added.metadata or {})
        self._schema = pa.schema([*source, *added], metadata=metadata)
        self._path, self._first = path, list(source.names)
        self._writer: pq.ParquetWriter | None = None

    def write(self, whole: pa.Table | pa.Array, added: pa.RecordBatch) -> None:
        """Write rows."""
        table = pa.Table.from_arrays([*whole.columns, *added.columns], schema=self._schema)
        if self._writer is None:
            self._writer = self._opened(table)
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))

    def _opened(self, start: pa.Table) -> pq.ParquetWriter:
        """File for rows like these; values that do not come back, and bounds of tags, only cost time."""
        if any(pa.types.is_nested(field.type) for field in self._schema):
            return pq.ParquetWriter(self._path, self._schema)
        return pq.ParquetWriter(
            self._path,
            self._schema,
            use_dictionary=[name for name in self._schema.names if _comes_back(start[name][:_LOOK])],
            write_statistics=self._first,
        )

    def __enter__(self) -> Self:
        """Go on."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Write the footer."""
        writer = self._writer or self._opened(self._schema.empty_table())
        writer.close()


def _comes_back(column: Any) -> bool:  # noqa: ANN401 - an Arrow array
    """Whether values of a column come twice or more, so that a dictionary of them is worth its while."""
    present = len(column) - column.null_count
    return bool(pa.types.is_dictionary(column.type) or 2 * pc.count_distinct(column).as_py() <= present)


class CsvSink:
    """CSV in the manner of its source: same delimiter, ends of lines and byte order mark; always UTF-8."""

    def __init__(
        self, path: Path, table: Table, added: pa.Schema, *, packed: bool, decimal: str, safe: bool = False
    ) -> None:
        alike = table.head if isinstance(table, CsvTable) else None
        self._decimal, self._safe = decimal, safe
        self._delimiter, self._newline = (alike.delimiter, alike.newline) if alike else (",", "\n")
        names = [] if alike else table.schema.names
        cells = [_cells(pa.array([name]), self._delimiter)[0].as_py() for name in [*names, *added.names]]
        header = self._delimiter.join([*([alike.header] if alike else []), *cells]) + self._newline
        self._file = path.open("wb")
        # without a date, so that the same rows are the same bytes
        packer = gzip.GzipFile("", "wb", _GZIP_LEVEL, self._file, mtime=0) if packed else None
        self._stream: IO[bytes] = packer or self._file  # type: ignore[assignment]
        self._stream.write((codecs.BOM_UTF8 if alike and alike.mark else b"") + header.encode())

    def write(self, whole: pa.Table | pa.Array, added: pa.RecordBatch) -> None:
        """Write rows."""
        first = (
            [_cells(_as_wkt(column), self._delimiter, safe=self._safe) for column in whole.columns]
            if isinstance(whole, pa.Table)
            else [whole]
        )
        cells = [
            *first,
            *(_cells(_to_millimetre(column, self._decimal), self._delimiter, safe=True) for column in added.columns),
        ]
        lines = pc.binary_join_element_wise(*cells, self._delimiter)
        ended = pc.binary_join_element_wise(lines, "", self._newline).cast(pa.large_string())
        for part in ended.chunks if isinstance(ended, pa.ChunkedArray) else [ended]:
            if len(part):
                # the texts of an array lie one behind the other
                self._stream.write(pa.concat_arrays([part]).buffers()[2])

    def __enter__(self) -> Self:
        """Go on."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._stream.close()
        self._file.close()


def _as_wkt(column: Any) -> Any:  # noqa: ANN401 - an Arrow array
    """Shapes as text, exact; other columns as they are."""
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        return column
    shapes = shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore")
    return pa.array(shapely.to_wkt(shapes, rounding_precision=-1), pa.string())


def _to_millimetre(column: Any, decimal: str) -> Any:  # noqa: ANN401 - an Arrow array
    if not pa.types.is_floating(column.type):
        return column
    rounded = pc.round(column, _DECIMALS)
    return rounded if decimal == "." else pc.replace_substring(rounded.cast(pa.string()), ".", decimal)


def _cells(column: Any, delimiter: str, *, safe: bool = False) -> Any:  # noqa: ANN401 - an Arrow array
    """Cells of a column as text, quoted where they hold what would break a line; empty where missing."""
    kind = column.type
    text = column.cast(kind.value_type if pa.types.is_dictionary(kind) else pa.string()).cast(pa.string())
    if safe and not pa.types.is_floating(kind) and not pa.types.is_integer(kind):
        formula = pc.match_substring_regex(text, _FORMULA)
        if pc.any(formula).as_py():
            number = pc.match_substring_regex(text, _NUMBER)
            runs = pc.and_(formula, pc.invert(number))
            text = pc.if_else(runs, pc.binary_join_element_wise("'", text, ""), text)
    special = pc.match_substring_regex(text, f'["\\r\\n{re.escape(delimiter)}]')
    if pc.any(special).as_py():
        doubled = pc.replace_substring(text, '"', '""')
        text = pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), text)
    return text.fill_null("")
