"""Each QPV beside the rest of its unit: by hand, as properties, and on the sample."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused
from tests.resilience.test_exposed_people import box, grid_of, layer

import qpvgeo as qg
from qpvgeo.errors import UsageError
from qpvgeo.geometry.insee_lattice import parse_ids, squares
from qpvgeo.resilience import exposure_beside


def test_the_rest_is_that_of_the_unit_of_each_qpv():
    # two communes of three cells, a QPV at the west end of each; the zone covers cells 0, 4 and 5
    qpv = layer(box(0, 0, 1, 1), box(3, 0, 4, 1))
    units = layer(box(0, 0, 3, 1), box(3, 0, 6, 1), labels=["A", "B"])
    zone = layer(box(0, 0, 1, 1), box(4, 0, 6, 1))
    found = exposure_beside(qpv, zone, grid_of([100] * 6), units, covered="everywhere")
    assert found["unit"].tolist() == ["A", "B"]
    assert found["share"].tolist() == [1, 0]
    assert found["rest_share"].tolist() == [0, 1]
    assert found["rest_population"].tolist() == [200, 200]
    # over a rest in which no one is exposed there is no ratio
    assert found["ratio"].isna().tolist() == [True, False]
    assert found["ratio"].iloc[1] == 0


def test_a_qpv_outside_of_all_units_has_no_rest():
    found = exposure_beside(
        layer(box(0, 0, 1, 1)), layer(box(0, 0, 1, 1)), grid_of([1, 1]), layer(box(1, 0, 2, 1), labels=["A"])
    )
    assert found[["unit", "rest_share"]].isna().all().all()


edges = st.floats(0, 6, allow_nan=False).map(lambda value: round(value, 2))


on_cells = st.tuples(edges, edges).filter(lambda pair: min(pair) < 6)


@given(st.tuples(edges, edges), on_cells, st.lists(st.integers(1, 500), min_size=6, max_size=6))
@settings(max_examples=40, deadline=None)
def test_bounds_of_the_ratio_hold_on_random_layers(zone, area, people):
    qpv = layer(box(min(area), 0, max(area) + 0.5, 1))
    flood = layer(box(min(zone), 0, max(zone) + 0.5, 1))
    units = layer(box(0, 0, 7, 1), labels=["A"])
    row = exposure_beside(qpv, flood, grid_of(people), units, covered="everywhere").iloc[0]
    for name in ("share", "rest_share", "ratio"):
        known = [row[f"{name}{end}"] for end in ("_low", "", "_high") if not pd.isna(row[f"{name}{end}"])]
        assert known == sorted(known)
    if not pd.isna(row["ratio"]):
        assert row["ratio"] == pytest.approx(row["share"] / row["rest_share"])


def test_other_things_are_refused():
    qpv, grid = layer(box(0, 0, 1, 1)), grid_of([1], heat=[1.0])
    units = layer(box(0, 0, 2, 1))
    refused(lambda: exposure_beside(qpv, "heat", grid, units, up=3), "resilience.unknown_options", UsageError)
    refused(lambda: exposure_beside(qpv, "heat", grid, None, above=3))


def squares_of(cells):
    return shapely.box(*squares(cells).T)


def test_people_in_the_floods_of_the_sample_are_those_of_plain_intersections():
    sample = qg.sample()
    qpv, grid = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019)
    floods = gpd.read_file(sample.floods)
    cells = squares_of(parse_ids(grid.index))
    quarter = qpv.loc[["QN09904M"]].to_crs(3035).geometry.iloc[0]
    wet = quarter.intersection(floods.to_crs(3035).union_all())
    share = shapely.area(shapely.intersection(cells, wet)) / 200**2
    people = grid["population"].to_numpy(float)
    row = qg.exposure(qpv, floods, grid, covered="everywhere").loc["QN09904M"]
    assert row["estimate"] == pytest.approx((share * people).sum(), rel=1e-6)
    assert row["high"] == pytest.approx(people[share > 1e-12].sum())
    assert row["low"] == pytest.approx(people[share > 1 - 1e-9].sum())
