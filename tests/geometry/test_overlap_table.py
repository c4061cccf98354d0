"""Overlap table: shared areas worked out by hand, properties, plain shapely as the oracle, the published outlines."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from shapely.affinity import rotate
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError
from qpvgeo.geometry import validity
from qpvgeo.geometry.projection import areas_m2, to_metric

X, Y = 700_000, 6_600_000
COLUMNS = ["left", "right", "area_m2", "left_share", "right_share"]


def at(x, y, width=100, height=100):
    return box(X + x, Y + y, X + x + width, Y + y + height)


def layer(*shapes, prefix="a", crs=2154):
    return gpd.GeoDataFrame(geometry=list(shapes), index=[f"{prefix}{k}" for k in range(len(shapes))], crs=crs)


def shared(a, b, **options):
    """`{(left, right): area}` of the overlap table."""
    table = qg.overlap(a, b, **options)
    return dict(zip(zip(table["left"], table["right"], strict=True), table["area_m2"], strict=True))


def by_pair(table, left="left", right="right"):
    return table.set_index([left, right])["area_m2"].rename_axis(["one", "other"]).sort_index()


def oracle(a, b):
    """Slow twin: every pair, intersected in the CRS of both layers."""
    found = {}
    for left, one in a.geometry.items():
        for right, other in b.geometry.items():
            area = one.intersection(other).area
            if area > 0:
                found[left, right] = area
    return found


def test_half_covered_square_by_hand():
    table = qg.overlap(layer(at(0, 0)), layer(at(50, 0, 100, 200), prefix="b"))
    assert list(table.columns) == COLUMNS
    assert table.to_numpy().tolist() == [["a0", "b0", 5_000.0, 0.5, 0.25]]


def test_identical_shapes_share_all_of_their_area_without_rounding():
    odd = rotate(at(0, 0, 100 / 3, 70 / 9), 17.3)
    table = qg.overlap(layer(odd), layer(odd, prefix="b"))
    assert table[["left_share", "right_share"]].to_numpy().tolist() == [[1.0, 1.0]]
    assert table["area_m2"].tolist() == [odd.area]


@pytest.mark.parametrize("swap", [False, True])
def test_covered_shape_shares_all_of_its_area_without_rounding(swap):
    small, large = rotate(at(10, 10, 100 / 3, 20), 31.7), at(-100, -100, 300, 300)
    inner, outer = layer(small), layer(large, prefix="b")
    table = qg.overlap(outer, inner) if swap else qg.overlap(inner, outer)
    assert table["area_m2"].tolist() == [small.area]
    assert table["right_share" if swap else "left_share"].tolist() == [1.0]


def test_shape_covered_up_to_the_edge_shares_all_of_its_area():
    table = qg.overlap(layer(at(0, 0, 50, 50)), layer(at(0, 0), prefix="b"))
    assert table[["area_m2", "left_share", "right_share"]].to_numpy().tolist() == [[2_500.0, 1.0, 0.25]]


@pytest.mark.parametrize("dx", [100, 200], ids=["touching", "apart"])
@pytest.mark.parametrize("dy", [0, 100])
def test_shapes_that_only_touch_or_stand_apart_are_no_pair(dx, dy):
    assert shared(layer(at(0, 0)), layer(at(dx, dy), prefix="b")) == {}


def test_hole_shares_nothing():
    ring = at(0, 0).difference(at(20, 20, 60, 60))
    assert shared(layer(ring), layer(at(20, 20, 60, 60), at(10, 10, 80, 80), prefix="b")) == {
        ("a0", "b1"): pytest.approx(6_400 - 3_600)
    }


def test_parts_of_a_multipolygon_add_up_to_one_pair():
    two = shapely.MultiPolygon([at(0, 0), at(500, 0)])
    assert shared(layer(two), layer(at(50, 0, 500, 100), prefix="b")) == {("a0", "b0"): pytest.approx(10_000)}


def test_smallest_area_kept_is_above_the_tolerance():
    a, b = layer(at(0, 0)), layer(at(99, 0), at(90, 0), prefix="b")
    assert shared(a, b, min_area_m2=100) == {("a0", "b1"): 1_000}


def test_rows_come_in_the_order_of_the_first_layer_then_of_the_second():
    a = layer(at(200, 0), at(0, 0)).rename({"a0": "z", "a1": "y"})
    b = layer(at(0, 0, 300), at(0, 50, 300), prefix="b").iloc[::-1]
    table = qg.overlap(a, b)
    assert table[["left", "right"]].to_numpy().tolist() == [["z", "b1"], ["z", "b0"], ["y", "b1"], ["y", "b0"]]


@pytest.mark.parametrize(("left", "right"), [(4326, 2154), (2154, 4326), (3857, 4326), (4326, 3035)])
def test_layers_may_come_in_different_projections(left, right):
    a, b = layer(at(0, 0), at(300, 0)), layer(at(50, 0), at(250, 50), prefix="b")
    table = qg.overlap(a.to_crs(left), b.to_crs(right))
    # PROJ comes back from EPSG:3035 half a millimetre away
    assert by_pair(table).to_dict() == pytest.approx({("a0", "b0"): 5_000, ("a1", "b1"): 2_500}, abs=0.1)


def test_area_is_that_of_the_legal_projection_whatever_the_projection_given():
    square = box(3.06, 50.63, 3.07, 50.64)
    table = qg.overlap(layer(square, crs=4326), layer(square, prefix="b", crs=4326).to_crs(3857))
    assert table["area_m2"].tolist() == pytest.approx(areas_m2([square], 4326).tolist(), rel=1e-9)


def test_several_territories_are_measured_each_in_its_own_projection():
    corners = [(3.06, 50.63), (45.23, -12.78), (-149.57, -17.53), (55.45, -20.9), (-52.33, 4.93)]
    squares = [box(x, y, x + 0.01, y + 0.01) for x, y in corners]
    halves = [box(x + 0.005, y, x + 0.015, y + 0.01) for x, y in corners]
    table = qg.overlap(layer(*squares, crs=4326), layer(*halves[::-1], prefix="b", crs=4326))
    assert table["left"].tolist() == ["a0", "a1", "a2", "a3", "a4"]
    assert table["right"].tolist() == ["b4", "b3", "b2", "b1", "b0"]
    expected = areas_m2([box(x + 0.005, y, x + 0.01, y + 0.01) for x, y in corners], 4326)
    assert table["area_m2"].to_numpy() == pytest.approx(expected, rel=1e-5)


def test_shape_that_reaches_over_several_territories_is_refused_and_not_left_out_in_silence():
    # its middle lies in the Atlantic: there is no legal projection for it as a whole
    republic = shapely.MultiPolygon([box(2, 45, 4, 47), box(55.2, -21.4, 55.9, -20.8)])
    a = layer(box(3, 46, 3.01, 46.01), crs=4326)
    with pytest.raises(DataError, match="several territories") as caught:
        qg.overlap(a, layer(republic, box(3, 46, 3.1, 46.1), prefix="b", crs=4326))
    assert caught.value.problems == ("second layer: b0",)


def test_parts_of_that_shape_give_the_areas_it_could_not():
    republic = layer(box(2, 45, 4, 47), box(55.2, -21.4, 55.9, -20.8), prefix="b", crs=4326)
    a = layer(box(3, 46, 3.01, 46.01), box(55.4, -21, 55.41, -20.99), crs=4326)
    table = qg.overlap(a, republic)
    assert table[["left", "right", "left_share"]].to_numpy().tolist() == [["a0", "b0", 1.0], ["a1", "b1", 1.0]]


def test_shapes_abroad_that_share_no_ground_are_no_error():
    abroad = layer(box(13, 52, 14, 53), box(-0.2, 51.45, 0, 51.6), box(4, 46, 4.1, 46.1), prefix="b", crs=4326)
    assert shared(layer(box(3, 46, 3.01, 46.01), crs=4326), abroad) == {}


def test_shape_of_the_first_layer_outside_france_is_listed():
    first = layer(box(3, 46, 4, 47), box(0, 0, 1, 1), crs=4326)
    with pytest.raises(DataError) as error:
        qg.overlap(first, layer(at(0, 0), prefix="b"))
    assert (error.value.key, error.value.message.values["what"]) == ("geometry.outside_france", "a")


@pytest.mark.parametrize("nothing", [None, shapely.Polygon()], ids=["missing", "empty"])
def test_outline_that_is_not_there_shares_nothing(nothing):
    a, b = layer(nothing, at(0, 0), nothing), layer(at(50, 0), nothing, prefix="b")
    assert shared(a, b) == {("a1", "b0"): 5_000}


@pytest.mark.parametrize("nothing", [(), (None,), (shapely.Polygon(), None)], ids=["no row", "missing", "empty"])
@pytest.mark.parametrize("side", ["first", "second", "both"])
def test_layer_without_outlines_gives_an_empty_table(nothing, side):
    void, full = layer(*nothing), layer(at(0, 0))
    table = qg.overlap(full if side == "second" else void, full if side == "first" else void)
    assert table.shape == (0, 5)
    assert list(table.columns) == COLUMNS


def test_series_of_outlines_will_do():
    assert shared(layer(at(0, 0)).geometry, layer(at(50, 0), prefix="b").geometry) == {("a0", "b0"): 5_000}


BOW_TIE = shapely.Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])


def test_all_that_is_wrong_with_both_layers_is_listed_at_once():
    a = layer(shapely.LineString([(X, Y), (X + 1, Y)]), at(0, 0), at(0, 0)).set_axis(["x", "y", "y"])
    error = refused(lambda: qg.overlap(a, layer(at(0, 0), prefix="b", crs=None)), "geometry.cannot_overlap", DataError)
    assert [problem.key for problem in error.problems] == [
        "frames.label_repeated",
        "frames.not_area",
        "frames.crs_missing",
    ]


def test_invalid_outlines_count_as_the_area_that_they_enclose():
    assert shared(layer(BOW_TIE), layer(BOW_TIE, prefix="b")) == {("a0", "b0"): 5_000}


def test_outline_that_no_repair_keeps_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(validity, "_METHODS", ())
    error = refused(lambda: qg.overlap(layer(BOW_TIE), layer(at(0, 0), prefix="b")), "geometry.cannot_measure")
    assert [problem.values["label"] for problem in error.problems] == ["a0"]


def test_layer_wholly_outside_france_is_refused_and_not_an_empty_table():
    wrong = layer(box(3, 46, 3.01, 46.01), prefix="b", crs=2154)
    error = refused(lambda: qg.overlap(layer(at(0, 0)), wrong), "geometry.nowhere", DataError)
    assert error.message.values["count"] == 1


def test_an_invalid_outline_far_from_the_first_layer_does_no_harm():
    far = shapely.Polygon([(X + 9e4, Y), (X + 9.1e4, Y + 1e3), (X + 9.1e4, Y), (X + 9e4, Y + 1e3)])
    assert shared(layer(at(0, 0)), layer(far, at(50, 0), prefix="b")) == {("a0", "b1"): 5_000}


def test_layers_given_are_not_changed():
    a, b = layer(at(0, 0)), layer(at(50, 0), prefix="b", crs=2154)
    before = [a.to_wkb(), b.to_wkb()]
    qg.overlap(a, b)
    pd.testing.assert_frame_equal(a.to_wkb(), before[0])
    pd.testing.assert_frame_equal(b.to_wkb(), before[1])


def test_far_shapes_change_nothing():
    a, b = layer(at(0, 0)), layer(at(50, 0), prefix="b")
    wider = layer(at(50, 0), at(200_000, 0), at(-300_000, -200_000), prefix="b")
    assert shared(a, b) == shared(a, wider) == {("a0", "b0"): 5_000}


def test_edge_that_the_projection_bends_still_meets_what_lies_beyond_it_in_degrees():
    # between its corners the side along 47 N runs 4 km farther north in Lambert-93 than in degrees
    wide = layer(box(0, 46, 6, 47), prefix="b", crs=4326)
    beyond = layer(box(2.99, 47.02, 3.01, 47.03), crs=4326).to_crs(2154)
    assert not wide.intersects(beyond.to_crs(4326), align=False).any()
    assert shared(beyond, wide) == {("a0", "b0"): pytest.approx(beyond.area.iloc[0])}
    assert shared(wide, beyond) == {("b0", "a0"): pytest.approx(beyond.area.iloc[0])}


@st.composite
def shapes(draw, size):
    """Polygons of any turn, some of them with holes or in two parts, close enough to meet."""
    found = []
    for _ in range(draw(st.integers(1, size))):
        x, y, w, h = (draw(st.floats(low, high)) for low, high in ((0, 300), (0, 300), (5, 150), (5, 150)))
        shape = rotate(at(x, y, w, h), draw(st.floats(0, 90)))
        if draw(st.booleans()):
            shape = shape.difference(shapely.affinity.scale(shape, 0.4, 0.4))
        if draw(st.booleans()):
            shape = shapely.union(shape, shapely.affinity.translate(shape, 400, 30))
        found.append(shape)
    return found


@settings(deadline=None, max_examples=40)
@given(one=shapes(5), other=shapes(5))
def test_areas_are_those_of_plain_shapely_on_random_shapes(one, other):
    a, b = layer(*one), layer(*other, prefix="b")
    got, expected = shared(a, b), oracle(a, b)
    slivers = {pair for pair in got.keys() ^ expected.keys() if max(got.get(pair, 0), expected.get(pair, 0)) > 1e-6}
    assert slivers == set()
    assert all(got[pair] == pytest.approx(expected[pair], abs=1e-6) for pair in got.keys() & expected.keys())


@settings(deadline=None, max_examples=30)
@given(one=shapes(4), other=shapes(4))
def test_overlap_is_symmetric(one, other):
    a, b = layer(*one), layer(*other, prefix="b")
    there, back = qg.overlap(a, b), qg.overlap(b, a)
    assert by_pair(there).to_dict() == pytest.approx(by_pair(back, "right", "left").to_dict(), abs=1e-6)
    assert there["left_share"].sum() == pytest.approx(back["right_share"].sum())


@settings(deadline=None, max_examples=30)
@given(one=shapes(5), other=shapes(5), data=st.data())
def test_order_of_the_rows_changes_nothing(one, other, data):
    a, b = layer(*one), layer(*other, prefix="b")
    mixed = qg.overlap(
        a.loc[data.draw(st.permutations(a.index.tolist()))], b.loc[data.draw(st.permutations(b.index.tolist()))]
    )
    assert by_pair(mixed).to_dict() == by_pair(qg.overlap(a, b)).to_dict()


@settings(deadline=None, max_examples=30)
@given(one=shapes(4), step=st.floats(20, 200))
def test_parts_of_a_partition_sum_to_the_whole(one, step):
    edges = np.arange(-200, 1_100, step)
    tiles = [at(x, y, step, step) for x in edges for y in edges]
    a = layer(*one)
    table = qg.overlap(a, layer(*tiles, prefix="b"))
    whole = table.groupby("left")[["area_m2", "left_share"]].sum()
    assert whole["area_m2"].to_dict() == pytest.approx(a.area.to_dict(), rel=1e-9)
    assert whole["left_share"].tolist() == pytest.approx([1.0] * len(a), rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(one=shapes(4), other=shapes(4))
def test_shares_stay_between_nought_and_one_and_agree_with_the_area(one, other):
    a, b = layer(*one), layer(*other, prefix="b")
    table = qg.overlap(a, b)
    assert table[["left_share", "right_share"]].to_numpy().max(initial=0) <= 1
    assert (table["area_m2"] > 0).all()
    assert (table["left_share"] * a.area.loc[table["left"]].to_numpy()).to_list() == pytest.approx(
        table["area_m2"].tolist(), rel=1e-9
    )


@pytest.fixture(scope="module")
def qpv_2015(real_data):
    return qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLE_LB93.shp")


@pytest.fixture(scope="module")
def qpv_2024(real_data):
    return qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson")


@pytest.mark.real
def test_crosswalk_of_the_hexagone_is_that_of_plain_shapely(qpv_2015, qpv_2024):
    recent = qpv_2024[qpv_2024["territory"] == "hexagone"]
    old, new = qpv_2015.geometry.to_numpy(), to_metric(recent.geometry.to_numpy(), recent.crs)[0]
    i, j = shapely.STRtree(new).query(old, predicate="intersects")
    area = shapely.area(shapely.intersection(old[i], new[j]))
    expected = pd.Series(area, index=[qpv_2015.index[i], recent.index[j]])[area > 0]
    got = qg.overlap(qpv_2015, recent).set_index(["left", "right"])["area_m2"]
    assert len(got) == 1296
    assert got.sum() / 1e6 == pytest.approx(362.625, abs=5e-4)
    assert set(got.index) == set(expected.index)
    assert (got - expected.rename_axis(got.index.names)).abs().max() < 1e-6


@pytest.mark.real
def test_crosswalk_of_the_whole_country_is_symmetric(real_data, qpv_2024):
    old = qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp")
    there, back = qg.overlap(old, qpv_2024), qg.overlap(qpv_2024, old)
    assert len(there) == 1635
    assert by_pair(there).index.equals(by_pair(back, "right", "left").index)
    assert (by_pair(there) - by_pair(back, "right", "left")).abs().max() < 1e-6


@pytest.mark.real
def test_qpv_of_the_hexagone_over_themselves_are_themselves_and_eight_overlaps(qpv_2015):
    table = qg.overlap(qpv_2015, qpv_2015, min_area_m2=0.01)
    same = table["left"] == table["right"]
    assert same.sum() == 1296
    assert (table.loc[same, ["left_share", "right_share"]] == 1).all(axis=None)
    assert (~same).sum() == 2 * 8
