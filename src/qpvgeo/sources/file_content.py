"""What one file holds, by its published name or by what is in it: its columns and its first code.

Only headers and first rows are read.
"""

import gzip
import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow.parquet as pq

from qpvgeo.codes.official import clean, vintage_of
from qpvgeo.errors import DataError
from qpvgeo.formats import dbf_tables, shape_tables, text_tables, vector_layers
from qpvgeo.formats.cells import to_number
from qpvgeo.formats.limits import content_of
from qpvgeo.formats.zip_members import opened_zip
from qpvgeo.sources import catalog, known_tables
from qpvgeo.sources import published_columns as published
from qpvgeo.sources.published_names import COMMUNE_CODE, named

__all__ = [
    "SUFFIXES",
    "Found",
    "Kind",
    "codes_columns",
    "is_published_as",
    "is_published_name",
    "judge",
    "judge_layer",
    "may_hold",
    "unnamed_figures",
]

Kind = Literal["perimeters", "communes"] | known_tables.TableKind
Basis = Literal["name", "content", "choice"]

_TEXTS = (".csv", ".txt", ".tsv")
_BOOKS = (".xls", ".xlsx", ".ods")
_TABLES = (*_TEXTS, *_BOOKS, ".dbf")
SUFFIXES = (*_TABLES, *vector_layers.SUFFIXES, ".zip", ".gz")
"""Endings of the files that are looked at."""

_OF_QPV = frozenset({"population", "population by commune", "communes population", "list"})
_OF_COMMUNES = frozenset({"communes", "communes table", "communes population", "commune events", "epci", "ept"})
_PUBLISHED: dict[str, frozenset[str]] = {
    **dict.fromkeys(("population", "list", "income"), _OF_QPV),
    **dict.fromkeys(("communes", "epci"), _OF_COMMUNES),
    **{kind: frozenset({kind}) for kind in ("perimeters", "grid", "correspondence", "addresses")},
}
"""What files published as a kind of the catalogue may hold; those of other kinds, anything."""

_OUTLINES = frozenset({"perimeters", "communes", "grid"})
_OUTLINES_ONLY = tuple(ending for ending in vector_layers.SUFFIXES if ending not in (".mif", ".tab"))
_HEAD_BYTES = 1 << 16
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_HEADERS = [names for kind in ("events", "epci", "qpv", "commune") for names in known_tables.EXPECT[kind]]
_CODES = ("annee", "cod", "cog", "dep", "epci", "id", "insee", "millesime", "qp", "rang", "reg", "siren", "year")
_YEAR = re.compile(r"(?<!\d)(20[0-4]\d)(?!\d)")


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
        `name` when the catalogue knows the name, `content` otherwise; `choice` when several columns hold codes of QPV
        that differ, of which the caller has to name one.
    """

    path: Path
    kind: Kind
    vintage: int | None
    features: int = 0
    basis: Basis = "content"


def is_published_name(path: Path) -> bool:
    """Whether the catalogue knows a file of that name, in any case."""
    return path.name.lower() in _published()


def is_published_as(path: Path, kind: Kind, vintage: int | None) -> bool:
    """Whether the catalogue knows the name as that of a kind, and of a geography where one is given."""
    known = _published().get(path.name.lower(), ())
    return any(one.kind == kind and vintage in (None, one.vintage) for one in known)


def may_hold(path: Path, kind: Kind, vintage: int | None = None) -> bool:
    """Whether a file may hold a kind, of a geography for perimeters, as far as its published name and ending say.

    Examples
    --------
    >>> may_hold(Path("pop_QPV24.csv"), "population"), may_hold(Path("pop_QPV24.csv"), "grid")
    (True, False)
    >>> may_hold(Path("mine.csv"), "epci"), may_hold(Path("mine.geojson"), "epci")
    (True, False)
    """
    if kind not in _OUTLINES and path.suffix.lower() in _OUTLINES_ONLY:
        return False
    name = path.name.lower()
    if kind == "perimeters" and vintage and is_published_as(path, kind, None):
        return is_published_as(path, kind, vintage)
    published = [one.kind for one in _published().get(name, ())]
    published = published or (["addresses"] if catalog.ADDRESSES.fullmatch(name) else [])
    return not published or any(kind in _PUBLISHED.get(one, {kind}) for one in published)


@lru_cache(maxsize=1)
def _published() -> dict[str, list[catalog.Dataset]]:
    """Datasets of the catalogue by the names of their files, in lower case."""
    found: dict[str, list[catalog.Dataset]] = {}
    for one in catalog.CATALOG.values():
        for name in one.filenames:
            found.setdefault(name.lower(), []).append(one)
    return found


def judge(path: Path) -> list[Found]:
    """What a file holds, as `identify`.

    Raises
    ------
    QpvgeoError
        The file is damaged, or cannot be opened.
    """
    basis: Basis = "name" if is_published_name(path) else "content"
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with opened_zip(path) as archive:
            return _judge_zip(path, archive, basis)
    head = _first_bytes(path) if suffix in _TEXTS else None
    if vector_layers.holds_outlines(path, head):
        held = vector_layers.layers(path)
        found = _of_layers(held, basis)
        if suffix == ".parquet" and not held and any(map(known_tables.is_cell_column, pq.read_schema(path).names)):
            found = [Found(path, "grid", _year(path), 0, basis)]
        if found or (held and suffix not in _TABLES) or suffix in _OUTLINES_ONLY or vector_layers.is_packed(path):
            return found
    return _table(path, _first_bytes(path) if head is None else head, basis)


def _judge_zip(path: Path, archive: zipfile.ZipFile, basis: Basis) -> list[Found]:
    """What a zip holds: outlines, else a table."""
    if (grid := _packed_grid(path, archive)) is not None:
        return [grid]
    head = _packed_head(archive)
    if any(name.lower().endswith(vector_layers.SUFFIXES) for name in archive.namelist()):
        held = vector_layers.layers(path)
        if held:
            return _of_layers(held, basis)
    return _table(path, head, basis)


def _of_layers(held: list[vector_layers.Layer], basis: Basis) -> list[Found]:
    return [one for layer in held if (one := judge_layer(layer, basis)) is not None]


def _packed_grid(path: Path, archive: zipfile.ZipFile) -> Found | None:
    """Grid in a 7z inside a zip, as Insee publishes it: known by its name alone, for unpacking it takes minutes."""
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


def judge_layer(layer: vector_layers.Layer, basis: Basis = "content") -> Found | None:
    """What a layer of areas holds, by the column of codes it has."""
    if vector_layers.is_thin(layer) or not layer.features:
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


def codes_columns(path: Path, kind: Literal["perimeters", "population"]) -> dict[str, set[int]]:
    """Columns of outlines or of a table, with the geographies of the codes of QPV in each: none where it holds others.

    Raises
    ------
    QpvgeoError
        The file is damaged, or cannot be opened.
    """
    outlines = vector_layers.holds_outlines(path)
    if outlines != (kind == "perimeters"):
        return {}
    if outlines:
        areal = [one for one in vector_layers.layers(path) if not vector_layers.is_thin(one)]
        tables = [known_tables.head_of(one) for one in areal]
    else:
        tables = [_first_rows(path, _first_bytes(path))]
    found: dict[str, set[int]] = {}
    for text in tables:
        for column in map(str, text.columns):
            year = _vintage(text[column])
            found.setdefault(column, set()).update([] if year is None else [year])
    return found


def unnamed_figures(path: Path) -> list[str]:
    """Columns of a table that hold numbers alone, and by their names no codes: each may be what its name does not say.

    Raises
    ------
    QpvgeoError
        The file is damaged, or cannot be opened.
    """
    text = _first_rows(path, _first_bytes(path))
    figures = [name for name in text.columns if not text_tables.normalise(name).startswith(_CODES)]
    return [str(name) for name in figures if text[name].notna().any() and to_number(text[name]).problems.empty]


def _vintage(values: pd.Series) -> int | None:
    """Geography of the first code of a column."""
    codes = clean(values.dropna(), "qpv").codes.dropna()
    return vintage_of(codes.iloc[0]) if len(codes) else None


def _table(path: Path, head: bytes | None, basis: Basis) -> list[Found]:
    """What a table holds: its first rows, read as its reader would, have the columns which that looks for."""
    if head is None:
        return []
    text = _first_rows(path, head)
    kind = known_tables.kind_of(text, path.name)
    if kind is None:
        return []
    if kind not in ("population", "population by commune", "list"):
        return [Found(path, kind, None if kind in ("correspondence", "addresses") else _year(path), 0, basis)]
    columns = published.qpv_columns(text)
    years = dict.fromkeys(_vintage(text[column]) for column in columns)
    return [Found(path, kind, year, 0, basis if len(columns) == 1 else "choice") for year in years]


def _first_rows(path: Path, head: bytes) -> pd.DataFrame:
    """First rows of a table under the header that a reader would take, else under its first wide line.

    The first lines of a text are enough for its header and some codes; workbooks are read whole.
    """
    if head[:4] in _WORKBOOKS:
        head = content_of(path)
    elif dbf_tables.is_dbf(head):
        head = dbf_tables.start_of(head)
    elif len(head) >= _HEAD_BYTES:
        head = head[:_HEAD_BYTES]
        head = head[: head.rfind(b"\n") + 1] or head
    try:
        return text_tables.table_of(head, path.name, expect=_HEADERS)
    except DataError:
        return text_tables.table_of(head, path.name)


def _first_bytes(path: Path) -> bytes:
    """First bytes of a table: of a text those in which outlines are looked for."""
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        return bytes(stream.read(shape_tables.HEAD if path.suffix.lower() in _TEXTS else _HEAD_BYTES))


def _packed_head(archive: zipfile.ZipFile) -> bytes | None:
    """First bytes of the table in an archive; None where it holds none."""
    tables = [name for name in archive.namelist() if name.lower().endswith(_TEXTS)]
    if not tables:
        books = any(name.lower().endswith(_BOOKS) for name in archive.namelist())
        return _WORKBOOKS[0] if books else None
    with archive.open(tables[0]) as stream:
        return stream.read(_HEAD_BYTES)
