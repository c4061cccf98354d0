"""Which names a map writes, in which order: the largest communes, the QPV of the place, then the other communes."""

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes

from qpvgeo.maps import furniture
from qpvgeo.maps.composition import titles_of
from qpvgeo.maps.labels import Label, Labels
from qpvgeo.maps.palettes import LABEL
from qpvgeo.maps.places import Place

__all__ = ["MOST_NAMED", "keyed", "name_perimeters", "name_places", "own_perimeters"]

MOST_NAMED, _MOST_KEYED = 20, 180
"""QPV of a place up to which their names are on the map, and up to which numbers stand for them."""

_MOST_MAIN, _MOST_COMMUNES = 8, 80
_ONE_COMMUNE = ("commune", "arrondissement", "qpv")
_BANDS = 12
_MAIN: dict[str, Any] = {"size": 7.5, "over": True, "color": "#3a3a3a", "fontweight": "bold"}
_OTHER: dict[str, Any] = {"size": 6, "within": True, "color": "#6b6b6b", "style": "italic"}


def own_perimeters(where: Place, qpv: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Perimeters of the place, metres, the largest first."""
    shapes = where.metres(qpv)[where.own(qpv)]
    return shapes.iloc[np.argsort(-shapely.area(shapes.to_numpy()), kind="stable")]


def keyed(shapes: gpd.GeoSeries, ax: Axes | None = None) -> bool:
    """Tell whether perimeters are numbered on the map and named in a key, which must leave the map room on a page."""
    return MOST_NAMED < len(shapes) <= _MOST_KEYED and (ax is None or furniture.key_fits(ax, len(shapes)))


def name_perimeters(
    ax: Axes,
    labels: Labels,
    where: Place,
    qpv: gpd.GeoDataFrame,
    *,
    entries: int,
    grow: bool = False,
    colour: str = LABEL,
    title: str = "",
) -> None:
    """Write the names of the perimeters of a place, or their numbers and a key; those of its neighbours are avoided.

    Parameters
    ----------
    ax, labels
        Axes and their names.
    where, qpv
        Place and perimeters.
    entries
        Entries of the legend above the key.
    grow
        Whether the figure may grow for the key.
    colour
        Colour of names and numbers.
    title
        Text of the legend that takes a line more, if any.
    """
    shapes = own_perimeters(where, qpv)
    if keyed(shapes, ax):
        ordered = shapes.iloc[_reading_order(shapes)]
        numbers = [str(row) for row in range(1, len(ordered) + 1)]
        labels.add(map(Label, numbers, ordered), size=6, color=colour, fontweight="bold")
        names = list(zip(numbers, titles_of(qpv, ordered.index), strict=True))
        furniture.key(ax, names, below=entries + bool(title), colour=colour, grow=grow)
    elif len(shapes) <= MOST_NAMED:
        key = furniture.key_line(ax, below=entries + bool(title), colour=colour)
        labels.add(map(Label, titles_of(qpv, shapes.index), shapes), color=colour, key=key)
    else:
        # the largest, as far as there is room
        labels.add(map(Label, titles_of(qpv, shapes.index[:MOST_NAMED]), shapes[:MOST_NAMED]), color=colour)
        labels.avoid(Label("", shape) for shape in shapes[MOST_NAMED:])
    around = where.metres(qpv)
    labels.avoid(Label("", shape) for shape in around[~around.index.isin(shapes.index)])


def _reading_order(shapes: gpd.GeoSeries) -> npt.NDArray[np.intp]:
    """Rows from north to south in bands, each from west to east."""
    x, y = shapely.get_coordinates(shapely.point_on_surface(shapes.to_numpy())).T
    band = np.floor((y.max() - y) / max(np.ptp(y) / _BANDS, 1.0))
    return np.asarray(np.lexsort([x, band]))


def name_places(
    ax: Axes,
    where: Place,
    qpv: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame | None,
    *,
    entries: int,
    grow: bool = False,
) -> None:
    """Write the names of a map of perimeters: main communes, perimeters, then other communes."""
    labels, found = Labels(ax), _communes_of(communes, where)
    # where nobody knows how many people live in them, none comes first
    main = _MOST_MAIN if communes is not None and "population" in communes else 0
    labels.add(found[:main], **_MAIN)
    name_perimeters(ax, labels, where, qpv, entries=entries, grow=grow)
    labels.add(found[main:_MOST_COMMUNES], **_OTHER)


def _communes_of(communes: gpd.GeoDataFrame | None, where: Place) -> list[Label]:
    """Names of the communes of a place, the most populated first; none where it is one commune."""
    if communes is None or where.level in _ONE_COMMUNE:
        return []
    shapes = where.metres(communes)
    clipped = gpd.GeoSeries(shapely.clip_by_rect(shapes.to_numpy(), *where.frame), index=shapes.index)
    own = clipped.index.isin(where.communes) if where.communes else np.ones(len(clipped), dtype=bool)
    clipped = clipped[own & ~clipped.is_empty]
    if len(clipped) < 2:
        return []
    people = pd.Series(0.0, index=clipped.index)
    if "population" in communes:
        people = communes["population"].reindex(clipped.index).astype("Float64").fillna(0.0).astype(float)
    order = np.lexsort([-shapely.area(clipped.to_numpy()), -people.to_numpy()])
    names = titles_of(communes, clipped.index)
    return [Label(names[row], clipped.iloc[row]) for row in order]
