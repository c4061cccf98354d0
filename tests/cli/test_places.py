"""`--place`: the same names on every command."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.errors import MissingDataError, UsageError


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


HAUTVENT = {"QN09911M", "QN09912I"}


@pytest.mark.parametrize("name", ["99003", "Hautvent", "hautvent", "Hautvent (99003)"])
def test_a_commune_has_the_qpv_that_are_published_for_it(name):
    assert {row["qpv_code"] for row in answer("population", "--sample", "--place", name)["rows"]} == HAUTVENT


def test_names_are_taken_by_the_older_options_too():
    assert {row["qpv_code"] for row in answer("population", "--sample", "--commune", "hautvent")["rows"]} == HAUTVENT
    by_name = answer("population", "--sample", "--epci", "Hautes Lames")["rows"]
    assert by_name == answer("population", "--sample", "--epci", "299900027")["rows"]
    assert by_name == answer("population", "--sample", "--place", "hautes lames")["rows"]


def test_a_qpv_is_a_place_of_a_population():
    assert [row["qpv_code"] for row in answer("population", "--sample", "--place", "qn09911m")["rows"]] == ["QN09911M"]


def test_coverage_of_a_commune_has_its_row_and_its_people():
    found = answer("coverage", "--sample", "--by", "commune", "--place", "saint aubin du large")
    assert [row["code"] for row in found["rows"]] == ["99002"]
    assert found["qpv_population"] == pytest.approx(found["rows"][0]["qpv_population"])


def test_coverage_shows_sizes_from_a_least_population_in_an_order():
    options = ("--by", "commune", "--stats", "max,0.5,1000", "--min-population", 10_000, "--sort", "-share")
    found = answer("coverage", "--sample", *options)
    assert found["statistics"] == ["qpv_max", "qpv_q50", "n_qpv_from_1000"]
    shares = [row["share"] for row in found["rows"]]
    assert shares == sorted(shares, reverse=True)
    assert all(row["population"] >= 10_000 for row in found["rows"])


def test_summary_of_the_place_of_all_qpv_is_the_whole():
    whole, island = answer("summary", "--sample"), answer("summary", "--sample", "--place", "99")
    assert (island["n_qpv"], island["population"]) == (whole["n_qpv"], whole["population"])
    assert island["place"] == "Sample (fictional) (99)"


def test_summary_of_a_commune_says_which_command_has_it():
    error = run("summary", "--sample", "--place", "Hautvent").exception
    assert isinstance(error, UsageError)
    assert error.key == "indicators.place_below_department"
    assert error.way_out.key == "indicators.use_coverage"


def test_a_place_needs_perimeters(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path))
    error = run("summary", "--place", "93").exception
    assert isinstance(error, MissingDataError)


def test_tags_of_a_place_say_that_out_is_out_of_its_qpv():
    everywhere, here = answer("tag", "--sample"), answer("tag", "--sample", "--place", "Hautvent")
    assert 0 < here["states"]["in"] < everywhere["states"]["in"]
    assert here["place"] == "Hautvent (99003)"
    assert len(here["notes"]) > len(everywhere["notes"])


def test_cells_of_a_place():
    assert (
        0 < answer("designate", "--sample", "--place", "Hautvent")["cells"] < answer("designate", "--sample")["cells"]
    )


@pytest.mark.parametrize("command", ["summary", "coverage", "population", "tag", "designate"])
@pytest.mark.parametrize(
    ("name", "key"), [("11", "codes.several_places"), ("Hautvant", "codes.unknown_place"), ("75118", None)]
)
def test_what_is_no_place_or_several_is_refused(command, name, key):
    error = run(command, "--sample", "--place", name).exception
    assert isinstance(error, UsageError)
    assert key is None or error.key == key
    assert error.problems


def test_coverage_of_communes_is_a_layer_with_their_outlines(tmp_path):
    out = tmp_path / "communes.gpkg"
    options = ("--sample", "--by", "commune", "--place", "Hautes Lames")
    rows = answer("coverage", *options, "-o", out)["rows"]
    layer = gpd.read_file(out, layer="communes")
    assert layer["commune"].tolist() == [row["code"] for row in rows]
    assert layer["qpv_population"].tolist() == [row["qpv_population"] for row in rows]
    assert layer.geometry.is_valid.all()
    assert not layer.geometry.is_empty.any()
    result = run("coverage", "--sample", "--by", "department", "-o", out)
    assert [problem.key for problem in result.exception.problems] == ["cli.endings"]


@pytest.mark.parametrize(("command", "output"), [("map", "a.svg"), ("report", "a.html"), ("contrat", "a.csv")])
def test_the_place_of_a_command_is_an_argument_or_an_option(tmp_path, command, output):
    ways = [["Hautvent"], ["--place", "Hautvent"], ["Hautvent", "--place", "Hautvent"]]
    found = [
        (answer(command, "--sample", *way, "-o", tmp_path / output), (tmp_path / output).read_bytes()) for way in ways
    ]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("command", ["map", "report", "contrat"])
def test_two_places_are_one_error(tmp_path, command):
    words = [command, "Hautvent", "--place", "Port-Brume", "--sample", "-o", str(tmp_path / "a.html")]
    told = {lang: run(*words, "--lang", lang) for lang in ("en", "fr")}
    assert {one.exit_code for one in told.values()} == {2}
    assert told["en"].stderr.endswith("Error: PLACE is Hautvent, but --place is Port-Brume: give one of them\n")
    assert told["fr"].stderr.endswith(
        "Erreur\u202f: PLACE vaut Hautvent, mais --place Port-Brume\u202f: n’en donner qu’un\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["report", "contrat"])
def test_a_command_of_one_place_needs_it(tmp_path, command):
    result = run(command, "--sample", "-o", tmp_path / "a.html")
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: PLACE is missing.\n")


def test_coverage_says_that_no_qpv_lies_in_a_place():
    found = answer("coverage", "--sample", "--by", "commune", "--place", "99012")
    assert found["rows"] == []
    assert found["notes"][0].startswith("No QPV of the 2024 geography lies in ")


def test_crosswalk_of_a_place_has_its_qpv_of_both_geographies(tmp_path):
    out = tmp_path / "classes.csv"
    found = answer("crosswalk", "--sample", "--place", "hautvent", "--classes", out)
    classes = pd.read_csv(out)
    assert set(classes.loc[classes["side"] == "to", "code"]) == HAUTVENT
    assert sum(found["classes_by_vintage"]["2024"].values()) == len(HAUTVENT)
    assert found["correspondence"] is None


def test_crosswalk_of_one_qpv_names_no_other():
    found = answer("crosswalk", "--sample", "--place", "QN09911M")
    assert sum(found["classes_by_vintage"]["2024"].values()) == 1
    assert sum(found["classes_by_vintage"]["2015"].values()) == 0


def test_crosswalk_of_a_place_without_qpv_is_refused():
    assert run("crosswalk", "--sample", "--place", "99012").exception.key == "cli.no_qpv_in_place"


@pytest.mark.parametrize("words", [[""], ["--place", " "], ["Port-Brume", "--place", ""]])
@pytest.mark.parametrize(("command", "output"), [("map", "a.svg"), ("report", "a.html"), ("contrat", "a.csv")])
def test_an_empty_place_is_none(tmp_path, command, output, words):
    found = run(command, *words, "--sample", "--lang", "en", "-o", tmp_path / output)
    assert found.exit_code == 1
    assert str(found.exception).startswith("A place is given by its code or name as text, not as '")
    assert not list(tmp_path.iterdir())
