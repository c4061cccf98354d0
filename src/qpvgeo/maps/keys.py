"""Key of the numbers on a map: each number and its name, in columns of one height, beside the frame or below it.

The sheet of a map says where a key stands, and in how many columns; on axes that were given it stands right of the
frame, below the legend. Names are text as it is, and none is parted between two columns. Where a line for each name
takes too much room, names follow each other on the lines as those of a paragraph do.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform, ScaledTranslation

from qpvgeo.maps.lettering import lines_of, shown, tied

__all__ = ["GUTTER_POINTS", "LETTERS", "ROW_POINTS", "Key", "in_columns"]

ROW_POINTS, GUTTER_POINTS = 8.4, 12.0
LETTERS = (38, 26, 52)
"""Letters of a line: columns may be narrow, or wide with fewer lines."""

_RUNNING_POINTS = (110.0, 140.0, 170.0, 205.0, 240.0)
"""Widths of columns of names that follow each other."""

_SIZE, _AFTER_MARK, _AFTER_NAME = 6.5, 4.0, 6.0
_ENTRY_POINTS = 14.0
_FILLED, _LEAST_ROWS = 1.25, 12
_ABOVE = 12.0

_Line = TypeVar("_Line")


class Key(Artist):
    """Numbers of a map and the names that they stand for.

    Parameters
    ----------
    ax
        Axes of the map.
    colour
        Of the names.
    below
        Entries of the legend above it, on axes that were given.
    entries
        Number and name of each; names that find no room on the map may come later.

    Attributes
    ----------
    running
        Whether names follow each other on the lines.
    """

    def __init__(self, ax: Axes, *, colour: str, below: int, entries: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.entries = list(entries)
        self.running = False
        self.columns, self.measure = 1, float(LETTERS[0])
        self._ax, self._colour, self._below = ax, colour, below
        self._at: tuple[float, float] | None = None
        self._texts: list[tuple[Text, float, float]] = []
        self._rows: dict[tuple[int, float, bool], int] = {}
        self._widths: dict[float, float] = {}
        self._broken: dict[float, list[list[str]]] = {}
        self.set_zorder(_ABOVE)
        self.set_gid("key")
        ax.add_artist(self)
        # beside the axes
        self.set_clip_on(False)
        self.set_clip_path(None)

    def show(self, entries: Sequence[tuple[str, str]]) -> None:
        """Take these numbers and names in place of those before."""
        if list(entries) != self.entries:
            self.entries = list(entries)
            self._texts, self._rows, self._widths, self._broken = [], {}, {}, {}
            self.stale = True

    def stand(self, at: tuple[float, float], columns: int, measure: float) -> None:
        """Stand so many points right of the left end of the frame and below its upper end, in some columns."""
        if (self._at, self.columns, self.measure) != (at, columns, measure):
            self._at, self.columns, self.measure, self._texts = at, columns, measure, []

    @property
    def measures(self) -> tuple[float, ...]:
        """Lengths that its lines may have: letters, or points where names follow each other."""
        return _RUNNING_POINTS if self.running else tuple(map(float, LETTERS))

    @property
    def _mark_width(self) -> float:
        return max((_width(mark, bold=True) for mark, _ in self.entries), default=0.0) + _AFTER_MARK

    @property
    def area(self) -> float:
        """Square points that its names cover, however they are broken."""
        return sum(_width(mark, bold=True) + _AFTER_MARK + _width(name) for mark, name in self.entries) * ROW_POINTS

    def column_width(self, measure: float) -> float:
        """Points that the widest line needs, where lines are that long at most."""
        if self.running:
            return measure
        if measure not in self._widths:
            lines = [line for name in self._lines(measure) for line in name]
            self._widths[measure] = self._mark_width + max((_width(line) for line in lines), default=0.0)
        return self._widths[measure]

    def rows(self, columns: int, measure: float) -> int:
        """Lines of the highest of so many columns."""
        if (columns, measure, self.running) not in self._rows:
            lines: Sequence[Sequence[Any]] = self._lines(measure)
            if self.running:
                lines = [[one] for one in self._run(measure)]
            self._rows[columns, measure, self.running] = max(map(len, in_columns(lines, columns)), default=0)
        return self._rows[columns, measure, self.running]

    def _lines(self, measure: float) -> list[list[str]]:
        if measure not in self._broken:
            self._broken[measure] = [lines_of(name, int(measure)) or [""] for _, name in self.entries]
        return self._broken[measure]

    def _run(self, wide: float) -> list[list[tuple[float, str, bool]]]:
        """Lines of names that follow each other: what stands where on each, and whether it is a number."""
        lines: list[list[tuple[float, str, bool]]] = [[]]
        at = 0.0
        for mark, name in self.entries:
            first, *words = tied(name).split(" ")
            before = _width(mark, bold=True) + _AFTER_MARK / 2
            if lines[-1] and at + before + _width(first) > wide:
                lines.append([])
                at = 0.0
            lines[-1].append((at, mark, True))
            at += before
            part = first
            for word in words:
                if at + _width(f"{part} {word}") > wide:
                    lines[-1].append((at, part, False))
                    lines.append([])
                    at, part = 0.0, word
                else:
                    part = f"{part} {word}"
            lines[-1].append((at, part, False))
            at += _width(part) + _AFTER_NAME
        return lines

    def get_texts(self) -> list[Text]:
        """Texts as they stand, a number and its name after it."""
        self._write()
        return [text for text, _, _ in self._texts]

    def get_children(self) -> list[Artist]:
        """Texts of the key."""
        return list(self.get_texts())

    def _write(self) -> None:
        """Make the texts, each with its place in points from the upper left corner of the key."""
        if self._texts or not self.entries:
            return
        self._settle_beside()
        across, indent = self.column_width(self.measure) + GUTTER_POINTS, self._mark_width
        if self.running:
            for column, filled in enumerate(in_columns([[one] for one in self._run(self.measure)], self.columns)):
                for row, parts in enumerate(filled):
                    for at, words, bold in parts:
                        style = {"fontweight": "bold"} if bold else {}
                        self._add(words, column * across + at, -row * ROW_POINTS, **style)
            return
        entries = iter(zip(self.entries, self._lines(self.measure), strict=True))
        for column, lines in enumerate(in_columns(self._lines(self.measure), self.columns)):
            row = 0
            while row < len(lines):
                (mark, _), name = next(entries)
                left, down = column * across, -row * ROW_POINTS
                self._add(mark, left + indent - _AFTER_MARK, down, ha="right", fontweight="bold")
                for line in name:
                    self._add(line, left + indent, -row * ROW_POINTS)
                    row += 1

    def _settle_beside(self) -> None:
        """Columns of a key right of the frame of axes that were given."""
        figure = self._ax.get_figure(root=True)
        if self._at is None and figure is not None:
            tall = self._ax.get_window_extent().height * 72 / figure.dpi - (self._below + 1) * _ENTRY_POINTS
            lines = sum(map(len, self._lines(self.measure)))
            self.columns = max(1, -(-lines // max(int(_FILLED * tall / ROW_POINTS), _LEAST_ROWS)))

    def _add(self, words: str, left: float, down: float, **style: Any) -> None:  # noqa: ANN401 - of a text
        options: dict[str, Any] = {"fontsize": _SIZE, "color": self._colour, "va": "top", "ha": "left"} | style
        text = shown(Text(0.0, 0.0, words, **options))
        text.set_transform(IdentityTransform())
        figure = self._ax.get_figure(root=True)
        if figure is not None:
            text.set_figure(figure)
        self._texts.append((text, left, down))

    def _corner(self) -> Any:  # noqa: ANN401 - a transform
        """Transform of points from the upper left corner of the key, upwards."""
        figure = self._ax.get_figure(root=True)
        if figure is None:  # pragma: no cover - axes have a figure
            return IdentityTransform()
        inches: Any = figure.dpi_scale_trans
        across, left, top = (1.02, 0.0, (self._below + 1) * _ENTRY_POINTS) if self._at is None else (0.0, *self._at)
        corner = ScaledTranslation(across, 1.0, self._ax.transAxes)  # type: ignore[arg-type]
        return Affine2D().scale(1 / 72) + inches + corner + ScaledTranslation(left / 72, -top / 72, inches)

    def draw(self, renderer: RendererBase) -> None:
        """Draw the numbers and names."""
        if not self.get_visible():
            return
        self._write()
        corner = self._corner()
        renderer.open_group("key", gid=self.get_gid())
        for text, left, down in self._texts:
            text.set_position(tuple(corner.transform((left, down))))
            text.draw(renderer)
        renderer.close_group("key")
        self.stale = False

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:  # noqa: ARG002 - matplotlib's call
        """Box of the key, pixels."""
        if not self.entries:
            return Bbox.null()
        self._write()
        rows = self.rows(self.columns, self.measure)
        wide = self.columns * (self.column_width(self.measure) + GUTTER_POINTS) - GUTTER_POINTS
        return Bbox(self._corner().transform([(0.0, -rows * ROW_POINTS), (wide, 0.0)]))

    def get_tightbbox(self, renderer: RendererBase | None = None) -> Bbox | None:
        """Box of the key, pixels; None while it is empty."""
        return self.get_window_extent(renderer) if self.entries else None


@lru_cache(maxsize=4096)
def _width(words: str, *, bold: bool = False) -> float:
    """Points across of a line of a key."""
    font = FontProperties(size=_SIZE, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(words, font, False)[0])


def in_columns(names: Sequence[Sequence[_Line]], columns: int) -> list[list[_Line]]:
    """Lines of names in so many columns at most, of one height, none of which parts a name.

    Examples
    --------
    >>> in_columns([["a"], ["b", "b"], ["c"]], 2)
    [['a', 'b', 'b'], ['c']]
    """
    if not names:
        return []
    height = max(-(-sum(map(len, names)) // columns), *map(len, names))
    while True:
        filled: list[list[_Line]] = [[]]
        for lines in names:
            if len(filled[-1]) + len(lines) > height:
                filled.append([])
            filled[-1] += lines
        if len(filled) <= columns:
            return filled
        height += 1
