"""The grid of 2010: rectangles and their people, in the forms that it is found in."""

import zipfile

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from tests.read.grid.small_grids import cell, notes, to_csv

from qpvgeo.errors import DataError
from qpvgeo.read.grid.reader import GRID_COLUMNS, read_grid

# The grid of 2010


def tables_of_2010():
    cells = pd.DataFrame(
        {
            "id": ["N1E1", "N1E2", "N2E1"],
            "idINSPIRE": [cell("3067800", "3817400"), cell("3067800", "3817600"), cell("3068000", "3817400")],
            "idk": ["K1", "K1", "K2"],
            "ind_c": [30.0, 10.0, 50.0],
            "nbcar": [2.0, 2.0, 1.0],
        }
    )
    ages = {"ind_age1": [4, 5], "ind_age2": [2, 2], "ind_age3": [4, 4], "ind_age4": [4, 3], "ind_age5": [2, 2]}
    older = {"ind_age6": [20, 30], "ind_age7": [8, 10], "i_age7": [0, 1], "ind_age8": [2, 5], "i_age8": [0, 1]}
    rectangles = pd.DataFrame(
        {
            "idk": ["K1", "K2"],
            "men": [16.0, 25.0],
            "men_surf": [1600.0, 2000.0],
            "men_basr": [4.0, 10.0],
            "i_basr": [0, 1],
        }
        | {"ind_r": [40.0, 50.0], **ages, **older, "ind_srf": [800000.0, 900000.0], "nbcar": [2.0, 1.0]}
    )
    return cells, rectangles


def write_2010(folder, *, rectangles=None):
    cells, published = tables_of_2010()
    pyogrio.write_dataframe(cells, folder / "car_m.dbf", driver="ESRI Shapefile")
    table = published if rectangles is None else rectangles
    pyogrio.write_dataframe(table, folder / "rect_m.dbf", driver="ESRI Shapefile")
    return folder / "car_m.dbf", folder / "rect_m.dbf"


def check_2010(grid):
    assert grid["population"].tolist() == [30.0, 10.0, 50.0]
    assert grid["households"].tolist() == [12.0, 4.0, 25.0]
    assert grid["ind_srf"].tolist() == [600000.0, 200000.0, 900000.0]
    assert grid["ind_0_3"].tolist() == [3.0, 1.0, 5.0]
    assert grid["ind_18_24"].tolist() == [3.0, 1.0, 4.0]
    assert grid["ind_25_64"].tolist() == [9.0, 3.0, 20.0]
    assert grid["ind_65_74"].tolist() == [4.5, 1.5, 5.0]
    assert grid["ind_75p"].tolist() == [1.5, 0.5, 5.0]
    assert grid["ind_r"].tolist() == [40.0, 40.0, 50.0]
    assert grid["nbcar"].tolist() == [2.0, 2.0, 1.0]
    assert grid["i_basr"].tolist() == [False, False, True]
    assert grid[["living_standard_sum_eur", "poor_households", "imputed", "communes"]].isna().all(axis=None)
    assert not {"ind_age6", "ind_age7", "ind_age8"} & set(grid.columns)
    assert grid.attrs["vintage"] == 2010
    assert any("ind_c / ind_r" in note for note in notes(grid))
    assert any("fiscal income" in note for note in notes(grid))


def test_2010_bands_add_up_to_the_people(tmp_path):
    grid = read_grid(write_2010(tmp_path))
    bands = [
        "ind_0_3",
        "ind_4_5",
        "ind_6_10",
        "ind_11_14",
        "ind_15_17",
        "ind_18_24",
        "ind_25_64",
        "ind_65_74",
        "ind_75p",
    ]
    assert grid[bands].sum(axis=1).tolist() == pytest.approx(grid["population"].tolist())


@pytest.mark.parametrize("form", ["pair", "folder", "cells", "zip", "two zips"])
def test_2010_in_every_form(tmp_path, form):
    cells, rectangles = write_2010(tmp_path)
    source = {"pair": [cells, rectangles], "folder": tmp_path, "cells": cells}.get(form)
    if form == "zip":
        source = tmp_path / "200m.zip"
        with zipfile.ZipFile(source, "w") as archive:
            archive.write(cells, "a/car_m.dbf")
            archive.write(rectangles, "a/rect_m.dbf")
    if form == "two zips":
        source = [tmp_path / "200m-carreaux-metropole.zip", tmp_path / "200m-rectangles-metropole.zip"]
        for path, table in zip(source, (cells, rectangles), strict=True):
            with zipfile.ZipFile(path, "w") as archive:
                archive.write(table, table.name)
    check_2010(read_grid(source))


def test_2010_as_mif(tmp_path):
    for table, name in zip(tables_of_2010(), ("car_m.mif", "rect_m.mif"), strict=True):
        drawn = gpd.GeoDataFrame(table, geometry=[shapely.box(0, 0, 1, 1)] * len(table), crs=3035)
        drawn.to_file(tmp_path / name, driver="MapInfo File", FORMAT="MIF")
    check_2010(read_grid(tmp_path))


def test_2010_as_csv(tmp_path):
    cells, rectangles = tables_of_2010()
    check_2010(read_grid([to_csv(cells, tmp_path, "car_m.csv"), to_csv(rectangles, tmp_path, "rect_m.csv")]))


def test_2010_filter_and_columns(tmp_path):
    paths, whole = write_2010(tmp_path), read_grid(write_2010(tmp_path))
    box = (3817400, 3068000, 3817600, 3068200)
    pd.testing.assert_frame_equal(read_grid(paths, where=box), whole.iloc[[2]])
    assert read_grid(paths, keep=["ind_75p", "men_surf"]).columns.tolist() == [*GRID_COLUMNS, "men_surf", "ind_75p"]
    assert read_grid(paths, keep=[]).columns.tolist() == list(GRID_COLUMNS)
    with pytest.raises(DataError, match="'ind_age9'"):
        read_grid(paths, keep=["ind_age9"])


def test_2010_rectangles_missing_or_twice(tmp_path):
    _, rectangles = tables_of_2010()
    with pytest.raises(DataError, match="1 rectangle that cells lie in is missing") as error:
        read_grid(write_2010(tmp_path, rectangles=rectangles.iloc[:1]))
    assert error.value.problems == ("idk K2",)
    with pytest.raises(DataError, match="1 rectangle appears twice"):
        read_grid(write_2010(tmp_path, rectangles=pd.concat([rectangles, rectangles.iloc[:1]])))
    (tmp_path / "rect_m.dbf").unlink()
    with pytest.raises(DataError, match="needs the table of rectangles"):
        read_grid(tmp_path / "car_m.dbf")


def test_2010_ids_with_leading_zeros_get_the_form_of_later_years(tmp_path):
    cells, rectangles = tables_of_2010()
    cells["idINSPIRE"] = [text.replace("mN", "mN0") for text in cells["idINSPIRE"]]
    grid = read_grid([to_csv(cells, tmp_path, "car_m.csv"), to_csv(rectangles, tmp_path, "rect_m.csv")])
    assert grid.index[0] == cell(3067800, 3817400)
