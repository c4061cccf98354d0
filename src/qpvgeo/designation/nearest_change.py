"""Cells to add to a perimeter, or to leave out, for its verdict to turn: few of them, found step by step.

Each step takes the cell that brings the perimeter nearest to the other verdict; the change found is judged again, so
that it turns the verdict for certain. One cell is found whenever one is enough; of several, fewer might do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from qpvgeo.designation.verdict import Ground, Held, Verdict, verdict
from qpvgeo.geometry.insee_lattice import Cells, locate, neighbours
from qpvgeo.language import Note

__all__ = ["MOST_CELLS", "Move", "nearest_change"]

MOST_CELLS = 100
"""Cells that a change has at most."""

Change = Literal["add", "leave out"]
Move: TypeAlias = tuple[Change, int]
"""What to do with a cell, and its position."""

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

_AROUND = 20  # cells on each side of the perimeter that are looked at


@dataclass(frozen=True, slots=True)
class _Moves:
    """What can be done with single cells: the share of each before and after."""

    at: Positions
    before: Floats
    after: Floats


def nearest_change(ground: Ground, held: Held, found: Verdict) -> tuple[list[Move], Note]:
    """Find the change that turns a verdict, and say how it was found or why there is none.

    Parameters
    ----------
    ground
        All cells.
    held
        What the perimeter holds of them.
    found
        Verdict on it.

    Returns
    -------
    list of (str, int)
        `"add"` (the rest of the cell) or `"leave out"` (what is held of it), and the position of the cell; empty where
        there is no change.
    Note
        What was found.
    """
    if found.passes is None:
        return [], Note("designation.nothing_to_turn")
    if np.isnan(found.threshold):
        return [], Note("designation.unit_decides")
    near = _near(ground, held)
    inner = {int(row): number for number, row in enumerate(near)}
    place = np.array([inner[int(row)] for row in held.at], np.intp)
    part, start = ground.part(near), Held(place, held.share, held.area_km2)
    tries = (_to_fail(part, start, found), *_by_people(part, start)) if found.passes else _to_pass(part, start, found)
    turned = [
        moves for moves in tries if moves and verdict(part, _after(part, start, moves)).passes is not found.passes
    ]
    turned = [moves for moves in turned if verdict(part, _after(part, start, moves)).passes is not None]
    if not turned:
        return [], Note("designation.no_change_found", most=MOST_CELLS)
    best = min(turned, key=len)
    added = sum(change == "add" for change, _ in best)
    return [(change, int(near[row])) for change, row in best], Note(
        "designation.change_found", added=added, left=len(best) - added
    )


def _near(ground: Ground, held: Held) -> Positions:
    """Cells in the box of the perimeter and some way around it."""
    reach = _AROUND * ground.cells.lattice.size
    north, east = ground.cells.north, ground.cells.east
    inside = np.ones(len(north), bool)
    for axis in (north, east):
        inside &= (axis >= axis[held.at].min() - reach) & (axis <= axis[held.at].max() + reach)
    return np.flatnonzero(inside)


def _after(ground: Ground, held: Held, moves: list[Move]) -> Held:
    """What a perimeter holds once it is changed."""
    share = dict(zip(held.at.tolist(), held.share.tolist(), strict=True))
    area = held.area_km2
    for change, row in moves:
        after = 1.0 if change == "add" else 0.0
        area += (after - share.get(row, 0.0)) * ground.cell_km2
        share[row] = after
    kept = {row: one for row, one in share.items() if one > 0}
    return Held(np.fromiter(kept, np.intp, len(kept)), np.fromiter(kept.values(), np.float64, len(kept)), area)


def _possible(ground: Ground, held: Held, unit: int, *, eligible: bool) -> _Moves:
    """Every cell held can be left out; every cell of the unit beside or partly inside can be added."""
    around = Cells(ground.cells.lattice, ground.cells.north[held.at], ground.cells.east[held.at])
    beside = np.concatenate([locate(one, ground.cells) for one in neighbours(around, corners=True)])
    share = dict(zip(held.at.tolist(), held.share.tolist(), strict=True))
    joined = np.unique(np.concatenate([beside[beside >= 0], held.at]))
    before = np.array([share.get(row, 0.0) for row in joined.tolist()])
    fits = (before < 1) & ground.known[joined] & (ground.unit[joined] == unit)
    fits &= ground.eligible[joined] if eligible else True
    rows = np.concatenate([held.at, joined[fits]])
    return _Moves(
        rows,
        np.concatenate([held.share, before[fits]]),
        np.concatenate([np.zeros(len(held.at)), np.ones(int(fits.sum()))]),
    )


def _gap(ground: Ground, held: Held, moves: _Moves, threshold: float) -> Floats:
    """How far a perimeter is from passing, after each move: a sum of shares that are missing."""
    people = np.nan_to_num(ground.people)
    excess = people * (np.nan_to_num(ground.income) - threshold)
    step = moves.after - moves.before
    everyone = (held.share * people[held.at]).sum() + step * people[moves.at]
    over = (held.share * excess[held.at]).sum() + step * excess[moves.at]
    gap: Floats = np.maximum(ground.least - everyone, 0) / max(ground.least, 1.0)
    gap += np.where(over >= 0, over / (threshold * max(ground.least, 1.0)) + 1e-12, 0)
    if ground.density_km2 is not None:
        area = held.area_km2 + step * ground.cell_km2
        gap += np.maximum(ground.density_km2 - everyone / np.maximum(area, 1e-9), 0) / ground.density_km2
    return gap


def _climb(
    ground: Ground, held: Held, found: Verdict, distance: Callable[[Held, _Moves], Floats], *, eligible: bool = False
) -> list[Move]:
    """Move after move, each the one that leaves the least distance, until the verdict turns; none where it does not."""
    moves: list[Move] = []
    # what is not known keeps a perimeter from passing
    if not found.passes:
        moves = [("leave out", int(row)) for row in held.at[~ground.known[held.at]]]
    here, touched = _after(ground, held, moves), {row for _, row in moves}
    nothing = _Moves(np.zeros(1, np.intp), np.zeros(1), np.zeros(1))
    while len(moves) <= MOST_CELLS and len(here.at):
        reached = verdict(ground, here)
        if reached.passes is not None and reached.passes is not found.passes:
            return moves
        possible = _possible(ground, here, found.unit, eligible=eligible)
        left = distance(here, possible)
        left[np.isin(possible.at, list(touched))] = np.inf
        best = int(np.argmin(left)) if len(left) else 0
        if not len(left) or not left[best] < distance(here, nothing)[0]:
            return []
        change: Change = "add" if possible.after[best] else "leave out"
        moves.append((change, int(possible.at[best])))
        touched.add(int(possible.at[best]))
        here = _after(ground, here, moves[-1:])
    return []


def _to_pass(ground: Ground, held: Held, found: Verdict) -> list[list[Move]]:
    """Changes that may make a perimeter pass: with eligible cells alone, and with any."""

    def distance(here: Held, moves: _Moves) -> Floats:
        return _gap(ground, here, moves, found.threshold)

    tries = [_climb(ground, held, found, distance, eligible=eligible) for eligible in (True, False)]
    return [_needed(ground, held, moves) for moves in tries if moves]


def _needed(ground: Ground, held: Held, moves: list[Move]) -> list[Move]:
    """The same without cells left out for nothing."""
    for move in [one for one in moves if one[0] == "leave out"]:
        fewer = [one for one in moves if one != move]
        if fewer and verdict(ground, _after(ground, held, fewer)).passes:
            moves = fewer
    return moves


def _to_fail(ground: Ground, held: Held, found: Verdict) -> list[Move]:
    """Poor cells left out and rich ones added, until the income is no longer below the threshold."""
    excess = np.nan_to_num(ground.people) * (np.nan_to_num(ground.income) - found.threshold)

    def distance(here: Held, moves: _Moves) -> Floats:
        below = (here.share * excess[here.at]).sum() + (moves.after - moves.before) * excess[moves.at]
        return np.asarray(-below)

    return _climb(ground, held, found, distance)


def _by_people(ground: Ground, held: Held) -> list[list[Move]]:
    """Cells left out, those with the most people first, until there are too few."""
    weight = held.share * np.nan_to_num(ground.people[held.at])
    order = np.argsort(-weight, kind="stable")
    short = np.flatnonzero(weight.sum() - np.cumsum(weight[order]) < ground.least)
    if not len(short) or short[0] + 1 > MOST_CELLS:
        return []
    return [[("leave out", int(held.at[row])) for row in order[: short[0] + 1]]]
