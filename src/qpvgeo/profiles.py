"""What changes at the limit: people, poverty and living standard by distance inside and outside perimeters.

Bands are drawn in the legal projection around all the perimeters together, then laid over the cells by area: every
person of the grid is in one band, so that the bands add up to the grid.
"""

from collections.abc import Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import schema, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.gridcover import cover, mended
from qpvgeo.lattice import Cells, locate, parse_ids
from qpvgeo.projection import reproject, territory_of

__all__ = ["PROFILE_COLUMNS", "boundary_profile"]

PROFILE_COLUMNS = (
    "from_m",
    "to_m",
    "population",
    "households",
    "poor_households",
    "poverty_rate",
    "living_standard_mean_eur",
)

_QUARTER_SEGMENTS = 32
"""Straight pieces in a quarter of a circle: a band falls short of its distance by 0.03 % at most."""

Floats = npt.NDArray[np.float64]


def boundary_profile(
    qpv: gpd.GeoDataFrame | gpd.GeoSeries,
    grid: pd.DataFrame,
    *,
    bands: Sequence[float] = (-200, -100, 0, 100, 200, 300, 500),
) -> pd.DataFrame:
    """People, poverty and living standard by distance to the limit of perimeters.

    Parameters
    ----------
    qpv
        Perimeters with a CRS; where they overlap or touch they count as one.
    grid
        Grid frame (`qpvgeo.read_grid`) of one territory; perimeters elsewhere are left out.
    bands
        Distances to the limit in metres, ascending: negative inside, 0 the limit itself, positive outside.

    Returns
    -------
    pandas.DataFrame
        Indexed by `band`, from the inside out, with the two open ends: `from_m`, `to_m` (minus and plus infinity at
        the ends), `population`, `households`, `poor_households` (sums, by area in the cells that a band crosses),
        `poverty_rate` (poor households over households; over people when the grid has rates only),
        `living_standard_mean_eur` (winsorised mean). Sums add up to those of the grid; a rate is missing in an empty
        band, and a sum is missing when the grid does not have it.

    Raises
    ------
    DataError
        The frame is no grid, or no perimeter lies in its territory.
    UsageError
        The distances are not ascending numbers.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> grid = qg.read_grid(sample.grid_2019)
    >>> profile = qg.boundary_profile(qg.read_qpv(sample.qpv_2024), grid, bands=(0, 300))
    >>> profile.index.tolist(), bool(abs(profile["population"].sum() - grid["population"].sum()) < 1e-6)
    (['inside', '0 to 300 m', 'beyond 300 m'], True)
    """
    try:
        limits = [float(value) for value in bands]
    except (TypeError, ValueError):
        limits = []
    if not limits or limits != sorted(set(limits)) or not np.isfinite(limits).all():
        raise UsageError(f"Bands must be ascending distances in metres, not {bands!r}.")
    schema.require_columns(grid, ["population"], what="The grid", way_out="Make it with qpvgeo.read_grid().")
    schema.require_unique_cells(grid)
    cells = parse_ids(grid.index)
    whole, epsg = _together(qpv, cells)
    shares = [_share_within(whole, distance, epsg, cells) for distance in limits]
    # a wider reach never holds less: what rounding says otherwise would be counted in two bands
    steps = np.maximum.accumulate([np.zeros(len(cells)), *shares, np.ones(len(cells))])
    edges = [-np.inf, *limits, np.inf]
    rows = [_row(weights, grid) for weights in np.diff(steps, axis=0)]
    frame = pd.DataFrame(rows, index=pd.Index(_names(limits), name="band"))
    frame.insert(0, "from_m", edges[:-1])
    frame.insert(1, "to_m", edges[1:])
    schema.stamp(
        frame,
        [record for part in (qpv, grid) for record in schema.provenance(part).get("files", [])],
        grid_vintage=schema.provenance(grid).get("vintage"),
        fictional=schema.is_fictional(qpv, grid),
    )
    return frame


def _together(qpv: gpd.GeoDataFrame | gpd.GeoSeries, cells: Cells) -> tuple[shapely.Geometry, int]:
    """All perimeters of the territory of the grid as one area, in the legal projection."""
    shapes = mended(qpv)
    place = territory_of(shapes.to_numpy(), shapes.crs)
    here = place == (territories.of_grid(cells.lattice.epsg) or "")
    if not here.any():
        raise DataError(
            f"No perimeter lies in the territory of this grid (EPSG:{cells.lattice.epsg}).",
            way_out="Give the grid of the territory of the perimeters; Guadeloupe, Guyane and Mayotte have none.",
        )
    epsg = territories.get(str(place[here][0])).epsg
    return shapely.union_all(reproject(shapes.to_numpy()[here], shapes.crs, epsg)), epsg


def _share_within(whole: shapely.Geometry, distance: float, epsg: int, cells: Cells) -> Floats:
    """Share of each cell of the grid that lies within a distance of the area; a negative one is inside it."""
    reach = whole if distance == 0 else shapely.buffer(whole, distance, quad_segs=_QUARTER_SEGMENTS)
    share = np.zeros(len(cells))
    parts = shapely.get_parts(reach)
    if len(parts):
        found = cover(gpd.GeoSeries(parts, crs=epsg), cells.lattice)
        at = locate(found.cells, cells)
        known = at >= 0
        share = np.bincount(at[known], found.share[known], len(cells)).astype(np.float64)
    return np.minimum(share, 1.0)


def _row(weights: Floats, grid: pd.DataFrame) -> dict[str, float]:
    def total(name: str) -> float:
        if name not in grid.columns:
            return float("nan")
        values = grid[name].to_numpy(dtype=float, na_value=np.nan)
        # a value that is missing outside the band does not make the band missing
        return float(np.dot(weights[weights > 0], values[weights > 0]))

    def ratio(over: float, under: float) -> float:
        return over / under if under > 0 else float("nan")

    people, households, poor = total("population"), total("households"), total("poor_households")
    by_people = schema.poverty_by_people(grid)
    return {
        "population": people,
        "households": households,
        "poor_households": poor,
        "poverty_rate": ratio(total("poor_population"), people) if by_people else ratio(poor, households),
        "living_standard_mean_eur": ratio(total("living_standard_sum_eur"), people),
    }


def _names(limits: list[float]) -> list[str]:
    """Names of the bands, the open ones first and last."""

    def side(value: float) -> str:
        return f"{abs(value):g} m inside" if value < 0 else f"{value:g} m outside" if value > 0 else "the limit"

    def between(low: float, high: float) -> str:
        if high <= 0:
            return f"inside, {abs(high):g} to {abs(low):g} m"
        return f"{low:g} to {high:g} m" if low >= 0 else f"{side(low)} to {side(high)}"

    first, last = limits[0], limits[-1]
    return [
        "inside" if first == 0 else f"deeper than {side(first)}",
        *(between(low, high) for low, high in pairwise(limits)),
        "outside" if last == 0 else f"beyond {last:g} m" if last > 0 else f"less than {side(last)}, or outside",
    ]
