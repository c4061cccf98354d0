"""Memory and open files stay flat: `flat.py 1000 200` indexes and tags a thousand times, reads each form 200 times.

Memory is what the process holds, in MB, after the first tenth of the cycles and after the last one; what a cycle adds
is the slope of a line through all of them.
"""

import functools
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import qpvgeo as qg

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests import damage  # noqa: E402 - the forms are those that the tests damage


class Growth(NamedTuple):
    """What a process held while it did one thing again and again."""

    first_mb: float
    last_mb: float
    slope_kb: float
    handles: int


def held_mb() -> float:
    """Memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def handles() -> int:
    """Files that this process holds open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def growth(call: Callable[[], Any], count: int) -> Growth:
    """Call it so many times, after a tenth as many to warm up."""
    for _ in range(max(count // 10, 3)):
        call()
    gc.collect()
    open_before, memory = handles(), [held_mb()]
    for _ in range(count):
        call()
        memory.append(held_mb())
    gc.collect()
    memory.append(held_mb())
    slope = np.polyfit(np.arange(len(memory)), memory, 1)[0]
    return Growth(memory[0], memory[-1], 1024 * slope, handles() - open_before)


def index_and_tag() -> Callable[[], Any]:
    """Build an index, and tag the addresses of the sample with it."""
    here = qg.sample()
    qpv = qg.read_qpv(here.qpv_2024)
    points = pd.read_csv(here.addresses, sep=";", usecols=["lon", "lat"]).iloc[:2_000]

    def cycle() -> None:
        qg.tag_points(points, qg.PerimeterIndex(qpv), xy=("lon", "lat"), crs=4326)

    return cycle


def reads() -> dict[str, Callable[[], Any]]:
    """Reading of each public form."""
    return {name: functools.partial(form.read, form.path) for name, form in damage.forms().items()}


def main() -> None:
    """Print what each thing adds, and end with 1 where it is not flat."""
    cycles, times = (int(word) for word in sys.argv[1:3])
    wrong = 0
    for name, call, count in [
        ("index and tag", index_and_tag(), cycles),
        *((name, call, times) for name, call in reads().items()),
    ]:
        found = growth(call, count)
        steady = found.last_mb - found.first_mb < 24 and found.handles == 0
        wrong += not steady
        print(
            f"{name:24} {count:5} times  {found.first_mb:6.1f} to {found.last_mb:6.1f} MB"
            f"  {found.slope_kb:7.2f} kB a cycle  {found.handles:+d} files{'' if steady else '  NOT FLAT'}",
            flush=True,
        )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
