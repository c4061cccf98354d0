"""Communes that perimeters name themselves."""

import pandas as pd
import pytest

from qpvgeo.indicators.named_communes import communes_of, qpv_in_commune_named

NAMED = pd.DataFrame(
    {
        "department": ["93", "93", "974"],
        "commune_names": [["Saint-Denis", "Stains"], None, ["Saint-Denis"]],
    },
    index=["QP093001", "QP093002", "QP974026"],
)


def test_names_of_communes_are_those_of_qpv_that_lie_in_one():
    qpv = pd.DataFrame({"communes": [["93066", "93072"], ["93066"], None], "lib_com": ["A, B", "Saint-Denis", "C"]})
    assert communes_of(qpv)["name"].to_dict() == {"93066": "Saint-Denis", "93072": "93072"}


def test_no_list_is_no_commune():
    assert communes_of(NAMED) is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("stains", {"93": {"QP093001"}}),
        ("SAINT DENIS", {"93": {"QP093001"}, "974": {"QP974026"}}),
        ("Saint-Denis (974)", {"974": {"QP974026"}}),
        ("Denis", {}),
    ],
)
def test_a_name_is_looked_for_in_each_department(name, found):
    assert qpv_in_commune_named(NAMED, name) == found


def test_a_column_of_one_name_is_a_list_of_one():
    qpv = pd.DataFrame({"department": ["974"], "commune": ["Saint-Pierre"]}, index=["QP974014"])
    assert qpv_in_commune_named(qpv, "Saint-Pierre") == {"974": {"QP974014"}}
