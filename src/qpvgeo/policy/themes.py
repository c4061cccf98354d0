"""Indicators of QPV by theme, in whichever form they come, as one long frame."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note
from qpvgeo.policy.published_rates import codes_of

__all__ = ["THEME_COLUMNS", "theme_rows"]

THEME_COLUMNS = ("theme", "qpv_code", "indicator", "value", "unit", "year", "flag")
_KINDS = {"value": "Float64", "year": "Int64"}
_LONG = {"qpv_code", "indicator", "value"}


def theme_rows(given: pd.DataFrame | Mapping[str, pd.DataFrame] | None) -> pd.DataFrame:
    """Give a row per QPV and figure.

    Parameters
    ----------
    given
        Frame of `qpvgeo.read_indicators`, or frames by theme.

    Returns
    -------
    pandas.DataFrame
        `THEME_COLUMNS`.

    Raises
    ------
    UsageError
        Something is not a frame.
    DataError
        A frame holds no codes of QPV, or no numbers.

    Examples
    --------
    >>> theme_rows({"jobs": pd.DataFrame({"n": [3]}, index=["QP001001"])})[["qpv_code", "value"]].values.tolist()
    [['QP001001', 3.0]]
    """
    themes: dict[Any, Any] = {}
    if isinstance(given, pd.DataFrame):
        themes = {"": given}
    elif isinstance(given, Mapping):
        themes = dict(given)
    elif given is not None:
        raise UsageError(Note("policy.indicators_frame", theme="", kind=type(given).__name__))
    for theme, frame in themes.items():
        if not isinstance(frame, pd.DataFrame):
            raise UsageError(Note("policy.indicators_frame", theme=str(theme), kind=type(frame).__name__))
    parts = [_rows(str(theme), frame) for theme, frame in themes.items() if len(frame)]
    long = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(THEME_COLUMNS))
    return long.astype({name: _KINDS.get(name, "str") for name in THEME_COLUMNS})


def _rows(theme: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of one theme."""
    codes = codes_of(frame)
    long = set(frame.columns) >= _LONG
    numbers = frame if long else frame.select_dtypes("number").drop(columns="year", errors="ignore")
    if codes.isna().all() or numbers.shape[1] == 0:
        raise DataError(Note("policy.no_indicators", theme=theme), way_out=Note("policy.no_indicators_way_out"))
    if long:
        rows = frame.assign(qpv_code=codes.to_numpy())
        if theme or "theme" not in rows:
            rows["theme"] = theme
    else:
        rows = numbers.set_axis(numbers.columns.map(str), axis="columns").assign(qpv_code=codes.to_numpy())
        years = {"year": frame["year"].to_numpy()} if "year" in frame else {}
        rows = rows.assign(**years).melt(["qpv_code", *years], var_name="indicator").assign(theme=theme)
    return rows.dropna(subset="qpv_code").reindex(columns=list(THEME_COLUMNS))
