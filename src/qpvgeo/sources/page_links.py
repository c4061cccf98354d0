"""Files that a page or a data set lists: data.gouv.fr and api.insee.fr in JSON, statistics pages of insee.fr in HTML.

Addresses that carry the stamp of a revision do not last; the page that lists the file does. Links are compared by the
published name of the file, in any case.
"""

import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any

from qpvgeo.formats.file_names import plain

__all__ = ["links", "served_name"]

_LINKED = ("url", "accessURL", "downloadURL")
_DATED = ("last_modified", "modified")
_FORMS = ("_csv.zip", ".csv", ".parquet", ".zip", ".xlsx", ".xls")
"""Endings of the files taken where no published name is known, the preferred first."""

_FILE = re.compile(r"/fichier/|/resources/|/file/|/files/")


def served_name(url: str) -> str:
    """Name under which an address serves its file, made safe for any disk.

    Examples
    --------
    >>> served_name("https://www.insee.fr/fr/statistiques/fichier/8186239/TAG_QPV2024_2025_csv.zip")
    'TAG_QPV2024_2025_csv.zip'
    """
    last = urllib.parse.unquote(urllib.parse.urlsplit(url).path).rpartition("/")[2]
    return plain(re.sub(r"[^\w.-]", "_", last).lstrip(".") or "download")


def links(body: bytes, page: str, names: Sequence[str]) -> list[str]:
    """Addresses of a file among those that a page or a data set lists.

    Parameters
    ----------
    body
        What the page serves, JSON or HTML.
    page
        Its address, which relative links start from.
    names
        Published names of the file, the preferred first; without any, the one file in the best form.

    Returns
    -------
    list of str
        The best first: in the order of `names`, then the latest. Empty when the file is not listed.

    Examples
    --------
    >>> page = b'<a href="/fr/statistiques/fichier/8186239/TAG_QPV2024_2025_csv.zip">csv</a>'
    >>> links(page, "https://www.insee.fr/fr/statistiques/8186239", ["TAG_QPV2024_2025_csv.zip"])
    ['https://www.insee.fr/fr/statistiques/fichier/8186239/TAG_QPV2024_2025_csv.zip']
    """
    found = {url: dated for link, dated in _listed(body) if (url := _joined(page, link)) is not None}
    # the latest first, and as the page lists them where it does not say
    latest = sorted(found, key=found.__getitem__, reverse=True)
    if not names:
        files = [url for url in latest if _FILE.search(url) and _form(url) < len(_FORMS)]
        return sorted(files, key=_form)[:1]
    wanted = [PurePosixPath(name).name.lower() for name in names]
    ranked = [(_rank(url, wanted), url) for url in latest]
    return [url for rank, url in sorted(ranked, key=lambda pair: pair[0]) if rank < len(wanted)]


def _joined(page: str, link: str) -> str | None:
    """Address of a link; None for what is not one, or leaves TLS."""
    try:
        url = urllib.parse.urljoin(page, link)
        scheme = urllib.parse.urlsplit(url).scheme
    except ValueError:
        return None
    return url if scheme == "https" or scheme == urllib.parse.urlsplit(page).scheme == "http" else None


def _rank(url: str, wanted: Sequence[str]) -> int:
    """Place of the name of an address among those wanted; an interface leaves the ending out."""
    served = served_name(url).lower()
    matches = [i for i, name in enumerate(wanted) if served in (name, name.removesuffix(".zip"))]
    return matches[0] if matches else len(wanted)


def _form(url: str) -> int:
    served = served_name(url).lower()
    return next((i for i, ending in enumerate(_FORMS) if served.endswith(ending)), len(_FORMS))


def _listed(body: bytes) -> Iterator[tuple[str, str]]:
    """Links of a page, with the day of their file where it is said."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith(("{", "[")):
        try:
            yield from _of_json(json.loads(text))
        except (ValueError, RecursionError):
            return
    else:
        reader = _Anchors()
        reader.feed(text)
        yield from ((link, "") for link in reader.found)


def _of_json(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever the interface sends
    if isinstance(value, dict):
        dated = next((str(value[name]) for name in _DATED if value.get(name)), "")
        yield from ((value[name], dated) for name in _LINKED if isinstance(value.get(name), str))
    inside: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inside:
        yield from _of_json(one)


class _Anchors(HTMLParser):
    """Targets of the links of a page, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href")
        if tag == "a" and target:
            self.found.append(target)
