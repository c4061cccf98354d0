"""Which perimeters apply in a territory: those of a vintage, or of the list in force on a day.

Points are `unknown` when the list in force is not known or its perimeters were not supplied; `reason` says which. In
Mayotte the law that makes every commune a QPV was published on 12 August 2025 without a first day that could be
established, and the list of 15 January 2026 is the first to hold it: in between a point in a QPV of the list before is
`in`, and any other is unknown.

Source: the tables `lists` and `decrees` of the facts (`qpvgeo.geography`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.tagging.index_layer import IndexLayer

if TYPE_CHECKING:
    from qpvgeo.tagging.perimeter_index import PerimeterIndex

__all__ = ["InForce", "by_day", "by_vintage", "day_notes"]

_TERRITORY, _DAY, _UNKNOWN = (
    "no perimeters of this territory",
    "no perimeters of the geography of that day",
    "geography of that day not known",
)


@dataclass(frozen=True, slots=True)
class InForce:
    """Perimeters that apply to the points of a territory.

    Attributes
    ----------
    layer
        Perimeters; None for none.
    missing
        Why points are unknown where there is no layer; None where they are out, for the law names no QPV there.
    doubt
        Why a point in none of the perimeters is unknown; None where it is out.
    """

    layer: IndexLayer | None = None
    missing: str | None = None
    doubt: str | None = None


def by_vintage(index: "PerimeterIndex", codes: Iterable[str], vintage: int | None) -> list[InForce]:
    """Perimeters of a vintage in each of some territories.

    Parameters
    ----------
    index
        Perimeters available.
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
        found.append(InForce(layer, None if layer is not None or certain else _TERRITORY))
    return found


def by_day(index: "PerimeterIndex", codes: Iterable[str], on: Any, lists: pd.DataFrame) -> list[InForce]:  # noqa: ANN401
    """Perimeters of the list in force on a day in each of some territories.

    Parameters
    ----------
    index
        Perimeters available, with their vintages.
    codes
        Territories.
    on
        Day.
    lists
        Lists in force on that day (`qpvgeo.geography`).

    Raises
    ------
    UsageError
        Some perimeters have no vintage.
    """
    unsettled = facts.unsettled(on)
    if None in index.vintages:
        raise UsageError(Note("tagging.day_needs_vintages"), way_out=Note("tagging.give_vintages"))
    found = []
    for code in codes:
        if code not in lists.index:
            found.append(InForce())
        elif pd.isna(lists.loc[code, "vintage"]):
            found.append(InForce(missing=_UNKNOWN))
        else:
            held = unsettled.get(code, lists.loc[code])
            layer = index.layer(code, int(held["vintage"]))
            if layer is not None and _of_release(layer, str(held["release"])):
                found.append(InForce(layer, doubt=_UNKNOWN if code in unsettled else None))
            elif code in unsettled:
                found.append(InForce(missing=_UNKNOWN))
            else:
                other = any(index.layer(code, year) is not None for year in index.vintages)
                found.append(InForce(missing=_DAY if other else _TERRITORY))
    return found


def day_notes(index: "PerimeterIndex", on: Any) -> list[str]:  # noqa: ANN401 - a day, or its text
    """What is not known of the lists of a day where an index has perimeters, in words; nothing for no day."""
    if on is None:
        return []
    codes = territories.territories()
    return facts.caveats(on, [code for code in codes if any(index.layer(code, year) for year in index.vintages)])


def _of_release(layer: IndexLayer, release: str) -> bool:
    """Whether perimeters are of a list: Mayotte has had two in one geography, and a mixture is of neither."""
    if (layer.territory, layer.vintage) != ("976", 2024):
        return True
    whole = {str(code).endswith("C") for code in layer.codes}
    return whole == {release == facts.LAST_RELEASE.isoformat()}
