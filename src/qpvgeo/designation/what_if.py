"""A perimeter drawn by anyone, judged by the criteria of the decree: which pass, which fail, and by how much.

The nearest change that would flip the verdict is named in whole cells: those to leave out, from the highest income
down, until the income is below the threshold; those to add, eligible and next to the perimeter, until there are enough
people. Of a perimeter that passes, those to leave out, with the most people first, until there are too few.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.errors import DataError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.frames.require import require_columns, require_unique_cells
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.insee_lattice import Cells, format_ids, locate, neighbours, parse_ids
from qpvgeo.language import Note

__all__ = ["Judgement", "judge_perimeters"]

_NEEDED = ("unit", "threshold_eur", "income_eur", "eligible", "state", "population", "households")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts on perimeters.

    Attributes
    ----------
    verdicts
        A row per perimeter, on its index.
    changes
        A row per cell to add or leave out for the verdict to flip: `perimeter`, `change` (`"add"` or `"leave out"`),
        `cell_id`, `population`.
    """

    verdicts: pd.DataFrame
    changes: pd.DataFrame


@judged
def judge_perimeters(areas: gpd.GeoDataFrame, cells: pd.DataFrame, *, min_population: float = 1_000) -> Judgement:
    """Judge any perimeters by the criteria of the decree.

    Parameters
    ----------
    areas
        Polygons with a CRS.
    cells
        Frame of `qpvgeo.eligible_cells`, by medians or by the mean: rates of poverty give no income to compare.
    min_population
        Least people.

    Returns
    -------
    Judgement
        `verdicts` has, on the index of the areas:

        - `passes`: boolean, missing where no cell or no income is known under the area;
        - `population_low`, `population`, `population_high`: people of the cells wholly inside, spread by area, touched;
        - `population_margin`: people above (or, negative, short of) the minimum;
        - `income_eur`, `threshold_eur`, `income_margin`: mean income compared weighted by people, threshold of the unit
          that most people are in, and income over threshold less 1 (below 0 is below the threshold);
        - `unit`, `reasons`: list of notes, why it fails or cannot be judged.

    Raises
    ------
    DataError
        The cells are not those of `eligible_cells`, or hold no income.

    Examples
    --------
    >>> import pandas as pd, qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> towns = ["99001", "99002", "99003", "99004"]
    >>> units = pd.DataFrame({"unit": "99A", "population": 45_000, "median": 19_000}, index=towns)
    >>> cells = qg.eligible_cells(grid, units, national_median=21_730)
    >>> judged = judge_perimeters(qg.read_qpv(qg.sample().qpv_2024), cells)
    >>> judged.verdicts["passes"].dtype.name
    'boolean'
    """
    require_columns(cells, _NEEDED, what=Note("frames.the_cells"), way_out=Note("designation.cells_way_out"))
    require_unique_cells(cells)
    if cells["income_eur"].isna().all():
        raise DataError(Note("designation.no_income_to_judge"), way_out=Note("designation.no_income_to_judge_way_out"))
    lattice = parse_ids(cells.index)
    covered = cover(areas, lattice.lattice)
    position = locate(Cells(lattice.lattice, covered.cells.north, covered.cells.east), lattice)
    known = position >= 0
    owner, at, share = covered.area[known], position[known], covered.share[known]
    rows, changes = [], []
    for number, label in enumerate(areas.index):
        mine = owner == number
        row, change = _judged(cells, lattice, at[mine], share[mine], min_population)
        rows.append(row)
        changes += [{"perimeter": label, **one} for one in change]
    verdicts = pd.DataFrame(rows, index=areas.index).astype({"passes": "boolean"})
    listed = pd.DataFrame(changes, columns=["perimeter", "change", "cell_id", "population"])
    about = provenance(cells)
    stamp(verdicts, about.get("files", []), fictional=is_fictional(cells), notes=list(about.get("notes", [])))
    return Judgement(verdicts, listed)


def _judged(
    cells: pd.DataFrame,
    lattice: Cells,
    at: npt.NDArray[np.intp],
    share: npt.NDArray[np.float64],
    least: float,
) -> tuple[dict[str, object], list[dict[str, object]]]:
    part = cells.iloc[at]
    people = part["population"].astype("Float64").fillna(0).to_numpy(np.float64)
    inside = people * share
    low, high = float(people[share >= 1].sum()), float(people.sum())
    income = part["income_eur"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    unit_people = pd.Series(inside).groupby(part["unit"].to_numpy()).sum()
    unit = unit_people.idxmax() if len(unit_people) else None
    known = ~np.isnan(income)
    mean = float(np.average(income[known], weights=inside[known])) if inside[known].sum() > 0 else float("nan")
    thresholds = part["threshold_eur"][part["unit"] == unit].dropna() if unit is not None else pd.Series(dtype="Int64")
    threshold = int(thresholds.iloc[0]) if len(thresholds) else None
    total = float(inside.sum())
    reasons: list[Note] = []
    if not len(at):
        reasons.append(Note("designation.no_cell_under"))
    elif unit is None:
        reasons.append(Note("designation.in_no_unit"))
    elif threshold is None:
        reasons.append(Note("designation.in_small_unit", unit=str(unit)))
    if len(at) and total < least:
        reasons.append(Note("designation.too_few_people", short=float(np.ceil(least - total)), least=least))
    above = threshold is not None and not np.isnan(mean) and mean >= threshold
    if above:
        reasons.append(Note("designation.too_rich", over=mean - float(threshold or 0), threshold=threshold))
    unknown = not len(at) or (threshold is not None and np.isnan(mean))
    row: dict[str, object] = {
        "passes": pd.NA if unknown else not reasons,
        "population_low": low,
        "population": total,
        "population_high": high,
        "population_margin": total - least,
        "income_eur": mean,
        "threshold_eur": threshold if threshold is not None else pd.NA,
        "income_margin": mean / threshold - 1 if threshold else float("nan"),
        "unit": unit,
        "reasons": reasons,
    }
    changes: list[dict[str, object]] = []
    if above and threshold is not None:
        changes += _left_out(part, inside, income, float(threshold))
    if len(at) and total < least:
        changes += _added(cells, lattice, at, least - total)
    if row["passes"] is True:
        changes += _undone(part, inside, least)
    return row, changes


def _undone(part: pd.DataFrame, inside: npt.NDArray[np.float64], least: float) -> list[dict[str, object]]:
    """Fewest cells to leave out, those with the most people first, for a perimeter that passes to fail."""
    order = np.argsort(-inside, kind="stable")
    short = np.flatnonzero(inside.sum() - np.cumsum(inside[order]) < least)
    return [
        {"change": "leave out", "cell_id": part.index[row], "population": float(part["population"].iloc[row])}
        for row in (order[: short[0] + 1] if len(short) else [])
    ]


def _left_out(
    part: pd.DataFrame, inside: npt.NDArray[np.float64], income: npt.NDArray[np.float64], threshold: float
) -> list[dict[str, object]]:
    """Fewest cells to leave out, the highest incomes first, for the mean to fall below the threshold."""
    order = np.argsort(np.where(np.isnan(income), -np.inf, income))[::-1]
    weights = np.where(np.isnan(income), 0, inside)[order]
    values = np.nan_to_num(income)[order] * weights
    # what remains once the first cells of the order are gone
    left_people = weights.sum() - np.cumsum(weights)
    left_income = values.sum() - np.cumsum(values)
    enough = np.flatnonzero((left_people > 0) & (left_income < threshold * left_people))
    if not len(enough):
        return []
    gone = order[: enough[0] + 1]
    return [
        {"change": "leave out", "cell_id": part.index[row], "population": float(part["population"].iloc[row])}
        for row in gone
    ]


def _added(cells: pd.DataFrame, lattice: Cells, at: npt.NDArray[np.intp], short: float) -> list[dict[str, object]]:
    """Eligible cells next to the perimeter, those with the most people first, until there are enough."""
    inside, missing = set(at.tolist()), short
    added: list[dict[str, object]] = []
    own = cells["unit"].isin(cells["unit"].iloc[at].dropna().unique())
    eligible = (cells["eligible"].fillna(value=False).astype(bool) & own).to_numpy(bool)
    while missing > 0:
        edge = np.fromiter(sorted(inside), np.intp)
        here = Cells(lattice.lattice, lattice.north[edge], lattice.east[edge])
        beside = np.unique(np.concatenate([locate(one, lattice) for one in neighbours(here)]))
        rows = [row for row in beside.tolist() if row >= 0 and row not in inside and eligible[row]]
        if not rows:
            return []
        best = max(rows, key=lambda row: float(cells["population"].iloc[row]))
        gained = float(cells["population"].iloc[best])
        if gained <= 0:
            return []
        inside.add(best)
        missing -= gained
        added.append({"change": "add", "cell_id": format_ids(_one(lattice, best))[0], "population": gained})
    return added


def _one(lattice: Cells, row: int) -> Cells:
    return Cells(lattice.lattice, lattice.north[row : row + 1], lattice.east[row : row + 1])
