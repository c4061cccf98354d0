"""The one question that is asked most, `GET /v1/locate`, as a plain ASGI application.

A request of a point takes less time to answer than a framework takes to look at it: its parameters are read from the
bytes of the query, and its answer is sent as it is.
"""

from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from qpvgeo.service.locating import located, tolerance_of
from qpvgeo.service.metrics import Metrics
from qpvgeo.service.problems import PATH, preferred, problem, unforeseen
from qpvgeo.service.request_parameters import RequestParameters
from qpvgeo.service.served_data import Held
from qpvgeo.service.validators import has_tag, tag_of

__all__ = ["SINGLE", "SinglePoint"]

SINGLE = "/v1/locate"
_PARAMETERS = ("lon", "lat", "on", "vintage", "tolerance_m", "type", "score")
_CACHE = b"private, max-age=3600"
"""An answer to where somebody is: no cache between may keep it."""


class SinglePoint:
    """Answers one point a request.

    Parameters
    ----------
    held
        What it answers from.
    metrics
        Where points are counted.
    """

    def __init__(self, held: Held, metrics: Metrics) -> None:
        self._held, self._metrics = held, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope[PATH] = SINGLE
        query: bytes = scope["query_string"]
        asked = _asked(query)
        lang = _language(asked, scope["headers"])
        tag = tag_of(self._held.digest, SINGLE, query, lang)
        headers = [(b"etag", tag), (b"cache-control", _CACHE), (b"vary", b"Accept-Language")]
        if has_tag(scope["headers"], tag):
            await _send(send, 304, headers, b"")
            return
        try:
            body = self._answer(asked, lang)
        except Exception as error:  # noqa: BLE001 - told in words, and nothing of the request goes to the log
            unforeseen(error, scope, SINGLE)
            await problem(error, lang)(scope, receive, send)
            return
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"content-language", lang.encode()),
        ]
        await _send(send, 200, headers, body)

    def _answer(self, asked: dict[str, str], lang: str) -> bytes:
        question = RequestParameters(asked, _PARAMETERS)
        lon, lat = question.number("lon", needed=True), question.number("lat", needed=True)
        on = question.day()
        given, kind = question.positive("tolerance_m"), question.text("type", 40)
        tolerance = tolerance_of(given, kind, question.number("score"))
        vintage = question.vintage(self._held.vintages, on=on)
        question.require()
        assert lon is not None  # noqa: S101 - else it was refused
        assert lat is not None  # noqa: S101
        self._metrics.add("single", 1)
        return located(self._held, lon, lat, {"on": on, "vintage": vintage, "tolerance_m": tolerance}, lang)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _asked(query: bytes) -> dict[str, str]:
    """Parameters of a query; of one that is given twice the last is taken.

    Examples
    --------
    >>> _asked(b"lon=2.5&lat=48&on"), _asked(b"type=a%20b&lat=1&lat=2")
    ({'lon': '2.5', 'lat': '48', 'on': ''}, {'type': 'a b', 'lat': '2'})
    """
    text = query.decode("latin-1")
    if "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    found = {}
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            found[name] = value
    return found


def _language(asked: dict[str, str], headers: Any) -> str:  # noqa: ANN401 - pairs of bytes
    accepted = next((value for name, value in headers if name == b"accept-language"), b"")
    return preferred(asked.get("lang", ""), accepted.decode("latin-1"))
