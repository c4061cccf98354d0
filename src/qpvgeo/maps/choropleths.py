"""A figure of each commune, EPCI, department or region, in classes that the legend names with their unit."""

from collections.abc import Sequence
from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.classification import Classes, Kind, classed
from qpvgeo.maps.composition import finish, geography_of, titled
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.options import MapOptions, near_words, settled
from qpvgeo.maps.palettes import MISSING, NONE
from qpvgeo.maps.places import Place, find_place, require_outlines

__all__ = ["LEVELS", "absent", "choropleth", "figure_of", "legend_of", "near_columns", "paint", "units_of", "words_of"]

LEVELS = ("commune", "epci", "ept", "department", "region")

_MANY = 2_000

_FIGURES: dict[str, tuple[str, Kind]] = {
    "share": ("share of people in QPV", "share"),
    "area_share": ("share of ground in QPV", "share"),
    "estimated_share": ("share estimated by area", "share"),
    "qpv_population": ("people in QPV", "number"),
    "population": ("people", "number"),
    "n_qpv": ("number of QPV", "number"),
    "n_with_population": ("number of QPV whose people are known", "number"),
    "households": ("households", "number"),
    "poor_households": ("poor households", "number"),
    "living_standard_sum_eur": ("sum of living standards (euros a year)", "number"),
    "qpv_area_km2": ("ground in QPV (km²)", "decimal"),
}


def choropleth(
    coverage: pd.DataFrame,
    units: gpd.GeoDataFrame,
    column: str = "share",
    *,
    scheme: str = "quantiles",
    classes: int = 5,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw a column of a frame of coverage, a colour for each class of its units.

    Parameters
    ----------
    coverage
        Frame of `qpvgeo.coverage` by commune, EPCI, EPT, department or region, or any frame indexed by their codes.
    units
        Outlines of the units, indexed by code; or communes (`qpvgeo.read_communes`), joined to the level of the frame.
    column
        Column of numbers.
    scheme, classes
        How numbers are cut (`quantiles`, `natural`, `equal`, `pretty`), and in how many classes at most.
    **options
        As for `qpvgeo.maps.qpv`. With `place`, classes are those of the units of a place that has several: the rest is
        plain land.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection. Units whose number is missing are white and hatched; those that the frame
        does not name have no QPV, and are grey.

    Raises
    ------
    UsageError
        There is no such column of numbers, place or scheme: names those near.
    DataError
        The units lie in several territories, or none of them is in the frame.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, communes = qg.read_qpv(sample.qpv_2024), qg.read_communes(sample.communes, table=sample.communes_table)
    >>> people = qg.read_population(sample.population_2024)
    >>> links = qg.join_communes(qpv, communes, population=people)
    >>> ax = qg.maps.choropleth(qg.coverage(links, by="commune", units=communes), communes, lang="fr")
    >>> ax.get_legend().get_title().get_text()
    'Part de la population résidant en QPV'
    """
    asked = settled(options)
    lang = asked.lang
    require_outlines(units=units)
    outlines = units_of(coverage, units)
    values = figure_of(coverage, column, outlines.index)
    joined = not isinstance(outlines, gpd.GeoDataFrame)
    where = find_place(asked.place, outlines, None if asked.place is None else units)
    ax = furniture.axes_of(asked.ax, where.frame)
    words, kind = words_of(column, values, lang)
    shapes = where.metres(outlines)
    own = _own(where, units, shapes.index, level=str(coverage.index.name) if joined else "")
    chosen = shapes[own] if own.sum() > 1 else shapes
    shown = values.reindex(chosen.index)
    cut = classed(shown.to_numpy(), scheme=scheme, count=classes, kind=kind, lang=lang)
    paint(ax, chosen, shown.index, cut, coverage)
    _around_place(ax, where, shapes[~own], covered=len(chosen) == len(shapes))
    furniture.legend(ax, legend_of(cut, lang, **absent(cut, shown, coverage)), words)
    level = str(coverage.index.name)
    made = words + (f" {term(f'by {level}', lang)}" if level in LEVELS else "")
    made = titled(made[:1].upper() + made[1:], where.name, geography_of(coverage, lang))
    finish(ax, where, made, [coverage, units], asked)
    return ax


def _own(where: Place, units: gpd.GeoDataFrame, shown: pd.Index, *, level: str) -> npt.NDArray[np.bool_]:
    """Which of the units shown belong to the place; all of them where it has no limit."""
    if not where.communes:
        return np.ones(len(shown), dtype=bool)
    held = units.loc[units.index.isin(where.communes)]
    return np.asarray(shown.isin(held[level] if level else held.index))


def _around_place(ax: Axes, where: Place, others: gpd.GeoSeries, *, covered: bool) -> None:
    """Limit of the place; what lies outside is plain land, or lighter where it has a colour."""
    if where.outline is None:
        return
    if covered:
        around = np.array([shapely.difference(shapely.box(*where.frame), where.outline)], dtype=object)
        draw(ax, around, facecolor=to_rgba("#ffffff", 0.6), linewidth=0.0, zorder=2.7)
    else:
        draw(ax, others.to_numpy(), facecolor="none", edgecolor="#bdbdbd", linewidth=0.4, zorder=1)
    outline = np.array([where.outline], dtype=object)
    draw(ax, outline, facecolor="none", edgecolor="#4d4d4d", linewidth=1.2, zorder=2.8)


def units_of(coverage: pd.DataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame | gpd.GeoSeries:
    """Outlines of the units of a frame: those given, or communes joined to its level."""
    level = str(coverage.index.name)
    if level not in LEVELS or level == "commune" or level not in units.columns:
        return units
    communes = units[units.geometry.notna() & units[level].notna()]
    groups = communes.groupby(level).indices
    shapes = communes.geometry.to_numpy()
    joined = np.array([_joined(shapes[rows]) for rows in groups.values()], dtype=object)
    return gpd.GeoSeries(joined, index=pd.Index(list(groups), name=level), crs=units.crs)


def _joined(shapes: Any) -> Any:  # noqa: ANN401 - an array of outlines
    """Union of neighbours; outlines that do not fit each other to the last bit are joined all the same."""
    return shapely.union_all(shapes) if len(shapes) > 1 else shapes[0]


def figure_of(coverage: pd.DataFrame, column: str, index: pd.Index) -> pd.Series:
    """Numbers of a column by unit; missing for those that the frame does not name.

    Raises
    ------
    UsageError
        There is no such column of numbers: names those near.
    DataError
        None of the units is in the frame.
    """
    numbers = [str(name) for name in coverage.columns if pd.api.types.is_numeric_dtype(coverage[name])]
    if column not in numbers:
        raise UsageError(
            f"The frame has no column of numbers {column!r}.",
            problems=near_columns(column, numbers),
            way_out="Name one of them.",
        )
    values = coverage[column][coverage.index.notna()]
    if not len(values):
        raise DataError("The frame has no rows: there is nothing to draw.", way_out="Make it with qpvgeo.coverage().")
    twice = values.index[values.index.duplicated()].unique()
    if len(twice):
        raise DataError(
            "Units stand several times in the frame.", problems=map(str, twice), way_out="Keep one row for each."
        )
    if not values.index.isin(index).any():
        starts = f"the outlines with {index[0]}" if len(index) else "and there are no outlines of its level"
        raise DataError(
            "None of the units has an outline.",
            problems=[f"the frame starts with {values.index[0]}, {starts}"],
            way_out="Give outlines of the level of the frame, or communes that say which unit they belong to.",
        )
    return values.astype("Float64").reindex(index)


def near_columns(asked: str, names: Sequence[str]) -> list[str]:
    """What an error says of the columns there are: those near the one asked for, or all of them."""
    return [Note("maps.there_is", name=repr(name)) for name in near_words(asked, names)]


def paint(
    ax: Axes, shapes: gpd.GeoSeries, index: pd.Index, cut: Classes, coverage: pd.DataFrame, **style: float
) -> None:
    """Draw units in the colour of their class; what is not known hatched, what has no QPV grey."""
    of = pd.Series(cut.of, index=index).reindex(shapes.index).to_numpy()
    named = shapes.index.isin(coverage.index)
    colours = np.array([*cut.colours, NONE, MISSING], dtype=object)[np.where(of >= 0, of, np.where(named, -1, -2))]
    # limits of many units would hide them
    width = 0.3 * min(1.0, (_MANY / max(len(shapes), 1)) ** 0.5)
    line: dict[str, Any] = {"edgecolor": "#ffffff", "linewidth": width} | style
    draw(ax, shapes.to_numpy(), facecolor=colours.tolist(), **line, zorder=2)
    unknown = shapes.to_numpy()[(of < 0) & named]
    if len(unknown):
        edge = 0.4 if len(shapes) <= _MANY else 0.0
        draw(ax, unknown, facecolor="none", edgecolor="#8c8c8c", linewidth=edge, hatch="////", zorder=2.5)


def absent(cut: Classes, values: pd.Series, coverage: pd.DataFrame) -> dict[str, bool]:
    """Whether there are units whose number is not known, and units without a QPV."""
    named = values.index.isin(coverage.index)
    return {"missing": bool(((cut.of < 0) & named).any()), "none": bool((~named).any())}


def legend_of(cut: Classes, lang: str, *, missing: bool, none: bool) -> list[Any]:
    """Handles of the classes, the highest first, then of what is not known and of what has no QPV."""
    edge = {"edgecolor": "#8c8c8c", "linewidth": 0.4}
    entries = [
        (label, {"facecolor": colour, **edge})
        for label, colour in zip(cut.labels[::-1], cut.colours[::-1], strict=True)
    ]
    if missing:
        entries.append((term("not known", lang), {"facecolor": MISSING, "hatch": "////", **edge}))
    if none:
        entries.append((term("no QPV", lang), {"facecolor": NONE, **edge}))
    return furniture.patches(entries)


def words_of(column: str, values: pd.Series, lang: str) -> tuple[str, Kind]:
    """What a column is called in a language, and how its numbers are written; one without words keeps its name."""
    known = values.dropna()
    kind: Kind = "number" if (known == known.round()).all() else "decimal"
    words, kind = _FIGURES.get(column, (f"{term('column', lang)} {column}", kind))
    return term(words, lang), kind
