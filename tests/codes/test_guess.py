"""Guesses: what a column holds, what fits equally well, what does not fit and how it is likely to be repaired."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.codes.guess import guess_codes
from qpvgeo.errors import DataError, UsageError

READINGS = {"qpv 2015", "qpv 2024", "commune", "iris", "epci", "ept", "siren", "department", "region"}
EPTS = list(facts.names("epts"))
REGIONS = list(facts.names("regions"))
# the check digits of EPCI and of communes are those of their own SIREN
EPCI = ["200071751", "240100883", "200042935", "200054781", "246200364", "245901160"]
COMMUNE_SIREN = ["210100012", "210100020", "217500016", "213100225", "213400120", "216901231"]
YEARS = {2018: ["01053", "14011", "59350", "75056"], 2024: ["01053", "14062", "59350", "75056"]}
MESSY = st.one_of(
    st.sampled_from(
        [*REGIONS, *EPCI, "QP075001", "QN07501M", "75101", "2A004", "NA", "", "59350, 59512", "7737393051"]
    ),
    st.from_regex(r"\A[0-9]{1,10}(\.0)?\Z"),
    st.text(max_size=8),
    st.none(),
)


def guess(values, **lists):
    """Guess of a list of values."""
    return guess_codes(pd.Series(values), **lists)


def years(lists=YEARS):
    """Lists of communes by year."""
    return {year: pd.Index(listed) for year, listed in lists.items()}


@pytest.mark.parametrize(
    ("values", "best"),
    [
        (["QP075001", "QP02A001", "QP974049"], "qpv 2015"),
        (["QN07501M", "QN02A01I", "QN97651C"], "qpv 2024"),
        (["01053", "2A004", "2B033", "97411", "75101"], "commune"),
        (["010530101", "2A0040101", "751010101"], "iris"),
        (EPCI, "epci"),
        (EPTS, "ept"),
        (COMMUNE_SIREN, "siren"),
        (["01", "2A", "59", "974"], "department"),
        (["59"], "department"),
        (REGIONS, "region"),
    ],
)
def test_clean_column_is_read_as_what_it_is(values, best):
    told = guess(values)
    assert (told.best, told.tied) == (best, ())
    assert told.readings.index[0] == best
    assert told.readings.loc[best, ["share", "exact_share"]].tolist() == [1, 1]
    assert told.readings.loc[best, "n_codes"] == len(values)
    assert told.misfits.empty


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ([1053, 59350, 97411], "commune"),
        ([1053.0, np.nan, 59350.0], "commune"),
        ([84.0, 11.0, 32.0, 93.0, 6.0, 44.0, np.nan], "region"),
        ([1, 59, 93], "department"),
        ([200071751, 240100883, 200042935], "epci"),
        ([10530101, 593500101], "iris"),
        (pd.Series([1053, None, 59350], dtype="Int64"), "commune"),
        (pd.Series(["01", "59", "01"], dtype="category"), "department"),
        (pd.Series([1053, "59350", 97411.0], dtype=object), "commune"),
    ],
)
def test_numbers_and_other_types_are_read_as_text_with_lost_zeros(values, best):
    told = guess(values)
    assert (told.best, told.readings.loc[best, "share"]) == (best, 1)


@pytest.mark.parametrize(
    ("filler", "value", "code", "repair"),
    [
        ("QP075002", "qp075001", "QP075001", "upper case"),
        ("QP075002", "QP 075 001 ", "QP075001", "spaces removed"),
        ("QP075002", "QP2A001", "QP02A001", "zeros restored"),
        ("QP075002", "QP075001; QP075003", "QP075001, QP075003", "list"),
        ("59350", "1053", "01053", "zeros restored"),
        ("59350", "1053.0", "01053", "decimals removed, zeros restored"),
        ("59350", "2a004", "2A004", "upper case"),
        ("59350", "02571, 02691", "02571, 02691", "list"),
        ("59350", "59350,59512", "59350, 59512", "list"),
        ("59350", "2571; 02691", "02571, 02691", "list, zeros restored"),
        ("59350", "7737393051", "77373, 93051", "list without separator"),
        ("59350", "7737393051.0", "77373, 93051", "list without separator, decimals removed"),
        ("59350", "2A0042B033", "2A004, 2B033", "list without separator"),
        ("59350", "2a0042b033", "2A004, 2B033", "list without separator, upper case"),
        ("59350", "7737393051, 59512", "77373, 93051, 59512", "list, list without separator"),
        ("59350", "59350, 59350", "59350", "list"),
        ("593500101", "2a0040101", "2A0040101", "upper case"),
        ("593500101", "10530101", "010530101", "zeros restored"),
        ("593500101", "59350 0102", "593500102", "spaces removed"),
        ("200071751", "240 100 883", "240100883", "spaces removed"),
        ("200071751", "200042190; 245901160", "200042190, 245901160", "list"),
        ("59", "1", "01", "zeros restored"),
        ("59", "02A", "2A", "short form"),
        ("59", "6.0", "06", "decimals removed, zeros restored"),
        ("59", "59;62", "59, 62", "list"),
    ],
)
def test_likely_repair_is_given_and_said(filler, value, code, repair):
    told = guess([filler, filler, value])
    assert told.best is not None
    assert told.misfits[["row", "value", "code", "repair"]].to_numpy().tolist() == [[2, value, code, repair]]
    assert told.misfits["looks_like"].isna().all()
    assert told.readings.loc[told.best, ["count", "exact"]].tolist() == [3, 2]
    assert told.readings.loc[told.best, "lists"] == ("list" in repair)


@pytest.mark.parametrize(
    ("values", "looks"),
    [
        (["QN07501M", "QN07502M", "QP075001"], "qpv 2015"),
        (["QN07501M", "QN07502M", "QN075033"], None),
        (["59350", "59512", "59"], "department"),
        (["59350", "59512", "Lille"], None),
        (["59350", "59512", "2A4"], None),
        (["59350", "59512", "59350, Lille"], None),
        ([*EPCI, EPTS[0]], "ept"),
        ([*EPCI, COMMUNE_SIREN[0]], "siren, iris"),
        ([*EPCI, f"{EPTS[0]}, {EPCI[0]}"], "siren"),
        ([*EPCI, "200071752"], None),
        (["593500101", "593500102", "QP075001"], "qpv 2015"),
    ],
)
def test_what_has_no_repair_looks_like_something_else_or_like_nothing(values, looks):
    told = guess(values)
    misfit = told.misfits.iloc[0]
    assert len(told.misfits) == 1
    assert (misfit["row"], misfit["value"]) == (len(values) - 1, values[-1])
    assert pd.isna(misfit["code"])
    assert pd.isna(misfit["repair"])
    assert misfit["looks_like"] == looks if looks else pd.isna(misfit["looks_like"])


@pytest.mark.parametrize(
    ("values", "tied"),
    [
        (["06"], {"department", "region"}),
        (["75", "93", "94"], {"department", "region"}),
        ([84.0, 93.0], {"department", "region"}),
        (["240100883"], {"iris", "epci"}),
        (["210100012", "210100020"], {"iris", "siren"}),
    ],
)
def test_what_fits_equally_well_is_said_and_not_chosen_from(values, tied):
    told = guess(values)
    assert told.best is None
    assert set(told.tied) == tied
    assert list(told.tied) == told.readings.index[: len(tied)].tolist()
    assert any("fit equally well" in note for note in told.notes)


def test_misfits_of_equals_are_told_for_each():
    told = guess(["6", "93"])
    assert told.misfits[["reading", "value", "code"]].to_numpy().tolist() == [
        ["department", "6", "06"],
        ["region", "6", "06"],
    ]


@pytest.mark.parametrize(("n", "best"), [(5, None), (6, "region"), (18, "region")])
def test_regions_are_told_from_departments_by_six_codes(n, best):
    told = guess(REGIONS[:n] * 3)
    assert told.best == best
    assert any("too often for chance" in note for note in told.notes) == (best is not None)


def test_one_former_region_does_not_make_departments_of_a_column_of_regions():
    told = guess([*REGIONS, "22"])
    assert told.best == "region"
    assert told.misfits[["value", "looks_like"]].to_numpy().tolist() == [["22", "department"]]
    assert told.readings.loc["department", "share"] == 1


@pytest.mark.parametrize(
    ("values", "tied"),
    [
        (["971", "972", "973", "974", "976"], ()),
        (["975", "977", "978", "986", "987", "988"], ("department", "region")),
        (["975", "977", "978", "984", "987", "01", "02", "03"], ("department", "region")),
    ],
)
def test_codes_overseas_do_not_make_regions_of_departments(values, tied):
    told = guess(values)
    assert told.best == (None if tied else "department")
    assert told.tied == tied


def test_every_department_together_is_no_column_of_regions():
    assert guess(list(facts.names("departments"))).best == "department"


def test_siren_with_a_typing_error_are_not_iris():
    values = [*COMMUNE_SIREN * 5, "210100013"]
    told = guess(values)
    assert told.best == "siren"
    assert told.readings.loc["iris", "share"] == 1
    assert told.misfits["looks_like"].tolist() == ["iris"]


def test_iris_of_the_dordogne_are_not_epci():
    told = guess([f"24322{number:04d}" for number in range(101, 120)])
    assert told.best == "iris"
    assert told.readings.loc["epci", "share"] < 0.5


def test_nothing_fits_more_than_half():
    told = guess(["QP075001", "QN07501M"])
    assert (told.best, told.tied) == (None, ())
    assert told.readings["share"].max() == 0.5
    assert told.misfits[["reading", "value", "looks_like"]].to_numpy().tolist() == [
        ["qpv 2015", "QN07501M", "qpv 2024"],
        ["qpv 2024", "QP075001", "qpv 2015"],
    ]
    (note,) = told.notes
    assert note.key == "codes.nothing_fits_best"
    assert [(one.values["reading"], one.values["share"]) for one in note.values["best"]] == [
        ("qpv 2015", 0.5),
        ("qpv 2024", 0.5),
    ]


def test_mixture_has_its_repairs():
    told = guess(["qp075001", "QP75002", "QN07501M", "QN07502M"])
    repairs = told.misfits.dropna(subset="repair")
    assert repairs[["value", "code"]].to_numpy().tolist() == [["qp075001", "QP075001"], ["QP75002", "QP075002"]]


def test_column_without_a_value_is_told():
    told = guess([None, ""])
    assert (told.best, told.missing, told.notes) == (None, 2, ("Every cell is missing.",))
    assert list(told.misfits.columns) == ["row", "reading", "value", "code", "repair", "looks_like"]


def test_codes_of_qpv_run_together_are_a_list():
    told = guess(["QP075001", "QP075002QP075003"])
    assert told.misfits[["code", "repair"]].to_numpy().tolist() == [["QP075002, QP075003", "list without separator"]]


def test_missing_cells_are_counted_and_are_no_misfits():
    told = guess(["59350", None, np.nan, "", "  ", "NA", "nan", "ZZZZZZZZZ", pd.NA])
    assert told.missing == 8
    assert told.readings.loc["commune", ["count", "share"]].tolist() == [1, 1]
    assert told.misfits.empty


@pytest.mark.parametrize(
    "values", [[], [None, None], ["NA", ""], pd.Series([np.nan, np.nan]), pd.Series(dtype="Int64")]
)
def test_column_without_values_holds_nothing_and_has_no_shares(values):
    told = guess_codes(pd.Series(values, dtype="str") if isinstance(values, list) else values)
    assert (told.best, told.tied, told.missing) == (None, (), len(values))
    assert set(told.readings.index) == READINGS
    assert told.readings[["share", "exact_share"]].isna().to_numpy().all()
    assert told.readings["count"].eq(0).all()
    assert told.misfits.empty


@pytest.mark.parametrize(
    ("values", "share"),
    [
        (["46,52", "12,75", "59,62"], 0),  # French percentages
        (["1634,9999", "2053,1004"], 0),
        (["12.5", "46.5"], 0),
        (["12/03/2024", "01/02/2023"], 0),
        (["Bourg-en-Bresse", "Lyon"], 0),
        (["1" * 50_000 + "x", "1" * 50_001], 0),
    ],
)
def test_numbers_and_words_are_no_lists_of_codes(values, share):
    assert guess(values).readings["share"].max() == share


def test_populations_are_not_taken_for_communes():
    told = guess(["6399", "2339", "1750", "5167", "3089", "11047"])
    assert told.best is None
    assert told.readings.loc["commune", "share"] == 1
    assert "look like plain numbers" in told.notes[-1]


def test_communes_of_one_department_may_all_lack_their_zero_and_it_is_said():
    told = guess(["1053", "1004", "1283"])
    assert told.best == "commune"
    assert any("zeros are restored" in note for note in told.notes)


def test_reading_by_form_alone_is_said():
    assert any("judged by form alone" in note for note in guess(["75001", "75002"]).notes)
    (note,) = guess(["75056"], communes=years()).notes
    assert (note.key, note.values["readings"]) == ("codes.fit_equally", ["commune 2024", "commune 2018"])


def test_year_that_holds_most_codes_wins():
    told = guess(["01053", "14062", "59350", "99999"], communes=years())
    assert told.best == "commune 2024"
    assert told.readings.loc[["commune 2024", "commune 2018", "commune"], "count"].tolist() == [3, 2, 4]
    assert told.misfits[["value", "looks_like"]].to_numpy().tolist() == [["99999", "commune"]]


def test_code_of_another_year_is_told():
    told = guess(["01053", "14062", "14062", "14011"], communes=years())
    assert told.misfits[["value", "looks_like"]].to_numpy().tolist() == [["14011", "commune 2018"]]


def test_years_that_fit_equally_are_all_named():
    told = guess(["01053", "59350"], communes=years(YEARS | {2010: ["59350"]}))
    assert told.best is None
    assert told.tied == ("commune 2024", "commune 2018")


def test_year_whose_whole_list_is_there_is_preferred_to_one_that_has_more():
    lists = years({2024: ["01053", "59350", "59512"], 2025: ["01053", "59350"]})
    assert guess(["01053", "59350"], communes=lists).best == "commune 2025"
    same = lists | {2026: lists[2025]}
    assert guess(["01053", "59350"], communes=same).tied == ("commune 2026", "commune 2025")


def test_form_of_a_commune_does_not_win_against_the_lists():
    told = guess(["75001", "75002", "75056"], communes=years())
    assert (told.best, told.tied) == (None, ())
    assert "no list given" in told.notes[-1]


def test_arrondissement_is_repaired_to_the_commune_of_the_list():
    told = guess(["59350", "01053", "75101", "75101, 59350"], communes=years())
    assert told.readings.loc["commune 2024", ["count", "exact", "lists", "n_codes"]].tolist() == [4, 2, 1, 3]
    told = guess(["59350", "14062", "75101", "75101, 59350"], communes=years())
    assert told.misfits[["code", "repair"]].to_numpy().tolist() == [
        ["75056", "arrondissement"],
        ["75056, 59350", "list, arrondissement"],
    ]
    kept = guess(["75101", "14062"], communes=years({2024: ["75101", "14062"]}))
    assert kept.readings.loc["commune 2024", "exact_share"] == 1


def test_iris_are_judged_by_the_lists_of_communes():
    values = ["593500101", "751010101", "140110000", "140620000", "010540101"]
    told = guess(values, communes=years())
    assert told.readings.loc["iris", ["count", "basis"]].tolist() == [4, "list given"]
    assert told.misfits["value"].tolist() == ["010540101"]


def test_epci_are_judged_by_the_list_given():
    told = guess(EPCI, epci=pd.Index(EPCI[:4]))
    assert told.best == "epci"
    assert told.readings.loc["epci", ["count", "list_share", "basis"]].tolist() == [4, 1.0, "list given"]
    assert told.misfits["looks_like"].str.contains("siren").all()


@pytest.mark.parametrize(
    "listed",
    [
        pd.Index(YEARS[2024]),
        pd.Series(YEARS[2024]),
        pd.Series([1053, 14062, 59350, 75056]),
        pd.DataFrame({"name": "x"}, index=pd.Index(YEARS[2024], name="code")),
        pd.DataFrame({"code": YEARS[2024], "name": "x"}),
    ],
)
def test_list_of_communes_may_take_any_form(listed):
    told = guess(YEARS[2024], communes={2024: listed})
    assert told.readings.loc["commune 2024", ["share", "list_share"]].tolist() == [1, 1]


def test_list_that_holds_no_codes_is_refused_with_all_its_problems():
    lists = {2018: pd.Index(["01053", "Lyon"]), 2024: pd.Index([], dtype="str"), 2025: pd.DataFrame({"nom": ["Bondy"]})}
    with pytest.raises(DataError, match="codes and nothing else") as caught:
        guess(["59350"], communes=lists, epci=pd.Index(["200071752"]))
    told = caught.value.problems
    assert [problem.split(": ")[0] for problem in told] == ["communes 2018", "communes 2024", "communes 2025", "epci"]
    assert "'Lyon' is not the code of a commune" in told[0]


@pytest.mark.parametrize("communes", [pd.Index(["59350"]), pd.DataFrame({"code": ["59350"]}), {"new": pd.Index(["1"])}])
def test_lists_that_are_not_given_by_year_are_refused(communes):
    with pytest.raises(UsageError, match="by year of the COG"):
        guess(["59350"], communes=communes)


@pytest.mark.parametrize("values", [["59350"], pd.DataFrame({"code": ["59350"]}), "59350"])
def test_what_is_not_a_column_is_refused(values):
    with pytest.raises(UsageError, match="is not a column"):
        guess_codes(values)


def test_misfits_carry_the_labels_of_the_rows_even_when_they_repeat():
    given = pd.Series(["1053", "59350", "1053", "x"], index=["a", "b", "a", "c"])
    assert guess_codes(given).misfits["row"].tolist() == ["a", "a", "c"]
    levels = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1), ("b", 2)])
    assert guess_codes(given.set_axis(levels)).misfits["row"].tolist() == [("a", 1), ("b", 1), ("b", 2)]


def test_cells_count_as_often_as_they_stand():
    told = guess(["QP075001"] * 999_999 + ["QN07501M"])
    assert told.readings.loc["qpv 2015", "count"] == 999_999
    assert told.misfits["row"].tolist() == [999_999]


def test_sample_is_read_as_what_it_is():
    communes = qg.read_communes(qg.sample().communes_table)
    epci = qg.read_epci(qg.sample().epci_table)
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    assert guess_codes(qpv.index.to_series()).best == "qpv 2024"
    assert guess_codes(communes.index.to_series(), communes={2024: communes}).best == "commune 2024"
    assert guess_codes(communes["epci"], epci=epci).best == "epci"


@settings(deadline=None, max_examples=60)
@given(values=st.lists(MESSY, max_size=8), order=st.randoms(use_true_random=False))
def test_order_of_the_rows_changes_nothing(values, order):
    shuffled = list(enumerate(values))
    order.shuffle(shuffled)
    moved = pd.Series([value for _, value in shuffled], index=[row for row, _ in shuffled], dtype=object)
    one, other = guess_codes(pd.Series(values, dtype=object)), guess_codes(moved)
    assert (one.best, one.tied, one.missing, one.notes) == (other.best, other.tied, other.missing, other.notes)
    pd.testing.assert_frame_equal(one.readings, other.readings)
    keys = ["reading", "row"]
    pd.testing.assert_frame_equal(
        one.misfits.sort_values(keys, ignore_index=True), other.misfits.sort_values(keys, ignore_index=True)
    )


@settings(deadline=None, max_examples=60)
@given(values=st.lists(MESSY, max_size=8))
def test_counts_shares_and_misfits_add_up(values):
    told = guess_codes(pd.Series(values, dtype=object), communes=years())
    frame, held = told.readings, len(values) - told.missing
    assert ((frame["exact"] <= frame["count"]) & (frame["count"] <= held)).all()
    if held:
        assert frame[["share", "exact_share"]].apply(lambda share: share.between(0, 1)).to_numpy().all()
        assert (frame["share"] == frame["count"] / held).all()
    for name in [told.best] if told.best else told.tied:
        mine = told.misfits[told.misfits["reading"] == name]
        assert len(mine) == held - frame.loc[name, "exact"]
        assert mine["code"].notna().sum() == frame.loc[name, "count"] - frame.loc[name, "exact"]
        assert frame.loc[name, "share"] > 0.5
    assert told.best is None or told.tied == ()


@settings(deadline=None, max_examples=40)
@given(
    data=st.data(),
    vintage=st.sampled_from([2015, 2024]),
    departments=st.lists(st.sampled_from(sorted(facts.names("departments"))), min_size=1, max_size=20),
)
def test_codes_of_one_vintage_are_read_as_such(data, vintage, departments):
    numbers = data.draw(st.lists(st.integers(1, 99), min_size=len(departments), max_size=len(departments)))
    letters = data.draw(st.lists(st.sampled_from("NMI"), min_size=len(departments), max_size=len(departments)))
    values = [
        f"QP{department.zfill(3)}{number:03d}" if vintage == 2015 else f"QN{department.zfill(3)}{number:02d}{letter}"
        for department, number, letter in zip(departments, numbers, letters, strict=True)
    ]
    told = guess(values)
    assert told.best == f"qpv {vintage}"
    assert told.readings.loc[told.best, ["share", "exact_share"]].tolist() == [1, 1]
    assert told.readings.loc[told.best, "n_codes"] == len(set(values))
