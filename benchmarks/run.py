"""Speed, as ratios to other tools: `python benchmarks/run.py [WORKLOAD...]`.

Answers are compared before anything is timed. The tools take turns, so that what else the machine does falls on all of
them. A ratio is one median over another; the lowest and highest ratio of a round say how far to trust it.
"""

import argparse
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from time import perf_counter

import data
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import qpvgeo

ROUNDS = 5
AGREE_M2 = 1e-6


def imports():
    """Fresh processes: what waits for the shell."""
    code = {
        "import geopandas": "import geopandas",
        "import qpvgeo": "import qpvgeo",
        "import qpvgeo; qpvgeo.read_qpv": "import qpvgeo; qpvgeo.read_qpv",
        "qpvgeo --help": "import sys; sys.argv = ['qpvgeo', '--help']; from qpvgeo.cli import main; main()",
    }
    calls = {
        name: lambda text=text: subprocess.run([sys.executable, "-c", text], check=True, stdout=subprocess.DEVNULL)
        for name, text in code.items()
    }

    _table("Start, in fresh processes", calls, unit="import geopandas")


def overlap():
    """QPV x communes: areas that two layers share."""
    quarters, communes = data.qpv(), data.communes()
    points = {name: shapely.get_num_coordinates(layer.geometry) for name, layer in (("q", quarters), ("c", communes))}
    calls = {
        "qpvgeo.overlap": lambda: qpvgeo.overlap(quarters, communes),
        "shapely STRtree + intersection": lambda: _strtree(quarters, communes),
        "shapely is_valid, STRtree + intersection": lambda: _checked(quarters, communes),
        "geopandas.overlay": lambda: _overlay(quarters, communes),
    }
    answers = [call().set_index(["left", "right"])["area_m2"].sort_index() for call in calls.values()]
    for name, other in zip(calls, answers, strict=True):
        if not other.index.equals(answers[0].index):
            raise SystemExit(f"{name}: other pairs than qpvgeo.overlap")
        if (apart := float(np.abs(other - answers[0]).max())) > AGREE_M2:
            raise SystemExit(f"{name}: {apart:.2g} m2 from qpvgeo.overlap")
    title = (
        f"Overlap of {len(quarters):,} QPV (median {np.median(points['q']):.0f} points) and {len(communes):,} communes "
        f"(median {np.median(points['c']):.0f}), {len(answers[0]):,} pairs, equal to {AGREE_M2:g} m2"
    )
    _table(title, calls, unit="qpvgeo.overlap")


def _strtree(quarters, communes):
    left, right = quarters.geometry.to_numpy(), communes.geometry.to_numpy()
    i, j = shapely.STRtree(right).query(left, predicate="intersects")
    shared = shapely.area(shapely.intersection(left[i], right[j]))
    frame = pd.DataFrame({"left": quarters.index[i], "right": communes.index[j], "area_m2": shared})
    return frame[frame["area_m2"] > 0]


def _checked(quarters, communes):
    """With the look at every outline that `qpvgeo.overlap` does too: on invalid ones the answer would be wrong."""
    if not (quarters.is_valid.all() and communes.is_valid.all()):
        raise SystemExit("invalid outlines")
    return _strtree(quarters, communes)


def _overlay(quarters, communes):
    left = quarters.reset_index(names="left")
    right = communes.reset_index(names="right")
    pieces = gpd.overlay(left, right, how="intersection")
    frame = pd.DataFrame({"left": pieces["left"], "right": pieces["right"], "area_m2": pieces.area})
    return frame[frame["area_m2"] > 0]


def _seconds(calls):
    """Times of each call over the rounds; the first round, which fills caches, is thrown away."""
    times = {name: [] for name in calls}
    for _ in range(ROUNDS + 1):
        for name, call in calls.items():
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    return {name: rounds[1:] for name, rounds in times.items()}


def _table(title, calls, *, unit):
    """Print a Markdown table of medians and of ratios to the call that is the unit."""
    times = _seconds(calls)
    print(f"\n{title}\n\n| call | median, s | over `{unit}` | in a round |\n|---|---|---|---|")
    for name, rounds in times.items():
        ratios = sorted(one / other for one, other in zip(rounds, times[unit], strict=True))
        ratio = statistics.median(rounds) / statistics.median(times[unit])
        print(f"| `{name}` | {statistics.median(rounds):.3f} | {ratio:.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |")


WORKLOADS = {"imports": imports, "overlap": overlap}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all by default")
    chosen = parser.parse_args().workloads or list(WORKLOADS)
    if unknown := sorted(set(chosen) - set(WORKLOADS)):
        parser.error(f"no workload {', '.join(unknown)}")
    tools = ", ".join(f"{name} {version(name)}" for name in ("qpvgeo", "geopandas", "shapely", "pandas"))
    print(f"Python {platform.python_version()}, {tools}; medians of {ROUNDS} rounds")
    for name in chosen:
        WORKLOADS[name]()


if __name__ == "__main__":
    main()
