"""Frames written as files: CSV for any spreadsheet, Parquet, JSON, workbooks and, where there is geometry, layers.

Files are written whole or not at all. A CSV in French is what a French spreadsheet opens at a double click: semicolons,
decimal commas, UTF-8 with a byte order mark.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qpvgeo.errors import DataError, OutputError, UsageError, judged
from qpvgeo.formats.atomic_write import refuse_inputs, rename, replace, writing
from qpvgeo.formats.cells import harmless
from qpvgeo.formats.column_units import unit_of
from qpvgeo.formats.gdal import gdal
from qpvgeo.formats.qgis_style import add_style, qml
from qpvgeo.formats.reader_errors import cause_of
from qpvgeo.frames.interchange import speaks_arrow, table_of
from qpvgeo.frames.provenance import ATTRS_KEY
from qpvgeo.geometry.projection import DEGREES
from qpvgeo.language import Note
from qpvgeo.language.numbers import LANGUAGES

__all__ = ["LAYERS", "SUFFIXES", "write_frame"]

LAYERS = (".gpkg", ".geojson")
"""Endings of the files that need geometry."""

SUFFIXES = (".csv", ".parquet", ".json", ".xlsx", *LAYERS)
"""Endings of the files that can be written: they say the form."""

_SYMBOLS = {"Point": "marker", "MultiPoint": "marker", "LineString": "line", "MultiLineString": "line"}
"""Symbol of QGIS for each kind of geometry that is not an area."""

_PANDAS, _PANDAS_ATTRS = b"pandas", b"PANDAS_ATTRS"
_NUMBER_FORMATS = {
    "0 to 1": "0.0%",
    "km²": "0.00",
    "ha": "0.0",
    **dict.fromkeys(("people", "households", "QPV", "m²", "EUR"), "#,##0"),
}
"""Formats of the numbers of a workbook, which a spreadsheet shows with the signs of its country."""

_SEEN_ROWS, _WIDEST, _NUMBER_WIDTH = 200, 48, 12
_SHEET_ROWS = 1_048_576
_SHEET_COLUMNS = 16_384


@judged
def write_frame(  # noqa: PLR0913 - each has a default
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    lang: str = "en",
    sep: str | None = None,
    decimal: str | None = None,
    safe: bool = False,
    units: bool = False,
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> Path:
    r"""Write a frame in the form that the ending of the file names.

    Parameters
    ----------
    frame
        Any frame, of pandas or one that speaks the Arrow PyCapsule interface (polars, pyarrow, DuckDB). Its index is
        written as first columns where it has a name; lists are joined with commas, except in Parquet and JSON, which
        keep them.
    path
        `.csv`, `.parquet` (provenance kept in the file), `.json` (records), `.xlsx` (text stays text; shares are
        shown in percent and people whole, the numbers being kept as they are), and where the
        frame has geometry `.gpkg` (provenance kept, styled for QGIS) and `.geojson` (WGS 84). The geometry is left out
        of the others, except of Parquet, which becomes GeoParquet.
    lang
        `en` or `fr`: language of the notes in cells, and manner of a CSV.
    sep, decimal
        Delimiter and decimal sign of a CSV: `,` and `.` in English, `;` and `,` in French.
    safe
        Whether text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-` or `@`) is written behind
        an apostrophe. Without it, cells are written as they are.
    units
        Whether the second row of a CSV gives the unit of each column (`m²`, `EUR`, `0 to 1`, people), `number`
        or `text` where its name does not say. Readers of qpvgeo pass over it.
    inputs
        Files read by the same call, which the output must not be.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    UsageError
        The ending, `lang`, `sep` or `decimal` is not one of those above; a layer is wanted of a frame without geometry;
        the output is one of the inputs.
    DataError
        The frame does not fit the form: column names that repeat, more rows than a sheet has, geometry without a CRS.
    OutputError
        The file cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> people = pd.DataFrame({"rate": [12.5, None]}, index=pd.Index(["QN09901M", "QN09902M"], name="qpv_code"))
    >>> path = write_frame(people, pathlib.Path(tempfile.mkdtemp(), "rates.csv"), lang="fr")
    >>> path.read_text(encoding="utf-8-sig").splitlines()
    ['qpv_code;rate', 'QN09901M;12,5', 'QN09902M;']
    """
    path = Path(path)
    frame = table_of(frame).to_pandas(types_mapper=_whole) if speaks_arrow(frame) else frame
    sep, decimal = _require_options(frame, path, lang, sep, decimal)
    refuse_inputs(path, inputs)
    suffix = path.suffix.lower()
    writers: dict[str, Callable[[Path], object]] = {
        ".csv": lambda part: _csv(frame, part, lang, sep, decimal, safe=safe, units=units),
        ".parquet": lambda part: _parquet(frame, part),
        ".json": lambda part: _json(frame, part, lang),
        ".xlsx": lambda part: _xlsx(frame, part, path.stem, lang, safe=safe),
        ".gpkg": lambda part: _layer(frame, part, "GPKG", path.stem, lang),
        ".geojson": lambda part: _layer(frame, part, "GeoJSON", path.stem, lang),
    }
    with writing(path, way_out=Note("formats.name_another_or_make_room")):
        try:
            replace(path, writers[suffix])
        except (pa.ArrowException, gdal().errors.DataSourceError, TypeError, ValueError, KeyError) as error:
            if isinstance(error, DataError | UsageError | OutputError):
                raise
            raise DataError(
                Note("formats.frame_does_not_fit", file=path.name, cause=cause_of(error)),
                way_out=Note("formats.write_another_form"),
            ) from error
    return path


def _whole(kind: pa.DataType) -> pd.Int64Dtype | None:
    """Type of whole numbers, of which some may be missing."""
    return pd.Int64Dtype() if pa.types.is_integer(kind) and not pa.types.is_uint64(kind) else None


def _require_options(
    frame: pd.DataFrame, path: Path, lang: str, sep: str | None, decimal: str | None
) -> tuple[str, str]:
    """Delimiter and decimal sign, once every option is known to be sound."""
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(Note("formats.not_a_frame", kind=type(frame).__name__))
    sep = sep if sep is not None else ";" if lang == "fr" else ","
    decimal = decimal if decimal is not None else "," if lang == "fr" and sep != "," else "."
    suffix = path.suffix.lower()
    checks = [
        (lang not in LANGUAGES, Note("formats.no_language", lang=str(lang))),
        (suffix not in SUFFIXES, Note("formats.unknown_ending", file=path.name)),
        (suffix in LAYERS and _geometry(frame) is None, Note("formats.no_geometry", file=path.name)),
        (len(sep) != 1 or sep in '"\r\n' or sep.isalnum(), Note("formats.no_delimiter", sep=sep)),
        (decimal not in (".", ","), Note("formats.no_decimal", decimal=decimal)),
        (sep == decimal, Note("formats.delimiter_is_decimal", sep=sep)),
    ]
    problems = [note for wrong, note in checks if wrong]
    if problems:
        raise UsageError(
            Note("formats.invalid_output"), problems=problems, way_out=Note("formats.endings", endings=list(SUFFIXES))
        )
    return sep, decimal


def _geometry(frame: pd.DataFrame) -> str | None:
    """Name of the active geometry column; None without any."""
    return frame.active_geometry_name if isinstance(frame, gpd.GeoDataFrame) else None


def _plain(frame: pd.DataFrame, lang: str | None, *, flat: bool) -> pd.DataFrame:
    """Columns as files hold them: index first, names as text, notes in the language, lists joined where flat."""
    plain = pd.DataFrame(frame)
    shapes = [name for name, kind in plain.dtypes.items() if str(kind) == "geometry"]
    plain = plain.drop(columns=shapes)
    plain.attrs = {}
    if isinstance(plain.columns, pd.MultiIndex):
        plain.columns = ["_".join(str(part) for part in name if str(part)) for name in plain.columns]
    plain = plain.set_axis([str(name) for name in plain.columns], axis="columns")
    if any(plain.index.names):
        same = [name for name in plain.index.names if name in plain.columns]
        plain = plain.drop(columns=same).reset_index()
    repeated = sorted({str(name) for name in plain.columns[plain.columns.duplicated()]})
    if repeated:
        raise DataError(Note("formats.columns_repeated", columns=repeated), way_out=Note("formats.rename_one"))
    for name in plain.columns:
        column = plain[name]
        if column.dtype == object or isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype):
            plain[name] = [_cell(cell, lang, flat=flat) for cell in column]
    return plain


def _cell(cell: object, lang: str | None, *, flat: bool) -> object:
    if isinstance(cell, Note):
        return cell.say(lang) if lang else str(cell)
    if isinstance(cell, list | tuple | set | frozenset | np.ndarray):
        parts = [_cell(part, lang, flat=flat) for part in cell]
        return ", ".join(map(str, parts)) if flat else parts
    if isinstance(cell, Mapping):
        return json.dumps(cell, ensure_ascii=False, default=str) if flat else dict(cell)
    return cell


def _safe(plain: pd.DataFrame) -> pd.DataFrame:
    made = plain.set_axis([harmless(name) for name in plain.columns], axis="columns")
    for name in made.columns:
        if not pd.api.types.is_numeric_dtype(made[name]):
            made[name] = made[name].map(harmless)
    return made


def _csv(  # noqa: PLR0913 - the options of a form
    frame: pd.DataFrame, path: Path, lang: str, sep: str, decimal: str, *, safe: bool, units: bool
) -> None:
    plain = _plain(frame, lang, flat=True)
    plain = _safe(plain) if safe else plain
    encoding = "utf-8-sig" if lang == "fr" else "utf-8"
    manner: dict[str, Any] = {
        "index": False,
        "sep": sep,
        "decimal": decimal,
        "lineterminator": "\n",
        "errors": "replace",
    }
    if not units:
        plain.to_csv(path, encoding=encoding, **manner)
        return
    numeric = {name: pd.api.types.is_numeric_dtype(plain[name]) for name in plain.columns}
    second = pd.DataFrame(
        [[unit_of(name, lang, number=numeric[name]) for name in plain.columns]], columns=plain.columns
    )
    second.to_csv(path, encoding=encoding, **manner)
    plain.to_csv(path, encoding="utf-8", mode="a", header=False, **manner)


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    bare = frame.copy(deep=False)
    bare.attrs = {}
    # an index without a name is only a count
    bare.to_parquet(path, index=any(name is not None for name in frame.index.names))
    about = json.dumps({key: value for key, value in frame.attrs.items() if key == ATTRS_KEY}, default=_jsonable)
    # pandas and geopandas read the attributes back from this key, whichever version wrote the file
    table = pq.read_table(path)
    told = {**(table.schema.metadata or {}), _PANDAS_ATTRS: about.encode()}
    pq.write_table(table.replace_schema_metadata(told | {_PANDAS: _readable(told[_PANDAS])}), path)


def _readable(told: bytes) -> bytes:
    """What pandas notes of its columns, lists of Arrow as objects: it does not read its own name of these back."""
    about = json.loads(told)
    for column in about["columns"]:
        if "<" in column["numpy_type"]:
            column["numpy_type"] = "object"
    return json.dumps(about).encode()


def _jsonable(value: object) -> object:
    """Values that JSON does not know, as those that it does."""
    if isinstance(value, np.ndarray | pd.Series | pd.Index):
        return value.tolist()
    if isinstance(value, pd.DataFrame):
        return value.to_dict("records")
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def _json(frame: pd.DataFrame, path: Path, lang: str) -> None:
    plain = _plain(frame, lang, flat=False)
    plain.to_json(path, orient="records", double_precision=10, force_ascii=False, date_format="iso")


def _xlsx(frame: pd.DataFrame, path: Path, title: str, lang: str, *, safe: bool) -> None:
    import openpyxl  # noqa: PLC0415 - of this form alone
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    plain = _plain(frame, lang, flat=True)
    plain = _safe(plain) if safe else plain
    if len(plain) >= _SHEET_ROWS or plain.shape[1] > _SHEET_COLUMNS:
        raise DataError(
            Note("formats.too_large_for_sheet", rows=len(plain), columns=plain.shape[1]),
            way_out=Note("formats.write_another_form"),
        )
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("".join(mark for mark in title if mark not in r"[]:*?/\'")[:31] or "qpvgeo")
    sheet.freeze_panes = "A2"

    forms = [_number_format(plain.iloc[:, at]) for at in range(plain.shape[1])]
    for at, name in enumerate(plain.columns):
        longest = max([len(str(name)), *(len(str(value)) for value in plain.iloc[:_SEEN_ROWS, at].dropna())])
        # a number is wider than its form shows it
        wide = min(longest, _WIDEST) if forms[at] is None else max(len(str(name)), _NUMBER_WIDTH)
        sheet.column_dimensions[openpyxl.utils.get_column_letter(at + 1)].width = wide + 2

    def cell(value: Any, form: str | None = None) -> Any:  # noqa: ANN401 - a value, or a cell of openpyxl
        if value is None or (not isinstance(value, str) and pd.isna(value)):
            return None
        if isinstance(value, float) and not np.isfinite(value):
            return str(value)
        if not isinstance(value, str):
            value = value.item() if isinstance(value, np.generic) else value
            if form is None:
                return value
            made = WriteOnlyCell(sheet, value=value)
            made.number_format = form
            return made
        made = WriteOnlyCell(sheet, value=openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", value))
        made.data_type = "s"  # never a formula
        return made

    sheet.append([cell(name) for name in plain.columns])
    for row in plain.itertuples(index=False, name=None):
        sheet.append([cell(value, form) for value, form in zip(row, forms, strict=True)])
    with path.open("wb") as stream:
        book.save(stream)


def _number_format(column: pd.Series) -> str | None:
    """How a workbook shows a column: by its unit, in the manner of the country of the spreadsheet."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return None
    unit = unit_of(str(column.name), "en", number=True)
    if unit == "0 to 1" and not column.dropna().between(0, 1).all():
        return None
    return _NUMBER_FORMATS.get(unit)


def _layer(frame: pd.DataFrame, path: Path, driver: str, name: str, lang: str) -> None:
    shapes = frame[_geometry(frame)]
    if shapes.crs is None:
        raise DataError(Note("formats.no_crs", file=path.name), way_out=Note("formats.set_crs"))
    plain = _plain(frame, lang, flat=True)
    made = gpd.GeoDataFrame(plain, geometry=gpd.GeoSeries(shapes.to_numpy(), crs=shapes.crs, index=plain.index))
    if driver == "GeoJSON":
        gdal().write_dataframe(made.to_crs(DEGREES), path, driver=driver, layer=name, RFC7946="YES")
        return
    about = {ATTRS_KEY: json.dumps(frame.attrs.get(ATTRS_KEY, {}), default=_jsonable)}
    # a number that GDAL gave to features cannot be a column of a GeoPackage
    made = made.drop(columns=[column for column in made.columns if str(column).lower() == "fid"])
    # GDAL wants the ending of the form
    ended = path.with_name(f"{path.name}.gpkg")
    try:
        gdal().write_dataframe(made, ended, driver=driver, layer=name, dataset_metadata=about)
        kinds = {_SYMBOLS.get(kind, "fill") for kind in made.geom_type.dropna()}
        if len(kinds) == 1:
            label = "name" if "name" in made.columns else None
            add_style(ended, name, gdal().read_info(ended)["geometry_name"], qml(kinds.pop(), label))
        rename(ended, path)
    finally:
        ended.unlink(missing_ok=True)
