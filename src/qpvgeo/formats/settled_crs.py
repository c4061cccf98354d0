"""Which projection coordinates are really in, from what a file declares and from where they are."""

from typing import Any

import numpy as np
import pyproj

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geometry.projection import DEGREES, transformer
from qpvgeo.language import Note

__all__ = ["settle_crs", "user_crs"]

_UNDECLARED = (2154, 3857)  # what files without a projection are in: Lambert-93, or the Web Mercator of a web map


def settle_crs(declared: Any, bounds: Any, *, where: str) -> tuple[pyproj.CRS, list[str]]:  # noqa: ANN401
    """Establish the projection of coordinates from what the file declares and from where they are.

    Parameters
    ----------
    declared
        CRS that the file declares, or None.
    bounds
        West, south, east, north of the coordinates.
    where
        What an error calls the file.

    Returns
    -------
    tuple
        The CRS, with its EPSG number where it has one, and notes: empty when the declaration is right.

    Raises
    ------
    DataError
        Nothing is declared, or what is declared is impossible, and the coordinates fit no known system.

    Examples
    --------
    >>> settle_crs("EPSG:4326", (650000, 6860000, 652000, 6863000), where="x.geojson")[0].to_epsg()
    2154
    """
    west, south, east, north = (float(value) for value in bounds)
    if declared is not None and "undefined" in pyproj.CRS.from_user_input(declared).name.lower():
        declared = None  # GeoPackage has two numbers for "not known"
    degrees = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
    if declared is not None:
        crs = pyproj.CRS.from_user_input(declared)
        if not np.isfinite([west, south, east, north]).all():
            return crs, []
        if crs.is_geographic == degrees:
            return _numbered(crs, (west, south, east, north))
    said = (
        Note("formats.declares_nothing")
        if declared is None
        else Note("formats.declares", name=pyproj.CRS.from_user_input(declared).name)
    )
    if degrees and _reaches_france(west, south, east, north):
        return pyproj.CRS.from_epsg(DEGREES), [Note("formats.crs_degrees", said=said)]
    fits = [] if degrees else [epsg for epsg in _UNDECLARED if _in_hexagone(epsg, (west, south, east, north))]
    if fits == [2154]:
        return pyproj.CRS.from_epsg(2154), [Note("formats.crs_lambert", said=said)]
    if fits:
        raise DataError(
            Note("formats.crs_ambiguous", file=where, said=said, systems=[f"EPSG:{epsg}" for epsg in fits]),
            way_out=Note("formats.choose_crs", crs=f"EPSG:{fits[0]}"),
        )
    corners = [float(f"{value:.6g}") for value in (west, south, east, north)]
    raise DataError(
        Note("formats.crs_unknown", file=where, said=said, bounds=corners), way_out=Note("formats.give_crs")
    )


def user_crs(given: Any) -> pyproj.CRS:  # noqa: ANN401 - whatever pyproj understands
    """Projection that the caller names.

    Raises
    ------
    UsageError
        pyproj does not know it.
    """
    try:
        return pyproj.CRS.from_user_input(given)
    except pyproj.exceptions.CRSError as error:
        raise UsageError(Note("formats.no_such_crs", crs=str(given)), way_out=Note("formats.crs_example")) from error


def _in_hexagone(epsg: int, bounds: tuple[float, float, float, float]) -> bool:
    """Whether metric bounds lie in the hexagone when they are of a projection; corners of a large box stand out."""
    west, south, east, north = bounds
    move = transformer(epsg, DEGREES).transform
    box = territories.get("hexagone").bounds
    x, y = np.array(
        move([(west + east) / 2, west, east, west, east], [(south + north) / 2, south, south, north, north])
    )
    slack = np.array([0.0, *[1.5] * 4])
    return box is not None and bool(
        (x >= box[0] - slack).all()
        and (y >= box[1] - slack).all()
        and (x <= box[2] + slack).all()
        and (y <= box[3] + slack).all()
    )


def _reaches_france(west: float, south: float, east: float, north: float) -> bool:
    """Whether bounds in degrees meet those of a territory: the middle of a national file lies in mid-ocean."""
    boxes = [territory.bounds for territory in territories.territories().values() if territory.bounds]
    return any(west <= box[2] and box[0] <= east and south <= box[3] and box[1] <= north for box in boxes)


def _numbered(crs: pyproj.CRS, bounds: tuple[float, float, float, float]) -> tuple[pyproj.CRS, list[str]]:
    """The same system under its EPSG number, when both put the corners of the layer within a millimetre."""
    number = crs.to_epsg()
    if number is not None:
        return pyproj.CRS.from_epsg(number), []
    corners = ([bounds[0], bounds[2]], [bounds[1], bounds[3]])
    to_degrees = transformer(crs, DEGREES)
    here = np.array(to_degrees.transform(*corners))
    candidates = [t.epsg for t in territories.territories().values()] + [DEGREES, 32620, 4470]
    for epsg in dict.fromkeys(candidates):
        known = pyproj.CRS.from_epsg(epsg)
        if known.is_geographic != crs.is_geographic:
            continue
        there = np.array(transformer(known, DEGREES).transform(*corners))
        if np.isfinite(there).all() and np.abs(there - here).max() < 1e-8:
            return known, [Note("formats.crs_numbered", epsg=epsg)]
    return crs, [Note("formats.crs_unnumbered", name=crs.name)]
