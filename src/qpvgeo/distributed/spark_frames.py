"""The same answers on Spark: Arrow batches in, Arrow batches out, lazily, without a shuffle."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from qpvgeo.distributed.tag_job import job_of
from qpvgeo.errors import judged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkExecutor", "tag_spark"]

Answer = TypeVar("Answer")


@judged
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
    `spark.sql.execution.arrow.maxRecordsPerBatch` to 200000: small batches cost most. A session on `local[2]` fails
    with its first lost worker; `local[2,4]` gives each task four tries.
    """
    job = job_of(index, options)
    return points.mapInArrow(job.arrow, job.spark_schema(points.schema))


class SparkExecutor(Executor):
    """Workers of a Spark session with the interface of `concurrent.futures`: one call, one task.

    Parameters
    ----------
    session
        The session; as many calls run at once as it has cores.
    """

    def __init__(self, session: "SparkSession") -> None:
        self._context = session.sparkContext
        self._waiting = ThreadPoolExecutor(max(1, self._context.defaultParallelism))

    def submit(
        self,
        fn: Callable[..., Answer],
        /,
        *args: Any,  # noqa: ANN401 - those of the function
        **kwargs: Any,  # noqa: ANN401
    ) -> Future[Answer]:
        """Call a function on a worker."""
        return self._waiting.submit(self._run, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; the session stays."""
        self._waiting.shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, function: Callable[..., Answer], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Answer:
        def called(_: int) -> Answer | Exception:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - raised again by the caller, as what it is
                return error

        answer: Answer | Exception = self._context.parallelize([0], 1).map(called).collect()[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
