"""How files of the user are read: `--columns`, `--crs` and `--layer`, given to the readers."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qpvgeo.cli.parser import list_option, option
from qpvgeo.errors import UsageError
from qpvgeo.language import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from qpvgeo.formats.vector_layers import Layer

__all__ = ["Reading", "named", "reading_options", "with_reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the command line says of files; each option goes to the files that it fits.

    Attributes
    ----------
    columns
        Names in a file and what they mean.
    crs
        Projection of the file of the user.
    layers
        Names of layers.
    """

    columns: dict[str, str] = field(default_factory=dict)
    crs: str | None = None
    layers: tuple[str, ...] = ()
    used: set[str] = field(default_factory=set)

    def of(self, fields: Iterable[str]) -> dict[str, str] | None:
        """Columns that a file has; None for none."""
        known = set(fields)
        found = {name: meaning for name, meaning in self.columns.items() if name in known}
        self.used.update(found)
        return found or None

    def of_layers(self, paths: Iterable[Path]) -> dict[str, Any]:
        """Options of a reader of outlines for its files."""
        from qpvgeo.formats import vector_layers

        asked = self.columns or self.layers
        held = [layer for path in paths for layer in vector_layers.layers(path)] if asked else []
        fields = [name for layer in held for name in layer.fields]
        return {"columns": self.of(fields), "layer": self.layer(held), "crs": self.crs}

    def of_table(self, fields: Iterable[str]) -> dict[str, str] | None:
        """Columns that the last file has, else those that no file read before has."""
        return self.of(fields) or self.rest()

    def rest(self) -> dict[str, str] | None:
        """Columns that no file read before has, for the last one."""
        found = {name: meaning for name, meaning in self.columns.items() if name not in self.used}
        self.used.update(found)
        return found or None

    def layer(self, held: Sequence[Layer]) -> str | None:
        """Layer that is named among those of a file; None for none."""
        for name in self.layers:
            for one in held:
                if name in {one.name, one.member, one.path.name, one.path.stem}:
                    self.used.add(name)
                    return name
        return None

    def rest_of_layers(self) -> str | None:
        """Layer that no file read before has, for the last one."""
        name = next((one for one in self.layers if one not in self.used), None)
        self.used.update([name] if name else [])
        return name

    def require_used(self, *paths: Path | None) -> None:
        """Raise for names that no file has."""
        left = [
            *(Note("cli.column_of_no_file", name=name) for name in self.columns if name not in self.used),
            *(Note("cli.layer_of_no_file", name=name) for name in self.layers if name not in self.used),
        ]
        if left:
            raise UsageError(
                Note("cli.options_do_not_fit"), problems=left, way_out=Note("cli.names_of_files", files=_names(paths))
            )


def _names(paths: Iterable[Path | None]) -> list[str]:
    return [path.name for path in paths if path is not None]


def named(columns: str) -> dict[str, str]:
    """Names in the file and what they mean, of `id=cell_id,num_people=population`; empty when it is not that.

    Examples
    --------
    >>> named("id=cell_id, num_people=population"), named("id")
    ({'id': 'cell_id', 'num_people': 'population'}, {})
    """
    pairs = [part.partition("=") for part in columns.split(",")]
    if not all(name.strip() and meaning.strip() for name, _, meaning in pairs):
        return {}
    return {name.strip(): meaning.strip() for name, _, meaning in pairs}


def with_reading(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options `--columns`, `--crs` and `--layer`, given to the command as one `Reading`."""

    @functools.wraps(function)
    def called(
        *arguments: Any,  # noqa: ANN401
        columns: str | None,
        crs: str | None,
        layer: tuple[str, ...],
        **more: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        names = {} if columns is None else named(columns)
        if columns is not None and not names:
            raise UsageError(Note("cli.not_columns", given=columns), way_out=Note("cli.columns_example"))
        return function(*arguments, reading=Reading(names, crs, tuple(layer)), **more)

    return reading_options(
        called, columns=list_option("--columns", metavar="NAME=MEANING,...", help="cli.option_columns")
    )


def reading_options(function: Callable[..., Any], *, columns: Callable[..., Any]) -> Callable[..., Any]:
    """Add the three options, with a `--columns` of one's own."""
    for add in (
        option("--layer", metavar="NAME", multiple=True, help="cli.option_layer"),
        option("--crs", metavar="EPSG", help="cli.option_crs"),
        columns,
    ):
        function = add(function)
    return function
