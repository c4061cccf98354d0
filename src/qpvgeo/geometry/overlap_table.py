"""The overlap table: which areas of two layers touch, and by how much.

QPV x communes gives links, QPV 2015 x QPV 2024 the crosswalk, hazard x QPV the exposure: all of them read the same
long frame, made here by exact intersection of polygons in the legal projection of each territory.
"""

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError, judged
from qpvgeo.frames.require import require_outlines
from qpvgeo.geometry.projection import reproject, require_in_france, territory_of
from qpvgeo.geometry.shared_area import shared_areas
from qpvgeo.geometry.validity import as_valid, collapsed_as_lines, in_metres, sound
from qpvgeo.language import Note

__all__ = ["overlap"]

_EARTH_RADIUS_M = 6_371_000
_METRES_PER_DEGREE = 111_000
_USUAL_M = 60_000

Shapes = npt.NDArray[np.object_]
Rows = npt.NDArray[np.intp]


@judged
def overlap(
    a: gpd.GeoDataFrame | gpd.GeoSeries, b: gpd.GeoDataFrame | gpd.GeoSeries, *, min_area_m2: float = 0.0
) -> pd.DataFrame:
    """Give the area that each shape of one layer shares with each shape of another.

    Parameters
    ----------
    a, b
        Layers of polygons, each with a CRS (not necessarily the same) and an index of unique labels. They may cover
        several territories. A missing outline shares nothing; an invalid one counts as the area that it encloses.
        The cells of a grid have no outlines: `qpvgeo.geometry.overlap_cells` takes the frame of `qpvgeo.read_grid`.
    min_area_m2
        Pairs that share this area or less are left out; with 0, pairs that only touch are.

    Returns
    -------
    pandas.DataFrame
        A row per pair, in the order of `a` then of `b`: `left`, `right` (labels of `a` and `b`), `area_m2` (in the
        legal projection of the territory), `left_share` (of the shape of `a`, 0 to 1), `right_share` (of that of `b`).

    Raises
    ------
    UsageError
        A layer is not a frame or series of outlines.
    DataError
        A CRS is missing, labels are repeated, shapes are not polygons, have a non-finite coordinate or lose their area
        in every repair, a shape of `a` or all of `b` lie in no French territory, or one of `b` that overlaps `a`
        extends over several territories: everything is listed.

    Notes
    -----
    The result depends neither on the order of the rows nor on the extent of the layers. Shapes equal to the last
    coordinate and shapes wholly inside another share their whole area, without rounding. Areas are exact to 1e-7 m2 and
    1e-14 of the box that two shapes have in common; what is less than that is no shared area.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> squares = gpd.GeoDataFrame(geometry=[shapely.box(700000, 6600000, 700100, 6600100)], index=["a"], crs=2154)
    >>> halves = squares.translate(xoff=50).rename({"a": "b"})
    >>> overlap(squares, halves)
      left right  area_m2  left_share  right_share
    0    a     b   5000.0         0.5          0.5
    """
    _require_layers(a, b)
    # GeoDataFrame.geometry copies attrs at every access
    a, b = a.geometry, b.geometry
    left, place = in_metres(a.to_numpy(), a.crs, what="a")
    left = sound(left, a.index, name="a")
    raw = b.to_numpy()
    as_right = reproject(a.to_numpy(), a.crs, b.crs)
    pairs = _near(as_right, raw, b.crs)
    near = np.unique(pairs[1])
    if not len(near):
        require_in_france(b, name="b")
    right_place = territory_of(raw[near], b.crs)
    _require_one_territory(b, as_right, pairs, place[pairs[0]] != right_place[np.searchsorted(near, pairs[1])])

    found: list[tuple[Rows, Rows, npt.NDArray[np.float64], npt.NDArray[np.float64]]] = []
    for territory in [code for code in dict.fromkeys(place) if code is not None]:
        rows = np.flatnonzero(place == territory)
        others = near[right_place == territory]
        # an outline far from all of the first layer is not looked at: to judge every one costs more than the rest
        there = collapsed_as_lines(raw[others])
        metric = sound(reproject(there, b.crs, territories.get(territory).epsg), b.index[others], name="b")
        i, j, shared = _pairs(left[rows], metric)
        found.append((rows[i], others[j], shared, shapely.area(metric)[j]))
    return _table(a, b, found, shapely.area(left), min_area_m2)


def _require_layers(a: Any, b: Any) -> None:  # noqa: ANN401
    """Raise one error that lists what is wrong with either layer."""
    refused: list[DataError] = []
    for name, layer in (("a", a), ("b", b)):
        try:
            require_outlines(layer, name=name, unique=True)
        except DataError as error:
            refused.append(error)
    if refused:
        raise DataError(
            Note("geometry.cannot_overlap"),
            problems=[problem for error in refused for problem in error.problems],
            way_out=refused[0].way_out,
        )


def _require_one_territory(b: Any, left: Shapes, pairs: tuple[Rows, Rows], apart: npt.NDArray[np.bool_]) -> None:  # noqa: ANN401
    """Raise for shapes that extend into a territory where their middle does not lie: no projection fits them."""
    i, j = (positions[apart] for positions in pairs)
    if not len(i):
        return
    # in the projection of the layer, where what is valid in metres may not be
    one, other = as_valid(left[i]), as_valid(b.to_numpy()[j])
    reaching = np.unique(j[shapely.area(shapely.intersection(one, other)) > 0])
    if len(reaching):
        raise DataError(
            Note("geometry.several_territories", count=len(reaching)),
            problems=[Note("geometry.second_layer", label=str(label)) for label in b.index[reaching]],
            way_out=Note("geometry.cut_by_territory"),
        )


def _near(left: Shapes, right: Shapes, crs: Any) -> tuple[Rows, Rows]:  # noqa: ANN401
    """Positions of the pairs whose boxes come near each other: other shapes of `right` need no reprojection."""
    degrees = pyproj.CRS.from_user_input(crs).is_geographic
    tree = shapely.STRtree(_wider(left, _margins(left, degrees=degrees) + _margin(_USUAL_M, degrees)))
    margins = _margins(right, degrees=degrees)
    usual = margins <= _margin(_USUAL_M, degrees)
    found = []
    # a box for each shape of a country takes longer than the search
    for rows, shapes in (
        (np.flatnonzero(usual), right[usual]),
        (np.flatnonzero(~usual), _wider(right[~usual], margins[~usual])),
    ):
        j, i = tree.query(shapes)
        found.append((i, rows[j]))
    i, j = (np.concatenate(part) for part in zip(*found, strict=True))
    return i, j


def _margins(shapes: Shapes, *, degrees: bool) -> npt.NDArray[np.float64]:
    """Margins around shapes that make their boxes hold them in any projection, in units of theirs."""
    west, south, east, north = shapely.bounds(shapes).T
    metres = np.maximum(east - west, north - south) * (_METRES_PER_DEGREE if degrees else 1)
    return np.asarray(_margin(metres, degrees))


def _margin(size: Any, degrees: bool) -> Any:  # noqa: ANN401 - a number or an array
    """Margin around a shape of a size in metres.

    An edge that is straight in one projection is bent in another: by s^2 / 8R or so for a shape of size s.
    """
    return (100 + size**2 / (4 * _EARTH_RADIUS_M)) / (_METRES_PER_DEGREE * 0.6 if degrees else 1)


def _wider(shapes: Shapes, margin: npt.NDArray[np.float64]) -> Shapes:
    """Boxes around shapes; none for a shape that is not there."""
    west, south, east, north = shapely.bounds(shapes).T
    boxes: Shapes = shapely.box(west - margin, south - margin, east + margin, north + margin)
    boxes[np.isnan(west)] = None
    return boxes


def _pairs(a: Shapes, b: Shapes) -> tuple[Rows, Rows, npt.NDArray[np.float64]]:
    """Positions and shared area of the pairs whose boxes touch."""
    j, i = shapely.STRtree(a).query(b)
    return i, j, shared_areas(a, b, i, j)


def _table(
    a: Any,  # noqa: ANN401
    b: Any,  # noqa: ANN401
    found: list[tuple[Rows, Rows, npt.NDArray[np.float64], npt.NDArray[np.float64]]],
    left_area: npt.NDArray[np.float64],
    min_area_m2: float,
) -> pd.DataFrame:
    if found:
        i, j, shared, right_area = (np.concatenate([piece[part] for piece in found]) for part in range(4))
    else:
        i, j, shared, right_area = np.array([], int), np.array([], int), np.array([]), np.array([])
    keep = shared > min_area_m2
    i, j, shared, right_area = i[keep], j[keep], shared[keep], right_area[keep]
    order = np.lexsort((j, i))
    i, j, shared, right_area = i[order], j[order], shared[order], right_area[order]
    return pd.DataFrame(
        {
            "left": a.index[i],
            "right": b.index[j],
            "area_m2": shared,
            # an intersection may exceed its shape by the last bit
            "left_share": np.minimum(shared / left_area[i], 1.0),
            "right_share": np.minimum(shared / right_area, 1.0),
        }
    )
