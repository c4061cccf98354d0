"""Places by name or code, and the QPV that lie there, among the files available."""

from pathlib import Path

import geopandas as gpd
import pandas as pd

from qpvgeo.at_hand import files
from qpvgeo.codes import official
from qpvgeo.codes.places import Area, AreaLevel, find_area, several_places
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames.require import require_columns
from qpvgeo.indicators.named_communes import qpv_in_commune_named
from qpvgeo.indicators.qpv_communes import join_communes
from qpvgeo.language import Note
from qpvgeo.read.communes.reader import read_communes
from qpvgeo.sources import recognise

__all__ = ["area_of", "qpv_in", "qpv_of"]


def area_of(name: str, data: Path | None, qpv: pd.DataFrame | None, *, level: AreaLevel | None = None) -> Area:
    """Find the place that a name or a code means, among the communes and EPCI available.

    Raises
    ------
    UsageError
        There is none, or there are several: lists them.
    """
    area = find_area(name, files.named_communes_of(data, qpv), files.epci(data), level=level)
    if area.level == "arrondissement":
        raise UsageError(Note("cli.options_do_not_fit"), problems=[Note("cli.arrondissement", place=area.label)])
    return area


def qpv_of(
    qpv: gpd.GeoDataFrame, name: str, data: Path | None, *, level: AreaLevel | None = None
) -> tuple[gpd.GeoDataFrame, str]:
    """QPV of a place, or the one whose code is given, and the name of the place.

    Raises
    ------
    UsageError
        There is no such place, or there are several.
    DataError
        No QPV lies in it, or the perimeters do not say in which communes they lie.
    """
    code = name.strip().upper()
    if code in qpv.index:
        return qpv.loc[[code]], f"{qpv.loc[code, 'name']} ({code})" if "name" in qpv.columns else code
    require_columns(qpv, ["vintage", "department", "communes"], what="qpv", way_out=Note("codes.place_of_perimeters"))
    try:
        area = area_of(name, data, qpv, level=level)
    except UsageError as error:
        if error.key != "codes.unknown_place" or not (told := _by_names(qpv, name)):
            raise
        return qpv[qpv.index.isin(list(told))], name
    inside = qpv_in(qpv, area, data)
    if not len(inside):
        vintage = int(qpv["vintage"].iloc[0])
        raise DataError(
            Note("cli.no_qpv_in_place", vintage=vintage, place=area.label), way_out=Note("cli.codes_of_places")
        )
    return inside, area.label


def _by_names(qpv: gpd.GeoDataFrame, name: str) -> set[str]:
    """QPV whose published names of communes hold a name, where no file gives the codes of communes.

    Raises
    ------
    UsageError
        Communes of several departments have it: lists them.
    """
    found = qpv_in_commune_named(qpv, name)
    if len(found) > 1:
        raise several_places(name, [Area("commune", code, name, (code,)) for code in sorted(found)])
    return next(iter(found.values()), set())


def qpv_in(qpv: gpd.GeoDataFrame, area: Area, data: Path | None) -> gpd.GeoDataFrame:
    """QPV of a place: by code in departments, by the published lists in communes and EPCI, else by geometry."""
    if area.whole_departments:
        return qpv[qpv["department"].isin(area.departments)]
    if area.level == "epci" and "siren_epci" in qpv.columns:
        listed = [official.split_list(cell, "siren") for cell in qpv["siren_epci"]]
        named = qpv[[area.code in sirens for sirens in listed]]
        if len(named):
            return named
    members = set(area.communes or ())
    if members and qpv["communes"].notna().all():
        return qpv[[not members.isdisjoint(listed) for listed in qpv["communes"]]]
    outlines, tables = recognise.communes_at_hand(data)
    links = join_communes(qpv, read_communes(outlines, table=tables[:1]))
    held = links["commune"].isin(members) if members else links[area.level] == area.code
    return qpv[qpv.index.isin(links.loc[held, "qpv_code"])]
