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
from qpvgeo.designation.eligibility import moved
from qpvgeo.designation.input_checks import minimum_problems, require_cells
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.geometry.insee_lattice import Cells, parse_ids, squares
from qpvgeo.language import Note

__all__ = [
    "NEEDED",
    "CandidateZones",
    "Enough",
    "candidate_zones",
    "candidates_if",
    "outlines",
    "require_zones",
    "zone_problems",
]

NEEDED = (
    "eligible",
    "unit",
    "state",
    "population",
    "households",
    "margin",
    "basis",
    "communes",
    "income_eur",
    "threshold_eur",
    "poverty_rate",
)
_LONGEST_GAP = 1_000
_NEAR_PEOPLE = 0.8
_NEAR_INCOME = 0.05
_NEAR_COLUMNS = [
    "kind", "unit", "communes", "cells", "population", "households", "income_eur", "short_by", "cell_id", "zone",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class CandidateZones:
    """Zones of eligible cells.

    Attributes
    ----------
    zones
        Candidates: a row per connected zone with enough people, on `zone` (from 1, the most people first).
    near_misses
        What comes near, or passes narrowly, by `kind`:

        - `"people"`: a zone with at least 80 % of the people required; `short_by` is how many are missing;
        - `"income"`: a cell that a threshold 5 % higher would make eligible; `cell_id`, and `short_by` is its margin;
        - `"threshold"`: a zone that a threshold 5 % higher would make, apart from the candidates; `short_by` is the
          greatest margin of its cells;
        - `"narrow cell"`: an eligible cell that a threshold 5 % lower would leave out; `short_by` is its margin,
          negative;
        - `"narrow zone"`: a candidate none of whose cells would be in a candidate if the threshold were 5 % lower;
          `zone` is its number.

        Of rates of poverty, the required rate is divided by 1.05 or 0.95, and margins are in points.
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
        - `imputed_share`: share of the people in imputed cells, of those whose cell says; missing where none does;
        - `area_km2`, `density_km2`: area of the cells, and people over it;
        - `narrow`: whether the zone would vanish if the threshold were 5 % lower;
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
    if problems := zone_problems(min_population, contiguity, gap):
        raise UsageError(Note("designation.zones_options"), problems=problems)
    lattice = require_cells(cells, NEEDED)
    eligible = cells["eligible"].fillna(value=False).to_numpy(bool)
    label = _labels(cells, lattice, eligible, contiguity, gap)
    summed = _summed(cells[eligible], label[eligible], lattice.lattice.size)
    enough = Enough(float(min_population), provenance(cells).get("min_density_km2"))
    kept = summed[enough(summed)].sort_values("population", ascending=False, kind="stable")
    number = pd.Series(np.arange(1, len(kept) + 1), index=kept.index)
    zone = pd.Series(pd.array(label, "Int64"), index=cells.index).map(number).astype("Int64")
    zones = kept.set_index(pd.Index(number.to_numpy(), name="zone"))
    numbered = cells.assign(zone=zone)
    higher, lower = (
        candidates_if(numbered, lattice, factor, enough, contiguity=contiguity, gap=gap)
        for factor in (1 + _NEAR_INCOME, 1 - _NEAR_INCOME)
    )
    held = numbered.loc[lower[1], "zone"].dropna()
    zones["narrow"] = ~zones.index.isin(held)
    about = provenance(cells)
    if geometry:
        inside = zone.notna().to_numpy()
        zones = gpd.GeoDataFrame(
            zones, geometry=outlines(lattice, zone[inside].astype(int).to_numpy(), inside), crs=lattice.lattice.epsg
        )
    near = _near_misses(numbered, zones, summed, higher, enough)
    details = {
        key: about[key]
        for key in ("regime", "article", "proxy", "calibration", "national_median", "set_aside")
        if key in about
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
    return CandidateZones(zones, near, numbered)


@dataclass(frozen=True, slots=True)
class Enough:
    """Which zones have the people, and the density where one is asked, of a candidate."""

    people: float
    density_km2: float | None

    def __call__(self, summed: pd.DataFrame) -> pd.Series:
        """Tell which zones, of their `population` and `density_km2`."""
        # a sum of tenths may be short of a whole by its last digit
        found = summed["population"].round(6) >= self.people
        return found if self.density_km2 is None else found & (summed["density_km2"] >= self.density_km2)


def candidates_if(
    cells: pd.DataFrame, lattice: Cells, factor: float, enough: Enough, *, contiguity: Contiguity, gap: int
) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Cells by a threshold that is multiplied, with the `label` of their zone, and which of them are in a candidate."""
    other = moved(cells, factor)
    eligible = other["eligible"].fillna(value=False).to_numpy(bool)
    label = _labels(other, lattice, eligible, contiguity, gap)
    size = np.bincount(label[eligible])
    people = np.bincount(
        label[eligible], other["population"].astype("Float64").to_numpy(np.float64, na_value=0)[eligible]
    )
    sums = pd.DataFrame({"population": people, "density_km2": people / (size * lattice.lattice.size**2 / 1_000_000)})
    return other.assign(label=label), eligible & np.append(enough(sums).to_numpy(bool), values=False)[label]


def zone_problems(min_population: object = 0, contiguity: object = "queen", gap: object = 0) -> list[Note]:
    """What is wrong with the options of zones."""
    problems = minimum_problems(min_population)
    if contiguity not in ("queen", "rook"):
        problems.append(Note("designation.bad_contiguity", value=repr(contiguity)))
    if isinstance(gap, bool) or not isinstance(gap, int | np.integer) or not 0 <= gap <= _LONGEST_GAP:
        problems.append(Note("designation.bad_gap", value=repr(gap), most=_LONGEST_GAP))
    return problems


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
    said = people.where(cells["basis"] != "not known")
    imputed = people.where(cells["basis"] == "imputed", 0.0).groupby(label).sum()
    found["imputed_share"] = imputed / said.groupby(label).sum(min_count=1)
    found["area_km2"] = found["cells"] * size**2 / 1_000_000
    found["density_km2"] = found["population"] / found["area_km2"]
    return found


def _codes(communes: object) -> list[str]:
    if isinstance(communes, str):
        return [communes]
    return [str(code) for code in communes] if isinstance(communes, Iterable) else []


def _near_misses(
    cells: pd.DataFrame,
    zones: pd.DataFrame,
    summed: pd.DataFrame,
    higher: tuple[pd.DataFrame, np.ndarray[Any, Any]],
    enough: Enough,
) -> pd.DataFrame:
    """Zones and cells that a little more people or income would turn, and those that a little less would."""
    people = summed["population"].round(6)
    small = summed[(people < enough.people) & (people >= _NEAR_PEOPLE * enough.people)]
    passed = zones[zones["narrow"].to_numpy(bool)]
    eligible = cells["eligible"].fillna(value=False).to_numpy(bool)
    above = higher[0]["eligible"].fillna(value=False).to_numpy(bool) & ~eligible
    below = eligible & ~moved(cells, 1 - _NEAR_INCOME)["eligible"].fillna(value=False).to_numpy(bool)
    parts = [
        small.assign(kind="people", short_by=enough.people - small["population"]),
        _single(cells[above], "income"),
        _would_be(cells, *higher),
        _single(cells[below], "narrow cell"),
        passed.assign(kind="narrow zone", zone=passed.index),
    ]
    held = [part.reindex(columns=_NEAR_COLUMNS) for part in parts if len(part)]
    found = pd.concat(held, ignore_index=True) if held else pd.DataFrame(columns=_NEAR_COLUMNS)
    return found.astype({"kind": "str", "zone": "Int64"})


def _single(cells: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows of single cells."""
    return pd.DataFrame(
        {
            "kind": kind,
            "unit": cells["unit"],
            "communes": cells["communes"].map(_codes),
            "cells": 1,
            "population": cells["population"].astype("Float64"),
            "households": cells["households"].astype("Float64"),
            "income_eur": cells.get("income_eur", pd.NA),
            "short_by": cells["margin"].astype("Float64"),
            "cell_id": cells.index,
        },
        index=cells.index,
    )


def _would_be(cells: pd.DataFrame, other: pd.DataFrame, inside: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Zones that a higher threshold would make, apart from the candidates."""
    label = other["label"].to_numpy()
    grown = np.unique(label[inside & cells["zone"].notna().to_numpy()])
    fresh = inside & ~np.isin(label, grown)
    if not fresh.any():
        return pd.DataFrame()
    part = cells[fresh]
    found = _summed(part, label[fresh], parse_ids(cells.index[:1]).lattice.size)
    return found.assign(kind="threshold", short_by=part["margin"].astype("Float64").groupby(label[fresh]).max())


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
