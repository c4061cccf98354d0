"""Points of GeoParquet: read by the column that the file names, in the projection that it says."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.tagging.files import tag_file

X, Y = 700_000.0, 6_600_000.0


@pytest.fixture(scope="module")
def index():
    return qg.PerimeterIndex(gpd.GeoSeries([shapely.box(X, Y, X + 1000, Y + 1000)], index=["A"], crs=2154))


@pytest.fixture
def frame():
    shapes = [shapely.Point(X + 500, Y + 500), shapely.Point(X + 1200, Y + 500), None, shapely.Point()]
    return gpd.GeoDataFrame({"id": list("abcd"), "off": ["1", "300", "", "1"]}, geometry=shapes, crs=2154)


def tags_of(path, index, **options):
    """State or reason of each row."""
    out = path.with_name("out.parquet")
    found = tag_file(path, out, index, **options)
    rows = pq.read_table(out).to_pylist()
    return [row["reason"] or row["state"] for row in rows], found


@pytest.mark.parametrize("epsg", [2154, 4326, 3857])
@pytest.mark.parametrize("rows", [None, 1])
def test_points_of_geoparquet_need_no_columns_and_no_projection(tmp_path, frame, index, epsg, rows):
    frame.to_crs(epsg).to_parquet(tmp_path / "in.parquet")
    expected = ["in", "out", "no coordinates", "no coordinates"]
    assert tags_of(tmp_path / "in.parquet", index, batch_rows=rows)[0] == expected


def test_output_is_geoparquet_still(tmp_path, frame, index):
    frame.to_parquet(tmp_path / "in.parquet")
    tags_of(tmp_path / "in.parquet", index)
    read = gpd.read_parquet(tmp_path / "out.parquet")
    assert read.crs.to_epsg() == 2154
    assert read["state"].tolist() == ["in", "out", "unknown", "unknown"]


def test_tolerances_stand_in_a_column_beside_the_shapes(tmp_path, frame, index):
    frame.to_parquet(tmp_path / "in.parquet")
    found, about = tags_of(tmp_path / "in.parquet", index, tolerance_m="off")
    assert found == ["in", "near the boundary", "no coordinates", "no coordinates"]
    assert about["notes"][0].startswith("1 point has a tolerance that is not a distance")


def test_columns_that_are_named_come_before_the_shapes(tmp_path, frame, index):
    frame.assign(x=X + 5_000, y=Y).to_parquet(tmp_path / "in.parquet")
    assert tags_of(tmp_path / "in.parquet", index, xy=("x", "y"), crs=2154)[0] == ["out"] * 4


def test_shape_that_cannot_be_read_leaves_its_row_unknown(tmp_path, frame, index):
    frame.to_parquet(tmp_path / "in.parquet")
    table = pq.read_table(tmp_path / "in.parquet")
    shapes = [b"broken", *table["geometry"].to_pylist()[1:]]
    at = table.schema.names.index("geometry")
    pq.write_table(table.set_column(at, table.schema.field("geometry"), [shapes]), tmp_path / "in.parquet")
    found, about = tags_of(tmp_path / "in.parquet", index)
    assert found == ["row cannot be read", "out", "no coordinates", "no coordinates"]
    assert about["reasons"]["row cannot be read"] == 1


def rewritten(path, **about):
    """Change what the file says of its column of shapes; None takes it away."""
    table = pq.read_table(path)
    told = json.loads(table.schema.metadata[b"geo"])
    column = told["columns"]["geometry"] | about
    told["columns"]["geometry"] = {name: value for name, value in column.items() if value != "absent"}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(told)}), path)


def test_geoparquet_that_does_not_say_its_projection_is_in_degrees_as_its_specification_has_it(tmp_path, frame, index):
    frame.to_crs(4326).to_parquet(tmp_path / "in.parquet")
    rewritten(tmp_path / "in.parquet", crs="absent")
    assert tags_of(tmp_path / "in.parquet", index)[0][:2] == ["in", "out"]


def test_projection_that_is_not_known_must_be_told(tmp_path, frame, index):
    frame.to_parquet(tmp_path / "in.parquet")
    rewritten(tmp_path / "in.parquet", crs=None)
    with pytest.raises(DataError, match="--crs 2154") as error:
        tags_of(tmp_path / "in.parquet", index)
    assert error.value.key == "tagging.file_without_projection"
    assert tags_of(tmp_path / "in.parquet", index, crs=2154)[0][:2] == ["in", "out"]


def test_projection_that_says_otherwise_is_refused(tmp_path, frame, index):
    frame.to_parquet(tmp_path / "in.parquet")
    with pytest.raises(UsageError, match="--crs") as error:
        tags_of(tmp_path / "in.parquet", index, crs=4326)
    assert error.value.key == "tagging.other_projection"
    with pytest.raises(UsageError) as error:
        tags_of(tmp_path / "in.parquet", index, crs="code_epsg")
    assert error.value.key == "tagging.crs_of_shapes"
    assert tags_of(tmp_path / "in.parquet", index, crs=2154)[0][0] == "in"


def test_shapes_of_another_encoding_are_refused_with_the_way_out(tmp_path, frame, index):
    frame.iloc[:2].to_parquet(tmp_path / "in.parquet", geometry_encoding="geoarrow", schema_version="1.1.0")
    with pytest.raises(DataError, match="to_parquet") as error:
        tags_of(tmp_path / "in.parquet", index)
    assert error.value.key == "tagging.shapes_not_wkb"


def test_shapes_none_of_which_is_a_point_are_refused(tmp_path, frame, index):
    frame.set_geometry(frame.buffer(1)).to_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match="representative_point") as error:
        tags_of(tmp_path / "in.parquet", index)
    assert (error.value.key, error.value.message.values["kinds"]) == ("tagging.shapes_not_points", ["Polygon"])


@pytest.mark.parametrize("rows", [None, 1, 3])
@pytest.mark.parametrize(
    "odd", [shapely.box(X, Y, X + 1, Y + 1), shapely.MultiPoint([(X, Y), (X + 1, Y)])], ids=["area", "points"]
)
def test_shape_that_is_no_point_leaves_its_row_unknown(tmp_path, frame, index, odd, rows):
    frame.set_geometry([*frame.geometry[:3], odd]).set_crs(2154).to_parquet(tmp_path / "in.parquet")
    found, about = tags_of(tmp_path / "in.parquet", index, batch_rows=rows)
    assert found == ["in", "out", "no coordinates", "row cannot be read"]
    assert about["reasons"] == {"no coordinates": 1, "row cannot be read": 1}


STALE = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}


@pytest.mark.parametrize(
    "about",
    [json.dumps(STALE), '{"version": "1.0.0"}', "no json", "[1]", '{"primary_column": "lon", "columns": []}', "é"],
)
def test_words_on_shapes_that_are_not_there_leave_the_columns_of_degrees(tmp_path, index, about):
    table = pa.table({"lon": np.array([3.006]), "lat": np.array([46.504])}, metadata={"geo": about.encode("latin-1")})
    pq.write_table(table, tmp_path / "in.parquet")
    assert tags_of(tmp_path / "in.parquet", index)[0] == ["in"]
    pq.write_table(table.rename_columns(["a", "b"]), tmp_path / "in.parquet")
    with pytest.raises(DataError, match="no columns of longitude and latitude"):
        tags_of(tmp_path / "in.parquet", index)


def test_projection_that_is_none_is_told(tmp_path, frame, index):
    frame.to_parquet(tmp_path / "in.parquet")
    rewritten(tmp_path / "in.parquet", crs={"type": "nothing"})
    with pytest.raises(DataError, match="to_parquet") as error:
        tags_of(tmp_path / "in.parquet", index)
    assert error.value.key == "tagging.file_invalid_projection"


def test_shapes_are_wkt_in_a_csv(tmp_path, frame, index):
    frame.to_parquet(tmp_path / "in.parquet")
    tag_file(tmp_path / "in.parquet", tmp_path / "out.csv", index)
    written = pd.read_csv(tmp_path / "out.csv")
    assert gpd.GeoSeries.from_wkt(written["geometry"].iloc[:1])[0].equals(frame.geometry.iloc[0])
    assert written["state"].iloc[0] == "in"
    assert tag_file(tmp_path / "in.parquet", None, index)["states"] == {"in": 1, "out": 1, "unknown": 2}


def test_no_row_of_geoparquet_gives_no_row(tmp_path, frame, index):
    frame.iloc[:0].to_parquet(tmp_path / "in.parquet")
    assert tags_of(tmp_path / "in.parquet", index)[0] == []


def test_plain_parquet_with_columns_of_degrees_is_read_by_their_names(tmp_path, index):
    pq.write_table(pa.table({"lon": np.array([3.006]), "lat": np.array([46.504])}), tmp_path / "in.parquet")
    assert tags_of(tmp_path / "in.parquet", index)[0] == ["in"]


def test_a_sentence_before_the_header_is_no_row(tmp_path):
    """Exports of the RIL begin with a sentence, and give the projection of each row."""
    path = tmp_path / "ril.csv"
    path.write_text(
        "Fichier encodé en UTF-8 sans BOM, champs séparés par un point-virgule\n"
        "depcom;id_ea;x;y;code_epsg\n99001;1;700001.5;6600001.5;2154\n99001;2;700900;6600900;2154\n"
    )
    qpv = gpd.GeoSeries([shapely.box(7e5, 6.6e6, 7e5 + 9, 6.6e6 + 9)], index=["A"], crs=2154)
    found = tag_file(path, tmp_path / "out.csv", qpv)
    assert found["states"] == {"in": 1, "out": 1, "unknown": 0}
    assert (tmp_path / "out.csv").read_text().splitlines()[0].startswith("depcom;id_ea;x;y;code_epsg;state;")
