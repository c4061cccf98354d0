"""The passage between two geographies: which perimeters share ground, people or addresses, and by how much.

The geography of 2024 took the place of that of 2015, and every series broke. The crosswalk keeps all of both: a row for
each pair that shares something, and a row for each part that nothing on the other side covers, so that the shares of a
perimeter always add up to one. Nothing is dropped on the way, and the two sides are treated alike.

Outlines may be simplified, or drawn anew at another precision: ground that is nowhere wider than `tolerance_m` is not
a change.

Source: décrets 2014-1750, 2014-1751 (2015) and 2023-1314, 2024-1212 (2024); the official list of ancestors has no
weights, and is audited against the geometry by `qpvgeo.audit_correspondence`.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import schema
from qpvgeo.changes import closed, wide
from qpvgeo.errors import DataError, UsageError
from qpvgeo.estimates import estimate_population
from qpvgeo.overlay import overlap
from qpvgeo.perimeter import PerimeterIndex
from qpvgeo.projection import reproject, to_metric
from qpvgeo.repairs import polygonal
from qpvgeo.tagging import tag_points

__all__ = ["crosswalk"]

Floats = npt.NDArray[np.float64]
Weights: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | pd.DataFrame | pd.Series | None


def crosswalk(
    qpv_2015: gpd.GeoDataFrame | gpd.GeoSeries,
    qpv_2024: gpd.GeoDataFrame | gpd.GeoSeries,
    weights: Weights = None,
    *,
    tolerance_m: float = 1.0,
) -> pd.DataFrame:
    """Give what each perimeter of one geography shares with each of another.

    Parameters
    ----------
    qpv_2015, qpv_2024
        Valid perimeters with a CRS, indexed by unique labels. Rows without an outline share nothing and are listed in
        `attrs["qpvgeo"]["without_outline"]`.
    weights
        What to count in the shared parts beside ground: a grid of incomes (`qpvgeo.read_grid`: people and households,
        by area within a cell); points, with a CRS (addresses, dwellings; counted once each, or by their column
        `weight`); or people by label of `qpv_2015`, published, which are shared out by area. None: ground alone.
    tolerance_m
        How far the outlines may be from where they should, metres; 30 to 40 for the simplified files of 2024 that
        circulate. Ground that is nowhere wider is not a change: a pair that shares no more than that is no pair, its
        ground is uncovered.

    Returns
    -------
    pandas.DataFrame
        A row per pair, in the order of `qpv_2015` then `qpv_2024`, then the parts of `qpv_2015` that nothing covers
        (`to` missing), then those of `qpv_2024` (`from` missing); uncovered ground that is nowhere wider than the
        tolerance is no part, and the shares of its perimeter add up to one without it:

        - `from`, `to`: labels.
        - `area_m2`: ground shared, in the legal projection of the territory.
        - `from_share`, `to_share`: over the area of the one and of the other, 0 to 1; each adds up to one for a label.
        - `lost`, `gained`: whether some of `from` beyond `to`, and some of `to` beyond `from`, is wider than
          `tolerance_m`; missing for uncovered parts.
        - with weights, `population` and `households` (grid), `points` (points) or `population` (published), each with
          its `..._from_share` and `..._to_share`, missing where a perimeter holds none of it. Published people of the
          first geography say nothing of who lives beyond it: what it leaves uncovered of `to` is missing there, and so
          are the shares in `to`.

    Raises
    ------
    DataError
        Labels repeat, outlines are invalid, a CRS is missing: everything is listed.
    UsageError
        The tolerance is no distance, or the weights are none of the forms.

    Notes
    -----
    Perimeters of one geography that overlap (by 73 m2 at most in 2015) would be covered by more than all of their
    ground: shares are then brought back to one.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> walk = crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    >>> walk.loc[walk["from"] == "QP099003", ["to", "from_share"]].dropna().round(3).to_numpy().tolist()
    [['QN09903M', 0.449], ['QN09904M', 0.551]]
    >>> bool((abs(walk.groupby("from")["from_share"].sum() - 1) < 1e-9).all())
    True
    """
    if not (np.isfinite(tolerance_m) and tolerance_m >= 0):
        raise UsageError(f"tolerance_m={tolerance_m!r} is no distance in metres.")
    sides = [_measured(layer, name) for layer, name in ((qpv_2015, "first"), (qpv_2024, "second"))]
    pairs = overlap(qpv_2015[sides[0]["drawn"]], qpv_2024[sides[1]["drawn"]]).rename(
        columns={"left": "from", "right": "to"}
    )
    pairs = pairs[["from", "to", "area_m2"]]
    if tolerance_m > 0:
        pairs = pairs[wide(pairs, sides, tolerance_m, "shared")].reset_index(drop=True)
    changes = {"lost": wide(pairs, sides, tolerance_m, "lost"), "gained": wide(pairs, sides, tolerance_m, "gained")}
    sums = {"area_m2": [side["area"] for side in sides]}
    counted = _counted(pairs, qpv_2015[sides[0]["drawn"]], qpv_2024[sides[1]["drawn"]], weights)
    for name, (of_pairs, of_from, of_to) in counted.items():
        pairs[name] = of_pairs
        sums[name] = [of_from, of_to]
    covered = closed(pairs, sides, changes, tolerance_m)
    if isinstance(weights, pd.Series):
        # who lives beyond the first geography is not told by it
        sums["population"][1] = sums["population"][1].where(covered[1])
    frame = _with_uncovered(pairs, sums, covered)
    for name, totals in sums.items():
        prefix = "" if name == "area_m2" else f"{name}_"
        for side, total, whole in zip(("from", "to"), totals, covered, strict=True):
            frame[f"{prefix}{side}_share"] = _share(frame, side, name, total.mask(whole))
    for name, changed in changes.items():
        frame[name] = pd.Series(changed, dtype="boolean").reindex(frame.index)
    first = ["from", "to", "area_m2", "from_share", "to_share", "lost", "gained"]
    frame = frame[[*first, *(name for name in frame.columns if name not in first)]]
    return _stamped(frame, qpv_2015, qpv_2024, weights, tolerance_m, sides)


def _measured(layer: Any, name: str) -> dict[str, pd.Series]:  # noqa: ANN401
    """Outline in the legal projection and area of each perimeter, and which of them are drawn."""
    repeated = layer.index[layer.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"Labels stand several times in the {name} geography.",
            problems=map(str, repeated),
            way_out="Give each perimeter one row.",
        )
    shapes = layer.geometry
    drawn = ~(shapes.isna() | shapes.is_empty)
    metric, _ = to_metric(shapes[drawn].to_numpy(), layer.crs, what=f"perimeters of the {name} geography")
    index = layer.index[drawn.to_numpy()]
    return {
        "drawn": drawn,
        "outline": pd.Series(metric, index=index, dtype=object),
        "area": pd.Series(shapely.area(metric), index=index),
    }


def _with_uncovered(pairs: pd.DataFrame, sums: Mapping[str, list[pd.Series]], covered: list[pd.Series]) -> pd.DataFrame:
    """Pairs, then what of each side they leave uncovered; ground that is nowhere wide is left out."""
    parts = [pairs]
    for position, (side, other) in enumerate((("from", "to"), ("to", "from"))):
        labels = covered[position].index[~covered[position]]
        held = pairs.groupby(side)[list(sums)].sum().reindex(labels, fill_value=0.0)
        left = pd.DataFrame({name: total[position].reindex(labels) - held[name] for name, total in sums.items()})
        rows = left.clip(lower=0.0).rename_axis(side).reset_index()
        rows[other] = pd.array([pd.NA] * len(rows), dtype="str")
        parts.append(rows)
    frame = pd.concat([part for part in parts if len(part)] or [pairs], ignore_index=True)
    return frame.astype({"from": "str", "to": "str"})


def _share(frame: pd.DataFrame, side: str, name: str, total: pd.Series) -> Floats:
    """Share of each row in its perimeter of one side: of the total, or of the sum of its rows where there is none.

    Rows may add up to more than the total, where perimeters of the other side overlap.
    """
    held = frame.groupby(side)[name].sum(min_count=1).reindex(total.index)
    whole = np.fmax(held, total)
    # a row that is not known leaves the others without a share
    whole = whole.mask(frame[name].isna().groupby(frame[side]).any().reindex(total.index, fill_value=False))
    of = whole.reindex(frame[side]).to_numpy(dtype=float)
    given = frame[name].to_numpy(dtype=float)
    found: Floats = np.divide(given, of, out=np.full(len(frame), np.nan), where=of > 0)
    return found


Counted = dict[str, tuple[Floats, pd.Series, pd.Series]]


def _counted(pairs: pd.DataFrame, one: Any, other: Any, weights: Any) -> Counted:  # noqa: ANN401
    """What is counted beside ground: in the pairs, in all of each perimeter of one side, and of the other."""
    if weights is None:
        return {}
    if isinstance(weights, gpd.GeoDataFrame | gpd.GeoSeries):
        return _points(pairs, one, other, weights)
    if isinstance(weights, pd.Series):
        return _published(pairs, one, other, weights)
    if isinstance(weights, pd.DataFrame) and "population" in weights.columns:
        return _grid(pairs, one, other, weights)
    raise UsageError(
        f"Weights cannot be a {type(weights).__name__}.",
        way_out="Give a grid of qpvgeo.read_grid(), points as a GeoDataFrame, or people by label as a Series.",
    )


def _grid(pairs: pd.DataFrame, one: Any, other: Any, grid: pd.DataFrame) -> Counted:  # noqa: ANN401
    pieces = _pieces(pairs, one, other)
    found = [estimate_population(layer, grid) for layer in (pieces, one, other)]
    return {
        name: (
            found[0][column].fillna(0.0).to_numpy(),
            found[1][column].fillna(0.0),
            found[2][column].fillna(0.0),
        )
        for name, column in (("population", "estimate"), ("households", "households"))
    }


def _pieces(pairs: pd.DataFrame, one: Any, other: Any) -> gpd.GeoSeries:  # noqa: ANN401
    """Ground that each pair shares, in the projection of the first geography."""
    left = one.geometry.to_numpy()[one.index.get_indexer(pairs["from"])]
    right = reproject(other.geometry.to_numpy(), other.crs, one.crs)[other.index.get_indexer(pairs["to"])]
    return gpd.GeoSeries(polygonal(shapely.intersection(left, right)), crs=one.crs)


def _points(pairs: pd.DataFrame, one: Any, other: Any, points: Any) -> Counted:  # noqa: ANN401
    held = [
        tag_points(points, PerimeterIndex(layer.geometry, reach_m=0.0), bands=())["qpv_code"].astype("str").to_numpy()
        for layer in (one, other)
    ]
    weight = np.ones(len(points))
    if isinstance(points, gpd.GeoDataFrame) and "weight" in points.columns:
        weight = points["weight"].to_numpy(dtype=float, na_value=np.nan)
        wrong = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
        if len(wrong):
            raise DataError(
                f"{len(wrong)} points have no usable weight.",
                problems=[f"{points.index[row]}: {points['weight'].iloc[row]!r}" for row in wrong],
                way_out="A weight is a number of homes: 0 or more.",
            )
    table = pd.DataFrame({"from": held[0], "to": held[1], "points": weight})
    both = table.groupby(["from", "to"])["points"].sum()
    keys = pd.MultiIndex.from_frame(pairs[["from", "to"]].astype("str"))
    sides = [
        table.groupby(side)["points"].sum().reindex(layer.index.astype("str"), fill_value=0.0).set_axis(layer.index)
        for side, layer in (("from", one), ("to", other))
    ]
    return {"points": (both.reindex(keys, fill_value=0.0).to_numpy(), sides[0], sides[1])}


def _published(pairs: pd.DataFrame, one: Any, other: Any, people: pd.Series) -> Counted:  # noqa: ANN401
    given = people.reindex(one.index).astype(float)
    absent = one.index[given.isna()]
    if len(absent):
        raise DataError(
            f"{len(absent)} perimeters have no population.",
            problems=map(str, absent),
            way_out="Give people for each label of the first geography, or leave these perimeters out.",
        )
    metric, _ = to_metric(one.geometry.to_numpy(), one.crs)
    area = pd.Series(shapely.area(metric), index=one.index)
    density = given / area
    of_pairs = pairs["area_m2"].to_numpy() * density.reindex(pairs["from"]).to_numpy()
    of_to = pd.Series(of_pairs).groupby(pairs["to"].to_numpy()).sum().reindex(other.index, fill_value=0.0)
    return {"population": (of_pairs, given, of_to)}


def _stamped(
    frame: pd.DataFrame,
    one: Any,  # noqa: ANN401
    other: Any,  # noqa: ANN401
    weights: Any,  # noqa: ANN401
    tolerance_m: float,
    sides: list[dict[str, pd.Series]],
) -> pd.DataFrame:
    basis = {pd.Series: "published, by area", pd.DataFrame: "grid, by area", type(None): None}
    layers = [one, other, *([weights] if isinstance(weights, pd.DataFrame) else [])]
    return schema.stamp(
        frame,
        [record for layer in layers for record in schema.provenance(layer).get("files", [])],
        tolerance_m=tolerance_m,
        weights=basis.get(type(weights), "points"),
        without_outline=[str(code) for side in sides for code in side["drawn"].index[~side["drawn"]]],
        fictional=schema.is_fictional(one, other),
    )
