"""Connections of a worker: their heads are bounded; one that ends answers a request on its way first."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Connection"]

_LATE_S = 0.5


class Connection(HttpToolsProtocol):
    """A connection whose request lines and headers are short and soon complete, and which ends without a loss.

    When its worker ends, one that was just accepted has its request on the way; closed at once, as by `uvicorn`, it
    would be lost: it is closed after a moment in which no request has come.
    """

    head_bytes = 65_536
    """Most bytes of a head that is not complete."""
    head_seconds = 30.0
    """Seconds within which the head of a request is to come."""

    _received = 0
    _waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first request."""
        super().connection_made(transport)
        self._await_head()

    def on_message_begin(self) -> None:
        """Await the head that begins."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """Answer."""
        self._forget_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head is too long."""
        super().data_received(data)
        if self._waits is not None:
            self._received += len(data)
            if self._received > self.head_bytes and not self.transport.is_closing():
                self.send_400_response("Request head too long.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing more."""
        self._forget_head()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection, or let its answer be the last."""
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(_LATE_S, super().shutdown)
        else:
            super().shutdown()

    def _await_head(self) -> None:
        self._forget_head()
        self._waits = self.loop.call_later(self.head_seconds, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            # the next head began to come while an answer is made
            self._await_head()

    def _forget_head(self) -> None:
        self._received = 0
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None
