"""The official list of the QPV of 2015 that each QPV of 2024 comes from.

Source: ANCT, `liste-correspondance-qp2024-qp2015.csv` (data.gouv.fr): one row for each QPV of 2024, with up to three
ancestors, and an older workbook for the hexagone with the columns `QP2024` and `QP 2015 correspondant`. It is a
relation of many to many and has no weights: how much of one went to the other is a question for `qpvgeo.crosswalk`.
"""

import os
import re
from pathlib import Path

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError, judged
from qpvgeo.formats.text_tables import normalise, notes_of, read_table
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.samples import sample
from qpvgeo.sources import file_memory, recognise
from qpvgeo.sources.known_tables import CORRESPONDENCE_2015, CORRESPONDENCE_2024

__all__ = ["CORRESPONDENCE_COLUMNS", "read_correspondence"]

CORRESPONDENCE_COLUMNS = ("qpv_2024", "name_2024", "status", "qpv_2015", "name_2015")

_KEY = "qpv-correspondence"
_NAME = re.compile(r"(?:label|lib|libelle|nom|name)_(?:qp|qpv)?_?2024")
_ANCESTOR_NAME = re.compile(r"(?:label|lib|libelle|nom|name)_(?:qp|qpv)?_?(?:2015|15)(?:_(\d+))?")
_STATUS = ("statut", "status")
_NONE = frozenset({"-", "–", "neant", "aucun", "sans", "nouveau"})


@judged
def read_correspondence(
    source: str | os.PathLike[str] = _KEY, *, data: str | os.PathLike[str] | None = None
) -> pd.DataFrame:
    """Read the official correspondence of the QPV of 2024 and 2015.

    Parameters
    ----------
    source
        CSV or workbook, or the key `qpv-correspondence`, looked for on disk.
    data
        Folder in which a key is looked for first.

    Returns
    -------
    pandas.DataFrame
        A row for each pair, in the order of the list: `qpv_2024`, `name_2024`, `status` (as written), `qpv_2015`,
        `name_2015`. A QPV without an ancestor has one row, where `qpv_2015` is missing; names and status are missing
        where the list has none. `attrs["qpvgeo"]` holds the file, repairs of codes and notes.

    Raises
    ------
    MissingDataError
        There is no such file.
    DataError
        Columns are not there, a row has no code of 2024, or cells hold what is not a code of 2015: all are listed.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> found = read_correspondence(qg.sample().correspondence)
    >>> found.loc[found["qpv_2024"] == "QN09905M", "qpv_2015"].tolist()
    ['QP099005', 'QP099006']
    >>> int(found["qpv_2015"].isna().sum())
    4
    """
    file = recognise.paths(source, data)[0]
    table = read_table(file)
    named = {normalise(column): column for column in table.columns}
    code = next((named[name] for name in named if CORRESPONDENCE_2024.fullmatch(name)), None)
    ancestors = {named[name]: match[1] or "" for name in named if (match := CORRESPONDENCE_2015.fullmatch(name))}
    if code is None or not ancestors:
        raise DataError(
            Note("read.not_correspondence", file=file.name),
            problems=[
                Note("read.no_codes_of", vintage=year) for year, there in ((2024, code), (2015, ancestors)) if not there
            ],
            way_out=Note("read.columns_are", columns=list(map(str, table.columns))),
        )
    labels = {match[1] or "": named[name] for name in named if (match := _ANCESTOR_NAME.fullmatch(name))}
    cleaned = official.require(table[code], "qpv", where=f"{file.name}, column {code}")
    rows, problems, repairs = _pairs(table, ancestors, labels)
    problems += [
        Note("read.code_of_vintage", line=row, code=value, vintage=2015) for row, value in _strange(cleaned.codes, 2024)
    ]
    if problems:
        raise DataError(Note("read.correspondence_unread", file=file.name), problems=problems)
    frame = rows.assign(
        qpv_2024=cleaned.codes.reindex(rows["line"]).to_numpy(),
        name_2024=_text(table, next((named[name] for name in named if _NAME.fullmatch(name)), None), rows["line"]),
        status=_text(table, next((named[name] for name in _STATUS if name in named), None), rows["line"]),
    )[list(CORRESPONDENCE_COLUMNS)]
    # a list of pairs repeats the code of 2024, and a pair may stand twice
    repeated = frame.duplicated(["qpv_2024", "qpv_2015"])
    # a line without an ancestor says nothing where another line of the same code has one
    told = frame["qpv_2015"].notna().groupby(frame["qpv_2024"]).transform("any")
    frame = frame[~repeated & ~(told & frame["qpv_2015"].isna())].reset_index(drop=True)
    return provenance.stamp(
        frame,
        [file_memory.record(file)],
        repairs=[
            *(
                Note("read.code_repaired", row=one.row, value=str(one.value), code=one.code, repair=one.repair)
                for one in cleaned.repairs.itertuples()
            ),
            *repairs,
        ],
        notes=[
            *notes_of(table),
            *([Note("read.pairs_repeated", count=int(repeated.sum()))] if repeated.any() else []),
        ],
        fictional=Path(file).resolve().is_relative_to(sample().path.resolve()),
    )


def _pairs(
    table: pd.DataFrame, ancestors: dict[str, str], labels: dict[str, str]
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Line, ancestor and its name, a row for each ancestor or for a line without any; what is not a code; repairs."""
    rows: list[tuple[object, str | None, object]] = []
    problems: list[str] = []
    repairs: list[str] = []
    for line, cells in table.iterrows():
        found = 0
        for column, number in ancestors.items():
            cell = cells[column]
            if pd.isna(cell) or normalise(cell).split("_")[0] in _NONE or not normalise(cell):
                continue
            said: list[Note] = []
            listed = official.split_list(cell, "qpv", problems=said)
            of_2024 = [Note("read.code_of_2024", code=one) for one in listed if official.vintage_of(one) != 2015]
            for what in [*said, *of_2024]:
                told = repairs if what.key == official.REPAIRED else problems
                told.append(Note("read.at_line", line=str(line), column=column, what=what))
            name = cells.get(labels.get(number, ""), None) if len(listed) == 1 else None
            rows += [(line, one, name) for one in listed]
            found += len(listed)
        if not found:
            rows.append((line, None, None))
    frame = pd.DataFrame(rows, columns=["line", "qpv_2015", "name_2015"])
    return frame.astype({"qpv_2015": "str", "name_2015": "str"}), problems, repairs


def _strange(values: pd.Series, vintage: int) -> list[tuple[object, str]]:
    """Codes that are of another geography."""
    return [(row, value) for row, value in values.items() if official.vintage_of(value) != vintage]


def _text(table: pd.DataFrame, column: str | None, lines: pd.Series) -> pd.Series:
    """Cells of a column by line; missing where there is no such column."""
    if column is None:
        return pd.Series(pd.array([pd.NA] * len(lines), dtype="str"), index=lines.index)
    return pd.Series(table[column].reindex(lines).to_numpy(), index=lines.index, dtype="str")
