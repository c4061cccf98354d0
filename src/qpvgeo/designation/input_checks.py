"""What grids, units and amounts must be before anything is designated: all that cannot be is refused at once."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats.cells import numbers_of
from qpvgeo.frames.require import require_columns, require_once
from qpvgeo.geometry.distinct_cells import distinct_cells
from qpvgeo.geometry.insee_lattice import Cells
from qpvgeo.language import Note

__all__ = [
    "first_commune",
    "grid_numbers",
    "is_number",
    "minimum_problems",
    "of_other_method",
    "require_cells",
    "require_minimum",
    "require_places",
    "settled_units",
    "units_of_cells",
]

Floats = npt.NDArray[np.float64]

_UNIT_COLUMNS = ("unit", "population", "median")
_MOST_TOLD = 20
_NUMBERS = ("population", "households", "income_eur", "threshold_eur", "margin", "poverty_rate")

_OWN_REGIME, _OWN_THRESHOLDS = "martinique-reunion-2014", ("972", "974")
"""Regime of the territories whose threshold rests on the median of the department."""


def is_number(value: object) -> bool:
    """Tell whether a value is a finite number; a truth value is none.

    Examples
    --------
    >>> is_number(3), is_number(True), is_number(float("nan")), is_number("3")
    (True, False, False, False)
    """
    kinds = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return kinds and bool(np.isfinite(float(value)))  # type: ignore[arg-type]


def minimum_problems(value: object) -> list[Note]:
    """What keeps a value from being a least number of people."""
    fits = is_number(value) and float(value) >= 0  # type: ignore[arg-type]
    return [] if fits else [Note("designation.bad_minimum", value=repr(value))]


def require_minimum(value: object) -> None:
    """Raise when a value is no least number of people."""
    if problems := minimum_problems(value):
        raise UsageError(Note("designation.zones_options"), problems=problems)


def require_cells(cells: Any, needed: Iterable[str]) -> Cells:  # noqa: ANN401 - whatever was given
    """Lattice cells of a frame of `eligible_cells`.

    Raises
    ------
    DataError
        Columns are missing or there twice, cells appear twice, or labels are no ids of cells.
    UsageError
        It is not a frame.
    """
    needed = list(needed)
    require_columns(cells, needed, what=Note("frames.the_cells"), way_out=Note("designation.cells_way_out"))
    require_once(cells, needed)
    problems = [] if is_flag(cells["eligible"]) else [Note("designation.not_truths", column="eligible")]
    problems += [
        Note("designation.income_not_numbers", income=name)
        for name in needed
        if name in _NUMBERS and (cells[name].dtype == bool or not pd.api.types.is_numeric_dtype(_inferred(cells[name])))
    ]
    if problems:
        raise DataError(
            Note("designation.cells_unusable"), problems=problems, way_out=Note("designation.cells_way_out")
        )
    return distinct_cells(cells)


def is_flag(column: pd.Series) -> bool:
    """Tell whether a column holds truths, ones and zeros, and missing values alone.

    Examples
    --------
    >>> is_flag(pd.Series([1, 0, None])), is_flag(pd.Series(["False"])), is_flag(pd.Series([9]))
    (True, False, False)
    """
    held = column.dropna().unique()
    return all(isinstance(one, bool | np.bool_) or (is_number(one) and one in {0, 1}) for one in held)


def _inferred(column: pd.Series) -> pd.Series:
    """Column of its own kind, numbers where nothing is known."""
    return column.infer_objects() if column.notna().any() else pd.Series(dtype="float64")


def grid_numbers(grid: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Columns of a grid as plain numbers, missing ones as `nan`.

    Raises
    ------
    DataError
        Lists the columns that hold something else, or numbers that are negative or infinite, with a cell of each; marks
        of imputation that are no truth values.
    """
    found: dict[str, Floats] = {}
    marked = "imputed" not in grid.columns or is_flag(grid["imputed"])
    problems: list[Note] = [] if marked else [Note("designation.not_truths", column="imputed")]
    for name in columns:
        column = grid[name]
        if pd.api.types.is_bool_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype):
            problems.append(Note("designation.income_not_numbers", income=name))
            continue
        values, odd = numbers_of(column)
        if odd.any() or (column.dtype == object and column.map(lambda one: isinstance(one, bool | np.bool_)).any()):
            problems.append(Note("designation.income_not_numbers", income=name))
            continue
        wrong = np.flatnonzero((values < 0) | np.isinf(values))
        if len(wrong):
            cell = str(grid.index[wrong[0]])
            problems.append(
                Note("designation.bad_values", column=name, count=len(wrong), cell=cell, value=float(values[wrong[0]]))
            )
        found[name] = values
    if problems:
        raise DataError(Note("designation.grid_unusable"), problems=problems, way_out=Note("designation.grid_way_out"))
    return pd.DataFrame(found, index=grid.index)


def settled_units(units: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Table of units on sound codes of communes, its amounts as numbers, and what was repaired.

    Raises
    ------
    DataError
        Columns are missing, the table is empty, communes appear twice, a unit has several values, or amounts are none:
        lists them.
    UsageError
        It is not a frame.
    """
    require_columns(units, _UNIT_COLUMNS, what=Note("frames.the_units"))
    amounts = ["population", "median", *(["mean"] if "mean" in units.columns else [])]
    require_once(units, [*_UNIT_COLUMNS, *amounts])
    cleaned = official.clean(pd.Series(units.index.astype("str")), "commune")
    codes = cleaned.codes.fillna(pd.Series(units.index.astype("str"))).to_numpy()
    held = pd.DataFrame({"unit": units["unit"].astype("object").to_numpy()}, index=pd.Index(codes, name="commune"))
    problems: list[Note] = [] if len(units) else [Note("designation.no_units")]
    problems += [
        Note("designation.commune_twice", commune=str(code)) for code in held.index[held.index.duplicated()].unique()
    ]
    for name in amounts:
        held[name], odd = _amounts(units[name])
        known = held[name].notna().to_numpy()
        wrong: npt.NDArray[np.bool_] = odd | (known & ~held[name].between(0, np.inf, inclusive="neither").to_numpy())
        problems += [
            Note("designation.unit_amount", unit=str(unit), column=name, value=value)
            for unit, value in dict.fromkeys(zip(held["unit"][wrong], units[name][wrong].map(str), strict=True))
        ][:_MOST_TOLD]
        several = held.groupby("unit")[name].nunique(dropna=False)
        problems += [
            Note("designation.unit_values", unit=str(unit), column=name) for unit in several[several > 1].index
        ]
    if problems:
        raise DataError(
            Note("designation.units_unusable"), problems=problems, way_out=Note("designation.units_way_out")
        )
    repairs = cleaned.repairs
    told = (
        [Note("designation.codes_repaired", count=len(repairs), codes=repairs["code"].tolist())] if len(repairs) else []
    )
    return held, told


def _amounts(column: pd.Series) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Numbers of a column, and which cells hold something else, truth values among them."""
    truths = column.map(lambda one: isinstance(one, bool | np.bool_)).to_numpy(bool, na_value=False)
    values, odd = numbers_of(column.astype("object") if truths.any() else column)
    return values, odd | truths


def first_commune(communes: object) -> object:
    """First commune of a cell, that of most of its households; None where there is none. A whole number is a code.

    Examples
    --------
    >>> first_commune(["59350", "59009"]), first_commune(59350.0), first_commune("")
    ('59350', '59350', None)
    """
    if isinstance(communes, str):
        return communes or None
    if is_number(communes):
        return f"{communes:.0f}"
    return next(iter(communes), None) if isinstance(communes, Iterable) else None


def units_of_cells(grid: pd.DataFrame, units: pd.DataFrame) -> tuple[pd.Series, npt.NDArray[np.bool_]]:
    """Unit of each cell, that of its first commune, and which cells say no commune.

    A table of one unit stands for a grid without communes. A municipal arrondissement is in the unit of its commune.

    Raises
    ------
    DataError
        The grid has no communes and the table several units, or no commune of the grid is in the table.
    """
    if not ("communes" in grid.columns and grid["communes"].notna().any()):
        if len(units["unit"].unique()) != 1:
            raise DataError(Note("designation.no_communes"), way_out=Note("designation.no_communes_way_out"))
        return pd.Series(units["unit"].iloc[0], index=grid.index, dtype="object"), np.zeros(len(grid), bool)
    communes = grid["communes"].map(first_commune).astype("object")
    distinct = communes.dropna().unique()
    sound = official.clean(pd.Series(distinct).astype("str"), "commune").codes.fillna(pd.Series(distinct).astype("str"))
    by_code = units["unit"].to_dict()
    folded = {official.fold_arrondissement(code): unit for code, unit in by_code.items()} | by_code
    found = {
        given: folded[code if code in folded else official.fold_arrondissement(code)]
        for given, code in zip(distinct, sound, strict=True)
        if code in folded or official.fold_arrondissement(code) in folded
    }
    if len(distinct) and not found:
        raise DataError(
            Note("designation.no_common_commune"),
            problems=[
                Note("designation.communes_of_grid", communes=sorted(sound)),
                Note("designation.communes_of_units", communes=sorted(map(str, units.index))),
            ],
            way_out=Note("designation.no_common_commune_way_out"),
        )
    return communes.map(found), communes.isna().to_numpy()


def of_other_method(places: Iterable[str]) -> list[Note]:
    """Territories among departments, or their names, where the decree has a method of its own: each with its article.

    Examples
    --------
    >>> [note.values["name"] for note in of_other_method(["59", "973"])]
    ['Guyane']
    """
    asked = set(places)
    return [
        Note("designation.other_method", name=row["name"], method=row["method"], article=row["article"])
        for row in facts.rows("designation_methods")
        if row["territory"] in asked
    ]


def require_places(communes: Iterable[object], regime: str) -> None:
    """Raise when communes lie in a territory that has another method, or other thresholds than those of the regime."""
    places = {official.of_commune(str(code)) for code in communes if code}
    problems = of_other_method(places)
    own = sorted(places.intersection(_OWN_THRESHOLDS))
    if own and regime != _OWN_REGIME:
        problems.append(Note("designation.own_thresholds", places=own, regime=_OWN_REGIME))
    if regime == _OWN_REGIME and any(not place.startswith(("97", "98", "99")) for place in places):
        problems.append(Note("designation.not_own_thresholds", regime=_OWN_REGIME))
    if problems:
        raise UsageError(Note("designation.other_places"), problems=problems)
