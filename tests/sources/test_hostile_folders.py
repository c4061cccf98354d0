"""Folders as they are found: links in circles, closed ones, what is no file, what others left, what is gone."""

import os
import random
import shutil
import socket
import subprocess
import threading
import types
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from tests.sources.searched_folders import HELD, command, held_in, judged, nested, posix

import qpvgeo as qg
from qpvgeo.cli.outputs import files_read
from qpvgeo.errors import MissingDataError, QpvgeoError, UsageError
from qpvgeo.formats import folder_walk
from qpvgeo.quality.files import examine
from qpvgeo.sources import catalog, folders, recognise
from qpvgeo.tagging.perimeter_index import PerimeterIndex


@posix
def test_links_in_circles_end(data):
    (data / "again").symlink_to(data)
    (data / "self").symlink_to(data / "self")
    (data / "self.csv").symlink_to(data / "self.csv")
    (data / "gone.geojson").symlink_to(data / "nowhere.geojson")
    assert held_in(data) == HELD
    assert recognise.damaged(data) == ["gone.geojson", "self.csv"]
    assert judged(data) == {
        "again": [("warning", "quality.link_to_folder")],
        "gone.geojson": [("error", "quality.unreadable")],
        "self.csv": [("error", "quality.unreadable")],
    }


@posix
def test_pipes_sockets_and_devices_are_no_files(data):
    os.mkfifo(data / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(data)  # names of sockets are short
        server.bind("socket.zip")
    (data / "zero.parquet").symlink_to("/dev/zero")
    assert held_in(data) == HELD
    assert recognise.damaged(data) == []
    assert judged(data) == {
        name: [("warning", "quality.not_a_file")] for name in ("pipe.csv", "socket.zip", "zero.parquet")
    }
    with pytest.raises(QpvgeoError):  # it holds no grid, and says so at once
        qg.read_grid(data)


def test_nothing_to_take_is_stated(tmp_path):
    (tmp_path / "empty").mkdir()
    told = command("fetch", "--from", tmp_path / "empty", cache=tmp_path / "cache")
    assert told == (0, "No file in a supported format: nothing to take.\n", "")


def test_parts_left_by_other_programs_are_not_tagged(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.csv").write_text("lon,lat\n-3.6,45.97\n", encoding="utf-8")
    for name in ("~$a.csv", "._a.csv", ".~lock.a.csv#", "_SUCCESS.csv"):
        (folder / name).write_bytes(bytes(50))
    qg.tag_files(folder, tmp_path / "out", PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024)))
    assert [path.name for path in (tmp_path / "out").glob("*.csv")] == ["a.csv"]


@posix
def test_names_that_are_no_text_or_move_the_cursor_are_shown_as_signs(data):
    for name in (b"\xe9t\xe9.csv", b"two\nlines.shp", b"\x1b[31mred.xlsx"):
        Path(os.fsdecode(os.fsencode(data) + b"/" + name)).write_bytes(b"nonsense")
    assert held_in(data) == HELD
    assert recognise.damaged(data) == ["\x1b[31mred.xlsx", "two\nlines.shp"]
    status, out, err = command("summary", "--vintage", 2015, "--data", data, cache=data.parent / "cache")
    assert (status, out) == (3, "")
    assert "\\x1b[31mred.xlsx" in err
    assert "\x1b" not in err
    status, out, err = command("doctor", "--data", data, cache=data.parent / "cache")
    assert (status, err) == (1, "")
    assert "\\x1b[31mred.xlsx" in out
    assert "\x1b" not in out


def test_what_other_programs_left_is_passed_over(data):
    shadow = b"\0\5\x16\7" + bytes(200)
    (data / "__MACOSX").mkdir()
    (data / ".Trash-1000").mkdir()
    shutil.copy(qg.sample().population_2015, data / ".Trash-1000")
    for name in (
        "__MACOSX/qpv.shp", "._pop_QPV24.csv", "._qpv.shp", "~$book.xlsx", ".~lock.a.csv#", ".hidden.csv",
        "qpv.geojson.part", "a.csv.crdownload", "Thumbs.db", ".DS_Store", "desktop.ini",
    ):  # fmt: skip
        (data / name).write_bytes(shadow)
    assert held_in(data) == HELD
    assert recognise.damaged(data) == []
    assert judged(data) == {}
    assert catalog.locate(catalog.get("qpv-2015-population"), data) is None


def test_shadows_in_an_archive_are_no_layers(tmp_path):
    with zipfile.ZipFile(qg.sample().qpv_2024) as held, zipfile.ZipFile(tmp_path / "qpv.zip", "w") as made:
        outlines = next(name for name in held.namelist() if name.endswith(".geojson"))
        made.writestr("__MACOSX/._qpv.geojson", b"\0\5\x16\7" + bytes(200))
        made.writestr("qpv.geojson", held.read(outlines))
    assert {(one.kind, one.features) for one in recognise.scan(tmp_path)} == {("perimeters", 16)}


@pytest.mark.parametrize("depth", [1_300, 3_000])
@posix
def test_a_folder_of_any_depth_is_walked(data, depth):
    """Deeper than Python calls itself, and than a path may be long."""
    nested(data, depth)
    try:
        assert held_in(data) == HELD
        too_long = depth * 2 > os.pathconf("/", "PC_PATH_MAX")
        assert recognise.damaged(data) == (["a"] if too_long else [])
        assert judged(data) == ({"a": [("error", "quality.unreadable")]} if too_long else {})
    finally:
        subprocess.run(["rm", "-rf", data], check=True)


def test_folders_named_like_files_are_folders_and_read_once(data):
    for name in ("a.csv", "q.shp", "z.zip", "t.parquet"):
        (data / name).mkdir()
    shutil.copy(qg.sample().epci_table, data / "a.csv" / "b.csv")
    assert held_in(data) == {*HELD, ("epci", None)}
    assert judged(data) == {}
    grid = data.parent / "grid"
    (grid / "tables.csv").mkdir(parents=True)
    with zipfile.ZipFile(qg.sample().grid_2019) as archive:
        table = next(name for name in archive.namelist() if name.endswith(".csv"))
        (grid / "tables.csv" / "cells.csv").write_bytes(archive.read(table))
    assert len(qg.read_grid(grid)) == len(qg.read_grid(grid / "tables.csv" / "cells.csv"))


def test_ten_thousand_parts_of_shapefiles_are_listed_once(data, monkeypatch):
    """The folder is listed once for all of them: once for each takes minutes."""
    for number in range(2_500):
        for ending in ("shp", "shx", "dbf", "prj"):
            (data / f"f{number}.{ending}").touch()
    os.utime(data, (1_700_000_000, 1_700_000_000))
    listed = []
    for name in ("listdir", "scandir"):
        whole = getattr(os, name)
        monkeypatch.setattr(os, name, lambda place=".", whole=whole: (listed.append(place), whole(place))[1])
    assert len(recognise.files_in(data)) == 2_500 + 2
    assert held_in(data) == HELD
    assert recognise.damaged(data) == []
    assert sum(os.fspath(place) == str(data) for place in listed) < 20  # once to search it, once for the parts, ...


def test_an_archive_of_ten_thousand_members_is_looked_into(data):
    with zipfile.ZipFile(data / "tables.zip", "w") as made:
        for number in range(10_000):
            made.writestr(f"{number}.csv", "a;b\n1;2\n")
    with zipfile.ZipFile(data / "outlines.zip", "w") as made:
        for number in range(10_000):
            made.writestr(f"{number}.shp", "nothing")
    assert held_in(data) == HELD
    assert recognise.damaged(data) == ["outlines.zip"]


def test_a_file_that_is_gone_or_became_a_folder_is_no_traceback(data):
    gone, folder = data / "gone.csv", data / "folder.csv"
    folder.mkdir()
    assert recognise.looked_at(gone) == ((), False)
    assert recognise.looked_at(folder)[0] == ()
    for read in (qg.read_qpv, qg.read_population, qg.read_grid):
        for path in (gone, folder):
            with pytest.raises(QpvgeoError, match=path.stem):
                read(path)
    with pytest.raises(MissingDataError, match=r"gone\.csv"):
        examine(gone)
    assert folder_walk.walk(data / "gone").files == []


def test_folders_that_change_all_the_time_are_searched(data):
    """Another thread makes, replaces and removes files and folders while they are searched."""
    over, rng = threading.Event(), random.Random(1)
    held = [qg.sample().qpv_2024, qg.sample().population_2024, qg.sample().epci_table]
    names = [f"x{number}{ending}" for number in range(3) for ending in (".csv", ".zip", ".shp", ".dbf", ".geojson")]

    def change():
        while not over.is_set():
            place = data / f"d{rng.randrange(3)}"
            path, what = place / rng.choice(names), rng.randrange(4)
            try:
                if what == 0:
                    shutil.rmtree(place, ignore_errors=True)
                elif what == 1:
                    path.mkdir(parents=True)
                elif path.is_dir():
                    path.rmdir()
                else:
                    place.mkdir(exist_ok=True)
                    shutil.copy(rng.choice(held), path)
            except OSError:
                continue

    other = threading.Thread(target=change)
    other.start()
    try:
        for _ in range(25):
            assert held_in(data) >= HELD
            recognise.damaged(data)
            qg.datasets(data)
            examine(data)
            assert recognise.find("population", 2024, data)
    finally:
        over.set()
        other.join()


def test_a_file_in_place_of_the_folder_is_one_error(data):
    for read in (qg.datasets, recognise.scan):
        with pytest.raises(UsageError, match=r"is not a folder\.\nGive the folder"):
            read(data / "pop_QPV24.csv")


def test_an_empty_folder_says_that_it_holds_nothing(tmp_path):
    status, out, err = command("doctor", "--data", tmp_path, cache=tmp_path / "cache")
    assert (status, out, err) == (0, "No file in a supported format: nothing to judge.\n", "")
    with pytest.raises(MissingDataError):
        recognise.find("perimeters", 2024, tmp_path)


def test_a_variable_that_names_no_folder_is_stated(data, monkeypatch):
    monkeypatch.setenv("QPVGEO_DATA", os.pathsep.join([str(data / "away"), str(data)]))
    told = f"QPVGEO_DATA names {data / 'away'}, which is not a folder"
    assert list(map(str, folders.unsearched())) == list(map(str, recognise.left_aside())) == [told]
    assert recognise.left_aside(data) == []
    monkeypatch.setenv("QPVGEO_DATA", str(data / "away"))
    with pytest.raises(MissingDataError) as raised:
        recognise.find("perimeters", 2024)
    assert told in raised.value.problems
    for words in (("summary",), ("datasets",)):
        status, out, err = command(*words, cache=data.parent / "cache")
        assert (status, err) == (0, "")
        assert told in " ".join(out.split())


def test_an_output_is_never_a_file_of_the_folder_hidden_ones_too(data):
    table = data / ".mine.csv"
    pd.DataFrame({"a": [1]}).to_csv(table, index=False)
    status, _, err = command("coverage", "--data", data, "-o", table, cache=data.parent / "cache")
    assert status == 2
    assert ".mine.csv" in err
    assert table.read_text(encoding="utf-8") == "a\n1\n"


@posix
def test_files_that_a_run_reads_are_listed_at_any_depth(data):
    nested(data, 1_300)
    (data.parent / "named.csv").touch()
    try:
        read = list(files_read(data.parent / "named.csv", [data.parent / "named.csv", None], data))
    finally:
        subprocess.run(["rm", "-rf", data], check=True)
    assert [path.name for path in read][:1] == ["named.csv"]
    assert {path.name for path in read} == {"named.csv", "pop_QPV24.csv", qg.sample().qpv_2024.name}


def test_a_junction_is_a_link_and_is_not_followed(data, monkeypatch):
    """Windows says of a junction that it is a folder and no link; its reparse tag says what it is."""
    (data / "again").mkdir()
    (data / "again" / "qpv.csv").touch()
    (data / "plain").mkdir()
    (data / "plain" / "qpv.csv").touch()
    listing = os.scandir

    class Junction:
        def __init__(self, entry):
            self._entry, self.name, self.path = entry, entry.name, entry.path

        def __getattr__(self, name):
            return getattr(self._entry, name)

        def stat(self, *, follow_symlinks=True):
            return self._entry.stat() if follow_symlinks else types.SimpleNamespace(st_reparse_tag=0xA0000003)

    @contextmanager
    def with_junction(place):
        with listing(place) as entries:
            yield [Junction(one) if one.name == "again" else one for one in entries]

    monkeypatch.setattr(os, "scandir", with_junction)
    walked = folder_walk.walk(data)
    assert walked.links == [data / "again"]
    assert [path for path in walked.files if path.name == "qpv.csv"] == [data / "plain" / "qpv.csv"]


@posix
def test_doctor_says_why_a_link_to_a_folder_is_passed_over(data):
    (data / "insee").symlink_to(data.parent)
    (data / "notes.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    status, out, err = command("doctor", data, cache=data.parent / "cache")
    assert (status, err) == (0, "")
    assert "insee: passed over\n" in out
    assert "a link to a folder, which is not followed" in out
    assert "name that folder itself" in out
    assert out.count("notes.csv") == 1
    assert "notes.csv: not a published file, left aside\n" in out


@posix
def test_outlines_are_read_from_a_folder_of_any_depth(data):
    nested(data, 1_300)
    (data / "pop_QPV24.csv").unlink()
    try:
        assert len(qg.read_qpv(data)) == len(qg.read_qpv(qg.sample().qpv_2024))
    finally:
        subprocess.run(["rm", "-rf", data], check=True)
