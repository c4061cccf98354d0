"""What an archive holds, and how to unpack it without harm.

Zip and 7z, and the zip that holds one 7z (Insee, Filosofi 2019): told apart by their first bytes, not by their
names. An archive comes from a stranger: a member whose path leaves the folder, a link, a bomb (by the size
declared and by the bytes that come) or a bad checksum is refused, every problem at once. Files are unpacked
beside the target and renamed, so nothing is left half-written. Sizes are bytes.
"""

import contextlib
import dataclasses
import lzma
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from qpvgeo.errors import ArchiveError, DiskFullError, MissingDataError, UsageError
from qpvgeo.frames.provenance import file_state, hashed
from qpvgeo.language import Note

if TYPE_CHECKING:
    import py7zr

__all__ = [
    "DAMAGE",
    "MAX_BYTES",
    "MAX_MEMBERS",
    "MAX_RATIO",
    "RATIO_FROM_BYTES",
    "Entry",
    "clashes",
    "damaged",
    "extract",
    "is_bomb",
    "is_whole",
    "members",
    "zip_entry",
]

MAX_BYTES = 20 * 10**9
"""Most bytes that an archive may unpack to; all France at 200 m is far below."""

MAX_MEMBERS = 100_000
"""Most members that an archive may have."""

MAX_RATIO = 200
"""Most bytes that a packed byte may become; text packs ten to one."""

RATIO_FROM_BYTES = 100 * 10**6
"""Size from which the ratio is looked at: a small file of spaces is not a bomb."""

_7Z = b"7z\xbc\xaf\x27\x1c"
# signature, version and checksum; then where the index is and how long
_7Z_HEADER = struct.Struct("<12sQQ4x")
_CHUNK = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")
_ENCRYPTED = 0x1
# what zipfile raises on damaged bytes, OSError for a place before the file, and on methods it does not know
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A member as the index of the archive lists it; `packed` is None where members are packed together."""

    name: str
    size: int
    packed: int | None
    folder: bool
    link: bool
    encrypted: bool


def members(path: str | os.PathLike[str]) -> list[str]:
    """List the files in an archive.

    Parameters
    ----------
    path
        A zip or 7z file; of a zip that holds one 7z, the members of the 7z are listed.

    Returns
    -------
    list of str
        Paths with forward slashes, in the order of the archive, folders left out.

    Raises
    ------
    MissingDataError
        There is no such file.
    ArchiveError
        It is not an archive, or it is damaged or hostile.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with zipfile.ZipFile(f"{folder}/list.zip", "w") as archive:
    ...         archive.writestr("GEOJSON/qpv.geojson", "{}")
    ...     members(f"{folder}/list.zip")
    ['GEOJSON/qpv.geojson']
    """
    path = Path(path)
    _require_file(path)
    return list(_members(path, file_state(path)))


@lru_cache(maxsize=256)
def _members(path: Path, _state: tuple[int, ...]) -> tuple[str, ...]:
    """Files in an archive, listed once in each of its states: a 7z in a zip has to be unpacked for it."""
    with tempfile.TemporaryDirectory(prefix="qpvgeo-") as scratch, _opened(path, Path(scratch)) as (_, entries):
        return tuple(entry.name for entry in entries if not entry.folder)


def extract(
    path: str | os.PathLike[str], into: str | os.PathLike[str], members: Iterable[str] | None = None
) -> list[Path]:
    """Unpack an archive, or some of its members.

    Parameters
    ----------
    path
        A zip or 7z file, or a zip that holds one 7z.
    into
        Folder to put the files in, made if need be; files of the same name are replaced.
    members
        Members to unpack, as `members` lists them; all of them by default.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of the archive.

    Raises
    ------
    MissingDataError
        There is no such file.
    UsageError
        A member asked for is not in the archive, or `into` is a file.
    ArchiveError
        It is not an archive, or it is damaged or hostile; nothing is left of it.
    DiskFullError
        There is no room for it; nothing is left of it.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with zipfile.ZipFile(f"{folder}/list.zip", "w") as archive:
    ...         archive.writestr("GEOJSON/qpv.geojson", "{}")
    ...     [file.name for file in extract(f"{folder}/list.zip", f"{folder}/list")]
    ['qpv.geojson']
    """
    path, into = Path(path), Path(into).absolute()
    if into.exists() and not into.is_dir():
        raise UsageError(Note("formats.into_a_file", path=str(into)), way_out=Note("formats.name_a_folder"))
    into.parent.mkdir(parents=True, exist_ok=True)
    with (
        _room_watched(path, into),
        tempfile.TemporaryDirectory(dir=into.parent, prefix=f".{into.name}-") as scratch,
        _opened(path, Path(scratch), hashing=True) as (archive, entries),
    ):
        chosen = _chosen(path, entries, members)
        _refuse_without_room(path, into, sum(entry.size for entry in chosen))
        stage = Path(scratch, "files")
        stage.mkdir()
        if isinstance(archive, zipfile.ZipFile):
            problems = _unpack_zip(archive, chosen, stage)
        else:
            problems = _unpack_7z(archive, chosen, stage)
        if problems:
            raise damaged(path, problems)
        return _settle(stage, into, chosen)


def is_whole(path: str | os.PathLike[str]) -> bool:
    r"""Tell whether the end of an archive is there, without unpacking it.

    Parameters
    ----------
    path
        A zip or 7z file.

    Returns
    -------
    bool
        False for a file cut short, and for one that is no archive.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "cut.zip")
    ...     _ = path.write_bytes(b"PK\3\4 and nothing more")
    ...     is_whole(path)
    False
    """
    path = Path(path)
    with path.open("rb") as handle:
        start = handle.read(_7Z_HEADER.size)
    if not start.startswith(_7Z):
        return zipfile.is_zipfile(path)
    if len(start) < _7Z_HEADER.size:
        return False
    _, offset, size = _7Z_HEADER.unpack(start)
    return path.stat().st_size >= _7Z_HEADER.size + int(offset) + int(size)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise MissingDataError(Note("formats.no_file", file=str(path)), way_out=Note("formats.check_the_path"))


@contextlib.contextmanager
def _opened(
    path: Path, scratch: Path, *, hashing: bool = False
) -> "Iterator[tuple[zipfile.ZipFile | py7zr.SevenZipFile, list[Entry]]]":
    """Open what holds the files, and list it once it is known to be harmless; its SHA-256 is known after `hashing`."""
    _require_file(path)
    with contextlib.ExitStack() as stack:
        handle = stack.enter_context(path.open("rb"))
        if hashing:
            hashed(path, file_state(handle.fileno()), handle)
            handle.seek(0)
        if handle.read(len(_7Z)) == _7Z:
            yield _open_7z(path, path, stack)
            return
        try:
            archive = stack.enter_context(zipfile.ZipFile(handle))
        except DAMAGE as error:
            raise damaged(path, [f"it does not open as a zip ({error})"]) from error
        entries = [zip_entry(info) for info in archive.infolist()]
        _refuse_hostile(path, entries)
        files = [entry for entry in entries if not entry.folder]
        if len(files) == 1 and files[0].name.lower().endswith(".7z"):
            if problems := _unpack_zip(archive, files, scratch / "inner"):
                raise damaged(path, problems)
            yield _open_7z(scratch / "inner" / files[0].name, path, stack)
            return
        yield archive, entries


def _open_7z(path: Path, named: Path, stack: contextlib.ExitStack) -> "tuple[py7zr.SevenZipFile, list[Entry]]":
    import py7zr  # noqa: PLC0415 - most archives are zips, which do not wait for it

    try:
        archive = stack.enter_context(py7zr.SevenZipFile(path))
        encrypted = archive.needs_password()
        entries = [
            Entry(f.filename, f.uncompressed, None, f.is_directory, f.is_symlink or f.is_junction, encrypted)
            for f in archive.files
        ]
    except Exception as error:
        # its parsers raise whatever they stumble on: struct.error, IndexError, TypeError
        raise damaged(named, [f"it does not open as a 7z ({error or type(error).__name__})"]) from error
    _refuse_hostile(named, entries)
    _refuse_bomb(named, sum(entry.size for entry in entries), path.stat().st_size)
    return archive, entries


def zip_entry(info: zipfile.ZipInfo) -> Entry:
    """Describe a member of a zip."""
    link = stat.S_ISLNK(info.external_attr >> 16)
    encrypted = bool(info.flag_bits & _ENCRYPTED)
    # the name as it stands, before zipfile makes it fit this system
    name = info.orig_filename
    return Entry(name, info.file_size, info.compress_size, name.endswith("/"), link, encrypted)


def _refuse_hostile(path: Path, entries: list[Entry]) -> None:
    problems: list[str] = [
        Note("formats.member_fault", member=entry.name, fault=fault) for entry in entries for fault in _faults(entry)
    ]
    problems += clashes([entry for entry in entries if not entry.folder])
    total = sum(entry.size for entry in entries)
    if len(entries) > MAX_MEMBERS:
        problems.append(Note("formats.many_members", count=len(entries), most=MAX_MEMBERS))
    if total > MAX_BYTES:
        problems.append(Note("formats.many_bytes", count=total, most=MAX_BYTES))
    if sum(entry.packed or 0 for entry in entries) > path.stat().st_size:
        problems.append(Note("formats.members_overlap"))
    if problems:
        raise damaged(path, problems)


def _faults(entry: Entry) -> Iterator[str]:
    if _escapes(entry.name):
        yield Note("formats.escapes")
    if entry.link:
        yield Note("formats.is_link")
    if entry.encrypted:
        yield Note("formats.is_encrypted")
    if entry.packed is not None and is_bomb(entry.size, entry.packed):
        yield Note("formats.bomb", size=entry.size, packed=entry.packed)


def _escapes(name: str) -> bool:
    """Tell whether a member's path could land outside the folder, on any system."""
    parts = PurePosixPath(name).parts
    rooted = name.startswith("/") or _DRIVE.match(name) is not None
    return rooted or not parts or ".." in parts or "\\" in name or "\0" in name


def clashes(files: list[Entry]) -> list[str]:
    """Files that would overwrite one another, on a disk that ignores case too."""
    seen: set[PurePosixPath] = set()
    problems: list[str] = []
    for entry in files:
        place = PurePosixPath(entry.name.casefold())
        if place in seen:
            problems.append(Note("formats.member_twice", member=entry.name))
        seen.add(place)
    return problems + [
        Note("formats.file_and_folder", member=str(place)) for place in seen if not seen.isdisjoint(place.parents)
    ]


def is_bomb(size: int, packed: int) -> bool:
    """Whether so many bytes out of so few are more than data hold."""
    return size > RATIO_FROM_BYTES and size > MAX_RATIO * packed


def _refuse_bomb(path: Path, size: int, packed: int) -> None:
    # the members of a 7z are packed together, so only the whole has a ratio
    if is_bomb(size, packed):
        raise damaged(path, [Note("formats.bomb", size=size, packed=packed)])


def _chosen(path: Path, entries: list[Entry], wanted: Iterable[str] | None) -> list[Entry]:
    files = [entry for entry in entries if not entry.folder]
    if wanted is None:
        return files
    names = set(wanted)
    absent = sorted(names.difference(entry.name for entry in files))
    if absent:
        raise UsageError(
            Note("formats.no_members", path=str(path)),
            problems=absent,
            way_out=Note("formats.its_members", count=len(files), names=[entry.name for entry in files]),
        )
    return [entry for entry in files if entry.name in names]


def _unpack_zip(archive: zipfile.ZipFile, entries: list[Entry], stage: Path) -> list[str]:
    problems: list[str] = []
    for entry in entries:
        target = stage / entry.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry.name) as source, target.open("wb") as out:
                _copy(source, out, entry.size)
        except DAMAGE as error:
            if _is_full(error):
                raise
            problems.append(
                Note("formats.member_fault", member=entry.name, fault=str(error) or Note("formats.ends_early"))
            )
    return problems


def _copy(source: IO[bytes], out: IO[bytes], declared: int) -> None:
    """Copy in chunks, and stop as soon as more comes than was declared."""
    written = 0
    while chunk := source.read(_CHUNK):
        written += len(chunk)
        if written > declared:
            raise zipfile.BadZipFile(f"more than the {declared:,} bytes declared")
        out.write(chunk)
    if written < declared:
        raise EOFError(f"it ends after {written:,} of {declared:,} bytes")


def _unpack_7z(archive: "py7zr.SevenZipFile", entries: list[Entry], stage: Path) -> list[str]:
    try:
        for entry in entries:
            (stage / entry.name).parent.mkdir(parents=True, exist_ok=True)
        # py7zr reads no more than each member's declared size, then compares its checksum
        archive.extract(path=stage, targets=[entry.name for entry in entries])
    except Exception as error:
        # damaged data surface as any exception of its decoders
        if _is_full(error):
            raise
        return [Note("formats.does_not_unpack", cause=f"{type(error).__name__}: {error}")]
    sizes = {entry: (stage / entry.name).stat().st_size if (stage / entry.name).is_file() else 0 for entry in entries}
    return [
        Note("formats.member_size", member=entry.name, size=size, declared=entry.size)
        for entry, size in sizes.items()
        if size != entry.size
    ]


def _settle(stage: Path, into: Path, entries: list[Entry]) -> list[Path]:
    if into.exists():
        for entry in entries:
            target = into / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            (stage / entry.name).replace(target)
    else:
        stage.replace(into)
    return [into / entry.name for entry in entries]


def _refuse_without_room(path: Path, into: Path, needed: int) -> None:
    free = shutil.disk_usage(into.parent).free
    if needed > free:
        raise DiskFullError(
            Note("formats.no_room", file=path.name, folder=str(into.parent)),
            problems=[Note("formats.bytes_needed", needed=needed, free=free)],
            way_out=Note("formats.make_room"),
        )


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in DiskFullError.codes


@contextlib.contextmanager
def _room_watched(path: Path, into: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not _is_full(error):
            raise
        message = Note("formats.no_room", file=path.name, folder=str(into.parent))
        raise DiskFullError(message, way_out=Note("formats.make_room")) from error


def damaged(path: Path, problems: list[str]) -> ArchiveError:
    """Error for an archive that is damaged or hostile."""
    return ArchiveError(
        Note("formats.unsafe_archive", path=str(path)), problems=problems, way_out=Note("formats.download_or_unpack")
    )
