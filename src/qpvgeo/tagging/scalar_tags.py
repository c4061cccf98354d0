"""Tags of one point without arrays: the row of `PerimeterIndex.tag`, in a tenth of the time.

Arrays repay themselves from a few points on; for a single one most of the time goes into making them. Here a point in
degrees is placed, projected, located and measured by plain numbers, with the same arithmetic and so the same answer to
the last bit. What is rare (swapped axes, a point abroad, a tolerance in metres) is left to the arrays.
"""

import math
from typing import Any

import pyproj

from qpvgeo.codes import territories
from qpvgeo.geometry.projection import DEGREES, transformer
from qpvgeo.geometry.territory_outline import TerritoryOutline, outline_of
from qpvgeo.tagging.applicable_perimeters import InForce
from qpvgeo.tagging.perimeter_index import PerimeterIndex
from qpvgeo.tagging.plain_tags import ROW
from qpvgeo.tagging.tag_arrays import Asked, prepared

__all__ = ["OnePoint"]

_BANDS = (300, 500)
_HOME = "hexagone"
_ABROAD, _COARSE, _LOST = "outside France", "location too coarse", "outline lost in repair"
_NO_TERRITORY = "no perimeters of this territory"

Row = dict[str, Any]


class OnePoint:
    """Ready for single points in degrees, by a vintage or by the lists of a day.

    Parameters
    ----------
    index
        The perimeters.
    on, vintage
        As for `PerimeterIndex.tag`.

    Raises
    ------
    UsageError
        As there.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> index = qg.PerimeterIndex(qg.read_qpv(qg.sample().qpv_2024))
    >>> OnePoint(index).row(-3.7, 45.9) == index.tag(-3.7, 45.9).rows()[0]
    True
    """

    def __init__(self, index: PerimeterIndex, *, on: str | None = None, vintage: int | None = None) -> None:
        self._index, self._on, self._vintage = index, on, vintage
        tagger, _ = prepared(index, Asked(DEGREES, _BANDS, "exact", on, vintage, 0.0))
        self._question, perimeters = tagger.question, tagger.perimeters[0]
        self._names, self._texts, self._offsets = self._question.band_names, perimeters.texts, perimeters.offsets
        self._in_force: dict[str, InForce] = perimeters.in_force
        self._outlines: dict[str, TerritoryOutline] = {}
        self._ways: dict[str, pyproj.Transformer] = {}
        known = territories.territories().values()
        self._boxes = [(one.code, one.bounds) for one in known if one.bounds is not None]
        self._home = territories.get(_HOME).bounds or (0.0, 0.0, 0.0, 0.0)

    def row(self, lon: float, lat: float, tolerance_m: float = 0.0) -> Row:
        """Tags of a point, as a dictionary of `PointTags.rows`.

        Parameters
        ----------
        lon, lat
            Degrees.
        tolerance_m
            Uncertainty, metres; infinite where the location is too coarse.
        """
        exact = tolerance_m == 0 or math.isinf(tolerance_m)
        placed = self._placed(lon, lat) if exact else None
        if placed is None:
            return self._by_arrays(lon, lat, tolerance_m)
        territory, reason = placed
        if not territory:
            return self._unknown(reason, None)
        if tolerance_m:
            return self._unknown(_COARSE, territory)
        answer = self._in_force[territory]
        if answer.layer is None:
            return self._unknown(answer.missing, territory) if answer.missing else self._out(territory, math.nan, -1)
        return self._tagged(territory, answer, self._way(territory).transform(lon, lat))

    def _tagged(self, territory: str, answer: InForce, metres: tuple[float, float]) -> Row:
        """Row of a point of a territory that has perimeters."""
        layer, offset = answer.layer, self._offsets[territory]
        assert layer is not None  # noqa: S101 - it was looked at
        held = layer.grid.holding(*metres)
        if held:
            labels = self._texts["labels"]
            code, also = labels[held[0] + offset], [labels[one + offset] for one in held[1:]]
            return {
                "state": "in",
                "reason": None,
                "qpv_code": code,
                "qpv_name": self._texts["names"][held[0] + offset],
                "qpv_commune": self._texts["communes"][held[0] + offset],
                "also_in": ", ".join(also) or None,
                "nearest_qpv": code,
                "distance_m": 0.0,
                "band": self._names[0],
                "territory": territory,
                "vintage": layer.vintage,
            }
        if layer.is_lost(*metres):
            return self._unknown(answer.doubt or _LOST, territory)
        if answer.doubt:
            return self._unknown(answer.doubt, territory)
        distance, near = layer.boundaries(self._question.reach).nearest_one(*metres)
        return self._out(territory, distance, near + offset)

    def _out(self, territory: str, distance: float, near: int) -> Row:
        bands = self._question.bands
        band = next((at for at, most in enumerate(bands) if distance <= most), len(bands))
        known = band < len(bands)
        layer = self._in_force[territory].layer
        return {
            **_NOTHING,
            "state": "out",
            "nearest_qpv": self._texts["labels"][near] if known else None,
            "distance_m": distance if known else None,
            "band": self._names[band + 1],
            "territory": territory,
            "vintage": None if layer is None else layer.vintage,
        }

    def _unknown(self, reason: str | None, territory: str | None) -> Row:
        layer = None if territory is None else self._in_force[territory].layer
        vintage = None if layer is None else layer.vintage
        return {**_NOTHING, "state": "unknown", "reason": reason, "territory": territory, "vintage": vintage}

    def _placed(self, lon: float, lat: float) -> tuple[str, str] | None:
        """Territory of a point, or why it has none; None where arrays must tell. As `qpvgeo.tagging.placement`."""
        if self._index.fictional:
            if self._outline(territories.SAMPLE).holds(lon, lat):
                return _HOME, ""
            return ("", _NO_TERRITORY) if self._outline(_HOME).holds(lon, lat) else None
        if self._outline(_HOME).holds(lon, lat):
            return _HOME, ""
        if _in_box(self._home, lon, lat):
            return "", _ABROAD
        found = [code for code, box in self._boxes if _in_box(box, lon, lat)]
        # the last of several boxes decides
        return (found[-1], "") if found and self._outline(found[-1]).holds(lon, lat) else None

    def _by_arrays(self, lon: float, lat: float, tolerance_m: float) -> Row:
        own = [tolerance_m] if tolerance_m else 0.0
        return self._index.tag([lon], [lat], on=self._on, vintage=self._vintage, tolerance_m=own).rows()[0]

    def _outline(self, territory: str) -> TerritoryOutline:
        found = self._outlines.get(territory)
        if found is None:
            found = self._outlines[territory] = outline_of(territory)
        return found

    def _way(self, territory: str) -> pyproj.Transformer:
        found = self._ways.get(territory)
        if found is None:
            found = self._ways[territory] = transformer(DEGREES, territories.get(territory).epsg)
        return found


_NOTHING: Row = dict.fromkeys(ROW)


def _in_box(box: tuple[float, float, float, float], lon: float, lat: float) -> bool:
    west, south, east, north = box
    return west <= lon <= east and south <= lat <= north
