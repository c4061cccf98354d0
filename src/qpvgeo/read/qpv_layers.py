"""One layer of perimeters: its columns, codes, communes, projection and outlines brought to the canonical form."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.codes.code_in_text import apart
from qpvgeo.errors import DataError
from qpvgeo.formats import vector_layers
from qpvgeo.formats.text_tables import as_text
from qpvgeo.frames import forms, provenance
from qpvgeo.geometry.outline_repair import repair as repair_outlines
from qpvgeo.geometry.projection import DEGREES, territory_of
from qpvgeo.geometry.territory_outline import outline_of
from qpvgeo.language import Note
from qpvgeo.sources import file_memory, known_tables
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.published_names import NAMES, QPV_NAME, named

__all__ = ["Piece", "read_piece", "read_placed", "release_of"]

# the number that GDAL gives to features is no attribute, and keeps a frame from being written to a GeoPackage
_DERIVED = {"insee_dep", "insee_reg", "fid", "commune_names", *forms.QPV_COLUMNS}


_HEAD = 500
_BESIDE = "name beside the code"
_UNSETTLED = ("formats.crs_ambiguous", "formats.crs_unknown")

_OF_HEXAGONE = (*range(3942, 3951), 27572, 32630, 32631, 32632)
"""Projections of plans and of older files: the nine conic zones, Lambert II étendu, UTM of WGS 84."""

_BORDER_DEG = 0.1
"""A QPV may lie across the limit of the department of its code."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One layer, read and checked."""

    label: str
    frame: gpd.GeoDataFrame
    record: dict[str, Any]
    notes: list[str]
    log: pd.DataFrame
    lost: list[dict[str, Any]]


def read_piece(
    layer: vector_layers.Layer,
    columns: Mapping[str, str] | None = None,
    *,
    repair: bool = True,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj understands
) -> Piece:
    """Read a layer into the canonical columns and check its codes, places and outlines.

    Parameters
    ----------
    layer
        Layer of areas with a column of codes.
    columns
        `{"name in the file": "canonical name"}`.
    repair
        Whether invalid outlines are made valid.
    crs
        Projection of the coordinates, when the file does not say it or says it wrongly.

    Raises
    ------
    DataError
        Codes are missing, invalid or repeated, the projection cannot be known, or outlines lie elsewhere than their
        codes say.
    """
    code = known_tables.qpv_column_of(layer, columns)
    raw, notes = read_placed(layer, code, crs)
    if raw.index.name and raw.index.name not in raw.columns:
        raw = raw.reset_index()
    raw, columns = _with_names(raw, str(code), columns or {})
    given = _columns(raw, str(code), columns)
    empty = _without_anything(raw, str(code))
    notes += [Note("read.empty_rows", count=int(empty.sum()))] if empty.any() else []
    raw = raw[~empty]
    cleaned = official.require(raw[code], "qpv", where=layer.label)
    notes += [
        Note("read.code_repaired", row=row, value=str(value), code=code, repair=why)
        for row, value, code, why in cleaned.repairs.to_numpy()
    ]
    repeated = cleaned.codes[cleaned.codes.duplicated()].unique()
    if len(repeated):
        raise DataError(
            Note("read.codes_on_several_features", file=layer.label, count=len(repeated)),
            problems=[
                Note("read.features_of", code=code, count=int((cleaned.codes == code).sum())) for code in repeated
            ],
            way_out=Note("read.dissolve_by_code"),
        )
    frame = _canonical(raw, cleaned.codes, given)
    notes += [*_correct(frame), *_unread_communes(raw, given["communes"], cleaned.codes)]
    notes += [] if given["name"] else [Note("read.no_names")]
    _require_places(frame, layer.label)
    log = pd.DataFrame()
    if repair:
        frame, log = repair_outlines(frame)
    record = file_memory.record(layer.path, member=layer.member)
    earlier = provenance.provenance(raw)
    bare = frame.index[frame.geometry.isna()]
    lost = [*earlier.get("outline_lost", []), *provenance.provenance(frame).get("outline_lost", [])]
    lost = [one for one in lost if one["code"] in bare]
    # an outline that the file gives as a point or a line counts as none
    gone = [one["code"] for one in lost if one["enclosed_m2"]]
    without = [code for code in bare if code not in gone]
    notes += [Note("geometry.read_lost", count=len(gone), codes=gone)] if gone else []
    notes += [Note("read.no_outline", count=len(without), codes=without)] if without else []
    if earlier.get("repairs"):
        log = pd.concat([pd.DataFrame(earlier["repairs"]), log]) if len(log) else pd.DataFrame(earlier["repairs"])
    if earlier.get("files"):
        record["made_from"] = earlier["files"]
    told = [Note("read.of_file", file=layer.label, note=note) for note in notes]
    return Piece(layer.label, frame, record, [*earlier.get("notes", []), *told], log, lost)


def read_placed(layer: vector_layers.Layer, code: str | None, crs: Any = None) -> tuple[gpd.GeoDataFrame, list[str]]:  # noqa: ANN401 - whatever pyproj understands
    """Layer in the projection given or declared, else in the only one that puts it where its codes say.

    Raises
    ------
    DataError
        The layer is damaged, or its projection cannot be established.
    """
    try:
        return vector_layers.read(layer, crs=crs)
    except DataError as error:
        fits = []
        for epsg in _systems(error, layer, code):
            raw, notes = vector_layers.read(layer, crs=epsg)
            if _in_their_territory(raw, str(code)):
                fits.append((raw, [*notes, Note("read.crs_by_codes", crs=f"EPSG:{epsg}")]))
        if len(fits) != 1:
            raise
        return fits[0]


def _systems(error: DataError, layer: vector_layers.Layer, code: str | None) -> list[int]:
    """Projections to try where the coordinates do not tell: those that fit them, and the legal ones of the codes."""
    told = error.message
    if code is None or not isinstance(told, Note) or told.key not in _UNSETTLED:
        return []
    held = official.classify_qpv(as_text(vector_layers.attributes(layer))[code])["territory"].dropna().unique()
    of_codes = [territories.get(one).epsg for one in held if one != territories.SAMPLE]
    systems = [int(one.removeprefix("EPSG:")) for one in told.values.get("systems", [])]
    return list(dict.fromkeys([*systems, *of_codes, *(_OF_HEXAGONE if "hexagone" in held else ())]))


def _in_their_territory(raw: gpd.GeoDataFrame, code: str) -> bool:
    """Whether every outline lies in the territory and near the department of its code."""
    told = official.classify_qpv(raw[code])
    said, departments = told["territory"].to_numpy(), told["department"].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a projection may not reach so far
        points = shapely.point_on_surface(raw.geometry.to_crs(DEGREES).to_numpy())
    x, y, drawn = shapely.get_x(points), shapely.get_y(points), ~shapely.is_missing(points)
    for territory in set(said):
        of_it = (said == territory) & drawn
        if pd.isna(territory) or len(outline_of(territory).beyond(x[of_it], y[of_it])):
            return False
    boxes = {row["code"]: row for row in facts.rows("departments") if row["west"]}
    for department in set(departments) & set(boxes):
        here = (departments == department) & drawn
        west, south, east, north = (float(boxes[department][side]) for side in ("west", "south", "east", "north"))
        inside = (x >= west - _BORDER_DEG) & (x <= east + _BORDER_DEG)
        inside &= (y >= south - _BORDER_DEG) & (y <= north + _BORDER_DEG)
        if not inside[here].all():
            return False
    return True


def _columns(raw: gpd.GeoDataFrame, code: str, columns: Mapping[str, str] | None) -> dict[str, str | None]:
    """Published column of each canonical one: named by the caller, else known by its name and its values."""
    text = as_text(pd.DataFrame(raw.drop(columns=raw.geometry.name)).head(_HEAD).reset_index(drop=True))
    by_caller = {canonical: name for name, canonical in (columns or {}).items() if name in raw.columns}
    lists = [name for name in named(text.columns, NAMES["communes"]) if _hold_codes(text[name])]
    names = [name for name in named(text.columns, NAMES["commune_names"]) if name not in lists and name != code]
    found: dict[str, str | None] = {
        "qpv_code": code,
        "name": published.label(text, QPV_NAME, text[code]),
        "communes": next(iter(lists), None),
        "commune_names": next((name for name in names if text[name].notna().any()), None),
    }
    return {**found, **by_caller}


def _with_names(
    raw: gpd.GeoDataFrame, code: str, columns: Mapping[str, str]
) -> tuple[gpd.GeoDataFrame, Mapping[str, str]]:
    """Layer with the names that stand beside the codes in one column, where no other column holds names."""
    parts = [apart(cell) if isinstance(cell, str) else None for cell in raw[code]]
    if not any(parts) or "name" in columns.values():
        return raw, columns
    text = as_text(pd.DataFrame(raw.drop(columns=raw.geometry.name)).reset_index(drop=True))
    if published.label(text, QPV_NAME, text[code]):
        return raw, columns
    return raw.assign(**{_BESIDE: [part and part[1] for part in parts]}), {**columns, _BESIDE: "name"}


def _without_anything(raw: gpd.GeoDataFrame, code: str) -> pd.Series:
    """Rows with neither an outline nor a code, as the total of a table that was joined leaves them."""
    bare = raw.geometry.isna() | raw.geometry.is_empty
    found = pd.Series(False, index=raw.index)
    found[bare] = official.clean(raw.loc[bare, code], "qpv").codes.isna().to_numpy()
    return found


def _hold_codes(cells: pd.Series) -> bool:
    given = cells.dropna().unique()
    return len(given) > 0 and sum(bool(official.split_list(cell)) for cell in given) >= len(given) / 2


def _canonical(raw: gpd.GeoDataFrame, index: pd.Series, given: Mapping[str, str | None]) -> gpd.GeoDataFrame:
    """Canonical columns first, then the published ones under their lower-case names, then the outlines."""
    told = official.classify_qpv(index)
    own = "release" in raw and bool(provenance.provenance(raw))
    region = facts.region_by_department()
    lists = raw[given["communes"]] if given["communes"] else None
    called = raw[given["commune_names"]] if given["commune_names"] else None
    frame = pd.DataFrame(
        {
            "name": raw[given["name"]].astype("str").str.strip() if given["name"] else pd.Series(dtype="str"),
            "vintage": told["vintage"].astype("int64"),
            # a frame that qpvgeo wrote knows its release, even when it was cut since
            "release": raw["release"] if own else pd.Series(release_of(told), raw.index, dtype="str"),
            "territory": told["territory"],
            "department": told["department"],
            "region": told["department"].map(region).replace("", pd.NA).astype("str"),
            "communes": None if lists is None else [_commune_list(value) for value in lists],
        },
        index=raw.index,
    )
    if called is not None and frame["communes"].isna().all():
        frame["commune_names"] = [_name_list(value) for value in called]
    taken = {column for canonical, column in given.items() if column and canonical != "commune_names"}
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
    notes: list[str] = []
    for code, value in zip(index, raw[column], strict=True):
        problems: list[str] = []
        if isinstance(value, str):
            official.split_list(value, problems=problems)
        notes += [Note("read.of_code", code=code, note=problem) for problem in problems]
    return notes


def _commune_list(value: Any) -> list[str] | None:  # noqa: ANN401 - a cell: text, list, or what Parquet made of one
    if isinstance(value, list | tuple | np.ndarray):
        return [str(code) for code in value]
    return official.split_list(value) or None


def _name_list(value: Any) -> list[str] | None:  # noqa: ANN401
    """Names of communes in a cell, each once."""
    parts = re.split(r"[,;|/\n]", value) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple | np.ndarray):
        return None
    return list(dict.fromkeys(" ".join(str(part).split()) for part in parts if str(part).strip())) or None


def release_of(told: pd.DataFrame) -> str | None:
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
    notes: list[str] = []
    communes = []
    for code, listed in frame["communes"].items():
        row = known.get(code)
        wrong = row is not None and listed == [row["published"]]
        communes.append([row["corrected"]] if row is not None and wrong else listed)
        if row is not None and wrong:
            notes.append(
                Note(
                    "read.commune_corrected",
                    code=code,
                    published=row["published"],
                    corrected=row["corrected"],
                    source=row["source"],
                )
            )
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
        Note("read.misplaced", file=label, count=len(wrong), of=len(frame)),
        problems=[
            Note("read.lies_in", code=frame.index[row], said=said[row], place=lie_in[row])
            if lie_in[row]
            else Note("read.lies_nowhere", code=frame.index[row], said=said[row])
            for row in wrong
        ],
        way_out=Note("read.swapped") if swapped else Note("read.look_at_crs", crs=frame.crs.to_string()),
    )
