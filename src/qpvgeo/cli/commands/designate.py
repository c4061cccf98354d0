"""`qpvgeo designate`: cells and zones that meet the criteria of the decree; candidates, never the legal outlines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, place_option, shared, vintage_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, file_option, option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import MissingDataError, UsageError
from qpvgeo.language import Note, number, share

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["designate"]

_COLUMNS = (
    Column("Zone", "code"),
    Column("Unit", "code", 4),
    Column("Communes", "text", 2),
    Column("Cells"),
    Column("People"),
    Column("Income", rank=1),
    Column("Poverty", rank=1),
    Column("Imputed", rank=3),
    Column("km²", rank=2),
)
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
@option("--regime", kind=Choice("2014", "2023", "martinique-reunion-2014"), default="2014", help="cli.designate_regime")
@option("--contiguity", kind=Choice("queen", "rook"), default="queen", help="cli.designate_contiguity")
@option("--gap", kind=int, default=0, metavar="N", help="cli.designate_gap")
@option("--min-population", kind=float, default=1_000, metavar="N", help="cli.designate_minimum")
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
    contiguity: str,
    gap: int,
    min_population: float,
    png: Path | None,
    vintage: str,
    reading: Reading,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """Cells below the income threshold, and the zones they make: candidates by the criteria of the decree."""
    from qpvgeo.cli import answers
    from qpvgeo.designation import eligible_cells

    where = folder(data, sample=sample)
    if sample:
        own = zip((national_median, median, unit_population), _SAMPLE, strict=True)
        national_median, median, unit_population = (known if given is None else given for given, known in own)
    missing = _missing(national_median, median, unit_population, units)
    _require_none([*missing, *output.problems([grid, units], where, layers=True)])
    read = _grid(where, grid, place, reading)
    reading.require_used(grid)
    towns = _units(read, units, median, unit_population, unit_mean)
    cells = eligible_cells(
        read,
        towns,
        national_median=float(national_median or 0),
        income=income,
        poverty_rate=poverty_rate,
        regime=regime,
    )
    found = _zones(cells, output, min_population=min_population, contiguity=contiguity, gap=gap)
    _picture(found, png, int(vintage), where, reading)
    output.write(found.zones)
    answer = {"regime": regime, "place": place} | _of_cells(cells)
    answer |= {
        "zones": answers.records(_plain(found.zones), "zone"),
        "near_misses": answers.records(found.near_misses, "rank"),
        "official": _official(found, int(vintage), where, reading),
        "output": output.name,
        "png": None if png is None else str(png),
        "sources": answers.sources(read),
        "notes": answers.notes(cells),
    }
    answers.show(answer | answers.fictional(read), _table, as_json=json)


def _zones(cells: pd.DataFrame, output: Target, **options: Any) -> Any:  # noqa: ANN401 - those of candidate_zones
    """Candidate zones, with outlines where the output takes them."""
    from qpvgeo.designation import candidate_zones

    plain = output.path is None or output.path.suffix.lower() in {".csv", ".json", ".xlsx"}
    return candidate_zones(cells, geometry=not plain, **options)


def _picture(found: Any, png: Path | None, vintage: int, data: Path | None, reading: Reading) -> None:  # noqa: ANN401
    """Map of the zones, with the official perimeters where they are available; nothing where no file is named."""
    if png is None:
        return
    from qpvgeo import maps
    from qpvgeo.cli import inputs

    maps.save(maps.zones(found, inputs.perimeters(vintage, data, reading)), png)


def _of_cells(cells: pd.DataFrame) -> dict[str, Any]:
    """Thresholds of the units, and how many cells and people are below them."""
    about = cells.attrs["qpvgeo"]
    by_unit = cells.dropna(subset="threshold_eur").groupby("unit")["threshold_eur"].first()
    thresholds = by_unit.unique().tolist()
    eligible = cells["eligible"].fillna(value=False)
    return {
        "article": about["article"],
        "threshold_eur": int(thresholds[0]) if len(thresholds) == 1 else None,
        "thresholds": {str(unit): int(value) for unit, value in by_unit.items()},
        "proxy": about["proxy"],
        "calibration": about["calibration"],
        "cells": len(cells),
        "eligible_cells": int(eligible.sum()),
        "eligible_population": float(cells["population"].astype("Float64")[eligible].sum()),
    }


def _require_none(problems: list[str]) -> None:
    if problems:
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems, way_out=Note("cli.designate_way_out"))


def _missing(national: float | None, median: float | None, population: float | None, units: Path | None) -> list[str]:
    """Figures that were not given, and that nothing stands for."""
    wrong = {
        Note("cli.missing", name="--national-median"): national is None,
        Note("cli.missing", name="--median"): median is None and units is None,
        Note("cli.missing", name="--unit-population"): population is None and units is None,
    }
    return [note for note, is_wrong in wrong.items() if is_wrong]


def _grid(data: Path | None, grid: Path | None, place: str | None, reading: Reading) -> pd.DataFrame:
    """Grid that was named, else the latest one available: its cells in a place, or all."""
    from qpvgeo.at_hand.places import area_of
    from qpvgeo.read import read_grid
    from qpvgeo.sources import recognise

    area = None if place is None else area_of(place, data, None)
    near = None if area is None else list(area.communes or area.departments)
    names, layer = reading.rest(), reading.rest_of_layers()
    if grid is not None:
        return read_grid(grid, layer=layer, columns=names, where=near)
    known = [one for one in recognise.scan(data) if one.kind == "grid"]
    if not known:
        raise MissingDataError(Note("cli.no_grid"), way_out=Note("cli.no_grid_way_out"))
    latest = max(known, key=lambda one: one.vintage or 0)
    return read_grid(latest.path, layer=layer, columns=names, where=near)


def _units(
    grid: pd.DataFrame, units: Path | None, median: float | None, population: float | None, mean: float | None
) -> pd.DataFrame:
    from qpvgeo.designation.units import read_units, single_unit

    if units is not None:
        return read_units(units, medians=median)
    return single_unit(grid, population=float(population or 0), median=float(median or 0), mean=mean)


def _plain(zones: pd.DataFrame) -> pd.DataFrame:
    """Zones without their outlines."""
    import pandas as pd

    return pd.DataFrame(zones.drop(columns="geometry", errors="ignore"))


def _official(found: Any, vintage: int, data: Path | None, reading: Reading) -> dict[str, Any] | None:  # noqa: ANN401
    """Agreement with the official perimeters available; None when there are none near."""
    from qpvgeo.cli import inputs
    from qpvgeo.designation import compare_with_official
    from qpvgeo.errors import QpvgeoError

    try:
        qpv = inputs.perimeters(vintage, data, reading)
        if qpv is None:
            return None
        total = compare_with_official(found, qpv).total
    except QpvgeoError:
        return None
    return {
        "vintage": vintage,
        **{str(name): None if math.isnan(value) else float(value) for name, value in total.items()},
    }


def _table(answer: dict[str, Any], screen: Screen) -> None:
    lang = screen.lang
    threshold = answer["threshold_eur"]
    screen.line(
        Note(
            "cli.designate_headline",
            eligible=answer["eligible_cells"],
            cells=answer["cells"],
            people=answer["eligible_population"],
        ),
        style="bold",
    )
    if threshold is not None:
        screen.line(Note("cli.designate_threshold", threshold=threshold, article=answer["article"]), indent=2)
    rows = [
        (
            str(zone["zone"]),
            str(zone["unit"]),
            ", ".join(zone["communes"]),
            number(zone["cells"], lang),
            number(zone["population"], lang),
            number(zone.get("income_eur"), lang),
            share(zone.get("poverty_rate"), lang, 1),
            share(zone.get("imputed_share"), lang, 0),
            number(zone["area_km2"], lang, 2),
        )
        for zone in answer["zones"]
    ]
    screen.line()
    screen.table(_COLUMNS, rows, title=Note("cli.designate_zones", count=len(rows)))
    near = [row for row in answer["near_misses"] if row["kind"] == "people"]
    screen.line(Note("cli.designate_near", zones=len(near), cells=len(answer["near_misses"]) - len(near)))
    official = answer["official"]
    if official is not None and official["in_qpv_share"] is not None:
        screen.line(
            Note(
                "cli.designate_official",
                vintage=official["vintage"],
                inside=official["in_qpv_share"],
                eligible=official["eligible_share"],
            )
        )
    screen.notes(answer["notes"])
    for path in (answer["output"], answer["png"]):
        screen.written(path)
