"""A base map under a map, when it is asked for and can be had: nothing needs it."""

import warnings
from typing import Any

from matplotlib.axes import Axes

from qpvgeo.errors import FetchError, UsageError
from qpvgeo.language import Note
from qpvgeo.maps.composition import LAND_ID
from qpvgeo.maps.places import Place

__all__ = ["basemap"]

_PROVIDER = ("CartoDB", "PositronNoLabels")


def basemap(ax: Axes, place: Place, source: Any = None) -> Axes:  # noqa: ANN401 - whatever contextily takes
    """Add tiles of a web map under what is drawn, and the words that their owner asks for.

    Parameters
    ----------
    ax
        What a map gives.
    place
        The place drawn (`qpvgeo.maps.find_place`): tiles are taken to its projection.
    source
        Provider or address of tiles, as contextily takes them; pale ones without names by default.

    Returns
    -------
    matplotlib.axes.Axes
        Those given.

    Raises
    ------
    UsageError
        contextily is not installed.
    FetchError
        The tiles cannot be had: the map is as it was.

    Notes
    -----
    Communes in white would hide the tiles: they are made transparent.
    """
    try:
        import contextily  # noqa: PLC0415 - needed here alone
    except ImportError as error:
        raise UsageError(Note("maps.needs_contextily"), way_out=Note("maps.install", extra="basemap")) from error
    tiles = source
    if tiles is None:
        tiles = contextily.providers
        for name in _PROVIDER:
            tiles = tiles[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            contextily.add_basemap(ax, crs=f"EPSG:{place.epsg}", source=tiles, zorder=0.5, reset_extent=True)
    except Exception as error:
        raise FetchError(Note("maps.no_tiles"), problems=[str(error)], way_out=Note("maps.without_base_map")) from error
    for collection in ax.collections:
        if collection.get_gid() == LAND_ID:
            collection.set_facecolor("none")
    return ax
