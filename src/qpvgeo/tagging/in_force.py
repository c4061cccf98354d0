"""Which perimeters answer the points of a territory: those of a vintage, or of the list in force on a day.

A list that is not known, or was not given, answers nothing: its points are unknown, and the reason says which of the
two. In Mayotte the law that makes every commune a QPV was published on 12 August 2025 without a first day that could be
established, and the list of 15 January 2026 is the first to hold it: in between a point in a QPV of the list before is
in, and any other is unknown.

Source: the tables `lists` and `decrees` of the facts (`qpvgeo.geography`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.errors import UsageError
from qpvgeo.tagging.index_layer import Layer
from qpvgeo.tagging.perimeter_index import PerimeterIndex

__all__ = ["Answering", "by_day", "by_vintage", "day_notes"]

_TERRITORY, _DAY, _UNKNOWN = (
    "no perimeters of this territory",
    "no perimeters of the geography of that day",
    "geography of that day not known",
)


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers the points of a territory.

    Attributes
    ----------
    layer
        Perimeters; None for none.
    missing
        Why points are unknown where there is no layer; None where they are out, for the law names no QPV there.
    doubt
        Why a point in none of the perimeters is unknown; None where it is out.
    """

    layer: Layer | None = None
    missing: str | None = None
    doubt: str | None = None


def by_vintage(index: PerimeterIndex, codes: Iterable[str], vintage: int | None) -> list[Answering]:
    """Perimeters of a vintage in each of some territories.

    Parameters
    ----------
    index
        Perimeters at hand.
    codes
        Territories.
    vintage
        Year, or None for perimeters that have none.
    """
    found = []
    for code in codes:
        layer = index.layer(code, vintage)
        # only a list says where there is no QPV
        certain = vintage is not None and not territories.get(code).has_qpv
        found.append(Answering(layer, None if layer is not None or certain else _TERRITORY))
    return found


def by_day(index: PerimeterIndex, codes: Iterable[str], on: Any) -> list[Answering]:  # noqa: ANN401 - a day, or its text
    """Perimeters of the list in force on a day in each of some territories.

    Parameters
    ----------
    index
        Perimeters at hand, with their vintages.
    codes
        Territories.
    on
        Day.

    Raises
    ------
    UsageError
        `on` is no day, comes before there was any QPV, or perimeters have no vintage.
    """
    lists, unsettled = facts.geography(on), facts.unsettled(on)
    if None in index.vintages:
        raise UsageError(
            "A day asks for perimeters that say of which geography they are: some have no `vintage`.",
            way_out="Give those of qpvgeo.read_qpv(), or a column `vintage` (2015 or 2024).",
        )
    found = []
    for code in codes:
        if code not in lists.index:
            found.append(Answering())
        elif pd.isna(lists.loc[code, "vintage"]):
            found.append(Answering(missing=_UNKNOWN))
        else:
            held = unsettled.get(code, lists.loc[code])
            layer = index.layer(code, int(held["vintage"]))
            if layer is not None and _of_release(layer, str(held["release"])):
                found.append(Answering(layer, doubt=_UNKNOWN if code in unsettled else None))
            elif code in unsettled:
                found.append(Answering(missing=_UNKNOWN))
            else:
                other = any(index.layer(code, year) is not None for year in index.vintages)
                found.append(Answering(missing=_DAY if other else _TERRITORY))
    return found


def day_notes(index: PerimeterIndex, on: Any) -> list[str]:  # noqa: ANN401 - a day, or its text
    """What is not known of the lists of a day where an index has perimeters, in words; nothing for no day."""
    if on is None:
        return []
    codes = territories.territories()
    return facts.caveats(on, [code for code in codes if any(index.layer(code, year) for year in index.vintages)])


def _of_release(layer: Layer, release: str) -> bool:
    """Whether perimeters are of a list: Mayotte has had two in one geography, and a mixture is of neither."""
    if (layer.territory, layer.vintage) != ("976", 2024):
        return True
    whole = {str(code).endswith("C") for code in layer.codes}
    return whole == {release == facts.LAST_RELEASE.isoformat()}
