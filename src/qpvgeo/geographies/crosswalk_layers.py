"""The two layers of a crosswalk, projected once, and the pairs of their perimeters, cut once."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo.codes import territories
from qpvgeo.errors import DataError
from qpvgeo.frames.require import require_layer
from qpvgeo.geographies.apportionment import repeated
from qpvgeo.geometry.shared_area import shared_areas
from qpvgeo.geometry.validity import in_metres, judge, polygonal, require_kept
from qpvgeo.language import Note

__all__ = ["Pairs", "Side", "epsg_of", "pairs_of", "side_of"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Shapes = npt.NDArray[np.object_]

_ARGUMENTS = {"from": "qpv_2015", "to": "qpv_2024"}


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """One layer of a crosswalk.

    Attributes
    ----------
    name
        `from` or `to`.
    labels
        Labels of the perimeters that have an outline; the arrays are in their order.
    outline
        Valid, in the legal projection of the territory.
    territory
        Codes of territories.
    area
        Square metres.
    undrawn
        Labels of the perimeters without an outline, or whose outline encloses no area.
    repaired
        Labels of the perimeters whose outline was not valid in the legal projection.
    """

    name: str
    labels: pd.Index
    outline: Shapes
    territory: Shapes
    area: Floats
    undrawn: pd.Index
    repaired: pd.Index

    def by_label(self, values: Floats) -> pd.Series:
        """Values of the perimeters, by label."""
        return pd.Series(values, index=self.labels)


@dataclass(eq=False, slots=True)
class Pairs:
    """Pairs of perimeters that share area.

    Attributes
    ----------
    one, other
        The two layers.
    left, right
        Positions in the one and in the other.
    area
        Square metres shared.
    """

    one: Side
    other: Side
    left: Rows
    right: Rows
    area: Floats
    _pieces: Shapes = field(init=False)

    def __post_init__(self) -> None:
        self._pieces = np.full(len(self.area), None, dtype=object)

    def __len__(self) -> int:
        return len(self.area)

    def positions(self, side: Side) -> Rows:
        """Position of each pair in a layer."""
        return self.left if side is self.one else self.right

    def of(self, rows: Bools) -> "Pairs":
        """Some of the pairs, with the pieces that are cut."""
        kept = Pairs(self.one, self.other, self.left[rows], self.right[rows], self.area[rows])
        kept._pieces = self._pieces[rows]
        return kept

    def outlines(self, rows: Any = slice(None)) -> tuple[Shapes, Shapes]:  # noqa: ANN401 - a mask or positions
        """Outlines of both perimeters of some pairs."""
        return self.one.outline[self.left[rows]], self.other.outline[self.right[rows]]

    def pieces(self, rows: Rows | None = None) -> Shapes:
        """Area that pairs share, metres: cut at the first question, and kept."""
        rows = np.arange(len(self)) if rows is None else rows
        cut = rows[shapely.is_missing(self._pieces[rows])]
        one, other = self.outlines(cut)
        self._pieces[cut] = polygonal(shapely.intersection(one, other))
        return self._pieces[rows]

    def sums(self, side: Side, values: Floats) -> Floats:
        """Sum over the pairs of each perimeter of a layer."""
        return np.bincount(self.positions(side), values, minlength=len(side.labels)).astype(float)

    def frame(self) -> pd.DataFrame:
        """Labels and area."""
        return pd.DataFrame(
            {
                "code_from": self.one.labels[self.left].astype("str"),
                "code_to": self.other.labels[self.right].astype("str"),
                "area_m2": self.area,
            }
        )


def side_of(layer: Any, name: str) -> Side:  # noqa: ANN401 - judged here
    """Layer of a crosswalk, checked and projected.

    Raises
    ------
    DataError
        Labels repeat, the CRS is missing, no perimeter has an outline, or an outline cannot be made valid in the legal
        projection without losing area.
    UsageError
        It is not a layer.
    """
    argument = _ARGUMENTS[name]
    require_layer(layer, name=argument)
    if isinstance(layer.index, pd.MultiIndex) or layer.index.hasnans:
        raise DataError(Note("geographies.no_labels", side=name), way_out=Note("geographies.no_labels_way_out"))
    labels = layer.index.astype("str")
    if problems := repeated(labels):
        raise DataError(
            Note("geographies.labels_repeat", side=name),
            problems=problems,
            way_out=Note("geographies.labels_repeat_way_out"),
        )
    shapes: Shapes = layer.geometry.to_numpy()
    drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if len(drawn) and not drawn.any():
        raise DataError(Note("geographies.no_outlines", side=name), way_out=Note("geographies.no_outlines_way_out"))
    _require_polygons(shapes[drawn], labels[drawn], name)
    metric, place = in_metres(shapes[drawn], layer.crs, what=argument)
    found = judge(metric)
    require_kept(found, labels[drawn], name=argument)
    outline = metric.copy()
    outline[found.rows] = found.shapes
    areal = ~shapely.is_missing(outline)
    own, repaired = labels[drawn], np.isin(np.arange(len(outline)), found.rows) & areal
    return Side(
        name,
        own[areal],
        outline[areal],
        place[areal],
        shapely.area(outline[areal]),
        labels[~drawn].append(own[~areal]),
        own[repaired],
    )


def _require_polygons(shapes: Shapes, labels: pd.Index, name: str) -> None:
    """Raise for points and lines, which share no area, and for vertices that are not finite."""
    flat = ~np.isin(shapely.get_type_id(shapes), (3, 6))
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    nowhere = np.unique(row[~np.isfinite(xy).all(axis=1)])
    problems = [
        Note("geographies.not_a_polygon", label=label, kind=shape.geom_type)
        for label, shape in zip(labels[flat], shapes[flat], strict=True)
    ]
    problems += [Note("geographies.not_finite", label=label) for label in labels[nowhere]]
    if problems:
        raise DataError(
            Note("geographies.not_polygons", side=name), problems=problems, way_out=Note("geographies.read_first")
        )


def pairs_of(one: Side, other: Side) -> Pairs:
    """Pairs that share area, in the order of the one and then of the other."""
    left, right = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    area = [np.empty(0)]
    for territory in dict.fromkeys(one.territory):
        mine, theirs = (np.flatnonzero(side.territory == territory) for side in (one, other))
        j, i = shapely.STRtree(one.outline[mine]).query(other.outline[theirs])
        left.append(mine[i])
        right.append(theirs[j])
        area.append(shared_areas(one.outline[mine], other.outline[theirs], i, j))
    i, j, shared = np.concatenate(left), np.concatenate(right), np.concatenate(area)
    kept = shared > 0
    order = np.lexsort((j[kept], i[kept]))
    return Pairs(one, other, i[kept][order], j[kept][order], shared[kept][order])


def epsg_of(territory: str) -> int:
    """Legal projection of a territory."""
    return territories.get(territory).epsg
