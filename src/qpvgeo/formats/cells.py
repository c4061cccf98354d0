"""Names and cells of published tables: bare names of columns, numbers written the French or the English way."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "NUMBER",
    "SECRET_MARKS",
    "Numbers",
    "find_column",
    "harmless",
    "is_mark",
    "normalise",
    "numbers_of",
    "to_number",
]

_LONGEST_NAME = 500
"""Characters that tell a name; what is longer is a cell of another kind."""

SECRET_MARKS = (
    *("ns", "nd", "s", "c", "na", "n/a", "nan", "nc", "n/d", "n/s", "so", "#n/a", "secret", "null", "none"),
    *("non disponible", "non diffusé", "non significatif", "non communiqué", "secret statistique", "sans objet"),
    *("///", "//", "/", "...", "…", "..", ".", "-", "–", "—", "*", "**"),
)
"""What stands in place of a number that is secret, not significant or not available, in lower case."""

_BELOW = re.compile(r"(?:[<≤]=?|moins de|inférieur à)\s*\d+")
"""A number that is only said to be under a threshold."""

_SPACES = " \u00a0\u202f\u2009\u2007"
NUMBER = re.compile(rf"[+-]?(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+|\d+)(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
"""A number with its thousands set apart or not, with a decimal comma or point."""

_SEPARATORS = re.compile(r"[^a-z0-9]+")


_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


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


def normalise(name: object) -> str:
    r"""Bare form of a column name: no accent, no case, one underscore for whatever is no letter or digit.

    Examples
    --------
    >>> normalise("\ufeffCode Région "), normalise("taux_pauvrete_60%"), normalise("codeQPV")
    ('code_region', 'taux_pauvrete_60', 'codeqpv')
    """
    return _normalised(str(name)[:_LONGEST_NAME])


@lru_cache(maxsize=1 << 16)
def _normalised(name: str) -> str:
    if not name.isascii():
        plain = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "oe"))
        name = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _SEPARATORS.sub("_", name.casefold()).strip("_")


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


def to_number(values: pd.Series) -> Numbers:
    """Read numbers written the French way, the English way, or not given.

    Parameters
    ----------
    values
        Text: decimal comma or point, thousands set apart by a space (a no-break, narrow, thin or figure space too), or
        one of the `SECRET_MARKS`, or a threshold (`<5`).

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
    is_number = text.str.fullmatch(NUMBER.pattern).fillna(False).astype(bool)
    is_missing = marks.isin([mark for mark in marks[~is_number].unique() if not mark or is_mark(mark)])
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


def is_mark(cell: str) -> bool:
    """Tell whether a cell says that its number is secret, below a threshold or not available.

    Examples
    --------
    >>> [is_mark(cell) for cell in ("n.d.", "///", "< 5", "Secret", "12")]
    [True, True, True, True, False]
    """
    text = " ".join(cell.lower().split())
    return (
        text in SECRET_MARKS or text.replace(".", "").replace(" ", "") in SECRET_MARKS or bool(_BELOW.fullmatch(text))
    )


def numbers_of(column: pd.Series) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Numbers of a column, and which cells hold something else; faster than `to_number`, for millions of coordinates.

    Decimal commas and thousands set apart by spaces are read.

    Examples
    --------
    >>> found, odd = numbers_of(pd.Series(["1,5", "", "one"]))
    >>> found.tolist(), odd.tolist()
    ([1.5, nan, nan], [False, False, True])
    """
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan), np.zeros(len(column), dtype=bool)
    text = column.astype("str").str.strip().str.replace(",", ".", regex=False)
    found = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float, na_value=np.nan, copy=True)
    unread = np.flatnonzero(np.isnan(found))
    apart = unread[text.iloc[unread].str.fullmatch(NUMBER.pattern).to_numpy(dtype=bool, na_value=False)]
    if len(apart):
        found[apart] = text.iloc[apart].str.replace(rf"[{_SPACES}]", "", regex=True).to_numpy(dtype=float)
    empty = column.isna().to_numpy() | text.isin(["", "nan", "NaN", "NA", "None", "NULL"]).to_numpy(
        dtype=bool, na_value=True
    )
    return found, np.isnan(found) & ~empty


def _aligned(plain: pd.Series, is_number: pd.Series) -> pd.Series:
    """Numbers put back in their rows by position, for an index that repeats labels."""
    numbers = np.full(len(is_number), np.nan)
    numbers[is_number.to_numpy()] = plain.astype("float64").to_numpy()
    return pd.Series(numbers, index=is_number.index)


def harmless(text: object) -> object:
    """Text behind an apostrophe where a spreadsheet would take it for a formula; numbers and others as they are.

    Examples
    --------
    >>> harmless("=1+1"), harmless("-12,5"), harmless("Les Gardes"), harmless(-3)
    ("'=1+1", '-12,5', 'Les Gardes', -3)
    """
    if isinstance(text, str) and text.startswith(_FORMULA_MARKS) and not NUMBER.fullmatch(text):
        return f"'{text}"
    return text
