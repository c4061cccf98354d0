"""What is refused of an archive that comes from a stranger, by what its index lists.

A member whose path leaves the folder, a link, a bomb by the size declared, names that clash. Sizes are bytes.
"""

import dataclasses
import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from qpvgeo.errors import ArchiveError
from qpvgeo.formats.file_names import is_portable
from qpvgeo.language import Note

__all__ = [
    "DAMAGE",
    "MAX_BYTES",
    "MAX_MEMBERS",
    "MAX_RATIO",
    "RATIO_FROM_BYTES",
    "Entry",
    "clashes",
    "damaged",
    "is_bomb",
    "refuse_bomb",
    "refuse_hostile",
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


def zip_entry(info: zipfile.ZipInfo) -> Entry:
    """Describe a member of a zip."""
    link = stat.S_ISLNK(info.external_attr >> 16)
    encrypted = bool(info.flag_bits & _ENCRYPTED)
    # the name as it stands, before zipfile makes it fit this system
    name = info.orig_filename
    return Entry(name, info.file_size, info.compress_size, name.endswith("/"), link, encrypted)


def refuse_hostile(path: Path, entries: list[Entry]) -> None:
    """Raise when members could leave the folder, be links or bombs, or overwrite one another.

    Raises
    ------
    ArchiveError
        All that is wrong.
    """
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


def _faults(entry: Entry, *, windows: bool = os.name == "nt") -> Iterator[str]:
    if _escapes(entry.name):
        yield Note("formats.escapes")
    elif windows and not is_portable(entry.name.rstrip("/")):
        yield Note("formats.no_windows_name")
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


def refuse_bomb(path: Path, size: int, packed: int) -> None:
    """Raise when a whole archive is a bomb: the members of a 7z are packed together, and have no ratio of their own."""
    if is_bomb(size, packed):
        raise damaged(path, [Note("formats.bomb", size=size, packed=packed)])


def damaged(path: Path, problems: list[str]) -> ArchiveError:
    """Error for an archive that is damaged or hostile."""
    return ArchiveError(
        Note("formats.unsafe_archive", path=str(path)), problems=problems, way_out=Note("formats.download_or_unpack")
    )
