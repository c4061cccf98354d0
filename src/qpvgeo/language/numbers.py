"""Numbers as people write them, in French or in English."""

import math
import re
from typing import Literal

__all__ = ["LANGUAGES", "Lang", "figures", "megabytes", "number", "pointed", "share", "typeset"]

Lang = Literal["en", "fr"]
LANGUAGES: tuple[Lang, ...] = ("en", "fr")

_BEFORE = re.compile(r"[ \u00a0](?=[;:?!%»](?:\W|$))")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_SMALL_BYTES = 50_000


def typeset(french: str) -> str:
    r"""French as it is printed: narrow no-break spaces before double signs, within guillemets; curved apostrophes.

    Examples
    --------
    >>> typeset("l'aire : 5 % ; « Les Saules »")
    'l’aire\u202f: 5\u202f%\u202f; «\u202fLes Saules\u202f»'
    """
    spaced = _BEFORE.sub("\u202f", french).replace("« ", "«\u202f").replace("«\u00a0", "«\u202f")
    return _APOSTROPHE.sub("’", spaced)


def pointed(text: str) -> str:
    """Text of a number with a decimal point, where it was written with a comma.

    Examples
    --------
    >>> float(pointed("12,5"))
    12.5
    """
    return text.replace(",", ".")


def number(value: float | None, lang: str, digits: int = 0) -> str:
    r"""A number as it is written in the language; a dash when it is not known.

    Examples
    --------
    >>> number(5307455, "en"), number(5307455.25, "fr", 1), number(None, "fr")
    ('5,307,455', '5\u202f307\u202f455,2', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace(",", "\u202f").replace(".", ",") if lang == "fr" else text


def megabytes(size: float | None, lang: str) -> str:
    """A size in bytes as megabytes, to the kilobyte where it is small; a dash when it is not known.

    Examples
    --------
    >>> megabytes(48_300_000, "en"), megabytes(12_345, "fr"), megabytes(3, "en"), megabytes(None, "fr")
    ('48.3', '0,012', '0.001', '–')
    """
    if not size:
        return number(size, lang, 1)
    return number(max(size, 1_000) / 1e6, lang, 3 if size < _SMALL_BYTES else 1)


def figures(value: float, lang: str) -> str:
    r"""A number with the decimals that it needs: two at most from 1 on, six figures below.

    Examples
    --------
    >>> figures(42.27651, "fr"), figures(25.0, "fr"), figures(0.0351, "en")
    ('42,28', '25', '0.0351')
    """
    text = f"{value:.2f}".rstrip("0") if abs(value) >= 1 else f"{value:.6g}"
    return text if "e" in text else number(value, lang, len(text.partition(".")[2]))


def share(value: float | None, lang: str, digits: int = 2) -> str:
    r"""A share as a percentage; a dash when it is not known.

    Examples
    --------
    >>> share(0.0813, "en"), share(0.0813, "fr", 1)
    ('8.13%', '8,1\u202f%')
    """
    if value is None or math.isnan(value):
        return "–"
    return number(100 * value, lang, digits) + ("\u202f%" if lang == "fr" else "%")
