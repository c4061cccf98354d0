"""What a layer is made of, and whom it reaches: shapes, values of cells, or values of QPV.

Shapes say where something is, and not where there is none. Polygons without `covered=` leave the people outside of them
unknown. A list of points or lines with a distance is taken as complete as far as its bounds and some kilometres beyond.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError
from qpvgeo.frames.provenance import provenance
from qpvgeo.geometry.insee_lattice import Cells
from qpvgeo.geometry.projection import reproject, territory_of
from qpvgeo.language import Note
from qpvgeo.resilience.access import values_by_label
from qpvgeo.resilience.areas_on_cells import (
    Flags,
    Floats,
    Ground,
    Measure,
    Measured,
    Shapes,
    areas_of,
    by_cells,
    by_labels,
    by_zone,
)
from qpvgeo.resilience.options import Options
from qpvgeo.resilience.raster import raster_on_cells

__all__ = ["NOWHERE", "Asked", "Reach", "asked_of", "extent_of", "of_values", "reach_of", "shape_notes", "zone_of"]

_SEGMENTS = 32
"""Segments of a quarter of the circle at a distance: short of it by 0.03 %."""

_FAR_M = 10_000.0
"""Beyond its bounds a layer says nothing."""

_SPARE = 1.05
"""Metres of the lattice for one of the ground, at most."""

_NAMED = 5

NOWHERE = shapely.Polygon()

_SHAPES = (gpd.GeoDataFrame, gpd.GeoSeries)


@dataclass(frozen=True, slots=True)
class Asked:
    """A layer and the ground that it is laid over, once both are judged.

    Attributes
    ----------
    options
        As given.
    ground
        Cells and people.
    inside
        Shapes of the QPV.
    values
        Values of a column, a raster or a table, by cell or by QPV; None for shapes.
    bounds
        Bounds of shapes in the projection of the grid, NaN for those that have no place in it; None for values.
    ends
        Bounds of the cells and of the QPV that lie on some of them; None for values.
    on_cells
        Whether values are those of cells.
    name
        Name of the column or of the file; empty where it has none.
    files
        Files of the layer.
    notes
        What a reader must know of the layer.
    """

    options: Options
    ground: Ground
    inside: Shapes
    values: Floats | None = None
    bounds: Floats | None = None
    ends: Floats | None = None
    on_cells: bool = True
    name: str = ""
    files: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a layer reaches.

    Attributes
    ----------
    inside
        People of the QPV.
    measure
        Gives the people of other areas.
    about
        What was settled on the way: `layer`, `asked` in words, `threshold`, `reached_share`.
    notes
        What a reader must know.
    """

    inside: Measured
    measure: Measure
    about: dict[str, Any]
    notes: list[Note]


def asked_of(options: Options) -> Asked:
    """Judge what was asked, and bring it to the cells of the grid.

    Raises
    ------
    UsageError
        Options do not go together: lists every fault.
    DataError
        The grid is not one, no cell lies under the QPV, or a layer lies far from them.
    """
    lattice = options.require()
    grid = options.grid
    ground = Ground(lattice, grid["population"].astype("Float64").to_numpy(np.float64, na_value=np.nan))
    inside = areas_of(options.qpv, lattice)
    everyone = ground.count(inside)
    touched = everyone.touched > 0
    if not touched.any():
        raise DataError(Note("resilience.no_cells"), way_out=Note("resilience.no_cells_way_out"))
    given = {name: getattr(options, name) for name in ("layer", "covered", "around", "units")}
    bounds = {name: _bounds(one, lattice) for name, one in given.items() if isinstance(one, _SHAPES)}
    here = shapely.total_bounds(inside[touched])
    _require_near(bounds, given, here)
    unsaid = int(np.isnan(ground.people).sum())
    notes = [Note("resilience.people_of_cells")]
    notes += [Note("resilience.people_missing", count=unsaid)] if unsaid else []
    partly = options.qpv.index[touched & (everyone.beyond > 0)]
    few = ", ".join([*map(str, partly[:_NAMED]), *(["..."] if len(partly) > _NAMED else [])])
    notes += [Note("resilience.partly_beyond", count=len(partly), qpv=few)] if len(partly) else []
    if options.shaped:
        files = provenance(options.layer).get("files", [])
        name = str(files[0].get("file", "")) if files else ""
        ends = _ends(lattice, here)
        return Asked(options, ground, inside, bounds=bounds["layer"], ends=ends, name=name, files=files, notes=notes)
    layer = options.layer
    if isinstance(layer, str | Path):
        if str(layer) in grid.columns:
            values = grid[str(layer)].astype("Float64").to_numpy(np.float64, na_value=np.nan)
            return Asked(options, ground, inside, values, name=str(layer), notes=notes)
        found = raster_on_cells(layer, grid)
        told = provenance(found)
        notes += told.get("notes", [])
        values = found["value"].to_numpy()
        return Asked(options, ground, inside, values, name=Path(layer).name, files=told["files"], notes=notes)
    found, on_cells = values_by_label(layer, grid, options.qpv)
    values = found.reindex(grid.index if on_cells else options.qpv.index).to_numpy(np.float64)
    notes += [] if on_cells else [Note("resilience.one_value_each")]
    name = "" if found.name is None else str(found.name)
    files = provenance(layer).get("files", [])
    return Asked(options, ground, inside, values, on_cells=on_cells, name=name, files=files, notes=notes)


def reach_of(asked: Asked) -> Reach:
    """Whom a layer reaches, by its options."""
    options = asked.options
    if asked.values is not None:
        return _value_reach(asked, asked.values)
    zone = zone_of(asked)
    extent = extent_of(asked)
    measure = by_zone(asked.ground, zone, extent)
    name = asked.name or Note("resilience.a_layer")
    told = {"layer": asked.name or None}
    if options.within_m is None:
        words = Note("resilience.asked_in", layer=name)
    else:
        words = Note("resilience.asked_within", layer=name, metres=float(options.within_m))
    return Reach(measure(asked.inside), measure, {**told, "asked": words}, [*asked.notes, *shape_notes(asked)])


def shape_notes(asked: Asked) -> list[Note]:
    """What a reader must know of those whom shapes reach, and of what shapes do not say."""
    within_m, covered = asked.options.within_m, asked.options.covered
    if within_m is None:
        return [Note("resilience.in_polygons"), *([] if covered is not None else [Note("resilience.rest_unknown")])]
    taken = [] if covered is not None else [Note("resilience.list_complete", metres=_FAR_M)]
    return [Note("resilience.straight_line", metres=float(within_m)), *taken]


def _value_reach(asked: Asked, values: Floats) -> Reach:
    options = asked.options
    people = asked.ground.people if asked.on_cells else asked.ground.count(asked.inside).estimate
    known = ~np.isnan(values)
    if not (known & (people > 0)).any():
        name = asked.name or Note("resilience.a_layer")
        raise DataError(Note("resilience.no_values", layer=name), way_out=Note("resilience.no_values_way_out"))
    down = options.below is not None
    if options.quantile is None:
        threshold = float(options.below if down else options.above)
    else:
        threshold = _quantile(values, people, float(options.quantile))
    reached = values <= threshold if down else values >= threshold
    weight = np.where(known, np.nan_to_num(people), 0)
    about: dict[str, Any] = {"layer": asked.name, "threshold": threshold}
    about["asked"] = Note(
        "resilience.asked_below" if down else "resilience.asked_above", layer=asked.name, value=threshold
    )
    about["reached_share"] = float(weight[reached].sum() / weight.sum())
    notes = list(asked.notes)
    if options.quantile is not None:
        if not (weight[~reached] > 0).any():
            raise DataError(
                Note("resilience.quantile_of_all", layer=asked.name, value=threshold),
                way_out=Note("resilience.quantile_way_out"),
            )
        notes.append(Note("resilience.quantile_reached", value=threshold, share=about["reached_share"]))
    inside, elsewhere = of_values(asked, known, reached)
    return Reach(inside, elsewhere, about, notes)


def of_values(asked: Asked, known: Flags, reached: Flags) -> tuple[Measured, Measure]:
    """People of the QPV that values reach, and what gives those of other areas; of these values of QPV say nothing."""
    ground = asked.ground
    if asked.on_cells:
        measure = by_cells(ground, known, reached)
        return measure(asked.inside), measure
    none = np.zeros(len(ground.people), dtype=bool)
    return by_labels(ground, known, reached)(asked.inside), by_cells(ground, none, none)


def zone_of(asked: Asked, rows: Flags | None = None) -> Any:  # noqa: ANN401 - a shape
    """Where shapes, or some rows of them, reach people: in them, or nearer than a distance on the ground."""
    lattice = asked.ground.lattice
    epsg, within_m = lattice.lattice.epsg, float(asked.options.within_m or 0)
    near = _near(np.asarray(asked.bounds), np.asarray(asked.ends), within_m)
    layer = asked.options.layer[near if rows is None else near & rows]
    if not len(layer):
        return NOWHERE
    if asked.options.within_m is None:
        return shapely.union_all(areas_of(layer, lattice))
    half = lattice.lattice.size / 2
    here = np.asarray(shapely.points(lattice.east[:1] + half, lattice.north[:1] + half))
    place = next((one for one in territory_of(here, epsg) if one is not None), None)
    # distances are those of the legal projection of the grid, whatever else the layer holds
    legal = territories.get(place).epsg if place is not None else epsg
    reached = shapely.buffer(layer.geometry.to_crs(legal).to_numpy(), within_m, quad_segs=_SEGMENTS)
    return shapely.union_all(reproject(reached, legal, epsg))


def _near(bounds: Floats, ends: Floats, within_m: float) -> Flags:
    """Which shapes can reach a cell or a QPV: the others of a national file are not worth the work."""
    west, south, east, north = ends + _SPARE * within_m * np.array([-1, -1, 1, 1])
    # a shape without a place is on no side, and nowhere near
    return np.asarray(
        (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    )


def _ends(lattice: Cells, here: Floats) -> Floats:
    """Bounds of cells and of what lies here."""
    size, axes = lattice.lattice.size, (lattice.east, lattice.north)
    low, high = [axis.min() for axis in axes], [axis.max() + size for axis in axes]
    return np.array([*np.minimum(low, here[:2]), *np.maximum(high, here[2:])], dtype=np.float64)


def _bounds(layer: gpd.GeoDataFrame | gpd.GeoSeries, lattice: Cells) -> Floats:
    """Bounds of shapes in the projection of the grid; NaN for those that have no place in it."""
    bounds = shapely.bounds(layer.geometry.to_crs(lattice.lattice.epsg).to_numpy())
    bounds[~np.isfinite(bounds).all(axis=1)] = np.nan
    return np.asarray(bounds, dtype=np.float64)


def extent_of(asked: Asked) -> Any:  # noqa: ANN401
    """Area for which shapes also say who is not exposed; None for everywhere."""
    options = asked.options
    if isinstance(options.covered, str):
        return None
    if options.covered is not None:
        return shapely.union_all(areas_of(options.covered, asked.ground.lattice))
    if options.within_m is None:
        return NOWHERE
    beyond = _FAR_M + float(options.within_m)
    return shapely.box(*(_whole(np.asarray(asked.bounds)) + np.array([-beyond, -beyond, beyond, beyond])))


def _whole(bounds: Floats) -> Floats:
    """Bounds of all shapes."""
    return np.array([*np.nanmin(bounds[:, :2], axis=0), *np.nanmax(bounds[:, 2:], axis=0)])


def _require_near(bounds: dict[str, Floats], layers: dict[str, Any], here: Floats) -> None:
    """Refuse layers that lie far from the QPV: those of another region, or of another projection than they say."""
    far = [name for name, found in bounds.items() if _gap(found, here) > _FAR_M]
    if far:
        raise DataError(
            Note("resilience.far"),
            problems=[Note("resilience.far_layer", name=name, crs=str(layers[name].crs.to_string())) for name in far],
            way_out=Note("resilience.far_way_out"),
        )


def _gap(bounds: Floats, here: Floats) -> float:
    """Metres between the bounds of a layer and others, infinite where it has no place in the projection of the grid."""
    if np.isnan(bounds).all():
        return np.inf
    west, south, east, north = _whole(bounds)
    return float(max(west - here[2], here[0] - east, south - here[3], here[1] - north, 0))


def _quantile(values: Floats, people: Floats, quantile: float) -> float:
    """Value from which on the people beyond the quantile live."""
    known = ~np.isnan(values) & (people > 0)
    order = np.argsort(values[known], kind="stable")
    reached = np.cumsum(people[known][order])
    at = int(np.searchsorted(reached, quantile * reached[-1], side="right"))
    return float(values[known][order][min(at, len(order) - 1)])
