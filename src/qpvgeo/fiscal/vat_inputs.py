"""What the rules on reduced VAT are given, checked: footprints, perimeters by code, lists of NPNRU conventions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames.require import require_outlines
from qpvgeo.geometry.projection import DEGREES, middles, reproject
from qpvgeo.geometry.validity import collapsed_as_lines, sound
from qpvgeo.language import Note
from qpvgeo.tagging import coordinates, placement

__all__ = ["Layer", "footprints_of", "lists_on", "one_of_each", "perimeters_of", "require_frames", "require_in_force"]

Objects = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Layer:
    """Perimeters, each in the legal projection of its territory; the sample counts as the hexagone, where it lies."""

    code: Objects
    territory: Objects
    shape: Objects

    def of(self, rows: Any) -> "Layer":  # noqa: ANN401 - a mask or positions
        """Give some of the perimeters."""
        return Layer(self.code[rows], self.territory[rows], self.shape[rows])


def require_frames(**given: Any) -> None:  # noqa: ANN401 - whatever a caller gives
    """Raise when something given is not a frame of outlines.

    Raises
    ------
    UsageError
        Names each, with what it is.
    """
    wrong = []
    for name, one in given.items():
        if not isinstance(one, gpd.GeoDataFrame | gpd.GeoSeries):
            wrong.append(Note("fiscal.is_a", name=name, given=type(one).__name__))
        elif isinstance(one, gpd.GeoDataFrame) and one.active_geometry_name is None:
            wrong.append(Note("fiscal.no_geometry", name=name))
    if wrong:
        raise UsageError(Note("fiscal.not_frames"), problems=wrong, way_out=Note("fiscal.not_frames_way_out"))


def perimeters_of(frame: gpd.GeoDataFrame | gpd.GeoSeries, what: str) -> Layer:
    """Perimeters of QPV by code, each in the legal projection of the territory of its code."""
    code = frame.index.to_series().astype("str")
    counts = code.value_counts()
    problems = [
        Note("fiscal.not_a_code", code=str(one))
        for one in code[code.map(official.vintage_of, na_action="ignore").isna()]
    ]
    problems += [
        Note("frames.several_rows", label=str(one), count=int(count)) for one, count in counts[counts > 1].items()
    ]
    if frame.crs is None:
        problems.append(Note("fiscal.no_crs"))
    if problems:
        raise DataError(
            Note("fiscal.no_perimeters_by_code", name=what),
            problems=problems,
            way_out=Note("fiscal.releases_as_a_list")
            if what == "qpv" and (counts > 1).any()
            else Note("fiscal.no_perimeters_by_code_way_out"),
        )
    own = code.map(official.of_qpv).map(territories.of_department)
    where = own.replace(territories.SAMPLE, "hexagone").to_numpy(dtype=object)
    return Layer(code.to_numpy(dtype=object), where, _measurable(_drawn(frame, what), where, what))


def _measurable(drawn: gpd.GeoSeries, place: Objects, name: str) -> Objects:
    """Outlines in the legal projection of the territory of each, made valid there; missing where there is no area."""
    given, shapes = collapsed_as_lines(drawn.to_numpy()), np.full(len(drawn), None, dtype=object)
    for territory in dict.fromkeys(place[place != None]):  # noqa: E711
        rows = place == territory
        shapes[rows] = reproject(given[rows], drawn.crs, territories.get(territory).epsg)
    return sound(shapes, drawn.index, name=name)


def _drawn(frame: gpd.GeoDataFrame | gpd.GeoSeries, name: str) -> gpd.GeoSeries:
    """Outlines of a layer; an empty one, or one with a non-finite coordinate, is set missing."""
    series = frame.geometry
    shapes = series.to_numpy().copy()
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    shapes[shapely.is_empty(shapes)] = None
    shapes[row[~np.isfinite(xy).all(axis=1)]] = None
    drawn = gpd.GeoSeries(shapes, index=series.index, crs=series.crs)
    require_outlines(drawn, name=name)
    return drawn


def lists_on(on: Any) -> tuple[pd.DataFrame, frozenset[str]]:  # noqa: ANN401 - a day, or its text
    """Lists on a day by territory, and where the next one may have been in force already: the one before stands there.

    As for points (`qpvgeo.tagging.applicable_perimeters`): what is in a QPV of the list before is in; any other place
    is unknown.
    """
    lists, unsettled = facts.geography(on), facts.unsettled(on)
    for territory, before in unsettled.items():
        lists.loc[territory, ["release", "note"]] = before["release"], before["note"] or pd.NA
        lists.loc[territory, ["vintage", "n_qpv"]] = int(before["vintage"]), int(before["n_qpv"])
    return lists, frozenset(unsettled)


def one_of_each(
    qpv: gpd.GeoDataFrame | gpd.GeoSeries | Sequence[gpd.GeoDataFrame | gpd.GeoSeries], lists: pd.DataFrame
) -> gpd.GeoDataFrame | gpd.GeoSeries:
    """Perimeters of one frame, or of several geographies and releases those that the lists of a day name.

    In each territory the frame with the most perimeters of the list is taken, the first of those alike; where none has
    any, the first, which `require_in_force` then refuses.
    """
    if isinstance(qpv, gpd.GeoDataFrame | gpd.GeoSeries):
        return qpv
    frames = list(qpv)
    codes = [frame.index.to_series().astype("str") for frame in frames]
    where = [own.map(_territory_of) for own in codes]
    fits = [own.index.isin(_of_list(own, place, lists)) for own, place in zip(codes, where, strict=True)]
    kept = []
    for territory in dict.fromkeys(place for own in where for place in own):
        here = [place.isna() if territory is None else place == territory for place in where]
        many = [int((one & fit).sum()) for one, fit in zip(here, fits, strict=True)]
        best = many.index(max(many)) if max(many) else next(rank for rank, one in enumerate(here) if one.any())
        rows = here[best] & fits[best] if max(many) else here[best]
        kept.append(frames[best].geometry[rows.to_numpy()])
    systems = {str(part.crs) for part in kept if part.crs is not None}
    if len(systems) > 1:
        kept = [part if part.crs is None else part.to_crs(DEGREES) for part in kept]
    return gpd.GeoSeries(pd.concat(kept), crs=kept[0].crs)


def _territory_of(code: str) -> str | None:
    if official.vintage_of(code) is None:
        return None
    territory = territories.of_department(official.of_qpv(code))
    return "hexagone" if territory == territories.SAMPLE else territory


def _of_list(codes: pd.Series, where: pd.Series, lists: pd.DataFrame) -> list[str]:
    """Codes that are of the list in force in their territory."""
    found: list[str] = []
    for territory in where.dropna().unique():
        if territory in lists.index:
            own = codes[where == territory]
            wrong = set(_strange(own, territory, lists.loc[territory]))
            found += [code for code in own if code not in wrong]
    return found


def _strange(codes: Iterable[str], territory: str, held: pd.Series) -> list[str]:
    """Codes that are not of a list; in Mayotte the list of 2026 is that of whole communes."""
    vintage, whole_communes = held["vintage"], held["release"] == facts.LAST_RELEASE.isoformat()
    return [
        code
        for code in codes
        if official.vintage_of(code) != vintage or (territory == "976" and code.endswith("C") != whole_communes)
    ]


def require_in_force(present: Layer, lists: pd.DataFrame, unsettled: frozenset[str]) -> None:
    """Refuse perimeters of a list that was not in force on the day in their territory, or not surely."""
    problems = []
    for territory in dict.fromkeys(present.territory):
        if territory not in lists.index:
            problems.append(Note("fiscal.no_list", territory=territories.get(territory).name))
            continue
        held = lists.loc[territory]
        if pd.isna(held["n_qpv"]):
            continue
        own = present.code[present.territory == territory]
        wrong = _strange(own, territory, held)
        if wrong:
            key = "fiscal.other_list_unsettled" if territory in unsettled else "fiscal.other_list"
            release = {"vintage": int(held["vintage"]), "release": str(held["release"])}
            problems.append(Note(key, territory=str(held["name"]), count=len(wrong), code=str(wrong[0]), **release))
    if problems:
        raise DataError(
            Note("fiscal.not_in_force", on=lists.attrs["on"]),
            problems=problems,
            way_out=Note("fiscal.not_in_force_way_out"),
        )


def footprints_of(
    footprints: gpd.GeoDataFrame | gpd.GeoSeries, *, fictional: bool = False
) -> tuple[Objects, Objects, Objects]:
    """Footprints in the legal projection of their territory, the territory, and why there is none."""
    had, drawn = footprints.geometry.to_numpy(), _drawn(footprints, "footprints")
    found = placement.place(
        coordinates.Coordinates(*middles(drawn.to_numpy()), drawn.crs, drawn.index, np.empty(0, np.intp)),
        fictional=fictional,
    )
    place = np.array([*found.codes, None], dtype=object)[found.territory]
    reasons = np.array([None, *placement.REASONS], dtype=object)[found.reason]
    shapes = _measurable(drawn, place, "footprints")
    absent = shapely.is_missing(shapes) & (place != None)  # noqa: E711
    reasons[absent] = Note("fiscal.no_area")
    reasons[shapely.is_missing(drawn.to_numpy())] = Note("fiscal.no_coordinates")
    reasons[shapely.is_missing(had) | shapely.is_empty(had)] = Note("fiscal.no_outline")
    place[absent] = None
    return shapes, place, reasons
