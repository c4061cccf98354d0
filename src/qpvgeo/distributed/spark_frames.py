"""The same answers on Spark: Arrow batches in, Arrow batches out, lazily, without a shuffle."""

from typing import TYPE_CHECKING, Any

from qpvgeo.distributed.tag_job import job_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["tag_spark"]


def tag_spark(points: "DataFrame", index: Any, **options: Any) -> "DataFrame":  # noqa: ANN401 - a job or an index
    """Tag the points of a Spark frame: its columns again, and what `qpvgeo.tag_points` says of each row.

    Parameters
    ----------
    points
        Spark frame with columns of coordinates.
    index
        `TagJob`, path of a saved index that every worker can read, or a `PerimeterIndex`, which is saved in the cache
        first (for workers of this machine).
    **options
        Options of `TagJob`.

    Returns
    -------
    pyspark.sql.DataFrame
        Lazy. Tags are text, and metres doubles.

    Raises
    ------
    UsageError, DataError
        As `TagJob`, and where the columns of the frame do not fit: before anything is computed.

    Notes
    -----
    Spark does not promise the order of rows: keep a column that names them. Set
    `spark.sql.execution.arrow.maxRecordsPerBatch` to 200000: small batches cost most. A session on `local[2]` fails with
    its first lost worker; `local[2,4]` gives each task four tries.
    """
    job = job_of(index, options)
    return points.mapInArrow(job.arrow, job.spark_schema(points.schema))
