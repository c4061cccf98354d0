"""Coordinates of points, from any of the forms that people hold them in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import require
from qpvgeo.geometry.projection import DEGREES
from qpvgeo.language import Note

__all__ = ["Coordinates", "Floats", "columns_fault", "coordinate_columns", "coordinates_of", "numbers_of"]

_NAMES = (("lon", "lat"), ("longitude", "latitude"), ("long", "lat"), ("lng", "lat"))

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
    """

    x: Floats
    y: Floats
    crs: pyproj.CRS
    index: pd.Index
    unread: npt.NDArray[np.intp]
    broken: npt.NDArray[np.bool_] | None = None


def coordinate_columns(names: Iterable[Any]) -> tuple[Any, Any] | None:
    """Columns of longitude and latitude among some names, in any case; None where there are none.

    `x` and `y` are not taken: in the national table of addresses their projection changes with the territory.

    Examples
    --------
    >>> coordinate_columns(["id", "x", "y", "LON", "LAT"])
    ('LON', 'LAT')
    """
    lower = {str(name).strip().lower(): name for name in names}
    pair = next((pair for pair in _NAMES if set(pair) <= set(lower)), None)
    return None if pair is None else (lower[pair[0]], lower[pair[1]])


def coordinates_of(points: Any, *, xy: tuple[str, str] | None = None, crs: Any = None) -> Coordinates:  # noqa: ANN401
    """Coordinates of points, in whichever form they come.

    Parameters
    ----------
    points
        GeoDataFrame or GeoSeries of points; DataFrame; or a pair of arrays, eastings or longitudes first.
    xy
        Columns of a DataFrame, eastwards first; by default those named `lon` and `lat`, or `longitude` and `latitude`.
    crs
        CRS of a DataFrame or of arrays; WGS 84 degrees by default for columns that are found by their name.

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
        raise UsageError(f"xy={xy!r} {fault}.", way_out="Leave xy= out.")
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        return _of_shapes(points, crs)
    if isinstance(points, pd.DataFrame):
        return _of_table(points, xy, crs)
    if isinstance(points, Sequence) and not isinstance(points, str) and len(points) == 2:
        return _of_arrays(points, crs)
    raise UsageError(
        f"Points cannot be read from a {type(points).__name__}.",
        way_out="Give a GeoDataFrame, a DataFrame with xy=(east, north) and crs=, or a pair of arrays with crs=.",
    )


def columns_fault(points: Any, xy: Any) -> str:  # noqa: ANN401
    """What is wrong with columns that are named of points that have none; empty for nothing."""
    if xy is None or (isinstance(points, pd.DataFrame) and not isinstance(points, gpd.GeoDataFrame)):
        return ""
    shapes = isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries)
    return f"names columns, and the coordinates of these points are {'shapes' if shapes else 'arrays'}"


def _of_arrays(points: Sequence[Any], crs: Any) -> Coordinates:  # noqa: ANN401
    labels = [axis.index for axis in points if isinstance(axis, pd.Series)]
    if len(labels) == 2 and not labels[0].equals(labels[1]):
        raise UsageError("The two Series of coordinates have other labels.", way_out="Give those of one table.")
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
            f"The arrays of coordinates are no numbers: {error}", way_out="Give floats, NaN where there is none."
        ) from error
    if x.shape != y.shape or x.ndim != 1:
        raise UsageError(f"The arrays of coordinates differ: {x.shape} and {y.shape}.")
    index = labels[0] if labels else pd.RangeIndex(len(x))
    return Coordinates(x, y, _required(crs), index, np.empty(0, np.intp))


def _required(crs: Any) -> pyproj.CRS:  # noqa: ANN401
    if crs is None:
        raise DataError(
            "The projection (CRS) of the points is not known.",
            way_out="Say it: crs=4326 for longitude and latitude, crs=2154 for Lambert-93, or `.set_crs(...)`.",
        )
    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise UsageError(
            f"crs={crs!r} is no projection.", way_out="Give an EPSG number such as 4326 or 2154."
        ) from error


def _of_shapes(points: gpd.GeoDataFrame | gpd.GeoSeries, crs: Any) -> Coordinates:  # noqa: ANN401
    shapes = points.geometry.to_numpy()
    kind = shapely.get_type_id(shapes)
    others = np.flatnonzero((kind > 0) & ~shapely.is_empty(shapes))
    if len(others):
        raise DataError(
            f"{len(others)} of {len(shapes)} shapes are no points.",
            problems=[f"{points.index[row]}: {shapes[row].geom_type}" for row in others],
            way_out="Take a point of each: `.representative_point()`, or qpvgeo.vat_zone() for buildings.",
        )
    found = _required(crs if points.crs is None else points.crs)
    if crs is not None and not found.equals(_required(crs), ignore_axis_order=True):
        raise UsageError(
            f"The points are in {found.to_string()}, and crs={crs!r} says otherwise.", way_out="Leave crs= out."
        )
    drawn = np.flatnonzero((kind == 0) & ~shapely.is_empty(shapes))
    xy = np.full((2, len(shapes)), np.nan)
    xy[0, drawn], xy[1, drawn] = shapely.get_x(shapes[drawn]), shapely.get_y(shapes[drawn])
    return Coordinates(xy[0], xy[1], found, points.index, np.empty(0, np.intp))


def _of_table(table: pd.DataFrame, xy: tuple[str, str] | None, crs: Any) -> Coordinates:  # noqa: ANN401
    if xy is None:
        xy = coordinate_columns(table.columns)
        if xy is None:
            raise DataError(
                "The table has no columns of longitude and latitude.",
                way_out=f"{require.columns_told(table.columns)} Name two, eastwards first, with their CRS: "
                'xy=("x", "y"), crs=2154.',
            )
        crs = DEGREES if crs is None else crs
    if len(xy) != 2:
        raise UsageError(f"xy={xy!r} is no pair of columns.", way_out='Name two, eastwards first: xy=("x", "y").')
    missing = [name for name in xy if name not in table.columns]
    if missing:
        raise UsageError(
            "The table lacks columns of coordinates.",
            problems=[f"no column {name!r}" for name in missing],
            way_out=require.columns_told(table.columns),
        )
    require.require_once(table, xy)
    (x, odd_x), (y, odd_y) = (numbers_of(table[name]) for name in xy)
    return Coordinates(x, y, _required(crs), table.index, np.flatnonzero(odd_x | odd_y))


def numbers_in(axis: Any) -> Floats:  # noqa: ANN401 - whatever numpy reads
    """Numbers of one axis; a masked value is missing, whatever is under the mask.

    Raises
    ------
    UsageError
        They are not numbers, or not in one dimension.
    """
    try:
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


def numbers_of(column: pd.Series) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Numbers of a column, and which cells hold something else; decimal commas are read.

    Examples
    --------
    >>> found, odd = numbers_of(pd.Series(["1,5", "", "one"]))
    >>> found.tolist(), odd.tolist()
    ([1.5, nan, nan], [False, False, True])
    """
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan), np.zeros(len(column), dtype=bool)
    text = column.astype("str").str.strip().str.replace(",", ".", regex=False)
    found = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    empty = column.isna().to_numpy() | text.isin(["", "nan", "NaN", "NA", "None", "NULL"]).to_numpy(
        dtype=bool, na_value=True
    )
    return found, np.isnan(found) & ~empty
