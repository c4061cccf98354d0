"""Figures that the page shows of an area: what they are called, their numbers, bounds and source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps.classification import Kind
from qpvgeo.maps.credits import origin

__all__ = ["ShownFigure", "figures_of", "require_figures"]

_BOUNDS = ("low", "high")

_SHOWN: dict[str, tuple[str, Kind]] = {
    "population": ("people", "number"),
    "estimate": ("people of fiscal households, estimated", "number"),
    "share": ("share of people in QPV", "share"),
    "qpv_population": ("people in QPV", "number"),
    "n_qpv": ("number of QPV", "number"),
    "estimated_share": ("share estimated by area", "share"),
    "poverty_rate": ("poverty rate", "share"),
    "living_standard_mean_eur": ("mean living standard (euros a year)", "number"),
    "imputed_share": ("share of imputed people", "share"),
}
"""Columns that the page shows, in their order: their term, and how their numbers are written."""

_DIGITS: dict[Kind, int] = {"share": 4, "number": 0, "decimal": 2}


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """A figure of each area of a layer.

    Attributes
    ----------
    label
        What it is called.
    kind
        How its numbers are written.
    values, low, high
        Numbers by area, None where they are not known; bounds where the frame has them.
    source
        Where the numbers come from.
    """

    label: str
    kind: Kind
    values: list[float | None]
    source: str
    low: list[float | None] | None = None
    high: list[float | None] | None = None

    @property
    def record(self) -> dict[str, Any]:
        """As the header of the page holds it."""
        bounds = {} if self.low is None else {"low": self.low, "high": self.high}
        return {"label": self.label, "kind": self.kind, "values": self.values, "source": self.source, **bounds}


def require_figures(figures: pd.DataFrame | Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Frames of figures as a list.

    Raises
    ------
    UsageError
        One of them is not a frame, has a code several times, or no column that the page shows: lists all of them.
    """
    frames = list(figures) if isinstance(figures, Sequence) else [figures]
    problems: list[str] = []
    for row, frame in enumerate(frames):
        if not isinstance(frame, pd.DataFrame):
            problems.append(Note("maps.page_no_frame", row=row, kind=type(frame).__name__))
        elif not frame.index.is_unique:
            repeated = frame.index[frame.index.duplicated()]
            problems.append(Note("maps.repeated_code", layer=f"figures[{row}]", code=str(repeated[0])))
        elif not _columns(frame):
            problems.append(Note("maps.page_no_column", row=row, known=list(_SHOWN)))
    if problems:
        raise UsageError(Note("maps.page_no_figures"), problems=problems, way_out=Note("maps.page_give_figures"))
    return frames


def _columns(frame: pd.DataFrame) -> list[str]:
    return [name for name in _SHOWN if name in frame and pd.api.types.is_numeric_dtype(frame[name])]


def figures_of(frames: Sequence[pd.DataFrame], index: pd.Index, lang: str) -> list[ShownFigure]:
    """Figures of some areas in the frames that hold any of their codes; a code without a number has None."""
    found: list[ShownFigure] = []
    for frame in frames:
        if not len(frame) or not index.isin(frame.index).any():
            continue
        source, own = origin(frame, lang), frame.reindex(index)
        for name in _columns(frame):
            words, kind = _SHOWN[name]
            bounds = {}
            if name == "estimate" and set(_BOUNDS) <= set(frame.columns):
                bounds = {side: _numbers(own[side], kind) for side in _BOUNDS}
            found.append(ShownFigure(term(words, lang), kind, _numbers(own[name], kind), source, **bounds))
    return [one for one in found if any(value is not None for value in one.values)]


def _numbers(column: pd.Series, kind: Kind) -> list[float | None]:
    rounded = np.round(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan), _DIGITS[kind])
    whole = kind == "number"
    return [None if not np.isfinite(one) else int(one) if whole else float(one) for one in rounded.tolist()]
