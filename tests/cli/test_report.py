"""`qpvgeo report`: a sheet of each form, and what it refuses."""

import json

import pytest
from click.testing import CliRunner
from tests import browsers

from qpvgeo.cli import app
from qpvgeo.errors import UsageError

pytest.importorskip("jinja2", reason="the report extra is not installed")


def run(*options):
    result = CliRunner().invoke(app, ["report", *map(str, options)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_sheet_is_written_with_the_estimates_of_the_grid(tmp_path):
    found = json.loads(run("Port-Brume", "--sample", "-o", tmp_path / "s.html", "--json"))
    assert found["title"] == "Priority neighbourhoods: Port-Brume (99001)"
    assert found["output"] == str(tmp_path / "s.html")
    assert found["fictional"]
    assert "Filosofi2019_carreaux_200m_csv.zip" in {one["file"] for one in found["sources"]}
    assert "Poverty rate" in (tmp_path / "s.html").read_text(encoding="utf-8")


def test_pdf_is_written_in_the_language_asked(tmp_path):
    browsers.printing()
    text = run("QN09902I", "--sample", "--lang", "fr", "-o", tmp_path / "s.pdf")
    assert text.startswith("Quartiers prioritaires\u202f: La Misaine (QN09902I)")
    assert (tmp_path / "s.pdf").read_bytes().startswith(b"%PDF-")


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(UsageError) as caught:
        run("Port-Brume", "--sample", "-o", tmp_path / "s.docx")
    assert [one.key for one in caught.value.problems] == ["cli.endings"]
    assert list(tmp_path.iterdir()) == []
