"""Text on maps: shown as it is, and broken into lines that fit a width."""

import re
from functools import lru_cache
from textwrap import wrap

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

__all__ = ["lines_of", "lines_within", "ruler", "shown", "tied", "wrapped"]

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
"""What no SVG may hold; lines end with a line feed."""


def shown(text: Text) -> Text:
    """Text that is shown as it is, dollars and all, but for control characters."""
    text.set_text(_CONTROL.sub("", text.get_text()))
    text.set_parse_math(False)
    text.set_usetex(False)
    return text


@lru_cache(maxsize=8)
def ruler(dpi: float) -> RendererAgg:
    """Renderer that measures texts at some dots an inch: those of the figure may be of another resolution or format."""
    return RendererAgg(1, 1, dpi)  # type: ignore[no-untyped-call]


def tied(name: str) -> str:
    """Name whose dashes between two parts stay on the line of the part before."""
    return name.replace(" - ", "\u00a0- ")


def lines_of(name: str, letters: int) -> list[str]:
    """Lines of a name of so many letters at most; none begins with the dash between two parts of it.

    Examples
    --------
    >>> [line.replace("\u00a0", " ") for line in lines_of("Parc de la Noue - Picasso", 16)]
    ['Parc de la', 'Noue - Picasso']
    """
    return wrap(tied(name), letters, break_long_words=False)


def wrapped(text: str, letters: int) -> str:
    """Text over lines of some letters; matplotlib's own wrapping would read it as mathematics."""
    return "\n".join(wrap(text, letters, break_long_words=False))


def lines_within(text: str, points: float, size: float, weight: str = "normal") -> str:
    """Text over lines that are no wider than some points of paper.

    Examples
    --------
    >>> lines_within("Quartiers prioritaires, Saint-Denis", 100, 10).split(chr(10))
    ['Quartiers', 'prioritaires,', 'Saint-Denis']
    """
    font = FontProperties(size=size, weight=weight)
    lines: list[str] = []
    for word in _CONTROL.sub("", text).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        wide = text_to_path.get_text_width_height_descent(longer, font, False)[0]
        if lines and wide <= points:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)
