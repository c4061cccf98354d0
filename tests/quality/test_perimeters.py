"""Findings on perimeters: each kind on a tiny frame, and those of the published files."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely import box

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.errors import DataError
from qpvgeo.language.terms import terms
from qpvgeo.quality.perimeters import FINDING_COLUMNS, MIN_OVERLAP_M2

X, Y = 700_000, 6_600_000
KINDS = {"code", "duplicate", "no outline", "invalid", "repaired", "overlap", "same outline", "sliver", "count"}


def at(x, y, width=100, height=100):
    return box(X + x, Y + y, X + x + width, Y + y + height)


def frame(outlines, crs=2154):
    """Frame of `{code: outline}`, or of pairs when codes repeat."""
    pairs = outlines.items() if isinstance(outlines, dict) else outlines
    labels, shapes = zip(*pairs, strict=True)
    return gpd.GeoDataFrame(geometry=list(shapes), index=list(labels), crs=crs)


def found(qpv, *, without=("count",)):
    """Findings as tuples `(code, row, level, kind)`; a tiny frame never has the count of the lists."""
    table = qg.check(qpv)
    table = table[~table["kind"].isin(without)]
    return list(table[["code", "row", "level", "kind"]].itertuples(index=False, name=None))


def only(qpv, kind):
    """The one finding of a kind."""
    table = qg.check(qpv)
    rows = table[table["kind"] == kind]
    assert len(rows) == 1
    return rows.iloc[0]


BOW_TIE = shapely.Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])


def test_sound_extract_has_no_finding_but_its_count():
    qpv = frame({"QP059001": at(0, 0), "QP059002": at(500, 0)})
    assert qg.check(qpv)["kind"].tolist() == ["count"]


def test_frame_without_rows_gives_an_empty_table_of_the_same_form():
    table = qg.check(gpd.GeoDataFrame(geometry=[], crs=2154))
    assert (len(table), tuple(table.columns)) == (0, FINDING_COLUMNS)
    assert (table["row"].dtype, table["area_m2"].dtype) == ("Int64", "Float64")


def test_text_that_is_no_code_is_an_error():
    assert found(frame({"QP059001": at(0, 0), "QN075033": at(500, 0)})) == [("QN075033", 1, "error", "code")]


def test_label_that_is_missing_is_an_error_without_a_code():
    finding = only(frame([("QP059001", at(0, 0)), (None, at(500, 0))]), "code")
    assert pd.isna(finding["code"])
    assert finding[["row", "problem"]].tolist() == [1, "no code"]


def test_code_to_be_repaired_is_a_warning_that_says_how_it_is_read():
    finding = only(frame({"qp59001": at(0, 0)}), "code")
    assert finding[["code", "level", "problem", "action"]].tolist() == [
        "QP059001",
        "warning",
        "written 'qp59001'",
        "read as QP059001",
    ]


def test_codes_of_both_geographies_in_one_frame_are_an_error_of_the_whole():
    finding = only(frame({"QP059001": at(0, 0), "QN05901M": at(500, 0)}), "code")
    assert finding["level"] == "error"
    assert finding[["code", "row"]].isna().all()
    assert "2015 and 2024" in finding["problem"]


def test_code_that_repeats_is_an_error_with_all_its_rows():
    qpv = frame([("QP059001", at(0, 0)), ("QP059002", at(500, 0)), ("QP059001", at(900, 0))])
    finding = only(qpv, "duplicate")
    assert finding[["code", "row", "level", "problem"]].tolist() == [
        "QP059001",
        0,
        "error",
        "appears 2 times (rows 0 and 2)",
    ]


def test_code_written_in_two_ways_repeats():
    assert only(frame({"QP059001": at(0, 0), "qp059001": at(500, 0)}), "duplicate")["code"] == "QP059001"


@pytest.mark.parametrize("nothing", [None, shapely.Polygon()], ids=["missing", "empty"])
def test_outline_that_is_not_there_is_an_error(nothing):
    assert found(frame({"QP059001": at(0, 0), "QP059002": nothing})) == [("QP059002", 1, "error", "no outline")]


def test_ring_that_crosses_itself_is_a_warning_with_its_place():
    finding = only(frame({"QP059001": BOW_TIE}), "invalid")
    assert finding[["code", "level", "problem"]].tolist() == [
        "QP059001",
        "warning",
        f"Self-intersection[{X + 50} {Y + 50}]",
    ]


def test_overlap_tells_the_pair_and_the_area():
    finding = only(frame({"QP059001": at(0, 0), "QP059002": at(99, 0)}), "overlap")
    assert finding[["code", "row", "level", "area_m2"]].tolist() == ["QP059001 / QP059002", 0, "warning", 100.0]


def test_kinds_that_name_no_problem_themselves_have_french_words():
    shown = KINDS - {"code", "invalid"}
    assert {kind for kind in shown if kind not in terms() or terms()[kind]["fr"] == kind} == set()


def test_overlaps_come_largest_first():
    qpv = frame({"QP059001": at(0, 0), "QP059002": at(99, 0), "QP059003": at(190, 0)})
    table = qg.check(qpv)
    assert table.loc[table["kind"] == "overlap", "area_m2"].tolist() == [900.0, 100.0]


def test_overlap_of_rounding_size_is_no_finding():
    width = MIN_OVERLAP_M2 / 100
    assert found(frame({"QP059001": at(0, 0), "QP059002": at(100 - width / 2, 0)})) == []
    assert len(found(frame({"QP059001": at(0, 0), "QP059002": at(100 - 2 * width, 0)}))) == 1


def test_neighbours_with_a_common_limit_do_not_overlap():
    assert found(frame({"QP059001": at(0, 0), "QP059002": at(100, 0)})) == []


def test_invalid_outline_overlaps_as_the_area_it_encloses():
    finding = only(frame({"QP059001": BOW_TIE, "QP059002": at(0, 0)}), "overlap")
    assert finding["area_m2"] == 5_000


def test_two_codes_with_one_outline_are_not_a_mere_overlap():
    assert found(frame({"QP059001": at(0, 0), "QP059002": at(0, 0)})) == [
        ("QP059001 / QP059002", 0, "warning", "same outline")
    ]


def test_thin_part_of_an_outline_is_a_sliver():
    finding = only(frame({"QP059001": shapely.MultiPolygon([at(0, 0), at(500, 0, 0.5, 100)])}), "sliver")
    assert finding[["code", "row", "problem", "area_m2"]].tolist() == ["QP059001", 0, "part 0.50 m wide", 50.0]


def test_thin_hole_of_an_outline_is_a_sliver():
    finding = only(frame({"QP059001": at(0, 0).difference(at(50, 10, 0.2, 80))}), "sliver")
    assert finding[["problem", "area_m2"]].tolist() == ["hole 0.20 m wide", 16.0]


def test_wide_parts_and_holes_are_no_slivers():
    wide = shapely.MultiPolygon([at(0, 0).difference(at(50, 10, 5, 80)), at(500, 0, 5, 100)])
    assert found(frame({"QP059001": wide})) == []


def test_outline_of_one_thin_part_is_not_a_sliver_of_another():
    assert found(frame({"QP059001": at(0, 0, 0.5, 100)})) == []


def test_slivers_are_told_of_the_right_row_after_a_missing_outline():
    qpv = frame({"QP059001": None, "QP059002": shapely.MultiPolygon([at(0, 0), at(500, 0, 0.5, 100)])})
    assert found(qpv) == [("QP059001", 0, "error", "no outline"), ("QP059002", 1, "warning", "sliver")]


def test_count_that_no_list_has_is_told_with_those_of_the_lists():
    squares = {f"QP9780{k:02d}": box(-63.1 + k / 100, 18.07, -63.095 + k / 100, 18.075) for k in (1, 2, 3)}
    finding = only(frame(squares, crs=4326), "count")
    assert finding["problem"] == "Saint-Martin: 3 QPV, the lists of 2015 have 2"
    assert finding[["code", "row"]].isna().all()


def test_count_of_a_list_is_no_finding():
    squares = {f"QP9780{k:02d}": box(-63.1 + k / 100, 18.07, -63.095 + k / 100, 18.075) for k in (1, 2)}
    assert found(frame(squares, crs=4326), without=()) == []


def test_mayotte_of_2024_may_count_42_or_17():
    square = {"QN97651C": box(45.2, -12.8, 45.21, -12.79)}
    assert only(frame(square, crs=4326), "count")["problem"] == "Mayotte: 1 QPV, the lists of 2024 have 17 or 42"


def test_graver_findings_come_first():
    qpv = frame({"QP059001": BOW_TIE, "QP059002": None, "QP059003": at(500, 0)})
    assert qg.check(qpv)["level"].tolist() == ["error", "warning", "warning"]


def test_areas_at_stake_are_in_the_legal_projection():
    qpv = frame({"QP059001": at(0, 0), "QP059002": at(99, 0)})
    finding = only(qpv.to_crs(4326), "overlap")
    assert finding["area_m2"] == pytest.approx(100, abs=0.1)


def test_frame_without_projection_is_refused():
    with pytest.raises(DataError, match="no CRS"):
        qg.check(frame({"QP059001": at(0, 0)}, crs=None))


def test_outlines_outside_france_are_refused():
    with pytest.raises(DataError) as caught:
        qg.check(frame({"QP059001": box(50.63, 3.06, 50.64, 3.07)}, crs=4326))
    assert caught.value.key == "geometry.outside_france"


def test_frame_is_not_changed():
    qpv = frame({"qp059001": BOW_TIE, "QP059002": None})
    before = qpv.copy(deep=True)
    qg.check(qpv)
    assert qpv.index.tolist() == before.index.tolist()
    assert qpv.to_wkb().equals(before.to_wkb())


def test_sample_as_published_has_one_invalid_outline():
    table = qg.check(qg.read_qpv(qg.sample().qpv_2015, repair=False))
    assert table[["code", "row", "kind"]].to_numpy().tolist() == [["QP099008", 7, "invalid"]]


def test_sample_after_repair_tells_the_repair_and_its_gain():
    table = qg.check(qg.read_qpv(qg.sample().qpv_2015))
    assert table[["code", "row", "kind", "area_m2", "action"]].to_numpy().tolist() == [
        ["QP099008", 7, "repaired", 25.164, "repaired when read: +25.164 m²"]
    ]


def test_sample_of_2024_is_sound():
    assert qg.check(qg.read_qpv(qg.sample().qpv_2024)).empty


@pytest.fixture(scope="module")
def shapefiles(real_data):
    return real_data / "qpv2015" / "shp"


@pytest.mark.real
def test_hexagone_of_2015_has_25_invalid_outlines_eight_overlaps_and_the_right_count(shapefiles):
    table = qg.check(qg.read_qpv(shapefiles / "QP_METROPOLE_LB93.shp", repair=False))
    assert table["kind"].value_counts().to_dict() == {"invalid": 25, "overlap": 8, "sliver": 4}
    assert set(table["level"]) == {"warning"}
    largest = table[table["kind"] == "overlap"].iloc[0]
    assert largest["code"] == "QP095036 / QP095037"
    assert round(largest["area_m2"]) == 73


@pytest.mark.real
def test_national_file_of_2015_has_34_invalid_outlines_and_the_right_counts(shapefiles):
    table = qg.check(qg.read_qpv(shapefiles / "QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp", repair=False))
    assert table["kind"].value_counts().to_dict() == {"invalid": 34, "overlap": 29, "sliver": 5}
    largest = table[table["kind"] == "overlap"].iloc[0]
    # the eight of the hexagone are not the largest: an overseas one is
    assert largest["code"] == "QP976017 / QP976032"
    assert round(largest["area_m2"]) == 407


@pytest.mark.real
def test_repaired_frame_tells_its_25_repairs_and_no_invalid_outline(shapefiles):
    table = qg.check(qg.read_qpv(shapefiles / "QP_METROPOLE_LB93.shp"))
    kinds = table["kind"].value_counts()
    assert kinds["repaired"] == 25
    assert "invalid" not in kinds
    widest = table.loc[table["kind"] == "repaired"].set_index("code")["area_m2"]
    assert widest.idxmax() == "QP084012"
    assert round(widest.max()) == 49_182


@pytest.mark.real
def test_extract_is_told_as_an_extract(shapefiles):
    qpv = qg.read_qpv(shapefiles / "QP_METROPOLE_LB93.shp")
    assert only(qpv.iloc[:-1], "count")["problem"] == "France hexagonale: 1,295 QPV, the lists of 2015 have 1,296"


@pytest.mark.real
def test_list_of_2024_with_42_qpv_in_mayotte_counts_as_a_list(real_data):
    table = qg.check(qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson"))
    assert "count" not in set(table["kind"])
    assert table.loc[table["level"] == "error", ["code", "kind"]].to_numpy().tolist() == [
        ["QN09105I", "no outline"],
        ["QN09113I", "no outline"],
        ["QN09503I", "no outline"],
    ]
    assert facts.expected_counts(2024)["hexagone"] == {1362}
    assert set(table["kind"]) <= KINDS
