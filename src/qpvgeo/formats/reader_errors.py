"""One boundary around the libraries that read files: whatever they raise becomes an error of ours, with its cause.

GDAL, GEOS, PROJ, Arrow, calamine and zipfile raise dozens of classes on damaged files, internal errors of their own
included. Code that hands bytes to them does so inside `foreign`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from qpvgeo.errors import DataError, QpvgeoError, cause_of
from qpvgeo.language import Note

__all__ = ["cause_of", "foreign", "require_rows"]


@contextmanager
def foreign(label: str, *, way_out: str | None = None, kind: type[QpvgeoError] = DataError) -> Iterator[None]:
    """Turn what a library raises on a file into one error that names the file and the cause.

    Parameters
    ----------
    label
        Name of the file or layer in the message.
    way_out
        What the user can do next; downloading or exporting the file again by default.
    kind
        Class of the error.

    Raises
    ------
    DataError
        The library failed, or the disk is full; errors of ours and an interruption pass through unchanged.

    Examples
    --------
    >>> import zipfile
    >>> with foreign("a.zip"):
    ...     zipfile.ZipFile(__file__)
    Traceback (most recent call last):
    qpvgeo.errors.DataError: a.zip cannot be read: File is not a zip file.
    Download or export it again.
    """
    try:
        yield
    except (QpvgeoError, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # pyo3 raises its PanicException outside of Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        message = Note("formats.unreadable", file=label, cause=cause_of(error))
        raise kind(message, way_out=way_out or Note("formats.get_again")) from error


def require_rows(read: int, announced: int, label: str) -> None:
    """Refuse what was read of a file that announces more rows: Arrow ends a damaged column without a word.

    Raises
    ------
    DataError
        Fewer rows were read.

    Examples
    --------
    >>> require_rows(2, 3, "a.parquet")
    Traceback (most recent call last):
    qpvgeo.errors.DataError: a.parquet is damaged: it announces 3 rows, and 2 can be read.
    Download or export it again.
    """
    if read < announced:
        raise DataError(
            Note("formats.fewer_rows", file=label, announced=announced, read=read), way_out=Note("formats.get_again")
        )
