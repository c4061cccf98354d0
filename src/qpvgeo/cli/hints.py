"""Ways out of the library as the command line writes them: `columns=` of Python is `--columns` here."""

import ast

from qpvgeo.errors import QpvgeoError
from qpvgeo.language import Note

__all__ = ["on_the_command_line"]

_HINTS = {
    "formats.give_crs": "cli.hint_crs",
    "formats.its_layers": "cli.hint_layer",
    "formats.name_columns": "cli.hint_columns",
    "grid.choose_table": "cli.hint_layer",
    "grid.map_columns": "cli.hint_people",
    "grid.name_people": "cli.hint_column_people",
    "grid.name_the_ids": "cli.hint_ids",
    "indicators.use_coverage": "cli.hint_coverage",
    "population.declare_measure": "cli.hint_measure",
    "population.give_columns": "cli.hint_measure",
    "read.choose_layer": "cli.hint_layer",
    "read.choose_release": "cli.hint_release",
    "read.choose_year": "cli.hint_year",
    "read.correct_columns": "cli.hint_columns",
    "read.give_year": "cli.hint_give_year",
    "read.layers_are": "cli.hint_layer",
    "read.look_at_crs": "cli.hint_crs",
    "read.name_commune_code": "cli.hint_columns",
    "read.name_one_of": "cli.hint_one_of",
    "read.name_qpv_code": "cli.hint_qpv_code",
    "read.name_the_column": "cli.hint_column",
    "read.parts_way_out": "cli.hint_parts",
}
"""Phrase of the command line for the way out of an error; it takes the values of the way out."""


def on_the_command_line(error: QpvgeoError) -> Note | None:
    """Say how the way out of an error is written on the command line; None where it is the same.

    Examples
    --------
    >>> from qpvgeo.errors import DataError
    >>> error = DataError("Two years.", way_out=Note("read.choose_year", year=2018))
    >>> on_the_command_line(error).key
    'cli.hint_year'
    """
    way_out = error.way_out
    if not isinstance(way_out, Note) or way_out.key not in _HINTS:
        return None
    values = dict(way_out.values)
    if way_out.key == "read.name_one_of":
        values["columns"] = list(error.problems)
        values["meaning"] = next(iter(ast.literal_eval(way_out.values["choices"][0]).values()))
    return Note(_HINTS[way_out.key], **values)
