"""What a worker does before it answers: the first asker of a path waits for no import, and nothing of it is counted."""

import asyncio
import json
import subprocess
import sys

import pandas as pd

from qpvgeo.service import Held, Limits
from qpvgeo.service.guard import Guard
from qpvgeo.service.metrics import Metrics

_ASKS = """
import asyncio, json, pathlib, sys
import httpx
from qpvgeo.service import Held, Limits, create_app
from qpvgeo.service.openapi import document
from qpvgeo.service.rehearsal import examples, rehearse

held = Held.read(sample=True)
rehearse(held, Limits())
asked = list(examples(document(held, Limits(), "fr")))
asked += [("POST", "/v1/tag", "", pathlib.Path(one).read_bytes()) for one in sys.argv[1:]]
app = create_app(held)
already = set(sys.modules)

async def answers():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://a") as client:
        before = (await client.get("/metrics")).text
        told = [await client.request(method, path, params=query, content=body) for method, path, query, body in asked]
        return before, [(one.request.url.path, one.status_code) for one in told]

before, told = asyncio.run(answers())
own = {"httpx", "httpcore", "encodings"}
new = sorted(name for name in set(sys.modules) - already if name.partition(".")[0] not in own)
print(json.dumps({"told": told, "counted": before, "new": new}))
"""


def test_nothing_is_left_to_import_when_a_worker_answers(tmp_path):
    files, rows = [tmp_path / "rows.parquet", tmp_path / "rows.xlsx"], {"lon": [-3.5814], "lat": [45.9773]}
    pd.DataFrame(rows).to_parquet(files[0])
    pd.DataFrame(rows).to_excel(files[1], index=False)
    done = subprocess.run([sys.executable, "-c", _ASKS, *map(str, files)], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert {path for path, _ in found["told"]} >= {"/v1/locate", "/v1/tag", "/v1/qpv", "/v1/vat", "/v1/population"}
    assert {status for _, status in found["told"]} == {200}
    assert "/v1/tag" not in found["counted"]
    assert "qpvgeo_points_total{" not in found["counted"]
    assert found["new"] == []


def test_no_number_of_points_has_a_worker_build_its_grids_again():
    held = Held.read(sample=True, grid=False)
    layers = [held.index.layer("hexagone", vintage) for vintage in held.vintages]
    before = [(one.grid, one.boundaries(held.index.reach_m)) for one in layers]
    for one in layers:
        one.expect(1e9)
    assert [(one.grid, one.boundaries(held.index.reach_m)) for one in layers] == before


def test_a_refusal_does_not_wait_for_a_body_that_has_come():
    """Asked for more, a server would wait for the asker to go."""
    told, parts = [], [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def refuses(_scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 503, "headers": []})

    async def receive():
        return parts.pop()

    async def send(message):
        told.append(message["status"])

    guard = Guard(refuses, Limits(), Metrics(), refuses)
    asyncio.run(guard({"type": "http", "method": "POST", "path": "/v1/tag", "headers": []}, receive, send))
    assert told == [503]
