"""What was downloaded, and its SHA-256: `qpvgeo.lock.json` of the cache, safe between threads and processes.

An entry by key: the name of the file, its hash and size, the day and the address. The hash is enforced from then on.
"""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from qpvgeo import settings
from qpvgeo.errors import DataError
from qpvgeo.formats import atomic_write
from qpvgeo.language import Note

__all__ = ["NAME", "entry", "locked", "path", "read", "record", "settled"]

NAME = "qpvgeo.lock.json"
_NEEDED = {"file", "sha256", "fetched_on"}


def path() -> Path:
    """The file."""
    return settings.cache_dir() / NAME


def read() -> dict[str, dict[str, Any]]:
    """Entries by key; none where there is no file.

    Raises
    ------
    DataError
        The file is not one of qpvgeo.
    """
    try:
        entries = json.loads(path().read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
        raise DataError(Note("sources.not_a_lock", path=str(path())), way_out=Note("sources.restore_the_lock"))
    return dict(entries)


def _is_entry(one: object) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(name), str) for name in _NEEDED)


def entry(name: str, sha256: str, size: int, **said: str | None) -> dict[str, Any]:
    """Entry of a file of today, with what the server said of it."""
    known = {"file": name, "sha256": sha256, "size_bytes": size, "fetched_on": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"}
    return known | {key: value for key, value in said.items() if value is not None}


def record(key: str, one: dict[str, Any], move: tuple[Path, Path] | None = None) -> None:
    """Write an entry, and move the file that it is of into place: both, or neither but for the last rename."""
    with locked("record"):
        entries = dict(sorted((read() | {key: one}).items()))
        text = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"

        def write(part: Path) -> None:
            # a name that is not text is written escaped
            part.write_text(text, encoding="utf-8", errors="backslashreplace")
            if move is not None:
                move[1].parent.mkdir(parents=True, exist_ok=True)
                atomic_write.rename(*move)

        atomic_write.replace(path(), write)


def settled(key: str, sha256: str) -> bool:
    """Finish what a run that was killed between the file and its entry left: whether it recorded this hash."""
    found = None
    with locked("record"):
        for left in settings.cache_dir().glob(f".{NAME}.*"):
            try:
                one = json.loads(left.read_text(encoding="utf-8"))[key]
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                continue
            if _is_entry(one) and one["sha256"] == sha256:
                found = one
                left.unlink(missing_ok=True)
    if found is not None:
        record(key, found)
    return found is not None


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock of the cache: other threads and processes wait."""
    folder = settings.cache_dir() / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / name):
        yield
