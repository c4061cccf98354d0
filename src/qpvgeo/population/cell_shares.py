"""Share of the people of each cell that each perimeter gets, by area, by the centre of the cell or by points."""

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.errors import DataError
from qpvgeo.geometry.cell_cover import Cover
from qpvgeo.geometry.insee_lattice import Cells, centroids, locate
from qpvgeo.geometry.projection import reproject, require_axes, transformer
from qpvgeo.language import Note

__all__ = ["WEIGHT", "cell_shares", "weight_of"]

WEIGHT = "weight"
"""Column of a layer of points that says how many times each counts."""

_NUDGE_M = (1.1e-4, 0.7e-4)

Floats = npt.NDArray[np.float64]


def cell_shares(
    method: str,
    found: Cover,
    shapes: gpd.GeoSeries,
    points: Any,  # noqa: ANN401
) -> tuple[Floats, Floats | None]:
    """Share of the people of each cell that each perimeter gets; for `points`, also where area replaced them."""
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

    A point exactly on a boundary would count on both sides, and the parts of a partition exceed the whole: all points
    move alike, so that each lies on one side.
    """
    move = transformer(pyproj.CRS.from_user_input(source), pyproj.CRS.from_user_input(target)).transform
    return move(np.asarray(x) + _NUDGE_M[0], np.asarray(y) + _NUDGE_M[1])


def _by_points(found: Cover, shapes: gpd.GeoSeries, points: Any) -> tuple[Floats, Floats]:  # noqa: ANN401
    """Share of the points of each cell that lie in each perimeter; by area where the cell has none."""
    if points.crs is None:
        raise DataError(Note("population.points_no_crs"), way_out=Note("population.set_crs"))
    require_axes(points, name="points", what="points")
    lattice, size = found.cells.lattice, found.cells.lattice.size
    places, weight = points.geometry.to_numpy(), weight_of(points)
    drawn = ~(shapely.is_missing(places) | shapely.is_empty(places))
    _require_finite(shapely.get_coordinates(places, return_index=True), points.index)
    places, weight = places[drawn], np.ones(int(drawn.sum())) if weight is None else weight[drawn]
    # the centroid is taken where the layer is drawn, then moved: a building is a few metres wide
    moved = reproject(shapely.centroid(places), points.crs, lattice.epsg)
    x, y = shapely.get_x(moved), shapely.get_y(moved)
    if not (np.isfinite(x) & np.isfinite(y)).all():
        nowhere = points.index[drawn][~(np.isfinite(x) & np.isfinite(y))]
        raise DataError(
            Note("geometry.not_in_projection", count=len(nowhere), crs=points.crs.to_string(), epsg=lattice.epsg),
            problems=map(str, nowhere),
            way_out=Note("geometry.swapped_or_wrong_crs"),
        )
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


def _require_finite(coordinates: tuple[Floats, npt.NDArray[np.intp]], labels: pd.Index) -> None:
    """Raise for points with a coordinate that is missing or infinite."""
    xy, row = coordinates
    nowhere = np.unique(row[~np.isfinite(xy).all(axis=1)])
    if len(nowhere):
        raise DataError(
            Note("frames.bad_layer", name="points"),
            problems=[Note("frames.not_finite", name="points", label=str(labels[at])) for at in nowhere],
            way_out=Note("frames.out.not_finite"),
        )


def weight_of(points: Any) -> Floats | None:  # noqa: ANN401
    """How many times each point counts; None where the layer does not say it."""
    if not isinstance(points, pd.DataFrame) or WEIGHT not in points.columns:
        return None
    given = points[WEIGHT]
    weight: Floats = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(weight) | (weight < 0))
    if len(wrong):
        raise DataError(
            Note("population.bad_weights", count=len(wrong), total=len(points)),
            problems=[
                Note("population.bad_weight", label=str(points.index[row]), value=repr(given.iloc[row]))
                for row in wrong
            ],
            way_out=Note("population.give_weights", column=WEIGHT),
        )
    return weight
