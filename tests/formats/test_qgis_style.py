"""Style of a GeoPackage for QGIS: the table, the document, hostile names, and that readers do not mind it."""

import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import geopandas as gpd
import pyogrio
import pytest
import shapely
from tests.builders import layer, square

import qpvgeo as qg
from qpvgeo.formats import qgis_style
from qpvgeo.formats.frame_writer import write_frame
from qpvgeo.maps import palettes


def rows(path, question):
    with closing(sqlite3.connect(path)) as file:
        return file.execute(question).fetchall()


def parsed(text):
    head, body = text.split("\n", 1)
    assert head.startswith("<!DOCTYPE qgis")
    return ET.fromstring(body)


def test_colours_are_those_of_the_maps():
    assert qgis_style.LINE == palettes.PERIMETER
    symbol = parsed(qgis_style.qml("fill")).find("renderer-v2/symbols/symbol/layer")
    colours = {one.get("name"): one.get("value") for one in symbol.iter("Option")}
    assert colours["outline_color"] == "122,1,119,255"
    assert {one.get("k"): one.get("v") for one in symbol.iter("prop")}.items() <= colours.items()


@pytest.mark.parametrize(
    ("shape", "kind", "form"),
    [
        (square(0, 0), "fill", "SimpleFill"),
        (shapely.LineString([(0, 0), (1, 1)]), "line", "SimpleLine"),
        (shapely.Point(0, 0), "marker", "SimpleMarker"),
    ],
)
def test_symbol_is_that_of_the_geometry(tmp_path, shape, kind, form):
    path = write_frame(layer({"a": shape}), tmp_path / "layer.gpkg")
    root = parsed(rows(path, "SELECT styleQML FROM layer_styles")[0][0])
    symbol = root.find("renderer-v2/symbols/symbol")
    assert (symbol.get("type"), symbol.find("layer").get("class")) == (kind, form)


def test_style_is_the_default_one_of_the_layer_and_registered(tmp_path):
    path = write_frame(qg.read_qpv(qg.sample().qpv_2024), tmp_path / "qpv.gpkg")
    columns = "f_table_name, f_geometry_column, useAsDefault"
    geometry = pyogrio.read_info(path, layer="qpv")["geometry_name"]
    assert rows(path, f"SELECT {columns} FROM layer_styles") == [("qpv", geometry, 1)]
    assert rows(path, "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'") == [("attributes",)]
    root = parsed(rows(path, "SELECT styleQML FROM layer_styles")[0][0])
    assert root.find("labeling/settings/text-style").get("fieldName") == "name"
    assert len(qg.read_qpv(path)) == 16


def test_names_with_quotes_and_brackets_are_kept(tmp_path):
    path = write_frame(layer({"a": square(0, 0)}, name=["<b>'x'"]), tmp_path / 'l\'é <x> & "y".gpkg')
    assert rows(path, "SELECT f_table_name FROM layer_styles") == [('l\'é <x> & "y"',)]
    assert parsed(qgis_style.qml("fill", '"<&>')).find("labeling/settings/text-style").get("fieldName") == '"<&>'


def test_mixed_kinds_of_geometry_have_no_style(tmp_path):
    mixed = gpd.GeoDataFrame(geometry=[square(0, 0), shapely.Point(0, 0)], crs=2154)
    path = write_frame(mixed, tmp_path / "mixed.gpkg")
    assert rows(path, "SELECT count(*) FROM sqlite_master WHERE name = 'layer_styles'") == [(0,)]
