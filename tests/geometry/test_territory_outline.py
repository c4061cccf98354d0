"""The coarse outlines of the territories: what lies beyond them, in any projection, and that no commune does."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from scipy.spatial import cKDTree

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.geometry.edges import edges_of
from qpvgeo.geometry.territory_outline import outline_of

DEGREES = pyproj.CRS(4326)
CODES = list(territories.territories())
REAL = [code for code in CODES if code != territories.SAMPLE]
WITHIN = {
    "hexagone": {
        "Lille": (3.06, 50.63),
        "Strasbourg": (7.75, 48.58),
        "Menton": (7.5, 43.78),
        "Perpignan": (2.9, 42.7),
        "Hendaye": (-1.77, 43.36),
        "Ouessant": (-5.1, 48.46),
        "Bonifacio": (9.16, 41.39),
        "Porquerolles": (6.2, 43.0),
        "Yeu": (-2.35, 46.71),
        "Ferney-Voltaire": (6.11, 46.255),
        "Pas de la Case, on the French side": (1.75, 42.55),
    },
    "971": {"Pointe-à-Pitre": (-61.53, 16.24), "Grand-Bourg": (-61.315, 15.885), "Terre-de-Haut": (-61.58, 15.87)},
    "972": {"Fort-de-France": (-61.07, 14.6), "Sainte-Anne": (-60.88, 14.44)},
    "973": {"Cayenne": (-52.33, 4.93), "Saint-Laurent-du-Maroni": (-54.03, 5.49), "Camopi": (-52.34, 3.17)},
    "974": {"Saint-Denis": (55.45, -20.88), "Saint-Pierre": (55.48, -21.34)},
    "976": {"Mamoudzou": (45.23, -12.78), "Dzaoudzi": (45.28, -12.79)},
    "978": {"Marigot": (-63.085, 18.067), "Quartier-d'Orléans": (-63.025, 18.07), "Sandy Ground": (-63.1, 18.06)},
    "977": {"Gustavia": (-62.85, 17.9)},
    "975": {"Saint-Pierre": (-56.17, 46.78), "Miquelon": (-56.38, 47.1)},
    "986": {"Mata-Utu": (-176.17, -13.28), "Alofi": (-178.03, -14.33)},
    "987": {"Papeete": (-149.57, -17.54), "Hiva Oa": (-139.02, -9.8), "Rapa": (-144.33, -27.6)},
    "988": {"Nouméa": (166.45, -22.27), "Wé": (167.27, -20.92), "Belep": (163.66, -19.72)},
    "99": {"the island of the sample": (-3.6, 45.97)},
}
BEYOND = {
    "hexagone": {
        "Brussels": (4.35, 50.85),
        "Barcelona": (2.17, 41.39),
        "Frankfurt": (8.68, 50.11),
        "Turin": (7.68, 45.07),
        "Bay of Biscay": (-3.0, 45.0),
        "Gulf of Lion": (3.5, 42.5),
        "Dover": (1.31, 51.13),
        "Jersey": (-2.1, 49.2),
        "between Nice and Corsica": (8.0, 42.9),
        "Andorra la Vella": (1.52, 42.507),
        "Geneva": (6.143, 46.204),
        "Basel": (7.59, 47.557),
        "Saarbrücken": (6.997, 49.234),
        "Kehl": (7.815, 48.575),
        "Irun": (-1.789, 43.338),
        "Ventimiglia": (7.608, 43.791),
        "Bay of the Seine": (-0.3, 49.52),
        "between Noirmoutier and Yeu": (-2.3, 46.83),
        "far off Noirmoutier": (-2.91, 46.9),
        "the island of the sample": (-3.6, 45.97),
    },
    "971": {"between Basse-Terre and Les Saintes": (-61.65, 15.915), "west of Bouillante": (-61.9, 16.1)},
    "972": {"south of Sainte-Luce": (-60.95, 14.35)},
    "973": {"Albina": (-54.05, 5.5), "Oiapoque": (-51.83, 3.84), "off Sinnamary": (-52.9, 5.8)},
    "974": {"ocean off Saint-Paul": (55.15, -21.0)},
    "976": {"off Sada": (44.95, -12.85)},
    "978": {"Philipsburg": (-63.05, 18.026), "Dutch Quarter": (-63.04, 18.045), "Anguilla": (-63.09, 18.17)},
    "977": {"towards Saint-Martin": (-62.94, 17.88)},
    "975": {"east of Saint-Pierre": (-56.02, 46.8)},
    "986": {"between Wallis and Futuna": (-177.0, -13.8)},
    "987": {"mid-Pacific": (-140.0, -20.0), "between Tahiti and Rangiroa": (-148.5, -16.5)},
    "988": {"between Lifou and Maré": (167.55, -21.0), "between Nouméa and Lifou": (166.9, -21.5)},
    "99": {"Bondy": (2.48, 48.9)},
}


def outline(territory):
    """The rings of a territory as one shape, in degrees."""
    rings = {}
    for row in facts.rows("outlines"):
        if row["territory"] == territory:
            rings.setdefault(row["ring"], []).append((float(row["lon"]), float(row["lat"])))
    return shapely.MultiPolygon([shapely.Polygon(ring) for ring in rings.values()])


def beyond(territory, lon, lat, crs=DEGREES):
    """Whether points given in degrees lie beyond, asked in a projection."""
    x, y = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True).transform(np.asarray(lon), np.asarray(lat))
    return np.isin(np.arange(len(x)), outline_of(territory, crs).beyond(x, y))


def told(territory, places):
    return dict(zip(places, beyond(territory, *np.array(list(places.values())).T).tolist(), strict=True))


@pytest.mark.parametrize("code", CODES)
def test_the_rings_are_sound_and_lie_in_the_box_of_their_territory(code):
    drawn, bounds = outline(code), territories.get(code).bounds
    assert drawn.is_valid
    assert bounds is None or shapely.covers(shapely.box(*bounds), drawn)


def test_every_territory_has_an_outline_and_no_other():
    assert {row["territory"] for row in facts.rows("outlines")} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_towns_of_a_territory_lie_within(code):
    assert told(code, WITHIN[code]) == dict.fromkeys(WITHIN[code], False)


@pytest.mark.parametrize("code", CODES)
def test_towns_abroad_and_seas_lie_beyond(code):
    assert told(code, BEYOND[code]) == dict.fromkeys(BEYOND[code], True)


@pytest.mark.parametrize(
    ("code", "epsg"),
    [("hexagone", epsg) for epsg in (4326, 4171, 4807, 2154, 3035, 3857, 27572, 32631)]
    + [(code, epsg) for code in REAL[1:] for epsg in (4326, territories.get(code).epsg)],
)
def test_points_are_told_as_shapely_does_in_every_projection(code, epsg):
    drawn, chance = outline(code), np.random.default_rng(1)
    west, south, east, north = territories.get(code).bounds
    lon, lat = chance.uniform(west - 1, east + 1, 20_000), chance.uniform(south - 1, north + 1, 20_000)
    expected = ~shapely.intersects_xy(drawn, lon, lat)
    # an edge that is straight in degrees is bent by a metre elsewhere
    clear = shapely.distance(shapely.points(lon, lat), drawn.boundary) > 1e-5
    assert (beyond(code, lon, lat, pyproj.CRS(epsg)) == expected)[clear].all()
    assert clear.sum() > 19_900


@pytest.mark.parametrize("code", CODES)
def test_vertices_and_points_around_them_are_told_as_shapely_does(code):
    drawn = outline(code)
    corners = shapely.get_coordinates(drawn)
    around = [corners + np.array([dx, dy]) for dx in (-1e-3, 1e-3) for dy in (-1.37e-3, 1.37e-3)]
    lon, lat = np.concatenate(around).T
    assert (beyond(code, lon, lat) == ~shapely.intersects_xy(drawn, lon, lat)).all()


def test_what_is_not_finite_and_what_is_far_lies_beyond():
    x, y = np.array([np.nan, np.inf, 1e300, -1e300, 3.0]), np.array([46.0, 46.0, 46.0, 46.0, np.nan])
    assert outline_of("hexagone").beyond(x, y).tolist() == [0, 1, 2, 3, 4]
    assert outline_of("hexagone").beyond(np.empty(0), np.empty(0)).tolist() == []


def test_the_sample_lies_within_its_own_outline_and_beyond_that_of_the_hexagone():
    sample = qg.sample()
    shapes = pd.concat([qg.read_qpv(file).to_crs(4326).geometry for file in (sample.qpv_2015, sample.qpv_2024)])
    lon, lat = shapely.get_coordinates(shapes.to_numpy()).T
    assert not beyond(territories.SAMPLE, lon, lat).any()
    assert beyond("hexagone", lon, lat).all()


@pytest.fixture(scope="session")
def communes(real_data):
    """Vertices of the communes of each territory, degrees."""
    files = ("communes_2024_100m_sauf_44_75_76", "communes_2018_regions_44_75_76")
    frames = [gpd.read_parquet(real_data / "admin" / f"{name}.parquet") for name in files]
    code = pd.concat([frame["code"] for frame in frames])
    where = code.str[:3].where(code.str.startswith(("97", "98")), "hexagone").to_numpy()
    shapes = np.concatenate([frame.geometry.to_numpy() for frame in frames])
    return {one: shapely.get_coordinates(shapes[where == one]) for one in REAL}


@pytest.mark.real
@pytest.mark.parametrize("code", REAL)
def test_every_commune_lies_within_the_outline_of_its_territory(communes, code):
    lon, lat = communes[code].T
    assert len(lon)
    assert not beyond(code, lon, lat).any()
    assert not beyond(code, lon, lat, pyproj.CRS(territories.get(code).epsg)).any()


@pytest.mark.real
@pytest.mark.parametrize("vintage", [2015, 2024])
def test_every_qpv_lies_within_the_outline_of_its_territory(real_data, vintage):
    files = {2015: "qpv2015/shp/QP_METROPOLEOUTREMER_WGS84_EPSG4326.shp", 2024: "qpv2024/qpv2024_simplified.geojson"}
    qpv = qg.read_qpv(real_data / files[vintage], vintage=vintage).to_crs(4326)
    for code, part in qpv.groupby("territory"):
        lon, lat = shapely.get_coordinates(part.geometry.to_numpy()).T
        assert not beyond(code, lon, lat).any(), code


@pytest.mark.real
def test_every_address_of_bondy_lies_within(real_data):
    addresses = pd.read_csv(real_data / "points/ban_bondy_93010.csv", low_memory=False)
    assert not beyond("hexagone", addresses["lon"], addresses["lat"]).any()


@pytest.mark.real
@pytest.mark.parametrize(
    ("code", "median", "greatest"),
    [
        ("hexagone", 3.8, 11.4),
        ("971", 3.6, 8.6),
        ("972", 3.3, 6.2),
        ("973", 5.4, 22.7),
        ("974", 3.5, 7.0),
        ("976", 4.3, 9.6),
        ("978", 1.7, 4.2),
        ("987", 9.4, 102),
        ("975", 3.6, 6.9),
        ("977", 2.9, 6.3),
        ("986", 4.1, 7.6),
        ("988", 6.5, 16.9),
    ],
)
def test_distance_of_the_outline_from_the_nearest_commune_is_as_told(communes, code, median, greatest):
    found = edges_of(shapely.segmentize(np.array([outline(code)]), 0.005))
    along = np.stack([found.x0, found.y0], axis=1)
    distance, _ = cKDTree(on_the_globe(communes[code])).query(on_the_globe(along))
    assert (np.median(distance), distance.max()) == pytest.approx((median, greatest), rel=0.05)


def on_the_globe(degrees):
    """Kilometres from the middle of the Earth: straight lines are short enough to be distances."""
    lon, lat = np.radians(degrees).T
    return 6371 * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


@pytest.mark.parametrize("side", [0.02, 0.5, 4.0])
def test_points_close_together_are_told_as_each_alone(side):
    chance, outline = np.random.default_rng(8), outline_of("hexagone")
    for west, south in zip(chance.uniform(-5, 8, 60), chance.uniform(42, 51, 60), strict=True):
        x, y = west + chance.uniform(0, side, 30), south + chance.uniform(0, side, 30)
        alone = [at for at in range(30) if len(outline.beyond(x[at : at + 1], y[at : at + 1]))]
        assert outline.beyond(x, y).tolist() == alone
