"""Two figures of each unit on one map: nine colours, three classes of each."""

from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.choropleths import around_place, own_units, subject_of, units_of
from qpvgeo.maps.classification import FEWEST, exact_digits, written
from qpvgeo.maps.composition import finish, geography_of, titled
from qpvgeo.maps.figures import Figure, figure_of
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.lettering import shown, wrapped
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.palettes import BIVARIATE, MISSING
from qpvgeo.maps.places import find_place, require_outlines
from qpvgeo.maps.sheets import sheet_of

__all__ = ["bivariate"]

_CLASSES = 3
_SQUARE = 0.28
_LEFT_PART = 0.17
"""Part of the width of axes that were given that the words beside the square of the legend need."""

_SQUARE_POINTS, _WORDS_POINTS = 92.0, (48.0, 40.0)
"""Side of the square on a sheet of its own, and room for the words to the left of it and below."""

_NO_QPV: dict[str, Any] = {"facecolor": "#ffffff", "edgecolor": "#bdbdbd", "linewidth": 0.4}
_UNKNOWN: dict[str, Any] = {"facecolor": MISSING, "hatch": "////", "edgecolor": "#8c8c8c", "linewidth": 0.4}


@judged
def bivariate(
    frame: pd.DataFrame,
    units: gpd.GeoDataFrame,
    columns: tuple[str, str],
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw two figures of each unit at once: the share of people in QPV by poverty, or any two columns of numbers.

    Parameters
    ----------
    frame
        Frame of `qpvgeo.coverage`, or any frame indexed by the codes of the units, with both columns.
    units
        Outlines of the units, as for `qpvgeo.maps.choropleth`.
    columns
        The one that goes across the legend, and the one that goes up.
    **options
        As for `qpvgeo.maps.qpv`.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection. Each figure is in three classes with round limits, about as many units in
        each; the legend is a square of the nine colours. Units of which either number is missing are white and hatched,
        units absent from the frame have no QPV, and are white.

    Raises
    ------
    UsageError
        There are not two columns, or there is no such column of numbers or place: names those near.
    DataError
        Fewer than seven units have both numbers: draw each with `qpvgeo.maps.choropleth`, which prints the values.

    Notes
    -----
    Colours after J. Stevens, Bivariate Choropleth Maps (2015). A map of two figures shows where they are high together;
    it does not say that one follows from the other.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    >>> links = qg.join_communes(qpv, communes, population=qg.read_population(sample.population_2024))
    >>> coverage = qg.coverage(links, by="commune", units=communes)
    >>> ax = qg.maps.bivariate(coverage, communes, ("share", "area_share"))
    >>> ax.get_label()
    'Share of people in QPV and share of area in QPV by commune (geography of 2024)'
    """
    asked = settled(options)
    lang = asked.lang
    _require(columns)
    require_outlines(units=units)
    outlines = units_of(frame, units)
    where = find_place(asked.place, outlines, None if asked.place is None else units)
    shapes = where.metres(outlines)
    joined = not isinstance(outlines, gpd.GeoDataFrame)
    own = own_units(where, units, shapes.index, level=str(frame.index.name) if joined else "")
    chosen = shapes[own] if own.sum() > 1 else shapes
    across, up = (
        figure_of(frame, name, outlines.index, lang, shown=chosen.index, scheme="round", classes=_CLASSES)
        for name in columns
    )
    classes = _classes(across, up)
    if (classes >= 0).sum() < FEWEST:
        raise DataError(
            Note("maps.bivariate_few", count=int((classes >= 0).sum()), least=FEWEST),
            way_out=Note("maps.bivariate_choropleth"),
        )
    ax = furniture.axes_of(asked.ax, where.frame, asked.page)
    colours = np.array([*BIVARIATE, MISSING], dtype=object)[classes]
    colours[~across.named] = _NO_QPV["facecolor"]
    draw(ax, chosen.to_numpy(), facecolor=colours.tolist(), edgecolor="#ffffff", linewidth=0.3, zorder=2)
    missing = across.named & (classes < 0)
    handles = []
    if missing.any():
        draw(ax, chosen.to_numpy()[missing], **_UNKNOWN | {"facecolor": "none"}, zorder=2.5)
        handles.append((term("not known", lang), _UNKNOWN))
    if (~across.named).any():
        draw(ax, chosen.to_numpy()[~across.named], **_NO_QPV, zorder=1.9)
        handles.append((term("no QPV", lang), _NO_QPV))
    limits = around_place(ax, where, shapes[~own], covered=len(chosen) == len(shapes))
    furniture.legend(ax, [*furniture.patches(handles), *limits])
    _square(ax, across, up, below=len(handles) + len(limits))
    words = Note("maps.bivariate_title", one=across.words, other=up.words).say(lang)
    made = titled(subject_of(words, frame, lang), where.name, geography_of(frame, lang))
    finish(ax, where, made, [frame, units], asked)
    return ax


def _require(columns: Any) -> None:  # noqa: ANN401 - whatever was given
    if isinstance(columns, str) or not isinstance(columns, list | tuple) or len(set(columns)) != 2:
        raise UsageError(Note("maps.two_columns", given=repr(columns)), way_out=Note("maps.give_two_columns"))


def _classes(across: Figure, up: Figure) -> npt.NDArray[np.intp]:
    """Class of each unit among the nine, -1 where either number is missing."""
    if across.cut is None or up.cut is None:  # pragma: no cover - a number of classes was asked
        return np.full(len(across.values), -1)
    known = (across.cut.of >= 0) & (up.cut.of >= 0)
    return np.where(known, _CLASSES * up.cut.of + across.cut.of, -1)


def _square(ax: Axes, across: Figure, up: Figure, *, below: int) -> None:
    """Legend: the nine colours in a square, with the limits of the classes and the names of both figures."""
    inset = ax.inset_axes((1 + _LEFT_PART, 0.93 - 0.055 * max(below, 1) - _SQUARE, _SQUARE, _SQUARE))
    sheet = sheet_of(ax)
    if sheet is not None:
        sheet.square = (inset, _SQUARE_POINTS, _WORDS_POINTS)
    inset.set_label("legend")
    inset.imshow(
        np.array([[_rgb(BIVARIATE[_CLASSES * row + column]) for column in range(_CLASSES)] for row in range(_CLASSES)]),
        origin="lower",
        extent=(0, _CLASSES, 0, _CLASSES),
    )
    inset.set_anchor("NW")
    for figure, axis in ((across, inset.xaxis), (up, inset.yaxis)):
        limits = np.zeros(0) if figure.cut is None else figure.cut.bounds[1:-1]
        digits = exact_digits(limits, figure.kind)
        texts = [written(float(one), figure.kind, figure.lang, digits) for one in limits]
        axis.set_ticks(range(1, len(limits) + 1), texts)
        for text in axis.get_ticklabels():
            shown(text)
        axis.set_tick_params(labelsize=6.5, length=2)
        words = wrapped(f"{figure.words[:1].upper()}{figure.words[1:]} →", 24)
        shown(axis.set_label_text(words, fontsize=6.5))
    for spine in inset.spines.values():
        spine.set_visible(False)


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
