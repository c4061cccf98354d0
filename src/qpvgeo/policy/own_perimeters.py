"""Programmes with perimeters of their own, matched to QPV by the area, or by the people of a grid, that they share."""

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.geographies.slivers import SIGNIFICANT_SHARE
from qpvgeo.geometry.overlap_table import overlap
from qpvgeo.geometry.validity import polygonal
from qpvgeo.population.estimation import estimate_population

__all__ = ["Drawn", "match_perimeters"]


class Drawn(NamedTuple):
    """Matches of perimeters.

    Attributes
    ----------
    pairs
        `qpv_code`, `programme`, `code`, `share` (of the QPV), `basis` (`area` or `grid`).
    together
        By programme and QPV, the share that several of its perimeters cover together: less than their sum where they
        overlap.
    slivers
        How many matches were left out, for being slivers of both sides.
    """

    pairs: pd.DataFrame
    together: dict[str, dict[str, float]]
    slivers: int

    @classmethod
    def nothing(cls) -> "Drawn":
        """No perimeter at all."""
        return cls(pd.DataFrame(columns=["qpv_code", "programme", "code", "share", "basis"], dtype="object"), {}, 0)


def match_perimeters(qpv: gpd.GeoDataFrame, outlines: gpd.GeoSeries, grid: pd.DataFrame | None) -> Drawn:
    """Match the perimeters of programmes to QPV.

    Parameters
    ----------
    qpv
        QPV frame.
    outlines
        Polygons on `programme` and `code`.
    grid
        Income grid, to share by people rather than by area; where it has nobody, area decides.
    """
    met, slivers = _met(qpv, outlines)
    names = met.pop("right").map(dict(enumerate(outlines.index)))
    met["programme"], met["code"] = names.str[0], names.str[1]
    pairs = _shared(met, qpv, outlines, grid)
    several = pairs.groupby(["programme", "qpv_code"])["code"].transform("size") > 1
    together: dict[str, dict[str, float]] = {}
    if several.any():
        again = pairs[several].drop_duplicates(["programme", "qpv_code"])
        keys = outlines.index.get_level_values(0)
        unions = outlines.groupby(keys.to_numpy()).agg(lambda shapes: shapely.union_all(shapes.to_numpy()))
        unions = gpd.GeoSeries(unions.to_numpy(), index=unions.index, crs=outlines.crs)
        areas = overlap(qpv.geometry, unions).set_index(["right", "left"])["left_share"]
        at = pd.MultiIndex.from_frame(again[["programme", "qpv_code"]])
        whole = _shared(again.assign(share=areas.reindex(at).to_numpy()), qpv, unions, grid)
        for row in whole.itertuples():
            together.setdefault(str(row.programme), {})[str(row.qpv_code)] = float(row.share)
    return Drawn(pairs, together, slivers)


def _met(qpv: gpd.GeoDataFrame, outlines: gpd.GeoSeries) -> tuple[pd.DataFrame, int]:
    """Pairs that share more than slivers, with the share of the QPV, and how many do not."""
    found = overlap(qpv.geometry, gpd.GeoSeries(outlines.to_numpy(), crs=outlines.crs))
    kept = (found["left_share"] > SIGNIFICANT_SHARE) | (found["right_share"] > SIGNIFICANT_SHARE)
    pairs = found[kept].rename(columns={"left": "qpv_code", "left_share": "share"})
    return pairs[["qpv_code", "right", "share"]].reset_index(drop=True), int((~kept).sum())


def _shared(
    pairs: pd.DataFrame, qpv: gpd.GeoDataFrame, outlines: gpd.GeoSeries, grid: pd.DataFrame | None
) -> pd.DataFrame:
    """Pairs with the share of the people where the grid has some, else that of the area."""
    pairs = pairs.reset_index(drop=True).assign(basis="area")
    if grid is None or not len(pairs):
        return pairs
    several = outlines.index.nlevels > 1
    keys = pd.MultiIndex.from_frame(pairs[["programme", "code"]]) if several else pd.Index(pairs["programme"])
    shapes = shapely.make_valid(outlines.to_crs(qpv.crs).reindex(keys).to_numpy())
    own = shapely.make_valid(qpv.geometry.reindex(pairs["qpv_code"]).to_numpy())
    both = gpd.GeoSeries(np.concatenate([polygonal(shapely.intersection(own, shapes)), own]), crs=qpv.crs)
    people = estimate_population(both, grid)["estimate"].to_numpy(float)
    part, whole = people[: len(pairs)], people[len(pairs) :]
    known = np.isfinite(part) & (whole > 0)
    share = np.where(known, np.clip(part / np.where(known, whole, 1), 0, 1), pairs["share"])
    return pairs.assign(share=share, basis=np.where(known, "grid", "area"))
