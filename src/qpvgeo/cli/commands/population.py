"""`qpvgeo population`: who lives in the QPV of a place, or in any polygons."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, layer_option, shared, vintage_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, argument, file_option, option
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note, number, share

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["population"]

_COMMUNE = re.compile(r"\d[\dAB]\d{3}")
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
@option("--commune", metavar="CODE", help="cli.population_commune")
@option("--epci", metavar="CODE", help="cli.population_epci")
@option("--method", kind=Choice(*_METHODS), default="area", help="cli.population_method")
@file_option("--points", help="cli.population_points")
@option("--weight", metavar="COLUMN", help="cli.population_weight")
@grid_option
@layer_option
@option("--columns", metavar="NAME[=MEASURE],...", help="cli.population_columns")
@with_output
@shared
def population(
    file: Path | None,
    *,
    vintage: str,
    commune: str | None,
    epci: str | None,
    method: str,
    points: Path | None,
    weight: str | None,
    grid: Path | None,
    layer: str | None,
    columns: str | None,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Who lives in the QPV, or in any polygons: estimates from the income grid, with their bounds."""
    from qpvgeo.cli import answers, inputs
    from qpvgeo.cli.progress import steps

    where = folder(data, sample=sample)
    problems = _problems(file, commune, epci, method, points, weight)
    problems += output.problems([file, points, grid], where, layers=True)
    if problems:
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)
    measures, names, keep = _columns(columns)
    with steps(4) as step:
        step("perimeters")
        areas = _polygons(file) if file is not None else _qpv(int(vintage), where, commune, epci)
        step("points")
        homes = inputs.read_points(points, weight) if points else None
        totals = _published(int(vintage), where) if method == "constrained" else None
        step("grid")
        grids = inputs.known_grids(areas, where, grid=grid, layer=layer, columns=names, keep=keep)
        step("estimate")
        people = _estimates(areas, grids, method, homes, totals, measures)
    if "name" in areas.columns:
        people.insert(0, "name", areas["name"])
    output.write(_drawn(people, areas))
    about = [one.attrs["qpvgeo"] for one in grids]
    keys = ("territory", "vintage", "resolution_m", "poverty_basis")
    answer = {
        "method": method,
        "grid_vintage": about[0].get("vintage"),
        "grids": [{key: one.get(key) for key in keys} for one in about],
        "rows": answers.records(people, "qpv_code" if file is None else "label"),
        "points_weight": weight,
        "constraint": people.attrs["qpvgeo"].get("constraint"),
        "notes": answers.notes(areas, people),
        "output": output.name,
        "sources": answers.sources(areas, *grids),
    }
    answers.show(answer | answers.fictional(areas, *grids), _table, as_json=json)


def _drawn(people: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Estimates with the outlines that they are of."""
    import geopandas as gpd

    drawn = gpd.GeoDataFrame(people, geometry=areas.geometry)
    drawn.attrs = people.attrs
    return drawn


def _problems(
    file: Path | None, commune: str | None, epci: str | None, method: str, points: Path | None, weight: str | None
) -> list[str]:
    """Options that do not go together."""
    from qpvgeo.codes import official

    wrong: dict[str, Any] = {
        Note("cli.exclude", one="--commune", other="--epci"): commune and epci,
        Note("cli.place_of_a_file"): file is not None and (commune or epci),
        Note("cli.method_points"): (method == "points") != (points is not None),
        Note("cli.weight_of_points"): weight is not None and points is None,
        Note("cli.constrained_needs_totals"): method == "constrained" and file is not None,
    }
    if commune and official.fold_arrondissement(commune) != commune:
        wrong[Note("cli.arrondissement", commune=commune)] = True
    return [note for note, told in wrong.items() if told]


def _columns(given: str | None) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Columns to sum or to average, what columns of the grid stand for, and which to read beside the canonical ones."""
    from qpvgeo.population.grid_columns import MEASURES
    from qpvgeo.read.grid.reader import GRID_COLUMNS

    parts = [part.strip().partition("=") for part in (given or "").split(",") if part.strip()]
    names = {name: meant for name, sign, meant in parts if sign and meant not in MEASURES}
    measures = {name.lower(): measure or None for name, _, measure in parts if name not in names}
    return measures, names, [name for name in measures if name not in GRID_COLUMNS]


def _qpv(vintage: int, data: Path | None, commune: str | None, epci: str | None) -> gpd.GeoDataFrame:
    """QPV of a place, or all of them."""
    from qpvgeo.cli import inputs

    qpv = inputs.required_perimeters(vintage, data)
    place = commune or epci
    if place is None:
        return qpv
    chosen = _of_place(qpv, data, commune, epci)
    if not len(chosen):
        raise DataError(Note("cli.no_qpv_in_place", vintage=vintage, place=place), way_out=Note("cli.codes_of_places"))
    return chosen


def _of_place(qpv: gpd.GeoDataFrame, data: Path | None, commune: str | None, epci: str | None) -> gpd.GeoDataFrame:
    """QPV of a commune or of an EPCI: by the published lists where there are some, else by geometry."""
    from qpvgeo.codes import official
    from qpvgeo.indicators.qpv_communes import join_communes
    from qpvgeo.read.communes.reader import read_communes
    from qpvgeo.sources import recognise

    if commune:
        code = _commune_code(qpv, data, commune)
        if code and qpv["communes"].notna().all():
            return qpv[[code in listed for listed in qpv["communes"]]]
        if code is None:
            named = set[str]().union(*_by_names(qpv, commune).values())
            return qpv[qpv.index.isin(list(named))]
        commune = code
    if epci and "siren_epci" in qpv.columns:
        listed = [official.split_list(cell, "siren") for cell in qpv["siren_epci"]]
        named = qpv[[epci in sirens for sirens in listed]]
        if len(named):
            return named
    outlines, tables = recognise.communes_at_hand(data)
    links = join_communes(qpv, read_communes(outlines, table=tables[:1]))
    column, value = ("commune", commune) if commune else ("epci", epci)
    return qpv[qpv.index.isin(links.loc[links[column] == value, "qpv_code"])]


def _commune_code(qpv: gpd.GeoDataFrame, data: Path | None, given: str) -> str | None:
    """Code of a commune given by code or name; None where only the names published with the QPV have it."""
    from qpvgeo.codes import official
    from qpvgeo.codes.places import find_area
    from qpvgeo.indicators.named_communes import communes_of
    from qpvgeo.read.communes.reader import read_communes
    from qpvgeo.sources import recognise

    code = official.fold_arrondissement(given.upper())
    if _COMMUNE.fullmatch(code):
        return code
    units = communes_of(qpv)
    if units is None:
        if _by_names(qpv, given):
            return None
        outlines, tables = recognise.communes_at_hand(data)
        units = read_communes(outlines, table=tables[:1])
    return find_area(given, units, level="commune").code


def _by_names(qpv: gpd.GeoDataFrame, given: str) -> dict[str, set[str]]:
    """QPV by department whose published names of communes hold a name.

    Raises
    ------
    UsageError
        Communes of several departments have it: lists them.
    """
    from qpvgeo.indicators.named_communes import qpv_in_commune_named

    found = qpv_in_commune_named(qpv, given)
    if len(found) > 1:
        choices = [f"{given} ({department})" for department in sorted(found)]
        raise UsageError(
            Note("codes.several_places", count=len(choices), name=given),
            problems=[Note("codes.choice", place=choice, level="commune") for choice in choices],
            way_out=Note("codes.choose_place", example=choices[0]),
        )
    return found


def _polygons(path: Path) -> gpd.GeoDataFrame:
    """Polygons of the user's file, labelled by their code or name where that is unique, else by their number."""
    import pandas as pd

    from qpvgeo.formats import vector_layers
    from qpvgeo.frames import provenance

    layers = [layer for layer in vector_layers.layers(path) if "Point" not in layer.shape and "Line" not in layer.shape]
    if len(layers) != 1:
        raise DataError(
            Note("cli.layers_of_areas", file=path.name, count=len(layers)),
            problems=[layer.label for layer in layers],
            way_out=Note("cli.one_layer"),
        )
    frame, notes = vector_layers.read(layers[0])
    columns = {str(name).lower(): name for name in frame.columns}
    full = [
        columns[one] for one in ("code", "id", "name", "nom") if one in columns and frame[columns[one]].notna().all()
    ]
    label = next((name for name in full if frame[name].is_unique), None)
    labels = frame[label].astype("str") if label else pd.Series(range(1, len(frame) + 1)).astype("str")
    areas = frame[[frame.geometry.name]].set_index(pd.Index(labels, name="label"))
    provenance.stamp(areas, [provenance.file_record(path, member=layers[0].member)], notes=notes)
    return areas


def _published(vintage: int, data: Path | None) -> pd.Series:
    """Published population of the QPV, to be met."""
    from qpvgeo.read.population import read_population
    from qpvgeo.sources import recognise

    table = read_population(recognise.find("population", vintage, data)[0])
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
    about = provenance.provenance(people)
    for name in ("files", "notes"):
        listed = [record for result in results for record in provenance.provenance(result).get(name, [])]
        about[name] = [record for row, record in enumerate(listed) if record not in listed[:row]]
    people.attrs[provenance.ATTRS_KEY] = about
    return people


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
            "; ".join(note.say(lang) for note in in_words(row["warnings"], row)),
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
