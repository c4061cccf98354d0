"""Intervals of figures that were rounded, hidden or perturbed: by hand, as properties, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused

from qpvgeo.errors import DataError, UsageError
from qpvgeo.published.intervals import Noise, intervals, noise_law, ratio_intervals, sum_intervals, with_intervals

CELL_KEY = Noise(deviation=5, variance=4.0)


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_a_rounded_value_is_within_half_of_a_step():
    found = intervals(pd.Series([7.9]), Noise(rounding=0.1))
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([7.85, 7.95])


def test_a_hidden_count_lies_between_nothing_and_the_threshold():
    found = intervals(pd.Series([None, 40.0]), Noise(hidden_below=11))
    assert found["low"].tolist() == [0, 40]
    assert found["high"].tolist() == [10, 40]
    assert found["value"].isna().tolist() == [True, False]


def test_a_missing_value_that_is_not_hidden_has_no_bounds():
    assert intervals(pd.Series([None, 1.0]), Noise(rounding=1)).loc[0, ["low", "high"]].isna().all()


def test_a_perturbation_is_not_in_the_bounds_called_unperturbed():
    found = intervals(pd.Series([120.0]), Noise(rounding=10, deviation=5)).loc[0]
    assert found[["unperturbed_low", "unperturbed_high", "low", "high"]].tolist() == [115, 125, 110, 130]


def test_a_mean_is_refused_as_a_share_and_bounded_where_it_is_stated():
    table = pd.DataFrame({"unit": ["a", "a", "b"], "people": [995, 1005, 1], "qpv": [1, 1, 1]})
    noises, ratios = {"people": Noise(deviation=5), "qpv": Noise()}, {"mean": ("people", "qpv")}
    error = refused(lambda: with_intervals(table, noises, ratios=ratios, by="unit"), "published.no_shares", DataError)
    assert "a" in error.say("en")
    found = with_intervals(table, noises, ratios=ratios, by="unit", share=False)
    assert found.loc["a", ["mean_low", "mean", "mean_high"]].tolist() == [995, 1000, 1005]


def test_a_share_that_noise_carried_above_one_is_at_most_one():
    found = ratio_intervals(intervals(pd.Series([102.0]), Noise(deviation=5)), intervals(pd.Series([100.0]), Noise()))
    assert found.loc[0, ["low", "high"]].tolist() == [0.97, 1]


def test_sums_of_sure_bounds_add_up_and_a_missing_part_leaves_them_missing():
    parts = intervals(pd.Series([100.0, 200.0, None]), Noise(rounding=10, hidden_below=11))
    total = sum_intervals(parts).loc["total"]
    assert total[["low", "high"]].tolist() == [290, 320]
    assert pd.isna(total["value"])
    assert (
        sum_intervals(intervals(pd.Series([1.0, None]), Noise(rounding=1))).loc["total", ["low", "high"]].isna().all()
    )


def test_without_a_variance_perturbations_add_up_to_their_greatest():
    parts = intervals(pd.Series([100.0] * 4), Noise(deviation=5))
    assert sum_intervals(parts).loc["total", ["low", "high"]].tolist() == [380, 420]


def test_the_law_has_the_mean_and_the_variance_that_are_asked():
    law, steps = noise_law(5, 4.0), np.arange(-5, 6)
    assert law.sum() == pytest.approx(1)
    assert (law * steps).sum() == pytest.approx(0, abs=1e-12)
    assert (law * steps**2).sum() == pytest.approx(4)


def test_the_reach_of_one_count_is_that_of_its_law():
    # 6 x^4 = 1 for x = P(1) / P(0), so P(|k| <= 1) = (1 + 2 x) / (1 + 2 x + 2 x^4) = 0.8723
    noise = Noise(deviation=2, variance=1.0)
    assert intervals(pd.Series([50.0]), noise, level=0.87)["high"].tolist() == [51]
    assert intervals(pd.Series([50.0]), noise, level=0.88)["high"].tolist() == [52]


def test_a_ratio_is_the_least_over_the_greatest():
    top, bottom = (intervals(pd.Series([value]), Noise(rounding=2)) for value in (10.0, 100.0))
    assert ratio_intervals(top, bottom).iloc[0].tolist() == pytest.approx([0.1, 9 / 101, 11 / 99])


def test_a_share_stays_between_0_and_1_and_is_missing_over_what_can_be_nothing():
    top, bottom = (intervals(pd.Series([value, 1.0]), CELL_KEY) for value in (99.0, 100.0))
    found = ratio_intervals(top, bottom)
    assert found.loc[0, "high"] == 1
    assert found.loc[1, ["low", "high"]].isna().all()


def test_a_table_of_indicators_carries_them():
    table = pd.DataFrame({"young": [30, None], "people": [120, 80]}, index=["QN09901M", "QN09902I"])
    found = with_intervals(
        table,
        {"young": Noise(rounding=1, hidden_below=11), "people": Noise(rounding=1)},
        ratios={"share": ("young", "people")},
    )
    assert found.index.equals(table.index)
    assert found["young_high"].tolist() == [30.5, 10]
    assert found.loc["QN09901M", "share"] == 0.25
    assert found.loc["QN09902I", "share_high"] == pytest.approx(10 / 79.5)


@pytest.mark.parametrize(
    "noise",
    [{"rounding": -1}, {"hidden_below": 0}, {"deviation": 1.5}, {"deviation": 2, "variance": 9}, {"variance": 1}],
)
def test_noises_that_are_not_possible_are_refused(noise):
    refused(lambda: Noise(**noise), "published.bad_noise", UsageError)


def test_other_frames_levels_and_columns_are_refused():
    parts = intervals(pd.Series([1.0]), CELL_KEY)
    refused(lambda: sum_intervals(pd.DataFrame({"value": [1]})), "published.no_intervals", DataError)
    refused(lambda: intervals(pd.Series([1.0]), CELL_KEY, level=95), "published.bad_level", UsageError)
    refused(lambda: intervals(pd.Series(["many"]), CELL_KEY), "published.not_numbers", DataError)
    refused(lambda: ratio_intervals(parts, parts.set_axis(["b"])), "published.other_index", DataError)
    refused(lambda: with_intervals(pd.DataFrame({"a": [1]}), {"b": CELL_KEY}), "published.no_noise_columns", UsageError)


# --- properties ------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    st.sampled_from(
        [Noise(rounding=10), Noise(hidden_below=11), CELL_KEY, Noise(rounding=5, deviation=3, variance=2.0)]
    ),
)
def test_low_is_never_above_the_value_nor_the_value_above_high(values, noise):
    parts = intervals(pd.Series(values), noise)
    total = sum_intervals(parts)
    for frame in (parts, total):
        assert (frame["low"] <= frame["value"] + 1e-6).all()
        assert (frame["value"] <= frame["high"] + 1e-6).all()
    assert total.loc["total", "high"] <= parts["high"].sum() + 1e-6


# --- by simulation ---------------------------------------------------------------------------------------------------


def _simulated(rng, truth, noise):
    """Counts as they would be published: perturbed, then hidden, then rounded."""
    law = noise_law(noise.deviation, noise.variance)
    steps = np.arange(-noise.deviation, noise.deviation + 1)
    seen = (truth + rng.choice(steps, size=truth.shape, p=law)).astype(float)
    if noise.hidden_below is not None:
        seen[truth < noise.hidden_below] = np.nan
    return np.round(seen / noise.rounding) * noise.rounding if noise.rounding else seen


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("parts", [1, 4, 30])
def test_sums_of_perturbed_counts_are_covered_at_the_stated_rate(level, parts):
    rng = np.random.default_rng(20)
    truth = rng.integers(50, 500, size=(4000, parts))
    frame = intervals(pd.Series(_simulated(rng, truth, CELL_KEY).ravel()), CELL_KEY, level=level)
    found = sum_intervals(frame, np.repeat(np.arange(4000), parts))
    total = truth.sum(axis=1)
    covered = ((found["low"] <= total) & (total <= found["high"])).mean()
    assert covered >= level - 0.015
    if parts == 30:  # the noise of a sum has many values: the rate is nearly met, not exceeded
        assert covered <= level + 0.03


def test_sums_of_counts_protected_in_three_ways_are_covered():
    rng = np.random.default_rng(21)
    noise = Noise(rounding=5, hidden_below=11, deviation=5, variance=4.0)
    truth = rng.integers(0, 60, size=(3000, 10))
    frame = intervals(pd.Series(_simulated(rng, truth, noise).ravel()), noise)
    found = sum_intervals(frame, np.repeat(np.arange(3000), 10))
    total = truth.sum(axis=1)
    assert ((found["low"] <= total) & (total <= found["high"])).mean() >= 0.95


def test_ratios_of_perturbed_counts_are_covered():
    rng = np.random.default_rng(22)
    people = rng.integers(200, 3000, size=4000)
    young = rng.binomial(people, 0.4)
    top, bottom = (intervals(pd.Series(_simulated(rng, truth, CELL_KEY)), CELL_KEY) for truth in (young, people))
    found = ratio_intervals(top, bottom)
    truth = young / people
    assert ((found["low"] <= truth) & (truth <= found["high"])).mean() >= 0.95
