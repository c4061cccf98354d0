"""What an exposure is asked of, judged at the door: every fault in one error."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.errors import UsageError
from qpvgeo.frames.require import require_columns, require_unique_cells
from qpvgeo.language import Note

__all__ = ["Options"]


_ALL_BUT_ONE = 2


@dataclass(frozen=True, slots=True)
class Options:
    """Arguments of `qpvgeo.exposure`, as given."""

    qpv: Any
    layer: Any
    grid: Any
    within_m: Any
    above: Any
    below: Any
    quantile: Any
    around: Any
    covered: Any

    def require(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        UsageError
            Lists every fault.
        """
        require_columns(self.grid, ["population"], what="The grid")
        require_unique_cells(self.grid)
        problems = [*self._layers(), *(self._column() if isinstance(self.layer, str) else self._shapes())]
        if problems:
            raise UsageError(Note("resilience.options"), problems=problems, way_out=Note("resilience.options_way_out"))

    def _layers(self) -> Iterator[Note]:
        for name, needed in (("qpv", True), ("around", False)):
            value = getattr(self, name)
            if (needed or value is not None) and not _is_layer(value):
                yield Note("resilience.not_a_layer", name=name)
        if _is_layer(self.qpv) and not self.qpv.index.is_unique:
            yield Note("resilience.repeated_labels")
        if self.covered is not None and not _is_layer(self.covered) and not _is_everywhere(self.covered):
            yield Note("resilience.bad_covered", value=repr(self.covered))

    def _column(self) -> Iterator[Note]:
        if self.layer not in self.grid.columns:
            yield Note("resilience.no_column", column=self.layer)
        elif not pd.api.types.is_numeric_dtype(self.grid[self.layer]):
            yield Note("resilience.column_not_numbers", column=self.layer)
        if [self.above, self.below, self.quantile].count(None) != _ALL_BUT_ONE:
            yield Note("resilience.above_or_quantile")
        if self.quantile is not None and not (_is_number(self.quantile) and 0 < self.quantile < 1):
            yield Note("resilience.bad_quantile", value=repr(self.quantile))
        if any(value is not None and value != value for value in (self.above, self.below)):  # noqa: PLR0124 - not a number
            yield Note("resilience.threshold_not_a_number")
        if self.within_m is not None or self.covered is not None:
            yield Note("resilience.column_options")

    def _shapes(self) -> Iterator[Note]:
        if not _is_layer(self.layer):
            yield Note("resilience.not_a_layer", name="layer")
            return
        drawn = self.layer.geometry[self.layer.geometry.notna() & ~self.layer.geometry.is_empty]
        if drawn.empty:
            yield Note("resilience.empty_layer")
        kinds = drawn.geom_type
        if self.within_m is None and not kinds.isin(["Polygon", "MultiPolygon"]).all():
            yield Note("resilience.needs_distance")
        if self.within_m is not None and not (_is_number(self.within_m) and self.within_m > 0):
            yield Note("resilience.bad_distance", value=repr(self.within_m))
        if any(value is not None for value in (self.above, self.below, self.quantile)):
            yield Note("resilience.layer_options")


def _is_layer(value: object) -> bool:
    return isinstance(value, gpd.GeoDataFrame) and value.crs is not None


def _is_everywhere(value: object) -> bool:
    return isinstance(value, str) and value == "everywhere"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
