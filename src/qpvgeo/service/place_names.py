"""Places by what people type: QPV, communes and EPCI, without accents, from the data of the service itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qpvgeo.codes.places import plain
from qpvgeo.frames.forms import by_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import geopandas as gpd

    from qpvgeo import at_hand

__all__ = ["PlaceName", "find_places", "names_of"]

_KINDS = ("qpv", "commune", "epci")


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A place by its name.

    Attributes
    ----------
    kind
        `qpv`, `commune` or `epci`.
    code, name
        Its official code, and its name as published.
    plain
        The name as `qpvgeo.codes.places.plain` gives it.
    box
        West, south, east and north, degrees; None where no outline is held.
    vintage
        Of a QPV.
    within
        Names of the communes of a QPV, department of a commune.
    """

    kind: str
    code: str
    name: str
    plain: str
    box: tuple[float, float, float, float] | None = None
    vintage: int | None = None
    within: str = ""

    def record(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "kind": self.kind,
            "code": self.code,
            "name": self.name,
            "vintage": self.vintage,
            "within": self.within or None,
            "bbox": None if self.box is None else list(self.box),
        }


def names_of(frames: Mapping[int, at_hand.GeographyFrames]) -> list[PlaceName]:
    """Names of all places of the frames, QPV first, the newest vintage first."""
    found: list[PlaceName] = []
    for vintage, one in sorted(frames.items(), reverse=True):
        names = {} if one.communes is None else by_label(one.communes["name"].astype("str"))
        found += _quarters(one.qpv, vintage, names)
    newest = frames[max(frames)]
    if newest.communes is not None:
        boxes = _boxes(newest.communes)
        departments = newest.communes["department"].astype("str").tolist()
        rows = zip(newest.communes.index, newest.communes["name"], boxes, departments, strict=True)
        found += [
            PlaceName("commune", str(code), str(name), plain(str(name)), box, None, of) for code, name, box, of in rows
        ]
    if newest.epci is not None and "name" in newest.epci.columns:
        rows = newest.epci["name"].dropna().items()
        boxes_of = _boxes_of_epci(newest)
        found += [
            PlaceName("epci", str(code), str(name), plain(str(name)), boxes_of.get(str(code))) for code, name in rows
        ]
    return found


def find_places(places: Iterable[PlaceName], asked: str, most: int, kinds: Iterable[str] = _KINDS) -> list[PlaceName]:
    """Places that a text may mean, the likeliest first: by code, then by whole name, by its beginning, by its words.

    Examples
    --------
    >>> lille = PlaceName("commune", "59350", "Lille", plain("Lille"))
    >>> haye = PlaceName("commune", "94038", "L'Haÿ-les-Roses", plain("L'Haÿ-les-Roses"))
    >>> [one.code for one in find_places([lille, haye], "hay les", 5)], find_places([lille, haye], "59350", 5)[0].name
    (['94038'], 'Lille')
    """
    bare, code = plain(asked), asked.strip().upper()
    if not bare:
        return []
    wanted, word, start = set(kinds), f" {bare}", f"{bare} "
    ranked: list[tuple[int, int, int, PlaceName]] = []
    for row, one in enumerate(places):
        if one.kind not in wanted:
            continue
        if one.code == code:
            rank = 0
        elif one.plain == bare:
            rank = 1
        elif one.plain.startswith(start):
            rank = 2
        elif one.plain.startswith(bare):
            rank = 3
        elif word in one.plain:
            rank = 4
        elif one.code.startswith(code) and len(code) > 2:
            rank = 5
        else:
            continue
        ranked.append((rank, len(one.plain) if rank > 1 else 0, row, one))
    return [one for *_, one in sorted(ranked, key=lambda item: item[:3])[:most]]


def _quarters(qpv: gpd.GeoDataFrame, vintage: int, names: Mapping[Any, str]) -> Iterator[PlaceName]:
    own = qpv["name"] if "name" in qpv.columns else qpv.index.to_series()
    listed = qpv["communes"] if "communes" in qpv.columns else [None] * len(qpv)
    for code, name, box, communes in zip(qpv.index, own, _boxes(qpv), listed, strict=True):
        label = str(name) if isinstance(name, str) else str(code)
        within = (
            [names.get(one, str(one)) for one in communes] if isinstance(communes, list | tuple | np.ndarray) else []
        )
        yield PlaceName("qpv", str(code), label, plain(label), box, vintage, ", ".join(within))


def _boxes(frame: gpd.GeoDataFrame) -> list[tuple[float, float, float, float] | None]:
    found = frame.geometry.to_crs(4326).bounds.to_numpy().round(5).tolist()
    return [None if box[0] != box[0] else (box[0], box[1], box[2], box[3]) for box in found]


def _boxes_of_epci(frames: at_hand.GeographyFrames) -> dict[str, tuple[float, float, float, float]]:
    communes = frames.communes
    if communes is None or "epci" not in communes.columns:
        return {}
    boxes = communes.geometry.to_crs(4326).bounds
    grouped = boxes.groupby(communes["epci"].astype("str"))
    low, high = grouped[["minx", "miny"]].min(), grouped[["maxx", "maxy"]].max()
    sides = low.join(high).dropna().round(5)
    return {
        str(code): (row[0], row[1], row[2], row[3])
        for code, row in zip(sides.index, sides.to_numpy().tolist(), strict=True)
    }
