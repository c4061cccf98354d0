"""`--columns`, `--crs`, `--layer`, `--release`: what an error advises works on the command line."""

import json
import re
import shutil
import sys

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app, main
from qpvgeo.cli.reading import named
from qpvgeo.errors import UsageError

PORT_BRUME = shapely.box(187_000, 6_564_000, 189_000, 6_566_000)


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def printed(monkeypatch, capsys, *words):
    """What the process prints on standard error."""
    monkeypatch.setattr(sys, "argv", ["qpvgeo", *map(str, words)])
    with pytest.raises(SystemExit):
        main()
    return capsys.readouterr().err


@pytest.mark.parametrize("given", ["id", "=x", "a=", "a=b,c", ""])
def test_what_is_no_list_of_columns(given):
    assert named(given) == {}
    assert isinstance(run("summary", "--sample", "--columns", given).exception, UsageError)


@pytest.fixture
def folder(tmp_path):
    """The sample, its populations of 2015 in a table of two columns of people."""
    data = tmp_path / "data"
    shutil.copytree(qg.sample().path, data)
    (data / "pop_qp_2013.csv").unlink()
    people = qg.read_population(qg.sample().population_2015)["population"]
    table = pd.DataFrame({"code": people.index, "pop_mun": people.to_numpy(), "population": people.to_numpy() + 10})
    table.to_csv(data / "mine.csv", index=False)
    return data, int(people.sum()), len(people)


def test_the_advice_for_two_columns_of_people_is_followed(folder, monkeypatch, capsys):
    data, people, count = folder
    words = ["summary", "--vintage", "2015", "--year", "2018", "--data", data]
    said = printed(monkeypatch, capsys, *words)
    if "--columns" not in said:  # the table is passed over where its year cannot be told
        words.remove("--year"), words.remove("2018")
        said = printed(monkeypatch, capsys, *words)
    advised = re.search(r'--columns "NAME=population", NAME being one of (.*)\.', said)
    assert advised, said
    assert "pop_mun" in advised[1]
    for name, total in (("pop_mun", people), ("population", people + 10 * count)):
        found = answer(
            "summary", "--vintage", "2015", "--data", data, "--year", 2018, "--columns", f"{name}=population"
        )
        assert found["population"] == total


def test_the_advice_for_two_years_is_followed(folder, monkeypatch, capsys):
    data, people, count = folder
    table = pd.read_csv(data / "mine.csv").rename(columns={"pop_mun": "pop_2013", "population": "pop_2018"})
    table.to_csv(data / "mine.csv", index=False)
    words = ["summary", "--vintage", "2015", "--data", data]
    advised = re.search(r"On the command line: --year (\d+)\.", printed(monkeypatch, capsys, *words))
    assert answer(*words, "--year", advised[1])["population"] == people + 10 * count
    assert answer(*words, "--year", 2018, "--columns", "pop_2013=population")["population"] == people


def test_a_layer_of_several_is_chosen(tmp_path):
    both = tmp_path / "both.gpkg"
    here = gpd.GeoDataFrame({"name": ["here"]}, geometry=[PORT_BRUME], crs=2154)
    there = here.assign(name="there", geometry=here.geometry.translate(200))
    here.to_file(both, layer="one")
    there.to_file(both, layer="two")
    assert run("population", both, "--sample").exit_code != 0
    found = answer("population", both, "--sample", "--layer", "two")
    assert [row["label"] for row in found["rows"]] == ["there"]
    there.to_file(tmp_path / "there.gpkg")
    assert found["rows"] == answer("population", tmp_path / "there.gpkg", "--sample")["rows"]
    assert run("population", both, "--sample", "--layer", "three").exit_code != 0


def test_a_projection_is_given(tmp_path):
    gpd.GeoDataFrame({"name": ["here"]}, geometry=[PORT_BRUME], crs=2154).to_file(tmp_path / "right.gpkg")
    # Lambert-93 that says it is UTM
    gpd.GeoDataFrame({"name": ["here"]}, geometry=[PORT_BRUME], crs=32630).to_file(tmp_path / "wrong.gpkg")
    assert (
        answer("population", tmp_path / "wrong.gpkg", "--sample", "--crs", "2154")["rows"]
        == answer("population", tmp_path / "right.gpkg", "--sample")["rows"]
    )
    assert isinstance(run("population", tmp_path / "right.gpkg", "--sample", "--crs", "nope").exception, UsageError)


def test_labels_of_polygons_by_a_column_that_is_named(tmp_path):
    gpd.GeoDataFrame({"mine": ["here"]}, geometry=[PORT_BRUME], crs=2154).to_file(tmp_path / "mine.gpkg")
    found = answer("population", tmp_path / "mine.gpkg", "--sample", "--columns", "mine=name")
    assert [row["label"] for row in found["rows"]] == ["here"]


def test_columns_of_points_are_named(tmp_path):
    table = pd.read_csv(qg.sample().addresses, sep=";", dtype=str)
    table = table.rename(columns={"lon": "easting", "lat": "northing"}).drop(columns=["x", "y"], errors="ignore")
    table.to_csv(tmp_path / "mine.csv", sep=";", index=False)
    names = ("--columns", "easting=lon,northing=lat")
    expected = answer("tag", qg.sample().addresses, "--sample")["states"]
    assert answer("tag", tmp_path / "mine.csv", "--sample", *names)["states"] == expected
    homes = answer("population", "--sample", "--method", "points", "--points", tmp_path / "mine.csv", *names)
    plain = answer("population", "--sample", "--method", "points", "--points", qg.sample().addresses)
    assert homes["rows"] == plain["rows"]
    drawn = run(
        "map",
        "Hautvent",
        "--sample",
        "--kind",
        "tags",
        "--points",
        tmp_path / "mine.csv",
        *names,
        "--png",
        tmp_path / "m.png",
    )
    assert drawn.exit_code == 0, drawn.exception


def test_cells_with_names_of_their_own(tmp_path):
    grid = qg.read_grid(qg.sample().grid_2019)
    table = pd.DataFrame({"cell": grid.index, "folk": grid["population"].to_numpy()})
    table.to_csv(tmp_path / "cells.csv", index=False)
    words = ("population", "--sample", "--grid", tmp_path / "cells.csv", "--columns", "cell=cell_id,folk=population")
    expected = [row["estimate"] for row in answer("population", "--sample")["rows"]]
    assert [row["estimate"] for row in answer(*words)["rows"]] == pytest.approx(expected)


@pytest.mark.parametrize("command", ["summary", "coverage", "crosswalk", "designate"])
def test_names_that_no_file_has_are_refused(command):
    assert run(command, "--sample", "--columns", "zz=population").exit_code != 0
    assert run(command, "--sample", "--layer", "zz").exit_code != 0


@pytest.mark.parametrize(("column", "vintage", "name"), [("old", 2015, "before"), ("new", 2024, "after")])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside others"])
def test_a_layer_with_two_columns_of_codes_is_read_by_the_one_that_is_named(tmp_path, column, vintage, name, beside):
    shape = shapely.box(2.48, 48.90, 2.49, 48.91)
    columns = {"old": ["QP093001"], "new": ["QN09301N"], "lib": [name]}
    gpd.GeoDataFrame(columns, geometry=[shape], crs=4326).to_file(tmp_path / "two.geojson")
    (tmp_path / "people.csv").write_text("old;new;pop_muni_2018\nQP093001;QN09301N;1200\n")
    if beside:
        others = {"code_qp": ["QN09301N", "QN09302N"], "lib_qp": ["A", "B"]}
        gpd.GeoDataFrame(others, geometry=[shape, shape], crs=4326).to_file(tmp_path / "a.geojson")
    words = ("summary", "--vintage", vintage, "--data", tmp_path)
    found = answer(*words, "--columns", f"{column}=qpv_code")
    assert (found["n_qpv"], found["population"]) == (1, 1200)
    if not beside:
        error = run(*words).exception
        assert [problem.key for problem in error.problems] == ["sources.name_its_codes"]
        assert error.problems[0].values["example"] == column
