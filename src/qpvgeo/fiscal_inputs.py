"""What the rules on reduced VAT are given, checked: footprints, perimeters by code, lists of NPNRU conventions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import codes, places, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.gridcover import mended
from qpvgeo.projection import middles, reproject
from qpvgeo.read.qpv import column_of

__all__ = [
    "Layer",
    "conventions_of",
    "footprints_of",
    "perimeters_of",
    "require_frames",
    "require_in_force",
    "speaks_of",
]

_WHOLE_COMMUNES = "2026-01-15"
_YES = ("oui", "yes", "true", "1", "1.0")

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
        name: type(one).__name__ for name, one in given.items() if not isinstance(one, gpd.GeoDataFrame | gpd.GeoSeries)
    }
    if wrong:
        raise UsageError(
            "Footprints and perimeters are frames of outlines.",
            problems=[f"`{name}` is a {kind}" for name, kind in wrong.items()],
            way_out="Give each as one GeoDataFrame: perimeters of qpvgeo.read_qpv(path), several of them put together "
            "with pandas.concat(); footprints of geopandas.read_file(path).",
        )


def perimeters_of(frame: gpd.GeoDataFrame | gpd.GeoSeries, what: str) -> Layer:
    """Perimeters of QPV by code, each in the legal projection of the territory of its code."""
    code = frame.index.to_series().astype("str")
    problems = [f"{one!r} is not the code of a QPV" for one in code[code.map(codes.vintage_of).isna()]]
    problems += [f"{one!r} stands {count} times" for one, count in code.value_counts().items() if count > 1]
    if frame.crs is None:
        problems.append("the projection (CRS) is not known")
    if problems:
        raise DataError(
            f"`{what}` holds no perimeters of QPV by code.",
            problems=problems,
            way_out="Make it with qpvgeo.read_qpv(), which accepts every published form.",
        )
    own = code.map(codes.of_qpv).map(territories.of_department)
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


def require_in_force(present: Layer, lists: pd.DataFrame) -> None:
    """Refuse perimeters of a list that was not in force on the day in their territory."""
    problems = []
    for territory in dict.fromkeys(present.territory):
        if territory not in lists.index:
            problems.append(f"{territory}: no list names QPV there")
            continue
        held = lists.loc[territory]
        if pd.isna(held["n_qpv"]):
            continue
        own = present.code[present.territory == territory]
        wrong = [code for code in own if codes.vintage_of(code) != held["vintage"]]
        if territory == "976" and not wrong:
            wrong = [code for code in own if code.endswith("C") != (held["release"] == _WHOLE_COMMUNES)]
        if wrong:
            list_of = f"{held['vintage']} geography (release {held['release']})"
            problems.append(f"{held['name']}: {len(wrong)} are not of the {list_of}, the first {wrong[0]}")
    if problems:
        raise DataError(
            f"These perimeters were not in force on {lists.attrs['on']}.",
            problems=problems,
            way_out="Give those that qpvgeo.geography(on=...) names for each territory; former QPV go to `former`. "
            "Leave out the rows of territories where no footprint lies.",
        )


def conventions_of(npnru: pd.DataFrame | pd.Series | Iterable[str] | None) -> pd.Series | None:
    """Day of signature by code of the QPV with a convention, as text, empty where not told; None when not known."""
    if npnru is None:
        return None
    if isinstance(npnru, str):
        raise UsageError("`npnru` is one text.", way_out=f"Give a list of codes: npnru=[{npnru!r}].")
    signed = None
    if isinstance(npnru, pd.DataFrame):
        columns, table = {str(name).lower(): name for name in npnru.columns}, npnru
        if "npnru" in columns:
            table = npnru[npnru[columns["npnru"]].astype("str").str.strip().str.lower().isin(_YES)]
        name = column_of([str(column) for column in table.columns], "qpv_code")
        given = table.index.to_series() if name is None else table[name]
        signed = table[columns["date_convention"]] if "date_convention" in columns else None
    elif isinstance(npnru, pd.Series) and pd.api.types.is_bool_dtype(npnru.dtype):
        # neither yes nor no: the way to say that it is not known is to leave the list out
        if npnru.isna().any():
            unsure = [str(code) for code in npnru.index[npnru.isna()]]
            raise DataError("npnru is neither True nor False for some QPV.", problems=unsure, way_out="Say which.")
        given = npnru[npnru.astype(bool)].index.to_series()
    else:
        given = pd.Series(list(npnru), dtype="str")
    cleaned = codes.require(given, "qpv", where="npnru").codes.to_numpy(dtype=object)
    if signed is None:
        return pd.Series("", index=cleaned, dtype="str").groupby(level=0).min()
    days = pd.to_datetime(signed, format="ISO8601", errors="coerce")
    wrong = signed[days.isna() & signed.notna() & (signed.astype("str").str.strip() != "")]
    if len(wrong):
        raise DataError(
            "npnru: the column `date_convention` holds what is not a day.",
            problems=[f"row {row}: {value!r}" for row, value in wrong.items()],
            way_out="Write days as YYYY-MM-DD.",
        )
    return pd.Series(days.dt.strftime("%Y-%m-%d").fillna("").to_numpy(), index=cleaned).groupby(level=0).min()


def speaks_of(conventions: pd.Series | None, vintage: int) -> bool:
    """Whether a list of conventions speaks of a geography: it names one of its QPV, or says that there is none."""
    if conventions is None:
        return False
    return len(conventions) == 0 or any(codes.vintage_of(code) == vintage for code in conventions.index)


def footprints_of(
    footprints: gpd.GeoDataFrame | gpd.GeoSeries, *, fictional: bool = False
) -> tuple[Objects, Objects, Objects]:
    """Footprints in the legal projection of their territory, the territory, and why there is none."""
    had, drawn = footprints.geometry.to_numpy(), _drawn(footprints)
    crs, given = drawn.crs, mended(drawn).to_numpy()
    found = places.place(
        places.Coordinates(*middles(given), crs, drawn.index, np.empty(0, np.intp)), fictional=fictional
    )
    place = np.array([*found.codes, None], dtype=object)[found.territory]
    reasons = np.array([None, *places.REASONS], dtype=object)[found.reason]
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
