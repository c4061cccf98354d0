"""A table of populations in a folder is used, or a word says why it is not and what to do."""

import json

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise

CODES = ["QN05901M", "QN05902M"]
CHOICES = {
    "known names": "code_qp,code_qpv,pop_muni_2020\nQP059001,QN05901M,1000\nQP059002,QN05902M,2000\n",
    "names of one geography": "code_qp,code_qpv,pop_muni_2020\nQN05902M,QN05901M,1000\nQN05903M,QN05902M,2000\n",
    "unknown names": "ancien,nouveau,pop_muni_2020\nQP059001,QN05901M,1000\nQP059002,QN05902M,2000\n",
}


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def answer(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


@pytest.fixture
def folder(tmp_path):
    """Two QPV, without people."""
    boxes = [shapely.box(3 + step, 50.6, 3.01 + step, 50.61) for step in (0, 0.02)]
    gpd.GeoDataFrame({"code_qp": CODES, "lib_qp": ["A", "B"]}, geometry=boxes, crs=4326).to_file(tmp_path / "q.geojson")
    return tmp_path


@pytest.mark.parametrize("name", CHOICES)
def test_the_column_of_codes_is_asked_for_then_read(folder, name):
    (folder / "people.csv").write_text(CHOICES[name], encoding="utf-8")
    error = run("summary", "--data", folder).exception
    assert error.key == "read.several_code_columns"
    column = next(one for one in error.problems if one in ("code_qpv", "nouveau"))
    assert answer("summary", "--data", folder, "--columns", f"{column}=qpv_code")["population"] == 3000


@pytest.mark.parametrize("name", CHOICES)
def test_the_doctor_calls_the_table_sound_and_says_the_choice(folder, name):
    (folder / "people.csv").write_text(CHOICES[name], encoding="utf-8")
    (report,) = examine(folder / "people.csv")
    assert (report.kind, report.ok) == ("population", True)
    assert {one.action.key for one in report.findings} == {"read.name_one_of"}


def test_columns_that_give_the_same_codes_are_no_choice(folder):
    text = "code_qp,code_qpv,pop_muni_2020\nQN05901M,qn05901m,1000\nQN05902M,QN 05902 M,2000\n"
    (folder / "people.csv").write_text(text, encoding="utf-8")
    assert answer("summary", "--data", folder)["population"] == 3000


def test_ancestors_beside_the_codes_are_no_choice(folder):
    text = "code_qp,qp2015,pop_muni_2020\nQN05901M,QP059001,1000\nQN05902M,QP059002,2000\n"
    (folder / "people.csv").write_text(text, encoding="utf-8")
    assert qg.read_population(folder / "people.csv")["population"].to_dict() == dict(
        zip(CODES, (1000, 2000), strict=True)
    )


def test_a_table_without_a_choice_is_taken_before_one_with(folder):
    (folder / "a.csv").write_text(CHOICES["known names"], encoding="utf-8")
    (folder / "b.csv").write_text("code_qpv,pop_muni_2020\nQN05901M,5\nQN05902M,6\n", encoding="utf-8")
    assert [path.name for path in recognise.find("population", 2024, folder)] == ["b.csv", "a.csv"]
    assert answer("summary", "--data", folder)["population"] == 11


def test_the_column_of_one_geography_gives_no_people_to_the_other(folder):
    (folder / "people.csv").write_text(CHOICES["known names"], encoding="utf-8")
    old = gpd.GeoDataFrame({"code_qp": ["QP059001"]}, geometry=[shapely.box(3, 50.6, 3.01, 50.61)], crs=4326)
    old.to_file(folder / "old.geojson")
    found = answer("summary", "--vintage", 2015, "--data", folder, "--columns", "code_qp=qpv_code")
    assert found["population"] == 1000


def test_perimeters_with_two_columns_of_codes_that_differ_are_refused(tmp_path):
    frame = gpd.GeoDataFrame(
        {"code_qp": ["QP059001"], "code_qpv": ["QN05901M"]}, geometry=[shapely.box(3, 50.6, 3.01, 50.61)], crs=4326
    )
    frame.to_file(tmp_path / "q.geojson")
    refused(lambda: qg.read_qpv(tmp_path / "q.geojson"), "read.several_code_columns")
    assert qg.read_qpv(tmp_path / "q.geojson", columns={"code_qpv": "qpv_code"}).index.tolist() == ["QN05901M"]


def test_figures_under_an_unknown_name_are_named_and_can_be_taken(folder):
    (folder / "people.csv").write_text("code_qpv,effectif\nQN05901M,1000\nQN05902M,2000\n", encoding="utf-8")
    found = answer("summary", "--data", folder)
    assert found["population"] is None
    assert any("effectif=population" in note for note in found["notes"])
    assert answer("summary", "--data", folder, "--columns", "effectif=population")["population"] == 3000


def test_people_in_a_correspondence_are_named_and_can_be_taken(folder):
    text = "qp2015,qp2024,pop_muni_2020\nQP059001,QN05901M,1000\nQP059002,QN05902M,2000\n"
    (folder / "people.csv").write_text(text, encoding="utf-8")
    assert any("qp2024=qpv_code" in note for note in answer("summary", "--data", folder)["notes"])
    assert answer("summary", "--data", folder, "--columns", "qp2024=qpv_code")["population"] == 3000


def test_a_list_without_figures_is_not_mentioned(folder):
    (folder / "list.csv").write_text("code_qpv,nom,insee\nQN05901M,A,59350\n", encoding="utf-8")
    assert answer("summary", "--data", folder)["notes"] == []


@pytest.mark.parametrize("name", CHOICES)
def test_load_leaves_a_table_with_a_choice_aside_with_a_note(folder, name):
    (folder / "people.csv").write_text(CHOICES[name], encoding="utf-8")
    frames = qg.load(2024, data=folder)
    assert frames.population is None
    assert [note.key for note in frames.qpv.attrs["qpvgeo"]["notes"]] == ["at_hand.people_left_aside"]


def test_a_grid_that_cannot_be_read_is_named_beside_the_one_that_is(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for path in qg.sample().path.glob("*"):
        if path.is_file():
            (data / path.name).write_bytes(path.read_bytes())
    (data / "grid-2021.csv").write_text("idcar_200m,ind\nCRS9999RES200mN1E1,3\n", encoding="utf-8")
    areas = tmp_path / "areas.geojson"
    qg.read_qpv(qg.sample().qpv_2024).head(1)[["geometry"]].to_file(areas)
    notes = answer("population", areas, "--data", data)["notes"]
    assert any(note.startswith("grid-2021.csv left aside") for note in notes)
