"""Layers of outlines in files and archives: what is inside, in which encoding and projection.

The published files do not always say it, or say it wrongly: shapefiles in cp1252 without a .cpg, a file named UTM 38S
that holds degrees, GeoJSON in Lambert-93, projections without an EPSG number. Each correction made here is noted.
"""

import os
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.geometry.projection import DEGREES
from qpvgeo.language import Note

__all__ = ["SUFFIXES", "Layer", "attributes", "extent", "layers", "read", "settle_crs", "user_crs"]

SUFFIXES = (".shp", ".geojson", ".json", ".gpkg", ".parquet", ".geoparquet", ".fgb")
_PARQUET = (".parquet", ".geoparquet")
_DAMAGE = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.GeometryError,
    pa.ArrowException,
    OSError,
    UnicodeDecodeError,
    zipfile.BadZipFile,
    zlib.error,
)
_SHP_HEADER_BYTES = 100
_UNDECLARED = (2154, 3857)  # what files without a projection are in: Lambert-93, or the Web Mercator of a web map


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
    """

    path: Path
    member: str | None
    name: str | None
    fields: tuple[str, ...]
    features: int
    encoding: str | None = None
    shape: str = "Unknown"

    @property
    def dataset(self) -> str:
        """What GDAL opens."""
        return f"/vsizip/{self.path.resolve()}/{self.member}" if self.member else str(self.path)

    @property
    def label(self) -> str:
        """How messages name the layer."""
        inside = f" ({self.member})" if self.member else ""
        layer = f":{self.name}" if self.name and self.path.suffix.lower() == ".gpkg" else ""
        return f"{self.path.name}{inside}{layer}"

    @property
    def is_parquet(self) -> bool:
        """Whether pyarrow reads it rather than GDAL."""
        return (self.member or self.path.name).lower().endswith(_PARQUET)


def layers(path: str | os.PathLike[str]) -> list[Layer]:
    """Layers of a file, of a zip archive, or of every such file of a folder.

    Parameters
    ----------
    path
        Shapefile, GeoJSON, GeoPackage, FlatGeobuf, GeoParquet, a zip of them, or a folder (searched to the bottom).

    Raises
    ------
    MissingDataError
        There is nothing at that path.
    DataError
        The file is none of these forms, or cannot be opened.
    """
    place = Path(path)
    if not place.exists():
        raise MissingDataError(f"There is no file {place}.", way_out="Check the path; `qpvgeo datasets` lists keys.")
    if place.is_dir():
        inside = sorted(part for part in place.rglob("*") if part.suffix.lower() in (*SUFFIXES, ".zip"))
        return [layer for part in inside for layer in layers(part)]
    if place.suffix.lower() == ".zip":
        return _in_archive(place)
    if place.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"{place.name} is not a file of outlines.",
            way_out=f"Forms that are read: {', '.join(SUFFIXES)}, or a zip archive of them.",
        )
    return _describe(place, None)


def _in_archive(path: Path) -> list[Layer]:
    try:
        with zipfile.ZipFile(path) as archive:
            # macOS adds a shadow of each file to its archives
            names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
            members = [name for name in names if name.lower().endswith(SUFFIXES)]
    except zipfile.BadZipFile as error:
        raise DataError(f"{path.name} is not a zip archive: {error}.", way_out="Download it again.") from error
    return [layer for member in sorted(members) for layer in _describe(path, member)]


def _describe(path: Path, member: str | None) -> list[Layer]:
    bare = Layer(path, member, None, (), 0)
    try:
        if bare.is_parquet:
            with _open(bare) as stream:
                file = pq.ParquetFile(stream)
                if b"geo" not in (file.schema_arrow.metadata or {}):
                    return []
                return [Layer(path, member, None, tuple(file.schema_arrow.names), file.metadata.num_rows)]
        named = [str(name) for name, kind in pyogrio.list_layers(bare.dataset) if kind is not None]
        infos = [pyogrio.read_info(bare.dataset, layer=name, force_feature_count=True) for name in named]
        encoding = _dbf_encoding(bare)
    except _DAMAGE as error:
        raise DataError(f"{bare.label} cannot be opened: {error}", way_out="Download it again.") from error
    return [
        Layer(path, member, name, tuple(info["fields"]), int(info["features"]), encoding, str(info["geometry_type"]))
        for name, info in zip(named, infos, strict=True)
    ]


def _open(layer: Layer) -> Any:  # noqa: ANN401 - a binary stream, from a file or from an archive
    if layer.member is None:
        return layer.path.open("rb")
    with zipfile.ZipFile(layer.path) as archive:
        return archive.open(layer.member)


def _dbf_encoding(layer: Layer) -> str | None:
    """Encoding of a shapefile that does not say it: UTF-8 when its bytes are, else cp1252."""
    shp = layer.member or layer.path.name
    if not shp.lower().endswith(".shp"):
        return None
    stem = shp[:-4]
    if layer.member is None:
        beside = {part.name.lower(): part for part in layer.path.parent.glob(f"{layer.path.stem}.*")}
        if f"{stem.lower()}.cpg" in beside or f"{stem.lower()}.dbf" not in beside:
            return None
        content = beside[f"{stem.lower()}.dbf"].read_bytes()
    else:
        with zipfile.ZipFile(layer.path) as archive:
            inside = {name.lower(): name for name in archive.namelist()}
            if f"{stem.lower()}.cpg" in inside or f"{stem.lower()}.dbf" not in inside:
                return None
            content = archive.read(inside[f"{stem.lower()}.dbf"])
    records = content[int.from_bytes(content[8:10], "little") :]
    try:
        records.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def attributes(layer: Layer, *, rows: int | None = None) -> pd.DataFrame:
    """Attributes of a layer without its outlines, all rows or the first ones."""
    if not layer.is_parquet:
        frame = pyogrio.read_dataframe(
            layer.dataset, layer=layer.name, encoding=layer.encoding, max_features=rows, read_geometry=False
        )
        return pd.DataFrame(frame)
    with _open(layer) as stream:
        file = pq.ParquetFile(stream)
        shapes = {field.name for field in file.schema_arrow if pa.types.is_binary(field.type)}
        plain = [name for name in file.schema_arrow.names if name not in shapes]
        if rows is None or file.metadata.num_rows == 0:
            return file.read(columns=plain).to_pandas().reset_index()
        return next(file.iter_batches(rows, columns=plain)).to_pandas().reset_index()


def extent(layer: Layer) -> tuple[Any, Any]:
    """Declared CRS and bounds of a layer, without reading its features where the form allows it."""
    if layer.is_parquet:
        with _open(layer) as stream:
            frame = gpd.read_parquet(stream)
        return frame.crs, frame.total_bounds
    info = pyogrio.read_info(layer.dataset, layer=layer.name, force_total_bounds=True)
    return info["crs"], info["total_bounds"] or (np.nan,) * 4


def read(layer: Layer, *, crs: Any = None) -> tuple[gpd.GeoDataFrame, list[str]]:  # noqa: ANN401
    """Read a layer, with the projection that its coordinates are really in.

    Parameters
    ----------
    layer
        The layer.
    crs
        Projection of the coordinates, as the caller says; established from the file when not given.

    Returns
    -------
    tuple
        The frame with the published column names, and notes on what had to be settled.

    Raises
    ------
    DataError
        The file is damaged, or its projection cannot be established.
    """
    way_out = f"`qpvgeo doctor {layer.path.name}` names the broken records and judges the rest."
    warned: list[str] = []
    try:
        if layer.is_parquet:
            with _open(layer) as stream:
                frame = gpd.read_parquet(stream)
        else:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                frame = pyogrio.read_dataframe(layer.dataset, layer=layer.name, encoding=layer.encoding)
            warned = sorted({f"GDAL: {warning.message}" for warning in said})
    except _DAMAGE as error:
        raise DataError(f"{layer.label} is damaged: {error}", way_out=way_out) from error
    if lost := _lost_bytes(layer):
        raise DataError(f"{layer.label} is damaged: its last {lost} bytes are missing.", way_out=way_out)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise DataError(f"{layer.label} holds no outlines.", way_out="Give the file of perimeters, not its table.")
    notes = [f"attributes read as {layer.encoding}: the file does not say its encoding"] if layer.encoding else []
    crs, note = (user_crs(crs), []) if crs is not None else settle_crs(frame.crs, frame.total_bounds, where=layer.label)
    if frame.has_z.any():
        frame = frame.set_geometry(frame.geometry.force_2d())
        crs = pyproj.CRS.from_user_input(crs).to_2d()
        notes.append("heights left out")
    return frame.set_crs(crs, allow_override=True), [*notes, *note, *warned]


def _lost_bytes(layer: Layer) -> int:
    """How much of a .shp is missing at its end: GDAL gives features cut off there no outline, and says nothing."""
    if not (layer.member or layer.path.name).lower().endswith(".shp"):
        return 0
    with _open(layer) as stream:
        header = stream.read(_SHP_HEADER_BYTES)
        there: int = stream.seek(0, os.SEEK_END)
    # the header gives the length in words of 16 bits
    return max(0, 2 * int.from_bytes(header[24:28], "big") - there)


def settle_crs(declared: Any, bounds: Any, *, where: str) -> tuple[pyproj.CRS, list[str]]:  # noqa: ANN401
    """Establish the projection of coordinates from what the file declares and from where they are.

    Parameters
    ----------
    declared
        CRS that the file declares, or None.
    bounds
        West, south, east, north of the coordinates.
    where
        What an error calls the file.

    Returns
    -------
    tuple
        The CRS, with its EPSG number where it has one, and notes: empty when the declaration is right.

    Raises
    ------
    DataError
        Nothing is declared, or what is declared is impossible, and the coordinates fit no known system.

    Examples
    --------
    >>> settle_crs("EPSG:4326", (650000, 6860000, 652000, 6863000), where="x.geojson")[0].to_epsg()
    2154
    """
    west, south, east, north = (float(value) for value in bounds)
    if declared is not None and "undefined" in pyproj.CRS.from_user_input(declared).name.lower():
        declared = None  # GeoPackage has two numbers for "not known"
    degrees = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
    if declared is not None:
        crs = pyproj.CRS.from_user_input(declared)
        if not np.isfinite([west, south, east, north]).all():
            return crs, []
        if crs.is_geographic == degrees:
            return _numbered(crs, (west, south, east, north))
    said = (
        Note("formats.declares_nothing")
        if declared is None
        else Note("formats.declares", name=pyproj.CRS.from_user_input(declared).name)
    )
    if degrees and _reaches_france(west, south, east, north):
        return pyproj.CRS.from_epsg(DEGREES), [f"it {said}; its coordinates are degrees, read as EPSG:{DEGREES}"]
    fits = [] if degrees else [epsg for epsg in _UNDECLARED if _in_hexagone(epsg, (west, south, east, north))]
    if fits == [2154]:
        return pyproj.CRS.from_epsg(2154), [f"it {said}; its coordinates fit EPSG:2154 (Lambert-93) alone, read so"]
    if fits:
        raise DataError(
            Note("formats.crs_ambiguous", file=where, said=said, systems=[f"EPSG:{epsg}" for epsg in fits]),
            way_out=Note("formats.choose_crs", crs=f"EPSG:{fits[0]}"),
        )
    corners = [float(f"{value:.6g}") for value in (west, south, east, north)]
    raise DataError(
        Note("formats.crs_unknown", file=where, said=said, bounds=corners), way_out=Note("formats.give_crs")
    )


def user_crs(given: Any) -> pyproj.CRS:  # noqa: ANN401 - whatever pyproj understands
    """Projection that the caller names.

    Raises
    ------
    UsageError
        pyproj does not know it.
    """
    try:
        return pyproj.CRS.from_user_input(given)
    except pyproj.exceptions.CRSError as error:
        raise UsageError(Note("formats.no_such_crs", crs=str(given)), way_out=Note("formats.crs_example")) from error


def _in_hexagone(epsg: int, bounds: tuple[float, float, float, float]) -> bool:
    """Whether metric bounds lie in the hexagone when they are of a projection; corners of a large box stand out."""
    west, south, east, north = bounds
    move = pyproj.Transformer.from_crs(epsg, DEGREES, always_xy=True).transform
    box = territories.get("hexagone").bounds
    x, y = np.array(
        move([(west + east) / 2, west, east, west, east], [(south + north) / 2, south, south, north, north])
    )
    slack = np.array([0.0, *[1.5] * 4])
    return box is not None and bool(
        (x >= box[0] - slack).all()
        and (y >= box[1] - slack).all()
        and (x <= box[2] + slack).all()
        and (y <= box[3] + slack).all()
    )


def _reaches_france(west: float, south: float, east: float, north: float) -> bool:
    """Whether bounds in degrees meet those of a territory: the middle of a national file lies in mid-ocean."""
    boxes = [territory.bounds for territory in territories.territories().values() if territory.bounds]
    return any(west <= box[2] and box[0] <= east and south <= box[3] and box[1] <= north for box in boxes)


def _numbered(crs: pyproj.CRS, bounds: tuple[float, float, float, float]) -> tuple[pyproj.CRS, list[str]]:
    """The same system under its EPSG number, when both put the corners of the layer within a millimetre."""
    number = crs.to_epsg()
    if number is not None:
        return pyproj.CRS.from_epsg(number), []
    corners = ([bounds[0], bounds[2]], [bounds[1], bounds[3]])
    to_degrees = pyproj.Transformer.from_crs(crs, DEGREES, always_xy=True)
    here = np.array(to_degrees.transform(*corners))
    candidates = [t.epsg for t in territories.territories().values()] + [DEGREES, 32620, 4470]
    for epsg in dict.fromkeys(candidates):
        known = pyproj.CRS.from_epsg(epsg)
        if known.is_geographic != crs.is_geographic:
            continue
        there = np.array(pyproj.Transformer.from_crs(known, DEGREES, always_xy=True).transform(*corners))
        if np.isfinite(there).all() and np.abs(there - here).max() < 1e-8:
            return known, [f"the projection has no EPSG number; it is that of EPSG:{epsg}"]
    return crs, [f"the projection has no EPSG number: {crs.name}"]
