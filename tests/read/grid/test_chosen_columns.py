"""Columns of a grid that are kept, renamed, or given as means and rates."""

import pandas as pd
import pytest
from tests.read.grid.small_grids import (
    LILLE,
    THREE,
    content,
    notes,
    to_csv,
)

from qpvgeo.errors import DataError, UsageError
from qpvgeo.read.grid.reader import GRID_COLUMNS, read_grid

# Columns chosen


@pytest.mark.parametrize("write", THREE)
def test_keep_chooses_the_other_columns(tmp_path, write):
    path = write(content(), tmp_path)
    assert read_grid(path, keep=[]).columns.tolist() == list(GRID_COLUMNS)
    assert read_grid(path, keep=["Ind_0_3", "ind"]).columns.tolist() == [*GRID_COLUMNS, "ind_0_3"]
    with pytest.raises(DataError, match="'log_soc'"):
        read_grid(path, keep=["men_surf", "log_soc"])
    with pytest.raises(UsageError, match="one name"):
        read_grid(path, keep="men_surf")


def renamed(with_households):
    frame = content()
    people, homes = frame["ind"], frame["men"]
    extract = pd.DataFrame(
        {
            "id": frame["idcar_200m"],
            "imputed": frame["i_est_200"],
            "num_people": people,
            "mean_std_living": frame["ind_snv"] / people,
            "poverty_ratio": frame["men_pauv"] / homes,
        }
    )
    return extract.assign(homes=homes) if with_households else extract


def test_means_and_rates_become_sums_with_the_people_as_weights(tmp_path):
    grid = read_grid(to_csv(renamed(with_households=False), tmp_path), columns=LILLE)
    rate = content()["men_pauv"] / content()["men"]
    assert grid["living_standard_sum_eur"].tolist() == pytest.approx(content()["ind_snv"].tolist())
    assert grid["poor_population"].tolist() == pytest.approx((rate * content()["ind"]).tolist(), nan_ok=True)
    assert grid[["households", "poor_households"]].isna().all(axis=None)
    assert grid.attrs["qpvgeo"]["poverty_basis"] == "population"
    assert "living_standard_sum_eur is mean_std_living x num_people: the file gives a mean" in notes(grid)
    assert "id read as cell_id" in notes(grid)


def test_rates_are_weighted_with_the_households_where_they_are(tmp_path):
    grid = read_grid(to_csv(renamed(with_households=True), tmp_path), columns={**LILLE, "homes": "households"})
    assert grid["poor_households"].tolist() == pytest.approx(content()["men_pauv"].tolist(), nan_ok=True)
    assert "poor_population" not in grid
    assert grid.attrs["qpvgeo"]["poverty_basis"] == "households"


def test_the_caller_wins_over_the_published_name(tmp_path):
    frame = content().assign(people=1.0)
    grid = read_grid(to_csv(frame, tmp_path), columns={"people": "population"})
    assert grid["population"].tolist() == [1.0] * 6
    assert grid["ind_published"].tolist() == content()["ind"].tolist()


def test_the_name_of_insee_wins_over_ours(tmp_path):
    grid = read_grid(to_csv(content().assign(population=230000, poverty_rate=0.5), tmp_path))
    assert grid["population"].tolist() == content()["ind"].tolist()
    assert grid["population_published"].tolist() == [230000] * 6
    assert grid["poverty_rate_published"].tolist() == [0.5] * 6


def test_published_names_may_be_given(tmp_path):
    frame = content().rename(columns={"ind_0_3": "babies", "ind": "people"})
    grid = read_grid(to_csv(frame, tmp_path), columns={"babies": "ind_0_3", "people": "ind"}, keep=["ind_0_3"])
    assert grid["ind_0_3"].tolist() == content()["ind_0_3"].tolist()
    assert grid["population"].tolist() == content()["ind"].tolist()


def test_names_that_mean_nothing_are_listed_together(tmp_path):
    columns = {"a": "people", "b": "population", "c": "population", "d": "poverty_rate", "e": "poor_households"}
    with pytest.raises(UsageError) as error:
        read_grid(to_csv(content(), tmp_path), columns=columns)
    assert len(error.value.problems) == 3


def test_rates_in_percent_are_refused(tmp_path):
    frame = renamed(with_households=False)
    frame["poverty_ratio"] *= 100
    with pytest.raises(DataError, match="not from 0 to 1"):
        read_grid(to_csv(frame, tmp_path), columns=LILLE)
