"""Features of a box from a Web Feature Service: pages put together, exception reports said in our words.

The box is longitudes and latitudes; the request has latitude first, as EPSG:4326 in a URN means. Nothing is said to be
whole unless the server's own count agrees.
Source: OGC 09-025r2 (WFS 2.0); IGN Géoplateforme, https://data.geopf.fr/wfs.
"""

import json
import re
import urllib.parse
from typing import Any

from qpvgeo.errors import FetchError, TruncatedError, UsageError
from qpvgeo.language import Note
from qpvgeo.sources import transfer

__all__ = ["PAGE", "editions", "features"]

PAGE = 250
"""Features asked at once."""

_MOST = 6_000
_CRS = "urn:ogc:def:crs:EPSG::4326"

Box = tuple[float, float, float, float]


def editions(service: str, product: str, layer: str, *, timeout: float = 30.0) -> dict[str, str]:
    """Layers of a product by their edition, as the service lists them: `{"2025": "PRODUCT.2025:layer"}`.

    Raises
    ------
    FetchError
        The service does not answer, or says no.
    """
    asked = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": "GetCapabilities"}
    body = transfer.page(f"{service}?{urllib.parse.urlencode(asked)}", timeout=timeout).decode("utf-8", "replace")
    _refuse_report(body, service)
    names = re.findall(rf"<(?:\w+:)?Name>\s*({re.escape(product)}\.(\w+):{re.escape(layer)})\s*</", body)
    return {edition: name for name, edition in names}


def features(service: str, name: str, box: Box, *, timeout: float = 30.0) -> dict[str, Any]:
    """Features of a layer that meet a box, as one GeoJSON collection.

    Parameters
    ----------
    service
        Address of the service.
    name
        Name of the layer.
    box
        West, south, east, north, in degrees.
    timeout
        Longest silence of the server.

    Returns
    -------
    dict
        The features once each, in the order of the server.

    Raises
    ------
    UsageError
        The box is none, or holds too many features for pages.
    FetchError
        The service does not answer or reports an exception; `TruncatedError`: the pages do not add up to its count.
    """
    west, south, east, north = box
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise UsageError(Note("sources.not_a_box", box=[str(one) for one in box]))
    found: dict[str, Any] = {}
    start, matched = 0, None
    while matched is None or start < matched:
        page, matched = _page(service, name, (south, west, north, east), start, timeout)
        if matched > _MOST:
            raise UsageError(Note("sources.too_many_features", count=matched), way_out=Note("sources.whole_country"))
        if not page:
            break
        for rank, one in enumerate(page, start):
            found.setdefault(str(one.get("id") or rank), one)
        start += len(page)
    if len(found) != matched:
        raise TruncatedError(
            Note("sources.pages_do_not_add_up", url=service, count=len(found), matched=matched or 0),
            way_out=Note("sources.later"),
        )
    return {"type": "FeatureCollection", "features": list(found.values())}


def _page(service: str, name: str, box: Box, start: int, timeout: float) -> tuple[list[dict[str, Any]], int]:
    """Features of a page, and how many the server counts in all."""
    asked = {
        "SERVICE": "WFS",
        "VERSION": "2.0.0",
        "REQUEST": "GetFeature",
        "TYPENAMES": name,
        "OUTPUTFORMAT": "application/json",
        "SRSNAME": "EPSG:4326",
        "BBOX": ",".join([*(f"{one:.6f}" for one in box), _CRS]),
        "COUNT": str(PAGE),
        "STARTINDEX": str(start),
    }
    body = transfer.page(f"{service}?{urllib.parse.urlencode(asked)}", timeout=timeout).decode("utf-8", "replace")
    _refuse_report(body, service)
    try:
        answer = json.loads(body)
        counted = next(answer[key] for key in ("numberMatched", "totalFeatures") if isinstance(answer.get(key), int))
        return list(answer["features"]), counted
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError) as error:
        raise FetchError(Note("sources.odd_answer", url=service, why="GeoJSON")) from error


def _refuse_report(body: str, service: str) -> None:
    """Raise what an exception report says."""
    if "ExceptionReport" not in body[:2_000]:
        return
    said = re.findall(r"ExceptionText>\s*(.*?)\s*</", body, re.DOTALL)
    code = re.search(r'exceptionCode="([^"]*)"', body)
    why = " ".join(said) or (code[1] if code else "?")
    raise FetchError(Note("sources.service_says", url=service, why=why[:500]))
