"""Frames of perimeters given to an index: judged, then put together with label, vintage, territory and outline."""

import re
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.errors import UsageError
from qpvgeo.frames import provenance
from qpvgeo.frames.require import require_outlines
from qpvgeo.geometry.projection import DEGREES, reproject, to_metric
from qpvgeo.geometry.validity import in_metres, judge
from qpvgeo.language import Note

__all__ = ["require_frames", "rows_of", "years_of"]

_COMMUNES = ("lib_com", "commune_qp")
"""Published columns that name the communes of a QPV; their codes (`communes`) where there are none."""

_CODE_COLUMNS = ("codeqp", "codeqpv", "qpvcode")

Shapes = npt.NDArray[np.object_]


def require_frames(frames: Sequence[Any]) -> None:
    """Raise when something given is not a layer of perimeters, or has invalid labels or years."""
    problems: list[str] = []
    for number, frame in enumerate(frames, 1):
        if not isinstance(frame, gpd.GeoDataFrame | gpd.GeoSeries):
            problems.append(Note("tagging.frame_is_a", number=number, kind=type(frame).__name__))
        elif isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is None:
            problems.append(Note("tagging.frame_without_geometry", number=number))
        elif frame.index.nlevels > 1:
            problems.append(Note("tagging.frame_multiindex", number=number, count=frame.index.nlevels))
        else:
            problems += _faults(number, frame)
    if problems:
        raise UsageError(Note("tagging.not_perimeters"), problems=problems, way_out=Note("tagging.give_perimeters"))


def _faults(number: int, frame: gpd.GeoDataFrame | gpd.GeoSeries) -> list[str]:
    """Why a frame is not one of perimeters: invalid vintages, codes in a column."""
    columns = list(getattr(frame, "columns", ()))
    faults: list[str] = []
    if "vintage" in columns:
        if columns.count("vintage") > 1:
            return [Note("tagging.frame_vintage_twice", number=number)]
        years = pd.to_numeric(frame["vintage"].astype("object"), errors="coerce").astype("float64")
        wrong = frame["vintage"][(years.isna() | ~np.isfinite(years) | (years % 1 != 0)) & frame["vintage"].notna()]
        faults += [Note("tagging.frame_vintage", number=number, vintage=str(year)) for year in wrong.unique()]
    held = next((name for name in columns if re.sub("[^a-z]", "", str(name).lower()) in _CODE_COLUMNS), None)
    if held is not None and pd.api.types.is_numeric_dtype(frame.index.dtype):
        faults.append(Note("tagging.frame_codes_in_column", number=number, column=str(held)))
    return faults


def years_of(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> list[int | None]:
    """Vintage of each row as a whole number, however it is written."""
    if not isinstance(frame, gpd.GeoDataFrame) or "vintage" not in frame:
        return [None] * len(frame)
    years = pd.to_numeric(frame["vintage"]).to_numpy(dtype=float, na_value=np.nan)
    return [None if np.isnan(year) else int(year) for year in years]


def rows_of(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[pd.DataFrame, list[str]]:
    """Perimeters with label, vintage, territory and names, in the legal projection; labels of those without outline.

    A row whose outline is lost in repair, now or when it was read, stays, not `drawn`, with the place where it lay.
    """
    require_outlines(frame, name="qpv")
    areas, place = in_metres(frame.geometry.to_numpy(), frame.crs, what="perimeters")
    found = judge(areas)
    gone = found.rows[shapely.is_missing(found.shapes)]
    areas[found.rows] = found.shapes
    drawn = ~(shapely.is_missing(areas) | shapely.is_empty(areas))
    shapes, at = _where_lost(frame, gone)
    areas[at], place[at] = to_metric(shapes, DEGREES, what="lost outlines")
    kept = np.flatnonzero(~(shapely.is_missing(areas) | shapely.is_empty(areas)))
    areas, place = areas[kept], place[kept]
    labels = np.array([str(label) for label in frame.index], dtype=object)
    rows = pd.DataFrame(
        {
            "code": labels[kept],
            "vintage": pd.Series(years_of(frame), dtype=object)[kept].to_numpy(),
            "territory": place,
            "area": areas,
            "drawn": drawn[kept],
            "name": _texts(frame, ("name",))[kept],
            "communes": _texts(frame, (*_COMMUNES, "communes"))[kept],
        },
        dtype=object,
    )
    return rows.astype({"drawn": bool}), labels[~drawn].tolist()


def _where_lost(
    frame: gpd.GeoDataFrame | gpd.GeoSeries, gone: npt.NDArray[np.intp]
) -> tuple[Shapes, npt.NDArray[np.intp]]:
    """Boxes in degrees around the outlines that a frame has lost, and their positions."""
    boxes = dict(
        zip(
            gone.tolist(),
            shapely.bounds(reproject(frame.geometry.to_numpy()[gone], frame.crs, DEGREES)).tolist(),
            strict=True,
        )
    )
    known = provenance.provenance(frame).get("outline_lost", []) if isinstance(frame, gpd.GeoDataFrame) else []
    bounds = {one["code"]: one["bounds"] for one in known}
    bare = np.flatnonzero(frame.geometry.isna()).tolist() if bounds else []
    boxes |= {row: bounds[str(frame.index[row])] for row in bare if str(frame.index[row]) in bounds}
    shapes = np.array([shapely.box(west, south, east, north) for west, south, east, north in boxes.values()])
    return shapes.astype(object), np.array(list(boxes), dtype=np.intp)


def _texts(frame: gpd.GeoDataFrame | gpd.GeoSeries, names: Sequence[str]) -> npt.NDArray[np.object_]:
    """Text of each row in the first of some columns that has any; None where it is missing."""
    columns = list(getattr(frame, "columns", ()))
    for name in names:
        if columns.count(name) == 1:
            found = np.array([_text(value) for value in frame[name].tolist()], dtype=object)
            if any(value is not None for value in found):
                return found
    return np.full(len(frame), None, dtype=object)


def _text(value: Any) -> str | None:  # noqa: ANN401 - a cell
    """Text of a cell; the codes of a list joined with commas; None where there is none."""
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(map(str, value)) or None
    return None if value is None or value is pd.NA or value != value else str(value).strip() or None  # noqa: PLR0124 - NaN
