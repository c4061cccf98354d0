"""Rows of a coverage: those of a place, of a size, in an order; and the sizes of the QPV of each unit."""

from collections.abc import Iterable
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.codes.places import Area, find_area
from qpvgeo.errors import UsageError
from qpvgeo.language import Note

__all__ = ["Stat", "StatName", "arranged", "in_place", "pieces_in_place", "statistics"]

StatName = Literal["mean", "min", "max", "median"]
Stat = StatName | float | int


def statistics(placed: pd.DataFrame, stats: Iterable[Stat]) -> pd.DataFrame:
    """Sizes of the QPV that lie in each unit, each QPV whole.

    Parameters
    ----------
    placed
        Pieces of QPV: `qpv_code`, `unit`, `population`.
    stats
        Names, quantiles between 0 and 1, numbers of people from 1.

    Raises
    ------
    UsageError
        There is no such statistic.

    Examples
    --------
    >>> pieces = pd.DataFrame(
    ...     {"qpv_code": ["a", "a", "b"], "unit": ["x", "y", "x"], "population": [600.0, 400.0, 3000.0]}
    ... )
    >>> statistics(pieces, ["min", 0.5, 2000]).loc["x"].tolist()
    [1000.0, 2000.0, 1.0]
    """
    named = _named(stats)
    if not named:
        return pd.DataFrame(index=pd.Index(placed["unit"].unique()))
    people = placed.groupby("qpv_code")["population"].sum(min_count=1)
    once = placed[["qpv_code", "unit"]].drop_duplicates()
    sizes = once.assign(people=people.reindex(once["qpv_code"]).to_numpy()).groupby("unit", dropna=False)["people"]
    found = {}
    for name, stat in named.items():
        if isinstance(stat, str):
            found[name] = sizes.agg(stat).astype("Float64")
        elif stat < 1:
            found[name] = sizes.quantile(stat).astype("Float64")
        else:
            found[name] = sizes.agg(lambda values, least=stat: int((values >= least).sum())).astype("Int64")
    return pd.DataFrame(found)


def _named(stats: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever was given
    """Columns of the statistics."""
    found: dict[str, Any] = {}
    for stat in [stats] if isinstance(stats, str | Real) else stats:
        number = isinstance(stat, int | float | np.number) and not isinstance(stat, bool)
        if isinstance(stat, str) and stat in get_args(StatName):
            found[f"qpv_{stat}"] = stat
        elif number and 0 < float(stat) < 1:
            found[f"qpv_q{float(stat) * 100:g}"] = float(stat)
        elif number and float(stat) >= 1 and np.isfinite(float(stat)):
            found[f"n_qpv_from_{float(stat):g}"] = float(stat)
        else:
            raise UsageError(
                Note("indicators.no_stat", stat=repr(stat)),
                way_out=Note("indicators.stats", stats=list(get_args(StatName))),
            )
    return found


def in_place(
    frame: pd.DataFrame, placed: pd.DataFrame, place: str | Area, by: str, units: pd.DataFrame | None
) -> npt.NDArray[np.bool_]:
    """Rows of a coverage that lie in a place, wholly or in part.

    Raises
    ------
    UsageError
        There is no such place, or its communes are not known.
    """
    area = (
        find_area(place, _communes(placed, by, units), units if by in ("epci", "ept") else None)
        if isinstance(place, str)
        else place
    )
    inside = _pieces_in(placed, area)
    held = set(placed.loc[inside, "unit"].dropna())
    if area.whole_departments:
        # a department without a QPV has no piece
        held |= set(area.departments) if by == "department" else set()
        held |= {area.code} if by == area.level else set()
    return np.asarray(frame.index.isin(list(held)))


def pieces_in_place(pieces: pd.DataFrame, place: str | Area, units: pd.DataFrame | None) -> pd.Series:
    """Pieces of QPV that lie in a place; names of communes or EPCI are those of the units.

    Raises
    ------
    UsageError
        There is no such place, or its communes are not known.
    """
    if isinstance(place, str):
        of_epci = units is not None and bool(units.index.isin(pieces["epci"].dropna()).any())
        place = find_area(place, _communes(pieces, "commune", None if of_epci else units), units if of_epci else None)
    return _pieces_in(pieces, place)


def _pieces_in(placed: pd.DataFrame, area: Area) -> pd.Series:
    if area.whole_departments:
        own = placed["commune_department"].where(placed["commune_department"].notna(), placed["department"])
        return own.isin(area.departments) | placed["department"].isin(area.departments)
    if area.communes is not None:
        return placed["commune"].isin(area.communes)
    if area.level in ("epci", "ept"):
        return placed[area.level] == area.code
    raise UsageError(Note("indicators.no_communes_of_place", place=area.label))


def _communes(placed: pd.DataFrame, by: str, units: pd.DataFrame | None) -> pd.DataFrame:
    """Communes of the QPV, with their names where the units are communes."""
    columns = ["commune", "epci", "ept"]
    known = placed[columns].dropna(subset="commune").drop_duplicates("commune").set_index("commune")
    if by == "commune" and units is not None and "name" in units.columns and units.index.is_unique:
        known = known.assign(name=units["name"].reindex(known.index))
    return known


def arranged(frame: pd.DataFrame, *, min_population: Any, sort: str | None) -> pd.DataFrame:  # noqa: ANN401
    """Rows of at least so many inhabitants, sorted; what is left out is noted in `attrs["notes"]`.

    Raises
    ------
    UsageError
        There is no such column, or the threshold is not a number of people.
    """
    frame = frame.copy()
    if min_population is not None:
        good = isinstance(min_population, int | float) and not isinstance(min_population, bool) and min_population >= 0
        if not good:
            raise UsageError(
                Note("indicators.no_threshold", value=repr(min_population)),
                way_out=Note("indicators.threshold_way_out"),
            )
        unknown = int(frame["population"].isna().sum())
        frame = frame[(frame["population"] >= min_population).fillna(False)]
        if unknown:
            frame.attrs["notes"] = [Note("indicators.units_unknown_population", count=unknown)]
    if sort is None:
        return frame
    name = str(sort).removeprefix("-")
    if name not in frame.columns or name == "note":
        columns = [column for column in frame.columns if column != "note"]
        raise UsageError(
            Note("indicators.no_column", column=repr(sort)), way_out=Note("indicators.columns", columns=columns)
        )
    return frame.sort_values(name, ascending=not str(sort).startswith("-"), na_position="last", kind="stable")
