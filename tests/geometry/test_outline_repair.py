"""Repairs: the area that broken rings enclose, polygons and nothing else, and a log whose figures add up."""

import itertools

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
from qpvgeo.geometry import validity
from qpvgeo.geometry.enclosed_area import enclosed_m2
from qpvgeo.geometry.outline_repair import REPAIR_COLUMNS, repair
from qpvgeo.geometry.projection import areas_m2
from qpvgeo.geometry.validity import LOST_SHARE, in_metres, valid
from qpvgeo.quality.files import examine

X, Y = 700_000, 6_600_000
AREAL = {"Polygon", "MultiPolygon"}


def at(*points):
    """Points in metres from a place near the middle of France, in Lambert-93."""
    return [(X + x, Y + y) for x, y in points]


def ring(*points, holes=()):
    return shapely.Polygon(at(*points), [at(*hole) for hole in holes])


def frame(*shapes, crs=2154):
    return gpd.GeoDataFrame(geometry=list(shapes), index=[f"QP0590{k:02d}" for k in range(len(shapes))], crs=crs)


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
        # of no simple ratio, or it may lie on a spike of the ring
        corners = shapely.get_coordinates(shapely.get_parts(shapely.constrained_delaunay_triangles(face))[0])[:3]
        inside = shapely.Point(np.array([2**0.5 - 1, 0.5, 1.5 - 2**0.5]) @ corners)
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
    assert log[["code", "area_after_m2", "enclosed_m2"]].to_numpy().tolist() == [["QP059001", 0.0, 0.0]]
    assert log["reason"].iloc[0].key == "geometry.no_area"
    assert [one["code"] for one in provenance.provenance(mended)["outline_lost"]] == ["QP059001"]


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


# outlines as a copy rounded to four decimals of a degree has them, made up: two boundaries that cross on a street, and
# an inner ring that touches the outer one
ROUNDED_CROSSING = shapely.Polygon(
    [
        (3.0, 46.0),
        (3.004, 46.0),
        (3.004, 46.003),
        (3.0021, 46.0012),
        (3.0019, 46.0013),
        (3.0021, 46.0013),
        (3.0019, 46.0012),
        (3.0, 46.003),
    ]
)
TOUCHING = shapely.Polygon(
    [(3.0, 46.0), (3.004, 46.0), (3.004, 46.0037), (3.0, 46.0031)],
    [[(3.001, 46.001), (3.002, 46.001), (3.004, 46.0018), (3.002, 46.002)]],
)
# the notch's tip lies on the opposite edge, at a third of it: on it in degrees, a hair beyond it in metres
TIP_ON_EDGE = shapely.Polygon([(3.0, 46.0), (3.009, 46.0), (3.009, 46.003), (3.003, 46.0), (3.0, 46.003)])


@pytest.mark.parametrize("shape", [ROUNDED_CROSSING, TOUCHING, TIP_ON_EDGE], ids=["crossing", "touching", "tip"])
@pytest.mark.parametrize("crs", [4326, 2154, 3857, 3035])
def test_rounded_outlines_keep_their_area_whatever_projection_they_come_in(shape, crs):
    given_frame = frame(shape, crs=4326).to_crs(crs)
    metric = in_metres(given_frame.geometry.to_numpy(), crs, what="x")[0]
    mended = repair(given_frame)[0]
    again = in_metres(mended.geometry.to_numpy(), crs, what="x")[0]
    assert valid(again).all()
    assert shapely.area(again) == pytest.approx([enclosed_m2(metric[0])], rel=1e-6)


def test_outline_that_no_method_keeps_is_missing_with_what_the_file_held(monkeypatch):
    monkeypatch.setattr(validity, "_METHODS", (("structure", lambda _: shapely.Polygon()),))
    mended, log = repair(frame(SQUARE, EIGHT))
    assert mended.geometry.isna().tolist() == [False, True]
    assert log["reason"].iloc[0].key == "geometry.lost_in_repair"
    assert log[["area_before_m2", "enclosed_m2", "area_after_m2"]].to_numpy().tolist() == [[30_000, 50_000, 0]]
    (lost,) = provenance.provenance(mended)["outline_lost"]
    west, south, east, north = lost["bounds"]
    assert (lost["code"], lost["enclosed_m2"]) == ("QP059001", 50_000)
    assert box(west, south, east, north).area == pytest.approx(
        box(*frame(EIGHT).to_crs(4326).total_bounds).area, rel=1e-3
    )


def test_method_that_loses_the_area_is_followed_by_the_next(monkeypatch):
    empty = ("structure", lambda _: shapely.Polygon())
    monkeypatch.setattr(validity, "_METHODS", (empty, *validity._METHODS[1:]))
    mended, log = repair(frame(BOW_TIE))
    assert log["method"].tolist() == ["linework"]
    assert mended.area.tolist() == [5_000]


def test_check_repair_and_reading_find_the_same_outlines(tmp_path):
    shapes = [ROUNDED_CROSSING, TOUCHING, TIP_ON_EDGE, box(3.1, 46, 3.11, 46.01)]
    codes = [f"QP00100{k}" for k in range(1, 5)]
    given_frame = gpd.GeoDataFrame({"code_qp": codes}, geometry=shapes, crs=4326)
    given_frame.to_file(tmp_path / "qpv.geojson")
    bare = qg.read_qpv(tmp_path / "qpv.geojson", repair=False)
    log = repair(bare)[1]
    found = qg.check(bare)
    (report,) = examine(tmp_path / "qpv.geojson")
    assert len(log)
    assert found.loc[found["kind"] == "invalid", "code"].tolist() == log["code"].tolist()
    assert [one["code"] for one in provenance.provenance(qg.read_qpv(tmp_path / "qpv.geojson"))["repairs"]] == log[
        "code"
    ].tolist()
    assert [one.code for one in report.findings if getattr(one.problem, "key", "") == "quality.invalid"] == log[
        "code"
    ].tolist()
    assert "invalid" not in set(qg.check(repair(bare)[0])["kind"])


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(
    shell=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=3, max_size=14),
    holes=st.lists(
        st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=3, max_size=5, unique=True), max_size=2
    ),
    decimals=st.sampled_from([3, 4, 5, None]),
    place=st.sampled_from([(X, Y, 2154), (644_000, 1_786_000, 5490), (523_000, 8_588_000, 4471)]),
)
def test_area_is_kept_within_the_share_or_the_outline_is_refused(shell, holes, decimals, place):
    x, y, epsg = place
    drawn = shapely.Polygon([(x + 3 * a, y + 3 * b) for a, b in shell], [[(x + a, y + b) for a, b in h] for h in holes])
    given_frame = gpd.GeoDataFrame(geometry=[drawn], index=["QP001001"], crs=epsg)
    if decimals is not None:
        degrees = given_frame.to_crs(4326)
        given_frame = degrees.set_geometry(
            [shapely.transform(degrees.geometry.iloc[0], lambda xy: xy.round(decimals))], crs=4326
        )
    if in_metres(given_frame.geometry.to_numpy(), given_frame.crs, what="x")[1][0] is None:
        return
    before = in_metres(given_frame.geometry.to_numpy(), given_frame.crs, what="x")[0][0]
    mended, log = repair(given_frame)
    shape = mended.geometry.iloc[0]
    if shape is None:
        assert log["reason"].iloc[0].key in {"geometry.no_area", "geometry.lost_in_repair"}
        assert provenance.provenance(mended)["outline_lost"][0]["code"] == "QP001001"
        return
    again = in_metres([shape], mended.crs, what="x")[0][0]
    assert again.is_valid
    assert again.geom_type in AREAL
    assert abs(again.area - enclosed_m2(before)) <= LOST_SHARE * enclosed_m2(before) + 1e-3


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
    assert set(log["method"]) == {"structure"}
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
    assert log.loc[log["method"].isna(), "code"].tolist() == ["QN09105I", "QN09113I", "QN09503I"]
    assert set(mended.geom_type.dropna()) <= AREAL


def test_box_of_the_sample_figure_of_eight_encloses_its_repair():
    qpv = qg.read_qpv(qg.sample().qpv_2015, repair=False)
    mended, log = repair(qpv)
    assert log["code"].tolist() == ["QP099008"]
    assert mended.loc["QP099008"].geometry.within(box(*qpv.loc["QP099008"].geometry.bounds).buffer(1e-6))
