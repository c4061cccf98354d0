"""The server of the sample that the tests of the service share, and what they ask it about."""

from pathlib import Path

import pytest

for _needed in ("httpx", "starlette", "uvicorn", "orjson"):
    pytest.importorskip(_needed)

from tests.servers import Server  # noqa: E402 - it needs them


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Server of the sample, without limit of rate; the whole session asks it."""
    one = Server(tmp_path_factory.mktemp("server"), "--sample", "--rate", "0")
    yield one
    one.stop()


@pytest.fixture(scope="session")
def client(server):
    return server.client


@pytest.fixture(scope="session")
def inside():
    """A point in the first QPV of the sample, and its code."""
    import qpvgeo as qg

    qpv = qg.read_qpv(qg.sample().qpv_2024)
    point = qpv.geometry.iloc[0].representative_point()
    return point.x, point.y, qpv.index[0]


@pytest.fixture(scope="session")
def addresses():
    """Rows of the addresses of the sample, as text."""
    import pandas as pd

    import qpvgeo as qg

    return pd.read_csv(qg.sample().addresses, sep=";", dtype="str")


@pytest.fixture
def leftovers(server):
    """Folders that the server holds; none may be left behind."""
    return lambda: [path.name for path in Path(server.errors.parent).glob("qpvgeo-*") if "service" not in path.name]
