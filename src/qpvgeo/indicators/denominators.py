"""Municipal populations of departments, regions and territories: the denominators of every share.

The populations of a reference year are those of the census of that year, with two exceptions, which notes report:
Mayotte has its own censuses (2012, 2017), and for 2018 the facts hold the regions only, so that departments of the
hexagone take those of 2019.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.errors import UsageError
from qpvgeo.language import Note, joined

__all__ = [
    "DOM",
    "Completeness",
    "Denominator",
    "Denominators",
    "Given",
    "Unit",
    "departments_of",
    "unit_names",
    "years_of_sides",
]

Unit = Literal["department", "region", "territory"]
Given: TypeAlias = int | Mapping[str, int] | pd.Series | None

DOM = ("971", "972", "973", "974", "976")
"""The five overseas departments."""

_DEPARTMENTS_FROM = {2018: 2019}
"""Census that gives the departments of a year of which only the regions are held."""

People = Mapping[str, tuple[int, int | None]]


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
        Which part comes from another census, or which population is missing: a `Note`, or an empty text.
    """

    people: int | None
    year: int | None
    note: str = ""


@dataclass(frozen=True)
class Denominators:
    """Municipal populations by department and region, or by whatever unit the caller names.

    Made by `of_year`, `for_reference_year`, `of_people` or, from an argument of a public function, `choose`.

    Attributes
    ----------
    people
        People by department, or by the units of the caller, with the year of their census.
    regions
        People by region, which come before those of its departments.
    explicit
        Whether the caller named the people or their year: the comparison is then the caller's choice.
    by_unit
        Whether `people` may be those of regions or territories.
    stands_for
        Year asked for and census used for single departments, where they differ.
    why
        Why nothing is known at all.

    Examples
    --------
    >>> Denominators.for_reference_year(2018).of(["59", "976"])
    Denominator(people=2864864, year=2019, note='2019 stands for 2018; Mayotte: census of 2017')
    >>> Denominators.for_reference_year(2018).of(["973"])
    Denominator(people=276128, year=2018, note='')
    """

    people: People
    regions: People
    explicit: bool = False
    by_unit: bool = False
    stands_for: tuple[int, int] | None = None
    why: str = ""

    @classmethod
    def choose(cls, given: Given, reference_year: int | None = None) -> Self:
        """Read the argument `denominators` of a public function.

        Raises
        ------
        UsageError
            It is neither a known year nor people above zero by unit.
        """
        if given is None:
            return cls.for_reference_year(reference_year)
        if isinstance(given, int | np.integer) and not isinstance(given, bool):
            return cls.of_year(int(given))
        return cls.of_people(given)

    @classmethod
    def of_year(cls, year: int, *, explicit: bool = True) -> Self:
        """Municipal populations of a year.

        Raises
        ------
        UsageError
            The facts do not hold that year.
        """
        census = _DEPARTMENTS_FROM.get(year, year)
        return cls(
            facts.census_populations(census),
            facts.region_populations(year),
            explicit=explicit,
            stands_for=(year, census) if census != year else None,
        )

    @classmethod
    def for_reference_year(cls, year: int | None) -> Self:
        """Municipal populations that fit the reference year of a table of populations; none where there are none."""
        if year is None:
            return cls({}, {}, why=Note("indicators.no_reference_year"))
        try:
            return cls.of_year(year, explicit=False)
        except UsageError:
            return cls({}, {}, why=Note("indicators.no_populations_of", year=year))

    @classmethod
    def of_people(cls, given: Any) -> Self:  # noqa: ANN401 - people by unit, or what is refused
        """People by unit code, of a census that is not stated.

        Raises
        ------
        UsageError
            These are not numbers of people above zero.
        """
        if not isinstance(given, Mapping | pd.Series):
            raise UsageError(
                Note("indicators.no_denominators", kind=type(given).__name__),
                way_out=Note("indicators.denominators_way_out"),
            )
        people = dict(zip(given.index.tolist(), given.tolist(), strict=True) if isinstance(given, pd.Series) else given)
        wrong = {key: value for key, value in people.items() if not _is_people(value)}
        if wrong:
            raise UsageError(
                Note("indicators.denominators_above_zero"),
                problems=[
                    Note("indicators.value_of", label=str(key), value=repr(value)) for key, value in wrong.items()
                ],
                way_out=Note("indicators.denominators_way_out"),
            )
        return cls({str(key): (int(value), None) for key, value in people.items()}, {}, explicit=True, by_unit=True)

    def of(self, departments: Collection[str], *, unit: str = "") -> Denominator:
        """People of some departments together, or of the unit that they make when it is given by its own code."""
        # a region and a department can bear one code: a unit is looked up by its own only when the caller names it
        # and does not give its departments
        whole = bool(departments) and all(part in self.people for part in departments)
        if self.by_unit and not whole and unit in self.people:
            return Denominator(*self.people[unit])
        found, alone = self._regions_of(departments)
        missing = [part for part in alone if part not in self.people]
        if missing or not departments:
            return Denominator(None, None, self.why or Note("indicators.no_denominator", places=_places(missing)))
        found |= {_place(part): self.people[part] for part in alone}
        years = [census for _, census in found.values()]
        year = max(years, key=lambda census: (years.count(census), census or 0))
        notes = [
            Note("indicators.census_of", place=place, year=census)
            for place, (_, census) in found.items()
            if census != year and not (self.stands_for and census == self.stands_for[1])
        ]
        if self.stands_for and self.stands_for[1] in years:
            notes = [Note("indicators.stands_for", used=self.stands_for[1], wanted=self.stands_for[0]), *notes]
        return Denominator(sum(count for count, _ in found.values()), year, joined(notes))

    def _regions_of(self, departments: Collection[str]) -> tuple[dict[str, tuple[int, int | None]], list[str]]:
        """People of the regions that are whole, by name, and the departments left."""
        alone, found = list(dict.fromkeys(departments)), {}
        for region, people in self.regions.items():
            own = departments_of(region, "region")
            if set(own) <= set(alone):
                found[facts.names("regions")[region]] = people
                alone = [code for code in alone if code not in own]
        return found, alone


def _is_people(value: Any) -> bool:  # noqa: ANN401 - whatever was given
    number = isinstance(value, int | float | Real) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > 0


def _place(code: str) -> str:
    return facts.names("departments").get(code) or facts.names("territories").get(code) or code


def _places(codes: list[str]) -> list[str]:
    """Names of departments, that of the hexagone for all of its own."""
    hexagone = departments_of("hexagone", "territory")
    if set(hexagone) <= set(codes):
        return [facts.names("territories")["hexagone"], *(_place(code) for code in codes if code not in hexagone)]
    return [_place(code) for code in codes]


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


class Completeness:
    """Which territories, regions and departments a frame holds all the QPV of, by the counts of the published lists.

    Parameters
    ----------
    departments
        Department of each QPV, by its code.
    vintage
        2015 or 2024.

    Examples
    --------
    >>> import pandas as pd
    >>> held = Completeness(pd.Series(["972"] * 7 + ["978"]), 2015)
    >>> held.whole, held.short(["972", "978"])
    ({'972'}, ['1 of the 2 QPV of Saint-Martin'])
    """

    def __init__(self, departments: pd.Series, vintage: int) -> None:
        self._held: Mapping[str, int] = departments.value_counts().to_dict()
        by_territory = departments.map(territories.of_department).value_counts().to_dict()
        self._territories = by_territory
        self._expected = facts.expected_counts(vintage)
        self._by_department = facts.department_counts(vintage)
        self.whole = {place for place, count in by_territory.items() if count in self._expected.get(place, set())}
        """Territories of which every QPV is there."""

    def short(self, departments: Iterable[str], place: str = "") -> list[str]:
        """Notes on the departments whose list is cut; none where every QPV of theirs is there.

        Parameters
        ----------
        departments
            Departments of a unit.
        place
            Name of the unit; that of the territory by default.
        """
        notes: list[str] = []
        grouped: dict[str, list[str]] = {}
        for code in departments:
            grouped.setdefault(territories.of_department(code) or "", []).append(code)
        for territory, own in grouped.items():
            if territory in self.whole or territory not in self._expected:
                continue
            if territory == "hexagone":
                counted = [(self._held.get(code, 0), self._by_department[code]) for code in own]
                if all(count == expected for count, expected in counted):
                    continue
                count, expected = (sum(side) for side in zip(*counted, strict=True))
            else:
                count, expected = self._territories.get(territory, 0), max(self._expected[territory])
            name = place if len(grouped) == 1 and place else facts.names("territories")[territory]
            key = "indicators.part_of_list" if count <= expected else "indicators.more_than_list"
            notes.append(Note(key, count=count, expected=expected, place=name))
        return notes


def years_of_sides(unit: int | None, people: int | None) -> str:
    """Note on the years of the two sides of shares; an empty text when they are known to be the same.

    Examples
    --------
    >>> years_of_sides(2020, 2020), years_of_sides(None, 2020)
    ('', 'population of the unit: year not stated; people in QPV: census of 2020')
    """
    if unit is not None and unit == people:
        return ""
    unknown = Note("indicators.year_not_stated")
    return Note(
        "indicators.years_of_sides",
        unit=unknown if unit is None else Note("indicators.census_year", year=unit),
        people=unknown if people is None else Note("indicators.census_year", year=people),
    )
