"""Points of pyarrow, polars and DuckDB are tagged as those of a frame of pandas: columns, GeoArrow, WKB."""

import json

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.tagging.perimeter_index import PerimeterIndex

FORMS = ["pyarrow", "polars", "duckdb"]


@pytest.fixture(scope="module")
def index():
    return PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024))


@pytest.fixture(scope="module")
def addresses():
    return pd.read_csv(qg.sample().addresses, sep=";", dtype={"code_insee": "str"})


@pytest.fixture(scope="module")
def shapes(addresses):
    """The same addresses as points, some of them missing."""
    drawn = gpd.GeoSeries(gpd.points_from_xy(addresses["lon"], addresses["lat"]), crs=4326)
    drawn[addresses["lon"].isna()] = None
    return gpd.GeoDataFrame({"id": addresses["id"]}, geometry=drawn)


def form(frame, library):
    if library == "polars":
        return pl.from_pandas(frame)
    return duckdb.from_df(frame) if library == "duckdb" else pa.Table.from_pandas(frame, preserve_index=False)


@pytest.mark.parametrize("library", FORMS)
@pytest.mark.parametrize(
    "options", [{}, {"xy": ("lon", "lat"), "crs": "EPSG:4326", "bands": ()}], ids=["found", "named"]
)
def test_columns_of_every_library_are_tagged_alike(addresses, index, library, options):
    expected = qg.tag_points(addresses, index, **options)
    found = qg.tag_points(form(addresses, library), index, **options)
    pd.testing.assert_frame_equal(found, expected)
    assert found.attrs == expected.attrs


@pytest.mark.parametrize("library", FORMS)
def test_other_columns_are_read_where_they_are_asked_for(addresses, index, library):
    given = addresses.assign(off=np.where(np.arange(len(addresses)) % 3, 10.0, np.nan))
    options = {"tolerance_m": "off", "commune": "code_insee"}
    pd.testing.assert_frame_equal(
        qg.tag_points(form(given, library), index, **options), qg.tag_points(given, index, **options)
    )


@pytest.mark.parametrize("library", FORMS)
def test_answers_of_the_geocoder_are_tolerances(addresses, index, library):
    given = addresses.assign(result_type="housenumber", result_score=0.4)
    tags = qg.tag_points(form(given, library), index, tolerance_m="ban")
    assert (tags["reason"].dropna() == "location too coarse").sum() > 3_000


@pytest.mark.parametrize(
    "how", [{"geometry_encoding": "WKB"}, {"geometry_encoding": "geoarrow"}, {"interleaved": False}]
)
def test_geoarrow_points_are_taken_as_they_are(shapes, index, how):
    table = pa.table(shapes.to_arrow(**{"geometry_encoding": "geoarrow", "index": False, **how}))
    expected = qg.tag_points(shapes, index)
    pd.testing.assert_frame_equal(qg.tag_points(table, index), expected)
    pd.testing.assert_frame_equal(
        qg.tag_points(table.slice(7, 900), index), expected.iloc[7:907].reset_index(drop=True), check_categorical=False
    )


def test_points_in_three_dimensions_are_taken_too(index):
    drawn = gpd.GeoDataFrame(geometry=[shapely.Point(-3.5814, 45.9773, 12.0), shapely.Point(0, 0, 1)], crs=4326)
    for how in ({"interleaved": True}, {"interleaved": False}):
        table = pa.table(drawn.to_arrow(geometry_encoding="geoarrow", index=False, **how))
        assert qg.tag_points(table, index)["state"].tolist() == qg.tag_points(drawn, index)["state"].tolist()


@pytest.mark.parametrize("missing", [True, False])
def test_geoparquet_that_pyarrow_reads_brings_its_projection(shapes, index, tmp_path, missing):
    given = (shapes if missing else shapes.dropna()).to_crs(2154).reset_index(drop=True)
    given.to_parquet(tmp_path / "points.parquet")
    table = pq.read_table(tmp_path / "points.parquet")
    pd.testing.assert_frame_equal(qg.tag_points(table, index), qg.tag_points(given, index))


def test_column_of_wkb_is_taken_with_a_projection(shapes, index):
    given = shapes.dropna().reset_index(drop=True)
    table = pl.DataFrame({"geometry": shapely.to_wkb(given.geometry.to_numpy()).tolist()})
    pd.testing.assert_frame_equal(qg.tag_points(table, index, crs=4326), qg.tag_points(given, index))
    refused(lambda: qg.tag_points(table, index), "tagging.no_projection", DataError)


def test_shapes_that_are_no_points_are_listed(index):
    table = pa.table({"geometry": shapely.to_wkb([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)])})
    error = refused(lambda: qg.tag_points(table, index, crs=4326), "tagging.some_not_points", DataError)
    assert len(error.problems) == 1


def test_of_several_columns_of_points_one_must_be_named(shapes, index):
    two = shapes.assign(other=shapes.geometry.translate(5))
    table = pa.table(two.to_arrow(geometry_encoding="geoarrow", index=False))
    refused(lambda: qg.tag_points(table, index), "tagging.several_geometries", UsageError)
    assert (qg.tag_points(table, index, xy="other")["state"] != "in").all()


def test_other_projection_than_that_of_the_points_is_refused(shapes, index):
    table = pa.table(shapes.to_arrow(geometry_encoding="geoarrow"))
    refused(lambda: qg.tag_points(table, index, crs=2154), "tagging.points_other_projection", UsageError)


@pytest.mark.parametrize("library", FORMS)
def test_table_without_coordinates_lists_what_it_has(index, library):
    table = form(pd.DataFrame({"east": [1.0], "north": [2.0]}), library)
    error = refused(lambda: qg.tag_points(table, index), "tagging.no_coordinate_columns", DataError)
    assert "north" in str(error)
    refused(lambda: qg.tag_points(table, index, xy=("x", "y"), crs=2154), "tagging.no_columns", UsageError)
    refused(lambda: qg.tag_points(table, index, bands=(5, 2)), "tagging.invalid_options", UsageError)


def test_table_that_is_returned_has_types_that_do_not_depend_on_the_rows(addresses, index):
    whole, empty = (qg.tag_points(part, index, returns="pyarrow") for part in (addresses, addresses.iloc[:0]))
    assert whole.schema.equals(empty.schema)
    frame = qg.tag_points(addresses, index)
    assert whole.column_names == frame.columns.tolist()
    for name in frame.columns:
        column = frame[name].astype("object")
        assert whole[name].to_pylist() == column.where(column.notna(), None).tolist()
    assert json.loads(whole.schema.metadata[b"qpvgeo"])["counted"] == frame.attrs["qpvgeo"]["counted"]
