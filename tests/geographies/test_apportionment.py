"""Tables moved along a passage: cases by hand, nothing lost, and what cannot be moved."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused

from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.apportionment import QuantileWarning, apportion


def passage(*rows):
    """Rows of from, to, share and weight."""
    return pd.DataFrame(list(rows), columns=["code_from", "code_to", "share", "weight"])


TWO_TO_TWO = passage(
    ("a", "x", 0.6, 6.0), ("a", "y", 0.3, 3.0), ("a", None, 0.1, 1.0), ("b", "y", 1.0, 5.0), (None, "y", None, 2.0)
)


def column(table, name="value"):
    return table[name].astype(object).where(table[name].notna(), None).to_dict()


def test_count_is_shared_out_and_what_goes_nowhere_is_told():
    moved = apportion(pd.Series({"a": 100, "b": 50}, name="people"), TWO_TO_TWO, kind="count")
    assert column(moved.table, "people") == {"x": 60, "y": 80}
    assert moved.unplaced.to_numpy().tolist() == [["a", "people", pytest.approx(10), 0.1]]


def test_share_of_a_unit_that_comes_from_units_before_stands_beside():
    moved = apportion(pd.Series({"a": 100, "b": 50}), TWO_TO_TWO, kind="count")
    assert column(moved.table, "covered_share") == {"x": 1.0, "y": 0.8}


def test_rate_takes_its_denominator_along():
    rates, of = pd.Series({"a": 0.5, "b": 0.1}), pd.Series({"a": 100, "b": 50})
    moved = apportion(rates, TWO_TO_TWO, kind="rate", denominators=of)
    assert column(moved.table) == {"x": 0.5, "y": pytest.approx((30 * 0.5 + 50 * 0.1) / 80)}
    # what goes nowhere is told in the unit of the denominator
    assert moved.unplaced["value"].tolist() == [pytest.approx(10)]


def test_rate_of_nobody_is_missing():
    moved = apportion(
        pd.Series({"a": 0.5, "b": 0.1}), TWO_TO_TWO, kind="rate", denominators=pd.Series({"a": 0, "b": 5})
    )
    assert column(moved.table) == {"x": None, "y": pytest.approx(0.1)}


def test_category_is_that_of_most_of_the_weight_and_a_tie_is_none():
    parts = passage(("a", "x", 1.0, 3.0), ("b", "x", 0.5, 4.0), ("b", "y", 0.5, 4.0), ("c", "y", 1.0, 4.0))
    moved = apportion(pd.Series({"a": "red", "b": "blue", "c": "red"}), parts, kind="category")
    assert column(moved.table) == {"x": "blue", "y": None}
    same = apportion(pd.Series({"a": "red", "b": "red", "c": "red"}), parts, kind="category")
    assert column(same.table) == {"x": "red", "y": "red"}


def test_unit_of_which_most_is_not_known_has_no_category():
    parts = passage(("a", "x", 1.0, 3.0), ("b", "x", 1.0, 4.0))
    assert column(apportion(pd.Series({"a": "red"}), parts, kind="category").table) == {"x": None}


@pytest.mark.parametrize("kind", ["count", "rate"])
def test_value_that_a_missing_one_is_part_of_is_missing(kind):
    values = pd.Series({"a": 100.0, "b": np.nan})
    moved = apportion(values, TWO_TO_TWO, kind=kind, denominators=pd.Series({"a": 2, "b": 3}))
    assert column(moved.table) == {"x": 60 if kind == "count" else 100, "y": None}


def test_unit_that_the_table_leaves_out_counts_as_missing():
    assert column(apportion(pd.Series({"a": 100}), TWO_TO_TWO, kind="count").table) == {"x": 60, "y": None}


def test_unit_whose_division_is_not_known_gives_nothing_but_missing_values():
    parts = passage(("a", "x", np.nan, np.nan), ("a", "y", np.nan, np.nan), ("b", "y", 1.0, 1.0))
    assert column(apportion(pd.Series({"a": 1, "b": 2}), parts, kind="count").table) == {"x": None, "y": None}


def test_unit_to_which_nothing_comes_is_missing_and_not_zero():
    parts = passage(("a", "x", 1.0, 1.0), (None, "z", None, 1.0))
    moved = apportion(pd.Series({"a": 7}), parts, kind="count")
    assert column(moved.table) == {"x": 7, "z": None}
    assert column(moved.table, "covered_share") == {"x": 1.0, "z": 0.0}


def test_columns_of_a_frame_are_moved_alike():
    table = pd.DataFrame({"people": [100, 50], "homes": [40, 20]}, index=["a", "b"])
    moved = apportion(table, TWO_TO_TWO, kind="count")
    assert moved.table.columns.tolist() == ["people", "homes", "covered_share"]
    assert column(moved.table, "homes") == {"x": 24, "y": 32}
    assert moved.unplaced["column"].tolist() == ["people", "homes"]


@pytest.mark.parametrize("kind", ["median", "mean", "gini"])
def test_kind_that_does_not_add_up_is_refused_with_the_reason(kind):
    with pytest.raises(UsageError, match="cannot be apportioned"):
        apportion(pd.Series({"a": 1}), TWO_TO_TWO, kind=kind)


@pytest.mark.parametrize(
    "name",
    """DISP_MED_A21,disp_q2_a17,revenu_median,DISP_D9_A21,mediane,GINI,gi,Revenu médian,Médiane du niveau de vie,
    niveau-de-vie-median,medianIncome,NVMED,1er décile,D1 (€),indice de Gini,percentile_10,p50,DISP_RD_A21,
    rapport interdécile,niveau_vie_medien""".replace("\n    ", "").split(","),
)
def test_name_of_a_quantile_gives_a_warning_and_a_note(name):
    with pytest.warns(QuantileWarning):
        found = apportion(pd.Series({"a": 1}, name=name), TWO_TO_TWO, kind="count")
    assert [note.key for note in found.notes] == ["geographies.named_as_quantile"]
    assert found.notes[0].values == {"columns": [name]}


@pytest.mark.parametrize(
    "name", ["population", "medecins", "log_soc", "ind_0_3", "dipl", "men_prop", "DISP_TP60_A21", "P21_POP", "médecins"]
)
def test_name_that_only_resembles_one_gives_none(name):
    assert apportion(pd.Series({"a": 1}, name=name), TWO_TO_TWO, kind="count").notes == []


def test_all_that_is_wrong_is_listed_at_once():
    table = pd.DataFrame({"people": ["many", "few", "none"], "covered_share": [1, 1, 1]}, index=["a", "a", "q"])
    with pytest.raises(DataError) as caught:
        apportion(table, TWO_TO_TWO, kind="count")
    assert [problem.key for problem in caught.value.problems] == [
        "frames.several_rows",
        "geographies.not_in_passage",
        "geographies.reserved_column",
        "geographies.not_numbers",
    ]


def test_rate_needs_a_denominator_of_each_value():
    refused(lambda: apportion(pd.Series({"a": 1}), TWO_TO_TWO, kind="rate"), "geographies.no_denominators", UsageError)
    with pytest.raises(DataError) as caught:
        apportion(pd.Series({"a": 1.0, "b": 2.0}), TWO_TO_TWO, kind="rate", denominators=pd.Series({"a": -1}))
    assert [(problem.key, problem.values["label"]) for problem in caught.value.problems] == [
        ("geographies.negative_denominator", "a"),
        ("geographies.missing_denominator", "b"),
    ]


def test_kind_that_there_is_not_names_those_there_are():
    refused(lambda: apportion(pd.Series({"a": 1}), TWO_TO_TWO, kind="sum"), "geographies.no_such_kind", UsageError)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_moved_and_what_is_left_over_add_up_to_the_table(data):
    chance = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    rows = []
    for unit in "abcdef":
        shares = chance.dirichlet(np.ones(chance.integers(1, 5)))
        to = chance.choice([*"uvwxyz", None], len(shares), replace=False)
        rows += [(unit, other, share, share * 10) for other, share in zip(to, shares, strict=True)]
    parts = passage(*rows)
    table = pd.Series(chance.integers(0, 1_000_000, 6).astype(float), index=list("abcdef"), name="people")
    moved = apportion(table, parts, kind="count")
    assert moved.table["people"].sum() + moved.unplaced["value"].sum() == pytest.approx(table.sum(), abs=1e-6)
    order = chance.permutation(len(parts))
    again = apportion(table.sample(frac=1, random_state=1), parts.iloc[order], kind="count")
    assert again.table["people"].reindex(moved.table.index).tolist() == pytest.approx(
        moved.table["people"].tolist(), rel=1e-12
    )
