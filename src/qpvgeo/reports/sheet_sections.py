"""Sections of a sheet: the table of QPV, what changed since 2015, programmes, exposure, and what is not known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from qpvgeo.frames import provenance
from qpvgeo.indicators.qpv_tables import qpv_table
from qpvgeo.language import Note, listed
from qpvgeo.language.numbers import number, share
from qpvgeo.language.terms import term
from qpvgeo.maps.composition import generalised, not_shown
from qpvgeo.maps.layers import drawn
from qpvgeo.policy.programmes import join_programmes, programmes
from qpvgeo.reports.sheet_figures import written
from qpvgeo.reports.sheet_places import Subject

__all__ = ["Table", "changes", "exposures", "programme_lines", "qpv_rows", "table_of", "unknown"]

_LEAST_SHARE = 0.05
"""Part of a QPV that a member of a programme covers at least to be named."""

_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Table:
    """A table in words.

    Attributes
    ----------
    caption
        What it shows.
    heads
        Name of each column.
    rows
        Cells of each row; the first is the head of its row.
    numeric
        Which columns hold numbers.
    """

    caption: str
    heads: list[str]
    rows: list[list[str]]
    numeric: list[bool] = field(default_factory=list)


def table_of(subject: Subject, estimate: pd.DataFrame | None) -> pd.DataFrame:
    """One row a QPV of the place, the most people first."""
    frames = subject.frames
    own = None if estimate is None else estimate.reindex(subject.qpv.index)
    people = frames.population
    # a table that knows none of them, as of the collectivities, says nothing of any
    people = None if people is None or not people.index.isin(subject.qpv.index).any() else people
    table = qpv_table(subject.qpv, subject.links, people, communes=frames.communes, epci=frames.epci, estimate=own)
    if own is not None:
        table = table.assign(low=own["low"], high=own["high"])
    return table.sort_values("population", ascending=False, kind="stable", na_position="last")


def qpv_rows(subject: Subject, table: pd.DataFrame, lang: str) -> Table:
    """Table of the QPV in words."""
    columns: list[tuple[str, bool]] = [(term("code", lang), False), (term("name", lang), False)]
    columns += [] if subject.where.level == "commune" else [(term("communes", lang), False)]
    columns.append((term("people", lang), True))
    columns.append((Note("reports.head_share").say(lang), True))
    estimated = "estimate" in table
    if estimated:
        columns.append((Note("reports.head_estimate").say(lang), True))
        columns += [(term("poverty rate", lang), True)] if "poverty_rate" in table else []
    if subject.classes is not None:
        columns.append((Note("reports.head_before").say(lang), False))
    rows = []
    for code, row in table.iterrows():
        cells = [str(code), str(row["name"] if pd.notna(row["name"]) else code)]
        cells += [] if subject.where.level == "commune" else [str(row["commune_names"])]
        cells += [written(row["population"], lang), _share(row["share_of_communes"], lang)]
        if estimated:
            cells.append(_bounded(row, lang))
            cells += [_share(row["poverty_rate"], lang)] if "poverty_rate" in table else []
        if subject.classes is not None:
            cells.append(_ancestry(subject.classes, str(code), lang))
        rows.append(cells)
    heads = [head[:1].upper() + head[1:] for head, _ in columns]
    return Table(Note("reports.qpv_caption").say(lang), heads, rows, [numeric for _, numeric in columns])


def _share(value: object, lang: str) -> str:
    return term("not available", lang) if pd.isna(value) else share(float(value), lang, 1)  # type: ignore[arg-type]


def _bounded(row: pd.Series, lang: str) -> str:
    """An estimate and its bounds."""
    if pd.isna(row["estimate"]):
        return term("not available", lang)
    bounds = Note("reports.bounds", low=float(row["low"]), high=float(row["high"])).say(lang)
    return f"{written(row['estimate'], lang)} {bounds}"


def _ancestry(classes: pd.DataFrame, code: str, lang: str) -> str:
    """What a QPV was in the earlier geography."""
    if code not in classes.index:
        return term("not available", lang)
    row = classes.loc[code]
    change = term(str(row["change"]), lang)
    relatives = [str(one) for one in row["relatives"]]
    return f"{change} ({', '.join(relatives)})" if relatives else change


def changes(subject: Subject, before: pd.DataFrame | None, lang: str) -> list[str]:
    """Sentences on what became of the QPV of 2015."""
    if subject.classes is None or before is None or subject.walk is None:
        return []
    own = subject.classes[subject.classes.index.isin(subject.qpv.index)]
    counts = own["change"].value_counts()
    told = [f"{term(str(kind), lang)} ({number(int(count), lang)})" for kind, count in counts.items()]
    said = [Note("reports.changes", total=len(own), kinds=told).say(lang)]
    if subject.dropped:
        names = [_named(before, code) for code in subject.dropped]
        said.append(Note("reports.dropped", count=len(names), names=names).say(lang))
    tolerance = provenance.provenance(subject.walk).get("tolerance_m")
    if tolerance:
        said.append(Note("reports.tolerance", metres=float(tolerance)).say(lang))
    return said


def _named(frame: pd.DataFrame, code: str) -> str:
    name = frame.loc[code, "name"] if code in frame.index and "name" in frame else None
    return code if name is None or pd.isna(name) else f"{name} ({code})"


def programme_lines(subject: Subject, lang: str) -> list[tuple[str, str]]:
    """Title of each programme that reaches the place, and the QPV that it reaches."""
    found = join_programmes(subject.qpv, crosswalk=subject.walk, communes=subject.frames.communes)
    near = found[found["share"].isna() | (found["share"] >= _LEAST_SHARE)]
    titles = programmes()["title"]
    lines = []
    for key, rows in near.groupby("programme", sort=False):
        codes = list(dict.fromkeys(rows["qpv_code"]))
        names = [_named(subject.qpv, code).partition(" (Q")[0] for code in codes]
        every = len(codes) == len(subject.qpv) and len(codes) > 1
        words = (
            Note("reports.every_qpv", count=len(codes)).say(lang) if every else listed(names, lang, most=_MOST_NAMED)
        )
        lines.append((str(titles.get(key, key)), words))
    return lines


def exposures(subject: Subject, given: Mapping[str, pd.DataFrame], lang: str) -> list[tuple[str, str]]:
    """What each layer reaches: people of the place, with their bounds and those of whom nothing is known."""
    lines = []
    for label, frame in given.items():
        own = frame.reindex(subject.qpv.index)
        if not own["estimate"].notna().any():
            lines.append((label, term("not available", lang)))
            continue
        sums = own[["low", "estimate"]].sum()
        note = Note(
            "reports.exposed",
            people=float(sums["estimate"]),
            low=float(sums["low"]),
            # of people beyond the grid the most is not known
            high=float(own.loc[own["low"].notna(), "high"].sum(skipna=False)),
            of=float(own["population"].sum()),
        )
        said = note.say(lang)
        unknown_people = float(own["unknown"].sum()) if "unknown" in own else 0.0
        if unknown_people >= 1:
            said += " " + Note("reports.exposed_unknown", people=unknown_people).say(lang)
        lines.append((label, said))
    return lines


def unknown(
    subject: Subject, table: pd.DataFrame, estimate: pd.DataFrame | None, before: pd.DataFrame | None, lang: str
) -> list[str]:
    """What the sheet does not know, and why."""
    frames, said = subject.frames, []
    bare = [str(code) for code in subject.qpv.index[~drawn(subject.qpv)]]
    said += not_shown(bare, [frames.qpv])
    missing = [str(code) for code in table.index[table["population"].isna()]]
    if missing:
        said.append(Note("reports.no_people", count=len(missing), codes=missing))
    said += generalised(subject.where, [frames.qpv, frames.communes])
    if estimate is None:
        said.append(Note("reports.no_estimate"))
    else:
        lost = [str(code) for code in table.index[table["estimate"].isna()]]
        weak = [str(code) for code in table.index if _weak(estimate, str(code))]
        said += [Note("reports.no_cells", count=len(lost), codes=lost)] if lost else []
        said += [Note("reports.weak", count=len(weak), codes=weak)] if weak else []
    if before is None:
        said.append(Note("reports.no_before"))
    unheld = programmes()
    names = unheld.loc[unheld["list_held"] == "no", "title"].tolist()
    said += [Note("reports.lists_not_held", names=names)] if names else []
    said.append(Note("reports.no_legal_value"))
    return [note.say(lang) for note in said]


def _weak(estimate: pd.DataFrame, code: str) -> bool:
    """Whether an estimate comes with a warning."""
    return code in estimate.index and bool(len(estimate.loc[code, "warnings"])) if "warnings" in estimate else False
