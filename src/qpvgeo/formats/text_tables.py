"""Published tables as frames of text: the one way that CSV, workbooks, Parquet and zips come in.

Insee, the ANCT and those who copy them publish the same table with commas, semicolons or tabs, in UTF-8 (with a byte
order mark or not) or in cp1252, under title lines whose number changes every year, with decimal commas and thousands
set apart by one of three spaces. `read_table` gives text as it was written, `to_number` turns text into numbers and
says what it could not read, `find_column` knows a column by any of its names. Nothing is guessed silently: how a file
was read stands in the attributes of the frame.
"""

import gzip
import io
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from qpvgeo.errors import ArchiveError, DataError, MissingDataError
from qpvgeo.formats import dbf_tables, workbooks
from qpvgeo.formats.cells import NUMBER, SECRET_MARKS, Numbers, find_column, is_mark, normalise, to_number
from qpvgeo.formats.csv_dialect import encoding_of
from qpvgeo.formats.csv_records import Rows, rows_of, usual_width
from qpvgeo.formats.limits import LARGEST, content_of, require_few, require_narrow
from qpvgeo.formats.open_documents import is_open_document
from qpvgeo.formats.reader_errors import foreign, require_rows
from qpvgeo.formats.table_headers import is_note, names_in, two_lines
from qpvgeo.formats.zip_members import read_member, zip_members
from qpvgeo.frames.provenance import shared
from qpvgeo.language import Note
from qpvgeo.settings import home_expanded

__all__ = [
    "SECRET_MARKS",
    "Numbers",
    "as_text",
    "existing_path",
    "find_column",
    "normalise",
    "notes_of",
    "read_table",
    "table_of",
    "to_number",
]

_HEAD = 100
_LOOKED_AT_BYTES = 1 << 16
_DELIMITERS = (";", ",", "\t", "|")
_SUFFIXES = {".csv", ".txt", ".tsv", ".xls", ".xlsx", ".ods", ".parquet"}
_CODE = re.compile(r"[0-9A-Z]*\d[0-9A-Z]*")
_Lines = list[tuple[int, list[str]]]


class _Candidate(NamedTuple):
    """One way to see a file as rows: a delimiter, a sheet, a member; its first lines, and how to get them all."""

    about: dict[str, Any]
    head: _Lines
    load: Callable[[], Rows]


def existing_path(source: str | os.PathLike[str], *, way_out: str | None = None) -> Path:
    """Path of a file that exists.

    Raises
    ------
    MissingDataError
        There is no such file, or it is a folder.
    """
    way_out = Note("formats.give_published_file") if way_out is None else way_out
    path = home_expanded(source)
    if path.is_dir():
        raise MissingDataError(Note("formats.is_a_folder", path=str(path)), way_out=way_out)
    if not path.is_file():
        raise MissingDataError(Note("formats.no_file", file=str(path)), way_out=way_out)
    return path


def read_table(
    path: str | os.PathLike[str], *, sheet: str | None = None, expect: Iterable[Collection[str]] = ()
) -> pd.DataFrame:
    r"""Read a published table as text.

    Parameters
    ----------
    path
        CSV (semicolon, comma, tab or bar; UTF-8 with or without byte order mark, else cp1252, or the encoding of old
        Macs or of DOS where only that makes French words), xls, xlsx, ods, dbf, Parquet, a zip that holds one such
        table, or one compressed by gzip. The content decides, not the suffix.
    sheet
        Name of the sheet of a workbook, in any case; found by its header when not given.
    expect
        Sets of column names, the preferred set first. The header is the line that holds every name of a set (in any
        case, with or without accents), wherever it stands in the first hundred lines; it chooses the sheet and the
        member of a zip too. Without it the header is the first line as wide as the widest.

    Returns
    -------
    pandas.DataFrame
        Text (dtype `str`), stripped, missing where a cell is empty; marks such as `ns` stay. Indexed by `line`, the
        number of the line in the file or sheet. Wholly empty rows and columns without a name, the row names that R
        writes first, and notes under the table are left out. `attrs["table"]` says how it was read: `format`,
        `encoding`, `delimiter`, `sheet`, `member`, `header_line`, `columns_without_a_name` where one that held
        values was left out, `labels_line` where a row of labels under the names was, and `notes`.

    Raises
    ------
    MissingDataError
        There is no such file.
    DataError
        No line holds the expected names, a name stands twice, a row is wider than the header, several members of a
        zip fit, the sheet does not exist, the file is a web page.
    ArchiveError
        The zip or gzip is damaged or too large.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "table.csv")
    >>> _ = path.write_bytes("Titre\nCODGEO;LIBGEO;P13_POP\n99001;Dorménil;1634,5\n".encode("cp1252"))
    >>> table = read_table(path, expect=[{"codgeo", "libgeo"}])
    >>> table["LIBGEO"].tolist(), table.attrs["table"]["header_line"], table.attrs["table"]["encoding"]
    (['Dorménil'], 2, 'cp1252')
    """
    file = existing_path(path)
    return table_of(content_of(file), file.name, sheet=sheet, expect=expect)


def table_of(
    raw: bytes, name: str, *, sheet: str | None = None, expect: Iterable[Collection[str]] = ()
) -> pd.DataFrame:
    """Table that the content of a file holds, as `read_table`; `name` is what errors call it."""
    if raw[:4] == b"PAR1":
        return _from_parquet(raw, name)
    wanted = [frozenset(map(normalise, names)) for names in expect]
    return _frame(*_choose(list(_candidates(raw, name, sheet)), wanted, name), name)


def _from_parquet(raw: bytes, name: str) -> pd.DataFrame:
    with foreign(name):
        about = pq.ParquetFile(io.BytesIO(raw)).metadata
        cells = about.num_rows * about.num_columns
    require_few(cells, name)
    require_narrow(about.num_columns, name)
    with foreign(name):
        frame = pd.read_parquet(io.BytesIO(raw))
        shapes = [column for column in frame.columns if frame[column].map(lambda cell: isinstance(cell, bytes)).any()]
        text = as_text(frame.drop(columns=shapes))
    require_rows(len(text), about.num_rows, name)
    text.attrs = {"table": shared({"format": "parquet"})}
    return text


def notes_of(table: pd.DataFrame) -> list[Note]:
    """Notes of `read_table` on a table, for the reader to pass on."""
    return list(table.attrs.get("table", {}).get("notes", []))


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Typed values as `read_table` gives them: text, whole numbers without decimals, rows numbered from 1.

    An index that has a name becomes a column.

    Examples
    --------
    >>> import pandas as pd
    >>> as_text(pd.DataFrame({"code": ["99001", None], "population": [1250.0, 12.5]})).loc[2].tolist()
    [nan, '12.5']
    """
    if any(frame.index.names):
        frame = frame.reset_index()
    text = frame.apply(_texts).astype("str").replace({"": np.nan}) if frame.shape[1] else frame
    return text.set_axis(pd.RangeIndex(1, len(text) + 1, name="line"), axis="index")


def _texts(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.StringDtype):
        return column.str.strip()
    return column.astype("str") if column.dtype.kind in "iu" and not column.hasnans else column.map(_text)


def _candidates(raw: bytes, name: str, sheet: str | None) -> Iterator[_Candidate]:
    """Every way to read the content as rows."""
    if raw[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        yield from _from_zip(raw, name, sheet)
    elif raw[:4] == b"\xd0\xcf\x11\xe0":
        yield from _from_workbook(raw, name, sheet)
    elif raw[:2] == b"\x1f\x8b":
        yield from _candidates(_gunzipped(raw, name), name, sheet)
    elif dbf_tables.is_dbf(raw):
        records = Rows(dbf_tables.rows(raw, name), [])
        yield _Candidate({"format": "dbf"}, records.rows[:_HEAD], lambda: records)
    else:
        yield from _from_text(raw, name)


def _gunzipped(raw: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError(
            Note("formats.not_unpacked", file=name, cause=str(error)), way_out=Note("formats.get_again")
        ) from error
    if len(content) > LARGEST:
        raise ArchiveError(
            Note("formats.more_unpacked", file=name, most=LARGEST), way_out=Note("formats.too_large_way_out")
        )
    return content


def _from_zip(raw: bytes, name: str, sheet: str | None) -> Iterator[_Candidate]:
    with (
        foreign(name, way_out=Note("formats.unpack_by_hand"), kind=ArchiveError),
        zipfile.ZipFile(io.BytesIO(raw)) as archive,
    ):
        if "[Content_Types].xml" in archive.namelist() or is_open_document(archive.namelist()):
            yield from _from_workbook(raw, name, sheet)
            return
        held = zip_members(archive, name)
        members = [member for member in held if _is_table(member)]
        total = sum(archive.getinfo(member).file_size for member in members)
        if total > LARGEST:
            raise ArchiveError(
                Note("formats.too_large", file=name, bytes=total, most=LARGEST),
                way_out=Note("formats.too_large_way_out"),
            )
        for member in members:
            content = b"".join(read_member(archive, member, name))
            for candidate in _candidates(content, f"{name}: {member}", sheet):
                yield candidate._replace(about=candidate.about | {"member": member})
    if not members:
        raise DataError(
            Note("formats.zip_without_table", file=name), problems=held, way_out=Note("formats.give_published_file")
        )


def _is_table(member: str) -> bool:
    path = PurePosixPath(member)
    return path.suffix.lower() in _SUFFIXES - {".parquet"} and "__MACOSX" not in path.parts and path.name[0] != "."


def _from_workbook(raw: bytes, name: str, sheet: str | None) -> Iterator[_Candidate]:
    for one in workbooks.sheets(raw, name, sheet):
        rows = [(line, [_text(cell) for cell in row]) for line, row in enumerate(one.load(), start=1)]
        found = Rows(rows, [])
        about = {"format": "workbook", "sheet": one.title} | ({"hidden": True} if one.hidden and sheet is None else {})
        yield _Candidate(about, rows[:_HEAD], lambda found=found: found)  # type: ignore[misc]


def _from_text(raw: bytes, name: str) -> Iterator[_Candidate]:
    text, encoding = _decode(raw, name)
    if text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        raise DataError(Note("formats.web_page", file=name), way_out=Note("formats.download_the_file"))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for delimiter in _DELIMITERS:
        width = usual_width(lines[:_HEAD], delimiter)

        def load(delimiter: str = delimiter, width: int = width) -> Rows:
            require_few(text.count(delimiter) + len(lines), name)
            return rows_of(lines, delimiter, width)

        head = rows_of(lines[:_HEAD], delimiter, width).rows
        about: dict[str, Any] = {"format": "csv", "encoding": encoding, "delimiter": delimiter}
        if encoding in ("mac_roman", "cp850"):
            about["notes"] = [Note("formats.read_as", encoding=encoding)]
        yield _Candidate(about, head, load)


def _decode(raw: bytes, name: str) -> tuple[str, str]:
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        with foreign(name):
            return raw.decode("utf-16"), "utf-16"
    if b"\0" in raw[:_LOOKED_AT_BYTES]:
        raise DataError(Note("formats.not_text", file=name), way_out=Note("formats.save_as_xlsx"))
    for encoding in ("utf-8-sig", encoding_of(raw)):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, "utf-8" if encoding == "utf-8-sig" and raw[:3] != b"\xef\xbb\xbf" else encoding
    raise DataError(Note("formats.unknown_encoding", file=name), way_out=Note("formats.save_as_utf8"))


def _text(cell: object) -> str:
    """Text of a cell of a workbook or of Parquet: whole numbers without decimals, lists with commas."""
    if isinstance(cell, list | tuple | np.ndarray):
        return ",".join(map(_text, cell))
    if cell is None or (not isinstance(cell, str) and pd.isna(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell).strip()


def _choose(candidates: Sequence[_Candidate], wanted: Sequence[frozenset[str]], name: str) -> tuple[_Candidate, int]:
    """Candidate that holds the header, and the position of the header in it."""
    lines = [[names_in(row) for _, row in one.head] if wanted else [] for one in candidates]
    for names in wanted:
        fits = [
            (candidate, at)
            for candidate, held in zip(candidates, lines, strict=True)
            if (at := next((k for k, line in enumerate(held) if line and names <= line), -1)) >= 0
        ]
        members = list(dict.fromkeys(candidate.about.get("member") for candidate, _ in fits))
        if len(members) > 1:
            raise DataError(
                Note("formats.several_tables", file=name, count=len(members)),
                problems=map(str, members),
                way_out=Note("formats.unpack_and_choose"),
            )
        if fits:
            # what a workbook hides is read where nothing else fits
            fits = [fit for fit in fits if "hidden" not in fit[0].about] or fits
            # a dictionary of variables names the columns too, but it is not as wide as the table
            best = max(fits, key=lambda fit: _width(fit[0].head[fit[1]][1]))
            return _with_other_sheets(best, fits)
    shown = [candidate for candidate in candidates if "hidden" not in candidate.about] or candidates
    widest = [(candidate, *_widest(candidate.head)) for candidate in shown]
    candidate, at, width = max(widest, key=_rank, default=(None, 0, 0))
    if candidate is None or width == 0:
        raise DataError(Note("formats.empty_table", file=name), way_out=Note("formats.get_again"))
    if wanted:
        raise DataError(
            Note("formats.no_line_of_names", file=name),
            problems=[", ".join(sorted(names)) for names in wanted],
            way_out=Note("formats.name_columns", found=list(filter(None, candidate.head[at][1]))),
        )
    return candidate, at


def _with_other_sheets(best: tuple[_Candidate, int], fits: Sequence[tuple[_Candidate, int]]) -> tuple[_Candidate, int]:
    """The table that is read, with a note on the sheets that have the same names of columns."""
    candidate, at = best
    alike = [
        other.about["sheet"]
        for other, line in fits
        if other is not candidate and "sheet" in other.about and other.head[line][1] == candidate.head[at][1]
    ]
    if not alike:
        return best
    note = Note("formats.other_sheets", sheet=candidate.about["sheet"], others=alike)
    return candidate._replace(about=candidate.about | {"notes": [note], "other_sheets": alike}), at


def _rank(found: tuple[_Candidate, int, int]) -> tuple[bool, int, int]:
    """Names that differ, over the most lines as wide, then many: commas inside of cells make cells, but no header."""
    candidate, at, width = found
    header = candidate.head[at][1] if candidate.head else []
    names = [name for name in header if name]
    alike = sum(len(row) >= width for _, row in candidate.head)
    return width > 1 and len(set(names)) == len(names), alike, width


def _width(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _widest(head: _Lines) -> tuple[int, int]:
    """Position and width of the first line that is as wide as the widest, but for one cell."""
    widths = [_width(row) for _, row in head]
    most = max(widths, default=0)
    return next((k for k, width in enumerate(widths) if width >= most - 1), 0), most


def _frame(chosen: _Candidate, at: int, name: str) -> pd.DataFrame:
    """Text frame of the rows under the header."""
    rows, strays = chosen.load()
    header_line, header = rows[at]
    body = [(line, row) for line, row in rows[at + 1 :] if any(row)]
    if body and header and all(len(row) == len(header) + 1 for _, row in body) and all(row[-1] for _, row in body):
        header = ["", *header]  # R leaves out the name of the column of row names
    while body and is_note(body[-1][1], len(header)):
        body.pop()
    header = [re.sub(r"[\ufeff\u200b]", "", column).strip() for column in header]
    while header and not header[-1]:
        header.pop()
    header, used = two_lines(rows[at - 1][1] if at else [], header, body[0][1] if body else [])
    body = body[used:]
    require_narrow(width := len(header), name)
    _require_fit(name, header, body, {line for line in strays if line > header_line})
    labels = len(body) > 1 and _is_labels(body[0][1], [row for _, row in body[1:]])
    if labels:
        labels_line, _ = body.pop(0)
    columns = zip_longest(header, *(row[:width] for _, row in body))
    frame = pd.DataFrame({k: [cell or None for cell in column[1:]] for k, column in enumerate(columns)}, dtype="str")
    kept = [position for position in range(width) if header[position]]
    unnamed = [position for position in range(1, width) if not header[position] and frame[position].notna().any()]
    frame = frame[kept].set_axis([header[position] for position in kept], axis="columns")
    frame.index = pd.Index([line for line, _ in body], name="line")
    about = chosen.about | {"header_line": header_line}
    if unnamed:
        about["columns_without_a_name"] = [position + 1 for position in unnamed]
    if labels:
        about["labels_line"] = labels_line
    inside = [line for line in strays if line > header_line]
    told = [Note("formats.stray_quote", count=len(inside), lines=inside)] if inside else []
    told += [Note("formats.labels_line", line=labels_line)] if labels else []
    if told:
        about["notes"] = [*chosen.about.get("notes", []), *told]
    frame.attrs["table"] = shared(about)
    return frame


def _require_fit(name: str, header: Sequence[str], body: _Lines, strays: Collection[int]) -> None:
    """Raise when rows do not fit the header, or a quote that never closes leaves a row with other cells."""
    width = len(header)
    problems = [Note("formats.line_cells", line=line, cells=len(row)) for line, row in body if any(row[width:])]
    problems += [
        Note("formats.line_stray_quote", line=line, cells=len(row))
        for line, row in body
        if line in strays and len(row) < width
    ]
    named = Counter(filter(None, header)).items()
    problems += [Note("formats.column_repeated", column=column, count=n) for column, n in named if n > 1]
    if problems:
        raise DataError(
            Note("formats.rows_do_not_fit", file=name, width=width),
            problems=problems,
            way_out=Note("formats.mend_lines"),
        )


def _is_labels(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Tell the labels that some tables give under the names: words over columns of codes and numbers."""
    if any("((" in cell or "{" in cell for cell in first):
        return False  # an outline is no label
    told = 0
    for place, cell in enumerate(first):
        below = [row[place] for row in others if place < len(row) and row[place]]
        if not below or not all(map(_is_value, below)) or all(map(is_mark, below)):
            continue
        # a damaged code has letters too, and more digits than a label
        digits = sum(letter.isdigit() for letter in cell)
        if _is_value(cell) or not re.search(r"[^\W\d_]{2}", cell) or 2 * digits >= len(cell):
            return False
        told += 1
    return told > 0


def _is_value(cell: str) -> bool:
    """Whether a cell is a code, a number or a mark."""
    return bool(_CODE.fullmatch(cell) or NUMBER.fullmatch(cell)) or is_mark(cell)
