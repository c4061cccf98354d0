"""`qpvgeo contrat`: the contrats de ville that a place is concerned by, a row per QPV."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, lists_option, place_argument, shared, vintage_option, year_option
from qpvgeo.cli.outputs import Target, picture_problems, with_output
from qpvgeo.cli.parser import file_option
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
    Column("Share of communes", rank=1),
    Column("Share of contract", rank=4),
    Column("Income", rank=4),
    Column("Poverty", rank=2),
    Column("Since 2015", "code", 2),
    Column("Gained", rank=3),
    Column("Lost", rank=3),
    Column("Programmes", "text", 5),
)
_OF_COMMUNES = (
    Column("Commune", "name"),
    Column("QPV"),
    Column("People in QPV"),
    Column("Population"),
    Column("Share"),
)
_VINTAGES = (2015, 2024)


@place_argument("cli.contrat_place", required=True)
@vintage_option
@year_option
@file_option("--income", help="cli.contrat_income")
@file_option("--indicators", help="cli.contrat_indicators", multiple=True)
@lists_option
@grid_option
@file_option("--png", help="cli.contrat_png")
@with_reading
@with_output
@shared
def contrat(
    *,
    place: str,
    vintage: str,
    year: int | None,
    income: Path | None,
    indicators: tuple[Path, ...],
    lists: Path | None,
    grid: Path | None,
    png: Path | None,
    reading: Reading,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Contrats de ville of a place: all their QPV, with people, shares, incomes, programmes and change since 2015."""
    from qpvgeo.at_hand.places import of_rows
    from qpvgeo.cli import answers, inputs
    from qpvgeo.indicators import coverage

    where, read = folder(data, sample=sample), [income, grid, lists, *indicators]
    problems = [*output.problems(read, where, layers=True), *picture_problems(png, read, where)]
    if problems:
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)
    made = inputs.covered(int(vintage), where, by="epci", year=year, reading=reading)
    reading.require_used(where)
    sides = _Sides.of(made, where)
    themes = _Themes.read(made, where, named=indicators, aside=(income, lists))
    found, matches = _contract(place, made, sides, _Files(where, income, lists, grid), themes)
    _write(found, made, output)
    _picture(place, sides, where, png)
    own = of_rows(made.qpv, made.qpv.index.isin(found.by_qpv["qpv_code"]))
    communes, other = (
        None if layer is None else of_rows(layer, layer["department"].isin(own["department"]))
        for layer in (made.communes, sides.other)
    )
    held = made.links[made.links["qpv_code"].isin(found.by_qpv["qpv_code"])]
    answer = {
        "place": place,
        "vintage": int(vintage),
        "legal_reference": found.totals.attrs["qpvgeo"]["legal_reference"],
        "rows": answers.records(found.by_qpv.set_index("qpv_code"), "qpv_code"),
        "by_commune": answers.records(found.by_commune.set_index("contract"), "contract"),
        "totals": answers.records(found.totals, "contract"),
        "programmes": answers.records(coverage(held, by="programme", programmes=matches), "programme"),
        "indicators": answers.records(found.indicators.set_index("qpv_code"), "qpv_code"),
        "output": output.name,
        "png": None if png is None else str(png),
        "sources": answers.sources(own, made.people, made.parts, communes, made.units, other, *themes.frames),
        "notes": [*answers.notes(found.totals), *themes.notes],
    }
    answers.show(answer | answers.fictional(made.qpv), _table, as_json=json)


@dataclass(frozen=True, slots=True)
class _Files:
    """Folder of the files, and those that were named."""

    data: Path | None
    income: Path | None
    lists: Path | None
    grid: Path | None


@dataclass(frozen=True, slots=True)
class _Themes:
    """Indicators by QPV: those of the tables named, else of those that the folder holds, and those beside the people.

    `given` is what `contrat_de_ville` takes, `rates` a table of incomes among them.
    """

    given: dict[str, pd.DataFrame]
    frames: list[pd.DataFrame]
    rates: pd.DataFrame | None
    notes: list[Note]

    @classmethod
    def read(
        cls, made: Covered, data: Path | None, *, named: tuple[Path, ...], aside: tuple[Path | None, ...]
    ) -> _Themes:
        """Read them; a table found that cannot be read is named, one without figures is a list of something else."""
        from qpvgeo.read.indicators import read_indicators

        given, rates, notes = {}, None, []
        for path in named or _tables_at_hand(int(made.qpv["vintage"].iloc[0]), data, aside):
            try:
                given[path.stem] = read_indicators(path)
            except DataError as error:
                if named:
                    raise
                if error.key != "read.no_figures":
                    notes.append(Note("cli.contrat_left_aside", file=path.name, why=str(error).splitlines()[0]))
                continue
            if rates is None:
                rates = _rates(path)
        return cls(_beside_people(made.people) | given, list(given.values()), rates, notes)


def _tables_at_hand(vintage: int, data: Path | None, aside: tuple[Path | None, ...]) -> list[Path]:
    """Tables of a folder on the codes of QPV of a geography that hold no populations."""
    from qpvgeo.sources import recognise

    given = {path.resolve() for path in aside if path is not None}
    try:
        return [path for path in recognise.find("list", vintage, data) if path.resolve() not in given]
    except MissingDataError:
        return []


def _rates(path: Path) -> pd.DataFrame | None:
    """Incomes and poverty rates of a table; None where it has neither."""
    from qpvgeo.formats.text_tables import read_table
    from qpvgeo.policy.published_rates import published_rates

    try:
        return published_rates(read_table(path))
    except DataError as error:
        if error.key != "policy.no_rates":
            raise
        return None


def _contract(place: str, made: Covered, sides: _Sides, files: _Files, themes: _Themes) -> tuple[Any, pd.DataFrame]:
    """Contracts, with whatever the files available say of them, and the programmes that reach their QPV."""
    from qpvgeo.cli.programme_lists import joined
    from qpvgeo.codes.places import find_area
    from qpvgeo.policy import contrat_de_ville
    from qpvgeo.policy.contracts import of_contracts
    from qpvgeo.policy.epts import ept_of

    if made.communes is None:
        raise MissingDataError(Note("cli.contrat_communes"), way_out=Note("cli.name_the_folder"))
    asked: dict[str, Any] = {"communes": made.communes, "epci": made.units}
    # a place that is not known, or without a QPV, is refused before the longer work
    where = find_area(place, made.communes.assign(ept=ept_of(made.communes)), made.units)
    codes = contrat_de_ville(where, made.qpv, made.links, **asked).by_qpv["qpv_code"]
    matches = joined(made.qpv, files.data, lists=files.lists, communes=made.communes, links=made.links, only=codes)
    found = contrat_de_ville(
        where,
        made.qpv,
        made.links,
        **asked,
        income=_income(made.people, files.income, themes.rates),
        programmes=matches,
        changes=sides.changes(made.qpv[made.qpv.index.isin(codes)], files.data, files.grid),
        indicators=themes.given,
    )
    # members elsewhere are no concern of the place
    matches = of_contracts(matches, made.links[made.links["commune"].isin(found.by_commune["commune"])])
    matches.attrs["qpvgeo"] = matches.attrs["qpvgeo"] | {"unplaced": {}}
    return found, matches


def _write(found: Any, made: Covered, output: Target) -> None:  # noqa: ANN401 - contracts
    """Rows of the QPV with their indicators beside, and their outlines where the file takes them."""
    import geopandas as gpd

    if output.path is None:
        return
    long = found.indicators.assign(
        column=lambda rows: rows["indicator"].str.cat("_" + rows["year"].astype("str"), na_rep="")
    )
    wide = long.pivot_table(index="qpv_code", columns="column", values="value", aggfunc="first")
    named = wide.rename(columns=lambda name: f"indicator_{name}" if name in found.by_qpv else name)
    frame = found.by_qpv.merge(named, how="left", left_on="qpv_code", right_index=True)
    if output.is_layer:
        frame = gpd.GeoDataFrame(
            frame, geometry=made.qpv.geometry.reindex(frame["qpv_code"]).to_numpy(), crs=made.qpv.crs
        )
    frame.attrs = found.by_qpv.attrs
    output.write(frame)


def _picture(place: str, sides: _Sides, data: Path | None, png: Path | None) -> None:
    """Map of the QPV of the place, with what changed since 2015 where both geographies are available."""
    if png is None:
        return
    from qpvgeo import maps
    from qpvgeo.at_hand import files

    communes = files.communes(data, None)
    known = [layer for layer in (sides.mine, sides.other) if layer is not None]
    where = maps.find_place(place, known, communes, epci=files.epci(data))
    both = sides.other is not None
    ax = maps.change(*sides.layers, communes, place=where) if both else maps.qpv(sides.mine, communes, place=where)
    maps.save(ax, png)


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
        return (self.mine, self.other) if self._old_first else (self.other, self.mine)

    @property
    def _old_first(self) -> bool:
        return int(self.mine["vintage"].iloc[0]) == _VINTAGES[0]

    def changes(self, here: gpd.GeoDataFrame, data: Path | None, grid: Path | None) -> pd.DataFrame | None:
        """What changed for each QPV, on the cells near some of them where there are any."""
        from qpvgeo.cli import inputs
        from qpvgeo.cli.programme_lists import met
        from qpvgeo.geographies.positional_shift import tolerance_of
        from qpvgeo.policy import people_in_and_out

        if self.other is None:
            return None
        # the shift of all of both layers, then what may have changed here alone
        tolerance_m = tolerance_of(*self.layers)
        near = met(self.mine, self.other, here.index)
        before, now = near if self._old_first else reversed(near)
        of_before, of_now = (self.people, self.others) if self._old_first else (self.others, self.people)
        try:
            cells = inputs.grids_near(data, here, grid=grid)[0]
        except MissingDataError:
            cells = None
        people = {"population_2015": of_before, "population_2024": of_now}
        return people_in_and_out(before, now, grid=cells, **people, tolerance_m=tolerance_m)


def _income(people: pd.DataFrame | None, path: Path | None, found: pd.DataFrame | None) -> pd.DataFrame | None:
    """Table that was named, else what a table found gives, then the populations where they carry poverty or income."""
    from qpvgeo.formats.text_tables import read_table
    from qpvgeo.policy.published_rates import published_rates

    if path is not None:
        return published_rates(read_table(path))
    try:
        beside = None if people is None else published_rates(people)
    except DataError:
        beside = None
    return beside if found is None else found if beside is None else found.combine_first(beside)


def _beside_people(people: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Figures that the table of populations carries beside people."""
    if people is None:
        return {}
    numbers = people.drop(columns=["population", "reference_year", "census_year"], errors="ignore")
    own = numbers.select_dtypes("number")
    return {"published": own} if len(own.columns) else {}


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A headline per contract, then a row per QPV, their communes and their programmes."""
    lang = screen.lang
    for total in answer["totals"]:
        _headline(total, screen)
    _change(answer["rows"], screen)
    rows = [
        (
            row["qpv_code"],
            row["name"] or "–",
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
    screen.line()
    screen.table(
        _OF_COMMUNES,
        [
            (
                row["name"],
                number(row["n_qpv"], lang),
                number(row["qpv_population"], lang),
                number(row["population"], lang),
                share(row["share"], lang, 1),
            )
            for row in sorted(answer["by_commune"], key=lambda row: -(row["qpv_population"] or 0))
        ],
    )
    _programmes(answer, screen)
    themes = Counter(theme for theme, _ in {(row["theme"], row["indicator"]) for row in answer["indicators"]})
    if themes:
        told = [f"{screen.word(theme)} ({count})" for theme, count in sorted(themes.items())]
        screen.line(Note("cli.contrat_themes", themes=told))
    screen.notes(answer["notes"])
    for path in (answer["output"], answer["png"]):
        screen.written(path)


def _headline(total: dict[str, Any], screen: Screen) -> None:
    """Name of a contract, its QPV and their people, with the years of both sides."""
    lang, census = screen.lang, Note("indicators.year_not_stated")
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
    years = [total["qpv_population_year"], total["population_year"]]
    told = [census if year is None else Note("indicators.census_year", year=year) for year in years]
    screen.line(
        Note(
            "cli.contrat_people",
            inside=number(total["qpv_population"], lang),
            year=told[0],
            all=number(total["population"], lang),
            of=told[1],
            share=share(total["share"], lang, 1),
        ),
        indent=2,
    )


def _change(rows: list[dict[str, Any]], screen: Screen) -> None:
    """What became of the QPV, and how many people came in and went out."""
    kinds = Counter(row["change"] for row in rows if row.get("change"))
    if not kinds:
        return
    told = [f"{screen.word(kind)} ({count})" for kind, count in kinds.most_common()]
    # what follows several contracts is of all of them
    indent = 2 if len({row["contract"] for row in rows}) == 1 else 0
    screen.line(Note("cli.contrat_change", kinds=told), indent=indent)
    names = [f"{name}{end}" for name in ("gained", "lost") for end in ("", "_low", "_high")]
    if all(row[name] is not None for row in rows for name in names):
        sums = {name: sum(row[name] for row in rows) for name in names}
        figures = {name: _between(sums, name, screen.lang) for name in ("gained", "lost")}
        screen.line(Note("cli.contrat_moved", **figures), indent=indent)


def _programmes(answer: dict[str, Any], screen: Screen) -> None:
    """A line per programme that reaches the QPV."""
    if answer["programmes"]:
        screen.line()
        screen.line(Note("cli.contrat_programmes"), style="bold")
    for row in answer["programmes"]:
        parts = [number(row[name], screen.lang) for name in ("population_covered", "qpv_population")]
        key = "cli.contrat_programme_whole" if parts[0] == parts[1] else "cli.contrat_programme"
        told = Note(key, title=row["name"], count=row["n_qpv"], covered=parts[0], reached=parts[1])
        screen.line(told, indent=2)
        if row["note"]:
            screen.line(row["note"], indent=4, style="dim")


def _between(row: dict[str, Any], name: str, lang: str) -> str:
    """Estimate with its bounds: `340 (0–620)`."""
    if row.get(name) is None:
        return "–"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    bounds = "" if low == high else f" ({number(low, lang)}–{number(high, lang)})"
    return f"{number(row[name], lang)}{bounds}"
