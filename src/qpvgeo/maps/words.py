"""Words on maps, in French and English, and the line that says where data come from."""

import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pandas as pd

import qpvgeo
from qpvgeo import catalog, schema
from qpvgeo.errors import UsageError
from qpvgeo.samples import FICTIONAL
from qpvgeo.wording import LANGUAGES, number

__all__ = ["metres", "say", "source_line", "with_colon"]

_NAMED = 2
_OF_ADDRESSES = {"code_insee", "nom_voie", "lon", "lat"}
"""Columns by which addresses of the Base Adresse Nationale are known."""

_FRENCH = {
    "Source": "Source",
    FICTIONAL: "Données fictives : l'exemple de qpvgeo ne décrit aucun lieu réel.",
    "geography of": "géographie",
    "release": "version",
    "population of": "population",
    "grid of": "carreaux",
    "QPV": "QPV",
    "Commune limit": "Limite de commune",
    "Priority neighbourhoods (QPV)": "Quartiers prioritaires (QPV)",
    "not known": "non connu",
    "no QPV": "aucun QPV",
    "share of people in QPV": "part des habitants en QPV",
    "share of ground in QPV": "part de la surface en QPV",
    "people in QPV": "habitants en QPV",
    "number of QPV": "nombre de QPV",
    "ground in QPV (km²)": "surface en QPV (km²)",
    "share estimated by area": "part estimée par la surface",
    "number of QPV whose people are known": "nombre de QPV dont les habitants sont connus",
    "households": "ménages",
    "poor households": "ménages pauvres",
    "sum of living standards (euros a year)": "somme des niveaux de vie (euros par an)",
    "column": "colonne",
    "people": "habitants",
    "people per cell": "habitants par carreau",
    "poverty rate": "taux de pauvreté",
    "poverty rate of households": "taux de pauvreté des ménages",
    "poverty rate of people": "taux de pauvreté des habitants",
    "mean living standard (euros a year)": "niveau de vie moyen (euros par an)",
    "imputed": "imputé",
    "cells of": "carreaux de",
    "by commune": "par commune",
    "by epci": "par EPCI",
    "by ept": "par EPT ou EPCI",
    "by department": "par département",
    "by region": "par région",
    "kept": "conservé",
    "gained": "gagné",
    "lost": "perdu",
    "limit of": "limite de",
    "in a QPV": "dans un QPV",
    "within": "à moins de",
    "beyond": "à plus de",
    "out": "hors QPV",
    "unknown": "inconnu",
    "addresses": "adresses",
    "estimate": "estimation",
    "the most there can be": "maximum possible",
    "the least there can be": "minimum possible",
    "not on this map": "hors de cette carte",
    "good": "fiable",
    "not given": "non donné",
    "estimate, good": "estimation fiable",
    "estimate, with a warning": "estimation à lire avec prudence",
    "estimate, not given": "estimation non donnée",
    "around Paris": "autour de Paris",
    "the island": "l'île de l'exemple",
    "scale": "échelle",
    "a dot for each QPV": "un point par QPV",
    "People of fiscal households, estimated from cells": "Personnes des ménages fiscaux, estimées par carreaux",
    "From the QPV of": "Des QPV de",
    "to those of": "à ceux de",
    "QPV without an outline in the file, not shown": "QPV sans contour dans le fichier, non représentés",
    "Addresses and QPV": "Adresses et QPV",
    "France": "France",
    "N": "N",
}


_ENGLISH = {"by epci": "by EPCI", "by ept": "by EPT or EPCI"}


def say(text: str, lang: str) -> str:
    """Give a phrase in a language; what has no French stays.

    Examples
    --------
    >>> say("no QPV", "fr"), say("no QPV", "en")
    ('aucun QPV', 'no QPV')
    """
    if lang not in LANGUAGES:
        raise UsageError(f"There is no language {lang!r}.", way_out=f"Ones: {', '.join(LANGUAGES)}.")
    return (_FRENCH if lang == "fr" else _ENGLISH).get(text, text)


def with_colon(text: str, lang: str) -> str:
    """Words before a colon: French puts a space there."""
    return f"{text}\u00a0:" if lang == "fr" else f"{text}:"


def metres(value: float, lang: str) -> str:
    r"""A length in metres or kilometres.

    Examples
    --------
    >>> metres(500, "fr"), metres(2500, "fr"), metres(20000, "en")
    ('500\xa0m', '2,5\xa0km', '20\xa0km')
    """
    if value < 1_000:
        return f"{number(value, lang)}\u00a0m"
    km = value / 1_000
    return f"{number(km, lang, 0 if float(km).is_integer() else 1)}\u00a0km"


def source_line(
    frames: Iterable[pd.DataFrame | None],
    lang: str,
    *,
    width: int = 110,
    regions: Collection[str] | None = None,
    notes: Iterable[str] = (),
) -> str:
    """Where the data of a map come from: producer, file, vintage and release, licence; or that they are fictional.

    Parameters
    ----------
    frames
        Frames with the provenance that the readers give; addresses are known by their columns too; others say nothing.
    lang
        Language.
    width
        Characters of a line.
    regions
        Regions that the map shows: files that hold none of them are left out.
    notes
        Sentences that follow, each on lines of its own.

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
        fictional = schema.is_fictional(frame)
        for record in _records(frame, made_up=schema.is_fictional(*known)):
            name, held = str(record.get("file", "")), record.get("regions")
            absent = held is not None and not (set(held) & set(held if regions is None else regions))
            if name in seen or absent:
                continue
            seen.add(name)
            record = _completed(record)  # noqa: PLW2901 - the same record, with what the catalogue knows
            who = ("", "") if fictional else (record.get("producer") or "", record.get("licence") or "")
            told.setdefault(who, {}).setdefault(_dated(record, lang), []).append(name or say("addresses", lang))
    parts = []
    for (producer, licence), files in told.items():
        shown = [_listed(names) + (f" ({dated})" if dated else "") for dated, names in files.items()]
        parts.append(", ".join(word for word in (producer, *shown, licence) if word))
    between = "\u00a0; " if lang == "fr" else "; "
    line = with_colon(say("Source", lang), lang) + " " + between.join(parts) if parts else ""
    made = f"qpvgeo\u00a0{qpvgeo.__version__}"
    said = [f"{line}. {made}" if line else made, *notes]
    lines = [
        part for text in said for part in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    ]
    if schema.is_fictional(*known):
        lines.append(say(FICTIONAL, lang))
    return "\n".join(lines)


def _records(frame: pd.DataFrame, *, made_up: bool) -> list[dict[str, Any]]:
    """Files of a frame; addresses of the national base are known by their columns, but on a map of the sample."""
    files: list[dict[str, Any]] = schema.provenance(frame).get("files", [])
    if not files and not made_up and set(frame.columns) >= _OF_ADDRESSES:
        return [{"kind": "addresses", "producer": "BAN"}]
    return files


def _completed(record: dict[str, Any]) -> dict[str, Any]:
    """Record of a file with what the catalogue says of its name, or of other files of its kind and producer."""
    named = [one for one in catalog.CATALOG.values() if record.get("file") in one.filenames]
    if named and not record.get("producer"):
        one = named[0]
        record = {"kind": one.kind, "vintage": one.vintage, "release": one.release, "producer": one.producer, **record}
    asked = (record.get("producer"), record.get("kind"))
    same = named or [one for one in catalog.CATALOG.values() if (one.producer, one.kind) == asked]
    return {**record, "licence": same[0].licence if same else None}


def _listed(names: Sequence[str]) -> str:
    """Names of files of one kind and date: all of two, else the first and how many more."""
    return ", ".join(names) if len(names) <= _NAMED else f"{names[0]} + {len(names) - 1}"


def _dated(record: dict[str, Any], lang: str) -> str:
    """Vintage and release of a file."""
    kind, vintage = record.get("kind"), record.get("vintage")
    said = []
    if kind == "perimeters" and vintage:
        said.append(f"{say('geography of', lang)} {vintage}")
    elif kind == "population" and record.get("reference_year"):
        said.append(f"{say('population of', lang)} {record['reference_year']}")
    elif kind == "grid" and vintage:
        said.append(f"{say('grid of', lang)} {vintage}")
    elif record.get("cog_year"):
        said.append(f"COG {record['cog_year']}")
    if record.get("release"):
        said.append(f"{say('release', lang)} {record['release']}")
    return ", ".join(said)
