"""Tagging as a job that travels: the path of an index and some options, less than a kilobyte, for any engine.

Each process that gets the job loads the index from its path once, then tags batch after batch. The columns of the
answer are known before any row is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pandas as pd
import pyarrow as pa
import pyproj

from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats.atomic_write import remove_unused
from qpvgeo.language import Note
from qpvgeo.settings import cache_dir
from qpvgeo.tagging.batch_tagger import Tagger
from qpvgeo.tagging.file_points import FilePoints
from qpvgeo.tagging.index_file import VERSION
from qpvgeo.tagging.options import Distance, Options
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.points_in_qpv import tag_points
from qpvgeo.tagging.tolerance import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql.types import StructType

__all__ = ["TagJob", "held_index", "job_of"]

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)

_FEWEST = 1 << 16
"""Rows tagged together: a call costs milliseconds whatever it is given."""


@dataclass(frozen=True)
class TagJob:
    """What to tag points by, ready to be sent to other processes: path of an index, and options.

    Parameters
    ----------
    index
        File of an index that `PerimeterIndex.save` wrote, where every process can read it.
    bands, distance, on, xy, crs, commune
        As for `qpvgeo.tag_points`.
    tolerance_m
        Metres, the name of a column, or `"ban"`, as for `qpvgeo.tag_points`.
    digest
        That of the index; a process that finds another one at the path refuses. Read from the file when not given.

    Raises
    ------
    UsageError
        Options are invalid (all are listed), or the index does not measure as far as they need.
    DataError
        The file is no index, or another one than `digest` says.
    MissingDataError
        There is no such file.

    Notes
    -----
    The job is called with Arrow rows (`pyarrow.RecordBatch` or `pyarrow.Table`) and gives them back with their tags,
    as plain columns: text, and metres as float64. `pandas` and `arrow` are the same for `map_partitions` of Dask and
    `mapInArrow` of Spark; `meta` and `spark_schema` say beforehand what columns come out.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import pyarrow as pa
    >>> import qpvgeo as qg
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "sample.index"
    >>> qg.PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024)).save(path)
    >>> job = TagJob(path, xy=("lon", "lat"), crs=4326)
    >>> rows = pa.table({"id": [1, 2], "lon": [-3.7, 45.97], "lat": [45.9, -3.6]})
    >>> job(rows).select(["id", "state", "reason"]).to_pylist()[1]
    {'id': 2, 'state': 'unknown', 'reason': 'latitude and longitude look swapped'}
    """

    index: str
    bands: tuple[float, ...] = (300.0, 500.0)
    distance: Distance = "exact"
    on: str | None = None
    tolerance_m: float | str = 0.0
    xy: tuple[str, str] | str | None = None
    crs: str | int | None = None
    commune: str | None = None
    digest: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        """Judge the options, and find the digest."""
        options = self._options()
        faults: dict[str, Any] = {}
        if options.tolerance is None and not isinstance(self.tolerance_m, str):
            faults["tolerance_m"] = Note("tagging.not_a_file_tolerance")
        options.require(**faults)
        plain = {
            "index": str(Path(self.index).absolute()),
            "bands": options.limits,
            "on": None if self.on is None else str(self.on),
            "tolerance_m": self.tolerance_m if options.tolerance is None else options.tolerance,
            "xy": tuple(self.xy) if isinstance(self.xy, list) else self.xy,
            "crs": self.crs.to_wkt() if isinstance(self.crs, pyproj.CRS) else self.crs,
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        held = held_index(self.index, self.digest)
        object.__setattr__(self, "digest", held.digest)
        Tagger.prepare(held, options)

    def question(self) -> dict[str, Any]:
        """What the tags depend on, as plain JSON values."""
        asked = asdict(self) | {
            "bands": list(self.bands),
            "xy": list(self.xy) if isinstance(self.xy, tuple) else self.xy,
        }
        del asked["index"]
        return asked

    def options(self) -> dict[str, Any]:
        """Options as keywords of `qpvgeo.tag_points` and `qpvgeo.tag_file`."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("index", "digest")}

    def perimeters(self) -> PerimeterIndex:
        """The index, loaded once in each process."""
        return held_index(self.index, self.digest)

    def schema(self, source: pa.Schema) -> pa.Schema:
        """Columns of the answer for rows of some columns.

        Raises
        ------
        UsageError
            Columns that were named are not there.
        DataError
            There are no coordinates, or columns have the names of tags.
        """
        return self(source.empty_table()).schema

    def __call__(self, rows: Rows) -> Rows:
        """Arrow rows again, with their tags."""
        ready = _ready(self, rows.schema)
        table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        look, found = ready.points.coordinates(table.select(ready.points.columns))
        tolerance = tolerance_of(look, self.tolerance_m, found.index)
        tags = ready.tagger.tag(found, tolerance, None if self.commune is None else look[self.commune]).batch()
        for name, column in zip(tags.schema.names, tags.columns, strict=True):
            rows = rows.append_column(name, _plain(column))
        return rows

    def arrow(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches again, with their tags, for `mapInArrow` of Spark; small batches are put together."""
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= _FEWEST:
                yield from self(pa.Table.from_batches(waiting)).combine_chunks().to_batches()
                waiting = []
        if waiting:
            yield from self(pa.Table.from_batches(waiting)).combine_chunks().to_batches()

    def pandas(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows of a pandas or geopandas frame again, with their tags, on the same index: for `map_partitions`."""
        tags = tag_points(frame, self.perimeters(), **self.options())
        _require_free(frame.columns, tags.columns)
        tagged: pd.DataFrame = frame.assign(**{str(name): tags[name].array for name in tags})
        return tagged

    def meta(self, empty: pd.DataFrame) -> pd.DataFrame:
        """Frame without rows of the columns of the answer, as Dask wants it."""
        return self.pandas(empty.iloc[:0])

    def spark_schema(self, source: "StructType") -> "StructType":
        """Columns of the answer, as Spark wants them."""
        from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema  # noqa: PLC0415 - an extra

        return from_arrow_schema(self.schema(to_arrow_schema(source)))

    def _options(self) -> Options:
        return Options(**self.options())


def job_of(index: Any, options: Mapping[str, Any]) -> TagJob:  # noqa: ANN401 - whatever was given
    """Job of an index: itself, of the path of one, or of an index in memory, which is saved in the cache first.

    Raises
    ------
    UsageError
        `index` is none of these, or a job comes with options beside.
    """
    if isinstance(index, TagJob):
        return replace(index, **options) if options else index
    if isinstance(index, PerimeterIndex):
        kept = cache_dir() / "indexes" / f"{index.digest[:32]}-{index.reach_m:g}-form{VERSION}.index"
        if kept.exists():
            kept.touch()
        else:
            kept.parent.mkdir(parents=True, exist_ok=True)
            remove_unused(kept.parent.glob("*.index"))
            index.save(kept)
            _hold(str(kept), index)
        return TagJob(str(kept), **options, digest=index.digest)
    if isinstance(index, str | Path):
        return TagJob(str(index), **options)
    raise UsageError(
        Note("distributed.not_an_index", kind=type(index).__name__), way_out=Note("distributed.give_an_index")
    )


_MOST_HELD = 4
_held: dict[tuple[str, str], PerimeterIndex] = {}


def held_index(path: str, digest: str) -> PerimeterIndex:
    """Index of a file, loaded once in each process.

    Raises
    ------
    DataError
        The file holds another index than `digest` says; empty takes any.
    """
    index = _held.get((path, digest))
    if index is None:
        index = PerimeterIndex.load(path)
        if digest and index.digest != digest:
            raise DataError(Note("distributed.other_index", path=path), way_out=Note("distributed.one_index"))
        _hold(path, index)
    return index


def _hold(path: str, index: PerimeterIndex) -> None:
    """Keep an index for the jobs of this process, under its own digest."""
    if len(_held) >= _MOST_HELD:
        _held.clear()
    _held[path, index.digest] = index


class _Ready(NamedTuple):
    """What a process keeps of a job for rows of some columns."""

    points: FilePoints
    tagger: Tagger


class _Given(NamedTuple):
    """Columns of rows that are in no file."""

    path: Path
    schema: pa.Schema


@lru_cache(maxsize=16)
def _ready(job: TagJob, schema: pa.Schema) -> _Ready:
    """Columns of points, and what tags them: found once."""
    options = job._options()  # noqa: SLF001 - of this module
    points = FilePoints.of(_Given(Path("rows"), schema), options)
    ready = _Ready(points, Tagger.prepare(job.perimeters(), options))
    _, found = points.coordinates(schema.empty_table().select(points.columns))
    codes = None if job.commune is None else pd.Series(dtype=str)
    tags = ready.tagger.tag(found, tolerance_of(pd.DataFrame(), 0.0, found.index), codes)
    _require_free(schema.names, tags.batch().schema.names)
    return ready


def _require_free(names: "Sequence[str] | pd.Index", tags: "Sequence[str] | pd.Index") -> None:
    """Raise when columns of the rows have the names of the tags."""
    taken = [Note("tagging.column", column=str(name)) for name in names if name in set(tags)]
    if taken:
        raise DataError(Note("distributed.tagged_before"), problems=taken, way_out=Note("tagging.remove_tags"))


def _plain(column: pa.Array) -> pa.Array:
    """Column of text where it is one of labels: engines disagree on dictionaries."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
