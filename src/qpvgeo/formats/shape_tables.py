"""Tables with geometry in their cells: GeoJSON (`geo_shape` of open data portals), WKT, hexadecimal WKB; and points.

A cell of a point is `latitude, longitude` (`geo_point_2d`), `[longitude, latitude]` (`coordonneesXY`), WKT or GeoJSON.
"""

import json
import os
import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.errors import DataError
from qpvgeo.formats.cells import normalise, to_number
from qpvgeo.formats.foreign import foreign
from qpvgeo.formats.text_tables import notes_of, read_table
from qpvgeo.geometry.projection import DEGREES, transformer
from qpvgeo.language import Note, pointed

__all__ = [
    "SUFFIXES",
    "Described",
    "attributes",
    "describe",
    "encoding_of",
    "point_column",
    "points_of",
    "read",
    "shape_column",
    "shapes_of",
    "to_degrees",
]

SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".xls")
"""Endings of the tables that are searched for geometry."""

Encoding = Literal["geojson", "wkt", "wkb"]
Floats = npt.NDArray[np.float64]

_NAMES = {
    "geo_shape",
    "geoshape",
    "geojson",
    "geom",
    "geometry",
    "geometrie",
    "the_geom",
    "wkb_geometry",
    "wkt",
    "wkt_geom",
    "wkb",
    "shape",
    "contour",
    "st_asgeojson",
    "st_astext",
}
_POINTS = {
    "geo_point_2d",
    "geo_point",
    "geopoint",
    "geolocalisation",
    "geoloc",
    "coordonneesxy",
    "coordonnees",
    "latlon",
}
_WKT = re.compile(
    r"\s*(?:SRID=(\d+);)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(?:Z|M|ZM)?\s*(?:\(|EMPTY)",
    re.IGNORECASE,
)
_WKB = re.compile(r"\s*0[01][0-9a-fA-F]{8,}\s*")
_PAIR = re.compile(r"\s*([\[(]?)\s*([+-]?\d+(?:[.,]\d+)?)\s*[,;\s]\s*([+-]?\d+(?:[.,]\d+)?)\s*[\])]?\s*")
_LOOKED_AT = 50


class Described(NamedTuple):
    """What a table with geometry holds: its columns and how many rows."""

    fields: tuple[str, ...]
    rows: int


def encoding_of(cells: pd.Series) -> Encoding | None:
    """How geometry is written in cells, by the first ones that are filled; None where it is not geometry."""
    filled = cells.dropna().astype("str").head(_LOOKED_AT)
    if filled.empty:
        return None
    tests: dict[Encoding, Any] = {
        "geojson": lambda cell: cell.lstrip().startswith("{") and '"type"' in cell and '"coordinates"' in cell,
        "wkt": _WKT.match,
        "wkb": _WKB.fullmatch,
    }
    return next((kind for kind, test in tests.items() if all(map(test, filled))), None)


def shape_column(frame: pd.DataFrame) -> tuple[str, Encoding] | None:
    """Column of geometry of a table and its encoding: one with a known name, else the only one that holds geometry.

    Examples
    --------
    >>> table = pd.DataFrame({"code": ["a"], "geo_shape": ['{"type": "Point", "coordinates": [2, 48]}']})
    >>> shape_column(table)
    ('geo_shape', 'geojson')
    """
    found = [(str(name), kind) for name in frame.columns if (kind := encoding_of(frame[name])) is not None]
    named = [(name, kind) for name, kind in found if normalise(name) in _NAMES]
    # an outline before its centre
    drawn = [one for one in named if not frame[one[0]].dropna().head(1).str.contains("point", case=False).all()]
    return next(iter(drawn or named), found[0] if len(found) == 1 else None)


def shapes_of(cells: pd.Series, encoding: Encoding, *, where: str) -> gpd.GeoSeries:
    """Geometry written in cells, on their index.

    Raises
    ------
    DataError
        Cells cannot be read, or are in several projections: all lines are listed.
    """
    text = cells.astype("object").where(cells.notna(), None)
    crs: Any = None
    if encoding == "wkt":
        given = {found[1] for cell in text.dropna() if (found := _WKT.match(cell)) and found[1]}
        if len(given) > 1:
            raise DataError(Note("formats.several_crs", file=where, crs=sorted(given)))
        crs = int(next(iter(given))) if given else None
        text = text.map(lambda cell: cell and re.sub(r"^\s*SRID=\d+;", "", cell), na_action="ignore")
    reader: Any = {"geojson": shapely.from_geojson, "wkt": shapely.from_wkt, "wkb": shapely.from_wkb}[encoding]
    given_cells = text.to_numpy()
    with foreign(where):
        shapes = reader(
            np.array([cell if isinstance(cell, str) else None for cell in given_cells]), on_invalid="ignore"
        )
        if encoding == "wkb" and (srids := set(shapely.get_srid(shapes[~shapely.is_missing(shapes)])) - {0}):
            crs = int(srids.pop()) if len(srids) == 1 else None
    unread = cells.index[cells.notna().to_numpy() & shapely.is_missing(shapes)]
    if len(unread):
        raise DataError(
            Note("formats.cells_not_geometry", file=where, count=len(unread)),
            problems=[Note("formats.line_no_geometry", line=int(line)) for line in unread],
            way_out=Note("formats.get_again"),
        )
    with foreign(where):
        return gpd.GeoSeries(shapes, index=cells.index, crs=crs)


def describe(path: Path) -> Described | None:
    """Columns and rows of a table with geometry; None for another table.

    Raises
    ------
    DataError
        The table is damaged.
    """
    if not _may_hold_shapes(path):
        return None
    table = read_table(path)
    found = shape_column(table)
    return None if found is None else Described(tuple(name for name in table.columns if name != found[0]), len(table))


def _may_hold_shapes(path: Path) -> bool:
    """Whether the first bytes of a text table hold geometry; a workbook has to be read."""
    if path.suffix.lower() in (".xlsx", ".xls"):
        return path.stat().st_size < 1 << 26
    with path.open("rb") as stream:
        head = stream.read(1 << 20).replace(b"\0", b"").decode("utf-8", "replace")
    return bool(
        re.search(
            r'"coordinates"|POLYGON\s*Z?M?\s*\(|LINESTRING\s*Z?M?\s*\(|POINT\s*Z?M?\s*\(|'
            r"\b01(?:0[1-7]0000[02468aA]0|[eEdDbB][0-9a-fA-F]0[37bB]0000)|\b00[02468aA]000000[1-7]",
            head,
        )
    )


def attributes(path: Path, *, rows: int | None = None) -> pd.DataFrame:
    """Columns of a table with geometry, the geometry left out."""
    table = read_table(path)
    found = shape_column(table)
    table = table if found is None else table.drop(columns=[found[0]])
    return table if rows is None else table.head(rows)


def read(path: str | os.PathLike[str]) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read a table with geometry: its columns as text, its geometry, and notes.

    Raises
    ------
    DataError
        No column holds geometry, or cells cannot be read.
    """
    table = read_table(path)
    name = Path(path).name
    found = shape_column(table)
    if found is None:
        raise DataError(Note("formats.no_geometry_column", file=name), way_out=Note("formats.name_geometry_column"))
    column, encoding = found
    shapes = shapes_of(table[column], encoding, where=name)
    notes: list[str] = [*notes_of(table)]
    frame = table.drop(columns=[column]).reset_index(drop=True)
    frame.attrs = {}
    crs = shapes.crs
    if crs is None and encoding == "geojson" and _is_degrees(shapes):
        crs = pyproj.CRS.from_epsg(DEGREES)  # the specification of GeoJSON
    return gpd.GeoDataFrame(frame, geometry=shapes.to_numpy(), crs=crs), notes


def _is_degrees(shapes: gpd.GeoSeries) -> bool:
    west, south, east, north = shapes.total_bounds
    return bool(west >= -180 and east <= 180 and south >= -90 and north <= 90)


def point_column(names: list[str]) -> str | None:
    """Column of points by its name; None without any.

    Examples
    --------
    >>> point_column(["id", "adresse", "geo_point_2d"])
    'geo_point_2d'
    """
    return next((name for name in names if normalise(name) in _POINTS), None)


def points_of(cells: pd.Series) -> pd.DataFrame:
    """Longitude and latitude of cells that hold a point each.

    Parameters
    ----------
    cells
        `48.9, 2.4` (latitude first), `[2.4, 48.9]` (longitude first), WKT, or GeoJSON.

    Returns
    -------
    pandas.DataFrame
        `lon`, `lat` (degrees, on the index of the cells), missing where a cell is empty or holds no point; `read`,
        whether it was read or empty.

    Examples
    --------
    >>> points_of(pd.Series(["48.9043,2.4849", "[2.4849, 48.9043]", "POINT (2.4849 48.9043)"]))["lon"].tolist()
    [2.4849, 2.4849, 2.4849]
    """
    pairs = [_point(cell) for cell in cells]
    empty = cells.isna() | cells.astype("str").str.strip().isin(["", "nan", "None"])
    found = pd.DataFrame([pair or (np.nan, np.nan) for pair in pairs], columns=["lon", "lat"], index=cells.index)
    found["read"] = [pair is not None for pair in pairs] | empty.to_numpy()
    return found.astype({"lon": "float64", "lat": "float64"})


def _point(cell: object) -> tuple[float, float] | None:
    """Longitude and latitude of a cell."""
    if not isinstance(cell, str):
        return None
    if found := _PAIR.fullmatch(cell):
        first, second = (float(pointed(found[place])) for place in (2, 3))
        return (first, second) if found[1] == "[" else (second, first)
    try:
        if cell.lstrip().startswith("{"):
            about = json.loads(cell)
            if {"lon", "lat"} <= set(about):
                return float(about["lon"]), float(about["lat"])
            shape = shapely.from_geojson(cell)
        else:
            shape = shapely.from_wkt(re.sub(r"^\s*SRID=\d+;", "", cell))
    except (ValueError, TypeError, shapely.errors.ShapelyError):
        return None
    return (shape.x, shape.y) if isinstance(shape, shapely.Point) and not shape.is_empty else None


def to_degrees(x: pd.Series, y: pd.Series, epsg: pd.Series) -> pd.DataFrame:
    """Longitude and latitude of points whose projection is written in each row.

    Parameters
    ----------
    x, y
        Coordinates, numbers or text with a decimal point or comma.
    epsg
        EPSG code of each row (`2154`, `EPSG:2154`), missing where it is not known.

    Returns
    -------
    pandas.DataFrame
        `lon`, `lat` (degrees, on the index of `x`), missing where the code is missing or unknown, or the coordinates
        are no numbers; `epsg`, the code used.

    Examples
    --------
    >>> found = to_degrees(pd.Series([652381.0, 710000.0]), pd.Series([6862047.0, 1620000.0]), pd.Series([2154, 5490]))
    >>> found.round(2)["lon"].tolist()
    [2.35, -61.05]
    """
    east, north = (to_number(column.astype("str")).numbers.astype("float64") for column in (x, y))
    codes = epsg.astype("str").str.extract(r"^\s*(?:EPSG:+)?(\d{4,6})(?:\.0)?\s*$", expand=False)
    found = pd.DataFrame({"lon": np.nan, "lat": np.nan}, index=x.index)
    found["epsg"] = codes.astype("float64").astype("Int64").to_numpy()
    for code in codes.dropna().unique():
        rows = codes.eq(code).to_numpy()
        try:
            move = transformer(int(code), DEGREES)
        except pyproj.exceptions.ProjError:
            found.loc[rows, "epsg"] = pd.NA
            continue
        lon, lat = move.transform(east.to_numpy()[rows], north.to_numpy()[rows])
        good = np.isfinite(lon) & np.isfinite(lat)
        found.loc[rows, "lon"], found.loc[rows, "lat"] = np.where(good, lon, np.nan), np.where(good, lat, np.nan)
    return found
