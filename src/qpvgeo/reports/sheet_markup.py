"""HTML and PDF of a sheet: one template, fonts cut to its letters, the map as vectors with its text as text."""

import base64
import io
import logging
import re
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib as mpl
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.axes import Axes

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.language.notes import keys, say
from qpvgeo.maps.export import save

__all__ = ["map_svg", "pdf_of", "sheet_html"]

_ASSETS = files(__package__).joinpath("assets")
_FONTS = {"": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf", "italic": "DejaVuSans-Oblique.ttf"}
"""Faces of the sheet, which matplotlib ships: Bitstream Vera licence."""

_WORDS = "sheet."
"""Room of the phrases of the sheet itself."""

_OUTLINE = re.compile(r'(?<=<path d=")[^"]*')
_SMALL = re.compile(r"(\.\d\d)\d+")
"""Digits of a coordinate below a hundredth of a point."""

_HEAD = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)


def map_svg(ax: Axes, label: str) -> str:
    """A map as an element of the sheet, as wide as its column, with what it shows in words."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        text = save(ax, Path(folder, "map.svg")).read_text(encoding="utf-8")
    text = _OUTLINE.sub(lambda outline: _SMALL.sub(r"\1", outline[0]), _HEAD.sub("", text).strip())
    opening, rest = text.split(">", 1)
    opening = re.sub(r' (?:width|height)="[^"]*"', "", opening)
    return f'{opening} role="img" aria-labelledby="map-title"><title id="map-title">{_escaped(label)}</title>{rest}'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _subset(face: str, letters: str) -> str:
    """A font with some letters alone, as an address that holds it."""
    path = Path(mpl.get_data_path(), "fonts", "ttf", _FONTS[face])
    # the table of pairs says of Latin letters what GPOS does, and is cut in a quarter of the time
    options = subset.Options(legacy_kern=True, notdef_outline=True, hinting=False)
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB"]
    with TTFont(path, recalcTimestamp=False) as font:
        cut = subset.Subsetter(options)
        cut.populate(text=letters)
        cut.subset(font)
        held = io.BytesIO()
        font.save(held)
    return "data:font/ttf;base64," + base64.b64encode(held.getvalue()).decode("ascii")


def sheet_html(content: dict[str, Any], lang: str) -> str:
    """The whole sheet.

    Raises
    ------
    UsageError
        The extra `report` is not installed.
    """
    try:
        from jinja2 import Environment  # noqa: PLC0415 - the extra
    except ImportError as error:
        raise UsageError(Note("reports.needs_jinja"), way_out=Note("reports.install")) from error
    names = [key.removeprefix(_WORDS) for key in keys() if key.startswith(_WORDS)]
    words = {name: say(f"sheet.{name}", {}, lang) for name in names}
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        _ASSETS.joinpath("sheet.html.j2").read_text(encoding="utf-8")
    )
    style = _ASSETS.joinpath("sheet.css").read_text(encoding="utf-8")
    made = {**content, "lang": lang, "words": words, "style": style}
    bare = template.render(**made, fonts={})
    letters = "".join(sorted(set(bare)))
    return template.render(**made, fonts={face: _subset(face, letters) for face in _FONTS})


def pdf_of(html: str) -> bytes:
    """A tagged PDF (PDF/UA-1) of a sheet, by WeasyPrint; the same bytes for the same sheet.

    Raises
    ------
    UsageError
        WeasyPrint, or a library of the system that it needs, is missing.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - the extra
    except (ImportError, OSError) as error:
        raise UsageError(
            Note("reports.needs_weasyprint"), problems=[str(error).splitlines()[0]], way_out=Note("reports.install_pdf")
        ) from error
    log = logging.getLogger("weasyprint")
    level = log.level
    # properties of SVG that its style sheets do not know, and that it draws all the same
    log.setLevel(logging.ERROR)
    try:
        return bytes(HTML(string=html).write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True))
    finally:
        log.setLevel(level)
