"""Files downloaded by hand go into the cache whole, and stand for no key that they may not be."""

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.errors import HashMismatchError
from qpvgeo.sources import hash_record, manual_downloads

ADDRESSES = {
    "www.insee.fr/fr/statistiques/fichier/6683035/ensemble.zip": "communes-population-2020-zip",
    "etalab-datasets.geo.data.gouv.fr/contours-administratifs/2025/geojson/communes-100m.geojson.gz": (
        "communes-outlines-2025-100m-gz"
    ),
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "Downloads"
    made.mkdir()
    return made


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_folders_of_an_address_say_the_year(producers, folder, address):
    (folder / address).parent.mkdir(parents=True)
    (folder / address).write_bytes(producers.files[address])
    (found,) = manual_downloads.take(folder)
    assert (found.key, found.state) == (ADDRESSES[address], "taken")


def test_a_shapefile_is_taken_with_its_parts(folder):
    held = qg.read_qpv(qg.sample().qpv_2024)
    held[["geometry"]].rename_axis("CODE_QP").reset_index().to_file(folder / "QP2024_Guadeloupe_RGAF09_UTM20N.shp")
    (found,) = manual_downloads.take(folder)
    assert qg.read_qpv(found.path).index.tolist() == held.index.tolist()
    found.path.with_suffix(".dbf").unlink()
    assert [one.state for one in manual_downloads.take(folder)] == ["taken"]
    assert [one.state for one in manual_downloads.take(folder)] == ["already there"]


def test_a_part_of_the_perimeters_is_not_their_list(folder):
    held = qg.read_qpv(qg.sample().qpv_2015)
    zones = held[["geometry"]].rename_axis("CODE_QP").reset_index()
    zones.to_file(folder / "zones.gpkg", layer="zones")
    (found,) = manual_downloads.take(folder)
    assert (found.key, found.state) == (None, "not known")
    assert qg.datasets(folder)["path"].isna().all()


def test_the_whole_list_is_known_by_its_content(folder):
    n_qpv = facts.geography("2019-01-01").attrs["n_qpv"]
    codes = [f"QP{1 + i % 95:03d}{100 + i // 95:03d}" for i in range(n_qpv)]
    squares = [shapely.box(i % 40, i // 40, i % 40 + 0.5, i // 40 + 0.5) for i in range(n_qpv)]
    gpd.GeoDataFrame({"CODE_QP": codes}, geometry=squares, crs=4326).to_file(folder / "quartiers.gpkg")
    (found,) = manual_downloads.take(folder)
    assert (found.key, found.state) == ("qpv-2015", "taken")


def test_a_content_of_another_year_is_no_key_of_the_catalogue(folder):
    for year in (2024, 2025):
        (folder / f"cog{year}.csv").write_bytes(qg.sample().communes_table.read_bytes())
    found = {one.file.name: one.key for one in manual_downloads.take(folder)}
    assert found == {"cog2024.csv": None, "cog2025.csv": "cog-2025"}


def test_the_hash_of_the_published_file_is_not_that_of_another_name(folder):
    copy = folder / "people.csv"
    copy.write_bytes(qg.sample().population_2024.read_bytes())
    (found,) = manual_downloads.take(folder)
    assert found.key == "qpv-2024-population"
    assert list(hash_record.read()) == ["qpv-2024-population/people.csv"]
    copy.write_bytes(copy.read_bytes() + b"\n")
    (again,) = manual_downloads.take(folder)
    assert isinstance(again.error, HashMismatchError)
    assert Path(found.path).read_bytes() == qg.sample().population_2024.read_bytes()
