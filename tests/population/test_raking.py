"""Raking: shares worked out by hand, totals met or said not to be, cells that keep their people."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import qpvgeo as qg
from qpvgeo.errors import DataError
from qpvgeo.geometry.cell_cover import Cover, cover
from qpvgeo.geometry.insee_lattice import Cells, Lattice, locate, parse_ids
from qpvgeo.population import raking
from qpvgeo.read.grid.reader import read_grid

INSEE = Lattice(3035, 200)


def rake(constraint, shares, people, communes=None):
    """Rake a matrix of shares, a row per perimeter (A, B, ...) and a column per cell; zero where they do not meet.

    Returns the new matrix, the matrix of scales, and what is told.
    """
    shares = np.asarray(shares, dtype=float)
    area, at = np.nonzero(shares)
    labels = pd.Index([chr(ord("A") + k) for k in range(len(shares))])
    grid = pd.DataFrame({"population": people})
    if communes is not None:
        grid["communes"] = communes
    found = Cover(area, Cells(INSEE, at * 200, at * 0), shares[area, at], np.ones(len(shares)))
    new, scale, told = raking.apply(pd.Series(constraint), found, at, shares[area, at], grid, labels)
    weights, scales = np.zeros_like(shares), np.ones_like(shares)
    weights[area, at], scales[area, at] = new, scale
    return weights, scales, told


@st.composite
def raked(draw):
    """Shares of perimeters that do not overlap, people of cells, and totals that some raking of them gives."""
    areas, cells = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    parts = st.integers(0, 5)
    matrix = np.array(draw(st.lists(st.lists(parts, min_size=cells, max_size=cells), min_size=areas, max_size=areas)))
    outside = np.array(draw(st.lists(st.integers(1, 5), min_size=cells, max_size=cells)))
    shares = matrix / (matrix.sum(axis=0) + outside)
    people = np.array(draw(st.lists(st.integers(1, 500), min_size=cells, max_size=cells)), dtype=float)
    factors = np.array(draw(st.lists(st.floats(0.2, 5), min_size=areas, max_size=areas)))[:, None]
    moved = shares * factors
    moved /= moved.sum(axis=0) + 1 - shares.sum(axis=0)
    totals = (moved * people).sum(axis=1)
    return shares, people, totals


def test_one_perimeter_by_hand_moves_the_odds_of_all_its_cells_alike():
    # odds 1 and 1/4 become 4 and 1: shares 4/5 and 1/2
    weights, _, told = rake({"A": 130.0}, [[0.5, 0.2]], [100.0, 100.0])
    assert weights == pytest.approx(np.array([[0.8, 0.5]]), abs=1e-5)
    assert told["constraint"]["unmet"] == []


def test_two_perimeters_in_two_cells_by_hand():
    # odds against the outside: those of A grow fourfold, those of B twofold
    first, second = np.array([2, 0.5, 0.25]) / 2.75, np.array([0.8, 0.6, 0.5]) / 1.9
    totals = {"A": 100 * (first[0] + second[0]), "B": 100 * (first[1] + second[1])}
    weights, _, _ = rake(totals, [[0.5, 0.2], [0.25, 0.3]], [100.0, 100.0])
    assert weights == pytest.approx(np.array([[first[0], second[0]], [first[1], second[1]]]), abs=1e-5)


def test_shares_that_meet_the_totals_stay():
    weights, _, told = rake({"A": 70.0}, [[0.5, 0.2]], [100.0, 100.0])
    assert weights == pytest.approx(np.array([[0.5, 0.2]]), abs=1e-12)
    assert told["constraint"]["rounds"] == 1


def test_cell_wholly_inside_stays_so():
    weights, _, _ = rake({"A": 150.0}, [[1.0, 0.2]], [100.0, 100.0])
    assert weights == pytest.approx(np.array([[1.0, 0.5]]), abs=1e-5)


def test_perimeter_without_total_gives_way_only_in_cells_it_shares():
    weights, _, told = rake({"A": 80.0}, [[0.5, 0.0], [0.5, 0.3]], [100.0, 100.0])
    assert weights == pytest.approx(np.array([[0.8, 0.0], [0.2, 0.3]]), abs=1e-5)
    assert told["targets"].isna().tolist() == [False, True]


def test_totals_are_told_in_the_order_of_the_perimeters():
    _, _, told = rake({"B": 30.0, "elsewhere": 7.0, "A": 60.0}, [[0.5, 0.0], [0.0, 0.5]], [100.0, 100.0])
    assert told["targets"].to_dict() == {"A": 60.0, "B": 30.0}


def test_cell_without_people_keeps_its_share():
    weights, _, told = rake({"A": 60.0}, [[0.5, 0.25]], [100.0, 0.0])
    assert weights == pytest.approx(np.array([[0.6, 0.25]]), abs=1e-5)
    assert told["constraint"]["unmet"] == []


@pytest.mark.parametrize(("total", "bound"), [(500.0, 1.0), (120.0, 1.0)])
def test_total_above_the_bound_is_said_unmet_and_the_cells_are_filled(total, bound):
    weights, _, told = rake({"A": total, "B": 60.0}, [[0.5, 0.0], [0.0, 0.5]], [100.0, 100.0])
    assert told["constraint"]["unmet"] == ["A"]
    assert weights[0, 0] == pytest.approx(bound, abs=1e-3)
    assert weights[1, 1] == pytest.approx(0.6, abs=1e-5)


def test_total_under_the_people_wholly_inside_is_said_unmet():
    weights, _, told = rake({"A": 50.0, "B": 60.0}, [[1.0, 0.0], [0.0, 0.5]], [100.0, 100.0])
    assert told["constraint"]["unmet"] == ["A"]
    assert weights == pytest.approx(np.array([[1.0, 0.0], [0.0, 0.6]]), abs=1e-5)


def test_total_of_a_perimeter_without_people_is_said_unmet():
    _, _, told = rake({"A": 50.0}, [[0.5]], [0.0])
    assert (told["constraint"]["unmet"], told["constraint"]["max_gap"]) == (["A"], 1.0)


def test_totals_of_perimeters_without_any_cell_are_no_gap():
    weights, _, told = rake({"A": 50.0}, [[0.0]], [100.0])
    assert weights.tolist() == [[0.0]]
    assert told["constraint"]["max_gap"] is None


def test_total_of_a_perimeter_whose_people_are_not_known_is_said_unmet():
    _, _, told = rake({"A": 50.0, "B": 60.0}, [[0.5, 0.0], [0.0, 0.5]], [np.nan, 100.0])
    assert told["constraint"]["unmet"] == ["A"]


def test_largest_gap_is_told():
    _, _, told = rake({"A": 200.0, "B": 60.0}, [[0.5, 0.0], [0.0, 0.5]], [100.0, 100.0])
    assert told["constraint"]["max_gap"] == pytest.approx(0.5, abs=1e-3)
    assert told["constraint"]["by"] == "perimeter"


@settings(max_examples=150, deadline=None)
@given(case=raked())
def test_totals_within_reach_are_met(case):
    shares, people, totals = case
    there = totals > 0
    constraint = {chr(ord("A") + k): totals[k] for k in np.flatnonzero(there)} or {"A": 1.0}
    weights, _, told = rake(constraint, shares, people)
    assert (weights * people).sum(axis=1)[there] == pytest.approx(totals[there], rel=raking.TOLERANCE)
    assert told["constraint"]["unmet"] == []


@settings(max_examples=150, deadline=None)
@given(case=raked(), times=st.lists(st.floats(0.01, 50), min_size=4, max_size=4))
def test_shares_stay_shares_whatever_the_totals(case, times):
    shares, people, totals = case
    constraint = {chr(ord("A") + k): max(total, 0.1) * times[k] for k, total in enumerate(totals)}
    weights, scales, _ = rake(constraint, shares, people)
    assert (weights >= 0).all()
    assert (weights.sum(axis=0) <= 1 + 1e-12).all()
    assert (scales == 1).all()


@settings(max_examples=100, deadline=None)
@given(case=raked(), times=st.floats(0.1, 10))
def test_cells_shared_out_whole_keep_their_people(case, times):
    """With the outside as one more perimeter, nothing may come in or go out."""
    shares, people, totals = case
    whole = np.vstack([shares, 1 - shares.sum(axis=0)])
    weights, _, _ = rake({"A": max(totals[0], 0.1) * times}, whole, people)
    assert (weights * people).sum(axis=0) == pytest.approx(people, rel=1e-12)


COMMUNES = [["59350"], ["59350", "59512"], ["59512"]]


def test_cells_of_communes_are_scaled_by_hand():
    # 150 people in each commune, the middle cell half in each
    weights, scales, told = rake({"59350": 300.0, "59512": 150.0}, [[1.0, 1.0, 0.5]], [100.0] * 3, COMMUNES)
    assert scales.tolist() == [[2.0, 1.5, 1.0]]
    assert weights.tolist() == [[1.0, 1.0, 0.5]]
    assert told["constraint"] == {"by": "commune", "rounds": 1, "max_gap": 0.0, "unmet": []}


def test_commune_without_total_keeps_its_people():
    _, scales, _ = rake({"59350": 300.0}, [[1.0, 1.0, 1.0]], [100.0] * 3, COMMUNES)
    assert scales.tolist() == [[2.0, 1.5, 1.0]]


def test_cell_of_no_commune_keeps_its_people():
    _, scales, _ = rake({"59350": 300.0}, [[1.0, 1.0, 1.0]], [100.0] * 3, [["59350"], None, []])
    assert scales.tolist() == [[3.0, 1.0, 1.0]]


@pytest.mark.parametrize(
    "communes",
    [
        [tuple(found) for found in COMMUNES],
        [np.array(found, object) for found in COMMUNES],
        ["".join(found) for found in COMMUNES],
        [", ".join(found) for found in COMMUNES],
        pd.array(COMMUNES, dtype=pd.ArrowDtype(pa.list_(pa.string()))),
    ],
    ids=["tuples", "arrays", "run together", "text", "Arrow lists"],
)
def test_communes_are_read_in_any_form(communes):
    _, scales, _ = rake({"59350": 300.0, "59512": 150.0}, [[1.0, 1.0, 1.0]], [100.0] * 3, communes)
    assert scales.tolist() == [[2.0, 1.5, 1.0]]


@settings(max_examples=100, deadline=None)
@given(
    cells=st.lists(
        st.tuples(st.integers(1, 900), st.sets(st.sampled_from(["59001", "59002", "59003"]), min_size=1)),
        min_size=1,
        max_size=9,
    ),
    total=st.floats(1, 1e6),
)
def test_people_of_communes_add_up_to_their_totals(cells, total):
    people, communes = [float(number) for number, _ in cells], [sorted(codes) for _, codes in cells]
    there = {code for codes in communes for code in codes}
    constraint = {code: total * (k + 1) for k, code in enumerate(sorted(there))}
    _, scales, _ = rake(constraint, np.ones((1, len(cells))), people, communes)
    assert np.dot(scales[0], people) == pytest.approx(sum(constraint.values()))


def test_commune_that_the_grid_does_not_have_is_said_unmet():
    _, _, told = rake({"59350": 300.0, "75056": 10.0}, [[1.0, 1.0, 1.0]], [100.0] * 3, COMMUNES)
    assert told["constraint"]["unmet"] == ["75056"]


def test_commune_with_a_cell_whose_people_are_not_known_is_not_scaled_but_said_unmet():
    _, scales, told = rake({"59350": 300.0}, [[1.0, 1.0, 1.0]], [100.0, np.nan, 100.0], COMMUNES)
    assert told["constraint"]["unmet"] == ["59350"]
    assert scales[0, 0] == 1.0


def test_totals_of_nobody_are_refused():
    with pytest.raises(DataError, match="None of the totals"):
        rake({"75056": 10.0}, [[1.0, 1.0, 1.0]], [100.0] * 3, COMMUNES)


def test_totals_by_commune_need_a_grid_that_says_its_communes():
    with pytest.raises(DataError, match="does not say its communes"):
        rake({"59350": 10.0}, [[1.0]], [100.0])


def test_bad_totals_are_listed():
    bad = {"A": 0, "B": -1.0, "C": None, "D": "many", "E": np.inf, "F": 3.0}
    with pytest.raises(DataError, match="5 totals are not numbers above zero") as caught:
        rake(bad, [[0.5]], [100.0])
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["A", "B", "C", "D", "E"]


@pytest.mark.parametrize("labels", [["A", "A", "B"], ["59350", "59350", "59512"]], ids=["perimeters", "communes"])
def test_totals_that_stand_twice_are_listed(labels):
    with pytest.raises(DataError, match="several times") as caught:
        rake(pd.Series([10.0, 20.0, 30.0], index=labels), [[1.0, 1.0, 1.0]], [100.0] * 3, COMMUNES)
    assert caught.value.problems == (labels[0],)


@pytest.mark.real
def test_every_cell_of_lille_keeps_its_people_when_published_totals_are_met(real_data):
    path = real_data / "filosofi" / "filosofi2017_200m_lille.gpkg"
    names = {"id": "cell_id", "num_people": "population"}
    grid = read_grid(path, layer="enriched_grid", columns=names, keep=[])
    qpv = pyogrio.read_dataframe(path, layer="qpvs").set_index("CODE_QP")
    published = qg.read_population(real_data / "qpv2015" / "pop_qp_2013.csv")["population"]
    cells = parse_ids(grid.index)
    found = cover(qpv, cells.lattice)
    known = locate(found.cells, cells) >= 0
    kept = Cells(cells.lattice, found.cells.north[known], found.cells.east[known])
    found = Cover(found.area[known], kept, found.share[known], found.size_m2)
    at = locate(found.cells, cells)
    weights, scale, told = raking.apply(published, found, at, found.share, grid, qpv.index)

    people = grid["population"].to_numpy()
    inside = np.bincount(at, weights * people[at], len(grid))
    outside = people - inside
    assert (inside <= people * (1 + 1e-12)).all()
    assert inside.sum() + outside.sum() == pytest.approx(people.sum(), rel=1e-12)
    assert (scale == 1).all()
    assert weights[found.share == 1.0] == pytest.approx(1.0, rel=1e-12)
    reached = np.bincount(found.area, weights * people[at], len(qpv))
    assert reached == pytest.approx(published.reindex(qpv.index).to_numpy(float), rel=1e-3)
    assert told["constraint"]["unmet"] == []


def test_a_cell_wholly_inside_keeps_its_people_even_where_perimeters_overlap():
    square = shapely.box(3_800_000, 3_000_000, 3_800_200, 3_000_200)
    grid = pd.DataFrame({"population": [100.0]}, index=["CRS3035RES200mN3000000E3800000"])
    both = gpd.GeoSeries([square, square], index=["a", "b"], crs=3035)
    found = qg.estimate_population(both, grid, method="constrained", constraint=pd.Series({"a": 120.0, "b": 60.0}))
    assert found["estimate"].tolist() == [100.0, 100.0]
    assert found.attrs["qpvgeo"]["constraint"]["unmet"] == ["a", "b"]


def test_totals_by_commune_are_refused_on_a_grid_that_was_cut():
    sample = qg.sample()
    qpv = qg.read_qpv(sample.qpv_2024)
    grid = qg.read_grid(sample.grid_2019, where=qpv)
    with pytest.raises(DataError, match="not all there"):
        qg.estimate_population(qpv, grid, constraint=pd.Series({"99001": 60_000.0}))
