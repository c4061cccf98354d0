"""The passage between two geographies: squares by hand, random shapes, the sample, and the real pair."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.crosswalk_table import crosswalk
from qpvgeo.geographies.outcomes import CLASSES, common_zones, components, crosswalk_classes

X, Y = 700_000.0, 6_600_000.0
EXCHANGED = {
    "kept": "kept",
    "reshaped": "reshaped",
    "grown": "shrunk",
    "shrunk": "grown",
    "split": "merged",
    "merged": "split",
    "new": "dropped",
    "dropped": "new",
}


def rectangle(x, y, width=400, height=400):
    return shapely.box(X + x, Y + y, X + x + width, Y + y + height)


def layer(**shapes):
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=list(shapes), crs=2154)


def classes(before, after, **options):
    return crosswalk_classes(crosswalk(before, after, **options))["change"].to_dict()


def rows(walk, *columns):
    return walk[list(columns)].astype(object).where(walk[list(columns)].notna(), None).to_numpy().tolist()


def test_half_of_a_square_that_moved_by_half_is_shared_and_the_rest_is_told_on_both_sides():
    walk = crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(200, 0)), tolerance_m=0)
    assert rows(walk, "code_from", "code_to", "area_m2", "from_share", "to_share") == [
        ["a", "b", 80_000.0, 0.5, 0.5],
        ["a", None, 80_000.0, 0.5, None],
        [None, "b", 80_000.0, None, 0.5],
    ]


def test_perimeter_that_nothing_covers_is_a_row_of_its_own():
    walk = crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(2_000, 0)))
    assert rows(walk, "code_from", "code_to", "from_share", "to_share") == [
        ["a", None, 1.0, None],
        [None, "b", None, 1.0],
    ]


def test_strip_nowhere_wider_than_the_tolerance_is_no_pair():
    neighbour = rectangle(399, 0)
    assert len(crosswalk(layer(a=rectangle(0, 0)), layer(b=neighbour), tolerance_m=0.99).dropna()) == 1
    assert len(crosswalk(layer(a=rectangle(0, 0)), layer(b=neighbour), tolerance_m=1).dropna()) == 0


@pytest.mark.parametrize(
    ("after", "lost", "gained"),
    [
        (rectangle(0, 0), False, False),
        (rectangle(0, 0, 402), False, False),
        (rectangle(0, 0, 403), False, True),
        (rectangle(2, 0), False, False),
        (rectangle(3, 0), True, True),
        (rectangle(0, 0, 400, 397), True, False),
        # little ground, but wide: a square of 4 m
        (rectangle(0, 0).difference(rectangle(100, 100, 4, 4)), True, False),
        # much ground, but thin: 2 m on all four sides
        (rectangle(-2, -2, 404, 404), False, False),
    ],
)
def test_change_is_what_is_wider_than_the_tolerance(after, lost, gained):
    walk = crosswalk(layer(a=rectangle(0, 0)), layer(b=after), tolerance_m=2.5)
    assert walk.loc[0, ["lost", "gained"]].tolist() == [lost, gained]
    turned = crosswalk(layer(b=after), layer(a=rectangle(0, 0)), tolerance_m=2.5)
    assert turned.loc[0, ["lost", "gained"]].tolist() == [gained, lost]
    assert walk.loc[1:, ["lost", "gained"]].isna().all(axis=None)


def test_uncovered_strip_nowhere_wider_than_the_tolerance_goes_with_the_rest_of_its_perimeter():
    before, after = layer(a=rectangle(0, 0), c=rectangle(0, 400)), layer(b=rectangle(0, 0, 398, 800))
    assert rows(crosswalk(before, after, tolerance_m=2.5), "code_from", "code_to", "from_share", "to_share") == [
        ["a", "b", 1.0, 0.5],
        ["c", "b", 1.0, 0.5],
    ]
    left = crosswalk(before, after, tolerance_m=1.5)
    assert rows(left, "code_from", "code_to", "from_share")[2:] == [["a", None, 0.005], ["c", None, 0.005]]


def test_perimeter_that_two_others_cover_together_is_covered():
    before, after = layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0, 250), c=rectangle(250.5, 0, 300))
    assert crosswalk(before, after)["code_from"].notna().sum() == 2
    assert crosswalk(before, after, tolerance_m=0.4)["code_from"].notna().sum() == 3


def test_without_a_tolerance_any_ground_is_a_change():
    walk = crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0, 400.001)), tolerance_m=0)
    assert walk.loc[0, ["lost", "gained"]].tolist() == [False, True]


CASES = {
    "kept": (layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0)), {"a": "kept", "b": "kept"}),
    "shifted by the tolerance": (layer(a=rectangle(0, 0)), layer(b=rectangle(0.7, 0.7)), {"a": "kept", "b": "kept"}),
    "grown": (layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0, 500)), {"a": "grown", "b": "grown"}),
    "shrunk": (layer(a=rectangle(0, 0, 500)), layer(b=rectangle(0, 0)), {"a": "shrunk", "b": "shrunk"}),
    "reshaped": (layer(a=rectangle(0, 0)), layer(b=rectangle(100, 0)), {"a": "reshaped", "b": "reshaped"}),
    "split": (
        layer(a=rectangle(0, 0)),
        layer(b=rectangle(0, 0, 200), c=rectangle(200, 0, 200)),
        {"a": "split", "b": "split", "c": "split"},
    ),
    "merged": (
        layer(a=rectangle(0, 0, 200), b=rectangle(200, 0, 200)),
        layer(c=rectangle(0, 0)),
        {"a": "merged", "b": "merged", "c": "merged"},
    ),
    "several to several": (
        layer(a=rectangle(0, 0), b=rectangle(400, 0)),
        layer(c=rectangle(0, 0, 600), d=rectangle(600, 0, 200)),
        {"a": "reshaped", "b": "reshaped", "c": "reshaped", "d": "reshaped"},
    ),
    "new and dropped": (layer(a=rectangle(0, 0)), layer(b=rectangle(900, 0)), {"a": "dropped", "b": "new"}),
    "share of 5 %": (layer(a=rectangle(0, 0)), layer(b=rectangle(380, 0)), {"a": "dropped", "b": "new"}),
    "share above 5 %": (layer(a=rectangle(0, 0)), layer(b=rectangle(379, 0)), {"a": "reshaped", "b": "reshaped"}),
}


@pytest.mark.parametrize(("before", "after", "expected"), CASES.values(), ids=CASES)
def test_class_of_a_case_drawn_by_hand(before, after, expected):
    assert classes(before, after) == expected


@pytest.mark.parametrize(("before", "after", "expected"), CASES.values(), ids=CASES)
def test_rule_is_the_same_seen_from_the_other_end(before, after, expected):
    assert classes(after, before) == {code: EXCHANGED[kind] for code, kind in expected.items()}


def test_zone_holds_all_that_pairs_lead_to():
    chain = layer(a=rectangle(0, 0), b=rectangle(400, 0), e=rectangle(5_000, 0))
    other = layer(c=rectangle(200, 0), d=rectangle(600, 0), f=rectangle(9_000, 0))
    zones = common_zones(crosswalk(chain, other))
    assert zones["zone"].to_dict() == {"a": 0, "b": 0, "e": 1, "c": 0, "d": 0, "f": 2}


def test_points_are_counted_once_each_or_by_their_weight():
    before, after = layer(a=rectangle(0, 0)), layer(b=rectangle(200, 0))
    homes = gpd.GeoDataFrame(geometry=[rectangle(x, 10, 2, 2).centroid for x in (100, 300, 350, 500, 9_000)], crs=2154)
    walk = crosswalk(before, after, homes)
    assert rows(walk, "points", "points_from_share", "points_to_share") == [
        [2.0, 2 / 3, 2 / 3],
        [1.0, 1 / 3, None],
        [1.0, None, 1 / 3],
    ]
    assert crosswalk(before, after, homes.assign(weight=[1, 3, 4, 5, 6]))["points"].tolist() == [7, 1, 5]


def test_points_may_come_without_a_table():
    before, after = layer(a=rectangle(0, 0)), layer(b=rectangle(200, 0))
    homes = gpd.GeoSeries([rectangle(x, 10, 2, 2).centroid for x in (100, 300)], crs=2154)
    assert crosswalk(before, after, homes)["points"].tolist() == [1, 1, 0]


def test_points_in_a_strip_that_is_no_part_are_a_row():
    homes = gpd.GeoSeries([rectangle(x, 10, 2, 2).centroid for x in (10, 380)], crs=2154)
    walk = crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0, 360)), homes, tolerance_m=50)
    assert rows(walk, "code_from", "code_to", "points", "points_from_share") == [
        ["a", "b", 1, 0.5],
        ["a", None, 1, 0.5],
    ]
    assert walk["from_share"].sum() == pytest.approx(1)


def test_labels_that_are_numbers_become_text():
    before, after = (layer(a=rectangle(x, 0)).set_axis([label], axis=0) for x, label in ((0, 1), (200, 2)))
    walk = crosswalk(before, after, pd.Series({1: 10}))
    assert rows(walk, "code_from", "code_to", "from_share", "population") == [
        ["1", "2", 0.5, 5],
        ["1", None, 0.5, 5],
        [None, "2", None, None],
    ]


def test_what_overlapping_perimeters_leave_is_not_made_up_for_by_the_overlap():
    before, after = layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0, 240), c=rectangle(0, 0, 240))
    walk = crosswalk(before, after, pd.Series({"a": 1_000}))
    assert rows(walk, "code_to", "area_m2", "from_share", "population_from_share") == [
        ["b", 96_000, 0.3, 0.3],
        ["c", 96_000, 0.3, 0.3],
        [None, 64_000, 0.4, 0.4],
    ]


def test_perimeter_narrower_than_the_tolerance_is_kept_beside_itself():
    alley = layer(a=rectangle(0, 0, 20))
    assert set(classes(alley, alley.rename(index={"a": "b"}), tolerance_m=40).values()) == {"kept"}


def test_perimeter_without_a_cell_has_people_that_are_not_known():
    sample = qg.sample()
    before, after = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    grid = qg.read_grid(sample.grid_2019)
    near = grid.iloc[: len(grid) // 2]
    walk = crosswalk(before, after, near)
    people = qg.estimate_population(before, near)["estimate"]
    blank = people.index[people.isna()]
    assert len(blank)
    assert set(blank) <= set(walk.attrs["qpvgeo"]["without_weight"])
    own = walk.loc[walk["code_from"].isin(blank)]
    assert own.loc[own["code_to"].isna(), "population"].isna().all()
    assert own["population_from_share"].isna().all()
    assert own["from_share"].notna().all()


def test_grids_of_several_territories_count_together():
    sample = qg.sample()
    before, after = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    grid = qg.read_grid(sample.grid_2019)
    halves = [grid.iloc[: len(grid) // 2], grid.iloc[len(grid) // 2 :]]
    apart, near = crosswalk(before, after, halves), crosswalk(before, after, halves[0])
    assert len(apart.attrs["qpvgeo"]["without_weight"]) < len(near.attrs["qpvgeo"]["without_weight"])


@pytest.mark.parametrize("people", [{"a": -1}, {"a": np.inf}, {"a": "many"}, {}], ids=repr)
def test_people_that_are_no_number_are_listed(people):
    with pytest.raises(DataError, match="1 perimeter has no population"):
        crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0)), pd.Series(people, dtype=object))


def test_path_is_no_layer():
    with pytest.raises(UsageError, match=r"""qpv_2015 = qpvgeo.read_qpv\("qpv2015.shp"\)"""):
        crosswalk("qpv2015.shp", layer(b=rectangle(0, 0)))


def test_no_perimeters_have_no_classes():
    nothing = layer(a=rectangle(0, 0)).iloc[:0]
    walk = crosswalk(nothing, nothing)
    assert crosswalk_classes(walk).empty
    assert common_zones(walk).empty


def test_weight_that_is_none_is_listed():
    homes = gpd.GeoDataFrame({"weight": [1, -1]}, geometry=[rectangle(0, 0).centroid] * 2, crs=2154)
    with pytest.raises(DataError, match="1 point has no usable weight"):
        crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0)), homes)


def test_published_people_are_shared_out_by_area():
    walk = crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(100, 0)), pd.Series({"a": 1_000}))
    assert rows(walk, "population", "population_from_share", "population_to_share") == [
        [750.0, 0.75, None],
        [250.0, 0.25, None],
        [None, None, None],
    ]
    whole = crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(100, 0, 200)), pd.Series({"a": 1_000}))
    assert rows(whole, "population", "population_to_share") == [[500.0, 1.0], [500.0, None]]


def test_people_of_the_grid_add_up_to_those_of_each_perimeter():
    sample = qg.sample()
    before, after = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    grid = qg.read_grid(sample.grid_2019)
    walk = crosswalk(before, after, grid, tolerance_m=0)
    for side, qpv in (("code_from", before), ("code_to", after)):
        people = qg.estimate_population(qpv, grid)["estimate"]
        assert walk.groupby(side)["population"].sum().reindex(people.index).to_numpy() == pytest.approx(
            people, rel=1e-9
        )


@pytest.mark.parametrize("weights", ["area", 3, pd.DataFrame({"people": [1]})], ids=repr)
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(UsageError, match="Weights cannot be"):
        crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0)), weights)


@pytest.mark.parametrize("tolerance", [-1, np.nan, np.inf])
def test_tolerance_that_is_no_distance_is_refused(tolerance):
    with pytest.raises(UsageError, match="is not a distance"):
        crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0)), tolerance_m=tolerance)


def test_people_that_are_missing_are_listed():
    with pytest.raises(DataError, match="1 perimeter has no population"):
        crosswalk(layer(a=rectangle(0, 0)), layer(b=rectangle(0, 0)), pd.Series({"z": 1}))


def test_labels_that_repeat_are_listed():
    twice = gpd.GeoDataFrame(geometry=[rectangle(0, 0)] * 2, index=["a", "a"], crs=2154)
    with pytest.raises(DataError, match="appear several times in the layer from"):
        crosswalk(twice, layer(b=rectangle(0, 0)))


def test_label_of_both_geographies_has_no_class():
    same = layer(a=rectangle(0, 0))
    with pytest.raises(DataError, match="labels in common"):
        crosswalk_classes(crosswalk(same, same))


def test_perimeter_without_outline_is_told():
    walk = crosswalk(layer(a=rectangle(0, 0), c=None), layer(b=rectangle(0, 0)))
    assert walk.attrs["qpvgeo"]["without_outline"] == ["c"]


def mosaic(seed, count, prefix):
    """Rectangles of a chequered ground, which never overlap."""
    chance = np.random.default_rng(seed)
    at = chance.choice(25, count, replace=False)
    shapes = [rectangle(500 * (k % 5), 500 * (k // 5), *chance.integers(60, 499, 2)) for k in at]
    return layer(**{f"{prefix}{k:02d}": shape for k, shape in zip(at, shapes, strict=True)})


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 12),
    shift=st.integers(-300, 300),
    tolerance=st.sampled_from([0.0, 1.0]),
)
@example(seed=788, count=1, shift=1, tolerance=1.0)  # a strip as wide as the tolerance is no part
def test_shares_are_shares_and_add_up_whatever_the_geographies(seed, count, shift, tolerance):
    before, after = mosaic(seed, count, "a"), mosaic(seed + 1, count, "b").translate(shift, -shift)
    walk = crosswalk(before, after, tolerance_m=tolerance)
    for side, qpv in (("code_from", before), ("code_to", after)):
        assert walk[f"{side[5:]}_share"].dropna().between(0, 1).all()
        assert walk.groupby(side)[f"{side[5:]}_share"].sum().to_numpy() == pytest.approx(1, abs=1e-12)
        left_out = qpv.area - walk.groupby(side)["area_m2"].sum().reindex(qpv.index)
        assert (left_out.abs() <= 1e-12 * qpv.area + tolerance * qpv.length).all()
    turned = crosswalk(before.iloc[::-1], after.iloc[::-1], tolerance_m=tolerance)
    keys = ["code_from", "code_to"]
    pd.testing.assert_frame_equal(
        turned.sort_values(keys).reset_index(drop=True),
        walk.sort_values(keys).reset_index(drop=True),
        check_exact=False,
    )
    seen = {code: EXCHANGED[kind] for code, kind in classes(after, before).items()}
    assert seen == classes(before, after)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12))
def test_geography_beside_itself_is_kept(seed, count):
    same = mosaic(seed, count, "a")
    assert set(classes(same, same.rename(lambda code: f"b{code}")).values()) == {"kept"}


def test_each_class_occurs_in_the_sample_and_is_recognised():
    sample = qg.sample()
    found = crosswalk_classes(crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)))
    assert set(found["change"]) == set(CLASSES)
    assert found.loc[["QP099003", "QP099005", "QP099009", "QN09907N"], "change"].tolist() == [
        "split",
        "merged",
        "dropped",
        "new",
    ]
    letters = found[found["side"] == "to"].index.str[-1]
    kinds = found.loc[found["side"] == "to", "change"].to_numpy()
    assert (kinds[letters == "I"] == "kept").all()
    assert (kinds[letters == "N"] == "new").all()


@pytest.fixture(scope="module")
def hexagone(real_data):
    pair = [qg.read_qpv(f"qpv-{vintage}", data=real_data) for vintage in (2015, 2024)]
    return [qpv[qpv["territory"] == "hexagone"] for qpv in pair]


@pytest.mark.real
def test_real_pair_by_letter_of_the_code(hexagone):
    # the file of 2024 is simplified, by up to tens of metres
    found = crosswalk_classes(crosswalk(*hexagone, tolerance_m=40))
    after = found[found["side"] == "to"]
    table = pd.crosstab(after.index.str[-1], after["change"])
    assert table.loc["I"].to_dict() | {"kept": 273, "grown": 12, "shrunk": 6} == table.loc["I"].to_dict()
    assert table.loc["N", ["new", "reshaped"]].tolist() == [109, 2]
    assert table.loc["M", ["kept", "new"]].tolist() == [52, 2]
    assert (found["change"] == "dropped").sum() == 42


@pytest.mark.real
def test_real_pair_covers_each_side_to_the_square_metre(hexagone):
    walk = crosswalk(*hexagone, tolerance_m=3)
    before, after = (qpv.geometry.to_crs(2154) for qpv in hexagone)
    for side, other, own, others in (("code_from", "code_to", before, after), ("code_to", "code_from", after, before)):
        assert walk.groupby(side)[f"{side[5:]}_share"].sum().to_numpy() == pytest.approx(1, abs=1e-9)
        left = walk[walk[side].notna() & walk[other].isna()].set_index(side)["area_m2"]
        partners = walk[walk["code_from"].notna() & walk["code_to"].notna()].groupby(side)[other].agg(list)
        expected = [
            own[code].difference(shapely.union_all(others[partners.get(code, [])].to_numpy())).area
            for code in left.index
        ]
        assert left.to_numpy() == pytest.approx(expected, abs=0.1)


@pytest.mark.real
def test_points_of_bondy_are_all_counted(hexagone, real_data):
    table = pd.read_csv(real_data / "points" / "ban_bondy_93010.csv", sep=None, engine="python")
    homes = gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"]), crs=4326)
    walk = crosswalk(*hexagone, homes, tolerance_m=40)
    for side, qpv in zip(("code_from", "code_to"), hexagone, strict=True):
        held = (qg.tag_points(homes, qpv.geometry.dropna(), bands=())["state"] == "in").sum()
        assert walk.loc[walk[side].notna(), "points"].sum() == held


def test_a_small_perimeter_inside_a_large_one_is_related_to_it_by_its_own_share():
    # 1% of the large one, and the whole of the small one
    found = classes(layer(large=rectangle(0, 0, 4_000, 4_000)), layer(small=rectangle(0, 0)), tolerance_m=0)
    assert found == {"large": "shrunk", "small": "shrunk"}


@given(size=st.integers(1, 40), data=st.data())
def test_components_are_those_of_scipy_in_the_order_of_their_first_nodes(size, data):
    edges = np.array(data.draw(st.lists(st.tuples(*[st.integers(0, size - 1)] * 2))), dtype=np.intp).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges), bool), tuple(edges.T)), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    assert components(size, *edges.T).tolist() == pd.factorize(label)[0].tolist()


def test_a_chain_in_any_order_is_one_component():
    order = np.random.default_rng(5).permutation(5_000)
    assert components(5_000, order[:-1], order[1:]).tolist() == [0] * 5_000
