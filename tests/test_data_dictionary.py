"""The data dictionary names the columns that the frames have."""

import re
from pathlib import Path

import pandas as pd
import pytest

import qpvgeo as qg

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data-dictionary.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the pages are not part of the installed package")


@pytest.fixture(scope="module")
def frames():
    """A frame of each section, made on the sample."""
    files = qg.sample()
    old, new = qg.read_qpv(files.qpv_2015), qg.read_qpv(files.qpv_2024)
    people = qg.read_population(files.population_2024)
    communes = qg.read_communes(files.communes, table=files.communes_table)
    grid = qg.read_grid(files.grid_2019)
    links = qg.join_communes(new, communes, population=people)
    walk = qg.crosswalk(old, new)
    points = pd.read_csv(files.addresses, sep=";", dtype="str", nrows=50)
    figures = pd.DataFrame({"value": ["1514"], "measure": ["n_qpv"], "vintage": [2015]})
    return {
        "qg.read_qpv": new,
        "qg.read_population": people,
        "qg.read_communes": communes,
        "qg.read_epci": qg.read_epci(files.epci_table),
        "qg.read_grid": grid,
        "qg.join_communes": links,
        "qg.summary": qg.summary(new, people),
        "qg.coverage": qg.coverage(links, units=communes),
        "qg.overlap": qg.overlap(new, communes),
        "qg.estimate_population": qg.estimate_population(new, grid),
        "qg.crosswalk": walk,
        "qg.geographies.crosswalk_classes": qg.geographies.crosswalk_classes(walk),
        "qg.tag_points": qg.tag_points(points, new),
        "qg.ledger": qg.ledger(figures),
    }


def _sections():
    """Columns of each section of the page, and the index that it names."""
    found = {}
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        call = re.search(r"`(qg\.[\w.]+)`", part.splitlines()[0])[1]
        index = re.search(r"Indexed by `(\w+)`", part)
        found[call] = (re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE), index[1] if index else None)
    return found


KEEP_MORE = {"qg.read_qpv", "qg.read_population", "qg.read_grid"}
"""Readers that keep published columns beyond the canonical ones."""


def test_every_section_has_a_frame_and_every_frame_a_section(frames):
    assert set(_sections()) == set(frames)


@pytest.mark.parametrize("call", _sections())
def test_columns_of_the_page_are_those_of_the_frame(call, frames):
    named, index = _sections()[call]
    frame = frames[call]
    columns = [str(column) for column in frame.columns]
    assert index in (None, frame.index.name)
    assert [name for name in named if name not in columns] == []
    if call not in KEEP_MORE:
        assert [name for name in columns if name not in named] == []


@pytest.mark.parametrize("call", _sections())
def test_every_column_has_a_unit_and_says_when_it_is_missing(call):
    part = next(one for one in PAGE.read_text(encoding="utf-8").split("\n## ") if f"`{call}`" in one.splitlines()[0])
    rows = re.findall(r"^\| `\w+` \|(.*)\|(.*)\|$", part, re.MULTILINE)
    assert rows
    assert all(unit.strip() and missing.strip() for unit, missing in rows)
