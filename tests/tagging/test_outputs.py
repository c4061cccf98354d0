"""Outputs of a tagging run: never over an input, never through a link, never a formula of ours."""

import os

import geopandas as gpd
import pytest
import shapely
from tests.builders import refused

from qpvgeo.errors import OutputError, UsageError
from qpvgeo.tagging.files import file_problems, tag_file

X, Y = 700_000.0, 6_600_000.0
OPTIONS = {"xy": ("x", "y"), "crs": 2154}


@pytest.fixture
def qpv():
    return gpd.GeoDataFrame({"name": ["=HYPERLINK(1)"]}, geometry=[shapely.box(X, Y, X + 9, Y + 9)], crs=2154).set_axis(
        ["A"]
    )


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(f'id,x,y\n=1+1,{X + 1},{Y + 1}\n-5,{X + 1},{Y + 1}\n"@a, b",0,0\n')
    return path


@pytest.mark.parametrize("link", [os.symlink, os.link, None])
def test_the_source_is_never_written_over(source, qpv, tmp_path, link):
    out = source if link is None else tmp_path / "out.csv"
    if link is not None:
        link(source, out)
    before = source.read_bytes()
    error = refused(lambda: tag_file(source, out, qpv, **OPTIONS), kind=UsageError)
    assert [problem.key for problem in error.problems] == ["tagging.output_is_an_input"]
    assert source.read_bytes() == before


def test_other_inputs_are_never_written_over(source, tmp_path):
    perimeters = tmp_path / "qpv.csv"
    perimeters.write_text("a")
    (tmp_path / "out.csv").symlink_to(perimeters)
    (problem,) = file_problems(source, tmp_path / "out.csv", resume=False, inputs=[perimeters])
    assert problem.values["source"] == str(perimeters)


def test_a_link_in_place_of_the_kept_folder_is_refused(source, qpv, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "thesis.txt").write_text("precious")
    (tmp_path / ".out.csv.parts").symlink_to(victim)
    refused(lambda: tag_file(source, tmp_path / "out.csv", qpv, **OPTIONS), "tagging.kept_is_a_link", OutputError)
    assert [path.name for path in victim.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("output", [".", "..", "", "/"])
def test_a_folder_is_not_an_output(source, qpv, output):
    assert refused(lambda: tag_file(source, output, qpv, **OPTIONS), kind=UsageError).problems


def test_cells_of_the_source_stay_as_they_are_and_ours_are_never_formulas(source, qpv, tmp_path):
    tag_file(source, tmp_path / "out.csv", qpv, **OPTIONS)
    first, second, third = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert first.startswith("=1+1,")
    assert ",'=HYPERLINK(1)," in first
    assert (second[:3], third[:8]) == ("-5,", '"@a, b",')


def test_cells_of_the_source_are_neutralised_on_demand(source, qpv, tmp_path):
    tag_file(source, tmp_path / "out.csv", qpv, safe_csv=True, **OPTIONS)
    cells = [line.split(",")[0] for line in (tmp_path / "out.csv").read_text().splitlines()[1:]]
    assert cells == ["'=1+1", "-5", "\"'@a"]
