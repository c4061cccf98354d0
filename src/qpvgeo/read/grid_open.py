"""From a source to the table of cells in it: a path, a key, a folder, an archive, the two tables of 2010."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.read import grid_tables
from qpvgeo.read.grid_names import Plan, plan
from qpvgeo.read.grid_tables import Table
from qpvgeo.read.tables import normalise

__all__ = ["Opened", "Source", "open_grid", "paths_of"]

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_CELLS_2010 = {"idinspire", "idk", "ind_c"}
_RECTANGLES_2010 = {"idk", "ind_r"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A table of cells, what its columns are, and the table of rectangles that goes with it in 2010."""

    table: Table
    plan: Plan
    rectangles: Table | None = None


def paths_of(source: Source, data: str | os.PathLike[str] | None = None) -> list[Path]:
    """Files behind a source: a path, a key of the catalogue, or several of them.

    Raises
    ------
    MissingDataError
        There is none.
    """
    from qpvgeo.discover import resolve  # noqa: PLC0415 - discover recognises files with what is defined beside here

    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    paths = [path for one in sources for path in resolve(one, data)]
    if not paths:
        raise MissingDataError("No file to read.", way_out="Give a path, or a key of qpvgeo.datasets().")
    return paths


def open_grid(
    paths: Sequence[Path],
    scratch: Path,
    *,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    keep: Iterable[str] | None = None,
    places: Iterable[str] = (),
) -> Opened:
    """Open the one table of cells that a source holds.

    Parameters
    ----------
    paths
        Files, folders, archives.
    scratch
        Folder to unpack members into.
    layer, columns, keep
        As for `read_grid`.
    places
        Territories asked for.

    Raises
    ------
    DataError
        No table holds cells, or several do: lists them.
    """
    tables = grid_tables.find(paths, scratch, layer=layer, places=set(places))
    rectangles = [table for table in tables if _has(table, _RECTANGLES_2010)]
    cells = [table for table in tables if table not in rectangles]
    fitting = [(table, found) for table in cells if (found := _plan(table, columns, keep)) is not None]
    if not fitting:
        raise DataError(
            f"{', '.join(path.name for path in paths)}: no table of cells.",
            problems=[f"{table.label}: columns {', '.join(table.names)}" for table in tables],
            way_out='Name the column of ids, and the others as they are written: columns={"its name": "cell_id"}.',
        )
    if len(fitting) > 1:
        raise DataError(
            f"{', '.join(path.name for path in paths)}: {len(fitting)} tables of cells.",
            problems=[f"{table.label}: {len(table.names)} columns" for table, _ in fitting],
            way_out='Choose one with layer=, or a territory with where= ("hexagone", "972", "974").',
        )
    table, found = fitting[0]
    if not _has(table, _CELLS_2010):
        return Opened(table, found)
    return Opened(table, found, _rectangles_of(table, rectangles, scratch))


def _has(table: Table, names: set[str]) -> bool:
    return names <= {normalise(name) for name in table.names}


def _plan(table: Table, columns: Mapping[str, str] | None, keep: Iterable[str] | None) -> Plan | None:
    if _has(table, _CELLS_2010):
        # its columns come from two tables: what to keep of them is settled there
        return plan(table.names, {**(columns or {}), "ind_c": "population"})
    return plan(table.names, columns, keep)


def _rectangles_of(cells: Table, found: Sequence[Table], scratch: Path) -> Table:
    """Rectangles that the cells lie in: among what was opened, else beside the file."""
    if not found and cells.member is None:
        beside = cells.path.with_name(cells.path.name.replace("car", "rect", 1))
        found = grid_tables.find([beside], scratch) if beside.is_file() and beside != cells.path else []
    if len(found) > 1:
        stem = cells.opened.stem.lower().replace("car", "rect", 1)
        found = [table for table in found if table.opened.stem.lower() == stem]
    if len(found) != 1:
        raise DataError(
            f"{cells.label} needs the table of rectangles of 2010 (rect_m.dbf), which holds all but the people.",
            way_out='Put both in one folder, or give both: read_grid(["car_m.dbf", "rect_m.dbf"]).',
        )
    return found[0]
