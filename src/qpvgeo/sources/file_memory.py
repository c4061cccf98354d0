"""What was found out about files on disk, remembered from one run to the next: what they hold, their SHA-256.

A file is known by its path and by the size, dates and inode of it and of its parts (a shapefile has several); one that
was written less than two seconds ago is looked at again, for its date may not tell a change. What is remembered belongs
to one build of qpvgeo and of the libraries that read files (`build`): another looks again. It stands in
`processed/known-files` of the cache; `QPVGEO_PROCESSED=0` leaves it alone. Losing it costs time only.
"""

import atexit
import functools
import hashlib
import json
import os
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from qpvgeo import settings
from qpvgeo._version import __version__
from qpvgeo.formats import atomic_write
from qpvgeo.formats.file_times import is_settled
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.formats.vector_forms import parts_of
from qpvgeo.frames.provenance import file_record, file_state

__all__ = ["build", "recall", "record", "remember", "save", "sha256_of", "state_of"]

_NAME = "known-files"
_LIBRARIES = ("geopandas", "numpy", "pandas", "pyarrow", "pyogrio", "pyproj", "shapely", "openpyxl", "xlrd")

_read: dict[Path, dict[str, Any]] = {}
_changed: set[Path] = set()


@functools.cache
def build() -> str:
    """Short hash of what reads files: the version of qpvgeo, its modules and tables on disk, the libraries below it."""
    package = Path(__file__).resolve().parents[1]
    said = [__version__, sys.version]
    for folder, below, names in os.walk(package):
        below[:] = sorted(name for name in below if name not in ("__pycache__", "data"))
        for name in sorted(names):
            if name.endswith((".py", ".csv", ".toml")):
                state = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - hundreds of files, at every run
                said.append(f"{name} {state.st_size} {state.st_mtime_ns}")
    for name in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            said.append(f"{name} {metadata.version(name)}")
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def state_of(path: Path) -> list[Any]:
    """What changes when a file, or a part of it, does."""
    parts = parts_of(path)
    return [*file_state(parts[0]), *([part.name, *file_state(part)] for part in parts[1:])]


def _store() -> Path:
    return settings.cache_dir() / "processed" / _NAME


def _known() -> dict[str, Any]:
    """What is remembered, read once in a run."""
    store = _store()
    if store not in _read:
        _read[store] = _on_disk(store)
    return _read[store]


def _on_disk(store: Path) -> dict[str, Any]:
    try:
        held = json.loads(store.read_text(encoding="utf-8"))
        return dict(held["files"]) if held["build"] == build() else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def recall(what: str, path: Path) -> Any | None:  # noqa: ANN401 - what JSON holds
    """What was remembered of a file, as long as it is the same; None where nothing is."""
    if not settings.processed():
        return None
    entry = _known().get(os.path.abspath(path))  # noqa: PTH100 - links stay links
    try:
        return entry[what] if entry is not None and entry["state"] == state_of(path) else None
    except (OSError, KeyError, TypeError):
        return None


def remember(what: str, path: Path, value: Any) -> None:  # noqa: ANN401
    """Remember a JSON value of a file; `save` writes it at the end of the process."""
    if not settings.processed():
        return
    with suppress(OSError):
        state = state_of(path)
        if not is_settled(max(state[1], *(part[2] for part in state[4:]), 0)):
            return
        known, name = _known(), os.path.abspath(path)  # noqa: PTH100
        entry = known.get(name)
        if not isinstance(entry, dict) or entry.get("state") != state:
            entry = known[name] = {"state": state}
        entry[what] = value
        _changed.add(_store())


@atexit.register
def save() -> None:
    """Write what is new, with what other runs wrote in the meantime; a disk that refuses is left alone.

    Done once, at the end of the process.
    """
    store = _store()
    if store not in _changed:
        return
    _changed.discard(store)
    with suppress(OSError):
        store.parent.mkdir(parents=True, exist_ok=True)
        files = {name: entry for name, entry in (_on_disk(store) | _known()).items() if os.path.exists(name)}  # noqa: PTH110
        text = json.dumps({"build": build(), "files": files}, separators=(",", ":"))
        atomic_write.replace(store, lambda beside: beside.write_text(text, encoding="utf-8"))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, computed once as long as it does not change."""
    known = recall("sha256", path)
    if isinstance(known, str):
        return known
    sha256 = str(file_record(path)["sha256"])
    remember("sha256", path, sha256)
    return sha256


def record(path: Path, *, member: str | None = None) -> dict[str, Any]:
    """Record of a file that is read (`qpvgeo.frames.provenance.file_record`), its SHA-256 remembered."""
    with foreign(path.name):  # it may be gone since it was read
        return file_record(path, member=member, sha256=sha256_of(path))
