"""Layers of a map in metres: each outline is located and projected once, however many parts of the map need it."""

from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from qpvgeo.codes import territories
from qpvgeo.geometry.projection import reproject, territory_of, transformer
from qpvgeo.geometry.validity import as_valid

__all__ = ["Layer", "Layers", "drawn"]

Shapes = npt.NDArray[np.object_]
Booleans = npt.NDArray[np.bool_]
Frame: TypeAlias = "gpd.GeoDataFrame | gpd.GeoSeries"


def drawn(frame: Frame) -> Booleans:
    """Tell which rows have an outline."""
    return np.asarray(frame.geometry.notna() & ~frame.geometry.is_empty)


class Layer:
    """Outlines of a frame, the territory of each, and their metres in its legal projection once they are needed.

    Attributes
    ----------
    frame
        The frame itself.
    index
        Labels of the rows that have an outline.
    shapes
        Their outlines, as the frame holds them.
    territory
        Code of the territory of each outline, None outside France.
    """

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        series = frame.geometry[drawn(frame)]
        self.index = series.index
        self.shapes: Shapes = series.to_numpy()
        self.territory = territory_of(self.shapes, series.crs)
        self._crs = pyproj.CRS.from_user_input(series.crs)
        self._bounds = shapely.bounds(self.shapes).T
        self._metres = np.full(len(self.shapes), None, dtype=object)

    def metres(self, territory: str, rows: Booleans | None = None) -> gpd.GeoSeries:
        """Outlines in one territory, in metres of its legal projection; all of them, or some rows."""
        chosen = self.territory == territory
        if rows is not None:
            chosen &= rows
        epsg = territories.get(territory).epsg
        missing = chosen & np.array([shape is None for shape in self._metres], dtype=bool)
        if missing.any():
            self._metres[missing] = as_valid(reproject(self.shapes[missing], self._crs, epsg))
        return gpd.GeoSeries(self._metres[chosen], index=self.index[chosen], crs=epsg)

    def within(self, territory: str, box: tuple[float, float, float, float]) -> gpd.GeoSeries:
        """Outlines that meet a box in metres of the legal projection of a territory."""
        way = transformer(pyproj.CRS(territories.get(territory).epsg), self._crs)
        west, south, east, north = way.transform_bounds(*box)
        spare = 0.02 * max(east - west, north - south)
        left, bottom, right, top = self._bounds
        near = (left <= east + spare) & (right >= west - spare) & (bottom <= north + spare) & (top >= south - spare)
        series = self.metres(territory, near)
        return series[np.asarray(shapely.intersects(shapely.box(*box), series.to_numpy()), dtype=bool)]


class Layers:
    """The layers of one map, by the frame that holds them."""

    def __init__(self) -> None:
        self._held: list[Layer] = []

    def of(self, frame: Any) -> Layer:  # noqa: ANN401 - a frame of outlines
        """Layer of a frame, made the first time that it is needed."""
        for layer in self._held:
            if layer.frame is frame:
                return layer
        self._held.append(Layer(frame))
        return self._held[-1]
