"""Perimeters over the communes of a place, and what changed between two geographies."""

from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes

from qpvgeo.codes import official
from qpvgeo.errors import UsageError
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.composition import called, draw_perimeters, finish, geography_of, land, names_of, titled
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.labels import Label, Labels
from qpvgeo.maps.naming import name_places
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.palettes import CHANGES
from qpvgeo.maps.places import find_place, require_outlines

__all__ = ["change", "qpv"]


def qpv(qpv: gpd.GeoDataFrame, communes: gpd.GeoDataFrame | None = None, **options: Unpack[MapOptions]) -> Axes:
    """Draw the perimeters of a place over its communes, named where there is room.

    Parameters
    ----------
    qpv
        Perimeters of one vintage (`qpvgeo.read_qpv`).
    communes
        Communes with outlines (`qpvgeo.read_communes`); without them only the perimeters are drawn.
    **options
        - `place`: code or name of a region, a department, an EPCI or EPT, a commune, an arrondissement or a QPV; a box
          of west, south, east and north; a place of `qpvgeo.maps.find_place`; None for all perimeters;
        - `ax`: axes to draw on; those of a new figure by default;
        - `lang`: `en` or `fr`; the language of `qpvgeo.settings` by default;
        - `title`: replaces the title made of subject, place and vintage;
        - `source`: sources of your own, added to those of the files.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection of the territory.

    Raises
    ------
    UsageError
        There is no such place, option or language: names those near; or a name is that of several places: lists them.
    DataError
        The perimeters lie in several territories, and no place is named.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> communes = qg.read_communes(sample.communes, table=sample.communes_table)
    >>> ax = qg.maps.qpv(qg.read_qpv(sample.qpv_2024), communes, place="Port-Brume")
    >>> ax.get_title(loc="left")
    'Priority neighbourhoods (QPV), Port-Brume (geography of 2024)'
    """
    asked = settled(options)
    where = find_place(asked.place, qpv, communes)
    ax = furniture.axes_of(asked.ax, where.frame)
    handles = land(ax, where, communes, asked.lang)
    handles = [*draw_perimeters(ax, where, qpv, asked.lang), *handles]
    furniture.legend(ax, handles)
    dated = geography_of(qpv, asked.lang)
    subject = "Priority neighbourhoods (QPV)" if called(qpv) == "QPV" else "Perimeters"
    made = titled(term(subject, asked.lang), where.name, dated)
    finish(ax, where, made, [qpv, communes], asked)
    name_places(ax, where, qpv, communes, entries=len(handles), grow=asked.ax is None)
    return ax


def change(
    before: gpd.GeoDataFrame,
    after: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None = None,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw the QPV of two geographies: areas kept, gained and lost, and the codes of both.

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
    ax = furniture.axes_of(asked.ax, where.frame)
    handles = land(ax, where, communes, lang)
    old, new = where.metres(before), where.metres(after)
    styles = _areas(ax, old, new)
    lines: list[dict[str, Any]] = [
        {"edgecolor": "#7a4a00", "linewidth": 0.9, "linestyle": (0, (3, 2))},
        {"edgecolor": "#00304d", "linewidth": 1.0, "linestyle": "-"},
    ]
    for layer, line in ((old, lines[0]), (new, lines[1])):
        draw(ax, layer.to_numpy(), facecolor="none", **line, zorder=4)
    named = furniture.patches([(term(name, lang), style) for name, style in styles.items()])
    drawn = [
        furniture.line(
            f"{term('boundary of', lang)} {year}", color=line["edgecolor"], linewidth=1.2, linestyle=line["linestyle"]
        )
        for line, year in zip(lines, years, strict=True)
    ]
    furniture.legend(ax, [*named, *drawn, *handles])
    words = Note("maps.change_title", before=years[0], after=years[1]).say(lang)
    finish(ax, where, titled(words, where.name), [before, after, communes], asked)
    labels = Labels(ax)
    labels.add(_codes_of(new), size=5.5, color="#00304d", fontweight="bold")
    labels.add(_codes_of(old), size=5.5, color="#7a4a00")
    return ax


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
        for name, hatch in (("kept", None), ("gained", "////"), ("lost", "...."))
    }
    for name, area in areas.items():
        draw(ax, np.array([area], dtype=object), **styles[name], zorder=3)
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


def _codes_of(shapes: gpd.GeoSeries) -> list[Label]:
    return names_of(gpd.GeoDataFrame(geometry=shapes), shapes)
