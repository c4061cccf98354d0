"""Numbers in classes: where they are cut, which colour each has, and how a legend writes them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from qpvgeo.errors import UsageError
from qpvgeo.language.numbers import number, share
from qpvgeo.maps.palettes import sequential

__all__ = ["SCHEMES", "Classes", "classed"]

Kind = Literal["share", "number", "decimal"]
Floats = npt.NDArray[np.float64]

SCHEMES = {"quantiles": "Quantiles", "natural": "JenksCaspall", "equal": "EqualInterval", "pretty": "PrettyBreaks"}
"""How numbers are cut, by the classifier of mapclassify: as many in each class, where there are gaps, equal, round."""

_MOST = 7
_DIGITS: dict[Kind, int] = {"share": 1, "number": 0, "decimal": 2}
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of numbers.

    Attributes
    ----------
    bounds
        Least number, then the greatest of each class.
    colours
        One for each class, from light to dark.
    of
        Class of each number, -1 for one that is missing.
    labels
        What a legend says of each class: the least and the greatest whole number in it, or the bounds between which
        other numbers lie, the lower one left out but in the first class, with as many digits as tell them apart.
    """

    bounds: Floats
    colours: tuple[str, ...]
    of: npt.NDArray[np.intp]
    labels: tuple[str, ...]


def classed(
    values: npt.ArrayLike, *, scheme: str = "quantiles", count: int = 5, kind: Kind = "number", lang: str = "en"
) -> Classes:
    r"""Put numbers in classes.

    Parameters
    ----------
    values
        Numbers; missing ones have no class.
    scheme
        One of `SCHEMES`.
    count
        Classes at most, 7 or fewer: beyond, neighbouring colours cannot be told apart.
    kind
        `share` (0 to 1, written in per cent), `number` (whole) or `decimal`.
    lang
        Language of the labels.

    Raises
    ------
    UsageError
        There is no such scheme, or too many classes are asked for.

    Examples
    --------
    >>> classed([0.1, 0.2, 0.3, None], count=2, kind="share").labels
    ('10.0% to 20.0%', '20.0% to 30.0%')
    >>> classed([1, 2, 3, 4, 41], count=3).labels
    ('1 to 2', '3', '4 to 41')
    """
    if scheme not in SCHEMES:
        raise UsageError(f"There is no scheme {scheme!r}.", way_out=f"Schemes: {', '.join(SCHEMES)}.")
    if not isinstance(count, int | np.integer) or not 1 <= count <= _MOST:
        raise UsageError(f"{count!r} classes cannot be told apart.", way_out=f"Ask for 1 to {_MOST}.")
    given = np.array([np.nan if value is None else value for value in np.asarray(values, dtype=object)], dtype=float)
    there = np.isfinite(given)
    known = given[there]
    if not len(known):
        return Classes(np.zeros(0), (), np.full(len(given), -1, np.intp), ())
    count = min(count, len(np.unique(known)))
    bounds = _bounds(known, scheme, count)
    of = np.full(len(given), -1, np.intp)
    of[there] = np.clip(np.searchsorted(bounds[1:], known, "left"), 0, len(bounds) - 2)
    labels = _labels(known, of[there], bounds, kind, lang)
    return Classes(bounds, tuple(sequential(len(bounds) - 1)), of, labels)


def _bounds(known: Floats, scheme: str, count: int) -> Floats:
    """Least number and upper bound of each class that holds any."""
    if count == 1:
        return np.array([known.min(), known.max()])
    try:
        import mapclassify  # noqa: PLC0415 - maps of perimeters and points do without
    except ImportError as error:
        raise UsageError("Classes need mapclassify.", way_out="pip install 'qpvgeo[maps]'.") from error
    if scheme == "quantiles":
        # many equal numbers leave fewer classes
        count = len(np.unique(np.quantile(known, np.linspace(0, 1, count + 1)[1:])))
    cut = getattr(mapclassify, SCHEMES[scheme])(known, k=count)
    upper = np.unique(np.append(np.asarray(cut.bins, dtype=float)[:-1], known.max()))
    # a class that holds none would be a colour that the map does not have
    upper = upper[np.unique(np.searchsorted(upper, known, "left"))]
    return (
        np.concatenate([[known.min()], upper[upper > known.min()]])
        if len(upper) > 1
        else np.array([known.min(), known.max()])
    )


def _labels(known: Floats, of: npt.NDArray[np.intp], bounds: Floats, kind: Kind, lang: str) -> tuple[str, ...]:
    """What a legend says of each class: whole numbers by those that are in it, others by its bounds."""
    if kind == "number" and (known == np.round(known)).all():
        ends = [(known[of == one].min(), known[of == one].max()) for one in range(len(bounds) - 1)]
    else:
        ends = list(pairwise(bounds.tolist()))
    digits = _digits(np.unique(ends), kind, lang)
    to = "à" if lang == "fr" else "to"
    return tuple(
        f"{_written(low, kind, lang, digits)} {to} {_written(high, kind, lang, digits)}"
        if high > low
        else _written(low, kind, lang, digits)
        for low, high in ends
    )


def _digits(bounds: Floats, kind: Kind, lang: str) -> int:
    """Digits after the point that tell bounds from each other, and from zero."""
    told = bounds[bounds != 0].tolist()
    for digits in range(_DIGITS[kind], _MOST_DIGITS):
        written = {_written(bound, kind, lang, digits) for bound in told}
        zero = {_written(nothing, kind, lang, digits) for nothing in (0.0, -0.0)}
        if len(written) == len(told) and not written & zero:
            return digits
    return _MOST_DIGITS


def _written(value: float, kind: Kind, lang: str, digits: int) -> str:
    return share(value, lang, digits) if kind == "share" else number(value, lang, digits)
