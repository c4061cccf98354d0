"""Errors of qpvgeo: what went wrong, all of it at once, and the way out.

Each class carries the exit status that the command line returns for it: 1 the data did not pass,
2 the call was wrong, 3 a source could not be had.
"""

import datetime as dt
import errno
import functools
import inspect
import os
import types
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple, ParamSpec, Protocol, TypeVar, runtime_checkable

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
_LONGEST = 300


def cause_of(error: BaseException) -> str:
    """What an exception says, on one line and of bounded length; its class where it says nothing."""
    text = " ".join(str(error).split()).rstrip(".")
    text = text.encode("utf-8", "backslashreplace").decode()
    if not text or isinstance(error, KeyError | IndexError | UnboundLocalError | AttributeError | TypeError):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


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


P = ParamSpec("P")
R = TypeVar("R")

_FRAMES = {"DataFrame", "GeoDataFrame", "Series", "GeoSeries", "Index"}
_KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "frames.kind_truth"),
    int: ((Integral,), "frames.kind_whole"),
    float: ((Real,), "frames.kind_number"),
    str: ((str,), "frames.kind_text"),
    os.PathLike: ((os.PathLike,), "frames.kind_path"),
    dt.date: ((dt.date,), "frames.kind_day"),
}


_PASS = (QpvgeoError, Warning, OSError, ImportError, MemoryError)
"""What a call may raise as it is."""

_GEOGRAPHY = "GeographyFrames"
"""What `qpvgeo.load` gives: several frames at once."""


def warn(note: str, category: type[Warning] = UserWarning) -> None:
    """Warn where the code that calls the library stands, however deep in it the note arose."""
    frame, level = inspect.currentframe(), 1
    while frame and str(frame.f_globals.get("__name__")).partition(".")[0] == "qpvgeo":
        frame, level = frame.f_back, level + 1
    warnings.warn(note, category, stacklevel=level)


@runtime_checkable
class _Items(Protocol):
    """What maps labels to values: a dict, or a column of pandas."""

    def items(self) -> Iterable[Any]:
        """Pairs of labels and values."""


class _Accepted(NamedTuple):
    """What an argument may be: classes, and how the error calls them."""

    classes: tuple[type, ...]
    words: tuple[str, ...]


def judged(function: Callable[P, R]) -> Callable[P, R]:
    """Let nothing foreign out of a public function: what it did not judge itself becomes one error of ours.

    The function knows what it needs and says it better; it costs nothing where it does. What a library raises all the
    same is laid to the arguments: those of a kind that the annotations do not name, else what is odd about each.

    Raises
    ------
    UsageError
        Lists every argument of a kind that the annotations do not name, and what it may be.
    DataError
        The function failed on something that it did not judge; errors of ours, of the disk and warnings pass through.

    Examples
    --------
    >>> @judged
    ... def area(side: float, *, unit: Literal["m", "km"] = "m") -> str:
    ...     return f"{side**2:g} {unit}2"
    >>> area(3)
    '9 m2'
    >>> area("3", unit=7)
    Traceback (most recent call last):
    qpvgeo.errors.UsageError: area() was given what it does not take.
      - side is a str; it may be a number
      - unit is a int; it may be 'm' and 'km'
    """
    name = function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except UsageError as error:
            shown = (error.message, *error.problems)
            if any(isinstance(one, Note) and one.values.get("kind") == _GEOGRAPHY for one in shown):
                error.way_out = Note("errors.name_one_frame")
            raise
        except _PASS:
            raise
        except Exception as error:
            try:
                given = inspect.signature(function).bind(*args, **kwargs).arguments
            except TypeError:  # the call itself is wrong, and Python says so
                raise error from None
            raise _refusal(function, name, given, error) from error

    return called


def _refusal(function: Callable[..., Any], name: str, given: Mapping[str, Any], error: Exception) -> QpvgeoError:
    """Error of ours for what a library raised inside a call."""
    accepted = _accepted(function)
    problems = [
        Note("frames.wrong_kind", name=argument, kind=type(value).__name__, takes=list(accepted[argument].words))
        for argument, value in given.items()
        if argument in accepted and not _fits(value, accepted[argument])
    ]
    if problems:
        return UsageError(Note("frames.wrong_kinds", function=name), problems=problems)
    return DataError(
        Note("frames.cannot_answer", function=name, cause=cause_of(error)),
        problems=[problem for argument, value in given.items() for problem in _suspect(argument, value)],
        way_out=Note("frames.cannot_answer_way_out"),
    )


def _suspect(argument: str, value: object) -> Iterator[Note]:
    """What is odd about an argument that a call failed on."""
    import geopandas as gpd  # noqa: PLC0415 - the facts are read without
    import pandas as pd  # noqa: PLC0415

    if not isinstance(value, pd.DataFrame | pd.Series):
        if not isinstance(value, str | Real | os.PathLike | dt.date | None):
            yield Note("frames.odd_kind", name=argument, kind=type(value).__name__)
        return
    if value.index.nlevels > 1:
        yield Note("frames.index_levels", name=argument, count=value.index.nlevels)
    else:
        if not value.index.is_unique:
            yield Note("frames.odd_labels_twice", name=argument, count=int(value.index.duplicated().sum()))
        if value.index.hasnans:
            yield Note("frames.odd_labels_missing", name=argument, count=int(value.index.isna().sum()))
    if isinstance(value, gpd.GeoDataFrame) and value.active_geometry_name is None:
        yield Note("frames.no_active_geometry", name=argument)
    if isinstance(value, pd.DataFrame):
        if not value.columns.is_unique:
            twice = value.columns[value.columns.duplicated()].unique()
            yield Note("frames.odd_columns_twice", name=argument, columns=list(map(str, twice)))
        told = {str(column): str(kind) for column, kind in zip(value.columns, value.dtypes, strict=True)}
        yield Note("frames.odd_columns", name=argument, columns=[f"{name} ({kind})" for name, kind in told.items()])
    else:
        yield Note("frames.odd_values", name=argument, kind=str(value.dtype))


def _fits(value: object, accepted: _Accepted) -> bool:
    dimensions = getattr(value, "ndim", 0)
    if dimensions == 0 and hasattr(value, "item"):
        value = value.item()
    framed = bool({"DataFrame", "GeoSeries"} & {one.__name__ for one in type(value).__mro__})
    if framed or dimensions > 1:
        return isinstance(value, accepted.classes) and Iterable not in accepted.classes
    return isinstance(value, accepted.classes)


@functools.cache
def _accepted(function: Callable[..., Any]) -> dict[str, _Accepted]:
    """What the arguments of a function may be; those that may be anything are left out."""
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError):  # annotations of what is only loaded for type checkers
        return {}
    variable = {name for name, one in inspect.signature(function).parameters.items() if one.kind is one.VAR_KEYWORD}
    found = {name: _of(hint) for name, hint in hints.items() if name not in ("return", *variable)}
    return {name: one for name, one in found.items() if one is not None}


def _of(hint: Any) -> _Accepted | None:  # noqa: ANN401 - an annotation
    """Classes and words of an annotation; None where it names a frame, or anything."""
    classes: list[type] = []
    words: list[str] = []
    for one in _members(hint):
        origin = typing.get_origin(one) or one
        if origin is Any or isinstance(origin, TypeVar) or getattr(origin, "__name__", "") in _FRAMES:
            return None
        if origin is Literal:
            classes.append(str)
            words += [repr(value) for value in typing.get_args(one)]
        elif one is type(None) or one is None:
            classes.append(type(None))
        elif origin in _KINDS:
            classes += _KINDS[origin][0]
            words.append(Note(_KINDS[origin][1]))
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            classes.append(_Items)
            words.append(Note("frames.kind_mapping"))
        elif isinstance(origin, type) and issubclass(origin, Iterable):
            # arrays, columns and labels are no sequences for Python
            classes.append(Iterable)
            words.append(Note("frames.kind_list"))
        elif isinstance(origin, type):
            classes.append(origin)
            words.append(origin.__name__)
        else:
            return None
    return _Accepted(tuple(classes), tuple(dict.fromkeys(words)))


def _members(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - an annotation
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        for one in typing.get_args(hint):
            yield from _members(one)
    else:
        yield hint
