"""How many people live in each QPV by the grid: the estimate, and the bounds that are always true, neither hidden."""

from dataclasses import replace
from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from matplotlib.patheffects import withStroke

from qpvgeo.errors import DataError, judged
from qpvgeo.frames import require
from qpvgeo.language import Note
from qpvgeo.language.numbers import number
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.circles import LEGEND_LENGTH, diameters, draw_circles, size_handles
from qpvgeo.maps.composition import draw_perimeters, finish, grid_of, land, titled, titles_of
from qpvgeo.maps.labels import Label, Labels
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.palettes import RELIABILITY
from qpvgeo.maps.places import Place, find_place

__all__ = ["estimates"]

_RING = "#222222"
_CROSS_POINTS = 5.0
_SPARE = 1.3  # a layout leaves the axes less than their figure has for them
_STYLES: dict[str, dict[str, Any]] = {
    "least": {"facecolor": "none", "edgecolor": "#ffffff", "linewidth": 1.0},
    "most": {"facecolor": "none", "edgecolor": _RING, "linewidth": 0.9, "linestyle": (0, (2.2, 1.6))},
}
_KINDS = {"good": "estimate, good", "weak": "estimate, with a warning", "none": "estimate, not given"}

Floats = npt.NDArray[np.float64]


@judged
def estimates(
    people: pd.DataFrame,
    qpv: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None = None,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw the people of each QPV as circles: the estimate, with the bounds around and inside it.

    Parameters
    ----------
    people
        Frame of `qpvgeo.estimate_population`: `low`, `estimate`, `high`, `reliability`.
    qpv
        The perimeters that it is of.
    communes, **options
        As for `qpvgeo.maps.qpv`.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection. The area of a circle is the number of people: full for the estimate, a ring
        inside for the least there can be, a broken ring around for the most. Estimates with a warning (`reliability`)
        are light; a QPV without one has a cross. The frame is as wide as whole circles need.

    Raises
    ------
    UsageError
        There is no such place.
    DataError
        The frame does not hold estimates, or none of the perimeters shown.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv = qg.read_qpv(sample.qpv_2024)
    >>> ax = qg.maps.estimates(qg.estimate_population(qpv, qg.read_grid(sample.grid_2019)), qpv)
    >>> ax.get_title(loc="left")
    'People of fiscal households, estimated from cells (grid of 2019)'
    """
    require.require_columns(
        people,
        ["low", "estimate", "high", "reliability"],
        what="The frame of people",
        way_out=Note("maps.make_estimates"),
    )
    twice = people.index[people.index.duplicated()].unique()
    if len(twice):
        raise DataError(Note("maps.repeated_units"), problems=map(str, twice), way_out=Note("maps.keep_one_row_each"))
    asked = settled(options)
    lang = asked.lang
    where = find_place(asked.place, qpv, communes)
    shapes = where.metres(qpv)[where.own(qpv)]
    shapes = shapes[shapes.index.isin(people.index)]
    if not len(shapes):
        raise DataError(Note("maps.estimates_of_others"), way_out=Note("maps.estimate_these"))
    figures = people.loc[shapes.index]
    known = figures["estimate"].notna().to_numpy()
    sizes = figures[["low", "estimate", "high"]].astype("Float64").to_numpy(dtype=float, na_value=0.0)
    # a most that is not known is drawn as the estimate
    sizes[:, 2] = sizes[:, 1:].max(axis=1)
    most = float(sizes[:, 2].max(initial=1.0)) or 1.0
    radii = np.where(known, diameters(sizes[:, 2], most), _CROSS_POINTS) / 2
    places = shapely.point_on_surface(shapely.intersection(shapes.to_numpy(), shapely.box(*where.frame)))
    middles = shapely.get_coordinates(places)
    where = _widened(where, middles, radii, asked.ax)
    ax = furniture.axes_of(asked.ax, where.frame, asked.page)
    handles = land(ax, where, communes, lang)
    handles = [*draw_perimeters(ax, where, qpv, lang, zorder=3, line=0.6), *handles]
    colours = [RELIABILITY["weak" if text else "good"] for text in figures["reliability"].fillna("")]
    _circles(ax, middles[known], sizes[known], most, [colours[row] for row in np.flatnonzero(known)])
    ax.plot(*middles[~known].T, "x", color=_RING, markersize=_CROSS_POINTS, zorder=6)
    legend = _legend(most, known=known, weak=figures["reliability"].fillna("").ne("").to_numpy(), lang=lang)
    furniture.legend(ax, [*legend, *handles], term("people", lang), spacing=1.1, length=LEGEND_LENGTH)
    made = titled(term("People of fiscal households, estimated from cells", lang), where.name, grid_of(people, lang))
    finish(ax, where, made, [people, qpv, communes], asked)
    names = titles_of(qpv, shapes.index)
    order = np.argsort(-sizes[:, 1], kind="stable")
    labels = [Label(_words(names[row], sizes[row], known[row], lang), places[row], float(radii[row])) for row in order]
    written = Labels(ax)
    written.add(labels, size=6, color="#111111")
    written.avoid([Label("", shape) for shape in shapes])
    return ax


def _widened(where: Place, middles: Floats, radii: Floats, ax: Axes | None) -> Place:
    """Place with a frame that holds whole circles: points of them by the width that the map will have."""
    west, south, east, north = where.frame
    metres = (_SPARE * radii * furniture.metres_a_point(ax, where.frame))[:, None]
    least, most = (middles - metres).min(axis=0), (middles + metres).max(axis=0)
    return replace(
        where,
        frame=(
            min(west, float(least[0])),
            min(south, float(least[1])),
            max(east, float(most[0])),
            max(north, float(most[1])),
        ),
    )


def _circles(ax: Axes, at: Floats, sizes: Floats, most: float, colours: list[str]) -> None:
    """Three circles for each perimeter: the most, the estimate, the least."""
    for column, zorder, style in (
        (2, 4.8, _STYLES["most"]),
        (1, 5.0, {"facecolor": colours, "edgecolor": _RING, "linewidth": 0.5, "alpha": 0.9}),
        (0, 5.2, _STYLES["least"]),
    ):
        draw_circles(ax, at, diameters(sizes[:, column], most), zorder=zorder, **style)


def _legend(most: float, *, known: Any, weak: Any, lang: str) -> list[Artist]:  # noqa: ANN401 - masks
    """Handles: sizes, what the rings are, and what the colours say."""
    blank: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgecolor": _RING}
    handles = size_handles(most, lang)
    around = withStroke(linewidth=5.5, foreground=RELIABILITY["good"])
    handles += [
        Ellipse((0, 0), 9, 9, **_STYLES["most"], label=term("the most there can be", lang)),
        Ellipse((0, 0), 5, 5, **_STYLES["least"], path_effects=[around], label=term("the least there can be", lang)),
    ]
    there = {"good": bool((known & ~weak).any()), "weak": bool((known & weak).any()), "none": bool((~known).any())}
    for kind, words in _KINDS.items():
        if there[kind]:
            mark = {**blank, "marker": "x"} if kind == "none" else blank
            style: dict[str, Any] = {"markerfacecolor": RELIABILITY[kind], "markersize": 5 if kind == "none" else 9}
            handles.append(Line2D([], [], **mark, **style, label=term(words, lang)))
    return handles


def _words(name: str, sizes: Floats, known: bool, lang: str) -> str:
    """Name, estimate and bounds."""
    low, estimate, high = (number(value, lang) for value in sizes)
    figures = f"{estimate} ({low}–{high})" if known else term("not given", lang)
    return f"{name}\n{figures}"
