"""Places by name or code, and the QPV that lie there, among the files available."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.at_hand import files
from qpvgeo.codes import official
from qpvgeo.codes.places import Area, AreaLevel, find_area, several_places
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.frames.forms import regions_of
from qpvgeo.frames.require import require_columns
from qpvgeo.indicators.named_communes import qpv_in_commune_named
from qpvgeo.indicators.qpv_communes import join_communes
from qpvgeo.language import Note
from qpvgeo.read.communes.reader import read_communes
from qpvgeo.sources import recognise

__all__ = ["area_of", "note_of_rows", "of_rows", "qpv_in", "qpv_of"]


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
        return of_rows(qpv, qpv.index == code), f"{qpv.loc[code, 'name']} ({code})" if "name" in qpv.columns else code
    require_columns(qpv, ["vintage", "department", "communes"], what="qpv", way_out=Note("codes.place_of_perimeters"))
    try:
        area = area_of(name, data, qpv, level=level)
    except UsageError as error:
        if error.key != "codes.unknown_place" or not (told := _by_names(qpv, name)):
            raise
        return of_rows(qpv, qpv.index.isin(list(told))), name
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
    return of_rows(qpv, qpv.index.isin(_codes_in(qpv, area, data)))


def _codes_in(qpv: gpd.GeoDataFrame, area: Area, data: Path | None) -> pd.Index:
    if area.whole_departments:
        return qpv.index[qpv["department"].isin(area.departments)]
    if area.level == "epci" and "siren_epci" in qpv.columns:
        listed = [official.split_list(cell, "siren") for cell in qpv["siren_epci"]]
        named = qpv.index[[area.code in sirens for sirens in listed]]
        if len(named):
            return named
    members = set(area.communes or ())
    if members and qpv["communes"].notna().all():
        return qpv.index[[not members.isdisjoint(listed) for listed in qpv["communes"]]]
    outlines, tables = recognise.communes_at_hand(data)
    links = join_communes(qpv, read_communes(outlines, table=tables[:1]))
    held = links["commune"].isin(members) if members else links[area.level] == area.code
    return pd.Index(links.loc[held, "qpv_code"])


def of_rows(layer: gpd.GeoDataFrame, rows: Any) -> gpd.GeoDataFrame:  # noqa: ANN401 - whatever selects rows
    """Rows of perimeters or of communes, with the files, repairs and notes of the reader that concern them."""
    kept, about = layer[rows], provenance.provenance(layer)
    if not about or not {"territory", "department", "name"} <= set(layer.columns):
        return kept
    places = {*kept["territory"].dropna(), *regions_of(kept["department"])}
    files = [one for one in about["files"] if one.get("regions") is None or not places.isdisjoint(one["regions"])]
    away = {*layer.index, *layer["name"]} - {*kept.index, *kept["name"]}
    absent = {_label(one) for one in about["files"]} - {_label(one) for one in files}
    own: dict[str, Any] = {
        "files": files,
        "repairs": [one for one in about.get("repairs", []) if one.get("code") not in away],
        "notes": [said for note in about.get("notes", []) if (said := note_of_rows(note, away, places, absent))],
    }
    provenance.stamped(kept, provenance.as_record(about | own))
    return kept


def _label(record: dict[str, Any]) -> str:
    member = record.get("member")
    return f"{record['file']} ({member})" if member else str(record["file"])


def note_of_rows(
    note: str, away: Collection[str], places: Collection[str] | None = None, absent: Collection[str] = ()
) -> str:
    """Give what a note says of the rows that are kept; an empty text where it is of others alone.

    Parameters
    ----------
    note
        Note of a frame.
    away
        Codes and names of the rows that are not kept.
    places
        Territories and regions of those that are; None where they are not known.
    absent
        Files that none of them is from.

    Examples
    --------
    >>> note = Note("read.no_outline", count=2, codes=["QN09105I", "QN09301M"])
    >>> note_of_rows(note, {"QN09105I"}), note_of_rows(note, {"QN09105I", "QN09301M"})
    ('1 QPV has no outline: QN09301M', '')
    """
    values: dict[str, Any] = getattr(note, "values", {})
    held, codes, inner = values.get("places"), values.get("codes"), values.get("note")
    if held is not None and places is not None:
        return "" if set(places).isdisjoint(held) else note
    if values.get("file") in absent or values.get("commune") in away:
        return ""
    if isinstance(inner, Note):
        said = note_of_rows(inner, away, places, absent)
        return Note(note.key, **values | {"note": said}) if said and isinstance(note, Note) else ""
    if not isinstance(codes, list | tuple) or not isinstance(note, Note):
        return note
    own = [code for code in codes if code not in away]
    if len(own) < len(codes) and values.get("count") == len(codes):
        return Note(note.key, **values | {"codes": own, "count": len(own)}) if own else ""
    return note if own else ""
