"""The whole country on one sheet: the hexagone, its overseas territories in frames of their own, Paris enlarged.

Each frame is in the legal projection of its territory and has a scale bar of its own: no two are at one scale.
"""

from typing import Any, Unpack

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, judged
from qpvgeo.frames import provenance, require
from qpvgeo.geometry.projection import reproject, territory_of
from qpvgeo.language import Note
from qpvgeo.language.numbers import number
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.choropleths import subject_of, units_of
from qpvgeo.maps.classification import written
from qpvgeo.maps.composition import geography_of, not_shown, titled
from qpvgeo.maps.credits import source_line
from qpvgeo.maps.department_lines import department_lines
from qpvgeo.maps.figures import Figure, figure_of
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.lettering import shown
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.palettes import PERIMETER
from qpvgeo.maps.places import require_outlines

__all__ = ["france"]

_HEXAGONE = "hexagone"
_HEXAGONE_FRAME = (60_000.0, 6_015_000.0, 1_265_000.0, 7_140_000.0)
_PARIS_FRAME = (621_000.0, 6_834_500.0, 687_000.0, 6_889_500.0)
"""Metres of Lambert-93: the petite couronne, whose departments are too small to be seen, and what touches it."""

_TAHITI_FRAME = (176_000.0, 8_010_000.0, 278_000.0, 8_077_000.0)
_SCATTERED_M = 600_000.0
"""Islands farther apart than that cannot be seen on a sheet: Tahiti and Moorea, where the QPV are, stand for them."""

_AROUND, _LAND = "#ffffff", "#efeee9"
"""Sea and foreign land, which are not told apart, and land under perimeters."""

_INSETS = ("971", "972", "973", "974", "976", "978", "987")
_MARGIN, _DOT_POINTS, _DETAIL_PIXELS = 0.06, 2.0, 0.35
_SHEET_IN = (10.2, 8.4)
_LEFT = -0.425
"""Left end of the sheet, in widths of the frame of the hexagone."""

_MOST_PRINTED = 3
_MOST_EDGES = 2_000
"""Units beyond which their limits would hide what is between them."""

Shapes = npt.NDArray[np.object_]


@judged
def france(
    data: gpd.GeoDataFrame | pd.DataFrame,
    units: gpd.GeoDataFrame | None = None,
    column: str = "share",
    *,
    scheme: str | None = None,
    classes: int | None = None,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw the whole country: perimeters as dots and areas, or a figure of each unit.

    Parameters
    ----------
    data
        Perimeters (`qpvgeo.read_qpv`), or a frame of `qpvgeo.coverage` with a column of numbers, which may have
        outlines of its own. An index of QPV codes tells perimeters.
    units
        Outlines of the units of a coverage, or communes that are joined to its level; under perimeters, whatever shows
        the land: departments, communes.
    column, scheme, classes
        As for `qpvgeo.maps.choropleth`; for a coverage.
    **options
        `ax`, `lang`, `title` and `source`, as for `qpvgeo.maps.qpv`. The frames of the other territories are to the
        left and right of the axes.

    Returns
    -------
    matplotlib.axes.Axes
        Those of the hexagone, in Lambert-93; the others are its `child_axes`, each in its legal projection and with a
        scale bar of its own. A territory of which nothing is given says so.

    Raises
    ------
    UsageError
        There is no such column or scheme.
    DataError
        A coverage is given without units, the data are neither perimeters nor a coverage, or figures of QPV, which no
        colour would show on a map of the country.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> ax = qg.maps.france(qg.read_qpv(qg.sample().qpv_2024))
    >>> [inset.get_label() for inset in ax.child_axes][:3]
    ['971', '972', '973']
    """
    asked = settled(options, without=["place", "page"])
    lang = asked.lang
    require.require_frame(data, "data")
    perimeters = _are_perimeters(data, column)
    own = isinstance(data, gpd.GeoDataFrame)
    if units is None and not own:
        raise DataError(Note("maps.units_needed"), way_out=Note("maps.give_outlines_of_level"))
    require_outlines(**({"data": data} if own else {}), **({} if units is None else {"units": units}))
    outlines = data if units is None else units if perimeters else units_of(data, units)
    notes: list[str] = []
    if perimeters:
        sheet = _Sheet(asked.ax, outlines, fictional=provenance.is_fictional(data))
        handles, heading, style = _dots(sheet, data, lang, land=units is not None), "", {}
        bare = data.index[data.geometry.isna() | data.geometry.is_empty]
        notes = [note.say(lang) for note in not_shown(map(str, bare), [data])]
        made = term("Priority neighbourhoods (QPV)", lang)
    else:
        figure = figure_of(data, column, outlines.index, lang, scheme=scheme, classes=classes)
        sheet = _Sheet(asked.ax, outlines, fictional=provenance.is_fictional(data))
        _figures(sheet, outlines, figure)
        _without_outline(sheet, data, column, figure)
        drawn = [code for shapes in sheet.land.values() for code in shapes.index]
        handles, heading, style = figure.handles(pd.Index(drawn)), figure.words, figure.legend_style
        made = subject_of(figure.words, data, lang)
    if units is not None:
        _departments(sheet, units)
    sheet.finish(lang)
    _legend(sheet, handles, heading, style)
    made = titled(made, term("France", lang), geography_of(data, lang))
    furniture.title(sheet.main, made if asked.title is None else asked.title, left=_LEFT)
    line = source_line([data, units], lang, notes=notes, own=asked.source)
    furniture.source(sheet.main, line, left=_LEFT)
    return sheet.main


def _are_perimeters(data: pd.DataFrame, column: str) -> bool:
    """Whether a frame is one of perimeters, by its codes; a frame of outlines without the column is refused."""
    if len(data) and official.vintage_of(str(data.index[0])) is not None:
        if isinstance(data, gpd.GeoDataFrame):
            return True
        raise DataError(Note("maps.qpv_too_small"), way_out=Note("maps.dots_or_a_place"))
    if isinstance(data, gpd.GeoDataFrame) and column not in data:
        raise DataError(
            Note("maps.neither_qpv_nor_column", column=repr(column)),
            problems=[Note("maps.their_codes", code=str(data.index[0]))] if len(data) else [],
            way_out=Note("maps.coverage_first"),
        )
    return False


class _Sheet:
    """Axes of the country, and the layer that shows the land, cut by territory."""

    def __init__(self, ax: Axes | None, layer: gpd.GeoDataFrame | gpd.GeoSeries, *, fictional: bool) -> None:
        self.main, self.fictional = _main_axes(ax), fictional
        self.frames: dict[str, Axes] = {_HEXAGONE: self.main}
        self.written: dict[str, str] = {}
        self.land = self.by_territory(layer)
        across, down, wide, tall = _LEFT, 0.755, 0.19, 0.185
        for number_, code in enumerate(_INSETS):
            at = (across + (number_ % 2) * (wide + 0.02), down - (number_ // 2) * (tall + 0.065), wide, tall)
            self.frames[code] = self._inset(at, code, territories.get(code).name)
        self.paris = self._inset((1.02, 0.70, 0.30, 0.27), "paris", "")
        self.near = _PARIS_FRAME
        self.near_name = "around Paris"

    def _inset(self, at: tuple[float, float, float, float], label: str, name: str) -> Axes:
        inset = self.main.inset_axes(at)
        inset.set_label(label)
        furniture.bare(inset)
        inset.set_facecolor(_AROUND)
        shown(inset.set_title(name, fontsize=6.5, loc="left", pad=2))
        return inset

    def by_territory(self, layer: gpd.GeoDataFrame | gpd.GeoSeries) -> dict[str, gpd.GeoSeries]:
        """Outlines of a layer in the legal projection of each territory."""
        series = layer.geometry
        series = series[(series.notna() & ~series.is_empty).to_numpy()]
        place = territory_of(series.to_numpy(), series.crs)
        found = {}
        for code in dict.fromkeys(place):
            if code == _HEXAGONE or code in _INSETS:
                own = series[place == code]
                shapes = reproject(own.to_numpy(), own.crs, territories.get(code).epsg)
                found[code] = gpd.GeoSeries(shapes, index=own.index, crs=territories.get(code).epsg)
        return found

    def settle(self, shown: dict[str, gpd.GeoSeries]) -> None:
        """Limits of every frame: fixed in the hexagone, around what is shown elsewhere."""
        _limit(self.main, _HEXAGONE_FRAME)
        if self.fictional and len(shown.get(_HEXAGONE, ())):
            # there is nothing around Paris in the sample: its island is enlarged
            west, south, east, north = shown[_HEXAGONE].total_bounds.tolist()
            wide = _MARGIN * (east - west)
            self.near, self.near_name = (west - wide, south - wide, east + wide, north + wide), "the island"
        _limit(self.paris, self.near)
        for code in _INSETS:
            shapes = shown.get(code)
            if shapes is None or not len(shapes):
                continue
            west, south, east, north = shapes.total_bounds.tolist()
            if east - west > _SCATTERED_M:
                west, south, east, north = _TAHITI_FRAME
            half = max(east - west, north - south, 2_000.0) * (0.5 + _MARGIN)
            x, y = (west + east) / 2, (south + north) / 2
            _limit(self.frames[code], (x - half, y - half, x + half, y + half))

    def axes_of(self, code: str) -> list[Axes]:
        """Frames in which a territory is shown."""
        return [self.main, self.paris] if code == _HEXAGONE else [self.frames[code]]

    def finish(self, lang: str) -> None:
        """Scale bars, and words where nothing was given."""
        shown(self.paris.set_title(term(self.near_name, lang), fontsize=6.5, loc="left", pad=2))
        for code, axes in [*self.frames.items(), ("paris", self.paris)]:
            if axes is not self.main and code in _INSETS and not axes.collections:
                shown(
                    axes.text(
                        0.5,
                        0.5,
                        self.written.get(code, term("not given", lang)),
                        transform=axes.transAxes,
                        ha="center",
                        va="center",
                        fontsize=6.5,
                        color="#6b6b6b",
                    )
                )
                continue
            furniture.scale_bar(axes, lang, share=1 / 5 if axes is self.main else 1 / 3)
        corners = np.array(self.near)[[[0, 1], [2, 1], [2, 3], [0, 3], [0, 1]]]
        self.main.plot(*corners.T, color="#4d4d4d", linewidth=0.6, zorder=8)


def _main_axes(ax: Axes | None) -> Axes:
    if ax is None:
        _, ax = plt.subplots(figsize=_SHEET_IN, layout="constrained")
    furniture.bare(ax)
    ax.set_facecolor(_AROUND)
    return ax


def _limit(axes: Axes, frame: tuple[float, float, float, float]) -> None:
    axes.set_aspect("equal")
    axes.set_xlim(frame[0], frame[2])
    axes.set_ylim(frame[1], frame[3])


def _detail(axes: Axes, *, main: bool) -> float:
    """Metres that cannot be seen on these axes at 300 dots an inch."""
    west, east = axes.get_xlim()
    figure = axes.get_figure(root=True)
    share = 0.5 if main else 0.12
    inches = (figure.get_figwidth() if figure is not None else _SHEET_IN[0]) * share
    return _DETAIL_PIXELS * (east - west) / (inches * 300)


def _thinned(shapes: Shapes, axes: Axes, *, main: bool) -> Shapes:
    """Shapes without the detail that is not seen, those out of the frame left out."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    near = shapely.intersects(shapely.box(west, south, east, north), shapely.box(*shapely.bounds(shapes).T))
    found = np.full(len(shapes), None, dtype=object)
    found[near] = shapely.simplify(shapes[near], _detail(axes, main=main), preserve_topology=False)
    return found


def _land(sheet: _Sheet, lands: dict[str, gpd.GeoSeries]) -> None:
    """Units in one pale colour, under perimeters."""
    for code, shapes in lands.items():
        line = 0.25 if len(shapes) <= _MOST_EDGES else 0.0
        for axes in sheet.axes_of(code):
            thin = _thinned(shapes.to_numpy(), axes, main=axes is sheet.main)
            draw(axes, thin, facecolor=_LAND, edgecolor="#b5b5b5", linewidth=line, zorder=1)


def _departments(sheet: _Sheet, units: gpd.GeoDataFrame) -> None:
    """Limits of departments over communes that are too many to have theirs."""
    shapes = sheet.land.get(_HEXAGONE)
    if shapes is None or len(shapes) <= _MOST_EDGES or "department" not in units:
        return
    departments = units["department"].reindex(shapes.index)
    known = departments.notna().to_numpy()
    lines = department_lines(shapes[known], departments[known])
    for axes in sheet.axes_of(_HEXAGONE):
        thin = _thinned(lines, axes, main=axes is sheet.main)
        paths = [np.asarray(shapely.get_coordinates(line)) for line in thin if line is not None]
        axes.add_collection(LineCollection(paths, colors="#8c8c8c", linewidths=0.35, zorder=3, gid="departments"))


def _dots(sheet: _Sheet, qpv: gpd.GeoDataFrame, lang: str, *, land: bool) -> list[Any]:
    """Perimeters as areas, and a dot for each, so that the smallest is seen."""
    shown = sheet.by_territory(qpv)
    # land alone would look like a territory without QPV
    lands = {code: shapes for code, shapes in sheet.land.items() if code in shown} if land else {}
    sheet.settle(
        {code: pd.concat([shapes, lands[code]] if code in lands else [shapes]) for code, shapes in shown.items()}
    )
    _land(sheet, lands)
    counts = 0
    for code, shapes in shown.items():
        counts += len(shapes)
        points = shapely.get_coordinates(shapely.point_on_surface(shapes.to_numpy()))
        for axes in sheet.axes_of(code):
            draw(axes, shapes.to_numpy(), facecolor=PERIMETER, edgecolor=PERIMETER, linewidth=0.3, zorder=4)
            size = _DOT_POINTS if axes is sheet.main else _DOT_POINTS * 0.8
            axes.plot(*points.T, "o", color=PERIMETER, markersize=size, markeredgewidth=0, alpha=0.75, zorder=5)
    label = f"{term('a dot for each QPV', lang)} ({number(counts, lang)})"
    return [furniture.dot(label, PERIMETER)]


def _figures(sheet: _Sheet, outlines: gpd.GeoDataFrame | gpd.GeoSeries, figure: Figure) -> None:
    """Units with their figure, in every frame."""
    sheet.settle(sheet.land)
    line = {"linewidth": 0.25 if len(outlines) <= _MOST_EDGES else 0.0}
    for code, shapes in sheet.land.items():
        for axes in sheet.axes_of(code):
            thin = _thinned(shapes.to_numpy(), axes, main=axes is sheet.main)
            if axes not in (sheet.main, sheet.paris):
                # scattered islands beyond the frame: the figure belongs to those that are seen
                (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
                thin = shapely.clip_by_rect(thin, west, south, east, north)
            seen = ~(shapely.is_missing(thin) | shapely.is_empty(thin))
            figure.paint(axes, gpd.GeoSeries(thin[seen], index=shapes.index[seen]), **line)


def _without_outline(sheet: _Sheet, coverage: pd.DataFrame, column: str, figure: Figure) -> None:
    """Print the figures of territories of which no outline is given."""
    level = str(coverage.index.name)
    for code in _INSETS:
        if code in sheet.land:
            continue
        own = [unit for unit in coverage.index if _territory_of(str(unit), level) == code]
        if own:
            values = coverage.loc[own, column].astype("Float64")
            known = [written(float(value), figure.kind, figure.lang) for value in values.dropna()]
            told = ", ".join(known[:_MOST_PRINTED]) if known else term("not known", figure.lang)
            sheet.written[code] = f"{told}\n({Note('maps.no_outline_given').say(figure.lang)})"


def _territory_of(unit: str, level: str) -> str | None:
    """Territory of a unit by its code; None where the code does not say."""
    if level == "region":
        departments = [row["code"] for row in facts.rows("departments") if row["region"] == unit]
        return territories.of_department(departments[0]) if departments else territories.of_department(unit)
    return territories.of_department(official.of_commune(unit) if level == "commune" else unit)


def _legend(sheet: _Sheet, handles: list[Any], heading: str, style: dict[str, float]) -> None:
    """Legend below the frame of Paris."""
    furniture.legend(sheet.main, handles, heading, **style)
    box = sheet.main.get_legend()
    if box is not None:
        box.set_bbox_to_anchor((1.02, 0.62), transform=sheet.main.transAxes)
