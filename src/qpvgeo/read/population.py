"""Populations as Insee publishes them: of the QPV, of the parts of QPV in each commune, of the communes.

The unit is the person of the municipal population (*population municipale*) of a year of reference. The census behind
it may be of another year: Mayotte had its own in 2012 and 2017, and tables do not state it for the collectivities.
Some tables have a row per QPV and commune. In some of them the row holds the people of the QPV who live in that
commune, in others it repeats the people of the whole QPV, so that a plain sum counts them several times; the reader
tells the two apart by the values, and says which it took.
"""

import os
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats.text_tables import existing_path, find_column, normalise, read_table, to_number
from qpvgeo.frames.provenance import file_record, stamp
from qpvgeo.sources import published_columns as published

__all__ = ["Level", "read_population"]

Level = Literal["qpv", "qpv_commune", "commune"]

_YEAR_2024 = 2020
"""Reference year of the populations of the 2024 geography (insee.fr/fr/statistiques/8236231); tables omit it."""

_COMMUNES = re.compile(
    r"communes?|liste?_?(?:dep)?com(?:munes)?(?:_\d{4})?|insee_com|code_?com(?:mune)?|depcom|cog|com|codgeo"
)
_EPCI = re.compile(r"(?:siren_|code_|liste_?)?epci(?:_?\d+)*(?:_.*)?")
_CODES = re.compile(r"(?:code?|insee|reg|dep|uu|siren|com|cog|epci|qp|liste|list|id|num).*")
_EXPECT: dict[str, list[set[str]]] = {
    "qpv": [{name} for name in published.QPV_CODE],
    "qpv_commune": [{name} for name in published.QPV_CODE],
    "commune": [{"com", "pmun"}, {"codcom", "pmun"}, *({name} for name in published.COMMUNE_CODE)],
}


def read_population(
    source: str | os.PathLike[str],
    *,
    year: int | None = None,
    level: Level = "qpv",
    columns: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Read a published table of municipal populations.

    Parameters
    ----------
    source
        Path of a CSV, xls, xlsx or Parquet file, or of a zip with one such table. Known forms: `pop_qp_2013` and its
        successors, `pop_QPV24.csv`, `pop_reference_communales_QPV24.csv`, tables of indicators with `popMuniQPV`,
        lists of QPV with `pop_muni_<year>`, `P13_POP` and the like by commune, `donnees_communes.csv`.
    year
        Year of reference. Needed when the table holds several, or states none.
    level
        `qpv`, a row per QPV; `qpv_commune`, the people of each QPV who live in each commune; `commune`, all the
        inhabitants of the communes.
    columns
        `{"name in the file": "canonical name"}` for names that are not known here. Canonical names: `qpv_code`,
        `commune`, `name`, `population` (of the QPV or commune), `population_part` (of the QPV in one commune).

    Returns
    -------
    pandas.DataFrame
        `population` (persons, Int64; missing where secret or not given, never 0 instead), `reference_year` and
        `census_year` (Int64; the census is missing where the source does not state it), `name`, then every other
        published column under its name in lower case. Indexed by `qpv_code`, with `communes` and `epci` (lists of
        codes; None when the table has no codes), or by `qpv_code` and `commune`, or by `commune` without
        `census_year`. Order as published. `attrs["qpvgeo"]` says where it comes from; its `notes` count the totals
        left out, the codes repaired, what was rounded, and say how the rows of a QPV were understood.

    Raises
    ------
    DataError
        The table holds no population, or several years, or codes that are none; the rows of a QPV that should repeat
        its population differ; `qpv_commune` is asked of a table without parts. Every problem is listed.
    UsageError
        The level is unknown.
    MissingDataError
        There is no such file.

    Notes
    -----
    Source of the years: the name of the column, else `year`, else 2020 for the 2024 geography (Insee Première 2008).
    Fractions, which Insee's own tables of communes have, are rounded at the end, after any sum.

    Examples
    --------
    >>> from qpvgeo.samples import sample
    >>> people = read_population(sample().population_2015)
    >>> people.loc[["QP099001"], ["population", "reference_year", "name"]]
              population  reference_year       name
    qpv_code
    QP099001        1583            2013  La Misaine
    >>> parts = read_population(sample().population_2024_communes, level="qpv_commune")
    >>> parts.loc["QN09908I", "population"].to_dict()
    {'99001': 584, '99002': 909}
    >>> parts.attrs["qpvgeo"]["notes"]
    ['reference year 2020 is that of the 2024 geography; the table does not state it',
     '1 QPV have rows that differ: read as parts by commune']
    """
    if level not in _EXPECT:
        raise UsageError(f"There is no level {level!r}.", way_out=f"Levels: {', '.join(_EXPECT)}.")
    path = _path(source)
    named = [set(columns)] if columns else []
    text = read_table(path, expect=[*named, *_EXPECT[level]])
    table = text.attrs["table"]
    where = f"{path.name} ({table['member']})" if "member" in table else path.name
    text = published.rename_columns(text, columns, where=where)
    notes: list[str] = []
    if level == "commune":
        frame = _of_communes(text, year, where, notes)
    else:
        frame = _of_qpv(text, year, where, notes, by_commune=level == "qpv_commune")
    frame.attrs.clear()
    first = frame.index.get_level_values(0)
    held = _single(frame["reference_year"])
    fictional = published.is_sample(first)
    record = file_record(path, member=table.get("member")) | {"kind": "population", "reference_year": held}
    # a table whose columns had to be named may be anyone's
    producer = {} if fictional or columns else {"producer": "Insee"}
    return stamp(
        frame,
        [record | producer],
        level=level,
        vintage=official.vintage_of(first[0]) if level != "commune" else None,
        reference_year=held,
        table=table,
        notes=notes,
        fictional=fictional,
    )


def _path(source: str | os.PathLike[str]) -> Path:
    """File that a source names."""
    return existing_path(source)


def _single(years: pd.Series) -> int | None:
    return None if years.isna().all() else int(years.max())


def _of_communes(text: pd.DataFrame, year: int | None, where: str, notes: list[str]) -> pd.DataFrame:
    given = published.commune_codes(text)
    if given is None:
        raise DataError(f"{where} has no codes of communes.", way_out=_way_out(text, "commune"))
    label = _label(text, published.COMMUNE_NAME, given)
    text, codes_of = _identified(text, given, "commune", label, where, notes)
    text, codes_of = _of_today(text, codes_of, notes)
    _refuse_duplicates(codes_of, "communes", where)
    chosen = _choose(text, year, where, scope="commune")
    values = published.whole_people(published.people(text[chosen.column], where=where, notes=notes), notes)
    reference = chosen.year or _stated(text) or year
    frame = pd.DataFrame({"population": values, "reference_year": pd.Series(reference, text.index, dtype="Int64")})
    frame["name"] = text[label] if label else pd.Series(pd.NA, text.index, dtype="str")
    frame = _with_others(frame, text, {chosen.column, given.name, label}, notes)
    return frame.set_axis(pd.Index(codes_of, name="commune"), axis="index")


def _of_today(text: pd.DataFrame, given: pd.Series, notes: list[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of communes, each inhabitant once: former communes left out, and arrondissements beside their commune."""
    kinds = published.commune_kinds(text, given)
    former = ~kinds.isin(["commune", "arrondissement"])
    if former.any():
        notes.append(f"{int(former.sum())} rows of former communes left out")
    parts = kinds.eq("arrondissement")
    beside = parts & given.map(official.fold_arrondissement).isin(given)
    if beside.any():
        notes.append(f"{int(beside.sum())} municipal arrondissements left out: their commune is there")
    if (parts & ~beside).any():
        notes.append(f"{int((parts & ~beside).sum())} rows are municipal arrondissements, not communes")
    return text[~former & ~beside], given[~former & ~beside]


def _of_qpv(text: pd.DataFrame, year: int | None, where: str, notes: list[str], *, by_commune: bool) -> pd.DataFrame:
    column = published.of_kind(text, published.QPV_CODE, "qpv")
    if column is None:
        raise DataError(f"{where} has no codes of QPV.", way_out=_way_out(text, "qpv_code"))
    label = _label(text, published.QPV_NAME, text[column])
    text, qpv = _identified(text, text[column], "qpv", label, where, notes)
    vintage = _vintage(qpv, where)
    chosen = _choose(text, year, where, scope="commune" if by_commune else "qpv")
    reference = _reference_year(chosen, text, year, vintage, where, notes)
    values = published.people(text[chosen.column], where=where, notes=notes)
    communes = _lists(text, _COMMUNES, "commune", skip={column, chosen.column})
    epci = _lists(text, _EPCI, "siren", skip={column, chosen.column})
    meaning = _meaning(values, qpv, chosen, where, notes)
    used = {column, chosen.column, label, *communes.attrs["from"], *epci.attrs["from"]}
    rows = text.drop(columns=[name for name in text.columns if name in used])
    names = text[label] if label else pd.Series(pd.NA, text.index, dtype="str")
    if by_commune:
        index = _pairs(qpv, communes, meaning, where, notes)
        frame = pd.DataFrame({"population": published.whole_people(values, notes)})
    else:
        people = _people(values, qpv, communes, meaning, where)
        frame = pd.DataFrame({"population": published.whole_people(people, notes)})
        index = pd.Index(frame.index, name="qpv_code")
        names = names.groupby(qpv, sort=False).first()
        rows = _one_row_each(rows, qpv, notes)
    frame["reference_year"] = pd.Series(reference, frame.index, dtype="Int64")
    frame["census_year"] = _census_years(index.get_level_values(0), vintage, reference).set_axis(frame.index)
    frame["name"] = names
    if not by_commune:
        frame["communes"], frame["epci"] = _gathered(communes, qpv), _gathered(epci, qpv)
    return _with_others(frame, rows, set(), notes).set_axis(index, axis="index")


def _people(values: pd.Series, qpv: pd.Series, communes: pd.Series, meaning: str, where: str) -> pd.Series:
    """People of each QPV: said once, or the sum of its parts, unknown when one of them is."""
    groups = values.groupby(qpv, sort=False)
    if meaning == "whole":
        return groups.first()
    if not communes.isna().all():
        _refuse_duplicates(qpv + " in " + communes.map(",".join, na_action="ignore"), "pairs", where)
    return groups.agg(lambda parts: parts.sum(skipna=False))


def _way_out(text: pd.DataFrame, canonical: str) -> str:
    return (
        f"Name the column with columns={{'name in the file': '{canonical}'}}. "
        f"The columns are: {', '.join(map(str, text.columns))}."
    )


def _label(text: pd.DataFrame, names: tuple[str, ...], given: pd.Series) -> str | None:
    """Column of the names, which is never that of the codes."""
    return find_column(text.drop(columns=[given.name], errors="ignore"), names)


def _identified(
    text: pd.DataFrame,
    given: pd.Series,
    kind: Literal["qpv", "commune"],
    label: str | None,
    where: str,
    notes: list[str],
) -> tuple[pd.DataFrame, pd.Series]:
    """Rows that are not totals, and their codes."""
    kept, cleaned = published.identified(text, given, kind, names=[label] if label else [], where=where)
    if len(kept) < len(text):
        notes.append(f"{len(text) - len(kept)} rows of totals left out")
    for repair, count in cleaned.repairs["repair"].value_counts().items():
        notes.append(f"{count} codes repaired: {repair}")
    return kept, cleaned.codes


def _refuse_duplicates(keys: pd.Series, what: str, where: str) -> None:
    counts = keys.value_counts()
    twice = counts[counts > 1]
    if len(twice):
        raise DataError(
            f"{where}: {len(twice)} {what} stand several times.",
            problems=[f"{key}: {count} rows" for key, count in twice.items()],
            way_out="Keep one row of each and read again.",
        )


def _vintage(qpv: pd.Series, where: str) -> int:
    vintages = qpv.map(official.vintage_of)
    counts = vintages.value_counts().sort_index()
    if len(counts) != 1:
        raise DataError(
            f"{where} holds codes of {len(counts)} geographies.",
            problems=[f"{count} codes of {vintage}" for vintage, count in counts.items()],
            way_out="Read one geography at a time; qpvgeo.crosswalk() moves from one to the other.",
        )
    return int(vintages.iloc[0])


def _choose(text: pd.DataFrame, year: int | None, where: str, *, scope: str) -> published.PopulationColumn:
    """Column of populations to take: the year asked for, then the scope that suits the level."""
    found = published.population_columns(text)
    if not found:
        raise DataError(f"{where} has no column of municipal populations.", way_out=_way_out(text, "population"))
    years = sorted({column.year for column in found if column.year})
    if year is not None and years and (year in years or all(column.year for column in found)):
        found = [column for column in found if column.year == year]
        if not found:
            raise DataError(f"{where} has no populations of {year}.", way_out=f"It has those of {_joined(years)}.")
    elif len(years) > 1:
        raise DataError(f"{where} has populations of {_joined(years)}.", way_out="Choose one with year=.")
    suited = [column for column in found if column.scope == scope] or found
    if len(suited) > 1:
        raise DataError(
            f"{where} has {len(suited)} columns of populations.",
            problems=[column.column for column in suited],
            way_out="Name the one to take with columns={'name in the file': 'population'}.",
        )
    return suited[0]


def _joined(years: list[int]) -> str:
    return ", ".join(map(str, years))


def _stated(text: pd.DataFrame) -> int | None:
    """Year that a column `reference_year` states for every row."""
    column = find_column(text, ["reference_year"])
    years = to_number(text[column]).numbers.dropna().unique() if column else []
    return int(years[0]) if len(years) == 1 else None


def _reference_year(
    chosen: published.PopulationColumn, text: pd.DataFrame, year: int | None, vintage: int, where: str, notes: list[str]
) -> int:
    known = chosen.year or _stated(text) or year
    if known:
        return known
    if vintage == 2024:
        notes.append(f"reference year {_YEAR_2024} is that of the 2024 geography; the table does not state it")
        return _YEAR_2024
    raise DataError(f"{where} does not state the year of its populations.", way_out="Give it with year=.")


def _census_years(qpv: pd.Index, vintage: int, reference: int) -> pd.Series:
    """Year of the census behind the populations of each QPV, where the source states it."""
    known = {
        territory: census
        for territory, (_, _, census) in facts.qpv_populations(vintage).get(reference, {}).items()
        if census is not None
    }
    return official.classify_qpv(qpv.to_series())["territory"].map(known).astype("Int64")


def _lists(text: pd.DataFrame, pattern: re.Pattern[str], kind: official.Kind, *, skip: set[str]) -> pd.Series:
    """Codes that the columns of a pattern hold, a list a row; missing when there is no such column."""
    held = [
        column
        for column in text.columns
        if column not in skip and pattern.fullmatch(normalise(column)) and _hold(text[column], kind)
    ]
    # communes stand once, in one column or another; EPCI may stand in two columns
    held = held[:1] if kind == "commune" else held
    found = pd.Series([None] * len(text), index=text.index, dtype=object)
    for column in held:
        cells = text[column].map(lambda cell: official.split_list(cell, kind))
        found = (
            cells
            if found.isna().all()
            else pd.Series(
                [list(dict.fromkeys(a + b)) for a, b in zip(found, cells, strict=True)], index=text.index, dtype=object
            )
        )
    found.attrs["from"] = held
    return found


def _hold(cells: pd.Series, kind: official.Kind) -> bool:
    given = cells.dropna().drop_duplicates()
    return len(given) > 0 and given.map(lambda cell: bool(official.split_list(cell, kind))).mean() >= 0.5


def _gathered(lists: pd.Series, qpv: pd.Series) -> pd.Series:
    """Lists of all the rows of each QPV, without repetition."""
    gathered: dict[Hashable, list[str] | None] = {}
    for code, found in zip(qpv, lists, strict=True):
        gathered[code] = None if found is None else list(dict.fromkeys([*(gathered.get(code) or []), *found]))
    return pd.Series(gathered, dtype=object)


def _meaning(
    values: pd.Series, qpv: pd.Series, chosen: published.PopulationColumn, where: str, notes: list[str]
) -> Literal["whole", "parts"]:
    """What a row holds: the people of the whole QPV, or those of the QPV in one commune."""
    groups = values.groupby(qpv, sort=False)
    several = groups.nunique(dropna=False)[groups.size() > 1]
    differing = several.index[several > 1]
    by_name = chosen.scope == "commune" or (chosen.scope == "" and "communal" in normalise(where))
    if by_name:
        if not len(differing):
            notes.append(f"no QPV has rows that differ; read as parts by commune, as {chosen.column} in {where} says")
        return "parts"
    if several.empty or not len(differing):
        if len(several):
            notes.append(f"{len(several)} QPV stand on several rows that repeat their population: counted once")
        return "whole"
    # one table of populations by commune may keep the name of the column of the QPV
    if "communal" in normalise(where) or (chosen.scope == "" and len(differing) > len(several) / 2):
        notes.append(f"{len(differing)} QPV have rows that differ: read as parts by commune")
        return "parts"
    raise DataError(
        f"{where}: {len(differing)} of the {len(several)} QPV on several rows do not repeat their population.",
        problems=[
            f"{code}: {', '.join(f'{value:g}' for value in groups.get_group(code).dropna())}" for code in differing
        ],
        way_out=f"If the rows are parts by commune, say so with columns={{'{chosen.column}': 'population_part'}}.",
    )


def _pairs(qpv: pd.Series, communes: pd.Series, meaning: str, where: str, notes: list[str]) -> pd.MultiIndex:
    """QPV and commune of each row, for a table that holds the people of each pair."""
    way_out = (
        "Read it with level='qpv'. The people by commune are in pop_reference_communales_QPV24.csv "
        "(insee.fr/fr/statistiques/8210602); qpvgeo.join_communes() gives the links and their areas."
    )
    if communes.isna().all():
        raise DataError(f"{where} has no codes of communes.", way_out=way_out)
    counts = communes.map(len)
    if meaning == "whole" and qpv.duplicated().any():
        raise DataError(f"{where} repeats the population of the whole QPV on the row of each commune.", way_out=way_out)
    if (counts != 1).any():
        raise DataError(
            f"{where} has {int((counts != 1).sum())} rows without one commune each.",
            problems=[f"{qpv[row]}: {', '.join(communes[row]) or 'no commune'}" for row in counts.index[counts != 1]],
            way_out=way_out,
        )
    if meaning == "whole":
        notes.append("every QPV stands in one commune: its population is that of the pair")
    keys = communes.str[0]
    _refuse_duplicates(qpv + " in " + keys, "pairs", where)
    return pd.MultiIndex.from_arrays([qpv, keys.astype("str")], names=["qpv_code", "commune"])


def _one_row_each(rows: pd.DataFrame, qpv: pd.Series, notes: list[str]) -> pd.DataFrame:
    """Other columns with a row per QPV: texts that vary are joined, numbers that vary are left out."""
    groups = rows.groupby(qpv, sort=False)
    first = groups.first()
    varying = [column for column in rows.columns if groups[column].nunique().gt(1).any()]
    numbers = [column for column in varying if pd.api.types.is_numeric_dtype(_measured(rows[column]))]
    for column in set(varying) - set(numbers):
        first[column] = groups[column].agg(lambda cells: ", ".join(cells.dropna().unique())).replace({"": None})
    if numbers:
        notes.append(f"left out, since they vary between the rows of a QPV: {', '.join(numbers)}")
    return first.drop(columns=numbers)


def _with_others(frame: pd.DataFrame, text: pd.DataFrame, used: set[Hashable], notes: list[str]) -> pd.DataFrame:
    """Frame with every other published column, under its name in lower case."""
    others: dict[str, pd.Series] = {}
    for column in [column for column in text.columns if column not in used]:
        lower = column.lower()
        while lower in frame.columns or lower in others:
            lower += "_published"
        others[lower] = _measured(text[column])
        if pd.api.types.is_numeric_dtype(others[lower]):
            marks = {mark: n for mark, n in to_number(text[column]).missing.items() if mark}
            notes.extend([f"{column}: missing where {published.listed(marks)}"] if marks else [])
    return pd.concat([frame, pd.DataFrame(others, index=frame.index)], axis="columns")


def _measured(cells: pd.Series) -> pd.Series:
    """Numbers of a column that holds nothing else; text for codes, which only look like numbers."""
    if _CODES.fullmatch(normalise(cells.name)) or cells.str.match(r"0\d").any():
        return cells
    read = to_number(cells)
    return read.numbers if read.problems.empty and read.numbers.notna().any() else cells
