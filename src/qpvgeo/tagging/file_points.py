"""Columns of a file that hold its points: two of coordinates, or shapes of GeoParquet or a layer; and tolerances."""

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely

from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats.geoparquet import geo_column
from qpvgeo.formats.table_batches import Head, Table
from qpvgeo.formats.table_stream import CsvTable
from qpvgeo.frames import require
from qpvgeo.geometry.projection import DEGREES
from qpvgeo.language import Note
from qpvgeo.tagging.coordinates import Coordinates, coordinates_of
from qpvgeo.tagging.counts import crs_name
from qpvgeo.tagging.locations import Location, is_projection
from qpvgeo.tagging.options import Options
from qpvgeo.tagging.point_shapes import single_points
from qpvgeo.tagging.tolerance import BAN, BAN_SCORES, BAN_TYPES, missing_columns

__all__ = ["FilePoints"]

_ROWS_TO_JUDGE = 10_000

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FilePoints:
    """Where the points of a table are; `FilePoints.of` finds out.

    Attributes
    ----------
    columns
        All that the answer depends on.
    xy
        Columns of coordinates, eastwards first, or the one whose cells hold both; None for shapes.
    shapes
        Column of shapes, WKB; None for coordinates.
    crs
        CRS of either.
    tolerance
        Column of tolerances.
    crs_column
        Column of the projection of each row.
    """

    columns: tuple[str, ...]
    xy: tuple[str, ...] | None
    shapes: str | None
    crs: Any
    tolerance: str | None
    crs_column: str | None = None

    @classmethod
    def of(cls, table: Head, options: Options) -> "FilePoints":
        """Columns of points in a table: those named, else shapes of GeoParquet, else those of degrees by their names.

        Raises
        ------
        UsageError
            Columns that were named are not there: all are listed.
        DataError
            There are no points, or their shapes or CRS cannot be understood.
        """
        names = table.schema.names
        given = options.tolerance_m if isinstance(options.tolerance_m, str) else None
        beside = [] if given is None else [given]
        absent = [] if given is None else missing_columns(given, names)
        if options.commune is not None:
            absent += [options.commune] if options.commune not in names else []
            beside = [*beside, options.commune]
        if given == BAN:
            beside = [*(name for name in (*BAN_TYPES, *BAN_SCORES) if name in names), *beside[1:]]
        tolerance = given if given != BAN else None
        if options.xy is None and not absent:
            shapes, crs = _geoparquet(table, options.crs)
            if shapes is not None:
                return cls(tuple(dict.fromkeys([shapes, *beside])), None, shapes, crs, tolerance)
        where = Location.of(names, options.xy, options.crs, others=absent)
        if where is None:
            raise DataError(
                Note("tagging.file_without_coordinates", file=table.path.name),
                way_out=Note("tagging.name_coordinate_columns", columns=require.columns_told(names)),
            )
        by_row = [] if where.crs_column is None else [where.crs_column]
        if where.crs is None and not by_row:
            raise DataError(Note("tagging.no_projection"), way_out=Note("tagging.give_projection"))
        look = tuple(dict.fromkeys([*where.columns, *by_row, *beside]))
        return cls(look, where.columns, None, where.crs or DEGREES, tolerance, where.crs_column)

    def coordinates(self, look: pa.Table, bad: Bools | None = None) -> tuple[pd.DataFrame, Coordinates]:
        """Other columns of some rows, and the coordinates; `bad` are rows known to be unreadable."""
        if self.shapes is None:
            pair = self.xy if self.xy is not None and len(self.xy) > 1 else ()
            for name in dict.fromkeys([*pair, *([self.tolerance] if self.tolerance else [])]):
                look = look.set_column(look.schema.names.index(name), name, _numbers(look[name]))
            table = look.to_pandas()
            found = coordinates_of(table, xy=self.xy, crs=self.crs_column or self.crs)
        else:
            wkb = look[self.shapes].to_numpy(zero_copy_only=False)
            drawn = shapely.from_wkb(wkb, on_invalid="ignore")
            table = look.drop_columns([self.shapes]).to_pandas()
            drawn = single_points(drawn)
            drawn[(shapely.get_type_id(drawn) > 0) & ~shapely.is_empty(drawn)] = None
            unread: Bools = shapely.is_missing(drawn) & ~pd.isna(wkb)
            bad = unread if bad is None else bad | unread
            found = coordinates_of(gpd.GeoSeries(drawn, crs=self.crs))
        return table, found if bad is None or not bad.any() else replace(found, broken=bad)

    def decimal_commas(self, table: Table) -> bool:
        """Whether most coordinates have decimal commas, by the first rows of a CSV that has room for them."""
        if not isinstance(table, CsvTable) or table.head.delimiter == "," or self.xy is None or len(self.xy) == 1:
            return False
        batch = next(table.batches(self.xy, _ROWS_TO_JUDGE, "nothing"), None)
        if batch is None:
            return False
        commas, points = (
            sum(pc.sum(pc.match_substring(batch.look[name], mark)).as_py() or 0 for name in dict.fromkeys(self.xy))
            for mark in (",", ".")
        )
        return bool(commas > points)


def _geoparquet(table: Head, crs: Any) -> tuple[str | None, Any]:  # noqa: ANN401
    """Column of shapes that a table of GeoParquet names, and its CRS; None, and what was given, for another table."""
    column = geo_column(table.schema)
    if column is None:
        return None, crs
    file = table.path.name
    if column.encoding != "WKB":
        raise DataError(
            Note("tagging.shapes_not_wkb", file=file, encoding=column.encoding), way_out=Note("tagging.write_wkb")
        )
    kinds = column.kinds
    if kinds and not any(kind.split()[0] in ("Point", "MultiPoint") for kind in kinds):
        raise DataError(
            Note("tagging.shapes_not_points", file=file, kinds=list(kinds)), way_out=Note("tagging.take_a_point")
        )
    if column.declared is None and crs is None:
        raise DataError(Note("tagging.file_without_projection", file=file), way_out=Note("tagging.give_crs"))
    if crs is not None and not is_projection(crs):
        raise UsageError(Note("tagging.crs_of_shapes", file=file, crs=str(crs)), way_out=Note("tagging.leave_crs_out"))
    try:
        own = column.crs
    except pyproj.exceptions.CRSError as error:
        raise DataError(
            Note("tagging.file_invalid_projection", file=file), way_out=Note("tagging.write_wkb")
        ) from error
    if own is not None and crs is not None and not own.equals(pyproj.CRS.from_user_input(crs), ignore_axis_order=True):
        raise UsageError(
            Note("tagging.other_projection", file=file, own=crs_name(own), given=str(crs)),
            way_out=Note("tagging.leave_crs_out"),
        )
    return column.name, crs if own is None else own


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as numbers where every cell is one or empty; what else there is, is read cell by cell later."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    try:
        return pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())
    except pa.ArrowInvalid:
        return column
