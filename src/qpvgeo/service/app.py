"""The service as an ASGI application: paths, answers with their validators, and errors in words."""

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route

from qpvgeo._version import __version__
from qpvgeo.errors import judged
from qpvgeo.language import Note
from qpvgeo.service.guard import Guard
from qpvgeo.service.limits import Limits
from qpvgeo.service.locating import many_located
from qpvgeo.service.metrics import Metrics
from qpvgeo.service.openapi import document
from qpvgeo.service.place_names import find_places
from qpvgeo.service.polygons import people_of, polygons_of, vat_of
from qpvgeo.service.problems import PATH, BusyError, LimitError, NoSuchError, language_of, problem, unforeseen
from qpvgeo.service.qpv_answers import listed, one_qpv
from qpvgeo.service.request_parameters import RequestParameters, json_of
from qpvgeo.service.served_data import Held
from qpvgeo.service.single_point import SINGLE, SinglePoint
from qpvgeo.service.uploads import tagged_file
from qpvgeo.service.validators import has_tag, tag_of
from qpvgeo.service.work_queue import WorkQueue, body_of

if TYPE_CHECKING:
    from qpvgeo.service.geocoder import Geocoder

__all__ = ["create_app"]

_LIST = ("vintage", "territory", "commune", "bbox", "limit", "offset", "geometry")
_KINDS = ("qpv", "commune", "epci")
_SHARED = "public, max-age=3600"

Answer = Callable[["_Service", Request, str], Awaitable[Response]]


@judged
def create_app(
    held: Held, limits: Limits | None = None, *, origins: Sequence[str] = ("*",), geocoder: str | None = None
) -> Starlette:
    """Make the application, for `uvicorn` or any other server of ASGI.

    Parameters
    ----------
    held
        What it answers from: `Held.read(...)`.
    limits
        What a request and an asker may take; the defaults of `Limits` by default.
    origins
        Sites whose pages may ask; all by default, since nothing here is private and no cookie is set.
    geocoder
        Address of the search of a geocoder that speaks as the national one does
        (`https://data.geopf.fr/geocodage/search`), asked for addresses; none by default, and then no request leaves.

    Returns
    -------
    starlette.applications.Starlette
        Paths as `/openapi.json` tells them.

    Examples
    --------
    >>> from qpvgeo.service import Held, create_app
    >>> app = create_app(Held.read(sample=True, grid=False))
    >>> [route.path for route in app.routes][:3]
    ['/v1/locate', '/v1/locate', '/v1/tag']
    """
    limits = Limits() if limits is None else limits
    if not isinstance(held, Held) or not isinstance(limits, Limits):
        raise TypeError
    service = _Service(held, limits, geocoder)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        service.turns.close()

    single = SinglePoint(held, service.metrics)
    routes = [Route(SINGLE, single, methods=["GET"])]
    routes += [
        Route(path, _answering(service, path, answer, cache), methods=[method])
        for path, method, answer, cache in (_PATHS if geocoder is None else (*_PATHS, _ADDRESSES))
    ]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["x-qpvgeo-summary", "x-request-id", "etag", "retry-after"],
    )
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, limits=service.limits, metrics=service.metrics, single=single), cors],
        exception_handlers={HTTPException: functools.partial(_of_http, routes=routes)},
        lifespan=lifespan,
    )


class _Service:
    """What all answers share."""

    def __init__(self, held: Held, limits: Limits, geocoder: str | None) -> None:
        self.held, self.limits = held, limits
        self.geocoder = None if geocoder is None else _geocoder(geocoder)
        self.geocoding = 0
        self.metrics, self.turns = Metrics(), WorkQueue(limits)
        self.document: dict[str, bytes] = {}

    async def json(self, request: Request) -> Any:  # noqa: ANN401 - any JSON
        """Value of the body."""
        return json_of(await body_of(request, self.limits.json_bytes, self.limits.seconds))


def _geocoder(url: str) -> "Geocoder":
    from qpvgeo.service.geocoder import Geocoder  # noqa: PLC0415 - where one is named

    return Geocoder(url)


def _answering(service: _Service, path: str, answer: Answer, cache: str) -> Callable[[Request], Awaitable[Response]]:
    """Answer of a path: not made again where the asker has it, and an error in words whatever happens."""

    @functools.wraps(answer)
    async def answered(request: Request) -> Response:
        request.scope[PATH] = path
        lang = language_of(request)
        coding = request.headers.get("accept-encoding", "").encode()
        query: bytes = request.scope["query_string"]
        tag = tag_of(service.held.digest, request.url.path, query, lang, coding) if cache else b""
        kept = {"etag": tag.decode(), "vary": "Accept-Language, Accept-Encoding"} if tag else {}
        if tag and has_tag(request.scope["headers"], tag):
            return Response(status_code=304, headers={"cache-control": cache, **kept})
        try:
            made = await answer(service, request, lang)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:  # noqa: BLE001 - told in words, and nothing of the request goes to the log
            unforeseen(error, request.scope, path)
            return problem(error, lang)
        made.headers.setdefault("content-language", lang)
        made.headers.setdefault("cache-control", cache or "no-store")
        made.headers.update(kept)
        return made

    return answered


async def _of_http(request: Request, error: Exception, *, routes: list[Route]) -> Response:
    """Problem of a path or a method that is not there, with the methods of the path."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    key = {404: "service.no_such_path", 405: "service.no_such_method"}.get(status, "service.refused")
    paths = sorted({route.path for route in routes})
    told = LimitError(Note(key), status=status, way_out=Note("service.paths_are", paths=paths))
    made = problem(told, language_of(request))
    if status == 405:
        here = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
        made.headers["allow"] = ", ".join(sorted({method for route in here for method in route.methods or ()}))
    return made


def _json(value: dict[str, Any], media: str = "application/json") -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), media_type=media)


async def _locate_many(service: _Service, request: Request, lang: str) -> Response:
    asked = RequestParameters(request.query_params, ("on", "vintage", "tolerance_m"))
    on = asked.day()
    options: dict[str, Any] = {"on": on, "vintage": asked.vintage(service.held.vintages, on=on)}
    options["tolerance_m"] = asked.positive("tolerance_m")
    asked.require()

    def made(body: bytes) -> tuple[bytes, int, bool]:
        return many_located(service.held, json_of(body), options, lang, service.limits.points)

    async with service.turns.ticket(request):
        body = await body_of(request, service.limits.json_bytes, service.limits.seconds)
        text, many, collection = await service.turns.run(made, body)
    service.metrics.add("batch", many)
    return Response(text, media_type="application/geo+json" if collection else "application/json")


async def _tag(service: _Service, request: Request, lang: str) -> Response:
    response, rows = await tagged_file(request, service.held, service.turns, lang)
    service.metrics.add("file", rows)
    return response


async def _listed(service: _Service, request: Request, lang: str) -> Response:
    held, asked = service.held, RequestParameters(request.query_params, _LIST)
    vintage = asked.vintage(held.vintages)
    wanted = {
        "territory": asked.text("territory", 20),
        "commune": asked.text("commune", 5),
        "bbox": asked.read("bbox", _box, "service.kind_bbox"),
        "limit": asked.count("limit", 50, 500),
        "offset": asked.count("offset", 0, 100_000),
        "geometry": asked.choice("geometry", ("0", "1"), "1") == "1",
    }
    asked.require()
    assert vintage is not None  # noqa: S101 - no day was asked for
    return await service.turns.run(lambda: _json(listed(held, vintage, wanted, lang), "application/geo+json"))


def _box(text: str) -> tuple[float, ...]:
    sides = tuple(float(side) for side in text.split(","))
    west, south, east, north = sides
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValueError(text)
    return sides


async def _one(service: _Service, request: Request, lang: str) -> Response:
    RequestParameters(request.query_params, ()).require()
    code = request.path_params["code"].upper()
    if not (len(code) <= 12 and code.isascii() and code.isalnum()):
        raise NoSuchError(Note("service.not_a_code"), way_out=Note("service.find_places"))
    return await service.turns.run(lambda: _json(one_qpv(service.held, code, lang), "application/geo+json"))


async def _places(service: _Service, request: Request, lang: str) -> Response:
    asked = RequestParameters(request.query_params, ("q", "limit", "kind"))
    text, most = asked.text("q", 80, needed=True), asked.count("limit", 10, 50)
    kind = asked.choice("kind", _KINDS, "")
    asked.require()
    found = find_places(service.held.places, text or "", most, [kind] if kind else _KINDS)
    return _json({"places": [one.record() for one in found]} | service.held.about(lang))


async def _addresses(service: _Service, request: Request, lang: str) -> Response:
    asked = RequestParameters(request.query_params, ("q", "limit"))
    text, most = asked.text("q", 200, needed=True), asked.count("limit", 5, 20)
    asked.require()
    assert service.geocoder is not None  # noqa: S101 - else there is no such path
    if service.geocoding >= service.limits.waiting:
        raise BusyError(Note("service.busy"), status=503, seconds=5)
    service.geocoding += 1
    try:
        found = await run_in_threadpool(service.geocoder.find, text or "", most)
    finally:
        service.geocoding -= 1
    return _json({"addresses": found, "geocoder": service.geocoder.host} | service.held.about(lang))


async def _vat(service: _Service, request: Request, lang: str) -> Response:
    asked = RequestParameters(request.query_params, ("on", "npnru"))
    on, codes = asked.day(needed=True), asked.text("npnru", 2_000)
    asked.require()
    npnru = None if codes is None else [one.strip().upper() for one in codes.split(",") if one.strip()]
    async with service.turns.ticket(request):
        groups = polygons_of(await service.json(request), service.limits)
        made = await service.turns.run(vat_of, service.held, groups, on or "", npnru, lang)
    return _json(made)


async def _population(service: _Service, request: Request, lang: str) -> Response:
    if not service.held.grids:
        raise NoSuchError(Note("service.no_grid"), way_out=Note("service.get_a_grid"))
    RequestParameters(request.query_params, ()).require()
    async with service.turns.ticket(request):
        polygons = polygons_of(await service.json(request), service.limits)
        made = await service.turns.run(people_of, service.held, polygons, lang)
    return _json(made)


async def _health(service: _Service, _request: Request, lang: str) -> Response:
    return _json({"status": "ok", "version": __version__, "digest": service.held.digest} | service.held.about(lang))


async def _metrics(service: _Service, _request: Request, _lang: str) -> Response:
    return PlainTextResponse(service.metrics.text(), media_type="text/plain; version=0.0.4")


async def _openapi(service: _Service, _request: Request, lang: str) -> Response:
    if lang not in service.document:
        service.document[lang] = orjson.dumps(
            document(service.held, service.limits, lang, addresses=service.geocoder is not None)
        )
    return Response(service.document[lang], media_type="application/json")


async def _page(service: _Service, request: Request, lang: str) -> Response:
    packed = service.held.pages.get(lang)
    if packed is None:
        raise NoSuchError(Note("service.no_page"), way_out=Note("service.paths_are", paths=["/openapi.json"]))
    return packed.response(zipped="gzip" in request.headers.get("accept-encoding", ""))


_PATHS: tuple[tuple[str, str, Answer, str], ...] = (
    ("/v1/locate", "POST", _locate_many, ""),
    ("/v1/tag", "POST", _tag, ""),
    ("/v1/qpv", "GET", _listed, _SHARED),
    ("/v1/qpv/{code}", "GET", _one, _SHARED),
    ("/v1/places", "GET", _places, _SHARED),
    ("/v1/vat", "POST", _vat, ""),
    ("/v1/population", "POST", _population, ""),
    ("/health", "GET", _health, ""),
    ("/metrics", "GET", _metrics, ""),
    ("/openapi.json", "GET", _openapi, _SHARED),
    ("/", "GET", _page, _SHARED),
)

_ADDRESSES: tuple[str, str, Answer, str] = ("/v1/addresses", "GET", _addresses, "")
"""Where the host names a geocoder."""
