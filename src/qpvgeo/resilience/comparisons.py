"""Each QPV beside the rest of its commune or EPCI.

The rest of a unit is what lies in it and in no QPV. The ratio of two shares has the bounds that theirs allow: where
they hold 1, nothing can be said of which is the more exposed.
"""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.errors import judged
from qpvgeo.frames.provenance import stamp
from qpvgeo.language import Note
from qpvgeo.resilience.areas_on_cells import Shapes, apart, areas_of, ratio_of
from qpvgeo.resilience.exposed_people import exposed_frame, fictional, files_of, rest_notes
from qpvgeo.resilience.layers import asked_of, reach_of
from qpvgeo.resilience.options import Options

__all__ = ["exposure_beside", "main_units", "without_others"]

_OPTIONS = ("within_m", "above", "below", "quantile", "covered")


@judged
def exposure_beside(
    qpv: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame | pd.DataFrame | pd.Series | str | Path,
    grid: pd.DataFrame,
    units: gpd.GeoDataFrame,
    **options: Any,  # noqa: ANN401 - those of `exposure`
) -> pd.DataFrame:
    """Compare each QPV with the rest of the unit in which most of it lies.

    Parameters
    ----------
    qpv, layer, grid
        As for `qpvgeo.exposure`.
    units
        Outlines of communes, EPCI or any areas, on unique labels. Outlines of EPCI follow from those of communes:
        `communes.dissolve("epci")`.
    **options
        `within_m`, `above`, `below`, `quantile`, `covered`, as for `qpvgeo.exposure`.

    Returns
    -------
    pandas.DataFrame
        On the index of the QPV: `unit` (missing outside of all), the columns of `qpvgeo.exposure` but `ratio`,
        `rest_population`, `rest_share`, `rest_share_low`, `rest_share_high` (of the rest of the unit, where
        the grid has cells), and `ratio`,
        `ratio_low`, `ratio_high` (share of the QPV over that of the rest; missing where that is 0 or not known).

    Raises
    ------
    UsageError, DataError
        As for `qpvgeo.exposure`.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, grid, floods = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019), gpd.read_file(sample.floods)
    >>> found = exposure_beside(qpv, floods, grid, qg.read_communes(sample.communes), covered="everywhere")
    >>> row = found.loc["QN09904M"]
    >>> row["unit"], bool(row["ratio_low"] <= row["ratio"] <= row["ratio_high"])
    ('99001', True)
    """
    asked = asked_of(Options.named(qpv, layer, grid, options, *_OPTIONS, units=units))
    reach = reach_of(asked)
    lattice = asked.ground.lattice
    unit = pd.Series(main_units(asked.inside, areas_of(units, lattice), units.index), index=qpv.index, dtype="object")
    used = units.loc[[label for label in units.index if label in set(unit.dropna())]]
    areas = apart(areas_of(used, lattice), shapely.union_all(asked.inside))
    rest = reach.measure(areas)
    found = exposed_frame(reach.inside, qpv.index)
    found.insert(0, "unit", unit)
    names = ("rest_share", "rest_share_low", "rest_share_high")
    shares = dict(zip(names, rest.counted.shares(), strict=True))
    # no cell under a rest that is there is no count
    people = np.where((rest.everyone.touched == 0) & (rest.everyone.beyond > 0), np.nan, rest.everyone.estimate)
    beside = pd.DataFrame({"rest_population": people, **shares}, index=used.index).reindex(unit)
    for name in beside.columns:
        found[name] = pd.Series(beside[name].to_numpy(), index=qpv.index, dtype="Float64")
    ends = {"estimate": "", "low": "_low", "high": "_high"}
    mine, other = ({end: found[f"{name}{suffix}"] for end, suffix in ends.items()} for name in ("share", "rest_share"))
    for end, values in ratio_of(mine, other).items():
        found[f"ratio{ends[end]}"] = values
    notes = [*reach.notes, *rest_notes(rest, areas, lattice), Note("resilience.ratio_bounds")]
    return stamp(found, files_of(asked), **reach.about, fictional=fictional(asked), notes=notes)


def main_units(qpv: Shapes, units: Shapes, labels: pd.Index) -> list[Any]:
    """Unit in which most of each QPV lies; None outside of all."""
    tree = shapely.STRtree(units)
    found: list[Any] = []
    for shape in qpv:
        near = tree.query(shape, predicate="intersects") if shape is not None else np.array([], dtype=int)
        shared = shapely.area(shapely.intersection(shape, units[near])) if len(near) else np.array([])
        found.append(labels[near[int(shared.argmax())]] if shared.any() else None)
    return found


def without_others(units: gpd.GeoDataFrame, every: gpd.GeoDataFrame, asked: pd.Index) -> gpd.GeoDataFrame:
    """Take out of units the QPV that are not asked for: they are no rest."""
    others = every[~every.index.isin(asked) & every.geometry.notna()]
    shapes, holes = units.geometry.to_numpy().copy(), others.geometry.to_crs(units.crs).make_valid().to_numpy()
    rows, met = shapely.STRtree(holes).query(shapes, predicate="intersects")
    for row in np.unique(rows):
        shapes[row] = shapely.difference(shapely.make_valid(shapes[row]), shapely.union_all(holes[met[rows == row]]))
    return units.set_geometry(gpd.GeoSeries(shapes, index=units.index, crs=units.crs))
