"""Completion, by the shells themselves: keys are typed on a terminal, and the words that the command gets are read."""

import os
import re
import select
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no terminals of this kind")

README = Path(__file__).resolve().parents[2] / "README.md"
PLAIN = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"], "fish": ["--no-config", "-i"]}
BEFORE = {"bash": "", "zsh": "autoload -Uz compinit && compinit -u; ", "fish": ""}
LINES = {
    "bash": 'eval "$(_QPVGEO_COMPLETE=bash_source qpvgeo)"',
    "zsh": 'eval "$(_QPVGEO_COMPLETE=zsh_source qpvgeo)"',
    "fish": "_QPVGEO_COMPLETE=fish_source qpvgeo | source",
}
COMMAND = """#!{python}
import os, pathlib, sys
if "_QPVGEO_COMPLETE" in os.environ:
    from qpvgeo.cli import main
    main()
else:
    there = pathlib.Path(os.environ["TYPED"])
    there.with_suffix(".part").write_text("\\n".join(sys.argv[1:]), encoding="utf-8")
    there.with_suffix(".part").rename(there)
"""
LONGEST_S = 60


@pytest.fixture(params=sorted(PLAIN))
def shell(request):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture
def here(tmp_path):
    """Folder with files, and a home."""
    for name in ("bin", "home", "here/folder"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("here/points.csv", "here/two words.csv", "here/été.csv", "here/folder/inner.csv", "home/mine.csv"):
        (tmp_path / name).touch()
    command = tmp_path / "bin" / "qpvgeo"
    command.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)
    return tmp_path


class Terminal:
    """A shell in a folder, on a terminal of its own."""

    def __init__(self, shell, folder):
        import pty

        self.process, self.end = pty.fork()
        if self.process == 0:
            os.chdir(folder / "here")
            places = {"HOME": str(folder / "home"), "TYPED": str(folder / "typed"), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
            path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
            os.execvpe(shell, [shell, *PLAIN[shell]], {**os.environ, **places, "PATH": path})
        self.shown = b""

    def type(self, keys, until):
        os.write(self.end, f"{keys}\r".encode())
        last = time.monotonic() + LONGEST_S
        while not until():
            assert time.monotonic() < last, self.shown.decode(errors="replace")
            if select.select([self.end], [], [], 0.05)[0]:
                self.shown += os.read(self.end, 65_536)

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.end)


def words(shell, folder, keys):
    """Words that the command gets when the keys are typed, and Enter."""
    terminal, typed = Terminal(shell, folder), folder / "typed"
    try:
        terminal.type(f"{BEFORE[shell]}{LINES[shell]}; echo rea''dy", lambda: b"ready" in terminal.shown)
        terminal.type(keys, typed.exists)
    finally:
        terminal.close()
    return typed.read_text(encoding="utf-8").split("\n")


@pytest.mark.parametrize(
    ("keys", "completed"),
    [
        ("qpvgeo cov\t", ["coverage"]),
        ("qpvgeo --vers\t", ["--version"]),
        ("qpvgeo coverage --attr\t", ["coverage", "--attribution"]),
        ("qpvgeo map --by epci --kin\t cho\t", ["map", "--by", "epci", "--kind", "choropleth"]),
        ('qpvgeo map "Villeneuve d\'Ascq" --lang f\t', ["map", "Villeneuve d'Ascq", "--lang", "fr"]),
        ("qpvgeo coverage --by=dep\t --samp\t", ["coverage", "--by=department", "--sample"]),
        ("qpvgeo fetch commune-events-2026\t cog-2025\t", ["fetch", "commune-events-2026", "cog-2025"]),
        ("qpvgeo tag poi\t --js\t", ["tag", "points.csv", "--json"]),
        ("qpvgeo tag --index tw\t", ["tag", "--index", "two words.csv"]),
        ("qpvgeo tag ét\t", ["tag", "été.csv"]),
        ("qpvgeo doctor points.csv fol\tin\t", ["doctor", "points.csv", "folder/inner.csv"]),
        ("qpvgeo tag ~/mi\t", ["tag", "{home}/mine.csv"]),
        ("qpvgeo summary --data=fol\tin\t", ["summary", "--data=folder/inner.csv"]),
    ],
)
def test_words_are_completed(shell, here, keys, completed):
    assert words(shell, here, keys) == [word.format(home=here / "home") for word in completed]


def test_lines_are_those_of_the_readme():
    if not README.is_file():
        pytest.skip("the README is not part of the installed package")
    told = re.findall(r"^(.*_QPVGEO_COMPLETE=.*?) +# (\w+)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert {shell: line for line, shell in told} == LINES


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("qpvgeo tag --samp", {"--sample": "Use the embedded, fictional sample."}),
        ("qpvgeo tag --lang fr --samp", {"--sample": "Utiliser l’exemple fictif fourni."}),
        ("qpvgeo map --fetch --pl", {"--place": "Same as PLACE."}),
        ("qpvgeo tag --he", {"--help": "Show this help."}),
        ("qpvgeo datas", {"datasets": "List the official files, and which of them are available locally."}),
    ],
)
def test_descriptions_are_those_of_the_help(monkeypatch, line, told):
    from click.shell_completion import get_completion_class

    from qpvgeo.cli import app, completion

    assert completion
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", line.split()[-1])
    assert get_completion_class("fish")(app, {}, "qpvgeo", "_QPVGEO_COMPLETE").complete().split("\n") == [
        f"plain,{word}\t{about}" for word, about in told.items()
    ]
