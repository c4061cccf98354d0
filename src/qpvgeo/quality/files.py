"""Judge a file before anything is computed from it: every record is looked at, a broken one is named by its number.

Files of outlines are streamed feature by feature, so that one bad record does not hide the others; tables are read by
the reader they belong to. Nothing is changed.
"""

import os
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import fiona
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
import shapely.geometry

from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, MissingDataError, QpvgeoError, judged
from qpvgeo.formats import dbf_tables, folder_walk, text_tables, vector_layers
from qpvgeo.formats.reader_errors import foreign
from qpvgeo.geometry.projection import reproject, territory_of
from qpvgeo.geometry.validity import collapsed_as_lines, judge
from qpvgeo.language import Note
from qpvgeo.quality import perimeters
from qpvgeo.read.communes.epci import read_epci
from qpvgeo.read.communes.events import read_commune_events
from qpvgeo.read.communes.reader import read_communes
from qpvgeo.read.correspondence import read_correspondence
from qpvgeo.read.grid.reader import read_grid
from qpvgeo.read.population import read_population
from qpvgeo.read.qpv_layers import read_piece, read_placed
from qpvgeo.settings import home_expanded
from qpvgeo.sources import file_content, known_tables

__all__ = ["Finding", "Report", "examine"]

_LONGEST = 300
_MOST_CELLS = 100_000  # a national grid is not read twice
_ONLY_OUTLINES = (".shp", ".gpkg", ".fgb", ".geojson")
_AREA = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a file.

    Attributes
    ----------
    code
        QPV (or pair of QPV) concerned; None when it is the file.
    row
        Number of the record, from 1; None when it is the file.
    level
        `error`: the record or the file cannot be used as it is; `warning`: reading settles it, as `action` says.
    problem, action
        What is wrong, and what to do or what reading does about it.
    """

    code: str | None
    row: int | None
    level: str
    problem: str
    action: str


@dataclass(slots=True)
class Report:
    """What a file is and what is wrong with it.

    Attributes
    ----------
    file
        Its name, with the member of an archive.
    kind
        `perimeters`, `outlines` (of something else), `points`, a kind of table, or `unknown`.
    features
        How many records were read.
    findings
        The gravest first.
    """

    file: str
    kind: str
    features: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the file can be used: it has no error."""
        return not any(finding.level == "error" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "file": self.file,
            "kind": self.kind,
            "features": self.features,
            "findings": [asdict(finding) for finding in self.findings],
        }


@judged
def examine(path: str | os.PathLike[str]) -> list[Report]:
    """Judge a file, an archive or a folder.

    Parameters
    ----------
    path
        Shapefile, GeoJSON, GeoPackage, GeoParquet, CSV, xls, xlsx, a zip of them, or a folder of such files.

    Returns
    -------
    list of Report
        One for each layer of outlines and each table. A file that is none of the known kinds gets a report that says
        so.

    Raises
    ------
    MissingDataError
        There is nothing at that path.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> report = examine(qg.sample().qpv_2015)[0]
    >>> report.ok, report.features, [(found.row, found.code) for found in report.findings]
    (True, 14, [(8, 'QP099008')])
    """
    place = home_expanded(path)
    try:
        mode = place.stat().st_mode
    except OSError as error:
        # a link that leads nowhere has a name
        if isinstance(error, FileNotFoundError | NotADirectoryError) and not place.is_symlink():
            missing = Note("quality.no_file", path=str(place))
            raise MissingDataError(missing, way_out=Note("quality.check_path")) from None
        return [_alone(place, "error", _unreadable(error), Note("quality.check_access"))]
    if stat.S_ISDIR(mode):
        return _of_folder(place)
    if not stat.S_ISREG(mode):
        return [_alone(place, "warning", Note("quality.not_a_file"), Note("quality.skipped"))]
    try:
        return _examined(place)
    except QpvgeoError as error:
        return [Report(_printable(place), "unknown", findings=list(_from_error(error)))]
    except Exception as error:  # noqa: BLE001 - whatever a library says of a damaged file, the others are judged
        way_out = Note("quality.check_access" if isinstance(error, PermissionError) else "quality.copy")
        return [_alone(place, "error", _unreadable(error), way_out)]


def _of_folder(folder: Path) -> list[Report]:
    """Reports of the files of a folder, of what in it cannot be looked at, and of links that are not followed."""
    walked = folder_walk.walk(folder)
    named = sorted(one for one in (*walked.files, *walked.others) if one.suffix.lower() in file_content.SUFFIXES)
    reports = []
    for file in (file for file in named if not dbf_tables.is_part(file)):
        with suppress(MissingDataError):  # it is gone since the folder was listed
            reports += [_lenient(report) for report in examine(file)]
    access = Note("quality.check_access")
    reports += [_alone(place, "error", _unreadable(error), access) for place, error in walked.closed]
    link, way_out = Note("quality.link_to_folder"), Note("quality.name_the_folder")
    return reports + [_alone(place, "warning", link, way_out) for place in walked.links]


def _alone(place: Path, level: str, problem: str, action: str) -> Report:
    """Report of what cannot be looked into, with the one reason."""
    return Report(_printable(place), "unknown", findings=[Finding(None, None, level, problem, action)])


def _unreadable(error: Exception) -> Note:
    if isinstance(error, OSError) and error.strerror:
        return Note("quality.unreadable", cause=error.strerror)
    return Note("quality.unreadable", cause=" ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST])


def _examined(place: Path) -> list[Report]:
    """Reports of the layers of a file, else of its table."""
    reports = []
    if vector_layers.holds_outlines(place):
        reports = [_outlines(layer) for layer in vector_layers.layers(place)]
    if not reports and place.suffix.lower() in _ONLY_OUTLINES:
        raise DataError(Note("quality.no_layer", file=place.name), way_out=Note("quality.copy"))
    return reports or [_table(place)]


def _printable(path: Path) -> str:
    """Name of a file, which old archives may have written in another encoding than UTF-8."""
    return path.name.encode("utf-8", "backslashreplace").decode()


def _lenient(report: Report) -> Report:
    """In a folder a file that is not ours is no fault."""
    if report.kind == "unknown":
        report.findings = [
            replace(one, level="warning") if getattr(one.problem, "key", "") == "quality.unknown_file" else one
            for one in report.findings
        ]
    return report


def _from_error(error: QpvgeoError) -> Iterator[Finding]:
    message = str(error).splitlines()[0]
    for problem in error.problems or (message,):
        yield Finding(None, None, "error", problem, error.way_out)


def _table(path: Path) -> Report:
    """Judge a table by reading it as what it is."""
    found = next(iter(file_content.judge(path)), None)
    if found is None:
        if file_content.is_published_name(path):
            text_tables.read_table(path)  # says how it is damaged, when it is
        return Report(
            path.name,
            "unknown",
            findings=[Finding(None, None, "error", Note("quality.unknown_file"), Note("quality.see_datasets"))],
        )
    report = Report(path.name, found.kind)
    try:
        frame = _READERS.get(found.kind, text_tables.read_table)(path)
    except QpvgeoError as error:
        # several years or columns of people in one table: the file is sound, and the caller has a choice to make
        level = "warning" if error.key in _CHOICES else "error"
        report.findings += [replace(finding, level=level) for finding in _from_error(error)]
        if level == "warning":
            report.features = len(text_tables.read_table(path))
        return report
    report.features = len(frame)
    notes = frame.attrs.get("qpvgeo", {}).get("notes", [])
    report.findings += [Finding(None, None, "warning", note, Note("quality.done_when_read")) for note in notes]
    return report


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "population": read_population,
    "population by commune": partial(read_population, level="qpv_commune"),
    "communes population": partial(read_population, level="commune", arrondissements="keep"),
    "communes table": read_communes,
    "commune events": read_commune_events,
    "correspondence": read_correspondence,
    "epci": read_epci,
    "ept": read_epci,
}

_CHOICES = {
    *("read.several_years", "read.no_year", "read.several_populations", "read.several_code_columns"),
    *("grid.several_tables", "grid.no_people", "grid.cannot_be_opened"),
}
"""Errors that leave a choice to the caller: the file is sound."""


def _outlines(layer: vector_layers.Layer) -> Report:
    """Judge a layer record by record, then the whole of its sound records."""
    column = None if vector_layers.is_thin(layer) else known_tables.qpv_column_of(layer)
    found = file_content.judge_layer(layer)
    kind = "points" if "Point" in layer.shape else found.kind if found else "perimeters" if column else "outlines"
    report = Report(layer.label, kind)
    crs, notes = _crs(layer, report, column)
    report.findings += [Finding(None, None, "warning", note, "read so") for note in notes]
    drawn: list[tuple[int, str, Any]] = []
    announced = layer.features
    for row, code, shape, problem in _records(layer, column):
        report.features += 1
        report.findings += _judge(row, code, shape, problem, column)
        if shape is not None and not shape.is_empty and not problem:
            drawn.append((row, code or "", shape))
    if report.features < announced:
        text = Note("quality.records_announced", announced=int(announced), read=int(report.features))
        report.findings.append(Finding(None, None, "error", text, Note("quality.copy")))
    report.findings += _invalid(drawn, crs, perimeters=bool(column))
    if column and crs is not None and drawn:
        report.findings += _together(drawn, crs)
    report.findings += _refused(layer, kind) if report.ok else ()
    report.findings.sort(key=lambda finding: (finding.level != "error", finding.row is None, finding.row or 0))
    return report


def _refused(layer: vector_layers.Layer, kind: str) -> Iterator[Finding]:
    """What the reader of the layer refuses, when nothing was found wrong with any record."""
    try:
        if kind == "perimeters":
            read_piece(layer, repair=False)
        elif kind == "grid" and layer.features <= _MOST_CELLS:
            read_grid(layer.path, layer=layer.name or layer.member, keep=())
        elif kind == "communes" and known_tables.commune_column_of(layer):
            read_communes(layer.path, layer=layer.name or layer.member)
        else:
            vector_layers.require_whole(layer)
    except QpvgeoError as error:
        # a grid that is sound may still need a choice or a name: that is for the caller to say
        if kind != "grid" or error.key not in _CHOICES:
            yield from _from_error(error)


def _crs(layer: vector_layers.Layer, report: Report, column: str | None) -> tuple[Any, list[str]]:
    """Projection of the layer, as its reader settles it; None, with an error in the report, when it cannot."""
    try:
        declared, bounds = vector_layers.extent(layer)
        return vector_layers.settle_crs(declared, bounds, where=layer.label)
    except DataError as error:
        with suppress(QpvgeoError):
            frame, notes = read_placed(layer, column)
            return frame.crs, notes
        report.findings += _from_error(error)
        return None, []


def _records(layer: vector_layers.Layer, column: str | None) -> Iterator[tuple[int, str | None, Any, str]]:
    """Record by record: number from 1, code, outline, and what kept the outline from being read."""
    if layer.is_parquet or layer.is_table:
        frame, _ = vector_layers.read(layer)
        given = frame[column] if column else pd.Series([None] * len(frame), index=frame.index)
        for row, (code, shape) in enumerate(zip(given, frame.geometry, strict=True), start=1):
            yield row, code, shape, ""
        return
    if layer.suffix not in (".shp", ".gpkg", ".fgb"):
        yield from _features(layer, column)
        return
    with fiona.open(layer.dataset, layer=layer.name, encoding=layer.encoding) as source:
        records = iter(source)
        for row in range(1, layer.features + 1):
            try:
                record = next(records)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 - whatever GDAL says of this record, the next ones are read
                yield row, None, None, Note("quality.bad_record", cause=str(error))
                continue
            code = record.properties.get(column) if column else None
            try:
                shape = shapely.geometry.shape(record.geometry) if record.geometry else None
            except (TypeError, ValueError, shapely.errors.ShapelyError) as error:
                yield row, code, None, Note("quality.bad_outline", cause=str(error))
                continue
            yield row, code, shape, ""


def _features(layer: vector_layers.Layer, column: str | None) -> Iterator[tuple[int, str | None, Any, str]]:
    """The same for GeoJSON: fiona fails on a record when a property is a number in one and text in another."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL warns of outlines it cannot read; they come out missing
        with foreign(layer.label):
            _, _, shapes, given = pyogrio.raw.read(layer.dataset, layer=layer.name, columns=[column] if column else [])
    told = given[0] if column else [None] * len(shapes)
    for row, (code, shape) in enumerate(zip(told, shapes, strict=True), start=1):
        try:
            yield row, code, shapely.from_wkb(shape), ""
        except shapely.errors.ShapelyError as error:
            yield row, code, None, Note("quality.bad_outline", cause=str(error))


def _judge(row: int, code: str | None, shape: Any, problem: str, column: str | None) -> Iterator[Finding]:  # noqa: ANN401
    """What is wrong with one record."""
    named = str(code).strip() if code is not None else None
    if problem:
        yield Finding(named, row, "error", problem, Note("quality.other_copy"))
    elif (shape is None or shape.is_empty) and column and pd.isna(official.clean(pd.Series([code]), "qpv").codes[0]):
        yield Finding(named, row, "warning", Note("quality.empty_row"), Note("quality.left_out"))
        return
    elif shape is None or shape.is_empty:
        yield Finding(named, row, "error", Note("quality.without_outline"), Note("quality.other_copy"))
    if column and official.vintage_of(named or "") is None:
        cleaned = official.clean(pd.Series([code]), "qpv")
        if pd.isna(cleaned.codes[0]):
            text = Note("quality.not_qpv_code", code=repr(named)) if code else Note("quality.no_code")
            yield Finding(named, row, "error", text, Note("quality.correct_code"))
        else:
            yield Finding(
                cleaned.codes[0],
                row,
                "warning",
                Note("quality.code_written", code=repr(code)),
                Note("quality.read_as", code=cleaned.codes[0]),
            )


def _invalid(drawn: list[tuple[int, str, Any]], crs: Any, *, perimeters: bool) -> Iterator[Finding]:  # noqa: ANN401
    """Outlines that are not valid where they are measured, as `qpvgeo.repair` finds them."""
    if not perimeters:
        drawn = [one for one in drawn if shapely.get_dimensions(one[2]) == _AREA]
    shapes = collapsed_as_lines(np.array([shape for _, _, shape in drawn], dtype=object))
    place = np.full(len(shapes), None, dtype=object) if crs is None else territory_of(shapes, crs)
    for code in dict.fromkeys(place):
        shapes[place == code] = (
            shapes[place == code] if code is None else reproject(shapes[place == code], crs, territories.get(code).epsg)
        )
    found = judge(shapes)
    for at, (reason, why) in enumerate(zip(found.reasons, found.why(), strict=True)):
        row, named, shape = drawn[found.rows[at]]
        if found.bare[at]:
            if perimeters and shape.geom_type in ("Polygon", "MultiPolygon"):
                # simplification collapses small outlines: `qpvgeo.read_qpv` keeps the QPV, and says so
                yield Finding(named.strip() or None, row, "warning", Note("quality.no_area"), Note("quality.kept_bare"))
                continue
            flat = Note("quality.no_area_kind", kind=shape.geom_type)
            yield Finding(named.strip() or None, row, "error", flat, Note("quality.other_copy"))
        elif found.lost[at]:
            yield Finding(named.strip() or None, row, "error", why, Note("quality.other_copy"))
        else:
            text, done = Note("quality.invalid", reason=reason), Note("quality.made_valid")
            yield Finding(named.strip() or None, row, "warning", text, done)


def _together(sound: list[tuple[int, str, Any]], crs: Any) -> Iterator[Finding]:  # noqa: ANN401
    """What only shows between records: places, duplicates, overlaps, slivers, counts."""
    numbers = [row for row, _, _ in sound]
    given = pd.Series([code for _, code, _ in sound])
    cleaned = official.clean(given, "qpv").codes
    index = cleaned.where(cleaned.notna(), given).astype("str")
    frame = gpd.GeoDataFrame(geometry=[shape for _, _, shape in sound], index=pd.Index(index), crs=crs)
    lie_in = territory_of(frame.geometry.to_numpy(), crs)
    said = official.classify_qpv(index)["territory"].to_numpy()
    for row, code, place, expected in zip(numbers, index, lie_in, said, strict=True):
        if pd.notna(expected) and expected not in (place, territories.SAMPLE):
            text = (
                Note("quality.outline_elsewhere", territory=expected, place=place)
                if place
                else Note("quality.outline_nowhere", territory=expected)
            )
            yield Finding(code, row, "error", text, Note("quality.check_axes"))
    inside = [place is not None for place in lie_in]
    numbers = [row for row, placed in zip(numbers, inside, strict=True) if placed]
    kept = frame[inside]
    found = perimeters.check(kept)
    # codes and outlines were judged record by record; that both geographies are there only shows here
    told = found["kind"].isin(["invalid", "no outline"]) | ((found["kind"] == "code") & found["code"].notna())
    for finding in found[~told].itertuples():
        number = None if pd.isna(finding.row) else numbers[int(finding.row)]
        code = None if pd.isna(finding.code) else str(finding.code)
        problem = finding.problem
        if finding.kind == "duplicate":  # `check` counts rows of the frame, from 0
            records = ", ".join(str(row) for row, other in zip(numbers, kept.index, strict=True) if other == code)
            problem = Note("quality.several_records", records=str(records))
        yield Finding(
            code,
            number,
            finding.level,
            Note("quality.kind_of_problem", kind=finding.kind, problem=problem),
            finding.action,
        )
