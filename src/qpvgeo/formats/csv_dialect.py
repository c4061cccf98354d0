"""What the first lines of a CSV say: header, delimiter, encoding, ends of lines; or that it is not a CSV.

Nothing is read twice: a table of millions of rows is judged by its first million bytes. What is not a table is
reported with the way to read it, and never printed whole.
"""

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from qpvgeo.errors import DataError
from qpvgeo.formats.limits import require_narrow
from qpvgeo.language import Note

__all__ = ["HEAD", "Head", "cells_of", "decoded", "delimiter_of", "encoding_of", "head_of", "loose_cells_of", "named"]

HEAD = 1 << 20
"""Bytes that a CSV is judged by."""

_DELIMITERS = (";", ",", "\t", "|")
_LOOKED_AT = 20
"""Lines under the header that say whether it is one."""

_PREAMBLE = 10
"""Lines of text that may come before a header, as in exports of the RIL."""

_MOST_LINES = 100
"""Lines that a header may run over."""

_JSON = re.compile(rb'\s*(?:\{\s*["}]|\[\s*[\[{"\d\]])')
_ENDS = re.compile(r'["\r\n]')
"""What may make a cell end elsewhere than at the next delimiter."""

_NUMERIC = re.compile(r"[-+]?[\d\s.,]+")

_SEPARATOR = re.compile(r'"?sep=(.)"?')
"""First line that some spreadsheets write, and read, to name the delimiter."""

# the five bytes that cp1252 does not define are kept as latin-1 has them
_CP1252 = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))


_FREQUENT = frozenset("éèêàçôîâû")
_FRENCH = frozenset("äëïöùüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ’‘“”«»–—…°²€½\u00a0")
"""What French text holds beyond ASCII: letters found often, and the rest."""


class Head(NamedTuple):
    """How a CSV is written.

    Attributes
    ----------
    header
        The text that names its columns, as written.
    delimiter
        What separates cells.
    encoding
        `utf-8`, `cp1252`, or that of old Macs or of DOS where only it makes French words.
    mark
        Whether it starts with a byte order mark.
    newline
        What ends its lines.
    names
        Columns; `column 3` where the third has no name.
    skipped
        Rows up to the header and with it.
    """

    header: str
    delimiter: str
    encoding: str
    mark: bool
    newline: str
    names: tuple[str, ...]
    skipped: int


def head_of(raw: bytes, name: str) -> Head:
    r"""Judge a CSV by its first bytes.

    Parameters
    ----------
    raw
        The first `HEAD` bytes, or all of a shorter file.
    name
        What errors call the file.

    Raises
    ------
    DataError
        It is no CSV, is empty, or its first line is a title and no header.

    Examples
    --------
    >>> head_of(b"sep=;\r\nid;x;y\r\n1;2;3\r\n", "a.csv")[1:]
    (';', 'utf-8', False, '\r\n', ('id', 'x', 'y'), 2)
    """
    _require_text(raw, name)
    mark = raw.startswith(codecs.BOM_UTF8)
    raw = raw.removeprefix(codecs.BOM_UTF8)
    # as old Macs did
    returns = b"\r" in raw and b"\n" not in raw
    whole = raw.replace(b"\r", b"\n") if returns else raw
    # the last line may be cut
    encoding = "utf-8" if mark else _encoding(whole.rpartition(b"\n")[0] if len(raw) >= HEAD else whole)
    text, _ = decoded(whole, encoding)
    lines = text.split("\n")
    filled = [number for number, line in enumerate(lines) if line.strip()]
    told = _SEPARATOR.fullmatch(lines[filled[0]].rstrip("\r")) if filled else None
    if told:
        filled = filled[1:]
    if not filled:
        raise DataError(Note("formats.no_header_at_all", file=name), way_out=Note("formats.get_again"))
    preamble = 0 if told else _preamble([lines[number].rstrip("\r") for number in filled[: _PREAMBLE + _LOOKED_AT]])
    filled = filled[preamble:]
    start = filled[0]
    end = _end_of_header(lines, start, told[1] if told else "".join(_DELIMITERS))
    header = "\n".join(lines[start:end]).rstrip("\r")
    delimiter = told[1] if told else delimiter_of(header)
    cells = cells_of(header, delimiter) or [header]
    require_narrow(len(cells), name)
    names = tuple(named([one.strip() for one in cells]))
    below = [lines[number].rstrip("\r") for number in filled if number >= end]
    _require_header(name, (start + 1, delimiter, len(names)), below[:_LOOKED_AT])
    newline = "\r" if returns else "\r\n" if lines[end - 1].endswith("\r") else "\n"
    return Head(header, delimiter, encoding, mark, newline, names, 1 + (1 if told else preamble))


def delimiter_of(header: str) -> str:
    r"""Delimiter of a header: the one that makes the most cells, quotes respected.

    Examples
    --------
    >>> delimiter_of('id;"name, address";x'), delimiter_of("id,x"), delimiter_of("id\tx")
    (';', ',', '\t')
    """
    return max(_DELIMITERS, key=lambda mark: len(cells_of(header, mark) or []))


def named(names: Sequence[str]) -> list[str]:
    """Names of columns; those that have none are called by their place.

    Examples
    --------
    >>> named(["lon", "lat", "", ""])
    ['lon', 'lat', 'column 3', 'column 4']
    """
    found, taken = list(names), set(names)
    for place, name in enumerate(names):
        if not name:
            found[place] = f"column {place + 1}"
            while found[place] in taken:
                found[place] += "_"
    return found


def _preamble(lines: list[str]) -> int:
    """Lines before the header that are sentences: narrower than it, and it as wide as every line under it.

    Examples
    --------
    >>> _preamble(["Encodé en UTF-8, séparé par un point-virgule", "id;x;y", "1;2;3", "2;3;4"])
    1
    >>> _preamble(["id;place", '1;"48.9, 2.4"', '2;"48.8, 2.3"'])
    0
    """
    for skipped in range(min(_PREAMBLE, len(lines) - 2) + 1):
        for delimiter in _DELIMITERS:
            names, *below = (cells_of(line, delimiter) or [] for line in lines[skipped : skipped + _LOOKED_AT])
            wide = len(names)
            if (
                wide > 1
                and all(len(cells) == wide for cells in below)
                and all(len(cells_of(line, delimiter) or []) < wide for line in lines[:skipped])
                and len(set(names)) == wide
                and not any(_NUMERIC.fullmatch(name.strip()) or not name.strip() for name in names)
            ):
                return skipped
    return 0


def _end_of_header(lines: list[str], start: int, delimiters: str) -> int:
    """Line behind the header: a name in quotes may run over several."""
    ahead = range(start, min(start + _MOST_LINES, len(lines)))
    odd = [number for number in ahead if lines[number].count('"') % 2][:2]
    if len(odd) == 2 and odd[0] == start:
        header = "\n".join(lines[start : odd[1] + 1]).rstrip("\r")
        if any(cells_of(header, mark) for mark in delimiters):
            return odd[1] + 1
    return start + 1


def _require_text(raw: bytes, name: str) -> None:
    """Raise when bytes are those of a file of another kind."""
    if b"\0" in raw:
        raise DataError(
            Note("formats.neither_csv_nor_parquet", file=name), way_out=Note("formats.save_as_csv_or_parquet")
        )
    start = raw.removeprefix(codecs.BOM_UTF8)
    if _JSON.match(start):
        raise DataError(Note("formats.is_json", file=name), way_out=Note("formats.read_geojson"))
    if start.lstrip().startswith(b"<"):
        raise DataError(Note("formats.is_markup", file=name), way_out=Note("formats.save_as_csv_or_parquet"))


def _require_header(name: str, first: tuple[int, str, int], below: list[str]) -> None:
    """Raise when the first line is a title: the lines under it have more cells than it, and all the same number."""
    number, own, wide = first
    if 2 * sum(len(cells_of(line, own) or []) == wide for line in below) >= len(below):
        return
    for delimiter in _DELIMITERS:
        widths = {len(cells_of(line, delimiter) or []) for line in below}
        if len(below) > 1 and len(widths) == 1 and (width := widths.pop()) > wide:
            raise DataError(
                Note("formats.no_header", line=number, file=name, own=wide, below=width),
                way_out=Note("formats.delete_titles"),
            )


def _encoding(raw: bytes) -> str:
    """UTF-8 when most of the lines that are not plain ASCII are, as they would hardly be by chance."""
    lines = [line for line in raw.split(b"\n") if not line.isascii()]
    return "utf-8" if 2 * sum(map(_is_utf8, lines)) >= len(lines) else encoding_of(raw)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def encoding_of(raw: bytes) -> str:
    """Encoding of French text that is not UTF-8: cp1252, unless only that of old Macs or of DOS makes words of it.

    Examples
    --------
    >>> [encoding_of("Cité des Hêtres".encode(name)) for name in ("cp1252", "mac_roman", "cp850")]
    ['cp1252', 'mac_roman', 'cp850']
    """
    high = Counter(raw.translate(None, bytes(range(128))))
    most = max(high.total(), 1)

    def fit(encoding: str) -> float:
        letters = {byte: bytes([byte]).decode(encoding, "ignore") for byte in high}
        weights = {byte: 1.0 if one in _FREQUENT else 0.5 * (one in _FRENCH) for byte, one in letters.items()}
        return sum(weights[byte] * count for byte, count in high.items()) / most

    best = max(("cp1252", "mac_roman", "cp850"), key=fit)
    return best if fit(best) > 0.75 and fit("cp1252") < 0.4 else "cp1252"


def decoded(raw: bytes, encoding: str) -> tuple[str, int]:
    r"""Text of whole lines, and how many of them were read as cp1252.

    In a file in UTF-8 it is the lines that are not: they were pasted from one that was not. In a file of old Macs or of
    DOS it is none.

    Examples
    --------
    >>> decoded(b"\xc3\xa9cole\n\xe9cole\nhall", "utf-8")
    ('école\nécole\nhall', 1)
    """
    if encoding == "cp1252":
        return codecs.charmap_decode(raw, "strict", _CP1252)[0], sum(not line.isascii() for line in raw.split(b"\n"))
    try:
        return raw.decode(encoding), 0
    except UnicodeDecodeError:
        lines = raw.split(b"\n")
        good = [_is_utf8(line) for line in lines]
        texts = [
            line.decode() if is_good else codecs.charmap_decode(line, "strict", _CP1252)[0]
            for line, is_good in zip(lines, good, strict=True)
        ]
        return "\n".join(texts), len(lines) - sum(good)


def cells_of(record: str, delimiter: str) -> list[str] | None:
    """Cells of one row; None where its quotes do not close, or close before the end of a cell.

    Examples
    --------
    >>> cells_of('1;12" pipe;"a ""b"" c"', ";")
    ['1', '12" pipe', 'a "b" c']
    """
    return _cells(record, delimiter, strict=True)


def loose_cells_of(record: str, delimiter: str) -> list[str] | None:
    """Cells of one row as pyarrow reads them: what follows a closed quote is more of its cell.

    None where a quote is left open, or a line ends outside of quotes.

    Examples
    --------
    >>> loose_cells_of('"a" ;1', ";"), loose_cells_of('"a;1', ";")
    (['a ', '1'], None)
    """
    return _cells(record, delimiter, strict=False)


def _cells(record: str, delimiter: str, *, strict: bool) -> list[str] | None:
    if not _ENDS.search(record):
        return record.split(delimiter)
    text, cell = record + delimiter, _cell(delimiter)
    cells, end = list[str](), 0
    while end < len(text):
        found = cell.match(text, end)
        if found is None or (strict and found[1] is not None and found[2]):
            return None
        cells.append((found[1] or "").replace('""', '"') + found[2])
        end = found.end()
    return cells


@cache
def _cell(delimiter: str) -> re.Pattern[str]:
    """One cell, from what is in quotes at its start to the delimiter behind it."""
    mark = re.escape(delimiter)
    return re.compile(rf'(?:"([^"]*(?:""[^"]*)*)"(?!")|(?!"))([^{mark}\r\n]*){mark}')
