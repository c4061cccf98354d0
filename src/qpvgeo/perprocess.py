"""Things that each process has of its own: a server that forks its workers leaves them neither held nor half made."""

import os
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PerProcess"]

T = TypeVar("T")


class PerProcess(Generic[T]):
    """What is made anew in a process that was forked, at the first time it is asked for there.

    A lock that another thread held when the process forked would stay closed in the child, for that thread is not in
    it; what the thread was making would stay half made. The locks of PROJ are out of reach: fork before threads ask.

    Parameters
    ----------
    make
        Makes the thing; called at once, and once in each forked process (twice at most, by two threads at once).

    Examples
    --------
    >>> made = PerProcess(list)
    >>> made.own() is made.own()
    True
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._held = {os.getpid(): make()}

    def own(self) -> T:
        """Thing of this process."""
        here = os.getpid()
        found = self._held.get(here)
        return self._held.setdefault(here, self._make()) if found is None else found
