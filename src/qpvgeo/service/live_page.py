"""The atlas served live: the page of `qpvgeo.maps.page`, with questions to the service put into it.

The page itself is not rewritten: a style, a section and a script are added, and its policy lets the script ask this
host and no other.
"""

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from qpvgeo.errors import DataError
from qpvgeo.language import LANGUAGES, Lang, Note
from qpvgeo.language.notes import keys, say
from qpvgeo.maps.interactive.pages import page
from qpvgeo.service.served_data import Held
from qpvgeo.service.zipped_page import ZippedPage

__all__ = ["live_html", "with_pages"]

_ROOM = "live."
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_OWN = "connect-src 'self'; frame-ancestors 'self'"


def with_pages(held: Held, *, addresses: bool = False) -> Held:
    """The same, with the page of the atlas in each language; `addresses` whether a geocoder may be asked."""
    layers = [held.qpv[vintage] for vintage in held.vintages]
    figures = [held.population[vintage] for vintage in held.vintages if vintage in held.population]
    languages: tuple[Lang, ...] = ("en", "fr")
    for lang in languages:
        made = page(layers, held.land, figures=figures, lang=lang)
        html, policy = live_html(made.html, lang, addresses=addresses)
        held.pages[lang] = ZippedPage.of(html, policy)
    return held


def live_html(html: str, lang: str, *, addresses: bool = False) -> tuple[str, str]:
    """A page with what asks the service, and its policy.

    Parameters
    ----------
    html
        What `qpvgeo.maps.page` gives.
    lang
        Its language.
    addresses
        Whether addresses are searched for too.

    Raises
    ------
    DataError
        The page has not the parts that are added to.
    """
    said = words(lang)
    script, style = _asset("live.js"), _asset("live.css")
    found = _POLICY.search(html)
    # the map does not exist yet when ours runs, between the library and the script of the page
    last = html.rfind("<script>")
    opened = html.find('<section id="controls"')
    section = html.find(">", opened) + 1
    head = html.find("</head>")
    if found is None or min(last, opened, head) < 0:
        raise DataError(Note("service.other_page"))
    policy = found[1].replace("&#39;", "'")
    policy = policy.replace("script-src ", f"script-src {_digest(script)} ").replace(
        "style-src ", f"style-src {_digest(style)} "
    )
    policy = f"{policy}; {_OWN}"
    parts = [
        html[: found.start()],
        html[found.end() : head],
        f"<style>{style}</style>\n",
        html[head:section],
        _section(said, lang, addresses=addresses),
        html[section:last],
        f'<script type="application/json" id="live-words">{_json(said)}</script>\n<script>{script}</script>\n',
        html[last:],
    ]
    return "".join(parts), policy


def words(lang: str) -> dict[str, str]:
    """Words of what is added to the page."""
    names = [key.removeprefix(_ROOM) for key in keys() if key.startswith(_ROOM)]
    return {name: say(f"{_ROOM}{name}", {}, lang) for name in names}


def _section(said: dict[str, str], lang: str, *, addresses: bool) -> str:
    from jinja2 import Environment  # noqa: PLC0415 - the extra, which the page has asked for

    other = next(one for one in LANGUAGES if one != lang)
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_asset("live.html.j2"))
    return template.render(words=said, lang=lang, other=other, addresses=addresses)


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
