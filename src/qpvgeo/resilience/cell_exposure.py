"""People of QPV whom a hazard or an amenity reaches, beside those of the rest of their communes.

People come from the cells of an income grid, spread evenly over each cell, with the least and the most that whole and
cut cells allow. What the layer does not cover is unknown, never safe.
"""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from qpvgeo.errors import DataError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.language import Note
from qpvgeo.resilience.measured import Measured, Reach, areas_of, ratio_of, reach_of, rest_of, share_of, total_of
from qpvgeo.resilience.options import Options

__all__ = ["exposed_frame", "exposure"]


@judged
def exposure(  # noqa: PLR0913 - one call is one question, and each part has a default
    qpv: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame | str,
    grid: pd.DataFrame,
    *,
    within_m: float | None = None,
    above: float | None = None,
    below: float | None = None,
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
        people nearer than that, in a straight line. The name of a column of the grid (surface temperature, minutes on
        foot to a park, what `qpvgeo.resilience.raster_on_cells` gives) with `above`, `below` or `quantile`: people of
        the cells that reach the value.
    grid
        Frame of `qpvgeo.read_grid`, of the territory of the QPV.
    within_m
        Distance for points and lines, in metres.
    above
        Value from which on a cell is exposed.
    below
        Value down to which a cell is exposed.
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
        something; missing where there are none) between `share_low` and `share_high`, `rank` (1 for the most people
        exposed: who gains first) between `rank_best` and `rank_worst`, and `ratio` (that share over the share around,
        missing without `around`). A QPV under which the grid has no cell is missing, not 0.
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
    Options(qpv, layer, grid, within_m, above, below, quantile, around, covered).require()
    reach = reach_of(layer, grid, within_m=within_m, above=above, below=below, quantile=quantile, covered=covered)
    inside = areas_of(qpv, reach.lattice)
    areas = {"inside": inside} | ({} if around is None else {"outside": rest_of(around, inside, reach.lattice)})
    measured = {name: reach.measure(area) for name, area in areas.items()}
    if not measured["inside"].everyone.high.sum():
        raise DataError(Note("resilience.no_cells"), way_out=Note("resilience.no_cells_way_out"))
    found = exposed_frame(measured["inside"], qpv.index)
    about: dict[str, Any] = {name: value for name, value in reach.about.items() if name != "extent_given"}
    if reach.mean is not None:
        about |= {f"mean_{name}": reach.mean(area) for name, area in areas.items()}
    about |= {name: total_of(one.exposed, one.others) for name, one in measured.items()}
    found["ratio"] = pd.Series(pd.NA, index=qpv.index, dtype="Float64")
    if around is not None:
        about["ratio"] = ratio_of(about["inside"], about["outside"])
        if about["outside"]["estimate"]:
            found["ratio"] = found["share"] / about["outside"]["estimate"]
    files = [*provenance(qpv).get("files", []), *provenance(grid).get("files", [])]
    notes = _notes(reach, within_m, told=covered is not None, column=isinstance(layer, str))
    return stamp(found, files, **about, fictional=is_fictional(qpv, grid), notes=notes)


def exposed_frame(measured: Measured, index: pd.Index) -> pd.DataFrame:
    """People exposed by area, their shares with bounds and their ranks; missing where no cell is touched."""
    everyone, exposed, others = measured.everyone, measured.exposed, measured.others
    bare = everyone.touched == 0
    share, share_low, share_high = share_of(exposed, others)
    columns = {
        "population": everyone.estimate,
        "low": exposed.low,
        "estimate": exposed.estimate,
        "high": exposed.high,
        "unknown": np.maximum(everyone.estimate - exposed.estimate - others.estimate, 0),
    }
    found = pd.DataFrame({name: np.where(bare, np.nan, values) for name, values in columns.items()}, index=index)
    for name, values in {"share": share, "share_low": share_low, "share_high": share_high}.items():
        found[name] = pd.Series(values, index=index).astype("Float64")
    return found.assign(**_ranks(found))


def _ranks(found: pd.DataFrame) -> dict[str, pd.Series]:
    """Place of each area by people exposed, 1 for the most, between the best and the worst that the bounds allow."""
    known = found["estimate"].notna().to_numpy()
    low, high = found["low"].to_numpy(), found["high"].to_numpy()
    rank = found["estimate"].rank(ascending=False, method="min").astype("Int64")
    surely_more = np.sort(low[known])
    maybe_more = np.sort(high[known])
    best = 1 + len(surely_more) - np.searchsorted(surely_more, high, side="right")
    # itself is among those that may have as many
    worst = len(maybe_more) - np.searchsorted(maybe_more, low, side="left")
    bounds = {"rank_best": best, "rank_worst": worst}
    return {"rank": rank} | {
        name: pd.Series(values, index=found.index, dtype="Int64").where(known) for name, values in bounds.items()
    }


def _notes(reach: Reach, within_m: float | None, *, told: bool, column: bool) -> list[Note]:
    notes = [Note("resilience.people_of_cells")]
    if column:
        return notes
    notes.append(Note("resilience.straight_line", metres=within_m) if within_m else Note("resilience.in_polygons"))
    if not reach.about["extent_given"] and not told:
        notes.append(Note("resilience.rest_unknown"))
    return notes
