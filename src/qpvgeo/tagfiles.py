"""Tags of a whole file of points, of any size, in flat memory: its rows again, and what `tag_points` says of each.

The next batch is read and the last one written while one is tagged. The output is written in a hidden folder beside its
place and renamed at the end, so that what stood there before is whole until then. The tags of each batch are kept in
the same folder: a run that was killed can be taken up, and tags only what is left. The output itself is written anew
from the source and the tags that were kept, for a Parquet file cannot be continued.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

import qpvgeo
from qpvgeo import schema
from qpvgeo.errors import DataError, UsageError
from qpvgeo.perimeter import PerimeterIndex
from qpvgeo.places import coordinate_columns
from qpvgeo.read.batches import Batch, Table, Whole, open_table
from qpvgeo.sinks import SUFFIXES, Sink, open_sink
from qpvgeo.tagging import BAN_SCORES, BAN_TYPES, STATES, Distance, tag_points

__all__ = ["tag_file"]

_BAD = "row cannot be read"
_WIDE = ("qpv_code", "also_in", "nearest_qpv")
_REACH_M = 500.0


def tag_file(  # noqa: PLR0913 - what is asked, how the points are given, and how the work is done
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | None,
    qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame] | PerimeterIndex,
    *,
    bands: Sequence[float] = (300, 500),
    distance: Distance = "exact",
    on: Any = None,  # noqa: ANN401 - a date, or its text
    tolerance_m: float | str = 0.0,
    xy: tuple[str, str] | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj reads
    resume: bool = False,
    batch_rows: int | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> dict[str, Any]:
    """Tag the points of a CSV or Parquet file, and write its rows with their tags to another.

    Parameters
    ----------
    source
        CSV (semicolon, comma or tab; UTF-8 or cp1252; decimal points or commas), the same in gzip, or Parquet.
    output
        File to write: `.csv`, `.csv.gz` or `.parquet`. None only counts.
    qpv
        Perimeters, of one vintage or several (a list of frames), or a `PerimeterIndex` to be used again.
    bands, distance, on, xy, crs
        As for `tag_points`. Columns `lon` and `lat` are found; `x` and `y` of the BAN are not taken by themselves, for
        their projection changes with the territory.
    tolerance_m
        Metres, the name of a column, or `"ban"`, as for `tag_points`; a cell that is no distance means too coarse.
    resume
        Go on with a run of the same source, perimeters and options that was killed.
    batch_rows
        Rows tagged together; None chooses, for flat memory.
    progress
        Called after each batch with the number of rows done and the share of the source read.

    Returns
    -------
    dict
        `rows`; `states` (`in`, `out`, `unknown`), `bands` (points outside whose class is that band: those counted
        within 300 m are not counted again within 500 m) and `reasons` of the unknown, as counts; `vintages`, `on`,
        `output`, `resumed_rows` (rows whose tags were kept from before), `sources`, `notes`, `fictional`. Several
        vintages without `on` add `by_vintage`, states, bands and reasons of each; the counts above are then the last.

    Raises
    ------
    UsageError
        The output has no known ending, no folder or is the source; options are not understood; or the run to go on
        with had other ones: all are listed.
    DataError
        The source is no table, has no coordinates, or has columns named like the tags.

    Notes
    -----
    The output has all columns of the source, then those of `tag_points`. A CSV gets its cells back as they were, in
    UTF-8. A line of a CSV with too few or too many cells stays: its text stands in the first column, its state is
    unknown, its reason `row cannot be read`. Distances are rounded to the millimetre in a CSV.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> found = tag_file(qg.sample().addresses, None, qg.read_qpv(qg.sample().qpv_2024))
    >>> found["rows"] == sum(found["states"].values())
    True
    """
    target = None if output is None else Path(output).expanduser()
    _require(Path(source), target, resume=resume, batch_rows=batch_rows)
    table = open_table(source)
    asked = _Asked(tuple(bands), distance, on, tolerance_m, _axes(table, xy), crs if xy or crs else 4326)
    rows = batch_rows or table.rows
    index = qpv if isinstance(qpv, PerimeterIndex) else PerimeterIndex(qpv, reach_m=_reach(asked, table, rows))
    empty = _arrow(asked.tags(_none_of(table, asked.look(table)), index))
    _require_free(table, empty.schema.names)
    record = schema.file_record(table.path)
    about = {"read_with": f"qpvgeo {qpvgeo.__version__}", "files": [record, *index.files], "fictional": index.fictional}
    tags = empty.schema.with_metadata({schema.ATTRS_KEY: json.dumps(about)})
    counts = _Counts(tags.names)
    whole: Whole = "nothing" if target is None else "text" if target.suffix.lower() != ".parquet" else "columns"
    batches = table.batches(asked.look(table), rows, whole)
    if target is None:
        _run(batches, lambda _, batch: _tagged(batch, asked, index), None, counts, progress)
    else:
        question = {"source": record, "perimeters": index.digest, **asked.plain(), "batch_rows": rows}
        parts = _Parts(target, question | {"read_with": about["read_with"]}, resume=resume)
        with open_sink(parts.output, target.name, table, tags) as sink:
            _run(batches, lambda number, batch: parts.tags(number, batch, asked, index), sink, counts, progress)
        parts.finish(target)
        counts.resumed = parts.resumed
    return counts.answer(asked.bands) | {
        "vintages": list(index.vintages),
        "on": None if on is None else str(on),
        "output": None if target is None else str(target),
        "resumed_rows": counts.resumed,
        "sources": about["files"],
        "notes": index.notes,
        "fictional": index.fictional,
    }


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked about each row."""

    bands: tuple[float, ...]
    distance: Distance
    on: Any
    tolerance: float | str
    xy: tuple[str, str]
    crs: Any

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "bands": [float(band) for band in self.bands],
            "distance": self.distance,
            "on": None if self.on is None else str(self.on),
            "tolerance": self.tolerance,
            "xy": list(self.xy),
            "crs": str(self.crs),
        }

    @property
    def column(self) -> str | None:
        """Column of tolerances."""
        return self.tolerance if isinstance(self.tolerance, str) and self.tolerance != "ban" else None

    def look(self, table: Table) -> list[str]:
        """Columns that the answer depends on."""
        names = [*self.xy, *([self.column] if self.column else [])]
        if self.tolerance == "ban":
            names += [name for name in (*BAN_TYPES, *BAN_SCORES) if name in table.schema.names]
        missing = [f"no column {name!r}" for name in dict.fromkeys(names) if name not in table.schema.names]
        if missing:
            raise DataError(
                f"{table.path.name} lacks columns.",
                problems=missing,
                way_out=f"Its columns are: {', '.join(table.schema.names)}.",
            )
        return list(dict.fromkeys(names))

    def tags(self, look: pa.Table, index: PerimeterIndex) -> pd.DataFrame:
        """Tags of some rows."""
        for name in self.xy:
            look = look.set_column(look.schema.names.index(name), name, _numbers(look[name]))
        points = look.to_pandas()
        tolerance = _metres(points[self.column]) if self.column else self.tolerance
        return tag_points(
            points,
            index,
            bands=self.bands,
            distance=self.distance,
            on=self.on,
            tolerance_m=tolerance,
            xy=self.xy,
            crs=self.crs,
        )


def _require(source: Path, target: Path | None, *, resume: bool, batch_rows: int | None) -> None:
    problems = []
    if target is not None and not target.name.lower().endswith(SUFFIXES):
        problems.append(f"the output {target.name} ends in none of {', '.join(SUFFIXES)}")
    if target is not None and not target.absolute().parent.is_dir():
        problems.append(f"there is no folder {target.parent} for the output")
    if target is not None and target.is_dir():
        problems.append(f"the output {target} is a folder")
    if target is not None and target.exists() and source.exists() and target.samefile(source):
        problems.append("the output is the source: the rows would be written over themselves")
    if resume and target is None:
        problems.append("resuming needs the output of the run to go on with")
    if batch_rows is not None and batch_rows < 1:
        problems.append(f"batch_rows={batch_rows} is no number of rows")
    if problems:
        raise UsageError("The file cannot be tagged so.", problems=problems)


def _axes(table: Table, xy: tuple[str, str] | None) -> tuple[str, str]:
    """Columns of the coordinates, eastwards first."""
    found = xy or coordinate_columns(table.schema.names)
    if found is None:
        raise DataError(
            f"{table.path.name} has no columns of longitude and latitude.",
            problems=[f"column {name!r}" for name in table.schema.names],
            way_out="Name them, eastwards first, with their projection: --x x --y y --crs 2154 on the command line, "
            'xy=("x", "y"), crs=2154 in Python.',
        )
    return found


def _require_free(table: Table, tags: Sequence[str]) -> None:
    """Raise when columns of the source have the names of the tags."""
    taken = [f"column {name!r}" for name in table.schema.names if name in tags]
    if taken:
        raise DataError(
            f"{table.path.name} already has columns named like the tags.",
            problems=taken,
            way_out="Rename or remove them: the file may have been tagged before.",
        )


def _reach(asked: _Asked, table: Table, rows: int) -> float:
    """Greatest distance that will be asked for."""
    known = [float(band) for band in asked.bands if isinstance(band, int | float) and np.isfinite(band) and band > 0]
    if isinstance(asked.tolerance, int | float) and np.isfinite(asked.tolerance):
        known.append(max(float(asked.tolerance), 0.0))
    if asked.column:
        asked.look(table)
        for batch in table.batches([asked.column], rows, "nothing"):
            metres = _metres(batch.look.to_pandas()[asked.column]).to_numpy()
            known.append(float(metres[np.isfinite(metres)].max(initial=0.0)))
    return max([_REACH_M, *known])


def _none_of(table: Table, names: Sequence[str]) -> pa.Table:
    return pa.schema([table.schema.field(name) for name in names]).empty_table()


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text as numbers where every cell is one or empty; what else there is, is read cell by cell later."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    try:
        return pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())
    except pa.ArrowInvalid:
        return column


def _metres(column: pd.Series) -> pd.Series:
    """Tolerances of a column; missing for what is no distance."""
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column.astype("str").str.strip().str.replace(",", ".", regex=False), errors="coerce")
    metres = column.astype("float64")
    return metres.where(metres >= 0)


def _tagged(batch: Batch, asked: _Asked, index: PerimeterIndex) -> pa.RecordBatch:
    frame = asked.tags(batch.look, index)
    if batch.bad.any():
        for name in frame.columns[frame.columns.str.match("reason")]:
            frame.loc[batch.bad, name] = _BAD
    return _arrow(frame)


def _arrow(frame: pd.DataFrame) -> pa.RecordBatch:
    """Tags as Arrow columns whose types do not depend on the rows."""
    columns = []
    for name, column in frame.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            kind = np.int32 if str(name).startswith(_WIDE) else np.int8
            places = column.cat.codes.to_numpy().astype(kind)
            labels = pa.array(column.cat.categories, pa.string())
            found = pa.array(places, mask=places < 0)
            columns.append(pa.DictionaryArray.from_arrays(found, labels, ordered=column.cat.ordered))
        else:
            kinds = {"also_in": pa.string(), "distance_m": pa.float64(), "vintage": pa.int64()}
            wanted = next(kind for start, kind in kinds.items() if str(name).startswith(start))
            columns.append(pa.array(column.array, wanted, from_pandas=True))
    return pa.RecordBatch.from_arrays(columns, names=[str(name) for name in frame.columns])


def _run(
    batches: Iterator[Batch],
    tag: Callable[[int, Batch], pa.RecordBatch],
    sink: Sink | None,
    counts: "_Counts",
    progress: Callable[[int, float], None] | None,
) -> None:
    """Tag batch after batch, while the next is read and the last is written."""
    with ThreadPoolExecutor(2) as pool:
        coming: Future[Batch | None] = pool.submit(next, batches, None)
        writing: Future[None] | None = None
        number = 0
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            tags = tag(number, batch)
            counts.add(tags)
            if writing is not None:
                writing.result()
            writing = None if sink is None else pool.submit(sink.write, batch.whole, tags)
            number += 1
            if progress is not None:
                progress(counts.rows, batch.share)
        if writing is not None:
            writing.result()


class _Parts:
    """Folder of what a run has done so far: the question it answers, the tags of each batch, the output begun."""

    def __init__(self, target: Path, question: dict[str, Any], *, resume: bool) -> None:
        self.folder = target.with_name(f".{target.name}.parts")
        self.output = self.folder / "output"
        self.resumed = 0
        state = self.folder / "state.json"
        if resume and state.exists():
            self._require_same(json.loads(state.read_text(encoding="utf-8")), question, target)
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        _replace(state, lambda beside: beside.write_text(json.dumps(question), encoding="utf-8"))

    @staticmethod
    def _require_same(before: dict[str, Any], now: dict[str, Any], target: Path) -> None:
        changed = [
            f"{name}: {json.dumps(before.get(name))}, now {json.dumps(now.get(name))}"
            for name in dict.fromkeys([*before, *now])
            if before.get(name) != now.get(name)
        ]
        if changed:
            raise UsageError(
                f"The run that was to write {target.name} was another one.",
                problems=changed,
                way_out="Run it as it was, or start again without --resume (resume=False).",
            )

    def tags(self, number: int, batch: Batch, asked: _Asked, index: PerimeterIndex) -> pa.RecordBatch:
        """Tags of a batch: those kept from before, or new ones, then kept."""
        part = self.folder / f"{number:06d}.arrow"
        if part.exists():
            try:
                with pa.ipc.open_file(pa.BufferReader(part.read_bytes())) as reader:
                    kept = reader.get_batch(0)
            except (pa.ArrowInvalid, OSError):  # cut short by a failure of the machine
                kept = None
            if kept is not None and kept.num_rows == len(batch.bad):
                self.resumed += kept.num_rows
                return kept
        tags = _tagged(batch, asked, index)

        def write(beside: Path) -> None:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.ipc.new_file(beside, tags.schema, options=options) as writer:
                writer.write_batch(tags)

        _replace(part, write)
        return tags

    def finish(self, target: Path) -> None:
        """Put the output in its place."""
        os.replace(self.output, target)  # noqa: PTH105 - a rename over what is there
        shutil.rmtree(self.folder)


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside, then rename."""
    beside = path.with_name(f"{path.name}.new")
    write(beside)
    os.replace(beside, path)  # noqa: PTH105 - a rename over what is there


class _Counts:
    """How many rows have which tags."""

    def __init__(self, names: Sequence[str]) -> None:
        self.rows = self.resumed = 0
        self.suffixes = [name.removeprefix("state") for name in names if name.startswith("state")]
        self.of = {name: dict[str, int]() for name in names if name.startswith(("state", "reason", "band"))}

    def add(self, tags: pa.RecordBatch) -> None:
        """Count some rows more."""
        self.rows += tags.num_rows
        for name, counts in self.of.items():
            column = tags.column(name)
            places = column.indices.drop_null().to_numpy()
            found = np.bincount(places, minlength=len(column.dictionary)).tolist()
            for label, count in zip(column.dictionary.to_pylist(), found, strict=True):
                if count:
                    counts[label] = counts.get(label, 0) + count

    def answer(self, bands: Sequence[float]) -> dict[str, Any]:
        """Counts by state, band and reason: those of the last vintage, and of each where there are several."""
        each = {suffix: self._one(suffix, bands) for suffix in self.suffixes}
        found = {"rows": self.rows, **each[self.suffixes[-1]]}
        if len(each) > 1:
            found["by_vintage"] = {suffix.removeprefix("_"): counts for suffix, counts in each.items()}
        return found

    def _one(self, suffix: str, bands: Sequence[float]) -> dict[str, Any]:
        states, reasons = self.of[f"state{suffix}"], self.of[f"reason{suffix}"]
        within = self.of.get(f"band{suffix}", {})
        return {
            "states": {state: states.get(state, 0) for state in STATES},
            "bands": {f"{band:g}": within.get(f"within {band:g} m", 0) for band in bands},
            "reasons": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        }
