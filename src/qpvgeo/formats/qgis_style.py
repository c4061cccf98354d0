"""Style of a layer in a GeoPackage, as QGIS keeps it: a QML document in the table `layer_styles`.

QGIS takes the default style of a layer from this table when the layer is opened. Areas are drawn as on the maps of
qpvgeo, with a halo around their names.

Source: QGIS, "Saving layer style in database" (user manual), and the documents that QGIS 3 writes.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

__all__ = ["LINE", "add_style", "qml"]

LINE = "#7a0177"
"""Colour of perimeters."""

_LABEL, _FILL_ALPHA = "#3d003b", 64
_VERSION = "3.22.0"

_TABLE = """
CREATE TABLE IF NOT EXISTS layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
  f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,
  description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
)
"""
_CONTENTS = """
INSERT OR IGNORE INTO gpkg_contents (table_name, data_type, identifier, description)
VALUES ('layer_styles', 'attributes', 'layer_styles', '')
"""
_STYLE = """
INSERT INTO layer_styles
  (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, styleSLD, useAsDefault,
   description, owner)
VALUES ('', '', ?, ?, 'qpvgeo', ?, '', 1, 'qpvgeo', '')
"""


def _colour(text: str, alpha: int = 255) -> str:
    red, green, blue = (int(text[place : place + 2], 16) for place in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"


def _symbol(parent: ET.Element, kind: str) -> None:
    """One symbol for all features: areas let what is below them through, points have a white ring."""
    symbol = ET.SubElement(
        ET.SubElement(parent, "symbols"), "symbol", name="0", type=kind, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    form = {"fill": "SimpleFill", "line": "SimpleLine", "marker": "SimpleMarker"}[kind]
    layer = ET.SubElement(symbol, "layer", {"class": form, "enabled": "1", "locked": "0", "pass": "0"})
    given = {
        "fill": {
            "color": _colour(LINE, _FILL_ALPHA),
            "outline_color": _colour(LINE),
            "outline_style": "solid",
            "outline_width": "0.4",
            "outline_width_unit": "MM",
            "style": "solid",
        },
        "line": {"line_color": _colour(LINE), "line_style": "solid", "line_width": "0.5", "line_width_unit": "MM"},
        "marker": {
            "name": "circle",
            "color": _colour(LINE),
            "outline_color": _colour("#ffffff"),
            "outline_width": "0.2",
            "size": "2",
            "size_unit": "MM",
        },
    }[kind]
    options = ET.SubElement(layer, "Option", type="Map")
    for name, value in given.items():
        ET.SubElement(options, "Option", name=name, type="QString", value=value)
        # as QGIS read them before 3.26
        ET.SubElement(layer, "prop", k=name, v=value)


def _labels(root: ET.Element, column: str) -> None:
    """Names in a halo, never one upon another."""
    settings = ET.SubElement(ET.SubElement(root, "labeling", type="simple"), "settings", calloutType="simple")
    style = ET.SubElement(
        settings,
        "text-style",
        fieldName=column,
        isExpression="0",
        fontSize="8",
        fontSizeUnit="Point",
        textColor=_colour(_LABEL),
        textOpacity="1",
        namedStyle="Regular",
    )
    halo = {"bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM", "bufferColor": _colour("#ffffff")}
    ET.SubElement(style, "text-buffer", halo | {"bufferOpacity": "1"})
    ET.SubElement(settings, "placement", placement="1", dist="0")
    ET.SubElement(settings, "rendering", drawLabels="1", obstacle="1", scaleVisibility="0", displayAll="0")


def qml(kind: str, label: str | None = None) -> str:
    r"""Style of a layer.

    Parameters
    ----------
    kind
        `fill`, `line` or `marker`.
    label
        Column whose text is written beside each feature; none by default.

    Examples
    --------
    >>> text = qml("fill", "name")
    >>> root = ET.fromstring(text.split("\n", 1)[1])
    >>> root.tag, root.find("labeling/settings/text-style").get("fieldName")
    ('qgis', 'name')
    """
    root = ET.Element(
        "qgis", version=_VERSION, styleCategories="Symbology|Labeling", labelsEnabled=str(int(bool(label)))
    )
    renderer = ET.SubElement(
        root, "renderer-v2", type="singleSymbol", enableorderby="0", forceraster="0", symbollevels="0"
    )
    _symbol(renderer, kind)
    if label:
        _labels(root, label)
    kinds = {"marker": "0", "line": "1", "fill": "2"}
    ET.SubElement(root, "layerGeometryType").text = kinds[kind]
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode")


def add_style(path: Path, layer: str, geometry: str, style: str) -> None:
    """Make a style the default one of a layer of a GeoPackage."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(_TABLE)
        file.execute(_CONTENTS)
        file.execute(_STYLE, (layer, geometry, style))
