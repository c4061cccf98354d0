"""Names under which published tables give the same thing, and what the columns hold once found.

The same code is `qp`, `codeQPV` or `code_qp`; `COM` is the code of a commune in one year's table and its name in the
next. A column is therefore taken by its name *and* by its content.
"""

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.codes.code_in_text import WORDS
from qpvgeo.errors import DataError
from qpvgeo.formats.cells import NUMBER
from qpvgeo.formats.text_tables import find_column, normalise
from qpvgeo.language import Note
from qpvgeo.sources import published_names as names_of
from qpvgeo.sources.published_names import COMMUNE_CODE, COMMUNE_TYPE, QPV_CODE

__all__ = [
    "commune_codes",
    "commune_kinds",
    "commune_labels",
    "communes_alone",
    "epci_column",
    "identified",
    "is_sample",
    "label",
    "of_kind",
    "qpv_column",
    "qpv_columns",
    "rename_columns",
    "type_column",
    "unlike_codes",
]

_KINDS = {
    "commune_actuelle": "commune",
    "com": "commune",
    "arrondissement_municipal": "arrondissement",
    "arm": "arrondissement",
    "commune_deleguee": "former",
    "comd": "former",
    "commune_associee": "former",
    "coma": "former",
    # ACTUAL of the COG of before 2019: associée, suppressed, of another department, déléguée
    "1": "commune",
    "5": "arrondissement",
    **dict.fromkeys("2346", "former"),
}

_DEPARTMENT_PART = ("coddep", "code_departement", "code_dep", "dep", "departement", "dept", "code_du_departement")

_COMMUNE_PART = ("codcom", "code_commune", "code_com", "code_de_la_commune", "com", "commune", "num_com")

_LEVEL = ("nivgeo", "niv_geo", "geo_object", "niveau_geographique", "niveau_geo", "type_geo", "maille", "echelon")
_OF_COMMUNES = {"com", "commune", "communes", "arm", "arrondissement_municipal"}

_EPCI = (
    "epci",
    "siren_epci",
    "code_epci",
    "codes_siren_des_epci",
    "code_siren_epci",
    *("codeepci", "epci_code", "epci_siren", "siren_de_l_epci", "code_siren_de_l_epci", "id_epci", "num_epci"),
    "siren_groupement",
    "n_siren",
    "siren",
)

_SIREN_OF_COMMUNES = "21"

_TRIED = 500

_MOST_TOTALS = 150
"""Most rows of totals that stand beside codes: a country, its regions and departments."""

_NEARLY_ALL = 0.9

_UNITS = {
    *("habitants", "hab", "nombre", "nb", "nombre_d_habitants", "nombre_de_personnes", "personnes", "effectif"),
    *("unite", "unites", "pourcentage", "part", "taux", "euros", "eur", "km2", "m2", "ha", "hectares", "annee"),
    *("code", "codes", "nom", "noms", "libelle", "texte", "texte_libre", "entier", "decimal", "numerique", ""),
}
"""What a row under the header says of the columns where it gives their units."""

_LABELS = 3
"""Most rows of labels that stand between the names of the columns and the first record."""

_TOTAL = re.compile(r"(?:(?:sous_)?tot(?:al|aux)|ens|ensqp|ensemble|france|fr|hexagone|metropole|moyenne|dont)(?:_|$)")
_PLACE = re.compile(r"(?:region|departement|academie)_.*")


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
            Note("read.no_column", file=where, columns=absent),
            way_out=Note("read.columns_are", columns=list(map(str, frame.columns))),
        )
    renamed = {column: columns[name] for name, column in found.items() if column is not None}
    taken = {normalise(name) for name in columns.values()}
    shadowed = [column for column in frame.columns if normalise(column) in taken and column not in renamed]
    return frame.drop(columns=shadowed).rename(columns=renamed)


def of_kind(frame: pd.DataFrame, names: Sequence[str], kind: official.Kind) -> str | None:
    """First column with one of the names whose values are codes of a kind, in at least half of the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> of_kind(pd.DataFrame({"COM": ["Dorménil"], "CODGEO": ["99001"]}), ["com", "codgeo"], "commune")
    'CODGEO'
    """
    return next((name for name in names_of.named(frame.columns, names) if _shares(frame, name, kind)[0] >= 0.5), None)


def _shares(frame: pd.DataFrame, column: str, kind: official.Kind) -> tuple[float, float]:
    """Shares of the values of a column that are codes of a kind, and codes or names with a code.

    Both are 0 where most cells are empty.
    """
    given = frame[column].dropna()
    if not len(given) or (len(given) < len(frame) / 2 and len(given) < _without_totals(frame, column) / 2):
        return 0.0, 0.0
    texts = list(dict.fromkeys(given.astype("str").to_numpy(dtype=object)))
    texts = texts[:: max(1, len(texts) // _TRIED)]
    if kind == "qpv" and not any("Q" in text.upper() for text in texts):
        return 0.0, 0.0
    read = [official.repaired(text, kind) for text in texts if not official.is_missing(text)]
    found = [WORDS in done for code, done in read if code is not None]
    return found.count(False) / len(texts), len(found) / len(texts)


def _without_totals(frame: pd.DataFrame, column: str) -> int:
    """Number of rows, but for those without a code that hold words of a total and numbers alone."""
    bare = frame[frame[column].isna()].astype("object")
    if len(bare) > _MOST_TOTALS:
        return len(frame)
    words = bare.map(lambda cell: pd.isna(cell) or _is_total(cell) or NUMBER.fullmatch(str(cell)) is not None)
    return len(frame) - int(words.all(axis="columns").sum())


def qpv_column(frame: pd.DataFrame) -> str | None:
    """Column of the codes of QPV: known by its name and its values, else the only one whose values are all codes.

    Examples
    --------
    >>> import pandas as pd
    >>> qpv_column(pd.DataFrame({"id": ["QP974026", "QP974014"], "Commune": ["Saint-Denis", "Saint-Pierre"]}))
    'id'
    """
    held = qpv_columns(frame)
    return held[0] if len(held) == 1 else None


def qpv_columns(frame: pd.DataFrame) -> list[str]:
    """Columns that may be that of the codes of QPV: those with a known name, else all whose values are codes.

    Of those that give the same codes the first counts, and of known names those without a year before those with one.
    Where there are none, names that hold one code each ("QP059001 - Les Oliveaux") are columns of codes too.

    Examples
    --------
    >>> import pandas as pd
    >>> qpv_columns(pd.DataFrame({"old": ["QP974026"], "new": ["QN97401M"], "rank": [1]}))
    ['old', 'new']
    >>> qpv_columns(pd.DataFrame({"code_qp": ["QN97401M"], "qp2015": ["QP974026"]}))
    ['code_qp']
    """
    held = [column for column in names_of.named(frame.columns, QPV_CODE) if _shares(frame, column, "qpv")[0] >= 0.5]
    # the name that `columns` gives comes before all others, and those with a year may be ancestors
    held = [column for column in held if column == QPV_CODE[0]] or held
    held = [column for column in held if not normalise(column).startswith("qp20")] or held
    if not held:
        shares = [(name, *_shares(frame, name, "qpv")) for name in frame.columns]
        held = [name for name, alone, _ in shares if alone > _NEARLY_ALL]
        held = held or [name for name, _, within in shares if within > _NEARLY_ALL]
    if len(held) < 2:
        return list(map(str, held))
    codes = frame[held].apply(lambda cells: official.clean(cells, "qpv").codes)
    first = codes[held[0]]
    others = [one for one in held[1:] if (codes[one].notna() & first.notna() & (codes[one] != first)).any()]
    return list(map(str, [held[0], *others]))


def unlike_codes(frame: pd.DataFrame, names: Sequence[str]) -> list[Note]:
    """Columns that have the name of a code and hold something else, each with an example.

    Examples
    --------
    >>> import pandas as pd
    >>> unlike_codes(pd.DataFrame({"siren": ["2.459E+08"]}), ["siren"])
    ["siren holds '2.459E+08'"]
    """
    kind: official.Kind = "qpv" if names is QPV_CODE else "commune" if names is COMMUNE_CODE else "siren"
    told = {column: frame[column].dropna().astype("str") for column in names_of.named(frame.columns, names)}
    odd = {
        column: [cell for cell in given if official.repaired(cell, kind)[0] is None] for column, given in told.items()
    }
    return [Note("read.holds_no_codes", column=column, example=cells[0]) for column, cells in odd.items() if cells]


def label(frame: pd.DataFrame, names: Sequence[str], given: pd.Series | None = None) -> str | None:
    """Column of the names of the rows: never that of the codes, nor one that holds digits alone."""
    code = None if given is None else given.name
    for column in names_of.named([name for name in frame.columns if name != code], names):
        told = frame[column].dropna().astype("str")
        if len(told) and not told.str.fullmatch(r"[\d.,]+|[A-Z]{2}\d{3}.*").all():
            return column
    return None


def commune_labels(frame: pd.DataFrame, given: pd.Series) -> pd.Series | None:
    """Names of communes, with the article that the COG of before 2019 gives in a column of its own.

    Examples
    --------
    >>> import pandas as pd
    >>> old = pd.DataFrame({"COM": ["001"], "ARTMIN": ["(L')"], "NCCENR": ["Abergement-Clémenciat"]})
    >>> commune_labels(old, pd.Series(["01001"])).tolist()
    ["L'Abergement-Clémenciat"]
    """
    column = label(frame, names_of.COMMUNE_NAME, given)
    if column is None:
        return None
    article = find_column(frame, ["artmin"])
    if article is None or normalise(column) != "nccenr":
        return frame[column]
    first = frame[article].fillna("").str.strip("() ")
    first = first.where(first.str.endswith("'") | first.eq(""), first + " ")
    return first + frame[column]


def epci_column(frame: pd.DataFrame) -> str | None:
    """Column of the SIREN of the EPCI: in the tables of the DGCL `siren` is that, in the COG that of the commune.

    Examples
    --------
    >>> import pandas as pd
    >>> epci_column(pd.DataFrame({"siren": ["245900410"], "siren_com": ["215903501"]}))
    'siren'
    """
    for column in names_of.named(frame.columns, _EPCI):
        told = frame[column].dropna().astype("str").str.strip()
        if normalise(column) != "siren" or (len(told) and not told.str.startswith(_SIREN_OF_COMMUNES).all()):
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
    first = first.fillna(frame[department].str.strip())
    last = frame[number].str.strip().str.replace(r"\.0+$", "", regex=True)
    if not last.dropna().str.fullmatch(r"\d{1,3}").mean() >= 0.5:
        return None
    last = last.where(first.str.len() == 3, last.str.zfill(3))
    return first.str.slice(0, 2) + last.where(last.str.len() == 3, first.str.slice(2, 3) + last.str.zfill(2))


def communes_alone(frame: pd.DataFrame, notes: list[str] | None = None) -> pd.DataFrame:
    """Rows of communes and arrondissements of a table of several levels, which it names in a column; else all rows.

    Examples
    --------
    >>> import pandas as pd
    >>> communes_alone(pd.DataFrame({"NIVGEO": ["DEP", "COM"], "CODGEO": ["59", "59350"]}))["CODGEO"].tolist()
    ['59350']
    """
    column = find_column(frame, _LEVEL)
    kept = frame[column].map(normalise, na_action="ignore").isin(_OF_COMMUNES) if column else None
    if kept is None or not kept.any() or kept.all():
        return frame
    if notes is not None:
        notes.append(Note("read.rows_of_level", count=int((~kept).sum())))
    return frame[kept]


def type_column(frame: pd.DataFrame) -> str | None:
    """Column that says what each unit is: commune, arrondissement, former commune; None without one."""
    column = find_column(frame, COMMUNE_TYPE)
    if column is None or not frame[column].dropna().map(normalise).isin(list(_KINDS)).mean() >= 0.5:
        return None
    return column


def commune_kinds(frame: pd.DataFrame, given: pd.Series) -> pd.Series:
    """What each row of a table is: `commune`, `arrondissement` or `former`; missing for what is none of them.

    Parameters
    ----------
    frame
        A table; without a column of types the codes decide.
    given
        Codes of its rows, cleaned.
    """
    column = type_column(frame)
    if column is not None:
        return frame[column].map({text: _KINDS.get(normalise(text)) for text in frame[column].dropna().unique()})
    parts = {part for parts in official.ARRONDISSEMENTS.values() for part in parts}
    kinds = given.isin(parts).map({True: "arrondissement", False: "commune"})
    # communes since 1943: those of the day have no last day
    end = find_column(frame, ["date_fin"]) if find_column(frame, ["date_debut"]) is not None else None
    return kinds if end is None else kinds.mask(frame[end].notna(), "former")


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
    labels = _labels(frame, given, cleaned.codes)
    texts = pd.concat([given, *(frame[name] for name in names)], axis="columns")[cleaned.codes.isna()]
    totals = texts.index[texts.map(_is_total).any(axis="columns")]
    kept = frame.drop(index=[*labels, *(row for row in totals if row not in labels)])
    return kept, official.require(given[kept.index], kind, where=where)


def _labels(frame: pd.DataFrame, given: pd.Series, codes: pd.Series) -> list[Hashable]:
    """Rows under the header that say in words what the columns are, before the first code: they hold no number."""
    found: list[Hashable] = []
    for row in frame.index[:_LABELS]:
        if pd.notna(codes[row]):
            break
        cells = frame.loc[row].dropna().astype("str")
        units = cells.map(normalise).isin(_UNITS).all()
        if (
            (pd.isna(given[row]) and not units)
            or cells.str.fullmatch(r"[\d\s.,]+").any()
            or not cells.str.contains("[A-Za-z]").all()
        ):
            break
        if _is_total(given[row]):
            break
        found.append(row)
    return found


def _is_total(text: object) -> bool:
    """Whether a text names a total: in words, or as the region or the department that the rows above lie in."""
    if not isinstance(text, str):
        return False
    bare = normalise(text)
    return bool(_TOTAL.match(bare) or _PLACE.fullmatch(bare)) or bare in _places()


@cache
def _places() -> frozenset[str]:
    return frozenset(normalise(name) for level in ("regions", "departments") for name in facts.names(level).values())


def is_sample(given: Iterable[str]) -> bool:
    """Tell whether all codes of QPV or communes are those of the fictional sample."""
    departments = (official.of_qpv(code) if code.startswith("Q") else official.of_commune(code) for code in given)
    # the first code elsewhere decides
    first = next(departments, None)
    return first == territories.SAMPLE and all(one == first for one in departments)
