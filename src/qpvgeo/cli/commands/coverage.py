"""`qpvgeo coverage`: QPV of each commune, EPCI, department, region or territory."""

from pathlib import Path
from typing import Any

from qpvgeo.cli.options import folder, lists_option, place_option, programme_option, shared, vintage_option, year_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, list_option, option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.cli.terminal import Column, Marks, Screen
from qpvgeo.language import Note, joined, number, parts, share

__all__ = ["coverage"]

_LEVELS = ("commune", "epci", "ept", "department", "region", "territory", "programme")
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
_OF_PROGRAMMES = (
    Column("Programme", "code"),
    Column("Title", "text", 2),
    Column("QPV"),
    Column("QPV covered whole", rank=1),
    Column("People covered"),
    Column("People reached"),
    Column("Share of people in QPV", rank=1),
    Column("Note", "code"),
)

_STATS = {
    "qpv_mean": "cli.stat_mean",
    "qpv_min": "cli.stat_min",
    "qpv_max": "cli.stat_max",
    "qpv_median": "cli.stat_median",
}


@option("--by", kind=Choice(*_LEVELS), default="department", help="cli.option_by")
@vintage_option
@year_option
@option("--attribution", kind=Choice("code", "commune"), help="cli.option_attribution")
@place_option
@programme_option
@lists_option
@list_option("--stats", metavar="STAT,...", default="", help="cli.option_stats")
@option("--min-population", kind=float, metavar="N", help="cli.option_min_population")
@option("--sort", metavar="[-]COLUMN", help="cli.option_sort")
@with_reading
@with_output
@shared
def coverage(
    *,
    by: str,
    vintage: str,
    year: int | None,
    attribution: str | None,
    place: str | None,
    programme: str | None,
    lists: Path | None,
    stats: str,
    min_population: float | None,
    sort: str | None,
    reading: Reading,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """QPV of each commune, EPCI, EPT, department, region, territory or programme: number, people, share, area."""
    from qpvgeo.cli import answers, inputs

    where = folder(data, sample=sample)
    output.require([lists], where, layers=by == "commune")
    made = inputs.covered(
        int(vintage),
        where,
        by=by,
        year=year,
        attribution=attribution,
        place=place,
        programme=programme,
        lists=lists,
        reading=reading,
        stats=_stats(stats),
        min_population=min_population,
        sort=sort,
    )
    reading.require_used(where)
    about = made.frame.attrs["qpvgeo"]
    own, communes = _own(made)
    output.write(_outlined(made) if output.is_layer else made.frame)
    answer = {
        "output": output.name,
        "by": by,
        "vintage": int(vintage),
        "attribution": about["attribution"],
        "place": place,
        "programme": programme,
        "population_year": about["reference_year"],
        "qpv_population": None
        if made.people is None
        else float(_all(made, whole=place is None and min_population is None)),
        "statistics": [str(name) for name in made.frame.columns if _is_stat(str(name))],
        "rows": answers.records(made.frame, "programme" if by == "programme" else "code"),
        "sources": answers.sources(own, made.people, made.parts, communes, None if by == "commune" else made.units),
        "notes": [
            *_nothing(made, vintage),
            *answers.notes(own, made.people, communes, *([made.frame] if by == "programme" else [])),
        ],
    }
    answers.show(answer | answers.fictional(made.qpv), _table, as_json=json)


def _outlined(made: Any) -> Any:  # noqa: ANN401 - a frame, and the same with the outlines of its communes
    """Rows of communes with their outlines."""
    import geopandas as gpd

    communes = made.communes
    found = gpd.GeoDataFrame(made.frame, geometry=communes.geometry.reindex(made.frame.index), crs=communes.crs)
    found.attrs = made.frame.attrs
    return found


def _own(made: Any) -> tuple[Any, Any]:  # noqa: ANN401 - frames of what was covered
    """Perimeters and communes of the place, or all."""
    from qpvgeo.at_hand.places import of_rows

    area, qpv, communes = made.area, made.qpv, made.communes
    if area is None or not (area.communes or area.whole_departments):
        return qpv, communes
    if area.communes is None:
        own, members = [layer is not None and layer["department"].isin(area.departments) for layer in (qpv, communes)]
    else:
        own = qpv.index.isin(made.links.loc[made.links["commune"].isin(area.communes), "qpv_code"])
        members = communes is not None and communes.index.isin(area.communes)
    return of_rows(qpv, own), None if communes is None else of_rows(communes, members)


def _nothing(made: Any, vintage: str) -> list[Note]:  # noqa: ANN401 - frames of what was covered
    """Tell a place without QPV."""
    if made.area is None or len(made.frame):
        return []
    return [Note("cli.no_qpv_in_place", vintage=int(vintage), place=made.area.label)]


def _stats(given: str) -> list[Any]:
    """Statistics as `coverage` takes them: words, and numbers."""
    found: list[Any] = []
    for part in filter(None, (part.strip() for part in given.split(","))):
        try:
            found.append(float(part))
        except ValueError:
            found.append(part)
    return found


def _all(made: Any, *, whole: bool) -> Any:  # noqa: ANN401
    """People of all QPV, or of the rows shown."""
    whole = whole or "population_covered" in made.frame  # rows of programmes do not add up
    return made.links["population"].sum() if whole else made.frame["qpv_population"].sum()


def _is_stat(name: str) -> bool:
    return name in _STATS or name.startswith(("n_qpv_from_", "qpv_q"))


def _head(name: str) -> str:
    """Header of a statistic."""
    if name.startswith("n_qpv_from_"):
        return Note("cli.stat_count", people=float(name.removeprefix("n_qpv_from_")))
    if name.startswith("qpv_q"):
        return Note("cli.stat_quantile", share=float(name.removeprefix("qpv_q")) / 100)
    return Note(_STATS[name])


def _of_programmes(answer: dict[str, Any], screen: Screen) -> None:
    """A row per programme."""
    lang, marks = screen.lang, Marks(screen, (row["note"] for row in answer["rows"]))
    names = answer["statistics"]
    columns = (*_OF_PROGRAMMES[:7], *(Column(_head(name), rank=3) for name in names), _OF_PROGRAMMES[-1])
    rows = [
        (
            row["programme"],
            row["name"],
            number(row["n_qpv"], lang),
            number(row["n_whole"], lang),
            number(row["population_covered"], lang),
            number(row["qpv_population"], lang),
            share(row["share"], lang, 1),
            *(number(row[name], lang) for name in names),
            marks.mark(row["note"]),
        )
        for row in answer["rows"]
    ]
    if not rows:
        screen.line(Note("cli.no_programme_here"))
        return
    screen.table(columns, rows, title=Note("cli.programmes_title", vintage=answer["vintage"]))
    screen.line()
    marks.write()
    screen.line(Note("cli.programmes_do_not_add_up"), style="dim")


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per unit."""
    if answer["by"] == "programme":
        _of_programmes(answer, screen)
    else:
        _of_units(answer, screen)
    screen.notes(answer["notes"])
    screen.written(answer["output"])
    if answer["by"] in ("commune", "epci", "ept"):
        screen.line(screen.word("A QPV counts in each unit it lies in: numbers do not add up, people do."), style="dim")


def _of_units(answer: dict[str, Any], screen: Screen) -> None:
    """A row per unit of territory."""
    lang, marks = screen.lang, Marks(screen, map(_note, answer["rows"]))
    names = answer["statistics"]
    columns = (*_COLUMNS[:6], *(Column(_head(name), rank=1) for name in names), *_COLUMNS[6:])
    rows = [
        (
            row["code"] or "–",
            screen.word(row["name"]),
            number(row["n_qpv"], lang),
            number(row["qpv_population"], lang),
            number(row["population"], lang),
            share(row["share"], lang),
            *(number(row[name], lang) for name in names),
            number(row["qpv_area_km2"], lang, 2),
            marks.mark(_note(row)),
        )
        for row in answer["rows"]
    ]
    geography = f"{screen.word('geography of')} {answer['vintage']}"
    screen.table(columns, rows, title=f"{screen.word('QPV by ' + answer['by'])}, {geography}")
    screen.line()
    marks.write()


def _note(row: dict[str, Any]) -> str:
    """Note of a row without the figures that are its own, so that rows of one reason share one note."""
    shown = [note for note in parts(row["note"]) if getattr(note, "key", "") != "indicators.would_be"]
    return joined([*shown, *([Note("indicators.shared_by_area")] if row["estimated_share"] else [])])
