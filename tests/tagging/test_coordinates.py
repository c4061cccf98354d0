"""Where points lie: every form of coordinates, every reason for having no place."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.tagging.coordinates import coordinates_of
from qpvgeo.tagging.placement import REASONS, place

LILLE = (3.06, 50.63)


def told(x, y, crs=4326, **options):
    """Territory or reason of points."""
    found = place(coordinates_of((x, y), crs=crs), **options)
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


@pytest.mark.parametrize("epsg", [4807, 32630, 32632, 3942, 3943, 3949, 27561])
def test_a_point_far_from_where_its_projection_is_made_for_is_placed_when_its_coordinates_come_back(epsg):
    towns = {"Lille": LILLE, "Nice": (7.26, 43.7), "Brest": (-4.49, 48.39), "Bastia": (9.45, 42.7)}
    move = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform
    x, y = move(*np.array(list(towns.values())).T)
    assert dict(zip(towns, told(x, y, crs=epsg), strict=True)) == dict.fromkeys(towns, "hexagone")


def test_grads_from_paris_are_not_taken_for_degrees_from_greenwich():
    assert told([0.0, 54.0], [54.26, 0.5], crs=4807) == ["hexagone", "latitude and longitude look swapped"]


def test_coordinates_that_a_projection_does_not_give_back_have_no_place():
    # so far east of zone 31 that longitudes start again
    assert told([2e7], [5e6], crs=32631) == ["outside France"]


@pytest.mark.parametrize(
    ("point", "real", "fictional"),
    [
        ((-3.6, 45.97), "outside France", "hexagone"),
        (LILLE, "hexagone", "no perimeters of this territory"),
        ((55.45, -20.88), "974", "no perimeters of this territory"),
        ((4.35, 50.85), "outside France", "outside France"),
        ((45.97, -3.6), "latitude and longitude look swapped", "latitude and longitude look swapped"),
    ],
    ids=["the island of the sample", "Lille", "Saint-Denis", "Brussels", "the island with exchanged axes"],
)
@pytest.mark.parametrize("epsg", [4326, 2154])
def test_the_island_of_the_sample_is_a_place_among_fictional_perimeters_alone(point, real, fictional, epsg):
    if epsg == 2154:
        turned = point[::-1] if "swapped" in real else point
        x, y = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(*turned)
        point = (y, x) if "swapped" in real else (x, y)
    assert told([point[0]], [point[1]], crs=epsg) == [real]
    assert told([point[0]], [point[1]], crs=epsg, fictional=True) == [fictional]


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
        "coordinates are not numbers",
        "no coordinates",
        "no coordinates",
        "no coordinates",
    ]


def test_missing_and_empty_shapes_have_no_coordinates():
    shapes = gpd.GeoSeries([shapely.Point(LILLE), None, shapely.Point()], crs=4326)
    assert np.isnan(coordinates_of(shapes).x).tolist() == [False, True, True]


def test_shapes_that_are_no_points_are_listed():
    shapes = gpd.GeoSeries([shapely.Point(LILLE), shapely.box(0, 0, 1, 1)], index=["a", "b"], crs=4326)
    with pytest.raises(DataError, match=r"representative_point") as error:
        coordinates_of(shapes)
    assert (error.value.key, error.value.message.values["count"]) == ("tagging.some_not_points", 1)
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
    with pytest.raises(DataError, match="several columns of the same name") as error:
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
    with pytest.raises(UsageError) as error:
        coordinates_of(([1.0], [2.0]), crs="Lambert 93 or so")
    assert error.value.message.values["fault"].key == "tagging.not_a_projection"


@pytest.mark.real
@pytest.mark.parametrize("epsg", [4807, 4275, 32630, 32631, 32632, *range(3942, 3951), 27572, 3035, 3857])
def test_a_point_in_each_qpv_of_the_hexagone_is_in_whatever_its_projection(real_data, epsg):
    qpv = qg.read_qpv(real_data / "qpv2024/qpv2024_simplified.geojson", vintage=2024, territory="hexagone")
    qpv = qpv[qpv.geometry.notna()]
    inside = qpv.geometry.representative_point()
    x, y = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(inside.x.to_numpy(), inside.y.to_numpy())
    with warnings.catch_warnings(action="ignore"):
        tags = qg.tag_points((x, y), qpv, bands=(), crs=epsg)
    assert len(tags) == 1_359
    assert (tags["state"] == "in").all()


def test_each_row_may_have_its_own_projection():
    table = pd.DataFrame({"x": [657782.12, 334283.4, 1.0, None], "y": ["6870427,10", "7646648.87", "1", None]})
    table["epsg"] = ["2154", "EPSG:2975", "7", "2154"]
    for options in ({}, {"xy": ("x", "y"), "crs": "epsg"}):
        found = coordinates_of(table, **options)
        assert found.crs.to_epsg() == 4326
        assert np.allclose([found.x[:2], found.y[:2]], [[2.423775, 55.402696], [48.932435, -21.274365]], atol=1e-5)
        assert found.unprojected.tolist() == [2]
        assert [REASONS[n - 1] if n else "" for n in place(found).reason][2:] == [
            "projection not known",
            "no coordinates",
        ]


IN_METRES = {"BONDY": (657782.12, 6870427.10), "REUNION": (334283.40, 7646648.87)}
IN_DEGREES = [[2.423775, 55.402696], [48.932435, -21.274365]]
SIRENE = ("coordonneeLambertAbscisseEtablissement", "coordonneeLambertOrdonneeEtablissement")


def in_metres(names, **columns):
    """A row in Bondy and one in La Réunion, in metres."""
    pairs = zip(*IN_METRES.values(), strict=True)
    return pd.DataFrame({name: [str(one) for one in axis] for name, axis in zip(names, pairs, strict=True)} | columns)


@pytest.mark.parametrize("column", ["projection", "SRS", "type_proj", "code_epsg", "Système de projection"])
@pytest.mark.parametrize(
    "labels",
    [
        ("LAMB93", "RGR92UTM40"),
        ("RGF93 / Lambert-93", "RGR92 / UTM zone 40S"),
        ("L93", "RGR92UTM40S"),
        ("IGNF:LAMB93", "urn:ogc:def:crs:EPSG::2975"),
        ("2154.0", "EPSG:2975"),
    ],
    ids=str,
)
def test_a_projection_may_be_named_in_each_row(column, labels):
    found = coordinates_of(in_metres(("x", "y"), **{column: labels}))
    assert np.allclose([found.x, found.y], IN_DEGREES, atol=1e-5)


@pytest.mark.parametrize("names", [("x", "y"), SIRENE, ("LAMBERT_X", "LAMBERT_Y"), ("coord_x", "coord_y")])
def test_columns_of_metres_beside_a_projection(names):
    found = coordinates_of(in_metres(names, epsg=["2154", "2975"]))
    assert np.allclose([found.x, found.y], IN_DEGREES, atol=1e-5)


def test_a_projection_whose_name_is_not_known_leaves_the_row_unknown():
    found = coordinates_of(in_metres(("x", "y"), projection=["Lambert", "UTM 40S"]))
    assert found.unprojected.tolist() == [0, 1]


def test_the_stock_of_sirene_is_in_the_legal_projection_of_each_commune():
    found = coordinates_of(in_metres(SIRENE, codeCommuneEtablissement=["93010", "97414"]))
    assert np.allclose([found.x, found.y], IN_DEGREES, atol=1e-5)
    unknown = coordinates_of(in_metres(SIRENE, codeCommuneEtablissement=[None, "[ND]"]))
    assert np.allclose([unknown.x[0], unknown.y[0]], [IN_DEGREES[0][0], IN_DEGREES[1][0]], atol=1e-5)
    assert place(unknown).reason[1] == REASONS.index("outside France") + 1


def test_the_stock_of_sirene_without_communes_is_lambert_93():
    found = coordinates_of(in_metres(SIRENE).replace(str(IN_METRES["REUNION"][0]), "[ND]"))
    assert found.crs.to_epsg() == 2154
    assert found.unread.tolist() == [1]


def test_thousands_set_apart_in_metres():
    found = coordinates_of(pd.DataFrame({"x_l93": ["657 782,12"], "y_l93": ["6\u202f870\u00a0427.10"]}))
    assert (found.x[0], found.y[0]) == IN_METRES["BONDY"]


@pytest.mark.parametrize(
    "written",
    [
        lambda point, epsg: f"SRID={epsg};POINT({point.x} {point.y})",
        lambda point, epsg: shapely.to_wkb(shapely.set_srid(point, epsg), hex=True, include_srid=True),
    ],
    ids=["EWKT", "EWKB"],
)
def test_a_cell_may_say_its_projection(written):
    cells = [written(shapely.Point(at), epsg) for at, epsg in zip(IN_METRES.values(), (2154, 2975), strict=True)]
    found = coordinates_of(pd.DataFrame({"geom": [*cells, "nowhere"]}))
    assert np.allclose([found.x[:2], found.y[:2]], IN_DEGREES, atol=1e-5)
    assert found.unread.tolist() == [2]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("geo_point_2d", "48.93, 2.42"),
        ("geolocetablissement", "48.93,2.42"),
        ("geo_point_2d", '{"lon": 2.42, "lat": 48.93}'),
        ("coordonneesXY", "[2.42, 48.93]"),
        ("geometry", "POINT (2.42 48.93)"),
        ("wkt", "SRID=4326;POINT Z (2.42 48.93 35)"),
        ("geom", shapely.to_wkb(shapely.Point(2.42, 48.93), hex=True)),
        ("geo_shape", '{"type": "Point", "coordinates": [2.42, 48.93]}'),
    ],
)
def test_a_cell_may_hold_both_coordinates(name, cell):
    found = coordinates_of(pd.DataFrame({name: [cell, None, "LINESTRING (0 0, 1 1)"]}))
    assert (found.x[0], found.y[0]) == (2.42, 48.93)
    assert found.unread.tolist() == [2]
    named = coordinates_of(pd.DataFrame({"anywhere": [cell]}), xy="anywhere")
    assert (named.x[0], named.y[0]) == (2.42, 48.93)


@pytest.mark.parametrize("options", [{}, {"xy": "wkt", "crs": "epsg"}], ids=["found", "named"])
def test_cells_of_metres_are_in_the_projection_of_their_row(options):
    cells = [f"POINT ({x} {y})" for x, y in IN_METRES.values()]
    cells += ["SRID=4326;POINT (2.42 48.93)", cells[0]]
    found = coordinates_of(pd.DataFrame({"epsg": [2154, 2975, 2154, None], "wkt": cells}), **options)
    assert np.allclose([found.x[:3], found.y[:3]], np.column_stack([IN_DEGREES, [2.42, 48.93]]), atol=1e-5)
    assert found.unprojected.tolist() == [3]


def test_geojson_is_in_degrees_whatever_stands_beside_it():
    found = coordinates_of(pd.DataFrame({"epsg": [2154], "geojson": ['{"type":"Point","coordinates":[2.42,48.93]}']}))
    assert (found.x[0], found.y[0]) == (2.42, 48.93)


def test_a_name_that_is_neither_a_projection_nor_a_column_is_refused():
    table = pd.DataFrame({"x": [1.0], "y": [1.0]})
    refused(lambda: coordinates_of(table, xy=("x", "y"), crs="nowhere"), "tagging.no_columns", UsageError)


@pytest.mark.parametrize("names", [("X_LAMBERT93", "Y_LAMBERT93"), ("x_l93", "y_l93")])
def test_names_of_columns_that_say_lambert_93(names):
    table = pd.DataFrame({names[0]: ["657782,12"], names[1]: ["6870427.10"], "id": ["1"]})
    found = coordinates_of(table)
    assert (found.crs.to_epsg(), found.x.tolist(), found.y.tolist()) == (2154, [657782.12], [6870427.1])


@pytest.mark.parametrize("crs", [2154, 4326, 2972, 2975])
def test_points_of_all_kinds_are_placed_together_as_one_by_one(crs):
    chance = np.random.default_rng(4)
    lon, lat = chance.uniform(-8, 12, 300), chance.uniform(40, 53, 300)
    lon[:60], lat[:60] = chance.uniform(-62, 56, 60), chance.uniform(-22, 17, 60)
    x, y = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat)
    x[::50], y[25::50] = np.nan, np.inf
    x[60:70], y[60:70] = y[60:70].copy(), x[60:70].copy()
    together = place(coordinates_of((x, y), crs=crs))
    for row in range(len(x)):
        alone = place(coordinates_of((x[row : row + 1], y[row : row + 1]), crs=crs))
        code = (*together.codes, None)[together.territory[row]]
        assert (code, together.reason[row]) == ((*alone.codes, None)[alone.territory[0]], alone.reason[0])
