"""The place that a map shows: a commune, an EPCI, an EPT, a department, a QPV, or any box, in its legal projection.

A place is named by its code, or by a name as people write it. One that is not known is answered with those nearest to
it. What is drawn around it is cut to a frame a little wider than the place.
"""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from qpvgeo import codes, facts, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.projection import reproject, territory_of

__all__ = ["Place", "find_place", "near_names", "plain"]

Box = tuple[float, float, float, float]

_MARGIN = 0.04
_LEAST_M = 400.0
_NEAR = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A part of one territory, to be drawn.

    Attributes
    ----------
    name
        What a title calls it; empty for a box without a name.
    territory
        Code of the territory.
    frame
        West, south, east, north of the map, metres of the legal projection.
    outline
        Outline of the place, metres; None for a box.
    communes
        Codes of the communes that belong to it; empty when they are not known.
    """

    name: str
    territory: str
    frame: Box
    outline: Any
    communes: frozenset[str]

    @property
    def epsg(self) -> int:
        """Legal projection."""
        return territories.get(self.territory).epsg

    def metres(self, layer: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
        """Outlines of a layer that reach into the frame, in metres of the place; those not drawn are left out."""
        series = layer.geometry
        series = series[(series.notna() & ~series.is_empty).to_numpy()]
        place = territory_of(series.to_numpy(), series.crs)
        own = series[place == self.territory]
        shapes = reproject(own.to_numpy(), own.crs, self.epsg)
        inside = shapely.intersects(shapely.box(*self.frame), shapes)
        return gpd.GeoSeries(shapes[inside], index=own.index[inside], crs=self.epsg)


def plain(name: str) -> str:
    """Bare form of a name: no accent, no case, no hyphen.

    Examples
    --------
    >>> plain("Saint-Aubin-du-Large"), plain("L'Haÿ-les-Roses")
    ('saint aubin du large', 'l hay les roses')
    """
    text = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "Oe"))
    bare = "".join(letter for letter in text if not unicodedata.combining(letter)).casefold()
    return re.sub(r"[^a-z0-9]+", " ", bare).strip()


def near_names(asked: str, known: dict[str, str]) -> list[str]:
    """Known places whose code or name is near to what was asked: `59350 Lille`.

    Parameters
    ----------
    asked
        Code or name.
    known
        Names by code.
    """
    forms = {plain(name): code for code, name in known.items()} | {code.lower(): code for code in known}
    bare = plain(asked)
    parts = [code for form, code in forms.items() if bare and bare in form.split()]
    close = [forms[form] for form in difflib.get_close_matches(bare, forms, n=_NEAR, cutoff=0.6)]
    return [f"{code} {known[code]}".strip() for code in list(dict.fromkeys([*close, *parts]))[:_NEAR]]


def find_place(
    place: "str | Sequence[float] | Place | None",
    qpv: gpd.GeoDataFrame | gpd.GeoSeries,
    communes: gpd.GeoDataFrame | None = None,
    *,
    epci: pd.DataFrame | None = None,
) -> Place:
    """Find the place that a map shows.

    Parameters
    ----------
    place
        Code or name of a commune, an EPCI or EPT (SIREN), a department; code of a QPV; a box of west, south, east and
        north in degrees, or in metres of the legal projection; a place that was found before; None for all perimeters
        given.
    qpv
        Perimeters.
    communes
        Frame of `qpvgeo.read_communes` with outlines. Without it a department is the box of its QPV, and communes and
        EPCI are not known.
    epci
        Frame of `qpvgeo.read_epci`, for the names of EPCI.

    Raises
    ------
    UsageError
        There is no such place: names those nearest; or a name is that of several.
    DataError
        The place lies in several territories, or holds nothing that can be drawn.
    """
    if isinstance(place, Place):
        return place
    if place is None:
        return _around(qpv, "", frozenset())
    if not isinstance(place, str):
        return _boxed(place, qpv)
    asked = place.strip()
    vintage = codes.vintage_of(asked.upper())
    if vintage is not None and asked.upper() in qpv.index:
        one = qpv.loc[[asked.upper()]]
        name = one["name"].iloc[0] if "name" in one else asked.upper()
        return _around(one, f"{name} ({asked.upper()})", frozenset(), margin=0.6)
    units = _units(qpv, communes, epci)
    code = _resolved(asked, units)
    name, members, level = units[code]
    if members is None:
        own = qpv[qpv["department"] == code] if "department" in qpv else qpv.iloc[:0]
        return _around(own, name, frozenset())
    if communes is None:  # pragma: no cover - members come from communes
        raise DataError("Communes are not given.")
    words = name if level == "department" else f"{name} ({code})" if name != code else f"{level.upper()} {code}"
    return _around(communes.loc[members], words, frozenset(members))


Units = dict[str, tuple[str, list[str] | None, str]]


def _units(
    qpv: gpd.GeoDataFrame | gpd.GeoSeries, communes: gpd.GeoDataFrame | None, epci: pd.DataFrame | None
) -> Units:
    """Name, communes and level of every place that is known, by code."""
    departments = facts.names("departments")
    units: Units = {}
    if communes is None:
        own = qpv["department"].dropna().unique() if "department" in qpv else []
        return {str(code): (departments.get(str(code), str(code)), None, "department") for code in own}
    names = {} if epci is None else epci["name"].dropna().astype(str).to_dict()
    epts = facts.names("epts")
    for level in ("department", "epci", "ept"):
        if level in communes:
            for code, members in communes.groupby(level).groups.items():
                name = departments.get(code) if level == "department" else epts.get(code) or names.get(code)
                units[str(code)] = (name or str(code), list(members), level)
    for code, name in communes["name"].items():
        units[str(code)] = (str(name), [str(code)], "commune")
    return units


def _resolved(asked: str, units: Units) -> str:
    """Code of the place asked for by code or name."""
    if asked.upper() in units:
        return asked.upper()
    bare = plain(asked)
    same = [code for code, (name, _, _) in units.items() if plain(name) == bare]
    # a commune and the EPCI named after it: the smaller place is meant
    same = [code for code in same if units[code][2] == "commune"] or same
    if len(same) == 1:
        return same[0]
    known = {code: name for code, (name, _, _) in units.items()}
    if same:
        raise UsageError(
            f"{len(same)} places are called {asked!r}.",
            problems=[f"{code} {known[code]}" for code in same],
            way_out="Give the code.",
        )
    near = near_names(asked, known)
    raise UsageError(
        f"There is no place {asked!r} among those at hand.",
        problems=[f"near: {name}" for name in near],
        way_out="Give the code or name of a commune, an EPCI or EPT, a department, or a box of four numbers.",
    )


def _boxed(box: Sequence[float], qpv: gpd.GeoDataFrame | gpd.GeoSeries) -> Place:
    """Box in degrees, or in metres of the legal projection of the perimeters."""
    try:
        west, south, east, north = (float(side) for side in box)
    except (TypeError, ValueError):
        raise UsageError(f"{box!r} is no box.", way_out="Give west, south, east and north.") from None
    if not (west < east and south < north):
        raise UsageError(f"The box {west:g}, {south:g}, {east:g}, {north:g} is empty or turned round.")
    degrees = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
    if degrees:
        corners = gpd.GeoSeries([shapely.box(west, south, east, north)], crs=4326)
        return _around(corners, "", frozenset(), margin=0.0)
    territory = _only_territory(qpv)
    return Place("", territory, (west, south, east, north), None, frozenset())


def _around(
    layer: gpd.GeoDataFrame | gpd.GeoSeries, name: str, members: frozenset[str], *, margin: float = _MARGIN
) -> Place:
    """Place of some shapes, with a margin around them."""
    territory = _only_territory(layer)
    series = layer.geometry
    series = series[(series.notna() & ~series.is_empty).to_numpy()]
    shapes = reproject(series.to_numpy(), series.crs, territories.get(territory).epsg)
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    wide = max(margin * max(east - west, north - south), (_LEAST_M - max(east - west, north - south)) / 2, 0.0)
    outline = shapely.union_all(shapes) if members else None
    return Place(name, territory, (west - wide, south - wide, east + wide, north + wide), outline, members)


def _only_territory(layer: gpd.GeoDataFrame | gpd.GeoSeries) -> str:
    series = layer.geometry
    drawn = series[(series.notna() & ~series.is_empty).to_numpy()]
    if not len(drawn):
        raise DataError("There is nothing to draw.", way_out="Give outlines of the place.")
    found = [code for code in dict.fromkeys(territory_of(drawn.to_numpy(), drawn.crs)) if code is not None]
    if len(found) != 1:
        names = ", ".join(territories.get(code).name for code in found) or "none"
        raise DataError(
            f"A map is of one territory, and these shapes lie in {len(found)}: {names}.",
            way_out="Name a place, or draw the country with qpvgeo.maps.france().",
        )
    return str(found[0])
