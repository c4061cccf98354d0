"""Perimeters over the communes of a place."""

from typing import Any, Unpack

import geopandas as gpd
from matplotlib.axes import Axes

from qpvgeo.errors import judged
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.composition import called, draw_perimeters, finish, geography_of, land, titled
from qpvgeo.maps.naming import name_perimeters, perimeters_named
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.places import Place, find_place

__all__ = ["qpv"]


@judged
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
        - `source`: sources of your own, added to those of the files;
        - `page`: `a4`, `a4-landscape` or `half`, the size of a new figure for print.

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
    ax = furniture.axes_of(asked.ax, where.frame, asked.page)

    def paint(axes: Axes, place: Place) -> list[Any]:
        handles = land(axes, place, communes, asked.lang)
        return [*draw_perimeters(axes, place, qpv, asked.lang), *handles]

    handles = paint(ax, where)
    furniture.legend(ax, handles)
    dated = geography_of(qpv, asked.lang)
    subject = "Priority neighbourhoods (QPV)" if called(qpv) == "QPV" else "Perimeters"
    made = titled(term(subject, asked.lang), where.name, dated)
    finish(ax, where, made, [qpv, communes], asked)
    named, around = perimeters_named(where, qpv)
    name_perimeters(
        ax, where, named, around=around, communes=communes, entries=len(handles), lang=asked.lang, paint=paint
    )
    return ax
