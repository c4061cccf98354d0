"""`qpvgeo coverage`: QPV of each commune, EPCI, department, region or territory."""

from pathlib import Path
from typing import Any

from qpvgeo.cli.options import folder, shared, vintage_option, year_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, option
from qpvgeo.cli.terminal import Column, Marks, Screen
from qpvgeo.language import Note, joined, number, parts, share

__all__ = ["coverage"]

_LEVELS = ("commune", "epci", "ept", "department", "region", "territory")
_COLUMNS = (
    Column("Code", "code"),
    Column("Name", "name"),
    Column("QPV"),
    Column("People in QPV"),
    Column("Population", rank=1),
    Column("Share"),
    Column("QPV km2", rank=2),
    Column("Note", "code"),
)


@option("--by", kind=Choice(*_LEVELS), default="department", help="cli.option_by")
@vintage_option
@year_option
@option("--attribution", kind=Choice("code", "commune"), help="cli.option_attribution")
@with_output
@shared
def coverage(
    *,
    by: str,
    vintage: str,
    year: int | None,
    attribution: str | None,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """QPV of each commune, EPCI, EPT, department, region or territory: number, people, share, area."""
    from qpvgeo.cli import answers, inputs

    where = folder(data, sample=sample)
    output.require(data=where)
    made = inputs.covered(int(vintage), where, by=by, year=year, attribution=attribution)
    about = made.frame.attrs["qpvgeo"]
    output.write(made.frame)
    answer = {
        "output": output.name,
        "by": by,
        "vintage": int(vintage),
        "attribution": about["attribution"],
        "population_year": about["reference_year"],
        "qpv_population": None if made.people is None else float(made.links["population"].sum()),
        "rows": answers.records(made.frame, "code"),
        "sources": answers.sources(made.qpv, made.people, made.parts, made.communes, made.units),
        "notes": answers.notes(made.qpv, made.people, made.communes),
    }
    answers.show(answer | answers.fictional(made.qpv), _table, as_json=json)


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per unit."""
    lang, marks = screen.lang, Marks(screen)
    rows = [
        (
            row["code"] or "–",
            screen.word(row["name"]),
            number(row["n_qpv"], lang),
            number(row["qpv_population"], lang),
            number(row["population"], lang),
            share(row["share"], lang),
            number(row["qpv_area_km2"], lang, 2),
            marks.mark(_note(row)),
        )
        for row in answer["rows"]
    ]
    geography = f"{screen.word('geography of')} {answer['vintage']}"
    screen.table(_COLUMNS, rows, title=f"{screen.word('QPV by ' + answer['by'])}, {geography}")
    screen.line()
    marks.write()
    screen.notes(answer["notes"])
    screen.written(answer["output"])
    if answer["by"] in ("commune", "epci", "ept"):
        screen.line(screen.word("A QPV counts in each unit it lies in: numbers do not add up, people do."), style="dim")


def _note(row: dict[str, Any]) -> str:
    """Note of a row without the figures that are its own, so that rows of one reason share one note."""
    shown = [note for note in parts(row["note"]) if getattr(note, "key", "") != "indicators.would_be"]
    return joined([*shown, *([Note("indicators.shared_by_area")] if row["estimated_share"] else [])])
