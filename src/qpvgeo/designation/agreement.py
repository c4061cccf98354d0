"""How far candidate cells and zones agree with the official perimeters, with bounds.

A cell that a perimeter cuts may have all or none of its people inside: shares are given as an estimate (people spread
evenly over the cell) between the least and the most that the whole and the cut cells allow.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.designation.zones import CandidateZones, require_zones
from qpvgeo.errors import DataError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.insee_lattice import Cells, locate, parse_ids
from qpvgeo.language import Note

__all__ = ["Agreement", "compare_with_official"]

Floats = npt.NDArray[np.float64]

_WHOLE = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Agreement:
    """Candidates beside official perimeters.

    Attributes
    ----------
    by_qpv
        A row per QPV: `population` (fiscal households), `cells`, `eligible_low`, `eligible_share`, `eligible_high`
        (share of its people in eligible cells), `no_eligible_cell`.
    by_unit
        A row per unit: `eligible_population`, `in_qpv_low`, `in_qpv_share`, `in_qpv_high` (share of the people of
        eligible cells who live in a QPV), `order` (probability that a cell mostly in a QPV has a lower income than one
        outside, ties for a half; missing where there is no cell of one kind).
    by_zone
        A row per candidate zone: `population`, `in_qpv_share`, `no_qpv`.
    total
        The same shares over all: a series.
    """

    by_qpv: pd.DataFrame
    by_unit: pd.DataFrame
    by_zone: pd.DataFrame
    total: pd.Series


@judged
def compare_with_official(zones: CandidateZones, qpv: gpd.GeoDataFrame) -> Agreement:
    """Hold candidates against official perimeters.

    Parameters
    ----------
    zones
        Result of `qpvgeo.candidate_zones`, with its cells.
    qpv
        Frame of `qpvgeo.read_qpv`, or any polygons with a CRS on unique labels.

    Returns
    -------
    Agreement
        Tables by QPV, by unit and by zone, and totals. People are those of the cells, of fiscal households.

    Raises
    ------
    DataError
        The first argument is not the result of `candidate_zones`, the second not a layer on unique labels, or no QPV
        touches a cell.

    Notes
    -----
    The order is the statistic of Mann and Whitney over the number of pairs: 0.5 when the incomes of cells in and out of
    QPV do not differ, 1 when every cell of a QPV is poorer than every other cell of its unit.

    Examples
    --------
    >>> import pandas as pd, qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> towns = ["99001", "99002", "99003", "99004"]
    >>> units = pd.DataFrame({"unit": "99A", "population": 45_000, "median": 19_000}, index=towns)
    >>> found = qg.candidate_zones(qg.eligible_cells(grid, units, national_median=21_730))
    >>> agreement = compare_with_official(found, qg.read_qpv(qg.sample().qpv_2024))
    >>> bool(agreement.total["order"] > 0.5)
    True
    """
    cells = require_zones(zones).cells
    if not isinstance(qpv, gpd.GeoDataFrame) or not qpv.index.is_unique:
        raise DataError(Note("designation.not_perimeters"), way_out=Note("designation.no_overlap_way_out"))
    lattice = parse_ids(cells.index)
    covered = cover(qpv, lattice.lattice)
    position = locate(Cells(lattice.lattice, covered.cells.north, covered.cells.east), lattice)
    known = position >= 0
    if not known.any():
        raise DataError(Note("designation.no_overlap"), way_out=Note("designation.no_overlap_way_out"))
    owner, at, share = covered.area[known], position[known], covered.share[known]
    people = cells["population"].astype("Float64").fillna(0).to_numpy(np.float64)
    eligible = cells["eligible"].fillna(value=False).to_numpy(bool)
    inside = np.minimum(np.bincount(at, share, len(cells)), 1.0)
    by_qpv = _by_qpv(qpv, owner, people[at], share, eligible[at])
    by_unit = _by_unit(cells, people, eligible, inside)
    numbers = zones.cells["zone"]
    by_zone = pd.DataFrame(
        {
            "population": zones.zones["population"],
            "in_qpv_share": pd.Series(people * inside, index=cells.index).groupby(numbers).sum()
            / pd.Series(people, index=cells.index).groupby(numbers).sum(),
        }
    )
    by_zone["no_qpv"] = ~(by_zone["in_qpv_share"] > 0)
    total = _total(by_qpv, by_unit, cells, inside)
    result = Agreement(by_qpv, by_unit, by_zone, total)
    files = [*provenance(cells).get("files", []), *provenance(qpv).get("files", [])]
    for frame in (by_qpv, by_unit, by_zone):
        stamp(frame, files, fictional=is_fictional(cells, qpv), notes=list(provenance(cells).get("notes", [])))
    return result


def _bounds(low_in: pd.Series, high_in: pd.Series, low_out: pd.Series, high_out: pd.Series) -> tuple[pd.Series, ...]:
    """Least and most share of what is in, where each part is only known between two bounds."""
    low = low_in / (low_in + high_out).where(low_in + high_out > 0)
    high = high_in / (high_in + low_out).where(high_in + low_out > 0)
    return low, high


def _by_qpv(
    qpv: gpd.GeoDataFrame, owner: npt.NDArray[np.intp], people: Floats, share: Floats, eligible: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    count = len(qpv)

    def summed(values: Floats) -> pd.Series:
        return pd.Series(np.bincount(owner, values, count), index=qpv.index)

    whole = share >= _WHOLE
    estimate_in, estimate = summed(people * share * eligible), summed(people * share)
    low, high = _bounds(
        summed(people * whole * eligible),
        summed(people * eligible),
        summed(people * whole * ~eligible),
        summed(people * ~eligible),
    )
    cells = pd.Series(np.bincount(owner, minlength=count), index=qpv.index)
    return pd.DataFrame(
        {
            "population": estimate.where(cells > 0),
            "cells": cells,
            "eligible_low": low,
            "eligible_share": estimate_in / estimate.where(estimate > 0),
            "eligible_high": high,
            "no_eligible_cell": (summed(eligible.astype(float)) == 0) & (cells > 0),
        }
    )


def _by_unit(cells: pd.DataFrame, people: Floats, eligible: npt.NDArray[np.bool_], inside: Floats) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "unit": cells["unit"].to_numpy(),
            "eligible_population": people * eligible,
            "least": people * eligible * (inside >= _WHOLE),
            "mean": people * eligible * inside,
            "most": people * eligible * (inside > 0),
        }
    )
    sums = frame.groupby("unit").sum()
    whole = sums["eligible_population"].where(sums["eligible_population"] > 0)
    found = pd.DataFrame({"eligible_population": sums["eligible_population"]})
    found["in_qpv_low"], found["in_qpv_share"], found["in_qpv_high"] = (
        sums[name] / whole for name in ("least", "mean", "most")
    )
    income = _income(cells)
    found["order"] = pd.Series(
        {unit: _order(income[rows], inside[rows] >= 1 / 2) for unit, rows in cells.groupby("unit").indices.items()},
        dtype="float64",
    )
    return found


def _income(cells: pd.DataFrame) -> Floats:
    """Income compared, or the margin where rates of poverty stand in."""
    column = cells["income_eur"] if cells["income_eur"].notna().any() else cells["margin"]
    return np.asarray(column.astype("Float64").to_numpy(np.float64, na_value=np.nan))


def _order(income: Floats, inside: npt.NDArray[np.bool_]) -> float:
    """Probability that a cell inside has a lower income than one outside: Mann and Whitney's U over the pairs."""
    known = ~np.isnan(income)
    income, inside = income[known], inside[known]
    pairs = int(inside.sum()) * int((~inside).sum())
    if not pairs:
        return float("nan")
    rank = pd.Series(income).rank().to_numpy()
    count = int(inside.sum())
    return float(1 - (rank[inside].sum() - count * (count + 1) / 2) / pairs)


def _total(by_qpv: pd.DataFrame, by_unit: pd.DataFrame, cells: pd.DataFrame, inside: Floats) -> pd.Series:
    qpv_people, eligible_people = by_qpv["population"], by_unit["eligible_population"]
    in_unit = cells["unit"].notna().to_numpy()
    return pd.Series(
        {
            "eligible_share": float((by_qpv["eligible_share"] * qpv_people).sum() / qpv_people.sum()),
            "in_qpv_share": float((by_unit["in_qpv_share"] * eligible_people).sum() / eligible_people.sum())
            if eligible_people.sum()
            else float("nan"),
            "order": _order(_income(cells)[in_unit], inside[in_unit] >= 1 / 2),
            "qpv_without_eligible_cell": int(by_qpv["no_eligible_cell"].sum()),
        }
    )
