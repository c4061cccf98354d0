"""HTML of the page: scripts and styles of the package and of Leaflet, put into one template."""

import base64
import hashlib
import json
import re
from functools import cache
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.language.notes import keys, say

__all__ = ["page_html"]

_ASSETS = files(__package__).joinpath("assets")

_SCRIPTS = ("decode.js", "wording.js", "drawing.js", "printing.js", "panel.js", "start.js")
"""Scripts of the page, in the order in which they are written into it."""

_WHEELS = (
    ("django-js-lib-leaflet", "js_lib_leaflet/static/js_lib_leaflet/leaflet"),
    ("XStatic-Leaflet", "xstatic/pkg/leaflet/data/leaflet"),
)
"""Distributions that carry Leaflet, and where its files are in each, without their ending."""

_PICTURES = re.compile(r"background-image:\s*url\(images/[^)]*\);?")
_WORDS = "page."
"""Room of the phrases of the page itself."""


@cache
def leaflet() -> tuple[str, str]:
    """Script and style of Leaflet, from the first wheel that has it; nothing of the wheel is imported.

    Raises
    ------
    UsageError
        None is installed.
    """
    for name, stem in _WHEELS:
        try:
            held = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found = [Path(str(held.locate_file(f"{stem}.{ending}"))).read_text("utf-8") for ending in ("js", "css")]
        # its pictures would be asked from a server, and none is used
        return _inline(found[0]), _PICTURES.sub("", found[1])
    raise UsageError(Note("maps.page_needs_leaflet"), way_out=Note("maps.page_install", extra="page"))


def _inline(script: str) -> str:
    """A script that may stand between tags; no address of a map of its source."""
    return re.sub(r"//# sourceMappingURL=\S*", "", script).replace("</script", r"<\/script")


def _asset(name: str) -> str:
    return _ASSETS.joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Digest by which the policy of the page lets a script or style through."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def words(lang: str) -> dict[str, str]:
    """Words of the page itself, `#` where a number goes."""
    names = [key.removeprefix(_WORDS) for key in keys() if key.startswith(_WORDS)]
    return {name: say(f"page.{name}", {}, lang) for name in names}


def page_html(title: str, lang: str, data: str, sources: list[str]) -> str:
    """The whole page.

    Parameters
    ----------
    title, lang
        Title and language.
    data
        What `coding.Streams.packed` gives.
    sources
        Lines below the map.

    Raises
    ------
    UsageError
        The extra `page` is not installed.
    """
    try:
        from jinja2 import Environment  # noqa: PLC0415 - the extra
    except ImportError as error:
        raise UsageError(Note("maps.page_needs_jinja"), way_out=Note("maps.page_install", extra="page")) from error
    library, style = leaflet()
    own = "(() => {\n'use strict';\n" + "\n".join(_asset(name) for name in _SCRIPTS) + "\n})();\n"
    styles = [style, _asset("page.css")]
    scripts = [library, own]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {' '.join(map(_digest, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    said = words(lang)
    made: dict[str, Any] = {"title": title, "lang": lang, "policy": policy, "data": data, "sources": sources}
    made |= {"library": library, "script": own, "styles": styles, "words": said}
    made["words_json"] = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_asset("page.html.j2"))
    return template.render(**made)
