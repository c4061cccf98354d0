"""Small shapes, frames and assertions shared by the tests."""

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from shapely import box

from qpvgeo.errors import QpvgeoError
from qpvgeo.samples import sample


def square(east: float, north: float, side: float = 100.0) -> Any:
    """Square whose south-west corner is given."""
    return box(east, north, east + side, north + side)


def layer(shapes: dict[str, Any], crs: Any = 2154, **columns: Any) -> gpd.GeoDataFrame:
    """Plain layer of areas by label."""
    return gpd.GeoDataFrame(columns, geometry=list(shapes.values()), index=pd.Index(list(shapes)), crs=crs)


def workbook_of(path: Path, **sheets: Any) -> Path:
    """Workbook of sheets, each with its rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


_OPEN = "urn:oasis:names:tc:opendocument:xmlns"
_SPACES = " ".join(f'xmlns:{one}="{_OPEN}:{one}:1.0"' for one in ("office", "table", "text", "style"))


def open_document(path: Path, inside: str) -> Path:
    """OpenDocument file, with what its content holds between the outermost tags."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f"<office:document-content {_SPACES}>{inside}</office:document-content>")
    return path


def refused(call: Callable[[], Any], key: str | None = None, kind: type[QpvgeoError] = QpvgeoError) -> QpvgeoError:
    """Error of ours that a call raises, with its key where one is given, said in both languages."""
    with pytest.raises(kind) as raised:
        call()
    error = raised.value
    if key is not None:
        assert error.key == key
    assert error.say("en")
    assert error.say("fr")
    return error


def sample_of_long_ago(folder: Path) -> Path:
    """Copy the files of the sample, with dates that a memory of files trusts."""
    made = folder / "files"
    shutil.copytree(sample().path, made)
    for path in made.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return made
