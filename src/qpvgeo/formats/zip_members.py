"""Members of a zip read in place: sizes bounded, checksums verified, errors that name the member."""

import contextlib
import zipfile
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType

from qpvgeo.errors import ArchiveError
from qpvgeo.formats import archive_safety
from qpvgeo.formats.reader_errors import cause_of
from qpvgeo.language import Note

__all__ = ["opened_zip", "read_member", "zip_members"]

_CHUNK = 1 << 20
_held: ContextVar[Mapping[Path, zipfile.ZipFile]] = ContextVar("held", default=MappingProxyType({}))
"""Zips that a caller has open."""


@contextlib.contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip for as long as the block lasts; where a caller has it open, that is the one.

    Raises
    ------
    zipfile.BadZipFile
        It is no zip.
    """
    place = path.absolute()
    archive = _held.get().get(place)
    # a context that was copied, or that of a generator, may outlive the block
    if archive is not None and archive.fp is not None:
        yield archive
        return
    with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        token = _held.set({**_held.get(), place: archive})
        try:
            yield archive
        finally:
            _held.reset(token)


def zip_members(archive: zipfile.ZipFile, label: str, *, largest: int = archive_safety.MAX_BYTES) -> list[str]:
    """Files of an open zip, once it is known that none is a bomb and no name appears twice.

    Parameters
    ----------
    archive
        The open zip.
    label
        Name of the archive in messages.
    largest
        Most bytes of a member once unpacked.

    Raises
    ------
    ArchiveError
        All that is wrong, each member by its name.
    """
    entries = [archive_safety.zip_entry(info) for info in archive.infolist()]
    files = [entry for entry in entries if not entry.folder]
    problems: list[str] = [
        Note("formats.member_fault", member=entry.name, fault=fault)
        for entry in files
        for fault in _faults(entry, largest)
    ]
    if len(entries) > archive_safety.MAX_MEMBERS:
        problems.append(Note("formats.many_members", count=len(entries), most=archive_safety.MAX_MEMBERS))
    if sum(entry.size for entry in files) > archive_safety.MAX_BYTES:
        problems.append(Note("formats.more_bytes", most=archive_safety.MAX_BYTES))
    if problems or (problems := archive_safety.clashes(files)):
        raise archive_safety.damaged(Path(label), problems)
    return [info.filename for info in archive.infolist() if not info.filename.endswith("/")]


def _faults(entry: archive_safety.Entry, largest: int) -> Iterator[str]:
    if entry.packed is not None and archive_safety.is_bomb(entry.size, entry.packed):
        yield Note("formats.bomb", size=entry.size, packed=entry.packed)
    elif entry.size > largest:
        yield Note("formats.large_member", size=entry.size, most=largest)


def read_member(archive: zipfile.ZipFile, member: str, label: str, *, chunk: int = _CHUNK) -> Iterator[bytes]:
    """Content of a member in chunks, its size and checksum verified at the end.

    Raises
    ------
    ArchiveError
        The member is damaged, encrypted or longer than declared: it is named.
    """
    declared, read = archive.getinfo(member).file_size, 0
    try:
        with archive.open(member) as stream:
            while block := stream.read(chunk):
                read += len(block)
                if read > declared:
                    raise zipfile.BadZipFile(f"more than the {declared:,} bytes declared")
                yield block
        if read < declared:
            raise EOFError(f"it ends after {read:,} of {declared:,} bytes")
    except archive_safety.DAMAGE as error:
        message = Note("formats.member_damaged", file=label, member=member, cause=cause_of(error))
        raise ArchiveError(message, way_out=Note("formats.get_again")) from error
