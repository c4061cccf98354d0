"""Values of a raster on the cells of a grid: one image becomes one column.

Each cell gets the mean of the pixels over it, by the area that each shares with it; pixels without data are left out. A
cell over which the raster has no data is missing.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from qpvgeo.errors import DataError, MissingDataError, UsageError, cause_of, judged
from qpvgeo.frames.provenance import file_record, stamp
from qpvgeo.language import Note
from qpvgeo.population.grid_columns import checked_cells

__all__ = ["is_raster", "raster_on_cells"]

Statistic = Literal["mean", "max", "min"]
_STATISTICS = {"mean": "average", "max": "max", "min": "min"}
_SUFFIXES = {".tif", ".tiff", ".vrt", ".img", ".asc"}


def is_raster(name: str | Path) -> bool:
    """Whether a file is an image, by its name.

    Examples
    --------
    >>> is_raster("heat.TIF"), is_raster("floods.gpkg")
    (True, False)
    """
    return Path(name).suffix.lower() in _SUFFIXES


@judged
def raster_on_cells(
    path: str | Path, grid: pd.DataFrame, *, band: int = 1, statistic: Statistic = "mean"
) -> pd.DataFrame:
    """Take a raster to the cells of a grid.

    Parameters
    ----------
    path
        GeoTIFF, or any raster that GDAL reads, with a CRS. Needs rasterio (`pip install 'qpvgeo[raster]'`).
    grid
        Frame of `qpvgeo.read_grid`, of one territory.
    band
        Band of the raster, from 1.
    statistic
        `mean` of the pixels over a cell, by area; `max` or `min` of them.

    Returns
    -------
    pandas.DataFrame
        On the cells of the grid: `value`, in the unit of the raster, by the scale and the offset of its band; missing
        where it has no data. Use it as a column: `grid.assign(heat=raster_on_cells(path, grid)["value"])`, then
        `qpvgeo.exposure(qpv, "heat", ...)`.

    Raises
    ------
    MissingDataError
        There is no such file.
    DataError
        The raster cannot be read, has no CRS, no place or no such band, or covers no cell of the grid.
    UsageError
        The statistic does not exist, the frame is not a grid, or rasterio is not installed.
    """
    cells = checked_cells(grid)
    if statistic not in _STATISTICS:
        raise UsageError(
            Note("resilience.no_statistic", statistic=repr(statistic)),
            way_out=Note("resilience.statistics", statistics=list(_STATISTICS)),
        )
    where = Path(path)
    if not where.is_file():
        raise MissingDataError(Note("resilience.no_raster", file=str(path)))
    if not len(grid):
        raise DataError(Note("resilience.no_cells"), way_out=Note("resilience.no_cells_way_out"))
    size = cells.lattice.size
    west, south = int(cells.east.min()), int(cells.north.min())
    columns, rows = int((cells.east.max() - west) // size + 1), int((cells.north.max() - south) // size + 1)
    table, bands = _warped(where, band, statistic, (cells.lattice.epsg, west, south + rows * size, size, rows, columns))
    value = table[rows - 1 - (cells.north - south) // size, (cells.east - west) // size]
    if np.isnan(value).all():
        raise DataError(
            Note("resilience.raster_elsewhere", file=where.name), way_out=Note("resilience.no_cells_way_out")
        )
    found = pd.DataFrame({"value": value.astype(float)}, index=grid.index)
    notes = [Note("resilience.band_of", band=band, bands=bands)] if bands > 1 else []
    return stamp(found, [file_record(where)], band=band, statistic=statistic, notes=notes)


def _warped(
    path: Path, band: int, statistic: Statistic, target: tuple[int, int, int, int, int, int]
) -> tuple[Any, int]:
    """Raster on the lattice, the northern row first, NaN where it has no data, and how many bands it has."""
    try:
        import rasterio  # noqa: PLC0415
        from rasterio.errors import RasterioError  # noqa: PLC0415
        from rasterio.transform import from_origin  # noqa: PLC0415
        from rasterio.warp import Resampling, reproject  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(Note("resilience.no_rasterio"), way_out=Note("resilience.install_rasterio")) from error
    epsg, west, top, size, rows, columns = target
    found = np.full((rows, columns), np.nan, np.float32)
    try:
        with rasterio.open(path) as source:
            if source.crs is None or source.transform.is_degenerate:
                raise DataError(
                    Note("resilience.raster_nowhere", file=path.name), way_out=Note("resilience.raster_place_it")
                )
            if band not in source.indexes:
                raise DataError(
                    Note("resilience.raster_band", file=path.name, band=str(band)),
                    way_out=Note("resilience.raster_bands", bands=list(map(str, source.indexes))),
                )
            bands = source.count
            pixels = source.read(band, masked=True).astype(np.float32).filled(np.nan)
            # whole numbers may stand for others: tenths of a degree, or kelvins
            pixels = pixels * np.float32(source.scales[band - 1]) + np.float32(source.offsets[band - 1])
            pixels[np.isinf(pixels)] = np.nan
            reproject(
                pixels,
                found,
                src_transform=source.transform,
                src_crs=source.crs,
                src_nodata=np.nan,
                dst_transform=from_origin(west, top, size, size),
                dst_crs=f"EPSG:{epsg}",
                dst_nodata=np.nan,
                resampling=Resampling[_STATISTICS[statistic]],
            )
    except RasterioError as error:
        raise DataError(Note("resilience.raster_unread", file=path.name, reason=cause_of(error))) from error
    return found, bands
