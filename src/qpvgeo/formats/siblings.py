"""Files that stand beside a file under the same name: a folder is listed once as long as it does not change."""

import os
import time
from functools import lru_cache
from pathlib import Path

__all__ = ["siblings"]

_SETTLED_S = 2.0


def siblings(path: Path) -> list[Path]:
    """Files and folders in the folder of a file whose name is the same but for its ending and its case, itself too.

    Examples
    --------
    >>> siblings(Path("nowhere/qpv.shp"))
    []
    """
    folder = path.parent
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116 - thousands of files
        # the date of a folder that changed just now may not tell the next change
        settled = time.time() - changed / 1e9 > _SETTLED_S
        listed = _listed(str(folder), changed) if settled else _listed.__wrapped__(str(folder), changed)
    except OSError:
        return []
    return [folder / name for name in listed.get(_stem(path.name), ())]


@lru_cache(maxsize=16)
def _listed(folder: str, _changed: int) -> dict[str, list[str]]:
    """Names in a folder, by what they are without their ending."""
    found: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):  # noqa: PTH208
        found.setdefault(_stem(name), []).append(name)
    return found


def _stem(name: str) -> str:
    return os.path.splitext(name)[0].lower()  # noqa: PTH122
