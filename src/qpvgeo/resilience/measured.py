"""People of areas on the cells of a grid: those that a layer reaches, those that it does not, between bounds.

People are spread evenly over a cell. Of a cell that a boundary cuts, none or all may live on either side: these are the
bounds, and the share by area is the estimate. What a layer does not cover is in neither count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.insee_lattice import Cells, locate, parse_ids
from qpvgeo.geometry.projection import reproject, territory_of
from qpvgeo.language import Note

__all__ = [
    "Floats",
    "Measured",
    "People",
    "Reach",
    "Shapes",
    "areas_of",
    "ratio_of",
    "reach_of",
    "rest_of",
    "share_of",
    "total_of",
]

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]

_WHOLE = 1 - 1e-9
_SEGMENTS = 32
"""Segments of a quarter of the circle at a distance: short of it by 0.03 %."""


@dataclass(frozen=True, slots=True)
class People:
    """People of areas in something: the least, the estimate, the most, by area."""

    low: Floats
    estimate: Floats
    high: Floats
    touched: Floats
    """Cells touched."""


@dataclass(frozen=True, slots=True)
class Measured:
    """People of areas: all of them, those whom a layer reaches, and those of whom it says that it does not."""

    everyone: People
    exposed: People
    others: People


@dataclass(frozen=True, slots=True)
class Reach:
    """What a layer says on a grid.

    Attributes
    ----------
    lattice
        Cells of the grid.
    people
        People of each cell.
    measure
        Gives the people of areas, in the projection of the lattice.
    about
        What was settled on the way: threshold, column.
    mean
        Mean of a value over the people of areas; None for layers.
    """

    lattice: Cells
    people: Floats
    measure: Callable[[Shapes], Measured]
    about: dict[str, Any]
    mean: Callable[[Shapes], float | None] | None = None


def reach_of(  # noqa: PLR0913 - the forms of a layer, judged before
    layer: gpd.GeoDataFrame | str,
    grid: pd.DataFrame,
    *,
    within_m: float | None = None,
    above: float | None = None,
    below: float | None = None,
    quantile: float | None = None,
    covered: gpd.GeoDataFrame | str | None = None,
) -> Reach:
    """What a layer or a column says on a grid, once its options are judged."""
    lattice = parse_ids(grid.index)
    people = grid["population"].astype("Float64").fillna(0).to_numpy(np.float64)
    if isinstance(layer, str):
        value = grid[layer].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        threshold = float(below) if below is not None else _threshold(value, people, above, quantile)
        with np.errstate(invalid="ignore"):
            reached = value <= threshold if below is not None else value >= threshold
        return Reach(
            lattice,
            people,
            lambda areas: _of_cells(areas, lattice, people, ~np.isnan(value), reached),
            {"column": layer, "threshold": threshold},
            lambda areas: _mean(areas, lattice, people, value),
        )
    zone = _zone(layer, lattice, within_m)
    extent = _extent(covered, zone, lattice, within_m)
    return Reach(
        lattice, people, lambda areas: _of_zone(areas, lattice, people, zone, extent), {"extent_given": extent is None}
    )


def areas_of(layer: gpd.GeoDataFrame, lattice: Cells) -> Shapes:
    """Shapes of a layer in the projection of the lattice, made valid there."""
    shapes = layer.geometry.to_crs(lattice.lattice.epsg).to_numpy()
    return np.asarray(shapely.make_valid(shapes), dtype=object)


def _polygonal(shapes: Shapes) -> Shapes:
    """Areas of shapes: lines and points that an intersection leaves are dropped."""
    return np.array(
        [
            shape
            if shape is None or shape.geom_type in ("Polygon", "MultiPolygon")
            else shapely.union_all(shapely.get_parts(shape)[shapely.get_dimensions(shapely.get_parts(shape)) == 2])
            for shape in shapes
        ],
        dtype=object,
    )


def rest_of(around: gpd.GeoDataFrame, inside: Shapes, lattice: Cells) -> Shapes:
    """What the areas around hold beside the QPV, as one shape."""
    whole = shapely.union_all(areas_of(around, lattice))
    return np.array([shapely.difference(whole, shapely.union_all(inside))], dtype=object)


def _zone(layer: gpd.GeoDataFrame, lattice: Cells, within_m: float | None) -> Any:  # noqa: ANN401 - a shape
    if within_m is None:
        shapes = areas_of(layer, lattice)
        return shapely.union_all(shapes[~shapely.is_missing(shapes)])
    drawn = layer.geometry[layer.geometry.notna() & ~layer.geometry.is_empty]
    half = lattice.lattice.size / 2
    here = np.asarray(shapely.points(lattice.east[:1] + half, lattice.north[:1] + half))
    place = next((one for one in territory_of(here, lattice.lattice.epsg) if one is not None), None)
    # distances are those of the legal projection of the grid, whatever else the layer holds
    legal = territories.get(place).epsg if place is not None else lattice.lattice.epsg
    shapes = drawn.to_crs(legal).to_numpy()
    shapes = shapes[np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    near = shapely.buffer(shapes, within_m, quad_segs=_SEGMENTS)
    return shapely.union_all(reproject(near, legal, lattice.lattice.epsg))


def _extent(covered: gpd.GeoDataFrame | str | None, zone: Any, lattice: Cells, within_m: float | None) -> Any:  # noqa: ANN401
    """Area for which the layer says something; None for everywhere."""
    if isinstance(covered, gpd.GeoDataFrame):
        return shapely.union_all([*areas_of(covered, lattice), zone])
    return None if covered == "everywhere" or within_m is not None else zone


def _counted(areas: Shapes, lattice: Cells, people: Floats) -> People:
    """People of areas from whole cells, by area of cells, and of all cells touched."""
    found = cover(gpd.GeoSeries(_polygonal(areas), crs=lattice.lattice.epsg), lattice.lattice)
    at = locate(Cells(lattice.lattice, found.cells.north, found.cells.east), lattice)
    known = at >= 0
    owner, share, here = found.area[known], found.share[known], people[at[known]]
    count = len(areas)
    weights = (here * (share >= _WHOLE), here * share, here, np.ones(len(here)))
    return People(*(np.bincount(owner, weight, count).astype(np.float64) for weight in weights))


def _of_zone(
    areas: Shapes,
    lattice: Cells,
    people: Floats,
    zone: Any,  # noqa: ANN401
    extent: Any,  # noqa: ANN401
) -> Measured:
    """People of areas, those in the zone, and those of whom the layer says that they are not."""
    everyone = _counted(areas, lattice, people)
    exposed = _counted(shapely.intersection(areas, zone), lattice, people)
    covered = areas if extent is None else shapely.intersection(areas, extent)
    others = _counted(shapely.difference(covered, zone), lattice, people)
    return Measured(everyone, exposed, others)


def _of_cells(
    areas: Shapes, lattice: Cells, people: Floats, known: npt.NDArray[np.bool_], reached: npt.NDArray[np.bool_]
) -> Measured:
    """The same for cells whose value reaches a threshold."""
    parts = (people, people * reached, people * (known & ~reached))
    return Measured(*(_counted(areas, lattice, part) for part in parts))


def _threshold(value: Floats, people: Floats, above: float | None, quantile: float | None) -> float:
    """Value given, or that from which on the people of the grid beyond the quantile live."""
    if above is not None:
        return float(above)
    known = ~np.isnan(value) & (people > 0)
    if not known.any():
        raise DataError(Note("resilience.no_values"))
    order = np.argsort(value[known], kind="stable")
    reached = np.cumsum(people[known][order])
    at = int(np.searchsorted(reached, float(quantile or 0) * reached[-1], side="right"))
    return float(value[known][order][min(at, len(order) - 1)])


def _mean(areas: Shapes, lattice: Cells, people: Floats, value: Floats) -> float | None:
    """Mean of a value over the people of areas, weighted by their estimate."""
    known = ~np.isnan(value)
    weight = _counted(areas, lattice, people * known).estimate.sum()
    total = _counted(areas, lattice, np.where(known, people * np.nan_to_num(value), 0)).estimate.sum()
    return float(total / weight) if weight else None


def share_of(exposed: People, others: People) -> tuple[Floats, Floats, Floats]:
    """Share of the people for whom the layer says something who are exposed, with its bounds."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share, low, high = (
            np.where(one + other > 0, one / (one + other), np.nan)
            for one, other in (
                (exposed.estimate, others.estimate),
                (exposed.low, others.high),
                (exposed.high, others.low),
            )
        )
    return share, np.fmin(low, share), np.fmax(high, share)


def total_of(exposed: People, others: People) -> dict[str, float | None]:
    """Share over all areas, with its bounds."""
    summed = [
        People(*(np.array([part.sum()]) for part in (one.low, one.estimate, one.high, one.touched)))
        for one in (exposed, others)
    ]
    values = [float(value[0]) for value in share_of(*summed)]
    return {
        name: None if np.isnan(value) else value
        for name, value in zip(("estimate", "low", "high"), values, strict=True)
    }


def ratio_of(inside: dict[str, float | None], outside: dict[str, float | None]) -> dict[str, float | None]:
    """One share over another, with the bounds that theirs allow."""

    def over(one: float | None, other: float | None) -> float | None:
        return None if one is None or not other else one / other

    return {
        "estimate": over(inside["estimate"], outside["estimate"]),
        "low": over(inside["low"], outside["high"]),
        "high": over(inside["high"], outside["low"]),
    }
