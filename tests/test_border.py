"""The coarse outline of the hexagone: what lies beyond it, in any projection, and that no commune does."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from qpvgeo import facts
from qpvgeo.border import border_in

DEGREES = pyproj.CRS(4326)
WITHIN = {
    "Lille": (3.06, 50.63),
    "Strasbourg": (7.75, 48.58),
    "Menton": (7.5, 43.78),
    "Perpignan": (2.9, 42.7),
    "Hendaye": (-1.77, 43.36),
    "Ouessant": (-5.1, 48.46),
    "Bonifacio": (9.16, 41.39),
    "Porquerolles": (6.2, 43.0),
    "the sample": (-3.6, 45.97),
}
BEYOND = {
    "Brussels": (4.35, 50.85),
    "Barcelona": (2.17, 41.39),
    "Frankfurt": (8.68, 50.11),
    "Turin": (7.68, 45.07),
    "Bay of Biscay": (-3.0, 45.0),
    "Gulf of Lion": (3.5, 42.5),
    "Dover": (1.31, 51.13),
    "Jersey": (-2.1, 49.2),
    "between Nice and Corsica": (8.0, 42.9),
}


@pytest.fixture(scope="module")
def outline():
    """The rings as one shape, in degrees."""
    rings = {}
    for row in facts.rows("hexagone"):
        rings.setdefault(row["ring"], []).append((float(row["lon"]), float(row["lat"])))
    return shapely.MultiPolygon([shapely.Polygon(ring) for ring in rings.values()])


def beyond(lon, lat, crs=DEGREES):
    """Whether points given in degrees lie beyond, asked in a projection."""
    x, y = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True).transform(np.asarray(lon), np.asarray(lat))
    return np.isin(np.arange(len(x)), border_in(crs).beyond(x, y))


def test_the_rings_are_sound(outline):
    assert outline.is_valid
    assert len(outline.geoms) == 3


@pytest.mark.parametrize(("place", "expected"), [(WITHIN, False), (BEYOND, True)], ids=["within", "beyond"])
def test_towns_and_seas(place, expected):
    told = beyond(*np.array(list(place.values())).T)
    assert dict(zip(place, told.tolist(), strict=True)) == dict.fromkeys(place, expected)


@pytest.mark.parametrize("epsg", [4326, 4171, 2154, 3035, 3857, 27572, 32631])
def test_points_are_told_as_shapely_does_in_every_projection(epsg, outline):
    chance = np.random.default_rng(1)
    lon, lat = chance.uniform(-7, 11, 20_000), chance.uniform(40, 52, 20_000)
    expected = ~shapely.intersects_xy(outline, lon, lat)
    # an edge that is straight in degrees is bent by a metre elsewhere
    clear = shapely.distance(shapely.points(lon, lat), outline.boundary) > 1e-5
    assert (beyond(lon, lat, pyproj.CRS(epsg)) == expected)[clear].all()
    assert clear.sum() > 19_900


def test_vertices_and_points_around_them_are_told_as_shapely_does(outline):
    corners = shapely.get_coordinates(outline)
    around = [corners + np.array([dx, dy]) for dx in (-1e-3, 1e-3) for dy in (-1e-3, 1e-3)]
    lon, lat = np.concatenate(around).T
    assert (beyond(lon, lat) == ~shapely.intersects_xy(outline, lon, lat)).all()


def test_what_is_not_finite_and_what_is_far_lies_beyond():
    x, y = np.array([np.nan, np.inf, 1e300, -1e300, 3.0]), np.array([46.0, 46.0, 46.0, 46.0, np.nan])
    assert border_in(DEGREES).beyond(x, y).tolist() == [0, 1, 2, 3, 4]
    assert border_in(DEGREES).beyond(np.empty(0), np.empty(0)).tolist() == []


@pytest.mark.real
def test_every_commune_of_the_hexagone_lies_within(real_data, outline):
    files = ("communes_2024_100m_sauf_44_75_76", "communes_2018_regions_44_75_76")
    for name in files:
        communes = gpd.read_parquet(real_data / "admin" / f"{name}.parquet")
        communes = communes[~communes["code"].str.startswith(("97", "98"))]
        whole = shapely.covers(outline, shapely.make_valid(communes.geometry.to_numpy()))
        assert communes.loc[~whole, "nom"].tolist() == []
        lon, lat = shapely.get_coordinates(communes.geometry.to_numpy()).T
        assert not beyond(lon, lat).any()
