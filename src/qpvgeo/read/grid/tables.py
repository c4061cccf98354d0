"""Which tables a source holds, in whichever form: CSV, Parquet, what GDAL opens, folders and archives of them.

A table is opened to know its columns, their types and the projection that the file declares; its rows are read by
`qpvgeo.read.grid.arrow_columns`.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.formats import archives
from qpvgeo.formats.folder_walk import walk_whole
from qpvgeo.formats.text_tables import normalise
from qpvgeo.language import Note
from qpvgeo.read.grid.names import Plan, plan
from qpvgeo.read.grid.table_forms import SUFFIXES, Table, open_table
from qpvgeo.sources.folders import require_open

__all__ = [
    "Opened",
    "Source",
    "find",
    "open_grid",
    "paths_of",
    "territory_named",
]

_ARCHIVES = (".zip", ".7z")

_PLACES = {"hexagone": "met|metropole|hexagone", "972": "mart|martinique|972", "974": "reun|reunion|974|r04"}


def territory_named(table: Table) -> str | None:
    """Territory in the name of a member or of a file, as Insee writes it; None when it does not say."""
    for name in (table.layer, table.member, table.path.name):
        for code, words in _PLACES.items():
            if name and re.search(rf"(?:^|[^a-z])(?:{words})(?:[^a-z]|$)", Path(name).stem.lower()):
                return code
    return None


def find(
    paths: Sequence[Path], scratch: Path, *, layer: str | None = None, places: Collection[str] = ()
) -> list[Table]:
    """Open the tables of files, folders and archives.

    Parameters
    ----------
    paths
        Files, archives or folders.
    scratch
        Folder to unpack members into; it must outlive the tables.
    layer
        Name of a layer, a member or a file: others are left out.
    places
        Territories that are asked for: of tables that name other ones, none is unpacked.

    Raises
    ------
    MissingDataError
        There is nothing at a path.
    DataError
        Nothing there is a table, a file is damaged, or part of a folder cannot be opened.
    """
    with ExitStack() as stack:
        archive_at = cache(lambda path: stack.enter_context(archives.opened(path, beside=scratch)))
        found = [one for path in paths for one in _listed(path, archive_at)]
        if not found:
            raise DataError(
                Note("grid.no_table", files=[path.name for path in paths]),
                way_out=Note("grid.forms", suffixes=", ".join(SUFFIXES)),
            )
        if layer is not None and any(layer in one.stems for one in found):
            found = [one for one in found if layer in one.stems]
        if places and len(found) > 1:
            found = _of_places(found, places)
        unpacked = list(_unpacked(found, scratch, archive_at))
    opened = [table for one in unpacked for table in open_table(one)]
    if layer is not None and any(layer in one.stems for one in opened):
        return [one for one in opened if layer in one.stems]
    if layer is not None:
        raise DataError(
            Note("grid.no_such_table", layer=str(layer), files=[path.name for path in paths]),
            problems=[table.label for table in opened],
            way_out=Note("grid.name_layer"),
        )
    return opened


def _of_places(found: list[Table], places: Collection[str]) -> list[Table]:
    """Tables that do not name another territory than those asked for."""
    kept = [one for one in found if territory_named(one) in (None, *places)]
    if not kept:
        raise DataError(
            Note(
                "grid.no_table_of_place",
                places=", ".join(sorted(places)),
                files=list(dict.fromkeys(one.path.name for one in found)),
            ),
            problems=[Note("grid.table_of", table=one.label, territory=str(territory_named(one))) for one in found],
            way_out=Note("grid.published_territories"),
        )
    return kept


def _listed(path: Path, archive_at: Callable[[Path], archives.Archive]) -> Iterator[Table]:
    """Tables that a path may hold, not opened yet."""
    if not path.exists():
        raise MissingDataError(Note("grid.no_file", path=str(path)), way_out=Note("grid.check_path"))
    suffix = path.suffix.lower()
    if path.is_dir():
        require_open(path)
        read = (*SUFFIXES, *_ARCHIVES)
        inside = sorted(part for part in walk_whole(path, read).files if part.suffix.lower() in read)
        plain = [part for part in inside if part.suffix.lower() not in _ARCHIVES]
        for part in [*_one_form(plain), *(part for part in inside if part.suffix.lower() in _ARCHIVES)]:
            yield from _listed(Path(part), archive_at)
    elif suffix in _ARCHIVES:
        names = [name for name in archive_at(path).members if _is_table(name)]
        for name in _one_form([PurePosixPath(name) for name in names]):
            yield Table(path, str(name), path, SUFFIXES[name.suffix.lower()])
    elif suffix == ".gz" and path.stem.lower().endswith((".csv", ".txt")):
        yield Table(path, None, path, "csv")
    elif suffix in SUFFIXES:
        yield Table(path, None, path, SUFFIXES[suffix])


def _is_table(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES and "__MACOSX" not in path.parts and not path.name.startswith(".")


def _one_form(parts: Sequence[Any]) -> list[Any]:
    """Each table once: the .dbf of a shapefile or of a MapInfo file is a part of it, not another table."""
    order = list(SUFFIXES)
    best: dict[Any, Any] = {}
    for part in sorted(parts, key=lambda part: order.index(part.suffix.lower())):
        best.setdefault(part.with_suffix("") if part.suffix.lower() in (".shp", ".dbf", ".mif", ".tab") else part, part)
    return [part for part in parts if part in best.values()]


def _unpacked(found: Sequence[Table], scratch: Path, archive_at: Callable[[Path], archives.Archive]) -> Iterator[Table]:
    """The same tables, with their members unpacked together with the files of the same name beside them."""
    for number, path in enumerate(dict.fromkeys(one.path for one in found)):
        wanted = [one for one in found if one.path == path]
        members = {one.member for one in wanted if one.member}
        if not members:
            yield from wanted
            continue
        stems = {str(PurePosixPath(name).with_suffix("")) for name in members}
        archive, into = archive_at(path), scratch / str(number)
        archive.extract(into, [name for name in archive.members if str(PurePosixPath(name).with_suffix("")) in stems])
        for one in wanted:
            yield replace(one, opened=into / str(one.member))


Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_CELLS_2010 = {"idinspire", "idk", "ind_c"}

_RECTANGLES_2010 = {"idk", "ind_r"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A table of cells, what its columns are, the rectangles that go with it in 2010, and the other tables there."""

    table: Table
    plan: Plan
    rectangles: Table | None = None
    others: tuple[Table, ...] = ()


def paths_of(source: Source, data: str | os.PathLike[str] | None = None) -> list[Path]:
    """Files behind a source: a path, a key of the catalogue, or several of them.

    Raises
    ------
    MissingDataError
        There is none.
    """
    from qpvgeo.sources.recognise import resolve  # noqa: PLC0415 - discover recognises files with what is defined beside here

    _require_source(source)
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    paths = [path for one in sources for path in resolve(one, data)]
    if not paths:
        raise MissingDataError(Note("grid.nothing_to_read"), way_out=Note("grid.give_file"))
    return paths


def _require_source(source: Any) -> None:  # noqa: ANN401 - whatever the caller gave
    """Raise when a source is not a path, a key or a list of them: a grid that was read is not a file."""
    if isinstance(source, pd.DataFrame | pd.Series):
        raise UsageError(Note("grid.frame_for_file"), way_out=Note("grid.give_file"))
    each = [source] if isinstance(source, str | os.PathLike) or not isinstance(source, Iterable) else list(source)
    odd = [one for one in each if not isinstance(one, str | os.PathLike) or not str(one).strip()]
    if odd:
        problems = [Note("grid.no_path", given=repr(one)[:80]) for one in odd]
        raise UsageError(Note("grid.bad_source"), problems=problems, way_out=Note("grid.give_file"))


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
    tables = find(paths, scratch, layer=layer, places=set(places))
    rectangles = [table for table in tables if _has(table, _RECTANGLES_2010)]
    cells = [table for table in tables if table not in rectangles]
    fitting = [(table, found) for table in cells if (found := _plan(table, columns, keep)) is not None]
    if not fitting:
        raise DataError(
            Note("grid.no_table_of_cells", files=[path.name for path in paths]),
            problems=[
                Note("grid.table_columns", table=table.label, columns=", ".join(table.names)) for table in tables
            ],
            way_out=Note("grid.name_the_ids"),
        )
    if len(fitting) > 1:
        raise DataError(
            Note(
                "grid.several_tables",
                files=[path.name for path in paths],
                count=len(fitting),
                layers=[str(table.layer or table.member or table.path.name) for table, _ in fitting],
            ),
            problems=[Note("grid.table_size", table=table.label, count=len(table.names)) for table, _ in fitting],
            way_out=Note("grid.choose_table"),
        )
    table, found = fitting[0]
    if not _has(table, _CELLS_2010):
        return Opened(table, found, others=tuple(other for other in tables if other is not table))
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
        found = find([beside], scratch) if beside.is_file() and beside != cells.path else []
    if len(found) > 1:
        stem = cells.opened.stem.lower().replace("car", "rect", 1)
        found = [table for table in found if table.opened.stem.lower() == stem]
    if len(found) != 1:
        raise DataError(Note("grid.needs_rectangles", file=cells.label), way_out=Note("grid.give_both"))
    return found[0]
