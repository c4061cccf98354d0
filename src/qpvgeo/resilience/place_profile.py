"""Exposures of a place side by side: read the territory before acting on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.at_hand import files, places
from qpvgeo.errors import DataError, MissingDataError, QpvgeoError, UsageError, judged
from qpvgeo.frames.provenance import provenance, stamp
from qpvgeo.frames.require import require_outlines
from qpvgeo.language import Note
from qpvgeo.population.grid_columns import checked_cells
from qpvgeo.resilience.areas_on_cells import areas_of
from qpvgeo.resilience.comparisons import main_units, without_others
from qpvgeo.resilience.exposed_people import exposure

__all__ = ["resilience_profile"]

_OPTIONS = ("layer", "within_m", "above", "below", "quantile", "covered")
_COLUMNS = ("low", "estimate", "high", "unknown", "share", "share_low", "share_high")
_IMPUTED = {"layer": "imputed", "above": 1}
_RATIOS = ("ratio", "ratio_low", "ratio_high")


@judged
def resilience_profile(
    qpv: gpd.GeoDataFrame,
    grid: pd.DataFrame,
    questions: Mapping[str, Mapping[str, Any]],
    *,
    around: gpd.GeoDataFrame | None = None,
    place: str | None = None,
    data: str | Path | None = None,
) -> pd.DataFrame:
    """Ask several exposures of the QPV of a place, and give them side by side.

    Parameters
    ----------
    qpv
        QPV, with their `name` if there is one.
    grid
        Frame of `qpvgeo.read_grid`.
    questions
        For each name ("flood", "heat", "far from a park"), the arguments of `qpvgeo.exposure`: `layer` and its options.
    around
        Polygons to compare with, such as the communes of the QPV; with `place` those in which its QPV mostly lie, and
        by default the communes of `data`, where it has their outlines.
    place
        Name or code of a QPV, a commune, an EPCI or a department: only its QPV. By default all that are given.
    data
        Folder with files of communes and EPCI, for their names; by default as for `qpvgeo.load`.

    Returns
    -------
    pandas.DataFrame
        On `question` and the index of the QPV: `name`, `low`, `estimate`, `high`, `unknown` (people), `share`,
        `share_low`, `share_high`, `around_share` (of the rest around), and `ratio`, `ratio_low`, `ratio_high` (share
        over that of the rest), which are missing without `around`. `attrs["qpvgeo"]["asked"]` says for each question
        what was counted. The last question
        is `imputed`: the people whose cells Insee imputed, for whom figures on cells are the least sure; it is left out
        where the grid does not say.

    Raises
    ------
    UsageError, DataError
        A place other than a QPV is asked for of perimeters that do not say their communes, no question, one that is not
        a mapping with a layer, there is no such place, or as for `qpvgeo.exposure`: lists what is wrong, question by
        question.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, grid, floods = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019), gpd.read_file(sample.floods)
    >>> found = resilience_profile(qpv, grid, {"flood": {"layer": floods, "covered": "everywhere"}})
    >>> found.index.get_level_values("question").unique().tolist(), len(found)
    (['flood', 'imputed'], 32)
    >>> one = resilience_profile(qpv, grid, {"social housing": {"layer": "log_soc", "above": 25}}, place="QN09904M")
    >>> one.loc["social housing"].index.tolist()
    ['QN09904M']
    """
    checked_cells(grid)
    require_outlines(qpv, name="qpv", unique=True)
    if place is not None:
        every, qpv = qpv, places.qpv_of(qpv, place, None if data is None else Path(data))[0]
        around = _around(_communes(data) if around is None else around, qpv, grid)
        around = None if around is None else without_others(around, every, qpv.index)
    asked, imputed = _settled(questions), _imputed(grid)
    if imputed is not None and "imputed" not in asked:
        grid = grid.assign(imputed=imputed)
        asked["imputed"] = _IMPUTED
    parts, faults, words = {}, {}, {}
    for name, options in asked.items():
        try:
            found = exposure(qpv, grid=grid, around=around, **options)
        except (UsageError, DataError) as error:
            faults[name] = error
            continue
        about = provenance(found)
        rows = found[[*_COLUMNS, *_RATIOS]].copy()
        rows.insert(len(_COLUMNS), "around_share", pd.NA)
        rows["around_share"] = pd.Series((about.get("outside") or {}).get("estimate"), rows.index, "Float64")
        rows.insert(0, "name", qpv["name"] if "name" in qpv.columns else qpv.index.astype("str"))
        parts[name], words[name] = rows, about
    if faults:
        raise _refusal(faults)
    if imputed is not None and asked["imputed"] == _IMPUTED:
        words["imputed"]["asked"] = Note("resilience.asked_imputed")
    frame = pd.concat(parts, names=["question"])
    told = list(words.values())
    sources = {str(file): file for about in told for file in about["files"]}
    return stamp(
        frame,
        sources.values(),
        place=place,
        asked={name: about["asked"] for name, about in words.items()},
        fictional=any(about["fictional"] for about in told),
        notes=list(dict.fromkeys(note for about in told for note in about["notes"])),
    )


def _settled(questions: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - whatever was given
    """Questions by name, each with options that there are."""
    given = questions if isinstance(questions, Mapping) else {}
    problems: list[Note] = []
    for name, asked in given.items():
        if not isinstance(asked, Mapping) or "layer" not in asked:
            problems.append(Note("resilience.no_layer_in", name=str(name)))
        elif unknown := sorted(str(option) for option in set(asked) - set(_OPTIONS)):
            problems.append(Note("resilience.options_in", name=str(name), options=unknown))
    if problems or not given:
        way_out = Note("resilience.questions_way_out", options=[f"{name}=" for name in _OPTIONS])
        raise UsageError(Note("resilience.questions"), problems=problems, way_out=way_out)
    return {str(name): dict(asked) for name, asked in given.items()}


def _imputed(grid: pd.DataFrame) -> pd.Series | None:
    """Whether Insee imputed each cell, 0 or 1; None where the grid does not say."""
    if "imputed" not in grid.columns or grid["imputed"].isna().all():
        return None
    return grid["imputed"].astype("Float64")


def _communes(data: str | Path | None) -> gpd.GeoDataFrame | None:
    """Outlines of the communes in a folder; None without a folder, and where it has none."""
    if data is None:
        return None
    try:
        found = files.communes(Path(data), None)
    except MissingDataError:
        return None
    return found[found.geometry.notna()] if isinstance(found, gpd.GeoDataFrame) else None


def _around(around: Any, qpv: gpd.GeoDataFrame, grid: pd.DataFrame) -> Any:  # noqa: ANN401 - polygons, or None
    """Those of the units around in which QPV mostly lie."""
    if around is None:
        return None
    require_outlines(around, name="around", unique=True)
    lattice = checked_cells(grid)
    held = main_units(areas_of(qpv, lattice), areas_of(around, lattice), around.index)
    return around[around.index.isin([label for label in held if label is not None])]


def _refusal(faults: Mapping[str, QpvgeoError]) -> QpvgeoError:
    """One error for all questions that have no answer."""
    problems: list[str] = []
    for name, error in faults.items():
        problems += [Note("resilience.of_question", name=name, what=what) for what in error.problems or [error.message]]
    kind = UsageError if any(isinstance(error, UsageError) for error in faults.values()) else DataError
    return kind(Note("resilience.questions"), problems=problems, way_out=next(iter(faults.values())).way_out)
