"""Communes through time by tables: beside the events, in place of them, and published ones."""

import pandas as pd
import pytest
from tests.geographies.communes.histories import NOUVELLE, etalab, events, frame, went

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.geographies.communes.passage import commune_passage, move_communes
from qpvgeo.read.communes.events import EVENTS_PAGE
from qpvgeo.read.communes.reader import read_communes


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Away from any checkout, whose data would be found."""
    monkeypatch.chdir(tmp_path)


# --- tables alone


def test_new_communes_of_departments_that_the_first_table_lacks_are_rows(tmp_path):
    early = etalab(tmp_path, 2025, "97101 Abymes COM  9", "97102 Anse COM  9")
    late = etalab(
        tmp_path, 2026, "97101 Abymes COM  9", "97102 Anse COM  9", "97801 Martin COM  9", "97199 Neuve COM  9"
    )
    passage = commune_passage(2025, 2026, communes={2025: early, 2026: late})
    assert passage[["code_from", "code_to", "kind"]].astype(object).fillna("").to_numpy().tolist() == [
        ["97101", "97101", "same"],
        ["97102", "97102", "same"],
        ["", "97199", "no predecessor"],
        ["", "97801", "no predecessor"],
    ]
    assert passage.attrs["qpvgeo"]["without_predecessor"] == ["97199", "97801"]


def test_departments_that_an_extract_does_not_cover_are_left_out_with_a_note(tmp_path):
    early = etalab(tmp_path, 2025, "01001 Ambre COM  9")
    late = etalab(tmp_path, 2026, *(f"{code} X{code} COM  9" for code in ("01001", "38001", "69001")))
    passage = commune_passage(2025, 2026, communes={2025: early, 2026: late})
    assert passage["code_to"].tolist() == ["01001"]
    notes = {note.key: note.values for note in passage.attrs["qpvgeo"]["notes"] if hasattr(note, "key")}
    assert notes["geographies.departments_left_out"]["codes"] == ["38001", "69001"]


# --- tables beside the events


def test_table_of_the_first_year_lists_the_communes_without_events_and_their_people():
    passage = commune_passage(
        2018, 2024, events=NOUVELLE, communes={2018: frame({"01001": 30, "01002": 10, "01003": 5})}
    )
    assert passage[["code_from", "code_to", "weight", "kind"]].to_numpy().tolist() == [
        ["01001", "01001", 30.0, "merged"],
        ["01002", "01001", 10.0, "merged"],
        ["01003", "01003", 5.0, "same"],
    ]


def test_table_of_the_second_year_completes_and_checks():
    tables = {2024: frame({"01001": 1, "01003": 2, "38001": 3})}
    assert went(2018, 2024, NOUVELLE, "code_from", "code_to", "kind", communes=tables) == [
        ["01001", "01001", "merged"],
        ["01002", "01001", "merged"],
        ["01003", "01003", "same"],
        ["38001", "38001", "same"],
    ]
    tables |= {2018: frame(dict.fromkeys(["01001", "01002", "01004", "69001"], 1))}
    passage = commune_passage(2018, 2024, events=NOUVELLE, communes=tables)
    assert passage[["code_from", "code_to", "kind", "basis"]].astype(object).fillna("").to_numpy().tolist() == [
        ["01001", "01001", "merged", "certain"],
        ["01002", "01001", "merged", "certain"],
        ["01004", "", "no successor", "unknown"],
        # the table of 2024 holds nothing of department 69, that of 2018 nothing of 38
        ["69001", "69001", "same", "certain"],
        ["", "01003", "no predecessor", "unknown"],
    ]
    about = passage.attrs["qpvgeo"]
    assert (about["without_successor"], about["without_predecessor"]) == (["01004"], ["01003"])


def test_parent_in_the_table_of_the_second_year_stands_for_an_event_that_is_not_known(tmp_path):
    late = etalab(tmp_path, 2024, "01001 Ambre COM  9", "01002 Bois COMD 01001 ")
    tables = {2018: frame({"01001": 1, "01002": 1}), 2024: late}
    assert went(2018, 2024, events(), communes=tables) == [
        ["01001", "01001", 1.0, "merged", "certain"],
        ["01002", "01001", 1.0, "merged", "parent"],
    ]


def test_weight_is_missing_for_all_parts_of_a_commune_when_one_is_not_known():
    table = frame({"01001": 30, "01002": pd.NA, "01003": 5})
    passage = commune_passage(2018, 2024, events=NOUVELLE, communes={2018: table})
    assert passage["weight"].fillna(-1).tolist() == [-1, -1, 5]


def test_table_that_the_events_contradict_is_told():
    passage = commune_passage(2020, 2024, events=NOUVELLE, communes={2020: frame({"01001": 1, "01002": 1})})
    assert passage["code_to"].tolist() == ["01001", "01002"]
    assert "geographies.not_communes_by_events" in [note.key for note in passage.attrs["qpvgeo"]["notes"]]


def test_files_at_hand_are_found(tmp_path, monkeypatch):
    header = ",".join(["MOD,DATE_EFF", *(f"TYPECOM_{s},COM_{s},LIBELLE_{s}" for s in ("AV", "AP"))])
    lines = "32,2019-01-01,COM,01002,Bois,COM,01001,Ambre\n32,2019-01-01,COM,01001,Ambre,COM,01001,Ambre\n"
    for year in (2018, 2024):
        (tmp_path / f"v_mvt_commune_{year}.csv").write_text(f"{header}\n{lines}", encoding="utf-8")
    etalab(tmp_path, 2018, "01001 Ambre COM  30", "01002 Bois COM  10", "01003 Combe COM  5")
    monkeypatch.setenv("QPVGEO_DATA", str(tmp_path))
    passage = commune_passage(2018, 2024)
    assert passage[["code_from", "code_to", "weight"]].to_numpy().tolist() == [
        ["01001", "01001", 30.0],
        ["01002", "01001", 10.0],
        ["01003", "01003", 5.0],
    ]
    assert [record["file"] for record in passage.attrs["qpvgeo"]["files"]] == [
        "v_mvt_commune_2024.csv",
        "cog2018_communes.csv",
    ]
    with pytest.raises(DataError, match="end on 1 January 2018"):
        commune_passage(2018, 2024, events=tmp_path / "v_mvt_commune_2018.csv")


def test_no_events_at_hand_says_where_they_are():
    with pytest.raises(MissingDataError) as caught:
        commune_passage(2018, 2024)
    assert EVENTS_PAGE in caught.value.way_out
    assert "v_mvt_commune_2024.csv" in caught.value.way_out
    assert "communes=" in caught.value.way_out


# --- tables in place of events


def test_mergers_renames_and_restored_communes_by_two_tables(tmp_path):
    early = etalab(
        tmp_path,
        2018,
        *("01001 Ambre COM  30", "01002 Bois COM  10", "01003 Combe COM  5", "01004 Dune COM  40", "01005 Eau COM  1"),
        *("01006 Fond COMD 01004 ", "01004 Dune COMD 01004 ", "01008 Houx COM  2"),
    )
    late = etalab(
        tmp_path,
        2024,
        *(
            "01001 Ambre COM  41",
            "01003 Closeau COM  5",
            "01004 Dune COM  30",
            "01006 Fond COM  10",
            "01007 Gue COM  7",
        ),
        *("01002 Bois COMD 01001 ", "01001 Ambre COMD 01001 ", "01008 Houx COM  2"),
    )
    assert went(2018, 2024, None, communes={2018: early, 2024: late}) == [
        ["01001", "01001", 1.0, "merged", "code"],
        ["01002", "01001", 1.0, "merged", "parent"],
        ["01003", "01003", 1.0, "renamed", "code"],
        ["01004", "01004", 0.75, "split", "population"],
        ["01004", "01006", 0.25, "split", "population"],
        ["01005", None, 1.0, "no successor", "unknown"],
        ["01008", "01008", 1.0, "same", "code"],
        [None, "01007", None, "no predecessor", "unknown"],
    ]
    back = went(2024, 2018, None, communes={2018: early, 2024: late})
    assert back[:2] == [
        ["01001", "01001", 0.75, "split", "population"],
        ["01001", "01002", 0.25, "split", "population"],
    ]
    assert back[4] == ["01006", "01004", 1.0, "merged", "parent"]
    assert back[5] == ["01007", None, 1.0, "no successor", "unknown"]
    about = commune_passage(2018, 2024, communes={2018: early, 2024: late}).attrs["qpvgeo"]
    assert about["source"] == "tables"
    assert any(note.startswith("without the file of events") for note in about["notes"])


def test_code_that_moved_within_a_commune_is_followed_by_its_former_communes(tmp_path):
    early = etalab(tmp_path, 2024, "01159 Porte COM  9", "01114 Lierre COMD 01159 ")
    late = etalab(tmp_path, 2025, "01114 Porte COM  9", "01114 Lierre COMD 01114 ", "01159 Pouilly COMD 01114 ")
    assert went(2024, 2025, None, communes={2024: early, 2025: late}) == [
        ["01159", "01114", 1.0, "code changed", "parent"]
    ]


def test_later_table_alone_follows_the_codes_asked_for(tmp_path):
    late = etalab(tmp_path, 2024, "01001 Ambre COM  9", "01002 Bois COMD 01001 ", "01003 Combe COM  1")
    asked = pd.Series({"01001": 5, "01002": 3, "01009": 1}, name="x")
    values = move_communes(asked, 2018, 2024, communes={2024: late})
    left = qg.geographies.unplaced(values)
    assert values["x"].to_dict() == {"01001": 8.0}
    assert left[["code_from", "value"]].to_numpy().tolist() == [["01009", 1.0]]


def test_outlines_have_names_without_articles(tmp_path):
    pd.DataFrame({"code": ["01001", "01002"], "nom": ["Écaille", "Bois"]}).to_parquet(tmp_path / "c_2018.parquet")
    late = etalab(tmp_path, 2024, "01001 L'Écaille COM  9", "01002 Combe COM  1")
    tables = {2018: tmp_path / "c_2018.parquet", 2024: late}
    assert went(2018, 2024, None, "code_from", "kind", communes=tables) == [["01001", "same"], ["01002", "renamed"]]


def test_tables_that_do_not_do_without_events_are_refused(tmp_path):
    early = etalab(tmp_path, 2018, "01001 Ambre COM  9")
    with pytest.raises(DataError, match="no table of 2024"):
        commune_passage(2018, 2024, communes={2018: early})
    with pytest.raises(DataError, match="no table of 2018"):
        commune_passage(2024, 2018, communes={2024: early})
    with pytest.raises(DataError, match="the frame of 2024 does not keep"):
        commune_passage(2018, 2024, communes={2018: early, 2024: read_communes(early)})


def test_what_is_odd_of_the_tables_is_told(tmp_path):
    path = etalab(tmp_path, 2024, "01001 Ambre COM  9")
    about = commune_passage(2024, 2025, communes={2024: path, 2025: path}).attrs["qpvgeo"]
    assert "cog2024_communes.csv is of 2024, given for 2025" in about["notes"]
    assert "the communes of 2024 and of 2025 are those of one file" in about["notes"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"communes": {2018: frame({"75101": 1})}}, "75101 is an arrondissement"),
        ({"communes": {2018: pd.DataFrame({"population": [1]}, index=["01001"])}}, "no column name"),
        ({"communes": {2018: pd.concat([frame({"01001": 1})] * 2)}}, "01001 appears 2 times"),
        ({"population": pd.Series({"01001": -1})}, "01001: -1"),
        ({"population": pd.Series([1, 2], index=["01001", "01001"])}, "01001 appears 2 times"),
        ({"population": pd.DataFrame({"people": [1]}, index=["01001"])}, "no column population"),
    ],
)
def test_sources_that_cannot_be_used_are_told(sources, message):
    with pytest.raises(DataError, match=message):
        commune_passage(2018, 2024, events=NOUVELLE, **({"communes": {}} | sources))


@pytest.mark.parametrize("years", [(1900, 2024), (2018, "2024"), (2018, 20240)])
def test_years_that_are_none(years):
    with pytest.raises(UsageError, match=r"(is not a year|are not years) of the communes"):
        commune_passage(*years, events=NOUVELLE)
    with pytest.raises(UsageError, match="is not a year"):
        commune_passage(2018, 2024, events=NOUVELLE, communes={"2018": frame({"01001": 1})})
