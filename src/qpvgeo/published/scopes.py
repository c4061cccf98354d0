"""The place that a published figure is of: whole departments, communes, EPCI, urban units, single QPV."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.codes.places import Area, find_area, plain
from qpvgeo.errors import MissingDataError, UsageError
from qpvgeo.language import Note

if TYPE_CHECKING:
    from qpvgeo.published.figure_inputs import Material

__all__ = ["NATIONAL", "Scope", "label_of", "require_level", "scope_of", "within"]

Level = Literal["departments", "commune", "epci", "ept", "uu", "qpv"]

_DOM = ("971", "972", "973", "974", "976")
_OVERSEAS = (*_DOM, "978", "987")
_LEVELS = ("region", "department", "territory", "commune", "epci", "ept", "uu", "qpv")
_LISTED = re.compile(r"\(((?:\d{2,3}|2[AB])(?:\s*,\s*(?:\d{2,3}|2[AB]))+)\)\s*$")
_NUMBERED = re.compile(r"(\d{2,3}|2[AB])(?:\s+\D.*)?")
_SMALL_WORDS = {"d", "de", "des", "du", "l", "la", "le", "les"}
_QPV_CODE = re.compile(r"\bQ[PN](?:\d{2}|2[AB])\w{3,4}\b")


def _hexagone() -> tuple[str, ...]:
    codes = [row["code"] for row in facts.rows("departments")]
    return tuple(code for code in codes if territories.of_department(code) == "hexagone")


def _province() -> tuple[str, ...]:
    return tuple(code for code in _hexagone() if facts.region_of(code) != "11")


NATIONAL = {
    "hexagone": ("hexagone", "france metropolitaine", "france hexagonale", "metropole"),
    "hexagone + 5 DOM": (
        "hexagone 5 dom",
        "hexagone and five dom",
        "hexagone et dom",
        "hexagone and dom",
        "france metropolitaine et dom",
        "france y compris mayotte",
        "hexagone and five overseas departments",
        "hexagone and the five overseas departments",
        "france hexagone and five dom",
        "france hexagonale 5 dom",
    ),
    "5 DOM": ("5 dom", "dom", "drom", "five dom", "overseas departments"),
    "France": ("france", "france entiere", "france incl outre mer", "whole of france", "all", "all territories"),
    "overseas": ("overseas", "outre mer"),
    "France de province": ("france de province", "province"),
}
"""National scopes, and the names that publications give them (without accents or capitals)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A place, as codes of one level.

    Attributes
    ----------
    level
        `departments` (whole departments, and territories without any), `commune`, `epci`, `ept`, `uu` or `qpv`.
    codes
        Official codes.
    name
        As the figure names it.
    national
        Key of `NATIONAL`; empty for any other place.
    """

    level: Level
    codes: tuple[str, ...]
    name: str
    national: str = ""


def scope_of(name: str, material: "Material | None" = None) -> Scope:
    """Find the place of a figure by its name, a code, or `level:code`; several are separated by semicolons or "and".

    Parameters
    ----------
    name
        "France métropolitaine", "hexagone + 5 DOM", "Hauts-de-France", "Aisne (02)", "La Réunion and Mayotte",
        "departments:27;76", "epci:247600596", "QN05980M", ...
    material
        Files, for the names of communes and EPCI.

    Raises
    ------
    UsageError
        There is no such place, or several.
    MissingDataError
        It may be the name of a commune or an EPCI, and no table of them is available.

    Examples
    --------
    >>> scope_of("La Réunion and Mayotte").codes, scope_of("Aisne (02)").codes, scope_of("QN05980M").level
    (('974', '976'), ('02',), 'qpv')
    """
    for key, names in NATIONAL.items():
        if plain(name) in names:
            return Scope("departments", _departments(key), name, key)
    level, colon, rest = name.partition(":")
    if colon and level.strip().rstrip("s") in _LEVELS:
        return _coded(level.strip().rstrip("s"), [part.strip() for part in rest.split(";") if part.strip()], name)
    codes = _QPV_CODE.findall(name)
    if codes:
        return Scope("qpv", tuple(codes), name)
    listed = _LISTED.search(name)
    if listed:
        return _coded("department", [code.strip() for code in listed[1].split(",")], name)
    try:
        return _found(name, material)
    except UsageError:
        found = _pieces(name, material)
        if not found:
            raise
    if len({one.level for one in found}) > 1:
        raise UsageError(Note("published.places_of_two_levels", place=name))
    return Scope(found[0].level, tuple(dict.fromkeys(code for one in found for code in one.codes)), name)


def _pieces(name: str, material: "Material | None") -> list[Scope]:
    """Places that a text joins, or that it follows by a remark in brackets; none where it does neither."""
    parts = [part.strip() for part in re.split(r";| and | et ", name)]
    if len(parts) < 2:
        parts = [re.sub(r"\s*\([^()]*\)\s*$", "", name)]
    return [] if parts == [name] else [scope_of(part, material) for part in parts]


def _departments(national: str) -> tuple[str, ...]:
    return {
        "hexagone": _hexagone(),
        "hexagone + 5 DOM": (*_hexagone(), *_DOM),
        "5 DOM": _DOM,
        "France": (*_hexagone(), *_OVERSEAS),
        "overseas": _OVERSEAS,
        "France de province": _province(),
    }[national]


def _coded(level: str, codes: list[str], name: str) -> Scope:
    if level == "region":
        own = [row["code"] for code in codes for row in facts.rows("departments") if row["region"] == code]
        return Scope("departments", tuple(own or codes), name)
    if level == "territory":
        own = [one for code in codes for one in (_hexagone() if code == "hexagone" else (code,))]
        return Scope("departments", tuple(own), name)
    return Scope("departments" if level == "department" else level, tuple(codes), name)  # type: ignore[arg-type]


def _found(name: str, material: "Material | None") -> Scope:
    """Place of a name, with the communes and EPCI of the files where departments do not have it."""
    bracketed = re.search(r"\((\d{2,5}|2[AB]\d{0,3}|\d{9})\)\s*$", name)
    if bracketed and len(bracketed[1]) in (5, 9):
        level: Level = "commune" if len(bracketed[1]) == 5 else "epci"
        return Scope(level, (official.fold_arrondissement(bracketed[1]),), name)
    if bracketed and bracketed[1] in {**facts.names("departments"), **facts.names("territories")}:
        return Scope("departments", (bracketed[1],), name)
    numbered = _NUMBERED.fullmatch(name.strip())
    if numbered and numbered[1] in facts.names("departments"):
        # a department and a region can bear one code: publications write that of the department
        return Scope("departments", (numbered[1],), name)
    try:
        area = find_area(name)
    except UsageError:
        if material is None:
            raise
        epci = material.epci()
        try:
            area = find_area(name, material.communes(), epci)
        except UsageError:
            same = [str(code) for code, own in epci["name"].items() if _words(str(own)) == _words(name)]
            if len(same) != 1:
                raise
            return Scope("epci", (same[0],), name)
    return _scope(area, name)


def _words(name: str) -> frozenset[str]:
    """Words of a name that tell it from another."""
    return frozenset(plain(name).split()) - _SMALL_WORDS


def _scope(area: Area, name: str) -> Scope:
    if area.whole_departments:
        return Scope("departments", area.departments, name)
    if area.level in ("commune", "epci", "ept"):
        return Scope(area.level, (area.code,), name)
    raise UsageError(Note("published.place_not_computed", place=area.label, level=area.level))


def require_level(scope: Scope, *levels: str) -> None:
    """Raise where a measure cannot be taken at the level of a place.

    Raises
    ------
    MissingDataError
        It cannot.
    """
    if scope.level not in levels:
        raise MissingDataError(Note("published.not_at_level", place=scope.name, level=scope.level))


def label_of(name: str) -> str:
    """Name of a place that is written by its codes; any other as it is.

    Examples
    --------
    >>> label_of("departments:974;976"), label_of("region:32"), label_of("Toulouse")
    ('La Réunion, Mayotte', 'Hauts-de-France', 'Toulouse')
    """
    level, colon, rest = name.partition(":")
    table = f"{level.strip().rstrip('s')}s" if level.strip() != "territory" else "territories"
    if not colon or table not in ("regions", "departments", "territories"):
        return name
    known = facts.names(table)
    return ", ".join(known.get(code.strip(), code.strip()) for code in rest.split(";"))


def within(name: str, departments: Collection[str]) -> bool:
    """Whether the place of a figure lies in some departments; an EPCI, whose departments are not known, does not.

    Examples
    --------
    >>> within("region:32", ["02", "59", "60", "62", "80"]), within("commune:31555", ["31"]), within("France", ["31"])
    (True, True, False)
    """
    try:
        scope = scope_of(name)
    except (UsageError, MissingDataError):
        return False
    if scope.level == "departments":
        return set(scope.codes) <= set(departments)
    of = {"commune": official.of_commune, "qpv": official.of_qpv}.get(scope.level)
    return of is not None and {of(code) for code in scope.codes} <= set(departments)
