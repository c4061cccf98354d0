"""Several files at once: sites side by side, one file at a time from each, and what became of every one.

A file is `got`, `already there`, or not had, with the reason and what a person needs to get it with a browser.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from qpvgeo.errors import ArchiveError, FetchError, HashMismatchError, MissingDataError
from qpvgeo.sources import dataset_list, download

__all__ = ["Outcome", "fetch_several", "there"]

_AT_ONCE = 4

State = Literal["got", "already there", "not had"]


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line of keys.

    Attributes
    ----------
    key
        The key that was had, else the first one of the line.
    state
        `got`, `already there` or `not had`.
    path
        The file; None where it was not had.
    error
        Why it was not had.
    """

    key: str
    state: State
    path: Path | None = None
    error: Exception | None = None


def fetch_several(
    lines: Iterable[Sequence[str]],
    *,
    data: Path | None = None,
    update: bool = False,
    url: str | None = None,
    told: Callable[[Outcome], object] = lambda _: None,
) -> list[Outcome]:
    """Get the first file of each line that can be had; one failure does not stop the others.

    Parameters
    ----------
    lines
        Keys or addresses; those of a line are tried in turn.
    data
        Folder searched first.
    update
        Accept changed files (see `qpvgeo.fetch`).
    url
        Another address, for a line of one key.
    told
        Called with each outcome as soon as it is known, from any thread.

    Returns
    -------
    list of Outcome
        In the order of the lines.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> [outcome.state for outcome in fetch_several([["qpv-2024"]], data=qg.sample().path)]
    ['already there']
    """
    absent: set[str] = set()

    def one(line: Sequence[str]) -> Outcome:
        found = _first(line, data, update=update, url=url, absent=absent)
        told(found)
        return found

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(one, lines))


def _first(line: Sequence[str], data: Path | None, *, update: bool, url: str | None, absent: set[str]) -> Outcome:
    """The first of several files that can be had; else why the first one cannot."""
    refused: list[Outcome] = []
    for key in line:
        try:
            there = None if update else download.on_disk(key, data)
            path = download.fetch_among(key, data=data, update=update, url=url, absent=absent)
        except (FetchError, MissingDataError, ArchiveError, OSError) as error:
            there = None if isinstance(error, HashMismatchError) else _recognised(key, data)
            if there is None:
                refused.append(Outcome(key, "not had", error=error))
                continue
            path = there
        return Outcome(key, "got" if there is None else "already there", path)
    return refused[0]


def there(line: Sequence[str], data: Path | None = None) -> Path | None:
    """The file on disk that stands for a line of keys or addresses, under its published name or another.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> there(["qpv-2024-2025-02", "qpv-2024"], qg.sample().path).name
    'qpv-2024-geojson.zip'
    """
    found = (download.on_disk(key, data) or _recognised(key, data) for key in line)
    return next((path for path in found if path is not None), None)


def _recognised(key: str, data: Path | None) -> Path | None:
    """The file where it is under a name of its own, as one that was downloaded by hand."""
    frame = dataset_list.datasets(data)
    path = frame["path"].where(frame["recognised_by"] == "content").get(key)
    return Path(path) if isinstance(path, str) else None
