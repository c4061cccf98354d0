"""Layers of points, and sheets of workbooks, a batch of rows at a time, as `table_stream` gives CSV and Parquet.

GDAL gives a layer as a stream of Arrow, and the shapes of it come as WKB, described as GeoParquet describes them. A
workbook is read whole, for a sheet has no more than a million rows.
"""

import codecs
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely

from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats import vector_layers, workbooks
from qpvgeo.formats.gdal import gdal
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.settled_crs import settle_crs, user_crs
from qpvgeo.formats.table_batches import Batch, Whole
from qpvgeo.formats.text_tables import notes_of, read_table
from qpvgeo.formats.vector_forms import parts_of
from qpvgeo.formats.vector_layers import Layer
from qpvgeo.language import Note

__all__ = ["LAYER_SUFFIXES", "WORKBOOK_SUFFIXES", "FrameTable", "LayerTable"]

LAYER_SUFFIXES = (*(ending for ending in vector_layers.SUFFIXES if "parquet" not in ending), *vector_layers.ARCHIVES)
"""Endings of files of layers, and of their archives."""

WORKBOOK_SUFFIXES = (".xlsx", ".xls", ".ods", ".dbf")

_WORKBOOKS = (b"PK", b"\xd0\xcf")

_ROWS = 1 << 17
_GDAL_ROWS = 1 << 16
_SOUND = {"OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES"}
"""The own stream of FlatGeobuf loses its offsets at a feature without shape (GDAL 3.12)."""

_POINTS = (0, 4)
"""Points and multipoints, as shapely numbers them."""


@dataclass(frozen=True, slots=True)
class LayerTable:
    """A layer of points: its attributes, then its shapes as WKB.

    Attributes
    ----------
    path
        The file.
    layer
        The layer in it.
    schema
        Its columns and their types; the metadata describe the shapes as those of GeoParquet do.
    notes
        What had to be settled.
    rows
        Rows of a batch that keep memory flat.
    """

    path: Path
    layer: Layer
    schema: pa.Schema
    notes: tuple[str, ...] = ()
    rows: int = _ROWS

    @property
    def parts(self) -> tuple[Path, ...]:
        """Files that the layer is made of: those of a shapefile are several."""
        if self.layer.suffix != ".shp" or self.layer.member is not None:
            return (self.path,)
        return tuple(sorted(parts_of(self.path)))

    @classmethod
    def open(cls, path: Path, layer: str | None = None, crs: Any = None) -> "LayerTable":  # noqa: ANN401
        """Find the one layer of points of a file, or the one named, and settle its projection.

        Parameters
        ----------
        path
            The file.
        layer
            Name of the layer.
        crs
            Projection of a layer that declares none, or one that cannot be.

        Raises
        ------
        DataError
            No layer holds points: says what they hold.
        UsageError
            Several do, or none has the name given: lists them.
        """
        found = vector_layers.chosen(vector_layers.layers(path), layer, where=path.name)
        streamed = [one for one in found if not (one.is_parquet or one.is_table)]
        fit = [one for one in streamed if _may_hold_points(one)]
        if not fit:
            raise DataError(
                Note("formats.no_points", file=path.name),
                problems=[
                    Note("formats.layer_holds", layer=one.label if one.name is None else one.name, shape=one.shape)
                    for one in found
                ],
                way_out=Note("formats.points_of_shapes" if found else "formats.unpack_or_export"),
            )
        if len(fit) > 1:
            raise UsageError(
                Note("formats.several_layers_of_points", file=path.name, count=len(fit)),
                problems=[Note("formats.layer_rows", layer=_name(one, fit), rows=one.features) for one in fit],
                way_out=Note("formats.name_one_layer", layer=_name(fit[0], fit)),
            )
        (one,) = fit
        vector_layers.require_whole(one)
        own, settled = _projection(one, crs)
        others = [_name(other, found) for other in found if other is not one]
        notes = [Note("formats.layer_taken", layer=_name(one, found), others=others)] if others else []
        encoding = one.written or one.encoding
        notes += [Note("formats.read_as", encoding=encoding)] if encoding not in (None, "utf-8") else []
        return cls(path, one, _described(one, own), (*notes, *settled))

    def batches(self, look: Sequence[str], rows: int, whole: Whole) -> Iterator[Batch]:
        """Rows in order, so many at a time."""
        names = list(look) if whole == "nothing" else self.schema.names
        done = 0
        with foreign(self.layer.label, way_out=Note("formats.doctor_names_records", file=self.path.name)):
            for table in _so_many(self._streamed(names), rows):
                done += table.num_rows
                kept = None if whole == "nothing" else table.select(self.schema.names)
                bare = table.select(list(look)).replace_schema_metadata(None)
                share = min(done / max(self.layer.features, 1), 1.0)
                yield Batch(bare, kept, np.zeros(table.num_rows, dtype=bool), share)
        if done < self.layer.features:
            raise DataError(
                Note("formats.fewer_features", file=self.layer.label, announced=self.layer.features, read=done),
                way_out=Note("formats.doctor_names_records", file=self.path.name),
            )

    def _streamed(self, names: Sequence[str]) -> Iterator[pa.Table]:
        shapes = self.schema.names[-1]
        fields = pa.schema([self.schema.field(name) for name in names])
        for table in _stream(self.layer, [name for name in names if name != shapes], shapes=shapes in names):
            held = [*table.column_names[:-1], shapes] if shapes in names else table.column_names
            columns = table.rename_columns(held).select(list(names)).columns
            yield pa.Table.from_arrays([_bare(column) for column in columns], schema=fields)


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """A sheet of a workbook, or a table of dBASE, read whole as text.

    Attributes
    ----------
    path
        The file.
    schema
        Its columns, all of them text.
    table
        Its rows.
    notes
        Which sheet was read, of several, and how.
    rows
        Rows of a batch.
    """

    path: Path
    schema: pa.Schema
    table: pa.Table
    notes: tuple[str, ...] = ()
    rows: int = _ROWS

    @property
    def parts(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    @classmethod
    def open(cls, path: Path, sheet: str | None = None, expect: Iterable[Collection[str]] = ()) -> "FrameTable":
        """Read the sheet named, or the one that has the columns of coordinates.

        Parameters
        ----------
        path
            The workbook.
        sheet
            Its sheet.
        expect
            Sets of columns, one of which makes a sheet one of points.

        Raises
        ------
        UsageError
            Several sheets have them: lists these.
        """
        with foreign(path.name):
            raw = path.read_bytes()
            titles = [one.title for one in workbooks.sheets(raw, path.name)] if raw[:2] in _WORKBOOKS else []
        is_wide = raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        notes: list[str] = [Note("formats.written_anew", encoding="UTF-16")] if is_wide else []
        if sheet is None and len(titles) > 1:
            fit = [title for title in titles if _fits(path, title, expect)]
            if len(fit) > 1:
                raise UsageError(
                    Note("formats.several_sheets_of_points", file=path.name, count=len(fit)),
                    problems=fit,
                    way_out=Note("formats.name_one_layer", layer=fit[0]),
                )
            if fit:
                sheet = fit[0]
                others = [title for title in titles if title != sheet]
                notes.append(Note("formats.layer_taken", layer=sheet, others=others))
        frame = _sheet(path, sheet, expect)
        notes += notes_of(frame)
        text = pa.Table.from_arrays(
            [pa.array([None if pd.isna(cell) else str(cell) for cell in frame[name]], pa.string()) for name in frame],
            schema=pa.schema([(str(name), pa.string()) for name in frame]),
        )
        return cls(path, text.schema, text, tuple(notes))

    def batches(self, look: Sequence[str], rows: int, whole: Whole) -> Iterator[Batch]:
        """Rows in order, so many at a time."""
        for start in range(0, self.table.num_rows, rows):
            part = self.table.slice(start, rows)
            share = (start + part.num_rows) / self.table.num_rows
            kept = None if whole == "nothing" else part
            yield Batch(part.select(list(look)), kept, np.zeros(part.num_rows, dtype=bool), share)


def _name(layer: Layer, among: Sequence[Layer]) -> str:
    """Name that tells a layer from the others: its own, or that of its member of an archive."""
    name = layer.name or layer.label
    alike = sum((one.name or one.label) == name for one in among)
    return name if alike == 1 or layer.member is None else layer.member


def _may_hold_points(layer: Layer) -> bool:
    """Whether a layer holds points by what it announces, or has one where it announces nothing."""
    if "Point" in layer.shape:
        return True
    if layer.shape not in ("Unknown", "GeometryCollection"):
        return False
    with foreign(layer.label):
        return layer.features == 0 or any(
            np.isin(shapely.get_type_id(_shapes(table)), _POINTS).any() for table in _stream(layer, [], shapes=True)
        )


def _shapes(table: pa.Table) -> Any:  # noqa: ANN401 - an array of shapes
    return shapely.from_wkb(_bare(table.columns[-1]).to_numpy(zero_copy_only=False), on_invalid="ignore")


def _stream(layer: Layer, fields: Sequence[str], *, shapes: bool) -> Iterator[pa.Table]:
    """Rows of a layer as Arrow, attributes first, then the shapes."""
    gdal().set_gdal_config_options(_SOUND)
    with gdal().open_arrow(
        layer.dataset,
        layer=layer.name,
        encoding=layer.encoding,
        columns=list(fields),
        read_geometry=shapes,
        batch_size=_GDAL_ROWS,
        use_pyarrow=True,
    ) as (about, reader):
        own = about["geometry_name"] or "wkb_geometry"
        for batch in reader:
            table = pa.Table.from_batches([batch])
            # what GDAL gives may be broken, and pyarrow would believe it
            table.validate(full=True)
            if shapes and table.column_names[-1] != own:
                at = len(table.column_names) - 1 - table.column_names[::-1].index(own)
                table = table.select([*(k for k in range(table.num_columns) if k != at), at])
            yield table


def _described(layer: Layer, crs: pyproj.CRS | None) -> pa.Schema:
    """Columns of a layer, its shapes last, with the metadata of GeoParquet."""
    with (
        foreign(layer.label),
        gdal().open_arrow(layer.dataset, layer=layer.name, encoding=layer.encoding, use_pyarrow=True) as (
            about,
            reader,
        ),
    ):
        held = reader.schema
        own = about["geometry_name"] or "wkb_geometry"
    last = len(held) - 1 - held.names[::-1].index(own)
    fields = [
        pa.field(field.name, field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type)
        for place, field in enumerate(held)
        if place != last
    ]
    taken = {field.name for field in fields}
    name = about["geometry_name"] or "geometry"
    while name in taken:
        name += "_"
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": [],
        "crs": None if crs is None else crs.to_json_dict(),
    }
    geo = {"version": "1.1.0", "primary_column": name, "columns": {name: column}}
    return pa.schema([*fields, pa.field(name, pa.binary())], metadata={"geo": json.dumps(geo)})


def _projection(layer: Layer, given: Any) -> tuple[pyproj.CRS | None, list[str]]:  # noqa: ANN401
    """Projection that the coordinates are in; None where it cannot be established and is not given."""
    declared, bounds = vector_layers.extent(layer)
    try:
        with foreign(layer.label):
            crs, notes = settle_crs(declared, bounds, where=layer.label)
    except DataError:
        if given is not None:
            return user_crs(given), []
        if declared is None:
            return None, []
        raise
    # the word of the user comes before what was concluded from the coordinates
    return (user_crs(given), []) if notes and given is not None else (crs.to_2d(), notes)


def _bare(column: Any) -> Any:  # noqa: ANN401 - an Arrow column
    """Column without the extension type that a package may have registered for it."""
    if not isinstance(column.type, pa.BaseExtensionType):
        return column
    chunks = [chunk.storage for chunk in column.chunks]
    return pa.chunked_array(chunks, column.type.storage_type)


def _so_many(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows, so many in each table but the last."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        while sum(one.num_rows for one in held) >= rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, rows).combine_chunks()
            held = [whole.slice(rows)]
    if any(one.num_rows for one in held):
        yield pa.concat_tables(held).combine_chunks()


def _fits(path: Path, title: str, expect: Iterable[Collection[str]]) -> bool:
    try:
        read_table(path, sheet=title, expect=expect)
    except DataError:
        return False
    return True


def _sheet(path: Path, sheet: str | None, expect: Iterable[Collection[str]]) -> pd.DataFrame:
    """Rows of a sheet, by the header that has coordinates where there is one."""
    expect = list(expect)
    if expect and (sheet is not None) and _fits(path, sheet, expect):
        return read_table(path, sheet=sheet, expect=expect)
    if expect and sheet is None:
        try:
            return read_table(path, expect=expect)
        except DataError:
            pass
    return read_table(path, sheet=sheet)
