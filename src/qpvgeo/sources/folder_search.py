"""What the files of the folders searched hold: each is looked at once, and only where it may hold the kind wanted."""

import errno
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from qpvgeo.formats import dbf_tables, folder_walk
from qpvgeo.formats.file_times import is_settled
from qpvgeo.formats.vector_forms import JSON
from qpvgeo.sources import file_memory, folders
from qpvgeo.sources.file_content import SUFFIXES, Found, Kind, is_published_as, judge, may_hold

__all__ = ["closed_in", "files_in", "identify", "looked_at", "of_kind", "scan", "search"]

_walked: dict[tuple[Path, str], tuple[folder_walk.Walked, list[Path]]] = {}
_BLOCK = 1 << 22
_LONGEST_NAME = 64
_CELL_MARKS = (b"idcar", b"idinspire", b"cell", b"grd")
_CELL_COLUMN = re.compile(rb'idcar[^a-z0-9]|idinspire|(?:cell|grd)[^a-z0-9"]+id')
"""Names that `known_tables.is_cell_column` knows, in lower case; their marks are found ten times faster."""
_ABOUT = ("kind", "vintage", "features", "basis")


def of_kind(kind: Kind, data: str | os.PathLike[str] | None = None, vintage: int | None = None) -> list[Found]:
    """Files of a kind and geography in the folders searched, the first folder first.

    Those whose published name or ending says that they hold something else are not opened.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> [found.path.name for found in of_kind("epci", qg.sample().path)]
    ['cog2024_epci.csv']
    """
    paths = [path for folder in folders.data_dirs(data) for path in files_in(folder)]
    return _held((path for path in paths if _may_hold(path, kind, vintage)), kind, vintage)


def search(folder: Path, kind: Kind, vintage: int | None) -> tuple[list[Path], list[Found]]:
    """Files of a folder looked at for a kind, and what was found of it: the first turn that has it ends the search."""
    paths: list[Path] = []
    for paths in _in_turn(folder, kind, vintage):
        if found := _held(paths, kind, vintage):
            return paths, found
    return paths, []


def _in_turn(folder: Path, kind: Kind, vintage: int | None) -> Iterator[list[Path]]:
    """Files that may hold a kind: those published as it, those that nothing says hold another, then any."""
    paths = files_in(folder)
    if kind == "perimeters":
        yield [path for path in paths if is_published_as(path, kind, vintage)]
    yield [path for path in paths if _may_hold(path, kind, vintage)]
    yield paths


def _may_hold(path: Path, kind: Kind, vintage: int | None) -> bool:
    """Whether a file may hold a kind, by its name; a grid in JSON, by the names of cells in it too.

    GDAL reads all of a JSON to say what its columns are, and again for its first rows.
    """
    if not may_hold(path, kind, vintage):
        return False
    if kind != "grid" or path.suffix.lower() not in JSON:
        return True
    state = _state(path)
    try:
        return state is not None and _names_cells(path, state)
    except OSError:
        return True  # reading it will say why


@lru_cache(maxsize=1 << 16)
def _names_cells(path: Path, _state: str) -> bool:
    """Whether a column of cells is named anywhere in a JSON; remembered from one run to the next, where it opens."""
    known = file_memory.recall("names cells", path)
    if known is None:
        known = _searched(path)
        file_memory.remember("names cells", path, known)
    return bool(known)


def _searched(path: Path) -> bool:
    with path.open("rb") as stream:
        last = b""
        while block := stream.read(_BLOCK):
            # two bytes a letter: GDAL will tell
            text = (last + block).lower()
            if b"\0" in text or (any(mark in text for mark in _CELL_MARKS) and _CELL_COLUMN.search(text)):
                return True
            last = block[-_LONGEST_NAME:]
    return False


def _held(paths: Iterable[Path], kind: Kind, vintage: int | None = None) -> list[Found]:
    """What files hold of a kind and geography."""
    held = [one for path in paths for one in looked_at(path)[0]]
    return [one for one in held if one.kind == kind and vintage in (None, one.vintage)]


def scan(data: str | os.PathLike[str] | None = None) -> list[Found]:
    """Recognise every file of the folders searched, the first folder first; what is not recognised is left out.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sorted({found.kind for found in scan(qg.sample().path)})[:3]
    ['addresses', 'communes', 'communes table']
    """
    return [found for place in folders.data_dirs(data) for path in files_in(place) for found in looked_at(path)[0]]


def identify(path: Path) -> Iterator[Found]:
    """What a file holds: nothing, one thing, or several for an archive or a GeoPackage.

    A file that cannot be opened holds nothing here; reading it will say why.
    """
    with suppress(Exception):  # whatever a library says of a damaged file, the others are looked at
        yield from judge(path)


def looked_at(path: Path) -> tuple[tuple[Found, ...], bool]:
    """What a file holds, and whether it is damaged or cannot be opened; judged once as long as it does not change.

    A file that is gone since the folder was listed holds nothing.
    """
    state = _state(path)
    try:
        return ((), _is_closed(path)) if state is None else _identified(path, state)
    except _NotOpenedError:
        return (), True


def _state(path: Path) -> str | None:
    """What changes when a file does; None where it is gone, or may not be looked at."""
    try:
        return str(file_memory.state_of(path))
    except OSError:
        return None


def _is_closed(path: Path) -> bool:
    """Whether a file is there, and may not be opened."""
    try:
        path.open("rb").close()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


@lru_cache(maxsize=1 << 16)
def _identified(path: Path, _state: str) -> tuple[tuple[Found, ...], bool]:
    """What a file holds, and whether it is damaged; remembered from one run to the next.

    Raises
    ------
    _NotOpenedError
        It was not looked into, so that nothing is known of it: the next look may succeed.
    """
    known = file_memory.recall("holds", path)
    if known is not None:
        return tuple(Found(Path(one["path"]), **one["about"]) for one in known["found"]), known["damaged"]
    found, broken = _opened(path)
    told = [{"path": str(one.path), "about": {n: getattr(one, n) for n in _ABOUT}} for one in found]
    file_memory.remember("holds", path, {"found": told, "damaged": broken})
    return found, broken


def _opened(path: Path) -> tuple[tuple[Found, ...], bool]:
    try:
        return tuple(judge(path)), False
    except Exception as error:
        # GDAL says in words of its own that it cannot open a file
        if _is_of_the_system(error) or _is_closed(path):
            raise _NotOpenedError from error
        return (), _is_damaged(path)


class _NotOpenedError(Exception):
    """A file that could not be looked into, whatever it holds."""


_OF_THE_SYSTEM = frozenset(
    getattr(errno, name, None)
    for name in (
        *("EACCES", "EAGAIN", "EBUSY", "EDQUOT", "EINTR", "EIO", "EMFILE", "ENETDOWN", "ENETUNREACH", "ENFILE"),
        *("ENOLCK", "ENOMEM", "ENOSPC", "EPERM", "ESTALE", "ETIMEDOUT"),
    )
) - {None}
"""Errors that say nothing of what a file holds, and may be gone at the next look."""


def _is_of_the_system(error: BaseException | None) -> bool:
    """Whether an error, or one that it arose from, is of the system or of another program and not of the file."""
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM):
            return True
        if getattr(error, "key", "") == "formats.open_elsewhere":
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_damaged(path: Path) -> bool:
    """Whether a file that cannot be read is a damaged one: empty ones, and forms of much that is not ours, are not."""
    with suppress(OSError):
        return path.stat().st_size > 0 and path.suffix.lower() not in (".json", ".txt")
    return False


def files_in(folder: Path) -> list[Path]:
    """Files of a folder that have the ending of a form that is read; pipes, sockets and devices are not files."""
    return list(_looked_into(folder)[1])


def closed_in(folder: Path) -> list[Path]:
    """What a folder holds that cannot be looked at: folders, and files of a form that is read."""
    return [place for place, _ in _looked_into(folder)[0].unseen(SUFFIXES)]


def _looked_into(folder: Path) -> tuple[folder_walk.Walked, list[Path]]:
    """What a folder holds, and its files of a form that is read.

    It is walked once in a process, as long as no folder in it changes.
    """
    key = (folder, os.path.abspath(folder))  # noqa: PTH100 - links stay links
    with suppress(KeyError, OSError):
        walked, found = _walked[key]
        if all(os.stat(place).st_mtime_ns == then for place, then in walked.states):  # noqa: PTH116
            return walked, found
    walked = folder_walk.walk(folder)
    of_form = [path for path in walked.files if path.name.lower().endswith(SUFFIXES)]
    found = sorted(path for path in of_form if path.suffix.lower() in SUFFIXES and not dbf_tables.is_part(path))
    if not walked.closed and all(is_settled(then) for _, then in walked.states):
        _walked[key] = walked, found
    return walked, found
