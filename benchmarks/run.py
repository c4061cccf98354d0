"""Speed, as ratios to other tools: `python benchmarks/run.py [WORKLOAD...]`.

Answers are compared before anything is timed. The tools take turns, so that what else the machine does falls on all of
them. A ratio is one median over another; the lowest and highest ratio of a round say how far to trust it.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import connected
import data
import drawn
import files_to_people
import fresh
import grid_files
import grid_sums
import numpy as np
import overlaid
import shapely
import tagged
import tagged_files

import qpvgeo

ROUNDS = 5
AGREE_M2 = 1e-6
AGREE_PEOPLE = 1e-6
AGREE_M = 1e-6
SMALL = 0.1
"""Share of flagged cells beyond which the slowest tools take fewer rounds."""
MILLIONS = (1, 5, 26)
"""Points of the workloads `tag`, `bands` and `files`; the last as many as addresses in the country."""
MANY = 20_000_000
SLOW = ("geopandas.sjoin", "shapely STRtree dwithin", "shapely, sorted and prepared")
"""Tools that take one round only where points are many."""
COARSE = ("exactextract", "tobler area_interpolate", "tobler")
"""Tools that are further from shapely than that (tobler keeps areas in four bytes): their distance is told."""


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
    _overlaid("QPV and communes", data.qpv(), data.communes())


def vintages():
    """QPV of two geographies; those published too, where their folder is at hand."""
    quarters = data.qpv(1_609, points=57)
    _overlaid("Two geographies", data.older(quarters), quarters)
    folder = os.environ.get("QPVGEO_TEST_DATA") or os.environ.get("QPVGEO_DATA")
    if folder is None:
        print("\nThe published perimeters are left out: QPVGEO_TEST_DATA names no folder.", file=sys.stderr)
        return
    layers = [_published(Path(folder), name) for name in ("QP_METROPOLE_LB93.shp", "qpv2024_simplified.geojson")]
    _overlaid("The published perimeters of the hexagone, 2015 and 2024", *layers)


def _published(folder, name):
    """Perimeters of the hexagone in its projection, each valid."""
    qpv = qpvgeo.read_qpv(next(folder.rglob(name)))
    qpv = qpv[(qpv["territory"] == "hexagone") & qpv.geometry.notna()][["geometry"]].to_crs(2154)
    return qpvgeo.repair(qpv)[0]


def _overlaid(title, one, other):
    with tempfile.TemporaryDirectory() as folder:
        overlaid.prepare(Path(folder), one, other)
        runs = _fresh("overlaid", overlaid.TOOLS, Path(folder), check=_require_same_areas)
    sizes = [
        f"{len(layer):,} (median {np.median(shapely.get_num_coordinates(layer.geometry)):.0f} points)"
        for layer in (one, other)
    ]
    print(f"\n{' and '.join(sizes)}, {len(next(iter(runs.values()))[0][2]):,} pairs; {_load()}")
    _show(title, _times(runs), unit="qpvgeo.overlap")
    _peaks(runs)


def _require_same_areas(answers):
    """Raise when tools find other pairs, or areas further apart than that."""
    (one, right), *others = answers.items()
    for tool, other in others:
        if right.shape != other.shape or (right[:, :2] != other[:, :2]).any():
            raise SystemExit(f"{tool} and {one} differ: {len(other):,} and {len(right):,} pairs")
        apart = float(np.abs(right[:, 2] - other[:, 2]).max())
        print(f"- {tool}: {apart:.1e} m2 from {one}")
        if apart > AGREE_M2 and tool not in COARSE:
            raise SystemExit(f"{tool} and {one} differ")


def grid():
    """QPV x the national grid: people and living standards of every QPV."""
    quarters = data.national_qpv()
    cells = data.grid(quarters)
    with tempfile.TemporaryDirectory() as folder:
        grid_sums.prepare(Path(folder), quarters, cells)
        runs = _fresh("grid_sums", grid_sums.TOOLS, Path(folder))
    points = np.median(shapely.get_num_coordinates(quarters.geometry))
    print(
        f"\n{len(quarters):,} QPV (median {quarters.area.median() / 1e4:.0f} ha, {points:.0f} points; "
        f"{int((quarters.geom_type == 'MultiPolygon').sum())} in parts) and {len(cells):,} cells"
    )
    right = runs["shapely STRtree + intersection"][0][2]
    for tool, rounds in runs.items():
        apart = np.abs(rounds[0][2] - right)
        print(f"- {tool}: {apart[0].max():.1e} people, {(apart[1] / np.maximum(right[1], 1)).max():.1e} of the income")
        if apart[0].max() > AGREE_PEOPLE and tool not in COARSE:
            raise SystemExit(f"{tool}: {apart[0].max():.2g} people from shapely")
    _show("Sums per QPV, in fresh processes", _times(runs), unit="qpvgeo")
    overlay = runs.get("geopandas.overlay")
    print("\n| call | peak above the start, MB | of `geopandas.overlay` |\n|---|---|---|")
    for tool, rounds in runs.items():
        peaks = [statistics.median(peak for _, peak, _ in which) for which in (rounds, overlay or rounds)]
        print(f"| `{tool}` | {peaks[0]:.0f} | {peaks[0] / peaks[1]:.3f} |")


def zones():
    """Connected zones of the poorest cells of the national grid, 1 % and 30 % of them."""
    cells = data.grid(data.national_qpv())
    for share in (0.01, 0.3):
        with tempfile.TemporaryDirectory() as folder:
            flagged = connected.prepare(Path(folder), cells, share)
            few = {"libpysal": 1, "shapely and csgraph": 3} if share > SMALL else {}
            check = partial(_require_same_zones, Path(folder))
            runs = _fresh("connected", connected.TOOLS, Path(folder), few, check=check)
        labels = runs["connected_zones"][0][2]
        print(f"\n{flagged:,} of {len(cells):,} cells, {labels.max() + 1:,} zones; {_load()}")
        _show(f"Connected zones, {share:.0%} of the cells", _times(runs), unit="connected_zones")
        _peaks(runs)


def _require_same_zones(folder, answers):
    """Raise when labels differ: those of ndimage as they are, those of others in its order."""
    right = answers["scipy.ndimage.label"]
    for tool, labels in answers.items():
        told = labels if tool == "connected_zones" else connected.ordered(folder, labels)
        if not np.array_equal(told, right):
            raise SystemExit(f"{tool} and scipy.ndimage.label differ")


def ids():
    """The ids of the national grid as whole numbers."""
    with tempfile.TemporaryDirectory() as folder:
        _prepare_files(Path(folder), "Parquet")
        runs = _fresh("grid_files", grid_files.PARSERS, Path(folder))
    _require_equal(runs)
    _show("Ids to northing and easting, in fresh processes", _times(runs), unit="lattice.parse_ids")


def reads():
    """The national grid from a file, against the reader that is called for it."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = _prepare_files(Path(folder), *grid_files.BARE)
        for form, reader in grid_files.BARE.items():
            bare, *ours = f"{reader}, {form}", f"read_grid, {form}", f"read_grid, {form}, hashed before"
            runs = _fresh("grid_files", [bare, *ours, "lattice.parse_ids"], Path(folder))
            times = _times(runs)
            parsed = times["lattice.parse_ids"]
            for tool in ours:
                times[f"{tool}, less parse_ids"] = [a - b for a, b in zip(times[tool], parsed, strict=True)]
            _require_equal({tool: runs[tool] for tool in (bare, *ours)})
            _show(f"{form}, {sizes[form]:,.0f} MB: {len(grid_files.COLUMNS)} of 34 columns", times, unit=bare)


def people():
    """From files of the grid and of perimeters to the people of all QPV, against the bare readers and other tools."""
    quarters = data.national_qpv()
    cells = data.grid(quarters)
    with tempfile.TemporaryDirectory() as folder:
        sizes = files_to_people.prepare(Path(folder), quarters, cells, data.published(cells))
        for form in grid_files.BARE:
            tools = [f"{name}, {form}" for name in files_to_people.CALLS]
            few = {f"{name}, {form}": 1 for name in ("geopandas and tobler", "duckdb spatial")}
            runs = _fresh("files_to_people", tools, Path(folder), few, check=_require_same_people)
            _show(f"{form}, {sizes[form]:,.0f} MB", _times(runs), unit=f"bare readers, {form}")
            _peaks(runs)


def _require_same_people(answers):
    """Raise when estimates differ; the bare readers make none."""
    told = {tool: people for tool, people in answers.items() if not tool.startswith("bare readers")}
    (one, right), *others = told.items()
    for tool, other in others:
        apart = float(np.abs(right - other).max())
        print(f"- {tool}: {apart:.1e} people from {one}")
        if apart > AGREE_PEOPLE and not any(name in tool for name in COARSE):
            raise SystemExit(f"{tool} and {one} differ")


def tag(millions=MILLIONS):
    """In which QPV points lie; the index is built inside the clock."""
    tools = (
        "PerimeterIndex.positions",
        "tag_points, bands=()",
        "sedonadb",
        "duckdb spatial",
        "geopandas.sjoin",
        "shapely, sorted and prepared",
    )
    _tagged("In or out", tools, tools[:2], millions, lambda found: found < 0)


def bands(millions=MILLIONS):
    """In, within 300 m, within 500 m, beyond; the index is built inside the clock."""
    tools = ("tag_points, distance=band", "sedonadb, bands", "duckdb spatial, bands", "shapely STRtree dwithin")
    _tagged("Bands of 300 and 500 m", tools, tools[:1], [size for size in millions if size != 5], lambda found: found)


def _tagged(title, tools, ours, millions, kind):
    quarters = data.qpv(1_609, points=57, where=data.INLAND)
    points = data.points(quarters, max(millions) * 1_000_000)
    for size in millions:
        many = size * 1_000_000
        with tempfile.TemporaryDirectory() as folder:
            tagged.prepare(Path(folder), quarters, *(axis[:many] for axis in points))
            few = {tool: 1 if tool in SLOW else 3 for tool in tools} if many > MANY else {}
            runs = _fresh("tagged", tools, Path(folder), few, check=_require_same)
        right = runs[tools[0]][0][2]
        shares = ", ".join(f"{share:.1%}" for share in np.bincount(kind(right)) / many)
        print(f"\n{many:,} points, from the inside outwards: {shares}; {_load()}")
        for unit in ours:
            _show(f"{title}, {many:,} points", _times(runs), unit=unit)
        _peaks(runs)


def distances():
    """Distances to limits with the index kept, and the index itself: built, saved, loaded."""
    quarters = data.qpv(1_609, points=57, where=data.INLAND)
    ours, others = list(tagged.KEPT), list(tagged.NEAREST)
    for name, many, hard in (("national points", 5_000_000, False), ("hard mix", 1_000_000, True)):
        with tempfile.TemporaryDirectory() as folder:
            tagged.prepare(Path(folder), quarters, *data.points(quarters, many, hard=hard))
            runs = _fresh("tagged", [*ours, *others], Path(folder), check=_require_near)
            index = None if hard else _fresh("tagged", tagged.INDEX, Path(folder))
        distance = runs[ours[0]][0][2]
        print(f"\n{name}: {np.mean(distance == 0):.3f} in, {np.mean(distance > 0):.3f} outside in reach; {_load()}")
        print("\n| call | points | median, s | million points a second | in a round |\n|---|---|---|---|---|")
        for tool, rounds in _times(runs).items():
            count = many if tool in ours else tagged.SAMPLE
            rates = sorted(count / 1e6 / seconds for seconds in rounds)
            middle, between = statistics.median(rounds), f"{rates[0]:.2f} to {rates[-1]:.2f}"
            print(f"| `{tool}` | {count:,} | {middle:.3f} | {count / 1e6 / middle:.2f} | {between} |")
        _peaks(runs)
        if index is not None:
            _show("Index with distances", _times(index), unit=next(iter(index)))
            _peaks(index)


def files(millions=MILLIONS):
    """A whole Parquet file tagged with exact distances, the index loaded before; pyarrow as the floor."""
    quarters = data.qpv(1_609, points=57, where=data.INLAND)
    many = max(millions) * 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        tagged_files.prepare(Path(folder), quarters, *data.points(quarters, many))
        few = dict.fromkeys(tagged_files.TOOLS, 3) if many > MANY else {}
        runs = _fresh("tagged_files", tagged_files.TOOLS, Path(folder), few, check=_require_same)
    print(f"\n{many:,} rows; {_load()}")
    _show("Parquet to Parquet", _times(runs), unit="pyarrow, reading and writing alone")
    _peaks(runs)


def maps():
    """Maps of the country by commune, of its QPV, and of the cells around a city, to PNG."""
    quarters = data.qpv(1_609, points=57)
    with tempfile.TemporaryDirectory() as folder:
        cells = data.grid(quarters.to_crs(3035))
        communes, shapes, near = drawn.prepare(Path(folder), data.communes(), quarters, cells)
        runs = _fresh("drawn", drawn.TOOLS, Path(folder))
    print(f"\n{communes:,} communes, {shapes:,} QPV, {near:,} cells; {_load()}")
    ours, plain = (np.sort(runs[tool][0][2]) for tool in ("maps.choropleth", "geopandas plot"))
    if not np.array_equal(ours, plain):
        raise SystemExit(f"classes of {ours} communes, and of {plain}")
    _show("Maps to PNG, in fresh processes", _times(runs), unit="geopandas plot")
    _peaks(runs)


def _require_same(answers):
    """Raise when tools differ on any row."""
    (one, right), *others = answers.items()
    for tool, other in others:
        if wrong := int((right != other).sum()):
            raise SystemExit(f"{tool} and {one} differ on {wrong:,} of {len(right):,} points")


def _require_near(answers):
    """Raise when distances differ, or one tool has one where another has none; on as many points as both answer."""
    (one, right), *others = answers.items()
    for tool, other in others:
        if not np.allclose(right[: len(other)], other, rtol=0, atol=AGREE_M, equal_nan=True):
            raise SystemExit(f"{tool} and {one} differ")


def _peaks(runs):
    print("\n| call | peak above the start, MB |\n|---|---|")
    for tool, rounds in runs.items():
        print(f"| `{tool}` | {statistics.median(peak for _, peak, _ in rounds):.0f} |")


def _load():
    """What else the machine does."""
    return (
        "load " + " ".join(f"{mean:.1f}" for mean in os.getloadavg()) if hasattr(os, "getloadavg") else "load unknown"
    )


def _prepare_files(folder, *forms):
    cells = data.grid(data.national_qpv())
    return grid_files.prepare(folder, cells, data.published(cells), forms)


def _fresh(module, tools, folder, few=None, check=None):
    """Seconds, peak MB and answer of each tool in each round; the first one only compares answers and fills caches.

    `few` holds the number of rounds of tools that take fewer, `check` looks at the first answers. From the second round
    on answers are dropped.
    """
    few = few or {}
    first = {tool: run for tool in tools if (run := fresh.run(module, tool, folder)) is not None}
    if check is not None:
        check({tool: answer for tool, (_, _, answer) in first.items()})
    runs = {tool: [] for tool in first}
    for number in range(ROUNDS):
        for tool, rounds in runs.items():
            if number < few.get(tool, ROUNDS):
                seconds, peak, answer = fresh.run(module, tool, folder)
                rounds.append((seconds, peak, None if rounds else answer))
    return runs


def _times(runs):
    return {tool: [seconds for seconds, _, _ in rounds] for tool, rounds in runs.items()}


def _require_equal(runs):
    """Raise when the first tool and another one do not give the same."""
    (one, right), *others = runs.items()
    for tool, rounds in others:
        if not np.allclose(rounds[0][2], right[0][2], rtol=1e-12, atol=0):
            raise SystemExit(f"{tool} and {one} differ")


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
    _show(title, _seconds(calls), unit=unit)


def _show(title, times, *, unit):
    """Print a Markdown table of medians and of ratios to the call that is the unit."""
    print(f"\n{title}\n\n| call | median, s | over `{unit}` | in a round |\n|---|---|---|---|")
    for name, rounds in times.items():
        ratios = sorted(one / other for one, other in zip(rounds, times[unit], strict=False))
        ratio = statistics.median(rounds) / statistics.median(times[unit])
        print(f"| `{name}` | {statistics.median(rounds):.3f} | {ratio:.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |")


WORKLOADS = {
    "imports": imports,
    "overlap": overlap,
    "vintages": vintages,
    "grid": grid,
    "zones": zones,
    "ids": ids,
    "reads": reads,
    "people": people,
    "distances": distances,
    "maps": maps,
}
OF_POINTS = {"tag": tag, "bands": bands, "files": files}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join([*WORKLOADS, *OF_POINTS])}; all by default"
    )
    parser.add_argument(
        "--millions", nargs="+", type=int, default=MILLIONS, help="points of `tag`, `bands` and `files`"
    )
    given = parser.parse_args()
    calls = WORKLOADS | {name: partial(call, given.millions) for name, call in OF_POINTS.items()}
    chosen = given.workloads or list(calls)
    if unknown := sorted(set(chosen) - set(calls)):
        parser.error(f"no workload {', '.join(unknown)}")
    tools = ", ".join(f"{name} {version(name)}" for name in ("qpvgeo", "geopandas", "shapely", "pandas"))
    print(f"Python {platform.python_version()}, {tools}; medians of {ROUNDS} rounds")
    for name in chosen:
        calls[name]()


if __name__ == "__main__":
    main()
