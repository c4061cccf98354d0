"""Programmes on the command line: the lists held or named, and the QPV available that they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.language import Note

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

__all__ = ["VINTAGES", "joined", "met", "other_perimeters", "reached"]

VINTAGES = (2015, 2024)


def other_perimeters(qpv: gpd.GeoDataFrame, data: Path | None) -> gpd.GeoDataFrame | None:
    """Perimeters of the other geography; None where they are not available."""
    from qpvgeo.at_hand import files
    from qpvgeo.cli import inputs

    other = next(year for year in VINTAGES if year != int(qpv["vintage"].iloc[0]))
    try:
        return inputs.required_perimeters(other, data)
    except MissingDataError as error:
        files.note_on(qpv, error.problems)
        return None


def met(
    qpv: gpd.GeoDataFrame, other: gpd.GeoDataFrame, codes: Iterable[str]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Perimeters of both geographies that some QPV can share ground with, through any number of others.

    Those without an outline stay where they are of the same departments: they may be of the same ground.
    """
    from qpvgeo.codes import official
    from qpvgeo.geographies.outcomes import components

    layers = qpv, other.to_crs(qpv.crs)
    right, left = layers[0].sindex.query(layers[1].geometry)
    zone = components(len(qpv) + len(other), left, len(qpv) + right)
    wanted = qpv.index.isin(list(codes))
    near = np.isin(zone, zone[: len(qpv)][wanted])
    departments = {official.of_qpv(code) for code in qpv.index[wanted]}
    undrawn = [layer.geometry.isna() & layer.index.map(official.of_qpv).isin(departments) for layer in layers]
    return qpv[near[: len(qpv)] | undrawn[0]], other[near[len(qpv) :] | undrawn[1]]


def joined(
    qpv: gpd.GeoDataFrame,
    data: Path | None,
    *,
    lists: Path | None = None,
    communes: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
    only: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Programmes that reach QPV, all or some, carried from the other geography where it is available."""
    from qpvgeo.geographies import crosswalk
    from qpvgeo.policy import join_programmes

    other = other_perimeters(qpv, data)
    here = qpv if only is None else qpv[qpv.index.isin(list(only))]
    walk = None
    if other is not None:
        layers = (qpv, other) if only is None else met(qpv, other, here.index)
        # where nothing of the other geography is near, its whole says so
        layers = layers if layers[1].geometry.notna().any() else (qpv, other)
        old_first = int(qpv["vintage"].iloc[0]) == VINTAGES[0]
        walk = crosswalk(*(layers if old_first else reversed(layers)))
    given = None if lists is None else _lists(lists)
    return join_programmes(here, given, crosswalk=walk, communes=communes, links=links)


def _lists(path: Path) -> pd.DataFrame | dict[str, Any]:
    """Lists of a file: a layer of perimeters or a table, of the programme of its name where no column names them."""
    from qpvgeo.formats import vector_layers
    from qpvgeo.formats.text_tables import read_table
    from qpvgeo.sources.published_names import column_of

    if vector_layers.holds_outlines(path):
        held = vector_layers.layers(path)
        table: pd.DataFrame = vector_layers.read(vector_layers.chosen(held, None, where=path.name)[0])[0]
        return table if "programme" in table.columns else {path.stem: table}
    table = read_table(path)
    codes = None if "programme" in table.columns else column_of([str(name) for name in table.columns], "qpv_code")
    return table if codes is None else {path.stem: table[codes].dropna()}


def reached(found: pd.DataFrame, programme: str) -> set[str]:
    """QPV that a programme reaches.

    Raises
    ------
    UsageError
        Its list is not held, and none was given.
    DataError
        It reaches none of these QPV.
    """
    from qpvgeo.policy import programme_members

    inside = set(found.loc[found["programme"] == programme, "qpv_code"])
    if not inside:
        programme_members(programme)
        raise DataError(Note("cli.programme_reaches_none", programme=programme), way_out=Note("cli.see_programmes"))
    return inside
