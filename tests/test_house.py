"""The house as CONTRIBUTING.md tells it: its table of packages, and modules and functions that can be read whole."""

import ast
import runpy
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent
_SCRIPT = _CHECKOUT / "scripts" / "house.py"
_WORDING = _CHECKOUT / "scripts" / "wording.py"
_SOURCE = _CHECKOUT / "src" / "qpvgeo"
_MODULES = {path.relative_to(_SOURCE).as_posix(): path.read_text(encoding="utf-8") for path in _SOURCE.rglob("*.py")}

LONGEST_MODULE, LONGEST_FUNCTION = 450, 60
"""Lines: of a module, all of them; of a function, its signature and body without the docstring."""


def lines_of(function):
    """Lines of a function, decorators and docstring left out."""
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if documented else 0)


def functions(text):
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.skipif(not _SCRIPT.is_file(), reason="the scripts are not part of the installed package")
def test_the_table_of_packages_is_that_of_the_tree():
    house = runpy.run_path(str(_SCRIPT))
    page = house["PAGE"].read_text(encoding="utf-8")
    assert house["written"](page) == page, "run: python scripts/house.py"


def test_the_package_shows_few_entries():
    entries = [path for path in _SOURCE.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 31


def test_no_module_is_too_long_to_read():
    assert {name: n for name, text in _MODULES.items() if (n := len(text.splitlines())) > LONGEST_MODULE} == {}


def test_no_function_is_too_long_to_read():
    found = {f"{name}:{one.name}": lines_of(one) for name, text in _MODULES.items() for one in functions(text)}
    assert len(found) > 1_000
    assert {name: lines for name, lines in found.items() if lines > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def f():\n    return 1", 2),
        ('@g\ndef f():\n    """Say.\n\n    More.\n    """\n    return 1', 2),
        ("async def f(): ...", 1),
    ],
)
def test_lines_of_a_function_are_its_signature_and_body(text, lines):
    assert [lines_of(one) for one in functions(text)] == [lines]


@pytest.mark.skipif(not _WORDING.is_file(), reason="the scripts are not part of the installed package")
def test_no_phrase_is_the_worst_of_translated_english():
    assert runpy.run_path(str(_WORDING))["findings"]() == []
