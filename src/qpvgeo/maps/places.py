"""The part of a territory that a map shows: any place by code or name, a QPV, or a box, in its legal projection.

Names and codes of territories, regions, departments, EPCI and communes are those of `qpvgeo.codes.places`; a map adds
the QPV of its perimeters. What is drawn around a place is cut to a frame a little wider than the place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import official, territories
from qpvgeo.codes.places import Area, areas_known, areas_named, near_names, plain, require_name, several_places
from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.forms import regions_of
from qpvgeo.geometry.projection import territory_of
from qpvgeo.indicators.named_communes import communes_of, qpv_in_commune_named
from qpvgeo.language import Note
from qpvgeo.maps.layers import Layers, drawn

__all__ = ["Place", "find_place", "require_outlines"]

Box = tuple[float, float, float, float]
Frame: TypeAlias = "gpd.GeoDataFrame | gpd.GeoSeries"

_MARGIN, _MARGIN_OF_QPV = 0.04, 0.6
_LEAST_M = 400.0
_BELONGS = 0.1
"""Part of a QPV that lies in a place from which it belongs to it, where no list of communes says so."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of one territory, to be drawn.

    Attributes
    ----------
    name
        What a title calls it; empty for a box.
    territory
        Code of the territory.
    frame
        West, south, east, north of the map, metres of the legal projection.
    outline
        Outline of the place, metres; None for a box, a QPV, and where no communes are given.
    communes
        Codes of the communes that belong to it; empty when they are not known.
    bare
        Codes of the QPV that belong to it and have no outline; empty when that cannot be known.
    code
        Code of the place; empty for a box.
    level
        One of the levels of `qpvgeo.codes.places`, `qpv`, or empty for a box.
    departments
        Departments that it lies in, where it is made of whole departments.
    """

    name: str
    territory: str
    frame: Box
    outline: Any
    communes: frozenset[str]
    bare: tuple[str, ...] = ()
    code: str = ""
    level: str = ""
    departments: tuple[str, ...] = ()
    _layers: Layers = field(default_factory=Layers, repr=False, compare=False)

    @property
    def epsg(self) -> int:
        """Legal projection."""
        return territories.get(self.territory).epsg

    @property
    def label(self) -> str:
        """Name and code: `Port-Brume (99001)`; the name alone where it says all, empty for a box."""
        alone = not self.name or self.code in self.name or self.level == "department"
        return self.name if alone else f"{self.name} ({self.code})"

    def metres(self, layer: Frame) -> gpd.GeoSeries:
        """Outlines of a layer that meet the frame, in metres of the place; rows without an outline are left out."""
        return self._layers.of(layer).within(self.territory, self.frame)

    def own(self, layer: Frame) -> npt.NDArray[np.bool_]:
        """Tell which QPV of `metres(layer)` belong to the place; all of them for a box."""
        shapes = self.metres(layer)
        if self.level == "qpv":
            return np.asarray(shapes.index == self.code)
        if self.departments and "department" in layer:
            return np.asarray(layer["department"].loc[shapes.index].isin(self.departments), dtype=bool)
        own = np.full(len(shapes), self.outline is None and not self.communes)
        if self.outline is not None:
            shared = shapely.area(shapely.intersection(shapes.to_numpy(), self.outline))
            own = np.asarray(shared >= _BELONGS * shapely.area(shapes.to_numpy()))
        if self.communes and "communes" in layer:
            lists = layer["communes"].loc[shapes.index]
            own = np.array(
                [
                    not self.communes.isdisjoint(codes) if isinstance(codes, list) and codes else by_area
                    for codes, by_area in zip(lists, own, strict=True)
                ],
                dtype=bool,
            )
        return own

    def regions(self, layers: Iterable[pd.DataFrame | None]) -> set[str] | None:
        """Regions of the rows of layers that lie around the frame; None when the layers do not say."""
        found: set[str] = set()
        for layer in layers:
            if isinstance(layer, gpd.GeoDataFrame) and "department" in layer:
                near = self.metres(layer).index
                found |= set(regions_of(layer["department"].loc[near]))
        return found or None


def require_outlines(**layers: Any) -> None:  # noqa: ANN401 - whatever was given
    """Raise one error that lists the layers that cannot be drawn.

    Raises
    ------
    UsageError
        A layer is not a frame of outlines, its projection is unknown, or one of its codes appears several times.
    """
    problems = []
    for name, layer in layers.items():
        if not isinstance(layer, gpd.GeoDataFrame | gpd.GeoSeries):
            problems.append(Note("maps.no_layer", layer=name, kind=type(layer).__name__))
        elif isinstance(layer, gpd.GeoDataFrame) and layer.active_geometry_name not in layer.columns:
            problems.append(Note("maps.no_geometry", layer=name))
        elif layer.crs is None:
            problems.append(Note("maps.no_crs", layer=name))
        elif not layer.index.is_unique:
            repeated = layer.index[layer.index.duplicated()]
            problems.append(Note("maps.repeated_code", layer=name, code=str(repeated[0])))
    if problems:
        raise UsageError(Note("maps.cannot_draw_layers"), problems=problems, way_out=Note("maps.give_layers"))


@judged
def find_place(
    place: "str | Sequence[float] | Place | None",
    qpv: "Frame | Sequence[gpd.GeoDataFrame]",
    communes: gpd.GeoDataFrame | None = None,
    *,
    epci: pd.DataFrame | None = None,
) -> Place:
    """Find the place that a map shows.

    Parameters
    ----------
    place
        Code or name of a region, a former region, a department, an EPCI or EPT, a commune, an arrondissement or a QPV;
        a box of west, south, east and north in degrees, or in metres of the legal projection; a place that was found
        before; None for all perimeters given.
    qpv
        Perimeters; or several layers of them.
    communes
        Frame of `qpvgeo.read_communes` with outlines. Without it a place is the box of its QPV, and communes are those
        that the perimeters name.
    epci
        Frame of `qpvgeo.read_epci`, for the names of EPCI.

    Raises
    ------
    UsageError
        There is no such place: names those nearest; or several have this name or code: lists them; or a layer cannot
        be drawn.
    DataError
        The place lies in several territories, or has no outline in what is given.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> communes = qg.read_communes(sample.communes, table=sample.communes_table)
    >>> epci = qg.read_epci(sample.epci_table)
    >>> qpv = qg.read_qpv(sample.qpv_2024)
    >>> find_place("Hautes Lames", qpv, communes, epci=epci).label
    'CC des Hautes Lames (299900027)'
    """
    perimeters = list(qpv) if isinstance(qpv, list | tuple) else [qpv]
    given = {"qpv" if len(perimeters) == 1 else f"qpv[{row}]": layer for row, layer in enumerate(perimeters)}
    require_outlines(**given, **({} if communes is None else {"communes": communes}))
    if isinstance(place, Place):
        return place
    if isinstance(place, str):
        require_name(place)
    finder = _Finder(perimeters, communes, epci)
    if place is None:
        return replace(finder.around([(layer, None) for layer in perimeters]), bare=finder.bare(None))
    return finder.named(place.strip()) if isinstance(place, str) else finder.boxed(place)


class _Finder:
    """Perimeters and communes in which places are looked for."""

    def __init__(self, perimeters: list[Frame], communes: gpd.GeoDataFrame | None, epci: pd.DataFrame | None) -> None:
        self.perimeters, self.communes, self.epci = perimeters, communes, epci
        self.layers = Layers()
        self.names: dict[str, str] = {}
        for layer in reversed(perimeters):
            titles = layer["name"] if "name" in layer else pd.Series(None, index=layer.index, dtype="object")
            for code, name in zip(map(str, titles.index), titles, strict=True):
                if official.vintage_of(code) is not None:
                    self.names[code] = code if pd.isna(name) else str(name)

    def named(self, asked: str) -> Place:
        """Place of a code or name: that of a QPV, of an area, then a name of a QPV."""
        if asked.upper() in self.names:
            return self.of_qpv(asked.upper())
        areas = areas_named(asked, self._units(), self.epci)
        if not areas:
            # EPCI and EPT by name alone, to say that their communes are not known
            areas = [area for area in areas_named(asked, None, self.epci) if area.level in ("epci", "ept")]
        if len(areas) == 1:
            return self.of_area(areas[0])
        if not areas and self.communes is None and (place := self._named_by_qpv(asked)):
            return place
        same = [] if areas else [code for code, name in self.names.items() if plain(name) == plain(asked)]
        if len(same) == 1:
            return self.of_qpv(same[0])
        if areas:
            raise several_places(asked, areas, self._units())
        if same:
            raise UsageError(
                Note("codes.several_places", count=len(same), name=asked),
                problems=[Note("codes.choice", place=f"{self.names[code]} ({code})", level="QPV") for code in same],
                way_out=Note("codes.choose_place", example=same[0]),
            )
        raise self._unknown(asked)

    def _named_by_qpv(self, asked: str) -> Place | None:
        """Place of the QPV whose published names of communes hold a name; None where none does."""
        frames = [layer for layer in self.perimeters if isinstance(layer, pd.DataFrame)]
        found = [qpv_in_commune_named(layer, asked) for layer in frames]
        departments = sorted({code for by_department in found for code in by_department})
        if len(departments) > 1:
            raise several_places(asked, [Area("commune", code, asked, (code,)) for code in departments])
        if not departments:
            return None
        parts = [
            (layer, by_department.get(departments[0], set()))
            for layer, by_department in zip(frames, found, strict=True)
        ]
        name = asked.removesuffix(f"({departments[0]})").strip()
        return replace(self.around(parts), name=name, level="commune")

    def _unknown(self, asked: str) -> UsageError:
        code = asked.upper()
        vintage = official.vintage_of(code)
        held = {official.vintage_of(one) for one in self.names}
        if vintage is not None and held and vintage not in held:
            return UsageError(
                Note("maps.other_geography", code=code, asked=vintage, held=sorted(str(year) for year in held if year)),
                way_out=Note("maps.take_geography", vintage=vintage),
            )
        quarters = [Area("commune", code, name, ()) for code, name in self.names.items()]
        of_a_qpv = vintage is not None or code[:2] in ("QN", "QP")
        near = near_names(asked, quarters if of_a_qpv else [*areas_known(self._units(), self.epci), *quarters])
        key = "maps.no_place" if self.communes is not None else "maps.no_place_without_communes"
        return UsageError(
            Note("codes.unknown_place", name=asked),
            problems=[Note("codes.near_place", place=place) for place in near],
            way_out=Note(key),
        )

    def _units(self) -> pd.DataFrame | None:
        """Communes given, or those that the perimeters name."""
        if self.communes is not None:
            return self.communes
        return communes_of(*(layer for layer in self.perimeters if isinstance(layer, pd.DataFrame)))

    def of_qpv(self, code: str) -> Place:
        """Place of a QPV, with its surroundings."""
        for layer in self.perimeters:
            if code in layer.index and drawn(layer.loc[[code]]).any():
                found = self.around([(layer, {code})], margin=_MARGIN_OF_QPV)
                return replace(found, name=self.names[code], code=code, level="qpv")
        label = f"{self.names[code]} ({code})"
        raise DataError(Note("maps.qpv_without_outline", place=label), way_out=Note("maps.name_its_commune"))

    def of_area(self, area: Area) -> Place:
        """Place of an area: its communes, or the QPV in it where communes are not given."""
        self._require_members(area)
        members = set(area.communes or ())
        if self.communes is None:
            parts = [(layer, self._qpv_of(layer, area)) for layer in self.perimeters]
        else:
            if area.whole_departments and "department" in self.communes:
                members = set(self.communes.index[self.communes["department"].isin(area.departments)])
            parts = [(self.communes, members)]
        if not any(codes and drawn(layer.loc[layer.index.isin(codes)]).any() for layer, codes in parts):
            key = "maps.no_arrondissements" if area.level == "arrondissement" else "maps.nothing_of_place"
            raise DataError(Note(key, place=area.label), way_out=Note("maps.give_its_outlines", place=area.label))
        place = self.around(parts, outline=self.communes is not None)
        unnamed = area.level in ("epci", "ept") and area.name == area.code
        return replace(
            place,
            name=f"{area.level.upper()} {area.code}" if unnamed else area.name,
            code=area.code,
            level=area.level,
            communes=frozenset(members),
            departments=area.departments if area.whole_departments else (),
            bare=self.bare(members or None, area.departments),
        )

    def _require_members(self, area: Area) -> None:
        """Raise for an EPCI or EPT whose communes are not known."""
        if area.level in ("epci", "ept") and not area.communes:
            if self.communes is not None and area.level in self.communes and self.communes[area.level].notna().any():
                raise UsageError(
                    Note("maps.none_in_it", place=area.label), way_out=Note("maps.give_its_outlines", place=area.label)
                )
            raise UsageError(
                Note("maps.members_not_known", place=area.label, level=area.level),
                way_out=Note("maps.give_members", level=area.level),
            )

    def _qpv_of(self, layer: Frame, area: Area) -> set[str]:
        """QPV of an area by what their frame says of them."""
        if area.whole_departments:
            return set(layer.index[layer["department"].isin(area.departments)]) if "department" in layer else set()
        members = set(area.communes or ())
        lists = layer["communes"] if "communes" in layer else [None] * len(layer)
        return {
            code
            for code, one in zip(layer.index, lists, strict=True)
            if isinstance(one, list) and not members.isdisjoint(one)
        }

    def bare(self, members: set[str] | None, departments: Sequence[str] = ()) -> tuple[str, ...]:
        """QPV without an outline, of some communes or departments, or of all."""
        found: list[str] = []
        for layer in self.perimeters:
            rows = layer[~drawn(layer)]
            if members is not None and len(rows):
                lists = rows["communes"] if "communes" in rows else [None] * len(rows)
                rows = rows[[isinstance(one, list) and not members.isdisjoint(one) for one in lists]]
            elif departments and "department" in rows:
                rows = rows[rows["department"].isin(departments)]
            found += map(str, rows.index)
        return tuple(found)

    def boxed(self, box: Sequence[float]) -> Place:
        """Box in degrees, or in metres of the legal projection of the outlines that it meets there."""
        try:
            west, south, east, north = (float(side) for side in box)
        except (TypeError, ValueError):
            way_out = Note("maps.code_is_text", code=str(box)) if isinstance(box, int) else Note("maps.give_a_box")
            raise UsageError(Note("maps.not_a_box", box=repr(box)), way_out=way_out) from None
        words = f"{west:g}, {south:g}, {east:g}, {north:g}"
        if not (np.isfinite([west, south, east, north]).all() and west < east and south < north):
            raise UsageError(Note("maps.empty_box", box=words), way_out=Note("maps.give_a_box"))
        frame = shapely.box(west, south, east, north)
        if max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90:
            corners = gpd.GeoSeries([frame], crs=4326)
            if territory_of(corners.to_numpy(), corners.crs)[0] is None:
                raise UsageError(Note("maps.box_abroad", box=words), way_out=Note("maps.longitudes_first"))
            return self.around([(corners, None)], margin=0.0)
        met = self._met(frame)
        if not met:
            raise DataError(Note("maps.box_meets_nothing", box=words), way_out=Note("maps.box_in_degrees"))
        if len(met) > 1:
            names = [territories.get(code).name for code in met]
            raise UsageError(Note("maps.box_of_several", box=words, names=names), way_out=Note("maps.box_in_degrees"))
        return Place("", met[0], (west, south, east, north), None, frozenset(), _layers=self.layers)

    def _met(self, frame: Any) -> list[str]:  # noqa: ANN401 - a box
        """Territories with outlines that meet a box when it is read in their legal projection."""
        for frames in (self.perimeters, [] if self.communes is None else [self.communes]):
            layers = [self.layers.of(one) for one in frames]
            codes = dict.fromkeys(code for layer in layers for code in layer.territory if code is not None)
            met = [
                str(code)
                for code in codes
                if any(shapely.intersects(frame, layer.metres(code).to_numpy()).any() for layer in layers)
            ]
            if met:
                return met
        return []

    def around(
        self, parts: Sequence[tuple[Frame, set[str] | None]], *, margin: float = _MARGIN, outline: bool = False
    ) -> Place:
        """Place of some rows of layers, all of them where none are named, with a margin around them."""
        chosen = []
        for frame, codes in parts:
            layer = self.layers.of(frame)
            rows = np.ones(len(layer.index), dtype=bool) if codes is None else layer.index.isin(codes)
            chosen.append((layer, np.asarray(rows, dtype=bool)))
        territory = _only_territory([code for layer, rows in chosen for code in layer.territory[rows]])
        shapes = np.concatenate([layer.metres(territory, rows).to_numpy() for layer, rows in chosen])
        west, south, east, north = shapely.total_bounds(shapes).tolist()
        longest = max(east - west, north - south)
        wide = max(margin * longest, (_LEAST_M - longest) / 2, 0.0)
        whole = shapely.union_all(shapes) if outline else None
        frame_ = (west - wide, south - wide, east + wide, north + wide)
        return Place("", territory, frame_, whole, frozenset(), _layers=self.layers)


def _only_territory(codes: Sequence[Any]) -> str:
    if not codes:
        raise DataError(Note("maps.nothing_to_draw"), way_out=Note("maps.give_outlines"))
    found = [code for code in dict.fromkeys(codes) if code is not None]
    if not found:
        raise DataError(Note("maps.all_abroad"), way_out=Note("maps.check_crs"))
    if len(found) > 1:
        names = [territories.get(code).name for code in found]
        raise DataError(
            Note("maps.several_territories", count=len(found), names=names), way_out=Note("maps.draw_the_country")
        )
    return str(found[0])
