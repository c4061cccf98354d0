"""Communes through time: each kind of event by hand, chains of them, tables in place of events, tables moved."""

import numpy as np
import pandas as pd
import pytest
from tests.geographies.communes.histories import NOUVELLE, PEOPLE, RESTORED, etalab, events, frame, went

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.communes.passage import PASSAGE_COLUMNS, commune_passage, move_communes
from qpvgeo.read.communes.reader import read_communes


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Away from any checkout, whose data would be found."""
    monkeypatch.chdir(tmp_path)


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
