"""Every public function, given anything in the place of any argument: the right answer, or one clear error of ours.

A few misuses of each, drawn with a seed; `make fuzz` tries them all, and pairs of them.
"""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tests import misuses, sound_calls

TRIED = 5
GROUPS = 4


@pytest.fixture(autouse=True)
def _closed(monkeypatch):
    monkeypatch.setenv("QPVGEO_OFFLINE", "1")
    yield
    plt.close("all")


def drawn(name):
    """Misuses of a function, the same at every run."""
    every = list(misuses.misuses(name))
    rng = np.random.default_rng(sum(map(ord, name)))
    count = 1 if name.startswith("maps.") or name in ("datasets", "load") else TRIED
    return [every[at] for at in rng.permutation(len(every))[:count]]


@pytest.mark.parametrize("name", ["check", "coverage", "crosswalk", "estimate_population", "qpv_table", "tag_points"])
def test_the_good_arguments_are_good(name):
    function, arguments = sound_calls.calls()[name]
    assert misuses.outcome(function, arguments).kind == "answer"


@pytest.mark.parametrize("group", range(GROUPS))
def test_misuse_gets_an_answer_or_one_error_of_ours(group):
    for name in sorted(sound_calls.calls())[group::GROUPS]:
        function, arguments = sound_calls.calls()[name]
        for argument, misuse in drawn(name):
            changed = arguments | {argument: misuses.misused(arguments[argument], misuse, 1)}
            found = misuses.outcome(function, changed)
            assert found.kind != "foreign", (name, argument, misuse, found.value)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("check", "qpv"),
        ("convert", "values"),
        ("convert", "crosswalk"),
        ("coverage", "links"),
        ("coverage", "units"),
        ("crosswalk", "qpv_2024"),
        ("estimate_population", "qpv"),
        ("estimate_population", "grid"),
        ("join_communes", "qpv"),
        ("join_communes", "population"),
        ("overlap", "a"),
        ("summary", "qpv"),
        ("summary", "population"),
        ("tag_points", "points"),
        ("qpv_table", "links"),
    ],
)
def test_the_same_frame_in_other_types_gets_the_same_figures(name, argument):
    function, arguments = sound_calls.calls()[name]
    expected = misuses.numbers(function(**arguments))
    for same in misuses.SAME:
        changed = arguments | {argument: misuses.misused(arguments[argument], same, 1)}
        found = misuses.outcome(function, changed)
        assert found.kind != "foreign", (same, found.value)
        if found.kind == "answer":
            np.testing.assert_allclose(misuses.numbers(found.value), expected, rtol=1e-6, err_msg=same)


@pytest.mark.parametrize(
    ("name", "argument"),
    [("convert", "values"), ("coverage", "links"), ("join_communes", "population"), ("summary", "population")],
)
@pytest.mark.parametrize("stacked", ["stacked twice", "a row twice"])
def test_rows_stacked_twice_are_refused_and_never_counted_twice(name, argument, stacked):
    function, arguments = sound_calls.calls()[name]
    changed = arguments | {argument: misuses.misused(arguments[argument], stacked, 1)}
    assert misuses.outcome(function, changed).kind == "refused"
