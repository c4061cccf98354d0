"""Repairs: the area that broken rings enclose, polygons and nothing else, and a log whose figures add up."""

import itertools
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

import qpvgeo as qg
from qpvgeo.frames import provenance
from qpvgeo.geometry.projection import areas_m2
from qpvgeo.geometry.validity import REPAIR_COLUMNS, polygonal, repair, valid

X, Y = 700_000, 6_600_000
AREAL = {"Polygon", "MultiPolygon"}


def at(*points):
    """Points in metres from a place near the middle of France, in Lambert-93."""
    return [(X + x, Y + y) for x, y in points]


def ring(*points, holes=()):
    return shapely.Polygon(at(*points), [at(*hole) for hole in holes])


def frame(*shapes, crs=2154):
    return gpd.GeoDataFrame(geometry=list(shapes), index=[f"QP0590{k:02d}" for k in range(len(shapes))], crs=crs)


def test_looking_at_many_outlines_leaves_the_warnings_of_others_alone():
    shapes = np.array([SQUARE, BOW_TIE] * 2_000)
    before = list(warnings.filters)
    for _ in range(20):
        assert valid(shapes).sum() == 2_000
        assert warnings.filters == before


SQUARE = ring((0, 0), (100, 0), (100, 100), (0, 100))
BOW_TIE = ring((0, 0), (100, 100), (100, 0), (0, 100))
# lobes of 10,000 and 40,000 m2 that turn opposite ways
EIGHT = ring((0, -100), (0, 100), (300, -200), (300, 200))
SPIKE = ring((0, 0), (100, 0), (300, 0), (100, 0), (100, 100), (0, 100))
NOTCH = ring((0, 0), (100, 0), (100, 100), (0, 100), holes=[[(0, 40), (20, 40), (20, 60), (0, 60)]])
# GEOS 3.14 makes two triangles of it that share an edge: still not valid
EDGE_TWICE = ring((0, 0), (100, 100), (0, 100), (0, 0), (100, 100), (100, 0))
LAID_TWICE = shapely.MultiPolygon([SQUARE, ring((50, 0), (150, 0), (150, 100), (50, 100))])
FLAT = ring((0, 0), (100, 0), (200, 0))
MIXED = shapely.GeometryCollection([SQUARE, shapely.LineString(at((0, 0), (500, 500)))])


def nonzero_winding_area(points):
    """Slow twin: the faces that a ring cuts out of the plane, kept where it turns around them."""
    closed = [*points, points[0]]
    faces = shapely.get_parts(shapely.polygonize([shapely.node(shapely.LineString(closed))]))
    kept = 0.0
    for face in faces:
        inside = face.representative_point()
        turn = 0.0
        for (x0, y0), (x1, y1) in itertools.pairwise(closed):
            step = np.arctan2(y1 - inside.y, x1 - inside.x) - np.arctan2(y0 - inside.y, x0 - inside.x)
            turn += (step + np.pi) % (2 * np.pi) - np.pi
        kept += face.area if abs(turn) > np.pi else 0.0
    return kept


@pytest.mark.parametrize(
    ("shape", "before", "after", "kind"),
    [
        (BOW_TIE, 0, 5_000, "MultiPolygon"),
        (EIGHT, 30_000, 50_000, "MultiPolygon"),
        (SPIKE, 10_000, 10_000, "Polygon"),
        (NOTCH, 9_600, 9_600, "Polygon"),
        (LAID_TWICE, 20_000, 15_000, "Polygon"),
        (EDGE_TWICE, 0, 10_000, "Polygon"),
        (MIXED, 10_000, 10_000, "Polygon"),
    ],
    ids=[
        "bow-tie",
        "figure of eight",
        "spike",
        "hole along the shell",
        "parts laid twice",
        "edge drawn twice",
        "line beside the area",
    ],
)
def test_broken_outline_becomes_the_area_it_encloses(shape, before, after, kind):
    mended, log = repair(frame(shape))
    assert mended.geometry.iloc[0].geom_type == kind
    assert mended.geometry.is_valid.all()
    assert mended.area.tolist() == pytest.approx([after], abs=1e-6)
    assert log[["area_before_m2", "area_after_m2", "difference_m2"]].to_numpy().tolist() == [
        [before, after, after - before]
    ]


def test_figure_of_eight_gains_twice_its_inverted_lobe():
    log = repair(frame(EIGHT))[1]
    assert log["difference_m2"].tolist() == [2 * 10_000]


def test_reason_is_that_of_geos_with_the_place():
    log = repair(frame(BOW_TIE))[1]
    assert log["reason"].tolist() == [f"Self-intersection[{X + 50} {Y + 50}]"]


def test_reason_of_a_valid_collection_is_what_stands_beside_the_area():
    assert repair(frame(MIXED))[1]["reason"].tolist() == ["lines or points beside the area"]


@pytest.mark.parametrize("shape", [FLAT, shapely.Point(X, Y), shapely.LineString(at((0, 0), (1, 1)))])
def test_outline_without_area_is_set_missing_and_logged_and_its_row_stays(shape):
    mended, log = repair(frame(SQUARE, shape))
    assert mended.geometry.isna().tolist() == [False, True]
    assert log[["code", "reason", "area_after_m2"]].to_numpy().tolist() == [
        ["QP059001", "no area: the outline is set missing", 0.0]
    ]


def test_hole_that_touches_the_shell_at_a_point_is_valid_and_untouched():
    diamond = ring((0, 0), (100, 0), (100, 100), (0, 100), holes=[[(0, 50), (20, 40), (40, 50), (20, 60)]])
    given_frame = frame(diamond)
    mended, log = repair(given_frame)
    assert mended is given_frame
    assert log.empty


def test_valid_frame_is_given_back_with_an_empty_log_of_the_same_columns():
    given_frame = frame(SQUARE, None, shapely.Polygon())
    mended, log = repair(given_frame)
    assert mended is given_frame
    assert (len(log), tuple(log.columns)) == (0, REPAIR_COLUMNS)


def test_missing_and_empty_outlines_are_not_repairs():
    mended, log = repair(frame(None, shapely.Polygon(), BOW_TIE))
    assert mended.geometry.iloc[0] is None
    assert mended.geometry.iloc[1].is_empty
    assert log["code"].tolist() == ["QP059002"]


def test_sound_outlines_beside_a_broken_one_are_untouched_bit_for_bit():
    mended = repair(frame(SQUARE, BOW_TIE))[0]
    assert mended.geometry.iloc[0].wkb == SQUARE.wkb


def test_order_columns_and_provenance_are_kept():
    given_frame = frame(EIGHT, SQUARE, BOW_TIE).assign(name=["a", "b", "c"])
    provenance.stamp(given_frame, vintage=2015)
    mended, log = repair(given_frame)
    assert mended.index.equals(given_frame.index)
    assert mended["name"].tolist() == ["a", "b", "c"]
    assert mended.crs == given_frame.crs
    assert provenance.provenance(mended)["vintage"] == 2015
    assert log["code"].tolist() == ["QP059000", "QP059002"]


def test_frame_given_is_not_changed():
    given_frame = frame(BOW_TIE)
    repair(given_frame)
    assert given_frame.geometry.iloc[0].wkb == BOW_TIE.wkb


def test_geometry_column_keeps_its_name():
    mended = repair(frame(BOW_TIE).rename_geometry("outline"))[0]
    assert mended.geometry.name == "outline"
    assert list(mended.columns) == ["outline"]
    assert mended.geometry.is_valid.all()


def test_square_metres_are_counted_in_the_legal_projection():
    degrees = frame(EIGHT).to_crs(4326)
    log = repair(degrees)[1]
    assert log["difference_m2"].tolist() == pytest.approx([20_000], abs=0.1)


def test_nested_collection_gives_the_union_of_its_areas():
    nested = shapely.GeometryCollection([LAID_TWICE.geoms[0], shapely.MultiPolygon([LAID_TWICE.geoms[1]])])
    assert polygonal([nested])[0].area == pytest.approx(15_000)


def test_lines_and_points_leave_no_area():
    given_shapes = [shapely.Point(0, 0), shapely.GeometryCollection([shapely.Point(0, 0)]), None]
    assert polygonal(given_shapes).tolist() == [None, None, None]


coordinates = st.tuples(st.integers(0, 12), st.integers(0, 12))


@settings(deadline=None, max_examples=80)
@given(points=st.lists(coordinates, min_size=3, max_size=9))
def test_any_ring_becomes_the_area_around_which_it_turns(points):
    given_frame = frame(ring(*points))
    mended, log = repair(given_frame)
    shape = mended.geometry.iloc[0]
    expected = nonzero_winding_area(points) if len(set(points)) > 1 else 0.0
    assert (shape.area if shape is not None else 0.0) == pytest.approx(expected, abs=1e-6)
    assert shape is None or (shape.geom_type in AREAL and shape.is_valid)
    assert len(log) == int(not given_frame.geometry.is_valid.iloc[0])


@settings(deadline=None, max_examples=40)
@given(rings=st.lists(st.lists(coordinates, min_size=3, max_size=7), min_size=1, max_size=4))
def test_repaired_frame_needs_no_repair_and_its_log_adds_up(rings):
    given_frame = frame(*(ring(*points) for points in rings))
    mended, log = repair(given_frame)
    gained = areas_m2(mended.geometry.to_numpy(), 2154)
    assert log["difference_m2"].sum() == pytest.approx(
        np.nansum(gained) - given_frame.area.sum(), abs=1e-3 * len(rings)
    )
    assert len(repair(mended)[1]) == 0


@pytest.fixture(scope="module")
def lambert(real_data):
    return qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLE_LB93.shp", repair=False)


@pytest.fixture(scope="module")
def degrees(real_data):
    return qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp", repair=False)


@pytest.mark.real
def test_25_outlines_of_the_hexagone_are_repaired(lambert):
    mended, log = repair(lambert)
    assert (len(lambert), len(log)) == (1296, 25)
    assert log["code"].tolist() == lambert.index[~lambert.is_valid].tolist()
    assert log["reason"].str.split("[").str[0].value_counts().to_dict() == {
        "Self-intersection": 24,
        "Ring Self-intersection": 1,
    }
    assert mended.is_valid.all()
    assert set(mended.geom_type) <= AREAL


@pytest.mark.real
def test_inverted_lobe_of_qp084012_is_the_whole_gap_between_the_two_areas_of_the_hexagone(lambert):
    mended, log = repair(lambert)
    assert round(lambert.area.sum() / 1e6, 3) == 386.262
    assert round(mended.area.sum() / 1e6, 3) == 386.311
    gained = log.set_index("code")["difference_m2"]
    assert round(gained["QP084012"]) == 49_182
    assert gained.drop("QP084012").abs().max() < 2
    assert log["difference_m2"].sum() == pytest.approx(mended.area.sum() - lambert.area.sum(), abs=0.02)


@pytest.mark.real
def test_34_outlines_of_the_national_file_are_repaired(degrees):
    mended, log = repair(degrees)
    assert (len(degrees), len(log)) == (1514, 34)
    assert mended.is_valid.all()
    assert mended.geom_type.value_counts().to_dict() == {"Polygon": 1491, "MultiPolygon": 23}
    assert log["difference_m2"].sum() == pytest.approx(49_201.25, abs=0.1)


@pytest.mark.real
def test_repairs_are_the_same_from_degrees_and_from_lambert_93(degrees, lambert):
    hexagone = repair(degrees[degrees["territory"] == "hexagone"])[1].set_index("code")["area_after_m2"]
    own = repair(lambert)[1].set_index("code")["area_after_m2"]
    pd.testing.assert_series_equal(hexagone.sort_index(), own.sort_index(), rtol=0, atol=0.05)


@pytest.mark.real
def test_three_outlines_that_a_simplification_crushed_are_set_missing(real_data):
    qpv = qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson", repair=False)
    mended, log = repair(qpv)
    assert (len(mended), len(log)) == (1609, 85)
    assert mended.index[mended.geometry.isna()].tolist() == ["QN09105I", "QN09113I", "QN09503I"]
    assert log.loc[log["reason"].str.startswith("no area"), "code"].tolist() == ["QN09105I", "QN09113I", "QN09503I"]
    assert set(mended.geom_type.dropna()) <= AREAL


def test_box_of_the_sample_figure_of_eight_encloses_its_repair():
    qpv = qg.read_qpv(qg.sample().qpv_2015, repair=False)
    mended, log = repair(qpv)
    assert log["code"].tolist() == ["QP099008"]
    assert mended.loc["QP099008"].geometry.within(box(*qpv.loc["QP099008"].geometry.bounds).buffer(1e-6))
