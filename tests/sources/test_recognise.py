"""Files of a folder: known by their published name, else by what stands in them."""

import gzip
import os
import shutil
import zipfile

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from qpvgeo.errors import MissingDataError, UsageError
from qpvgeo.formats import folder_walk
from qpvgeo.samples import files, sample
from qpvgeo.sources import known_tables, recognise
from qpvgeo.sources.file_content import may_hold

SAMPLE_KINDS = {
    "qpv_2015": ("perimeters", 2015),
    "qpv_2024": ("perimeters", 2024),
    "population_2015": ("population", 2015),
    "population_2024": ("population", 2024),
    "population_2024_communes": ("population by commune", 2024),
    "communes": ("communes", None),
    "communes_table": ("communes table", 2024),
    "epci_table": ("epci", 2024),
    "grid_2017": ("grid", 2017),
    "grid_2019": ("grid", 2019),
    "addresses": ("addresses", None),
    "correspondence": ("correspondence", None),
}


@pytest.fixture(autouse=True)
def _outside_any_checkout(tmp_path, monkeypatch):
    """Search the folder named in the test alone."""
    monkeypatch.chdir(tmp_path)


def found_in(path):
    return [(found.kind, found.vintage) for found in recognise.identify(path)]


def names(paths):
    return [path.name for path in paths]


def squares(codes, column="code_qp"):
    shapes = [shapely.box(3 + 0.1 * rank, 50, 3.05 + 0.1 * rank, 50.05) for rank in range(len(codes))]
    return gpd.GeoDataFrame({column: codes}, geometry=shapes, crs=4326)


@pytest.mark.parametrize("name", SAMPLE_KINDS)
def test_each_file_of_the_sample(name):
    assert found_in(files()[name]) == [SAMPLE_KINDS[name]]


@pytest.mark.parametrize("name", ["footprints", "floods", "departments_table", "regions_table"])
def test_what_is_not_needed_is_not_taken_for_something_else(name):
    assert found_in(files()[name]) == []


@pytest.mark.parametrize("name", ["qpv_2015", "qpv_2024", "population_2015", "population_2024", "communes"])
def test_a_renamed_file_is_recognised_by_its_content(tmp_path, name):
    path = tmp_path / f"renamed{files()[name].suffix}"
    shutil.copy(files()[name], path)
    assert found_in(path) == [SAMPLE_KINDS[name]]
    assert [found.basis for found in recognise.identify(path)] == ["content"]


def test_a_published_name_is_a_basis_of_its_own(tmp_path):
    path = shutil.copy(sample().population_2015, tmp_path / "POP_QP_2013.CSV")
    assert [found.basis for found in recognise.identify(path)] == ["name"]


def test_table_of_figures_is_no_table_of_populations(tmp_path):
    path = tmp_path / "published_figures.csv"
    path.write_text(
        "generation,indicator,territory,value\n2015,population in QPV,QP059001 to QP059009,5400000\n",
        encoding="utf-8",
    )
    assert found_in(path) == []


def test_table_of_codes_without_people_is_a_list(tmp_path):
    (tmp_path / "x.csv").write_text("code_qp;nom_qp\nQN05901N;Nord\n", encoding="utf-8")
    assert found_in(tmp_path / "x.csv") == [("list", 2024)]


def test_header_under_lines_of_title(tmp_path):
    text = "Populations\nSource : Insee\n\ncodeQPV;popMuniQPV\nQN05901N;1200\n"
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert found_in(tmp_path / "x.csv") == [("population", 2024)]


def test_a_layer_of_points_is_no_perimeter(tmp_path):
    squares(["QN05901N"]).set_geometry(gpd.GeoSeries([shapely.Point(3, 50)], crs=4326)).to_file(tmp_path / "x.gpkg")
    assert found_in(tmp_path / "x.gpkg") == []


def test_a_layer_of_codes_that_are_none_is_no_perimeter(tmp_path):
    squares(["zone 1", "zone 2"]).to_file(tmp_path / "x.gpkg")
    assert found_in(tmp_path / "x.gpkg") == []


def test_every_layer_of_a_geopackage_is_recognised(tmp_path):
    squares(["QP059001"]).to_file(tmp_path / "x.gpkg", layer="quartiers")
    squares(["59350"], "insee_com").to_file(tmp_path / "x.gpkg", layer="villes")
    assert found_in(tmp_path / "x.gpkg") == [("perimeters", 2015), ("communes", None)]


@pytest.mark.parametrize("suffix", ["zip", "gpkg", "parquet", "geojson", "shp", "xls", "xlsx", "gz", "csv", "fgb"])
@pytest.mark.parametrize(
    "content",
    [b"", b"<html>404</html>", gzip.compress(b"code_qp;pop\n" * 99, mtime=0)[:-12]],
    ids=["empty", "page", "cut short"],
)
def test_a_file_that_cannot_be_opened_holds_nothing(tmp_path, suffix, content):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    assert found_in(path) == []


def test_a_parquet_without_rows_holds_nothing(tmp_path):
    squares(["QP059001"]).iloc[:0].to_parquet(tmp_path / "x.parquet")
    assert found_in(tmp_path / "x.parquet") == []


def test_one_damaged_file_does_not_hide_the_others(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 cut short")
    shutil.copy(sample().qpv_2024, tmp_path)
    assert names(recognise.find("perimeters", 2024, tmp_path)) == ["qpv-2024-geojson.zip"]


@pytest.mark.parametrize(("vintage", "name"), [(2015, "qp-politiquedelaville-shp.zip"), (2024, "qpv-2024-geojson.zip")])
def test_perimeters_of_the_sample(vintage, name):
    assert names(recognise.find("perimeters", vintage, sample().path)) == [name]


def test_an_extract_does_not_stand_beside_the_whole(tmp_path):
    squares(["QN05901N", "QN05902N", "QN05903N"]).to_file(tmp_path / "b.gpkg")
    squares(["QN05902N"]).to_file(tmp_path / "a.gpkg")
    assert names(recognise.find("perimeters", 2024, tmp_path)) == ["b.gpkg"]


def test_pieces_that_complete_each_other_come_together(tmp_path):
    squares(["QN05901N", "QN05902N"]).to_file(tmp_path / "b.gpkg")
    squares(["QN05902N", "QN05903N", "QN05904N"]).to_file(tmp_path / "a.gpkg")
    squares(["QN05901N"]).to_file(tmp_path / "c.gpkg")
    assert names(recognise.find("perimeters", 2024, tmp_path)) == ["a.gpkg", "b.gpkg"]


def test_a_published_file_comes_before_a_larger_copy(tmp_path):
    shutil.copy(sample().qpv_2024, tmp_path)
    squares([f"QN0590{rank}N" for rank in range(1, 10)]).to_file(tmp_path / "mine.gpkg")
    assert names(recognise.find("perimeters", 2024, tmp_path)) == ["qpv-2024-geojson.zip"]


def test_a_grid_that_names_communes_is_not_their_outlines(tmp_path):
    squares(["59350", "59350", "59009"], "insee_com").to_file(tmp_path / "g.gpkg")
    squares(["59350", "59009"], "insee_com").to_file(tmp_path / "c.gpkg")
    assert names(recognise.find("communes", None, tmp_path)) == ["c.gpkg"]


def test_tables_of_communes_nearest_year_first(tmp_path):
    for year in (2022, 2024, 2026):
        shutil.copy(sample().communes_table, tmp_path / f"cog{year}_communes.csv")
    shutil.copy(sample().communes, tmp_path)
    outlines, tables = recognise.communes_at_hand(tmp_path, year=2025)
    assert names(outlines) == ["contours-99.geojson"]
    assert names(tables) == ["cog2024_communes.csv", "cog2026_communes.csv", "cog2022_communes.csv"]


def test_nothing_at_hand_names_the_places_and_the_way_out(tmp_path):
    with pytest.raises(MissingDataError, match="perimeters of the 2024 geography") as error:
        recognise.find("perimeters", 2024, tmp_path)
    assert str(tmp_path) in error.value.way_out
    assert "--data" in error.value.way_out
    assert "qpvgeo fetch" in error.value.way_out


def test_no_outlines_of_communes_is_an_error_although_tables_are_there(tmp_path):
    shutil.copy(sample().communes_table, tmp_path)
    with pytest.raises(MissingDataError, match="communes"):
        recognise.communes_at_hand(tmp_path)


def test_variable_of_the_environment_names_a_folder(monkeypatch):
    monkeypatch.setenv("QPVGEO_DATA", str(sample().path))
    assert names(recognise.find("population", 2015)) == ["pop_qp_2013.csv"]


def test_folder_of_the_call_comes_before_that_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("QPVGEO_DATA", str(sample().path))
    shutil.copy(sample().population_2015, tmp_path / "mine.csv")
    assert names(recognise.find("population", 2015, tmp_path)) == ["mine.csv"]


def test_a_file_that_changes_is_looked_at_again(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("code_qp;population\nQP059001;1200\n", encoding="utf-8")
    assert [found.vintage for found in recognise.scan(tmp_path)] == [2015]
    path.write_text("code_qp;population\nQN05901N;1200 \n", encoding="utf-8")
    assert [found.vintage for found in recognise.scan(tmp_path)] == [2024]


def test_a_path_is_itself_even_when_nothing_is_there(tmp_path):
    assert recognise.resolve(tmp_path / "nothing.shp") == [tmp_path / "nothing.shp"]


def test_a_word_that_is_no_key_is_an_error_of_the_call():
    with pytest.raises(UsageError, match="not in the catalogue"):
        recognise.resolve("qpv-2042")


def test_a_key_that_is_not_at_hand_says_how_to_get_it(tmp_path):
    with pytest.raises(MissingDataError, match="qpvgeo fetch"):
        recognise.resolve("cog-2024", tmp_path)


@pytest.mark.real
def test_real_perimeters_of_2015_are_the_nine_published_files(real_data):
    found = recognise.find("perimeters", 2015, real_data)
    assert len(found) == 9
    assert {path.parent.name for path in found} == {"shp"}


@pytest.mark.real
def test_real_perimeters_of_2024_are_the_national_file_alone(real_data):
    assert names(recognise.find("perimeters", 2024, real_data)) == ["qpv2024_simplified.geojson"]


@pytest.mark.real
def test_real_populations(real_data):
    assert names(recognise.find("population", 2015, real_data)) == ["pop_qp_2013.csv", "pop_qp_2013.xls"]
    assert names(recognise.find("population", 2024, real_data)) == ["insee_indicateurs_qpv2024.csv"]
    assert names(recognise.find("communes population", None, real_data)) == ["P13_POP_insee.csv"]


@pytest.mark.real
def test_real_communes_are_the_two_files_of_outlines_not_the_grids_nor_the_extract(real_data):
    outlines, tables = recognise.communes_at_hand(real_data)
    assert names(outlines) == ["communes_2024_100m_sauf_44_75_76.parquet", "communes_2018_regions_44_75_76.parquet"]
    assert names(tables) == [f"cog{year}_communes.csv" for year in (2024, 2025, 2026)]


@pytest.mark.real
def test_real_folder_holds_no_other_kind_by_mistake(real_data):
    strangers = {"published_figures.csv", "centroide-4326_qpv.geojson", "epci_2024_100m.parquet"}
    found = {one.path.name for one in recognise.scan(real_data)}
    assert strangers.isdisjoint(found)
    kinds = pd.Series([one.kind for one in recognise.scan(real_data)]).value_counts()
    assert kinds.to_dict() == {
        "perimeters": 13,
        "communes": 3,
        "grid": 3,
        "communes table": 3,
        "epci": 3,
        "population": 3,
        "communes population": 1,
        "addresses": 1,
    }


@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])
def test_a_grid_is_recognised_in_a_geopackage_and_in_parquet(tmp_path, suffix):
    path = tmp_path / f"carreaux_2019.{suffix}"
    frame = pd.DataFrame({"idcar_200m": ["CRS3035RES200mN2632200E3274800"], "ind": [12.0]})
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        square = shapely.box(3_274_800, 2_632_200, 3_275_000, 2_632_400)
        gpd.GeoDataFrame(frame, geometry=[square], crs=3035).to_file(path)
    assert [(found.kind, found.vintage) for found in recognise.identify(path)] == [("grid", 2019)]


@pytest.mark.parametrize("column", ["idcar_200m", "IDcar 1km", "idINSPIRE_2015", "Cell ID", "GRD__ID"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_grid_in_geojson_is_found_by_the_name_of_its_cells(tmp_path, column, encoding):
    assert known_tables.is_cell_column(column)
    path = tmp_path / "carreaux_2019.geojson"
    square = shapely.box(2, 48, 2.01, 48.01)
    gpd.GeoDataFrame({column: ["CRS3035RES200mN2632200E3274800"]}, geometry=[square], crs=4326).to_file(path)
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert names(one.path for one in recognise.of_kind("grid", tmp_path)) == [path.name]


def test_a_geojson_that_names_no_cells_is_not_described_in_search_of_a_grid(tmp_path, monkeypatch):
    squares(["A", "B"], column="cell_of_work").to_file(tmp_path / "batiments.geojson")
    monkeypatch.setattr(pyogrio, "read_info", lambda *_, **__: pytest.fail("described"))
    assert recognise.of_kind("grid", tmp_path) == []


@pytest.mark.parametrize(("name", "held"), [("FILOSOFI2019_carreaux_200m_csv.zip", 1), ("other.zip", 0)])
def test_a_grid_in_a_7z_in_a_zip_is_known_by_its_published_name(tmp_path, name, held):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("inside.7z", b"not looked into")
    assert [(one.kind, one.vintage, one.basis) for one in recognise.scan(tmp_path)] == [("grid", 2019, "name")] * held


def test_of_two_published_releases_the_one_of_the_populations_is_read(tmp_path):
    newest = tmp_path / "qpv-2024-geojson.zip"
    newest.write_bytes(sample().qpv_2024.read_bytes())
    assert recognise.find("perimeters", 2024, tmp_path) == [newest]
    with zipfile.ZipFile(newest) as archive:
        outlines = archive.read(next(name for name in archive.namelist() if name.endswith(".geojson")))
    referred = tmp_path / "qp2024-france-hexagonale-outre-mer-wgs84-epsg4326.geojson"
    referred.write_bytes(outlines)
    assert recognise.find("perimeters", 2024, tmp_path) == [referred]


def test_a_folder_is_walked_once_as_long_as_it_does_not_change(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.csv").write_text("x", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "below"):
        os.utime(folder, (1_700_000_000, 1_700_000_000))
    walks = []
    walk = folder_walk.walk
    monkeypatch.setattr(folder_walk, "walk", lambda place: walks.append(place) or walk(place))
    for _ in range(2):
        assert [path.name for path in recognise.files_in(tmp_path)] == ["a.csv"]
    assert walks == [tmp_path]
    (tmp_path / "below" / "b.csv").write_text("x", encoding="utf-8")
    assert [path.name for path in recognise.files_in(tmp_path)] == ["a.csv", "b.csv"]
    assert [path.name for path in recognise.files_in(tmp_path)] == ["a.csv", "b.csv"]


def test_a_file_under_the_published_name_of_something_else_is_found_where_no_other_is(tmp_path):
    shutil.copy(sample().epci_table, tmp_path / "pop_QPV24.csv")
    shutil.copy(sample().qpv_2024, tmp_path / "qp-politiquedelaville-shp.zip")
    assert names(recognise.find("epci", None, tmp_path)) == ["pop_QPV24.csv"]
    assert names(recognise.find("perimeters", 2024, tmp_path)) == ["qp-politiquedelaville-shp.zip"]
    assert recognise.of_kind("epci", tmp_path) == []


def test_a_damaged_file_beside_a_published_one_changes_nothing(tmp_path):
    shutil.copy(sample().qpv_2024, tmp_path)
    (tmp_path / "mine.xlsx").write_bytes(b"PK\x03\x04 cut")
    assert recognise.damaged(tmp_path, "perimeters", 2024) == []
    assert recognise.damaged(tmp_path, "population") == recognise.damaged(tmp_path) == ["mine.xlsx"]


@pytest.mark.parametrize("name", SAMPLE_KINDS)
def test_a_name_never_says_that_a_file_cannot_hold_what_it_holds(name):
    for found in recognise.identify(files()[name]):
        assert may_hold(found.path, found.kind, found.vintage)
        assert found in recognise.of_kind(found.kind, sample().path, found.vintage)


@pytest.mark.real
def test_a_name_never_says_that_a_published_file_cannot_hold_what_it_holds(real_data):
    assert all(may_hold(one.path, one.kind, one.vintage) for one in recognise.scan(real_data))
