"""The passage between two geographies: which perimeters share ground, people or addresses, and by how much.

The geography of 2024 took the place of that of 2015, and every series broke. The crosswalk keeps all of both: a row for
each pair that shares something, and a row for each part that nothing on the other side covers, so that the shares of a
perimeter always add up to one. Nothing is dropped on the way, and the two sides are treated alike.

Outlines may be simplified, or drawn anew at another precision: what a shift of `tolerance_m` along the whole limit can
explain is not a change.

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
from qpvgeo.errors import DataError, UsageError
from qpvgeo.estimates import estimate_population
from qpvgeo.overlay import overlap
from qpvgeo.perimeter import PerimeterIndex
from qpvgeo.projection import reproject, to_metric
from qpvgeo.repairs import polygonal
from qpvgeo.tagging import tag_points

__all__ = ["CLASSES", "SIGNIFICANT_SHARE", "common_zones", "crosswalk", "crosswalk_classes"]

CLASSES = ("kept", "grown", "shrunk", "reshaped", "split", "merged", "new", "dropped")

SIGNIFICANT_SHARE = 0.05
"""Perimeters descend from each other when they share more than this part of one of them."""

_ROUNDING = 1e-12

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
        Position of the outlines, in metres. A pair that shares no more than a strip of that width along the shorter of
        the two limits is no pair: its ground is uncovered.

    Returns
    -------
    pandas.DataFrame
        A row per pair, in the order of `qpv_2015` then `qpv_2024`, then the parts of `qpv_2015` that nothing covers
        (`to` missing), then those of `qpv_2024` (`from` missing):

        - `from`, `to`: labels.
        - `area_m2`: ground shared, in the legal projection of the territory.
        - `from_share`, `to_share`: over the area of the one and of the other, 0 to 1; each adds up to one for a label.
        - `from_slack`, `to_slack`: part of the area of each that a shift of `tolerance_m` along its limit makes.
        - with weights, `population` and `households` (grid), `points` (points) or `population` (published), each with
          its `..._from_share` and `..._to_share`, missing where a perimeter holds none of it.

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
    strip = tolerance_m * np.minimum(
        sides[0]["length"].reindex(pairs["from"]).to_numpy(), sides[1]["length"].reindex(pairs["to"]).to_numpy()
    )
    pairs = pairs.loc[(pairs["area_m2"] > strip).to_numpy(), ["from", "to", "area_m2"]].reset_index(drop=True)
    sums = {"area_m2": [side["area"] for side in sides]}
    counted = _counted(pairs, qpv_2015[sides[0]["drawn"]], qpv_2024[sides[1]["drawn"]], weights)
    for name, (of_pairs, of_from, of_to) in counted.items():
        pairs[name] = of_pairs
        sums[name] = [of_from, of_to]
    frame = _with_uncovered(pairs, sums)
    for name, totals in sums.items():
        prefix = "" if name == "area_m2" else f"{name}_"
        for side, total in zip(("from", "to"), totals, strict=True):
            frame[f"{prefix}{side}_share"] = _share(frame, side, name, total)
    for side, about in zip(("from", "to"), sides, strict=True):
        slack = np.minimum(tolerance_m * about["length"] / about["area"], 1.0)
        frame[f"{side}_slack"] = slack.reindex(frame[side]).to_numpy()
    first = ["from", "to", "area_m2", "from_share", "to_share", "from_slack", "to_slack"]
    frame = frame[[*first, *(name for name in frame.columns if name not in first)]]
    return _stamped(frame, qpv_2015, qpv_2024, weights, tolerance_m, sides)


def _measured(layer: Any, name: str) -> dict[str, pd.Series]:  # noqa: ANN401
    """Area and length of the limit of each perimeter, in its legal projection, and which of them are drawn."""
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
        "area": pd.Series(shapely.area(metric), index=index),
        "length": pd.Series(shapely.length(metric), index=index),
    }


def _with_uncovered(pairs: pd.DataFrame, sums: Mapping[str, list[pd.Series]]) -> pd.DataFrame:
    """Pairs, then what of each side they leave uncovered."""
    parts = [pairs]
    for position, (side, other) in enumerate((("from", "to"), ("to", "from"))):
        left = pd.DataFrame(
            {
                name: total[position] - pairs.groupby(side)[name].sum().reindex(total[position].index, fill_value=0.0)
                for name, total in sums.items()
            }
        ).clip(lower=0.0)
        whole = sums["area_m2"][position]
        left = left[(left["area_m2"] > _ROUNDING * whole).to_numpy() | (left.drop(columns="area_m2") > 0).any(axis=1)]
        rows = left.rename_axis(side).reset_index()
        rows[other] = pd.array([pd.NA] * len(rows), dtype="str")
        parts.append(rows)
    frame = pd.concat([part for part in parts if len(part)] or [pairs], ignore_index=True)
    return frame.astype({"from": "str", "to": "str"})


def _share(frame: pd.DataFrame, side: str, name: str, total: pd.Series) -> Floats:
    """Share of each row in its perimeter of one side; of the sum of its rows, which may pass the whole by overlaps."""
    whole = np.maximum(frame.groupby(side)[name].sum().reindex(total.index), total.where(total > 0))
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


def crosswalk_classes(walk: pd.DataFrame) -> pd.DataFrame:
    """Say of each perimeter of both geographies what became of it, or where it comes from.

    Parameters
    ----------
    walk
        Frame of `crosswalk`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `code`, those of `from` then those of `to`: `side` (`from` or `to`), `class`, `relatives` (list of
        the codes on the other side that it descends from or that descend from it) and `covered_share` (of its area).

    Notes
    -----
    Two perimeters are relatives when they share more than 5 % of the area of one of them. A perimeter without a
    relative is `dropped` (before) or `new` (after). One relative on each side, and the two are a pair: `kept` when the
    ground lost and the ground gained are each no more than a shift of `tolerance_m` along the limit makes; `grown` when
    only ground was gained, `shrunk` when only some was lost, `reshaped` when both. One before and several after:
    `split`, all of them. Several before and one after: `merged`. Several on both sides: `reshaped`. Exchange the two
    geographies, and dropped and new, grown and shrunk, split and merged are exchanged, and nothing else.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> found = crosswalk_classes(crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)))
    >>> found.loc["QP099003", ["class", "relatives"]].tolist()
    ['split', ['QN09903M', 'QN09904M']]
    """
    schema.require_columns(
        walk,
        ["from", "to", "from_share", "to_share", "from_slack", "to_slack"],
        what="The crosswalk",
        way_out="Make it with qpvgeo.crosswalk().",
    )
    zone = common_zones(walk)
    related = _related(walk)
    covered = {
        side: walk[walk["from"].notna() & walk["to"].notna()].groupby(side)[f"{side}_share"].sum()
        for side in ("from", "to")
    }
    slack = {side: walk.groupby(side)[f"{side}_slack"].first() for side in ("from", "to")}
    members = {side: zone[zone["side"] == side].groupby("zone").size() for side in ("from", "to")}
    pair = related.set_index(related["from"].map(zone["zone"]))
    rows = []
    for code, (side, number) in zone[["side", "zone"]].iterrows():
        before, after = (int(members[name].get(number, 0)) for name in ("from", "to"))
        if not (before and after):
            kind = "dropped" if before else "new"
        elif before == after == 1:
            one, other = pair.loc[number, "from"], pair.loc[number, "to"]
            lost = 1 - pair.loc[number, "from_share"] > slack["from"][one] + _ROUNDING
            gained = 1 - pair.loc[number, "to_share"] > slack["to"][other] + _ROUNDING
            kind = ("reshaped" if gained else "shrunk") if lost else ("grown" if gained else "kept")
        else:
            kind = "split" if before == 1 else "merged" if after == 1 else "reshaped"
        other_side = "to" if side == "from" else "from"
        relatives = related.loc[related[side] == code, other_side].tolist()
        rows.append((code, side, kind, relatives, float(covered[side].get(code, 0.0))))
    frame = pd.DataFrame(rows, columns=["code", "side", "class", "relatives", "covered_share"]).set_index("code")
    frame.attrs = dict(walk.attrs)
    return frame


def _related(walk: pd.DataFrame) -> pd.DataFrame:
    """Pairs that share enough to descend from each other."""
    pairs = walk[walk["from"].notna() & walk["to"].notna()]
    return pairs[(pairs[["from_share", "to_share"]].max(axis=1) > SIGNIFICANT_SHARE).to_numpy()]


def common_zones(walk: pd.DataFrame) -> pd.DataFrame:
    """Group the perimeters of both geographies into the smallest zones that neither of them cuts.

    Series can be summed over a zone in both geographies without any assumption on who lives where inside it.

    Parameters
    ----------
    walk
        Frame of `crosswalk`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `code`, those of `from` then those of `to`: `side`, and `zone` (number from 0, in the order of the
        first code of each). Perimeters that share more than 5 % of one of them are in one zone, with all the others
        that these lead to.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> zones = common_zones(crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)))
    >>> zones.index[zones["zone"] == zones.loc["QP099003", "zone"]].tolist()
    ['QP099003', 'QN09903M', 'QN09904M']
    """
    codes = pd.concat(
        [walk[side].dropna().drop_duplicates().to_frame("code").assign(side=side) for side in ("from", "to")]
    )
    both = codes["code"][codes["code"].duplicated()]
    if len(both):
        raise DataError(
            "The two geographies have labels in common.",
            problems=map(str, both),
            way_out="Rename those of one of them, so that a label says which it is of.",
        )
    codes = codes.set_index("code")
    related = _related(walk)
    at = pd.Series(range(len(codes)), index=codes.index)
    left, right = (at.reindex(related[side]).to_numpy() for side in ("from", "to"))
    label = np.arange(len(codes))
    while True:
        # the lowest number of a zone spreads along its pairs
        spread = label.copy()
        np.minimum.at(spread, left, label[right])
        np.minimum.at(spread, right, label[left])
        spread = spread[spread]
        if (spread == label).all():
            break
        label = spread
    codes["zone"] = np.unique(label, return_inverse=True)[1]
    return codes
