"""The QPV themselves: a list of them, and one with its figures, ancestors and programmes, as GeoJSON."""

from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from qpvgeo import geographies, policy
from qpvgeo.errors import DataError, QpvgeoError
from qpvgeo.language import Note
from qpvgeo.service.polygons import estimated, plain, said
from qpvgeo.service.problems import NoSuchError
from qpvgeo.service.served_data import Held, legal

__all__ = ["listed", "one_qpv"]

_DIGITS = 1e-6


def listed(held: Held, vintage: int, asked: dict[str, Any], lang: str) -> dict[str, Any]:
    """Collection of the QPV of a vintage.

    Parameters
    ----------
    held, vintage, lang
        What is held, which geography, which language.
    asked
        `territory`, `commune`, `bbox` (west, south, east, north) or None; `limit`, `offset`; `geometry`.

    Returns
    -------
    dict
        A GeoJSON `FeatureCollection`, with `total` (how many there are without `limit`) and what it rests on.
    """
    frame = held.qpv[vintage]
    if asked["territory"] is not None:
        frame = frame[frame["territory"].astype("str") == asked["territory"]]
    if asked["commune"] is not None:
        own = asked["commune"]
        held_by = [isinstance(one, list | tuple | np.ndarray) and own in one for one in frame["communes"]]
        # without a row a list of nothing would choose no column
        frame = frame[np.array(held_by, dtype=bool)]
    if asked["bbox"] is not None:
        frame = frame.iloc[np.sort(frame.to_crs(4326).sindex.query(shapely.box(*asked["bbox"])))]
    part = frame.iloc[asked["offset"] : asked["offset"] + asked["limit"]]
    shapes = _geojson(part) if asked["geometry"] else [None] * len(part)
    features = [
        {"type": "Feature", "id": code, "geometry": shape, "properties": _properties(held, part, row, vintage, lang)}
        for row, (code, shape) in enumerate(zip(part.index, shapes, strict=True))
    ]
    return {"type": "FeatureCollection", "total": len(frame), "features": features} | held.about(lang)


def one_qpv(held: Held, code: str, lang: str) -> dict[str, Any]:
    """Feature of a QPV, of either geography.

    Raises
    ------
    NoSuchError
        No vintage held has this code: names those that begin like it.
    """
    vintage = next((year for year in held.vintages if code in held.qpv[year].index), None)
    if vintage is None:
        near = [str(one) for year in held.vintages for one in held.qpv[year].index if str(one)[:5] == code[:5]]
        raise NoSuchError(
            Note("service.no_such_qpv", code=code, vintages=[str(year) for year in held.vintages]),
            problems=[Note("service.near_qpv", code=one) for one in sorted(near)[:6]],
            way_out=Note("service.find_places"),
        )
    part = held.qpv[vintage].loc[[code]]
    properties = _properties(held, part, 0, vintage, lang)
    more = _more(held, part, vintage)
    properties |= {
        "estimate": said(more["estimate"], lang),
        "links": more["links"],
        "programmes": [{key: plain(value, lang) for key, value in row.items()} for row in more["programmes"]],
    }
    feature = {"type": "Feature", "id": code, "geometry": _geojson(part)[0], "properties": properties}
    return feature | held.about(lang)


def _properties(held: Held, frame: gpd.GeoDataFrame, row: int, vintage: int, lang: str) -> dict[str, Any]:
    """Names of a QPV, and its published people with their year."""
    code, one = str(frame.index[row]), frame.iloc[row]
    communes = one.get("communes")
    listed_communes = [str(each) for each in communes] if isinstance(communes, list | tuple | np.ndarray) else None
    texts = {name: plain(one.get(name), lang) for name in ("name", "release", "territory", "department", "region")}
    people, year = _population(held, code, vintage)
    return {
        "qpv_code": code,
        **texts,
        "vintage": vintage,
        "communes": listed_communes,
        "population": people,
        "population_year": year,
        "population_basis": None if people is None else "published",
    }


def _population(held: Held, code: str, vintage: int) -> tuple[int | None, int | None]:
    table = held.population.get(vintage)
    if table is None or code not in table.index or pd.isna(table.loc[code, "population"]):
        return None, None
    year = table.loc[code, "reference_year"] if "reference_year" in table.columns else None
    return int(table.loc[code, "population"]), None if year is None or pd.isna(year) else int(year)


def _geojson(frame: gpd.GeoDataFrame) -> list[Any]:
    """Outlines in degrees, to a decimetre, as JSON; None for a QPV without one."""
    shapes = shapely.set_precision(np.asarray(frame.geometry.to_crs(4326), dtype=object), _DIGITS, mode="pointwise")
    texts = shapely.to_geojson(shapes)
    return [
        None if shape is None or shape.is_empty else orjson.Fragment(text)
        for shape, text in zip(shapes, texts, strict=True)
    ]


def _more(held: Held, part: gpd.GeoDataFrame, vintage: int) -> dict[str, Any]:
    """People by the grid, ancestors or successors, and programmes; kept for the next one who asks."""
    key = ("qpv", str(part.index[0]))
    found: dict[str, Any] | None = held.kept.get(key)
    if found is None:
        walk = _walk(held, part, vintage)
        found = {
            "estimate": estimated(held, part[["geometry"]]) if _drawn(part) else {},
            "links": [] if walk is None else _links(walk, vintage),
            "programmes": _programmes(part, walk),
        }
        held.keep(key, found)
    return found


def _drawn(part: gpd.GeoDataFrame) -> bool:
    shape = part.geometry.iloc[0]
    return shape is not None and not shape.is_empty


def _walk(held: Held, part: gpd.GeoDataFrame, vintage: int) -> pd.DataFrame | None:
    """What a QPV shares with those of the other geography around it; None where there is no other or no outline."""
    other = next((year for year in held.vintages if year != vintage), None)
    if other is None or not _drawn(part):
        return None
    one, frame = part.to_crs(legal(str(part["territory"].iloc[0]))), held.qpv[other]
    around = gpd.GeoSeries([shapely.box(*one.total_bounds).buffer(500)], crs=one.crs).to_crs(frame.crs).iloc[0]
    near = frame.iloc[np.sort(frame.sindex.query(around, predicate="intersects"))]
    if not len(near):
        return None
    sides = (near, part) if vintage > other else (part, near)
    try:
        return geographies.crosswalk(*sides)
    except DataError:
        return None


def _links(walk: pd.DataFrame, vintage: int) -> list[dict[str, Any]]:
    """QPV of the other geography that share ground with one, with the part of this one that each covers."""
    pairs = walk.dropna(subset=["code_from", "code_to"])
    newer = vintage == 2024
    name, share = ("code_from", "to_share") if newer else ("code_to", "from_share")
    rows = zip(pairs[name], pairs["area_m2"], pairs[share], strict=True)
    kind = "ancestor" if newer else "successor"
    found = [
        {
            "qpv_code": str(code),
            "kind": kind,
            "area_m2": round(float(area), 1),
            "share": plain(of, "en"),
            "basis": "area",
        }
        for code, area, of in rows
        if area > 0
    ]
    return sorted(found, key=lambda one: -one["area_m2"])


def _programmes(part: gpd.GeoDataFrame, walk: pd.DataFrame | None) -> list[dict[str, Any]]:
    try:
        found = policy.join_programmes(part, crosswalk=walk)
    except QpvgeoError:
        found = policy.join_programmes(part)
    rows: list[dict[str, Any]] = found.drop(columns="qpv_code").to_dict("records")
    return rows
