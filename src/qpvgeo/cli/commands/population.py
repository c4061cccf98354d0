"""What `qpvgeo population` answers: people of the QPV of a place, or of any polygons, from the grids at hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from qpvgeo.cli.inputs import known_grids, read_points
from qpvgeo.cli.outputs import problems_of, replaced, write_table
from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats import vector_layers
from qpvgeo.frames import provenance
from qpvgeo.indicators.qpv_communes import join_communes
from qpvgeo.population.estimation import estimate_population
from qpvgeo.read.communes.reader import read_communes
from qpvgeo.read.population import read_population
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import FICTIONAL
from qpvgeo.sources import recognise

__all__ = ["Request", "population"]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked on the command line."""

    file: Path | None
    vintage: int
    data: Path | None
    method: str
    commune: str | None = None
    epci: str | None = None
    grid: Path | None = None
    layer: str | None = None
    points: Path | None = None
    weight: str | None = None
    output: Path | None = None


def population(asked: Request) -> dict[str, Any]:
    """Answer of `qpvgeo population`, written to a file too when one is named."""
    _require(asked)
    with _steps(4) as step:
        step("perimeters")
        areas = _areas(asked)
        step("points")
        points = read_points(asked.points, asked.weight) if asked.points else None
        constraint = _published(asked) if asked.method == "constrained" else None
        step("grid")
        grids = known_grids(areas, asked.data, grid=asked.grid, layer=asked.layer)
        step("estimate")
        people = _estimates(areas, grids, asked.method, points, constraint)
    if "name" in areas.columns:
        people.insert(0, "name", areas["name"])
    if asked.output is not None:
        _write(people, areas, asked.output)
    fictional = provenance.is_fictional(areas, *grids)
    sources = [record for frame in (areas, *grids) for record in provenance.provenance(frame).get("files", [])]
    key = "qpv_code" if asked.file is None else "label"
    answer = {
        "method": asked.method,
        "grid_vintage": provenance.provenance(grids[0]).get("vintage"),
        "grids": [
            {
                key: provenance.provenance(grid).get(key)
                for key in ("territory", "vintage", "resolution_m", "poverty_basis")
            }
            for grid in grids
        ],
        "rows": json.loads(people.rename_axis(key).reset_index().to_json(orient="records", double_precision=10)),
        "points_weight": asked.weight,
        "constraint": provenance.provenance(people).get("constraint"),
        "notes": [note for frame in (areas, *grids) for note in provenance.provenance(frame).get("notes", [])],
        "output": None if asked.output is None else str(asked.output),
        "sources": sources,
    }
    return answer | ({"fictional": FICTIONAL} if fictional else {})


def _require(asked: Request) -> None:
    problems = []
    if asked.commune and asked.epci:
        problems.append("--commune and --epci exclude each other")
    if asked.file is not None and (asked.commune or asked.epci):
        problems.append("--commune and --epci choose among the QPV, not among the polygons of a file")
    if (asked.method == "points") != (asked.points is not None):
        problems.append("--method points and --points FILE go together")
    if asked.weight is not None and asked.points is None:
        problems.append("--weight COLUMN names a column of --points FILE")
    if asked.method == "constrained" and asked.file is not None:
        problems.append("--method constrained needs published totals, which only the QPV have")
    if asked.commune and official.fold_arrondissement(asked.commune) != asked.commune:
        problems.append(f"--commune {asked.commune} is an arrondissement: the perimeters name the commune whole")
    problems += problems_of(asked.output)
    if problems:
        raise UsageError("The options do not fit together.", problems=problems)


@contextmanager
def _steps(total: int) -> Iterator[Any]:
    """Progress on standard error, on a terminal only."""
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("", total=total)

        def step(name: str) -> None:
            progress.update(task, advance=1, description=name)

        yield step


def _areas(asked: Request) -> gpd.GeoDataFrame:
    if asked.file is not None:
        return _polygons(asked.file)
    qpv = read_qpv(recognise.find("perimeters", asked.vintage, asked.data), vintage=asked.vintage)
    place = asked.commune or asked.epci
    if place is None:
        return qpv
    chosen = _of_place(qpv, asked)
    if not len(chosen):
        raise DataError(
            f"No QPV of the {asked.vintage} geography lies in {place}.",
            way_out="Codes of communes have five characters, those of EPCI nine digits; `qpvgeo coverage` lists them.",
        )
    return chosen


def _of_place(qpv: gpd.GeoDataFrame, asked: Request) -> gpd.GeoDataFrame:
    """QPV of a commune or of an EPCI: by the published lists where there are some, else by geometry."""
    if asked.commune and qpv["communes"].notna().all():
        commune = official.fold_arrondissement(asked.commune.upper())
        return qpv[[commune in listed for listed in qpv["communes"]]]
    if asked.epci and "siren_epci" in qpv.columns:
        listed = [official.split_list(cell, "siren") for cell in qpv["siren_epci"]]
        named = qpv[[asked.epci in sirens for sirens in listed]]
        if len(named):
            return named
    outlines, tables = recognise.communes_at_hand(asked.data)
    links = join_communes(qpv, read_communes(outlines, table=tables[:1]))
    column, value = ("commune", asked.commune) if asked.commune else ("epci", asked.epci)
    return qpv[qpv.index.isin(links.loc[links[column] == value, "qpv_code"])]


def _polygons(path: Path) -> gpd.GeoDataFrame:
    """Polygons of the user's file, labelled by their code or name where that is unique, else by their number."""
    layers = [layer for layer in vector_layers.layers(path) if "Point" not in layer.shape and "Line" not in layer.shape]
    if len(layers) != 1:
        raise DataError(
            f"{path.name} holds {len(layers)} layers of areas.",
            problems=[layer.label for layer in layers],
            way_out="Give a file with one layer of polygons.",
        )
    frame, notes = vector_layers.read(layers[0])
    label = next((name for name in ("code", "id", "name", "nom") if name in frame and frame[name].is_unique), None)
    labels = frame[label].astype("str") if label else pd.Series(range(1, len(frame) + 1)).astype("str")
    areas = frame[[frame.geometry.name]].set_index(pd.Index(labels, name="label"))
    provenance.stamp(areas, [provenance.file_record(path, member=layers[0].member)], notes=notes)
    return areas


def _published(asked: Request) -> pd.Series:
    """Published population of the QPV, to be met."""
    table = read_population(recognise.find("population", asked.vintage, asked.data)[0])
    return table["population"].dropna()


def _estimates(
    areas: gpd.GeoDataFrame,
    grids: list[pd.DataFrame],
    method: str,
    points: gpd.GeoDataFrame | None,
    constraint: pd.Series | None,
) -> pd.DataFrame:
    """Estimates of each area from the grid of its territory."""
    results = [
        estimate_population(areas, grid, method=method, points=points, constraint=constraint)  # type: ignore[arg-type]
        for grid in grids
    ]
    people = results[0]
    for other in results[1:]:
        # an area of this grid's territory without a cell is not one without a grid
        rows = (people["cells"] == 0) & ((other["cells"] > 0) | (people["reliability"] == "no grid"))
        people[rows] = other[rows]
    about = provenance.provenance(people)
    for name in ("files", "notes"):
        listed = [record for result in results for record in provenance.provenance(result).get(name, [])]
        about[name] = [record for row, record in enumerate(listed) if record not in listed[:row]]
    people.attrs[provenance.ATTRS_KEY] = about
    return people


def _write(people: pd.DataFrame, areas: gpd.GeoDataFrame, output: Path) -> None:
    if output.suffix.lower() == ".parquet":
        replaced(output, lambda part: gpd.GeoDataFrame(people, geometry=areas.geometry).to_parquet(part))
    else:
        write_table(people, output)
