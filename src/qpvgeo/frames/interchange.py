"""Frames of other libraries: whatever speaks the Arrow PyCapsule interface comes in, and Arrow goes out where asked.

pyarrow, polars, DuckDB and others hand their columns over as they lie in memory; no value becomes a Python object on
the way. Source: Apache Arrow, The Arrow PyCapsule Interface.
"""

import json
from collections.abc import Iterable
from typing import Any, Literal, get_args

import pandas as pd
import pyarrow as pa

from qpvgeo.errors import UsageError
from qpvgeo.frames.provenance import ATTRS_KEY
from qpvgeo.language import Note

__all__ = ["Returns", "by_code", "described", "frame_of", "require_returns", "returned", "speaks_arrow", "table_of"]

Returns = Literal["pandas", "pyarrow"]


def speaks_arrow(value: Any) -> bool:  # noqa: ANN401 - whatever was given
    """Whether something is a frame of Arrow columns that is not a frame of pandas.

    Examples
    --------
    >>> speaks_arrow(pa.table({"x": [1.0]})), speaks_arrow(pd.DataFrame()), speaks_arrow(([1.0], [2.0]))
    (True, False, False)
    """
    if isinstance(value, type | pd.DataFrame | pd.Series):
        return False
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def table_of(value: Any) -> pa.Table:  # noqa: ANN401 - what speaks Arrow
    """Columns of a frame that speaks Arrow, as they are.

    Raises
    ------
    UsageError
        It is a single column, or no table.
    """
    try:
        return value if isinstance(value, pa.Table) else pa.table(value)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise UsageError(
            Note("frames.not_a_table", kind=type(value).__name__), way_out=Note("frames.give_a_table")
        ) from error


def frame_of(table: pa.Table, names: Iterable[str] | None = None) -> pd.DataFrame:
    """Columns of an Arrow table as a frame of pandas: text stays in Arrow, decimals become floats.

    Parameters
    ----------
    table
        The table.
    names
        Columns to take, each as often as it is there; None for all.

    Examples
    --------
    >>> frame_of(pa.table({"code": ["75056"], "people": [2.1]}), ["people"]).to_numpy().tolist()
    [[2.1]]
    """
    if names is not None:
        held = set(names)
        table = table.select([at for at, name in enumerate(table.column_names) if name in held])
    plain = pa.schema([field.with_type(_plain(field.type)).remove_metadata() for field in table.schema])
    return table.cast(plain).replace_schema_metadata().to_pandas()


def by_code(value: Any) -> Any:  # noqa: ANN401 - whatever was given
    """Frame of pandas of a table that speaks Arrow, indexed by its first column of text; anything else as it is.

    Raises
    ------
    UsageError
        It has no column of text: nothing says which column holds the codes.

    Examples
    --------
    >>> by_code(pa.table({"people": [2113], "code": ["75056"]}))["people"].to_dict()
    {'75056': 2113}
    """
    if not speaks_arrow(value):
        return value
    frame = frame_of(table_of(value))
    texts = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.StringDtype)]
    if not texts or not frame.columns.is_unique:
        raise UsageError(
            Note("frames.no_codes", columns=list(map(str, frame.columns))), way_out=Note("frames.give_codes")
        )
    return frame.set_index(texts[0])


def _plain(kind: pa.DataType) -> pa.DataType:
    """Type that pandas holds without Python objects."""
    if pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.large_string() if pa.types.is_string_view(kind) else kind


def require_returns(returns: Any) -> None:  # noqa: ANN401 - whatever was given
    """Raise when something is not the name of a form that frames are returned in.

    Raises
    ------
    UsageError
        Lists the forms.
    """
    if returns not in get_args(Returns):
        raise UsageError(Note("frames.no_such_form", given=repr(returns), forms=list(get_args(Returns))))


def returned(frame: pd.DataFrame, returns: Returns, *, index: bool = True) -> pd.DataFrame | pa.Table:
    """Return a frame in the form asked for.

    Parameters
    ----------
    frame
        The frame.
    returns
        `pandas`, or `pyarrow`: a table whose metadata hold the provenance, as JSON, under `qpvgeo`.
    index
        Whether the labels become the first column of the table.

    Examples
    --------
    >>> returned(pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="code")), "pyarrow").column_names
    ['code', 'a']
    """
    if returns == "pandas":
        return frame
    table = pa.Table.from_pandas(frame.reset_index() if index else frame, preserve_index=False)
    return described(table.replace_schema_metadata(), frame.attrs.get(ATTRS_KEY, {}))


def described(table: pa.Table, about: Any) -> pa.Table:  # noqa: ANN401 - plain JSON
    """Table with a provenance in its metadata."""
    return table.replace_schema_metadata({ATTRS_KEY: json.dumps(about, default=str)})
