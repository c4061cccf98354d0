"""The population grids of Eurostat: all residents by cell of 1 km, no incomes.

Source: Eurostat, GISCO, Census grid 2021 and GEOSTAT (ec.europa.eu/eurostat/web/gisco/geodata/grids).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qpvgeo.formats.text_tables import normalise
from qpvgeo.language import Note

__all__ = ["missing_marks", "people_like"]

_MISSING = -9999


def missing_marks(found: Mapping[str, Any], people: str) -> list[str]:
    """Set the values that are marked missing to NaN, in place; notes say how many, and whom the grid counts."""
    notes: list[str] = [Note("grid.all_residents", name=people)]
    count = 0
    for values in found.values():
        if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            marked = values == _MISSING
            count += int(marked.sum())
            values[marked] = np.nan
    return [*notes, Note("grid.marked_missing", count=count, mark=_MISSING)] if count else notes


def people_like(names: Iterable[str]) -> list[str]:
    """Columns whose names look like those of people."""
    return [name for name in names if re.search(r"^(tot_)?p(op|_|eople)|people|^ind", normalise(name))]
