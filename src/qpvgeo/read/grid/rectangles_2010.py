"""The grid of 2010: people by cell, everything else by rectangle.

In 2010 a cell carries its people only (`ind_c`). Cells were gathered in rectangles of 11 households or more, and every
other value is that of the rectangle: a cell gets the share `ind_c / ind_r` of it. Ages are given from an age on
(`ind_age6` from 25, `ind_age7` from 65, `ind_age8` from 75); they become bands here.

The concepts are not those of Filosofi. `ind_srf` is a sum of winsorised *fiscal* income and `men_basr` counts the
households under the threshold of low fiscal incomes: neither is a living standard nor poverty, and neither is given as
such.

Source: Insee, données carroyées à 200 mètres, RFL at 31 December 2010 and TH at 1 January 2011.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from qpvgeo.errors import DataError
from qpvgeo.formats.text_tables import normalise
from qpvgeo.language import Note
from qpvgeo.read.grid import arrow_columns
from qpvgeo.read.grid.table_forms import Table
from qpvgeo.read.grid.values import flags as flags_of
from qpvgeo.read.grid.values import numbers

__all__ = ["BANDS", "NOTES", "share_rectangles"]

BANDS = {
    "ind_0_3": ("ind_age1",),
    "ind_4_5": ("ind_age2",),
    "ind_6_10": ("ind_age3",),
    "ind_11_14": ("ind_age4",),
    "ind_15_17": ("ind_age5",),
    "ind_18_24": ("ind_r", "ind_age1", "ind_age2", "ind_age3", "ind_age4", "ind_age5", "ind_age6"),
    "ind_25_64": ("ind_age6", "ind_age7"),
    "ind_65_74": ("ind_age7", "ind_age8"),
    "ind_75p": ("ind_age8",),
}
"""Bands of age: the first column less the others."""

NOTES = (
    "all but the population is that of the rectangle of each cell, shared by ind_c / ind_r",
    "ages given from an age on became bands: ind_18_24, ind_25_64, ind_65_74, ind_75p",
    "ind_srf is a sum of winsorised fiscal income, not of living standards: living_standard_sum_eur is missing",
    "men_basr counts households of low fiscal income, not poor households: poor_households is missing",
    "no marks of imputation: imputed is missing",
)
"""Notes of every frame of 2010."""

_NUMBER = re.compile(r"men(_.+)?|ind_.+|i_.+|nbcar")
_WHOLE = {"ind_r", "nbcar"}
_FLAGS = {"i_1ind", "i_prop", "i_basr", "i_age7", "i_age8"}

Floats = npt.NDArray[np.float64]


def share_rectangles(
    table: Table, keys: pa.ChunkedArray, people: Floats, problems: list[str], notes: list[str]
) -> dict[str, Any]:
    """Values of the rectangle of each cell, shared out.

    Parameters
    ----------
    table
        Table of rectangles.
    keys
        Rectangle of each cell (`idk`).
    people
        People of each cell.
    problems
        Gains a line for each cell that is not a number.
    notes
        Gains a line on bands that came out negative.

    Returns
    -------
    dict
        By lower-case name: what is shared, bands in the place of the ages, then `ind_r` and `nbcar` (of the rectangle,
        not shared) and the marks of estimation of the rectangle (boolean, not shared).

    Raises
    ------
    DataError
        A rectangle stands twice, or is not there.
    """
    names = {normalise(name): name for name in table.names}
    read = arrow_columns.read(table, list(names.values()), _types(names.values()))
    position = _positions(read[names["idk"]], keys, table.label)
    values = {
        name: numbers(read[column], column, problems)[position]
        for name, column in names.items()
        if _NUMBER.fullmatch(name) and name not in _FLAGS
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(values["ind_r"] > 0, people / values["ind_r"], np.nan)
    shared = {name: column * share for name, column in values.items() if name not in _WHOLE and "ind_age" not in name}
    whole = {name: values[name] for name in _WHOLE & set(values)}
    flags = {name: flags_of(read[names[name]], name, problems)[position] for name in _FLAGS & set(names)}
    bands = {name: _band(values, parts) * share for name, parts in BANDS.items() if set(parts) <= set(values)}
    notes += [
        Note("grid.negative_ages", column=name, count=int((band < 0).sum()))
        for name, band in bands.items()
        if (band < 0).any()
    ]
    return {**shared, **bands, **dict(sorted(whole.items())), **dict(sorted(flags.items()))}


def _types(names: Iterable[str]) -> dict[str, pa.DataType]:
    return {name: pa.float64() if _NUMBER.fullmatch(normalise(name)) else pa.string() for name in names}


def _positions(there: pa.ChunkedArray, keys: pa.ChunkedArray, where: str) -> npt.NDArray[np.intp]:
    """Row of the rectangle of each cell."""
    index = pd.Index(there.cast(pa.large_string()).to_pandas())
    if index.has_duplicates:
        twice = index[index.duplicated()].unique()
        raise DataError(
            Note("grid.rectangles_repeated", where=where, count=len(twice)),
            problems=map(str, twice),
            way_out=Note("grid.download_again"),
        )
    position = index.get_indexer(pd.Index(keys.cast(pa.large_string()).to_pandas()))
    absent = np.flatnonzero(position < 0)
    if len(absent):
        missing = pd.unique(pd.Series([keys[int(row)].as_py() for row in absent]))
        raise DataError(
            Note("grid.rectangles_missing", where=where, count=len(missing)),
            problems=[Note("grid.rectangle", key=str(key)) for key in missing],
            way_out=Note("grid.same_territory"),
        )
    return np.asarray(position)


def _band(values: dict[str, Floats], parts: tuple[str, ...]) -> Floats:
    band = values[parts[0]].copy()
    for name in parts[1:]:
        band -= values[name]
    return band
