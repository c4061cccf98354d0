"""Drawn polygons: who lives there, with bounds, and which VAT rule a building group meets by its place."""

import json
import math
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from qpvgeo import fiscal, population
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.population.estimation import ESTIMATE_COLUMNS
from qpvgeo.service.limits import Limits
from qpvgeo.service.problems import LimitError
from qpvgeo.service.served_data import Held

__all__ = ["people_of", "plain", "polygon_limits", "polygons_of", "vat_of"]

_MOST = 100
_ON_EARTH = pyproj.Geod(ellps="GRS80")


def polygon_limits(limits: Limits) -> dict[str, float]:
    """What a call takes of polygons: how many, their km², their points."""
    return {"most": _MOST, "area": limits.polygon_km2, "vertices": limits.vertices}


def polygons_of(value: Any, limits: Limits) -> gpd.GeoDataFrame:  # noqa: ANN401 - any JSON
    """Polygons of a GeoJSON (a geometry, a feature or a collection), in degrees, with their `id`.

    Raises
    ------
    UsageError
        It is none, or a shape is no polygon in degrees: all are listed.
    LimitError
        There are too many, or they are too large or too detailed.
    """
    kind = value.get("type") if isinstance(value, dict) else None
    features = value.get("features") if kind == "FeatureCollection" else [value]
    if not isinstance(features, list) or not features:
        raise UsageError(Note("service.no_polygons"), way_out=Note("service.polygons_are"))
    if len(features) > _MOST:
        raise LimitError(Note("service.too_many_polygons", count=len(features), most=_MOST))
    shapes, wrong = [], []
    for row, one in enumerate(features):
        geometry = one.get("geometry") if isinstance(one, dict) and one.get("type") == "Feature" else one
        shape = _shape(geometry)
        if shape is None:
            wrong.append(Note("service.not_a_polygon", row=row))
        shapes.append(shape)
    if wrong:
        raise UsageError(Note("service.wrong_polygons"), problems=wrong, way_out=Note("service.polygons_are"))
    if sum(shapely.get_num_coordinates(shapes).tolist()) > limits.vertices:
        raise LimitError(Note("service.too_many_vertices", most=limits.vertices))
    area = sum(abs(_ON_EARTH.geometry_area_perimeter(shape)[0]) for shape in shapes) / 1e6
    if area > limits.polygon_km2:
        raise LimitError(Note("service.polygon_too_large", most=limits.polygon_km2, area=area))
    names = [one.get("id") if isinstance(one, dict) else None for one in features]
    return gpd.GeoDataFrame({"id": pd.Series(names, dtype=object)}, geometry=shapes, crs=4326)


def _shape(geometry: Any) -> shapely.Geometry | None:  # noqa: ANN401 - any JSON
    """Polygon or multipolygon in degrees, made valid; None for anything else."""
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return None
    try:
        found = shapely.from_geojson(json.dumps({"type": geometry["type"], "coordinates": geometry["coordinates"]}))
    except (KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        return None
    if found is None or found.is_empty:
        return None
    west, south, east, north = found.bounds
    if not (
        math.isfinite(west + south + east + north) and west >= -180 and east <= 180 and -90 <= south <= north <= 90
    ):
        return None
    valid = shapely.force_2d(found if found.is_valid else shapely.make_valid(found, method="structure"))
    return valid if valid.geom_type in ("Polygon", "MultiPolygon") and not valid.is_empty else None


def people_of(held: Held, polygons: gpd.GeoDataFrame, lang: str) -> dict[str, Any]:
    """People of polygons by the newest grid that has cells there, with bounds; null where no grid has any."""
    rows: list[dict[str, Any]] = []
    for position in range(len(polygons)):
        one = polygons.iloc[[position]]
        best = estimated(held, one[["geometry"]])
        area = abs(_ON_EARTH.geometry_area_perimeter(one.geometry.iloc[0])[0]) / 1e6
        rows.append({"id": one["id"].iloc[0], "area_km2": round(area, 6), **said(best, lang), "qpv": _met(held, one)})
    return {"rows": rows} | held.about(lang)


def estimated(held: Held, area: gpd.GeoDataFrame) -> dict[str, Any]:
    """Estimate of one area by the newest grid that has inhabited cells there, else by none."""
    empty: dict[str, Any] = dict.fromkeys(ESTIMATE_COLUMNS) | {"grid_year": None, "grid": None}
    for grid in held.grids:
        try:
            found = population.estimate_population(area, grid.around(area))
        except DataError:
            # it lies in another territory than the grid
            continue
        if int(found["cells"].iloc[0] or 0):
            files = provenance.provenance(grid).get("files", [])
            about = {"grid_year": grid.attrs.get("vintage"), "grid": files[0]["file"] if files else None}
            return {name: found[name].iloc[0] for name in ESTIMATE_COLUMNS if name in found} | about
    return empty


def said(figures: dict[str, Any], lang: str) -> dict[str, Any]:
    """Figures as plain JSON values, words in a language."""
    return {name: plain(value, lang) for name, value in figures.items()}


def plain(value: Any, lang: str) -> Any:  # noqa: ANN401 - a cell
    """A cell as JSON has it: missing is null, notes in a language."""
    if isinstance(value, Note):
        return value.say(lang)
    if isinstance(value, list | tuple):
        return [plain(one, lang) for one in value]
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if hasattr(value, "item"):
        return plain(value.item(), lang)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def _met(held: Held, polygon: gpd.GeoDataFrame) -> list[str]:
    """Codes of the QPV of the newest vintage that share ground with a polygon."""
    qpv = held.qpv[held.vintages[0]]
    shape = polygon.to_crs(qpv.crs).geometry.iloc[0]
    near = qpv.geometry.sindex.query(shape, predicate="intersects")
    return sorted(map(str, qpv.index[near]))


def vat_of(held: Held, groups: gpd.GeoDataFrame, on: str, npnru: list[str] | None, lang: str) -> dict[str, Any]:
    """Rule of the reduced VAT rate that building groups meet by their place, as `qpvgeo.vat_zone` says it.

    Raises
    ------
    UsageError, DataError
        As there.
    """
    frames = [held.qpv[vintage] for vintage in held.vintages]
    found = fiscal.vat_zone(groups[["geometry"]], frames, npnru=npnru, on=on, former=held.qpv.get(2015))
    named = zip(groups["id"], found.to_dict("records"), strict=True)
    rows = [{"id": name, **{key: plain(value, lang) for key, value in row.items()}} for name, row in named]
    return {"on": on, "rows": rows} | held.about(lang)
