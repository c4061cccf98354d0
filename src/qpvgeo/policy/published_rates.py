"""Median income and poverty of QPV, under the names that Insee and the ANCT publish them."""

import re

import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError
from qpvgeo.formats.text_tables import as_text
from qpvgeo.frames import require
from qpvgeo.language import Note
from qpvgeo.sources.published_columns import qpv_column
from qpvgeo.sources.published_names import column_of

__all__ = ["codes_of", "published_rates"]

_INCOME = r"disp_med_a(\d{2})|disp_q2_a(\d{2})|income_eur|median_disp_income_uc_eur"
_POVERTY = r"disp_tp60_a(\d{2})|tp60_a(\d{2})|taux_pauvrete_60%?|poverty_rate|poverty_rate_60_pct"


def published_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Median disposable income and poverty rate by QPV, of the latest year that a table holds.

    Parameters
    ----------
    table
        Rows on the codes of QPV, or with a column of codes, and a `year` where there are several: `DISP_MED_A21`,
        `DISP_TP60_A21` (Insee), `taux_pauvrete_60%` (ANCT), `income_eur`, `poverty_rate`.

    Returns
    -------
    pandas.DataFrame
        On `qpv_code`: `income_eur` (by unit of consumption and year) and `poverty_rate` (0 to 1), missing where the
        table has none. A rate above 1 anywhere in its column is in per cent.

    Raises
    ------
    DataError
        The table has neither, or no codes; or incomes below 0, or rates that are none.

    Examples
    --------
    >>> table = pd.DataFrame({"codeQPV": ["QP001001"], "DISP_MED_A21": ["13 748"], "DISP_TP60_A21": ["46,2"]})
    >>> published_rates(table).to_numpy().tolist()
    [[13748.0, 0.462]]
    """
    require.require_frame(table, "income")
    clean = codes_of(table)
    found = {kind: _latest(table, pattern) for kind, pattern in (("income_eur", _INCOME), ("poverty_rate", _POVERTY))}
    if clean.isna().all() or all(column is None for column in found.values()):
        raise DataError(Note("policy.no_rates"), way_out=Note("policy.no_rates_way_out"))
    frame = pd.DataFrame({"qpv_code": clean.to_numpy()})
    for kind, column in found.items():
        frame[kind] = _numbers(table[column]).to_numpy() if column is not None else pd.NA
    if (frame["poverty_rate"].astype("Float64") > 1).any():
        frame["poverty_rate"] = frame["poverty_rate"].astype("Float64") / 100
    impossible = (frame["income_eur"].astype("Float64") < 0) | ~frame["poverty_rate"].astype("Float64").between(0, 1)
    if impossible.fillna(value=False).any():
        problems = [
            Note("policy.rates_of", code=str(row.qpv_code), income=str(row.income_eur), rate=str(row.poverty_rate))
            for row in frame[impossible.fillna(value=False)].itertuples()
        ]
        raise DataError(Note("policy.not_rates"), problems=problems, way_out=Note("policy.not_rates_way_out"))
    if "year" in table.columns:
        frame = frame.iloc[table["year"].argsort(kind="stable").to_numpy()]
    # of several years, the latest that has a figure
    return frame.dropna(subset="qpv_code").groupby("qpv_code").last().astype("Float64")


def codes_of(table: pd.DataFrame) -> pd.Series:
    """Codes of QPV of the rows of a table, of a column or of the index; missing where there is none.

    Examples
    --------
    >>> codes_of(pd.DataFrame({"codeQPV": ["qp001001", "Total"]})).tolist()
    ['QP001001', nan]
    """
    name = column_of([str(column) for column in table.columns], "qpv_code") or qpv_column(as_text(table))
    codes = table[name] if name in table.columns else table.index.to_series()
    return official.clean(codes.astype("str"), "qpv").codes


def _latest(table: pd.DataFrame, pattern: str) -> str | None:
    """Column of a figure, that of the latest year where the names say it."""
    matches = [(found, name) for name in table.columns if (found := re.fullmatch(pattern, str(name).lower()))]
    years = [(max((int(year) for year in found.groups() if year), default=0), name) for found, name in matches]
    return max(years, key=lambda one: one[0])[1] if years else None


def _numbers(values: pd.Series) -> pd.Series:
    """Figures as the files write them; what is secret is missing."""
    text = values.astype("str").str.replace("[\\s\u202f\xa0]", "", regex=True).str.replace(",", ".")
    return pd.to_numeric(text, errors="coerce").astype("Float64")
