"""People of QPV whom a hazard or an amenity reaches, beside those of the rest of their communes.

People come from the cells of an income grid, spread evenly over each cell, with the least and the most that whole and
cut cells allow. What the layer does not cover is unknown, never safe.
"""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.errors import DataError
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.insee_lattice import Cells, locate, parse_ids
from qpvgeo.language import Note
from qpvgeo.resilience.options import Options

__all__ = ["exposure"]

Floats = npt.NDArray[np.float64]

_WHOLE = 1 - 1e-9
_SEGMENTS = 64


@dataclass(frozen=True, slots=True)
class _People:
    """People of areas in something: the least, the estimate, the most, by area."""

    low: Floats
    estimate: Floats
    high: Floats


def exposure(  # noqa: PLR0913 - one call is one question, and each part has a default
    qpv: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame | str,
    grid: pd.DataFrame,
    *,
    within_m: float | None = None,
    above: float | None = None,
    quantile: float | None = None,
    around: gpd.GeoDataFrame | None = None,
    covered: gpd.GeoDataFrame | str | None = None,
) -> pd.DataFrame:
    """Count the people of each QPV whom a layer reaches.

    Parameters
    ----------
    qpv
        Frame of `qpvgeo.read_qpv`, or any polygons with a CRS on unique labels.
    layer
        Polygons (flood zones, noise): people in them are exposed. Points or lines (parks, stops) with `within_m`:
        people nearer than that, in a straight line. The name of a column of the grid (surface temperature) with `above`
        or `quantile`: people of the cells that reach the value.
    grid
        Frame of `qpvgeo.read_grid`, of the territory of the QPV.
    within_m
        Distance for points and lines, in metres.
    above
        Value from which on a cell is exposed.
    quantile
        The same as a share of the people of the grid: 0.8 is the cells in which the most exposed fifth lives.
    around
        Polygons to compare with, such as the communes of the QPV: the same is counted in their part outside of QPV.
    covered
        Area that the layer of polygons covers: outside of it exposure is unknown. `"everywhere"` says that what is in
        no polygon is not exposed; by default it is unknown.

    Returns
    -------
    pandas.DataFrame
        On the index of the QPV: `population` (estimate, fiscal households), `low`, `estimate`, `high` (people exposed),
        `unknown` (people for whom the layer says nothing), `share` (`estimate` over the people for whom it says
        something; missing where there are none), `ratio` (that share over the share around, missing without `around`).
        `attrs["qpvgeo"]` holds `inside`, `outside` (share with its bounds) and `ratio` (with its bounds) over all QPV,
        and for a column of the grid the `threshold` and the means weighted by people (`mean_inside`, `mean_outside`).

    Raises
    ------
    UsageError
        Options that do not go with the layer.
    DataError
        No CRS, a grid without people, or QPV that touch no cell.

    Notes
    -----
    Bounds of a share: the least people exposed over themselves and the most not exposed, and the other way round.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> qpv, grid = qg.read_qpv(qg.sample().qpv_2024), qg.read_grid(qg.sample().grid_2019)
    >>> floods = gpd.read_file(qg.sample().floods)
    >>> found = exposure(qpv, floods, grid, covered="everywhere")
    >>> bool((found["low"] <= found["estimate"]).all() and (found["estimate"] <= found["high"]).all())
    True
    """
    Options(qpv, layer, grid, within_m, above, quantile, around, covered).require()
    lattice = parse_ids(grid.index)
    people = grid["population"].astype("Float64").fillna(0).to_numpy(np.float64)
    about: dict[str, Any] = {}
    notes: list[Note] = [Note("resilience.people_of_cells")]
    inside = _areas(qpv, lattice)
    outside = None if around is None else _outside(around, inside, lattice)
    areas = {"inside": inside} | ({} if outside is None else {"outside": outside})
    if isinstance(layer, str):
        value = grid[layer].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        threshold = _threshold(value, people, above, quantile)
        about = {"column": layer, "threshold": threshold}
        measured = [_of_cells(area, lattice, people, value, threshold) for area in areas.values()]
        about |= {f"mean_{name}": _mean(area, lattice, people, value) for name, area in areas.items()}
    else:
        zone = _zone(layer, lattice, within_m)
        extent = _extent(covered, zone, lattice, within_m)
        measured = [_of_zone(area, lattice, people, zone, extent) for area in areas.values()]
        notes.append(Note("resilience.straight_line", metres=within_m) if within_m else Note("resilience.in_polygons"))
        if extent is not None and covered is None:
            notes.append(Note("resilience.rest_unknown"))
    everyone, exposed, others = measured[0]
    if not everyone.high.sum():
        raise DataError(Note("resilience.no_cells"), way_out=Note("resilience.no_cells_way_out"))
    share, share_low, share_high = _share(exposed, others)
    columns = {
        "population": everyone.estimate,
        "low": exposed.low,
        "estimate": exposed.estimate,
        "high": exposed.high,
        "unknown": np.maximum(everyone.estimate - exposed.estimate - others.estimate, 0),
    }
    shares = {"share": share, "share_low": share_low, "share_high": share_high}
    found = pd.DataFrame(columns | shares, index=qpv.index).astype(dict.fromkeys(shares, "Float64"))
    about |= {"inside": _total(exposed, others)}
    found["ratio"] = pd.Series(pd.NA, index=qpv.index, dtype="Float64")
    if len(measured) > 1:
        about["outside"] = _total(measured[1][1], measured[1][2])
        about["ratio"] = _ratio(about["inside"], about["outside"])
        if about["outside"]["estimate"]:
            found["ratio"] = found["share"] / about["outside"]["estimate"]
    files = [*provenance(qpv).get("files", []), *provenance(grid).get("files", [])]
    return stamp(found, files, **about, fictional=is_fictional(qpv, grid), notes=notes)


def _areas(layer: gpd.GeoDataFrame, lattice: Cells) -> npt.NDArray[np.object_]:
    """Shapes of a layer in the projection of the lattice, made valid there."""
    shapes = layer.geometry.to_crs(lattice.lattice.epsg).to_numpy()
    return np.asarray(shapely.make_valid(shapes), dtype=object)


def _polygonal(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
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


def _outside(around: gpd.GeoDataFrame, inside: npt.NDArray[np.object_], lattice: Cells) -> npt.NDArray[np.object_]:
    """What the areas around hold beside the QPV, as one shape."""
    whole = shapely.union_all(_areas(around, lattice))
    return np.array([shapely.difference(whole, shapely.union_all(inside))], dtype=object)


def _zone(layer: gpd.GeoDataFrame, lattice: Cells, within_m: float | None) -> Any:  # noqa: ANN401 - a shape
    shapes = _areas(layer, lattice)
    zone = shapely.union_all(shapes[~shapely.is_missing(shapes)])
    return zone if within_m is None else shapely.buffer(zone, within_m, quad_segs=_SEGMENTS)


def _extent(covered: gpd.GeoDataFrame | str | None, zone: Any, lattice: Cells, within_m: float | None) -> Any:  # noqa: ANN401
    """Area for which the layer says something; None for everywhere."""
    if isinstance(covered, gpd.GeoDataFrame):
        return shapely.union_all([*_areas(covered, lattice), zone])
    return None if covered == "everywhere" or within_m is not None else zone


def _counted(areas: npt.NDArray[np.object_], lattice: Cells, people: Floats) -> _People:
    """People of areas from whole cells, by area of cells, and of all cells touched."""
    found = cover(gpd.GeoSeries(_polygonal(areas), crs=lattice.lattice.epsg), lattice.lattice)
    at = locate(Cells(lattice.lattice, found.cells.north, found.cells.east), lattice)
    known = at >= 0
    owner, share, here = found.area[known], found.share[known], people[at[known]]
    count = len(areas)
    weights = (here * (share >= _WHOLE), here * share, here)
    return _People(*(np.bincount(owner, weight, count).astype(np.float64) for weight in weights))


def _of_zone(
    areas: npt.NDArray[np.object_],
    lattice: Cells,
    people: Floats,
    zone: Any,  # noqa: ANN401
    extent: Any,  # noqa: ANN401
) -> tuple[_People, _People, _People]:
    """People of areas, those in the zone, and those of whom the layer says that they are not."""
    everyone = _counted(areas, lattice, people)
    exposed = _counted(shapely.intersection(areas, zone), lattice, people)
    covered = areas if extent is None else shapely.intersection(areas, extent)
    others = _counted(shapely.difference(covered, zone), lattice, people)
    return everyone, exposed, others


def _of_cells(
    areas: npt.NDArray[np.object_], lattice: Cells, people: Floats, value: Floats, threshold: float
) -> tuple[_People, _People, _People]:
    """The same for cells whose value reaches a threshold."""
    known = ~np.isnan(value)
    reached = known & (np.nan_to_num(value, nan=-np.inf) >= threshold)
    parts = (people, people * reached, people * (known & ~reached))
    everyone, exposed, others = (_counted(areas, lattice, part) for part in parts)
    return everyone, exposed, others


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


def _mean(areas: npt.NDArray[np.object_], lattice: Cells, people: Floats, value: Floats) -> float | None:
    """Mean of a value over the people of areas, weighted by their estimate."""
    known = ~np.isnan(value)
    weight = _counted(areas, lattice, people * known).estimate.sum()
    total = _counted(areas, lattice, np.where(known, people * np.nan_to_num(value), 0)).estimate.sum()
    return float(total / weight) if weight else None


def _share(exposed: _People, others: _People) -> tuple[Floats, Floats, Floats]:
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


def _total(exposed: _People, others: _People) -> dict[str, float | None]:
    """Share over all areas, with its bounds."""
    summed = [
        _People(*(np.array([part.sum()]) for part in (one.low, one.estimate, one.high))) for one in (exposed, others)
    ]
    values = [float(value[0]) for value in _share(*summed)]
    return {
        name: None if np.isnan(value) else value
        for name, value in zip(("estimate", "low", "high"), values, strict=True)
    }


def _ratio(inside: dict[str, float | None], outside: dict[str, float | None]) -> dict[str, float | None]:
    """One share over another, with the bounds that theirs allow."""

    def over(one: float | None, other: float | None) -> float | None:
        return None if one is None or not other else one / other

    return {
        "estimate": over(inside["estimate"], outside["estimate"]),
        "low": over(inside["low"], outside["high"]),
        "high": over(inside["high"], outside["low"]),
    }
