"""Urban units by commune: the people of the whole unit, and the medians that the user gives."""

import pandas as pd
import pytest
from tests.builders import refused

from qpvgeo.designation import read_units, single_unit
from qpvgeo.errors import UsageError

TABLE = "CODGEO;LIBGEO;UU2020;uu_name;pop_com\n01001;A;01701;Ville;9000\n01002;B;01701;Ville;901\n01003;C;01000;;500\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_unit_has_the_people_of_all_its_communes(table):
    units = read_units(table, medians={"01701": 19_000})
    assert units.index.tolist() == ["01001", "01002"]
    assert units["population"].tolist() == [9_901, 9_901]
    assert units["median"].tolist() == [19_000, 19_000]


def test_one_median_is_that_of_all_units_and_none_is_missing(table):
    assert read_units(table, medians=18_500)["median"].tolist() == [18_500, 18_500]
    assert read_units(table)["median"].isna().all()


def test_missing_columns_and_repeated_communes_are_refused(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("CODGEO;LIBGEO\n01001;A\n", encoding="utf-8")
    error = refused(lambda: read_units(path), "designation.units_columns")
    assert {problem.values["kind"] for problem in error.problems} == {"unit", "population"}
    path.write_text("CODGEO;UU2020;pop_com\n01001;01701;1\n01001;01701;2\n", encoding="utf-8")
    refused(lambda: read_units(path), "designation.units_unusable")


@pytest.mark.parametrize("medians", [True, float("nan"), -1, {"01701": float("inf")}, {"01701": True}, {"01701": "9"}],
                         ids=str)  # fmt: skip
def test_medians_that_are_no_amounts_are_refused(table, medians):
    error = refused(lambda: read_units(table, medians=medians), "designation.units_unusable", UsageError)
    assert [problem.key for problem in error.problems] == ["designation.not_above_0"]


def test_medians_are_found_by_codes_that_lost_their_zero_and_refused_where_none_is(table):
    assert read_units(table, medians={1701: 19_000})["median"].tolist() == [19_000, 19_000]
    refused(lambda: read_units(table, medians={"59702": 19_000}), "designation.no_median_of_units", UsageError)


def test_a_median_that_is_not_known_is_missing(table):
    assert read_units(table, medians=pd.Series({"01701": None, "59702": 19_000})[:1])["median"].isna().all()


@pytest.mark.parametrize("amounts", [{"population": float("nan")}, {"median": True}, {"mean": 0}], ids=str)
def test_amounts_of_one_unit_are_numbers_above_0(amounts):
    given = {"population": 50_000, "median": 20_000} | amounts
    grid = pd.DataFrame({"communes": [["01001"]]})
    refused(lambda: single_unit(grid, **given), "designation.units_unusable", UsageError)


@pytest.mark.real
def test_the_published_units_add_up(reference):
    units = read_units(reference / "uu2020_communes_cog2024.csv")
    lille = units[units["unit"] == "59702"]
    assert len(lille) > 50
    assert lille["population"].iloc[0] > 1_000_000
