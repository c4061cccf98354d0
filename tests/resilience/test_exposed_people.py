"""People exposed: cases worked by hand, bounds on random layers, the flood layer of the sample."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.errors import UsageError

NORTH, EAST = 2_500_000, 4_000_000


def box(west, south, east, north):
    """Box in steps of cells."""
    return shapely.box(EAST + 200 * west, NORTH + 200 * south, EAST + 200 * east, NORTH + 200 * north)


def layer(*shapes, labels=None):
    return gpd.GeoDataFrame(geometry=list(shapes), index=labels or list("abcdefgh"[: len(shapes)]), crs=3035)


def grid_of(people, **columns):
    """A row of cells from west to east."""
    ids = [f"CRS3035RES200mN{NORTH}E{EAST + 200 * n}" for n in range(len(people))]
    frame = pd.DataFrame({"population": people, **columns}, index=pd.Index(ids, name="cell_id", dtype="str"))
    frame.attrs["qpvgeo"] = {"files": [], "epsg": 3035}
    return frame


def test_half_of_a_cell_is_half_of_its_people_between_none_and_all():
    # the perimeter holds two cells of 100; the zone covers the first and half of the second
    found = qg.exposure(layer(box(0, 0, 2, 1)), layer(box(0, 0, 1.5, 1)), grid_of([100, 100]), covered="everywhere")
    row = found.iloc[0]
    assert (row["population"], row["low"], row["estimate"], row["high"], row["unknown"]) == (200, 100, 150, 200, 0)
    assert row["share"] == 0.75


def test_outside_of_the_layer_is_unknown_and_not_safe():
    found = qg.exposure(layer(box(0, 0, 2, 1)), layer(box(0, 0, 1, 1)), grid_of([100, 300]))
    assert found[["low", "estimate", "high", "unknown"]].to_numpy().tolist() == [[100, 100, 400, 300]]
    assert found["share"].isna().tolist() == [True]
    assert found[["share_low", "share_high"]].to_numpy().tolist() == [[0.25, 1]]
    assert "resilience.rest_unknown" in {note.key for note in found.attrs["qpvgeo"]["notes"]}
    known = qg.exposure(
        layer(box(0, 0, 2, 1)), layer(box(0, 0, 1, 1)), grid_of([100, 300]), covered=layer(box(0, 0, 1.5, 1))
    )
    assert known["unknown"].tolist() == [150]
    assert known["share"].tolist() == [100 / 250]


def test_a_perimeter_of_which_nothing_is_known_has_no_share():
    found = qg.exposure(layer(box(0, 0, 1, 1), box(1, 0, 2, 1)), layer(box(0, 0, 1, 1)), grid_of([100, 300]))
    assert found["share"].isna().tolist() == [False, True]


def test_the_rest_around_is_compared():
    # half of those in the perimeter, a quarter of those around
    zone = layer(box(0, 0, 0.5, 1), box(2, 0, 2.5, 1))
    found = qg.exposure(
        layer(box(0, 0, 1, 1)), zone, grid_of([100, 100, 100]), covered="everywhere", around=layer(box(0, 0, 3, 1))
    )
    about = found.attrs["qpvgeo"]
    assert about["inside"]["estimate"] == pytest.approx(0.5)
    assert about["outside"]["estimate"] == pytest.approx(0.25)
    assert found["ratio"].tolist() == [pytest.approx(2)]
    # of the 100 inside none to all, of the 200 around likewise: nothing bounds the ratio from above
    assert about["ratio"] == {"estimate": pytest.approx(2), "low": 0, "high": None}
    assert found[["ratio_low"]].to_numpy().tolist() == [[0]]
    assert found["ratio_high"].isna().tolist() == [True]


def test_the_ratio_of_each_qpv_has_its_bounds():
    # all of the first, none of the second, 100 of the 300 around: whole cells, so that bounds are the estimate
    zone = layer(box(0, 0, 1, 1), box(4, 0, 5, 1))
    areas = layer(box(0, 0, 1, 1), box(1, 0, 2, 1))
    found = qg.exposure(areas, zone, grid_of([100] * 5), covered="everywhere", around=layer(box(0, 0, 5, 1)))
    assert found[["ratio", "ratio_low", "ratio_high"]].round(9).to_numpy().tolist() == [[3, 3, 3], [0, 0, 0]]


def test_points_count_those_nearer_than_the_distance():
    park = gpd.GeoDataFrame(geometry=[shapely.Point(EAST + 100, NORTH + 100)], crs=3035)
    found = qg.exposure(layer(box(0, 0, 1, 1), box(2, 0, 3, 1)), park, grid_of([100, 100, 100]), within_m=150)
    assert found["estimate"].tolist() == [100, 0]
    assert found["unknown"].tolist() == [0, 0]


def test_a_column_of_the_grid_has_a_threshold_and_means_by_people():
    grid = grid_of([100, 300, 600], heat=[40.0, 30.0, np.nan])
    found = qg.exposure(layer(box(0, 0, 3, 1)), "heat", grid, above=35)
    # the 600 of whom nothing is known may be exposed, all or none of them
    assert found[["low", "estimate", "high", "unknown"]].to_numpy().tolist() == [[100, 100, 700, 600]]
    assert found[["share", "share_low", "share_high"]].to_numpy().tolist() == [[0.25, 0.1, 0.7]]
    assert found.attrs["qpvgeo"]["mean_inside"] == pytest.approx((100 * 40 + 300 * 30) / 400)
    fifth = qg.exposure(layer(box(0, 0, 3, 1)), "heat", grid, quantile=0.8)
    assert fifth.attrs["qpvgeo"]["threshold"] == 40


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("heat", {}),
        ("heat", {"above": 1, "quantile": 0.5}),
        ("heat", {"quantile": 2}),
        ("none", {"above": 1}),
        (layer(shapely.Point(0, 0)), {}),
        (layer(box(0, 0, 1, 1)), {"above": 3}),
        (layer(box(0, 0, 1, 1)), {"within_m": -1}),
        (layer(box(0, 0, 1, 1)), {"covered": "here"}),
        (None, {}),
        (layer(box(0, 0, 1, 1)).set_crs(None, allow_override=True), {}),
    ],
)
def test_options_that_do_not_go_together_are_refused(given, options):
    grid = grid_of([1], heat=[1.0])
    error = refused(
        lambda: qg.exposure(layer(box(0, 0, 1, 1)), given, grid, **options), "resilience.options", UsageError
    )
    assert error.problems


@pytest.mark.parametrize("bad", [None, "qpv", 3, pd.DataFrame({"a": [1]})])
def test_other_things_are_refused(bad):
    refused(lambda: qg.exposure(bad, layer(box(0, 0, 1, 1)), grid_of([1])))
    refused(lambda: qg.exposure(layer(box(0, 0, 1, 1)), layer(box(0, 0, 1, 1)), bad))


edges = st.floats(0, 6, allow_nan=False).map(lambda value: round(value, 3))


@given(
    st.lists(st.tuples(edges, edges), min_size=1, max_size=3),
    edges,
    edges,
    st.lists(st.integers(0, 500), min_size=6, max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_bounds_hold_on_random_layers(zones, west, east, people):
    shapes = [box(min(pair), 0, max(pair) + 0.01, 1) for pair in zones]
    area = layer(box(min(west, east), 0, max(west, east) + 0.5, 1))
    if not sum(people):
        return
    try:
        found = qg.exposure(area, layer(*shapes), grid_of(people), covered="everywhere").iloc[0]
    except qg.errors.DataError:
        return
    assert found["low"] <= found["estimate"] + 1e-9
    if pd.isna(found["high"]):
        assert max(west, east) + 0.5 > 6  # the grid ends there: any number of people may live farther
    else:
        assert found["estimate"] <= found["high"] + 1e-9
    assert found["estimate"] <= found["population"] + 1e-9
    if not pd.isna(found["share"]):
        assert found["share_low"] - 1e-9 <= found["share"] <= found["share_high"] + 1e-9


@pytest.mark.real
def test_lille_is_hotter_in_its_qpv(real_data):
    path = real_data / "filosofi" / "filosofi2017_200m_lille.gpkg"
    names = {"id": "cell_id", "num_people": "population"}
    grid = qg.read_grid(path, layer="enriched_grid", columns=names, keep=["land_surface_temperature"])
    qpv = gpd.read_file(path, layer="qpvs").set_index("CODE_QP")
    cities = gpd.read_file(path, layer="cities")
    found = qg.exposure(qpv, "land_surface_temperature", grid, quantile=0.8, around=cities)
    about = found.attrs["qpvgeo"]
    assert about["mean_inside"] > about["mean_outside"]
    assert about["ratio"]["low"] <= about["ratio"]["estimate"]


def test_a_value_may_be_exposed_from_below():
    # minutes on foot to a park, from the caller's table
    grid = grid_of([100, 300, 600], minutes=[5.0, 15.0, np.nan])
    found = qg.exposure(layer(box(0, 0, 3, 1)), "minutes", grid, below=10)
    assert found[["estimate", "unknown"]].to_numpy().tolist() == [[100, 600]]


def test_ranks_hold_between_the_bounds():
    # 100 whole in the zone, half of 300 in it, none of 50
    zone = layer(box(0, 0, 1, 1), box(2, 0, 2.5, 1))
    areas = layer(box(0, 0, 1, 1), box(2, 0, 3, 1), box(4, 0, 5, 1))
    found = qg.exposure(areas, zone, grid_of([100, 0, 300, 0, 50]), covered="everywhere")
    assert found["rank"].tolist() == [2, 1, 3]
    assert found[["rank_best", "rank_worst"]].to_numpy().tolist() == [[1, 2], [1, 3], [2, 3]]
    assert ((found["rank_best"] <= found["rank"]) & (found["rank"] <= found["rank_worst"])).all()


def test_a_perimeter_without_a_cell_is_missing_and_not_0():
    found = qg.exposure(layer(box(0, 0, 1, 1), box(50, 0, 51, 1)), layer(box(0, 0, 1, 1)), grid_of([100]))
    assert found["estimate"].isna().tolist() == [False, True]
    assert found["rank"].isna().tolist() == [False, True]


@pytest.mark.parametrize("epsg", [2154, 4326])
def test_distances_are_those_of_the_legal_projection(epsg):
    # near Brest the lattice stretches by half a per cent
    grid = qg.read_grid(qg.sample().grid_2019)
    qpv = qg.read_qpv(qg.sample().qpv_2024)
    park = gpd.GeoDataFrame(geometry=qpv.to_crs(2154).geometry.iloc[:1].centroid, crs=2154)
    circle = gpd.GeoDataFrame(geometry=park.buffer(700, quad_segs=32), crs=2154)
    near = qg.exposure(qpv, park.to_crs(epsg), grid, within_m=700)
    inside = qg.exposure(qpv, circle, grid, covered="everywhere")
    assert near["estimate"].to_numpy() == pytest.approx(inside["estimate"].to_numpy(), rel=1e-4)


def test_distances_are_those_of_the_place_of_the_grid_whatever_the_layer_begins_with():
    qpv, grid = qg.read_qpv(qg.sample().qpv_2024), qg.read_grid(qg.sample().grid_2019)
    near = qpv.geometry.iloc[:2].representative_point()
    far = gpd.GeoSeries([shapely.Point(-61.5, 16.2)], crs=4326).to_crs(near.crs)
    points = gpd.GeoDataFrame(geometry=[*near, *far], crs=near.crs)
    alone = qg.exposure(qpv, points.iloc[:2], grid, within_m=300)
    first = qg.exposure(qpv, points.iloc[::-1], grid, within_m=300)
    pd.testing.assert_frame_equal(first, alone, rtol=1e-9)


def test_a_layer_without_shapes_and_a_threshold_that_is_no_number_are_refused():
    zones, grid = layer(box(0, 0, 1, 1)), grid_of([10], heat=[1.0])
    keys = {"resilience.empty_layer", "resilience.threshold_not_a_number"}
    for shown, options in ((layer(), {"within_m": 300}), ("heat", {"above": float("nan")})):
        with pytest.raises(UsageError) as error:
            qg.exposure(zones, shown, grid, **options)
        assert keys & {problem.key for problem in error.value.problems}


def keys(found):
    return [note.key for note in found.attrs["qpvgeo"]["notes"]]


def test_a_qpv_partly_beyond_the_grid_is_told_and_its_bounds_hold_anyone():
    # the grid has two of the three cells of the first, and all of the second
    areas, zone = layer(box(0, 0, 3, 1), box(1, 0, 2, 1)), layer(box(0, 0, 1, 1))
    found = qg.exposure(areas, zone, grid_of([100, 300]), covered="everywhere")
    told = next(note for note in found.attrs["qpvgeo"]["notes"] if note.key == "resilience.partly_beyond")
    assert (told.values["count"], told.values["qpv"]) == (1, "a")
    assert found[["population", "low", "estimate"]].to_numpy().tolist() == [[400, 100, 100], [300, 0, 0]]
    # the layer says that nobody beyond is exposed: the most is known, the share is not
    assert found["high"].tolist() == [100, 0]
    assert found[["share_low", "share", "share_high"]].to_numpy().tolist() == [[0, 0.25, 0.25], [0, 0, 0]]
    beyond = qg.exposure(areas, layer(box(0, 0, 1, 1), box(2, 0, 3, 1)), grid_of([100, 300]), covered="everywhere")
    assert beyond["high"].isna().tolist() == [True, False]
    # whoever lives beyond is exposed
    assert beyond[["share_low", "share_high"]].loc["a"].tolist() == [0.25, 1]
    assert beyond[["rank_best", "rank_worst"]].loc["a"].tolist() == [1, 1]
    # of all people of the grid
    assert found.attrs["qpvgeo"]["inside"] == dict.fromkeys(("estimate", "low", "high"), pytest.approx(1 / 7))


def test_an_empty_cell_between_others_is_uninhabited():
    rows = [f"CRS3035RES200mN{NORTH + 200 * up}E{EAST + 200 * right}" for up in range(3) for right in range(3)]
    grid = grid_of([10.0] * 9).set_axis(pd.Index(rows, name="cell_id")).drop(rows[4])
    grid.attrs["qpvgeo"] = {"files": [], "epsg": 3035}
    found = qg.exposure(layer(box(0, 0, 3, 3)), layer(box(0, 0, 3, 3)), grid, covered="everywhere")
    assert found[["low", "high"]].to_numpy().tolist() == [[80, 80]]
    assert "resilience.partly_beyond" not in keys(found)


def test_a_rest_beyond_the_grid_is_told():
    zone, grid = layer(box(0, 0, 1, 1)), grid_of([100, 300])
    far = qg.exposure(layer(box(0, 0, 1, 1)), zone, grid, covered="everywhere", around=layer(box(0, 0, 5, 1)))
    assert next(n for n in far.attrs["qpvgeo"]["notes"] if n.key == "resilience.rest_beyond").values["share"] == 0.75
    near = qg.exposure(layer(box(0, 0, 1, 1)), zone, grid, covered="everywhere", around=layer(box(0, 0, 2, 1)))
    assert "resilience.rest_beyond" not in keys(near)
