"""Tags of a whole file of points, of any size, in flat memory: its rows again, and what `tag_points` says of each.

The next batch is read and the last one written while one is tagged. The output is written in a hidden folder beside its
place and renamed at the end, so that what stood there before is whole until then. The tags of each batch are kept in
the same folder: a run that was killed can be resumed, and tags only what is left. The output itself is written from its
first row, from the source and the tags that were kept, for a Parquet file cannot be continued.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyproj

from qpvgeo._version import __version__
from qpvgeo.errors import DataError, UsageError, cause_of, judged
from qpvgeo.formats.table_batches import Batch, Table, Whole
from qpvgeo.formats.table_stream import open_table
from qpvgeo.formats.table_writers import SUFFIXES, Sink, open_sink
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.settings import home_expanded
from qpvgeo.tagging.batch_tagger import Tagger
from qpvgeo.tagging.checkpoint import Kept, Parts
from qpvgeo.tagging.counts import TagCounts
from qpvgeo.tagging.file_points import FilePoints
from qpvgeo.tagging.locations import columns_of_points, is_projection
from qpvgeo.tagging.options import Distance, Options
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.tolerance import tolerance_of

__all__ = ["file_problems", "tag_file"]

_REACH_M = 500.0
_ROW_BYTES = 40  # of a short row: an estimate of how many there are
_SHORT = 60

Bools = npt.NDArray[np.bool_]


@judged
def tag_file(  # noqa: PLR0913 - options, form of the points, and how the work is done
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | None,
    qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame] | PerimeterIndex,
    *,
    bands: Sequence[float] = (300, 500),
    distance: Distance = "exact",
    on: Any = None,  # noqa: ANN401 - a date, or its text
    tolerance_m: float | str = 0.0,
    xy: tuple[str, str] | str | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj reads
    commune: str | None = None,
    communes: gpd.GeoDataFrame | None = None,
    layer: str | None = None,
    resume: bool = False,
    safe_csv: bool = False,
    batch_rows: int | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> dict[str, Any]:
    """Tag the points of a file, and write its rows with their tags to another.

    Parameters
    ----------
    source
        CSV (semicolon, comma or tab; UTF-8, UTF-16, cp1252, the encoding of old Macs or of DOS; decimal points or
        commas), the same in gzip, Parquet, GeoParquet (WKB), a layer of points (GeoPackage, GeoJSON, shapefile,
        FlatGeobuf, KML, GML, MapInfo, or a zip of one), or a workbook (`.xlsx`, `.xls`, `.ods`) or `.dbf`.
        Layers and GeoParquet have their own projection; one that a file declares wrongly or not at all is
        settled as by `read_qpv`, and noted.
    output
        File to write: `.csv`, `.csv.gz` or `.parquet`. None only counts. Points of a layer are written as WKT in a CSV,
        in the projection of the layer; Parquet is then GeoParquet.
    qpv
        Perimeters, of one vintage or several (a list of frames), or a `PerimeterIndex` to be used again.
    bands, distance, on, xy, crs, commune, communes
        As for `tag_points`. Columns `lon` and `lat` are found; `x` and `y` of the BAN are not taken by themselves, for
        their projection changes with the territory.
    tolerance_m
        Metres, the name of a column, or `"ban"`, as for `tag_points`.
    layer
        Layer of a file, or sheet of a workbook, that holds the points. By default the only one that does; `notes` name
        the others.
    resume
        Go on with a run of the same source, perimeters and options that was killed.
    safe_csv
        Put an apostrophe before cells of the source that a spreadsheet would run as a formula (`=`, `+`, `-`, `@`, and
        not a number). Columns of tags never hold such cells.
    batch_rows
        Rows tagged together, fewer where those of a CSV are long; None chooses, for flat memory.
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
        The output has no known ending, no folder or is the source (links resolved); options are not understood; columns
        that were named are not there; or the run to go on with had other options: all are listed. Several layers hold
        points and `layer` names none, or one that is not there.
    DataError
        The source is no table, has no coordinates, or has columns named like the tags. No layer holds points: lines and
        polygons are refused, for a point that stands for one is a choice of yours (`.representative_point()`).
    MissingDataError
        There is no such source.
    OutputError
        The output cannot be written, or another run is writing it.

    Notes
    -----
    The output has all columns of the source, then those of `tag_points`. A CSV gets its cells back as they were, in
    UTF-8. A line of a CSV with too few or too many cells stays: its text stands in the first column, its state is
    unknown, its reason `row cannot be read`. So are the lines of a cell that runs over more than 1,000 lines, and a row
    of GeoParquet or of a layer whose shape is not a point (a multipoint of one point is one). A blank line is no row,
    and does not come back. Distances are rounded to the millimetre in a CSV, with decimal commas where most of its
    coordinates have them.

    `notes` says what the counts do not: missing perimeters (`out` is out of those given), most points outside France,
    unusable tolerances, lines that are not UTF-8, the layer that was read of several, a run that could not be resumed.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> found = tag_file(qg.sample().addresses, None, qg.read_qpv(qg.sample().qpv_2024))
    >>> found["rows"] == sum(found["states"].values())
    True
    """
    _require_paths(source=source, output=source if output is None else output)
    target = None if output is None else home_expanded(output)
    options = Options(bands=bands, distance=distance, on=on, tolerance_m=tolerance_m, xy=xy, crs=crs, commune=commune)
    _require([*options.problems(_faults(options)), *file_problems(source, target, resume=resume, rows=batch_rows)])
    table = open_table(source, layer=layer, crs=crs if is_projection(crs) else None, expect=columns_of_points(xy))
    points = FilePoints.of(table, options)
    rows = batch_rows or table.rows
    index = _index(qpv, table, points, options, rows)
    run = _Run(points, options, index, table.path.stat().st_size, communes)
    empty, _ = run.tags(pa.schema([table.schema.field(name) for name in points.columns]).empty_table())
    _require_free(table, empty.schema.names)
    record = provenance.file_record(table.path)
    about = {"read_with": f"qpvgeo {__version__}", "files": [record, *index.files], "fictional": index.fictional}
    tags = empty.schema.with_metadata({provenance.ATTRS_KEY: json.dumps(about)})
    counts, notes = TagCounts(tags.names), [*table.notes, *run.tagger.notes]
    parsed = target is not None and (safe_csv or target.suffix.lower() == ".parquet")
    whole: Whole = "nothing" if target is None else "columns" if parsed else "text"
    batches = table.batches(points.columns, rows, whole)
    if target is None:
        _run(batches, table, lambda _, batch: run.tags(batch.look, batch.bad), None, (counts, progress))
    else:
        question = {"source": record, "perimeters": index.digest, "reach_m": index.reach_m}
        question |= run.plain() | {"batch_rows": rows, "layer": layer, "parts": _parts(table)}
        with Parts(target, question | {"read_with": about["read_with"]}, tags, resume=resume) as parts:
            commas = points.decimal_commas(table)
            with (
                parts.writing(),
                open_sink(parts.output, target.name, table, tags, decimal_commas=commas, safe=safe_csv) as sink,
            ):
                _run(batches, table, partial(_kept, parts, run), sink, (counts, progress))
            parts.finish()
            counts.resumed, notes = parts.resumed, [*notes, *parts.notes]
    return counts.answer(options.limits) | {
        "vintages": list(index.vintages),
        "on": None if on is None else str(on),
        "output": None if target is None else str(target),
        "resumed_rows": counts.resumed,
        "sources": about["files"],
        "notes": [*notes, *counts.notes(points.crs, index.reach_m)],
        "fictional": index.fictional,
    }


def _parts(table: Table) -> list[str]:
    """SHA-256 of the files beside that of the source: the attributes of a shapefile are in another."""
    return [provenance.file_record(part)["sha256"] for part in table.parts if part != table.path]


def _require_paths(**given: Any) -> None:  # noqa: ANN401 - whatever was given
    """Raise when something is not the path of a file."""
    wrong = [
        Note("tagging.not_a_file", name=name, kind=type(value).__name__)
        for name, value in given.items()
        if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes)
    ]
    _require(wrong)


def _require(problems: Sequence[str]) -> None:
    """Raise when there is anything wrong with the options."""
    if problems:
        raise UsageError(Note("tagging.invalid_options"), problems=problems)


def file_problems(
    source: str | os.PathLike[str],
    target: Path | None,
    *,
    resume: bool,
    rows: int | None = None,
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> list[str]:
    """What keeps a file from being tagged into another, in words.

    Parameters
    ----------
    source, target
        File of points, and the output; None only counts.
    resume
        Whether to go on with an earlier run.
    rows
        Rows tagged together.
    inputs
        Other files that are read: the output may be none of them, links resolved.
    """
    problems: list[str] = []
    source = home_expanded(source)
    if target is not None and not target.name:
        problems.append(Note("tagging.output_is_a_folder", output=str(target)))
        target = None
    elif target is not None and (fault := _name_fault(target)):
        problems.append(Note("tagging.output_name", output=f"{target.name[:_SHORT]}...", fault=fault))
        target = None
    elif target is None and resume:
        problems.append(Note("tagging.resume_needs_output"))
    if target is not None and not target.name.lower().endswith(SUFFIXES):
        problems.append(Note("tagging.output_ending", output=target.name, endings=list(SUFFIXES)))
    if target is not None and not target.absolute().parent.is_dir():
        problems.append(Note("tagging.no_output_folder", folder=str(target.parent)))
    if target is not None and target.is_dir():
        problems.append(Note("tagging.output_is_a_folder", output=str(target)))
    if target is not None:
        problems += [
            Note("tagging.output_is_an_input", output=str(target), source=str(one))
            for one in (source, *map(home_expanded, inputs))
            if _same(target, one)
        ]
    if rows is not None and rows < 1:
        problems.append(
            Note("tagging.option_fault", given=f"batch_rows={rows}", fault=Note("tagging.not_a_number_of_rows"))
        )
    return problems


def _same(target: Path, source: Path) -> bool:
    """Whether two paths are one file, through links too."""
    try:
        return target.samefile(source)
    except OSError:
        return False


def _name_fault(target: Path) -> str:
    """What the system has against the names of an output and of the folder beside it; empty for nothing."""
    try:
        target.with_name(f".{target.name}.parts").exists()
    except OSError as error:
        return str(error.strerror)
    except ValueError:
        return Note("tagging.names_no_file")
    return ""


def _faults(options: Options) -> dict[str, str]:
    faults = options.faults()
    if options.tolerance is None and not isinstance(options.tolerance_m, str):
        faults["tolerance_m"] = Note("tagging.not_a_file_tolerance")
    return faults


class _Run:
    """Prepared options and perimeters, applied to each batch of rows."""

    def __init__(self, points: FilePoints, options: Options, index: PerimeterIndex, size: int, communes: Any) -> None:  # noqa: ANN401
        self._points, self._options = points, options
        self.tagger = Tagger.prepare(index, options, expected=size / _ROW_BYTES, communes=communes)

    def plain(self) -> dict[str, Any]:
        """The options as plain JSON values."""
        options = self._options
        return {
            "bands": list(options.limits),
            "distance": options.distance,
            "on": None if options.on is None else str(options.on),
            "tolerance": options.tolerance_m if options.tolerance is None else options.tolerance,
            "columns": list(self._points.columns),
            "commune": options.commune,
            "crs": self._points.crs_column or pyproj.CRS.from_user_input(self._points.crs).to_string(),
        }

    def tags(self, look: pa.Table, bad: Bools | None = None) -> Kept:
        """Tags of some rows, those that cannot be read among them, and their counts."""
        table, found = self._points.coordinates(look, bad)
        tolerance = tolerance_of(table, self._options.tolerance_m, found.index)
        name = self._options.commune
        tagged = self.tagger.tag(found, tolerance, None if name is None else table[name])
        return tagged.batch(), tagged.counted


def _kept(parts: Parts, run: _Run, number: int, batch: Batch) -> Kept:
    """Tags of a batch: those of an earlier run, or made now and kept."""
    return parts.tags(number, len(batch.bad), lambda: run.tags(batch.look, batch.bad))


def _require_free(table: Table, tags: Sequence[str]) -> None:
    """Raise when columns of the source have the names of the tags."""
    taken = [Note("tagging.column", column=name) for name in table.schema.names if name in tags]
    if taken:
        raise DataError(
            Note("tagging.tagged_before", file=table.path.name), problems=taken, way_out=Note("tagging.remove_tags")
        )


def _index(qpv: Any, table: Table, points: FilePoints, options: Options, rows: int) -> PerimeterIndex:  # noqa: ANN401
    """The index given, or one of the perimeters, as wide as the farthest distance asked for."""
    if isinstance(qpv, PerimeterIndex):
        return qpv
    return PerimeterIndex(qpv, reach_m=_reach(table, points, options, rows))


def _reach(table: Table, points: FilePoints, options: Options, rows: int) -> float:
    """Greatest distance that will be asked for."""
    known = [_REACH_M, options.needed]
    if points.tolerance is not None:
        for batch in table.batches([points.tolerance], rows, "nothing"):
            look = batch.look.to_pandas()
            known.append(tolerance_of(look, points.tolerance, look.index).widest)
    return max(known)


def _run(
    batches: Iterator[Batch],
    table: Table,
    tag: Callable[[int, Batch], Kept],
    sink: Sink | None,
    told: tuple[TagCounts, Callable[[int, float], None] | None],
) -> None:
    """Tag batch after batch, while the next is read and the last is written."""
    counts, progress = told
    with ThreadPoolExecutor(2) as pool:
        coming: Future[Batch | None] = pool.submit(_next, batches, table)
        writing: Future[None] | None = None
        number = 0
        while (batch := coming.result()) is not None:
            coming = pool.submit(_next, batches, table)
            tags, counted = tag(number, batch)
            counts.add(tags, counted)
            counts.old_lines += batch.old_lines
            if writing is not None:
                writing.result()
            writing = None if sink is None else pool.submit(sink.write, batch.whole, tags)
            number += 1
            if progress is not None:
                progress(counts.rows, batch.share)
        if writing is not None:
            writing.result()


def _next(batches: Iterator[Batch], table: Table) -> Batch | None:
    """Next batch; None at the end."""
    try:
        return next(batches, None)
    except OSError as error:
        raise DataError(
            Note("formats.not_to_its_end", file=table.path.name, cause=cause_of(error)),
            way_out=Note("formats.get_again"),
        ) from error
