"""The index of perimeters: which of them hold a point, and how far the nearest limit is, for millions of points.

Perimeters are kept by territory and vintage, each in its legal projection, where metres are metres. The index is built
once, may be kept in a file, and may be asked from several threads and processes at once.
"""

import hashlib
import json
import os
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import schema, territories
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.gridcover import mended
from qpvgeo.layer import Layer
from qpvgeo.limits import Limits
from qpvgeo.pointgrid import Frame, PointGrid
from qpvgeo.projection import to_metric

__all__ = ["WIDEST_M", "PerimeterIndex"]

_FORMAT = "qpvgeo perimeter index"
_VERSION = 3
_NAMED = 5
WIDEST_M = 2_000.0
"""Greatest reach of an index: what it keeps grows with the ground in reach of a limit."""

_KEPT = {"grid": ("coarse", "fine", "start", "held"), "limits": ("coarse", "fine", "start", "near", "edges")}

Shapes = npt.NDArray[np.object_]


@dataclass
class _Source:
    """Where the perimeters of an index come from."""

    files: tuple[Mapping[str, Any], ...]
    fictional: bool
    without_outline: list[str]
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
        The CRS is missing, labels repeat, shapes are no areas or lie in no French territory: all are listed.
    UsageError
        There is no frame, or the reach is no distance.

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
        rows = pd.concat([_rows(frame) for frame in frames], ignore_index=True)
        repeated = rows.loc[rows.duplicated(["vintage", "code"], keep=False), "code"].unique()
        if len(repeated):
            raise DataError(
                "Perimeters stand several times.",
                problems=map(str, repeated),
                way_out="Give one frame for each vintage, with its column `vintage`, and labels that are unique.",
            )
        self._layers = _layers(rows)
        self._about = _Source(
            tuple(record for frame in frames for record in schema.provenance(frame).get("files", [])),
            schema.is_fictional(*frames),
            [str(label) for frame in frames for label in np.asarray(frame.index)[~_drawn(frame)]],
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
        lacking = self.without_outline
        if not lacking:
            return []
        named = ", ".join(lacking[:_NAMED]) + (", ..." if len(lacking) > _NAMED else "")
        many = f"{len(lacking)} perimeters have" if len(lacking) > 1 else "1 perimeter has"
        return [f"{many} no outline in this file: nothing is found in or near {named}"]

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
        codes, found = self.positions(x, y, territory=territory, vintage=vintage)
        labels: npt.NDArray[np.object_] = np.array([*codes, None], dtype=object)
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
        """
        arrays: dict[str, npt.NDArray[Any]] = {}
        layers = []
        for number, ((territory, vintage), layer) in enumerate(self._layers.items()):
            layer.expect(np.inf)
            layers.append({"territory": territory, "vintage": vintage, "codes": layer.codes.tolist()})
            wkb = shapely.to_wkb(layer.areas)
            arrays[f"{number}.wkb"] = np.frombuffer(b"".join(wkb), np.uint8)
            arrays[f"{number}.ends"] = np.cumsum([len(one) for one in wkb])
            parts: dict[str, PointGrid | Limits] = {"grid": layer.grid, "limits": layer.limits(self.reach_m)}
            for name, part in parts.items():
                arrays[f"{number}.{name}.frame"] = np.array(astuple(part.frame))
                arrays |= {f"{number}.{name}.{key}": getattr(part, key) for key in _KEPT[name]}
        about = {
            "format": _FORMAT,
            "version": _VERSION,
            "digest": self.digest,
            "content": _content(layers, arrays),
            "layers": layers,
            "reach_m": self.reach_m,
            "files": self.files,
            "fictional": self.fictional,
            "without_outline": self.without_outline,
        }
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        target = Path(path)
        # a plain file, with the rights of any other: colleagues may read it
        beside = target.with_name(f".{target.name}.{os.getpid()}.new")
        try:
            with beside.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)  # noqa: PTH105 - a rename over what is there
        finally:
            beside.unlink(missing_ok=True)

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
        again = "Build it again: PerimeterIndex(qpv).save(path)."
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(arrays.pop("about").tobytes())
        except FileNotFoundError as error:
            raise MissingDataError(f"There is no index {path}.", way_out=again) from error
        except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{path.name} is no index of perimeters: {error}", way_out=again) from error
        if not isinstance(about, dict) or about.get("format") != _FORMAT:
            raise DataError(f"{path.name} is no index of perimeters.", way_out=again)
        if about.get("version") != _VERSION:
            raise DataError(
                f"{path.name} is an index of form {about.get('version')}, and this qpvgeo reads {_VERSION}.",
                way_out=again,
            )
        if about["content"] != _content(about["layers"], arrays):
            raise DataError(f"{path.name} is damaged: its content is not what was written.", way_out=again)
        if qpv is not None:
            frames = [qpv] if isinstance(qpv, gpd.GeoDataFrame | gpd.GeoSeries) else list(qpv)
            if _digest(_identity(frames)) != about["digest"]:
                raise DataError(f"{path.name} was built from other perimeters.", way_out=again)
        source = _Source(tuple(about["files"]), about["fictional"], about["without_outline"])
        source.digest = about["digest"]
        index = cls.__new__(cls)
        parts = [
            {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{number}.")}
            for number in range(len(about["layers"]))
        ]
        layers = [_loaded(one, part, about["reach_m"]) for one, part in zip(about["layers"], parts, strict=True)]
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
        elif frame.index.nlevels > 1:
            problems.append(f"number {position + 1} has an index of {frame.index.nlevels} levels")
        elif "vintage" in getattr(frame, "columns", ()) and not pd.api.types.is_numeric_dtype(frame["vintage"]):
            years = pd.to_numeric(frame["vintage"], errors="coerce")
            wrong = frame["vintage"][years.isna() & frame["vintage"].notna()].unique()
            problems += [f"number {position + 1} has the vintage {year!r}" for year in wrong]
    if problems:
        raise UsageError(
            "Perimeters are frames of outlines.", problems=problems, way_out="Give those of qpvgeo.read_qpv()."
        )


def _drawn(layer: gpd.GeoDataFrame | gpd.GeoSeries) -> npt.NDArray[np.bool_]:
    """Whether each row has an outline."""
    shapes = layer.geometry.to_numpy()
    return np.asarray(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))


def _rows(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> pd.DataFrame:
    """Perimeters that have an outline, with their label, vintage and territory, in the legal projection."""
    shapes = mended(frame)
    drawn = _drawn(shapes)
    shapes = shapes[drawn]
    areas, place = to_metric(shapes.to_numpy(), shapes.crs, what="perimeters")
    vintage = frame["vintage"][drawn].to_numpy() if isinstance(frame, gpd.GeoDataFrame) and "vintage" in frame else None
    years = [None if vintage is None or pd.isna(vintage[row]) else int(vintage[row]) for row in range(len(areas))]
    return pd.DataFrame(
        {
            "code": shapes.index.astype("str").to_numpy(dtype=object),
            "vintage": pd.Series(years, dtype=object),
            "territory": place,
            "area": areas,
        }
    )


def _layers(rows: pd.DataFrame) -> dict[tuple[str, int | None], Layer]:
    rows = rows.assign(size=shapely.area(rows["area"].to_numpy(dtype=object)))
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


def _identity(frames: Sequence[gpd.GeoDataFrame | gpd.GeoSeries]) -> list[tuple[Any, ...]]:
    """Projection, labels, years and outlines of frames, as they are now: the caller may change them afterwards."""
    return [
        (
            "" if frame.crs is None else frame.crs.to_string(),
            frame.index,
            frame["vintage"].tolist() if isinstance(frame, gpd.GeoDataFrame) and "vintage" in frame else None,
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
            for label, year, shape in zip(labels, years or [None] * len(labels), wkb, strict=True)
        ]
    return hashlib.sha256(b"".join(sorted(parts))).hexdigest()


def _content(layers: Any, arrays: Mapping[str, npt.NDArray[Any]]) -> str:  # noqa: ANN401 - plain JSON
    """SHA-256 of all that a file holds beside its own description."""
    found = hashlib.sha256(json.dumps(layers).encode())
    for name in sorted(arrays):
        found.update(name.encode())
        found.update(np.ascontiguousarray(arrays[name]).data.cast("B") if arrays[name].size else b"")
    return found.hexdigest()


def _loaded(about: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], reach: float) -> Layer:
    text, ends = arrays["wkb"].tobytes(), arrays["ends"].tolist()
    areas = shapely.from_wkb([text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)])
    frames = {}
    for name in _KEPT:
        x, y, cell, columns, rows = arrays[f"{name}.frame"].tolist()
        frames[name] = Frame(x, y, cell, int(columns), int(rows))
    kept: dict[str, dict[str, Any]] = {
        name: {key: arrays[f"{name}.{key}"] for key in keys} for name, keys in _KEPT.items()
    }
    return Layer(
        about["territory"],
        about["vintage"],
        about["codes"],
        areas,
        grid=PointGrid(areas, frames["grid"], **kept["grid"]),
        limits=Limits(reach, frames["limits"], **kept["limits"]),
    )
