"""The machine changes no answer: hash seed, locale, time zone, processors, threads, the clock of the files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qpvgeo.samples import sample

SEVERAL = """
import sys
from click.testing import CliRunner
from qpvgeo.cli import app

for words in ("coverage --by commune -o coverage.csv", "population -o people.csv", "crosswalk -o walk.csv",
              f"tag {sys.argv[1]} -o tags.csv"):
    ended = CliRunner().invoke(app, [*words.split(), "--sample"], catch_exceptions=False)
    assert ended.exit_code == 0, ended.stderr
"""
COMMAND = [sys.executable, "-c", "from qpvgeo.cli import main; main()"]
MACHINES = {
    "one processor, a locale without accents": {
        "PYTHONHASHSEED": "4242", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "QPVGEO_THREADS": "1",
    },
    "four threads on the other side of the world": {
        "PYTHONHASHSEED": "7", "TZ": "Pacific/Noumea", "QPVGEO_THREADS": "4", "OMP_NUM_THREADS": "4",
    },
}  # fmt: skip


def answers(folder, **environment):
    """What four commands write."""
    folder.mkdir()
    plain = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "QPVGEO_THREADS": "2"}
    given = os.environ | plain | environment | {"QPVGEO_CACHE": str(folder / "cache")}
    words = [sys.executable, "-c", SEVERAL, str(sample().addresses)]
    if given["QPVGEO_THREADS"] == "1" and shutil.which("taskset"):
        words = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0))), *words]
    ended = subprocess.run(words, cwd=folder, env=given, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    found = answers(tmp_path_factory.mktemp("machine") / "here")
    assert list(found) == ["coverage.csv", "people.csv", "tags.csv", "walk.csv"]
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_another_machine_gives_the_same_bytes(here, machine, tmp_path):
    found = answers(tmp_path / machine[:4].strip(), **MACHINES[machine])
    assert {name: found[name] == here[name] for name in here} == dict.fromkeys(here, True)


@pytest.mark.parametrize("clock", [0, 4_000_000_000], ids=["1970", "2096"])
def test_a_clock_that_jumps_hides_no_change(clock, tmp_path, monkeypatch):
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("QPVGEO_PROCESSED", "1")
    folder = tmp_path / "data"
    shutil.copytree(sample().path, folder)
    table = folder / Path(sample().population_2024).name
    before = people_of(folder)
    text = table.read_text(encoding="utf-8")
    assert text.count(";1753;") == 1
    table.write_text(text.replace(";1753;", ";1757;"), encoding="utf-8")
    os.utime(table, (clock, clock))
    assert people_of(folder) == before + 4


def people_of(folder):
    """People of the QPV of 2024, by the command."""
    words = ["summary", "--data", str(folder), "--vintage", "2024", "--json"]
    found = subprocess.run([*COMMAND, *words], check=True, capture_output=True, text=True)
    return json.loads(found.stdout)["population"]
