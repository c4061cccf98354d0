"""Points tagged: by hand, the traps by name, whatever shapely says of random shapes, and the addresses of Bondy."""

from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tagging.hand_points import NEW, ONE, X, Y, layer, row, square, tag

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.points_in_qpv import tag_points

# what a few perimeters of a long list do not know is tested by its name
pytestmark = pytest.mark.filterwarnings("ignore:.* may lie in another")
ORIGIN = np.array([X, Y])


def test_point_inside():
    assert row((150, 150)) == {
        "state": "in",
        "reason": None,
        "qpv_code": "A",
        "also_in": None,
        "nearest_qpv": "A",
        "distance_m": 0.0,
        "band": "in",
    }


@pytest.mark.parametrize(
    ("metres", "band", "distance"),
    [
        (0.001, "within 300 m", 0.001),
        (300, "within 300 m", 300),
        (300.001, "within 500 m", 300.001),
        (500, "within 500 m", 500),
        (500.001, "beyond 500 m", None),
        (50_000, "beyond 500 m", None),
    ],
)
def test_point_outside_is_sorted_by_its_distance_to_the_limit(metres, band, distance):
    found = row((300 + metres, 150))
    assert (found["state"], found["qpv_code"], found["band"]) == ("out", None, band)
    assert found["distance_m"] == (None if distance is None else pytest.approx(distance, abs=1e-6))
    assert found["nearest_qpv"] == (None if distance is None else "A")


def test_distance_beyond_a_corner_is_not_that_of_a_square_buffer():
    assert row((300 + 300, 300 + 300))["distance_m"] == pytest.approx(300 * 2**0.5)


def test_signed_distance_is_negative_inside():
    found = tag([(100, 150), (150, 150), (0, 150), (400, 150)], distance="signed")
    assert found["distance_m"].tolist() == pytest.approx([-100, -150, 0, 100])
    assert not np.signbit(found["distance_m"][2])


def test_signed_distance_is_to_the_limit_of_the_perimeter_that_holds_the_point():
    large, small = square(0, 0, 1_000), square(400, 400, 100)
    assert row((390, 450), layer(large=large, small=small), distance="signed")["distance_m"] == pytest.approx(-390)


def test_band_alone():
    assert tag([(150, 150), (400, 0)], distance="band").columns.tolist() == [
        "state",
        "reason",
        "qpv_code",
        "also_in",
        "band",
    ]


def test_bands_alone_are_those_of_the_distances():
    points = np.random.default_rng(1).uniform(-900, 1_200, (500, 2))
    pd.testing.assert_series_equal(tag(points, distance="band")["band"], tag(points)["band"])


def test_no_band_answers_in_or_out_alone():
    assert tag([(150, 150)], bands=()).columns.tolist() == ["state", "reason", "qpv_code", "also_in"]


def test_other_bands():
    assert tag([(350, 0), (380, 0), (301, 0)], bands=(75.5,))["band"].tolist() == [
        "within 75.5 m",
        "beyond 75.5 m",
        "within 75.5 m",
    ]


@pytest.mark.parametrize(
    "bands", [(500, 300), (300, 300), (0, 300), (-1,), (np.nan,), (np.inf,), ("near",), 300], ids=str
)
def test_bands_that_are_no_ascending_distances_are_refused(bands):
    with pytest.raises(UsageError, match="ascending distances"):
        tag([(0, 0)], bands=bands)


def test_kind_of_distance_that_is_none_is_refused():
    with pytest.raises(UsageError, match="exact, signed and band"):
        tag([(0, 0)], distance="manhattan")


# the traps that services fell into


def test_trap_point_on_an_edge_belongs_to_the_qpv():
    assert row((0, 150))["state"] == "in"


def test_trap_point_on_a_vertex_belongs_to_the_qpv():
    assert row((300, 300))["state"] == "in"


def test_trap_point_on_a_shared_edge_is_in_one_and_told_of_the_other():
    found = row((300, 150), layer(B=square(0, 0), A=square(300, 0)))
    assert (found["qpv_code"], found["also_in"]) == ("A", "B")


def test_trap_point_in_two_overlapping_qpv_is_counted_once_in_the_smaller():
    found = tag([(50, 50)], layer(A=square(0, 0), B=square(0, 0, 100), C=square(0, 0, 200)))
    assert len(found) == 1
    assert found[["qpv_code", "also_in"]].iloc[0].tolist() == ["B", "C, A"]


def test_trap_point_near_two_qpv_is_counted_once_at_the_nearer():
    found = tag([(310, 150)], layer(A=square(0, 0), B=square(350, 0)))
    assert found[["nearest_qpv", "distance_m"]].to_numpy().tolist() == [["A", pytest.approx(10)]]


def test_trap_distance_is_to_the_edge_and_not_to_the_nearest_vertex():
    assert row((2_000, 320), layer(A=shapely.box(X, Y, X + 4_000, Y + 300)))["distance_m"] == pytest.approx(20)


@pytest.mark.parametrize(
    ("lon", "lat", "reason"),
    [
        (np.nan, np.nan, "no coordinates"),
        (2.5, np.nan, "no coordinates"),
        (np.inf, 46.0, "not finite"),
        (46.0, 2.5, "latitude and longitude look swapped"),
        (0.0, 0.0, "outside France"),
        (-60.0, 46.0, "outside France"),
        (-3.0, 45.0, "outside France"),
        (3.5, 42.5, "outside France"),
        (4.35, 50.85, "outside France"),
        (2.17, 41.39, "outside France"),
        (8.68, 50.11, "outside France"),
        (7.68, 45.07, "outside France"),
        (55.45, -20.9, "no perimeters of this territory"),
    ],
    ids=[
        "no coordinates",
        "one coordinate",
        "infinite",
        "swapped axes",
        "null island",
        "point at sea",
        "point at sea, Bay of Biscay",
        "point at sea, Gulf of Lion",
        "abroad, Brussels",
        "abroad, Barcelona",
        "abroad, Frankfurt",
        "abroad, Turin",
        "overseas",
    ],
)
def test_trap_what_is_not_known_is_never_out(lon, lat, reason):
    found = tag_points(([lon], [lat]), ONE, crs=4326).iloc[0]
    assert (found["state"], found["reason"]) == ("unknown", reason)
    assert found[["qpv_code", "nearest_qpv", "distance_m", "band"]].isna().all()


def test_trap_overseas_point_is_measured_in_its_own_projection():
    shape = shapely.box(45.22, -12.79, 45.24, -12.77)
    east = tag_points(([45.2401], [-12.78]), layer(crs=4326, M=shape), crs=4326).iloc[0]
    geodesic = 0.0001 * 111_320 * np.cos(np.radians(12.78))
    assert (east["state"], east["nearest_qpv"]) == ("out", "M")
    assert east["distance_m"] == pytest.approx(geodesic, rel=2e-3)


def test_trap_point_of_a_territory_that_the_law_gives_no_qpv_is_out():
    # Saint-Barthélemy
    point = ([-62.83], [17.9])
    assert tag_points(point, ONE.assign(vintage=2024), crs=4326)["state"].tolist() == ["out"]
    assert tag_points(point, ONE, crs=4326)["state"].tolist() == ["unknown"]


def test_trap_duplicate_and_unsorted_index_is_kept_row_by_row():
    table = pd.DataFrame({"x": [X + 150, X + 9_000, X + 150], "y": [Y + 150] * 3}, index=["b", "a", "b"])
    found = tag_points(table, ONE, xy=("x", "y"), crs=2154)
    assert found.index.tolist() == ["b", "a", "b"]
    assert found["state"].tolist() == ["in", "out", "in"]


def test_trap_empty_input_gives_the_columns_and_no_row():
    assert tag(np.empty((0, 2))).columns.tolist() == tag([(0, 0)]).columns.tolist()
    assert tag_points(gpd.GeoSeries([], crs=4326), ONE).empty


def test_trap_input_without_crs_is_refused():
    with pytest.raises(DataError, match=r"\(CRS\)"):
        tag_points(gpd.GeoSeries([shapely.Point(X, Y)]), ONE)


def test_points_without_an_active_geometry_are_refused():
    frame = gpd.GeoDataFrame({"place": [shapely.Point(X, Y)]})
    with pytest.raises(UsageError, match="no active geometry"):
        tag_points(frame, ONE, crs=2154)


def test_trap_perimeters_without_crs_are_refused():
    with pytest.raises(DataError, match="CRS"):
        tag([(0, 0)], gpd.GeoDataFrame(geometry=[square(0, 0)]))


# any shapes, any points


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 6))
def test_any_shapes_and_points_are_tagged_as_shapely_does(seed, count):
    chance = np.random.default_rng(seed)
    corners = chance.uniform(0, 800, (count, 2))
    shapes = {f"q{n}": square(*corner, chance.uniform(20, 400)) for n, corner in enumerate(corners)}
    turned = {name: shapely.affinity.rotate(shape, chance.uniform(0, 90)) for name, shape in shapes.items()}
    frame = layer(**turned)
    points = chance.uniform(-700, 1_700, (200, 2))
    found = tag(points, frame)
    drawn = gpd.GeoSeries(shapely.points(points + ORIGIN), crs=2154)
    order = frame.assign(size=frame.area, code=frame.index).sort_values(["size", "code"]).geometry
    holds = np.array([order.iloc[k].covers(drawn.to_numpy()) for k in range(count)])
    apart = np.array([shapely.distance(shape, drawn.to_numpy()) for shape in order])
    inside = holds.any(axis=0)
    assert ((found["state"] == "in").to_numpy() == inside).all()
    assert (found["qpv_code"].astype(object)[inside] == order.index[holds.argmax(axis=0)[inside]]).all()
    least = apart.min(axis=0)
    assert found["distance_m"].fillna(np.inf).to_numpy() == pytest.approx(
        np.where(least <= 500, least, np.inf), abs=1e-6
    )
    turned_round = tag(points[::-1], frame.iloc[::-1]).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(turned_round.astype(object), found.astype(object))


def test_saved_index_gives_the_same_tags(tmp_path):
    frame = layer(A=square(0, 0), B=square(350, 0))
    points = np.random.default_rng(2).uniform(-900, 1_500, (2_000, 2))
    PerimeterIndex(frame).save(tmp_path / "index")
    pd.testing.assert_frame_equal(tag(points, PerimeterIndex.load(tmp_path / "index", frame)), tag(points, frame))


def test_degrees_and_metres_give_the_same_tags():
    points = np.random.default_rng(3).uniform(-900, 1_500, (500, 2)) + ORIGIN
    drawn = gpd.GeoSeries(shapely.points(points), crs=2154)
    metres, degrees = tag_points(drawn, ONE), tag_points(drawn.to_crs(4326), ONE)
    assert degrees["distance_m"].to_numpy() == pytest.approx(metres["distance_m"].to_numpy(), abs=1e-6, nan_ok=True)
    assert (degrees["state"] == metres["state"]).all()


# the sample and the published files


def test_addresses_of_the_sample_have_a_state_or_a_reason():
    sample = qg.sample()
    table = pd.read_csv(sample.addresses, sep=";", dtype="str")
    found = tag_points(table, qg.read_qpv(sample.qpv_2024))
    assert len(found) == len(table)
    assert found.attrs["qpvgeo"]["fictional"]
    assert (found["reason"].notna() == (found["state"] == "unknown")).all()
    assert {"no coordinates", "latitude and longitude look swapped"} <= set(found["reason"].dropna())


@pytest.fixture(scope="module")
def bondy(real_data):
    ban = pd.read_csv(real_data / "points" / "ban_bondy_93010.csv", dtype="str")
    full = qg.read_qpv(real_data / "qpv2024" / "qpv2024_bondy_clip_fullres.gpkg")
    simplified = qg.read_qpv(real_data / "qpv2024" / "qpv2024_simplified.geojson")
    return ban, full, simplified[simplified.geometry.notna()]


@pytest.fixture(scope="module")
def misplaced(bondy):
    """Addresses that the two files place differently, and their distances to either limit, negative inside."""
    ban, full, simplified = bondy
    exact, coarse = (tag_points(ban, qpv, distance="signed") for qpv in (full, simplified))
    rows = np.flatnonzero((exact["state"] != coarse["state"]).to_numpy())
    return pd.DataFrame(
        {
            "street": ban["nom_voie"].iloc[rows],
            "qpv": exact["nearest_qpv"].astype(object).iloc[rows],
            "to_full": exact["distance_m"].iloc[rows],
            "to_simplified": coarse["distance_m"].iloc[rows],
        }
    )


@pytest.mark.real
def test_bondy_has_2033_of_its_8413_addresses_in_a_qpv(bondy):
    ban, full, simplified = bondy
    inside = [(tag_points(ban, qpv)["state"] == "in") for qpv in (full, simplified)]
    assert (len(ban), inside[0].sum(), inside[1].sum(), (inside[0] != inside[1]).sum()) == (8_413, 2_033, 2_051, 24)


CUT = ["Allee des Erables", "Chemin de Groslay"]


def limits(qpv):
    """Limits in Lambert-93, by code."""
    return qpv.to_crs(2154).geometry.boundary


@pytest.mark.real
def test_19_of_the_24_addresses_of_bondy_that_are_placed_differently_lie_where_the_full_file_is_cut(
    bondy, misplaced, real_data
):
    ban, full, _ = bondy
    communes = gpd.read_parquet(real_data / "admin" / "communes_2024_100m_sauf_44_75_76.parquet")
    commune = communes.set_index("code").geometry.to_crs(2154)["93010"].boundary
    points = gpd.GeoSeries(gpd.points_from_xy(ban["lon"].astype(float), ban["lat"].astype(float)), crs=4326)
    points = points.to_crs(2154)[misplaced.index]
    feet = shapely.get_point(shapely.shortest_line(limits(full)[misplaced["qpv"]].to_numpy(), points.to_numpy()), 0)
    # what they are nearest to runs along the limit of the commune, as a generalised file has it
    cut = shapely.distance(feet, commune) < 50
    assert (cut == misplaced["street"].isin(CUT)).all()
    assert cut.sum() == 19
    assert shapely.distance(feet, commune)[~cut].min() > 350
    # out by the cut file alone, and up to 146 m deep in the QPV
    there = misplaced[cut]
    assert (there["to_full"] > 0).all()
    assert (there["to_simplified"] < 0).all()
    assert [there["to_full"].max(), there["to_simplified"].min()] == pytest.approx([36.4, -145.7], abs=0.05)


@pytest.mark.real
def test_the_other_5_lie_within_the_simplification_distance_of_both_limits(bondy, misplaced):
    _, full, simplified = bondy
    others = misplaced[~misplaced["street"].isin(CUT)]
    assert others["qpv"].value_counts().to_dict() == {"QN09312I": 4, "QN09314M": 1}
    # the only perimeter that lies wholly in Bondy says how far the simplification moves a limit
    moved = shapely.hausdorff_distance(limits(full)["QN09312I"], limits(simplified)["QN09312I"], densify=0.01)
    assert moved == pytest.approx(9.08, abs=0.01)
    assert others["to_full"].abs().max() == pytest.approx(4.0, abs=0.05)
    assert others["to_simplified"].abs().max() == pytest.approx(1.0, abs=0.05)
    assert others[["to_full", "to_simplified"]].abs().to_numpy().max() <= moved


@pytest.mark.real
def test_tolerance_as_large_as_the_simplification_makes_the_5_unknown(bondy, misplaced):
    ban, _, simplified = bondy
    careful = tag_points(ban, simplified, tolerance_m=10)["state"]
    assert (careful[misplaced.index[~misplaced["street"].isin(CUT)]] == "unknown").all()


@pytest.mark.real
def test_addresses_of_bondy_are_measured_as_shapely_does(bondy):
    ban, full, _ = bondy
    found = tag_points(ban, full)
    metres = gpd.GeoSeries(gpd.points_from_xy(ban["lon"].astype(float), ban["lat"].astype(float)), crs=4326).to_crs(
        2154
    )
    least = np.min([metres.distance(shape) for shape in full.to_crs(2154).geometry], axis=0)
    assert found["distance_m"].fillna(np.inf).to_numpy() == pytest.approx(
        np.where(least <= 500, least, np.inf), abs=1e-6
    )


@pytest.mark.real
def test_points_around_every_qpv_of_every_territory_are_tagged_as_shapely_does(real_data):
    qpv = qg.read_qpv("qpv-2015", data=real_data)
    middles = shapely.get_coordinates(shapely.centroid(qpv.to_crs(4326).geometry.to_numpy()))
    lon, lat = (np.repeat(middles, 8, axis=0) + np.random.default_rng(4).normal(0, 0.004, (8 * len(middles), 2))).T
    found = tag_points((lon, lat), qpv, crs=4326)
    for territory, part in qpv.groupby("territory"):
        own = part.to_crs(qg.codes.territories.get(territory).epsg)
        here = np.repeat((qpv["territory"] == territory).to_numpy(), 8)
        points = gpd.GeoSeries(gpd.points_from_xy(lon[here], lat[here]), crs=4326).to_crs(own.crs).to_numpy()
        tree = shapely.STRtree(own.geometry.to_numpy())
        inside = np.isin(np.arange(len(points)), tree.query(points, predicate="covered_by")[0])
        tags = found[here]
        assert ((tags["state"] == "in").to_numpy() == inside).all()
        apart = np.full(len(points), np.inf)
        rows, distance = tree.query_nearest(points, max_distance=500, return_distance=True, all_matches=False)
        apart[rows[0]] = distance
        assert tags["distance_m"].fillna(np.inf).to_numpy() == pytest.approx(apart, abs=1e-6)
    assert set(qpv["territory"]) == {"hexagone", "971", "972", "973", "974", "976", "978", "987"}


# what callers do


def test_masked_values_are_missing_whatever_stands_under_the_mask():
    x, y = np.ma.array([X + 150, X + 150], mask=[0, 1]), np.array([Y + 150, Y + 150])
    assert tag_points((x, y), ONE, crs=2154)["state"].tolist() == ["in", "unknown"]
    loose = np.ma.array([0.0, 0.0], mask=[0, 1])
    assert tag([(150, 150)] * 2, tolerance_m=loose)["state"].tolist() == ["in", "unknown"]


def test_series_keep_their_labels_and_must_share_them():
    x, y = pd.Series([X + 150], index=["a"]), pd.Series([Y + 150], index=["a"])
    assert tag_points((x, y), ONE, crs=2154).index.tolist() == ["a"]
    with pytest.raises(UsageError, match="different labels"):
        tag_points((x, y.rename({"a": "b"})), ONE, crs=2154)
    with pytest.raises(UsageError, match="different labels"):
        tag_points((x, y), ONE, crs=2154, tolerance_m=pd.Series([1], index=["b"]))


def test_labels_of_several_territories_may_be_the_same():
    reunion = gpd.GeoDataFrame(geometry=[shapely.box(55.44, -20.91, 55.46, -20.89)], index=["A"], crs=4326)
    old, new = reunion.assign(vintage=2015), ONE.assign(vintage=2024)
    found = tag_points(([2.9999999, 55.45], [46.5, -20.9]), [old, new], crs=4326, on="2024-06-30")
    assert found["qpv_code"].tolist()[1] == "A"


MAYOTTE = shapely.box(45.22, -12.79, 45.24, -12.77)


DAY, NOT_KNOWN = "no perimeters of the geography of that day", "geography of that day not known"


@pytest.mark.parametrize(
    ("codes", "day", "inside", "outside"),
    [
        (["QN97601M"], "2025-06-01", None, None),
        (["QN97601M"], "2025-08-11", None, None),
        (["QN97601M"], "2025-08-12", None, NOT_KNOWN),
        (["QN97601M"], "2025-12-31", None, NOT_KNOWN),
        (["QN97601M"], "2026-01-01", None, NOT_KNOWN),
        (["QN97601M"], "2026-01-14", None, NOT_KNOWN),
        (["QN97601M"], "2026-01-15", DAY, DAY),
        (["QN97654C"], "2025-06-01", DAY, DAY),
        (["QN97654C"], "2025-10-01", NOT_KNOWN, NOT_KNOWN),
        (["QN97654C"], "2026-01-14", NOT_KNOWN, NOT_KNOWN),
        (["QN97654C"], "2026-01-15", None, None),
        (["QN97654C"], "2031-01-01", NOT_KNOWN, NOT_KNOWN),
        (["QN97654C", "QN97601M"], "2025-06-01", DAY, DAY),
        (["QN97654C", "QN97601M"], "2026-06-01", DAY, DAY),
    ],
)
def test_mayotte_is_answered_by_the_list_of_the_day_when_it_is_known_and_given(codes, day, inside, outside):
    qpv = layer(crs=4326, vintage=2024, **dict.fromkeys(codes, MAYOTTE))
    found = tag_points(([45.23, 45.241], [-12.78, -12.78]), qpv, crs=4326, on=day)
    assert found["state"].tolist() == ["unknown" if inside else "in", "unknown" if outside else "out"]
    assert found["reason"].astype(object).where(found["reason"].notna(), None).tolist() == [inside, outside]
    unknown = found.loc[found["state"] == "unknown", ["qpv_code", "nearest_qpv", "distance_m", "band"]]
    assert unknown.isna().to_numpy().all()


def test_a_tolerance_is_told_first_where_the_geography_of_the_day_is_not_known():
    qpv = layer(crs=4326, vintage=2024, QN97601M=MAYOTTE)
    found = tag_points(([45.24001], [-12.78]), qpv, crs=4326, on="2025-10-01", tolerance_m=50)
    assert found["reason"].tolist() == ["near the boundary"]


def test_territory_that_no_list_names_is_out_on_any_day():
    assert tag_points(([-62.83], [17.9]), NEW, crs=4326, on="2025-06-01")["state"].tolist() == ["out"]


def test_perimeters_without_outline_are_told():
    with pytest.warns(UserWarning, match="1 perimeter has no outline: nothing is found in or near B"):
        found = tag([(150, 150)], layer(A=square(0, 0), B=None))
    assert found.attrs["qpvgeo"]["without_outline"] == ["B"]


@pytest.mark.parametrize("qpv", ["qpv.gpkg", None, pd.DataFrame({"a": [1]}), ONE.assign(vintage="of late")], ids=str)
def test_what_is_no_perimeter_is_refused(qpv):
    with pytest.raises(UsageError, match="Perimeters must be frames"):
        tag([(0, 0)], qpv)


def test_calls_at_once_on_one_frame_do_not_share_what_they_prepare():
    ring = shapely.Point(X, Y).buffer(900, quad_segs=4_000)
    frame = layer(A=ring)
    points = np.random.default_rng(5).uniform(-900, 900, (20_000, 2))
    expected = tag(points, frame, bands=())["state"].tolist()
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: tag(points, frame, bands=())["state"].tolist(), range(16))
        assert all(answer == expected for answer in answers)


def test_name_and_communes_of_the_qpv_come_with_its_code():
    named = layer(A=square(0, 0)).assign(name="Les Tours", lib_com="Ville", vintage=2024)
    found = tag_points(([X + 5, X - 5], [Y + 5, Y]), named, crs=2154)
    assert found["qpv_name"].fillna("").tolist() == ["Les Tours", ""]
    assert found["qpv_commune"].fillna("").tolist() == ["Ville", ""]


def test_codes_of_communes_stand_for_their_names_where_there_are_none():
    named = layer(A=square(0, 0)).assign(communes=[["93010", "93008"]])
    found = tag_points(([X + 5], [Y + 5]), named, crs=2154)
    assert found["qpv_commune"].tolist() == ["93010, 93008"]
    assert "qpv_name" not in found


def test_columns_of_text_take_any_value():
    found = tag_points(([X + 5, X - 5], [Y + 5, Y]), ONE, crs=2154)
    for column in ("reason", "qpv_code", "also_in", "nearest_qpv"):
        assert found[column].dtype == "str"
        found[column] = found[column].fillna("none")
    assert found["qpv_code"].tolist() == [ONE.index[0], "none"]


def test_out_never_follows_from_an_outline_that_was_lost():
    """An outline crushed to a line encloses nothing: points around it are unknown, those far away are out."""
    crushed = shapely.Polygon([(X + 5000, Y), (X + 5200, Y), (X + 5000, Y)])
    with pytest.warns(UserWarning, match="no outline"):
        found = tag_points(
            ([X + 5, X + 5100, X + 20_000], [Y + 5, Y + 50, Y]), layer(A=square(0, 0), B=crushed), crs=2154
        )
    assert found["state"].tolist() == ["in", "unknown", "out"]
    assert found["reason"].tolist()[1] == "outline lost in repair"
