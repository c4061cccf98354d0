"""How far points may be from where they are said to be, from a number, a column or the answers of a geocoder.

One point of many whose tolerance is no distance is too coarse to say anything of, and counted; a tolerance for all
points is an argument, judged with the others (`qpvgeo.tagging.options`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.errors import UsageError
from qpvgeo.formats.cells import numbers_of
from qpvgeo.frames import require
from qpvgeo.language import Note
from qpvgeo.tagging.options import WIDEST_M

__all__ = ["BAN", "BAN_MIN_SCORE", "BAN_SCORES", "BAN_TYPES", "Tolerance", "missing_columns", "tolerance_of"]

BAN = "ban"
"""Name that stands for the columns of the geocoder of the BAN."""

BAN_MIN_SCORE = 0.5
"""Under this score an address found by a geocoder of the BAN is taken for too coarse: a convention of ours."""

BAN_TYPES = ("result_type", "type")
BAN_SCORES = ("result_score", "score")
"""Columns of the geocoder of the BAN that say what was found, and how well: the first that is there."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tolerance:
    """Tolerances of points.

    Attributes
    ----------
    metres
        One for each point, or a single one for all; infinite where nothing is known of a place.
    coarse
        How many are infinite.
    no_distance
        How many of these are what was given for them: missing, below zero, no number.
    """

    metres: Floats
    coarse: int = 0
    no_distance: int = 0

    @property
    def widest(self) -> float:
        """The greatest that can be told, metres."""
        return float(self.metres[self.metres <= WIDEST_M].max(initial=0.0))

    def within(self, reach: float) -> "tuple[Floats, int]":
        """Tolerances in metres, infinite beyond a reach; and how many are, of those that are distances."""
        beyond = self.metres > reach
        return np.where(beyond, np.inf, self.metres), int(beyond.sum()) - self.coarse


def tolerance_of(points: Any, given: Any, index: pd.Index) -> Tolerance:  # noqa: ANN401
    """Tolerances, in whichever form they come.

    Parameters
    ----------
    points
        What the points were given as; a DataFrame may have them in a column.
    given
        A number, the name of a column, `"ban"`, a Series or an array.
    index
        Labels of the points.

    Raises
    ------
    DataError
        There are several columns of that name.
    UsageError
        There is no such column, or there are more or fewer tolerances than points, or they have other labels.

    Examples
    --------
    >>> found = tolerance_of(None, ["5,5", -1, None], pd.RangeIndex(3))
    >>> found.metres.tolist(), found.no_distance
    ([5.5, inf, inf], 2)
    """
    if isinstance(given, str):
        if not isinstance(points, pd.DataFrame):
            raise UsageError(
                Note("tagging.option_fault", given=f"tolerance_m={given!r}", fault=Note("tagging.no_column_to_name"))
            )
        lacking = missing_columns(given, points.columns)
        if lacking:
            raise UsageError(
                Note("tagging.no_columns"),
                problems=[Note("tagging.no_column", column=name) for name in lacking],
                way_out=require.columns_told(points.columns),
            )
        require.require_once(points, [*BAN_TYPES, *BAN_SCORES] if given == BAN else [given])
        if given == BAN:
            return _ban(points)
        given = points[given]
    if np.ndim(given) == 0:
        return Tolerance(np.asarray(given, dtype=float))
    if isinstance(given, pd.Series) and not given.index.equals(index):
        raise UsageError(Note("tagging.tolerances_labels"), way_out=Note("tagging.same_index"))
    if np.ndim(given) > 1:
        raise UsageError(Note("tagging.tolerances_table", shape=str(np.shape(given))))
    if len(given) != len(index):
        raise UsageError(Note("tagging.tolerances_count", tolerances=len(given), points=len(index)))
    if isinstance(given, np.ma.MaskedArray):
        given = np.ma.filled(given.astype(float), np.nan)
    metres, _ = numbers_of(given if isinstance(given, pd.Series) else pd.Series(given))
    wrong = ~(metres >= 0)
    found = np.where(wrong, np.inf, metres)
    return Tolerance(found, int(np.isinf(found).sum()), int(wrong.sum()))


def missing_columns(given: str, names: Any) -> list[str]:  # noqa: ANN401 - names of columns
    """Columns of tolerances that are named and not there."""
    wanted = BAN_TYPES if given == BAN else (given,)
    return [] if any(name in names for name in wanted) else list(wanted)


def _ban(points: pd.DataFrame) -> Tolerance:
    """Nothing for a house number found with a good score, infinite for anything else."""
    kind = next(name for name in BAN_TYPES if name in points.columns)
    certain = (points[kind].astype("str").str.strip() == "housenumber").to_numpy(dtype=bool, na_value=False)
    score = next((name for name in BAN_SCORES if name in points.columns), None)
    if score is not None:
        certain = certain & (numbers_of(points[score])[0] >= BAN_MIN_SCORE)
    return Tolerance(np.where(certain, 0.0, np.inf), int((~certain).sum()))
