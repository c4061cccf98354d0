"""What `qpvgeo tag` answers: a table of addresses with the QPV that each lies in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qpvgeo import discover
from qpvgeo.errors import UsageError
from qpvgeo.perimeter import PerimeterIndex
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import FICTIONAL, sample
from qpvgeo.tagfiles import Progress as Told
from qpvgeo.tagfiles import tag_file

__all__ = ["Request", "tag"]

_WIDEST_M = 500.0


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked on the command line."""

    file: Path | None
    output: Path | None
    vintages: tuple[int, ...]
    data: Path | None
    sample: bool
    bands: str
    distance: str
    on: str | None = None
    x: str | None = None
    y: str | None = None
    crs: str | None = None
    tolerance: str | None = None
    index: Path | None = None
    resume: bool = False


def tag(asked: Request) -> dict[str, Any]:
    """Answer of `qpvgeo tag`, with the table written beside when an output is named."""
    bands, tolerance = _require(asked)
    source = asked.file or sample().addresses
    metres = tolerance if isinstance(tolerance, float) else 0.0
    index = _index(asked, max([*bands, metres, _WIDEST_M]))
    xy = None if asked.x is None or asked.y is None else (asked.x, asked.y)
    with _progress() as progress:
        found = tag_file(
            source,
            asked.output,
            index,
            resume=asked.resume,
            progress=progress,
            bands=bands,
            distance=asked.distance,  # type: ignore[arg-type]
            **({"on": asked.on} if asked.on else {}),
            **({"tolerance_m": tolerance} if tolerance is not None else {}),
            xy=xy,
            crs=asked.crs,
        )
    vintages = [vintage for vintage in index.vintages if vintage is not None]
    answer = {
        "rows": found["rows"],
        "states": found["states"],
        "bands": found["bands"],
        "reasons": found["reasons"],
        "output": found["output"],
        "file": source.name,
        "on": asked.on,
        "vintages": vintages,
        "sources": index.files,
    }
    answer |= {"by_vintage": found["by_vintage"]} if "by_vintage" in found else {}
    return answer | ({"fictional": FICTIONAL} if index.fictional else {})


def _require(asked: Request) -> tuple[tuple[float, ...], float | str | None]:
    """Bands and tolerance, once the options fit together."""
    problems = []
    if asked.file is None and not asked.sample:
        problems.append("name a FILE of addresses, or --sample")
    if asked.resume and asked.output is None:
        problems.append("--resume needs --output: without it nothing is kept")
    if len({asked.x is None, asked.y is None}) > 1:
        problems.append("--x and --y go together")
    if asked.x is not None and asked.crs is None:
        problems.append("--x and --y need --crs: 4326 for degrees, 2154 for Lambert-93")
    if asked.index is not None and asked.sample:
        problems.append("--index and --sample exclude each other")
    try:
        bands = tuple(float(part) for part in asked.bands.split(",") if part.strip())
    except ValueError:
        bands = ()
        problems.append(f"--bands {asked.bands!r}: distances in metres, such as 300,500")
    if problems:
        raise UsageError("The options do not fit together.", problems=problems)
    return bands, _number(asked.tolerance)


def _number(text: str | None) -> float | str | None:
    try:
        return None if text is None else float(text.replace(",", "."))
    except ValueError:
        return text


def _index(asked: Request, reach: float) -> PerimeterIndex:
    """Perimeters at hand, or the index of a file."""
    if asked.index is not None:
        return PerimeterIndex.load(asked.index)
    # a day asks for whatever was in force on it
    vintages = (2015, 2024) if asked.on else asked.vintages
    frames = [read_qpv(discover.find("perimeters", vintage, asked.data), vintage=vintage) for vintage in vintages]
    return PerimeterIndex(frames, reach_m=reach)


@contextmanager
def _progress() -> Iterator[Told]:
    """Rows done, on standard error, on a terminal only."""
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("rows", total=None)

        def told(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total)

        yield told
