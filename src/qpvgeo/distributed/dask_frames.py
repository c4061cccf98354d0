"""The same answers on Dask: partition by partition, lazily, without a shuffle."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from qpvgeo.distributed.tag_job import job_of
from qpvgeo.errors import UsageError, judged
from qpvgeo.frames.require import require_columns
from qpvgeo.geographies.communes.passage import commune_passage
from qpvgeo.geometry.overlap_table import overlap
from qpvgeo.language import Note
from qpvgeo.population.estimation import estimate_population
from qpvgeo.read.grid.reader import read_grid

if TYPE_CHECKING:
    import dask.dataframe as dd

__all__ = ["estimate_population_dask", "overlap_dask", "pass_communes_dask", "tag_dask"]


@judged
def tag_dask(points: "dd.DataFrame", index: Any, **options: Any) -> "dd.DataFrame":  # noqa: ANN401
    """Tag the points of a Dask frame: its columns again, and what `qpvgeo.tag_points` says of each row.

    Parameters
    ----------
    points
        Dask frame with columns of coordinates, or dask-geopandas frame of points.
    index
        `TagJob`, path of a saved index that every worker can read, or a `PerimeterIndex`, which is saved in the cache
        first (for workers of this machine).
    **options
        Options of `TagJob`.

    Returns
    -------
    dask.dataframe.DataFrame
        Lazy; the same partitions, order and index. Columns and types are those of `qpvgeo.tag_points`.

    Raises
    ------
    UsageError, DataError
        As `TagJob`, and where the columns of the frame do not fit: before anything is computed.

    Notes
    -----
    Each worker loads the index from its path once. For files, `tag_files(..., executor=client.get_executor())` is
    faster: nothing becomes a frame.
    """
    job = job_of(index, options)
    return points.map_partitions(job.pandas, meta=job.meta(_empty(points)))


@judged
def estimate_population_dask(
    polygons: "dd.DataFrame",
    grid: pd.DataFrame | str | os.PathLike[str],
    **options: Any,  # noqa: ANN401 - those of the estimate
) -> "dd.DataFrame":
    """Estimate the people of the polygons of a dask-geopandas frame: see `qpvgeo.estimate_population`.

    Parameters
    ----------
    polygons
        dask-geopandas frame of polygons, with a CRS.
    grid
        Frame of `qpvgeo.read_grid`, or the path of a grid that every worker can read: it is then loaded once a process.
    **options
        Options of `qpvgeo.estimate_population`, but `constraint`, which is about all polygons at once.

    Returns
    -------
    dask.dataframe.DataFrame
        Lazy; the columns of `qpvgeo.estimate_population`, in the partitions, order and index of the polygons.

    Raises
    ------
    UsageError
        `constraint` is given.

    When computed, the errors of `qpvgeo.estimate_population`, of each partition: one whose polygons all lie outside
    France is refused, where the whole frame would have them missing.
    """
    if options.get("constraint") is not None:
        raise UsageError(Note("distributed.constraint"))
    held = grid if isinstance(grid, pd.DataFrame) else os.fspath(grid)
    meta = _people(_empty(polygons), held, options)
    return polygons.map_partitions(_people, held, options, meta=meta)


@judged
def overlap_dask(left: "dd.DataFrame", right: gpd.GeoDataFrame) -> "dd.DataFrame":
    """Overlap table of the polygons of a dask-geopandas frame with those of a layer in memory: see `qpvgeo.overlap`.

    Parameters
    ----------
    left
        dask-geopandas frame of polygons.
    right
        The other layer, which goes to every worker.

    Returns
    -------
    dask.dataframe.DataFrame
        Lazy; the columns of `qpvgeo.overlap`, a row for each pair that touches, in the order of `left`.
    """
    return left.map_partitions(_overlap, right, meta=_overlap(_empty(left), right))


@judged
def pass_communes_dask(
    table: "dd.DataFrame",
    column: str,
    from_year: int,
    to_year: int,
    **sources: Any,  # noqa: ANN401 - those of the passage
) -> "dd.DataFrame":
    """Take the rows of a Dask frame from the communes of one year to those of another: see `qpvgeo.commune_passage`.

    Parameters
    ----------
    table
        Dask frame, a row for each thing that lies in a commune.
    column
        Column of the codes of communes.
    from_year, to_year
        Years of the *code officiel géographique*.
    **sources
        Sources of `qpvgeo.commune_passage`.

    Returns
    -------
    dask.dataframe.DataFrame
        Lazy; the rows again with `commune_to`, `commune_share` (0 to 1, of the commune of the row) and `commune_kind`.
        A row of a commune that was split comes once for each part; counts are then to be multiplied by the share, which
        is missing where the people of the parts are not known. A code that the passage does not list is `not listed`:
        unchanged where it is a commune of both years, unknown otherwise.

    Raises
    ------
    UsageError
        There is no such column.
    """
    empty = _empty(table)
    require_columns(empty, [column], what="table")
    passage = commune_passage(from_year, to_year, **sources)
    named = passage.loc[passage["code_from"].notna(), ["code_from", "code_to", "share", "kind"]]
    named = named.set_axis([column, "commune_to", "commune_share", "commune_kind"], axis="columns")
    return table.map_partitions(_passed, named, column, meta=_passed(empty, named, column))


def _empty(frame: "dd.DataFrame") -> pd.DataFrame:
    """Frame without rows of the columns of a Dask frame."""
    meta: pd.DataFrame = frame._meta  # noqa: SLF001 - the only way that Dask has
    return meta


def _people(polygons: gpd.GeoDataFrame, grid: pd.DataFrame | str, options: dict[str, Any]) -> pd.DataFrame:
    return estimate_population(polygons, _held_grid(grid) if isinstance(grid, str) else grid, **options)


@lru_cache(maxsize=2)
def _held_grid(path: str) -> pd.DataFrame:
    """Grid of a file, loaded once in each process."""
    return read_grid(path)


def _overlap(left: gpd.GeoDataFrame, right: gpd.GeoDataFrame) -> pd.DataFrame:
    return overlap(left, right)


def _passed(rows: pd.DataFrame, passage: pd.DataFrame, column: str) -> pd.DataFrame:
    passed = rows.merge(passage, on=column, how="left")
    return passed.assign(commune_kind=passed["commune_kind"].fillna("not listed"))
