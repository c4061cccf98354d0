"""Try what nobody should give: `fuzz.py files 20000` damaged files, `fuzz.py misuses 5000` wrong arguments.

Each case runs in a process with a bound of memory; a case that takes over twenty seconds, ends the interpreter, raises
what is no error of qpvgeo, or answers with fewer rows without a word is printed with its number, which makes it again.
"""

import argparse
import collections
import faulthandler
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SECONDS = 20
MOST_BYTES = 2 << 30
CHUNK = 200


def main() -> None:
    """Run the cases in processes of a few hundred, and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["files", "misuses"])
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        (_files if asked.what == "files" else _misuses)(asked.first, asked.count)
        return
    waiting = collections.deque(
        (first, min(CHUNK, asked.first + asked.count - first))
        for first in range(asked.first, asked.first + asked.count, CHUNK)
    )
    running: list[tuple[subprocess.Popen[str], int, int]] = []
    counts: collections.Counter[str] = collections.Counter()
    while waiting or running:
        while waiting and len(running) < asked.jobs:
            first, count = waiting.popleft()
            running.append((_started(asked.what, first, count), first, count))
        one, first, count = running.pop(0)
        said, cause = one.communicate()
        done = first
        for line in said.splitlines():
            number, kind, _ = line.split("\t", 2)
            done = int(number)
            if kind != "start":
                counts[kind] += 1
            if kind not in ("start", "answer", "refused"):
                print(line, flush=True)
        if one.returncode:
            # the case that ended the process is the last one begun
            kind = "hang" if one.returncode == -signal.SIGPROF else "end"
            counts[kind] += 1
            print(f"{done}\t{kind}\t{one.returncode} {cause[-400:]!r}", flush=True)
            if done + 1 < first + count:
                waiting.appendleft((done + 1, first + count - done - 1))
    print(dict(counts))
    sys.exit(any(kind not in ("answer", "refused") for kind in counts))


def _started(what: str, first: int, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, what, str(count), "--first", str(first), "--worker"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603


def _bounded() -> None:
    """Bound the memory and the time of this process, and leave the network alone."""
    # time of the processor: a busy machine is no hang
    faulthandler.register(signal.SIGPROF, chain=True)
    sys.path.insert(0, str(ROOT))
    os.environ["QPVGEO_OFFLINE"] = "1"
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2 * MOST_BYTES, now + 2 * MOST_BYTES))


def _told(number: int, kind: str, text: object = "") -> None:
    print(f"{number}\t{kind}\t{str(text)!r}", flush=True)


def _files(first: int, count: int) -> None:
    sys.path.insert(0, str(ROOT))
    from tests import damage

    damage.forms()
    _bounded()
    folder = Path(tempfile.mkdtemp(prefix="qpvgeo-fuzz-"))
    for seed in range(first, first + count):
        _told(seed, "start")
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        name, raw = damage.case(seed)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = damage.judge(name, raw, folder, command=seed % 10 == 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        kind = "memory" if grown > MOST_BYTES else found.kind
        _told(seed, kind, f"{name}: {found.told}" if kind not in ("answer", "refused") else "")


def _misuses(first: int, count: int) -> None:
    sys.path.insert(0, str(ROOT))
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    import numpy as np
    from tests import misuses, sound_calls

    every: dict[str, Any] = sound_calls.calls() | sound_calls.others()
    _bounded()
    names = sorted(every)
    for seed in range(first, first + count):
        _told(seed, "start")
        rng = np.random.default_rng(seed)
        name = names[seed % len(names)]
        function, arguments = every[name]
        possible = list(misuses.misuses(name))
        if not possible:
            continue
        chosen = [possible[at] for at in rng.permutation(len(possible))[: 1 + seed % 2]]
        changed = {argument: misuses.misused(arguments[argument], misuse, seed) for argument, misuse in chosen}
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        found = misuses.outcome(function, arguments | changed)
        signal.setitimer(signal.ITIMER_PROF, 0)
        plt.close("all")
        _told(seed, found.kind, f"{name} {chosen}: {found.value!r}" if found.kind == "foreign" else "")


if __name__ == "__main__":
    main()
