"""What tagging costs as rows and workers grow, and a plan drawn from it: `python benchmarks/scaling.py [--quick]`.

The command tags folders of parts with exact distances, by 1 and 2 processes of this machine and of Dask, held to as
many processors. Seconds are a constant and a share of the rows, fitted on all sizes but one, which tells how far to
trust them. `--page` writes the figures of `scaling.json` into the page, and measures nothing.
"""

import argparse
import json
import os
import pickle
import shutil
import tempfile
import textwrap
from pathlib import Path

import folders
import numpy as np

HERE = Path(__file__).parent
KEPT = HERE / "scaling.json"
PAGE = HERE.parent / "docs" / "beyond-one-process.md"
MARKS = "<!-- scaling -->\n", "<!-- /scaling -->\n"
PART = 1_000_000
FITTED, CHECKED = (1, 3, 10, 30, 100), 20
"""Million rows: those that the model is fitted on, and that it is checked on."""
MOST_ALONE = 30
"""Million rows at most for one worker."""
RUNS = {f"{engine}, {count}": (engine, count) for engine in ("pool", "dask") for count in (1, 2)}
PLAN = {"rows": 10_000_000_000, "machines": 4, "processors": 8, "mb_a_second": 1_000, "price": 0.05}
"""Rows, machines, processors of each, what the storage gives, and what a processor costs an hour: to be replaced."""


def measured(place, index, engine, workers, millions):
    """Figures of one run over the first parts of a folder, a processor for each worker."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(workers))
    some, output = place / "some", place / "out"
    some.mkdir()
    for part in sorted((place / "parts").iterdir())[:millions]:
        (some / part.name).symlink_to(part)
    found = folders.measured(folders.command(some, output, index, "--engine", engine, "--workers", str(workers)))
    written = sum(part.stat().st_size for part in output.iterdir())
    read = sum(part.stat().st_size for part in some.iterdir())
    for folder in (some, output):
        shutil.rmtree(folder)
    return {"millions": millions, **found, "read_mb": read / 1e6, "written_mb": written / 1e6}


def sent(index):
    """Bytes of the job that goes to each worker with a part, and of the index that each process reads once."""
    import qpvgeo as qg

    job = qg.TagJob(index, xy=("x", "y"), crs=2154)
    return {"job_bytes": len(pickle.dumps(job)), "index_mb": index.stat().st_size / 1e6}


def fit(runs, what):
    """Constant and share of a million rows, by least squares of relative errors."""
    millions, seconds = (np.array([run[name] for run in runs]) for name in ("millions", what))
    design = np.stack([np.ones(len(millions)), millions], axis=1) / seconds[:, None]
    constant, share = np.linalg.lstsq(design, np.ones(len(millions)), rcond=None)[0]
    return {"constant": float(constant), "per_million": float(share)}


def modelled(runs, checked):
    """The fit of seconds and of processor seconds, and what it says of the size that it was not fitted on."""
    fitted = [run for run in runs if run["millions"] != checked]
    found = {what: fit(fitted, what) for what in ("seconds", "busy")}
    said = found["seconds"]["constant"] + found["seconds"]["per_million"] * checked
    measured = next(run["seconds"] for run in runs if run["millions"] == checked)
    return found | {"check": {"said": said, "measured": measured}}


def planned(kept):
    """Time, cost and traffic of a cluster by the runs of Dask, a worker for each processor."""
    of, runs = kept["models"]["dask, 2"], kept["runs"]["dask, 2"]
    plan, last = kept["plan"], max(runs, key=lambda run: run["millions"])
    workers = plan["machines"] * plan["processors"]
    millions = plan["rows"] / 1e6
    # as two workers share the rows here, so do all of them there
    working = of["seconds"]["constant"] + of["seconds"]["per_million"] * millions * 2 / workers
    traffic = (last["read_mb"] + last["written_mb"]) / last["millions"] * millions
    seconds = max(working, traffic / plan["mb_a_second"])
    return {
        "working": working,
        "moving": traffic / plan["mb_a_second"],
        "workers": workers,
        "seconds": seconds,
        "processor_hours": seconds * workers / 3600,
        "cost": seconds * workers / 3600 * plan["price"],
        "read_gb": last["read_mb"] / last["millions"] * millions / 1e3,
        "written_gb": last["written_mb"] / last["millions"] * millions / 1e3,
        "index_gb": kept["sent"]["index_mb"] * workers / 1e3,
        "worker_mb": last["worker_mb"],
    }


def page(kept):
    """Section of the page that holds the figures."""
    plan, found, sent = kept["plan"], planned(kept), kept["sent"]
    fitted = ", ".join(str(run["millions"]) for run in kept["runs"]["dask, 2"] if run["millions"] != kept["checked"])
    about = f"""
        Fitted on {fitted} million rows, checked on {kept["checked"]} million; load {kept["load"]:.1f} before the first
        run, a processor for each worker. A job of {sent["job_bytes"]:,} bytes goes with each part; each process reads
        the index, {sent["index_mb"]:.0f} MB, once.
    """
    drawn = f"""
        By these, {plan["rows"] / 1e9:g} billion rows on {plan["machines"]} machines of {plan["processors"]} processors
        as fast as these, {found["workers"]} workers of Dask, on storage that they share:
    """
    limits = """
        A straight line, drawn far beyond what was measured: a scheduler of that many workers and a network were not.
    """
    share = ["fixed, s", "a million rows, s", "processor seconds a million", "memory of a worker, MB"]
    sums = {
        "read and written": f"{found['read_gb']:,.0f} and {found['written_gb']:,.0f} GB",
        f"their way, at {plan['mb_a_second']:,} MB a second (assumed)": f"{found['moving'] / 60:.1f} minutes",
        "work of the processors": f"{found['working'] / 60:.1f} minutes",
        "time, the longer of the two": f"{found['seconds'] / 60:.1f} minutes",
        "processor hours paid": f"{found['processor_hours']:.1f}",
        f"cost, at {plan['price']:g} a processor hour (assumed: put your own)": f"{found['cost']:.2f}",
        "index read by all processes": f"{found['index_gb']:.1f} GB",
        "memory of a worker": f"{found['worker_mb']:,.0f} MB",
    }
    rows = [
        ["engine, workers", *share, "model, s", "measured, s", "off"],
        *(_row(kept, name) for name in kept["models"]),
    ]
    parts = [_filled(about), _table(rows), _filled(drawn), _table([["", ""], *sums.items()]), _filled(limits)]
    return "\n\n".join(parts) + "\n"


def _row(kept, name):
    of, check = kept["models"][name], kept["models"][name]["check"]
    return [
        name,
        *(f"{of['seconds'][one]:.2f}" for one in ("constant", "per_million")),
        f"{of['busy']['per_million']:.2f}",
        f"{max(run['worker_mb'] for run in kept['runs'][name]):.0f}",
        f"{check['said']:.1f}",
        f"{check['measured']:.1f}",
        f"{check['said'] / check['measured'] - 1:+.0%}",
    ]


def _table(rows):
    head, *others = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *others])


def _filled(text):
    return textwrap.fill(" ".join(text.split()), 120)


def kept_and_put(kept):
    """Keep the figures, and write the section into the page."""
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    _, after = rest.split(MARKS[1])
    PAGE.write_text(before + MARKS[0] + page(kept) + MARKS[1] + after, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1, 2 and 4 million rows, and the model checked on 3")
    parser.add_argument("--page", action="store_true", help="write the page anew from the figures that are kept")
    parser.add_argument("--plan", type=json.loads, default={}, help='another plan: \'{"machines": 4, "price": 0.02}\'')
    given = parser.parse_args()
    if given.page:
        kept = json.loads(KEPT.read_text())
        kept["plan"] |= given.plan
        kept_and_put(kept)
        return
    fitted, checked = ((1, 2, 4), 3) if given.quick else (FITTED, CHECKED)
    kept = {"load": os.getloadavg()[0], "plan": PLAN | given.plan, "checked": checked}
    kept["runs"] = {name: [] for name in RUNS}
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        index = folders.saved_index(place)
        kept["sent"] = sent(index)
        folders.written(place / "parts", max(fitted), PART)
        for millions in sorted([*fitted, checked]):
            for name, (engine, workers) in RUNS.items():
                if workers == 1 and millions > MOST_ALONE:
                    continue
                kept["runs"][name].append(measured(place, index, engine, workers, millions))
                print(name, kept["runs"][name][-1], flush=True)
    kept["models"] = {name: modelled(runs, checked) for name, runs in kept["runs"].items()}
    print(page(kept))
    if not given.quick:
        kept_and_put(kept)


if __name__ == "__main__":
    main()
