"""Files written beside and renamed; what the system refuses is an error with the name of the file."""

import errno
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from qpvgeo.errors import OutputError, UsageError
from qpvgeo.formats.atomic_write import replace, writing


def test_what_was_written_is_there_and_nothing_beside(tmp_path):
    replace(tmp_path / "a.csv", lambda beside: beside.write_text("new"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "new"}


def test_threads_that_write_one_file_leave_one_of_them_whole_and_nothing_beside(tmp_path):
    target, both = tmp_path / "a.csv", Barrier(2)

    def write(text):
        def slowly(beside):
            with beside.open("w") as file:
                file.write(text)
                both.wait(10)
                file.write(text)

        replace(target, slowly)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["one", "two"]))
    assert target.read_text() in {"oneone", "twotwo"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_names_is_written(tmp_path, there):
    (tmp_path / "far").mkdir()
    real, link = tmp_path / "far" / "a.csv", tmp_path / "link.csv"
    link.symlink_to(real)
    if there:
        real.write_text("old")
    replace(link, lambda beside: beside.write_text("new"))
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["a.csv"]


def test_failure_leaves_what_was_there_and_nothing_beside(tmp_path):
    (tmp_path / "a.csv").write_text("old")

    def half(beside):
        beside.write_text("half")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        replace(tmp_path / "a.csv", half)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "old"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(errno.EACCES, "whatever"), "Permission denied"),
        (OSError(errno.ENOSPC, "whatever"), "No space left on device"),
        (OSError("of another kind"), "of another kind"),
    ],
    ids=["forbidden", "full", "without a number"],
)
def test_reason_is_that_of_the_system(tmp_path, error, reason):
    with pytest.raises(OutputError, match=f"Cannot write .*a.csv: {reason}") as told, writing(tmp_path / "a.csv"):
        raise error
    assert told.value.__cause__ is error


def test_way_out_stands_under_the_reason():
    with pytest.raises(OutputError, match=r"\.\nGo on\.$"), writing("a.csv", way_out="Go on."):
        raise OSError(errno.EACCES, "no")


def test_errors_of_qpvgeo_pass():
    with pytest.raises(UsageError, match="mine"), writing("a.csv"):
        raise UsageError("mine")
