"""`qpvgeo contrat`: the contract of a place of the sample, in both geographies and languages."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.errors import DataError


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
