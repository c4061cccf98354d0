"""Connections of a worker that ends: a request that is on its way is answered first."""

from uvicorn.protocols.http.auto import AutoHTTPProtocol

__all__ = ["Connection"]

_LATE_S = 0.5


class Connection(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """A connection that is closed, when its worker ends, only after a moment in which no request has come.

    One that was just accepted has its request on the way; closed at once, as by `uvicorn`, it would be lost.
    """

    def shutdown(self) -> None:
        """Close the connection, or let its answer be the last."""
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(_LATE_S, super().shutdown)
        else:
            super().shutdown()
