"""What an archive holds, and how to unpack it without harm.

Zip and 7z, and the zip that holds one 7z (Insee, Filosofi 2019): told apart by their first bytes, not by their
names. An archive comes from a stranger: a member whose path leaves the folder, a link, a bomb (by the size
declared and by the bytes that come) or a bad checksum is refused, every problem at once. Files are unpacked
beside the target and renamed, so nothing is left half-written. Sizes are bytes.
"""

import contextlib
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from qpvgeo.errors import DiskFullError, MissingDataError, UsageError
from qpvgeo.formats.archive_safety import DAMAGE, Entry, damaged, refuse_bomb, refuse_hostile, zip_entry
from qpvgeo.formats.atomic_write import rename
from qpvgeo.frames.provenance import file_state, hashed
from qpvgeo.language import Note

if TYPE_CHECKING:
    import io

    import py7zr

__all__ = ["Archive", "extract", "is_whole", "members", "opened"]

_7Z = b"7z\xbc\xaf\x27\x1c"
# signature, version and checksum; then where the index is and how long
_7Z_HEADER = struct.Struct("<12sQQ4x")
_CHUNK = 1 << 20


class Archive:
    """An open archive that is known to be harmless.

    Attributes
    ----------
    members
        Its files, as paths with forward slashes, in its order.
    """

    def __init__(
        self,
        path: Path,
        handle: "io.BufferedReader",
        packed: "zipfile.ZipFile | py7zr.SevenZipFile",
        entries: list[Entry],
    ) -> None:
        self._path, self._handle, self._packed = path, handle, packed
        self._files = [entry for entry in entries if not entry.folder]
        self.members = [entry.name for entry in self._files]

    def extract(self, into: str | os.PathLike[str], members: Iterable[str] | None = None) -> list[Path]:
        """Unpack files, as the function `extract` does, and know the SHA-256 of the archive from then on."""
        path, into = self._path, _folder(into)
        with (
            _room_watched(path, into.parent),
            tempfile.TemporaryDirectory(dir=into.parent, prefix=f".{into.name}-", ignore_cleanup_errors=True) as stage,
        ):
            hashed(path, file_state(self._handle.fileno()), self._handle)
            chosen = self._chosen(members)
            _refuse_without_room(path, into, sum(entry.size for entry in chosen))
            files = Path(stage, "files")
            files.mkdir()
            if isinstance(self._packed, zipfile.ZipFile):
                problems = _unpack_zip(self._packed, chosen, files)
            else:
                problems = _unpack_7z(self._packed, chosen, files)
            if problems:
                raise damaged(path, problems)
            return _settle(files, into, chosen)

    def _chosen(self, wanted: Iterable[str] | None) -> list[Entry]:
        if wanted is None:
            return self._files
        names = set(wanted)
        if absent := sorted(names.difference(self.members)):
            raise UsageError(
                Note("formats.no_members", path=str(self._path)),
                problems=absent,
                way_out=Note("formats.its_members", count=len(self._files), names=self.members),
            )
        return [entry for entry in self._files if entry.name in names]


@contextlib.contextmanager
def opened(path: Path, *, beside: Path | None = None) -> Iterator[Archive]:
    """Open an archive once, to list it and to unpack it.

    Parameters
    ----------
    path
        A zip or 7z file, or a zip that holds one 7z, which is unpacked for as long as the archive is open.
    beside
        Folder to unpack the 7z in; that of temporary files by default.

    Raises
    ------
    MissingDataError
        There is no such file.
    ArchiveError
        It is not an archive, or it is damaged or hostile.
    DiskFullError
        There is no room for the 7z.
    """
    if not path.is_file():
        raise MissingDataError(Note("formats.no_file", file=str(path)), way_out=Note("formats.check_the_path"))
    with contextlib.ExitStack() as stack:
        handle = stack.enter_context(path.open("rb"))
        if handle.read(len(_7Z)) == _7Z:
            yield Archive(path, handle, *_open_7z(path, path, stack))
            return
        try:
            archive = stack.enter_context(zipfile.ZipFile(handle))
        except DAMAGE as error:
            raise damaged(path, [f"it does not open as a zip ({error})"]) from error
        entries = [zip_entry(info) for info in archive.infolist()]
        refuse_hostile(path, entries)
        files = [entry for entry in entries if not entry.folder]
        if len(files) == 1 and files[0].name.lower().endswith(".7z"):
            made = tempfile.TemporaryDirectory(dir=beside, prefix=".qpvgeo-", ignore_cleanup_errors=True)
            scratch = Path(stack.enter_context(made))
            with _room_watched(path, scratch.parent):
                problems = _unpack_zip(archive, files, scratch)
            if problems:
                raise damaged(path, problems)
            yield Archive(path, handle, *_open_7z(scratch / files[0].name, path, stack))
            return
        yield Archive(path, handle, archive, entries)


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
    with opened(Path(path)) as archive:
        return archive.members


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
    into = _folder(into)
    with opened(Path(path), beside=into.parent) as archive:
        return archive.extract(into, members)


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


def _folder(into: str | os.PathLike[str]) -> Path:
    """Folder to put files in, beside which there is one to unpack them in."""
    folder = Path(into).absolute()
    if folder.exists() and not folder.is_dir():
        raise UsageError(Note("formats.into_a_file", path=str(folder)), way_out=Note("formats.name_a_folder"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


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
    refuse_hostile(named, entries)
    refuse_bomb(named, sum(entry.size for entry in entries), path.stat().st_size)
    return archive, entries


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
            rename(stage / entry.name, target)
    else:
        rename(stage, into)
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
def _room_watched(path: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not _is_full(error):
            raise
        message = Note("formats.no_room", file=path.name, folder=str(folder))
        raise DiskFullError(message, way_out=Note("formats.make_room")) from error
