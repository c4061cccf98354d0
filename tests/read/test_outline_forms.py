"""Forms in which people have the same outlines: cells of a table, names of columns, empty rows, lines, points."""

import ast

import geopandas as gpd
import pytest
import shapely

import qpvgeo as qg
from qpvgeo.errors import DataError
from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise

LILLE = shapely.box(3.06, 50.62, 3.065, 50.625)
BESIDE = shapely.box(3.07, 50.62, 3.075, 50.625)
IN_LAMBERT = shapely.box(704_000, 7_059_000, 704_500, 7_059_500)


def layer(path, shapes=(LILLE, BESIDE), **columns):
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326).to_file(path)
    return path


def judged(path):
    """What the doctor and recognition say of a file that is read."""
    return [(report.kind, report.ok) for report in examine(path)], [found.kind for found in recognise.identify(path)]


PERIMETERS = ([("perimeters", True)], ["perimeters"])


@pytest.mark.parametrize(
    ("cell", "epsg"),
    [
        (LILLE.wkt, 4326),
        (f"SRID=4326;{LILLE.wkt}", 4326),
        (LILLE.wkb_hex, 4326),
        (shapely.to_wkb(LILLE, hex=True, byte_order=0), 4326),
        (shapely.to_wkb(shapely.force_3d(LILLE), hex=True), 4326),
        (IN_LAMBERT.wkt, 2154),
        (shapely.to_wkb(shapely.set_srid(IN_LAMBERT, 2154), hex=True, include_srid=True), 2154),
        (shapely.to_geojson(LILLE).replace('"', '""'), 4326),
    ],
)
@pytest.mark.parametrize("column", ["geom", "the_geom", "WKT", "contours du quartier"])
def test_outlines_in_cells(tmp_path, cell, epsg, column):
    path = tmp_path / "table.csv"
    path.write_text(f'code_qp;lib_qp;{column}\nQN05901N;A;"{cell}"\n')
    qpv = qg.read_qpv(path)
    assert qpv.crs.to_epsg() == epsg
    assert qpv.to_crs(2154).geometry.area.iloc[0] == pytest.approx(2.5e5, rel=0.3)
    assert judged(path) == PERIMETERS


@pytest.mark.parametrize(
    "column",
    [
        "Intitule",
        "denomination",
        "nom_zone",
        "qpv_nom",
        "quartier_nom",
        "lib",
        "NOM",
        "Quartier prioritaire",
        "libelle_qu",
    ],
)
def test_names_stand_under_many_names(tmp_path, column):
    path = layer(tmp_path / "x.geojson", code_qp=["QN05901N", "QN05902N"], commune=["L", "L"], **{column: ["A", "B"]})
    assert qg.read_qpv(path)["name"].tolist() == ["A", "B"]


def test_an_empty_column_of_names_gives_way_to_one_that_is_filled(tmp_path):
    path = layer(tmp_path / "x.gpkg", code_qp=["QN05901N", "QN05902N"], name=[None, None], lib_qp=["A", "B"])
    assert qg.read_qpv(path)["name"].tolist() == ["A", "B"]


def test_a_total_without_an_outline_is_left_out(tmp_path):
    path = layer(tmp_path / "x.geojson", (LILLE, None), code_qp=["QN05901N", None], lib_qp=["A", "Total"])
    qpv = qg.read_qpv(path)
    assert qpv.index.tolist() == ["QN05901N"]
    assert "read.empty_rows" in {note.values["note"].key for note in qg.provenance(qpv)["notes"]}
    assert judged(path) == PERIMETERS


@pytest.mark.parametrize("shape", [LILLE.exterior, LILLE.centroid])
def test_lines_and_points_are_no_outlines(tmp_path, shape):
    path = layer(tmp_path / "x.geojson", [shape], code_qp=["QN05901N"], lib_qp=["A"])
    with pytest.raises(DataError) as caught:
        qg.read_qpv(path)
    assert (caught.value.key, caught.value.way_out.key) == ("read.no_perimeters", "read.give_areas")
    assert recognise.judge(path) == []


def test_two_columns_of_codes_are_a_choice_that_works(tmp_path):
    path = layer(tmp_path / "x.gpkg", before=["QP059001", "QP059002"], after=["QN05901N", "QN05902N"])
    with pytest.raises(DataError) as caught:
        qg.read_qpv(path)
    assert caught.value.key == "read.several_code_columns"
    vintages = [
        qg.read_qpv(path, columns=ast.literal_eval(choice))["vintage"].iloc[0]
        for choice in caught.value.way_out.values["choices"]
    ]
    assert vintages == [2015, 2024]
