"""How wide a table may be: a header of a hundred thousand names is no table, and would take minutes to judge."""

from qpvgeo.errors import DataError
from qpvgeo.language import Note

__all__ = ["MOST_COLUMNS", "require_narrow"]

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
