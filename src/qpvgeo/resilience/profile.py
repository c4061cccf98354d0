"""Exposures of a place side by side: read the territory before acting on it."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.errors import UsageError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.language import Note
from qpvgeo.resilience.cell_exposure import exposure

__all__ = ["resilience_profile"]

_COLUMNS = ("low", "estimate", "high", "unknown", "share", "share_low", "share_high")


@judged
def resilience_profile(
    qpv: gpd.GeoDataFrame,
    grid: pd.DataFrame,
    questions: Mapping[str, Mapping[str, Any]],
    *,
    around: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Ask several exposures of the QPV of a place, and give them side by side.

    Parameters
    ----------
    qpv
        QPV of the place, with their `name` if there is one.
    grid
        Frame of `qpvgeo.read_grid`.
    questions
        For each name ("flood", "heat", "far from a park"), the arguments of `qpvgeo.exposure`: `layer` and its options.
    around
        Polygons to compare with, such as the communes of the QPV.

    Returns
    -------
    pandas.DataFrame
        On `question` and the index of the QPV: `name`, `low`, `estimate`, `high`, `unknown` (people), `share`,
        `share_low`, `share_high`, and `around_share` (of the rest around; missing without `around`). The last question
        is `imputed`: the people whose cells Insee imputed, for whom figures on cells are the least sure; it is left out
        where the grid does not say.

    Raises
    ------
    UsageError
        No question, or one that is not a mapping with a layer.
    DataError
        As for `qpvgeo.exposure`.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, grid, floods = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019), gpd.read_file(sample.floods)
    >>> found = resilience_profile(qpv, grid, {"flood": {"layer": floods, "covered": "everywhere"}})
    >>> found.index.get_level_values("question").unique().tolist(), len(found)
    (['flood', 'imputed'], 32)
    """
    wrong = [name for name, asked in questions.items() if not isinstance(asked, Mapping) or "layer" not in asked]
    if not questions or wrong:
        raise UsageError(
            Note("resilience.questions"),
            problems=[Note("resilience.no_layer_in", name=str(name)) for name in wrong],
            way_out=Note("resilience.questions_way_out"),
        )
    parts = {}
    if "imputed" in grid.columns:
        flags = grid["imputed"].astype("boolean").astype("Float64")
        grid = grid.assign(imputed=flags)
        questions = {**questions, "imputed": {"layer": "imputed", "above": 1}}
    for name, asked in questions.items():
        options = {key: value for key, value in asked.items() if key != "layer"}
        found = exposure(qpv, asked["layer"], grid, around=around, **options)
        outside = provenance(found).get("outside") or {}
        rows = found[list(_COLUMNS)].copy()
        rows["around_share"] = pd.Series(outside.get("estimate"), index=rows.index, dtype="Float64")
        parts[str(name)] = rows
    for rows in parts.values():
        rows.insert(0, "name", qpv["name"] if "name" in qpv.columns else qpv.index.astype("str"))
    frame = pd.concat(parts, names=["question"])
    files = [*provenance(qpv).get("files", []), *provenance(grid).get("files", [])]
    return stamp(frame, files, fictional=is_fictional(qpv, grid), notes=[Note("resilience.people_of_cells")])
