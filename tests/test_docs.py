"""The code blocks of the README and of the how-tos run, and print what they say."""

import contextlib
import io
import re
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent
_PAGES = [_CHECKOUT / "README.md", *sorted((_CHECKOUT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"```(python real|python|text)\n(.*?)```", re.DOTALL)


def _run(page: Path, kinds: set[str]) -> None:
    """Run the blocks of a page in order, and compare what they print with the text that follows them."""
    names: dict[str, object] = {}
    printed = ""
    for kind, body in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind in kinds:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(body, page.name, "exec"), names)
            printed = out.getvalue()
        elif kind == "text" and printed:
            assert printed.split() == body.split()
            printed = ""


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_blocks_run_in_order_and_print_the_text_that_follows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _run(page, {"python"})


@pytest.mark.real
@pytest.mark.parametrize("page", [page for page in _PAGES if "```python real" in page.read_text(encoding="utf-8")])
def test_blocks_on_published_files_print_the_text_that_follows(page, real_data, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "raw").symlink_to(real_data)
    monkeypatch.chdir(tmp_path)
    _run(page, {"python", "python real"})


def test_the_table_of_the_readme_is_what_the_command_prints(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from qpvgeo.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    text = (_CHECKOUT / "README.md").read_text(encoding="utf-8")
    shown = next(body for kind, body in _BLOCK.findall(text) if kind == "text")
    result = CliRunner().invoke(app, ["summary", "--vintage", "2015"])

    assert re.sub("─+", "", result.stdout).split() == re.sub("─+", "", shown).split()
