"""French for the tables of the command line.

Whole phrases first; the sentences that the library composes are translated piece by piece, on their fixed words. A
phrase that is not here stays in English: better than half a translation.
"""

import re

from qpvgeo.language.notes import Note
from qpvgeo.language.terms import term, terms

__all__ = ["say"]


_PIECES: list[tuple[str, str]] = [
    (r"no denominator for", "pas de dénominateur pour"),
    (r"no population for (\d+) QPV", r"pas de population pour \1 QPV"),
    (r"census of the people not stated for", "recensement des habitants non indiqué pour"),
    (r"census of the people not stated", "recensement des habitants non indiqué"),
    (r"over that of (\d+)", r"sur celui de \1"),
    (r"over the population given", "sur la population donnée"),
    (r"it would be", "ce serait"),
    (r"(\d+) stands for (\d+)", r"\1 tient lieu de \2"),
    (r"population of the unit: census not stated", "population de l'unité : recensement non indiqué"),
    (r"population of the unit: census of (\d+)", r"population de l'unité : recensement de \1"),
    (r"people in QPV: those of (\d+)", r"habitants en QPV : ceux de \1"),
    (r"people in QPV: year not stated", "habitants en QPV : année non indiquée"),
    (r"people shared out by area between units", "habitants répartis entre unités selon la surface"),
    (r"area without (\d+) QPV that have no outline", r"surface sans \1 QPV qui n'ont pas de contour"),
    (r": census of (\d+)", r" : recensement de \1"),
    (r"(\d+) of the (\d+) QPV of", r"\1 des \2 QPV de"),
]


def say(text: str, lang: str) -> str:
    """Give a phrase in a language.

    Examples
    --------
    >>> say("no population for 3 QPV (Saint-Martin)", "fr")
    'pas de population pour 3 QPV (Saint-Martin)'
    >>> say("Share", "en")
    'Share'
    """
    if isinstance(text, Note):
        return text.say(lang)
    if text in terms():
        return term(text, lang)
    if lang != "fr" or not text:
        return text
    for pattern, french in _PIECES:
        text = re.sub(pattern, french, text)
    return re.sub(r"(\d)\.(\d+)%", r"\1,\2 %", text)
