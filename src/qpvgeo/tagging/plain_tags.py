"""Tags of points as plain arrays: positions and numbers, and texts where they are asked for.

No frame is made: one point takes a fraction of a millisecond. The columns of `tag_points` are made from these arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qpvgeo.tagging.applicable_perimeters import InForce
from qpvgeo.tagging.options import STATES, Question
from qpvgeo.tagging.placement import REASONS, Places
from qpvgeo.tagging.territory_tags import Tags

__all__ = ["ROW", "Perimeters", "PointTags"]

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Perimeters:
    """Perimeters in force, those of all territories one after the other.

    Attributes
    ----------
    in_force
        What applies in each territory.
    offsets
        Position of the first perimeter of each territory.
    labels, names, communes
        Of each perimeter.
    suffix
        End of the names of columns.
    """

    in_force: dict[str, InForce]
    offsets: dict[str, int]
    labels: pa.Array
    names: pa.Array
    communes: pa.Array
    suffix: str

    @classmethod
    def of(cls, in_force: dict[str, InForce], suffix: str) -> "Perimeters":
        """Number the perimeters of the territories."""
        layers = {code: one.layer for code, one in in_force.items() if one.layer is not None}
        offsets, many = {}, 0
        for code, layer in layers.items():
            offsets[code] = many
            many += len(layer.codes)
        text = pa.large_string()
        labels = pa.array([str(label) for layer in layers.values() for label in layer.codes], text)
        names = pa.array([name for layer in layers.values() for name in layer.names], text)
        communes = pa.array([name for layer in layers.values() for name in layer.communes], text)
        return cls(in_force, offsets, labels, names, communes, suffix)

    @cached_property
    def texts(self) -> dict[str, Texts]:
        """Labels, names and communes, each with a missing one at the end, where position -1 is."""
        return {name: _texts(getattr(self, name).to_pylist()) for name in ("labels", "names", "communes")}


@dataclass(frozen=True, slots=True, eq=False)
class PointTags:
    """Tags of points, one value per point, in their order; `PerimeterIndex.tag` makes it.

    The properties are named as the columns of `tag_points`, and hold the same. Texts are made at each call, from the
    positions: take them once.

    Attributes
    ----------
    positions
        State, reason and perimeters as small numbers: see `qpvgeo.tagging.territory_tags.Tags`.
    places
        Territory of each point, or why it has none: see `qpvgeo.tagging.placement.Places`.
    perimeters
        Labels of the perimeters, names and communes, in the order of the positions.
    question
        What was measured.
    """

    positions: Tags
    places: Places
    perimeters: Perimeters
    question: Question

    def __len__(self) -> int:
        """Count of points."""
        return len(self.positions.state)

    @property
    def state(self) -> Texts:
        """`in`, `out` or `unknown`."""
        return _at(_STATES, self.positions.state)

    @property
    def reason(self) -> Texts:
        """Why a point is unknown (one of `qpvgeo.tagging.placement.REASONS`); None otherwise."""
        return _at(_REASONS, self.positions.reason - np.int8(1))

    @property
    def qpv_code(self) -> Texts:
        """Label of the perimeter that covers a point, the smallest where several do; None for none."""
        return _at(self.perimeters.texts["labels"], self.positions.held_by)

    @property
    def qpv_name(self) -> Texts:
        """Its name; None where the perimeters give none."""
        return _at(self.perimeters.texts["names"], self.positions.held_by)

    @property
    def qpv_commune(self) -> Texts:
        """Communes that it lies in; None where the perimeters give none."""
        return _at(self.perimeters.texts["communes"], self.positions.held_by)

    @property
    def also_in(self) -> Texts:
        """Labels of the other perimeters that cover a point, separated by commas; None for none."""
        found: Texts = np.full(len(self), None, dtype=object)
        labels = self.perimeters.texts["labels"]
        for row, others in self.positions.also.by_row():
            found[row] = ", ".join(labels[others])
        return found

    @property
    def nearest_qpv(self) -> Texts:
        """Label of the perimeter of the nearest boundary, up to the widest band; None beyond, or where not measured."""
        if not self.question.measures:
            return np.full(len(self), None, dtype=object)
        return _at(self.perimeters.texts["labels"], self.positions.nearest)

    @property
    def distance_m(self) -> npt.NDArray[np.float64]:
        """Metres to that boundary, 0 inside (below it, where signed); NaN beyond, or where not measured."""
        return self.positions.distance_m if self.question.measures else np.full(len(self), np.nan)

    @property
    def band(self) -> Texts:
        """`in`, `within 300 m`, ..., `beyond 500 m`; None where unknown, and without bands."""
        if not self.question.bands:
            return np.full(len(self), None, dtype=object)
        return _at(_texts(self.question.band_names), self.positions.band)

    @property
    def territory(self) -> Texts:
        """Code of the territory that a point lies in; None for none."""
        return _at(_texts(self.places.codes), self.places.territory)

    @property
    def vintage(self) -> Texts:
        """Year of the geography that a point was tagged by; None where its territory has no perimeters."""
        layers = (self.perimeters.in_force[code].layer for code in self.places.codes)
        return _at(_texts([None if one is None else one.vintage for one in layers]), self.places.territory)

    def taken(self, rows: Sequence[int]) -> "PointTags":
        """Tags of some of the points, by their positions."""
        at, own = np.asarray(rows, np.intp), self.positions
        positions = Tags(
            own.state[at],
            own.reason[at],
            own.held_by[at],
            own.also.taken(at),
            own.nearest[at] if len(own.nearest) else own.nearest,
            own.distance_m[at] if len(own.distance_m) else own.distance_m,
            own.band[at] if len(own.band) else own.band,
        )
        places = Places(self.places.codes, self.places.territory[at], self.places.reason[at])
        return PointTags(positions, places, self.perimeters, self.question)

    def rows(self) -> list[dict[str, Any]]:
        """A dictionary for each point, with plain Python values and None for what is missing: ready for JSON."""
        columns = {name: getattr(self, name).tolist() for name in ROW}
        columns["distance_m"] = [None if metres != metres else metres for metres in columns["distance_m"]]  # noqa: PLR0124
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


ROW = (
    "state",
    "reason",
    "qpv_code",
    "qpv_name",
    "qpv_commune",
    "also_in",
    "nearest_qpv",
    "distance_m",
    "band",
    "territory",
    "vintage",
)
"""Names of a row."""


def _texts(values: Sequence[Any]) -> Texts:
    """Values with a missing one at the end, where position -1 is."""
    found: Texts = np.empty(len(values) + 1, dtype=object)
    found[:-1] = values
    return found


def _at(texts: Texts, positions: npt.NDArray[Any]) -> Texts:
    found: Texts = texts[positions]
    return found


_STATES, _REASONS = _texts(STATES), _texts(REASONS)
