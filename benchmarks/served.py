"""The lookup service under load, on the loopback: `qpvgeo serve`, and PostGIS behind the same server if one is named.

    python benchmarks/served.py FOLDER                      # published files, as `qpvgeo serve --data` takes them
    python benchmarks/served.py FOLDER --postgis DSN        # the same perimeters in a database of its own

Both stand at once and take turns, a few seconds each, so that other work on the machine meets both; a line gives the
median of the rounds, and of their ratios. The client is a plain socket, so that it measures the server. Half load is
half of what was reached, asked for at even times whatever comes back.
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
import uvloop

SECONDS = 4
_ROOM = 1 << 24  # bytes read ahead: a client that stops reading measures itself
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


async def whole(reader, head):
    """Read a body, of a length that is said or in chunks."""
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    if length:
        await reader.readexactly(int(length[1]))
        return
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        await reader.readexactly(size + 2)
    await reader.readexactly(2)


async def connection(host, port, requests, until, took):
    """Ask over one connection, one request after the other."""
    reader, writer = await asyncio.open_connection(host, port, limit=_ROOM)
    turn = 0
    while not turn or time.perf_counter() < until:
        begun = time.perf_counter()
        writer.write(requests[turn % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head[:20], head[:200]
        await whole(reader, head)
        took.append(time.perf_counter() - begun)
        turn += 1
    writer.close()


async def load(address, requests, clients, seconds=SECONDS):
    """Requests a second, and seconds that each took."""
    took = []
    until = time.perf_counter() + seconds
    shares = [requests[one::clients] or requests for one in range(clients)]
    begun = time.perf_counter()
    await asyncio.gather(*(connection(*address, share, until, took) for share in shares))
    return len(took) / (time.perf_counter() - begun), took


async def paced(address, requests, rate, clients=16, seconds=SECONDS, refused=None):
    """Seconds from when each request was due to its answer, at a rate; `refused` counts the others by their status."""
    took, due, begun = [], iter(range(int(rate * seconds))), time.perf_counter()

    async def asks(asker):
        here = (f"127.0.0.{2 + asker}", 0)  # askers of their own: what one may ask is limited
        reader, writer = await asyncio.open_connection(*address, limit=_ROOM, local_addr=here)
        for turn in due:
            at = begun + turn / rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            writer.write(requests[turn % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            await whole(reader, head)
            if b" 200 " in head[:20]:
                took.append(time.perf_counter() - at)
            else:
                assert refused is not None, head[:200]
                refused[head[9:12].decode()] += 1
        writer.close()

    await asyncio.gather(*(asks(asker) for asker in range(clients)))
    return took


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


def told(rates, took):
    return (
        f"{np.median(rates):8.1f} a second, p50 {1e3 * np.median(took):6.2f} ms, "
        f"p99 {1e3 * np.quantile(took, 0.99):6.2f} ms"
    )


def measure(servers, rounds):
    """Print the cells of all servers, which take turns; ratios are those of the first to the others."""
    cells = [("single", 1), ("single", 16), ("batch", 1), ("batch", 4)]
    reached = {}
    for kind, clients in cells:
        rates, took = {name: [] for name in servers}, {name: [] for name in servers}
        for _ in range(rounds):
            for name, (address, asked) in servers.items():
                rate, seconds = uvloop.run(load(address, asked[kind], clients))
                rates[name].append(rate)
                took[name] += seconds
        for name, found in rates.items():
            print(f"{name:12} {kind:6}, {clients:2} clients: {told(found, took[name])}", flush=True)
            reached[name, kind, clients] = float(np.median(found))
        compared(f"{kind}, {clients} clients", {name: np.array(found) for name, found in rates.items()})
    times = {name: [] for name in servers}
    for _ in range(3 * rounds):
        for name, (address, asked) in servers.items():
            begun = time.perf_counter()
            for part in asked["large"]:
                uvloop.run(load(address, [part], 1, seconds=1e-9))
            times[name].append(time.perf_counter() - begun)
    for name, found in times.items():
        print(f"{name:12} 20,000 points: {np.median(found):.3f} s, least {min(found):.3f} s", flush=True)
    compared("20,000 points", {name: 1 / np.array(found) for name, found in times.items()})
    for name, (address, asked) in servers.items():
        half = reached[name, "single", 16] / 2
        took = uvloop.run(paced(address, asked["single"], half))
        print(f"{name:12} half load: {told([half], took)}", flush=True)


def compared(cell, rates):
    ours, *others = rates.values()
    for other in others:
        print(f"{'ratio':12} {cell}: {np.median(ours / other):.2f}", flush=True)


def resident(process):
    """MB of each worker: resident, its share of what several hold (PSS), its own."""
    found = []
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        about = Path(f"/proc/{child}/smaps_rollup").read_text()
        sizes = {key: int(size) // 1024 for key, size in re.findall(r"^(\w+):\s+(\d+) kB", about, re.MULTILINE)}
        found.append((sizes["Rss"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"]))
    return found


@contextlib.contextmanager
def ours(folder, workers):
    code = "from qpvgeo.cli import main; main()"
    options = ["serve", "--port", "0", "--json", "--rate", "0", "--no-page", "--no-grid", "--workers", str(workers)]
    command = [sys.executable, "-c", code, *options, "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            yield tuple(url.removeprefix("http://").split(":")), process.pid
            print(f"memory of the workers, resident, PSS and own MB: {resident(process.pid)}", flush=True)
        finally:
            process.send_signal(signal.SIGTERM)


def postgis_app():
    """The same questions asked of PostGIS, behind the same server."""
    import asyncpg
    import orjson
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    def row_of(row):
        return {"state": "in" if row[0] else "out", "qpv_code": row[0], "nearest_qpv": row[1], "distance_m": row[2]}

    async def single(request):
        asked = request.query_params
        row = await app.state.pool.fetchrow(ONE, float(asked["lon"]), float(asked["lat"]))
        return Response(orjson.dumps(row_of(row)), media_type="application/json")

    async def batch(request):
        pairs = orjson.loads(await request.body())
        rows = await app.state.pool.fetch(MANY, [one[0] for one in pairs], [one[1] for one in pairs])
        return Response(orjson.dumps([row_of(row) for row in rows]), media_type="application/json")

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


@contextlib.contextmanager
def theirs(dsn, workers, qpv, port=8123):
    uvloop.run(fill(dsn, qpv))
    command = [sys.executable, "-m", "uvicorn", "served:postgis_app", "--factory", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "error", "--workers", str(workers)]
    environment = {**os.environ, "SERVED_DSN": dsn}
    with subprocess.Popen(command, cwd=Path(__file__).parent, env=environment) as process:
        try:
            yield ("127.0.0.1", str(port))
        finally:
            process.send_signal(signal.SIGTERM)


def answers(address, request):
    """Wait until a server answers."""
    for _ in range(100):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            uvloop.run(load(address, request, 4, seconds=1))
            return
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgis", metavar="DSN")
    asked = parser.parse_args()
    lon, lat, qpv = points(asked.folder, 20_000)
    pairs = np.column_stack([lon, lat]).tolist()
    for workers in asked.workers:
        with contextlib.ExitStack() as stack:
            servers = {}
            halves = [json.dumps(pairs[start : start + 10_000]).encode() for start in (0, 10_000)]
            kinds = [("qpvgeo", stack.enter_context(ours(asked.folder, workers))[0], "/v1/locate", halves)]
            if asked.postgis:
                address = stack.enter_context(theirs(asked.postgis, workers, qpv))
                kinds.append(("PostGIS", address, "/locate", [json.dumps(pairs).encode()]))
            for name, address, path, large in kinds:
                requests = {
                    "single": get(path, lon, lat),
                    "batch": [post(path, json.dumps(pairs[:1_000]).encode())],
                    "large": [post(path, part) for part in large],
                }
                answers(address, requests["single"][:50])
                servers[f"{name} {workers}w"] = (address, requests)
            measure(servers, asked.rounds)


if __name__ == "__main__":
    main()
