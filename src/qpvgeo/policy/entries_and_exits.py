"""What changed for each QPV between the geographies of 2015 and 2024, and how many people came in or went out.

People who live in the part that only one geography holds are counted on the cells of an income grid where one is given,
between the cells wholly inside that part and all those that it touches. Without a grid the published people of the
QPV are shared out by area, and the bounds are those that nothing contradicts: nobody, and everybody.
"""

from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import forms
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.geographies.crosswalk_table import crosswalk
from qpvgeo.geographies.outcomes import crosswalk_classes
from qpvgeo.language import Note
from qpvgeo.population.estimation import estimate_population

__all__ = ["CHANGE_COLUMNS", "people_in_and_out"]

CHANGE_COLUMNS = (
    "change",
    "related",
    "gained_low",
    "gained",
    "gained_high",
    "lost_low",
    "lost",
    "lost_high",
    "basis",
)
"""Columns of the result, in order."""

_BOUNDS = ("low", "estimate", "high")
_WHOLE = 1 - 1e-9


@judged
def people_in_and_out(
    qpv_2015: gpd.GeoDataFrame,
    qpv_2024: gpd.GeoDataFrame,
    *,
    grid: pd.DataFrame | None = None,
    population_2015: pd.DataFrame | pd.Series | None = None,
    population_2024: pd.DataFrame | pd.Series | None = None,
    tolerance_m: float | Literal["auto"] = "auto",
) -> pd.DataFrame:
    """Say what became of each QPV, and how many people entered or left the quartiers there.

    Parameters
    ----------
    qpv_2015, qpv_2024
        Frames of `qpvgeo.read_qpv`.
    grid
        Frame of `qpvgeo.read_grid`, to count the people of the parts that changed.
    population_2015, population_2024
        Published people of the QPV, for those that the grid does not cover.
    tolerance_m
        That of `qpvgeo.crosswalk`: by default the one that fits the shift measured between the two layers, so that
        outlines which were only simplified are kept.

    Returns
    -------
    pandas.DataFrame
        Indexed by `qpv_code`, those of 2024 then those of 2015:

        - `change` (`qpvgeo.geographies.crosswalk_classes`) and `related`, the QPV of the other geography, joined by
          commas;
        - `gained_low`, `gained`, `gained_high`: people of the ground that is in the geography of 2024 alone. For a QPV
          of 2015, that of the QPV of 2024 of which it is the main ancestor;
        - `lost_low`, `lost`, `lost_high`: people of the ground that was in the geography of 2015 alone. For a QPV of
          2024,
          that of the QPV of 2015 of which it is the main descendant: each loss is counted once;
        - `basis`: `grid` (fiscal households), `area` (published people, shared out by area), or missing where neither
          says how many.

        Ground that is nowhere wider than the tolerance of the crosswalk is no change: 0.

    Raises
    ------
    DataError
        Perimeters without a CRS or on repeated labels, or a frame that is not a grid.
    UsageError
        The two frames are not of the geographies of 2015 and 2024, or the tolerance is not a distance.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> before, now = qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)
    >>> found = people_in_and_out(before, now, grid=qg.read_grid(sample.grid_2019))
    >>> found.loc["QN09907N", ["change", "basis"]].tolist(), bool(found.loc["QN09907N", "gained"] > 1_000)
    (['new', 'grid'], True)
    """
    for frame, year in ((qpv_2015, 2015), (qpv_2024, 2024)):
        if not isinstance(frame, gpd.GeoDataFrame) or set(frame.get("vintage", [])) - {year}:
            raise UsageError(Note("policy.not_of_year", year=year), way_out=Note("policy.not_of_year_way_out"))
    walk = crosswalk(qpv_2015, qpv_2024, tolerance_m=tolerance_m)
    classes = crosswalk_classes(walk)
    layers = {"from": qpv_2015, "to": qpv_2024}
    people = {"from": population_2015, "to": population_2024}
    alone = {
        side: _alone(walk, side, layers[side], layers[other], people[side], grid)
        for side, other in (("from", "to"), ("to", "from"))
    }
    parts = []
    for side, other, first, second in (("to", "from", "gained", "lost"), ("from", "to", "lost", "gained")):
        frame = pd.DataFrame(index=layers[side].index.astype("str"))
        frame["change"] = classes["change"].reindex(frame.index).astype("str")
        frame["related"] = classes["relatives"].reindex(frame.index).map(_joined).astype("str")
        passed = _passed(alone[other], _takers(walk, other), frame.index)
        for prefix, part in ((first, alone[side]), (second, passed)):
            for name, column in zip(_BOUNDS, (f"{prefix}_low", prefix, f"{prefix}_high"), strict=True):
                frame[column] = part[name].reindex(frame.index).astype("Float64")
        frame["basis"] = alone[side]["basis"].reindex(frame.index).astype("str")
        parts.append(frame[list(CHANGE_COLUMNS)])
    found = pd.concat(parts).rename_axis("qpv_code")
    given = (qpv_2015, qpv_2024, grid, population_2015, population_2024)
    frames = [frame for frame in given if isinstance(frame, pd.DataFrame)]
    return stamp(
        found,
        [record for frame in frames for record in provenance(frame).get("files", [])],
        tolerance_m=provenance(walk).get("tolerance_m"),
        fictional=is_fictional(*frames),
        notes=[
            *provenance(walk).get("notes", []),
            Note("policy.change_by_area" if grid is None else "policy.change_on_cells"),
        ],
    )


def _joined(codes: Any) -> str:  # noqa: ANN401 - a list of codes, or missing
    return ", ".join(codes) if isinstance(codes, list) else ""


def _alone(
    walk: pd.DataFrame,
    side: str,
    qpv: gpd.GeoDataFrame,
    others: gpd.GeoDataFrame,
    population: pd.DataFrame | pd.Series | None,
    grid: pd.DataFrame | None,
) -> pd.DataFrame:
    """People of the ground that one geography holds alone, by QPV of it."""
    rows = walk[walk["code_to" if side == "from" else "code_from"].isna()].set_index(f"code_{side}")
    labels = qpv.index.astype("str")
    share = rows[f"{side}_share"].reindex(labels).fillna(0.0).to_numpy(float)
    people = forms.align_population(qpv.index, population).astype("Float64").to_numpy(float, na_value=np.nan)
    changed = share > 0
    # all of a QPV that nothing covers is on new ground, or on ground given up
    least = np.where(share >= _WHOLE, people, people * 0)
    figures = np.where(changed, [least, people * share, people], 0.0)
    basis = np.full(len(share), "area" if grid is None else "grid", dtype=object)
    basis[changed & np.isnan(people)] = None
    if grid is not None and changed.any():
        counted = estimate_population(_ground(qpv.geometry[changed], others.geometry), grid)
        known = counted["estimate"].notna().to_numpy() & (counted["cells"] > 0).to_numpy()
        at = np.flatnonzero(changed)
        figures[:, at[known]] = counted.loc[known, list(_BOUNDS)].to_numpy(float).T
        basis[at[~known & ~np.isnan(people[at])]] = "area"
        basis[at[known]] = "grid"
    return pd.DataFrame(dict(zip(_BOUNDS, figures, strict=True)) | {"basis": basis}, index=labels)


def _ground(changed: gpd.GeoSeries, others: gpd.GeoSeries) -> gpd.GeoSeries:
    """Ground of QPV that no QPV of the other geography covers."""
    there = shapely.make_valid(others.to_crs(changed.crs).to_numpy())
    tree = shapely.STRtree(there)
    left = []
    for shape in shapely.make_valid(changed.to_numpy()):
        near = there[tree.query(shape, predicate="intersects")]
        left.append(shapely.difference(shape, shapely.union_all(near)) if len(near) else shape)
    return gpd.GeoSeries(left, index=changed.index.astype("str"), crs=changed.crs)


def _takers(walk: pd.DataFrame, side: str) -> pd.Series:
    """For each QPV of a side, the one of the other that holds most of its ground."""
    other = "to" if side == "from" else "from"
    pairs = walk.dropna(subset=["code_from", "code_to"]).sort_values("area_m2", ascending=False, kind="stable")
    return pairs.drop_duplicates(f"code_{side}").set_index(f"code_{side}")[f"code_{other}"]


def _passed(alone: pd.DataFrame, takers: pd.Series, index: pd.Index) -> pd.DataFrame:
    """People of the ground of the other side, each given once."""
    given = forms.whole_sums(alone[list(_BOUNDS)].groupby(takers.reindex(alone.index)))
    found = given.reindex(index)
    found[~index.isin(given.index)] = 0.0
    return found
