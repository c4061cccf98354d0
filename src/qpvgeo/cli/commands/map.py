"""`qpvgeo map`: one map of a place, or of the country, written to one file or several; or an interactive page."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from qpvgeo.cli.options import VINTAGES, folder, grid_option, place_argument, release_option, shared
from qpvgeo.cli.parser import Choice, file_option, option
from qpvgeo.cli.reading import with_reading
from qpvgeo.cli.terminal import Screen
from qpvgeo.language import Note

__all__ = ["map_"]

_KINDS = ("qpv", "choropleth", "grid", "estimates", "change", "tags", "france")


@place_argument("cli.map_place")
@option("--kind", kind=Choice(*_KINDS), default="qpv", help="cli.map_kind")
@option("--box", metavar="W,S,E,N", help="cli.map_box")
@file_option("-o", "--output", metavar="OUT", multiple=True, help="cli.map_output")
@file_option("--png", help="cli.map_png")
@file_option("--svg", help="cli.map_svg")
@file_option("--pdf", help="cli.map_pdf")
@file_option("--html", help="cli.map_html")
@option("--vintage", kind=VINTAGES, help="cli.map_vintage")
@release_option
@option("--by", metavar="LEVEL", help="cli.map_by")
@option("--column", metavar="COLUMN", help="cli.map_column")
@file_option("--points", help="cli.map_points")
@grid_option
@with_reading
@option("--title", metavar="TEXT", help="cli.map_title")
@option("--page", kind=Choice("a4", "a4-landscape", "half"), help="cli.map_page")
@option("--source", metavar="TEXT", help="cli.map_source")
@option("--basemap", is_flag=True, help="cli.map_basemap")
@shared
def map_(*, json: bool, sample: bool, data: Path | None, **chosen: Any) -> None:  # noqa: ANN401 - options by name
    """Draw a map of a place, or of the country, ready for a report."""
    from qpvgeo.cli import answers, drawing

    asked = SimpleNamespace(**chosen, sample=sample, data=folder(data, sample=sample))
    answers.show(drawing.draw(asked), _table, as_json=json)


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """Title of the map and the files written."""
    screen.line(answer["title"], style="bold")
    for path in answer["outputs"]:
        screen.line(Note("cli.map_written", path=path))
    for note in answer["notes"]:
        screen.line(screen.word(note), style="yellow")
