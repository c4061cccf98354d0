"""Every phrase and term, in both languages: French whole and well set, the same fields, in order, and used."""

import ast
import csv
import re
from pathlib import Path

import pytest

import qpvgeo
from qpvgeo.language import keys
from qpvgeo.language.terms import terms

_PACKAGE = Path(qpvgeo.__file__).parent
_TABLES = sorted((_PACKAGE / "language" / "phrases").glob("*.csv"))
_FIELD = re.compile(r"\{(\w+)(?:(:[^{}|]*)|\|([^{}|]*)\|([^{}|]*))?\}")
_CODE = re.compile(r"`[^`]*`|\"[^\"]*\"|\b\w+\([^)]*\)|\w+=\S+|https?:\S+|--\w+\S*")
_SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(_PACKAGE.rglob("*.py")))


_ASSETS = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted(_PACKAGE.rglob("assets/*")) if path.suffix in (".js", ".j2")
)
"""Scripts and templates of pages, which name a phrase of the room `page` by its end."""


def _rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _phrases():
    return [pytest.param(row, id=row["key"]) for path in _TABLES for row in _rows(path)]


def _terms():
    return _rows(_PACKAGE / "language" / "terms.csv")


def _ill_set(french):
    """What a French typesetter would mend: spaces before double signs, guillemets, apostrophes."""
    text = _CODE.sub("", _FIELD.sub("0", french))
    return re.findall(r"[^\u202f ][;!?»]|[ \u00a0][;:!?%»]|\w:(?=\s|$)|«[^\u202f]|\w'\w|\d%", text)


@pytest.mark.parametrize("row", _phrases())
def test_phrases_have_their_fields_in_both_languages_and_french_typography(row):
    assert row["english"]
    assert row["french"]
    assert {found[1] for found in _FIELD.finditer(row["english"])} == {
        found[1] for found in _FIELD.finditer(row["french"])
    }
    assert _ill_set(keys()[row["key"]]["fr"]) == []


def test_terms_have_their_french_and_its_typography():
    assert [row["term"] for row in _terms() if not row["french"]] == []
    assert [french for one in terms().values() if _ill_set(french := one["fr"])] == []


def test_terms_are_in_order_and_appear_once():
    names = [row["term"] for row in _terms()]
    assert names == sorted(set(names))


@pytest.mark.parametrize("path", _TABLES, ids=lambda path: path.stem)
def test_keys_are_those_of_the_room(path):
    names = [row["key"] for row in _rows(path)]
    assert len(names) == len(set(names))
    assert {name.partition(".")[0] for name in names} == {path.stem}


def _composed():
    """Keys that code puts together, such as `f"population.{code}"`, as expressions that match them."""
    rooms = tuple(f"{path.stem}." for path in _TABLES)
    for path in sorted(_PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else None
            if isinstance(first, ast.Constant) and first.value.startswith(rooms):
                parts = [re.escape(one.value) if isinstance(one, ast.Constant) else r"\w+" for one in node.values]
                yield re.compile("".join(parts))


_COMPOSED = list(_composed())


@pytest.mark.parametrize("path", _TABLES, ids=lambda path: path.stem)
def test_every_phrase_is_used(path):
    if f'= "{path.stem}."' in _SOURCE:
        return  # the whole table is taken by its prefix
    names = [row["key"] for row in _rows(path)]
    alone = [name for name in names if f'"{name}"' not in _SOURCE and f"'{name}'" not in _SOURCE]
    if path.stem == "page":
        alone = [
            name for name in alone if not re.search(rf"\b{name.partition('.')[2].removesuffix('_one')}\b", _ASSETS)
        ]
    assert [name for name in alone if not any(key.fullmatch(name) for key in _COMPOSED)] == []
