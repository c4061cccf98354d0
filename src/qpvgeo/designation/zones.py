"""Connected zones of eligible cells: those with enough people are candidates, those that come near are named.

Source: décret n° 2014-767, art. 2 (at least 1,000 inhabitants, on cells of 200 m).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.designation.connected_cells import Contiguity, connected_zones
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.frames.require import require_columns, require_unique_cells
from qpvgeo.geometry.insee_lattice import Cells, parse_ids, squares
from qpvgeo.language import Note

__all__ = ["CandidateZones", "candidate_zones", "outlines", "require_zones"]

_NEEDED = ("eligible", "unit", "state", "population", "households", "margin", "basis", "communes")
_NEAR_PEOPLE = 0.8
_NEAR_INCOME = 0.05


@dataclass(frozen=True, slots=True)
class CandidateZones:
    """Zones of eligible cells.

    Attributes
    ----------
    zones
        Candidates: a row per connected zone with enough people, on `zone` (from 1, the most people first).
    near_misses
        What comes near: zones with at least 80 % of the people required (`kind` is `"people"`), and cells whose margin
        is within 5 % of the threshold and that would join or make a zone (`"income"`).
    cells
        The cells given, with `zone`: number of the candidate that each eligible cell is in, missing elsewhere.
    """

    zones: pd.DataFrame
    near_misses: pd.DataFrame
    cells: pd.DataFrame


@judged
def candidate_zones(
    cells: pd.DataFrame,
    *,
    min_population: float = 1_000,
    contiguity: Contiguity = "queen",
    gap: int = 0,
    geometry: bool = False,
) -> CandidateZones:
    """Gather eligible cells into connected zones, and keep those with enough people.

    Parameters
    ----------
    cells
        Frame of `qpvgeo.eligible_cells`.
    min_population
        Least people of a zone.
    contiguity : {"queen", "rook"}
        Whether cells that share only a corner are connected (`"queen"`) or need a side (`"rook"`).
    gap
        How many cells that are not eligible a zone may step over; their people do not count.
    geometry
        Give the zones as polygons along the lines of the lattice, in its projection.

    Returns
    -------
    CandidateZones
        `zones` has the columns:

        - `unit`, `communes` (list), `cells`, `population`, `households`: as in the cells, summed;
        - `income_eur`: mean of the income compared, weighted by people; missing for rates of poverty;
        - `poverty_rate`: poor households over households, where the grid has them;
        - `imputed_share`: share of the people in imputed cells;
        - `area_km2`, `density_km2`: area of the cells, and people over it;
        - `geometry`, on demand.

        Zones do not cross units. People are those of fiscal households.

    Raises
    ------
    UsageError
        A contiguity, gap or minimum that cannot be.
    DataError
        The cells are not those of `eligible_cells`, or appear twice.

    Examples
    --------
    >>> import pandas as pd, qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> towns = ["99001", "99002", "99003", "99004"]
    >>> units = pd.DataFrame({"unit": "99A", "population": 45_000, "median": 19_000}, index=towns)
    >>> found = candidate_zones(qg.eligible_cells(grid, units, national_median=21_730))
    >>> bool((found.zones["population"] >= 1_000).all())
    True
    """
    _require(min_population, contiguity, gap)
    require_columns(cells, _NEEDED, what=Note("frames.the_cells"), way_out=Note("designation.cells_way_out"))
    require_unique_cells(cells)
    lattice = parse_ids(cells.index)
    eligible = cells["eligible"].fillna(value=False).to_numpy(bool)
    label = _labels(cells, lattice, eligible, contiguity, gap)
    summed = _summed(cells[eligible], label[eligible], lattice.lattice.size)
    kept = summed[summed["population"] >= min_population].sort_values("population", ascending=False, kind="stable")
    least = provenance(cells).get("min_density_km2")
    kept = kept if least is None else kept[kept["density_km2"] >= least]
    number = pd.Series(np.arange(1, len(kept) + 1), index=kept.index)
    zone = pd.Series(pd.array(label, "Int64"), index=cells.index).map(number).astype("Int64")
    zones = kept.set_index(pd.Index(number.to_numpy(), name="zone"))
    about = provenance(cells)
    if geometry:
        inside = zone.notna().to_numpy()
        zones = gpd.GeoDataFrame(
            zones, geometry=outlines(lattice, zone[inside].astype(int).to_numpy(), inside), crs=lattice.lattice.epsg
        )
    near = _near_misses(cells, summed, min_population)
    details = {
        key: about[key] for key in ("regime", "article", "proxy", "calibration", "national_median") if key in about
    }
    for frame in (zones, near):
        stamp(
            frame,
            about.get("files", []),
            **details,
            min_population=float(min_population),
            contiguity=contiguity,
            gap=int(gap),
            epsg=lattice.lattice.epsg,
            fictional=is_fictional(cells),
            notes=list(about.get("notes", [])),
        )
    return CandidateZones(zones, near, cells.assign(zone=zone))


def _require(min_population: object, contiguity: object, gap: object) -> None:
    problems: list[str] = []
    if (
        isinstance(min_population, bool)
        or not isinstance(min_population, int | float | np.number)
        or not 0 <= min_population < np.inf
    ):
        problems.append(Note("designation.bad_minimum", value=repr(min_population)))
    if contiguity not in ("queen", "rook"):
        problems.append(Note("designation.bad_contiguity", value=repr(contiguity)))
    if isinstance(gap, bool) or not isinstance(gap, int | np.integer) or gap < 0:
        problems.append(Note("designation.bad_gap", value=repr(gap)))
    if problems:
        raise UsageError(Note("designation.zones_options"), problems=problems)


def _labels(
    cells: pd.DataFrame, lattice: Cells, eligible: np.ndarray[Any, Any], contiguity: Contiguity, gap: int
) -> np.ndarray[Any, Any]:
    """Number of the connected zone of each eligible cell, unit by unit; -1 for the others."""
    label = np.full(len(cells), -1, np.int64)
    used = 0
    units = cells["unit"].astype("object").where(cells["unit"].notna(), "")
    for rows in units[eligible].groupby(units[eligible]).indices.values():
        at = np.flatnonzero(eligible)[rows]
        part = Cells(lattice.lattice, lattice.north[at], lattice.east[at])
        label[at] = connected_zones(part, contiguity=contiguity, gap=gap) + used
        used = int(label[at].max()) + 1
    return label


def _summed(cells: pd.DataFrame, label: np.ndarray[Any, Any], size: int) -> pd.DataFrame:
    """Zones by label, whatever their people."""
    by = cells.groupby(label)
    people = cells["population"].astype("Float64")
    found = pd.DataFrame(
        {
            "unit": by["unit"].first(),
            "communes": by["communes"].agg(lambda lists: sorted({code for codes in lists for code in _codes(codes)})),
            "cells": by.size(),
            "population": people.groupby(label).sum(),
            "households": cells["households"].astype("Float64").groupby(label).sum(min_count=1),
        }
    )
    if "income_eur" in cells:
        weighted = (cells["income_eur"].astype("Float64") * people).groupby(label).sum(min_count=1)
        found["income_eur"] = weighted / people.where(cells["income_eur"].notna()).groupby(label).sum(min_count=1)
    if "poverty_rate" in cells:
        counted = cells["households"] if cells["households"].notna().any() else cells["population"]
        weight = counted.astype("Float64").where(cells["poverty_rate"].notna())
        poor = (cells["poverty_rate"].astype("Float64") * weight).groupby(label).sum(min_count=1)
        found["poverty_rate"] = poor / weight.groupby(label).sum(min_count=1)
    found["imputed_share"] = people.where(cells["basis"] == "imputed", 0.0).groupby(label).sum() / found["population"]
    found["area_km2"] = found["cells"] * size**2 / 1_000_000
    found["density_km2"] = found["population"] / found["area_km2"]
    return found


def _codes(communes: object) -> list[str]:
    if isinstance(communes, str):
        return [communes]
    return [str(code) for code in communes] if isinstance(communes, Iterable) else []


def _near_misses(cells: pd.DataFrame, summed: pd.DataFrame, min_population: float) -> pd.DataFrame:
    """Zones that are a little too small, and cells that are a little too rich."""
    people = summed["population"]
    small = summed[(people < min_population) & (people >= _NEAR_PEOPLE * min_population)]
    zones = small.assign(kind="people", short_by=min_population - small["population"])
    margin = cells["margin"].astype("Float64")
    near = ((margin >= 0) & (margin <= _NEAR_INCOME) & (cells["state"] == "above threshold")).fillna(value=False)
    if "income_eur" in cells and cells["income_eur"].isna().all():
        # a margin of a rate is in points of poverty
        near = ((margin > 0) & (margin <= _NEAR_INCOME) & (cells["state"] == "above threshold")).fillna(value=False)
    rich = cells[near.to_numpy(bool)]
    single = pd.DataFrame(
        {
            "kind": "income",
            "unit": rich["unit"],
            "communes": rich["communes"].map(_codes),
            "cells": 1,
            "population": rich["population"].astype("Float64"),
            "households": rich["households"].astype("Float64"),
            "income_eur": rich.get("income_eur", pd.NA),
            "short_by": rich["margin"].astype("Float64"),
        },
        index=rich.index,
    ).assign(cell_id=rich.index)
    columns = ["kind", "unit", "communes", "cells", "population", "households", "income_eur", "short_by", "cell_id"]
    parts = [part.reindex(columns=columns) for part in (zones, single) if len(part)]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return found.astype({"kind": "str"})


def outlines(lattice: Cells, zone: np.ndarray[Any, Any], inside: np.ndarray[Any, Any]) -> list[Any]:
    """Polygon of each zone along the lines of the lattice, in the order of their numbers."""
    corners = squares(Cells(lattice.lattice, lattice.north[inside], lattice.east[inside]))
    boxes = np.asarray(shapely.box(*corners.T))
    order = np.argsort(zone, kind="stable")
    groups = np.split(boxes[order], np.flatnonzero(np.diff(zone[order])) + 1) if len(order) else []
    return [shapely.coverage_union_all(group) for group in groups]


def require_zones(zones: object) -> CandidateZones:
    """Refuse what is not the result of `candidate_zones`."""
    if not isinstance(zones, CandidateZones):
        raise DataError(
            Note("designation.not_zones", kind=type(zones).__name__), way_out=Note("designation.zones_way_out")
        )
    return zones
