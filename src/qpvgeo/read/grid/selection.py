"""Which cells of the grid to read: a territory, departments, communes, a box or areas.

What the ids and the commune codes say decides; outlines drawn in a file are never looked at. A cell id begins with its
northing, so that a band of latitude is a range of texts that SQL and Parquet can skip rows by: the exact choice is
made afterwards, on what is left.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely

from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import require
from qpvgeo.geometry.cell_cover import cover
from qpvgeo.geometry.insee_lattice import Cells, Lattice
from qpvgeo.geometry.outline_repair import mended
from qpvgeo.geometry.projection import DEGREES, require_axes, territory_of, transformer
from qpvgeo.language import Note

__all__ = ["Selection", "Where", "parse_where"]

Where: TypeAlias = str | Iterable[str] | tuple[float, float, float, float] | gpd.GeoDataFrame | gpd.GeoSeries

_MARGIN_M = 1000.0

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Selection:
    """Cells asked for; a cell is taken when any of the parts holds it.

    Attributes
    ----------
    territories
        `hexagone`, or codes of overseas departments: all the cells of the grid of that territory.
    departments, communes
        Codes looked for among the communes of a cell.
    box
        West, south, east, north; in degrees when `in_degrees`.
    areas
        Polygons with a CRS.
    """

    territories: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    communes: frozenset[str] = frozenset()
    box: tuple[float, float, float, float] | None = None
    areas: gpd.GeoSeries | None = None
    _known: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def in_degrees(self) -> bool:
        """Whether the box is in degrees: metres of a grid are in the hundreds of thousands."""
        return self.box is not None and max(map(abs, self.box)) <= 180

    @property
    def needs_communes(self) -> bool:
        """Whether the communes of the cells decide."""
        return bool(self.departments or self.communes)

    @property
    def needs_ids(self) -> bool:
        """Whether the places of the cells decide."""
        return self.box is not None or self.areas is not None

    def describe(self) -> dict[str, Any]:
        """What was asked for, as plain JSON."""
        parts = {name: sorted(getattr(self, name)) for name in ("territories", "departments", "communes")}
        found: dict[str, Any] = {name: codes_of for name, codes_of in parts.items() if codes_of}
        if self.box is not None:
            found["box"] = list(self.box)
        if self.areas is not None:
            found["areas"] = len(self.areas)
        return found

    def places(self) -> set[str]:
        """Territories that the cells asked for lie in; empty when nothing tells."""
        found = set(self.territories)
        for department in {*self.departments, *map(official.of_commune, self.communes)}:
            found.add(territories.of_department(department) or "")
        if self.box is not None and self.in_degrees:
            west, south, east, north = self.box
            found.add(str(territories.of_points([(west + east) / 2], [(south + north) / 2])[0] or ""))
        if self.areas is not None:
            found |= {code or "" for code in self.territory_of_areas()}
        # the fictional sample is drawn on the grid of the hexagone
        return {"hexagone" if code == territories.SAMPLE else code for code in found} - {""}

    def territory_of_areas(self) -> npt.NDArray[np.object_]:
        """Code of the territory of each area, None where it lies in none; looked for once."""
        assert self.areas is not None  # noqa: S101 - the callers ask only then
        if "territory" not in self._known:
            self._known["territory"] = territory_of(self.areas.to_numpy(), self.areas.crs)
        found: npt.NDArray[np.object_] = self._known["territory"]
        return found

    def require_place(self, crs: Any) -> None:  # noqa: ANN401 - what pyproj understands
        """Raise when a box in some projection holds no place in France: its axes or its projection are others.

        Raises
        ------
        UsageError
            Says where the box lies.
        """
        if self.box is None or self.in_degrees != (crs == DEGREES):
            return
        west, south, east, north = self.box
        x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(west, east, 9), np.linspace(south, north, 9)))
        lon, lat = (
            (x, y)
            if self.in_degrees
            else transformer(pyproj.CRS.from_user_input(crs), pyproj.CRS(DEGREES)).transform(x, y)
        )
        if not territories.of_points(lon, lat).astype(bool).any():
            raise UsageError(
                Note("grid.box_nowhere", box=", ".join(f"{side:g}" for side in self.box)),
                way_out=Note("grid.box_in_degrees" if self.in_degrees else "grid.box_in_metres", crs=str(crs)),
            )

    def bounds(self, epsg: int) -> tuple[float, float, float, float] | None:
        """West, south, east, north of the selection, in metres of a projection; None when places do not decide."""
        # asked for each batch of rows
        if epsg not in self._known:
            self._known[epsg] = self._bounds(epsg)
        known: tuple[float, float, float, float] | None = self._known[epsg]
        return known

    def _bounds(self, epsg: int) -> tuple[float, float, float, float] | None:
        if self.box is not None:
            return _moved(self.box, DEGREES, epsg) if self.in_degrees else self.box
        if self.areas is None:
            return None
        inside = self._areas_of(epsg)
        if inside.empty:
            return (0.0, 0.0, 0.0, 0.0)
        return _moved(tuple(inside.total_bounds), inside.crs, epsg)

    def northings(self, lattice: Lattice) -> tuple[str, str] | None:
        """Texts between which the ids of the cells asked for sort; None where no range of texts holds them."""
        box = self.bounds(lattice.epsg)
        if box is None or not np.isfinite(box).all():
            return None
        low = math.floor(box[1] / lattice.size - 1) * lattice.size
        high = math.ceil(box[3] / lattice.size + 1) * lattice.size
        if low < 0 or len(str(low)) != len(str(high)):
            return None
        head = f"CRS{lattice.epsg}RES{lattice.size}mN"
        # a letter sorts after every digit, so that the highest northing is in
        return f"{head}{low}", f"{head}{high}F"

    def mask(self, number: int, cells: Iterable[tuple[Cells, Any]], communes: pa.ListArray | None) -> Booleans:
        """Which rows of a batch are asked for.

        Parameters
        ----------
        number
            Rows of the batch.
        cells
            Cells by lattice, with their rows; looked at where the places decide.
        communes
            Communes of each cell, where they decide.
        """
        chosen = np.zeros(number, dtype=bool)
        if self.needs_communes and communes is not None:
            chosen |= self.of_communes(communes)
        if self.needs_ids:
            for part, rows in cells:
                chosen[rows] |= self.of_cells(part)
        return chosen

    def of_communes(self, lists: pa.ListArray) -> Booleans:
        """Whether the communes of each cell hold one that is asked for."""
        given = lists.flatten()
        wanted = pc.is_in(given, value_set=pa.array(sorted(self.communes), given.type))
        if self.departments:
            departments = pc.utf8_slice_codeunits(given, 0, 2)
            wanted = pc.or_(wanted, pc.is_in(departments, value_set=pa.array(sorted(self.departments), given.type)))
        before = np.r_[0, np.cumsum(wanted.to_numpy(zero_copy_only=False))]
        ends = np.asarray(lists.offsets) - lists.offsets[0].as_py()
        return np.asarray(before[ends[1:]] > before[ends[:-1]])

    def of_cells(self, cells: Cells) -> Booleans:
        """Whether each cell reaches into the box or shares ground with an area."""
        size = cells.lattice.size
        box = self.bounds(cells.lattice.epsg)
        if box is None:
            return np.zeros(len(cells), dtype=bool)
        near = (cells.east < box[2]) & (cells.east + size > box[0])
        near &= (cells.north < box[3]) & (cells.north + size > box[1])
        if self.areas is None and not self.in_degrees:
            return np.asarray(near)
        rows = np.flatnonzero(near)
        nearby = Cells(cells.lattice, cells.north[rows], cells.east[rows])
        near[rows] = self._in_degrees(nearby) if self.areas is None else self._on_areas(nearby)
        return np.asarray(near)

    def _in_degrees(self, cells: Cells) -> Booleans:
        """Whether the bounds of each cell, in degrees, meet the box: a few cells beside it do."""
        assert self.box is not None  # noqa: S101 - of_cells() asks only then
        move = transformer(pyproj.CRS(cells.lattice.epsg), pyproj.CRS(DEGREES)).transform
        size = cells.lattice.size
        lon, lat = move(
            np.stack([cells.east, cells.east + size, cells.east, cells.east + size]),
            np.stack([cells.north, cells.north, cells.north + size, cells.north + size]),
        )
        west, south, east, north = self.box
        meets = (lon.min(axis=0) < east) & (lon.max(axis=0) > west)
        return np.asarray(meets & (lat.min(axis=0) < north) & (lat.max(axis=0) > south))

    def _on_areas(self, cells: Cells) -> Booleans:
        lattice = cells.lattice
        if lattice not in self._known:
            covered = cover(self._areas_of(lattice.epsg), lattice, sound=True).cells
            self._known[lattice] = np.unique(_keys(covered))
        covered_keys, keys = self._known[lattice], _keys(cells)
        at = np.minimum(np.searchsorted(covered_keys, keys), max(len(covered_keys) - 1, 0))
        return np.asarray(covered_keys[at] == keys) if len(covered_keys) else np.zeros(len(keys), dtype=bool)

    def _areas_of(self, epsg: int) -> gpd.GeoSeries:
        """Areas that are not in another territory than the grid's: far away a projection has no meaning."""
        assert self.areas is not None  # noqa: S101 - the callers ask only then
        here = territories.of_grid(epsg)
        return self.areas[[code in (None, here) for code in self.territory_of_areas()]] if here else self.areas


def _keys(cells: Cells) -> npt.NDArray[np.int64]:
    return (cells.north << 32) + cells.east


def _moved(box: Any, source: Any, epsg: int) -> tuple[float, float, float, float]:  # noqa: ANN401
    """Bounds in another projection, a little wide: a side that is straight in one is bent in the other."""
    west, south, east, north = transformer(pyproj.CRS.from_user_input(source), pyproj.CRS(epsg)).transform_bounds(*box)
    return west - _MARGIN_M, south - _MARGIN_M, east + _MARGIN_M, north + _MARGIN_M


def parse_where(where: Any) -> Selection | None:  # noqa: ANN401 - whatever the caller gave
    """Understand the filter of a call.

    Raises
    ------
    UsageError
        It is none of the forms, or codes that are none: lists them.
    DataError
        Areas that have no CRS, or that are points or lines.

    Examples
    --------
    >>> sorted(parse_where(["59", "2A"]).departments), parse_where("974").territories
    (['2A', '59'], frozenset({'974'}))
    >>> parse_where((3.0, 50.6, 3.1, 50.7)).in_degrees
    True
    """
    if where is None:
        return None
    if isinstance(where, gpd.GeoDataFrame | gpd.GeoSeries):
        require.require_layer(where, name="where")
        areas = mended(where)
        require_axes(where, name="where", what="where")
        areas = areas[~(shapely.is_missing(areas.to_numpy()) | areas.is_empty.to_numpy())]
        selection = Selection(areas=areas)
        if len(areas) and not selection.territory_of_areas().astype(bool).any():
            raise DataError(Note("grid.areas_nowhere", crs=_named(areas.crs)), way_out=Note("grid.mend_crs"))
        return selection
    given = [where] if isinstance(where, str) else _listed(where)
    if given and all(isinstance(value, Real) and not isinstance(value, bool) for value in given):
        chosen = Selection(box=_box([float(value) for value in given]))
        if chosen.in_degrees:
            chosen.require_place(DEGREES)
        return chosen
    if not given or not all(isinstance(value, str) for value in given):
        raise UsageError(Note("grid.bad_where", where=repr(where)), way_out=Note("grid.where_forms"))
    return _of_codes(given)


def _named(crs: pyproj.CRS) -> str:
    return ":".join(crs.to_authority() or (crs.name,))


def _listed(where: Any) -> list[Any]:  # noqa: ANN401
    if isinstance(where, Mapping | pd.DataFrame) or not isinstance(where, Iterable):
        raise UsageError(Note("grid.bad_where", where=repr(where)), way_out=Note("grid.where_forms"))
    return list(where)


def _box(given: list[float]) -> tuple[float, float, float, float]:
    if len(given) != 4 or not np.isfinite(given).all() or given[0] > given[2] or given[1] > given[3]:
        raise UsageError(Note("grid.not_a_box", given=str(tuple(given))), way_out=Note("grid.write_box"))
    return given[0], given[1], given[2], given[3]


def _of_codes(given: list[str]) -> Selection:
    found: dict[str, set[str]] = {"territories": set(), "departments": set(), "communes": set()}
    problems = []
    for text in dict.fromkeys(code.strip() for code in given):
        kind: official.Kind = "commune" if len(text) >= 4 else "department"
        code = official.clean(pd.Series([text]), kind).codes.iloc[0]
        if text == "hexagone":
            found["territories"].add(text)
        elif pd.isna(code):
            problems.append(Note("grid.not_a_code", text=text, kind=kind))
        elif kind == "commune":
            # the grid names the arrondissements of Paris, Lyon and Marseille
            found["communes"] |= {code, *official.ARRONDISSEMENTS.get(code, ())}
        elif len(code) == 3:
            found["territories"].add(code)
        else:
            found["departments"].add(code)
    if problems:
        raise UsageError(Note("grid.not_territories"), problems=problems, way_out=Note("grid.where_forms"))
    return Selection(frozenset(found["territories"]), frozenset(found["departments"]), frozenset(found["communes"]))
