"""Lists of members of programmes, in whichever form they come: codes repaired, perimeters apart, all faults at once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import require
from qpvgeo.language import Note

__all__ = ["PERIMETER", "UNITS", "Lists", "lists_of"]

PERIMETER = "perimeter"
"""Unit of a member that is drawn: a polygon of its own."""

UNITS = ("qpv_2015", "qpv_2024", "commune", "epci", "ept", PERIMETER)

_KINDS: dict[str, official.Kind] = {"qpv": "qpv", "qpv_2015": "qpv", "qpv_2024": "qpv", "commune": "commune"}
_NAMES = ("name", "nom", "libelle", "label")
_SIREN = re.compile(r"\d{9}", re.ASCII)


@dataclass
class Lists:
    """Members as they are matched.

    Attributes
    ----------
    members
        `programme`, `name`, `unit` (one of `UNITS`), `code`, each once, and `as_of` where it was given.
    outlines
        Shapes of the members that are perimeters, on `programme` and `code`.
    notes
        What was repaired, and which lists are empty.
    """

    members: pd.DataFrame
    outlines: gpd.GeoSeries
    notes: list[Note] = field(default_factory=list)


def lists_of(given: Any) -> Lists:  # noqa: ANN401 - whatever was given
    """Members of the lists given, judged.

    Raises
    ------
    UsageError
        It is neither a frame nor lists by programme.
    DataError
        Columns are missing, units are not known, codes are not those of their unit, or outlines are not polygons:
        everything is listed.
    """
    problems: list[Note] = []
    if isinstance(given, Mapping):
        rows, empty = _of_mapping(given, problems)
    elif isinstance(given, pd.DataFrame):
        rows, empty = _of_frame(given, problems), []
    else:
        raise UsageError(Note("policy.lists_kind", kind=type(given).__name__), way_out=_way_out())
    rows, repaired = _judged(rows, problems)
    if problems:
        raise DataError(
            Note("policy.lists_unusable"),
            problems=list(dict.fromkeys(problems)),
            way_out=_way_out(),
        )
    notes = [Note("policy.empty_lists", programmes=empty)] if empty else []
    notes += [Note("policy.no_members")] if not len(rows) and not empty else []
    notes += [Note("policy.codes_repaired", count=repaired)] if repaired else []
    kept = [name for name in ("programme", "name", "unit", "code", "as_of") if name in rows.columns]
    members = rows[kept].drop_duplicates(kept[:4], ignore_index=True)
    return Lists(members, _outlines(rows), notes)


def _way_out() -> Note:
    return Note("policy.lists_way_out", units=list(UNITS))


def _of_mapping(given: Mapping[Any, Any], problems: list[Note]) -> tuple[pd.DataFrame, list[str]]:
    """Rows of lists by programme, and the programmes whose list is empty."""
    parts, empty = [], []
    for key, value in given.items():
        name = str(key)
        if isinstance(value, gpd.GeoDataFrame | gpd.GeoSeries):
            part = _drawn(value.to_frame("geometry") if isinstance(value, gpd.GeoSeries) else value)
        elif isinstance(value, str) or (isinstance(value, Iterable) and not isinstance(value, Mapping | pd.DataFrame)):
            codes = pd.Series([value] if isinstance(value, str) else list(value), dtype="object")
            part = pd.DataFrame({"unit": "qpv", "code": codes})
        else:
            problems.append(Note("policy.list_kind", programme=name, kind=type(value).__name__))
            continue
        parts.append(part.assign(programme=name))
        empty += [] if len(part) else [name]
    return _stacked(parts), empty


def _of_frame(given: pd.DataFrame, problems: list[Note]) -> pd.DataFrame:
    """Rows of a frame: with outlines, those without another unit are perimeters."""
    require.require_once(given, ["programme", "unit", "code", "name"])
    layer = isinstance(given, gpd.GeoDataFrame)
    needed = ("programme",) if layer else ("programme", "unit", "code")
    problems += [Note("policy.no_column", column=name) for name in needed if name not in given.columns]
    if problems:
        return _stacked([])
    if not layer:
        return given.reset_index(drop=True).astype({"unit": "object", "code": "object"})
    told = pd.Series(PERIMETER, index=given.index) if "unit" not in given else given["unit"].astype("object")
    drawn = (told.isna() | (told == PERIMETER)).to_numpy(dtype=bool)
    parts = [_drawn(given[drawn])] if drawn.any() or not len(given) else []
    parts += [pd.DataFrame(given[~drawn].drop(columns=given.geometry.name))] if (~drawn).any() else []
    return _stacked(parts)


def _drawn(layer: gpd.GeoDataFrame) -> pd.DataFrame:
    """Rows of perimeters, with their outlines; named by their label where no column names them."""
    require.require_outlines(layer, name="lists")
    lower = {str(column).lower(): column for column in layer.columns}
    named = next((lower[name] for name in _NAMES if name in lower), None)
    labels = pd.Series(layer.index.map(str), index=layer.index, dtype="object")
    codes = layer["code"].astype("object").fillna(labels) if "code" in layer else labels
    rows = pd.DataFrame({"unit": PERIMETER, "code": codes.map(str), "outline": layer.geometry})
    rows["name"] = codes.map(str) if named is None else layer[named].astype("object").fillna(codes).map(str)
    for column in ("programme", "as_of"):
        if column in layer:
            rows[column] = layer[column].astype("object")
    return rows


def _stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all parts, outlines in the projection of the first."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=["programme", "name", "unit", "code"], dtype="object")
    drawn = [part for part in filled if "outline" in part]
    crs = gpd.GeoSeries(drawn[0]["outline"]).crs if drawn else None
    moved = [
        part.assign(outline=gpd.GeoSeries(part["outline"]).to_crs(crs).astype("object")) if "outline" in part else part
        for part in filled
    ]
    rows = pd.concat(moved, ignore_index=True)
    rows.attrs = {"crs": crs}
    return rows


def _judged(rows: pd.DataFrame, problems: list[Note]) -> tuple[pd.DataFrame, int]:
    """Rows with clean units and codes, and how many codes were repaired; what is wrong goes to the problems."""
    if not {"programme", "unit", "code"} <= set(rows.columns):
        return rows, 0
    programmes = rows["programme"].astype("object")
    problems += [Note("policy.no_programme", row=str(row)) for row in rows.index[programmes.isna()]]
    units = rows["unit"].map(lambda unit: "–" if pd.isna(unit) else re.sub(r"[\s-]+", "_", str(unit).strip().lower()))
    codes = pd.Series(None, index=rows.index, dtype="object")
    repaired = 0
    for unit, part in rows.groupby(units, sort=False):
        where = {"programme": programmes.reindex(part.index).map(str), "unit": str(unit)}
        if unit not in UNITS and unit != "qpv":
            problems += [Note("policy.unknown_unit", code=str(code), unit=str(unit)) for code in part["code"]]
            continue
        if unit == PERIMETER and "outline" not in rows:
            problems += [Note("policy.no_outline", code=str(code)) for code in part["code"]]
            continue
        found = _codes(part["code"], str(unit))
        codes.loc[part.index] = found.to_numpy()
        repaired += int((found.notna() & (found != part["code"].map(str))).sum())
        for row in part.index[found.isna()]:
            value = part.loc[row, "code"]
            problems.append(
                Note("policy.row_without_code", programme=where["programme"][row], row=str(row))
                if pd.isna(value) or official.is_missing(str(value))
                else Note(f"policy.not_a_{'qpv' if unit == 'qpv' else 'member'}", code=str(value), unit=str(unit))
            )
    own = codes.map(official.vintage_of, na_action="ignore")
    units = units.mask(units == "qpv", "qpv_" + own.astype("Int64").astype("str"))
    names = rows["name"].astype("object") if "name" in rows else pd.Series(None, rows.index, dtype="object")
    told = {"programme": programmes.astype("str"), "unit": units.astype("str"), "code": codes.astype("str")}
    return rows.assign(**told, name=names.fillna(codes).astype("str")), repaired


def _codes(values: pd.Series, unit: str) -> pd.Series:
    """Codes of a unit; missing where a value is none."""
    if unit == PERIMETER:
        return values.map(str)
    given = values.where(values.notna(), None)
    kind = _KINDS.get(unit, "siren")
    found = official.clean(given, kind).codes.astype("object")
    if kind == "siren":
        # fictional numbers have no check digit
        plain = given.map(lambda value: "".join(str(value).removesuffix(".0").split()), na_action="ignore")
        return found.fillna(plain.where(plain.map(lambda text: bool(_SIREN.fullmatch(str(text))))))
    if unit.startswith("qpv_"):
        return found.where(found.map(official.vintage_of, na_action="ignore") == int(unit.removeprefix("qpv_")))
    return found


def _outlines(rows: pd.DataFrame) -> gpd.GeoSeries:
    """Outline of each perimeter, those of several rows in one."""
    keys = ["programme", "code"]
    if "outline" not in rows:
        return gpd.GeoSeries([], index=pd.MultiIndex.from_arrays([[], []], names=keys), crs=4326)
    layer = gpd.GeoDataFrame(rows[keys], geometry=gpd.GeoSeries(rows["outline"], crs=rows.attrs["crs"]))
    drawn = layer[layer.geometry.notna() & ~layer.geometry.is_empty]
    drawn = drawn.set_geometry(drawn.geometry.make_valid())
    return drawn.dissolve(keys).geometry
