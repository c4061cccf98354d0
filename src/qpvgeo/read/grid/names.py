"""Names of the columns of the income grid: what the file calls them, what they are, in which unit.

The names moved from one vintage to the next: `IdINSPIRE` and `Depcom` in 2015, `Idcar_200m` and `lcog_geo` in 2017, the
same in lower case since 2019. A name is recognised in any case. The dictionary is that of Insee's documentation of the
gridded data; the columns of 2010, which are of other concepts, are described in `qpvgeo.read.grid.rectangles_2010`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import pandas as pd

from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats.text_tables import normalise
from qpvgeo.frames.require import columns_told
from qpvgeo.language import Note

__all__ = [
    "CANONICAL",
    "CELL_SIZES",
    "EUROSTAT_PEOPLE",
    "PUBLISHED",
    "SUMMED",
    "Kind",
    "Plan",
    "kind_of",
    "plan",
    "require_names",
]

Kind = Literal["id", "number", "flag", "group", "communes", "other"]
"""What a column holds: cell ids, a number, a mark of imputation, the number of a group, commune codes, or unknown."""

CANONICAL = (
    "cell_id",
    "population",
    "households",
    "poor_households",
    "living_standard_sum_eur",
    "living_standard_mean_eur",
    "poverty_rate",
    "imputed",
    "communes",
)
"""Names that `columns=` may give, beside those of Insee."""

CELL_SIZES: Mapping[str, int | None] = MappingProxyType(
    {"cell_id": None, "idcar_200m": 200, "idinspire": None, "idcar_1km": 1000, "idcar_nat": None, "grd_id": None}
)
"""Columns that may say what the rows are, the smallest cells first, with the size in metres that the name states."""

PUBLISHED: Mapping[str, tuple[Kind, str]] = MappingProxyType(
    {
        "idcar_200m": ("id", "cell of 200 m"),
        "idcar_1km": ("id", "cell of 1 km that holds it"),
        "grd_id": ("id", "cell of the European grid (Eurostat), mostly of 1 km"),
        "idcar_nat": ("id", "cell of the natural level that holds it (200 m to 64 km, 11 households or more)"),
        "id_car2010": ("id", "cell of 200 m in the grid of 2010; its number of digits may differ"),
        "i_est_200": ("flag", "whether the values of the 200 m cell are imputed"),
        "i_est_1km": ("flag", "whether the values of the 1 km cell are imputed"),
        "lcog_geo": ("communes", "communes of the cell"),
        "groupe": ("group", "number of the group of cells that imputation draws on"),
        "i_pauv": ("number", "cells of 200 m, of the 1 km cell, treated for the secrecy of poor households"),
        "ind": ("number", "persons"),
        "men": ("number", "households"),
        "men_pauv": ("number", "households: poor, under 60 % of the national median living standard"),
        "men_1ind": ("number", "households: of one person"),
        "men_5ind": ("number", "households: of five persons or more"),
        "men_prop": ("number", "households: owners"),
        "men_fmp": ("number", "households: single-parent"),
        "ind_snv": ("number", "euros a year: sum over the persons of winsorised living standards"),
        "men_surf": ("number", "square metres: floor area of the dwellings"),
        "men_coll": ("number", "households: in collective housing"),
        "men_mais": ("number", "households: in a house"),
        "log_av45": ("number", "dwellings: built before 1945"),
        "log_45_70": ("number", "dwellings: built from 1945 to 1969"),
        "log_70_90": ("number", "dwellings: built from 1970 to 1989"),
        "log_ap90": ("number", "dwellings: built since 1990"),
        "log_inc": ("number", "dwellings: date of construction not known"),
        "log_soc": ("number", "dwellings: social housing"),
        "ind_0_3": ("number", "persons: 0 to 3 years"),
        "ind_4_5": ("number", "persons: 4 to 5 years"),
        "ind_6_10": ("number", "persons: 6 to 10 years"),
        "ind_11_17": ("number", "persons: 11 to 17 years"),
        "ind_18_24": ("number", "persons: 18 to 24 years"),
        "ind_25_39": ("number", "persons: 25 to 39 years"),
        "ind_40_54": ("number", "persons: 40 to 54 years"),
        "ind_55_64": ("number", "persons: 55 to 64 years"),
        "ind_65_79": ("number", "persons: 65 to 79 years"),
        "ind_80p": ("number", "persons: 80 years or more"),
        "ind_inc": ("number", "persons: age not known"),
    }
)
"""Kind and unit of every column of Filosofi, by its lower-case name."""

_SUMMED_2010 = "men men_surf men_occ5 men_coll men_5ind men_1ind men_prop men_basr ind_c ind_srf ind_15_17 ind_11_14"
_SUMMED_2010 += " ind_25_64 ind_65_74 ind_75p"

SUMMED = frozenset(
    {
        *(name for name, (kind, _) in PUBLISHED.items() if kind == "number" and name != "i_pauv"),
        *_SUMMED_2010.split(),
        *("population", "households", "poor_households", "poor_population", "living_standard_sum_eur"),
    }
)
"""Published columns that are counts or sums: the values of cells add up."""

_ALIASES = {
    "id_carr1km": "idcar_1km",
    "id_carr_n": "idcar_nat",
    "i_est_cr": "i_est_200",
    "depcom": "lcog_geo",
}
_SOURCES = {
    "population": "ind",
    "households": "men",
    "poor_households": "men_pauv",
    "living_standard_sum_eur": "ind_snv",
    "communes": "lcog_geo",
}
EUROSTAT_PEOPLE = re.compile(r"t|tot_p(_\d{4})?|obs_value_t")
"""Columns of all residents in the European grids, by their lower-case names."""

_KINDS: dict[str, Kind] = {"cell_id": "id", "idinspire": "id", "imputed": "flag", "communes": "communes"}
_INSTEAD = {"living_standard_sum_eur": "living_standard_mean_eur", "poor_households": "poverty_rate"}
_NOT_VALUES = {"geometry", "geom", "wkb_geometry", "fid", "index_level_0"}


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns of a file are read, and what each becomes.

    Attributes
    ----------
    cell_id
        Column of the ids of the rows.
    id_name
        What that column is, among `CELL_SIZES`.
    canonical
        Column of the file by canonical name, ids left out.
    others
        Column of the file by the lower-case name that it gets, in the order of the file.
    given
        Columns renamed by the caller: name in the file and what it stands for.
    """

    cell_id: str
    id_name: str
    canonical: Mapping[str, str]
    others: Mapping[str, str]
    given: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """Columns of the file to read, each once."""
        return list(dict.fromkeys([self.cell_id, *self.canonical.values(), *self.others.values()]))

    def kind(self, column: str) -> Kind:
        """What a column of the file holds."""
        if column == self.cell_id:
            return "id"
        back = {name: output for output, name in (*self.others.items(), *self.canonical.items())}
        return kind_of(back[column])


def kind_of(name: str) -> Kind:
    """What a column holds, by its canonical or lower-case name.

    Examples
    --------
    >>> kind_of("men_surf"), kind_of("poverty_rate"), kind_of("i_est_1km"), kind_of("wikipedia")
    ('number', 'number', 'flag', 'other')
    """
    if name in _KINDS:
        return _KINDS[name]
    if name in CANONICAL or name == "poor_population":
        return "number"
    return PUBLISHED[name][0] if name in PUBLISHED else "other"


def require_names(columns: Mapping[str, str] | None) -> None:
    """Raise when `columns=` gives a name that means nothing, or the same one twice.

    Raises
    ------
    UsageError
        Lists them.
    """
    if columns is not None and (not isinstance(columns, Mapping) or isinstance(columns, pd.Series)):
        raise UsageError(Note("grid.columns_no_mapping", kind=type(columns).__name__), way_out=Note("grid.map_columns"))
    targets = list((columns or {}).values())
    odd = [name for name in [*(columns or {}), *targets] if not isinstance(name, str)]
    if odd:
        raise UsageError(
            Note("grid.columns_no_names"),
            problems=[Note("grid.no_name", given=repr(name)) for name in odd],
            way_out=Note("grid.map_columns"),
        )
    problems = [Note("grid.not_canonical", name=name) for name in targets if name not in {*CANONICAL, *PUBLISHED}]
    problems += [Note("grid.given_twice", name=name) for name in dict.fromkeys(targets) if targets.count(name) > 1]
    for total, rate in _INSTEAD.items():
        if total in targets and rate in targets:
            problems.append(Note("grid.both_given", total=total, rate=rate))
    if problems:
        raise UsageError(
            Note("grid.bad_columns"),
            problems=problems,
            way_out=Note("grid.canonical_names", names=", ".join(CANONICAL)),
        )


def plan(
    names: Sequence[str], columns: Mapping[str, str] | None = None, keep: Iterable[str] | None = None
) -> Plan | None:
    """Which columns of a file to read, and as what; None when the file has no ids of cells.

    Parameters
    ----------
    names
        Columns of the file.
    columns
        What some of them stand for, by their name in the file.
    keep
        Columns to read beside the canonical ones; None reads all.

    Raises
    ------
    DataError
        `keep` names columns that the file does not have: lists them.

    Examples
    --------
    >>> found = plan(["Idcar_200m", "I_est_200", "Ind", "Men_surf", "Depcom"])
    >>> found.cell_id, dict(found.canonical), dict(found.others)
    ('Idcar_200m', {'population': 'Ind', 'communes': 'Depcom', 'imputed': 'I_est_200'}, {'men_surf': 'Men_surf'})
    """
    known = {normalise(name): name for name in reversed(names)}
    given = {known[normalise(name)]: target for name, target in (columns or {}).items() if normalise(name) in known}
    if len(given) < len(columns or {}):
        return None
    meant = {name: given.get(name) or _published(name) for name in names}
    for target in given.values():
        # what the caller says wins over a column that already has the name
        for name, what in meant.items():
            if name not in given and what in (target, _SOURCES.get(target)):
                meant[name] = f"{what}_published"
    by_meaning = {what: name for name, what in reversed(meant.items())}
    id_name = next((what for what in CELL_SIZES if what in by_meaning), None)
    if id_name is None:
        return None
    canonical = _canonical(by_meaning, set(given.values()), id_name)
    used = {by_meaning[id_name], *canonical.values()}
    others = {
        f"{what}_published" if what in CANONICAL else what: name
        for name, what in meant.items()
        if name not in used and normalise(name) not in _NOT_VALUES
    }
    return Plan(by_meaning[id_name], id_name, canonical, _kept(others, keep, names), given)


def _canonical(by_meaning: Mapping[str, str], given: set[str], id_name: str) -> dict[str, str]:
    """Column of the file for each canonical name: what the caller says, else the name of Insee, else our own."""
    canonical = {name: by_meaning[name] for name in CANONICAL if name in given and name != "cell_id"}
    flag = {"idcar_1km": "i_est_1km", "idcar_nat": ""}.get(id_name, "i_est_200")
    for name, source in {**_SOURCES, "imputed": flag}.items():
        instead = _INSTEAD.get(name)
        found = by_meaning.get(source, by_meaning.get(name))
        if name not in canonical and instead not in canonical and found is not None:
            canonical[name] = found
    residents = [what for what in by_meaning if EUROSTAT_PEOPLE.fullmatch(what)]
    if id_name == "grd_id" and "population" not in canonical and len(residents) == 1:
        # several years of people are for the caller to choose from
        canonical["population"] = by_meaning[residents[0]]
    return canonical


def _published(name: str) -> str:
    """Lower-case name of a column: that of Insee when it is one, in whichever case and accents."""
    bare = normalise(name)
    bare = _ALIASES.get(bare, bare)
    return bare if bare in PUBLISHED or bare in CANONICAL or bare in CELL_SIZES else name.strip().lower()


def _kept(others: Mapping[str, str], keep: Iterable[str] | None, names: Sequence[str]) -> dict[str, str]:
    if keep is None:
        return dict(others)
    wanted = {normalise(name): name for name in keep}
    there = {normalise(name) for name in (*names, *map(_published, names), *others)}
    absent = [name for bare, name in wanted.items() if bare not in there]
    if absent:
        raise DataError(Note("grid.keep_absent"), problems=map(repr, absent), way_out=columns_told(names))
    return {what: name for what, name in others.items() if {normalise(what), normalise(name)} & set(wanted)}
