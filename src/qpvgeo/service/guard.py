"""The door of the service: rates, headers, counters and a line of log for each request, without what was asked.

A line of the log has the path as it is declared, never the address nor its query, and nothing of the asker.
"""

import asyncio
import logging
import os
import time
from collections import OrderedDict

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qpvgeo.language import Note
from qpvgeo.service.limits import Limits
from qpvgeo.service.metrics import Metrics
from qpvgeo.service.problems import NUMBER, PATH, BusyError, language_of, problem
from qpvgeo.service.single_point import SINGLE

__all__ = ["Guard", "Rates"]

_LOG = logging.getLogger("qpvgeo.service")
_ASKERS = 10_000
_DRAINED_BYTES, _DRAINED_SECONDS, _SILENCE_SECONDS = 32 << 20, 2.0, 0.25
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Rates:
    """Allowance of each asker: a bucket that fills at the rate and holds the burst; in memory, and soon forgotten.

    Examples
    --------
    >>> rates = Rates(rate=1.0, burst=2)
    >>> [rates.takes("a", now) for now in (0.0, 0.0, 0.0, 1.5)], rates.takes("b", 0.0)
    ([True, True, False, True], True)
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, float(burst)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def takes(self, asker: str, now: float) -> bool:
        """Whether the asker may ask now."""
        if not self._rate:
            return True
        left, since = self._left.pop(asker, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        allowed = left >= 1
        self._left[asker] = (left - allowed, now)
        if len(self._left) > _ASKERS:
            self._left.popitem(last=False)
        return allowed


class Guard:
    """Middleware around the whole service."""

    def __init__(self, app: ASGIApp, limits: Limits, metrics: Metrics, single: ASGIApp) -> None:
        self._app, self._metrics, self._single = app, metrics, single
        self._rates = Rates(limits.rate, limits.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, count it and write its line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, size, received = time.perf_counter(), 500, 0, _Received(receive)
        name = scope[NUMBER] = os.urandom(16).hex()

        async def sent(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                if status in (413, 429, 503):
                    await _drain(received)
                headers = message["headers"] = [
                    *message.get("headers", ()),
                    *_HEADERS,
                    (b"x-request-id", name.encode()),
                ]
                if not any(key == b"content-security-policy" for key, _ in headers):
                    headers.append(_POLICY)
                if status in (408, 413):
                    # what is left of the body is not read
                    headers.append((b"connection", b"close"))
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        self._metrics.in_flight += 1
        try:
            asker = (scope.get("client") or ("",))[0]
            if scope["path"] != "/health" and not self._rates.takes(asker, time.monotonic()):
                error = BusyError(Note("service.too_many_requests"), status=429)
                await problem(error, language_of(Request(scope)))(scope, received, sent)
            elif _alone(scope):
                await self._single(scope, received, sent)
            else:
                await self._app(scope, received, sent)
        finally:
            self._metrics.in_flight -= 1
            self._write(scope, status, time.perf_counter() - begun, size)

    def _write(self, scope: Scope, status: int, seconds: float, size: int) -> None:
        """Count a request, and write its line to the log."""
        path, method = scope.get(PATH, "other"), _method(scope)
        self._metrics.seen(path, method, status, seconds)
        if _LOG.isEnabledFor(logging.INFO):
            # all of it is ours: nothing needs to be escaped
            _LOG.info(
                f'{{"request": "{scope[NUMBER]}", "method": "{method}", "path": "{path}", "status": {status}, '
                f'"ms": {1_000 * seconds:.2f}, "bytes": {size}}}'
            )


def _alone(scope: Scope) -> bool:
    """Whether a request asks for one point, and no page of another site does, which needs more headers."""
    if scope["path"] != SINGLE or scope["method"] != "GET":
        return False
    return not any(name == b"origin" for name, _ in scope["headers"])


class _Received:
    """Messages of a request, and whether its body has come to its end."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self.whole = receive, False

    async def __call__(self) -> Message:
        """Give the next one."""
        message = await self._receive()
        self.whole = not message.get("more_body")
        return message


async def _drain(received: _Received) -> None:
    """Read some of what is left of a body: a client that is cut while it sends may lose the answer."""
    left, until = _DRAINED_BYTES, time.monotonic() + _DRAINED_SECONDS
    while not received.whole and left > 0 and time.monotonic() < until:
        try:
            message = await asyncio.wait_for(received(), _SILENCE_SECONDS)
        except TimeoutError:
            return
        left -= len(message.get("body", b""))


_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"
