"""Perimeters of the QPV, from every form they were published in.

One canonical frame comes out of the nine shapefiles of the 2015 geography, of the GeoJSON, shapefile and GeoPackage of
the 2024 one, of zip archives of them and of GeoParquet. Nothing is dropped in silence: what was repaired, corrected or
left out stands in the provenance.
"""

import os  # noqa: TC003 - sphinx and users read the annotations
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.codes import official, territories
from qpvgeo.codes.code_in_text import codes_in
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.formats import vector_layers
from qpvgeo.frames import forms, provenance
from qpvgeo.geometry.projection import DEGREES, to_metric
from qpvgeo.language import Note
from qpvgeo.read.processed import kept
from qpvgeo.read.qpv_layers import Piece, read_piece, release_of
from qpvgeo.sources import known_tables, recognise
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.published_names import NAMES

__all__ = ["read_qpv"]

_SAME_PLACE_M = 1.0


@judged
@kept
def read_qpv(
    source: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]",
    *,
    vintage: int | None = None,
    territory: str | None = None,
    release: str | None = None,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj understands
    repair: bool = True,
    data: "str | os.PathLike[str] | None" = None,
) -> gpd.GeoDataFrame:
    """Read the perimeters of the QPV.

    Parameters
    ----------
    source
        A key of `qpvgeo.datasets()` (`"qpv-2015"`, `"qpv-2024"`), a file, a zip archive, a folder, or several of
        them. Shapefile, GeoJSON, GeoPackage and GeoParquet are read, with column names in any case.
    vintage
        2015 or 2024. Needed when the source holds both; otherwise it is checked against the codes.
    territory
        Keep one territory: `"hexagone"`, `"971"` ... `"987"`.
    release
        Release of the list, where the source holds several of one geography: `"2025"` or `"2026-01-15"` for 2024. They
        differ in Mayotte; layers without Mayotte belong to both.
    columns
        `{"name in the file": "qpv_code" | "name" | "communes" | "commune_names"}` for a file that someone renamed.
    layer
        Name of the layer to read, in a file of several; all those of QPV by default.
    crs
        Projection of the coordinates (`"EPSG:2154"`), for a file that does not say it or says it wrongly.
    repair
        Whether invalid outlines are made valid (see `qpvgeo.repair`). Without it they are given as published.
    data
        Folder searched for a key, before the others (see `qpvgeo.datasets`).

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by `qpv_code` (unique, in the order of the file): `name`, `vintage`, `release` (of the published list,
        missing where the codes do not tell), `territory`, `department` and `region` (of the code; region missing in
        Saint-Martin and Polynésie française), `communes` (list of commune codes; None in the 2015 files, which give
        names only), then `commune_names` (list of the published names) where there are no codes, then every other
        published column in lower case, and `geometry`. The projection is that of the file; WGS 84 (EPSG:4326) when
        files in several projections are joined. An outline is missing where the file gives none, or one that encloses
        no area: the row stays. `attrs["qpvgeo"]` holds the files with their SHA-256, the repairs and the notes, and
        `outline_lost` where repair lost outlines (see `qpvgeo.repair`); it prints short, and `qpvgeo.provenance` gives
        it whole.

    Raises
    ------
    MissingDataError
        The file, or the data of the key, is not there.
    DataError
        Codes are missing, invalid or repeated, outlines cannot be used, or lie in another territory than their code
        says, or no file has a column named in `columns`: everything is listed at once.
    UsageError
        Both geographies or several releases are in the source and neither `vintage` nor `release` chooses, `columns`
        gives a name that means nothing, or the source is not a path or key.

    Notes
    -----
    Where a national file and the file of a territory hold the same QPV, the territory's own is kept. In Guyane the two
    published files of 2015 differ by 3.4 m: the national one was made with the transformation EPSG:1907 (RGFG95 to
    WGS 84, translation of 2, 2 and -2 m), which the EPSG registry withdrew as issued in error; with it the two agree
    within 0.02 mm. The other territories agree within 0.03 mm.

    Source: ANCT, Licence Ouverte 2.0.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> len(qpv), qpv.index[0], qpv.crs.to_epsg(), qpv["vintage"].unique().tolist()
    (16, 'QN09901M', 4326, [2024])
    """
    if vintage not in (None, 2015, 2024):
        raise UsageError(Note("read.no_vintage", vintage=str(vintage)), way_out=Note("read.vintages_are"))
    if territory is not None:
        territories.get(territory)
    paths = _of_any_release(source, data) if release else recognise.paths(source, data)
    held = [one for path in paths for one in vector_layers.layers(path)]
    if layer is not None:
        held = known_tables.called(held, layer)
    _require_named(columns or {}, held)
    if not held:
        raise DataError(
            Note("read.no_layers", files=[path.name for path in paths]),
            way_out=Note("read.forms_are", forms=list(vector_layers.SUFFIXES)),
        )
    # centroid files carry the codes too
    areas = [one for one in held if not vector_layers.is_thin(one)]
    areal = [one for one in areas if known_tables.qpv_column_of(one, columns)]
    if not areal:
        raise _no_perimeters(held, areas, [path.name for path in paths])
    pieces = [read_piece(one, columns, repair=repair, crs=crs) for one in areal]
    pieces = _of_release(_of_vintage(pieces, vintage), release)
    qpv, notes = _join(pieces)
    if territory is not None:
        qpv = qpv[qpv["territory"] == territory]
    return _stamped(qpv, pieces, notes)


def _no_perimeters(
    held: Sequence[vector_layers.Layer], areas: Sequence[vector_layers.Layer], files: list[str]
) -> DataError:
    """What keeps every layer from being one of perimeters: points or lines, a choice of codes, no codes."""
    choices = [name for one in areas for name in published.qpv_columns(known_tables.head_of(one))]
    if choices:
        return DataError(
            Note("read.several_code_columns", file=", ".join(files), count=len(choices)),
            problems=choices,
            way_out=Note("read.name_one_of", choices=[f"{{{name!r}: 'qpv_code'}}" for name in choices]),
        )
    if not areas:
        return DataError(
            Note("read.no_perimeters", files=files),
            problems=[Note("formats.layer_holds", layer=one.label, shape=one.shape) for one in held],
            way_out=Note("read.give_areas"),
        )
    problems = [*_what_is_there(held), *(note for one in areas for note in _codes_in_some(one))]
    return DataError(Note("read.no_perimeters", files=files), problems=problems, way_out=Note("read.name_qpv_code"))


def _codes_in_some(layer: vector_layers.Layer) -> list[Note]:
    """Columns of a layer of which some cells hold one code of a QPV, and others none or several."""
    head = known_tables.head_of(layer)
    found = []
    for column in head.columns:
        told = head[column].fillna("").astype("str")
        without = told[official.clean(told, "qpv").codes.isna()]
        if len(without) and told.map(codes_in).any():
            values = {"count": len(told) - len(without), "of": len(told), "example": repr(without.iloc[0])}
            found.append(Note("read.codes_in_some", layer=layer.label, column=str(column), **values))
    return found


def _of_any_release(source: Any, data: Any) -> list[Path]:  # noqa: ANN401
    """Files behind a source; for a key, all that hold perimeters of its geography, whatever their release."""
    vintage = recognise.PERIMETER_KEYS.get(source) if isinstance(source, str) else None
    if vintage is None:
        return recognise.paths(source, data)
    found = [one.path for one in recognise.of_kind("perimeters", data, vintage)]
    return list(dict.fromkeys(found)) or recognise.paths(source, data)


def _of_release(pieces: list[Piece], release: str | None) -> list[Piece]:
    """Pieces of one release of the list; those whose codes do not tell belong to any."""
    held = sorted({str(one) for piece in pieces for one in piece.frame["release"].dropna().unique()})
    if release is None:
        if len(held) > 1:
            raise UsageError(
                Note("read.several_releases", releases=held), way_out=Note("read.choose_release", release=held[-1])
            )
        return pieces
    if release not in held:
        raise DataError(
            Note("read.no_release", release=release),
            way_out=Note("read.releases_are", releases=held) if held else Note("read.release_unknown"),
        )
    return [
        piece for piece in pieces if piece.frame["release"].isna().all() or (piece.frame["release"] == release).any()
    ]


def _require_named(columns: Mapping[str, str], held: Sequence[vector_layers.Layer]) -> None:
    """Raise when `columns` names what no file has, or gives it a name that means nothing here."""
    strange = sorted(set(columns.values()) - set(NAMES))
    if strange:
        raise UsageError(
            Note("read.cannot_name", names=strange), way_out=Note("read.canonical_names", names=list(NAMES))
        )
    absent = sorted(set(columns) - {field for layer in held for field in layer.fields})
    if absent:
        raise DataError(
            Note("read.no_file_has_column", columns=absent),
            problems=_what_is_there(held),
            way_out=Note("read.correct_columns"),
        )


def _what_is_there(held: Sequence[vector_layers.Layer]) -> list[Note]:
    return [Note("read.layer_columns", layer=layer.label, columns=list(layer.fields)) for layer in held]


def _of_vintage(pieces: list[Piece], vintage: int | None) -> list[Piece]:
    """Pieces of one geography; refuses to mix the two."""
    held = sorted({int(value) for piece in pieces for value in piece.frame["vintage"].unique()})
    if vintage is None:
        if len(held) > 1:
            examples = {year: next(_first(piece, year) for piece in pieces if _first(piece, year)) for year in held}
            raise UsageError(
                Note("read.both_geographies"),
                problems=[Note("read.for_example", vintage=year, code=code) for year, code in examples.items()],
                way_out=Note("read.choose_vintage"),
            )
        return pieces
    kept = [piece for piece in pieces if (piece.frame["vintage"] == vintage).any()]
    if not kept:
        example = _first(pieces[0], held[0])
        raise DataError(
            Note("read.other_geography", code=example, held=held[0], vintage=vintage, file=pieces[0].label),
            way_out=Note("read.read_with_vintage", vintage=held[0]),
        )
    return [replace(piece, frame=_only(piece.frame, vintage)) for piece in kept]


def _only(frame: gpd.GeoDataFrame, vintage: int) -> gpd.GeoDataFrame:
    """QPV of one geography, with the release that their codes tell."""
    if (frame["vintage"] == vintage).all():
        return frame
    of_it = frame[frame["vintage"] == vintage].copy()
    of_it["release"] = pd.Series(release_of(official.classify_qpv(of_it.index.to_series())), of_it.index, dtype="str")
    return of_it


def _first(piece: Piece, vintage: int) -> str | None:
    of_it = piece.frame.index[piece.frame["vintage"] == vintage]
    return str(of_it[0]) if len(of_it) else None


def _join(pieces: list[Piece]) -> tuple[gpd.GeoDataFrame, list[str]]:
    """One frame of several pieces; the file of a territory comes before the national one."""
    if len(pieces) == 1:
        return pieces[0].frame, []
    order = _by_precedence(pieces)
    systems = {piece.frame.crs.to_wkt() for piece in order}
    common = order[0].frame.crs if len(systems) == 1 else DEGREES
    kept, notes = [order[0].frame.to_crs(common)], []
    for piece in order[1:]:
        held = pd.concat(kept)
        again = piece.frame.index.intersection(held.index)
        fresh = piece.frame.drop(index=again).to_crs(common)
        if len(again):
            notes.append(_compare(piece, held.loc[again]))
        if len(fresh):
            kept.append(fresh)
    joined = gpd.GeoDataFrame(pd.concat(kept), crs=common).sort_index()
    joined["release"] = release_of(official.classify_qpv(joined.index.to_series()))
    return joined, notes


def _by_precedence(pieces: list[Piece]) -> list[Piece]:
    """Files that hold a whole territory first, the smallest area first; a clip never takes the place of the whole."""
    union = pd.concat([piece.frame["territory"] for piece in pieces])
    whole = union[~union.index.duplicated()].value_counts()

    def rank(piece: Piece) -> tuple[bool, int]:
        counts = piece.frame["territory"].value_counts()
        return bool((counts < whole.reindex(counts.index)).any()), len(piece.frame)

    return sorted(pieces, key=rank)


def _compare(piece: Piece, kept: gpd.GeoDataFrame) -> str:
    """What is set aside when two files hold the same QPV, and how far apart the outlines are."""
    one = to_metric(kept.geometry.to_numpy(), kept.crs)[0]
    other = to_metric(piece.frame.loc[kept.index].to_crs(kept.crs).geometry.to_numpy(), kept.crs)[0]
    apart = shapely.hausdorff_distance(one, other)
    far = kept.index[apart > _SAME_PLACE_M]
    if len(far) == 0:
        return Note("read.same_outlines", file=piece.label, count=len(kept), within=_SAME_PLACE_M)
    return Note(
        "read.other_outlines",
        file=piece.label,
        count=len(kept),
        far=len(far),
        within=_SAME_PLACE_M,
        places=sorted(kept.loc[far, "territory"].unique()),
        most=round(float(np.nanmax(apart)), 1),
    )


def _regions_kept(qpv: gpd.GeoDataFrame, pieces: list[Piece]) -> dict[str, list[str]]:
    """Regions of the QPV that were kept of each file."""
    left, found = qpv.index, {}
    for piece in _by_precedence(pieces) if len(pieces) > 1 else pieces:
        kept = left.intersection(piece.frame.index)
        found[piece.label] = forms.regions_of(qpv.loc[kept, "department"])
        left = left.difference(kept)
    return found


def _stamped(qpv: gpd.GeoDataFrame, pieces: list[Piece], notes: list[str]) -> gpd.GeoDataFrame:
    logs = [piece.log for piece in pieces if len(piece.log)]
    repairs = pd.concat(logs).drop_duplicates("code") if logs else pd.DataFrame(columns=["code"])
    repairs = repairs[repairs["code"].isin(qpv.index)]
    lead = [column for column in forms.QPV_COLUMNS if column != "geometry"]
    others = [column for column in qpv.columns if column not in forms.QPV_COLUMNS]
    qpv = qpv[[*lead, *others, "geometry"]]
    fictional = bool(len(qpv)) and bool((qpv["territory"] == territories.SAMPLE).all())
    bare = set(qpv.index[qpv.geometry.isna()])
    lost = {one["code"]: one for piece in pieces for one in piece.lost if one["code"] in bare}
    source = "sample" if fictional else "ANCT"
    vintage = int(qpv["vintage"].iloc[0]) if len(qpv) else None
    release = None if not len(qpv) or pd.isna(qpv["release"].iloc[0]) else str(qpv["release"].iloc[0])
    told = {"kind": "perimeters", "producer": None if fictional else source, "vintage": vintage, "release": release}
    regions = _regions_kept(qpv, pieces)
    provenance.stamp(
        qpv,
        [{**piece.record, **told, "regions": regions[piece.label]} for piece in pieces],
        source=source,
        vintage=vintage,
        release=release,
        features_in={piece.label: len(piece.frame) for piece in pieces},
        repairs=repairs.astype("object").where(repairs.notna(), None).to_dict("records"),
        notes=[*(note for piece in pieces for note in piece.notes), *notes],
        fictional=fictional,
        **({"outline_lost": list(lost.values())} if lost else {}),
    )
    return qpv
