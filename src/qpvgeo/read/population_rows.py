"""Rows of a table of populations: lists of codes, what a row holds, and one row for each QPV."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError
from qpvgeo.formats.text_tables import normalise, to_number
from qpvgeo.language import Note
from qpvgeo.sources import population_columns as counts
from qpvgeo.sources.known_tables import EXPECT, read_known
from qpvgeo.sources.long_tables import widened

__all__ = [
    "gathered",
    "lists_of",
    "meaning_of",
    "one_row_each",
    "pairs_of",
    "refuse_duplicates",
    "table_of_year",
    "with_others",
]

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_OF_QPV = {"vintage", "release"}
_CODES = re.compile(r"(?:code?|insee|reg|dep|uu|siren|com|cog|epci|qp|liste|list|id|num).*")


def table_of_year(
    path: Path, rows: Literal["qpv", "commune"], columns: Mapping[str, str] | None, layer: str | None, year: int | None
) -> pd.DataFrame:
    """The table; of several sheets with the same columns, the one named after the year.

    Raises
    ------
    DataError
        Each sheet is named after another year, and none was asked for.
    """
    text = read_known(path, EXPECT[rows], columns, layer)
    others = text.attrs["table"].get("other_sheets", [])
    alike = [text.attrs["table"].get("sheet", ""), *others]
    named = [sheet for sheet in alike if year and str(year) in sheet]
    if layer is None and others and len(named) == 1:
        text = read_known(path, EXPECT[rows], columns, named[0])
    years = sorted({int(found[1]) if (found := _YEAR.search(sheet)) else 0 for sheet in alike})
    # 2015 and 2024 are geographies
    if layer is None and year is None and len(years) == len(alike) > 1 and years[0] and years != [2015, 2024]:
        raise DataError(
            Note("read.several_years", file=path.name, years=years), way_out=Note("read.choose_year", year=years[-1])
        )
    return widened(text, rows)


def lists_of(text: pd.DataFrame, pattern: re.Pattern[str], kind: official.Kind, *, skip: set[str]) -> pd.Series:
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


def gathered(lists: pd.Series, qpv: pd.Series) -> pd.Series:
    """Lists of all the rows of each QPV, without repetition."""
    gathered: dict[Hashable, list[str] | None] = {}
    for code, found in zip(qpv, lists, strict=True):
        gathered[code] = None if found is None else list(dict.fromkeys([*(gathered.get(code) or []), *found]))
    return pd.Series(gathered, dtype=object)


def meaning_of(
    values: pd.Series, qpv: pd.Series, chosen: counts.PopulationColumn, where: str, notes: list[str]
) -> Literal["whole", "parts"]:
    """What a row holds: the people of the whole QPV, or those of the QPV in one commune."""
    groups = values.groupby(qpv, sort=False)
    several = groups.nunique(dropna=False)[groups.size() > 1]
    differing = several.index[several > 1]
    by_name = chosen.scope == "commune" or (chosen.scope == "" and "communal" in normalise(where))
    if by_name:
        if not len(differing):
            notes.append(Note("read.parts_by_name", column=chosen.column, file=where))
        return "parts"
    if several.empty or not len(differing):
        if len(several):
            notes.append(Note("read.counted_once", count=len(several)))
        return "whole"
    # one table of populations by commune may keep the name of the column of the QPV
    if "communal" in normalise(where) or (chosen.scope == "" and len(differing) > len(several) / 2):
        notes.append(Note("read.parts_by_commune", count=len(differing)))
        return "parts"
    raise DataError(
        Note("read.rows_differ", file=where, count=len(differing), several=len(several)),
        problems=[
            Note("read.populations_of", code=code, values=[float(value) for value in groups.get_group(code).dropna()])
            for code in differing
        ],
        way_out=Note("read.parts_way_out", column=chosen.column),
    )


def one_row_each(rows: pd.DataFrame, qpv: pd.Series, notes: list[str]) -> pd.DataFrame:
    """Other columns with a row per QPV: texts that vary are joined, numbers that vary are left out."""
    groups = rows.groupby(qpv, sort=False)
    first = groups.first()
    varying = [column for column in rows.columns if groups[column].nunique().gt(1).any()]
    numbers = [column for column in varying if pd.api.types.is_numeric_dtype(_measured(rows[column]))]
    several = qpv.duplicated(keep=False)
    for column in [column for column in varying if column not in numbers]:
        texts = rows.loc[several, column].groupby(qpv[several], sort=False)
        joined = texts.agg(lambda cells: ", ".join(cells.dropna().unique())).replace({"": None})
        first.loc[joined.index, column] = joined
    if numbers:
        notes.append(Note("read.varying_left_out", columns=numbers))
    return first.drop(columns=numbers)


def with_others(frame: pd.DataFrame, text: pd.DataFrame, used: set[Hashable], notes: list[str]) -> pd.DataFrame:
    """Frame with every other published column, in lower case; texts are marked as published, so that frames join."""
    others: dict[str, pd.Series] = {}
    for column in [column for column in text.columns if column not in used]:
        cells = _measured(text[column])
        is_number = pd.api.types.is_numeric_dtype(cells)
        lower = column.lower() if is_number else f"{column.lower()}_published"
        while lower in frame.columns or lower in others or lower in _OF_QPV:
            lower += "_published"
        others[lower] = cells
        if is_number:
            marks = {mark: n for mark, n in to_number(text[column]).missing.items() if mark}
            notes.extend([Note("read.missing_where", column=column, marks=counts.listed(marks))] if marks else [])
    return pd.concat([frame, pd.DataFrame(others, index=frame.index)], axis="columns")


def _measured(cells: pd.Series) -> pd.Series:
    """Numbers of a column that holds nothing else; text for codes, which only look like numbers."""
    if _CODES.fullmatch(normalise(cells.name)) or cells.str.match(r"0\d").any():
        return cells
    read = to_number(cells)
    return read.numbers if read.problems.empty and read.numbers.notna().any() else cells


def refuse_duplicates(keys: pd.Series, what: str, where: str) -> None:
    """Raise when a key stands on several rows: lists them."""
    rows = keys.value_counts()
    twice = rows[rows > 1]
    if len(twice):
        raise DataError(
            Note("read.rows_repeated", file=where, count=len(twice), what=what),
            problems=[Note("read.rows_of", code=key, count=int(count)) for key, count in twice.items()],
            way_out=Note("read.keep_one_row"),
        )


def pairs_of(qpv: pd.Series, communes: pd.Series, meaning: str, where: str, notes: list[str]) -> pd.MultiIndex:
    """QPV and commune of each row, for a table that holds the people of each pair."""
    way_out = Note("read.no_parts_way_out")
    if communes.isna().all():
        raise DataError(Note("read.no_commune_codes", file=where), way_out=way_out)
    lengths = communes.map(len)
    if meaning == "whole" and qpv.duplicated().any():
        raise DataError(Note("read.whole_repeated", file=where), way_out=way_out)
    if (lengths != 1).any():
        raise DataError(
            Note("read.not_one_commune", file=where, count=int((lengths != 1).sum())),
            problems=[
                Note("read.communes_of", code=qpv[row], communes=list(communes[row]))
                if communes[row]
                else Note("read.without_commune", code=qpv[row])
                for row in lengths.index[lengths != 1]
            ],
            way_out=way_out,
        )
    if meaning == "whole":
        notes.append(Note("read.one_commune_each"))
    keys = communes.str[0]
    refuse_duplicates(qpv + " in " + keys, "pairs", where)
    return pd.MultiIndex.from_arrays([qpv, keys.astype("str")], names=["qpv_code", "commune"])
