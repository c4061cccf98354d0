"""Index of perimeters: which of them cover a point, and how far the nearest boundary is, for millions of points.

Perimeters are kept by territory and vintage, in the legal projection of the territory. The index is built once, can be
saved to a file, and can be used by several threads and processes at once.
"""

import hashlib
import os
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError, judged, warn
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.tagging import index_file
from qpvgeo.tagging.coordinates import numbers_in
from qpvgeo.tagging.index_layer import IndexLayer
from qpvgeo.tagging.options import WIDEST_M, Distance
from qpvgeo.tagging.perimeter_frames import require_frames, rows_of
from qpvgeo.tagging.perimeter_source import Source, digest_of, identity_of, is_of_sample, partial_lists
from qpvgeo.tagging.plain_tags import PointTags
from qpvgeo.tagging.tag_arrays import Asked, tags_of

if TYPE_CHECKING:
    import pyproj

    from qpvgeo.tagging.batch_tagger import Tagger

__all__ = ["PerimeterIndex"]

_SAME_M2 = 1e-6
"""Areas closer than that are equal: the same outline from another first vertex differs in the last digits."""

_LOST_M = 300.0
"""Around the remains of an outline lost in repair, how far the perimeter may have been."""


class PerimeterIndex:
    """Perimeters with their point-location and distance indexes: built once, used again, shared.

    Parameters
    ----------
    qpv
        Perimeters with a CRS and a unique index, of any territories; several frames for several vintages, told apart
        by their column `vintage`. Any polygons will do. Rows without an outline are left out; invalid outlines count as
        the area that they enclose. A warning names the rows left out.
    reach_m
        Greatest distance to a boundary that is measured, metres; 2,000 at most.
    expected_points
        How many points will be located in all: from 4 million on a finer grid repays its construction. None goes by the
        number of points of the first call. Answers are the same.

    Raises
    ------
    DataError
        The CRS is missing, labels repeat, no row has an outline, shapes are not polygons, have a vertex with a
        coordinate that is missing or infinite, or lie in no French territory: all are listed.
    UsageError
        No frame is given, the codes are in a column and not in the index, or `reach_m` is not a distance.

    Notes
    -----
    Points are located as by `shapely.covers` in the legal projection of the territory: the boundary belongs to the
    perimeter. The location grid and the distance grid are built at the first call that needs them: about a second for
    the country. The name of each perimeter (`name`) and its communes (`lib_com`, `commune_qp`, or `communes`) are kept
    for the tags.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> index = PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024))
    >>> index
    <PerimeterIndex: 16 perimeters, vintage 2024, reach 500 m>
    >>> index.locate([188879.56, 0.0], [6562446.69, 0.0], territory="hexagone").tolist()
    [None, None]
    """

    @judged
    def __init__(
        self,
        qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame],
        *,
        reach_m: float = 500.0,
        expected_points: float | None = None,
    ) -> None:
        frames = list(qpv) if isinstance(qpv, list | tuple) else [qpv]
        if not frames:
            raise UsageError(Note("tagging.no_perimeters"), way_out=Note("tagging.give_perimeters"))
        require_frames(frames)
        if not _is_number(reach_m) or not 0 <= float(reach_m) <= WIDEST_M:
            raise UsageError(
                Note("tagging.not_a_reach", given=repr(reach_m), most=WIDEST_M), way_out=Note("tagging.measure_farther")
            )
        self.reach_m: float = float(reach_m)
        self._expected = expected_points
        read = [rows_of(frame) for frame in frames]
        rows = pd.concat([part for part, _ in read], ignore_index=True)
        if not rows["drawn"].any():
            raise DataError(
                Note("tagging.no_outline_at_all", count=sum(map(len, frames))), way_out=Note("tagging.look_at_file")
            )
        repeated = rows.loc[rows.duplicated(["vintage", "code"], keep=False) & rows["drawn"], "code"].unique()
        if len(repeated):
            raise DataError(
                Note("tagging.repeated_perimeters"), problems=map(str, repeated), way_out=Note("tagging.one_each")
            )
        self._layers = _layers(rows)
        self.taggers: dict[Any, tuple[Tagger, pyproj.CRS]] = {}
        self._about = Source(
            tuple(record for frame in frames for record in provenance.provenance(frame).get("files", [])),
            provenance.is_fictional(*frames) or any(map(is_of_sample, rows["code"].tolist())),
            [label for _, without in read for label in without],
            partial_lists(frames),
            identity_of(frames),
        )
        for note in self.notes:
            warn(note)

    def __repr__(self) -> str:
        """Count of perimeters, vintages and reach."""
        number = sum(len(layer.codes) for layer in self._layers.values())
        years = ", ".join(str(vintage) for vintage in self.vintages if vintage is not None)
        return f"<PerimeterIndex: {number} perimeters, vintage {years or 'none'}, reach {self.reach_m:g} m>"

    def __getstate__(self) -> dict[str, Any]:
        """Everything except what is prepared for the options of `tag`, which each process prepares for itself."""
        return vars(self) | {"taggers": {}}

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
        """What the tags do not know: perimeters without outline, lists of which a part is given."""
        without = self.without_outline
        partial: list[str] = [
            Note("tagging.partial", **one | {"listed": _either(one["listed"])}) for one in self._about.partial
        ]
        return [Note("tagging.without_outline", labels=without, count=len(without)), *partial] if without else partial

    @property
    def files(self) -> list[dict[str, Any]]:
        """Records of the files that the perimeters were read from."""
        return [dict(record) for record in self._about.files]

    def expected(self, points: int) -> float:
        """How many points will be located, as announced, or as many as a first call brings."""
        return points if self._expected is None else max(self._expected, points)

    def layer(self, territory: str, vintage: int | None) -> IndexLayer | None:
        """Perimeters of a territory and a vintage; None when the index has none."""
        return self._layers.get((territory, vintage))

    def tag(  # noqa: PLR0913 - the points and the options
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        crs: Any = 4326,  # noqa: ANN401 - whatever pyproj reads
        bands: Sequence[float] = (300, 500),
        distance: Distance = "exact",
        on: Any = None,  # noqa: ANN401 - a date, or its text
        vintage: int | None = None,
        tolerance_m: Any = 0.0,  # noqa: ANN401 - a number, or one for each point
    ) -> PointTags:
        """Tag points without a frame: `qpvgeo.tag_points` in plain arrays, for one point or for millions.

        The options are judged at the first call that has them, and kept: after it one point takes a fraction of a
        millisecond. Several threads may ask at once; in a service with workers of its own set `QPVGEO_THREADS=1`.

        Parameters
        ----------
        x, y
            Eastings or longitudes, northings or latitudes: one number or an array of each.
        crs
            Their CRS; WGS 84 degrees by default.
        bands, distance, on
            As for `qpvgeo.tag_points`.
        vintage
            Which one, where the index holds several and no day is given.
        tolerance_m
            Uncertainty in metres, one number or one for each point.

        Returns
        -------
        qpvgeo.tagging.plain_tags.PointTags
            Arrays `state`, `reason`, `qpv_code`, `qpv_name`, `qpv_commune`, `also_in`, `nearest_qpv`, `distance_m`,
            `band`, `territory` and `vintage`, one value per point; `rows()` for a dictionary of each.

        Raises
        ------
        UsageError
            Options are invalid, `x` and `y` are not numbers or not as many, the index holds several vintages and none
            is chosen, or does not measure as far as asked.

        Examples
        --------
        >>> import qpvgeo as qg
        >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
        >>> middle = qpv.geometry.iloc[0].representative_point()
        >>> tags = PerimeterIndex(qpv).tag([middle.x, -3.7, 45.97], [middle.y, 45.9, -3.6])
        >>> tags.state.tolist(), tags.reason[2], tags.distance_m[0]
        (['in', 'out', 'unknown'], 'latitude and longitude look swapped', np.float64(0.0))
        """
        own = tolerance_m if np.ndim(tolerance_m) == 0 else None
        return tags_of(self, x, y, Asked(crs, bands, distance, on, vintage, own), tolerance_m)

    def locate(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, territory: str = "hexagone", vintage: int | None = None
    ) -> npt.NDArray[np.object_]:
        """Label of the perimeter that covers each point, given in metres of the legal projection of a territory.

        For clean coordinates; `qpvgeo.tag_points` takes any, and gives states and reasons.

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
            Labels; None where no perimeter of the territory covers the point, or where a coordinate is not finite.

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
                Note("tagging.no_such_layer", territory=territory, vintage=str(chosen)),
                problems=[Note("tagging.layer", territory=place, vintage=str(year)) for place, year in self._layers],
                way_out=Note("tagging.name_a_layer"),
            )
        points = [numbers_in(axis) for axis in (x, y)]
        if points[0].shape != points[1].shape:
            raise UsageError(Note("tagging.arrays_differ", x=str(points[0].shape), y=str(points[1].shape)))
        layer.expect(self.expected(len(points[0])))
        return layer.codes, layer.grid.locate(*points)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to a file, distances included: beside, then renamed.

        Parameters
        ----------
        path
            File to write; 85 MB for the country. It holds the perimeters themselves and no code: reading a file of
            unknown origin is safe.

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
            The perimeters that it must have been built from; None checks nothing.

        Raises
        ------
        DataError
            The file is not an index, is damaged, has another form (that of qpvgeo 0.1.0 is refused), or was built from
            other perimeters.
        UsageError
            `path` is not a path.
        """
        if not isinstance(path, str | os.PathLike):
            raise UsageError(Note("tagging.not_a_path", kind=type(path).__name__), way_out=index_file.again())
        path = Path(path)
        about, layers = index_file.read(path)
        if qpv is not None:
            frames = list(qpv) if isinstance(qpv, list | tuple) else [qpv]
            require_frames(frames)
            if digest_of(identity_of(frames)) != about["digest"]:
                raise DataError(Note("tagging.other_perimeters", file=path.name), way_out=index_file.again())
        source = Source(tuple(about["files"]), about["fictional"], about["without_outline"], about["partial"])
        source.digest = about["digest"]
        index = cls.__new__(cls)
        vars(index).update(
            reach_m=about["reach_m"],
            _expected=None,
            _about=source,
            taggers={},
            _layers={(layer.territory, layer.vintage): layer for layer in layers},
        )
        return index

    @classmethod
    def together(cls, indexes: "Sequence[PerimeterIndex]") -> "PerimeterIndex":
        """One index of several geographies, made of an index of each: they share what is built.

        Parameters
        ----------
        indexes
            Indexes that measure as far as one another, and of which no two hold the same vintage of a territory.

        Raises
        ------
        UsageError
            None is given, they reach differently far, or two hold the same perimeters.

        Examples
        --------
        >>> import qpvgeo as qg
        >>> each = [PerimeterIndex(qg.read_qpv(path)) for path in (qg.sample().qpv_2015, qg.sample().qpv_2024)]
        >>> PerimeterIndex.together(each).vintages
        (2015, 2024)
        """
        layers = [item for one in indexes for item in one._layers.items()]  # noqa: SLF001 - its own
        held = dict(layers)
        if not indexes or len(held) < len(layers) or len({one.reach_m for one in indexes}) > 1:
            raise UsageError(Note("tagging.not_together"), way_out=Note("tagging.one_of_each_vintage"))
        source = Source(
            tuple(record for one in indexes for record in one.files),
            any(one.fictional for one in indexes),
            [label for one in indexes for label in one.without_outline],
            [partial for one in indexes for partial in one._about.partial],  # noqa: SLF001 - its own
        )
        source.digest = hashlib.sha256("".join(one.digest for one in indexes).encode()).hexdigest()
        index = cls.__new__(cls)
        vars(index).update(reach_m=indexes[0].reach_m, _expected=None, _about=source, taggers={}, _layers=held)
        return index


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever was given
    # True is a number to Python
    return isinstance(value, Real) and not isinstance(value, bool)


def _either(counts: Sequence[int]) -> int | Note:
    """A count, or one of the two that lists of the same geography have."""
    return counts[0] if len(counts) == 1 else Note("tagging.either", first=counts[0], second=counts[-1])


def _layers(rows: pd.DataFrame) -> dict[tuple[str, int | None], IndexLayer]:
    lost, rows = rows[~rows["drawn"]], rows[rows["drawn"]]
    rows = rows.assign(size=_ranks(shapely.area(rows["area"].to_numpy(dtype=object))))
    there = set(rows["territory"])
    years = sorted(set(rows["vintage"]), key=lambda year: year or 0)
    layers = {}
    for territory in (code for code in territories.territories() if code in there):
        for vintage in years:
            part = _of(rows, territory, vintage).sort_values(["size", "code"])
            if len(part):
                layers[territory, vintage] = IndexLayer(
                    territory,
                    vintage,
                    part["code"].tolist(),
                    part["area"].to_numpy(dtype=object).copy(),
                    names=part["name"].tolist(),
                    communes=part["communes"].tolist(),
                    lost=_around(_of(lost, territory, vintage)["area"].to_numpy(dtype=object)),
                )
    return layers


def _of(rows: pd.DataFrame, territory: str, vintage: int | None) -> pd.DataFrame:
    """Rows of a territory and a vintage, which may be None."""
    same = np.array([year == vintage for year in rows["vintage"]], dtype=bool)
    return rows[same & (rows["territory"] == territory).to_numpy()]


def _around(remains: npt.NDArray[np.object_]) -> Any:  # noqa: ANN401 - a shape, or None
    """Where perimeters lie of which remains are known; None for none."""
    if not len(remains):
        return None
    return shapely.union_all(shapely.buffer(shapely.convex_hull(remains), _LOST_M))


def _ranks(sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Rank of each area by its size, one for those that are equal."""
    order = np.argsort(sizes)
    ranks = np.empty(len(sizes), np.int64)
    ranks[order] = np.cumsum(np.diff(sizes[order], prepend=-np.inf) > _SAME_M2)
    return ranks
