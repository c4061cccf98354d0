"""The code blocks of the README and of the how-tos run, and print what they say."""

import contextlib
import io
import re
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent
_PAGES = [_CHECKOUT / "README.md", *sorted((_CHECKOUT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_python_blocks_run_in_order_and_print_the_text_that_follows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    printed = ""
    for kind, body in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(body, page.name, "exec"), names)
            printed = out.getvalue()
        elif printed:
            assert printed.split() == body.split()
            printed = ""


def test_the_table_of_the_readme_is_what_the_command_prints(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from qpvgeo.cli import app

    monkeypatch.chdir(tmp_path)
    text = (_CHECKOUT / "README.md").read_text(encoding="utf-8")
    shown = next(body for kind, body in _BLOCK.findall(text) if kind == "text")
    result = CliRunner().invoke(app, ["summary", "--vintage", "2015"])

    assert re.sub("─+", "", result.stdout).split() == re.sub("─+", "", shown).split()
