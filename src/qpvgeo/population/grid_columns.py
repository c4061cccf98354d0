"""Other columns of a grid: counts are summed, values that describe a place are averaged; which one, is known or said.

A count (children, dwellings) is extensive: the parts of a cell add up to it. A temperature or an index is intensive: a
sum of it means nothing, and it becomes a mean over the people or over the area.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import require
from qpvgeo.geometry.distinct_cells import distinct_cells
from qpvgeo.geometry.insee_lattice import Cells
from qpvgeo.language import Note
from qpvgeo.read.grid.names import SUMMED, kind_of

__all__ = ["MEASURES", "Columns", "Measure", "checked_cells", "ranges", "settled", "values_of"]

Measure: TypeAlias = Literal["sum", "mean", "mean_by_area"]
"""`sum` of a count, `mean` over the people, `mean_by_area` over the area."""

MEASURES: tuple[str, ...] = get_args(Measure)

Columns: TypeAlias = Iterable[str] | Mapping[str, Measure]

_FIGURES = ("population", "households", "poor_households", "living_standard_sum_eur", "poor_population", "imputed")
_NAMING = {"id", "group", "communes"}

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def settled(columns: Any, grid: pd.DataFrame, taken: Iterable[str]) -> dict[str, Measure]:  # noqa: ANN401
    """Measure of each column asked for, as declared, or as known by its published name.

    Parameters
    ----------
    columns
        Names, or `{name: measure}`.
    grid
        Grid frame.
    taken
        Names of the results, which no column may have.

    Raises
    ------
    DataError
        The grid does not have a column.
    UsageError
        A column is not numeric or has the name of a result, a measure does not exist, or a column that is not known
        comes without one: lists them.
    """
    asked = _asked(columns)
    require.require_columns(grid, asked, what=Note("frames.the_grid"), way_out=Note("frames.keep_columns"))
    require.require_once(grid, asked)
    taken = set(taken)
    problems = [
        Note("population.column_taken" if name in taken else "population.column_no_number", name=name)
        for name in asked
        if name in taken or not pd.api.types.is_numeric_dtype(grid[name]) or kind_of(name) in _NAMING
    ]
    problems += [
        Note("population.no_measure", name=name, measure=repr(measure))
        for name, measure in asked.items()
        if measure is not None and measure not in MEASURES
    ]
    if problems:
        raise UsageError(
            Note("population.bad_columns"), problems=problems, way_out=Note("population.give_columns", sum="ind_0_3")
        )
    found: dict[str, Measure | None] = {
        name: measure or ("sum" if name in SUMMED else None) for name, measure in asked.items()
    }
    unknown = [name for name, measure in found.items() if measure is None]
    if unknown:
        example = {name: measure or "mean" for name, measure in found.items()}
        raise UsageError(
            Note("population.measure_unknown", count=len(unknown)),
            problems=[Note("population.column_of_unknown_measure", name=name) for name in unknown],
            way_out=Note("population.declare_measure", example=repr(example)),
        )
    return {name: measure for name, measure in found.items() if measure is not None}


def _asked(columns: Any) -> dict[str, Any]:  # noqa: ANN401
    """Columns asked for, with the measure declared or None."""
    if isinstance(columns, Mapping) and not isinstance(columns, pd.Series):
        asked = dict(columns)
    elif isinstance(columns, str | bytes | pd.DataFrame) or not isinstance(columns, Iterable):
        raise UsageError(
            Note("population.columns_no_list", given=repr(columns) if isinstance(columns, str) else str(type(columns))),
            way_out=Note("population.give_columns", sum=columns if isinstance(columns, str) else "ind_0_3"),
        )
    else:
        asked = dict.fromkeys(columns)
    odd = [name for name in asked if not isinstance(name, str)]
    if odd:
        raise UsageError(
            Note("population.bad_columns"),
            problems=[Note("population.column_no_name", name=repr(name)) for name in odd],
            way_out=Note("population.give_columns", sum="ind_0_3"),
        )
    return asked


def checked_cells(grid: Any) -> Cells:  # noqa: ANN401 - whatever the caller gave
    """Cells of a grid frame whose figures can be summed.

    Raises
    ------
    UsageError
        It is not a frame.
    DataError
        It has no column of people or two of one name, an id appears twice or is not one, or figures are not numbers,
        negative or infinite: lists them.
    """
    require.require_columns(grid, ["population"], what=Note("frames.the_grid"), way_out=Note("frames.make_grid"))
    require.require_once(grid, _FIGURES)
    if isinstance(grid.index, pd.MultiIndex):
        raise DataError(Note("population.several_levels"), way_out=Note("population.index_by_cell"))
    cells = distinct_cells(grid)
    text = [name for name in _FIGURES if name in grid.columns and not pd.api.types.is_numeric_dtype(grid[name])]
    # a column of which nothing is known may be of any type
    text = [name for name in text if grid[name].notna().any()]
    if text:
        raise DataError(
            Note("population.text_columns"),
            problems=[Note("population.text_column", name=name, dtype=str(grid[name].dtype)) for name in text],
            way_out=Note("population.make_grid"),
        )
    figures = {
        name: values_of(grid, name) for name in ("population", "households", "poor_households", "poor_population")
    }
    problems = [
        Note("population.impossible_figure", cell=str(grid.index[row]), name=name, value=f"{values[row]:g}")
        for name, values in figures.items()
        for row in np.flatnonzero((values < 0) | np.isinf(values))
    ]
    if problems:
        raise DataError(
            Note("population.impossible_figures", count=len(problems)),
            problems=problems,
            way_out=Note("population.correct_figures"),
        )
    return cells


def values_of(grid: pd.DataFrame, name: str) -> Floats:
    """Numbers of a column of the grid; missing when the grid does not have it."""
    if name not in grid.columns:
        return np.full(len(grid), np.nan)
    if not pd.api.types.is_numeric_dtype(grid[name]):
        return np.full(len(grid), np.nan)
    values: Floats = grid[name].to_numpy(dtype=float, na_value=np.nan)
    return values


def ranges(groups: Rows, values: Floats, number: int) -> tuple[Floats, Floats]:
    """Least and greatest value of each group; missing where one of the values is, or where there is none."""
    least, greatest = np.full(number, np.inf), np.full(number, -np.inf)
    with np.errstate(invalid="ignore"):
        np.minimum.at(least, groups, values)
        np.maximum.at(greatest, groups, values)
    none = np.isinf(least) & np.isinf(greatest)
    return np.where(none, np.nan, least), np.where(none, np.nan, greatest)
