"""Available files that several commands start from: perimeters, people, communes, EPCI, and what is made of them."""

import difflib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import numpy as np
import pandas as pd

from qpvgeo.at_hand import files, missing
from qpvgeo.at_hand.places import area_of
from qpvgeo.cli.options import RELEASE
from qpvgeo.cli.programme_lists import joined, reached
from qpvgeo.cli.reading import Reading
from qpvgeo.codes import territories
from qpvgeo.codes.places import Area
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.formats import vector_layers
from qpvgeo.formats.cells import numbers_of
from qpvgeo.formats.text_tables import read_table
from qpvgeo.frames import forms, provenance
from qpvgeo.geometry.projection import require_axes, territory_of
from qpvgeo.indicators import by_territory
from qpvgeo.language import Note
from qpvgeo.population.estimation import WEIGHT
from qpvgeo.read.grid.reader import read_grid
from qpvgeo.read.grid.vintage import rank, rank_of_file
from qpvgeo.sources import recognise

__all__ = [
    "Covered",
    "addresses",
    "covered",
    "grids_near",
    "known_grids",
    "people",
    "perimeters",
    "polygons",
    "read_points",
    "required_perimeters",
]

_LABELS = ("code", "code_qp", "id", "name", "nom")

PLAIN = Reading()
"""Files read as they are."""


def perimeters(vintage: int, data: Path | None, reading: Reading = PLAIN) -> gpd.GeoDataFrame | None:
    """Available perimeters; None when there are none and no folder was named."""
    try:
        return required_perimeters(vintage, data, reading)
    except MissingDataError:
        if data is not None:
            raise
        return None


def required_perimeters(vintage: int, data: Path | None, reading: Reading = PLAIN) -> gpd.GeoDataFrame:
    """Perimeters of a geography, of the release of the command, else of the newest one where a folder holds several.

    Raises
    ------
    MissingDataError
        There are none: names the places looked at, and the damaged files in them.
    """
    context = click.get_current_context(silent=True)
    release = context.meta.get(RELEASE) if context else None
    return files.perimeters(vintage, data, release=release, options=reading.of_layers, named=reading.columns)


def people(
    vintage: int,
    data: Path | None,
    year: int | None,
    reading: Reading = PLAIN,
    *,
    qpv: pd.DataFrame | None = None,
) -> pd.DataFrame | None:
    """Available table of populations; None when there is none, which notes on `qpv` may explain."""
    return files.people(vintage, data, year=year, columns=reading.of_table, named=reading.columns, qpv=qpv)


def grids_near(
    data: Path | None,
    near: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    grid: Path | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    keep: Sequence[str] | None = None,
) -> list[pd.DataFrame]:
    """Grids that have cells near some shapes: the finest first, of these the latest.

    One that was named must be readable; of those found in the folder, one that is not does not stop the others, and
    those that rank after one that has cells near are not read.
    """
    if grid is None:
        missing.bring("grid", None, data)
    found = [grid] if grid else [one.path for one in recognise.of_kind("grid", data)]
    grids: list[pd.DataFrame] = []
    refused: list[str] = []
    unread: list[str] = []
    paths = list(dict.fromkeys(found)) or recognise.find("grid", None, data)
    ranks = {path: rank_of_file(path, layer=layer, columns=columns) for path in paths} if len(paths) > 1 else {}
    # one whose rank only reading tells may be the best
    for path in sorted(paths, key=lambda path: ranks.get(path) or (0.0, 0)):
        known = ranks.get(path)
        if known is not None and any(_rank(other) <= known for other in grids):
            break
        try:
            cells = read_grid(path, layer=layer, columns=columns, keep=keep, where=near)
        except DataError as error:
            if grid is not None:
                raise
            if error.key == "grid.several_tables" and isinstance(error.message, Note):
                best = _best_layer(path, error.message.values["layers"], near, columns, keep)
                if best is not None:
                    grids.append(best)
                    continue
            # the name of the file is said once
            named = isinstance(error.message, Note) and path.name in map(str, error.message.values.values())
            unread.append(path.name)
            refused.append(error.message if named else Note("cli.of_file", file=path.name, what=error.message))
            refused += error.problems
            continue
        if len(cells):
            grids.append(cells)
        else:
            refused.append(Note("cli.file_without_cell", file=path.name))
    if not grids:
        raise MissingDataError(Note("cli.no_cell_near"), problems=refused, way_out=Note("cli.no_cell_near_way_out"))
    grids.sort(key=_rank)
    files.note_on(grids[0], [Note("cli.grids_left_aside", files=unread)] if unread else [])
    return grids


def _best_layer(
    path: Path,
    layers: Sequence[str],
    near: gpd.GeoDataFrame | gpd.GeoSeries,
    columns: Mapping[str, str] | None,
    keep: Sequence[str] | None,
) -> pd.DataFrame | None:
    """Of the grids of a file the one that has the most cells near, with a note that names the others."""
    found: dict[str, pd.DataFrame] = {}
    for layer in layers:
        with suppress(DataError):  # one of them may be damaged, or hold cells twice
            found[layer] = read_grid(path, layer=layer, columns=columns, keep=keep, where=near)
    if not any(len(cells) for cells in found.values()):
        return None
    taken, cells = max(found.items(), key=lambda one: len(one[1]))
    others = [layer for layer in layers if layer != taken]
    files.note_on(cells, [Note("cli.grid_layer", file=path.name, taken=taken, others=others)])
    return cells


def _rank(grid: pd.DataFrame) -> tuple[float, int]:
    about = provenance.provenance(grid)
    return rank(about.get("resolution_m"), about.get("vintage"))


@dataclass(frozen=True, slots=True)
class Covered:
    """A frame of coverage, and what it was made of."""

    frame: pd.DataFrame
    qpv: gpd.GeoDataFrame
    links: pd.DataFrame
    people: pd.DataFrame | None
    parts: pd.DataFrame | None
    communes: pd.DataFrame | None
    units: pd.DataFrame | None
    area: Area | None = None


def covered(
    vintage: int,
    data: Path | None,
    *,
    by: str,
    year: int | None = None,
    attribution: str | None = None,
    place: str | None = None,
    programme: str | None = None,
    lists: Path | None = None,
    reading: Reading = PLAIN,
    **shown: Any,  # noqa: ANN401 - `stats`, `sort`, `min_population`
) -> Covered:
    """Coverage of the available files by a level, of a place or of all, and of the QPV that a programme reaches."""
    qpv = required_perimeters(vintage, data, reading)
    area = None if place is None else area_of(place, data, qpv)
    population = people(vintage, data, year, reading, qpv=qpv)
    below = area is not None and not area.whole_departments
    in_communes = by in ("commune", "epci", "ept", "programme") or attribution == "commune" or below
    parts = files.parts(vintage, data) if in_communes else None
    of = files.communes(data, forms.reference_year(population)) if in_communes else None
    links = files.links(qpv, of, population if parts is None else parts)
    matches = None
    if programme is not None or by == "programme":
        matches = joined(qpv, data, lists=lists, communes=of, links=links)
        inside = None if programme is None else reached(matches, programme)
        links = links if inside is None else _kept(links, links["qpv_code"].isin(list(inside)))
    units = of if by == "commune" else files.epci(data, of) if by in ("epci", "ept") else None
    frame = by_territory.coverage(
        links,
        by=by,  # type: ignore[arg-type]
        units=units,
        attribution=attribution,  # type: ignore[arg-type]
        denominators=files.denominators_of(qpv) if units is None else None,
        place=area,
        programmes=matches if by == "programme" else None,
        **shown,
    )
    return Covered(frame, qpv, links, population, parts, of, units, area)


def _kept(links: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    kept = links[rows]
    kept.attrs = dict(links.attrs)
    return kept


def known_grids(
    areas: gpd.GeoDataFrame,
    data: Path | None,
    *,
    grid: Path | None = None,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
) -> list[pd.DataFrame]:
    """For each territory of the areas that has a grid, the finest available, the latest of these."""
    require_axes(areas, name="areas", what="polygons")
    drawn = areas[areas.geometry.notna()]
    place = territory_of(drawn.geometry.to_numpy(), drawn.crs)
    known = [one.code for one in territories.territories().values() if one.grid_epsg and one.code in set(place)]
    grids: list[pd.DataFrame] = []
    missing: list[MissingDataError] = []
    for territory in known:
        try:
            read = grids_near(
                data, drawn[place == territory], grid=grid, layer=layer, columns=columns or None, keep=list(keep)
            )
        except MissingDataError as error:
            missing.append(error)
            continue
        grids += [cells for cells in read if territories.of_grid(cells.attrs["epsg"]) == territory][:1]
    if missing and not grids:
        raise missing[0]
    if not grids:
        raise MissingDataError(Note("cli.no_territory_with_grid"), problems=sorted(set(map(str, place))))
    return grids


def polygons(path: Path, reading: Reading) -> gpd.GeoDataFrame:
    """Polygons of the user's file, labelled by their code or name where that is unique, else by their number.

    Raises
    ------
    DataError
        Several layers of the file hold polygons, or none does: lists them.
    """
    held = vector_layers.layers(path)
    held = vector_layers.chosen(held, reading.layer(held), where=path.name)
    layers = [layer for layer in held if not vector_layers.is_thin(layer)]
    if len(layers) != 1:
        raise DataError(
            Note("cli.layers_of_areas", file=path.name, count=len(layers)),
            problems=[layer.label for layer in layers],
            way_out=Note("cli.one_layer"),
        )
    frame, notes = vector_layers.read(layers[0], crs=reading.crs)
    frame = frame.rename(columns=reading.of(frame.columns) or {})
    columns = {str(name).lower(): name for name in frame.columns}
    full = [columns[one] for one in _LABELS if one in columns and frame[columns[one]].notna().all()]
    label = next((name for name in full if frame[name].is_unique), None)
    labels = frame[label].astype("str") if label else pd.Series(range(1, len(frame) + 1)).astype("str")
    areas = frame[[frame.geometry.name]].set_index(pd.Index(labels, name="label"))
    provenance.stamp(areas, [provenance.file_record(path, member=layers[0].member)], notes=notes)
    return areas


def read_points(
    path: Path, weight: str | None = None, *, reading: Reading = PLAIN, crs: str | None = None
) -> gpd.GeoDataFrame:
    """Points or footprints of a layer, or addresses of a BAN table; each counts once, or by the column named."""
    if vector_layers.holds_outlines(path):
        held = vector_layers.layers(path)
        chosen = vector_layers.chosen(held, reading.layer(held), where=path.name)
        frame = vector_layers.read(chosen[0], crs=crs)[0]
        places, columns = frame.geometry, frame.drop(columns=frame.geometry.name)
    else:
        columns = read_table(path).reset_index(drop=True)
        columns = columns.rename(columns=reading.of(columns.columns) or {})
        places = addresses(columns, path, crs)
    weights = {} if weight is None else {WEIGHT: _weights(columns, weight, path)}
    # counted from 1, as messages name them
    return gpd.GeoDataFrame(weights, geometry=places).set_axis(range(1, len(places) + 1), axis="index")


def addresses(table: pd.DataFrame, path: Path, crs: str | None) -> gpd.GeoSeries:
    """Points of a BAN table; a row without coordinates has none."""
    if not {"lon", "lat"} <= set(table.columns):
        raise DataError(Note("cli.no_lon_lat", file=path.name), way_out=Note("cli.name_lon_lat"))
    axes, odd = zip(*(numbers_of(table[axis]) for axis in ("lon", "lat")), strict=True)
    unread = odd[0] | odd[1]
    if unread.any():
        raise DataError(
            Note("cli.coordinates_not_numbers", file=path.name, count=int(unread.sum())),
            problems=[
                Note("cli.row_coordinates", row=row + 1, x=repr(table["lon"][row]), y=repr(table["lat"][row]))
                for row in table.index[unread]
            ],
            way_out=Note("cli.correct_or_empty"),
        )
    return gpd.GeoSeries(gpd.points_from_xy(*axes), crs=4326 if crs is None else vector_layers.user_crs(crs)).where(
        ~np.isnan(axes[0]) & ~np.isnan(axes[1]), None
    )


def _weights(columns: pd.DataFrame, name: str, path: Path) -> pd.Series:
    """Column that says how many times each point counts; a decimal comma is read."""
    if name not in columns.columns:
        names = [str(column) for column in columns.columns]
        lower = {column.lower(): column for column in names}
        near = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, n=5)]
        raise UsageError(
            Note("cli.no_weight_column", file=path.name, column=name),
            problems=[Note("cli.there_is_column", column=column) for column in near or names],
            way_out=Note("cli.name_weight_column"),
        )
    given = columns[name]
    return given.str.replace(",", ".") if pd.api.types.is_string_dtype(given) else given
