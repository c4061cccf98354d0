"""Files that stand beside a file under the same name: a folder is listed once as long as it does not change."""

import os
from functools import lru_cache
from pathlib import Path

from qpvgeo.formats.file_times import is_settled

__all__ = ["siblings"]


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
        whole = os.path.abspath(folder)  # noqa: PTH100
        listed = _listed(whole, changed) if is_settled(changed) else _listed.__wrapped__(whole, changed)
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
