"""Errors as problem documents (RFC 9457): what is wrong, all of it, and the way out, in the language of the asker."""

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from qpvgeo.errors import (
    ArchiveError,
    DataError,
    FetchError,
    MissingDataError,
    OutputError,
    QpvgeoError,
    UsageError,
)
from qpvgeo.language import LANGUAGES, Note

__all__ = [
    "NUMBER",
    "PATH",
    "BusyError",
    "LimitError",
    "NoSuchError",
    "language_of",
    "preferred",
    "problem",
    "refusal",
    "unforeseen",
]

NUMBER = "qpvgeo.number"
"""Where a request keeps the number that its answer and its lines of the log have."""

PATH = "qpvgeo.path"
"""Where a request keeps its path as it is declared."""

_LOG = logging.getLogger("qpvgeo.service")
_LISTED = 20
_STATUS: tuple[tuple[type[QpvgeoError], int], ...] = (
    (UsageError, 400),
    (DataError, 422),
    (ArchiveError, 422),
    (MissingDataError, 503),
    (FetchError, 503),
    (OutputError, 500),
)


_OF_PARAMETERS = {
    "tagging.name_coordinate_columns": "service.name_coordinate_columns",
    "tagging.give_projection": "service.give_projection",
    "tagging.give_crs": "service.give_projection",
    "tagging.leave_crs_out": "service.leave_crs_out",
    "tagging.take_a_point": "service.take_a_point",
    "tagging.write_wkb": "service.name_columns_of_shapes",
    "formats.name_one_layer": "service.name_one_layer",
    "formats.leave_layer_out": "service.leave_layer_out",
}
"""Ways out that name options of Python and of the command line, and those that name the parameters of a request."""


class LimitError(UsageError):
    """More was asked for than the service takes; `status` is that of HTTP."""

    def __init__(self, message: str, *, status: int = 413, way_out: str = "") -> None:
        super().__init__(message, way_out=way_out)
        self.status = status


class BusyError(LimitError):
    """Too many requests at once; to be asked again after `seconds`."""

    def __init__(self, message: str, *, status: int, seconds: int = 1) -> None:
        super().__init__(message, status=status, way_out=Note("service.ask_again", seconds=seconds))
        self.seconds = seconds


class NoSuchError(UsageError):
    """What the path names does not exist."""

    status = 404


def language_of(request: Request) -> str:
    """Language of an answer: `lang` of the query, else the first that `Accept-Language` prefers, else French."""
    return preferred(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))


def preferred(asked: str, accepted: str) -> str:
    """The same, of the two texts."""
    if asked in LANGUAGES:
        return asked
    best, weight = "fr", 0.0
    for part in accepted[:200].split(",") if accepted else ():
        name, _, quality = part.strip().partition(";q=")
        code = name.strip().lower()[:2]
        try:
            own = float(quality or 1)
        except ValueError:
            continue
        if code in LANGUAGES and own > weight:
            best, weight = code, own
    return best


def refusal(error: Exception) -> tuple[int, QpvgeoError]:
    """Status of an error, and the error of ours that stands for it; an unforeseen one says nothing of the request."""
    if not isinstance(error, QpvgeoError):
        return 500, QpvgeoError(Note("service.unexpected"), way_out=Note("service.report_it"))
    own = getattr(error, "status", None)
    return own or next((status for kind, status in _STATUS if isinstance(error, kind)), 500), error


def problem(error: Exception, lang: str) -> Response:
    """Problem document of an error.

    Returns
    -------
    starlette.responses.Response
        `application/problem+json`: `type` (a URN of the key), `title`, `status`, `key`, `problems` (a list), `way_out`.
    """
    status, ours = refusal(error)
    document: dict[str, Any] = {
        "type": f"urn:qpvgeo:{ours.key or 'problem'}",
        "title": _said(ours.message, lang),
        "status": status,
        "key": ours.key,
        "problems": [_said(one, lang) for one in ours.problems[:_LISTED]],
        "way_out": _said(_of_parameters(ours.way_out), lang) or None,
        "lang": lang,
    }
    if len(ours.problems) > _LISTED:
        document["problems"].append(Note("errors.more_problems", count=len(ours.problems) - _LISTED).say(lang))
    headers = {"content-language": lang, "cache-control": "no-store"}
    if isinstance(ours, BusyError):
        headers["retry-after"] = str(ours.seconds)
    return Response(orjson.dumps(document), status, headers, "application/problem+json")


def _of_parameters(way_out: str) -> str:
    if isinstance(way_out, Note) and way_out.key in _OF_PARAMETERS:
        return Note(_OF_PARAMETERS[way_out.key], **way_out.values)
    return way_out


def _said(text: str, lang: str) -> str:
    return text.say(lang) if isinstance(text, Note) else str(text)


def unforeseen(error: Exception, scope: Scope, path: str) -> None:
    """Write the kind of an unforeseen error to the log, where it was and in which request, by its number.

    Its text is left out: it may hold what was asked.
    """
    if isinstance(error, QpvgeoError):
        return
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    line = {"request": scope.get(NUMBER, ""), "path": path, "unforeseen": type(error).__name__, "where": where}
    _LOG.error(json.dumps(line))


def renewal_failed(error: Exception) -> None:
    """Write to the log why the data were not renewed, and the way out."""
    if isinstance(error, QpvgeoError):
        line = {"not_renewed": str(error.message), "problems": [str(one) for one in error.problems[:_LISTED]]}
        _LOG.error(json.dumps(line | {"way_out": str(error.way_out)}, ensure_ascii=False))
    else:
        _LOG.error(json.dumps({"not_renewed": type(error).__name__}))
