"""What became of each perimeter, and which of them belong together: read off the crosswalk of two geographies.

The rule is about ground alone and the same seen from both ends. It is ours: the letters of the codes of 2024 are the
ANCT's, and say what it changed, not by how much.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.errors import DataError, judged
from qpvgeo.geographies.forms import SIDES, crosswalk_form
from qpvgeo.geographies.slivers import SIGNIFICANT_SHARE
from qpvgeo.language import Note

__all__ = ["CLASSES", "common_zones", "components", "crosswalk_classes"]

Ints = npt.NDArray[np.intp]

CLASSES = ("kept", "grown", "shrunk", "reshaped", "split", "merged", "new", "dropped")


@judged
def crosswalk_classes(walk: pd.DataFrame) -> pd.DataFrame:
    """Say of each perimeter of both geographies what became of it, or where it comes from.

    Parameters
    ----------
    walk
        Frame of `crosswalk`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `code`, those of `code_from` then those of `code_to`:

        - `side`: `from` or `to`.
        - `change`: one of `CLASSES`.
        - `relatives`: list of the codes on the other side that it descends from, or that descend from it.
        - `covered_share`: of its area, 0 to 1.

    Raises
    ------
    DataError
        The frame is not a crosswalk, or a label is of both geographies.

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
    >>> found.loc["QP099003", ["change", "relatives"]].tolist()
    ['split', ['QN09903M', 'QN09904M']]
    """
    walk = crosswalk_form(walk, ["lost", "gained"])
    pairs = walk[walk["code_from"].notna() & walk["code_to"].notna()]
    related = pairs[(pairs[["from_share", "to_share"]].max(axis=1) > SIGNIFICANT_SHARE).to_numpy()]
    zone = _zones(walk, related)
    number = zone["zone"].to_numpy()
    size = int(number.max(initial=-1)) + 1
    before, after = (np.bincount(number[(zone["side"] == side).to_numpy()], minlength=size) for side in SIDES)
    of_pair = number[zone.index.get_indexer(related["code_from"])]
    alone = (before[of_pair] == 1) & (after[of_pair] == 1)
    changed = {}
    for part in ("lost", "gained"):
        changed[part] = np.zeros(size, dtype=bool)
        changed[part][of_pair[alone]] = related.loc[alone, part].astype("bool")
    kinds = np.select(
        [
            before == 0,
            after == 0,
            (before > 1) & (after > 1),
            before > 1,
            after > 1,
            changed["lost"] & changed["gained"],
            changed["lost"],
            changed["gained"],
        ],
        ["new", "dropped", "reshaped", "merged", "split", "reshaped", "shrunk", "grown"],
        default="kept",
    )
    relatives: dict[str, list[str]] = {}
    for one, other in zip(related["code_from"].tolist(), related["code_to"].tolist(), strict=True):
        relatives.setdefault(one, []).append(other)
        relatives.setdefault(other, []).append(one)
    covered = {side: pairs.groupby(f"code_{side}")[f"{side}_share"].sum().astype("float64").to_dict() for side in SIDES}
    rows = [
        (code, side, kind, relatives.get(code, []), covered[side].get(code, 0.0))
        for code, side, kind in zip(zone.index.tolist(), zone["side"].tolist(), kinds[number].tolist(), strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["code", "side", "change", "relatives", "covered_share"]).set_index("code")
    frame.attrs = dict(walk.attrs)
    return frame


@judged
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
        Indexed by `code`, those of `code_from` then those of `code_to`: `side`, `zone` (number from 0, in the order of
        the first code of each), and `whole`, whether both geographies cover all of the zone. Perimeters of a pair of
        the crosswalk are in one zone, with all the others that these lead to: its connected components.

    Raises
    ------
    DataError
        The frame is not a crosswalk, or a label is of both geographies.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> zones = common_zones(qg.crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024)))
    >>> zones.index[zones["zone"] == zones.loc["QP099003", "zone"]].tolist()
    ['QP099003', 'QN09903M', 'QN09904M']
    """
    walk = crosswalk_form(walk)
    pairs = walk["code_from"].notna() & walk["code_to"].notna()
    codes = _zones(walk, walk[pairs])
    alone = pd.concat([walk.loc[~pairs, f"code_{side}"].dropna() for side in SIDES])
    codes["whole"] = ~codes["zone"].isin(codes.loc[alone.unique(), "zone"])
    return codes


def _zones(walk: pd.DataFrame, related: pd.DataFrame) -> pd.DataFrame:
    """Codes of both geographies, each with its side and the number of the component of some pairs that it is in."""
    codes = pd.concat(
        [pd.DataFrame({"code": walk[f"code_{side}"].dropna().unique(), "side": side}) for side in SIDES],
        ignore_index=True,
    ).astype("str")
    both = codes["code"][codes["code"].duplicated()]
    if len(both):
        raise DataError(
            Note("geographies.common_labels"),
            problems=map(str, both),
            way_out=Note("geographies.common_labels_way_out"),
        )
    codes = codes.set_index("code")
    left, right = (codes.index.get_indexer(related[f"code_{side}"]) for side in SIDES)
    codes["zone"] = components(len(codes), left, right)
    return codes


def components(size: int, left: Ints, right: Ints) -> Ints:
    """Number the connected components of a graph, in the order of the first node of each.

    Parameters
    ----------
    size
        Number of nodes.
    left, right
        The two ends of each edge, as positions of nodes.

    Examples
    --------
    >>> components(5, np.array([3, 0]), np.array([4, 2])).tolist()
    [0, 1, 0, 2, 2]
    """
    label = np.arange(size)
    while True:
        # each node takes the first node that its neighbours know of, and then what that one knows
        known = label.copy()
        lowest = np.minimum(label[left], label[right])
        np.minimum.at(known, left, lowest)
        np.minimum.at(known, right, lowest)
        known = known[known]
        if (known == label).all():
            return np.unique(label, return_inverse=True)[1].astype(np.intp)
        label = known
