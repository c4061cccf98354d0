"""Apportionment of a table: counts are shared out, rates carry their denominators, nothing is lost.

The passage is a frame of parts: a row for each unit before and unit after, with the share of the unit before that goes
there, and a row without `code_to` for what no unit after receives. The crosswalk of two geographies of QPV and the
passage of the communes from one year to another are both such frames.

A median, a decile or a Gini coefficient cannot be apportioned: that of a union does not follow from those of its parts.
"""

import re
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.errors import DataError, UsageError, judged, warn
from qpvgeo.formats.text_tables import normalise
from qpvgeo.frames import provenance
from qpvgeo.geographies.forms import renamed, repeated_parts, shown
from qpvgeo.language import Note

__all__ = ["COVERED", "Apportioned", "Kind", "QuantileWarning", "apportion", "framed", "repeated", "unplaced"]

Kind = Literal["count", "rate", "category"]

COVERED = "covered_share"
"""Column of apportioned tables: the share of each unit after that comes from units before, by the weight."""

_UNPLACED = ("code_from", "column", "value", "share")
_NOT_ADDITIVE = ("median", "mean", "quantile", "decile", "gini")
_MEDIAN = re.compile(
    r"(?:^|_)(?:(?:nv|rev|uc|disp|dec)?med(?:ian[ea]?s?|ienn?e?s?)?|medians?|q[1-4]|d[1-9]|gini|gi"
    r"|(?:inter)?(?:deciles?|quartiles?|quantiles?)|(?:per)?centiles?|rd|s80_?s20)\d*(?:_|$)|^p\d\d$|^(?:disp|dec)_eq"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ROUNDING = 1e-6

Floats = npt.NDArray[np.float64]


class QuantileWarning(UserWarning):
    """A column is named like a median or another quantile, which cannot be apportioned."""


class Apportioned(NamedTuple):
    """A table by unit after, and what no unit after receives.

    Attributes
    ----------
    table
        Indexed by unit after: the columns of the table, then `covered_share`, the share of the unit that comes from
        units before (by the weight of the passage; missing where it weighs nothing). A value is missing where nothing
        is known about it: no unit before goes there, or one that does has no value.
    unplaced
        As `unplaced` gives it.
    notes
        What a reader of the table must know.
    """

    table: pd.DataFrame
    unplaced: pd.DataFrame
    notes: list[Note]

    def frame(self, **about: Any) -> pd.DataFrame:  # noqa: ANN401 - plain JSON values
        """The table, with `unplaced` and the notes beside what else is known in `attrs["qpvgeo"]`."""
        rows = self.unplaced.astype(object).where(self.unplaced.notna(), None)
        held = {name: rows[name].tolist() for name in _UNPLACED}
        self.table.attrs[provenance.ATTRS_KEY] = {
            **about,
            "notes": [*about.get("notes", []), *self.notes],
            "unplaced": held,
        }
        return self.table


@judged
def unplaced(table: pd.DataFrame) -> pd.DataFrame:
    """Give what no unit after received of a table that `convert` or `move_communes` apportioned.

    Parameters
    ----------
    table
        Frame of `qpvgeo.convert` or `qpvgeo.geographies.move_communes`, with its attributes.

    Returns
    -------
    pandas.DataFrame
        A row for each unit before and column with a part that no unit after receives:

        - `code_from`: the unit before.
        - `column`: the column.
        - `value`: the part of a count; for a rate, its part of the denominator; for a category, the share.
        - `share`: of the unit before, 0 to 1.

        Values and `unplaced` add up to the table that was apportioned.

    Raises
    ------
    DataError
        The frame does not say what was left over: it was not apportioned, or lost its attributes.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> walk = qg.crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    >>> moved = qg.convert(qg.read_population(sample.population_2015)["population"], walk)
    >>> unplaced(moved)[["code_from", "share"]].round(2).head(2).to_numpy().tolist()
    [['QP099004', 0.41], ['QP099008', 0.24]]
    """
    held = provenance.provenance(table).get("unplaced") if isinstance(table, pd.DataFrame) else None
    if held is None:
        raise DataError(Note("geographies.not_apportioned"), way_out=Note("geographies.not_apportioned_way_out"))
    frame = pd.DataFrame(held, columns=list(_UNPLACED))
    return frame.astype({"code_from": "str", "column": "str", "value": float, "share": float})


def apportion(
    table: pd.Series | pd.DataFrame, parts: pd.DataFrame, *, kind: str, denominators: pd.Series | None = None
) -> Apportioned:
    """Apportion a table along a passage.

    Parameters
    ----------
    table
        Values by unit before; a Series, or a frame whose columns are all of one kind.
    parts
        The passage: `code_from`, `code_to` (missing for what no unit after receives), `share` (of the unit before,
        adding up to one), and `weight` (size of the part, in any unit).
    kind
        - `count`: shared out, value × share.
        - `rate`: mean of the parts, each weighted by its share of the denominator.
        - `category`: the one with most of the weight of the unit after; missing for a tie.
    denominators
        By unit before, for rates: what the rate is a share of (households for a share of households).

    Raises
    ------
    DataError
        Labels repeat or are not in the passage; rows of the passage repeat, or the shares of a unit do not add up to
        one; denominators are missing or below zero; values are not numbers: all are listed.
    UsageError
        The kind is unknown or not additive.

    Warns
    -----
    QuantileWarning
        A column is named like a median or another quantile.

    Examples
    --------
    >>> parts = pd.DataFrame({"code_from": ["a", "a", "b"], "code_to": ["x", None, "x"], "share": [0.75, 0.25, 1.0]})
    >>> found = apportion(pd.Series({"a": 100, "b": 10}, name="people"), parts.assign(weight=1.0), kind="count")
    >>> found.table["people"].to_dict(), found.unplaced["value"].tolist()
    ({'x': 85.0}, [25.0])
    """
    frame, parts = framed(table), renamed(parts)
    _require(frame, parts, kind, denominators)
    notes = _quantiles(frame, kind)
    targets = pd.Index(parts["code_to"].dropna().unique(), name="code_to")
    covered = _covered(parts, targets)
    parts = parts[parts["code_from"].notna()]
    if kind == "category":
        values = {name: _category(column, parts, targets) for name, column in frame.items()}
        left = [(name, _open(frame[name].notna().astype(float), parts)) for name in frame]
    else:
        given = None if kind == "count" else denominators
        moved = {name: _counted(column, parts, targets, given) for name, column in frame.items()}
        values = {name: of_to for name, (of_to, _) in moved.items()}
        left = [(name, of_from) for name, (_, of_from) in moved.items()]
    rows = [part.assign(column=name) for name, part in left]
    return Apportioned(
        pd.DataFrame(values, index=targets).assign(**{COVERED: covered}),
        pd.concat(rows, ignore_index=True)[list(_UNPLACED)] if rows else pd.DataFrame(columns=list(_UNPLACED)),
        notes,
    )


def framed(table: pd.Series | pd.DataFrame) -> pd.DataFrame:
    """A table as a frame: a Series becomes its one column."""
    return table.to_frame("value" if table.name is None else table.name) if isinstance(table, pd.Series) else table


def _require(frame: pd.DataFrame, parts: pd.DataFrame, kind: str, denominators: pd.Series | None) -> None:
    """Raise one error that lists all that keeps a table from being apportioned."""
    if not isinstance(kind, str) or kind not in (*get_args(Kind), *_NOT_ADDITIVE):
        raise UsageError(Note("geographies.no_such_kind", kind=shown(kind), kinds=list(get_args(Kind))))
    if kind in _NOT_ADDITIVE:
        raise UsageError(Note("geographies.not_additive", kind=kind), way_out=Note("geographies.not_additive_way_out"))
    if kind == "rate" and denominators is None:
        raise UsageError(Note("geographies.no_denominators"), way_out=Note("geographies.no_denominators_way_out"))
    if denominators is not None and not isinstance(denominators, pd.Series):
        raise UsageError(Note("geographies.denominators_type", given=type(denominators).__name__))
    known = set(parts["code_from"].dropna())
    problems: list[str] = repeated(frame.index)
    problems += [
        Note("geographies.not_in_passage", label=str(label)) for label in frame.index.unique() if label not in known
    ]
    if COVERED in frame.columns:
        problems.append(Note("geographies.reserved_column", column=COVERED))
    twice = frame.columns[frame.columns.duplicated()].unique()
    problems += [Note("geographies.column_twice", column=str(name)) for name in twice]
    if kind != "category":
        for name in frame.columns.difference(twice, sort=False):
            problems += _unusable(frame[name], str(name))
    if kind == "rate" and denominators is not None:
        problems += _unfit(denominators, frame)
    if problems:
        raise DataError(Note("geographies.not_apportionable"), problems=problems)
    _require_whole(parts[parts["code_from"].isin(frame.index)])


def _require_whole(parts: pd.DataFrame) -> None:
    """Raise when the parts of a unit repeat or do not add up to it: people would be counted twice, or lost."""
    problems = repeated_parts(parts)
    if not problems:
        sums = parts.groupby("code_from")["share"].agg(lambda share: share.sum(skipna=False))
        off = sums[(sums - 1).abs() > _ROUNDING]
        problems = [
            Note("geographies.shares_off", label=str(label), total=float(total)) for label, total in off.items()
        ]
    if problems:
        raise DataError(
            Note("geographies.passage_not_whole"),
            problems=problems,
            way_out=Note("geographies.passage_not_whole_way_out"),
        )


def repeated(labels: pd.Index) -> list[str]:
    """Problems: the labels that appear several times."""
    counts = labels[labels.duplicated(keep=False)].value_counts(sort=False)
    return [Note("frames.several_rows", label=str(label), count=int(count)) for label, count in counts.items()]


def _quantiles(frame: pd.DataFrame, kind: str) -> list[Note]:
    """Warn about columns that are quantiles by their name: the name alone does not prove it."""
    names = [str(name) for name in frame.columns if kind != "category" and _is_median(str(name))]
    if not names:
        return []
    note = Note("geographies.named_as_quantile", columns=names)
    warn(note, QuantileWarning)
    return [note]


def _unfit(denominators: pd.Series, frame: pd.DataFrame) -> list[str]:
    """What keeps rates from being apportioned with their denominators."""
    problems = repeated(denominators.index) + _unusable(denominators, "denominators")
    if problems or frame.index.has_duplicates:
        return problems
    of = denominators.reindex(frame.index).astype("Float64")
    below = of[(of < 0).fillna(False)]
    missing = of.isna() & frame.notna().any(axis="columns")
    return [
        *(Note("geographies.negative_denominator", label=str(key), value=float(of)) for key, of in below.items()),
        *(Note("geographies.missing_denominator", label=str(label)) for label in frame.index[missing]),
    ]


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
        return [Note("geographies.not_numbers", column=name, dtype=str(column.dtype))]
    infinite = column.index[np.isinf(column.to_numpy(dtype=float, na_value=np.nan))]
    return [Note("geographies.infinite", column=name, label=str(label)) for label in infinite]


def _covered(parts: pd.DataFrame, targets: pd.Index) -> pd.Series:
    """Share of each unit after that comes from a unit before."""
    weight = parts["weight"].to_numpy(dtype=float)
    there = parts["code_to"].notna().to_numpy()
    of = parts.loc[there, "code_to"].to_numpy()
    whole = pd.Series(weight[there]).groupby(of).agg(lambda part: part.sum(skipna=False)).reindex(targets)
    held = (
        pd.Series(np.where(parts["code_from"].notna().to_numpy(), weight, 0.0)[there])
        .groupby(of)
        .sum()
        .reindex(targets)
    )
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
    rate = values.reindex(parts["code_from"]).to_numpy(dtype=float, na_value=np.nan)
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
    whole = values.reindex(parts["code_from"]).to_numpy(dtype=float, na_value=np.nan)
    share = parts["share"].to_numpy(dtype=float)
    taken: Floats = whole * np.nan_to_num(share)
    # where nothing is known of how a unit divides, nothing is known of its parts
    taken[np.isnan(share)] = np.nan
    of = parts.groupby("code_from", sort=False).ngroup().to_numpy()
    sums = np.bincount(of, np.nan_to_num(taken))
    largest = pd.Series(share).fillna(0.0).groupby(of).idxmax().to_numpy()
    vague = pd.Series(np.isnan(share)).groupby(of).any().to_numpy()
    largest = largest[~vague[of[largest]]]
    taken[largest] += whole[largest] - sums[of[largest]]
    return taken


def _summed(taken: Floats, parts: pd.DataFrame, targets: pd.Index) -> pd.Series:
    """Sum by unit after; missing where nothing comes, or where a part that comes is not known."""
    share = parts["share"].to_numpy(dtype=float)
    there = parts["code_to"].notna().to_numpy() & ~(share == 0)
    found = (
        pd.Series(taken[there]).groupby(parts.loc[there, "code_to"].to_numpy()).agg(lambda part: part.sum(skipna=False))
    )
    return found.reindex(targets).astype("Float64")


def _open(values: pd.Series, parts: pd.DataFrame, taken: Floats | None = None) -> pd.DataFrame:
    """Part of each value that no target unit receives."""
    nowhere = parts["code_to"].isna().to_numpy()
    rows = parts.loc[nowhere, ["code_from", "share"]]
    part = (_shared(values.astype("Float64"), parts) if taken is None else taken)[nowhere]
    return rows.assign(value=part)[~np.isnan(part)].reset_index(drop=True)


def _category(column: pd.Series, parts: pd.DataFrame, targets: pd.Index) -> pd.Series:
    """What most of the weight of each unit after is; missing for a tie, and where most of it is not known."""
    there = parts[parts["code_to"].notna()]
    rows = pd.DataFrame(
        {
            "code_to": there["code_to"].to_numpy(),
            "category": column.reindex(there["code_from"]).astype(object).to_numpy(),
            "weight": there["weight"].to_numpy(dtype=float),
        }
    )
    sums = rows.groupby(["code_to", "category"], dropna=False)["weight"].sum().reset_index()
    most = sums.groupby("code_to")["weight"].transform("max")
    best = sums[sums["weight"] == most]
    best = best[~best["code_to"].duplicated(keep=False)].set_index("code_to")["category"]
    return best.reindex(targets)
