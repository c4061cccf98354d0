"""Tables with geometry in their cells: GeoJSON (`geo_shape` of open data portals), WKT, hexadecimal WKB."""

import io
import os
import re
import zipfile
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from qpvgeo.errors import DataError
from qpvgeo.formats.cells import normalise
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.text_tables import as_text, notes_of, read_table
from qpvgeo.geometry.projection import DEGREES
from qpvgeo.language import Note

__all__ = [
    "HEAD",
    "SUFFIXES",
    "Described",
    "attributes",
    "describe",
    "describe_parquet",
    "encoding_of",
    "read",
    "shape_column",
    "shapes_of",
]

SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".ods")
"""Endings of the tables that are searched for geometry."""

Encoding = Literal["geojson", "wkt", "wkb"]
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
_WKT = re.compile(
    r"\s*(?:SRID=(\d+);)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(?:Z|M|ZM)?\s*(?:\(|EMPTY)",
    re.IGNORECASE,
)
_WKB = re.compile(r"\s*0[01][0-9a-fA-F]{8,}\s*")
HEAD = 1 << 20
"""Bytes of a text table in which geometry is looked for."""

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
    """Geometry written in cells, on their index; in degrees where cells are in several projections.

    Raises
    ------
    DataError
        Cells cannot be read, or some say their projection and others do not.
    """
    text = cells.astype("object").where(cells.notna(), None)
    numbers = pd.Series(0, cells.index, dtype="int64")
    if encoding == "wkt":
        numbers = text.astype("str").str.extract(_WKT, expand=True)[0].fillna("0").astype("int64")
        text = text.map(lambda cell: cell and re.sub(r"^\s*SRID=\d+;", "", cell), na_action="ignore")
    reader: Any = {"geojson": shapely.from_geojson, "wkt": shapely.from_wkt, "wkb": shapely.from_wkb}[encoding]
    given_cells = text.to_numpy()
    with foreign(where):
        shapes = reader(
            np.array([cell if isinstance(cell, str) else None for cell in given_cells]), on_invalid="ignore"
        )
        if encoding == "wkb":
            numbers = pd.Series(np.maximum(shapely.get_srid(shapes), 0), cells.index)
    unread = cells.index[cells.notna().to_numpy() & shapely.is_missing(shapes)]
    if len(unread):
        raise DataError(
            Note("formats.cells_not_geometry", file=where, count=len(unread)),
            problems=[Note("formats.line_no_geometry", line=int(line)) for line in unread],
            way_out=Note("formats.get_again"),
        )
    said = numbers[~shapely.is_missing(shapes)].unique()
    if len(said) > 1 and 0 in said:
        raise DataError(
            Note("formats.several_crs", file=where, crs=sorted(int(one) for one in said if one)),
            way_out=Note("formats.say_crs_of_each"),
        )
    with foreign(where):
        if len(said) < 2:
            return gpd.GeoSeries(shapes, index=cells.index, crs=int(said[0]) if len(said) and said[0] else None)
        drawn = gpd.GeoSeries(shapes, index=cells.index)
        parts = [drawn[numbers == number].set_crs(int(number)).to_crs(DEGREES) for number in said]
        return gpd.GeoSeries(pd.concat(parts).reindex(cells.index), crs=DEGREES)


def describe(path: Path, head: bytes | None = None) -> Described | None:
    """Columns and rows of a table with geometry; None for another table.

    Parameters
    ----------
    path
        The file.
    head
        Its first `HEAD` bytes, where the caller has read them.

    Raises
    ------
    DataError
        The table is damaged.
    """
    if not _may_hold_shapes(path, head):
        return None
    table = read_table(path)
    found = shape_column(table)
    return None if found is None else Described(tuple(name for name in table.columns if name != found[0]), len(table))


_WRITTEN = {
    "coordinates": re.compile(r"[\"&;]coordinates[\"&]"),
    "POLYGON": re.compile(r"POLYGON\s*Z?M?\s*\("),
    "LINESTRING": re.compile(r"LINESTRING\s*Z?M?\s*\("),
    "POINT": re.compile(r"POINT\s*Z?M?\s*\("),
}
"""Marks of geometry in text, and what is written about each."""
_WKB_STARTS = (
    re.compile(r"01(?:0[1-7]0000[02468aA]0|[eEdDbB][0-9a-fA-F]0[37bB]0000)"),
    re.compile(r"00[02468aA]000000[1-7]"),
)
"""Starts of WKB in hexadecimal, at the start of a word: their first digits are found before it is looked for."""


def _may_hold_shapes(path: Path, head: bytes | None) -> bool:
    """Whether the first bytes of a text table, or of the texts of a workbook, hold geometry."""
    if path.suffix.lower() in (".xlsx", ".ods"):
        with foreign(path.name), zipfile.ZipFile(path) as book:
            texts = [
                name
                for name in book.namelist()
                if re.search(r"sharedStrings|worksheets/[^/]+\.xml|^content\.xml", name)
            ]
            return any(_has_shapes(book.open(name)) for name in texts)
    return _has_shapes(path.open("rb") if head is None else io.BytesIO(head))


def _has_shapes(stream: IO[bytes]) -> bool:
    with stream:
        text = stream.read(HEAD).replace(b"\0", b"").decode("utf-8", "replace")
    if any(mark in text and written.search(text) for mark, written in _WRITTEN.items()):
        return True
    starts = (found.start() for written in _WKB_STARTS for found in written.finditer(text))
    return any(start == 0 or not (text[start - 1].isalnum() or text[start - 1] == "_") for start in starts)


def describe_parquet(path: Path) -> Described | None:
    """The same for Parquet that does not say which column holds its geometry; only first rows are read."""
    with foreign(path.name):
        file = pq.ParquetFile(path)
        names = [field.name for field in file.schema_arrow if _may_be_shapes(field)]
        if not names or not file.metadata.num_rows:
            return None
        found = shape_column(_as_cells(next(file.iter_batches(_LOOKED_AT, columns=names)).to_pandas()))
    if found is None:
        return None
    return Described(tuple(name for name in file.schema_arrow.names if name != found[0]), file.metadata.num_rows)


def _may_be_shapes(field: pa.Field) -> bool:
    binary = pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    return binary or normalise(field.name) in _NAMES


def _as_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of Parquet as those of a text table: geometry in hexadecimal."""
    packed = [name for name in frame.columns if frame[name].map(lambda cell: isinstance(cell, bytes)).any()]
    for name in packed:
        frame[name] = frame[name].map(bytes.hex, na_action="ignore")
    return as_text(frame)


def _table(path: Path) -> pd.DataFrame:
    if path.suffix.lower() not in (".parquet", ".geoparquet"):
        return read_table(path)
    with foreign(path.name):
        return _as_cells(pd.read_parquet(path))


def attributes(path: Path, *, rows: int | None = None) -> pd.DataFrame:
    """Columns of a table with geometry, the geometry left out."""
    table = _table(path)
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
    name = Path(path).name
    table = _table(Path(path))
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
