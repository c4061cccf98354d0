"""What `qpvgeo tag` answers: the points of a file that lie in a QPV, near one, outside, or nobody knows."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from qpvgeo import discover, facts
from qpvgeo.errors import MissingDataError, UsageError
from qpvgeo.perimeter import PerimeterIndex
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import FICTIONAL
from qpvgeo.samples import sample as embedded
from qpvgeo.tagfiles import tag_file

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
    bands = _require(asked)
    file = asked.file or embedded().addresses
    tolerance = _tolerance(asked.tolerance)
    perimeters = _perimeters(asked)
    xy = (asked.x, asked.y) if asked.x is not None and asked.y is not None else None
    with _bar() as progress, warnings.catch_warnings():
        # the answer holds the same words
        warnings.filterwarnings("ignore", message=".* no outline in this file|.* may lie in another$")
        found = tag_file(
            file,
            asked.output,
            perimeters,
            bands=bands,
            distance=asked.distance,  # type: ignore[arg-type]
            on=asked.on,
            tolerance_m=tolerance,
            xy=xy,
            crs=asked.crs,
            resume=asked.resume,
            progress=progress,
        )
    vintages = found["vintages"]
    fictional = {"fictional": FICTIONAL} if found.pop("fictional") else {}
    return {"file": file.name, "vintage": None if asked.on else vintages[-1], **found, **fictional}


def _require(asked: Request) -> tuple[float, ...]:
    """Bands, once all the options fit together."""
    problems = []
    if asked.file is None and not asked.sample:
        problems.append("name a FILE of points, or use --sample")
    if asked.vintages and asked.on:
        problems.append("--vintage and --on exclude each other: a day has its geography in each territory")
    if asked.index is not None and asked.vintages:
        problems.append("--index and --vintage exclude each other: the index has its vintages")
    if asked.index is not None and (asked.sample or asked.data is not None):
        problems.append("--index takes the place of the perimeters of --sample and --data")
    if (asked.x is None) != (asked.y is None):
        problems.append("--x and --y go together")
    if asked.x is not None and asked.crs is None:
        problems.append("--x and --y need their projection: --crs 2154 for Lambert-93, --crs 4326 for degrees")
    if asked.resume and asked.output is None:
        problems.append("--resume needs the --output of the run to go on with")
    bands: tuple[float, ...] = ()
    try:
        bands = tuple(float(band) for band in asked.bands.split(",") if band.strip())
    except ValueError:
        problems.append(f"--bands {asked.bands} are no distances: write them as 300,500")
    if problems:
        raise UsageError("The options do not fit together.", problems=problems)
    return bands


def _tolerance(text: str) -> float | str:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def _perimeters(asked: Request) -> Any:  # noqa: ANN401 - frames or an index
    """Perimeters of the vintages asked for, at hand or in a saved index."""
    if asked.index is not None:
        if not asked.index.is_file():
            raise MissingDataError(
                f"There is no file {asked.index}.", way_out="Make it: PerimeterIndex(qpv).save(path)."
            )
        return PerimeterIndex.load(asked.index)
    years = asked.vintages or (_VINTAGE,)
    if asked.on is not None:
        years = tuple(int(year) for year in facts.geography(asked.on)["vintage"].dropna().unique())
        if not years:
            raise UsageError(f"No geography of QPV was in force, or is known, on {asked.on}.")
    return [read_qpv(discover.find("perimeters", year, asked.data), vintage=year) for year in sorted(set(years))]


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
