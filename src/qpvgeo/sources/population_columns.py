"""Columns of people in published tables: which hold municipal populations, of what, of which year, and can they be.

A table of the members of EPCI gives the people of the EPCI on the row of every commune; a sum held against what is
known of the department finds such a column whatever its name.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError
from qpvgeo.formats.text_tables import normalise, to_number
from qpvgeo.language import Note

__all__ = [
    "PopulationColumn",
    "impossible_sums",
    "listed",
    "of_groups",
    "people",
    "population_columns",
    "repeated_by",
    "whole_people",
    "year_in",
]

_CENSUS = re.compile(r"(?:[pd](\d\d)_pop|(?:pmun|psdc|pop_?mun)_?(\d\d))")
"""`P13_POP`, `D99_POP`; `PMUN21` and `PSDC99` of the historical series."""

_MUNICIPAL = re.compile(
    r"(?:pop(?:ulation)?(?:_?mun(?:i(?:cipale)?)?)?|pmun|(?:(?:nb|nombre)_(?:d_|de_)?)?(?:hab|habitants))"
    r"(?P<scope>(?:_?(?:qpv|qp|du_quartier|quartier|part|depcom|communale|de_la_commune|commune|com|membre|reference|ref))*)"
    r"(?:_?(?:en_)?(?P<year>(?:19|20)\d\d))?"
)

_OF_EPCI = re.compile(
    r"nature.*|nb_(?:com|communes|membres?).*|nombre_de_(?:communes|membres).*|fiscalite|mode_(?:de_)?financ\w*"
    r"|(?:lib|libelle|nom|raison)_?(?:sociale|(?:\w+_)?epci|(?:du_)?groupement|interco\w*)"
)
"""Columns that describe an EPCI."""

_COMMUNE = re.compile(r"insee\w*|codgeo|com|depcom|code_?(?:insee|commune|com)\w*|insee_com")

_MOST = 1.5
"""A sum beyond this many times what is known of a place is not of its people."""


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
            short = int(census[1] or census[2])
            found.append(PopulationColumn(column, short + (2000 if short < 60 else 1900), ""))
        elif municipal := _MUNICIPAL.fullmatch(name):
            scope: Literal["qpv", "commune", ""] = "qpv" if "qp" in municipal["scope"] else ""
            scope = "commune" if re.search("com|part|membre", municipal["scope"]) else scope
            found.append(PopulationColumn(column, int(municipal["year"]) if municipal["year"] else None, scope))
    return found


def year_in(name: str) -> int | None:
    """Year at the end of the name of a column; that of a geography is none.

    Examples
    --------
    >>> year_in("effectif_2018"), year_in("effectif_qp_2015"), year_in("effectif")
    (2018, None, None)
    """
    found = re.fullmatch(r".*(?<!qp)(?<!qpv)(?<!geo)(?<!cog)_((?:19|20)\d\d)", normalise(name))
    return int(found[1]) if found else None


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
    read = to_number(_without_thousands(values, notes))
    problems = [
        Note("read.not_a_number", row=row, value=value) for row, value in read.problems[["row", "value"]].to_numpy()
    ]
    negative = read.numbers[(read.numbers < 0).fillna(False)]
    problems += [Note("read.negative_people", row=row, value=value) for row, value in negative.items()]
    if problems:
        raise DataError(
            Note("read.populations_unread", file=where, column=str(values.name), count=len(problems)),
            problems=problems,
            way_out=Note("read.correct_cells"),
        )
    if read.missing:
        notes.append(
            Note(
                "read.populations_missing",
                column=str(values.name),
                count=sum(read.missing.values()),
                marks=listed(read.missing),
            )
        )
    return read.numbers.astype("Float64")


def _without_thousands(values: pd.Series, notes: list[str]) -> pd.Series:
    """Cells without the points or commas that set thousands apart; people are not given in thousandths.

    One mark alone is such where every cell with one has groups of three digits behind it.
    """
    text = values.astype("str").str.strip()
    marked = text[text.str.contains(r"\d[.,]\d", regex=True).fillna(False).astype(bool)]
    for mark in ",.":
        grouped = marked.str.fullmatch(rf"-?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+")
        if not len(marked) or not grouped.all() or text.str.fullmatch(r"\d{4,}").any():
            continue
        notes.append(Note("read.thousands_marked", column=str(values.name), example=str(marked.iloc[0]), mark=mark))
        return text.str.replace(mark, "", regex=False).rename(values.name)
    return values


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
    ([1635, 12], ['1 fractional population rounded to the nearest whole, largest difference 0.25'])
    """
    rounded = values.astype("Float64").round()
    gaps = (values - rounded).abs()
    if (gaps > 0).any():
        notes.append(
            Note("read.populations_rounded", count=int((gaps > 0).sum()), difference=float(f"{gaps.max():.2g}"))
        )
    return rounded.astype("Int64")


def impossible_sums(people: pd.Series, kind: Literal["commune", "qpv"]) -> list[Note]:
    """Places where the sum of the people is far beyond what is known of the place: the column is of something else.

    Parameters
    ----------
    people
        People of communes or of QPV, indexed by their codes, each inhabitant once.
    kind
        What the codes are of.

    Returns
    -------
    list of Note
        For communes, departments where the sum exceeds 1.5 times the largest census known here (2013 to 2020). For QPV,
        these, and territories where it exceeds 1.5 times the largest population published for their QPV.

    Examples
    --------
    >>> import pandas as pd
    >>> impossible_sums(pd.Series([3_000_000, 1_200_000], index=["59350", "59009"]), "commune")
    ['Nord: 4,200,000 people in the table, where 2,608,346 live']
    """
    known = people.dropna().astype("float64")
    codes = known.index.to_series().astype("str")
    departments = codes.map(official.of_commune if kind == "commune" else official.of_qpv)
    census: dict[str, int] = {}
    for row in facts.rows("populations"):
        census[row["department"]] = max(census.get(row["department"], 0), int(row["population"]))
    names = facts.names("departments")
    sums = known.groupby(departments.to_numpy()).sum()
    problems = [
        Note("read.sum_impossible", place=names.get(place, place), sum=round(float(sums[place])), known=census[place])
        for place in sums.index
        if place in census and sums[place] > _MOST * census[place]
    ]
    if kind == "qpv" and len(codes):
        vintage = official.vintage_of(codes.iloc[0])
        published: dict[str, int] = {}
        for of_year in facts.qpv_populations(vintage or 0).values():
            for territory, (_, total, _) in of_year.items():
                published[territory] = max(published.get(territory, 0), total)
        sums = known.groupby(departments.map(territories.of_department).to_numpy()).sum()
        problems += [
            Note(
                "read.sum_impossible_qpv",
                place=territories.get(place).name,
                sum=round(float(sums[place])),
                known=published[place],
            )
            for place in sums.index
            if place in published and sums[place] > _MOST * published[place]
        ]
    return problems


def of_groups(text: pd.DataFrame, column: str, groups: pd.Series) -> bool | None:
    """Whether a column counts the people of the EPCI of each row and not those of the commune.

    Parameters
    ----------
    text
        A table of communes with their EPCI.
    column
        Column of people whose name does not say of what.
    groups
        EPCI of each row; missing for none.

    Returns
    -------
    bool or None
        True where the rows of each EPCI repeat one number, or where each EPCI has one row, in a table that describes
        EPCI, and the column stands among their columns. None where each EPCI has one row and only the place of the
        column could tell.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame({"siren": ["245900410"], "nature": ["METRO"], "pmun": ["1170000"], "insee": ["59350"]})
    >>> of_groups(one, "pmun", one["siren"]), of_groups(one[["siren", "nature", "insee", "pmun"]], "pmun", one["siren"])
    (True, None)
    """
    if repeated_by(text[column], groups):
        return True
    told = groups.dropna()
    names = list(map(normalise, text.columns))
    about = [place for place, name in enumerate(names) if _OF_EPCI.fullmatch(name)]
    apart = any(re.search(r"(?:pmun|ptot|pop).*epci", name) for name in names)
    if told.empty or told.duplicated().any() or not about or apart:
        return False
    codes = [place for place, name in enumerate(names) if _COMMUNE.fullmatch(name)]
    place = list(text.columns).index(column)
    return True if codes and min(about) < place < min(codes) else None


def repeated_by(people: pd.Series, groups: pd.Series) -> bool:
    """Tell whether a column repeats one number for all members of each group: that of the group, not of the members.

    Examples
    --------
    >>> import pandas as pd
    >>> repeated_by(pd.Series([255, 255, 90, 90]), pd.Series(["a", "a", "b", "b"]))
    True
    """
    known = people.notna() & groups.notna()
    of_group = people[known].groupby(groups[known])
    several = of_group.size() > 1
    return bool(several.any()) and bool((of_group.nunique()[several] == 1).all())
