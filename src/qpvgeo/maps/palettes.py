"""Colours that stay apart for those who do not see red or green, and on paper printed in grey.

Ordered classes go from light to dark in one direction of lightness; kinds that have no order differ in lightness and
in hatching or marker as well as in hue. The tests simulate deuteranopia and protanopia and ask for a least distance between
neighbouring classes.

Sources: ColorBrewer (C. Brewer), scheme YlGnBu; M. Okabe and K. Ito, Color Universal Design.
"""

from collections.abc import Sequence

import matplotlib as mpl

__all__ = ["BANDS", "CHANGES", "GROUND", "MISSING", "NONE", "PERIMETER", "RELIABILITY", "TAGS", "sequential"]

GROUND = "#f6f5f2"
"""Land under everything else."""

PERIMETER = "#7a0177"
"""Limits of QPV, over any palette."""

MISSING = "#ffffff"
"""What is not known: white, and hatched."""

NONE = "#ececec"
"""Units that have none of what is shown."""

CHANGES = {"kept": "#bdbdbd", "gained": "#0072b2", "lost": "#f0b040"}
"""Ground of both geographies, of the later one alone, of the earlier one alone."""

TAGS = {"in": "#0b3c6f", "out": "#c4c4c4", "unknown": "#000000"}
"""Points in a perimeter, beyond it, and of which nothing is known."""

BANDS = ("#d55e00", "#f0b43c", "#f3d9a4")
"""Points outside, in the bands around a perimeter, from the nearest."""

RELIABILITY = {"good": "#08519c", "weak": "#9ecae1", "none": "#ffffff"}
"""Estimates that stand, those with a warning, and those that cannot be given."""

_LIGHTEST, _DARKEST = 0.06, 0.97


def sequential(count: int) -> Sequence[str]:
    """Colours of ordered classes, from light to dark.

    Examples
    --------
    >>> sequential(3)
    ['#f7fcc6', '#3db2c4', '#0e2265']
    """
    colours = mpl.colormaps["YlGnBu"]
    steps = [_LIGHTEST + (_DARKEST - _LIGHTEST) * k / max(count - 1, 1) for k in range(count)]
    return [mpl.colors.to_hex(colours(step)) for step in steps]
