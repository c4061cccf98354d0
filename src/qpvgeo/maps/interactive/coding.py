"""Outlines and points as few bytes, which the page reads in a tenth of a second.

Degrees are rounded to 1e-5 (about a metre); each vertex is written as its difference to the one before, as a zigzag
varint: numbers near zero, of either sign, take one byte. What describes the rings is a stream of its own. A header in
JSON and all streams are compressed together (gzip) and written in base64; `assets/decode.js` is the other half.

Sources: Protocol Buffers encoding (varint, zigzag); RFC 1952 (gzip); RFC 4648 (base64).
"""

import base64
import gzip
import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["STEP", "Streams", "outlines", "points", "varints"]

STEP = 1e-5
"""Degrees of one unit."""

_POLYGON = 3
_FEWEST_VERTICES = 3

Shapes = npt.NDArray[np.object_]
Integers = npt.NDArray[np.int64]


class Streams:
    """Header and streams of bytes of a page, in the order in which they are read back."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def add(self, data: bytes) -> list[int]:
        """Keep a stream; return where it starts among the streams, and its length."""
        start = sum(map(len, self._held))
        self._held.append(data)
        return [start, len(data)]

    def packed(self, header: dict[str, Any]) -> str:
        """Header and streams as base64 text."""
        words = json.dumps(header, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        raw = struct.pack("<I", len(words)) + words + b"".join(self._held)
        return base64.b64encode(gzip.compress(raw, 9, mtime=0)).decode("ascii")


def varints(numbers: npt.ArrayLike) -> bytes:
    r"""Write whole numbers as zigzag varints, seven bits a byte, the lowest first.

    Examples
    --------
    >>> varints([0, -1, 1, -64, 64]).hex()
    '0001027f8001'
    """
    given = np.asarray(numbers, dtype=np.int64).ravel()
    left = ((given << 1) ^ (given >> 63)).astype(np.uint64)
    lengths = np.ones(len(left), dtype=np.intp)
    for bits in range(7, 64, 7):
        lengths += left >= np.uint64(1) << np.uint64(bits)
    ends = np.cumsum(lengths)
    out = np.zeros(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    at = ends - lengths
    for place in range(int(lengths.max(initial=0))):
        more = lengths > place
        byte = (left[more] >> np.uint64(7 * place)) & np.uint64(127)
        out[at[more] + place] = byte | ((lengths[more] > place + 1) * np.uint64(128))
    return out.tobytes()


def _steps(coordinates: npt.NDArray[np.float64]) -> Integers:
    return np.round(coordinates / STEP).astype(np.int64)


def _differences(steps: Integers) -> Integers:
    return np.diff(steps, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))


def points(shapes: Shapes) -> bytes:
    """Write a point for each shape, on its surface."""
    return varints(_differences(_steps(shapely.get_coordinates(shapely.point_on_surface(shapes)))))


def outlines(shapes: Shapes) -> tuple[bytes, bytes]:
    """Write outlines in degrees.

    Parameters
    ----------
    shapes
        Polygons and multipolygons, longitude first; other parts of a collection are left out.

    Returns
    -------
    tuple of bytes
        - what describes the rings: for each shape the number of its polygons, for each of these the number of its
          rings, for each of these the number of its vertices, the last not repeated; a ring of which fewer than three
          vertices are left has none;
        - vertices, as differences that run on from ring to ring and shape to shape.
    """
    parts, owner = shapely.get_parts(shapely.simplify(shapes, STEP), return_index=True)
    whole = shapely.get_type_id(parts) == _POLYGON
    parts, owner = parts[whole], owner[whole]
    rings, of_part = shapely.get_rings(parts, return_index=True)
    coordinates, of_ring = shapely.get_coordinates(rings, return_index=True)
    steps = _steps(coordinates)
    # the last vertex of a ring is its first again; so may others be once rounded
    last = np.append(of_ring[1:] != of_ring[:-1], True) if len(of_ring) else np.zeros(0, dtype=bool)
    again = np.zeros(len(steps), dtype=bool)
    again[1:] = (steps[1:] == steps[:-1]).all(axis=1) & (of_ring[1:] == of_ring[:-1])
    kept = ~last & ~again
    vertices = np.bincount(of_ring[kept], minlength=len(rings))
    vertices[vertices < _FEWEST_VERTICES] = 0
    kept &= vertices[of_ring] > 0
    polygons = np.bincount(owner, minlength=len(shapes))
    counts = _interleaved(polygons, owner, np.bincount(of_part, minlength=len(parts)), of_part, vertices)
    return varints(counts), varints(_differences(steps[kept]))


def _interleaved(
    polygons: npt.NDArray[np.intp],
    owner: npt.NDArray[np.intp],
    rings: npt.NDArray[np.intp],
    of_part: npt.NDArray[np.intp],
    vertices: npt.NDArray[np.intp],
) -> Integers:
    """Counts in the order of reading: a shape, its first polygon, the rings of that one, its second polygon, ..."""
    numbers = np.concatenate([polygons, rings, vertices])
    shape = np.concatenate([np.arange(len(polygons)), owner, owner[of_part]])
    part = np.concatenate([np.full(len(polygons), -1), np.arange(len(rings)), of_part])
    level = np.repeat([0, 1, 2], [len(polygons), len(rings), len(vertices)])
    return np.asarray(numbers[np.lexsort([level, part, shape])], dtype=np.int64)
