"""What became of each perimeter, and which of them belong together: read off the crosswalk of two geographies.

The rule is about ground alone and the same seen from both ends. It is ours: the letters of the codes of 2024 are the
ANCT's, and say what it changed, not by how much.
"""

import numpy as np
import pandas as pd

from qpvgeo.errors import DataError
from qpvgeo.frames import require
from qpvgeo.geographies.slivers import SIGNIFICANT_SHARE

__all__ = ["CLASSES", "common_zones", "crosswalk_classes"]

CLASSES = ("kept", "grown", "shrunk", "reshaped", "split", "merged", "new", "dropped")


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

    Raises
    ------
    DataError
        The frame is no crosswalk, or a label is of both geographies.

    Notes
    -----
    Two perimeters are relatives when they share more than 5 % of the area of one of them. A perimeter without a
    relative is `dropped` (before) or `new` (after). One relative on each side, and the two are a pair: `kept` when no
    ground lost or gained is anywhere wider than the `tolerance_m` of the crosswalk; `grown` when only ground gained is,
    `shrunk` when only ground lost is, `reshaped` when both. One before and several after: `split`, all of them. Several
    before and one after: `merged`. Several on both sides: `reshaped`. Exchange the two geographies, and dropped and
    new, grown and shrunk, split and merged are exchanged, and nothing else.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> found = crosswalk_classes(qg.crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)))
    >>> found.loc["QP099003", ["class", "relatives"]].tolist()
    ['split', ['QN09903M', 'QN09904M']]
    """
    _require(walk)
    related = _related(walk)
    zone = _zones(walk, related)
    covered = {
        side: walk[walk["from"].notna() & walk["to"].notna()].groupby(side)[f"{side}_share"].sum()
        for side in ("from", "to")
    }
    members = {side: zone[zone["side"] == side].groupby("zone").size() for side in ("from", "to")}
    pair = related.set_index(related["from"].map(zone["zone"]))
    of = {side: related.groupby(side)[other].agg(list).to_dict() for side, other in (("from", "to"), ("to", "from"))}
    rows = []
    for code, (side, number) in zone[["side", "zone"]].iterrows():
        before, after = (int(members[name].get(number, 0)) for name in ("from", "to"))
        if not (before and after):
            kind = "dropped" if before else "new"
        elif before == after == 1:
            lost, gained = pair.loc[number, "lost"], pair.loc[number, "gained"]
            kind = ("reshaped" if gained else "shrunk") if lost else ("grown" if gained else "kept")
        else:
            kind = "split" if before == 1 else "merged" if after == 1 else "reshaped"
        rows.append((code, side, kind, of[side].get(code, []), float(covered[side].get(code, 0.0))))
    frame = pd.DataFrame(rows, columns=["code", "side", "class", "relatives", "covered_share"]).set_index("code")
    frame.attrs = dict(walk.attrs)
    return frame


def _related(walk: pd.DataFrame) -> pd.DataFrame:
    """Pairs that share enough to descend from each other."""
    pairs = walk[walk["from"].notna() & walk["to"].notna()]
    return pairs[(pairs[["from_share", "to_share"]].max(axis=1) > SIGNIFICANT_SHARE).to_numpy()]


def common_zones(walk: pd.DataFrame) -> pd.DataFrame:
    """Group the perimeters of both geographies into the smallest zones that no perimeter of either cuts.

    Series can be summed over a zone in both geographies without any assumption on who lives where inside it. Where one
    of them covers more ground than the other (`whole` is False), the two sums are not of the same ground.

    Parameters
    ----------
    walk
        Frame of `crosswalk`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `code`, those of `from` then those of `to`: `side`, `zone` (number from 0, in the order of the
        first code of each), and `whole`, whether both geographies cover all of the zone. Perimeters of a pair of the
        crosswalk are in one zone, with all the others that these lead to: the components of the crosswalk.

    Raises
    ------
    DataError
        The frame is no crosswalk, or a label is of both geographies.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> zones = common_zones(qg.crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)))
    >>> zones.index[zones["zone"] == zones.loc["QP099003", "zone"]].tolist()
    ['QP099003', 'QN09903M', 'QN09904M']
    """
    _require(walk)
    pairs = walk["from"].notna() & walk["to"].notna()
    codes = _zones(walk, walk[pairs])
    alone = pd.concat([walk.loc[~pairs, side].dropna() for side in ("from", "to")])
    codes["whole"] = ~codes["zone"].isin(codes.loc[alone.unique(), "zone"])
    return codes


def _require(walk: pd.DataFrame) -> None:
    require.require_columns(
        walk,
        ["from", "to", "from_share", "to_share", "lost", "gained"],
        what="The crosswalk",
        way_out="Make it with qpvgeo.crosswalk().",
    )


def _zones(walk: pd.DataFrame, related: pd.DataFrame) -> pd.DataFrame:
    """Codes of both geographies, each with its side and the number of the component of some pairs that it is in."""
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
    at = pd.Series(np.arange(len(codes)), index=codes.index)
    left, right = (at.reindex(related[side]).to_numpy(dtype=np.intp) for side in ("from", "to"))
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
