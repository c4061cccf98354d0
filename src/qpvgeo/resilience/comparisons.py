"""Each QPV beside the rest of its commune or EPCI, and exposure class by class.

The rest of a unit is what lies in it and in no QPV. The ratio of two shares has the bounds that theirs allow: where
they hold 1, nothing can be said of which is the more exposed.
"""

from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.language import Note
from qpvgeo.resilience.cell_exposure import exposed_frame, exposure
from qpvgeo.resilience.measured import Measured, Shapes, areas_of, reach_of, share_of
from qpvgeo.resilience.options import Options

__all__ = ["exposure_beside", "exposure_by_class"]

_OPTIONS = ("within_m", "above", "below", "quantile", "covered")


@judged
def exposure_beside(
    qpv: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame | str,
    grid: pd.DataFrame,
    units: gpd.GeoDataFrame,
    **options: Any,  # noqa: ANN401 - those of `exposure`
) -> pd.DataFrame:
    """Compare each QPV with the rest of the unit in which most of it lies.

    Parameters
    ----------
    qpv, layer, grid
        As for `qpvgeo.exposure`.
    units
        Outlines of communes, EPCI or any areas, on unique labels. Outlines of EPCI follow from those of communes:
        `communes.dissolve("epci")`.
    **options
        `within_m`, `above`, `below`, `quantile`, `covered`, as for `qpvgeo.exposure`.

    Returns
    -------
    pandas.DataFrame
        On the index of the QPV: `unit` (missing outside of all), the columns of `qpvgeo.exposure` but `ratio`,
        `rest_population`, `rest_share`, `rest_share_low`, `rest_share_high` (of the rest of the unit), and `ratio`,
        `ratio_low`, `ratio_high` (share of the QPV over that of the rest; missing where that is 0 or not known).

    Raises
    ------
    UsageError, DataError
        As for `qpvgeo.exposure`.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, grid, floods = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019), gpd.read_file(sample.floods)
    >>> found = exposure_beside(qpv, floods, grid, qg.read_communes(sample.communes), covered="everywhere")
    >>> row = found.loc["QN09904M"]
    >>> row["unit"], bool(row["ratio_low"] <= row["ratio"] <= row["ratio_high"])
    ('99001', True)
    """
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise UsageError(Note("resilience.unknown_options", options=unknown))
    known: dict[str, Any] = {name: options.get(name) for name in _OPTIONS}
    Options(qpv, layer, grid, around=units, **known).require()
    if units is None or not units.index.is_unique:
        wrong = Note("resilience.not_a_layer", name="units") if units is None else Note("resilience.repeated_labels")
        raise UsageError(Note("resilience.options"), problems=[wrong])
    reach = reach_of(layer, grid, **known)
    inside = areas_of(qpv, reach.lattice)
    mine = reach.measure(inside)
    if not mine.everyone.touched.sum():
        raise DataError(Note("resilience.no_cells"), way_out=Note("resilience.no_cells_way_out"))
    unit = pd.Series(_main_unit(inside, areas_of(units, reach.lattice), units.index), index=qpv.index, dtype="object")
    used = units.loc[[label for label in units.index if label in set(unit.dropna())]]
    rest = reach.measure(shapely.difference(areas_of(used, reach.lattice), shapely.union_all(inside)))
    found = exposed_frame(mine, qpv.index)
    found.insert(0, "unit", unit)
    beside = pd.DataFrame(_shares(rest), index=used.index).reindex(unit)
    for name in beside.columns:
        found[name] = pd.Series(beside[name].to_numpy(), index=qpv.index, dtype="Float64")
    for name, one, other in (
        ("ratio", "share", "rest_share"),
        ("ratio_low", "share_low", "rest_share_high"),
        ("ratio_high", "share_high", "rest_share_low"),
    ):
        found[name] = found[one] / found[other].where(found[other] > 0)
    files = [*provenance(qpv).get("files", []), *provenance(grid).get("files", [])]
    notes = [Note("resilience.people_of_cells"), Note("resilience.ratio_bounds")]
    return stamp(found, files, fictional=is_fictional(qpv, grid), notes=notes)


def _main_unit(qpv: Shapes, units: Shapes, labels: pd.Index) -> list[Any]:
    """Unit in which most of each QPV lies; None outside of all."""
    tree = shapely.STRtree(units)
    found: list[Any] = []
    for shape in qpv:
        near = tree.query(shape, predicate="intersects") if shape is not None else np.array([], dtype=int)
        shared = shapely.area(shapely.intersection(shape, units[near])) if len(near) else np.array([])
        found.append(labels[near[int(shared.argmax())]] if shared.any() else None)
    return found


def _shares(rest: Measured) -> dict[str, np.ndarray[Any, Any]]:
    share, low, high = share_of(rest.exposed, rest.others)
    return {
        "rest_population": rest.everyone.estimate,
        "rest_share": share,
        "rest_share_low": low,
        "rest_share_high": high,
    }


@judged
def exposure_by_class(
    qpv: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame | str,
    grid: pd.DataFrame,
    by: str | list[float],
    **options: Any,  # noqa: ANN401 - those of `exposure`
) -> pd.DataFrame:
    """Count the people exposed, class by class.

    Parameters
    ----------
    qpv, layer, grid
        As for `qpvgeo.exposure`.
    by
        Column of the layer that holds the classes (the grade of a flood zone); for a column of the grid, the limits
        between the classes, which each hold the limit that they begin with.
    **options
        `within_m`, `covered`, as for `qpvgeo.exposure`.

    Returns
    -------
    pandas.DataFrame
        On the index of the QPV and `class`, a row for each pair: `low`, `estimate`, `high` (people), and `share` (of
        those of whom the layer says something). Classes of a layer that overlap count the same people in each; classes
        of a column of the grid are apart, and their estimates add up to those whose value is known.

    Raises
    ------
    UsageError, DataError
        As for `qpvgeo.exposure`; or there is no such column, or the limits do not rise.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> qpv, grid = qg.read_qpv(qg.sample().qpv_2024), qg.read_grid(qg.sample().grid_2019)
    >>> found = exposure_by_class(qpv, gpd.read_file(qg.sample().floods), grid, "alea", covered="everywhere")
    >>> sorted(found.index.get_level_values("class").unique())
    ['Faible', 'Fort', 'Moyen']
    """
    parts = _of_column(qpv, layer, grid, by) if isinstance(layer, str) else _of_layer(qpv, layer, grid, by, options)
    found = pd.concat(parts, names=["class"]).swaplevel().sort_index(kind="stable")
    files = [*provenance(qpv).get("files", []), *provenance(grid).get("files", [])]
    return stamp(found, files, fictional=is_fictional(qpv, grid), notes=[Note("resilience.people_of_cells")])


def _of_layer(
    qpv: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame,
    grid: pd.DataFrame,
    by: Any,  # noqa: ANN401
    options: dict[str, Any],
) -> dict[str, pd.DataFrame]:
    if not isinstance(layer, gpd.GeoDataFrame) or not isinstance(by, str) or by not in layer.columns:
        raise UsageError(Note("resilience.no_class_column", column=repr(by)))
    if options.get("covered") is None and options.get("within_m") is None:
        # outside of one class the layer still says something: where the others are
        options = options | {"covered": layer}
    columns = ["low", "estimate", "high", "share"]
    return {
        str(name): exposure(qpv, rows, grid, **options)[columns]
        for name, rows in layer.dropna(subset=by).groupby(by, observed=True)
    }


def _of_column(qpv: gpd.GeoDataFrame, column: str, grid: pd.DataFrame, limits: Any) -> dict[str, pd.DataFrame]:  # noqa: ANN401
    if not isinstance(limits, list) or not limits or any(a >= b for a, b in pairwise(limits)):
        raise UsageError(Note("resilience.limits", limits=repr(limits)))
    Options(qpv, column, grid, None, limits[0], None, None, None, None).require()
    inside = areas_of(qpv, reach_of(column, grid, above=limits[0]).lattice)
    value = grid[column].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    classes = np.where(np.isnan(value), np.nan, np.searchsorted(limits, value, side="right"))
    names = [f"< {limits[0]:g}", *(f"{a:g} – {b:g}" for a, b in pairwise(limits))]
    found = {}
    for number, name in enumerate([*names, f"≥ {limits[-1]:g}"]):
        # a cell without a value is in no class, and in no other either
        flags = np.where(np.isnan(classes), np.nan, classes == number)
        one = reach_of("class", grid.assign(**{"class": flags}), above=1).measure(inside)
        frame = exposed_frame(one, qpv.index)
        found[name] = frame[["low", "estimate", "high", "share"]]
    return found
