"""Points in Arrow tables: columns of coordinates, GeoArrow points as they are, and points in WKB by their bytes.

Source: GeoArrow specification, geoarrow.org: `geoarrow.point`, separated or interleaved, and `geoarrow.wkb`, with the
CRS in the metadata of the column; GeoParquet 1.1, whose metadata stay with a table that pyarrow reads.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyproj
import shapely

from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats.geoparquet import geo_column
from qpvgeo.frames.interchange import frame_of
from qpvgeo.language import Note
from qpvgeo.tagging.coordinates import Coordinates, coordinates_of, require_points, settled_crs
from qpvgeo.tagging.locations import Location
from qpvgeo.tagging.point_shapes import coordinates_of_shapes

__all__ = ["points_of_arrow"]

_EXTENSION, _ABOUT = b"ARROW:extension:name", b"ARROW:extension:metadata"
_POINT, _WKB = ("geoarrow.point", ("geoarrow.wkb", "ogc.wkb"))
_WKB_POINT = 21
"""Bytes of a point in two dimensions: their order, its kind, two numbers."""

Floats = npt.NDArray[np.float64]


def points_of_arrow(table: pa.Table, xy: Any, crs: Any, beside: Iterable[str]) -> tuple[pd.DataFrame, Coordinates]:  # noqa: ANN401
    """Columns of an Arrow table that stand beside the coordinates, and the coordinates.

    Parameters
    ----------
    table
        Points: a column of GeoArrow, else columns as those of a DataFrame.
    xy, crs
        As for `qpvgeo.tag_points`.
    beside
        Names of other columns that are asked for; those that are not there are left to who asks.

    Raises
    ------
    DataError, UsageError
        As for `coordinates_of`.
    """
    names = table.column_names
    held = [name for name in beside if name in names]
    shapes = _shapes(table.schema, xy)
    if shapes is not None:
        return frame_of(table, held).set_axis(pd.RangeIndex(len(table))), _of_geoarrow(table, shapes, crs)
    # an error lists all the names
    where = Location.of(names, xy, crs)
    if where is None:
        coordinates_of(frame_of(table.slice(0, 0)), xy=xy, crs=crs)
    assert where is not None  # noqa: S101 - it was refused
    wanted = [*where.columns, *([] if where.crs_column is None else [where.crs_column])]
    frame = frame_of(table, [*wanted, *held])
    return frame, coordinates_of(frame, xy=xy, crs=crs)


def _shapes(schema: pa.Schema, xy: Any) -> int | None:  # noqa: ANN401
    """Position of the column of shapes that is named, or is the only one; None for none."""
    found = {at: field.name for at, field in enumerate(schema) if _kind(field)[0] in (_POINT, *_WKB)}
    declared = geo_column(schema)
    found = found or {
        at: field.name
        for at, field in enumerate(schema)
        if _is_binary(field.type) and field.name in (xy, "geometry" if declared is None else declared.name)
    }
    if xy is not None:
        return next((at for at, name in found.items() if name == xy), None)
    if len(found) > 1:
        raise UsageError(
            Note("tagging.several_geometries", columns=list(found.values())), way_out=Note("tagging.name_the_geometry")
        )
    return next(iter(found), None)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view())


def _kind(field: pa.Field) -> tuple[str, dict[str, Any]]:
    """Name of the GeoArrow type of a column, and what its metadata say; an empty name for another column."""
    if isinstance(field.type, pa.BaseExtensionType):
        name, about = field.type.extension_name, field.type.__arrow_ext_serialize__()
    else:
        held = field.metadata or {}
        name, about = held.get(_EXTENSION, b"").decode(), held.get(_ABOUT, b"")
    try:
        read = json.loads(about or b"{}")
    except ValueError:
        read = {}
    return name, read if isinstance(read, dict) else {}


def _of_geoarrow(table: pa.Table, at: int, crs: Any) -> Coordinates:  # noqa: ANN401
    field = table.schema.field(at)
    kind, about = _kind(field)
    own, declared = about.get("crs"), geo_column(table.schema)
    if own is not None:
        own = pyproj.CRS.from_json_dict(dict(own)) if isinstance(own, Mapping) else pyproj.CRS.from_user_input(own)
    elif declared is not None and declared.name == field.name:
        own = declared.crs
    found = settled_crs(own, crs)
    parts = [_of_chunk(chunk, kind, field.name) for chunk in table.column(at).chunks]
    x, y = (np.concatenate([np.empty(0), *(part[axis] for part in parts)]) for axis in (0, 1))
    return Coordinates(x, y, found, pd.RangeIndex(len(table)), np.empty(0, np.intp))


def _of_chunk(chunk: pa.Array, kind: str, name: str) -> tuple[Floats, Floats]:
    """Coordinates of a chunk, NaN where it has none."""
    if isinstance(chunk, pa.ExtensionArray):
        chunk = chunk.storage
    if kind != _POINT:
        return _of_wkb(chunk)
    if pa.types.is_struct(chunk.type) and {"x", "y"} <= {field.name for field in chunk.type}:
        x, y = (np.asarray(chunk.field(axis).to_numpy(zero_copy_only=False), dtype=float) for axis in ("x", "y"))
    elif pa.types.is_fixed_size_list(chunk.type) and chunk.type.list_size >= 2:
        size = chunk.type.list_size
        flat = chunk.values.slice(chunk.offset * size, len(chunk) * size).to_numpy(zero_copy_only=False)
        x, y = (np.ascontiguousarray(flat[axis::size], dtype=float) for axis in (0, 1))
    else:
        raise DataError(Note("tagging.shapes_unknown_form", column=name, form=str(chunk.type)))
    if chunk.null_count:
        none = chunk.is_null().to_numpy(zero_copy_only=False)
        x, y = np.where(none, np.nan, x), np.where(none, np.nan, y)
    return x, y


def _of_wkb(chunk: pa.Array) -> tuple[Floats, Floats]:
    """Coordinates of shapes in WKB: by their bytes where all are plain points, else shape by shape."""
    chunk = chunk.cast(pa.large_binary())
    if not chunk.null_count and len(chunk):
        ends = np.frombuffer(chunk.buffers()[1], np.int64, len(chunk) + 1, 8 * chunk.offset)
        if ends[-1] - ends[0] == _WKB_POINT * len(chunk) and (np.diff(ends) == _WKB_POINT).all():
            of = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
            found = np.frombuffer(chunk.buffers()[2], of, len(chunk), int(ends[0]))
            if (found["order"] == 1).all() and (found["kind"] == 1).all():
                return np.ascontiguousarray(found["x"]), np.ascontiguousarray(found["y"])
    shapes = shapely.from_wkb(chunk.to_numpy(zero_copy_only=False))
    x, y, others = coordinates_of_shapes(shapes)
    require_points(shapes, others, range(len(shapes)))
    return x, y
