"""Tables with geometry in their cells."""

import json

import openpyxl
import pandas as pd
import pytest
import shapely
from tests.builders import refused

from qpvgeo.formats import shape_tables, vector_layers
from qpvgeo.sources import recognise

BOX = shapely.box(2.48, 48.9, 2.49, 48.91)
CELLS = {
    "geo_shape": shapely.to_geojson(BOX),
    "WKT": BOX.wkt,
    "the_geom": shapely.to_wkb(BOX, hex=True),
    "geom": f"SRID=4326;{BOX.wkt}",
}


def table(path, column, cell):
    rows = [
        ["code_qp", "geo_point_2d", column],
        ["QN09901M", "48.905, 2.485", cell],
        ["QN09902M", "48.905, 2.485", cell],
    ]
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        pd.DataFrame(rows[1:], columns=rows[0]).to_csv(path, index=False, sep=";")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("column", CELLS)
def test_outlines_in_cells_are_a_layer(tmp_path, column, suffix):
    path = table(tmp_path / f"a{suffix}", column, CELLS[column])
    (one,) = vector_layers.layers(path)
    assert one.fields == ("code_qp", "geo_point_2d")
    assert one.features == 2
    frame, _ = vector_layers.read(one)
    assert frame.crs.to_epsg() == 4326
    assert frame.geometry.iloc[1].equals(BOX)
    assert frame["code_qp"].tolist() == ["QN09901M", "QN09902M"]
    assert [found.kind for found in recognise.identify(path)] == ["perimeters"]


def test_cells_longer_than_the_csv_module_reads(tmp_path):
    ring = shapely.Point(2.4, 48.9).buffer(0.01, quad_segs=4000)
    path = table(tmp_path / "a.csv", "geo_shape", shapely.to_geojson(ring))
    (one,) = vector_layers.layers(path)
    assert vector_layers.read(one)[0].geometry.iloc[0].equals(ring)


def test_a_table_without_geometry_is_no_layer(tmp_path):
    path = table(tmp_path / "a.csv", "name", "POINT of view (a")
    refused(lambda: vector_layers.layers(path), "formats.no_outlines_form")


def test_cells_that_cannot_be_read_are_named_by_line(tmp_path):
    path = table(tmp_path / "a.csv", "wkt", BOX.wkt)
    path.write_text(path.read_text().replace("49 48.9, 2.4", "49 48.9, 2.x", 1).replace("POLYGON", "POLYGON", 1))
    text = path.read_text().splitlines()
    text[2] = text[2].replace("((", "((x")
    path.write_text("\n".join(text))
    (one,) = vector_layers.layers(path)
    error = refused(lambda: vector_layers.read(one), "formats.cells_not_geometry")
    assert 3 in [problem.values["line"] for problem in error.problems]


def test_outlines_come_before_centres():
    frame = pd.DataFrame({"geo_point": [json.dumps({"type": "Point", "coordinates": [2, 48]})], "geom": [BOX.wkt]})
    assert shape_tables.shape_column(frame) == ("geom", "wkt")
