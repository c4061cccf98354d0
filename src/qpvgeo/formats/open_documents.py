"""Sheets of OpenDocument workbooks (`.ods`) as rows of values, measured while they are read.

A cell, or a row, is written once with the number of times that it repeats: a small file may lay out billions of cells.
Empty ones at the end are passed over, and others are counted before they are made.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from qpvgeo.errors import DataError
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.zip_members import read_member, zip_members
from qpvgeo.language import Note

__all__ = ["Table", "is_open_document", "tables"]

_LARGEST = 1 << 29
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CELLS = {f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"}
_NUMBERS = {"float", "percentage", "currency"}

Bound = Callable[[str, str, int, int], None]


class Table(NamedTuple):
    """A sheet: its title, its rows, and whether the workbook hides it."""

    title: str
    rows: list[list[object]]
    hidden: bool


def is_open_document(names: list[str]) -> bool:
    """Whether a zip that holds such members is an OpenDocument file."""
    return {"mimetype", "content.xml"} <= set(names)


def tables(raw: bytes, name: str, require_area: Bound) -> Iterator[Table]:
    """Sheets of an OpenDocument workbook.

    Parameters
    ----------
    raw
        Content of the file.
    name
        What errors call it.
    require_area
        Raises where a sheet of so many rows and columns is too large; takes `name`, the title, rows and columns.

    Raises
    ------
    DataError
        The file is damaged, a sheet is too large, or it is a text or a drawing.
    """
    hidden: set[str | None] = set()
    table: Table | None = None
    blank = found = 0
    for event, part in _parts(raw, name):
        if event == "start":
            if part.tag == f"{_TABLE}table":
                title, style = part.get(f"{_TABLE}name", ""), part.get(f"{_TABLE}style-name")
                table, blank = Table(title, [], style in hidden), 0
        elif part.tag == f"{_STYLE}style":
            hidden |= _hiding(part)
        elif part.tag == f"{_TABLE}table-row" and table is not None:
            times, row = _repeated(part, "rows"), _row(part, name, table.title, require_area)
            part.clear()
            blank = blank + times if not row else _added(table, blank, times, row, name, require_area)
        elif part.tag == f"{_TABLE}table" and table is not None:
            yield table
            found, table = found + 1, None
    if not found:
        raise DataError(Note("formats.open_document", file=name), way_out=Note("formats.save_as_xlsx"))


def _parts(raw: bytes, name: str) -> Iterator[tuple[str, ET.Element]]:
    """Starts and ends of the elements of a workbook, in order."""
    parser: Any = ET.XMLPullParser(["start", "end"])
    with foreign(name), zipfile.ZipFile(io.BytesIO(raw)) as archive:
        zip_members(archive, name, largest=_LARGEST)
        for block in read_member(archive, "content.xml", name):
            parser.feed(block)
            yield from parser.read_events()
        parser.close()


def _hiding(style: ET.Element) -> set[str | None]:
    """Name of a style of hidden sheets; none of another."""
    shown = style.find(f"{_STYLE}table-properties")
    return {style.get(f"{_STYLE}name")} if shown is not None and shown.get(f"{_TABLE}display") == "false" else set()


def _added(
    table: Table,
    blank: int,
    times: int,
    row: list[object],
    name: str,
    require_area: Bound,
) -> int:
    """Rows of a sheet with the blank ones before a row, and that row; no blank one is left to add."""
    require_area(name, table.title, len(table.rows) + blank + times, len(row))
    table.rows.extend([] for _ in range(blank))
    table.rows.extend([row] * times)
    return 0


def _row(part: ET.Element, name: str, title: str, require_area: Bound) -> list[object]:
    """Values of a row up to the last one that it has."""
    cells: list[object] = []
    blank = 0
    for cell in part:
        if cell.tag not in _CELLS:
            continue
        times, value = _repeated(cell, "columns"), _value(cell)
        if value == "":
            blank += times
            continue
        require_area(name, title, 1, len(cells) + blank + times)
        cells += [""] * blank + [value] * times
        blank = 0
    return cells


def _repeated(part: ET.Element, what: str) -> int:
    return int(part.get(f"{_TABLE}number-{what}-repeated", "1"))


def _value(cell: ET.Element) -> object:
    """Number, date or text of a cell; comments are none of it."""
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in _NUMBERS:
        return float(cell.get(f"{_OFFICE}value", "nan"))
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value", "")
    return "\n".join(_text(one) for one in cell if one.tag == f"{_TEXT}p").strip()


def _text(part: ET.Element) -> str:
    """Text of a paragraph; several spaces are an element that counts them."""
    inside = (" " * int(one.get(f"{_TEXT}c", "1")) if one.tag == f"{_TEXT}s" else _text(one) for one in part)
    return (part.text or "") + "".join(f"{text}{one.tail or ''}" for text, one in zip(inside, part, strict=True))
