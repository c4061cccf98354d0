"""Rasters on cells: means of pixels by hand, and what is missing."""

import numpy as np
import pytest
from tests.builders import refused
from tests.resilience.test_exposed_people import EAST, NORTH, box, grid_of, layer

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.resilience import exposure_beside, exposure_by_class, raster_on_cells

rasterio = pytest.importorskip("rasterio")

# what rasterio's own packages warn of is not ours to mend
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


def image(path, pixels, *, size=100, crs="EPSG:3035", nodata=-1.0, north=NORTH + 200):
    """Image whose upper left corner is that of the row of cells."""
    pixels = np.asarray(pixels, np.float32)
    options = {"driver": "GTiff", "height": pixels.shape[0], "width": pixels.shape[1], "count": 1, "dtype": "float32"}
    transform = rasterio.transform.from_origin(EAST, north, size, size)
    with rasterio.open(path, "w", crs=crs, transform=transform, nodata=nodata, **options) as target:
        target.write(pixels, 1)
    return path


def test_a_cell_has_the_mean_of_its_pixels_without_those_of_no_data(tmp_path):
    path = image(tmp_path / "heat.tif", [[10, 20, 30, -1, -1, -1], [30, 40, 50, 60, -1, -1]])
    grid = grid_of([100, 200, 300])
    value = raster_on_cells(path, grid)["value"]
    assert value.tolist()[:2] == pytest.approx([25, 140 / 3])
    assert np.isnan(value.iloc[2])
    assert raster_on_cells(path, grid, statistic="max")["value"].tolist()[:2] == [40, 60]
    found = qg.exposure(layer(box(0, 0, 3, 1)), "heat", grid.assign(heat=value), above=30)
    assert found[["estimate", "unknown"]].to_numpy().tolist() == [[200, 300]]


def test_pixels_without_end_are_no_data(tmp_path):
    path = image(tmp_path / "heat.tif", [[10, np.inf], [20, 30]])
    assert raster_on_cells(path, grid_of([1]))["value"].tolist() == [20]


def test_whole_numbers_that_stand_for_others_are_read_by_their_scale(tmp_path):
    path = image(tmp_path / "heat.tif", [[100, 200], [-1, -1]])
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = [0.1], [5.0]
    assert raster_on_cells(path, grid_of([1]))["value"].tolist() == [pytest.approx(20)]


@pytest.mark.parametrize("lost", ["crs", "size"])
def test_a_raster_that_does_not_say_where_it_lies_is_refused(tmp_path, lost):
    path = image(tmp_path / "heat.tif", [[1, 2]], crs=None if lost == "crs" else "EPSG:3035")
    if lost == "size":
        with rasterio.open(path, "r+") as target:
            target.transform = rasterio.Affine(0, 0, EAST, 0, 0, NORTH)
    refused(lambda: raster_on_cells(path, grid_of([1])), "resilience.raster_nowhere", DataError)


def test_order_of_the_cells_changes_nothing(tmp_path):
    path = image(tmp_path / "heat.tif", [[1, 2, 3]], size=200)
    grid = grid_of([1, 1, 1])
    assert raster_on_cells(path, grid.iloc[::-1])["value"].to_dict() == raster_on_cells(path, grid)["value"].to_dict()


def test_rasters_that_say_nothing_are_refused(tmp_path):
    grid = grid_of([1])
    refused(lambda: raster_on_cells(tmp_path / "none.tif", grid), "resilience.no_raster", MissingDataError)
    away = image(tmp_path / "away.tif", [[1]], north=NORTH + 900_000)
    refused(lambda: raster_on_cells(away, grid), "resilience.raster_elsewhere", DataError)
    here = image(tmp_path / "here.tif", [[1]])
    refused(lambda: raster_on_cells(here, grid, band=2), "resilience.raster_band", DataError)
    refused(lambda: raster_on_cells(here, grid, statistic="median"), "resilience.no_statistic", UsageError)
    refused(lambda: raster_on_cells(here, grid.iloc[:0]), "resilience.no_cells", DataError)
    words = tmp_path / "words.tif"
    words.write_text("no image")
    refused(lambda: raster_on_cells(words, grid), "resilience.raster_unread", DataError)


def test_the_path_of_a_raster_is_a_layer(tmp_path):
    path = image(tmp_path / "heat.tif", [[10, 20, 30, -1, -1, -1], [30, 40, 50, 60, -1, -1]])
    zone, grid = layer(box(0, 0, 3, 1)), grid_of([100, 200, 300])
    for given in (path, str(path)):
        found = qg.exposure(zone, given, grid, above=30)
        assert found[["low", "estimate", "high", "unknown"]].to_numpy().tolist() == [[200, 200, 500, 300]]
    about = found.attrs["qpvgeo"]
    assert (about["layer"], about["files"][0]["file"]) == ("heat.tif", "heat.tif")
    assert about["mean_inside"] == pytest.approx((100 * 25 + 200 * 140 / 3) / 300)
    by_class = exposure_by_class(zone, path, grid, [30])
    assert by_class["estimate"].tolist() == [100, 200, 300]
    beside = exposure_beside(layer(box(0, 0, 1, 1)), path, grid, layer(box(0, 0, 3, 1)), above=30)
    assert beside[["share", "rest_share"]].to_numpy().tolist() == [[0, 1]]


def test_a_raster_of_several_bands_says_which_is_read(tmp_path):
    path = tmp_path / "bands.tif"
    transform = rasterio.transform.from_origin(EAST, NORTH + 200, 200, 200)
    options = {"driver": "GTiff", "height": 1, "width": 1, "count": 2, "dtype": "float32"}
    with rasterio.open(path, "w", crs="EPSG:3035", transform=transform, **options) as target:
        target.write(np.array([[[7.0]], [[9.0]]], np.float32))
    grid = grid_of([10])
    assert raster_on_cells(path, grid, band=2)["value"].tolist() == [9]
    told = qg.exposure(layer(box(0, 0, 1, 1)), path, grid, above=7).attrs["qpvgeo"]["notes"]
    assert {"band": 1, "bands": 2} in [note.values for note in told if note.key == "resilience.band_of"]


def test_a_raster_elsewhere_or_lost_is_refused_as_a_layer(tmp_path):
    zone, grid = layer(box(0, 0, 1, 1)), grid_of([1])
    away = image(tmp_path / "away.tif", [[1]], north=NORTH + 900_000)
    refused(lambda: qg.exposure(zone, away, grid, above=1), "resilience.raster_elsewhere", DataError)
    refused(lambda: qg.exposure(zone, tmp_path / "none.tif", grid, above=1), "resilience.no_raster", MissingDataError)
    error = refused(lambda: qg.exposure(zone, tmp_path / "zones.gpkg", grid, above=1), "resilience.options", UsageError)
    assert [problem.key for problem in error.problems] == ["resilience.read_layer"]
