"""Which names a map writes, in which order: the largest communes, the QPV of the place, then the other communes."""

import re
from collections import Counter
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

__all__ = ["MOST_NAMED", "keyed", "name_perimeters", "name_places", "own_perimeters", "short_titles"]

MOST_NAMED, _MOST_KEYED = 20, 180
"""QPV of a place up to which their names are on the map, and up to which numbers stand for them."""

_MOST_MAIN, _MOST_COMMUNES = 8, 80
_ONE_COMMUNE = ("commune", "arrondissement", "qpv")
_BANDS = 12
_LINK = re.compile(r"^(d['’]|(de|du|des) )", re.IGNORECASE)
_MAIN: dict[str, Any] = {"size": 7.5, "over": True, "color": "#3a3a3a", "fontweight": "bold"}
_OTHER: dict[str, Any] = {"size": 6, "within": True, "color": "#6b6b6b", "style": "italic"}


def own_perimeters(where: Place, qpv: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Perimeters of the place, metres, the largest first."""
    shapes = where.metres(qpv)[where.own(qpv)]
    return shapes.iloc[np.argsort(-shapely.area(shapes.to_numpy()), kind="stable")]


def short_titles(layer: gpd.GeoDataFrame, index: pd.Index) -> list[str]:
    """Names of some rows as a map writes them: without the words that more than half of them begin with.

    A name loses the longest beginning of two words or more that it shares, and a "de" or "du" after it; names that
    would be alike stay whole.

    Examples
    --------
    >>> names = [f"Quartier Prioritaire Du Village De {name}" for name in ("Sada", "Dapani", "Sohoa")]
    >>> layer = gpd.GeoDataFrame({"name": [*names, "Quartier Prioritaire D'Iloni", "Quartier De La Vigie"]})
    >>> short_titles(layer, layer.index)
    ['Sada', 'Dapani', 'Sohoa', 'Iloni', 'Quartier De La Vigie']
    """
    names = titles_of(layer, index)
    shared = Counter(start for name in names for start in _beginnings(name))
    short = []
    for name in names:
        common = [start for start in _beginnings(name) if shared[start] > max(len(names) / 2, 2)]
        rest = name.split()[max((start.count(" ") + 1 for start in common), default=0) :]
        short.append(_LINK.sub("", " ".join(rest)) if common else name)
    alike = Counter(one for one, _ in dict.fromkeys(zip(short, names, strict=True)))
    return [one if one and alike[one] == 1 else name for one, name in zip(short, names, strict=True)]


def _beginnings(name: str) -> list[str]:
    """Beginnings of a name of two words or more that leave a word of it."""
    words = name.casefold().split()
    return [" ".join(words[:count]) for count in range(2, len(words))]


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
        labels.add(map(Label, numbers, ordered), size=6, numbers=True, color=colour, fontweight="bold")
        rows = list(zip(numbers, short_titles(qpv, ordered.index), strict=True))
        furniture.key(ax, rows, below=entries + bool(title), colour=colour, grow=grow)
    elif len(shapes) <= MOST_NAMED:
        key = furniture.key_line(ax, below=entries + bool(title), colour=colour)
        labels.add(map(Label, short_titles(qpv, shapes.index), shapes), color=colour, key=key)
    else:
        # the largest, as far as there is room
        names = short_titles(qpv, shapes.index)
        labels.add(map(Label, names[:MOST_NAMED], shapes[:MOST_NAMED]), color=colour)
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
