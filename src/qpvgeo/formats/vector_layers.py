"""Layers of outlines in files and archives: what is inside, in which encoding and projection.

The published files do not always say it, or say it wrongly: shapefiles in cp1252 without a .cpg, a file named UTM 38S
that holds degrees, GeoJSON in Lambert-93, projections without an EPSG number. Each correction made here is noted.
"""

import codecs
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.formats import folder_walk, shape_tables, vector_forms
from qpvgeo.formats.gdal import gdal
from qpvgeo.formats.limits import require_narrow
from qpvgeo.formats.reader_errors import foreign, require_rows
from qpvgeo.formats.settled_crs import settle_crs, user_crs
from qpvgeo.formats.staging import encoding_before, staged
from qpvgeo.formats.zip_members import opened_zip, zip_members
from qpvgeo.language import Note

__all__ = [
    "ARCHIVES",
    "SUFFIXES",
    "Layer",
    "attributes",
    "chosen",
    "extent",
    "holds_outlines",
    "is_packed",
    "is_thin",
    "layers",
    "read",
    "require_whole",
    "settle_crs",
    "state_of",
    "user_crs",
]

_PARQUET = (".parquet", ".geoparquet")
SUFFIXES = (*vector_forms.SUFFIXES, *_PARQUET)
"""Endings of the files of outlines; a zip of them, or one in gzip, is read too, and tables with outlines in cells."""

ARCHIVES = (".zip", ".kmz")
_OF_ONE_LAYER = (".shp", ".fgb", ".geojson", ".mif", ".tab")


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a file, or of a member of an archive, before it is read.

    Attributes
    ----------
    path
        The file on disk.
    member
        Path inside the archive; None for a plain file.
    name
        Name of the layer inside the file; None for Parquet.
    fields
        Published names of the attributes.
    features
        How many features the file announces.
    encoding
        Encoding to read the attributes with; None when the file says it.
    shape
        Kind of geometry announced, such as `Polygon`; `Unknown` where the form does not announce it.
    written
        Encoding of JSON that is read from a copy in UTF-8; None for every other file.
    is_table
        Whether it is a table with outlines in its cells.
    """

    path: Path
    member: str | None
    name: str | None
    fields: tuple[str, ...]
    features: int
    encoding: str | None = None
    shape: str = "Unknown"
    written: str | None = None
    is_table: bool = False

    @property
    def file(self) -> Path:
        """File on disk that is read: the file itself, or the unpacked member."""
        return staged(self.path, self.member)

    @property
    def dataset(self) -> str:
        """What GDAL opens, once the content is known to be of the form that the ending says."""
        return vector_forms.dataset_of(self.file, self.label)

    @property
    def label(self) -> str:
        """How messages name the layer."""
        inside = f" ({self.member})" if self.member else ""
        layer = f":{self.name}" if self.name and self.path.suffix.lower() == ".gpkg" else ""
        # names that old archives unpack to are not always text
        return f"{self.path.name}{inside}{layer}".encode("utf-8", "backslashreplace").decode()

    @property
    def suffix(self) -> str:
        """Ending of the file or member, in lower case."""
        return Path(self.member or self.path.name).suffix.lower()

    @property
    def is_parquet(self) -> bool:
        """Whether it is GeoParquet, which pyarrow reads rather than GDAL."""
        return self.suffix in _PARQUET and not self.is_table


def layers(path: str | os.PathLike[str]) -> list[Layer]:
    """Layers of a file, of a zip archive, or of every such file of a folder.

    Parameters
    ----------
    path
        Shapefile, GeoJSON, TopoJSON, GeoPackage, FlatGeobuf, KML, GML, MapInfo, GeoParquet, a zip of them, a CSV or
        workbook with outlines in its cells (`geo_shape`, WKT), or a folder (searched to the bottom; tables left out).

    Raises
    ------
    MissingDataError
        There is nothing at that path.
    DataError
        The file is none of these forms, is damaged, or refers to other files or the network.
    ArchiveError
        The archive is damaged or a bomb.
    """
    place = Path(path)
    with foreign(str(place)):
        if not place.exists():
            raise MissingDataError(Note("formats.no_file", file=str(place)), way_out=Note("formats.check_the_path"))
        if place.is_dir():
            held = folder_walk.walk_whole(place, (*SUFFIXES, *ARCHIVES)).files
            inside = sorted(part for part in held if part.suffix.lower() in (*SUFFIXES, *ARCHIVES) or is_packed(part))
            return [layer for part in inside for layer in layers(part)]
        if not place.is_file():
            raise DataError(Note("formats.not_regular", file=place.name))
        return list(_layers_of(place, state_of(place)))


def holds_outlines(path: Path, head: bytes | None = None) -> bool:
    """Whether a file may hold outlines: by its ending, and a table by a column of geometry.

    `head` holds the first bytes of a table (`shape_tables.HEAD`), where the caller has read them.
    """
    suffix = path.suffix.lower()
    if suffix in shape_tables.SUFFIXES:
        return path.is_file() and shape_tables.describe(path, head) is not None
    return suffix in (*SUFFIXES, *ARCHIVES) or is_packed(path)


def is_packed(path: Path) -> bool:
    """Whether a file is one of outlines in gzip, by its ending.

    Examples
    --------
    >>> is_packed(Path("communes.geojson.gz")), is_packed(Path("communes.csv.gz"))
    (True, False)
    """
    return path.suffix.lower() == ".gz" and Path(path.stem).suffix.lower() in SUFFIXES


def state_of(path: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file, or one of the files of a shapefile, does."""
    return tuple((part.name, (state := part.stat()).st_size, state.st_mtime_ns) for part in vector_forms.parts_of(path))


@lru_cache(maxsize=1024)
def _layers_of(path: Path, _state_then: tuple[tuple[str, int, int], ...]) -> tuple[Layer, ...]:
    """Layers of a file; described once as long as the file does not change."""
    suffix = path.suffix.lower()
    if suffix in ARCHIVES:
        return tuple(_in_archive(path))
    if is_packed(path):
        return tuple(_describe(path, path.stem))
    if suffix in shape_tables.SUFFIXES and (found := shape_tables.describe(path)) is not None:
        return (Layer(path, None, None, found.fields, found.rows, is_table=True),)
    if suffix not in SUFFIXES:
        raise DataError(
            Note("formats.no_outlines_form", file=path.name), way_out=Note("formats.forms_read", forms=list(SUFFIXES))
        )
    return tuple(_describe(path, None))


def _in_archive(path: Path) -> list[Layer]:
    with foreign(path.name), opened_zip(path) as archive:
        # macOS adds a shadow of each file to its archives
        held = sorted(
            name for name in archive.namelist() if name.lower().endswith(SUFFIXES) and not name.startswith("__MACOSX/")
        )
        if held:
            zip_members(archive, path.name)
        return [layer for member in held for layer in _describe(path, member)]


def _describe(path: Path, member: str | None) -> list[Layer]:
    bare = Layer(path, member, None, (), 0)
    if bare.is_parquet:
        with foreign(bare.label):
            file = pq.ParquetFile(bare.file)
            require_narrow(file.metadata.num_columns, bare.label)
            if b"geo" not in (file.schema_arrow.metadata or {}):
                found = shape_tables.describe_parquet(bare.file)
                return [] if found is None else [replace(bare, fields=found.fields, features=found.rows, is_table=True)]
            return [replace(bare, fields=tuple(file.schema_arrow.names), features=file.metadata.num_rows)]
    dataset = bare.dataset
    with foreign(bare.label), _quiet():
        encoding = _dbf_encoding(bare)
        # formats of one layer are opened once
        named = [None] if bare.suffix in _OF_ONE_LAYER else _layer_names(dataset)
        infos = [gdal().read_info(dataset, layer=name, force_feature_count=True) for name in named]
    for info in infos:
        require_narrow(len(info["fields"]), bare.label)
        if info["driver"] not in vector_forms.DRIVERS:
            raise DataError(Note("formats.refers_elsewhere", file=bare.label), way_out=Note("formats.give_the_data"))
    return [
        replace(
            bare,
            name=str(info["layer_name"]),
            fields=tuple(info["fields"]),
            features=int(info["features"]),
            encoding=encoding,
            shape=str(info["geometry_type"]),
            written=encoding_before(path, member),
        )
        for info in infos
        if info["geometry_type"] is not None
    ]


def _layer_names(dataset: str) -> list[str | None]:
    return [str(name) for name, kind in gdal().list_layers(dataset) if kind is not None]


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what GDAL warns of while a file is only described; `read` notes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _dbf_encoding(layer: Layer) -> str | None:
    """Encoding of a shapefile that does not say it: UTF-8 when its bytes are, else cp1252."""
    if layer.suffix != ".shp":
        return None
    beside = {part.suffix.lower(): part for part in layer.file.parent.glob("*") if part.stem == layer.file.stem}
    if ".cpg" in beside or ".dbf" not in beside:
        return None
    decode = codecs.getincrementaldecoder("utf-8")().decode
    with beside[".dbf"].open("rb") as stream:
        stream.seek(int.from_bytes(stream.read(10)[8:10], "little"))
        try:
            while block := stream.read(1 << 20):
                decode(block)
            decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def is_thin(layer: Layer) -> bool:
    """Tell whether a layer holds points or lines, and no areas."""
    return "Point" in layer.shape or "Line" in layer.shape


def chosen(found: list[Layer], layer: str | None, *, where: str) -> list[Layer]:
    """Layers of a name, a member or a file; all of them without a name.

    Raises
    ------
    UsageError
        None has that name: lists those that are there.
    """
    if layer is None:
        return found
    wanted = layer.casefold()
    kept = [
        one
        for one in found
        if wanted
        in {
            name.casefold()
            for name in (one.name, one.member, one.label, one.path.name, Path(one.member or one.path.name).stem)
            if name
        }
    ]
    # the name of a layer comes before that of the file it is in
    exact = [one for one in kept if (one.name or "").casefold() == wanted]
    if not kept:
        raise UsageError(
            Note("formats.no_layer", file=where, layer=str(layer)),
            way_out=Note("formats.its_layers", layers=[one.name or one.label for one in found]),
        )
    return exact or kept


def attributes(layer: Layer, *, rows: int | None = None) -> pd.DataFrame:
    """Attributes of a layer without its outlines, all rows or the first ones."""
    if layer.is_table:
        return pd.DataFrame(shape_tables.attributes(layer.file, rows=rows))
    dataset = None if layer.is_parquet else layer.dataset
    with foreign(layer.label), _quiet():
        if dataset is not None:
            frame = gdal().read_dataframe(
                dataset, layer=layer.name, encoding=layer.encoding, max_features=rows, read_geometry=False
            )
            return pd.DataFrame(frame)
        file = pq.ParquetFile(layer.file)
        shapes = {field.name for field in file.schema_arrow if pa.types.is_binary(field.type)}
        plain = [name for name in file.schema_arrow.names if name not in shapes]
        if rows is None or file.metadata.num_rows == 0:
            table = file.read(columns=plain)
            require_rows(table.num_rows, file.metadata.num_rows, layer.label)
            return table.to_pandas().reset_index()
        return next(file.iter_batches(rows, columns=plain)).to_pandas().reset_index()


def extent(layer: Layer) -> tuple[Any, Any]:
    """Declared CRS and bounds of a layer, without reading its features where the form allows it."""
    if layer.is_parquet or layer.is_table:
        frame, _ = _frame(layer)
        return frame.crs, frame.total_bounds
    dataset = layer.dataset
    with foreign(layer.label), _quiet():
        info = gdal().read_info(dataset, layer=layer.name, force_total_bounds=True)
    return info["crs"], info["total_bounds"] or (np.nan,) * 4


def _frame(layer: Layer) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Rows of a layer as the file has them, and what GDAL warned of."""
    if layer.is_table:
        return shape_tables.read(layer.file)
    way_out = Note("formats.doctor_names_records", file=layer.path.name)
    dataset = None if layer.is_parquet else layer.dataset
    with foreign(layer.label, way_out=way_out):
        if dataset is None:
            return gpd.read_parquet(layer.file), []
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            frame = gdal().read_dataframe(dataset, layer=layer.name, encoding=layer.encoding)
    return frame, sorted({f"GDAL: {warning.message}" for warning in said})


def read(layer: Layer, *, crs: Any = None) -> tuple[gpd.GeoDataFrame, list[str]]:  # noqa: ANN401 - whatever pyproj takes
    """Read a layer, with the projection that its coordinates are really in.

    Parameters
    ----------
    layer
        One of `layers`.
    crs
        Projection of the coordinates, in place of what the file declares.

    Returns
    -------
    tuple
        The frame with the published column names, and notes on what had to be settled.

    Raises
    ------
    DataError
        The file is damaged, gives fewer features than it announces, or its projection cannot be established.
    UsageError
        `crs` is not a projection.
    """
    way_out = Note("formats.doctor_names_records", file=layer.path.name)
    frame, warned = _frame(layer)
    require_whole(layer)
    if len(frame) < layer.features:
        raise DataError(
            Note("formats.fewer_features", file=layer.label, announced=layer.features, read=len(frame)), way_out=way_out
        )
    if not isinstance(frame, gpd.GeoDataFrame):
        raise DataError(Note("formats.no_outlines", file=layer.label), way_out=Note("formats.give_the_outlines"))
    encoding = layer.encoding or layer.written
    notes: list[str] = [Note("formats.read_as", encoding=encoding)] if encoding else []
    with foreign(layer.label, way_out=way_out):
        if crs is None:
            settled, note = settle_crs(frame.crs, frame.total_bounds, where=layer.label)
        else:
            settled, note = user_crs(crs), []
        if frame.has_z.any():
            frame = frame.set_geometry(frame.geometry.force_2d())
            settled = settled.to_2d()
            notes.append(Note("formats.heights_left_out"))
    return frame.set_crs(settled, allow_override=True), [*notes, *note, *warned]


def require_whole(layer: Layer) -> None:
    """Raise when a .shp is cut short or lines of JSON are broken: GDAL gives what is left, and says nothing.

    Raises
    ------
    DataError
        Bytes are missing at its end, or lines are no features.
    """
    if layer.suffix in vector_forms.JSON:
        with foreign(layer.label):
            vector_forms.require_features(layer.dataset, layer.features, layer.label)
    if layer.suffix != ".shp":
        return
    with foreign(layer.label):
        lost = vector_forms.lost_bytes(layer.file)
    if lost > 0:
        raise DataError(
            Note("formats.bytes_missing", file=layer.label, bytes=lost),
            way_out=Note("formats.doctor_names_records", file=layer.path.name),
        )
