"""The doctor: a broken record is named by its number, the others are judged, sound files pass."""

import gzip
import json

import geopandas as gpd
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.language import Note
from qpvgeo.quality.files import examine

N = 5
EXTRACT = "count: France hexagonale"
HEADER_BYTES = 100
RECORD_BYTES = 8 + 128  # header of the record, polygon of five points

# features of every published file, and how many of its outlines are invalid
PUBLISHED = {
    "qpv2015/shp/QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp": (1514, 34),
    "qpv2015/shp/QP_METROPOLE_LB93.shp": (1296, 25),
    "qpv2015/shp/QP_GUADELOUPE_WGS84_UTM20N.shp": (16, 3),
    "qpv2015/shp/QP_MARTINIQUE_WGS84_UTM20N.shp": (7, 0),
    "qpv2015/shp/QP_GUYANE_RGF95_UTM22N.shp": (32, 1),
    "qpv2015/shp/QP_LAREUNION_RGR92_UTM40S.shp": (49, 2),
    "qpv2015/shp/QP_MAYOTTE_RGM04_UTM38S.shp": (36, 0),
    "qpv2015/shp/QP_STMARTIN_WGS84_UTM20N.shp": (2, 0),
    "qpv2015/shp/QP_POLYNESIEFRANCAISE_WGS84_EPSG4326.shp": (76, 3),
    "qpv2024/qpv2024_bondy_clip_fullres.gpkg": (4, 0),
}
TABLES = {
    "qpv2015/pop_qp_2013.csv": ("population", 1514),
    "qpv2015/pop_qp_2013.xls": ("population", 1514),
    "qpv2015/P13_POP_insee.csv": ("communes population", 36_683),
    "qpv2024/insee_indicateurs_qpv2024.csv": ("population", 1518),
    "admin/cog2024_communes.csv": ("communes table", 35_029),
    "admin/cog2024_epci.csv": ("epci", 1255),
    "points/ban_bondy_93010.csv": ("addresses", 8413),
}
REFUSED = {"filosofi/filosofi2019_200m_bondy.gpkg": ["filosofi2019_200m_bondy.gpkg:resteBondy"]}
"""Layers that their reader refuses: cells on several rows."""

OUTLINES = {
    "admin/communes_2024_100m_sauf_44_75_76.parquet": {"communes": 21_198},
    "admin/communes_2018_regions_44_75_76.parquet": {"communes": 14_022},
    "admin/departements_2024_100m.parquet": {"outlines": 109},
    "admin/epci_2024_100m.parquet": {"outlines": 1255},
    "admin/regions_metropole_2024_100m.parquet": {"outlines": 13},
    "filosofi/filosofi2017_200m_lille.gpkg": {"outlines": 1 + 9096, "communes": 121, "perimeters": 26},
    "filosofi/filosofi2019_200m_bondy.gpkg": {"grid": 164 + 19 + 256},
    "npnru/Paris_TVA.gpkg": {"outlines": 114, "perimeters": 287},
    "qpv2024/centroide-4326_qpv.geojson": {"points": 824},
}


@pytest.fixture
def squares():
    """Five squares of 300 m, a kilometre apart, with codes of the Ain."""
    corners = [(860_000 + 1000 * k, 6_570_000) for k in range(N)]
    shapes = [shapely.box(x, y, x + 300, y + 300) for x, y in corners]
    codes = [f"QP001{k + 1:03d}" for k in range(N)]
    return gpd.GeoDataFrame({"CODE_QP": codes, "NOM_QP": list("abcde")}, geometry=shapes, crs=2154)


@pytest.fixture
def shapefile(squares, tmp_path):
    squares.to_file(tmp_path / "qp.shp")
    return tmp_path / "qp.shp"


@pytest.fixture
def geojson(squares, tmp_path):
    """Write the squares in degrees, after a change to the list of features; gives the path."""

    def write(change):
        collection = json.loads(squares.to_crs(4326).to_json())
        change(collection["features"])
        path = tmp_path / "qp.geojson"
        path.write_text(json.dumps(collection), encoding="utf-8")
        return path

    return write


def judged(path):
    """The only report of a file, and its findings but for the count, which is right of five squares."""
    (report,) = examine(path)
    return report, [found for found in report.findings if not found.problem.startswith(EXTRACT)]


def errors(report):
    return [(found.row, found.code) for found in report.findings if found.level == "error"]


def test_sound_shapefile_has_no_finding_but_its_number_of_qpv(shapefile):
    report, found = judged(shapefile)
    assert (report.ok, report.kind, report.features, found) == (True, "perimeters", N, [])
    assert [finding.problem for finding in report.findings] == [
        "count: France hexagonale: 5 QPV, the lists of 2015 have 1,296"
    ]


def test_shapefile_cut_in_the_middle_names_the_records_lost_and_judges_the_others(shapefile):
    shapefile.write_bytes(shapefile.read_bytes()[: HEADER_BYTES + 2 * RECORD_BYTES + 60])
    report, found = judged(shapefile)
    assert (report.ok, report.features) == (False, N)
    assert [(one.row, one.code, one.problem) for one in found] == [
        (3, "QP001003", "no outline"),
        (4, "QP001004", "no outline"),
        (5, "QP001005", "no outline"),
    ]
    assert "France hexagonale: 2 QPV" in report.findings[-1].problem


@pytest.mark.parametrize(("offset", "what"), [(8, "shape type"), (8 + 36, "number of parts"), (8 + 40, "of points")])
def test_shapefile_with_a_record_corrupted_in_place_names_that_record_alone(shapefile, offset, what):
    content = bytearray(shapefile.read_bytes())
    at = HEADER_BYTES + RECORD_BYTES + offset
    content[at : at + 4] = (999_999).to_bytes(4, "little")
    shapefile.write_bytes(bytes(content))
    report, found = judged(shapefile)
    assert report.features == N, what
    assert [(one.level, one.row, one.code) for one in found] == [("error", 2, "QP001002")], what


def test_dbf_with_fewer_records_than_announced_says_how_many_could_be_read(shapefile):
    dbf = shapefile.with_suffix(".dbf")
    content = dbf.read_bytes()
    head, width = (int.from_bytes(content[at : at + 2], "little") for at in (8, 10))
    dbf.write_bytes(content[: head + 3 * width])
    report, found = judged(shapefile)
    assert (report.ok, report.features) == (False, 3)
    assert [one.problem for one in found] == ["5 records are announced, 3 could be read"]
    assert [one.row for one in found] == [None]


def test_shapefile_without_its_index_cannot_be_opened_and_says_which_file_is_missing(shapefile):
    shapefile.with_suffix(".shx").unlink()
    report, found = judged(shapefile)
    assert (report.ok, report.kind, report.features) == (False, "unknown", 0)
    assert "qp.shx" in found[0].problem


def test_lambert_shapefile_without_prj_is_read_as_lambert_with_a_warning(squares, tmp_path):
    north = squares.set_geometry(squares.translate(yoff=250_000))
    north.to_file(tmp_path / "qp.shp")
    (tmp_path / "qp.prj").unlink()
    report, found = judged(tmp_path / "qp.shp")
    assert report.ok
    assert [(one.level, one.action) for one in found] == [("warning", "read so")]
    assert "EPSG:2154" in found[0].problem


def test_codes_decide_between_lambert_and_web_mercator_as_they_do_for_the_reader(shapefile):
    shapefile.with_suffix(".prj").unlink()
    report, found = judged(shapefile)
    assert report.ok
    assert [one.problem.key for one in found] == ["read.crs_by_codes"]
    assert found[0].problem.values["crs"] == f"EPSG:{qg.read_qpv(shapefile).crs.to_epsg()}"


def test_coordinates_that_fit_lambert_and_web_mercator_alike_are_an_error_where_no_code_decides(shapefile, tmp_path):
    bare = gpd.read_file(shapefile).drop(columns="CODE_QP").assign(rang=1)
    bare.to_file(tmp_path / "bare.shp")
    (tmp_path / "bare.prj").unlink()
    report, found = judged(tmp_path / "bare.shp")
    assert not report.ok
    assert "EPSG:2154 and EPSG:3857" in found[0].problem


def test_coordinates_that_fit_no_system_known_are_an_error_of_the_file(squares, tmp_path):
    squares.translate(xoff=-200_000, yoff=-4_800_000).to_frame("geometry").assign(CODE_QP=squares["CODE_QP"]).to_file(
        tmp_path / "qp.shp"
    )
    (tmp_path / "qp.prj").unlink()
    report, found = judged(tmp_path / "qp.shp")
    assert (report.ok, report.features) == (False, N)
    assert [(one.row, one.level) for one in found] == [(None, "error")]
    assert "declares no projection" in found[0].problem


def test_geojson_ring_of_two_points_cannot_be_built(geojson):
    report, found = judged(geojson(lambda features: features[1]["geometry"]["coordinates"][0].__delitem__(slice(2, 9))))
    assert report.features == N
    assert [(one.level, one.row, one.code) for one in found] == [("error", 2, "QP001002")]
    assert found[0].problem.startswith("the outline cannot be built")


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[["a", "b"], ["c", "d"], ["e", "f"], ["a", "b"]]]},
        {"type": "Nothing", "coordinates": [[[3, 46], [4, 46], [4, 47], [3, 46]]]},
    ],
    ids=["null", "empty", "text coordinates", "unknown type"],
)
def test_geojson_feature_without_a_usable_geometry_has_no_outline(geojson, geometry):
    report, found = judged(geojson(lambda features: features[3].update(geometry=geometry)))
    assert report.features == N
    assert [(one.level, one.row, one.code, one.problem) for one in found] == [("error", 4, "QP001004", "no outline")]


def test_outline_that_simplification_collapsed_is_kept_without_outline_as_the_reader_does(geojson):
    flat = {"type": "Polygon", "coordinates": [[[3, 46], [3.1, 46], [3.2, 46], [3, 46]]]}
    path = geojson(lambda features: features[0].update(geometry=flat))
    report, found = judged(path)
    assert report.ok
    assert [(one.level, one.row, one.code, one.problem.key, one.action.key) for one in found] == [
        ("warning", 1, "QP001001", "quality.no_area", "quality.kept_bare")
    ]
    assert qg.read_qpv(path).geometry.isna().tolist() == [True, False, False, False, False]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "LineString", "coordinates": [[3, 46], [3.1, 46.1]]},
        {"type": "Point", "coordinates": [3, 46]},
    ],
    ids=["line", "point"],
)
def test_outline_of_a_qpv_that_encloses_no_area_is_an_error(geojson, geometry):
    report, found = judged(geojson(lambda features: features[0].update(geometry=geometry)))
    assert errors(report) == [(1, "QP001001")]
    assert found[0].problem.startswith("the outline encloses no area")


def test_invalid_outline_is_a_warning_that_says_where(geojson):
    bow_tie = {"type": "Polygon", "coordinates": [[[3, 46], [3.01, 46.01], [3.01, 46], [3, 46.01], [3, 46]]]}
    report, found = judged(geojson(lambda features: features[2].update(geometry=bow_tie)))
    assert report.ok
    assert [(one.row, one.code, one.action) for one in found] == [(3, "QP001003", "made valid when read")]
    assert found[0].problem.startswith("invalid outline: Self-intersection")


def test_geojson_that_stops_in_the_middle_cannot_be_opened(geojson):
    path = geojson(list)
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: len(text) // 2], encoding="utf-8")
    report, found = judged(path)
    assert (report.ok, report.kind, report.features) == (False, "unknown", 0)
    assert [(one.row, one.action) for one in found] == [(None, Note("formats.get_again"))]
    assert found[0].problem.startswith("qp.geojson cannot be read")


def test_property_that_is_a_number_in_one_feature_and_text_in_another_breaks_nothing(geojson):
    def mix(features):
        for feature, value in zip(features, [12, "NA", 3.5, None, [1]], strict=True):
            feature["properties"]["pop"] = value

    report, found = judged(geojson(mix))
    assert (report.ok, report.features, found) == (True, N, [])


def test_swapped_axes_are_an_error_of_every_record_with_the_likely_cause(geojson):
    def swap(features):
        for feature in features:
            feature["geometry"]["coordinates"] = [[[y, x] for x, y in feature["geometry"]["coordinates"][0]]]

    report, found = judged(geojson(swap))
    assert [one.row for one in found] == [1, 2, 3, 4, 5]
    assert {one.problem for one in found} == {"the code is of hexagone, the outline lies in no territory"}
    assert {one.action for one in found} == {"check whether latitude and longitude are exchanged"}
    assert report.features == N


def test_duplicated_code_names_its_records_by_number_even_after_a_broken_one(geojson):
    def double(features):
        features[0]["geometry"] = None
        features[4]["properties"]["CODE_QP"] = "QP001003"

    report, found = judged(geojson(double))
    assert errors(report) == [(1, "QP001001"), (3, "QP001003")]
    assert found[1].problem == "duplicate: appears several times (records 3, 5)"


def test_lower_case_code_with_spaces_is_read_with_a_warning(geojson):
    report, found = judged(geojson(lambda features: features[1]["properties"].update(CODE_QP=" qp001002 ")))
    assert report.ok
    assert [(one.row, one.code, one.problem, one.action) for one in found] == [
        (2, "QP001002", "code written ' qp001002 '", "read as QP001002")
    ]


@pytest.mark.parametrize(
    ("code", "problem"), [("QP999001", "'QP999001' is not the code of a QPV"), (None, "no code"), ("", "no code")]
)
def test_code_that_is_none_is_an_error_of_its_record(geojson, code, problem):
    report, found = judged(geojson(lambda features: features[1]["properties"].update(CODE_QP=code)))
    assert report.features == N
    assert [(one.level, one.row, one.problem) for one in found] == [("error", 2, problem)]


def test_several_faults_are_all_told_errors_first(geojson):
    def spoil(features):
        features[0]["properties"]["CODE_QP"] = "qp001001"
        features[2]["geometry"] = None
        features[4]["properties"]["CODE_QP"] = "X"

    report, found = judged(geojson(spoil))
    assert [(one.level, one.row) for one in found] == [("error", 3), ("error", 5), ("warning", 1)]
    assert report.findings[: len(found)] == found


def test_geoparquet_is_judged_record_by_record(squares, tmp_path):
    squares.loc[1, "geometry"] = None
    squares.to_parquet(tmp_path / "qp.parquet")
    report, found = judged(tmp_path / "qp.parquet")
    assert (report.kind, report.features) == ("perimeters", N)
    assert [(one.row, one.code, one.problem) for one in found] == [(2, "QP001002", "no outline")]


def test_a_grid_whose_ids_are_not_text_that_can_be_read_is_damaged(tmp_path):
    ids = [f"CRS3035RES200mN{2_894_000 + 200 * row}E3771400" for row in range(3)]
    cells = gpd.GeoDataFrame({"idcar_200m": ids, "ind": [1, 2, 3]}, geometry=[shapely.box(3, 46, 4, 47)] * 3, crs=4326)
    path = tmp_path / "cells.parquet"
    cells.to_parquet(path, compression=None)
    path.write_bytes(path.read_bytes().replace(b"2894200E3771400", b"2894200E377\xff400"))
    assert [report.ok for report in examine(path)] == [False]
    with pytest.raises(DataError) as caught:
        qg.read_grid(path)
    assert caught.value.key == "formats.unreadable"


def test_each_layer_of_a_geopackage_has_its_report(squares, tmp_path):
    squares.to_file(tmp_path / "two.gpkg", layer="perimeters")
    squares.drop(columns="CODE_QP").to_file(tmp_path / "two.gpkg", layer="others")
    kinds = {report.file: report.kind for report in examine(tmp_path / "two.gpkg")}
    assert kinds == {"two.gpkg:perimeters": "perimeters", "two.gpkg:others": "outlines"}


def test_points_with_codes_of_qpv_are_no_perimeters(squares, tmp_path):
    squares.set_geometry(squares.centroid).to_crs(4326).to_file(tmp_path / "centres.geojson")
    report, found = judged(tmp_path / "centres.geojson")
    assert (report.ok, report.kind, report.features, found) == (True, "points", N, [])


def test_table_with_a_bad_code_names_the_line(tmp_path):
    path = tmp_path / "pop_qp_2013.csv"
    path.write_text("qp;nom_qp;population_municipale_2013\nQP001001;a;1000\nXX12;b;3000\n", encoding="utf-8")
    report, found = judged(path)
    assert (report.ok, report.kind) == (False, "population")
    assert len(found) == 1
    assert found[0].problem.startswith("row 3: 'XX12' is not the code of a QPV")


def test_unknown_file_is_an_error_when_named_and_a_warning_in_a_folder(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    named, (found,) = judged(path)
    (inside,) = examine(tmp_path)
    assert (named.ok, named.kind, found.level) == (False, "unknown", "error")
    assert found.problem == "neither its name nor its columns are those of a published file"
    assert (inside.ok, inside.kind, [one.level for one in inside.findings]) == (True, "unknown", ["warning"])


def test_damaged_workbook_under_a_published_name_is_an_error_in_a_folder_too(tmp_path):
    (tmp_path / "pop_qp_2013.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    (report,) = examine(tmp_path)
    assert not report.ok
    assert report.findings[0].problem.startswith("pop_qp_2013.xls cannot be read")


def test_addresses_compressed_by_gzip_are_counted_and_a_half_file_is_an_error(tmp_path):
    rows = gzip.decompress(qg.sample().addresses.read_bytes())
    path = tmp_path / "adresses-99.csv.gz"
    path.write_bytes(gzip.compress(rows, mtime=0))
    (whole,) = examine(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (half,) = examine(path)
    assert (whole.ok, whole.kind, whole.features) == (True, "addresses", rows.count(b"\n") - 1)
    assert (half.ok, half.features) == (False, 0)
    assert "adresses-99.csv.gz cannot be unpacked" in half.findings[0].problem


def test_nothing_at_the_path_raises(tmp_path):
    with pytest.raises(MissingDataError, match=r"There is no file .*gone\.shp"):
        examine(tmp_path / "gone.shp")


def test_empty_folder_gives_no_report(tmp_path):
    assert examine(tmp_path) == []


def test_report_as_dict_is_plain_json(geojson):
    (report,) = examine(geojson(lambda features: features[1].update(geometry=None)))
    found = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert list(found) == ["file", "kind", "features", "findings"]
    assert found["findings"][0] == {
        "code": "QP001002",
        "row": 2,
        "level": "error",
        "problem": "no outline",
        "action": "get another copy of the file",
    }


def test_sample_passes_and_its_invalid_ring_is_named():
    reports = {report.file: report for report in examine(qg.sample().path)}
    assert all(report.ok for report in reports.values())
    rings = [
        (name, found.row, found.code)
        for name, report in reports.items()
        for found in report.findings
        if "invalid" in found.problem
    ]
    assert rings == [("qp-politiquedelaville-shp.zip (QP_METROPOLE_LB93.shp)", 8, "QP099008")]
    kinds = {report.kind for report in reports.values()}
    assert {"perimeters", "population", "population by commune", "communes table", "epci", "grid", "addresses"} <= kinds


@pytest.mark.real
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_perimeters_pass_with_their_invalid_outlines_counted(real_data, name):
    (report,) = examine(real_data / name)
    features, invalid = PUBLISHED[name]
    named = [found for found in report.findings if found.problem.startswith("invalid outline")]
    assert (report.ok, report.kind, report.features, len(named)) == (True, "perimeters", features, invalid)
    assert all(found.row and found.code for found in named)


@pytest.mark.real
def test_simplified_copy_of_the_2024_perimeters_has_three_collapsed_outlines(real_data):
    (report,) = examine(real_data / "qpv2024" / "qpv2024_simplified.geojson")
    assert (report.kind, report.features) == ("perimeters", 1609)
    assert report.ok
    flat = [
        (found.row, found.code) for found in report.findings if getattr(found.problem, "key", "") == "quality.no_area"
    ]
    assert flat == [(1137, "QN09105I"), (1145, "QN09113I"), (1323, "QN09503I")]
    assert sum(found.problem.startswith("invalid outline") for found in report.findings) == 82


@pytest.mark.real
@pytest.mark.parametrize("name", TABLES)
def test_published_table_is_recognised_and_counted(real_data, name):
    (report,) = examine(real_data / name)
    assert (report.ok, report.kind, report.features) == (True, *TABLES[name])


@pytest.mark.real
@pytest.mark.parametrize("name", OUTLINES)
def test_other_published_outlines_are_counted_by_kind(real_data, name):
    reports = examine(real_data / name)
    counts = {}
    for report in reports:
        counts[report.kind] = counts.get(report.kind, 0) + report.features
    assert [report.file for report in reports if not report.ok] == REFUSED.get(name, [])
    assert counts == OUTLINES[name]


@pytest.mark.real
def test_published_shapefile_cut_in_the_middle_names_the_records_lost(real_data, tmp_path):
    for part in (real_data / "qpv2015" / "shp").glob("QP_METROPOLE_LB93.*"):
        (tmp_path / part.name).write_bytes(part.read_bytes())
    path = tmp_path / "QP_METROPOLE_LB93.shp"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (report,) = examine(path)
    lost = [found.row for found in report.findings if found.problem == "no outline"]
    assert report.features == 1296
    assert lost == list(range(lost[0], 1297))
    assert 1 < lost[0] < 1296
    assert all(found.code for found in report.findings if found.problem == "no outline")
