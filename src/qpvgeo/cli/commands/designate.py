"""`qpvgeo designate`: cells and zones that meet the criteria of the decree; candidates, never the legal outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, place_option, shared, vintage_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, file_option, option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.language import Note

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from qpvgeo.codes.places import Area

__all__ = ["designate"]

_SAMPLE = (20_500.0, 17_000.0, 124_000.0)
"""Fictional national and local medians in euros, and people of the agglomeration of the sample."""


@grid_option
@place_option
@file_option("--units", help="cli.designate_units")
@option("--national-median", kind=float, metavar="EUR", help="cli.designate_national")
@option("--median", kind=float, metavar="EUR", help="cli.designate_median")
@option("--unit-population", kind=float, metavar="N", help="cli.designate_population")
@option("--unit-mean", kind=float, metavar="EUR", help="cli.designate_unit_mean")
@option("--income", default="mean", metavar="mean|poverty|COLUMN", help="cli.designate_income")
@option("--poverty-rate", kind=float, metavar="SHARE", help="cli.designate_rate")
@option("--regime", default="2014", metavar="2014|2023|martinique-reunion-2014", help="cli.designate_regime")
@option("--set-aside", multiple=True, metavar="imputed|few households", help="cli.designate_set_aside")
@option("--contiguity", kind=Choice("queen", "rook"), default="queen", help="cli.designate_contiguity")
@option("--gap", kind=int, default=0, metavar="N", help="cli.designate_gap")
@option("--min-population", kind=float, default=1_000, metavar="N", help="cli.designate_minimum")
@file_option("--judge", help="cli.designate_judge")
@option("--sensitivity", is_flag=True, help="cli.designate_sensitivity")
@file_option("--png", help="cli.designate_png")
@vintage_option
@with_reading
@with_output
@shared
def designate(
    *,
    grid: Path | None,
    place: str | None,
    units: Path | None,
    national_median: float | None,
    median: float | None,
    unit_population: float | None,
    unit_mean: float | None,
    income: str,
    poverty_rate: float | None,
    regime: str,
    set_aside: tuple[str, ...],
    contiguity: str,
    gap: int,
    min_population: float,
    judge: Path | None,
    sensitivity: bool,
    png: Path | None,
    vintage: str,
    reading: Reading,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Cells below the income threshold, and the zones they make: candidates by the criteria of the decree."""
    from qpvgeo.cli import answers, designation_answers
    from qpvgeo.designation.thresholds import rules_of

    rules_of(regime)
    problems = _misfits(judge, units, unit_population, None if income == "poverty" else poverty_rate, sensitivity)
    where = folder(data, sample=sample)
    asked_median = median
    if sample:
        own = zip((national_median, median, unit_population), _SAMPLE, strict=True)
        national_median, median, unit_population = (known if given is None else given for given, known in own)
    problems += output.problems([grid, units, judge], where, layers=not sensitivity)
    _require_none(_missing(national_median, median, unit_population, units), problems)
    areas = None if judge is None else designation_answers.drawn(judge, reading)
    area = None if place is None else _area(place, where)
    table = None if units is None else _read_units(units, asked_median, median)
    read = _grid(where, grid, area, reading, table)
    reading.require_used(grid, judge)
    options: dict[str, Any] = {"poverty_rate": poverty_rate, "regime": regime, "set_aside": set_aside}
    options["national_median"] = float(national_median or 0)
    towns = _units(read, table, median, unit_population, unit_mean)
    cells = _of_place(_cells(read, towns, income, options), area)
    zoning: dict[str, Any] = {"contiguity": contiguity, "gap": gap, "min_population": min_population}
    asked = designation_answers.Asked(cells, zoning, int(vintage), where, output, png)
    if areas is not None:
        found, table_of = designation_answers.judgement(asked, areas), designation_answers.judgement_table
    elif sensitivity:
        proxies = _proxies(read, towns, income, options, cells)
        found, table_of = designation_answers.sensitivity(asked, proxies), designation_answers.sensitivity_table
    else:
        found, table_of = designation_answers.zones(asked, reading), designation_answers.zones_table
    cut = [] if area is None else [Note("cli.designate_cut")]
    answer = {"regime": regime, "place": place} | found
    answer |= {"sources": answers.sources(read, areas), "notes": [*answers.notes(cells, areas), *cut]}
    answers.show(answer | answers.fictional(read), table_of, as_json=json)


def _cells(read: pd.DataFrame, towns: pd.DataFrame, income: str, options: dict[str, Any]) -> pd.DataFrame:
    from qpvgeo.designation import eligible_cells

    if income != "poverty":
        options = options | {"poverty_rate": None}
    return eligible_cells(read, towns, income=income, **options)


def _proxies(
    read: pd.DataFrame, towns: pd.DataFrame, income: str, options: dict[str, Any], cells: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Cells by what was asked, and by the other proxy where the grid has it."""
    other = {"mean": "poverty", "poverty": "mean"}.get(income)
    found = {income: cells}
    if other is not None:
        try:
            more = _cells(read, towns, other, options)
        except UsageError as error:
            if error.key != "designation.income_unusable":
                raise
        else:
            found[other] = more.loc[cells.index]
            found[other].attrs = more.attrs
    return found


def _misfits(
    judge: Path | None,
    units: Path | None,
    unit_population: float | None,
    unread_rate: float | None,
    sensitivity: bool,
) -> list[str]:
    """Options of which one would silence the other, and a rate that nothing would read."""
    wrong = {
        Note("cli.exclude", one="--judge", other="--sensitivity"): judge is not None and sensitivity,
        Note("cli.exclude", one="--units", other="--unit-population"): None not in {units, unit_population},
        Note("cli.designate_rate_alone"): unread_rate is not None and not sensitivity,
    }
    return [note for note, is_wrong in wrong.items() if is_wrong]


def _require_none(missing: list[str], problems: list[str]) -> None:
    if missing:
        both = [*missing, *problems]
        raise UsageError(Note("cli.options_do_not_fit"), problems=both, way_out=Note("cli.designate_way_out"))
    if problems:
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)


def _missing(national: float | None, median: float | None, population: float | None, units: Path | None) -> list[str]:
    """Figures that were not given, and that nothing stands for."""
    wrong = {
        Note("cli.missing", name="--national-median"): national is None,
        Note("cli.missing", name="--median"): median is None and units is None,
        Note("cli.missing", name="--unit-population"): population is None and units is None,
    }
    return [note for note, is_wrong in wrong.items() if is_wrong]


def _area(place: str, data: Path | None) -> Area:
    """Place that was named.

    Raises
    ------
    UsageError
        There is none, or it lies where the decree has another method.
    """
    from qpvgeo.at_hand.places import area_of
    from qpvgeo.designation.input_checks import of_other_method

    area = area_of(place, data, None)
    others = of_other_method(area.departments)
    if others and len(others) == len(area.departments):
        raise UsageError(Note("designation.other_places"), problems=others)
    return area


def _grid(
    data: Path | None, grid: Path | None, area: Area | None, reading: Reading, units: pd.DataFrame | None
) -> pd.DataFrame:
    """Grid that was named, else the latest one available: its cells in a place and its units, or all."""
    from qpvgeo.read import read_grid
    from qpvgeo.sources import recognise

    names, layer = reading.rest(), reading.rest_of_layers()
    path = grid
    if path is None:
        known = recognise.of_kind("grid", data)
        if not known:
            raise MissingDataError(Note("cli.no_grid"), way_out=Note("cli.no_grid_way_out"))
        path = max(known, key=lambda one: one.vintage or 0).path
    read = read_grid(path, layer=layer, columns=names, where=None if area is None else _around(area, units))
    if not len(read):
        label = path.name if area is None else area.label
        raise DataError(Note("cli.no_cells_in_place", file=path.name, place=label), way_out=Note("cli.other_grid"))
    return read


def _around(area: Area, units: pd.DataFrame | None) -> list[str]:
    """Communes of a place, and the others of their units, which calibrate a proxy."""
    near = list(area.communes or area.departments)
    if units is None:
        return near
    inside = units.index.isin(near) | units.index.str.startswith(tuple(near))
    return [*near, *units.index[units["unit"].isin(units["unit"][inside])].difference(near)]


def _of_place(cells: pd.DataFrame, area: Area | None) -> pd.DataFrame:
    """Cells of a place, judged with those of its units."""
    from qpvgeo.designation.input_checks import first_commune

    if area is None or cells["communes"].isna().all():
        return cells
    near = tuple(area.communes or area.departments)
    kept = cells[cells["communes"].map(first_commune).astype("str").str.startswith(near)]
    kept.attrs = cells.attrs
    return kept


def _read_units(units: Path, median: float | None, known: float | None) -> pd.DataFrame:
    """Units with the median that was given, else with their own, else with the one of the sample."""
    from qpvgeo.designation.units import read_units

    table = read_units(units, medians=median)
    if table["median"].isna().all() and known is not None:
        return table.assign(median=known)
    if table["median"].isna().all():
        raise UsageError(Note("cli.designate_no_median", file=units.name), way_out=Note("cli.designate_medians"))
    return table


def _units(
    grid: pd.DataFrame,
    units: pd.DataFrame | None,
    median: float | None,
    population: float | None,
    mean: float | None,
) -> pd.DataFrame:
    from qpvgeo.designation.units import single_unit

    if units is None:
        return single_unit(grid, population=float(population or 0), median=float(median or 0), mean=mean)
    return units if mean is None else units.assign(mean=mean)
