"""Checks at the door of a function: each lists every problem at once."""

import os
from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note

__all__ = [
    "columns_told",
    "require_columns",
    "require_frame",
    "require_labels_once",
    "require_layer",
    "require_once",
    "require_outlines",
    "require_unique_cells",
]

_MANY_NAMES, _LONG_NAME = 50, 40
_AREA = 2


def columns_told(names: Iterable[Any]) -> Note:
    """Sentence that lists columns, cut short where they are many or long: a file may be one line of megabytes.

    Examples
    --------
    >>> columns_told(["id", "x", "y"])
    'Its columns are: id, x, y.'
    """
    texts = [text if len(text) <= _LONG_NAME else f"{text[:_LONG_NAME]}..." for text in map(str, names)]
    if not texts:
        return Note("frames.has_no_columns")
    more = len(texts) - _MANY_NAMES
    key = "frames.its_columns" if more <= 0 else "frames.its_columns_and_more"
    return Note(key, columns=", ".join(texts[:_MANY_NAMES]), more=max(more, 0))


def require_columns(frame: pd.DataFrame, columns: Iterable[str], *, what: str, way_out: str = "") -> None:
    """Raise one error that lists every column missing from a frame.

    Parameters
    ----------
    frame
        What was given.
    columns
        Names of the columns needed.
    what
        How the error calls the frame: a note, or the name of an argument.
    way_out
        What to do; by default the error lists the columns that there are.

    Raises
    ------
    DataError
        At least one column is missing.
    UsageError
        It is not a frame.
    """
    if not isinstance(frame, pd.DataFrame):
        kind = type(frame).__name__
        raise UsageError(Note("frames.not_a_frame", what=what, kind=kind), way_out=way_out or Note("frames.read_it"))
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            Note("frames.columns_missing", what=what, count=len(missing)),
            problems=[Note("frames.no_column", column=column) for column in missing],
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
            Note("frames.columns_repeated"),
            problems=[Note("frames.column", column=str(name)) for name in repeated],
            way_out=Note("frames.rename_each"),
        )


def require_labels_once(frame: pd.DataFrame, what: str) -> None:
    """Raise when rows of a frame have one label, so that what is looked up by it is not one thing.

    Raises
    ------
    DataError
        Lists the labels.
    """
    counts = frame.index[frame.index.duplicated(keep=False)].value_counts()
    if len(counts):
        problems = [Note("frames.several_rows", label=str(label), count=int(count)) for label, count in counts.items()]
        raise DataError(Note("frames.labels_repeated", what=what), problems=problems, way_out=Note("frames.one_label"))


def require_unique_cells(grid: pd.DataFrame) -> None:
    """Raise when a grid has a cell several times: its people would be counted twice.

    Raises
    ------
    DataError
        Lists the cells.
    """
    repeated = grid.index[grid.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            Note("frames.cells_repeated", count=len(repeated)),
            problems=map(str, repeated),
            way_out=Note("frames.read_one_grid"),
        )


def require_layer(layer: Any, *, name: str, points: bool = False) -> None:  # noqa: ANN401 - whatever was given
    """Raise when something is not a layer: a GeoSeries, or a GeoDataFrame with an active geometry.

    Parameters
    ----------
    layer
        What was given.
    name
        Name of the argument.
    points
        Whether points are wanted rather than outlines.

    Raises
    ------
    UsageError
        It is not one; says the call that makes one of it.
    """
    if isinstance(layer, gpd.GeoSeries) or (isinstance(layer, gpd.GeoDataFrame) and _active(layer)):
        return
    if isinstance(layer, gpd.GeoDataFrame):
        raise UsageError(
            Note("frames.no_active_geometry", name=name), way_out=Note("frames.choose_geometry", name=name)
        )
    kind = type(layer).__name__
    if points:
        way_out = Note("frames.give_points", name=name)
    elif isinstance(layer, str | os.PathLike):
        way_out = Note("frames.read_outlines", name=name, path=str(layer))
    elif isinstance(layer, pd.DataFrame) and str(getattr(layer, "index", pd.Index([])).name) == "cell_id":
        way_out = Note("frames.grid_to_cells", name=name)
    elif isinstance(layer, shapely.Geometry):
        way_out = Note("frames.wrap_shape", name=name)
    else:
        way_out = Note("frames.give_outlines", name=name)
    raise UsageError(Note("frames.not_a_layer", name=name, kind=kind), way_out=way_out)


def require_outlines(
    layer: Any,  # noqa: ANN401 - whatever was given
    *,
    name: str,
    unique: bool = False,
    areas: bool = True,
) -> None:
    """Raise one error that lists all that keeps something from being a layer of outlines.

    Parameters
    ----------
    layer
        What was given.
    name
        Name of the argument.
    unique
        Whether each row needs a label of its own, of one level.
    areas
        Whether each outline must be a polygon; missing and empty ones are allowed.

    Raises
    ------
    UsageError
        It is not a GeoDataFrame or a GeoSeries, or the frame has no active geometry.
    DataError
        The CRS is missing, labels are repeated or have several levels, coordinates are not finite, or shapes are lines
        or points.
    """
    require_layer(layer, name=name)
    series = layer.geometry
    problems: list[str] = []
    if series.crs is None:
        problems.append(Note("frames.crs_missing", name=name))
    if series.index.nlevels > 1 and (unique or not areas):
        problems.append(Note("frames.index_levels", name=name, count=series.index.nlevels))
    elif unique and not series.index.is_unique:
        counts = series.index.value_counts()
        problems += [
            Note("frames.label_repeated", name=name, label=str(label), count=int(count))
            for label, count in counts[counts > 1].items()
        ]
    shapes = series.to_numpy()
    # one sum says whether any is not finite
    if not np.isfinite(shapely.get_coordinates(shapes).sum()):
        xy, row = shapely.get_coordinates(shapes, return_index=True)
        nowhere = np.unique(row[~np.isfinite(xy).all(axis=1)])
        problems += [Note("frames.not_finite", name=name, label=str(series.index[at])) for at in nowhere]
    if areas:
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        problems += [
            Note("frames.not_area", name=name, label=str(series.index[at]), kind=shapes[at].geom_type)
            for at in np.flatnonzero(there & (shapely.get_dimensions(shapes) < _AREA))
        ]
    if problems:
        raise DataError(Note("frames.bad_layer", name=name), problems=problems, way_out=_way_out(problems, name))


def _active(layer: gpd.GeoDataFrame) -> bool:
    """Whether a frame has an active geometry that is still there."""
    return layer.active_geometry_name is not None and layer.active_geometry_name in layer.columns


def _way_out(problems: list[str], name: str) -> Note:
    """What to do about the first kind of problem."""
    first = problems[0]
    return Note(f"frames.out.{first.key.partition('.')[2]}" if isinstance(first, Note) else "", name=name)
