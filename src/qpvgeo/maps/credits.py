"""Words on maps, in French and English, and the line that says where data come from."""

import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pandas as pd

from qpvgeo._version import __version__
from qpvgeo.frames import provenance
from qpvgeo.language.terms import semicolon, term, with_colon
from qpvgeo.samples import FICTIONAL
from qpvgeo.sources import catalog

__all__ = ["origin", "source_line"]

_NAMED = 2

_COUNTED = ("population", "grid")
"""Kinds of files that count people: of a frame made of several files, those that its figures come from."""

_HELD = {
    "perimeters": "QPV perimeters",
    "boundaries": "commune boundaries",
    "communes": "list of communes",
    "epci": "list of EPCI",
    "population": "populations of QPV",
}
"""What files of a kind hold, for those that are published under another name or by nobody."""

_OF_ADDRESSES = {"code_insee", "nom_voie", "lon", "lat"}
"""Columns by which addresses of the Base Adresse Nationale are known."""


def source_line(
    frames: Iterable[pd.DataFrame | None],
    lang: str,
    *,
    width: int | None = None,
    regions: Collection[str] | None = None,
    notes: Iterable[str] = (),
    own: str | None = None,
) -> str:
    """Where the data of a map come from: producer, title, vintage and release, licence; or that they are fictional.

    A file that is published under its name is cited by its title, another by what it holds or by its name.

    Parameters
    ----------
    frames
        Frames with the provenance that the readers give; addresses are known by their columns too; others say nothing.
    lang
        Language.
    width
        Most characters of a line; by default each sentence is one line, for whoever knows how wide it may be.
    regions
        Regions that the map shows: files that hold none of them are left out.
    notes
        Sentences that follow, each on lines of its own.
    own
        Sources that the caller adds to those of the files.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> print(source_line([qg.read_qpv(qg.sample().qpv_2015)], "en"))  # doctest: +ELLIPSIS
    Source: ... (geography of 2015). qpvgeo...
    Fictional data: the sample of qpvgeo describes no real place.
    """
    known = [frame for frame in frames if frame is not None]
    told: dict[tuple[str, str], dict[str, list[str]]] = {}
    seen: set[str] = set()
    for frame in known:
        fictional = provenance.is_fictional(frame)
        for record in _records(frame, made_up=provenance.is_fictional(*known)):
            name, held = str(record.get("file", "")), record.get("regions")
            absent = held is not None and not (set(held) & set(held if regions is None else regions))
            if name in seen or absent:
                continue
            seen.add(name)
            record = _completed(record)  # noqa: PLW2901 - the same record, with what the catalogue knows
            who = ("", "") if fictional else (record.get("producer") or "", record.get("licence") or "")
            title = _title(record, lang) if not fictional else name
            dated = _dated(record, lang)
            told.setdefault(who, {}).setdefault(dated, []).append(title or term("addresses", lang))
    parts = []
    for (producer, licence), files in told.items():
        shown = [_listed(names) + (f" ({dated})" if dated else "") for dated, names in files.items()]
        parts.append(", ".join(word for word in (producer, *shown, licence) if word))
    parts += [own] if own else []
    line = with_colon(term("Source", lang), lang) + " " + semicolon(lang).join(parts) if parts else ""
    made = f"qpvgeo\u00a0{__version__}"
    said = [f"{line}. {made}" if line else made, *notes]
    most = sys.maxsize if width is None else width
    lines = [
        part for text in said for part in textwrap.wrap(text, most, break_long_words=False, break_on_hyphens=False)
    ]
    if provenance.is_fictional(*known):
        lines.append(term(FICTIONAL, lang))
    return "\n".join(lines)


def origin(frame: pd.DataFrame, lang: str) -> str:
    """Where the figures of a frame come from, in few words: producer and year, or the file where it is fictional.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> origin(qg.read_population(qg.sample().population_2024), "fr")
    'pop_QPV24.csv (population 2020)'
    """
    records = [_completed(record) for record in _records(frame, made_up=provenance.is_fictional(frame))]
    counted = [record for record in records if record.get("kind") in _COUNTED] or records
    said = []
    for record in counted:
        who = "" if provenance.is_fictional(frame) else record.get("producer") or ""
        dated = _dated(record, lang)
        name = who or str(record.get("file", ""))
        said.append(f"{name} ({dated})" if dated and name else name or dated)
    return ", ".join(dict.fromkeys(word for word in said if word))


def _records(frame: pd.DataFrame, *, made_up: bool) -> list[dict[str, Any]]:
    """Files of a frame; addresses of the national base are known by their columns, but on a map of the sample."""
    files: list[dict[str, Any]] = provenance.provenance(frame).get("files", [])
    if not files and not made_up and set(frame.columns) >= _OF_ADDRESSES:
        return [{"kind": "addresses", "producer": "BAN"}]
    return files


def _completed(record: dict[str, Any]) -> dict[str, Any]:
    """Record of a file with what the catalogue says of its name, or of other files of its kind and producer."""
    known = catalog.of_file(str(record.get("file", "")))
    named = [] if known is None else [known]
    if named and not record.get("producer"):
        one = named[0]
        record = {"kind": one.kind, "vintage": one.vintage, "release": one.release, "producer": one.producer, **record}
    asked = (record.get("producer"), record.get("kind"))
    same = named or [one for one in catalog.CATALOG.values() if (one.producer, one.kind) == asked]
    return {**record, "licence": same[0].licence if same else None}


def _title(record: dict[str, Any], lang: str) -> str:
    """Title of a published file; of one under a name that nobody publishes, what it holds, or else its name."""
    name = str(record.get("file", ""))
    known = catalog.of_file(name)
    if known is None:
        kind = str(record.get("kind"))
        return term(_HELD[kind], lang) if kind in _HELD else name
    return known.french if lang == "fr" and known.french else known.title


def _listed(names: Sequence[str]) -> str:
    """Names of files of one kind and date: all of two, else the first and how many more."""
    return ", ".join(names) if len(names) <= _NAMED else f"{names[0]} + {len(names) - 1}"


def _dated(record: dict[str, Any], lang: str) -> str:
    """Vintage and release of a file."""
    kind, vintage = record.get("kind"), record.get("vintage")
    said = []
    if kind == "perimeters" and vintage:
        said.append(f"{term('geography of', lang)} {vintage}")
    elif kind == "population" and record.get("reference_year"):
        said.append(f"{term('population of', lang)} {record['reference_year']}")
    elif kind == "grid" and vintage:
        said.append(f"{term('grid of', lang)} {vintage}")
    elif record.get("cog_year"):
        said.append(f"COG {record['cog_year']}")
    if record.get("release"):
        said.append(f"{term('release', lang)} {record['release']}")
    return ", ".join(said)
