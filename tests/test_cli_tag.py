"""`qpvgeo tag`: the summary, the JSON, the options that do not fit."""

import json

import pytest
from typer.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app, main


def run(*arguments):
    return CliRunner().invoke(app, ["tag", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_sample_prints_states_bands_and_reasons():
    text = run("--sample").stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "in a QPV 860 22.0 %" in lines
    assert "out, within 300 m 1,831 46.9 %" in lines
    assert "out, 300 to 500 m 141 3.6 %" in lines
    assert "out, farther 1,062 27.2 %" in lines
    assert "unknown: no coordinates 6 0.2 %" in lines
    assert "Fictional" in text


def test_french():
    text = run("--sample", "--lang", "fr").stdout
    assert "hors QPV, de 300 à 500 m" in text
    assert "inconnu : sans coordonnées" in text


def test_json_has_the_keys_that_stay():
    found = json.loads(run("--sample", "--json").stdout)
    assert found["rows"] == sum(found["states"].values()) == 3_904
    assert found["states"]["in"] == 860
    assert found["bands"] == {"300": 1_831, "500": 141}
    assert found["reasons"] == {"no coordinates": 6, "latitude and longitude look swapped": 4}
    assert found["output"] is None
    assert found["fictional"]


def test_output_is_written(tmp_path):
    found = json.loads(run("--sample", "-o", tmp_path / "out.csv", "--json").stdout)
    assert found["output"] == str(tmp_path / "out.csv")
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == 3_905


def test_day_and_bands_and_tolerance():
    found = json.loads(run("--sample", "--json", "--on", "2023-05-01", "--bands", "100", "--tolerance", "10").stdout)
    assert found["on"] == "2023-05-01"
    assert list(found["bands"]) == ["100"]
    assert found["reasons"]["near the limit"] > 0


def test_two_vintages_are_told_each():
    found = json.loads(run("--sample", "--json", "--vintage", "2015", "--vintage", "2024").stdout)
    assert found["by_vintage"]["2015"]["states"]["in"] == 729
    assert found["by_vintage"]["2024"]["states"] == found["states"]


def test_named_columns_give_the_same_as_those_of_the_ban():
    named = json.loads(run("--sample", "--json", "--x", "x", "--y", "y", "--crs", "2154").stdout)
    assert named["states"]["in"] == 860


def test_saved_index_is_used(tmp_path):
    qg.PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024)).save(tmp_path / "index")
    found = json.loads(run(qg.sample().addresses, "--index", tmp_path / "index", "--json").stdout)
    assert found["states"]["in"] == 860


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a FILE"),
        (["--sample", "--resume"], "--resume needs --output"),
        (["--sample", "--x", "lon"], "--x and --y go together"),
        (["--sample", "--x", "lon", "--y", "lat"], "need --crs"),
        (["--sample", "--bands", "near"], "--bands 'near'"),
        (["--sample", "--bands", "500,300"], "ascending"),
        (["--sample", "--on", "yesterday"], "yesterday"),
        (["--sample", "--tolerance", "metres"], "no column 'metres'"),
    ],
)
def test_call_that_does_not_fit_exits_with_2_or_1_and_says_why(arguments, words, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["qpvgeo", "tag", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == (1 if "column" in words else 2)
    assert words in capsys.readouterr().err


def test_file_that_is_not_there_exits_with_3(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["qpvgeo", "tag", "none.csv", "--data", str(qg.sample().path)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 3
    assert "none.csv" in capsys.readouterr().err
