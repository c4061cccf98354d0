"""Codes of QPV, communes, IRIS, departments, regions and EPCI: recognised, repaired, reported.

Codes are text. Tables that went through a spreadsheet lose zeros (`1053` for 01053), gain decimals (`84.0`), case and
spaces; each such repair is reported, and what cannot be repaired without guessing is a problem, not a code.

QPV codes have eight characters in both geographies: `QP` + department on three characters + three digits in 2015;
`QN` + department on three characters + two digits + a letter in 2024 (N new, M modified outline, I unchanged outline,
C whole commune, Mayotte only).
"""

import re
from collections.abc import Callable, Hashable
from functools import cache, lru_cache
from typing import Literal, NamedTuple

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import code_in_text, territories
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.language import Note

__all__ = [
    "ARRONDISSEMENTS",
    "REPAIRED",
    "STATUSES",
    "CleanCodes",
    "Kind",
    "classify_qpv",
    "clean",
    "fold_arrondissement",
    "is_missing",
    "of_commune",
    "of_qpv",
    "parts_of",
    "repaired",
    "require",
    "split_list",
    "vintage_of",
]

Kind = Literal["qpv", "commune", "department", "region", "siren", "iris"]

REPAIRED = "codes.part_repaired"
"""Key of the note on a part of a list that was repaired."""

STATUSES = {"N": "new", "M": "modified", "I": "unchanged", "C": "whole commune"}
"""What the last letter of a 2024 code says of the outline, compared with the 2015 geography."""

ARRONDISSEMENTS = {
    "75056": tuple(str(code) for code in range(75101, 75121)),
    "69123": tuple(str(code) for code in range(69381, 69390)),
    "13055": tuple(str(code) for code in range(13201, 13217)),
}
"""Municipal arrondissements of Paris, Lyon and Marseille."""

_FOLD = {part: whole for whole, parts in ARRONDISSEMENTS.items() for part in parts}
_QP = re.compile(r"QP(\d{3}|02[AB])(\d{3})", re.ASCII)
_QN = re.compile(r"QN(\d{3}|02[AB])(\d{2})([NMIC])", re.ASCII)
_INVISIBLE = re.compile("[\ufeff\u200b\u200c\u200d\u2060\u00ad]")
_MISSING = {"", "na", "nan", "none", "null", "<na>", "zzzzzzzzz"}


class CleanCodes(NamedTuple):
    """Codes after repair.

    Attributes
    ----------
    codes
        Series on the index given: text, missing where there was none or where it is not a code.
    repairs
        Frame `row` (label), `value`, `code`, `repair`: what was changed and why.
    problems
        Frame `row`, `value`, `problem`: what is not a code and was set missing.
    """

    codes: pd.Series
    repairs: pd.DataFrame
    problems: pd.DataFrame


@cache
def _departments() -> frozenset[str]:
    others = {code for code in territories.territories() if code != "hexagone"} | {"984", "989"}
    return frozenset(facts.names("departments")) | others


@cache
def _regions() -> frozenset[str]:
    collectivities = {code for code in _departments() if len(code) == len("975")}
    return frozenset(facts.names("regions")) | collectivities | {territories.SAMPLE}


def _short_department(part: str) -> str:
    """`001` -> `01`, `02A` -> `2A`, `974` -> `974`: the three characters of a QPV code as a department."""
    return part.removeprefix("0")


@judged
def is_missing(text: str) -> bool:
    """Tell whether a cell holds no code: empty, `NA`, `NaN`, `None`, `null`, or `ZZZZZZZZZ` (no EPCI).

    Examples
    --------
    >>> is_missing(" NA "), is_missing("ZZZZZZZZZ"), is_missing("01053")
    (True, True, False)
    """
    return text.strip().lower() in _MISSING


@judged
def of_qpv(code: str) -> str:
    """Department in a QPV code.

    Examples
    --------
    >>> of_qpv("QP02A001"), of_qpv("QN97401M"), of_qpv("QP001001")
    ('2A', '974', '01')
    """
    return _short_department(code[2:5])


@judged
def of_commune(code: str) -> str:
    """Department or collectivity of a commune code.

    Examples
    --------
    >>> of_commune("2A004"), of_commune("97411"), of_commune("59350")
    ('2A', '974', '59')
    """
    return code[:3] if code.startswith(("97", "98")) else code[:2]


@judged
def fold_arrondissement(code: str) -> str:
    """Commune of a municipal arrondissement of Paris, Lyon or Marseille; any other code as it is.

    Examples
    --------
    >>> fold_arrondissement("13214"), fold_arrondissement("59350")
    ('13055', '59350')
    """
    return _FOLD.get(code, code)


@judged
@lru_cache(maxsize=1 << 14)
def vintage_of(code: str) -> int | None:
    """Geography of a QPV code, 2015 or 2024; None when it is not the code of a QPV.

    Examples
    --------
    >>> vintage_of("QP075001"), vintage_of("QN07501M"), vintage_of("QN075033")
    (2015, 2024, None)
    """
    for pattern, vintage in ((_QP, 2015), (_QN, 2024)):
        if match := pattern.fullmatch(code):
            department = _short_department(match[1])
            # whole communes are QPV in Mayotte alone
            strange = code.endswith("C") and department != "976"
            return vintage if department in _departments() and not strange else None
    return None


def _qpv(text: str) -> str | None:
    # QP2A001 and QP1001 lost the zeros of their department
    short = re.fullmatch(r"Q([PN])(2[AB]|\d{1,2})(\d{3}|\d{2}[NMIC])", text)
    candidates = [text, f"Q{short[1]}{short[2].zfill(3)}{short[3]}"] if short else [text]
    return next((code for code in candidates if vintage_of(code)), None)


def _department(text: str) -> str | None:
    candidates = [text, text.zfill(2) if text.isdigit() else text, _short_department(text) if len(text) == 3 else text]
    return next((code for code in candidates if code in _departments()), None)


def _commune(text: str) -> str | None:
    # a letter may not be padded: 2A4 could be 2A004 or 2A040
    code = text.zfill(5) if text.isdigit() and len(text) == 4 else text
    fits = len(code) == 5 and code.isascii() and (code if code[:2] not in ("2A", "2B") else code[2:]).isdigit()
    return code if fits and (code[:3] if code.startswith(("97", "98")) else code[:2]) in _departments() else None


def _region(text: str) -> str | None:
    code = text.zfill(2) if text.isdigit() else text
    return code if code in _regions() else None


def _siren(text: str) -> str | None:
    if not re.fullmatch(r"\d{9}", text, re.ASCII):
        return None
    total = sum(d if k % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for k, d in enumerate(map(int, text[::-1])))
    return text if total % 10 == 0 else None


def _iris(text: str) -> str | None:
    code = text.zfill(9) if text.isdigit() and len(text) == 8 else text
    return code if re.fullmatch(r"[\dAB]{5}\d{4}", code, re.ASCII) and _commune(code[:5]) else None


_RULES: dict[str, tuple[Callable[[str], str | None], str]] = {
    "qpv": (_qpv, "not the code of a QPV (QP + department + 3 digits, or QN + department + 2 digits + N, M, I or C)"),
    "commune": (_commune, "not the code of a commune (5 characters, first the department)"),
    "department": (_department, "not the code of a department"),
    "region": (_region, "not the code of a region"),
    "siren": (_siren, "not a SIREN (9 digits, the last one checks the others)"),
    "iris": (_iris, "not the code of an IRIS (a commune and 4 digits)"),
}


def _unrounded(text: str) -> str | None:
    """Whole number of a spreadsheet's `2,45900410E+08`, when no digit of it was rounded away."""
    found = re.fullmatch(r"(\d)[.,]?(\d*)E\+?(\d+)", text, re.ASCII | re.IGNORECASE)
    return found[1] + found[2] if found and len(found[2]) == int(found[3]) else None


@judged
def repaired(text: str, kind: Kind) -> tuple[str | None, tuple[str, ...]]:
    """Code of a text, None when it is none, and what had to be done to it.

    Examples
    --------
    >>> repaired("1053.0", "commune"), repaired("Bourg", "commune")
    (('01053', ('decimals removed', 'zeros restored')), (None, ('upper case',)))
    """
    return _repaired(text, kind)


@lru_cache(maxsize=1 << 16)
def _repaired(text: str, kind: Kind) -> tuple[str | None, tuple[str, ...]]:
    done: list[str] = []
    plain = text.isascii() and text.isalnum() and "E" not in text and text == text.upper()
    whole = text if plain else _bare(text, kind, done)
    code = _RULES[kind][0](whole)
    if code is not None and code != whole:
        done.append("zeros restored" if len(code) > len(whole) else "short form")
    if code is None and kind == "qpv" and (found := code_in_text.apart(text)):
        return _qpv(found[0]), (code_in_text.WORDS,)
    return code, tuple(done)


def _bare(text: str, kind: Kind, done: list[str]) -> str:
    if (stripped := "".join(_INVISIBLE.sub("", text).split())) != text:
        done.append("spaces removed")
    if kind == "qpv" and (joined := re.sub(r"[-_.](?!0+$)", "", stripped)) != stripped:
        done.append("separators removed")
        stripped = joined
    if whole := _unrounded(stripped):
        done.append("exponent removed")
        stripped = whole
    if (upper := stripped.upper()) != stripped:
        done.append("upper case")
    if (whole := re.sub(r"\.0+$", "", upper) if "." in upper else upper) != upper:
        done.append("decimals removed")
    return whole


@judged
def clean(values: pd.Series, kind: Kind) -> CleanCodes:
    """Recognise codes, repair what can be without guessing, and report both.

    Parameters
    ----------
    values
        Codes as they came: text, or numbers that a spreadsheet made of them.
    kind
        `qpv`, `commune`, `department`, `region`, `siren` or `iris`.

    Returns
    -------
    CleanCodes
        `codes` on the index of `values`, `repairs`, `problems`. Empty cells, `NA`, `ZZZZZZZZZ` (no EPCI) are missing.

    Raises
    ------
    UsageError
        The kind is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> cleaned = clean(pd.Series(["1053", "2a004", "59350", "2A4"]), "commune")
    >>> cleaned.codes.tolist()
    ['01053', '2A004', '59350', nan]
    >>> cleaned.repairs["repair"].tolist(), cleaned.problems["value"].tolist()
    (['zeros restored', 'upper case'], ['2A4'])
    """
    if kind not in _RULES:
        raise UsageError(Note("codes.no_kind", kind=str(kind)), way_out=Note("codes.kinds", kinds=", ".join(_RULES)))
    text = values.astype("str")
    places, distinct = pd.factorize(text)
    outcome = {value: _repaired(value, kind) for value in distinct.tolist() if value.strip().lower() not in _MISSING}
    found = pd.array([outcome.get(value, (None,))[0] for value in distinct.tolist()], dtype="str")
    codes = pd.Series(found.take(places, allow_fill=True), index=values.index, name=values.name)
    repairs: list[tuple[Hashable, str, str, str]] = []
    problems: list[tuple[Hashable, str, str]] = []
    touched = {value for value, (code, done) in outcome.items() if done or not code}
    for row, value in text[text.isin(touched)].items() if touched else ():
        code, done = outcome[value]
        if code is None:
            problems.append((row, value, _RULES[kind][1]))
        else:
            repairs.append((row, value, code, ", ".join(done)))
    return CleanCodes(
        codes=codes,
        repairs=pd.DataFrame(repairs, columns=["row", "value", "code", "repair"]),
        problems=pd.DataFrame(problems, columns=["row", "value", "problem"]),
    )


@judged
def require(values: pd.Series, kind: Kind, *, where: str) -> CleanCodes:
    """Clean codes and raise when one is missing or not a code: for columns that identify rows.

    Parameters
    ----------
    values, kind
        As for `clean`.
    where
        What the message calls the place, for example a file and its column.

    Raises
    ------
    DataError
        Lists every row that has no code.
    """
    cleaned = clean(values, kind)
    problems = [
        Note("codes.bad_row", row=str(row), value=repr(value), problem=problem)
        for row, value, problem in cleaned.problems.itertuples(index=False)
    ]
    named = set(cleaned.problems["row"])
    problems += [
        Note("codes.row_without_code", row=str(row)) for row in values.index[cleaned.codes.isna()] if row not in named
    ]
    if problems:
        raise DataError(
            Note("codes.no_valid_code", where=where, count=len(problems), total=len(values), kind=kind),
            problems=problems,
            way_out=Note("codes.correct_rows"),
        )
    return cleaned


WIDTHS: dict[Kind, int] = {"commune": 5, "qpv": 8, "siren": 9, "iris": 9}
"""Characters of codes that are all of one width."""


@judged
def parts_of(text: str, kind: Kind = "commune") -> list[str]:
    """Parts of a cell, whatever separates them; codes of one width may also be run together.

    Examples
    --------
    >>> parts_of("02571, 02691"), parts_of("7737393051"), parts_of("59;62", "department")
    (['02571', '02691'], ['77373', '93051'], ['59', '62'])
    """
    parts = [part for part in re.split(r"[;,|/]\s*|\s+", text.strip()) if part]
    whole = parts[0] if len(parts) == 1 else ""
    width = WIDTHS.get(kind, 0)
    if width and len(whole) > width and len(whole) % width == 0:
        return [whole[start : start + width] for start in range(0, len(whole), width)]
    return parts


@judged
def split_list(value: object, kind: Kind = "commune", *, problems: list[str] | list[Note] | None = None) -> list[str]:
    """Codes in a cell that holds several, whatever separates them.

    Handles `", "` (perimeters), `"; "` (Insee indicators) and codes of communes run together (`list_com_2023`).

    Parameters
    ----------
    value
        The cell.
    kind
        As for `clean`.
    problems
        Gains a note for each part that was repaired (of the key `REPAIRED`), or left out because it is not a code.

    Returns
    -------
    list of str
        The codes, each once, in the order of the cell.

    Examples
    --------
    >>> split_list("02571, 02691"), split_list("7737393051"), split_list(None)
    (['02571', '02691'], ['77373', '93051'], [])
    >>> said = []
    >>> split_list("1053, Bourg", problems=said), said
    (['01053'], ["'1053' read as 01053 (zeros restored)", "'Bourg' left out: not the code of a commune"])
    """
    if value is None or pd.isna(value):
        return []
    found = []
    for part in parts_of(str(value), kind):
        code, done = repaired(part, kind)
        if code:
            found.append(code)
        if problems is None or (code and not done) or is_missing(part):
            continue
        problems.append(
            Note(REPAIRED, part=part, code=code, repairs=done)
            if code
            else Note("codes.part_left_out", part=part, kind=kind)
        )
    return list(dict.fromkeys(found))


@judged
def classify_qpv(values: pd.Series) -> pd.DataFrame:
    """What each QPV code says of itself.

    Parameters
    ----------
    values
        Codes of QPV, of either geography; spaces and case are repaired on the way.

    Returns
    -------
    pandas.DataFrame
        On the index of `values`: `code`, `vintage` (2015, 2024; missing when it is not a code), `territory`,
        `department`, `number` (as text: gaps are normal), `status` (2024 only: `new`, `modified`, `unchanged`,
        `whole commune`). The letter is the ANCT's own classification: it is not a flag of any programme.

    Examples
    --------
    >>> import pandas as pd
    >>> classify_qpv(pd.Series(["QP02A001", "QN07521N", "QN075033"]))[["vintage", "department", "status"]]
       vintage department status
    0     2015         2A    NaN
    1     2024         75    new
    2     <NA>        NaN    NaN
    """
    codes = clean(values, "qpv").codes
    vintages = codes.map(vintage_of, na_action="ignore")
    recent = vintages.eq(2024)
    departments = codes.map(of_qpv, na_action="ignore")
    return pd.DataFrame(
        {
            "code": codes,
            "vintage": vintages.astype("Int64"),
            "territory": departments.map(territories.of_department, na_action="ignore").astype("str"),
            "department": departments.astype("str"),
            "number": codes.str.slice(5, 8).where(~recent, codes.str.slice(5, 7)),
            "status": codes.str.slice(7, 8).where(recent).map(STATUSES).astype("str"),
        }
    )
