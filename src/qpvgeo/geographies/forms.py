"""Columns of a crosswalk and of a passage, under the names of today; tables written by version 0.1.0 are taken too."""

from collections.abc import Iterable

import pandas as pd

from qpvgeo.errors import DataError
from qpvgeo.frames import require
from qpvgeo.language import Note

__all__ = ["FORMER_NAMES", "SIDES", "crosswalk_form", "renamed", "repeated_parts", "shown"]

SIDES = ("from", "to")
"""The two geographies; their codes are in the columns `code_from` and `code_to`."""

FORMER_NAMES = {"from": "code_from", "to": "code_to", "class": "change"}
"""Names of version 0.1.0, and those of today."""


def renamed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of a table of version 0.1.0 the names of today; another table as it is.

    Examples
    --------
    >>> renamed(pd.DataFrame(columns=["from", "to", "share"])).columns.tolist()
    ['code_from', 'code_to', 'share']
    """
    old = {former: name for former, name in FORMER_NAMES.items() if former in frame and name not in frame}
    return frame.rename(columns=old) if old else frame


def crosswalk_form(walk: pd.DataFrame, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Check that a frame is a crosswalk, and give it the column names of today.

    Parameters
    ----------
    walk
        Frame of `qpvgeo.crosswalk`, or one that version 0.1.0 wrote.
    columns
        Columns needed beside the codes and shares.

    Raises
    ------
    DataError
        Columns are missing, or pairs appear several times.
    UsageError
        It is not a frame.
    """
    named = renamed(walk) if isinstance(walk, pd.DataFrame) else walk
    require.require_columns(
        named,
        ["code_from", "code_to", "from_share", "to_share", *columns],
        what="crosswalk",
        way_out=Note("frames.make_crosswalk"),
    )
    if twice := repeated_parts(named):
        raise DataError(
            Note("geographies.passage_not_whole"), problems=twice, way_out=Note("geographies.passage_not_whole_way_out")
        )
    return named


def repeated_parts(parts: pd.DataFrame) -> list[Note]:
    """Problems: the pairs of codes that appear several times, which would be counted as often."""
    again = parts.loc[parts.duplicated(["code_from", "code_to"]), ["code_from", "code_to"]].drop_duplicates()
    return [
        Note("geographies.part_twice", one=_written(one), other=_written(other))
        for one, other in again.itertuples(index=False)
    ]


def _written(code: object) -> str:
    return "–" if pd.isna(code) else str(code)


def shown(given: object) -> str:
    """An argument as an error shows it: a short value as it is, anything else by its type.

    Examples
    --------
    >>> shown("all"), shown(pd.DataFrame())
    ("'all'", 'DataFrame')
    """
    short = given is None or isinstance(given, str | int | float)
    return repr(given) if short else type(given).__name__
