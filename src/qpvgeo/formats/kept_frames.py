"""Frames written to GeoParquet and read back the same, to the attributes: notes, records, lists of codes.

A frame that would not come back the same is not written. The file is GeoParquet that any program reads; what pandas and
GeoParquet do not say of a frame stands in its metadata under `qpvgeo.kept`, as JSON: nothing in it is ever executed.
"""

import json
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from qpvgeo.formats import atomic_write
from qpvgeo.frames.provenance import as_record
from qpvgeo.language import Note

__all__ = ["Unkept", "read", "write"]

_META = b"qpvgeo.kept"
_MARK = "~"


class Unkept(Exception):  # noqa: N818 - not an error of the user: the frame is read again next time
    """The frame, or the file, is not of a form that comes back the same."""


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame so that `read` gives it back the same.

    Raises
    ------
    Unkept
        It would not come back the same.
    OSError
        The disk refuses.
    """
    table, about = _as_table(frame)
    try:
        text = json.dumps(about, allow_nan=False)
    except ValueError as error:
        raise Unkept from error
    if not _comes_back(frame, table, json.loads(text)):
        raise Unkept
    metadata = (table.schema.metadata or {}) | {_META: text.encode()}
    if about["geometry"] is not None:
        metadata[b"geo"] = _geo(cast("gpd.GeoDataFrame", frame), about["geometry"])
    kept = table.replace_schema_metadata(metadata)
    atomic_write.replace(path, lambda beside: pq.write_table(kept, beside, compression="lz4"))


def read(path: Path) -> pd.DataFrame:
    """Read a frame that `write` wrote.

    Raises
    ------
    Unkept
        The file is damaged, or another program wrote it.
    OSError
        There is no such file.
    """
    try:
        table = pq.read_table(path, partitioning=None)
        return _as_frame(table, json.loads(table.schema.metadata[_META]))
    except (pa.ArrowException, ValueError, KeyError, TypeError, shapely.errors.GEOSException) as error:
        raise Unkept from error


def _as_table(frame: pd.DataFrame) -> tuple[pa.Table, dict[str, Any]]:
    """Columns as Arrow holds them, and what it does not say of them."""
    geometries = [str(name) for name, dtype in frame.dtypes.items() if dtype == "geometry"]
    active = frame.geometry.name if isinstance(frame, gpd.GeoDataFrame) and geometries else None
    if geometries != ([] if active is None else [active]) or not frame.columns.is_unique:
        raise Unkept
    plain = pd.DataFrame(frame).copy(deep=False)
    lists: list[str] = []
    texts: list[str] = []
    plain.attrs = {}
    crs = None
    if active is not None:
        located = cast("gpd.GeoDataFrame", frame)
        crs = located.crs.to_wkt() if located.crs is not None else None
        plain[active] = pd.Series(
            shapely.to_wkb(located.geometry.to_numpy(), flavor="iso", output_dimension=4), frame.index, dtype="object"
        )
    for name in (name for name, dtype in frame.dtypes.items() if dtype == "object" and name != active):
        if any(isinstance(cell, list) for cell in frame[name]):
            lists.append(name)
        elif any(type(cell) is not str for cell in frame[name].dropna()):
            raise Unkept
        else:
            texts.append(name)
    try:
        table = pa.Table.from_pandas(plain, preserve_index=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise Unkept from error
    about = {
        "geometry": active,
        "crs": crs,
        "lists": lists,
        "texts": texts,
        "index": None if isinstance(frame.index, pd.MultiIndex) else str(frame.index.dtype),
        "attrs": {k: _plain(v) for k, v in frame.attrs.items()},
    }
    return table, about


def _as_frame(table: pa.Table, about: dict[str, Any]) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    if about["index"] not in (None, str(frame.index.dtype)):
        # labels of no row: pandas 3.0.0 gives objects
        frame.index = frame.index.astype(about["index"])
    for name in about["lists"]:
        cells = [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in frame[name]]
        frame[name] = pd.Series(cells, index=frame.index, dtype="object")
    for name in about["texts"]:
        cells = [None if pd.isna(cell) else cell for cell in frame[name]]
        frame[name] = pd.Series(cells, index=frame.index, dtype="object")
    if (active := about["geometry"]) is not None:
        shapes = shapely.from_wkb(frame[active].to_numpy())
        crs = None if about["crs"] is None else pyproj.CRS.from_wkt(about["crs"])
        frame = gpd.GeoDataFrame(frame.assign(**{active: gpd.GeoSeries(shapes, index=frame.index)}), geometry=active)
        if crs is not None:
            frame = frame.set_crs(crs)
    frame.attrs = {name: _restored(value) for name, value in about["attrs"].items()}
    return frame


def _comes_back(frame: pd.DataFrame, table: pa.Table, about: dict[str, Any]) -> bool:
    """Whether what is written is the frame; outlines are, for WKB holds every bit of them."""
    name, crs = about["geometry"], about["crs"]
    if name is None:
        return _same(_as_frame(table, about), frame)
    read = crs and pyproj.CRS.from_wkt(crs)
    kept = read is None or (read == cast("gpd.GeoDataFrame", frame).crs and read.to_wkt() == crs)
    rest = pd.DataFrame(frame).drop(columns=[name])
    rest.attrs = frame.attrs
    return kept and _same(_as_frame(table.drop_columns([name]), about | {"geometry": None}), rest)


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two frames are the same to the last bit, with their names, types and attributes."""
    if type(one) is not type(other) or not one.dtypes.equals(other.dtypes) or one.attrs != other.attrs:
        return False
    if list(one.index.names) != list(other.index.names) or one.columns.dtype != other.columns.dtype:
        return False
    if (
        not one.index.equals(other.index)
        or one.index.dtype != other.index.dtype
        or not one.columns.equals(other.columns)
    ):
        return False
    return all(
        _cells(one[name]) == _cells(other[name]) if one[name].dtype == "object" else one[name].equals(other[name])
        for name in one
    )


def _cells(column: pd.Series) -> list[Any]:
    """Cells of a column of objects, so that None, NaN and NA differ."""
    return [(type(cell).__name__, None if not isinstance(cell, list) and pd.isna(cell) else cell) for cell in column]


def _geo(frame: gpd.GeoDataFrame, name: str) -> bytes:
    """Metadata of GeoParquet 1.1."""
    kinds = sorted({str(kind) for kind in frame.geometry.geom_type.dropna().unique()})
    kinds += [f"{kind} Z" for kind in kinds] if bool(frame.geometry.has_z.any()) else []
    column = {"encoding": "WKB", "geometry_types": kinds, "crs": frame.crs.to_json_dict() if frame.crs else None}
    return json.dumps({"version": "1.1.0", "primary_column": name, "columns": {name: column}}).encode()


def _plain(value: Any) -> Any:  # noqa: ANN401 - what attributes hold
    """A value as JSON, with a mark on what JSON does not know."""
    if isinstance(value, Note):
        return {_MARK: "note", "key": value.key, "values": {name: _plain(one) for name, one in value.values.items()}}
    if value is None or type(value) in (str, bool, int, float):
        return value
    if type(value) in (list, tuple):
        cells = [_plain(one) for one in value]
        return cells if type(value) is list else {_MARK: "tuple", "cells": cells}
    if isinstance(value, dict) and all(type(name) is str and name != _MARK for name in value):
        entries = {name: _plain(one) for name, one in value.items()}
        return entries if type(value) is dict else {_MARK: "record", "entries": entries}
    if isinstance(value, np.generic):
        return {_MARK: "number", "type": str(value.dtype), "value": _plain(value.item())}
    raise Unkept


def _restored(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_restored(one) for one in value]
    if not isinstance(value, dict):
        return value
    mark = value.get(_MARK)
    if mark == "note":
        return Note(value["key"], **{name: _restored(one) for name, one in value["values"].items()})
    if mark == "tuple":
        return tuple(_restored(one) for one in value["cells"])
    if mark == "number":
        return np.dtype(value["type"]).type(value["value"])
    entries = value["entries"] if mark == "record" else value
    restored = {name: _restored(one) for name, one in entries.items()}
    return as_record(restored) if mark == "record" else restored
