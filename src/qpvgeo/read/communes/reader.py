"""Communes: codes, names, populations, what they belong to, and outlines.

Insee, the IGN, the DGCL and Etalab publish them under different names and by different years of the *code officiel
géographique* (COG). One frame comes out: one row per commune of one COG, with the EPCI with its own taxation and, in
the Métropole du Grand Paris, the *établissement public territorial* (EPT). Department and region come from the code
of the commune, so that tables of before 2016 give the regions of today.
"""

import os
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.provenance import stamp
from qpvgeo.language import Note
from qpvgeo.read.communes.outlines import (
    Arrondissements,
    dissolve_moved,
    has_outlines,
    read_pieces,
    settle_arrondissements,
)
from qpvgeo.read.communes.tables import (
    Source,
    attributes,
    cog_year_of,
    merged,
    read_commune_table,
    require_there,
    require_used,
    year_of,
)
from qpvgeo.read.processed import kept
from qpvgeo.sources import population_columns as counts
from qpvgeo.sources import published_columns as published
from qpvgeo.sources import recognise

__all__ = ["COMMUNE_COLUMNS", "read_communes"]

COMMUNE_COLUMNS = ("name", "population", "epci", "ept", "department", "region", "territory", "cog_year")


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
    require_there(given)
    pieces = [path for path in given if has_outlines(path)]
    columns, unused = columns or {}, set(columns or {})
    others = [] if table is None else recognise.paths(table, data)
    require_there(others)
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
    require_used(unused)
    communes = settle_arrondissements(communes, arrondissements, notes)
    _hold_against_facts(communes, notes)
    years = (
        [one.year for one in tables if one.typed],
        [year_of(path.name) for path in pieces],
        [one.year for one in tables if not one.typed],
    )
    communes = _canonical(communes, cog_year or cog_year_of(years, notes))
    return stamp(
        communes,
        [*records, *(one.record for one in tables)],
        cog_year=None if communes["cog_year"].isna().all() else int(communes["cog_year"].iloc[0]),
        moved=moved,
        unknown=unknown,
        notes=notes,
        fictional=published.is_sample(communes.index),
    )


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
