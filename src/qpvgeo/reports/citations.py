"""How to cite the library and the data that frames were made of, from their provenance."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import pandas as pd

from qpvgeo import settings
from qpvgeo._version import __version__
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import provenance
from qpvgeo.language import LANGUAGES, Note
from qpvgeo.language.terms import term
from qpvgeo.samples import FICTIONAL
from qpvgeo.sources import catalog

__all__ = ["citation", "cite"]

Style = Literal["plain", "bibtex"]
_STYLES = ("plain", "bibtex")

_AUTHORS = "The qpvgeo developers"
_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_SPECIAL |= {sign: f"\\{sign}" for sign in "{}$&%#_"}
_SHOWN_HASH, _KEY_HASH = 16, 8


@judged
def cite(*frames: pd.DataFrame | None, style: Style = "plain", lang: str | None = None) -> str:
    """Cite the library and the files that frames were made of.

    Parameters
    ----------
    *frames
        Frames with the provenance that qpvgeo writes; None and frames of another origin add nothing.
    style
        `plain`, a line for each, or `bibtex`, an entry for each.
    lang
        `en` or `fr`; the language of `qpvgeo.settings` by default.

    Returns
    -------
    str
        The library with its version, then each file once: producer, title, edition, licence, name and the first digits
        of its SHA-256, by which the very bytes can be told. Nothing in it depends on the day. The key of an entry
        depends on its file alone, and stays when other frames are cited too; its `year` is that of the edition (of
        people: of the census), not that of the publication.

    Raises
    ------
    UsageError
        The style, the language or something given is not one: lists all.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> print(qg.cite(qg.read_population(qg.sample().population_2024), lang="en"))  # doctest: +ELLIPSIS
    The qpvgeo developers, qpvgeo ..., Python library, MIT licence.
    pop_QPV24.csv, 2020 (file pop_QPV24.csv, SHA-256 0678d36ba9ff9e32).
    Fictional data: the sample of qpvgeo describes no real place.
    """
    lang = lang or settings.current_language()
    _require(frames, style, lang)
    return citation(frames, lang, style=style)


def citation(
    frames: Iterable[pd.DataFrame | None], lang: str, *, style: Style = "plain", regions: Collection[str] | None = None
) -> str:
    """Cite the library and the files of frames; of some regions, without the files that hold none of them."""
    held = [frame for frame in frames if frame is not None]
    fictional = provenance.is_fictional(*held)
    records = [_Cited(record, lang, fictional=fictional) for record in _files(held, regions)]
    if style == "bibtex":
        keys = [one.key for one in records]
        rows = [keys[: row + 1].count(key) for row, key in enumerate(keys)]
        named = [key if row == 1 else f"{key}-{row}" for key, row in zip(keys, rows, strict=True)]
        return "\n\n".join([_software(lang), *(one.bibtex(key) for key, one in zip(named, records, strict=True))])
    library = Note("reports.cite_library", authors=term(_AUTHORS, lang), version=__version__).say(lang)
    return "\n".join([library, *(one.plain for one in records), *([term(FICTIONAL, lang)] if fictional else [])])


def _require(frames: Iterable[Any], style: str, lang: str) -> None:
    problems: list[str] = []
    if style not in _STYLES:
        problems.append(Note("reports.no_style", style=repr(style), known=list(_STYLES)))
    if lang not in LANGUAGES:
        problems.append(Note("maps.unknown_language", lang=repr(lang), known=[repr(one) for one in LANGUAGES]))
    problems += [
        Note("reports.not_a_frame", kind=type(frame).__name__)
        for frame in frames
        if frame is not None and not isinstance(frame, pd.DataFrame)
    ]
    if problems:
        raise UsageError(Note("reports.cannot_cite"), problems=problems)


def _files(frames: Iterable[pd.DataFrame], regions: Collection[str] | None) -> list[dict[str, Any]]:
    """Records of the files of frames, each once."""
    found = [file for frame in frames for file in provenance.provenance(frame).get("files", [])]
    if regions is not None:
        found = [file for file in found if file.get("regions") is None or not set(regions).isdisjoint(file["regions"])]
    return list({(file.get("sha256"), file.get("member"), file.get("file")): file for file in found}.values())


class _Cited:
    """A file as it is cited."""

    def __init__(self, record: Mapping[str, Any], lang: str, *, fictional: bool) -> None:
        self.record, self.lang, self.fictional = record, lang, fictional
        named = [one for one in catalog.CATALOG.values() if record.get("file") in one.filenames]
        self.dataset = None if fictional or not named else named[0]

    @property
    def producer(self) -> str:
        held = self.dataset.producer if self.dataset else self.record.get("producer")
        return "" if self.fictional else term(held, self.lang) if held else ""

    @property
    def title(self) -> str:
        if self.dataset is None:
            return str(self.record.get("file", ""))
        return self.dataset.french if self.lang == "fr" and self.dataset.french else self.dataset.title

    @property
    def edition(self) -> str:
        """Release, year of the people, year of the lists, or vintage."""
        names = ("release", "reference_year", "cog_year", "vintage")
        held = next((self.record[name] for name in names if self.record.get(name)), None)
        return "" if held is None else str(held)

    @property
    def licence(self) -> str:
        return term(self.dataset.licence, self.lang) if self.dataset and self.dataset.licence else ""

    @property
    def file(self) -> str:
        """Name of the file and first digits of its hash."""
        name, digest = self.record.get("file", ""), str(self.record.get("sha256", ""))[:_SHOWN_HASH]
        key = "reports.cite_file" if digest else "reports.cite_name"
        return Note(key, file=name, digest=digest).say(self.lang)

    @property
    def plain(self) -> str:
        dated = "" if self.edition in self.title else self.edition
        words = ", ".join(part for part in (self.producer, self.title, dated, self.licence) if part)
        return f"{words} ({self.file})."

    @property
    def key(self) -> str:
        """The same for the same bytes, whatever else is cited."""
        digest = str(self.record.get("sha256", ""))[:_KEY_HASH]
        parts = [self.producer or "data", self.record.get("kind") or "file", self.edition, digest]
        return re.sub(r"[^a-z0-9]+", "-", "-".join(str(part) for part in parts if part).lower()).strip("-")

    def bibtex(self, key: str) -> str:
        year = re.match(r"\d{4}", self.edition)
        page = self.dataset.page or self.dataset.url if self.dataset else None
        note = [self.licence, self.file, term(FICTIONAL, self.lang) if self.fictional else ""]
        return _entry(
            "misc",
            key,
            author=f"{{{_escaped(self.producer)}}}" if self.producer else "",
            title=f"{{{_escaped(self.title)}}}",
            year=year[0] if year else "",
            edition=_escaped(self.edition),
            url=page or "",
            note=_escaped(". ".join(part for part in note if part)),
        )


def _software(lang: str) -> str:
    return _entry(
        "software",
        "qpvgeo",
        author=f"{{{_AUTHORS}}}",
        title="{qpvgeo}",
        version=__version__,
        note=_escaped(Note("reports.cite_software").say(lang)),
    )


def _entry(kind: str, key: str, **fields: str) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _escaped(text: str) -> str:
    """Text for LaTeX: its special signs are shown as they are."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
