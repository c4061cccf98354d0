"""Names on a map, where there is room: each inside its shape or beside it, none over another, none nearer to another.

A name is inside its shape where that leaves most of the shape to be seen; else it touches it from outside; else a thin
line leads to it. One that fits nowhere is left out, or has a number that a key explains; a number always finds room, at
the end of a longer line into its shape if need be. Names are placed again whenever the axes are drawn at another size,
so that the layout of a figure may still change, and every kind of canvas will do.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import LineCollection
from matplotlib.patheffects import Stroke
from matplotlib.text import Text

from qpvgeo.maps.keys import Key
from qpvgeo.maps.lettering import lines_of, ruler, shown

__all__ = ["Label", "Labels"]

_LETTERS = 18
_ABOVE, _LINES = 10.0, 9.0
_FIRST = -100.0
"""Drawn before all else: what is placed then is drawn later."""

_HALO_POINTS, _SPACE_POINTS = 2.0, 1.0
_BELOW = 9.5
"""Halos are artists of their own: text with an effect would not be text in an SVG."""

_NEARER, _NEARER_POINTS = 1.25, 0.5
"""How much farther than its own shape any other shape is from a name."""

_TOUCHING_POINTS, _FARTHEST_POINTS = 3.5, 30.0
_STEP_POINTS, _MOST_STEPS = 2.0, 40
_COVERED = 0.3
"""Part of a shape that a name may hide."""

_SAME = 0.3
"""Part of the smaller of two shapes that both share where they are one place, of two geographies."""

_SAME_POINTS = 0.5
"""Points by which axes may differ without another place for any name."""

_OF_SHAPES = ("shape", "number")

_REACH_POINTS, _MOST_TRIED = 110.0, 600
"""How far a number may be from its shape, and places that are weighed."""

_HIDING, _CROSSING, _OVER_A_NAME = 60.0, 6.0, 400.0
"""Points of a line that a place is worth less for each shape that it hides, that its line crosses, or under a name."""

_GRID = 9
_DETAIL_PIXELS = 0.4
_DIRECTIONS = np.radians([0, 180, 90, 270, 45, 315, 135, 225, *range(22, 360, 45)])
"""To the right first, then to the left, above, below."""

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Label:
    """A name, and the shape that it is of, in the units of the axes.

    Attributes
    ----------
    text
        What is written.
    shape
        A polygon, or a point where a disc is drawn.
    radius
        Of the disc, in points.
    """

    text: str
    shape: Any
    radius: float = 0.0


class Labels(Artist):
    """Names of some axes; the texts are among those of the axes, and those without room are not visible.

    Parameters
    ----------
    ax
        Axes of a map.

    Attributes
    ----------
    crowded
        Names without room of their own, and numbers at the end of a line; once placed.
    missing
        How many names of shapes are nowhere, neither on the map nor in a key; once placed.
    """

    def __init__(self, ax: Axes) -> None:
        super().__init__()
        self._groups: list[tuple[list[Label], list[tuple[Text, Text]], str]] = []
        self._others: list[Label] = []
        self._keys: dict[int, tuple[Key, list[tuple[Text, Text]]]] = {}
        self.crowded: list[Label] = []
        self.missing = 0
        self._lines = LineCollection([], linewidths=0.5, zorder=_LINES)
        self._drawn_at: tuple[float, ...] = ()
        self._ax = ax
        self.set_zorder(_FIRST)
        self.set_in_layout(False)
        self.set_gid("names")
        ax.add_artist(self)
        self._lines.set_gid("leaders")
        self._lines.set_in_layout(False)
        ax.add_collection(self._lines, autolim=False)

    def add(
        self,
        labels: Iterable[Label],
        *,
        size: float = 7,
        within: bool = False,
        over: bool = False,
        numbers: bool = False,
        key: Key | None = None,
        colours: Sequence[str] | None = None,
        **style: Any,  # noqa: ANN401 - of a text
    ) -> None:
        """Add names to write, those with the better places first; after those added before.

        Parameters
        ----------
        labels
            Names and shapes.
        size
            Font size, points.
        within
            Names of land under the others: inside their own shape or not at all, and over none of the others.
        over
            Names of land that may lie over the shapes of others, but over no name: those that a map must have.
        numbers
            Numbers that a key explains: on their own shape where they have no better room.
        key
            Key that takes the names without room: numbers stand for them on the map.
        colours
            Colour of each name.
        **style
            Whatever text takes.
        """
        given = list(labels)
        form = "over" if over else "within" if within else "number" if numbers else "shape"
        styles = [style] * len(given) if colours is None else [style | {"color": colour} for colour in colours]
        texts = [self._text(label.text, size, one) for label, one in zip(given, styles, strict=True)]
        self._groups.append((given, texts, form))
        if key is not None:
            bold = {**(styles[0] if styles else style), "fontweight": "bold"}
            self._keys[len(self._groups) - 1] = (
                key,
                [self._text(str(row + 1), size, bold) for row in range(len(given))],
            )
        self._drawn_at = ()

    def avoid(self, labels: Iterable[Label]) -> None:
        """Keep names off the shapes of others, which are not written."""
        self._others += labels
        self._drawn_at = ()

    def _text(self, words: str, size: float, style: dict[str, Any]) -> tuple[Text, Text]:
        """Text of a name, and its halo."""
        lines = [part for line in words.split("\n") for part in lines_of(line, _LETTERS)]
        options: dict[str, Any] = {"fontsize": size, "ha": "center", "va": "center", "linespacing": 1.05} | style
        halo = options | {"color": "#ffffff", "path_effects": [Stroke(linewidth=_HALO_POINTS, foreground="#ffffff")]}
        made = []
        for zorder, look in ((_ABOVE, options), (_BELOW, halo)):
            text = shown(self._ax.text(0.0, 0.0, "\n".join(lines), clip_on=True, zorder=zorder, **look))
            text.set_in_layout(False)
            text.set_visible(False)
            made.append(text)
        return made[0], made[1]

    def clear(self) -> None:
        """Take back all names, as if none had been added."""
        pairs = [pair for _, texts, _ in self._groups for pair in texts]
        for text in (
            one for pair in [*pairs, *(pair for _, own in self._keys.values() for pair in own)] for one in pair
        ):
            text.remove()
        self._groups, self._others, self._keys, self._drawn_at = [], [], {}, ()

    def draw(self, renderer: RendererBase) -> None:  # noqa: ARG002 - matplotlib's call
        """Place the names, where the axes have changed since."""
        if self.get_visible():
            self.place()

    def place(self) -> None:
        """Place the names, where the axes have changed since."""
        figure = self._ax.get_figure(root=True)
        if figure is None:  # pragma: no cover - axes have a figure
            return
        extent, point = self._ax.get_window_extent(), figure.dpi / 72
        # points of paper: another resolution moves no name
        now = (extent.width / point, extent.height / point, *self._ax.get_xlim(), *self._ax.get_ylim())
        if not self._drawn_at or not np.allclose(now, self._drawn_at, rtol=0.0, atol=_SAME_POINTS):
            self._place(point)
            self._drawn_at = now

    def _place(self, point: float) -> None:
        labels = [label for group, _, form in self._groups if form in _OF_SHAPES for label in group]
        room = _Room(self._ax, [*labels, *self._others], point)
        lines: list[tuple[Any, Any]] = []
        self.crowded, self.missing = [], 0
        row = 0
        for number, (group, texts, form) in enumerate(self._groups):
            without: list[tuple[int, Label]] = []
            for label, pair in zip(group, texts, strict=True):
                extent = _extent(pair[0], point)
                if form in _OF_SHAPES:
                    found = room.find(row, extent)
                    if (found is None or (form == "number" and found.line is not None)) and not room.empty(row):
                        self.crowded.append(label)
                    if found is None and form == "number":
                        found = room.numbered(row, extent)
                    if found is None and not room.empty(row):
                        without.append((row, label))
                    row += 1
                else:
                    shape = room.seen(label)
                    found = room.inside(shape, extent) or (room.over(shape, extent) if form == "over" else None)
                self._show(pair, found, lines)
            if number in self._keys:
                self._number(room, self._keys[number], without, lines, point)
            else:
                self.missing += len(without)
        self._lines.set_segments([line for line, _ in lines])
        self._lines.set_color([colour for _, colour in lines])

    def _number(
        self,
        room: "_Room",
        key: tuple[Key, list[tuple[Text, Text]]],
        without: list[tuple[int, Label]],
        lines: list[tuple[Any, Any]],
        point: float,
    ) -> None:
        """Put numbers where names have no room, and the names in the key."""
        numbered: list[tuple[str, str]] = []
        bare: list[tuple[str, str]] = []
        for pair in key[1]:
            self._show(pair, None, lines)
        for row, label in without:
            pair = key[1][len(numbered)]
            extent = _extent(pair[0], point)
            found = room.find(row, extent) or room.numbered(row, extent)
            self._show(pair, found, lines)
            # a name without room even for its number is not passed over
            mark, entries = ("–", bare) if found is None else (pair[0].get_text(), numbered)
            entries.append((mark, label.text.replace("\n", " ")))
        key[0].show([*numbered, *bare])

    def _show(self, pair: tuple[Text, Text], found: "_Found | None", lines: list[tuple[Any, Any]]) -> None:
        """Show a text and its halo where they have room, and hide them elsewhere."""
        back = self._ax.transData.inverted()
        for text in pair:
            text.set_visible(found is not None)
            if found is not None:
                text.set_position(tuple(back.transform(found.middle)))
        if found is not None and found.line is not None:
            lines.append((back.transform(shapely.get_coordinates(found.line)), pair[0].get_color()))


def _extent(text: Text, point: float) -> tuple[float, float]:
    """Width and height of a text with the space around it, pixels."""
    text.set_visible(True)
    size = text.get_window_extent(ruler(72 * point))
    return size.width + 2 * _SPACE_POINTS * point, size.height + 2 * _SPACE_POINTS * point


@dataclass(frozen=True, slots=True)
class _Found:
    middle: tuple[float, float]
    line: Any = None


class _Room:
    """What is taken of some axes, in pixels."""

    def __init__(self, ax: Axes, labels: Sequence[Label], point: float) -> None:
        self.ax, self.point = ax, point
        extent = ax.get_window_extent()
        self.frame = (extent.x0, extent.y0, extent.x1, extent.y1)
        self.labels = labels
        self.shapes = np.array([self.seen(label) for label in labels], dtype=object)
        self.tree = shapely.STRtree(self.shapes)
        self.same = _one_place(self.shapes, self.tree)
        self.taken: list[Any] = []

    def seen(self, label: Label) -> Any:  # noqa: ANN401 - an outline
        """Shape of a label in pixels, as far as the frame shows it."""
        shape = shapely.transform(label.shape, self.ax.transData.transform)
        shape = shape.buffer(label.radius * self.point) if label.radius else shapely.simplify(shape, _DETAIL_PIXELS)
        return shapely.clip_by_rect(shape, *self.frame)

    def find(self, row: int, extent: tuple[float, float]) -> _Found | None:
        """Place of the label of a shape that has this width and height; None where it has no room."""
        shape = self.shapes[row]
        if shape.is_empty:
            return None
        large = not self.labels[row].radius and extent[0] * extent[1] <= _COVERED * shape.area
        return (self.inside(shape, extent, self.same[row]) if large else None) or self._beside(row, extent)

    def empty(self, row: int) -> bool:
        """Whether the frame shows nothing of a shape."""
        return bool(self.shapes[row].is_empty)

    def numbered(self, row: int, extent: tuple[float, float]) -> _Found | None:
        """Place of a number that has no room beside its shape: on it, or at the end of a line into it."""
        return self.over(self.shapes[row], extent) or self._afar(self.shapes[row], extent)

    def _afar(self, shape: Any, extent: tuple[float, float]) -> _Found | None:  # noqa: ANN401 - an outline
        """Place at the end of a line into a shape, as short as can be, that hides and crosses few others."""
        tip = shapely.point_on_surface(shape)
        steps = np.arange(extent[1], _REACH_POINTS * self.point, _STEP_POINTS * 2 * self.point)
        turns = np.radians(np.arange(0, 360, 10))
        rays = np.stack([np.cos(turns), np.sin(turns)], axis=1)
        middles = np.array([tip.x, tip.y]) + (steps[:, None, None] * rays).reshape(-1, 2)
        boxes = _boxes(middles, extent)
        kept = np.flatnonzero(self._free(boxes))[:_MOST_TRIED]
        lines = shapely.shortest_line(boxes[kept], tip)
        if not len(kept):
            return None
        cost = shapely.length(lines) / self.point + _OVER_A_NAME * ~self._free(lines)
        for weight, found in ((_HIDING, boxes[kept]), (_CROSSING, lines)):
            one, _ = self.tree.query(found, predicate="intersects")
            cost += weight * np.bincount(one, minlength=len(kept))
        at = int(np.argmin(np.round(cost, 3)))
        self.taken += [boxes[kept[at]], lines[at]]
        return _Found((float(middles[kept[at], 0]), float(middles[kept[at], 1])), lines[at])

    def inside(self, shape: Any, extent: tuple[float, float], own: Iterable[int] = ()) -> _Found | None:  # noqa: ANN401
        """Place inside a shape, near its middle, that hides no other shape."""
        if shape.is_empty:
            return None
        west, south, east, north = shape.bounds
        across, up = (np.linspace(*ends, _GRID) for ends in ((west, east), (south, north)))
        middle = shapely.get_coordinates(shapely.point_on_surface(shape))
        tried = np.vstack([middle, np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)])
        tried = tried[np.argsort(np.hypot(*(tried - middle).T), kind="stable")]
        boxes = _boxes(tried, extent)
        for at in np.flatnonzero(shapely.covers(shape, boxes) & self._free(boxes)):
            met = set(self.tree.query(boxes[at], predicate="intersects").tolist())
            seen = [one for one in met & set(own) if not shapely.covers(self.shapes[one], boxes[at])]
            if met <= set(own) and not seen:
                self.taken.append(boxes[at])
                return _Found((float(tried[at, 0]), float(tried[at, 1])))
        return None

    def over(self, shape: Any, extent: tuple[float, float]) -> _Found | None:  # noqa: ANN401 - an outline
        """Place on a shape, over as little of the others as can be, its middle at least inside the shape."""
        if shape.is_empty:
            return None
        west, south, east, north = shape.bounds
        across, up = (np.linspace(*ends, _GRID + 2)[1:-1] for ends in ((west, east), (south, north)))
        middle = shapely.get_coordinates(shapely.point_on_surface(shape))
        tried = np.vstack([middle, np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)])
        boxes = _boxes(tried, extent)
        kept = np.flatnonzero(shapely.contains_xy(shape, *tried.T) & self._free(boxes))
        if not len(kept):
            return None
        hidden = [
            shapely.area(shapely.intersection(self.shapes[self.tree.query(box)], box)).sum() for box in boxes[kept]
        ]
        outside = shapely.area(shapely.difference(boxes[kept], shape))
        at = kept[np.argmin(np.round(np.asarray(hidden) + outside))]
        self.taken.append(boxes[at])
        return _Found((float(tried[at, 0]), float(tried[at, 1])))

    def _beside(self, row: int, extent: tuple[float, float]) -> _Found | None:
        """Place outside a shape and nearer to it than to any other: touching it, or at the end of a line."""
        shape, own = self.shapes[row], self.same[row]
        for middle, box, far in self._around(shape, extent):
            near = self.tree.query(box, predicate="dwithin", distance=_NEARER * far + _NEARER_POINTS * self.point)
            if set(near.tolist()) - own or self._hides(box, row):
                continue
            if far <= _TOUCHING_POINTS * self.point:
                self.taken.append(box)
                return _Found(middle)
            line = shapely.shortest_line(box, shape)
            crossed = set(self.tree.query(line, predicate="intersects").tolist()) - own
            if not crossed and self._free(np.array([line]))[0]:
                self.taken += [box, line]
                return _Found(middle, line)
        return None

    def _hides(self, box: Any, row: int) -> bool:  # noqa: ANN401 - an outline
        """Whether a box lies over a shape; a disc may stand in a large one, and its name with it."""
        met = self.shapes[self.tree.query(box, predicate="intersects")]
        most = _COVERED if self.labels[row].radius else 0.0
        return bool((shapely.area(shapely.intersection(met, box)) > most * shapely.area(met)).any())

    def _around(
        self,
        shape: Any,  # noqa: ANN401 - an outline
        extent: tuple[float, float],
    ) -> Iterator[tuple[tuple[float, float], Any, float]]:
        """Middle, box and distance of the free places around a shape, the nearest first."""
        west, south, east, north = shape.bounds
        reach = (math.hypot(east - west, north - south) + math.hypot(*extent)) / 2 + _FARTHEST_POINTS * self.point
        steps = np.arange(0.0, reach, max(_STEP_POINTS * self.point, reach / _MOST_STEPS))
        rays = np.stack([np.cos(_DIRECTIONS), np.sin(_DIRECTIONS)], axis=1)
        middles = np.array([(west + east) / 2, (south + north) / 2]) + (steps[:, None, None] * rays).reshape(-1, 2)
        order = np.tile(np.arange(len(rays)), len(steps))
        boxes = _boxes(middles, extent)
        kept = np.flatnonzero(self._free(boxes))
        far = shapely.distance(boxes[kept], shape)
        there = (far > 0.5 * self.point) & (far <= _FARTHEST_POINTS * self.point)
        kept, far = kept[there], far[there]
        # all places that touch are as good, but for the direction
        rank = np.where(far <= _TOUCHING_POINTS * self.point, 0.0, far)
        for at in np.lexsort([far, order[kept], rank]):
            middle = middles[kept[at]]
            yield (float(middle[0]), float(middle[1])), boxes[kept[at]], float(far[at])

    def _free(self, shapes: Shapes) -> npt.NDArray[np.bool_]:
        """Which lie in the frame, and not on a name or a line."""
        free = np.asarray(shapely.covers(shapely.box(*self.frame), shapes))
        for one in self.taken:
            free[free] = ~shapely.intersects(one, shapes[free])
        return free


def _boxes(middles: npt.NDArray[np.float64], extent: tuple[float, float]) -> Shapes:
    x, y = middles.T
    return np.asarray(shapely.box(x - extent[0] / 2, y - extent[1] / 2, x + extent[0] / 2, y + extent[1] / 2))


def _one_place(shapes: Shapes, tree: shapely.STRtree) -> list[set[int]]:
    """For each shape, itself and those that share its area: no name is nearer to one than to the other."""
    one, other = tree.query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    least = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    found: list[set[int]] = [{row} for row in range(len(shapes))]
    for a, b in zip(*(rows[shared > _SAME * least] for rows in (one, other)), strict=True):
        found[int(a)].add(int(b))
    return found
