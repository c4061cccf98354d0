"""What each command answers, as plain JSON values; the tables are drawn from the same values.

Shares are 0 to 1, areas are km2, `None` is "not known".
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo import coverages, discover, download, schema, summaries
from qpvgeo import doctor as medicine
from qpvgeo.codes import fold_arrondissement
from qpvgeo.errors import DataError, FetchError, MissingDataError, QpvgeoError
from qpvgeo.links import join_communes
from qpvgeo.read.communes import read_communes, read_epci
from qpvgeo.read.members import read_commune_table
from qpvgeo.read.population import read_population
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import FICTIONAL, sample

__all__ = ["coverage", "datasets", "doctor", "fetch", "summary"]

_COG_YEAR = 2024
"""Year of the code officiel géographique that the published lists of 2024 are in."""


def _records(frame: pd.DataFrame, key: str) -> list[dict[str, Any]]:
    """Rows with the index under a name; missing values become None."""
    named = frame.rename_axis(key).reset_index()
    rows: list[dict[str, Any]] = json.loads(named.to_json(orient="records", double_precision=12))
    return rows


def _sources(*frames: pd.DataFrame | None) -> list[dict[str, Any]]:
    records = [record for frame in frames if frame is not None for record in schema.provenance(frame).get("files", [])]
    return list({record["sha256"] + record.get("member", ""): record for record in records}.values())


def _warned(*paths: Path | None) -> dict[str, str]:
    """The warning that belongs to every output of the sample, when a path lies in it."""
    home = sample().path.resolve()
    inside = any(path is not None and path.resolve().is_relative_to(home) for path in paths)
    return {"fictional": FICTIONAL} if inside else {}


def datasets(data: Path | None) -> dict[str, Any]:
    """Answer of `qpvgeo datasets`."""
    return {"datasets": _records(discover.datasets(data), "key")} | _warned(data)


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


def _perimeters(vintage: int, data: Path | None) -> gpd.GeoDataFrame | None:
    """Perimeters at hand; None when there are none and no folder was named."""
    try:
        paths = discover.find("perimeters", vintage, data)
    except MissingDataError:
        if data is not None:
            raise
        return None
    return read_qpv(paths, vintage=vintage)


def _people(vintage: int, data: Path | None, year: int | None) -> pd.DataFrame | None:
    """Table of populations at hand; None when there is none."""
    try:
        paths = discover.find("population", vintage, data)
    except MissingDataError:
        return None
    if year is None:
        return read_population(paths[0])
    refused: list[str] = []
    for path in paths:
        try:
            people = _people_of(path, year)
        except QpvgeoError as error:
            refused.append(str(error).splitlines()[0])
            continue
        held = schema.reference_year(people)
        if held == year:
            return people
        refused.append(f"{path.name} has populations of {held}.")
    raise MissingDataError(
        f"No table at hand gives the populations of {year} for the {vintage} geography.",
        problems=refused,
        way_out="Leave --year out to use the table at hand.",
    )


def _people_of(path: Path, year: int) -> pd.DataFrame:
    """Populations of a table under the year that is theirs; the one asked for chooses among several."""
    try:
        return read_population(path)
    except DataError:
        return read_population(path, year=year)


def summary(vintage: int, data: Path | None, *, by: str, year: int | None) -> dict[str, Any]:
    """Answer of `qpvgeo summary`: computed from the files at hand, else the published aggregates."""
    qpv = _perimeters(vintage, data)
    if qpv is None and by != "territory":
        raise MissingDataError(
            f"The published aggregates are by territory: figures by {by} need the perimeters.",
            way_out="Leave --by out, or name the folder of the published files with --data.",
        )
    if qpv is None:
        figures, detail = summaries.published_summary(vintage, year=year), None
        sources = [{"facts": "published aggregates embedded in qpvgeo"}]
    else:
        people = _people(vintage, data, year)
        own = _sample_denominators() if schema.is_fictional(qpv) else None
        figures = summaries.summary(qpv, population=people, denominators=own)
        detail = None if by == "territory" else summaries.summary(qpv, population=people, denominators=own, by=by)  # type: ignore[arg-type]
        sources = _sources(qpv, people)
    rows = figures.drop(index=[summaries.TOTAL, summaries.OVERSEAS_SCOPE], errors="ignore")
    scopes = figures.drop(index=rows.index)
    about = schema.provenance(figures)
    answer = {
        "vintage": vintage,
        **summaries.headline(figures),
        "basis": about["basis"],
        "release": about.get("release"),
        "by_territory": _records(rows, "territory"),
        "scopes": _records(scopes, "scope"),
        "sources": sources,
        "repairs": _repairs(qpv),
        "notes": schema.provenance(qpv).get("notes", []) if qpv is not None else [],
    }
    if detail is not None:
        answer[f"by_{by}"] = _records(detail.drop(index=scopes.index, errors="ignore"), by)
    return answer | ({"fictional": FICTIONAL} if about.get("fictional") else {})


def _repairs(qpv: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """How many outlines were made valid, and what that added to the area."""
    log = schema.provenance(qpv).get("repairs", []) if qpv is not None else []
    return {"outlines": len(log), "added_km2": round(sum(change["difference_m2"] for change in log) / 1e6, 6)}


def _sample_denominators() -> dict[str, int]:
    people = read_communes(sample().communes_table)["population"]
    return {"99": int(people.sum())}


def coverage(vintage: int, data: Path | None, *, by: str, year: int | None, attribution: str | None) -> dict[str, Any]:
    """Answer of `qpvgeo coverage`."""
    qpv = _perimeters(vintage, data)
    if qpv is None:
        discover.find("perimeters", vintage, data)  # raises, with the places looked at
    people = _people(vintage, data, year)
    in_communes = by in ("commune", "epci", "ept") or attribution == "commune"
    parts = _parts(vintage, data) if in_communes else None
    communes = _communes(data, schema.reference_year(people)) if in_communes else None
    fictional = schema.is_fictional(qpv)
    links = join_communes(qpv, communes, population=people if parts is None else parts)
    units = communes if by == "commune" else _epci(data, communes) if by in ("epci", "ept") else None
    frame = coverages.coverage(
        links,
        by=by,  # type: ignore[arg-type]
        units=units,
        attribution=attribution,  # type: ignore[arg-type]
        denominators=_sample_denominators() if fictional and units is None else None,
    )
    about = schema.provenance(frame)
    answer = {
        "by": by,
        "vintage": vintage,
        "attribution": about["attribution"],
        "population_year": about["reference_year"],
        "qpv_population": None if people is None else float(links["population"].sum()),
        "rows": _records(frame, "code"),
        "sources": _sources(qpv, people, parts, communes, units),
        "notes": [note for frame in (qpv, people, communes) for note in _notes(frame)],
    }
    return answer | ({"fictional": FICTIONAL} if fictional else {})


def _notes(frame: pd.DataFrame | None) -> list[str]:
    return list(schema.provenance(frame).get("notes", [])) if frame is not None else []


def _parts(vintage: int, data: Path | None) -> pd.DataFrame | None:
    """Published population by QPV and commune, when it is at hand."""
    try:
        return read_population(discover.find("population by commune", vintage, data)[0], level="qpv_commune")
    except MissingDataError:
        return None


def _communes(data: Path | None, reference_year: int | None) -> pd.DataFrame:
    """Outlines of the communes at hand, with the table of the year of the lists, and the people of the year asked."""
    outlines, tables = discover.communes_at_hand(data, year=_COG_YEAR)
    epts = [one.path for one in discover.scan(data) if one.kind == "ept"]
    communes = read_communes(outlines, table=[*tables[:1], *epts] or None)
    for one in discover.scan(data):
        if one.kind == "communes population":
            people = read_population(one.path, level="commune")
            if reference_year is not None and schema.reference_year(people) == reference_year:
                return _of_year(communes, people, tables)
    return communes


def _of_year(communes: pd.DataFrame, people: pd.DataFrame, tables: Sequence[Path]) -> pd.DataFrame:
    """Communes with the people of another year, those of former communes moved to the one they are part of."""
    parents = read_commune_table(tables[0], {}, set(), []).parents if tables else {}
    known = set(communes.index)
    now = [code if code in known else parents.get(code, fold_arrondissement(code)) for code in people.index]
    summed = people["population"].groupby(now).sum(min_count=1)
    lost = sorted(set(now) - known)
    about = schema.provenance(communes)
    communes = communes.assign(population=summed.reindex(communes.index).astype("Int64"))
    year = schema.reference_year(people)
    note = f"{len(lost)} communes of {year} have no successor among those at hand: their people are not counted"
    communes.attrs[schema.ATTRS_KEY] = {
        **about,
        "files": [*about["files"], *schema.provenance(people)["files"]],
        "population_year": year,
        "notes": [*about.get("notes", []), *([note] if lost else [])],
    }
    return communes


def _epci(data: Path | None, communes: pd.DataFrame | None) -> pd.DataFrame | None:
    """EPCI at hand, those of the year of the lists first, with the people of their communes when these are dated."""
    found = [one for one in discover.scan(data) if one.kind == "epci"]
    if not found:
        return None
    epci = read_epci(min(found, key=lambda one: abs((one.vintage or 0) - _COG_YEAR)).path)
    year = schema.provenance(communes).get("population_year") if communes is not None else None
    if communes is not None and year is not None:
        grouped = communes.groupby("epci")["population"]
        whole = grouped.sum().where(grouped.count() == grouped.size())
        epci["population"] = whole.reindex(epci.index).astype("Int64")
        epci.attrs[schema.ATTRS_KEY] = {**schema.provenance(epci), "population_year": year}
    return epci
