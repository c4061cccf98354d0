"""Meet published totals: move or scale the people of cells so that sums agree with what is published.

By perimeter, the people of the cells that boundaries cross are moved between the perimeters and what lies outside, by
iterative proportional fitting (Deming and Stephan, 1940): cells keep their totals, perimeters reach theirs. By commune,
the cells of a commune are scaled together. Both say what they could not meet.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.geometry.cell_cover import Cover
from qpvgeo.language import Note
from qpvgeo.population.grid_columns import values_of

__all__ = ["TOLERANCE", "apply"]

TOLERANCE = 1e-3
"""Relative gap under which a published total is met."""

_PRECISION = 1e-6
_MAX_ROUNDS = 5_000

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def apply(
    constraint: pd.Series, found: Cover, at: Rows, weights: Floats, grid: pd.DataFrame, labels: pd.Index
) -> tuple[Floats, Floats, dict[str, Any]]:
    """Weights and scales of the pairs of perimeter and cell that meet published totals.

    Parameters
    ----------
    constraint
        Totals, by label of the perimeters or by commune code.
    found, at, weights
        Pairs of perimeter and cell, positions of the cells in the grid, shares before.
    grid
        Grid frame.
    labels
        Labels of the perimeters.

    Returns
    -------
    tuple
        New weights, scale factors of the cells, and diagnostics: `constraint` with `by`, `rounds`, `max_gap` and
        `unmet`; `targets` by perimeter; `notes` on the totals that were not met.

    Raises
    ------
    DataError
        The totals are not numbers above zero, appear several times, or none is of a perimeter or of a commune of the
        grid.
    UsageError
        The totals are not a Series.
    """
    if not isinstance(constraint, pd.Series):
        raise UsageError(
            Note("population.totals_no_series", kind=type(constraint).__name__),
            way_out=Note("population.call_with_totals"),
        )
    dated = pd.api.types.is_datetime64_any_dtype(constraint) or pd.api.types.is_timedelta64_dtype(constraint)
    totals = pd.to_numeric(constraint.astype("str") if dated else constraint, errors="coerce").astype("float64")
    bad = ~(totals > 0).to_numpy() | ~np.isfinite(totals).to_numpy()
    if bad.any():
        raise DataError(
            Note("population.bad_totals", count=int(bad.sum())),
            problems=[
                Note("population.bad_total", label=str(label), value=repr(value))
                for label, value in constraint[bad].items()
            ],
            way_out=Note("population.drop_totals"),
        )
    if not totals.index.is_unique:
        repeated = totals.index[totals.index.duplicated()].unique()
        raise DataError(
            Note("population.totals_twice"), problems=map(str, repeated), way_out=Note("population.totals_once")
        )
    if totals.index.nlevels == labels.nlevels and totals.index.isin(labels).any():
        return _by_perimeter(totals.reindex(labels), found, at, weights, grid)
    if totals.index.nlevels > 1:
        raise DataError(
            Note("population.totals_of_nobody"),
            problems=[str(label) for label in totals.index],
            way_out=Note("population.index_totals"),
        )
    return _by_commune(totals, at, weights, grid)


def _by_perimeter(
    targets: pd.Series, found: Cover, at: Rows, weights: Floats, grid: pd.DataFrame
) -> tuple[Floats, Floats, dict[str, Any]]:
    wanted = targets.to_numpy()
    cells, cell = np.unique(at, return_inverse=True)
    people = values_of(grid, "population")[cells]
    inside = weights * people[cell]
    # a cell wholly inside a perimeter is the lower bound: its people stay where they are
    free = np.bincount(cell, found.share == 1.0, len(cells))[cell] == 0
    fixed = _sums(found.area[~free], inside[~free], len(wanted))
    area, own, moved = found.area[free], cell[free], inside[free]
    # where perimeters overlap a cell can be given twice: it is still one cell
    outside = np.maximum(people - _sums(own, moved, len(cells)), 0.0)
    gap, rounds = np.array([np.inf]), 0
    while rounds < _MAX_ROUNDS and np.nanmax(gap, initial=0.0) > _PRECISION:
        now = _sums(area, moved, len(wanted))
        short = np.maximum(wanted - fixed, 0.0)
        moved *= np.divide(short, now, out=np.ones_like(now), where=(now > 0) & np.isfinite(wanted))[area]
        total = _sums(own, moved, len(cells)) + outside
        factor = np.divide(people, total, out=np.ones_like(total), where=total > 0)
        moved *= factor[own]
        outside *= factor
        before, gap = gap, np.abs((fixed + _sums(area, moved, len(wanted))) / wanted - 1)
        rounds += 1
        if len(before) == len(gap) and np.nanmax(np.abs(before - gap), initial=0.0) < _PRECISION / 100:
            break  # what is left cannot be met: the total lies outside the bounds
    inside[free] = moved
    touched = np.bincount(found.area, minlength=len(wanted)) > 0
    gap = np.where(touched, gap, np.nan)
    new = np.divide(inside, people[cell], out=weights.copy(), where=people[cell] > 0)
    asked = touched & np.isfinite(wanted)
    missed = asked & ~(gap <= TOLERANCE)
    largest = float(np.nanmax(gap)) if np.isfinite(gap).any() else None
    unmet = targets.index[missed].astype(str).tolist()
    about = {"by": "perimeter", "rounds": rounds, "max_gap": largest, "unmet": unmet}
    notes = []
    if unmet:
        signed = (fixed + _sums(area, moved, len(wanted)))[missed] / wanted[missed] - 1
        worst = float(signed[np.argmax(np.abs(signed))])
        notes.append(
            Note("population.totals_not_met", count=len(unmet), total=int(asked.sum()), worst=worst, codes=unmet)
        )
    untold = targets.index[touched & ~np.isfinite(wanted)].astype(str).tolist()
    if untold:
        notes.append(Note("population.rows_without_total", count=len(untold), codes=untold))
    return new, np.ones(len(at)), {"constraint": about, "targets": targets, "notes": notes}


def _sums(group: Rows, values: Floats, number: int) -> Floats:
    sums: Floats = np.bincount(group, values, number).astype(np.float64)  # whole numbers when there is nothing to sum
    return sums


def _by_commune(
    totals: pd.Series, at: Rows, weights: Floats, grid: pd.DataFrame
) -> tuple[Floats, Floats, dict[str, Any]]:
    cut = set(provenance.provenance(grid).get("where") or {}) & {"areas", "box"}
    if cut:
        raise DataError(
            Note("population.cut_communes"),
            way_out=Note("population.read_whole_communes"),
        )
    if "communes" not in grid.columns:
        raise DataError(Note("population.no_communes"), way_out=Note("population.index_totals"))
    listed = [_codes(cell) for cell in grid["communes"]]
    several = np.array([len(found) for found in listed], dtype=np.int64)
    share = np.divide(1.0, several, out=np.zeros(len(several)), where=several > 0)
    people = values_of(grid, "population")
    parts = pd.DataFrame({"row": np.arange(len(grid)), "commune": listed}).explode("commune")
    row = parts["row"].to_numpy()
    now = pd.Series(people[row] * share[row]).groupby(parts["commune"].to_numpy()).sum(skipna=False)
    if not totals.index.isin(now.index).any():
        raise DataError(
            Note("population.totals_of_nobody"),
            problems=[str(label) for label in totals.index],
            way_out=Note("population.index_totals"),
        )
    ratio = (totals / now.where(now > 0)).reindex(now.index)
    # a cell of several communes is shared out evenly between them; a commune without a total keeps its people
    factor = pd.Series(parts["commune"].map(ratio).fillna(1.0).to_numpy() * share[row]).groupby(row).sum()
    scale = factor.reindex(np.arange(len(grid))).to_numpy()
    scale = np.where(several > 0, scale, 1.0)
    unmet = totals.index.difference(now.index[now > 0]).astype(str).tolist()
    about = {"by": "commune", "rounds": 1, "max_gap": None if unmet else 0.0, "unmet": unmet}
    notes = [
        Note("population.commune_totals_not_met", count=len(codes), total=len(totals), codes=codes)
        for codes in [unmet]
        if codes
    ]
    return weights, scale[at], {"constraint": about, "notes": notes}


def _codes(cell: Any) -> list[str]:  # noqa: ANN401 - a list, or text that holds several codes
    return list(cell) if isinstance(cell, list | tuple | np.ndarray) else official.split_list(cell)
