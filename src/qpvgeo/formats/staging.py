"""Files ready for GDAL and Arrow: members of archives unpacked once, and copies where a file cannot be read in place.

JSON that is not in UTF-8 is copied in UTF-8, for GDAL reads no other. A member is unpacked with the files of the same
name beside it, its size bounded and its checksum verified, into a folder that goes with the process. Nothing is read
through the virtual file systems of GDAL.
"""

import atexit
import codecs
import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
import threading
from collections import OrderedDict
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

from qpvgeo.errors import ArchiveError, DataError, QpvgeoError
from qpvgeo.formats import gzip_file
from qpvgeo.formats.atomic_write import is_alive
from qpvgeo.formats.file_names import plain
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.vector_forms import (
    JSON,
    dataset_of,
    encoding_of_json,
    is_written,
    opens_in_place,
    parts_of,
    require_sound_geopackage,
)
from qpvgeo.formats.zip_members import opened_zip, read_member, zip_members
from qpvgeo.frames.provenance import file_state, hashed
from qpvgeo.language import Note

if TYPE_CHECKING:
    import io

__all__ = ["admitted", "encoding_before", "staged"]

_LARGEST = 4 << 30
_KEPT_BYTES = 4 << 30
_PREFIX = "qpvgeo-staged-"

_lock = threading.Lock()
_root: tuple[int, Path] | None = None
_kept: OrderedDict[tuple[object, ...], tuple[Path, int, str | None]] = OrderedDict()


def _renew_lock() -> None:
    """Replace a lock that another thread may have held when the process forked."""
    global _lock  # noqa: PLW0603 - one lock a process
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def staged(path: Path, member: str | None = None) -> Path:
    """File to read in place of a file or of a member of a zip: the same content, sound, on disk.

    Raises
    ------
    ArchiveError
        The archive or the member is damaged, too large or a bomb.
    DataError
        A GeoPackage is damaged, or open in a program that has not written all of it.
    """
    return _made(path, member)[0]


def encoding_before(path: Path, member: str | None = None) -> str | None:
    """Encoding of a file of JSON that was turned into UTF-8 to be read; None for every other file."""
    suffix = PurePosixPath(member or path.name).suffix.lower()
    found = _made(path, member)[1] if suffix in JSON else None
    return None if found == "utf-8-sig" else found


def _made(path: Path, member: str | None) -> tuple[Path, str | None]:
    """File to read, and the encoding of the text that it was copied from."""
    suffix = PurePosixPath(member or path.name).suffix.lower()
    if member is None and suffix not in (".gpkg", ".gml", *JSON) and _is_sayable(path):
        return path, None
    with foreign(path.name):
        state = path.stat()
        key = (str(path.resolve()), state.st_size, state.st_mtime_ns, member)
    if member is None and suffix == ".gpkg":
        _state(path)
    with _lock:
        known = _kept.get(key)
        if known is not None and known[0].exists():
            _kept.move_to_end(key)
            return known[0], known[2]
        made = path if member is None else _unpacked(path, member)
        encoding = None
        if suffix in JSON:
            with foreign(path.name):
                encoding = encoding_of_json(made)
                made = made if encoding is None and _is_sayable(made) else _in_utf8(made, encoding or "utf-8")
        elif suffix == ".gpkg":
            made = _geopackage(made, path)
        elif member is None:
            made = _copied(path)  # GDAL writes a file beside the GML that it reads
        size = sum(part.stat().st_size for part in made.parent.iterdir()) if made != path else 0
        _kept[key] = (made, size, encoding)
        _forget_oldest()
        return made, encoding


def _in_utf8(path: Path, encoding: str) -> Path:
    """Copy of a text in UTF-8."""
    made = Path(tempfile.mkdtemp(dir=_own_root())) / plain(path.name)
    # bytes that cp1252 does not know are those of latin-1
    decoder = codecs.getincrementaldecoder("latin-1" if encoding == "cp1252" else encoding)()
    table = {code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}
    with path.open("rb") as source, made.open("w", encoding="utf-8", newline="") as sink:
        while block := source.read(1 << 22):
            text = decoder.decode(block)
            sink.write(text.translate(table) if encoding == "cp1252" else text)
        sink.write(decoder.decode(b"", final=True))
    return made


def admitted(path: Path, label: str) -> Path:
    """File that GDAL may open in place of a file: sound, and of the form that its ending says.

    Raises
    ------
    DataError
        The content is damaged, of another form, or refers to other files or the network.
    """
    made = staged(path)
    dataset_of(made, label)
    return made


def _is_sayable(path: Path) -> bool:
    """Whether GDAL can be given the name of a file: names that old archives unpack to are not always text."""
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError:
        return False
    return True


def _unpacked(path: Path, member: str) -> Path:
    if path.suffix.lower() == ".gz":
        made = Path(tempfile.mkdtemp(dir=_own_root())) / plain(member)
        with foreign(path.name, kind=ArchiveError):
            gzip_file.unpack(path, made)
        return made
    with foreign(path.name, kind=ArchiveError), opened_zip(path) as archive:
        stream = cast("io.BufferedReader", archive.fp)
        hashed(path, file_state(stream.fileno()), stream)
        names = zip_members(archive, path.name, largest=_LARGEST)
        stem = str(PurePosixPath(member).with_suffix("")).lower()
        folder = Path(tempfile.mkdtemp(dir=_own_root()))
        for name in names:
            if name != member and str(PurePosixPath(name).with_suffix("")).lower() != stem:
                continue
            with (folder / plain(name)).open("wb") as out:
                for block in read_member(archive, name, path.name):
                    out.write(block)
    return folder / plain(member)


def _copied(path: Path) -> Path:
    folder = Path(tempfile.mkdtemp(dir=_own_root()))
    try:
        with foreign(path.name):
            for part in parts_of(path):
                shutil.copyfile(part, folder / plain(part.name))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder / plain(path.name)


def _geopackage(made: Path, path: Path) -> Path:
    """A GeoPackage that GDAL reads and writes nothing beside: itself where it can, else a copy.

    Layers of any geometry are declared without heights in a copy: pyogrio refuses those.
    """
    if made == path:
        with foreign(path.name):
            in_place = _is_sayable(path) and opens_in_place(path)
        made = path if in_place else _settled_copy(path)
    try:
        if not require_sound_geopackage(made, path.name):
            return made
        made = _copied(path) if made == path else made
        with foreign(path.name), closing(sqlite3.connect(made)) as base:
            base.execute("UPDATE gpkg_geometry_columns SET z = 0, m = 0 WHERE upper(geometry_type_name) = 'GEOMETRY'")
            # as the column itself is declared, or GDAL warns of the difference
            base.execute(
                "UPDATE gpkg_geometry_columns SET geometry_type_name = coalesce((SELECT upper(type) FROM "
                "pragma_table_info(gpkg_geometry_columns.table_name) WHERE name = gpkg_geometry_columns.column_name), "
                "geometry_type_name) WHERE upper(geometry_type_name) = 'GEOMETRY'"
            )
            base.commit()
    except QpvgeoError:
        if made != path:
            shutil.rmtree(made.parent, ignore_errors=True)
        raise
    return made


def _settled_copy(path: Path) -> Path:
    """Copy of a GeoPackage that no program has changed in the meantime."""
    before = _state(path)
    made = _copied(path)
    if _state(path) != before:
        shutil.rmtree(made.parent, ignore_errors=True)
        raise _open_elsewhere(path)
    return made


def _state(path: Path) -> tuple[int, int]:
    """Size and time of the last change of a GeoPackage all of whose changes are in its file."""
    with foreign(path.name):
        state = path.stat()
        if not is_written(path):
            raise _open_elsewhere(path)
    return state.st_size, state.st_mtime_ns


def _open_elsewhere(path: Path) -> DataError:
    return DataError(Note("formats.open_elsewhere", file=path.name), way_out=Note("formats.close_elsewhere"))


def _own_root() -> Path:
    """Folder of this process, made at first; those of dead processes are removed then."""
    global _root  # noqa: PLW0603 - one folder a process
    if _root is None or _root[0] != os.getpid() or not _root[1].is_dir():
        _sweep()
        _kept.clear()
        _root = (os.getpid(), Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")))
        atexit.register(_remove, *_root)
    return _root[1]


def _remove(pid: int, folder: Path) -> None:
    if pid == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        found = re.match(rf"{_PREFIX}(\d+)-", left.name)
        with contextlib.suppress(OSError):
            mine = not hasattr(os, "getuid") or left.lstat().st_uid == os.getuid()
            if found and mine and not left.is_symlink() and not is_alive(int(found[1])):
                shutil.rmtree(left, ignore_errors=True)


def _forget_oldest() -> None:
    """Remove what was staged longest ago, beyond the room that is kept."""
    while len(_kept) > 1 and sum(size for _, size, _ in _kept.values()) > _KEPT_BYTES:
        _, (made, size, _) = _kept.popitem(last=False)
        if size:
            shutil.rmtree(made.parent, ignore_errors=True)
