"""Cells whose income is below the threshold of their urban unit: by a column of medians, or by a named proxy.

The decree compares medians of declared income. The grids hold winsorised sums of living standards and numbers of poor
households: both can stand in for the medians only after calibration, and the result says which proxy was used and how
it was calibrated. Nothing here is an outline of the law, which was fixed after mayors were consulted (art. 3).

Source: décret n° 2014-767, art. 2 to 4; Insee, dictionary of the gridded data.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.designation.input_checks import (
    first_commune,
    grid_numbers,
    is_number,
    require_places,
    settled_units,
    units_of_cells,
)
from qpvgeo.designation.thresholds import Rules, income_threshold, rules_of
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.frames.require import require_columns, require_once
from qpvgeo.geometry.distinct_cells import distinct_cells
from qpvgeo.language import Note

__all__ = ["CELL_COLUMNS", "MEAN", "POVERTY", "eligible_cells", "moved"]

MEAN, POVERTY = "mean", "poverty"
"""Proxies: the winsorised mean living standard, and the poverty rate of households."""

CELL_COLUMNS = (
    "unit",
    "threshold_eur",
    "income_eur",
    "margin",
    "poverty_rate",
    "eligible",
    "state",
    "basis",
    "population",
    "households",
    "poor_households",
    "living_standard_sum_eur",
    "communes",
)
"""Columns of the result, in order."""

SetAside = Literal["imputed", "few households"]

_FEW_HOUSEHOLDS = 11
_LAST_DIGIT = 1e-12
"""Share by which a sum or a quotient in binary may differ from the exact one."""
_COUNTED = ("population", "households", "poor_households", "poor_population", "living_standard_sum_eur")
_JUDGED = ("eligible", "above threshold")
_APART: tuple[SetAside, ...] = ("imputed", "few households")

Flags = npt.NDArray[np.bool_]


@judged
def eligible_cells(  # noqa: PLR0913 - what is judged, by which figures, and what is left out
    grid: pd.DataFrame,
    units: pd.DataFrame,
    *,
    national_median: float,
    income: str = MEAN,
    poverty_rate: float | None = None,
    regime: str = "2014",
    set_aside: Iterable[SetAside] = (),
) -> pd.DataFrame:
    """Cells of a grid whose income is strictly below the threshold of their unit.

    Parameters
    ----------
    grid
        Frame of `qpvgeo.read_grid`.
    units
        A row per commune, on its code: `unit` (code of the urban unit), `population` (inhabitants of the whole unit),
        `median` (its median income by consumption unit, in euros a year); for Martinique and La Réunion the median is
        that of the department and the population that of the commune. Communes that are not in it are in no unit; codes
        that a spreadsheet made numbers of are repaired, with a note; a municipal arrondissement is in the unit of its
        commune. With
        `mean` (mean living standard of the whole unit, in euros) the proxies are calibrated on it, else on the cells
        given: those of a part of a unit are not enough for that.
    national_median
        Median income by consumption unit of France métropolitaine, in euros a year, of the same source as `median`.
    income
        What is compared with the threshold:

        - the name of a column of the grid that holds medians of declared income, in euros;
        - `"mean"`: mean living standard of the cell, times the median of its unit over the mean living standard of that
          unit (`mean` of the units, else of its cells);
        - `"poverty"`: the share of poor households, or of poor people where the grid counts these: a cell is eligible
          from `poverty_rate` on. `income_eur` is missing.
    poverty_rate
        For `income="poverty"`, a share from 0 to 1; by default, in each unit, the rate from which on as many people
        live as below the threshold by `"mean"`.
    regime
        As for `qpvgeo.income_threshold`.
    set_aside
        Kinds of cells that are not judged: `"imputed"`, `"few households"`. They still calibrate the proxies.

    Returns
    -------
    pandas.DataFrame
        A row per cell of the grid, on its index:

        - `unit`, `threshold_eur`, `income_eur`: unit of the first commune of the cell (of all cells, where the grid has
          no communes and the table one unit), its threshold, the income compared;
        - `margin`: income over threshold, less 1 (rate of poverty: required rate less that of the cell);
        - `poverty_rate`: poor households over households, or people over people where the grid counts these;
        - `eligible`: boolean, missing where it is not known;
        - `state`: `eligible`, `above threshold`, `no unit`, `unit too small`, `unit unknown` (no commune of the cell,
          or no median or population of its unit), `no data` (no people or no income), and `imputed` or `few households`
          for cells set aside;
        - `basis`: how sure the values of the cell are: `observed`, `few households` (under 11), `imputed`, or
          `not known` where the grid does not say;
        - `population`, `households`, `poor_households`, `living_standard_sum_eur`, `communes`: as in the grid.

        `attrs["qpvgeo"]` holds the regime, the proxy and its calibration by unit (`calibration`), and the notes.

    Raises
    ------
    UsageError
        An unknown regime, a territory of another method, a proxy that is neither a column nor a named one, a rate
        that is not a share.
    DataError
        Columns that are missing, a grid without cells, numbers that are negative or infinite, cells or communes that
        appear twice, several values for one unit, no commune in common.

    Examples
    --------
    >>> import pandas as pd, qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> towns = ["99001", "99002", "99003", "99004"]
    >>> units = pd.DataFrame({"unit": "99A", "population": 45_000, "median": 19_000}, index=towns)
    >>> cells = eligible_cells(grid, units, national_median=21_730)
    >>> int(cells["threshold_eur"].iloc[0]), cells.attrs["qpvgeo"]["proxy"]
    (12600, 'mean')
    """
    rules = rules_of(regime)
    apart = _require_options(national_median, poverty_rate, set_aside)
    require_columns(grid, ("population",), what=Note("frames.the_grid"))
    require_once(grid, [*_COUNTED, "communes", "imputed", income])
    if not len(grid):
        raise DataError(Note("designation.empty_grid"), way_out=Note("designation.empty_grid_way_out"))
    distinct_cells(grid)
    communes, repaired = settled_units(units)
    _require_income(grid, income, poverty_rate)
    named = grid["communes"].map(first_commune) if "communes" in grid.columns else pd.Series(dtype=object)
    require_places(named.dropna().unique() if named.notna().any() else communes.index, rules.regime)
    counted = [name for name in _COUNTED if name in grid.columns]
    numbers = grid_numbers(grid, dict.fromkeys([*counted, *([income] if income in grid.columns else [])]))
    unit, unsaid = units_of_cells(grid, communes)
    by_unit = communes.drop_duplicates("unit").dropna(subset="unit").set_index("unit")
    thresholds = income_threshold(float(national_median), by_unit["median"], by_unit["population"], regime=regime)
    cells = pd.DataFrame({"unit": unit, "threshold_eur": unit.map(thresholds).astype("Int64")}, index=grid.index)
    cells = cells.join(numbers[counted]).assign(poverty_rate=_rates(numbers))
    calibration: dict[str, dict[str, Any]] = {}
    if income == POVERTY and income not in grid.columns:
        below = _below_by_rate(cells, by_unit, poverty_rate, calibration)
    else:
        column = numbers[income] if income in grid.columns else _mean(cells, by_unit, calibration)
        below = _below_by_income(cells, column)
    cells["basis"] = _basis(grid, numbers)
    small, unknown = (unit.isin(names).to_numpy() for names in _unfit(by_unit, rules))
    below = below.where(cells["population"] > 0, pd.NA)
    cells["state"] = _states(cells, below, small=small, unknown=unknown | unsaid, apart=apart)
    cells["eligible"] = below.where(cells["state"].isin(_JUDGED), pd.NA)
    cells.loc[cells["state"].isin(["no unit", "unit too small"]), "eligible"] = False
    cells["communes"] = grid["communes"] if "communes" in grid.columns else None
    found = cells.reindex(columns=CELL_COLUMNS)
    about = provenance(grid)
    return stamp(
        found,
        about.get("files", []),
        regime=rules.regime,
        article=rules.article,
        proxy=income,
        calibration=calibration,
        national_median=float(national_median),
        min_people=rules.min_people,
        min_density_km2=rules.min_density_km2,
        set_aside=apart,
        epsg=about.get("epsg"),
        grid_vintage=about.get("vintage"),
        fictional=is_fictional(grid),
        notes=_notes(found, income, grid, given_mean="mean" in units.columns or poverty_rate is not None) + repaired,
    )


def moved(cells: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Cells judged again by a threshold that is multiplied; a required rate of poverty is divided.

    Examples
    --------
    >>> cells = pd.DataFrame({"income_eur": [12_400.0], "threshold_eur": [12_000], "state": ["above threshold"]})
    >>> moved(cells.assign(eligible=False), 1.05)["state"].tolist()
    ['eligible']
    """
    judged_before = cells["state"].isin(_JUDGED)
    if cells["income_eur"].notna().any():
        # 12,000 x 1.1 is a little more than 13,200 in binary
        limit = (cells["threshold_eur"].astype("Float64") * factor).round(6)
        below = cells["income_eur"].astype("Float64") < limit
    else:
        # the margin of a rate of poverty is what is missing to it
        rate = cells["poverty_rate"].astype("Float64")
        below = rate >= (rate + cells["margin"].astype("Float64")) / factor * (1 - _LAST_DIGIT)
    state = cells["state"].where(~judged_before, below.map({True: "eligible", False: "above threshold"}))
    return cells.assign(eligible=cells["eligible"].where(~judged_before, below.astype("boolean")), state=state)


def _require_options(national_median: object, poverty_rate: object, set_aside: Iterable[str]) -> list[str]:
    """Kinds of cells set aside; raises for amounts and kinds that are none."""
    problems: list[Note] = []
    amount = float(national_median) if isinstance(national_median, Decimal) else national_median
    if not is_number(amount) or float(amount) <= 0:  # type: ignore[arg-type]
        problems.append(Note("designation.not_above_0", where="national_median", value=repr(national_median)))
    if poverty_rate is not None and not (is_number(poverty_rate) and 0 <= float(poverty_rate) <= 1):  # type: ignore[arg-type]
        problems.append(Note("designation.not_a_share", value=repr(poverty_rate)))
    apart = [set_aside] if isinstance(set_aside, str) else list(set_aside)
    problems += [
        Note("designation.bad_kind", value=repr(one), kinds=list(_APART)) for one in apart if one not in _APART
    ]
    if problems:
        raise UsageError(Note("designation.income_unusable"), problems=problems)
    return [kind for kind in _APART if kind in apart]


def _below_by_rate(
    cells: pd.DataFrame, by_unit: pd.DataFrame, given: float | None, calibration: dict[str, dict[str, Any]]
) -> pd.Series:
    """Whether each cell has the rate required; writes its margin, and no income."""
    rate, required = _poverty(cells, by_unit, given, calibration)
    cells["income_eur"] = pd.Series(pd.NA, index=cells.index, dtype="Float64")
    cells["margin"] = required - rate
    return (rate >= required).where(rate.notna() & required.notna()).astype("boolean")


def _below_by_income(cells: pd.DataFrame, income: pd.Series) -> pd.Series:
    """Whether each cell is below its threshold; writes its income and margin."""
    threshold = cells["threshold_eur"].astype("Float64")
    cells["income_eur"] = income.astype("Float64")
    cells["margin"] = cells["income_eur"] / threshold - 1
    return (cells["income_eur"] < threshold).astype("boolean")


def _unfit(by_unit: pd.DataFrame, rules: Rules) -> tuple[list[Any], list[Any]]:
    """Units that are too small, and units of which the median or the population is not known."""
    people = by_unit["population"]
    small = people.notna() & ~people.map(lambda one: rules.unit_qualifies(Fraction(str(one))), na_action="ignore").eq(
        other=True
    )
    unknown = ~small & (people.isna() | by_unit["median"].isna())
    return list(by_unit.index[small]), list(by_unit.index[unknown])


def _require_income(grid: pd.DataFrame, income: str, poverty_rate: float | None) -> None:
    problems: list[str] = []
    if income not in grid.columns and income not in (MEAN, POVERTY):
        problems.append(Note("designation.no_income", income=str(income)))
    if income not in grid.columns:
        needs_mean = income == MEAN or (income == POVERTY and poverty_rate is None)
        missing = ["living_standard_sum_eur"] if needs_mean and not _holds(grid, "living_standard_sum_eur") else []
        if income == POVERTY and _rates(grid).isna().all():
            missing.append("poor_households")
        problems += [Note("designation.proxy_column", column=name, proxy=income) for name in missing]
    if problems:
        raise UsageError(
            Note("designation.income_unusable"), problems=problems, way_out=Note("designation.income_way_out")
        )


def _holds(grid: pd.DataFrame, column: str) -> bool:
    """Whether a grid has a column with a value in it."""
    return column in grid.columns and bool(grid[column].notna().any())


def _mean(cells: pd.DataFrame, by_unit: pd.DataFrame, calibration: dict[str, dict[str, Any]]) -> pd.Series:
    """Mean living standard of cells, scaled so that the mean of each unit stands at its median."""
    people = cells["population"].astype("Float64")
    mean = cells["living_standard_sum_eur"].astype("Float64") / people.where(people > 0)
    known = mean.notna()
    sums = cells[known].groupby("unit")[["living_standard_sum_eur", "population"]].sum()
    of_cells = sums["living_standard_sum_eur"] / sums["population"]
    given = by_unit["mean"].astype("Float64") if "mean" in by_unit.columns else pd.Series(dtype="Float64")
    unit_mean = given.reindex(of_cells.index).fillna(of_cells)
    factor = (by_unit["median"].astype("Float64") / unit_mean).dropna()
    for unit, value in factor.items():
        calibration[str(unit)] = {
            "median_eur": float(by_unit.loc[unit, "median"]),
            "mean_eur": float(unit_mean[unit]),
            "factor": float(value),
            "mean_of": "unit" if pd.notna(given.get(unit)) else "cells",
        }
    return mean * cells["unit"].map(factor).astype("Float64")


def _rates(grid: pd.DataFrame) -> pd.Series:
    """Share of poor households of each cell, or of poor people where the grid counts these."""
    for part, whole in (("poor_households", "households"), ("poor_population", "population")):
        if {part, whole} <= set(grid.columns) and grid[part].notna().any():
            counted = grid[whole].astype("Float64")
            return grid[part].astype("Float64") / counted.where(counted > 0)
    return pd.Series(pd.NA, index=grid.index, dtype="Float64")


def _poverty(
    cells: pd.DataFrame, by_unit: pd.DataFrame, given: float | None, calibration: dict[str, dict[str, Any]]
) -> tuple[pd.Series, pd.Series]:
    """Rate of poor households of each cell, and the rate from which on it is eligible."""
    rate = cells["poverty_rate"]
    if given is not None:
        calibration.update({str(unit): {"poverty_rate": float(given)} for unit in by_unit.index})
        return rate, pd.Series(float(given), index=cells.index, dtype="Float64").where(cells["unit"].notna())
    below = _mean(cells, by_unit, {}) < cells["threshold_eur"].astype("Float64")
    required: dict[Any, float] = {}
    for unit, rows in cells[rate.notna()].groupby("unit"):
        wanted = float(rows["population"][below.reindex(rows.index).fillna(value=False)].sum())
        ranked = rate.reindex(rows.index).sort_values(ascending=False)
        reached = rows["population"].reindex(ranked.index).astype(float).fillna(0).cumsum()
        at = int(np.searchsorted(reached.to_numpy(), wanted * (1 - _LAST_DIGIT)))
        required[unit] = float(ranked.iloc[min(at, len(ranked) - 1)]) if wanted > 0 else float("inf")
        at_rate = required[unit] if wanted > 0 else None
        calibration[str(unit)] = {"poverty_rate": at_rate, "people_below_by_mean": wanted}
    return rate, cells["unit"].map(required).astype("Float64")


def _states(cells: pd.DataFrame, below: pd.Series, *, small: Flags, unknown: Flags, apart: Iterable[str]) -> pd.Series:
    conditions = {
        "unit too small": small,
        "unit unknown": unknown,
        "no unit": cells["unit"].isna(),
        "no data": below.isna(),
        **{kind: cells["basis"] == kind for kind in apart},
        "eligible": below.fillna(value=False).to_numpy(bool),
    }
    return pd.Series(
        np.select(list(conditions.values()), list(conditions), "above threshold"), index=cells.index, dtype="str"
    )


def _basis(grid: pd.DataFrame, numbers: pd.DataFrame) -> pd.Series:
    """How sure the values of each cell are."""
    nothing = pd.Series(pd.NA, index=grid.index, dtype="boolean")
    imputed = grid["imputed"].astype("boolean") if "imputed" in grid.columns else nothing
    few = nothing
    if "households" in numbers:
        few = (numbers["households"].astype("Float64") < _FEW_HOUSEHOLDS).astype("boolean")
    unsaid = imputed.isna() & few.isna()
    flags = [one.fillna(value=False).to_numpy(bool) for one in (imputed, few, unsaid)]
    return pd.Series(
        np.select(flags, ["imputed", "few households", "not known"], "observed"), index=grid.index, dtype="str"
    )


def _notes(cells: pd.DataFrame, income: str, grid: pd.DataFrame, *, given_mean: bool) -> list[Note]:
    """What a reader of the table must know, most important first."""
    notes = [Note("designation.not_the_law")]
    if income in (MEAN, POVERTY) and income not in grid.columns:
        notes.append(Note(f"designation.proxy_{income}"))
        if not given_mean:
            notes.append(Note("designation.calibrated_on_cells"))
    unsure = int((cells["eligible"].fillna(value=False) & cells["basis"].isin(_APART)).sum())
    if unsure:
        notes.append(Note("designation.unsure_cells", count=unsure))
    counts: Mapping[str, int] = cells["state"].value_counts().to_dict()
    notes += [
        Note(f"designation.state_{state.replace(' ', '_')}", count=counts[state])
        for state in ("no data", "no unit", "unit too small", "unit unknown", *_APART)
        if counts.get(state)
    ]
    return notes
