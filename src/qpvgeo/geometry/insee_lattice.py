"""The Insee lattice: cell ids are coordinates.

An id such as `CRS3035RES200mN2029800E4252400` says the projection (EPSG:3035), the size (200 m) and the lower-left
corner, northing before easting, in metres. Squares, centroids, parents and neighbours are therefore arithmetic on
integers: no geometry is ever built for a cell. Sizes go from 200 m to 64 km (niveau naturel).

Source: Insee, documentation of the gridded data (INSPIRE, JRC report 21494).
"""

import re
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from qpvgeo.errors import DataError
from qpvgeo.geometry.id_digits import chunks_of, texts_of, words_at, write_number
from qpvgeo.geometry.parallel import in_chunks, in_threads
from qpvgeo.language import Note

__all__ = [
    "Cells",
    "Lattice",
    "cells_of",
    "centroids",
    "format_ids",
    "locate",
    "neighbours",
    "parents",
    "parse_ids",
    "parse_mixed",
    "remember",
    "squares",
]

_ID = re.compile(r"CRS(\d{1,9})RES([1-9]\d{0,8})mN(\d{1,18})E(\d{1,18})", re.ASCII)
_BLOCK = 1 << 14
_PIECE = 1 << 18
_LARGEST_MAP = 1 << 28

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lattice:
    """A regular grid whose lines pass through the origin of a projection.

    Attributes
    ----------
    epsg
        Projection of the ids; metres.
    size
        Side of a cell, in metres.
    """

    epsg: int
    size: int


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of one lattice.

    Attributes
    ----------
    lattice
        Projection and size.
    north, east
        Lower-left corners in metres: multiples of the size, as integers.
    """

    lattice: Lattice
    north: Integers
    east: Integers

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.north)


def parse_ids(ids: Any, lattice: Lattice | None = None) -> Cells:  # noqa: ANN401 - whatever holds text
    """Read cell ids of one lattice.

    Parameters
    ----------
    ids
        Series, Index, Arrow or other array of text.
    lattice
        What the ids must be of; by default what the first one says.

    Returns
    -------
    Cells
        In the order given. Every row is checked to the last character.

    Raises
    ------
    DataError
        Ids that are none, that are of another projection or size, or whose corner is not on the lattice: lists them
        with their positions.

    Examples
    --------
    >>> cells = parse_ids(["CRS3035RES200mN2029800E4252400", "CRS3035RES200mN2030000E4252400"])
    >>> cells.lattice, cells.north.tolist(), cells.east.tolist()
    (Lattice(epsg=3035, size=200), [2029800, 2030000], [4252400, 4252400])
    """
    chunks = [chunk.slice(at, _PIECE) for chunk in chunks_of(ids) for at in range(0, len(chunk), _PIECE)]
    if not chunks:
        return Cells(lattice or Lattice(3035, 200), np.empty(0, np.int64), np.empty(0, np.int64))
    shape = _ID.fullmatch(chunks[0][0].as_py() or "")
    if shape is None:
        _refuse(chunks, lattice)
    assert shape is not None  # noqa: S101 - _refuse() raised otherwise
    expected = lattice or Lattice(int(shape[1]), int(shape[2]))
    stops = np.cumsum([len(chunk) for chunk in chunks])
    # written in place: on fresh memory a page costs more than the numbers on it
    north, east = np.empty(stops[-1], np.int64), np.empty(stops[-1], np.int64)

    def fits(at: int) -> bool:
        chunk, stop = chunks[at], int(stops[at])
        rows = slice(stop - len(chunk), stop)
        return _fixed_width(chunk, expected, (len(shape[3]), len(shape[4])), north[rows], east[rows])

    if not all(in_threads(fits, range(len(chunks)))):
        north, east = _any_width(chunks, expected)
    blocks = range(0, len(north), _BLOCK)
    if any((corner[at : at + _BLOCK] % expected.size).any() for corner in (north, east) for at in blocks):
        _refuse(chunks, expected)
    return Cells(expected, north, east)


_PARSED: dict[int, tuple[weakref.ref[Any], Cells]] = {}


def cells_of(grid: pd.DataFrame) -> Cells:
    """Cells of a grid frame, parsed once: the ids of an index are immutable, and their cells are kept beside them.

    Raises
    ------
    DataError
        As `parse_ids`.

    Examples
    --------
    >>> grid = pd.DataFrame({"population": [3.0]}, index=["CRS3035RES200mN2029800E4252400"])
    >>> cells_of(grid).north.tolist(), cells_of(grid) is cells_of(grid.assign(households=1.0))
    ([2029800], True)
    """
    texts = getattr(grid.index.array, "_pa_array", None)
    kept = _PARSED.get(id(texts))
    if kept is not None and kept[0]() is texts:
        return kept[1]
    return remember(grid.index, parse_ids(grid.index))


def remember(index: pd.Index, cells: Cells) -> Cells:
    """Keep the cells of an index for `cells_of`, as long as the index lives; returns them."""
    texts = getattr(index.array, "_pa_array", None)
    if texts is not None:
        key = id(texts)
        _PARSED[key] = (weakref.ref(texts, lambda _: _PARSED.pop(key, None)), cells)
    return cells


def _fixed_width(chunk: pa.Array, lattice: Lattice, digits: tuple[int, int], north: Integers, east: Integers) -> bool:
    """Write the corners of ids that all have one width, read eight characters at a time; False when some differ.

    A file holds one territory, so that its northings and its eastings have as many digits in every row. The prefix is
    compared and every digit tested on 64-bit words, which costs less than slicing strings.
    """
    head = f"CRS{lattice.epsg}RES{lattice.size}mN".encode()
    north_digits, east_digits = digits
    width = len(head) + north_digits + 1 + east_digits
    wide = pa.types.is_large_string(chunk.type)
    if chunk.null_count or not (wide or pa.types.is_string(chunk.type)) or max(north_digits, east_digits) > 7:
        return False
    offsets = np.frombuffer(chunk.buffers()[1], np.int64 if wide else np.int32)[
        chunk.offset : chunk.offset + len(chunk) + 1
    ]
    if int(offsets[-1] - offsets[0]) != width * len(chunk):
        return False
    text = np.frombuffer(chunk.buffers()[2], np.uint8)[int(offsets[0]) : int(offsets[-1])]
    starts = [*range(0, len(head) - 7, 8), len(head) - 8]
    words = [(start, np.frombuffer(head[start : start + 8], "<u8")[0]) for start in starts]
    numbers = [(north, len(head) + north_digits, north_digits, b"N"), (east, width, east_digits, b"E")]
    for at in range(0, len(chunk), _BLOCK):
        rows = slice(at, min(at + _BLOCK, len(chunk)))
        if not (np.diff(offsets[at : rows.stop + 1]) == width).all():
            return False
        block = text[at * width : rows.stop * width]
        for start, word in words:
            if not (words_at(block, start, width) == word).all():
                return False
        for out, end, many, letter in numbers:
            if not write_number(words_at(block, end - 8, width), many, letter, out[rows]):
                return False
    return True


def _any_width(chunks: list[pa.Array], lattice: Lattice) -> tuple[Integers, Integers]:
    """Corners of ids whose numbers have different widths: slower, and it names what is wrong."""
    matches = [_ID.fullmatch(text or "") for text in texts_of(chunks)]
    numbers = _numbers([match for match in matches if match is not None])
    if None in matches or (numbers[:, :2] != (lattice.epsg, lattice.size)).any():
        _refuse(chunks, lattice)
    return numbers[:, 2], numbers[:, 3]


def _numbers(matches: list[re.Match[str]]) -> Integers:
    """EPSG, size, northing and easting: shape (n, 4)."""
    return np.array([match.groups() for match in matches], np.int64).reshape(-1, 4)


def _refuse(chunks: list[pa.Array], lattice: Lattice | None) -> None:
    """Raise with every id that is not one of the lattice."""
    problems = []
    for position, text in enumerate(texts_of(chunks)):
        match = _ID.fullmatch(text or "")
        if match is None:
            problems.append(Note("geometry.not_a_cell_id", position=int(position), text=str(text)))
            continue
        epsg, size, north, east = (int(part) for part in match.groups())
        lattice = lattice or Lattice(epsg, size)
        if (epsg, size) != (lattice.epsg, lattice.size):
            problems.append(
                Note(
                    "geometry.id_of_another_lattice",
                    position=int(position),
                    text=str(text),
                    epsg=lattice.epsg,
                    size=lattice.size,
                )
            )
        elif north % size or east % size:
            problems.append(Note("geometry.corner_off_lattice", position=int(position), text=str(text), size=int(size)))
    raise DataError(
        Note("geometry.bad_cell_ids", count=len(problems)),
        problems=problems,
        way_out=Note("geometry.cell_id_of_one_size"),
    )


def parse_mixed(ids: Any) -> pd.DataFrame:  # noqa: ANN401
    """Read cell ids of any projections and sizes, such as those of the niveau naturel.

    Returns
    -------
    pandas.DataFrame
        `epsg`, `size`, `north`, `east` (integers, metres), in the order given.

    Raises
    ------
    DataError
        Some are no cell ids: lists them.

    Examples
    --------
    >>> parse_mixed(["CRS3035RES200mN2029800E4252400", "CRS2975RES1000mN7634000E319000"])
       epsg  size    north     east
    0  3035   200  2029800  4252400
    1  2975  1000  7634000   319000
    """
    texts = texts_of(chunks_of(ids))
    matches = [_ID.fullmatch(text or "") for text in texts]
    if None in matches:
        problems = [
            Note("geometry.not_a_cell_id", position=int(row), text=str(text))
            for row, (text, match) in enumerate(zip(texts, matches, strict=True))
            if match is None
        ]
        raise DataError(
            Note("geometry.bad_cell_ids", count=len(problems)), problems=problems, way_out=Note("geometry.cell_id_form")
        )
    numbers = _numbers([match for match in matches if match is not None])
    return pd.DataFrame(numbers, columns=["epsg", "size", "north", "east"])


def format_ids(cells: Cells) -> pd.Index:
    """Ids of cells: the inverse of `parse_ids`.

    Raises
    ------
    DataError
        Corners lie below zero: the ids of Insee have no sign.

    Examples
    --------
    >>> format_ids(parse_ids(["CRS2975RES200mN7634400E319000"])).tolist()
    ['CRS2975RES200mN7634400E319000']
    """
    below = np.flatnonzero((cells.north < 0) | (cells.east < 0))
    if len(below):
        raise DataError(
            Note("geometry.cells_below_zero", count=len(below)),
            problems=[
                Note("geometry.cell_corner", position=int(row), north=int(cells.north[row]), east=int(cells.east[row]))
                for row in below
            ],
            way_out=Note("geometry.territory_of_lattice"),
        )
    head = f"CRS{cells.lattice.epsg}RES{cells.lattice.size}mN"
    pairs = zip(cells.north.tolist(), cells.east.tolist(), strict=True)
    return pd.Index([f"{head}{north}E{east}" for north, east in pairs], dtype="str", name="cell_id")


def squares(cells: Cells) -> npt.NDArray[np.float64]:
    """West, south, east, north of cells, in metres of their projection: shape (n, 4).

    Examples
    --------
    >>> squares(parse_ids(["CRS3035RES200mN2029800E4252400"])).tolist()
    [[4252400.0, 2029800.0, 4252600.0, 2030000.0]]
    """
    size = cells.lattice.size
    return np.column_stack([cells.east, cells.north, cells.east + size, cells.north + size]).astype(float)


def centroids(cells: Cells) -> npt.NDArray[np.float64]:
    """Easting and northing of the middles of cells, in metres: shape (n, 2)."""
    return np.column_stack([cells.east, cells.north]).astype(np.float64) + cells.lattice.size / 2


def parents(cells: Cells, size: int) -> Cells:
    """Cells of a larger size that hold cells.

    Raises
    ------
    DataError
        The size is not a multiple of that of the cells.

    Examples
    --------
    >>> format_ids(parents(parse_ids(["CRS3035RES200mN2029800E4252400"]), 1000)).tolist()
    ['CRS3035RES1000mN2029000E4252000']
    """
    if size <= 0 or size % cells.lattice.size:
        raise DataError(
            Note("geometry.sizes_do_not_nest", size=size, own=cells.lattice.size),
            way_out=Note("geometry.sizes_that_nest"),
        )
    return Cells(Lattice(cells.lattice.epsg, size), cells.north // size * size, cells.east // size * size)


def neighbours(cells: Cells, *, corners: bool = False) -> list[Cells]:
    """Cells that share a side with cells: north, east, south, west; with corners, the four others too.

    Parameters
    ----------
    cells
        Any cells.
    corners
        Add north-east, south-east, south-west and north-west.

    Returns
    -------
    list of Cells
        One for each direction, in the order of the cells. They need not be in any file.

    Examples
    --------
    >>> [int(other.north[0]) for other in neighbours(parse_ids(["CRS3035RES200mN2029800E4252400"]))]
    [2030000, 2029800, 2029600, 2029800]
    """
    steps = [(1, 0), (0, 1), (-1, 0), (0, -1)] + ([(1, 1), (-1, 1), (-1, -1), (1, -1)] if corners else [])
    size = cells.lattice.size
    return [Cells(cells.lattice, cells.north + up * size, cells.east + right * size) for up, right in steps]


def locate(wanted: Cells, table: Cells) -> npt.NDArray[np.intp]:
    """Positions in a table of the cells wanted; -1 for those that it does not have.

    Parameters
    ----------
    wanted, table
        Cells of one lattice; those of the table each once, in any order.

    Raises
    ------
    DataError
        The lattices differ.

    Examples
    --------
    >>> table = parse_ids(["CRS3035RES200mN2029800E4252400", "CRS3035RES200mN2030000E4252400"])
    >>> locate(neighbours(table)[0], table).tolist()
    [1, -1]
    """
    if wanted.lattice != table.lattice:
        raise DataError(
            Note(
                "geometry.other_lattice",
                epsg=wanted.lattice.epsg,
                size=wanted.lattice.size,
                other_epsg=table.lattice.epsg,
                other_size=table.lattice.size,
            )
        )
    if not len(wanted) or not len(table):
        return np.full(len(wanted), -1, np.intp)
    size = wanted.lattice.size
    low, left = int(wanted.north.min()), int(wanted.east.min())
    height = (int(wanted.north.max()) - low) // size + 1
    width = (int(wanted.east.max()) - left) // size + 1
    key = (wanted.north - low) // size * width + (wanted.east - left) // size
    asked = np.zeros(height * width if height * width <= _LARGEST_MAP else 0, dtype=bool)
    if len(asked):
        # a map of the cells wanted leaves few rows of a large table to sort
        asked[key] = True

    def near(part: slice) -> tuple[Integers, Integers]:
        up, right = (table.north[part] - low) // size, (table.east[part] - left) // size
        # a negative difference becomes a very large one
        row = np.flatnonzero((up.view(np.uint64) < height) & (right.view(np.uint64) < width))
        here = up[row] * width + right[row]
        if len(asked):
            hit = asked[here]
            row, here = row[hit], here[hit]
        return row + part.start, here

    kept = in_chunks(near, len(table))
    rows = np.concatenate([found for found, _ in kept])
    place = np.concatenate([found for _, found in kept])
    order = np.argsort(place)
    rows, place = rows[order], place[order]
    if not len(place):
        return np.full(len(wanted), -1, np.intp)
    at = np.minimum(np.searchsorted(place, key), len(place) - 1)
    return np.where(place[at] == key, rows[at], -1)
