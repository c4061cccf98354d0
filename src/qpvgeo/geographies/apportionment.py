"""A table moved from one set of units to another: counts are shared out, rates carry denominators, nothing is lost.

The passage is a frame of parts: a row for each unit before and after, with the share of the unit before that goes
there, and a row without `to` for what goes nowhere. The crosswalk of two geographies of QPV and the passage of the
communes from one year to another are both such frames.

A median, a decile, a Gini coefficient cannot be moved: that of a union does not follow from those of its parts.
"""

import re
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats.text_tables import normalise

__all__ = ["COVERED", "Kind", "Moved", "framed", "move"]

Kind = Literal["count", "rate", "category"]

COVERED = "covered_share"
"""Column of `Moved.table`: the share of each unit after that comes from units before, by the weight of the parts."""

_NOT_ADDITIVE = ("median", "mean", "quantile", "decile", "gini")
_MEDIAN = re.compile(
    r"(?:^|_)(?:(?:nv|rev|uc|disp|dec)?med(?:ian[ea]?s?|ienn?e?s?)?|medians?|q[1-4]|d[1-9]|gini|gi"
    r"|(?:inter)?(?:deciles?|quartiles?|quantiles?)|(?:per)?centiles?|rd|s80_?s20)\d*(?:_|$)|^p\d\d$|^(?:disp|dec)_eq"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

Floats = npt.NDArray[np.float64]


class Moved(NamedTuple):
    """A table after the move.

    Attributes
    ----------
    table
        Indexed by unit after: the columns of the table, then `covered_share`, the share of the unit that comes from
        units before (by the weight of the passage; missing where it weighs nothing). A value is missing where nothing
        is known of it: no unit before goes there, or one that does has no value.
    unplaced
        A row for each unit before and column with a part that goes nowhere: `from`, `column`, `value` (the part of a
        count; of a rate, its denominator), `share` (of the unit before). What was moved and what is here add up to the
        table.
    """

    table: pd.DataFrame
    unplaced: pd.DataFrame


def move(
    table: pd.Series | pd.DataFrame, parts: pd.DataFrame, *, kind: str, denominators: pd.Series | None = None
) -> Moved:
    """Move a table along a passage.

    Parameters
    ----------
    table
        Values by unit before; a Series, or a frame whose columns are moved alike.
    parts
        The passage: `from`, `to` (missing for what goes nowhere), `share` (of the unit before, adding up to one), and
        `weight` (size of the part, in any unit).
    kind
        `count`: shared out. `rate`: the mean of the parts, each weighted by its share of the denominator. `category`:
        the one that most of the weight of the unit after has; missing for a tie.
    denominators
        By unit before, for rates: what the rate is of (households for a share of households).

    Raises
    ------
    DataError
        Labels repeat or are not in the passage, denominators are missing or below zero, values are no numbers: all are
        listed.
    UsageError
        The kind is unknown or not additive, or a column is a median by its name.

    Examples
    --------
    >>> parts = pd.DataFrame({"from": ["a", "a", "b"], "to": ["x", None, "x"], "share": [0.75, 0.25, 1.0]})
    >>> moved = move(pd.Series({"a": 100, "b": 10}, name="people"), parts.assign(weight=1.0), kind="count")
    >>> moved.table["people"].to_dict(), moved.unplaced["value"].tolist()
    ({'x': 85.0}, [25.0])
    """
    frame = framed(table)
    _require(frame, parts, kind, denominators)
    targets = pd.Index(parts["to"].dropna().unique(), name="to")
    covered = _covered(parts, targets)
    parts = parts[parts["from"].notna()]
    if kind == "category":
        values = {name: _category(column, parts, targets) for name, column in frame.items()}
        left = [(name, _open(frame[name].notna().astype(float), parts)) for name in frame]
    else:
        given = None if kind == "count" else denominators
        moved = {name: _counted(column, parts, targets, given) for name, column in frame.items()}
        values = {name: of_to for name, (of_to, _) in moved.items()}
        left = [(name, of_from) for name, (_, of_from) in moved.items()]
    unplaced = [part.assign(column=name) for name, part in left]
    columns = ["from", "column", "value", "share"]
    return Moved(
        pd.DataFrame(values, index=targets).assign(**{COVERED: covered}),
        pd.concat(unplaced, ignore_index=True)[columns] if unplaced else pd.DataFrame(columns=columns),
    )


def framed(table: pd.Series | pd.DataFrame) -> pd.DataFrame:
    """A table as a frame: a Series becomes its one column."""
    return table.to_frame("value" if table.name is None else table.name) if isinstance(table, pd.Series) else table


def _require(frame: pd.DataFrame, parts: pd.DataFrame, kind: str, denominators: pd.Series | None) -> None:
    """Raise one error that lists all that keeps a table from being moved."""
    if kind in _NOT_ADDITIVE:
        raise UsageError(
            f"A {kind} cannot be moved: that of a union does not follow from those of its parts.",
            way_out="Move the counts or sums that it was computed from, and compute it again.",
        )
    if kind not in get_args(Kind):
        raise UsageError(f"kind={kind!r} is none of {', '.join(get_args(Kind))}.")
    if kind == "rate" and denominators is None:
        raise UsageError(
            "A rate cannot be moved without its denominators: the mean of two rates depends on how many each is of.",
            way_out='Give them by label: denominators=table["households"].',
        )
    medians = [f"column {name!r}" for name in frame.columns if kind != "category" and _is_median(str(name))]
    if medians:
        raise UsageError(
            "Medians and other quantiles cannot be moved: that of a union does not follow from those of its parts.",
            problems=medians,
            way_out="Leave these columns out, or rename them if they are counts or rates.",
        )
    known = set(parts["from"].dropna())
    problems = [f"{label!r} stands several times" for label in frame.index[frame.index.duplicated()].unique()]
    problems += [f"{label!r} is not in the passage" for label in frame.index.unique() if label not in known]
    if COVERED in frame.columns:
        problems.append(f"column {COVERED!r} is a name that the answer needs")
    if kind != "category":
        twice = frame.columns[frame.columns.duplicated()].unique()
        problems += [f"column {name!r} is there twice" for name in twice]
        for name in frame.columns.difference(twice, sort=False):
            problems += _unusable(frame[name], f"column {name!r}")
    if kind == "rate" and denominators is not None:
        problems += _unfit(denominators, frame)
    if problems:
        raise DataError("This table cannot be moved.", problems=problems)


def _unfit(denominators: pd.Series, frame: pd.DataFrame) -> list[str]:
    """What keeps rates from being moved with their denominators."""
    repeated = denominators.index[denominators.index.duplicated()].unique()
    problems = [f"denominator of {label!r} stands several times" for label in repeated]
    problems += _unusable(denominators, "denominators")
    if problems:
        return problems
    of = denominators.reindex(frame.index).astype("Float64")
    below = [f"denominator of {label!r}: {value}" for label, value in of[(of < 0).fillna(False)].items()]
    missing = of.isna() & frame.notna().any(axis="columns")
    return below + [f"no denominator of {label!r}" for label in frame.index[missing]]


def _is_median(name: str) -> bool:
    """Whether a column is a median or another quantile by its name, in French or English, however it is written.

    Examples
    --------
    >>> [_is_median(name) for name in ("Revenu médian", "DISP_MED_A18", "1er décile", "medianIncome", "P21_POP")]
    [True, True, True, True, False]
    """
    return _MEDIAN.search(normalise(_CAMEL.sub("_", name))) is not None


def _unusable(column: pd.Series, name: str) -> list[str]:
    """What keeps values from being added up."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return [f"{name} holds no numbers: {column.dtype}"]
    infinite = column.index[np.isinf(column.to_numpy(dtype=float, na_value=np.nan))]
    return [f"{name} of {label!r} is infinite" for label in infinite]


def _covered(parts: pd.DataFrame, targets: pd.Index) -> pd.Series:
    """Share of each unit after that comes from a unit before."""
    weight = parts["weight"].to_numpy(dtype=float)
    there = parts["to"].notna().to_numpy()
    of = parts.loc[there, "to"].to_numpy()
    whole = pd.Series(weight[there]).groupby(of).agg(lambda part: part.sum(skipna=False)).reindex(targets)
    held = pd.Series(np.where(parts["from"].notna().to_numpy(), weight, 0.0)[there]).groupby(of).sum().reindex(targets)
    return held / whole.where(whole > 0)


def _counted(
    column: pd.Series, parts: pd.DataFrame, targets: pd.Index, denominators: pd.Series | None
) -> tuple[pd.Series, pd.DataFrame]:
    """Sums by unit after, or means weighted by denominators; and what goes nowhere, by unit before."""
    values = column.astype("Float64")
    if denominators is None:
        shared = _shared(values, parts)
        return _summed(shared, parts, targets), _open(values, parts, shared)
    # a rate that is missing takes its denominator with it
    of = denominators.reindex(values.index).astype("Float64").where(values.notna())
    bases = _shared(of, parts)
    rate = values.reindex(parts["from"]).to_numpy(dtype=float, na_value=np.nan)
    top, bottom = (
        _summed(np.where(bases > 0, bases * rate, bases * 0.0), parts, targets),
        _summed(bases, parts, targets),
    )
    return top / bottom.where(bottom > 0), _open(of, parts, bases)


def _shared(values: pd.Series, parts: pd.DataFrame) -> Floats:
    """Part of the value of each unit before that each row of the passage takes; NaN where it is not known.

    The parts of a value add up to it: what rounding leaves over goes with the largest. Of a unit with a part of unknown
    share the other parts are taken as they are.
    """
    whole = values.reindex(parts["from"]).to_numpy(dtype=float, na_value=np.nan)
    share = parts["share"].to_numpy(dtype=float)
    taken: Floats = whole * np.nan_to_num(share)
    # where nothing is known of how a unit divides, nothing is known of its parts
    taken[np.isnan(share)] = np.nan
    of = parts.groupby("from", sort=False).ngroup().to_numpy()
    sums = np.bincount(of, np.nan_to_num(taken))
    largest = pd.Series(share).fillna(0.0).groupby(of).idxmax().to_numpy()
    vague = pd.Series(np.isnan(share)).groupby(of).any().to_numpy()
    largest = largest[~vague[of[largest]]]
    taken[largest] += whole[largest] - sums[of[largest]]
    return taken


def _summed(taken: Floats, parts: pd.DataFrame, targets: pd.Index) -> pd.Series:
    """Sum by unit after; missing where nothing comes, or where a part that comes is not known."""
    share = parts["share"].to_numpy(dtype=float)
    there = parts["to"].notna().to_numpy() & ~(share == 0)
    found = pd.Series(taken[there]).groupby(parts.loc[there, "to"].to_numpy()).agg(lambda part: part.sum(skipna=False))
    return found.reindex(targets).astype("Float64")


def _open(values: pd.Series, parts: pd.DataFrame, taken: Floats | None = None) -> pd.DataFrame:
    """Rows of the passage that go nowhere, with their part of the values."""
    nowhere = parts["to"].isna().to_numpy()
    rows = parts.loc[nowhere, ["from", "share"]]
    part = (_shared(values.astype("Float64"), parts) if taken is None else taken)[nowhere]
    return rows.assign(value=part)[~np.isnan(part)].reset_index(drop=True)


def _category(column: pd.Series, parts: pd.DataFrame, targets: pd.Index) -> pd.Series:
    """What most of the weight of each unit after is; missing for a tie, and where most of it is not known."""
    there = parts[parts["to"].notna()]
    rows = pd.DataFrame(
        {
            "to": there["to"].to_numpy(),
            "category": column.reindex(there["from"]).astype(object).to_numpy(),
            "weight": there["weight"].to_numpy(dtype=float),
        }
    )
    sums = rows.groupby(["to", "category"], dropna=False)["weight"].sum().reset_index()
    most = sums.groupby("to")["weight"].transform("max")
    best = sums[sums["weight"] == most]
    best = best[~best["to"].duplicated(keep=False)].set_index("to")["category"]
    return best.reindex(targets)
