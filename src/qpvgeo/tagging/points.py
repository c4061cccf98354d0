"""Is this point in a QPV, and how far is the limit? Exactly, for each row, or why it cannot be said.

A point is `in` when a perimeter holds it (its limit included), `out` when it is known to lie in none, and `unknown` in
every other case, with the reason: nothing is out unless we know it is. Distances are those of the texts: to the limit,
in metres of the legal projection of the territory, never to a vertex and never by a buffer.

Source of the distances that matter (300 and 500 m): CGI article 278 sexies; see `qpvgeo.vat_zone` for the rules, which
ask about buildings and not about points.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import UsageError
from qpvgeo.frames import provenance
from qpvgeo.geometry.parallel import in_chunks
from qpvgeo.geometry.projection import transformer
from qpvgeo.tagging.coordinates import Coordinates, columns_fault, coordinates_of
from qpvgeo.tagging.counts import counted
from qpvgeo.tagging.in_force import Answering, by_day, by_vintage, day_notes
from qpvgeo.tagging.index_layer import Layer
from qpvgeo.tagging.options import STATES, Distance, Options, band_name
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.placement import REASONS, Places, number, place
from qpvgeo.tagging.tolerance import BAN_MIN_SCORE, BAN_SCORES, BAN_TYPES, tolerance_of

__all__ = ["BAN_MIN_SCORE", "BAN_SCORES", "BAN_TYPES", "Distance", "tag_points"]

_OUT, _UNKNOWN = 1, 2

Floats = npt.NDArray[np.float64]

Ints = npt.NDArray[np.int32]


def tag_points(  # noqa: PLR0913 - what is asked, and how the points are given
    points: Any,  # noqa: ANN401 - one of several forms, see below
    qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame] | PerimeterIndex,
    *,
    bands: Sequence[float] = (300, 500),
    distance: Distance = "exact",
    on: Any = None,  # noqa: ANN401 - a date, or its text
    tolerance_m: Any = 0.0,  # noqa: ANN401 - a number, a column, or one for each point
    xy: tuple[str, str] | None = None,
    crs: Any = None,  # noqa: ANN401 - whatever pyproj reads
) -> pd.DataFrame:
    """Tell for each point whether it lies in a perimeter, in which, and how far the nearest limit is.

    Parameters
    ----------
    points
        GeoDataFrame or GeoSeries of points; DataFrame with columns of coordinates; or a pair of arrays, eastings or
        longitudes first.
    qpv
        Perimeters, of one vintage or several (a list of frames), or a `PerimeterIndex` to be used again.
    bands
        Distances in metres, ascending, that the points outside are sorted by; `()` answers in or out alone.
    distance
        `exact`: metres to the nearest limit; 0 inside. `signed`: the same, and inside minus the distance to the limit
        of the perimeter that holds the point. `band`: the band alone.
    on
        A day (`"2019-03-14"`): each territory is answered by the geography in force on it. None answers by each
        vintage given. From 12 August 2025 to 14 January 2026 a point of Mayotte in no QPV of the list of 2025 is
        unknown: whether every commune was one already is not established. The notes tell of days for which the lists
        are not fully known.
    tolerance_m
        How far the points may be from where they are said to be: one number up to 2 km, the name of a column, a Series
        or an array (decimal commas are read). A point nearer to a limit than that is unknown. Of a column, what is
        missing, below zero, no number or more than 2 km (or more than an index that was given reaches) means too coarse
        to say anything: counted in the notes. A point that the tolerance makes unknown has no band, and one that is too
        coarse no distance either; nothing else changes.
        `"ban"` takes the columns `type` (or `result_type`) and `score` (or `result_score`) of the geocoder of the BAN:
        `housenumber` with a score of 0.5 or more is certain, anything else is too coarse.
    xy
        Columns of the coordinates of a DataFrame, eastwards first; by default `lon` and `lat`.
    crs
        CRS of a DataFrame or of arrays.

    Returns
    -------
    pandas.DataFrame
        A row for each point, in the same order, on the same index, which may repeat:

        - `state`: `in`, `out` or `unknown`.
        - `reason`: why it is unknown (one of `qpvgeo.tagging.placement.REASONS`); missing otherwise.
        - `qpv_code`: the perimeter that holds the point; where several do the smaller, then the lower label.
        - `also_in`: the others that hold it, separated by commas; missing for none.
        - with bands, unless `distance="band"`: `nearest_qpv` and `distance_m` (metres, legal projection) up to the
          widest band, missing beyond it and where the point has no place.
        - with bands: `band`, ordered: `in`, `within 300 m`, `within 500 m`, `beyond 500 m`; missing where unknown.
        - with `on`: `vintage`, of the geography that answers.

        Columns of text with few values are categories. Several vintages without `on` give each column once for each
        of them, with the year at the end: `state_2015`, `state_2024`. `attrs["qpvgeo"]` holds sources and vintages, and
        `notes`: perimeters that lack, most points outside France (is `crs` theirs?), tolerances that say nothing.

    Raises
    ------
    DataError
        The CRS is missing, shapes are no points, a table has no columns of longitude and latitude, or two of one name.
    UsageError
        Bands, distance, day, tolerance, columns or CRS cannot be understood: all are listed. Columns that are named are
        not there, tolerances are more or fewer than points, perimeters are none, or an index does not reach as far as
        the bands and the tolerance of all points.

    Notes
    -----
    The limit belongs to the perimeter, as for `shapely.covers`. Two perimeters at the same distance: the smaller, then
    the lower label is the nearest. The published outlines are at a scale of 1:4,000: the answer is indicative near a
    limit, and `tolerance_m` says so. A point of a territory whose perimeters were not given is unknown. Perimeters of a
    part of a territory (an extract) answer as if there were no others, and so do those that lack the outline of some:
    `out` is then out of the perimeters given, and a point may lie in another. A warning and `attrs["qpvgeo"]["notes"]`
    say so; `attrs["qpvgeo"]["without_outline"]` lists those without outline.

    Source of the perimeters in force: `qpvgeo.geography`.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv = qg.read_qpv(qg.sample().qpv_2024)
    >>> middle = qpv.geometry.iloc[0].representative_point()
    >>> tags = tag_points(([middle.x, -3.7, 45.97, None], [middle.y, 45.9, -3.6, 46.0]), qpv, crs=4326)
    >>> tags["state"].tolist(), tags["reason"][2]
    (['in', 'out', 'unknown', 'unknown'], 'latitude and longitude look swapped')
    >>> len(tag_points(([], []), qpv, crs=4326))
    0
    """
    options = Options(bands=bands, distance=distance, on=on, tolerance_m=tolerance_m, xy=xy, crs=crs)
    options.require(xy=columns_fault(points, xy))
    if isinstance(points, gpd.GeoDataFrame) and points.active_geometry_name is None:
        raise UsageError(
            "The frame of points has no active geometry.",
            way_out="Choose one with .set_geometry(column), or give a plain DataFrame with columns of coordinates.",
        )
    found = coordinates_of(points, xy=xy, crs=crs)
    given, limits = tolerance_of(points, tolerance_m, found.index), options.limits
    needed = max([*limits, options.tolerance or 0.0])
    index = qpv if isinstance(qpv, PerimeterIndex) else PerimeterIndex(qpv, reach_m=max(needed, given.widest))
    if index.reach_m < needed:
        raise UsageError(
            f"The index answers up to {index.reach_m:g} m, and {needed:g} m are asked for.",
            way_out=f"Build it for that: PerimeterIndex(qpv, reach_m={needed:g}).",
        )
    tolerance, beyond = given.within(index.reach_m)
    asked = _Asked(limits, distance, index.reach_m)
    places = place(found, fictional=index.fictional)
    if on is not None:
        frame = _on_day(found, places, index, asked, tolerance, on)
    elif len(index.vintages) == 1:
        frame = _frame(found, places, by_vintage(index, places.codes, index.vintages[0]), asked, tolerance)
    else:
        parts = [
            _frame(found, places, by_vintage(index, places.codes, vintage), asked, tolerance).add_suffix(f"_{vintage}")
            for vintage in index.vintages
        ]
        frame = pd.concat(parts, axis="columns")
    told = counted(found, places, no_distance=given.no_distance, beyond_reach=beyond)
    provenance.stamp(
        frame,
        index.files,
        vintages=list(index.vintages),
        on=None if on is None else str(on),
        bands=list(limits),
        distance=distance,
        without_outline=index.without_outline,
        notes=[*index.notes, *day_notes(index, on), *told.notes(found.crs, index.reach_m)],
        counted=asdict(told),
        fictional=index.fictional,
    )
    return frame


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked about each point."""

    bands: tuple[float, ...]
    distance: str
    reach: float


def _on_day(
    found: Coordinates,
    places: Places,
    index: PerimeterIndex,
    asked: _Asked,
    tolerance: Floats,
    on: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """Tags by the geography in force on a day in each territory."""
    answering = by_day(index, places.codes, on)
    frame = _frame(found, places, answering, asked, tolerance)
    years = pd.array([None if one.layer is None else one.layer.vintage for one in answering] + [None], dtype="Int64")
    frame["vintage"] = years.take(places.territory)
    return frame


def _frame(
    found: Coordinates, places: Places, answering: list[Answering], asked: _Asked, tolerance: Floats
) -> pd.DataFrame:
    """Tags by one layer of perimeters in each territory."""
    many = sum(len(one.layer.codes) for one in answering if one.layer is not None)
    answer = _Answer(places.reason, asked, many)
    for position, (code, one) in enumerate(zip(places.codes, answering, strict=True)):
        rows = (
            None if len(places.codes) == 1 and not places.reason.any() else np.flatnonzero(places.territory == position)
        )
        if one.layer is not None:
            answer.tag(rows, one.layer, _metres(found, rows, code), tolerance)
        elif tolerance.ndim:
            here = np.arange(len(tolerance)) if rows is None else rows
            answer.leave_open(here[np.isinf(tolerance[here])], "location too coarse")
        if reason := one.missing or one.doubt:
            answer.leave_open(rows, reason)
    return answer.frame(found.index)


def _metres(found: Coordinates, rows: Any, code: str) -> tuple[Floats, Floats]:  # noqa: ANN401
    """Coordinates of some points in the legal projection of their territory."""
    x, y = (found.x, found.y) if rows is None else (found.x[rows], found.y[rows])
    legal = pyproj.CRS.from_epsg(territories.get(code).epsg)
    if found.crs.equals(legal, ignore_axis_order=True):
        return np.ascontiguousarray(x), np.ascontiguousarray(y)
    move = transformer(found.crs, legal).transform
    moved = np.empty((2, len(x)))

    def part(rows: slice) -> None:
        moved[0, rows], moved[1, rows] = move(x[rows], y[rows])

    in_chunks(part, len(x))
    return moved[0], moved[1]


class _Answer:
    """Tags of all points, filled territory by territory."""

    def __init__(self, reason: npt.NDArray[np.int8], asked: _Asked, perimeters: int) -> None:
        many = len(reason)
        self.asked = asked
        self.reason = reason.copy()
        self.state = np.full(many, _OUT, np.int8)
        self.state[np.flatnonzero(reason)] = _UNKNOWN
        self.codes: list[str] = []
        # what is small is soon filled: tens of millions of points take longer to write down than to find
        self.kind = np.int16 if perimeters < np.iinfo(np.int16).max else np.int32
        self.of = np.full(many, -1, self.kind)
        self.also: dict[int, list[str]] = {}
        measured = many if asked.bands and asked.distance != "band" else 0
        self.near, self.distance = np.full(measured, -1, self.kind), np.full(measured, np.nan)
        # 0 is in, and the last one beyond all
        self.band = np.full(many if asked.bands else 0, len(asked.bands) + 1, np.int8)

    def leave_open(self, rows: Any, reason: str) -> None:  # noqa: ANN401
        """Make unknown the points of a territory that are out, those at some positions, or all of them for None."""
        rows = np.arange(len(self.state)) if rows is None else rows
        rows = rows[self.state[rows] == _OUT]
        self.state[rows], self.reason[rows] = _UNKNOWN, number(reason)
        if len(self.near):
            self.near[rows], self.distance[rows] = -1, np.nan

    def tag(self, rows: Any, layer: Layer, metres: tuple[Floats, Floats], tolerance: Floats) -> None:  # noqa: ANN401
        """Tag the points of a territory: those at some positions, or all of them for None."""
        x, y = metres
        offset = len(self.codes)
        self.codes += layer.codes.tolist()
        layer.expect(len(x))
        found, points, others = layer.grid.locate_all(x, y)
        for point, other in zip(points.tolist(), others.tolist(), strict=True):
            self.also.setdefault(point if rows is None else int(rows[point]), []).append(str(layer.codes[other]))

        def look(part: slice) -> None:
            here: Any = part if rows is None else rows[part]
            own = found[part]
            out = own < 0
            self.of[here] = np.where(out, -1, own + offset) if offset else own
            self.state[here] = out  # as numbers: in, out
            if measured:
                slack = tolerance[here] if tolerance.ndim else np.broadcast_to(tolerance, len(own))
                self._measure(here, layer, (x[part], y[part]), own, slack, offset)

        measured = bool(self.asked.bands) or bool(tolerance.any())
        if measured:
            # built before, or one thread would build while the other waits
            layer.limits(self.asked.reach)
        in_chunks(look, len(x))

    def _measure(
        self,
        here: Any,  # noqa: ANN401
        layer: Layer,
        metres: tuple[Floats, Floats],
        found: Ints,
        slack: Floats,
        offset: int,
    ) -> None:
        """Distances, bands, and what they make unknown."""
        limits = layer.limits(self.asked.reach)
        if slack.any():
            distance, near = limits.nearest(*metres)
            coarse = np.isinf(slack)
            close = (distance <= slack) & (slack > 0) & ~coarse
            self.state[here] = np.where(coarse | close, _UNKNOWN, self.state[here])
            reason = np.where(coarse, number("location too coarse"), number("near the limit"))
            self.reason[here] = np.where(coarse | close, reason, self.reason[here])
            distance[coarse], near[coarse] = np.nan, -1
            inside = np.flatnonzero((found >= 0) & ~coarse)
        else:
            distance, near = np.full(len(found), np.nan), np.full(len(found), -1, np.int32)
            outside, inside = np.flatnonzero(found < 0), np.flatnonzero(found >= 0)
            distance[outside], near[outside] = limits.nearest(metres[0][outside], metres[1][outside])
        bands = self.asked.bands
        if not bands:
            return
        distance[inside], near[inside] = 0.0, found[inside]
        known = np.flatnonzero(distance <= bands[-1])
        band = np.full(len(found), len(bands) + 1, np.int8)
        band[known] = np.searchsorted(bands, distance[known], "left") + 1
        band[inside] = 0
        self.band[here] = band
        if self.asked.distance == "band":
            return
        if self.asked.distance == "signed":
            for area in np.unique(found[inside]):
                rows = inside[found[inside] == area]
                limit = shapely.boundary(layer.areas[area])
                # taken from zero: minus zero is not what a point on the limit should read
                distance[rows] = 0.0 - shapely.distance(limit, shapely.points(metres[0][rows], metres[1][rows]))
        places = np.full((2, len(found)), np.nan)
        kept = np.r_[known, inside] if self.asked.distance == "signed" else known
        places[0, kept], places[1, kept] = distance[kept], near[kept] + offset
        self.distance[here], self.near[here] = places[0], np.where(np.isnan(places[1]), -1, places[1])

    def _merged(self) -> pd.Index:
        """Labels, each once: perimeters of several territories may have one."""
        position, unique = pd.factorize(np.array([*self.codes, ""], dtype=object)[:-1])
        if len(unique) < len(position):
            renumber = np.append(position, -1).astype(self.kind)

            def numbered(rows: slice) -> None:
                for places in (self.of, self.near):
                    places[rows] = renumber[places[rows]]

            in_chunks(numbered, len(self.of))
        return pd.Index(unique, dtype="str")

    def frame(self, index: pd.Index) -> pd.DataFrame:
        """Everything as a frame."""
        unknown = np.flatnonzero(self.state == _UNKNOWN)
        # what is not known to be in is said to be in nothing
        self.of[unknown] = -1
        codes = self._merged()
        columns: dict[str, Any] = {
            "state": pd.Categorical.from_codes(self.state, list(STATES)),
            "reason": pd.Categorical.from_codes(self.reason - 1, list(REASONS)),
            "qpv_code": pd.Categorical.from_codes(self.of, codes),
        }
        # a text for each row would take more memory than all the rest
        told = {row: ", ".join(others) for row, others in self.also.items() if self.state[row] != _UNKNOWN}
        texts = {text: position for position, text in enumerate(sorted(set(told.values())))}
        also = np.full(len(self.of), -1, np.int16 if len(texts) < np.iinfo(np.int16).max else np.int32)
        also[list(told)] = [texts[text] for text in told.values()]
        columns["also_in"] = pd.Categorical.from_codes(also, pd.Index(list(texts), dtype="str"))
        if self.asked.bands:
            if self.asked.distance != "band":
                columns["nearest_qpv"] = pd.Categorical.from_codes(self.near, codes)
                columns["distance_m"] = self.distance
            bands = self.asked.bands
            names = ["in", *(f"within {band_name(band)} m" for band in bands), f"beyond {band_name(bands[-1])} m"]
            self.band[unknown] = -1
            columns["band"] = pd.Categorical.from_codes(self.band, names, ordered=True)
        return pd.DataFrame(columns, copy=False).set_axis(index, axis="index")
