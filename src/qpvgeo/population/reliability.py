"""Warnings about an estimate: codes for programs, sentences for people."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.language import Note

__all__ = ["FEW_HOUSEHOLDS", "NO_FIGURES", "RATE_HOUSEHOLDS", "RATE_PEOPLE", "WARNINGS", "Warned", "in_words"]

FEW_HOUSEHOLDS = 11
"""Insee publishes nothing under this many households: an estimate below it has a warning."""

RATE_HOUSEHOLDS = 30
"""Rates and means are withheld under this many households."""

RATE_PEOPLE = 60
"""The same where a grid gives rates without households: about as many people."""

WARNINGS = (
    "few_households",
    "few_people",
    "rates_withheld",
    "rates_withheld_people",
    "mostly_imputed",
    "mostly_edge",
    "mostly_no_cell",
    "partly_no_cell",
    "mostly_by_area",
    "total_not_met",
    "no_cell",
    "no_grid",
    "no_outline",
)
"""Codes of the column `warnings`, in the order in which they are listed."""

NO_FIGURES = frozenset({"no_cell", "no_grid", "no_outline"})
"""Warnings of rows without figures."""


class Warned:
    """Warnings of the rows of a frame of estimates, while it is made."""

    def __init__(self, number: int) -> None:
        self.codes: list[list[str]] = [[] for _ in range(number)]

    def add(self, code: str, holds: npt.ArrayLike) -> None:
        """Give a warning to the rows of a mask."""
        for row in np.flatnonzero(np.asarray(holds, dtype=bool)):
            self.codes[row].append(code)

    def only(self, code: str, holds: npt.ArrayLike) -> None:
        """Replace the warnings of the rows of a mask."""
        for row in np.flatnonzero(np.asarray(holds, dtype=bool)):
            self.codes[row] = [code]

    def write(self, result: pd.DataFrame) -> None:
        """Write the warnings into the frame: codes, and sentences in the current language."""
        gaps = result["gap"].tolist() if "gap" in result.columns else [None] * len(result)
        # few combinations in thousands of rows: each is worded once
        keys = [
            (tuple(codes), gap if "total_not_met" in codes else None)
            for codes, gap in zip(self.codes, gaps, strict=True)
        ]
        said = {key: "; ".join(in_words(key[0], {"gap": key[1]})) for key in dict.fromkeys(keys)}
        result["reliability"] = pd.Series(
            [said[key] for key in keys],
            index=result.index,
            dtype="str",
        )
        result["warnings"] = pd.Series(self.codes, index=result.index, dtype=object)


def in_words(codes: Iterable[str], row: Mapping[str, Any]) -> list[Note]:
    """Give warnings as notes.

    Parameters
    ----------
    codes
        Among `WARNINGS`.
    row
        Figures of the row that sentences show: `gap`.

    Examples
    --------
    >>> [note.key for note in in_words(["few_households", "total_not_met"], {"gap": -0.44})]
    ['population.few_households', 'population.total_not_met']
    """
    values: dict[str, dict[str, Any]] = {
        "rates_withheld": {"least": RATE_HOUSEHOLDS},
        "rates_withheld_people": {"least": RATE_PEOPLE},
        "total_not_met": {"gap": row.get("gap")},
    }
    return [Note(f"population.{code}", **values.get(code, {})) for code in codes]
