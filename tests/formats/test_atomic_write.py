"""Files written beside and renamed; what the system refuses is an error with the name of the file."""

import errno
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import pytest
from tests.builders import refused

from qpvgeo.errors import OutputError, UsageError
from qpvgeo.formats import atomic_write
from qpvgeo.formats.atomic_write import own_folder, refuse_inputs, remove_own, replace, writing


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


def test_permissions_of_the_file_that_was_there_are_kept(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    path.chmod(0o600)
    replace(path, lambda beside: beside.write_text("new"))
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_or_device_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "p.csv")
    (tmp_path / "null.csv").symlink_to("/dev/null")
    for name in ("p.csv", "null.csv"):
        refused(lambda name=name: replace(tmp_path / name, lambda _: None), "formats.output_not_regular", OutputError)
    assert stat.S_ISFIFO((tmp_path / "p.csv").stat().st_mode)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("name", ["", "."])
def test_a_folder_is_no_output(tmp_path, name):
    refused(lambda: replace(tmp_path / name, lambda _: None), "formats.output_is_folder", OutputError)
    refused(lambda: replace(Path(), lambda _: None), "formats.output_is_folder", OutputError)


def test_what_dead_processes_left_is_swept_and_what_live_ones_write_is_not(tmp_path):
    dead = tmp_path / f".a.csv.{2**22 + 1}-1.new"
    live = tmp_path / f".a.csv.{os.getpid()}-1.new"
    other = tmp_path / f".b.csv.{2**22 + 1}-1.new"
    for path in (dead, live, other):
        path.write_text("half")
    replace(tmp_path / "a.csv", lambda beside: beside.write_text("new"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.csv", live.name, other.name])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to catch")
def test_a_terminated_process_leaves_nothing_beside(tmp_path):
    code = (
        "import sys, time, pathlib\n"
        "from qpvgeo.formats.atomic_write import replace, unwind_on_termination\n"
        "unwind_on_termination()\n"
        "def slowly(beside):\n"
        "    beside.write_text('half'); print('begun', flush=True); time.sleep(60)\n"
        "replace(pathlib.Path(sys.argv[1]), slowly)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "a.csv")], stdout=subprocess.PIPE) as run:
        assert run.stdout.readline() == b"begun\n"
        run.terminate()
    assert run.returncode == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 130)])
def test_a_signal_that_comes_within_a_callback_ends_the_process_all_the_same(number, status):
    """Python swallows what is raised there, as in the lock of an import: the run went on, with a traceback."""
    code = (
        "import os, signal, sys, time, weakref\n"
        "from qpvgeo.formats.atomic_write import unwind_on_termination\n"
        # a shell has what it starts in the background ignore it
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "unwind_on_termination()\n"
        "kept = {1, 2}\n"
        f"kept_by = weakref.ref(kept, lambda _: (os.kill(os.getpid(), {int(number)}), time.sleep(0.01)))\n"
        "try:\n"
        "    del kept\n"
        "    print('goes on', flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=50)
    assert (run.returncode, run.stderr) == (status, b"")
    assert run.stdout.strip() in (b"", b"goes on")


def test_an_output_that_is_an_input_is_refused_through_links(tmp_path):
    given = tmp_path / "mine.json"
    given.write_text("mine")
    (tmp_path / "soft.json").symlink_to(given)
    (tmp_path / "hard.json").hardlink_to(given)
    for name in ("mine.json", "soft.json", "hard.json", "./x/../mine.json"):
        refused(lambda name=name: refuse_inputs(tmp_path / name, [given]), "formats.output_is_input", UsageError)
    refuse_inputs(tmp_path / "other.json", [given, tmp_path / "none.json"])


def test_own_folder_is_no_link(tmp_path):
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "thesis.txt").write_text("precious")
    (tmp_path / "parts").symlink_to(tmp_path / "victim")
    refused(lambda: own_folder(tmp_path / "parts"), "formats.not_own_folder", OutputError)
    remove_own(tmp_path / "parts")
    assert (tmp_path / "victim" / "thesis.txt").read_text() == "precious"
    assert own_folder(own_folder(tmp_path / "mine")).is_dir()
    remove_own(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def _refusal(winerror):
    error = PermissionError(errno.EACCES, "refused")
    error.winerror = winerror
    return error


@pytest.fixture
def held(monkeypatch):
    """Renames as Windows does them while another program has the file open: refused so many times."""
    real, refusals = os.replace, []

    def rename(source, target):
        if refusals:
            raise refusals.pop()
        real(source, target)

    monkeypatch.setattr(os, "replace", rename)
    monkeypatch.setattr(atomic_write, "_WAITS_S", (0, 0, 0))
    return refusals


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_file_that_is_open_for_a_moment_is_waited_for(tmp_path, held, winerror):
    (tmp_path / "a.csv").write_text("old")
    held += [_refusal(winerror)] * 3
    replace(tmp_path / "a.csv", lambda beside: beside.write_text("new"))
    assert (tmp_path / "a.csv").read_text() == "new"


def test_a_file_that_stays_open_is_left_as_it_was_with_the_reason(tmp_path, held):
    (tmp_path / "a.csv").write_text("old")
    held += [_refusal(32)] * 4
    with pytest.raises(OutputError) as refusal, writing(tmp_path / "a.csv"):
        replace(tmp_path / "a.csv", lambda beside: beside.write_text("new"))
    assert "Permission denied, or another program has it open" in str(refusal.value)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "old"}


def test_what_is_refused_for_good_is_not_waited_for(tmp_path, held):
    held += [PermissionError(errno.EACCES, "refused")]
    with pytest.raises(PermissionError):
        replace(tmp_path / "a.csv", lambda beside: beside.write_text("new"))
    assert not held
    assert not list(tmp_path.iterdir())


class _Kernel:
    """What the kernel of Windows answers of a process: a handle or none, and how it ended."""

    def __init__(self, handle, code=None):
        self.handle, self.code, self.closed = handle, code, False

    @property
    def OpenProcess(self):  # noqa: N802 - as Windows calls it
        def opened(*_):
            return self.handle

        return opened

    def GetExitCodeProcess(self, _handle, code):  # noqa: N802
        code._obj.value = self.code
        return 1

    def CloseHandle(self, _handle):  # noqa: N802
        self.closed = True


@pytest.mark.parametrize(
    ("kernel", "last_error", "alive"),
    [
        pytest.param(_Kernel(7, 259), 0, True, id="runs"),
        pytest.param(_Kernel(7, 1), 0, False, id="has ended, and a program still holds it"),
        pytest.param(_Kernel(None), 5, True, id="of another user"),
        pytest.param(_Kernel(None), 87, False, id="no such process"),
    ],
)
def test_processes_of_windows(kernel, last_error, alive):
    assert atomic_write._is_alive_there(kernel, 7, lambda: last_error) is alive
    assert kernel.closed is bool(kernel.handle)


@pytest.mark.parametrize(("tag", "plain"), [(0, True), (0x9000001A, True), (0xA0000003, False), (0xA000000C, False)])
def test_a_junction_of_windows_is_a_link_and_a_folder_of_a_cloud_is_none(tag, plain):
    state = SimpleNamespace(st_mode=stat.S_IFDIR | 0o700, st_reparse_tag=tag)
    assert atomic_write._is_plain_folder(state) is plain
