"""Values of the grid, from Arrow columns to pandas: numbers, marks of imputation, communes, and what is made of them.

Nothing missing becomes 0. A number written as text is read the French way or the English way; what is not a number is a
problem, with its row, and all problems are raised together.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from qpvgeo.formats.text_tables import to_number
from qpvgeo.language import Note

__all__ = ["COMMUNES", "commune_lists", "communes", "flags", "groups", "is_text", "numbers", "texts", "without_sums"]

COMMUNES = pa.list_(pa.string())
"""Arrow type of the column of communes."""

_WIDTH = 5


Floats = npt.NDArray[np.float64]


def is_text(kind: Any) -> bool:  # noqa: ANN401 - an Arrow type
    """Tell whether an Arrow column holds text."""
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_dictionary)
    return any(test(kind) for test in tests)


def numbers(column: pa.ChunkedArray, name: str, problems: list[str]) -> Floats:
    """Numbers of a column as floats, NaN where missing; gains a line in `problems` for each cell that is not a number.

    Examples
    --------
    >>> problems = []
    >>> numbers(pa.chunked_array([["12,5", "ns", "3"]]), "ind", problems).tolist(), problems
    ([12.5, nan, 3.0], [])
    """
    if is_text(column.type):
        read = to_number(pd.Series(column.cast(pa.string()).to_pylist(), dtype="str"))
        problems.extend(
            Note("grid.not_a_number", name=name, row=int(row), value=repr(value))
            for row, value, _ in read.problems.to_numpy()
        )
        return np.asarray(read.numbers.astype("Float64").to_numpy("float64", na_value=np.nan))
    # one Arrow chunk without gaps is shared and cannot be written to
    return np.require(column.cast(pa.float64()).to_numpy(), requirements="W")


def flags(column: pa.ChunkedArray, name: str, problems: list[str]) -> pd.arrays.BooleanArray:
    """Marks of imputation: 1 is True, 0 is False, missing stays missing; a mark of 1 km may be 2, which is False."""
    if not is_text(column.type) and not column.null_count:
        plain = column.to_numpy()
        imputed = plain == 1
        # whole and true marks only, which is how Insee writes them
        if (imputed | (plain == 0)).all():
            return pd.arrays.BooleanArray(imputed, np.zeros(len(plain), dtype=bool))
    marks = numbers(column, name, problems)
    missing = np.isnan(marks)
    imputed = marks == 1
    allowed = missing | imputed | (marks == 0) | ((marks == 2) & (name.lower() == "i_est_1km"))
    odd = np.flatnonzero(~allowed)
    problems.extend(Note("grid.neither_0_nor_1", name=name, row=int(row), value=f"{marks[row]:g}") for row in odd)
    return pd.arrays.BooleanArray(imputed, missing)


def groups(column: pa.ChunkedArray, name: str, problems: list[str]) -> pd.api.extensions.ExtensionArray:
    """Whole numbers that name something, missing where there is none."""
    values = numbers(column, name, problems)
    odd = np.flatnonzero(~np.isnan(values) & (values != np.rint(values)))
    problems.extend(Note("grid.not_whole", name=name, row=int(row), value=f"{values[row]:g}") for row in odd)
    missing = np.isnan(values)
    return pd.arrays.IntegerArray(np.where(missing, 0, values).astype(np.int64), missing)


def texts(column: pa.ChunkedArray) -> pd.Series:
    """Text of a column, missing where it is empty."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    if pc.min(pc.binary_length(column)).as_py() == 0:
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
    return pd.Series(column.cast(pa.large_string()).to_pandas(), dtype="str")


def communes(column: pa.ChunkedArray, name: str, problems: list[str]) -> pd.api.extensions.ExtensionArray:
    """Lists of commune codes as a pandas array of Arrow lists, which costs no Python object per cell.

    Examples
    --------
    >>> communes(pa.chunked_array([["7737393051", "2A004", None]]), "lcog_geo", []).tolist()
    [['77373', '93051'], ['2A004'], <NA>]
    """
    return pd.arrays.ArrowExtensionArray(commune_lists(column, name, problems))


def commune_lists(column: Any, name: str, problems: list[str]) -> pa.ChunkedArray:  # noqa: ANN401 - an Arrow column
    """Split codes that are written one after the other, five characters each.

    Separators are taken out, and the zero that a spreadsheet took from the first code is given back.
    """
    if isinstance(column, pa.Array):
        column = pa.chunked_array([column])
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return column.cast(COMMUNES)
    plain = column.cast(pa.string())
    if plain.null_count:
        # an empty text is a missing one, and has no length to be wrong
        plain = plain.fill_null("")
    lists = [_split(chunk) for chunk in plain.chunks]
    if any(one is None for one in lists):
        lists = [_split(chunk) for chunk in _mended(plain, name, problems).chunks]
    return pa.chunked_array(lists, COMMUNES)


_CODE_CHARACTERS = np.isin(np.arange(256), list(b"0123456789AB"))


def _offsets(chunk: pa.StringArray) -> npt.NDArray[np.int32]:
    if not len(chunk):
        return np.zeros(1, np.int32)
    return np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]


def _split(chunk: pa.StringArray) -> pa.ListArray | None:
    """Lists over the very bytes of the texts: only offsets are made. None when a text holds no whole codes."""
    offsets = _offsets(chunk)
    start, stop = int(offsets[0]), int(offsets[-1])
    starts = (offsets - start) // _WIDTH
    text = np.frombuffer(chunk.buffers()[2], np.uint8)[start:stop] if stop > start else np.empty(0, np.uint8)
    # a separator can make up the length of a code: every character is looked at
    if not (starts * _WIDTH + start == offsets).all() or not _CODE_CHARACTERS[text].all():
        return None
    ends = pa.py_buffer(np.arange(start, stop + 1, _WIDTH, dtype=np.int32))
    parts = pa.Array.from_buffers(pa.string(), int(starts[-1]), [None, ends, chunk.buffers()[2]])
    empty = starts[1:] == starts[:-1]
    return pa.ListArray.from_arrays(pa.array(starts), parts, mask=pa.array(empty) if empty.any() else None)


def _mended(column: pa.ChunkedArray, name: str, problems: list[str]) -> pa.ChunkedArray:
    """Texts without separators and with the zero that the first code lost; what is still odd is a problem."""
    bare = pc.replace_substring_regex(column, r"\.0$", "")
    bare = pc.replace_substring_regex(bare, r"[\s,;|]", "")
    length = pc.utf8_length(bare)
    short = pc.equal(pc.subtract(length, pc.multiply(pc.divide(length, _WIDTH), _WIDTH)), _WIDTH - 1)
    bare = pc.if_else(short, pc.binary_join_element_wise("0", bare, ""), bare)
    fits = pc.match_substring_regex(bare, r"^(?:\d[\dAB]\d{3})*$").combine_chunks()
    odd = np.flatnonzero(~fits.to_numpy(zero_copy_only=False))
    problems.extend(
        Note("grid.not_commune_codes", name=name, row=int(row), value=repr(column[int(row)].as_py())) for row in odd
    )
    # what is refused anyway must not stop the rest
    return pc.if_else(fits, bare, "") if len(odd) else bare


def without_sums(
    found: Mapping[str, Floats], named: Mapping[str, str], problems: list[str], notes: list[str]
) -> dict[str, Floats]:
    """Sums made of the means and rates that a renamed file gives in their place, with the people as weights.

    Parameters
    ----------
    found
        Numbers by canonical name, `living_standard_mean_eur` and `poverty_rate` among them where the file has them.
    named
        Column of the file behind each.
    problems
        Gains a line when rates are not between 0 and 1.
    notes
        Gains a line for each sum that was made.

    Returns
    -------
    dict
        The same without means and rates. `poor_households` is the rate times the households; without households the
        people are the weights and the sum is `poor_population`.
    """
    sums = {name: values for name, values in found.items() if name not in ("living_standard_mean_eur", "poverty_rate")}
    if "living_standard_mean_eur" in found:
        sums["living_standard_sum_eur"] = found["living_standard_mean_eur"] * found["population"]
        notes.append(Note("grid.sum_of_mean", mean=named["living_standard_mean_eur"], weight=named["population"]))
    if "poverty_rate" in found:
        rate = found["poverty_rate"]
        odd = np.flatnonzero((rate < 0) | (rate > 1))
        problems.extend(
            Note("grid.not_a_rate", column=named["poverty_rate"], row=int(row), value=f"{rate[row]:g}") for row in odd
        )
        target, weight = (
            ("poor_households", "households") if "households" in found else ("poor_population", "population")
        )
        sums[target] = rate * found[weight]
        key = "grid.sum_of_rate" if weight == "households" else "grid.sum_of_rate_people"
        notes.append(Note(key, sum=target, rate=named["poverty_rate"], weight=named[weight]))
    return sums
