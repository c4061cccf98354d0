"""Whom the people of the QPV are compared with: municipal populations of departments, regions and territories.

The populations of a reference year are those of the census of that year, save two cases that are always told: Mayotte
has its own censuses (2012, 2017), and no table of 2018 is among the facts, so that 2019 stands for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.errors import UsageError

__all__ = ["DOM", "Denominator", "Denominators", "Unit", "departments_of", "partial_territories", "unit_names"]

Unit = Literal["department", "region", "territory"]

DOM = ("971", "972", "973", "974", "976")
"""The five overseas departments."""

_YEAR_USED = {2013: 2013, 2018: 2019, 2020: 2020}


@dataclass(frozen=True, slots=True)
class Denominator:
    """People of a set of departments; `people` is None when one of them is not known.

    Attributes
    ----------
    people
        Municipal population, or None.
    year
        Census of most of them, None when the caller did not say it.
    note
        What of it is not of that census, or which population is missing.
    """

    people: int | None
    year: int | None
    note: str = ""


class Denominators:
    """Municipal populations by department, or by whatever unit the caller names.

    Parameters
    ----------
    given
        A year of the facts (2013, 2019, 2020), or people by unit code.
    reference_year
        Year of the populations of the QPV, which chooses the census when nothing is given.

    Examples
    --------
    >>> Denominators(reference_year=2018).of(["59", "976"])
    Denominator(people=2864864, year=2019, note='2019 stands for 2018; Mayotte: census of 2017')
    """

    def __init__(
        self, given: int | Mapping[str, int] | pd.Series | None = None, reference_year: int | None = None
    ) -> None:
        self._people: dict[str, tuple[int, int | None]] = {}
        self._note = ""
        self._given = given is not None
        self._year: int | None = None
        # a region and a department can bear one code: a unit is looked up by its own only when the caller names it
        # and does not give its departments
        self._by_unit = not (given is None or isinstance(given, int))
        if given is None and reference_year is not None and reference_year in _YEAR_USED:
            year = self._year = _YEAR_USED[reference_year]
            self._people = dict(facts.census_populations(year))
            self._note = f"{year} stands for {reference_year}" if year != reference_year else ""
        elif isinstance(given, int):
            self._people = dict(facts.census_populations(given))
        elif given is not None:
            people = dict(given)
            wrong = [f"{key}: {value!r}" for key, value in people.items() if pd.isna(value) or value <= 0]
            if wrong:
                raise UsageError("Denominators are numbers of people above zero.", problems=wrong)
            self._people = {str(key): (int(value), None) for key, value in people.items()}

    @property
    def given(self) -> bool:
        """Whether the caller named the people or their year: what to compare with is then the caller's affair."""
        return self._given

    def of(self, departments: list[str], *, unit: str = "") -> Denominator:
        """People of some departments together, or of the unit that they make when it is given by its own code."""
        whole = bool(departments) and all(part in self._people for part in departments)
        parts = [unit] if self._by_unit and not whole and unit in self._people else departments
        missing = [part for part in parts if part not in self._people]
        if missing or not parts:
            return Denominator(None, None, f"no denominator for {', '.join(_place(part) for part in missing)}")
        years = [self._people[part][1] for part in parts]
        year = max(years, key=lambda census: (years.count(census), census or 0))
        other = [f"{_place(part)}: census of {y}" for part, y in zip(parts, years, strict=True) if y != year]
        note = "; ".join([self._note, *other] if self._note and year == self._year else other)
        return Denominator(sum(self._people[part][0] for part in parts), year, note)


def _place(code: str) -> str:
    return facts.names("departments").get(code) or facts.names("territories").get(code) or code


def departments_of(unit: str, by: Unit) -> list[str]:
    """Departments that make a unit.

    Examples
    --------
    >>> departments_of("94", "region"), departments_of("974", "territory"), len(departments_of("hexagone", "territory"))
    (['2A', '2B'], ['974'], 96)
    """
    rows = facts.rows("departments")
    if by == "region":
        return [row["code"] for row in rows if row["region"] == unit] or [unit]
    if by == "territory" and unit == "hexagone":
        return [row["code"] for row in rows if territories.of_department(row["code"]) == "hexagone"]
    return [unit]


def unit_names(by: Unit) -> dict[str, str]:
    """Names by code of the units of a level; collectivities without department or region go by their territory."""
    own = facts.names("territories")
    return {**own, **(facts.names(f"{by}s") if by != "territory" else {})}


def partial_territories(territory: pd.Series, vintage: int) -> dict[str, str]:
    """Territories of which only some QPV are there, with the words that say so.

    Nothing tells whether the QPV of an extract are all those of their departments: no share of a territory, region or
    department is given from one, unless the caller names the denominators.

    Parameters
    ----------
    territory
        Territory of each QPV.
    vintage
        2015 or 2024.

    Examples
    --------
    >>> import pandas as pd
    >>> partial_territories(pd.Series(["972"] * 7 + ["978"]), 2015)
    {'978': '1 of the 2 QPV of Saint-Martin'}
    """
    expected = facts.expected_counts(vintage)
    return {
        str(place): f"{count} of the {max(expected[str(place)])} QPV of {facts.names('territories')[str(place)]}"
        for place, count in territory.value_counts().items()
        if place in expected and count not in expected[str(place)]
    }
