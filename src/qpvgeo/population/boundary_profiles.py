"""What changes across the boundary: people, poverty and living standard by distance inside and outside perimeters.

Bands are drawn in the legal projection around all the perimeters together, then overlaid on the cells by area: every
person of the grid is in one band, so that the bands add up to the grid. They hold no more than the grid that was read:
one cut at the perimeters has nobody outside them, and is refused.
"""

from collections.abc import Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames import forms, provenance, require
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.insee_lattice import Cells, locate
from qpvgeo.geometry.outline_repair import mended
from qpvgeo.geometry.projection import reproject, require_axes, territory_of
from qpvgeo.geometry.validity import sound
from qpvgeo.language import Note
from qpvgeo.population.grid_columns import Columns, Measure, checked_cells, ranges, settled, values_of

__all__ = ["PROFILE_COLUMNS", "boundary_profile"]

PROFILE_COLUMNS = (
    "from_m",
    "to_m",
    "population",
    "households",
    "poor_households",
    "poverty_rate",
    "living_standard_mean_eur",
    "grid_share",
    "imputed_share",
)

_QUARTER_SEGMENTS = 32
"""Straight pieces in a quarter of a circle: a band falls short of its distance by 0.03 % at most."""

Floats = npt.NDArray[np.float64]


@judged
def boundary_profile(
    qpv: gpd.GeoDataFrame | gpd.GeoSeries,
    grid: pd.DataFrame,
    *,
    bands: Sequence[float] = (-200, -100, 0, 100, 200, 300, 500),
    columns: Columns = (),
) -> pd.DataFrame:
    """People, poverty and living standard by distance to the boundary of perimeters.

    Parameters
    ----------
    qpv
        Perimeters with a CRS; where they overlap or touch they count as one.
    grid
        Grid frame (`qpvgeo.read_grid`) of one territory, read at least as far out as the widest band; perimeters
        elsewhere are left out.
    bands
        Distances to the boundary in metres, ascending: negative inside, 0 the boundary itself, positive outside.
    columns
        Other columns of the grid, to be summed or averaged, as for `qpvgeo.estimate_population`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `band`, from the inside out, with the two open ends:

        - `from_m`, `to_m`: distances, minus and plus infinity at the ends.
        - `population`, `households`, `poor_households`: sums, by area in the cells that a band crosses. They add up to
          those of the grid.
        - `poverty_rate`: poor households over households; over people when the grid has rates only.
        - `living_standard_mean_eur`: winsorised mean.
        - the other columns: sums, or means with their bounds `<name>_low` and `<name>_high`, the least and the greatest
          value of the cells that the band touches.
        - `grid_share`: share of the area of the band in cells of the grid; the rest is uninhabited, or was not read.
        - `imputed_share`: share of the people of the band in cells whose values Insee imputed.

        A rate, a mean or a share is missing in an empty band, `grid_share` in the last one too, which has no end, and a
        sum is missing when the grid does not have it. `attrs["qpvgeo"]["notes"]` repeats those of the grid, and says
        when a filter chose its cells.

    Raises
    ------
    DataError
        The frame is not a grid, no perimeter lies in its territory, their axes are exchanged, or bands lie outside the
        perimeters for which the grid was read with `where=`.
    UsageError
        The distances are not ascending numbers, the areas are not a layer, or it is not known whether a column is to be
        summed or averaged.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> grid = qg.read_grid(sample.grid_2019)
    >>> profile = qg.population.boundary_profile(qg.read_qpv(sample.qpv_2024), grid, bands=(0, 300))
    >>> profile.index.tolist(), bool(abs(profile["population"].sum() - grid["population"].sum()) < 1e-6)
    (['inside', '0 to 300 m', 'beyond 300 m'], True)
    """
    limits = _limits(bands)
    require.require_layer(qpv, name="qpv")
    cells = checked_cells(grid)
    measures = settled(columns, grid, (*PROFILE_COLUMNS, "band"))
    shapes, epsg = _here(qpv, cells)
    filtered = _is_filtered(grid, cells)
    if filtered:
        _require_outside(shapes, grid, cells, limits[-1], epsg)
    whole = shapely.union_all(sound(reproject(shapes.to_numpy(), shapes.crs, epsg), shapes.index, name="qpv"))
    reaches = [_within(whole, distance, epsg, cells) for distance in limits]
    # a wider reach never holds less: what rounding says otherwise would be counted in two bands
    steps = np.maximum.accumulate([np.zeros(len(cells)), *(share for share, _ in reaches), np.ones(len(cells))])
    weights = np.diff(steps, axis=0)
    ground = np.diff([0.0, *(size for _, size in reaches), np.inf])
    edges = [-np.inf, *limits, np.inf]
    rows = [_row(band, grid, measures) for band in weights]
    frame = pd.DataFrame(rows, index=pd.Index(_names(limits), name="band"))
    frame["grid_share"] = _grid_share(weights.sum(axis=1) * cells.lattice.size**2, ground)
    others = [name for name in rows[0] if name not in PROFILE_COLUMNS]
    frame = frame[[*PROFILE_COLUMNS[2:7], *others, *PROFILE_COLUMNS[7:]]]
    frame.insert(0, "from_m", edges[:-1])
    frame.insert(1, "to_m", edges[1:])
    provenance.stamp(
        frame,
        [record for part in (qpv, grid) for record in provenance.provenance(part).get("files", [])],
        grid_vintage=provenance.provenance(grid).get("vintage"),
        fictional=provenance.is_fictional(qpv, grid),
        columns=measures,
        notes=[
            *provenance.provenance(grid).get("notes", []),
            *([Note("population.filtered_grid")] if filtered else []),
        ],
    )
    return frame


def _limits(bands: Sequence[float]) -> list[float]:
    """Distances of the bands, checked."""
    try:
        limits = [float(value) for value in bands]
    except (TypeError, ValueError):
        limits = []
    if not limits or limits != sorted(set(limits)) or not np.isfinite(limits).all():
        raise UsageError(Note("population.bad_bands", given=repr(bands)), way_out=Note("population.give_bands"))
    return limits


def _here(qpv: gpd.GeoDataFrame | gpd.GeoSeries, cells: Cells) -> tuple[gpd.GeoSeries, int]:
    """Perimeters of the territory of the grid, and its legal projection."""
    shapes = mended(qpv)
    require_axes(qpv, name="qpv", what="qpv")
    place = territory_of(shapes.to_numpy(), shapes.crs)
    here = place == (territories.of_grid(cells.lattice.epsg) or "")
    if not here.any():
        raise DataError(
            Note("population.nobody_here", epsg=cells.lattice.epsg), way_out=Note("population.give_other_grid")
        )
    return shapes[here], territories.get(str(place[here][0])).epsg


def _is_filtered(grid: pd.DataFrame, cells: Cells) -> bool:
    """Whether cells of the territory were left unread: asking for the whole territory leaves none."""
    where = provenance.provenance(grid).get("where") or {}
    return bool(where) and territories.of_grid(cells.lattice.epsg) not in where.get("territories", ())


def _require_outside(shapes: gpd.GeoSeries, grid: pd.DataFrame, cells: Cells, farthest: float, epsg: int) -> None:
    """Raise when a grid read for the perimeters alone is asked about what is around them."""
    if farthest <= 0 or "areas" not in provenance.provenance(grid)["where"]:
        return
    # as the reader chose them, perimeter by perimeter: their union in another projection may miss a sliver
    touched = np.zeros(len(cells), dtype=bool)
    at = locate(cover(shapes, cells.lattice, sound=True).cells, cells)
    touched[at[at >= 0]] = True
    if touched.all():
        raise DataError(
            Note("population.cut_grid"), way_out=Note("population.read_farther", epsg=epsg, metres=f"{farthest:g}")
        )


def _within(whole: shapely.Geometry, distance: float, epsg: int, cells: Cells) -> tuple[Floats, float]:
    """Share of each cell of the grid that lies within a distance of the area, and the square metres that do in all.

    A negative distance is inside the area. The metres are those of the projection of the grid.
    """
    reach = whole if distance == 0 else shapely.buffer(whole, distance, quad_segs=_QUARTER_SEGMENTS)
    parts = shapely.get_parts(reach)
    if not len(parts):
        return np.zeros(len(cells)), 0.0
    found = cover(gpd.GeoSeries(parts, crs=epsg), cells.lattice)
    at = locate(found.cells, cells)
    known = at >= 0
    share = np.bincount(at[known], found.share[known], len(cells)).astype(np.float64)
    return np.minimum(share, 1.0), float(found.size_m2.sum())


def _grid_share(held: Floats, ground: Floats) -> Floats:
    """Share of the ground of each band that lies in cells of the grid; missing where there is none, or no end to it."""
    finite = np.isfinite(ground) & (ground > 0)
    # both are measured apart: the last bit must not make a share exceed 1
    share: Floats = np.divide(held, ground, out=np.full(len(ground), np.nan), where=finite)
    return np.minimum(share, 1.0)


def _row(weights: Floats, grid: pd.DataFrame, measures: dict[str, Measure]) -> dict[str, float]:
    """Figures of a band, from its share of each cell."""

    def total(name: str) -> float:
        return summed(values_of(grid, name)) if name in grid.columns else float("nan")

    def summed(of_cells: Floats) -> float:
        # a value that is missing outside the band does not make the band missing
        return float(np.dot(weights[weights > 0], of_cells[weights > 0]))

    def ratio(over: float, under: float) -> float:
        return over / under if under > 0 else float("nan")

    people, households, poor = total("population"), total("households"), total("poor_households")
    by_people = forms.poverty_by_people(grid)
    imputed = summed(values_of(grid, "imputed") * values_of(grid, "population"))
    row = {
        "population": people,
        "households": households,
        "poor_households": poor,
        "poverty_rate": ratio(total("poor_population"), people) if by_people else ratio(poor, households),
        "living_standard_mean_eur": ratio(total("living_standard_sum_eur"), people),
        "imputed_share": ratio(imputed, people),
    }
    for name, measure in measures.items():
        if measure == "sum":
            row[name] = total(name)
            continue
        counted = weights * values_of(grid, "population") if measure == "mean" else weights
        held = counted > 0
        values = values_of(grid, name)[held]
        least, most = ranges(np.zeros(len(values), np.intp), values, 1)
        mean = ratio(float(np.dot(counted[held], values)), float(counted[held].sum()))
        # a mean of equal values may leave them by the last bit
        row |= {name: float(np.clip(mean, least[0], most[0])), f"{name}_low": least[0], f"{name}_high": most[0]}
    return row


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
