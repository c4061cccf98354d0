"""Fixed terms of tables, maps and notes, in English and in French: the glossary is `terms.csv`."""

import csv
from functools import cache
from importlib.resources import files

from qpvgeo.language.numbers import LANGUAGES, number, typeset

__all__ = ["metres", "semicolon", "term", "terms", "with_colon"]


@cache
def terms() -> dict[str, dict[str, str]]:
    """Every term known, with its wording in each language."""
    text = files("qpvgeo.language").joinpath("terms.csv").read_text(encoding="utf-8")
    return {
        row["term"]: {"en": row["english"] or row["term"], "fr": typeset(row["french"])}
        for row in csv.DictReader(text.splitlines())
    }


def term(text: str, lang: str) -> str:
    """Give a term in a language; one that is not in the glossary stays as it is.

    Raises
    ------
    ValueError
        The language is neither `en` nor `fr`.

    Examples
    --------
    >>> term("no QPV", "fr"), term("no QPV", "en")
    ('aucun QPV', 'no QPV')
    """
    if lang not in LANGUAGES:
        raise ValueError(f"{lang!r} is not a language: use {' or '.join(LANGUAGES)}")
    known = terms().get(text)
    return text if known is None else known[lang]


def with_colon(text: str, lang: str) -> str:
    """Put a colon after a term: French sets a narrow no-break space before it."""
    return f"{text}\u202f:" if lang == "fr" else f"{text}:"


def semicolon(lang: str) -> str:
    """Semicolon between two texts: French sets a narrow no-break space before it."""
    return "\u202f; " if lang == "fr" else "; "


def metres(value: float, lang: str) -> str:
    r"""Format a length in metres, or in kilometres from 1,000 m.

    Examples
    --------
    >>> metres(500, "fr"), metres(2500, "fr"), metres(20000, "en")
    ('500\xa0m', '2,5\xa0km', '20\xa0km')
    """
    if value < 1_000:
        return f"{number(value, lang)}\u00a0m"
    km = value / 1_000
    return f"{number(km, lang, 0 if float(km).is_integer() else 1)}\u00a0km"
