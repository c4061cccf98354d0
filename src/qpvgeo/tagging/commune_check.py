"""Does the commune code of a point agree with its place? And in which commune does a point lie?

With outlines of communes the test is exact, to the precision of the outlines; with those of departments it compares
departments. Without outlines only the territory is compared, and the distance to the QPV of the department: no
department is wider than 200 km. The column `commune_check` says what was tested.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import shapely

from qpvgeo.codes import official, territories
from qpvgeo.errors import UsageError
from qpvgeo.geometry.outline_repair import mended
from qpvgeo.geometry.point_location import PointGrid
from qpvgeo.geometry.projection import to_metric
from qpvgeo.language import Note

__all__ = ["CHECKS", "CommuneOutlines", "checked", "clean_codes", "department_boxes"]

CHECKS = (
    "commune agrees",
    "commune differs",
    "department agrees",
    "department differs",
    "territory agrees",
    "territory differs",
)
"""What was tested, and whether the code and the place agree."""

_PRECISION_M = 500.0
"""A point that near its commune agrees: outlines are generalised, and addresses stand on the border."""

_DEPARTMENT_M = 200_000.0
"""No department of the hexagone is wider."""

_CELL_M = 1_000.0
"""A country of communes is cut into such cells in a tenth of a second; smaller ones answer no sooner."""

Floats = npt.NDArray[np.float64]
Part = tuple[str, Any, tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True)
class CommuneOutlines:
    """Outlines of communes or of departments, by territory; `CommuneOutlines.of` prepares them.

    Attributes
    ----------
    labels
        Codes, those of all territories one after the other; the smallest outlines first.
    of_departments
        Whether they are departments.
    """

    labels: list[str]
    of_departments: bool
    _areas: npt.NDArray[np.object_]
    _grids: Mapping[str, tuple[int, PointGrid]]
    _rows: Mapping[str, int]

    @classmethod
    def of(cls, communes: Any) -> "CommuneOutlines":  # noqa: ANN401 - whatever was given
        """Prepare outlines.

        Parameters
        ----------
        communes
            GeoDataFrame indexed by code of commune, or of department, as `qpvgeo.read_communes` gives.

        Raises
        ------
        UsageError
            It is not such a frame.
        DataError
            It has no CRS, or shapes that are not polygons.
        """
        right = isinstance(communes, gpd.GeoDataFrame | gpd.GeoSeries) and communes.index.nlevels == 1
        right = right and not isinstance(communes.index, pd.RangeIndex)  # numbers of rows, which departments have too
        if not right or (isinstance(communes, gpd.GeoDataFrame) and communes.active_geometry_name is None):
            raise UsageError(Note("tagging.not_communes"), way_out=Note("tagging.give_communes"))
        codes = [str(code) for code in communes.index]
        departments = bool(codes) and all(territories.of_department(code) for code in codes)
        known = [territories.of_department(code if departments else official.of_commune(code)) for code in codes]
        if not any(known):
            raise UsageError(Note("tagging.not_communes"), way_out=Note("tagging.give_communes"))
        # lands without a list of QPV, such as the Terres australes, are left out
        communes = communes[np.array([place is not None for place in known])]
        codes = [code for code, place in zip(codes, known, strict=True) if place is not None]
        shapes = mended(communes).to_numpy()
        drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        areas, place = to_metric(np.where(drawn, shapes, None), communes.crs, what="communes")
        order = [row for row in np.argsort(shapely.area(areas), kind="stable") if drawn[row]]
        labels: list[str] = []
        kept: list[Any] = []
        grids: dict[str, tuple[int, PointGrid]] = {}
        for territory in dict.fromkeys(place[order]):
            rows = [row for row in order if place[row] == territory]
            own = areas[rows]
            grids[territory] = (len(labels), PointGrid.of_boxes(own, cell=_CELL_M))
            labels += [codes[row] for row in rows]
            kept += list(own)
        found = np.array([*kept, None], dtype=object)[:-1]
        return cls(labels, departments, found, grids, {code: row for row, code in enumerate(labels)})

    def locate(self, many: int, parts: Sequence[Part]) -> npt.NDArray[np.int32]:
        """Position in `labels` of the outline that covers each point; -1 for none."""
        found = np.full(many, -1, np.int32)
        for territory, rows, (x, y) in parts:
            if territory in self._grids:
                offset, grid = self._grids[territory]
                own = grid.locate(x, y)
                found[rows] = np.where(own < 0, -1, own + offset)
        return found

    def covers(self, territory: str) -> bool:
        """Whether there are outlines in a territory."""
        return territory in self._grids

    def near(self, code: str, x: Floats, y: Floats) -> npt.NDArray[np.bool_] | None:
        """Which points lie in an outline, to the precision of the outlines; None for an unknown code."""
        row = self._rows.get(code)
        if row is None:
            row = self._rows.get(official.fold_arrondissement(code))
        if row is None:
            return None
        area = self._areas[row]
        shapely.prepare(area)
        found: npt.NDArray[np.bool_] = shapely.dwithin(area, shapely.points(x, y), _PRECISION_M)
        return found

    def columns(self, many: int, parts: Sequence[Part]) -> list[tuple[str, npt.NDArray[np.int32], pa.Array]]:
        """Commune and department of points: name of the column, positions, labels."""
        found = self.locate(many, parts)
        departments = [label if self.of_departments else official.of_commune(label) for label in self.labels]
        names = [] if self.of_departments else [("point_commune", self.labels)]
        return [
            (name, found, pa.array(labels, pa.large_string()))
            for name, labels in [*names, ("point_department", departments)]
        ]


def clean_codes(column: pd.Series) -> npt.NDArray[np.object_]:
    """Codes of communes as they should be; None where there is none."""
    codes = official.clean(column.reset_index(drop=True), "commune").codes
    found: npt.NDArray[np.object_] = codes.astype("object").where(codes.notna(), None).to_numpy(dtype=object)
    return found


def department_boxes(labels: Sequence[str], areas: npt.NDArray[np.object_]) -> dict[str, tuple[float, ...]]:
    """Bounds in metres of the QPV of each department of a territory."""
    found: dict[str, tuple[float, ...]] = {}
    for label, bounds in zip(labels, shapely.bounds(areas).tolist(), strict=True):
        if official.vintage_of(str(label)) is None:
            continue
        department = official.of_qpv(str(label))
        west, south, east, north = found.get(department, bounds)
        found[department] = (
            min(west, bounds[0]),
            min(south, bounds[1]),
            max(east, bounds[2]),
            max(north, bounds[3]),
        )
    return found


def checked(
    codes: npt.NDArray[np.object_],
    parts: Sequence[Part],
    outlines: CommuneOutlines | None,
    boxes: Mapping[str, tuple[float, ...]],
) -> npt.NDArray[np.int8]:
    """Position in `CHECKS` of the result of the test of each point; -1 where nothing could be tested.

    Parameters
    ----------
    codes
        Code of the commune of each point, or None.
    parts
        Territory, rows and metres of the points.
    outlines
        Of communes or departments.
    boxes
        Bounds of the QPV of each department, metres.
    """
    found = np.full(len(codes), -1, np.int8)
    for territory, rows, (x, y) in parts:
        own = codes[rows]
        result = np.full(len(own), -1, np.int8)
        for code in pd.unique(own[pd.notna(own)]):
            here = np.flatnonzero(own == code)
            result[here] = _of_code(str(code), territory, (x[here], y[here]), outlines, boxes)
        found[rows] = result
    return found


def _of_code(
    code: str,
    territory: str,
    metres: tuple[Floats, Floats],
    outlines: CommuneOutlines | None,
    boxes: Mapping[str, tuple[float, ...]],
) -> Any:  # noqa: ANN401 - positions, one or one for each point
    """Result for the points of a territory that have one code."""
    department, (x, y) = official.of_commune(code), metres
    if territories.of_department(department) != territory:
        return -1 if territories.of_department(department) is None else CHECKS.index("territory differs")
    if outlines is not None and outlines.covers(territory):
        level, name = ("department", department) if outlines.of_departments else ("commune", code)
        near = outlines.near(name, x, y)
        if near is not None:
            return np.where(near, CHECKS.index(f"{level} agrees"), CHECKS.index(f"{level} differs"))
    if department in boxes:
        west, south, east, north = boxes[department]
        apart = np.hypot(np.maximum(np.maximum(west - x, x - east), 0), np.maximum(np.maximum(south - y, y - north), 0))
        return np.where(apart > _DEPARTMENT_M, CHECKS.index("department differs"), CHECKS.index("territory agrees"))
    return CHECKS.index("territory agrees")
