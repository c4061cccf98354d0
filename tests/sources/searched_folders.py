"""What the tests of folders share: the commands that search them, subject to permissions, and what is found."""

import os
import shutil
import subprocess
import sys

import pytest

from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")


HELD = {("perimeters", 2024), ("population", 2024)}


def held_in(folder):
    return {(one.kind, one.vintage) for one in recognise.scan(folder)}


def nested(folder, depth):
    """Make folders in each other, deeper than their path may be long."""
    place = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=place)
        below = os.open("a", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)


def judged(folder):
    """Findings of a folder by file: the level and the key of the problem."""
    return {
        report.file: [(one.level, getattr(one.problem, "key", "")) for one in report.findings]
        for report in examine(folder)
        if report.kind == "unknown"
    }


def without_powers(*words):
    """Words of a command that is subject to permissions, though root runs it."""
    if getattr(os, "geteuid", lambda: 1)():
        return list(words)
    if shutil.which("setpriv") is None:
        pytest.skip("root may open everything, and setpriv is not installed")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *words]


def command(*words, cache):
    """Standard output and error of a command that is subject to permissions, and its status."""
    call = [sys.executable, "-c", "from qpvgeo.cli import main; main()", *map(str, words)]
    environment = {**os.environ, "QPVGEO_CACHE": str(cache), "QPVGEO_OFFLINE": "1", "COLUMNS": "200"}
    done = subprocess.run(
        without_powers(*call), check=False, capture_output=True, text=True, env=environment, timeout=300
    )
    return done.returncode, done.stdout, done.stderr
