"""What every command writes, and what it never writes over; what fits the terminal."""

import os
import shutil

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

import qpvgeo as qg
from qpvgeo.cli import app
from qpvgeo.errors import UsageError

TABLES = [
    ("datasets", "key", 3),
    ("summary", "territory", 1),
    ("coverage", "department", 1),
    ("population", "qpv_code", 16),
]


def run(*words, status=0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == status, (result.output, result.exception)
    return result


@pytest.mark.parametrize(("command", "key", "least"), TABLES)
@pytest.mark.parametrize(
    ("suffix", "read"), [(".csv", pd.read_csv), (".parquet", pd.read_parquet), (".json", pd.read_json)]
)
def test_tables_are_written_in_each_form(tmp_path, command, key, least, suffix, read):
    out = tmp_path / f"out{suffix}"
    run(command, "--sample", "-o", out)
    frame = read(out)
    assert key in (*frame.columns, frame.index.name)
    assert len(frame) >= least


def test_a_french_csv_has_semicolons_and_decimal_commas(tmp_path):
    run("population", "--sample", "--lang", "fr", "-o", tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv", sep=";", decimal=",")
    assert len(frame) == 16
    assert frame["estimate"].dtype == float
    run("population", "--sample", "--sep", "|", "-o", tmp_path / "other.csv")
    assert len(pd.read_csv(tmp_path / "other.csv", sep="|")) == 16


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson"])
def test_estimates_are_written_with_their_outlines(tmp_path, suffix):
    run("population", "--sample", "-o", tmp_path / f"out{suffix}")
    assert gpd.read_file(tmp_path / f"out{suffix}", layer="out").geometry.notna().all()


def test_words_of_a_french_csv_are_french(tmp_path):
    run("crosswalk", "--sample", "--lang", "fr", "--classes", tmp_path / "out.csv")
    assert "scindé" in set(pd.read_csv(tmp_path / "out.csv", sep=";")["change"])


@pytest.mark.parametrize("command", ["datasets", "summary", "coverage", "population", "crosswalk"])
@pytest.mark.parametrize("linked", [None, os.symlink, os.link])
def test_no_command_writes_over_a_file_that_it_reads(tmp_path, command, linked):
    data = tmp_path / "data"
    shutil.copytree(qg.sample().path, data)
    source = data / "pop_QPV24.csv"
    before = source.read_bytes()
    output = source if linked is None else tmp_path / "other.csv"
    if linked is not None:
        linked(source, output)
    result = CliRunner().invoke(app, [command, "--data", str(data), "-o", str(output)])
    assert isinstance(result.exception, UsageError)
    assert source.read_bytes() == before


@pytest.mark.parametrize("linked", [None, os.symlink, os.link])
@pytest.mark.parametrize(
    "words",
    [
        ("population", "{}", "--sample", "-o"),
        ("tag", "{}", "--sample", "-o"),
        ("doctor", "{}", "-o"),
        ("designate", "--sample", "--units", "{}", "-o"),
        ("map", "--sample", "--kind", "tags", "--points", "{}", "--png"),
        ("map", "--sample", "--kind", "grid", "--grid", "{}", "--png"),
    ],
    ids=" ".join,
)
def test_no_command_writes_over_a_file_that_it_names(tmp_path, words, linked):
    """Whatever its ending: the file that is read may have that of an output."""
    source = tmp_path / ("in.png" if "--png" in words else "in.csv")
    source.write_bytes(qg.sample().population_2024.read_bytes())
    before = source.read_bytes()
    output = source if linked is None else tmp_path / f"other{source.suffix}"
    if linked is not None:
        linked(source, output)
    result = CliRunner().invoke(app, [*(word.format(source) for word in words), str(output)])
    assert isinstance(result.exception, UsageError), (result.output, result.exception)
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({source.name, output.name})


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("command", ["summary", "coverage --by commune", "population", "tag", "crosswalk", "doctor"])
def test_tables_fit_the_terminal_and_cut_no_number_or_code(monkeypatch, width, lang, command):
    whole = run(*command.split(), "--sample", "--lang", lang).stdout
    monkeypatch.setenv("COLUMNS", str(width))
    out = run(*command.split(), "--sample", "--lang", lang).stdout
    assert "…" not in out
    long = [line for line in out.splitlines() if len(line) > width]
    assert all(len(max(line.split(), key=len)) > width / 3 for line in long), long  # a path or name that stays whole
    codes = [word for word in whole.split() if word.startswith(("QN099", "9900")) and len(word) in (5, 8)]
    assert [code for code in codes if code not in out] == []
