"""Perimeters over the communes of a place, and what changed between two geographies."""

from collections.abc import Iterable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D

from qpvgeo.codes import official
from qpvgeo.errors import UsageError
from qpvgeo.frames import provenance
from qpvgeo.language.notes import Note
from qpvgeo.language.numbers import Lang
from qpvgeo.language.terms import term, with_colon
from qpvgeo.maps import furniture
from qpvgeo.maps.credits import source_line
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.labels import Label, Labels
from qpvgeo.maps.palettes import CHANGES, LABEL, PERIMETER
from qpvgeo.maps.places import Place, find_place, require_outlines

__all__ = [
    "change",
    "finish",
    "land",
    "names_of",
    "not_shown",
    "perimeter_style",
    "qpv",
    "titled",
    "titles_of",
    "together",
]

_MOST_LABELS = 80
_LISTED = 5
_NOT_SHOWN = "QPV without an outline in the file, not shown"


def qpv(
    qpv: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None = None,
    *,
    place: str | Sequence[float] | Place | None = None,
    ax: Axes | None = None,
    lang: Lang = "en",
    title: str | None = None,
) -> Axes:
    """Draw the perimeters of a place over its communes, named where there is room.

    Parameters
    ----------
    qpv
        Perimeters of one vintage (`qpvgeo.read_qpv`).
    communes
        Communes with outlines (`qpvgeo.read_communes`); without them only the perimeters are drawn.
    place
        Code or name of a commune, an EPCI or EPT, a department; code of a QPV; a box of four numbers; a place of
        `qpvgeo.maps.find_place`; None for all.
    ax
        Axes to draw on; those of a new figure when left out.
    lang
        `en` or `fr`.
    title
        In place of the one made of place and vintage.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection of the territory.

    Raises
    ------
    UsageError
        There is no such place or language: names those near.
    DataError
        The perimeters lie in several territories, and no place is named.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> communes = qg.read_communes(sample.communes, table=sample.communes_table)
    >>> ax = qg.maps.qpv(qg.read_qpv(sample.qpv_2024), communes, place="Port-Brume")
    >>> ax.get_title(loc="left")
    'Priority neighbourhoods (QPV), Port-Brume (99001), 2024'
    """
    where = find_place(place, qpv, communes)
    ax = furniture.axes_of(ax, where.frame)
    handles = land(ax, where, communes, lang)
    shapes = where.metres(qpv)
    draw(ax, shapes.to_numpy(), **perimeter_style(), zorder=4)
    own = furniture.patches([(term("QPV", lang), perimeter_style())]) if len(shapes) else []
    furniture.legend(ax, [*own, *handles])
    made = titled(term("Priority neighbourhoods (QPV)", lang), where, provenance.provenance(qpv).get("vintage"))
    finish(ax, where, made if title is None else title, [qpv, communes], lang)
    labels, names = Labels(ax), names_of(qpv, shapes)
    labels.add(names[:_MOST_LABELS], color=LABEL)
    labels.avoid(names[_MOST_LABELS:])
    labels.add(_communes_of(communes, where), size=6, within=True, color="#6b6b6b", style="italic")
    return ax


def change(
    before: gpd.GeoDataFrame,
    after: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None = None,
    *,
    place: str | Sequence[float] | Place | None = None,
    ax: Axes | None = None,
    lang: Lang = "en",
    title: str | None = None,
) -> Axes:
    """Draw the QPV of two geographies: ground kept, gained and lost, and the codes of both.

    Parameters
    ----------
    before, after
        Perimeters of the geography of 2015 and of that of 2024.
    communes, place, ax, lang, title
        As for `qpvgeo.maps.qpv`; a QPV may be of either geography.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection of the territory. Ground in QPV of both geographies is `kept`, that of the
        later one alone `gained`, that of the earlier one alone `lost`: hatching tells them apart without colour.

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
    require_outlines(before=before, after=after)
    years = _in_order(before, after)
    where = find_place(place, together(before, after), communes)
    ax = furniture.axes_of(ax, where.frame)
    handles = land(ax, where, communes, lang)
    old, new = where.metres(before), where.metres(after)
    wholes = [shapely.union_all(layer.to_numpy()) for layer in (old, new)]
    grounds = {
        "kept": shapely.intersection(wholes[0], wholes[1]),
        "gained": shapely.difference(wholes[1], wholes[0]),
        "lost": shapely.difference(wholes[0], wholes[1]),
    }
    styles = {
        name: {"facecolor": CHANGES[name], "edgecolor": "#404040", "linewidth": 0.0, "hatch": hatch}
        for name, hatch in (("kept", None), ("gained", "////"), ("lost", "...."))
    }
    for name, ground in grounds.items():
        draw(ax, np.array([ground], dtype=object), **styles[name], zorder=3)
    lines: list[dict[str, Any]] = [
        {"edgecolor": "#7a4a00", "linewidth": 0.9, "linestyle": (0, (3, 2))},
        {"edgecolor": "#00304d", "linewidth": 1.0, "linestyle": "-"},
    ]
    for layer, line in ((old, lines[0]), (new, lines[1])):
        draw(ax, layer.to_numpy(), facecolor="none", **line, zorder=4)
    named = furniture.patches([(term(name, lang), style) for name, style in styles.items()])
    drawn = [
        Line2D([], [], color=line["edgecolor"], linewidth=1.2, linestyle=line["linestyle"], label=label)
        for line, label in zip(lines, (f"{term('limit of', lang)} {year}" for year in years), strict=True)
    ]
    furniture.legend(ax, [*named, *drawn, *handles])
    words = Note("maps.change_title", before=years[0], after=years[1]).say(lang)
    made = titled(words, where, None)
    finish(ax, where, made if title is None else title, [before, after, communes], lang)
    labels = Labels(ax)
    labels.add(_codes_of(new), size=5.5, color="#00304d", fontweight="bold")
    labels.add(_codes_of(old), size=5.5, color="#7a4a00")
    return ax


def together(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Perimeters of both geographies as one frame, those of the later one first."""
    held = [name for name in ("name", "department", "communes") if name in before and name in after]
    layers = (after, before.to_crs(after.crs))
    return pd.concat([gpd.GeoDataFrame(layer[held], geometry=layer.geometry) for layer in layers])


def _in_order(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> list[int]:
    """Vintages of two layers of perimeters, the earlier one first; 2015 and 2024 where they do not tell."""
    years = [
        provenance.provenance(layer).get("vintage")
        or (official.vintage_of(str(layer.index[0])) if len(layer) else None)
        for layer in (before, after)
    ]
    first, last = years
    if first is None or last is None:
        return [2015, 2024]
    if first >= last:
        told = f"both are of {first}" if first == last else f"{first} comes before {last}"
        raise UsageError(
            f"A change goes from the earlier geography to the later: {told}.",
            way_out="Give the perimeters of 2015, then those of 2024.",
        )
    return [first, last]


def perimeter_style() -> dict[str, Any]:
    """Perimeters that let what is below them through."""
    return {"facecolor": to_rgba(PERIMETER, 0.25), "edgecolor": PERIMETER, "linewidth": 1.0}


def land(ax: Axes, where: Place, communes: gpd.GeoDataFrame | None, lang: str) -> list[Any]:
    """Draw communes under everything else, those of the place lighter; their handles for a legend."""
    if communes is None:
        return []
    shapes = where.metres(communes)
    own = shapes.index.isin(where.communes) if where.communes else np.ones(len(shapes), dtype=bool)
    line = {"edgecolor": "#9a9a9a", "linewidth": 0.6}
    draw(ax, shapes.to_numpy(), facecolor=["#ffffff" if inside else "#efeee9" for inside in own], **line, zorder=1)
    if where.outline is not None:
        outline = np.array([where.outline], dtype=object)
        draw(ax, outline, facecolor="none", edgecolor="#4d4d4d", linewidth=1.2, zorder=2)
    return furniture.patches([(term("Commune limit", lang), {"facecolor": "#ffffff", **line})])


def titled(what: str, where: Place, vintage: int | None) -> str:
    """What, where, when."""
    return ", ".join(str(part) for part in (what, where.name, vintage) if part)


def finish(ax: Axes, where: Place, title: str, frames: Sequence[pd.DataFrame | None], lang: str) -> None:
    """Title, scale, north and source line of a map of a place."""
    furniture.title(ax, title)
    furniture.scale_bar(ax, lang)
    furniture.north(ax, where, lang)
    width = furniture.width_in_letters(ax)
    said = not_shown(where.bare, frames, lang)
    furniture.source(ax, source_line(frames, lang, width=width, regions=where.regions(frames), notes=said))


def not_shown(bare: Iterable[str], frames: Iterable[pd.DataFrame | None], lang: str) -> list[str]:
    """Sentence on the QPV of a map that have no outline; none when all have one."""
    outlines = [frame for frame in frames if isinstance(frame, gpd.GeoDataFrame)]
    held = [code for code in bare if any(code in frame.index for frame in outlines)]
    if not held:
        return []
    listed = ", ".join(held[:_LISTED]) + (", ..." if len(held) > _LISTED else "")
    return [f"{with_colon(f'{len(held)} {term(_NOT_SHOWN, lang)}', lang)} {listed}."]


def names_of(layer: gpd.GeoDataFrame, shapes: gpd.GeoSeries) -> list[Label]:
    """Names, or codes where there are none, of shapes; the largest first."""
    chosen = shapes.iloc[np.argsort(-shapely.area(shapes.to_numpy()), kind="stable")]
    return [Label(text, shape) for text, shape in zip(titles_of(layer, chosen.index), chosen, strict=True)]


def titles_of(layer: gpd.GeoDataFrame, index: pd.Index) -> list[str]:
    """Names of some rows, or their codes where there is none."""
    if "name" not in layer:
        return [str(code) for code in index]
    names = layer["name"].reindex(index)
    return [str(code) if pd.isna(name) else str(name) for code, name in zip(index, names, strict=True)]


def _codes_of(shapes: gpd.GeoSeries) -> list[Label]:
    return names_of(gpd.GeoDataFrame(geometry=shapes), shapes)


def _communes_of(communes: gpd.GeoDataFrame | None, where: Place) -> list[Label]:
    """Names of the communes that the frame shows, where there are several."""
    if communes is None:
        return []
    shapes = where.metres(communes)
    clipped = gpd.GeoSeries(shapely.clip_by_rect(shapes.to_numpy(), *where.frame), index=shapes.index)
    clipped = clipped[~clipped.is_empty]
    return names_of(communes, clipped)[:_MOST_LABELS] if len(clipped) > 1 else []
