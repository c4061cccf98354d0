"""Whether the outlines drawn in a grid file are the squares that its ids name.

Extracts made by third parties are cut at the boundary of a commune, or turned by a reprojection. The values stay those
of whole cells, so that an area taken from the file would be wrong: qpvgeo takes places from the ids only.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import shapely

from qpvgeo.errors import DataError
from qpvgeo.formats.vector_layers import settle_crs
from qpvgeo.geometry.insee_lattice import Cells
from qpvgeo.geometry.projection import reproject
from qpvgeo.language import Note
from qpvgeo.read.grid import arrow_columns
from qpvgeo.read.grid.cell_ids import Ids, identify
from qpvgeo.read.grid.table_forms import Table
from qpvgeo.read.grid.tables import Source, open_grid, paths_of

__all__ = ["TOLERANCE", "differing_outlines", "drawn_otherwise"]

TOLERANCE = 0.01
"""Share of the square by which an outline may differ from it."""

_WHOLE_ROWS = 20_000
_FIRST_ROWS = 500
_ROUNDING = 1e-4
_PIECES = 8


def differing_outlines(
    source: Source,
    scratch: Path,
    *,
    layer: str | None,
    columns: Mapping[str, str] | None,
    data: str | os.PathLike[str] | None,
) -> pd.DataFrame:
    """Cells of a source whose outline is not the square of their id, as `qpvgeo.quality.check_grid` gives them."""
    opened = open_grid(paths_of(source, data), scratch, layer=layer, columns=columns)
    ids = identify(opened.table, opened.plan, arrow_columns.first_rows(opened.table, opened.plan.cell_id))
    found = arrow_columns.outlines(opened.table, opened.plan.cell_id)
    if found is None:
        return _findings(np.empty(0, object), pa.array([], pa.string()), [], None)
    texts, shapes = found
    return _findings(shapes, texts, _squares(ids.cells(texts), ids, opened.table, shapes), ids)


def drawn_otherwise(table: Table, column: str, ids: Ids) -> str | None:
    """Note on the outlines of a file that are not the squares of their ids; None when all are, or none is drawn.

    An extract is looked at whole, for it is cut along its edges; of a longer file, only the first outlines.
    A projection that cannot be established is noted, not raised: the values need none.
    """
    try:
        whole = arrow_columns.count_outlines(table) <= _WHOLE_ROWS
        found = arrow_columns.outlines(table, column, rows=None if whole else _FIRST_ROWS)
        if found is None or not len(found[0]):
            return None
        texts, shapes = found
        differ = _findings(shapes, texts, _squares(ids.cells(texts), ids, table, shapes), ids)
    except DataError as error:
        return Note("grid.not_compared", cause=error.message)
    if differ.empty:
        return None
    cut = int((differ["problem"] == "cut").sum())
    key = "grid.drawn_otherwise" if whole else "grid.first_drawn_otherwise"
    return Note(key, count=len(differ), total=len(texts), cut=cut)


def _squares(cells: list[tuple[Cells, Any]], ids: Ids, table: Table, shapes: npt.NDArray[np.object_]) -> Any:  # noqa: ANN401
    """Square of each id in the projection of the file."""
    squares = np.empty(len(shapes), dtype=object)
    for found, rows in cells:
        size = found.lattice.size
        squares[rows] = shapely.box(found.east, found.north, found.east + size, found.north + size)
    longest = max((found.lattice.size for found, _ in cells), default=200)
    if np.allclose(shapely.total_bounds(shapes), shapely.total_bounds(squares), rtol=0, atol=longest):
        # drawn in the projection of the ids, whether the file declares it or not
        return squares
    crs, _ = settle_crs(table.crs, shapely.total_bounds(shapes), where=table.label)
    if crs.to_epsg() == ids.epsg:
        return squares
    # a straight side is bent in another projection
    return reproject(shapely.segmentize(squares, longest / _PIECES), ids.epsg, crs)


def _findings(shapes: Any, texts: Any, squares: Any, ids: Ids | None) -> pd.DataFrame:  # noqa: ANN401
    """Rows of outlines that differ from their squares."""
    squares = np.asarray(squares, dtype=object)
    square_m2, drawn_m2 = shapely.area(squares), shapely.area(shapes)
    absent = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    side = np.sqrt(square_m2)
    shifts = np.abs(shapely.bounds(shapes) - shapely.bounds(squares)).max(axis=1, initial=0)
    # most outlines are their square: only the others are worth an intersection
    same = (np.abs(drawn_m2 - square_m2) <= _ROUNDING * square_m2) & (shifts <= _ROUNDING * side)
    share = np.where(absent, np.nan, 0.0)
    odd = np.flatnonzero(~same & ~absent)
    sound = shapely.make_valid(shapes[odd])
    share[odd] = shapely.area(shapely.symmetric_difference(sound, squares[odd])) / square_m2[odd]
    outside = np.zeros(len(shapes))
    outside[odd] = shapely.area(shapely.difference(sound, squares[odd])) / square_m2[odd]
    rows = np.flatnonzero(absent | (share > TOLERANCE))
    kind = np.where(absent, "no outline", np.where(outside > TOLERANCE, "elsewhere", "cut"))
    listed = texts.take(pa.array(rows)) if ids else texts
    return pd.DataFrame(
        {
            "cell_id": pd.Series(listed.to_pylist(), dtype="str"),
            "row": rows,
            "problem": pd.Series(kind[rows], dtype="str"),
            "drawn_m2": drawn_m2[rows],
            "square_m2": square_m2[rows],
            "difference_share": share[rows],
        }
    )
