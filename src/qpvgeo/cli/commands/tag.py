"""`qpvgeo tag`: the points of a file that lie in a QPV, near one, outside, or nobody knows."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qpvgeo.cli import waiting
from qpvgeo.cli.options import VINTAGES, folder, place_option, release_option, shared
from qpvgeo.cli.outputs import files_read
from qpvgeo.cli.parser import Choice, argument, file_option, list_option, option
from qpvgeo.cli.reading import Reading, named
from qpvgeo.cli.streams import said_in_the_answer
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import UsageError
from qpvgeo.language import Note, number, pointed, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qpvgeo.cli.points_folder import Workers
    from qpvgeo.tagging.options import Options

__all__ = ["tag"]

_VINTAGE = 2024


@argument("file", metavar="[FILE]", required=False, kind=Path, help="cli.tag_file")
@file_option("-o", "--output", metavar="OUT", help="cli.tag_output")
@option("--vintage", kind=VINTAGES, multiple=True, help="cli.tag_vintage")
@release_option
@place_option
@option("--on", metavar="DATE", help="cli.tag_on")
@option("--x", metavar="COLUMN", help="cli.tag_x")
@option("--y", metavar="COLUMN", help="cli.tag_y")
@option("--crs", metavar="EPSG", help="cli.tag_crs")
@list_option("--columns", metavar="NAME=MEANING,...", default="", help="cli.tag_columns")
@list_option("--bands", metavar="METRES,...", default="300,500", help="cli.tag_bands")
@option("--distance", kind=Choice("exact", "signed", "band"), default="exact", help="cli.tag_distance")
@option("--tolerance", metavar="METRES|COLUMN|ban", default="0", help="cli.tag_tolerance")
@option("--commune", metavar="COLUMN", help="cli.tag_commune")
@file_option("--communes", help="cli.tag_communes")
@option("--layer", metavar="NAME", help="cli.tag_layer")
@file_option("--index", help="cli.tag_index")
@option("--safe-csv", is_flag=True, help="cli.tag_safe_csv")
@option("--resume", is_flag=True, help="cli.tag_resume")
@option("--workers", kind=int, help="cli.tag_workers")
@option("--engine", kind=Choice("pool", "dask", "spark"), default="pool", help="cli.tag_engine")
@option("--scheduler", metavar="ADDRESS", help="cli.tag_scheduler")
@option("--master", metavar="URL", help="cli.tag_master")
@shared
def tag(
    file: Path | None,
    *,
    output: Path | None,
    vintage: tuple[str, ...],
    place: str | None,
    on: str | None,
    x: str | None,
    y: str | None,
    crs: str | None,
    columns: str,
    bands: str,
    distance: str,
    tolerance: str,
    commune: str | None,
    communes: Path | None,
    layer: str | None,
    index: Path | None,
    safe_csv: bool,
    resume: bool,
    json: bool,
    sample: bool,
    data: Path | None,
    **workers: Any,  # noqa: ANN401 - the four options of a folder
) -> None:
    """Which points of a file lie in a QPV, or near one; without --output only the counts are given."""
    from qpvgeo.cli import answers
    from qpvgeo.cli.points_folder import Workers, problems_of_workers
    from qpvgeo.samples import sample as embedded
    from qpvgeo.tagging.files import file_problems
    from qpvgeo.tagging.options import Options

    where, points = folder(data, sample=sample), file or embedded().addresses
    read = files_read(output, (index, communes), where)
    crew, many = Workers(**workers), points.is_dir()
    names = named(columns) if columns else {}
    x, y, crs = _coordinates(names, x, y, crs)
    reading = Reading({name: word for name, word in names.items() if word not in ("lon", "lat")})
    limits = [band for band in bands.split(",") if band.strip()]
    xy = x if y is None else (x, y) if x is not None else None
    options = Options(
        bands=limits, distance=distance, on=on, tolerance_m=_tolerance(tolerance), xy=xy, crs=crs, commune=commune
    )
    problems = [
        *([] if file is not None or sample else [Note("cli.name_points")]),
        *_problems_of_perimeters(vintage, on, index, named=sample or data is not None),
        *_problems_of_columns(x, y, crs),
        *([Note("cli.not_columns", given=columns)] if columns and not names else []),
        *([Note("cli.exclude", one="--index", other="--place")] if index is not None and place else []),
        *_problems_of_options(options, bands, tolerance),
        *problems_of_workers(crew, output, folder=many, unfit={"--layer": layer, "--communes": communes}),
        *([] if many else file_problems(points, output, resume=resume, inputs=read)),
    ]
    if problems:
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)
    perimeters, label = _perimeters(vintage, on, index, where, place, reading)
    reading.require_used(points, where)
    whole = {"communes": communes, "layer": layer}
    found = _tagged((points, output, perimeters), options, crew if many else whole, resume=resume, safe_csv=safe_csv)
    about = {"file": points.name, "place": label, "vintage": None if on else found["vintages"][-1]}
    answers.show({**about, **_said(found, label, perimeters)}, _table, as_json=json)


def _said(found: dict[str, Any], label: str | None, perimeters: Any) -> dict[str, Any]:  # noqa: ANN401
    """Answer with the notes on its place and on the release read, and the word on the sample."""
    from qpvgeo.cli import answers
    from qpvgeo.samples import FICTIONAL

    releases = answers.releases(*perimeters) if isinstance(perimeters, list) else []
    notes = [*([] if label is None else [Note("cli.out_of_place", place=label)]), *releases, *found["notes"]]
    fictional = {"fictional": FICTIONAL} if found.pop("fictional") else {}
    return {**found, "notes": notes, **fictional}


def _coordinates(
    names: dict[str, str], x: str | None, y: str | None, crs: str | None
) -> tuple[str | None, str | None, str | None]:
    """Columns of the coordinates and their projection, from `--columns` where it names both."""
    meant = {meaning: name for name, meaning in names.items()}
    if {"lon", "lat"} <= set(meant):
        return x or meant["lon"], y or meant["lat"], crs or "4326"
    return x, y, crs


def _tagged(
    paths: tuple[Path, Path | None, Any],
    options: Options,
    how: Workers | dict[str, Any],
    **more: Any,  # noqa: ANN401 - two options
) -> dict[str, Any]:
    """Tag points into the output, against the perimeters: a folder by workers, or a file; progress to the terminal."""
    from qpvgeo.cli.points_folder import tag_folder
    from qpvgeo.cli.progress import rows
    from qpvgeo.read.communes.reader import read_communes
    from qpvgeo.tagging.files import tag_file
    from qpvgeo.tagging.perimeter_index import PerimeterIndex

    source, output, perimeters = paths
    with _quiet(output):
        if not isinstance(how, dict):
            return tag_folder(source, output, perimeters, options, how, **more)
        outlines = how.pop("communes")
        more |= {"communes": None if outlines is None else read_communes(outlines), **how, **options.given()}
        if isinstance(perimeters, Path):
            perimeters = PerimeterIndex.load(perimeters)
        with rows() as progress:
            return tag_file(source, output, perimeters, progress=progress, **more)


def _tolerance(given: str) -> float | str:
    """Metres, or the name of a column."""
    with suppress(ValueError):
        return float(pointed(given))
    return given


def _problems_of_perimeters(vintage: tuple[str, ...], on: str | None, index: Path | None, *, named: bool) -> list[str]:
    """Choices of perimeters that do not go together."""
    wrong: dict[str, Any] = {
        Note("cli.vintage_and_on"): vintage and on,
        Note("cli.index_and_vintage"): index is not None and vintage,
        Note("cli.index_and_data"): index is not None and named,
        Note("cli.no_index", file=str(index)): index is not None and not index.is_file(),
    }
    return [note for note, told in wrong.items() if told]


def _problems_of_columns(x: str | None, y: str | None, crs: str | None) -> list[str]:
    wrong: dict[str, bool] = {
        Note("cli.x_and_y"): x is None and y is not None,
        Note("cli.x_needs_crs"): x is not None and y is not None and crs is None,
    }
    return [note for note, told in wrong.items() if told]


def _problems_of_options(options: Options, bands: str, tolerance: str) -> list[str]:
    """Values that cannot be, under the names of the command line."""
    said = {"bands": f"--bands {bands}", "on": f"--on {options.on}", "crs": f"--crs {options.crs}"}
    said |= {"tolerance_m": f"--tolerance {tolerance}", "distance": f"--distance {options.distance}"}
    return options.problems(options.faults(), said)


@contextmanager
def _quiet(output: Path | None) -> Iterator[None]:
    """Keep back warnings that the answer repeats, and say how to go on when a run is interrupted."""
    try:
        with said_in_the_answer("tagging.without_outline", "tagging.partial"):
            yield
    except KeyboardInterrupt:
        if output is not None:
            waiting.over()
            click.echo(f"qpvgeo: {Note('cli.how_to_resume')}", err=True)
        raise


def _perimeters(
    vintage: tuple[str, ...], on: str | None, index: Path | None, data: Path | None, place: str | None, reading: Reading
) -> tuple[Any, str | None]:
    """Perimeters of the vintages asked for, or the file of an index; those of a place, and its name."""
    from qpvgeo import facts
    from qpvgeo.at_hand.places import qpv_of
    from qpvgeo.cli import inputs

    if index is not None:
        return index, None
    years = {int(one) for one in vintage} or {_VINTAGE}
    if on is not None:
        years = {int(year) for year in facts.geography(on)["vintage"].dropna().unique()}
        if not years:
            raise UsageError(Note("cli.no_geography_on", day=on))
    read = [inputs.required_perimeters(year, data, reading) for year in sorted(years)]
    if place is None:
        return read, None
    found = [qpv_of(qpv, place, data) for qpv in read]
    return [qpv for qpv, _ in found], found[-1][1]


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """Counts by state and band, then the reasons of what is unknown; a pair of columns for each vintage."""
    lang, each = screen.lang, answer.get("by_vintage") or {"": answer}
    columns = [Column("Points", "text")]
    for vintage in each:
        columns += [Column(vintage or "Number"), Column("Share")]
    named = str(answer["on"] or ", ".join(str(vintage) for vintage in answer["vintages"] if vintage))
    about = f"{answer['file']}, {number(answer['rows'], lang)} {screen.word('rows')}"
    rows = []
    for label, figures in _classes(list(each.values()), screen):
        pairs = [(number(one, lang), share(one / answer["rows"] if answer["rows"] else None, lang)) for one in figures]
        rows.append((label, *(cell for pair in pairs for cell in pair)))
    title = f"{about}, {screen.word('geography of')} {named}" if named else about
    screen.table(columns, rows, title=title)
    screen.line()
    if answer["resumed_rows"]:
        screen.line(f"{number(answer['resumed_rows'], lang)} {screen.word('rows were tagged before')}")
    screen.written(answer["output"])
    if not answer["output"]:
        screen.line(screen.word("Nothing was written: name a file with --output to have each row."), style="dim")
    for note in answer["notes"]:
        screen.line(screen.word(note), style="yellow")


def _classes(each: list[dict[str, Any]], screen: Screen) -> Iterator[tuple[str, list[int]]]:
    """Rows of the table of tags, with a figure for each vintage."""
    word = screen.word
    yield word("In a QPV"), [one["states"]["in"] for one in each]
    before = None
    for band in each[0]["bands"]:
        ring = word("Out, within") if before is None else f"{word('Out, from')} {before} {word('to')}"
        yield f"{ring} {band} m", [one["bands"][band] for one in each]
        before = band
    beyond = [one["states"]["out"] - sum(one["bands"].values()) for one in each]
    last = next(reversed(each[0]["bands"]), None)
    yield f"{word('Out, beyond')} {last} m" if last else word("Out"), beyond
    yield word("Unknown"), [one["states"]["unknown"] for one in each]
    for reason in dict.fromkeys(reason for one in each for reason in one["reasons"]):
        yield f"- {word(reason)}", [one["reasons"].get(reason, 0) for one in each]
