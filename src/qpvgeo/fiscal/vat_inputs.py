"""What the rules on reduced VAT are given, checked: footprints, perimeters by code, lists of NPNRU conventions."""

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
from qpvgeo.geometry.projection import middles, reproject
from qpvgeo.geometry.validity import mended
from qpvgeo.tagging import coordinates, placement

__all__ = ["Layer", "footprints_of", "lists_on", "perimeters_of", "require_frames", "require_in_force"]

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
    """Raise when something given is no frame of outlines.

    Raises
    ------
    UsageError
        Names each, with what it is.
    """
    wrong = {
        name: f"is a {type(one).__name__}"
        for name, one in given.items()
        if not isinstance(one, gpd.GeoDataFrame | gpd.GeoSeries)
    }
    for name, one in given.items():
        if isinstance(one, gpd.GeoDataFrame) and one.active_geometry_name is None:
            wrong[name] = "has no active geometry: .set_geometry(column)"
    if wrong:
        raise UsageError(
            "Footprints and perimeters are frames of outlines.",
            problems=[f"`{name}` {words}" for name, words in wrong.items()],
            way_out="Give each as one GeoDataFrame: perimeters of qpvgeo.read_qpv(path), several of them put together "
            "with pandas.concat(); footprints of geopandas.read_file(path).",
        )


def perimeters_of(frame: gpd.GeoDataFrame | gpd.GeoSeries, what: str) -> Layer:
    """Perimeters of QPV by code, each in the legal projection of the territory of its code."""
    code = frame.index.to_series().astype("str")
    problems = [f"{one!r} is not the code of a QPV" for one in code[code.map(official.vintage_of).isna()]]
    problems += [f"{one!r} stands {count} times" for one, count in code.value_counts().items() if count > 1]
    if frame.crs is None:
        problems.append("the projection (CRS) is not known")
    if problems:
        raise DataError(
            f"`{what}` holds no perimeters of QPV by code.",
            problems=problems,
            way_out="Make it with qpvgeo.read_qpv(), which accepts every published form.",
        )
    own = code.map(official.of_qpv).map(territories.of_department)
    where = own.replace(territories.SAMPLE, "hexagone").to_numpy(dtype=object)
    given, shapes = mended(_drawn(frame)).to_numpy(), np.full(len(frame), None, dtype=object)
    for territory in dict.fromkeys(where):
        rows = where == territory
        shapes[rows] = reproject(given[rows], frame.crs, territories.get(territory).epsg)
    return Layer(code.to_numpy(dtype=object), where, shapes)


def _drawn(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
    """Outlines of a layer; an empty one, or one with a coordinate that is no number, is set missing."""
    series = frame.geometry
    shapes = series.to_numpy().copy()
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    shapes[shapely.is_empty(shapes)] = None
    shapes[row[~np.isfinite(xy).all(axis=1)]] = None
    return gpd.GeoSeries(shapes, index=series.index, crs=series.crs)


def lists_on(on: Any) -> tuple[pd.DataFrame, frozenset[str]]:  # noqa: ANN401 - a day, or its text
    """Lists on a day by territory, and where the next one may have been in force already: the one before stands there.

    As for points (`qpvgeo.tagging.in_force`): what is in a QPV of the list before is in; any other place is unknown.
    """
    lists, unsettled = facts.geography(on), facts.unsettled(on)
    for territory, before in unsettled.items():
        lists.loc[territory, ["release", "note"]] = before["release"], before["note"] or pd.NA
        lists.loc[territory, ["vintage", "n_qpv"]] = int(before["vintage"]), int(before["n_qpv"])
    return lists, frozenset(unsettled)


def require_in_force(present: Layer, lists: pd.DataFrame, unsettled: frozenset[str]) -> None:
    """Refuse perimeters of a list that was not in force on the day in their territory, or not surely."""
    problems = []
    for territory in dict.fromkeys(present.territory):
        if territory not in lists.index:
            problems.append(f"{territory}: no list names QPV there")
            continue
        held = lists.loc[territory]
        if pd.isna(held["n_qpv"]):
            continue
        own = present.code[present.territory == territory]
        wrong = [code for code in own if official.vintage_of(code) != held["vintage"]]
        if territory == "976" and not wrong:
            wrong = [code for code in own if code.endswith("C") != (held["release"] == facts.LAST_RELEASE.isoformat())]
        if wrong:
            list_of = f"{held['vintage']} geography (release {held['release']})"
            if territory in unsettled:
                list_of += ", the last whose days are established"
            problems.append(f"{held['name']}: {len(wrong)} are not of the {list_of}, the first {wrong[0]}")
    if problems:
        raise DataError(
            f"These perimeters were not in force on {lists.attrs['on']}.",
            problems=problems,
            way_out="Give those of the release named for each territory; former QPV go to `former`. "
            "Leave out the rows of territories where no footprint lies.",
        )


def footprints_of(
    footprints: gpd.GeoDataFrame | gpd.GeoSeries, *, fictional: bool = False
) -> tuple[Objects, Objects, Objects]:
    """Footprints in the legal projection of their territory, the territory, and why there is none."""
    had, drawn = footprints.geometry.to_numpy(), _drawn(footprints)
    crs, given = drawn.crs, mended(drawn).to_numpy()
    found = placement.place(
        coordinates.Coordinates(*middles(given), crs, drawn.index, np.empty(0, np.intp)), fictional=fictional
    )
    place = np.array([*found.codes, None], dtype=object)[found.territory]
    reasons = np.array([None, *placement.REASONS], dtype=object)[found.reason]
    absent = shapely.is_missing(given) | shapely.is_empty(given)
    reasons[absent] = "no area"
    reasons[shapely.is_missing(drawn.to_numpy())] = "coordinates that are no numbers"
    reasons[shapely.is_missing(had) | shapely.is_empty(had)] = "no outline"
    place[absent] = None
    shapes = np.full(len(given), None, dtype=object)
    for territory in dict.fromkeys(place[place != None]):  # noqa: E711
        rows = place == territory
        shapes[rows] = reproject(given[rows], crs, territories.get(territory).epsg)
    return shapes, place, reasons
