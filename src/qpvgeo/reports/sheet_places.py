"""What a sheet is about: a place, its QPV of both geographies, and the frames cut to them."""

import dataclasses
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.at_hand import GeographyFrames
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.crosswalk_table import crosswalk
from qpvgeo.geographies.outcomes import crosswalk_classes
from qpvgeo.geographies.positional_shift import tolerance_of
from qpvgeo.language import Note
from qpvgeo.maps import Place, find_place
from qpvgeo.maps.layers import drawn

__all__ = ["LEVELS", "Subject", "subject_of"]

LEVELS = ("qpv", "commune", "epci", "ept", "department")
"""Levels of the places that have a sheet."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A place and its QPV.

    Attributes
    ----------
    where
        The place, as maps find it.
    frames
        Frames of the geography of 2024.
    qpv
        QPV of the place, those without an outline too.
    links
        Their links to communes.
    walk
        Crosswalk of the QPV of 2015 that lie in the place, or meet one that does, to those of 2024; None without the
        perimeters of 2015.
    classes
        What became of each QPV of the crosswalk; None without it.
    dropped
        QPV of 2015 that lay in the place and have no successor.
    """

    where: Place
    frames: GeographyFrames
    qpv: gpd.GeoDataFrame
    links: pd.DataFrame
    walk: pd.DataFrame | None = None
    classes: pd.DataFrame | None = None
    dropped: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether the place is one QPV."""
        return self.where.level == "qpv"


def subject_of(place: str | Place, frames: GeographyFrames, before: gpd.GeoDataFrame | None) -> Subject:
    """Find a place among frames, and its QPV of both geographies.

    Raises
    ------
    UsageError
        There is no such place, or it is of a level that has no sheet.
    DataError
        No QPV lies in the place.
    """
    where = find_place(place, frames.qpv, frames.communes, epci=frames.epci)
    if where.level == "territory" and len(where.departments) == 1:
        # overseas, a department is a territory of its own
        where = dataclasses.replace(where, level="department", code=where.departments[0])
    if where.level not in LEVELS:
        label = where.label or Note("reports.a_box")
        raise UsageError(Note("reports.no_sheet", place=label), way_out=Note("reports.name_a_place"))
    own = where.metres(frames.qpv)[where.own(frames.qpv)].index
    qpv = frames.qpv[frames.qpv.index.isin([*own, *where.bare])]
    if not len(qpv):
        raise DataError(
            Note("reports.no_qpv", place=where.label, vintage=frames.vintage), way_out=Note("reports.name_a_place")
        )
    links = frames.links[frames.links["qpv_code"].isin(qpv.index)]
    if before is None:
        return Subject(where, frames, qpv, links)
    earlier, later = _family(where, before, frames.qpv, own)
    if not len(earlier) or not len(later):
        return Subject(where, frames, qpv, links)
    # a place has few perimeters that did not change: the shift is that of the two layers
    walk = crosswalk(earlier, later, tolerance_m=tolerance_of(before, frames.qpv))
    classes = crosswalk_classes(walk)
    gone = classes[(classes["side"] == "from") & (classes["change"] == "dropped")].index
    there = where.metres(before)[where.own(before)].index
    return Subject(where, frames, qpv, links, walk, classes, tuple(str(code) for code in gone if code in set(there)))


def _family(
    where: Place, before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, own: pd.Index
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """QPV of both geographies in a place, with all that they meet from one geography to the other."""
    earlier, later = before[drawn(before)], after[drawn(after)]
    shapes: list[Any] = [layer.geometry.to_crs(4326).to_numpy() for layer in (earlier, later)]
    inside = where.metres(before)[where.own(before)].index
    held = [np.asarray(earlier.index.isin(inside)), np.asarray(later.index.isin(own))]
    trees = [shapely.STRtree(one) for one in shapes]
    known = -1
    while known != (known := int(held[0].sum() + held[1].sum())):
        for side in (0, 1):
            met = trees[side].query(shapes[1 - side][held[1 - side]], predicate="intersects")[1]
            held[side][met] = True
    return earlier[held[0]], later[held[1]]
