"""Write files so that what stood there before is whole until the new one is, and say why one cannot be written."""

import _thread
import contextlib
import errno
import os
import re
import shutil
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qpvgeo.errors import OutputError, QpvgeoError, UsageError
from qpvgeo.language import Note

__all__ = [
    "is_alive",
    "own_folder",
    "real_path",
    "refuse_inputs",
    "remove_own",
    "remove_unused",
    "rename",
    "replace",
    "require_writable",
    "settle",
    "sweep",
    "unwind_on_termination",
    "writing",
]

_BESIDE = re.compile(r"\.(?P<pid>\d+)-\d+\.new(?:[.-].*)?")
_LONGEST = 200
_WINDOWS_QUERY = 0x1000
_STILL_ACTIVE = 259
_ACCESS_DENIED = 5
_HELD_OPEN = (_ACCESS_DENIED, 32, 33)
"""What Windows says of a file that a program has open: access denied, or a violation of sharing or of a lock."""

_CALLBACK_S = 0.05
_WAITS_S = (0.01, 0.05, 0.2, 0.5)
_LINK_TAGS = (0xA000000C, 0xA0000003)
"""Symbolic links and junctions of Windows."""


@contextmanager
def writing(path: str | os.PathLike[str], *, way_out: str = "") -> Iterator[None]:
    """Turn what the system says of a file that cannot be written into an error of qpvgeo.

    Parameters
    ----------
    path
        File that is to be written.
    way_out
        What the user can do next.

    Raises
    ------
    OutputError
        The file cannot be written: names it and the reason.

    Examples
    --------
    >>> import pathlib
    >>> with writing("none/a.csv"):
    ...     pathlib.Path("none/a.csv").write_text("a")
    Traceback (most recent call last):
    qpvgeo.errors.OutputError: Cannot write none/a.csv: there is no folder none.
    """
    try:
        yield
    except QpvgeoError:
        raise
    except OSError as error:
        folder = Path(path).parent
        name = os.fsdecode(os.fspath(path))
        if error.errno in (None, errno.ENOENT) and not folder.is_dir():
            raise OutputError(Note("formats.no_folder", file=name, folder=str(folder)), way_out=way_out) from error
        reason = os.strerror(error.errno) if error.errno else str(error)
        if getattr(error, "winerror", None) in _HELD_OPEN:
            reason = Note("formats.or_open_elsewhere", reason=reason)
        raise OutputError(Note("formats.not_written", file=name, reason=reason), way_out=way_out) from error


def real_path(path: Path) -> Path:
    """Where a file is written: a link stays, and what it names is written."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def require_writable(path: Path) -> Path:
    """Where an output is written, once it is known to be a regular file or no file yet.

    Raises
    ------
    OutputError
        A folder, pipe, device or socket bears that name: it is never replaced.
    """
    path = real_path(path)
    if not path.name or path.is_dir():
        raise OutputError(Note("formats.output_is_folder", file=str(path)), way_out=Note("formats.name_a_file"))
    if path.exists() and not path.is_file():
        raise OutputError(Note("formats.output_not_regular", file=str(path)), way_out=Note("formats.name_a_file"))
    return path


def refuse_inputs(output: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse an output that is one of the files read, or lies under the name of one.

    Parameters
    ----------
    output
        File that is to be written.
    inputs
        Files that the same call reads; symbolic and hard links are resolved.

    Raises
    ------
    UsageError
        The output is an input: names both.

    Examples
    --------
    >>> refuse_inputs("a.csv", ["b.csv"])
    >>> refuse_inputs("a.csv", ["./a.csv"])
    Traceback (most recent call last):
    qpvgeo.errors.UsageError: a.csv is read by this call, and would be overwritten.
    Name another output file.
    """
    target = os.path.realpath(output)
    for given in inputs:
        same = os.path.realpath(given) == target
        with contextlib.suppress(OSError):
            same = same or os.path.samefile(given, output)  # noqa: PTH121 - names of either kind
        if same:
            raise UsageError(
                Note("formats.output_is_input", file=os.fspath(output)), way_out=Note("formats.name_another_output")
            )


def replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside a place, then rename: a reader finds the old file or the new one, whole. A link stays a link.

    The permissions of a file that was there are kept, and what killed runs left beside it is removed.

    Parameters
    ----------
    path
        The place.
    write
        Writes the file whose path it is given.

    Raises
    ------
    OutputError
        The place is a folder, a pipe or a device.
    """
    path = require_writable(path)
    sweep(path)
    # several threads of several processes may write one file: the last one has it, whole
    beside = path.with_name(f".{path.name[:_LONGEST]}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        write(beside)
        settle(beside, path)
    except BaseException:
        if path.parent.is_dir():
            beside.unlink(missing_ok=True)
        raise


def settle(written: Path, path: Path) -> None:
    """Put a written file in its place, with the permissions of the file that was there."""
    path = require_writable(path)
    if os.name != "nt":  # its one bit, read-only, would only keep the file from being renamed
        with contextlib.suppress(FileNotFoundError):
            written.chmod(stat.S_IMODE(path.stat().st_mode))
    rename(written, path)


def rename(written: Path, path: Path) -> None:
    """Rename over what is there. Windows refuses while a program has one of them open: most do for a moment only."""
    for wait_s in (*_WAITS_S, None):
        try:
            os.replace(written, path)  # noqa: PTH105 - folders too
        except PermissionError as error:
            if wait_s is None or getattr(error, "winerror", None) not in _HELD_OPEN:
                raise
            time.sleep(wait_s)
        else:
            return


def sweep(path: Path) -> None:
    """Remove what processes that are no more left beside an output."""
    start = f".{path.name[:_LONGEST]}"
    if not path.parent.is_dir():
        return
    for left in path.parent.iterdir():
        found = _BESIDE.fullmatch(left.name[len(start) :]) if left.name.startswith(start) else None
        if found and not is_alive(int(found["pid"])):
            with contextlib.suppress(OSError):
                left.unlink()


def remove_unused(paths: Iterable[Path], *, days: int = 90) -> None:
    """Remove the files of a cache that no run has used for so long; a run sets the time of one that it uses."""
    for path in paths:
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > days * 86_400:
                path.unlink()


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs on this machine.

    Examples
    --------
    >>> is_alive(os.getpid()), is_alive(2**22 + 1)
    (True, False)
    """
    if os.name == "nt":
        import ctypes  # noqa: PLC0415 - Windows alone

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
        return _is_alive_there(kernel, pid, ctypes.get_last_error)  # type: ignore[attr-defined]
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _is_alive_there(kernel: Any, pid: int, last_error: Callable[[], int]) -> bool:  # noqa: ANN401 - a library
    """Whether a process runs on Windows: one of another user cannot be opened, one that has ended may still be."""
    import ctypes  # noqa: PLC0415 - Windows alone

    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(_WINDOWS_QUERY, False, pid)
    if not handle:
        return last_error() == _ACCESS_DENIED
    code = ctypes.c_ulong(_STILL_ACTIVE)
    kernel.GetExitCodeProcess(ctypes.c_void_p(handle), ctypes.byref(code))
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return code.value == _STILL_ACTIVE


def _is_plain_folder(state: Any) -> bool:  # noqa: ANN401 - os.stat_result, which has a tag on Windows alone
    """Whether what `lstat` says is of a folder, and no link or junction to one."""
    return stat.S_ISDIR(state.st_mode) and getattr(state, "st_reparse_tag", 0) not in _LINK_TAGS


def own_folder(path: Path) -> Path:
    """Make a hidden folder of our own, or take the one an earlier run left; never a link to another folder.

    Raises
    ------
    OutputError
        A link, a file or the folder of another user bears that name.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    state = path.lstat()
    foreign = hasattr(os, "getuid") and state.st_uid != os.getuid()
    if not _is_plain_folder(state) or foreign:
        raise OutputError(Note("formats.not_own_folder", folder=str(path)), way_out=Note("formats.move_it_away"))
    return path


def remove_own(path: Path) -> None:
    """Remove a folder of our own with what it holds; a link is left alone."""
    if not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)


def unwind_on_termination() -> None:
    """Let SIGTERM end the process as an exception, so that files under way are removed; for command lines.

    Python swallows what is raised in a callback, and the run would go on: the signal is sent again.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def stop(number: int, _frame: object) -> None:
        raise _Terminated(number)

    def stop_again(swallowed: Any) -> None:  # noqa: ANN401 - what Python says of it
        error = swallowed.exc_value
        if isinstance(error, _Terminated | KeyboardInterrupt):
            number = error.number if isinstance(error, _Terminated) else signal.SIGINT
            threading.Timer(_CALLBACK_S, _send_again, (number,)).start()
        else:
            told(swallowed)

    told = sys.unraisablehook
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_DFL:
            signal.signal(getattr(signal, name), stop)
            sys.unraisablehook = stop_again


def _send_again(number: int) -> None:
    if os.name == "nt" and number == signal.SIGINT:
        # a signal that is sent to oneself there ends the process at once
        _thread.interrupt_main(signal.SIGINT)
    else:
        os.kill(os.getpid(), number)


class _Terminated(SystemExit):
    """The end that a signal asks for."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number
