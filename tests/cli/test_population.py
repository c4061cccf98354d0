"""The command `population`: who lives in the QPV of a place, or in any polygons."""

import json
import zipfile

import geopandas as gpd
import pandas as pd
import py7zr
import pytest
import shapely
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app, inputs
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.samples import FICTIONAL

PORT_BRUME = shapely.box(187_000, 6_564_000, 189_000, 6_566_000)


def run(*words):
    return CliRunner().invoke(app, ["population", *map(str, words)])


def answer(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def drawn(tmp_path):
    frame = gpd.GeoDataFrame({"name": ["here", "there"]}, geometry=[PORT_BRUME, shapely.box(0, 0, 9, 9)], crs=2154)
    frame.iloc[:1].to_file(tmp_path / "drawn.gpkg")
    return tmp_path / "drawn.gpkg"


def test_the_sample_answers_with_bounds_on_both_sides_and_says_that_it_is_fictional():
    found = answer("--sample")
    assert found["method"] == "area"
    assert found["fictional"] == FICTIONAL
    assert len(found["rows"]) == 16
    keys = {"qpv_code", "low", "estimate", "high", "poverty_rate", "living_standard_mean_eur", "imputed_share"}
    assert keys | {"inside_share", "cells", "reliability"} <= set(found["rows"][0])
    assert all(row["low"] <= row["estimate"] <= row["high"] for row in found["rows"])


def test_the_command_and_the_library_say_the_same():
    sample = qg.sample()
    expected = qg.estimate_population(qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019))
    rows = pd.DataFrame(answer("--sample")["rows"]).set_index("qpv_code")
    pd.testing.assert_series_equal(rows["estimate"], expected["estimate"], check_names=False, rtol=1e-9)


def test_the_table_names_the_method_the_year_of_the_grid_and_the_mean():
    out = run("--sample").stdout
    assert "2019, method: area" in out
    assert "winsorised mean" in out
    assert FICTIONAL in out


def test_in_french():
    out = run("--sample", "--lang", "fr").stdout
    assert "Au moins" in out
    assert "surtout en bordure" in out


def test_a_commune_by_its_name():
    by_code, by_name = (answer("--sample", "--commune", given)["rows"] for given in ("99001", "port brume"))
    assert by_code == by_name != []


def test_a_name_that_is_no_commune_is_refused_with_those_near():
    result = run("--sample", "--commune", "Port-Brune")
    assert (result.exception.key, isinstance(result.exception, UsageError)) == ("codes.unknown_place", True)
    assert result.exception.problems


def test_polygons_whose_id_is_missing_are_labelled_by_their_name(tmp_path):
    frame = gpd.GeoDataFrame({"id": [None], "Name": ["Secteur"]}, geometry=[PORT_BRUME], crs=2154)
    frame.to_file(tmp_path / "drawn.gpkg")
    assert [row["label"] for row in answer(tmp_path / "drawn.gpkg", "--sample")["rows"]] == ["Secteur"]


def test_only_the_qpv_of_a_commune():
    assert [row["qpv_code"] for row in answer("--sample", "--commune", "99003")["rows"]] == ["QN09911M", "QN09912I"]


def test_only_the_qpv_of_a_commune_where_the_perimeters_do_not_name_it():
    found = answer("--sample", "--vintage", "2015", "--commune", "99003")
    assert {row["qpv_code"] for row in found["rows"]} == {"QP099010", "QP099011"}


def test_only_the_qpv_of_an_epci():
    assert {row["qpv_code"][:5] for row in answer("--sample", "--epci", "299900027")["rows"]} == {"QN099"}


def test_a_commune_without_qpv_is_an_error_that_says_so():
    result = run("--sample", "--commune", "99006")
    assert isinstance(result.exception, DataError)
    assert result.exception.key == "cli.no_qpv_in_place"
    assert "99006" in str(result.exception)


def test_polygons_of_the_user_by_their_own_names(drawn):
    found = answer(drawn, "--sample")
    assert [row["label"] for row in found["rows"]] == ["here"]
    assert found["rows"][0]["low"] < found["rows"][0]["estimate"] < found["rows"][0]["high"]


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp"])
def test_polygons_in_every_form(drawn, tmp_path, suffix):
    gpd.read_file(drawn).to_file(tmp_path / f"again.{suffix}")
    assert answer(tmp_path / f"again.{suffix}", "--sample")["rows"][0]["estimate"] == pytest.approx(
        answer(drawn, "--sample")["rows"][0]["estimate"], rel=1e-6
    )


def test_polygons_with_exchanged_axes_are_refused_with_the_way_out(drawn, tmp_path):
    frame = gpd.read_file(drawn).to_crs(4326)
    frame.set_geometry(frame.geometry.transform(lambda xy: xy[:, ::-1])).to_file(tmp_path / "wrong.geojson")
    result = run(tmp_path / "wrong.geojson", "--sample")
    assert isinstance(result.exception, DataError)
    assert "axes exchanged" in str(result.exception)
    assert "transform" in result.exception.way_out


def test_published_totals_are_met():
    found = answer("--sample", "--method", "constrained")
    assert found["constraint"]["unmet"] == []
    assert all(abs(row["gap"]) < 0.001 for row in found["rows"])


def test_addresses_share_out_the_cells():
    found = answer("--sample", "--method", "points", "--points", qg.sample().addresses)
    assert all(row["low"] <= row["estimate"] <= row["high"] for row in found["rows"])
    assert found["rows"][0]["fallback_share"] is not None


@pytest.fixture
def buildings(tmp_path):
    """Two buildings in the first crossed cell of a perimeter of the sample, of three homes inside and one outside."""
    qpv, grid = qg.read_qpv(qg.sample().qpv_2024), qg.read_grid(qg.sample().grid_2019)
    shares = qg.geometry.overlap_cells(qpv.iloc[[0]], qg.geometry.insee_lattice.Lattice(3035, 200)).set_index("right")[
        "right_share"
    ]
    cell = next(one for one in shares.index[shares.between(0.2, 0.8)] if one in grid.index)
    north, east = map(int, cell.split("mN")[1].split("E"))
    square = shapely.box(east, north, east + 200, north + 200)
    outline = qpv.to_crs(3035).geometry.iloc[0]
    inside, outside = (part.representative_point() for part in (square & outline, square - outline))
    frame = gpd.GeoDataFrame({"Homes": [3, 1], "homes_text": ["3,0", "1,0"]}, geometry=[inside, outside], crs=3035)
    frame.to_crs(4326).to_file(tmp_path / "buildings.gpkg")
    table = frame.to_crs(4326).get_coordinates().set_axis(["lon", "lat"], axis="columns").assign(Homes=["3,0", "1,0"])
    table.to_csv(tmp_path / "buildings.csv", index=False, sep=";")
    return tmp_path, grid.loc[cell, "population"], shares[cell]


@pytest.mark.parametrize("name", ["buildings.gpkg", "buildings.csv"])
def test_points_count_by_the_column_named(buildings, name):
    folder, people, _ = buildings
    options = ("--sample", "--method", "points", "--points", folder / name)
    once, weighed = answer(*options), answer(*options, "--weight", "Homes")
    assert (once["points_weight"], weighed["points_weight"]) == (None, "Homes")
    # half of the cell by doors, three quarters by homes
    assert weighed["rows"][0]["estimate"] - once["rows"][0]["estimate"] == pytest.approx(people / 4)


def test_numbers_written_as_text_weigh_too(buildings):
    folder, *_ = buildings
    options = ("--sample", "--method", "points", "--points", folder / "buildings.gpkg", "--weight")
    assert answer(*options, "homes_text")["rows"] == answer(*options, "Homes")["rows"]


def test_weights_that_are_none_are_named_by_their_row(buildings):
    folder, *_ = buildings
    (folder / "bad.csv").write_text("lon,lat,homes\n1,45,2\n1,45,\n1,45,-3\n", encoding="utf-8")
    result = run("--sample", "--method", "points", "--points", folder / "bad.csv", "--weight", "homes")
    assert isinstance(result.exception, DataError)
    assert result.exception.problems == ("point 2: nan", "point 3: '-3'")


@pytest.mark.parametrize("name", ["buildings.gpkg", "buildings.csv"])
def test_a_column_of_weights_that_is_not_there_is_answered_with_the_near_ones(buildings, name):
    folder, *_ = buildings
    result = run("--sample", "--method", "points", "--points", folder / name, "--weight", "home")
    assert isinstance(result.exception, UsageError)
    assert "there is 'Homes'" in result.exception.problems
    far = run("--sample", "--method", "points", "--points", folder / "buildings.csv", "--weight", "zzz")
    assert far.exception.problems == ("there is 'lon'", "there is 'lat'", "there is 'Homes'")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_the_file_written_holds_the_rows(tmp_path, suffix):
    out = tmp_path / f"people.{suffix}"
    rows = answer("--sample", "--output", out)["rows"]
    read = {"csv": pd.read_csv, "parquet": gpd.read_parquet, "json": pd.read_json}[suffix](out)
    assert read["estimate"].tolist() == pytest.approx([row["estimate"] for row in rows])
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_geoparquet_carries_the_outlines_and_the_provenance(tmp_path):
    answer("--sample", "--output", tmp_path / "people.parquet")
    read = gpd.read_parquet(tmp_path / "people.parquet")
    assert read.crs.to_epsg() == 4326
    assert read.attrs["qpvgeo"]["fictional"]


def test_a_file_that_cannot_be_written_leaves_the_old_one_whole(tmp_path, monkeypatch):
    out = tmp_path / "people.csv"
    out.write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left")))
    assert run("--sample", "--output", out).exit_code != 0
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize(
    "words",
    [
        ["--commune", "99001", "--epci", "299900019"],
        ["--method", "points"],
        ["--weight", "homes"],
        ["--output", "people.txt"],
    ],
)
def test_options_that_do_not_fit_together_are_all_named(words):
    result = run("--sample", *words)
    assert isinstance(result.exception, UsageError)
    assert len(result.exception.problems) == 1


def test_no_grid_at_hand_says_where_it_was_looked_for(tmp_path, drawn):
    result = run(drawn, "--data", tmp_path)
    assert isinstance(result.exception, MissingDataError)
    assert str(tmp_path) in str(result.exception)


MEMBERS = {  # projection, northing and easting of the south-west corner, people of two cells side by side
    "met": (3035, 3_070_000, 3_830_000, (100, 200)),
    "mart": (5490, 1_620_000, 710_000, (40, 80)),
    "reun": (2975, 7_680_000, 340_000, (7, 9)),
}
COMMUNES = {"met": "59350", "mart": "97209", "reun": "97411"}


@pytest.fixture
def national(tmp_path):
    """Zip of a 7z of three CSV, as Insee publishes the grid, with two fictional cells each."""
    with py7zr.SevenZipFile(tmp_path / "inner.7z", "w") as archive:
        for name, (epsg, north, east, people) in MEMBERS.items():
            cells = pd.DataFrame(
                {
                    "idcar_200m": [f"CRS{epsg}RES200mN{north}E{east + step}" for step in (0, 200)],
                    "i_est_200": 0,
                    "lcog_geo": COMMUNES[name],
                    "ind": people,
                    "men": people,
                    "men_pauv": [0, people[1] / 2],
                    "ind_snv": [20_000.0 * one for one in people],
                }
            )
            archive.writestr(cells.to_csv(index=False), f"carreaux_200m_{name}.csv")
    path = tmp_path / "Filosofi2019_carreaux_200m_csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "inner.7z", "Filosofi2019_carreaux_200m_csv.7z")
    return path


def perimeter(name, width):
    """From the west of the first cell of a territory, in degrees."""
    epsg, north, east, _ = MEMBERS[name]
    return gpd.GeoSeries([shapely.box(east, north, east + width, north + 200)], crs=epsg).to_crs(4326).iloc[0]


def test_each_territory_is_read_from_its_own_member_of_the_national_archive(national, tmp_path):
    shapes = [perimeter("met", 300), perimeter("mart", 250), perimeter("met", 100)]
    areas = gpd.GeoDataFrame({"name": ["north", "island", "half"]}, geometry=shapes, crs=4326)
    areas.to_file(tmp_path / "mine.gpkg")
    found = answer(tmp_path / "mine.gpkg", "--grid", national)
    assert [(grid["territory"], grid["vintage"]) for grid in found["grids"]] == [("hexagone", 2019), ("972", 2019)]
    rows = {row["label"]: row for row in found["rows"]}
    # all of the first cell and half of the second; all and a quarter; half of the first
    assert {name: row["estimate"] for name, row in rows.items()} == pytest.approx(
        {"north": 100 + 200 / 2, "island": 40 + 80 / 4, "half": 50}, rel=1e-4
    )
    assert rows["island"]["poor_households"] == pytest.approx(10, rel=1e-4)
    assert [record.get("member", "").rpartition("/")[2] for record in found["sources"]] == [
        "",
        "carreaux_200m_met.csv",
        "carreaux_200m_mart.csv",
    ]


def test_the_national_archive_is_found_in_a_folder(national, tmp_path):
    gpd.GeoDataFrame({"name": ["island"]}, geometry=[perimeter("mart", 250)], crs=4326).to_file(tmp_path / "mine.gpkg")
    (tmp_path / "data").mkdir()
    national.rename(tmp_path / "data" / national.name)
    found = answer(tmp_path / "mine.gpkg", "--data", tmp_path / "data")
    assert [row["estimate"] for row in found["rows"]] == pytest.approx([60], rel=1e-4)


def test_the_file_written_names_the_members_of_every_territory(national, tmp_path):
    shapes = [perimeter("met", 300), perimeter("mart", 250)]
    gpd.GeoDataFrame({"name": ["north", "island"]}, geometry=shapes, crs=4326).to_file(tmp_path / "mine.gpkg")
    answer(tmp_path / "mine.gpkg", "--grid", national, "--output", tmp_path / "people.parquet")
    about = gpd.read_parquet(tmp_path / "people.parquet").attrs["qpvgeo"]
    assert [record["file"] for record in about["files"]] == ["mine.gpkg", national.name, national.name]


def test_an_area_beside_the_cells_of_its_own_territory_is_not_one_without_a_grid(national, tmp_path):
    beside = gpd.GeoSeries([shapely.box(700_000, 1_600_000, 700_100, 1_600_100)], crs=5490).to_crs(4326).iloc[0]
    shapes = [perimeter("met", 300), perimeter("mart", 250), beside]
    areas = gpd.GeoDataFrame({"name": ["north", "island", "beside"]}, geometry=shapes, crs=4326)
    areas.to_file(tmp_path / "mine.gpkg")
    rows = answer(tmp_path / "mine.gpkg", "--grid", national)["rows"]
    assert (rows[2]["estimate"], rows[2]["warnings"]) == (None, ["no_cell"])


def test_a_territory_without_grid_stands_missing_beside_those_of_the_national_archive(national, tmp_path):
    guadeloupe = shapely.box(-61.55, 16.2, -61.5, 16.25)
    areas = gpd.GeoDataFrame({"name": ["island", "none"]}, geometry=[perimeter("mart", 250), guadeloupe], crs=4326)
    areas.to_file(tmp_path / "mine.gpkg")
    found = answer(tmp_path / "mine.gpkg", "--grid", national)
    assert [grid["territory"] for grid in found["grids"]] == ["972"]
    assert [(row["estimate"], row["cells"], row["warnings"]) for row in found["rows"][1:]] == [(None, 0, ["no_grid"])]


def test_other_columns_are_summed_or_averaged():
    row = answer("--sample", "--columns", "ind_0_3,men_surf=mean")["rows"][0]
    assert row["ind_0_3"] > 0
    assert row["men_surf_low"] <= row["men_surf"] <= row["men_surf_high"]


def test_columns_of_a_renamed_grid_are_named_and_a_measure_that_is_not_known_is_asked_for(tmp_path):
    grid = qg.read_grid(qg.sample().grid_2019, keep=[])[["population"]].assign(heat=20.0)
    grid.reset_index().rename(columns={"population": "people"}).to_csv(tmp_path / "grid.csv", index=False)
    found = answer("--sample", "--grid", tmp_path / "grid.csv", "--columns", "people=population,heat=mean")
    assert {row["heat"] for row in found["rows"]} == {20.0}
    result = run("--sample", "--grid", tmp_path / "grid.csv", "--columns", "people=population,heat")
    assert isinstance(result.exception, UsageError)
    assert result.exception.key == "population.measure_unknown"


def test_of_several_grids_only_the_one_that_fits_is_read(tmp_path, monkeypatch):
    grid = qg.read_grid(qg.sample().grid_2019, keep=[])[["population"]].reset_index(names="idcar_200m")
    for name in ("grid_2015.csv", "grid_2021.csv", "grid_2019.csv"):
        grid.to_csv(tmp_path / name, index=False)
    read = []
    real = inputs.read_grid
    monkeypatch.setattr(inputs, "read_grid", lambda path, **options: read.append(path.name) or real(path, **options))
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    (found,) = inputs.known_grids(qpv, tmp_path)
    assert (found.attrs["vintage"], read) == (2021, ["grid_2021.csv"])
