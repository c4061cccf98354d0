"""Units of the decree from Insee's table of urban units by commune, with the medians that the user has."""

import os
from collections.abc import Mapping
from typing import Any

import pandas as pd

from qpvgeo.designation.input_checks import is_number
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.formats.text_tables import find_column, read_table, to_number
from qpvgeo.frames.require import require_frame
from qpvgeo.language import Note

__all__ = ["read_units", "single_unit"]

_COMMUNE = ("commune", "codgeo", "code_commune", "com", "insee_com")
_UNIT = ("unit", "uu2020", "uu2010", "unite_urbaine", "code_uu")
_NAME = ("unit_name", "libuu2020", "uu_name", "libuu2010")
_POPULATION = ("population", "pop_com", "ptot", "pmun", "poptot")
_MEDIAN = ("median", "mediane", "med")
_RURAL = "000"


@judged
def read_units(
    source: str | os.PathLike[str], *, medians: Mapping[str, float] | pd.Series | float | None = None
) -> pd.DataFrame:
    r"""Read the urban unit of each commune, the people of the unit and its median income.

    Parameters
    ----------
    source
        CSV or workbook with a row per commune: its code (`CODGEO`, `commune`), its unit (`UU2020`, `unit`) and its
        inhabitants (`population`, `pop_com`, `PTOT`).
    medians
        Median income by consumption unit: by code of unit, or one number for all. By default the column `median` of
        the table, missing where there is none.

    Returns
    -------
    pandas.DataFrame
        On the code of the commune: `unit`, `name`, `population` (inhabitants of the whole unit, summed over its
        communes; missing where one is), `median`. Communes outside of urban units (code ending in 000) are left out.

    Raises
    ------
    DataError
        No column of communes, units or inhabitants, or communes that appear twice.
    UsageError
        Medians that are no amounts above 0, or of none of the units of the table.

    Notes
    -----
    The decree tests the *population totale* of the unit; a table of municipal populations gives a little less.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "units.csv"
    >>> _ = path.write_text("CODGEO;UU2020;pop_com\n99001;99701;30000\n99002;99701;15000\n99003;99000;900\n")
    >>> units = read_units(path, medians={"99701": 19000})
    >>> units["population"].tolist(), units["median"].tolist()
    ([45000, 45000], [19000.0, 19000.0])
    """
    table = read_table(source)
    names = {kind: find_column(table, known) for kind, known in _KNOWN.items()}
    missing = [kind for kind in ("commune", "unit", "population") if names[kind] is None]
    if missing:
        raise DataError(
            Note("designation.units_columns"),
            problems=[Note("designation.units_column", kind=kind, names=list(_KNOWN[kind])) for kind in missing],
            way_out=Note("designation.units_way_out"),
        )
    commune = table[names["commune"]].str.strip()
    units = pd.DataFrame(
        {
            "unit": table[names["unit"]].str.strip().to_numpy(),
            "name": table[names["name"]].to_numpy() if names["name"] else None,
            "own": to_number(table[names["population"]]).numbers.to_numpy(),
        },
        index=pd.Index(commune, name="commune"),
    )
    twice = units.index[units.index.duplicated()].unique()
    if len(twice):
        raise DataError(
            Note("designation.units_unusable"),
            problems=[Note("designation.commune_twice", commune=str(code)) for code in twice],
            way_out=Note("designation.units_way_out"),
        )
    if medians is not None:
        units["median"] = _medians(medians, units["unit"])
    else:
        units["median"] = to_number(table[names["median"]]).numbers.to_numpy() if names["median"] else float("nan")
    units["population"] = units.groupby("unit")["own"].transform(lambda parts: parts.sum(skipna=False))
    urban = units["unit"].notna() & ~units["unit"].fillna(_RURAL).str.endswith(_RURAL)
    return units.loc[urban, ["unit", "name", "population", "median"]]


_KNOWN = {"commune": _COMMUNE, "unit": _UNIT, "name": _NAME, "population": _POPULATION, "median": _MEDIAN}


def _medians(given: Mapping[str, float] | pd.Series | float, unit: pd.Series) -> pd.Series:
    """Median of the unit of each commune: one for all, or by code of unit."""
    if not isinstance(given, Mapping | pd.Series):
        _require_amounts({"medians": given})
        return pd.Series(float(given), index=unit.index)
    by_unit = {str(code).strip(): value for code, value in given.items() if not pd.isna(value)}
    _require_amounts({f"medians[{code!r}]": value for code, value in by_unit.items()})
    codes = unit.where(unit.isin(list(by_unit)), unit.str.lstrip("0"))
    found = codes.map({code: float(value) for code, value in by_unit.items()}).astype("float64")
    if by_unit and found.isna().all():
        raise UsageError(
            Note("designation.no_median_of_units", units=list(by_unit)), way_out=Note("designation.units_way_out")
        )
    return found


def _require_amounts(given: Mapping[str, Any]) -> None:
    """Raise when an amount is not a number above 0."""
    problems = [
        Note("designation.not_above_0", where=name, value=repr(value))
        for name, value in given.items()
        if not (is_number(value) and value > 0)
    ]
    if problems:
        raise UsageError(
            Note("designation.units_unusable"), problems=problems, way_out=Note("designation.units_way_out")
        )


@judged
def single_unit(grid: pd.DataFrame, *, population: float, median: float, mean: float | None = None) -> pd.DataFrame:
    """One unit that holds all communes of a grid.

    Parameters
    ----------
    grid
        Frame of `qpvgeo.read_grid`.
    population, median
        Inhabitants of the whole unit, and its median income.
    mean
        Mean living standard of the whole unit, where the grid is a part of it: the proxies are calibrated on it.

    Returns
    -------
    pandas.DataFrame
        As `qpvgeo.eligible_cells` takes it.

    Raises
    ------
    UsageError
        The grid is not a frame, or an amount is not a number above 0.

    Examples
    --------
    >>> import pandas as pd
    >>> grid = pd.DataFrame({"communes": [["99001"], ["99002", "99001"]]})
    >>> single_unit(grid, population=45_000, median=19_000)["median"].to_dict()
    {'99001': 19000, '99002': 19000}
    """
    require_frame(grid, Note("frames.the_grid"))
    _require_amounts({"population": population, "median": median} | ({} if mean is None else {"mean": mean}))
    listed = grid["communes"].dropna() if "communes" in grid.columns else pd.Series(dtype=object)
    towns = sorted({code for codes in listed for code in ([codes] if isinstance(codes, str) else codes)}) or [""]
    whole = {"unit": "1", "population": population, "median": median} | ({} if mean is None else {"mean": mean})
    return pd.DataFrame(whole, index=pd.Index(towns, name="commune"))
