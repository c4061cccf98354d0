"""Forms in which people have the same outlines: cells of a table, names of columns, empty rows, lines, points."""

import ast
import gzip
import json
import zipfile

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from tests.builders import refused

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
    assert list(recognise.identify(path)) == []


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


def feature(code, name, shape):
    about = {"code_qp": code, "lib_qp": name}
    return {"type": "Feature", "properties": about, "geometry": shapely.geometry.mapping(shape)}


FEATURES = [feature("QN05901N", "Cité Épée", LILLE), feature("QN05902N", "À côté", BESIDE)]
IN_LINES = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in FEATURES)
TOGETHER = json.dumps({"type": "FeatureCollection", "features": FEATURES}, ensure_ascii=False)
NAMES = {"QN05901N": "Cité Épée", "QN05902N": "À côté"}


def written(path, text, encoding="utf-8"):
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("ending", ["geojsonl", "geojsons", "ndjson", "jsonl", "json", "geojson", "ndjson.gz"])
@pytest.mark.parametrize("mark", ["", "\ufeff", "\x1e"], ids=["plain", "byte order mark", "record separator"])
def test_a_feature_on_each_line(tmp_path, ending, mark):
    text = IN_LINES.replace('{"type": "Feature"', mark + '{"type": "Feature"') if mark == "\x1e" else mark + IN_LINES
    path = written(tmp_path / f"x.{ending}", text)
    assert qg.read_qpv(path)["name"].to_dict() == NAMES
    assert judged(path) == PERIMETERS


def test_one_feature_alone_on_its_line(tmp_path):
    path = written(tmp_path / "x.geojsonl", IN_LINES.splitlines()[0])
    assert qg.read_qpv(path).index.tolist() == ["QN05901N"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (IN_LINES.replace('"geometry"', 'geometry"', 1), 1),
        (IN_LINES[:-60], 2),
        (IN_LINES.replace("\n", "\nnot a feature\n", 1), 2),
    ],
    ids=["damaged", "cut short", "a line of text"],
)
def test_a_line_that_is_no_feature_is_named_and_not_dropped(tmp_path, text, line):
    path = written(tmp_path / "x.geojsonl", text)
    error = refused(lambda: qg.read_qpv(path), "formats.lines_no_feature")
    assert [problem.values["line"] for problem in error.problems] == [line]
    assert not any(report.ok for report in examine(path))


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("form", ["x.geojson", "x.geojsonl", "x.geojson.gz", "x.zip"])
def test_geojson_in_other_encodings(tmp_path, encoding, form):
    path = tmp_path / form
    text = IN_LINES if form == "x.geojsonl" else TOGETHER
    if form == "x.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.geojson", text.encode(encoding))
    else:
        written(path, text, encoding)
    qpv = qg.read_qpv(path)
    assert qpv["name"].to_dict() == NAMES
    told = [
        note.values["encoding"] for note in map(inner, qg.provenance(qpv)["notes"]) if note.key == "formats.read_as"
    ]
    assert told == ([] if encoding == "utf-8-sig" else [encoding])
    assert judged(path) == PERIMETERS


def inner(note):
    """A note, or the one that it carries for its file."""
    return note.values.get("note", note)


@pytest.mark.parametrize("ending", ["geojson.gz", "fgb.gz"])
def test_outlines_in_gzip(tmp_path, ending):
    bare = layer(tmp_path / f"x.{ending.removesuffix('.gz')}", code_qp=["QN05901N", "QN05902N"], lib_qp=["A", "B"])
    path = tmp_path / f"packed.{ending}"
    path.write_bytes(gzip.compress(bare.read_bytes()))
    assert sorted(qg.read_qpv(path).index) == ["QN05901N", "QN05902N"]
    assert judged(path) == PERIMETERS


@pytest.mark.parametrize(
    ("write", "shape", "epsg"),
    [
        (shapely.to_wkt, LILLE, 4326),
        (shapely.to_wkb, LILLE, 4326),
        (lambda shape: shapely.to_wkb(shape, hex=True), LILLE, 4326),
        (shapely.to_geojson, LILLE, 4326),
        (lambda shape: f"SRID=2154;{shape.wkt}", IN_LAMBERT, 2154),
        (shapely.to_wkb, IN_LAMBERT, 2154),
    ],
    ids=["WKT", "WKB", "hexadecimal", "GeoJSON", "EWKT", "WKB in Lambert-93"],
)
def test_parquet_that_does_not_say_which_column_holds_its_outlines(tmp_path, write, shape, epsg):
    path = tmp_path / "x.parquet"
    table = pa.table({"code_qp": ["QN05901N"], "lib_qp": ["A"], "geometry": [write(shape)]})
    pq.write_table(table, path)
    qpv = qg.read_qpv(path)
    assert (qpv.index.tolist(), qpv.crs.to_epsg()) == (["QN05901N"], epsg)
    assert qpv.geometry.iloc[0].equals(shape)
    assert judged(path) == PERIMETERS
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(path, "x.parquet")
    assert qg.read_qpv(packed).index.tolist() == ["QN05901N"]


def test_parquet_with_bytes_that_are_no_outlines_is_a_table(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"codeQPV": ["QN05901N"], "popMuniQPV": ["12"], "photo": [b"\x89PNG"]}), path)
    assert qg.read_population(path)["population"].tolist() == [12]


def test_cells_in_several_projections_are_brought_to_one(tmp_path):
    path = tmp_path / "table.csv"
    rows = {"QN05901N": f"SRID=2154;{IN_LAMBERT.wkt}", "QN05902N": f"SRID=4326;{BESIDE.wkt}"}
    path.write_text("code_qp;lib_qp;geom\n" + "".join(f'{code};A;"{cell}"\n' for code, cell in rows.items()))
    qpv = qg.read_qpv(path)
    assert qpv.crs.to_epsg() == 4326
    assert qpv.to_crs(2154).geometry["QN05901N"].equals_exact(IN_LAMBERT, 0.01)
    assert qpv.geometry["QN05902N"].equals(BESIDE)
    path.write_text(path.read_text().replace("SRID=4326;", ""))
    assert refused(lambda: qg.read_qpv(path), "formats.several_crs").way_out.key == "formats.say_crs_of_each"
