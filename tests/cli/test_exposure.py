"""`qpvgeo exposure` and `qpvgeo programmes`: the sample, in both languages and as JSON."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.errors import MissingDataError, UsageError


def run(*options):
    return CliRunner().invoke(app, [*options], catch_exceptions=False)


def answer(*options):
    return json.loads(run(*options, "--json").stdout)


def test_people_in_the_flood_zone_beside_the_rest_of_their_communes(tmp_path):
    out = tmp_path / "floods.csv"
    found = answer(
        "exposure",
        "zones-inondables-99.geojson",
        "--covered",
        "everywhere",
        "--class",
        "alea",
        "--sample",
        "-o",
        str(out),
    )
    people = [row["estimate"] for row in found["rows"]]
    assert people == sorted(people, reverse=True)
    assert all(row["low"] <= row["estimate"] <= row["high"] for row in found["rows"])
    assert found["unknown"] == pytest.approx(0, abs=1e-6)
    assert {one["class"] for one in found["classes"]} == {"Faible", "Moyen", "Fort"}
    assert sum(one["estimate"] for one in found["classes"]) == pytest.approx(sum(people))
    assert found["inside"]["low"] <= found["inside"]["estimate"] <= found["inside"]["high"]
    assert pd.read_csv(out)["qpv_code"].tolist() == [row["qpv_code"] for row in found["rows"]]
    assert "fictional" in found


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_column_of_the_grid_has_a_threshold(lang):
    shown = run("exposure", "log_soc", "--quantile", "0.8", "--place", "Hautvent", "--sample", "--lang", lang).stdout
    assert "QN09911M" in shown


def test_layers_that_are_nowhere_and_options_that_do_not_fit_are_refused():
    with pytest.raises(MissingDataError) as raised:
        run("exposure", "nowhere.geojson", "--sample")
    assert raised.value.key == "cli.no_layer_file"
    with pytest.raises(UsageError) as wrong:
        run("exposure", "zones-inondables-99.geojson", "--above", "3", "--sample")
    assert wrong.value.key == "resilience.options"


def test_programmes_have_their_law_and_the_qpv_of_a_list(tmp_path):
    found = answer("programmes", "--sample")
    rows = {row["programme"]: row for row in found["rows"]}
    assert rows["npnru"]["count"] == 448
    assert rows["npnru"]["legal_reference"]
    # no list held speaks of the sample
    assert rows["npnru"]["n_qpv"] is None
    lists = tmp_path / "ours.csv"
    codes = pd.read_csv(qg.sample().npnru, sep=";")["code_qp"]
    pd.DataFrame({"programme": "ours", "unit": "qpv_2015", "code": codes}).to_csv(lists, index=False)
    mine = answer("programmes", "--sample", "--lists", str(lists))
    ours = next(row for row in mine["rows"] if row["programme"] == "ours")
    # La Misaine, Les Bossoirs in two, Galhauban; La Vieille Vigie was dropped
    assert ours["n_qpv"] == 4
    assert mine["unplaced"] == {"ours": 1}
    assert sum(one["n_qpv"] for one in mine["overlaps"]) == 16


def test_without_files_the_programmes_are_still_listed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert answer("programmes")["rows"][0]["programme"] == "npnru"


def test_summary_and_coverage_keep_the_qpv_of_a_programme(real_data):
    kept = answer("summary", "--vintage", "2015", "--programme", "npnru", "--data", str(real_data))
    assert kept["n_qpv"] == 448
    with pytest.raises(UsageError):
        run("coverage", "--programme", "quartiers-fertiles", "--sample")
