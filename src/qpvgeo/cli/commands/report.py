"""`qpvgeo report`: the sheet of a place, as one HTML page or one PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, place_argument, shared
from qpvgeo.cli.parser import file_option, option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.language import Note

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from qpvgeo.cli.terminal import Screen

__all__ = ["report"]


@place_argument("cli.report_place", required=True)
@file_option("-o", "--output", metavar="OUT", required=True, help="cli.report_output")
@grid_option
@option("--title", metavar="TEXT", help="cli.map_title")
@option("--source", metavar="TEXT", help="cli.map_source")
@with_reading
@shared
def report(
    *,
    place: str,
    output: Path,
    grid: Path | None,
    title: str | None,
    source: str | None,
    reading: Reading,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Write the sheet of a place: map, figures, table of QPV, change, programmes, sources."""
    from qpvgeo import reports
    from qpvgeo.at_hand import files, load
    from qpvgeo.cli import answers
    from qpvgeo.cli.outputs import input_problems, problems_of
    from qpvgeo.errors import MissingDataError, UsageError
    from qpvgeo.reports.sheet_places import subject_of

    folder_ = folder(data, sample=sample)
    problems = problems_of(output, suffixes=(".html", ".htm", ".pdf")) + input_problems(output, [grid], folder_)
    if problems:
        raise UsageError(Note("reports.cannot_write"), problems=problems)
    frames = load(2024, data=folder_)
    try:
        before = files.perimeters(2015, folder_)
    except MissingDataError:
        before = None
    subject = subject_of(place, frames, None)
    estimate = _estimate(subject.qpv, folder_, grid, reading)
    reading.require_used(grid)
    made = reports.report(subject.where, frames, before=before, estimate=estimate, title=title, source=source)
    made.save(output)
    used = [frames.qpv, frames.population, frames.communes, before, estimate]
    answer = {"place": place, "title": made.title, "output": str(output), "sources": answers.sources(*used)}
    answers.show(answer | answers.fictional(*used), _table, as_json=json)


def _estimate(qpv: gpd.GeoDataFrame, data: Path | None, grid: Path | None, reading: Reading) -> pd.DataFrame | None:
    """People of QPV by the grids that have cells there; None where none has."""
    from qpvgeo.cli import inputs
    from qpvgeo.errors import MissingDataError
    from qpvgeo.maps.layers import drawn
    from qpvgeo.population.estimation import estimate_population

    qpv = qpv[drawn(qpv)]
    columns, layer = reading.rest(), reading.rest_of_layers()
    try:
        grids = inputs.known_grids(qpv, data, grid=grid, layer=layer, columns=columns)
    except MissingDataError:
        if grid is not None:
            raise
        return None
    return estimate_population(qpv, grids[0]) if len(qpv) else None


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """Title of the sheet and the file written."""
    screen.line(answer["title"], style="bold")
    screen.line(Note("cli.report_written", path=answer["output"]))
