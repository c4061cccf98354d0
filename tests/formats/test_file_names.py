"""Names that data give to files, as every system takes them."""

from pathlib import PureWindowsPath

import pytest

from qpvgeo.formats.file_names import is_portable, plain

ODD = [
    "con",
    "Nul.csv",
    "AUX .txt",
    "com1.shp",
    "LPT9",
    "com².csv",
    "conin$",
    "what?.csv",
    "a:b.csv",
    'q"p<v>.csv',
    "tab\t.csv",
    "end.",
    "end ",
    "back\\slash.csv",
]


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_windows_cannot_hold_is_made_one_that_it_can(name):
    assert not is_portable(name)
    made = plain(name)
    assert is_portable(made)
    assert not PureWindowsPath(made).is_reserved()
    assert PureWindowsPath(made).name == made


@pytest.mark.parametrize("name", ["qpv.geojson", "console.csv", "com10.csv", "nulle part.csv", "été 2024.shp", ".csv"])
def test_ordinary_names_stay(name):
    assert is_portable(name)
    assert plain(f"folder/{name}") == name


@pytest.mark.parametrize("name", ["é" * 300 + ".csv", "a" * 70_000 + ".csv", "\U0001f600" * 250 + ".csv"])
def test_a_long_name_keeps_its_ending_and_fits_a_disk(name, tmp_path):
    made = plain(name)
    assert made.endswith(".csv")
    (tmp_path / made).write_bytes(b"")


@pytest.mark.parametrize("name", ["", "..", "...", " ", "/", "\ud800"])
def test_a_name_of_nothing_is_a_name(name, tmp_path):
    (tmp_path / plain(name)).write_bytes(b"")
    assert [path.name for path in tmp_path.iterdir()] == [plain(name)]
