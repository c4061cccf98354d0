"""Answers of `qpvgeo designate`: zones, verdicts on drawn perimeters, and what moves the zones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from qpvgeo.cli import answers, inputs
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.designation import (
    candidate_zones,
    compare_with_official,
    designation_sensitivity,
    judge_perimeters,
)
from qpvgeo.errors import QpvgeoError
from qpvgeo.language import Note, number, share, term

if TYPE_CHECKING:
    from pathlib import Path

    from qpvgeo.cli.outputs import Target
    from qpvgeo.cli.reading import Reading
    from qpvgeo.designation import CandidateZones

__all__ = [
    "Asked",
    "drawn",
    "judgement",
    "judgement_table",
    "sensitivity",
    "sensitivity_table",
    "zones",
    "zones_table",
]

_ZONES = (
    Column("Zone", "code"),
    Column("Unit", "code", 4),
    Column("Communes", "text", 2),
    Column("Cells"),
    Column("People"),
    Column("Income", rank=1),
    Column("Poverty", rank=1),
    Column("Imputed", rank=3),
    Column("km²", rank=2),
    Column("Narrow", "name", 3),
)
_VERDICTS = (
    Column("Perimeter", "code"),
    Column("Verdict", "name"),
    Column("People"),
    Column("Income", rank=1),
    Column("Threshold", rank=2),
    Column("Reasons", "text"),
    Column("Nearest change", "text", 3),
)
_MOVES = (
    Column("Proxy", "code"),
    Column("Threshold ×"),
    Column("Zones"),
    Column("Cells", rank=1),
    Column("People"),
    Column("People of eligible cells", rank=2),
)
_PLAIN = {".csv", ".json", ".xlsx", ".parquet"}
_AROUND = (0.8, 1.0, 1.2)
"""Shares of the least people asked that the sensitivity tries."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Cells, and what the command line says of the answer."""

    cells: pd.DataFrame
    zoning: dict[str, Any]
    vintage: int
    data: Path | None
    output: Target
    png: Path | None


def _of_cells(asked: Asked) -> dict[str, Any]:
    """Thresholds of the units, how many cells and people are below them, and the files written."""
    cells = asked.cells
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
        "states": {str(state): int(count) for state, count in cells["state"].value_counts().items()},
        "basis": {str(basis): int(count) for basis, count in cells["basis"].value_counts().items()},
        "eligible_cells": int(eligible.sum()),
        "eligible_population": float(cells["population"].astype("Float64")[eligible].sum()),
        "output": asked.output.name,
        "png": None if asked.png is None else str(asked.png),
    }


def zones(asked: Asked, reading: Reading) -> dict[str, Any]:
    """Candidate zones, what comes near, and the official perimeters available."""
    path = asked.output.path
    found = candidate_zones(
        asked.cells, geometry=path is not None and path.suffix.lower() not in _PLAIN, **asked.zoning
    )
    official = _official(found, asked, reading)
    _map(asked, found, inputs.perimeters(asked.vintage, asked.data, reading) if asked.png is not None else None)
    asked.output.write(found.zones)
    plain = pd.DataFrame(found.zones.drop(columns="geometry", errors="ignore"))
    return _of_cells(asked) | {
        "zones": answers.records(plain, "zone"),
        "near_misses": answers.records(found.near_misses, "rank"),
        "official": official,
    }


def _map(asked: Asked, found: CandidateZones, lines: gpd.GeoDataFrame | None) -> None:
    """Map of the zones with perimeters over them; nothing where no file is named."""
    if asked.png is not None:
        from qpvgeo import maps

        maps.save(maps.zones(found, lines), asked.png)


def _official(found: CandidateZones, asked: Asked, reading: Reading) -> dict[str, Any] | None:
    """Agreement with the official perimeters available; None when there are none near."""
    try:
        qpv = inputs.perimeters(asked.vintage, asked.data, reading)
        if qpv is None:
            return None
        total = compare_with_official(found, qpv).total
    except QpvgeoError:
        return None
    return {
        "vintage": asked.vintage,
        **{str(name): None if math.isnan(value) else float(value) for name, value in total.items()},
    }


def drawn(path: Path, reading: Reading) -> gpd.GeoDataFrame:
    """Perimeters of the user's file."""
    return inputs.polygons(path, reading)


def judgement(asked: Asked, areas: gpd.GeoDataFrame) -> dict[str, Any]:
    """Verdicts on perimeters, and the cells of the changes that turn them."""
    judged = judge_perimeters(areas, asked.cells, min_population=asked.zoning["min_population"])
    _map(asked, candidate_zones(asked.cells, **asked.zoning), areas)
    told = judged.verdicts.assign(
        reasons=["; ".join(map(str, notes)) for notes in judged.verdicts["reasons"]],
        nearest_change=judged.verdicts["nearest_change"].map(str),
    )
    told.attrs = judged.verdicts.attrs
    path = asked.output.path
    layer = gpd.GeoDataFrame(told, geometry=areas.geometry)
    layer.attrs = told.attrs
    asked.output.write(told if path is None or path.suffix.lower() in _PLAIN else layer)
    return _of_cells(asked) | {
        "verdicts": answers.records(told, "perimeter"),
        "changes": answers.records(judged.changes, "rank"),
    }


def sensitivity(asked: Asked, by_proxy: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """How many zones and people there are under other thresholds, contiguities, gaps and least populations."""
    least = asked.zoning["min_population"]
    table = designation_sensitivity(
        by_proxy,
        gap=sorted({0, 1, asked.zoning["gap"]}),
        min_population=sorted({round(share * least) for share in _AROUND}) if least == round(least) else [least],
    )
    asked.output.write(table)
    if asked.png is not None:
        from qpvgeo import maps

        maps.save(maps.sensitivity(table).axes[0], asked.png)
    return _of_cells(asked) | {"asked": asked.zoning, "rows": answers.records(table, "rank")}


def zones_table(answer: dict[str, Any], screen: Screen) -> None:
    """Zones, and how many come near."""
    lang = screen.lang
    _head(answer, screen)
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
            term("yes" if zone["narrow"] else "no", lang),
        )
        for zone in answer["zones"]
    ]
    screen.table(_ZONES, rows, title=Note("cli.designate_zones", count=len(rows)))
    counts = pd.Series([row["kind"] for row in answer["near_misses"]], dtype="str").value_counts()
    of = {kind: int(counts.get(kind, 0)) for kind in ("people", "income", "threshold", "narrow cell", "narrow zone")}
    screen.line(Note("cli.designate_near", zones=of["people"], cells=of["income"]))
    screen.line(Note("cli.designate_narrow", more=of["threshold"], fewer=of["narrow zone"], cells=of["narrow cell"]))
    official = answer["official"]
    if official is not None and official["in_qpv_share"] is not None:
        screen.line(
            Note(
                "cli.designate_official",
                vintage=official["vintage"],
                inside=official["in_qpv_share"],
                inside_low=official["in_qpv_low"],
                inside_high=official["in_qpv_high"],
                eligible=official["eligible_share"],
                low=official["eligible_low"],
                high=official["eligible_high"],
            )
        )
    _foot(answer, screen)


def judgement_table(answer: dict[str, Any], screen: Screen) -> None:
    """Verdicts, why, and the change that turns each."""
    lang = screen.lang
    _head(answer, screen)
    words = {True: "criteria met", False: "criteria not met", None: "not known"}
    rows = [
        (
            str(row["perimeter"]),
            term(words[row["passes"]], lang),
            number(row["population"], lang),
            number(row["income_eur"], lang),
            number(row["threshold_eur"], lang),
            row["reasons"],
            row["nearest_change"],
        )
        for row in answer["verdicts"]
    ]
    passed = sum(row["passes"] is True for row in answer["verdicts"])
    screen.table(_VERDICTS, rows, title=Note("cli.designate_verdicts", passed=passed, count=len(rows)))
    _foot(answer, screen)


def sensitivity_table(answer: dict[str, Any], screen: Screen) -> None:
    """The rows of the options asked, of each proxy and threshold."""
    lang, asked = screen.lang, answer["asked"]
    _head(answer, screen)
    shown = [row for row in answer["rows"] if all(row[name] == value for name, value in asked.items())]
    rows = [
        (
            term(row["proxy"], lang),
            number(row["threshold_factor"], lang, 2),
            number(row["zones"], lang),
            number(row["cells"], lang),
            number(row["population"], lang),
            number(row["eligible_population"], lang),
        )
        for row in shown
    ]
    title = Note("cli.designate_moves", shown=len(rows), count=len(answer["rows"]))
    screen.table(_MOVES, rows, title=title)
    _foot(answer, screen)


def _head(answer: dict[str, Any], screen: Screen) -> None:
    screen.line(
        Note(
            "cli.designate_headline",
            eligible=answer["eligible_cells"],
            cells=answer["cells"],
            people=answer["eligible_population"],
        ),
        style="bold",
    )
    if answer["threshold_eur"] is not None:
        screen.line(
            Note("cli.designate_threshold", threshold=answer["threshold_eur"], article=answer["article"]), indent=2
        )
    screen.line()


def _foot(answer: dict[str, Any], screen: Screen) -> None:
    screen.notes(answer["notes"])
    for path in (answer["output"], answer["png"]):
        screen.written(path)
