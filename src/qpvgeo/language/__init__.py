"""French and English: numbers, terms, notes. Every sentence is worded here, once in each language."""

from qpvgeo.language.notes import Note, joined, keys, listed, parts, say
from qpvgeo.language.numbers import LANGUAGES, Lang, number, pointed, share
from qpvgeo.language.terms import metres, semicolon, term, with_colon

__all__ = [
    "LANGUAGES",
    "Lang",
    "Note",
    "joined",
    "keys",
    "listed",
    "metres",
    "number",
    "parts",
    "pointed",
    "say",
    "semicolon",
    "share",
    "term",
    "with_colon",
]
