"""Layers of outlines: encodings, archives, projections that are missing or wrong, damaged files."""

import json
import shutil
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused

from qpvgeo.errors import ArchiveError, DataError, MissingDataError
from qpvgeo.formats import vector_layers
from qpvgeo.samples import sample

NAMES = ["Bout Des Landes – Chêne Des Anglais", "L'Écoute"]
LILLE = shapely.box(704_000, 7_059_000, 705_000, 7_060_000)


def frame(shapes=None, crs=2154, names=NAMES):
    shapes = [LILLE, shapely.affinity.translate(LILLE, 2000)] if shapes is None else shapes
    return gpd.GeoDataFrame({"code_qp": ["QP059001", "QP059002"], "nom": names}, geometry=shapes, crs=crs)


def shapefile(folder, *, encoding="cp1252", cpg=False, prj=True):
    """Write a shapefile, with or without the files that say its encoding and its projection."""
    path = folder / "layer.shp"
    pyogrio.write_dataframe(frame(), path, encoding=encoding)
    if not cpg:
        path.with_suffix(".cpg").unlink()
    if not prj:
        path.with_suffix(".prj").unlink()
    return path


def geojson(path, shapes, crs_member=None):
    """Write GeoJSON as old tools do: whatever coordinates, with the `crs` member or without."""
    features = [
        {"type": "Feature", "properties": {"code_qp": f"QP05900{rank}"}, "geometry": shapely.geometry.mapping(shape)}
        for rank, shape in enumerate(shapes, start=1)
    ]
    content = {"type": "FeatureCollection", "features": features}
    if crs_member:
        content["crs"] = {"type": "name", "properties": {"name": crs_member}}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def only(path):
    (layer,) = vector_layers.layers(path)
    return layer


def read(path):
    return vector_layers.read(only(path))


def packed(path, archive, folder=""):
    with zipfile.ZipFile(archive, "w") as target:
        for part in sorted(path.parent.glob(f"{path.stem}.*")):
            target.write(part, f"{folder}{part.name}")
    return archive


def forms(folder):
    """One layer in every form that is read."""
    for suffix in ("shp", "geojson", "gpkg", "fgb"):
        frame().to_crs(4326 if suffix == "geojson" else 2154).to_file(folder / f"layer.{suffix}")
    frame().to_parquet(folder / "layer.parquet")
    return [folder / f"layer.{suffix}" for suffix in ("fgb", "geojson", "gpkg", "parquet", "shp")]


def test_cp1252_without_cpg_keeps_the_en_dash(tmp_path):
    path = shapefile(tmp_path)
    assert b"Landes \x96 Ch\xeane" in path.with_suffix(".dbf").read_bytes()
    layer, notes = read(path)
    assert layer["nom"].tolist() == NAMES
    assert [note for note in notes if "cp1252" in note] == notes


def test_utf8_without_cpg_is_told_from_cp1252(tmp_path):
    assert read(shapefile(tmp_path, encoding="utf-8"))[0]["nom"].tolist() == NAMES


def test_a_cpg_is_believed(tmp_path):
    layer, notes = read(shapefile(tmp_path, encoding="utf-8", cpg=True))
    assert layer["nom"].tolist() == NAMES
    assert notes == []


def test_encoding_is_settled_inside_a_zip_too(tmp_path):
    assert read(packed(shapefile(tmp_path), tmp_path / "a.zip", "in/"))[0]["nom"].tolist() == NAMES


@pytest.mark.parametrize("suffix", ["SHP", "GeoJSON", "GPKG"])
def test_suffix_in_upper_case(tmp_path, suffix):
    frame().to_crs(4326).to_file(tmp_path / f"layer.{suffix.lower()}")
    for part in list(tmp_path.glob("layer.*")):
        part.rename(tmp_path / part.name.upper())
    assert len(read(tmp_path / f"LAYER.{suffix.upper()}")[0]) == 2


def test_every_member_of_a_zip_is_a_layer(tmp_path):
    frame().to_parquet(tmp_path / "b.parquet")
    geojson(tmp_path / "a.geojson", [shapely.box(3, 50, 3.1, 50.1)])
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / "a.geojson", "deep/er/a.geojson")
        archive.write(tmp_path / "b.parquet", "b.parquet")
        archive.writestr("readme.txt", "nothing")
    found = vector_layers.layers(tmp_path / "x.zip")
    assert [(layer.member, layer.features) for layer in found] == [("b.parquet", 2), ("deep/er/a.geojson", 1)]
    assert [len(vector_layers.read(layer)[0]) for layer in found] == [2, 1]


def test_a_folder_is_searched_to_the_bottom(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    frame().to_file(tmp_path / "a" / "b" / "x.gpkg")
    shapefile(tmp_path)
    assert [layer.path.name for layer in vector_layers.layers(tmp_path)] == ["x.gpkg", "layer.shp"]


def test_each_layer_of_a_geopackage_is_named(tmp_path):
    for name in ("one", "two"):
        frame().to_file(tmp_path / "x.gpkg", layer=name)
    assert [layer.name for layer in vector_layers.layers(tmp_path / "x.gpkg")] == ["one", "two"]


def test_all_forms_hold_the_same(tmp_path):
    for path in forms(tmp_path):
        layer = read(path)[0].to_crs(2154).sort_values("code_qp")
        assert layer["nom"].tolist() == NAMES
        # GeoJSON is written with seven decimals of a degree
        assert shapely.hausdorff_distance(layer.geometry.to_numpy(), frame().geometry.to_numpy()).max() < 0.02


def test_attributes_come_without_outlines(tmp_path):
    for path in forms(tmp_path):
        table = vector_layers.attributes(only(path), rows=1)
        assert len(table) == 1
        assert table["code_qp"].iloc[0] in ("QP059001", "QP059002")
        assert "geometry" not in table.columns


def test_attributes_of_a_parquet_without_rows(tmp_path):
    frame().iloc[:0].to_parquet(tmp_path / "x.parquet")
    assert vector_layers.attributes(only(tmp_path / "x.parquet"), rows=1).empty


def test_index_of_a_parquet_is_among_its_attributes(tmp_path):
    frame().set_index("code_qp").to_parquet(tmp_path / "x.parquet")
    assert vector_layers.attributes(only(tmp_path / "x.parquet"))["code_qp"].tolist() == ["QP059001", "QP059002"]


def test_parquet_without_outlines_is_no_layer(tmp_path):
    pd.DataFrame({"code_qp": ["QP059001"]}).to_parquet(tmp_path / "x.parquet")
    assert vector_layers.layers(tmp_path / "x.parquet") == []


def test_lambert_93_in_geojson_declared_by_the_old_member(tmp_path):
    layer, notes = read(geojson(tmp_path / "x.geojson", [LILLE], "urn:ogc:def:crs:EPSG::2154"))
    assert layer.crs.to_epsg() == 2154
    assert layer.geometry.iloc[0].equals(LILLE)
    assert notes == []


def test_lambert_93_in_geojson_not_declared_at_all(tmp_path):
    layer, notes = read(geojson(tmp_path / "x.geojson", [LILLE]))
    assert layer.crs.to_epsg() == 2154
    assert layer.geometry.iloc[0].equals(LILLE)
    assert len(notes) == 1
    assert "Lambert-93" in notes[0]


def test_lambert_93_under_a_wrong_member(tmp_path):
    assert read(geojson(tmp_path / "x.geojson", [LILLE], "urn:ogc:def:crs:OGC:1.3:CRS84"))[0].crs.to_epsg() == 2154


def test_plain_geojson_is_longitude_and_latitude(tmp_path):
    layer, notes = read(geojson(tmp_path / "x.geojson", [shapely.box(3, 50, 3.1, 50.1)]))
    assert (layer.crs.to_epsg(), notes) == (4326, [])


def test_degrees_under_a_projected_prj(tmp_path):
    frame().to_crs(4326).to_file(tmp_path / "x.shp")
    (tmp_path / "x.prj").write_text(pyproj.CRS.from_epsg(4471).to_wkt("WKT1_ESRI"), encoding="utf-8")
    layer, notes = read(tmp_path / "x.shp")
    assert layer.crs.to_epsg() == 4326
    assert len(notes) == 1
    assert "declares" in notes[0]
    assert "degrees" in notes[0]


def test_metres_under_a_geographic_prj(tmp_path):
    path = shapefile(tmp_path, cpg=True)
    path.with_suffix(".prj").write_text(pyproj.CRS.from_epsg(4326).to_wkt("WKT1_ESRI"), encoding="utf-8")
    assert read(path)[0].crs.to_epsg() == 2154


def test_missing_prj_of_a_lambert_93_shapefile(tmp_path):
    assert read(shapefile(tmp_path, prj=False))[0].crs.to_epsg() == 2154


def test_missing_prj_of_a_national_file_whose_middle_is_mid_ocean():
    from_tahiti_to_reunion = (-151.8, -21.4, 55.8, 51.1)
    crs, notes = vector_layers.settle_crs(None, from_tahiti_to_reunion, where="x.shp")
    assert crs.to_epsg() == 4326
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("declared", "bounds"),
    [
        (None, (100_000, 200_000, 110_000, 210_000)),
        ("EPSG:4326", (100_000, 200_000, 110_000, 210_000)),
        (None, (50.6, 3.0, 50.7, 3.1)),
        (None, (100, 10, 101, 11)),
    ],
)
def test_coordinates_that_fit_nothing_are_refused_with_a_way_out(declared, bounds):
    with pytest.raises(DataError, match="fit no known system") as error:
        vector_layers.settle_crs(declared, bounds, where="x.geojson")
    assert "x.geojson" in str(error.value)
    assert "crs=" in error.value.way_out


def test_a_declaration_that_is_possible_is_believed():
    crs, notes = vector_layers.settle_crs("EPSG:5490", (650_000, 1_790_000, 660_000, 1_800_000), where="x.shp")
    assert (crs.to_epsg(), notes) == (5490, [])


def test_a_layer_without_outlines_keeps_what_it_declares():
    crs, notes = vector_layers.settle_crs("EPSG:2154", (np.nan,) * 4, where="x.gpkg")
    assert (crs.to_epsg(), notes) == (2154, [])


def test_projection_of_lambert_93_without_its_number():
    unnamed = pyproj.CRS.from_proj4(
        "+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80 +towgs84=0,0,0"
    )
    crs, notes = vector_layers.settle_crs(unnamed, LILLE.bounds, where="x.gpkg")
    assert crs.to_epsg() == 2154
    assert "EPSG:2154" in notes[0]


def test_projection_like_lambert_93_but_for_a_parameter_keeps_its_own():
    other = pyproj.CRS.from_proj4(
        "+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700001 +y_0=6600000 +ellps=GRS80 +units=m"
    )
    crs, notes = vector_layers.settle_crs(other, LILLE.bounds, where="x.gpkg")
    assert crs.to_epsg() is None
    assert crs.equals(other)
    assert len(notes) == 1


@settings(max_examples=25, deadline=None)
@given(lon=st.floats(-4, 8), lat=st.floats(42, 50.5), size=st.floats(0.0001, 0.5))
def test_undeclared_coordinates_are_read_right_or_refused_never_wrong(lon, lat, size):
    degrees = (lon, lat, lon + size, lat + size)
    assert vector_layers.settle_crs(None, degrees, where="x")[0].to_epsg() == 4326
    for epsg in (2154, 3857):
        metres = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform_bounds(*degrees)
        try:
            assert vector_layers.settle_crs(None, metres, where="x")[0].to_epsg() == epsg == 2154
        except DataError as error:
            assert f"EPSG:{epsg}" in str(error)  # noqa: PT017 - either answer is right


def test_web_mercator_is_never_taken_for_lambert():
    nord = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform_bounds(3.0, 50.5, 3.2, 50.7)
    with pytest.raises(DataError, match="EPSG:2154 and EPSG:3857"):
        vector_layers.settle_crs(None, nord, where="nord.shp")


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "fgb", "parquet", "shp"])
@pytest.mark.parametrize("kept", [0, 0.5, 0.97])
def test_a_file_cut_short_is_a_data_error_not_a_traceback(tmp_path, suffix, kept):
    path = tmp_path / f"layer.{suffix}"
    many = pd.concat([frame()] * 100, ignore_index=True)
    many.to_parquet(path) if suffix == "parquet" else many.to_file(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError) as error:
        read(path)
    assert "layer." in str(error.value)
    assert error.value.way_out


def test_a_shapefile_cut_short_does_not_pass_for_one_without_outlines(tmp_path):
    path = shapefile(tmp_path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DataError, match="last 50 bytes are missing"):
        read(path)


def test_a_member_cut_short_inside_a_sound_zip(tmp_path):
    path = shapefile(tmp_path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DataError, match="last 50 bytes are missing"):
        read(packed(path, tmp_path / "x.zip"))


def test_columns_of_a_parquet_overwritten_with_zeros(tmp_path):
    path = tmp_path / "x.parquet"
    pd.concat([frame()] * 100).to_parquet(path)
    content = bytearray(path.read_bytes())
    content[50 : len(content) // 2] = bytes(len(content) // 2 - 50)
    path.write_bytes(bytes(content))
    refused(lambda: read(path), "formats.unreadable", DataError)


def test_a_zip_whose_attributes_fail_their_checksum(tmp_path):
    archive = packed(shapefile(tmp_path), tmp_path / "x.zip")
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"QP059002", b"QP059003"))
    error = refused(lambda: vector_layers.layers(archive), "formats.member_damaged", ArchiveError)
    assert error.message.values["member"] == "layer.dbf"


def test_shapefile_without_its_index_names_the_file(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".shx").unlink()
    with pytest.raises(DataError, match=r"layer\.shx"):
        vector_layers.layers(path)


def test_a_page_served_as_zip_is_no_zip(tmp_path):
    (tmp_path / "qpv.zip").write_text("<html>404</html>", encoding="utf-8")
    error = refused(lambda: vector_layers.layers(tmp_path / "qpv.zip"), "formats.unreadable", DataError)
    assert error.way_out.key == "formats.get_again"


def test_a_zip_cut_short_is_no_zip(tmp_path):
    content = sample().qpv_2024.read_bytes()
    (tmp_path / "qpv.zip").write_bytes(content[: len(content) // 2])
    refused(lambda: vector_layers.layers(tmp_path / "qpv.zip"), "formats.unreadable", DataError)


def test_a_table_is_not_a_file_of_outlines():
    with pytest.raises(DataError, match="is not a file of outlines"):
        vector_layers.layers(sample().population_2024)


def test_a_layer_without_geometry_is_refused(tmp_path):
    shutil.copy(shapefile(tmp_path).with_suffix(".dbf"), tmp_path / "alone.dbf")
    layer = vector_layers.Layer(tmp_path / "alone.dbf", None, "alone", ("code_qp",), 2)
    refused(lambda: vector_layers.read(layer), "formats.no_outlines", DataError)


def test_no_file_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(MissingDataError, match=r"nowhere\.shp"):
        vector_layers.layers(tmp_path / "nowhere.shp")


@pytest.mark.real
def test_real_projection_without_epsg_number(real_data):
    path = real_data / "npnru" / "Paris_TVA.gpkg"
    assert pyproj.CRS.from_user_input(pyogrio.read_info(path, layer="QPV_Fu")["crs"]).to_epsg() is None
    layer, notes = vector_layers.read(next(layer for layer in vector_layers.layers(path) if layer.name == "QPV_Fu"))
    assert (layer.crs.to_epsg(), len(layer)) == (2154, 287)
    assert "no EPSG number" in notes[0]


@pytest.mark.real
def test_real_grid_without_any_projection(real_data):
    layers = vector_layers.layers(real_data / "filosofi" / "filosofi2019_200m_bondy.gpkg")
    assert {vector_layers.read(layer)[0].crs.to_epsg() for layer in layers} == {2154}


@pytest.mark.real
def test_real_en_dash_of_2015(real_data):
    path = real_data / "qpv2015" / "shp" / "QP_METROPOLE_LB93.shp"
    layer, _ = read(path)
    assert layer["NOM_QP"].str.contains("Landes – Bout", regex=False).sum() == 1
    assert not layer["NOM_QP"].str.contains("[\x80-\x9f\ufffd]").any()


@pytest.mark.real
def test_real_features_in_are_features_out(real_data):
    outlines = [path for path in sorted(real_data.rglob("*")) if path.suffix in (".shp", ".geojson", ".gpkg")]
    layers = [layer for path in outlines for layer in vector_layers.layers(path)]
    assert len(layers) == 21
    assert [layer.label for layer in layers if len(vector_layers.read(layer)[0]) != layer.features] == []
