"""Outlines beside the ids of cells: cut, shifted, in another projection, or none."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from tests.read.grid.small_grids import (
    cell,
    content,
    notes,
    outlined,
    to_parquet,
)

from qpvgeo.quality.grids import check_grid
from qpvgeo.read.grid.reader import read_grid

# Outlines


def test_cut_outlines_are_told_and_their_values_kept(tmp_path):
    grid = outlined(content())
    grid.loc[1, "geometry"] = shapely.box(3817600, 3067800, 3817650, 3068000)
    grid.loc[2, "geometry"] = shapely.box(3817600, 3068000, 3817800, 3068200)
    grid.loc[3, "geometry"] = None
    for path in (tmp_path / "grid.gpkg", tmp_path / "grid.parquet"):
        grid.to_file(path) if path.suffix == ".gpkg" else grid.to_parquet(path)
        found = check_grid(path)
        assert found["row"].tolist() == [1, 2, 3]
        assert found["problem"].tolist() == ["cut", "elsewhere", "no outline"]
        assert found["difference_share"].tolist() == pytest.approx([0.75, 2.0, np.nan], nan_ok=True)
        read = read_grid(path)
        assert read["population"].tolist() == content()["ind"].tolist()
        assert any("3 of the 6 outlines" in note for note in notes(read))
        assert len(read_grid(path, where=(3817700, 3067900, 3817750, 3067950))) == 1


def long_extract(rows, cut):
    """Rows of cells, of which some are cut to half."""
    number = np.arange(rows)
    ids = [cell(3000000 + 200 * (n // 200), 3800000 + 200 * (n % 200)) for n in number]
    grid = outlined(pd.DataFrame({"idcar_200m": ids, "ind": 10.0}))
    north, east = 3000000 + 200 * (cut // 200), 3800000 + 200 * (cut % 200)
    grid.loc[cut, "geometry"] = shapely.box(east, north, east + 100, north + 200)
    return grid


@pytest.mark.parametrize("form", ["gpkg", "parquet", "geojson"])
def test_cells_cut_far_down_an_extract_are_told(tmp_path, form):
    grid = long_extract(1_200, np.array([501, 700, 1_199]))
    path = tmp_path / f"extract.{form}"
    grid.to_parquet(path) if form == "parquet" else grid.to_file(path)
    told = [note for note in notes(read_grid(path)) if note.key == "grid.drawn_otherwise"]
    assert [note.values for note in told] == [{"count": 3, "total": 1_200, "cut": 3}]
    # a filter chooses what is read, not what is judged
    assert told[0] in notes(read_grid(path, where=(3800000, 3000000, 3800100, 3000100)))


@pytest.mark.parametrize("form", ["gpkg", "parquet"])
@pytest.mark.parametrize(
    ("rows", "key", "told"),
    [(20_000, "grid.drawn_otherwise", (2, 20_000)), (20_001, "grid.first_drawn_otherwise", (1, 500))],
)
def test_of_a_long_file_the_first_outlines_are_judged(tmp_path, form, rows, key, told):
    grid = long_extract(rows, np.array([499, 501]))
    path = tmp_path / f"extract.{form}"
    grid.to_parquet(path) if form == "parquet" else grid.to_file(path)
    found = [note.values for note in notes(read_grid(path)) if note.key == key]
    assert [(values["count"], values["total"]) for values in found] == [told]


def test_cells_drawn_in_another_projection_are_the_same_squares(tmp_path):
    outlined(content()).to_crs(2154).to_file(tmp_path / "grid.gpkg")
    assert check_grid(tmp_path / "grid.gpkg").empty
    assert notes(read_grid(tmp_path / "grid.gpkg")) == []


def test_tables_without_outlines_have_none_to_check(tmp_path):
    assert check_grid(to_parquet(content(), tmp_path)).empty


@pytest.mark.parametrize(("shift", "told"), [(0, []), (10**7, ["could not be compared"])])
def test_values_need_no_projection(tmp_path, shift, told):
    grid = gpd.GeoDataFrame(content(), geometry=outlined(content(), None).translate(shift))
    with warnings.catch_warnings():
        # some versions warn that the file will declare no projection
        warnings.simplefilter("ignore")
        grid.to_file(tmp_path / "grid.gpkg")
    read = read_grid(tmp_path / "grid.gpkg")
    assert len(read) == 6
    assert [note for note in notes(read) if told and told[0] in note] == notes(read)
    assert len(notes(read)) == len(told)
