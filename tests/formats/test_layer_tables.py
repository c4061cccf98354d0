"""Layers and sheets read in batches: the rows of the file, in order, whatever the size of the batches."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from qpvgeo.formats.geoparquet import geo_column
from qpvgeo.formats.table_stream import open_table


@pytest.fixture
def points():
    """Seven points, the third without shape."""
    shapes = [shapely.Point(600_000 + place, 6_600_000) for place in range(7)]
    shapes[2] = None
    return gpd.GeoDataFrame({"id": range(7), "nom": list("abcdefé")}, geometry=shapes, crs=2154)


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("form", ["p.gpkg", "p.shp", "p.fgb"])
def test_batches_are_the_rows_in_order(tmp_path, points, form, rows):
    options = {"SPATIAL_INDEX": "NO"} if form == "p.fgb" else {}
    points.to_file(tmp_path / form, **options)
    table = open_table(tmp_path / form)
    column = geo_column(table.schema)
    assert column.crs.to_epsg() == 2154
    batches = list(table.batches([column.name, "id"], rows, "columns"))
    assert [batch.look.num_rows for batch in batches] == [rows] * (7 // rows) + ([7 % rows] if 7 % rows else [])
    whole = pa.concat_tables([batch.whole for batch in batches])
    assert whole.schema.names == table.schema.names == ["id", "nom", column.name]
    assert whole["nom"].to_pylist() == points["nom"].tolist()
    drawn = shapely.from_wkb(pa.concat_tables([batch.look for batch in batches])[column.name].to_pylist())
    assert (shapely.is_missing(drawn) == points.geometry.isna().to_numpy()).all()
    assert np.array_equal(shapely.get_x(drawn), shapely.get_x(points.geometry.to_numpy()), equal_nan=True)
    assert batches[-1].share == 1.0
    assert not any(batch.bad.any() for batch in batches)


def test_the_parts_of_a_shapefile_are_those_of_its_name_whatever_it_looks_like(tmp_path, points):
    for name in ("p[1].shp", "p1.shp"):
        points.to_file(tmp_path / name)
    parts = open_table(tmp_path / "p[1].shp").parts
    assert {part.stem for part in parts} == {"p[1]"}
    assert {part.suffix for part in parts} >= {".shp", ".dbf", ".shx"}


def test_the_columns_looked_at_are_read_alone_without_the_others(tmp_path, points):
    points.to_file(tmp_path / "p.gpkg")
    (batch,) = open_table(tmp_path / "p.gpkg").batches(["nom"], 10, "nothing")
    assert (batch.look.schema.names, batch.whole) == (["nom"], None)


def test_a_layer_is_read_twice_alike(tmp_path, points):
    points.to_file(tmp_path / "p.geojson")
    table = open_table(tmp_path / "p.geojson")
    first, second = (pa.concat_tables([b.whole for b in table.batches(["nom"], 3, "columns")]) for _ in range(2))
    assert first.equals(second)


def test_a_column_named_like_the_shapes_keeps_its_name(tmp_path):
    frame = gpd.GeoDataFrame({"geometry_": ["a"], "wkb": ["b"]}, geometry=[shapely.Point(3, 46)], crs=4326)
    frame.rename_geometry("shape").assign(geometry="c").to_file(tmp_path / "p.geojson", driver="GeoJSON")
    table = open_table(tmp_path / "p.geojson")
    (batch,) = table.batches(table.schema.names, 10, "nothing")
    assert batch.look["geometry"].to_pylist() == ["c"]
    assert shapely.from_wkb(batch.look[geo_column(table.schema).name].to_pylist())[0].x == 3


def test_rows_of_a_sheet_are_text_as_typed(tmp_path):
    pd.DataFrame({"code": ["01001", None], "n": [1.5, 2]}).to_excel(tmp_path / "p.xlsx", index=False)
    table = open_table(tmp_path / "p.xlsx")
    (batch,) = table.batches(["code", "n"], 10, "columns")
    assert batch.look.to_pydict() == {"code": ["01001", None], "n": ["1.5", "2"]}
    assert batch.whole.schema.names == ["code", "n"]
