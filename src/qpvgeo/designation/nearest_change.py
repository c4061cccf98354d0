"""Cells to add to a perimeter, or to leave out, for its verdict to turn: few of them, found step by step.

Several searches are run, and the one that needs the fewest cells is kept: the cell that brings the perimeter nearest to
the other verdict, step after step; for a perimeter that fails, the cells above some income left out, then the poorest
below it added, for a range of incomes; where none of these turns it, a way to the next eligible cells. The change is
judged again, so that it turns the verdict for certain. One cell is found whenever one is enough; of several, fewer
might do.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from qpvgeo.designation.verdict import Ground, Held, Verdict, verdict
from qpvgeo.geometry.insee_lattice import locate, neighbours
from qpvgeo.language import Note

__all__ = ["MOST_CELLS", "Move", "nearest_change"]

MOST_CELLS = 100
"""Cells that a change has at most."""

Change = Literal["add", "leave out"]
Move: TypeAlias = tuple[Change, int]
"""What to do with a cell, and its position."""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

_LESS = "designation.turns_with_less"
_AROUND = 20  # cells on each side of the perimeter that are looked at
_ABOVE = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""Incomes above the threshold, as shares of it, up to which cells are kept and added."""


@dataclass(frozen=True, slots=True)
class _Near:
    """Cells around a perimeter, the share that it holds of each, and what each brings.

    Attributes
    ----------
    ground
        The cells.
    beside
        Positions of the eight neighbours of each, and -1.
    start, area_km2
        Share that the perimeter holds of each cell, and its area.
    people, excess
        People of each cell, and these times what their income is above the threshold.
    fit
        Whether people and income are known and the unit is that of the perimeter.
    """

    ground: Ground
    beside: Positions
    start: Floats
    area_km2: float
    people: Floats
    excess: Floats
    fit: Flags

    def after(self, moves: Iterable[Move]) -> Floats:
        """Share held of each cell once it is changed."""
        share = self.start.copy()
        for change, row in moves:
            share[row] = 1.0 if change == "add" else 0.0
        return share

    def judged(self, share: Floats) -> Verdict:
        """Verdict on what is held."""
        at = np.flatnonzero(share > 0)
        area = self.area_km2 + float((share - self.start).sum()) * self.ground.cell_km2
        return verdict(self.ground, Held(at, share[at], area))

    def frontier(self, share: Floats) -> Flags:
        """Cells that can be added: held in part, or beside one that is held."""
        beside = self.beside[share > 0]
        touched = np.zeros(len(share), bool)
        touched[beside[beside >= 0]] = True
        return (touched | (share > 0)) & (share < 1) & self.fit


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
    rows = _rows_near(ground, held)
    near = _near(ground.part(rows), held, rows, found)
    tries = _to_fail(near) if found.passes else _to_pass(near, found.threshold)
    turned = [moves for moves in tries if moves and near.judged(near.after(moves)).passes is (not found.passes)]
    if not turned and not found.passes:
        turned = [moves for moves in [_needed(near, _led(near))] if moves]
    if not turned:
        return [], Note("designation.no_change_found", most=MOST_CELLS)
    best = min(turned, key=len)
    added = sum(change == "add" for change, _ in best)
    left = len(best) - added
    key = "designation.turns_with_both" if added and left else "designation.turns_with_more" if added else _LESS
    return [(change, int(rows[row])) for change, row in best], Note(key, added=added, left=left)


def _rows_near(ground: Ground, held: Held) -> Positions:
    """Cells in the box of the perimeter and some way around it."""
    reach = _AROUND * ground.cells.lattice.size
    inside = np.ones(len(ground.people), bool)
    for axis in (ground.cells.north, ground.cells.east):
        inside &= (axis >= axis[held.at].min() - reach) & (axis <= axis[held.at].max() + reach)
    return np.flatnonzero(inside)


def _near(ground: Ground, held: Held, rows: Positions, found: Verdict) -> _Near:
    start = np.zeros(len(rows))
    start[np.searchsorted(rows, held.at)] = held.share
    people = np.nan_to_num(ground.people)
    excess = people * (np.nan_to_num(ground.income) - found.threshold)
    beside = np.stack([locate(one, ground.cells) for one in neighbours(ground.cells, corners=True)], axis=1)
    return _Near(ground, beside, start, held.area_km2, people, excess, ground.known & (ground.unit == found.unit))


def _to_pass(near: _Near, threshold: float) -> Iterator[list[Move]]:
    """Changes that may make a perimeter pass."""
    # what is not known keeps a perimeter from passing
    unknown: list[Move] = [("leave out", int(row)) for row in np.flatnonzero((near.start > 0) & ~near.ground.known)]
    for among in (near.ground.eligible, np.ones(len(near.start), bool)):
        yield _needed(near, _climbed(near, unknown, among, threshold))
    income = np.where(near.people > 0, near.excess / np.where(near.people > 0, near.people, 1), np.inf)
    for share in _ABOVE:
        yield _needed(near, _trimmed(near, unknown, income, share * threshold))


def _climbed(near: _Near, first: list[Move], among: Flags, threshold: float) -> list[Move]:
    """Move after move, each the one that leaves the least gap, until the perimeter passes; none where it does not."""
    moves, share = list(first), near.after(first)
    free = np.ones(len(share), bool)
    free[[row for _, row in moves]] = False
    gap = _gap(near, share, np.zeros(1, np.intp), np.zeros(1), threshold)[0]
    while len(moves) <= MOST_CELLS and (share > 0).any():
        if moves and near.judged(share).passes:
            return moves
        out, more = np.flatnonzero((share > 0) & free), np.flatnonzero(near.frontier(share) & free & among)
        rows, step = np.concatenate([out, more]), np.concatenate([-share[out], 1 - share[more]])
        left = _gap(near, share, rows, step, threshold)
        best = int(np.argmin(left)) if len(left) else -1
        if best < 0 or not left[best] < gap:
            return []
        gap = left[best]
        moves.append(("leave out" if best < len(out) else "add", int(rows[best])))
        share[rows[best]] += step[best]
        free[rows[best]] = False
    return []


def _gap(near: _Near, share: Floats, rows: Positions, step: Floats, threshold: float) -> Floats:
    """How far a perimeter is from passing, after each single move: a sum of shares that are missing."""
    least, density = near.ground.least, near.ground.density_km2
    everyone = share @ near.people + step * near.people[rows]
    over = share @ near.excess + step * near.excess[rows]
    gap: Floats = np.maximum(least - everyone, 0) / max(least, 1.0)
    gap += np.where(over >= 0, over / (threshold * max(least, 1.0)) + 1e-12, 0)
    if density is not None:
        area = near.area_km2 + (float((share - near.start).sum()) + step) * near.ground.cell_km2
        gap += np.maximum(density - everyone / np.maximum(area, 1e-9), 0) / density
    return gap


def _trimmed(near: _Near, first: list[Move], income: Floats, above: float) -> list[Move]:
    """Cells above some income left out, the costliest first, then the poorest below it added, until it passes."""
    moves, share = list(first), near.after(first)
    rich = np.flatnonzero((share > 0) & (income >= above))
    for row in rich[np.argsort(-(share * near.excess)[rich], kind="stable")].tolist():
        moves.append(("leave out", row))
        share[row] = 0.0
        if (share > 0).any() and near.judged(share).passes:
            return moves
    while len(moves) < MOST_CELLS:
        more = np.flatnonzero(near.frontier(share) & (income < above) & (near.people > 0))
        if not len(more):
            return []
        # of cells that lower the mean, that with the most people
        gain = np.where(near.excess[more] < 0, -near.people[more] * (1 - share[more]), income[more])
        row = int(more[np.argmin(gain)])
        moves.append(("add", row))
        share[row] = 1.0
        if near.judged(share).passes:
            return moves
    return []


def _led(near: _Near) -> list[Move]:
    """Eligible cells added over the ways that cost least, and as many rich cells left out as this needs."""
    way, cost = _ways(near)
    rich = np.flatnonzero((near.start > 0) & ((near.excess >= 0) | ~near.ground.known))
    # what is not known goes first
    rich = rich[np.lexsort((-(near.start * near.excess)[rich], near.ground.known[rich]))]
    weight = near.start[rich]
    needed = int((~near.ground.known[rich]).sum())
    share, adds = near.start.copy(), []
    targets = np.flatnonzero(near.ground.eligible & near.fit & np.isfinite(cost) & (share < 1))
    for target in targets[np.argsort(cost[targets], kind="stable")].tolist():
        step = target
        while step >= 0 and share[step] < 1:
            adds.append(step)
            share[step] = 1.0
            step = int(way[step])
        if len(adds) > MOST_CELLS:
            return []
        kept = np.where(share[rich] == near.start[rich], weight, 0)
        everyone = share @ near.people - np.r_[0, np.cumsum(kept * near.people[rich])]
        over = share @ near.excess - np.r_[0, np.cumsum(kept * near.excess[rich])]
        for count in np.flatnonzero((everyone >= near.ground.least) & (over < 0)).tolist():
            left = [int(row) for row in rich[: max(count, needed)] if row not in adds]
            moves: list[Move] = [*(("leave out", row) for row in left), *(("add", row) for row in adds)]
            after = near.after(moves)
            if len(moves) <= MOST_CELLS and near.judged(after).passes and _joined(near, after):
                return moves
    return []


def _ways(near: _Near) -> tuple[Positions, Floats]:
    """Cell before each on the way that adds least to the income, and what it adds; -1 for cells held."""
    way, cost = np.full(len(near.start), -1, np.intp), np.where(near.start > 0, 0.0, np.inf)
    queue = [(0.0, int(row)) for row in np.flatnonzero(near.start > 0)]
    heapq.heapify(queue)
    while queue:
        so_far, row = heapq.heappop(queue)
        if so_far > cost[row]:
            continue
        for other in near.beside[row].tolist():
            # a step of its own keeps ways short where they cost nothing
            reached = so_far + max(float(near.excess[other]), 0.0) + 1.0
            if other >= 0 and near.fit[other] and reached < cost[other]:
                way[other], cost[other] = row, reached
                heapq.heappush(queue, (reached, other))
    return way, cost


def _needed(near: _Near, moves: list[Move]) -> list[Move]:
    """The same without moves that are not needed; what is added stays joined to what is held."""
    if len(moves) > MOST_CELLS:
        return []
    for move in list(moves):
        fewer = [one for one in moves if one != move]
        share = near.after(fewer)
        if fewer and _joined(near, share) and near.judged(share).passes:
            moves = fewer
    return moves


def _joined(near: _Near, share: Floats) -> bool:
    """Whether every cell added hangs on one that was held, over others added."""
    reached = (share > 0) & (near.start > 0)
    while True:
        beside = near.beside[reached]
        grown = reached.copy()
        grown[beside[beside >= 0]] = True
        grown &= share > 0
        if (grown == reached).all():
            return bool(reached[share > 0].all())
        reached = grown


def _to_fail(near: _Near) -> Iterator[list[Move]]:
    """Cells with the most people left out until there are too few; poor ones left out and rich ones added."""
    weight = near.start * near.people
    held = np.flatnonzero(near.start > 0)
    order = held[np.argsort(-weight[held], kind="stable")]
    short = np.flatnonzero(weight.sum() - np.cumsum(weight[order]) < near.ground.least)
    if len(short) and short[0] < MOST_CELLS:
        yield [("leave out", int(row)) for row in order[: short[0] + 1]]
    moves: list[Move] = []
    share, free = near.start.copy(), np.ones(len(near.start), bool)
    while len(moves) < MOST_CELLS:
        out, more = np.flatnonzero((share > 0) & free), np.flatnonzero(near.frontier(share) & free)
        rows, step = np.concatenate([out, more]), np.concatenate([-share[out], 1 - share[more]])
        gain = step * near.excess[rows]
        best = int(np.argmax(gain)) if len(gain) else -1
        if best < 0 or not gain[best] > 0:
            return
        moves.append(("leave out" if best < len(out) else "add", int(rows[best])))
        share[rows[best]] += step[best]
        free[rows[best]] = False
        if near.judged(share).passes is False:
            yield moves
            return
