"""Two workers on one port: slow bodies, crowds, workers that die or are renewed, an end that is graceful."""

import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.builders import refused
from tests.servers import Server

import qpvgeo as qg
from qpvgeo import service
from qpvgeo.errors import UsageError
from qpvgeo.service import Limits, serve

_TRIES = 400


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
        text = httpx.get(f"{server.about['url']}/metrics", timeout=60).text
        found.add(int(re.search(r'worker="(\d+)"', text)[1]))
        if len(found) == 2:
            break
    return found


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
            answer = httpx.post(f"{pair.about['url']}/v1/tag", content=body, timeout=120)
            if answer.status_code != 503:
                break
            time.sleep(0.1)
        assert answer.status_code == 200, answer.text
        return [line.split(";")[0] for line in answer.text.splitlines()[1:]] == [line.split(";")[0] for line in lines]

    with ThreadPoolExecutor(50) as crowd:
        assert all(crowd.map(asks, range(100)))
    assert list(pair.errors.parent.glob("qpvgeo-????????")) == []


def test_a_worker_that_is_killed_is_replaced(pair):
    before = workers_of(pair)
    assert len(before) == 2
    dead = min(before)
    os.kill(dead, signal.SIGKILL)
    answered = 0
    for _ in range(_TRIES):
        try:
            answered += httpx.get(f"{pair.about['url']}/health", timeout=60).status_code == 200
        except httpx.TransportError:
            continue
        if len(now := workers_of(pair)) == 2 and dead not in now:
            break
        time.sleep(0.1)
    assert answered
    assert len(now) == 2


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no SIGHUP")
def test_workers_are_renewed_without_a_request_lost(pair):
    before = workers_of(pair)
    os.kill(pair.process.pid, signal.SIGHUP)
    for _ in range(_TRIES):
        assert httpx.get(f"{pair.about['url']}/v1/places", params={"q": "port"}, timeout=60).status_code == 200
        now = workers_of(pair)
        if len(now) == 2 and not now & before:
            break
        time.sleep(0.1)
    assert not now & before


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
