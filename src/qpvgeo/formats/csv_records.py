r"""Rows of a CSV, one quote at a time: a stray quotation mark harms its own row and swallows no other.

A quote that opens a cell and closes on a later line makes one row of these lines only when none of them is a row by
itself; else it is read as a letter.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from qpvgeo.formats.csv_dialect import cells_of, loose_cells_of

__all__ = ["Rows", "rows_of", "usual_width"]

_MOST_LINES = 1_000
"""Lines that one cell may run over."""

_LOOKED_AT = 200


class Rows(NamedTuple):
    """Rows of a CSV.

    Attributes
    ----------
    rows
        Number of the last line of each row, and its cells, stripped.
    strays
        Lines with a quote that was read as a letter.
    """

    rows: list[tuple[int, list[str]]]
    strays: list[int]


def usual_width(lines: Sequence[str], delimiter: str) -> int:
    """Cells that most of the first lines hold, of those whose quotes close.

    Examples
    --------
    >>> usual_width(["Title", "a;b", '1;"x', "2;y"], ";")
    2
    """
    widths = Counter(
        len(cells_of(line, delimiter) or []) for line in lines[:_LOOKED_AT] if line.strip() and line.count('"') % 2 == 0
    )
    return max(widths, key=lambda width: (widths[width] if width > 1 else 0, width), default=0)


def rows_of(lines: Sequence[str], delimiter: str, width: int) -> Rows:
    r"""Rows of some lines.

    Parameters
    ----------
    lines
        Lines without their ends.
    delimiter
        What separates cells.
    width
        Cells of a row, as `usual_width` gives them.

    Examples
    --------
    >>> found = rows_of(["a;b", '1;"two', 'lines"', '2;"stray', '3;"whole"'], ";", 2)
    >>> found.rows
    [(1, ['a', 'b']), (3, ['1', 'two\nlines']), (4, ['2', '"stray']), (5, ['3', 'whole'])]
    >>> found.strays
    [4]
    """
    whole = _at_once(lines, delimiter, width)
    if whole is not None:
        return Rows(whole, [])
    rows: list[tuple[int, list[str]]] = []
    strays: list[int] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if '"' not in line:
            rows.append((at + 1, [cell.strip() for cell in line.split(delimiter)]))
            at += 1
            continue
        end = at if line.count('"') % 2 == 0 else _end(lines, at, delimiter, width)
        cells = None if end is None else _cells("\n".join(lines[at : end + 1]), delimiter)
        naive = line.split(delimiter)
        if cells is None or (end == at and len(cells) < width == len(naive)):
            strays.append(at + 1)
            cells, end = naive, at
        rows.append(((end or at) + 1, [cell.strip() for cell in cells]))
        at = (end or at) + 1
    return Rows(rows, strays)


def _at_once(lines: Sequence[str], delimiter: str, width: int) -> list[tuple[int, list[str]]] | None:
    """Rows of lines that are each a row by itself; None where a quote is odd, stray or runs over lines."""
    if any(line.count('"') % 2 for line in lines):
        return None
    try:
        read = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    narrow = (line for line, cells in zip(lines, read, strict=False) if len(cells) < width)
    if len(read) != len(lines) or any('"' in line and line.count(delimiter) + 1 == width for line in narrow):
        return None
    return [(at, [cell.strip() for cell in cells] or [""]) for at, cells in enumerate(read, start=1)]


def _end(lines: Sequence[str], start: int, delimiter: str, width: int) -> int | None:
    """Line on which the cell closes that a line leaves open; None where its quote is a stray one."""
    ahead = range(start + 1, min(start + _MOST_LINES, len(lines)))
    end = next((at for at in ahead if lines[at].count('"') % 2), None)
    if end is None:
        return None
    if width > 1:
        between = (cells_of(lines[at], delimiter) for at in range(start + 1, end))
        if any(cells is not None and len(cells) == width for cells in between):
            return None
        if all(lines[at].count(delimiter) + 1 == width for at in (start, end)):
            return None
    return end


def _cells(record: str, delimiter: str) -> list[str] | None:
    """Cells of one row; None where a quote is left open."""
    try:
        return next(csv.reader([record], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        # a cell longer than the csv module reads, or text behind a closed quote
        return cells_of(record, delimiter) or loose_cells_of(record, delimiter)
