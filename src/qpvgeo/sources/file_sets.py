"""Files that belong together: what the main figures need, the grid, the addresses of a department, everything.

A set is a list of lines; the keys of a line are tried in turn, and the first that can be had is enough.
"""

from collections.abc import Sequence

from qpvgeo.errors import UsageError
from qpvgeo.language import Note
from qpvgeo.sources import catalog

__all__ = ["GRID", "MAIN", "SETS", "chosen", "everything", "of_kind"]

GRID: tuple[tuple[str, ...], ...] = (("filosofi-200m-2021", "filosofi-200m-2019"),)
"""The grid of incomes: the newest of Insee with every column."""

SETS = ("main", "grid", "addresses", "all")
"""Words that stand for several keys; `addresses` is followed by departments."""

_OF_KIND: dict[tuple[str, int | None], tuple[str, ...]] = {
    ("perimeters", 2015): ("qpv-2015",),
    ("perimeters", 2024): ("qpv-2024-2025-02", "qpv-2024"),
    ("population", 2015): ("qpv-2015-population",),
    ("population", 2024): ("qpv-2024-population",),
    ("population by commune", 2024): ("qpv-2024-population-communes",),
    ("communes", None): ("communes-outlines-2025-100m",),
    ("communes table", None): ("cog-2025",),
    ("communes population", None): ("communes-population-2020",),
    ("epci", None): ("epci-2025",),
    ("ept", None): ("ept-2025",),
    ("grid", None): GRID[0],
    ("correspondence", None): ("qpv-correspondence",),
    ("list", 2024): ("qpv-2024-list",),
    ("list", 2015): ("qpv-2015-list",),
    ("commune events", None): ("commune-events-2026",),
}

MAIN: tuple[tuple[str, ...], ...] = (
    _OF_KIND["perimeters", 2015],
    _OF_KIND["perimeters", 2024],
    _OF_KIND["population", 2015],
    _OF_KIND["population", 2024],
    _OF_KIND["population by commune", 2024],
    ("qpv-2024-communes",),
    _OF_KIND["communes", None],
    _OF_KIND["communes table", None],
    _OF_KIND["communes population", None],
    _OF_KIND["epci", None],
    _OF_KIND["ept", None],
)
"""What `summary` and `coverage` need, communes and EPCI of one year."""


def of_kind(kind: str, vintage: int | None = None) -> tuple[str, ...]:
    """Keys of the file of a kind and geography, to be tried in turn; none where no one file stands for it.

    Examples
    --------
    >>> of_kind("population", 2024), of_kind("ept"), of_kind("addresses")
    (('qpv-2024-population',), ('ept-2025',), ())
    """
    return _OF_KIND.get((kind, vintage), _OF_KIND.get((kind, None), ()))


def chosen(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Lines of keys that words of a call stand for: keys, addresses, and the words of `SETS`.

    Raises
    ------
    UsageError
        A key is unknown, or `addresses` is followed by no department.

    Examples
    --------
    >>> chosen(["grid"]), chosen(["addresses", "59", "2a"])
    ([('filosofi-200m-2021', 'filosofi-200m-2019')], [('ban:59',), ('ban:2A',)])
    """
    lines: list[tuple[str, ...]] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "main":
            lines += MAIN
        elif word == "grid":
            lines += GRID
        elif word == "all":
            lines += everything()
        elif word == "addresses":
            # what has the form of a department is one; the word is refused without any
            before = len(left)
            while left and left[0] not in SETS and len(left[0]) <= len("976"):
                lines.append((catalog.get(f"ban:{left.pop(0)}").key,))
            if len(left) == before:
                raise UsageError(Note("sources.addresses_of_nowhere"), way_out=Note("sources.name_departments"))
        else:
            lines.append((word if "://" in word else catalog.get(word).key,))
    return list(dict.fromkeys(lines))


def everything() -> list[tuple[str, ...]]:
    """Every key, but those published by department, which are named with one."""
    return [(one.key,) for one in catalog.CATALOG.values() if not any("{department}" in name for name in one.filenames)]
