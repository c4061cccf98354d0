"""What is remembered of a file holds as long as the file is the same."""

import hashlib
import json
import os

import pytest

import qpvgeo as qg
from qpvgeo.sources import file_memory, folder_search, recognise

OLD = (1_700_000_000, 1_700_000_000)


@pytest.fixture(autouse=True)
def remembering(monkeypatch):
    monkeypatch.setenv("QPVGEO_PROCESSED", "1")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("code;n\n1;2\n")
    os.utime(path, OLD)
    return path


def another_run():
    """Forget what this process read of the store."""
    file_memory.save()
    file_memory._read.clear()
    folder_search._identified.cache_clear()


def test_a_value_is_there_in_the_next_run(file):
    file_memory.remember("colour", file, {"is": ["blue"]})
    another_run()
    assert file_memory.recall("colour", file) == {"is": ["blue"]}
    assert file_memory.recall("smell", file) is None


def test_a_name_that_is_not_text_is_remembered(file):
    odd = file.with_name("p\udce9rim.geojson")  # as archives of old systems unpack
    odd.write_text("{}")
    os.utime(odd, OLD)
    file_memory.remember("colour", odd, {"member": odd.name})
    another_run()
    assert file_memory.recall("colour", odd) == {"member": odd.name}


def test_a_file_that_changed_is_not_known(file):
    file_memory.remember("colour", file, "blue")
    file.write_text("code;n\n1;3\n")  # of the same size
    os.utime(file, OLD)
    assert file_memory.recall("colour", file) is None


def test_a_file_written_just_now_is_not_remembered(file):
    file.write_text("code;n\n1;3\n")
    file_memory.remember("colour", file, "blue")
    assert file_memory.recall("colour", file) is None


def test_a_file_that_is_gone_is_forgotten(file):
    file_memory.remember("colour", file, "blue")
    another_run()
    other = file.with_name("b.csv")
    other.write_text("x")
    os.utime(other, OLD)
    file.unlink()
    file_memory.remember("colour", other, "red")
    another_run()
    assert list(json.loads(file_memory._store().read_text())["files"]) == [str(other)]


def test_another_build_looks_again(file, monkeypatch):
    file_memory.remember("colour", file, "blue")
    another_run()
    monkeypatch.setattr(file_memory, "build", lambda: "another")
    assert file_memory.recall("colour", file) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"build": 1}', '{"build": "", "files": []}'])
def test_a_damaged_memory_is_none(file, content):
    file_memory.remember("colour", file, "blue")
    another_run()
    file_memory._store().write_text(content)
    assert file_memory.recall("colour", file) is None


def test_nothing_is_remembered_where_it_is_forbidden(file, monkeypatch):
    monkeypatch.setenv("QPVGEO_PROCESSED", "0")
    file_memory.remember("colour", file, "blue")
    another_run()
    assert not file_memory._store().exists()


def test_a_disk_that_refuses_is_left_alone(file, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path / "file"))
    file_memory.remember("colour", file, "blue")
    file_memory.save()
    assert file_memory.recall("colour", file) == "blue"


def test_a_hash_is_computed_once(file, monkeypatch):
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    assert file_memory.sha256_of(file) == expected
    another_run()
    monkeypatch.setattr(file_memory, "file_record", lambda _: pytest.fail("hashed again"))
    assert file_memory.sha256_of(file) == expected


def test_a_folder_is_looked_at_once(monkeypatch):
    first = recognise.scan(qg.sample().path)
    another_run()
    monkeypatch.setattr(folder_search, "judge", lambda _: pytest.fail("looked at again"))
    assert recognise.scan(qg.sample().path) == first


def test_the_build_is_that_of_the_modules_on_disk():
    assert file_memory.build() == file_memory.build.__wrapped__()
    assert len(file_memory.build()) == 16


@pytest.mark.parametrize("part", ["a.dbf", "a.prj"])
def test_a_shapefile_whose_part_changed_is_not_known(tmp_path, part):
    for name in ("a.shp", "a.dbf", "a.prj", "b.dbf"):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, OLD)
    file_memory.remember("colour", tmp_path / "a.shp", "blue")
    another_run()
    (tmp_path / "b.dbf").write_text("yy")
    assert file_memory.recall("colour", tmp_path / "a.shp") == "blue"
    (tmp_path / part).write_text("yy")
    assert file_memory.recall("colour", tmp_path / "a.shp") is None
