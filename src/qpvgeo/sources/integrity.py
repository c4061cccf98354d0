"""Tell a file from what a server may send in its place: an error page, another format, half of it."""

import gzip
import re
import zlib
from pathlib import Path

from qpvgeo.errors import TruncatedError, WrongTypeError
from qpvgeo.formats import archives
from qpvgeo.language import Note

__all__ = ["require"]

_MAGIC = {
    ".7z": (b"7z\xbc\xaf\x27\x1c",),
    ".gpkg": (b"SQLite format 3\0",),
    ".gz": (b"\x1f\x8b",),
    ".parquet": (b"PAR1",),
    ".shp": (b"\0\0\x27\x0a",),
    ".xls": (b"\xd0\xcf\x11\xe0",),
    ".xlsx": (b"PK\3\4",),
    ".zip": (b"PK\3\4", b"PK\5\6"),
}


def require(path: Path, suffix: str, announced: str, *, url: str) -> None:
    """Refuse a page in place of the file, another format, and a file cut short.

    Parameters
    ----------
    path
        What arrived.
    suffix
        Ending of the name of the file expected; it says the format.
    announced
        Content-Type of the answer, or nothing.
    url
        For the message.

    Raises
    ------
    WrongTypeError
        It is a web page or another format.
    TruncatedError
        It is empty, or the end that the format promises is not there.
    """
    suffix = suffix.lower()
    with path.open("rb") as handle:
        start = handle.read(4096)
    if not start:
        raise TruncatedError(Note("sources.empty_body", url=url), way_out=Note("sources.later"))
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    page = text.startswith((b"<!doctype html", b"<html")) or "text/html" in announced.lower()
    if page and suffix not in {".htm", ".html"}:
        title = re.search(rb"<title[^>]*>(.*?)</title>", start, re.DOTALL | re.IGNORECASE)
        said = [Note("sources.page_titled", title=title[1].decode(errors="replace").strip())] if title else []
        raise WrongTypeError(Note("sources.serves_page", url=url), problems=said)
    if not _starts_as(suffix, start, text):
        raise WrongTypeError(
            Note("sources.serves_no", url=url, form=suffix),
            problems=[
                Note("sources.announced_as", kind=announced or "?"),
                Note("sources.starts_with", start=repr(start[:16])),
            ],
        )
    if not _is_whole(path, suffix):
        raise TruncatedError(Note("sources.not_whole", url=url, form=suffix), way_out=Note("sources.later"))


def _starts_as(suffix: str, start: bytes, text: bytes) -> bool:
    if suffix in _MAGIC:
        return start.startswith(_MAGIC[suffix])
    if suffix in {".json", ".geojson"}:
        return text.startswith((b"{", b"["))
    # an error of an interface is JSON or XML; a table has neither their marks nor null bytes
    return suffix != ".csv" or not (text.startswith((b"{", b"<")) or b"\0" in start)


def _is_whole(path: Path, suffix: str) -> bool:
    """Tell whether the end that the format promises is there; a CSV promises none."""
    if suffix in {".zip", ".xlsx", ".7z"}:
        return archives.is_whole(path)
    size = path.stat().st_size
    with path.open("rb") as handle:
        if suffix == ".gpkg":
            header = handle.read(100)
            page = int.from_bytes(header[16:18])
            # the count of pages holds only for a writer that signs it with the change counter
            pages = int.from_bytes(header[28:32]) if header[24:28] == header[92:96] else 1
            return len(header) == 100 and size >= (65536 if page == 1 else page) * pages
        handle.seek(max(0, size - 64))
        end = handle.read()
    if suffix == ".parquet":
        return end.endswith(b"PAR1") and size > len(b"PAR1")
    if suffix in {".json", ".geojson"}:
        return end.rstrip().endswith((b"}", b"]"))
    if suffix == ".gz":
        return _unzips(path)
    return True


def _unzips(path: Path) -> bool:
    try:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True
