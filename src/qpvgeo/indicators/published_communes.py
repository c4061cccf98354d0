"""The communes that publications give each QPV: by code (2024), or by name (2015).

The files of 2015 name communes as people write them: several in a cell, arrondissements of Paris, Lyon and Marseille by
their number, capitals in the wrong place. A name is looked for in the department of the QPV alone: the same name
elsewhere is another commune.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.codes.places import plain
from qpvgeo.language import Note

__all__ = ["NAME_COLUMNS", "PublishedCommunes", "published_communes"]

NAME_COLUMNS = ("commune_qp", "liste_des_communes", "noms_communes", "lib_com", "nom_com", "libcom", "nom_commune")
"""Published columns that name the communes of a QPV, in lower case."""

_CITY = re.compile(r"\b(paris|lyon|marseille)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\b(\d{1,2})\s*(?:er|nd|e|è|ème|eme)\b", re.IGNORECASE)
_WHOLE = {"paris": "75056", "lyon": "69123", "marseille": "13055"}


@dataclass
class PublishedCommunes:
    """Published communes of the QPV, in the terms of a frame of communes.

    Attributes
    ----------
    codes
        Communes of each QPV that has a published list.
    unfound
        Names of a list that are those of no commune given, by QPV.
    column
        Column of names that was read; empty where codes are published.
    expanded
        QPV whose list names a whole city where the communes given are arrondissements: geometry says which.
    """

    codes: dict[str, list[str]] = field(default_factory=dict)
    unfound: dict[str, list[str]] = field(default_factory=dict)
    column: str = ""
    expanded: set[str] = field(default_factory=set)

    def add(self, code: str, listed: list[str], known: set[str]) -> None:
        """Keep the list of a QPV, arrondissements folded or unfolded as the communes are."""
        translated: list[str] = []
        for commune in listed:
            folded = official.fold_arrondissement(commune)
            parts = [part for part in official.ARRONDISSEMENTS.get(commune, ()) if part in known]
            if parts and commune not in known:
                self.expanded.add(code)
                translated += parts
            else:
                translated.append(folded if folded in known and commune not in known else commune)
        self.codes[code] = list(dict.fromkeys(translated))

    def notes(self) -> list[str]:
        """What the reader of the links must know of the lists."""
        notes: list[str] = []
        if self.column:
            notes.append(Note("indicators.communes_by_name", count=len(self.codes), column=self.column))
        if self.unfound:
            names = list(dict.fromkeys(name for own in self.unfound.values() for name in own))
            notes.append(Note("indicators.names_not_found", names=names))
        return notes


def published_communes(
    qpv: pd.DataFrame, communes: pd.DataFrame, population: pd.DataFrame | pd.Series | None = None
) -> PublishedCommunes:
    """Read the published communes of each QPV: lists of codes, else names.

    Parameters
    ----------
    qpv
        QPV frame.
    communes
        Frame of communes, with `name` for lists of names.
    population
        Table of populations, whose lists of names serve where the perimeters have none.

    Examples
    --------
    >>> import pandas as pd
    >>> qpv = pd.DataFrame({"commune_qp": ["Marseille 1er et 2ème arrondissements"]}, index=["QP013001"])
    >>> communes = pd.DataFrame({"name": ["Marseille 1er", "Marseille 2e"]}, index=["13201", "13202"])
    >>> published_communes(qpv, communes).codes
    {'QP013001': ['13201', '13202']}
    """
    found = PublishedCommunes()
    known = set(communes.index.tolist())
    if "communes" in qpv.columns:
        for code, listed in qpv["communes"].items():
            if isinstance(listed, list) and listed:
                found.add(str(code), listed, known)
    cells = _names(qpv, population)
    if cells is None or "name" not in communes.columns:
        return found
    by_name: dict[tuple[str, str], str] = {}
    for code, cell in cells.items():
        if str(code) in found.codes or pd.isna(cell):
            continue
        found.column = str(cells.name)
        by_name = by_name or _by_name(communes)
        codes, unfound = _read(str(cell), official.of_qpv(str(code)), by_name)
        if codes:
            found.add(str(code), codes, known)
        if unfound:
            found.unfound[str(code)] = unfound
    return found


def _names(qpv: pd.DataFrame, population: pd.DataFrame | pd.Series | None) -> pd.Series | None:
    """Column of names, on the QPV."""
    for frame in (qpv, population):
        if isinstance(frame, pd.DataFrame) and frame.index.nlevels == 1:
            column = next((name for name in NAME_COLUMNS if name in frame.columns), None)
            if column is not None and frame.index.is_unique:
                return frame[column].reindex(qpv.index)
    return None


_ASIDE = re.compile(r"\(.*?\)")
_SAINT = re.compile(r"\bst(e?)\b")
_ARTICLE = re.compile(r"^(l|la|le|les) ")


def _by_name(communes: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Codes by department and bare name."""
    found: dict[tuple[str, str], str] = {}
    for code, name in communes["name"].dropna().astype("object").items():
        found.setdefault((official.of_commune(str(code)), _bare(str(name))), str(code))
    return found


def _bare(name: str) -> str:
    """Name without its article, `st` written in full."""
    bare = plain(_ASIDE.sub("", name) if "(" in name else name)
    if "st" in bare:
        bare = _SAINT.sub(r"saint\1", bare)
    return _ARTICLE.sub("", bare) if bare.startswith("l") else bare


def _read(cell: str, department: str, by_name: dict[tuple[str, str], str]) -> tuple[list[str], list[str]]:
    """Codes of the communes that a cell names, and the names that are those of no commune."""
    codes, unfound = [], []
    for name in _split(cell, department, by_name):
        if name in official.ARRONDISSEMENTS or official.fold_arrondissement(name) != name:
            codes.append(name)
            continue
        code = by_name.get((department, _bare(name)))
        if code is None:
            unfound.append(name)
        else:
            codes.append(code)
    return list(dict.fromkeys(codes)), unfound


def _split(cell: str, department: str, by_name: dict[tuple[str, str], str]) -> Iterator[str]:
    """Names in a cell, arrondissements as codes."""
    city = ""
    for part in re.split(r"[,;/|]", cell):
        name = part.strip()
        if not name:
            continue
        named = _CITY.search(name)
        if named and (_NUMBER.search(name) or plain(name) == plain(named[1])):
            city = named[1].lower()
            if not _NUMBER.search(name):
                yield _WHOLE[city]
        numbers = _NUMBER.findall(name) if city else []
        if numbers:
            parts = official.ARRONDISSEMENTS[_WHOLE[city]]
            yield from (parts[int(number) - 1] for number in numbers if 0 < int(number) <= len(parts))
        elif named and city and plain(name) == plain(named[1]):
            continue
        elif (department, _bare(name)) not in by_name and " et " in name:
            yield from (one.strip() for one in name.split(" et "))
        else:
            yield name
