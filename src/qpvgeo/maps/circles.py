"""Proportional circles: the area of a circle is a number of people, of QPV, of households."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.lines import Line2D

from qpvgeo.language.numbers import number

__all__ = ["LEGEND_LENGTH", "diameters", "draw_circles", "size_handles"]

LARGEST_POINTS = 36.0
LEGEND_LENGTH = 2.8
"""Length of a legend handle that holds the largest circle of the legend, in font sizes."""

_RING = "#222222"

Floats = npt.NDArray[np.float64]


def diameters(values: npt.ArrayLike, most: float, largest: float = LARGEST_POINTS) -> Floats:
    """Diameters in points of circles whose areas are numbers, the largest number having the largest diameter.

    Examples
    --------
    >>> diameters([0, 25, 100], 100, 40).tolist()
    [0.0, 20.0, 40.0]
    """
    given = np.asarray(values, dtype=float)
    return np.asarray(largest * np.sqrt(np.maximum(given, 0.0) / most))


def draw_circles(
    ax: Axes,
    at: Floats,
    across: Floats,
    **style: Any,  # noqa: ANN401 - whatever a collection takes
) -> EllipseCollection:
    """Add circles to axes: middles in the units of the axes, diameters in points."""
    zorder = style.pop("zorder", 5.0)
    circles = EllipseCollection(
        across, across, np.zeros(len(across)), units="points", offsets=at, transOffset=ax.transData, **style
    )
    circles.set_zorder(zorder)
    ax.add_collection(circles, autolim=False)
    return circles


def size_handles(
    most: float, lang: str, *, largest: float = LARGEST_POINTS, fill: str = "#ffffff", digits: int = 0
) -> list[Artist]:
    """Legend handles of two round sizes."""
    # a third of the most is a circle that a line of the legend can hold
    power = 10.0 ** np.floor(np.log10(most / 3))
    step = power * max((one for one in (1, 2, 5) if one * power <= most / 3), default=1)
    least = 10.0**-digits
    step = max(step, least)
    sizes = [size for size in (step, step / 5) if size >= least]
    return [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markeredgecolor=_RING,
            markerfacecolor=fill,
            markersize=float(diameters([size], most, largest)[0]),
            label=number(size, lang, digits),
        )
        for size in sizes
    ]
