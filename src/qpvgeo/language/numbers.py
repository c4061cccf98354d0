"""Numbers as people write them, in French or in English."""

import math
from typing import Literal

__all__ = ["LANGUAGES", "Lang", "number", "share"]

Lang = Literal["en", "fr"]
LANGUAGES = ("en", "fr")


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


def share(value: float | None, lang: str, digits: int = 2) -> str:
    r"""A share as a percentage; a dash when it is not known.

    Examples
    --------
    >>> share(0.0813, "en"), share(0.0813, "fr", 1)
    ('8.13\xa0%', '8,1\xa0%')
    """
    return "–" if value is None or math.isnan(value) else f"{number(100 * value, lang, digits)}\u00a0%"
