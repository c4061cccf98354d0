"""Programmes on the command line: `programmes`, `coverage --by programme`, lists of one's own, in files of any form."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.errors import DataError, MissingDataError, UsageError


def run(*options):
    return CliRunner().invoke(app, [str(one) for one in options], catch_exceptions=False)


def answer(*options):
    return json.loads(run(*options, "--json").stdout)


@pytest.fixture
def lists(tmp_path):
    """Lists of two programmes of the sample: QPV of 2015 with a convention, and a commune."""
    codes = pd.read_csv(qg.sample().npnru, sep=";")["code_qp"]
    renewal = pd.DataFrame({"programme": "renewal", "unit": "qpv_2015", "code": codes})
    towns = pd.DataFrame({"programme": "schools", "unit": "commune", "code": ["99001"]})
    path = tmp_path / "lists.csv"
    pd.concat([renewal, towns]).to_csv(path, index=False)
    return path


def test_coverage_has_a_row_per_programme(lists):
    found = answer("coverage", "--by", "programme", "--sample", "--lists", lists)
    rows = {row["programme"]: row for row in found["rows"]}
    assert {name: row["n_qpv"] for name, row in rows.items()} == {"renewal": 4, "schools": 8}
    assert rows["renewal"]["population_covered"] <= rows["renewal"]["qpv_population"]
    assert rows["schools"]["population"] == pytest.approx(found["qpv_population"])


def test_of_the_qpv_of_a_programme_the_others_are_told(lists):
    found = answer("coverage", "--by", "programme", "--programme", "renewal", "--sample", "--lists", lists)
    rows = {row["programme"]: row["share"] for row in found["rows"]}
    assert rows["renewal"] == 1
    assert 0 < rows["schools"] < 1


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_tables_fit_eighty_columns(monkeypatch, lists, lang):
    monkeypatch.setenv("COLUMNS", "80")
    for options in (
        ("coverage", "--by", "programme", "--lists", lists, "--place", "Port-Brume"),
        ("programmes", "--lists", lists, "--place", "Port-Brume"),
        ("programmes", "--lists", lists, "--programme", "renewal"),
        ("contrat", "Hautvent", "--lists", lists),
    ):
        shown = run(*options, "--sample", "--lang", lang).stdout
        assert "renewal" in shown or options[0] == "contrat"
        assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_nothing_reached_is_said():
    assert "–" not in run("coverage", "--by", "programme", "--sample").stdout
    with pytest.raises(DataError) as raised:
        run("coverage", "--programme", "npnru", "--sample")
    assert raised.value.key == "cli.programme_reaches_none"


@pytest.mark.parametrize("form", ["table of codes", "layer", "layer with programmes"])
def test_lists_come_as_codes_or_as_a_layer(tmp_path, form):
    qpv = qg.read_qpv(qg.sample().qpv_2024).loc[["QN09901M", "QN09902I"]]
    if form == "table of codes":
        path = tmp_path / "ours.csv"
        pd.DataFrame({"code_qp": qpv.index}).to_csv(path, index=False)
    else:
        path = tmp_path / "ours.gpkg"
        named = {"programme": "drawn"} if form == "layer with programmes" else {}
        gpd.GeoDataFrame({"name": qpv.index, **named}, geometry=qpv.geometry.to_numpy(), crs=qpv.crs).to_file(path)
    found = answer("coverage", "--by", "programme", "--sample", "--lists", path)
    name = "drawn" if form == "layer with programmes" else "ours"
    assert [(row["programme"], row["n_whole"]) for row in found["rows"]] == [(name, 2)]


def test_members_have_their_qpv_in_both_geographies_and_all_once(lists, tmp_path):
    out = tmp_path / "members.csv"
    found = answer("programmes", "--programme", "schools", "--lists", lists, "--sample", "-o", out)
    (row,) = found["rows"]
    assert (row["member"], row["n_qpv_2024"]) == ("99001", 8)
    assert found["totals"]["2024"]["n_qpv"] == 8
    assert found["totals"]["2015"]["n_qpv"] == row["n_qpv_2015"] > 0
    assert found["totals"]["2024"]["population"] == pytest.approx(row["population_2024"])
    assert found["years"] == {"2015": 2013, "2024": 2020}
    assert pd.read_csv(out)["member"].astype(str).tolist() == ["99001"]


def test_the_fourteen_territories_in_one_call(real_data):
    found = answer("programmes", "--programme", "quartiers-productifs", "--data", real_data)
    assert len(found["rows"]) == 14
    once = {year: (one["n_qpv"], round(one["population"]), one["shared_qpv"]) for year, one in found["totals"].items()}
    assert once == {"2015": (171, 842_599, 0), "2024": (184, 931_431, 0)}
    maubeuge = next(row for row in found["rows"] if row["member"] == "Maubeuge Val de Sambre")
    assert [maubeuge[name] for name in ("n_qpv_2015", "n_qpv_2024")] == [9, 11]
    assert [maubeuge[name] for name in ("population_2015", "population_2024")] == pytest.approx([22_224, 29_239])


def test_the_picture_of_overlaps_is_written(lists, tmp_path):
    png = tmp_path / "sets.png"
    found = answer("programmes", "--lists", lists, "--sample", "--png", png)
    assert found["png"] == str(png)
    assert png.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(MissingDataError):
        run("programmes", "--sample", "--png", tmp_path / "none.png")


def test_options_that_do_not_fit_are_refused_together(lists, tmp_path):
    wrong = ("--png", tmp_path / "a.jpg", "--programme", "schools", "--year", "2018", "-o", tmp_path / "a.doc")
    with pytest.raises(UsageError) as raised:
        run("programmes", "--lists", lists, "--sample", *wrong)
    assert len(raised.value.problems) == 4


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json", ".xlsx"])
@pytest.mark.parametrize("command", [("programmes",), ("coverage", "--by", "programme")])
def test_tables_are_written_in_each_form(lists, tmp_path, command, suffix):
    out = tmp_path / f"out{suffix}"
    run(*command, "--sample", "--lists", lists, "--lang", "fr", "-o", out)
    assert out.stat().st_size > 100
