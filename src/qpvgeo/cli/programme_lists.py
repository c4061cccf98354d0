"""Programmes on the command line: the lists held or named, and the QPV available that they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qpvgeo.errors import MissingDataError

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

__all__ = ["VINTAGES", "joined", "other_perimeters", "reached"]

VINTAGES = (2015, 2024)


def other_perimeters(qpv: gpd.GeoDataFrame, data: Path | None) -> gpd.GeoDataFrame | None:
    """Perimeters of the other geography; None where they are not available."""
    from qpvgeo.cli import inputs

    other = next(year for year in VINTAGES if year != int(qpv["vintage"].iloc[0]))
    try:
        return inputs.required_perimeters(other, data)
    except MissingDataError:
        return None


def joined(
    qpv: gpd.GeoDataFrame,
    data: Path | None,
    *,
    lists: Path | None = None,
    communes: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Programmes that reach QPV, carried from the other geography where it is available."""
    from qpvgeo.formats.text_tables import read_table
    from qpvgeo.geographies import crosswalk
    from qpvgeo.policy import join_programmes

    other = other_perimeters(qpv, data)
    walk = None
    if other is not None:
        old_first = int(qpv["vintage"].iloc[0]) == VINTAGES[0]
        walk = crosswalk(*((qpv, other) if old_first else (other, qpv)))
    given = None if lists is None else read_table(lists)
    return join_programmes(qpv, given, crosswalk=walk, communes=communes, links=links)


def reached(found: pd.DataFrame, programme: str) -> set[str]:
    """QPV that a programme reaches.

    Raises
    ------
    UsageError
        Its list is not held, and none was given.
    """
    from qpvgeo.policy import programme_members

    if programme not in set(found["programme"]):
        programme_members(programme)
    return set(found.loc[found["programme"] == programme, "qpv_code"])
