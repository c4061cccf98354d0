"""Tables and lines on a terminal of any width: a number or a code is never cut.

Columns that hold nothing are left out. A table that is too wide folds its headers and names, then leaves out the
columns that matter least and says which; where even that is too wide, each row becomes a few lines.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import click

from qpvgeo import settings
from qpvgeo.cli.streams import visible
from qpvgeo.language import Note, parts, term, with_colon

__all__ = ["Column", "Marks", "Screen", "width"]

_PLAIN_WIDTH = 10_000
_GAP = "  "
_FOLDED = {"name": 14, "text": 24}
"""Width that a column of names or of sentences keeps before another is left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """Column of a table.

    Attributes
    ----------
    head
        Term of the header.
    kind
        `number` (to the right) and `code` are never folded; `name` and `text` are.
    rank
        Columns of a higher rank are left out first; those of rank 0 never.
    """

    head: str
    kind: Literal["number", "code", "name", "text"] = "number"
    rank: int = 0


def width() -> int:
    """Width of the terminal, or `COLUMNS` where it is set; nothing is folded in a file or a pipe."""
    if os.environ.get("COLUMNS", "").isdigit() or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return _PLAIN_WIDTH


class Screen:
    """Standard output, in the language of the run."""

    def __init__(self) -> None:
        self.lang = settings.current_language()
        self.width = max(width(), 20)

    def word(self, text: str) -> str:
        """A term or a note in the language of the run."""
        return text.say(self.lang) if isinstance(text, Note) else term(text, self.lang)

    def line(self, text: str = "", *, style: str = "", indent: int = 0) -> None:
        """Write a line, broken at blanks where it is too long; paths and addresses stay whole."""
        lines = textwrap.wrap(
            text,
            self.width,
            initial_indent=" " * indent,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for one in lines or [""]:
            click.echo(_styled(one, style))

    def table(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str]],
        *,
        styles: Sequence[str] = (),
        title: str = "",
        ruled: int | None = None,
    ) -> None:
        """Write a table; `styles` are those of rows, `ruled` the row that a rule goes above."""
        columns, cells = _filled(columns, [[visible(str(cell)) for cell in row] for row in rows])
        heads = [self.word(column.head) for column in columns]
        if title:
            self.line(title, style="bold")
        shown, stacked = _shown(columns, heads, cells, self.width)
        if stacked:
            self._stack(heads, columns, cells, styles)
            return
        widths = _widths([columns[i] for i in shown], [heads[i] for i in shown], _picked(cells, shown), self.width)
        kinds = [columns[i].kind for i in shown]
        self._row([heads[i] for i in shown], kinds, widths, "bold", bottom=True)
        rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
        click.echo(rule)
        for number, row in enumerate(cells):
            if number == ruled:
                click.echo(rule)
            self._row([row[i] for i in shown], kinds, widths, styles[number] if number < len(styles) else "")
        if left := [heads[i] for i in range(len(columns)) if i not in shown]:
            self.line(Note("cli.columns_left_out", columns=left), style="dim")

    def _row(
        self, cells: list[str], kinds: Sequence[str], widths: list[int], style: str, *, bottom: bool = False
    ) -> None:
        folded = [_folded(cell, room) for cell, room in zip(cells, widths, strict=True)]
        height = max(map(len, folded), default=1)
        for number in range(height):
            words = []
            for lines, kind, room in zip(folded, kinds, widths, strict=True):
                at = number - (height - len(lines)) if bottom else number
                text = lines[at] if 0 <= at < len(lines) else ""
                words.append(text.rjust(room) if kind == "number" else text.ljust(room))
            click.echo(_styled(_GAP.join(words).rstrip(), style))

    def _stack(
        self, heads: list[str], columns: Sequence[Column], cells: list[list[str]], styles: Sequence[str]
    ) -> None:
        """Write each row as lines: what it is named by, then a figure a line."""
        for number, row in enumerate(cells):
            style = styles[number] if number < len(styles) else ""
            named = [i for i, column in enumerate(columns) if column.kind in ("code", "name") and not column.rank] or [
                0
            ]
            self.line(" ".join(row[i] for i in named if row[i]), style=style or "bold")
            for i, head in enumerate(heads):
                if i not in named and row[i] not in ("", "–"):
                    self.line(f"{with_colon(head, self.lang)} {row[i]}", style=style, indent=2)

    def written(self, path: str | None) -> None:
        """Say which file was written."""
        if path:
            self.line(Note("cli.written", path=path))

    def notes(self, notes: Iterable[str], style: str = "dim") -> None:
        """Write notes on files, those that say the same of several files in one line."""
        for note in _grouped([self.word(note) for note in notes]):
            self.line(note, style=style)

    def foot(self, answer: dict[str, Any]) -> None:
        """Sources, and the warning that belongs to every output of the sample."""
        made_up = "fictional" in answer
        by_producer: dict[str, list[str]] = {}
        for one in answer.get("sources", []):
            by_producer.setdefault(str(one.get("producer") or ""), []).append(self._cited(one, fictional=made_up))
        names = list(dict.fromkeys(name for cited in by_producer.values() for name in cited))
        if len(names) == 1:
            self.line(f"{self.word('Source:')} {names[0]}", style="dim")
        elif names:
            self.line(self.word("Sources:"), style="dim")
            for name in names:
                self.line(name, style="dim", indent=2)
        if "fictional" in answer:
            self.line(self.word(answer["fictional"]), style="yellow")

    def _cited(self, source: dict[str, Any], *, fictional: bool) -> str:
        """A source as a person cites it; a file that no producer publishes by its name."""
        from qpvgeo.sources import catalog

        name = str(source.get("file") or source.get("facts"))
        published = None if fictional else catalog.of_file(name)
        return self.word(name) if published is None else published.cite(self.lang)


class Marks:
    """Notes under a table, each once, with the marks that its rows carry.

    Parameters
    ----------
    screen
        Where they are written.
    notes
        Those of all rows: one that names some of the places of another is left to that one, for its row says where.
    """

    def __init__(self, screen: Screen, notes: Iterable[str] = ()) -> None:
        self.screen = screen
        self.texts: dict[str, int] = {}
        self._wide = sorted((part for note in notes for part in parts(note)), key=lambda part: -len(_places(part)))

    def mark(self, note: str) -> str:
        """Marks of what a note says, numbers in brackets; empty for no note."""
        marks = sorted({self.texts.setdefault(self._widest(part), len(self.texts) + 1) for part in parts(note)})
        return f"({', '.join(map(str, marks))})" if marks else ""

    def _widest(self, part: str) -> str:
        """The same note of the most places that are among these."""
        named = _places(part)
        same = (one for one in self._wide if getattr(one, "key", one) == getattr(part, "key", part))
        return next((one for one in same if named and named <= _places(one)), part)

    def write(self) -> None:
        """Write the notes in the order of their marks."""
        for note, rank in self.texts.items():
            self.screen.line(f"({rank}) {self.screen.word(note)}", style="dim")


def _styled(text: str, style: str) -> str:
    text = visible(text)
    if not style or not text:
        return text
    return click.style(text, bold=True) if style == "bold" else click.style(text, **_STYLES[style])


_STYLES: dict[str, dict[str, Any]] = {
    "dim": {"dim": True},
    "red": {"fg": "red"},
    "green": {"fg": "green"},
    "yellow": {"fg": "yellow"},
}


def _places(note: str) -> set[str]:
    """Places that a note names."""
    return set(map(str, note.values.get("places", ()))) if isinstance(note, Note) else set()


def _filled(columns: Sequence[Column], cells: list[list[str]]) -> tuple[list[Column], list[list[str]]]:
    """Columns that hold something, and those that every table has."""
    if not cells:
        return list(columns), cells
    kept = [
        i
        for i, column in enumerate(columns)
        if any(row[i] not in ("", "–") for row in cells) or not (column.rank or all(row[i] == "" for row in cells))
    ]
    return [columns[i] for i in kept], _picked(cells, kept)


def _picked(cells: list[list[str]], shown: list[int]) -> list[list[str]]:
    return [[row[i] for i in shown] for row in cells]


def _folded(text: str, room: int) -> list[str]:
    """Lines of a cell; a word longer than the column stays whole."""
    return textwrap.wrap(text, room, break_long_words=False) if len(text) > room else [text]


def _longest(text: str) -> int:
    """Longest part that is not folded."""
    return max((len(word) for word in text.replace("-", "- ").split(" ")), default=0)


def _least(column: Column, head: str, cells: Iterable[str]) -> int:
    """Least width of a column: its numbers and codes whole, its names folded."""
    texts = list(cells)
    whole = max(map(len, texts), default=0)
    if column.kind in ("number", "code"):
        return max(whole, _longest(head))
    return max(min(whole, _FOLDED[column.kind]), max(map(_longest, texts), default=0), _longest(head))


def _shown(columns: Sequence[Column], heads: list[str], cells: list[list[str]], room: int) -> tuple[list[int], bool]:
    """Columns that fit, and whether rows must become lines."""
    least = [_least(column, heads[i], (row[i] for row in cells)) for i, column in enumerate(columns)]
    shown = list(range(len(columns)))

    def wide() -> bool:
        return sum(least[i] for i in shown) + len(_GAP) * (len(shown) - 1) > room

    while wide():
        last = max(shown, key=lambda i: (columns[i].rank, i))
        if not columns[last].rank:
            return list(range(len(columns))), True
        shown.remove(last)
    return shown, False


def _widths(columns: list[Column], heads: list[str], cells: list[list[str]], room: int) -> list[int]:
    """Widths of the columns: what is left over their least is shared out, headers of numbers last."""
    texts = [[row[i] for row in cells] for i in range(len(columns))]
    found = [_least(column, head, text) for column, head, text in zip(columns, heads, texts, strict=True)]
    wanted = [max([len(head), *map(len, text)]) for head, text in zip(heads, texts, strict=True)]
    left = room - sum(found) - len(_GAP) * (len(columns) - 1)
    for kinds in (("name",), ("text",), ("number", "code")):
        for i, column in enumerate(columns):
            if column.kind in kinds:
                more = min(left, wanted[i] - found[i])
                found[i] += max(more, 0)
                left -= max(more, 0)
    return found


def _grouped(notes: list[str]) -> list[str]:
    """Notes on files, those that say the same of several files in one line."""
    files: dict[str, list[str]] = {}
    for note in notes:
        label, colon, text = note.partition(": ")
        files.setdefault(text if colon else note, []).append(label if colon else "")
    told = []
    for text, labels in files.items():
        named = [label for label in labels if label]
        told.append(f"{len(labels)} × {text}" if len(labels) > 1 else f"{named[0]}: {text}" if named else text)
    return told
