"""Columns of published tables, and what they are taken for."""

import geopandas as gpd
import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo.codes import official
from qpvgeo.codes.guess import guess_codes


@pytest.fixture(scope="module")
def cog(real_data):
    """Lists of communes by year; that of 2018 holds three regions alone."""
    lists = {year: qg.read_communes(real_data / "admin" / f"cog{year}_communes.csv") for year in (2024, 2025, 2026)}
    old = pd.read_parquet(real_data / "admin" / "communes_2018_regions_44_75_76.parquet", columns=["code"])
    return {2018: old} | lists


@pytest.fixture(scope="module")
def indicators(real_data):
    """Insee's indicators by commune and QPV, as text."""
    return pd.read_csv(real_data / "qpv2024" / "insee_indicateurs_qpv2024.csv", dtype="str", keep_default_na=False)


@pytest.fixture(scope="module")
def populations(real_data):
    """Insee's populations of 2013, as text."""
    return pd.read_csv(real_data / "qpv2015" / "pop_qp_2013.csv", sep=";", dtype="str")


@pytest.mark.real
@pytest.mark.parametrize(
    ("column", "best", "share", "exact"),
    [
        ("COG", "commune", 1, 1641),
        ("codeQPV", "qpv 2024", 1, 1713),
        ("insee_dep", "department", 1, 1641),
        ("insee_reg", "region", 1, 0),
        ("siren_epci", "epci", 1498 / 1713, 1475),
        ("popMuniQPV", None, None, None),
        ("indiceJeunesse", None, None, None),
        ("lib_com", None, None, None),
    ],
)
def test_columns_of_the_indicators(indicators, column, best, share, exact):
    told = guess_codes(indicators[column])
    assert (told.best, told.tied) == (best, ())
    if best:
        assert told.readings.loc[best, ["share", "exact"]].tolist() == [share, exact]


@pytest.mark.real
def test_epci_of_the_indicators_are_epts_in_the_grand_paris_and_the_commune_in_paris(indicators):
    told = guess_codes(indicators["siren_epci"])
    odd = told.misfits[told.misfits["code"].isna()]
    assert odd["looks_like"].value_counts().to_dict() == {"ept": 187, "siren, iris": 24, "siren": 4}
    assert set(odd.loc[odd["looks_like"] == "siren, iris", "value"]) == {"217500016"}
    assert told.readings.loc["epci", "lists"] == 23


@pytest.mark.real
def test_communes_of_the_indicators_are_those_of_2024(indicators, cog):
    told = guess_codes(indicators["COG"], communes=cog)
    assert told.best == "commune 2024"
    assert told.readings["count"][["commune 2024", "commune 2025", "commune 2026"]].tolist() == [1713, 1710, 1710]
    assert told.misfits["repair"].value_counts().to_dict() == {"zeros restored": 72, "arrondissement": 24}


@pytest.mark.real
@pytest.mark.parametrize(
    ("column", "best", "missing"), [("qp", "qpv 2015", 0), ("reg", "region", 78), ("epci1", "epci", 169)]
)
def test_columns_of_the_populations_of_2013(populations, column, best, missing):
    told = guess_codes(populations[column])
    assert (told.best, told.missing) == (best, missing)
    assert told.readings.loc[best, "exact_share"] == 1
    assert told.misfits.empty


@pytest.mark.real
def test_epci_of_2013_are_told_from_those_of_2024(populations, real_data):
    epci = qg.read_epci(real_data / "admin" / "cog2024_epci.csv")
    told = guess_codes(populations["epci1"], epci=epci)
    assert told.best == "epci"
    assert told.readings.loc[["epci", "siren"], "count"].tolist() == [797, 1345]


@pytest.mark.real
def test_urban_units_have_the_form_of_communes_but_are_in_no_list(populations, cog):
    told = guess_codes(populations["uu"], communes=cog)
    assert (told.best, told.tied) == (None, ())
    assert told.readings.loc["commune", "share"] > 0.5


@pytest.mark.real
@pytest.mark.parametrize(
    ("column", "best", "missing"),
    [
        ("code", "commune", 0),
        ("departement", "department", 0),
        ("region", "region", 0),
        ("siren", "siren", 2703),
        ("epci", "epci", 2134),
    ],
)
def test_columns_of_the_cog(real_data, column, best, missing):
    table = pd.read_csv(real_data / "admin" / "cog2024_communes.csv", dtype="str", keep_default_na=False)
    told = guess_codes(table[column])
    assert (told.best, told.missing) == (best, missing)
    assert told.readings.loc[best, "exact_share"] == 1


@pytest.mark.real
@pytest.mark.parametrize(
    ("year", "leaders"),
    [
        (2018, ["commune 2018"]),
        (2024, ["commune 2024"]),
        (2025, ["commune 2026", "commune 2025"]),  # the two lists hold the same codes
        (2026, ["commune 2026", "commune 2025"]),
    ],
)
def test_year_of_a_list_of_communes_is_found(cog, year, leaders):
    listed = cog[year]["code"] if year == 2018 else cog[year].index.to_series()
    told = guess_codes(listed, communes=cog)
    assert (list(told.tied) or [told.best]) == leaders
    assert told.readings.loc[leaders, ["exact_share", "list_share"]].to_numpy().tolist() == [[1, 1]] * len(leaders)


@pytest.mark.real
def test_postal_codes_are_not_communes(real_data, cog):
    addresses = pd.read_csv(real_data / "points" / "ban_bondy_93010.csv", dtype="str")
    assert guess_codes(addresses["code_postal"], communes=cog).best is None
    assert guess_codes(addresses["code_insee"], communes={2024: cog[2024]}).best == "commune 2024"


@pytest.mark.real
def test_communes_run_together_in_the_grid_are_taken_apart(real_data):
    cells = gpd.read_file(real_data / "filosofi" / "filosofi2019_200m_bondy.gpkg", layer="bondy")
    told = guess_codes(cells["lcog_geo"])
    assert told.best == "commune"
    assert told.readings.loc["commune", ["count", "exact", "lists"]].tolist() == [164, 97, 67]
    assert set(told.misfits["repair"]) == {"list without separator"}
    assert told.misfits["code"].str.split(", ").explode().map(lambda code: official.of_commune(code) == "93").all()
