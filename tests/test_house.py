"""The table of packages in CONTRIBUTING.md is that of the tree."""

import runpy
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent
_SCRIPT = _CHECKOUT / "scripts" / "house.py"


@pytest.mark.skipif(not _SCRIPT.is_file(), reason="the scripts are not part of the installed package")
def test_the_table_of_packages_is_that_of_the_tree():
    house = runpy.run_path(str(_SCRIPT))
    page = house["PAGE"].read_text(encoding="utf-8")
    assert house["written"](page) == page, "run: python scripts/house.py"


def test_the_package_shows_few_entries():
    entries = [path for path in (_CHECKOUT / "src" / "qpvgeo").iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 30
