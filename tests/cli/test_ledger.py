"""`qpvgeo ledger`: colours, exit status, JSON."""

import json

import pytest
from click.testing import CliRunner

from qpvgeo.cli import app


def _run(*options, color=False):
    return CliRunner().invoke(app, ["ledger", *options], catch_exceptions=False, color=color)


@pytest.fixture
def figures(tmp_path):
    """A table of two figures of the sample, as a person would type it."""
    path = tmp_path / "figures.csv"
    path.write_text(
        "id;value;unit;measure;territory;vintage;year\n"
        "count;16;QPV;n_qpv;territory:99;2024;\n"
        "surface;1;km2;area;territory:99;2024;\n",
        encoding="utf-8",
    )
    return path


def test_without_data_it_runs_on_the_facts_and_exits_0():
    result = _run("--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 0
    assert set(answer["counts"]) == {"exact", "within rounding", "explained", "differs", "needs DATA"}
    assert len(answer["figures"]) == sum(answer["counts"].values()) >= 250
    assert {"id", "published", "computed", "verdict", "reason"} <= set(answer["figures"][0])
    assert answer["missing"]


def test_a_figure_that_differs_is_red_and_the_exit_status_is_1(figures):
    result = _run("--figures", str(figures), "--sample", color=True)
    assert result.exit_code == 1
    assert any(line.startswith("\x1b[31m") and "surface" in line for line in result.stdout.splitlines())
    assert any(line.startswith("\x1b[32m") and "count" in line for line in result.stdout.splitlines())


def test_a_broken_number_in_the_code_path_turns_the_ledger_red(figures, monkeypatch):
    from qpvgeo.indicators import totals

    figures.write_text(
        "id,value,unit,measure,territory,vintage\ncount,16,QPV,n_qpv,territory:99,2024\n", encoding="utf-8"
    )
    assert _run("--figures", str(figures), "--sample").exit_code == 0
    sound = totals._figures
    monkeypatch.setattr(
        totals, "_figures", lambda *args, **more: {**(row := sound(*args, **more)), "n_qpv": row["n_qpv"] - 1}
    )
    result = _run("--figures", str(figures), "--sample", color=True)
    assert result.exit_code == 1
    assert "\x1b[31m" in result.stdout


def test_only_some_verdicts_are_shown_and_all_are_counted():
    answer = json.loads(_run("--only", "explained", "--json").stdout)
    assert {row["verdict"] for row in answer["figures"]} == {"explained"}
    assert sum(answer["counts"].values()) > len(answer["figures"])


def test_figures_of_a_place():
    answer = json.loads(_run("--place", "Bretagne", "--json").stdout)
    assert {"bzh15-n", "bzh24-n"} <= {row["id"] for row in answer["figures"]}
    assert "fm24-n" not in {row["id"] for row in answer["figures"]}


def test_a_place_without_figures_is_refused():
    assert _run_status("--place", "Lozère") == 0
    assert _run_status("--place", "Ardèche") == 2


def _run_status(*options):
    from qpvgeo.errors import UsageError

    try:
        return _run(*options).exit_code
    except UsageError:
        return 2


def test_it_speaks_french():
    result = _run("--lang", "fr", "--place", "Bretagne")
    assert "données manquantes" in result.stdout
    assert "needs DATA" not in result.stdout


def test_it_writes_a_table(tmp_path):
    out = tmp_path / "ledger.csv"
    assert _run("-o", str(out)).exit_code == 0
    assert out.read_text(encoding="utf-8").splitlines()[0].startswith("id,statement,measure")
