"""Files that keep an index of perimeters: arrays and a description, no code, so that reading one is safe.

A file says its form and its version, and the hash of all that it holds: one that was cut short, altered or written by
another program is refused, never half read.
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

from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.formats.atomic_write import replace, writing
from qpvgeo.geometry.boundary_distance import Limits
from qpvgeo.geometry.point_location import Frame, PointGrid
from qpvgeo.tagging.index_layer import Layer

__all__ = ["AGAIN", "read", "write"]

AGAIN = "Build it again: PerimeterIndex(qpv).save(path)."
"""Way out of a file that cannot be used."""

_FORMAT = "qpvgeo perimeter index"
_VERSION = 4
_KEPT = {"grid": ("coarse", "fine", "start", "held"), "limits": ("coarse", "fine", "start", "near", "edges")}

_DAMAGE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tokenize.TokenError,
)
"""What zipfile and numpy raise on bytes that no index holds."""

Arrays = Mapping[str, npt.NDArray[Any]]


def write(path: Path, layers: Iterable[Layer], reach_m: float, about: Mapping[str, Any]) -> None:
    """Write layers, with what answers in or out and distances, and what is known of them.

    Parameters
    ----------
    path
        File to write: beside, then renamed.
    layers
        Perimeters of each territory and vintage.
    reach_m
        Greatest distance that can be asked for.
    about
        What else is known, as plain JSON values.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    told = []
    for number, layer in enumerate(layers):
        layer.expect(np.inf)
        told.append({"territory": layer.territory, "vintage": layer.vintage, "codes": layer.codes.tolist()})
        wkb = shapely.to_wkb(layer.areas)
        arrays[f"{number}.wkb"] = np.frombuffer(b"".join(wkb), np.uint8)
        arrays[f"{number}.ends"] = np.cumsum([len(one) for one in wkb])
        parts: dict[str, PointGrid | Limits] = {"grid": layer.grid, "limits": layer.limits(reach_m)}
        for name, part in parts.items():
            arrays[f"{number}.{name}.frame"] = np.array(astuple(part.frame))
            arrays |= {f"{number}.{name}.{key}": getattr(part, key) for key in _KEPT[name]}
    head = {"format": _FORMAT, "version": _VERSION, "content": _content(told, arrays)}
    described = json.dumps(head | {"layers": told, "reach_m": reach_m} | dict(about))
    arrays["about"] = np.frombuffer(described.encode(), np.uint8)

    def pack(beside: Path) -> None:
        # a plain file, with the rights of any other: colleagues may read it
        with beside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())

    with writing(path):
        replace(path, pack)


def read(path: Path) -> tuple[dict[str, Any], list[Layer]]:
    """Description and layers that `write` wrote.

    Raises
    ------
    MissingDataError
        There is no such file.
    DataError
        It is no index, is damaged, cannot be read, or is of another version of the form.
    """
    if path.is_dir():
        raise DataError(f"{path.name} is a folder, no index of perimeters.", way_out=AGAIN)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop("about").tobytes())
    except FileNotFoundError as error:
        raise MissingDataError(f"There is no index {path}.", way_out=AGAIN) from error
    except PermissionError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from error
    except MemoryError as error:
        raise DataError(
            f"{path.name} asks for more memory than there is, as a damaged index does.", way_out=AGAIN
        ) from error
    # what numpy says of other files speaks of Python to people who gave a table
    except _DAMAGE as error:
        raise DataError(f"{path.name} is no index of perimeters, or only a part of one.", way_out=AGAIN) from error
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise DataError(f"{path.name} is no index of perimeters.", way_out=AGAIN)
    if about.get("version") != _VERSION:
        raise DataError(
            f"{path.name} is an index of form {about.get('version')}, and this qpvgeo reads {_VERSION}.", way_out=AGAIN
        )
    if about["content"] != _content(about["layers"], arrays):
        raise DataError(f"{path.name} is damaged: its content is not what was written.", way_out=AGAIN)
    layers = []
    for number, one in enumerate(about["layers"]):
        own = {name.partition(".")[2]: array for name, array in arrays.items() if name.partition(".")[0] == str(number)}
        layers.append(_layer(one, own, about["reach_m"]))
    return about, layers


def _content(layers: Any, arrays: Arrays) -> str:  # noqa: ANN401 - plain JSON
    """SHA-256 of all that a file holds beside its own description."""
    found = hashlib.sha256(json.dumps(layers).encode())
    for name in sorted(arrays):
        found.update(name.encode())
        found.update(np.ascontiguousarray(arrays[name]).data.cast("B") if arrays[name].size else b"")
    return found.hexdigest()


def _layer(about: Mapping[str, Any], arrays: Arrays, reach: float) -> Layer:
    text, ends = arrays["wkb"].tobytes(), arrays["ends"].tolist()
    areas = shapely.from_wkb([text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)])
    frames = {}
    for name in _KEPT:
        x, y, cell, columns, rows = arrays[f"{name}.frame"].tolist()
        frames[name] = Frame(x, y, cell, int(columns), int(rows))
    kept: dict[str, dict[str, Any]] = {
        name: {key: arrays[f"{name}.{key}"] for key in keys} for name, keys in _KEPT.items()
    }
    return Layer(
        about["territory"],
        about["vintage"],
        about["codes"],
        areas,
        grid=PointGrid(areas, frames["grid"], **kept["grid"]),
        limits=Limits(reach, frames["limits"], **kept["limits"]),
    )
