"""A run that is killed while it writes or fetches: a few of those of `make soak`."""

import importlib.util
import random
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "scripts" / "soak.py"


@pytest.fixture(scope="module")
def soak():
    spec = importlib.util.spec_from_file_location("soak", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def url(soak):
    server = ThreadingHTTPServer(("127.0.0.1", 0), soak._Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/pop_QPV24.csv"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("name", "rank"), [("population", 0), ("tag", 1), ("fetch", 0), ("fetch", 2)])
def test_a_killed_run_leaves_what_stood_there_and_nothing_else(soak, url, name, rank):
    assert soak.kill_one(name, rank, url, random.Random(rank)) == []
