"""What stands around a map: title, scale, north, legend, source. None of it covers what is drawn.

Everything is set outside the frame: the legend to its right, the scale bar, the arrow and the source line below, in the
colour of text of the settings of matplotlib. Texts are shown as they are: matplotlib would read `$` as mathematics.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerPatch
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, Patch
from matplotlib.path import Path
from matplotlib.text import OffsetFrom
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from qpvgeo.geometry.projection import transformer
from qpvgeo.language.terms import metres, term
from qpvgeo.maps.lettering import lines_within, shown, wrapped
from qpvgeo.maps.palettes import GROUND
from qpvgeo.maps.places import Box, Place
from qpvgeo.maps.sheets import PAD, Sheet, sheet_of

__all__ = [
    "PAGES",
    "PAGE_ID",
    "add_to_source",
    "axes_of",
    "bare",
    "dot",
    "draw",
    "legend",
    "line",
    "mark",
    "metres_a_point",
    "north",
    "patches",
    "paths_of",
    "scale_bar",
    "source",
    "title",
]

PAGES = {"a4": (6.7, 9.4), "a4-landscape": (10.1, 6.5), "half": (6.7, 4.6)}
"""Width and greatest height of maps for print, inches: what margins of 2 cm leave of a sheet."""

PAGE_ID = "page"
"""Identifier of a figure that is saved at its own width."""

_WIDTH_IN, _LEGEND_IN = 6.4, 2.3

_LEAST_IN, _MOST_IN, _AROUND_IN, _LEAST_WIDTH_IN = 3.6, 8.2, 1.1, 1.0

_STRAIGHT_DEGREES = 0.6
"""Where true north turns by more than that over a map, it has no arrow."""

_SMALL, _TINY, _TITLE = 8, 6.5, 11
_ENTRY_LETTERS, _LEAST_TITLE_POINTS, _ROUNDED = 32, 180.0, 0.96
"""Letters of a line of the legend, points that a title has room for at least, and the part of a line that it fills."""

_ON_WHITE = "#1a1a1a"

_BAR_POINTS, _BELOW_POINTS = 1.8, 4.0

_LAST_BRACKET, _TIED = re.compile(r"\([^()]*\)$"), "\u2004"
"""Years in brackets at the end of a title, and what stands for their spaces while lines are broken."""


def axes_of(ax: Axes | None, frame: Box, page: str | None = None) -> Axes:
    """Axes for a frame: those given, or those of a new figure of its shape or of a page; metres alike both ways."""
    west, south, east, north = frame
    if ax is None:
        height = float(np.clip(_WIDTH_IN * (north - south) / (east - west), _LEAST_IN, _MOST_IN)) + _AROUND_IN
        size = (_WIDTH_IN + _LEGEND_IN, height) if page is None else PAGES[page]
        figure, ax = plt.subplots(figsize=size)
        if page is not None:
            figure.set_gid(PAGE_ID)
        tallest = _MOST_IN + _AROUND_IN if page is None else size[1]
        figure.set_layout_engine(Sheet(ax, 72 * size[0], 72 * tallest, page=page is not None))
    ax.set_aspect("equal")
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    bare(ax)
    return ax


def bare(ax: Axes) -> None:
    """Axes without ticks, with a thin grey frame."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_facecolor(GROUND)
    for spine in ax.spines.values():
        spine.set_color("#8c8c8c")
        spine.set_linewidth(0.6)


def title(ax: Axes, text: str, *, left: float = 0.0) -> None:
    """Title of a map: what, where, when; it begins where the frame does, or at another part of its width."""
    # a screen rounds letters up
    points = max(_ROUNDED * 72 * _width_in(ax), _LEAST_TITLE_POINTS)
    together = _LAST_BRACKET.sub(lambda found: found[0].replace(" ", _TIED), text)
    lines = lines_within(together, points, _TITLE, "bold").replace(_TIED, " ")
    # the whole of it, for those that look a map up by its title
    ax.set_label(text)
    shown(ax.set_title(lines, loc="left", x=left, fontsize=_TITLE, fontweight="bold", color=_ink()))


def _ink() -> Any:  # noqa: ANN401 - a colour
    """Colour of what stands outside the frame, where the figure may be dark."""
    return mpl.rcParams["text.color"]


def _width_in(ax: Axes) -> float:
    """Inches that the figure has for the axes and what stands beside them, before they keep their shape."""
    figure = ax.get_figure(root=True)
    sheet = sheet_of(ax)
    if sheet is not None:
        return (sheet.wide - 2 * PAD) / 72
    return _WIDTH_IN if figure is None else float(ax.get_position(original=True).width * figure.get_figwidth())


def legend(
    ax: Axes, handles: Sequence[Artist], heading: str = "", *, spacing: float = 0.55, length: float = 1.6
) -> None:
    """Legend to the right of the frame, on white as the map is; the labels are those of the handles."""
    if not handles:
        return
    box = ax.legend(
        handles=list(handles),
        title=heading or None,
        loc="upper left",
        bbox_to_anchor=(1.015, 1.0),
        borderaxespad=0.0,
        frameon=True,
        facecolor="#ffffff",
        edgecolor="none",
        framealpha=1.0,
        fancybox=False,
        shadow=False,
        borderpad=0.2,
        labelcolor=_ON_WHITE,
        fontsize=_SMALL,
        title_fontproperties=FontProperties(size=_SMALL, weight="bold"),
        alignment="left",
        handlelength=length,
        labelspacing=spacing,
        handleheight=0.7 if spacing < 1 else 1.6,
        handler_map={Ellipse: HandlerPatch(patch_func=_round)},
    )
    box.get_title().set_color(_ON_WHITE)
    for text in [*box.get_texts(), box.get_title()]:
        words = text.get_text()
        text.set_text(wrapped(words[:1].upper() + words[1:], _ENTRY_LETTERS))
        shown(text)


def _round(*, legend: Legend, orig_handle: Ellipse, **place: float) -> Ellipse:  # noqa: ARG001 - matplotlib's call
    """Circle in the place of a handle of the legend, as wide in points as the handle says."""
    middle = (place["width"] / 2 - place["xdescent"], place["height"] / 2 - place["ydescent"])
    return Ellipse(middle, orig_handle.width, orig_handle.height)


def scale_bar(ax: Axes, lang: str, *, share: float = 0.2) -> None:
    """Bar of a round length, at most that share of the width of the frame, below it on the left."""
    figure = ax.get_figure(root=True)
    if figure is None:  # pragma: no cover - axes have a figure
        return
    west, east = ax.get_xlim()
    length = _round_length((east - west) * share)
    below = ScaledTranslation(0, -_BELOW_POINTS / 72, figure.dpi_scale_trans)
    place = blended_transform_factory(ax.transData, ax.transAxes) + below
    options: dict[str, Any] = {"solid_capstyle": "butt", "snap": False, "clip_on": False, "transform": place}
    bar = Line2D([west, west + length], [0, 0], color=_ink(), linewidth=_BAR_POINTS, gid="scale", **options)
    ax.add_artist(bar)
    # add_artist clips what has no clip of its own
    bar.set_clip_path(None)
    shown(
        ax.annotate(
            metres(length, lang),
            xy=(west, 0.0),
            xycoords=("data", "axes fraction"),
            xytext=(0.0, -_BELOW_POINTS - _BAR_POINTS - 1.0),
            textcoords="offset points",
            ha="left",
            va="top",
            fontsize=_TINY + 0.5,
            color=_ink(),
            annotation_clip=False,
            gid="scale",
        )
    )


def _round_length(most: float) -> float:
    """Largest of 1, 2 or 5 times a power of ten that is not more than that."""
    power = 10.0 ** np.floor(np.log10(most))
    return float(power * max(step for step in (1, 2, 5) if step * power <= most))


def north(ax: Axes, place: Place, lang: str) -> None:
    """Arrow to true north, where that is one direction over the whole map."""
    angles = _norths(place)
    if np.ptp(angles) > _STRAIGHT_DEGREES:
        return
    turn = np.radians(float(angles.mean()))
    tail = np.array([-8.0, -23.0])
    head = tail + 17.0 * np.array([np.sin(turn), np.cos(turn)])
    corner = OffsetFrom(ax.patch, (1.0, 0.0), "points")
    options: dict[str, Any] = {"xycoords": corner, "textcoords": corner, "annotation_clip": False, "gid": "north"}
    arrow = {"arrowstyle": "-|>", "color": _ink(), "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}
    ax.annotate("", xy=tuple(head), xytext=tuple(tail), arrowprops=arrow, **options)
    beside = (float(tail[0]) - 9.0, float(tail[1]) + 6.0)
    style: dict[str, Any] = {"fontsize": _TINY + 0.5, "ha": "center", "va": "center", "color": _ink()}
    shown(ax.annotate(term("N", lang), xy=beside, xytext=beside, **options, **style))


def _norths(place: Place) -> npt.NDArray[np.float64]:
    """Degrees by which true north lies east of the top of the map, at its corners and in its middle."""
    west, south, east, top = place.frame
    x = np.array([west, west, east, east, (west + east) / 2])
    y = np.array([south, top, south, top, (south + top) / 2])
    away = transformer(place.epsg, 4326)
    lon, lat = away.transform(x, y)
    up_x, up_y = away.transform(lon, np.asarray(lat) + 1e-3, direction="INVERSE")
    return np.asarray(np.degrees(np.arctan2(up_x - x, up_y - y)))


def source(ax: Axes, text: str, *, left: float = 0.0) -> None:
    """Source line below the frame, under the scale bar; it begins as the title does."""
    shown(
        ax.annotate(
            _fitted(ax, text),
            xy=(left, 0.0),
            xycoords="axes fraction",
            xytext=(0.0, -31.0),
            textcoords="offset points",
            ha="left",
            va="top",
            fontsize=_TINY,
            color=_ink(),
            alpha=0.75,
            linespacing=1.25,
            annotation_clip=False,
            gid="source",
        )
    )


def add_to_source(ax: Axes, text: str) -> None:
    """Add a sentence below the source line, on lines of its own."""
    for line in [one for one in ax.texts if one.get_gid() == "source"]:
        line.set_text(f"{line.get_text()}\n{_fitted(ax, text)}")
        shown(line)


def _fitted(ax: Axes, text: str) -> str:
    """Sentences on lines that fit below the axes."""
    points = _ROUNDED * 72 * _width_in(ax)
    return "\n".join(lines_within(line, points, _TINY) for line in text.split("\n"))


def metres_a_point(ax: Axes | None, frame: Box) -> float:
    """Metres of a frame that a point of paper holds, once the frame is as large as its axes may be."""
    west, south, east, north = frame
    figure = None if ax is None else ax.get_figure(root=True)
    if ax is None or figure is None:
        return (east - west) / (72 * _WIDTH_IN)
    wide, tall = _width_in(ax), ax.get_position(original=True).height * figure.get_figheight()
    if figure.get_layout_engine() is not None:
        # the layout will take the legend from the axes
        wide = max(wide - _LEGEND_IN, _LEAST_WIDTH_IN)
    return max((east - west) / wide, (north - south) / tall) / 72


def dot(label: str, colour: str) -> Artist:
    """Legend handle of points."""
    return Line2D([], [], linestyle="none", marker="o", color=colour, markersize=4, label=label)


def line(label: str, **style: Any) -> Artist:  # noqa: ANN401 - whatever a line takes
    """Legend handle of a line."""
    return Line2D([], [], label=label, **style)


def mark(label: str) -> Artist:
    """Legend handle of a value that is marked between classes."""
    return Line2D([], [], linestyle="none", marker="D", color="#1a1a1a", markersize=3.5, label=label)


def patches(entries: Iterable[tuple[str, dict[str, Any]]]) -> list[Artist]:
    """Legend handles of areas: label and style of each."""
    return [Patch(label=label, **style) for label, style in entries]


Shapes = npt.NDArray[np.object_]


def paths_of(shapes: Shapes) -> list[Path]:
    """One path for each shape, holes and parts together; an empty path where there is no outline."""
    parts, owner = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(xy), Path.LINETO, Path.code_type)
    first = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]]) if len(xy) else np.zeros(0, np.intp)
    codes[first] = Path.MOVETO
    codes[np.r_[first[1:] - 1, len(xy) - 1] if len(first) else first] = Path.CLOSEPOLY
    of = owner[part[ring]] if len(xy) else np.zeros(0, np.intp)
    ends = np.searchsorted(of, np.arange(len(shapes) + 1))
    return [Path(xy[a:b], codes[a:b] if b > a else None) for a, b in pairwise(ends.tolist())]


def draw(ax: Axes, shapes: Shapes, **style: Any) -> PathCollection:  # noqa: ANN401 - whatever a collection takes
    """Add shapes to axes as one collection; colours may be one for each shape."""
    collection = PathCollection(paths_of(shapes), transform=ax.transData, **style)
    ax.add_collection(collection, autolim=False)
    return collection
