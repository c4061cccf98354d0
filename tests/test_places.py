"""Where points lie: every form of coordinates, every reason for having no place."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from qpvgeo import territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.places import REASONS, coordinates_of, place

LILLE = (3.06, 50.63)


def told(x, y, crs=4326):
    """Territory or reason of points."""
    found = place(coordinates_of((x, y), crs=crs))
    return [
        REASONS[reason - 1] if reason else found.codes[where]
        for where, reason in zip(found.territory, found.reason, strict=True)
    ]


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        (LILLE, "hexagone"),
        (LILLE[::-1], "latitude and longitude look swapped"),
        ((np.nan, 50.63), "no coordinates"),
        ((np.nan, np.nan), "no coordinates"),
        ((np.inf, 50.63), "not finite"),
        ((3.06, -np.inf), "not finite"),
        ((0.0, 0.0), "outside France"),
        ((200.0, 95.0), "outside France"),
        ((45.23, -12.78), "976"),
        ((-12.78, 45.23), "latitude and longitude look swapped"),
        ((-149.56, -17.53), "987"),
    ],
    ids=str,
)
def test_point_in_degrees(point, expected):
    assert told([point[0]], [point[1]]) == [expected]


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((704_000, 7_060_000), "hexagone"),
        ((7_060_000, 704_000), "latitude and longitude look swapped"),
        ((0.0, 0.0), "outside France"),
        ((3.06, 50.63), "outside France"),
        ((np.nan, 7_060_000), "no coordinates"),
        ((np.inf, 7_060_000), "not finite"),
    ],
    ids=str,
)
def test_point_in_lambert_93(point, expected):
    assert told([point[0]], [point[1]], crs=2154) == [expected]


def test_metres_of_guadeloupe_exchanged_are_not_taken_for_guyane():
    x, y = pyproj.Transformer.from_crs(4326, 5490, always_xy=True).transform(-61.53, 16.24)
    assert told([x, y], [y, x], crs=5490) == ["971", "latitude and longitude look swapped"]


@pytest.mark.parametrize("territory", [one for one in territories.territories().values() if one.bounds])
def test_metres_and_degrees_name_the_same_territory(territory):
    chance = np.random.default_rng(11)
    west, south, east, north = territory.bounds
    wide = (east - west) / 4
    lon = chance.uniform(west - wide, east + wide, 2_000)
    lat = chance.uniform(south - wide / 2, north + wide / 2, 2_000)
    x, y = pyproj.Transformer.from_crs(4326, territory.epsg, always_xy=True).transform(lon, lat)
    degrees, metres = (np.array(part) for part in (told(lon, lat), told(x, y, crs=territory.epsg)))
    assert (degrees[degrees == territory.code] == metres[degrees == territory.code]).all()
    assert (metres[degrees != territory.code] != territory.code).all()


def test_columns_of_degrees_are_found_by_their_names():
    table = pd.DataFrame({"id": [1], "Longitude": ["3,06"], "LATITUDE": [" 50.63 "]})
    found = coordinates_of(table)
    assert (found.x.tolist(), found.y.tolist(), found.crs.to_epsg()) == ([3.06], [50.63], 4326)


def test_cells_that_are_no_numbers_are_told_from_empty_ones():
    table = pd.DataFrame({"lon": ["3.06", "three", None, "", "NA"], "lat": ["50.63"] * 5})
    found = place(coordinates_of(table))
    assert [REASONS[code - 1] if code else "" for code in found.reason] == [
        "",
        "coordinates are no numbers",
        "no coordinates",
        "no coordinates",
        "no coordinates",
    ]


def test_missing_and_empty_shapes_have_no_coordinates():
    shapes = gpd.GeoSeries([shapely.Point(LILLE), None, shapely.Point()], crs=4326)
    assert np.isnan(coordinates_of(shapes).x).tolist() == [False, True, True]


def test_shapes_that_are_no_points_are_listed():
    shapes = gpd.GeoSeries([shapely.Point(LILLE), shapely.box(0, 0, 1, 1)], index=["a", "b"], crs=4326)
    with pytest.raises(DataError, match="1 of 2 shapes are no points") as error:
        coordinates_of(shapes)
    assert error.value.problems == ("b: Polygon",)


@pytest.mark.parametrize(
    "points",
    [
        gpd.GeoSeries([shapely.Point(LILLE)]),
        ([3.06], [50.63]),
    ],
    ids=["shapes", "arrays"],
)
def test_trap_an_input_crs_that_is_missing_is_an_error(points):
    with pytest.raises(DataError, match=r"projection \(CRS\) of the points is not known"):
        coordinates_of(points)


def test_named_columns_need_a_crs():
    with pytest.raises(DataError, match="CRS"):
        coordinates_of(pd.DataFrame({"x": [1.0], "y": [2.0]}), xy=("x", "y"))


def test_columns_that_are_not_there_are_listed():
    with pytest.raises(UsageError, match=r"Its columns are: x\.") as error:
        coordinates_of(pd.DataFrame({"x": [1.0]}), xy=("easting", "northing"), crs=2154)
    assert error.value.problems == ("no column 'easting'", "no column 'northing'")


def test_two_columns_of_one_name_are_refused():
    table = pd.DataFrame([[3.06, 3.06, 50.63]], columns=["lon", "lon", "lat"])
    with pytest.raises(DataError, match="several columns of one name") as error:
        coordinates_of(table)
    assert error.value.problems == ("column 'lon'",)


@pytest.mark.parametrize(
    "points", [gpd.GeoDataFrame(geometry=[shapely.Point(LILLE)], crs=4326), ([3.06], [50.63])], ids=["shapes", "arrays"]
)
def test_columns_named_of_points_that_have_none_are_refused(points):
    with pytest.raises(UsageError, match=r"Leave xy= out"):
        coordinates_of(points, xy=("x", "y"), crs=4326)


def test_table_without_known_columns_lists_what_it_has():
    with pytest.raises(DataError, match="no columns of longitude and latitude") as error:
        coordinates_of(pd.DataFrame({"x": [1.0], "y": [2.0]}))
    assert error.value.problems == ()
    assert "Its columns are: x, y. Name two" in str(error.value)


@pytest.mark.parametrize("points", ["3.06,50.63", 12, ([1.0], [1.0, 2.0]), None], ids=repr)
def test_what_is_no_points_is_refused(points):
    with pytest.raises(UsageError):
        coordinates_of(points, crs=4326)


def test_crs_that_is_none_is_refused():
    with pytest.raises(UsageError, match="is no projection"):
        coordinates_of(([1.0], [2.0]), crs="Lambert 93 or so")
