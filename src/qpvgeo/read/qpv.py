"""Perimeters of the QPV, from every form they were published in.

One canonical frame comes out of the nine shapefiles of the 2015 geography, of the GeoJSON, shapefile and GeoPackage of
the 2024 one, of zip archives of them and of GeoParquet. Nothing is dropped in silence: what was repaired, corrected or
left out stands in the provenance.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.formats import vector_layers
from qpvgeo.frames import forms, provenance
from qpvgeo.geometry.projection import DEGREES, territory_of, to_metric
from qpvgeo.geometry.validity import repair as repair_outlines
from qpvgeo.sources.published_names import NAMES, column_of

__all__ = ["read_qpv"]

# the number that GDAL gives to features is no attribute, and keeps a frame from being written to a GeoPackage
_DERIVED = {"insee_dep", "insee_reg", "fid", *forms.QPV_COLUMNS}

_SAME_PLACE_M = 1.0


@dataclass(frozen=True, slots=True)
class _Piece:
    """One layer, read and checked."""

    label: str
    frame: gpd.GeoDataFrame
    record: dict[str, Any]
    notes: list[str]
    log: pd.DataFrame


def read_qpv(
    source: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]",
    *,
    vintage: int | None = None,
    territory: str | None = None,
    columns: Mapping[str, str] | None = None,
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
    columns
        `{"name in the file": "qpv_code" | "name" | "communes"}` for a file that someone renamed.
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
        names only), then every other published column in lower case, and `geometry`. The projection is that of the
        file; WGS 84 (EPSG:4326) when files in several projections are joined. An outline is missing where the file
        gives none, or one that encloses no area: the row stays. `attrs["qpvgeo"]` holds the files with their
        SHA-256, the repairs and the notes.

    Raises
    ------
    MissingDataError
        The file, or the data of the key, is not there.
    DataError
        Codes are missing, invalid or repeated, outlines cannot be used, or lie in another territory than their code
        says, or no file has a column named in `columns`: everything is listed at once.
    UsageError
        Both geographies are in the source and `vintage` does not choose, or `columns` gives a name that means nothing.

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
        raise UsageError(f"There is no {vintage} geography.", way_out="The vintages are 2015 and 2024.")
    if territory is not None:
        territories.get(territory)
    paths = _paths(source, data)
    held = [layer for path in paths for layer in vector_layers.layers(path)]
    _require_named(columns or {}, held)
    found = [layer for layer in held if column_of(layer.fields, "qpv_code", columns)]
    areal = [layer for layer in found if "Point" not in layer.shape]  # centroid files carry the codes too
    if not held:
        raise DataError(
            f"{', '.join(path.name for path in paths)}: no layer of outlines at all.",
            way_out=f"Forms that are read: {', '.join(vector_layers.SUFFIXES)}, or a zip archive of them.",
        )
    if not areal:
        raise DataError(
            f"{', '.join(path.name for path in paths)}: no layer of QPV outlines.",
            problems=_what_is_there(held),
            way_out='Name the column of codes: columns={"name in the file": "qpv_code"}.',
        )
    pieces = [_piece(layer, columns, repair=repair) for layer in areal]
    pieces = _of_vintage(pieces, vintage)
    qpv, notes = _join(pieces)
    if territory is not None:
        qpv = qpv[qpv["territory"] == territory]
    return _stamped(qpv, pieces, notes)


def _paths(source: Any, data: Any) -> list[Path]:  # noqa: ANN401
    from qpvgeo.sources.recognise import resolve  # noqa: PLC0415 - discover recognises files with what is defined here

    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    paths = [path for one in sources for path in resolve(one, data)]
    if not paths:
        raise MissingDataError("No file to read.", way_out="Give a path, or a key of qpvgeo.datasets().")
    return paths


def _require_named(columns: Mapping[str, str], held: Sequence[vector_layers.Layer]) -> None:
    """Raise when `columns` names what no file has, or gives it a name that means nothing here."""
    strange = sorted(set(columns.values()) - set(NAMES))
    if strange:
        raise UsageError(
            f"columns= cannot name {', '.join(map(repr, strange))}.", way_out=f"Canonical names: {', '.join(NAMES)}."
        )
    absent = sorted(set(columns) - {field for layer in held for field in layer.fields})
    if absent:
        raise DataError(
            f"No file has a column {' nor '.join(map(repr, absent))}.",
            problems=_what_is_there(held),
            way_out="Correct the names given in columns=.",
        )


def _what_is_there(held: Sequence[vector_layers.Layer]) -> list[str]:
    return [f"{layer.label}: columns {', '.join(layer.fields)}" for layer in held]


def _piece(layer: vector_layers.Layer, columns: Mapping[str, str] | None, *, repair: bool) -> _Piece:
    """Read a layer into the canonical columns and check its codes, places and outlines."""
    raw, notes = vector_layers.read(layer)
    if raw.index.name and raw.index.name not in raw.columns:
        raw = raw.reset_index()
    named = {canonical: column_of(list(raw.columns), canonical, columns) for canonical in NAMES}
    cleaned = official.require(raw[named["qpv_code"]], "qpv", where=layer.label)
    notes += [f"row {row}: {value!r} read as {code} ({why})" for row, value, code, why in cleaned.repairs.to_numpy()]
    repeated = cleaned.codes[cleaned.codes.duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"{layer.label}: {len(repeated)} codes stand on several features.",
            problems=[f"{code}: {int((cleaned.codes == code).sum())} features" for code in repeated],
            way_out="Dissolve them by code, or keep the right one, and read again.",
        )
    frame = _canonical(raw, cleaned.codes, named)
    notes += [*_correct(frame), *_unread_communes(raw, named["communes"], cleaned.codes)]
    _require_places(frame, layer.label)
    log = pd.DataFrame()
    if repair:
        frame, log = repair_outlines(frame)
    bare = frame.index[frame.geometry.isna()]
    notes += [f"{len(bare)} QPV have no outline: {', '.join(bare[:10])}"] if len(bare) else []
    record = provenance.file_record(layer.path, member=layer.member)
    earlier = provenance.provenance(raw)
    if earlier.get("repairs"):
        log = pd.concat([pd.DataFrame(earlier["repairs"]), log]) if len(log) else pd.DataFrame(earlier["repairs"])
    if earlier.get("files"):
        record["made_from"] = earlier["files"]
    notes = [*earlier.get("notes", []), *(f"{layer.label}: {note}" for note in notes)]
    return _Piece(layer.label, frame, record, notes, log)


def _canonical(raw: gpd.GeoDataFrame, index: pd.Series, named: Mapping[str, str | None]) -> gpd.GeoDataFrame:
    """Canonical columns first, then the published ones under their lower-case names, then the outlines."""
    told = official.classify_qpv(index)
    own = "release" in raw and bool(provenance.provenance(raw))
    region = {row["code"]: row["region"] for row in facts.rows("departments")}
    region[territories.SAMPLE] = territories.SAMPLE
    lists = raw[named["communes"]] if named["communes"] else None
    frame = pd.DataFrame(
        {
            "name": raw[named["name"]].astype("str").str.strip() if named["name"] else pd.Series(dtype="str"),
            "vintage": told["vintage"].astype("int64"),
            # a frame that qpvgeo wrote knows its release, even when it was cut since
            "release": raw["release"] if own else pd.Series(_release(told), raw.index, dtype="str"),
            "territory": told["territory"],
            "department": told["department"],
            "region": told["department"].map(region).replace("", pd.NA).astype("str"),
            "communes": None if lists is None else [_commune_list(value) for value in lists],
        },
        index=raw.index,
    )
    taken = {column for column in named.values() if column}
    for column in raw.columns:
        lower = str(column).strip().lower()
        if column != raw.geometry.name and column not in taken and lower not in _DERIVED:
            frame[lower] = raw[column]
    frame.index = pd.Index(index, name="qpv_code", dtype="str")
    shapes = raw.geometry.to_numpy().copy()
    shapes[shapely.is_empty(shapes)] = None
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=raw.crs)


def _unread_communes(raw: gpd.GeoDataFrame, column: str | None, index: pd.Series) -> list[str]:
    """What was repaired or left out of the published lists of communes."""
    if column is None:
        return []
    notes = []
    for code, value in zip(index, raw[column], strict=True):
        problems: list[str] = []
        if isinstance(value, str):
            official.split_list(value, problems=problems)
        notes += [f"{code}: {problem}" for problem in problems]
    return notes


def _commune_list(value: Any) -> list[str] | None:  # noqa: ANN401 - a cell: text, list, or what Parquet made of one
    if isinstance(value, list | tuple | np.ndarray):
        return [str(code) for code in value]
    return official.split_list(value) or None


def _release(told: pd.DataFrame) -> str | None:
    """Release of the published list, where its codes tell: Mayotte changed in 2026."""
    if (told["territory"] == territories.SAMPLE).all():
        return None
    if (told["vintage"] == 2015).all():
        return "2015-08"
    mayotte = told.loc[told["territory"] == "976", "status"]
    if len(mayotte):
        return "2026-01-15" if (mayotte == "whole commune").all() else "2025"
    return None


def _correct(frame: gpd.GeoDataFrame) -> list[str]:
    """Correct the published errors that are known (`facts/errata.csv`), and say so."""
    known = {row["code"]: row for row in facts.rows("errata") if row["field"] == "insee_com"}
    notes, communes = [], []
    for code, listed in frame["communes"].items():
        row = known.get(code)
        wrong = row is not None and listed == [row["published"]]
        communes.append([row["corrected"]] if row is not None and wrong else listed)
        if row is not None and wrong:
            notes.append(f"{code}: commune {row['published']} corrected to {row['corrected']} ({row['source']})")
    if notes:
        frame["communes"] = communes
    return notes


def _require_places(frame: gpd.GeoDataFrame, label: str) -> None:
    """Raise when outlines lie elsewhere than their codes say: swapped axes, wrong projection, wrong code."""
    lie_in = territory_of(frame.geometry.to_numpy(), frame.crs)
    said = frame["territory"].to_numpy()
    drawn = ~shapely.is_missing(frame.geometry.to_numpy())
    wrong = np.flatnonzero(drawn & (lie_in != said) & (said != territories.SAMPLE))
    if len(wrong) == 0:
        return
    turned = shapely.transform(frame.geometry.to_numpy()[wrong], lambda xy: xy[:, ::-1])
    swapped = (territory_of(turned, frame.crs) == said[wrong]).all()
    raise DataError(
        f"{label}: {len(wrong)} of {len(frame)} outlines do not lie where their codes say.",
        problems=[
            f"{frame.index[row]} is of {said[row]}, its outline lies in {lie_in[row] or 'no territory'}"
            for row in wrong
        ],
        way_out="Latitude and longitude are swapped in this file."
        if swapped
        else f"Look at the projection: the file is read as {frame.crs.to_string()}.",
    )


def _of_vintage(pieces: list[_Piece], vintage: int | None) -> list[_Piece]:
    """Pieces of one geography; refuses to mix the two."""
    held = sorted({int(value) for piece in pieces for value in piece.frame["vintage"].unique()})
    if vintage is None:
        if len(held) > 1:
            examples = {year: next(_first(piece, year) for piece in pieces if _first(piece, year)) for year in held}
            raise UsageError(
                "The source holds both geographies.",
                problems=[f"{year}: for example {code}" for year, code in examples.items()],
                way_out="Choose with vintage=2015 or vintage=2024; qpvgeo never mixes them in one frame.",
            )
        return pieces
    kept = [piece for piece in pieces if (piece.frame["vintage"] == vintage).any()]
    if not kept:
        example = _first(pieces[0], held[0])
        raise DataError(
            f"{example} is a {held[0]} code: there is no QPV of the {vintage} geography in {pieces[0].label}.",
            way_out=f"Read it with vintage={held[0]}.",
        )
    return [_Piece(piece.label, _only(piece.frame, vintage), piece.record, piece.notes, piece.log) for piece in kept]


def _only(frame: gpd.GeoDataFrame, vintage: int) -> gpd.GeoDataFrame:
    """QPV of one geography, with the release that their codes tell."""
    if (frame["vintage"] == vintage).all():
        return frame
    of_it = frame[frame["vintage"] == vintage].copy()
    of_it["release"] = pd.Series(_release(official.classify_qpv(of_it.index.to_series())), of_it.index, dtype="str")
    return of_it


def _first(piece: _Piece, vintage: int) -> str | None:
    of_it = piece.frame.index[piece.frame["vintage"] == vintage]
    return str(of_it[0]) if len(of_it) else None


def _join(pieces: list[_Piece]) -> tuple[gpd.GeoDataFrame, list[str]]:
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
    joined["release"] = _release(official.classify_qpv(joined.index.to_series()))
    return joined, notes


def _by_precedence(pieces: list[_Piece]) -> list[_Piece]:
    """Files that hold a whole territory first, the smallest area first; a clip never takes the place of the whole."""
    union = pd.concat([piece.frame["territory"] for piece in pieces])
    whole = union[~union.index.duplicated()].value_counts()

    def rank(piece: _Piece) -> tuple[bool, int]:
        counts = piece.frame["territory"].value_counts()
        return bool((counts < whole.reindex(counts.index)).any()), len(piece.frame)

    return sorted(pieces, key=rank)


def _compare(piece: _Piece, kept: gpd.GeoDataFrame) -> str:
    """What is set aside when two files hold the same QPV, and how far apart the outlines are."""
    one = to_metric(kept.geometry.to_numpy(), kept.crs)[0]
    other = to_metric(piece.frame.loc[kept.index].to_crs(kept.crs).geometry.to_numpy(), kept.crs)[0]
    apart = shapely.hausdorff_distance(one, other)
    far = kept.index[apart > _SAME_PLACE_M]
    seen = f"{piece.label}: {len(kept)} QPV are also in another file, whose outlines are kept"
    if len(far) == 0:
        return f"{seen}; the outlines agree within {_SAME_PLACE_M:g} m"
    where = ", ".join(sorted(kept.loc[far, "territory"].unique()))
    most = f"{np.nanmax(apart):.1f} m at most"
    return f"{seen}; {len(far)} outlines differ by more than {_SAME_PLACE_M:g} m ({where}, {most})"


def _regions_kept(qpv: gpd.GeoDataFrame, pieces: list[_Piece]) -> dict[str, list[str]]:
    """Regions of the QPV that were kept of each file."""
    left, found = qpv.index, {}
    for piece in _by_precedence(pieces) if len(pieces) > 1 else pieces:
        kept = left.intersection(piece.frame.index)
        found[piece.label] = forms.regions_of(qpv.loc[kept, "department"])
        left = left.difference(kept)
    return found


def _stamped(qpv: gpd.GeoDataFrame, pieces: list[_Piece], notes: list[str]) -> gpd.GeoDataFrame:
    logs = [piece.log for piece in pieces if len(piece.log)]
    repairs = pd.concat(logs).drop_duplicates("code") if logs else pd.DataFrame(columns=["code"])
    repairs = repairs[repairs["code"].isin(qpv.index)]
    lead = [column for column in forms.QPV_COLUMNS if column != "geometry"]
    others = [column for column in qpv.columns if column not in forms.QPV_COLUMNS]
    qpv = qpv[[*lead, *others, "geometry"]]
    fictional = bool(len(qpv)) and bool((qpv["territory"] == territories.SAMPLE).all())
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
        repairs=repairs.to_dict("records"),
        notes=[*(note for piece in pieces for note in piece.notes), *notes],
        fictional=fictional,
    )
    return qpv
