"""Lists in every form that they come in: the right answer, or one error that lists every fault."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from tests.builders import refused
from tests.policy.test_programmes import notes, pairs, qpv_of

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError

CODES = ["QN00101M", "QN00102M"]
FORMS = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "generator": iter,
    "numpy text": np.array,
    "numpy objects": lambda codes: np.array(codes, dtype=object),
    "index": pd.Index,
    "nullable": lambda codes: pd.array(codes, dtype="string"),
    "arrow": lambda codes: pd.Series(codes, dtype="string[pyarrow]"),
    "category": lambda codes: pd.Series(codes, dtype="category"),
    "spaces and case": lambda codes: [f" {code.lower()} " for code in codes],
    "separators": lambda codes: [f"{code[:2]}-{code[2:]}" for code in codes],
    "repeated": lambda codes: [*codes, *codes, codes[0].lower()],
}


@pytest.fixture
def qpv():
    return qpv_of([["01001"], ["01001", "01002"]])


@pytest.mark.parametrize("form", FORMS)
def test_codes_come_in_any_form(qpv, form):
    found = qg.join_programmes(qpv, {"ours": FORMS[form](CODES)})
    assert pairs(found) == [[code, "ours", code, "code"] for code in CODES]


def test_repairs_are_counted(qpv):
    assert notes(qg.join_programmes(qpv, {"ours": ["qn00101m", "QN00102M"]})) == {"policy.codes_repaired": 1}


@pytest.mark.parametrize(
    ("lists", "key"),
    [
        ({}, "policy.no_members"),
        ({"ours": []}, "policy.empty_lists"),
        ({"ours": np.array([])}, "policy.empty_lists"),
        ({"ours": gpd.GeoSeries([], crs=2154)}, "policy.empty_lists"),
        (pd.DataFrame({"programme": [], "unit": [], "code": []}), "policy.no_members"),
        (gpd.GeoDataFrame({"programme": []}, geometry=[], crs=2154), "policy.no_members"),
    ],
    ids=["no list", "empty list", "empty array", "empty layer", "empty frame", "empty layer with programmes"],
)
def test_lists_without_a_member_match_nothing_and_say_so(qpv, lists, key):
    found = qg.join_programmes(qpv, lists)
    assert found.empty
    assert list(notes(found)) == [key]
    assert found["share"].dtype == "Float64"


@pytest.mark.parametrize("backend", ["object", "numpy_nullable", "pyarrow", "category"])
def test_frames_come_in_any_dtype(qpv, backend):
    table = pd.DataFrame(
        {"programme": "p", "unit": ["commune", "qpv_2024", " QPV"], "code": ["01001", "QN00102M", "qn00101m"]}
    )
    table = table.astype(backend) if backend in ("object", "category") else table.convert_dtypes(dtype_backend=backend)
    assert pairs(qg.join_programmes(qpv, table)) == [
        ["QN00101M", "p", "01001", "commune"],
        ["QN00101M", "p", "QN00101M", "code"],
        ["QN00102M", "p", "01001", "commune"],
        ["QN00102M", "p", "QN00102M", "code"],
    ]


def test_numbers_of_a_spreadsheet_are_codes_again(qpv):
    table = pd.DataFrame({"programme": "p", "unit": ["commune", "epci"], "code": [1001.0, 200000001.0]})
    communes = pd.DataFrame({"epci": ["200000001"], "ept": None}, index=["01001"])
    found = qg.join_programmes(qpv, table, communes=communes)
    assert set(found["code"]) == {"01001", "200000001"}


def test_a_list_of_both_geographies_matches_each_by_its_own_way(qpv):
    walk = pd.DataFrame({"code_from": ["QP001001"], "code_to": ["QN00102M"], "from_share": [1.0], "to_share": [0.4]})
    found = qg.join_programmes(qpv, {"ours": ["QP001001", *CODES]}, crosswalk=walk)
    assert found[["qpv_code", "basis", "share"]].to_numpy().tolist() == [
        ["QN00101M", "code", 1.0],
        ["QN00102M", "code", 1.0],
        ["QN00102M", "crosswalk", 0.4],
    ]


def test_every_fault_of_a_list_is_told_at_once(qpv):
    lists = {"a": ["QN001", "01001", None, CODES[0]], "b": None, "c": 3, "d": pd.DataFrame({"x": [1]})}
    error = refused(lambda: qg.join_programmes(qpv, lists), "policy.lists_unusable", DataError)
    assert sorted(note.key for note in error.problems) == [
        *["policy.list_kind"] * 3,
        *["policy.not_a_qpv"] * 2,
        "policy.row_without_code",
    ]


def test_every_fault_of_a_frame_is_told_at_once(qpv):
    table = pd.DataFrame(
        {
            "programme": ["p", None, "p", "p", "p", "p"],
            "unit": ["qpv_2015", "commune", "street", "commune", "perimeter", "epci"],
            "code": ["QN00101M", "01001", "x", None, "z", "2000"],
        }
    )
    error = refused(lambda: qg.join_programmes(qpv, table), "policy.lists_unusable", DataError)
    assert sorted(note.key for note in error.problems) == [
        "policy.no_outline",
        "policy.no_programme",
        "policy.not_a_member",
        "policy.not_a_member",
        "policy.row_without_code",
        "policy.unknown_unit",
    ]


def test_missing_columns_and_other_things_are_refused(qpv):
    error = refused(lambda: qg.join_programmes(qpv, pd.DataFrame({"a": [1]})), "policy.lists_unusable", DataError)
    assert [note.values["column"] for note in error.problems] == ["programme", "unit", "code"]
    twice = pd.DataFrame([["p", "qpv", CODES[0], "x"]], columns=["programme", "unit", "code", "code"])
    refused(lambda: qg.join_programmes(qpv, twice), "frames.columns_repeated", DataError)
    for other in (CODES, CODES[0], pd.Series(CODES)):
        refused(lambda other=other: qg.join_programmes(qpv, other), "policy.lists_kind", UsageError)


def test_layers_without_a_projection_or_of_points_are_refused(qpv):
    layer = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=2154)
    refused(lambda: qg.join_programmes(qpv, layer), "policy.lists_unusable", DataError)
    refused(lambda: qg.join_programmes(qpv, {"p": layer.set_crs(None, allow_override=True)}), "frames.bad_layer")
    refused(lambda: qg.join_programmes(qpv, {"p": layer.set_geometry(layer.centroid)}), "frames.bad_layer")
