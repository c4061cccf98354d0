"""This version beside an earlier one, in one run: each answers in a process of its own, by turns.

`git worktree add ../qpvgeo-0.1.0 COMMIT`, then `python benchmarks/paths.py --old ../qpvgeo-0.1.0/src`.
"""

import json
import os
import statistics
import subprocess
import sys
import warnings
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).parent


def beside(old, rounds):
    """Ratios of an earlier version over this one: above 1, this one is faster."""
    ours, theirs = _Asked(HERE.parent / "src"), _Asked(old)
    found = {}
    print(f"\nthe earlier version over this one (load {os.getloadavg()[0]:.1f})\n")
    print("| workload | this, s | earlier, s | ratio | in a round |\n|---|---|---|---|---|")
    for name in WORKLOADS:
        times = [(ours.ask(name), theirs.ask(name)) for _ in range(rounds + 1)][1:]
        now, then = (statistics.median(of) for of in zip(*times, strict=True))
        each = sorted(two / one for one, two in times)
        print(f"| {name} | {now:.3f} | {then:.3f} | {then / now:.2f} | {each[0]:.2f} to {each[-1]:.2f} |")
        found[name] = round(then / now, 3)
    return {"earlier version": {"unit": "this version", "ratios": found, "load": round(os.getloadavg()[0], 1)}}


class _Asked:
    """A process that measures workloads with the sources of one version."""

    def __init__(self, sources):
        env = {**os.environ, "PYTHONPATH": str(sources)}
        command = [sys.executable, "-W", "ignore", str(Path(__file__).resolve())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ask(self, name):
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _points(count):
    import data

    quarters = data.qpv(1_609, where=data.INLAND)
    return quarters, data.points(quarters, count)


def arrays():
    import qpvgeo as qg

    quarters, points = _points(1_000_000)
    return lambda: qg.tag_points(points, quarters, bands=(), crs=2154)


def distances():
    import qpvgeo as qg

    quarters, points = _points(1_000_000)
    return lambda: qg.tag_points(points, quarters, crs=2154)


def bands():
    import qpvgeo as qg

    quarters, points = _points(1_000_000)
    return lambda: qg.tag_points(points, quarters, crs=2154, distance="band")


def frame():
    import geopandas as gpd

    import qpvgeo as qg

    quarters, points = _points(1_000_000)
    drawn = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points), crs=2154)
    return lambda: qg.tag_points(drawn, quarters, bands=())


def one():
    import qpvgeo as qg

    quarters, points = _points(100)
    index = qg.PerimeterIndex(quarters)

    def call():
        for at in range(50):
            qg.tag_points(([points[0][at]], [points[1][at]]), index, crs=2154)

    return call


def overlap():
    import data

    import qpvgeo as qg

    quarters = data.qpv(1_609, points=57)
    older = data.older(quarters)
    return lambda: qg.overlap(older, quarters)


def people():
    import data
    import pandas as pd

    import qpvgeo as qg

    quarters = data.national_qpv()
    cells = data.grid(quarters)
    ids = data.ids(200, cells["north"].to_numpy(), cells["east"].to_numpy())
    grid = pd.DataFrame({"population": cells["people"].to_numpy()}, index=pd.Index(ids, name="cell_id"))
    layer = quarters.to_crs(2154)

    def call():
        # neither the ids nor the outlines are known from before
        again = grid.set_axis(pd.Index(pd.array(grid.index.to_numpy(), dtype="str"), name="cell_id"))
        return qg.estimate_population(layer.set_geometry(layer.geometry.translate(0.0)), again)

    return call


WORKLOADS = {
    "tag_points of 1 million, bands=()": arrays,
    "tag_points of 1 million, exact distance": distances,
    "tag_points of 1 million, bands alone": bands,
    "tag_points of a GeoDataFrame of 1 million, bands=()": frame,
    "tag_points of one point, 50 times": one,
    "overlap of two vintages": overlap,
    "estimate_population from frames": people,
}


def main():
    warnings.simplefilter("ignore")
    ready = {}
    for line in sys.stdin:
        name = line.strip()
        if name not in ready:
            ready.clear()
            ready[name] = WORKLOADS[name]()
        start = perf_counter()
        ready[name]()
        print(perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
