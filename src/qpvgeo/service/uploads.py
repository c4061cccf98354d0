"""A file of points in, the same file out with its tags: the columns of `qpvgeo tag`, and nothing kept."""

import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet as pq
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from qpvgeo.formats.reader_errors import foreign
from qpvgeo.language import Note
from qpvgeo.service.limits import Limits
from qpvgeo.service.problems import LimitError
from qpvgeo.service.request_parameters import RequestParameters
from qpvgeo.service.served_data import Held
from qpvgeo.service.work_queue import WorkQueue, parts_of, too_long
from qpvgeo.tagging import PerimeterIndex, tag_file

__all__ = ["tagged_file"]

_PARAMETERS = ("on", "vintage", "x", "y", "crs", "bands", "distance", "tolerance", "commune", "layer", "output", "safe")
_DISTANCES = ("exact", "signed", "band")
_CHUNK = 1 << 18
_COLUMNS = 1_000
_UNPACKED = 1 << 30
_SUMMARY = 6_000
_MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


async def tagged_file(request: Request, held: Held, turns: WorkQueue, lang: str) -> tuple[Response, int]:
    """Answer of `/v1/tag`: the file with its tags, and how many rows it has.

    Raises
    ------
    UsageError, DataError
        As `qpvgeo.tag_file`, and for parameters that are not understood.
    LimitError
        The file is too large, has too many rows, takes too long, or is none of the forms taken.
    """
    options, vintage, output, lasting = _options(request, held)
    limits = turns.limits
    async with turns.ticket(request):
        folder = Path(await run_in_threadpool(tempfile.mkdtemp, prefix="qpvgeo-"))
        try:
            source = await _received(request, folder, limits)
            index = held.index if vintage is None else held.indexes[vintage]
            form = output or ("parquet" if source.suffix == ".parquet" else "csv")
            found = await turns.run(_tagged, source, folder / f"tagged.{form}", index, options | lasting, limits)
            opened: BinaryIO = (folder / f"tagged.{form}").open("rb")
        finally:
            # the file that was opened is read to its end all the same
            await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)
    headers = {
        "content-disposition": f'attachment; filename="tagged.{form}"',
        "cache-control": "no-store",
        "x-qpvgeo-summary": _summary(found, held, lang),
        "access-control-expose-headers": "x-qpvgeo-summary",
    }
    return StreamingResponse(_parts(opened), media_type=_MEDIA[form], headers=headers), int(found["rows"])


def _options(request: Request, held: Held) -> tuple[dict[str, Any], int | None, str, dict[str, Any]]:
    """Options of `tag_file`, the vintage, the form of the output, and the day."""
    asked = RequestParameters(request.query_params, _PARAMETERS)
    on = asked.day()
    vintage = asked.vintage(held.vintages, on=on)
    x, y = asked.text("x"), asked.text("y")
    output = asked.choice("output", ("csv", "parquet"), "")
    bands = asked.text("bands")
    options: dict[str, Any] = {
        "distance": asked.choice("distance", _DISTANCES, "exact"),
        "tolerance_m": _tolerance(asked.text("tolerance")),
        "xy": (x, y) if x and y else x,
        "crs": asked.text("crs", 40),
        "commune": asked.text("commune"),
        "layer": asked.text("layer"),
        "safe_csv": asked.choice("safe", ("0", "1"), "0") == "1",
    }
    if bands is not None:
        options["bands"] = [one for one in bands.split(",") if one.strip()]
    asked.require()
    return options, vintage, output, {"on": on}


def _tolerance(text: str | None) -> float | str:
    """Metres, or the name of a column, or `ban`."""
    try:
        return float(text or 0)
    except ValueError:
        return text or 0.0


async def _received(request: Request, folder: Path, limits: Limits) -> Path:
    """The file, written under a name of ours."""
    raw = folder / "points"
    with raw.open("wb") as file:
        async for part in parts_of(request, limits.file_bytes, limits.seconds):
            await run_in_threadpool(file.write, part)
    with raw.open("rb") as file:
        first = file.read(8)
    return raw.rename(folder / f"points{_ending(first)}")


def _ending(first: bytes) -> str:
    """Ending of a file by its first bytes; the name it was given says nothing.

    Examples
    --------
    >>> _ending(b"PAR1...."), _ending(b"lon;lat")
    ('.parquet', '.csv')
    """
    if first.startswith(b"PAR1"):
        return ".parquet"
    if first.startswith(b"PK"):
        return ".xlsx"
    if first.startswith((b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"7z", b"Rar", b"%PDF", b"SQLite", b"BZh", b"\xfd7zXZ")):
        raise LimitError(Note("service.not_a_form"), status=415, way_out=Note("service.forms_are"))
    if not first.strip():
        raise LimitError(Note("service.empty_body"), status=400, way_out=Note("service.forms_are"))
    return ".csv"


def _tagged(
    source: Path, output: Path, index: PerimeterIndex, options: dict[str, Any], limits: Limits
) -> dict[str, Any]:
    """Tag the file, as long as it keeps its limits."""
    deadline = time.monotonic() + limits.seconds
    if source.suffix == ".parquet":
        _require_bounded(source, limits)

    def watched(rows: int, _share: float) -> None:
        if rows > limits.rows:
            raise _too_many_rows(limits)
        if time.monotonic() > deadline:
            raise too_long(limits.seconds)

    return tag_file(source, output, index, progress=watched, **options)


def _require_bounded(source: Path, limits: Limits) -> None:
    """Raise for a Parquet that says to unpack to more than a machine has."""
    with foreign(source.name):
        about = pq.read_metadata(source)
        rows, columns = about.num_rows, about.num_columns
        size = sum(about.row_group(row).total_byte_size for row in range(about.num_row_groups))
    if rows > limits.rows:
        raise _too_many_rows(limits)
    if columns > _COLUMNS or size > _UNPACKED:
        raise LimitError(Note("service.unpacks_too_large"), way_out=Note("service.smaller_parts"))


def _too_many_rows(limits: Limits) -> LimitError:
    return LimitError(Note("service.too_many_rows", most=limits.rows), way_out=Note("service.smaller_parts"))


def _summary(found: dict[str, Any], held: Held, lang: str) -> str:
    """Counts of an answer, as JSON that may stand in a header."""
    told = {key: found[key] for key in ("rows", "states", "bands", "reasons", "vintages", "on")}
    notes = [note.say(lang) if isinstance(note, Note) else str(note) for note in found["notes"]]
    told |= {"notes": notes, "indicative": Note("service.indicative").say(lang), "fictional": held.fictional}
    text = json.dumps(told)
    return text if len(text) <= _SUMMARY else json.dumps(told | {"notes": []})


async def _parts(file: BinaryIO) -> AsyncIterator[bytes]:
    """Bytes of a file, which is closed at the end."""
    try:
        while part := await run_in_threadpool(file.read, _CHUNK):
            yield part
    finally:
        file.close()
