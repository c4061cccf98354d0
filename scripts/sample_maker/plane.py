"""Points, rings and projections of the sample: whole centimetres in Lambert-93 (EPSG:2154).

Whole numbers make shared limits equal to the last digit. `pyproj.Proj` is used rather than a transformer: the
datums (RGF93, ETRS89, WGS84) are taken as one, which is what the published files do, so no grid file of PROJ
can move a point.
"""

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import pyproj
from numpy.typing import NDArray

from sample_maker.chance import between, number

__all__ = [
    "Point",
    "Ring",
    "Shape",
    "at",
    "clockwise",
    "inside",
    "inside_shape",
    "jogged",
    "lonlat",
    "moved",
    "to_lambert",
    "wandering",
]

Point: TypeAlias = tuple[int, int]
Ring: TypeAlias = list[Point]
# A polygon is a list of rings, the limit first and then the holes; a shape is a list of polygons.
Shape: TypeAlias = list[list[Ring]]

ORIGIN = (19_000_000, 656_400_000)  # centimetres; 45.97 N 3.6 W, open sea
LAMBERT = pyproj.Proj("EPSG:2154")
EUROPE = pyproj.Proj("EPSG:3035")


def at(x_m: float, y_m: float) -> Point:
    """Place a point given in metres from the middle of the island."""
    return ORIGIN[0] + round(x_m * 100), ORIGIN[1] + round(y_m * 100)


def moved(frame: tuple[float, float, float, float], u: float, v: float) -> Point:
    """Place a point of a turned local frame `(x, y, cosine, sine)`, as streets that are not north-south."""
    x, y, cosine, sine = frame
    return at(x + cosine * u - sine * v, y + sine * u + cosine * v)


def lonlat(point: Point) -> tuple[float, float]:
    """Give longitude and latitude, rounded to 7 decimals (a centimetre)."""
    lon, lat = LAMBERT(point[0] / 100, point[1] / 100, inverse=True)
    return round(lon, 7), round(lat, 7)


def to_lambert(
    easting_m: NDArray[np.float64], northing_m: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Carry coordinates of the European grid (EPSG:3035) to Lambert-93, in centimetres."""
    lon, lat = EUROPE(easting_m, northing_m, inverse=True)
    x, y = LAMBERT(lon, lat)
    return np.rint(x * 100).astype(np.int64), np.rint(y * 100).astype(np.int64)


def wandering(start: Point, end: Point, sway: float, smallest_m: float = 130) -> Ring:
    """Draw a natural line between two points by moving middles aside; the end is left out.

    The line from B to A is the line from A to B turned round, so neighbours share it exactly.
    """
    if end < start:
        back = wandering(end, start, sway, smallest_m)
        return [start, *back[:0:-1]]
    dx, dy = end[0] - start[0], end[1] - start[1]
    if dx * dx + dy * dy < (smallest_m * 100) ** 2:
        return [start]
    aside = sway * (2 * number("wander", start, end) - 1)
    middle = (round((start[0] + end[0]) / 2 - dy * aside), round((start[1] + end[1]) / 2 + dx * aside))
    return wandering(start, middle, sway, smallest_m) + wandering(middle, end, sway, smallest_m)


def jogged(start: Point, end: Point) -> Ring:
    """Draw a side of a neighbourhood: long sides step aside round a row of parcels; the end is left out."""
    if end < start:
        back = jogged(end, start)
        return [start, *back[:0:-1]]
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.sqrt(dx * dx + dy * dy)
    if length < 17_000:
        return [start]
    depth = between(600, 1600, "depth", start, end) * (1 if number("side", start, end) < 0.5 else -1) / length
    first, last = between(0.22, 0.4, "first", start, end), between(0.6, 0.78, "last", start, end)

    def step(along: float, aside: float) -> Point:
        return round(start[0] + dx * along - dy * aside), round(start[1] + dy * along + dx * aside)

    return [start, step(first, 0), step(first, depth), step(last, depth), step(last, 0)]


def clockwise(ring: Sequence[Point]) -> bool:
    """Tell whether a ring turns clockwise (exact: whole numbers)."""
    turn = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))
    return turn < 0


def inside(ring: Sequence[Point], x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which points lie in a ring, by counting the sides that a ray crosses."""
    result = np.zeros(x.shape, dtype=bool)
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        if a[1] == b[1]:
            continue
        crosses = (y < a[1]) != (y < b[1])
        result ^= crosses & (x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
    return result


def inside_shape(shape: Iterable[Sequence[Ring]], x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which points lie in a shape, holes left out."""
    result = np.zeros(x.shape, dtype=bool)
    for polygon in shape:
        for ring in polygon:
            result ^= inside(ring, x, y)
    return result
