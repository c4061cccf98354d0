"""From a folder of published files to the figures that were published: what a reader can check by hand."""

import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo.indicators.totals import OVERSEAS_SCOPE, TOTAL, headline
from qpvgeo.sources import recognise

pytestmark = pytest.mark.real


def people(folder, vintage):
    return qg.read_population(recognise.find("population", vintage, folder)[0])


@pytest.fixture(scope="module")
def qpv(real_data):
    return {vintage: qg.read_qpv(f"qpv-{vintage}", data=real_data) for vintage in (2015, 2024)}


@pytest.fixture(scope="module")
def population(real_data):
    return {vintage: people(real_data, vintage) for vintage in (2015, 2024)}


@pytest.fixture(scope="module")
def links(real_data, qpv, population):
    outlines, tables = recognise.communes_at_hand(real_data)
    communes = qg.read_communes(outlines, table=tables[0])
    return {
        vintage: qg.join_communes(qpv[vintage], communes, population=population[vintage]) for vintage in (2015, 2024)
    }


@pytest.mark.parametrize(
    ("vintage", "expected"),
    [
        (
            2015,
            {
                "n_qpv": 1514,
                "population": 5_435_060,
                "population_year": 2013,
                "share_scope": OVERSEAS_SCOPE,
                "share_population": 5_353_790,
                "denominator": 65_777_356,
                "denominator_year": 2013,
                "share": 0.0814,
            },
        ),
        (
            2024,
            {
                "n_qpv": 1609,
                "population": 5_931_940,
                "population_year": 2020,
                "share_scope": "hexagone",
                "share_population": 5_307_455,
                "denominator": 65_269_154,
                "denominator_year": 2020,
                "share": 0.0813,
            },
        ),
    ],
)
def test_two_shares_of_8_percent_are_two_ratios(qpv, population, vintage, expected):
    lead = headline(qg.summary(qpv[vintage], population=population[vintage]))
    assert {**lead, "share": round(lead["share"], 4)} == expected


def test_numbers_of_2015_by_territory(qpv, population):
    figures = qg.summary(qpv[2015], population=population[2015])
    assert figures["n_qpv"].to_dict() == {
        "hexagone": 1296,
        "971": 16,
        "972": 7,
        "973": 32,
        "974": 49,
        "976": 36,
        "978": 2,
        "987": 76,
        OVERSEAS_SCOPE: 1436,
        TOTAL: 1514,
    }
    hexagone = figures.loc["hexagone"]
    assert hexagone[["population", "denominator"]].tolist() == [4_856_046, 63_697_865]
    assert f"{hexagone['share']:.2%}" == "7.62%"


def test_area_of_the_hexagone_in_2015_as_published_and_as_mended(qpv):
    areas = qg.summary(qpv[2015]).loc["hexagone", ["qpv_area_published_km2", "qpv_area_km2"]]
    assert areas.tolist() == pytest.approx([386.26, 386.31], abs=0.005)


def test_numbers_of_2024_in_the_hexagone(qpv, population):
    hexagone = qg.summary(qpv[2024], population=population[2024]).loc["hexagone"]
    assert hexagone[["n_qpv", "population"]].tolist() == [1362, 5_307_455]
    assert f"{hexagone['share']:.2%}" == "8.13%"
    assert round(hexagone["population"] / hexagone["n_qpv"]) == 3897


def test_people_of_2024_are_not_counted_once_per_commune(qpv, population):
    figures = qg.summary(qpv[2024], population=population[2024])
    assert figures.loc[OVERSEAS_SCOPE, "population"] == 5_931_940


@pytest.mark.parametrize(
    ("year", "total", "denominator", "share"),
    [(2018, 5_360_753, 66_989_056, "8.00%"), (2013, 5_353_790, 65_777_356, "8.14%")],
)
def test_share_of_2015_by_census(qpv, reference, year, total, denominator, share):
    table = qg.read_population(reference / "qpv2015_list.csv", year=year)
    scope = qg.summary(qpv[2015], population=table).loc[OVERSEAS_SCOPE]
    assert scope[["n_qpv", "population", "denominator"]].tolist() == [1436, total, denominator]
    assert f"{scope['share']:.2%}" == share


@pytest.mark.parametrize(("vintage", "year"), [(2015, 2013), (2024, 2020)])
def test_files_agree_with_the_facts(qpv, population, vintage, year):
    computed = qg.summary(qpv[vintage], population=population[vintage])
    published = qg.indicators.published_summary(vintage, year=year)
    columns = ["n_qpv", "n_with_population", "population", "denominator", "share"]
    pd.testing.assert_frame_equal(computed[columns], published[columns])


@pytest.mark.parametrize("vintage", [2015, 2024])
@pytest.mark.parametrize("by", ["territory", "department", "region"])
def test_coverage_and_summary_say_the_same(qpv, population, links, vintage, by):
    summed = qg.summary(qpv[vintage], population=population[vintage], by=by).drop(index=[TOTAL, OVERSEAS_SCOPE])
    covered = qg.coverage(links[vintage], by=by).loc[summed.index]
    assert covered["n_qpv"].tolist() == summed["n_qpv"].tolist()
    assert covered["qpv_population"].fillna(-1).tolist() == pytest.approx(summed["population"].fillna(-1).tolist())
    assert covered["share"].fillna(-1).tolist() == pytest.approx(summed["share"].fillna(-1).tolist())


@pytest.mark.parametrize(
    ("region", "vintage", "count", "total", "share"),
    [
        ("11", 2015, 272, 1_546_031, 12.93),
        ("32", 2015, 199, 667_970, 11.16),
        ("93", 2015, 128, 511_191, 10.32),
        ("53", 2015, 32, 89_040, 2.73),
        ("11", 2024, 298, 1_703_219, 13.88),
        ("32", 2024, 204, 753_115, 12.56),
        ("93", 2024, 135, 539_121, 10.57),
        ("94", 2024, 5, 17_932, 5.22),
    ],
)
def test_regions_that_were_published(links, region, vintage, count, total, share):
    row = qg.coverage(links[vintage], by="region").loc[region]
    assert row[["n_qpv", "qpv_population"]].tolist() == [count, total]
    assert round(row["share"] * 100, 2) == share


def test_communes_with_a_qpv(links):
    communes = qg.coverage(links[2024], by="commune")
    assert len(communes) == 833
    hexagone = communes.index[~communes.index.str.startswith(("97", "98"))]
    assert len(hexagone) == 775


def test_qpv_in_several_communes(links):
    assert (links[2024]["qpv_code"].value_counts() > 1).sum() == 149


def test_the_most_populated_qpv(population):
    assert population[2024]["population"].idxmax() == "QN09328M"
    assert population[2024]["population"].max() == 132_511


def test_perimeters_keep_the_hash_of_every_file(qpv):
    records = qpv[2015].attrs["qpvgeo"]["files"]
    assert len(records) == 9
    assert {len(record["sha256"]) for record in records} == {64}


def test_the_geography_in_force_on_a_day_has_the_count_of_its_file(qpv):
    assert qg.geography(on="2023-06-30").attrs["n_qpv"] == len(qpv[2015])
    assert qg.geography(on="2025-06-30").attrs["n_qpv"] == len(qpv[2024])
