"""Shapes whose only text is a name, in which the code of a QPV stands."""

import pandas as pd
import pytest
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.codes.code_in_text import apart
from qpvgeo.codes.official import clean
from qpvgeo.quality.files import examine
from qpvgeo.sources import recognise

HEAD = '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
RING = (
    "<Polygon><outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon>"
)


def kml(path, *names):
    marks = []
    for step, name in enumerate(names):
        west = 3.05 + 0.02 * step
        corners = [(west, 50.6), (west + 0.01, 50.6), (west + 0.01, 50.61), (west, 50.61), (west, 50.6)]
        ring = RING.format(ring=" ".join(f"{x},{y}" for x, y in corners))
        marks.append(f"<Placemark><name>{name}</name>{ring}</Placemark>")
    path.write_text(HEAD + "".join(marks) + "</Document></kml>", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        ("QP059001 - Les Oliveaux", "QP059001", "Les Oliveaux"),
        ("Quartier Bourgogne (QN05901M)", "QN05901M", "Quartier Bourgogne"),
        ("qp 02A 001 Saint-Jean", "QP02A001", "Saint-Jean"),
        ("Bourgogne : QN05901M", "QN05901M", "Bourgogne"),
        ("QP059001_Les_Oliveaux", "QP059001", "Les_Oliveaux"),
        ("QP059001 – Les Oliveaux – QP059001", "QP059001", "Les Oliveaux"),
    ],
)
def test_one_code_among_words(text, code, name):
    assert apart(text) == (code, name)


@pytest.mark.parametrize(
    "text",
    [
        "QP059001 et QP059002",
        "QN05901M (ex QP059001)",
        "Bourgogne, ex-QP059001",
        "Bourgogne (ancien QPV QP059001)",
        "issu du QP059001, Bourgogne",
        "Total QP059001",
        "Ensemble du QP059001 hors voirie",
        "XQP059001 Bourgogne",
        "QP0590011 Bourgogne",
        "Bourgogne",
    ],
)
def test_no_code_of_its_own_among_words(text):
    assert apart(text) is None


def test_words_left_out_are_a_repair_that_is_reported():
    cleaned = clean(pd.Series(["QP059001 - Les Oliveaux", "QP999001 - Nulle part"]), "qpv")
    assert cleaned.codes.tolist()[0] == "QP059001"
    assert cleaned.repairs["repair"].tolist() == ["words left out"]
    assert cleaned.problems["row"].tolist() == [1]


def test_codes_and_names_of_a_map_drawn_by_hand(tmp_path):
    path = kml(tmp_path / "a.kml", "QP059001 - Les Oliveaux", "Quartier Bourgogne (QP059002)")
    qpv = qg.read_qpv(path)
    assert qpv["name"].to_dict() == {"QP059001": "Les Oliveaux", "QP059002": "Quartier Bourgogne"}
    assert sum("words left out" in note for note in qpv.attrs["qpvgeo"]["notes"]) == 2
    assert recognise.find("perimeters", 2015, tmp_path) == [path]
    assert [(report.kind, report.ok) for report in examine(path)] == [("perimeters", True)]


@pytest.mark.parametrize(
    ("names", "count", "example"),
    [
        (["QP059001 - Les Oliveaux", "Bourgogne"], 1, "'Bourgogne'"),
        (["QP059001 / QP059002", "QP059003 / QP059004"], 0, "'QP059001 / QP059002'"),
        (["QN05901M ex QP059001", "QN05902M ex QP059002"], 0, "'QN05901M ex QP059001'"),
    ],
    ids=["one without", "two each", "with its ancestor"],
)
def test_names_without_one_code_each_are_refused_and_said(tmp_path, names, count, example):
    error = refused(lambda: qg.read_qpv(kml(tmp_path / "a.kml", *names)), "read.no_perimeters")
    told = [note.values for note in error.problems if note.key == "read.codes_in_some"]
    assert [(one["column"], one["count"], one["example"]) for one in told] == [("Name", count, example)]


def test_codes_in_names_of_a_table(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("quartier;pop_muni_2020\nQN05901M - Oliveaux;1000\nQN05902M - Bourgogne;2000\n", encoding="utf-8")
    assert qg.read_population(path)["population"].to_dict() == {"QN05901M": 1000, "QN05902M": 2000}


def test_a_column_of_bare_codes_comes_before_names_with_others(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("cle;nom;pop_muni_2020\nQN05901M;Oliveaux (QP059001);1000\n", encoding="utf-8")
    assert qg.read_population(path).index.tolist() == ["QN05901M"]
