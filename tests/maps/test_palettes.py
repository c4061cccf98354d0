"""Colours: apart for those who do not see red or green, apart in grey, for as many classes as a map may have."""

import re
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE

from qpvgeo.maps import palettes
from qpvgeo.maps.classification import SCHEMES, classed
from qpvgeo.maps.palettes import BANDS, CHANGES, RELIABILITY, TAGS, sequential

LEAST = 10.0
"""Distance in CAM02-UCS between neighbouring classes: about 2 is the least that side by side can be told apart."""

LEAST_LIGHTNESS = 10.0
LEAST_GREY = 6.0
"""Least difference in lightness of kinds, most of which differ in hatching or marker too."""

SIGHT = (None, "deuteranomaly", "protanomaly")


def seen(colours, sight):
    rgb = np.array([mpl.colors.to_rgb(colour) for colour in colours])
    if sight is None:
        return rgb
    space = {"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100}
    return np.clip(cspace_convert(rgb, space, "sRGB1"), 0, 1)


def lightness(colours):
    return cspace_convert(seen(colours, None), "sRGB1", "CAM02-UCS")[:, 0]


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("count", range(2, 8))
def test_neighbouring_classes_are_apart(count, sight):
    rgb = seen(sequential(count), sight)
    assert min(deltaE(one, other, input_space="sRGB1") for one, other in pairwise(rgb)) > LEAST


@pytest.mark.parametrize("count", range(2, 8))
def test_ordered_classes_are_ordered_in_grey(count):
    assert (np.diff(lightness(sequential(count))) < -LEAST_LIGHTNESS).all()


KINDS = {
    "changes": list(CHANGES.values()),
    "tags": [TAGS["in"], *BANDS, TAGS["out"], TAGS["unknown"]],
    "reliability": list(RELIABILITY.values()),
}


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colours", KINDS.values(), ids=KINDS)
def test_kinds_are_apart_from_each_other(colours, sight):
    rgb = seen(colours, sight)
    pairs = [(one, other) for row, one in enumerate(rgb) for other in rgb[:row]]
    assert min(deltaE(one, other, input_space="sRGB1") for one, other in pairs) > LEAST


@pytest.mark.parametrize("colours", KINDS.values(), ids=KINDS)
def test_kinds_differ_in_grey_or_by_hatch_and_marker(colours):
    steps = np.diff(np.sort(lightness(colours)))
    assert (steps > LEAST_GREY).all()


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("count", range(1, 8))
def test_units_without_a_qpv_are_apart_from_classes_and_from_what_is_not_known(count, sight):
    colours = [*sequential(count), palettes.MISSING]
    assert min(np.abs(lightness(colours) - lightness([palettes.NONE]))) > LEAST_GREY
    (none,) = seen([palettes.NONE], sight)
    # white has a hatch that tells it apart as well
    assert min(deltaE(one, none, input_space="sRGB1") for one in seen(colours[:-1], sight)) > LEAST


@pytest.mark.parametrize("sight", SIGHT)
def test_perimeter_or_its_casing_is_seen_over_every_class(sight):
    line, casing = seen([palettes.PERIMETER, palettes.CASING], sight)
    for colour in seen([*sequential(7), *CHANGES.values()], sight):
        assert max(deltaE(colour, one, input_space="sRGB1") for one in (line, casing)) > 3 * LEAST
    assert deltaE(line, casing, input_space="sRGB1") > 3 * LEAST


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_every_number_stands_in_the_class_whose_bounds_hold_it(scheme, count):
    values = np.r_[np.random.default_rng(4).gamma(2, 100, 300).round(), np.nan]
    found = classed(values, scheme=scheme, count=count)
    assert len(found.colours) == len(found.labels) == len(found.bounds) - 1
    assert (found.of == -1).tolist() == [False] * 300 + [True]
    for value, of in zip(values[:-1], found.of[:-1], strict=True):
        assert found.bounds[of] <= value <= found.bounds[of + 1]
    assert set(found.of[:-1]) <= set(range(len(found.colours)))


def test_numbers_that_are_all_the_same_are_one_class():
    assert classed([3, 3, 3]).labels == ("3",)
    assert classed([None, np.nan]).labels == ()


def test_labels_are_written_in_the_language():
    assert classed([0.011, 0.5], count=1, kind="share", lang="fr").labels == ("1,1\u202f% à 50,0\u202f%",)
    assert classed([1_000, 2_500], count=1, lang="en").labels == ("1,000 to 2,500",)


@pytest.mark.parametrize(
    ("values", "options", "labels"),
    [
        ([1, 2], {}, ("1", "2")),
        ([1, 2, 3, 3, 4, 41], {"count": 3}, ("1", "2 to 3", "4 to 41")),
        ([1, 2, 3, 3, 4, 41], {"count": 3, "scheme": "quantiles"}, ("1 to 2", "3", "4 to 41")),
        (
            [0, 0.00005, 0.0001],
            {"count": 2, "kind": "decimal", "scheme": "equal"},
            ("0.00000 to 0.00005", "over 0.00005 to 0.00010"),
        ),
        ([0.003, 0.15], {"count": 1, "kind": "decimal"}, ("0.003 to 0.150",)),
        ([0.0004, 0.0005], {"count": 1, "kind": "share"}, ("0.04% to 0.05%",)),
        ([-2.0, 2.0], {"count": 1, "kind": "decimal"}, ("−2.00 to 2.00",)),
    ],
)
def test_labels_tell_classes_from_each_other_and_from_zero(values, options, labels):
    assert classed(values, **options).labels == labels


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("seed", range(4))
def test_no_whole_number_stands_in_two_labels(scheme, seed):
    values = np.random.default_rng(seed).geometric(0.4, 200)
    found = classed(values, scheme=scheme, count=4)
    ends = [[int(part) for part in label.split(" to ")] for label in found.labels]
    assert all(one[-1] < other[0] for one, other in pairwise(ends))
    for value, of in zip(values, found.of, strict=True):
        assert ends[of][0] <= value <= ends[of][-1]


def test_round_limits_are_in_one_class_each_and_hold_all_that_there_is():
    values = [0.012, 0.034, 0.048, 0.05, 0.071, 0.093, 0.1, 0.18, 0.33, 0.42]
    found = classed(values, count=4, kind="share")
    assert all((100 * limit).is_integer() for limit in found.bounds[1:-1].round(9).tolist())
    limits = found.bounds[1:-1]
    assert [int(of) for of in found.of] == [int((limits <= value + 1e-12).sum()) for value in values]
    assert sorted(set(found.of.tolist())) == list(range(len(found.labels)))


@pytest.mark.parametrize("seed", range(6))
def test_round_limits_are_written_in_full(seed):
    values = np.random.default_rng(seed).beta(1, 12, 300)
    found = classed(values, count=5, kind="share")
    assert len(found.labels) == 5
    written_limits = [float(part) / 100 for label in found.labels[:-1] for part in re.findall(r"([\d.]+)%", label)[-1:]]
    assert written_limits == pytest.approx(found.bounds[1:-1].tolist(), abs=1e-12)
