"""Published tables and outlines of communes and EPCI as they are read."""

import pytest
from tests.read.communes.reader_notes import notes

from qpvgeo.codes import official
from qpvgeo.read.communes.epci import read_epci
from qpvgeo.read.communes.reader import read_communes


@pytest.mark.real
@pytest.mark.parametrize(("year", "rows"), [(2024, 35_029), (2025, 34_969), (2026, 34_969)])
def test_real_table_of_communes(real_data, year, rows):
    communes = read_communes(real_data / "admin" / f"cog{year}_communes.csv")
    collectivities = communes["region"].isna()
    assert (len(communes), collectivities.sum()) == (rows, 94)
    assert communes["cog_year"].eq(year).all()
    assert not communes.index.isin(sum(official.ARRONDISSEMENTS.values(), ())).any()


@pytest.mark.real
def test_real_outlines_of_two_years_become_those_of_one(real_data):
    admin = real_data / "admin"
    pieces = [admin / "communes_2018_regions_44_75_76.parquet", admin / "communes_2024_100m_sauf_44_75_76.parquet"]
    communes = read_communes(pieces, table=admin / "cog2024_communes.csv")
    about = communes.attrs["qpvgeo"]
    # 146 codes of 2018 no longer exist: 131 are parts of a commune nouvelle, 15 merged without a commune déléguée
    assert (len(about["moved"]), len(about["unknown"])) == (131, 15)
    # 14,022 + 21,198 outlines, without the 45 arrondissements and those moved
    assert len(communes) == 14_022 + 21_198 - 45 - 131
    assert communes.index.difference(about["unknown"]).size == 35_029
    assert communes.is_valid.all()
    assert any(note.startswith("12 invalid outlines") for note in about["notes"])
    kept = read_communes(pieces, table=admin / "cog2024_communes.csv", arrondissements="keep")
    assert len(kept) == len(communes) - 3 + 45


@pytest.mark.real
@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_real_table_of_epci(real_data, year):
    epci = read_epci(real_data / "admin" / f"cog{year}_epci.csv")
    assert len(epci) == 1255
    assert epci["nature"].value_counts()["METRO"] == 21
    assert epci["cog_year"].eq(year).all()
    same = {2025: "cog2026_epci.csv", 2026: "cog2025_epci.csv"}
    assert [note.split(": ")[0] for note in notes(epci)] == (
        [f"cog{year}_epci.csv has the same bytes as {same[year]}"] if year in same else []
    )


@pytest.mark.real
def test_outlines_of_another_year_say_so_and_of_which_regions_they_are(real_data):
    folder = real_data / "admin"
    names = ("communes_2018_regions_44_75_76.parquet", "communes_2024_100m_sauf_44_75_76.parquet")
    communes = read_communes([folder / name for name in names], table=folder / "cog2024_communes.csv")
    records = {one["file"]: one for one in communes.attrs["qpvgeo"]["files"]}
    assert (records[names[0]]["cog_year"], records[names[0]]["regions"]) == (2018, ["44", "75", "76"])
    assert records[names[1]]["cog_year"] == 2024
    assert "32" in records[names[1]]["regions"]
