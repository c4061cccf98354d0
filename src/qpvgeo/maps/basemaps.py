"""A base map under a map, when it is asked for and can be had: nothing needs it."""

import warnings
from typing import Any

from matplotlib.axes import Axes

from qpvgeo.errors import FetchError, UsageError, judged
from qpvgeo.language import Note
from qpvgeo.maps.composition import LAND_ID
from qpvgeo.maps.places import Place

__all__ = ["basemap"]

_PROVIDERS = {
    "plan": ("GeoportailFrance", "plan"),
    "photo": ("GeoportailFrance", "orthos"),
    "pale": ("CartoDB", "PositronNoLabels"),
}
"""Tiles by name: Plan IGN and aerial photographs of IGN (Licence Ouverte), and pale ones without names."""

_OPACITY = {"plan": 0.55, "photo": 0.7}
"""How strong tiles that are not pale are, so that what is drawn on them is read first."""


@judged
def basemap(ax: Axes, place: Place, source: Any = None) -> Axes:  # noqa: ANN401 - whatever contextily takes
    """Add tiles of a web map under what is drawn, and the words that their owner asks for.

    Parameters
    ----------
    ax
        What a map gives.
    place
        The place drawn (`qpvgeo.maps.find_place`): tiles are taken to its projection.
    source
        `plan` (Plan IGN, the default), `photo` (photographs of IGN) or `pale`; or a provider or an address of tiles, as
        contextily takes them.

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
    name = "plan" if source is None else source
    strength = _OPACITY.get(name, 1.0) if isinstance(name, str) else 1.0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            contextily.add_basemap(
                ax, crs=f"EPSG:{place.epsg}", source=_tiles(name), zorder=0.5, reset_extent=True, alpha=strength
            )
    except Exception as error:
        raise FetchError(Note("maps.no_tiles"), problems=[str(error)], way_out=Note("maps.without_base_map")) from error
    for collection in ax.collections:
        if collection.get_gid() == LAND_ID:
            collection.set_facecolor("none")
    return ax


def _tiles(source: Any) -> Any:  # noqa: ANN401 - whatever contextily takes
    """Provider of a name; anything else as it is."""
    import contextily  # noqa: PLC0415 - the extra

    if not isinstance(source, str) or source not in _PROVIDERS:
        return source
    found = contextily.providers
    for name in _PROVIDERS[source]:
        found = found[name]
    return found
