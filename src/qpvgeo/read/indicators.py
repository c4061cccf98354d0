"""Published indicators by QPV, IRIS or commune, as one long table.

Incomes, jobs, benefits, schools, social housing, establishments and health come as wide tables whose names drift; the
long table says of each value its theme, indicator, unit, year, and why it is missing.
Source: Insee, tables by QPV (https://www.insee.fr/fr/statistiques/8186144), Filosofi and census by IRIS; ANCT, by
commune.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.formats.text_tables import find_column, normalise, notes_of, read_table
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.read.indicator_names import IDENTIFYING, Named, named
from qpvgeo.sources import catalog, file_memory, long_tables, recognise
from qpvgeo.sources import published_columns as published

__all__ = ["INDICATOR_COLUMNS", "read_indicators", "refuse_other_columns"]

By = Literal["qpv", "iris", "commune"]

_CODES: dict[By, str] = {"qpv": "qpv_code", "iris": "iris", "commune": "commune"}
INDICATOR_COLUMNS = ("theme", "indicator", "value", "unit", "year", "flag", "published_name")

_IRIS_NAMES = ("iris", "code_iris", "codgeo", "geo", "dciris")
_IRIS = r"\d[\dAB]\d{7}"
_YEARS = ("annee", "year", "millesime")
_UNITS = {
    **dict.fromkeys(("EUR", "EUR_YR", "EUR_CUR"), "EUR"),
    **dict.fromkeys(("PT", "PC", "PERCENT"), "%"),
    **dict.fromkeys(("PS", "HH", "NB", "UNIT", "CU", "DW"), "number"),
    **dict.fromkeys(("RO", "RATIO", "_Z"), "ratio"),
    **dict.fromkeys(("IX", "INDEX"), "index"),
}
"""Units of measure of long tables; others are left missing."""

_FLAGS = {
    **dict.fromkeys(("s", "ns", "secret", "c"), "secret"),
    **dict.fromkeys(("nd", "n_d", "na", "n_a", "nc"), "not available"),
}


@judged
def read_indicators(
    source: str | os.PathLike[str],
    *,
    by: By = "qpv",
    theme: str | None = None,
    year: int | None = None,
    columns: Mapping[str, str] | None = None,
    data: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    r"""Read a published table of indicators, whichever its theme.

    Parameters
    ----------
    source
        CSV, workbook, Parquet or a zip with one such table, or a key of `qpvgeo.datasets()` (`"qpv-2024-jobs"`). The
        long tables of Insee's catalogue (`GEO`, `TIME_PERIOD`, `OBS_VALUE`) are read too.
    by
        What a row is of: `qpv`, `iris` (nine characters) or `commune`.
    theme
        Theme of the table; that of the catalogue for a published file, else `income` or `population` where the names
        tell, else `other`.
    year
        Year of the values whose name or row does not say it.
    columns
        `{"name in the file": "qpv_code" | "iris" | "commune"}` for codes under a name that is not known here.
    data
        Folder searched for a key, before the others.

    Returns
    -------
    pandas.DataFrame
        A row per unit and indicator, in the order of the file:

        - `qpv_code`, `iris` or `commune`; `commune` beside `qpv_code` where a QPV has a row in each of its communes;
        - `theme`, `indicator` (the published name without its year; `disp_q2` is `disp_med`), `published_name`;
        - `value` (Float64, in the unit published: percentages are 0 to 100) and `unit` (`EUR`, `%`, `ratio`, `index`,
          `number`; missing where the name does not tell);
        - `year` (Int64; missing where nothing says it);
        - `flag`: why the value is missing, `secret` (`s`, `ns`), `not available` (`nd`) or `missing` (an empty cell);
          missing where there is a value. Perturbed values bear no mark in these files and have none here.

        Totals of all QPV are left out and counted in the notes of `attrs["qpvgeo"]`.

    Raises
    ------
    DataError
        There are no codes or no figures, codes are none, or rows of one unit differ.
    UsageError
        `by` is unknown.
    MissingDataError
        There is no such file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "revenu-disponible-qp15-2021_QP.csv")
    >>> _ = path.write_text("CODGEO;LIBGEO;DISP_MED_A21;DISP_TP60_A21\nQP099001;La Misaine;13780;ns\n", "utf-8")
    >>> table = read_indicators(path)
    >>> table[["qpv_code", "indicator", "value", "unit", "year", "flag"]].to_dict("records")[0]["value"]
    13780.0
    >>> table["flag"].tolist()
    [nan, 'secret']
    """
    if by not in _CODES:
        raise UsageError(
            Note("read.no_unit_of_indicators", by=str(by)), way_out=Note("read.units_are", units=list(_CODES))
        )
    path = recognise.paths(source, data)[0]
    text = _table(path, by)
    notes: list[str] = [*notes_of(text)]
    record = file_memory.record(path, member=text.attrs["table"].get("member"))
    unused = set(columns or {})
    text = published.rename_columns(text, columns or {}, where=path.name, unused=unused)
    refuse_other_columns(unused)
    text, codes = _coded(text, by, path, notes)
    known = catalog.of_file(path.name)
    about = theme or (known.kind if known is not None else None)
    long = (_observed if long_tables.is_long(text) else _long)(text, codes, about, year, path)
    long = _by_communes(long, text, path, notes) if by == "qpv" else long.drop(columns="line")
    return provenance.stamp(
        long.rename(columns={"unit_code": _CODES[by]}),
        [{**record, "kind": "indicators"}],
        theme=about,
        notes=notes,
        fictional=published.is_sample(codes.unique()),
    )


def _table(path: Path, by: By) -> pd.DataFrame:
    """Table of a file; of a long one, which may stand beside its dictionary in a zip, the rows of the units."""
    try:
        text = read_table(path, expect=[long_tables.LONG])
    except DataError as error:
        if error.key != "formats.no_line_of_names":
            raise
        return read_table(path)
    about = text.attrs["table"]
    kept = long_tables.of_rows(text, by)
    kept.attrs["table"] = about
    return kept


def refuse_other_columns(unused: Iterable[str]) -> None:
    """Raise for names of `columns` that the file does not have."""
    absent = sorted(unused)
    if absent:
        raise DataError(Note("read.no_file_has_column", columns=absent), way_out=Note("read.correct_columns"))


def _coded(text: pd.DataFrame, by: By, path: Path, notes: list[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of units with their codes, totals left out."""
    if by == "iris":
        found = next((name for name in text if normalise(name) in _IRIS_NAMES and _are_iris(text[name])), None)
        given = None if found is None else text[found].str.upper()
        if given is not None:
            given = given.where(given.str.len() == 9, given.str.zfill(9))
            wrong = given[~given.str.fullmatch(_IRIS).fillna(False).astype(bool)]
            if len(wrong):
                raise DataError(
                    Note("read.not_iris", file=path.name, count=len(wrong)), problems=[str(one) for one in wrong]
                )
    elif by == "commune":
        given = published.commune_codes(text)
    else:
        column = published.qpv_column(text)
        given = None if column is None else text[column]
    if given is None:
        raise DataError(
            Note("read.no_codes_of_unit", file=path.name, unit=by),
            way_out=Note("read.name_the_column", canonical=_CODES[by], columns=list(map(str, text.columns))),
        )
    if by == "iris":
        return text, given
    before = len(text)
    labels = [str(name) for name in text if normalise(name).startswith(("lib", "nom", "name"))]
    text, cleaned = published.identified(text, given, by, names=labels, where=path.name)
    if len(text) < before:
        notes.append(Note("read.totals_left_out", count=before - len(text)))
    return text, cleaned.codes.astype("str")


def _are_iris(cells: pd.Series) -> bool:
    told = cells.dropna().str.upper().str.zfill(9)
    return bool(len(told)) and bool(told.str.fullmatch(_IRIS).mean() > 0.9)


def _long(text: pd.DataFrame, codes: pd.Series, theme: str | None, year: int | None, path: Path) -> pd.DataFrame:
    """A row per unit and indicator."""
    rows = next((text[name] for name in text if normalise(name) in _YEARS), None)
    parts = []
    for column in text.columns:
        if IDENTIFYING.fullmatch(normalise(column)) or text[column].equals(codes):
            continue
        values, flags = _read(text[column])
        if values is None:
            continue
        said = named(str(column))
        years = _years(said, rows, year, text.index)
        parts.append(
            pd.DataFrame(
                {
                    "unit_code": codes,
                    "theme": theme or said.theme or "other",
                    "indicator": said.indicator,
                    "value": values,
                    "unit": said.unit,
                    "year": years,
                    "flag": flags,
                    "published_name": str(column),
                }
            )
        )
    if not parts:
        raise DataError(Note("read.no_figures", file=path.name, columns=list(map(str, text.columns))))
    joined = pd.concat(parts)
    # units in the order of the file, their indicators in that of the columns
    order = np.argsort(np.tile(np.arange(len(text)), len(parts)), kind="stable")
    joined = joined.iloc[order]
    texts = dict.fromkeys(("unit_code", "theme", "indicator", "unit", "flag", "published_name"), "str")
    return joined.rename_axis("line").reset_index().astype(texts | {"value": "Float64", "year": "Int64"})


def _observed(text: pd.DataFrame, codes: pd.Series, theme: str | None, year: int | None, path: Path) -> pd.DataFrame:
    """Values of a long table: the measure is the indicator, its unit and the secret stand in columns of their own."""
    value, when, unit, status = (
        find_column(text, [name]) for name in ("obs_value", "time_period", "unit_measure", "conf_status")
    )
    values, flags = _read(text[str(value)])
    if values is None:
        raise DataError(Note("read.no_figures", file=path.name, columns=list(map(str, text.columns))))
    names = long_tables.measures(text)
    said = names.map({name: named(name) for name in names.unique()})
    secret = text[status].isin(["C", "N", "S"]) if status else pd.Series(False, text.index)
    units = text[unit].map(_UNITS) if unit else said.map(lambda one: one.unit)
    years = text[str(when)].str.extract(r"^(\d{4})", expand=False).astype("Int64")
    rows = pd.DataFrame(
        {
            "unit_code": codes,
            "theme": said.map(lambda one: theme or one.theme or "other"),
            "indicator": names.map(normalise),
            "value": values,
            "unit": units,
            "year": years.fillna(pd.NA if year is None else year),
            "flag": flags.mask(values.isna() & secret, "secret"),
            "published_name": names,
        }
    )
    texts = dict.fromkeys(("unit_code", "theme", "indicator", "unit", "flag", "published_name"), "str")
    return rows.rename_axis("line").reset_index().astype(texts | {"value": "Float64", "year": "Int64"})


def _years(said: Named, rows: pd.Series | None, year: int | None, index: pd.Index) -> pd.Series:
    """Year of a column, of its rows, else the one given."""
    if said.year is not None or rows is None:
        return pd.Series(said.year or year, index=index, dtype="Int64")
    return pd.to_numeric(rows, errors="coerce").astype("Int64").fillna(pd.NA if year is None else year)


def _read(cells: pd.Series) -> tuple[pd.Series | None, pd.Series]:
    """Numbers of a column and why some are missing; None where it holds something else."""
    flags = cells.map(lambda cell: _FLAGS.get(normalise(cell)), na_action="ignore").astype("object")
    flags = flags.where(cells.notna(), "missing")
    told = cells.where(flags.isna())
    plain = told.str.replace("[\u00a0\u202f ]", "", regex=True).str.replace(",", ".").str.rstrip("%")
    numbers = pd.to_numeric(plain, errors="coerce").astype("Float64")
    if (numbers.isna() & told.notna()).any() or not (numbers.notna() | flags.isin(("secret", "not available"))).any():
        return None, flags
    return numbers, flags


def _by_communes(long: pd.DataFrame, text: pd.DataFrame, path: Path, notes: list[str]) -> pd.DataFrame:
    """One row per QPV where its rows repeat each other; a column of communes where they are parts."""
    keys = ["unit_code", "indicator", "year"]
    twice = long[long.duplicated(keys, keep=False)]
    if twice.empty:
        return long.drop(columns="line")
    values = ["value", "flag"]
    differ = twice.drop_duplicates([*keys, *values]).duplicated(keys)
    if not differ.any():
        notes.append(Note("read.rows_repeat", count=int(twice["unit_code"].nunique())))
        return long.drop_duplicates(keys).drop(columns="line").reset_index(drop=True)
    communes = published.commune_codes(text)
    if communes is None:
        raise DataError(
            Note("read.rows_of_unit_differ", file=path.name, count=int(twice["unit_code"].nunique())),
            problems=sorted(twice["unit_code"].unique()),
        )
    notes.append(Note("read.rows_by_commune", count=int(twice["unit_code"].nunique())))
    placed = official.require(communes, "commune", where=path.name).codes.astype("str")
    long.insert(2, "commune", placed.reindex(long["line"]).to_numpy())
    return long.drop(columns="line")
