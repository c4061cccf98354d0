"""How many people live in each QPV by the grid: the estimate, and the bounds that are always true, neither hidden."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from qpvgeo import schema
from qpvgeo.errors import DataError
from qpvgeo.maps import furniture
from qpvgeo.maps.labels import place_labels
from qpvgeo.maps.palettes import RELIABILITY
from qpvgeo.maps.perimeters import finish, land, perimeter_style, titled, titles_of
from qpvgeo.maps.places import Place, find_place
from qpvgeo.maps.shapes import draw
from qpvgeo.maps.words import say
from qpvgeo.wording import Lang, number

__all__ = ["estimates"]

_LARGEST_POINTS = 36.0
_RING = "#222222"
_ROUND = 0.8  # corners of the box of a circle are free
_STYLES: dict[str, dict[str, Any]] = {
    "least": {"facecolor": "none", "edgecolor": "#ffffff", "linewidth": 1.0},
    "most": {"facecolor": "none", "edgecolor": _RING, "linewidth": 0.9, "linestyle": (0, (2.2, 1.6))},
}
_KINDS = (("good", "good"), ("weak", "with a warning"), ("none", "not given"))

Floats = npt.NDArray[np.float64]


def estimates(
    people: pd.DataFrame,
    qpv: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None = None,
    *,
    place: str | Sequence[float] | Place | None = None,
    ax: Axes | None = None,
    lang: Lang = "en",
    title: str | None = None,
) -> Axes:
    """Draw the people of each QPV as circles: the estimate, with the bounds around and inside it.

    Parameters
    ----------
    people
        Frame of `qpvgeo.estimate_population`: `low`, `estimate`, `high`, `reliability`.
    qpv
        The perimeters that it is of.
    communes, place, ax, lang, title
        As for `qpvgeo.maps.qpv`.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection. The area of a circle is the number of people: full for the estimate, a ring
        inside for the least there can be, a broken ring around for the most. Estimates with a warning (`reliability`)
        are light; a QPV without one has a cross.

    Raises
    ------
    UsageError
        There is no such place.
    DataError
        The frame is no frame of estimates, or is of none of the perimeters shown.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv = qg.read_qpv(sample.qpv_2024)
    >>> ax = qg.maps.estimates(qg.estimate_population(qpv, qg.read_grid(sample.grid_2019)), qpv)
    >>> ax.get_title(loc="left")
    'People of fiscal households, estimated from cells, 2019'
    """
    schema.require_columns(
        people,
        ["low", "estimate", "high", "reliability"],
        what="The frame of people",
        way_out="Make it with qpvgeo.estimate_population().",
    )
    twice = people.index[people.index.duplicated()].unique()
    if len(twice):
        raise DataError(
            "QPV stand several times in the frame of people.",
            problems=map(str, twice),
            way_out="Keep one row for each.",
        )
    where = find_place(place, qpv, communes)
    shapes = where.metres(qpv)
    shapes = shapes[shapes.index.isin(people.index)]
    if not len(shapes):
        raise DataError("The estimates are of none of the perimeters of this place.", way_out="Estimate these.")
    ax = furniture.axes_of(ax, where.frame)
    handles = land(ax, where, communes, lang)
    draw(ax, shapes.to_numpy(), **perimeter_style() | {"linewidth": 0.6}, zorder=3)
    figures = people.loc[shapes.index]
    middles = shapely.get_coordinates(shapely.point_on_surface(shapes.to_numpy()))
    known = figures["estimate"].notna().to_numpy()
    sizes = figures[["low", "estimate", "high"]].astype("Float64").to_numpy(dtype=float, na_value=0.0)
    most = float(sizes[:, 2].max(initial=1.0)) or 1.0
    colours = [RELIABILITY["weak" if text else "good"] for text in figures["reliability"].fillna("")]
    _circles(ax, middles[known], sizes[known], most, [colours[row] for row in np.flatnonzero(known)])
    ax.plot(*middles[~known].T, "x", color=_RING, markersize=5, zorder=6)
    legend = _legend(most, known=known, weak=figures["reliability"].fillna("").ne("").to_numpy(), lang=lang)
    legend += furniture.patches([(say("QPV", lang), perimeter_style() | {"linewidth": 0.6})])
    furniture.legend(ax, [*legend, *handles], say("people", lang), spacing=1.1)
    year = schema.provenance(people).get("grid_vintage") or schema.provenance(people).get("vintage")
    made = titled(say("People of fiscal households, estimated from cells", lang), where, year)
    finish(ax, where, made if title is None else title, [people, qpv, communes], lang)
    names = titles_of(qpv, shapes.index)
    order = np.argsort(-sizes[:, 1], kind="stable")
    labels = [_label(names[row], sizes[row], known[row], middles[row], lang) for row in order]
    place_labels(ax, labels, size=6, taken=_boxes(ax, middles[known], _points(sizes[known, 2], most)))
    return ax


def _circles(ax: Axes, at: Floats, sizes: Floats, most: float, colours: list[str]) -> None:
    """Three circles for each perimeter: the most, the estimate, the least."""
    for column, zorder, style in (
        (2, 4.8, _STYLES["most"]),
        (1, 5.0, {"facecolor": colours, "edgecolor": _RING, "linewidth": 0.5, "alpha": 0.9}),
        (0, 5.2, _STYLES["least"]),
    ):
        across = _points(sizes[:, column], most)
        collection = EllipseCollection(
            across,
            across,
            np.zeros(len(across)),
            units="points",
            offsets=at,
            transOffset=ax.transData,
            **style,
        )
        collection.set_zorder(zorder)
        ax.add_collection(collection, autolim=False)


def _boxes(ax: Axes, at: Floats, across: Floats) -> list[Bbox]:
    """Boxes of circles in pixels, once the layout is settled: a name beside a circle, and not over it."""
    figure = ax.get_figure(root=True)
    if figure is None:  # pragma: no cover - axes have a figure
        return []
    figure.draw_without_rendering()
    half = across * figure.dpi / 72 / 2 * _ROUND
    return [
        Bbox.from_extents(x - r, y - r, x + r, y + r)
        for (x, y), r in zip(ax.transData.transform(at), half, strict=True)
    ]


def _points(value: Floats, most: float) -> Floats:
    """Diameter in points of a circle whose area is a number of people."""
    return np.asarray(_LARGEST_POINTS * np.sqrt(np.maximum(value, 0.0) / most))


def _legend(most: float, *, known: Any, weak: Any, lang: str) -> list[Artist]:  # noqa: ANN401 - masks
    """Handles: sizes, what the rings are, and what the colours say."""
    # a third of the most is a circle that a line of the legend can hold
    power = 10.0 ** np.floor(np.log10(most / 3))
    step = power * max(one for one in (1, 2, 5) if one * power <= most / 3)
    blank: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgecolor": _RING}
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            **blank,
            markerfacecolor="none",
            markersize=float(_points(np.array([one]), most)[0]),
            label=number(one, lang),
        )
        for one in (step, step / 5)
    ]
    around = withStroke(linewidth=5.5, foreground=RELIABILITY["good"])
    handles += [
        Ellipse((0, 0), 9, 9, **_STYLES["most"], label=say("the most there can be", lang)),
        Ellipse((0, 0), 5, 5, **_STYLES["least"], path_effects=[around], label=say("the least there can be", lang)),
    ]
    there = {"good": bool((known & ~weak).any()), "weak": bool((known & weak).any()), "none": bool((~known).any())}
    for kind, words in _KINDS:
        if there[kind]:
            mark = {**blank, "marker": "x"} if kind == "none" else blank
            label = say("no estimate", lang) if kind == "none" else f"{say('estimate', lang)}, {say(words, lang)}"
            handles.append(Line2D([], [], **mark, markerfacecolor=RELIABILITY[kind], markersize=9, label=label))
    return handles


def _label(name: str, sizes: Floats, known: bool, at: Floats, lang: str) -> tuple[str, float, float]:
    """Name, estimate and bounds."""
    low, estimate, high = (number(value, lang) for value in sizes)
    figures = f"{estimate} ({low}–{high})" if known else say("not given", lang)
    return f"{name}\n{figures}", float(at[0]), float(at[1])
