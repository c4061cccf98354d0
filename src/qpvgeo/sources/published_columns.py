"""Names under which published tables give the same thing, and what the columns hold once found.

The same code is `qp`, `codeQPV` or `code_qp`; `COM` is the code of a commune in one year's table and its name in the
next. A column is therefore taken by its name *and* by its content.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import pandas as pd

from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError
from qpvgeo.formats.text_tables import find_column, normalise, to_number

__all__ = [
    "COMMUNE_CODE",
    "COMMUNE_NAME",
    "COMMUNE_TYPE",
    "NAMES",
    "QPV_CODE",
    "QPV_NAME",
    "PopulationColumn",
    "column_of",
    "commune_codes",
    "commune_kinds",
    "identified",
    "is_sample",
    "listed",
    "of_kind",
    "people",
    "population_columns",
    "rename_columns",
    "whole_people",
]

QPV_CODE = (
    "qpv_code",
    "codeqpv",
    "code_qpv",
    "code_qp",
    "qp",
    "qpv",
    "qp2024",
    "qp2015",
    "code_quartier",
    "codgeo",
    "Code du quartier de la politique de la ville",
    "Code du quartier prioritaire",
)

QPV_NAME = (
    "name",
    "libqpv",
    "lib_qpv",
    "lib_qp",
    "nom_qp",
    "nom_qpv",
    "nom_quartier",
    "libgeo",
    "Nom du quartier de la politique de la ville",
    "Nom du quartier prioritaire",
)

COMMUNE_CODE = (
    "codgeo",
    "code_insee",
    "code_commune",
    "codecommune",
    "codecom",
    "insee_com",
    "depcom",
    "cog",
    "com",
    "insee",
    "code",
    "commune",
)

COMMUNE_NAME = (
    "name",
    "libgeo",
    "libelle",
    "lib_com",
    "libcom",
    "nom_officiel",
    "nom_commune",
    "nom_com",
    "nom_membre",
    "nom",
    "commune",
    "com",
)

_CENSUS = re.compile(r"p(\d\d)_pop")

_MUNICIPAL = re.compile(
    r"(?:pop(?:ulation)?(?:_?mun(?:i(?:cipale)?)?)?|pmun)"
    r"(?P<scope>(?:_?(?:qpv|qp|part|depcom|communale|commune|com|reference|ref))*)"
    r"(?:_?(?P<year>(?:19|20)\d\d))?"
)

COMMUNE_TYPE = ("type", "typecom", "type_com", "typ_com")

_KINDS = {
    "commune_actuelle": "commune",
    "com": "commune",
    "arrondissement_municipal": "arrondissement",
    "arm": "arrondissement",
    "commune_deleguee": "former",
    "comd": "former",
    "commune_associee": "former",
    "coma": "former",
}

_DEPARTMENT_PART = ("coddep", "code_departement", "dep", "departement")

_COMMUNE_PART = ("codcom", "com")

_TRIED = 500

_TOTAL = re.compile(r"(ens|ensqp|ensemble|total|totaux|france|hexagone|metropole)(_|$)")


def rename_columns(
    frame: pd.DataFrame, columns: Mapping[str, str] | None, *, where: str, unused: set[str] | None = None
) -> pd.DataFrame:
    """Give columns of a file the names that the caller says they stand for.

    Parameters
    ----------
    frame
        The table as read.
    columns
        `{"name in the file": "canonical name"}`, or None.
    where
        What the message calls the file.
    unused
        When several files are read: names not found so far. Those that this file has are taken out, and none is
        required of it.

    Returns
    -------
    pandas.DataFrame
        The same rows; a column that already had one of the canonical names gives way and is left out.

    Raises
    ------
    DataError
        The file has no column of such a name: lists them.
    """
    if not columns:
        return frame
    found = {name: find_column(frame, [name]) for name in columns}
    absent = [name for name, column in found.items() if column is None]
    if unused is not None:
        unused.intersection_update(absent)
    elif absent:
        raise DataError(
            f"{where} has no column {' nor '.join(map(repr, absent))}.",
            way_out=f"Its columns are: {', '.join(map(str, frame.columns))}.",
        )
    renamed = {column: columns[name] for name, column in found.items() if column is not None}
    taken = {normalise(name) for name in columns.values()}
    shadowed = [column for column in frame.columns if normalise(column) in taken and column not in renamed]
    return frame.drop(columns=shadowed).rename(columns=renamed)


def of_kind(frame: pd.DataFrame, names: Iterable[str], kind: official.Kind) -> str | None:
    """First column with one of the names whose values are codes of a kind, in at least half of the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> of_kind(pd.DataFrame({"COM": ["Dorménil"], "CODGEO": ["99001"]}), ["com", "codgeo"], "commune")
    'CODGEO'
    """
    for name in names:
        column = find_column(frame, [name])
        if column is not None:
            given = frame[column].dropna()
            if len(given) < len(frame) / 2:
                continue
            given = given.drop_duplicates()
            given = given.iloc[:: max(1, len(given) // _TRIED)]
            if len(given) and official.clean(given, kind).codes.notna().mean() >= 0.5:
                return column
    return None


def commune_codes(frame: pd.DataFrame) -> pd.Series | None:
    """Codes of the communes of a table, as written or put together; None when it has none.

    Tables of legal populations give the department and a number of three digits (`CODDEP` or `DEP`, then `CODCOM`).
    The departments of overseas have three digits, of which the number of the commune repeats the last.

    Examples
    --------
    >>> import pandas as pd
    >>> split = pd.DataFrame({"CODDEP": ["01", "974"], "CODCOM": ["004", "411"], "COM": ["A", "B"]})
    >>> commune_codes(split).tolist()
    ['01004', '97411']
    """
    column = of_kind(frame, COMMUNE_CODE, "commune")
    if column is not None:
        return frame[column]
    department, number = find_column(frame, _DEPARTMENT_PART), find_column(frame, _COMMUNE_PART)
    if department is None or number is None:
        return None
    first = official.clean(frame[department], "department").codes
    last = frame[number].str.strip()
    last = last.where(first.str.len() == 3, last.str.zfill(3))
    return first.str.slice(0, 2) + last.where(last.str.len() == 3, first.str.slice(2, 3) + last.str.zfill(2))


def commune_kinds(frame: pd.DataFrame, given: pd.Series) -> pd.Series:
    """What each row of a table is: `commune`, `arrondissement` or `former`; missing for what is none of them.

    Parameters
    ----------
    frame
        A table; without a column of types the codes decide.
    given
        Codes of its rows, cleaned.
    """
    column = find_column(frame, COMMUNE_TYPE)
    if column is not None:
        return frame[column].map({text: _KINDS.get(normalise(text)) for text in frame[column].dropna().unique()})
    parts = {part for parts in official.ARRONDISSEMENTS.values() for part in parts}
    return given.isin(parts).map({True: "arrondissement", False: "commune"})


class PopulationColumn(NamedTuple):
    """A column of municipal populations, and what its name says of it."""

    column: str
    year: int | None
    scope: Literal["qpv", "commune", ""]


def population_columns(frame: pd.DataFrame) -> list[PopulationColumn]:
    """Columns of a table that hold municipal populations, with the year and the scope that their names state.

    Examples
    --------
    >>> import pandas as pd
    >>> for found in population_columns(pd.DataFrame(columns=["popMuniQPV", "P13_POP", "pop_muni_2018", "PTOT"])):
    ...     print(found.column, found.year, found.scope)
    popMuniQPV None qpv
    P13_POP 2013
    pop_muni_2018 2018
    """
    found = []
    for column in map(str, frame.columns):
        name = normalise(column)
        if census := _CENSUS.fullmatch(name):
            century = 2000 if int(census[1]) < 60 else 1900
            found.append(PopulationColumn(column, century + int(census[1]), ""))
        elif municipal := _MUNICIPAL.fullmatch(name):
            scope: Literal["qpv", "commune", ""] = "qpv" if "qp" in municipal["scope"] else ""
            scope = "commune" if re.search("com|part", municipal["scope"]) else scope
            found.append(PopulationColumn(column, int(municipal["year"]) if municipal["year"] else None, scope))
    return found


def identified(
    frame: pd.DataFrame, given: pd.Series, kind: official.Kind, *, names: Iterable[str] = (), where: str
) -> tuple[pd.DataFrame, official.CleanCodes]:
    """Rows of a table without those that total it ("Ensemble des quartiers"), and their codes.

    Parameters
    ----------
    frame
        The table.
    given
        Codes of its rows, as written. A row with a valid code is never a total, whatever its name.
    kind
        What the codes are codes of.
    names
        Columns in which a total may be named.
    where
        What the messages call the file.

    Raises
    ------
    DataError
        Lists the rows that are no totals and have no code.
    """
    cleaned = official.clean(given, kind)
    if cleaned.codes.notna().all():
        return frame, cleaned
    texts = pd.concat([given, *(frame[name] for name in names)], axis="columns")[cleaned.codes.isna()]
    kept = frame.drop(index=texts.index[texts.map(_is_total).any(axis="columns")])
    return kept, official.require(given[kept.index], kind, where=where)


def _is_total(text: object) -> bool:
    return isinstance(text, str) and _TOTAL.match(normalise(text)) is not None


def people(values: pd.Series, *, where: str, notes: list[str]) -> pd.Series:
    """Numbers of people in a column, fractions kept, and a note on those that are not given.

    Parameters
    ----------
    values
        Text of the column.
    where
        What the messages call the file.
    notes
        Gains a line when some are missing.

    Raises
    ------
    DataError
        Lists every cell that is neither a number nor a mark of secrecy, and negative numbers.
    """
    read = to_number(values)
    problems = [f"row {row}: {value!r} is {what}" for row, value, what in read.problems.itertuples(index=False)]
    problems += [f"row {row}: {value} people" for row, value in read.numbers[(read.numbers < 0).fillna(False)].items()]
    if problems:
        raise DataError(f"{where}: {len(problems)} populations in {values.name!r} cannot be read.", problems=problems)
    if read.missing:
        notes.append(f"{values.name}: {sum(read.missing.values())} populations missing ({listed(read.missing)})")
    return read.numbers.astype("Float64")


def listed(missing: Mapping[str, int]) -> str:
    """Counts of marks as text.

    Examples
    --------
    >>> listed({"ns": 2, "": 1})
    '2 "ns", 1 empty'
    """
    return ", ".join(f'{count} "{mark}"' if mark else f"{count} empty" for mark, count in missing.items())


def whole_people(values: pd.Series, notes: list[str]) -> pd.Series:
    """Whole numbers of people; a note gives the largest difference when fractions were rounded.

    Examples
    --------
    >>> import pandas as pd
    >>> notes = []
    >>> whole_people(pd.Series([1634.75, 12.0]), notes).tolist(), notes
    ([1635, 12], ['1 fractional populations rounded to the nearest whole, largest difference 0.25'])
    """
    rounded = values.astype("Float64").round()
    gaps = (values - rounded).abs()
    if (gaps > 0).any():
        notes.append(
            f"{int((gaps > 0).sum())} fractional populations rounded to the nearest whole, "
            f"largest difference {float(gaps.max()):.2g}"
        )
    return rounded.astype("Int64")


def is_sample(given: Iterable[str]) -> bool:
    """Tell whether all codes of QPV or communes are those of the fictional sample."""
    departments = {official.of_qpv(code) if code.startswith("Q") else official.of_commune(code) for code in given}
    return departments == {territories.SAMPLE}


NAMES: Mapping[str, tuple[str, ...]] = {
    # "codgeo" names communes too: a layer with it is one of QPV only when its codes are
    "qpv_code": tuple(name for name in QPV_CODE if name != "codgeo"),
    "name": QPV_NAME,
    "communes": ("communes", "insee_com", "listedepcom", "list_com_2025", "list_com_2024", "code_commune"),
}
"""Published names of the columns that become canonical ones, best first; case and accents do not matter."""


def column_of(fields: Sequence[str], canonical: str, given: Mapping[str, str] | None = None) -> str | None:
    """Published column that holds what a canonical one does, whatever its case; None when there is none.

    Examples
    --------
    >>> column_of(["CODE_QP", "NOM_QP"], "qpv_code")
    'CODE_QP'
    """
    renamed = {canonical: name for name, canonical in (given or {}).items()}
    if renamed.get(canonical) in fields:
        return renamed[canonical]
    bare = {normalise(field): field for field in reversed(fields)}
    return next((bare[name] for name in map(normalise, NAMES[canonical]) if name in bare), None)
