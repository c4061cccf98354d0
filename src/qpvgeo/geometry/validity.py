"""Validity of outlines where areas are measured: in the legal projection of their territory.

An outline whose ring crosses itself has no defined inside: a point test on it answers at random. Reprojection bends
edges, so an outline may be valid in degrees and invalid in metres, or the reverse. Only one of the two answers counts,
the one in the projection where square metres come from; `qpvgeo.repair`, `qpvgeo.check`, `qpvgeo.read_qpv` and the
command `doctor` all give that one.

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
import shapely

from qpvgeo.errors import DataError
from qpvgeo.geometry.enclosed_area import enclosed_m2
from qpvgeo.geometry.parallel import PerProcess, in_parts
from qpvgeo.geometry.projection import to_metric
from qpvgeo.language import Note

__all__ = [
    "LOST_SHARE",
    "Repaired",
    "as_valid",
    "collapsed_as_lines",
    "in_metres",
    "judge",
    "keeps",
    "legal",
    "polygonal",
    "require_kept",
    "sound",
    "valid",
]

LOST_SHARE = 0.01
"""Largest share of the enclosed area that a repair may lose or add.

Outlines are published at a scale of 1:4,000, where a line stands for about a metre: around a perimeter of 25 hectares
and 3 km, that is 1 % of its area. A larger difference is no longer precision: a part of the outline is missing."""

_MUTING = PerProcess(Lock)

_AREAL = (3, 6)  # what shapely numbers Polygon and MultiPolygon

_METHODS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("structure", lambda shape: shapely.make_valid(shape, method="structure")),
    ("linework", lambda shape: shapely.make_valid(shape, method="linework")),
    ("buffer", lambda shape: shapely.buffer(shape, 0)),
)
"""Methods of repair, the one that keeps the enclosed area most often first."""

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
    with np.errstate(invalid="ignore"):
        before = shapely.area(broken).astype(float)
    return Repaired(rows, repaired, reasons, methods, before, enclosed, after)


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
    if not place:
        return Note("geometry.invalid", kind=kind)
    return Note("geometry.invalid_at", kind=kind, place=" ".join(map(_to_the_cm, place.split())))


def _to_the_cm(metres: str) -> str:
    return f"{float(metres):.2f}".rstrip("0").rstrip(".")


def _kept(shape: Any, enclosed: float) -> tuple[Any, str]:  # noqa: ANN401
    """Outline by the first method that keeps the enclosed area, and the name of the method; None and "" for none."""
    for name, method in _METHODS:
        try:
            found = polygonal([method(shape)])[0]
        except shapely.errors.GEOSException:
            continue
        if keeps(found, enclosed):
            return found, name
    return None, ""


def keeps(shape: Any, enclosed: float) -> bool:  # noqa: ANN401
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
    require_kept(found, labels, name=name)
    outlines = shapes.copy()
    outlines[found.rows] = found.shapes
    return outlines


def require_kept(found: Repaired, labels: Sequence[Any] | pd.Index, *, name: str) -> None:
    """Raise when no repair keeps the area of some outlines; the labels are those of all the outlines judged.

    Raises
    ------
    DataError
        Lists them, with the reason why each is invalid.
    """
    if not found.lost.any():
        return
    raise DataError(
        Note("geometry.cannot_measure", name=name, count=int(found.lost.sum())),
        problems=[
            Note("geometry.label_reason", label=str(labels[found.rows[at]]), reason=found.why()[at])
            for at in np.flatnonzero(found.lost)
        ],
        way_out=Note("geometry.correct_or_drop"),
    )


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
