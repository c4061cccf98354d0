"""Files of every form that points are kept in: tags as `tag_points` gives them on the same points."""

import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.tagging.files import tag_file
from qpvgeo.tagging.perimeter_index import PerimeterIndex

FORMS = {
    "p.gpkg": {},
    "p.geojson": {},
    "p.shp": {"encoding": "UTF-8"},
    "p.fgb": {"SPATIAL_INDEX": "NO"},
    "p.kml": {"driver": "LIBKML"},
    "p.xlsx": None,
}


@pytest.fixture(scope="module")
def index():
    square = shapely.box(652000, 6862000, 653000, 6863000)
    frame = gpd.GeoDataFrame({"name": ["Carré"], "geometry": [square]}, index=["QN07599M"], crs=2154)
    return PerimeterIndex(frame)


@pytest.fixture(scope="module")
def points():
    """In, just inside, 200 m, 400 m and 1 km away, no shape, outside France."""
    shapes = [
        (652500, 6862500),
        (652000.5, 6862500),
        (651800, 6862500),
        (652500, 6863400),
        (654000, 6862500),
        None,
        (0, 0),
    ]
    geometry = [None if one is None else shapely.Point(one) for one in shapes]
    return gpd.GeoDataFrame({"nom": list("abcdefé"), "metres": [0.0, 5, 0, 0, 0, 0, 0]}, geometry=geometry, crs=2154)


def written(points, path, options):
    if options is None:
        degrees = points.to_crs(4326).geometry
        table = pd.DataFrame(points.drop(columns="geometry")).assign(lon=degrees.x, lat=degrees.y)
        table.to_excel(path, index=False)
    else:
        points.to_crs(4326 if path.suffix in (".geojson", ".kml") else points.crs).to_file(path, **options)
    return path


def rows_of(path):
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("rows", [None, 3])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_tagged_as_its_points_are(tmp_path, index, points, form, rows, suffix):
    source = written(points, tmp_path / form, FORMS[form])
    output = tmp_path / f"out{suffix}"
    found = tag_file(source, output, index, batch_rows=rows)
    tags = qg.tag_points(points, index)
    assert tags["state"].tolist() == ["in", "in", "out", "out", "out", "unknown", "unknown"]
    assert found["states"] == {"in": 2, "out": 3, "unknown": 2}
    got = rows_of(output)
    assert len(got) == len(points)
    for name in ("state", "reason", "qpv_code", "qpv_name", "nearest_qpv", "band"):
        assert got[name].astype("object").where(got[name].notna(), None).tolist() == (
            tags[name].astype("object").where(tags[name].notna(), None).tolist()
        )
    assert np.allclose(got["distance_m"], tags["distance_m"], atol=1e-3, equal_nan=True)
    assert "é" in got["nom"].tolist()


def test_a_layer_becomes_geoparquet_in_its_own_projection(tmp_path, index, points):
    tag_file(written(points, tmp_path / "p.gpkg", {}), tmp_path / "out.parquet", index)
    back = gpd.read_parquet(tmp_path / "out.parquet")
    assert back.crs.to_epsg() == 2154
    assert back.geometry.iloc[0].equals(points.geometry.iloc[0])


def test_points_are_wkt_in_a_csv(tmp_path, index, points):
    tag_file(written(points, tmp_path / "p.gpkg", {}), tmp_path / "out.csv", index)
    assert pd.read_csv(tmp_path / "out.csv")["geom"].tolist()[:2] == [
        "POINT (652500 6862500)",
        "POINT (652000.5 6862500)",
    ]


def test_a_zip_of_a_shapefile_is_read(tmp_path, index, points):
    written(points, tmp_path / "p.shp", {})
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for part in tmp_path.glob("p.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    assert tag_file(tmp_path / "p.zip", None, index)["states"]["in"] == 2


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_metres_that_a_geojson_takes_for_degrees_are_known_and_told(tmp_path, index, points):
    path = tmp_path / "l93.geojson"
    pyogrio.write_dataframe(points.dropna().iloc[:4].set_crs(None, allow_override=True), path)
    found = tag_file(path, None, index)
    assert found["states"] == {"in": 2, "out": 2, "unknown": 0}
    assert "formats.crs_lambert" in [note.key for note in found["notes"]]


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_projection_that_is_not_declared_is_given_by_the_caller(tmp_path):
    """Metres of La Réunion in a file that says nothing."""
    square = gpd.GeoSeries([shapely.box(340000, 7680000, 341000, 7681000)], index=["QN97499M"], crs=2975)
    path = tmp_path / "p.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(340500, 7680500)]).to_file(path)
    with pytest.raises(DataError) as caught:
        tag_file(path, None, square)
    assert caught.value.key == "tagging.file_without_projection"
    assert tag_file(path, None, square, crs=2975)["states"]["in"] == 1


def test_the_only_layer_of_points_is_taken_and_the_others_named(tmp_path, index, points):
    path = written(points, tmp_path / "p.gpkg", {"layer": "points"})
    gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=2154).to_file(path, layer="zones")
    found = tag_file(path, None, index)
    (note,) = [note for note in found["notes"] if note.key == "formats.layer_taken"]
    assert (note.values["layer"], note.values["others"]) == ("points", ["zones"])
    assert found["states"]["in"] == 2


def test_several_layers_of_points_are_refused_with_their_names(tmp_path, index, points):
    path = written(points, tmp_path / "p.gpkg", {"layer": "one"})
    points.iloc[:1].to_file(path, layer="two")
    with pytest.raises(UsageError) as caught:
        tag_file(path, None, index)
    assert [problem.values["layer"] for problem in caught.value.problems] == ["one", "two"]
    assert tag_file(path, None, index, layer="two")["rows"] == 1
    with pytest.raises(UsageError):
        tag_file(path, None, index, layer="three")


@pytest.mark.parametrize("form", ["p.gpkg", "p.geojson", "p.kml", "p.shp"])
@pytest.mark.parametrize("shape", [shapely.box(2.2, 48.8, 2.3, 48.9), shapely.LineString([(2.2, 48.8), (2.3, 48.9)])])
def test_lines_and_polygons_are_refused_and_their_points_taken(tmp_path, index, form, shape):
    path = tmp_path / form
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shape], crs=4326)
    frame.to_file(path, **FORMS[form])
    with pytest.raises(DataError) as caught:
        tag_file(path, None, index)
    assert [problem.key for problem in caught.value.problems] == ["formats.layer_holds"]
    # the way out
    out = tmp_path / "points.geojson"
    frame.set_geometry(frame.representative_point()).to_file(out)
    assert tag_file(out, None, index)["rows"] == 1


@pytest.mark.parametrize("form", ["p.gpkg", "p.geojson", "p.kml"])
def test_a_shape_that_is_not_a_point_leaves_its_row_unknown(tmp_path, index, points, form):
    mixed = points.to_crs(4326).iloc[:2].copy()
    mixed.loc[1, "geometry"] = shapely.box(2, 48, 2.1, 48.1)
    mixed.to_file(tmp_path / form, **FORMS[form])
    assert tag_file(tmp_path / form, None, index)["reasons"] == {"row cannot be read": 1}


def test_a_multipoint_of_one_point_is_that_point(tmp_path, index, points):
    several = points.dropna().iloc[:2].copy()
    several["geometry"] = [
        shapely.MultiPoint([several.geometry.iloc[0]]),
        shapely.MultiPoint([(652500, 6862500), (652600, 6862600)]),
    ]
    several.to_file(tmp_path / "p.gpkg")
    found = tag_file(tmp_path / "p.gpkg", None, index)
    assert (found["states"]["in"], found["reasons"]) == (1, {"row cannot be read": 1})
    assert qg.tag_points(several.iloc[:1], index)["state"].tolist() == ["in"]


def test_heights_do_not_count(tmp_path, index, points):
    raised = points.dropna().iloc[:4].copy()
    raised["geometry"] = shapely.force_3d(raised.geometry.to_numpy(), 35.0)
    raised.to_file(tmp_path / "p.gpkg")
    assert tag_file(tmp_path / "p.gpkg", None, index)["states"] == {"in": 2, "out": 2, "unknown": 0}


def test_a_column_of_tolerances_of_a_layer(tmp_path, index, points):
    path = written(points, tmp_path / "p.gpkg", {})
    assert tag_file(path, None, index, tolerance_m="metres")["reasons"]["near the boundary"] == 1


def test_the_sheet_that_has_coordinates_is_read(tmp_path, index, points):
    degrees = points.to_crs(4326).geometry
    with pd.ExcelWriter(tmp_path / "p.xlsx") as book:
        pd.DataFrame({"a": range(20), "b": range(20), "c": range(20), "d": range(20)}).to_excel(
            book, sheet_name="autre"
        )
        pd.DataFrame({"lon": degrees.x, "lat": degrees.y}).to_excel(book, sheet_name="adresses", index=False)
    found = tag_file(tmp_path / "p.xlsx", None, index)
    assert found["states"]["in"] == 2
    assert [(note.values["layer"], note.values["others"]) for note in found["notes"][:1]] == [("adresses", ["autre"])]


def test_several_sheets_with_coordinates_are_refused_with_their_names(tmp_path, index):
    table = pd.DataFrame({"x": [652500.0], "y": [6862500.0]})
    with pd.ExcelWriter(tmp_path / "p.xlsx") as book:
        table.to_excel(book, sheet_name="one", index=False)
        table.to_excel(book, sheet_name="two", index=False)
    with pytest.raises(UsageError) as caught:
        tag_file(tmp_path / "p.xlsx", None, index, xy=("x", "y"), crs=2154)
    assert list(caught.value.problems) == ["one", "two"]
    assert tag_file(tmp_path / "p.xlsx", None, index, xy=("x", "y"), crs=2154, layer="two")["states"]["in"] == 1


def test_an_open_document_is_tagged_as_any_workbook(tmp_path, index, points):
    degrees = points.to_crs(4326).geometry
    rows = pd.DataFrame({"nom": points["nom"], "lon": degrees.x, "lat": degrees.y})
    pyogrio.write_dataframe(rows, tmp_path / "p.ods", driver="ODS")
    assert tag_file(tmp_path / "p.ods", None, index)["states"] == {"in": 2, "out": 3, "unknown": 2}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_csv_in_utf_16_is_tagged(tmp_path, index, encoding):
    text = "nom\tlon\tlat\nCité\t2.349\t48.858\n"
    (tmp_path / "p.txt").write_bytes(
        ("" if encoding == "utf-16" else "\ufeff").encode(encoding) + text.encode(encoding)
    )
    assert tag_file(tmp_path / "p.txt", tmp_path / "out.csv", index)["rows"] == 1
    assert rows_of(tmp_path / "out.csv")[["nom", "lon"]].to_numpy().tolist() == [["Cité", 2.349]]
    refused(lambda: tag_file(tmp_path / "p.txt", None, index, layer="a"), "formats.no_layers_here", UsageError)


def kill(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("form", FORMS)
def test_a_killed_run_is_resumed(tmp_path, index, points, form):
    source = written(points, tmp_path / form, FORMS[form])
    whole = tmp_path / "whole.csv"
    tag_file(source, whole, index, batch_rows=3)

    output = tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        tag_file(source, output, index, batch_rows=3, progress=kill)
    assert tag_file(source, output, index, batch_rows=3, resume=True)["resumed_rows"] >= 3
    assert output.read_bytes() == whole.read_bytes()


def test_attributes_of_a_shapefile_that_changed_are_not_resumed(tmp_path, index, points):
    source = written(points, tmp_path / "p.shp", {})
    with pytest.raises(KeyboardInterrupt):
        tag_file(source, tmp_path / "out.csv", index, tolerance_m="metres", progress=kill)
    shapes = source.read_bytes()
    written(points.assign(metres=9.0), source, {})
    source.write_bytes(shapes)
    with pytest.raises(UsageError) as caught:
        tag_file(source, tmp_path / "out.csv", index, tolerance_m="metres", resume=True)
    assert [problem.values["option"] for problem in caught.value.problems] == ["parts"]


@pytest.mark.parametrize("form", ["p.csv", "p.parquet"])
def test_a_table_has_no_layers(tmp_path, index, form):
    table = pd.DataFrame({"lon": [2.3], "lat": [48.8]})
    table.to_csv(tmp_path / "p.csv", index=False)
    table.to_parquet(tmp_path / "p.parquet")
    with pytest.raises(UsageError):
        tag_file(tmp_path / form, None, index, layer="points")


@pytest.mark.parametrize("form", ["p.gpkg", "p.geojson", "p.shp", "p.fgb", "p.kml", "p.xlsx", "p.zip"])
@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"PK\x03\x04broken"])
def test_a_damaged_file_is_one_clear_error(tmp_path, index, form, content):
    (tmp_path / form).write_bytes(content)
    with pytest.raises((DataError, MissingDataError)):
        tag_file(tmp_path / form, None, index)


def test_a_shapefile_cut_short_is_an_error(tmp_path, index, points):
    source = written(points, tmp_path / "p.shp", {})
    source.write_bytes(source.read_bytes()[:-40])
    with pytest.raises(DataError):
        tag_file(source, tmp_path / "out.csv", index)
    assert not (tmp_path / "out.csv").exists()


def test_an_empty_layer_gives_no_row(tmp_path, index, points):
    points.iloc[:0].to_file(tmp_path / "p.gpkg")
    assert tag_file(tmp_path / "p.gpkg", tmp_path / "out.csv", index)["rows"] == 0
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1


def test_an_archive_of_tables_is_refused_with_the_way_out(tmp_path, index):
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("p.csv", "lon,lat\n2.3,48.8\n")
    with pytest.raises(DataError) as caught:
        tag_file(tmp_path / "p.zip", None, index)
    assert (caught.value.key, caught.value.way_out.key) == ("formats.no_points", "formats.unpack_or_export")
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        archive.extractall(tmp_path)
    assert tag_file(tmp_path / "p.csv", None, index)["rows"] == 1
