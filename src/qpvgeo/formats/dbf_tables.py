"""Tables of dBASE (`.dbf`) as rows of text: what is left of a shapefile whose outlines were not sent along.

A header of 32 bytes says how many records there are and how long each is; a block of 32 bytes a column follows, then
the records, in which a cell has a fixed width. A record that begins with an asterisk was deleted.
"""

import struct
from pathlib import Path
from typing import NamedTuple

from qpvgeo.errors import DataError
from qpvgeo.formats.csv_dialect import encoding_of
from qpvgeo.formats.siblings import siblings
from qpvgeo.language import Note

__all__ = ["is_dbf", "is_part", "rows", "start_of"]

_DELETED = b"*"
_END = b"\r"
_OUTLINES = (".shp", ".mif", ".tab")


class _Form(NamedTuple):
    records: int
    start: int
    width: int


def _form(raw: bytes) -> _Form | None:
    """What the header announces; None where it is none."""
    if len(raw) < 33 or raw[:1] not in {b"\x02", b"\x03", b"\x30", b"\x31", b"\x43", b"\x83", b"\x8b", b"\xf5"}:
        return None
    form = _Form(*struct.unpack("<IHH", raw[4:12]))
    fields = _END in raw[32 : form.start : 32]
    return form if form.start > 32 and form.width > 1 and fields else None


def is_dbf(raw: bytes) -> bool:
    """Whether the content of a file is a table of dBASE.

    Examples
    --------
    >>> is_dbf(b"code;population")
    False
    """
    return _form(raw) is not None


def is_part(path: Path) -> bool:
    """Whether a `.dbf` is the table of a shapefile or of a MapInfo file that stands beside it.

    Examples
    --------
    >>> is_part(Path("nowhere.csv"))
    False
    """
    if path.suffix.lower() != ".dbf":
        return False
    return any(one.suffix.lower() in _OUTLINES for one in siblings(path))


def start_of(head: bytes) -> bytes:
    """First bytes of a table as a table of its own, of the records that they hold whole."""
    form = _form(head)
    if form is None:
        return head
    held = max(0, min(form.records, (len(head) - form.start) // form.width))
    return head[:4] + struct.pack("<I", held) + head[8 : form.start + held * form.width]


def rows(raw: bytes, name: str) -> list[tuple[int, list[str]]]:
    """Names of the columns, then the cells of each record, with the number of the line.

    Numbers that are whole are given without decimals.

    Parameters
    ----------
    raw
        Content of the file.
    name
        What errors call it.

    Raises
    ------
    DataError
        The file is cut: it announces more records than it holds.
    """
    form = _form(raw)
    if form is None or len(raw) < form.start + form.records * form.width:
        held = 0 if form is None else max(0, len(raw) - form.start) // form.width
        announced = 0 if form is None else form.records
        raise DataError(
            Note("formats.fewer_rows", file=name, announced=announced, read=held), way_out=Note("formats.get_again")
        )
    encoding = _encoding(raw)
    names, cells, place = [], [], 1
    for at in range(32, form.start, 32):
        if raw[at : at + 1] == _END:
            break
        names.append(raw[at : at + 11].partition(b"\0")[0].decode(encoding, "replace").strip())
        cells.append((slice(place, place + raw[at + 16]), raw[at + 11 : at + 12]))
        place += raw[at + 16]
    found = [(1, names)]
    for number in range(form.records):
        record = raw[form.start + number * form.width :][: form.width]
        if record[:1] != _DELETED:
            found.append((number + 2, [_cell(record[where], kind, encoding) for where, kind in cells]))
    return found


def _encoding(raw: bytes) -> str:
    try:
        raw[32:].replace(b"\0", b" ").decode("utf-8")
    except UnicodeDecodeError:
        return encoding_of(raw)
    return "utf-8"


def _cell(raw: bytes, kind: bytes, encoding: str) -> str:
    if kind == b"I":
        return str(int.from_bytes(raw, "little", signed=True))
    text = raw.replace(b"\0", b" ").decode(encoding, "replace").strip()
    if kind in (b"N", b"F") and "." in text:
        return text.rstrip("0").removesuffix(".")
    return text
