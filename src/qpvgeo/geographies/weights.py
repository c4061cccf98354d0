"""What pairs of perimeters share beside area: people and households of a grid, points, published people."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.apportionment import repeated
from qpvgeo.geographies.crosswalk_layers import Pairs, Side, epsg_of
from qpvgeo.geographies.slivers import Uncovered
from qpvgeo.language import Note
from qpvgeo.population.estimation import estimate_population
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.points_in_qpv import tag_points

__all__ = ["Counted", "Weights", "area_of", "basis_of", "counted", "grids_of"]

Floats = npt.NDArray[np.float64]
Weights: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | pd.DataFrame | Sequence[pd.DataFrame] | pd.Series | None


class Counted(NamedTuple):
    """What is counted: in the pairs, in the whole of each perimeter of either side, and in its uncovered part."""

    pairs: Floats
    whole: tuple[Floats, Floats]
    left: tuple[Floats, Floats]


def area_of(pairs: Pairs, left: Sequence[Uncovered]) -> Counted:
    """Square metres."""
    one, other = pairs.one, pairs.other
    apart = [_remaining(pairs, side, pairs.area, side.area, _area(part)) for side, part in _both(pairs, left)]
    return Counted(pairs.area, (one.area, other.area), (apart[0], apart[1]))


def counted(pairs: Pairs, left: Sequence[Uncovered], weights: Any) -> dict[str, Counted]:  # noqa: ANN401
    """What is counted beside area, by column.

    Raises
    ------
    DataError
        Weights or people are not numbers.
    UsageError
        The weights are of no known form.
    """
    if weights is None:
        return {}
    if isinstance(weights, gpd.GeoDataFrame | gpd.GeoSeries):
        return {"points": _points(pairs, weights)}
    if isinstance(weights, pd.Series):
        return {"population": _published(pairs, left, weights)}
    if grids := grids_of(weights):
        return _grid(pairs, left, grids)
    raise UsageError(
        Note("geographies.weights_type", given=type(weights).__name__), way_out=Note("geographies.weights_type_way_out")
    )


def basis_of(weights: Any) -> str | None:  # noqa: ANN401
    """Name of a form of weights."""
    if weights is None:
        return None
    if isinstance(weights, gpd.GeoDataFrame | gpd.GeoSeries):
        return "points"
    return "published, by area" if isinstance(weights, pd.Series) else "grid, by area"


def grids_of(weights: Any) -> list[pd.DataFrame]:  # noqa: ANN401
    """Grids among the forms of weights; none where they are something else."""
    grids = [weights] if isinstance(weights, pd.DataFrame) else weights if isinstance(weights, list | tuple) else []
    grid = all(isinstance(one, pd.DataFrame) and {"population", "households"} <= set(one.columns) for one in grids)
    return list(grids) if grid and not isinstance(weights, gpd.GeoDataFrame) else []


def _both(pairs: Pairs, left: Sequence[Uncovered]) -> list[tuple[Side, Uncovered]]:
    return list(zip((pairs.one, pairs.other), left, strict=True))


def _area(left: Uncovered) -> Floats:
    """Area of what is uncovered, where it was cut; NaN elsewhere."""
    return np.array([np.nan if shape is None else shape.area for shape in left.shape], dtype=float)


def _remaining(pairs: Pairs, side: Side, held: Floats, whole: Floats, apart: Floats | None = None) -> Floats:
    """What pairs leave of each perimeter of a side; where others overlap on it, what was counted apart."""
    left: Floats = np.clip(whole - pairs.sums(side, held), 0.0, None)
    return left if apart is None else np.where(np.isnan(apart), left, apart)


def _grid(pairs: Pairs, left: Sequence[Uncovered], grids: Sequence[pd.DataFrame]) -> dict[str, Counted]:
    """People and households; a perimeter in which no grid has a cell has people that are not known, not zero."""
    one, other = pairs.one, pairs.other
    apart = [np.flatnonzero([shape is not None for shape in part.shape]) for part in left]
    shapes = [pairs.pieces(), one.outline, other.outline, *(p.shape[at] for p, at in zip(left, apart, strict=True))]
    place = [one.territory[pairs.left], one.territory, other.territory, one.territory[apart[0]]]
    estimates = _estimated(np.concatenate(shapes), np.concatenate([*place, other.territory[apart[1]]]), grids)
    ends = np.cumsum([len(part) for part in shapes])[:-1]
    found = {}
    for name, column in (("population", "estimate"), ("households", "households")):
        shared, whole_one, whole_other, *beyond = np.split(estimates[column].to_numpy(dtype=float), ends)
        blank = np.isnan(whole_one[pairs.left]) & np.isnan(whole_other[pairs.right])
        held = np.where(blank, np.nan, np.nan_to_num(shared))
        rest = []
        for side, whole, at, part in zip((one, other), (whole_one, whole_other), apart, beyond, strict=True):
            cut = np.full(len(side.labels), np.nan)
            cut[at] = np.nan_to_num(part)
            rest.append(_remaining(pairs, side, np.nan_to_num(held), whole, cut))
        found[name] = Counted(held, (whole_one, whole_other), (rest[0], rest[1]))
    return found


def _estimated(shapes: Any, place: Any, grids: Sequence[pd.DataFrame]) -> pd.DataFrame:  # noqa: ANN401 - arrays
    """People and households of areas, by the first grid that has cells there; missing where none has."""
    found = pd.DataFrame({"estimate": np.nan, "households": np.nan}, index=pd.RangeIndex(len(shapes)))
    for territory in dict.fromkeys(place):
        rows = np.flatnonzero(place == territory)
        areas = gpd.GeoSeries(shapes[rows], index=rows, crs=epsg_of(territory))
        for grid in grids:
            estimate = estimate_population(areas, grid)[["estimate", "households"]]
            found.loc[rows] = found.loc[rows].fillna(estimate.astype(float))
    return found


def _points(pairs: Pairs, points: Any) -> Counted:  # noqa: ANN401 - a layer of points
    weight = _weights_of(points)
    held = [_positions(side, points) for side in (pairs.one, pairs.other)]
    inside = (held[0] >= 0) & (held[1] >= 0)
    size = len(pairs.other.labels)
    both = pd.Series(weight[inside]).groupby(held[0][inside] * size + held[1][inside]).sum()
    shared = both.reindex(pairs.left * size + pairs.right, fill_value=0.0).to_numpy(dtype=float)
    whole = [
        np.bincount(at[at >= 0], weight[at >= 0], minlength=len(side.labels)).astype(float)
        for at, side in zip(held, (pairs.one, pairs.other), strict=True)
    ]
    left = [_remaining(pairs, side, shared, total) for side, total in zip((pairs.one, pairs.other), whole, strict=True)]
    return Counted(shared, (whole[0], whole[1]), (left[0], left[1]))


def _weights_of(points: Any) -> Floats:  # noqa: ANN401
    """Times that each point counts."""
    if not (isinstance(points, gpd.GeoDataFrame) and "weight" in points.columns):
        return np.ones(len(points))
    weight: Floats = pd.to_numeric(points["weight"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(wrong):
        raise DataError(
            Note("geographies.point_weights", count=len(wrong)),
            problems=[
                Note("geographies.point_weight", label=str(points.index[row]), value=str(points["weight"].iloc[row]))
                for row in wrong
            ],
            way_out=Note("geographies.point_weights_way_out"),
        )
    return weight


def _positions(side: Side, points: Any) -> npt.NDArray[np.intp]:  # noqa: ANN401
    """Position of the perimeter that each point lies in, -1 outside of all."""
    found = np.full(len(points), -1, dtype=np.intp)
    for territory in dict.fromkeys(side.territory):
        rows = np.flatnonzero(side.territory == territory)
        outlines = gpd.GeoSeries(side.outline[rows], index=side.labels[rows], crs=epsg_of(territory))
        codes = tag_points(points, PerimeterIndex(outlines, reach_m=0.0), bands=())["qpv_code"]
        at = side.labels.get_indexer(codes.astype("str"))
        found = np.where(at >= 0, at, found)
    return found


def _published(pairs: Pairs, left: Sequence[Uncovered], people: pd.Series) -> Counted:
    one, other = pairs.one, pairs.other
    given = _people(people, one.labels)
    density = given / one.area
    shared = pairs.area * density[pairs.left]
    # area that is too narrow to be a part has people too, who go with the rest
    held = pairs.sums(one, shared)
    scale = np.divide(given, held, out=np.ones(len(given)), where=left[0].closed & (held > 0))
    shared = shared * scale[pairs.left]
    remaining = _remaining(pairs, one, shared, given, _area(left[0]) * density)
    # who lives beyond the first geography is not known from it
    beyond = np.full(len(other.labels), np.nan)
    return Counted(shared, (given, pairs.sums(other, shared)), (remaining, beyond))


def _people(people: pd.Series, labels: pd.Index) -> Floats:
    """Published people of each perimeter."""
    named = people.set_axis(people.index.astype("str"))
    problems = repeated(named.index)
    first = named[~named.index.duplicated()]
    numbers: Floats = (
        pd.to_numeric(first, errors="coerce").astype(float).reindex(labels).to_numpy(dtype=float, na_value=np.nan)
    )
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    for label, value in first.reindex(labels)[wrong].items():
        key = "geographies.no_people" if pd.isna(value) else "geographies.not_people"
        problems.append(Note(key, code=str(label), value=str(value)))
    if problems:
        raise DataError(
            Note("geographies.no_population", count=len(problems)),
            problems=problems,
            way_out=Note("geographies.no_population_way_out"),
        )
    return numbers
