"""Tables too large to hold, read batch by batch: CSV, compressed or not, and Parquet.

Every cell of a CSV file stays the text that it is, and every row stays: a line with too few or too many cells comes at
its own place, with what it has, and is told.
"""

import codecs
import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from qpvgeo.errors import DataError, MissingDataError, UsageError

__all__ = ["ROWS", "Batch", "Table", "open_table"]

ROWS = 1 << 20
"""Rows of a batch of Parquet."""

_BLOCK_BYTES = 1 << 26
_HEAD_BYTES = 1 << 18
_DELIMITERS = ";,\t|"
_CSV = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz")
_PARQUET = (".parquet", ".geoparquet")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table, in the order of the file.

    Attributes
    ----------
    rows
        The columns.
    odd
        Positions of the rows whose line has too few or too many cells.
    """

    rows: pa.Table
    odd: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is opened: its columns are known, its rows are not read.

    Attributes
    ----------
    path
        The file.
    form
        `csv` or `parquet`.
    names
        Its columns.
    rows
        How many rows it has; None for a CSV file, which only reading tells.
    delimiter, encoding
        Of a CSV file.
    """

    path: Path
    form: str
    names: tuple[str, ...]
    rows: int | None = None
    delimiter: str = ";"
    encoding: str = "utf-8"
    types: dict[str, pa.DataType] = field(default_factory=dict)

    def batches(self, names: list[str] | None = None) -> Iterator[Batch]:
        """Rows in batches, the same ones at each reading.

        Parameters
        ----------
        names
            Columns to read; None reads all.

        Raises
        ------
        DataError
            The file is damaged.
        """
        try:
            if self.form == "parquet":
                yield from self._parquet(names)
            else:
                yield from self._csv(names)
        except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
            raise DataError(f"{self.path.name} is damaged: {error}", way_out="Make or download it again.") from error

    def _parquet(self, names: list[str] | None) -> Iterator[Batch]:
        with pq.ParquetFile(self.path, memory_map=True) as file:
            schema = file.schema_arrow if names is None else pa.schema([file.schema_arrow.field(n) for n in names])
            for batch in file.iter_batches(ROWS, columns=names, use_threads=True):
                yield Batch(pa.Table.from_batches([batch]).select(schema.names))

    def _csv(self, names: list[str] | None) -> Iterator[Batch]:
        odd: list[tuple[int, str]] = []

        def keep(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
            odd.append((row.number, row.text))
            return "skip"

        # only one thread knows the number of a line
        read = pacsv.ReadOptions(
            encoding=self.encoding, use_threads=False, block_size=_BLOCK_BYTES, column_names=self.names, skip_rows=1
        )
        parse = pacsv.ParseOptions(
            delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=keep, ignore_empty_lines=True
        )
        convert = pacsv.ConvertOptions(
            column_types=dict.fromkeys(self.names, pa.string()), strings_can_be_null=False, null_values=[]
        )
        if not self._has_rows():
            return
        before = 0
        with (
            pa.input_stream(str(self.path), compression="detect") as stream,
            pacsv.open_csv(stream, read, parse, convert) as reader,
        ):
            for batch in reader:
                found = pa.Table.from_batches([batch])
                here: list[tuple[int, str]] = []
                # the header is line 1; what is skipped counts as a row where it stands
                while odd and odd[0][0] - 2 <= before + found.num_rows + len(here):
                    here.append(odd.pop(0))
                yield self._with(found, here, before, names)
                before += found.num_rows + len(here)
        if odd:
            empty = pa.table({name: pa.array([], pa.string()) for name in self.names})
            yield self._with(empty, odd, before, names)

    def _has_rows(self) -> bool:
        with _opened(self.path) as file:
            head = file.read(_HEAD_BYTES)
        return bool(head.partition(b"\n")[2].strip())

    def _with(self, found: pa.Table, odd: list[tuple[int, str]], before: int, names: list[str] | None) -> Batch:
        """Rows of a batch, those of odd lines at their places."""
        positions: list[int] = []
        if odd:
            pieces, last = [], 0
            for number, text in odd:
                at = min(max(number - 2 - before, 0), found.num_rows + len(positions))
                cut = at - len(positions)
                pieces += [found.slice(last, cut - last), self._repaired(text)]
                positions.append(at)
                last = cut
            found = pa.concat_tables([*pieces, found.slice(last)])
        return Batch(found if names is None else found.select(names), tuple(positions))

    def _repaired(self, text: str) -> pa.Table:
        """Cells of an odd line: what lacks is empty, what is too much stays in the last column."""
        cells = next(csv.reader([text], delimiter=self.delimiter), [])
        kept = cells[: len(self.names)]
        kept += [""] * (len(self.names) - len(kept))
        if len(cells) > len(self.names):
            kept[-1] = self.delimiter.join(cells[len(self.names) - 1 :])
        return pa.table({name: pa.array([cell], pa.string()) for name, cell in zip(self.names, kept, strict=True)})


def is_table(path: Path) -> bool:
    """Whether the ending of a file is one that is read and written."""
    return path.name.lower().endswith((*_CSV, *_PARQUET))


def open_table(path: Path) -> Table:
    """Look at a table: form, columns, and how it is written.

    Raises
    ------
    MissingDataError
        There is no such file.
    UsageError
        The ending is none that is read.
    DataError
        The file is empty or damaged, or columns have the same name: lists them.
    """
    if not path.is_file():
        raise MissingDataError(f"There is no file {path}.")
    if not is_table(path):
        raise UsageError(
            f"{path.name} is no table that can be read batch by batch.",
            way_out=f"Endings: {', '.join((*_CSV, *_PARQUET))}. A GeoPackage or a shapefile: qpvgeo.tag_points().",
        )
    try:
        table = _of_parquet(path) if path.name.lower().endswith(_PARQUET) else _of_csv(path)
    except (pa.ArrowException, OSError, EOFError, UnicodeError, csv.Error) as error:
        raise DataError(f"{path.name} is damaged: {error}", way_out="Make or download it again.") from error
    repeated = sorted({name for name in table.names if table.names.count(name) > 1})
    if repeated:
        raise DataError(
            f"{path.name} has columns of the same name.",
            problems=map(repr, repeated),
            way_out="Rename them, so that each can be told.",
        )
    return table


def _of_parquet(path: Path) -> Table:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        types = {field.name: field.type for field in schema}
        return Table(path, "parquet", tuple(schema.names), rows=file.metadata.num_rows, types=types)


def _opened(path: Path) -> Any:  # noqa: ANN401 - a binary file
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _of_csv(path: Path) -> Table:
    with _opened(path) as file:
        head = file.read(_HEAD_BYTES)
        encoding = _encoding(head, file)
    first = head.removeprefix(codecs.BOM_UTF8).decode(encoding, errors="replace")
    line = next(csv.reader(io.StringIO(first.split("\n", 1)[0])), [""])
    if not "".join(line).strip():
        raise DataError(f"{path.name} is empty: it has no header.", way_out="Give a table with a line of names.")
    text = first.split("\n", 1)[0].rstrip("\r")
    delimiter = max(_DELIMITERS, key=text.count)
    names = tuple(next(csv.reader([text], delimiter=delimiter)))
    return Table(path, "csv", names, delimiter=delimiter, encoding=encoding)


def _encoding(head: bytes, rest: Any) -> str:  # noqa: ANN401 - a binary file
    """UTF-8 when the whole file is, else the encoding of Windows: an address may hold its first accent far down."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while head:
            decoder.decode(head)
            head = rest.read(1 << 22)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
