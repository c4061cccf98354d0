"""Which form a file of outlines has, by its content, so that GDAL opens it with the driver of that form and no other.

GDAL chooses its driver by content: a file named `.geojson` may be a virtual layer, a web service or a pipeline that
reads other files and the network. Only the forms below are handed to GDAL, once their content is
theirs and refers to nothing else.
"""

import codecs
import json
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from qpvgeo.errors import DataError
from qpvgeo.formats.reader_errors import cause_of
from qpvgeo.formats.siblings import siblings
from qpvgeo.frames.provenance import file_state
from qpvgeo.language import Note

__all__ = [
    "DRIVERS",
    "JSON",
    "SUFFIXES",
    "dataset_of",
    "encoding_of_json",
    "is_written",
    "lost_bytes",
    "opens_in_place",
    "parts_of",
    "require_features",
    "require_sound_geopackage",
]

_SEQUENCES = (".geojsonl", ".geojsons", ".ndjson", ".jsonl", ".ndgeojson")
JSON = (".geojson", ".json", ".topojson", *_SEQUENCES)
"""Endings of the forms that are JSON; in the last ones each line is a feature."""

SUFFIXES = (".shp", *JSON[:3], ".gpkg", ".fgb", ".kml", ".gml", ".mif", ".tab", *_SEQUENCES)
"""Endings of the files that GDAL reads."""

_IN_PARTS = (".shp", ".mif", ".tab", ".gml")
_BESIDE = (".shx", ".dbf", ".prj", ".cpg", ".qpj", ".mid", ".dat", ".map", ".id", ".ind", ".xsd")


def parts_of(path: Path) -> list[Path]:
    """The file, and those beside it that are parts of it: the table and projection of a shapefile.

    Examples
    --------
    >>> [part.name for part in parts_of(Path("qpv.gpkg"))]
    ['qpv.gpkg']
    """
    if path.suffix.lower() not in _IN_PARTS:
        return [path]
    beside = (part for part in siblings(path) if part.stem == path.stem and part != path)
    return [path, *(part for part in beside if part.suffix.lower() in _BESIDE and os.path.isfile(part))]  # noqa: PTH113


DRIVERS = frozenset(
    {
        "ESRI Shapefile",
        "GeoJSON",
        "GeoJSONSeq",
        "ESRIJSON",
        "TopoJSON",
        "GPKG",
        "FlatGeobuf",
        "KML",
        "LIBKML",
        "GML",
        "MapInfo File",
    }
)
"""GDAL drivers of these forms."""

_HEAD = 1 << 16
_SEQUENCE = "GeoJSONSeq:"
_CRS_MEMBER = 1 << 16
_CHECKED_BYTES = 1 << 28
_LOGGED = 2
_HOT = bytes.fromhex("d9d505f920a163d7")
"""How the journal of a change begins that was not ended."""

# a driver that looks for its mark anywhere in the first bytes would take the file
_ELSEWHERE = re.compile(
    rb"<\s*(?:OGRVRT|VRTDataset|OGRWFS|OGRCSW|GDAL_|OGCAPI|OGCWMTS)|WFS_Capabilities|gdal_streamed_alg|gdal_virtual"
    rb"|<!ENTITY|/vsi[a-z]",
    re.IGNORECASE,
)
_XML = re.compile(rb"\s*(?:<\?xml[^>]*\?>)?\s*(?:<!--.*?-->\s*)*<([\w:.-]+)", re.DOTALL)
_CRS_KEY = re.compile(rb'"(?:c|\\u0063)(?:r|\\u0072)(?:s|\\u0073)"\s*:\s*(?=\{)', re.IGNORECASE)
_LINES = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\x1e|\{[^\r\n]*\}\s*\n\s*\{)")
_COLLECTION = re.compile(rb'\s*\{[^{}\[\]]*"(?:type"\s*:\s*"FeatureCollection|features"\s*:)')


def dataset_of(path: Path, label: str) -> str:
    """Name under which GDAL opens a file, its driver named where GDAL has a way to name it.

    Raises
    ------
    DataError
        The content is not of the form that the ending says, or refers to other files or the network.
    """
    if not path.is_file():
        raise DataError(Note("formats.not_regular", file=label))
    suffix = path.suffix.lower()
    look = _looked_at(path, file_state(path))
    head = look.head
    if suffix not in _MAGIC:
        raise DataError(
            Note("formats.no_outlines_form", file=label), way_out=Note("formats.forms_read", forms=list(SUFFIXES))
        )
    if not head:
        raise DataError(Note("formats.empty", file=label), way_out=Note("formats.get_again"))
    if not _MAGIC[suffix](head):
        raise DataError(
            Note("formats.not_the_form", file=label, form=_FORMS[suffix]), way_out=Note("formats.forms_by_content")
        )
    if suffix in _TEXTS and _ELSEWHERE.search(head):
        raise DataError(Note("formats.refers_elsewhere", file=label), way_out=Note("formats.give_the_data"))
    prefix = ""
    if suffix in JSON:
        if look.linked:
            raise DataError(Note("formats.refers_elsewhere", file=label), way_out=Note("formats.crs_by_name"))
        prefix = _json_prefix(head, suffix)
    if suffix == ".tab" and re.search(rb"(?im)^\s*type\s+(?:linked|\"?seamless|odbc)", head):
        raise DataError(Note("formats.refers_elsewhere", file=label), way_out=Note("formats.give_the_data"))
    return f"{prefix}{path.resolve()}"


class _Look(NamedTuple):
    """First bytes of a file; of JSON its encoding, where it is not UTF-8, and whether it names its CRS by a link."""

    head: bytes
    encoding: str | None = None
    linked: bool = False


@lru_cache(maxsize=64)
def _looked_at(path: Path, _state: tuple[int, ...]) -> _Look:
    """What is looked for in a file, which is opened once in each of its states."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        if not head or path.suffix.lower() not in JSON:
            return _Look(head)
        return _Look(head, _encoding(stream, head), _links(stream))


def lost_bytes(path: Path) -> int:
    """Bytes that are missing at the end of a .shp by the length in its header; not above 0 for one that is whole."""
    state = file_state(path)
    # in words of 16 bits
    return 2 * int.from_bytes(_looked_at(path, state).head[24:28], "big") - state[0]


def encoding_of_json(path: Path) -> str | None:
    """Encoding of JSON that is not the bare UTF-8 that its specification asks for; None for that, and for no JSON.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.geojson")
    ...     _ = path.write_bytes('{"nom": "Cité"}'.encode("cp1252"))
    ...     encoding_of_json(path)
    'cp1252'
    """
    return _looked_at(path, file_state(path)).encoding


def _encoding(stream: BinaryIO, head: bytes) -> str | None:
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"  # GDAL loses the line behind the mark
    if head[:1] == b"{" and head[1:2] == b"\0":
        return "utf-16-le"
    if head[:2] == b"\0{":
        return "utf-16-be"
    decode = codecs.getincrementaldecoder("utf-8")().decode
    stream.seek(0)
    try:
        while block := stream.read(1 << 22):
            decode(block)
        decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252" if head[:4].lstrip()[:1] == b"{" else None
    return None


def require_features(dataset: str, count: int, label: str) -> None:
    """Raise when lines of a sequence of features are none: GDAL leaves them out without a word.

    Parameters
    ----------
    dataset
        What `dataset_of` gives; another form than a sequence passes.
    count
        How many features GDAL finds.
    label
        How the error names the file.

    Raises
    ------
    DataError
        Lists the lines.
    """
    if not dataset.startswith(_SEQUENCE):
        return
    content = Path(dataset.removeprefix(_SEQUENCE)).read_bytes()
    parts = content.split(b"\x1e")[1:] if b"\x1e" in content else content.split(b"\n")
    if sum(bool(part.strip(b" \t\r\n,")) for part in parts) == count:
        return
    broken = [line for line, part in enumerate(parts, start=1) if not _is_feature(part.strip(b" \t\r\n,"))]
    raise DataError(
        Note("formats.lines_no_feature", file=label, count=len(broken)),
        problems=[Note("formats.line_of_json", line=line) for line in broken],
        way_out=Note("formats.get_again"),
    )


def _is_feature(part: bytes) -> bool:
    try:
        return not part or isinstance(json.loads(part), dict)
    except ValueError:
        return False


def _is_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\x1e \t\r\n")[:1] == b"{"


def _root(*names: bytes) -> Callable[[bytes], bool]:
    """Whether the first element of XML, without its prefix, is one of some."""

    def fits(head: bytes) -> bool:
        found = _XML.match(head.removeprefix(b"\xef\xbb\xbf"))
        return found is not None and found[1].rpartition(b":")[2].lower() in names

    return fits


_DBASE = tuple(bytes([mark]) for mark in (2, 3, 4, 5, 7, 48, 49, 50, 67, 99, 131, 139, 142, 203, 229, 245, 251))
_TEXTS = (*JSON, ".kml", ".gml", ".mif", ".tab")
_MAGIC: dict[str, Callable[[bytes], bool]] = {
    ".shp": lambda head: head.startswith(b"\0\0\x27\x0a"),
    ".gpkg": lambda head: head.startswith(b"SQLite format 3\0"),
    ".fgb": lambda head: head.startswith(b"fgb"),
    ".kml": _root(b"kml"),
    ".gml": lambda head: b"opengis.net/gml" in head.lower() and _XML.match(head) is not None,
    ".mif": lambda head: head.lstrip()[:7].lower() == b"version",
    ".tab": lambda head: head.lstrip()[:6].lower() == b"!table",
    ".dbf": lambda head: head[:1] in _DBASE,
    **dict.fromkeys(JSON, _is_json),
}
_FORMS = {
    ".shp": "shapefile",
    ".gpkg": "GeoPackage",
    ".fgb": "FlatGeobuf",
    ".kml": "KML",
    ".gml": "GML",
    ".mif": "MapInfo",
    ".tab": "MapInfo",
    ".dbf": "dBASE",
    **dict.fromkeys(JSON, "GeoJSON"),
}


def _json_prefix(head: bytes, suffix: str) -> str:
    """Prefix that pins the driver of a JSON file."""
    if re.search(rb'"type"\s*:\s*"Topology"', head):
        return "TopoJSON:"
    if re.search(rb'"geometryType"\s*:\s*"esriGeometry', head):
        return "ESRIJSON:"
    by_line = _LINES.match(head) or (suffix in _SEQUENCES and not _COLLECTION.match(head))
    return _SEQUENCE if by_line else "GeoJSON:"


def _links(stream: BinaryIO) -> bool:
    """Whether a `crs` member is a link, which GDAL would fetch.

    The bytes are copied: a file that is cut while it is mapped would end the interpreter.
    """
    stream.seek(0)
    content = stream.read()
    for found in _CRS_KEY.finditer(content):
        try:
            text = content[found.end() : found.end() + _CRS_MEMBER].decode("utf-8", "replace")
            member, _ = json.JSONDecoder().raw_decode(text)
        except ValueError:
            member = {}
        kind = str(member.get("type", "")).lower() if isinstance(member, dict) else ""
        if kind not in ("name", "epsg", "ogc"):
            return True
    return False


def is_written(path: Path) -> bool:
    """Whether all of a GeoPackage is in its file: SQLite holds no change beside it, and none to take back from it.

    Source: https://sqlite.org/fileformat.html, 1.3.4 (bytes 18 and 19 tell a write-ahead log), 3 (the journal).

    Raises
    ------
    OSError
        The file cannot be opened.
    """
    real = path.resolve()
    log, journal = (real.with_name(real.name + ending) for ending in ("-wal", "-journal"))
    # one that was left by a former file of this name is not of this one
    if _LOGGED in _modes(real) and _first_bytes(log, 1):
        return False
    return _first_bytes(journal, len(_HOT)) != _HOT


def opens_in_place(path: Path) -> bool:
    """Whether SQLite opens a GeoPackage where it is, without a file beside it that it would write or obey.

    Not on shares of Windows, whose names are no addresses to SQLite.

    Raises
    ------
    OSError
        The file cannot be opened.
    """
    real = path.resolve()
    beside = any(os.path.lexists(f"{real}{ending}") for ending in ("-wal", "-journal", "-shm"))
    if beside or _LOGGED in _modes(real):
        return False
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{real.as_uri()}?mode=ro", uri=True, timeout=0)) as base:
        # another program may hold it
        base.execute("SELECT 1 FROM sqlite_master").fetchone()
        return True
    return False


def _modes(path: Path) -> bytes:
    return _first_bytes(path, 20)[18:]


def _first_bytes(path: Path, many: int) -> bytes:
    """First bytes of a file; none where there is none, or a pipe or folder of that name."""
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(many)


def require_sound_geopackage(path: Path, label: str) -> bool:
    """Whether layers of a GeoPackage are declared in a way that pyogrio refuses, once its pages are known to be sound.

    Raises
    ------
    DataError
        The database is damaged: GDAL would give fewer rows without a word.
    """
    size = path.stat().st_size
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            found = base.execute("PRAGMA quick_check(1)").fetchone() if size <= _CHECKED_BYTES else ("ok",)
            damage = "" if found == ("ok",) else str(found and found[0])
            kinds = base.execute("SELECT geometry_type_name, z, m FROM gpkg_geometry_columns").fetchall()
    except sqlite3.OperationalError:
        return False  # a table that is not there; GDAL says what it makes of it
    except sqlite3.DatabaseError as error:
        message = Note("formats.unreadable", file=label, cause=cause_of(error))
        raise DataError(message, way_out=Note("formats.get_again")) from error
    if damage:
        raise DataError(Note("formats.unreadable", file=label, cause=damage), way_out=Note("formats.get_again"))
    return any(str(kind).upper() == "GEOMETRY" and (z or m) for kind, z, m in kinds)
