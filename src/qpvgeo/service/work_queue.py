"""Bodies read within their limits, and heavy work in threads of its own: so much at once, and a queue that ends."""

import asyncio
import contextlib
import functools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from starlette.requests import Request

from qpvgeo.language import Note
from qpvgeo.service.limits import Limits
from qpvgeo.service.problems import BusyError, LimitError

__all__ = ["WorkQueue", "body_of", "parts_of", "too_long"]

P = ParamSpec("P")
T = TypeVar("T")


async def parts_of(request: Request, most: int, seconds: float) -> AsyncIterator[bytes]:
    """Body of a request, part by part, as long as it keeps its limits.

    Raises
    ------
    LimitError
        It has more bytes, or takes longer to arrive.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise LimitError(Note("service.body_too_large", most=most), way_out=Note("service.smaller_parts"))
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise LimitError(Note("service.body_too_large", most=most), way_out=Note("service.smaller_parts"))
                yield part
    except TimeoutError as error:
        raise LimitError(
            Note("service.body_too_slow", seconds=seconds), status=408, way_out=Note("service.smaller_parts")
        ) from error


async def body_of(request: Request, most: int, seconds: float) -> bytes:
    """The same, whole."""
    return b"".join([part async for part in parts_of(request, most, seconds)])


class WorkQueue:
    """Queue of the heavy requests of a worker.

    Attributes
    ----------
    limits
        How many are worked on at once, how many wait, for how long.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._pool = ThreadPoolExecutor(limits.uploads, "qpvgeo-service")
        self._taken: Counter[str] = Counter()

    @contextlib.asynccontextmanager
    async def ticket(self, request: Request) -> AsyncIterator[None]:
        """Place in the queue, from the first byte of the body on; one asker has no more than half of them.

        Raises
        ------
        BusyError
            There is none left.
        """
        asker = request.client.host if request.client else ""
        places = self.limits.uploads + self.limits.waiting
        if self._taken.total() >= places or self._taken[asker] >= max(1, (places + 1) // 2):
            raise BusyError(Note("service.busy"), status=503, seconds=5)
        self._taken[asker] += 1
        try:
            yield
        finally:
            self._taken[asker] -= 1
            self._taken += Counter()  # forgets those that have none left

    async def run(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Result of some work, done in a thread.

        Raises
        ------
        LimitError
            It takes too long.
        """
        made = asyncio.get_running_loop().run_in_executor(self._pool, functools.partial(work, *given, **named))
        try:
            return await asyncio.wait_for(asyncio.shield(made), self.limits.seconds)
        except TimeoutError as error:
            # one that has not begun will not
            made.cancel()
            made.add_done_callback(_seen)
            raise too_long(self.limits.seconds) from error

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _seen(made: "asyncio.Future[Any]") -> None:
    """Take note of an error that nobody waits for any more."""
    if not made.cancelled():
        made.exception()


def too_long(seconds: float) -> LimitError:
    """The error of work that takes too long."""
    return LimitError(Note("service.too_long", seconds=seconds), status=503, way_out=Note("service.smaller_parts"))
