"""Words on maps, in French and English, and the line that says where data come from."""

import textwrap
from collections.abc import Iterable
from typing import Any

import pandas as pd

import qpvgeo
from qpvgeo import catalog, schema
from qpvgeo.errors import UsageError
from qpvgeo.samples import FICTIONAL
from qpvgeo.wording import LANGUAGES, number

__all__ = ["metres", "say", "source_line", "with_colon"]

_NAMED = 8

_FRENCH = {
    "Source": "Source",
    FICTIONAL: "Données fictives : l'exemple de qpvgeo ne décrit aucun lieu réel.",
    "geography of": "géographie",
    "release": "version",
    "QPV": "QPV",
    "Commune limit": "Limite de commune",
    "Priority neighbourhoods (QPV)": "Quartiers prioritaires (QPV)",
    "not known": "non connu",
    "no QPV": "aucun QPV",
    "share of people in QPV": "part des habitants en QPV",
    "share of ground in QPV": "part de la surface en QPV",
    "people in QPV": "habitants en QPV",
    "number of QPV": "nombre de QPV",
    "ground in QPV, km2": "surface en QPV, km2",
    "people": "habitants",
    "people per cell": "habitants par carreau",
    "poverty rate": "taux de pauvreté",
    "poverty rate of households": "taux de pauvreté des ménages",
    "poverty rate of people": "taux de pauvreté des habitants",
    "mean living standard, euros a year": "niveau de vie moyen, euros par an",
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
    "and": "et",
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
    "with a warning": "à lire avec prudence",
    "not given": "non donné",
    "estimate, good": "estimation fiable",
    "estimate, with a warning": "estimation à lire avec prudence",
    "estimate, not given": "estimation non donnée",
    "around Paris": "autour de Paris",
    "the island": "l'île de l'exemple",
    "scale": "échelle",
    "to": "à",
    "a dot for each QPV": "un point par QPV",
    "People, estimated from cells": "Habitants, estimés par carreaux",
    "From the QPV of 2015 to those of 2024": "Des QPV de 2015 à ceux de 2024",
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


def source_line(frames: Iterable[pd.DataFrame | None], lang: str, *, width: int = 110) -> str:
    """Where the data of a map come from: producer, file, vintage and release, licence; or that they are fictional.

    Parameters
    ----------
    frames
        Frames with the provenance that the readers give; others say nothing.
    lang
        Language.
    width
        Characters of a line.
    """
    known = [frame for frame in frames if frame is not None]
    told: dict[str, list[str]] = {}
    seen: set[str] = set()
    for frame in known:
        about = schema.provenance(frame)
        for record in about.get("files", []):
            name = str(record.get("file", ""))
            if name not in seen:
                seen.add(name)
                producer, kind = _known(name) if not about.get("fictional") else ("|", "")
                told.setdefault(producer, []).append(name + _dated(about, kind, lang))
    parts = []
    for producer, files in told.items():
        shown = ", ".join(files[:_NAMED]) + (f", + {len(files) - _NAMED}" if len(files) > _NAMED else "")
        who, _, licence = producer.partition("|")
        parts.append(", ".join(word for word in (who, shown, licence) if word))
    line = with_colon(say("Source", lang), lang) + " " + "; ".join(parts) if parts else ""
    made = f"qpvgeo {qpvgeo.__version__}"
    lines = textwrap.wrap(f"{line}. {made}" if line else made, width, break_long_words=False, break_on_hyphens=False)
    if schema.is_fictional(*known):
        lines.append(say(FICTIONAL, lang))
    return "\n".join(lines)


def _known(name: str) -> tuple[str, str]:
    """Producer and licence of a file that the catalogue knows by its name, and its kind."""
    for dataset in catalog.CATALOG.values():
        if name in dataset.filenames:
            return f"{dataset.producer}|{dataset.licence or ''}", dataset.kind
    return "|", ""


def _dated(about: dict[str, Any], kind: str, lang: str) -> str:
    """Vintage and release of what was read from a file."""
    mixed = "attribution" in about
    said = [f"COG {about['cog_year']}"] if about.get("cog_year") else []
    # a coverage is made of files of several kinds, and its vintage is that of the perimeters
    if about.get("vintage") and not said and (kind == "perimeters" or not mixed):
        said = [f"{say('geography of', lang)} {about['vintage']}" if kind == "perimeters" else str(about["vintage"])]
    if about.get("release"):
        said.append(f"{say('release', lang)} {about['release']}")
    return f" ({', '.join(said)})" if said else ""
