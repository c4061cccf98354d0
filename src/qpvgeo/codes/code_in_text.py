"""The code of a QPV that stands in a name: "QP059001 - Les Oliveaux", "Quartier Bourgogne (QN05901M)".

Maps drawn by hand have no column of codes, and each shape has one name. It is read where it holds one code and no more,
and where no word says that the code is that of another time or place.
"""

import re

__all__ = ["WORDS", "apart", "codes_in"]

WORDS = "words left out"
"""Repair of a code that stood among words."""

_CODE = re.compile(
    r"(?<![^\W_])Q(?:P\s?(?:\d{3}|02[AB])\s?\d{3}|N\s?(?:\d{3}|02[AB])\s?\d{2}\s?[NMIC])(?![^\W_])",
    re.ASCII | re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:ex|anc|ancien\w*|issue?|hors|sauf|voisin\w*|proche|avant|devenu\w*|remplace\w*)\b\W*(?:\w{1,4}\W+){0,2}$",
    re.IGNORECASE,
)
_SUM = re.compile(r"\W*(?:sous\W*)?(?:total|totaux|ensemble|dont)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")
_EDGES = " \t\n()[]{}-–—:;,/|_.«»\"'"


def apart(text: str) -> tuple[str, str] | None:
    """Code of a QPV in a text, in its published form, and the name beside it; None where there is no single one.

    Examples
    --------
    >>> apart("QP059001 - Les Oliveaux"), apart("Quartier Bourgogne (qn 059 01 m)")
    (('QP059001', 'Les Oliveaux'), ('QN05901M', 'Quartier Bourgogne'))
    >>> apart("QP059001 et QP059002"), apart("Bourgogne (ex QP059002)"), apart("Total QP059001"), apart("Bourgogne")
    (None, None, None, None)
    """
    codes, first = codes_in(text), _CODE.search(text)
    if first is None or len(codes) > 1 or _OTHER.search(text[: first.start()]) or _SUM.match(text):
        return None
    rest = [piece.strip(_EDGES) for piece in _CODE.split(text)]
    name = " ".join(filter(None, rest))
    return (codes.pop(), name) if _WORD.search(name) else None


def codes_in(text: str) -> set[str]:
    """What has the form of a code of a QPV in a text.

    Examples
    --------
    >>> sorted(codes_in("QN05901M ex QP059002"))
    ['QN05901M', 'QP059002']
    """
    return {"".join(one[0].split()).upper() for one in _CODE.finditer(text)}
