"""Key figures of a sheet, each with what bounds it and where it comes from."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from qpvgeo.frames import forms, provenance
from qpvgeo.indicators.by_territory import coverage
from qpvgeo.language import Note, joined, parts
from qpvgeo.language.numbers import number, share
from qpvgeo.language.terms import semicolon, term
from qpvgeo.maps.credits import origin
from qpvgeo.maps.layers import drawn
from qpvgeo.reports.sheet_places import Subject

__all__ = ["KeyFigure", "key_figures", "place_row", "written"]

_TOLD = 0.001
"""Part of the people shared out by area from which it is said."""


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A figure in large letters.

    Attributes
    ----------
    value, label
        The figure, and what it is.
    detail
        What it rests on: year, scope, bounds.
    source
        Where it comes from.
    """

    value: str
    label: str
    detail: str = ""
    source: str = ""


def written(value: Any, lang: str) -> str:  # noqa: ANN401 - a number or none
    """A whole number, or that it is not available."""
    return term("not available", lang) if value is None or pd.isna(value) else number(float(value), lang)


def place_row(subject: Subject) -> pd.Series:
    """Row of the coverage of the place: number of QPV, people, share, area."""
    level, frames = subject.where.level, subject.frames
    units = {"commune": frames.communes, "epci": frames.epci}.get(level)
    denominators = None
    if units is None and provenance.is_fictional(frames.qpv) and frames.communes is not None:
        denominators = {"99": int(frames.communes["population"].sum())}
    table = coverage(subject.links, by=level, units=units, denominators=denominators)  # type: ignore[arg-type]
    return table.loc[subject.where.code]


def key_figures(subject: Subject, table: pd.DataFrame, estimate: pd.DataFrame | None, lang: str) -> list[KeyFigure]:
    """Key figures of a place, or of one QPV."""
    found = _of_one(subject, table, lang) if subject.alone else _of_place(subject, lang)
    return [*found, *_estimated(subject, estimate, lang)]


def _people_detail(subject: Subject, row: pd.Series | None, lang: str) -> str:
    year = forms.reference_year(subject.frames.population)
    said = [Note("reports.municipal_population", year=year).say(lang)] if year else []
    shared = None if row is None else row.get("estimated_share")
    if shared is not None and pd.notna(shared) and float(shared) >= _TOLD:
        said.append(Note("reports.shared_by_area", share=float(shared)).say(lang))
    return semicolon(lang).join(said)


def _source(subject: Subject, lang: str) -> str:
    people = subject.frames.population
    return origin(people, lang) if people is not None else ""


def _of_place(subject: Subject, lang: str) -> list[KeyFigure]:
    row = place_row(subject)
    people, whole = row["qpv_population"], row["population"]
    year = row["population_year"]
    of_whom = [Note("reports.of_inhabitants", population=written(whole, lang))] if pd.notna(whole) else []
    if of_whom and pd.notna(year):
        of_whom = [Note("reports.of_inhabitants_in", population=written(whole, lang), year=int(year))]
    # a share is bounded by what is noted of its two sides
    scope = joined([*of_whom, *parts(row["note"])])
    partly = _partly(subject)
    return [
        KeyFigure(
            number(len(subject.qpv), lang),
            Note("reports.qpv", count=len(subject.qpv)).say(lang),
            Note("reports.partly", count=partly).say(lang) if partly else "",
            origin(subject.frames.qpv, lang),
        ),
        KeyFigure(
            written(people, lang),
            term("people in QPV", lang),
            _people_detail(subject, row, lang),
            _source(subject, lang),
        ),
        KeyFigure(
            share(float(row["share"]), lang, 1) if pd.notna(row["share"]) else term("not available", lang),
            term("share of people in QPV", lang),
            scope.say(lang) if isinstance(scope, Note) else scope,
        ),
        KeyFigure(
            _area(row["qpv_area_km2"], lang),
            term("area of the QPV", lang),
            Note("reports.area_share", share=float(row["area_share"])).say(lang) if pd.notna(row["area_share"]) else "",
        ),
    ]


def _area(km2: Any, lang: str) -> str:  # noqa: ANN401 - a number or none
    """An area, or that it is not available: a QPV of the place has no outline."""
    return term("not available", lang) if pd.isna(km2) else f"{number(float(km2), lang, 2)}\u00a0km²"


def _partly(subject: Subject) -> int:
    """QPV that lie in the place in part only."""
    members = subject.where.communes
    if not members:
        return 0
    outside = subject.links[~subject.links["commune"].isin(members)]
    return int(outside["qpv_code"].nunique())


def _of_one(subject: Subject, table: pd.DataFrame, lang: str) -> list[KeyFigure]:
    row = table.iloc[0]
    known = pd.notna(row["share_of_communes"])
    found = [
        KeyFigure(
            written(row["population"], lang),
            term("people", lang),
            _people_detail(subject, None, lang),
            _source(subject, lang),
        ),
        KeyFigure(
            share(float(row["share_of_communes"]), lang, 1) if known else term("not available", lang),
            Note("reports.share_of", communes=row["commune_names"]).say(lang),
        ),
    ]
    if drawn(subject.qpv).all():
        area = _area_m2(subject)
        found.append(
            KeyFigure(
                f"{number(area / 1e4, lang, 1)}\u00a0ha", term("area", lang), "", origin(subject.frames.qpv, lang)
            )
        )
    return found


def _area_m2(subject: Subject) -> float:
    """Area of the QPV of the links, which is taken in the legal projection."""
    return float(subject.links.groupby("qpv_code")["qpv_area_m2"].first().sum())


def _estimated(subject: Subject, estimate: pd.DataFrame | None, lang: str) -> list[KeyFigure]:
    """Figures of the grid: people with their bounds, and poverty of all QPV together."""
    own = None if estimate is None else estimate.reindex(subject.qpv.index).dropna(subset=["estimate"])
    if own is None or not len(own):
        return []
    source = origin(estimate, lang)
    people = own[["low", "estimate", "high"]].sum()
    bounds = Note("reports.between", low=float(people["low"]), high=float(people["high"])).say(lang)
    found = [
        KeyFigure(
            written(people["estimate"], lang), term("people of fiscal households, estimated", lang), bounds, source
        )
    ]
    households = own.get("households")
    if households is not None and float(households.sum()) > 0:
        rate = float(own["poor_households"].sum() / households.sum())
        words = Note("reports.poverty_detail").say(lang)
        found.append(KeyFigure(share(rate, lang, 1), term("poverty rate of households", lang), words, source))
    return found
