"""What the published name of an indicator says: what is counted, of which year, in which unit, of which theme.

Insee writes the year into the names of its columns, in several ways: `DISP_MED_A21` and `disp_q2_a17` by QPV,
`DISP_TP6021` by IRIS, `P21_POP` in the census. Names that drift from one year to the next are brought to one.
"""

import re
from typing import Literal, NamedTuple

from qpvgeo.formats.text_tables import normalise

__all__ = ["IDENTIFYING", "Named", "Unit", "named"]

Unit = Literal["EUR", "%", "ratio", "index", "number"]

_WITH_LETTER = re.compile(r"(?P<what>.+?)_a(?P<year>\d\d)")
_OF_INCOME = re.compile(r"(?P<what>(?:disp|dec)_[a-z]+(?:\d*[a-z]+)?(?:\d\d|\d)??)(?P<year>\d\d)")
_OF_CENSUS = re.compile(r"(?P<kind>[pc])(?P<year>\d\d)_(?P<what>.+)")
_WITH_YEAR = re.compile(r"(?P<what>.+?)_?(?P<year>(?:19|20)\d\d)")

_SAME = {"disp_q2": "disp_med", "dec_q2": "dec_med", "tp60": "disp_tp60", "taux_pauvrete_60": "disp_tp60"}

_UNITS: tuple[tuple[Unit, re.Pattern[str]], ...] = (
    ("EUR", re.compile(r"(disp|dec)_(med|q[13]|d[1-9])")),
    ("ratio", re.compile(r"(disp|dec)_(rd|s80s20)")),
    ("index", re.compile(r"(disp|dec)_gi|indice.*")),
    ("%", re.compile(r"(disp|dec)_(tp\d\d|p[a-z]+)|(taux|tx|part|pct)_?.*")),
    ("number", re.compile(r"(nombre|nb|eff|pop|p|c|ind|men|log)(_.*|$)|pop[a-z]*(_.*|$)")),
)

IDENTIFYING = re.compile(
    r"(lib|nom|name|label|liste?|list|code|siren|insee|cod)(?!\w*(?:taux|part|pct|nb)).*|"
    r"cog|com|commune|iris|typ_iris|reg|region|dep|departement|epci|epci2|ept|uu\w*|fid|id|qp|qpv|annee|year|millesime|an|"
    r"(geo|obs|time|freq)(_.*)?"
)
"""Names of columns that say which unit a row is of, and of which year."""


class Named(NamedTuple):
    """Parts of the name of a column."""

    indicator: str
    year: int | None
    unit: Unit | None
    theme: str | None


def named(column: str) -> Named:
    """Parts of a published name; the indicator in lower case, without its year.

    Examples
    --------
    >>> named("DISP_MED_A21")
    Named(indicator='disp_med', year=2021, unit='EUR', theme='income')
    >>> named("disp_q2_a17").indicator, named("DISP_TP6021")[:3], named("P21_POP")[:3]
    ('disp_med', ('disp_tp60', 2021, '%'), ('p_pop', 2021, 'number'))
    >>> named("taux_d_emploi")
    Named(indicator='taux_d_emploi', year=None, unit='%', theme=None)
    """
    name = normalise(column)
    what, year = name, None
    if found := _WITH_YEAR.fullmatch(name) if not name.startswith(("disp_", "dec_")) else None:
        what, year = found["what"], int(found["year"])
    elif found := _OF_CENSUS.fullmatch(name):
        what, year = f"{found['kind']}_{found['what']}", 2000 + int(found["year"])
    elif found := _WITH_LETTER.fullmatch(name) or _OF_INCOME.fullmatch(name) or _WITH_YEAR.fullmatch(name):
        what, year = found["what"], 2000 + int(found["year"])
    what = _SAME.get(what, what)
    unit = next((unit for unit, pattern in _UNITS if pattern.fullmatch(what)), None)
    theme = "income" if what.startswith(("disp_", "dec_")) else "population" if _OF_CENSUS.fullmatch(name) else None
    return Named(what, year, unit, theme)
