"""What the service answers from: indexes, perimeters, people, grids and names of places, read once and shared.

It is read in one process, written beside, and read again by each worker as it is: a worker has what it needs to answer
and nothing of what was needed to make it.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import os
import pickle
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
import pyproj
import shapely

from qpvgeo import at_hand
from qpvgeo._version import __version__
from qpvgeo.codes import territories
from qpvgeo.errors import MissingDataError, QpvgeoError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.language import LANGUAGES, Note, term
from qpvgeo.samples import FICTIONAL, sample
from qpvgeo.service.grid_cells import GridCells
from qpvgeo.service.place_names import PlaceName, names_of
from qpvgeo.service.row_texts import RowTexts
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.scalar_tags import OnePoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import geopandas as gpd

    from qpvgeo.service.zipped_page import ZippedPage

__all__ = ["VINTAGES", "Held"]

VINTAGES = (2015, 2024)
_KEPT = 512
_ALIGNED = 64
_LICENCE = "Licence Ouverte 2.0"
_SEEN = ("file", "sha256", "member", "producer", "vintage", "release", "licence")


@dataclass(eq=False)
class Held:
    """What the service answers from.

    Attributes
    ----------
    indexes
        Index of each vintage.
    index
        All of them in one, for days.
    qpv, population
        Perimeters, and published people where a table gives them, by vintage.
    grids
        Grids of incomes, one a file.
    places
        Names of QPV, communes and EPCI.
    pages
        The page of the atlas, by language; empty where it was not made.
    land
        Communes that the page draws; the workers have none.
    notes
        What was left out of the files available.
    sources
        Records of the files, each once, with their licences.
    credits
        The same as lines to print, by language.
    kept
        What was worked out for an answer and may be asked for again.
    texts
        Texts of rows in use.
    """

    indexes: dict[int, PerimeterIndex]
    index: PerimeterIndex
    qpv: dict[int, gpd.GeoDataFrame]
    population: dict[int, pd.DataFrame]
    grids: list[GridCells]
    places: list[PlaceName]
    pages: dict[str, ZippedPage] = field(default_factory=dict)
    land: gpd.GeoDataFrame | None = None
    notes: list[str] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    credits: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[Any, Any] = field(default_factory=dict)
    texts: RowTexts = field(default_factory=RowTexts)

    @classmethod
    def read(
        cls, data: str | os.PathLike[str] | None = None, *, fetch: bool = False, sample: bool = False, grid: bool = True
    ) -> Held:
        """Read what is available, and build the indexes whole.

        Parameters
        ----------
        data, fetch, sample
            As for `qpvgeo.load`.
        grid
            Whether to read the grids of incomes too, for the people of drawn polygons.

        Raises
        ------
        MissingDataError
            No perimeters of any geography are available: names the command that gets them.
        """
        frames: dict[int, at_hand.GeographyFrames] = {}
        missing: MissingDataError | None = None
        for vintage in reversed(VINTAGES):
            try:
                frames[vintage] = at_hand.load(vintage, data=data, fetch=fetch, sample=sample)
            except MissingDataError as error:
                missing = missing or error
        if not frames:
            assert missing is not None  # noqa: S101 - else a geography was read
            raise missing
        grids, notes = _grids(data, sample=sample) if grid else ([], [])
        held = cls.of(frames, grids)
        held.notes = notes
        return held

    @classmethod
    def of(cls, frames: dict[int, at_hand.GeographyFrames], grids: Sequence[pd.DataFrame] = ()) -> Held:
        """The same of frames that were read."""
        with warnings.catch_warnings():
            # what is missing is said with each answer
            warnings.simplefilter("ignore")
            # the finest grids: else a worker makes its own once it has seen many points, while somebody waits
            indexes = {
                vintage: PerimeterIndex(one.qpv, expected_points=math.inf) for vintage, one in sorted(frames.items())
            }
        held = cls(
            indexes,
            PerimeterIndex.together(list(indexes.values())),
            {vintage: _kept_columns(one.qpv) for vintage, one in frames.items()},
            {vintage: one.population for vintage, one in frames.items() if one.population is not None},
            [GridCells.of(grid) for grid in grids],
            names_of(frames),
        )
        held.land = frames[max(frames)].communes
        held.warm()
        held.sources, held.credits = held._cited()
        return held

    def warm(self) -> None:
        """Build all that a first question builds: a point of each territory is located and measured."""
        for vintage, frame in self.qpv.items():
            lon, lat = _one_of_each(frame)
            self.indexes[vintage].tag(lon, lat)
            self.index.tag(lon, lat, vintage=vintage)
        assert self.digest  # noqa: S101 - made once, before it is shared

    def ready(self) -> None:
        """Make in a worker what is not written for it, and a first question would wait for: outlines, projections."""
        for vintage, frame in self.qpv.items():
            lon, lat = _one_of_each(frame)
            self.indexes[vintage].tag(lon, lat)
            self.index.tag(lon, lat, vintage=vintage)
            for point in zip(lon.tolist(), lat.tolist(), strict=True):
                self.one_point(None, vintage).row(*point)
            assert frame.sindex is not None  # noqa: S101 - made once
        assert self._abouts  # noqa: S101 - made once

    @cached_property
    def digest(self) -> str:
        """Digest of all that answers depend on, the version of qpvgeo included."""
        files = sorted(str(record.get("sha256")) for record in self.sources)
        return hashlib.sha256(" ".join([__version__, self.index.digest, *files]).encode()).hexdigest()

    @property
    def vintages(self) -> list[int]:
        """Vintages held, the newest first."""
        return sorted(self.indexes, reverse=True)

    @cached_property
    def fictional(self) -> bool:
        """Whether the data are those of the sample."""
        return self.index.fictional

    def _cited(self) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
        """Records of the files, and lines that cite them; a worker is given both, and needs no maps for them."""
        from qpvgeo.maps.credits import source_line  # noqa: PLC0415 - it brings matplotlib
        from qpvgeo.sources import catalog  # noqa: PLC0415 - not needed by a worker

        frames, found = self._frames(), {}
        for record in (record for frame in frames for record in provenance.provenance(frame).get("files", [])):
            known = catalog.of_file(str(record.get("file", "")))
            own = {"licence": known.licence, "producer": known.producer} if known is not None else {}
            whole = {**own, **record}
            found[record.get("sha256"), record.get("member")] = {key: whole[key] for key in _SEEN if whole.get(key)}
        lines: dict[str, list[str]] = {lang: source_line(frames, lang).splitlines() for lang in LANGUAGES}
        return list(found.values()), lines

    def _frames(self) -> list[pd.DataFrame]:
        """All frames, or what stands for the provenance of a grid."""
        grids = []
        for grid in self.grids:
            grids.append(pd.DataFrame())
            grids[-1].attrs = grid.attrs
        return [*self.qpv.values(), *self.population.values(), *grids]

    @cached_property
    def _abouts(self) -> dict[str, dict[str, Any]]:
        return {lang: self._about(lang) for lang in LANGUAGES}

    def _about(self, lang: str) -> dict[str, Any]:
        notes = [_worded(note, lang) for note in [*self.index.notes, *self.notes]]
        told = {
            "indicative": Note("service.indicative").say(lang),
            "vintages": self.vintages,
            "licence": None if self.fictional else _LICENCE,
            "credits": self.credits[lang],
            "sources": self.sources,
            "notes": notes,
            "fictional": term(FICTIONAL, lang) if self.fictional else None,
            "lang": lang,
        }
        # worded once: it is most of the bytes of a short answer
        return {key: orjson.Fragment(orjson.dumps(value)) for key, value in told.items()}

    def about(self, lang: str) -> dict[str, Any]:
        """What every answer says: vintages, sources, licence, notes, and what it is worth; values for `orjson`."""
        return self._abouts[lang]

    def one_point(self, on: str | None, vintage: int | None) -> OnePoint:
        """What tells of single points by a vintage, or by the lists of a day."""
        key = ("point", on, vintage)
        found: OnePoint | None = self.kept.get(key)
        if found is None:
            found = OnePoint(self.index, on=on, vintage=vintage)
            self.keep(key, found)
        return found

    def keep(self, key: Any, value: Any) -> None:  # noqa: ANN401 - whatever is worked out
        """Keep something for the next one who asks."""
        if len(self.kept) >= _KEPT:
            self.kept.clear()
        self.kept[key] = value

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made again quickly."""
        made: dict[str, Any] = {"kept": {}, "land": None, "texts": RowTexts()}
        return {key: value for key, value in vars(self).items() if key != "_abouts"} | made

    def save(self, path: Path) -> None:
        """Write it for the workers of this run, who alone may read it; grids and arrays stand in files beside."""
        self.grids = [grid.stored(path.with_name(f"{path.name}-{row}.arrow")) for row, grid in enumerate(self.grids)]
        arrays: list[pickle.PickleBuffer] = []
        rest = pickle.dumps(self, protocol=5, buffer_callback=arrays.append)
        with _private(path.with_name(f"{path.name}-arrays")) as file:
            ends = [_appended(file, array.raw()) for array in arrays]
        with _private(path) as file:
            pickle.dump((ends, rest), file)

    @classmethod
    def load(cls, path: Path) -> Held:
        """Read what `save` wrote in this run; never a file from elsewhere. All workers map the same arrays."""
        with path.open("rb") as file:
            ends, rest = pickle.load(file)  # noqa: S301 - our own file, in a folder of our own
        with path.with_name(f"{path.name}-arrays").open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if ends else memoryview(b"")
        held = pickle.loads(rest, buffers=[mapped[start:end] for start, end in ends])  # noqa: S301 - as above
        if not isinstance(held, cls):
            raise UsageError(Note("service.not_held"))
        return held


def _private(path: Path) -> BinaryIO:
    """New file that nobody else may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _appended(file: BinaryIO, array: memoryview) -> tuple[int, int]:
    """Where an array begins and ends in a file that it is added to."""
    file.write(bytes(-file.tell() % _ALIGNED))
    start = file.tell()
    return start, start + file.write(array)


def _worded(note: str, lang: str) -> str:
    return note.say(lang) if isinstance(note, Note) else note


def _one_of_each(qpv: gpd.GeoDataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Longitudes and latitudes of a point in a perimeter of each territory."""
    drawn = qpv[qpv.geometry.notna() & ~qpv.geometry.is_empty]
    firsts = drawn.geometry[~drawn["territory"].astype("str").duplicated()].to_crs(4326)
    points = shapely.point_on_surface(np.asarray(firsts, dtype=object))
    return shapely.get_x(points), shapely.get_y(points)


def _kept_columns(qpv: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Perimeters with their canonical columns only."""
    kept = ["name", "vintage", "release", "territory", "department", "region", "communes", "geometry"]
    frame = qpv[[name for name in kept if name in qpv.columns]].copy()
    frame.attrs = dict(qpv.attrs)
    return frame


def _grids(data: str | os.PathLike[str] | None, *, sample: bool) -> tuple[list[pd.DataFrame], list[str]]:
    """Grids of incomes available, the newest first, and a note for each file that holds none that can be chosen."""
    from qpvgeo.read.grid.reader import read_grid  # noqa: PLC0415 - not needed by a worker
    from qpvgeo.sources import recognise  # noqa: PLC0415

    if sample:
        return [read_grid(_sample_grid(), keep=[])], []
    grids: list[pd.DataFrame] = []
    notes: list[str] = []
    # the newest grid may be in files of several territories
    for path in dict.fromkeys(one.path for one in recognise.of_kind("grid", data)):
        try:
            grids.append(read_grid(path, keep=[]))
        except QpvgeoError as error:
            notes.append(Note("service.grid_left_out", file=path.name, why=error.message))
    return sorted(grids, key=lambda grid: -(grid.attrs.get("vintage") or 0)), notes


def _sample_grid() -> Path:
    return sample().grid_2019


def legal(territory: str) -> pyproj.CRS:
    """Legal projection of a territory."""
    return pyproj.CRS.from_epsg(territories.get(territory).epsg)
