"""What changed between the perimeters of two geographies, with names and hectares."""

from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes

from qpvgeo.codes import official
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import provenance
from qpvgeo.geographies.crosswalk_layers import pairs_of, side_of
from qpvgeo.geographies.positional_shift import DEFAULT_TOLERANCE_M, shift_of
from qpvgeo.language import Note
from qpvgeo.language.numbers import number
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.composition import finish, land, titled
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.naming import Named, name_perimeters, own_perimeters, short_titles
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.palettes import CHANGES
from qpvgeo.maps.places import Place, find_place, require_outlines

__all__ = ["change", "hectares_of"]

_OLD, _NEW = "#7a4a00", "#00304d"
_DETAILED_M, _HATCH = 25.0, 0.35
_TAKEN_OVER, _WHOLE_HA, _SHOWN_HA = 0.05, 10.0, 0.5


@judged
def change(
    before: gpd.GeoDataFrame,
    after: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None = None,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw the QPV of two geographies: areas kept, gained and lost, with names and hectares.

    Parameters
    ----------
    before, after
        Perimeters of the geography of 2015 and of that of 2024.
    communes, **options
        As for `qpvgeo.maps.qpv`; a QPV may be of either geography.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection of the territory. Areas in QPV of both geographies are `kept`, those of the
        later one alone `gained`, those of the earlier one alone `lost`: hatching tells them apart without colour.

    Raises
    ------
    UsageError, DataError
        As for `qpvgeo.maps.qpv`; and the two are of one geography, or the later one comes first.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> ax = qg.maps.change(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024), lang="fr")
    >>> [text.get_text() for text in ax.get_legend().get_texts()][:3]
    ['Maintenu', 'Ajouté', 'Retiré']
    """
    asked = settled(options)
    lang = asked.lang
    require_outlines(before=before, after=after)
    years = _in_order(before, after)
    where = find_place(asked.place, [after, before], communes)
    notes = _drawing(where, before, after)
    ax = furniture.axes_of(asked.ax, where.frame, asked.page)
    lines: list[dict[str, Any]] = [
        {"edgecolor": _OLD, "linewidth": 0.9, "linestyle": (0, (3, 2))},
        {"edgecolor": _NEW, "linewidth": 1.0, "linestyle": "-"},
    ]

    def paint(axes: Axes, place: Place) -> tuple[list[Any], dict[str, dict[str, Any]]]:
        handles = land(axes, place, communes, lang)
        old, new = place.metres(before), place.metres(after)
        styles = _areas(axes, old, new)
        # thick lines would fill small perimeters
        width = 1.0 if furniture.metres_a_point(axes, place.frame) < _DETAILED_M else 0.5
        for layer, line in ((old, lines[0]), (new, lines[1])):
            draw(axes, layer.to_numpy(), facecolor="none", **line | {"linewidth": width * line["linewidth"]}, zorder=4)
        return handles, styles

    handles, styles = paint(ax, where)
    areas = furniture.patches([(term(name, lang), style) for name, style in styles.items()])
    drawn = [
        furniture.line(
            f"{term('boundary of', lang)} {year}", color=line["edgecolor"], linewidth=1.2, linestyle=line["linestyle"]
        )
        for line, year in zip(lines, years, strict=True)
    ]
    handles = [*areas, *drawn, *handles]
    furniture.legend(ax, handles)
    words = Note("maps.change_title", before=years[0], after=years[1]).say(lang)
    layers = [before, after, communes]
    finish(ax, where, titled(words, where.name), layers, asked, notes=notes)
    named = _named(where, before, after, lang)
    none = gpd.GeoSeries([], crs=where.epsg)
    name_perimeters(
        ax, where, named, around=none, communes=communes, entries=len(handles), size=6, lang=lang, paint=paint
    )
    return ax


def _named(where: Place, before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, lang: str) -> Named:
    """Names and hectares gained and lost of the perimeters of the place: the later ones, then those that ended."""
    old, new = own_perimeters(where, before), own_perimeters(where, after)
    hectares = hectares_of(where.metres(before), where.metres(after))
    texts, outlines, colours = [], [], []
    for layer, shapes in ((after, new), (before, old)):
        for code, name in zip(shapes.index, short_titles(layer, shapes.index), strict=True):
            if code in hectares.index:
                gained, lost = hectares.loc[code]
                parts = [
                    f"{sign}{_hectares(area, lang)}" for sign, area in (("+", gained), ("−", lost)) if area >= _SHOWN_HA
                ]
                texts.append(f"{name}\n{' '.join(parts)}" if parts else name)
                outlines.append(shapes.loc[code])
                colours.append(_NEW if layer is after else _OLD)
    return Named(texts, gpd.GeoSeries(outlines, crs=where.epsg), colours)


def hectares_of(old: gpd.GeoSeries, new: gpd.GeoSeries) -> pd.DataFrame:
    """Hectares gained and lost by each later perimeter, and by each earlier one that none took over.

    Parameters
    ----------
    old, new
        Outlines in metres of one projection, by code.

    Returns
    -------
    pandas.DataFrame
        `gained` and `lost`, hectares to a tenth, by code. What an earlier perimeter loses counts for the later one that
        shares most with it; one that shares less than 5 % of its area is a row of its own.
    """
    earlier, later = old.to_numpy(), new.to_numpy()
    whole = shapely.union_all(earlier), shapely.union_all(later)
    gained = shapely.area(shapely.difference(later, whole[0]))
    gone = shapely.area(shapely.difference(earlier, whole[1]))
    lost, ended = np.zeros(len(later)), []
    tree = shapely.STRtree(later)
    for row, shape in enumerate(earlier):
        near = tree.query(shape, predicate="intersects")
        shared = shapely.area(shapely.intersection(later[near], shape))
        if len(near) and shared.max() >= _TAKEN_OVER * shape.area:
            lost[near[shared.argmax()]] += gone[row]
        else:
            ended.append((str(old.index[row]), 0.0, gone[row]))
    rows = [*zip(map(str, new.index), gained, lost, strict=True), *ended]
    frame = pd.DataFrame(rows, columns=["code", "gained", "lost"]).set_index("code")
    return (frame / 10_000).round(1)


def _drawing(where: Place, before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> list[Note]:
    """Note on the shift of the two layers, where areas that the place gained or lost are nowhere wider."""
    shift = shift_of(pairs_of(side_of(before, "from"), side_of(after, "to")))
    if shift is None or shift.tolerance_m <= DEFAULT_TOLERANCE_M:
        return []
    old, new = (where.metres(layer) for layer in (before, after))
    wholes = [shapely.union_all(layer.to_numpy()) for layer in (old, new)]
    parts = np.concatenate(
        [
            shapely.difference(layer[where.own(frame)].to_numpy(), whole)
            for layer, frame, whole in ((new, after, wholes[0]), (old, before, wholes[1]))
        ]
    )
    parts = parts[shapely.area(parts) >= _SHOWN_HA * 10_000]
    narrow = int(shapely.is_empty(shapely.buffer(parts, -shift.tolerance_m / 2)).sum())
    if not narrow:
        return []
    metres = {"median_m": shift.median_m, "most_m": shift.most_m, "tolerance_m": shift.tolerance_m}
    return [
        Note("maps.change_shift", count=narrow, total=len(parts), outlines=shift.outlines, shown=_SHOWN_HA, **metres)
    ]


def _hectares(area: float, lang: str) -> str:
    return f"{number(area, lang, 0 if area >= _WHOLE_HA else 1)}\u00a0ha"


def _areas(ax: Axes, old: gpd.GeoSeries, new: gpd.GeoSeries) -> dict[str, dict[str, Any]]:
    """Draw areas kept, gained and lost; return the style of each."""
    wholes = [shapely.union_all(layer.to_numpy()) for layer in (old, new)]
    areas = {
        "kept": shapely.intersection(wholes[0], wholes[1]),
        "gained": shapely.difference(wholes[1], wholes[0]),
        "lost": shapely.difference(wholes[0], wholes[1]),
    }
    styles: dict[str, dict[str, Any]] = {
        name: {"facecolor": CHANGES[name], "edgecolor": "#404040", "linewidth": 0.0, "hatch": hatch}
        for name, hatch in (("kept", None), ("gained", "//"), ("lost", ".."))
    }
    for name, area in areas.items():
        drawn = draw(ax, np.array([area], dtype=object), **styles[name], zorder=3)
        # thin, so that small areas keep their colour
        drawn.set_hatch_linewidth(_HATCH)
    return styles


def _in_order(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> list[int]:
    """Vintages of two layers of perimeters, the earlier one first; 2015 and 2024 where they do not say."""
    years = [
        provenance.provenance(layer).get("vintage")
        or (official.vintage_of(str(layer.index[0])) if len(layer) else None)
        for layer in (before, after)
    ]
    first, last = years
    if first is None or last is None:
        return [2015, 2024]
    if first >= last:
        problem = Note("maps.one_geography" if first == last else "maps.later_first", first=first, last=last)
        raise UsageError(Note("maps.change_order"), problems=[problem], way_out=Note("maps.give_2015_then_2024"))
    return [first, last]
