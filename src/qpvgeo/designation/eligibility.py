"""Cells whose income is below the threshold of their urban unit: by a column of medians, or by a named proxy.

The decree compares medians of declared income. The grids hold winsorised sums of living standards and numbers of poor
households: both can stand in for the medians only after calibration, and the result says which proxy was used and how
it was calibrated. Nothing here is an outline of the law, which was fixed after mayors were consulted (art. 3).

Source: décret n° 2014-767, art. 2 to 4; Insee, dictionary of the gridded data.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from qpvgeo import facts
from qpvgeo.designation.thresholds import income_threshold, rules_of
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.frames.require import require_columns, require_unique_cells
from qpvgeo.language import Note

__all__ = ["CELL_COLUMNS", "MEAN", "POVERTY", "eligible_cells"]

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

_FEW_HOUSEHOLDS = 11
_NEEDED = ("population",)
_UNIT_COLUMNS = ("unit", "population", "median")
_MOST_TOLD = 20

_OWN_REGIME, _OWN_THRESHOLDS = "martinique-reunion-2014", ("972", "974")
"""Regime of the territories whose threshold rests on the median of the department."""


@judged
def eligible_cells(
    grid: pd.DataFrame,
    units: pd.DataFrame,
    *,
    national_median: float,
    income: str = MEAN,
    poverty_rate: float | None = None,
    regime: str = "2014",
) -> pd.DataFrame:
    """Cells of a grid whose income is strictly below the threshold of their unit.

    Parameters
    ----------
    grid
        Frame of `qpvgeo.read_grid`.
    units
        A row per commune, on its code: `unit` (code of the urban unit), `population` (inhabitants of the whole unit),
        `median` (its median income by consumption unit, in euros a year); for Martinique and La Réunion the median is
        that of the department and the population that of the commune. Communes that are not in it are in no unit. With
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

    Returns
    -------
    pandas.DataFrame
        A row per cell of the grid, on its index:

        - `unit`, `threshold_eur`, `income_eur`: unit of the first commune of the cell (of all cells, where the grid has
          no communes and the table one unit), its threshold, the income compared;
        - `margin`: income over threshold, less 1 (rate of poverty: required rate less that of the cell);
        - `poverty_rate`: poor households over households, or people over people where the grid counts these;
        - `eligible`: boolean, missing where it is not known;
        - `state`: `eligible`, `above threshold`, `no unit`, `unit too small` or `no data`;
        - `basis`: how sure the values of the cell are: `observed`, `few households` (under 11) or `imputed`;
        - `population`, `households`, `poor_households`, `living_standard_sum_eur`, `communes`: as in the grid.

        `attrs["qpvgeo"]` holds the regime, the proxy and its calibration by unit (`calibration`), and the notes.

    Raises
    ------
    UsageError
        An unknown regime, a proxy that is neither a column nor a named one, a rate that is not a share.
    DataError
        Columns that are missing, cells or communes that appear twice, several values for one unit.

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
    require_columns(grid, _NEEDED, what=Note("frames.the_grid"))
    require_unique_cells(grid)
    _require_units(units)
    _require_amount(national_median)
    _require_places(grid, units, rules.regime)
    _require_income(grid, income, poverty_rate)
    by_unit = units.drop_duplicates("unit").set_index("unit")
    thresholds = income_threshold(national_median, by_unit["median"], by_unit["population"], regime=regime)
    unit = _units(grid, units)
    cells = pd.DataFrame({"unit": unit, "threshold_eur": unit.map(thresholds).astype("Int64")}, index=grid.index)
    held = [name for name in CELL_COLUMNS if name in grid.columns and name != "poverty_rate"]
    cells = cells.join(grid[held]).assign(poverty_rate=_rates(grid))
    calibration: dict[str, dict[str, Any]] = {}
    if income == POVERTY:
        rate, required = _poverty(cells, by_unit, poverty_rate, calibration)
        cells["income_eur"] = pd.Series(pd.NA, index=cells.index, dtype="Float64")
        cells["margin"] = required - rate
        below = (rate >= required).where(rate.notna() & required.notna()).astype("boolean")
    else:
        column = grid[income].astype("Float64") if income in grid.columns else _mean(cells, by_unit, calibration)
        cells["income_eur"] = column
        cells["margin"] = column / cells["threshold_eur"].astype("Float64") - 1
        below = (column < cells["threshold_eur"].astype("Float64")).astype("boolean")
    cells["state"] = _states(cells, below)
    cells["eligible"] = below.where(cells["state"].isin(["eligible", "above threshold"]), pd.NA)
    cells.loc[cells["state"].isin(["no unit", "unit too small"]), "eligible"] = False
    cells["basis"] = _basis(grid)
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
        epsg=about.get("epsg"),
        grid_vintage=about.get("vintage"),
        fictional=is_fictional(grid),
        notes=_notes(found, income, grid, given_mean="mean" in units.columns or poverty_rate is not None),
    )


def _units(grid: pd.DataFrame, units: pd.DataFrame) -> pd.Series:
    """Unit of each cell: that of its first commune; a table of one unit stands for a grid without communes."""
    if "communes" in grid.columns and grid["communes"].notna().any():
        return grid["communes"].map(_first).map(units["unit"])
    if len(units["unit"].unique()) != 1:
        raise DataError(Note("designation.no_communes"), way_out=Note("designation.no_communes_way_out"))
    return pd.Series(units["unit"].iloc[0], index=grid.index)


def _first(communes: object) -> object:
    """First commune of a cell, that of most of its households."""
    if isinstance(communes, str):
        return communes
    return next(iter(communes), None) if isinstance(communes, Iterable) else None


def _require_units(units: pd.DataFrame) -> None:
    require_columns(units, _UNIT_COLUMNS, what=Note("frames.the_units"))
    problems: list[Note] = [
        Note("designation.commune_twice", commune=str(code)) for code in units.index[units.index.duplicated()].unique()
    ]
    for name in ("population", "median", *(["mean"] if "mean" in units.columns else [])):
        several = units.groupby("unit")[name].nunique(dropna=False)
        problems += [
            Note("designation.unit_values", unit=str(unit), column=name) for unit in several[several > 1].index
        ]
        amounts = units[name].astype("Float64").dropna()
        problems += [
            Note("designation.unit_amount", unit=str(units.loc[code, "unit"]), column=name, value=str(amounts[code]))
            for code in amounts.index[~(amounts.between(0, np.inf, inclusive="neither"))]
        ][:_MOST_TOLD]
    if problems:
        raise DataError(
            Note("designation.units_unusable"), problems=problems, way_out=Note("designation.units_way_out")
        )


def _require_amount(national_median: object) -> None:
    """Raise when the national median is no amount of money."""
    given = pd.to_numeric(pd.Series([national_median], dtype=object), errors="coerce").iloc[0]
    if isinstance(national_median, bool) or not 0 < float(given) < np.inf:
        raise UsageError(Note("designation.not_a_median", value=repr(national_median)))


def _require_places(grid: pd.DataFrame, units: pd.DataFrame, regime: str) -> None:
    """Raise when cells lie in a territory that has another method, or other thresholds than those of the regime."""
    communes = grid["communes"].map(_first) if "communes" in grid.columns else pd.Series(units.index)
    places = set(communes.dropna().astype("str").str[:3].unique())
    problems: list[Note] = [
        Note("designation.other_method", name=row["name"], method=row["method"], article=row["article"])
        for row in facts.rows("designation_methods")
        if row["territory"] in places
    ]
    own = {place for place in places if place in _OWN_THRESHOLDS}
    if own and regime == "2014":
        problems.append(Note("designation.own_thresholds", places=sorted(own), regime=_OWN_REGIME))
    if regime == _OWN_REGIME and any(not place.startswith(("97", "98", "99")) for place in places):
        problems.append(Note("designation.not_own_thresholds", regime=_OWN_REGIME))
    if problems:
        raise UsageError(Note("designation.other_places"), problems=problems)


def _require_income(grid: pd.DataFrame, income: str, poverty_rate: float | None) -> None:
    problems: list[str] = []
    if poverty_rate is not None and not (isinstance(poverty_rate, int | float) and 0 <= poverty_rate <= 1):
        problems.append(Note("designation.not_a_share", value=repr(poverty_rate)))
    if income not in grid.columns and income not in (MEAN, POVERTY):
        problems.append(Note("designation.no_income", income=str(income)))
    if income not in grid.columns:
        needs_mean = income == MEAN or (income == POVERTY and poverty_rate is None)
        missing = ["living_standard_sum_eur"] if needs_mean and not _holds(grid, "living_standard_sum_eur") else []
        if income == POVERTY and _rates(grid).isna().all():
            missing.append("poor_households")
        problems += [Note("designation.proxy_column", column=name, proxy=income) for name in missing]
    elif not pd.api.types.is_numeric_dtype(grid[income]):
        problems.append(Note("designation.income_not_numbers", income=str(income)))
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
    mean = mean.where(people > 0)
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
        reached = rows["population"].reindex(ranked.index).astype(float).cumsum()
        at = int(np.searchsorted(reached.to_numpy(), wanted))
        required[unit] = float(ranked.iloc[min(at, len(ranked) - 1)]) if wanted > 0 else float("inf")
        at_rate = required[unit] if wanted > 0 else None
        calibration[str(unit)] = {"poverty_rate": at_rate, "people_below_by_mean": wanted}
    return rate, cells["unit"].map(required).astype("Float64")


def _states(cells: pd.DataFrame, below: pd.Series) -> pd.Series:
    states = np.select(
        [
            cells["unit"].isna(),
            cells["threshold_eur"].isna(),
            below.isna(),
            below.fillna(value=False).to_numpy(bool),
        ],
        ["no unit", "unit too small", "no data", "eligible"],
        "above threshold",
    )
    return pd.Series(states, index=cells.index, dtype="str")


def _basis(grid: pd.DataFrame) -> pd.Series:
    imputed = grid["imputed"].fillna(value=False).to_numpy(bool) if "imputed" in grid else np.zeros(len(grid), bool)
    few = np.zeros(len(grid), bool)
    if "households" in grid and grid["households"].notna().any():
        few = (grid["households"].astype("Float64") < _FEW_HOUSEHOLDS).fillna(value=True).to_numpy(bool)
    return pd.Series(
        np.select([imputed, few], ["imputed", "few households"], "observed"), index=grid.index, dtype="str"
    )


def _notes(cells: pd.DataFrame, income: str, grid: pd.DataFrame, *, given_mean: bool) -> list[Note]:
    """What a reader of the table must know, most important first."""
    notes = [Note("designation.not_the_law")]
    if income in (MEAN, POVERTY) and income not in grid.columns:
        notes.append(Note(f"designation.proxy_{income}"))
        if not given_mean:
            notes.append(Note("designation.calibrated_on_cells"))
    unsure = int((cells["eligible"].fillna(value=False) & (cells["basis"] != "observed")).sum())
    if unsure:
        notes.append(Note("designation.unsure_cells", count=unsure))
    counts: Mapping[str, int] = cells["state"].value_counts().to_dict()
    notes += [
        Note(f"designation.state_{state.replace(' ', '_')}", count=counts[state])
        for state in ("no data", "no unit", "unit too small")
        if counts.get(state)
    ]
    return notes
