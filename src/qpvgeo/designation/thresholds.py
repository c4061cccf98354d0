"""Income threshold below which a quartier can be designated, in exact arithmetic.

Source: décret n° 2014-767 of 3 July 2014, art. 2 and 4 (and its version by décret n° 2023-1312); décret n° 2014-1575 of
22 December 2014, art. 1 to 3, for Martinique and La Réunion.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes.places import plain
from qpvgeo.errors import UsageError, judged
from qpvgeo.language import Note

__all__ = ["Rules", "income_threshold", "rules_of"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Criteria of one regime, from `facts/designation_rules.csv`.

    Attributes
    ----------
    national_weight, local_weight
        Weights of the two medians; they swap from `swap_population` inhabitants on, where there is one.
    share
        Share of the weighted medians.
    round_up_eur
        The threshold is rounded up to a multiple of this amount.
    min_unit_population, population_round_up
        Least size of the unit, and the multiple to which its population is rounded up before the test.
    min_people, min_density_km2
        Least inhabitants of a quartier, and least inhabitants per km², where there is one.
    article
        Articles of the decree.
    """

    regime: str
    national_weight: Fraction
    local_weight: Fraction
    swap_population: int | None
    share: Fraction
    round_up_eur: int
    min_unit_population: int
    population_round_up: int | None
    min_people: int
    min_density_km2: int | None
    article: str
    data: str

    def unit_qualifies(self, population: Fraction) -> bool:
        """Tell whether a unit is large enough, its population rounded up as the decree says."""
        step = self.population_round_up
        return (population if step is None else math.ceil(population / step) * step) >= self.min_unit_population

    def threshold(self, national: Fraction, local: Fraction, population: Fraction) -> int:
        """Threshold in euros a year and consumption unit."""
        swapped = self.swap_population is not None and population >= self.swap_population
        weights = (self.local_weight, self.national_weight) if swapped else (self.national_weight, self.local_weight)
        exact = self.share * (weights[0] * national + weights[1] * local)
        return math.ceil(exact / self.round_up_eur) * self.round_up_eur


def rules_of(regime: str) -> Rules:
    """Criteria of a regime.

    Raises
    ------
    UsageError
        There is no such regime, or it is one whose method is not an income threshold.
    """
    known = {row["regime"]: row for row in facts.rows("designation_rules")}
    if regime not in known:
        other = [
            row
            for row in facts.rows("designation_methods")
            if plain(str(regime)) in {row["territory"], plain(row["name"])}
        ]
        problems = [
            Note("designation.other_method", name=row["name"], method=row["method"], article=row["article"])
            for row in other
        ]
        raise UsageError(
            Note("designation.unknown_regime", regime=str(regime)),
            problems=problems,
            way_out=Note("designation.regimes", regimes=list(known)),
        )
    row = known[regime]
    return Rules(
        regime,
        Fraction(row["national_weight"]),
        Fraction(row["local_weight"]),
        _whole(row["swap_population"]),
        Fraction(row["share"]),
        int(row["round_up_eur"]),
        int(row["min_unit_population"]),
        _whole(row["population_round_up"]),
        int(row["min_people"]),
        _whole(row["min_density_km2"]),
        row["article"],
        row["data"],
    )


def _whole(text: str) -> int | None:
    return int(text) if text else None


@judged
def income_threshold(national_median: Any, local_median: Any, population: Any, *, regime: str = "2014") -> Any:  # noqa: ANN401
    """Income below which a quartier can be designated, in euros a year and consumption unit.

    ``threshold = 0.6 x (0.7 x national + 0.3 x local)``, the weights swapped in a unit of 5,000,000 inhabitants or more
    (0.3 and 0.7 for the department in Martinique and La Réunion), rounded up to the next 100 euros. A quartier is below
    when its median income is strictly less.

    Parameters
    ----------
    national_median
        Median income by consumption unit of France métropolitaine, in euros a year.
    local_median
        The same of the urban unit; of the department for Martinique and La Réunion.
    population
        Inhabitants (*population totale*) of the urban unit; of the commune for Martinique and La Réunion.
    regime : {"2014", "2023", "martinique-reunion-2014"}
        Which decree:

        - `"2014"`: list of 2015 (décret 2014-767);
        - `"2023"`: list of 2024 (the same as amended by décret 2023-1312, whose article 4 is taken as unchanged);
        - `"martinique-reunion-2014"`: list of 2015 in Martinique and La Réunion (décret 2014-1575).

    Returns
    -------
    int or pandas.Series
        An `int` for numbers, `pandas.NA` where a value is missing or the unit is too small to have QPV: under 10,000
        inhabitants, once rounded up to the next hundred (15,000 for a commune of Martinique and La Réunion, not
        rounded). An `Int64` series on the index of the first series given, where one is.

    Raises
    ------
    UsageError
        Values that are not amounts or numbers of people, series whose indexes differ, or an unknown regime: lists them.

    Notes
    -----
    Amounts are taken as they print, in decimal: 0.6 x 0.7 in binary would push an exact multiple of 100 over the edge.

    Examples
    --------
    >>> income_threshold(18750, 18000, 60000)
    11200
    >>> income_threshold(20000, 20000, 9901), income_threshold(20000, 20000, 9900)
    (12000, <NA>)
    """
    rules = rules_of(regime)
    given = {"national_median": national_median, "local_median": local_median, "population": population}
    columns = {name: value for name, value in given.items() if isinstance(value, pd.Series)}
    if not columns and any(np.ndim(value) for value in given.values() if not isinstance(value, str)):
        columns = {name: pd.Series(value) for name, value in given.items() if np.ndim(value)}
    if not columns:
        problems: list[str] = []
        numbers = [_exact(value, name, None, problems) for name, value in given.items()]
        _refuse(problems)
        return _one(rules, numbers)
    index = next(iter(columns.values())).index
    problems = [
        Note("designation.other_index", name=name) for name, column in columns.items() if not column.index.equals(index)
    ]
    _refuse(problems)
    rows = {name: columns[name].tolist() if name in columns else [given[name]] * len(index) for name in given}
    read = {
        name: [_exact(value, name, label, problems) for label, value in zip(index, values, strict=True)]
        for name, values in rows.items()
    }
    _refuse(problems)
    found = [_one(rules, numbers) for numbers in zip(*read.values(), strict=True)]
    return pd.Series(found, index=index, dtype="Int64", name="threshold_eur")


def _one(rules: Rules, numbers: Any) -> Any:  # noqa: ANN401
    national, local, population = numbers
    if None in (national, local, population) or not rules.unit_qualifies(population):
        return pd.NA
    return rules.threshold(national, local, population)


def _exact(value: object, name: str, label: object, problems: list[str]) -> Fraction | None:
    """A value as it prints, exactly; None where it is missing."""
    if value is None or value is pd.NA or (isinstance(value, float | np.floating) and np.isnan(value)):
        return None
    try:
        number = Fraction(-1 if isinstance(value, bool | np.bool_ | str | Mapping) else str(value))
    except ValueError:
        number = Fraction(-1)
    if number < 0:
        where = name if label is None else f"{name}[{label!r}]"
        problems.append(Note("designation.not_an_amount", where=where, value=repr(value)))
        return None
    return number


def _refuse(problems: list[str]) -> None:
    if problems:
        raise UsageError(
            Note("designation.no_threshold"), problems=problems, way_out=Note("designation.threshold_way_out")
        )
