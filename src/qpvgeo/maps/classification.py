"""Numbers in classes: where they are cut, which colour each has, and how a legend writes them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.language.numbers import number, share
from qpvgeo.maps.palettes import sequential

__all__ = ["FEWEST", "SCHEMES", "Classes", "Kind", "classed", "exact_digits", "written"]

Kind = Literal["share", "number", "decimal"]
Floats = npt.NDArray[np.float64]

SCHEMES = {
    "round": "",
    "quantiles": "Quantiles",
    "natural": "JenksCaspall",
    "equal": "EqualInterval",
    "pretty": "PrettyBreaks",
}
"""How numbers are cut: about as many in each class with round limits, or by a classifier of mapclassify."""

FEWEST = 7
"""Numbers from which classes say more than the numbers themselves."""

_MOST = 7
_DIGITS: dict[Kind, int] = {"share": 1, "number": 0, "decimal": 2}
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of numbers.

    Attributes
    ----------
    bounds
        Least number, the limits between classes, and the greatest number. A limit belongs to the class above it in the
        scheme `round`, to the class below it in the others.
    colours
        One for each class, from light to dark.
    of
        Class of each number, -1 for one that is missing.
    labels
        What a legend says of each class, no limit in two of them: the least and the greatest whole number in it, or
        the limits between which other numbers lie.
    """

    bounds: Floats
    colours: tuple[str, ...]
    of: npt.NDArray[np.intp]
    labels: tuple[str, ...]

    def class_of(self, value: float) -> int:
        """Class that a number would be in."""
        return int(np.clip(np.searchsorted(self.bounds[1:-1], value, "right"), 0, max(len(self.bounds) - 2, 0)))


def classed(
    values: npt.ArrayLike, *, scheme: str = "round", count: int = 5, kind: Kind = "number", lang: str = "en"
) -> Classes:
    r"""Put numbers in classes.

    Parameters
    ----------
    values
        Numbers; missing ones have no class.
    scheme
        One of `SCHEMES`:

        - `round`: about as many numbers in each class, the limits being round numbers;
        - `quantiles`, `natural`, `equal`, `pretty`: as many in each class, where there are gaps, equal widths, round
          widths, by mapclassify.
    count
        Maximum number of classes, 7 or fewer: beyond, neighbouring colours cannot be told apart.
    kind
        `share` (0 to 1, written as a percentage), `number` (whole) or `decimal`.
    lang
        Language of the labels.

    Raises
    ------
    UsageError
        The scheme is unknown, or there are too many classes.

    Examples
    --------
    >>> classed([0.01, 0.04, 0.06, 0.11, 0.12, 0.31, None], count=3, kind="share").labels
    ('less than 5%', '5% to less than 10%', '10% or more')
    >>> classed([1, 2, 3, 4, 41], count=3).labels
    ('1', '2 to 3', '4 to 41')
    """
    _require(scheme, count)
    given = np.array([np.nan if value is None else value for value in np.asarray(values, dtype=object)], dtype=float)
    there = np.isfinite(given)
    known = given[there]
    if not len(known):
        return Classes(np.zeros(0), (), np.full(len(given), -1, np.intp), ())
    count = min(count, len(np.unique(known)))
    rounded = scheme == "round"
    limits = _round_limits(known, count) if rounded else _limits(known, scheme, count)
    of = np.full(len(given), -1, np.intp)
    of[there] = np.searchsorted(limits, known, "right" if rounded else "left")
    bounds = np.concatenate([[known.min()], limits, [known.max()]])
    labels = _labels(known, of[there], bounds, kind, lang, rounded=rounded)
    return Classes(bounds, tuple(sequential(len(bounds) - 1)), of, labels)


def _require(scheme: str, count: int) -> None:
    """Raise one error for an unknown scheme and a number of classes that cannot be drawn."""
    problems: list[str] = []
    if scheme not in SCHEMES:
        problems.append(Note("maps.unknown_scheme", scheme=repr(scheme), known=list(SCHEMES)))
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= _MOST:
        problems.append(Note("maps.too_many_classes", count=repr(count), most=_MOST))
    if problems:
        raise UsageError(Note("maps.invalid_classes"), problems=problems)


def _round_limits(known: Floats, count: int) -> Floats:
    """Limits near the quantiles, as round as leaves `count` classes, or else the most classes that there can be."""
    span = float(known.max() - known.min())
    if count == 1 or span == 0:
        return np.zeros(0)
    inner = np.quantile(known, np.linspace(0, 1, count + 1)[1:-1])
    best = np.zeros(0)
    top = int(np.ceil(np.log10(span)))
    for power in range(top, top - 4, -1):
        for step in (5.0, 2.0, 1.0):
            width = step * 10.0**power
            tried = np.unique(np.round(np.round(inner / width) * width, max(12 - top, 0)))
            tried = tried[(tried > known.min()) & (tried <= known.max())]
            held = np.unique(np.searchsorted(tried, known, "right"))
            tried = tried[held[held < len(tried)]]
            if len(tried) > len(best):
                best = tried
            if len(best) == count - 1:
                return best
    return best


def _limits(known: Floats, scheme: str, count: int) -> Floats:
    """Limits between the classes of a classifier of mapclassify that hold any number."""
    if count == 1:
        return np.zeros(0)
    try:
        import mapclassify  # noqa: PLC0415 - the other scheme does without
    except ImportError as error:
        raise UsageError(Note("maps.needs_mapclassify"), way_out=Note("maps.install", extra="maps")) from error
    if scheme == "quantiles":
        # many equal numbers leave fewer classes
        count = len(np.unique(np.quantile(known, np.linspace(0, 1, count + 1)[1:])))
    cut = getattr(mapclassify, SCHEMES[scheme])(known, k=count)
    upper = np.unique(np.append(np.asarray(cut.bins, dtype=float)[:-1], known.max()))
    # a class that holds none would be a colour that the map does not have
    return upper[np.unique(np.searchsorted(upper, known, "left"))][:-1]


def _labels(
    known: Floats, of: npt.NDArray[np.intp], bounds: Floats, kind: Kind, lang: str, *, rounded: bool
) -> tuple[str, ...]:
    """What a legend says of each class: whole numbers by those that are in it, others by the limits."""
    if kind == "number" and (known == np.round(known)).all():
        ends = [(known[of == one].min(), known[of == one].max()) for one in range(len(bounds) - 1)]
        digits = _digits(np.unique(ends), kind, lang)
        return tuple(_range(low, high, kind, lang, digits) for low, high in ends)
    if len(bounds) == 2 or bounds[0] == bounds[-1]:
        digits = _digits(bounds, kind, lang)
        return (_range(float(bounds[0]), float(bounds[-1]), kind, lang, digits),)
    if rounded:
        limits = bounds[1:-1]
        texts = [written(limit, kind, lang, exact_digits(limits, kind)) for limit in limits]
        inner = [_said("maps.class_between", lang, low=low, high=high) for low, high in pairwise(texts)]
        return (_said("maps.class_below", lang, high=texts[0]), *inner, _said("maps.class_from", lang, low=texts[-1]))
    digits = _digits(bounds, kind, lang)
    texts = [written(bound, kind, lang, digits) for bound in bounds]
    first = _range(float(bounds[0]), float(bounds[1]), kind, lang, digits)
    return (first, *(_said("maps.class_over", lang, low=low, high=high) for low, high in pairwise(texts[1:])))


def _range(low: float, high: float, kind: Kind, lang: str, digits: int) -> str:
    first, last = (written(value, kind, lang, digits) for value in (low, high))
    return _said("maps.class_range", lang, low=first, high=last) if high > low else first


def _said(key: str, lang: str, **limits: str) -> str:
    return Note(key, **limits).say(lang)


def exact_digits(limits: Floats, kind: Kind) -> int:
    """Digits after the point that write round limits in full."""
    told = 100 * limits if kind == "share" else limits
    return next((digits for digits in range(_MOST_DIGITS) if np.allclose(told, np.round(told, digits), atol=1e-9)), 2)


def _digits(bounds: Floats, kind: Kind, lang: str) -> int:
    """Digits after the point that tell bounds from each other, and from zero."""
    told = np.unique(bounds[bounds != 0]).tolist()
    for digits in range(_DIGITS[kind], _MOST_DIGITS):
        texts = {written(bound, kind, lang, digits) for bound in told}
        zero = {written(nothing, kind, lang, digits) for nothing in (0.0, -0.0)}
        if len(texts) == len(told) and not texts & zero:
            return digits
    return _MOST_DIGITS


def written(value: float, kind: Kind, lang: str, digits: int | None = None) -> str:
    """Write a number as a legend or a label does, with a typographic minus.

    Examples
    --------
    >>> written(0.125, "share", "fr"), written(-3, "number", "en")
    ('12,5\u202f%', '−3')
    """
    places = _DIGITS[kind] if digits is None else digits
    text = share(value, lang, places) if kind == "share" else number(value, lang, places)
    return text.replace("-", "−")
