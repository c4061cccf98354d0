"""What each command answers, as plain JSON values; the tables are drawn from the same values.

Shares are 0 to 1, areas are km2, `None` is "not known".
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.cli import inputs
from qpvgeo.errors import FetchError, MissingDataError
from qpvgeo.frames import provenance
from qpvgeo.indicators import totals
from qpvgeo.quality import files as medicine
from qpvgeo.samples import FICTIONAL, sample
from qpvgeo.sources import download, recognise

__all__ = ["coverage", "datasets", "doctor", "fetch", "summary"]


def _records(frame: pd.DataFrame, key: str) -> list[dict[str, Any]]:
    """Rows with the index under a name; missing values become None."""
    named = frame.rename_axis(key).reset_index()
    rows: list[dict[str, Any]] = json.loads(named.to_json(orient="records", double_precision=12))
    return rows


def _sources(*frames: pd.DataFrame | None) -> list[dict[str, Any]]:
    records = [
        record for frame in frames if frame is not None for record in provenance.provenance(frame).get("files", [])
    ]
    return list({record["sha256"] + record.get("member", ""): record for record in records}.values())


def _warned(*paths: Path | None) -> dict[str, str]:
    """The warning that belongs to every output of the sample, when a path lies in it."""
    home = sample().path.resolve()
    inside = any(path is not None and path.resolve().is_relative_to(home) for path in paths)
    return {"fictional": FICTIONAL} if inside else {}


def datasets(data: Path | None) -> dict[str, Any]:
    """Answer of `qpvgeo datasets`."""
    return {"datasets": _records(recognise.datasets(data), "key")} | _warned(data)


def fetch(keys: Sequence[str], *, update: bool, url: str | None, data: Path | None) -> dict[str, Any]:
    """Answer of `qpvgeo fetch`: one file's failure does not keep the others from being fetched."""
    files, failed = [], []
    for key in keys:
        try:
            files.append({"key": key, "path": str(download.fetch(key, data=data, update=update, url=url))})
        except (FetchError, MissingDataError, OSError) as error:
            failed.append({"key": key, "error": type(error).__name__, "message": str(error)})
    return {"files": files, "failed": failed}


def doctor(paths: Sequence[Path]) -> dict[str, Any]:
    """Answer of `qpvgeo doctor`."""
    reports = [report for path in paths for report in medicine.examine(path)]
    judged = {"ok": all(report.ok for report in reports), "files": [report.as_dict() for report in reports]}
    return judged | _warned(*paths)


def summary(vintage: int, data: Path | None, *, by: str, year: int | None) -> dict[str, Any]:
    """Answer of `qpvgeo summary`: computed from the files at hand, else the published aggregates."""
    qpv = inputs.perimeters(vintage, data)
    if qpv is None and by != "territory":
        raise MissingDataError(
            f"The published aggregates are by territory: figures by {by} need the perimeters.",
            way_out="Leave --by out, or name the folder of the published files with --data.",
        )
    if qpv is None:
        figures, detail = totals.published_summary(vintage, year=year), None
        sources = [{"facts": "published aggregates embedded in qpvgeo"}]
    else:
        people = inputs.people(vintage, data, year)
        own = inputs.sample_denominators() if provenance.is_fictional(qpv) else None
        figures = totals.summary(qpv, population=people, denominators=own)
        detail = None if by == "territory" else totals.summary(qpv, population=people, denominators=own, by=by)  # type: ignore[arg-type]
        sources = _sources(qpv, people)
    rows = figures.drop(index=[totals.TOTAL, totals.OVERSEAS_SCOPE], errors="ignore")
    scopes = figures.drop(index=rows.index)
    about = provenance.provenance(figures)
    answer = {
        "vintage": vintage,
        **totals.headline(figures),
        "basis": about["basis"],
        "release": about.get("release"),
        "by_territory": _records(rows, "territory"),
        "scopes": _records(scopes, "scope"),
        "sources": sources,
        "repairs": _repairs(qpv),
        "notes": provenance.provenance(qpv).get("notes", []) if qpv is not None else [],
    }
    if detail is not None:
        answer[f"by_{by}"] = _records(detail.drop(index=scopes.index, errors="ignore"), by)
    return answer | ({"fictional": FICTIONAL} if about.get("fictional") else {})


def _repairs(qpv: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """How many outlines were made valid, and what that added to the area."""
    log = provenance.provenance(qpv).get("repairs", []) if qpv is not None else []
    return {"outlines": len(log), "added_km2": round(sum(change["difference_m2"] for change in log) / 1e6, 6)}


def coverage(vintage: int, data: Path | None, *, by: str, year: int | None, attribution: str | None) -> dict[str, Any]:
    """Answer of `qpvgeo coverage`."""
    made = inputs.covered(vintage, data, by=by, year=year, attribution=attribution)
    about = provenance.provenance(made.frame)
    answer = {
        "by": by,
        "vintage": vintage,
        "attribution": about["attribution"],
        "population_year": about["reference_year"],
        "qpv_population": None if made.people is None else float(made.links["population"].sum()),
        "rows": _records(made.frame, "code"),
        "sources": _sources(made.qpv, made.people, made.parts, made.communes, made.units),
        "notes": [note for frame in (made.qpv, made.people, made.communes) for note in _notes(frame)],
    }
    return answer | ({"fictional": FICTIONAL} if provenance.is_fictional(made.qpv) else {})


def _notes(frame: pd.DataFrame | None) -> list[str]:
    return list(provenance.provenance(frame).get("notes", [])) if frame is not None else []
