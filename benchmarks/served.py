"""The lookup service under load, on the loopback: `qpvgeo serve`, and PostGIS behind the same server if one is named.

    python benchmarks/served.py FOLDER                      # published files, as `qpvgeo serve --data` takes them
    python benchmarks/served.py FOLDER --postgis DSN        # the same perimeters in a database of its own

Each cell lasts a few seconds; the client is a plain socket, so that it measures the server.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SECONDS = 4
ONE = """with p as materialized (select st_transform(st_setsrid(st_makepoint($1, $2), 4326), 2154) g)
select i.code, n.code, n.d from p
left join lateral (select code from qpv where st_covers(geom, p.g) order by st_area(geom), code limit 1) i on true
left join lateral (select code, st_distance(border, p.g) d from qpv where st_dwithin(border, p.g, 500)
                   order by 2, 1 limit 1) n on true"""
MANY = (
    ONE.replace("(select st_transform(", "(select k, st_transform(")
    .replace("$1, $2", "x, y")
    .replace(", 2154) g)", ", 2154) g from unnest($1::float8[], $2::float8[]) with ordinality u(x, y, k))")
    + " order by k"
)


async def connection(host, port, requests, until, took):
    """Ask over one connection, one request after the other."""
    reader, writer = await asyncio.open_connection(host, port)
    turn = 0
    while not turn or time.perf_counter() < until:
        begun = time.perf_counter()
        writer.write(requests[turn % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head[:20], head[:200]
        await reader.readexactly(int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1]))
        took.append(time.perf_counter() - begun)
        turn += 1
    writer.close()


async def load(address, requests, clients, seconds=SECONDS):
    """Requests a second, and milliseconds of the middle one and of the slowest in a hundred."""
    took = []
    until = time.perf_counter() + seconds
    shares = [requests[one::clients] or requests for one in range(clients)]
    begun = time.perf_counter()
    await asyncio.gather(*(connection(*address, share, until, took) for share in shares))
    rate = len(took) / (time.perf_counter() - begun)
    return f"{rate:8.1f} a second, p50 {1e3 * np.median(took):6.2f} ms, p99 {1e3 * np.quantile(took, 0.99):6.2f} ms"


def points(folder, count):
    """Points near the QPV of the hexagone, degrees."""
    import qpvgeo

    qpv = qpvgeo.load(2024, data=folder).qpv.to_crs(4326)
    qpv = qpv[(qpv["territory"] == "hexagone") & qpv.geometry.notna()]
    rng = np.random.default_rng(0)
    middle = qpv.geometry.representative_point().iloc[rng.integers(0, len(qpv), count)]
    lon, lat = middle.x + rng.normal(0, 0.005, count), middle.y + rng.normal(0, 0.0035, count)
    return lon.round(6).to_numpy(), lat.round(6).to_numpy(), qpv


def get(path, lon, lat):
    return [f"GET {path}?lon={x}&lat={y} HTTP/1.1\r\nhost: a\r\n\r\n".encode() for x, y in zip(lon, lat, strict=True)]


def post(path, body):
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def measure(name, address, single, batch, large):
    """Print the cells of one server."""
    for clients in (1, 16):
        print(f"{name:10} single, {clients:2} clients: {asyncio.run(load(address, single, clients))}", flush=True)
    for clients in (1, 4):
        print(f"{name:10} batch,  {clients:2} clients: {asyncio.run(load(address, [batch], clients))}", flush=True)
    begun = time.perf_counter()
    for part in large:
        asyncio.run(load(address, [part], 1, seconds=1e-9))
    print(f"{name:10} 20,000 points: {time.perf_counter() - begun:.2f} s", flush=True)


def resident(process):
    """Resident and private MB of the workers of a process."""
    found = []
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        status = Path(f"/proc/{child}/status").read_text()
        found.append(tuple(int(re.search(rf"{key}:\s+(\d+)", status)[1]) // 1024 for key in ("VmRSS", "RssAnon")))
    return found


def ours(folder, workers, lon, lat):
    code = "from qpvgeo.cli import main; main()"
    options = ["serve", "--port", "0", "--json", "--rate", "0", "--no-page", "--no-grid", "--workers", str(workers)]
    command = [sys.executable, "-c", code, *options, "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            address = tuple(url.removeprefix("http://").split(":"))
            asyncio.run(load(address, get("/v1/locate", lon[:50], lat[:50]), 1, seconds=1))
            pairs = np.column_stack([lon, lat]).tolist()
            large = [post("/v1/locate", json.dumps(pairs[start : start + 10_000]).encode()) for start in (0, 10_000)]
            single, batch = get("/v1/locate", lon, lat), post("/v1/locate", json.dumps(pairs[:1_000]).encode())
            measure(f"qpvgeo {workers}w", address, single, batch, large)
            print(f"memory of the workers, resident and private MB: {resident(process.pid)}", flush=True)
        finally:
            process.send_signal(signal.SIGTERM)


def postgis_app():
    """The same questions asked of PostGIS, behind the same server."""
    import asyncpg
    import orjson
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    def told(row):
        return {"state": "in" if row[0] else "out", "qpv_code": row[0], "nearest_qpv": row[1], "distance_m": row[2]}

    async def single(request):
        asked = request.query_params
        row = await app.state.pool.fetchrow(ONE, float(asked["lon"]), float(asked["lat"]))
        return Response(orjson.dumps(told(row)), media_type="application/json")

    async def batch(request):
        pairs = orjson.loads(await request.body())
        rows = await app.state.pool.fetch(MANY, [one[0] for one in pairs], [one[1] for one in pairs])
        return Response(orjson.dumps([told(row) for row in rows]), media_type="application/json")

    @contextlib.asynccontextmanager
    async def life(app):
        async with asyncpg.create_pool(os.environ["SERVED_DSN"], min_size=2, max_size=4) as app.state.pool:
            yield

    app = Starlette(routes=[Route("/locate", single), Route("/locate", batch, methods=["POST"])], lifespan=life)
    return app


async def fill(dsn, qpv):
    """Table of the perimeters, with its indexes."""
    import asyncpg

    connected = await asyncpg.connect(dsn)
    await connected.execute("create extension if not exists postgis; drop table if exists qpv")
    await connected.execute("create table qpv (code text, geom geometry, border geometry)")
    shapes = qpv.to_crs(2154).geometry.make_valid()
    rows = [(str(code), shape.wkb) for code, shape in shapes.items()]
    put = "insert into qpv select $1, g, st_boundary(g) from (select st_setsrid(st_geomfromwkb($2), 2154) g) one"
    await connected.executemany(put, rows)
    await connected.execute(
        "create index on qpv using gist (geom); create index on qpv using gist (border); analyze qpv"
    )
    await connected.close()


def theirs(dsn, workers, qpv, lon, lat, port=8123):
    asyncio.run(fill(dsn, qpv))
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "served:postgis_app",
        "--factory",
        "--port",
        str(port),
        "--no-access-log",
    ]
    command += ["--log-level", "error", "--workers", str(workers)]
    here = Path(__file__).parent
    with subprocess.Popen(command, cwd=here, env={**os.environ, "SERVED_DSN": dsn}) as process:
        try:
            address, single = ("127.0.0.1", str(port)), get("/locate", lon, lat)
            for _ in range(100):
                with contextlib.suppress(OSError):
                    asyncio.run(load(address, single[:50], 1, seconds=1))
                    break
                time.sleep(0.2)
            pairs = np.column_stack([lon, lat]).tolist()
            large = [post("/locate", json.dumps(pairs).encode())]
            measure(f"PostGIS {workers}w", address, single, post("/locate", json.dumps(pairs[:1_000]).encode()), large)
        finally:
            process.send_signal(signal.SIGTERM)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--postgis", metavar="DSN")
    asked = parser.parse_args()
    lon, lat, qpv = points(asked.folder, 20_000)
    for workers in asked.workers:
        ours(asked.folder, workers, lon, lat)
        if asked.postgis:
            theirs(asked.postgis, workers, qpv, lon, lat)


if __name__ == "__main__":
    main()
