"""The place that a map shows: a commune, an EPCI, an EPT, a department, a QPV, or any box, in its legal projection.

A place is named by its code, or by a name as people write it. One that is not known is answered with those nearest to
it. What is drawn around it is cut to a frame a little wider than the place.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames.forms import regions_of
from qpvgeo.geometry.projection import reproject, territory_of
from qpvgeo.geometry.validity import as_valid

__all__ = ["Place", "find_place", "near_names", "plain", "require_outlines"]

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
    bare
        Codes of the QPV that belong to it and have no outline; empty when that cannot be known.
    """

    name: str
    territory: str
    frame: Box
    outline: Any
    communes: frozenset[str]
    bare: tuple[str, ...] = ()

    @property
    def epsg(self) -> int:
        """Legal projection."""
        return territories.get(self.territory).epsg

    def metres(self, layer: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
        """Outlines of a layer that reach into the frame, in metres of the place; those not drawn are left out."""
        series = layer.geometry[_drawn(layer)]
        place = territory_of(series.to_numpy(), series.crs)
        own = series[place == self.territory]
        shapes = as_valid(reproject(own.to_numpy(), own.crs, self.epsg))
        inside = shapely.intersects(shapely.box(*self.frame), shapes)
        return gpd.GeoSeries(shapes[inside], index=own.index[inside], crs=self.epsg)

    def regions(self, layers: Iterable[pd.DataFrame | None]) -> set[str] | None:
        """Regions of what layers have about the frame; None when they do not tell."""
        found: set[str] = set()
        for layer in layers:
            if isinstance(layer, gpd.GeoDataFrame) and "department" in layer:
                move = pyproj.Transformer.from_crs(self.epsg, layer.crs, always_xy=True)
                box = shapely.box(*move.transform_bounds(*self.frame))
                near = shapely.intersects(box, shapely.box(*shapely.bounds(layer.geometry.to_numpy()).T))
                found |= set(regions_of(layer["department"][near]))
        return found or None


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


def require_outlines(**layers: Any) -> None:  # noqa: ANN401 - whatever was given
    """Raise one error that lists the layers that cannot be drawn.

    Raises
    ------
    UsageError
        A layer is no frame of outlines, its projection is not known, or one of its codes stands several times.
    """
    problems = []
    for name, layer in layers.items():
        if not isinstance(layer, gpd.GeoDataFrame | gpd.GeoSeries):
            problems.append(f"{name} is a {type(layer).__name__}, no frame with outlines")
        elif isinstance(layer, gpd.GeoDataFrame) and layer.active_geometry_name is None:
            problems.append(f"{name} has no column of outlines")
        elif layer.crs is None:
            problems.append(f"the projection (CRS) of {name} is not known")
        elif not layer.index.is_unique:
            twice = layer.index[layer.index.duplicated()]
            problems.append(f"{twice[0]} stands several times in {name}")
    if problems:
        raise UsageError(
            "These layers cannot be drawn.",
            problems=problems,
            way_out="Give frames of qpvgeo.read_qpv() and qpvgeo.read_communes() with outlines.",
        )


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
        Code or name of a commune, an EPCI or EPT (SIREN), a department or a QPV; a box of west, south, east and north
        in degrees, or in metres of the legal projection; a place that was found before; None for all perimeters given.
    qpv
        Perimeters.
    communes
        Frame of `qpvgeo.read_communes` with outlines. Without it a department is the box of its QPV, and communes and
        EPCI are not known.
    epci
        Frame of `qpvgeo.read_epci`, for the names of EPCI: maps know their codes alone, and take the place found here.

    Raises
    ------
    UsageError
        There is no such place: names those nearest; or a name is that of several; or layers cannot be drawn.
    DataError
        The place lies in several territories, or holds nothing that can be drawn.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> communes = qg.read_communes(sample.communes, table=sample.communes_table)
    >>> epci = qg.read_epci(sample.epci_table)
    >>> qpv = qg.read_qpv(sample.qpv_2024)
    >>> find_place("CC des Hautes Lames", qpv, communes, epci=epci).name
    'CC des Hautes Lames (299900027)'
    """
    require_outlines(qpv=qpv, **({} if communes is None else {"communes": communes}))
    if isinstance(place, Place):
        return place
    if place is None:
        return replace(_around(qpv, "", frozenset()), bare=_bare(qpv))
    if not isinstance(place, str):
        return _boxed(place, qpv, communes)
    units = _units(qpv, communes, epci)
    code = _resolved(place.strip(), units, qpv, communes)
    name, members, level = units[code]
    words = name if level == "department" else f"{name} ({code})" if name != code else f"{level.upper()} {code}".strip()
    if level == "qpv":
        if not _drawn(qpv.loc[[code]]).any():
            raise DataError(
                f"{words} has no outline in this file.", way_out="Name its commune, or read a file with its outline."
            )
        return _around(qpv.loc[[code]], words, frozenset(), margin=0.6)
    if members is None or communes is None:
        own = qpv[qpv["department"] == code]
        return replace(_around(own, name, frozenset()), bare=_bare(own))
    return replace(_around(communes.loc[members], words, frozenset(members)), bare=_bare(qpv, members))


def _drawn(layer: gpd.GeoDataFrame | gpd.GeoSeries) -> npt.NDArray[np.bool_]:
    """Which rows have an outline."""
    return np.asarray(layer.geometry.notna() & ~layer.geometry.is_empty)


def _bare(qpv: gpd.GeoDataFrame | gpd.GeoSeries, members: Sequence[str] | None = None) -> tuple[str, ...]:
    """QPV without an outline, of some communes or of all."""
    bare = qpv[~_drawn(qpv)]
    if members is not None and len(bare):
        lists = bare["communes"] if "communes" in bare else [None] * len(bare)
        bare = bare[[isinstance(one, list) and not set(one).isdisjoint(members) for one in lists]]
    return tuple(map(str, bare.index))


Units = dict[str, tuple[str, list[str] | None, str]]


def _units(
    qpv: gpd.GeoDataFrame | gpd.GeoSeries, communes: gpd.GeoDataFrame | None, epci: pd.DataFrame | None
) -> Units:
    """Name, communes and level of every place that is known, by code."""
    departments = facts.names("departments")
    units: Units = {}
    titles = qpv["name"] if "name" in qpv else pd.Series(None, index=qpv.index, dtype="object")
    for code, name in titles.items():
        if official.vintage_of(str(code)) is not None:
            units[str(code)] = (str(code) if pd.isna(name) else str(name), None, "qpv")
    if communes is None:
        own = qpv["department"].dropna().unique() if "department" in qpv else []
        return units | {str(code): (departments.get(str(code), str(code)), None, "department") for code in own}
    names = {} if epci is None else epci["name"].dropna().astype(str).to_dict()
    epts = facts.names("epts")
    for level in ("department", "epci", "ept"):
        if level in communes:
            for code, members in communes.groupby(level).groups.items():
                name = departments.get(code) if level == "department" else epts.get(code) or names.get(code)
                units[str(code)] = (name or str(code), list(members), level)
    known = communes["name"] if "name" in communes else pd.Series(None, index=communes.index, dtype="object")
    for code, name in known.items():
        units[str(code)] = (str(code) if pd.isna(name) else str(name), [str(code)], "commune")
    return units


def _resolved(asked: str, units: Units, qpv: gpd.GeoDataFrame | gpd.GeoSeries, communes: Any) -> str:  # noqa: ANN401
    """Code of the place asked for by code or name."""
    code, bare = asked.upper(), plain(asked)
    if code in units:
        return code
    same = [one for one, (name, _, _) in units.items() if plain(name) == bare]
    # a commune and the EPCI or QPV named after it: the commune is meant, and of the others not the QPV
    for narrower in ({"commune"}, {"department", "epci", "ept"}):
        same = [one for one in same if units[one][2] in narrower] or same
    if len(same) == 1:
        return same[0]
    known = {one: name for one, (name, _, _) in units.items()}
    if same:
        raise UsageError(
            f"{len(same)} places are called {asked!r}.",
            problems=[f"{one} {known[one]}" for one in same],
            way_out="Give the code.",
        )
    _require_geography(code, qpv)
    _require_ept(code, bare, communes)
    if official.vintage_of(code) is not None or re.match(r"Q[NP]\d", code):
        known = {one: name for one, name in known.items() if units[one][2] == "qpv"} or known
    # a spreadsheet takes zeros away
    padded = [f"0{code} {known[f'0{code}']}"] if f"0{code}" in known else []
    near = [*padded, *(one for one in near_names(asked, known) if one not in padded)]
    without = "" if communes is not None else " Communes, EPCI and EPT are known where communes are at hand."
    raise UsageError(
        f"There is no place {asked!r} among those at hand.",
        problems=[f"near: {one}" for one in near],
        way_out="Give the code or name of a commune, an EPCI or EPT, a department or a QPV, or a box of four numbers."
        + without,
    )


def _require_geography(code: str, qpv: gpd.GeoDataFrame | gpd.GeoSeries) -> None:
    """Raise when a code is of the other geography than the perimeters."""
    asked, held = official.vintage_of(code), {official.vintage_of(str(one)) for one in qpv.index} - {None}
    if asked is not None and held and asked not in held:
        raise UsageError(
            f"{code} is a code of the {asked} geography; these perimeters are of that of {held.pop()}.",
            way_out=f"Take the perimeters of {asked}: --vintage {asked} on the command line.",
        )


def _require_ept(code: str, bare: str, communes: Any) -> None:  # noqa: ANN401 - a frame, or None
    """Raise when an EPT is asked for and the communes do not say which are its own."""
    for siren, name in facts.names("epts").items():
        if code == siren or bare == plain(name):
            told = communes is not None and "ept" in communes and communes["ept"].notna().any()
            raise UsageError(
                f"{siren} {name} is an EPT, and " + ("none" if told else "no table says which") + " of the communes "
                "at hand lie in it.",
                way_out="Give Insee's table of the EPT to read_communes(..., table=[...]), or put it in the folder.",
            )


def _boxed(
    box: Sequence[float], qpv: gpd.GeoDataFrame | gpd.GeoSeries, communes: gpd.GeoDataFrame | None = None
) -> Place:
    """Box in degrees, or in metres of the legal projection of the shapes that it meets there."""
    try:
        west, south, east, north = (float(side) for side in box)
    except (TypeError, ValueError):
        hint = f" A code is text: {str(box)!r}." if isinstance(box, int) else ""
        raise UsageError(f"{box!r} is no box.", way_out=f"Give west, south, east and north.{hint}") from None
    words = f"The box {west:g}, {south:g}, {east:g}, {north:g}"
    if not (west < east and south < north):
        raise UsageError(f"{words} is empty or turned round.", way_out="Give west, south, east and north.")
    frame = shapely.box(west, south, east, north)
    if max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90:
        corners = gpd.GeoSeries([frame], crs=4326)
        if territory_of(corners.to_numpy(), corners.crs)[0] is None:
            raise UsageError(
                f"{words} lies in no French territory.",
                way_out="Give west, south, east and north: longitudes first and third.",
            )
        return _around(corners, "", frozenset(), margin=0.0)
    met = _met(frame, qpv) or ([] if communes is None else _met(frame, communes))
    if not met:
        raise DataError(f"{words}, in metres, meets nothing of what is given.", way_out="Give it in degrees.")
    if len(met) > 1:
        names = ", ".join(territories.get(code).name for code in met)
        raise UsageError(f"{words} is in metres, and meets ground of {names}.", way_out="Give it in degrees.")
    return Place("", met[0], (west, south, east, north), None, frozenset())


def _met(frame: Any, layer: gpd.GeoDataFrame | gpd.GeoSeries) -> list[str]:  # noqa: ANN401 - a box
    """Territories of which shapes meet a box when it is read in their legal projection."""
    series = layer.geometry[_drawn(layer)]
    place = territory_of(series.to_numpy(), series.crs)
    return [
        str(code)
        for code in dict.fromkeys(place)
        if code is not None
        and shapely.intersects(
            frame, reproject(series[place == code].to_numpy(), series.crs, territories.get(code).epsg)
        ).any()
    ]


def _around(
    layer: gpd.GeoDataFrame | gpd.GeoSeries, name: str, members: frozenset[str], *, margin: float = _MARGIN
) -> Place:
    """Place of some shapes, with a margin around them."""
    territory = _only_territory(layer)
    series = layer.geometry[_drawn(layer)]
    shapes = as_valid(reproject(series.to_numpy(), series.crs, territories.get(territory).epsg))
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    wide = max(margin * max(east - west, north - south), (_LEAST_M - max(east - west, north - south)) / 2, 0.0)
    outline = shapely.union_all(shapes) if members else None
    return Place(name, territory, (west - wide, south - wide, east + wide, north + wide), outline, members)


def _only_territory(layer: gpd.GeoDataFrame | gpd.GeoSeries) -> str:
    drawn = layer.geometry[_drawn(layer)]
    if not len(drawn):
        raise DataError("There is nothing to draw.", way_out="Give outlines of the place.")
    found = [code for code in dict.fromkeys(territory_of(drawn.to_numpy(), drawn.crs)) if code is not None]
    if not found:
        raise DataError("These shapes lie in no French territory.", way_out="Look at their projection.")
    if len(found) > 1:
        names = ", ".join(territories.get(code).name for code in found)
        raise DataError(
            f"A map is of one territory, and these shapes lie in {len(found)}: {names}.",
            way_out="Name a place, or draw the country: qpvgeo.maps.france(), --kind france on the command line.",
        )
    return str(found[0])
