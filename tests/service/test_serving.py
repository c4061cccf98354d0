"""Two workers on one port: slow bodies, crowds, workers that die or are renewed, an end that is graceful."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.builders import refused
from tests.servers import Server

import qpvgeo as qg
from qpvgeo import service
from qpvgeo.errors import UsageError
from qpvgeo.service import Limits, serve

_TRIES = 400
_LENGTH, _CHUNKED = b"content-length: 4\r\n", b"transfer-encoding: chunked\r\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    one = Server(
        tmp_path_factory.mktemp("pair"),
        "--sample",
        "--workers",
        "2",
        "--rate",
        "0",
        "--seconds",
        "8",
        "--no-grid",
        "--no-page",
    )
    yield one
    one.process.kill()
    one.stop()


def workers_of(server):
    """Workers that answer now, by asking more often than there are."""
    found = set()
    for _ in range(60):
        text = httpx.get(f"{server.about['url']}/metrics", timeout=60, verify=False).text
        found.add(int(re.search(r'worker="(\d+)"', text)[1]))
        if len(found) == 2:
            break
    return found


def test_it_is_announced_once_its_workers_are_there(pair):
    assert len(pair.there) == 2


def test_a_body_that_drips_is_given_up(pair):
    host, port = pair.about["url"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        raw.sendall(b"POST /v1/locate HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n[[1,")
        assert b" 408 " in raw.recv(400)


def test_each_of_a_crowd_gets_its_own(pair):
    def asks(number):
        lines = [f"{number}-{row};{2 + row / 1000};48" for row in range(200)]
        body = ("id;lon;lat\n" + "\n".join(lines)).encode()
        for _ in range(_TRIES):
            answer = httpx.post(f"{pair.about['url']}/v1/tag", content=body, timeout=120, verify=False)
            if answer.status_code != 503:
                break
            time.sleep(0.1)
        assert answer.status_code == 200, answer.text
        return [line.split(";")[0] for line in answer.text.splitlines()[1:]] == [line.split(";")[0] for line in lines]

    with ThreadPoolExecutor(200) as crowd:
        assert all(crowd.map(asks, range(200)))
    assert pair.leftovers() == []


def test_a_worker_killed_while_it_answers_leaves_nothing_and_gives_nobody_half_a_file(pair):
    """Eight files at once, and one of the two workers killed: whole answers, or none, each to its own asker."""

    def sent(number):
        lines = [f"{number}-{row};2.{row % 997};48.{row % 991}" for row in range(60_000)]
        body = ("id;lon;lat\n" + "\n".join(lines)).encode()
        try:
            answer = httpx.post(f"{pair.about['url']}/v1/tag", content=body, timeout=120, verify=False)
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            return None
        assert answer.status_code == 200, answer.text
        assert [line.split(";")[0] for line in answer.text.splitlines()[1:]] == [line.split(";")[0] for line in lines]
        return True

    with ThreadPoolExecutor(8) as crowd:
        asked = [crowd.submit(sent, number) for number in range(8)]
        for _ in range(_TRIES):
            working = {
                path.parent.parent.name
                for path in pair.errors.parent.glob("qpvgeo-service-*/worker-*/qpvgeo-*/points*")
            }
            if working:
                break
            time.sleep(0.05)
        dead = int(min(working).removeprefix("worker-"))
        os.kill(dead, signal.SIGKILL)
        told = [one.result() for one in asked]
    assert None in told
    for number in range(_TRIES):
        # the new one has begun when it has a folder, and answers a moment later
        if len(now := workers_of(pair)) == 2 and dead not in now and sent(number):
            break
        time.sleep(0.1)
    assert len(now) == 2
    assert pair.leftovers() == []


def test_slow_bodies_keep_nobody_else_waiting(pair):
    host, port = pair.about["url"].removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port)), timeout=60) for _ in range(60)]
    try:
        for one in slow:
            one.sendall(b"POST /v1/tag HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nlon;lat\n")
        for _ in range(20):
            asked = {"lon": 2.35, "lat": 48.85}
            assert httpx.get(f"{pair.about['url']}/v1/locate", params=asked, timeout=5, verify=False).status_code == 200
        told = {one.recv(400).split(b" ")[1] for one in slow}
        assert told <= {b"408", b"503"}
        assert told
    finally:
        for one in slow:
            one.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /v1/places?q=a%0d%0aset-cookie:%20a=b&kind=%0d%0ax HTTP/1.1\r\nhost: a\r\n",
        b"GET /v1/qpv/QN%0d%0aset-cookie:%20a=b HTTP/1.1\r\nhost: a\r\n",
        b"GET /v1/locate?lon=2&lat=48&lang=%0d%0aset-cookie:a HTTP/1.1\r\nhost: a\r\n",
        b"GET /v1/locate?lon=2&lat=48 HTTP/1.1\r\nhost: a\r\nif-none-match: \x01\r\nset-cookie: a=b\r\n",
        b"GET /v1/locate?lon=2&lat=48 HTTP/1.1\r\nhost: a\r\norigin: x\rset-cookie: a=b\r\n",
        b"GET /v1/locate?lon=2&lat=48 HTTP/1.1\r\nhost: a\nset-cookie: a=b\r\naccept-language: \xff\r\n",
        b"GET /v1/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nhost: a\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nhost: a\r\n",
        b"GET http://example.org/etc/passwd HTTP/1.1\r\nhost: a\r\n",
        b"SET-COOKIE /health HTTP/1.1\r\nhost: a\r\n",
        b"POST /v1/locate HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 99\r\n",
        b"POST /v1/locate HTTP/1.1\r\nhost: a\r\ncontent-length: -2\r\n",
        b"GET /health HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 200_000 + b"\r\n",
        b"GET /v1/locate?" + b"a=1&" * 20_000 + b" HTTP/1.1\r\nhost: a\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=range(15),
)
def test_heads_that_are_made_to_harm(pair, raw):
    """Answered or refused: no header of the asker comes back, no file is read, and the service stays up."""
    host, port = pair.about["url"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as one:
        told = b""
        try:
            one.sendall(raw + b"connection: close\r\n\r\n")
            while part := one.recv(65_536):
                told += part
        except ConnectionError:
            pass
    head, _, body = told.partition(b"\r\n\r\n")
    assert b"set-cookie" not in head.lower()
    assert b"root:" not in body
    assert not told or told.split(b" ")[1][:1] in b"23 4"
    assert httpx.get(f"{pair.about['url']}/health", timeout=60, verify=False).status_code == 200


@pytest.mark.parametrize("head", [_LENGTH + _CHUNKED, _CHUNKED + _LENGTH], ids=["length first", "chunks first"])
def test_two_requests_in_one_do_not_reach_another_asker(pair, head):
    """A body that is told of twice is refused, so that what follows is no request of the next asker of a proxy."""
    hidden = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n"
    host, port = pair.about["url"].removeprefix("http://").split(":")
    told = b""
    with socket.create_connection((host, int(port)), timeout=60) as one:
        one.sendall(b"POST /v1/locate HTTP/1.1\r\nhost: a\r\n" + head + b"\r\n0\r\n\r\n" + hidden)
        while part := one.recv(65_536):
            told += part
    assert told.count(b"HTTP/1.1 ") == 1
    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in told


def test_a_worker_that_is_killed_is_replaced(pair):
    before = workers_of(pair)
    assert len(before) == 2
    dead = min(before)
    os.kill(dead, signal.SIGKILL)
    answered = 0
    for _ in range(_TRIES):
        try:
            answered += httpx.get(f"{pair.about['url']}/health", timeout=60, verify=False).status_code == 200
        except httpx.TransportError:
            continue
        if len(now := workers_of(pair)) == 2 and dead not in now:
            break
        time.sleep(0.1)
    assert answered
    assert len(now) == 2


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the system has no /proc")
def test_workers_end_when_the_process_that_watches_them_is_killed(tmp_path):
    """They would hold the port."""
    server = Server(tmp_path, "--sample", "--no-grid", "--no-page")
    workers = server.workers()
    assert workers
    server.process.kill()
    server.stop()
    for _ in range(_TRIES):
        if not any(Path(f"/proc/{one}").exists() for one in workers):
            break
        time.sleep(0.1)
    host, port = server.about["url"].removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((host, int(port))):
        pass


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no SIGHUP")
def test_workers_are_renewed_without_a_request_lost(pair):
    before = workers_of(pair)
    os.kill(pair.process.pid, signal.SIGHUP)
    for _ in range(_TRIES):
        assert (
            httpx.get(f"{pair.about['url']}/v1/places", params={"q": "port"}, timeout=60, verify=False).status_code
            == 200
        )
        now = workers_of(pair)
        if len(now) == 2 and not now & before:
            break
        time.sleep(0.1)
    assert not now & before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no SIGHUP")
def test_data_that_are_added_or_replaced_are_taken_without_a_request_lost(tmp_path):
    data, files = tmp_path / "data", qg.sample()
    data.mkdir()
    shutil.copy(files.qpv_2024, data)
    server = Server(tmp_path, "--data", str(data), "--rate", "0", "--no-grid", "--no-page", QPVGEO_OFFLINE="1")
    url, ended, status = server.about["url"], threading.Event(), []

    def asks():
        while not ended.is_set():
            answer = httpx.get(
                f"{url}/v1/locate", params={"lon": -3.7, "lat": 45.9, "on": "2020-01-01"}, timeout=60, verify=False
            )
            status.append((answer.status_code, answer.json().get("state")))

    def renewed(until):
        os.kill(server.process.pid, signal.SIGHUP)
        for _ in range(_TRIES):
            if found := until():
                return found
            time.sleep(0.1)
        return None

    def health():
        return httpx.get(f"{url}/health", timeout=60, verify=False).json()

    def with_both():
        # the former worker answers too until the next one has taken its place
        now = health()
        return now if now["vintages"] == [2024, 2015] else None

    try:
        with ThreadPoolExecutor(4) as crowd:
            asking = [crowd.submit(asks) for _ in range(4)]
            try:
                before = health()
                assert before["vintages"] == [2024]
                shutil.copy(files.qpv_2015, data)
                after = renewed(with_both)
                assert after["digest"] != before["digest"]
                # what cannot be read is said in the log, and the data in hand go on
                for path in data.iterdir():
                    path.write_bytes(b"no more")
                assert renewed(lambda: "not_renewed" in server.log())
                assert health()["vintages"] == [2024, 2015]
            finally:
                ended.set()
            for one in asking:
                one.result()
        assert {code for code, _ in status} == {200}
        assert {state for _, state in status} == {"unknown", "out"}
    finally:
        assert server.stop() == 0
    assert list(tmp_path.glob("qpvgeo-*")) == []


def test_a_reading_that_is_killed_is_said_in_words(tmp_path):
    command = [sys.executable, "-c", "from qpvgeo.cli import main; main()", "serve", "--sample", "--port", "0"]
    given = {**os.environ, "QPVGEO_LANG": "en", "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=given) as process:
        for _ in range(_TRIES):
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            reading = [one for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
            if reading:
                break
            time.sleep(0.02)
        os.kill(int(reading[0]), signal.SIGKILL)
        said = process.stderr.read()
    assert "the process that reads them has ended" in said
    assert "standard error" in said
    assert "X-Request-Id" not in said
    assert process.returncode not in {0, None}


def test_an_unforeseen_error_has_its_number_in_the_answer_and_in_the_log(caplog):
    held = service.Held.read(sample=True, grid=False)
    held.places = [None]  # what no reading gives
    app = service.create_app(held)

    async def asks():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return await client.get("/v1/places", params={"q": "rue secrète"})

    with caplog.at_level("INFO", logger="qpvgeo.service"):
        answer = asyncio.run(asks())
    assert (answer.status_code, answer.json()["key"]) == (500, "service.unexpected")
    assert "X-Request-Id" in answer.json()["way_out"]
    lines = [json.loads(one.getMessage()) for one in caplog.records if one.name == "qpvgeo.service"]
    assert [line["request"] for line in lines] == [answer.headers["x-request-id"]] * 2
    assert lines[0]["unforeseen"] == "AttributeError"
    assert "secr" not in caplog.text.replace("secrets", "")


def test_it_ends_gracefully_and_leaves_nothing(tmp_path):
    server = Server(tmp_path, "--sample", "--workers", "2", "--no-grid", "--no-page")
    assert list(tmp_path.glob("qpvgeo-service-*"))
    assert server.stop() == 0
    assert list(tmp_path.glob("qpvgeo-*")) == []


def test_a_port_that_is_taken_is_said(pair):
    host, port = pair.about["url"].removeprefix("http://").split(":")
    with pytest.raises(qg.errors.OutputError) as caught:
        serve(address=(host, int(port)), sample=True)
    assert caught.value.key == "service.port_taken"


@pytest.mark.parametrize("workers", [0, 65])
def test_numbers_of_workers(workers):
    with pytest.raises(qg.errors.UsageError) as caught:
        serve(workers=workers, sample=True)
    assert caught.value.key == "service.not_workers"


def test_limits_are_judged_together():
    with pytest.raises(qg.errors.UsageError) as caught:
        Limits(points=0, seconds=-1, rate=0)
    assert (caught.value.key, len(caught.value.problems)) == ("service.invalid_limits", 2)


def test_without_data_the_way_out_is_said(tmp_path):
    with pytest.raises(RuntimeError) as caught:
        Server(tmp_path, "--data", str(tmp_path), QPVGEO_OFFLINE="1")
    assert "qpvgeo fetch" in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [({"held": 3}, "held"), ({"limits": [1, 2]}, "limits"), ({"origins": 5}, "origins")],
    ids=["held", "limits", "origins"],
)
def test_what_the_application_is_made_of_is_judged(given, named):
    held = given.pop("held", None) or service.Held.read(sample=True, grid=False)
    error = refused(lambda: service.create_app(held, **given), "frames.wrong_kinds", UsageError)
    assert [problem.values["name"] for problem in error.problems] == [named]


@pytest.mark.parametrize(("given", "named"), [({"workers": "two"}, "workers"), ({"address": None}, "address")])
def test_how_it_is_served_is_judged(given, named):
    error = refused(lambda: service.serve(**given), "frames.wrong_kinds", UsageError)
    assert [problem.values["name"] for problem in error.problems] == [named]
