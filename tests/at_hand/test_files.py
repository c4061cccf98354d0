"""Links of the files available are computed once, and are those of these files."""

import openpyxl
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from tests.builders import sample_of_long_ago

import qpvgeo as qg
from qpvgeo.at_hand import files
from qpvgeo.read import processed


@pytest.fixture(autouse=True)
def keeping(monkeypatch, tmp_path):
    monkeypatch.setenv("QPVGEO_PROCESSED", "1")
    monkeypatch.setattr(processed, "_SMALLEST_BYTES", 0)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(tmp_path):
    return sample_of_long_ago(tmp_path)


@pytest.fixture
def computed(monkeypatch):
    """Calls of `join_communes`."""
    calls = []

    def counting(*given, **options):
        calls.append(given)
        return qg.join_communes(*given, **options)

    monkeypatch.setattr(files, "join_communes", counting)
    return calls


def test_links_are_computed_once(folder, computed):
    first = qg.load(2024, data=folder).links
    second = qg.load(2024, data=folder).links
    assert len(computed) == 1
    assert_frame_equal(first, second)
    assert first.attrs == second.attrs


def test_links_are_the_same_without_what_is_kept(folder, monkeypatch):
    qg.load(2024, data=folder)
    kept = qg.load(2024, data=folder).links
    monkeypatch.setenv("QPVGEO_PROCESSED", "0")
    plain = qg.load(2024, data=folder).links
    assert_frame_equal(kept, plain)
    assert kept.attrs == plain.attrs


def test_each_geography_has_its_links(folder, computed):
    assert set(qg.load(2015, data=folder).links["qpv_code"]) == set(qg.load(2015, data=folder).qpv.index)
    assert set(qg.load(2024, data=folder).links["qpv_code"]) == set(qg.load(2024, data=folder).qpv.index)
    assert len(computed) == 2


@pytest.mark.parametrize("name", ["contours-99.geojson", "pop_reference_communales_QPV24.csv"])
def test_links_of_a_changed_file_are_computed_again(folder, computed, name):
    qg.load(2024, data=folder)
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    qg.load(2024, data=folder)
    assert len(computed) == 2


def test_frames_that_somebody_made_are_not_taken_for_those_of_files(folder, computed):
    qpv = files.perimeters(2024, folder)
    communes = files.communes(folder, None)
    files.links(qpv, communes, None)
    fewer = files.links(qpv.head(3), communes, None)
    assert (len(computed), fewer["qpv_code"].nunique()) == (2, 3)


def composition(path, rows):
    """Workbook of the composition of EPCI, whose names of columns are in the sixth row."""
    above = [["Composition"], ["Source"], [], [], ["Libellé"]]
    listed = [[code, "A", "CA", 1] for code in sorted({row[0] for row in rows})]
    book = openpyxl.Workbook()
    for row in [*above, ["EPCI", "LIBEPCI", "NATURE_EPCI", "NB_COM"], *listed]:
        book.active.append(row)
    sheet = book.create_sheet("Composition_communale")
    for row in [*above, ["EPCI", "LIBEPCI", "DEP", "REG", "CODGEO", "LIBGEO"], *rows]:
        sheet.append(row)
    book.save(path)


def test_communes_whose_epci_come_from_another_file_have_links_of_their_own(folder, computed):
    table = pd.read_csv(folder / "cog2024_communes.csv", dtype="str")
    table.drop(columns="epci").to_csv(folder / "cog2024_communes.csv", index=False)
    (folder / "cog2024_epci.csv").unlink()
    rows = [[epci, "CA", "99", "99", code, name] for epci, code, name in table[["epci", "code", "nom"]].to_numpy()]
    composition(folder / "epci_au_01-01-2025.xlsx", rows)
    before, after = (qg.load(2024, data=folder).links for _ in range(2))
    assert_frame_equal(before, after)
    assert (len(computed), set(before["epci"])) == (1, {"299900019", "299900027"})
    composition(folder / "epci_au_01-01-2025.xlsx", [["299900019", *row[1:]] for row in rows])
    assert qg.load(2024, data=folder).links["epci"].unique().tolist() == ["299900019"]
