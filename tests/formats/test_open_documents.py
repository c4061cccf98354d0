"""Sheets of OpenDocument workbooks: repeated cells, spaces, comments, dates, hidden sheets, bombs."""

import pytest
from tests.builders import open_document, refused

from qpvgeo.formats import workbooks


def cell(text, attributes="", kind="string"):
    return f'<table:table-cell office:value-type="{kind}" {attributes}>{text}</table:table-cell>'


def row(*cells, times=1):
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def sheet(*rows, title="Feuille1", style=""):
    return f'<table:table table:name="{title}" table:style-name="{style}">{"".join(rows)}</table:table>'


def read(folder, *sheets, wanted=None):
    raw = open_document(folder / "a.ods", "\n".join(sheets)).read_bytes()
    return [(one.title, one.load(), one.hidden) for one in workbooks.sheets(raw, "a.ods", wanted)]


BLANK = '<table:table-cell table:number-columns-repeated="16000"/>'


def test_repeated_cells_and_rows_are_laid_out_and_blank_ones_at_the_end_left_out(tmp_path):
    first = row(cell("<text:p>a</text:p>", 'table:number-columns-repeated="2"'), BLANK)
    last = row('<table:covered-table-cell table:number-columns-repeated="2"/>', cell("<text:p>z</text:p>"), times=2)
    rows = [first, row(BLANK, times=2), last, row(BLANK, times=1_000_000)]
    assert read(tmp_path, sheet(*rows)) == [
        ("Feuille1", [["a", "a"], [], [], ["", "", "z"], ["", "", "z"]], False),
    ]


def test_values_are_those_that_the_sheet_holds(tmp_path):
    cells = [
        cell("<text:p>1 250,50</text:p>", 'office:value="1250.5"', kind="float"),
        cell("<text:p>1/1</text:p>", 'office:date-value="2024-01-01"', kind="date"),
        cell("<text:p>a<text:s text:c='2'/>b<text:span>c</text:span>d</text:p><text:p>e</text:p>"),
        cell("<office:annotation><text:p>remark</text:p></office:annotation><text:p>f</text:p>"),
    ]
    assert read(tmp_path, sheet(row(*cells)))[0][1] == [[1250.5, "2024-01-01", "a  bcd\ne", "f"]]


def test_a_sheet_is_read_by_its_title_and_hidden_ones_are_told(tmp_path):
    style = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    held = [style, sheet(row(cell("<text:p>a</text:p>"))), sheet(title="Notes", style="ta2")]
    assert [(title, hidden) for title, _, hidden in read(tmp_path, *held)] == [("Feuille1", False), ("Notes", True)]
    assert [title for title, *_ in read(tmp_path, *held, wanted="notes")] == ["Notes"]
    refused(lambda: read(tmp_path, *held, wanted="other"), "formats.no_sheet")


@pytest.mark.parametrize(
    "rows",
    [
        [row(cell("<text:p>a</text:p>", 'table:number-columns-repeated="2000000000"'))],
        [row(cell("<text:p>a</text:p>", 'table:number-columns-repeated="16000"'), times=1_000_000)],
        [row(BLANK, times=20_000_000), row(cell("<text:p>a</text:p>"))],
    ],
    ids=["cells", "rows", "blank rows"],
)
def test_a_sheet_that_would_fill_the_memory_is_refused(tmp_path, rows):
    refused(lambda: read(tmp_path, sheet(*rows)), "formats.sheet_too_large")


def test_content_that_is_cut_is_refused(tmp_path):
    refused(lambda: read(tmp_path, "<table:table>"))
