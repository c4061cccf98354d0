"""Territories: the one of a code, the one of a point, and their agreement with where shapes are projected."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.errors import UsageError
from qpvgeo.geometry.projection import territory_of, to_metric

TOWNS = {
    "Dunkerque": (2.37, 51.03, "hexagone"),
    "Brest": (-4.48, 48.39, "hexagone"),
    "Bayonne": (-1.47, 43.49, "hexagone"),
    "Strasbourg": (7.75, 48.58, "hexagone"),
    "Ajaccio": (8.74, 41.93, "hexagone"),
    "Bastia": (9.45, 42.70, "hexagone"),
    "Basse-Terre": (-61.73, 16.00, "971"),
    "Fort-de-France": (-61.07, 14.61, "972"),
    "Cayenne": (-52.33, 4.93, "973"),
    "Maripasoula": (-54.03, 3.64, "973"),
    "Saint-Pierre": (55.48, -21.34, "974"),
    "Mamoudzou": (45.23, -12.78, "976"),
    "Quartier-d'Orléans": (-63.03, 18.08, "978"),
    "Gustavia": (-62.85, 17.90, "977"),
    "Papeete": (-149.57, -17.53, "987"),
    "Nouméa": (166.45, -22.27, "988"),
    "Mata-Utu": (-176.17, -13.28, "986"),
    "Miquelon": (-56.38, 47.10, "975"),
}


@pytest.mark.parametrize(
    ("department", "territory"),
    [
        ("01", "hexagone"),
        ("2A", "hexagone"),
        ("2B", "hexagone"),
        ("95", "hexagone"),
        ("971", "971"),
        ("976", "976"),
        ("978", "978"),
        ("987", "987"),
        ("99", "99"),
        ("20", None),
        ("96", None),
        ("hexagone", None),
        ("1", None),
        ("", None),
    ],
)
def test_territory_of_a_department(department, territory):
    assert territories.of_department(department) == territory


def test_every_department_lies_in_a_territory():
    placed = {code: territories.of_department(code) for code in facts.names("departments")}
    assert None not in placed.values()
    assert list(placed.values()).count("hexagone") == 96


@pytest.mark.parametrize("town", TOWNS)
def test_territory_of_a_town(town):
    longitude, latitude, territory = TOWNS[town]
    assert territories.of_points(longitude, latitude).tolist() == [territory]


@pytest.mark.parametrize(
    ("longitude", "latitude"),
    [(0.0, 0.0), (50.63, 3.06), (-0.1, 51.51), (2.17, 41.0), (np.nan, 48.0), (np.inf, 48.0), (3.0, np.nan)],
    ids=["null island", "Lille with its axes swapped", "London", "off Barcelona", "nan", "inf", "nan latitude"],
)
def test_no_territory_holds_points_elsewhere(longitude, latitude):
    assert territories.of_points(longitude, latitude).tolist() == [None]


def test_points_keep_their_order():
    longitude, latitude, expected = zip(*TOWNS.values(), strict=True)
    assert territories.of_points(longitude, latitude).tolist() == list(expected)


def test_no_points_give_an_empty_array():
    assert territories.of_points([], []).shape == (0,)


def test_boxes_of_the_territories_do_not_overlap():
    boxes = [shapely.box(*place.bounds) for place in territories.territories().values() if place.bounds]
    assert len(boxes) == 12
    assert [pair for pair in itertools.combinations(boxes, 2) if shapely.intersection(*pair).area > 0] == []


def test_lists_of_qpv_name_the_territories_that_have_some():
    listed = {row["territory"] for row in facts.rows("lists")}
    having = {code for code, place in territories.territories().items() if place.has_qpv}
    assert having == listed | {territories.SAMPLE}


@pytest.mark.parametrize(
    ("code", "epsg"),
    [
        ("hexagone", 2154),
        ("971", 5490),
        ("972", 5490),
        ("973", 2972),
        ("974", 2975),
        ("976", 4471),
        ("978", 5490),
        ("987", 3297),
        ("99", 2154),
    ],
)
def test_legal_projection_of_a_territory(code, epsg):
    assert territories.get(code).epsg == epsg


def test_only_lambert_93_territories_and_two_islands_have_an_income_grid():
    grids = {code: place.grid_epsg for code, place in territories.territories().items() if place.grid_epsg}
    assert grids == {"hexagone": 3035, "972": 5490, "974": 2975, "99": 3035}


def test_unknown_territory_lists_those_there_are():
    with pytest.raises(UsageError, match="hexagone, 971, 972"):
        territories.get("2154")


@given(
    longitude=st.floats(-180, 180, allow_nan=False),
    latitude=st.floats(-89, 89, allow_nan=False),
)
def test_shape_around_a_point_lies_where_the_point_does(longitude, latitude):
    point = shapely.Point(longitude, latitude)
    assert territory_of([point], 4326).tolist() == territories.of_points(longitude, latitude).tolist()


@pytest.mark.parametrize("town", [town for town, (*_, place) in TOWNS.items() if territories.get(place).has_qpv])
def test_town_is_inside_the_area_that_its_projection_is_made_for(town):
    longitude, latitude, territory = TOWNS[town]
    use = pyproj.CRS.from_epsg(territories.get(territory).epsg).area_of_use
    # the decree gives zone 22 to the whole of Guyane; EPSG stops it at 54 W, the Maroni is 0.03 degree beyond
    assert use.west - 0.05 <= longitude <= use.east
    assert use.south <= latitude <= use.north


def test_corsica_is_measured_with_the_hexagone():
    ajaccio = shapely.Point(TOWNS["Ajaccio"][:2])
    projected, place = to_metric([ajaccio], 4326)
    assert place.tolist() == ["hexagone"]
    assert 1_100_000 < projected[0].x < 1_250_000


@pytest.mark.real
def test_each_of_the_1514_outlines_lies_in_the_territory_of_its_code(real_data):
    qpv = qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp", repair=False)
    lie_in = pd.Series(territory_of(qpv.geometry.to_numpy(), qpv.crs), index=qpv.index)
    assert (lie_in == qpv["territory"]).all()
    assert lie_in.value_counts().to_dict() == {
        "hexagone": 1296,
        "987": 76,
        "974": 49,
        "976": 36,
        "973": 32,
        "971": 16,
        "972": 7,
        "978": 2,
    }


@pytest.mark.real
def test_all_qpv_of_polynesia_are_in_the_zone_of_its_projection(real_data):
    qpv = qg.read_qpv(real_data / "qpv2015" / "shp" / "QP_POLYNESIEFRANCAISE_WGS84_EPSG4326.shp", repair=False)
    use = pyproj.CRS.from_epsg(territories.get("987").epsg).area_of_use
    west, south, east, north = qpv.total_bounds
    assert use.west <= west <= east <= use.east
    assert use.south <= south <= north <= use.north


GRIDS = {3035: "hexagone", 5490: "972", 2973: "972", 4559: "972", 32620: "972", 2975: "974", 32740: "974"}


@pytest.mark.parametrize("epsg", [*GRIDS, 2154, None])
def test_projection_of_a_grid_names_one_territory(epsg):
    assert territories.of_grid(epsg) == GRIDS.get(epsg)


def test_each_territory_has_the_projection_of_its_grid():
    own = {one.grid_epsg: code for code, one in territories.territories().items() if one.grid_epsg and code != "99"}
    assert own.items() <= GRIDS.items()


def test_grid_of_martinique_in_another_projection_counts_there_alone():
    """As `qpvgeo.read_grid(where="972")` takes it, so does the estimate."""
    cells = pd.DataFrame({"population": [10.0]}, index=pd.Index(["CRS4559RES200mN1615000E709000"], name="cell_id"))
    square = shapely.box(709_000, 1_615_000, 709_200, 1_615_200)
    qpv = gpd.GeoDataFrame(geometry=[square], index=["QP972001"], crs=4559)
    assert qg.estimate_population(qpv, cells)["estimate"].tolist() == pytest.approx([10.0])
