"""What a request asks: parameters of its query and its JSON, judged at the door, all problems at once."""

import datetime as dt
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import orjson

from qpvgeo.errors import UsageError
from qpvgeo.language import Note

__all__ = ["TEXT_PATTERN", "RequestParameters", "json_of"]

T = TypeVar("T")
_SHOWN = 40
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_TEXT = re.compile(f"[^{_CONTROL}]*")

TEXT_PATTERN = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"
"""Texts that are taken, for the document: something to read, and nothing that steers a terminal."""


class RequestParameters:
    """Parameters of a query, read one by one; `require` raises once for all that is wrong.

    Parameters
    ----------
    given
        Names and texts.
    known
        Names that the path takes; any other is a problem.
    """

    def __init__(self, given: Mapping[str, str], known: Collection[str]) -> None:
        self._given = given
        self.problems: list[str] = [
            Note("service.no_such_parameter", name=name[:_SHOWN], known=sorted(known))
            for name in given
            if name not in known and name != "lang"
        ]

    def read(self, name: str, reads: Callable[[str], T], kind: str) -> T | None:
        """Value of a parameter; None where it is not given, or where it is empty or cannot be read, which is noted."""
        if name not in self._given:
            return None
        text = self._given[name].strip()
        if not text:
            self.problems.append(Note("service.empty_parameter", name=name, kind=Note(kind)))
            return None
        try:
            return reads(text)
        except (ValueError, OverflowError):
            self.problems.append(Note("service.wrong_parameter", name=name, given=text[:_SHOWN], kind=Note(kind)))
            return None

    def needed(self, name: str, reads: Callable[[str], T], kind: str) -> T | None:
        """The same; noted too where it is missing."""
        if name not in self._given:
            self.problems.append(Note("service.missing_parameter", name=name, kind=Note(kind)))
            return None
        return self.read(name, reads, kind)

    def number(self, name: str, *, needed: bool = False) -> float | None:
        """A finite number, with a decimal point."""
        return (self.needed if needed else self.read)(name, _finite, "service.kind_number")

    def positive(self, name: str) -> float | None:
        """A finite number from 0 on."""
        return self.read(name, _positive, "service.kind_positive")

    def count(self, name: str, default: int, most: int) -> int:
        """A whole number from 0 to the most."""

        def reads(text: str) -> int:
            found = int(text) if text.isdecimal() and text.isascii() else -1
            if not 0 <= found <= most:
                raise ValueError(text)
            return found

        found = self.read(name, reads, "service.kind_count")
        return default if found is None else found

    def choice(self, name: str, words: Collection[str], default: str) -> str:
        """One of some words."""
        text = self._given.get(name, default).strip()
        if name in self._given and text not in words:
            self.problems.append(Note("service.not_a_word", name=name, given=text[:_SHOWN], words=list(words)))
        return text if text in words else default

    def day(self, name: str = "on", *, needed: bool = False) -> str | None:
        """A day, as YYYY-MM-DD."""
        return (self.needed if needed else self.read)(name, _day, "service.kind_day")

    def text(self, name: str, most: int = 200, *, needed: bool = False) -> str | None:
        """A text that is not too long."""

        def reads(text: str) -> str:
            if len(text) > most or not _TEXT.fullmatch(text):
                raise ValueError(text)
            return text

        return (self.needed if needed else self.read)(name, reads, "service.kind_text")

    def vintage(self, held: Collection[int], *, on: str | None = None) -> int | None:
        """Vintage asked for, of those held; the newest by default, None where a day chooses."""
        found = self.read("vintage", _year, "service.kind_vintage")
        if found is not None and found not in held:
            self.problems.append(
                Note("service.no_vintage", given=str(found), held=[str(year) for year in sorted(held)])
            )
        if found is not None and on is not None:
            self.problems.append(Note("service.vintage_or_day"))
        return found if found is not None or on is not None else max(held)

    def require(self) -> None:
        """Raise one error for all that was wrong.

        Raises
        ------
        UsageError
            Something was.
        """
        if self.problems:
            raise UsageError(
                Note("service.invalid_question"), problems=self.problems, way_out=Note("service.see_openapi")
            )


def json_of(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Value of a JSON body.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        problems = [Note("service.json_line", line=error.lineno, column=error.colno)]
        raise UsageError(Note("service.not_json"), problems=problems, way_out=Note("service.see_openapi")) from error


def _finite(text: str) -> float:
    found = float(text)
    # Python takes 1_000 and digits of other scripts for numbers
    if not math.isfinite(found) or not text.isascii() or "_" in text:
        raise ValueError(text)
    return found


def _positive(text: str) -> float:
    found = _finite(text)
    if found < 0:
        raise ValueError(text)
    return found


def _year(text: str) -> int:
    # Python takes 2_024 and digits of other scripts for numbers
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(text)
    return int(text)


def _day(text: str) -> str:
    # Python takes 20240630 and weeks too
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return dt.date.fromisoformat(text).isoformat()
