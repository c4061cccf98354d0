"""Validity of outlines where areas are measured: in the legal projection of their territory.

An outline whose ring crosses itself has no defined inside: a point test on it answers at random. Reprojection bends
edges, so an outline may be valid in degrees and invalid in metres, or the reverse. Only one of the two answers counts,
the one in the projection where square metres come from; `repair`, `qpvgeo.check`, `qpvgeo.read_qpv` and the command
`doctor` all give that one.

An invalid outline becomes the area that its rings enclose (`enclosed_m2`): never a line, a point or a
GeometryCollection. No method of GEOS always keeps that area, so the methods are tried one after the other, and each
result is held against it. An outline that none of them keeps is set missing and reported as lost.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError
from qpvgeo.frames import provenance
from qpvgeo.frames.require import require_outlines
from qpvgeo.geometry.enclosed_area import enclosed_m2
from qpvgeo.geometry.parallel import PerProcess, in_parts
from qpvgeo.geometry.projection import DEGREES, reproject, territory_of, to_metric
from qpvgeo.language import Note

__all__ = [
    "LOST_SHARE",
    "REPAIR_COLUMNS",
    "Repaired",
    "as_valid",
    "collapsed_as_lines",
    "in_metres",
    "judge",
    "legal",
    "mend",
    "mended",
    "polygonal",
    "repair",
    "sound",
    "valid",
]

LOST_SHARE = 0.01
"""Largest share of the enclosed area that a repair may lose or add.

Outlines are published at a scale of 1:4,000, where a line stands for about a metre: around a perimeter of 25 hectares
and 3 km, that is 1 % of its area. A larger difference is no longer precision: a part of the outline is missing."""

REPAIR_COLUMNS = ("code", "reason", "area_before_m2", "area_after_m2", "difference_m2", "enclosed_m2", "method")

_MUTING = PerProcess(Lock)

_AREAL = (3, 6)  # what shapely numbers Polygon and MultiPolygon

_METHODS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("structure", lambda shape: shapely.make_valid(shape, method="structure")),
    ("linework", lambda shape: shapely.make_valid(shape, method="linework")),
    ("buffer", lambda shape: shapely.buffer(shape, 0)),
)
"""Methods of repair, the one that keeps the enclosed area most often first."""

_GRIDS_M = (1e-4, 1e-3, 1e-2)
"""Grids tried, in metres, for a repaired outline that rounding on the way to its own projection makes invalid again."""

_NO_AREA_M2 = 1e-6

Shapes = npt.NDArray[np.object_]
Booleans = npt.NDArray[np.bool_]


def valid(shapes: Shapes) -> Booleans:
    """Whether outlines are valid, looked at on two threads: `shapely.is_valid` is half of the price of an index.

    Examples
    --------
    >>> import shapely
    >>> valid(shapely.from_wkt(["POINT (0 0)", "POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", None])).tolist()
    [True, False, False]
    """
    # shapely mutes warnings while it looks, which two threads at once would leave muted
    with _MUTING.own(), warnings.catch_warnings():
        return in_parts(shapely.is_valid, shapes)


def polygonal(geometries: npt.ArrayLike) -> Shapes:
    """Keep the areas of geometries that may hold lines and points too.

    Parameters
    ----------
    geometries
        What `shapely.make_valid` gives, or any valid geometries. Parts that share an edge are joined: GEOS 3.14 may
        leave such a MultiPolygon, which is not valid.

    Returns
    -------
    numpy.ndarray of object
        Polygons and MultiPolygons; None where no area is left.

    Examples
    --------
    >>> import shapely
    >>> mixed = shapely.from_wkt("GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)), LINESTRING (0 0, 5 5))")
    >>> polygonal([mixed])[0].geom_type
    'Polygon'
    """
    found = np.asarray(geometries, dtype=object).copy()
    mixed = ~(np.isin(shapely.get_type_id(found), _AREAL) & valid(found)) & ~shapely.is_missing(found)
    for position in np.flatnonzero(mixed):
        parts = shapely.get_parts(shapely.get_parts(found[position]))
        areas = parts[np.isin(shapely.get_type_id(parts), (3,))]
        found[position] = shapely.union_all(areas) if len(areas) else None
    return found


@dataclass(frozen=True, slots=True)
class Repaired:
    """The invalid outlines among some, with what became of each; `judge` makes it.

    Attributes
    ----------
    rows
        Positions of the invalid outlines.
    shapes
        Their repaired outlines, in the projection given; None where there is no area, or where it is lost.
    reasons
        Why each is invalid, in the words of GEOS, with the place.
    methods
        Method that kept the area (`structure`, `linework`, `buffer`); empty where none did.
    before_m2, enclosed_m2, after_m2
        Area by the shoelace formula on the broken rings, area that the rings enclose, area of the repaired outline.
    """

    rows: npt.NDArray[np.intp]
    shapes: Shapes
    reasons: list[Note]
    methods: list[str]
    before_m2: npt.NDArray[np.float64]
    enclosed_m2: npt.NDArray[np.float64]
    after_m2: npt.NDArray[np.float64]

    @property
    def bare(self) -> Booleans:
        """Whether the file gives no area at all: a simplification can crush an outline to a point."""
        return self.enclosed_m2 < _NO_AREA_M2

    @property
    def lost(self) -> Booleans:
        """Whether an area is enclosed and no method kept it."""
        return shapely.is_missing(self.shapes) & ~self.bare

    def why(self) -> list[Note]:
        """What is wrong with each outline, or why nothing could be made of it."""
        lost, bare = self.lost, self.bare
        return [
            Note("geometry.lost_in_repair", reason=reason, share=LOST_SHARE)
            if lost[at]
            else Note("geometry.no_area")
            if bare[at]
            else reason
            for at, reason in enumerate(self.reasons)
        ]


def judge(shapes: Shapes) -> Repaired:
    """Find the invalid outlines and repair them.

    Parameters
    ----------
    shapes
        Outlines in metres, in the legal projection of their territory; missing and empty ones are left alone.

    Examples
    --------
    >>> import shapely
    >>> eight = shapely.from_wkt("POLYGON ((0 0, 100 100, 100 0, 0 100, 0 0))")
    >>> found = judge(np.array([shapely.box(0, 0, 1, 1), eight, None]))
    >>> found.rows.tolist(), found.methods, found.after_m2.tolist()
    ([1], ['structure'], [5000.0])
    """
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    rows = np.flatnonzero(there & ~(np.isin(shapely.get_type_id(shapes), _AREAL) & valid(shapes)))
    broken = shapes[rows]
    finite = [bool(np.isfinite(shapely.get_coordinates(shape)).all()) for shape in broken]
    enclosed = np.array([enclosed_m2(shape) if known else np.nan for shape, known in zip(broken, finite, strict=True)])
    repaired, methods = np.full(len(rows), None, dtype=object), [""] * len(rows)
    for at, (shape, area) in enumerate(zip(broken, enclosed, strict=True)):
        if area >= _NO_AREA_M2:
            repaired[at], methods[at] = _kept(shape, area)
    reasons = [_worded(str(why)) for why in shapely.is_valid_reason(broken)]
    after = np.nan_to_num(shapely.area(repaired).astype(float))
    return Repaired(rows, repaired, reasons, methods, shapely.area(broken).astype(float), enclosed, after)


def collapsed_as_lines(shapes: Shapes) -> Shapes:
    """Replace outlines whose vertices all lie on one line by that line: projected edge by edge, it would get an area.

    Examples
    --------
    >>> import shapely
    >>> collapsed_as_lines(shapely.from_wkt(["POLYGON ((0 0, 1 0, 2 0, 0 0))"])).tolist()
    [<LINESTRING (0 0, 2 0)>]
    """
    empty = ~shapely.is_missing(shapes) & (shapely.area(shapes) == 0)
    if not empty.any():
        return shapes
    hulls = shapely.convex_hull(shapes)
    flat = empty & (shapely.get_dimensions(hulls) < 2) & ~shapely.is_empty(shapes)
    return np.where(flat, hulls, shapes)


def in_metres(shapes: npt.ArrayLike, crs: Any, *, what: str) -> tuple[Shapes, Shapes]:  # noqa: ANN401 - any CRS
    """Outlines as they are judged and measured: in the legal projection of the territory of each, and the territory.

    As `qpvgeo.geometry.projection.to_metric`, but for outlines that collapsed to a line.
    """
    return to_metric(collapsed_as_lines(np.asarray(shapes, dtype=object)), crs, what=what)


def _worded(reason: str) -> Note:
    """What GEOS says of an outline, as a kind of fault and a place."""
    kind, _, place = reason.rstrip("]").partition("[")
    if kind == "Valid Geometry":
        return Note("geometry.lines_beside")
    return Note("geometry.invalid_at", kind=kind, place=place) if place else Note("geometry.invalid", kind=kind)


def _kept(shape: Any, enclosed: float) -> tuple[Any, str]:  # noqa: ANN401
    """Outline by the first method that keeps the enclosed area, and the name of the method; None and "" for none."""
    for name, method in _METHODS:
        try:
            found = polygonal([method(shape)])[0]
        except shapely.errors.GEOSException:
            continue
        if _keeps(found, enclosed):
            return found, name
    return None, ""


def _keeps(shape: Any, enclosed: float) -> bool:  # noqa: ANN401
    """Whether an outline is valid and has an area, within the share that a repair may lose or add."""
    if shape is None or shape.is_empty or not shape.is_valid:
        return False
    return bool(abs(shape.area - enclosed) <= LOST_SHARE * enclosed)


def sound(shapes: Shapes, labels: Sequence[Any] | pd.Index, *, name: str) -> Shapes:
    """Outlines that can be measured: valid polygons, each invalid one replaced by the area that it encloses.

    Parameters
    ----------
    shapes
        Outlines in the legal projection of their territory.
    labels
        Label of each, for the error.
    name
        Name of the layer, for the error.

    Returns
    -------
    numpy.ndarray of object
        Valid Polygons and MultiPolygons; missing where there was no outline, or one that encloses no area.

    Raises
    ------
    DataError
        No repair keeps the area of some outlines: lists them.
    """
    found = judge(shapes)
    if not len(found.rows):
        return shapes
    if found.lost.any():
        raise DataError(
            Note("geometry.cannot_measure", name=name, count=int(found.lost.sum())),
            problems=[
                Note("geometry.label_reason", label=str(labels[found.rows[at]]), reason=found.why()[at])
                for at in np.flatnonzero(found.lost)
            ],
            way_out=Note("geometry.correct_or_drop"),
        )
    mended_shapes = shapes.copy()
    mended_shapes[found.rows] = found.shapes
    return mended_shapes


def legal(layer: gpd.GeoDataFrame | gpd.GeoSeries, *, name: str) -> tuple[Shapes, Shapes]:
    """Outlines of a layer in the legal projection of the territory of each, all of them measurable, and the territory.

    Parameters
    ----------
    layer
        Polygons with a CRS, in French territories; a missing one stays missing.
    name
        Name of the layer, for the errors.

    Raises
    ------
    DataError
        The CRS is missing, shapes lie in no French territory, or no repair keeps the area of some.
    """
    shapes, place = in_metres(layer.geometry.to_numpy(), layer.crs, what=name)
    return sound(shapes, layer.index, name=name), place


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
    metric, place = in_metres(shapes, qpv.crs, what="perimeters")
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
            if _keeps(reproject(there, crs, epsg)[0], shapes[at].area) and valid(there)[0]:
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
    frame.attrs[provenance.ATTRS_KEY] = known | {"outline_lost": [*earlier, *lost]}


def as_valid(shapes: Shapes) -> Shapes:
    """Shapes with the invalid ones made valid, in any projection, for drawing and searching: no area is compared.

    Examples
    --------
    >>> import shapely
    >>> as_valid(shapely.from_wkt(["POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", None]))[0].geom_type
    'MultiPolygon'
    """
    broken = np.flatnonzero(~shapely.is_missing(shapes) & ~valid(shapes))
    if not len(broken):
        return shapes
    found = shapes.copy()
    found[broken] = polygonal(shapely.make_valid(shapes[broken]))
    return found


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
