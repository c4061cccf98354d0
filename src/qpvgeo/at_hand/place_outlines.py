"""Outlines of the communes around a place, from IGN's service, where the file of the country is not wanted."""

import datetime as dt
import json
from pathlib import Path

from qpvgeo import settings
from qpvgeo.at_hand import files, places
from qpvgeo.errors import OfflineError
from qpvgeo.formats import atomic_write
from qpvgeo.frames.provenance import file_record
from qpvgeo.language import Note
from qpvgeo.sources import hash_record, wfs

__all__ = ["PRODUCT", "SERVICE", "fetch_outlines"]

SERVICE = "https://data.geopf.fr/wfs"
PRODUCT = "ADMINEXPRESS-COG-CARTO"
_MARGIN_DEGREES = 0.05
"""Around the QPV of the place, so that its neighbours are on a map: about five kilometres."""


def fetch_outlines(place: str, data: Path | None = None, *, vintage: int = 2024, update: bool = False) -> Path:
    """Download the communes around the QPV of a place.

    Parameters
    ----------
    place
        A commune, EPCI, department or QPV by name or code; its QPV are those of the perimeters available.
    data
        Folder searched first for the perimeters.
    vintage
        Geography of the QPV.
    update
        Download again what is there.

    Returns
    -------
    pathlib.Path
        GeoJSON in the cache, with the edition in its name; `qpvgeo.lock.json` says the day, the layer and the hash. The
        newest edition that has a year is taken; `LATEST`, which moves, where the service lists no other.

    Raises
    ------
    MissingDataError
        No perimeters are available.
    UsageError
        The place is unknown, or too large for pages of features.
    DataError
        No QPV lies in it.
    FetchError
        The service does not answer or reports an exception.
    """
    qpv, label = places.qpv_of(files.perimeters(vintage, data), place, data)
    west, south, east, north = (float(one) for one in qpv.to_crs(4326).total_bounds)
    key = f"communes-around:{_code_of(label)}"
    known = hash_record.read().get(key)
    there: Path | None = settings.cache_dir() / "places" / known["file"] if known else None
    if there is not None and there.is_file() and not update:
        return there
    if settings.offline():
        raise OfflineError(Note("sources.offline", key=key), way_out=Note("sources.whole_country"))
    listed = wfs.editions(SERVICE, PRODUCT, "commune")
    edition = max((one for one in listed if one.isdigit()), default="LATEST")
    name = listed.get(edition, f"{PRODUCT}.LATEST:commune")
    margin = _MARGIN_DEGREES
    found = wfs.features(SERVICE, name, (west - margin, south - margin, east + margin, north + margin))
    target = settings.cache_dir() / "places" / f"{PRODUCT}_{edition}_communes_{_code_of(label)}.geojson"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    atomic_write.replace(target, lambda beside: beside.write_text(text, encoding="utf-8"))
    record = file_record(target)
    said = {"url": SERVICE, "layer": name, "edition": edition, "asked_on": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"}
    hash_record.record(key, hash_record.entry(target.name, record["sha256"], record["bytes"], **said))
    return target


def _code_of(label: str) -> str:
    """Code in the label of a place, `Lille (59350)`, made safe for the name of a file."""
    code = label.rpartition("(")[2].rstrip(")")
    return "".join(letter if letter.isalnum() else "-" for letter in code)
