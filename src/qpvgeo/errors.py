"""Errors of qpvgeo: what went wrong, all of it at once, and the way out.

Each class carries the exit status that the command line returns for it: 1 the data did not pass,
2 the call was wrong, 3 a source could not be had.
"""

import errno
from collections.abc import Iterable

from qpvgeo import settings
from qpvgeo.language import Note, say

__all__ = [
    "ArchiveError",
    "DataError",
    "DiskFullError",
    "FetchError",
    "ForbiddenError",
    "HashMismatchError",
    "MissingDataError",
    "NotFoundError",
    "OfflineError",
    "OutputError",
    "QpvgeoError",
    "SourceTimeoutError",
    "TruncatedError",
    "UsageError",
    "WrongTypeError",
]

_LISTED = 20


class QpvgeoError(Exception):
    """Base of every error that qpvgeo raises on purpose.

    Parameters
    ----------
    message
        One sentence that says what went wrong: a `Note`, which speaks both languages, or plain text.
    problems
        Every problem found, a line each; the message lists the first twenty and counts the rest.
    way_out
        What the user can do next.

    Attributes
    ----------
    message, problems, way_out
        As given.
    key : str
        Key of the message, by which programs tell errors apart; empty for plain text.

    Examples
    --------
    >>> error = QpvgeoError(Note("frames.several_rows", label="QP001001", count=2))
    >>> error.key, error.say("fr")
    ('frames.several_rows', 'QP001001 figure 2 fois')
    """

    exit_code = 1

    def __init__(self, message: str, *, problems: Iterable[str] = (), way_out: str = "") -> None:
        self.message = message
        self.problems = tuple(problems)
        self.way_out = way_out
        super().__init__(self.say("en"))

    @property
    def key(self) -> str:
        """Key of the message; empty for plain text."""
        return self.message.key if isinstance(self.message, Note) else ""

    def say(self, lang: str | None = None) -> str:
        """Word the whole error in a language, that of `qpvgeo.settings` by default."""
        lang = lang or settings.current_language()
        lines = [_said(self.message, lang), *(f"  - {_said(problem, lang)}" for problem in self.problems[:_LISTED])]
        if len(self.problems) > _LISTED:
            lines.append(f"  - {say('errors.more_problems', {'count': len(self.problems) - _LISTED}, lang)}")
        if self.way_out:
            lines.append(_said(self.way_out, lang))
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.say()


def _said(text: str, lang: str) -> str:
    return text.say(lang) if isinstance(text, Note) else text


class DataError(QpvgeoError, ValueError):
    """The data do not hold what they must."""


class UsageError(QpvgeoError, ValueError):
    """The call was wrong: an argument, an option, a combination."""

    exit_code = 2


class OutputError(QpvgeoError, OSError):
    """A file cannot be written where the call wants it."""

    exit_code = 2


class MissingDataError(QpvgeoError, LookupError):
    """A file that the question needs is not available locally."""

    exit_code = 3


class FetchError(QpvgeoError, OSError):
    """A file could not be downloaded."""

    exit_code = 3


class OfflineError(FetchError):
    """A download was needed while `QPVGEO_OFFLINE` is set."""


class ForbiddenError(FetchError):
    """The server refuses programs (403); insee.fr does."""


class NotFoundError(FetchError):
    """The address answers 404 or 410: the file has moved."""


class SourceTimeoutError(FetchError):
    """The server did not answer in time."""


class TruncatedError(FetchError):
    """Fewer bytes arrived than were announced, or the file ends too early."""


class WrongTypeError(FetchError):
    """Something else than the file arrived, such as an error page served as data."""


class HashMismatchError(FetchError):
    """The file is not the one whose SHA-256 is known."""


class DiskFullError(FetchError):
    """There is no room left to write the file."""

    codes = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ArchiveError(QpvgeoError, ValueError):
    """An archive is damaged or hostile: a path that escapes, a bomb, a bad checksum."""
