"""Codes that are not those of communes of a year: what is known of each, and the year that they are of."""

from collections.abc import Iterable

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError
from qpvgeo.geographies.communes.inputs import ARRONDISSEMENTS, Held
from qpvgeo.language import Note

__all__ = ["require_codes"]


def require_codes(given: pd.Index, held: Held) -> None:
    """Raise one error that lists the codes that are not those of communes of the first year of a passage.

    Parameters
    ----------
    given
        Labels of the table to move.
    held
        What the passage is made from. Where it has no table of the first year, a code that no event speaks of passes.

    Raises
    ------
    DataError
        Says of each code what is known of it, and names the years in which all of them were those of communes.
    """
    labels = given.unique()
    written = pd.Series(labels, dtype=object)
    cleaned = official.clean(written.where(written.map(lambda label: isinstance(label, str))), "commune").codes
    strangers = {}
    for label, code in zip(labels, cleaned, strict=True):
        facts = _strange(label, code, held)
        if facts is not None:
            strangers[label] = facts
    if not strangers:
        return
    # what is not a code belonged to a commune in no year
    written_well = all(
        label == code and label not in ARRONDISSEMENTS for label, code in zip(labels, cleaned, strict=True)
    )
    years = _years_of(labels, held) if written_well else []
    years = [] if held.from_year in years else years
    raise DataError(
        Note("geographies.not_communes", count=len(strangers), total=len(labels), year=held.from_year),
        problems=[Note("geographies.stranger", label=str(label), facts=facts) for label, facts in strangers.items()],
        way_out=_way_out(years, parts=set(strangers) <= ARRONDISSEMENTS),
    )


def _way_out(years: list[int], *, parts: bool) -> Note:
    """What to do: fold arrondissements, give the year in which all codes were those of communes, or correct them."""
    if parts:
        return Note("geographies.fold_arrondissements")
    if not years:
        return Note("geographies.correct_codes")
    if len(years) == 1:
        return Note("geographies.communes_in_year", year=years[0])
    return Note("geographies.communes_in_years", first=years[0], last=years[-1])


def _strange(label: object, cleaned: object, held: Held) -> list[Note] | None:
    """Why a label is not the code of a commune of the first year; None when it is, or when nothing says it is not."""
    if not isinstance(label, str) or not isinstance(cleaned, str):
        return [Note("geographies.not_a_commune_code")]
    if cleaned != label:
        return [Note("geographies.badly_written_code", code=cleaned)]
    if label in ARRONDISSEMENTS:
        return [Note("geographies.sum_arrondissements", code=official.fold_arrondissement(label))]
    year, table = held.from_year, held.tables.get(held.from_year)
    if label in table.codes if table is not None else held.existed(label, year):
        return None
    found = []
    parent = (table.parents or {}).get(label) if table is not None else None
    if parent is not None:
        found.append(Note("geographies.part_of_a_commune", code=parent, year=year))
    elif table is not None:
        found.append(Note("geographies.not_in_the_table", year=year))
    found += [_life(start, end) for start, end in held.lives.get(label, []) if start or end]
    found += [
        Note("geographies.in_the_table", year=other)
        for other in sorted(held.tables)
        if label in held.tables[other].codes
    ]
    return found


def _life(start: object, end: object) -> Note:
    """Days between which a code was that of a commune."""
    if start and end:
        return Note("geographies.commune_between", start=str(start), end=str(end))
    if start:
        return Note("geographies.commune_from", start=str(start))
    return Note("geographies.commune_until", end=str(end))


def _years_of(given: Iterable[object], held: Held) -> list[int]:
    """Years in a row, those nearest to the first year of the passage, in which all codes were those of communes."""
    wanted = [code for code in given if isinstance(code, str)]
    tables = [year for year, table in held.tables.items() if set(wanted) <= table.codes]
    if not held.lives:
        return sorted(tables, key=lambda year: abs(year - held.from_year))[:1]
    days = [day for code in wanted for span in held.lives.get(code, []) for day in span if day]
    if not days:
        return []
    candidates = range(min(days).year - 1, max(days).year + 2)
    fit = [year for year in candidates if all(held.existed(code, year) for code in wanted)]
    if not fit:
        return []
    nearest = min(fit, key=lambda year: abs(year - held.from_year))
    run = [nearest]
    while run[0] - 1 in fit:
        run.insert(0, run[0] - 1)
    while run[-1] + 1 in fit:
        run.append(run[-1] + 1)
    return run
