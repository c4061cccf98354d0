"""`qpvgeo programmes`: the programmes of the quartiers, and the QPV and people that each reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, lists_option, place_option, shared, vintage_option, year_option
from qpvgeo.cli.outputs import Target, picture_problems, with_output
from qpvgeo.cli.parser import file_option, option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import MissingDataError, UsageError
from qpvgeo.language import Note, number

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["programmes"]

_COLUMNS = (
    Column("Programme", "code"),
    Column("Operator", "text", 4),
    Column("Period", "code", 3),
    Column("Published count"),
    Column("Counted", "text", 2),
    Column("As of", "code", 1),
    Column("List held", "code", 1),
    Column("QPV"),
    Column("People covered", rank=1),
    Column("People reached"),
)


@vintage_option
@year_option
@place_option
@lists_option
@option("--programme", metavar="KEY", help="cli.programmes_programme")
@file_option("--png", help="cli.programmes_png")
@with_reading
@with_output
@shared
def programmes(
    *,
    vintage: str,
    year: int | None,
    place: str | None,
    lists: Path | None,
    programme: str | None,
    png: Path | None,
    reading: Reading,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Programmes of the quartiers: operator, law, counts, and the QPV and people that each reaches."""
    from qpvgeo.cli import answers, programme_members
    from qpvgeo.policy import programmes as known

    where = folder(data, sample=sample)
    problems = [*output.problems([lists], where), *picture_problems(png, [lists], where)]
    for name, given in (("--png", png), ("--year", year)):
        problems += [Note("cli.exclude", one=name, other="--programme")] if given and programme else []
    if problems:
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)
    if programme is not None:
        made = programme_members.answer_of(programme, where, place=place, lists=lists, reading=reading, output=output)
        answers.show(made, programme_members.table, as_json=json)
        return
    table = known()
    reach = _reach(int(vintage), where, year=year, place=place, lists=lists, reading=reading)
    if reach is not None:
        # programmes of the caller have a row too
        table = table.reindex([*table.index, *reach["coverage"].index.difference(table.index)])
        table = table.rename_axis("programme").join(reach["coverage"])
    output.write(table)
    _picture(reach, png)
    answer = {
        "vintage": int(vintage),
        "place": place,
        "rows": answers.records(table, "programme"),
        "overlaps": [] if reach is None else _sets(reach["overlaps"]),
        "unplaced": {} if reach is None else reach["unplaced"],
        "output": output.name,
        "png": None if png is None else str(png),
        "sources": [] if reach is None else answers.sources(*reach["frames"]),
        "notes": [] if reach is None else answers.notes(reach["joined"]),
    }
    answers.show(answer | (answers.fictional(*reach["frames"]) if reach else {}), _table, as_json=json)


def _reach(
    vintage: int, data: Path | None, *, year: int | None, place: str | None, lists: Path | None, reading: Reading
) -> dict[str, Any] | None:
    """QPV and people that programmes reach; None where no perimeters are available."""
    from qpvgeo.at_hand.places import qpv_of
    from qpvgeo.cli import inputs
    from qpvgeo.cli.programme_lists import joined
    from qpvgeo.policy import programme_coverage, programme_overlaps

    if inputs.perimeters(vintage, data, reading) is None:
        if place is not None or lists is not None:
            raise MissingDataError(Note("cli.programmes_need_perimeters"), way_out=Note("cli.name_the_folder"))
        return None
    made = inputs.covered(vintage, data, by="epci", year=year, reading=reading)
    reading.require_used(data)
    here = made.qpv if place is None else qpv_of(made.qpv, place, data)[0]
    links = made.links[made.links["qpv_code"].isin(here.index)]
    found = joined(made.qpv, data, lists=lists, communes=made.communes, links=made.links)
    about = found.attrs["qpvgeo"]
    found = found[found["qpv_code"].isin(here.index)]
    return {
        "coverage": programme_coverage(found, links),
        "overlaps": programme_overlaps(found, made.people, here),
        "unplaced": {name: len(codes) for name, codes in about["unplaced"].items()},
        "frames": [made.qpv, made.people, made.parts, made.communes],
        "joined": found,
    }


def _picture(reach: dict[str, Any] | None, png: Path | None) -> None:
    """Sets of programmes that reach the same QPV, drawn; nothing where no file is named."""
    if png is None:
        return
    if reach is None:
        raise MissingDataError(Note("cli.programmes_need_perimeters"), way_out=Note("cli.name_the_folder"))
    if not len(reach["coverage"]):
        raise MissingDataError(Note("cli.programmes_no_picture"), way_out=Note("cli.place_or_lists"))
    from qpvgeo import maps

    maps.save(maps.programmes(reach["overlaps"]).axes[0], png)


def _sets(overlaps: pd.DataFrame) -> list[dict[str, Any]]:
    """Sets of programmes as names, with what they reach together."""
    from qpvgeo.cli import answers

    names = [name for name in overlaps.columns if name not in ("n_qpv", "population")]
    return [
        {
            "programmes": [name for name in names if row[name]],
            "n_qpv": row["n_qpv"],
            "population": row["population"],
        }
        for row in answers.records(overlaps, "rank")
    ]


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per programme, then the sets that reach most QPV together."""
    lang = screen.lang
    rows = [
        (
            row["programme"],
            row["operator"] or "–",
            row["period"] or "–",
            number(row["count"], lang),
            row["counted"] or "–",
            row["count_date"] or "–",
            screen.word(row["list_held"]) if row["list_held"] else "–",
            number(row.get("n_qpv"), lang),
            number(row.get("population_covered"), lang),
            number(row.get("population_reached"), lang),
        )
        for row in answer["rows"]
    ]
    screen.table(_COLUMNS, rows, title=Note("cli.programmes_title", vintage=answer["vintage"]))
    several = [row for row in answer["overlaps"] if len(row["programmes"]) > 1]
    if several:
        screen.line()
        screen.line(Note("cli.programmes_together"), style="bold")
        for row in several:
            screen.line(
                Note("cli.programmes_set", programmes=" + ".join(row["programmes"]), count=row["n_qpv"]), indent=2
            )
    for name, count in answer["unplaced"].items():
        screen.line(Note("cli.programmes_unplaced", programme=name, count=count), style="dim")
    screen.notes(answer["notes"])
    for path in (answer["output"], answer["png"]):
        screen.written(path)
