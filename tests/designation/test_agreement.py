"""Candidates beside official perimeters: shares between bounds, and the order of incomes within units."""

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import refused
from tests.designation.grids import ROWS, grid_of, medians_of, qpv_of, units_of

import qpvgeo as qg
from qpvgeo.errors import DataError

compare = qg.designation.compare_with_official
BOUNDS = ["eligible_low", "eligible_share", "eligible_high"]
IN_QPV = ["in_qpv_low", "in_qpv_share", "in_qpv_high"]


@pytest.fixture
def cells():
    return qg.eligible_cells(grid_of(ROWS), units_of(), national_median=20_000)


def compared(cells, *boxes, **options):
    return compare(qg.candidate_zones(cells, **options), qpv_of(*boxes))


def test_agreement_has_bounds(cells):
    # the first holds a whole poor cell and half of the next; the second a quarter of the rich one
    found = compared(cells, (0, 0, 1.5, 1), (9, 9, 9.5, 9.5))
    first, second = found.by_qpv.iloc[0], found.by_qpv.iloc[1]
    assert (first["population"], first["eligible_share"], first["eligible_low"]) == (850, 1, 1)
    assert bool(second["no_eligible_cell"])
    assert second["eligible_share"] == 0
    unit = found.by_unit.loc["U"]
    assert unit[IN_QPV].tolist() == [pytest.approx(people / 1_950) for people in (600, 850, 1_100)]
    # two of the poorest three are mostly inside: each beats the two rich ones, ties with the third poor cell
    assert unit["order"] == pytest.approx((2 + 0.5 + 2 + 0.5) / 6)
    assert found.by_zone[IN_QPV].iloc[0].tolist() == [pytest.approx(people / 1_100) for people in (600, 850, 1_100)]
    assert found.total["in_qpv_share"] == unit["in_qpv_share"]
    # 850 people of the first and a quarter of those of the rich cell
    rich = second["population"]
    assert unit["qpv_population"] == 850 + rich
    assert unit["eligible_share"] == pytest.approx(850 / (850 + rich))
    assert unit[BOUNDS].tolist() == [pytest.approx(found.total[name]) for name in BOUNDS]


@pytest.mark.parametrize(
    ("boxes", "bounds"),
    [
        # half of a poor cell: all its people are poor, wherever they live
        ((0, 0, 0.5, 1), (1, 1, 1)),
        # half of a rich cell
        ((9, 9, 9.5, 10), (0, 0, 0)),
        # a whole poor cell of 500 and half of a rich one of 500: between 500 of 1,000 and all
        ((1, 0, 2.5, 1), (1 / 2, 2 / 3, 1)),
        # halves of both: anything may be
        ((1.5, 0, 2.5, 1), (0, 1 / 2, 1)),
    ],
    ids=["half poor", "half rich", "whole and half", "halves"],
)
def test_bounds_of_what_a_perimeter_cuts(cells, boxes, bounds):
    assert compared(cells, boxes).by_qpv[BOUNDS].iloc[0].tolist() == [pytest.approx(one) for one in bounds]


def test_a_strip_of_a_cell_is_not_touched(cells):
    # 0.9 % of the rich cell at the right, and 0.9 % short of the whole poor one at the left
    found = compared(cells, (1.009, 0, 2.009, 1))
    first = found.by_qpv.iloc[0]
    assert first[["cells", "population", *BOUNDS]].tolist() == [1, 500, 1, 1, 1]
    # 1.1 % of it may hold any of its 500 people
    wider = compared(cells, (1.009, 0, 2.011, 1)).by_qpv.iloc[0]
    assert wider["cells"] == 2
    assert wider["eligible_low"] == pytest.approx(1 / 2)
    zones = compared(cells, (2, 0, 3, 1), (1.995, 0, 2, 1)).by_zone
    assert zones["no_qpv"].tolist() == [True]


def test_cells_that_are_not_known_widen_the_bounds():
    # 400 eligible, 400 not known, 200 not eligible
    cells = medians_of([(0, 0, 400, 11_000), (0, 1, 400, None), (0, 2, 200, 13_000), (9, 9, 1, 13_000)])
    found = compared(cells, (0, 0, 3, 1), (1, 0, 2, 1))
    first, second = found.by_qpv.iloc[0], found.by_qpv.iloc[1]
    assert first[BOUNDS].tolist() == [pytest.approx(one) for one in (0.4, 2 / 3, 0.8)]
    assert (second["unjudged_cells"], second["no_eligible_cell"]) == (1, pd.NA)
    assert second[BOUNDS].isna().tolist() == [False, True, False]


def test_the_order_compares_cells_of_one_unit_only():
    # in A the QPV is the poorer of two cells; in B, where all are poorer, it is the richer of three
    rows = [(0, 0, 100, 15_000), (0, 2, 100, 16_000), (5, 0, 100, 9_000), (5, 2, 100, 8_000), (5, 4, 100, 7_000)]
    units = pd.DataFrame(
        {"unit": ["A", "B"], "population": 50_000, "median": 20_000}, index=["01001", "01002"]
    )  # fmt: skip
    cells = medians_of(rows, units, communes=[["01001"]] * 2 + [["01002"]] * 3)
    found = compared(cells, (0, 0, 1, 1), (0, 5, 1, 6), min_population=0)
    assert found.by_unit["order"].to_dict() == {"A": 1, "B": 0}
    assert found.by_unit["pairs"].to_dict() == {"A": 1, "B": 2}
    assert found.by_unit["qpv_population"].to_dict() == {"A": 100, "B": 100}
    # one pair of three; all cells thrown together would give 3 of 6
    assert found.total["order"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "qpv",
    [
        qpv_of((5_000, 5_000, 5_001, 5_001)),
        qpv_of((0, 0, 1, 1)).set_crs(None, allow_override=True),
        pd.concat([qpv_of((0, 0, 1, 1))] * 2),
        qpv_of((0, 0, 1, 1)).iloc[:0],
        gpd.GeoDataFrame({"a": [1]}),
    ],
    ids=["elsewhere", "no projection", "labels twice", "none", "no shapes"],
)
def test_what_is_no_perimeter_of_the_grid_is_refused(cells, qpv):
    refused(lambda: compare(qg.candidate_zones(cells), qpv))


@pytest.mark.parametrize("backend", ["pyarrow", "numpy_nullable"])
def test_cells_of_any_make_give_the_same(cells, backend):
    plain = [name for name in cells.columns if name != "communes"]
    other = cells.assign(**{name: cells[name].convert_dtypes(dtype_backend=backend) for name in plain})
    other.attrs = cells.attrs
    qpv = qpv_of((0, 0, 1.5, 1), (9, 9, 9.5, 9.5))
    found, same = (compare(qg.candidate_zones(one), qpv) for one in (cells, other))
    pd.testing.assert_series_equal(found.total, same.total)
    judged, again = (qg.designation.judge_perimeters(qpv, one).verdicts for one in (cells, other))
    pd.testing.assert_frame_equal(judged.drop(columns="unit"), again.drop(columns="unit"))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.sampled_from([11_000, 13_000, None])), min_size=16, max_size=16),
    st.tuples(st.integers(0, 39), st.integers(0, 39), st.integers(1, 40), st.integers(1, 40)),
)
def test_shares_lie_between_their_bounds(values, box):
    west, south, wide, tall = (one / 10 for one in box)
    cells = medians_of([*((at // 4, at % 4, *value) for at, value in enumerate(values)), (20, 20, 5, 11_000)])
    found = compared(cells, (west, south, west + wide, south + tall), (20, 20, 21, 21), min_population=0)
    for table, names in (
        (found.by_qpv, BOUNDS),
        (found.by_unit, IN_QPV),
        (found.by_unit, BOUNDS),
        (found.by_zone, IN_QPV),
    ):
        known = table.loc[:, names].dropna()
        assert (known[names[0]] <= known[names[1]] + 1e-9).all()
        assert (known[names[1]] <= known[names[2]] + 1e-9).all()
        assert ((known >= 0) & (known <= 1 + 1e-9)).all(axis=None)


@pytest.mark.real
def test_lille_agrees_with_its_qpv(real_data):
    """Cells under the threshold lie in the QPV for five people of six, and cells of QPV are poorer than the others.

    National median of 2017: 21,120 euros of declared income; 19,500 for the unit is an assumption.
    """
    path = real_data / "filosofi" / "filosofi2017_200m_lille.gpkg"
    names = {"id": "cell_id", "num_people": "population", "mean_std_living": "living_standard_mean_eur"}
    grid = qg.read_grid(path, layer="enriched_grid", columns=names, keep=[])
    units = pd.DataFrame({"unit": ["59702"], "population": [1_000_000], "median": [19_500]}, index=["59350"])
    cells = qg.eligible_cells(grid, units, national_median=21_120)
    assert cells["threshold_eur"].dropna().unique().tolist() == [12_400]
    qpv = gpd.read_file(path, layer="qpvs").set_index("CODE_QP")
    agreement = compare(qg.candidate_zones(cells), qpv)
    assert agreement.total["order"] == pytest.approx(0.964, abs=0.002)
    assert agreement.total["in_qpv_share"] == pytest.approx(0.83, abs=0.01)


@pytest.mark.real
def test_bondy_of_2019_with_its_qpv_of_2024(real_data):
    grid = qg.read_grid(real_data / "filosofi" / "filosofi2019_200m_bondy.gpkg", layer="bondy")
    units = qg.designation.single_unit(grid, population=10_700_000, median=23_000, mean=28_000)
    cells = qg.eligible_cells(grid, units, national_median=21_930, regime="2023")
    # the weights are swapped in the unit of Paris: 0.6 x (0.3 x 21,930 + 0.7 x 23,000) = 13,607.4
    assert cells["threshold_eur"].unique().tolist() == [13_700]
    qpv = qg.read_qpv(real_data / "qpv2024" / "qpv2024_bondy_clip_fullres.gpkg")
    total = compare(qg.candidate_zones(cells), qpv).total
    assert total[["eligible_share", "in_qpv_share", "order"]].round(3).tolist() == [0.677, 0.636, 0.781]
    assert total["qpv_without_eligible_cell"] == 0


def test_people_may_be_those_of_another_grid(cells):
    later = grid_of(ROWS).assign(population=lambda frame: frame["population"] * 2)
    zones, official = qg.candidate_zones(cells), qpv_of((0, 0, 1.5, 1))
    found = compare(zones, official, later)
    assert found.by_qpv["population"].iloc[0] == 2 * compare(zones, official).by_qpv["population"].iloc[0]
    error = refused(lambda: compare(zones, official, later.iloc[1:]), "designation.other_grid", DataError)
    assert error.message.values["count"] == 1
