"""Published tables that the readers know: the headers they look for, and how a table is read under one of them."""

import os
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from qpvgeo.errors import DataError
from qpvgeo.formats.text_tables import existing_path, read_table
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.published_names import COMMUNE_CODE, QPV_CODE

__all__ = ["EXPECT", "read_known"]

EXPECT: Mapping[str, tuple[frozenset[str], ...]] = {
    "qpv": tuple(frozenset({name}) for name in QPV_CODE),
    "commune": (
        frozenset({"com", "pmun"}),
        frozenset({"codcom", "pmun"}),
        *(frozenset({name}) for name in COMMUNE_CODE),
    ),
}
"""Sets of column names, of which a header holds one, by what the rows are."""


def read_known(
    path: str | os.PathLike[str], expect: Sequence[Collection[str]], columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read a table under the header that holds known names, else under its first wide line when it holds codes of QPV.

    Raises
    ------
    DataError
        No line holds known names and no column codes, or the table is damaged.
    """
    named = [set(columns)] if columns else []
    try:
        return read_table(existing_path(path), expect=[*named, *expect])
    except DataError as error:
        if named:
            raise
        try:
            text = read_table(path)
        except DataError:
            raise error from None
        if published.qpv_column(text) is None:
            raise error from None
        return text
