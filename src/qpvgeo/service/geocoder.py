"""Addresses by a geocoder that speaks as the national one does; asked only where the host names one."""

import json
import math
from typing import Any
from urllib.parse import urlsplit

import requests

from qpvgeo._version import __version__
from qpvgeo.errors import FetchError, UsageError
from qpvgeo.language import Note
from qpvgeo.settings import offline

__all__ = ["Geocoder"]

_SECONDS = (3.0, 5.0)
_MOST_BYTES = 1_000_000
_TEXT = 200


class Geocoder:
    """A geocoder, by the address of its search.

    Parameters
    ----------
    url
        Such as `https://data.geopf.fr/geocodage/search`; it is given `q` and `limit`, and nothing of the asker.

    Raises
    ------
    UsageError
        It is not the address of a site, or `QPVGEO_OFFLINE` forbids the network.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = urlsplit(url).netloc
        if urlsplit(url).scheme not in ("http", "https") or not self.host:
            raise UsageError(Note("service.not_a_geocoder", given=url[:_TEXT]), way_out=Note("service.name_a_geocoder"))
        if offline():
            raise UsageError(Note("service.geocoder_offline"), way_out=Note("service.without_geocoder"))

    def find(self, text: str, most: int) -> list[dict[str, Any]]:
        """Addresses that a text may mean, as the geocoder orders them.

        Returns
        -------
        list of dict
            `label`, `lon`, `lat`, `type` (of what was found), `score`, `citycode`: what `/v1/locate` is to be asked.

        Raises
        ------
        FetchError
            The geocoder does not answer, or not as expected.
        """
        try:
            with requests.get(
                self.url,
                params={"q": text, "limit": str(most)},
                timeout=_SECONDS,
                stream=True,
                headers={"user-agent": f"qpvgeo/{__version__}"},
            ) as answer:
                answer.raise_for_status()
                # what is longer is cut, and no JSON
                body = answer.raw.read(_MOST_BYTES, decode_content=True)
            found = [_address(one) for one in json.loads(body)["features"]]
        except (requests.RequestException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            # its text may hold what was asked
            raise FetchError(
                Note("service.geocoder_failed", host=self.host), way_out=Note("service.ask_by_point")
            ) from error
        return [one for one in found if one is not None][:most]


def _address(feature: Any) -> dict[str, Any] | None:  # noqa: ANN401 - of a JSON
    """An address of a GeoJSON; None for one without a place.

    Examples
    --------
    >>> _address({"geometry": {"coordinates": [2, 48.5]}, "properties": {"label": "a", "score": 0.9}})["lon"]
    2.0
    """
    about = feature["properties"]
    lon, lat = (float(one) for one in feature["geometry"]["coordinates"][:2])
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return None
    score = about.get("score")
    return {
        "label": str(about.get("label", ""))[:_TEXT],
        "lon": lon,
        "lat": lat,
        "type": None if about.get("type") is None else str(about["type"])[:40],
        "score": None if score is None else float(score),
        "citycode": None if about.get("citycode") is None else str(about["citycode"])[:5],
    }
