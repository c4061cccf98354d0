"""`qpvgeo population`: who lives in the QPV of a place, or in any polygons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, place_option, shared, vintage_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, argument, file_option, list_option, option
from qpvgeo.cli.reading import Reading, reading_options
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import UsageError
from qpvgeo.language import Note, number, semicolon, share

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from qpvgeo.codes.places import AreaLevel

__all__ = ["population"]

_METHODS = ("area", "centroid", "touching", "points", "constrained")
_COLUMNS = (
    Column("Code", "code"),
    Column("Name", "name", 1),
    Column("At least"),
    Column("Estimate"),
    Column("At most"),
    Column("Poverty", rank=2),
    Column("Mean living standard", rank=3),
    Column("Imputed", rank=5),
    Column("Cells", rank=6),
    Column("Reliability", "text", 4),
)


@argument("file", metavar="[FILE]", required=False, kind=Path, help="cli.population_file")
@vintage_option
@place_option
@option("--commune", metavar="CODE", help="cli.population_commune")
@option("--epci", metavar="CODE", help="cli.population_epci")
@option("--method", kind=Choice(*_METHODS), default="area", help="cli.population_method")
@file_option("--points", help="cli.population_points")
@option("--weight", metavar="COLUMN", help="cli.population_weight")
@grid_option
@with_output
@shared
def population(
    file: Path | None,
    *,
    vintage: str,
    place: str | None,
    commune: str | None,
    epci: str | None,
    method: str,
    points: Path | None,
    weight: str | None,
    grid: Path | None,
    layer: tuple[str, ...],
    columns: str | None,
    crs: str | None,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Who lives in the QPV, or in any polygons: estimates from the income grid, with their bounds."""
    from qpvgeo.cli import answers, inputs
    from qpvgeo.cli.progress import steps

    where = folder(data, sample=sample)
    problems = _problems(file, (place, commune, epci), method, points, weight)
    problems += output.problems([file, points, grid], where, layers=True)
    if problems:
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)
    measures, names, keep = _columns(columns)
    reading = Reading(names, crs, layer)
    with steps(4) as step:
        step("perimeters")
        areas = (
            inputs.polygons(file, reading)
            if file is not None
            else _qpv(int(vintage), where, (place, commune, epci), reading)
        )
        step("points")
        of_points = crs if file is None else None
        homes = inputs.read_points(points, weight, reading=reading, crs=of_points) if points else None
        totals = _published(int(vintage), where, reading) if method == "constrained" else None
        step("grid")
        grids = inputs.known_grids(
            areas, where, grid=grid, layer=reading.rest_of_layers(), columns=reading.rest(), keep=keep
        )
        step("estimate")
        people = _estimates(areas, grids, method, homes, totals, measures)
    if "name" in areas.columns:
        people.insert(0, "name", areas["name"])
    output.write(_drawn(people, areas))
    answer = {
        "method": method,
        **_of_grids(grids),
        "rows": answers.records(people, "qpv_code" if file is None else "label"),
        "points_weight": weight,
        "constraint": people.attrs["qpvgeo"].get("constraint"),
        "notes": answers.notes(areas, people),
        "output": output.name,
        "sources": answers.sources(areas, *grids),
    }
    answers.show(answer | answers.fictional(areas, *grids), _table, as_json=json)


population = reading_options(
    population, columns=list_option("--columns", metavar="NAME[=MEASURE],...", help="cli.population_columns")
)


def _of_grids(grids: list[pd.DataFrame]) -> dict[str, Any]:
    """Vintage of the first grid, and what the answer tells of each."""
    about = [one.attrs["qpvgeo"] for one in grids]
    keys = ("territory", "vintage", "resolution_m", "poverty_basis")
    return {"grid_vintage": about[0].get("vintage"), "grids": [{key: one.get(key) for key in keys} for one in about]}


def _drawn(people: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Estimates with the outlines that they are of."""
    import geopandas as gpd

    drawn = gpd.GeoDataFrame(people, geometry=areas.geometry)
    drawn.attrs = people.attrs
    return drawn


_PLACES: dict[str, AreaLevel | None] = {"--place": None, "--commune": "commune", "--epci": "epci"}
"""Options of a place, and the level that each is limited to."""


def _problems(
    file: Path | None, places: tuple[str | None, ...], method: str, points: Path | None, weight: str | None
) -> list[str]:
    """Options that do not go together."""
    named = [option for option, place in zip(_PLACES, places, strict=True) if place]
    wrong: dict[str, Any] = {
        Note("cli.exclude", one=next(iter(named), ""), other=next(iter(named[1:]), "")): len(named) > 1,
        Note("cli.place_of_a_file"): file is not None and named,
        Note("cli.method_points"): (method == "points") != (points is not None),
        Note("cli.weight_of_points"): weight is not None and points is None,
        Note("cli.constrained_needs_totals"): method == "constrained" and file is not None,
    }
    return [note for note, told in wrong.items() if told]


def _columns(given: str | None) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Columns to sum or to average, what columns of the grid stand for, and which to read beside the canonical ones."""
    from qpvgeo.population.grid_columns import MEASURES
    from qpvgeo.read.grid.reader import GRID_COLUMNS

    parts = [part.strip().partition("=") for part in (given or "").split(",") if part.strip()]
    names = {name: meant for name, sign, meant in parts if sign and meant not in MEASURES}
    measures = {name.lower(): measure or None for name, _, measure in parts if name not in names}
    return measures, names, [name for name in measures if name not in GRID_COLUMNS]


def _qpv(vintage: int, data: Path | None, places: tuple[str | None, ...], reading: Reading) -> gpd.GeoDataFrame:
    """QPV of a place, or all of them."""
    from qpvgeo.at_hand.places import qpv_of
    from qpvgeo.cli import inputs

    qpv = inputs.required_perimeters(vintage, data, reading)
    for level, place in zip(_PLACES.values(), places, strict=True):
        if place:
            return qpv_of(qpv, place, data, level=level)[0]
    return qpv


def _published(vintage: int, data: Path | None, reading: Reading) -> pd.Series:
    """Published population of the QPV, to be met."""
    from qpvgeo.formats.text_tables import read_table
    from qpvgeo.read.population import read_population
    from qpvgeo.sources import recognise

    path = recognise.find("population", vintage, data)[0]
    columns = reading.of(read_table(path).columns) if reading.columns else None
    table = read_population(path, columns=columns)
    return table["population"].dropna()


def _estimates(
    areas: gpd.GeoDataFrame,
    grids: list[pd.DataFrame],
    method: str,
    points: gpd.GeoDataFrame | None,
    constraint: pd.Series | None,
    measures: Any,  # noqa: ANN401 - measure or None by column
) -> pd.DataFrame:
    """Estimates of each area from the grid of its territory."""
    from qpvgeo.frames import provenance
    from qpvgeo.population.estimation import estimate_population

    results = [
        estimate_population(
            areas,
            grid,
            method=method,  # type: ignore[arg-type]
            points=points,
            constraint=constraint,
            columns=measures,
        )
        for grid in grids
    ]
    people = results[0]
    for other in results[1:]:
        # an area of this grid's territory without a cell is not one without a grid
        rows = (people["cells"] == 0) & (
            (other["cells"] > 0) | people["warnings"].map(lambda codes: "no_grid" in codes)
        )
        people[rows] = other[rows]
    about = {}
    for name in ("files", "notes"):
        listed = [record for result in results for record in provenance.provenance(result).get(name, [])]
        about[name] = [record for row, record in enumerate(listed) if record not in listed[:row]]
    return provenance.amended(people, **about)


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per perimeter, the bounds on both sides of the estimate."""
    from qpvgeo.population.reliability import in_words

    lang, year = screen.lang, answer["grid_vintage"]
    key = "qpv_code" if answer["rows"] and "qpv_code" in answer["rows"][0] else "label"
    rows = [
        (
            str(row[key]),
            row.get("name") or "",
            *(number(row[name], lang) for name in ("low", "estimate", "high")),
            share(row["poverty_rate"], lang, 1),
            number(row["living_standard_mean_eur"], lang),
            share(row["imputed_share"], lang, 0),
            number(row["cells"], lang),
            semicolon(lang).join(note.say(lang) for note in in_words(row["warnings"], row)),
        )
        for row in answer["rows"]
    ]
    dated = str(year) if year else screen.word("year not known")
    method = f"{screen.word('method:')} {screen.word(answer['method'])}"
    screen.table(_COLUMNS, rows, title=f"{screen.word('People of the grid (fiscal households)')}, {dated}, {method}")
    screen.line()
    told = answer["constraint"]
    if told:
        unmet = f", {screen.word('not met:')} {', '.join(told['unmet'])}" if told["unmet"] else ""
        rounds = f"{told['rounds']} {screen.word('rounds')}"
        screen.line(f"{screen.word('Published totals met after')} {rounds}{unmet}", style="dim")
    text = "Living standard is a winsorised mean in euros a year, never a median. Rates are ratios of sums."
    screen.line(screen.word(text), style="dim")
    screen.notes(answer["notes"])
    screen.written(answer["output"])
