"""What `qpvgeo crosswalk` answers: what became of the QPV of 2015, and where those of 2024 come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from qpvgeo.cli.inputs import known_grids, read_points
from qpvgeo.cli.outputs import problems_of, write_table
from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.frames import provenance
from qpvgeo.geographies.classes import CLASSES, crosswalk_classes
from qpvgeo.geographies.crosswalk_table import crosswalk as cross
from qpvgeo.geographies.official_list import audit_correspondence
from qpvgeo.read.correspondence import read_correspondence
from qpvgeo.read.population import read_population
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import FICTIONAL
from qpvgeo.sources import recognise

__all__ = ["Request", "crosswalk"]

_VINTAGES = (2015, 2024)
_NAMED = 5
_SIDES = {"from": 2015, "to": 2024}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked on the command line."""

    data: Path | None
    weights: str | None = None
    tolerance: float = 1.0
    territory: str | None = None
    output: Path | None = None
    classes: Path | None = None
    grid: Path | None = None
    layer: str | None = None


def crosswalk(asked: Request) -> dict[str, Any]:
    """Answer of `qpvgeo crosswalk`: counts; the pairs and the classes go to files when some are named."""
    _require(asked)
    before, after = (_perimeters(vintage, asked) for vintage in _VINTAGES)
    walk = cross(before, after, _weights(asked, before), tolerance_m=asked.tolerance)
    classes = crosswalk_classes(walk)
    for table, path in ((walk, asked.output), (classes, asked.classes)):
        if path is not None:
            write_table(table, path)
    by_vintage = {str(year): _counts(classes, side) for side, year in _SIDES.items()}
    after_classes = classes[classes["side"] == "to"]
    letters = pd.crosstab(after_classes.index.str[-1].rename("letter"), after_classes["change"])
    about = provenance.provenance(walk)
    answer = {
        "pairs": int((walk["code_from"].notna() & walk["code_to"].notna()).sum()),
        "classes": {**by_vintage["2024"], "dropped": by_vintage["2015"]["dropped"]},
        "classes_by_vintage": by_vintage,
        "letters": {
            letter: {kind: int(row.get(kind, 0)) for kind in CLASSES[:-1]} for letter, row in letters.iterrows()
        },
        "uncovered": {str(year): _uncovered(walk, classes, side) for side, year in _SIDES.items()},
        "tolerance_m": asked.tolerance,
        "weights": about["weights"],
        "territory": asked.territory,
        "without_outline": about["without_outline"],
        "correspondence": _audited(walk, asked),
        "output": None if asked.output is None else str(asked.output),
        "classes_output": None if asked.classes is None else str(asked.classes),
        "sources": list({record["sha256"]: record for record in about["files"]}.values()),
        "notes": [
            *(note for frame in (before, after) for note in provenance.provenance(frame).get("notes", [])),
            *_cautions(about, classes, asked.tolerance),
        ],
    }
    return answer | ({"fictional": FICTIONAL} if about["fictional"] else {})


def _cautions(about: dict[str, Any], classes: pd.DataFrame, tolerance_m: float) -> list[str]:
    """What a reader of the counts must know: people who are not known, outlines that were simplified."""
    found = []
    blank = about["without_weight"]
    if blank:
        some = ", ".join(blank[:_NAMED]) + (", ..." if len(blank) > _NAMED else "")
        found.append(f"{len(blank)} QPV have no cell of the grids: their people are not known ({some})")
    kept = classes.index.str.endswith("I") & (classes["side"] == "to")
    if kept.sum() > 2 * (kept & (classes["change"] == "kept")).sum():
        found.append(
            f"most of the {kept.sum()} codes that end in I (kept) are not found kept at {tolerance_m:g} m: one of the "
            "files may hold simplified outlines (--tolerance 40)"
        )
    return found


def _require(asked: Request) -> None:
    problems = [*problems_of(asked.output), *problems_of(asked.classes, "--classes")]
    if asked.output is not None and asked.output == asked.classes:
        problems.append("--output and --classes are one file")
    if not 0 <= asked.tolerance < float("inf"):
        problems.append(f"--tolerance {asked.tolerance:g} is no distance in metres")
    if asked.territory is not None and asked.territory not in territories.territories():
        known = ", ".join(code for code, one in territories.territories().items() if one.has_qpv)
        problems.append(f"--territory {asked.territory} is none of {known}")
    if asked.weights not in (None, "grid", "population") and not Path(str(asked.weights)).is_file():
        problems.append(f"--weights {asked.weights} is neither `grid`, nor `population`, nor a file of points")
    if asked.weights != "grid" and (asked.grid is not None or asked.layer is not None):
        problems.append("--grid and --layer are for --weights grid")
    if problems:
        raise UsageError("The options do not fit together.", problems=problems)


def _perimeters(vintage: int, asked: Request) -> gpd.GeoDataFrame:
    qpv = read_qpv(recognise.find("perimeters", vintage, asked.data), vintage=vintage)
    if asked.territory is None:
        return qpv
    chosen = qpv[qpv["territory"] == asked.territory]
    if not len(chosen):
        raise DataError(
            f"No QPV of {vintage} at hand lies in the territory {asked.territory}.",
            way_out=f"Those at hand lie in: {', '.join(dict.fromkeys(qpv['territory'].astype(str)))}.",
        )
    return chosen


def _weights(asked: Request, before: gpd.GeoDataFrame) -> Any:  # noqa: ANN401 - one of the forms of crosswalk()
    """What is counted beside ground."""
    if asked.weights is None:
        return None
    if asked.weights == "population":
        people = read_population(recognise.find("population", _VINTAGES[0], asked.data)[0])["population"]
        return people.reindex(before.index)
    if asked.weights == "grid":
        return known_grids(before, asked.data, grid=asked.grid, layer=asked.layer)
    points = read_points(Path(asked.weights))
    if not points.geom_type.dropna().eq("Point").all():
        points = points.set_geometry(points.representative_point())
    return points


def _counts(classes: pd.DataFrame, side: str) -> dict[str, int]:
    found = classes.loc[classes["side"] == side, "change"].value_counts()
    gone = "new" if side == "from" else "dropped"
    return {kind: int(found.get(kind, 0)) for kind in CLASSES if kind != gone}


def _uncovered(walk: pd.DataFrame, classes: pd.DataFrame, side: str) -> dict[str, Any]:
    """What nothing on the other side covers: whole perimeters, ground, and whatever else is counted."""
    other = "to" if side == "from" else "from"
    own = walk[walk[f"code_{side}"].notna()]
    nowhere = own[own[f"code_{other}"].isna()]
    alone = classes[(classes["side"] == side) & classes["change"].isin(["new", "dropped"])]
    found: dict[str, Any] = {
        "perimeters": len(alone),
        "area_km2": float(nowhere["area_m2"].sum() / 1e6),
        "area_share": _ratio(nowhere["area_m2"], own["area_m2"]),
    }
    for name in ("population", "households", "points"):
        if name in walk.columns:
            found |= {name: _total(nowhere[name]), f"{name}_share": _ratio(nowhere[name], own[name])}
    return found


def _total(part: pd.Series) -> float | None:
    """Sum of what is known; None where nothing is."""
    return None if len(part) and part.isna().all() else float(part.sum())


def _ratio(part: pd.Series, whole: pd.Series) -> float | None:
    left, total = _total(part), _total(whole)
    return left / total if total and left is not None else None


def _audited(walk: pd.DataFrame, asked: Request) -> dict[str, int] | None:
    """How many disagreements of each kind the official list has with the ground; None when it is not at hand."""
    lists = [one.path for one in recognise.scan(asked.data) if one.kind == "correspondence"]
    if not lists:
        return None
    found = audit_correspondence(read_correspondence(lists[0]), walk)["problem"].value_counts()
    return {str(problem): int(count) for problem, count in found.items()}
