"""Tags as plain arrays: by hand, the same as the frame of `tag_points`, as shapely says, and how options are kept."""

import json
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.tagging import tag_arrays
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.points_in_qpv import tag_points

pytestmark = pytest.mark.filterwarnings("ignore:.* may lie in another")

X, Y = 700_000.0, 6_600_000.0
COLUMNS = ("state", "reason", "qpv_code", "qpv_name", "qpv_commune", "also_in", "nearest_qpv", "distance_m", "band")


def square(x, y, side=300.0):
    return shapely.box(X + x, Y + y, X + x + side, Y + y + side)


def layer(vintage=2015, **shapes):
    return gpd.GeoDataFrame({"vintage": vintage}, geometry=list(shapes.values()), index=list(shapes), crs=2154)


TWO = layer(QP075001=square(0, 0), QP075002=square(200, 0))


@pytest.fixture(name="two", scope="module")
def _two():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PerimeterIndex(TWO)


def same(tags, frame):
    """Every array equals the column of that name; a column that is not there is missing throughout."""
    for name in COLUMNS:
        own = getattr(tags, name)
        if name not in frame.columns:
            assert pd.isna(own).all(), name
        elif name == "distance_m":
            assert np.array_equal(own, frame[name].to_numpy(), equal_nan=True)
        else:
            column = frame[name].astype("object")
            assert own.tolist() == column.where(column.notna(), None).tolist(), name


def test_one_point_by_hand(two):
    tags = two.tag(X + 250, Y + 100, crs=2154)
    assert len(tags) == 1
    assert tags.rows() == [
        {
            "state": "in",
            "reason": None,
            "qpv_code": "QP075001",
            "qpv_name": None,
            "qpv_commune": None,
            "also_in": "QP075002",
            "nearest_qpv": "QP075001",
            "distance_m": 0.0,
            "band": "in",
            "territory": "hexagone",
            "vintage": 2015,
        }
    ]


def test_point_outside_by_hand(two):
    tags = two.tag([X + 600, X + 1_001], [Y + 100, Y + 100], crs="EPSG:2154")
    assert tags.distance_m.tolist()[0] == pytest.approx(100, abs=1e-9)
    assert tags.nearest_qpv.tolist() == ["QP075002", None]
    assert tags.band.tolist() == ["within 300 m", "beyond 500 m"]
    assert tags.rows()[1]["distance_m"] is None


def test_rows_are_ready_for_json(two):
    tags = two.tag([X, np.nan, 0.0], [Y, 0.0, 0.0], crs=2154)
    assert json.loads(json.dumps(tags.rows())) == tags.rows()
    assert [row["reason"] for row in tags.rows()] == [None, "no coordinates", "outside France"]


@pytest.fixture(scope="module")
def country(real_data):
    """Perimeters of 2015 of three territories, and points of all kinds in degrees."""
    folder = real_data / "qpv2015" / "shp"
    names = ("METROPOLE_LB93", "LAREUNION_RGR92_UTM40S", "MAYOTTE_RGM04_UTM38S")
    frames = [qg.read_qpv(folder / f"QP_{name}.shp", vintage=2015).to_crs(4326) for name in names]
    qpv = pd.concat(frames)
    chance = np.random.default_rng(11)
    middles = qpv.geometry.representative_point()
    middles = middles.iloc[chance.integers(0, len(middles), 6_000)]
    x, y = middles.x.to_numpy() + chance.normal(0, 4e-3, 6_000), middles.y.to_numpy() + chance.normal(0, 3e-3, 6_000)
    corners = shapely.get_coordinates(qpv.geometry.to_numpy())[::40]
    odd = [[np.nan, 48.0], [np.inf, 1.0], [48.85, 2.35], [4.35, 50.85], [-61.5, 16.2], [0.0, 0.0], [7.42, 43.74]]
    return PerimeterIndex(qpv), np.concatenate([np.column_stack([x, y]), corners, odd]).T


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bands": ()},
        {"bands": (120.5,), "distance": "signed"},
        {"distance": "band"},
        {"tolerance_m": 25.0},
        {"bands": (), "tolerance_m": 25.0},
        {"on": "2019-03-14"},
        {"on": "2025-09-01", "tolerance_m": 5},
    ],
    ids=str,
)
def test_arrays_are_the_columns_of_tag_points(country, options):
    index, (x, y) = country
    tags = index.tag(x, y, **options)
    frame = tag_points((x, y), index, crs=4326, **options)
    same(tags, frame)
    if "on" in options:
        assert tags.vintage.tolist() == frame["vintage"].astype("object").where(frame["vintage"].notna(), None).tolist()
    assert set(tags.territory) == {"hexagone", "974", "976", "971", None}


def test_tolerances_of_each_point_are_those_of_tag_points(country):
    index, (x, y) = country
    metres = np.random.default_rng(3).choice([0.0, 10.0, 200.0, -1.0, np.nan], len(x))
    same(index.tag(x, y, tolerance_m=metres), tag_points((x, y), index, crs=4326, tolerance_m=metres))


def test_points_one_by_one_are_those_of_all_together(country):
    index, (x, y) = country
    picked = np.r_[0:150, len(x) - 40 : len(x)]
    together = index.tag(x[picked], y[picked], tolerance_m=3).rows()
    assert [index.tag(float(x[at]), float(y[at]), tolerance_m=3).rows()[0] for at in picked] == together


def test_slow_way_of_shapely_says_the_same(country):
    index, (x, y) = country
    here = index.tag(x, y)
    rows = np.flatnonzero((here.territory == "hexagone") & (here.state != "unknown"))[::15]
    held = index.layer("hexagone", 2015)
    eastings, northings = pyproj.Transformer.from_crs(4326, 2154, always_xy=True).transform(x[rows], y[rows])
    for row, point in zip(rows, shapely.points(eastings, northings), strict=True):
        covers = np.flatnonzero(shapely.covers(held.areas, point))
        assert here.qpv_code[row] == (held.codes[covers[0]] if len(covers) else None)
        assert here.also_in[row] == (", ".join(held.codes[covers[1:]]) or None)
        apart = float(shapely.distance(held.areas, point).min())
        if apart <= 500:
            assert here.distance_m[row] == pytest.approx(apart, abs=1e-6)
        else:
            assert np.isnan(here.distance_m[row])


def test_degrees_are_placed_as_in_the_legal_projection(country):
    index, (x, y) = country
    rows = np.flatnonzero(index.tag(x, y).territory == "hexagone")
    metres = pyproj.Transformer.from_crs(4326, 2154, always_xy=True).transform(x[rows], y[rows])
    assert index.tag(x[rows], y[rows]).rows() == index.tag(*metres, crs=2154).rows()


def test_threads_are_a_setting_and_change_nothing(country, monkeypatch):
    index, (x, y) = country
    many = [np.tile(axis, 30) for axis in (x, y)]
    expected = index.tag(*many)
    for given in ("1", "3"):
        monkeypatch.setenv("QPVGEO_THREADS", given)
        found = index.tag(*many)
        assert found.positions.held_by.tobytes() == expected.positions.held_by.tobytes()
        assert found.distance_m.tobytes() == expected.distance_m.tobytes()


def test_threads_of_a_service_may_ask_one_index(country):
    index, (x, y) = country
    expected = index.tag(x[:200], y[:200]).rows()
    fresh = pickle.loads(pickle.dumps(index))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: fresh.tag(x[at], y[at]).rows()[0], range(200)))
    assert found == expected


def test_several_vintages_are_told_apart():
    index = PerimeterIndex([layer(QP075001=square(0, 0)), layer(2024, QN07501M=square(5_000, 0))])
    assert index.tag(X + 1, Y + 1, crs=2154, vintage=2015).state.tolist() == ["in"]
    assert index.tag(X + 1, Y + 1, crs=2154, vintage=2024).state.tolist() == ["out"]
    assert index.tag(X + 1, Y + 1, crs=2154, on="2019-03-14").vintage.tolist() == [2015]
    refused(lambda: index.tag(X, Y, crs=2154), "tagging.several_vintages", UsageError)
    refused(lambda: index.tag(X, Y, crs=2154, vintage=2018), "tagging.no_such_vintage", UsageError)
    refused(lambda: index.tag(X, Y, crs=2154, vintage=2015, on="2019-03-14"), "tagging.vintage_and_day", UsageError)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"crs": None}, "tagging.invalid_options"),
        ({"crs": "here"}, "tagging.invalid_options"),
        ({"bands": (500, 300)}, "tagging.invalid_options"),
        ({"bands": [[300], [500]]}, "tagging.invalid_options"),
        ({"tolerance_m": True}, "tagging.invalid_options"),
        ({"tolerance_m": "column"}, "tagging.option_fault"),
        ({"tolerance_m": [1.0, 2.0]}, "tagging.tolerances_count"),
        ({"tolerance_m": 900.0}, "tagging.index_too_short"),
        ({"on": "yesterday"}, "tagging.invalid_options"),
        ({"distance": ["exact"]}, "tagging.invalid_options"),
    ],
    ids=str,
)
def test_invalid_options_are_refused_also_when_valid_ones_are_kept(two, options, key):
    two.tag(X, Y, crs=2154, tolerance_m=1)
    refused(lambda: two.tag(X, Y, **{"crs": 2154, **options}), key, UsageError)


@pytest.mark.parametrize(("x", "y"), [([X, X], [Y]), ("here", Y), ([[X]], [[Y]])], ids=str)
def test_what_is_no_pair_of_coordinates_is_refused(two, x, y):
    refused(lambda: two.tag(x, y, crs=2154), kind=UsageError)


def test_options_are_judged_once_and_few_sets_are_kept(monkeypatch):
    index, made = PerimeterIndex(layer(QP075001=square(0, 0))), []
    judge = tag_arrays.Tagger.prepare
    monkeypatch.setattr(tag_arrays.Tagger, "prepare", lambda *given, **named: made.append(1) or judge(*given, **named))
    for _ in range(3):
        index.tag(X, Y, crs=pyproj.CRS(2154), bands=[300, 500])
    assert len(made) == 1
    for metres in range(1, 100):
        index.tag(X, Y, crs=2154, tolerance_m=metres)
    assert len(index.taggers) <= 64


def test_no_point_gives_empty_arrays(two):
    tags = two.tag([], [], crs=2154)
    assert [len(getattr(tags, name)) for name in COLUMNS] == [0] * len(COLUMNS)
    assert tags.rows() == []


def test_sample_is_tagged_on_its_island():
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    index, middle = PerimeterIndex(qpv), qpv.geometry.iloc[3].representative_point()
    tags = index.tag([middle.x, 2.35], [middle.y, 48.85])
    assert tags.qpv_code[0] == qpv.index[3]
    assert tags.qpv_name[0] == qpv["name"].iloc[3]
    assert tags.reason[1] == "no perimeters of this territory"


@pytest.mark.parametrize("distance", ["exact", "signed", "band"])
def test_few_points_without_a_place_change_nothing_for_the_others(distance):
    """Points of one territory are tagged together with those that have no place: as each is by itself."""
    three = layer(QP075001=square(0, 0), QP075002=square(20, 0), QP075003=square(40, 0))
    rng = np.random.default_rng(5)
    x, y = X + rng.uniform(-400, 900, 60), Y + rng.uniform(-400, 700, 60)
    x[[3, 17, 40, 59]], y[[3, 18, 41]] = [np.nan, np.inf, -np.inf, 9e9], [np.nan, -np.inf, 1e300]
    x[50], y[50] = X + 5, Y + 6_000_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        index = PerimeterIndex(three)
        together = tag_points((x, y), index, crs=2154, distance=distance, tolerance_m=20)
        each = [
            tag_points((x[row : row + 1], y[row : row + 1]), index, crs=2154, distance=distance, tolerance_m=20)
            for row in range(len(x))
        ]
    assert together["reason"].notna().sum() > 7
    assert together["also_in"].dropna().str.contains(", ").any()
    pd.testing.assert_frame_equal(together, pd.concat(each, ignore_index=True), check_exact=True)
