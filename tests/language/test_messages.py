"""Every message, problem and way out of an error is a note: a key and values, worded in one place in both languages."""

import ast
from pathlib import Path

import pytest

import qpvgeo
from qpvgeo import errors

SOURCE = Path(qpvgeo.__file__).parent
OURS = {name for name in vars(errors) if name.endswith("Error")}

EXEMPT = {
    "cli/inputs.py",
    "maps/basemaps.py",
    "maps/choropleths.py",
    "maps/classification.py",
    "maps/country_map.py",
    "maps/export.py",
    "maps/grid_maps.py",
    "maps/population_maps.py",
    "maps/tag_maps.py",
    "sources/integrity.py",
    "tagging/checkpoint.py",
    "tagging/coordinates.py",
    "tagging/file_points.py",
    "tagging/files.py",
    "tagging/tolerance.py",
}
"""Modules whose messages are still plain English; the list only shrinks."""

MOST = 50
"""Errors that they word in place, at most."""


def plain(node):
    """Whether an expression is, or holds, a sentence written in place."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(node.value)
    parts = {
        ast.BinOp: ("left", "right"),
        ast.IfExp: ("body", "orelse"),
        ast.ListComp: ("elt",),
        ast.GeneratorExp: ("elt",),
        ast.Starred: ("value",),
    }.get(type(node), ())
    inside = [getattr(node, part) for part in parts] + list(getattr(node, "elts", []))
    return isinstance(node, ast.JoinedStr) or any(map(plain, inside))


def sentences(tree):
    """Lines of a module that word an error in place."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        given = [
            *(node.args if name in OURS else ()),
            *(k.value for k in node.keywords if k.arg in ("problems", "way_out")),
        ]
        if any(map(plain, given)):
            yield node.lineno


def worded_in_place(path):
    return list(sentences(ast.parse(path.read_text(encoding="utf-8"))))


MODULES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}


def test_no_message_is_worded_in_place():
    assert {
        name: lines for name, path in MODULES.items() if name not in EXEMPT and (lines := worded_in_place(path))
    } == {}


def test_modules_still_to_do_gain_no_sentence():
    assert sum(len(worded_in_place(MODULES[name])) for name in EXEMPT if name in MODULES) <= MOST


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise DataError("plain")', True),
        ('raise DataError(Note("a.key"), problems=[f"row {row}" for row in rows])', True),
        ('raise DataError(Note("a.key"), way_out="Do" + this)', True),
        ('raise DataError(Note("a.key", file=name), problems=map(str, rows), way_out=way_out)', False),
        ('raise EOFError("inside")', False),
    ],
)
def test_what_is_worded_in_place(code, found):
    assert bool(list(sentences(ast.parse(code)))) is found
