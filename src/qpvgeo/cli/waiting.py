"""How long a command has been at work, on standard error of a terminal, for as long as it says nothing else."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Clock", "over", "shown"]

_QUIET_S = 1.0
_EVERY_S = 1.0


class Clock:
    """A line that counts seconds, cleared when it is stopped; hidden where a bar of progress is drawn.

    Parameters
    ----------
    name
        What is at work.
    stream
        File descriptor of the terminal.
    after, every
        Seconds before it is shown, and between two of its lines.
    """

    def __init__(self, name: str, stream: int, *, after: float = _QUIET_S, every: float = _EVERY_S) -> None:
        self._name, self._stream, self._after, self._every = name, stream, after, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Clear the line; from then on nothing is written."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        begun, line = time.monotonic(), ""
        pause = self._after
        # straight to the descriptor: a process forked meanwhile must find no lock held
        with suppress(OSError):
            while not self._over.wait(pause):
                pause = self._every
                if not _bars():
                    line = f"{self._name}: {time.monotonic() - begun:.0f} s"
                    os.write(self._stream, f"\r{line}".encode("ascii", "replace"))
            if line and not _bars():
                os.write(self._stream, b"\r" + b" " * len(line) + b"\r")


_clocks: list[Clock] = []


@contextmanager
def shown(name: str) -> Iterator[None]:
    """Count the seconds of a block, where standard error is a terminal."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield
        return
    _clocks.append(Clock(name, sys.stderr.fileno()))
    try:
        yield
    finally:
        over()


def over() -> None:
    """Stop counting, before something is written."""
    while _clocks:
        _clocks.pop().stop()


def _bars() -> bool:
    """Whether bars of progress are drawn."""
    tqdm = getattr(sys.modules.get("tqdm"), "tqdm", None)
    return any(not one.disable for one in list(getattr(tqdm, "_instances", ())))
