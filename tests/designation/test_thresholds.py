"""Income thresholds: each side of every boundary of the decrees."""

import decimal
import math
import random
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.designation.thresholds import rules_of
from qpvgeo.errors import UsageError


@pytest.mark.parametrize(
    ("national", "local", "population", "threshold"),
    [
        # 0.6 x (0.7 x 20,000 + 0.3 x 20,000) = 12,000, a multiple of 100 that stays
        (20_000, 20_000, 50_000, 12_000),
        # one euro more of the local median: 12,000.18
        (20_000, 20_001, 50_000, 12_100),
        (20_000, 19_999, 50_000, 12_000),
        # 0.6 x 0.7 x 24,150 + 0.6 x 0.3 x 18,650 = 10,143 + 3,357 = 13,500, which binary floats push over the edge
        (24_150, 18_650, 50_000, 13_500),
        (Decimal("20000.00"), "20000.00", 50_000, None),
    ],
)
def test_rounding_up_to_the_next_hundred_is_exact(national, local, population, threshold):
    if threshold is None:
        refused(lambda: qg.income_threshold(national, local, population), "designation.no_threshold", UsageError)
    else:
        assert qg.income_threshold(national, local, population) == threshold


def by_hand(national, local, population):
    """The formula of article 4 in fractions, None for a unit that is too small."""
    if -(-population // 100) < 100:
        return None
    weights = (7, 3) if population < 5_000_000 else (3, 7)
    exact = Fraction(6, 1000) * (weights[0] * Fraction(str(national)) + weights[1] * Fraction(str(local))) / 10
    return math.ceil(exact) * 100


def test_any_amounts_give_the_formula_of_the_decree():
    rng = random.Random(1)
    sizes = [4_999_999, 5_000_000, 9_900, 9_901, 10_000]
    rows = [(rng.randrange(50, 600) * 50, round(rng.uniform(1, 60_000), rng.randrange(3)), rng.choice(sizes))
            for _ in range(3_000)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["national", "local", "population"], dtype="object")
    found = qg.income_threshold(table["national"], table["local"], table["population"])
    assert [None if one is pd.NA else one for one in found] == [by_hand(*row) for row in rows]


@pytest.mark.parametrize("digits", [3, 28])
def test_the_precision_of_decimals_that_the_caller_set_changes_nothing(digits):
    with decimal.localcontext(prec=digits):
        assert qg.income_threshold(20_000, 20_000, 9_901) == 12_000
        assert qg.income_threshold(Decimal("20000." + "0" * 40 + "1"), 20_000, 20_000) == 12_100


def test_weights_swap_from_five_million_inhabitants_on():
    # 0.6 x (0.7 x 20,000 + 0.3 x 25,000) = 12,900; swapped: 0.6 x (0.3 x 20,000 + 0.7 x 25,000) = 14,100
    assert qg.income_threshold(20_000, 25_000, 4_999_999) == 12_900
    assert qg.income_threshold(20_000, 25_000, 5_000_000) == 14_100


def test_the_population_is_rounded_up_to_the_next_hundred_before_it_is_tested():
    assert qg.income_threshold(20_000, 20_000, 9_901) == 12_000
    assert qg.income_threshold(20_000, 20_000, 9_900) is pd.NA


def test_martinique_and_la_reunion_take_the_median_of_the_department_and_communes_of_fifteen_thousand():
    # 0.6 x (0.3 x 20,000 + 0.7 x 14,000) = 9,480
    assert qg.income_threshold(20_000, 14_000, 15_000, regime="martinique-reunion-2014") == 9_500
    assert qg.income_threshold(20_000, 14_000, 14_999, regime="martinique-reunion-2014") is pd.NA


def test_columns_keep_their_index_and_what_is_missing():
    local = pd.Series([20_000, None, 25_000.0], index=["a", "b", "c"])
    population = pd.Series([9_901, 60_000, 5_000_000], index=local.index)
    found = qg.income_threshold(20_000, local, population, regime="2023")
    assert found.dtype == "Int64"
    assert found.isna().tolist() == [False, True, False]
    assert found.dropna().to_dict() == {"a": 12_000, "c": 14_100}


@pytest.mark.parametrize("value", [-1, float("inf"), "12000", True, [1, "x"]])
def test_values_that_are_not_amounts_are_refused(value):
    error = refused(lambda: qg.income_threshold(20_000, value, 50_000), "designation.no_threshold", UsageError)
    assert len(error.problems) == 1


def test_series_on_different_indexes_are_refused():
    local, population = pd.Series([1], index=["a"]), pd.Series([2], index=["b"])
    refused(lambda: qg.income_threshold(20_000, local, population), "designation.no_threshold", UsageError)


@pytest.mark.parametrize("name", ["973", "Guyane", "Guadeloupe", "976", "polynésie française", "Polynesie francaise"])
def test_other_regimes_are_refused_by_name_with_their_article(name):
    error = refused(lambda: rules_of(name), "designation.unknown_regime", UsageError)
    assert "art." in error.problems[0].values["article"]


def test_an_unknown_regime_lists_those_there_are():
    error = refused(lambda: rules_of("1996"), "designation.unknown_regime", UsageError)
    assert error.way_out.values["regimes"] == ["2014", "2023", "martinique-reunion-2014"]
