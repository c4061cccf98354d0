"""Where the territory of each commune goes, step by step: what the events of a day say, and what a chain of them adds.

A step is what happens at once: the communes before, and those that their territory is found in after. Events of the
file are grouped into steps by day and kind; two tables of communes make one step. Territory is followed along the
steps, not codes: codes disappear, are restored, and come back with another extent.

Only units of type COM are followed. A *commune déléguée* or *associée* is a part of one, and its lines say nothing
more of the territory of communes.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd

from qpvgeo.formats.text_tables import normalise
from qpvgeo.language import Note

__all__ = ["BASES", "Edge", "Lives", "Part", "Step", "changes", "lives", "reverse", "steps_of", "trace"]

BASES = ("certain", "code", "parent", "population", "unknown")
"""What a share rests on, the surest first; a chain is as sure as the weakest of its links.

`certain`: an event of Insee's file. `code`: two tables of communes have the same code. `parent`: a table names the
commune that a *déléguée* or *associée* is part of. `population`: a split is weighed by the people of its parts.
`unknown`: nothing says it.
"""

# what changes codes comes first on a day, then what parts communes, then what merges them
_ORDER = ("10", "20", "30", "41", "21", "50", "31", "32", "33", "34", "35", "70", "71", "72")


class Edge(NamedTuple):
    """Territory of a commune before that is found in a commune after; None where it comes from or goes nowhere."""

    before: str | None
    after: str | None
    name_before: str | None = None
    name_after: str | None = None
    basis: str = "certain"


class Step(NamedTuple):
    """What happens at once, on a day; a step between two tables has none."""

    day: dt.date | None
    edges: tuple[Edge, ...]


class Part(NamedTuple):
    """Part of a commune that is found in another at the end: NaN where its share is not known."""

    share: float
    basis: str = "certain"
    day: dt.date | None = None
    name_before: str | None = None
    name_after: str | None = None


Weights = Callable[[Mapping[str, frozenset[str] | None], dt.date | None], Mapping[str, float] | None]
"""People of communes about a day, from the communes that they are at the end, each alone in these (None where it is not
alone); None when those of one of them are not known."""

Lives = dict[str, list[tuple[dt.date | None, dt.date | None]]]
"""By code, the days from which and until which (not included) it was that of a commune; None where none is known."""


class _Line(NamedTuple):
    """A line of the file of events."""

    date: pd.Timestamp
    event: str
    type_before: str | None
    code_before: str | None
    name_before: str | None
    type_after: str | None
    code_after: str | None
    name_after: str | None


def steps_of(events: pd.DataFrame) -> tuple[list[Step], list[Note]]:
    """Steps of the events of communes, in order, and what the events leave open.

    Parameters
    ----------
    events
        Frame of `qpvgeo.read_commune_events`.

    Examples
    --------
    >>> import pandas as pd
    >>> sides = {"type_before": "COM", "type_after": "COM", "name_before": "x", "name_after": "x"}
    >>> rows = [("32", "99002", "99001"), ("32", "99001", "99001"), ("41", "98802", "99002")]
    >>> events = pd.DataFrame(rows, columns=["event", "code_before", "code_after"]).assign(**sides)
    >>> steps, _ = steps_of(events.assign(date=pd.Timestamp("2020-01-01")))
    >>> [[edge[:2] for edge in step.edges] for step in steps]
    [[('98802', '99002')], [('99001', '99001'), ('99002', '99001')]]
    """
    table = events[list(_Line._fields)].astype(object)
    lines = [_Line(*row) for row in table.where(table.notna(), None).itertuples(index=False)]
    lines.sort(key=lambda line: (line.date, *(text or "" for text in line[1:])))
    steps: list[Step] = []
    alive: set[str] = set()
    open_ends: list[Note] = []
    for date, of_day in groupby(lines, key=lambda line: line.date):
        day = pd.Timestamp(date).date()
        groups = [
            group
            for event, of_event in groupby(of_day, key=lambda line: line.event)
            for group in _groups(event, list(of_event))
        ]
        for group in _ordered(groups):
            edges = _completed(group, alive, day, open_ends)
            if edges:
                steps.append(Step(day, tuple(sorted(edges, key=lambda edge: (edge.before or "", edge.after or "")))))
            alive -= {edge.before for edge in edges if edge.before}
            alive |= {edge.after for edge in edges if edge.after}
    return steps, open_ends


class _Group(NamedTuple):
    """Lines of one day and event that share communes."""

    event: str
    edges: tuple[Edge, ...]
    orphans: frozenset[str]

    def states(self, side: str) -> set[tuple[str, str]]:
        """Codes with names, before or after."""
        pairs = [(getattr(edge, side), getattr(edge, f"name_{side}")) for edge in self.edges]
        return {(code, normalise(name or "")) for code, name in pairs if code}

    def rank(self) -> tuple[int, str, list[tuple[str, str]]]:
        """Place among the groups of the day, where nothing else decides."""
        usual = _ORDER.index(self.event) if self.event in _ORDER else len(_ORDER)
        return usual, self.event, sorted(self.states("after"))


def _groups(event: str, lines: Sequence[_Line]) -> Iterator[_Group]:
    """Lines of one day and event, grouped by the communes that they share."""
    edges = [
        Edge(line.code_before, line.code_after, line.name_before, line.name_after)
        for line in lines
        if line.type_before in ("COM", None) and line.type_after in ("COM", None)
    ]
    targets = {edge.after for edge in edges}
    restored = [line for line in lines if line.type_before in ("COMA", "COMD") and line.type_after == "COM"]
    orphans = {line.code_after: line.name_after for line in restored if line.code_after not in targets}
    edges += [Edge(None, code, None, name) for code, name in sorted(orphans.items(), key=lambda pair: str(pair[0]))]
    root: dict[str, str] = {}

    def find(code: str) -> str:
        while root.setdefault(code, code) != code:
            code = root[code]
        return code

    for edge in edges:
        one, other = edge.before or edge.after, edge.after or edge.before
        if one and other:
            root[find(one)] = find(other)
    together: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        together[find(edge.before or edge.after or "")].append(edge)
    for of_group in together.values():
        held = frozenset(edge.after for edge in of_group if edge.before is None and edge.after in orphans)
        yield _Group(str(event), tuple(of_group), frozenset(code for code in held if code))


def _ordered(groups: list[_Group]) -> list[_Group]:
    """Groups of one day, those first that make the communes that others start from."""
    users: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        for state in group.states("before"):
            users[state].append(at)
    later: list[set[int]] = [
        {user for state in group.states("after") - group.states("before") for user in users[state]} - {at}
        for at, group in enumerate(groups)
    ]
    waits = Counter(user for users_of_group in later for user in users_of_group)
    ranks = [(*group.rank(), at) for at, group in enumerate(groups)]
    ready = [rank for rank in ranks if not waits[rank[-1]]]
    heapify(ready)
    found: list[int] = []
    left = set(range(len(groups)))
    while left:
        # groups that wait for each other are taken in the usual order
        at = heappop(ready)[-1] if ready else min(ranks[one] for one in left)[-1]
        if at not in left:
            continue
        left.discard(at)
        found.append(at)
        for user in later[at]:
            waits[user] -= 1
            if not waits[user]:
                heappush(ready, ranks[user])
    return [groups[at] for at in found]


def _completed(group: _Group, alive: set[str], day: dt.date, open_ends: list[Note]) -> set[Edge]:
    """Edges of a group, with the lines that the file leaves out: a commune that is there and absorbs another stays."""
    edges = set(group.edges)
    starts = {edge.before for edge in edges}
    for code in sorted({edge.after for edge in edges if edge.after} - starts):
        if code in alive:
            edges = {edge for edge in edges if (edge.before, edge.after) != (None, code)}
            name = min(edge.name_after or "" for edge in group.edges if edge.after == code) or None
            edges.add(Edge(code, code, None, name))
        elif code in group.orphans and group.event in ("20", "21"):
            open_ends.append(Note("geographies.restored_from_nowhere", code=code, day=str(day)))
        elif code in group.orphans:
            # a line of a déléguée alone, of a commune that was there all along
            edges = {edge for edge in edges if edge.after != code}
    return edges


def reverse(steps: Iterable[Step]) -> list[Step]:
    """Steps back in time: mergers become splits, and restored communes merge."""
    return [
        Step(step.day, tuple(Edge(e.after, e.before, e.name_after, e.name_before, e.basis) for e in step.edges))
        for step in reversed(list(steps))
    ]


def lives(steps: Iterable[Step]) -> Lives:
    """Days between which each code that the steps name was that of a commune.

    Examples
    --------
    >>> import datetime as dt
    >>> steps = [Step(dt.date(2019, 1, 1), (Edge("99002", "99001"), Edge("99001", "99001")))]
    >>> lives(steps)["99002"]
    [(None, datetime.date(2019, 1, 1))]
    """
    found: Lives = {}
    for step in steps:
        before = {edge.before for edge in step.edges if edge.before}
        after = {edge.after for edge in step.edges if edge.after}
        for code in sorted(before | after):
            spans = found.setdefault(code, [(None, None)] if code in before else [])
            if code in before and spans[-1][1] is not None:
                # no line says when it came back
                spans.append((None, None))
            if code in before - after:
                spans[-1] = (spans[-1][0], step.day)
            elif code in after - before and (not spans or spans[-1][1] is not None):
                spans.append((step.day, None))
    return found


@dataclass(slots=True, eq=False)
class _Tract:
    """Territory that stays in one commune, whichever it is; once divided, its parts by the commune each goes to."""

    place: str | None
    basis: str = "certain"
    day: dt.date | None = None
    name_before: str | None = None
    name_after: str | None = None
    parts: "dict[str | None, _Tract]" = field(default_factory=dict)
    own: bool = False
    """Whether the people of the parts are all from this tract, so that they weigh it."""

    def take(self, edge: Edge, day: dt.date | None) -> None:
        """Go where an edge leads."""
        self.place, self.day = edge.after, day
        self.basis = _weakest(self.basis, edge.basis)
        self.name_before = self.name_before or edge.name_before
        self.name_after = edge.name_after

    def divide(self, targets: Iterable[str | None], day: dt.date | None, *, own: bool) -> None:
        """Become parts, one for each target."""
        self.parts = {target: _Tract(self.place, self.basis, day, self.name_before) for target in targets}
        self.own, self.day = own, day


Tracts = frozenset[_Tract]


def changes(steps: Iterable[Step]) -> dict[str, list[dt.date]]:
    """Days on which the commune that a code names became another: another extent, none before, or none after."""
    found: dict[str, list[dt.date]] = defaultdict(list)
    for step in steps:
        if step.day is None:
            continue
        for code in {code for edge in step.edges if edge.before != edge.after for code in edge[:2] if code}:
            found[code].append(step.day)
    return dict(found)


def trace(steps: Sequence[Step], weights: Weights) -> tuple[dict[str, dict[str | None, Part]], set[str]]:
    """What each commune before all the steps is after them.

    Parameters
    ----------
    steps
        In the order in which they are to be taken.
    weights
        People of the parts of a split; asked only where the end depends on them.

    Returns
    -------
    dict, set
        By code before, its parts by code after (None for what goes nowhere); codes that no step names are unchanged
        and left out. Then the codes that were those of no commune before the steps.

    Notes
    -----
    A commune remembers those that it was merged from: when one of them comes back under its code, it takes its own
    territory again, and nothing is shared out. What is left goes with the commune that stays, or with the only other.
    """
    roots: dict[str, _Tract] = {}
    holds: dict[str | None, Tracts] = {}
    former: dict[str | None, dict[str, Tracts]] = {}
    absent: set[str] = set()
    for step in steps:
        outs: dict[str, dict[str | None, Edge]] = defaultdict(dict)
        comes_from: dict[str | None, set[str | None]] = defaultdict(set)
        for edge in step.edges:
            comes_from[edge.after].add(edge.before)
            if edge.before is not None:
                outs[edge.before].setdefault(edge.after, edge)
        for code in outs.keys() - roots.keys() - absent:
            roots[code] = _Tract(code)
            holds[code] = frozenset({roots[code]})
        absent |= {code for code in comes_from if code is not None} - outs.keys() - roots.keys()
        held = {code: (holds.pop(code, frozenset()), former.pop(code, {})) for code in outs}
        for code, edges in sorted(outs.items()):
            tracts, memory = held[code]
            pure = {after for after in edges if after is not None and comes_from[after] == {code}}
            given = _shared_out(code, edges, tracts, memory, pure, step.day)
            for after, edge in edges.items():
                for tract in given[after]:
                    tract.take(edge, step.day)
                holds[after] = holds.get(after, frozenset()) | given[after]
                # a commune that merges with none is not yet a former one, nor one that takes a part of another
                sources = comes_from[after]
                merged = len(sources) > 1 and all(one is not None and len(outs[one]) == 1 for one in sources)
                known = {**memory, code: tracts} if merged else memory
                whole = {name: _undivided(own) for name, own in known.items()}
                kept = {name: own for name, own in whole.items() if own and own <= given[after]}
                former[after] = {**former.get(after, {}), **kept}
    return {code: _ends(root, weights, holds) for code, root in roots.items()}, absent


def _shared_out(
    code: str,
    edges: Mapping[str | None, Edge],
    tracts: Tracts,
    memory: Mapping[str, Tracts],
    pure: set[str],
    day: dt.date | None,
) -> dict[str | None, Tracts]:
    """Tracts that each commune after takes: its own when it comes back, and the rest, divided where it must be."""
    given: dict[str | None, Tracts] = dict.fromkeys(edges, frozenset())
    if len(edges) == 1:
        return dict.fromkeys(edges, tracts)
    back = {after: memory[after] for after in edges if after in pure and after != code and after in memory}
    others = [after for after in edges if after not in back]
    left = tracts - frozenset().union(*back.values())
    if others and not left:
        # something new comes of what was thought to be known: nothing is
        back, others, left = {}, list(edges), tracts
    given.update(back)
    others = others or list(edges)
    if len(others) == 1:
        given[others[0]] |= left
        return given
    for tract in left:
        tract.divide(others, day, own=len(left) == 1 and set(others) <= pure)
        for after, part in tract.parts.items():
            given[after] |= {part}
    return given


def _undivided(tracts: Tracts) -> Tracts:
    """Tracts, those divided given as their parts."""
    return frozenset(part for tract in tracts for part in (tract.parts.values() or [tract]))


def _ends(tract: _Tract, weights: Weights, holds: Mapping[str | None, Tracts]) -> dict[str | None, Part]:
    """Where a tract is at the end, with the share of each of its parts."""
    if not tract.parts:
        return {tract.place: Part(1.0, tract.basis, tract.day, tract.name_before, tract.name_after)}
    branches = {after: _ends(part, weights, holds) for after, part in tract.parts.items()}
    shares = None
    if tract.own and not _same(list(branches.values())):
        people = weights(
            {after: _alone(part, holds) for after, part in tract.parts.items() if after is not None}, tract.day
        )
        total = sum(people.values()) if people else 0.0
        shares = [people[after] / total for after in branches if after is not None] if people and total > 0 else None
    ends = dict.fromkeys(end for branch in branches.values() for end in branch)
    return {end: _sum([branch.get(end) for branch in branches.values()], shares) for end in ends}


def _alone(tract: _Tract, holds: Mapping[str | None, Tracts]) -> frozenset[str] | None:
    """Communes at the end that are made of a tract and of nothing else; None where it is elsewhere too."""
    leaves, open_pieces = set(), [tract]
    while open_pieces:
        one = open_pieces.pop()
        open_pieces += one.parts.values()
        if not one.parts:
            leaves.add(one)
    places = {leaf.place for leaf in leaves}
    if None in places or any(not holds[place] <= leaves for place in places):
        return None
    return frozenset(place for place in places if place is not None)


def _same(branches: Sequence[Mapping[str | None, Part]]) -> bool:
    """Whether all branches of a split end alike, so that how it divided does not matter."""
    first = {end: part.share for end, part in branches[0].items()}
    return all({end: part.share for end, part in branch.items()} == first for branch in branches)


def _sum(held: Sequence[Part | None], shares: Sequence[float] | None) -> Part:
    """One part from those of all branches; None where a branch does not lead there."""
    given = [part for part in held if part is not None]
    basis = _weakest(*(part.basis for part in given))
    each = {0.0 if part is None else part.share for part in held}
    if len(each) == 1:
        share = each.pop()
    elif shares is None:
        share, basis = np.nan, "unknown"
    else:
        share = sum(
            weight * part.share for weight, part in zip(shares, held, strict=True) if part is not None and weight > 0
        )
        basis = "unknown" if np.isnan(share) else _weakest(basis, "population")
    return Part(
        share,
        basis,
        max((part.day for part in given if part.day), default=None),
        next((part.name_before for part in given if part.name_before), None),
        next((part.name_after for part in given if part.name_after), None),
    )


def _weakest(*bases: str) -> str:
    return max(bases, key=BASES.index)
