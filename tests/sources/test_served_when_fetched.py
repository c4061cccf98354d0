"""`qpvgeo serve --fetch`: the files are got from their producers first, then served; the producers are played here."""

import json
import os
from pathlib import Path

import pytest
from tests.sources import sites

import qpvgeo as qg

for _needed in ("httpx", "starlette", "uvicorn", "orjson"):
    pytest.importorskip(_needed)

from tests.servers import Server  # noqa: E402 - it needs them

_HTTP = """
import dataclasses

from qpvgeo.sources import catalog, transfer

known = catalog._table()
table = {
    key: dataclasses.replace(
        one,
        addresses=tuple(dataclasses.replace(a, url=a.url.replace("https://", "http://")) for a in one.addresses),
    )
    for key, one in known.items()
}
catalog._table = lambda: table
transfer.BACKOFF_S = 0.0
"""
"""Read by each process of the command when it starts, as the fixture `producers` does it in this one."""


def surroundings(tmp_path, producers):
    """Variables for a command whose producers are those of the tests."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_HTTP, encoding="utf-8")
    path = os.pathsep.join([str(folder), str(Path(qg.__file__).parents[1])])
    direct = dict.fromkeys((*sites.PROXIES, *(name.upper() for name in sites.PROXIES)), "")
    return direct | {"PYTHONPATH": path, "HTTP_PROXY": producers.root, "http_proxy": producers.root}


def test_what_is_missing_is_fetched_and_served(producers, tmp_path):
    server = Server(tmp_path, "--fetch", "--no-page", "--no-grid", **surroundings(tmp_path, producers))
    try:
        assert server.about["vintages"] == [2024, 2015]
        point = qg.read_qpv(qg.sample().qpv_2024).geometry.iloc[0].representative_point()
        found = server.client.get("/v1/locate", params={"lon": point.x, "lat": point.y}).json()
        assert (found["state"], found["qpv_code"]) == ("in", "QN09901M")
        one = server.client.get("/v1/qpv/QN09901M").json()["properties"]
        assert (one["population"], one["population_basis"]) == (1753, "published")
        files = {record["file"] for record in found["sources"]}
        assert any("2024" in name and "geojson" in name for name in files)
        assert "qp-politiquedelaville-shp.zip" in files
        assert len(producers.seen) > 1
        asked = len(producers.seen)
        for _ in range(3):
            server.client.get("/v1/locate", params={"lon": point.x, "lat": point.y})
        # requests of askers send nothing to anybody
        assert len(producers.seen) == asked
    finally:
        assert server.stop() == 0
    # what was fetched is there the next time, without a connection
    again = Server(tmp_path, "--no-page", "--no-grid", QPVGEO_OFFLINE="1")
    try:
        assert json.loads(again.client.get("/health").content)["vintages"] == [2024, 2015]
    finally:
        assert again.stop() == 0


def test_producers_that_are_down_are_said_to_be(producers, tmp_path):
    producers.files.clear()
    producers.moved.clear()
    with pytest.raises(RuntimeError) as caught:
        Server(tmp_path, "--fetch", "--no-page", "--no-grid", QPVGEO_LANG="en", **surroundings(tmp_path, producers))
    assert "Traceback" not in str(caught.value)
    assert "data.gouv.fr" in str(caught.value)
