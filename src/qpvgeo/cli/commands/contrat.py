"""`qpvgeo contrat`: the contrats de ville that a place is concerned by, a row per QPV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, shared, vintage_option, year_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import argument, file_option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.language import Note, number, share

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from qpvgeo.cli.inputs import Covered

__all__ = ["contrat"]

_COLUMNS = (
    Column("QPV", "code"),
    Column("Name", "name"),
    Column("People in QPV"),
    Column("Of the communes", rank=1),
    Column("Of the contract", rank=1),
    Column("Income", rank=4),
    Column("Poverty", rank=2),
    Column("Since 2015", "code", 2),
    Column("Gained", rank=3),
    Column("Lost", rank=3),
    Column("Programmes", "text", 5),
)
_VINTAGES = (2015, 2024)


@argument("place", metavar="PLACE", help="cli.contrat_place")
@vintage_option
@year_option
@file_option("--income", help="cli.contrat_income")
@grid_option
@with_reading
@with_output
@shared
def contrat(
    place: str,
    *,
    vintage: str,
    year: int | None,
    income: Path | None,
    grid: Path | None,
    reading: Reading,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Contrats de ville of a place: all their QPV, with people, shares, incomes, programmes and change since 2015."""
    from qpvgeo.cli import answers, inputs

    where = folder(data, sample=sample)
    if problems := output.problems([income, grid], where):
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)
    made = inputs.covered(int(vintage), where, by="epci", year=year, reading=reading)
    reading.require_used(where)
    found = _contract(place, made, where, income, grid)
    output.write(found.by_qpv)
    answer = {
        "place": place,
        "vintage": int(vintage),
        "legal_reference": found.totals.attrs["qpvgeo"]["legal_reference"],
        "rows": answers.records(found.by_qpv.set_index("qpv_code"), "qpv_code"),
        "by_commune": answers.records(found.by_commune.set_index("contract"), "contract"),
        "totals": answers.records(found.totals, "contract"),
        "indicators": answers.records(found.indicators.set_index("qpv_code"), "qpv_code"),
        "output": output.name,
        "sources": answers.sources(made.qpv, made.people, made.parts, made.communes, made.units),
        "notes": answers.notes(found.totals),
    }
    answers.show(answer | answers.fictional(made.qpv), _table, as_json=json)


def _contract(place: str, made: Covered, data: Path | None, income: Path | None, grid: Path | None) -> Any:  # noqa: ANN401
    """Contracts, with whatever the files available say of them."""
    from qpvgeo.geographies import crosswalk
    from qpvgeo.policy import contrat_de_ville, join_programmes

    if made.communes is None:
        raise MissingDataError(Note("cli.contrat_communes"), way_out=Note("cli.name_the_folder"))
    asked = {"communes": made.communes, "epci": made.units}
    # a place that is not known, or without a QPV, is refused before the longer work
    codes = contrat_de_ville(place, made.qpv, made.links, **asked).by_qpv["qpv_code"]
    sides = _Sides.of(made, data)
    walk = None if sides.other is None else crosswalk(*sides.layers)
    return contrat_de_ville(
        place,
        made.qpv,
        made.links,
        **asked,
        income=_income(made.people, income),
        programmes=join_programmes(made.qpv, crosswalk=walk, communes=made.communes, links=made.links),
        changes=sides.changes(made.qpv[made.qpv.index.isin(codes)], data, grid),
        indicators=_indicators(made.people),
    )


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both geographies, where both are available, with their people."""

    mine: gpd.GeoDataFrame
    other: gpd.GeoDataFrame | None
    people: pd.DataFrame | None
    others: pd.DataFrame | None

    @classmethod
    def of(cls, made: Covered, data: Path | None) -> _Sides:
        """The geography of a coverage, and the other one."""
        from qpvgeo.cli import inputs

        other = next(year for year in _VINTAGES if year != int(made.qpv["vintage"].iloc[0]))
        try:
            return cls(made.qpv, inputs.required_perimeters(other, data), made.people, inputs.people(other, data, None))
        except MissingDataError:
            return cls(made.qpv, None, made.people, None)

    @property
    def layers(self) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
        """Perimeters of 2015, then those of 2024."""
        old_first = int(self.mine["vintage"].iloc[0]) == _VINTAGES[0]
        return (self.mine, self.other) if old_first else (self.other, self.mine)

    def changes(self, here: gpd.GeoDataFrame, data: Path | None, grid: Path | None) -> pd.DataFrame | None:
        """What changed for each QPV, on the cells near some of them where there are any."""
        from qpvgeo.cli import inputs
        from qpvgeo.policy import people_in_and_out

        if self.other is None:
            return None
        before, now = self.layers
        of_before, of_now = (self.people, self.others) if before is self.mine else (self.others, self.people)
        try:
            cells = inputs.grids_near(data, here, grid=grid)[0]
        except MissingDataError:
            cells = None
        return people_in_and_out(before, now, grid=cells, population_2015=of_before, population_2024=of_now)


def _income(people: pd.DataFrame | None, path: Path | None) -> pd.DataFrame | None:
    """Table that was named, else the populations where they carry poverty or income; None where they do not."""
    from qpvgeo.formats.text_tables import read_table
    from qpvgeo.policy.published_rates import published_rates

    if path is not None:
        return published_rates(read_table(path))
    try:
        return None if people is None else published_rates(people)
    except DataError:
        return None


def _indicators(people: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Figures that the table of populations carries beside people."""
    if people is None:
        return {}
    numbers = people.drop(columns=["population", "reference_year", "census_year"], errors="ignore")
    return {"published": found} if len((found := numbers.select_dtypes("number")).columns) else {}


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A headline per contract, then a row per QPV."""
    lang = screen.lang
    for total in answer["totals"]:
        screen.line(
            Note(
                "cli.contrat_headline",
                name=total["name"],
                code=total["contract"],
                count=total["n_qpv"],
                communes=total["n_communes"],
            ),
            style="bold",
        )
        people = [number(total["qpv_population"], lang), number(total["population"], lang), share(total["share"], lang)]
        screen.line(Note("cli.contrat_people", inside=people[0], all=people[1], share=people[2]), indent=2)
    rows = [
        (
            row["qpv_code"],
            row["name"],
            number(row["population"], lang),
            share(row["share_of_communes"], lang, 1),
            share(row["share_of_contract"], lang, 1),
            number(row["income_eur"], lang),
            share(row["poverty_rate"], lang, 0),
            screen.word(row.get("change") or "–"),
            _between(row, "gained", lang),
            _between(row, "lost", lang),
            row["programmes"] or "–",
        )
        for row in answer["rows"]
    ]
    screen.line()
    screen.table(_COLUMNS, rows)
    screen.notes(answer["notes"])
    screen.written(answer["output"])


def _between(row: dict[str, Any], name: str, lang: str) -> str:
    """Estimate with its bounds: `340 (0–620)`."""
    if row.get(name) is None:
        return "–"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    bounds = "" if low == high else f" ({number(low, lang)}–{number(high, lang)})"
    return f"{number(row[name], lang)}{bounds}"
