"""The official list of ancestors, in its published forms."""

import openpyxl
import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.read.correspondence import CORRESPONDENCE_COLUMNS, read_correspondence

HEADER = "QP2024;Label_QP2024 ;Statut ; QP2015_1;Label_QP2015_1 ; QP2015_2;Label_QP2015_2 ; QP2015_3;Label_QP2015_3 "


@pytest.fixture
def written(tmp_path):
    def write(*lines, header=HEADER, name="liste.csv", encoding="utf-8-sig"):
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
        return path

    return write


def pairs(frame):
    columns = frame[["qpv_2024", "qpv_2015"]]
    return columns.astype(object).where(columns.notna(), None).to_numpy()


def test_published_form_with_its_mark_and_padded_header(written):
    found = read_correspondence(
        written(
            "QN07501M;Bédier - Boutroux;Modifié;QP075001;Bédier;QP075002;Boutroux;;",
            "QN07521N;Falguière;Nouveau;;;;;;",
            "QN00101I;Le Pont;Inchangé;QP001001;Le Pont;;;;",
        )
    )
    assert tuple(found.columns) == CORRESPONDENCE_COLUMNS
    assert found.astype(object).where(found.notna(), None).to_numpy().tolist() == [
        ["QN07501M", "Bédier - Boutroux", "Modifié", "QP075001", "Bédier"],
        ["QN07501M", "Bédier - Boutroux", "Modifié", "QP075002", "Boutroux"],
        ["QN07521N", "Falguière", "Nouveau", None, None],
        ["QN00101I", "Le Pont", "Inchangé", "QP001001", "Le Pont"],
    ]


def test_older_workbook_without_status_and_with_lists_in_a_cell(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["QP2024", "QP 2015 correspondant"],
        ["QN00101I", "QP001001"],
        ["QN00102M", "QP001002, QP001003"],
        ["QN00103N", None],
    ):
        book.active.append(row)
    path = tmp_path / "liste-correspondance-hexagone.xlsx"
    book.save(path)
    found = read_correspondence(path)
    assert pairs(found).tolist() == [
        ["QN00101I", "QP001001"],
        ["QN00102M", "QP001002"],
        ["QN00102M", "QP001003"],
        ["QN00103N", None],
    ]
    assert found[["name_2024", "status", "name_2015"]].isna().all(axis=None)


def test_codes_that_a_spreadsheet_spoiled_are_repaired_and_told(written):
    found = read_correspondence(written("qn00101i ;x;Inchangé;qp1001;y;;;;"))
    assert pairs(found).tolist() == [["QN00101I", "QP001001"]]
    assert found.attrs["qpvgeo"]["repairs"] == [
        "row 2: 'qn00101i' read as QN00101I (upper case)",
        "line 2, QP2015_1: 'qp1001' read as QP001001 (upper case and zeros restored)",
    ]


def test_words_for_no_ancestor_are_no_codes(written):
    found = read_correspondence(written("QN00101N;x;Nouveau;-;;néant;;Aucun;"))
    assert pairs(found).tolist() == [["QN00101N", None]]


def test_pair_that_stands_twice_is_kept_once_with_a_note(written):
    found = read_correspondence(written("QN00101M;x;Modifié;QP001001;y;QP001001;y;;"))
    assert len(found) == 1
    assert found.attrs["qpvgeo"]["notes"] == ["1 pair appears several times, kept once"]


def test_cells_that_are_no_codes_are_listed_at_once(written):
    with pytest.raises(DataError) as caught:
        read_correspondence(
            written("QN00101M;x;;QP001001;;Bourg;;;", "QN00102M;x;;QN00101M;;;;;", "QP001003;x;;QP001001;;;;;")
        )
    assert caught.value.problems == (
        "line 2, QP2015_2: 'Bourg' left out: not the code of a qpv",
        "line 3, QP2015_1: QN00101M is of 2024",
        "line 4: QP001003 is of 2015",
    )


def test_row_without_a_code_is_told(written):
    with pytest.raises(DataError, match="row 3: no code"):
        read_correspondence(written("QN00101M;x;;QP001001;;;;;", ";x;;QP001001;;;;;"))


def test_table_that_is_no_list_names_its_columns(written):
    with pytest.raises(DataError, match=r"no column of codes of 2024[\s\S]*Its columns are: a and b"):
        read_correspondence(written("1;2", header="a;b"))


def test_list_is_found_by_its_key():
    sample = qg.sample()
    found = read_correspondence(data=sample.path)
    pd.testing.assert_frame_equal(found, read_correspondence(sample.correspondence))
    assert found.attrs["qpvgeo"]["fictional"]
    with pytest.raises(MissingDataError):
        read_correspondence("nowhere.csv")


def test_line_without_an_ancestor_says_nothing_beside_one_that_has_one(written):
    found = read_correspondence(written("QN00101M;x;Modifié;QP001001;y;;;;", "QN00101M;x;Modifié;;;;;;"))
    assert pairs(found).tolist() == [["QN00101M", "QP001001"]]


def test_new_quarter_in_words_has_no_ancestor(written):
    found = read_correspondence(written("QN00101N;x;Nouveau;Nouveau quartier;;;;;"))
    assert pairs(found).tolist() == [["QN00101N", None]]
