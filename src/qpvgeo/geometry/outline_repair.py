"""Repaired outlines given back in their own projection, with a log of what was changed."""

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import judged
from qpvgeo.frames import provenance
from qpvgeo.frames.require import require_outlines
from qpvgeo.geometry.projection import DEGREES, reproject, territory_of
from qpvgeo.geometry.validity import (
    LOST_SHARE,
    collapsed_as_lines,
    in_metres,
    judge,
    keeps,
    polygonal,
    sound,
    valid,
)
from qpvgeo.language import Note

__all__ = ["REPAIR_COLUMNS", "mend", "mended", "repair"]

REPAIR_COLUMNS = ("code", "reason", "area_before_m2", "area_after_m2", "difference_m2", "enclosed_m2", "method")

_GRIDS_M = (1e-4, 1e-3, 1e-2)
"""Grids tried, in metres, for a repaired outline that rounding on the way to its own projection makes invalid again."""

_AREAL = (3, 6)  # Polygon and MultiPolygon

Shapes = npt.NDArray[np.object_]


@judged
def repair(qpv: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Give the same areas with valid outlines, and the log of what was changed.

    Parameters
    ----------
    qpv
        Areas in a known projection, indexed by code; invalid outlines allowed.

    Returns
    -------
    tuple
        The frame with Polygon and MultiPolygon outlines, valid in the legal projection of their territory (sound ones
        untouched, same index and order), and a frame with a row per change:

        - `code`: label of the row.
        - `reason`: in the words of GEOS, with the place in the legal projection; or why the outline is set missing.
        - `area_before_m2`: shoelace formula on the broken rings, which is what software that does not check reports.
        - `area_after_m2`, `difference_m2`: area of the repaired outline, and what it gains or loses.
        - `enclosed_m2`: area that the rings enclose (nonzero rule), which the repair must keep within 1 %.
        - `method`: `structure`, `linework` (both of `shapely.make_valid`) or `buffer`; missing where none keeps it.

        Areas are in the legal projection. An outline that encloses no area (a simplification can crush one to a
        point), or whose area no method keeps, is set missing: the row stays, and
        `attrs["qpvgeo"]["outline_lost"]` holds its `code`, `reason`, `bounds` (west, south, east, north, WGS 84) and
        areas. Points there are `unknown` to `qpvgeo.tag_points`, never `out`.

    Raises
    ------
    UsageError
        `qpv` is not a frame with outlines.
    DataError
        The projection is not known, or outlines lie outside France: no square metre can be counted.

    Notes
    -----
    The ANCT publishes 25 invalid outlines in the Lambert-93 file of 2015, 34 in the WGS 84 one.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> eight = shapely.from_wkt("POLYGON ((3 46, 3.01 46.01, 3.01 46, 3 46.01, 3 46))")
    >>> mended, log = repair(gpd.GeoDataFrame(geometry=[eight], index=["QP001001"], crs=4326))
    >>> mended.geometry.iloc[0].geom_type, log["reason"].str.split("[").str[0].tolist()
    ('MultiPolygon', ['Self-intersection'])
    """
    require_outlines(qpv, name="qpv", areas=False)
    shapes = qpv.geometry.to_numpy()
    metric, place = in_metres(shapes, qpv.crs, what="qpv")
    found = judge(metric)
    if not len(found.rows):
        return qpv, pd.DataFrame(columns=list(REPAIR_COLUMNS))
    outlines = shapes.copy()
    for code in dict.fromkeys(place[found.rows]):
        own = np.flatnonzero(place[found.rows] == code)
        outlines[found.rows[own]] = _returned(found.shapes[own], territories.get(code).epsg, qpv.crs)
    gone = shapely.is_missing(outlines[found.rows])
    after = np.where(gone, 0.0, found.after_m2)
    reasons = [
        Note("geometry.lost_in_repair", reason=reason, share=LOST_SHARE) if out and not bare else why
        for out, bare, reason, why in zip(gone, found.bare, found.reasons, found.why(), strict=True)
    ]
    log = pd.DataFrame(
        {
            "code": qpv.index[found.rows],
            "reason": pd.Series(reasons, dtype=object),
            "area_before_m2": found.before_m2.round(3),
            "area_after_m2": after.round(3),
            "difference_m2": (after - found.before_m2).round(3),
            "enclosed_m2": found.enclosed_m2.round(3),
            "method": pd.array([None if out else one for out, one in zip(gone, found.methods, strict=True)], "str"),
        }
    )
    mended_frame = qpv.set_geometry(gpd.GeoSeries(outlines, index=qpv.index, crs=qpv.crs, name=qpv.geometry.name))
    if gone.any():
        _remember(mended_frame, log[gone], shapes[found.rows[gone]], qpv.crs)
    return mended_frame, log


def _returned(shapes: Shapes, epsg: int, crs: Any) -> Shapes:  # noqa: ANN401
    """Repaired outlines in their own projection, so that they are valid again wherever they are measured.

    Rounding on the way may bring two vertices of a sliver across each other; a slightly coarser grid then tells them
    apart. None where that loses the area.
    """
    back = reproject(shapes, epsg, crs)
    again = reproject(back, crs, epsg)
    for at in np.flatnonzero(~shapely.is_missing(shapes) & ~(valid(again) & valid(back))):
        first, back[at] = back[at], None
        for grid in _GRIDS_M:
            snapped = polygonal(shapely.set_precision(shapes[[at]], grid))
            there = reproject(snapped, epsg, crs)
            if keeps(reproject(there, crs, epsg)[0], shapes[at].area) and valid(there)[0]:
                back[at] = there[0]
                break
        else:
            back[at] = first if again[at].is_valid else None
    return back


def _remember(frame: gpd.GeoDataFrame, log: pd.DataFrame, shapes: Shapes, crs: Any) -> None:  # noqa: ANN401
    """Keep where the outlines lay that a frame has no more."""
    bounds = shapely.bounds(reproject(shapes, crs, DEGREES))
    lost = [
        {
            "code": str(row.code),
            "reason": row.reason,
            "bounds": [round(float(value), 7) for value in box],
            "area_before_m2": row.area_before_m2,
            "enclosed_m2": row.enclosed_m2,
        }
        for row, box in zip(log.itertuples(), bounds, strict=True)
    ]
    known = provenance.provenance(frame)
    earlier = [one for one in known.get("outline_lost", []) if one["code"] not in {new["code"] for new in lost}]
    provenance.amended(frame, outline_lost=[*earlier, *lost])


def mend(shapes: Shapes, crs: Any, labels: pd.Index, *, name: str) -> tuple[Shapes, npt.NDArray[np.intp]]:  # noqa: ANN401
    """Areas with valid outlines in their own projection, and the positions of those that were not valid there.

    An invalid outline becomes the area that it encloses, found in its own projection if that is in metres and keeps
    it, else in the legal one: in degrees rounding may lose it.

    Raises
    ------
    DataError
        No repair keeps the area of some: lists them.
    """
    broken = np.flatnonzero(
        ~shapely.is_missing(shapes) & ~(valid(shapes) & np.isin(shapely.get_type_id(shapes), _AREAL))
    )
    if not len(broken):
        return shapes, broken
    found = shapes.copy()
    given = collapsed_as_lines(shapes[broken])
    place = territory_of(given, crs)
    if pyproj.CRS.from_user_input(crs).is_projected:
        # no rounding on the way there and back where it is not needed
        there = judge(given)
        place[there.rows[~there.lost]] = None
    for code in dict.fromkeys(place):
        own = np.flatnonzero(place == code) if code is not None else np.flatnonzero(place == None)  # noqa: E711
        epsg = crs if code is None else territories.get(code).epsg
        metric = sound(reproject(given[own], crs, epsg), labels[broken[own]], name=name)
        found[broken[own]] = metric if code is None else _returned(metric, epsg, crs)
    return found, broken


def mended(areas: gpd.GeoDataFrame | gpd.GeoSeries, *, name: str = "areas") -> gpd.GeoSeries:
    """Areas with valid outlines in their own projection; an invalid one becomes the area that it encloses.

    For what reads outlines edge by edge. What measures them by GEOS takes `legal` or `sound`.

    Raises
    ------
    UsageError
        It is not a frame or series of outlines.
    DataError
        The CRS is missing, some shapes are lines or points, have a non-finite coordinate, or lose their area in every
        repair: lists them.
    """
    require_outlines(areas, name=name)
    shapes, _ = mend(areas.geometry.to_numpy(), areas.crs, areas.index, name=name)
    return gpd.GeoSeries(shapes, index=areas.index, crs=areas.crs)
