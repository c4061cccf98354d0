"""Criteria of the decree on a set of cells, each held by a share: people, income against the threshold, unit.

An income that is not known can be any: cells without one leave the verdict open unless something else settles it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.geometry.insee_lattice import Cells
from qpvgeo.language import Note

__all__ = ["Ground", "Held", "Verdict", "ground_of", "verdict"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

_NO_UNIT, _UNKNOWN_UNIT = -1, -2
_OPEN = ("no data", "imputed", "few households")
"""States of cells whose income does not count as known."""

_SQUARE_KM = 1_000_000


@dataclass(frozen=True, slots=True)
class Ground:
    """Cells, as arrays, and the criteria that they are judged by.

    Attributes
    ----------
    cells
        Places on the lattice.
    people, income, threshold
        Numbers, `nan` where they are not known (threshold: where the unit is too small or not known).
    unit
        Number of the unit; -1 for none, -2 where it is not known.
    known, eligible
        Whether people and income are known, and whether the cell is eligible.
    names
        Name of each unit, by its number.
    range_of
        Lowest and highest income known in each unit, by its number.
    least, density_km2
        People required, and people to the square kilometre where that is required.
    """

    cells: Cells
    people: Floats
    income: Floats
    threshold: Floats
    unit: Positions
    known: Flags
    eligible: Flags
    names: tuple[Any, ...]
    range_of: dict[int, tuple[float, float]]
    least: float
    density_km2: float | None

    @property
    def cell_km2(self) -> float:
        """Area of a cell."""
        return self.cells.lattice.size**2 / _SQUARE_KM

    def part(self, rows: Positions) -> "Ground":
        """Some of the cells, by the same criteria."""
        names = ("people", "income", "threshold", "unit", "known", "eligible")
        cells = Cells(self.cells.lattice, self.cells.north[rows], self.cells.east[rows])
        return replace(self, cells=cells, **{name: getattr(self, name)[rows] for name in names})


@dataclass(frozen=True, slots=True)
class Held:
    """What a perimeter holds: positions of cells, the share of each, and its whole area."""

    at: Positions
    share: Floats
    area_km2: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the criteria are met; None where that is not known.

    Attributes
    ----------
    passes
        The verdict.
    people, density_km2
        People spread evenly over the cells, and people to the square kilometre.
    income, low, high
        Mean of the incomes known, weighted by people; with the incomes that are not known at the lowest and at the
        highest known in the unit.
    known_share
        Share of the people whose income is known.
    unit, threshold
        Number of the unit of most people, and its threshold.
    reasons
        Why it fails, or cannot be judged.
    """

    passes: bool | None
    people: float
    density_km2: float
    income: float
    low: float
    high: float
    known_share: float
    unit: int
    threshold: float
    reasons: tuple[Note, ...]


def ground_of(frame: pd.DataFrame, cells: Cells, least: float, density_km2: float | None) -> Ground:
    """Cells of a frame of `eligible_cells` as arrays."""
    people, income, threshold = (
        frame[name].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        for name in ("population", "income_eur", "threshold_eur")
    )
    codes, names = pd.factorize(frame["unit"])
    unit = np.where((frame["state"] == "unit unknown").to_numpy(bool), _UNKNOWN_UNIT, codes).astype(np.intp)
    known = ~np.isnan(people) & ~np.isnan(income) & ~frame["state"].isin(_OPEN).to_numpy(bool)
    incomes = pd.Series(income[known]).groupby(unit[known]).agg(["min", "max"])
    range_of = {int(number): (float(low), float(high)) for number, low, high in incomes.itertuples()}
    eligible = frame["eligible"].fillna(value=False).to_numpy(bool)
    return Ground(cells, people, income, threshold, unit, known, eligible, tuple(names), range_of, least, density_km2)


def verdict(ground: Ground, held: Held) -> Verdict:
    """Judge what a perimeter holds."""
    at, weight = held.at, held.share * np.nan_to_num(ground.people[held.at])
    people, known = float(weight.sum()), ground.known[at]
    unit = _unit(ground.unit[at], weight, held.share)
    threshold = float(np.append(ground.threshold[at][ground.unit[at] == unit], np.nan)[0])
    sure = float((weight * np.where(known, ground.income[at], 0)).sum())
    open_people = float(weight[~known].sum())
    settled = people - open_people
    low, high = ground.range_of.get(unit, (np.nan, np.nan))
    density = people / held.area_km2 if held.area_km2 > 0 else float("nan")
    # summed cell by cell, so that incomes that are all at the threshold are not below it
    over = float((weight * (np.where(known, ground.income[at], 0) - threshold)).sum())
    failed, unclear = _reasons(ground, held, people, density, over, unit, threshold)
    return Verdict(
        False if failed else None if unclear else True,
        people,
        density,
        sure / settled if settled > 0 else float("nan"),
        (sure + open_people * low) / people if open_people > 0 else sure / people if people > 0 else float("nan"),
        (sure + open_people * high) / people if open_people > 0 else sure / people if people > 0 else float("nan"),
        settled / people if people > 0 else float("nan"),
        unit,
        threshold,
        (*failed, *unclear),
    )


def _unit(units: Positions, weight: Floats, share: Floats) -> int:
    """Unit of most people, of most of the area where there are none."""
    if not len(units):
        return _UNKNOWN_UNIT
    found, number = np.unique(units, return_inverse=True)
    sums = np.bincount(number, weight if weight.sum() > 0 else share)
    return int(found[np.argmax(sums)])


def _reasons(  # noqa: PLR0913, PLR0917 - what a verdict rests on
    ground: Ground, held: Held, people: float, density: float, over: float, unit: int, threshold: float
) -> tuple[list[Note], list[Note]]:
    """Why it fails for certain, and why it cannot be judged."""
    failed: list[Note] = []
    unclear: list[Note] = []
    counted = not np.isnan(ground.people[held.at]).any()
    if not len(held.at):
        return [], [Note("designation.no_cell_under")]
    if unit == _UNKNOWN_UNIT:
        unclear.append(Note("designation.unit_not_known"))
    elif unit == _NO_UNIT:
        failed.append(Note("designation.in_no_unit"))
    elif np.isnan(threshold):
        failed.append(Note("designation.in_small_unit", unit=str(ground.names[unit])))
    if not counted:
        unclear.append(Note("designation.people_not_known"))
    elif round(people, 6) < ground.least:
        # a part of a person is one that is missing
        short = max(ground.least - people, 1.0)
        failed.append(Note("designation.too_few_people", short=short, least=ground.least))
    if counted and ground.density_km2 is not None and not density >= ground.density_km2:
        failed.append(Note("designation.too_sparse", density=density, least=ground.density_km2))
    without = float((held.share * np.nan_to_num(ground.people[held.at]))[~ground.known[held.at]].sum())
    if counted and people > 0 and over >= 0:
        failed.append(Note("designation.too_rich", over=over / people, threshold=threshold))
    elif without > 0 or not people > 0:
        unclear.append(Note("designation.income_not_known", people=without))
    return failed, unclear
