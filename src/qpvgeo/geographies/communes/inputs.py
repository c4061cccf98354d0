"""What the passage of communes is made from: events, tables of communes, people of the parts of splits.

Each may be given, or found locally. Where there are no events, two tables of communes stand in for them, and what they
cannot see is said.
"""

import datetime as dt
import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pandas as pd

from qpvgeo import settings
from qpvgeo.codes import official
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.formats.text_tables import existing_path
from qpvgeo.frames import provenance, require
from qpvgeo.geographies.apportionment import repeated
from qpvgeo.geographies.communes.genealogy import Edge, Lives, Step, changes, lives, reverse, steps_of
from qpvgeo.language import Note
from qpvgeo.read.communes.events import EVENTS_PAGE, events_frame, read_commune_events
from qpvgeo.read.communes.outlines import has_outlines
from qpvgeo.read.communes.reader import read_communes
from qpvgeo.read.communes.tables import read_commune_table
from qpvgeo.sources import folders, recognise

__all__ = ["ARRONDISSEMENTS", "Held", "Listing", "gather"]

Given: TypeAlias = str | os.PathLike[str] | pd.DataFrame

ARRONDISSEMENTS = frozenset(part for parts in official.ARRONDISSEMENTS.values() for part in parts)
"""Municipal arrondissements of Paris, Lyon and Marseille, which are parts of communes."""

_ARTICLE = r"(?:Le|La|Les) |L'"
_FIRST_YEAR = 1943
_LAST_YEAR = 2100


class Listing(NamedTuple):
    """Communes of one year: codes, names and people by code, the commune that each former one is part of, the files.

    `parents` is None where the source does not keep former communes, `complete` False where names lack their article.
    """

    codes: frozenset[str]
    names: pd.Series
    people: pd.Series
    parents: Mapping[str, str] | None
    complete: bool
    files: list[dict[str, Any]]


@dataclass(slots=True)
class Held:
    """All that a passage is made from.

    Attributes
    ----------
    from_year, to_year
        Years of the COG, each its 1 January.
    steps
        What happens between them, in the order of the passage.
    lives
        When the codes that the events name were those of communes; empty without events.
    tables
        Communes by year.
    weights
        People of the parts of splits.
    by_events
        Whether the steps are those of the file of events.
    files, notes
        For the provenance.
    """

    from_year: int
    to_year: int
    steps: list[Step]
    lives: Lives
    tables: dict[int, Listing]
    weights: "People"
    by_events: bool
    files: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)

    def existed(self, code: str, year: int) -> bool:
        """Whether the events let a code be that of a commune on 1 January of a year."""
        day = dt.date(year, 1, 1)
        spans = self.lives.get(code, [(None, None)])
        return any((start is None or start <= day) and (end is None or day < end) for start, end in spans)


class People:
    """People of the parts of a split.

    Those given, of the communes of the second year, are summed up over what each part is then. Else those of the table
    nearest to the day, as long as its codes name the same communes as on that day.
    """

    def __init__(self, given: pd.Series | None, tables: Mapping[int, Listing], from_year: int, to_year: int) -> None:
        self._given, self._tables = given, tables
        self._back, self._year = from_year > to_year, to_year
        self.changes: Mapping[str, Sequence[dt.date]] = {}
        self.used: set[Note] = set()

    def __call__(self, parts: Mapping[str, frozenset[str] | None], day: dt.date | None) -> dict[str, float] | None:
        """People of each part, all from one source; None where none has them all."""
        found = None if self._given is None else _summed(parts, self._given)
        if found is not None:
            self.used.add(Note("geographies.people_given"))
            return found
        for year in sorted(self._tables, key=lambda year: abs(year - (day.year if day else self._year))):
            people = self._tables[year].people
            if day is not None and all(self._holds(code, day, year) for code in parts):
                found = _summed({code: frozenset({code}) for code in parts}, people)
            if found is None and year == self._year:
                found = _summed(parts, people)
            if found is not None:
                self.used.add(Note("geographies.people_of_communes", year=year))
                return found
        return None

    def _holds(self, code: str, day: dt.date, year: int) -> bool:
        """Whether a code names on 1 January of a year the commune that the step of a day makes of it."""
        start, days = dt.date(year, 1, 1), self.changes.get(code, ())
        if self._back:
            between = start < day and not any(start < one < day for one in days)
        else:
            between = start >= day and not any(day < one <= start for one in days)
        return between and list(days).count(day) <= 1


def _summed(parts: Mapping[str, frozenset[str] | None], people: pd.Series) -> dict[str, float] | None:
    """Sums of people over the communes of each part; None where those of one are not known."""
    found: dict[str, float] = {}
    for code, communes in parts.items():
        held = people.reindex(sorted(communes)) if communes else None
        if held is None or held.isna().any():
            return None
        found[code] = float(held.sum())
    return found


def gather(
    years: tuple[int, int],
    *,
    events: Given | None,
    communes: Mapping[int, Given] | None,
    population: pd.Series | pd.DataFrame | None,
    asked: Iterable[str] = (),
) -> Held:
    """Read all that a passage between two years is made from.

    Parameters
    ----------
    years
        From and to.
    events, communes, population
        As for `qpvgeo.geographies.commune_passage`.
    asked
        Codes that stand for the communes of the first year where no table of it is given.
    """
    from_year, to_year = years
    _require_years(from_year, to_year)
    notes: list[Any] = []
    tables = _listings(years, communes, notes)
    people = People(_population(population), tables, from_year, to_year)
    held = Held(from_year, to_year, [], {}, tables, people, by_events=True, notes=notes)
    frame = _events(events, max(years), needed=from_year != to_year and not communes and max(years) not in tables)
    if frame is not None:
        _take_events(held, frame)
    elif from_year != to_year:
        held.by_events = False
        held.steps = _take_tables(held, asked)
        held.notes.append(Note("geographies.without_events"))
    held.files += [record for year in years if year in tables for record in tables[year].files]
    return held


def _require_years(from_year: int, to_year: int) -> None:
    wrong = [year for year in (from_year, to_year) if not _is_year(year)]
    if wrong:
        raise UsageError(
            Note("geographies.not_years", years=[repr(year) for year in wrong]),
            way_out=Note("geographies.not_years_way_out", first=_FIRST_YEAR),
        )


def _is_year(year: object) -> bool:
    return isinstance(year, numbers.Integral) and _FIRST_YEAR <= int(year) <= _LAST_YEAR


def _events(events: Given | None, later: int, *, needed: bool) -> pd.DataFrame | None:
    """Events given, or found locally; None where there are none and they can be done without."""
    if isinstance(events, pd.DataFrame):
        return events_frame(events)
    path = existing_path(events) if events is not None else _events_at_hand()
    if path is not None:
        return read_commune_events(path)
    if needed:
        places = list(map(str, dict.fromkeys([*folders.data_dirs(), settings.cache_dir()])))
        raise MissingDataError(
            Note("geographies.no_events"),
            way_out=Note("geographies.no_events_way_out", page=EVENTS_PAGE, year=later, folders=places),
        )
    return None


def _events_at_hand() -> Path | None:
    """File of events of the latest year, in the first folder that has it."""
    found = recognise.of_kind("commune events")
    return max(found, key=lambda one: (one.vintage or 0, one.basis == "name")).path if found else None


def _take_events(held: Held, frame: pd.DataFrame) -> None:
    """Fill in the steps of the events between the two years."""
    about = provenance.provenance(frame)
    first, last = sorted((held.from_year, held.to_year))
    stated = about.get("cog_year")
    if stated is not None and stated < last:
        raise DataError(
            Note("geographies.events_end", stated=stated, last=last),
            way_out=Note("geographies.events_end_way_out", last=last, page=EVENTS_PAGE),
        )
    if stated is None and len(frame):
        held.notes.append(Note("geographies.last_event", day=str(frame["date"].max().date())))
    steps, open_ends = steps_of(frame)
    held.lives = lives(steps)
    held.weights.changes = changes(steps)
    between = [step for step in steps if step.day and dt.date(first, 1, 1) < step.day <= dt.date(last, 1, 1)]
    held.steps = between if held.from_year <= held.to_year else reverse(between)
    held.files += about.get("files", [])
    held.notes += [*about.get("notes", []), *open_ends]


def _listings(years: tuple[int, int], communes: Mapping[int, Given] | None, notes: list[Any]) -> dict[int, Listing]:
    """Communes by year: those given, else the local tables of the two years."""
    if communes is None:
        found = {one.vintage: one.path for one in reversed(recognise.of_kind("communes table"))}
        communes = {year: found[year] for year in dict.fromkeys(years) if year in found}
    wrong: list[Any] = [] if isinstance(communes, Mapping) else [communes]
    wrong = wrong or [year for year in communes if not _is_year(year)]
    if wrong:
        raise UsageError(
            Note("geographies.not_years", years=[repr(year) for year in wrong]),
            way_out=Note("geographies.tables_by_year"),
        )
    tables = {year: _listing(given, year, notes) for year, given in communes.items()}
    hashes = {year: {record.get("sha256") for record in one.files} - {None} for year, one in tables.items()}
    first, last = years
    if first != last and hashes.get(first, set()) & hashes.get(last, set()):
        notes.append(Note("geographies.one_file", first=first, last=last))
    return tables


def _listing(given: Given, year: int, notes: list[Any]) -> Listing:
    if isinstance(given, pd.DataFrame):
        return _listing_of_frame(given, year, notes)
    path = existing_path(given)
    if path.suffix.lower() != ".parquet" and has_outlines(path):
        return _listing_of_frame(read_communes(path), year, notes)
    table = read_commune_table(path, {}, set(), notes)
    if not len(table.rows):
        raise DataError(
            Note("geographies.no_communes", file=path.name), way_out=Note("geographies.no_communes_way_out")
        )
    _note_year(table.year, year, path.name, notes)
    rows = table.rows
    folded = rows[~rows.index.isin(ARRONDISSEMENTS)]
    whole = [code for code in dict.fromkeys(map(official.fold_arrondissement, rows.index)) if code not in folded.index]
    folded = folded.reindex([*folded.index, *whole])
    return Listing(
        frozenset(folded.index), folded["name"], folded["population"], table.parents, table.typed, [table.record]
    )


def _listing_of_frame(frame: pd.DataFrame, year: int, notes: list[Any]) -> Listing:
    """Communes of a frame of `read_communes`."""
    require.require_columns(
        frame, ["name"], what=Note("frames.the_communes", year=year), way_out=Note("frames.make_communes")
    )
    problems = repeated(frame.index)
    problems += [Note("geographies.arrondissement", code=code) for code in frame.index if code in ARRONDISSEMENTS]
    if problems:
        raise DataError(
            Note("geographies.not_a_row_each", year=year),
            problems=problems,
            way_out=Note("geographies.not_a_row_each_way_out"),
        )
    stated = frame["cog_year"].dropna().unique() if "cog_year" in frame else []
    _note_year(int(stated[0]) if len(stated) == 1 else None, year, "the frame of communes", notes)
    people = frame["population"] if "population" in frame else pd.Series(pd.NA, frame.index, dtype="Int64")
    # files of outlines leave the articles out: Berlière for La Berlière
    complete = bool(frame["name"].astype("str").str.match(_ARTICLE).any())
    files = provenance.provenance(frame).get("files", [])
    return Listing(frozenset(frame.index), frame["name"], people, None, complete, files)


def _note_year(stated: int | None, year: int, name: str, notes: list[Any]) -> None:
    if stated not in (None, year):
        notes.append(Note("geographies.other_year", name=name, stated=stated, year=year))


def _population(population: pd.Series | pd.DataFrame | None) -> pd.Series | None:
    """People by code, as numbers."""
    if population is None:
        return None
    if isinstance(population, pd.DataFrame):
        require.require_columns(population, ["population"], what=Note("frames.the_populations"))
        population = population["population"]
    problems = repeated(population.index)
    people = pd.to_numeric(population, errors="coerce").astype("Float64")
    wrong = (people < 0).fillna(False) | (people == float("inf")).fillna(False) | (people.isna() & population.notna())
    problems += [
        Note("geographies.not_people", code=str(code), value=repr(value)) for code, value in population[wrong].items()
    ]
    if problems:
        raise DataError(
            Note("geographies.not_populations"), problems=problems, way_out=Note("geographies.not_populations_way_out")
        )
    return people


def _take_tables(held: Held, asked: Iterable[str]) -> list[Step]:
    """Steps between two tables of communes, or from the codes asked to the later table alone."""
    first, last = sorted((held.from_year, held.to_year))
    late, early = held.tables.get(last), held.tables.get(first)
    if late is None or late.parents is None or (early is None and held.from_year == last):
        needed = (first, last) if held.from_year == last else (last,)
        lacking = [year for year in needed if year not in held.tables]
        raise DataError(
            Note("geographies.tables_do_not_do"),
            problems=[Note("geographies.no_table", year=year) for year in lacking]
            or [Note("geographies.no_former_communes", year=last)],
            way_out=Note("geographies.tables_do_not_do_way_out", year=last, page=EVENTS_PAGE),
        )
    if early is None:
        held.notes.append(Note("geographies.communes_asked_for", year=first))
        known = list(asked) or sorted(late.codes | late.parents.keys())
    else:
        known = sorted(early.codes)
    step = Step(None, tuple(_between(known, early, late)))
    return [step] if held.from_year == first else reverse([step])


def _between(known: Sequence[str], early: Listing | None, late: Listing) -> list[Edge]:
    """Edges from the communes of one table to those of a later one."""
    now, parents = late.codes, late.parents or {}
    before, there = (early.parents if early is not None else None) or {}, set(known)
    restored = {code: before[code] for code in sorted(now - there) if before.get(code) in there}
    left = set(restored.values())
    edges = [Edge(parent, code, None, None, "parent") for code, parent in restored.items()]
    for code in known:
        if code in now:
            edges.append(Edge(code, code, None, None, "code"))
        elif parents.get(code) in now:
            edges.append(Edge(code, parents[code], None, None, "parent"))
        elif code not in left:
            edges.append(Edge(code, None, None, None, "unknown"))
    return edges
