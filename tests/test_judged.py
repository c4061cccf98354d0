"""The door of the public functions."""

from typing import Literal

import numpy as np
import pandas as pd
import pytest
from tests.builders import refused

from qpvgeo.errors import DataError, UsageError, judged


@judged
def answer(
    frame: pd.DataFrame,
    side: float = 1.0,
    *,
    unit: Literal["m", "km"] = "m",
    names: list[str] | None = None,  # noqa: ARG001
) -> float:
    """Sum of a column, in a unit."""
    return float(frame["x"].sum()) * float(side) / {"m": 1, "km": 1000}[unit]


FRAME = pd.DataFrame({"x": [1.0, 2.0]}, index=["a", "b"])


@pytest.mark.parametrize("side", [2, 2.0, np.float32(2), np.array(2.0), np.int64(2)])
def test_numbers_of_any_make_are_numbers(side):
    assert answer(FRAME, side) == 6


def test_kinds_are_judged_together():
    error = refused(lambda: answer(FRAME, "two", unit=3, names=7), "frames.wrong_kinds", UsageError)
    assert [problem.values["name"] for problem in error.problems] == ["side", "unit", "names"]
    assert error.problems[1].values["takes"] == ["'m'", "'km'"]


@pytest.mark.parametrize("side", [FRAME, FRAME["x"], [1.0], np.zeros((2, 2)), None, len])
def test_what_is_no_number(side):
    refused(lambda: answer(FRAME, side), "frames.wrong_kinds", UsageError)


def test_what_fails_inside_names_the_cause_and_what_is_odd():
    stacked = pd.concat([FRAME, FRAME]).assign(x="many")
    error = refused(lambda: answer(stacked), "frames.cannot_answer", DataError)
    assert isinstance(error.__cause__, ValueError)
    assert [problem.key for problem in error.problems] == ["frames.odd_labels_twice", "frames.odd_columns"]


def test_a_call_without_an_argument_is_that_of_python():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        answer()
