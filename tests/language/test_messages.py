"""Every message, problem and way out of an error is a note: a key and values, worded in one place in both languages."""

import ast
from pathlib import Path

import pytest

import qpvgeo
from qpvgeo import errors

SOURCE = Path(qpvgeo.__file__).parent
OURS = {name for name in vars(errors) if name.endswith("Error")}
LISTS = {"notes", "problems", "refused"}
"""Names of lists of notes."""


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
    """Lines of a module that word an error or a note in place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = worded(node)
        elif isinstance(node, ast.AugAssign) and getattr(node.target, "id", "") in LISTS:
            given = [node.value]
        else:
            continue
        if any(map(plain, given)):
            yield node.lineno


def worded(call):
    """Arguments of a call that people read."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name in OURS or name == "warn":
        yield from call.args
    if name in ("append", "extend") and getattr(getattr(call.func, "value", None), "id", "") in LISTS:
        yield from call.args
    yield from (keyword.value for keyword in call.keywords if keyword.arg in ("problems", "way_out", "notes"))


def worded_in_place(path):
    return list(sentences(ast.parse(path.read_text(encoding="utf-8"))))


MODULES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}


def test_no_message_is_worded_in_place():
    assert {name: lines for name, path in MODULES.items() if (lines := worded_in_place(path))} == {}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise DataError("plain")', True),
        ('raise DataError(Note("a.key"), problems=[f"row {row}" for row in rows])', True),
        ('raise DataError(Note("a.key"), way_out="Do" + this)', True),
        ('raise DataError(Note("a.key", file=name), problems=map(str, rows), way_out=way_out)', False),
        ('raise EOFError("inside")', False),
        ('notes.append(f"{count} rows")', True),
        ('stamp(frame, notes=["plain"])', True),
        ('notes += ["plain"]', True),
        ('notes.append(Note("a.key"))', False),
        ('warnings.warn(f"{count} rows", UserWarning)', True),
    ],
)
def test_what_is_worded_in_place(code, found):
    assert bool(list(sentences(ast.parse(code)))) is found
