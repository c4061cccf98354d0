"""Communes and EPCI: codes, names, populations, what they belong to, and outlines.

Insee, the IGN, the DGCL and Etalab publish them under different names and by different years of the *code officiel
géographique* (COG). One frame comes out: one row per commune of one COG, with the EPCI with its own taxation and, in
the Métropole du Grand Paris, the *établissement public territorial* (EPT). Department and region come from the code
of the commune, so that tables of before 2016 give the regions of today.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.formats.text_tables import existing_path, find_column, normalise, notes_of, read_table
from qpvgeo.frames.provenance import stamp
from qpvgeo.language import Note
from qpvgeo.read.communes.outlines import (
    Arrondissements,
    dissolve_moved,
    has_outlines,
    read_pieces,
    settle_arrondissements,
)
from qpvgeo.read.communes.tables import attributes, merged, read_commune_table, twin_notes, year_of
from qpvgeo.read.processed import kept
from qpvgeo.samples import sample
from qpvgeo.sources import file_memory, recognise
from qpvgeo.sources import population_columns as counts
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.known_tables import EPCI_CODE

__all__ = ["COMMUNE_COLUMNS", "EPCI_COLUMNS", "read_communes", "read_epci"]

COMMUNE_COLUMNS = ("name", "population", "epci", "ept", "department", "region", "territory", "cog_year")
EPCI_COLUMNS = ("name", "nature", "n_communes", "population", "cog_year")

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_EPCI_NAME: tuple[str, ...] = (
    "name",
    "nom",
    "libepci",
    "libept",
    "lib_epci",
    "nom_epci",
    "raison_sociale",
    "nom_du_groupement",
    "nom_groupement",
    "nom_complet",
    "libelle_epci",
    "nom_officiel",
    "libelle",
)
_EPCI_NATURE: tuple[str, ...] = ("nature", "nature_epci", "nature_juridique", "type")
_EPCI_COUNT = ("n_communes", "nb_communes", "nb_com", "nb_membres", "nombre_communes")
_EPCI_PEOPLE = ("population", "populationmunicipale", "total_pop_mun", "pop_mun", "pmun", "population_municipale")
_EPCI_EXPECT = [
    {"code", "nom", "type"},
    {"epci", "libepci", "nature_epci"},
    {"ept", "libept", "nb_com"},
    {"siren", "raison_sociale"},
    {"epci", "libepci"},
    {"ept", "libept"},
    *({name} for name in EPCI_CODE),
]


@judged
@kept
def read_communes(
    source: Source,
    *,
    table: Source | None = None,
    cog_year: int | None = None,
    arrondissements: Arrondissements = "fold",
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj understands
    data: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Read the communes: outlines, tables, or both.

    Parameters
    ----------
    source
        One file or several: outlines (GeoParquet, GeoJSON, GeoPackage, shapefile or a zip of them; Etalab contours,
        IGN Admin Express), which may come in pieces and be of several years; or tables alone.
    table
        Tables that complete the outlines, the most trusted first. Known forms: Etalab and Insee COG
        (`v_commune_<year>.csv`), *table d'appartenance*, composition of the EPCI and of the EPT, legal populations,
        Insee's movements of communes (`v_mvt_commune_<year>.csv`).
    cog_year
        Year of the COG; taken from the names of the files when not given (`cog2024_communes.csv`, `v_commune_2024`).
    arrondissements
        `fold` gives Paris, Lyon and Marseille whole; `keep` gives their 45 municipal arrondissements instead.
    columns
        `{"name in the file": "code" | "name" | "population" | "epci" | "ept"}` for names that are not known here.
    layer
        Name of the layer of communes, in a file of several; of the sheet, in a workbook.
    crs
        Projection of the outlines, for a file that does not say it or says it wrongly.
    data
        Folder searched for keys of `qpvgeo.datasets()` (`"cog-2024"`), before the others.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        Indexed by `code`: `name`, `population` (municipal, Int64; missing where no file gives it), `epci` and `ept`
        (SIREN; missing outside any), `department` (or collectivity), `region` (missing in the collectivities),
        `territory` (missing where it is not known), `cog_year` (Int64; missing when unknown), and `geometry` when
        outlines are given, in the projection of the files or in EPSG:4326 when they differ. `attrs["qpvgeo"]` lists
        the files; `moved`, the former codes with the code each went to; `unknown`, the codes of outlines that the
        table does not have; `notes`, the outlines made valid, a table with the same bytes as one of another year beside
        it, and what else was done.

    Raises
    ------
    DataError
        Codes are missing or stand twice, outlines are missing or differ, the projection cannot be known.
    UsageError
        `arrondissements` is neither `fold` nor `keep`, or there is no source.
    MissingDataError
        There is no such file.

    Notes
    -----
    Codes of older outlines that the table of communes no longer has go to the commune that its rows of *communes
    déléguées* and *associées* name, or that a table of movements names, and the outlines are dissolved. Those that
    lead nowhere stay: some communes have merged without becoming *déléguées*.

    Examples
    --------
    >>> from qpvgeo.samples import sample
    >>> communes = read_communes(sample().communes, table=sample().communes_table)
    >>> communes.loc[["99001", "99008"], ["name", "population", "department", "cog_year"]]
                 name  population department  cog_year
    code
    99001  Port-Brume       60274         99      2024
    99008   Le Ressac        1859         99      2024
    >>> communes.crs.to_epsg()
    4326
    """
    if arrondissements not in {"fold", "keep"}:
        raise UsageError(
            Note("read.arrondissements_unknown", value=str(arrondissements)), way_out=Note("read.fold_or_keep")
        )
    notes: list[str] = []
    given = recognise.paths(source, data, like="cog-{}")
    _require_there(given)
    pieces = [path for path in given if has_outlines(path)]
    columns, unused = columns or {}, set(columns or {})
    others = [] if table is None else recognise.paths(table, data)
    _require_there(others)
    sheet = None if pieces else layer
    tables = [
        read_commune_table(path, columns, unused, notes, sheet) for path in [*given, *others] if path not in pieces
    ]
    known = merged(tables, notes)
    moved: dict[str, str] = {}
    unknown: list[str] = []
    records: list[dict[str, Any]] = []
    if pieces:
        outlines, records = read_pieces(pieces, columns, unused, notes, layer=layer, crs=crs)
        if known is not None:
            parents = {code: parent for one in reversed(tables) for code, parent in one.parents.items()}
            outlines, moved = dissolve_moved(outlines, known.index, parents)
            unknown = _compared(outlines.index, known, moved, notes)
        communes = _attributed(outlines, known, notes)
    elif known is None:
        raise DataError(Note("read.movements_alone"))
    else:
        communes = known
    _require_used(unused)
    communes = settle_arrondissements(communes, arrondissements, notes)
    _hold_against_facts(communes, notes)
    years = (
        [one.year for one in tables if one.typed],
        [year_of(path.name) for path in pieces],
        [one.year for one in tables if not one.typed],
    )
    communes = _canonical(communes, cog_year or _cog_year(years, notes))
    return stamp(
        communes,
        [*records, *(one.record for one in tables)],
        cog_year=None if communes["cog_year"].isna().all() else int(communes["cog_year"].iloc[0]),
        moved=moved,
        unknown=unknown,
        notes=notes,
        fictional=published.is_sample(communes.index),
    )


@judged
@kept
def read_epci(
    source: Source,
    *,
    cog_year: int | None = None,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    data: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Read the EPCI, or the EPT of the Grand Paris.

    Parameters
    ----------
    source
        A table or several: Etalab (`epci`), Insee's workbook of intercommunality (sheet `EPCI`, else its
        composition), Insee's workbook of EPT, DGCL (`epcicom<year>`).
    cog_year
        Year of the list; taken from the name of the file when not given.
    columns
        `{"name in the file": "code" | "name" | "nature" | "n_communes" | "population"}`.
    layer
        Name of the sheet, in a workbook of several.
    data
        Folder searched for keys of `qpvgeo.datasets()` (`"epci-2024"`), before the others.

    Returns
    -------
    pandas.DataFrame
        Indexed by `code` (SIREN): `name`, `nature` (`CC`, `CA`, `CU`, `METRO`, `MET69`, `EPT`; missing where the
        table does not give it), `n_communes` (Int64), `population` (municipal, Int64; missing where the table has
        none, as Insee's), `cog_year` (Int64; missing when unknown). The row of the communes outside any EPCI
        (`ZZZZZZZZZ`) is left out and counted in the notes of `attrs["qpvgeo"]`, which also say when a table of
        another year beside this one has the same bytes.

    Raises
    ------
    DataError
        The table has no codes of EPCI, some are no SIREN, or one has rows that differ.
    MissingDataError
        There is no such file.

    Examples
    --------
    >>> from qpvgeo.samples import sample
    >>> read_epci(sample().epci_table).set_index("name")[["nature", "n_communes", "population"]]
                             nature  n_communes  population
    name
    CA de la Baie des Brumes     CA           7      116440
    CC des Hautes Lames          CC           5       15798
    """
    notes: list[str] = []
    columns, unused = columns or {}, set(columns or {})
    paths = recognise.paths(source, data, like="epci-{}")
    _require_there(paths)
    frames, records = zip(*(_read_epci(path, columns, unused, notes, layer) for path in paths), strict=True)
    _require_used(unused)
    epci = pd.concat(frames) if len(frames) > 1 else frames[0]
    twice = epci.index[epci.index.duplicated()]
    if len(twice):
        raise DataError(
            Note("read.epci_repeated", count=len(twice)), problems=twice, way_out=Note("read.one_year_at_a_time")
        )
    year = cog_year or _cog_year([[year_of(path.name) for path in paths]], notes)
    epci["cog_year"] = pd.Series(year, epci.index, dtype="Int64")
    fictional = all(path.parent == sample().path for path in paths)
    return stamp(epci[list(EPCI_COLUMNS)], records, cog_year=year, notes=notes, fictional=fictional)


def _require_there(paths: Iterable[Path]) -> None:
    """Raise when a file is not there."""
    for path in paths:
        if not path.is_dir():
            existing_path(path)


def _require_used(unused: set[str]) -> None:
    if unused:
        raise DataError(Note("read.no_file_has_column", columns=sorted(unused)), way_out=Note("read.correct_columns"))


def _cog_year(groups: Iterable[Iterable[int | None]], notes: list[str]) -> int | None:
    """Year of the COG of the whole, by the first kind of file that states one; unknown when two of a kind differ."""
    stated = [{year for year in years if year is not None} for years in groups]
    found = next((years for years in stated if years), set())
    year = next(iter(found)) if len(found) == 1 else None
    everything = sorted(set().union(*stated))
    if len(everything) > 1:
        notes.append(
            Note("read.cog_years", years=everything, year=year)
            if year
            else Note("read.cog_years_differ", years=everything)
        )
    return year


def _hold_against_facts(communes: pd.DataFrame, notes: list[str]) -> None:
    """Leave out populations that cannot be those of the communes, and say which names or populations are not there."""
    impossible = counts.impossible_sums(communes["population"], "commune")
    if impossible:
        communes["population"] = pd.Series(pd.NA, communes.index, dtype="Int64")
        notes.append(Note("read.populations_left_out", places=impossible))
    notes += [Note("read.no_names")] if communes["name"].isna().all() else []
    notes += [Note("read.no_populations")] if communes["population"].isna().all() and not impossible else []


def _compared(index: pd.Index, known: pd.DataFrame, moved: Mapping[str, str], notes: list[str]) -> list[str]:
    """Codes of the outlines that the tables do not have, and notes on what differs."""
    if moved:
        notes.append(Note("read.communes_moved", count=len(moved), communes=len(set(moved.values()))))
    unknown = index.difference(known.index)
    if len(unknown):
        notes.append(Note("read.outlines_unknown", count=len(unknown), codes=list(unknown)))
    without = known.index.difference(index)
    if len(without):
        notes.append(Note("read.communes_without_outline", count=len(without), codes=list(without)))
    return list(unknown)


def _attributed(outlines: gpd.GeoDataFrame, known: pd.DataFrame | None, notes: list[str]) -> gpd.GeoDataFrame:
    """Outlines with the attributes of the tables, else those published with the outlines."""
    text = pd.DataFrame(outlines.drop(columns="geometry"))
    own = attributes(text, text.index.to_series(), "outlines", notes)
    rows = own if known is None else known.reindex(outlines.index).fillna(own)
    return gpd.GeoDataFrame(rows, geometry=outlines.geometry)


def _canonical(communes: pd.DataFrame, year: int | None) -> pd.DataFrame:
    """Canonical columns, in order; territory, department and region come from the codes."""
    department = pd.Series(communes.index.map(official.of_commune), index=communes.index, dtype="str")
    communes = communes.assign(
        department=department,
        region=department.map(facts.region_by_department()).astype("str"),
        territory=department.map({one: territories.of_department(one) for one in department.unique()}).astype("str"),
        cog_year=pd.Series(year, communes.index, dtype="Int64"),
    )
    communes.attrs.clear()
    shape = ["geometry"] if "geometry" in communes.columns else []
    return communes[[*COMMUNE_COLUMNS, *shape]]


def _read_epci(
    path: Path, columns: Mapping[str, str], unused: set[str], notes: list[str], sheet: str | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    named = [set(columns)] if columns else []
    text = read_table(path, sheet=sheet, expect=[*named, *_EPCI_EXPECT])
    record = file_memory.record(path, member=text.attrs["table"].get("member"))
    record |= {"kind": "epci", "cog_year": year_of(path.name)}
    notes += [*notes_of(text), *twin_notes(path)]
    text = published.rename_columns(text, columns, where=path.name, unused=unused)
    column = published.of_kind(text, EPCI_CODE, "siren")
    if column is None:
        raise DataError(
            Note("read.no_epci_codes", file=path.name),
            problems=published.unlike_codes(text, EPCI_CODE),
            way_out=Note("read.name_the_column", canonical="code", columns=list(map(str, text.columns))),
        )
    outside = text[column].str.upper().eq("ZZZZZZZZZ").fillna(False).astype(bool)
    if outside.any():
        notes.append(Note("read.outside_epci", file=path.name, count=int(outside.sum())))
    text, (given, *_) = published.identified(text[~outside], text.loc[~outside, column], "siren", where=path.name)
    frame = pd.DataFrame(index=pd.Index(given, name="code"))
    for name, known in (("name", _EPCI_NAME), ("nature", _EPCI_NATURE)):
        found = find_column(text.drop(columns=[column]), known)
        frame[name] = pd.Series(text[found] if found else pd.NA, text.index, dtype="str").to_numpy()
    frame["nature"] = frame["nature"].replace({"ME": "METRO"})
    if normalise(column).endswith("ept"):
        frame["nature"] = frame["nature"].fillna("EPT")
    for name, counted in (("n_communes", _EPCI_COUNT), ("population", _EPCI_PEOPLE)):
        found = find_column(text, counted)
        numbers = counts.people(text[found], where=path.name, notes=notes) if found else pd.Series(pd.NA, text.index)
        frame[name] = counts.whole_people(numbers, notes).to_numpy()
    return _one_row_each(frame, text, path.name, notes), record


def _one_row_each(frame: pd.DataFrame, text: pd.DataFrame, where: str, notes: list[str]) -> pd.DataFrame:
    """One row per EPCI of a table that has one per member commune."""
    if frame.index.is_unique:
        return frame
    members = frame.groupby(level=0, sort=False).size()
    frame = frame.reset_index().drop_duplicates().set_index("code")
    twice = frame.index[frame.index.duplicated()].unique()
    if len(twice):
        raise DataError(Note("read.epci_differ", file=where, count=len(twice)), problems=twice)
    if published.commune_codes(text) is not None and frame["n_communes"].isna().all():
        frame["n_communes"] = members.reindex(frame.index).astype("Int64")
        notes.append(Note("read.communes_counted", file=where))
    return frame
