"""Long tables of Insee, a row per value: which place, which year, which measure, and the value.

Such are the files of the catalogue of Insee and of its interface Melodi: `GEO;GEO_OBJECT;FREQ;POPREF_MEASURE;
TIME_PERIOD;OBS_VALUE`. Other columns are dimensions (`SEX`, `AGE`), of which `_T` is the total, or say how the value
was made (`OBS_STATUS`, `CONF_STATUS`, `UNIT_MEASURE`).
"""

import re
from typing import Literal

import pandas as pd

from qpvgeo.errors import DataError
from qpvgeo.formats.cells import normalise
from qpvgeo.formats.text_tables import find_column
from qpvgeo.language import Note

__all__ = ["LONG", "is_long", "measures", "of_rows", "widened"]

LONG = frozenset({"geo", "time_period", "obs_value"})
"""Columns that a long table has."""

_ABOUT = re.compile(r"geo(_.*)?|time_period|obs_.*|freq|conf_status|unit_.*|decimals?|source|.*_label")
_TOTAL = "_T"
_PREFIX = r"^(?:\d{4}-)?[A-Z][A-Z0-9_]*-"
_LEVELS = {"qpv": "QP", "commune": "COM|ARM", "iris": "IRIS"}


def is_long(text: pd.DataFrame) -> bool:
    """Whether a table has a row per value.

    Examples
    --------
    >>> is_long(pd.DataFrame(columns=["GEO", "GEO_OBJECT", "TIME_PERIOD", "OBS_VALUE"]))
    True
    """
    return set(map(normalise, text.columns)) >= LONG


def of_rows(text: pd.DataFrame, rows: Literal["qpv", "commune", "iris"] | None = None) -> pd.DataFrame:
    """Rows of one kind of places of a long table, their codes bare: `2024-COM-01004` is `01004`.

    Without a kind, or where no row is of it, all rows.
    """
    geo, level = (find_column(text, [name]) for name in ("geo", "geo_object"))
    kept = text[text[level].str.match(_LEVELS[rows]).fillna(False).astype(bool)] if rows and level else text
    kept = kept if len(kept) else text
    return kept.assign(**{str(geo): kept[geo].str.replace(_PREFIX, "", regex=True)})


def measures(text: pd.DataFrame) -> pd.Series:
    """What each row of a long table measures: its dimensions that are no total, joined; `OBS_VALUE` without any.

    Examples
    --------
    >>> measures(pd.DataFrame({"GEO": ["01004"], "RP_MEASURE": ["POP"], "SEX": ["F"], "AGE": ["_T"]})).tolist()
    ['POP_F']
    """
    named = [column for column in text.columns if not _ABOUT.fullmatch(normalise(column))]
    # what is measured comes before of whom
    dimensions = sorted(named, key=lambda column: not normalise(column).endswith("measure"))
    told = text[dimensions].replace({_TOTAL: None}).apply(lambda row: "_".join(row.dropna()), axis="columns")
    return (told if dimensions else pd.Series("", text.index)).replace({"": "OBS_VALUE"}).astype("str")


def widened(text: pd.DataFrame, rows: Literal["qpv", "commune"] | None = None) -> pd.DataFrame:
    """Long table as one with a row per place and a column per measure and year; another table as it is.

    Of dimensions that have a total, the total alone is kept.

    Raises
    ------
    DataError
        A place has two values of one measure and year: lists them.

    Examples
    --------
    >>> long = {"GEO": ["01004", "01004"], "TIME_PERIOD": ["2021", "2022"], "OBS_VALUE": ["14", "15"]}
    >>> widened(pd.DataFrame(long)).to_dict("records")
    [{'GEO': '01004', 'OBS_VALUE_2021': '14', 'OBS_VALUE_2022': '15'}]
    """
    if not is_long(text):
        return text
    about = text.attrs.get("table", {})
    kept = of_rows(text, rows)
    for column in kept.columns:
        total = kept[column].eq(_TOTAL)
        kept = kept[total] if total.any() and not _ABOUT.fullmatch(normalise(column)) else kept
    geo, level, year, value = (find_column(kept, [name]) for name in ("geo", "geo_object", "time_period", "obs_value"))
    places = [name for name in (level, geo) if name]
    cells = kept[places].assign(name=measures(kept).str.cat(kept[year].fillna("").astype("str"), sep="_"))
    cells["value"] = kept[value]
    cells = cells.drop_duplicates()
    twice = cells[cells.duplicated([*places, "name"], keep=False)]
    if len(twice):
        raise DataError(
            Note("sources.long_repeats", count=int(twice.groupby([*places, "name"]).ngroups)),
            problems=[
                Note("sources.long_rows", place=row[str(geo)], measure=row["name"], value=str(row["value"]))
                for _, row in twice.iterrows()
            ],
            way_out=Note("sources.keep_one_value"),
        )
    wide = cells.set_index([*places, "name"])["value"].unstack()  # noqa: PD010 - empty cells and columns stay
    wide = wide.reindex(columns=cells["name"].unique())
    first = kept.index.to_series().groupby([kept[name] for name in places]).first()
    wide = wide.assign(line=first).sort_values("line").reset_index().set_index("line")
    wide.columns.name = None
    note = Note("sources.long_table", rows=len(kept), places=len(wide))
    wide.attrs["table"] = {**about, "notes": [*about.get("notes", []), note]}
    return wide
