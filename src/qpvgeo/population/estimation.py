"""Who lives in any perimeter, from the income grid, with bounds that are always true.

A cell wholly inside counts whole, a cell outside does not count, and a cell that the limit crosses is shared out by one
of the methods below. Whatever the method, the people of the cells wholly inside are a lower bound and those of all the
cells touched an upper bound of the people of the grid who live inside.

The grid counts persons in fiscal households: about 6 to 8 % fewer than the municipal population, and more in places
with residences and shelters. Rates are ratios of sums, never means of the rates of cells. The grid holds a winsorised
sum of living standards: it gives a mean, and no median can be computed from it.

Source of the values: Insee, Filosofi gridded data; method of the upper bound: Insee's own demonstration function
(insee.fr/fr/statistiques/4176290), which says that it overestimates.
"""

from typing import Any, Literal, get_args

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import forms, provenance, require
from qpvgeo.geometry.cell_cover import Cover, cover
from qpvgeo.geometry.insee_lattice import Cells, Lattice, locate
from qpvgeo.geometry.outline_repair import mended
from qpvgeo.geometry.projection import require_in_france
from qpvgeo.language import Note
from qpvgeo.population import raking
from qpvgeo.population.cell_shares import WEIGHT, cell_shares, weight_of
from qpvgeo.population.grid_columns import Columns, Measure, checked_cells, ranges, settled, values_of
from qpvgeo.population.reliability import FEW_HOUSEHOLDS, RATE_HOUSEHOLDS, RATE_PEOPLE, Warned

__all__ = ["ESTIMATE_COLUMNS", "FEW_HOUSEHOLDS", "RATE_HOUSEHOLDS", "WEIGHT", "Method", "estimate_population"]

Method = Literal["area", "centroid", "touching", "points", "constrained"]

ESTIMATE_COLUMNS = (
    "low",
    "estimate",
    "high",
    "households",
    "poor_households",
    "poverty_rate",
    "living_standard_mean_eur",
    "inside_share",
    "cells",
    "grid_share",
    "imputed_share",
    "reliability",
    "warnings",
)

_TAKEN = (*ESTIMATE_COLUMNS, "fallback_share", "target", "gap", "geometry")

_MOST = 0.5
_NEARLY_ALL = 0.95

Floats = npt.NDArray[np.float64]


@judged
def estimate_population(  # noqa: PLR0913 - what is estimated, how, and what comes back
    qpv: gpd.GeoDataFrame | gpd.GeoSeries,
    grid: pd.DataFrame,
    *,
    method: Method = "area",
    points: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    constraint: pd.Series | None = None,
    columns: Columns = (),
    geometry: bool = False,
) -> pd.DataFrame:
    """Estimate the people of perimeters from a grid, with bounds, poverty and living standard.

    Parameters
    ----------
    qpv
        Any polygons with a CRS: QPV, or a perimeter drawn in a notebook.
    grid
        Grid frame (`qpvgeo.read_grid`), of one territory.
    method
        How the people of a cell that the boundary crosses are shared out:

        - `area`: by area, as if they lived evenly over the cell; it underestimates dense estates at the edge.
        - `centroid`: all or nothing, by the centre of the cell.
        - `touching`: all of them, an upper bound (Insee's demonstration function).
        - `points`: by the share of the cell's points that lie inside; by area in cells without a point or whose points
          weigh nothing.
        - `constrained`: by area, then raked to the `constraint`.
    points
        Addresses, dwellings or buildings, with a CRS, for the method `points`; areas count by their centroid. Where
        the frame has a column `weight` (dwellings of a building, homes at an address), each counts as many times.
    constraint
        Published totals to meet, after any of the methods, by label of `qpv` or by commune code. By QPV, people are
        moved between the inside and the outside of the cells that boundaries cross, cells keeping their totals. By
        commune, the cells of each commune are scaled to its total.
    columns
        Other columns of the grid. Names are enough for the counts that Insee publishes, which are summed: ages
        (`ind_0_3`, ...), housing (`log_soc`, ...). For any other column, say how its values combine:
        `{"dogs": "sum", "surface_temperature": "mean"}`.

        - `sum`: a count, shared out as the people are.
        - `mean`: a value that describes a place, averaged over the people.
        - `mean_by_area`: the same, averaged over the area that lies in cells of the grid.
    geometry
        Return a GeoDataFrame with the outlines of `qpv`, in their CRS.

    Returns
    -------
    pandas.DataFrame
        On the index of `qpv`:

        - `low`, `estimate`, `high`: persons of the grid (cells wholly inside, the method, all cells touched);
          low <= estimate <= high.
        - `households`, `poor_households`.
        - `poverty_rate`: from 0 to 1, poor households over households.
        - `living_standard_mean_eur`: winsorised mean, euros a year by consumption unit.
        - the other columns: sums, or means with their bounds `<name>_low` and `<name>_high`, the least and the greatest
          value of the cells whose people (or area) may be inside.
        - `inside_share`: share of the area of the perimeter that lies in inhabited cells wholly inside.
        - `cells`: inhabited cells touched.
        - `grid_share`: share of the area of the perimeter that lies in cells of the grid.
        - `imputed_share`: share of the people estimated who live in cells whose values Insee imputed.
        - `fallback_share`, with `points`: share of the people estimated by area because the cell has no point.
        - `target` and `gap`, with a constraint by QPV: published total, and relative difference after raking.
        - `reliability`: warnings in words, empty if there are none.
        - `warnings`: the same warnings as a list of codes (`qpvgeo.population.reliability.WARNINGS`).

        Everything but `cells`, which is then 0, is missing where there is no grid: Guadeloupe, Guyane, Mayotte, the
        collectivities, and perimeters outside the extract given. A sum or a mean is missing when a value of one of its
        cells is. `attrs["qpvgeo"]` holds the sources, the measure of each of the `columns`, the convergence of the
        raking, notes that say which totals were not met and, as `points_weight`, the column that points were counted
        by, None when each counted once.

    Raises
    ------
    DataError
        The frame is not a grid, figures are negative or infinite, the CRS is missing or puts all areas outside France,
        the axes of areas or points are exchanged, points or totals are not usable: everything is listed.
    UsageError
        The areas are not a layer, the method does not exist or its points are missing, or it is not known whether a
        column is to be summed or averaged.

    Notes
    -----
    Rates and means are missing under 30 households (60 people where the grid has rates without households, which are
    then weighted by people). Parts of a partition add up to the whole, but with `touching`, which counts a crossed
    cell in each part, and with a constraint by perimeter. The grid counts fiscal households: raking it to municipal
    totals pulls in neighbours to fill the 6 to 8 % that are missing. By commune, a cell of several communes is shared
    out evenly between them.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> people = qg.estimate_population(qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019))
    >>> bool((people["low"] <= people["estimate"]).all() and (people["estimate"] <= people["high"]).all())
    True
    >>> grid = qg.read_grid(sample.grid_2019).assign(heat=35.0)
    >>> warm = qg.estimate_population(
    ...     qg.read_qpv(sample.qpv_2024), grid, columns={"ind_0_3": "sum", "heat": "mean"}
    ... )
    >>> float(warm["heat"].max()), float(warm["heat_high"].max())
    (35.0, 35.0)
    """
    _require_call(qpv, method, points, constraint)
    cells = checked_cells(grid)
    measures = settled(columns, grid, _TAKEN)
    shapes = mended(qpv)
    of_grid = _of_grid(shapes, require_in_france(qpv, name="qpv"), cells.lattice)
    found, at = _touched(of_grid, cells)
    weights, extra = cell_shares(method, found, shapes, points)
    people = values_of(grid, "population")[at]
    bounds = np.where(found.share == 1.0, people, 0.0), people
    told: dict[str, Any] = {}
    scale: Floats = np.ones(len(at))
    if constraint is not None:
        weights, scale, told = raking.apply(constraint, found, at, weights, grid, shapes.index)
        bounds = bounds[0] * scale, bounds[1] * scale

    sums = _Sums(found, at, weights * scale, grid)
    result = _figures(sums, bounds, found, by_people=forms.poverty_by_people(grid))
    for name, values in sums.measured(measures).items():
        result[name] = values
    result |= _shares(sums, found)
    frame = pd.DataFrame(result, index=shapes.index)
    if extra is not None:
        frame["fallback_share"] = _ratio(sums.of(people * extra), sums.column("population"))
    if "targets" in told:
        frame["target"] = told.pop("targets").to_numpy()
        frame["gap"] = (frame["estimate"] / frame["target"] - 1).where(frame["target"].notna())
    by_people = forms.poverty_by_people(grid)
    warned = _warned(frame, by_people=by_people)
    few = frame["estimate"] < RATE_PEOPLE if by_people else frame["households"] < RATE_HOUSEHOLDS
    frame.loc[few, ["poverty_rate", "living_standard_mean_eur"]] = np.nan
    _blank(frame, warned, shapes, of_grid)
    warned.write(frame)
    told["points_weight"] = None if points is None or weight_of(points) is None else WEIGHT
    _stamped(frame, qpv, grid, method, told | {"columns": measures})
    if not geometry:
        return frame
    drawn = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(qpv.geometry.array, index=frame.index, crs=qpv.crs))
    drawn.attrs = frame.attrs
    return drawn


def _require_call(qpv: Any, method: str, points: Any, constraint: Any) -> None:  # noqa: ANN401
    """Raise when the arguments do not go together."""
    if isinstance(qpv, shapely.Geometry):
        raise UsageError(Note("population.bare_shape"), way_out=Note("population.wrap_shape"))
    require.require_layer(qpv, name="qpv")
    if not isinstance(method, str) or method not in get_args(Method):
        raise UsageError(
            Note("population.no_method", method=repr(method)),
            way_out=Note("population.methods", methods=", ".join(get_args(Method))),
        )
    if (points is not None) != (method == "points"):
        raise UsageError(Note("population.points_and_method"), way_out=Note("population.call_with_points"))
    if points is not None:
        require.require_layer(points, name="points", points=True)
    if method == "constrained" and constraint is None:
        raise UsageError(Note("population.no_totals"), way_out=Note("population.call_with_totals"))


def _touched(of_grid: gpd.GeoSeries, cells: Cells) -> tuple[Cover, npt.NDArray[np.intp]]:
    """Inhabited cells that the perimeters cover, and their positions in the grid."""
    found = cover(of_grid, cells.lattice, sound=True)
    at = locate(found.cells, cells)
    known = np.flatnonzero(at >= 0)
    kept = Cells(cells.lattice, found.cells.north[known], found.cells.east[known])
    return Cover(found.area[known], kept, found.share[known], found.size_m2), at[known]


def _of_grid(shapes: gpd.GeoSeries, territory: npt.NDArray[np.object_], lattice: Lattice) -> gpd.GeoSeries:
    """Perimeters of the territory of the grid; the others are set missing, since it says nothing of them."""
    own = territories.of_grid(lattice.epsg)
    if own is None:
        return shapes
    return shapes.where(territory == own, None)


class _Sums:
    """Sums over the cells of each perimeter, weighted by the share that it gets."""

    def __init__(self, found: Cover, at: npt.NDArray[np.intp], weights: Floats, grid: pd.DataFrame) -> None:
        self._found, self._at, self._weights, self._grid = found, at, weights, grid
        self._number = len(found.size_m2)

    def of(self, values: Floats) -> Floats:
        """Weighted sum of values given by pair of perimeter and cell; a cell that gives nothing may have no value."""
        terms = np.where(self._weights > 0, self._weights * values, 0.0)
        return np.bincount(self._found.area, terms, self._number).astype(np.float64)

    def imputed(self) -> Floats:
        """Weighted sum of the people of the cells whose values are imputed; missing when the grid does not say."""
        return self.of((values_of(self._grid, "imputed") * values_of(self._grid, "population"))[self._at])

    def column(self, name: str) -> Floats:
        """Weighted sum of a column of the grid; missing when the grid does not have it."""
        return self.of(values_of(self._grid, name)[self._at])

    def measured(self, measures: dict[str, Measure]) -> dict[str, Floats]:
        """Sums of the counts, and means of the other columns with their bounds."""
        found: dict[str, Floats] = {}
        people = values_of(self._grid, "population")[self._at]
        for name, measure in measures.items():
            if measure == "sum":
                found[name] = self.column(name)
                continue
            values = values_of(self._grid, name)[self._at]
            if measure == "mean":
                held, weights = people > 0, self._weights * people
            else:
                held, weights = np.ones(len(values), bool), self._found.share
            least, most = ranges(self._found.area[held], values[held], self._number)
            terms = np.where(weights > 0, weights * values, 0.0)
            total = np.bincount(self._found.area, weights, self._number).astype(np.float64)
            mean = _ratio(np.bincount(self._found.area, terms, self._number).astype(np.float64), total)
            # a mean of equal values may leave them by the last bit
            found |= {name: np.clip(mean, least, most), f"{name}_low": least, f"{name}_high": most}
        return found


def _ratio(over: Floats, under: Floats) -> Floats:
    ratio: Floats = np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0)
    return ratio


def _figures(sums: _Sums, bounds: tuple[Floats, Floats], found: Cover, *, by_people: bool) -> dict[str, Floats]:
    """People with their bounds, households, poverty and living standard."""
    low, high = (np.bincount(found.area, values, len(found.size_m2)).astype(np.float64) for values in bounds)
    people, households, poor = (sums.column(name) for name in ("population", "households", "poor_households"))
    return {
        "low": low,
        # the bounds are sums of the same terms in another order: the last bit must not break them
        "estimate": np.clip(people, low, high),
        "high": high,
        "households": households,
        "poor_households": poor,
        "poverty_rate": _ratio(sums.column("poor_population"), people) if by_people else _ratio(poor, households),
        "living_standard_mean_eur": _ratio(sums.column("living_standard_sum_eur"), people),
    }


def _shares(sums: _Sums, found: Cover) -> dict[str, npt.NDArray[Any]]:
    """How much of each perimeter and of its people the estimate rests on."""
    number, cell_m2 = len(found.size_m2), float(found.cells.lattice.size**2)
    whole = np.bincount(found.area, np.where(found.share == 1.0, cell_m2, 0.0), number).astype(np.float64)
    known = np.bincount(found.area, found.share * cell_m2, number).astype(np.float64)
    return {
        "inside_share": _ratio(whole, found.size_m2),
        "cells": np.bincount(found.area, minlength=number),
        "grid_share": np.minimum(_ratio(known, found.size_m2), 1.0),
        "imputed_share": _ratio(sums.imputed(), sums.column("population")),
    }


def _warned(frame: pd.DataFrame, *, by_people: bool) -> Warned:
    """Warnings about each estimate."""
    size = frame["estimate"] if by_people else frame["households"]
    least = RATE_PEOPLE if by_people else RATE_HOUSEHOLDS
    few, share = size < FEW_HOUSEHOLDS, frame["grid_share"]
    warned = Warned(len(frame))
    warned.add("few_people" if by_people else "few_households", few)
    warned.add("rates_withheld_people" if by_people else "rates_withheld", ~few & (size < least))
    warned.add("mostly_imputed", frame["imputed_share"] > _MOST)
    warned.add("mostly_edge", frame["low"] < frame["estimate"] * _MOST)
    # uninhabited, or outside an extract: the grid does not tell the one from the other
    warned.add("mostly_no_cell", share < _MOST)
    warned.add("partly_no_cell", (share >= _MOST) & (share < _NEARLY_ALL))
    if "fallback_share" in frame.columns:
        warned.add("mostly_by_area", frame["fallback_share"] > _MOST)
    if "gap" in frame.columns:
        warned.add("total_not_met", frame["gap"].abs() > raking.TOLERANCE)
    return warned


def _blank(frame: pd.DataFrame, warned: Warned, shapes: gpd.GeoSeries, of_grid: gpd.GeoSeries) -> None:
    """Set figures missing where the grid has no cell, and warn why."""
    none = (frame["cells"] == 0).to_numpy()
    frame.loc[none, [name for name in frame.columns if name not in ("cells", "target")]] = np.nan
    drawn = ~(shapely.is_missing(shapes.to_numpy()) | shapely.is_empty(shapes.to_numpy()))
    here = ~shapely.is_missing(of_grid.to_numpy())
    warned.only("no_cell", none)
    warned.only("no_grid", none & ~here)
    warned.only("no_outline", none & ~drawn)


def _stamped(result: pd.DataFrame, qpv: Any, grid: pd.DataFrame, method: str, told: dict[str, Any]) -> pd.DataFrame:  # noqa: ANN401
    about = provenance.provenance(grid)
    provenance.stamp(
        result,
        [record for frame in (qpv, grid) for record in provenance.provenance(frame).get("files", [])],
        method=method,
        grid_vintage=about.get("vintage"),
        poverty_basis="population" if forms.poverty_by_people(grid) else "households",
        fictional=provenance.is_fictional(qpv, grid),
        notes=[*about.get("notes", []), *told.pop("notes", [])],
        **told,
    )
    return result
