"""Names of columns that stand on two lines, under cells that a workbook merged, and lines that only look like names."""

import re
from collections import Counter
from collections.abc import Sequence

from qpvgeo.formats.cells import normalise

__all__ = ["is_note", "names_in", "two_lines"]

_LONG_NUMBER = re.compile(r"\d[\d\s]{3,}\d(?:[.,]\d+)?|2[AB]\d{3}")
"""More digits than a year, or the code of a commune: a value, never the name of a column."""

_NOTE = re.compile(r"(?:sources?|champ|notes?|lecture|remarques?|avertissement|nb)\s*:|\([1-9*a-z]\)|\*", re.IGNORECASE)
"""How a note under a table begins."""

_YEAR = re.compile(r"(?:19|20)\d\d")


def names_in(row: Sequence[str]) -> set[str]:
    """Names that a line may hold; none for a record, which may hold such words too (`COM`), beside its numbers.

    Examples
    --------
    >>> sorted(names_in(["COM", "LIBELLE"])), names_in(["COM", "59350", "236000"])
    (['com', 'libelle'], set())
    """
    return set() if any(map(_LONG_NUMBER.fullmatch, row)) else set(map(normalise, row))


def is_note(row: Sequence[str], width: int) -> bool:
    """Tell a note under a table (a source, a field) from a row: one sentence in the first cell.

    In a table of two columns or less a row may be that too, and a note begins as notes do.

    Examples
    --------
    >>> is_note(["Champ France", "", ""], 3), is_note(["Les Fleurs", ""], 2), is_note(["Source : Insee", ""], 2)
    (True, False, True)
    """
    alone = bool(row[0]) and " " in row[0] and not any(row[1:])
    return alone and (width > 2 or bool(_NOTE.match(row[0])))


def two_lines(above: Sequence[str], header: Sequence[str], below: Sequence[str]) -> tuple[list[str], bool]:
    """Names of columns, with what the line above or below adds to them, and whether the line below was used.

    Parameters
    ----------
    above
        Line over the names; empty when there is none.
    header
        The names. Some may be years (`2018`), repeated, or missing at the right of a cell that was merged.
    below
        Line under them.

    Examples
    --------
    >>> two_lines([], ["code_qp", "Population municipale", ""], ["", "2013", "2018"])
    (['code_qp', 'Population municipale 2013', 'Population municipale 2018'], True)
    >>> two_lines(["Code", "Population", ""], ["QPV", "2013", "2018"], ["QP001001", "12", "13"])
    (['QPV', 'Population 2013', 'Population 2018'], False)
    >>> two_lines(["Table 1", "", ""], ["code_qp", "2013", "2018"], ["QP001001", "12", "13"])
    (['code_qp', '2013', '2018'], False)
    """
    width = max(len(header), len(below))
    names, under, over = (list(row) + [""] * (width - len(row)) for row in (header, below, above))
    bare = [place for place in range(width) if not names[place] and under[place]]
    if bare and not any(names[place] and _is_record(under[place]) for place in range(width)):
        return [_joined(group, name) for group, name in zip(_filled(names), under, strict=True)], True
    repeated = {name for name, count in Counter(filter(None, names)).items() if count > 1}
    wanting = [place for place, name in enumerate(names) if name in repeated or _YEAR.fullmatch(name)]
    if wanting and (not over[0] or sum(map(bool, over)) > 1):
        groups = _filled(over[:width])
        chosen = range(width) if repeated else wanting
        return [
            _joined(groups[place], name) if place in chosen else name for place, name in enumerate(names[: len(header)])
        ], False
    return list(header), False


def _filled(row: Sequence[str]) -> list[str]:
    """Cells of a line, each repeated over the empty ones at its right, as merged cells read."""
    filled: list[str] = []
    for cell in row:
        filled.append(cell or (filled[-1] if filled else ""))
    return filled


def _joined(group: str, name: str) -> str:
    return " ".join(filter(None, [group, name]))


def _is_record(cell: str) -> bool:
    """Whether a cell under a name is a value and no second half of the name."""
    return bool(re.search(r"\d", cell)) and not _YEAR.search(cell)
