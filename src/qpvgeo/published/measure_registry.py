"""Names of the measures, what each gives and takes: figures name them, code computes them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from qpvgeo.errors import DataError, judged
from qpvgeo.language import Note
from qpvgeo.published.figure_inputs import Material
from qpvgeo.published.figures import Figure
from qpvgeo.published.scopes import Scope, scope_of

__all__ = ["MEASURES", "Asked", "Measure", "measure", "measures", "number_argument"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure, its place, and the files to compute it from."""

    figure: Figure
    scope: Scope
    material: Material

    def place(self, name: str) -> Scope:
        """A place that an argument names."""
        return scope_of(name, self.material)


@dataclass(frozen=True, slots=True)
class Measure:
    """A named computation.

    Attributes
    ----------
    name, unit, arguments
        Name that figures use; unit of what it gives; names of the arguments that it takes.
    compute
        Computes a number from the figure, its place and the files.
    """

    name: str
    unit: str
    arguments: tuple[str, ...]
    compute: Callable[[Asked], float]

    def title(self, lang: str | None = None) -> str:
        """What it measures, in words."""
        return Note(f"published.measure_{self.name}").say(lang)


MEASURES: dict[str, Measure] = {}
"""Every measure by its name."""


def measure(unit: str, *arguments: str) -> Callable[[Callable[[Asked], float]], Callable[[Asked], float]]:
    """Keep a function as a measure under its own name."""

    def kept(function: Callable[[Asked], float]) -> Callable[[Asked], float]:
        name = function.__name__
        MEASURES[name] = Measure(name, unit, arguments, function)
        return function

    return kept


def number_argument(asked: Asked, name: str, default: float | None = None) -> float:
    """An argument as a number.

    Raises
    ------
    DataError
        It is needed and not there, or is not a number.
    """
    text = asked.figure.argument(name)
    if text is None and default is not None:
        return default
    try:
        return float(text or "")
    except ValueError:
        raise DataError(
            Note("published.needs_argument", measure=asked.figure.measure, argument=name, value=repr(text))
        ) from None


@judged
def measures() -> pd.DataFrame:
    """List the measures that figures can name.

    Returns
    -------
    pandas.DataFrame
        Indexed by `measure`: `title`, `unit` (people, QPV, shares from 0 to 1, m2, EUR, ...), `arguments` (their names,
        separated by commas; what each means is in the guide to the ledger).

    Examples
    --------
    >>> measures().loc["share", ["unit", "arguments"]].tolist()
    ['share', 'base, of']
    """
    from qpvgeo.published import ground_measures, people_measures, size_measures  # noqa: F401, PLC0415 - they fill the table

    rows: list[dict[str, Any]] = [
        {"measure": one.name, "title": one.title(), "unit": one.unit, "arguments": ", ".join(one.arguments)}
        for one in MEASURES.values()
    ]
    return pd.DataFrame(rows).set_index("measure").sort_index()
