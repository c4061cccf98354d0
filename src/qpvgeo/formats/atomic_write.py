"""Write files so that what stood there before is whole until the new one is, and say why one cannot be written."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qpvgeo.errors import OutputError, QpvgeoError

__all__ = ["real_path", "replace", "writing"]


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
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno == errno.ENOENT and not folder.is_dir():
            reason = f"there is no folder {folder}"
        raise OutputError(f"Cannot write {os.fspath(path)}: {reason}.", way_out=way_out) from error


def real_path(path: Path) -> Path:
    """Where a file is written: a link stays, and what it names is written."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside a place, then rename: a reader finds the old file or the new one, whole. A link stays a link.

    Parameters
    ----------
    path
        The place.
    write
        Writes the file whose path it is given.
    """
    path = real_path(path)
    # several threads of several processes may write one file: the last one has it, whole
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        write(beside)
        os.replace(beside, path)  # noqa: PTH105 - a rename over what is there
    except BaseException:
        if path.parent.is_dir():
            beside.unlink(missing_ok=True)
        raise
