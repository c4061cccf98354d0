"""Exposure class by class: the grades of a flood zone, bands of a temperature or of a distance.

Nobody is lost between classes: those in a shape without a class, those in no shape, and those of whom the layer says
nothing have rows of their own.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qpvgeo.errors import UsageError, judged
from qpvgeo.frames.provenance import stamp
from qpvgeo.frames.require import columns_told, require_once
from qpvgeo.language import Note
from qpvgeo.resilience.areas_on_cells import Floats, Measured, apart, by_zone, common
from qpvgeo.resilience.exposed_people import exposed_frame, fictional, files_of
from qpvgeo.resilience.layers import Asked, asked_of, extent_of, of_values, shape_notes, zone_of
from qpvgeo.resilience.options import Options, is_number

__all__ = ["NO_CLASS", "OUTSIDE", "UNKNOWN", "exposure_by_class"]

NO_CLASS, OUTSIDE, UNKNOWN = "(no class)", "(outside)", "(unknown)"
"""Rows beside the classes: in a shape without a class, known to be in no shape, and those of whom nothing is said."""

_COLUMNS = ["low", "estimate", "high", "share"]


@judged
def exposure_by_class(
    qpv: gpd.GeoDataFrame,
    layer: gpd.GeoDataFrame | pd.DataFrame | pd.Series | str | Path,
    grid: pd.DataFrame,
    by: str | Sequence[float],
    **options: Any,  # noqa: ANN401 - those of `exposure`
) -> pd.DataFrame:
    """Count the people exposed, class by class.

    Parameters
    ----------
    qpv, layer, grid
        As for `qpvgeo.exposure`.
    by
        For shapes, the column that holds the classes (the grade of a flood zone). For values (a column of the grid, a
        raster, a table), the limits between the classes, which each hold the limit that they begin with: finite numbers
        that rise.
    **options
        For shapes `within_m` and `covered`, as for `qpvgeo.exposure`; none for values.

    Returns
    -------
    pandas.DataFrame
        On the index of the QPV and `class`, a row for each pair, classes in order: `low`, `estimate`, `high` (people;
        the most holds those of whom the layer says nothing), and `share` (of those of whom it says whether they are in
        the class; missing for polygons without `covered`). Beside the classes stand `(no class)`, people in shapes
        whose class is missing; `(outside)`, those known to be in no shape; and `(unknown)`, those of whom the layer
        says nothing. The estimates of a QPV add up to its people; where shapes of several classes overlap, people
        there count in each.

    Raises
    ------
    UsageError, DataError
        As for `qpvgeo.exposure`; or there is no such column, it holds no class or one named as a row beside the
        classes, or limits are not numbers that rise.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> qpv, grid = qg.read_qpv(qg.sample().qpv_2024), qg.read_grid(qg.sample().grid_2019)
    >>> found = exposure_by_class(qpv, gpd.read_file(qg.sample().floods), grid, "alea", covered="everywhere")
    >>> found.index.get_level_values("class").unique().tolist()
    ['Faible', 'Fort', 'Moyen', '(outside)', '(unknown)']
    """
    shaped = Options(qpv, layer, grid).shaped
    if shaped:
        asked = asked_of(Options.named(qpv, layer, grid, options, "within_m", "covered"))
        parts = _of_shapes(asked, _classes(layer, by))
        notes = [*asked.notes, *shape_notes(asked)]
    else:
        limits = _limits(by)
        asked = asked_of(Options.named(qpv, layer, grid, options, above=limits[0]))
        parts, notes = _of_values(asked, limits), asked.notes
    frames = {name: exposed_frame(part, qpv.index)[_COLUMNS] for name, part in parts.items()}
    frames[UNKNOWN]["share"] = pd.array([pd.NA] * len(qpv), dtype="Float64")
    found = pd.concat(frames, names=["class"]).swaplevel()
    found = found.reindex(pd.MultiIndex.from_product([qpv.index, frames], names=[qpv.index.name, "class"]))
    return stamp(found, files_of(asked), layer=asked.name or None, fictional=fictional(asked), notes=notes)


def _classes(layer: gpd.GeoDataFrame, by: Any) -> pd.Series:  # noqa: ANN401
    """Class of each shape as text; missing where the layer gives none."""
    if not isinstance(by, str) or not isinstance(layer, gpd.GeoDataFrame) or by not in layer.columns:
        told = columns_told(layer.columns) if isinstance(layer, gpd.GeoDataFrame) else ""
        raise UsageError(Note("resilience.no_class_column", column=repr(by)), way_out=told)
    require_once(layer, [by])
    values = layer[by]
    if isinstance(values, gpd.GeoSeries):
        raise UsageError(Note("resilience.no_class_column", column=by), way_out=columns_told(layer.columns))
    # a form left blank names no class
    text = values.astype("object").map(lambda value: str(value).strip() or None, na_action="ignore")
    first = dict(zip(text[text.notna()], values[text.notna()], strict=True))
    if not first:
        raise UsageError(Note("resilience.no_classes", column=by), way_out=columns_told(layer.columns))
    if taken := [name for name in (NO_CLASS, OUTSIDE, UNKNOWN) if name in first]:
        way_out = Note("resilience.rename_classes", column=by)
        raise UsageError(Note("resilience.classes_taken", classes=", ".join(taken)), way_out=way_out)
    if isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.ordered:
        names = [str(one) for one in values.cat.categories if str(one) in first]
    else:
        names = sorted(first, key=lambda name: _in_order(first[name]))
    return text.astype(pd.CategoricalDtype(names, ordered=True))


def _in_order(value: object) -> tuple[bool, float, str]:
    """Numbers by size, then texts."""
    return (False, float(value), "") if is_number(value) else (True, 0.0, str(value))  # type: ignore[arg-type]


def _of_shapes(asked: Asked, classes: pd.Series) -> dict[str, Measured]:
    """People of each class of shapes, of those without, of none, and of the unknown."""
    ground = asked.ground
    whole = zone_of(asked)
    extent = extent_of(asked)
    none = classes.isna().to_numpy()
    bare = zone_of(asked, none) if none.any() else None
    zones = {name: zone_of(asked, (classes == name).to_numpy(bool)) for name in classes.cat.categories}
    classed = shapely.union_all(list(zones.values()))
    found = {
        name: by_zone(ground, zone, extent, None if bare is None else shapely.difference(bare, classed))(asked.inside)
        for name, zone in zones.items()
    }
    if bare is not None:
        found[NO_CLASS] = by_zone(ground, shapely.difference(bare, classed), extent)(asked.inside)
    every = by_zone(ground, whole, extent)(asked.inside)
    if extent is None or not extent.is_empty:
        found[OUTSIDE] = Measured(every.everyone, every.others, every.exposed, every.others.estimate)
    looked = asked.inside if extent is None else common(asked.inside, shapely.union_all([extent, whole]))
    unsaid = ground.count(apart(asked.inside, looked))
    found[UNKNOWN] = Measured(every.everyone, unsaid, ground.count(looked), unsaid.estimate)
    return found


def _limits(by: Any) -> list[float]:  # noqa: ANN401
    """Limits between classes of values, judged.

    Raises
    ------
    UsageError
        They are not finite numbers that rise: lists what is wrong.
    """
    listed = (
        list(by) if isinstance(by, Sequence | np.ndarray | pd.Series | pd.Index) and not isinstance(by, str) else []
    )
    problems = [Note("resilience.limit_not_number", value=repr(one)) for one in listed if not is_number(one)]
    if not listed:
        problems = [Note("resilience.no_limits", value=repr(by))]
    if not problems:
        problems = [Note("resilience.limits_fall", one=_said(a), other=_said(b)) for a, b in pairwise(listed) if a >= b]
    if problems:
        raise UsageError(Note("resilience.limits"), problems=problems, way_out=Note("resilience.limits_way_out"))
    return [float(one) for one in listed]


def _said(limit: float) -> str:
    return f"{float(limit):.15g}"


def _of_values(asked: Asked, limits: list[float]) -> dict[str, Measured]:
    """People of each class of values, and of the unknown."""
    values: Floats = np.asarray(asked.values)
    known = ~np.isnan(values)
    at = np.searchsorted(limits, np.nan_to_num(values), side="right")
    between = [f"{_said(a)} – {_said(b)}" for a, b in pairwise(limits)]
    names = [f"< {_said(limits[0])}", *between, f"≥ {_said(limits[-1])}"]
    found = {name: of_values(asked, known, at == number)[0] for number, name in enumerate(names)}
    found[UNKNOWN] = of_values(asked, np.ones_like(known), ~known)[0]
    return found
