"""A folder of points on the command line: which workers tag its parts, and how that is said."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from qpvgeo.errors import UsageError
from qpvgeo.language import Note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    from qpvgeo.tagging.options import Options

__all__ = ["Workers", "problems_of_workers", "tag_folder"]


_ONE_THREAD = {"QPVGEO_THREADS": "1"}
"""Environment of a worker that has others beside."""


class Workers(NamedTuple):
    """What tags the parts of a folder.

    Attributes
    ----------
    engine
        `pool` (processes of this machine), `dask` or `spark`.
    workers
        Processes of the pool, or of a Dask cluster of this machine.
    scheduler
        Address of a Dask scheduler.
    master
        URL of a Spark master.
    """

    engine: str = "pool"
    workers: int | None = None
    scheduler: str | None = None
    master: str | None = None


def problems_of_workers(
    workers: Workers, output: Path | None, *, folder: bool, unfit: Mapping[str, object]
) -> list[str]:
    """Choices of workers that do not go together, or not with a single file; options `unfit` for a folder."""
    wrong = {
        Note("cli.workers_of_a_file"): not folder and workers != Workers(),
        Note("cli.folder_needs_output"): folder and output is None,
        Note("cli.scheduler_of_dask"): workers.scheduler is not None and workers.engine != "dask",
        Note("cli.master_of_spark"): workers.master is not None and workers.engine != "spark",
    }
    wrong |= {Note("cli.not_of_a_folder", option=name): folder and given is not None for name, given in unfit.items()}
    return [note for note, told in wrong.items() if told]


def tag_folder(
    parts: Path,
    output: Any,  # noqa: ANN401 - a path, which a folder of points must have
    perimeters: list[Any] | Path,
    options: Options,
    workers: Workers,
    **more: Any,  # noqa: ANN401 - two options
) -> dict[str, Any]:
    """Tag the parts of a folder into another, by frames or a saved index; progress goes to the terminal."""
    from qpvgeo.cli.progress import parts as bar
    from qpvgeo.distributed.tag_folder import tag_files
    from qpvgeo.tagging.perimeter_index import PerimeterIndex

    index: Any = perimeters
    if isinstance(perimeters, list):
        index = PerimeterIndex(perimeters, reach_m=max(500.0, options.needed))
    with bar() as progress, _executor(workers) as executor:
        return tag_files(
            parts,
            output,
            index,
            workers=workers.workers,
            executor=executor,
            progress=progress,
            **options.given(),
            **more,
        )


@contextmanager
def _executor(workers: Workers) -> Iterator[Executor | None]:
    """Workers of an engine, for as long as they are needed; None for processes of this machine."""
    if workers.engine == "pool":
        yield None
        return
    try:
        if workers.engine == "dask":
            from distributed import Client
        else:
            from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError(
            Note("cli.no_engine", engine=workers.engine), way_out=Note("cli.install_engine", engine=workers.engine)
        ) from error
    if workers.engine == "dask":
        here = {"n_workers": workers.workers, "threads_per_worker": 1, "dashboard_address": None, "env": _ONE_THREAD}
        with Client(workers.scheduler) if workers.scheduler else Client(**here) as client:
            yield client.get_executor()
        return
    from qpvgeo.distributed.spark_frames import SparkExecutor

    master = workers.master or f"local[{workers.workers or '*'},4]"
    builder = SparkSession.builder.appName("qpvgeo tag").config("spark.ui.enabled", "false")
    for name, value in _ONE_THREAD.items():
        builder = builder.config(f"spark.executorEnv.{name}", value)
    session = builder.master(master).getOrCreate()
    try:
        yield SparkExecutor(session)
    finally:
        session.stop()
