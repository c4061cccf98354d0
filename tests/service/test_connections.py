"""Heads and trailers that are long, slow or never come, sent to a server in a thread."""

import asyncio
import contextlib
import socket
import threading

import pytest
import uvicorn

from qpvgeo.service.connections import Connection

GET = b"GET / HTTP/1.1\r\nhost: a\r\n"


class _Impatient(Connection):
    head_seconds = 0.3


class _Strict(Connection):
    head_bytes = 1_000
    head_seconds = 3_600


_freed = asyncio.Event()


async def _application(scope, receive, send):
    """Answers once the first part of the body has come, at once, or once another request frees it."""
    if scope["path"] != "/early":
        await receive()
    if scope["path"] == "/slow":
        await _freed.wait()
    if scope["path"] == "/free":
        _freed.set()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"here"})


@contextlib.contextmanager
def _served(protocol):
    server = uvicorn.Server(uvicorn.Config(_application, http=protocol, log_level="error", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        thread = threading.Thread(target=asyncio.run, args=(server.serve([sock]),))
        thread.start()
        yield sock.getsockname()
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def impatient():
    with _served(_Impatient) as address:
        yield address


@pytest.fixture(scope="module")
def strict():
    with _served(_Strict) as address:
        yield address


def _connected(address):
    return socket.create_connection(address, timeout=60)


def _rest(one):
    """What comes back until the server ends the connection."""
    told = b""
    with contextlib.suppress(ConnectionError):
        while part := one.recv(65_536):
            told += part
    return told


def _told(address, *parts):
    with _connected(address) as one:
        for part in parts:
            one.sendall(part)
        return _rest(one)


def _is_cut(address, begun, part, *, most):
    """Whether the server ends a connection on which the same part comes again and again."""
    with _connected(address) as one:
        try:
            one.sendall(begun)
            for _ in range(most):
                one.sendall(part)
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize(
    ("begun", "part"),
    [
        (b"GET /", b"y" * 100),
        (GET + b"x: ", b"y" * 100),
        (GET, b"x: y\r\n" * 20),
        (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 20),
        (b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", b"y" * 100),
    ],
    ids=["line", "header", "headers", "trailers", "trailer"],
)
def test_a_head_without_end_is_cut(strict, begun, part):
    assert _is_cut(strict, begun, part, most=50_000)


def test_a_body_is_not_counted_for_the_head_after_it(strict):
    body = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n" + b"z" * 100_000
    told = _told(strict, body + GET[:8], GET[8:] + b"connection: close\r\n\r\n")
    assert told.count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize("begun", [b"", GET[:8], GET], ids=["none", "line", "head"])
def test_a_head_that_does_not_come_is_not_awaited(impatient, begun):
    assert _told(impatient, begun) == b""


@pytest.mark.parametrize("next_", [b"\r\n", GET[:8], GET], ids=["line end", "line", "head"])
def test_the_next_head_is_not_awaited_longer(impatient, next_):
    with _connected(impatient) as one:
        one.sendall(GET + b"\r\n")
        answer = one.recv(65_536)
        one.sendall(next_)
        assert (answer + _rest(one)).count(b"HTTP/1.1 200 ") == 1


def test_the_rest_of_a_body_is_not_awaited_once_its_request_is_answered(impatient):
    begun = b"POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000000\r\n\r\n"
    assert _is_cut(impatient, begun, b"z", most=10_000_000)


def test_an_answer_is_not_cut_for_the_next_head(impatient):
    with _connected(impatient) as one:
        one.sendall(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n" + GET)
        # a connection that came later is no longer awaited
        assert _told(impatient) == b""
        assert b"here" in _told(impatient, b"GET /free HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert b"here" in _rest(one)


def test_a_body_may_be_slower_than_its_head(impatient):
    """How long a body may take is judged where it is read."""
    with _connected(impatient) as one:
        one.sendall(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\n")
        assert _told(impatient) == b""
        one.sendall(b"{}")
        assert b"here" in _rest(one)
