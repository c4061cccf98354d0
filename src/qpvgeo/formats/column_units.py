"""Units of columns by their names: the second row of a CSV that people open without the documentation."""

from qpvgeo.language.terms import term

__all__ = ["unit_of"]

_ENDINGS = {
    "_km2": "km²",
    "_m2": "m²",
    "_ha": "ha",
    "_m": "m",
    "_eur": "EUR",
    "_share": "0 to 1",
    "_rate": "0 to 1",
    "_year": "year",
}
_WHOLE = {
    "share": "0 to 1",
    "share_of_communes": "0 to 1",
    "ratio": "ratio",
    "population": "people",
    "qpv_population": "people",
    "estimate": "people",
    "low": "people",
    "high": "people",
    "unknown": "people",
    "households": "households",
    "poor_households": "households",
    "n_qpv": "QPV",
    "n_with_population": "QPV",
    "cells": "cells",
    "vintage": "year",
}


def unit_of(column: str, lang: str, *, number: bool = False) -> str:
    """Unit of a column by its name, always in letters, so that readers tell the row from data.

    Parameters
    ----------
    column
        Name of the column.
    lang
        `en` or `fr`.
    number
        Whether it holds numbers: without a unit of their own they are numbers, other columns text.

    Examples
    --------
    >>> [unit_of(name, "fr") for name in ("qpv_code", "area_m2", "share", "population", "living_standard_mean_eur")]
    ['texte', 'm²', 'de 0 à 1', 'habitants', 'EUR']
    """
    if column in _WHOLE:
        return term(_WHOLE[column], lang)
    unit = next((unit for ending, unit in _ENDINGS.items() if column.endswith(ending)), "number" if number else "text")
    return term(unit, lang)
