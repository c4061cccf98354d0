"""What is asked about points, judged before a point is looked at: all that is wrong with it, in one error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import pyproj

from qpvgeo import facts
from qpvgeo.errors import UsageError

__all__ = ["STATES", "WIDEST_M", "Distance", "Options", "band_name"]

Distance = Literal["exact", "signed", "band"]

STATES = ("in", "out", "unknown")

WIDEST_M = 2_000.0
"""Greatest reach of an index: what it keeps grows with the ground in reach of a limit."""

_SHORT = 60


def band_name(band: float) -> str:
    """Name of a band in metres, as it stands in `within ... m` and in counts.

    Examples
    --------
    >>> band_name(300.0), band_name(482.8032)
    ('300', '482.8032')
    """
    return f"{band:.15g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked, as `tag_points` and `tag_file` are given it.

    Attributes
    ----------
    bands, distance, on, tolerance_m, xy, crs
        As for `tag_points`.
    """

    bands: Any = (300, 500)
    distance: Any = "exact"
    on: Any = None
    tolerance_m: Any = 0.0
    xy: Any = None
    crs: Any = None

    def __post_init__(self) -> None:
        """Keep the bands of an iterator, which can be read once."""
        if isinstance(self.bands, Iterator):
            object.__setattr__(self, "bands", tuple(self.bands))

    @property
    def limits(self) -> tuple[float, ...]:
        """Bands in metres; one of -1 for what is none."""
        try:
            return (-1.0,) if isinstance(self.bands, str) else tuple(float(band) for band in self.bands)
        except (TypeError, ValueError):
            return (-1.0,)

    @property
    def tolerance(self) -> float | None:
        """The tolerance of all points, metres; None where each has its own, or its column."""
        given = self.tolerance_m
        if isinstance(given, np.ndarray) and given.ndim == 0:
            given = given.item()
        # True is a number to Python, and no distance
        return None if isinstance(given, bool) or not isinstance(given, Real) else float(given)

    def faults(self) -> dict[str, str]:
        """What is wrong with each argument that the points and the perimeters have no say in."""
        found = {
            "bands": _of_bands(self.limits),
            "distance": "" if self.distance in get_args(Distance) else f"is none of {', '.join(get_args(Distance))}",
            "on": _of_day(self.on),
            "tolerance_m": self._of_tolerance(),
            "xy": "" if self.xy is None or _is_pair(self.xy) else "is no pair of columns: name two, eastwards first",
            "crs": _of_crs(self.crs),
        }
        return {name: words for name, words in found.items() if words}

    def problems(self, faults: Mapping[str, str], said: Mapping[str, str] | None = None) -> list[str]:
        """Faults as sentences, with what was given, or with what it was said by."""
        named = {name: f"{name}={_shown(getattr(self, name))}" for name in faults} | dict(said or {})
        return [f"{named[name]} {words}" for name, words in faults.items()]

    def require(self, **more: str) -> None:
        """Raise when something is wrong; `more` are faults that others found.

        Raises
        ------
        UsageError
            Lists every argument that cannot be.
        """
        faults = self.faults() | {name: words for name, words in more.items() if words}
        if faults:
            raise UsageError("Points cannot be tagged so.", problems=self.problems(faults))

    def _of_tolerance(self) -> str:
        metres = self.tolerance
        if metres is None:
            given = self.tolerance_m
            several = isinstance(given, str | list | tuple | pd.Series) or (
                isinstance(given, np.ndarray) and given.ndim
            )
            return "" if several else "is no distance in metres, no column and no column of them"
        if not metres >= 0:
            return "is no distance in metres"
        return f"is more than the {WIDEST_M:,.0f} m that can be told" if metres > WIDEST_M else ""


def _of_bands(limits: tuple[float, ...]) -> str:
    if list(limits) != sorted(set(limits)) or any(not (np.isfinite(band) and band > 0) for band in limits):
        return "must be ascending distances in metres"
    return f"reach beyond the {WIDEST_M:,.0f} m that can be told" if limits and limits[-1] > WIDEST_M else ""


def _of_day(on: Any) -> str:  # noqa: ANN401
    try:
        if on is not None:
            facts.geography(on)
    except UsageError as error:
        return "cannot be: " + " ".join(str(error).splitlines())
    return ""


def _of_crs(crs: Any) -> str:  # noqa: ANN401
    try:
        if crs is not None:
            pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return "is no projection: give an EPSG number such as 4326 or 2154"
    return ""


def _is_pair(xy: Any) -> bool:  # noqa: ANN401
    return isinstance(xy, list | tuple | pd.Index | np.ndarray) and len(xy) == 2


def _shown(value: Any) -> str:  # noqa: ANN401
    """What was given, unless it is long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHORT and "\n" not in text else f"({type(value).__name__})"
