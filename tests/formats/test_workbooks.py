"""Workbooks are measured before they are laid out in memory."""

import io
import zipfile

import openpyxl
import pytest
from tests.builders import refused

from qpvgeo.formats import workbooks


def book(cells):
    made = openpyxl.Workbook()
    for place, value in cells.items():
        made.active[place] = value
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


@pytest.mark.parametrize("far", ["XFD1048576", "AZ1048576", "M1000000"])
def test_a_far_cell_is_refused_before_the_sheet_is_read(far):
    error = refused(lambda: list(workbooks.sheets(book({"A1": "code", far: " "}), "a.xlsx")), "formats.sheet_too_large")
    assert error.message.values["rows"] == int("".join(filter(str.isdigit, far)))


def test_rows_without_numbers_are_counted():
    cells = b"<row>" + b"<c/>" * 4000 + b"</row>" + b"<row></row>" * 4000
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book({"A1": 1}))) as given, zipfile.ZipFile(content, "w") as made:
        for name in given.namelist():
            sheet = b"<worksheet><sheetData>" + cells + b"</sheetData></worksheet>"
            made.writestr(name, sheet if "sheet1" in name else given.read(name))
    refused(lambda: list(workbooks.sheets(content.getvalue(), "a.xlsx")), "formats.sheet_too_large")


def test_sheets_come_in_order_with_their_cells():
    (sheet,) = workbooks.sheets(book({"B2": "x", "C3": 1.5}), "a.xlsx")
    assert sheet.title == "Sheet"
    assert sheet.load() == [["", "", ""], ["", "x", ""], ["", "", 1.5]]


def test_what_is_no_workbook_says_so():
    refused(lambda: list(workbooks.sheets(b"\xd0\xcf\x11\xe0" + bytes(600), "a.xls")), "formats.unreadable")
