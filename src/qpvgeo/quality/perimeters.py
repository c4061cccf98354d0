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
from qpvgeo.errors import DataError
from qpvgeo.frames import provenance
from qpvgeo.geometry.projection import to_metric
from qpvgeo.geometry.validity import polygonal, valid

__all__ = ["FINDING_COLUMNS", "MIN_OVERLAP_M2", "SLIVER_M", "check"]

FINDING_COLUMNS = ("code", "row", "level", "kind", "problem", "area_m2", "action")

MIN_OVERLAP_M2 = 0.01
"""Neighbours share a limit drawn twice: less than a square decimetre is rounding."""

SLIVER_M = 1.0
"""Mean width (twice the area over the perimeter) under which a part or a hole is a sliver."""


def check(qpv: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find what is wrong with perimeters.

    Parameters
    ----------
    qpv
        QPV frame (`qpvgeo.read_qpv`, with or without repair), or any polygons indexed by QPV code with a CRS.

    Returns
    -------
    pandas.DataFrame
        A row per finding, gravest first: `code` (QPV, or pair of QPV; missing for a finding on the whole), `row`
        (position in the frame, from 0; missing likewise), `level` (`error`: the row cannot be used as it is;
        `warning`), `kind` (`code`, `duplicate`, `no outline`, `invalid`, `repaired`, `overlap`, `same outline`,
        `sliver`, `count`), `problem`, `area_m2` (what is at stake, legal projection; missing where none is), `action`.
        Empty when all is well.

    Raises
    ------
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
    if qpv.crs is None:
        raise DataError("The frame has no CRS.", way_out="Set it with `.set_crs(...)`, or use qpvgeo.read_qpv().")
    shapes = qpv.geometry.to_numpy()
    metric = to_metric(shapes, qpv.crs, what="perimeters")[0]
    found = [
        *_codes(qpv.index),
        *_outlines(qpv.index, metric),
        *_repaired(qpv),
        *_overlaps(qpv.index, metric),
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
    why = {row: f"{value!r} is {problem}" for row, value, problem in cleaned.problems.itertuples(index=False)}
    for row in np.flatnonzero(cleaned.codes.isna()).tolist():
        yield _label(given[row]), row, "error", "code", why.get(row, "no code"), None, "correct the code"
    for row, value, code, _ in cleaned.repairs.itertuples(index=False):
        yield code, int(row), "warning", "code", f"written {value!r}", None, f"read as {code}"
    vintages = sorted({vintage for vintage in map(official.vintage_of, cleaned.codes.dropna()) if vintage})
    if len(vintages) > 1:
        yield None, None, "error", "code", "codes of both geographies, 2015 and 2024", None, "separate them"
    for code in cleaned.codes[cleaned.codes.duplicated()].dropna().unique():
        rows = np.flatnonzero(cleaned.codes == code)
        listed = ", ".join(map(str, rows))
        yield code, int(rows[0]), "error", "duplicate", f"stands {len(rows)} times (rows {listed})", None, "keep one"


def _outlines(index: pd.Index, metric: np.ndarray) -> Iterator[Finding]:
    absent = shapely.is_missing(metric) | shapely.is_empty(metric)
    for row in np.flatnonzero(absent):
        yield (
            _label(index[row]),
            int(row),
            "error",
            "no outline",
            "there is no outline",
            None,
            "get another copy of the file",
        )
    invalid = np.flatnonzero(~absent & ~valid(metric))
    for row, reason in zip(invalid, shapely.is_valid_reason(metric[invalid]), strict=True):
        action = "qpvgeo.repair(), or read with repair=True"
        yield _label(index[row]), int(row), "warning", "invalid", reason, None, action


def _repaired(qpv: gpd.GeoDataFrame) -> Iterator[Finding]:
    positions = {code: row for row, code in enumerate(qpv.index)}
    for change in provenance.provenance(qpv).get("repairs", []):
        code, gained = change["code"], change["difference_m2"]
        if code in positions:
            done = f"repaired when read: {gained:+.3f} m2"
            yield code, positions[code], "warning", "repaired", change["reason"], abs(gained), done


def _overlaps(index: pd.Index, metric: np.ndarray) -> Iterator[Finding]:
    """Pairs of perimeters that share ground, the largest area first."""
    sound = np.flatnonzero(~shapely.is_missing(metric))
    # an invalid outline is compared as the area it encloses
    shapes = polygonal(shapely.make_valid(metric[sound], method="structure"))
    i, j = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    i, j = i[i < j], j[i < j]
    shared = shapely.area(shapely.intersection(shapes[i], shapes[j]))
    same = shapely.equals_identical(shapes[i], shapes[j])
    for pair in np.argsort(-shared, kind="stable"):
        if shared[pair] <= MIN_OVERLAP_M2:
            break
        first, second = sound[i[pair]], sound[j[pair]]
        names, area = f"{index[first]} / {index[second]}", round(float(shared[pair]), 3)
        if same[pair]:
            yield (
                names,
                int(first),
                "warning",
                "same outline",
                "two codes, one outline",
                area,
                "look which one is right",
            )
        else:
            yield names, int(first), "warning", "overlap", f"the two share {area} m2", area, "left as published"


def _slivers(index: pd.Index, metric: np.ndarray) -> Iterator[Finding]:
    """Parts and holes thinner than the width of a line on the published maps."""
    parts, owner = shapely.get_parts(metric, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    areas = np.asarray(shapely.area(shapely.polygons(rings)) if len(rings) else [])
    lengths = np.asarray(shapely.length(rings))
    width = np.divide(2 * areas, lengths, out=np.zeros_like(areas), where=lengths > 0)
    hole = np.r_[False, part[1:] == part[:-1]] if len(part) else np.array([], dtype=bool)
    several = np.bincount(owner, minlength=len(metric)) > 1
    for ring in np.flatnonzero((width < SLIVER_M) & (hole | several[owner[part]])):
        row = int(owner[part[ring]])
        what = "hole" if hole[ring] else "part"
        text = f"{what} {width[ring]:.2f} m wide"
        yield _label(index[row]), row, "warning", "sliver", text, round(float(areas[ring]), 3), "left as published"


def _counts(index: pd.Index) -> Iterator[Finding]:
    told = official.classify_qpv(pd.Series(index.astype("str")))
    for vintage in told["vintage"].dropna().unique():
        expected = facts.expected_counts(int(vintage))
        counts = told.loc[told["vintage"] == vintage, "territory"].value_counts()
        for place, count in counts.items():
            known = sorted(expected.get(str(place), set()))
            if known and int(count) not in known:
                name = facts.names("territories")[str(place)]
                text = f"{name}: {count} QPV, the lists of {vintage} have {' or '.join(map(str, known))}"
                yield None, None, "warning", "count", text, None, "look whether the file is an extract"
