"""Bounds on random layers of each kind: the truth, whatever is hidden of it, lies between them."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.resilience.test_exposed_people import EAST, NORTH, box, grid_of, layer

import qpvgeo as qg
from qpvgeo.resilience import exposure_by_class

CELLS = 6
SLACK = 1e-6

places = st.floats(0, CELLS, allow_nan=False).map(lambda value: round(value, 2))
spans = st.tuples(places, places).map(lambda pair: (min(pair), max(pair) + 0.25))
people = st.lists(st.integers(0, 500), min_size=CELLS, max_size=CELLS).filter(any)
values = st.lists(st.none() | st.integers(0, 5), min_size=CELLS, max_size=CELLS).filter(
    lambda row: any(one is not None for one in row)
)
FEW = settings(max_examples=30, deadline=None)


def strip(span):
    return box(span[0], 0, span[1], 1)


def areas():
    """QPV that cut cells, and one of which part has no cell."""
    return layer(box(0, 0, 1.4, 1), box(1.7, 0, 4, 0.6), box(5.5, 0, 7, 1))


def hold(found):
    """Low, estimate and high in order, for people, for shares and for ratios; nothing beyond what there is."""
    for low, middle, high in (
        ("low", "estimate", "high"),
        ("share_low", "share", "share_high"),
        ("ratio_low", "ratio", "ratio_high"),
    ):
        columns = found[[low, middle, high]].astype("Float64").to_numpy(float, na_value=np.nan)
        with np.errstate(invalid="ignore"):
            assert not (columns[:, 0] > columns[:, 1] + SLACK).any(), (low, columns)
            assert not (columns[:, 1] > columns[:, 2] + SLACK).any(), (high, columns)
    about = found.attrs["qpvgeo"]
    for part in (about["inside"], about["outside"], about["ratio"]):
        known = [part[name] for name in ("low", "estimate", "high") if part[name] is not None]
        assert known == sorted(known)
    assert (found["estimate"].fillna(0) + found["unknown"] <= found["population"] + SLACK).all()
    for end in ("share_low", "share_high"):
        assert found[end].dropna().between(0, 1).all()


def between(found, truth):
    """People exposed in truth lie between the bounds of what is known of it."""
    real = truth["estimate"].fillna(0)
    assert (found["low"] <= real + SLACK).all()
    # the most is missing where a part lies beyond the grid
    assert (real <= found["high"].fillna(np.inf) + SLACK).all()
    share = truth["share"].astype("Float64").to_numpy(float, na_value=np.nan)
    ends = found[["share_low", "share_high"]].astype("Float64").to_numpy(float, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        assert not (share < ends[:, 0] - SLACK).any()
        assert not (share > ends[:, 1] + SLACK).any()


@given(st.lists(spans, min_size=1, max_size=3), spans, people)
@FEW
def test_polygons(zones, looked, crowd):
    zone, grid, around = layer(*map(strip, zones)), grid_of(crowd), layer(box(0, 0, CELLS, 1))
    whole = qg.exposure(areas(), zone, grid, covered="everywhere", around=around)
    hold(whole)
    assert whole["unknown"].max() == pytest.approx(0, abs=SLACK)
    for covered in (layer(strip(looked)), None):
        found = qg.exposure(areas(), zone, grid, covered=covered, around=around)
        hold(found)
        between(found, whole)


@given(st.lists(spans, min_size=1, max_size=3), people, st.integers(1, CELLS - 1))
@FEW
def test_a_grid_of_which_only_a_part_was_read(zones, crowd, read):
    zone, grid = layer(*map(strip, zones)), grid_of(crowd)
    areas = layer(box(0, 0, 1.4, 1), box(0.2, 0, CELLS, 1))
    options = {"covered": "everywhere", "around": layer(box(0, 0, CELLS, 1))}
    whole = qg.exposure(areas, zone, grid, **options)
    part = qg.exposure(areas, zone, grid.iloc[:read], **options)
    hold(part)
    between(part, whole)


@given(st.lists(places, min_size=1, max_size=3), st.integers(20, 600), spans, people)
@FEW
def test_points(stops, metres, looked, crowd):
    points = layer(*(shapely.Point(EAST + 200 * stop, NORTH + 100) for stop in stops))
    grid, around = grid_of(crowd), layer(box(0, 0, CELLS, 1))
    whole = qg.exposure(areas(), points, grid, within_m=metres, around=around)
    hold(whole)
    found = qg.exposure(areas(), points, grid, within_m=metres, covered=layer(strip(looked)), around=around)
    hold(found)
    between(found, whole)


@given(values, st.lists(st.integers(0, 5), min_size=CELLS, max_size=CELLS), st.integers(0, 5), people)
@FEW
def test_values_of_cells(row, behind, threshold, crowd):
    crowd = [count if value is None else count + 1 for count, value in zip(crowd, row, strict=True)]
    grid = grid_of(crowd, shown=pd.array(row, "Int64"))
    # what is hidden may be anything
    grid["truth"] = [other if one is None else one for one, other in zip(row, behind, strict=True)]
    around = layer(box(0, 0, CELLS, 1))
    for options in ({"above": threshold}, {"below": threshold}):
        found = qg.exposure(areas(), "shown", grid, around=around, **options)
        hold(found)
        between(found, qg.exposure(areas(), "truth", grid, around=around, **options))


@given(st.lists(st.none() | st.floats(0, 9), min_size=3, max_size=3).filter(any), people)
@FEW
def test_values_of_qpv(row, crowd):
    table = pd.Series(row, index=areas().index, dtype="float64")
    known = qg.estimate_population(areas(), grid_of(crowd))["estimate"] > 0
    if (known & table.notna()).any():
        hold(qg.exposure(areas(), table, grid_of(crowd), above=3, around=layer(box(0, 0, CELLS, 1))))


@given(st.lists(st.floats(-1, 9, width=32), min_size=2 * CELLS, max_size=2 * CELLS), people)
@settings(max_examples=15, deadline=None)
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_rasters(tmp_path_factory, pixels, crowd):
    pytest.importorskip("rasterio")
    from tests.resilience.test_raster import image

    crowd = [count + 1 for count in crowd]
    if max(pixels) <= 0:
        return
    path = image(tmp_path_factory.mktemp("raster") / "heat.tif", [[-1 if one < 0 else one for one in pixels]] * 2)
    found = qg.exposure(areas(), path, grid_of(crowd), above=4, around=layer(box(0, 0, CELLS, 1)))
    hold(found)
    classes = exposure_by_class(areas(), path, grid_of(crowd), [2, 4])
    adds_up(classes, found)


def adds_up(classes, found):
    """Classes, those in none and the unknown are all the people."""
    summed = classes["estimate"].groupby(level=0, sort=False).sum()
    assert summed.to_numpy() == pytest.approx(found["population"].to_numpy(), abs=SLACK)
    assert not (classes["low"] > classes["estimate"] + SLACK).any()
    assert not (classes["estimate"] > classes["high"] + SLACK).any()


@given(st.lists(places, min_size=2, max_size=4, unique=True), st.none() | spans, people)
@FEW
def test_classes_of_polygons_add_up(cuts, looked, crowd):
    cuts = sorted(cuts)
    zones = layer(*(strip(pair) for pair in pairwise(cuts)))
    zones["grade"] = ["low", None, "high"][: len(zones)]
    covered = "everywhere" if looked is None else layer(strip(looked))
    found = qg.exposure(areas(), zones, grid_of(crowd), covered=covered)
    classes = exposure_by_class(areas(), zones, grid_of(crowd), "grade", covered=covered)
    adds_up(classes, found)


@given(values, people)
@FEW
def test_classes_of_values_add_up(row, crowd):
    crowd = [count + 1 for count in crowd]
    grid = grid_of(crowd, shown=pd.array(row, "Int64"))
    adds_up(exposure_by_class(areas(), "shown", grid, [1, 3, 4.5]), qg.exposure(areas(), "shown", grid, above=1))
