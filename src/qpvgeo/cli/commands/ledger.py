"""`qpvgeo ledger`: published figures held against computed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from qpvgeo.cli.options import folder, place_option, shared
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, file_option, option
from qpvgeo.cli.terminal import Column, Marks, Screen
from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note, number

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["ledger"]

_ONLY = {
    "exact": "exact",
    "within-rounding": "within rounding",
    "explained": "explained",
    "differs": "differs",
    "needs-data": "needs DATA",
}
_STYLES = {"exact": "green", "within rounding": "green", "explained": "yellow", "differs": "red", "needs DATA": "dim"}
_COLUMNS = (
    Column("Figure", "code"),
    Column("Territory", "name", rank=1),
    Column("Published"),
    Column("Computed"),
    Column("Verdict", "text"),
    Column("Note", "code"),
)


@option("--only", kind=Choice(*_ONLY), multiple=True, help="cli.option_only")
@file_option("--figures", help="cli.option_figures")
@place_option
@with_output
@shared
def ledger(
    *,
    only: tuple[str, ...],
    figures: Path | None,
    place: str | None,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Published figures held against computed ones; exit status 1 when one differs."""
    where = folder(data, sample=sample)
    output.require([figures], data=where)
    from qpvgeo.cli import answers
    from qpvgeo.frames import provenance
    from qpvgeo.published import ledger_table

    asked = _of_place(_figures(figures), place)
    frame = ledger_table.ledger(asked, data=where)
    counts = ledger_table.settled(frame)
    shown = frame[frame["verdict"].isin([_ONLY[word] for word in only])] if only else frame
    output.write(shown)
    answer = {
        "counts": counts,
        "figures": answers.records(shown, "id"),
        "sources": provenance.provenance(frame).get("files", []),
        "missing": [str(note) for note in ledger_table.missing_files(frame)],
        "output": output.name,
    }
    answers.show(answer | answers.within_sample(where), _table, as_json=json)
    if counts["differs"]:
        click.get_current_context().exit(1)


def _figures(path: Path | None) -> pd.DataFrame:
    """Figures of a file, or those of the library.

    Raises
    ------
    DataError
        The file is not a table.
    """
    from qpvgeo.formats.text_tables import read_table
    from qpvgeo.published import published_figures

    if path is None:
        return published_figures()
    if path.suffix.lower() not in (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods"):
        raise DataError(Note("cli.not_a_table", file=path.name), way_out=Note("published.figures_way_out"))
    return read_table(path).reset_index(drop=True)


def _of_place(figures: pd.DataFrame, place: str | None) -> pd.DataFrame:
    """Figures whose place lies in another.

    Raises
    ------
    UsageError
        None does.
    """
    if place is None or "territory" not in figures.columns:
        return figures
    from qpvgeo.codes.places import find_area
    from qpvgeo.published.scopes import within

    area = find_area(place)
    kept = figures[figures["territory"].fillna("France").map(lambda name: within(name, area.departments))]
    if kept.empty:
        raise UsageError(Note("cli.no_figure_in_place", place=area.label))
    return kept


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per figure, coloured by its verdict, then the reasons and the counts."""
    from qpvgeo.published.scopes import label_of

    marks = Marks(screen)
    rows = [
        (
            row["id"],
            label_of(row["territory"]),
            _printed(row, screen.lang),
            _computed(row, screen.lang),
            screen.word(row["verdict"]),
            marks.mark(row["reason"]),
        )
        for row in answer["figures"]
    ]
    screen.table(
        _COLUMNS,
        rows,
        title=Note("cli.ledger_title").say(screen.lang),
        styles=[_STYLES[row["verdict"]] for row in answer["figures"]],
    )
    screen.line()
    marks.write()
    counts = answer["counts"]
    told = ", ".join(f"{number(count, screen.lang)} {screen.word(verdict)}" for verdict, count in counts.items())
    style = "red" if counts["differs"] else "green"
    screen.line(Note("cli.ledger_count", count=sum(counts.values()), verdicts=told).say(screen.lang), style=style)
    screen.written(answer["output"])


_PERCENT = {"fr": "\u202f%", "en": "%"}


def _printed(row: dict[str, Any], lang: str) -> str:
    """Published value as it was printed, with the decimal sign and the percent of the language."""
    text = row["published"].replace(".", ",") if lang == "fr" else row["published"]
    return f"{text}{_PERCENT[lang]}" if row["unit"] == "percent" else text


def _computed(row: dict[str, Any], lang: str) -> str:
    """Computed value with two digits more than a whole number, where it is not one."""
    value = row["computed"]
    if value is None:
        return "–"
    decimals = 0 if value == round(value) or abs(value) >= 1e4 else 2 if row["tolerance"] >= 0.01 else 3
    return f"{number(value, lang, decimals)}{_PERCENT[lang] if row['unit'] == 'percent' else ''}"
