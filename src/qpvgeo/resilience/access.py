"""Values of the caller's own table: a distance along streets, or minutes on foot, for each cell or for each QPV."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from qpvgeo.language import Note

__all__ = ["table_faults", "values_by_label"]


def values_by_label(table: pd.Series | pd.DataFrame, grid: pd.DataFrame, qpv: Any) -> tuple[pd.Series, bool]:  # noqa: ANN401
    """Values of a table, once it is judged, by cell or by QPV, and whether they are those of cells."""
    labels, on_cells = _labels(table, grid, qpv)
    numbers = _numbers(table)
    values = numbers.astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return pd.Series(values, index=labels, name=numbers.name), on_cells


def table_faults(table: pd.Series | pd.DataFrame, grid: pd.DataFrame, qpv: Any) -> Iterator[str]:  # noqa: ANN401
    """What keeps a table from giving one value to cells or to QPV."""
    numbers = _numbers(table)
    if numbers is None:
        columns = [str(name) for name in _numeric(table)] if isinstance(table, pd.DataFrame) else []
        several = Note("resilience.table_columns", count=len(columns), columns=", ".join(columns))
        yield several if columns else Note("resilience.table_of_text")
    elif np.isinf(numbers.to_numpy(float, na_value=np.nan)).any():
        yield Note("resilience.column_infinite", column=str(numbers.name))
    labels, _ = _labels(table, grid, qpv)
    if labels is None:
        yield Note("resilience.table_of_nothing")
    elif twice := int(labels.duplicated().sum()):
        yield Note("resilience.table_twice", count=twice, label=str(labels[labels.duplicated()][0]))


def _numeric(table: pd.DataFrame) -> list[Any]:
    kinds = zip(table.columns, table.dtypes, strict=True)
    return [name for name, kind in kinds if pd.api.types.is_numeric_dtype(kind)]


def _numbers(table: pd.Series | pd.DataFrame) -> Any:  # noqa: ANN401 - a column, or None
    """The one column of numbers."""
    if isinstance(table, pd.Series):
        return table if pd.api.types.is_numeric_dtype(table) else None
    if not table.columns.is_unique:
        return None
    found = _numeric(table)
    return table[found[0]] if len(found) == 1 else None


def _labels(table: pd.Series | pd.DataFrame, grid: pd.DataFrame, qpv: Any) -> tuple[Any, bool]:  # noqa: ANN401
    """Labels of rows, those of the index or of a column of text, that are cells of the grid, else QPV."""
    held = [table.index]
    if isinstance(table, pd.DataFrame) and table.columns.is_unique:
        numeric = set(_numeric(table))
        # numbers of rows say nothing of QPV that are numbered too
        held = [] if isinstance(table.index, pd.RangeIndex) else held
        held = [*(pd.Index(table[name]) for name in table.columns if name not in numeric), *held]
    for known, on_cells in ((grid.index, True), (getattr(qpv, "index", pd.Index([])), False)):
        for labels in held:
            if labels.nlevels == 1 and known.nlevels == 1 and labels.isin(known).any():
                return labels, on_cells
    return None, False
