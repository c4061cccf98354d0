"""Checks at the door of a function: each lists every problem at once."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note

__all__ = ["columns_told", "require_columns", "require_frame", "require_layer", "require_once", "require_unique_cells"]

_MANY_NAMES, _LONG_NAME = 50, 40


def columns_told(names: Iterable[Any]) -> str:
    """Sentence that lists columns, cut short where they are many or long: a file may be one line of megabytes.

    Examples
    --------
    >>> columns_told(["id", "x", "y"])
    'Its columns are: id, x, y.'
    """
    texts = [text if len(text) <= _LONG_NAME else f"{text[:_LONG_NAME]}..." for text in map(str, names)]
    more = f" and {len(texts) - _MANY_NAMES} more" if len(texts) > _MANY_NAMES else ""
    return f"Its columns are: {', '.join(texts[:_MANY_NAMES])}{more}." if texts else "It has no columns."


def require_columns(frame: pd.DataFrame, columns: Iterable[str], *, what: str, way_out: str = "") -> None:
    """Raise one error that lists every column missing from a frame.

    Raises
    ------
    DataError
        At least one column is missing.
    UsageError
        It is no frame.
    """
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"{what} is a {type(frame).__name__}, and no frame.", way_out=way_out)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"{what} lacks {len(missing)} column{'s' if len(missing) > 1 else ''}.",
            problems=[f"no column {column!r}" for column in missing],
            way_out=way_out or columns_told(frame.columns),
        )


def require_frame(frame: Any, what: str) -> None:  # noqa: ANN401 - whatever was given
    """Raise when something is not a frame.

    Raises
    ------
    UsageError
        It is not one.
    """
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(
            Note("frames.not_a_frame", what=what, kind=type(frame).__name__), way_out=Note("frames.read_it")
        )


def require_layer(areas: Any, *, what: str) -> None:  # noqa: ANN401 - whatever the caller gave
    """Raise when something is not a layer of shapes.

    Raises
    ------
    UsageError
        It is neither a GeoDataFrame with a geometry nor a GeoSeries.
    """
    import geopandas as gpd  # noqa: PLC0415 - tables alone do without it

    if not isinstance(areas, gpd.GeoDataFrame | gpd.GeoSeries):
        raise UsageError(
            Note("frames.no_layer", what=what, kind=type(areas).__name__), way_out=Note("frames.make_layer")
        )
    if isinstance(areas, gpd.GeoDataFrame) and areas.active_geometry_name not in areas.columns:
        raise UsageError(Note("frames.no_geometry", what=what), way_out=Note("frames.set_geometry"))


def require_once(frame: pd.DataFrame, columns: Iterable[Any]) -> None:
    """Raise when a frame has several columns of one of some names.

    Raises
    ------
    DataError
        Lists them.
    """
    repeated = [name for name in dict.fromkeys(columns) if (frame.columns == name).sum() > 1]
    if repeated:
        raise DataError(
            "The table has several columns of one name.",
            problems=[f"column {name!r}" for name in repeated],
            way_out="Rename or drop one of each.",
        )


def require_unique_cells(grid: pd.DataFrame) -> None:
    """Raise when cells of a grid stand several times: their people would be counted twice.

    Raises
    ------
    DataError
        Lists the cells.
    """
    repeated = grid.index[grid.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            "Cells stand several times in the grid.",
            problems=map(str, repeated),
            way_out="Make it with qpvgeo.read_grid(), from one file.",
        )
