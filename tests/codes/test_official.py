"""Codes: what is recognised in both geographies, what is repaired and told, what is refused rather than guessed."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpvgeo import facts
from qpvgeo.codes.official import (
    ARRONDISSEMENTS,
    classify_qpv,
    clean,
    fold_arrondissement,
    require,
    split_list,
    vintage_of,
)
from qpvgeo.errors import DataError, UsageError

KINDS = ("qpv", "commune", "department", "region", "siren", "iris")
FORMS = {
    "qpv": r"QP([0-9]{3}|02[AB])[0-9]{3}|QN([0-9]{3}|02[AB])[0-9]{2}[NMIC]",
    "commune": r"[0-9]{5}|2[AB][0-9]{3}",
    "department": r"[0-9]{2,3}|2[AB]",
    "region": r"[0-9]{2,3}",
    "siren": r"[0-9]{9}",
    "iris": r"([0-9]{5}|2[AB][0-9]{3})[0-9]{4}",
}
# what spreadsheets, forms and copies make of codes
MESSY = st.one_of(
    st.from_regex(r"\A ?[Qq][PpNn]0?[0-9A-B]{1,3}[0-9]{1,3}[NMICnmic]?\Z"),
    st.from_regex(r"\A ?[0-9]{1,9}(\.0)? ?\Z"),
    st.from_regex(r"\A0?2[abAB][0-9]{0,3}\Z"),
    st.text(max_size=10),
)


def one(value, kind):
    """Code, repairs and problems of a single value."""
    cleaned = clean(pd.Series([value], dtype=object), kind)
    return cleaned.codes.iloc[0], cleaned.repairs["repair"].tolist(), cleaned.problems["value"].tolist()


@pytest.mark.parametrize(
    ("code", "vintage", "territory", "department", "number", "status"),
    [
        ("QP001001", 2015, "hexagone", "01", "001", None),
        ("QP02A001", 2015, "hexagone", "2A", "001", None),
        ("QP02B003", 2015, "hexagone", "2B", "003", None),
        ("QP974049", 2015, "974", "974", "049", None),
        ("QP978002", 2015, "978", "978", "002", None),
        ("QP987076", 2015, "987", "987", "076", None),
        ("QP099008", 2015, "99", "99", "008", None),
        ("QN07521N", 2024, "hexagone", "75", "21", "new"),
        ("QN07501M", 2024, "hexagone", "75", "01", "modified"),
        ("QN02A01I", 2024, "hexagone", "2A", "01", "unchanged"),
        ("QN97651C", 2024, "976", "976", "51", "whole commune"),
        ("QN98788N", 2024, "987", "987", "88", "new"),
    ],
)
def test_a_qpv_code_says_its_geography_place_and_status(code, vintage, territory, department, number, status):
    told = classify_qpv(pd.Series([code])).iloc[0]
    assert told["code"] == code
    assert told[["vintage", "territory", "department", "number"]].tolist() == [vintage, territory, department, number]
    assert told["status"] == status if status else pd.isna(told["status"])


@pytest.mark.parametrize(
    "text",
    [
        "QN075033",  # met on the web: a 2024 prefix before a 2015 number
        "QP07501M",
        "QN07501X",
        "QN07501",
        "QP0750011",
        "QP020001",  # Corsica has been 2A and 2B since 1976
        "QP096001",
        "QN99901N",
        "QP02C001",
        "QP075٠٠١",  # digits, but not those of a code
        "",
    ],
)
def test_what_only_looks_like_a_qpv_code_is_refused(text):
    assert vintage_of(text) is None


def test_frame_without_any_code_is_classified_as_unknown():
    told = classify_qpv(pd.Series(["QN075033", None], index=["a", "b"]))
    assert told.index.tolist() == ["a", "b"]
    assert told.isna().to_numpy().all()


def test_empty_column_is_classified_as_an_empty_frame():
    told = classify_qpv(pd.Series([], dtype="str"))
    assert told.shape == (0, 6)
    assert told["vintage"].dtype == "Int64"


@pytest.mark.parametrize(
    ("kind", "value", "code", "repair"),
    [
        ("qpv", "qp075001", "QP075001", "upper case"),
        ("qpv", " QP075 001 ", "QP075001", "spaces removed"),
        ("qpv", "QP2A001", "QP02A001", "zeros restored"),
        ("qpv", "QP1001", "QP001001", "zeros restored"),
        ("qpv", "QN7501M", "QN07501M", "zeros restored"),
        ("qpv", "qn2b01i", "QN02B01I", "upper case, zeros restored"),
        ("commune", "1053", "01053", "zeros restored"),
        ("commune", "1053.0", "01053", "decimals removed, zeros restored"),
        ("commune", 1053, "01053", "zeros restored"),
        ("commune", 59350.0, "59350", "decimals removed"),
        ("commune", "2a004", "2A004", "upper case"),
        ("commune", "59 350", "59350", "spaces removed"),
        ("commune", "59\u202f350", "59350", "spaces removed"),
        ("department", "1", "01", "zeros restored"),
        ("department", "001", "01", "short form"),
        ("department", "02A", "2A", "short form"),
        ("department", "2b", "2B", "upper case"),
        ("department", 6.0, "06", "decimals removed, zeros restored"),
        ("region", "84.0", "84", "decimals removed"),
        ("region", 84.0, "84", "decimals removed"),
        ("region", "6.0", "06", "decimals removed, zeros restored"),
        ("siren", "200 054 781", "200054781", "spaces removed"),
        ("siren", "200054781.0", "200054781", "decimals removed"),
        ("iris", "10530101", "010530101", "zeros restored"),
        ("iris", "2a0040101", "2A0040101", "upper case"),
        ("iris", "59350 0101", "593500101", "spaces removed"),
    ],
)
def test_repair_restores_the_code_and_says_how(kind, value, code, repair):
    assert one(value, kind) == (code, [repair], [])


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("qpv", "QP02A001"),
        ("qpv", "QN97651C"),
        ("commune", "2A004"),
        ("commune", "97411"),
        ("commune", "98735"),
        ("commune", "01053"),
        ("department", "2A"),
        ("department", "974"),
        ("department", "987"),
        ("region", "84"),
        ("region", "01"),
        ("siren", "200058097"),
        ("iris", "593500101"),
        ("iris", "2B0330000"),
    ],
)
def test_no_repair_is_reported_for_a_clean_code(kind, code):
    assert one(code, kind) == (code, [], [])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("commune", "2A4"),  # 2A004 or 2A040: not to be padded blindly
        ("commune", "A004"),
        ("commune", "153"),  # 00153 is nowhere, 01053 would be a guess
        ("commune", "20004"),  # department 20 has not existed since 1976
        ("commune", "96001"),
        ("commune", "7505٦"),
        ("commune", "Bondy"),
        ("department", "20"),
        ("department", "96"),
        ("department", "0"),
        ("region", "22"),  # Picardie, before 2016
        ("region", "31"),
        ("siren", "200054782"),
        ("siren", "20005478"),
        ("siren", "2000547810"),
        ("iris", "200040101"),
        ("iris", "5935001"),
        ("iris", "59350010A"),
        ("iris", "59350"),
        ("qpv", "QN075033"),
        ("qpv", "75001"),
    ],
)
def test_what_would_be_a_guess_is_a_problem_and_no_code(kind, value):
    code, repairs, problems = one(value, kind)
    assert pd.isna(code)
    assert repairs == []
    assert problems == [value]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value", [None, np.nan, pd.NA, "", "   ", "NA", "na", "nan", "None", "null", "<NA>", "ZZZZZZZZZ"]
)
def test_missing_marks_are_missing_and_no_problem(kind, value):
    code, repairs, problems = one(value, kind)
    assert pd.isna(code)
    assert repairs == problems == []


def test_numbers_with_gaps_are_codes_with_gaps():
    cleaned = clean(pd.Series([1053.0, np.nan, 97411.0]), "commune")
    assert cleaned.codes.isna().tolist() == [False, True, False]
    assert cleaned.codes.dropna().tolist() == ["01053", "97411"]


def test_repairs_and_problems_carry_the_row_label_and_the_value():
    given = pd.Series(["1053", "59350", "2A4", "1053"], index=["a", "b", "c", "d"])
    cleaned = clean(given, "commune")
    assert cleaned.repairs[["row", "value", "code"]].to_numpy().tolist() == [
        ["a", "1053", "01053"],
        ["d", "1053", "01053"],
    ]
    assert cleaned.problems[["row", "value"]].to_numpy().tolist() == [["c", "2A4"]]


def test_index_is_kept_even_when_its_labels_repeat():
    cleaned = clean(pd.Series(["1053", "x", None], index=[7, 7, 3], name="COG"), "commune")
    assert cleaned.codes.index.tolist() == [7, 7, 3]
    assert cleaned.codes.isna().tolist() == [False, True, True]
    assert cleaned.problems["row"].tolist() == [7]


def test_region_06_is_mayotte_and_department_06_the_alpes_maritimes():
    assert facts.names("regions")[one("6.0", "region")[0]] == "Mayotte"
    assert facts.names("departments")[one("6.0", "department")[0]] == "Alpes-Maritimes"


def test_unknown_kind_lists_the_kinds():
    with pytest.raises(UsageError, match="qpv, commune, department, region, siren, iris"):
        clean(pd.Series(["59350"]), "canton")


@pytest.mark.parametrize(
    ("cell", "kind", "found"),
    [
        ("02571, 02691", "commune", ["02571", "02691"]),
        ("02571,02691", "commune", ["02571", "02691"]),
        ("59350; 59512", "commune", ["59350", "59512"]),
        ("59350|59512/59009", "commune", ["59350", "59512", "59009"]),
        ("7737393051", "commune", ["77373", "93051"]),
        ("2A0042B033", "commune", ["2A004", "2B033"]),
        ("1053", "commune", ["01053"]),
        (1053.0, "commune", ["01053"]),
        ("59350, 59350", "commune", ["59350"]),
        ("59350, 2A4", "commune", ["59350"]),
        ("200058097; 200057875", "siren", ["200058097", "200057875"]),
        ("QP001001; QP001002", "qpv", ["QP001001", "QP001002"]),
        ("", "commune", []),
        (None, "commune", []),
        (np.nan, "commune", []),
        (pd.NA, "commune", []),
    ],
)
def test_cell_with_several_codes_is_split(cell, kind, found):
    assert split_list(cell, kind) == found


def test_codes_of_one_width_run_together_are_split():
    assert split_list("200058097200057875", "siren") == ["200058097", "200057875"]
    assert split_list("QP001001QP001002", "qpv") == ["QP001001", "QP001002"]
    assert split_list("5962", "department") == []


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("75101", "75056"),
        ("75120", "75056"),
        ("69381", "69123"),
        ("69389", "69123"),
        ("13201", "13055"),
        ("13216", "13055"),
    ],
)
def test_arrondissement_is_folded_into_its_commune(part, whole):
    assert fold_arrondissement(part) == whole


@pytest.mark.parametrize("code", ["75121", "75100", "69390", "69380", "13217", "13200", "75056", "69266", "59350"])
def test_neighbours_of_the_arrondissements_are_left_alone(code):
    assert fold_arrondissement(code) == code


def test_there_are_45_arrondissements():
    assert [len(parts) for parts in ARRONDISSEMENTS.values()] == [20, 9, 16]


def test_require_lists_every_row_without_a_code():
    given = pd.Series(["QP075001", "QN075033", None, "Total"], index=[2, 3, 4, 5])
    with pytest.raises(DataError, match=re.escape("list.csv, column qp: 3 of 4 rows")) as caught:
        require(given, "qpv", where="list.csv, column qp")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["row 3", "row 5", "row 4"]


def test_require_gives_the_repairs_when_all_rows_have_a_code():
    cleaned = require(pd.Series(["qp075001", "QP075002"]), "qpv", where="list")
    assert cleaned.codes.tolist() == ["QP075001", "QP075002"]
    assert len(cleaned.repairs) == 1


def test_every_ept_of_the_facts_is_a_siren():
    cleaned = clean(pd.Series(list(facts.names("epts"))), "siren")
    assert cleaned.codes.tolist() == list(facts.names("epts"))


@pytest.mark.parametrize("kind", ["department", "region"])
def test_every_code_of_the_official_geography_is_clean(kind):
    official = pd.Series(list(facts.names(f"{kind}s")))
    cleaned = clean(official, kind)
    assert cleaned.codes.tolist() == official.tolist()
    assert cleaned.repairs.empty


@given(position=st.integers(0, 8), shift=st.integers(1, 9), siren=st.sampled_from(sorted(facts.names("epts"))))
def test_siren_with_one_wrong_digit_is_refused(position, shift, siren):
    wrong = siren[:position] + str((int(siren[position]) + shift) % 10) + siren[position + 1 :]
    code, repairs, problems = one(wrong, "siren")
    assert pd.isna(code)
    assert (repairs, problems) == ([], [wrong])


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=60)
@given(values=st.lists(MESSY, max_size=8))
def test_clean_is_idempotent_and_its_codes_have_the_form_of_codes(kind, values):
    index = [f"row {k}" for k in reversed(range(len(values)))]
    cleaned = clean(pd.Series(values, index=index, dtype=object), kind)
    assert cleaned.codes.index.tolist() == index
    held = cleaned.codes.dropna()
    assert all(re.fullmatch(FORMS[kind], code) for code in held)
    again = clean(held, kind)
    assert again.codes.tolist() == held.tolist()
    assert again.repairs.empty
    assert again.problems.empty


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(values=st.lists(MESSY, max_size=8))
def test_every_value_is_a_code_a_problem_or_missing_and_only_one_of_them(kind, values):
    cleaned = clean(pd.Series(values, dtype=object), kind)
    coded = set(cleaned.codes.dropna().index)
    problems = set(cleaned.problems["row"])
    assert not coded & problems
    assert set(cleaned.repairs["row"]) <= coded
    assert len(cleaned.problems) == len(problems)


@given(parts=st.lists(st.sampled_from(["01053", "59350", "2A004", "97411", "93051"]), unique=True, max_size=4))
@pytest.mark.parametrize("separator", [", ", "; ", ",", " ", "|", ""])
def test_list_of_communes_survives_every_separator(separator, parts):
    assert split_list(separator.join(parts)) == parts


@pytest.mark.real
@pytest.mark.parametrize(("file", "rows", "vintage"), [("qpv2015_list", 1514, 2015), ("qpv2024_list", 1626, 2024)])
def test_every_code_of_the_published_lists_is_recognised_as_it_is(reference, file, rows, vintage):
    listed = pd.read_csv(reference / f"{file}.csv", dtype="str", keep_default_na=False)["code_qp"]
    cleaned = clean(listed, "qpv")
    assert len(listed) == rows
    assert cleaned.codes.tolist() == listed.tolist()
    assert cleaned.repairs.empty
    assert set(classify_qpv(listed)["vintage"]) == {vintage}


@pytest.mark.real
@pytest.mark.parametrize("file", ["qpv2015_list", "qpv2024_list"])
def test_department_of_the_code_is_that_of_the_published_list(reference, file):
    listed = pd.read_csv(reference / f"{file}.csv", dtype="str", keep_default_na=False)
    told = classify_qpv(listed["code_qp"])["department"]
    given = clean(listed["insee_dep"], "department").codes
    assert given.notna().all()
    assert told.tolist() == given.tolist()


@pytest.mark.real
def test_letters_of_the_2024_list_count_as_published(reference):
    listed = pd.read_csv(reference / "qpv2024_list.csv", dtype="str", keep_default_na=False)
    told = classify_qpv(listed["code_qp"])
    hexagone = told.loc[told["territory"] == "hexagone", "status"].value_counts().to_dict()
    assert hexagone == {"modified": 957, "unchanged": 294, "new": 111}
    assert told.loc[told["status"] == "whole commune", "territory"].value_counts().to_dict() == {"976": 17}


@pytest.mark.real
def test_lost_zeros_of_the_indicators_file_are_all_restored(real_data):
    table = pd.read_csv(real_data / "qpv2024" / "insee_indicateurs_qpv2024.csv", dtype="str", keep_default_na=False)
    communes = clean(table["COG"], "commune")
    regions = clean(table["insee_reg"], "region")
    assert len(table) == 1713
    assert communes.repairs["repair"].value_counts().to_dict() == {"zeros restored": 72}
    assert communes.problems.empty
    assert set(regions.codes) == set(facts.names("regions"))
