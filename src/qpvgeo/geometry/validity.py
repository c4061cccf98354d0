"""Make invalid outlines valid, and log what each change gained or lost.

An outline whose ring crosses itself has no defined inside: a point test on it answers at random. It becomes the area
that its rings enclose (`shapely.make_valid`, structure method): never a line, a point or a GeometryCollection. Square
metres are counted in the legal projection, against the area that the broken ring gives by the shoelace formula, which
is what software that does not look reports. A figure of eight shows the difference at its largest: one of its lobes
turns the other way, so the shoelace formula subtracts it.
"""

import warnings
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from qpvgeo.geometry.parallel import PerProcess, in_parts
from qpvgeo.geometry.projection import areas_m2

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt
import geopandas as gpd
import numpy.typing as npt

from qpvgeo.errors import DataError

__all__ = ["REPAIR_COLUMNS", "mended", "polygonal", "repair", "valid"]

_MUTING = PerProcess(Lock)

_AREAL = (3, 6)  # what shapely numbers Polygon and MultiPolygon

REPAIR_COLUMNS = ("code", "reason", "area_before_m2", "area_after_m2", "difference_m2")


def valid(shapes: "npt.NDArray[np.object_]") -> "npt.NDArray[np.bool_]":
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


def polygonal(geometries: "npt.ArrayLike") -> "npt.NDArray[np.object_]":
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


def repair(qpv: "gpd.GeoDataFrame") -> "tuple[gpd.GeoDataFrame, pd.DataFrame]":
    """Give the same areas with valid outlines, and the log of what was changed.

    Parameters
    ----------
    qpv
        Areas in a known projection, indexed by code; invalid outlines allowed.

    Returns
    -------
    tuple
        The frame with valid Polygon and MultiPolygon outlines (others untouched, same index and order), and a frame
        with a row per change: `code`, `reason` (in the words of GEOS, with the place), `area_before_m2` (shoelace
        formula on the broken rings), `area_after_m2`, `difference_m2`. Areas are in the legal projection. An outline
        that encloses no area (a simplification can crush one to a point) is set missing: the row stays.

    Raises
    ------
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
    shapes = qpv.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    broken = np.flatnonzero(there & (~valid(shapes) | ~np.isin(shapely.get_type_id(shapes), _AREAL)))
    if len(broken) == 0:
        return qpv, pd.DataFrame(columns=list(REPAIR_COLUMNS))
    mended = polygonal(shapely.make_valid(shapes[broken], method="structure"))
    mended[shapely.is_empty(mended)] = None
    before, after = areas_m2(shapes[broken], qpv.crs), np.nan_to_num(areas_m2(mended, qpv.crs))
    reasons = np.where(
        valid(shapes[broken]), "lines or points beside the area", shapely.is_valid_reason(shapes[broken])
    )
    log = pd.DataFrame(
        {
            "code": qpv.index[broken],
            "reason": np.where(shapely.is_missing(mended), "no area: the outline is set missing", reasons),
            "area_before_m2": before.round(3),
            "area_after_m2": after.round(3),
            "difference_m2": (after - before).round(3),
        }
    )
    outlines = shapes.copy()
    outlines[broken] = mended
    return qpv.set_geometry(type(qpv.geometry)(outlines, index=qpv.index, crs=qpv.crs)), log


def mended(areas: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
    """Areas with valid outlines; an invalid one becomes the area that it encloses.

    Raises
    ------
    DataError
        The CRS is missing, some shapes are lines or points, or have a vertex that is no place: lists them.
    """
    if areas.crs is None:
        raise DataError("The areas have no CRS.", way_out="Set it with `.set_crs(...)`.")
    shapes: npt.NDArray[np.object_] = areas.geometry.to_numpy().copy()
    there = ~shapely.is_missing(shapes)
    lines = there & (shapely.get_dimensions(shapes) < 2)
    if lines.any():
        raise DataError(
            f"{int(lines.sum())} of {len(shapes)} shapes are no areas.",
            problems=[f"{label}: {shape.geom_type}" for label, shape in areas.geometry[lines].items()],
            way_out="Give polygons.",
        )
    broken = there & (~valid(shapes) | ~np.isin(shapely.get_type_id(shapes), (3, 6)))
    _require_places(areas.index[broken], shapes[broken])
    shapes[broken] = polygonal(shapely.make_valid(shapes[broken], method="structure"))
    return gpd.GeoSeries(shapes, index=areas.index, crs=areas.crs)


def _require_places(labels: pd.Index, shapes: npt.NDArray[np.object_]) -> None:
    """Raise when a vertex is missing or infinite: mending would drop it without a word."""
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    nowhere = np.unique(row[~np.isfinite(xy).all(axis=1)])
    if len(nowhere):
        raise DataError(
            f"{len(nowhere)} outlines have a vertex that is no place: a coordinate is missing or infinite.",
            problems=[str(label) for label in labels[nowhere]],
            way_out="Correct these rows, or leave them out.",
        )
