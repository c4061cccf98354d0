"""How large and how wide a table may be: a header of a hundred thousand names is none, and takes minutes to judge."""

from pathlib import Path

from qpvgeo.errors import DataError
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.frames.provenance import file_state, hashed
from qpvgeo.language import Note

__all__ = ["LARGEST", "MOST_COLUMNS", "content_of", "require_few", "require_narrow"]

LARGEST = 1 << 28
"""Most bytes of a table that is read whole."""

_MOST_CELLS = 20_000_000
MOST_COLUMNS = 4096
"""Most columns of a table or a layer; the widest that are published have some hundreds."""


def require_narrow(columns: int, label: str) -> None:
    """Raise when a table is wider than any that is published.

    Raises
    ------
    DataError
        It has more than `MOST_COLUMNS` columns.

    Examples
    --------
    >>> require_narrow(200, "base-cc.csv")
    >>> require_narrow(100_000, "wide.csv")
    Traceback (most recent call last):
    qpvgeo.errors.DataError: wide.csv has 100,000 columns, more than the 4,096 that are read.
    Keep the columns that you need; one without a name may come from a delimiter too many.
    """
    if columns > MOST_COLUMNS:
        raise DataError(
            Note("formats.too_wide", file=label, columns=columns, most=MOST_COLUMNS),
            way_out=Note("formats.too_wide_way_out"),
        )


def content_of(file: Path) -> bytes:
    """Content of a table, whose SHA-256 is known from then on.

    Raises
    ------
    DataError
        The file is too large for a table that is read whole.
    """
    size = file.stat().st_size
    if size > LARGEST:
        raise DataError(
            Note("formats.too_large", file=file.name, bytes=size, most=LARGEST),
            way_out=Note("formats.too_large_way_out"),
        )
    with foreign(file.name), file.open("rb") as stream:
        state, raw = file_state(stream.fileno()), stream.read()
        hashed(file, state, raw)
    return raw


def require_few(cells: int, name: str) -> None:
    """Raise when a table would not fit the memory that a reader may take."""
    if cells > _MOST_CELLS:
        raise DataError(
            Note("formats.too_many_cells", file=name, cells=cells, most=_MOST_CELLS),
            way_out=Note("formats.too_large_way_out"),
        )
