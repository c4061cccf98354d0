"""How a sheet is laid out: where the map, its legend, its key and its enlarged parts stand, so that the map is large.

Every part may stand right of the map or below it. Among the arrangements that the sheet has room for, the one is taken
whose map, with its enlarged parts, covers most of it. Lengths are points of paper.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine
from matplotlib.transforms import Affine2D, Bbox, ScaledTranslation

from qpvgeo.maps.keys import GUTTER_POINTS, ROW_POINTS, Key
from qpvgeo.maps.lettering import ruler

__all__ = ["Arrangement", "Enlarged", "Sheet", "arrange", "sheet_of"]

PAD, GAP, STRIP, CAPTION, _NAME = 4.0, 9.0, 26.0, 34.0, 13.0
"""Around the sheet, between parts, for scale and arrow below the map, for name and scale of an
enlarged part, and for its name alone."""

_LEAST_MAP, _LEAST_INSET, _LEAST_ZOOM, _ZOOM = 110.0, 70.0, 1.4, 2.0
"""Sides of a map and of an enlarged part at least; how much larger its scale is at least, and should be."""

_COLUMNS = (2, 3, 4)
_INSETS_WIDE = (130.0, 160.0, 190.0, 220.0, 250.0, 280.0)
_INSETS_TALL = (130.0, 170.0, 210.0, 260.0, 320.0, 380.0)
_LEGEND_BELOW, _LEGEND_BELOW_ON_PAGE = 0.5, 0.8
"""What a map above its legend counts for, beside one whose legend is where eyes look for it; pages have less room."""

_INSET = 0.5
"""What ground on an enlarged part counts for, beside the same on the map."""

_EMPTY, _EMPTY_BY_INSETS = 0.5, 0.85
"""Part of the weight of an arrangement that goes with how little of the sheet is left white; and with enlarged parts,
which have no shape of the sheet."""

_KEY_PART, _RUNNING_PART, _NUMBER = 0.15, 0.22, 1200.0
"""Part of a sheet that a map covers at least where a key takes room from it, also one whose names follow each other;
and the square points of it that a number needs."""

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a sheet holds: width over height of the map, sizes of the others, and metres across of map and insets."""

    ratio: float
    legend: Spot | None = None
    key: Key | None = None
    insets: tuple[Spot, ...] = ()
    across: float = 1.0
    legend_below: float = _LEGEND_BELOW


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where the parts of a sheet stand, from the upper left corner of the map; downwards.

    Attributes
    ----------
    wide, tall
        Size of the map.
    height
        Height of everything below the title and above the source line.
    legend, key
        Upper left corners; None where there is no such part.
    columns, measure
        Columns of the key, and what a line of it is long at most.
    insets
        Left, top, width and height of each enlarged part.
    score
        What the arrangement is worth beside others of the same sheet.
    """

    wide: float
    tall: float
    height: float
    legend: Spot | None = None
    key: Spot | None = None
    columns: int = 1
    measure: float = 0.0
    insets: tuple[tuple[float, float, float, float], ...] = ()
    score: float = 0.0


class _Asked(NamedTuple):
    """Which parts stand beside the map, and the length of a line of the key."""

    legend: bool
    key: bool
    insets: bool
    measure: float


def arrange(parts: Parts, wide: float, tall: float) -> Arrangement | None:
    """Arrangement whose map and insets cover most of a sheet of that size; None where there is no room for all."""
    found = list(_arrangements(parts, wide, tall))
    return max(found, key=lambda one: round(one.score, 3), default=None)


def _arrangements(parts: Parts, wide: float, tall: float) -> Iterator[Arrangement]:
    beside = [(True, False) if there else (False,) for there in (parts.legend, parts.key, parts.insets)]
    measures = parts.key.measures if parts.key is not None else (0.0,)
    cells = {measure: parts.key.column_width(measure) if parts.key is not None else 0.0 for measure in measures}
    for (legend, key, insets), measure in product(product(*beside), measures):
        least = max(parts.legend[0] if legend and parts.legend else 0.0, cells[measure] if key else 0.0)
        sides = [least]
        if key:
            sides += [count * (cells[measure] + GUTTER_POINTS) - GUTTER_POINTS for count in _COLUMNS]
        if insets:
            sides += _INSETS_WIDE
        heights = _INSETS_TALL if parts.insets and not insets else (0.0,)
        for side, height in product(sorted({side for side in sides if least <= side < wide}), heights):
            made = _arranged(parts, _Asked(legend, key, insets, measure), (wide, tall), side, height)
            if made is not None:
                yield made


def _arranged(parts: Parts, asked: _Asked, sheet: Spot, side: float, height: float) -> Arrangement | None:
    """One arrangement: parts beside the map are stacked, those below it stand in a row."""
    below = _row(parts, asked, sheet[0], height)
    if below is None:
        return None
    room = sheet[1] - (below.height + GAP if below.height else 0.0)
    wide = sheet[0] - (side + GAP if side else 0.0)
    tall = min(wide / parts.ratio, room - STRIP)
    wide = tall * parts.ratio
    if min(wide, tall) < _LEAST_MAP:
        return None
    stack = _stack(parts, asked, (wide + GAP, sheet[0] - wide - GAP), (tall + STRIP, room))
    if stack is None:
        return None
    top = max(tall + STRIP, stack.height)
    insets = (*stack.insets, *((left, top + GAP + y, w, h) for left, y, w, h in below.insets))
    zooms = [size[2] / own[0] * parts.across / wide for size, own in zip(insets, parts.insets, strict=True)]
    if zooms and min(zooms) < _LEAST_ZOOM:
        return None
    enlarged = sum(one[2] * one[3] for one in insets)
    if enlarged > wide * tall:
        return None
    drawn = wide * tall + _INSET * enlarged
    height = top + (GAP + below.height if below.height else 0.0)
    columns = max(stack.columns, below.columns)
    filled = wide * tall + enlarged + (parts.legend[0] * parts.legend[1] if parts.legend is not None else 0.0)
    filled += parts.key.area if parts.key is not None else 0.0
    empty = _EMPTY_BY_INSETS if insets else _EMPTY
    score = drawn * (1.0 if asked.legend or parts.legend is None else parts.legend_below)
    score *= min(1.0, *(zoom / _ZOOM for zoom in zooms)) ** 2 if zooms else 1.0
    return Arrangement(
        wide,
        tall,
        height,
        stack.legend or (None if below.legend is None else (below.legend[0], top + GAP + below.legend[1])),
        stack.key or (None if below.key is None else (below.key[0], top + GAP + below.key[1])),
        columns,
        asked.measure,
        insets,
        score * (1.0 - empty + empty * min(filled / (sheet[0] * height), 1.0)),
    )


def _row(parts: Parts, asked: _Asked, wide: float, height: float) -> Arrangement | None:
    """Parts below the map, from left to right, a legend beside enlarged parts above the key; None where too wide."""
    at, tall, legend, key, columns = 0.0, 0.0, None, None, 1
    insets: list[tuple[float, float, float, float]] = []
    if parts.insets and not asked.insets:
        for across, up in parts.insets:
            insets.append((at, _NAME, height * across / up, height))
            at += insets[-1][2] + 2 * GAP
        tall = height + CAPTION
    end, down = at, 0.0
    if parts.legend is not None and not asked.legend:
        legend, end, tall = (at, 0.0), at + parts.legend[0] + 2 * GAP, max(tall, parts.legend[1])
        at, down = (at, parts.legend[1] + GAP) if insets else (end, 0.0)
    if parts.key is not None and not asked.key:
        columns = int((wide - at + GUTTER_POINTS) / (parts.key.column_width(asked.measure) + GUTTER_POINTS))
        if columns < 1:
            return None
        key, tall = (at, down), max(tall, down + parts.key.rows(columns, asked.measure) * ROW_POINTS)
    return None if end - 2 * GAP > wide else Arrangement(wide, 0.0, tall, legend, key, columns, insets=tuple(insets))


def _stack(parts: Parts, asked: _Asked, across: Spot, tall: Spot) -> Arrangement | None:
    """Parts beside the map, the legend above all; None where they are higher than the sheet.

    `across` is where they begin and how wide they may be, `tall` the height of the map and that of the sheet.
    """
    left, wide = across
    at, legend, key, columns = 0.0, None, None, 1
    insets: list[tuple[float, float, float, float]] = []
    if parts.legend is not None and asked.legend:
        legend, at = (left, 0.0), parts.legend[1] + GAP
    rows = 0.0
    if parts.key is not None and asked.key:
        columns = int((wide + GUTTER_POINTS) / (parts.key.column_width(asked.measure) + GUTTER_POINTS))
        if columns < 1:
            return None
        rows = parts.key.rows(columns, asked.measure) * ROW_POINTS
    if parts.insets and asked.insets:
        room = (tall[0] - at - rows - (GAP if rows else 0.0)) / len(parts.insets) - CAPTION
        for width, height in parts.insets:
            high = min(room, wide * height / width)
            if high < _LEAST_INSET:
                return None
            insets.append((left, at + _NAME, high * width / height, high))
            at += high + CAPTION
    if rows:
        key, at = (left, at), at + rows
    return None if at > tall[1] else Arrangement(wide, 0.0, at, legend, key, columns, insets=tuple(insets))


@dataclass(slots=True)
class Enlarged:
    """A part of the map drawn again at a larger scale."""

    ax: Axes
    across: float
    up: float
    spot: tuple[float, float, float, float] = field(default=(0.0, 0.0, 1.0, 1.0))


class Sheet(LayoutEngine):
    """Layout of a figure that holds one map: it stands where `arrange` says, whenever the figure is drawn.

    Parameters
    ----------
    ax
        Axes of the map.
    wide, tall
        Width and greatest height, points.
    page
        Whether it is one for print.

    Attributes
    ----------
    key, insets
        Key of the numbers, and the enlarged parts; both may come once the map is drawn.
    square
        Axes of a legend in a square, its side, and the room for words to the left of it and below; of few maps.
    made
        The arrangement, once there is one.
    kept
        Height kept for what the source line says once the names are placed.
    """

    _adjust_compatible = False
    _colorbar_gridspec = False

    def __init__(self, ax: Axes, wide: float, tall: float, *, page: bool) -> None:
        super().__init__()
        self.ax, self.wide, self.tall = ax, wide, tall
        self.legend_below = _LEGEND_BELOW_ON_PAGE if page else _LEGEND_BELOW
        self.key: Key | None = None
        self.insets: list[Enlarged] = []
        self.square: tuple[Axes, float, Spot] | None = None
        self.made: Arrangement | None = None
        self.kept = 0.0
        self._made_for: tuple[Any, ...] = ()

    def execute(self, fig: Figure) -> None:
        """Set the places of all parts."""
        for _ in range(3):
            entries = list(self.key.entries) if self.key is not None else []
            self._set(fig)
            for ax in (self.ax, *(one.ax for one in self.insets)):
                place = ax.get_axes_locator()
                ax.apply_aspect(place(ax, None) if place is not None else None)  # type: ignore[arg-type]
                for names in [one for one in ax.artists if one.get_gid() == "names"]:
                    names.place()  # type: ignore[attr-defined]
            if self.key is None or entries == self.key.entries:
                break

    def parts(self, fig: Figure) -> Parts:
        """Sizes of what the sheet holds."""
        (west, east), (south, north) = self.ax.get_xlim(), self.ax.get_ylim()
        legend = _size(self.ax.get_legend(), fig)
        if self.square is not None:
            _, side, (left, down) = self.square
            across, tall = legend or (0.0, 0.0)
            legend = (max(across, left + side), tall + GAP + side + down)
        key = self.key if self.key is not None and self.key.entries else None
        insets = tuple((one.across, one.up) for one in self.insets)
        return Parts((east - west) / (north - south), legend, key, insets, east - west, self.legend_below)

    def room(self, fig: Figure) -> tuple[float, float, float, float]:
        """Heights of title and source line, and width and height that they leave."""
        lines = self.ax.get_title(loc="left").count("\n") + 1 if self.ax.get_title(loc="left") else 0
        title = lines * 14.5 + (6.0 if lines else 0.0) + PAD
        below = [one for one in self.ax.texts if one.get_gid() == "source"]
        source = sum(size[1] for one in below if (size := _size(one, fig))) + PAD + self.kept
        return title, source, self.wide - 2 * PAD, self.tall - title - source

    def fits(self, room: Spot | None = None) -> bool:
        """Tell whether this sheet, or one of another size, has room for all parts, a map that can be read among them.

        Names of the key follow each other where a line for each takes too much room.
        """
        figure = self.ax.get_figure(root=True)
        if figure is None:  # pragma: no cover - axes have a figure
            return False
        wide, tall = room or (self.wide, self.tall)
        title, source, *_ = self.room(figure)
        for running in (False, True):
            if self.key is not None:
                self.key.running = running
            made = arrange(self.parts(figure), wide - 2 * PAD, tall - title - source)
            least = (_RUNNING_PART if running else _KEY_PART) * wide * tall
            if self.key is not None:
                least = max(least, _NUMBER * len(self.key.entries))
            if made is not None and made.wide * made.tall >= least:
                return True
        return False

    def _arrange(self, fig: Figure) -> Arrangement | None:
        """Arrangement of the parts; the same as before for the same parts, however finely they are drawn."""
        held = self._held()
        if self.made is None or held != self._made_for:
            self.made = self._choose(fig)
            # names may have begun to follow each other
            self._made_for = self._held()
        return self.made

    def _held(self) -> tuple[Any, ...]:
        """What the arrangement depends on."""
        legend, key = self.ax.get_legend(), self.key
        words = (
            [] if legend is None else [legend.get_title().get_text(), *(one.get_text() for one in legend.get_texts())]
        )
        below = [one.get_text() for one in self.ax.texts if one.get_gid() == "source"]
        entries = None if key is None else (key.running, *key.entries)
        frame = (*self.ax.get_xlim(), *self.ax.get_ylim())
        insets = tuple((one.across, one.up) for one in self.insets)
        return self.ax.get_title(loc="left"), *words, *below, entries, frame, insets, self.square is None, self.kept

    def _choose(self, fig: Figure) -> Arrangement | None:
        _, _, wide, tall = self.room(fig)
        parts = self.parts(fig)
        # with less room than all of it needs, what stands below the map is cut by no sheet
        made = arrange(parts, wide, tall)
        if made is None and parts.key is not None and not parts.key.running:
            parts.key.running = True
            made = arrange(parts, wide, tall)
        return made or arrange(parts, wide, 2 * tall) or arrange(Parts(parts.ratio), wide, tall)

    def _set(self, fig: Figure) -> None:
        made = self._arrange(fig)
        if made is None:
            return
        title = self.room(fig)[0]
        width, height = (72 * side for side in (fig.get_figwidth(), fig.get_figheight()))
        down = height - title - made.tall
        self.ax.set_position((PAD / width, down / height, made.wide / width, made.tall / height))
        legend = self.ax.get_legend()
        if made.legend is not None:
            legend_tall = 0.0
            if legend is not None:
                legend.set_bbox_to_anchor((0.0, 0.0), transform=self._from_corner(fig, made.legend))
                legend_tall = (_size(legend, fig) or (0.0, 0.0))[1]
            if self.square is not None:
                ax, side, (left, _) = self.square
                spot = (made.legend[0] + left, made.legend[1] + legend_tall + GAP, side, side)
                ax.set_axes_locator(_Locator(self.ax, spot))
        if made.key is not None and self.key is not None:
            self.key.stand(made.key, made.columns, made.measure)
        for one, spot in zip(self.insets, made.insets, strict=False):
            one.ax.set_axes_locator(_Locator(self.ax, spot))
        for text in [one for one in self.ax.texts if one.get_gid() == "source"]:
            text.set_position((0.0, -(made.height - made.tall + GAP / 2)))

    def _from_corner(self, fig: Figure, spot: Spot) -> Any:  # noqa: ANN401 - a transform
        """Transform whose origin lies so many points right of the upper left corner of the map and below it."""
        move = ScaledTranslation(spot[0] / 72, -spot[1] / 72, fig.dpi_scale_trans)
        return Affine2D() + ScaledTranslation(0.0, 1.0, self.ax.transAxes) + move  # type: ignore[arg-type]

    def crop(self) -> None:
        """Make the figure as high as what it holds."""
        figure = self.ax.get_figure(root=True)
        if figure is None:  # pragma: no cover - axes have a figure
            return
        self.execute(figure)
        if self.made is not None:
            title, source, *_ = self.room(figure)
            figure.set_figheight((title + self.made.height + GAP / 2 + source) / 72)
            self.execute(figure)


class _Locator:
    """Place of axes that stand so many points from the upper left corner of others."""

    def __init__(self, ax: Axes, spot: tuple[float, float, float, float]) -> None:
        self.ax, self.spot = ax, spot

    def __call__(self, ax: Any, renderer: Any) -> Bbox:  # noqa: ANN401, ARG002 - matplotlib's call
        figure = self.ax.get_figure(root=True)
        corner = self.ax.transAxes.transform((0.0, 1.0))
        left, top, wide, tall = (side * figure.dpi / 72 for side in self.spot)  # type: ignore[union-attr]
        box = Bbox.from_bounds(corner[0] + left, corner[1] - top - tall, wide, tall)
        return box.transformed(figure.transFigure.inverted())  # type: ignore[union-attr]


def _size(artist: Any, fig: Figure) -> Spot | None:  # noqa: ANN401 - an artist with an extent
    """Width and height of an artist, points; None where there is none."""
    if artist is None:
        return None
    box = artist.get_window_extent(ruler(fig.dpi))
    return float(box.width) * 72 / fig.dpi, float(box.height) * 72 / fig.dpi


def sheet_of(ax: Axes) -> Sheet | None:
    """Sheet of a map that has a figure of its own; None on axes that were given."""
    figure = ax.get_figure(root=True)
    engine = None if figure is None else figure.get_layout_engine()
    return engine if isinstance(engine, Sheet) and engine.ax is ax else None
