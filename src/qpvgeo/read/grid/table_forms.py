"""Tables of a grid that were opened: CSV, Parquet, layers that GDAL opens; columns, types and the projection declared.

The rows are read by `qpvgeo.read.grid.arrow_columns`.
"""

import csv
import io
import re
import sqlite3
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from qpvgeo.errors import DataError
from qpvgeo.formats.csv_dialect import delimiter_of
from qpvgeo.formats.gdal import gdal
from qpvgeo.formats.geoparquet import geo_column
from qpvgeo.formats.staging import admitted
from qpvgeo.language import Note

__all__ = ["HEAD_ROWS", "SUFFIXES", "Form", "Table", "damage", "open_table"]

Form = Literal["csv", "parquet", "vector"]

SUFFIXES: Mapping[str, Form] = {
    ".csv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".geoparquet": "parquet",
    ".gpkg": "vector",
    ".fgb": "vector",
    ".geojson": "vector",
    ".shp": "vector",
    ".dbf": "vector",
    ".mif": "vector",
    ".tab": "vector",
}
"""Endings of the files that are read, the preferred form of a table first."""

HEAD_ROWS = 1000
"""How many of the first rows tell what a file is."""

_HEAD_BYTES = 1 << 18


def damage() -> tuple[type[BaseException], ...]:
    """What libraries raise for a damaged file; asked for once one of them has failed."""
    return (
        pa.ArrowException,
        OSError,
        gdal().errors.DataSourceError,
        gdal().errors.DataLayerError,
        gdal().errors.FeatureError,
        pyproj.exceptions.ProjError,
        UnboundLocalError,
        EOFError,
        csv.Error,
        sqlite3.Error,
        UnicodeError,
        shapely.errors.ShapelyError,
    )


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was opened: its columns are known, its rows are not read.

    Attributes
    ----------
    path
        File that the caller named, or found in the folder named.
    member
        Path inside it when it is an archive.
    opened
        File that is read: the same, or the unpacked member.
    form, layer
        How it is read; layer inside the file where it has several.
    types
        Arrow types of the columns, outlines left out; text for all those of a CSV file.
    sample
        First rows of a CSV file, as text.
    crs
        Projection that the file declares for its outlines; None without any.
    outline
        Column of the outlines of a Parquet file; None without any.
    header, delimiter, encoding
        Of a CSV file.
    """

    path: Path
    member: str | None
    opened: Path
    form: Form
    layer: str | None = None
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    sample: Any = None
    crs: Any = None
    outline: str | None = None
    header: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"

    @property
    def names(self) -> tuple[str, ...]:
        """Columns, in the order of the file."""
        return tuple(self.types)

    @property
    def label(self) -> str:
        """How messages name the table."""
        inside = f" ({self.member})" if self.member else ""
        layer = f":{self.layer}" if self.layer and self.opened.suffix.lower() == ".gpkg" else ""
        return f"{self.path.name}{inside}{layer}"

    @property
    def stems(self) -> set[str]:
        """Names under which a caller may ask for the table."""
        member = {self.member, PurePosixPath(self.member).stem, PurePosixPath(self.member).name} if self.member else ()
        return {name for name in (self.path.name, self.path.stem, *member, self.layer) if name}


def open_table(table: Table) -> list[Table]:
    """Open a table to know its columns; a file of several layers gives one for each.

    Raises
    ------
    DataError
        The file is damaged, or of a form that cannot be read.
    """
    try:
        if table.form == "csv":
            return [_open_csv(table)]
        if table.form == "parquet":
            return [_open_parquet(table)]
        return _open_layers(table)
    except gdal().errors.GeometryError as error:
        message = Note("grid.odd_geometry", file=table.label, cause=str(error))
        raise DataError(message, way_out=Note("grid.save_as_polygons")) from error
    except damage() as error:
        message = Note("grid.cannot_be_opened", file=table.label, cause=str(error))
        raise DataError(message, way_out=Note("grid.download_again")) from error


def _open_csv(table: Table) -> Table:
    """Names, delimiter, decimal sign and first rows of a CSV file."""
    with pa.input_stream(str(table.opened), compression="detect") as stream:
        raw = stream.read(_HEAD_BYTES)
    whole = len(raw) < _HEAD_BYTES
    raw = raw if whole else raw[: raw.rfind(b"\n") + 1]
    try:
        text, encoding = raw.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = raw.decode("cp1252", errors="replace"), "cp1252"
    first = text.partition("\n")[0]
    delimiter = delimiter_of(first.rstrip("\r"))
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row][: HEAD_ROWS + 1]
    if not rows:
        raise DataError(Note("grid.empty", file=table.label), way_out=Note("grid.download_again"))
    names = [name.strip() for name in rows[0]]
    body = rows[1:]
    if body and len(body[0]) == len(names) + 1:
        names = ["", *names]  # R leaves out the name of the column of row names
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise DataError(
            Note("grid.columns_twice", file=table.label), problems=twice, way_out=Note("grid.keep_one_each")
        )
    named = [(at, name) for at, name in enumerate(names) if name]
    cells = [row + [""] * len(names) for row in body]
    sample = pa.table({name: pa.array([row[at] for row in cells], pa.string()) for at, name in named})
    return replace(
        table,
        types={name: pa.string() for _, name in named},
        sample=sample,
        delimiter=delimiter,
        header=tuple(name or f"column {at + 1}" for at, name in enumerate(names)),
        encoding=encoding,
    )


def _open_parquet(table: Table) -> Table:
    schema = pq.read_schema(table.opened)
    types = {column.name: column.type for column in schema if not _is_outline(column.type)}
    geometry = geo_column(schema)
    if geometry is None or geometry.encoding != "WKB":
        return replace(table, types=types)
    return replace(table, types=types, outline=geometry.name, crs=geometry.crs)


def _is_outline(kind: Any) -> bool:  # noqa: ANN401
    nested = pa.types.is_nested(kind) and not (pa.types.is_list(kind) and pa.types.is_string(kind.value_type))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or nested)


def _open_layers(table: Table) -> list[Table]:
    """Layers that can be read; one of a geometry type that GDAL does not map must not hide the others."""
    table = replace(table, opened=admitted(table.opened, table.label))
    try:
        layers = [str(name) for name, _ in _quietly(gdal().list_layers, table.opened)]
    except gdal().errors.GeometryError:
        if table.opened.suffix.lower() != ".gpkg":
            raise
        with closing(sqlite3.connect(f"{table.opened.resolve().as_uri()}?mode=ro", uri=True)) as database:
            layers = [str(name) for (name,) in database.execute("SELECT table_name FROM gpkg_contents")]
    opened, odd = [], None
    for name in layers:
        try:
            opened.append(_open_layer(table, name, alone=len(layers) == 1))
        except gdal().errors.GeometryError as error:
            odd = error
    if odd is not None and not opened:
        raise odd
    return opened


def _quietly(call: Callable[..., Any], *given: Any, **options: Any) -> Any:  # noqa: ANN401
    """Call GDAL without its warnings on layers that are declared otherwise than they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return call(*given, **options)


def _open_layer(table: Table, layer: str, *, alone: bool) -> Table:
    info = _quietly(gdal().read_info, table.opened, layer=layer)
    types = {str(name): _arrow_type(str(kind)) for name, kind in zip(info["fields"], info["dtypes"], strict=True)}
    named = None if alone and table.opened.suffix.lower() != ".gpkg" else layer
    crs = pyproj.CRS.from_user_input(info["crs"]) if info["crs"] else None
    return replace(table, layer=named, types=types, crs=crs)


def _arrow_type(kind: str) -> pa.DataType:
    """Arrow type of a field of GDAL, as far as it matters before the field is read."""
    return pa.from_numpy_dtype(kind) if re.match("int|float|bool", kind) else pa.string()
