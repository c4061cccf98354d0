"""Measures of the sizes of QPV: mean, quantiles, extremes, and units above a share."""

from typing import Any

import pandas as pd

from qpvgeo import facts
from qpvgeo.errors import MissingDataError
from qpvgeo.frames import forms
from qpvgeo.language import Note
from qpvgeo.published.figures import UNITS
from qpvgeo.published.material import needs
from qpvgeo.published.people_measures import inhabitants_of, n_qpv, population, sizes, table_rows
from qpvgeo.published.registry import Asked, measure, number_argument
from qpvgeo.published.scopes import Scope, require_level

__all__ = ["max_people", "mean_people", "min_people", "quantile_people"]


@measure("persons")
def mean_people(asked: Asked) -> float:
    """Mean number of people of a QPV."""
    try:
        return population(asked) / n_qpv(asked)
    except MissingDataError:
        return float(sizes(asked, asked.figure.year).mean())


@measure("persons", "q")
def quantile_people(asked: Asked) -> float:
    """Quantile of the people of a QPV (`q`, 0.5 by default)."""
    return float(sizes(asked, asked.figure.year).quantile(number_argument(asked, "q", 0.5)))


@measure("persons")
def max_people(asked: Asked) -> float:
    """People of the most populated QPV."""
    return float(sizes(asked, asked.figure.year).max())


@measure("persons")
def min_people(asked: Asked) -> float:
    """People of the least populated QPV."""
    return float(sizes(asked, asked.figure.year).min())


@measure("QPV", "people")
def n_above_people(asked: Asked) -> float:
    """QPV of more than so many people."""
    return float((sizes(asked, asked.figure.year) > number_argument(asked, "people")).sum())


@measure("QPV", "people")
def n_below_people(asked: Asked) -> float:
    """QPV of fewer than so many people."""
    return float((sizes(asked, asked.figure.year) < number_argument(asked, "people")).sum())


@measure("persons", "people")
def population_above(asked: Asked) -> float:
    """People of the QPV that have more than so many."""
    own = sizes(asked, asked.figure.year)
    return float(own[own > number_argument(asked, "people")].sum())


@measure("departments", "by", "share", "base")
def n_units_above(asked: Asked) -> float:
    """Departments or regions of a place where more than a share of the people lives in QPV."""
    least = number_argument(asked, "share")
    by = asked.figure.argument("by") or "department"
    units: dict[str, list[str]] = {}
    for code in asked.scope.codes:
        units.setdefault(code if by == "department" else facts.region_of(code) or code, []).append(code)
    rows = table_rows(asked, asked.figure.year)
    base = int(asked.figure.argument("base") or asked.figure.year or 0)
    found = 0
    for own in units.values():
        people = rows["population"].reindex(own).sum()
        found += bool(
            people and float(people) / inhabitants_of(asked, base, Scope("departments", tuple(own), "")) > least
        )
    return float(found)


@measure("value", "column")
def indicator(asked: Asked) -> float:
    """A column of the table of populations, of one QPV."""
    require_level(asked.scope, "qpv")
    table = asked.material.people(asked.figure.vintage, asked.figure.year)
    column: Any = asked.figure.argument("column")
    if column not in table.columns:
        raise needs("population", asked.figure.vintage, forms.reference_year(table))
    own = pd.to_numeric(table[column].reindex(list(asked.scope.codes)), errors="coerce")
    if own.isna().any():
        raise MissingDataError(Note("published.without_value", column=str(column)))
    return float(own.mean()) * UNITS.get(asked.figure.unit.casefold(), 1.0)
