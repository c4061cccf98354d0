"""A perimeter drawn by anyone, judged by the criteria of the decree: which pass, which fail, and by how much."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from qpvgeo.designation.agreement import SLIVER, snapped
from qpvgeo.designation.input_checks import require_cells, require_minimum
from qpvgeo.designation.nearest_change import Move, nearest_change
from qpvgeo.designation.verdict import Ground, Held, Verdict, ground_of, verdict
from qpvgeo.errors import DataError, judged
from qpvgeo.frames.provenance import is_fictional, provenance, stamp
from qpvgeo.frames.require import require_outlines
from qpvgeo.geometry.cell_cover import Cover, cover
from qpvgeo.geometry.insee_lattice import Cells, format_ids, locate
from qpvgeo.language import Note

__all__ = ["Judgement", "judge_perimeters"]

_NEEDED = ("unit", "threshold_eur", "income_eur", "eligible", "state", "population")
_VERDICT = (
    "passes", "population_low", "population", "population_high", "population_margin", "income_eur", "threshold_eur",
    "income_margin", "income_low", "income_high", "income_known_share", "unit", "reasons",
)  # fmt: skip
_CHANGES = ("change", "cell_id", "population")
_SQUARE_KM = 1_000_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts on perimeters.

    Attributes
    ----------
    verdicts
        A row per perimeter, on its index.
    changes
        A row per cell of the change that turns a verdict: `perimeter`, `change` (`"add"` the rest of the cell, `"leave
        out"` what the perimeter holds of it), `cell_id`, `population` (people gained or given up).
    """

    verdicts: pd.DataFrame
    changes: pd.DataFrame


@judged
def judge_perimeters(areas: gpd.GeoDataFrame, cells: pd.DataFrame, *, min_population: float = 1_000) -> Judgement:
    """Judge any perimeters by the criteria of the decree.

    Parameters
    ----------
    areas
        Polygons with a CRS, on unique labels.
    cells
        Frame of `qpvgeo.eligible_cells`, by medians or by the mean: rates of poverty give no income to compare.
    min_population
        Least people.

    Returns
    -------
    Judgement
        `verdicts` has, on the index of the areas:

        - `passes`: boolean, missing where it is not known: no cell under the area, or people whose income is not known
          (imputed cells set aside among them), unless the area fails whatever these are;
        - `population_low`, `population`, `population_high`: people of the cells wholly inside, spread by area, touched;
        - `population_margin`: people above (or, negative, short of) the minimum;
        - `income_eur`, `threshold_eur`, `income_margin`: mean of the incomes known weighted by people, threshold of the
          unit that most people are in, and income over threshold less 1 (below 0 is below the threshold);
        - `income_low`, `income_high`: the same mean with the people whose income is not known at the lowest and at the
          highest income known in the unit; `income_known_share`: share of the people whose income is known;
        - `unit`, `reasons`: list of notes, why it fails or cannot be judged;
        - `nearest_change`: note on the change that turns the verdict, or on why there is none.

        The density of the regime is asked too, where it has one.

    Raises
    ------
    DataError
        The cells are not those of `eligible_cells`, or hold no income; the areas are no outlines on unique labels.
    UsageError
        A minimum that is not a number of people, or areas that are not a layer.

    Notes
    -----
    The change is found step by step, each step the cell that brings the perimeter nearest to the other verdict, and is
    judged again before it is given. One cell is found whenever one is enough; of several, fewer might do. Cells are
    added beside the perimeter, in its unit; what is left may have holes. A cell that is covered all but for a hundredth
    is wholly inside, so that a zone along the lines of the lattice has its people in any projection.

    Examples
    --------
    >>> import pandas as pd, qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> towns = ["99001", "99002", "99003", "99004"]
    >>> units = pd.DataFrame({"unit": "99A", "population": 45_000, "median": 19_000}, index=towns)
    >>> cells = qg.eligible_cells(grid, units, national_median=21_730)
    >>> judged = judge_perimeters(qg.read_qpv(qg.sample().qpv_2024), cells)
    >>> judged.verdicts["passes"].dtype.name
    'boolean'
    """
    lattice = require_cells(cells, _NEEDED)
    require_outlines(areas, name="areas", unique=True)
    require_minimum(min_population)
    if cells["income_eur"].isna().all():
        raise DataError(Note("designation.no_income_to_judge"), way_out=Note("designation.no_income_to_judge_way_out"))
    about = provenance(cells)
    ground = ground_of(cells, lattice, float(min_population), about.get("min_density_km2"))
    rows: list[dict[str, object]] = []
    notes: list[Note] = []
    changes: list[pd.DataFrame] = []
    for label, held in zip(areas.index, _held(ground, cover(areas, lattice.lattice), len(areas)), strict=True):
        found = verdict(ground, held)
        moves, note = nearest_change(ground, held, found)
        rows.append(_row(ground, held, found))
        notes.append(note)
        changes.append(_listed(ground, held, moves).assign(perimeter=label))
    verdicts = pd.DataFrame(rows, index=areas.index, columns=_VERDICT)
    verdicts = verdicts.astype({"passes": "boolean", "threshold_eur": "Int64"})
    # a note in a column of texts would be a text
    verdicts["nearest_change"] = pd.Series(notes, index=areas.index, dtype="object")
    listed = pd.concat(changes, ignore_index=True) if changes else pd.DataFrame(columns=[*_CHANGES, "perimeter"])
    details = {key: about[key] for key in ("regime", "article", "proxy", "calibration", "set_aside") if key in about}
    for table in (verdicts, listed):
        stamp(
            table,
            about.get("files", []),
            **details,
            min_population=float(min_population),
            fictional=is_fictional(cells, areas),
            notes=list(about.get("notes", [])),
        )
    return Judgement(verdicts, listed[["perimeter", *_CHANGES]])


def _held(ground: Ground, covered: Cover, count: int) -> list[Held]:
    """What each area holds; a strip is a matter of drawing: a cell that cannot be judged is not held by one."""
    position = locate(Cells(ground.cells.lattice, covered.cells.north, covered.cells.east), ground.cells)
    kept = position >= 0
    kept[kept] = ground.known[position[kept]] | (covered.share[kept] >= SLIVER)
    owner, at, share = covered.area[kept], position[kept], snapped(covered.share[kept])
    ends = np.searchsorted(owner, np.arange(count + 1))
    return [
        Held(at[start:stop], share[start:stop], float(size) / _SQUARE_KM)
        for start, stop, size in zip(ends[:-1], ends[1:], covered.size_m2, strict=True)
    ]


def _row(ground: Ground, held: Held, found: Verdict) -> dict[str, object]:
    people = np.nan_to_num(ground.people[held.at])
    there = bool(len(held.at))
    known = not np.isnan(found.threshold)
    return {
        "passes": pd.NA if found.passes is None else found.passes,
        "population_low": float(people[held.share == 1].sum()) if there else np.nan,
        "population": found.people if there else np.nan,
        "population_high": max(float(people[held.share >= SLIVER].sum()), found.people) if there else np.nan,
        "population_margin": found.people - ground.least if there else np.nan,
        "income_eur": found.income,
        "income_low": found.low,
        "income_high": found.high,
        "income_known_share": found.known_share,
        "threshold_eur": int(found.threshold) if known else pd.NA,
        "income_margin": found.income / found.threshold - 1 if known else np.nan,
        "unit": ground.names[found.unit] if found.unit >= 0 else None,
        "reasons": list(found.reasons),
    }


def _listed(ground: Ground, held: Held, moves: list[Move]) -> pd.DataFrame:
    """Cells of a change, with the people that each gains or gives up."""
    at = np.array([row for _, row in moves], np.intp)
    share = dict(zip(held.at.tolist(), held.share.tolist(), strict=True))
    cells = Cells(ground.cells.lattice, ground.cells.north[at], ground.cells.east[at])
    parts = [1 - share.get(row, 0.0) if change == "add" else share[row] for change, row in moves]
    return pd.DataFrame(
        {
            "change": pd.Series([change for change, _ in moves], dtype="str"),
            "cell_id": format_ids(cells) if len(at) else pd.Series(dtype="str"),
            "population": np.array(parts, float) * np.nan_to_num(ground.people[at]),
        }
    )
