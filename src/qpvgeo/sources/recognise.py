"""What the files of a folder are, by their published name or by what stands in them.

A folder of files that someone downloaded by hand just works: a file is known by the name that the catalogue gives it,
else by its columns and its first code. Only headers are read.
"""

import gzip
import os
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow.parquet as pq

from qpvgeo import settings
from qpvgeo.codes.official import Kind as CodeKind
from qpvgeo.codes.official import clean, vintage_of
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.formats import text_tables, vector_layers
from qpvgeo.language import Note
from qpvgeo.sources import catalog, folders, known_tables
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.published_names import COMMUNE_CODE, named

__all__ = [
    "PERIMETER_KEYS",
    "SUFFIXES",
    "Found",
    "Kind",
    "communes_at_hand",
    "damaged",
    "datasets",
    "files_in",
    "find",
    "identify",
    "is_published_name",
    "judge",
    "judge_layer",
    "left_aside",
    "paths",
    "resolve",
    "scan",
]

Kind = Literal["perimeters", "communes"] | known_tables.TableKind

_TABLES = (".csv", ".txt", ".tsv", ".xls", ".xlsx")
SUFFIXES = (*_TABLES, *vector_layers.SUFFIXES, ".zip", ".gz")
"""Endings of the files that are looked at."""

_OUTLINES_ONLY = (".shp", ".gpkg", ".fgb", ".geojson", ".json", ".geoparquet", ".parquet")
_HEAD_BYTES = 1 << 16
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_HEADERS = [names for kind in ("events", "epci", "qpv", "commune") for names in known_tables.EXPECT[kind]]
_SHOWN = 60
_YEAR = re.compile(r"(?<!\d)(20[0-4]\d)(?!\d)")
PERIMETER_KEYS = {"qpv-2015": 2015, "qpv-2024": 2024}
"""Keys of the catalogue that stand for perimeters, which may come in several files, and their geography."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was recognised.

    Attributes
    ----------
    path
        The file.
    kind
        What it holds.
    vintage
        Geography of the QPV codes in it, or the year in the name of a table or of events of communes; None when neither
        is there.
    features
        How many features a file of outlines announces; 0 for tables.
    basis
        `name` when the catalogue knows the name, `content` otherwise.
    """

    path: Path
    kind: Kind
    vintage: int | None
    features: int = 0
    basis: Literal["name", "content"] = "content"


def resolve(source: str | os.PathLike[str], data: str | os.PathLike[str] | None = None) -> list[Path]:
    """Files behind a path or a key of the catalogue.

    Parameters
    ----------
    source
        A path, or a key such as `qpv-2024`. A key is looked for on disk only; `qpvgeo.fetch` downloads.
    data
        Folder searched first.

    Returns
    -------
    list of pathlib.Path
        The path itself; for a key, the files that hold it: perimeters may come in several.

    Raises
    ------
    MissingDataError
        No local file is what the key names.
    UsageError
        The source is neither a file nor a key.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> resolve("qpv-2024", qg.sample().path)[0].name
    'qpv-2024-geojson.zip'
    """
    path = settings.home_expanded(source)
    if path.exists() or path.suffix or len(path.parts) > 1:
        return [path]
    dataset = catalog.get(str(source))
    if dataset.key in PERIMETER_KEYS:
        return find("perimeters", PERIMETER_KEYS[dataset.key], data)
    at_hand = catalog.locate(dataset, data)
    if at_hand is None:
        raise MissingDataError(
            Note("sources.not_here", key=dataset.key, title=dataset.title),
            way_out=Note("sources.fetch_it", key=dataset.key, places=_places(data))
            if dataset.filename is None
            else Note("sources.fetch_or_put", key=dataset.key, file=dataset.filename, places=_places(data)),
        )
    return [at_hand]


def paths(source: Any, data: str | os.PathLike[str] | None = None) -> list[Path]:  # noqa: ANN401 - judged here
    """Files behind a path, a key of the catalogue, or several of them, as every reader takes them.

    Raises
    ------
    UsageError
        The source is something else, such as a year or a frame, or nothing.
    MissingDataError
        Nothing on disk is what a key names.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> [path.name for path in paths(["a.shp", qg.sample().qpv_2024])]
    ['a.shp', 'qpv-2024-geojson.zip']
    """
    if isinstance(source, str | os.PathLike):
        return resolve(source, data)
    several = isinstance(source, Iterable) and not isinstance(source, pd.DataFrame | pd.Series | bytes | Mapping)
    listed = list(source) if several else [source]
    for one in listed:
        if not isinstance(one, str | os.PathLike):
            key = f"qpv-{one}" if f"qpv-{one}" in PERIMETER_KEYS else ""
            raise UsageError(
                Note("sources.not_a_source", kind=type(one).__name__, value=str(one)[:_SHOWN]),
                way_out=Note("sources.did_you_mean", key=key) if key else Note("sources.give_a_path"),
            )
    if not listed:
        raise UsageError(Note("sources.nothing_given"), way_out=Note("sources.give_a_path"))
    return [path for one in listed for path in resolve(one, data)]


def find(kind: Kind, vintage: int | None = None, data: str | os.PathLike[str] | None = None) -> list[Path]:
    """Local files of a kind and geography, the best first.

    Perimeters and communes come as the files that hold them all together: the published ones when they are there,
    else the file with the most of them and those that add others to it.

    Raises
    ------
    MissingDataError
        There is none: says where it was looked for and how to get it.
    """
    for place in folders.data_dirs(data):
        # the first folder that has it decides: files of two folders are never mixed
        named_files = _in_folder(place, published_only=True) if kind == "perimeters" else []
        found = [one for one in named_files if one.kind == kind and vintage in (None, one.vintage)]
        found = found or [one for one in _in_folder(place) if one.kind == kind and vintage in (None, one.vintage)]
        if found:
            break
    else:
        raise MissingDataError(
            Note("sources.no_file_of_geography", kind=kind, vintage=vintage)
            if vintage
            else Note("sources.no_file_of", kind=kind),
            problems=left_aside(data),
            way_out=Note("sources.put_or_fetch", places=_places(data)),
        )
    if kind in ("perimeters", "communes"):
        return _together(found, "qpv" if kind == "perimeters" else "commune")
    return [one.path for one in sorted(found, key=lambda one: (one.basis != "name", one.path.suffix != ".csv"))]


def communes_at_hand(data: str | os.PathLike[str] | None = None, *, year: int = 2024) -> tuple[list[Path], list[Path]]:
    """Outlines of communes, and tables of communes with the one nearest to a year first.

    Raises
    ------
    MissingDataError
        No outlines of communes are available locally.
    """
    listed = [one for one in scan(data) if one.kind == "communes table"]
    nearest = sorted(listed, key=lambda one: (abs((one.vintage or 0) - year), one.path.name))
    return find("communes", None, data), [one.path for one in nearest]


def _places(data: str | os.PathLike[str] | None) -> str:
    return ", ".join(map(str, dict.fromkeys([*folders.data_dirs(data), settings.cache_dir()])))


def datasets(data: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """List the official files, with what is already on disk under its published name or another.

    Parameters
    ----------
    data
        A folder to search first, in place of `QPVGEO_DATA`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `key`: `vintage`, `release`, `territory`, `kind`, `format`, `size_bytes`, `licence`, `url`, `page`,
        `filename` (missing where not known), `cached` (whether the published file itself is here, by its name), `path`,
        and `recognised_by`: `name`, or `content` under another name, maybe of another release; missing without a file.

    Raises
    ------
    UsageError
        `data` is not a folder.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qg.datasets().loc["qpv-2024", ["kind", "format"]].tolist()
    ['perimeters', 'geojson']
    """
    frame = catalog.datasets(data)
    frame["recognised_by"] = pd.Series("name", index=frame.index, dtype="string").where(frame["cached"])
    for found in sorted(scan(data), key=lambda one: -one.features):
        key = _key_of(found)
        if key in frame.index and pd.isna(frame.loc[key, "path"]):
            frame.loc[key, ["path", "recognised_by"]] = [str(found.path), "content"]
    return frame


def _key_of(found: Found) -> str | None:
    """Key of the catalogue that a file recognised by its content stands for, where there is one and one only."""
    of_qpv = {"perimeters": f"qpv-{found.vintage}", "population": f"qpv-{found.vintage}-population"}
    of_year = {
        "communes table": f"cog-{found.vintage}",
        "commune events": f"commune-events-{found.vintage}",
        "epci": f"epci-{found.vintage}",
    }
    return {**of_qpv, **of_year}.get(found.kind) if found.basis == "content" else None


def scan(data: str | os.PathLike[str] | None = None) -> list[Found]:
    """Recognise every file of the folders searched, the first folder first; what is not recognised is left out.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sorted({found.kind for found in scan(qg.sample().path)})[:3]
    ['addresses', 'communes', 'communes table']
    """
    return [found for folder in folders.data_dirs(data) for found in _in_folder(folder)]


def _in_folder(folder: Path, *, published_only: bool = False) -> list[Found]:
    found: list[Found] = []
    for path in files_in(folder):
        if published_only and not is_published_name(path):
            continue
        found += _looked_at(path)[0]
    return found


def files_in(folder: Path) -> list[Path]:
    """Files of a folder that have the ending of a form that is read; pipes, sockets and devices are not files."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]


def is_published_name(path: Path) -> bool:
    """Whether the catalogue knows a file of that name, in any case."""
    return any(path.name.lower() == name.lower() for one in catalog.CATALOG.values() for name in one.filenames)


@lru_cache(maxsize=4096)
def _identified(path: Path, _size: int, _modified: int) -> tuple[tuple[Found, ...], bool]:
    """What a file holds, and whether it is damaged."""
    try:
        return tuple(judge(path)), False
    except Exception:  # noqa: BLE001 - whatever a library says of a damaged file, the others are looked at
        # JSON and text are the forms of much that is not ours
        return (), path.suffix.lower() not in (".json", ".txt") and path.stat().st_size > 0


def identify(path: Path) -> Iterator[Found]:
    """What a file holds: nothing, one thing, or several for an archive or a GeoPackage.

    A file that cannot be opened holds nothing here; reading it will say why.
    """
    with suppress(Exception):  # whatever a library says of a damaged file, the others are looked at
        yield from judge(path)


def damaged(data: str | os.PathLike[str] | None = None) -> list[str]:
    """Names of the files of the folders searched that cannot be opened, and are left aside; `qpvgeo doctor` says why.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> damaged(qg.sample().path)
    []
    """
    paths = [path for folder in folders.data_dirs(data) for path in files_in(folder)]
    return [path.name.encode("utf-8", "backslashreplace").decode() for path in paths if _looked_at(path)[1]]


def left_aside(data: str | os.PathLike[str] | None = None) -> list[Note]:
    """The damaged files of the folders searched as a note; none where there are none."""
    names = damaged(data)
    return [Note("sources.left_aside", count=len(names), files=names)] if names else []


def _looked_at(path: Path) -> tuple[tuple[Found, ...], bool]:
    state = path.stat()
    return _identified(path, state.st_size, state.st_mtime_ns)


def judge(path: Path) -> list[Found]:
    """What a file holds, as `identify`.

    Raises
    ------
    QpvgeoError
        The file is damaged, or cannot be opened.
    """
    basis: Literal["name", "content"] = "name" if is_published_name(path) else "content"
    suffix = path.suffix.lower()
    if vector_layers.holds_outlines(path):
        held = vector_layers.layers(path)
        found = [one for layer in held if (one := judge_layer(layer, basis)) is not None]
        if suffix == ".parquet" and not held and any(map(known_tables.is_cell_column, pq.read_schema(path).names)):
            found = [Found(path, "grid", _year(path), 0, basis)]
        if found or (held and suffix not in _TABLES) or suffix in _OUTLINES_ONLY:
            return found
    if suffix == ".zip" and (grid := _packed_grid(path)) is not None:
        return [grid]
    return _table(path, basis)


def _packed_grid(path: Path) -> Found | None:
    """Grid in a 7z inside a zip, as Insee publishes it: known by its name alone, for unpacking it takes minutes."""
    with zipfile.ZipFile(path) as archive:
        if not any(name.lower().endswith(".7z") for name in archive.namelist()):
            return None
    grids = [one for one in catalog.CATALOG.values() if one.kind == "grid"]
    names = {name.lower(): one for one in grids for name in one.filenames}
    known = names.get(path.name.lower())
    return Found(path, "grid", known.vintage, 0, "name") if known else None


def _year(path: Path) -> int | None:
    """Year in the name of a file."""
    stated = _YEAR.search(path.name)
    return int(stated[1]) if stated else None


def judge_layer(layer: vector_layers.Layer, basis: Literal["name", "content"] = "content") -> Found | None:
    """What a layer of areas holds, by the column of codes it has."""
    if "Point" in layer.shape or "Line" in layer.shape or not layer.features:
        return None
    if any(map(known_tables.is_cell_column, layer.fields)):
        return Found(layer.path, "grid", _year(layer.path), layer.features, basis)
    code = known_tables.qpv_column_of(layer)
    head = known_tables.head_of(layer) if code or named(layer.fields, COMMUNE_CODE) else pd.DataFrame()
    vintage = _vintage(head[code]) if code in head else None
    if vintage:
        return Found(layer.path, "perimeters", vintage, layer.features, basis)
    if published.of_kind(head, COMMUNE_CODE, "commune"):
        return Found(layer.path, "communes", None, layer.features, basis)
    return None


def _vintage(values: pd.Series) -> int | None:
    """Geography of the first code of a column."""
    codes = clean(values.dropna(), "qpv").codes.dropna()
    return vintage_of(codes.iloc[0]) if len(codes) else None


def _table(path: Path, basis: Literal["name", "content"]) -> list[Found]:
    """What a table holds: its first rows, read as its reader would, have the columns which that looks for."""
    with _head(path) as head:
        if head is None:
            return []
        text = _read_head(head)
    kind = known_tables.kind_of(text, path.name)
    if kind is None:
        return []
    of_qpv = kind in ("population", "population by commune", "list")
    vintage = _vintage(text[published.qpv_column(text)]) if of_qpv else _year(path)
    unstated = kind in ("correspondence", "addresses")
    return [Found(path, kind, None if unstated else vintage, 0, basis)]


def _read_head(path: Path) -> pd.DataFrame:
    """Table under the header that a reader would take, else under its first wide line."""
    try:
        return text_tables.read_table(path, expect=_HEADERS)
    except DataError:
        return text_tables.read_table(path)


@contextmanager
def _head(path: Path) -> Iterator[Path | None]:
    """A file with the first lines of a table: enough for its header and some codes; workbooks whole."""
    raw = _first_bytes(path)
    if raw is None or raw[:4] in _WORKBOOKS:
        yield path if raw is not None else None
        return
    if len(raw) == _HEAD_BYTES:
        raw = raw[: raw.rfind(b"\n") + 1] or raw
    with tempfile.TemporaryDirectory() as folder:
        head = Path(folder, f"{path.stem}.csv")
        head.write_bytes(raw)
        yield head


def _first_bytes(path: Path) -> bytes | None:
    """First bytes of a table, or of the table in an archive; None where the archive holds none."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        with gzip.open(path) as stream:
            return stream.read(_HEAD_BYTES)
    if suffix != ".zip":
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    with zipfile.ZipFile(path) as archive:
        tables = [name for name in archive.namelist() if name.lower().endswith((".csv", ".txt", ".tsv"))]
        if not tables:
            books = any(name.lower().endswith((".xls", ".xlsx")) for name in archive.namelist())
            return _WORKBOOKS[0] if books else None
        with archive.open(tables[0]) as stream:
            return stream.read(_HEAD_BYTES)


def _together(found: list[Found], kind: CodeKind) -> list[Path]:
    """Files of outlines that hold the most codes together, without a clip taking the place of the whole."""
    official = [one for one in found if one.basis == "name"]
    if official:
        # an archive holds what its unpacked members do
        packed = [one for one in official if one.path.suffix.lower() == ".zip"]
        return list(dict.fromkeys(one.path for one in (packed[:1] or official)))
    paths: list[Path] = []
    seen: set[str] = set()
    for one in sorted(found, key=lambda one: (-one.features, one.path.name)):
        held = _codes_in(one.path, kind)
        if not held <= seen:
            paths.append(one.path)
            seen |= held
    return paths


def _codes_in(path: Path, kind: CodeKind) -> set[str]:
    """Codes of the outlines of a file; a layer in which they repeat is one of something else, such as a grid."""
    held: set[str] = set()
    for layer in vector_layers.layers(path):
        frame = text_tables.as_text(vector_layers.attributes(layer))
        column = published.qpv_column(frame) if kind == "qpv" else published.of_kind(frame, COMMUNE_CODE, kind)
        if column and frame[column].is_unique:
            held |= set(clean(frame[column], kind).codes.dropna())
    return held
