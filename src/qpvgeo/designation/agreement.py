"""How far candidate cells and zones agree with the official perimeters, with bounds.

A cell that a perimeter cuts may have all or none of its people inside, and a cell that could not be judged may be
eligible or not: shares are given as an estimate (people spread evenly over the cell, cells judged) between the least
and the most that this allows. A strip under a hundredth of a cell is a matter of drawing: outlines are published at
1:4,000, where a line is wider than that. Such a cell is not touched, and one covered all but for that is wholly inside.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.designation.input_checks import require_cells
from qpvgeo.designation.zones import NEEDED, CandidateZones, require_zones
from qpvgeo.errors import DataError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.frames.require import require_columns, require_frame, require_outlines
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.insee_lattice import Cells, locate
from qpvgeo.language import Note

__all__ = ["SLIVER", "Agreement", "compare_with_official", "snapped"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SLIVER = 0.01
"""Share of a cell below which a perimeter does not touch it: 400 m2 of 200 m by 200 m."""

_HALF = 1 / 2


@dataclass(frozen=True, slots=True)
class Agreement:
    """Candidates beside official perimeters.

    Attributes
    ----------
    by_qpv
        A row per QPV: `population` (fiscal households), `cells`, `unjudged_cells` (of these, eligible or not is not
        known), `eligible_low`, `eligible_share`, `eligible_high` (share of its people in eligible cells),
        `no_eligible_cell` (missing where a cell is unjudged and none is eligible).
    by_unit
        A row per unit: `eligible_population`, `in_qpv_low`, `in_qpv_share`, `in_qpv_high` (share of the people of
        eligible cells who live in a QPV), `qpv_population` and `eligible_low`, `eligible_share`, `eligible_high`
        (people of QPV in cells of the unit, and the share of them in eligible cells; missing where there are none),
        `order` (probability that a cell mostly in a QPV has a lower income than one outside, ties for a half; missing
        where there is no cell of one kind) and `pairs` (of cells it rests on).
    by_zone
        A row per candidate zone: `population`, `in_qpv_low`, `in_qpv_share`, `in_qpv_high`, `no_qpv` (none touches it).
    total
        A series: the same shares with their bounds over all people, `order` over all pairs of cells of one unit, and
        `qpv_without_eligible_cell`.
    """

    by_qpv: pd.DataFrame
    by_unit: pd.DataFrame
    by_zone: pd.DataFrame
    total: pd.Series


@judged
def compare_with_official(zones: CandidateZones, qpv: gpd.GeoDataFrame, grid: pd.DataFrame | None = None) -> Agreement:
    """Hold candidates against official perimeters.

    Parameters
    ----------
    zones
        Result of `qpvgeo.candidate_zones`, with its cells.
    qpv
        Frame of `qpvgeo.read_qpv`, or any polygons with a CRS on unique labels.
    grid
        Frame of `qpvgeo.read_grid` whose people are counted, of another year for instance; those of the cells that
        were judged by default.

    Returns
    -------
    Agreement
        Tables by QPV, by unit and by zone, and totals. People are those of the cells, of fiscal households.

    Raises
    ------
    DataError
        The first argument is not the result of `candidate_zones`, the second no outlines with a CRS on unique labels,
        no QPV touches a cell, or cells that were judged are not in the grid.
    UsageError
        The second argument is not a layer.

    Notes
    -----
    The order is the statistic of Mann and Whitney over the number of pairs: 0.5 when the incomes of cells in and out of
    QPV do not differ, 1 when every cell of a QPV is poorer than every other cell of its unit. Units have thresholds of
    their own, so that only cells of one unit are compared: the total is the sum of the statistics of the units over the
    sum of their pairs. A large unit weighs by its pairs; `by_unit` shows each.

    QPV are taken not to overlap: what two of them hold of a cell is added up, to the whole cell at most.

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
    lattice = require_cells(cells, NEEDED)
    require_outlines(qpv, name="qpv", unique=True)
    covered = cover(qpv, lattice.lattice)
    position = locate(Cells(lattice.lattice, covered.cells.north, covered.cells.east), lattice)
    known = (position >= 0) & (covered.share >= SLIVER)
    if not known.any():
        raise DataError(Note("designation.no_overlap"), way_out=Note("designation.no_overlap_way_out"))
    owner, at, share = covered.area[known], position[known], snapped(covered.share[known])
    people = _people(cells, grid)
    eligible = cells["eligible"].fillna(value=False).to_numpy(bool)
    unjudged = cells["eligible"].isna().to_numpy()
    inside = snapped(np.minimum(np.bincount(at, share, len(cells)), 1.0))
    sums = _qpv_sums(qpv.index, owner, people[at], share, eligible[at], unjudged[at])
    by_qpv = _by_qpv(sums)
    frame = _inside_sums(people, eligible, inside)
    units = frame.groupby(cells["unit"].to_numpy()).sum()
    orders = _orders(cells, inside)
    of_unit, labels = pd.factorize(cells["unit"])
    placed = of_unit[at] >= 0
    kept = (share[placed], eligible[at][placed], unjudged[at][placed])
    of_qpv = _of_qpv(_qpv_sums(pd.Index(labels), of_unit[at][placed], people[at][placed], *kept))
    by_unit = _shares(units).join([of_qpv.rename(columns={"population": "qpv_population"}), orders[["order", "pairs"]]])
    held = frame.groupby(zones.cells["zone"].to_numpy(np.float64, na_value=np.nan)).sum()
    by_zone = _shares(held).rename(columns={"eligible_population": "population"})
    by_zone = by_zone.set_axis(by_zone.index.astype("int64").rename("zone"))
    by_zone["no_qpv"] = ~(by_zone["in_qpv_high"] > 0)
    total = _total(sums, units, orders, by_qpv)
    files = [*provenance(cells).get("files", []), *provenance(qpv).get("files", [])]
    for table in (by_qpv, by_unit, by_zone):
        stamp(table, files, fictional=is_fictional(cells, qpv), notes=list(provenance(cells).get("notes", [])))
    return Agreement(by_qpv, by_unit, by_zone, total)


def _people(cells: pd.DataFrame, grid: pd.DataFrame | None) -> Floats:
    """People of the cells that were judged, from a grid where one is given."""
    counted = cells["population"]
    if grid is not None:
        require_frame(grid, "grid")
        require_columns(grid, {"population"}, what="grid", way_out=Note("designation.cells_way_out"))
        if lost := int((~cells.index.isin(grid.index)).sum()):
            raise DataError(Note("designation.other_grid", count=lost), way_out=Note("designation.same_lattice"))
        counted = grid["population"].reindex(cells.index)
    return np.asarray(counted.astype("Float64").fillna(0), np.float64)


def snapped(share: Floats) -> Floats:
    """Shares of cells, whole where all but a strip is covered."""
    return np.where(share > 1 - SLIVER, 1.0, share)


def _qpv_sums(
    labels: pd.Index, owner: npt.NDArray[np.intp], people: Floats, share: Floats, eligible: Flags, unjudged: Flags
) -> pd.DataFrame:
    """People of each QPV in cells that are eligible, are not, or could not be judged: least, mean and most."""
    columns: dict[str, Floats] = {"cells": np.ones(len(owner)), "estimate": people * share}
    kinds = {"in": eligible, "out": ~eligible & ~unjudged, "unjudged": unjudged}
    for kind, rows in kinds.items():
        columns |= {
            f"{kind}_cells": rows.astype(float),
            f"{kind}_least": people * rows * (share == 1),
            f"{kind}_mean": people * rows * share,
            f"{kind}_most": people * rows,
        }
    sums = {name: np.bincount(owner, values, len(labels)) for name, values in columns.items()}
    return pd.DataFrame(sums, index=labels)


def _bounds(sums: pd.DataFrame | pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Least, estimated and most share of people in eligible cells, of those in any."""
    low = _part(sums["in_least"], sums["out_most"] + sums["unjudged_most"], sums["in_most"])
    high = 1 - _part(sums["out_least"], sums["in_most"] + sums["unjudged_most"], sums["out_most"])
    return low, _part(sums["in_mean"], sums["out_mean"], sums["in_mean"]), high


def _part(least: pd.Series, others: pd.Series, most: pd.Series) -> pd.Series:
    """Least share of a part that may be empty: the whole where nobody can be elsewhere; missing where nobody is."""
    whole = pd.Series(least + others)
    found = pd.Series(least) / whole.where(whole > 0)
    return found.mask((whole <= 0) & (pd.Series(most) > 0), 1.0)


def _of_qpv(sums: pd.DataFrame) -> pd.DataFrame:
    """People of QPV, and the share of them in eligible cells."""
    low, share, high = _bounds(sums)
    people = sums["estimate"].where(sums["cells"] > 0)
    return pd.DataFrame({"population": people, "eligible_low": low, "eligible_share": share, "eligible_high": high})


def _by_qpv(sums: pd.DataFrame) -> pd.DataFrame:
    none = (sums["in_cells"] == 0).astype("boolean")
    found = _of_qpv(sums).assign(
        no_eligible_cell=none.mask(none & ((sums["unjudged_cells"] > 0) | (sums["cells"] == 0)))
    )
    for row, name in enumerate(("cells", "unjudged_cells"), 1):
        found.insert(row, name, sums[name].astype("int64"))
    return found


def _inside_sums(people: Floats, eligible: Flags, inside: Floats) -> pd.DataFrame:
    """People of eligible cells, and of these the least, mean and most in a QPV."""
    counted = people * eligible
    return pd.DataFrame(
        {
            "eligible_population": counted,
            "in_qpv_low": counted * (inside == 1),
            "in_qpv_share": counted * inside,
            "in_qpv_high": counted * (inside > 0),
        }
    )


def _shares(sums: pd.DataFrame) -> pd.DataFrame:
    """The same as shares of the people of eligible cells."""
    whole = sums["eligible_population"]
    parts = sums.drop(columns="eligible_population").div(whole.where(whole > 0), axis="index")
    return pd.DataFrame({"eligible_population": whole}).join(parts)


def _orders(cells: pd.DataFrame, inside: Floats) -> pd.DataFrame:
    """Mann and Whitney's statistic of each unit, over how many pairs, and their ratio."""
    # income compared, or the margin where rates of poverty stand in
    column = cells["income_eur"] if cells["income_eur"].notna().any() else cells["margin"]
    income = column.astype("Float64").to_numpy(np.float64, na_value=np.nan)
    found = {unit: _order(income[rows], inside[rows] >= _HALF) for unit, rows in cells.groupby("unit").indices.items()}
    table = pd.DataFrame.from_dict(found, orient="index", columns=["wins", "pairs"])
    return table.assign(order=table["wins"] / table["pairs"].where(table["pairs"] > 0))


def _order(income: Floats, inside: Flags) -> tuple[float, int]:
    """Pairs of a cell inside and one outside in which the one inside has less, ties for a half; and all pairs."""
    known = ~np.isnan(income)
    income, inside = income[known], inside[known]
    count = int(inside.sum())
    pairs = count * int((~inside).sum())
    rank = pd.Series(income).rank().to_numpy()
    return float(pairs - (rank[inside].sum() - count * (count + 1) / 2)), pairs


def _total(sums: pd.DataFrame, units: pd.DataFrame, orders: pd.DataFrame, by_qpv: pd.DataFrame) -> pd.Series:
    low, share, high = (float(one.iloc[0]) for one in _bounds(sums.sum().to_frame().T))
    inside = _shares(units.sum().to_frame().T).iloc[0]
    pairs = orders["pairs"].sum()
    return pd.Series(
        {
            "eligible_low": low,
            "eligible_share": share,
            "eligible_high": high,
            **inside.drop("eligible_population").to_dict(),
            "order": float(orders["wins"].sum() / pairs) if pairs else float("nan"),
            "qpv_without_eligible_cell": int(by_qpv["no_eligible_cell"].sum()),
        }
    )
