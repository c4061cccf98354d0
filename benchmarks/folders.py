"""A folder of points beside one file: `python benchmarks/folders.py [--rows 26000000] [--rounds 3] [--json FILE]`.

The same points around QPV as one Parquet file and as parts, tagged by the command with exact distances and a saved
index: the file by one process, the parts by two processes of this machine, of Dask, of Spark. All answers are compared
first, row by row and in order. Calls take turns in fresh processes held to two processors.
"""

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import data
import fresh
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PARTS = 16
MASTER = "local[2,4]"
"""Two workers, and four tries of a task."""
CALLS = {
    "one file": None,
    "folder, 2 workers": ("--workers", "2"),
    "folder, --engine dask": ("--engine", "dask", "--workers", "2"),
    "folder, --engine spark": ("--engine", "spark", "--master", MASTER),
}
NEEDS = {"folder, --engine dask": "distributed", "folder, --engine spark": "pyspark"}
GOALS = {"folder, 2 workers": 0.65, "folder, --engine dask": 1.0, "folder, --engine spark": 2.0}


def saved_index(folder):
    """Path of an index of QPV: the published ones where they are at hand."""
    import paths

    import qpvgeo as qg

    path = folder / "qpv.index"
    qg.PerimeterIndex(paths.perimeters()).save(path)
    return path


def part_of(folder, at, rows):
    """Write a part of points: its own seed, and ids that follow those of the part before."""
    import paths

    x, y = paths.clustered(paths.perimeters(), rows, data.SEED + at).T
    table = pa.table({"id": np.arange(at * rows, (at + 1) * rows), "x": x, "y": y})
    pq.write_table(table, folder / f"part-{at:03d}.parquet", row_group_size=1 << 18)


def written(folder, parts, rows):
    """Write parts of so many rows each, on two processes."""
    folder.mkdir()
    with get_context("spawn").Pool(fresh.PROCESSORS) as pool:
        pool.starmap(part_of, [(folder, at, rows) for at in range(parts)])


def joined(folder, path):
    """Write the parts of a folder as one file."""
    parts = sorted(folder.iterdir())
    with pq.ParquetWriter(path, pq.read_schema(parts[0])) as writer:
        for part in parts:
            writer.write_table(pq.read_table(part), row_group_size=1 << 18)


def command(source, output, index, *more):
    """Words of a fresh process that tags."""
    code = "from qpvgeo.cli import main; main()"
    words = ["tag", source, "-o", output, "--index", index, "--x", "x", "--y", "y", "--crs", "2154", *more]
    return [sys.executable, "-W", "ignore", "-c", code, *map(str, words)]


def measured(words):
    """Seconds of a command, its processor seconds with those of its workers, and the most memory of one of them, MB."""
    start = perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    ended, seen = Event(), {}
    watch = Thread(target=_watched, args=(process.pid, seen, ended))
    watch.start()
    _, error = process.communicate()
    seconds = perf_counter() - start
    ended.set()
    watch.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}:\n{error.decode()}")
    busy, peaks = zip(*seen.values(), strict=True)
    workers = [peak for pid, (_, peak) in seen.items() if pid != process.pid]
    return {"seconds": seconds, "busy": sum(busy), "worker_mb": max(workers or peaks), "all_mb": sum(peaks)}


def _watched(pid, seen, ended):
    """Note processor seconds and the most memory, MB, of a process and of those it started, again and again."""
    tick = os.sysconf("SC_CLK_TCK")
    while not ended.wait(0.1):
        parents = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                lines = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
                words = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if "VmHWM" in lines:
                found = (int(words[11]) + int(words[12])) / tick, int(lines["VmHWM"].split()[0]) * 1024 / 1e6
                parents[int(folder.name)] = int(lines["PPid"]), found
        for one in parents:
            above = one
            while above in parents and above != pid:
                above = parents[above][0]
            if above == pid:
                seen[one] = parents[one][1]


def require_same(one, folder):
    """Raise when a row of the parts, in the order of their names, is not that of the one file."""
    parts = sorted(folder.glob("*.parquet"))
    for name in pq.read_schema(one).names:
        left = pq.read_table(one, columns=[name])[name]
        right = pa.chunked_array(
            [chunk for part in parts for chunk in pq.read_table(part, columns=[name])[name].chunks]
        )
        if pa.types.is_floating(left.type):
            same = np.array_equal(left.to_numpy(), right.to_numpy(), equal_nan=True)
        else:
            same = left.cast(_plain(left.type)).equals(right.cast(_plain(right.type)))
        if not same:
            raise SystemExit(f"{folder.name}: `{name}` differs from that of the one file")


def _plain(kind):
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=26_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file to keep the ratios in; those of other workloads stay")
    given = parser.parse_args()
    import paths

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: fresh.PROCESSORS])
    calls = {name: more for name, more in CALLS.items() if _installed(NEEDS.get(name))}
    rows = given.rows // PARTS
    times, busy = ({name: [] for name in calls} for _ in range(2))
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        index, parts, one, single = saved_index(place), place / "parts", place / "one.parquet", place / "tagged.parquet"
        written(parts, PARTS, rows)
        joined(parts, one)
        for turn in range(given.rounds + 1):
            for name, more in calls.items():
                output = single if more is None else place / name
                found = measured(command(one if more is None else parts, output, index, *(more or ())))
                if more is not None and turn == 0:
                    require_same(single, output)
                if more is not None:
                    shutil.rmtree(output)
                if turn:
                    times[name].append(found["seconds"])
                    busy[name].append(found["busy"])
        print(f"\n{rows * PARTS:,} rows, equal in all answers")
    title = f"a folder of {PARTS} parts, {rows * PARTS / 1e6:g} million"
    ratios = paths.written(title, times, unit="one file")
    for name, of in busy.items():
        print(f"- {name}: {statistics.median(of):.1f} processor seconds{_reached(name, times)}")
    if given.json:
        paths.keep(given.json, ratios)


def _installed(module):
    if module is None or importlib.util.find_spec(module):
        return True
    print(f"{module} is left out: it is not installed", file=sys.stderr)
    return False


def _reached(name, times):
    """The goal, and the ratios of the rounds."""
    if name not in GOALS:
        return ""
    each = sorted(two / one for one, two in zip(times["one file"], times[name], strict=True))
    return f"; goal {GOALS[name]}, in a round {each[0]:.2f} to {each[-1]:.2f}"


if __name__ == "__main__":
    main()
