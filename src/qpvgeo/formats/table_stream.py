"""Tables of any size, a batch of rows at a time: CSV, CSV in gzip, Parquet, layers and workbooks (`layer_tables`).

Nothing is lost on the way: a line of a CSV with too few or too many cells, a quote that is not closed or a return
outside of quotes comes as a row that is marked, with its text, and harms no other. The cells of a CSV are text and stay
what they were; Parquet keeps its types.
"""

import codecs
import gzip
import os
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from qpvgeo.errors import ArchiveError, DataError, UsageError, cause_of
from qpvgeo.formats import layer_tables, vector_layers
from qpvgeo.formats.csv_dialect import HEAD, Head, cells_of, decoded, head_of, loose_cells_of
from qpvgeo.formats.limits import require_narrow
from qpvgeo.formats.reader_errors import require_rows
from qpvgeo.formats.table_batches import Batch, Bools, Table, Whole
from qpvgeo.formats.text_tables import existing_path
from qpvgeo.language import Note

__all__ = ["Batch", "CsvTable", "ParquetTable", "Table", "Whole", "open_table", "quoted"]

_ROWS = 1_000_000
_CSV_ROWS = 1 << 18
_CSV_CHARACTERS = 16 << 20
_BYTES = 64 << 20
_LEAST_ROWS = 10_000
_BLOCK = 8 << 20
_LONGEST_LINE = 64 << 20
"""Bytes of one line; more is a file of another kind, which would fill the memory."""

_MOST_LINES = 1_000
"""Lines that one cell may run over; a quote that is not closed by then is no quote."""

_DAMAGED = (pa.ArrowException, UnicodeDecodeError, OSError)
"""What pyarrow says of a damaged Parquet file."""

_FEW = 256
_GUARD = "\x1f"
"""Starts a cell that says which row it ends; no text that people write has it."""


def open_table(
    source: str | os.PathLike[str],
    *,
    layer: str | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj reads
    expect: Iterable[Collection[str]] = (),
) -> Table:
    """Open a table: layers and workbooks by their ending, CSV and Parquet by their content.

    A CSV in UTF-16, as Excel writes "Unicode text", is read whole.

    Parameters
    ----------
    source
        The file.
    layer
        Layer of points, or sheet of a workbook, where a file has several.
    crs
        Projection of a layer that declares none.
    expect
        Sets of columns, one of which makes a sheet of a workbook a table of points.

    Raises
    ------
    MissingDataError
        There is no such file.
    DataError
        It is not one of these forms, is empty, has no layer of points, or names a column twice.
    UsageError
        Several layers hold points, or the one named is not there.
    ArchiveError
        It is compressed and damaged.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> table = open_table(qg.sample().addresses)
    >>> table.schema.names[10:14]
    ['x', 'y', 'lon', 'lat']
    >>> batch = next(table.batches(["lon"], 1000, "nothing"))
    >>> batch.look.num_rows, batch.look["lon"][0].as_py()
    (1000, '-3.608234')
    """
    path = existing_path(source, way_out=Note("formats.name_points"))
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise DataError(
            Note("formats.unreadable", file=path.name, cause=str(error.strerror)), way_out=Note("formats.name_points")
        ) from error
    is_wide = start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    table: Table
    if start == b"PAR1":
        table = ParquetTable.open(path)
    elif start and (suffix in layer_tables.LAYER_SUFFIXES or vector_layers.is_packed(path)):
        table = layer_tables.LayerTable.open(path, layer, crs)
    elif is_wide or (start and suffix in layer_tables.WORKBOOK_SUFFIXES):
        table = layer_tables.FrameTable.open(path, None if is_wide else layer, expect)
    else:
        table = CsvTable.open(path)
    if layer is not None and (is_wide or isinstance(table, ParquetTable | CsvTable)):
        raise UsageError(Note("formats.no_layers_here", file=path.name), way_out=Note("formats.leave_layer_out"))
    names = Counter(name for name in table.schema.names if name)
    repeated = [Note("formats.column_repeated", column=name, count=count) for name, count in names.items() if count > 1]
    if repeated:
        raise DataError(
            Note("formats.names_repeat", file=path.name), problems=repeated, way_out=Note("formats.rename_one")
        )
    return table


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """A Parquet file.

    Attributes
    ----------
    path
        The file.
    schema
        Its columns and their types.
    rows
        Rows of a batch that keep memory flat.
    notes
        What had to be settled: nothing.
    """

    path: Path
    schema: pa.Schema
    rows: int
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    @classmethod
    def open(cls, path: Path) -> "ParquetTable":
        """Read the footer."""
        try:
            with pq.ParquetFile(path) as file:
                require_narrow(file.metadata.num_columns, path.name)
                groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
                size = sum(group.total_byte_size for group in groups) // max(file.metadata.num_rows, 1)
                rows = min(_ROWS, max(_LEAST_ROWS, _BYTES // max(size, 1)))
                return cls(path, file.schema_arrow, rows)
        except _DAMAGED as error:
            raise DataError(
                Note("formats.damaged_parquet", file=path.name, cause=cause_of(error)),
                way_out=Note("formats.get_again"),
            ) from error

    def batches(self, look: Sequence[str], rows: int, whole: Whole) -> Iterator[Batch]:
        """Rows in order, so many at a time."""
        try:
            yield from self._batched(look, rows, whole)
        except _DAMAGED as error:
            raise DataError(
                Note("formats.not_to_its_end", file=self.path.name, cause=cause_of(error)),
                way_out=Note("formats.get_again"),
            ) from error

    def _batched(self, look: Sequence[str], rows: int, whole: Whole) -> Iterator[Batch]:
        names = list(look) if whole == "nothing" else None
        done = 0
        # a buffer, for a row group may be the whole file
        with pq.ParquetFile(self.path, buffer_size=HEAD, pre_buffer=False) as file:
            for one in file.iter_batches(rows, columns=names):
                done += one.num_rows
                batch = pa.Table.from_batches([one])
                share = done / file.metadata.num_rows
                kept = None if whole == "nothing" else batch
                # what pandas noted of its index, or of columns that are no more, has no say in what stands in a column
                bare = batch.select(list(look)).replace_schema_metadata(None)
                yield Batch(bare, kept, np.zeros(one.num_rows, dtype=bool), share)
            require_rows(done, file.metadata.num_rows, self.path.name)


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file.

    Attributes
    ----------
    path
        The file.
    head
        How it is written: its columns, delimiter, encoding, ends of lines.
    rows
        Rows of a batch that keep memory flat.
    notes
        What had to be settled: an encoding of old Macs or of DOS.
    """

    path: Path
    head: Head
    rows: int = _CSV_ROWS
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    @classmethod
    def open(cls, path: Path) -> "CsvTable":
        """Read the header, and judge by the first million bytes how the file is written."""
        with path.open("rb") as file:
            head = head_of(_read(_bytes(file), HEAD, path), path.name)
        old = head.encoding not in ("utf-8", "cp1252")
        return cls(path, head, notes=(Note("formats.written_anew", encoding=head.encoding),) if old else ())

    @property
    def schema(self) -> pa.Schema:
        """Columns, all of them text."""
        return pa.schema([(name, pa.string()) for name in self.head.names])

    def batches(self, look: Sequence[str], rows: int, whole: Whole) -> Iterator[Batch]:
        """Rows in order, so many at a time."""
        places = [self.head.names.index(name) for name in look]
        taken = range(len(self.head.names)) if whole == "columns" else places
        for records, share, old_lines in self._batched(rows):
            columns, bad = self._parsed(records, sorted(set(taken)))
            found = dict(zip(sorted(set(taken)), columns, strict=True))
            kept: pa.Table | pa.Array | None = None
            if whole == "columns":
                raw = pa.array([record if broken else None for record, broken in zip(records, bad, strict=True)])
                first = pc.coalesce(raw.cast(pa.string()), found[0]) if bad.any() else found[0]
                kept = pa.Table.from_arrays([first, *(found[place] for place in taken[1:])], schema=self.schema)
            elif whole == "text":
                for row in np.flatnonzero(bad):
                    records[row] = quoted(records[row]) + self.head.delimiter * (len(self.head.names) - 1)
                kept = pa.array(records, pa.string())
            table = pa.Table.from_arrays([found[place] for place in places], names=list(look))
            yield Batch(table, kept, bad, share, old_lines)

    def _batched(self, rows: int) -> Iterator[tuple[list[str], float, int]]:
        """Texts of rows, so many at a time, without the header; share read, and lines read as cp1252 on the way."""
        size = max(self.path.stat().st_size, 1)
        held: list[str] = []
        skipped = old_lines = long = 0
        with self.path.open("rb") as file:
            for records, old in self._records(_bytes(file)):
                old_lines += old
                header = min(self.head.skipped - skipped, len(records))
                skipped += header
                held += records[header:]
                long += sum(map(len, records))
                share = min(file.tell() / size, 1.0)
                full = len(held) - len(held) % rows
                for start in range(0, full, rows):
                    yield held[start : start + rows], share, old_lines
                    old_lines = 0
                held = held[full:]
                if full:
                    long = sum(map(len, held))
                # long rows would fill the memory before there are so many of them
                if held and long >= _CSV_CHARACTERS:
                    yield held, share, old_lines
                    held, long, old_lines = [], 0, 0
        if held or old_lines:
            yield held, 1.0, old_lines

    def _records(self, stream: IO[bytes]) -> Iterator[tuple[list[str], int]]:
        """Texts of rows, header first, block by block, and lines read as cp1252; blank lines hold no row."""
        rest, lines = b"", list[str]()
        first = True
        while block := _read(stream, _BLOCK, self.path):
            block = block.removeprefix(codecs.BOM_UTF8) if first else block
            first = False
            if self.head.newline == "\r":
                block = block.replace(b"\r", b"\n")
            head, found, rest = (rest + block).rpartition(b"\n")
            if len(rest) > _LONGEST_LINE:
                raise DataError(Note("formats.line_too_long", file=self.path.name, most=_LONGEST_LINE))
            if found:
                text, old = decoded(head, self.head.encoding)
                records, lines = self._joined(lines + text.split("\n"), last=False)
                yield records, old
        text, old = decoded(rest, self.head.encoding)
        yield self._joined(lines + text.split("\n"), last=True)[0], old

    def _joined(self, lines: list[str], *, last: bool) -> tuple[list[str], list[str]]:
        """Rows of some lines, cells that run over several put together; and the lines that must wait for others."""
        records: list[str] = []
        row = 0
        while row < len(lines):
            line = lines[row]
            if line.count('"') % 2:
                ahead = range(row + 1, min(row + _MOST_LINES, len(lines)))
                end = next((other for other in ahead if lines[other].count('"') % 2), None)
                if end is None and row + _MOST_LINES > len(lines) and not last:
                    return records, lines[row:]
                joined = None if end is None else "\n".join(lines[row : end + 1]).rstrip("\r")
                wanted = len(self.head.names)
                if end is not None and joined and len(cells_of(joined, self.head.delimiter) or []) == wanted:
                    records.append(joined)
                    row = end + 1
                    continue
            line = line.rstrip("\r")
            if line.strip(" "):
                records.append(line)
            row += 1
        return records, []

    def _parsed(self, records: list[str], places: list[int]) -> tuple[list[pa.Array], Bools]:
        """Columns of some rows, and which of them cannot be read."""
        found = self._at_once(records, places)
        if found is not None:
            return found
        if len(records) > _FEW:
            half = len(records) // 2
            parts = [self._parsed(some, places) for some in (records[:half], records[half:])]
            pairs = zip(*(columns for columns, _ in parts), strict=True)
            return [pa.concat_arrays(pair) for pair in pairs], np.concatenate([broken for _, broken in parts])
        return self._one_by_one(records, places)

    def _at_once(self, records: list[str], places: list[int]) -> tuple[list[pa.Array], Bools] | None:
        """As `_one_by_one`, of all rows together; None where one may run into the next, or falls apart.

        Only quotes and returns can do so. Where there are any, each row gets its number as a last cell: when the row
        read at each place ends with the number of that place, each is what was written there and nothing else.
        """
        text = "\n".join(records)
        guarded = '"' in text or "\r" in text
        if not records or (guarded and _GUARD in text):
            return None
        marks = pa.nulls(len(records))
        if not guarded:
            raw = text.encode()
        else:
            marks, ends = (all_of[: len(records)] for all_of in _guards((len(records) - 1).bit_length()))
            delimiter = pa.scalar(self.head.delimiter, pa.large_string())
            lines = pc.binary_join_element_wise(pa.array(records, pa.large_string()), ends, delimiter)
            # the texts of an array lie one behind the other
            raw = lines.buffers()[2]
        bad = np.zeros(len(records), dtype=bool)
        strays: list[int] = []

        def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
            place = row.number - 1
            if place >= len(records) or (guarded and not row.text.endswith(marks[place].as_py())):
                strays.append(place)
            else:
                bad[place] = True
            return "skip"

        names = [str(place) for place in range(len(self.head.names) + guarded)]
        read = pacsv.ReadOptions(use_threads=False, column_names=names, block_size=len(raw) + 1)
        parse = pacsv.ParseOptions(
            delimiter=self.head.delimiter, newlines_in_values=True, invalid_row_handler=skip, ignore_empty_lines=False
        )
        looked = [*(names[place] for place in places), *names[len(self.head.names) :]]
        convert = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=looked)
        table = pacsv.read_csv(pa.BufferReader(raw), read, parse, convert)
        columns = [column.combine_chunks() for column in table.columns]
        if strays or (guarded and not columns.pop().equals(marks.filter(pa.array(~bad)))):
            return None
        if bad.any():
            at = pa.array(np.cumsum(~bad) - 1, mask=bad)
            columns = [column.take(at) for column in columns]
        return columns, bad

    def _one_by_one(self, records: list[str], places: list[int]) -> tuple[list[pa.Array], Bools]:
        """As `_parsed`, slowly: no row can spoil another."""
        rows = [loose_cells_of(record, self.head.delimiter) for record in records]
        good = [cells if cells is not None and len(cells) == len(self.head.names) else None for cells in rows]
        bad = np.array([cells is None for cells in good], dtype=bool)
        return [pa.array([cells and cells[place] for cells in good], pa.string()) for place in places], bad


@cache
def _guards(bits: int) -> tuple[pa.Array, pa.Array]:
    """Marks of so many rows, as a power of two; and the same as ends of lines."""
    numbers = pa.array(np.arange(1 << bits)).cast(pa.string())
    marks = pc.binary_join_element_wise(_GUARD, numbers, "")
    return marks, pc.binary_join_element_wise(marks, "", "\n").cast(pa.large_string())


def quoted(text: str) -> str:
    """Text as one cell of a CSV."""
    return '"' + text.replace('"', '""') + '"'


def _bytes(file: IO[bytes]) -> IO[bytes]:
    """Content of a file, out of its gzip where it is in one."""
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[return-value]


def _read(stream: IO[bytes], size: int, path: Path) -> bytes:
    try:
        return stream.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArchiveError(
            Note("formats.cut_short", file=path.name, cause=cause_of(error)), way_out=Note("formats.get_again")
        ) from error
