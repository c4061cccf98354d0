"""The `qpvgeo` command: the questions of the library, asked from a terminal.

Modules that need geopandas are imported by the command that runs, so that the help answers at once. Standard output
carries the answer and nothing else; errors and progress go to standard error. Exit status: 0 done, 1 the data did not
pass, 2 the call was wrong, 3 a source could not be had.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from qpvgeo._version import __version__
from qpvgeo.errors import QpvgeoError

__all__ = ["app", "main"]

app = typer.Typer(
    name="qpvgeo",
    help="France's priority neighbourhoods (QPV): lists, perimeters, people, shares.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


class Vintage(StrEnum):
    """Geographies."""

    Y2015 = "2015"
    Y2024 = "2024"


class Language(StrEnum):
    """Languages of the tables."""

    EN = "en"
    FR = "fr"


class SummaryLevel(StrEnum):
    """Levels of a summary."""

    TERRITORY = "territory"
    REGION = "region"
    DEPARTMENT = "department"


class CoverageLevel(StrEnum):
    """Levels of coverage."""

    COMMUNE = "commune"
    EPCI = "epci"
    EPT = "ept"
    DEPARTMENT = "department"
    REGION = "region"
    TERRITORY = "territory"


class Attribution(StrEnum):
    """Where a QPV counts."""

    CODE = "code"
    COMMUNE = "commune"


class EstimateMethod(StrEnum):
    """Ways to share out the people of a cell."""

    AREA = "area"
    CENTROID = "centroid"
    TOUCHING = "touching"
    POINTS = "points"
    CONSTRAINED = "constrained"


class MapKind(StrEnum):
    """Maps."""

    QPV = "qpv"
    CHOROPLETH = "choropleth"
    GRID = "grid"
    ESTIMATES = "estimates"
    CHANGE = "change"
    TAGS = "tags"
    FRANCE = "france"


class TagDistance(StrEnum):
    """What is said of the distance to a limit."""

    EXACT = "exact"
    SIGNED = "signed"
    BAND = "band"


VintageOption = Annotated[Vintage, typer.Option(help="Geography: 2015 or 2024.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else there.")]
SampleOption = Annotated[bool, typer.Option("--sample", help="Use the embedded, fictional sample.")]
DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of published files.")]
LangOption = Annotated[Language, typer.Option(help="Language of tables and maps.")]
YearOption = Annotated[int | None, typer.Option(help="Reference year of the populations, where a table has several.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"qpvgeo {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def datasets(
    *, json: JsonOption = False, sample: SampleOption = False, data: DataOption = None, lang: LangOption = Language.EN
) -> None:
    """List the official files, and which of them are at hand."""
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands import answers

    answer = answers.datasets(_folder(data, sample=sample))
    _print(answer, tables.datasets, json=json, lang=lang)


@app.command()
def fetch(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Keys of `qpvgeo datasets`, or addresses.")],
    *,
    update: Annotated[bool, typer.Option(help="Accept a file that has changed since it was recorded.")] = False,
    url: Annotated[str | None, typer.Option(help="Another address for the file.")] = None,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LangOption = Language.EN,
) -> None:
    """Download official files, or find them where they already are."""
    if url is not None and len(keys) > 1:
        raise typer.BadParameter("one address cannot serve several keys", param_hint="--url")
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands import answers

    answer = answers.fetch(keys, update=update, url=url, data=data)
    _print(answer, tables.fetch, json=json, lang=lang)
    _fail_if(answer.get("failed"), 3)


@app.command()
def doctor(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Files, archives or folders.")] = None,
    *,
    json: JsonOption = False,
    sample: SampleOption = False,
    data: DataOption = None,
    lang: LangOption = Language.EN,
) -> None:
    """Judge files before anything is computed from them; exit status 1 when one cannot be used as it is."""
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands import answers

    folder = _folder(data, sample=sample)
    if not files and folder is None:
        raise typer.BadParameter("name a file, or use --data or --sample", param_hint="FILE")
    answer = answers.doctor([*(files or []), *([folder] if folder else [])])
    _print(answer, tables.doctor, json=json, lang=lang)
    _fail_if(not answer["ok"], 1)


@app.command()
def summary(
    *,
    vintage: VintageOption = Vintage.Y2024,
    by: Annotated[SummaryLevel, typer.Option(help="Rows of the table.")] = SummaryLevel.TERRITORY,
    year: YearOption = None,
    json: JsonOption = False,
    sample: SampleOption = False,
    data: DataOption = None,
    lang: LangOption = Language.EN,
) -> None:
    """How many QPV, how many people, which share; from published figures when no file is at hand."""
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands import answers

    folder = _folder(data, sample=sample)
    answer = answers.summary(int(vintage), folder, by=by.value, year=year)
    _print(answer, tables.summary, json=json, lang=lang)


@app.command()
def coverage(
    *,
    by: Annotated[CoverageLevel, typer.Option(help="Rows of the table.")] = CoverageLevel.DEPARTMENT,
    vintage: VintageOption = Vintage.Y2024,
    year: YearOption = None,
    attribution: Annotated[
        Attribution | None, typer.Option(help="Count a QPV by its code or by the communes it lies in.")
    ] = None,
    json: JsonOption = False,
    sample: SampleOption = False,
    data: DataOption = None,
    lang: LangOption = Language.EN,
) -> None:
    """QPV of each commune, EPCI, EPT, department, region or territory: number, people, share, area."""
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands import answers

    folder = _folder(data, sample=sample)
    choice = attribution.value if attribution else None
    answer = answers.coverage(int(vintage), folder, by=by.value, year=year, attribution=choice)
    _print(answer, tables.coverage, json=json, lang=lang)


@app.command()
def population(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Your own polygons, not the QPV.")] = None,
    *,
    vintage: VintageOption = Vintage.Y2024,
    commune: Annotated[str | None, typer.Option(help="Only the QPV of a commune.")] = None,
    epci: Annotated[str | None, typer.Option(help="Only the QPV of an EPCI or EPT (SIREN).")] = None,
    method: Annotated[EstimateMethod, typer.Option(help="How crossed cells are shared out.")] = EstimateMethod.AREA,
    points: Annotated[Path | None, typer.Option(metavar="FILE", help="Addresses or buildings.")] = None,
    weight: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of --points: homes at an address, or in a building.")
    ] = None,
    grid: Annotated[Path | None, typer.Option(metavar="FILE", help="Grid to use; else the latest at hand.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer or member of the --grid file.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Write a .csv, .parquet (GeoParquet) or .json.")
    ] = None,
    json: JsonOption = False,
    sample: SampleOption = False,
    data: DataOption = None,
    lang: LangOption = Language.EN,
) -> None:
    """Who lives in the QPV, or in any polygons: estimates from the income grid, with their bounds."""
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands.population import Request, population

    folder = _folder(data, sample=sample)
    place = {"commune": commune, "epci": epci}
    asked = Request(
        file,
        int(vintage),
        folder,
        method.value,
        **place,
        grid=grid,
        layer=layer,
        points=points,
        weight=weight,
        output=output,
    )
    _print(population(asked), tables.population, json=json, lang=lang)


@app.command()
def tag(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Addresses or points: CSV, CSV.gz or Parquet.")
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Write a .csv, .csv.gz or .parquet.")
    ] = None,
    vintage: Annotated[
        list[Vintage] | None, typer.Option(help="Geography, 2024 by default; give it twice for both.")
    ] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="The geography in force on a day.")] = None,
    x: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column eastwards; else `lon`.")] = None,
    y: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column northwards; else `lat`.")] = None,
    crs: Annotated[str | None, typer.Option(metavar="EPSG", help="Projection of the columns --x and --y.")] = None,
    bands: Annotated[str, typer.Option(metavar="METRES", help="Distances to sort by; empty for none.")] = "300,500",
    distance: Annotated[TagDistance, typer.Option(help="Distances; with a sign inside; or bands alone.")] = (
        TagDistance.EXACT
    ),
    tolerance: Annotated[
        str, typer.Option(metavar="METRES|COLUMN|ban", help="How far off the points may be: nearer a limit, unknown.")
    ] = "0",
    index: Annotated[Path | None, typer.Option(metavar="FILE", help="A saved PerimeterIndex.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that was stopped.")] = False,
    json: JsonOption = False,
    sample: SampleOption = False,
    data: DataOption = None,
    lang: LangOption = Language.EN,
) -> None:
    """Which points of a file lie in a QPV, or near one; without --output only the counts are given."""
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands.tag import Request, tag

    asked = Request(
        file,
        output,
        _folder(data, sample=sample),
        sample=sample,
        vintages=tuple(int(one) for one in vintage or ()),
        on=on,
        x=x,
        y=y,
        crs=crs,
        bands=bands,
        distance=distance.value,
        tolerance=tolerance,
        index=index,
        resume=resume,
    )
    _print(tag(asked), tables.tag, json=json, lang=lang)


@app.command()
def crosswalk(
    *,
    weights: Annotated[
        str | None,
        typer.Option(metavar="grid|population|FILE", help="Count people of the grid, published people, or points."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="METRES", help="What is nowhere wider is no change; 30 to 40 for simplified files.")
    ] = 1.0,
    territory: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only one territory: hexagone, 971, ...")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Write the pairs: .csv, .parquet or .json.")
    ] = None,
    classes: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write what became of each QPV: .csv, .parquet or .json.")
    ] = None,
    grid: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Grid of --weights grid; else those at hand.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer or member of the --grid file.")] = None,
    json: JsonOption = False,
    sample: SampleOption = False,
    data: DataOption = None,
    lang: LangOption = Language.EN,
) -> None:
    """What became of the QPV of 2015, and where those of 2024 come from."""
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands.crosswalk import Request, crosswalk

    asked = Request(_folder(data, sample=sample), weights, tolerance, territory, output, classes, grid, layer)
    _print(crosswalk(asked), tables.crosswalk, json=json, lang=lang)


@app.command(name="map")
def map_(
    place: Annotated[
        str | None,
        typer.Argument(metavar="[PLACE]", help="Code or name of a commune, EPCI, EPT, department or QPV."),
    ] = None,
    *,
    kind: Annotated[MapKind, typer.Option(help="What to show.")] = MapKind.QPV,
    box: Annotated[str | None, typer.Option(metavar="W,S,E,N", help="In place of PLACE: degrees, or metres.")] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a PNG, 300 dots an inch.")] = None,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an SVG, text as text.")] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a PDF, text as text.")] = None,
    vintage: Annotated[Vintage | None, typer.Option(help="Geography: 2015, or 2024 when left out.")] = None,
    by: Annotated[str | None, typer.Option(metavar="LEVEL", help="Units of a choropleth, or of --kind france.")] = None,
    column: Annotated[str | None, typer.Option(help="Column of the coverage or of the grid.")] = None,
    points: Annotated[Path | None, typer.Option(metavar="FILE", help="Addresses of --kind tags.")] = None,
    grid: Annotated[Path | None, typer.Option(metavar="FILE", help="Grid to use; else the latest at hand.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer or member of the --grid file.")] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="NAME=MEANING,...", help="Columns of the --grid file: id=cell_id,...")
    ] = None,
    title: Annotated[str | None, typer.Option(help="In place of the title made.")] = None,
    basemap: Annotated[bool, typer.Option("--basemap", help="Tiles of a web map below, from the network.")] = False,
    json: JsonOption = False,
    sample: SampleOption = False,
    data: DataOption = None,
    lang: LangOption = Language.EN,
) -> None:
    """Draw a map of a place, or of the country, ready for a report."""
    from qpvgeo.cli import tables
    from qpvgeo.cli.commands import map as maps

    asked = maps.Request(
        place=place,
        box=box,
        kind=kind.value,
        data=_folder(data, sample=sample),
        sample=sample,
        vintage=None if vintage is None else int(vintage),
        by=by,
        column=column,
        points=points,
        grid=grid,
        layer=layer,
        columns=columns,
        title=title,
        lang=lang.value,
        basemap=basemap,
        png=png,
        svg=svg,
        pdf=pdf,
    )
    _print(maps.draw(asked), tables.map_, json=json, lang=lang)


def _folder(data: Path | None, *, sample: bool) -> Path | None:
    if sample and data is not None:
        raise typer.BadParameter("--sample and --data exclude each other", param_hint="--sample")
    if not sample:
        if data is not None:
            from qpvgeo.sources.folders import data_dirs

            data_dirs(data)  # raises when it is no folder
        return data
    from qpvgeo.samples import sample as embedded

    return embedded().path


def _print(answer: dict[str, Any], table: Any, *, json: bool, lang: Language) -> None:  # noqa: ANN401 - a renderer
    if json:
        from json import dumps

        typer.echo(dumps(answer, ensure_ascii=False, indent=2, allow_nan=False))
        return
    from qpvgeo.cli.tables import console

    table(answer, console(), lang.value)


def _fail_if(failed: Any, status: int) -> None:  # noqa: ANN401 - anything true
    if failed:
        raise typer.Exit(status)


def main() -> None:
    """Run the command; an error of qpvgeo is a message and an exit status, never a traceback."""
    try:
        app()
    except QpvgeoError as error:
        typer.echo(f"qpvgeo: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("qpvgeo: interrupted", err=True)
        sys.exit(130)
