"""Places by the names people use: territories, regions, departments, EPCI, EPT, communes and arrondissements.

A name is compared without accents, case, hyphens or articles in front. Territories, regions, former regions and usual
groups of departments come before communes of the same name; any other name or code that means several places is
answered with the list to choose from.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import UsageError
from qpvgeo.language import Note

__all__ = [
    "Area",
    "AreaLevel",
    "areas_known",
    "areas_named",
    "arrondissement_name",
    "find_area",
    "near_names",
    "plain",
    "require_name",
    "several_places",
]

AreaLevel = Literal[
    "territory", "region", "former region", "union", "department", "epci", "ept", "commune", "arrondissement"
]

_NEAR = 6
_WIDE = ("territory", "region", "former region", "union")
_CITIES = {"75056": "Paris", "69123": "Lyon", "13055": "Marseille"}
_FORMS_OF_EPCI = (
    r"^(ca|cc|cu|ept|metropole|eurometropole|communaute d agglomeration|communaute de communes|communaute urbaine"
    r"|etablissement public territorial)( europeenne)?( (de la|de l|du|des|de|d))? "
)
_SMALL_WORDS = {"d", "de", "des", "du", "et", "l", "la", "le", "les"}


@dataclass(frozen=True, slots=True)
class Area:
    """A place that units and QPV can be filtered by.

    Attributes
    ----------
    level
        One of `AreaLevel`.
    code
        Official code; the name where there is none (former regions, groups of departments).
    name
        Usual name.
    departments
        Departments that the place lies in.
    communes
        Its communes, where they are known; None for whole departments, and for an EPCI whose communes are not given.
    """

    level: AreaLevel
    code: str
    name: str
    departments: tuple[str, ...]
    communes: tuple[str, ...] | None = None

    @property
    def whole_departments(self) -> bool:
        """Whether the place is made of whole departments."""
        return self.level in (*_WIDE, "department")

    @property
    def label(self) -> str:
        """Name and code as a list of choices shows them."""
        return self.name if self.name == self.code else f"{self.name} ({self.code})"


_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")
_ARTICLE = re.compile(r"^(l|la|le|les) ")
_SAINT = re.compile(r"\bste? ")


class _Letters(dict[int, str]):
    """Letters without their accents, each found once."""

    def __missing__(self, point: int) -> str:
        text = unicodedata.normalize("NFKD", {"œ": "oe", "Œ": "Oe"}.get(chr(point), chr(point)))
        self[point] = "".join(letter for letter in text if not unicodedata.combining(letter))
        return self[point]


_LETTERS = _Letters()


def plain(name: str) -> str:
    """Bare form of a name: no accent, no case, no hyphen.

    Examples
    --------
    >>> plain("Saint-Aubin-du-Large"), plain("L'Haÿ-les-Roses")
    ('saint aubin du large', 'l hay les roses')
    """
    if not name.isascii():
        name = name.translate(_LETTERS)
    return _BETWEEN_WORDS.sub(" ", name.casefold()).strip()


def arrondissement_name(code: str) -> str:
    """Name of a municipal arrondissement.

    Examples
    --------
    >>> arrondissement_name("75118"), arrondissement_name("13201")
    ('Paris 18e', 'Marseille 1er')
    """
    whole = official.fold_arrondissement(code)
    number = official.ARRONDISSEMENTS[whole].index(code) + 1
    return f"{_CITIES[whole]} {number}{'er' if number == 1 else 'e'}"


def find_area(
    name: str,
    communes: pd.DataFrame | None = None,
    epci: pd.DataFrame | None = None,
    *,
    level: AreaLevel | None = None,
) -> Area:
    """Find the place that a code or a name means.

    Parameters
    ----------
    name
        Code or usual name: "Océan Indien", "Nord-Pas-de-Calais", "93", "Seine-Saint-Denis", "MEL", "Maubeuge Val de
        Sambre", "75118", "Paris 18e", "59350". A code in front of a name, as lists of choices write it, is understood
        too: "Aude (11)"; so is the department behind the name of a commune: "Saint-Denis (93)".
    communes
        Frame of `qpvgeo.read_communes`, for the names of communes and for what belongs to an EPCI.
    epci
        Frame of `qpvgeo.read_epci`, for the names of EPCI.
    level
        Only places of this level: "11" is the Aude as a department and Île-de-France as a region.

    Returns
    -------
    Area
        The place.

    Raises
    ------
    UsageError
        There is no such place: lists those nearest; or several: lists them.

    Examples
    --------
    >>> find_area("La Réunion").departments, find_area("ocean indien").departments
    (('974',), ('974', '976'))
    >>> find_area("nord pas de calais").departments, find_area("11", level="department").name
    (('59', '62'), 'Aude')
    """
    require_name(name)
    if level is not None and level not in get_args(AreaLevel):
        raise UsageError(
            Note("codes.no_area_level", level=repr(level)),
            way_out=Note("codes.area_levels", levels=list(get_args(AreaLevel))),
        )
    found = areas_named(name, communes, epci, level=level)
    if len(found) == 1:
        return found[0]
    if found:
        raise several_places(name, found, communes)
    named = communes is not None and "name" in communes.columns
    key = "codes.no_place_without_names" if communes is not None and not named else "codes.no_place"
    key = "codes.no_place_without_communes" if communes is None else key
    known = [area for area in areas_known(communes, epci) if level is None or area.level == level]
    raise UsageError(
        Note("codes.unknown_place", name=name),
        problems=[Note("codes.near_place", place=place) for place in near_names(name, known)],
        way_out=Note(key),
    )


def several_places(name: str, found: list[Area], communes: pd.DataFrame | None = None) -> UsageError:
    """Error that lists the places of a name, communes with their department, then the communes whose name goes on.

    Parameters
    ----------
    name, communes
        As for `find_area`.
    found
        Places to choose from.

    Examples
    --------
    >>> found = [Area("commune", code, "Saint-Ouen", (code[:2],)) for code in ("41226", "80711")]
    >>> communes = pd.DataFrame({"name": ["Saint-Ouen-sur-Seine"]}, index=["93070"])
    >>> problems = several_places("Saint-Ouen", found, communes).problems
    >>> problems[0], problems[2]
    ('Saint-Ouen (41226), commune, Loir-et-Cher', 'near: Saint-Ouen-sur-Seine (93070)')
    """
    departments = facts.names("departments")
    choices = [
        Note("codes.choice_in", place=area.label, level=area.level, department=departments[area.departments[0]])
        if area.level == "commune" and area.departments[0] in departments
        else Note("codes.choice", place=area.label, level=area.level)
        for area in found
    ]
    return UsageError(
        Note("codes.several_places", count=len(found), name=name),
        problems=[*choices, *(Note("codes.near_place", place=place) for place in _longer_names(name, communes))],
        way_out=Note("codes.choose_place", example=found[0].label),
    )


def _longer_names(name: str, communes: pd.DataFrame | None) -> list[str]:
    """Communes whose name goes on after a text, the most populated first where that is known."""
    people = _column(communes, "population")
    start = f"{_spelt_out(name)} "
    longer = [area for area in _communes(communes) if _spelt_out(area.name).startswith(start)]
    longer.sort(key=lambda area: -float(people.get(area.code, 0)))
    return [area.label for area in longer[:_NEAR]]


def require_name(name: object) -> None:
    """Raise when what names a place is no text, or an empty one."""
    if not isinstance(name, str) or not name.strip():
        kind = repr(name) if isinstance(name, str) else type(name).__name__
        raise UsageError(Note("codes.no_place_name", kind=kind), way_out=Note("codes.place_way_out"))


def areas_named(
    name: str,
    communes: pd.DataFrame | None = None,
    epci: pd.DataFrame | None = None,
    *,
    level: AreaLevel | None = None,
) -> list[Area]:
    """Places that a code or a name means: for a caller that knows other places too.

    Parameters
    ----------
    name, communes, epci, level
        As for `find_area`.

    Examples
    --------
    >>> [area.level for area in areas_named("11")]
    ['region', 'department']
    """
    asked = name.strip()
    known = [*_without_communes(communes, epci), *_communes(communes, meant=asked)]
    of_level = [area for area in known if level is None or area.level == level]
    return _matches(asked, of_level, communes=communes is not None and level in (None, "commune"))


def areas_known(communes: pd.DataFrame | None = None, epci: pd.DataFrame | None = None) -> Iterator[Area]:
    """Every place that is known, the widest first."""
    yield from _without_communes(communes, epci)
    yield from _communes(communes)


def _matches(asked: str, known: list[Area], *, communes: bool) -> list[Area]:
    """Places that a text means, those of one extent once; `communes` says whether communes are known."""
    code, bare = asked.upper(), _spelt_out(asked)
    labelled = "(" in code
    found = [area for area in known if code == area.code.upper() or (labelled and code == area.label.upper())]
    if not found:
        found = [area for area in known if bare in _names(area)]
        found = [area for area in found if area.level in _WIDE] or found
        # a commune comes before the EPCI named after it
        if any(area.level == "commune" for area in found):
            found = [area for area in found if area.level not in ("epci", "ept")]
    if not found:
        # Lille is a commune before it is its métropole, also where the communes are not known
        words = communes or " " in bare
        found = [
            area
            for area in known
            if area.level in ("epci", "ept") and (bare == _initials(area.name) or (words and bare == _short(area.name)))
        ]
    return _once(found)


def _once(areas: list[Area]) -> list[Area]:
    """Places without those that have the extent of one before them: La Réunion is a region and a department."""
    kept: dict[tuple[tuple[str, ...], tuple[str, ...] | None], Area] = {}
    for area in areas:
        kept.setdefault((area.departments, _extent(area)), area)
    return list(kept.values())


def _extent(area: Area) -> tuple[str, ...] | None:
    # Paris is a commune and a department
    return None if area.code == "75056" else area.communes


@cache
def _plain_names(name: str) -> frozenset[str]:
    bare = _spelt_out(name)
    return frozenset({bare, _ARTICLE.sub("", bare)})


def _spelt_out(name: str) -> str:
    """Bare form of a name, with Saint and Sainte in full."""
    return _SAINT.sub(lambda found: "sainte " if found[0] == "ste " else "saint ", plain(name))


def _names(area: Area) -> frozenset[str]:
    # that of the label, which ends with the code
    whole = _spelt_out(area.name)
    names = _plain_names(area.name) | {f"{whole} {plain(area.code)}".strip()}
    if area.level == "commune":
        names |= {f"{whole} {plain(area.departments[0])}"}
    for other in _OTHER_NAMES.get((area.level, area.code), ()):
        names |= _plain_names(other)
    if area.level == "arrondissement":
        city, number = plain(area.name).rsplit(" ", 1)
        digits = re.sub(r"\D", "", number)
        ordinals = {digits, number, f"{digits}eme"}
        names |= {f"{city} {one}" for one in ordinals} | {f"{city} {one} arrondissement" for one in ordinals}
        names |= {f"{one} arrondissement de {city}" for one in ordinals}
    return names


_OTHER_NAMES: dict[tuple[str, str], tuple[str, ...]] = {
    ("territory", "hexagone"): ("Hexagone", "France métropolitaine", "Métropole"),
    ("territory", "974"): ("Réunion",),
    ("region", "04"): ("Réunion",),
    ("region", "11"): ("IDF",),
    ("region", "93"): ("PACA",),
    **{
        ("epci", row["code"]): tuple(row["other_names"].split("|"))
        for row in facts.rows("metropoles")
        if row["other_names"]
    },
    **{
        ("union", row["name"]): tuple(row["other_names"].split("|"))
        for row in facts.rows("unions")
        if row["other_names"]
    },
}


def _short(name: str) -> str:
    """Usual name of an EPCI: without its legal form."""
    return re.sub(_FORMS_OF_EPCI, "", _spelt_out(name))


def _initials(name: str) -> str:
    """Initials of the words of a name, those of `Métropole Européenne de Lille` being `mel`."""
    letters = "".join(word[0] for word in plain(name).split() if word not in _SMALL_WORDS)
    return letters if len(letters) > 2 else ""


def _without_communes(communes: pd.DataFrame | None, epci: pd.DataFrame | None) -> Iterator[Area]:
    """Every place that is known but communes, the widest first."""
    yield from _of_facts()
    for code, parts in official.ARRONDISSEMENTS.items():
        department = (official.of_commune(code),)
        for part in parts:
            yield Area("arrondissement", part, arrondissement_name(part), department, (part,))
    yield from _groups(communes, epci)


def _communes(communes: pd.DataFrame | None, meant: str | None = None) -> Iterator[Area]:
    """Communes, all or those that a text may mean by the last word of its name, or by its code."""
    if communes is None:
        return
    titles = _column(communes, "name")
    parts_of_cities = {part for parts in official.ARRONDISSEMENTS.values() for part in parts}
    last = "" if meant is None else plain(meant).rpartition(" ")[2]
    codes = [str(code) for code in communes.index.tolist()]
    if meant is not None and meant.isdecimal():  # no commune has a number for its name
        codes = [code for code in codes if code.startswith(last)]
    for code in codes:
        # most are ruled out without the bare form of their name
        if code not in parts_of_cities and _may_be(titles.get(code, code), code, last):
            yield Area("commune", code, titles.get(code, code), (official.of_commune(code),), (code,))


def _may_be(name: str, code: str, last: str) -> bool:
    if (last and code.lower().startswith(last)) or last in name.lower() or last in ("saint", "sainte"):
        return True
    return not name.isascii() and last in plain(name)


def _groups(communes: pd.DataFrame | None, epci: pd.DataFrame | None) -> Iterator[Area]:
    """EPCI and EPT, with their communes where those are given."""
    names = dict(facts.names("metropoles")) | _column(epci, "name") | dict(facts.names("epts"))
    levels: list[AreaLevel] = ["epci", "ept"]
    held = [] if communes is None else [one for one in levels if one in communes and communes[one].notna().any()]
    for code, name in names.items():
        own: AreaLevel = "ept" if code in facts.names("epts") else "epci"
        if own not in held:
            yield Area(own, code, name, ())
    if communes is None:
        return
    for level in held:
        members: dict[str, list[str]] = {}
        given = communes[level].dropna()
        for member, code in zip(map(str, given.index.tolist()), map(str, given.tolist()), strict=True):
            members.setdefault(code, []).append(member)
        for code, own_members in sorted(members.items()):
            starts = {member[: len("971")] for member in own_members}
            departments = tuple(sorted({official.of_commune(start) for start in starts}))
            yield Area(level, code, names.get(code, code), departments, tuple(own_members))


@cache
def _of_facts() -> tuple[Area, ...]:
    rows = facts.rows("departments")
    own = {row["code"]: territories.of_department(row["code"]) for row in rows}
    found: list[Area] = []
    for region, name in facts.names("regions").items():
        found.append(Area("region", region, name, tuple(row["code"] for row in rows if row["region"] == region)))
    hexagone = tuple(code for code, territory in own.items() if territory == "hexagone")
    for code, place in territories.territories().items():
        if place.has_qpv or code == territories.SAMPLE:
            found.append(Area("territory", code, place.name, hexagone if code == "hexagone" else (code,)))
    for row in facts.rows("unions"):
        level: AreaLevel = "former region" if row["kind"] == "former region" else "union"
        found.append(Area(level, row["name"], row["name"], tuple(row["departments"].split())))
    found += [Area("department", row["code"], row["name"], (row["code"],)) for row in rows if row["region"]]
    return tuple(found)


def _column(frame: pd.DataFrame | None, column: str) -> dict[str, str]:
    if frame is None or column not in frame.columns:
        return {}
    values = frame[column].dropna()
    return dict(zip(map(str, values.index.tolist()), map(str, values.tolist()), strict=True))


def near_names(asked: str, known: Iterable[Area]) -> list[str]:
    """Places whose code or name is near to a text: `Lille (59350)`."""
    known = list(known)
    forms = {form: area for area in reversed(known) for form in (plain(area.name), area.code.lower())}
    bare = _spelt_out(asked)
    close = [forms[form] for form in difflib.get_close_matches(bare, forms, n=_NEAR, cutoff=0.6)]
    # a spreadsheet takes zeros away
    padded = [area for area in known if area.code == f"0{bare}"]
    inside = [area for form, area in forms.items() if bare and bare in form.split()]
    longer = [area for form, area in forms.items() if bare and form.startswith(f"{bare} ")][: _NEAR // 2]
    return [area.label for area in dict.fromkeys([*padded, *longer, *close, *inside])][:_NEAR]
