"""Standard output as it is: any encoding, and a reader that may leave before the end."""

import codecs
import errno
import os
import re
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from click.exceptions import Exit

from qpvgeo.language.notes import keys

__all__ = ["encodable", "quiet_pipe", "said_in_the_answer", "visible"]

_HANDLER = "qpvgeo.nearest"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NEAREST = {
    "\u202f": "\u00a0",
    "\u00a0": " ",
    "’": "'",
    "–": "-",
    "─": "-",
    "×": "x",
    "²": "2",
    "«": '"',
    "»": '"',
    "…": "...",
}


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Nearest letters that the encoding has, for those it does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_written(letter, error.encoding) for letter in error.object[error.start : error.end]), error.end


def _written(letter: str, encoding: str) -> str:
    other = _NEAREST.get(letter) or "".join(
        part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part)
    )
    try:
        other.encode(encoding)
    except UnicodeEncodeError:
        return _written(other, encoding) if other in _NEAREST else "?"
    return other or "?"


def visible(text: str) -> str:
    r"""Text without signs that a terminal obeys: names of files and cells of tables may hold any.

    Examples
    --------
    >>> print(visible("\x1b[31mred.csv"))
    \x1b[31mred.csv
    """
    return _CONTROLS.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)


def encodable() -> None:
    """Write what the encoding of a stream does not have as its nearest letters: cp1252 has no narrow space."""
    codecs.register_error(_HANDLER, _nearest)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # a stream that is not text, or is closed
            stream.reconfigure(errors=_HANDLER)  # type: ignore[union-attr]


def _reader_left(error: OSError, *, windows: bool = os.name == "nt") -> bool:
    """Whether the reader of standard output has left; Windows calls that an invalid argument, of no file."""
    broken = isinstance(error, BrokenPipeError)
    return broken or (windows and error.errno == errno.EINVAL and error.filename is None)


@contextmanager
def quiet_pipe() -> Iterator[None]:
    """End with 0 when the reader of standard output has left: `qpvgeo coverage | head` is no failure."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if not _reader_left(error):
            raise
        with suppress(OSError, ValueError):  # a stream without a descriptor
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Exit(0) from None


@contextmanager
def said_in_the_answer(*phrases: str) -> Iterator[None]:
    """Keep back warnings of these keys, in either language: the answer says the same as notes."""
    with warnings.catch_warnings():
        for text in (text for key in phrases for text in keys()[key].values()):
            told = ".*".join(map(re.escape, re.split(r"\{[^}]*\}", text)))
            warnings.filterwarnings("ignore", message=told)
        yield
