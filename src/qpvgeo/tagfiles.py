"""Files of millions of addresses, tagged batch by batch with flat memory.

While a batch is tagged, the next one is read and the one before is written. The file is written beside the output and
renamed at the end: what was there before stays whole until then. The tags of each batch are kept in a folder beside it
too, so that a run that was killed is resumed by reading and writing again, and tagging only what was not tagged yet.
"""

import gzip
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from qpvgeo.errors import DataError, UsageError
from qpvgeo.perimeter import PerimeterIndex
from qpvgeo.places import REASONS, coordinate_columns, number
from qpvgeo.read.batches import Batch, Table, is_table, open_table
from qpvgeo.tagging import BAN_SCORES, BAN_TYPES, STATES, Distance, tag_points

__all__ = ["tag_file"]

_STATE = "state.json"
_FORM = 1
_MILLIMETRES = 3

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class _Job:
    """What is asked of a file."""

    table: Table
    index: PerimeterIndex
    options: Mapping[str, Any]

    def state(self) -> dict[str, Any]:
        """What must not change between a run and its resumption."""
        about = self.table.path.stat()
        return {
            "form": _FORM,
            "source": {"name": self.table.path.name, "bytes": about.st_size, "modified_ns": about.st_mtime_ns},
            "perimeters": self.index.digest,
            "options": {name: str(value) for name, value in self.options.items()},
        }


def tag_file(  # noqa: PLR0913 - those of tag_points, and what a file needs
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | None,
    qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame] | PerimeterIndex,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    bands: Sequence[float] = (300, 500),
    distance: Distance = "exact",
    **options: Any,  # noqa: ANN401 - those of tag_points
) -> dict[str, Any]:
    """Tag the rows of a large table of points, and write them with their tags.

    Parameters
    ----------
    source
        CSV (`;`, `,`, tab or `|`; UTF-8 or cp1252; also `.csv.gz`) or Parquet, with columns of coordinates.
    output
        File to write, `.csv`, `.csv.gz` or `.parquet`; None counts without writing.
    qpv
        Perimeters, or a `PerimeterIndex`.
    resume
        Go on after a run that was stopped, when file, perimeters and options are the same.
    progress
        Called with the rows done and their number, which is None for a CSV file.
    bands, distance, **options
        Those of `qpvgeo.tag_points`: `on`, `tolerance_m` (a number, the name of a column or `"ban"`), `xy`, `crs`.

    Returns
    -------
    dict
        `rows`, `states`, `bands` (points outside, by the band they lie in), `reasons`: counts; for several vintages
        without a day, those of the last, and `by_vintage` holds them all. `output`: the file written, or None.

    Raises
    ------
    DataError
        The table cannot be read, or has columns named as the tags.
    UsageError
        Endings are not known, or what is resumed has changed: everything is listed.
    MissingDataError
        There is no such file.

    Notes
    -----
    Columns of a CSV file stay the text that they are, and it keeps its delimiter; it is written in UTF-8. A line with
    too few or too many cells stays in its place, with what it has: `unknown`, `row cannot be read`. Distances in CSV
    have three decimals. Tags already made are kept in a hidden folder beside the output until it is written.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> tag_file(sample.addresses, None, qg.read_qpv(sample.qpv_2024))["states"]
    {'in': 860, 'out': 3034, 'unknown': 10}
    """
    table = open_table(Path(source))
    target = None if output is None else Path(output)
    _require(table, target)
    tolerance = options.get("tolerance_m", 0)
    reach = max([*map(float, bands), float(tolerance) if isinstance(tolerance, int | float) else 0.0, 0.0])
    index = qpv if isinstance(qpv, PerimeterIndex) else PerimeterIndex(qpv, reach_m=reach)
    job = _Job(table, index, {"bands": tuple(bands), "distance": distance, **options})
    told = progress or (lambda _done, _all: None)
    if target is None:
        with ThreadPoolExecutor(1) as reader:
            return _counted(job, (tags for _, tags in _tagged(job, reader, None, 0, told))) | {"output": None}
    parts = target.parent / f".{target.name}.parts"
    done = _resumed(parts, job) if resume else _started(parts, job)
    counts = _written(job, parts, done, target, told)
    shutil.rmtree(parts)
    return counts | {"output": str(target)}


def _require(table: Table, target: Path | None) -> None:
    if target is None:
        return
    problems = []
    if not is_table(target):
        problems.append(f"the output ends in .csv, .csv.gz or .parquet, not {target.suffix or target.name}")
    if not target.absolute().parent.is_dir():
        problems.append(f"there is no folder {target.parent}")
    if target.absolute() == table.path.absolute():
        problems.append("the output is the source itself")
    if problems:
        raise UsageError("The output cannot be written.", problems=problems)


def _started(parts: Path, job: _Job) -> int:
    """Empty the folder of parts."""
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir()
    _replace(parts / _STATE, lambda path: path.write_text(json.dumps(job.state())))
    return 0


def _resumed(parts: Path, job: _Job) -> int:
    """How many parts an earlier run made of the same question."""
    state = parts / _STATE
    if not state.exists():
        return _started(parts, job)
    before, now = json.loads(state.read_text()), job.state()
    changed = [name for name in now if before.get(name) != now[name]]
    if changed:
        raise UsageError(
            "What was begun cannot be resumed: it is another question now.",
            problems=[f"{name}: {before.get(name)} then, {now[name]} now" for name in changed],
            way_out="Start anew, without resuming.",
        )
    done = 0
    while _part(parts, done).exists():
        done += 1
    return done


def _part(parts: Path, position: int) -> Path:
    return parts / f"{position:06d}.parquet"


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside, then rename."""
    beside = path.with_name(f"{path.name}.new")
    write(beside)
    os.replace(beside, path)  # noqa: PTH105 - a rename over what is there


def _ahead(batches: Iterator[Batch], reader: ThreadPoolExecutor) -> Iterator[Batch]:
    """The same batches, the next one read while one is worked on."""
    coming = reader.submit(next, batches, None)
    while (batch := coming.result()) is not None:
        coming = reader.submit(next, batches, None)
        yield batch


def _needed(job: _Job) -> list[str]:
    """Columns that tagging asks for; all of them where it will say that they lack."""
    names = job.table.names
    asked = job.options.get("xy") or coordinate_columns(names) or names
    tolerance = job.options.get("tolerance_m")
    beside = (*BAN_TYPES, *BAN_SCORES) if tolerance == "ban" else (tolerance,)
    found = [name for name in names if name in asked or name in beside]
    return found if set(asked) <= set(found) else list(names)


def _tagged(
    job: _Job, reader: ThreadPoolExecutor, parts: Path | None, done: int, progress: Progress
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Rows and tags of each batch; tags found made, or made and kept. Without a folder only what tagging asks for."""
    rows = 0
    for position, batch in enumerate(_ahead(job.table.batches(None if parts else _needed(job)), reader)):
        kept = _part(parts, position) if parts else None
        if kept is not None and position < done:
            tags = pq.read_table(kept)
        else:
            tags = _tags(job, batch)
            if kept is not None:
                _replace(kept, lambda beside, tags=tags: pq.write_table(tags, beside))  # type: ignore[misc]
        if tags.num_rows != batch.rows.num_rows:
            raise DataError(f"{job.table.path.name} changed while it was read.", way_out="Start anew.")
        rows += tags.num_rows
        progress(rows, job.table.rows)
        yield batch.rows, tags
    if not rows:
        types = job.table.types or dict.fromkeys(job.table.names, pa.string())
        empty = pa.table({name: pa.array([], kind) for name, kind in types.items()})
        yield empty, _tags(job, Batch(empty))


def _tags(job: _Job, batch: Batch) -> pa.Table:
    frame = tag_points(batch.rows.select(_needed(job)).to_pandas(), job.index, **job.options)
    columns = {name: _arrow(frame[name]) for name in frame.columns}
    if batch.odd:
        odd = pd.Series(False, index=range(batch.rows.num_rows))
        odd.iloc[list(batch.odd)] = True
        mask = pa.array(odd)
        for name, column in columns.items():
            told = {"state": "unknown", "reason": REASONS[number("row cannot be read") - 1]}.get(name.split("_")[0])
            plain = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            plain = pc.if_else(mask, pa.scalar(told, plain.type), plain)
            columns[name] = plain.dictionary_encode().cast(_TEXTS) if pa.types.is_dictionary(column.type) else plain
    clash = [name for name in columns if name in job.table.names]
    if clash:
        raise DataError(
            f"{job.table.path.name} has columns named as the tags.",
            problems=map(repr, clash),
            way_out="Rename them; was this file tagged before?",
        )
    return pa.table(columns)


_TEXTS = pa.dictionary(pa.int32(), pa.string())


def _arrow(column: pd.Series) -> pa.Array:
    """A column in a type that is the same for every batch."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = pa.array(column.cat.codes.to_numpy(), mask=(column.cat.codes < 0).to_numpy()).cast(pa.int32())
        return pa.DictionaryArray.from_arrays(codes, pa.array(column.cat.categories.astype("str"), pa.string()))
    kind = {"f": pa.float64(), "i": pa.int64()}.get(column.dtype.kind, pa.string())
    return pa.array(column, kind, from_pandas=True)


def _counted(job: _Job, parts: Iterator[pa.Table]) -> dict[str, Any]:
    """Counts of states, bands and reasons, by vintage where there are several."""
    rows = 0
    found: dict[str, dict[str, Counter[str]]] = {}
    for tags in parts:
        rows += tags.num_rows
        for name in tags.column_names:
            kind, _, suffix = name.partition("_")
            if kind in ("state", "band", "reason"):
                values = pc.value_counts(tags[name])
                counter = found.setdefault(suffix, {}).setdefault(kind, Counter())
                counter.update({row["values"]: row["counts"] for row in values.to_pylist() if row["values"]})
    limits = [f"{float(band):g}" for band in job.options["bands"]]
    by_vintage = {
        suffix: {
            "states": {state: counters["state"][state] for state in STATES},
            "bands": {limit: counters.get("band", Counter())[f"within {limit} m"] for limit in limits},
            "reasons": {reason: count for reason in REASONS if (count := counters["reason"][reason])},
        }
        for suffix, counters in sorted(found.items())
    }
    last = list(by_vintage)[-1]
    return {"rows": rows, **by_vintage[last]} | ({"by_vintage": by_vintage} if last else {})


def _written(job: _Job, parts: Path, done: int, target: Path, progress: Progress) -> dict[str, Any]:
    """Write rows and tags beside the target, rename, and give the counts."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as handle:
        beside = Path(handle.name)
    try:
        with (
            _Writer(beside, target.name.lower(), job.table.delimiter) as writer,
            ThreadPoolExecutor(1) as reader,
            ThreadPoolExecutor(1) as hand,
        ):

            def each() -> Iterator[pa.Table]:
                before = hand.submit(lambda: None)
                for rows, tags in _tagged(job, reader, parts, done, progress):
                    # one batch waits at most: memory stays flat
                    before.result()
                    before = hand.submit(writer.write, rows, tags)
                    yield tags
                before.result()

            counts = _counted(job, each())
        os.replace(beside, target)  # noqa: PTH105 - a rename over what is there
    finally:
        beside.unlink(missing_ok=True)
    return counts


class _Writer:
    """Rows and tags into one file, batch after batch."""

    def __init__(self, path: Path, name: str, delimiter: str) -> None:
        self._path, self._name, self._delimiter = path, name, delimiter
        self._writer: Any = None
        self._stream: Any = None

    def __enter__(self) -> Self:
        """Nothing is opened before the columns are known."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the file."""
        for part in (self._writer, self._stream):
            if part is not None:
                part.close()

    def write(self, rows: pa.Table, tags: pa.Table) -> None:
        """Add rows."""
        for name in tags.column_names:
            column = tags[name]
            if self._csv:
                if pa.types.is_dictionary(column.type):
                    column = column.cast(pa.string())
                elif pa.types.is_floating(column.type):
                    column = pc.round(column, _MILLIMETRES)
            rows = rows.append_column(name, column)
        if self._csv:
            rows = pa.table({name: _plain(rows[name]) for name in rows.column_names})
        if self._writer is None:
            self._open(rows.schema)
        self._writer.write_table(rows)

    @property
    def _csv(self) -> bool:
        return not self._name.endswith("parquet")

    def _open(self, schema: pa.Schema) -> None:
        if not self._csv:
            self._writer = pq.ParquetWriter(self._path, schema)
            return
        # closed by __exit__
        self._stream = gzip.open(self._path, "wb") if self._name.endswith(".gz") else self._path.open("wb")  # noqa: SIM115
        options = pacsv.WriteOptions(delimiter=self._delimiter, quoting_style="needed")
        self._writer = pacsv.CSVWriter(self._stream, schema, write_options=options)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column that CSV can hold."""
    kind = column.type
    simple = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_primitive(kind)
    return column if simple else column.cast(pa.string())
