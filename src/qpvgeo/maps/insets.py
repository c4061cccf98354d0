"""Parts of a map that are drawn again at a larger scale, where perimeters stand too close for their names.

A dense part is a group of perimeters that are near to each other on paper and lie in a small part of the map. It has a
frame of its own beside the map, with its own scale, and a thin rectangle shows on the map where it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from qpvgeo.language import Note
from qpvgeo.maps import furniture
from qpvgeo.maps.lettering import shown
from qpvgeo.maps.places import Box, Place
from qpvgeo.maps.sheets import Enlarged, Sheet

__all__ = ["Paint", "dense_parts", "enlarge", "take_back"]

Paint = Callable[[Axes, Place], Any]
"""Draws what a map shows, without names, on axes for a place."""

_NEAR_POINTS = (48.0, 34.0, 24.0, 17.0, 12.0, 8.5, 6.0, 4.0)
_MOST, _FEWEST, _LEAST_CROWDED, _PART_CROWDED = 2, 4, 2, 1 / 12
_STEPS = 4
_LARGEST = 0.45
"""Part of the width and of the height of a map that what is enlarged has at most."""

_MARGIN_POINTS = 7.0
_FLAT = 2.4
"""How much longer than wide a frame is at most."""

_INK, _LINE = "#1a1a1a", 0.8


def dense_parts(shapes: gpd.GeoSeries, crowded: npt.NDArray[np.bool_], frame: Box, metres: float) -> list[Box]:
    """Frames of groups of perimeters that stand close together in a small part of a map; two at most, no two of a part.

    Parameters
    ----------
    shapes
        Perimeters in metres.
    crowded
        Which of them have no room for their name.
    frame
        Frame of the map.
    metres
        Metres of a point of paper.
    """
    found: list[Box] = []
    wide, tall = frame[2] - frame[0], frame[3] - frame[1]
    boxes = np.asarray(shapely.box(*shapely.bounds(shapes.to_numpy()).T))
    least = max(_LEAST_CROWDED, _PART_CROWDED * len(boxes))
    for near in _NEAR_POINTS:
        joined = shapely.union_all(shapely.buffer(boxes, near * metres / 2, join_style="mitre"))
        groups = [np.asarray(shapely.intersects(part, boxes)) for part in shapely.get_parts(joined)]
        for group in sorted(groups, key=lambda one: -int(one.sum())):
            if group.sum() < _FEWEST or (group & crowded).sum() < least:
                continue
            box = _framed(shapely.total_bounds(boxes[group]).tolist(), _MARGIN_POINTS * metres, frame)
            for _ in range(_STEPS):  # until none is cut
                met = np.asarray(shapely.intersects(shapely.box(*box), boxes))
                box = _framed(shapely.total_bounds(boxes[met]).tolist(), _MARGIN_POINTS * metres, frame)
            small = box[2] - box[0] <= _LARGEST * wide and box[3] - box[1] <= _LARGEST * tall
            if small and not any(shapely.intersects(shapely.box(*box), shapely.box(*one)) for one in found):
                found.append(box)
            if len(found) == _MOST:
                return found
    return found


def _framed(bounds: Sequence[float], margin: float, frame: Box) -> Box:
    """Frame around bounds, not too flat, inside that of the map."""
    west, south, east, north = bounds
    wide, tall = east - west + 2 * margin, north - south + 2 * margin
    wide, tall = max(wide, tall / _FLAT), max(tall, wide / _FLAT)
    x = float(np.clip((west + east) / 2, frame[0] + wide / 2, frame[2] - wide / 2))
    y = float(np.clip((south + north) / 2, frame[1] + tall / 2, frame[3] - tall / 2))
    return x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2


def enlarge(sheet: Sheet, where: Place, box: Box, paint: Paint, *, lang: str, name: str, mark: str = "") -> Axes:
    """Draw a part of a map again on axes beside it; return them.

    Parameters
    ----------
    sheet, where, box
        Sheet of the map, its place and the frame of the part, metres.
    paint
        Draws the map.
    lang, name
        Language, and the name of the largest commune of the part, if any.
    mark
        Letter that ties the part to its rectangle, where there are several.
    """
    ax = sheet.ax.inset_axes((1.0, 0.0, 0.2, 0.2))
    ax.set_label("enlarged")
    west, south, east, north = box
    ax.set_aspect("equal")
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    furniture.bare(ax)
    for spine in ax.spines.values():
        spine.set_color(_INK)
        spine.set_linewidth(_LINE)
    paint(ax, replace(where, frame=box))
    words = (Note("maps.enlarged", name=name) if name else Note("maps.enlarged_part")).say(lang)
    words = f"{mark}   {words}" if mark else words
    shown(ax.set_title(words, fontsize=7, loc="left", pad=2.5, fontweight="bold"))
    furniture.scale_bar(ax, lang, share=1 / 3)
    corner = Rectangle((west, south), east - west, north - south, facecolor="none", edgecolor=_INK, linewidth=_LINE)
    corner.set(zorder=8, gid="enlarged")
    sheet.ax.add_patch(corner)
    if mark:
        style: dict[str, Any] = {"fontsize": 7, "fontweight": "bold", "color": _INK}
        at: dict[str, Any] = {"xytext": (2.0, -2.0), "textcoords": "offset points", "ha": "left", "va": "top"}
        shown(sheet.ax.annotate(mark, (west, north), **at, **style, zorder=11, gid="enlarged"))
    sheet.insets.append(Enlarged(ax, east - west, north - south))
    return ax


def take_back(sheet: Sheet) -> None:
    """Remove the enlarged parts of a sheet that has no room for them."""
    for one in sheet.insets:
        one.ax.remove()
    sheet.insets = []
    for artist in [one for one in (*sheet.ax.patches, *sheet.ax.texts) if one.get_gid() == "enlarged"]:
        artist.remove()
