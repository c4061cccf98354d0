"""Colours that stay apart for those who do not see red or green, and on paper printed in grey.

Ordered classes go from light to dark in one direction of lightness; kinds that have no order differ in lightness and
in hatching or marker as well as in hue. The tests simulate deuteranopia and protanopia and ask for a least distance
between neighbouring classes.

Sources: ColorBrewer (C. Brewer), scheme YlGnBu; J. Stevens, Bivariate Choropleth Maps; M. Okabe and K. Ito, Color
Universal Design.
"""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

__all__ = [
    "BANDS",
    "BIVARIATE",
    "CASING",
    "CHANGES",
    "GROUND",
    "LABEL",
    "MISSING",
    "NONE",
    "PERIMETER",
    "RELIABILITY",
    "TAGS",
    "sequential",
]

GROUND = "#f6f5f2"
"""Land under everything else."""

PERIMETER, CASING = "#7a0177", "#ffffff"
"""Limits of QPV, and what lies around them over colours: one of the two is seen over any."""

LABEL = "#3d003b"
"""Names of QPV, over land or perimeters."""

MISSING = "#ffffff"
"""What is not known: white, and hatched."""

NONE = "#e3e3e3"
"""Units that have none of what is shown."""

CHANGES = {"kept": "#cfcfcf", "gained": "#0072b2", "lost": "#dd8a2c"}
"""Ground of both geographies, of the later one alone, of the earlier one alone."""

TAGS = {"in": "#0b3c6f", "out": "#cccccc", "unknown": "#000000"}
"""Points in a perimeter, beyond it, and of which nothing is known."""

BANDS = ("#c95400", "#eaa63c", "#f5e0b5")
"""Points outside, in the bands around a perimeter, from the nearest."""

RELIABILITY = {"good": "#08519c", "weak": "#9ecae1", "none": "#ffffff"}
"""Estimates that stand, those with a warning, and those that cannot be given."""

BIVARIATE = ("#e8e8e8", "#ace4e4", "#5ac8c8", "#dfb0d6", "#a5add3", "#5698b9", "#be64ac", "#8c62aa", "#3b4994")
"""Two figures in three classes: the first goes across each row, the second up the rows."""

_LIGHTEST, _DARKEST = 0.06, 0.97


def sequential(count: int) -> Sequence[str]:
    """Colours of ordered classes, from light to dark in equal steps of lightness.

    Examples
    --------
    >>> sequential(3)
    ['#f7fcc6', '#1f93c0', '#0e2265']
    """
    shades = mpl.colormaps["YlGnBu"](np.linspace(_LIGHTEST, _DARKEST, 512))[:, :3]
    light = _lightness(shades)
    wanted = np.linspace(light[0], light[-1], max(count, 1))
    chosen = [int(np.abs(light - one).argmin()) for one in wanted]
    return [mpl.colors.to_hex(shades[step]) for step in chosen]


def _lightness(colours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Lightness L* of colours in sRGB (CIE 1976), 0 to 100."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.asarray(np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance))
