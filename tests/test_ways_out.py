"""Every way out that an error of a reader prints is taken here, on the input that raised it."""

import ast
import json

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner
from tests.builders import workbook_of

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.cli.hints import on_the_command_line
from qpvgeo.errors import QpvgeoError

LILLE = shapely.box(3.06, 50.62, 3.065, 50.625)
IN_LAMBERT = shapely.box(704_000, 7_059_000, 704_500, 7_059_500)
CELLS = ["CRS3035RES200mN2029800E4252400", "CRS3035RES200mN2029800E4252600"]


def table(folder, text):
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def workbook(folder, **sheets):
    return workbook_of(folder / "table.xlsx", **sheets)


def layer(folder, shapes=(LILLE,), crs=4326, name="outlines", **columns):
    path = folder / "layers.gpkg"
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs).to_file(path, layer=name)
    return path


def way_out(call):
    """Key of the error of a call, of its way out, and the values of the latter."""
    with pytest.raises(QpvgeoError) as caught:
        call()
    told = caught.value.way_out
    return caught.value.key, told.key, told.values


def people(path, **options):
    return qg.read_population(path, **options)["population"].to_dict()


def test_choose_year(tmp_path):
    path = table(tmp_path, "code_qp;pop_2013;pop_2018\nQP001001;1;2\n")
    _, key, values = way_out(lambda: people(path))
    assert key == "read.choose_year"
    assert people(path, **values) == {"QP001001": 2}


def test_give_year(tmp_path):
    path = table(tmp_path, "code_qp;population\nQP001001;2\n")
    assert way_out(lambda: people(path))[1] == "read.give_year"
    assert people(path, year=2018) == {"QP001001": 2}


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("code_qp;pop_muni_2018;population_2018\nQP001001;1;2\n", {}, [{"QP001001": 1}, {"QP001001": 2}]),
        ("old;new;population\nQP001001;QN00101N;2\n", {"year": 2018}, [{"QP001001": 2}, {"QN00101N": 2}]),
    ],
)
def test_name_one_of(tmp_path, text, options, expected):
    path = table(tmp_path, text)
    _, key, values = way_out(lambda: people(path, **options))
    assert key == "read.name_one_of"
    assert [people(path, columns=ast.literal_eval(one), **options) for one in values["choices"]] == expected


@pytest.mark.parametrize(
    ("text", "level", "named"),
    [
        ("code_qp;effectif\nQP001001;2\n", "qpv", "effectif"),
        ("CODGEO;effectif\n01004;2\n", "commune", "effectif"),
    ],
)
def test_name_the_column_of_people(tmp_path, text, level, named):
    path = table(tmp_path, text)
    error, key, values = way_out(lambda: people(path, level=level))
    assert (error, key) == ("read.no_population_column", "read.name_the_column")
    assert list(people(path, level=level, year=2018, columns={named: values["canonical"]}).values()) == [2]


@pytest.mark.parametrize(
    ("read", "text", "columns"),
    [
        (lambda path, **o: people(path, level="commune", year=2018, **o), "lieu;gens\nx;2\n", None),
        (qg.read_communes, "lieu;gens\n59350;2\n", {"lieu": "code", "gens": "population"}),
        (qg.read_epci, "ident;titre\n245900410;MEL\n", {"ident": "code", "titre": "name"}),
        (
            lambda path, **o: people(path, level="commune", year=2018, **o),
            "lieu;gens\n59350;2\n",
            {"lieu": "commune", "gens": "population"},
        ),
    ],
)
def test_name_columns_that_no_line_names(tmp_path, read, text, columns):
    path = table(tmp_path, text)
    assert way_out(lambda: read(path))[1] == "formats.name_columns"
    if columns is not None:
        assert len(read(path, columns=columns)) == 1


def test_parts(tmp_path):
    rows = "QN00201M;02571;5\nQN00201M;02691;6\nQN00101M;01053;9\nQN00101M;01054;9\n"
    path = table(tmp_path, f"code_qp;code_com;pop_muni\n{rows}")
    _, key, values = way_out(lambda: people(path))
    assert key == "read.parts_way_out"
    assert people(path, columns={values["column"]: "population_part"}) == {"QN00201M": 11, "QN00101M": 18}


def test_the_level_of_a_table_without_parts(tmp_path):
    path = table(tmp_path, "code_qp;pop_muni\nQN00201M;5\n")
    assert way_out(lambda: people(path, level="qpv_commune"))[1] == "read.no_parts_way_out"
    assert people(path, level="qpv") == {"QN00201M": 5}


def test_another_sheet(tmp_path):
    head = ["code_qp", "pop_muni"]
    path = workbook(tmp_path, Hexagone=[head, ["QN00201M", 5]], DOM=[head, ["QN97101M", 6]])
    (note,) = [one for one in qg.provenance(qg.read_population(path))["notes"] if one.key == "formats.other_sheets"]
    assert people(path, layer=note.values["others"][0]) == {"QN97101M": 6}
    _, key, values = way_out(lambda: people(path, layer="Mayotte"))
    assert key == "formats.its_sheets"
    assert [len(people(path, layer=sheet)) for sheet in values["sheets"]] == [1, 1]


def test_name_the_codes_of_outlines(tmp_path):
    path = layer(tmp_path, old=["QP059001"], new=["QN05901N"])
    _, key, values = way_out(lambda: qg.read_qpv(path))
    assert key == "read.name_one_of"
    assert [qg.read_qpv(path, columns=ast.literal_eval(one)).index[0] for one in values["choices"]] == [
        "QP059001",
        "QN05901N",
    ]


def test_choose_the_geography(tmp_path):
    path = layer(tmp_path, [LILLE, shapely.box(3.07, 50.62, 3.075, 50.625)], code_qp=["QP059001", "QN05901N"])
    assert way_out(lambda: qg.read_qpv(path))[1] == "read.choose_vintage"
    assert [len(qg.read_qpv(path, vintage=vintage)) for vintage in (2015, 2024)] == [1, 1]
    only = layer(tmp_path, code_qp=["QP059001"], name="only")
    _, key, values = way_out(lambda: qg.read_qpv(only, layer="only", vintage=2024))
    assert key == "read.read_with_vintage"
    assert len(qg.read_qpv(only, layer="only", **values)) == 1


def test_a_layer_that_is_not_there(tmp_path):
    path = layer(tmp_path, code_qp=["QN05901N"])
    _, key, values = way_out(lambda: qg.read_qpv(path, layer="x"))
    assert key == "read.layers_are"
    assert len(qg.read_qpv(path, layer=values["layers"][0])) == 1


def test_release_that_codes_do_not_tell(tmp_path):
    path = layer(tmp_path, code_qp=["QN05901N"])
    assert way_out(lambda: qg.read_qpv(path, release="2025"))[1] == "read.release_unknown"
    assert len(qg.read_qpv(path)) == 1


def bare(folder, *shapes):
    features = [
        {"type": "Feature", "properties": {"insee": f"5935{k}"}, "geometry": shapely.geometry.mapping(shape)}
        for k, shape in enumerate(shapes)
    ]
    path = folder / "bare.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_give_the_projection_of_outlines(tmp_path):
    # as Web Mercator these lie in France too
    path = bare(tmp_path, shapely.box(340_000, 6_560_000, 341_000, 6_561_000))
    _, key, values = way_out(lambda: qg.read_communes(path))
    assert key in {"formats.choose_crs", "formats.give_crs"}
    assert len(qg.read_communes(path, crs=values.get("crs", "EPSG:2154"))) == 1


def test_name_what_a_grid_holds(tmp_path):
    path = table(tmp_path, f"carreau;gens\n{CELLS[0]};5\n{CELLS[1]};6\n")
    error, key, _ = way_out(lambda: qg.read_grid(path))
    assert key in {"grid.name_the_ids", "grid.map_columns", "grid.id_forms"}, error
    assert qg.read_grid(path, columns={"carreau": "cell_id", "gens": "population"})["population"].sum() == 11


def test_name_the_people_of_a_grid(tmp_path):
    path = table(tmp_path, f"idcar_200m;gens\n{CELLS[0]};5\n{CELLS[1]};6\n")
    _, key, _ = way_out(lambda: qg.read_grid(path))
    assert key in {"grid.name_people", "grid.map_columns"}
    assert qg.read_grid(path, columns={"gens": "population"})["population"].sum() == 11


def test_choose_a_table_of_cells(tmp_path):
    shapes = [shapely.box(4_252_400 + 200 * k, 2_029_800, 4_252_600 + 200 * k, 2_030_000) for k in range(2)]
    for name in ("one", "two"):
        path = layer(tmp_path, shapes, 3035, name, idcar_200m=CELLS, ind=[5, 6])
    _, key, _ = way_out(lambda: qg.read_grid(path))
    assert key == "grid.choose_table"
    assert [qg.read_grid(path, layer=name)["population"].sum() for name in ("one", "two")] == [11, 11]


@pytest.fixture
def points(tmp_path):
    layer(tmp_path, code_qp=["QN05901N"], lib_qp=["A"])
    return tmp_path


@pytest.mark.filterwarnings("ignore:.*perimeters of France hexagonale")
@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("x;y\n3.062;50.622\n", ["--x", "x", "--y", "y", "--crs", "4326"]),
        ("est;nord\n704240;7059240\n", ["--x", "est", "--y", "nord", "--crs", "2154"]),
        ("x;y;systeme\n704240;7059240;2154\n", ["--x", "x", "--y", "y", "--crs", "systeme"]),
    ],
)
def test_name_the_coordinates(points, text, options):
    path = table(points, text)
    qpv = qg.read_qpv(points / "layers.gpkg")
    frame = pd.read_csv(path, sep=";")
    _, key, _ = way_out(lambda: qg.tag_points(frame, qpv))
    assert key in {"tagging.name_coordinate_columns", "tagging.name_columns"}
    crs = options[5]
    given = {"xy": (options[1], options[3]), "crs": int(crs) if crs.isdigit() else crs}
    assert len(qg.tag_points(frame, qpv, **given)) == 1
    command = ["tag", path, "--data", points, "--json", "-o", points / "tags.csv"]
    assert CliRunner().invoke(app, list(map(str, command))).exit_code != 0
    done = CliRunner().invoke(app, list(map(str, [*command, *options])))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["states"]["unknown"] == 0


def test_the_command_line_names_the_same_choice(tmp_path):
    path = layer(tmp_path, old=["QP059001"], new=["QN05901N"])
    with pytest.raises(QpvgeoError) as caught:
        qg.read_qpv(path)
    told = on_the_command_line(caught.value)
    assert (told.key, told.values["meaning"]) == ("cli.hint_one_of", "qpv_code")


def test_choose_a_place_of_several_of_one_name():
    from qpvgeo.codes.places import find_area

    _, key, values = way_out(lambda: find_area("93"))
    assert key == "codes.choose_place"
    assert find_area(values["example"]).code == "93"


@pytest.mark.parametrize(
    ("read", "year", "key"),
    [
        (qg.read_qpv, 2024, "qpv-2024"),
        (qg.read_population, 2024, "qpv-2024-population"),
        (qg.read_communes, 2024, "cog-2024"),
        (qg.read_epci, 2024, "epci-2024"),
    ],
)
def test_a_year_in_place_of_a_source_names_a_key_of_the_reader(read, year, key):
    _, told, values = way_out(lambda: read(year))
    assert (told, values) == ("sources.did_you_mean", {"key": key})
    assert key in qg.datasets().index


def test_a_commune_by_name_needs_the_names():
    sample = qg.sample()
    communes = qg.read_communes(sample.communes, table=sample.communes_table)
    links = qg.join_communes(qg.read_qpv(sample.qpv_2024), communes)
    _, key, _ = way_out(lambda: qg.coverage(links, by="commune", place="Port-Brume"))
    assert key == "codes.no_place_without_names"
    assert len(qg.coverage(links, by="commune", place="99001")) == 1
    assert len(qg.coverage(links, by="commune", place="Port-Brume", units=communes)) == 1
