"""Outlines of communes brought to one frame in which nothing overlaps and every code is of one year.

Published outlines come in pieces (a file per region or department), some older than others, with Paris, Lyon and
Marseille whole, in arrondissements, or both. Communes that have merged since are moved to their successor and their
outlines dissolved: the new commune is exactly the union of the old ones. Splits cannot be undone this way.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.codes import official
from qpvgeo.errors import DataError
from qpvgeo.formats import vector_layers
from qpvgeo.formats.text_tables import as_text, normalise
from qpvgeo.frames.forms import regions_of
from qpvgeo.geometry.outline_repair import mend, repair
from qpvgeo.geometry.projection import DEGREES, territory_of
from qpvgeo.language import Note
from qpvgeo.read.communes.tables import year_of
from qpvgeo.sources import file_memory, known_tables
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.published_names import COMMUNE_CODE, named

__all__ = ["WHOLE", "Arrondissements", "dissolve_moved", "has_outlines", "read_pieces", "settle_arrondissements"]

Arrondissements = Literal["fold", "keep"]

WHOLE = {"75056": "Paris", "69123": "Lyon", "13055": "Marseille"}
_AREAS = {"polygon", "multipolygon", "3d polygon", "3d multipolygon", "unknown"}


def has_outlines(path: Path) -> bool:
    """Tell whether a file holds outlines rather than a table; it is remembered of a table."""
    if path.is_dir():
        return True
    known = file_memory.recall("outlines", path)
    if known is None:
        known = vector_layers.holds_outlines(path) and bool(vector_layers.layers(path))
        if not known:
            file_memory.remember("outlines", path, known)
    return bool(known)


def read_pieces(
    paths: Iterable[Path],
    columns: Mapping[str, str],
    unused: set[str],
    notes: list[str],
    *,
    layer: str | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj understands
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Read outlines of communes given in one or several files.

    Parameters
    ----------
    paths
        Files, zips or folders of outlines.
    columns
        `{"name in the file": "canonical name"}`.
    unused
        Loses the names that a file has.
    notes
        Gains a line for each correction.
    layer, crs
        Name of the layer and projection, as the caller says.

    Returns
    -------
    tuple
        Outlines indexed by `code`, valid and areal, with the published attributes as text; and a record per file. In
        the projection of the files, in EPSG:4326 when they differ.

    Raises
    ------
    DataError
        A file has no layer of communes or several, codes or outlines are missing, or a code has two outlines.
    """
    pieces: list[gpd.GeoDataFrame] = []
    records = []
    for path in paths:
        chosen = _layer(path, columns, layer)
        piece, settled = vector_layers.read(chosen, crs=crs)
        notes.extend(settled)
        pieces.append(_identified(piece, columns, unused, chosen.label))
        told = {"kind": "boundaries", "cog_year": year_of(chosen.path.name)}
        regions = regions_of({official.of_commune(code) for code in pieces[-1].index.str[:3].unique()})
        records.append({**file_memory.record(chosen.path, member=chosen.member), **told, "regions": regions})
    systems = {piece.crs.to_wkt() for piece in pieces}
    if len(systems) > 1:
        notes.append(Note("read.projections", count=len(systems), crs=f"EPSG:{DEGREES}"))
        pieces = [piece.to_crs(DEGREES) for piece in pieces]
    joined = pieces[0] if len(pieces) == 1 else pd.concat(pieces)
    return _valid(_without_repetition(joined, notes), notes), records


def _layer(path: Path, columns: Mapping[str, str], wanted: str | None) -> vector_layers.Layer:
    """Layer of the communes in a file that may hold arrondissements, seats and former communes too."""
    if wanted is not None:
        return known_tables.called(vector_layers.layers(path), wanted)[0]
    known = {normalise(name) for name in columns}
    found = [
        layer
        for layer in vector_layers.layers(path)
        if layer.shape.lower() in _AREAS
        and (known & set(map(normalise, layer.fields)) or named(layer.fields, COMMUNE_CODE))
    ]
    called = [layer for layer in found if normalise(_last_name(layer)) in {"commune", "communes"}]
    chosen = found if len(found) == 1 else called
    if len(chosen) != 1:  # the only one that has a row for each commune
        chosen = [layer for layer in chosen or found if known_tables.commune_column_of(layer)] or chosen
    if len(chosen) != 1:
        raise DataError(
            Note("read.layers_of_communes", file=path.name, count=len(chosen) or len(found)),
            problems=[_last_name(layer) for layer in chosen or found],
            way_out=Note("read.choose_layer", layers=[_last_name(layer) for layer in chosen or found])
            if chosen or found
            else Note("read.name_commune_code"),
        )
    return chosen[0]


def _last_name(layer: vector_layers.Layer) -> str:
    return layer.name or Path(layer.member or layer.path.name).stem


def _identified(piece: gpd.GeoDataFrame, columns: Mapping[str, str], unused: set[str], where: str) -> gpd.GeoDataFrame:
    """Published attributes as text, under the codes of the communes."""
    attributes = as_text(pd.DataFrame(piece.drop(columns=piece.geometry.name)))
    text = published.rename_columns(attributes, columns, where=where, unused=unused)
    given = published.commune_codes(text)
    if given is None:
        raise DataError(
            Note("read.no_commune_codes", file=where),
            way_out=Note("read.name_the_column", canonical="code", columns=list(map(str, text.columns))),
        )
    cleaned = official.require(given, "commune", where=where).codes
    shapes = gpd.GeoSeries(piece.geometry.to_numpy(), index=text.index, crs=piece.crs)
    absent = cleaned[shapes.isna() | shapes.is_empty]
    if len(absent):
        raise DataError(Note("read.communes_no_outline", file=where, count=len(absent)), problems=absent)
    frame = gpd.GeoDataFrame(text, geometry=shapes)
    return frame.set_axis(pd.Index(cleaned, name="code"), axis="index")


def _without_repetition(outlines: gpd.GeoDataFrame, notes: list[str]) -> gpd.GeoDataFrame:
    """One row per code: the same outline published in two pieces is kept once."""
    repeated = outlines[outlines.index.duplicated(keep=False)]
    if repeated.empty:
        return outlines
    shapes = pd.Series(shapely.to_wkb(shapely.normalize(repeated.geometry.to_numpy())), index=repeated.index)
    differing = [code for code, group in shapes.groupby(level=0) if len(set(group)) > 1]
    if differing:
        raise DataError(
            Note("read.outlines_differ", count=len(differing)), problems=differing, way_out=Note("read.no_overlap")
        )
    notes.append(Note("read.outlines_repeated", count=repeated.index.nunique()))
    return outlines[~outlines.index.duplicated()]


def _valid(outlines: gpd.GeoDataFrame, notes: list[str]) -> gpd.GeoDataFrame:
    """The few invalid outlines made valid, areas only: in the projection of the file, and where they are measured."""
    shapes, broken = mend(outlines.geometry.to_numpy(), outlines.crs, outlines.index, name="communes")
    # a file of all of France holds Antarctica and other lands without a legal projection here
    here = np.flatnonzero(territory_of(shapes, outlines.crs) != None)  # noqa: E711
    sound, log = repair(gpd.GeoDataFrame(geometry=shapes[here], index=here, crs=outlines.crs))
    broken = np.union1d(broken, log["code"].to_numpy(dtype=np.intp))
    if not len(broken):
        return outlines
    shapes = shapes.copy()
    shapes[here] = sound.geometry.to_numpy()
    lost = outlines.index[shapely.is_missing(shapes) | shapely.is_empty(shapes)]
    if len(lost):
        raise DataError(
            Note("read.outlines_no_area", count=len(lost)), problems=lost, way_out=Note("geometry.correct_or_drop")
        )
    notes.append(Note("read.outlines_repaired", count=len(broken), codes=list(outlines.index[broken])))
    return outlines.set_geometry(gpd.GeoSeries(shapes, index=outlines.index, crs=outlines.crs))


def dissolve_moved(
    outlines: gpd.GeoDataFrame, current: Iterable[str], parents: Mapping[str, str]
) -> tuple[gpd.GeoDataFrame, dict[str, str]]:
    """Move former communes to the commune that they are now part of.

    Parameters
    ----------
    outlines
        Outlines indexed by code.
    current
        Codes that exist: they stay, even when a former commune had the same.
    parents
        Commune that each former one has become part of.

    Returns
    -------
    tuple
        The outlines, dissolved, in the order of the first of each; and `{former code: code}` of those moved.
    """
    exist = frozenset(current)
    moved = {code: _successor(code, exist, parents) for code in outlines.index.tolist() if code not in exist}
    moved = {code: successor for code, successor in moved.items() if successor != code}
    if not moved:
        return outlines, {}
    target = pd.Index([moved.get(code, code) for code in outlines.index.tolist()], name="code")
    first = ~target.duplicated()
    frame = outlines.set_axis(target, axis="index")[first]
    shapes = frame.geometry.to_numpy().copy()
    # what is published of a part does not hold for the whole
    changed = frame.index.isin(set(moved.values()))
    frame.loc[changed, frame.columns.drop("geometry")] = np.nan
    everything = outlines.geometry.to_numpy()
    for position in np.flatnonzero(changed):
        shapes[position] = shapely.union_all(everything[target == frame.index[position]])
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=outlines.crs)), moved


def _successor(code: str, exist: frozenset[str], parents: Mapping[str, str]) -> str:
    """Commune of today that a code leads to; the code itself when none does."""
    seen = {code}
    step = code
    while step not in exist:
        step = parents.get(step, code)
        if step in seen:
            return code
        seen.add(step)
    return step


def settle_arrondissements(communes: pd.DataFrame, wanted: Arrondissements, notes: list[str]) -> pd.DataFrame:
    """Paris, Lyon and Marseille whole, or in arrondissements, never both.

    Parameters
    ----------
    communes
        Frame indexed by code, with outlines or without, with at least `name` and `population`.
    wanted
        `fold` gives whole communes, `keep` their arrondissements.
    notes
        Gains a line for each commune settled.

    Returns
    -------
    pandas.DataFrame
        The same kind of frame. A whole commune made from its arrondissements has the sum of their populations,
        missing when one is missing or absent.
    """
    for whole, parts in official.ARRONDISSEMENTS.items():
        present = [part for part in parts if part in communes.index]
        if not present:
            if wanted == "keep" and whole in communes.index:
                notes.append(Note("read.stays_whole", commune=WHOLE[whole], count=len(parts)))
        elif wanted == "fold":
            communes = _fold(communes, whole, present, notes)
        elif whole in communes.index and len(present) < len(parts):
            notes.append(Note("read.stays_whole", commune=WHOLE[whole], count=len(parts) - len(present)))
            communes = communes.drop(index=present)
        elif whole in communes.index:
            notes.append(Note("read.given_by_parts", commune=WHOLE[whole], count=len(parts)))
            communes = communes.drop(index=whole)
    return communes


def _fold(communes: pd.DataFrame, whole: str, present: Sequence[str], notes: list[str]) -> pd.DataFrame:
    """Whole commune in place of its arrondissements: the one that is given, else their union."""
    absent = len(official.ARRONDISSEMENTS[whole]) - len(present)
    rows = communes.loc[list(present)]
    people = pd.NA if absent else rows["population"].sum(skipna=False)
    if whole in communes.index:
        if pd.isna(communes.loc[whole, "population"]):
            communes.loc[whole, "population"] = people
        notes.append(Note("read.given_whole", commune=WHOLE[whole], count=len(present)))
        return communes.drop(index=rows.index)
    new = rows.iloc[[0]].set_axis(pd.Index([whole], name=communes.index.name), axis="index")
    new["name"], new["population"] = WHOLE[whole], people
    if "geometry" in communes.columns:
        new["geometry"] = gpd.GeoSeries([shapely.union_all(rows.geometry.to_numpy())], index=new.index)
    key = "read.made_from_some_parts" if absent else "read.made_from_parts"
    notes.append(Note(key, commune=WHOLE[whole], count=len(present), absent=absent))
    return pd.concat([communes.drop(index=rows.index), new])
