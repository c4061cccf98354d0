"""Cells of a grid chosen by territory, place, box or outline."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from tests.read.grid.small_grids import (
    THREE,
    cell,
    content,
    to_csv,
    to_geoparquet,
    to_parquet,
    to_shapefile,
    to_zip,
    to_zipped_7z,
)

from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry.cell_cover import overlap_cells
from qpvgeo.geometry.insee_lattice import Lattice
from qpvgeo.read.grid.reader import read_grid
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import sample

# Cells chosen

CODES = [
    ("hexagone", [0, 1, 2, 3, 4, 5]),
    ("974", []),
    ("59", [0, 1, 2, 3]),
    ("01", [5]),
    (["2A", "59350"], [0, 1, 4]),
    ({"59009"}, [1, 2, 3]),
    (["hexagone", "974"], [0, 1, 2, 3, 4, 5]),
    ("62", []),
]


@pytest.mark.parametrize("write", [*THREE, to_geoparquet, to_shapefile, to_zip])
@pytest.mark.parametrize(("where", "rows"), CODES)
def test_codes_choose_what_a_filter_afterwards_would(tmp_path, write, where, rows):
    path = write(content(), tmp_path)
    pd.testing.assert_frame_equal(read_grid(path, where=where), read_grid(path).iloc[rows])


@pytest.mark.parametrize("write", [*THREE, to_shapefile])
@pytest.mark.parametrize(
    ("box", "rows"),
    [
        ((3817400, 3067800, 3817600, 3068000), [0]),
        ((3817500, 3067900, 3817700, 3068100), [0, 1, 2, 3]),
        ((3817450, 3068050, 3817450, 3068050), [2]),
        ((0, 3068200, 9999999, 3068201), [4]),
        ((0, 0, 9999999, 9999999), [0, 1, 2, 3, 4, 5]),
        ((3900000, 3000000, 3900001, 3000001), []),
    ],
)
def test_box_in_metres(tmp_path, write, box, rows):
    path = write(content(), tmp_path)
    pd.testing.assert_frame_equal(read_grid(path, where=box), read_grid(path).iloc[rows])


@pytest.mark.parametrize("write", THREE)
def test_box_in_degrees_takes_all_the_cells_in_it(tmp_path, write):
    path = write(content(), tmp_path)
    west, south, east, north = (
        gpd.GeoSeries([shapely.box(3817450, 3067850, 3817700, 3068150)], crs=3035).to_crs(4326).total_bounds
    )
    found = read_grid(path, where=(west, south, east, north))
    assert set(read_grid(path).index[:4]) <= set(found.index)
    assert len(found) < 6
    assert read_grid(path, where=(3.0, 48.0, 3.1, 48.1)).empty


@pytest.mark.parametrize("write", THREE)
def test_polygons_choose_the_cells_they_share_ground_with(tmp_path, write):
    path = write(content(), tmp_path)
    areas = gpd.GeoSeries([shapely.box(3817500, 3067900, 3817600, 3068300), None, shapely.Polygon()], crs=3035)
    whole = read_grid(path)
    pd.testing.assert_frame_equal(read_grid(path, where=areas), whole.iloc[[0, 2, 4]])
    pd.testing.assert_frame_equal(read_grid(path, where=areas.to_frame("geometry").to_crs(4326)), whole.iloc[[0, 2, 4]])


def test_cells_of_the_qpv_of_the_sample_are_those_of_the_overlap():
    qpv, whole = read_qpv(sample().qpv_2024), read_grid(sample().grid_2019)
    touched = set(overlap_cells(qpv, Lattice(3035, 200))["right"])
    pd.testing.assert_frame_equal(read_grid(sample().grid_2019, where=qpv), whole[whole.index.isin(touched)])


@pytest.mark.parametrize("write", [*THREE, to_zipped_7z])
@pytest.mark.parametrize("where", ["62", "974", (3.0, 48.0, 3.1, 48.1)])
def test_nothing_chosen_keeps_columns_dtypes_and_provenance(tmp_path, write, where):
    path = write(content().assign(nom="a", surf=1.5), tmp_path)
    none, whole = read_grid(path, where=where), read_grid(path)
    assert none.empty
    pd.testing.assert_series_equal(none.dtypes, whole.dtypes)
    assert none.attrs["qpvgeo"]["files"] == whole.attrs["qpvgeo"]["files"]


@pytest.mark.parametrize("write", [to_csv, to_parquet])
def test_box_over_a_change_of_digits(tmp_path, write):
    north = [999600, 999800, 1000000, 1000200]
    frame = content().iloc[:4].assign(idcar_200m=[cell(n, 600000, epsg=5490) for n in north])
    path = write(frame, tmp_path)
    found = read_grid(path, where=(600000, 999900, 600100, 1000100))
    pd.testing.assert_frame_equal(found, read_grid(path).iloc[[1, 2]])


def test_columns_stored_as_categories(tmp_path):
    path = to_parquet(content(), tmp_path)
    whole, box = read_grid(path), (3817400, 3067800, 3817600, 3068000)
    texts = content().dtypes.index[content().dtypes == "str"]
    path = to_parquet(content().astype(dict.fromkeys(texts, "category")), tmp_path)
    pd.testing.assert_frame_equal(read_grid(path), whole)
    pd.testing.assert_frame_equal(read_grid(path, where=box), whole.iloc[[0]])
    pd.testing.assert_frame_equal(read_grid(path, where="59009"), whole.iloc[[1, 2, 3]])


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (None, None),
        (["59", "59350", "974"], {"territories": ["974"], "departments": ["59"], "communes": ["59350"]}),
        ((1.0, 42.0, 3.0, 44.0), {"box": [1.0, 42.0, 3.0, 44.0]}),
        (gpd.GeoSeries([shapely.box(3817400, 3067800, 3817500, 3067900)], crs=3035), {"areas": 1}),
    ],
)
def test_provenance_says_what_was_chosen(tmp_path, where, said):
    assert read_grid(to_csv(content(), tmp_path), where=where).attrs["qpvgeo"]["where"] == said


def test_nothing_chosen_of_the_sample_is_still_fictional():
    assert read_grid(sample().grid_2019, where="59").attrs["qpvgeo"]["fictional"]


def test_paris_stands_for_its_arrondissements(tmp_path):
    frame = content().assign(lcog_geo=["75101", "75120", "59009", "59009", "59009", "75056"])
    assert len(read_grid(to_csv(frame, tmp_path), where="75056")) == 3


def test_communes_asked_of_a_file_without_them(tmp_path):
    path = to_parquet(content().drop(columns="lcog_geo"), tmp_path)
    with pytest.raises(DataError, match="does not give the communes"):
        read_grid(path, where="59350")
    assert len(read_grid(path, where="hexagone")) == 6


@pytest.mark.parametrize(
    "where", ["21A", ["59", "ZZ"], 59, (1.0, 2.0, 3.0), (5.0, 2.0, 3.0, 4.0), [], {"a": 1}, [59, "2A"]]
)
def test_filters_that_are_none(tmp_path, where):
    with pytest.raises(UsageError):
        read_grid(to_csv(content(), tmp_path), where=where)
