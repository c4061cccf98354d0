"""Frames of the files available locally: perimeters, people, communes, EPCI.

A file is found by `qpvgeo.sources.recognise`: in the folder given or `QPVGEO_DATA`, in `data/raw` of a checkout, in the
cache. Within `missing.fetching()`, what is missing is downloaded first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.at_hand import missing
from qpvgeo.codes.official import fold_arrondissement
from qpvgeo.errors import DataError, MissingDataError, QpvgeoError, UsageError
from qpvgeo.formats.text_tables import read_table
from qpvgeo.frames import forms, provenance
from qpvgeo.indicators.named_communes import communes_of
from qpvgeo.indicators.qpv_communes import join_communes
from qpvgeo.language import Note
from qpvgeo.read.communes.epci import read_epci
from qpvgeo.read.communes.reader import read_communes
from qpvgeo.read.communes.tables import read_commune_table, read_former_communes
from qpvgeo.read.population import read_population
from qpvgeo.read.processed import kept_of, made_of
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import sample
from qpvgeo.sources import recognise

__all__ = [
    "COG_YEAR",
    "communes",
    "denominators_of",
    "epci",
    "links",
    "named_communes_of",
    "note_on",
    "parts",
    "people",
    "perimeters",
]

COG_YEAR = 2024
"""Year of the code officiel géographique that the published lists of 2024 are in."""

_FIRST_VINTAGE = 2015  # a geography of one release


_NONE_NAMED: Mapping[str, str] = {}


def _as_they_are(_paths: list[Path]) -> dict[str, Any]:
    return {}


def perimeters(
    vintage: int,
    data: Path | None,
    *,
    release: str | None = None,
    options: Callable[[list[Path]], dict[str, Any]] = _as_they_are,
    named: Mapping[str, str] = _NONE_NAMED,
) -> gpd.GeoDataFrame:
    """Perimeters of a geography, of the release given, else of the newest one where a folder holds several.

    Parameters
    ----------
    vintage
        2015 or 2024.
    data
        Folder searched first.
    release
        Release of the list of 2024 (see `qpvgeo.read_qpv`).
    options
        Gives the options of the reader for the files found.
    named
        Columns that the caller names: files that have the one of the codes are taken, whatever else the folder holds.

    Returns
    -------
    geopandas.GeoDataFrame
        As `qpvgeo.read_qpv` gives it; a note names the releases held and the damaged files left aside.

    Raises
    ------
    MissingDataError
        There are none: names the places looked at, and the damaged files in them.
    """
    missing.bring("perimeters", vintage, data)
    paths = recognise.find_named("perimeters", named, vintage, data) or recognise.find("perimeters", vintage, data)
    noted: list[Note] = []
    given = options(paths)
    try:
        if release and vintage != _FIRST_VINTAGE:
            qpv = read_qpv(f"qpv-{vintage}", data=data, release=release, **given)
        else:
            qpv = read_qpv(paths, vintage=vintage, **given)
    except UsageError as error:
        if error.key != "read.several_releases" or not isinstance(error.message, Note):
            raise
        held = list(error.message.values["releases"])
        qpv = read_qpv(paths, vintage=vintage, release=held[-1], **given)
        noted.append(Note("cli.newest_release", releases=held, release=held[-1]))
    note_on(qpv, [*noted, *recognise.left_aside(data, "perimeters", vintage)])
    return qpv


def note_on(frame: pd.DataFrame, notes: Sequence[str]) -> None:
    """Put notes before those of a frame."""
    provenance.amended(frame, notes=[*notes, *provenance.provenance(frame).get("notes", [])])


def people(
    vintage: int,
    data: Path | None,
    *,
    year: int | None = None,
    columns: Callable[[Iterable[str]], Mapping[str, str] | None] = lambda _fields: None,
    named: Mapping[str, str] = _NONE_NAMED,
    qpv: pd.DataFrame | None = None,
) -> pd.DataFrame | None:
    """Available table of populations; None when there is none.

    Parameters
    ----------
    vintage
        2015 or 2024.
    data
        Folder searched first.
    year
        Year of the populations.
    columns
        Gives what the caller says of the columns of a table, whose names it takes; of none for the tables known.
    named
        All that the caller says of columns.
    qpv
        Perimeters that are given a note on each table which may hold people under another name, where none is taken.

    Raises
    ------
    MissingDataError
        No table gives the populations of the year asked for: says which ones they give.
    DataError
        The only table leaves a choice to the caller, such as that of the column of codes.
    """
    missing.bring("population", vintage, data)
    try:
        by_name = recognise.find_named("population", named, vintage, data)
        paths = by_name or recognise.find("population", vintage, data)
    except MissingDataError:
        if qpv is not None:
            note_on(qpv, recognise.unnamed_people(vintage, data))
        return None
    given = columns(read_table(paths[0]).columns if by_name else ())
    if year is None or given:
        try:
            return read_population(paths[0], year=year, columns=given)
        except DataError as error:
            # the column that the caller names holds the codes of the other geography
            if error.key == "read.several_code_columns" and any(
                named.get(name) == "qpv_code" for name in error.problems
            ):
                return None
            raise
    refused: list[str] = []
    for path in paths:
        try:
            table = _people_of(path, year)
        except QpvgeoError as error:
            refused.append(str(error).splitlines()[0])
            continue
        held = forms.reference_year(table)
        if held == year:
            return table
        refused.append(Note("at_hand.people_of", file=path.name, year=str(held)))
    raise MissingDataError(
        Note("at_hand.no_people_of_year", year=year, vintage=vintage),
        problems=refused,
        way_out=Note("at_hand.leave_year_out"),
    )


def _people_of(path: Path, year: int) -> pd.DataFrame:
    """Populations of a table under the year that is theirs; the one asked for chooses among several."""
    try:
        return read_population(path)
    except DataError:
        return read_population(path, year=year)


def parts(vintage: int, data: Path | None) -> pd.DataFrame | None:
    """Published population by QPV and commune, when it is available."""
    missing.bring("population by commune", vintage, data)
    try:
        return read_population(recognise.find("population by commune", vintage, data)[0], level="qpv_commune")
    except MissingDataError:
        return None


def links(qpv: gpd.GeoDataFrame, of: pd.DataFrame | None, population: pd.DataFrame | None) -> pd.DataFrame:
    """Links of QPV and communes as read here (`qpvgeo.join_communes`), kept as what is read is."""
    sources = [frame for frame in (qpv, of, population) if frame is not None]
    name = "links" if of is not None else "links-without-communes"
    return kept_of(name, sources, lambda: join_communes(qpv, of, population=population))


def denominators_of(qpv: pd.DataFrame) -> dict[str, int] | None:
    """People of the sample's island, for its QPV; None for those of France, whose facts are known."""
    if not provenance.is_fictional(qpv):
        return None
    return {"99": int(read_communes(sample().communes_table)["population"].sum())}


def communes(data: Path | None, reference_year: int | None) -> pd.DataFrame:
    """Outlines of the communes available, with the table of the year of the lists, and the people of the year asked."""
    for kind in ("communes", "communes table", "communes population", "epci", "ept"):
        missing.bring(kind, None, data)
    outlines, tables = recognise.communes_at_hand(data, year=COG_YEAR)
    epts = [one.path for one in recognise.of_kind("ept", data)]
    frame = _with_epci(read_communes(outlines, table=[*tables[:1], *epts] or None), data)
    for one in recognise.of_kind("communes population", data) if reference_year is not None else ():
        population = read_population(one.path, level="commune")
        if forms.reference_year(population) == reference_year:
            return _of_year(frame, population, tables)
    return frame


def _with_epci(frame: pd.DataFrame, data: Path | None) -> pd.DataFrame:
    """Communes with their EPCI by the composition available, where neither outlines nor table say it, as in the COG."""
    if frame["epci"].notna().any():
        return frame
    for one in sorted(recognise.of_kind("epci", data), key=lambda one: abs((one.vintage or 0) - COG_YEAR)):
        try:
            table = read_commune_table(one.path, {}, set(), [])
        except DataError:
            continue  # a list of EPCI, without their communes
        about = provenance.provenance(frame)
        joined = frame.assign(epci=table.rows["epci"].reindex(frame.index))
        return made_of(provenance.amended(joined, files=[*about["files"], table.record]), frame, one.path)
    return frame


def _of_year(frame: pd.DataFrame, population: pd.DataFrame, tables: Sequence[Path]) -> pd.DataFrame:
    """Communes with the people of another year, those of former communes moved to the one they are part of."""
    parents = read_former_communes(tables[0])["commune"].to_dict() if tables else {}
    known = set(frame.index)
    now = [code if code in known else parents.get(code, fold_arrondissement(code)) for code in population.index]
    summed = population["population"].groupby(now).sum(min_count=1)
    lost = sorted(set(now) - known)
    about = provenance.provenance(frame)
    made = frame.assign(population=summed.reindex(frame.index).astype("Int64"))
    year = forms.reference_year(population)
    note = Note("at_hand.no_successor", count=len(lost), year=year)
    provenance.amended(
        made,
        files=[*about["files"], *provenance.provenance(population)["files"]],
        population_year=year,
        notes=[*about.get("notes", []), *([note] if lost else [])],
    )
    return made_of(made, frame, population, *tables[:1])


def epci(data: Path | None, of: pd.DataFrame | None = None) -> pd.DataFrame | None:
    """EPCI available, those of the year of the lists first, with the people of their communes when these are dated."""
    missing.bring("epci", None, data)
    found = recognise.of_kind("epci", data)
    if not found:
        return None
    frame = read_epci(min(found, key=lambda one: abs((one.vintage or 0) - COG_YEAR)).path)
    year = provenance.provenance(of).get("population_year") if of is not None else None
    if of is not None and year is not None:
        whole = forms.whole_sums(of.groupby("epci")["population"])
        frame["population"] = whole.reindex(frame.index).astype("Int64")
        provenance.amended(frame, population_year=year)
    return frame


def named_communes_of(data: Path | None, qpv: pd.DataFrame | None) -> pd.DataFrame | None:
    """Communes by name: of a table, which is quick, of outlines, or those that perimeters name."""
    missing.bring("communes table", None, data)
    tables = recognise.of_kind("communes table", data)
    if tables:
        nearest = min(tables, key=lambda one: abs((one.vintage or 0) - COG_YEAR)).path
        epts = [one.path for one in recognise.of_kind("ept", data)]
        return read_communes(nearest, table=epts or None)
    try:
        return read_communes(recognise.communes_at_hand(data)[0])
    except MissingDataError:
        return None if qpv is None else communes_of(qpv)
