"""Published files of perimeters as they are read."""

import shutil

import numpy as np
import pyproj
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from tests.read.perimeter_files import about, noted

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.geometry.projection import to_metric
from qpvgeo.read.qpv import read_qpv

FILES_2015 = {
    "QP_METROPOLE_LB93": ("hexagone", 1296, 2154),
    "QP_GUADELOUPE_WGS84_UTM20N": ("971", 16, 32620),
    "QP_MARTINIQUE_WGS84_UTM20N": ("972", 7, 32620),
    "QP_GUYANE_RGF95_UTM22N": ("973", 32, 2972),
    "QP_LAREUNION_RGR92_UTM40S": ("974", 49, 2975),
    "QP_MAYOTTE_RGM04_UTM38S": ("976", 36, 4470),
    "QP_STMARTIN_WGS84_UTM20N": ("978", 2, 32620),
    "QP_POLYNESIEFRANCAISE_WGS84_EPSG4326": ("987", 76, 4326),
}
NATIONAL_2015 = "QP_METROPOLEOUTREMER_WGS84_EPSG4326"
COUNTS_2024 = {"hexagone": 1362, "971": 19, "972": 9, "973": 29, "974": 57, "976": 42, "978": 3, "987": 88}
CRUSHED = ["QN09105I", "QN09113I", "QN09503I"]


@pytest.fixture(scope="module")
def shp(real_data):
    return real_data / "qpv2015" / "shp"


@pytest.fixture(scope="module")
def whole_2015(shp):
    """The nine shapefiles of 2015, joined."""
    return read_qpv(shp)


@pytest.fixture(scope="module")
def real_2024(real_data):
    return read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson")


@pytest.mark.real
@pytest.mark.parametrize("name", FILES_2015)
def test_real_shapefile_of_2015(shp, name):
    territory, count, epsg = FILES_2015[name]
    qpv = read_qpv(shp / f"{name}.shp")
    assert (len(qpv), set(qpv["territory"]), qpv.crs.to_epsg()) == (count, {territory}, epsg)
    assert list(about(qpv)["features_in"].values()) == [count]
    assert qpv.index.map(len).unique().tolist() == [8]
    assert qpv.is_valid.all()
    assert qpv["name"].notna().all()


@pytest.mark.real
def test_real_national_file_of_2015(shp):
    qpv = read_qpv(shp / f"{NATIONAL_2015}.shp")
    counts = {territory: count for territory, count, _ in FILES_2015.values()}
    assert qpv["territory"].value_counts().to_dict() == counts
    assert len(qpv) == 1514
    assert len(about(qpv)["repairs"]) == 34


@pytest.mark.real
def test_real_codes_of_width_16_in_martinique(shp):
    header = (shp / "QP_MARTINIQUE_WGS84_UTM20N.dbf").read_bytes()
    assert (header[32:39], header[48]) == (b"CODE_QP", 16)
    assert read_qpv(shp / "QP_MARTINIQUE_WGS84_UTM20N.shp").index.str.fullmatch(r"QP972\d{3}").all()


@pytest.mark.real
def test_real_file_named_utm_38s_holds_degrees(shp):
    qpv = read_qpv(shp / "QP_MAYOTTE_RGM04_UTM38S.shp")
    west, south, east, north = qpv.total_bounds
    assert 45 < west < east < 45.4
    assert -13.1 < south < north < -12.6


@pytest.mark.real
def test_real_nine_files_are_the_1514(whole_2015, shp):
    assert len(whole_2015) == 1514
    assert set(whole_2015.index) == set(read_qpv(shp / f"{NATIONAL_2015}.shp", repair=False).index)
    assert whole_2015.crs.to_epsg() == 4326
    assert whole_2015.is_valid.all()
    assert sum(about(whole_2015)["features_in"].values()) == 2 * 1514


@pytest.mark.real
def test_real_outlines_of_a_territory_come_before_the_national_ones(whole_2015, shp):
    (note,) = [note for note in about(whole_2015)["notes"] if note.key == "read.other_outlines"]
    assert {key: note.values[key] for key in ("count", "far", "places", "most")} == {
        "count": 1514,
        "far": 32,
        "places": ["973"],
        "most": 3.4,
    }
    own = read_qpv(shp / "QP_GUYANE_RGF95_UTM22N.shp").to_crs(4326)
    kept = whole_2015.loc[own.index]
    assert shapely.equals_exact(kept.geometry.to_numpy(), own.geometry.to_numpy(), tolerance=1e-9).all()


def vertices(shapes, crs):
    return shapely.get_coordinates(to_metric(shapes.to_numpy(), crs)[0])


@pytest.mark.real
@pytest.mark.parametrize("name", FILES_2015)
def test_real_local_and_national_outlines_are_the_same_but_in_guyane(shp, name):
    local = read_qpv(shp / f"{name}.shp", repair=False)
    national = read_qpv(shp / f"{NATIONAL_2015}.shp", repair=False).loc[local.index]
    apart = np.linalg.norm(vertices(local.geometry, local.crs) - vertices(national.geometry, national.crs), axis=1)
    if FILES_2015[name][0] == "973":
        assert apart.min() == pytest.approx(3.41, abs=0.005)
        assert apart.max() == pytest.approx(3.42, abs=0.005)
    else:
        assert apart.max() < 3e-5


@pytest.mark.real
def test_real_gap_of_guyane_is_the_withdrawn_translation_of_2_2_minus_2(shp):
    local = read_qpv(shp / "QP_GUYANE_RGF95_UTM22N.shp", repair=False)
    national = read_qpv(shp / f"{NATIONAL_2015}.shp", repair=False).loc[local.index]
    withdrawn = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +inv +proj=utm +zone=22 +ellps=GRS80 "
        "+step +proj=cart +ellps=GRS80 +step +proj=helmert +x=2 +y=2 +z=-2 "
        "+step +inv +proj=cart +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    moved = local.geometry.transform(lambda xy: np.column_stack(withdrawn.transform(*xy.T)))
    apart = np.linalg.norm(vertices(moved, 4326) - vertices(national.geometry, 4326), axis=1)
    assert apart.max() < 0.001


@pytest.mark.real
def test_real_area_of_the_hexagone_in_2015(shp):
    raw, mended = (read_qpv(shp / "QP_METROPOLE_LB93.shp", repair=choice) for choice in (False, True))
    assert raw.area.sum() / 1e6 == pytest.approx(386.26, abs=0.005)
    gained = sum(change["difference_m2"] for change in about(mended)["repairs"])
    assert mended.area.sum() - raw.area.sum() == pytest.approx(gained, abs=0.1)


@pytest.mark.real
def test_real_list_of_2024_in_the_release_of_2025(real_2024):
    assert real_2024["territory"].value_counts().to_dict() == COUNTS_2024
    assert len(real_2024) == 1609
    assert set(real_2024["release"]) == {"2025"}
    assert official.classify_qpv(real_2024.index.to_series())["status"].value_counts().to_dict() == {
        "modified": 1115,
        "unchanged": 341,
        "new": 153,
    }


@pytest.mark.real
def test_real_outlines_that_enclose_no_area_stay_as_rows_without_outline(real_2024):
    assert real_2024.index[real_2024.geometry.isna()].tolist() == CRUSHED
    logged = {change["code"] for change in about(real_2024)["repairs"] if "no area" in change["reason"]}
    assert logged == set(CRUSHED)
    assert len(about(real_2024)["repairs"]) == 85


@pytest.mark.real
def test_real_qpv_in_several_communes(real_2024):
    sizes = real_2024["communes"].map(len).value_counts().to_dict()
    assert sizes == {1: 1460, 2: 115, 3: 26, 4: 7, 5: 1}


@pytest.mark.real
def test_real_clip_of_bondy_never_takes_the_place_of_the_whole(real_data, real_2024):
    folder = real_data / "qpv2024"
    joined = read_qpv([folder / "qpv2024_bondy_clip_fullres.gpkg", folder / "qpv2024_simplified.geojson"])
    assert len(joined) == 1609
    assert joined.geometry.geom_equals_exact(real_2024.geometry.sort_index(), 0).sum() == 1609 - len(CRUSHED)
    assert len(noted(joined, "4 outlines differ")) == 1


@pytest.mark.real
def test_real_folder_of_2024_leaves_the_centroids_out(real_data):
    assert len(read_qpv(real_data / "qpv2024")) == 1609


@pytest.mark.real
def test_real_extracts_do_not_displace_the_shapefiles(real_data, shp, whole_2015):
    extracts = [real_data / "filosofi" / "filosofi2017_200m_lille.gpkg", real_data / "npnru" / "Paris_TVA.gpkg"]
    joined = read_qpv([*extracts, shp])
    assert joined.geometry.geom_equals(whole_2015.geometry).all()


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("npnru/Paris_TVA.gpkg", 287),
        ("filosofi/filosofi2017_200m_lille.gpkg", 26),
        ("qpv2024/qpv2024_bondy_clip_fullres.gpkg", 4),
    ],
)
def test_real_extract_keeps_every_feature(real_data, file, count):
    qpv = read_qpv(real_data / file)
    assert (len(qpv), qpv.geometry.notna().sum()) == (count, count)


@pytest.mark.real
def test_real_counts_are_those_of_the_lists(whole_2015, real_2024):
    for vintage, qpv in ((2015, whole_2015), (2024, real_2024)):
        expected = facts.expected_counts(vintage)
        counts = qpv["territory"].value_counts()
        assert [place for place in expected if counts[place] not in expected[place]] == []


@pytest.mark.real
def test_real_round_trip_through_geoparquet(tmp_path, real_2024, whole_2015):
    for qpv in (real_2024, whole_2015):
        qpv.to_parquet(tmp_path / "x.parquet")
        assert_geodataframe_equal(read_qpv(tmp_path / "x.parquet"), qpv)


@pytest.mark.real
def test_real_shapefiles_in_a_zip_are_the_same(tmp_path, shp):
    shutil.make_archive(str(tmp_path / "qp"), "zip", shp)
    assert_geodataframe_equal(read_qpv(tmp_path / "qp.zip", territory="978"), read_qpv(shp, territory="978"))


@pytest.mark.real
def test_records_say_what_each_file_is_and_of_which_regions_it_was_kept(real_data):
    records = {one["file"]: one for one in about(read_qpv("qpv-2015", data=real_data))["files"]}
    island, whole = records["QP_LAREUNION_RGR92_UTM40S.shp"], records["QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp"]
    assert (island["kind"], island["producer"], island["vintage"], island["release"]) == (
        "perimeters",
        "ANCT",
        2015,
        "2015-08",
    )
    assert island["regions"] == ["04"]
    assert whole["regions"] == [], "all of it is in the files of the territories"
