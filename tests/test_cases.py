"""Files as town halls, portals and Insee make them, one test for each case of the field, by its number.

Rows are made up; outlines of cases 20 and 21 are drawn here with the faults of published ones. Each case is tested in
depth in the room it belongs to; here a reader sees all of them, with the value that must come out.
"""

import json
import sqlite3

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise

SQUARE_93 = shapely.box(2.48, 48.90, 2.49, 48.91)
INSEE_COMMUNES = '"TYPECOM","COM","REG","DEP","CTCD","ARR","TNCC","NCC","NCCENR","LIBELLE","CAN","COMPARENT"\n'
ABYMES = '"COM","97101","01","971","971D","9711","0","ABYMES","Abymes","Les Abymes","97198",""\n'


def text(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding))
    return path


def outlines(path, shapes, crs=4326, **columns):
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs).to_file(path)
    return path


def bare_geojson(path, shapes, code="code_qp"):
    """GeoJSON without `crs`, of outlines by their code."""
    features = [
        {"type": "Feature", "properties": {code: key, "lib_qp": "A"}, "geometry": shapely.geometry.mapping(shape)}
        for key, shape in shapes.items()
    ]
    return text(path, json.dumps({"type": "FeatureCollection", "features": features}))


def keys(frame):
    """Keys of the notes of a frame, those of a file among them."""
    notes = qg.provenance(frame)["notes"]
    return {getattr(note.values.get("note", note), "key", "") for note in notes}


def run(*words):
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_case_01_a_commune_has_its_own_people_and_not_those_of_its_epci(tmp_path):
    head = "siren;nom;nature;fiscalite;nb_com;ptot;pmun;insee;siren_com;nom_com;ptot_com;pmun_com\n"
    rows = [
        "245900410;MEL;METRO;FPU;2;260000;255000;59350;215903501;Lille;240000;236000\n",
        "245900410;MEL;METRO;FPU;2;260000;255000;59009;215900093;Villeneuve-d'Ascq;20000;19000\n",
    ]
    communes = qg.read_communes(text(tmp_path / "composition_2017.csv", head + "".join(rows)))
    assert communes["population"].to_dict() == {"59350": 236000, "59009": 19000}
    assert set(communes["epci"]) == {"245900410"}


def test_case_01_members_of_an_epci_under_other_headers(tmp_path):
    head = "dept;siren;raison_sociale;nature_juridique;ptot_epci;pmun_epci;insee;nom_membre;ptot_membre;pmun_membre\n"
    rows = "59;245900410;CU Lille;CU;1100000;1090000;59350;Lille;240000;226000\n"
    communes = qg.read_communes(text(tmp_path / "epcicom2010.csv", head + rows))
    assert communes.loc["59350", ["name", "population", "epci"]].tolist() == ["Lille", 226000, "245900410"]


def test_case_02_codes_of_insee_before_2018_are_put_together_and_names_have_their_article(tmp_path):
    simple = (
        "CDC\tCHEFLIEU\tREG\tDEP\tCOM\tAR\tCT\tTNCC\tARTMAJ\tNCC\tARTMIN\tNCCENR\n"
        "0\t0\t84\t01\t001\t2\t08\t5\t(L')\tABERGEMENT-CLEMENCIAT\t(L')\tAbergement-Clémenciat\n"
        "0\t0\t84\t01\t004\t2\t01\t1\t\tAMBERIEU-EN-BUGEY\t\tAmbérieu-en-Bugey\n"
    )
    found = qg.read_communes(text(tmp_path / "comsimp2016.txt", simple, "latin-1"))
    assert found["name"].to_dict() == {"01001": "L'Abergement-Clémenciat", "01004": "Ambérieu-en-Bugey"}


def test_case_02_communes_that_were_suppressed_are_not_communes_of_the_day(tmp_path):
    whole = (
        "ACTUAL\tREG\tDEP\tCOM\tPOLE\tARTMIN\tNCCENR\n"
        "1\t94\t2A\t004\t\t\tAjaccio\n"
        "3\t84\t01\t003\t01165\t\tAmareins\n"
        "4\t\t20\t004\t2A004\t\tAjaccio\n"
    )
    found = qg.read_communes(text(tmp_path / "France2017.txt", whole, "latin-1"))
    assert found["name"].to_dict() == {"2A004": "Ajaccio"}


def test_case_04_names_that_a_shapefile_cut_to_ten_characters(tmp_path):
    path = outlines(
        tmp_path / "quartiers.shp",
        [shapely.box(55.44 + x, -20.9, 55.445 + x, -20.895) for x in (0, 0.01)],
        Code_du_qu=["QP974026", "QP974014"],
        Nom_du_qua=["A", "B"],
        commune=["Saint-Denis", "Saint-Pierre"],
    )
    qpv = qg.read_qpv(path)
    assert qpv["name"].to_dict() == {"QP974026": "A", "QP974014": "B"}
    assert [(found.kind, found.vintage) for found in recognise.identify(path)] == [("perimeters", 2015)]
    assert qg.maps.find_place("Saint-Denis", qpv).territory == "974"


@pytest.mark.parametrize("column", ["CODE", "id", "code_quartier_prioritaire", "libre"])
def test_case_04_the_column_whose_values_are_codes_of_qpv_is_the_code(tmp_path, column):
    path = outlines(tmp_path / "x.geojson", [SQUARE_93], **{column: ["QN09301I"], "rang": ["1"]})
    assert qg.read_qpv(path).index.tolist() == ["QN09301I"]


def test_case_05_a_layer_declared_geometry_z_does_not_keep_the_others_from_being_read(tmp_path):
    path = outlines(tmp_path / "project.gpkg", [SQUARE_93], code_qp=["QN09301I"], lib_qp=["Un quartier"])
    notes = gpd.GeoDataFrame({"text": ["here"]}, geometry=[shapely.Point(2.48, 48.9, 1)], crs=4326)
    notes.to_file(path, layer="notes")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE gpkg_geometry_columns SET geometry_type_name='GEOMETRY', z=1 WHERE table_name='notes'")
    assert qg.read_qpv(path)["name"].tolist() == ["Un quartier"]
    assert all(report.ok for report in examine(path))


def test_case_06_the_column_that_the_caller_names_is_the_one(tmp_path):
    path = text(tmp_path / "e.csv", "code,pop_2013,pop_2018,evol\nQP001001,6056,6490,7.2\nQP001002,1830,1926,5.2\n")
    found = qg.read_population(path, columns={"code": "qpv_code", "pop_2018": "population"}, year=2018)
    assert found["population"].tolist() == [6490, 1926]
    assert found["reference_year"].tolist() == [2018, 2018]


def test_case_08_labels_under_the_names_are_no_row(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Quartiers"
    for row in (
        ["Estimations démographiques 2010"],
        ["QP", "LIBQP", "POP_MUN"],
        ["Code du quartier", "Libellé du quartier", "Population municipale"],
        ["QP001001", "A", 6000],
        ["QP001002", "B", 1800],
    ):
        book.active.append(row)
    book.save(tmp_path / "demographie.xlsx")
    assert qg.read_population(tmp_path / "demographie.xlsx", year=2010)["population"].to_dict() == {
        "QP001001": 6000,
        "QP001002": 1800,
    }


def test_case_09_a_total_in_the_first_row_does_not_hide_the_table(tmp_path):
    squares = [shapely.box(5.22 + x, 46.2, 5.225 + x, 46.205) for x in (0, 0.01)]
    outlines(tmp_path / "qpv2024.geojson", squares, code_qp=["QN00101M", "QN00102M"], lib_qp=["A", "B"])
    rows = "codeQPV;libQPV;popMuniQPV\nFrance métropolitaine;Ensemble;5307455\nQN00101M;A;6490\nQN00102M;B;1926\n"
    text(tmp_path / "people.csv", rows)
    assert run("summary", "--data", tmp_path)["population"] == 8416


def test_case_11_the_geolocated_sirene_has_a_projection_for_each_row(tmp_path):
    qpv = gpd.GeoDataFrame(
        {"code_qp": ["QN09301I", "QN97401I"], "lib_qp": ["A", "B"]},
        geometry=[shapely.box(2.42, 48.93, 2.43, 48.94), shapely.box(55.40, -21.28, 55.41, -21.27)],
        crs=4326,
    )
    qpv.to_file(tmp_path / "qpv.geojson")
    rows = (
        "siret;x;y;qualite_xy;epsg;plg_code_commune;y_latitude;x_longitude\n"
        "00000000000001;657782.12;6870427.10;11;2154;93010;48.932435;2.423775\n"
        "00000000000002;334283.40;7646648.87;11;2975;97414;-21.274365;55.402696\n"
    )
    table = text(tmp_path / "GeolocalisationEtablissement_Sirene.csv", rows)
    found = run("tag", table, "--data", tmp_path, "-o", tmp_path / "out.csv")
    assert found["states"]["in"] == 2
    tags = pd.read_csv(tmp_path / "out.csv", sep=None, engine="python", dtype="str")
    assert tags["qpv_code"].tolist() == ["QN09301I", "QN97401I"]


def test_case_12_a_new_commune_comes_from_nowhere_and_is_not_dropped(tmp_path):
    new = '"COM","97801","","978","","","0","SAINT MARTIN","Saint-Martin","Saint-Martin","",""\n'
    before = text(tmp_path / "v_commune_2025.csv", INSEE_COMMUNES + ABYMES)
    after = text(tmp_path / "v_commune_2026.csv", INSEE_COMMUNES + ABYMES + new)
    passage = qg.geographies.commune_passage(2025, 2026, communes={2025: before, 2026: after})
    assert passage.loc[passage["code_from"].isna(), "code_to"].tolist() == ["97801"]
    assert "97101" in set(passage["code_from"])


def test_case_13_a_qpv_in_none_of_the_communes_given_has_an_outline_all_the_same(tmp_path):
    squares = [shapely.box(5.22, 46.2, 5.225, 46.205), shapely.box(4.85, 45.75, 4.855, 45.755)]
    qpv = outlines(tmp_path / "qpv.geojson", squares, code_qp=["QP001001", "QP069001"], nom_qp=["A", "B"])
    bourg = outlines(tmp_path / "communes.geojson", [shapely.box(5.15, 46.15, 5.3, 46.25)], code=["01053"], nom=["B"])
    found = qg.coverage(qg.join_communes(qg.read_qpv(qpv), qg.read_communes(bourg)), by="epci")
    notes = [note.key for note in qg.provenance(found)["notes"]]
    assert "indicators.in_no_commune" in notes
    assert not [key for key in notes if "outline" in key]


def test_case_14_the_arrondissements_of_census_tables_become_their_communes(tmp_path):
    paris = "".join(f"751{number:02};Paris {number};100\n" for number in range(1, 21))
    path = text(tmp_path / "P13_POP.csv", f"CODGEO;LIBGEO;P13_POP\n01015;Arbignieu;500\n14697;L'Oudon;9\n{paris}")
    found = qg.read_population(path, level="commune")
    assert found["population"].to_dict() == {"01015": 500, "14472": 9, "75056": 2000}


def test_case_14_such_a_table_moves_to_the_communes_of_another_year(tmp_path):
    paris = "".join(f"751{number:02};Paris {number};100\n" for number in range(1, 21))
    path = text(tmp_path / "P13_POP.csv", f"CODGEO;LIBGEO;P13_POP\n14697;L'Oudon;9\n{paris}")
    rows = '"COM","14472","28","14","14D","141","1","A","A","L Oudon","1",""\n"COM","75056","11","75","75","751","0"'
    late = text(tmp_path / "v_commune_2024.csv", f'{INSEE_COMMUNES}{rows},"PARIS","Paris","Paris","75",""\n')
    people = qg.read_population(path, level="commune")["population"]
    moved = qg.geographies.move_communes(people, 2015, 2024, communes={2024: late})
    assert moved["population"].to_dict() == {"14472": 9, "75056": 2000}
    assert not moved["estimated"].any()


@pytest.mark.parametrize("column", ["nomQpv", "libQpv", "NOM_QP", "libelle_quartier", "libelle_qu"])
def test_case_15_names_have_many_names(tmp_path, column):
    path = outlines(tmp_path / "x.geojson", [SQUARE_93], codeQpv=["QN09301I"], **{column: ["Grande Reyssouze"]})
    assert qg.read_qpv(path)["name"].tolist() == ["Grande Reyssouze"]


def test_case_15_that_no_names_were_found_is_a_note(tmp_path):
    qpv = qg.read_qpv(outlines(tmp_path / "x.geojson", [SQUARE_93], codeQpv=["QN09301I"], rang=[1]))
    assert qpv["name"].isna().all()
    assert "read.no_names" in keys(qpv)


def portal(folder):
    """Export of a portal: outlines as GeoJSON in the cells of a table."""
    shape = json.dumps(shapely.geometry.mapping(SQUARE_93)).replace('"', '""')
    head = "code_qp;lib_qp;geo_point_2d;geo_shape\n"
    return text(folder / "quartiers.csv", f'{head}QN09301I;Un quartier;"48.905, 2.485";"{shape}"\n')


def test_case_16_outlines_in_the_cells_of_a_table(tmp_path):
    qpv = qg.read_qpv(portal(tmp_path))
    assert qpv["name"].to_dict() == {"QN09301I": "Un quartier"}
    assert qpv.geometry.iloc[0].equals(SQUARE_93)


def test_case_16_points_written_latitude_comma_longitude(tmp_path):
    portal(tmp_path)
    points = text(tmp_path / "points.csv", 'id;adresse;geo_point_2d\n1;12 rue X;"48.9043,2.4849"\n')
    assert run("tag", points, "--data", tmp_path)["states"]["in"] == 1


def test_case_16_what_a_town_hall_drew_in_kml(tmp_path):
    port_brume = gpd.GeoSeries([shapely.box(187_000, 6_564_000, 189_000, 6_566_000)], crs=2154).to_crs(4326)
    ring = " ".join(f"{x},{y}" for x, y in shapely.get_coordinates(port_brume.iloc[0]))
    drawn = (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        "<name>Secteur</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        f"{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"
    )
    (row,) = run("population", text(tmp_path / "perimetre.kml", drawn), "--sample")["rows"]
    assert row["label"] == "Secteur"
    assert row["estimate"] > 0


@pytest.mark.parametrize(
    ("code", "epsg", "corner"),
    [
        ("QN00401M", 2154, (923_000, 6_307_500)),
        ("QN97401I", 2975, (338_000, 7_690_000)),
        ("QN09301I", 32631, (461_900, 5_416_400)),  # as Web Mercator it would lie in the Gard
        ("QN09301I", 3949, (1_661_900, 8_189_000)),
        ("QN09301I", 27572, (610_500, 2_433_500)),
        ("QN01301M", 3857, (601_000, 5_357_000)),  # as UTM it would lie in the Haute-Marne
    ],
)
def test_case_17_the_codes_say_the_projection_that_the_file_does_not(tmp_path, code, epsg, corner):
    x, y = corner
    path = bare_geojson(tmp_path / "l93.geojson", {code: shapely.box(x, y, x + 500, y + 400)})
    qpv = qg.read_qpv(path)
    assert qpv.crs.to_epsg() == epsg
    assert "read.crs_by_codes" in keys(qpv)
    assert [report.ok for report in examine(path)] == [True]
    assert qg.read_qpv(path, crs=epsg).crs.to_epsg() == epsg


def test_case_19_a_sentence_above_the_header_of_the_ril(tmp_path):
    outlines(tmp_path / "qpv.geojson", [shapely.box(2.47, 48.89, 2.4885, 48.905)], code_qp=["QN09312I"], lib_qp=["A"])
    inside, outside = (
        gpd.GeoSeries([shapely.Point(xy)], crs=4326).to_crs(2154).iloc[0] for xy in ((2.48, 48.9), (2.5, 48.9))
    )
    rows = "".join(
        f"93010;93010000000000{number};{number};RUE A;{point.x:.1f};{point.y:.1f};2154;0304\n"
        for number, point in enumerate((inside, outside))
    )
    head = "Fichier encodé en UTF-8 sans BOM, champs séparés par un point-virgule\n"
    names = "depcom;id_ea;numero;libelle;x;y;code_epsg;iris\n"
    states = run("tag", text(tmp_path / "RIL-2025.csv", head + names + rows), "--data", tmp_path)["states"]
    assert (states["in"], states["out"]) == (1, 1)


def test_case_19_codes_of_tags_take_any_text():
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    tags = qg.tag_points(gpd.GeoSeries([shapely.Point(2.0, 47.0)], crs=4326), qpv)
    assert tags["qpv_code"].fillna("").tolist() == [""]


ROUNDED = shapely.from_wkt(
    "POLYGON ((2.402 48.9, 2.403 48.9, 2.402 48.9, 2.401 48.903, 2.397 48.9, 2.4 48.897, 2.401 48.898, 2.403 48.9, "
    "2.402 48.9))"
)
"""Outline rounded to three decimals: one method of repair, in degrees, leaves nothing of its 13 hectares."""


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_case_20_a_repair_never_loses_an_outline(tmp_path):
    assert shapely.make_valid(ROUNDED, method="structure", keep_collapsed=False).area == 0
    path = outlines(tmp_path / "x.geojson", [ROUNDED], code_qp=["QN09301I"], lib_qp=["A"])
    qpv = qg.read_qpv(path)
    (repair,) = qg.provenance(qpv)["repairs"]
    # 16.5 millionths of a square degree, at 111.2 by 73.2 km
    assert repair["area_after_m2"] == pytest.approx(16.5e-6 * 8.14e9, rel=0.01)
    assert qg.tag_points(gpd.GeoSeries([shapely.Point(2.4, 48.9)], crs=4326), qpv)["state"].tolist() == ["in"]


NOTCHED = shapely.Polygon([(2.0, 48.0), (2.01, 48.0), (2.01, 48.004), (2.005, 48.0 + 1e-9), (2.0, 48.004)])
"""Its notch ends a tenth of a millimetre above a side, which is an arc of 12 mm where it is measured."""


def test_case_21_valid_is_valid_where_it_is_measured(tmp_path):
    assert NOTCHED.is_valid
    path = outlines(tmp_path / "x.geojson", [NOTCHED], code_qp=["QN04101M"], lib_qp=["A"])
    qpv = qg.read_qpv(path)
    assert [change["code"] for change in qg.provenance(qpv)["repairs"]] == ["QN04101M"]
    assert qpv.to_crs(2154).geometry.area.iloc[0] == pytest.approx(165_745, abs=5)
    bare = qg.read_qpv(path, repair=False)
    assert qg.check(bare).query("kind == 'invalid'").index.size == 1
    assert [
        found.row for found in examine(path)[0].findings if getattr(found.problem, "key", "") == "quality.invalid"
    ] == [1]
    old = gpd.GeoDataFrame({"name": ["A"]}, geometry=[NOTCHED], index=["QP041001"], crs=4326)
    for layer in (qpv, bare):
        crossed = qg.crosswalk(old.rename_axis("qpv_code"), layer, tolerance_m=40)
        assert np.isclose(crossed["from_share"].max(), 1, atol=1e-3)
