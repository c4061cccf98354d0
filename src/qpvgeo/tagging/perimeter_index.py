"""The index of perimeters: which of them hold a point, and how far the nearest limit is, for millions of points.

Perimeters are kept by territory and vintage, each in its legal projection, where metres are metres. The index is built
once, may be kept in a file, and may be asked from several threads and processes at once.
"""

import hashlib
import os
import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.geometry.projection import to_metric
from qpvgeo.geometry.validity import mended
from qpvgeo.tagging import index_file
from qpvgeo.tagging.index_layer import Layer
from qpvgeo.tagging.options import WIDEST_M

__all__ = ["PerimeterIndex"]

_NAMED = 5

_SAME_M2 = 1e-6
"""Areas closer than that are equal: the same outline from another vertex on differs in the last digits."""

_CODE_COLUMNS = ("codeqp", "codeqpv", "qpvcode")

Shapes = npt.NDArray[np.object_]


@dataclass
class _Source:
    """Where the perimeters of an index come from."""

    files: tuple[Mapping[str, Any], ...]
    fictional: bool
    without_outline: list[str]
    partial: list[str]
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rows, made when it is asked for: it takes as long as a question about a million points."""
        return _digest(self.rows)


class PerimeterIndex:
    """Perimeters ready to be asked about points: built once, kept, shared.

    Parameters
    ----------
    qpv
        Perimeters with a CRS and a unique index, of any territories; several frames for several vintages, told apart
        by their column `vintage`. Any polygons will do. Rows without an outline are left out; invalid outlines count as
        the area that they enclose. A warning names the rows left out.
    reach_m
        Greatest distance to a limit that can be asked for, metres; 2,000 at most.

    Raises
    ------
    DataError
        The CRS is missing, labels repeat, no row has an outline, shapes are no areas, have a vertex that is no place or
        lie in no French territory: all are listed.
    UsageError
        There is no frame, the codes stand in a column and not in the index, or the reach is no distance.

    Notes
    -----
    The answers are those of `shapely.covers` in the legal projection of the territory: the limit belongs to the
    perimeter. What answers in or out, and what answers distances, are each built at the first question that needs them:
    about a second for the country.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> index = PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024))
    >>> index
    <PerimeterIndex: 16 perimeters, vintage 2024, reach 500 m>
    >>> index.locate([188879.56, 0.0], [6562446.69, 0.0], territory="hexagone").tolist()
    [None, None]
    """

    def __init__(
        self, qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame], *, reach_m: float = 500.0
    ) -> None:
        frames = list(qpv) if isinstance(qpv, list | tuple) else [qpv]
        if not frames:
            raise UsageError("An index needs perimeters.", way_out="Give a frame of qpvgeo.read_qpv().")
        _require_frames(frames)
        if not (isinstance(reach_m, int | float | np.number) and 0 <= reach_m <= WIDEST_M):
            raise UsageError(
                f"reach_m={reach_m!r} is no distance up to {WIDEST_M:g} m.",
                way_out="An index is for near limits; measure farther with `.distance()` of geopandas.",
            )
        self.reach_m = float(reach_m)
        read = [_rows(frame) for frame in frames]
        rows = pd.concat([part for part, _ in read], ignore_index=True)
        if rows.empty:
            raise DataError(
                f"There is no outline among {sum(map(len, frames))} perimeters: nothing can lie in one.",
                way_out="Look at the file that they were read from.",
            )
        repeated = rows.loc[rows.duplicated(["vintage", "code"], keep=False), "code"].unique()
        if len(repeated):
            raise DataError(
                "Perimeters stand several times.",
                problems=map(str, repeated),
                way_out="Give one frame for each vintage, with its column `vintage`, and labels that are unique.",
            )
        self._layers = _layers(rows)
        self._about = _Source(
            tuple(record for frame in frames for record in provenance.provenance(frame).get("files", [])),
            provenance.is_fictional(*frames) or any(map(_of_sample, rows["code"])),
            [label for _, without in read for label in without],
            _partial(frames),
            _identity(frames),
        )
        for note in self.notes:
            warnings.warn(note, stacklevel=2)

    def __repr__(self) -> str:
        """Count of perimeters, vintages and reach."""
        number = sum(len(layer.codes) for layer in self._layers.values())
        years = ", ".join(str(vintage) for vintage in self.vintages if vintage is not None)
        return f"<PerimeterIndex: {number} perimeters, vintage {years or 'none'}, reach {self.reach_m:g} m>"

    @property
    def vintages(self) -> tuple[int | None, ...]:
        """Vintages held, in order; None for perimeters without one."""
        return tuple(dict.fromkeys(sorted((vintage for _, vintage in self._layers), key=lambda year: year or 0)))

    @property
    def digest(self) -> str:
        """SHA-256 of the labels, vintages, projection and outlines that the index was built from."""
        return self._about.digest

    @property
    def fictional(self) -> bool:
        """Whether the perimeters are those of the sample."""
        return self._about.fictional

    @property
    def without_outline(self) -> list[str]:
        """Labels of the perimeters that have no outline: no point is found in them."""
        return list(self._about.without_outline)

    @property
    def notes(self) -> list[str]:
        """What the answers do not know, in words."""
        lacking, partial = self.without_outline, list(self._about.partial)
        if not lacking:
            return partial
        named = ", ".join(lacking[:_NAMED]) + (", ..." if len(lacking) > _NAMED else "")
        many = f"{len(lacking)} perimeters have" if len(lacking) > 1 else "1 perimeter has"
        return [f"{many} no outline in this file: nothing is found in or near {named}", *partial]

    @property
    def files(self) -> list[dict[str, Any]]:
        """Records of the files that the perimeters were read from."""
        return [dict(record) for record in self._about.files]

    def layer(self, territory: str, vintage: int | None) -> Layer | None:
        """Perimeters of a territory and a vintage; None when the index has none."""
        return self._layers.get((territory, vintage))

    def locate(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, territory: str = "hexagone", vintage: int | None = None
    ) -> npt.NDArray[np.object_]:
        """Label of the perimeter that holds each point, given in metres of the legal projection of a territory.

        The bare question, for those who have clean coordinates; `qpvgeo.tag_points` answers with states and reasons.

        Parameters
        ----------
        x, y
            Eastings and northings, metres.
        territory
            Code of the territory.
        vintage
            Which one, where the index holds several.

        Returns
        -------
        numpy.ndarray of object
            Labels; None where no perimeter of the territory holds the point, or where a coordinate is not finite.

        Raises
        ------
        UsageError
            The index holds no perimeter of that territory and vintage, or several vintages and none is chosen.
        """
        held, found = self.positions(x, y, territory=territory, vintage=vintage)
        labels: npt.NDArray[np.object_] = np.array([*held, None], dtype=object)
        return labels[found]

    def positions(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, territory: str = "hexagone", vintage: int | None = None
    ) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int32]]:
        """Labels of the perimeters of a territory, and for each point the position of its own among them, or -1.

        As `locate`, and lighter for tens of millions of points.
        """
        years = [year for place, year in self._layers if place == territory]
        chosen = years[0] if vintage is None and len(years) == 1 else vintage
        layer = self.layer(territory, chosen)
        if layer is None:
            raise UsageError(
                f"No perimeters of {territory}, vintage {chosen}, in the index.",
                problems=[f"{place}, vintage {year}" for place, year in self._layers],
                way_out="Name one of those it holds.",
            )
        points: list[npt.NDArray[np.float64]] = [
            np.ascontiguousarray(np.ma.filled(np.ma.asarray(axis, dtype=float), np.nan)) for axis in (x, y)
        ]
        if points[0].shape != points[1].shape:
            raise UsageError(f"The arrays of coordinates differ: {points[0].shape} and {points[1].shape}.")
        layer.expect(len(points[0]))
        return layer.codes, layer.grid.locate(*points)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to a file, distances included: beside, then renamed.

        Parameters
        ----------
        path
            File to write; 85 MB for the country. It holds the perimeters themselves, and no code: reading one from an
            unknown hand is safe.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        about = {
            "digest": self.digest,
            "files": self.files,
            "fictional": self.fictional,
            "without_outline": self.without_outline,
            "partial": self._about.partial,
        }
        index_file.write(Path(path), self._layers.values(), self.reach_m, about)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame] | None = None,
    ) -> "PerimeterIndex":
        """Read an index that `save` wrote.

        Parameters
        ----------
        path
            The file.
        qpv
            The perimeters that it must be of; None takes it as it is.

        Raises
        ------
        DataError
            The file is no index, is damaged, is of another version of the form, or was built from other perimeters.
        """
        path = Path(path)
        about, layers = index_file.read(path)
        if qpv is not None:
            frames = list(qpv) if isinstance(qpv, list | tuple) else [qpv]
            _require_frames(frames)
            if _digest(_identity(frames)) != about["digest"]:
                raise DataError(f"{path.name} was built from other perimeters.", way_out=index_file.AGAIN)
        source = _Source(tuple(about["files"]), about["fictional"], about["without_outline"], about["partial"])
        source.digest = about["digest"]
        index = cls.__new__(cls)
        vars(index).update(
            reach_m=about["reach_m"],
            _about=source,
            _layers={(layer.territory, layer.vintage): layer for layer in layers},
        )
        return index


def _require_frames(frames: Sequence[Any]) -> None:
    """Raise when something given is no layer of perimeters, or has labels or years that none has."""
    problems = []
    for position, frame in enumerate(frames):
        if not isinstance(frame, gpd.GeoDataFrame | gpd.GeoSeries):
            problems.append(f"number {position + 1} is a {type(frame).__name__}")
        elif isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is None:
            problems.append(f"number {position + 1} has no active geometry: .set_geometry(column)")
        elif frame.index.nlevels > 1:
            problems.append(f"number {position + 1} has an index of {frame.index.nlevels} levels")
        else:
            problems += [f"number {position + 1} {fault}" for fault in _faults(frame)]
    if problems:
        raise UsageError(
            "Perimeters are frames of outlines.", problems=problems, way_out="Give those of qpvgeo.read_qpv()."
        )


def _faults(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> list[str]:
    """What keeps a frame from being perimeters: years that are none, codes that stand in a column."""
    columns = list(getattr(frame, "columns", ()))
    faults = []
    if "vintage" in columns:
        years = pd.to_numeric(frame["vintage"], errors="coerce").astype("float64")
        wrong = frame["vintage"][(years.isna() | (years % 1 != 0)) & frame["vintage"].notna()].unique()
        faults += [f"has the vintage {year}" for year in wrong]
    held = next((name for name in columns if re.sub("[^a-z]", "", str(name).lower()) in _CODE_COLUMNS), None)
    if held is not None and pd.api.types.is_numeric_dtype(frame.index.dtype):
        faults.append(f"has row numbers for labels, and its codes in the column {held!r}: .set_index({held!r})")
    return faults


def _years(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> list[int | None]:
    """Vintage of each row, as a whole number, however it was written."""
    if not isinstance(frame, gpd.GeoDataFrame) or "vintage" not in frame:
        return [None] * len(frame)
    years = pd.to_numeric(frame["vintage"])
    return [None if pd.isna(year) else int(year) for year in years]


def _rows(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> tuple[pd.DataFrame, list[str]]:
    """Perimeters with their label, vintage and territory, in the legal projection; labels of those without outline."""
    shapes = mended(frame).to_numpy()
    drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    areas, place = to_metric(shapes[drawn], frame.crs, what="perimeters")
    labels = np.array([str(label) for label in frame.index], dtype=object)
    years = pd.Series(_years(frame), dtype=object)[drawn].to_numpy()
    rows = pd.DataFrame({"code": labels[drawn], "vintage": years, "territory": place, "area": areas}, dtype=object)
    return rows, labels[~drawn].tolist()


def _of_sample(label: str) -> bool:
    return official.vintage_of(label) is not None and official.of_qpv(label) == territories.SAMPLE


def _partial(frames: Sequence[gpd.GeoDataFrame | gpd.GeoSeries]) -> list[str]:
    """Notes on the territories of which fewer perimeters are given than any list of the geography holds."""
    given: Counter[tuple[str, int]] = Counter()
    for frame in frames:
        for label, year in zip(map(str, frame.index), _years(frame), strict=True):
            territory = (
                territories.of_department(official.of_qpv(label)) if official.vintage_of(label) == year else None
            )
            if year is not None and territory is not None:
                given[territory, year] += 1
    notes = []
    for (territory, year), many in given.items():
        listed = sorted(facts.expected_counts(year).get(territory, ()))
        if listed and many < listed[0]:
            all_of = " or ".join(f"{count:,}" for count in listed)
            are = "are" if many > 1 else "is"
            notes.append(
                f"{many:,} of the {all_of} perimeters of {territories.get(territory).name} ({year}) {are} given: "
                "a point outside of them may lie in another"
            )
    return notes


def _layers(rows: pd.DataFrame) -> dict[tuple[str, int | None], Layer]:
    rows = rows.assign(size=_ranks(shapely.area(rows["area"].to_numpy(dtype=object))))
    there = set(rows["territory"])
    known = [code for code in territories.territories() if code in there]
    years = sorted(set(rows["vintage"]), key=lambda year: year or 0)
    layers = {}
    for territory in known:
        for vintage in years:
            same = np.array([year == vintage for year in rows["vintage"]], dtype=bool)
            part = rows[same & (rows["territory"] == territory).to_numpy()].sort_values(["size", "code"])
            if len(part):
                areas = part["area"].to_numpy(dtype=object).copy()
                layers[territory, vintage] = Layer(territory, vintage, part["code"].tolist(), areas)
    return layers


def _ranks(sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Rank of each area by its size, one for those that are equal."""
    order = np.argsort(sizes)
    ranks = np.empty(len(sizes), np.int64)
    ranks[order] = np.cumsum(np.diff(sizes[order], prepend=-np.inf) > _SAME_M2)
    return ranks


def _identity(frames: Sequence[gpd.GeoDataFrame | gpd.GeoSeries]) -> list[tuple[Any, ...]]:
    """Projection, labels, years and outlines of frames, as they are now: the caller may change them afterwards."""
    return [
        (
            "" if frame.crs is None else frame.crs.to_string(),
            frame.index,
            _years(frame),
            frame.geometry.to_numpy().copy(),
        )
        for frame in frames
    ]


def _digest(rows: list[tuple[Any, ...]]) -> str:
    """SHA-256 of what an index is built from; the order of rows and frames does not count."""
    parts = []
    for crs, labels, years, shapes in rows:
        wkb = shapely.to_wkb(shapely.normalize(shapes))
        parts += [
            hashlib.sha256(f"{label}|{year}|{crs}|".encode() + (shape or b"")).digest()
            for label, year, shape in zip(labels, years, wkb, strict=True)
        ]
    return hashlib.sha256(b"".join(sorted(parts))).hexdigest()
