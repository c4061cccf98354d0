"""Year and size of a grid, known before its rows are read: the grid that fits is chosen first, and read alone."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from qpvgeo.errors import QpvgeoError
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.text_tables import normalise
from qpvgeo.language import Note
from qpvgeo.read.grid import arrow_columns
from qpvgeo.read.grid.cell_ids import identify
from qpvgeo.read.grid.tables import Opened, Source, open_grid
from qpvgeo.sources import catalog

__all__ = ["VINTAGES", "rank", "rank_of_file", "vintage_of"]

VINTAGES = (2010, 2015, 2017, 2019, 2021)
"""Years of the data that were published."""

_YEAR = re.compile(r"(?<!\d)(20[12]\d)(?!\d)")
_OF_2015 = {"id_carr1km", "id_carr_n", "i_est_cr", "id_car2010"}
_ARCHIVES = (".zip", ".7z", ".gz")

Rank = tuple[float, int]


def rank(size: float | None, vintage: int | None) -> Rank:
    """Order of grids: the finest first, of these the latest; those of the natural level last.

    Examples
    --------
    >>> sorted([rank(1000, 2021), rank(200, 2017), rank(None, 2021), rank(200, 2019)])
    [(200, -2019), (200, -2017), (1000, -2021), (inf, -2021)]
    """
    return size or float("inf"), -(vintage or 0)


def rank_of_file(
    path: str | os.PathLike[str], *, layer: str | None = None, columns: Mapping[str, str] | None = None
) -> Rank | None:
    """Rank of the grid in a file, without reading its rows; None where only reading it tells.

    An archive is not unpacked, and a file with several grids or none is left to the reader.
    """
    path = Path(path)
    if path.is_dir() or path.suffix.lower() in _ARCHIVES:
        return None
    with tempfile.TemporaryDirectory(prefix="qpvgeo-", ignore_cleanup_errors=True) as scratch:
        try:
            with foreign(path.name):
                opened = open_grid([path], Path(scratch), layer=layer, columns=columns)
                ids = identify(opened.table, opened.plan, arrow_columns.first_rows(opened.table, opened.plan.cell_id))
        except QpvgeoError:
            return None
    return rank(ids.size, vintage_of(opened, path)[0])


def vintage_of(opened: Opened, source: Source) -> tuple[int | None, list[str]]:
    """Year of the data, by the columns where they tell, else by the name of the key, file, member or layer."""
    bare = {normalise(name) for name in opened.table.names}
    by_columns = 2010 if opened.rectangles is not None else 2015 if bare & _OF_2015 else None
    table = opened.table
    key = catalog.CATALOG.get(source) if isinstance(source, str) else None
    named = [key.vintage] if key else []
    for name in (table.layer, table.member, table.path.name):
        named += [int(year) for year in _YEAR.findall(name or "")]
    years = [year for year in dict.fromkeys(named) if year in VINTAGES]
    by_name = years[0] if len(years) == 1 else None
    if by_columns and by_name and by_columns != by_name:
        return by_columns, [Note("grid.other_year", named=by_name, found=by_columns)]
    return by_columns or by_name, []
