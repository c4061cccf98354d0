"""Folders as they are found: links in circles, closed ones, what is no file, what others left, what is gone."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import types
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

import qpvgeo as qg
from qpvgeo.cli.outputs import files_read
from qpvgeo.errors import DataError, MissingDataError, QpvgeoError, UsageError
from qpvgeo.formats import folder_walk
from qpvgeo.quality.files import examine
from qpvgeo.sources import catalog, folders, recognise
from qpvgeo.tagging.perimeter_index import PerimeterIndex

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Folder with the perimeters and the populations of the sample; nothing else is searched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QPVGEO_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    for path in (qg.sample().qpv_2024, qg.sample().population_2024):
        shutil.copy(path, folder)
    return folder


HELD = {("perimeters", 2024), ("population", 2024)}


def held_in(folder):
    return {(one.kind, one.vintage) for one in recognise.scan(folder)}


def nested(folder, depth):
    """Make folders in each other, deeper than their path may be long."""
    place = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=place)
        below = os.open("a", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)


def judged(folder):
    """Findings of a folder by file: the level and the key of the problem."""
    return {
        report.file: [(one.level, getattr(one.problem, "key", "")) for one in report.findings]
        for report in examine(folder)
        if report.kind == "unknown"
    }


def without_powers(*words):
    """Words of a command that is subject to permissions, though root runs it."""
    if getattr(os, "geteuid", lambda: 1)():
        return list(words)
    if shutil.which("setpriv") is None:
        pytest.skip("root may open everything, and setpriv is not installed")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *words]


def command(*words, cache):
    """Standard output and error of a command that is subject to permissions, and its status."""
    call = [sys.executable, "-c", "from qpvgeo.cli import main; main()", *map(str, words)]
    environment = {**os.environ, "QPVGEO_CACHE": str(cache), "QPVGEO_OFFLINE": "1", "COLUMNS": "200"}
    done = subprocess.run(
        without_powers(*call), check=False, capture_output=True, text=True, env=environment, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


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


@posix
def test_what_may_not_be_opened_is_named_and_the_rest_is_read(data):
    (data / "locked").mkdir()
    (data / "locked" / "qpv.csv").touch()
    (data / "closed.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    (data / "into.csv").symlink_to(data / "locked" / "qpv.csv")
    for path in (data / "locked", data / "closed.csv"):
        path.chmod(0)
    try:
        status, out, err = command("summary", "--data", data, cache=data.parent / "cache")
        assert (status, err) == (0, "")
        assert "(locked/ and into.csv)" in out
        # nothing is published as perimeters of 2015: every file is looked at
        status, out, err = command("summary", "--vintage", 2015, "--data", data, cache=data.parent / "cache")
        assert (status, out) == (3, "")
        assert "(locked/, into.csv and closed.csv)" in err
        status, out, err = command("doctor", "--data", data, cache=data.parent / "cache")
        assert (status, err) == (1, "")
        assert out.count("cannot be read: Permission denied") + out.count("[Errno 13] Permission denied") == 3
    finally:
        (data / "locked").chmod(0o700)


@posix
@pytest.mark.parametrize("closed", ["itself", "above"])
@pytest.mark.parametrize("words", [("summary",), ("doctor",), ("datasets",)])
def test_a_folder_that_may_not_be_searched_is_one_error(data, closed, words):
    folder = data if closed == "itself" else data.parent / "above" / "data"
    folder.mkdir(parents=True, exist_ok=True)
    shut = data if closed == "itself" else folder.parent
    shut.chmod(0)
    try:
        status, out, err = command(*words, "--data", folder, cache=data.parent / "cache")
    finally:
        shut.chmod(0o700)
    assert (status, out) == (2, "")
    assert err.startswith(f"qpvgeo: The folder {folder} cannot be searched: Permission denied.\n")


@posix
@pytest.mark.parametrize(
    "words", [("fetch", "--from"), ("population", "--sample", "--grid"), ("tag", "--sample", "-o", "out")]
)
def test_a_folder_given_that_may_not_be_listed_is_one_error(data, words):
    data.chmod(0)
    try:
        status, out, err = command(*words, data, cache=data.parent / "cache")
    finally:
        data.chmod(0o700)
    assert (status, out) == (2, "")
    assert err.startswith(f"qpvgeo: The folder {data} cannot be searched: Permission denied.\n")


@posix
def test_files_taken_by_hand_name_what_cannot_be_opened(data):
    (data / "locked").mkdir(mode=0)
    (data / "gone.csv").symlink_to(data / "nowhere.csv")
    for path in data.glob("*24*"):
        path.unlink()
    try:
        status, out, err = command("fetch", "--from", data, cache=data.parent / "cache")
    finally:
        (data / "locked").chmod(0o700)
    assert (status, err) == (1, "")
    rows = [line for line in out.splitlines() if line.startswith(("locked", "gone.csv"))]
    assert ["Permission denied" in rows[0], "No such file" in rows[1]] == [True, True]


@posix
@pytest.mark.parametrize("name", ["closed.csv", "pop_QPV24.csv"])
def test_every_file_taken_by_hand_has_its_cause_and_its_way_out(tmp_path, name):
    folder = tmp_path / "downloads"
    (folder / "locked").mkdir(parents=True)
    (folder / name).write_text("a;b\n1;2\n", encoding="utf-8")
    (folder / "broken.zip").write_bytes(b"PK no archive")
    (folder / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    (folder / "mine.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    for path in (folder / "locked", folder / name):
        path.chmod(0)
    try:
        status, out, _ = command("fetch", "--from", folder, "--json", cache=tmp_path / "cache")
        french = command("fetch", "--from", folder, "--lang", "fr", cache=tmp_path / "cache")[1]
    finally:
        (folder / "locked").chmod(0o700)
    answer = json.loads(out)
    assert (status, [Path(one).name for one in answer["not_known"]]) == (1, ["mine.csv"])
    told = {Path(one["file"]).name: (one["error"], one["reason"], one["way_out"]) for one in answer["refused"]}
    access = "Check the permissions, or where the link leads."
    assert "\nVérifiez les droits d’accès, ou la cible du lien.\n" in french
    for file, cause in {
        name: "Permission denied",
        "gone.csv": "No such file or directory",
        "locked": "Permission denied",
    }.items():
        assert told.pop(file) == ("DataError", f"{file} cannot be read: {cause}.", access)
        assert f"  refusé  {file} n’a pas pu être lu\u202f: {cause}." in french
    error, reason, way_out = told.pop("broken.zip")
    assert (error.endswith("Error"), "broken.zip" in reason, bool(way_out), told) == (True, True, True, {})


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


@posix
@pytest.mark.parametrize("closed", ["itself", "above"])
def test_a_variable_that_names_a_closed_folder_is_stated_as_such(data, monkeypatch, closed):
    shut = data if closed == "itself" else data.parent / "above"
    named = shut if closed == "itself" else shut / "data"
    named.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("QPVGEO_DATA", str(named))
    shut.chmod(0)
    try:
        told = [command(*words, "--json", cache=data.parent / "cache") for words in (("summary",), ("datasets",))]
    finally:
        shut.chmod(0o700)
    assert [(status, err) for status, _, err in told] == [(0, "")] * 2
    stated = f"QPVGEO_DATA names {named}, which cannot be searched: Permission denied"
    assert [json.loads(out)["notes"] for _, out, _ in told] == [[stated]] * 2


def test_an_output_is_never_a_file_of_the_folder_hidden_ones_too(data):
    table = data / ".mine.csv"
    pd.DataFrame({"a": [1]}).to_csv(table, index=False)
    status, _, err = command("coverage", "--data", data, "-o", table, cache=data.parent / "cache")
    assert status == 2
    assert ".mine.csv" in err
    assert table.read_text(encoding="utf-8") == "a\n1\n"


@posix
@pytest.mark.parametrize("words", [("summary",), ("tag",)])
def test_an_output_that_exists_is_beside_what_is_closed(data, words):
    """Once there is an output, what the run reads is listed, to compare it."""
    points = data.parent / "points.csv"
    points.write_text("lon,lat\n-3.6,45.97\n", encoding="utf-8")
    (data / "locked").mkdir()
    (data / "locked" / "qpv.csv").touch()
    (data / "into.csv").symlink_to(data / "locked" / "qpv.csv")
    (data / "locked").chmod(0)
    out = data.parent / "out.csv"
    given = (*words, *([points] if words == ("tag",) else []), "--data", data, "-o")
    try:
        for _ in range(2):
            status, _, err = command(*given, out, cache=data.parent / "cache")
            assert (status, err) == (0, "")
        status, _, err = command(*given, data / "pop_QPV24.csv", cache=data.parent / "cache")
    finally:
        (data / "locked").chmod(0o700)
    assert (status, "pop_QPV24.csv" in err) == (2, True)


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


@posix
@pytest.mark.parametrize("closed", ["b", "b/b.csv", "link"])
def test_a_grid_of_which_a_part_is_closed_is_refused(tmp_path, closed):
    """Half of the cells is no answer: the folder is refused, open or closed."""
    grid = tmp_path / "grid"
    (grid / "b").mkdir(parents=True)
    with zipfile.ZipFile(qg.sample().grid_2019) as archive:
        lines = archive.read(next(name for name in archive.namelist() if name.endswith(".csv"))).splitlines(True)
    half = len(lines) // 2
    (grid / "a.csv").write_bytes(b"".join(lines[:half]))
    (grid / "b" / "b.csv").write_bytes(b"".join([lines[0], *lines[half:]]))
    call = f"import qpvgeo as qg; print(len(qg.read_grid({str(grid)!r})))"
    if closed == "link":
        (grid / "b").rename(tmp_path / "b")
        (grid / "c.csv").symlink_to(tmp_path / "b" / "b.csv")
    shut = tmp_path / "b" if closed == "link" else grid / closed
    shut.chmod(0)
    try:
        done = subprocess.run(
            without_powers(sys.executable, "-c", call), check=False, capture_output=True, text=True, timeout=300
        )
    finally:
        shut.chmod(0o700)
    assert (done.returncode, done.stdout) == (1, "")
    assert "DataError" in done.stderr
    assert "Permission denied" in done.stderr


def test_the_way_out_of_a_grid_partly_closed_is_its_files(tmp_path):
    grid = tmp_path / "grid"
    grid.mkdir()
    shutil.copy(qg.sample().grid_2019, grid)
    try:
        (grid / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    except OSError:
        pytest.skip("links may not be made here")
    with pytest.raises(
        DataError, match=r"(?s)part of it cannot be opened.*gone\.csv.*give the files to read one by one"
    ):
        qg.read_grid(grid)
    assert len(qg.read_grid(grid / qg.sample().grid_2019.name)) == len(qg.read_grid(qg.sample().grid_2019))


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
@pytest.mark.parametrize(
    ("name", "before"),
    [("qpv_2024", ""), ("qpv_2024", "vector_layers.layers(path)"), ("population_2024", ""), ("epci_table", "")],
)
def test_a_file_that_could_not_be_opened_for_a_while_is_looked_at_again(data, name, before):
    """A process that holds too many files remembers nothing of those that it could not open."""
    path = Path(shutil.copy(getattr(qg.sample(), name), data))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    call = f"""
import os, pathlib, resource
from qpvgeo.formats import vector_layers
from qpvgeo.sources import file_memory, folder_search, recognise
import qpvgeo as qg
path = pathlib.Path({str(path)!r})
file_memory._SETTLED_S = -1.0  # what was just written is remembered too
folder_search.scan(qg.sample().path)  # all that is loaded late
{before}
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
lowest = os.open("/dev/null", os.O_RDONLY)
os.close(lowest)
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
first = recognise.looked_at(path)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
known = file_memory.recall("holds", path)
then = recognise.looked_at(path)
print(first, known, len(then[0]), then[1], file_memory.recall("holds", path)["damaged"])
"""
    environment = {**os.environ, "QPVGEO_PROCESSED": "1"}
    done = subprocess.run(
        [sys.executable, "-c", call], check=False, capture_output=True, text=True, env=environment, timeout=300
    )
    assert (done.stdout, done.stderr) == ("((), True) None 1 False False\n", "")


@posix
@pytest.mark.parametrize("closed", ["neighbour", "folder"])
def test_what_stands_beside_the_file_named_may_be_closed(tmp_path, closed):
    folder = tmp_path / "tables"
    folder.mkdir()
    for year in (2023, 2024):
        shutil.copy(qg.sample().epci_table, folder / f"epci-{year}.csv")
    file = folder / "epci-2024.csv"
    (folder / "epci-2023.csv").chmod(0 if closed == "neighbour" else 0o600)
    folder.chmod(0o311 if closed == "folder" else 0o700)
    call = f"import qpvgeo as qg; print(len(qg.read_epci({str(file)!r})))"
    try:
        done = subprocess.run(
            without_powers(sys.executable, "-W", "ignore", "-c", call),
            check=False, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    finally:
        folder.chmod(0o700)
    assert (done.stdout, done.stderr) == (f"{len(qg.read_epci(file))}\n", "")


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
def test_outlines_of_a_folder_of_which_a_part_is_closed_are_refused(tmp_path):
    """As those of a grid: the folder holds both geographies, and is refused open or closed."""
    folder = tmp_path / "qpv"
    (folder / "b").mkdir(parents=True)
    shutil.copy(qg.sample().qpv_2024, folder)
    shutil.copy(qg.sample().qpv_2015, folder / "b")
    with pytest.raises(UsageError, match="both geographies"):
        qg.read_qpv(folder)
    call = f"import qpvgeo as qg; qg.read_qpv({str(folder)!r})"
    (folder / "b").chmod(0)
    try:
        done = subprocess.run(
            without_powers(sys.executable, "-c", call), check=False, capture_output=True, text=True, timeout=300
        )
    finally:
        (folder / "b").chmod(0o700)
    assert done.returncode == 1
    assert "part of it cannot be opened.\n  - b cannot be read: Permission denied." in done.stderr


@posix
def test_outlines_are_read_from_a_folder_of_any_depth(data):
    nested(data, 1_300)
    (data / "pop_QPV24.csv").unlink()
    try:
        assert len(qg.read_qpv(data)) == len(qg.read_qpv(qg.sample().qpv_2024))
    finally:
        subprocess.run(["rm", "-rf", data], check=True)
