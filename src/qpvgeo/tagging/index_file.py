"""Saved indexes of perimeters: arrays and a description, no code, so that reading one is safe.

A file carries its form, its version, and the hash of its content: one that was cut short, altered or written by another
program is refused. The hash is the file's own, so the arrays are checked against each other too.
"""

import hashlib
import json
import lzma
import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.formats.atomic_write import replace, writing
from qpvgeo.geometry.boundary_distance import BoundaryDistance
from qpvgeo.geometry.point_location import Frame, PointGrid
from qpvgeo.language import Note
from qpvgeo.tagging.index_layer import IndexLayer
from qpvgeo.tagging.options import WIDEST_M

__all__ = ["VERSION", "again", "read", "write"]

_FORMAT = "qpvgeo perimeter index"
VERSION = 6
"""Form of the file: it grows with what is written."""

_KEPT = {"grid": ("coarse", "fine", "start", "held"), "boundaries": ("coarse", "fine", "start", "near", "far", "edges")}
_TILE_CELLS = 1 << 10
_EDGE_ROWS, _EDGE_AREA = 6, 4
_AREAL = (3, 6)  # how shapely numbers Polygon and MultiPolygon

_DAMAGE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    OSError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tokenize.TokenError,
    shapely.errors.ShapelyError,
)
"""What zipfile, numpy, json and shapely raise on bytes that are not those of an index."""

Arrays = Mapping[str, npt.NDArray[Any]]


def again() -> Note:
    """Way out of a file that cannot be used."""
    return Note("tagging.build_again")


def write(path: Path, layers: Iterable[IndexLayer], reach_m: float, about: Mapping[str, Any]) -> None:
    """Write layers, their grids, and their description.

    Parameters
    ----------
    path
        File to write: beside, then renamed.
    layers
        Perimeters of each territory and vintage.
    reach_m
        Greatest distance measured, metres.
    about
        Further description, as plain JSON values.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    described_layers = []
    for number, layer in enumerate(layers):
        layer.expect(np.inf)
        described_layers.append(
            {
                "territory": layer.territory,
                "vintage": layer.vintage,
                "codes": layer.codes.tolist(),
                "names": layer.names,
                "communes": layer.communes,
                "lost": None if layer.lost is None else shapely.to_wkb(layer.lost, hex=True),
            }
        )
        wkb = shapely.to_wkb(layer.areas)
        arrays[f"{number}.wkb"] = np.frombuffer(b"".join(wkb), np.uint8)
        arrays[f"{number}.ends"] = np.cumsum([len(one) for one in wkb])
        parts: dict[str, PointGrid | BoundaryDistance] = {"grid": layer.grid, "boundaries": layer.boundaries(reach_m)}
        for name, part in parts.items():
            arrays[f"{number}.{name}.frame"] = np.array(astuple(part.frame))
            arrays |= {f"{number}.{name}.{key}": getattr(part, key) for key in _KEPT[name]}
    head = {"format": _FORMAT, "version": VERSION, "content": _content(described_layers, arrays)}
    described = json.dumps(head | {"layers": described_layers, "reach_m": reach_m} | dict(about))
    arrays["about"] = np.frombuffer(described.encode(), np.uint8)

    def pack(beside: Path) -> None:
        # an ordinary file with the usual permissions: colleagues may read it
        with beside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())

    with writing(path):
        replace(path, pack)


def read(path: Path) -> tuple[dict[str, Any], list[IndexLayer]]:
    """Description and layers that `write` wrote.

    Raises
    ------
    MissingDataError
        There is no such file.
    DataError
        It is not an index, is damaged or crafted, cannot be read, or has another form (that of qpvgeo 0.1.0 is 4).
    """
    if path.is_dir():
        raise DataError(Note("tagging.index_is_a_folder", file=path.name), way_out=again())
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop("about").tobytes())
    except FileNotFoundError as error:
        raise MissingDataError(Note("tagging.no_such_index", file=str(path)), way_out=again()) from error
    except PermissionError as error:
        raise DataError(Note("tagging.index_unreadable", file=path.name, why=str(error.strerror))) from error
    except MemoryError as error:
        raise DataError(Note("tagging.index_too_large", file=path.name), way_out=again()) from error
    # what numpy says of other files is of no use to those who gave a table
    except _DAMAGE as error:
        raise DataError(Note("tagging.not_an_index", file=path.name), way_out=again()) from error
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise DataError(Note("tagging.not_an_index", file=path.name), way_out=again())
    if about.get("version") != VERSION:
        raise DataError(
            Note("tagging.index_version", file=path.name, found=str(about.get("version")), reads=VERSION),
            way_out=again(),
        )
    try:
        whole = about["content"] == _content(about["layers"], arrays)
        layers = _layers(about, arrays) if whole else []
    except _DAMAGE as error:
        raise DataError(Note("tagging.index_damaged", file=path.name), way_out=again()) from error
    if not whole:
        raise DataError(Note("tagging.index_damaged", file=path.name), way_out=again())
    return about, layers


def _content(layers: Any, arrays: Arrays) -> str:  # noqa: ANN401 - plain JSON
    """SHA-256 of everything in a file but its own description."""
    found = hashlib.sha256(json.dumps(layers).encode())
    for name in sorted(arrays):
        found.update(name.encode())
        found.update(np.ascontiguousarray(arrays[name]).data.cast("B") if arrays[name].size else b"")
    return found.hexdigest()


def _require(condition: Any) -> None:  # noqa: ANN401 - what is true or false
    if not condition:
        raise ValueError


def _layers(about: Mapping[str, Any], arrays: Arrays) -> list[IndexLayer]:
    """Layers of a description, every part checked; a ValueError, or the like, for what `write` never wrote."""
    _require(isinstance(about["reach_m"], float) and 0 <= about["reach_m"] <= WIDEST_M)
    _require(isinstance(about["digest"], str) and isinstance(about["fictional"], bool))
    _require(all(isinstance(one, dict) for name in ("files", "partial") for one in about[name]))
    _require(
        all(
            isinstance(note["listed"], list) and {"count", "territory", "year"} <= set(note)
            for note in about["partial"]
        )
    )
    _require(isinstance(about["files"], list) and isinstance(about["without_outline"], list))
    _require(all(isinstance(count, int) for note in about["partial"] for count in (note["count"], *note["listed"])))
    _require(all(note["listed"] for note in about["partial"]))
    _require(all(isinstance(label, str) for label in about["without_outline"]))
    layers = []
    for number, one in enumerate(about["layers"]):
        own = {name.partition(".")[2]: array for name, array in arrays.items() if name.partition(".")[0] == str(number)}
        layers.append(_layer(one, own, about["reach_m"]))
    _require(layers)
    _require(len({(layer.territory, layer.vintage) for layer in layers}) == len(layers))
    return layers


def _layer(about: Mapping[str, Any], arrays: Arrays, reach: float) -> IndexLayer:
    _require(about["territory"] in territories.territories())
    _require(about["vintage"] is None or type(about["vintage"]) is int)
    many = len(about["codes"])
    _require(many and isinstance(about["codes"], list) and all(isinstance(code, str) for code in about["codes"]))
    for name in ("names", "communes"):
        _require(
            isinstance(about[name], list)
            and len(about[name]) == many
            and all(isinstance(text, str | None) for text in about[name])
        )
    text, ends = arrays["wkb"].tobytes(), arrays["ends"].tolist()
    _require(len(ends) == many and ends[-1] == len(text) and ends == sorted(ends) and ends[0] > 0)
    areas = shapely.from_wkb([text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)])
    _require(np.isin(shapely.get_type_id(areas), _AREAL).all() and np.isfinite(shapely.get_coordinates(areas)).all())
    lost = about["lost"]
    grid, boundaries = _grid(arrays, many), _boundaries(arrays, many)
    return IndexLayer(
        about["territory"],
        about["vintage"],
        about["codes"],
        areas,
        names=about["names"],
        communes=about["communes"],
        lost=None if lost is None else shapely.from_wkb(lost),
        grid=PointGrid(areas, **grid),
        boundaries=BoundaryDistance(reach, **boundaries),
    )


def _grid(arrays: Arrays, many: int) -> dict[str, Any]:
    """Parts of a location grid whose numbers lead nowhere else."""
    found = _tiles(arrays, "grid")
    start, held = (_whole(arrays[f"grid.{name}"]) for name in ("start", "held"))
    cells = len(start) - 1
    _require(cells >= 0 and start[0] == 0 and start[-1] == len(held) and (np.diff(start) >= 0).all())
    _require(((held >= 0) & (held < many)).all())
    _require(((found["fine"] >= -cells) & (found["fine"] <= many)).all())
    return found | {"start": start, "held": held}


def _boundaries(arrays: Arrays, many: int) -> dict[str, Any]:
    """Parts of a distance grid whose numbers lead nowhere else."""
    found = _tiles(arrays, "boundaries")
    start, near, far, edges = (arrays[f"boundaries.{name}"] for name in ("start", "near", "far", "edges"))
    start, near = _whole(start), _whole(near)
    _require(edges.ndim == 2 and len(edges) == _EDGE_ROWS and edges.dtype == np.float64 and np.isfinite(edges).all())
    _require(((edges[_EDGE_AREA] >= 0) & (edges[_EDGE_AREA] < many)).all())
    _require(len(start) and start[0] == 0 and start[-1] == len(near) and (np.diff(start) > 0).all())
    _require(((near >= 0) & (near < edges.shape[1])).all())
    _require(far.shape == near.shape and far.dtype == np.float32 and np.isfinite(far).all())
    _require(((found["fine"] >= 0) & (found["fine"] < len(start))).all())
    return found | {"start": start, "near": near, "far": far, "edges": edges}


def _tiles(arrays: Arrays, name: str) -> dict[str, Any]:
    x, y, cell, columns, rows = arrays[f"{name}.frame"].tolist()
    frame = Frame(x, y, cell, int(columns), int(rows))
    _require(np.isfinite([x, y, cell]).all() and cell > 0 and frame.columns > 0 and frame.rows > 0)
    coarse, fine = _whole(arrays[f"{name}.coarse"]), _whole(arrays[f"{name}.fine"])
    tiles, rest = divmod(len(fine), _TILE_CELLS)
    _require(rest == 0 and len(coarse) == frame.columns * frame.rows)
    _require(((coarse >= -1) & (coarse < tiles)).all())
    return {"frame": frame, "coarse": coarse, "fine": fine}


def _whole(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An array of whole numbers in one dimension."""
    _require(array.ndim == 1 and array.dtype.kind == "i")
    return array
