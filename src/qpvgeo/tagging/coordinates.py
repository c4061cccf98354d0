"""Coordinates of points, from any of the forms that people hold them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats.cells import numbers_of
from qpvgeo.frames import require
from qpvgeo.geometry.projection import DEGREES, to_degrees
from qpvgeo.language import Note
from qpvgeo.tagging.locations import Location, epsg_of_commune, epsg_of_label, is_projection
from qpvgeo.tagging.point_shapes import coordinates_of_shapes

__all__ = [
    "Coordinates",
    "Floats",
    "columns_fault",
    "coordinates_of",
    "crs_fault",
    "numbers_in",
    "require_points",
    "settled_crs",
]


_NUMBER = r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_FORMS = (
    # WKT, GeoJSON and a bare list: eastwards first
    (rf"(?i)^\s*(?:SRID=\d+;)?POINT\s*(?:Z|M|ZM)?\s*\(\s*{_NUMBER}\s+{_NUMBER}", (0, 1)),
    (rf"(?s)^\s*\{{.*\"coordinates\"\s*:\s*\[\s*{_NUMBER}\s*,\s*{_NUMBER}\s*(?:,[^\[\]]*)?\]", (0, 1)),
    (rf"^\s*\[\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\]\s*$", (0, 1)),
    # OpenDataSoft: latitude first
    (rf"^\s*\(?\s*{_NUMBER}\s*[,;]\s*{_NUMBER}\s*\)?\s*$", (1, 0)),
    (rf"(?s)^\s*\{{.*[\"']lon[\"']\s*:\s*{_NUMBER}.*[\"']lat[\"']\s*:\s*{_NUMBER}", (0, 1)),
    (rf"(?s)^\s*\{{.*[\"']lat[\"']\s*:\s*{_NUMBER}.*[\"']lon[\"']\s*:\s*{_NUMBER}", (1, 0)),
)
"""Forms of a cell that holds a point, and which number is eastwards and which northwards."""

_WKB_POINT = r"(?i)0(?:1010000[02048ace][02]|0[02][0-9a-f]{5}1)[0-9a-f]{32,64}"
"""A point in hexadecimal WKB, with its SRID or not."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Coordinates of points, eastwards first.

    Attributes
    ----------
    x, y
        Eastings or longitudes, northings or latitudes; NaN where there is none.
    crs
        Their CRS.
    index
        Labels of the rows, in order.
    unread
        Positions of rows whose coordinates are there and are not numbers.
    broken
        Which rows cannot be read at all; None for none.
    unprojected
        Positions of rows whose own projection is missing or unknown.
    """

    x: Floats
    y: Floats
    crs: pyproj.CRS
    index: pd.Index
    unread: npt.NDArray[np.intp]
    broken: npt.NDArray[np.bool_] | None = None
    unprojected: npt.NDArray[np.intp] | None = None


def coordinates_of(points: Any, *, xy: Any = None, crs: Any = None) -> Coordinates:  # noqa: ANN401
    """Coordinates of points, in whichever form they come.

    Parameters
    ----------
    points
        GeoDataFrame or GeoSeries of points; DataFrame; or a pair of arrays, eastings or longitudes first.
    xy
        Columns of a DataFrame, eastwards first, or the one column whose cells hold both (WKT, GeoJSON, `lat, lon`); by
        default those with a published name (see `Location.found`).
    crs
        CRS of a DataFrame or of arrays, or the column of a DataFrame that gives the projection of each row (its EPSG
        number, its name, or the commune, whose legal projection is taken); WGS 84 degrees by default for columns that
        are found by their name.

    Raises
    ------
    DataError
        The CRS is missing, shapes are no points, or a table has no columns of longitude and latitude, or several of
        one name: all are listed.
    UsageError
        `points` is none of the forms, columns that were named are not there, or columns are named of what has none.
    """
    fault = columns_fault(points, xy)
    if fault:
        raise UsageError(
            Note("tagging.option_fault", given=f"xy={xy!r}", fault=fault), way_out=Note("tagging.leave_xy_out")
        )
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        return _of_shapes(points, crs)
    if isinstance(points, pd.DataFrame):
        return _of_table(points, xy, crs)
    if isinstance(points, Sequence) and not isinstance(points, str) and len(points) == 2:
        return _of_arrays(points, crs)
    raise UsageError(Note("tagging.not_points", kind=type(points).__name__), way_out=Note("tagging.forms_of_points"))


def columns_fault(points: Any, xy: Any) -> str:  # noqa: ANN401
    """What is wrong with columns that are named of points that have none; empty for nothing."""
    if xy is None or (isinstance(points, pd.DataFrame) and not isinstance(points, gpd.GeoDataFrame)):
        return ""
    shapes = isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries)
    return Note("tagging.xy_of_shapes" if shapes else "tagging.xy_of_arrays")


def crs_fault(points: Any, crs: Any) -> str:  # noqa: ANN401
    """What is wrong with a word in place of the projection of points that have no columns; empty for nothing."""
    if (
        crs is None
        or is_projection(crs)
        or (isinstance(points, pd.DataFrame) and not isinstance(points, gpd.GeoDataFrame))
    ):
        return ""
    return Note("tagging.not_a_projection")


def _of_arrays(points: Sequence[Any], crs: Any) -> Coordinates:  # noqa: ANN401
    labels = [axis.index for axis in points if isinstance(axis, pd.Series)]
    if len(labels) == 2 and not labels[0].equals(labels[1]):
        raise UsageError(Note("tagging.series_differ"), way_out=Note("tagging.series_of_one_table"))
    try:
        # a masked value is missing, whatever stands under the mask
        x, y = (
            axis.to_numpy(dtype=float, na_value=np.nan)
            if isinstance(axis, pd.Series)
            else np.atleast_1d(np.ma.filled(np.ma.asarray(axis, dtype=float), np.nan))
            for axis in points
        )
    except (TypeError, ValueError) as error:
        raise UsageError(
            Note("tagging.arrays_not_numbers", why=str(error)), way_out=Note("tagging.give_floats")
        ) from error
    if x.shape != y.shape or x.ndim != 1:
        raise UsageError(Note("tagging.arrays_differ", x=str(x.shape), y=str(y.shape)))
    index = labels[0] if labels else pd.RangeIndex(len(x))
    return Coordinates(x, y, _required(crs), index, np.empty(0, np.intp))


def _required(crs: Any) -> pyproj.CRS:  # noqa: ANN401
    if crs is None:
        raise DataError(Note("tagging.no_projection"), way_out=Note("tagging.give_projection_or_set"))
    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise UsageError(
            Note("tagging.option_fault", given=f"crs={crs!r}", fault=Note("tagging.not_a_projection"))
        ) from error


def _of_shapes(points: gpd.GeoDataFrame | gpd.GeoSeries, crs: Any) -> Coordinates:  # noqa: ANN401
    # as it stands in the frame: a copy of the shapes counts each of them
    shapes = np.asarray(points.geometry.array)
    x, y, others = coordinates_of_shapes(shapes)
    require_points(shapes, others, points.index)
    return Coordinates(x, y, settled_crs(points.crs, crs), points.index, np.empty(0, np.intp))


def require_points(shapes: npt.NDArray[np.object_], others: npt.NDArray[np.intp], labels: Any) -> None:  # noqa: ANN401
    """Raise when some shapes are no points.

    Parameters
    ----------
    shapes
        The shapes.
    others
        Positions of those that are no points.
    labels
        Labels of all the shapes, by position.

    Raises
    ------
    DataError
        Lists them.
    """
    if len(others):
        raise DataError(
            Note("tagging.some_not_points", count=len(others), total=len(shapes)),
            problems=[Note("tagging.shape_is_a", label=str(labels[row]), kind=shapes[row].geom_type) for row in others],
            way_out=Note("tagging.take_a_point"),
        )


def settled_crs(own: Any, given: Any) -> pyproj.CRS:  # noqa: ANN401 - whatever pyproj reads
    """CRS of points that may bring their own, and may be given one.

    Raises
    ------
    DataError
        There is none.
    UsageError
        There are two.
    """
    found = _required(given if own is None else own)
    if given is not None and not found.equals(_required(given), ignore_axis_order=True):
        raise UsageError(
            Note("tagging.points_other_projection", own=found.to_string(), given=repr(given)),
            way_out=Note("tagging.leave_crs_out"),
        )
    return found


def _of_table(table: pd.DataFrame, xy: Any, crs: Any) -> Coordinates:  # noqa: ANN401
    where = Location.of(list(table.columns), xy, crs)
    if where is None:
        raise DataError(
            Note("tagging.no_coordinate_columns"),
            way_out=Note("tagging.name_coordinate_columns", columns=require.columns_told(table.columns)),
        )
    if len(where.columns) > 2:
        raise UsageError(Note("tagging.option_fault", given=f"xy={xy!r}", fault=Note("tagging.not_a_pair")))
    require.require_once(table, [*where.columns, *([] if where.crs_column is None else [where.crs_column])])
    if len(where.columns) == 1:
        x, y, odd, own = _in_cells(table[where.columns[0]])
        if where.crs is None or own.notna().any():
            said = str(where.crs) if where.crs_column is None else table[where.crs_column].astype("str")
            x, y, lost = _from_each(x, y, own.fillna(said), None)
            return Coordinates(x, y, pyproj.CRS.from_epsg(DEGREES), table.index, np.flatnonzero(odd), unprojected=lost)
    else:
        (x, odd_x), (y, odd_y) = (numbers_of(table[name]) for name in where.columns)
        odd = odd_x | odd_y
    unread = np.flatnonzero(odd)
    if where.crs_column is None:
        return Coordinates(x, y, _required(where.crs), table.index, unread)
    x, y, lost = _from_each(x, y, table[where.crs_column], where.crs)
    return Coordinates(x, y, pyproj.CRS.from_epsg(DEGREES), table.index, unread, unprojected=lost)


def _in_cells(column: pd.Series) -> tuple[Floats, Floats, npt.NDArray[np.bool_], pd.Series]:
    """Coordinates of points written in one cell, which cells hold something else, and the projection that a cell says.

    Examples
    --------
    >>> x, y, odd, own = _in_cells(pd.Series(["48.9, 2.4", "SRID=4326;POINT (2.4 48.9)", "[2.4, 48.9]", "", "here"]))
    >>> x.tolist(), odd.tolist(), own.tolist()
    ([2.4, 2.4, 2.4, nan, nan], [False, False, False, False, True], [nan, '4326', nan, nan, nan])
    """
    cells = column.astype("object").where(column.notna(), "")
    text = cells.map(lambda cell: cell.hex() if isinstance(cell, bytes) else cell).astype("str").str.strip()
    x, y = np.full(len(text), np.nan), np.full(len(text), np.nan)
    own = text.str.extract(r"(?i)^SRID=(\d+);", expand=False)
    for form, (east, north) in _FORMS:
        parts = text.str.extract(form)
        found = np.flatnonzero(parts.notna().all(axis="columns").to_numpy() & np.isnan(x))
        x[found], y[found] = (parts[at].to_numpy(dtype=object)[found].astype(float) for at in (east, north))
    packed = np.flatnonzero(np.isnan(x) & text.str.fullmatch(_WKB_POINT).to_numpy(dtype=bool))
    if len(packed):
        shapes = shapely.from_wkb(text.to_numpy(dtype=object)[packed], on_invalid="ignore")
        x[packed], y[packed] = shapely.get_x(shapes), shapely.get_y(shapes)
        numbers = [str(number) if number > 0 else None for number in shapely.get_srid(shapes)]
        own.iloc[packed] = numbers
    empty = text.isin(["", "nan", "NaN", "NA", "None", "NULL", "POINT EMPTY"]).to_numpy(dtype=bool)
    return x, y, np.isnan(x) & ~empty, own


def _from_each(
    x: Floats,
    y: Floats,
    projections: pd.Series,
    default: Any,  # noqa: ANN401 - of rows whose commune is not known
) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Degrees of coordinates whose projection each row says; positions of those whose projection is not known."""
    known = epsg_of_label if default is None else epsg_of_commune
    said = projections.astype("object").where(projections.notna(), "").astype("str").str.strip()
    # to a float, so that a missing number is NaN
    numbers = said.map({label: known(label) or default for label in said.unique()}).to_numpy(dtype=float)
    lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for number in np.unique(numbers[np.isfinite(numbers)]):
        here = np.flatnonzero((numbers == number) & np.isfinite(x) & np.isfinite(y))
        lon[here], lat[here] = to_degrees(x[here], y[here], pyproj.CRS.from_epsg(int(number)))
    return lon, lat, np.flatnonzero(np.isnan(numbers) & np.isfinite(x) & np.isfinite(y))


def numbers_in(axis: Any) -> Floats:  # noqa: ANN401 - whatever numpy reads
    """Numbers of one axis; a masked value is missing, whatever is under the mask.

    Raises
    ------
    UsageError
        They are not numbers, or not in one dimension.
    """
    if isinstance(axis, float | int) and not isinstance(axis, bool):
        return np.array([axis], dtype=float)
    try:
        if type(axis) is np.ndarray and axis.dtype == np.float64 and axis.ndim == 1:
            return np.ascontiguousarray(axis)
        if isinstance(axis, pd.Series | pd.Index):
            return np.ascontiguousarray(axis.to_numpy(dtype=float, na_value=np.nan))
        found: Floats = np.atleast_1d(np.ascontiguousarray(np.ma.filled(np.ma.asarray(axis, dtype=float), np.nan)))
    except (TypeError, ValueError) as error:
        raise UsageError(
            Note("tagging.arrays_not_numbers", why=str(error)), way_out=Note("tagging.give_floats")
        ) from error
    if found.ndim != 1:
        raise UsageError(Note("tagging.arrays_differ", x=str(found.shape), y="(n,)"))
    return found
