"""`qpvgeo tag` of a folder of parts."""

import json

import pytest
from click.testing import CliRunner

from qpvgeo.cli import app
from qpvgeo.errors import UsageError


def run(*words):
    return CliRunner().invoke(app, ["tag", *map(str, words)])


@pytest.fixture
def parts(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text("id;lon;lat\n1;-3.7;45.9\n2;45.97;-3.6\n", encoding="utf-8")
    return folder


def test_parts_are_tagged_and_resumed(parts, tmp_path):
    options = (parts, "-o", tmp_path / "out", "--sample", "--workers", 1, "--json")
    first = json.loads(run(*options).stdout)
    assert (first["rows"], first["states"]["out"], first["resumed_rows"]) == (4, 2, 0)
    assert (tmp_path / "out" / "b.csv").read_text(encoding="utf-8").startswith("id;lon;lat;state")
    again = json.loads(run(*options, "--resume").stdout)
    assert (again["resumed_parts"], again["resumed_rows"]) == (2, 4)


def test_a_folder_is_told_on_a_terminal(parts, tmp_path):
    shown = run(parts, "-o", tmp_path / "out", "--sample", "--workers", 1)
    assert shown.exit_code == 0
    assert "4" in shown.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--scheduler", "tcp://nowhere:1"),
        ("--master", "local"),
        ("--layer", "one"),
        ("--communes", "communes.gpkg"),
        ("--workers", "0"),
    ],
)
def test_options_that_do_not_fit_a_folder_are_refused(parts, tmp_path, words):
    refused = run(parts, "-o", tmp_path / "out", "--sample", *words).exception
    assert isinstance(refused, UsageError)
    assert not (tmp_path / "out").exists()


def test_a_folder_needs_an_output_and_a_file_no_workers(parts):
    assert isinstance(run(parts, "--sample").exception, UsageError)
    assert isinstance(run(parts / "a.csv", "--sample", "--workers", 2).exception, UsageError)
