"""The crosswalk of two geographies: which perimeters share area, people or addresses, and how much.

The geography of 2024 replaced that of 2015, and every series broke. The crosswalk keeps all of both: a row for each
pair that shares something, and a row for each part that nothing on the other side covers, so that the shares of a
perimeter always add up to one. Nothing is dropped on the way, and the two sides are treated alike.

Outlines may be simplified, or redrawn at another precision: area that is nowhere wider than `tolerance_m` is not a
change. How far the two layers draw what did not change apart is measured, and said first.

Source: décrets 2014-1750, 2014-1751 (2015) and 2023-1314, 2024-1212 (2024); the official list of ancestors has no
weights, and is audited against the geometry by `qpvgeo.geographies.audit_correspondence`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.errors import UsageError, judged
from qpvgeo.frames import provenance
from qpvgeo.geographies.crosswalk_layers import Pairs, Side, pairs_of, side_of
from qpvgeo.geographies.forms import shown
from qpvgeo.geographies.positional_shift import DEFAULT_TOLERANCE_M, Shift, shift_of
from qpvgeo.geographies.slivers import Uncovered, related, uncovered, wide
from qpvgeo.geographies.weights import Counted, Weights, area_of, basis_of, counted, grids_of
from qpvgeo.language import Note

__all__ = ["crosswalk"]

_FIRST = ("code_from", "code_to", "area_m2", "from_share", "to_share", "lost", "gained")
_ROUNDING = 1e-12
_SEEN_M = 0.05
"""Shift from which a note speaks of it: less is 0.0 m once it is rounded."""

Floats = npt.NDArray[np.float64]


@judged
def crosswalk(
    qpv_2015: gpd.GeoDataFrame | gpd.GeoSeries,
    qpv_2024: gpd.GeoDataFrame | gpd.GeoSeries,
    weights: Weights = None,
    *,
    tolerance_m: float | Literal["auto"] = DEFAULT_TOLERANCE_M,
) -> pd.DataFrame:
    """Give what each perimeter of one geography shares with each of another.

    Parameters
    ----------
    qpv_2015, qpv_2024
        Perimeters with a CRS, indexed by unique labels, which become text. Rows without an outline share nothing
        and are listed in `attrs["qpvgeo"]["without_outline"]`.
    weights
        What to count in the shared parts beside area: a grid of incomes (`qpvgeo.read_grid`: people and households,
        by area within a cell), or a list of grids, one for each territory; points, with a CRS (addresses, dwellings;
        counted once each, or by their column `weight`); or people by label of `qpv_2015`, published, which are shared
        out by area. None: area alone.
    tolerance_m
        How far the outlines may be from where they should, metres; `"auto"` takes the tolerance that fits the measured
        shift of the two layers. Area that is nowhere wider is not a change: a pair that shares no more than that is not
        a pair, its area is uncovered; unless it is more than 5 % of a perimeter that is nowhere wider itself. Uncovered
        area that is nowhere wider is not reported, so a larger tolerance also means less area, and fewer people and
        points, in the rows of what is uncovered: they stay with the pairs.

    Returns
    -------
    pandas.DataFrame
        A row per pair, in the order of `qpv_2015` then `qpv_2024`, then the parts of `qpv_2015` that nothing covers
        (`code_to` missing), then those of `qpv_2024` (`code_from` missing); uncovered area that is nowhere wider than
        the tolerance is no part unless points lie in it, and the shares of its perimeter add up to one without it:

        - `code_from`, `code_to`: labels.
        - `area_m2`: area shared, in the legal projection of the territory.
        - `from_share`, `to_share`: over the area of the one and of the other, 0 to 1; each adds up to one for a label.
        - `lost`, `gained`: whether some of `code_from` beyond `code_to`, and some of `code_to` beyond `code_from`, is
          wider than `tolerance_m`; missing for uncovered parts.
        - with weights, `population` and `households` (grid), `points` (points) or `population` (published), each with
          its `..._from_share` and `..._to_share`, missing where a perimeter holds none of it. A perimeter in which the
          grid has no cell at all has people that are missing, not 0; `attrs["qpvgeo"]["without_weight"]` lists them.
          Published people of the first geography say nothing of who lives beyond it: what it leaves uncovered of
          `code_to` is missing there, and so are the shares in `code_to`.

        `attrs["qpvgeo"]` holds `tolerance_m`, `shift` (number of `outlines` that are the same in both layers by
        their codes, `median_m` and `most_m` for nine in ten, `tolerance_m` that fits; None where nothing is known to
        be the same) and the notes, the first of them about the shift.

    Raises
    ------
    DataError
        Labels repeat, a CRS is missing, a geography has no outline at all, or an outline is invalid and cannot be
        repaired in the legal projection with its area: everything is listed.
    UsageError
        The tolerance is not a distance, or the weights are none of the forms.

    Notes
    -----
    The shift of an outline that is the same in both layers is the Hausdorff distance of its two boundaries. Outlines
    are the same when both layers name them alike, or when the code of 2024 ends in I (unchanged) and each is most of
    the other. The tolerance that fits is the shift of nine in ten, 1 m at least.

    Perimeters of one geography that overlap (by 73 m2 at most in 2015, some hundreds in simplified files of 2024) hold
    more of one of the other than there is: its pairs then divide what they cover together.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> walk = crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    >>> walk.loc[walk["code_from"] == "QP099003", ["code_to", "from_share"]].dropna().round(3).to_numpy().tolist()
    [['QN09903M', 0.449], ['QN09904M', 0.551]]
    >>> bool((abs(walk.groupby("code_from")["from_share"].sum() - 1) < 1e-9).all())
    True
    """
    _require_tolerance(tolerance_m)
    one, other = side_of(qpv_2015, "from"), side_of(qpv_2024, "to")
    pairs = pairs_of(one, other)
    shift = shift_of(pairs)
    tolerance = (shift.tolerance_m if shift else DEFAULT_TOLERANCE_M) if tolerance_m == "auto" else float(tolerance_m)
    if tolerance > 0:
        pairs = pairs.of(related(pairs, tolerance))
    changes = {"lost": wide(pairs, tolerance, "lost"), "gained": wide(pairs, tolerance, "gained")}
    left = [uncovered(pairs, side, changes, tolerance) for side in (one, other)]
    columns = {"area_m2": area_of(pairs, left), **counted(pairs, left, weights)}
    frame = _with_uncovered(pairs, columns, left)
    for name, totals in columns.items():
        prefix = "" if name == "area_m2" else f"{name}_"
        for side, total in zip((one, other), totals.whole, strict=True):
            frame[f"{prefix}{side.name}_share"] = _share(frame, side.name, name, side.by_label(total))
    for name, changed in changes.items():
        frame[name] = pd.Series(changed, dtype="boolean").reindex(frame.index)
    frame = frame[[*_FIRST, *(name for name in frame.columns if name not in _FIRST)]]
    layers, counts = [qpv_2015, qpv_2024], grids_of(weights) or ([] if weights is None else [weights])
    people = columns["population"].whole if "population" in columns else ()
    blank = [side.labels[np.isnan(whole)] for side, whole in zip((one, other), people, strict=False)]
    return provenance.stamp(
        frame,
        [record for layer in [*layers, *counts] for record in provenance.provenance(layer).get("files", [])],
        weights=basis_of(weights),
        fictional=provenance.is_fictional(*layers),
        tolerance_m=tolerance,
        shift=None if shift is None else shift._asdict(),
        without_outline=[code for side in (one, other) for code in side.undrawn],
        without_weight=[code for codes in blank for code in codes],
        notes=_notes(shift, tolerance, tolerance_m == "auto", (one, other), columns["area_m2"], left),
    )


def _require_tolerance(tolerance_m: object) -> None:
    if isinstance(tolerance_m, int | float) and not isinstance(tolerance_m, bool) and 0 <= tolerance_m < np.inf:
        return
    if not (isinstance(tolerance_m, str) and tolerance_m == "auto"):
        raise UsageError(
            Note("geographies.not_a_tolerance", given=shown(tolerance_m)),
            way_out=Note("geographies.not_a_tolerance_way_out"),
        )


def _notes(
    shift: Shift | None,
    tolerance_m: float,
    auto: bool,
    sides: tuple[Side, Side],
    area: Counted,
    left: Sequence[Uncovered],
) -> list[Note]:
    """What a reader of the crosswalk must know, the shift of the two layers first."""
    found = []
    if shift is not None and shift.most_m >= _SEEN_M:
        key = "geographies.shift" if shift.tolerance_m <= tolerance_m else "geographies.shift_beyond_tolerance"
        about = {"count": shift.outlines, "median_m": shift.median_m, "most_m": shift.most_m}
        found.append(Note(key, **about, fitting_m=shift.tolerance_m, tolerance_m=tolerance_m))
    elif shift is None and auto:
        found.append(Note("geographies.shift_not_measured", tolerance_m=tolerance_m))
    undrawn = [code for side in sides for code in side.undrawn]
    if undrawn:
        found.append(Note("geographies.without_outline", count=len(undrawn), codes=undrawn))
    repaired = [code for side in sides for code in side.repaired]
    if repaired:
        found.append(Note("geographies.repaired", count=len(repaired), codes=repaired))
    narrow = [float(beyond[part.closed].sum()) for beyond, part in zip(area.left, left, strict=True)]
    if sum(narrow) > 0 and tolerance_m > DEFAULT_TOLERANCE_M:
        km2 = {"before_km2": narrow[0] / 1e6, "after_km2": narrow[1] / 1e6}
        found.append(Note("geographies.within_tolerance", tolerance_m=tolerance_m, **km2))
    return found


def _with_uncovered(pairs: Pairs, columns: Mapping[str, Counted], left: Sequence[Uncovered]) -> pd.DataFrame:
    """Pairs, then what each side has uncovered; area that is nowhere wide is left out, unless points lie in it."""
    parts = [pairs.frame().assign(**{name: totals.pairs for name, totals in columns.items()})]
    for position, side in enumerate((pairs.one, pairs.other)):
        shown = ~left[position].closed
        if "points" in columns:
            shown = shown | (columns["points"].left[position] > 0)
        if shown.any():
            values = {name: totals.left[position][shown] for name, totals in columns.items()}
            parts.append(pd.DataFrame({f"code_{side.name}": side.labels[shown], **values}))
    frame = pd.concat([part for part in parts if len(part)] or [parts[0]], ignore_index=True)
    frame = frame.reindex(columns=["code_from", "code_to", *columns])
    return frame.astype({"code_from": "str", "code_to": "str"})


def _share(frame: pd.DataFrame, side: str, name: str, whole: pd.Series) -> Floats:
    """Share of each row in its perimeter of one side; missing where there is nothing, or not all is known.

    Pairs add up to more than there is where perimeters of the other side overlap: they divide what is covered.
    """
    given = frame[name].to_numpy(dtype=float)
    pair = (frame["code_from"].notna() & frame["code_to"].notna()).to_numpy()
    of = frame[f"code_{side}"]
    held, left = (pd.Series(np.where(kept, given, 0.0)).groupby(of.to_numpy()).sum() for kept in (pair, ~pair))
    total, covered, beyond = (part.reindex(of).to_numpy(dtype=float) for part in (whole, held, left))
    # a perimeter of which nothing is left over is divided between its pairs, to the last bit
    total = np.where((beyond == 0) & (covered > 0), covered, total)
    overlapped = pair & (covered + beyond > total * (1 + _ROUNDING))
    divided = np.divide(total - beyond, covered, out=np.ones(len(of)), where=overlapped)
    found: Floats = np.divide(given * divided, total, out=np.full(len(of), np.nan), where=total > 0)
    found = np.clip(found, 0.0, 1.0)
    # a row that is not known leaves the others without a share
    vague = frame[name].isna().groupby(of).any().reindex(of).to_numpy(dtype=bool, na_value=True)
    found[vague] = np.nan
    return found
