"""Published tables as frames of text: the one way that CSV, workbooks, Parquet and zips come in.

Insee, the ANCT and those who copy them publish the same table with commas, semicolons or tabs, in UTF-8 (with a byte
order mark or not) or in cp1252, under title lines whose number changes every year, with decimal commas and thousands
set apart by one of three spaces. `read_table` gives text as it was written, `to_number` turns text into numbers and
says what it could not read, `find_column` knows a column by any of its names. Nothing is guessed silently: how a file
was read stands in the attributes of the frame.
"""

import csv
import gzip
import io
import os
import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import python_calamine

from qpvgeo.errors import ArchiveError, DataError, MissingDataError

__all__ = [
    "SECRET_MARKS",
    "Numbers",
    "as_text",
    "existing_path",
    "find_column",
    "normalise",
    "read_table",
    "to_number",
]

SECRET_MARKS = ("ns", "nd", "s", "c", "na", "n/a", "nan")
"""What stands in place of a number that is secret, not significant or not available, in lower case."""

_HEAD = 100
_LARGEST = 1 << 30
_DELIMITERS = (";", ",", "\t")
_SUFFIXES = {".csv", ".txt", ".tsv", ".xls", ".xlsx", ".parquet"}
_SPACES = " \u00a0\u202f"
_NUMBER = re.compile(rf"[+-]?(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+|\d+)(?:[.,]\d+)?(?:[eE][+-]?\d+)?")

_Rows = list[tuple[int, list[str]]]


class Numbers(NamedTuple):
    """Numbers read from text.

    Attributes
    ----------
    numbers
        Series on the index given: `Int64` when every number is whole, else `float64`; missing where the cell was
        empty, secret or not a number.
    missing
        How many cells held each mark: `{"ns": 2, "": 1}`, in lower case; the empty text counts empty cells.
    problems
        Frame `row` (label), `value`, `problem`: cells that are neither a number nor a known mark.
    """

    numbers: pd.Series
    missing: dict[str, int]
    problems: pd.DataFrame


class _Candidate(NamedTuple):
    """One way to see a file as rows: a delimiter, a sheet, a member; its first lines, and how to get them all."""

    about: dict[str, Any]
    head: _Rows
    load: Callable[[], _Rows]


def normalise(name: object) -> str:
    r"""Bare form of a column name: no accent, no case, one underscore for whatever is no letter or digit.

    Examples
    --------
    >>> normalise("\ufeffCode Région "), normalise("taux_pauvrete_60%"), normalise("codeQPV")
    ('code_region', 'taux_pauvrete_60', 'codeqpv')
    """
    plain = unicodedata.normalize("NFKD", str(name).replace("œ", "oe").replace("Œ", "oe"))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


def find_column(frame: pd.DataFrame, names: Iterable[str]) -> str | None:
    """Column of a frame known by one of several names, whatever the case, accents and separators.

    Parameters
    ----------
    frame
        Any frame with named columns.
    names
        Names in order of preference.

    Returns
    -------
    str or None
        The column under its own name; None when it has none of the names.

    Examples
    --------
    >>> import pandas as pd
    >>> find_column(pd.DataFrame(columns=["Code_QP", "Nom"]), ["codeqpv", "code_qp"])
    'Code_QP'
    """
    known = {normalise(column): str(column) for column in reversed(list(frame.columns))}
    return next((known[bare] for bare in map(normalise, names) if bare in known), None)


def existing_path(source: str | os.PathLike[str], *, way_out: str = "Give the path of a published file.") -> Path:
    """Path of a file that exists.

    Raises
    ------
    MissingDataError
        There is no such file, or it is a folder.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        raise MissingDataError(f"{path} is a folder, and no file.", way_out=way_out)
    if not path.is_file():
        raise MissingDataError(f"There is no file {path}.", way_out=way_out)
    return path


def read_table(
    path: str | os.PathLike[str], *, sheet: str | None = None, expect: Iterable[Collection[str]] = ()
) -> pd.DataFrame:
    r"""Read a published table as text.

    Parameters
    ----------
    path
        CSV (semicolon, comma or tab; UTF-8 with or without byte order mark, else cp1252), xls or xlsx, Parquet, or a
        zip that holds one such table, or one compressed by gzip. The content decides, not the suffix.
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
        `encoding`, `delimiter`, `sheet`, `member`, `header_line`, and `columns_without_a_name` where one that held
        values was left out.

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
    wanted = [frozenset(map(normalise, names)) for names in expect]
    raw = file.read_bytes()
    if raw[:4] == b"PAR1":
        return _from_parquet(raw, file.name)
    candidates = list(_candidates(raw, file.name, sheet))
    chosen, at = _choose(candidates, wanted, file.name)
    return _frame(chosen, at, file.name)


def to_number(values: pd.Series) -> Numbers:
    """Read numbers written the French way, the English way, or not given.

    Parameters
    ----------
    values
        Text: decimal comma or point, thousands set apart by a space, a no-break space (U+00A0) or a narrow one
        (U+202F), or one of the `SECRET_MARKS`.

    Returns
    -------
    Numbers
        `numbers`, `missing` (count of each mark), `problems`. Nothing else becomes missing silently: what is not a
        number is in `problems`.

    Examples
    --------
    >>> import pandas as pd
    >>> read = to_number(pd.Series(["1 250", "12,5", "ns", "about 30"]))
    >>> read.numbers.tolist(), read.missing, read.problems["value"].tolist()
    ([1250.0, 12.5, nan, nan], {'ns': 1}, ['about 30'])
    """
    text = values.astype("str").str.strip()
    marks = text.str.lower().fillna("")
    is_missing = marks.isin({"", *SECRET_MARKS})
    is_number = text.str.fullmatch(_NUMBER.pattern).fillna(False).astype(bool)
    plain = text[is_number].str.replace(rf"[{_SPACES}]", "", regex=True).str.replace(",", ".", regex=False)
    numbers = plain.astype("float64").reindex(values.index) if values.index.is_unique else _aligned(plain, is_number)
    whole = numbers.dropna()
    if (whole == whole.round()).all() and (whole.abs() < 2**53).all():
        numbers = numbers.astype("Int64")
    odd = text[~is_number & ~is_missing]
    return Numbers(
        numbers=numbers.rename(values.name),
        missing=dict(Counter(marks[is_missing])),
        problems=pd.DataFrame({"row": odd.index, "value": odd.to_numpy(), "problem": "not a number"}),
    )


def _aligned(plain: pd.Series, is_number: pd.Series) -> pd.Series:
    """Numbers put back in their rows by position, for an index that repeats labels."""
    numbers = np.full(len(is_number), np.nan)
    numbers[is_number.to_numpy()] = plain.astype("float64").to_numpy()
    return pd.Series(numbers, index=is_number.index)


def _from_parquet(raw: bytes, name: str) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(io.BytesIO(raw))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{name} is damaged: {error}.", way_out="Download it again.") from error
    shapes = [column for column in frame.columns if frame[column].map(lambda cell: isinstance(cell, bytes)).any()]
    text = as_text(frame.drop(columns=shapes))
    text.attrs = {"table": {"format": "parquet"}}
    return text


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
    text = frame.map(_text).astype("str").replace({"": np.nan})
    return text.set_axis(pd.RangeIndex(1, len(text) + 1, name="line"), axis="index")


def _candidates(raw: bytes, name: str, sheet: str | None) -> Iterator[_Candidate]:
    """Every way to read the content as rows."""
    if raw[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        yield from _from_zip(raw, name, sheet)
    elif raw[:4] == b"\xd0\xcf\x11\xe0":
        yield from _from_workbook(raw, name, sheet)
    elif raw[:2] == b"\x1f\x8b":
        yield from _candidates(_gunzipped(raw, name), name, sheet)
    else:
        yield from _from_text(raw, name)


def _gunzipped(raw: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as stream:
            content = stream.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError(f"{name} cannot be unpacked: {error}.", way_out="Download it again.") from error
    if len(content) > _LARGEST:
        raise ArchiveError(f"{name} would take more than {_LARGEST / 1e9:.1f} GB unpacked.")
    return content


def _from_zip(raw: bytes, name: str, sheet: str | None) -> Iterator[_Candidate]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if "[Content_Types].xml" in archive.namelist():
                yield from _from_workbook(raw, name, sheet)
                return
            members = [info for info in archive.infolist() if _is_table(info.filename)]
            for info in members:
                if info.file_size > _LARGEST:
                    raise ArchiveError(f"{name}: {info.filename} would take {info.file_size / 1e9:.1f} GB unpacked.")
                for candidate in _candidates(archive.read(info), f"{name}: {info.filename}", sheet):
                    yield candidate._replace(about=candidate.about | {"member": info.filename})
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ArchiveError(
            f"{name} cannot be unpacked: {error}.", way_out="Unpack it by hand and give the table inside."
        ) from error
    if not members:
        raise DataError(f"{name} holds no table (CSV, xls, xlsx).", problems=archive.namelist())


def _is_table(member: str) -> bool:
    path = PurePosixPath(member)
    return path.suffix.lower() in _SUFFIXES - {".parquet"} and "__MACOSX" not in path.parts and path.name[0] != "."


def _from_workbook(raw: bytes, name: str, sheet: str | None) -> Iterator[_Candidate]:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        sheets = [one for one in book.sheet_names if sheet is None or one.casefold() == sheet.casefold()]
        read = [(one, book.get_sheet_by_name(one).to_python(skip_empty_area=False)) for one in sheets]
    except python_calamine.CalamineError as error:
        raise DataError(f"{name} cannot be read as a workbook: {error}.", way_out="Download it again.") from error
    if not sheets:
        raise DataError(f"{name} has no sheet {sheet!r}.", way_out=f"Its sheets are: {', '.join(book.sheet_names)}.")
    for title, cells in read:
        rows = [(line, [_text(cell) for cell in row]) for line, row in enumerate(cells, start=1)]
        yield _Candidate({"format": "workbook", "sheet": title}, rows[:_HEAD], lambda rows=rows: rows)  # type: ignore[misc]


def _from_text(raw: bytes, name: str) -> Iterator[_Candidate]:
    text, encoding = _decode(raw, name)
    if text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        raise DataError(f"{name} is a web page, not a table.", way_out="Download the file itself, in a browser.")
    for delimiter in _DELIMITERS:

        def load(lines: int | None = None, delimiter: str = delimiter) -> _Rows:
            reader = csv.reader(islice(io.StringIO(text, newline=""), lines), delimiter=delimiter)
            try:
                return [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
            except csv.Error as error:
                raise DataError(f"{name}, line {reader.line_num}: {error}.") from error

        yield _Candidate({"format": "csv", "encoding": encoding, "delimiter": delimiter}, load(_HEAD), load)


def _decode(raw: bytes, name: str) -> tuple[str, str]:
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return raw.decode("utf-16"), "utf-16"
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, encoding if encoding == "cp1252" or raw[:3] == b"\xef\xbb\xbf" else "utf-8"
    raise DataError(f"{name} is neither UTF-8 nor cp1252 text.", way_out="Save it as UTF-8 and read again.")


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
    for names in wanted:
        fits = [
            (candidate, at)
            for candidate in candidates
            if (at := next((k for k, (_, row) in enumerate(candidate.head) if names <= set(map(normalise, row))), -1))
            >= 0
        ]
        members = list(dict.fromkeys(candidate.about.get("member") for candidate, _ in fits))
        if len(members) > 1:
            raise DataError(
                f"{name} holds {len(members)} tables that fit.",
                problems=map(str, members),
                way_out="Unpack it and give the one that is meant.",
            )
        if fits:
            # a dictionary of variables names the columns too, but it is not as wide as the table
            return max(fits, key=lambda fit: _width(fit[0].head[fit[1]][1]))
    widest = [(candidate, *_widest(candidate.head)) for candidate in candidates]
    candidate, at, width = max(widest, key=lambda found: found[2], default=(None, 0, 0))
    if candidate is None or width == 0:
        raise DataError(f"{name} is empty.")
    if wanted:
        raise DataError(
            f"No line of {name} holds the names of the columns that are looked for.",
            problems=[", ".join(sorted(names)) for names in wanted],
            way_out="Name the columns with columns={'name in the file': 'canonical name'}. "
            f"The names found are: {', '.join(filter(None, candidate.head[at][1]))}.",
        )
    return candidate, at


def _width(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _widest(head: _Rows) -> tuple[int, int]:
    """Position and width of the first line that is as wide as the widest, but for one cell."""
    widths = [_width(row) for _, row in head]
    most = max(widths, default=0)
    return next((k for k, width in enumerate(widths) if width >= most - 1), 0), most


def _frame(chosen: _Candidate, at: int, name: str) -> pd.DataFrame:
    """Text frame of the rows under the header."""
    rows = chosen.load()
    header_line, header = rows[at]
    body = [(line, row) for line, row in rows[at + 1 :] if any(row)]
    if body and header and all(len(row) == len(header) + 1 for _, row in body) and all(row[-1] for _, row in body):
        header = ["", *header]  # R leaves out the name of the column of row names
    while body and len(header) > 2 and _is_note(body[-1][1]):
        body.pop()
    header = [re.sub(r"[\ufeff\u200b]", "", column).strip() for column in header]
    while header and not header[-1]:
        header.pop()
    width = len(header)
    problems = [f"line {line}: {len(row)} cells" for line, row in body if any(row[width:])]
    problems += [f"column {column!r} stands {n} times" for column, n in Counter(filter(None, header)).items() if n > 1]
    if problems:
        raise DataError(f"{name}: the rows do not fit the header of {width} columns.", problems=problems)
    cells = [(row + [""] * width)[:width] for _, row in body]
    frame = pd.DataFrame(cells, columns=range(width), dtype="str").replace({"": np.nan})
    kept = [position for position in range(width) if header[position]]
    unnamed = [position for position in range(1, width) if not header[position] and frame[position].notna().any()]
    frame = frame[kept].set_axis([header[position] for position in kept], axis="columns")
    frame.index = pd.Index([line for line, _ in body], name="line")
    frame.attrs["table"] = chosen.about | {"header_line": header_line}
    if unnamed:
        frame.attrs["table"]["columns_without_a_name"] = [position + 1 for position in unnamed]
    return frame


def _is_note(row: Sequence[str]) -> bool:
    """Tell a note under the table (a source, a field) from a row: one sentence in the first cell."""
    return bool(row[0]) and " " in row[0] and not any(row[1:])
