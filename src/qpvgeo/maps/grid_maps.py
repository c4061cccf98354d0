"""The 200 m grid of incomes under the perimeters: people, poverty, living standard, and what Insee imputed.

A cell is drawn from its id, a square of its lattice taken to the projection of the map; all of them are one collection.
"""

from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames import forms, require
from qpvgeo.geometry import insee_lattice
from qpvgeo.geometry.projection import transformer
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.classification import Classes, Kind, classed
from qpvgeo.maps.composition import called, finish, grid_of, land, titled, veil
from qpvgeo.maps.figures import class_handles, near_columns, words_of
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.palettes import CASING, MISSING, PERIMETER
from qpvgeo.maps.places import Box, Place, find_place, require_outlines

__all__ = ["COLUMNS", "grid", "values_of"]

COLUMNS: dict[str, tuple[str, Kind]] = {
    "population": ("people per cell", "number"),
    "poverty_rate": ("poverty rate", "share"),
    "living_standard_mean_eur": ("mean living standard (euros a year)", "number"),
}

_MADE_OF = (
    ("poverty_rate", {"poor_households", "households"}),
    ("poverty_rate", {"poor_population", "population"}),
    ("living_standard_mean_eur", {"living_standard_sum_eur", "population"}),
)

_IMPUTED: dict[str, Any] = {
    "facecolor": "none",
    "edgecolor": "#6b6b6b",
    "linewidth": 0.0,
    "hatch": "/////",
    "hatch_linewidth": 0.35,
}
_UNKNOWN: dict[str, Any] = {"facecolor": "none", "edgecolor": "#8c8c8c", "linewidth": 0.0, "hatch": "////"}

_AROUND = to_rgba(PERIMETER, 0.45)
"""Colour of perimeters outside the place."""

_MOST_BEYOND = 0.75
"""Part of the perimeters of a place beyond the extent of the cells from which the grid is that of another place."""

Floats = npt.NDArray[np.float64]


@judged
def grid(
    grid: pd.DataFrame,
    qpv: gpd.GeoDataFrame,
    column: str = "population",
    communes: gpd.GeoDataFrame | None = None,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw a column of the grid under the perimeters, imputed cells hatched.

    Parameters
    ----------
    grid
        Frame of `qpvgeo.read_grid`.
    qpv
        Perimeters.
    column
        `population`, `poverty_rate` (poor households over households, or poor people over people where the file counts
        no households: the legend says which), `living_standard_mean_eur` (a winsorised mean, never a median), or any
        column of numbers of the grid.
    communes, **options
        As for `qpvgeo.maps.qpv`; without a place the map shows the extent of the grid.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection, in classes with round limits. A cell without a fiscal household is not in the
        grid, and is not drawn; one whose number is missing is white and hatched. A note counts the perimeters beyond
        the extent of the cells.

    Raises
    ------
    UsageError
        There is no such column or place.
    DataError
        No cell of the grid lies in the place, none that does has a number, or most perimeters of the place lie beyond
        the cells.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> ax = qg.maps.grid(qg.read_grid(sample.grid_2019), qg.read_qpv(sample.qpv_2024), "poverty_rate")
    >>> ax.get_legend().get_title().get_text()
    'Poverty rate of households'
    """
    asked = settled(options)
    lang = asked.lang
    require.require_frame(grid, "grid")
    values, (words, kind) = values_of(grid, column, lang)
    where = find_place(asked.place, qpv if asked.place is not None else _above(qpv, grid), communes)
    corners, rows = _corners(grid, where)
    if not len(rows):
        raise DataError(Note("maps.no_cell_there"), way_out=Note("maps.read_its_grid"))
    shown = values.iloc[rows].to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(shown).any():
        raise DataError(
            Note("maps.no_cell_has_a_number", column=repr(column)), way_out=Note("maps.other_column_or_grid")
        )
    notes = _beyond_the_grid(corners, where, qpv, refused=asked.place is not None)
    ax = furniture.axes_of(asked.ax, where.frame, asked.page)
    handles = land(ax, where, communes, lang)
    legend = _cells(ax, grid, rows, corners, classed(shown, kind=kind, lang=lang), lang)
    veil(ax, where, zorder=1.9)
    legend += _rings(ax, where, qpv, lang)
    furniture.legend(ax, [*legend, *handles], term(words, lang))
    side = f"{term('cells of', lang)} {grid.attrs.get('resolution_m', 200)} m"
    subject = f"{term(words, lang)[:1].upper()}{term(words, lang)[1:]}, {side}"
    made = titled(subject, where.name, grid_of(grid, lang))
    finish(ax, where, made, [grid, qpv, communes], asked, notes=notes)
    return ax


def _cells(
    ax: Axes, grid: pd.DataFrame, rows: npt.NDArray[np.intp], corners: Floats, cut: Classes, lang: str
) -> list[Any]:
    """Draw cells in the colour of their class, and hatch those that are imputed or unknown; return legend handles."""
    colours = np.array([*cut.colours, MISSING], dtype=object)[cut.of]
    squares = PolyCollection(list(corners), facecolor=colours.tolist(), edgecolor="#ffffff", linewidth=0.1, zorder=1.5)
    ax.add_collection(squares, autolim=False)
    legend = class_handles(cut)
    edge = {"edgecolor": "#8c8c8c", "linewidth": 0.4}
    if (cut.of < 0).any():
        _hatch(ax, corners[cut.of < 0], _UNKNOWN)
        legend += furniture.patches([(term("not known", lang), _UNKNOWN | {"facecolor": MISSING} | edge)])
    imputed = np.zeros(len(rows), dtype=bool)
    if "imputed" in grid:
        imputed = grid["imputed"].iloc[rows].fillna(False).to_numpy(dtype=bool)
    if imputed.any():
        _hatch(ax, corners[imputed], _IMPUTED)
        legend += furniture.patches([(term("imputed", lang), _IMPUTED)])
    return legend + furniture.patches([(term("no cell: no fiscal household", lang), {"facecolor": "#ffffff", **edge})])


def _rings(ax: Axes, where: Place, qpv: gpd.GeoDataFrame, lang: str) -> list[Any]:
    """Draw perimeters as lines that are seen over any colour; return legend handles."""
    ring = {"edgecolor": PERIMETER, "linewidth": 1.3}
    shapes, own = where.metres(qpv).to_numpy(), where.own(qpv)
    draw(ax, shapes[~own], facecolor="none", edgecolor=_AROUND, linewidth=0.7, zorder=3.8)
    if not own.any():
        return []
    draw(ax, shapes[own], facecolor="none", edgecolor=CASING, linewidth=3.0, zorder=3.9)
    draw(ax, shapes[own], facecolor="none", **ring, zorder=4)
    return [furniture.line(term(called(qpv), lang), color=PERIMETER, linewidth=1.3)]


def _beyond_the_grid(corners: Floats, where: Place, qpv: gpd.GeoDataFrame, *, refused: bool) -> list[Note]:
    """Note on perimeters of the place that lie beyond the extent of the cells.

    Raises
    ------
    DataError
        Most of them do, and that is refused: the grid is that of another place.
    """
    own = where.metres(qpv)[where.own(qpv)]
    if not len(own):
        return []
    (west, south), (east, north) = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    outside = ~shapely.intersects(shapely.box(west, south, east, north), own.to_numpy())
    count, total = int(outside.sum()), len(own)
    if refused and count > _MOST_BEYOND * total:
        raise DataError(
            Note("maps.grid_of_another_place", count=count, total=total), way_out=Note("maps.read_its_grid")
        )
    return [Note("maps.beyond_the_grid", count=count, total=total)] if count else []


def values_of(grid: pd.DataFrame, column: str, lang: str) -> tuple[pd.Series, tuple[str, Kind]]:
    """Numbers of a column by cell, and how they are called and written."""
    if column == "poverty_rate":
        if forms.poverty_by_people(grid):
            return _ratio(grid, "poor_population", "population"), ("poverty rate of people", "share")
        if {"poor_households", "households"} <= set(grid.columns):
            return _ratio(grid, "poor_households", "households"), ("poverty rate of households", "share")
    if column == "living_standard_mean_eur" and {"living_standard_sum_eur", "population"} <= set(grid):
        return _ratio(grid, "living_standard_sum_eur", "population"), COLUMNS[column]
    numbers = [name for name in grid.columns if pd.api.types.is_numeric_dtype(grid[name]) and name != "imputed"]
    if column not in numbers:
        there = [name for name, needed in _MADE_OF if needed <= set(grid.columns)]
        raise UsageError(
            Note("maps.no_column_of_grid", column=repr(column)),
            problems=near_columns(column, [*there, *numbers]),
            way_out=Note("maps.name_a_column"),
        )
    return grid[column].astype("Float64"), COLUMNS.get(column) or words_of(column, grid[column], lang)


def _above(qpv: gpd.GeoDataFrame, grid: pd.DataFrame) -> gpd.GeoDataFrame | gpd.GeoSeries:
    """Ground of a grid, where perimeters lie about it; else the perimeters."""
    require_outlines(qpv=qpv)
    cells = insee_lattice.cells_of(grid)
    if not len(cells.east):
        return qpv
    size = cells.lattice.size
    ground = shapely.box(cells.east.min(), cells.north.min(), cells.east.max() + size, cells.north.max() + size)
    extent = gpd.GeoSeries([ground], crs=cells.lattice.epsg)
    return extent if qpv.intersects(extent.to_crs(qpv.crs).iloc[0]).any() else qpv


def _ratio(grid: pd.DataFrame, part: str, whole: str) -> pd.Series:
    of = grid[whole].astype("Float64")
    return grid[part].astype("Float64") / of.where(of > 0)


def _corners(grid: pd.DataFrame, where: Place) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Corners of the cells that lie in a frame, in metres of the place, and the positions of these cells."""
    cells = insee_lattice.cells_of(grid)
    size = cells.lattice.size
    frame = _in_lattice(where, cells.lattice.epsg)
    near = (
        (cells.east > frame[0] - size)
        & (cells.east < frame[2])
        & (cells.north > frame[1] - size)
        & (cells.north < frame[3])
    )
    rows = np.flatnonzero(near)
    east, north = cells.east[rows].astype(float), cells.north[rows].astype(float)
    x = np.stack([east, east + size, east + size, east], axis=1)
    y = np.stack([north, north, north + size, north + size], axis=1)
    move = transformer(cells.lattice.epsg, where.epsg).transform
    right, up = move(x.ravel(), y.ravel())
    return np.stack([right, up], axis=1).reshape(-1, 4, 2), rows


def _in_lattice(where: Place, epsg: int) -> Box:
    """Box in the projection of the lattice that holds a frame."""
    move = transformer(where.epsg, epsg)
    west, south, east, north = move.transform_bounds(*where.frame)
    return float(west), float(south), float(east), float(north)


def _hatch(ax: Axes, corners: Floats, style: dict[str, Any]) -> None:
    """Hatch cells, all of them as one path."""
    if len(corners):
        path = Path.make_compound_path_from_polys(np.concatenate([corners, corners[:, :1]], axis=1))
        ax.add_patch(PathPatch(path, **style, zorder=1.8))
