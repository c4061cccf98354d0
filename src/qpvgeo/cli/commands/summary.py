"""`qpvgeo summary`: how many QPV, how many people, which share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, place_option, programme_option, shared, vintage_option, year_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.cli.terminal import Column, Marks, Screen
from qpvgeo.errors import MissingDataError
from qpvgeo.language import Note, joined, number, parts, share

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from qpvgeo.codes.places import Area

__all__ = ["summary"]

_COLUMNS = (
    Column("Territory", "name"),
    Column("QPV"),
    Column("People in QPV"),
    Column("QPV census", rank=3),
    Column("Population", rank=1),
    Column("Census", rank=2),
    Column("Share"),
    Column("QPV km2", rank=3),
    Column("Note", "code"),
)


@vintage_option
@option("--by", kind=Choice("territory", "region", "department"), default="territory", help="cli.option_by")
@place_option
@programme_option
@year_option
@with_reading
@with_output
@shared
def summary(
    *,
    vintage: str,
    by: str,
    place: str | None,
    programme: str | None,
    year: int | None,
    reading: Reading,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """How many QPV, how many people, which share; from published figures when no file is available."""
    from qpvgeo.cli import answers

    where = folder(data, sample=sample)
    output.require(data=where)
    answer = _answer(
        int(vintage), where, by=by, place=place, programme=programme, year=year, reading=reading, output=output
    )
    answers.show(answer, _table, as_json=json)


def _answer(
    vintage: int,
    data: Path | None,
    *,
    by: str,
    place: str | None,
    programme: str | None,
    year: int | None,
    reading: Reading,
    output: Target,
) -> dict[str, Any]:
    """Figures computed from the files available, else the published aggregates."""
    from qpvgeo.at_hand.places import area_of, qpv_in
    from qpvgeo.cli import answers, inputs
    from qpvgeo.indicators import published_totals, totals
    from qpvgeo.sources.recognise import left_aside

    qpv = inputs.perimeters(vintage, data, reading)
    if qpv is None and by != "territory":
        raise MissingDataError(Note("cli.aggregates_by_territory", by=by), way_out=Note("cli.leave_by_out"))
    if qpv is None and programme is not None:
        raise MissingDataError(Note("cli.programmes_need_perimeters"), way_out=Note("cli.name_the_folder"))
    if qpv is None and place is not None:
        raise MissingDataError(Note("cli.place_needs_perimeters", place=place), way_out=Note("cli.name_the_folder"))
    detail = None
    area = None
    if qpv is None:
        figures = published_totals.published_summary(vintage, year=year)
        sources = [{"facts": "published aggregates embedded in qpvgeo"}]
    else:
        area = None if place is None else area_of(place, data, qpv)
        people = inputs.people(vintage, data, year, reading, qpv=qpv)
        reading.require_used(data)
        chosen = qpv if programme is None else _reached(qpv, data, programme)
        figures, detail = _computed(chosen, people, by, area)
        # below a department there is no summary
        qpv = qpv if area is None else qpv_in(qpv, area, data)
        sources = answers.sources(qpv, people)
    output.write(figures if detail is None else detail)
    rows = figures.drop(index=[totals.TOTAL, totals.OVERSEAS_SCOPE], errors="ignore")
    scopes = figures.drop(index=rows.index)
    about = figures.attrs["qpvgeo"]
    answer = {
        "vintage": vintage,
        "place": None if area is None else area.label,
        "programme": programme,
        **totals.headline(figures),
        "basis": about["basis"],
        "release": about.get("release"),
        "by_territory": answers.records(rows, "territory"),
        "scopes": answers.records(scopes, "scope"),
        "sources": sources,
        "repairs": _repairs(qpv),
        "notes": answers.notes(qpv) if qpv is not None else left_aside(data, "perimeters", vintage),
        "output": output.name,
    }
    if detail is not None:
        answer[f"by_{by}"] = answers.records(detail.drop(index=scopes.index, errors="ignore"), by)
    return answer | answers.fictional(figures)


def _reached(qpv: gpd.GeoDataFrame, data: Path | None, programme: str) -> gpd.GeoDataFrame:
    """QPV that a programme reaches."""
    from qpvgeo.cli.programme_lists import joined, reached

    return qpv[qpv.index.isin(list(reached(joined(qpv, data), programme)))]


def _computed(
    qpv: gpd.GeoDataFrame, people: pd.DataFrame | None, by: str, area: Area | None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Figures of the territories, and those of another level."""
    from qpvgeo.at_hand import files
    from qpvgeo.indicators import totals

    own = files.denominators_of(qpv)
    figures = totals.summary(qpv, population=people, denominators=own, place=area)
    detail = None
    if by != "territory":
        detail = totals.summary(qpv, population=people, denominators=own, by=by, place=area)  # type: ignore[arg-type]
    return figures, detail


def _repairs(qpv: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """How many outlines were made valid, and what that added to the area."""
    log = qpv.attrs["qpvgeo"].get("repairs", []) if qpv is not None else []
    return {"outlines": len(log), "added_km2": round(sum(change["difference_m2"] for change in log) / 1e6, 6)}


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """Headline, then the table by territory, scopes last."""
    _headline(answer, screen)
    detail = next((answer[key] for key in ("by_department", "by_region") if key in answer), answer["by_territory"])
    shown = [(row, *_caveat(row["note"])) for row in (*detail, *answer["scopes"])]
    marks = Marks(screen, (note for _, note, _ in shown))
    rows = [_figures(row, marks.mark(note), would_be, screen) for row, note, would_be in shown]
    styles = [""] * len(detail) + ["bold"] * len(answer["scopes"])
    screen.line()
    screen.table(_COLUMNS, rows, styles=styles, ruled=len(detail))
    screen.line()
    marks.write()
    repairs = answer["repairs"]
    if repairs["outlines"]:
        screen.line(Note("cli.repairs", count=repairs["outlines"], area=repairs["added_km2"]), style="dim")
    screen.notes(answer["notes"])
    screen.written(answer["output"])


def _headline(answer: dict[str, Any], screen: Screen) -> None:
    lang = screen.lang
    basis = screen.word(f"basis: {answer['basis']}")
    where = "".join(f", {answer[key]}" for key in ("place", "programme") if answer.get(key))
    release = f", {screen.word('release')} {answer['release']}" if answer.get("release") else ""
    screen.line(f"{screen.word('QPV, geography of')} {answer['vintage']}{release} ({basis}){where}", style="bold")
    people, count = answer["population"], f"{number(answer['n_qpv'], lang)} QPV"
    if people is None:
        screen.line(f"{count}; {screen.word('their people are not known')}", indent=2)
    else:
        millions = f" ({number(people / 1e6, lang, 1)} {screen.word('million')})" if people >= 1e5 else ""
        year = answer["population_year"]
        dated = f", {screen.word('reference year')} {year}" if year else ""
        screen.line(f"{count}, {number(people, lang)} {screen.word('people')}{millions}{dated}", indent=2)
    if answer["share"] is not None:
        scope, census = answer["share_scope"], answer["denominator_year"]
        name = next((row["name"] for row in _all_rows(answer) if row["key"] == scope), scope)
        ratio = f"{number(answer['share_population'], lang)} / {number(answer['denominator'], lang)}"
        dated = f" ({screen.word('census')} {census})" if census else ""
        screen.line(
            f"{share(answer['share'], lang, 1)} = {ratio} {screen.word('inhabitants')}{dated}, "
            f"{screen.word('scope:')} {screen.word(name)}",
            indent=2,
        )


def _all_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    territories = [{**row, "key": row["territory"]} for row in answer["by_territory"]]
    return [*territories, *({**row, "key": row["scope"]} for row in answer["scopes"])]


def _caveat(note: str) -> tuple[str, float | None]:
    """Note of a row, and the share that it says instead of the column: it stands there in brackets."""
    would_be = None
    told: list[str] = []
    for one in parts(note):
        if isinstance(one, Note) and one.key == "indicators.census_not_stated_would_be":
            would_be = float(one.values["share"])
            told.append(Note("cli.share_in_brackets"))
        else:
            told.append(one)
    return joined(told), would_be


def _figures(row: dict[str, Any], mark: str, would_be: float | None, screen: Screen) -> list[str]:
    lang = screen.lang
    return [
        screen.word(row["name"]),
        number(row["n_qpv"], lang),
        number(row["population"], lang),
        str(row["population_year"] or "–"),
        number(row["denominator"], lang),
        str(row["denominator_year"] or "–"),
        share(row["share"], lang) if would_be is None else f"({share(would_be, lang)})",
        number(row["qpv_area_km2"], lang, 2),
        mark,
    ]
