"""`qpvgeo crosswalk`: what became of the QPV of 2015, and where those of 2024 come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, place_option, release_option, shared
from qpvgeo.cli.outputs import TABLES, Target, input_problems, problems_of, with_output
from qpvgeo.cli.parser import file_option, option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import DataError, UsageError
from qpvgeo.language import Note, number, pointed, share

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["crosswalk"]

_VINTAGES = (2015, 2024)
_SIDES = {"from": 2015, "to": 2024}
_COUNTED = {"population": "people", "households": "households", "points": "points"}


@option("--weights", metavar="grid|population|FILE", help="cli.crosswalk_weights")
@option("--tolerance", metavar="METRES|auto", default="1", help="cli.crosswalk_tolerance")
@option("--territory", metavar="CODE", help="cli.crosswalk_territory")
@place_option
@release_option
@with_output
@file_option("--classes", metavar="OUT", help="cli.crosswalk_classes")
@grid_option
@with_reading
@shared
def crosswalk(
    *,
    weights: str | None,
    tolerance: str,
    territory: str | None,
    place: str | None,
    output: Target,
    classes: Path | None,
    grid: Path | None,
    reading: Reading,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """What became of the QPV of 2015, and where those of 2024 come from."""
    from qpvgeo.at_hand.places import of_rows
    from qpvgeo.cli import answers
    from qpvgeo.geographies.crosswalk_table import crosswalk as cross
    from qpvgeo.geographies.outcomes import crosswalk_classes

    where = folder(data, sample=sample)
    problems = _problems(weights, tolerance, territory)
    read = [grid, Path(weights) if weights else None]
    problems += [*output.problems(read, where), *problems_of(classes, "--classes", TABLES[:4])]
    problems += input_problems(classes, read, where)
    if output.path is not None and output.path == classes:
        problems.append(Note("cli.one_file", one="--output", other="--classes"))
    if weights != "grid" and grid is not None:
        problems.append(Note("cli.grid_of_weights"))
    if problems:
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)
    before, after = (_perimeters(vintage, where, territory, reading) for vintage in _VINTAGES)
    counted = _weights(weights, before, where, grid, reading)
    reading.require_used(where, grid)
    codes = None if place is None else _codes(place, (before, after), where)
    walk = cross(before, after, counted, tolerance_m=_metres(tolerance))
    changes = crosswalk_classes(walk)
    correspondence = None
    if codes is None:
        correspondence = _audited(walk, changes, where)
    else:
        own = tuple(of_rows(layer, layer.index.isin(codes)) for layer in (before, after))
        walk, changes = _within(walk, codes, (before, after), own), changes[changes.index.isin(codes)]
        before, after = own
    output.write(walk)
    if classes is not None:
        output.write(changes, classes)
    answer = _answer(walk, changes) | {
        "territory": territory,
        "place": place,
        "correspondence": correspondence,
        "output": output.name,
        "classes_output": None if classes is None else str(classes),
        "notes": [*walk.attrs["qpvgeo"]["notes"], *answers.notes(before, after), *_cautions(walk)],
    }
    answers.show(answer | answers.fictional(walk), _table, as_json=json)


def _answer(walk: pd.DataFrame, changes: pd.DataFrame) -> dict[str, Any]:
    """Counts of the pairs and of the classes."""
    import pandas as pd

    from qpvgeo.cli import answers
    from qpvgeo.geographies.outcomes import CLASSES

    about = walk.attrs["qpvgeo"]
    by_vintage = {str(year): _counts(changes, side) for side, year in _SIDES.items()}
    later = changes[changes["side"] == "to"]
    letters = pd.crosstab(later.index.str[-1].rename("letter"), later["change"])
    return {
        "pairs": int((walk["code_from"].notna() & walk["code_to"].notna()).sum()),
        "classes": {**by_vintage["2024"], "dropped": by_vintage["2015"]["dropped"]},
        "classes_by_vintage": by_vintage,
        "letters": {
            letter: {kind: int(row.get(kind, 0)) for kind in CLASSES[:-1]} for letter, row in letters.iterrows()
        },
        "uncovered": {str(year): _uncovered(walk, changes, side) for side, year in _SIDES.items()},
        "tolerance_m": about["tolerance_m"],
        "shift": about["shift"],
        "weights": about["weights"],
        "without_outline": about["without_outline"],
        "sources": answers.sources(walk),
    }


def _cautions(walk: pd.DataFrame) -> list[str]:
    """People who are not known."""
    blank = walk.attrs["qpvgeo"]["without_weight"]
    return [Note("cli.without_cells", count=len(blank), codes=list(blank))] if blank else []


def _metres(tolerance: str) -> Any:  # noqa: ANN401 - a number, or the word that crosswalk() takes
    """Tolerance as `crosswalk` takes it; NaN for what is neither a number nor `auto`."""
    if tolerance == "auto":
        return tolerance
    try:
        return float(pointed(tolerance))
    except ValueError:
        return float("nan")


def _problems(weights: str | None, tolerance: str, territory: str | None) -> list[str]:
    """Options whose value cannot be."""
    from qpvgeo.codes import territories

    problems: list[str] = []
    metres = _metres(tolerance)
    if metres != "auto" and not 0 <= metres < float("inf"):
        problems.append(Note("cli.not_a_distance", option="--tolerance", given=tolerance))
    if territory is not None and territory not in territories.territories():
        known = [code for code, one in territories.territories().items() if one.has_qpv]
        problems.append(Note("cli.no_territory", given=territory, known=", ".join(known)))
    if weights not in (None, "grid", "population") and not Path(str(weights)).is_file():
        problems.append(Note("cli.no_weights", given=weights))
    return problems


def _perimeters(vintage: int, data: Path | None, territory: str | None, reading: Reading) -> gpd.GeoDataFrame:
    from qpvgeo.cli import inputs

    qpv = inputs.required_perimeters(vintage, data, reading)
    if territory is None:
        return qpv
    chosen = qpv[qpv["territory"] == territory]
    if not len(chosen):
        held = list(dict.fromkeys(qpv["territory"].astype(str)))
        raise DataError(
            Note("cli.no_qpv_in_territory", vintage=vintage, territory=territory),
            way_out=Note("cli.territories_available", territories=", ".join(held)),
        )
    return chosen


def _codes(place: str, layers: tuple[gpd.GeoDataFrame, ...], data: Path | None) -> set[str]:
    """QPV of a place, or the one whose code is given, of both geographies."""
    from qpvgeo.at_hand.places import area_of, qpv_in

    code = place.strip().upper()
    if any(code in layer.index for layer in layers):
        return {code}
    area = area_of(place, data, layers[1])
    codes = {str(code) for layer in layers for code in qpv_in(layer, area, data).index}
    if not codes:
        raise DataError(
            Note("cli.no_qpv_in_place", vintage=" / ".join(map(str, _VINTAGES)), place=area.label),
            way_out=Note("cli.codes_of_places"),
        )
    return codes


def _within(
    walk: pd.DataFrame, codes: set[str], whole: tuple[gpd.GeoDataFrame, ...], own: tuple[gpd.GeoDataFrame, ...]
) -> pd.DataFrame:
    """Pairs of the QPV of a place, also with those that lie elsewhere, and what concerns them of the provenance."""
    from qpvgeo.at_hand.places import note_of_rows
    from qpvgeo.cli import answers

    kept = walk[walk["code_from"].isin(codes) | walk["code_to"].isin(codes)]
    about = walk.attrs["qpvgeo"]
    away = {code for layer in whole for code in layer.index} - codes
    of_layers = {file["sha256"] for file in answers.sources(*whole)}
    told: dict[str, Any] = {
        "files": [*answers.sources(*own), *(file for file in about["files"] if file["sha256"] not in of_layers)],
        # areas of that note are those of the whole layers
        "notes": [
            said
            for note in about["notes"]
            if note.key != "geographies.within_tolerance" and (said := note_of_rows(note, away))
        ],
    }
    told |= {name: [code for code in about[name] if code in codes] for name in ("without_outline", "without_weight")}
    kept.attrs["qpvgeo"] = about | told
    return kept


def _weights(
    weights: str | None, before: gpd.GeoDataFrame, data: Path | None, grid: Path | None, reading: Reading
) -> Any:  # noqa: ANN401 - one of the forms of crosswalk()
    """What is counted beside area."""
    from qpvgeo.cli import inputs
    from qpvgeo.read.population import read_population
    from qpvgeo.sources import recognise

    if weights is None:
        return None
    if weights == "population":
        people = read_population(recognise.find("population", _VINTAGES[0], data)[0], columns=reading.rest())[
            "population"
        ]
        return people.reindex(before.index)
    if weights == "grid":
        return inputs.known_grids(before, data, grid=grid, layer=reading.rest_of_layers(), columns=reading.rest())
    points = inputs.read_points(Path(weights), reading=reading)
    if not points.geom_type.dropna().eq("Point").all():
        points = points.set_geometry(points.representative_point())
    return points


def _counts(changes: pd.DataFrame, side: str) -> dict[str, int]:
    from qpvgeo.geographies.outcomes import CLASSES

    found = changes.loc[changes["side"] == side, "change"].value_counts()
    gone = "new" if side == "from" else "dropped"
    return {kind: int(found.get(kind, 0)) for kind in CLASSES if kind != gone}


def _uncovered(walk: pd.DataFrame, changes: pd.DataFrame, side: str) -> dict[str, Any]:
    """What nothing on the other side covers: whole perimeters, area, and whatever else is counted."""
    other = "to" if side == "from" else "from"
    own = walk[walk[f"code_{side}"].isin(changes.index[changes["side"] == side])]
    nowhere = own[own[f"code_{other}"].isna()]
    alone = changes[(changes["side"] == side) & changes["change"].isin(["new", "dropped"])]
    found: dict[str, Any] = {
        "perimeters": len(alone),
        "area_km2": float(nowhere["area_m2"].sum() / 1e6),
        "area_share": _ratio(nowhere["area_m2"], own["area_m2"]),
    }
    for name in _COUNTED:
        if name in walk.columns:
            found |= {name: _total(nowhere[name]), f"{name}_share": _ratio(nowhere[name], own[name])}
    return found


def _total(part: pd.Series) -> float | None:
    """Sum of what is known; None where nothing is."""
    return None if len(part) and part.isna().all() else float(part.sum())


def _ratio(part: pd.Series, whole: pd.Series) -> float | None:
    left, total = _total(part), _total(whole)
    return left / total if total and left is not None else None


def _audited(walk: pd.DataFrame, changes: pd.DataFrame, data: Path | None) -> dict[str, int] | None:
    """Disagreements of each kind between the official list and the outlines; None without the list."""
    from qpvgeo.geographies.official_ancestors import audit_correspondence
    from qpvgeo.read.correspondence import read_correspondence
    from qpvgeo.sources import recognise

    lists = [one.path for one in recognise.of_kind("correspondence", data)]
    if not lists:
        return None
    found = audit_correspondence(read_correspondence(lists[0]), walk, classes=changes)["problem"].value_counts()
    return {str(problem): int(count) for problem, count in found.items()}


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """Classes of the QPV of both geographies, then what is uncovered, then where the official list disagrees."""
    lang, word, by_vintage = screen.lang, screen.word, answer["classes_by_vintage"]
    columns = [Column("What became of it", "name"), *(Column(f"QPV {year}") for year in by_vintage)]
    rows = [
        (word(kind), *(number(counts.get(kind), lang) for counts in by_vintage.values()))
        for kind in dict.fromkeys(kind for counts in by_vintage.values() for kind in counts)
    ]
    screen.table(columns, rows, title=Note("cli.crosswalk_title", count=answer["pairs"]))
    screen.line()
    for year, left in answer["uncovered"].items():
        other = next(one for one in answer["uncovered"] if one != year)
        screen.line(Note("cli.crosswalk_uncovered", year=year, other=other, left=_left(left, screen)))
    screen.line(Note("cli.tolerance", width=answer["tolerance_m"]), style="dim")
    _disagreements(answer["correspondence"], screen)
    for path in (answer["output"], answer["classes_output"]):
        screen.written(path)
    if answer["without_outline"]:
        screen.line(f"{word('Without an outline:')} {', '.join(answer['without_outline'])}", style="yellow")
    screen.notes(answer["notes"])


def _left(left: dict[str, Any], screen: Screen) -> str:
    """Area, people and homes that the other geography does not cover."""
    lang = screen.lang
    words = [f"{number(left['area_km2'], lang, 2)} km² ({share(left['area_share'], lang)})"]
    words += [
        f"{number(left[name], lang)} {screen.word(term)} ({share(left[f'{name}_share'], lang)})"
        for name, term in _COUNTED.items()
        if left.get(name) is not None
    ]
    return ", ".join(words)


def _disagreements(found: dict[str, int] | None, screen: Screen) -> None:
    """Where the official list and the outlines disagree; nothing without the list."""
    if found is None:
        return
    screen.line(f"{screen.word('Disagreements with the official list:')} {number(sum(found.values()), screen.lang)}")
    for problem, count in found.items():
        screen.line(f"{number(count, screen.lang)} {screen.word(problem)}", indent=2)
