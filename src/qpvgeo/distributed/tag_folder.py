"""Tags of a folder of files, part by part, on several processes: the pool of this machine, Dask, Spark, or any other.

A part is a file: one in, one out, written whole or not at all. What is done is written down beside the outputs, so that
a run that was stopped does only what is left. A part that cannot be read is named at the end, and the rest is done.
"""

import glob
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from qpvgeo import settings
from qpvgeo._version import __version__
from qpvgeo.distributed.tag_job import TagJob, job_of
from qpvgeo.errors import DataError, MissingDataError, OutputError, QpvgeoError, UsageError, judged
from qpvgeo.formats.atomic_write import replace, writing
from qpvgeo.formats.folder_walk import is_left_over
from qpvgeo.language import Note
from qpvgeo.settings import home_expanded
from qpvgeo.sources.folders import require_open
from qpvgeo.tagging.files import tag_file
from qpvgeo.tagging.options import STATES, band_name

__all__ = ["tag_files"]

_RECORD = "_tagged.json"
_LOCK = ".tagged.lock"
_WRITTEN = (".csv", ".csv.gz", ".parquet")
_READ = (*_WRITTEN, ".gpkg", ".geojson", ".fgb", ".shp", ".kml", ".gml", ".xlsx", ".xls", ".ods", ".zip")
_TRIES = 3
"""Times that a part is given to a worker: one that kills each of them is the fault of the part."""


@judged
def tag_files(  # noqa: PLR0913 - what, where, by which job, and how the work is done
    parts: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    job: Any,  # noqa: ANN401 - a job, an index, or its path
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    safe_csv: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,  # noqa: ANN401 - those of the job
) -> dict[str, Any]:
    """Tag the points of many files, one output for each, on several processes.

    Parameters
    ----------
    parts
        Folder, pattern (`"parts/*.parquet"`) or list of files, each of a form that `qpvgeo.tag_file` takes. Files of a
        folder whose names begin with a dot or an underscore are left alone.
    output
        Folder of the outputs, made when it is not there. A part keeps its name; one that is neither CSV nor Parquet
        becomes Parquet.
    job
        `TagJob`, path of a saved index, or a `PerimeterIndex`, which is saved in the cache first.
    workers
        Processes of this machine; as many as it has processors by default. They share the threads
        (`QPVGEO_THREADS`).
    executor
        Workers of another engine with the interface of `concurrent.futures`: `Client(...).get_executor()` of Dask,
        `SparkExecutor(session)`. The files and the index must have the same paths there.
    resume
        Keep the outputs that an earlier run of the same job has finished, of parts that did not change since.
    safe_csv
        As for `qpvgeo.tag_file`.
    progress
        Called after each part with the number of parts done, and of all.
    **options
        Options of `TagJob`, where `job` is an index.

    Returns
    -------
    dict
        `parts` (each with `part`, `output`, `rows`, `states`, `bands`, `reasons`, `resumed`), their sums `rows`,
        `states`, `bands` and `reasons`, `resumed_parts`, `resumed_rows`, `vintages`, `on`,
        `output`, `sources`, `notes`, `fictional`.

    Raises
    ------
    UsageError
        Options are invalid, two parts would have one output, or the run to resume had another job.
    MissingDataError
        There are no parts.
    DataError
        Some parts could not be tagged: all are listed. The others are done; run again with `resume`, which does what
        is left.
    OutputError
        The folder cannot be written, or another run writes in it.

    Notes
    -----
    Every part is tagged by `qpvgeo.tag_file`, so the answer is that of one process, row by row and in the same order. A
    worker that dies is replaced, and its part is done again, three times at most.

    Examples
    --------
    >>> import tempfile, pathlib, shutil
    >>> import qpvgeo as qg
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "parts").mkdir()
    >>> for name in ("a.csv", "b.csv"):
    ...     _ = shutil.copy(qg.sample().addresses, folder / "parts" / name)
    >>> qg.PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024)).save(folder / "sample.index")
    >>> found = tag_files(folder / "parts", folder / "tagged", folder / "sample.index", workers=1)
    >>> len(found["parts"]), found["rows"] == sum(found["states"].values())
    (2, True)
    """
    if workers is not None and workers < 1:
        raise UsageError(Note("distributed.workers", given=str(workers)))
    asked = job_of(job, options)
    folder = home_expanded(output)
    sources = _parts(parts)
    targets = _targets(sources, folder)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _held(folder):
        record = _Record(folder, asked.question() | {"safe_csv": safe_csv}, resume=resume)
        had = {part: record.had(part, target) for part, target in targets.items()} if resume else {}
        waiting = [part for part in sources if not had.get(part)]
        done, failed = {part: found | {"resumed": True} for part, found in had.items() if found}, {}
        for part, found in _worked(asked, {part: targets[part] for part in waiting}, executor, workers, safe_csv):
            if isinstance(found, BaseException):
                failed[part] = found
            else:
                record.add(part, found)
                done[part] = found | {"resumed": False}
            if progress is not None:
                progress(len(done) + len(failed), len(sources))
    if failed:
        raise DataError(
            Note("distributed.parts_failed", failed=len(failed), parts=len(sources)),
            problems=[
                Note("distributed.part_failed", part=part.name, why=str(failed[part]))
                for part in sources
                if part in failed
            ],
            way_out=Note("distributed.run_again"),
        )
    return _answer([{"part": str(part), **done[part]} for part in sources], asked, folder)


def tag_part(job: TagJob, part: str, output: str, _run: str, *, safe_csv: bool = False) -> dict[str, Any]:
    """Tag one file into another, by the index that this process holds: what a worker of any engine calls.

    The run has a name: Dask answers a call that it knows from memory, with the error of a part mended since, too.
    """
    return tag_file(part, output, job.perimeters(), safe_csv=safe_csv, **job.options())


def _worked(
    job: TagJob, targets: Mapping[Path, Path], executor: Executor | None, workers: int | None, safe_csv: bool
) -> Iterator[tuple[Path, dict[str, Any] | BaseException]]:
    """Parts as they are done, each with its answer or its error."""
    if executor is not None:
        yield from _submitted(executor, job, targets, safe_csv)
        return
    many = workers or os.cpu_count() or 1
    threads = max(1, (os.cpu_count() or 1) // many)
    tries = Counter[Path]()
    left = dict(targets)
    while left:
        many = min(many, len(left))
        try:
            with ProcessPoolExecutor(many, get_context("spawn"), _one_share, (threads,)) as pool:
                for part, found in _submitted(pool, job, left, safe_csv):
                    if not isinstance(found, BrokenProcessPool):
                        del left[part]
                        yield part, found
        except BrokenProcessPool:  # a worker died before the parts were given out
            pass
        # nobody can say which part was being done when a worker died
        tries.update(list(left))
        for part in [part for part in left if tries[part] >= _TRIES]:
            del left[part]
            yield part, OutputError(Note("distributed.worker_died", times=_TRIES))


def _submitted(
    pool: Executor, job: TagJob, targets: Mapping[Path, Path], safe_csv: bool
) -> Iterator[tuple[Path, dict[str, Any] | BaseException]]:
    run = uuid4().hex
    futures: dict[Future[dict[str, Any]], Path] = {
        pool.submit(tag_part, job, str(part), str(target), run, safe_csv=safe_csv): part
        for part, target in list(targets.items())
    }
    for future in as_completed(futures):
        error = future.exception()
        if error is not None and not isinstance(error, QpvgeoError | BrokenProcessPool | OSError | MemoryError):
            raise error
        yield futures[future], future.result() if error is None else error


def _one_share(threads: int) -> None:
    """Give a worker its share of the processors."""
    os.environ["QPVGEO_THREADS"] = str(threads)
    settings.threads = None


def _parts(given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Files to tag, in order of their names."""
    if isinstance(given, str | os.PathLike):
        place = home_expanded(given)
        if os.path.isdir(place):  # noqa: PTH112 - what may not be looked at is named below, with its cause
            require_open(place)
            of_form = [one for one in place.iterdir() if one.name.lower().endswith(_READ)]
            found = sorted(one for one in of_form if one.name[0] != "_" and not is_left_over(one.name))
        elif os.path.isfile(place):  # noqa: PTH113 - whatever its name looks like
            found = [place]
        else:
            found = sorted(map(Path, glob.glob(str(place)))) or [place]  # noqa: PTH207 - an absolute pattern
    else:
        found = [home_expanded(one) for one in given]
    if not found:
        raise MissingDataError(
            Note("distributed.no_parts", place=str(given)), way_out=Note("distributed.name_parts", endings=list(_READ))
        )
    absent = [_why_absent(one) for one in found if not os.path.isfile(one)]  # noqa: PTH113 - as above
    if absent:
        raise MissingDataError(Note("distributed.absent_parts"), problems=absent)
    return found


def _why_absent(part: Path) -> str:
    """Path of a part that cannot be opened, with the cause where one is known."""
    try:
        part.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return str(part)
    except OSError as error:
        return f"{part}: {error.strerror}"
    return str(part)


def _targets(parts: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Output of each part."""
    names = {
        part: part.name if part.name.lower().endswith(_WRITTEN) else f"{part.name.split('.')[0]}.parquet"
        for part in parts
    }
    # on many disks names that differ in case alone are one
    counts = Counter(names[part].casefold() for part in parts)
    firsts = {name.casefold(): name for name in reversed(names.values())}
    problems = [
        Note("distributed.one_output", name=firsts[name], count=count) for name, count in counts.items() if count > 1
    ]
    problems += [
        Note("tagging.output_is_an_input", output=str(folder), source=str(part))
        for part in parts
        if folder.exists() and part.parent.samefile(folder)
    ][:1]
    if problems:
        raise UsageError(Note("distributed.outputs"), problems=problems)
    return {part: folder / name for part, name in names.items()}


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the folder of outputs for one run."""
    lock = FileLock(folder / _LOCK)
    with writing(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise OutputError(Note("tagging.another_run", output=folder.name), way_out=Note("tagging.wait")) from error
    try:
        yield
    finally:
        lock.release()


class _Record:
    """What is done in a folder of outputs, written down after each part.

    Raises
    ------
    UsageError
        The run to resume had another job: says what is different.
    """

    def __init__(self, folder: Path, question: Mapping[str, Any], *, resume: bool) -> None:
        self._file = folder / _RECORD
        self._question = json.loads(json.dumps({"written_by": f"qpvgeo {__version__}", **question}))
        self._done: dict[str, Any] = {}
        before = _read(self._file) if resume else {}
        if not before:
            return
        asked = before.get("question", {})
        other = [
            Note("distributed.other_option", name=name, before=str(asked.get(name)), now=str(value))
            for name, value in self._question.items()
            if asked.get(name) != value
        ]
        if other:
            raise UsageError(
                Note("distributed.other_job", folder=str(folder)),
                problems=other,
                way_out=Note("distributed.without_resume"),
            )
        self._done = before.get("parts", {})

    def had(self, part: Path, target: Path) -> dict[str, Any] | None:
        """Answer of a part that an earlier run finished, if neither it nor its output has changed since."""
        kept = self._done.get(part.name)
        if kept is None or not target.is_file():
            return None
        same = kept["part"] == _state(part) and kept["output"] == _state(target)
        return dict(kept["found"]) if same else None

    def add(self, part: Path, found: Mapping[str, Any]) -> None:
        """Write down that a part is done."""
        self._done[part.name] = {"part": _state(part), "output": _state(Path(found["output"])), "found": found}
        text = json.dumps({"question": self._question, "parts": self._done}, default=str)
        with writing(self._file):
            replace(self._file, lambda beside: beside.write_text(text, encoding="utf-8"))


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _state(file: Path) -> list[int]:
    """Size and time of a file: what tells it from another of the same name."""
    seen = file.stat()
    return [seen.st_size, seen.st_mtime_ns]


def _answer(parts: Sequence[Mapping[str, Any]], job: TagJob, folder: Path) -> dict[str, Any]:
    """Sums of the parts."""
    index = job.perimeters()
    years = list(parts[0].get("by_vintage", {}))
    by_vintage = {year: _sums([part["by_vintage"][year] for part in parts], job) for year in years}
    return {
        "rows": sum(part["rows"] for part in parts),
        **_sums(parts, job),
        **({"by_vintage": by_vintage} if years else {}),
        "resumed_parts": sum(bool(part["resumed"]) for part in parts),
        "resumed_rows": sum(part["rows"] for part in parts if part["resumed"]),
        "parts": [
            {name: part[name] for name in ("part", "output", "rows", "states", "bands", "reasons", "resumed")}
            for part in parts
        ],
        "vintages": list(index.vintages),
        "on": job.on,
        "output": str(folder),
        "sources": [*index.files],
        "notes": list(dict.fromkeys(note for part in parts for note in part["notes"])),
        "fictional": index.fictional,
    }


def _sums(counted: Sequence[Mapping[str, Any]], job: TagJob) -> dict[str, dict[str, int]]:
    """States, bands and reasons of several parts together."""
    states, bands, reasons = (
        sum((Counter(one[name]) for one in counted), Counter[str]()) for name in ("states", "bands", "reasons")
    )
    return {
        "states": {state: states[state] for state in STATES},
        "bands": {band_name(band): bands[band_name(band)] for band in job.bands},
        "reasons": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    }
