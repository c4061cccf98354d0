"""Folders and files that may not be opened: named with their cause, and never a part left out in silence."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.sources.searched_folders import command, posix, without_powers

import qpvgeo as qg
from qpvgeo.errors import DataError, UsageError


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
@pytest.mark.parametrize("closed", ["a link", "the parts"])
def test_parts_that_may_not_be_looked_at_are_named_with_the_cause(data, tmp_path, closed):
    parts, locked = tmp_path / "parts", tmp_path / "locked"
    for folder in (parts, locked):
        folder.mkdir()
    (locked / "part-1.csv").write_text("lon;lat\n2;48\n", encoding="utf-8")
    (parts / "part-0.csv").write_text("lon;lat\n2;48\n", encoding="utf-8")
    (parts / "part-1.csv").symlink_to(locked / "part-1.csv")
    locked.chmod(0)
    given = parts if closed == "a link" else locked / "part-*.csv"
    try:
        status, out, err = command("tag", given, "--data", data, "-o", tmp_path / "out", cache=tmp_path / "cache")
    finally:
        locked.chmod(0o700)
    assert (status, out) == (3 if closed == "a link" else 2, "")
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()
    assert f"{parts / 'part-1.csv'}: Permission denied" in err if closed == "a link" else str(given) in err
