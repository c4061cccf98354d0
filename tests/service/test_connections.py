"""Heads of requests that are long, slow or never come, sent to a server in a thread."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn

from qpvgeo.service.connections import Connection


class _Impatient(Connection):
    head_seconds = 0.3


async def _application(scope, receive, send):
    await receive()
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * _Impatient.head_seconds)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"here"})


@pytest.fixture(scope="module")
def port():
    server = uvicorn.Server(uvicorn.Config(_application, http=_Impatient, log_level="error", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        thread = threading.Thread(target=asyncio.run, args=(server.serve([sock]),))
        thread.start()
        yield sock.getsockname()[1]
        server.should_exit = True
        thread.join()


def _told(port, *parts, pause=0.0):
    """What comes back until the server ends the connection."""
    told = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as one:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                one.sendall(part)
                time.sleep(pause)
        with contextlib.suppress(ConnectionError):
            while part := one.recv(65_536):
                told += part
    return told


def test_a_head_without_end_is_cut(port):
    """What is kept of one is bounded."""
    told = _told(port, b"GET / HTTP/1.1\r\nhost: a\r\nx: ", *[b"y" * 60_000] * 400)
    assert not told or told.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", [b"/", b"/slow"])
def test_the_next_head_is_not_awaited_longer(port, path):
    """The first request of the connection is answered, however long that takes."""
    told = _told(port, b"GET %s HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost" % path)
    assert told.count(b"here") == 1


@pytest.mark.parametrize("begun", [[], [b"GET / HT"], [b"GET / HTTP/1.1\r\nhost: a\r\n"]], ids=["none", "line", "head"])
def test_a_head_that_does_not_come_is_not_awaited(port, begun):
    assert _told(port, *begun) == b""


def test_a_body_may_be_slower_than_its_head(port):
    """How long a body may take is judged where it is read."""
    head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\n"
    assert b"here" in _told(port, head, b"{}", pause=3 * _Impatient.head_seconds)
