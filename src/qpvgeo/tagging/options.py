"""Tagging options, validated together before any point is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import pyproj

from qpvgeo import facts
from qpvgeo.errors import UsageError
from qpvgeo.language import Note

__all__ = ["STATES", "WIDEST_M", "Distance", "Options", "Question", "band_name", "within"]

Distance = Literal["exact", "signed", "band"]

STATES = ("in", "out", "unknown")

WIDEST_M = 2_000.0
"""Greatest distance that an index measures: its size grows with the area near a boundary."""

_SHORT = 60


def band_name(band: float) -> str:
    """Name of a band in metres, as it stands in `within ... m` and in counts.

    Examples
    --------
    >>> band_name(300.0), band_name(482.8032)
    ('300', '482.8032')
    """
    return f"{band:.15g}"


def within(band: float) -> str:
    """Value of the column `band` for a point that a distance in metres reaches, and no narrower band.

    Examples
    --------
    >>> within(300.0)
    'within 300 m'
    """
    return f"within {band_name(band)} m"


@dataclass(frozen=True, slots=True)
class Question:
    """What is measured for each point.

    Attributes
    ----------
    bands
        Ascending distances in metres.
    distance
        `exact`, `signed` or `band`.
    reach
        Greatest distance measured, metres.
    """

    bands: tuple[float, ...]
    distance: str
    reach: float

    @property
    def band_names(self) -> list[str]:
        """Names of the bands: inside, each of them, beyond all; none without bands."""
        return ["in", *map(within, self.bands), f"beyond {band_name(self.bands[-1])} m"] if self.bands else []

    @property
    def measures(self) -> bool:
        """Whether distances are wanted, and not bands alone."""
        return bool(self.bands) and self.distance != "band"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `tag_points` and `tag_file`.

    Attributes
    ----------
    bands, distance, on, tolerance_m, xy, crs, commune
        As for `tag_points`.
    """

    bands: Any = (300, 500)
    distance: Any = "exact"
    on: Any = None
    tolerance_m: Any = 0.0
    xy: Any = None
    crs: Any = None
    commune: Any = None

    def __post_init__(self) -> None:
        """Keep the bands of an iterator, which can be read once."""
        if isinstance(self.bands, Iterator):
            object.__setattr__(self, "bands", tuple(self.bands))

    @cached_property
    def limits(self) -> tuple[float, ...]:
        """Bands in metres; -1 alone where they cannot be read."""
        try:
            return (-1.0,) if isinstance(self.bands, str) else tuple(float(band) for band in self.bands)
        except (TypeError, ValueError):
            return (-1.0,)

    def given(self) -> dict[str, Any]:
        """The options as keywords of `tag_points` and `tag_file`, their bands as numbers."""
        return {one.name: getattr(self, one.name) for one in fields(self)} | {"bands": self.limits}

    @cached_property
    def lists(self) -> pd.DataFrame:
        """Lists in force on the day: read once, when the day is judged."""
        return facts.geography(self.on)

    @property
    def tolerance(self) -> float | None:
        """The tolerance of all points, metres; None where each has its own, or its column."""
        given = self.tolerance_m
        if isinstance(given, np.ndarray) and given.ndim == 0:
            given = given.item()
        # True is a number to Python, and not a distance
        return None if isinstance(given, bool) or not isinstance(given, Real) else float(given)

    @property
    def needed(self) -> float:
        """Greatest distance that the bands and a tolerance of all points need, metres."""
        return max([*self.limits, self.tolerance or 0.0])

    def faults(self) -> dict[str, str]:
        """Invalid arguments that can be detected without the points or the perimeters."""
        found = {
            "bands": _of_bands(self.limits),
            "distance": ""
            if self.distance in get_args(Distance)
            else Note("tagging.not_a_distance_form", forms=list(get_args(Distance))),
            "on": self._of_day(),
            "tolerance_m": self._of_tolerance(),
            "xy": ""
            if self.xy is None or isinstance(self.xy, str) or _is_pair(self.xy)
            else Note("tagging.not_a_pair"),
            "crs": _of_crs(self.crs),
            "commune": "" if isinstance(self.commune, str | None) else Note("tagging.not_a_column"),
        }
        return {name: words for name, words in found.items() if words}

    def problems(self, faults: Mapping[str, str], given: Mapping[str, str] | None = None) -> list[str]:
        """Faults as sentences, each after the argument as it was given.

        Parameters
        ----------
        faults
            What is wrong with each argument.
        given
            How each argument was written, where it is not by its name.
        """
        named = {name: f"{name}={_shown(getattr(self, name))}" for name in faults} | dict(given or {})
        return [Note("tagging.option_fault", given=named[name], fault=fault) for name, fault in faults.items()]

    def require(self, **more: str) -> None:
        """Raise when something is wrong; `more` are faults found elsewhere.

        Raises
        ------
        UsageError
            Lists every invalid argument.
        """
        faults = self.faults() | {name: words for name, words in more.items() if words}
        if faults:
            raise UsageError(Note("tagging.invalid_options"), problems=self.problems(faults))

    def _of_day(self) -> str:
        try:
            if self.on is not None:
                _ = self.lists
        except UsageError as error:
            return Note("tagging.day_fault", why=error.message, way_out=error.way_out)
        return ""

    def _of_tolerance(self) -> str:
        metres = self.tolerance
        if metres is None:
            given = self.tolerance_m
            several = isinstance(given, str | list | tuple | pd.Series) or (
                isinstance(given, np.ndarray) and given.ndim
            )
            return "" if several else Note("tagging.not_a_tolerance")
        if not metres >= 0:
            return Note("tagging.not_metres")
        return Note("tagging.tolerance_too_wide", most=WIDEST_M) if metres > WIDEST_M else ""


def _of_bands(limits: tuple[float, ...]) -> str:
    if list(limits) != sorted(set(limits)) or any(not (np.isfinite(band) and band > 0) for band in limits):
        return Note("tagging.bands_not_ascending")
    return Note("tagging.bands_too_wide", most=WIDEST_M) if limits and limits[-1] > WIDEST_M else ""


def _of_crs(crs: Any) -> str:  # noqa: ANN401
    # a word that is not a projection may be a column: the table decides
    if crs is None or (
        isinstance(crs, str) and crs.strip() and ":" not in crs and not crs.strip().lstrip("-").isdigit()
    ):
        return ""
    try:
        pyproj.CRS.from_user_input(crs)
    except (pyproj.exceptions.CRSError, TypeError):
        return Note("tagging.not_a_projection")
    return ""


def _is_pair(xy: Any) -> bool:  # noqa: ANN401
    return isinstance(xy, list | tuple | pd.Index | np.ndarray) and len(xy) == 2


def _shown(value: Any) -> str:  # noqa: ANN401
    """The value given, or its type where it is long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHORT and "\n" not in text else f"({type(value).__name__})"
