"""Tagged points around the perimeters: which lie in one, near one, beyond, and of which nothing is known."""

from typing import Any, NamedTuple, Unpack

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames import provenance, require
from qpvgeo.geometry.projection import transformer
from qpvgeo.language import Note
from qpvgeo.language.numbers import Lang, number
from qpvgeo.language.terms import metres, term
from qpvgeo.maps import furniture
from qpvgeo.maps.composition import draw_perimeters, finish, geography_of, land, titled
from qpvgeo.maps.naming import name_perimeters, perimeters_named
from qpvgeo.maps.options import MapOptions, settled
from qpvgeo.maps.palettes import BANDS, TAGS
from qpvgeo.maps.places import find_place
from qpvgeo.tagging.coordinates import coordinates_of
from qpvgeo.tagging.options import within
from qpvgeo.tagging.points_in_qpv import tag_points

__all__ = ["tags"]

_MANY = 20_000

Floats = npt.NDArray[np.float64]


@judged
def tags(
    points: Any,  # noqa: ANN401 - whatever `tag_points` takes
    qpv: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None = None,
    *,
    tags: pd.DataFrame | None = None,
    xy: tuple[str, str] | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj reads
    **options: Unpack[MapOptions],
) -> Axes:
    """Draw points by their state and band, around the perimeters.

    Parameters
    ----------
    points, xy, crs
        As for `qpvgeo.tag_points`.
    qpv
        Perimeters of one vintage.
    tags
        What `qpvgeo.tag_points` said of the points, row by row; asked here when left out.
    communes, **options
        As for `qpvgeo.maps.qpv`.

    Returns
    -------
    matplotlib.axes.Axes
        In metres of the legal projection. The legend counts the points shown of each state and band, those that are
        not on this map, and all that are unknown: those of them that have a place here are crosses.

    Raises
    ------
    UsageError
        There is no such place, or there are more than three bands: beyond, colours cannot be told apart.
    DataError
        The tags have other rows than the points, are of several vintages, or have bands whose metres are not known.

    Examples
    --------
    >>> import pandas as pd
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> table = pd.read_csv(sample.addresses, sep=";", dtype="str")
    >>> ax = qg.maps.tags(table, qg.read_qpv(sample.qpv_2024), lang="fr")
    >>> ax.get_legend().get_texts()[0].get_text()
    'Dans un QPV (860)'
    """
    asked = settled(options)
    lang = asked.lang
    if isinstance(points, gpd.GeoDataFrame) and xy is None:
        require.require_layer(points, name="points", points=True)
    found = coordinates_of(points, xy=xy, crs=crs)
    said = tag_points(points, qpv, xy=xy, crs=crs) if tags is None else tags
    if "state" not in said or len(said) != len(found.x):
        raise DataError(Note("maps.tags_of_other_points"), way_out=Note("maps.give_tags"))
    where, classes = find_place(asked.place, qpv, communes), _classes(said, lang)
    ax = furniture.axes_of(asked.ax, where.frame, asked.page)
    handles = land(ax, where, communes, lang)
    perimeters = draw_perimeters(ax, where, qpv, lang, zorder=2.5)
    x, y = transformer(found.crs, where.epsg).transform(found.x, found.y)
    west, south, east, north = where.frame
    with np.errstate(invalid="ignore"):
        inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    legend = []
    for row, one in enumerate(classes):
        _draw_class(ax, one, (x, y), inside, row)
        count = int(one.rows.sum() if one.unknown else (one.rows & inside).sum())
        if count:
            legend.append(_handle(one.label, count, lang, marker=one.marker, color=one.colour))
    elsewhere = ~inside & (said["state"].astype("str").to_numpy() != "unknown")
    if elsewhere.any():
        legend.append(_handle(term("not on this map", lang), int(elsewhere.sum()), lang, marker=""))
    furniture.legend(ax, [*legend, *perimeters, *handles], term("addresses", lang))
    made = titled(term("Addresses and QPV", lang), where.name, geography_of(qpv, lang))
    table = points if isinstance(points, pd.DataFrame) else None
    finish(ax, where, made, [qpv, communes, table, said], asked)
    named, around = perimeters_named(where, qpv)
    name_perimeters(ax, where, named, around=around, entries=len(legend) + len(perimeters) + len(handles), lang=lang)
    return ax


class _Class(NamedTuple):
    """Points that look alike: their words in the legend, which rows they are, and how they are drawn."""

    label: str
    rows: npt.NDArray[np.bool_]
    colour: str
    marker: str = "o"

    @property
    def unknown(self) -> bool:
        """Whether nothing is known of them: they are drawn above all others, and counted wherever they are."""
        return self.marker == "x"


def _draw_class(ax: Axes, one: _Class, at: tuple[Floats, Floats], inside: npt.NDArray[np.bool_], position: int) -> None:
    """Draw the points of a class that are on the map: the smaller, the more points the map has."""
    seen = one.rows & inside
    if not seen.any():
        return
    size = float(np.clip(60 / np.sqrt(inside.sum()), 0.5, 4.0))
    ax.plot(
        at[0][seen],
        at[1][seen],
        one.marker,
        color=one.colour,
        markersize=size * (1.6 if one.unknown else 1),
        markeredgewidth=0.3,
        # the nearer lie above the farther, and what is doubtful above all
        zorder=3.9 if one.unknown else 3.5 - position / 100,
        rasterized=bool(seen.sum() > _MANY),
    )


def _handle(label: str, rows: int, lang: Lang, **style: Any) -> Line2D:  # noqa: ANN401 - whatever a line takes
    return Line2D([], [], linestyle="none", markersize=5, label=f"{label} ({number(rows, lang)})", **style)


def _classes(said: pd.DataFrame, lang: Lang) -> list[_Class]:
    """Classes of points: in, the bands from the nearest, beyond, unknown."""
    state = said["state"].astype("str").to_numpy()
    bands = _bands(said)
    if len(bands) > len(BANDS):
        raise UsageError(
            Note("maps.too_many_bands", count=len(bands), most=len(BANDS)), way_out=Note("maps.fewer_bands")
        )
    classes = [_Class(term("in a QPV", lang), state == "in", TAGS["in"])]
    out = state == "out"
    for band, colour in zip(bands, BANDS, strict=False):
        reached = out & (said["band"].astype("object").to_numpy() == within(band))
        classes.append(_Class(f"{term('within', lang)} {metres(band, lang)}", reached, colour))
    label = f"{term('beyond', lang)} {metres(bands[-1], lang)}" if bands else term("out", lang)
    nearer = [one.rows for one in classes[1:]]
    classes.append(_Class(label, out & ~np.any(nearer, axis=0) if nearer else out, TAGS["out"]))
    return [*classes, _Class(term("unknown", lang), state == "unknown", TAGS["unknown"], "x")]


def _bands(said: pd.DataFrame) -> list[float]:
    """Bands of tags in metres, as `qpvgeo.tag_points` keeps them beside its frame."""
    if "band" not in said:
        return []
    kept = provenance.provenance(said).get("bands")
    if kept is None:
        raise DataError(Note("maps.bands_not_known"), way_out=Note("maps.give_tags"))
    return list(kept)
