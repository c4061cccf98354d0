"""The interactive page: perimeters, communes, cells and points in one HTML file that needs no network and no server."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.at_hand import GeographyFrames
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.formats.atomic_write import replace, writing
from qpvgeo.frames import provenance
from qpvgeo.geometry.projection import DEGREES, transformer
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps.composition import called, generalised, not_shown, titled
from qpvgeo.maps.credits import source_line
from qpvgeo.maps.interactive import coding
from qpvgeo.maps.interactive.markup import page_html
from qpvgeo.maps.interactive.page_layers import (
    PageLayer,
    cell_layer,
    land_layers,
    perimeter_layers,
    point_layer,
    territory_boxes,
)
from qpvgeo.maps.interactive.shown_figures import require_figures
from qpvgeo.maps.layers import drawn
from qpvgeo.maps.options import MapOptions, Options, settled
from qpvgeo.maps.places import Place, find_place, require_outlines

__all__ = ["Page", "page"]

"""Characters of a line of sources: the page breaks lines itself."""

_HEIGHT_PX = 640


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its HTML, which displays itself in a notebook and can be saved.

    Attributes
    ----------
    html
        The whole page, with its data, scripts and styles.
    title
        Title of the page.
    """

    html: str
    title: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file: beside, then renamed.

        Raises
        ------
        UsageError
            The ending is not `.html`, or there is no such folder.
        OutputError
            The file cannot be written there: says why.
        """
        target = Path(path).expanduser()
        problems: list[str] = []
        if target.suffix.lower() not in (".html", ".htm"):
            problems.append(Note("maps.not_a_format", file=target.name, known=[".html"]))
        if not target.absolute().parent.is_dir():
            problems.append(Note("maps.no_folder", folder=str(target.parent)))
        if problems:
            raise UsageError(Note("maps.page_cannot_write"), problems=problems)
        with writing(target, way_out=Note("maps.name_another_file")):
            replace(target, lambda beside: beside.write_text(self.html, encoding="utf-8"))
        return target

    def _repr_html_(self) -> str:
        """Frame of a notebook: scripts run in it, and reach nothing around it."""
        return (
            f'<iframe title="{escape(self.title)}" srcdoc="{escape(self.html)}" sandbox="allow-scripts allow-modals" '
            f'style="width:100%;height:{_HEIGHT_PX}px;border:1px solid #ccc"></iframe>'
        )


@judged
def page(
    qpv: gpd.GeoDataFrame | Sequence[gpd.GeoDataFrame] | GeographyFrames,
    communes: gpd.GeoDataFrame | None = None,
    *,
    figures: pd.DataFrame | Sequence[pd.DataFrame] = (),
    grid: pd.DataFrame | None = None,
    column: str = "population",
    points: Any = None,  # noqa: ANN401 - whatever `tag_points` takes
    **options: Unpack[MapOptions],
) -> Page:
    """Make an interactive page: one HTML file that opens from disk, without network or server.

    Layers are switched on and off, QPV and communes are found by code or name without accents, areas say their people,
    bounds, shares and sources when pointed at or chosen from the keyboard; a list of what is in view stands for the map
    where it cannot be seen. The address holds the view, so that it can be sent. Printed, the map is vectors.

    Parameters
    ----------
    qpv
        Perimeters of one geography (`qpvgeo.read_qpv`), or a list of several: `[qpv_2024, qpv_2015]`; or what
        `qpvgeo.load` gives, with its communes and populations.
    communes
        Communes with outlines. Of a place those in and around it are drawn; of the country its departments, and the
        communes that have a QPV.
    figures
        Frames indexed by codes of QPV or communes, whose figures are shown: `qpvgeo.read_population` (`population`),
        `qpvgeo.estimate_population` (`estimate` with `low` and `high`, `poverty_rate`, `living_standard_mean_eur`,
        `imputed_share`), `qpvgeo.coverage` by commune (`share`, `qpv_population`, `n_qpv`, `estimated_share`).
        Shares are 0 to 1; what is missing is said to be so.
    grid, column
        Cells (`qpvgeo.read_grid`) and the column by which they are coloured, as for `qpvgeo.maps.grid`.
    points
        Points, as for `qpvgeo.tag_points`, coloured by their state.
    **options
        `place`, `lang`, `title` and `source`, as for `qpvgeo.maps.qpv`; without a place everything given is shown,
        the whole country too.

    Returns
    -------
    Page
        `.html`, `.save("page.html")`; the last line of a notebook cell displays it. Outlines are rounded to about a
        metre: figures come from the frames, never from the page.

    Raises
    ------
    UsageError
        There is no such place or option; the extra `page` is not installed; a frame of figures has none that is
        shown; or there are too many cells or points for a page.
    DataError
        No perimeter has an outline in the place.

    Notes
    -----
    The map is Leaflet (BSD-2-Clause), taken from a wheel and written into the page.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> both = [qg.read_qpv(sample.qpv_2024), qg.read_qpv(sample.qpv_2015)]
    >>> made = qg.maps.page(both, figures=qg.read_population(sample.population_2024), place="QN09902I", lang="fr")
    >>> made.title
    'Quartiers prioritaires (QPV), La Misaine (géographies 2015 et 2024)'
    """
    asked = settled(options, without=["ax", "page"])
    if isinstance(qpv, GeographyFrames):
        held = [] if qpv.population is None else [qpv.population]
        qpv, communes, figures = (
            qpv.qpv,
            qpv.communes if communes is None else communes,
            [*held, *require_figures(figures)],
        )
    layers = list(qpv) if isinstance(qpv, list | tuple) else [qpv]
    given = {"qpv" if len(layers) == 1 else f"qpv[{row}]": layer for row, layer in enumerate(layers)}
    require_outlines(**given, **({} if communes is None else {"communes": communes}))
    frames = require_figures(figures)
    where = None if asked.place is None else find_place(asked.place, layers, communes)
    perimeters = perimeter_layers(layers, frames, where, asked.lang, over_cells=grid is not None)
    if not any(len(one.shapes) for one in perimeters):
        raise DataError(Note("maps.page_nothing"), way_out=Note("maps.give_outlines"))
    drawing = land_layers(communes, perimeters, frames, where, asked.lang)
    if grid is not None:
        drawing.append(cell_layer(grid, column, where, asked.lang))
    drawing += perimeters
    if points is not None:
        drawing.append(point_layer(points, layers[0], where, asked.lang))
    shown = [one for one in drawing if len(one.shapes)]
    title = asked.title or _title(layers, where, asked.lang)
    tables = [*layers, communes, *frames, grid, points if isinstance(points, pd.DataFrame) else None]
    header = {
        "lang": asked.lang,
        "title": title,
        "view": _view(where, perimeters, shown),
        "jumps": [{"label": label, "box": box} for label, box in territory_boxes(perimeters)],
        "place": "" if where is None else where.label,
    }
    streams = coding.Streams()
    header["layers"] = [one.record(streams) for one in shown]
    sources = _sources(tables, layers, where, asked)
    return Page(page_html(title, asked.lang, streams.packed(header), sources), title)


def _title(layers: Sequence[gpd.GeoDataFrame], where: Place | None, lang: str) -> str:
    years = sorted({year for layer in layers if (year := provenance.provenance(layer).get("vintage")) is not None})
    quarters = all(called(layer) == "QPV" for layer in layers)
    subject = term("Priority neighbourhoods (QPV)" if quarters else "Perimeters", lang)
    name = "" if where is None else where.name
    if len(years) < 2:
        return titled(subject, name, f"{term('geography of', lang)} {years[0]}" if years else "")
    return titled(subject, name, Note("maps.page_geographies", years=[str(year) for year in years]).say(lang))


def _view(where: Place | None, perimeters: Sequence[PageLayer], shown: Sequence[PageLayer]) -> list[float]:
    """West, south, east and north of the first view, degrees: the place, else the hexagone, else everything."""
    if where is not None:
        west, south, east, north = where.frame
        box = transformer(where.epsg, DEGREES).transform_bounds(west, south, east, north)
        return [round(side, 5) for side in box]
    boxes = territory_boxes(perimeters)
    if len(boxes) > 1:
        return max(boxes, key=lambda one: (one[1][2] - one[1][0]) * (one[1][3] - one[1][1]))[1]
    return [round(side, 5) for side in shapely.total_bounds(np.concatenate([one.shapes for one in shown])).tolist()]


def _sources(
    tables: Sequence[pd.DataFrame | None], layers: Sequence[gpd.GeoDataFrame], where: Place | None, asked: Options
) -> list[str]:
    """Lines of sources, and what is not on the page."""
    if where is None:
        bare = [str(code) for layer in layers for code in layer.index[~drawn(layer)]]
        notes = not_shown(bare, layers)
    else:
        notes = [*not_shown(where.bare, layers), *generalised(where, [one for one in tables if one is not None])]
    said = [note.say(asked.lang) for note in [*notes, Note("maps.page_rounded")]]
    regions = None if where is None else where.regions(tables)
    line = source_line(tables, asked.lang, regions=regions, notes=said, own=asked.source)
    return line.splitlines()
