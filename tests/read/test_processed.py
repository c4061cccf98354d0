"""What was read once is read fast the second time, and is the same to the attributes."""

import os
import shutil
import subprocess
import sys
from importlib import import_module

import geopandas as gpd
import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal
from pandas.testing import assert_frame_equal
from tests.builders import sample_of_long_ago

import qpvgeo as qg
from qpvgeo.read import processed
from qpvgeo.sources import file_memory


@pytest.fixture(autouse=True)
def keeping(monkeypatch, tmp_path):
    """Keep what is read, however small."""
    monkeypatch.setenv("QPVGEO_PROCESSED", "1")
    monkeypatch.setattr(processed, "_SMALLEST_BYTES", 0)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def files(tmp_path):
    return sample_of_long_ago(tmp_path)


def kept(folder):
    return sorted(path.name.rpartition("-")[0] for path in folder.rglob("*.kept"))


def same(one, other):
    (assert_geodataframe_equal if isinstance(one, gpd.GeoDataFrame) else assert_frame_equal)(one, other)
    assert one.attrs == other.attrs
    assert [getattr(note, "key", None) for note in one.attrs["qpvgeo"]["notes"]] == [
        getattr(note, "key", None) for note in other.attrs["qpvgeo"]["notes"]
    ]


def not_again(monkeypatch):
    """Fail when a reader reads."""
    for name in ("read_piece", "read_known", "read_pieces", "read_commune_table", "_read_epci"):
        for module in ("qpv", "population", "communes.epci", "communes.reader"):
            full = import_module(f"qpvgeo.read.{module}")
            if hasattr(full, name):
                monkeypatch.setattr(full, name, lambda *_, **__: pytest.fail("read again"))


READS = {
    "qpv-2015": lambda folder: qg.read_qpv(folder / "qp-politiquedelaville-shp.zip"),
    "qpv-2024": lambda folder: qg.read_qpv("qpv-2024", data=folder),
    "population": lambda folder: qg.read_population(folder / "pop_qp_2013.csv"),
    "parts": lambda folder: qg.read_population(folder / "pop_reference_communales_QPV24.csv", level="qpv_commune"),
    "communes": lambda folder: qg.read_communes(folder / "contours-99.geojson", table=folder / "cog2024_communes.csv"),
    "epci": lambda folder: qg.read_epci(source=folder / "cog2024_epci.csv"),
}


@pytest.mark.parametrize("name", READS)
def test_the_second_reading_gives_the_same_without_reading(files, monkeypatch, name):
    monkeypatch.setenv("QPVGEO_PROCESSED", "0")
    plain = READS[name](files)
    monkeypatch.setenv("QPVGEO_PROCESSED", "1")
    same(READS[name](files), plain)
    assert len(kept(processed.settings.cache_dir())) == 1
    not_again(monkeypatch)
    same(READS[name](files), plain)


def test_what_is_not_to_be_kept_is_not(files, monkeypatch):
    monkeypatch.setenv("QPVGEO_PROCESSED", "0")
    READS["epci"](files)
    assert kept(processed.settings.cache_dir()) == []


def test_small_files_are_read_again(files, monkeypatch):
    monkeypatch.setattr(processed, "_SMALLEST_BYTES", 10_000_000)
    READS["epci"](files)
    assert kept(processed.settings.cache_dir()) == []


def test_a_changed_file_is_read_again(files):
    path = files / "pop_qp_2013.csv"
    before = qg.read_population(path)["population"].sum()
    path.write_text(path.read_text(encoding="utf-8").replace(";1583", ";1584"), encoding="utf-8")
    assert qg.read_population(path)["population"].sum() == before + 1


def test_each_option_has_its_own(files):
    path = files / "qp-politiquedelaville-shp.zip"
    assert len(qg.read_qpv(path).attrs["qpvgeo"]["repairs"]) == 1
    assert qg.read_qpv(path, repair=False).attrs["qpvgeo"]["repairs"] == []
    assert len(kept(processed.settings.cache_dir())) == 2


def test_notes_are_in_the_language_of_the_run(files, monkeypatch):
    english = READS["parts"](files).attrs["qpvgeo"]["notes"]
    monkeypatch.setattr(qg.settings, "language", "fr")
    french = READS["parts"](files).attrs["qpvgeo"]["notes"]
    assert french == [note.say("fr") for note in english]


def test_another_build_reads_again(files, monkeypatch):
    READS["epci"](files)
    monkeypatch.setattr(file_memory, "build", lambda: "another")
    READS["epci"](files)
    assert len(kept(processed.settings.cache_dir())) == 2


def test_a_name_that_says_another_year_is_another_file(files):
    other = files / "cog2025_epci.csv"
    shutil.copy2(files / "cog2024_epci.csv", other)
    first = qg.read_epci(files / "cog2024_epci.csv")
    assert qg.read_epci(other)["cog_year"].unique().tolist() == [2025]
    other.unlink()
    alone = qg.read_epci(files / "cog2024_epci.csv")
    assert len(first.attrs["qpvgeo"]["notes"]) == len(alone.attrs["qpvgeo"]["notes"]) + 1  # of the twin


def test_a_shapefile_is_read_again_when_its_table_changes(tmp_path):
    qpv = qg.read_qpv(qg.sample().qpv_2015).to_crs(2154)
    frame = gpd.GeoDataFrame(
        {"CODE_QP": qpv.index, "NOM_QP": qpv["name"].to_numpy()}, geometry=qpv.geometry.to_numpy(), crs=2154
    )
    frame.to_file(tmp_path / "a.shp")
    assert qg.read_qpv(tmp_path / "a.shp")["name"].iloc[0] != "Autre"
    frame.assign(NOM_QP="Autre").to_file(tmp_path / "b.shp")
    shutil.copy(tmp_path / "b.dbf", tmp_path / "a.dbf")
    for part in tmp_path.glob("b.*"):
        part.unlink()
    assert qg.read_qpv(tmp_path / "a.shp")["name"].iloc[0] == "Autre"


@pytest.mark.parametrize("content", [b"", b"PAR1 cut"])
def test_a_damaged_copy_is_made_again(files, content):
    before = READS["epci"](files)
    (copy,) = processed.settings.cache_dir().rglob("*.kept")
    copy.write_bytes(content)
    same(READS["epci"](files), before)
    assert copy.stat().st_size > len(content)


def test_a_frame_changed_by_the_caller_does_not_change_the_copy(files):
    before = READS["epci"](files)
    again = READS["epci"](files)
    again["name"] = "changed"
    same(READS["epci"](files), before)


def test_what_is_in_a_checkout_is_kept_beside_it(files, tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    shutil.copy2(files / "cog2024_epci.csv", raw)
    qg.read_epci(raw / "cog2024_epci.csv")
    assert kept(tmp_path / "data" / "processed") == ["epci-cog2024_epci"]
    assert kept(processed.settings.cache_dir()) == []


def test_a_cache_that_cannot_be_written_does_not_matter(files, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path / "file"))
    assert len(READS["epci"](files)) == 2


def test_errors_are_those_of_the_reader(tmp_path):
    (tmp_path / "a.csv").write_text("x;y\n1;2\n")
    for _ in range(2):
        with pytest.raises(qg.errors.DataError):
            qg.read_epci(tmp_path / "a.csv")
    with pytest.raises(qg.errors.MissingDataError):
        qg.read_epci(tmp_path / "none.csv")
    with pytest.raises(qg.errors.UsageError):
        qg.read_epci(2024)
    with pytest.raises(TypeError):
        qg.read_epci()


def test_copies_are_not_taken_for_files_of_the_folder(files):
    READS["qpv-2024"](files)
    before = qg.datasets(data=files)["path"].dropna().tolist()
    assert not any(".kept" in path for path in before)


def test_what_nobody_read_for_long_goes(files):
    READS["epci"](files)
    (old,) = processed.settings.cache_dir().rglob("*.kept")
    os.utime(old, (1, 1))
    READS["population"](files)
    assert not old.exists()


def test_several_processes_may_share_it(files):
    program = (
        "import sys, qpvgeo as qg\nfrom qpvgeo.read import processed\nprocessed._SMALLEST_BYTES = 0\n"
        "print(len(qg.read_communes(sys.argv[1], table=sys.argv[2])))"
    )
    call = [sys.executable, "-c", program, files / "contours-99.geojson", files / "cog2024_communes.csv"]
    runs = [subprocess.Popen(call, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [run.communicate()[0].strip() for run in runs] == ["12"] * 3
    assert len(kept(processed.settings.cache_dir())) == 1


@pytest.mark.real
def test_real_files_come_back_the_same(real_data, monkeypatch):
    folder = real_data
    cog = folder / "admin" / "cog2024_communes.csv"
    reads = [
        lambda: qg.read_qpv("qpv-2024", data=folder),
        lambda: qg.read_qpv(folder / "qpv2015" / "shp" / "QP_METROPOLE_LB93.shp"),
        lambda: qg.read_population(folder / "qpv2015" / "pop_qp_2013.csv"),
        lambda: qg.read_population(folder / "qpv2024" / "insee_indicateurs_qpv2024.csv"),
        lambda: qg.read_population(folder / "qpv2015" / "P13_POP_insee.csv", level="commune"),
        lambda: qg.read_communes(folder / "admin" / "communes_2018_regions_44_75_76.parquet", table=cog),
        lambda: qg.read_epci(folder / "admin" / "cog2024_epci.csv"),
    ]
    first = [read() for read in reads]
    assert len(kept(processed.settings.cache_dir())) == len(reads)
    not_again(monkeypatch)
    for read, frame in zip(reads, first, strict=True):
        same(read(), frame)


def test_the_frame_that_is_kept_is_the_one_that_is_given(files):
    first, second = READS["communes"](files), READS["communes"](files)
    assert isinstance(second, type(first))
    assert pd.DataFrame(first).equals(pd.DataFrame(second))
