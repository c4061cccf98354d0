"""Connections of a worker: what they hold is bounded, and one that ends answers a request on its way first."""

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
    """Most bytes that are received of a head, or of the trailers of a body, before it ends."""
    head_seconds = 30.0
    """Seconds within which the head of a request is to come."""

    _unread_bytes = 0
    _progress = False
    _waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first head."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Read on, unless too much has come that completes nothing."""
        self._progress = False
        super().data_received(data)
        self._unread_bytes = 0 if self._progress else self._unread_bytes + len(data)
        if self.transport.is_closing():
            return
        if self._unread_bytes > self.head_bytes:
            self._refuse()
        elif self._waits is None and self._is_idle() and self.timeout_keep_alive_task is None:
            # line ends between requests, or the rest of a body whose request is answered
            self._await_head()

    def on_message_begin(self) -> None:
        """Await the head that begins."""
        self._progress = True
        super().on_message_begin()
        self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what comes after the body, as a trailer, is of no use."""
        if self._waits is not None:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Answer."""
        self._progress = True
        self._forget_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._progress = True
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing more."""
        self._forget_head()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection, or let its answer be the last."""
        if self._is_idle():
            self.loop.call_later(_LATE_S, super().shutdown)
        else:
            super().shutdown()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        self._forget_head()
        self._waits = self.loop.call_later(self.head_seconds, self._give_up)

    def _forget_head(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _give_up(self) -> None:
        if self._is_idle():
            self.transport.close()
        else:
            # the next head began to come while an answer is made
            self._await_head()

    def _refuse(self) -> None:
        if self._waits is not None and self._is_idle():
            self.send_400_response("Request head too long.")
        else:
            self.transport.close()
