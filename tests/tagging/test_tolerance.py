"""Tolerances: the forms they come in, what is too coarse, and how many."""

import numpy as np
import pandas as pd
import pytest

from qpvgeo.errors import DataError, UsageError
from qpvgeo.tagging.tolerance import BAN_MIN_SCORE, tolerance_of

TABLE = pd.DataFrame({"off": ["5", "5,5", " 7 ", "", "far", "-1", "3000"]})


def test_column_of_text_is_read_with_decimal_commas():
    found = tolerance_of(TABLE, "off", TABLE.index)
    assert found.metres.tolist() == [5, 5.5, 7, np.inf, np.inf, np.inf, 3000]
    assert (found.no_distance, found.coarse, found.widest) == (3, 3, 7.0)


def test_what_lies_beyond_a_reach_is_too_coarse_and_counted_apart():
    metres, beyond = tolerance_of(TABLE, "off", TABLE.index).within(6.0)
    assert metres.tolist() == [5, 5.5, *[np.inf] * 5]
    assert beyond == 2


@pytest.mark.parametrize(
    "given",
    [[1, 2.5], (1, 2.5), np.array([1, 2.5]), pd.array([1, 2.5], dtype="Float64"), ["1", "2,5"]],
    ids=["list", "tuple", "array", "extension array", "text"],
)
def test_one_for_each_point_comes_in_several_forms(given):
    assert tolerance_of(None, given, pd.RangeIndex(2)).metres.tolist() == [1, 2.5]


def test_masked_value_is_no_distance():
    found = tolerance_of(None, np.ma.array([1.0, 2.0], mask=[0, 1]), pd.RangeIndex(2))
    assert (found.metres.tolist(), found.no_distance) == ([1, np.inf], 1)


def test_number_is_for_all_points():
    assert tolerance_of(None, np.float32(2), pd.RangeIndex(9)).metres.ndim == 0


def test_ban_counts_what_is_too_coarse_as_no_fault_of_a_tolerance():
    table = pd.DataFrame({"type": ["housenumber", "street", "housenumber"], "score": [0.9, 0.9, None]})
    found = tolerance_of(table, "ban", table.index)
    assert found.metres.tolist() == [0, np.inf, np.inf]
    assert (found.no_distance, found.within(500)[1]) == (0, 0)


@pytest.mark.parametrize("given", ["off", "ban"])
def test_two_columns_of_one_name_are_refused(given):
    table = pd.DataFrame([[1, 2]], columns=["off", "off"] if given == "off" else ["type", "type"])
    with pytest.raises(DataError, match="several columns of the same name"):
        tolerance_of(table, given, table.index)


def test_column_of_points_that_are_no_table_is_refused():
    with pytest.raises(UsageError, match="names a column, and the points have none"):
        tolerance_of(([1.0], [2.0]), "off", pd.RangeIndex(1))


@pytest.mark.parametrize(("given", "key"), [([[1.0, 2.0]], "table"), ([1.0, 2.0, 3.0], "count")])
def test_tolerances_that_are_not_one_for_each_point_are_refused(given, key):
    with pytest.raises(UsageError) as error:
        tolerance_of(None, given, pd.RangeIndex(2))
    assert error.value.key == f"tagging.tolerances_{key}"


def test_a_score_of_exactly_a_half_is_good_enough():
    table = pd.DataFrame({"type": ["housenumber"] * 3, "score": [BAN_MIN_SCORE, "0,5", 0.499]})
    assert tolerance_of(table, "ban", table.index).metres.tolist() == [0.0, 0.0, np.inf]
