"""Rows of a CSV with quotes that do not close."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpvgeo.formats import csv_records
from qpvgeo.formats.csv_records import rows_of, usual_width

CELLS = st.text(st.sampled_from('ab;"\n,'), max_size=5)


@given(st.lists(st.lists(CELLS.map(str.strip), min_size=3, max_size=3), min_size=1, max_size=6))
def test_what_the_csv_module_writes_comes_back(rows):
    text = io.StringIO()
    csv.writer(text, delimiter="|", lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    found = rows_of(text.getvalue().split("\n")[:-1], "|", 3)
    assert [cells for _, cells in found.rows] == [[cell.strip() for cell in row] for row in rows]
    assert not found.strays


@given(st.lists(st.booleans(), min_size=3, max_size=12))
def test_no_row_is_lost_whichever_have_a_stray_quote(strays):
    lines = [f"{n};{chr(34) * stray}name {n};{n}" for n, stray in enumerate(strays)]
    found = rows_of(lines, ";", 3)
    assert [cells[0] for _, cells in found.rows] == [str(n) for n in range(len(strays))]
    assert [cells[2] for _, cells in found.rows] == [str(n) for n in range(len(strays))]
    assert found.strays == [n + 1 for n, stray in enumerate(strays) if stray]


def test_the_usual_width_is_not_that_of_titles():
    assert usual_width(["A title", "", "a;b;c", "1;2;3", "4;5;6"], ";") == 3


@given(lines=st.lists(st.text('ab"; \t', max_size=8), min_size=1, max_size=4), width=st.integers(1, 3))
def test_lines_read_at_once_are_those_read_one_by_one(lines, width):
    at_once = csv_records.rows_of(lines, ";", width)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(csv_records, "_at_once", lambda *_: None)
        assert csv_records.rows_of(lines, ";", width) == at_once
