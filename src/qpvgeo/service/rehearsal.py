"""The examples of the document, asked before anybody asks: the first one waits for no import and no projection."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Scope

from qpvgeo.service.app import create_app
from qpvgeo.service.limits import Limits
from qpvgeo.service.openapi import document
from qpvgeo.service.served_data import Held

__all__ = ["examples", "rehearse"]

_LANG = "fr"

Example = tuple[str, str, str, bytes]
"""Method, path, query and body."""


def rehearse(held: Held, limits: Limits) -> None:
    """Have an application of its own answer the examples: nothing of it is counted, and no line is written.

    A loop may be running where it is called: the examples have one in a thread of their own.
    """
    app = create_app(held, limits)
    asked = [*examples(document(held, limits, _LANG)), ("GET", "/", "", b"")]
    thread = threading.Thread(target=lambda: asyncio.run(_asked(app.router, asked)))
    thread.start()
    thread.join()


def examples(told: dict[str, Any]) -> Iterator[Example]:
    """Requests that a document gives as examples.

    Examples
    --------
    >>> from qpvgeo.service import Held, Limits
    >>> told = document(Held.read(sample=True, grid=False), Limits(), "en")
    >>> [path for method, path, _, _ in examples(told) if method == "POST"]
    ['/v1/locate', '/v1/tag', '/v1/vat']
    """
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            given: dict[str, dict[str, str]] = {"path": {}, "query": {}}
            for one in operation.get("parameters", ()):
                if "example" in one:
                    given[one["in"]][one["name"]] = str(one["example"])
            content = operation.get("requestBody", {}).get("content", {"": {"example": ""}})
            for media in content.values():
                if "example" in media:
                    body = media["example"]
                    text = body if isinstance(body, str) else json.dumps(body)
                    yield method.upper(), path.format(**given["path"]), urlencode(given["query"]), text.encode()


async def _asked(app: ASGIApp, asked: list[Example]) -> None:
    for one in asked:
        await _ask(app, *one)


async def _ask(app: ASGIApp, method: str, path: str, query: str, body: bytes) -> None:
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "client": None,
        "server": None,
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_message: Message) -> None:
        pass

    await app(scope, receive, send)
