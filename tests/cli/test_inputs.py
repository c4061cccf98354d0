"""The files that commands start from: releases beside each other, damaged files among them."""

import json

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

from qpvgeo.cli import app, inputs
from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.read.grid.reader import read_grid

LATER, EARLIER = "2026-01-15", "2025"


def layer(path, codes):
    """Squares of 0.005 degrees, in Mayotte where the code says so, else in Bobigny."""
    places = [(45.1, -12.8) if code[2:5] == "976" else (2.4, 48.9) for code in codes]
    boxes = [shapely.box(x + 0.01 * rank, y, x + 0.01 * rank + 0.005, y + 0.005) for rank, (x, y) in enumerate(places)]
    gpd.GeoDataFrame({"code_qp": codes, "lib_qp": codes}, geometry=boxes, crs=4326).to_file(path)


@pytest.fixture
def two_releases(tmp_path):
    layer(tmp_path / "a.geojson", ["QN09301N", "QN97601N"])
    layer(tmp_path / "b.geojson", ["QN09301N", "QN97602C", "QN97603C"])
    return tmp_path


def answer(*given):
    done = CliRunner().invoke(app, [*map(str, given), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_newest_of_two_releases_is_read_and_a_note_says_so(two_releases):
    found = answer("summary", "--data", two_releases)
    assert (found["release"], found["n_qpv"]) == (LATER, 3)
    assert any(f"the releases {EARLIER} and {LATER}" in note for note in found["notes"])


def test_the_release_named_is_read(two_releases):
    found = answer("summary", "--data", two_releases, "--release", EARLIER)
    assert (found["release"], found["n_qpv"]) == (EARLIER, 2)
    assert not any("releases" in note for note in found["notes"])
    assert len(answer("coverage", "--data", two_releases, "--release", EARLIER)["rows"]) == 2


def test_damaged_files_of_a_folder_are_named(two_releases):
    (two_releases / "pop.xlsx").write_bytes(b"PK\x03\x04 cut")
    (two_releases / "notes.json").write_text("[]")
    (note,) = (note for note in answer("summary", "--data", two_releases)["notes"] if "left aside" in note)
    assert "pop.xlsx" in note
    assert "notes.json" not in note


def test_damaged_files_are_named_where_nothing_else_is_there(tmp_path):
    (tmp_path / "qpv.geojson").write_text('{"type": "FeatureCollection", "features": [')
    done = CliRunner().invoke(app, ["summary", "--data", str(tmp_path)])
    assert isinstance(done.exception, MissingDataError)
    assert [(one.key, one.values["files"]) for one in done.exception.problems] == [
        ("sources.left_aside", ["qpv.geojson"])
    ]


def cells(path, layer, north, people):
    """Cells of 200 m north of one another, beside the first square of `layer`."""
    ids = [f"CRS3035RES200mN{north + 200 * row}E3771400" for row in range(len(people))]
    boxes = [
        shapely.box(3_771_400, north + 200 * row, 3_771_600, north + 200 * row + 200) for row in range(len(people))
    ]
    columns = {"idcar_200m": ids, "ind": people, "men": people, "men_pauv": people, "ind_snv": people}
    gpd.GeoDataFrame(columns, geometry=boxes, crs=3035).to_file(path, layer=layer)


def test_of_several_grids_in_a_file_that_with_most_cells_near_is_read(tmp_path):
    path = tmp_path / "grilles.gpkg"
    cells(path, "part", 2_894_000, [1.0])
    cells(path, "ville", 2_894_000, [1.0, 2.0, 3.0])
    cells(path, "loin", 2_994_000, [1.0, 2.0, 3.0, 4.0])
    near = gpd.GeoSeries([shapely.box(3_771_400, 2_894_000, 3_771_600, 2_894_600)], crs=3035)
    (grid,) = inputs.grids_near(tmp_path, near)
    assert grid["population"].tolist() == [1.0, 2.0, 3.0]
    note = grid.attrs["qpvgeo"]["notes"][0]
    assert (note.key, note.values["taken"], note.values["others"]) == ("cli.grid_layer", "ville", ["part", "loin"])
    with pytest.raises(DataError) as caught:
        read_grid(path)
    assert (caught.value.key, caught.value.message.values["layers"]) == (
        "grid.several_tables",
        ["part", "ville", "loin"],
    )


def test_tags_say_which_of_two_releases_was_read(two_releases):
    points = two_releases / "points.csv"
    points.write_text("id,lon,lat\n1,2.4,48.9\n", encoding="utf-8")
    assert f"the releases {EARLIER} and {LATER}" in answer("tag", points, "--data", two_releases)["notes"][0]


def test_a_map_says_which_of_two_releases_was_read(two_releases):
    made = answer("map", "QN09301N", "--png", two_releases / "a.png", "--data", two_releases)
    assert f"the releases {EARLIER} and {LATER}" in made["notes"][0]
