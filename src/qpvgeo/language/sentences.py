"""French for the tables of the command line.

Whole phrases first; the sentences that the library composes are translated piece by piece, on their fixed words. A
phrase that is not here stays in English: better than half a translation.
"""

import re
from collections.abc import Callable

from qpvgeo.language.terms import term, terms

__all__ = ["say"]


def _counted(template: str) -> Callable[[re.Match[str]], str]:
    """French for a sentence with counts: a comma sets thousands apart in English, and decimals in French."""
    return lambda found: template.format(*(part.replace(",", "\u202f") for part in found.groups("")))


_LATER = ": a point outside of them may lie in another"
_AUTRE = " : un point hors d'eux peut être dans un autre"

_PIECES: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
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
    (r"(of the [\d,]+) or ([\d,]+ perimeters of)", r"\1 ou \2"),
    (
        rf"([\d,]+) of the ([\d, ou]+) perimeters of (.+?) \((\d+)\) are given{_LATER}",
        _counted("{} des {} périmètres de {} ({}) sont donnés" + _AUTRE),
    ),
    (
        rf"1 of the ([\d, ou]+) perimeters of (.+?) \((\d+)\) is given{_LATER}",
        _counted("1 des {} périmètres de {} ({}) est donné" + _AUTRE),
    ),
    (r"([\d,]+) of ([\d,]+) points lie outside France", _counted("{} points sur {} sont hors de France")),
    (
        r": crs=(\S+) says metres and the values look like degrees",
        r" : crs=\1 dit des mètres, et les valeurs ressemblent à des degrés",
    ),
    (
        r": crs=(\S+) says degrees and the values look like metres",
        r" : crs=\1 dit des degrés, et les valeurs ressemblent à des mètres",
    ),
    (r", where crs=(.+) puts them", r", là où crs=\1 les place"),
    (
        r"([\d,]+) points? ha(?:s|ve) a tolerance that is no distance \(missing, below zero, no number\): too coarse",
        _counted(
            "tolérances qui ne sont pas des distances (absentes, négatives, pas des nombres) : {}, trop grossières"
        ),
    ),
    (
        r"([\d,]+) points? ha(?:s|ve) a tolerance beyond the ([\d,.]+) m that can be told: too coarse",
        _counted("tolérances au-delà des {1} m qui peuvent être dits : {0}, trop grossières"),
    ),
    (
        r"([\d,]+) lines? (?:are|is) not UTF-8 and (?:were|was) read as cp1252",
        _counted("lignes lues en cp1252, faute d'être en UTF-8 : {}"),
    ),
    (
        r"(\d+) perimeters? ha(?:s|ve) no outline in this file: nothing is found in or near",
        r"périmètres sans contour dans ce fichier : \1 ; rien n'est trouvé dedans ni auprès de",
    ),
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
    if lang != "fr" or not text:
        return text
    if text in terms():
        return term(text, lang)
    for pattern, french in _PIECES:
        text = re.sub(pattern, french, text)
    return re.sub(r"(\d)\.(\d+)%", r"\1,\2 %", text)
