"""The code blocks of the README and of the pages run and print what they say; commands and links are checked."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent
_PAGES = [_CHECKOUT / "README.md", *sorted((_CHECKOUT / "docs").rglob("*.md"))]
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


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_CHECKOUT)))
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


def _commands(page):
    """Command lines of `qpvgeo` in the console blocks and tables of a page, comments left out."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("qpvgeo "):
                yield re.split(r"\s+#|\s+[|>]\s", line)[0].strip()


_SHOWN = sorted({line for page in _PAGES for line in _commands(page)})


@pytest.mark.parametrize("line", _SHOWN)
def test_commands_of_the_pages_exist_with_their_options(line):
    import shlex

    import click

    from qpvgeo.cli import app

    name, *words = shlex.split(line)[1:] or [""]
    if name in ("--help", "--version", ""):
        return
    command = app.commands[name]
    command.make_parser(click.Context(command)).parse_args(args=list(words))


@pytest.mark.parametrize("line", [line for line in _SHOWN if "--sample" in line and " | " not in line])
def test_commands_on_the_sample_run(line, tmp_path, monkeypatch):
    import shlex

    from click.testing import CliRunner

    from qpvgeo.cli import app

    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)[1:]
    if not _can_run(words):
        pytest.skip("it reads a file of the reader")
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def _can_run(words):
    """Whether a command names no file that the reader brings: outputs do not count."""
    given = [word for word, before in zip(words, ["", *words], strict=False) if not before.startswith("-")]
    return not any(re.search(r"\.\w{3,7}$", word) for word in given)


_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_CHECKOUT)))
def test_links_and_pictures_lead_somewhere(page):
    made = {"errors.md", "benchmarks.md", "carte.png"}  # by scripts/site_pages.py
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target in _LINK.findall(text):
        path, _, anchor = target.partition("#")
        if target.startswith(("http://", "https://", "mailto:")) or Path(path).name in made:
            continue
        there = page if not path else page.parent / path
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            broken.append(target)
    assert broken == []


def _anchors(page):
    """Anchors of the headings of a page, as the site makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower())).strip("-") for heading in headings}


def test_the_table_of_the_page_on_duckdb_is_read_by_duckdb(tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    page = (_CHECKOUT / "docs" / "how-to" / "duckdb-and-polars.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], "page", "exec"), {})
    rows = duckdb.sql(re.search(r"```sql\n(.*?)```", page, re.DOTALL)[1]).fetchall()
    assert sum(count for _, count in rows) == 860


def test_the_files_of_the_page_on_r_keep_codes_as_text(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    page = (_CHECKOUT / "docs" / "how-to" / "r.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], "page", "exec"), {})
    assert str(pq.read_schema("communes.parquet").field("commune").type) in {"string", "large_string"}
    assert b"geo" in pq.read_schema("qpv.parquet").metadata


def test_the_tests_that_the_promises_name_exist():
    page = (_CHECKOUT / "docs" / "promises.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/.]+)`", page)
    assert len(named) > 10
    assert [name for name in named if not (_CHECKOUT / name).exists()] == []


def test_figures_of_what_it_costs_are_those_that_were_measured(monkeypatch):
    measured = _CHECKOUT / "benchmarks" / "scaling.json"
    if not measured.exists():
        pytest.skip("nothing was measured yet (python benchmarks/scaling.py)")
    monkeypatch.syspath_prepend(measured.parent)
    import scaling

    text = scaling.PAGE.read_text(encoding="utf-8")
    shown = text.split(scaling.MARKS[0])[1].split(scaling.MARKS[1])[0]
    assert shown == scaling.page(json.loads(measured.read_text(encoding="utf-8")))
