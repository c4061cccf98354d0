"""What the files of a folder are, by their published name or by what stands in them.

A folder of files that someone downloaded by hand just works: a file is known by the name that the catalogue gives it,
else by its columns and its first code. Only headers are read.
"""

import gzip
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow.parquet as pq

from qpvgeo import settings
from qpvgeo.codes.official import Kind as CodeKind
from qpvgeo.codes.official import clean, vintage_of
from qpvgeo.errors import ArchiveError, DataError, MissingDataError, UsageError
from qpvgeo.formats import text_tables, vector_layers
from qpvgeo.language import Note
from qpvgeo.sources import catalog, folders
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.published_names import COMMUNE_CODE, QPV_CODE

__all__ = [
    "PERIMETER_KEYS",
    "SUFFIXES",
    "Found",
    "Kind",
    "communes_at_hand",
    "datasets",
    "find",
    "identify",
    "is_published_name",
    "paths",
    "resolve",
    "scan",
]

Kind = Literal[
    "perimeters",
    "population",
    "population by commune",
    "communes",
    "communes table",
    "communes population",
    "commune events",
    "epci",
    "ept",
    "correspondence",
    "list",
    "addresses",
    "grid",
]

_TABLES = (".csv", ".txt", ".tsv", ".xls", ".xlsx")
SUFFIXES = (*_TABLES, *vector_layers.SUFFIXES, ".zip", ".gz")
"""Endings of the files that are looked at."""

_HEAD_BYTES = 1 << 16
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
        Nothing at hand is what the key names.
    UsageError
        The source is neither a file nor a key.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> resolve("qpv-2024", qg.sample().path)[0].name
    'qpv-2024-geojson.zip'
    """
    path = Path(source).expanduser()
    if path.exists() or path.suffix or len(path.parts) > 1:
        return [path]
    dataset = catalog.get(str(source))
    if dataset.key in PERIMETER_KEYS:
        return find("perimeters", PERIMETER_KEYS[dataset.key], data)
    at_hand = catalog.locate(dataset, data)
    if at_hand is None:
        raise MissingDataError(
            f"{dataset.key} ({dataset.title}) is not at hand.",
            way_out=f"Get it with `qpvgeo fetch {dataset.key}`, or put {dataset.filename or 'the file'} in "
            f"{_places(data)}.",
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
    """Files at hand of a kind and geography, the best first.

    Perimeters and communes come as the files that hold them all together: the published ones when they are there,
    else the file with the most of them and those that add others to it.

    Raises
    ------
    MissingDataError
        There is none: says where it was looked for and how to get it.
    """
    for place in folders.data_dirs(data):
        # the first folder that has it decides: files of two folders are never mixed
        found = [one for one in _in_folder(place) if one.kind == kind and vintage in (None, one.vintage)]
        if found:
            break
    else:
        what = f"{kind} of the {vintage} geography" if vintage else kind
        raise MissingDataError(
            f"No file of {what} is at hand.",
            way_out=f"Looked in {_places(data)}. Put the published file there, or name the folder with --data or "
            "QPVGEO_DATA; `qpvgeo datasets` lists the files and `qpvgeo fetch` downloads those it may.",
        )
    if kind in ("perimeters", "communes"):
        return _together(found, "qpv" if kind == "perimeters" else "commune")
    return [one.path for one in sorted(found, key=lambda one: (one.basis != "name", one.path.suffix != ".csv"))]


def communes_at_hand(data: str | os.PathLike[str] | None = None, *, year: int = 2024) -> tuple[list[Path], list[Path]]:
    """Outlines of communes, and tables of communes with the one nearest to a year first.

    Raises
    ------
    MissingDataError
        No outlines of communes are at hand.
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
        `filename` (missing where not known), `cached` (whether the published file itself is at hand, by its name),
        `path`, and `recognised_by`: `name`, or `content` for perimeters, populations, communes and EPCI under another
        name, which may be of another release than the one listed; missing when nothing is at hand.

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


def _in_folder(folder: Path) -> list[Found]:
    found: list[Found] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            state = path.stat()
            found += _identified(path, state.st_size, state.st_mtime_ns)
    return found


def is_published_name(path: Path) -> bool:
    """Whether the catalogue knows a file of that name, in any case."""
    return any(path.name.lower() == name.lower() for one in catalog.CATALOG.values() for name in one.filenames)


@lru_cache(maxsize=4096)
def _identified(path: Path, _size: int, _modified: int) -> tuple[Found, ...]:
    return tuple(identify(path))


def identify(path: Path) -> Iterator[Found]:
    """What a file holds: nothing, one thing, or several for an archive or a GeoPackage.

    A file that cannot be opened holds nothing here; reading it will say why.
    """
    basis: Literal["name", "content"] = "name" if is_published_name(path) else "content"
    suffix = path.suffix.lower()
    try:
        if suffix in (*vector_layers.SUFFIXES, ".zip"):
            held = [_outlines(layer, basis) for layer in vector_layers.layers(path)]
            found = [one for one in held if one is not None]
            if suffix == ".parquet" and not held and any(map(_is_cell_column, pq.read_schema(path).names)):
                year = _YEAR.search(path.name)
                found = [Found(path, "grid", int(year[1]) if year else None, 0, basis)]
            if found or suffix in vector_layers.SUFFIXES:
                yield from found
                return
        if suffix == ".zip" and (grid := _packed_grid(path)) is not None:
            yield grid
            return
        yield from _table(path, basis)
    except (ArchiveError, DataError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return


def _packed_grid(path: Path) -> Found | None:
    """Grid in a 7z inside a zip, as Insee publishes it: known by its name alone, for unpacking it takes minutes."""
    with zipfile.ZipFile(path) as archive:
        if not any(name.lower().endswith(".7z") for name in archive.namelist()):
            return None
    grids = [one for one in catalog.CATALOG.values() if one.kind == "grid"]
    names = {name.lower(): one for one in grids for name in one.filenames}
    known = names.get(path.name.lower())
    return Found(path, "grid", known.vintage, 0, "name") if known else None


def _is_cell_column(name: str) -> bool:
    plain = text_tables.normalise(name)
    return plain.startswith(("idcar_", "idinspire")) or plain in {"cell_id", "grd_id"}


def _outlines(layer: vector_layers.Layer, basis: Literal["name", "content"]) -> Found | None:
    """What a layer of areas holds, by the column of codes it has."""
    if "Point" in layer.shape or "Line" in layer.shape:
        return None
    head = text_tables.as_text(vector_layers.attributes(layer, rows=1))
    if any(_is_cell_column(str(name)) for name in head.columns):
        year = _YEAR.search(layer.path.name)
        return Found(layer.path, "grid", int(year[1]) if year else None, layer.features, basis)
    code = published.of_kind(head, QPV_CODE, "qpv")
    if code:
        return Found(layer.path, "perimeters", vintage_of(str(head[code].iloc[0]).strip()), layer.features, basis)
    if published.of_kind(head, COMMUNE_CODE, "commune"):
        return Found(layer.path, "communes", None, layer.features, basis)
    return None


def _table(path: Path, basis: Literal["name", "content"]) -> Iterator[Found]:
    """What a table holds, by the names of its header and the code under them."""
    lines = [_cells(line) for line in _head(path).splitlines()[:30]]
    names = {name for line in lines for name in line}
    year = _YEAR.search(path.name)
    stated = int(year[1]) if year else None
    vintage = _qpv_vintage(lines)
    if "qp2024" in names and any(re.fullmatch(r"qp_?2015(_.*)?", name) for name in names):
        yield Found(path, "correspondence", None, 0, basis)
    elif vintage:
        people = any(re.search(r"pop(_?muni|ulation)", name) for name in names)
        parts = people and "communale" in path.name.lower()
        kind: Kind = "population by commune" if parts else "population" if people else "list"
        yield Found(path, kind, vintage, 0, basis)
    elif {"code_insee", "nom_voie", "lon", "lat"} <= names:
        yield Found(path, "addresses", None, 0, basis)
    elif any(map(_is_cell_column, names)):
        yield Found(path, "grid", stated, 0, basis)
    elif {"mod", "com_av", "com_ap"} <= names:
        yield Found(path, "commune events", stated, 0, basis)
    elif names & {"typecom"} or {"code", "type", "departement", "region"} <= names:
        yield Found(path, "communes table", stated, 0, basis)
    elif {"codgeo", "ept"} <= names:
        yield Found(path, "ept", stated, 0, basis)
    elif {"nature_epci"} & names or {"populationmunicipale", "nb_communes"} <= names:
        yield Found(path, "epci", stated, 0, basis)
    elif any(re.fullmatch(r"p\d\d_pop|pmun", name) for name in names):
        yield Found(path, "communes population", stated, 0, basis)


def _cells(line: str) -> list[str]:
    """Cells of a line in the bare form of column names, whatever separates them."""
    return [text_tables.normalise(cell.strip('" ')) for cell in re.split(r"[;,\t]", line)]


def _qpv_vintage(lines: list[list[str]]) -> int | None:
    """Geography of the code that stands under a header of QPV codes; None without such a column."""
    known = {text_tables.normalise(name) for name in QPV_CODE}
    for header, row in pairwise(lines):
        for position in (position for position, name in enumerate(header) if name in known and position < len(row)):
            vintage = vintage_of(row[position].upper())
            if vintage:
                return vintage
    return None


def _head(path: Path) -> str:
    """First lines of a table as text: enough for its header and a code."""
    suffix = path.suffix.lower()
    if suffix in (".xls", ".xlsx"):
        return str(text_tables.read_table(path).head(5).to_csv(sep=";", index=False))
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            inside = next((name for name in archive.namelist() if name.lower().endswith((".csv", ".txt"))), None)
            if inside is None:
                return ""
            with archive.open(inside) as stream:
                raw = stream.read(_HEAD_BYTES)
    elif suffix == ".gz":
        with gzip.open(path) as stream:
            raw = stream.read(_HEAD_BYTES)
    else:
        with path.open("rb") as stream:
            raw = stream.read(_HEAD_BYTES)
    return raw.decode("utf-8-sig", errors="replace")


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
        column = published.of_kind(frame, QPV_CODE if kind == "qpv" else COMMUNE_CODE, kind)
        if column and frame[column].is_unique:
            held |= set(clean(frame[column], kind).codes.dropna())
    return held
