"""EPCI, and EPT of the Grand Paris: names, natures, numbers of communes and populations."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qpvgeo.errors import DataError, judged
from qpvgeo.formats.text_tables import find_column, normalise, notes_of, read_table
from qpvgeo.frames.provenance import stamp
from qpvgeo.language import Note
from qpvgeo.read.communes.tables import Source, cog_year_of, require_there, require_used, twin_notes, year_of
from qpvgeo.read.processed import kept
from qpvgeo.samples import sample
from qpvgeo.sources import file_memory, recognise
from qpvgeo.sources import population_columns as counts
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.known_tables import EPCI_CODE

__all__ = ["EPCI_COLUMNS", "read_epci"]

EPCI_COLUMNS = ("name", "nature", "n_communes", "population", "cog_year")

_NAME: tuple[str, ...] = (
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
_NATURE: tuple[str, ...] = ("nature", "nature_epci", "nature_juridique", "type")
_COUNT = ("n_communes", "nb_communes", "nb_com", "nb_membres", "nombre_communes")
_PEOPLE = ("population", "populationmunicipale", "total_pop_mun", "pop_mun", "pmun", "population_municipale")
_EXPECT = [
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
    require_there(paths)
    frames, records = zip(*(_read_epci(path, columns, unused, notes, layer) for path in paths), strict=True)
    require_used(unused)
    epci = pd.concat(frames) if len(frames) > 1 else frames[0]
    twice = epci.index[epci.index.duplicated()]
    if len(twice):
        raise DataError(
            Note("read.epci_repeated", count=len(twice)), problems=twice, way_out=Note("read.one_year_at_a_time")
        )
    year = cog_year or cog_year_of([[year_of(path.name) for path in paths]], notes)
    epci["cog_year"] = pd.Series(year, epci.index, dtype="Int64")
    fictional = all(path.parent == sample().path for path in paths)
    return stamp(epci[list(EPCI_COLUMNS)], records, cog_year=year, notes=notes, fictional=fictional)


def _read_epci(
    path: Path, columns: Mapping[str, str], unused: set[str], notes: list[str], sheet: str | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    named = [set(columns)] if columns else []
    text = read_table(path, sheet=sheet, expect=[*named, *_EXPECT])
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
    for name, known in (("name", _NAME), ("nature", _NATURE)):
        found = find_column(text.drop(columns=[column]), known)
        frame[name] = pd.Series(text[found] if found else pd.NA, text.index, dtype="str").to_numpy()
    frame["nature"] = frame["nature"].replace({"ME": "METRO"})
    if normalise(column).endswith("ept"):
        frame["nature"] = frame["nature"].fillna("EPT")
    for name, counted in (("n_communes", _COUNT), ("population", _PEOPLE)):
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
