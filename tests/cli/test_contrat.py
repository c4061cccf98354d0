"""`qpvgeo contrat`: the contract of a place of the sample, in both geographies and languages."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.errors import DataError, UsageError


def read_workbook(path):
    return pd.read_excel(path, engine="openpyxl")


def run(*options):
    return CliRunner().invoke(app, ["contrat", *options], catch_exceptions=False)


def test_a_row_per_qpv_and_totals(tmp_path):
    out = tmp_path / "contrat.csv"
    found = json.loads(run("Port-Brume", "--sample", "--json", "-o", str(out)).stdout)
    assert [one["contract"] for one in found["totals"]] == ["299900019"]
    assert found["totals"][0]["n_qpv"] == len(found["rows"]) == 15
    assert sum(row["population"] for row in found["rows"]) == pytest.approx(found["totals"][0]["qpv_population"])
    assert {row["change_basis"] for row in found["rows"]} == {"grid"}
    assert "fictional" in found
    assert pd.read_csv(out)["qpv_code"].tolist() == [row["qpv_code"] for row in found["rows"]]


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("vintage", ["2015", "2024"])
def test_the_table_names_the_contract(lang, vintage):
    shown = run("Hautvent", "--sample", "--vintage", vintage, "--lang", lang).stdout
    assert "299900019" in shown
    assert "Galhauban" in shown


def test_a_place_without_a_qpv_has_no_contract():
    with pytest.raises(DataError) as raised:
        run("2A", "--sample")
    assert raised.value.key == "policy.no_contract"


def test_the_place_may_be_an_option():
    one, other = (
        json.loads(run(*place, "--sample", "--json").stdout) for place in (["Hautvent"], ["--place", "Hautvent"])
    )
    assert one == other
    both = run("Hautvent", "--place", "Hautvent", "--sample", "--json")
    assert json.loads(both.stdout) == one


@pytest.mark.parametrize("place", [(), ("Hautvent", "--place", "Port-Brume")], ids=["none", "two"])
def test_no_place_or_two_are_refused(place):
    with pytest.raises(UsageError) as raised:
        run(*place, "--sample")
    assert raised.value.key == "cli.options_do_not_fit"


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json", ".xlsx", ".gpkg", ".geojson"])
def test_rows_are_written_in_each_form_with_the_indicators_beside(tmp_path, suffix):
    table = tmp_path / "jobs.csv"
    pd.DataFrame({"codeQPV": ["QN09901M"], "emploi_2022": [57]}).to_csv(table, index=False, sep=";")
    out = tmp_path / f"contrat{suffix}"
    run("Hautvent", "--sample", "--indicators", str(table), "-o", str(out))
    if suffix in (".gpkg", ".geojson"):
        frame = gpd.read_file(out, layer="contrat")
        assert frame.geometry.notna().all()
    elif suffix in (".csv", ".xlsx"):
        frame = (pd.read_csv if suffix == ".csv" else read_workbook)(out)
    else:
        frame = pd.read_json(out) if suffix == ".json" else pd.read_parquet(out)
    assert len(frame) == 15
    column = next(name for name in frame.columns if "emploi" in name)
    assert frame.set_index("qpv_code")[column].dropna().to_dict() == {"QN09901M": 57}


def test_the_map_is_written_and_never_over_an_input(tmp_path):
    png = tmp_path / "contrat.png"
    assert json.loads(run("Hautvent", "--sample", "--png", str(png), "--json").stdout)["png"] == str(png)
    assert png.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError):
        run("Hautvent", "--sample", "--lists", str(png), "--png", str(png))


def test_the_years_of_both_sides_and_the_programmes_are_shown(tmp_path):
    lists = tmp_path / "ours.csv"
    pd.DataFrame({"code_qp": ["QN09901M"]}).to_csv(lists, index=False)
    found = json.loads(run("Hautvent", "--sample", "--lists", str(lists), "--json").stdout)
    assert [(row["programme"], row["n_qpv"]) for row in found["programmes"]] == [("ours", 1)]
    shown = run("Hautvent", "--sample", "--lists", str(lists)).stdout
    assert "year not stated" in shown
    assert "ours: 1 QPV" in shown
