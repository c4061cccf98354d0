"""Measures of the sizes of QPV: mean, quantiles, extremes, and units above a share."""

from typing import Any

import pandas as pd

from qpvgeo import facts
from qpvgeo.errors import MissingDataError
from qpvgeo.frames import forms
from qpvgeo.language import Note
from qpvgeo.published.figure_inputs import needs
from qpvgeo.published.figures import UNITS
from qpvgeo.published.measure_registry import Asked, measure, number_argument
from qpvgeo.published.people_measures import inhabitants_of, n_qpv, population, selected_codes, sizes, table_rows
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


@measure("share", "of")
def qpv_share(asked: Asked) -> float:
    """Share of the QPV of another place (`of`, France by default) that lie in the place."""
    other = asked.place(asked.figure.argument("of") or "France")
    return n_qpv(asked) / n_qpv(Asked(asked.figure, other, asked.material))


@measure("share", "people")
def population_above_share(asked: Asked) -> float:
    """Share of the people of the QPV of a place who live in those of more than so many people."""
    own = sizes(asked, asked.figure.year)
    return float(own[own > number_argument(asked, "people")].sum() / own.sum())


@measure("share", "people")
def n_above_share(asked: Asked) -> float:
    """Share of the QPV of a place that have more than so many people."""
    return float((sizes(asked, asked.figure.year) > number_argument(asked, "people")).mean())


@measure("persons", "n")
def population_of_largest(asked: Asked) -> float:
    """People of the `n` most populated QPV of a place."""
    return float(sizes(asked, asked.figure.year).nlargest(int(number_argument(asked, "n"))).sum())


def _published(asked: Asked) -> pd.DataFrame:
    """Table of populations of the QPV of the place, with a number in each of the columns that are asked."""
    table = asked.material.people(asked.figure.vintage, asked.figure.year)
    own = table.reindex(selected_codes(asked, asked.figure.year))
    names = [name for name in (asked.figure.argument("column"), asked.figure.argument("weight")) if name]
    if not set(names) <= set(table.columns):
        raise needs("population", asked.figure.vintage, forms.reference_year(table))
    return own[names].apply(pd.to_numeric, errors="coerce")


@measure("value", "column")
def sum_indicator(asked: Asked) -> float:
    """Sum of a column of the table of populations over the QPV of a place; every QPV must have it."""
    own = _published(asked).iloc[:, 0]
    if own.isna().any():
        raise MissingDataError(Note("published.without_value", column=str(own.name)))
    return float(own.sum())


@measure("value", "column", "weight")
def mean_indicator(asked: Asked) -> float:
    """Mean of a column of the table of populations over the QPV that have it, weighted by another column."""
    own = _published(asked).dropna()
    if own.empty:
        raise MissingDataError(Note("published.without_value", column=str(asked.figure.argument("column"))))
    values = own.iloc[:, 0]
    weights = own.iloc[:, 1] if own.shape[1] > 1 else pd.Series(1.0, index=own.index)
    return float((values * weights).sum() / weights.sum()) * UNITS.get(asked.figure.unit.casefold(), 1.0)


@measure("QPV", "column", "above", "below")
def n_by_indicator(asked: Asked) -> float:
    """QPV of a place whose column is above or below a number."""
    own = _published(asked).iloc[:, 0]
    least = number_argument(asked, "above", float("-inf"))
    most = number_argument(asked, "below", float("inf"))
    return float(((own > least) & (own < most)).sum())
