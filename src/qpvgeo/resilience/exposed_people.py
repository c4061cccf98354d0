"""People of QPV whom a hazard or an amenity reaches, beside those of the rest of their communes.

People come from the cells of an income grid, spread evenly over each cell, with the least and the most that whole and
cut cells allow. What the layer does not cover is unknown, never safe.
"""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.errors import judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.geometry.insee_lattice import Cells
from qpvgeo.language import Note
from qpvgeo.resilience.areas_on_cells import Measured, Shapes, ratio_of, rest_of
from qpvgeo.resilience.layers import Asked, asked_of, reach_of
from qpvgeo.resilience.options import Options

__all__ = ["exposed_frame", "exposure", "fictional", "files_of", "rest_notes"]

_MUCH = 0.1
"""Share of the area around beyond the grid that is worth a note."""


@judged
def exposure(  # noqa: PLR0913 - one call is one question, and each part has a default
    qpv: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame | pd.DataFrame | pd.Series | str | Path,
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
        people nearer than that, in a straight line. With `above`, `below` or `quantile`, values: the name of a column
        of the grid (surface temperature), the path of a GeoTIFF (first band, mean of each cell; needs
        `pip install 'qpvgeo[raster]'`), or a table of your own, with one column of numbers by cell or by QPV (metres
        along streets to a park), labels in the index or in a column.
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
        Area that the layer covers: outside of it exposure is unknown. `"everywhere"` says that what is in no shape is
        not exposed. Polygons do not say where they have looked: without `covered`, all people outside of them are
        unknown, and there is no share. Points and lines are taken as a complete list as far as 10 km beyond their
        bounds, which a note says.

    Returns
    -------
    pandas.DataFrame
        On the index of the QPV:

        - `population`: people (estimate, fiscal households).
        - `low`, `estimate`, `high`: people exposed. `estimate` holds those of whom the layer says it; missing where it
          says nothing of anyone. `high` also holds all of whom it says nothing; missing where a part of the QPV that
          may be exposed lies beyond the grid, of which a note says which QPV.
        - `unknown`: people of whom the layer says nothing.
        - `share`: people exposed over those of whom the layer says whether they are; missing where there are none.
          `share_low`, `share_high`: its bounds for all people.
        - `rank`: 1 for the most people exposed: who gains first; between `rank_best` and `rank_worst`.
        - `ratio`, `ratio_low`, `ratio_high`: that share over the share around; missing without `around`, and over 0.

        A QPV under which the grid has no cell is missing, not 0; so is one on a cell whose people are not known. Of one
        that lies partly beyond the grid the people of its cells are counted, and the bounds of its shares and ranks
        hold any number of people in the rest; an empty cell between others of its row and of its column is uninhabited.
        `attrs["qpvgeo"]` holds `inside`, `outside` (share with its bounds) and `ratio` (with its bounds) over all
        people in the cells of the grid, each None where it is not known; `layer` (name of the column or file) and
        `asked` (what was counted, in words); for values the `threshold`, the `reached_share` (people of the grid beyond
        it) and the means weighted by people (`mean_inside`, `mean_outside`).

    Raises
    ------
    UsageError
        Options that do not go with the layer, shapes that are none, a table of several columns: lists every fault.
    DataError
        People negative or infinite, QPV that touch no cell, a layer that lies more than 10 km from the QPV (another
        region, or another CRS than it says), values that are all missing, or a quantile that all people reach.
    MissingDataError
        There is no such raster.

    Notes
    -----
    Bounds of a share: the least people exposed over themselves and the most not exposed, and the other way round. A
    ratio lies between the low share over the high one around and the high one over the low.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> qpv, grid = qg.read_qpv(qg.sample().qpv_2024), qg.read_grid(qg.sample().grid_2019)
    >>> floods = gpd.read_file(qg.sample().floods)
    >>> found = exposure(qpv, floods, grid, covered="everywhere")
    >>> bool((found["low"] <= found["estimate"]).all() and (found["estimate"] <= found["high"]).all())
    True
    """
    asked = asked_of(Options(qpv, layer, grid, within_m, above, below, quantile, around, covered))
    reach = reach_of(asked)
    about, notes = dict(reach.about), list(reach.notes)
    found = exposed_frame(reach.inside, qpv.index)
    about["inside"] = reach.inside.total()
    shares = {"estimate": found["share"], "low": found["share_low"], "high": found["share_high"]}
    outside: dict[str, float | None] = dict.fromkeys(("estimate", "low", "high"))
    if around is not None:
        rest = rest_of(around, asked.inside, asked.ground.lattice)
        measured = reach.measure(rest)
        outside = about["outside"] = measured.total()
        about["ratio"] = ratio_of(about["inside"], outside)
        notes += rest_notes(measured, rest, asked.ground.lattice)
        notes += [Note("resilience.ratio_over_none")] if outside["estimate"] == 0 else []
    if asked.values is not None and asked.on_cells:
        about["mean_inside"] = asked.ground.mean(asked.inside, asked.values)
        about |= {} if around is None else {"mean_outside": asked.ground.mean(rest, asked.values)}
    for name, values in ratio_of(shares, outside).items():
        column = "ratio" if name == "estimate" else f"ratio_{name}"
        found[column] = pd.Series(values, index=qpv.index, dtype="Float64")
    return stamp(found, files_of(asked), **about, fictional=fictional(asked), notes=notes)


def files_of(asked: Asked) -> list[dict[str, Any]]:
    """Records of the files that an exposure was made from."""
    options = asked.options
    return [*provenance(options.qpv).get("files", []), *provenance(options.grid).get("files", []), *asked.files]


def fictional(asked: Asked) -> bool:
    """Whether any of it is made up."""
    layer = [asked.options.layer] if isinstance(asked.options.layer, pd.DataFrame) else []
    return is_fictional(asked.options.qpv, asked.options.grid, *layer)


def rest_notes(measured: Measured, rest: Shapes, lattice: Cells) -> list[Note]:
    """What a reader must know of the rest that QPV are compared with."""
    if not measured.everyone.touched.any():
        return [Note("resilience.no_rest")]
    beyond = float(measured.everyone.beyond.sum()) * lattice.lattice.size**2 / float(shapely.area(rest).sum())
    return [Note("resilience.rest_beyond", share=beyond)] if beyond > _MUCH else []


def exposed_frame(measured: Measured, index: pd.Index) -> pd.DataFrame:
    """People exposed by area, their shares with bounds and their ranks; missing where no cell is touched."""
    everyone, exposed = measured.everyone, measured.exposed
    bare = everyone.touched == 0
    columns = {
        "population": everyone.estimate,
        "low": exposed.low,
        "estimate": np.where(measured.unsaid, np.nan, exposed.estimate),
        "high": np.where(exposed.beyond > 0, np.nan, exposed.high),
        "unknown": measured.unknown,
    }
    found = pd.DataFrame({name: np.where(bare, np.nan, values) for name, values in columns.items()}, index=index)
    for name, values in zip(("share", "share_low", "share_high"), measured.shares(), strict=True):
        found[name] = pd.Series(values, index=index).astype("Float64")
    return found.assign(**_ranks(found))


def _ranks(found: pd.DataFrame) -> dict[str, pd.Series]:
    """Place of each area by people exposed, 1 for the most, between the best and the worst that the bounds allow."""
    known = found["estimate"].notna().to_numpy()
    low = found["low"].to_numpy()
    # the most that is not known has no end
    high = found["high"].fillna(np.inf).where(found["low"].notna()).to_numpy()
    rank = found["estimate"].rank(ascending=False, method="min").astype("Int64")
    surely_more = np.sort(low[~np.isnan(low)])
    maybe_more = np.sort(high[~np.isnan(high)])
    best = 1 + len(surely_more) - np.searchsorted(surely_more, high, side="right")
    # itself is among those that may have as many
    worst = len(maybe_more) - np.searchsorted(maybe_more, low, side="left")
    bounds = {"rank_best": best, "rank_worst": worst}
    return {"rank": rank} | {
        name: pd.Series(values, index=found.index, dtype="Int64").where(known) for name, values in bounds.items()
    }
