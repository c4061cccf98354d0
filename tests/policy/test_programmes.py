"""Programmes: lists that are held, and the QPV that they reach, by hand and on published files."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
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


def test_unknown_units_and_other_things_are_refused():
    qpv = qpv_of([["01001"]])
    refused(lambda: qg.join_programmes(qpv, {"x": ["01001"]}), "policy.unknown_units", DataError)
    refused(lambda: qg.join_programmes(qpv, 3), "policy.lists_kind", UsageError)
    refused(lambda: qg.join_programmes(qpv, pd.DataFrame({"a": [1]})), "policy.lists_columns", DataError)
    refused(lambda: qg.join_programmes(qpv, {}, crosswalk=3), "policy.tables_unusable", UsageError)
    refused(lambda: qg.join_programmes(None))


@pytest.mark.real
def test_the_448_quarters_hold_three_million_people(real_data):
    people = qg.read_population(real_data.parent / "reference" / "qpv2015_list.csv", year=2018)
    codes = qg.policy.programme_members("npnru")["code"]
    assert people["population"].reindex(codes).sum() == 3_001_194
