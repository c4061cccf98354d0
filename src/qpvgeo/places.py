"""Where points lie: their territory, their metres in its legal projection, or why they cannot be placed.

Coordinates come as people have them: geometries, columns of a table with decimal commas, arrays; with values missing,
infinite, out of France, or with latitude and longitude exchanged. Every row gets a territory or a reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo import schema, territories
from qpvgeo.border import border_in
from qpvgeo.chunks import in_chunks
from qpvgeo.errors import DataError, UsageError
from qpvgeo.projection import DEGREES, in_use, looks_swapped, returns, to_degrees

__all__ = [
    "REASONS",
    "Coordinates",
    "Places",
    "columns_fault",
    "coordinate_columns",
    "coordinates_of",
    "number",
    "numbers_of",
    "place",
]

REASONS = (
    "no coordinates",
    "coordinates are no numbers",
    "not finite",
    "latitude and longitude look swapped",
    "outside France",
    "location too coarse",
    "near the limit",
    "no perimeters of this territory",
    "no perimeters of the geography of that day",
    "geography of that day not known",
    "row cannot be read",
)
"""Why a point is neither in nor out. Their numbers, from 1, stand in `Places.reason`; 0 is none."""

_NAMES = (("lon", "lat"), ("longitude", "latitude"), ("long", "lat"), ("lng", "lat"))
_BORDER_POINTS = 101

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.int8]


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
        Positions of rows whose coordinates are there and are no numbers.
    """

    x: Floats
    y: Floats
    crs: pyproj.CRS
    index: pd.Index
    unread: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Places:
    """Territory of points.

    Attributes
    ----------
    codes
        Territories that hold at least one point.
    territory
        Position in `codes` for each point; -1 for none.
    reason
        Position in `REASONS` plus 1; 0 for a point that is placed.
    """

    codes: tuple[str, ...]
    territory: Bytes
    reason: Bytes


def number(reason: str) -> int:
    """Number that stands for a reason."""
    return REASONS.index(reason) + 1


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
                way_out=f"{schema.columns_told(table.columns)} Name two, eastwards first, with their CRS: "
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
            way_out=schema.columns_told(table.columns),
        )
    schema.require_once(table, xy)
    (x, odd_x), (y, odd_y) = (numbers_of(table[name]) for name in xy)
    return Coordinates(x, y, _required(crs), table.index, np.flatnonzero(odd_x | odd_y))


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


def place(points: Coordinates, *, fictional: bool = False) -> Places:
    """Territory of each point, or why it has none.

    Parameters
    ----------
    points
        Coordinates.
    fictional
        Whether to place among fictional perimeters: the island of the sample, which no real point lies on, is then the
        one place that has a territory, and a point in France is told that there are no perimeters of its own.

    Examples
    --------
    >>> found = place(coordinates_of(([3.06, 50.63, 0.0, float("nan")], [50.63, 3.06, 0.0, 48.0]), crs=4326))
    >>> found.codes, [REASONS[reason - 1] if reason else "" for reason in found.reason]
    (('hexagone',), ['', 'latitude and longitude look swapped', 'outside France', 'no coordinates'])
    """
    known = list(territories.territories())
    territory, reason = np.full(len(points.x), -1, np.int8), np.zeros(len(points.x), np.int8)
    box = None if fictional else _box_of(points.crs)
    near = None if box is None else (known.index(box[0]), *box[1:])
    border = None if box is None else border_in(box[0], points.crs)

    def look(rows: slice) -> set[int]:
        x, y = points.x[rows], points.y[rows]
        part, why = territory[rows], reason[rows]
        others = _in_box(near, x, y, part)
        lost = np.empty(0, np.intp)
        if border is not None:
            here = np.flatnonzero(part >= 0) if len(others) else None
            lost = border.beyond(x, y) if here is None else here[border.beyond(x[here], y[here])]
            part[lost], why[lost] = -1, number("outside France")
        if len(others):
            part[others], why[others] = _judged(x[others], y[others], known, points.crs, fictional=fictional)
        return set(np.unique(part).tolist()) if len(others) or len(lost) else {int(part[0])}

    there = sorted(set().union(*in_chunks(look, len(points.x))) - {-1})
    reason[points.unread] = number("coordinates are no numbers")
    if there != list(range(len(there))):
        renumber = np.full(len(known) + 1, -1, np.int8)
        renumber[there] = range(len(there))

        def numbered(rows: slice) -> None:
            territory[rows] = renumber[territory[rows]]

        in_chunks(numbered, len(territory))
    return Places(tuple(known[position] for position in there), territory, reason)


def _in_box(
    near: tuple[int, float, float, float, float] | None, x: Floats, y: Floats, territory: Bytes
) -> npt.NDArray[np.intp]:
    """Give the points of a box the number of its territory; positions of the others."""
    if near is None:
        return np.arange(len(x))
    code, west, south, east, north = near
    # no comparison holds for what is not a number
    if west <= x.min() and x.max() <= east and south <= y.min() and y.max() <= north:
        territory.fill(code)
        return np.empty(0, np.intp)
    own = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    territory[own] = code
    return np.flatnonzero(~own)


def _judged(x: Floats, y: Floats, known: list[str], crs: pyproj.CRS, *, fictional: bool) -> tuple[Bytes, Bytes]:
    """Territory, by number, and reason of points that are not plainly inside one."""
    territory, reason = np.full(len(x), -1, np.int8), np.zeros(len(x), np.int8)
    missing, finite = np.isnan(x) | np.isnan(y), np.isfinite(x) & np.isfinite(y)
    reason[~finite] = number("not finite")
    reason[missing] = number("no coordinates")
    rows = np.flatnonzero(finite)
    x, y = x[rows], y[rows]
    lon, lat = to_degrees(x, y, crs)
    found = _boxed(lon, lat, known)
    away = np.flatnonzero((found >= 0) & ~in_use(lon, lat, crs))
    found[away[~returns(x[away], y[away], crs)]] = -1
    _keep_within(found, lon, lat, known)
    lost, why = np.flatnonzero(found < 0), np.zeros(len(found), np.int8)
    swapped = looks_swapped(x[lost], y[lost], crs)
    why[lost] = np.where(swapped, number("latitude and longitude look swapped"), number("outside France"))
    if fictional:
        real, island = found >= 0, np.ones(len(found), dtype=bool)
        island[border_in(territories.SAMPLE).beyond(lon, lat)] = False
        found[real], why[real] = -1, number("no perimeters of this territory")
        found[island], why[island] = known.index("hexagone"), 0
    territory[rows], reason[rows] = found, why
    return territory, reason


def _keep_within(found: Bytes, lon: Floats, lat: Floats, known: list[str]) -> None:
    """Take their territory, by number, from the points that lie beyond its outline."""
    for position, many in enumerate(np.bincount(found + 1, minlength=len(known) + 1)[1:].tolist()):
        if many == len(found):
            found[border_in(known[position]).beyond(lon, lat)] = -1
        elif many:
            here = np.flatnonzero(found == position)
            found[here[border_in(known[position]).beyond(lon[here], lat[here])]] = -1


def _boxed(lon: Floats, lat: Floats, known: list[str]) -> Bytes:
    """Number of the territory whose box holds each point, in degrees; -1 for none."""
    found = np.full(len(lon), -1, np.int8)
    for position, code in enumerate(known):
        bounds = territories.get(code).bounds
        if bounds is not None:
            west, south, east, north = bounds
            found[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)] = position
    return found


def _box_of(crs: pyproj.CRS) -> tuple[str, float, float, float, float] | None:
    """Territory that a projection is the legal one of, and a box of metres that lies within its degrees.

    Most points fall in it, and need not be taken to degrees to be known. None where the projection is shared.
    """
    epsg = crs.to_epsg()
    of = [
        one for one in territories.territories().values() if one.epsg == epsg and one.bounds and not crs.is_geographic
    ]
    if len(of) != 1 or of[0].bounds is None:
        return None
    west, south, east, north = of[0].bounds
    move = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True).transform
    across, up = np.linspace(west, east, _BORDER_POINTS), np.linspace(south, north, _BORDER_POINTS)
    left, right = move(np.full_like(up, west), up)[0].max(), move(np.full_like(up, east), up)[0].min()
    low, high = move(across, np.full_like(across, south))[1].max(), move(across, np.full_like(across, north))[1].min()
    return of[0].code, float(left), float(low), float(right), float(high)
