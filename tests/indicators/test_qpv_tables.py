"""One row a QPV, and frames side by side."""

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.indicators.qpv_tables import QPV_TABLE_COLUMNS, qpv_table, side_by_side

QPV = pd.DataFrame({"name": ["A", "B"], "department": ["59", "62"]}, index=["QN05901N", "QN06201N"])
LINKS = pd.DataFrame(
    {
        "qpv_code": ["QN05901N", "QN05901N", "QN06201N"],
        "commune": ["59009", "59350", "62041"],
        "epci": ["200093201", "200093201", None],
        "department": ["59", "59", "62"],
        "population": [300.0, 700.0, 200.0],
    }
)
COMMUNES = pd.DataFrame(
    {"name": ["Lille", "Faches"], "population": [8_000, 2_000], "epci": ["200093201", "200093201"]},
    index=["59350", "59009"],
)


def test_a_row_worked_out_by_hand():
    found = qpv_table(QPV, LINKS, communes=COMMUNES)
    assert found.columns.tolist() == list(QPV_TABLE_COLUMNS)
    row = found.loc["QN05901N"]
    assert row[["name", "communes", "commune_names", "epci"]].tolist() == [
        "A",
        "59350, 59009",
        "Lille, Faches",
        "200093201",
    ]
    assert row[["population", "share_of_communes"]].tolist() == [1000, 0.1]
    assert pd.isna(found.loc["QN06201N", "share_of_communes"])


@pytest.mark.parametrize(
    ("place", "expected"),
    [("59", ["QN05901N"]), ("Lille", ["QN05901N"]), ("200093201", ["QN05901N"]), ("Hauts-de-France", list(QPV.index))],
)
def test_rows_of_a_place(place, expected):
    assert qpv_table(QPV, LINKS, communes=COMMUNES, place=place).index.tolist() == expected


def test_estimates_and_ancestors_are_joined():
    estimate = pd.DataFrame({"estimate": [900.0], "poverty_rate": [0.4]}, index=["QN05901N"])
    walk = pd.DataFrame(
        {"code_from": ["QP059001", "QP059002"], "code_to": ["QN05901N"] * 2, "change": ["reshaped", "merged"]}
    )
    found = qpv_table(QPV, LINKS, estimate=estimate, crosswalk=walk)
    assert found.loc["QN05901N", ["estimate", "related", "change"]].tolist() == [
        900.0,
        "QP059001, QP059002",
        "reshaped, merged",
    ]
    assert found.loc["QN06201N", ["estimate", "related"]].isna().all()


def test_frames_side_by_side_keep_what_one_of_them_lacks_missing():
    old = pd.DataFrame({"name": ["Nord"], "n_qpv": [2]}, index=pd.Index(["59"], name="department"))
    new = pd.DataFrame({"name": ["Nord", "Aisne"], "n_qpv": [3, 1]}, index=pd.Index(["59", "02"], name="department"))
    both = side_by_side({"2015": old, "2024": new})
    assert both.columns.tolist() == ["name", "n_qpv_2015", "n_qpv_2024"]
    assert pd.isna(both.loc["02", "n_qpv_2015"])
    refused(lambda: side_by_side({"a": old, "b": old.rename_axis("region")}), "indicators.side_level", UsageError)


WRONG = [None, "qpv.geojson", 2024, [1, 2]]
CALLS = {
    "summary": qg.summary,
    "coverage": qg.coverage,
    "join_communes": lambda wrong: qg.join_communes(wrong, COMMUNES),
    "qpv_table": lambda wrong: qpv_table(wrong, LINKS),
    "qpv_table links": lambda wrong: qpv_table(QPV, wrong),
    "side_by_side": side_by_side,
    "compare": lambda wrong: qg.indicators.compare(wrong, wrong, indicator="population", years=(2013, 2018)),
}


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_frame_is_refused_at_the_door(call, wrong):
    refused(lambda: CALLS[call](wrong), kind=UsageError)
