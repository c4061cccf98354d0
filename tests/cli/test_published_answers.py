"""Answers of the command line on published files, beside published figures."""

import csv

import pytest
from tests.cli.runs import answer, rows_by


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """An empty folder, in no checkout, with no file at hand."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.real
def test_summary_2015_of_the_published_files(real_data):
    found = answer("summary", "--vintage", 2015, "--data", real_data)
    territories = rows_by("territory", found["by_territory"])
    assert (found["n_qpv"], found["population"], found["population_year"]) == (1514, 5_435_060, 2013)
    assert (found["basis"], found["release"]) == ("computed", "2015-08")
    counts = {"hexagone": 1296, "971": 16, "972": 7, "973": 32, "974": 49, "976": 36, "978": 2, "987": 76}
    assert {code: row["n_qpv"] for code, row in territories.items()} == counts
    hexagone = territories["hexagone"]
    assert (hexagone["population"], hexagone["denominator"]) == (4_856_046, 63_697_865)
    assert round(100 * hexagone["share"], 2) == 7.62
    assert (hexagone["population_year"], hexagone["denominator_year"]) == (2013, 2013)
    assert found["repairs"]["outlines"] == 34


@pytest.mark.real
def test_summary_2024_of_the_published_files(real_data):
    found = answer("summary", "--vintage", 2024, "--data", real_data)
    hexagone = rows_by("territory", found["by_territory"])["hexagone"]
    scope = rows_by("scope", found["scopes"])["hexagone + 5 DOM"]
    assert found["n_qpv"] == 1609
    assert (hexagone["n_qpv"], hexagone["population"], round(100 * hexagone["share"], 2)) == (1362, 5_307_455, 8.13)
    assert (scope["n_qpv"], scope["population"]) == (1518, 5_931_940)
    assert scope["share"] is None
    assert "census of the people not stated" in scope["note"]


@pytest.mark.real
@pytest.mark.parametrize(
    ("level", "code", "people"),
    [("department", "dep_code", "dep_pmun_2020"), ("region", "reg_code", "reg_pmun_2020")],
)
def test_coverage_2024_equals_the_reference_tables(real_data, reference, level, code, people):
    text = (reference / f"qpv2024_by_{level}.csv").read_text(encoding="utf-8")
    expected = {row[code]: row for row in csv.DictReader(text.splitlines())}
    found = answer("coverage", "--by", level, "--vintage", 2024, "--data", real_data)
    rows = rows_by("code", found["rows"])
    assert len(rows) == len(found["rows"])
    assert set(rows) == set(expected)
    for unit, row in expected.items():
        assert rows[unit]["n_qpv"] == int(row["n_qpv_2025_release"]), unit
        assert rows[unit]["qpv_population"] == (int(row["qpv_pop"]) if row["qpv_pop"] else None), unit
        if row["share_pct"]:
            assert rows[unit]["population"] == int(row[people]), unit
            assert 100 * rows[unit]["share"] == pytest.approx(float(row["share_pct"]), abs=0.005 + 1e-9), unit
        else:
            assert rows[unit]["share"] is None, unit
            assert rows[unit]["note"], unit


@pytest.mark.real
@pytest.mark.parametrize(("level", "unplaced"), [("commune", []), ("epci", [(91, None, "placed in no unit")])])
def test_coverage_2024_below_the_department_adds_up_to_the_total(real_data, level, unplaced):
    found = answer("coverage", "--by", level, "--vintage", 2024, "--data", real_data)
    assert found["qpv_population"] == 5_931_940
    assert sum(row["qpv_population"] or 0 for row in found["rows"]) == pytest.approx(5_931_940, abs=1e-3)
    nowhere = [row for row in found["rows"] if row["code"] is None]
    # Saint-Martin and Polynésie française have 91 QPV, no EPCI of that list, and no population in the table
    assert [(row["n_qpv"], row["qpv_population"], row["note"]) for row in nowhere] == unplaced
    assert sum(row["n_qpv"] for row in found["rows"]) >= 1609
