"""Programmes: lists that are held, and the QPV that they reach, by hand and on published files."""

import re

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.codes.places import plain
from qpvgeo.errors import DataError, UsageError


def qpv_of(communes, vintage=2024):
    codes = [f"QN0010{n}M" if vintage == 2024 else f"QP00100{n}" for n in range(1, len(communes) + 1)]
    return gpd.GeoDataFrame(
        {
            "name": codes,
            "vintage": vintage,
            "release": "",
            "territory": "hexagone",
            "department": "01",
            "region": "84",
            "communes": communes,
        },
        geometry=[shapely.box(n, 0, n + 1, 1) for n in range(len(communes))],
        index=pd.Index(codes, name="qpv_code"),
        crs=2154,
    )


def pairs(found):
    return found[["qpv_code", "programme", "code", "basis"]].to_numpy().tolist()


def notes(found):
    return {note.key: note.values.get("count") for note in found.attrs["qpvgeo"]["notes"]}


def test_counts_of_lists_held_are_those_published():
    table = qg.programmes()
    members = qg.policy.programme_members()
    for programme in table.index[table["list_held"] == "yes"]:
        held = members[members["programme"] == programme]
        assert held["name"].nunique() == table.loc[programme, "count"], programme


def test_a_list_that_is_not_held_is_refused():
    error = refused(lambda: qg.policy.programme_members("quartiers-fertiles"), "policy.no_list", UsageError)
    assert "npnru" in error.way_out.values["programmes"]


def test_codes_of_the_same_geography_match_whole():
    found = qg.join_programmes(qpv_of([["01001"], ["01002"]]), {"ours": ["QN00101M", "QN00199M"]})
    assert pairs(found) == [["QN00101M", "ours", "QN00101M", "code"]]
    assert found["share"].tolist() == [1]
    assert found.attrs["qpvgeo"]["unplaced"] == {"ours": ["QN00199M"]}


def test_codes_of_the_other_geography_pass_the_crosswalk_with_their_share():
    walk = pd.DataFrame(
        {
            "code_from": ["QP001001", "QP001001", "QP001002"],
            "code_to": ["QN00101M", None, "QN00102M"],
            "from_share": [0.6, 0.4, 1],
            "to_share": [0.25, None, 1],
        }
    )
    qpv = qpv_of([["01001"], ["01002"]])
    found = qg.join_programmes(qpv, {"npnru": ["QP001001"]}, crosswalk=walk)
    assert pairs(found) == [["QN00101M", "npnru", "QP001001", "crosswalk"]]
    assert found["share"].tolist() == [0.25]
    without = qg.join_programmes(qpv, {"npnru": ["QP001001"]})
    assert without.empty
    assert {note.key for note in without.attrs["qpvgeo"]["notes"]} == {"policy.needs_crosswalk"}
    back = qg.join_programmes(qpv_of([["01001"]], 2015), {"later": ["QN00101M"]}, crosswalk=walk)
    assert back["share"].tolist() == [0.6]


def test_communes_and_groupings_are_matched_through_the_communes_of_the_qpv():
    lists = pd.DataFrame(
        {"programme": ["c", "e"], "unit": ["commune", "epci"], "code": ["01001", "200000001"], "name": ["A", "E"]}
    )
    communes = pd.DataFrame({"epci": ["200000001", "200000002"], "ept": None}, index=["01001", "01002"])
    found = qg.join_programmes(qpv_of([["01001"], ["01001", "01002"]]), lists, communes=communes)
    assert pairs(found) == [
        ["QN00101M", "c", "01001", "commune"],
        ["QN00101M", "e", "200000001", "epci"],
        ["QN00102M", "c", "01001", "commune"],
        ["QN00102M", "e", "200000001", "epci"],
    ]
    # of a QPV in two communes the share is not known
    assert found["share"].isna().tolist() == [False, False, True, True]


def test_other_things_are_refused():
    qpv = qpv_of([["01001"]])
    refused(lambda: qg.join_programmes(qpv, 3), "policy.lists_kind", UsageError)
    refused(lambda: qg.join_programmes(qpv, {}, crosswalk=3), "policy.tables_unusable", UsageError)
    refused(lambda: qg.join_programmes(qpv, {}, grid=qpv), "policy.tables_unusable", UsageError)
    refused(lambda: qg.join_programmes(None))


def test_slivers_of_a_crosswalk_are_left_out():
    walk = pd.DataFrame(
        {
            "code_from": ["QP001001", "QP001002", "QP001003"],
            "code_to": ["QN00101M"] * 3,
            "from_share": [0.9, 0.001, 1.0],
            "to_share": [0.8, 0.002, 0.01],
        }
    )
    found = qg.join_programmes(qpv_of([["01001"]]), {"p": ["QP001001", "QP001002", "QP001003"]}, crosswalk=walk)
    # a small member that lies wholly inside is none
    assert found[["code", "share"]].to_numpy().tolist() == [["QP001001", 0.8], ["QP001003", 0.01]]
    assert found.attrs["qpvgeo"]["unplaced"] == {"p": ["QP001002"]}
    assert notes(found) == {"policy.slivers": 1}


def test_qpv_that_the_crosswalk_does_not_have_are_counted():
    walk = pd.DataFrame({"code_from": ["QP001001"], "code_to": ["QN00101M"], "from_share": [1.0], "to_share": [1.0]})
    found = qg.join_programmes(qpv_of([["01001"]] * 3), {"p": ["QP001001"]}, crosswalk=walk)
    assert notes(found) == {"policy.not_in_crosswalk": 2}


def test_tables_of_the_other_geography_are_refused():
    qpv = qpv_of([["01001"]])
    links = pd.DataFrame({"qpv_code": ["QP001001"], "commune": ["01001"], "area_share": [1.0]})
    error = refused(lambda: qg.join_programmes(qpv, links=links), "frames.geographies_differ", DataError)
    assert [note.values["name"] for note in error.problems] == ["qpv", "links"]
    walk = pd.DataFrame({"code_from": ["QP001001"], "code_to": ["QP001002"], "from_share": [1.0], "to_share": [1.0]})
    refused(lambda: qg.join_programmes(qpv, crosswalk=walk), "frames.geographies_differ", DataError)
    refused(lambda: qg.join_programmes(pd.concat([qpv, qpv_of([["01001"]], 2015)])), "frames.geographies_differ")


@pytest.mark.real
def test_the_448_quarters_hold_three_million_people(real_data):
    people = qg.read_population(real_data.parent / "reference" / "qpv2015_list.csv", year=2018)
    codes = qg.policy.programme_members("npnru")["code"]
    assert people["population"].reindex(codes).sum() == 3_001_194


def communes_named(text):
    """Communes of a published list, each arrondissement as it is numbered: `Marseille 14`."""
    city = ""
    for part in re.split(r",|\bet\b", text):
        found = re.match(r"\s*(Paris|Lyon|Marseille)?\s*(\d+)", part)
        city = (found and found[1]) or city
        if part.strip():
            yield f"{city} {found[2]}" if found else part.strip()


@pytest.mark.real
def test_the_communes_of_the_448_quarters_by_each_way_of_counting(real_data):
    listed = pd.read_csv(real_data.parent / "reference" / "qpv2015_list.csv", dtype="str").set_index("code_qp")
    texts = listed["commune_qp_as_published"].reindex(qg.policy.programme_members("npnru")["code"])
    by_commas = {(code[2:5], part.strip()) for code, text in texts.items() for part in text.split(",")}
    # a text such as "Marseille 14ème et 13ème arrondissements" is no commune
    assert len(by_commas) == 406
    assert len({(department, plain(text)) for department, text in by_commas}) == 405
    each = {(code[2:5], plain(name)) for code, text in texts.items() for name in communes_named(text)}
    assert len(each) == 403
    assert len({(department, re.sub(r" \d+$", "", name)) for department, name in each}) == 390
