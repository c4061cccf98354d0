"""Tables that commands write: beside, then renamed, so that a file that is there is never half of itself."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.formats.atomic_write import replace, writing
from qpvgeo.language import Note

__all__ = ["TABLES", "problems_of", "replaced", "write_table"]

TABLES = (".csv", ".parquet", ".json")
"""Endings of the tables that can be written."""


def problems_of(output: Path | None, option: str = "--output", suffixes: Sequence[str] = TABLES) -> list[str]:
    """What keeps a file from being written, in words."""
    if output is None:
        return []
    problems: list[str] = []
    if not output.absolute().parent.is_dir():
        problems.append(Note("cli.no_folder", option=option, folder=str(output.parent)))
    if output.suffix.lower() not in suffixes:
        problems.append(Note("cli.endings", option=option, endings=", ".join(suffixes)))
    return problems


def replaced(output: Path, write: Callable[[Path], Any]) -> None:
    """Have a file written beside, and put it in its place; what keeps it from there is an error in words."""
    with writing(output, way_out=Note("cli.another_file")):
        replace(output, write)


def write_table(table: pd.DataFrame, output: Path, *, geometry: gpd.GeoSeries | None = None) -> None:
    """Write a table, with its index when that has a name, in the form that the ending says; Parquet keeps shapes."""
    if output.suffix.lower() == ".parquet" and geometry is not None:
        replaced(output, lambda part: gpd.GeoDataFrame(table, geometry=geometry).to_parquet(part))
        return
    if output.suffix.lower() == ".parquet":
        # lists and attributes survive; an index without a name is only a count
        replaced(output, lambda part: table.to_parquet(part, index=table.index.name is not None))
        return
    plain = table if table.index.name is None else table.reset_index()
    if output.suffix.lower() == ".json":
        replaced(
            output,
            lambda part: plain.to_json(part, orient="records", double_precision=10, force_ascii=False),
        )
        return
    lists = [name for name in plain.columns if plain[name].map(lambda cell: isinstance(cell, list)).any()]
    flat = plain.assign(**{name: plain[name].map(", ".join, na_action="ignore") for name in lists})
    replaced(output, lambda part: flat.to_csv(part, index=False))
