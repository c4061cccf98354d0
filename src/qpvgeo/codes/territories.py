"""Territories: which one a code or a point belongs to, and the legal projection to measure in.

Areas and distances are taken in the legal projection of the territory (décret 2000-1276 and its successors), never in
degrees, never in Web Mercator, never in Lambert-93 overseas. Areas in these projections stay within 0.6 % of the
geodesic area wherever there is a QPV; Lambert-93 is the one that comes closest to that bound.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from qpvgeo import facts
from qpvgeo.errors import UsageError
from qpvgeo.language import Note

__all__ = ["SAMPLE", "Territory", "get", "of_department", "of_grid", "of_points", "territories"]

_OTHER_GRIDS = {2973: "972", 4559: "972", 32620: "972", 32740: "974"}  # other projections of the same grids

SAMPLE = "99"
"""Department, region and territory code of the fictional sample."""


@dataclass(frozen=True, slots=True)
class Territory:
    """A territory of the Republic, as the lists of QPV distinguish them.

    Attributes
    ----------
    code
        `hexagone` (Corsica included) or the three digits of the department or collectivity; `99` is the sample.
    name
        French name.
    epsg
        Legal projection, metres.
    grid_epsg
        Projection of the Insee grid of incomes; None where there is no grid.
    bounds
        West, south, east, north in degrees (generous boxes, for telling territories apart); None for the sample.
    has_qpv
        Whether lists of QPV name the territory.
    """

    code: str
    name: str
    epsg: int
    grid_epsg: int | None
    bounds: tuple[float, float, float, float] | None
    has_qpv: bool


@cache
def territories() -> dict[str, Territory]:
    """Every territory known, by code.

    Examples
    --------
    >>> territories()["976"].epsg
    4471
    """
    found = {}
    for row in facts.rows("territories"):
        box = [float(row[side]) for side in ("west", "south", "east", "north") if row[side]]
        found[row["code"]] = Territory(
            code=row["code"],
            name=row["name"],
            epsg=int(row["metric_epsg"]),
            grid_epsg=int(row["grid_epsg"]) if row["grid_epsg"] else None,
            bounds=(box[0], box[1], box[2], box[3]) if box else None,
            has_qpv=row["has_qpv"] == "1",
        )
    return found


def get(code: str) -> Territory:
    """Territory of a code.

    Raises
    ------
    UsageError
        There is no such territory.

    Examples
    --------
    >>> get("987").name
    'Polynésie française'
    """
    try:
        return territories()[code]
    except KeyError:
        raise UsageError(
            Note("codes.no_territory", code=str(code)),
            way_out=Note("codes.territories", codes=", ".join(territories())),
        ) from None


def of_department(department: str) -> str | None:
    """Territory of a department or collectivity code; None when the code is none.

    Examples
    --------
    >>> of_department("2A"), of_department("974"), of_department("99"), of_department("20")
    ('hexagone', '974', '99', None)
    """
    if department in territories():
        return None if department == "hexagone" else department
    in_facts = department in facts.names("departments") and not department.startswith("97")
    return "hexagone" if in_facts else None


def of_grid(epsg: int | None) -> str | None:
    """Territory of an income grid, by the projection of its ids; None when it is none of them.

    Examples
    --------
    >>> of_grid(3035), of_grid(4559), of_grid(2154)
    ('hexagone', '972', None)
    """
    known = {one.grid_epsg: code for code, one in territories().items() if one.grid_epsg and code != SAMPLE}
    return None if epsg is None else known.get(epsg) or _OTHER_GRIDS.get(epsg)


def of_points(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """Territory of points given in degrees (WGS84 or a legal geographic system).

    Parameters
    ----------
    longitude, latitude
        Degrees; same length.

    Returns
    -------
    numpy.ndarray of object
        Codes; None where a point lies in no territory or has no finite coordinates. The boxes are generous: a
        point abroad, near a border, gets the territory beside it.

    Examples
    --------
    >>> of_points([3.06, 45.23, 0.0], [50.63, -12.78, 0.0]).tolist()
    ['hexagone', '976', None]
    """
    lon, lat = np.atleast_1d(np.asarray(longitude, float)), np.atleast_1d(np.asarray(latitude, float))
    found = np.full(lon.shape, None, dtype=object)
    for territory in territories().values():
        if territory.bounds is None:
            continue
        west, south, east, north = territory.bounds
        found[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)] = territory.code
    return found
