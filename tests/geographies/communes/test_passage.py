"""Communes through time: each kind of event by hand, chains of them, tables in place of events, tables moved."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.geographies.communes.passage import PASSAGE_COLUMNS, commune_passage, move_communes
from qpvgeo.read.communes.events import EVENT_COLUMNS, EVENTS_PAGE
from qpvgeo.read.communes.reader import read_communes

LINE = re.compile(r"(\S+) (\d\d) (?:(\w+) (\w+) (.+?)|-) > (?:(\w+) (\w+) (.+)|-)")
PEOPLE = pd.Series({"01001": 300, "01002": 100, "01003": 50})


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Away from any checkout, whose data would be found."""
    monkeypatch.chdir(tmp_path)


def events(*lines):
    """`2019-01-01 32 COM 01002 Bois > COM 01001 Ambre`, a line each; `-` where there is no unit."""
    rows = [LINE.fullmatch(line).groups() for line in lines]
    names = [name for name in EVENT_COLUMNS if name != "kind"]
    return pd.DataFrame(rows, columns=names).astype("str").assign(date=lambda frame: pd.to_datetime(frame["date"]))


def went(first, last, happened, *columns, **sources):
    """Rows of a passage as lists, None for what is missing."""
    columns = columns or ("code_from", "code_to", "share", "kind", "basis")
    passage = commune_passage(first, last, events=happened, **({"communes": {}} | sources))
    rows = passage[list(columns)].astype(object)
    return rows.where(rows.notna(), None).to_numpy().tolist()


def frame(people):
    """Communes of a year, as `read_communes` gives them."""
    return pd.DataFrame(
        {"name": [f"n{code}" for code in people], "population": list(people.values())}, index=list(people)
    )


def etalab(folder, year, *rows):
    """A table of communes: `code name type parent people`."""
    kinds = {"COM": "commune-actuelle", "COMD": "commune-deleguee", "COMA": "commune-associee"}
    lines = [row.split(" ") for row in rows]
    body = [f"{code},{name},{kinds[kind]},01,84,{people},,{parent}" for code, name, kind, parent, people in lines]
    path = folder / f"cog{year}_communes.csv"
    path.write_text(
        "\n".join(["code,nom,type,departement,region,population,commune,chefLieu", *body]) + "\n", encoding="utf-8"
    )
    return path


NOUVELLE = events(
    "2019-01-01 32 COM 01001 Ambre > COM 01001 Ambre-Bois",
    "2019-01-01 32 COM 01001 Ambre > COMD 01001 Ambre",
    "2019-01-01 32 COM 01002 Bois > COM 01001 Ambre-Bois",
    "2019-01-01 32 COM 01002 Bois > COMD 01002 Bois",
)
RESTORED = events(
    "2021-06-01 21 COM 01001 Ambre-Bois > COM 01001 Ambre",
    "2021-06-01 21 COM 01001 Ambre-Bois > COM 01002 Bois",
    "2021-06-01 21 COMD 01001 Ambre > COM 01001 Ambre",
    "2021-06-01 21 COMD 01002 Bois > COM 01002 Bois",
)


def test_commune_nouvelle_is_a_merger_and_its_deleguees_count_once():
    assert went(2018, 2024, NOUVELLE) == [
        ["01001", "01001", 1.0, "merged", "certain"],
        ["01002", "01001", 1.0, "merged", "certain"],
    ]
    passage = commune_passage(2018, 2024, events=NOUVELLE, communes={})
    assert tuple(passage.columns) == PASSAGE_COLUMNS
    assert passage[["from_name", "to_name"]].to_numpy().tolist() == [["Ambre", "Ambre-Bois"], ["Bois", "Ambre-Bois"]]
    assert passage["date"].dt.strftime("%Y-%m-%d").tolist() == ["2019-01-01"] * 2


@pytest.mark.parametrize(("event", "former"), [("31", None), ("33", "COMA")])
def test_mergers_of_other_kinds(event, former):
    lines = [
        f"2019-05-01 {event} COM 01001 Ambre > COM 01001 Ambre",
        f"2019-05-01 {event} COM 01002 Bois > COM 01001 Ambre",
    ]
    lines += [f"2019-05-01 {event} COM 01002 Bois > {former} 01002 Bois"] if former else []
    assert went(2019, 2020, events(*lines)) == [
        ["01001", "01001", 1.0, "merged", "certain"],
        ["01002", "01001", 1.0, "merged", "certain"],
    ]


def test_events_of_1_january_are_in_the_state_of_that_day():
    merged = went(2018, 2019, NOUVELLE)
    assert len(merged) == 2
    assert went(2019, 2024, NOUVELLE) == []
    assert went(2017, 2018, NOUVELLE) == []


def test_renamed_moved_and_given_another_code():
    happened = events(
        "2020-03-01 10 COM 01001 Ambre > COM 01001 Ambre-les-Bains",
        "2020-03-01 41 COM 01002 Bois > COM 38999 Bois",
        "2020-03-01 50 COM 01003 Combe > COM 01004 Combe",
        "2020-03-01 50 COMD 01004 Dune > COMD 01003 Combe",
        "2020-03-01 10 COMD 01005 Eau > COMD 01005 Eaux",
    )
    assert went(2020, 2021, happened) == [
        ["01001", "01001", 1.0, "renamed", "certain"],
        ["01002", "38999", 1.0, "moved to another department", "certain"],
        ["01003", "01004", 1.0, "code changed", "certain"],
    ]
    assert went(2021, 2020, happened) == [
        ["01001", "01001", 1.0, "renamed", "certain"],
        ["01004", "01003", 1.0, "code changed", "certain"],
        ["38999", "01002", 1.0, "moved to another department", "certain"],
    ]


def test_restored_commune_is_a_split_weighed_by_people():
    assert went(2020, 2024, RESTORED, population=PEOPLE) == [
        ["01001", "01001", 0.75, "split", "population"],
        ["01001", "01002", 0.25, "split", "population"],
    ]


def test_split_without_people_has_no_share():
    expected = [["01001", "01001", None, "split", "unknown"], ["01001", "01002", None, "split", "unknown"]]
    assert went(2020, 2024, RESTORED) == expected
    assert went(2020, 2024, RESTORED, population=PEOPLE.drop("01002")) == expected
    assert went(2020, 2024, RESTORED, population=PEOPLE * 0) == expected
    passage = commune_passage(2020, 2024, events=RESTORED, communes={})
    assert passage.attrs["qpvgeo"]["unknown_shares"] == ["01001"]


def test_back_in_time_mergers_are_splits_and_restored_communes_merge():
    assert went(2024, 2018, NOUVELLE, population=PEOPLE) == [
        ["01001", "01001", 0.75, "split", "population"],
        ["01001", "01002", 0.25, "split", "population"],
    ]
    assert went(2024, 2020, RESTORED) == [
        ["01001", "01001", 1.0, "merged", "certain"],
        ["01002", "01001", 1.0, "merged", "certain"],
    ]


def test_people_are_those_of_the_year_nearest_to_the_split_on_its_side():
    years = {2018: (1, 3), 2022: (3, 1), 2024: (1, 1)}
    tables = {year: frame({"01001": a, "01002": b}) for year, (a, b) in years.items()}
    shares = {row[1]: row[2] for row in went(2020, 2024, RESTORED, communes={2020: frame({"01001": 9})} | tables)}
    assert shares == {"01001": 0.75, "01002": 0.25}
    shares = {row[1]: row[2] for row in went(2020, 2018, NOUVELLE, communes={2020: frame({"01001": 9})} | tables)}
    assert shares == {"01001": 0.25, "01002": 0.75}


def test_people_of_a_year_in_which_a_part_was_another_commune_weigh_nothing():
    happened = events(
        "2019-01-01 21 COM 01001 Ambre > COM 01001 Ambre",
        "2019-01-01 21 COM 01001 Ambre > COM 01002 Bois",
        "2021-01-01 31 COM 01002 Bois > COM 01002 Bois",
        "2021-01-01 31 COM 01003 Combe > COM 01002 Bois",
    )
    later = {2022: frame({"01001": 300, "01002": 700})}
    assert [row[2] for row in went(2018, 2022, happened, communes=later)] == [None, None, 1.0]
    between = {2020: frame({"01001": 300, "01002": 100, "01003": 600})}
    assert [row[2] for row in went(2018, 2022, happened, communes=later | between)] == [0.75, 0.25, 1.0]


def test_communes_that_merged_and_parted_again_are_what_they_were():
    both = pd.concat([NOUVELLE, RESTORED])
    expected = [["01001", "01001", 1.0, "same", "certain"], ["01002", "01002", 1.0, "same", "certain"]]
    assert went(2018, 2024, both) == expected
    assert went(2024, 2018, both) == expected
    assert went(2018, 2020, both)[1] == ["01002", "01001", 1.0, "merged", "certain"]
    assert went(2020, 2024, both, population=PEOPLE)[1] == ["01001", "01002", 0.25, "split", "population"]


def test_commune_that_is_left_keeps_those_that_stay():
    happened = events(
        "2019-01-01 32 COM 01001 Ambre > COM 01001 Trois",
        "2019-01-01 32 COM 01002 Bois > COM 01001 Trois",
        "2019-01-01 32 COM 01003 Combe > COM 01001 Trois",
        "2022-01-01 21 COM 01001 Trois > COM 01001 Deux",
        "2022-01-01 21 COM 01001 Trois > COM 01003 Combe",
    )
    assert went(2018, 2024, happened, "code_from", "code_to", "share", "kind") == [
        ["01001", "01001", 1.0, "merged"],
        ["01002", "01001", 1.0, "merged"],
        ["01003", "01003", 1.0, "same"],
    ]


def test_former_commune_comes_back_after_the_seat_moved():
    happened = events(
        "2019-01-01 32 COM 01001 Ambre > COM 01001 Deux",
        "2019-01-01 32 COM 01002 Bois > COM 01001 Deux",
        "2020-01-01 50 COM 01001 Deux > COM 01002 Deux",
        "2022-01-01 21 COM 01002 Deux > COM 01002 Bois",
        "2022-01-01 21 COM 01002 Deux > COM 01001 Ambre",
    )
    assert went(2018, 2021, happened, "code_from", "code_to") == [["01001", "01002"], ["01002", "01002"]]
    assert went(2018, 2024, happened, "code_from", "code_to", "share") == [
        ["01001", "01001", 1.0],
        ["01002", "01002", 1.0],
    ]


def test_new_commune_out_of_two_that_merged_leaves_shares_unknown():
    happened = events(
        "2019-01-01 32 COM 01001 Ambre > COM 01001 Deux",
        "2019-01-01 32 COM 01002 Bois > COM 01001 Deux",
        "2022-01-01 20 COM 01001 Deux > COM 01001 Deux",
        "2022-01-01 20 COM 01001 Deux > COM 01003 Combe",
    )
    assert went(2018, 2024, happened, "code_from", "code_to", "share", population=PEOPLE) == [
        ["01001", "01001", None],
        ["01001", "01003", None],
        ["01002", "01001", None],
        ["01002", "01003", None],
    ]
    # of the commune itself there is one whole, which people weigh
    assert went(2020, 2024, happened, "code_to", "share", population=PEOPLE) == [
        ["01001", 300 / 350],
        ["01003", 50 / 350],
    ]


def test_former_commune_that_may_have_lost_ground_does_not_come_back_whole():
    happened = events(
        "2019-01-01 32 COM 01001 Ambre > COM 01001 Deux",
        "2019-01-01 32 COM 01002 Bois > COM 01001 Deux",
        "2020-01-01 20 COM 01001 Deux > COM 01001 Deux",
        "2020-01-01 20 COM 01001 Deux > COM 01003 Combe",
        "2022-01-01 21 COM 01001 Deux > COM 01001 Ambre",
        "2022-01-01 21 COM 01001 Deux > COM 01002 Bois",
    )
    found = went(2018, 2024, happened, "code_from", "code_to", "share", population=PEOPLE)
    assert found == [[one, other, None] for one in ("01001", "01002") for other in ("01001", "01002", "01003")]


def test_split_whose_parts_merge_again_rests_on_no_weights():
    happened = events(
        "2019-01-01 20 COM 01001 Ambre > COM 01001 Ambre",
        "2019-01-01 20 COM 01001 Ambre > COM 01002 Bois",
        "2021-01-01 31 COM 01001 Ambre > COM 01003 Combe",
        "2021-01-01 31 COM 01002 Bois > COM 01003 Combe",
        "2021-01-01 31 COM 01003 Combe > COM 01003 Combe",
    )
    assert went(2018, 2024, happened) == [
        ["01001", "01003", 1.0, "merged", "certain"],
        ["01003", "01003", 1.0, "merged", "certain"],
    ]


def test_chain_over_years_goes_to_its_end_and_back():
    happened = events(
        "2019-01-01 32 COM 01002 Bois > COM 01001 Deux",
        "2019-01-01 32 COM 01001 Ambre > COM 01001 Deux",
        "2020-07-01 10 COM 01001 Deux > COM 01001 Duo",
        "2022-01-01 41 COM 01001 Duo > COM 38999 Duo",
        "2023-01-01 31 COM 38999 Duo > COM 38001 Terre",
        "2023-01-01 31 COM 38001 Terre > COM 38001 Terre",
    )
    columns = ("code_from", "code_to", "from_name", "to_name", "share", "kind")
    assert went(2018, 2024, happened, *columns) == [
        ["01001", "38001", "Ambre", "Terre", 1.0, "merged"],
        ["01002", "38001", "Bois", "Terre", 1.0, "merged"],
        ["38001", "38001", "Terre", "Terre", 1.0, "merged"],
    ]
    back = went(
        2024, 2018, happened, "code_to", "share", population=pd.Series({"01001": 1, "01002": 2, "38001": 3, "38999": 3})
    )
    assert back == [["01001", 1 / 6], ["01002", 1 / 3], ["38001", 1 / 2]]


def test_events_of_one_day_are_taken_in_the_order_that_their_states_need():
    happened = events(
        "2018-01-01 32 COM 44225 Freigne > COM 44180 Vallons",
        "2018-01-01 32 COM 44180 Vritz > COM 44180 Vallons",
        "2018-01-01 41 COM 49144 Freigne > COM 44225 Freigne",
    )
    assert went(2017, 2018, happened, "code_from", "code_to", "kind") == [
        ["44180", "44180", "merged"],
        ["49144", "44180", "merged"],
    ]
    assert went(2018, 2017, happened, "code_from", "code_to", population=pd.Series({"44180": 1, "49144": 1})) == [
        ["44180", "44180"],
        ["44180", "49144"],
    ]
    # restored from one commune and merged in another on the same day
    happened = events(
        "2020-01-01 33 COM 01002 Bois > COM 01003 Combe",
        "2020-01-01 33 COM 01003 Combe > COM 01003 Combe",
        "2020-01-01 21 COM 01001 Ambre > COM 01001 Ambre",
        "2020-01-01 21 COM 01001 Ambre > COM 01002 Bois",
    )
    assert went(2019, 2020, happened, "code_from", "code_to", "kind") == [
        ["01001", "01001", "split"],
        ["01001", "01003", "split"],
        ["01003", "01003", "merged"],
    ]


def test_commune_dissolved_between_its_neighbours_has_no_known_shares():
    happened = events(
        "2020-03-02 30 COM 01001 Hoc > COM 01002 Bois",
        "2020-03-02 30 COM 01001 Hoc > COM 01003 Combe",
        "2020-03-02 30 COM 01002 Bois > COM 01002 Bois",
        "2020-03-02 30 COM 01003 Combe > COM 01003 Combe",
    )
    assert went(2020, 2021, happened, population=PEOPLE) == [
        ["01001", "01002", None, "split", "unknown"],
        ["01001", "01003", None, "split", "unknown"],
        ["01002", "01002", 1.0, "merged", "certain"],
        ["01003", "01003", 1.0, "merged", "certain"],
    ]


def test_commune_made_of_parcels_of_others_takes_unknown_shares():
    happened = events(
        "2020-02-15 20 COM 01001 Ambre > COM 01001 Ambre",
        "2020-02-15 20 COM 01001 Ambre > COM 01003 Combe",
        "2020-02-15 20 COM 01002 Bois > COM 01002 Bois",
        "2020-02-15 20 COM 01002 Bois > COM 01003 Combe",
    )
    assert [row[2:] for row in went(2020, 2021, happened, population=PEOPLE)] == [[None, "split", "unknown"]] * 4
    back = went(2021, 2020, happened, "code_from", "code_to", "share")
    assert back == [
        ["01001", "01001", 1.0],
        ["01002", "01002", 1.0],
        ["01003", "01001", None],
        ["01003", "01002", None],
    ]


def test_unit_that_leaves_or_enters_the_cog():
    happened = events("2020-07-15 30 COM 97123 Barth > -", "2020-07-15 20 - > COM 97601 Acoua")
    assert went(2020, 2021, happened) == [["97123", None, 1.0, "no successor", "certain"]]
    assert went(2021, 2020, happened) == [["97601", None, 1.0, "no successor", "certain"]]


def test_lines_of_deleguees_alone_change_no_commune():
    happened = events(
        "2020-01-01 35 COMD 01002 Bois > COM 01001 Ambre",
        "2020-01-01 34 COMA 01003 Combe > COM 01004 Dune",
        "2020-01-01 70 COMA 01005 Eau > COMD 01005 Eau",
        "2020-01-01 70 COM 01006 Fond > COMD 01007 Gue",
    )
    assert went(2019, 2021, happened) == []
    assert went(2019, 2021, happened, "code_from", "code_to", communes={2019: frame({"01001": 1, "01004": 2})}) == [
        ["01001", "01001"],
        ["01004", "01004"],
    ]


def test_commune_that_absorbs_without_a_line_of_its_own_stays_where_it_was_known():
    happened = events(
        "2015-01-01 31 COM 01003 Combe > COM 01001 Ambre",
        "2015-01-01 31 COM 01001 Ambre > COM 01001 Ambre",
        "2020-01-01 31 COM 01002 Bois > COM 01001 Ambre",
    )
    assert went(2019, 2021, happened, "code_from", "code_to") == [["01001", "01001"], ["01002", "01001"]]
    assert went(2014, 2021, happened, "code_from", "code_to") == [
        ["01001", "01001"],
        ["01002", "01001"],
        ["01003", "01001"],
    ]


def test_restored_commune_that_no_line_gives_an_origin_is_told():
    happened = events("2020-01-01 21 COMD 01002 Bois > COM 01002 Bois")
    passage = commune_passage(2019, 2021, events=happened, communes={2021: frame({"01002": 1})})
    assert passage[["code_to", "kind", "basis"]].to_numpy().tolist() == []
    passage = commune_passage(
        2019, 2021, events=happened, communes={2019: frame({"01001": 1}), 2021: frame({"01002": 1})}
    )
    assert passage["kind"].tolist() == ["no successor", "no predecessor"]
    assert (
        "01002 is restored on 2020-01-01, and no line says which commune it leaves" in passage.attrs["qpvgeo"]["notes"]
    )


def test_same_year_is_the_identity():
    table = frame({"01001": 3, "01002": 4})
    expected = [["01001", "01001", 1.0, "same", "certain"], ["01002", "01002", 1.0, "same", "certain"]]
    assert went(2020, 2020, None, communes={2020: table}) == expected
    assert went(2019, 2019, NOUVELLE) == []
    values = move_communes(pd.Series({"01002": 4.5, "01001": 1}, name="x"), 2020, 2020)
    left = qg.geographies.unplaced(values)
    assert values["x"].to_dict() == {"01001": 1.0, "01002": 4.5}
    assert len(left) == 0


def test_order_of_lines_changes_nothing():
    both = pd.concat([NOUVELLE, RESTORED], ignore_index=True)
    expected = commune_passage(2020, 2024, events=both, communes={}, population=PEOPLE)
    for seed in range(5):
        mixed = both.sample(frac=1, random_state=seed)
        found = commune_passage(
            2020, 2024, events=mixed, communes={}, population=PEOPLE.sample(frac=1, random_state=seed)
        )
        pd.testing.assert_frame_equal(found, expected)


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


# --- tables moved


def moved(values, first, last, happened, **options):
    return move_communes(values, first, last, events=happened, **({"communes": {}} | options))


def test_counts_add_up_and_what_rests_on_a_split_is_marked():
    people = pd.DataFrame({"homes": {"01001": 40, "01003": 7}, "cars": {"01001": 8, "01003": 2}})
    values = moved(people, 2020, 2024, RESTORED, population=PEOPLE)
    assert values[["homes", "cars", "estimated"]].to_numpy().tolist() == [
        [30.0, 6.0, True],
        [10.0, 2.0, True],
        [7.0, 2.0, False],
    ]
    assert values.index.tolist() == ["01001", "01002", "01003"]
    assert values["covered_share"].tolist() == [1.0] * 3


def test_counts_of_a_split_without_people_are_missing_not_halves():
    values = moved(pd.Series({"01001": 40, "01003": 7}, name="homes"), 2020, 2024, RESTORED)
    assert values["homes"].tolist() == [pd.NA, pd.NA, 7.0]
    assert not values["estimated"].any()


def test_known_part_of_a_split_is_kept_beside_parts_of_unknown_share():
    happened = events(
        "2019-01-01 20 COM 01001 Ambre > COM 01001 Ambre",
        "2019-01-01 20 COM 01001 Ambre > COM 01002 Bois",
        "2020-01-01 20 COM 01002 Bois > COM 01002 Bois",
        "2020-01-01 20 COM 01002 Bois > COM 01004 Dune",
    )
    tables = {2019: frame({"01001": 300, "01002": 100})}
    values = moved(pd.Series({"01001": 40}, name="homes"), 2018, 2024, happened, communes=tables)
    assert values["homes"].tolist() == [30.0, pd.NA, pd.NA]


def test_rates_are_weighted_by_what_they_are_of():
    rates = pd.Series({"01001": 0.2, "01002": 0.6}, name="rate")
    values = moved(rates, 2018, 2024, NOUVELLE, kind="rate", denominators=pd.Series({"01001": 30, "01002": 10}))
    assert values["rate"].tolist() == pytest.approx([0.3])
    with pytest.raises(UsageError, match="denominators"):
        moved(rates, 2018, 2024, NOUVELLE, kind="rate")


def test_category_is_that_of_most_people_and_missing_where_they_are_not_known():
    classes = pd.Series({"01001": "rural", "01002": "urban", "01003": "rural"}, name="class")
    people = {2018: frame({"01001": 10, "01002": 30, "01003": 5})}
    known = moved(classes, 2018, 2024, NOUVELLE, kind="category", communes=people)
    assert known["class"].tolist() == ["urban", "rural"]
    unknown = moved(classes, 2018, 2024, NOUVELLE, kind="category")
    assert unknown["class"].fillna("").tolist() == ["", "rural"]
    weighed = moved(classes, 2018, 2024, NOUVELLE, kind="category", denominators=pd.Series({"01001": 3, "01002": 1}))
    assert weighed["class"].tolist() == ["rural", "rural"]


def test_commune_whose_neighbour_is_not_in_the_table_is_missing():
    values = moved(pd.Series({"01001": 40}, name="homes"), 2018, 2024, NOUVELLE)
    assert values["homes"].tolist() == [pd.NA]
    note = values.attrs["qpvgeo"]["notes"][-1]
    assert (note.key, note.values["codes"]) == ("geographies.not_in_table", ["01002"])


def test_what_goes_nowhere_is_listed():
    left = events("2020-07-15 30 COM 97123 B > -")
    values = moved(pd.Series({"97123": 9, "97101": 1}, name="x"), 2020, 2021, left)
    left = qg.geographies.unplaced(values)
    assert values["x"].to_dict() == {"97101": 1.0}
    assert left.to_numpy().tolist() == [["97123", "x", 9.0, 1.0]]


def test_codes_of_another_year_are_refused_with_what_is_known_of_them():
    table = pd.Series(1, index=["01001", "01002", "75101", "1003", "01003"], name="x")
    with pytest.raises(DataError) as caught:
        moved(table, 2020, 2024, pd.concat([NOUVELLE, RESTORED]))
    assert caught.value.problems == (
        "01002 is that of a commune until the eve of 2019-01-01 and is that of a commune from 2021-06-01",
        "75101 is an arrondissement: sum them up under 75056",
        "1003 is not how a code is written: 01003 is",
    )
    with pytest.raises(DataError, match="All of them were communes in 2018: give that year as from_year"):
        moved(table.drop(["75101", "1003"]), 2019, 2020, NOUVELLE)


def test_arrondissements_alone_are_folded_where_the_table_is_read(tmp_path):
    with pytest.raises(DataError) as caught:
        moved(pd.Series(1, index=["75101", "01001"], name="x"), 2020, 2024, NOUVELLE)
    assert caught.value.way_out.key == "geographies.fold_arrondissements"
    parts = "".join(f"751{number:02};Paris {number};1\n" for number in range(1, 21))
    path = tmp_path / "P20_POP.csv"
    path.write_text(f"CODGEO;LIBGEO;P20_POP\n01001;A;1\n{parts}")
    people = qg.read_population(path, level="commune", arrondissements="fold")["population"]
    assert moved(people, 2020, 2024, NOUVELLE)["population"].to_dict() == {"01001": 1, "75056": 20}


def test_codes_are_looked_for_in_the_tables_of_other_years(tmp_path):
    early = etalab(tmp_path, 2018, "01001 Ambre COM  9", "01002 Bois COMD 01001 ")
    late = etalab(tmp_path, 2024, "01001 Ambre COM  6", "01002 Bois COM  3", "01009 Pre COM  3")
    with pytest.raises(DataError) as caught:
        move_communes(pd.Series({"01001": 1, "01002": 1, "01009": 1}), 2018, 2024, communes={2018: early, 2024: late})
    assert caught.value.problems == (
        "01002 is a déléguée or associée of 01001 in the table of 2018 and is in the table of 2024",
        "01009 is not in the table of 2018 and is in the table of 2024",
    )
    assert caught.value.way_out == "All of them were communes in 2024: give that year as from_year."


def test_name_that_the_answer_needs_is_refused():
    with pytest.raises(UsageError, match="Column estimated"):
        moved(pd.DataFrame({"estimated": [1]}, index=["01001"]), 2018, 2024, NOUVELLE)


CODES = [f"01{number:03d}" for number in range(1, 9)]


@st.composite
def histories(draw):
    """Mergers in random order, year after year."""
    alive, lines = list(CODES), []
    for year in draw(st.lists(st.integers(2010, 2023), min_size=1, max_size=4, unique=True).map(sorted)):
        group = draw(st.lists(st.sampled_from(alive), min_size=2, max_size=4, unique=True))
        seat = draw(st.sampled_from(group))
        lines += [f"{year}-01-01 32 COM {code} n{code} > COM {seat} n{seat}" for code in group]
        alive = [code for code in alive if code not in group or code == seat]
        if len(alive) < 2:
            break
    return events(*lines)


@settings(deadline=None, max_examples=40)
@given(histories(), st.lists(st.integers(0, 10_000), min_size=len(CODES), max_size=len(CODES)))
def test_totals_are_kept_through_mergers_and_back(happened, numbers):
    values = pd.Series(numbers, index=CODES, name="x")
    there = moved(values, 2009, 2024, happened)
    assert there["x"].sum() == values.sum()
    people = pd.Series(range(1, len(CODES) + 1), index=CODES)
    back = moved(there["x"], 2024, 2009, happened, population=people)
    assert set(back.index) == set(CODES)
    assert back["x"].sum() == pytest.approx(values.sum())


@settings(deadline=None, max_examples=40)
@given(histories())
def test_people_moved_there_and_back_by_people_are_what_they_were(happened):
    people = pd.Series(range(1, len(CODES) + 1), index=CODES, name="x")
    there = moved(people, 2009, 2024, happened)
    back = moved(there["x"], 2024, 2009, happened, population=people)
    assert back["x"].to_dict() == pytest.approx(people.to_dict())


@settings(deadline=None, max_examples=40)
@given(histories(), st.integers(2009, 2024), st.integers(2009, 2024))
def test_passage_between_any_two_years_shares_each_commune_out_whole(happened, first, last):
    people = pd.Series(1, index=CODES)
    passage = commune_passage(first, last, events=happened, communes={}, population=people)
    assert passage["share"].notna().all()
    assert passage.groupby("code_from")["share"].sum().to_numpy() == pytest.approx(
        np.ones(passage["code_from"].nunique())
    )
    back = commune_passage(last, first, events=happened, communes={}, population=people)
    pairs = {tuple(pair) for pair in passage[["code_from", "code_to"]].to_numpy()}
    assert {tuple(pair) for pair in back[["code_to", "code_from"]].to_numpy()} == pairs


# --- a slow twin: communes as sets of cells with one inhabitant each, whose history is drawn by lot


def drawn_history(seed):
    """Lines of events of 2010 to 2022, and the cells of each commune on 1 January of each year."""
    random = np.random.default_rng(seed)
    cells = iter(np.array_split(random.permutation(40), 6))
    now = {code: frozenset(next(cells).tolist()) for code in CODES[:6]}
    former, lines, states, new = {}, [], {2010: dict(now)}, iter(f"01{number:03d}" for number in range(100, 200))
    for year in range(2010, 2022):
        line = f"{year}-06-01 {{}} COM {{}} x > COM {{}} x"
        back = [(z, b) for b, was in former.items() for z, held in now.items() if b not in now and was < held]
        kinds = ["merge", "merge", "merge", "part", "code", "dissolve"] + ["restore"] * 4 * bool(back)
        kind = str(random.choice(kinds if len(now) > 3 else ["part", "code"]))
        codes = [str(code) for code in random.permutation(sorted(now))]
        if kind == "merge":
            group = codes[: random.integers(2, 4)]
            former |= {code: now[code] for code in group}
            lines += [line.format(32, code, group[0]) for code in group]
            now[group[0]] = frozenset().union(*(now.pop(code) for code in group))
        elif kind == "restore":
            whole, code = back[random.integers(len(back))]
            lines += [line.format(21, whole, whole), line.format(21, whole, code)]
            now[code] = former.pop(code)
            now[whole] -= now[code]
        elif kind == "part" and len(now[codes[0]]) > 1:
            code, own = next(new), sorted(now[codes[0]])
            lines += [line.format(20, codes[0], codes[0]), line.format(20, codes[0], code)]
            now[code] = frozenset(own[: random.integers(1, len(own))])
            now[codes[0]] -= now[code]
        elif kind == "code":
            code = next(new)
            lines.append(line.format(50, codes[0], code))
            now[code] = now.pop(codes[0])
        elif kind == "dissolve" and len(now[codes[0]]) > 1:
            gone, one, other = codes[:3]
            lines += [line.format(30, gone, one), line.format(30, gone, other)]
            lines += [line.format(30, one, one), line.format(30, other, other)]
            own = sorted(now.pop(gone))
            now[one] |= frozenset(own[:1])
            now[other] |= frozenset(own[1:])
        states[year + 1] = dict(now)
    return events(*lines), states


@settings(deadline=None, max_examples=120)
@given(
    seed=st.integers(0, 2**32), first=st.integers(2010, 2022), last=st.integers(2010, 2022), every_year=st.booleans()
)
@example(seed=7134, first=2010, last=2018, every_year=False)  # it took a part of another, and came back without
def test_known_shares_are_those_of_the_cells(seed, first, last, every_year):
    happened, states = drawn_history(seed)
    people = {year: {code: len(cells) for code, cells in state.items()} for year, state in states.items()}
    tables = {year: frame(people[year]) for year in (people if every_year else [first, last])}
    passage = commune_passage(first, last, events=happened, communes=tables)
    truth = {
        (before, after): len(cells & others) / len(cells)
        for before, cells in states[first].items()
        for after, others in states[last].items()
        if cells & others
    }
    found = {(one, other): share for one, other, share in passage[["code_from", "code_to", "share"]].to_numpy()}
    assert truth.keys() <= found.keys()
    known = {pair: share for pair, share in found.items() if not np.isnan(share)}
    assert known == pytest.approx({pair: truth.get(pair, 0.0) for pair in known})
    certain = passage[passage["basis"] == "certain"]
    assert set(certain["code_from"]) >= {
        code
        for code, cells in states[first].items()
        if states[last].get(code) == cells and code not in happened.to_numpy()
    }


# --- real tables


@pytest.fixture
def cog(real_data):
    admin = real_data / "admin"
    tables = {year: admin / f"cog{year}_communes.csv" for year in (2024, 2025, 2026)}
    return {2018: admin / "communes_2018_regions_44_75_76.parquet", **tables}


def of(cog, *years):
    return {year: cog[year] for year in years}


@pytest.mark.real
def test_real_communes_of_three_regions_from_2018_to_2024(cog):
    passage = commune_passage(2018, 2024, communes=of(cog, 2018, 2024))
    assert passage["code_from"].nunique() == 14_022
    gone = passage[~passage["code_from"].isin(passage["code_to"])]
    # 146 codes of 2018 are no more: 131 are parts of a commune nouvelle, 15 merged without a commune déléguée
    assert gone["kind"].value_counts().to_dict() == {"merged": 131, "no successor": 15}
    assert passage["kind"].value_counts().to_dict() == {
        "same": 13_765,
        "merged": 206,
        "renamed": 36,
        "no successor": 15,
    }
    assert passage["basis"].value_counts().to_dict() == {"code": 13_876, "parent": 131, "unknown": 15}
    assert passage.attrs["qpvgeo"]["without_successor"] == [
        *("16156", "16274", "16332", "19092", "23121", "24181", "30157", "30190"),
        *("33092", "33338", "57585", "79011", "79045", "79211", "79214"),
    ]
    # the same of the table of 2024 alone, from the codes of the table to move
    counts = pd.Series(1, index=passage["code_from"].unique(), name="communes")
    alone = move_communes(counts, 2018, 2024, communes=of(cog, 2024))
    assert (alone["communes"].sum(), len(qg.geographies.unplaced(alone))) == (14_022 - 15, 15)


@pytest.mark.real
def test_real_communes_from_2024_to_2025_merge_part_and_move_their_seat(cog):
    passage = commune_passage(2024, 2025, communes=of(cog, 2024, 2025))
    assert passage["kind"].value_counts().to_dict() == {
        "same": 34_909,
        "merged": 94,
        "renamed": 13,
        "no successor": 8,
        "split": 5,
        "code changed": 4,
    }
    moves = passage[passage["kind"] == "code changed"]
    assert moves[["code_from", "code_to"]].to_numpy().tolist() == [
        *(["12076", "12218"], ["14011", "14581"], ["49069", "49126"], ["69159", "69114"]),
    ]
    parted = passage[passage["kind"] == "split"]
    assert parted["code_from"].unique().tolist() == ["15141"]
    assert parted.set_index("code_to")["share"].round(4).to_dict() == {
        "15031": 0.1395,
        "15035": 0.1955,
        "15047": 0.0566,
        "15141": 0.5299,
        "15171": 0.0785,
    }
    assert passage.attrs["qpvgeo"]["without_successor"] == [
        *("02311", "08300", "16238", "25297", "26371", "42072", "71131", "72287"),
    ]


@pytest.mark.real
def test_real_communes_of_2025_and_2026_differ_by_their_names_alone(cog):
    passage = commune_passage(2025, 2026, communes=of(cog, 2025, 2026))
    assert passage["kind"].value_counts().to_dict() == {"same": 34_950, "renamed": 19}


@pytest.mark.real
@pytest.mark.parametrize("years", [(2024, 2025), (2025, 2024), (2024, 2026), (2025, 2026)])
def test_real_people_are_all_moved_or_told_to_go_nowhere(cog, years):
    people = read_communes(cog[years[0]])["population"].dropna()
    values = qg.geographies.move_communes(people, *years, communes=of(cog, *years))
    left = qg.geographies.unplaced(values)
    assert values["population"].sum() + left["value"].sum() == pytest.approx(people.sum(), abs=1e-6)
    assert values["estimated"].sum() == {(2024, 2025): 5, (2024, 2026): 5, (2025, 2024): 94}.get(years, 0)


@pytest.mark.real
def test_real_table_of_another_year_is_recognised(cog):
    people = read_communes(cog[2025])["population"]
    with pytest.raises(DataError, match="All of them were communes in 2025") as caught:
        move_communes(people, 2024, 2025, communes=of(cog, 2024, 2025))
    assert len(caught.value.problems) == 8


def test_tables_at_hand_stand_in_for_events(tmp_path, monkeypatch):
    etalab(tmp_path, 2024, "01001 Ambre COM 01001 10", "01002 Bois COM 01002 5")
    etalab(tmp_path, 2025, "01001 Ambre COM 01001 15", "01002 Bois COMD 01001 5")
    monkeypatch.setenv("QPVGEO_DATA", str(tmp_path))
    passage = commune_passage(2024, 2025)
    assert passage.attrs["qpvgeo"]["source"] == "tables"
    assert passage[["code_from", "code_to"]].to_numpy().tolist() == [["01001", "01001"], ["01002", "01001"]]


@pytest.mark.parametrize("label", [1003, "zzz", "75101", "1003"])
def test_what_is_no_code_was_that_of_a_commune_in_no_year(label):
    table = pd.Series([1, 2], index=pd.Index([label, "01002"], dtype=object))
    with pytest.raises(DataError) as caught:
        move_communes(table, 2020, 2024, events=NOUVELLE, communes={})
    assert "All of them were communes" not in str(caught.value)


def test_years_of_numpy_are_years():
    assert len(commune_passage(np.int64(2018), np.int64(2024), events=NOUVELLE, communes={})) == 2


@pytest.mark.parametrize("people", [np.inf, "many"])
def test_people_that_are_no_number_are_refused(people):
    with pytest.raises(DataError, match="not populations of communes"):
        commune_passage(2024, 2018, events=NOUVELLE, communes={}, population=pd.Series({"01001": people}))


def test_source_that_is_misspelt_is_refused():
    with pytest.raises(UsageError, match="popluation is not a source"):
        move_communes(pd.Series({"01001": 1}), 2018, 2024, events=NOUVELLE, communes={}, popluation=PEOPLE)


def test_articles_that_a_file_of_outlines_leaves_out_rename_nothing(tmp_path):
    table = etalab(tmp_path, 2024, "01001 La-Bresle COM 01001 10")
    table.write_text(table.read_text(encoding="utf-8").replace("La-Bresle", "La Bresle"), encoding="utf-8")
    before = frame({"01001": 10}).assign(name="Bresle")
    assert commune_passage(2018, 2024, communes={2018: before, 2024: table})["kind"].tolist() == ["same"]
