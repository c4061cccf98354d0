"""Codes that are not those of communes of a year: what is known of each, and the year that they are of."""

from collections.abc import Iterable

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError
from qpvgeo.geographies.communes.inputs import ARRONDISSEMENTS, Held

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
        text = _strange(label, code, held)
        if text is not None:
            strangers[label] = text
    if not strangers:
        return
    # what is no code was that of a commune in no year
    written_well = all(
        label == code and label not in ARRONDISSEMENTS for label, code in zip(labels, cleaned, strict=True)
    )
    years = _years_of(labels, held) if written_well else []
    years = [] if held.from_year in years else years
    spans = f"{years[0]} to {years[-1]}" if len(years) > 1 else f"{years[0]}" if years else ""
    raise DataError(
        f"{len(strangers)} of {len(labels)} codes are not those of communes of {held.from_year}.",
        problems=[f"{label!r} {text}" for label, text in strangers.items()],
        way_out=f"All of them were communes in {spans}: give that year as from_year."
        if years
        else "Correct these codes (the index of the table holds them), or give the year that the table is of.",
    )


def _strange(label: object, cleaned: object, held: Held) -> str | None:
    """Why a label is not the code of a commune of the first year; None when it is, or when nothing says it is not."""
    if not isinstance(label, str) or not isinstance(cleaned, str):
        return "is not the code of a commune"
    if cleaned != label:
        return f"is not how a code is written: {cleaned} is"
    if label in ARRONDISSEMENTS:
        return f"is an arrondissement: sum them up under {official.fold_arrondissement(label)}"
    year, table = held.from_year, held.tables.get(held.from_year)
    if label in table.codes if table is not None else held.existed(label, year):
        return None
    told = []
    parent = (table.parents or {}).get(label) if table is not None else None
    if parent is not None:
        told.append(f"is a déléguée or associée of {parent} in the table of {year}")
    elif table is not None:
        told.append(f"is not in the table of {year}")
    told += [f"is that of a commune {_span(start, end)}" for start, end in held.lives.get(label, []) if start or end]
    told += [f"is in the table of {other}" for other in sorted(held.tables) if label in held.tables[other].codes]
    return ", ".join(told)


def _span(start: object, end: object) -> str:
    parts = [f"from {start}" if start else "", f"until the eve of {end}" if end else ""]
    return " ".join(part for part in parts if part)


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
