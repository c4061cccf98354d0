"""Sheets of workbooks as rows of text, measured before they are read.

A sheet is laid out as the rectangle of its cells: one blank-looking cell in the last column of the last row would take
all the memory there is. The cells of an xlsx are located in its XML first.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

import python_calamine

from qpvgeo.errors import DataError
from qpvgeo.formats import open_documents
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.zip_members import read_member, zip_members
from qpvgeo.language import Note

__all__ = ["MOST_CELLS", "Sheet", "sheets"]

MOST_CELLS = 12_000_000
"""Most cells in the rectangle of a sheet."""

_LARGEST = 1 << 29
_OVERLAP = 256
_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})(\d+)["']""")


class Sheet(NamedTuple):
    """A sheet: its title, how to get its rows as they are typed, and whether the workbook hides it."""

    title: str
    load: Callable[[], list[list[object]]]
    hidden: bool = False


def sheets(raw: bytes, name: str, wanted: str | None = None) -> Iterator[Sheet]:
    """Sheets of a workbook, all or the one of a title in any case.

    Raises
    ------
    DataError
        The workbook is damaged, a sheet is too large, or none has that title: lists them.
    """
    if _is_open_document(raw, name):
        found = list(open_documents.tables(raw, name, _require_area))
        for title in _kept([one.title for one in found], name, wanted):
            table = next(one for one in found if one.title == title)
            yield Sheet(title, lambda table=table: table.rows, table.hidden)  # type: ignore[misc]
        return
    if raw[:2] == b"PK":
        _require_bounded(raw, name)
    with foreign(name):
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        titles = list(book.sheet_names)
        shown = {one.name for one in book.sheets_metadata if one.visible == python_calamine.SheetVisibleEnum.Visible}
    for title in _kept(titles, name, wanted):
        with foreign(name):
            sheet = book.get_sheet_by_name(title)
            height, width = sheet.height, sheet.width
        _require_area(name, title, height, width)

        def load(sheet: python_calamine.CalamineSheet = sheet) -> list[list[object]]:
            with foreign(name):
                return sheet.to_python(skip_empty_area=False)  # type: ignore[return-value]

        yield Sheet(title, load, title not in shown)


def _is_open_document(raw: bytes, name: str) -> bool:
    if raw[:2] != b"PK":
        return False
    with foreign(name), zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return open_documents.is_open_document(archive.namelist())


def _kept(titles: list[str], name: str, wanted: str | None) -> list[str]:
    """Titles of the sheets to read."""
    kept = [title for title in titles if wanted is None or title.casefold() == wanted.casefold()]
    if not kept:
        raise DataError(
            Note("formats.no_sheet", file=name, sheet=str(wanted)), way_out=Note("formats.its_sheets", sheets=titles)
        )
    return kept


def _require_area(name: str, title: str, rows: int, columns: int) -> None:
    if rows * columns > MOST_CELLS:
        raise DataError(
            Note("formats.sheet_too_large", file=name, sheet=title, rows=rows, columns=columns, most=MOST_CELLS),
            way_out=Note("formats.sheet_too_large_way_out"),
        )


def _require_bounded(raw: bytes, name: str) -> None:
    """Locate the cells of every sheet in its XML, in bounded memory."""
    with foreign(name), zipfile.ZipFile(io.BytesIO(raw)) as archive:
        entries = zip_members(archive, name, largest=_LARGEST)
        parts = [entry for entry in entries if re.fullmatch(r"/?xl/worksheets/[^/]+\.xml", entry, re.IGNORECASE)]
        if not parts:
            raise DataError(Note("formats.not_xlsx", file=name), way_out=Note("formats.save_as_xlsx"))
        for part in parts:
            rows, columns = _last_cell(archive, part, name)
            _require_area(name, part.rpartition("/")[2], rows, columns)


def _last_cell(archive: zipfile.ZipFile, part: str, name: str) -> tuple[int, int]:
    """Last row and last column that the XML of a sheet names, or has without naming them."""
    rows, columns, unnamed, rest = 0, 0, 0, b""
    for block in read_member(archive, part, name):
        text = rest + block
        for letters, digits in set(_CELL.findall(text)):
            rows = max(rows, int(digits[:9]))
            columns = max(columns, _number(letters))
        unnamed += block.count(b"<row")
        # a row without numbered cells is as wide as its cells are many
        bare = max((row.count(b"<c>") + row.count(b"<c/>") for row in block.split(b"</row>")), default=0)
        columns = max(columns, bare)
        rest = text[-_OVERLAP:]
    return max(rows, unnamed), columns


def _number(letters: bytes) -> int:
    """Number of a column, 1 for A; 0 without letters."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number
