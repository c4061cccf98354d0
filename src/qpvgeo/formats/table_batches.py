"""What every table that is read in batches gives: its columns, and its rows so many at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Batch", "Bools", "Head", "Table", "Whole"]

Whole = Literal["columns", "text", "nothing"]
"""What a batch brings beside the columns looked at: all columns, all cells as they were written, or nothing."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows that follow each other.

    Attributes
    ----------
    look
        The columns asked for; missing in a row that cannot be read.
    whole
        All columns; or, of a CSV, the text of each row; None when neither was asked for. The text of a row that cannot
        be read stands in its first cell.
    bad
        Which rows cannot be read.
    share
        Share of the file that was read when the batch was.
    old_lines
        Lines of a CSV that were read as cp1252 since the batch before.
    """

    look: pa.Table
    whole: pa.Table | pa.Array | None
    bad: Bools
    share: float
    old_lines: int = 0


class Head(Protocol):
    """What is known of a table before its rows are."""

    @property
    def path(self) -> Path:
        """The file, or a name for what was never in one."""

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""


class Table(Head, Protocol):
    """A table in a file, of which the header is known."""

    @property
    def rows(self) -> int:
        """Rows of a batch that keep memory flat."""

    @property
    def parts(self) -> tuple[Path, ...]:
        """Files that it is made of."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What had to be settled to read it."""

    def batches(self, look: Sequence[str], rows: int, whole: Whole) -> Iterator[Batch]:
        """Rows in order, so many at a time; fewer of a CSV whose rows are long."""
