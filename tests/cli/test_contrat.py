"""`qpvgeo contrat`: the contract of a place of the sample, in both geographies and languages."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

from qpvgeo import read_grid, read_qpv, sample
from qpvgeo.cli import app
from qpvgeo.cli.programme_lists import met
from qpvgeo.errors import DataError, UsageError
from qpvgeo.policy import people_in_and_out


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


JOBS = "codeQPV;LIBQPV;TX_EMPLOI_22\nQN09901M;Grand Hunier;45,2\nQN09902I;La Misaine;ns\n"
INCOMES = "CODGEO;LIBGEO;DISP_MED_A21;DISP_TP60_A21\nQN09901M;Grand Hunier;13780;45,5\nQN09902I;La Misaine;ns;ns\n"


@pytest.fixture
def folder(tmp_path):
    """Folder of the sample, whose files other tables may be put beside."""
    held = tmp_path / "held"
    held.mkdir()
    for path in sample().path.iterdir():
        (held / path.name).symlink_to(path)
    return held


def test_tables_of_indicators_in_the_folder_are_found(folder):
    (folder / "emploi-qp24.csv").write_text(JOBS, "utf-8")
    (folder / "revenus-qp24.csv").write_text(INCOMES, "utf-8")
    found = json.loads(run("Hautvent", "--data", str(folder), "--json").stdout)
    held = {(row["theme"], row["qpv_code"], row["indicator"]): row["value"] for row in found["indicators"]}
    assert held["emploi-qp24", "QN09901M", "tx_emploi_22"] == 45.2
    assert held["emploi-qp24", "QN09902I", "tx_emploi_22"] is None
    rates = {row["qpv_code"]: (row["income_eur"], row["poverty_rate"]) for row in found["rows"]}
    assert rates["QN09901M"] == (13780, 0.455)
    assert rates["QN09902I"] == (None, None)
    assert {"emploi-qp24.csv", "revenus-qp24.csv"} <= {source["file"] for source in found["sources"]}
    shown = run("Hautvent", "--data", str(folder), "--lang", "fr").stdout
    assert "emploi-qp24 (1)" in shown


def test_tables_named_are_read_in_place_of_those_of_the_folder(folder, tmp_path):
    (folder / "revenus-qp24.csv").write_text(INCOMES, "utf-8")
    named = tmp_path / "jobs.csv"
    named.write_text(JOBS, "utf-8")
    found = json.loads(run("Hautvent", "--data", str(folder), "--indicators", str(named), "--json").stdout)
    assert {row["theme"] for row in found["indicators"]} == {"published", "jobs"}


def test_a_list_without_figures_is_no_table_of_indicators_and_a_faulty_one_is_told_of(folder):
    plain, faulty = folder / "liste.csv", folder / "faulty.csv"
    plain.write_text("code_qp;lib_qp\nQN09901M;Grand Hunier\n", "utf-8")
    faulty.write_text("codeQPV;TX_22\nQN09901M;45\nQN09901M;46\n", "utf-8")
    found = json.loads(run("Hautvent", "--data", str(folder), "--json").stdout)
    assert {row["theme"] for row in found["indicators"]} == {"published"}
    assert [note for note in found["notes"] if "faulty.csv" in note and "left aside" in note]


def test_only_quarters_of_the_place_and_those_they_lead_to_are_compared():
    layers = read_qpv(sample().qpv_2024), read_qpv(sample().qpv_2015)
    now, before = met(*layers, ["QN09903M"])
    assert now.index.tolist() == ["QN09903M", "QN09904M"]
    assert before.index.tolist() == ["QP099003"]


@pytest.mark.parametrize("vintage", [2015, 2024])
def test_the_changes_of_a_place_are_those_of_the_whole(vintage):
    before, now = read_qpv(sample().qpv_2015), read_qpv(sample().qpv_2024)
    whole = people_in_and_out(before, now, grid=read_grid(sample().grid_2019))
    found = json.loads(run("Hautvent", "--sample", "--vintage", str(vintage), "--json").stdout)["rows"]
    assert [row["change"] for row in found] == whole.loc[[row["qpv_code"] for row in found], "change"].tolist()
