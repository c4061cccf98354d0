"""Readings of codes, and the values that fit each: the ground under `qpvgeo.codes.guess`.

A reading is a kind of code (`qpvgeo.codes.clean` recognises and repairs it) with what tells its codes from others of
the same form: the vintage of a QPV, a list of communes or of EPCI, the EPT of the facts. A value that is no single code
may hold several, with separators or run together.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from numbers import Integral
from typing import NamedTuple, TypeAlias

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note

__all__ = ["Cell", "Fits", "Given", "Reading", "given_lists", "plausible", "recognised", "settled", "tried_readings"]

_EPCI_STARTS = ("20", "24")  # what the SIREN of every EPCI with its own taxation starts with

# what codes and their lists are written with; any other text is none
_WRITTEN = re.compile(r"(?=.*\d)[\s\dABCIMNPQ.;,|/]+", re.IGNORECASE | re.DOTALL)
_DECIMALS = re.compile(r"\.0+$")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")

Given: TypeAlias = pd.Index | pd.Series | pd.DataFrame


class Reading(NamedTuple):
    """A candidate reading: a kind of code, and a function that normalises or rejects each code."""

    name: str
    kind: official.Kind
    settle: Callable[[str], str | None]
    basis: str
    listed: frozenset[str] = frozenset()


class Cell(NamedTuple):
    """A distinct value that fits a reading."""

    codes: tuple[str, ...]
    repair: str = ""
    several: bool = False


Fits: TypeAlias = dict[int, Cell]
"""Values that fit a reading, by their number."""


def given_lists(
    communes: Mapping[int, Given] | None, epci: Given | None
) -> tuple[dict[int, frozenset[str]], frozenset[str]]:
    """Lists given, as sets of codes: of communes by year, and of EPCI.

    Raises
    ------
    UsageError
        The lists of communes are not given by year.
    DataError
        A list holds no codes, or what is none; everything is listed.
    """
    by_years = isinstance(communes, Mapping) and all(isinstance(year, Integral) for year in communes)
    if communes is not None and not by_years:
        raise UsageError(
            Note("codes.communes_by_year"), way_out=Note("codes.for_example", example="communes={2024: communes}")
        )
    problems: list[str] = []
    by_year = {year: _codes_in(one, "commune", f"communes {year}", problems) for year, one in (communes or {}).items()}
    known = frozenset() if epci is None else _codes_in(epci, "siren", "epci", problems)
    if problems:
        raise DataError(Note("codes.lists_of_codes"), problems=problems, way_out=Note("codes.give_read_lists"))
    return by_year, known


def _codes_in(given: Given, kind: official.Kind, what: str, problems: list[str]) -> frozenset[str]:
    """Codes of a list; what is none, and a list without any, are problems."""
    if isinstance(given, pd.DataFrame):
        given = given["code"] if "code" in given.columns else given.index
    cleaned = official.clean(pd.Series(given).reset_index(drop=True), kind)
    problems += [
        Note("codes.bad_value", what=what, value=repr(value), problem=problem)
        for _, value, problem in cleaned.problems.itertuples(index=False)
    ]
    found = frozenset(cleaned.codes.dropna())
    if not found and cleaned.problems.empty:
        problems.append(Note("codes.no_codes", what=what))
    return found


def tried_readings(communes: Mapping[int, frozenset[str]], epci: frozenset[str]) -> Iterator[Reading]:
    """Every reading there is to try, in the order in which equals are shown."""
    epts = frozenset(facts.names("epts"))
    # 971 is a department, whose region is 01; 975 is a collectivity, which stands for both
    overseas = {row["code"] for row in facts.rows("departments") if row["region"] and len(row["code"]) == 3}
    anywhere = frozenset().union(*communes.values())

    def of_vintage(code: str, vintage: int) -> str | None:
        return code if official.vintage_of(code) == vintage else None

    def of_epci(code: str) -> str | None:
        return code if (code in epci if epci else code.startswith(_EPCI_STARTS) and code not in epts) else None

    def of_region(code: str) -> str | None:
        return None if code in overseas else code

    def of_iris(code: str) -> str | None:
        return code if not anywhere or _listed_commune(code[:5], anywhere) else None

    for vintage in (2015, 2024):
        yield Reading(f"qpv {vintage}", "qpv", partial(of_vintage, vintage=vintage), "form")
    for year in sorted(communes, reverse=True):
        settle = partial(_listed_commune, listed=communes[year])
        yield Reading(f"commune {year}", "commune", settle, "list given", communes[year])
    # where every code of the kind fits, str gives it back
    yield Reading("commune", "commune", str, "form")
    yield Reading("iris", "iris", of_iris, "list given" if anywhere else "form")
    yield Reading("epci", "siren", of_epci, "list given" if epci else "check digit", epci)
    yield Reading("ept", "siren", partial(_listed, listed=epts), "facts")
    yield Reading("siren", "siren", str, "check digit")
    yield Reading("department", "department", str, "facts")
    yield Reading("region", "region", of_region, "facts")


def _listed(code: str, listed: frozenset[str]) -> str | None:
    return code if code in listed else None


def _listed_commune(code: str, listed: frozenset[str]) -> str | None:
    """Commune of a list that a code is, or is an arrondissement of."""
    return next((one for one in (code, official.fold_arrondissement(code)) if one in listed), None)


def plausible(texts: Iterable[str]) -> dict[int, str]:
    """Texts that may be codes, by their number: words are not worth a closer look."""
    return {row: text for row, text in enumerate(texts) if _WRITTEN.fullmatch(text)}


def recognised(texts: Mapping[int, str], kind: official.Kind) -> Fits:
    """Code or codes of each distinct text, and what had to be done to read them."""
    found: Fits = {}
    lists: dict[int, list[str]] = {}
    for row, text in texts.items():
        code, done = official.repaired(text, kind)
        if code:
            found[row] = Cell((code,), ", ".join(done))
        elif parts := _parts(text, kind):
            lists[row] = parts
    if not lists:
        return found
    each = dict(enumerate({part for parts in lists.values() for part in parts}))
    cells = {each[number]: cell for number, cell in recognised(each, kind).items()}
    for row, parts in lists.items():
        if all(part in cells for part in parts):
            found[row] = _joined(texts[row], parts, [cells[part] for part in parts])
    return found


def _joined(text: str, parts: list[str], cells: list[Cell]) -> Cell:
    """A cell that holds several codes."""
    done = ["list without separator" if "".join(parts) in text else "list"]
    done += ["decimals removed"] if _DECIMALS.search(text) else []
    done += [cell.repair for cell in cells if cell.repair]
    held = dict.fromkeys(code for cell in cells for code in cell.codes)
    return Cell(tuple(held), ", ".join(dict.fromkeys(done)), several=True)


def _parts(text: str, kind: official.Kind) -> list[str]:
    """Parts of a cell that may hold several codes; none when it is a number with decimals."""
    text = _DECIMALS.sub("", text)
    if text.isalnum() and len(text) < 2 * official.WIDTHS.get(kind, len(text)):
        return []
    parts = official.parts_of(text, kind)
    # 46,52 is a percentage, 59350,59512 are two communes
    decimal = _DECIMAL_COMMA.fullmatch(text) is not None and min(map(len, parts)) < 5
    return [] if decimal or len(parts) < 2 else parts


def settled(found: Fits, settle: Callable[[str], str | None]) -> Fits:
    """Of the values of a kind, those whose codes all have a reading."""
    fits: Fits = {}
    for row, cell in found.items():
        read = [one for one in map(settle, cell.codes) if one is not None]
        if len(read) == len(cell.codes):
            done = [cell.repair] if cell.repair else []
            done += [] if tuple(read) == cell.codes else ["arrondissement"]
            fits[row] = cell._replace(codes=tuple(dict.fromkeys(read)), repair=", ".join(done))
    return fits
