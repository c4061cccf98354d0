"""Published figures as data: what was printed, how finely it was rounded, and the measure that computes it.

A figure is a row of `facts/published_figures.csv`, or of a frame of the caller with the same columns. The value is kept
as it was printed: "5.4" million says less than "5.40", and a figure is held against ours no more finely, and no more
coarsely, than it was rounded.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from qpvgeo import facts
from qpvgeo.errors import DataError, judged
from qpvgeo.language import Note

__all__ = ["COLUMNS", "UNITS", "Figure", "figures_of", "published_figures", "step_of", "value_of"]

COLUMNS = (
    "id",
    "statement",
    "value",
    "unit",
    "rounding",
    "relation",
    "measure",
    "arguments",
    "territory",
    "vintage",
    "release",
    "year",
    "explained_by",
    "source",
    "source_url",
)
"""Columns of a table of figures; `value` and `measure` are needed, the others have defaults."""

UNITS = {
    "percent": 0.01,
    "%": 0.01,
    "points": 0.01,
    "million persons": 1e6,
    "thousand persons": 1e3,
    "million eur": 1e6,
    "ha": 1e4,
    "km2": 1e6,
}
"""What a unit is worth in that of the measures (people, shares from 0 to 1, m2, EUR); any other is worth 1."""

_ROUNDED = {"persons", "people", "eur", "m", "m2", "inhabitants", "habitants"}
"""Units in which the zeros at the end of a whole number are taken for rounding."""

_RELATIONS = {
    **{sign: sign for sign in ("=", ">", "<", ">=", "<=")},
    "≥": ">=",
    "≤": "<=",
    "more than": ">",
    "over": ">",
    "plus de": ">",
    "at least": ">=",
    "au moins": ">=",
    "less than": "<",
    "under": "<",
    "moins de": "<",
    "at most": "<=",
    "au plus": "<=",
}
_FRACTION = re.compile(r"([+-]?\d+)\s*/\s*(\d+)")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure, and how to compute it.

    Attributes
    ----------
    id
        Short and unique.
    statement
        What the publication says.
    text, value, step
        The value as printed, in the unit of the measures, and the step it was rounded to (in that unit too).
    relation
        `=`, or `>`, `<`, `>=`, `<=` for "more than", "less than", "at least", "at most".
    unit
        Unit of the publication.
    measure, arguments
        Name of a measure (`qpvgeo.published.measures`) and its arguments.
    territory, vintage, release, year
        Place, geography, release of the list and year of the people.
    explained_by
        Changes to the figure that would explain a difference, each computed before it is believed.
    source, source_url
        Where it was read.
    """

    id: str
    statement: str
    text: str
    value: float
    step: float
    relation: str
    unit: str
    measure: str
    arguments: Mapping[str, str]
    territory: str = "France"
    vintage: int | None = None
    release: str | None = None
    year: int | None = None
    explained_by: tuple[str, ...] = ()
    source: str = ""
    source_url: str = ""
    digits_lost: bool = field(default=False, compare=False)

    def argument(self, name: str, default: str | None = None) -> str | None:
        """An argument of the measure, as text."""
        return self.arguments.get(name, default)

    def changed(self, change: str) -> "Figure":
        """The figure with fields or arguments changed, as `explained_by` writes it: `year=2013`, several with `&`."""
        first, also, rest = change.partition("&")
        if also:
            return self.changed(first).changed(rest)
        name, _, value = change.partition("=")
        name, value = name.strip(), value.strip()
        fields: dict[str, Any] = {}
        if name in ("year", "vintage"):
            fields = {name: int(value)}
        elif name in ("release", "territory", "measure"):
            fields = {name: value}
        if fields:
            return replace(self, **fields)
        return replace(self, arguments={**self.arguments, name: value})


@judged
def published_figures() -> pd.DataFrame:
    """Give the figures of the ledger as a frame, ready to be filtered and given back to `qpvgeo.ledger`.

    Returns
    -------
    pandas.DataFrame
        The columns `COLUMNS`, all text as it was typed; an empty cell is missing.

    Examples
    --------
    >>> figures = published_figures()
    >>> len(figures) >= 250, figures["id"].is_unique, figures["source"].notna().all()
    (True, True, np.True_)
    """
    return facts.table("published_figures")


def figures_of(table: pd.DataFrame | None) -> list[Figure]:
    """Read a table of figures, the one of the facts by default.

    Raises
    ------
    DataError
        The table has no value or no measure, repeats ids or holds what is not a number: lists the rows.
    """
    frame = published_figures() if table is None else _named(table)
    problems: list[str] = []
    found: list[Figure] = []
    for number, row in enumerate(frame.to_dict("records"), start=1):
        cells = {str(name): _text(value) for name, value in row.items()}
        label = cells.get("id") or f"{number}"
        try:
            found.append(_figure(label, cells, lost=_lost(row.get("value"))))
        except ValueError as error:
            problems.append(Note("published.bad_row", row=label, why=str(error)))
    ids = [figure.id for figure in found]
    problems += [Note("published.repeated_id", id=one) for one in dict.fromkeys(ids) if ids.count(one) > 1]
    if problems:
        raise DataError(Note("published.bad_figures"), problems=problems, way_out=Note("published.figures_way_out"))
    return found


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Table of the caller under our names.

    Raises
    ------
    DataError
        It is not a frame, or has no column of values or of measures.
    """
    if not isinstance(table, pd.DataFrame):
        raise DataError(
            Note("published.no_frame", kind=type(table).__name__), way_out=Note("published.figures_way_out")
        )
    names = {"published_value": "value", "geography": "vintage", "reference_year": "year", "args": "arguments"}
    renamed = table.rename(columns={old: new for old, new in names.items() if new not in table.columns})
    if "id" not in renamed.columns and table.index.name in ("id", "figure"):
        renamed = renamed.rename_axis("id").reset_index()
    missing = [Note("published.no_column", column=name) for name in ("value", "measure") if name not in renamed.columns]
    if missing:
        raise DataError(Note("published.bad_figures"), problems=missing, way_out=Note("published.figures_way_out"))
    return renamed


def _text(value: Any) -> str:  # noqa: ANN401 - a cell
    """Cell as text; empty where it is missing."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value).strip()


def _lost(value: Any) -> bool:  # noqa: ANN401 - a cell
    return isinstance(value, float) and math.isfinite(value) and value == int(value)


def _figure(label: str, cells: Mapping[str, str], *, lost: bool) -> Figure:
    """Read a row.

    Raises
    ------
    ValueError
        It holds what is not a number: says what.
    """
    unit = cells.get("unit", "")
    worth = UNITS.get(unit.casefold(), 1.0)
    text = cells.get("value", "")
    rounding = cells.get("rounding", "")
    step = float(value_of(rounding)) if rounding else step_of(text, unit)
    told = (cells.get("relation") or "=").casefold()
    relation = _RELATIONS.get(told)
    if relation is None:
        raise ValueError(f"relation {told!r}")
    if step < 0 or not cells.get("measure"):
        raise ValueError("rounding" if step < 0 else "measure")
    years = re.findall(r"(?:19|20)\d\d", cells.get("year", ""))
    vintages = re.findall(r"2015|2024", cells.get("vintage", ""))
    release = cells.get("release") or "".join(re.findall(r"release (\S+)", cells.get("vintage", ""))[:1])
    return Figure(
        id=label,
        statement=cells.get("statement", ""),
        text=text,
        value=value_of(text) * worth,
        step=step * worth,
        relation=relation,
        unit=unit,
        measure=cells["measure"],
        arguments=_arguments(cells.get("arguments", "")),
        territory=cells.get("territory") or "France",
        vintage=int(vintages[0]) if vintages else None,
        release=release or None,
        year=int(years[0]) if years else None,
        explained_by=tuple(part.strip() for part in cells.get("explained_by", "").split("|") if part.strip()),
        source=cells.get("source", ""),
        source_url=cells.get("source_url", ""),
        digits_lost=lost and not rounding,
    )


def _arguments(text: str) -> dict[str, str]:
    """Arguments as the table writes them: `q=0.9; by=department`."""
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not all(sign and name.strip() for name, sign, _ in pairs):
        raise ValueError(f"arguments {text!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def value_of(text: str) -> float:
    """Read a number as a publication prints it: blanks between thousands, a decimal point or comma, or a fraction.

    Raises
    ------
    ValueError
        It is not a number.

    Examples
    --------
    >>> value_of("5 307 455"), value_of("7,9"), value_of("3/4")
    (5307455.0, 7.9, 0.75)
    """
    bare = re.sub(r"[\s\u00a0\u202f]", "", text).replace("−", "-")
    fraction = _FRACTION.fullmatch(bare)
    if fraction and int(fraction[2]):
        return int(fraction[1]) / int(fraction[2])
    bare = re.sub(r",(?=\d{3}(?:\D|$))", "", bare) if bare.count(",") > 1 or re.fullmatch(r"\d+,\d{3}", bare) else bare
    bare = bare.replace(",", ".")
    if not _NUMBER.fullmatch(bare):
        raise ValueError(f"value {text!r}")
    return float(bare)


def step_of(text: str, unit: str = "") -> float:
    """Step that a printed value was rounded to: its last decimal; its last zeros, where it counts people or money.

    A fraction "p/q" stands for what is nearer to it than half of the square of 1/q.

    Raises
    ------
    ValueError
        It is not a number.

    Examples
    --------
    >>> step_of("7.9", "percent"), step_of("5400000", "persons"), step_of("1362", "QPV"), step_of("300", "QPV")
    (0.1, 100000.0, 1.0, 1.0)
    >>> step_of("3/4", "share")
    0.0625
    """
    value = value_of(text)
    bare = re.sub(r"[\s\u00a0\u202f]", "", text)
    fraction = _FRACTION.fullmatch(bare)
    if fraction:
        return 1.0 / int(fraction[2]) ** 2
    if value != int(value) or re.search(r"[.,]\d{1,2}$", bare):
        decimals = len(re.split(r"[.,]", bare)[-1])
        return float(round(10.0**-decimals, decimals))
    digits = str(abs(int(value)))
    zeros = len(digits) - len(digits.rstrip("0")) if unit.casefold() in _ROUNDED and value else 0
    return float(10**zeros)
