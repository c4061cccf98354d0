"""Candidates by the criteria of the decree: their zones, and how they agree with the official perimeters."""

from typing import Any, Unpack

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from qpvgeo.designation.zones import CandidateZones, require_zones
from qpvgeo.errors import judged
from qpvgeo.geometry import insee_lattice
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.composition import called, finish, grid_of, land, titled
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.palettes import CASING, PERIMETER
from qpvgeo.maps.places import Place, find_place

__all__ = ["agreement", "zones"]

_HALF = 1 / 2
_KINDS = {
    "candidate zone": {"facecolor": "#08519c", "edgecolor": "#ffffff", "linewidth": 0.2},
    "eligible cells, too few people": {"facecolor": "#9ecae1", "edgecolor": "#ffffff", "linewidth": 0.2},
    "cells less than 5 % above the threshold": {"facecolor": "#f5e0b5", "edgecolor": "#ffffff", "linewidth": 0.2},
}
_UNJUDGED = {"in a QPV, not judged": {"facecolor": "#ffffff", "edgecolor": "#9a9a9a", "linewidth": 0.4}}
_AGREEMENT = {
    "eligible, in a QPV": {"facecolor": "#08519c", "edgecolor": "#ffffff", "linewidth": 0.2},
    "eligible, in no QPV": {"facecolor": "#dd8a2c", "edgecolor": "#ffffff", "linewidth": 0.2},
    "in a QPV, not eligible": {"facecolor": "#bdbdbd", "edgecolor": "#ffffff", "linewidth": 0.2, "hatch": "////"},
}

Flags = npt.NDArray[np.bool_]


@judged
def zones(
    found: CandidateZones,
    qpv: gpd.GeoDataFrame | None = None,
    communes: gpd.GeoDataFrame | None = None,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw candidate zones, what comes near, and the official perimeters over them.

    Parameters
    ----------
    found
        Result of `qpvgeo.candidate_zones`.
    qpv
        Official perimeters, drawn as lines.
    communes, **options
        As for `qpvgeo.maps.qpv`; without a place the map shows the cells that are drawn.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection. A note says that candidates are not the legal outlines.

    Raises
    ------
    UsageError
        There is no such place.
    DataError
        These are not candidate zones.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> units = qg.designation.single_unit(grid, population=124_000, median=17_000)
    >>> ax = qg.maps.zones(qg.candidate_zones(qg.eligible_cells(grid, units, national_median=20_500)))
    >>> ax.get_title(loc="left")
    'Candidate zones by the criteria of the decree (grid of 2019)'
    """
    cells = require_zones(found).cells
    near = found.near_misses
    close = set(near.loc[near["kind"] == "income", "cell_id"]) if "cell_id" in near.columns else set()
    eligible = cells["eligible"].fillna(value=False).to_numpy(bool)
    kinds = np.full(len(cells), "", dtype=object)
    kinds[cells.index.isin(list(close))] = "cells less than 5 % above the threshold"
    kinds[eligible] = "eligible cells, too few people"
    kinds[eligible & cells["zone"].notna().to_numpy()] = "candidate zone"
    return _drawn(cells, kinds, _KINDS, qpv, communes, options, "Candidate zones by the criteria of the decree")


@judged
def agreement(
    found: CandidateZones,
    qpv: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None = None,
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw where eligible cells and official perimeters agree, and where they do not.

    Parameters
    ----------
    found
        Result of `qpvgeo.candidate_zones`.
    qpv
        Official perimeters.
    communes, **options
        As for `qpvgeo.maps.qpv`; without a place the map shows the cells that are drawn.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection. A cell is in a QPV when at least half of it is; cells that could not be
        judged are apart.

    Raises
    ------
    UsageError
        There is no such place.
    DataError
        These are not candidate zones.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> units = qg.designation.single_unit(grid, population=124_000, median=17_000)
    >>> found = qg.candidate_zones(qg.eligible_cells(grid, units, national_median=20_500))
    >>> ax = qg.maps.agreement(found, qg.read_qpv(qg.sample().qpv_2024))
    >>> [text.get_text() for text in ax.get_legend().get_texts()][:2]
    ['Eligible, in a QPV', 'Eligible, in no QPV']
    """
    cells = require_zones(found).cells
    lattice = insee_lattice.parse_ids(cells.index)
    covered = cover(qpv, lattice.lattice)
    at = insee_lattice.locate(insee_lattice.Cells(lattice.lattice, covered.cells.north, covered.cells.east), lattice)
    inside = np.bincount(at[at >= 0], covered.share[at >= 0], len(cells)) >= _HALF
    eligible = cells["eligible"].fillna(value=False).to_numpy(bool)
    kinds = np.full(len(cells), "", dtype=object)
    kinds[eligible & inside] = "eligible, in a QPV"
    kinds[eligible & ~inside] = "eligible, in no QPV"
    kinds[~eligible & inside] = "in a QPV, not eligible"
    unjudged = inside & cells["eligible"].isna().to_numpy()
    kinds[unjudged] = "in a QPV, not judged"
    styles = _AGREEMENT | (_UNJUDGED if unjudged.any() else {})
    return _drawn(cells, kinds, styles, qpv, communes, options, "Eligible cells and official perimeters")


def _drawn(  # noqa: PLR0917 - the parts of a map
    cells: pd.DataFrame,
    kinds: npt.NDArray[np.object_],
    styles: dict[str, dict[str, Any]],
    qpv: gpd.GeoDataFrame | None,
    communes: gpd.GeoDataFrame | None,
    options: MapOptions,
    subject: str,
) -> Axes:
    """Cells by kind, perimeters over them, and what every map has."""
    asked = settled(options)
    lang = asked.lang
    squares = _squares(cells, kinds != "")
    layers = [layer for layer in (squares, qpv) if layer is not None and len(layer)]
    where = find_place(asked.place, layers[:1] if asked.place is None else layers, communes)
    ax = furniture.axes_of(asked.ax, where.frame, asked.page)
    handles = land(ax, where, communes, lang)
    corners = shapely.get_coordinates(where.metres(squares).to_numpy()).reshape(-1, 5, 2)
    shown = kinds[kinds != ""]
    entries = []
    for kind, style in styles.items():
        chosen = corners[shown == kind]
        if len(chosen):
            ax.add_collection(PolyCollection(list(chosen), **style, zorder=2), autolim=False)
        entries.append((term(kind, lang), style))
    legend = furniture.patches(entries)
    if qpv is not None:
        legend += _rings(ax, where, qpv, lang)
    furniture.legend(ax, [*legend, *handles], "")
    made = titled(term(subject, lang), where.name, grid_of(cells, lang))
    finish(ax, where, made, [cells, qpv, communes], asked, notes=[Note("designation.not_the_law")])
    return ax


def _squares(cells: pd.DataFrame, kept: Flags) -> gpd.GeoDataFrame:
    """Cells as squares of their lattice."""
    at = insee_lattice.parse_ids(cells.index[kept])
    boxes = shapely.box(*insee_lattice.squares(at).T)
    frame = gpd.GeoDataFrame(geometry=np.asarray(boxes), index=cells.index[kept], crs=at.lattice.epsg)
    frame.attrs = dict(cells.attrs)
    return frame


def _rings(ax: Axes, where: Place, qpv: gpd.GeoDataFrame, lang: str) -> list[Any]:
    """Perimeters as lines that are seen over any colour."""
    shapes = where.metres(qpv).to_numpy()
    draw(ax, shapes, facecolor="none", edgecolor=CASING, linewidth=2.2, zorder=3.9)
    draw(ax, shapes, facecolor="none", edgecolor=PERIMETER, linewidth=1.0, zorder=4)
    return [furniture.line(term(called(qpv), lang), color=PERIMETER, linewidth=1.2)]
