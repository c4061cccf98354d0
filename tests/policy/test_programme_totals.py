"""QPV and people that programmes reach: by hand, as properties, and on published files."""

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused
from tests.policy.test_contracts import france, links_of  # noqa: F401 - a fixture
from tests.policy.test_programmes import qpv_of

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.policy import carried_members, programme_coverage, programme_overlaps, programme_territories

CODES = ["QN00101M", "QN00102M", "QN00103M"]


def joined_of(*rows):
    return pd.DataFrame(rows, columns=["qpv_code", "programme", "member", "code", "basis", "share"])


@pytest.fixture
def links():
    return links_of(
        (CODES[0], "01001", "200000001", None, 100.0, 1.0, "published"),
        (CODES[1], "01001", "200000001", None, 60.0, 0.6, "published"),
        (CODES[1], "01002", "200000002", None, 40.0, 0.4, "published"),
        (CODES[2], "01002", "200000002", None, 50.0, 1.0, "published"),
    )


def test_people_are_those_of_the_parts_and_those_of_the_qpv_reached(links):
    joined = joined_of(
        (CODES[0], "a", "x", "x", "code", 1.0),
        (CODES[1], "a", "y", "y", "crosswalk", 0.25),
        (CODES[1], "b", "z", "z", "crosswalk", 0.5),
        (CODES[1], "b", "w", "w", "crosswalk", 0.7),
    )
    found = programme_coverage(joined, links)
    # 100 + 100 x 0.25; members that overlap never make more than the whole
    assert found["population_covered"].to_dict() == {"a": 125, "b": 100}
    assert found["population_reached"].to_dict() == {"a": 200, "b": 100}
    assert found[["n_qpv", "n_whole"]].to_numpy().tolist() == [[2, 1], [1, 1]]
    by = programme_coverage(joined, links, by="epci")
    assert by.loc[("200000001", "a"), "population_reached"] == 160
    assert by.loc[("200000002", "a"), ["n_qpv", "share_of_qpv"]].tolist() == [1, 0.5]


def test_a_share_or_people_that_are_not_known_leave_the_people_missing(links):
    joined = joined_of((CODES[0], "a", "x", "x", "commune", None))
    assert programme_coverage(joined, links)["population_covered"].isna().all()
    assert programme_coverage(joined, links)["population_reached"].tolist() == [100]
    assert programme_coverage(joined, links.assign(population=None))["population_reached"].isna().all()


def test_overlaps_count_each_qpv_once():
    qpv = qpv_of([["01001"]] * 3)
    people = pd.Series([100, 10, 1], index=CODES, name="population")
    joined = joined_of(
        (CODES[0], "a", "x", "x", "code", 1.0),
        (CODES[0], "b", "y", "y", "code", 1.0),
        (CODES[1], "b", "y", "y", "code", 1.0),
    )
    found = programme_overlaps(joined, people, qpv)
    sets = {(bool(row.a), bool(row.b)): (row.n_qpv, row.population) for row in found.itertuples()}
    assert sets == {(True, True): (1, 100), (False, True): (1, 10), (False, False): (1, 1)}
    alone = programme_overlaps(joined.head(0), people, qpv)
    assert alone[["n_qpv", "population"]].to_numpy().tolist() == [[3, 111]]


@given(st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from("abc"), st.floats(0.01, 1)), max_size=9))
@settings(max_examples=50, deadline=None)
def test_overlaps_add_up_and_covered_is_never_more_than_reached(rows):
    qpv = qpv_of([["01001"]] * 3)
    people = pd.Series([100, 10, 1], index=CODES, name="population")
    joined = joined_of(*((code, name, "m", "m", "code", share) for code, name, share in rows))
    found = programme_overlaps(joined, people, qpv)
    assert (found["n_qpv"].sum(), found["population"].sum()) == (3, 111)
    frame = links_of(*((code, "01001", None, None, float(people[code]), 1.0, "published") for code in CODES))
    counted = programme_coverage(joined, frame)
    assert (counted["population_covered"] <= counted["population_reached"] + 1e-9).all()
    for name in counted.index:
        assert found.loc[found[name], "n_qpv"].sum() == counted.loc[name, "n_qpv"]


def test_territories_have_the_parts_that_lie_in_them_and_all_once(links):
    joined = joined_of(
        (CODES[0], "p", "A", "01001", "commune", 1.0),
        (CODES[1], "p", "A", "01001", "commune", None),
        (CODES[1], "p", "B", "200000002", "epci", None),
        (CODES[2], "p", "B", "200000002", "epci", 1.0),
        (CODES[0], "p", "B", "200000001", "epci", 1.0),
    )
    found = programme_territories(joined, links)
    assert found["population"].to_dict() == {("p", "A"): 160, ("p", "B"): 190}
    once = found.attrs["qpvgeo"]["once"]["p"]
    assert once == {"n_qpv": 3, "population": 250.0, "shared_qpv": 2}


def test_a_member_that_is_carried_has_a_placed_and_an_unplaced_part():
    code = qg.policy.programme_members("npnru")["code"].iloc[0]
    walk = pd.DataFrame(
        {"code_from": [code] * 3, "code_to": ["QN00101M", "QN00102M", None], "from_share": [0.5, 0.3, 0.2]}
    )
    found = carried_members(walk, population=pd.Series({code: 1000}, name="population"))
    row = found.loc[code]
    assert row["into"] == "QN00101M, QN00102M"
    assert (row["placed"], row["unplaced"]) == (pytest.approx(800), pytest.approx(200))
    # of the others the crosswalk says nothing
    assert found["placed_share"].isna().sum() == 447
    by_people = carried_members(walk.assign(population_from_share=[0.5, 0.5, 0.0]))
    assert by_people.loc[code, ["placed_share", "by"]].tolist() == [1, "population"]


def test_other_things_are_refused(links):
    refused(lambda: programme_coverage(links, links), None, DataError)
    refused(lambda: programme_coverage(joined_of(), links, by="street"), "policy.no_level", UsageError)
    refused(lambda: programme_overlaps(3, None, links))
    refused(lambda: carried_members(links), None, DataError)
    walk = pd.DataFrame({"code_from": [], "code_to": [], "from_share": []})
    refused(lambda: carried_members(walk, "pic"), "policy.not_a_list_of_qpv", UsageError)


@pytest.mark.parametrize(("year", "quarters", "inside"), [(2015, 171, 842_599), (2024, 184, 931_431)])
def test_the_fourteen_territories_in_both_geographies(france, year, quarters, inside):  # noqa: F811
    communes, qpv, _, links, _ = france
    lists = qg.policy.programme_members("quartiers-productifs")
    joined = qg.join_programmes(qpv[year], lists, communes=communes, links=links[year])
    found = programme_territories(joined, links[year], communes)
    assert len(found) == 14
    once = found.attrs["qpvgeo"]["once"]["quartiers-productifs"]
    assert (once["n_qpv"], round(once["population"]), once["shared_qpv"]) == (quarters, inside, 0)
    assert found["population"].sum() == pytest.approx(once["population"])


def test_the_448_quarters_in_2024(france, real_data):  # noqa: F811
    _, qpv, _, _, _ = france
    people = qg.read_population(real_data.parent / "reference" / "qpv2015_list.csv", year=2018)
    walk = qg.crosswalk(qpv[2015], qpv[2024])
    found = carried_members(walk, population=people)
    assert len(found) == 448
    assert found["population"].sum() == 3_001_194
    assert (found["placed"] + found["unplaced"]).sum() == pytest.approx(3_001_194)
    # by area, on simplified outlines: some of it is their shift
    assert 0.03 < found["unplaced"].sum() / 3_001_194 < 0.05
    assert found.index[found["placed_share"] == 0].tolist() == [
        "QP022003",
        "QP025002",
        "QP067007",
        "QP071010",
        "QP073003",
    ]


def test_the_flags_of_paris_agree_but_for_six_quarters(real_data):
    paris = gpd.read_file(real_data / "npnru" / "Paris_TVA.gpkg", layer="QPV_Fu", ignore_geometry=True)
    flagged = set(paris.loc[paris["NPNRU"] == "OUI", "CODE_QP"])
    held = set(qg.policy.programme_members("npnru")["code"]) & set(paris["CODE_QP"])
    # eligible in 2020, and without a project in the list of January 2025
    assert sorted(flagged - held) == ["QP075001", "QP075006", "QP092001", "QP094029", "QP094030", "QP095012"]
    assert held <= flagged
    assert len(flagged) == 110


def test_a_member_listed_twice_counts_once():
    from qpvgeo.indicators.by_programme import reach

    joined = pd.DataFrame({"qpv_code": ["a", "a"], "programme": ["p", "p"], "code": ["x", "x"], "share": [0.6, 0.6]})
    assert reach(joined)["share"].tolist() == [0.6]


def test_the_448_quarters_lie_in_389_communes_of_2024(france):  # noqa: F811
    _, _, _, links, _ = france
    inside = links[2015][links[2015]["qpv_code"].isin(qg.policy.programme_members("npnru")["code"])]
    assert inside["commune"].nunique() == 389


@pytest.mark.parametrize("share", [-0.5, 1.5, "half"])
def test_shares_that_are_none_are_refused(links, share):
    joined = joined_of((CODES[0], "a", "x", "x", "code", share))
    refused(lambda: programme_coverage(joined, links), "indicators.not_shares", DataError)


def test_links_stacked_twice_are_refused(links):
    joined = joined_of((CODES[0], "a", "x", "x", "code", 1.0))
    twice = pd.concat([links, links])
    for count in (programme_coverage, programme_territories):
        refused(lambda count=count: count(joined, twice), "indicators.repeated_links", DataError)
