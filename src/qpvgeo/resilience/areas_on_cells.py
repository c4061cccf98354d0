"""People of areas on the cells of a grid: those that a layer reaches, those that it does not, between bounds.

People are spread evenly over a cell. Of a cell that a boundary cuts, none or all may live on either side: these are the
bounds, and the share by area is the estimate. Those of whom a layer says nothing are in neither estimate, and in both
of the most that there may be.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.enclosed_cells import enclosed
from qpvgeo.geometry.insee_lattice import Cells, locate

__all__ = [
    "Flags",
    "Floats",
    "Ground",
    "Measure",
    "Measured",
    "People",
    "Shapes",
    "apart",
    "areas_of",
    "by_cells",
    "by_labels",
    "by_zone",
    "common",
    "ratio_of",
    "rest_of",
]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]

_WHOLE = 1 - 1e-9
_NONE = 1e-9
_AREA = 2


@dataclass(frozen=True, slots=True)
class People:
    """People of areas in something: the least, the estimate, the most, by area."""

    low: Floats
    estimate: Floats
    high: Floats
    touched: Floats
    """Cells touched."""
    beyond: Floats
    """Cells' worth of area beyond the grid: there the most is not known."""

    @property
    def most(self) -> Floats:
        """The most, without end where some live beyond the grid."""
        return np.where(self.beyond > 0, np.inf, self.high)


@dataclass(frozen=True, slots=True)
class Measured:
    """People of areas.

    Attributes
    ----------
    everyone
        All of them.
    exposed, others
        Those whom a layer reaches, and those of whom it says that it does not; the most of both hold those of whom it
        says nothing.
    sampled
        Those exposed where the layer also says who is not: what a share is made of.
    """

    everyone: People
    exposed: People
    others: People
    sampled: Floats

    @property
    def unsaid(self) -> Flags:
        """Areas in which the layer says nothing of anyone."""
        people = self.everyone.estimate
        return np.asarray((self.exposed.estimate + self.others.estimate <= _NONE * people) & (people > 0))

    @property
    def counted(self) -> "Measured":
        """The same of the people in the cells of the grid alone."""
        everyone, exposed, others = (
            replace(part, beyond=np.zeros_like(part.beyond)) for part in (self.everyone, self.exposed, self.others)
        )
        return Measured(everyone, exposed, others, self.sampled)

    @property
    def unknown(self) -> Floats:
        """People of whom the layer says nothing."""
        people = self.everyone.estimate
        rest = people - self.exposed.estimate - self.others.estimate
        return np.where(rest <= _NONE * people, 0, rest)

    def shares(self) -> tuple[Floats, Floats, Floats]:
        """Share of the people of whom the layer says something, with the bounds for all of them."""
        people, exposed, others = self.everyone.estimate, self.exposed.estimate, self.others.estimate
        # where nobody is left to know, what is known is no sample
        made_of = np.where(exposed + others >= _WHOLE * people, exposed, self.sampled)
        share = _part(made_of, others)
        low, high = _part(self.exposed.low, self.others.most), _part(self.exposed.most, self.others.low)
        return share, np.fmin(low, share), np.fmax(high, share)

    def total(self) -> dict[str, float | None]:
        """Share over all areas, of the people that the grid counts, with its bounds; None where it is not known."""
        everyone, exposed, others = (
            People(*(np.array([part.sum()]) for part in (one.low, one.estimate, one.high, one.touched, one.beyond)))
            for one in (self.everyone, self.exposed, self.others)
        )
        whole = Measured(everyone, exposed, others, np.array([self.sampled.sum()]))
        values = (float(value[0]) for value in whole.counted.shares())
        return {
            name: None if np.isnan(value) else value
            for name, value in zip(("estimate", "low", "high"), values, strict=True)
        }


def _part(one: Floats, other: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isinf(one), 1, np.where(one + other > 0, one / (one + other), np.nan))


Measure: TypeAlias = Callable[[Shapes], Measured]
"""Gives the people of areas, in the projection of the lattice."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Cells of a grid and their people, missing where the grid does not say."""

    lattice: Cells
    people: Floats

    def count(self, areas: Shapes, kept: Flags | None = None) -> People:
        """People of areas from whole cells, by area of cells, and of all cells touched; of some cells alone."""
        people = self.people if kept is None else np.where(kept, self.people, 0)
        found = cover(gpd.GeoSeries(areas, crs=self.lattice.lattice.epsg), self.lattice.lattice)
        at = locate(Cells(self.lattice.lattice, found.cells.north, found.cells.east), self.lattice)
        known = at >= 0
        owner, share, here = found.area[known], found.share[known], people[at[known]]
        count = len(areas)
        weights = (np.where(share >= _WHOLE, here, 0), here * share, here, np.ones(len(here)))
        bare = Cells(self.lattice.lattice, found.cells.north[~known], found.cells.east[~known])
        # an empty cell between others is uninhabited; one beyond them was perhaps not read
        beyond = np.bincount(found.area[~known], found.share[~known] * ~enclosed(bare, self.lattice), count)
        low, estimate, high, touched = (np.bincount(owner, one, count).astype(np.float64) for one in weights)
        return People(low, estimate, high, touched, beyond.astype(np.float64))

    def mean(self, areas: Shapes, value: Floats) -> float | None:
        """Mean of a value of the cells over the people of areas, weighted by their estimate."""
        known = ~np.isnan(value) & ~np.isnan(self.people)
        weight = self.count(areas, known).estimate.sum()
        weighted = Ground(self.lattice, self.people * np.nan_to_num(value)).count(areas, known).estimate.sum()
        return float(weighted / weight) if weight else None


def areas_of(layer: gpd.GeoDataFrame | gpd.GeoSeries, lattice: Cells) -> Shapes:
    """Shapes of a layer in the projection of the lattice, made valid there; None for those that have no place in it."""
    shapes = layer.geometry.to_crs(lattice.lattice.epsg).to_numpy().copy()
    shapes[~np.isfinite(shapely.bounds(shapes)).all(axis=1)] = None
    return _polygonal(shapely.make_valid(shapes))


def _polygonal(shapes: Shapes) -> Shapes:
    """Areas of shapes: lines and points that an intersection leaves are dropped."""
    return np.array(
        [
            shape if shape is None or shape.geom_type in ("Polygon", "MultiPolygon") else _areal(shape)
            for shape in shapes
        ],
        dtype=object,
    )


def _areal(shape: Any) -> Any:  # noqa: ANN401
    parts = shapely.get_parts(shape)
    return shapely.union_all([shapely.Polygon(), *parts[shapely.get_dimensions(parts) == _AREA]])


def common(areas: Shapes, shape: Any) -> Shapes:  # noqa: ANN401 - a shape, or one for each
    """Part of areas that lies in a shape."""
    return _polygonal(shapely.intersection(areas, shape))


def apart(areas: Shapes, shape: Any) -> Shapes:  # noqa: ANN401
    """Part of areas that lies outside of a shape."""
    return _polygonal(shapely.difference(areas, shape))


def rest_of(around: gpd.GeoDataFrame, inside: Shapes, lattice: Cells) -> Shapes:
    """What the areas around hold beside the QPV, as one shape."""
    return apart(np.array([shapely.union_all(areas_of(around, lattice))], dtype=object), shapely.union_all(inside))


def by_zone(ground: Ground, zone: Any, extent: Any, hidden: Any = None) -> Measure:  # noqa: ANN401 - shapes
    """People in a zone, and those who are known to be in none.

    Parameters
    ----------
    ground
        Cells and people.
    zone
        Where people are exposed.
    extent
        Where the layer also says who is not; None for everywhere, an empty shape for nowhere.
    hidden
        Part of that of which the layer says nothing.
    """

    def measure(areas: Shapes) -> Measured:
        everyone = ground.count(areas)
        reached = common(areas, zone)
        exposed = ground.count(reached)
        looked = areas if extent is None else common(areas, extent)
        looked = looked if hidden is None else apart(looked, hidden)
        spared = apart(looked, zone)
        others = ground.count(spared)
        if extent is None and hidden is None:
            return Measured(everyone, exposed, others, exposed.estimate)
        sampled = ground.count(common(reached, looked)).estimate
        most = ground.count(apart(areas, spared))
        not_reached = ground.count(apart(areas, zone))
        return Measured(
            everyone,
            replace(exposed, high=np.maximum(most.high, exposed.high), beyond=most.beyond),
            replace(others, high=np.maximum(not_reached.high, others.high), beyond=not_reached.beyond),
            sampled,
        )

    return measure


def by_cells(ground: Ground, known: Flags, reached: Flags) -> Measure:
    """People of the cells that are reached, and of those that are known not to be."""

    def measure(areas: Shapes) -> Measured:
        exposed, others = (ground.count(areas, known & cells) for cells in (reached, ~reached))
        return Measured(
            ground.count(areas),
            replace(exposed, high=ground.count(areas, ~known | reached).high),
            replace(others, high=ground.count(areas, ~known | ~reached).high),
            exposed.estimate,
        )

    return measure


def by_labels(ground: Ground, known: Flags, reached: Flags) -> Measure:
    """People of areas that are reached as a whole, or known not to be; the areas are those of the flags, in order."""

    def measure(areas: Shapes) -> Measured:
        everyone = ground.count(areas)

        def of(sure: Flags, maybe: Flags) -> People:
            low, estimate = (np.where(sure, people, 0) for people in (everyone.low, everyone.estimate))
            high, beyond = (np.where(maybe, people, 0) for people in (everyone.high, everyone.beyond))
            return People(low, estimate, high, everyone.touched, beyond)

        exposed = of(known & reached, ~known | reached)
        return Measured(everyone, exposed, of(known & ~reached, ~known | ~reached), exposed.estimate)

    return measure


def ratio_of(inside: Any, outside: Any) -> dict[str, Any]:  # noqa: ANN401 - numbers by name, or columns
    """Shares over others, with the bounds that theirs allow; missing over 0 and over what is not known."""
    pairs = {"estimate": ("estimate", "estimate"), "low": ("low", "high"), "high": ("high", "low")}
    return {name: _over(inside[one], outside[other]) for name, (one, other) in pairs.items()}


def _over(one: Any, other: Any) -> Any:  # noqa: ANN401
    if isinstance(other, pd.Series):
        return one / other.where(other > 0)
    return None if one is None or not other else one / other
