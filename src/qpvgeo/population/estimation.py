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

from collections.abc import Sequence
from typing import Any, Literal, get_args

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import forms, provenance, require
from qpvgeo.geometry.cell_cover import Cover, cover
from qpvgeo.geometry.insee_lattice import Cells, Lattice, centroids, locate, parse_ids
from qpvgeo.geometry.projection import reproject, require_axes, territory_of
from qpvgeo.geometry.validity import mended
from qpvgeo.population import raking

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
)

FEW_HOUSEHOLDS = 11
"""Under this many households Insee publishes nothing: an estimate that small says so."""

RATE_HOUSEHOLDS = 30
"""Under this many households rates and means are not given."""

WEIGHT = "weight"
"""Column of a layer of points that says how many times each counts."""

_NUDGE_M = (1.1e-4, 0.7e-4)

RATE_PEOPLE = 60
"""The same where a grid gives rates without households: about as many people."""

_MOST = 0.5
_NEARLY_ALL = 0.95

Floats = npt.NDArray[np.float64]


def estimate_population(
    qpv: gpd.GeoDataFrame | gpd.GeoSeries,
    grid: pd.DataFrame,
    *,
    method: Method = "area",
    points: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    constraint: pd.Series | None = None,
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """Estimate the people of perimeters from a grid, with bounds, poverty and living standard.

    Parameters
    ----------
    qpv
        Any polygons with a CRS: QPV, or a perimeter drawn in a notebook.
    grid
        Grid frame (`qpvgeo.read_grid`), of one territory.
    method
        How the people of a cell that the limit crosses are shared out. `area`: by area, as if they lived evenly over
        the cell; it underestimates dense estates at the edge. `centroid`: all or nothing, by the middle of the cell.
        `touching`: all, an upper bound (Insee's demonstration function). `points`: by the share of the cell's points
        that lie inside, by area in cells without a point or whose points weigh nothing. `constrained`: by area, then
        raked to the `constraint`.
    points
        Addresses, dwellings or buildings, with a CRS, for the method `points`; areas count by their centroid. Where
        the frame has a column `weight` (dwellings of a building, homes at an address), each counts as many times.
    constraint
        Published totals to meet, after any of the methods, by label of `qpv` or by commune code. By QPV, people are
        moved between the inside and the outside of the cells that limits cross, cells keeping their totals. By
        commune, the cells of each commune are scaled to its total.
    columns
        Other columns of the grid to sum: ages (`ind_0_3`, ...), housing (`log_soc`, ...).

    Returns
    -------
    pandas.DataFrame
        On the index of `qpv`: `low`, `estimate`, `high` (persons of the grid: cells wholly inside, the method, all
        cells touched; low <= estimate <= high), `households`, `poor_households`, `poverty_rate` (0 to 1, poor
        households over households), `living_standard_mean_eur` (winsorised mean, euros a year by consumption unit),
        the columns asked for (sums), `inside_share` (of the area of the perimeter that lies in inhabited cells wholly
        inside), `cells` (touched and inhabited), `imputed_share` (of the people estimated, in cells whose values Insee
        imputed), `reliability` (text: what to be wary of, empty when nothing). With `points`, also `fallback_share`
        (of the people estimated, shared out by area for want of a point). With a constraint by QPV, also `target` and
        `gap` (relative, after raking). Everything but `cells`, which is then 0, is missing where there is no grid:
        Guadeloupe, Guyane, Mayotte, the collectivities, and perimeters outside the extract given.
        `attrs["qpvgeo"]` holds the sources, the convergence of the raking and, as `points_weight`, the column that
        points were counted by, None when each counted once.

    Raises
    ------
    DataError
        The frame is no grid, the CRS is missing, the axes of areas or points are exchanged, points or totals are not
        usable: everything is listed.
    UsageError
        The method does not exist, or lacks its points.

    Notes
    -----
    Rates and means are missing under 30 households (60 people where the grid has rates without households, which are
    then weighted by people). Parts of a partition add up to the whole, but with `touching`, which counts a crossed
    cell in each part, and with a constraint by perimeter. The grid counts fiscal households: raking it to municipal
    totals pulls in neighbours to fill the 6 to 8 % that it lacks. By commune, a cell of several communes is shared out
    evenly between them.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> people = qg.estimate_population(qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019))
    >>> bool((people["low"] <= people["estimate"]).all() and (people["estimate"] <= people["high"]).all())
    True
    """
    if isinstance(qpv, shapely.Geometry):
        raise UsageError(
            "A bare shape does not say its projection.", way_out="Wrap it: geopandas.GeoSeries([shape], crs=2154)."
        )
    _require_call(method, points, constraint, grid, columns)
    shapes = mended(qpv)
    require_axes(qpv, name="qpv", what="areas")
    cells = parse_ids(grid.index)
    found, at = _touched(shapes, cells)
    weights, extra = _weights(method, found, shapes, points)
    people = grid["population"].to_numpy(dtype=float)[at]
    low_high = np.where(found.share == 1.0, people, 0.0), people
    notes: dict[str, Any] = {}
    scale: Floats = np.ones(len(at))
    if constraint is not None:
        weights, scale, notes = raking.apply(constraint, found, at, weights, grid, shapes.index)
        low_high = low_high[0] * scale, low_high[1] * scale

    sums = _Sums(found, at, weights * scale, grid)
    result = _results(sums, low_high, found, grid, columns, len(shapes))
    result.index = shapes.index
    if extra is not None:
        result["fallback_share"] = _ratio(sums.of(people * extra), sums.column("population"))
        _add(result, result["fallback_share"] > _MOST, "mostly by area, for want of points")
    if "targets" in notes:
        targets = notes.pop("targets")
        result["target"] = targets.to_numpy()
        result["gap"] = (result["estimate"] / result["target"] - 1).where(result["target"].notna())
    _blank(result, shapes, cells.lattice)
    notes["points_weight"] = None if points is None or _weight_of(points) is None else WEIGHT
    return _stamped(result, qpv, grid, method, notes)


def _require_call(
    method: str,
    points: Any,  # noqa: ANN401
    constraint: pd.Series | None,
    grid: pd.DataFrame,
    columns: Sequence[str],
) -> None:
    if method not in get_args(Method):
        raise UsageError(f"There is no method {method!r}.", way_out=f"Methods: {', '.join(get_args(Method))}.")
    if (points is not None) != (method == "points"):
        raise UsageError(
            "The method `points` and the layer of points go together.",
            way_out='estimate_population(qpv, grid, method="points", points=addresses)',
        )
    way_out = "Make it with qpvgeo.read_grid()."
    if method == "constrained" and constraint is None:
        raise UsageError(
            "The method `constrained` needs totals to meet.",
            way_out='estimate_population(qpv, grid, method="constrained", constraint=published["population"])',
        )
    require.require_columns(grid, ["population", *columns], what="The grid", way_out=way_out)
    require.require_unique_cells(grid)
    taken = [name for name in columns if name in ESTIMATE_COLUMNS or not pd.api.types.is_numeric_dtype(grid[name])]
    if isinstance(columns, str) or taken:
        raise UsageError(
            "These columns cannot be summed.",
            problems=[f"{name!r} is a result or no number" for name in taken],
            way_out="Give a list of numeric columns of the grid, such as ['ind_0_3', 'log_soc'].",
        )


def _touched(shapes: gpd.GeoSeries, cells: Cells) -> tuple[Cover, npt.NDArray[np.intp]]:
    """Inhabited cells that the perimeters cover, and their positions in the grid."""
    found = cover(_of_grid(shapes, cells.lattice), cells.lattice)
    at = locate(found.cells, cells)
    known = np.flatnonzero(at >= 0)
    kept = Cells(cells.lattice, found.cells.north[known], found.cells.east[known])
    return Cover(found.area[known], kept, found.share[known], found.size_m2), at[known]


def _of_grid(shapes: gpd.GeoSeries, lattice: Lattice) -> gpd.GeoSeries:
    """Perimeters of the territory of the grid; the others are set missing, since it says nothing of them."""
    own = territories.of_grid(lattice.epsg)
    if own is None:
        return shapes
    return shapes.where(territory_of(shapes.to_numpy(), shapes.crs) == own, None)


def _weights(
    method: str,
    found: Cover,
    shapes: gpd.GeoSeries,
    points: Any,  # noqa: ANN401
) -> tuple[Floats, Floats | None]:
    """Share of the people of each cell that each perimeter gets; for `points`, where area stood in for them."""
    if method in ("area", "constrained"):
        return found.share, None
    if method == "touching":
        return np.ones(len(found.share)), None
    if method == "centroid":
        inside = _covers(shapes, found, centroids(found.cells))
        return np.where(found.share == 1.0, 1.0, inside), None
    return _by_points(found, shapes, points)


def _covers(shapes: gpd.GeoSeries, found: Cover, middle: Floats) -> Floats:
    """Whether each perimeter holds the point given for each of its cells, in the projection it is drawn in."""
    x, y = _nudged(middle[:, 0], middle[:, 1], found.cells.lattice.epsg, shapes.crs)
    areas = shapes.to_numpy()
    shapely.prepare(areas)
    return np.asarray(shapely.intersects_xy(areas[found.area], x, y), dtype=float)


def _nudged(x: Floats, y: Floats, source: Any, target: Any) -> tuple[Floats, Floats]:  # noqa: ANN401
    """Coordinates in the projection of the perimeters, a tenth of a millimetre off.

    A point exactly on a limit would count on both sides of it, and the parts of a partition exceed the whole: all are
    moved alike, so that each lies on one side.
    """
    move = pyproj.Transformer.from_crs(source, target, always_xy=True).transform
    return move(np.asarray(x) + _NUDGE_M[0], np.asarray(y) + _NUDGE_M[1])


def _by_points(found: Cover, shapes: gpd.GeoSeries, points: Any) -> tuple[Floats, Floats]:  # noqa: ANN401
    """Share of the points of each cell that lie in each perimeter; by area where the cell has none."""
    if points.crs is None:
        raise DataError("The points have no CRS.", way_out="Set it with `.set_crs(...)`.")
    require_axes(points, name="points", what="points")
    lattice, size = found.cells.lattice, found.cells.lattice.size
    places, weight = points.geometry.to_numpy(), _weight_of(points)
    drawn = ~(shapely.is_missing(places) | shapely.is_empty(places))
    places, weight = places[drawn], np.ones(int(drawn.sum())) if weight is None else weight[drawn]
    # the centroid is taken where the layer is drawn, then moved: a building is a few metres wide
    moved = reproject(shapely.centroid(places), points.crs, lattice.epsg)
    x, y = shapely.get_x(moved), shapely.get_y(moved)
    north, east = (
        np.floor((axis + shift) / size).astype(np.int64) * size for axis, shift in ((y, _NUDGE_M[1]), (x, _NUDGE_M[0]))
    )
    home = Cells(lattice, north, east)
    keys = np.unique(np.column_stack([found.cells.north, found.cells.east]), axis=0)
    known = Cells(lattice, keys[:, 0], keys[:, 1])
    cell, of_pair = locate(home, known), locate(found.cells, known)
    held = np.flatnonzero(cell >= 0)
    total = np.bincount(cell[held], weight[held], len(keys))[of_pair]

    at = shapely.points(*_nudged(x[held], y[held], lattice.epsg, shapes.crs))
    point, area = shapely.STRtree(shapes.to_numpy()).query(at, predicate="intersects")
    within = pd.MultiIndex.from_arrays([area, cell[held][point]])
    count = pd.Series(weight[held][point], index=within).groupby(level=[0, 1]).sum()
    pairs = pd.MultiIndex.from_arrays([found.area, of_pair])
    inside = count.reindex(pairs, fill_value=0.0).to_numpy() if len(count) else np.zeros(len(of_pair))
    # sums of weights in two orders: the last bit must not take more than all
    share = np.minimum(np.divide(inside, total, out=found.share.copy(), where=total > 0), 1.0)
    return np.where(found.share == 1.0, 1.0, share), ((total == 0) & (found.share < 1.0)).astype(float)


def _weight_of(points: Any) -> Floats | None:  # noqa: ANN401
    """How many times each point counts; None where the layer does not say it."""
    if not isinstance(points, pd.DataFrame) or WEIGHT not in points.columns:
        return None
    given = points[WEIGHT]
    weight: Floats = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(weight) | (weight < 0))
    if len(wrong):
        raise DataError(
            f"{len(wrong)} of {len(points)} points have no usable weight.",
            problems=[f"point {points.index[row]}: {given.iloc[row]!r}" for row in wrong],
            way_out=f"Give numbers from 0 up in the column {WEIGHT!r}, or rename it so that each point counts once.",
        )
    return weight


class _Sums:
    """Sums over the cells of each perimeter, weighted by the share that it gets."""

    def __init__(self, found: Cover, at: npt.NDArray[np.intp], weights: Floats, grid: pd.DataFrame) -> None:
        self._area, self._at, self._weights, self._grid = found.area, at, weights, grid
        self._number = len(found.size_m2)

    def of(self, values: Floats) -> Floats:
        """Weighted sum of values given by pair of perimeter and cell."""
        return np.bincount(self._area, self._weights * values, self._number).astype(np.float64)

    def imputed(self) -> Floats:
        """Weighted sum of the people of the cells whose values are imputed; missing when the grid does not say."""
        return self.of((self._values("imputed") * self._values("population"))[self._at])

    def _values(self, name: str) -> Floats:
        if name not in self._grid.columns:
            return np.full(len(self._grid), np.nan)
        values: Floats = self._grid[name].to_numpy(dtype=float, na_value=np.nan)
        return values

    def column(self, name: str) -> Floats:
        """Weighted sum of a column of the grid; missing when the grid does not have it."""
        return self.of(self._values(name)[self._at])


def _ratio(over: Floats, under: Floats) -> Floats:
    ratio: Floats = np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0)
    return ratio


def _results(
    sums: _Sums, bounds: tuple[Floats, Floats], found: Cover, grid: pd.DataFrame, columns: Sequence[str], number: int
) -> pd.DataFrame:
    low, high = (np.bincount(found.area, values, number) for values in bounds)
    people, households = sums.column("population"), sums.column("households")
    poor = sums.column("poor_households")
    by_people = forms.poverty_by_people(grid)
    rate = _ratio(sums.column("poor_population"), people) if by_people else _ratio(poor, households)
    result = pd.DataFrame(
        {
            "low": low,
            # the bounds are sums of the same terms in another order: the last bit must not break them
            "estimate": np.clip(people, low, high),
            "high": high,
            "households": households,
            "poor_households": poor,
            "poverty_rate": rate,
            "living_standard_mean_eur": _ratio(sums.column("living_standard_sum_eur"), people),
        }
    )
    for name in columns:
        result[name] = sums.column(name)
    whole = np.where(found.share == 1.0, float(found.cells.lattice.size**2), 0.0)
    result["inside_share"] = _ratio(np.bincount(found.area, whole, number).astype(np.float64), found.size_m2)
    result["cells"] = np.bincount(found.area, minlength=number)
    known = np.bincount(found.area, found.share * found.cells.lattice.size**2, number).astype(np.float64)
    result["grid_share"] = np.minimum(_ratio(known, found.size_m2), 1.0)
    result["imputed_share"] = _ratio(sums.imputed(), people)
    few = people < RATE_PEOPLE if by_people else households < RATE_HOUSEHOLDS
    result.loc[few, ["poverty_rate", "living_standard_mean_eur"]] = np.nan
    result["reliability"] = _reliability(result, by_people=by_people)
    return result


def _reliability(result: pd.DataFrame, *, by_people: bool) -> list[str]:
    """What to be wary of, in words."""
    size = result["estimate"] if by_people else result["households"]
    least = RATE_PEOPLE if by_people else RATE_HOUSEHOLDS
    few = (size < FEW_HOUSEHOLDS).to_numpy()
    unit = "people" if by_people else "households"
    share = result["grid_share"]
    reasons = {
        f"few {unit}": few,
        f"rates not given under {least} {unit}": ~few & (size < least).to_numpy(),
        "mostly imputed": (result["imputed_share"] > _MOST).to_numpy(),
        "mostly edge": (result["low"] < result["estimate"] * _MOST).to_numpy(),
        # uninhabited, or outside an extract: the grid does not tell the one from the other
        "mostly cells the grid does not have": (share < _MOST).to_numpy(),
        "partly cells the grid does not have": ((share >= _MOST) & (share < _NEARLY_ALL)).to_numpy(),
    }
    told = [""] * len(result)
    for words, holds in reasons.items():
        for row in np.flatnonzero(holds):
            told[row] = f"{told[row]}; {words}" if told[row] else words
    return told


def _add(result: pd.DataFrame, holds: pd.Series, words: str) -> None:
    """Add words to the reliability of some rows."""
    said = result.loc[holds, "reliability"]
    result.loc[holds, "reliability"] = said.map(lambda text: f"{text}; {words}" if text else words)


def _blank(result: pd.DataFrame, shapes: gpd.GeoSeries, lattice: Lattice) -> None:
    """Set missing what the grid says nothing of, and say why it does not."""
    none = (result["cells"] == 0).to_numpy()
    values = [column for column in result.columns if column not in ("cells", "reliability", "target")]
    result.loc[none, values] = np.nan
    drawn = ~(shapely.is_missing(shapes.to_numpy()) | shapely.is_empty(shapes.to_numpy()))
    here = ~shapely.is_missing(_of_grid(shapes, lattice).to_numpy())
    result.loc[none, "reliability"] = "no cell of the grid under it"
    result.loc[none & ~here, "reliability"] = "no grid"
    result.loc[none & ~drawn, "reliability"] = "no outline"


def _stamped(result: pd.DataFrame, qpv: Any, grid: pd.DataFrame, method: str, notes: dict[str, Any]) -> pd.DataFrame:  # noqa: ANN401
    about = provenance.provenance(grid)
    provenance.stamp(
        result,
        [record for frame in (qpv, grid) for record in provenance.provenance(frame).get("files", [])],
        method=method,
        grid_vintage=about.get("vintage"),
        poverty_basis="population" if forms.poverty_by_people(grid) else "households",
        fictional=provenance.is_fictional(qpv, grid),
        notes=about.get("notes", []),
        **notes,
    )
    return result
