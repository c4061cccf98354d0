"""What is wrong with a frame of perimeters: invalid outlines, overlaps, slivers, codes, counts against the lists.

Nothing is changed here. A finding says what to do about it, or what was done when the file was read.
"""

from collections.abc import Hashable, Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo import facts
from qpvgeo.codes import official
from qpvgeo.errors import judged
from qpvgeo.frames import provenance
from qpvgeo.frames.require import require_outlines
from qpvgeo.geometry.validity import Repaired, in_metres, judge
from qpvgeo.language import Note

__all__ = ["FINDING_COLUMNS", "MIN_OVERLAP_M2", "SLIVER_M", "check"]

FINDING_COLUMNS = ("code", "row", "level", "kind", "problem", "area_m2", "action")

MIN_OVERLAP_M2 = 0.01
"""Neighbours draw their common boundary twice: an overlap below a square decimetre is rounding."""

SLIVER_M = 1.0
"""Mean width (twice the area over the perimeter) under which a part or a hole is a sliver."""

_MOST_LISTS = 2


@judged
def check(qpv: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find what is wrong with perimeters.

    Parameters
    ----------
    qpv
        QPV frame (`qpvgeo.read_qpv`, with or without repair), or any polygons indexed by QPV code with a CRS.

    Returns
    -------
    pandas.DataFrame
        A row per finding, gravest first:

        - `code`: QPV, or pair of QPV; missing for a finding on the whole frame.
        - `row`: position in the frame, from 0; missing likewise.
        - `level`: `error` (the row cannot be used as it is) or `warning`.
        - `kind`: `code`, `duplicate`, `no outline`, `invalid`, `repaired`, `overlap`, `same outline`, `sliver`,
          `count`.
        - `problem`, `action`: what is wrong, and what to do or what was done.
        - `area_m2`: area concerned, in the legal projection; missing where there is none.

        Empty when nothing is wrong. `invalid` is judged in the legal projection of each territory, as by
        `qpvgeo.repair`: the two find the same outlines.

    Raises
    ------
    UsageError
        `qpv` is not a frame with outlines.
    DataError
        The frame has no CRS, or outlines lie outside France.

    Notes
    -----
    Counts are compared with the lists of the decrees (`qpvgeo.facts.table("lists")`), territory by territory, for the
    territories that the frame holds.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> found = qg.check(qg.read_qpv(qg.sample().qpv_2015, repair=False))
    >>> found.loc[found["kind"] == "invalid", "code"].tolist()
    ['QP099008']
    """
    require_outlines(qpv, name="qpv", areas=False)
    metric = in_metres(qpv.geometry.to_numpy(), qpv.crs, what="qpv")[0]
    faults = judge(metric)
    found = [
        *_codes(qpv.index),
        *_outlines(qpv, metric, faults),
        *_repaired(qpv),
        *_overlaps(qpv.index, metric, faults),
        *_slivers(qpv.index, metric),
        *_counts(qpv.index),
    ]
    frame = pd.DataFrame(found, columns=list(FINDING_COLUMNS))
    frame = frame.astype({"row": "Int64", "area_m2": "Float64"})
    order = frame["level"].map({"error": 0, "warning": 1})
    return frame.iloc[order.sort_values(kind="stable").index].reset_index(drop=True)


Finding = tuple[str | None, int | None, str, str, str, float | None, str]


def _label(value: Hashable) -> str | None:
    return None if pd.isna(value) else str(value)


def _codes(index: pd.Index) -> Iterator[Finding]:
    given = index.to_series().reset_index(drop=True)
    cleaned = official.clean(given, "qpv")
    why = {
        row: Note("quality.not_code", value=repr(value), problem=problem)
        for row, value, problem in cleaned.problems.itertuples(index=False)
    }
    correct, none = Note("quality.correct_code"), Note("quality.no_code")
    for row in np.flatnonzero(cleaned.codes.isna()).tolist():
        yield _label(given[row]), row, "error", "code", why.get(row, none), None, correct
    for row, value, code, _ in cleaned.repairs.itertuples(index=False):
        written, read = Note("quality.written", value=repr(value)), Note("quality.read_as", code=code)
        yield code, int(row), "warning", "code", written, None, read
    vintages = sorted({vintage for vintage in map(official.vintage_of, cleaned.codes.dropna()) if vintage})
    if len(vintages) > 1:
        yield None, None, "error", "code", Note("quality.both_geographies"), None, Note("quality.separate")
    for code in cleaned.codes[cleaned.codes.duplicated()].dropna().unique():
        rows = np.flatnonzero(cleaned.codes == code).tolist()
        problem = Note("quality.code_repeated", count=len(rows), rows=rows)
        yield code, rows[0], "error", "duplicate", problem, None, Note("quality.keep_one")


def _outlines(qpv: gpd.GeoDataFrame, metric: np.ndarray, faults: Repaired) -> Iterator[Finding]:
    lost = {one["code"]: one["reason"] for one in provenance.provenance(qpv).get("outline_lost", [])}
    for row in np.flatnonzero(shapely.is_missing(metric) | shapely.is_empty(metric)):
        code = _label(qpv.index[row])
        problem = lost.get(code, Note("quality.no_outline"))
        yield code, int(row), "error", "no outline", problem, None, Note("quality.other_copy")
    action = Note("quality.repair")
    for row, why, gone in zip(faults.rows.tolist(), faults.why(), faults.bare | faults.lost, strict=True):
        level, what = ("error", Note("quality.other_copy")) if gone else ("warning", action)
        yield _label(qpv.index[row]), row, level, "invalid", why, None, what


def _repaired(qpv: gpd.GeoDataFrame) -> Iterator[Finding]:
    positions = {code: row for row, code in enumerate(qpv.index)}
    for change in provenance.provenance(qpv).get("repairs", []):
        code, gained = change["code"], change["difference_m2"]
        if code in positions:
            done = Note("quality.repaired_gain" if gained >= 0 else "quality.repaired_loss", area=abs(gained))
            yield code, positions[code], "warning", "repaired", change["reason"], abs(gained), done


def _overlaps(index: pd.Index, metric: np.ndarray, faults: Repaired) -> Iterator[Finding]:
    """Pairs of perimeters that overlap, the largest area first; an invalid outline counts as the area it encloses."""
    outlines = metric.copy()
    outlines[faults.rows] = faults.shapes
    there = np.flatnonzero(~shapely.is_missing(outlines))
    shapes = outlines[there]
    i, j = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    i, j = i[i < j], j[i < j]
    shared = shapely.area(shapely.intersection(shapes[i], shapes[j]))
    same = shapely.equals_identical(shapes[i], shapes[j])
    for pair in np.argsort(-shared, kind="stable"):
        if shared[pair] <= MIN_OVERLAP_M2:
            break
        first, second = there[i[pair]], there[j[pair]]
        names, area = f"{index[first]} / {index[second]}", round(float(shared[pair]), 3)
        kind, problem, action = (
            ("same outline", Note("quality.same_outline"), Note("quality.which_is_right"))
            if same[pair]
            else ("overlap", Note("quality.overlap", area=area), Note("quality.left"))
        )
        yield names, int(first), "warning", kind, problem, area, action


def _slivers(index: pd.Index, metric: np.ndarray) -> Iterator[Finding]:
    """Parts and holes thinner than a line on the published maps."""
    parts, owner = shapely.get_parts(metric, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    areas = np.asarray(shapely.area(shapely.polygons(rings)) if len(rings) else [])
    lengths = np.asarray(shapely.length(rings))
    width = np.divide(2 * areas, lengths, out=np.zeros_like(areas), where=lengths > 0)
    hole = np.r_[False, part[1:] == part[:-1]] if len(part) else np.array([], dtype=bool)
    several = np.bincount(owner, minlength=len(metric)) > 1
    for ring in np.flatnonzero((width < SLIVER_M) & (hole | several[owner[part]])):
        row = int(owner[part[ring]])
        text = Note("quality.thin_hole" if hole[ring] else "quality.thin_part", width=round(float(width[ring]), 2))
        yield _label(index[row]), row, "warning", "sliver", text, round(float(areas[ring]), 3), Note("quality.left")


def _counts(index: pd.Index) -> Iterator[Finding]:
    told = official.classify_qpv(pd.Series(index.astype("str")))
    for vintage in told["vintage"].dropna().unique():
        expected = facts.expected_counts(int(vintage))
        counts = told.loc[told["vintage"] == vintage, "territory"].value_counts()
        for place, count in counts.items():
            known = sorted(expected.get(str(place), set()))
            if known and int(count) not in known:
                name = facts.names("territories")[str(place)]
                listed = f"quality.count{len(known)}" if len(known) <= _MOST_LISTS else "quality.count"
                counted = dict(zip(("first", "second"), known, strict=False))
                text = Note(listed, place=name, count=int(count), vintage=int(vintage), **counted, known=known)
                yield None, None, "warning", "count", text, None, Note("quality.extract")
