"""Breaks of series: which of them a comparison crosses, and that it says so."""

import warnings

import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.indicators.series import SeriesBreakWarning, compare, series_breaks


@pytest.mark.parametrize(
    ("indicator", "years", "territory", "expected"),
    [
        ("income", (2012, 2015), None, []),
        ("income", (2015, 2016), None, [2015]),
        ("income", (2016, 2015), None, [2015]),
        ("income", (2017, 2019), None, [2017, 2018, 2018]),
        ("income", (2019, 2021), None, []),
        ("income", (2020, 2024), "hexagone", [2021, 2023]),
        ("income", (2020, 2024), "974", [2021]),
        ("population", (2013, 2018), "hexagone", []),
        ("population", (2012, 2017), ["hexagone", "976"], [2012]),
        ("population", (2023, 2026), "974", [2024]),
        ("population", (2023, 2026), "976", [2024, 2025]),
        ("grid", (2015, 2019), None, [2017]),
        ("grid", (2019, 2021), None, []),
        (None, (2023, 2024), "hexagone", [2023]),
    ],
)
def test_breaks_between_two_years(indicator, years, territory, expected):
    assert series_breaks(indicator, years=years, territory=territory)["last_year"].tolist() == expected


def test_every_break_has_a_source_and_one_year_after_the_other():
    table = series_breaks()
    assert table["source"].notna().all()
    assert (table["last_year"] < table["first_year"]).all()
    assert table["last_year"].is_monotonic_increasing


@pytest.mark.parametrize("wrong", [{"indicator": "rent"}, {"years": (2015,)}, {"years": 3}, {"territory": "75"}])
def test_question_that_is_none_is_refused(wrong):
    with pytest.raises(UsageError):
        series_breaks(**wrong)


def test_comparison_across_a_break_warns_of_it_and_keeps_the_words():
    old, new = (pd.Series({"QP001001": value, "QP001002": other}) for value, other in ((0.30, 0.0), (0.33, 0.1)))
    with pytest.warns(SeriesBreakWarning, match="break between 2018 and 2019") as caught:
        found = compare(old, new, indicator="income", years=(2018, 2020))
    assert len(caught) == 2
    assert found.attrs["qpvgeo"]["breaks"] == [str(one.message) for one in caught]
    assert found["difference"].tolist() == pytest.approx([0.03, 0.1])
    assert found["ratio"].isna().tolist() == [False, True]


def test_comparison_within_a_series_is_silent():
    old, new = pd.Series({"QP001001": 10}), pd.Series({"QP001001": 11, "QP001002": 5})
    found = compare(old, new, indicator="income", years=(2019, 2021))
    assert found["after"].tolist() == [11, 5]
    assert found["difference"].isna().tolist() == [False, True]
    assert found.attrs["qpvgeo"]["breaks"] == []


def test_break_of_a_territory_that_the_codes_are_not_of_is_not_crossed():
    one = pd.Series({"QP001001": 10})
    assert compare(one, one, indicator="population", years=(2012, 2017)).attrs["qpvgeo"]["breaks"] == []
    with pytest.warns(SeriesBreakWarning, match="976: Mayotte had no yearly census"):
        compare(pd.Series({"QP976001": 1}), pd.Series({"QP976001": 2}), indicator="population", years=(2012, 2017))


def test_two_geographies_are_no_comparison():
    with pytest.raises(DataError, match=r"to two geographies[\s\S]*qpvgeo.convert"):
        compare(pd.Series({"QP001001": 1}), pd.Series({"QN00101M": 1}), indicator="population", years=(2018, 2020))


def test_what_was_moved_from_another_geography_is_told():
    sample = qg.sample()
    walk = qg.crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    old, new = qg.read_population(sample.population_2015), qg.read_population(sample.population_2024)
    moved = qg.convert(old["population"], walk)
    with pytest.warns(SeriesBreakWarning, match="`before` was moved from another geography"):
        found = compare(moved, new, indicator="population", years=(2013, 2020))
    assert found.loc["QN09902I", "ratio"] > 0


def test_frames_of_populations_say_their_years():
    sample = qg.sample()
    people = qg.read_population(sample.population_2024)
    found = compare(people, people, indicator="population")
    assert found.attrs["qpvgeo"]["years"] == [2020, 2020]
    with pytest.raises(UsageError, match="years compared are missing"):
        compare(people["population"], people["population"], indicator="population")


def test_codes_that_repeat_are_listed():
    with pytest.raises(DataError, match="Codes are repeated in `before`"):
        compare(pd.Series([1, 2], index=["a", "a"]), pd.Series([1]), indicator="population", years=(2013, 2018))


def test_consecutive_years_of_incomes_are_cautioned_against():
    one = pd.Series({"QP001001": 1.0})
    with pytest.warns(SeriesBreakWarning, match="advises against comparing consecutive years"):
        compare(one, one, indicator="income", years=(2019, 2020))


def test_codes_of_two_geographies_are_listed():
    mixed = pd.Series({"QP001001": 1.0, "QN00101M": 2.0})
    with pytest.raises(DataError) as caught:
        compare(mixed, mixed, indicator="population", years=(2018, 2020))
    assert caught.value.problems == ("of 2015: QP001001", "of 2024: QN00101M")


def test_values_that_are_no_numbers_are_refused():
    text = pd.Series({"QP001001": "many"})
    with pytest.raises(DataError, match="holds no numbers"):
        compare(text, text, indicator="population", years=(2013, 2018))


def test_what_was_counted_here_is_not_taken_for_moved():
    counts = pd.Series({"QP001001": 1.0})
    counts.attrs["qpvgeo"] = {"basis": "computed"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare(counts, counts, indicator="population", years=(2013, 2018))
