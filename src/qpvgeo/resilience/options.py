"""What an exposure is asked of, judged at the door: every fault in one error."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.errors import QpvgeoError, UsageError
from qpvgeo.frames.require import require_once, require_outlines
from qpvgeo.geometry.insee_lattice import Cells
from qpvgeo.language import Note
from qpvgeo.population.grid_columns import checked_cells
from qpvgeo.resilience.access import table_faults
from qpvgeo.resilience.raster import is_raster

__all__ = ["NOT_ASKED", "Options", "is_number"]

_MOST_M = 100_000
"""Distances beyond it are those of no neighbourhood, and bend too much to be drawn around points."""

NOT_ASKED = object()
"""Stands for units where none are compared with."""


@dataclass(frozen=True, slots=True)
class Options:
    """Arguments of `qpvgeo.exposure`, as given."""

    qpv: Any
    layer: Any
    grid: Any
    within_m: Any = None
    above: Any = None
    below: Any = None
    quantile: Any = None
    around: Any = None
    covered: Any = None
    units: Any = NOT_ASKED

    @classmethod
    def named(cls, qpv: Any, layer: Any, grid: Any, options: Mapping[str, Any], *allowed: str, **others: Any) -> Self:  # noqa: ANN401
        """The same from options by name.

        Raises
        ------
        UsageError
            Some are none of those allowed: lists them.
        """
        unknown = sorted(str(name) for name in set(options) - set(allowed))
        if unknown:
            known = Note("resilience.known_options", options=[f"{name}=" for name in allowed])
            way_out = known if allowed else Note("resilience.limits_alone")
            raise UsageError(Note("resilience.unknown_options", options=unknown), way_out=way_out)
        return cls(qpv, layer, grid, **options, **others)

    @property
    def shaped(self) -> bool:
        """Whether the layer is one of shapes, rather than values of cells or of QPV."""
        return not isinstance(self.layer, str | Path | pd.Series | pd.DataFrame) or _is_layer(self.layer)

    def require(self) -> Cells:
        """Cells of the grid, once nothing is wrong.

        Raises
        ------
        UsageError
            Lists every fault.
        DataError
            The grid is not one: lists what is wrong with it.
        """
        cells = checked_cells(self.grid)
        problems = [*self._areas(), *(self._shapes() if self.shaped else self._values())]
        if problems:
            raise UsageError(Note("resilience.options"), problems=problems, way_out=Note("resilience.options_way_out"))
        return cells

    def _areas(self) -> Iterator[str]:
        yield from _faults(self.qpv, "qpv", unique=True)
        if self.around is not None:
            yield from _faults(self.around, "around")
        if self.units is not NOT_ASKED:
            yield from _faults(self.units, "units", unique=True)
        if self.covered is None or (isinstance(self.covered, str) and self.covered == "everywhere"):
            return
        if _is_layer(self.covered):
            yield from _faults(self.covered, "covered")
        else:
            shown = self.covered if isinstance(self.covered, str) else type(self.covered).__name__
            yield Note("resilience.bad_covered", value=repr(shown))

    def _values(self) -> Iterator[str]:
        if isinstance(self.layer, str | Path):
            yield from self._column(str(self.layer))
        else:
            yield from table_faults(self.layer, self.grid, self.qpv)
        if sum(value is not None for value in (self.above, self.below, self.quantile)) != 1:
            yield Note("resilience.above_or_quantile")
        if self.quantile is not None and not (is_number(self.quantile) and 0 < self.quantile < 1):
            yield Note("resilience.bad_quantile", value=repr(self.quantile))
        for name, value in (("above", self.above), ("below", self.below)):
            if value is not None and not is_number(value):
                yield Note("resilience.threshold_not_a_number", name=name, value=repr(value))
        if self.within_m is not None or self.covered is not None:
            yield Note("resilience.column_options")

    def _column(self, name: str) -> Iterator[str]:
        if name not in self.grid.columns:
            if is_raster(name):
                return
            read = isinstance(self.layer, Path) or Path(name).suffix
            yield Note("resilience.read_layer", file=name) if read else Note("resilience.no_column", column=name)
            return
        try:
            require_once(self.grid, [name])
        except QpvgeoError as error:
            yield error.message
            return
        if not pd.api.types.is_numeric_dtype(self.grid[name]):
            yield Note("resilience.column_not_numbers", column=name)
        elif np.isinf(self.grid[name].to_numpy(float, na_value=np.nan)).any():
            yield Note("resilience.column_infinite", column=name)

    def _shapes(self) -> Iterator[str]:
        if faults := list(_faults(self.layer, "layer", areas=self.within_m is None)):
            if _is_layer(self.layer) and self.within_m is None and _has_lines(self.layer):
                yield Note("resilience.needs_distance")
            yield from faults
        if self.within_m is not None and not (is_number(self.within_m) and 0 < self.within_m <= _MOST_M):
            yield Note("resilience.bad_distance", value=repr(self.within_m))
        if any(value is not None for value in (self.above, self.below, self.quantile)):
            yield Note("resilience.layer_options")


def _faults(layer: Any, name: str, *, unique: bool = False, areas: bool = True) -> Iterator[str]:  # noqa: ANN401
    """What keeps something from being a layer with shapes."""
    try:
        require_outlines(layer, name=name, unique=unique, areas=areas)
    except QpvgeoError as error:
        yield from error.problems or (error.message,)
        return
    shapes = layer.geometry.to_numpy()
    if (shapely.is_missing(shapes) | shapely.is_empty(shapes)).all():
        yield Note("resilience.empty_layer", name=name)


def _is_layer(value: object) -> bool:
    return isinstance(value, gpd.GeoDataFrame | gpd.GeoSeries)


def _has_lines(layer: gpd.GeoDataFrame | gpd.GeoSeries) -> bool:
    try:
        return not layer.geom_type.dropna().isin(["Polygon", "MultiPolygon"]).all()
    except AttributeError:  # no active geometry
        return False


def is_number(value: object) -> bool:
    """Whether something is one finite number, of Python or of NumPy; truth values are none.

    Examples
    --------
    >>> is_number(np.int64(300)), is_number(True), is_number("300"), is_number(float("inf"))
    (True, False, False, False)
    """
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
