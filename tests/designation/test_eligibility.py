"""What cells cannot be judged by: other territories, amounts that are none."""

import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError

NORTH, EAST = 2_000_000, 4_000_000


def grid_of(communes):
    ids = [f"CRS3035RES200mN{NORTH}E{EAST + 200 * n}" for n in range(len(communes))]
    columns = {"population": 100.0, "households": 40.0, "poor_households": 20.0, "living_standard_sum_eur": 900_000.0}
    frame = pd.DataFrame({**columns, "imputed": False, "communes": [[code] for code in communes]}, index=ids)
    return frame.rename_axis("cell_id")


def units_of(communes, **columns):
    return pd.DataFrame({"unit": "A", "population": 45_000, "median": 19_000, **columns}, index=list(communes))


@pytest.mark.parametrize(
    ("commune", "regime", "key"),
    [
        ("97302", "2014", "designation.other_method"),
        ("97102", "2014", "designation.other_method"),
        ("97602", "martinique-reunion-2014", "designation.other_method"),
        ("97202", "2014", "designation.own_thresholds"),
        ("59350", "martinique-reunion-2014", "designation.not_own_thresholds"),
    ],
)
def test_a_territory_of_another_method_is_refused_by_name(commune, regime, key):
    with pytest.raises(UsageError) as error:
        qg.eligible_cells(grid_of([commune]), units_of([commune]), national_median=21_730, regime=regime)
    assert [problem.key for problem in error.value.problems] == [key]


def test_the_threshold_of_martinique_has_its_regime():
    cells = qg.eligible_cells(
        grid_of(["97202"]), units_of(["97202"]), national_median=21_730, regime="martinique-reunion-2014"
    )
    assert len(cells) == 1


def test_the_density_of_the_regime_is_asked_of_zones():
    # 25 cells of 100 people: 2,500 to the square kilometre; of 40 people: 1,000
    dense = grid_of(["97202"] * 25)
    units = units_of(["97202"], mean=20_000)
    cells = qg.eligible_cells(dense, units, national_median=21_730, regime="martinique-reunion-2014")
    assert len(qg.candidate_zones(cells).zones) == 1
    sparse = cells.assign(population=41.0)
    sparse.attrs = cells.attrs
    assert len(qg.candidate_zones(sparse).zones) == 0


@pytest.mark.parametrize("median", [float("nan"), 0, -1, float("inf"), "much", None])
def test_a_national_median_that_is_no_amount_is_refused(median):
    with pytest.raises(UsageError):
        qg.eligible_cells(grid_of(["59350"]), units_of(["59350"]), national_median=median)


@pytest.mark.parametrize("columns", [{"median": 0}, {"mean": -5}, {"mean": float("inf")}, {"population": -1}])
def test_amounts_of_units_are_above_0(columns):
    with pytest.raises(DataError) as error:
        qg.eligible_cells(grid_of(["59350"]), units_of(["59350"], **columns), national_median=21_730)
    assert {problem.key for problem in error.value.problems} == {"designation.unit_amount"}


@pytest.mark.parametrize("least", [float("nan"), float("inf"), -1])
def test_a_minimum_that_is_no_number_of_people_is_refused(least):
    cells = qg.eligible_cells(grid_of(["59350"]), units_of(["59350"]), national_median=21_730)
    with pytest.raises(UsageError):
        qg.candidate_zones(cells, min_population=least)
