"""One call in a process of its own: `python fresh.py MODULE TOOL FOLDER`.

Imports and input come before the clock, the answer is written after it. Everything is held to two processors.
"""

import gc
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np

PROCESSORS = 2
NOT_INSTALLED = 3


def run(module, tool, folder):
    """Run a tool in a fresh process: seconds, peak MB above the start, answer; None when it is not installed."""
    command = [sys.executable, __file__, module, tool, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == NOT_INSTALLED:
        print(f"{tool} is left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    if done.returncode:
        raise SystemExit(f"{tool}:\n{done.stderr}")
    figures = json.loads(done.stdout.splitlines()[-1])
    return figures["seconds"], figures["peak_mb"], np.load(folder / f"{tool}.npy")


def main():
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])
    name, tool, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    module = importlib.import_module(name)
    try:
        call = module.TOOLS[tool](folder)
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_INSTALLED)
    gc.collect()
    before = peak_mb(forget=True)
    start = perf_counter()
    answer = call()
    seconds = perf_counter() - start
    peak = peak_mb() - before
    np.save(folder / f"{tool}.npy", module.answer(answer))
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


def peak_mb(*, forget=False):
    """Most memory that the process held, MB; forgets what it held before when asked to. NaN elsewhere than on Linux.

    Not `ru_maxrss`: a process inherits that one from its parent, and nothing resets it.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    if forget:
        Path("/proc/self/clear_refs").write_text("5")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    main()
