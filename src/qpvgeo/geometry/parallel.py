"""Work on many rows, chunk by chunk, on a few threads: small enough for a chunk to stay in the cache.

How many threads is a setting (`qpvgeo.settings.threads`, `QPVGEO_THREADS`); answers do not depend on it.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Generic, TypeVar
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from qpvgeo import settings

__all__ = ["CHUNK", "PerProcess", "in_chunks", "in_parts", "in_threads", "keep_memory"]

CHUNK = 1 << 16
"""Rows looked at together."""

_PARTS = 8

_FEWEST = 64
"""Rows below which starting threads takes longer than the work."""

_LARGE_BLOCK = 31 << 20


def in_threads(call: Callable[[Any], Any], jobs: Iterable[Any]) -> list[Any]:
    """Call for each of some jobs, on as many threads as are set; the answers in order.

    Examples
    --------
    >>> in_threads(abs, [-1, 2])
    [1, 2]
    """
    jobs = list(jobs)
    threads = min(settings.current_threads(), len(jobs))
    if threads < 2:
        return [call(job) for job in jobs]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, jobs))


def in_chunks(call: Callable[[slice], Any], number: int) -> list[Any]:
    """Call for each chunk of some rows; the answers in order.

    Examples
    --------
    >>> in_chunks(lambda rows: rows.stop - rows.start, 100_000)
    [65536, 34464]
    """
    chunks = [slice(at, min(at + CHUNK, number)) for at in range(0, number, CHUNK)]
    if len(chunks) < 2:
        return [call(rows) for rows in chunks]
    keep_memory()
    return in_threads(call, chunks)


def in_parts(call: Callable[..., npt.NDArray[Any]], *arrays: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Call for parts of some arrays, for work that takes long on each row; the answers put together.

    Examples
    --------
    >>> in_parts(np.add, np.arange(3), np.ones(3, int)).tolist()
    [1, 2, 3]
    """
    if len(arrays[0]) < _FEWEST:
        return call(*arrays)
    parts = zip(*(np.array_split(array, _PARTS) for array in arrays), strict=True)
    return np.concatenate(in_threads(lambda part: call(*part), parts))


@cache
def keep_memory() -> None:
    """Keep glibc from returning freed chunk buffers to the operating system.

    glibc learns from the largest block that was freed how much to keep. Before it has, the arrays of each chunk are
    fresh pages: half of the time of a first question. The block is never touched, and costs nothing.
    """
    np.empty(_LARGE_BLOCK, np.uint8)


T = TypeVar("T")


class PerProcess(Generic[T]):
    """Object re-created after a fork, so that a child never inherits a lock held by another thread.

    The object is created again at the first use in the child. The locks of PROJ are out of its control: fork before
    threads use them.

    Parameters
    ----------
    make
        Factory, called immediately and once in each forked process that uses the object.

    Examples
    --------
    >>> made = PerProcess(list)
    >>> made.own() is made.own()
    True
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._held = make()
        _EVERY.add(self)

    def own(self) -> T:
        """Object of this process."""
        try:
            return self._held
        except AttributeError:
            # two threads may both create it after a fork: the first one stored is the one that both get
            made: T = vars(self).setdefault("_held", self._make())
            return made


_EVERY: WeakSet[PerProcess[Any]] = WeakSet()


def _forget() -> None:
    for one in _EVERY:
        vars(one).pop("_held", None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
