"""Names on a map, where there is room: none is cut, none lies over another, none over what it must not hide.

Labels are tried in order, at the point itself and then around it; one that fits nowhere is left out.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from qpvgeo.maps.furniture import shown

__all__ = ["place_labels"]

_WIDE = 18
_SPARE = 0.05
_AROUND_POINTS = (0.0, 9.0, 16.0, 24.0)


def place_labels(
    ax: Axes,
    labels: Iterable[tuple[str, float, float]],
    *,
    size: float = 7,
    taken: Sequence[Bbox] = (),
    **style: Any,  # noqa: ANN401 - whatever text takes
) -> list[Bbox]:
    """Write labels where there is room.

    Parameters
    ----------
    ax
        Axes whose limits and place are settled.
    labels
        Text, x and y in the units of the axes; those that come first have the better places.
    size
        Font size, points.
    taken
        Boxes, in pixels, that no label may lie over.
    **style
        Whatever text takes.

    Returns
    -------
    list of Bbox
        The boxes taken, those given first.
    """
    figure = ax.get_figure(root=True)
    if figure is None:  # pragma: no cover - axes have a figure
        return list(taken)
    # the layout decides where the axes are: it must have run before a pixel is one
    figure.draw_without_rendering()
    renderer, inside = figure.canvas.get_renderer(), ax.get_window_extent()  # type: ignore[attr-defined]
    found, pixels = list(taken), figure.dpi / 72
    for label, x, y in labels:
        text = shown(
            ax.text(
                x,
                y,
                "\n".join(part for line in label.split("\n") for part in wrap(line, _WIDE, break_long_words=False)),
                fontsize=size,
                ha="center",
                va="center",
                clip_on=True,
                zorder=10,
                linespacing=0.95,
                path_effects=[withStroke(linewidth=2.2, foreground="white")],
                **style,
            )
        )
        box = _room(text.get_window_extent(renderer), inside, found, pixels)
        if box is None:
            text.remove()
            continue
        middle = ax.transData.inverted().transform(((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))
        text.set_position(tuple(middle))
        found.append(box)
    return found


def _room(box: Bbox, inside: Bbox, taken: Sequence[Bbox], pixels: float) -> Bbox | None:
    """Box moved to where it fits, the nearest place first; None where it fits nowhere."""
    moves = sorted(product(*[sorted({-step for step in _AROUND_POINTS} | set(_AROUND_POINTS))] * 2), key=_far)
    for dx, dy in moves:
        tried = box.translated(dx * pixels * (1 + 0.02 * box.width / pixels), dy * pixels)
        # the same letters are a little wider at another number of dots an inch
        tried = tried.padded(1.0 + _SPARE * box.width, 1.0)
        fits = inside.x0 <= tried.x0 and tried.x1 <= inside.x1 and inside.y0 <= tried.y0 and tried.y1 <= inside.y1
        if fits and not (len(taken) and tried.count_overlaps(np.asarray(taken))):
            return tried
    return None


def _far(move: tuple[float, ...]) -> float:
    return sum(step**2 for step in move)
