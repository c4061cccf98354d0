"""Time and memory of `qpvgeo.tag_file` as the rows grow: `python benchmarks/growth.py [--millions 1 3 10 30 100]`.

Each size in a process of its own: a Parquet file of points around fictional QPV is tagged with exact distances, the
index loaded from a file. Drawn in `growth.png`, beside the figures: `growth.json`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

HERE = Path(__file__).parent
BATCH = 1_000_000


def written(folder, quarters, millions):
    """Parquet file of points, made batch by batch."""
    import data
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{millions}.parquet"
    schema = pa.schema([("id", pa.int64()), ("x", pa.float64()), ("y", pa.float64())])
    with pq.ParquetWriter(path, schema) as writer:
        for batch in range(millions):
            x, y = data.points(quarters, BATCH, data.SEED + batch)
            ids = np.arange(batch * BATCH, (batch + 1) * BATCH)
            writer.write_table(pa.table([ids, x, y], schema=schema), row_group_size=1 << 18)
    return path


def tagged(index, source):
    """Seconds, processor seconds, and the most memory held, MB, of one file tagged."""
    import fresh

    import qpvgeo as qg

    held = qg.PerimeterIndex.load(index)
    before = fresh.peak_mb(forget=True)
    start, busy = perf_counter(), process_time()
    found = qg.tag_file(source, source.with_name("out.parquet"), held, xy=("x", "y"), crs=2154)
    figures = {"seconds": perf_counter() - start, "busy": process_time() - busy}
    return figures | {"rows": found["rows"], "peak_mb": fresh.peak_mb() - before}


def drawn(figures, path):
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    millions = [one["rows"] / 1e6 for one in figures]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    left.plot(millions, [one["busy"] for one in figures], "o-", color="#08519c")
    left.set(xlabel="million points", ylabel="processor seconds", title="Time: linear", xlim=(0, None), ylim=(0, None))
    right.plot(millions, [one["peak_mb"] for one in figures], "o-", color="#a63603")
    right.set(
        xlabel="million points", ylabel="MB above the index", title="Memory: flat", xlim=(0, None), ylim=(0, None)
    )
    for ax in (left, right):
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millions", nargs="+", type=int, default=[1, 3, 10, 30, 100])
    parser.add_argument("--one", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(tagged(*given.one)))
        return
    import data

    import qpvgeo as qg

    quarters, figures = data.qpv(1_609, where=data.INLAND), []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        qg.PerimeterIndex(quarters).save(folder / "index")
        for millions in given.millions:
            source = written(folder, quarters, millions)
            command = [sys.executable, "-W", "ignore", __file__, "--one", folder / "index", source]
            done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
            figures.append(json.loads(done.stdout.splitlines()[-1]))
            print(figures[-1], flush=True)
            source.unlink()
    (HERE / "growth.json").write_text(json.dumps(figures, indent=1) + "\n")
    drawn(figures, HERE / "growth.png")


if __name__ == "__main__":
    main()
