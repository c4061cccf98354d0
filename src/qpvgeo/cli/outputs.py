"""Tables that commands write: where, in which form, and never over a file that the run reads."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpvgeo import settings
from qpvgeo.cli.parser import file_option, option
from qpvgeo.language import Note, term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

__all__ = ["TABLES", "Target", "files_read", "input_problems", "picture_problems", "problems_of", "with_output"]

TABLES = (".csv", ".parquet", ".json", ".xlsx", ".gpkg", ".geojson")
"""Endings of the tables that can be written; the last two need outlines."""

_LAYERS = TABLES[-2:]
_WORDS = ("change", "reliability", "kind", "problem", "action", "attribution")
"""Columns whose values are words of the glossary."""


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


def input_problems(output: Path | None, inputs: Iterable[Path | None], data: Path | None) -> list[str]:
    """Refuse an output that is a file which the run reads, links resolved: one named, or one of the data folders."""
    if output is None:
        return []
    from qpvgeo.errors import UsageError
    from qpvgeo.formats.atomic_write import refuse_inputs

    try:
        refuse_inputs(output, files_read(output, inputs, data))
    except UsageError as error:
        return [error.message]
    return []


def files_read(output: Path | None, named: Iterable[Path | None], data: Path | None) -> Iterator[Path]:
    """Files that a run may read and an output that exists may be: those named, and all those of the data folders."""
    from qpvgeo.formats.folder_walk import walk
    from qpvgeo.sources.folders import data_dirs

    if output is None or not output.exists():
        return
    yield from (path for path in named if path is not None)
    yield from (path for folder in data_dirs(data) for path in walk(folder, hidden=True).files)


def picture_problems(png: Path | None, inputs: Iterable[Path | None], data: Path | None) -> list[str]:
    """What keeps a picture from being written, in words."""
    return [*problems_of(png, "--png", (".png",)), *input_problems(png, inputs, data)]


@dataclass(frozen=True, slots=True)
class Target:
    """A file that a command writes, or none, and its manner."""

    path: Path | None
    sep: str | None = None
    decimal: str | None = None
    safe: bool = False
    units: bool = False

    def problems(
        self, inputs: Iterable[Path | None] = (), data: Path | None = None, *, layers: bool = False
    ) -> list[str]:
        """What keeps the file from being written."""
        suffixes = TABLES if layers else TABLES[: -len(_LAYERS)]
        return [*problems_of(self.path, suffixes=suffixes), *input_problems(self.path, inputs, data)]

    def require(self, inputs: Iterable[Path | None] = (), data: Path | None = None, *, layers: bool = False) -> None:
        """Raise at once, before anything is read, when the file cannot be written."""
        from qpvgeo.errors import UsageError

        problems = self.problems(inputs, data, layers=layers)
        if problems:
            raise UsageError(Note("cli.options_do_not_fit"), problems=problems)

    def write(self, frame: pd.DataFrame, path: Path | None = None) -> None:
        """Write a frame, words in the language of the run; nothing where no file is named."""
        path = path or self.path
        if path is None:
            return
        from qpvgeo.formats.frame_writer import write_frame

        lang = settings.current_language()
        if lang != "en" and path.suffix.lower() in (".csv", ".xlsx"):
            frame = frame.assign(
                **{
                    name: frame[name].map(lambda word: term(word, lang), na_action="ignore")
                    for name in _WORDS
                    if name in frame.columns
                }
            )
        write_frame(frame, path, lang=lang, sep=self.sep, decimal=self.decimal, safe=self.safe, units=self.units)

    @property
    def is_layer(self) -> bool:
        """Whether the file needs outlines."""
        return self.path is not None and self.path.suffix.lower() in _LAYERS

    @property
    def name(self) -> str | None:
        """Path as the answer holds it."""
        return None if self.path is None else str(self.path)


def with_output(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options `--output`, `--sep`, `--decimal`, `--safe-csv` and `--unit-row`, given to the command as one `Target`."""

    @functools.wraps(function)
    def called(
        *arguments: Any,  # noqa: ANN401
        output: Path | None,
        sep: str | None,
        decimal: str | None,
        safe_csv: bool,
        unit_row: bool,
        **more: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        return function(*arguments, output=Target(output, sep, decimal, safe_csv, unit_row), **more)

    for add in (
        option("--unit-row", is_flag=True, help="cli.option_units"),
        option("--safe-csv", is_flag=True, help="cli.option_safe_csv"),
        option("--decimal", metavar="SIGN", help="cli.option_decimal"),
        option("--sep", metavar="SIGN", help="cli.option_sep"),
        file_option("-o", "--output", metavar="OUT", help="cli.option_output"),
    ):
        called = add(called)
    return called
