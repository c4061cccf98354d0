"""What `qpvgeo tag` answers: the points of a file that lie in a QPV, near one, outside, or nobody knows."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from qpvgeo import facts
from qpvgeo.errors import UsageError
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import FICTIONAL
from qpvgeo.samples import sample as embedded
from qpvgeo.sources import recognise
from qpvgeo.tagging.files import file_problems, tag_file
from qpvgeo.tagging.options import Options
from qpvgeo.tagging.perimeter_index import PerimeterIndex

__all__ = ["Request", "tag"]

_VINTAGE = 2024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    sample: bool = False
    vintages: tuple[int, ...] = ()
    on: str | None = None
    x: str | None = None
    y: str | None = None
    crs: str | None = None
    bands: str = "300,500"
    distance: str = "exact"
    tolerance: str = "0"
    index: Path | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Request(_Options):
    """What was asked on the command line."""

    file: Path | None
    output: Path | None
    data: Path | None


def tag(asked: Request) -> dict[str, Any]:
    """Answer of `qpvgeo tag`: the counts; the rows go to the output."""
    file = asked.file or embedded().addresses
    options = _options(asked)
    _require(asked, file, options)
    perimeters = _perimeters(asked)
    with _bar() as progress, warnings.catch_warnings(), _interrupted(asked):
        # the answer holds the same words
        warnings.filterwarnings("ignore", message=".* no outline in this file|.* may lie in another$")
        found = tag_file(
            file,
            asked.output,
            perimeters,
            bands=options.limits,
            distance=options.distance,
            on=options.on,
            tolerance_m=options.tolerance_m,
            xy=options.xy,
            crs=options.crs,
            resume=asked.resume,
            progress=progress,
        )
    vintages = found["vintages"]
    fictional = {"fictional": FICTIONAL} if found.pop("fictional") else {}
    return {"file": file.name, "vintage": None if asked.on else vintages[-1], **found, **fictional}


def _options(asked: Request) -> Options:
    """What is asked about the points, out of the words of the command line."""
    tolerance: float | str = asked.tolerance
    with suppress(ValueError):
        tolerance = float(asked.tolerance.replace(",", "."))
    return Options(
        bands=[band for band in asked.bands.split(",") if band.strip()],
        distance=asked.distance,
        on=asked.on,
        tolerance_m=tolerance,
        xy=(asked.x, asked.y) if asked.x is not None and asked.y is not None else None,
        crs=asked.crs,
    )


def _require(asked: Request, file: Path, options: Options) -> None:
    """Raise when options do not fit together, or one of them cannot be: all are listed."""
    problems = []
    if asked.file is None and not asked.sample:
        problems.append("name a FILE of points, or use --sample")
    if asked.vintages and asked.on:
        problems.append("--vintage and --on exclude each other: a day has its geography in each territory")
    if asked.index is not None and asked.vintages:
        problems.append("--index and --vintage exclude each other: the index has its vintages")
    if asked.index is not None and (asked.sample or asked.data is not None):
        problems.append("--index takes the place of the perimeters of --sample and --data")
    if asked.index is not None and not asked.index.is_file():
        problems.append(f"--index {asked.index}: there is no such file; PerimeterIndex(qpv).save(path) makes one")
    if (asked.x is None) != (asked.y is None):
        problems.append("--x and --y go together")
    if asked.x is not None and asked.crs is None:
        problems.append("--x and --y need their projection: --crs 2154 for Lambert-93, --crs 4326 for degrees")
    said = {"bands": f"--bands {asked.bands}", "on": f"--on {asked.on}", "crs": f"--crs {asked.crs}"}
    said |= {"tolerance_m": f"--tolerance {asked.tolerance}", "distance": f"--distance {asked.distance}"}
    problems += options.problems(options.faults(), said)
    problems += file_problems(file, asked.output, resume=asked.resume)
    if problems:
        raise UsageError("The options do not fit together.", problems=problems)


@contextmanager
def _interrupted(asked: Request) -> Iterator[None]:
    """Say how to go on when a run is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        if asked.output is not None:
            typer.echo("qpvgeo: what was tagged so far is kept; the same command with --resume goes on", err=True)
        raise


def _perimeters(asked: Request) -> Any:  # noqa: ANN401 - frames or an index
    """Perimeters of the vintages asked for, at hand or in a saved index."""
    if asked.index is not None:
        return PerimeterIndex.load(asked.index)
    years = asked.vintages or (_VINTAGE,)
    if asked.on is not None:
        years = tuple(int(year) for year in facts.geography(asked.on)["vintage"].dropna().unique())
        if not years:
            raise UsageError(f"No geography of QPV was in force, or is known, on {asked.on}.")
    return [read_qpv(recognise.find("perimeters", year, asked.data), vintage=year) for year in sorted(set(years))]


@contextmanager
def _bar() -> Iterator[Callable[[int, float], None]]:
    """Progress on standard error, on a terminal only."""
    errors = Console(stderr=True)
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("", total=1.0)

        def told(rows: int, share: float) -> None:
            progress.update(task, completed=share, description=f"{rows:,}")

        yield told
