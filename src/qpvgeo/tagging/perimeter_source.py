"""Where the perimeters of an index come from: their files, their digest, and the lists of which a part is given."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas as gpd
import shapely

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.tagging.perimeter_frames import years_of

__all__ = ["Source", "digest_of", "identity_of", "is_of_sample", "partial_lists"]


@dataclass
class Source:
    """Where the perimeters of an index come from."""

    files: tuple[Mapping[str, Any], ...]
    fictional: bool
    without_outline: list[str]
    partial: list[dict[str, Any]]
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rows, computed on demand: it takes as long as locating a million points."""
        return digest_of(self.rows)


def is_of_sample(label: str) -> bool:
    """Whether a label is a code of the fictional QPV of the sample."""
    return official.of_qpv(label) == territories.SAMPLE and official.vintage_of(label) is not None


def partial_lists(frames: Sequence[gpd.GeoDataFrame | gpd.GeoSeries]) -> list[dict[str, Any]]:
    """Territories of which fewer perimeters are given than any list of the geography has."""
    given: Counter[tuple[str, int]] = Counter()
    for frame in frames:
        for label, year in zip(map(str, frame.index.tolist()), years_of(frame), strict=True):
            if year is None or official.vintage_of(label) != year:
                continue
            territory = territories.of_department(official.of_qpv(label))
            if territory is not None:
                given[territory, year] += 1
    notes = []
    for (territory, year), many in given.items():
        listed = sorted(facts.expected_counts(year).get(territory, ()))
        if listed and many < listed[0]:
            name = territories.get(territory).name
            notes.append({"count": many, "listed": listed, "territory": name, "year": year})
    return notes


def identity_of(frames: Sequence[gpd.GeoDataFrame | gpd.GeoSeries]) -> list[tuple[Any, ...]]:
    """Projection, labels, years and outlines of frames, as they are now: the caller may change them afterwards."""
    return [
        (
            "" if frame.crs is None else frame.crs.to_string(),
            frame.index,
            years_of(frame),
            frame.geometry.to_numpy().copy(),
        )
        for frame in frames
    ]


def digest_of(rows: list[tuple[Any, ...]]) -> str:
    """SHA-256 of the perimeters; the order of rows and frames does not count."""
    parts = []
    for crs, labels, years, shapes in rows:
        wkb = shapely.to_wkb(shapely.normalize(shapes))
        parts += [
            hashlib.sha256(f"{label}|{year}|{crs}|".encode() + (shape or b"")).digest()
            for label, year, shape in zip(labels, years, wkb, strict=True)
        ]
    return hashlib.sha256(b"".join(sorted(parts))).hexdigest()
