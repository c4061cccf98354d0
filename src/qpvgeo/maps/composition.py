"""Parts that the maps of a place have in common: land, perimeters, names, title and sources."""

from collections.abc import Iterable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from qpvgeo.codes import official
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.credits import source_line
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.options import Options
from qpvgeo.maps.palettes import PERIMETER
from qpvgeo.maps.places import Place
from qpvgeo.maps.sheets import sheet_of

__all__ = [
    "LAND_ID",
    "called",
    "draw_perimeters",
    "finish",
    "generalised",
    "geography_of",
    "grid_of",
    "land",
    "not_shown",
    "perimeter_style",
    "place_handle",
    "titled",
    "titles_of",
    "veil",
]

_DIMMED: dict[str, Any] = {
    "facecolor": to_rgba(PERIMETER, 0.07),
    "edgecolor": to_rgba(PERIMETER, 0.4),
    "linewidth": 0.6,
}

_COARSE_M, _COARSE_QPV_M, _JUDGED = 200.0, 75.0, 8
"""Metres between vertices beyond which communes or QPV are generalised, and vertices that an outline has at least."""

LAND_ID = "land"
"""Identifier of the communes among the artists of a map."""


def perimeter_style() -> dict[str, Any]:
    """Perimeters that let what is below them through."""
    return {"facecolor": to_rgba(PERIMETER, 0.25), "edgecolor": PERIMETER, "linewidth": 1.0}


def land(ax: Axes, where: Place, communes: gpd.GeoDataFrame | None, lang: str) -> list[Any]:
    """Draw communes under everything else, those of the place lighter; return handles for the legend."""
    if communes is None:
        return []
    shapes = where.metres(communes)
    own = shapes.index.isin(where.communes) if where.communes else np.ones(len(shapes), dtype=bool)
    line = {"edgecolor": "#9a9a9a", "linewidth": 0.6}
    colours = ["#ffffff" if inside else "#efeee9" for inside in own]
    draw(ax, shapes.to_numpy(), facecolor=colours, **line, zorder=1, gid=LAND_ID)
    handles = [furniture.line(term("commune boundary", lang), color=line["edgecolor"], linewidth=0.8)]
    if where.outline is not None:
        handles.append(place_handle(ax, where))
    return handles


def place_handle(ax: Axes, where: Place, zorder: float = 2.0) -> Any:  # noqa: ANN401 - an artist
    """Draw the boundary of the place; return its legend handle."""
    outline = np.array([where.outline], dtype=object)
    draw(ax, outline, facecolor="none", edgecolor="#4d4d4d", linewidth=1.2, zorder=zorder)
    return furniture.line(where.name, color="#4d4d4d", linewidth=1.4)


def veil(ax: Axes, where: Place, *, zorder: float) -> None:
    """Make what is drawn outside the place lighter."""
    if where.outline is not None:
        around = np.array([shapely.difference(shapely.box(*where.frame), where.outline)], dtype=object)
        draw(ax, around, facecolor=to_rgba("#ffffff", 0.6), linewidth=0.0, zorder=zorder)


def draw_perimeters(
    ax: Axes, where: Place, qpv: gpd.GeoDataFrame, lang: str, *, zorder: float = 4.0, line: float = 1.0
) -> list[Any]:
    """Draw perimeters, those outside the place dimmed; return legend handles."""
    shapes, own = where.metres(qpv).to_numpy(), where.own(qpv)
    if where.level == "qpv":
        line *= 1.8
    styles = {True: perimeter_style() | {"linewidth": line}, False: _DIMMED}
    handles: list[tuple[str, dict[str, Any]]] = []
    for inside, words in ((False, "outside the place"), (True, "")):
        chosen = shapes[own == inside]
        if len(chosen):
            draw(ax, chosen, **styles[inside], zorder=zorder - (0 if inside else 0.1))
            label = term(called(qpv), lang) + (f", {term(words, lang)}" if words else "")
            handles.insert(0, (label, styles[inside]))
    return furniture.patches(handles)


def called(qpv: gpd.GeoDataFrame | gpd.GeoSeries) -> str:
    """Term for the outlines of a layer: `QPV` where their codes are those of QPV, else `perimeter`."""
    quarters = [official.vintage_of(str(code)) is not None for code in qpv.index]
    return "QPV" if quarters and all(quarters) else "perimeter"


def titled(what: str, where: str, dated: str = "") -> str:
    """What, where, and of which geography or year."""
    words = f"{what}, {where}" if where else what
    return f"{words} ({dated})" if dated else words


def geography_of(qpv: pd.DataFrame, lang: str) -> str:
    """Geography of perimeters in words; empty where it is not known."""
    vintage = provenance.provenance(qpv).get("vintage")
    return f"{term('geography of', lang)} {vintage}" if vintage else ""


def grid_of(frame: pd.DataFrame, lang: str) -> str:
    """Year of the grid of a frame in words; empty where it is not known."""
    about = provenance.provenance(frame)
    year = about.get("grid_vintage") or about.get("vintage")
    return f"{term('grid of', lang)} {year}" if year else ""


def finish(
    ax: Axes,
    where: Place,
    title: str,
    frames: Sequence[pd.DataFrame | None],
    options: Options,
    *,
    notes: Sequence[Note] = (),
) -> None:
    """Title, scale, north and source line of a map of a place."""
    furniture.title(ax, title if options.title is None else options.title)
    furniture.scale_bar(ax, options.lang)
    furniture.north(ax, where, options.lang)
    said = [note.say(options.lang) for note in [*notes, *not_shown(where.bare, frames), *generalised(where, frames)]]
    line = source_line(
        frames,
        options.lang,
        regions=where.regions(frames),
        notes=said,
        own=options.source,
    )
    furniture.source(ax, line)
    sheet = sheet_of(ax)
    if sheet is not None:
        sheet.crop()


def generalised(where: Place, frames: Iterable[pd.DataFrame | None]) -> list[Note]:
    """Note on layers whose vertices are so far apart that their outlines were generalised."""
    coarse: list[str] = []
    for frame in frames:
        if isinstance(frame, gpd.GeoDataFrame) and not provenance.is_fictional(frame):
            shapes = where.metres(frame).to_numpy()
            vertices = shapely.get_num_coordinates(shapes)
            if not len(shapes) or vertices.sum() < _JUDGED * len(shapes):
                continue
            quarters = official.vintage_of(str(frame.index[0])) is not None
            spacing = float(np.median(shapely.length(shapes) / vertices))
            if spacing > (_COARSE_QPV_M if quarters else _COARSE_M):
                coarse.append("QPV perimeters" if quarters else "commune boundaries")
    return [Note("maps.generalised", layers=list(dict.fromkeys(coarse)))] if coarse else []


def not_shown(bare: Iterable[str], frames: Iterable[pd.DataFrame | None]) -> list[Note]:
    """Note on the QPV of a map that have no outline; none when all have one."""
    outlines = [frame for frame in frames if isinstance(frame, gpd.GeoDataFrame)]
    held = [code for code in bare if any(code in frame.index for frame in outlines)]
    return [Note("maps.qpv_not_shown", count=len(held), codes=held)] if held else []


def titles_of(layer: gpd.GeoDataFrame, index: pd.Index) -> list[str]:
    """Names of some rows, or their codes where there is none."""
    if "name" not in layer:
        return [str(code) for code in index]
    names = layer["name"].reindex(index)
    return [str(code) if pd.isna(name) else str(name) for code, name in zip(index, names, strict=True)]
