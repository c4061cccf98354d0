"""A figure of each commune, EPCI, department or region: colours for rates, circles for counts, values for a few."""

from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes

from qpvgeo.errors import judged
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.composition import finish, geography_of, place_handle, titled, titles_of, veil
from qpvgeo.maps.figures import figure_of
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.labels import Labels
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.places import Place, find_place, require_outlines

__all__ = ["LEVELS", "around_place", "choropleth", "own_units", "subject_of", "units_of"]

LEVELS = ("commune", "epci", "ept", "department", "region")

_NAMED_CIRCLES = 25


@judged
def choropleth(
    coverage: pd.DataFrame,
    units: gpd.GeoDataFrame,
    column: str = "share",
    *,
    scheme: str | None = None,
    classes: int | None = None,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw a column of a frame of coverage: classes of a rate, circles of a count, values where units are few.

    Parameters
    ----------
    coverage
        Frame of `qpvgeo.coverage` by commune, EPCI, EPT, department or region, or any frame indexed by their codes.
    units
        Outlines of the units, indexed by code; or communes (`qpvgeo.read_communes`), joined to the level of the frame.
    column
        Column of numbers.
    scheme
        How numbers are cut into classes:

        - `round` (default): about as many units in each class, between round limits;
        - `quantiles`, `natural`, `equal`, `pretty`: by mapclassify.
    classes
        Maximum number of classes, 7 or fewer. With `scheme` or `classes`, counts and a few units are drawn in classes
        too.
    **options
        As for `qpvgeo.maps.qpv`. With `place`, classes are those of the units of a place that has several: the rest is
        plain land.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection. Rates are in classes, and the legend marks the published value of the
        hexagone where there is one; counts are circles whose areas are the numbers; fewer than seven units have
        their values printed. Units whose number is missing are white and hatched; units absent from the frame have no
        QPV, and are grey. Dots, or a broken circle, mark units of which a tenth or more of the people were shared out
        by area (`estimated_share`).

    Raises
    ------
    UsageError
        There is no such column of numbers, place or scheme: names those near.
    DataError
        The units lie in several territories, none of them is in the frame, or none has a number: says what to give.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    >>> people = qg.read_population(sample.population_2024)
    >>> links = qg.join_communes(qpv, communes, population=people)
    >>> ax = qg.maps.choropleth(qg.coverage(links, by="commune", units=communes), communes, lang="fr")
    >>> " ".join(ax.get_legend().get_title().get_text().split())
    'Part de la population résidant en QPV'
    """
    asked = settled(options)
    lang = asked.lang
    require_outlines(units=units)
    outlines = units_of(coverage, units)
    every = figure_of(coverage, column, outlines.index, lang, scheme=scheme, classes=classes)
    joined = not isinstance(outlines, gpd.GeoDataFrame)
    where = find_place(asked.place, outlines, None if asked.place is None else units)
    shapes = where.metres(outlines)
    own = own_units(where, units, shapes.index, level=str(coverage.index.name) if joined else "")
    chosen = shapes[own] if own.sum() > 1 else shapes
    figure = every
    if len(chosen) < len(every.values):
        figure = figure_of(coverage, column, outlines.index, lang, shown=chosen.index, scheme=scheme, classes=classes)
    ax = furniture.axes_of(asked.ax, where.frame, asked.page)
    figure.paint(ax, chosen)
    limits = around_place(ax, where, shapes[~own], covered=len(chosen) == len(shapes))
    furniture.legend(ax, [*figure.handles(), *limits], figure.words, **figure.legend_style)
    made = titled(subject_of(figure.words, coverage, lang), where.name, geography_of(coverage, lang))
    finish(ax, where, made, [coverage, units], asked)
    names = titles_of(coverage if "name" in coverage else units, chosen.index)
    labels = Labels(ax)
    printed = figure.labels(chosen, names)
    labels.add(printed if figure.mode == "values" else printed[:_NAMED_CIRCLES], size=6.5, color="#1a1a1a")
    return ax


def subject_of(words: str, coverage: pd.DataFrame, lang: str) -> str:
    """What a title says of a column and its level."""
    level = str(coverage.index.name)
    made = words + (f" {term(f'by {level}', lang)}" if level in LEVELS else "")
    return made[:1].upper() + made[1:]


def own_units(where: Place, units: gpd.GeoDataFrame, shown: pd.Index, *, level: str) -> npt.NDArray[np.bool_]:
    """Which of the units shown belong to the place; all of them for a box."""
    if not where.communes:
        return np.ones(len(shown), dtype=bool)
    held = units.loc[units.index.isin(where.communes)]
    return np.asarray(shown.isin(held[level] if level else held.index))


def around_place(ax: Axes, where: Place, others: gpd.GeoSeries, *, covered: bool) -> list[Any]:
    """Draw the boundary of the place; what lies outside is plain land, or lighter where it has a colour."""
    if where.outline is None:
        return []
    if covered:
        veil(ax, where, zorder=2.7)
    else:
        draw(ax, others.to_numpy(), facecolor="none", edgecolor="#bdbdbd", linewidth=0.4, zorder=1)
    handle = place_handle(ax, where, zorder=2.8)
    return [handle]


def units_of(coverage: pd.DataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame | gpd.GeoSeries:
    """Outlines of the units of a frame: those given, or communes joined to its level."""
    index = getattr(coverage, "index", None)
    level = str(getattr(index, "name", ""))
    if level not in LEVELS or level == "commune" or level not in units.columns:
        return units
    communes = units[units.geometry.notna() & units[level].notna()]
    groups = communes.groupby(level).indices
    shapes = communes.geometry.to_numpy()
    joined = np.array(
        [shapely.union_all(shapes[rows]) if len(rows) > 1 else shapes[rows[0]] for rows in groups.values()],
        dtype=object,
    )
    return gpd.GeoSeries(joined, index=pd.Index(list(groups), name=level), crs=units.crs)
