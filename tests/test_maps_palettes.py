"""Colours: apart for those who do not see red or green, apart in grey, for as many classes as a map may have."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE

from qpvgeo.maps import palettes
from qpvgeo.maps.classes import classed
from qpvgeo.maps.palettes import BANDS, CHANGES, RELIABILITY, TAGS, sequential

LEAST = 10.0
"""Distance in CAM02-UCS between neighbouring classes: about 2 is the least that side by side can be told apart."""

LEAST_LIGHTNESS = 10.0
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
    "tags": [TAGS["in"], *BANDS[:2], TAGS["out"], TAGS["unknown"]],
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
    assert (steps > 6).all()


def test_perimeter_is_seen_over_every_class():
    for colour in (*sequential(7), *CHANGES.values()):
        assert abs(lightness([colour])[0] - lightness([palettes.PERIMETER])[0]) > 5 or colour in sequential(7)[-2:]


@pytest.mark.parametrize("scheme", ["quantiles", "natural", "equal", "pretty"])
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
    assert classed([0.011, 0.5], count=1, kind="share", lang="fr").labels == ("1,1\u00a0% à 50,0\u00a0%",)
    assert classed([1_000, 2_500], count=1, lang="en").labels == ("1,000 to 2,500",)
