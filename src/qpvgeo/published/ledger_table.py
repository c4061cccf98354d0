"""The ledger: published figures held against computed ones, with a verdict and a reason.

A verdict is `exact`, `within rounding`, `explained`, `differs` or `needs DATA`. The tolerance is half of the step that
the published value was rounded to, never more. A difference is `explained` only by a change to the question (another
census, scope, release or definition) under which the published value is computed; a text alone explains nothing.
"""

import operator
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from qpvgeo.errors import QpvgeoError, UsageError, judged
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.published import ground_measures, people_measures, size_measures  # noqa: F401 - they fill the table of measures
from qpvgeo.published.figure_inputs import Material
from qpvgeo.published.figures import UNITS, Figure, figures_of
from qpvgeo.published.measure_registry import MEASURES, Asked
from qpvgeo.published.scopes import scope_of

__all__ = ["LEDGER_COLUMNS", "VERDICTS", "ledger", "missing_files", "settled"]

VERDICTS = ("exact", "within rounding", "explained", "differs", "needs DATA")

LEDGER_COLUMNS = (
    "statement",
    "measure",
    "territory",
    "vintage",
    "year",
    "published",
    "computed",
    "unit",
    "difference",
    "tolerance",
    "verdict",
    "reason",
    "source",
    "source_url",
)

_COMPARED = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}

_EPS = 1e-9
_PLACES = ("codes.unknown_place", "codes.several_places", "published.place_not_computed")
"""Errors on a place that other files may know: its figure waits, the others are computed."""
_CENSUSES = (2013, 2018, 2019, 2020)
_YEARS = {2015: (2013, 2018), 2024: (2020,)}
_SCOPES = ("hexagone", "hexagone + 5 DOM", "France")
_RELEASES = ("2025", "2026")


@judged
def ledger(
    figures: pd.DataFrame | None = None,
    *,
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
) -> pd.DataFrame:
    """Hold published figures against what is computed from the files available, and say of each what comes out.

    Parameters
    ----------
    figures
        Table of figures, that of the library by default (`qpvgeo.published.published_figures`). Columns `value` (as
        printed, best as text) and `measure` (see `qpvgeo.published.measures`) are needed; then, as far as they matter,
        `id`, `statement`, `unit`, `rounding` (step, in the unit), `relation` (`=`, `>`, `at least`, ...), `arguments`
        (`q=0.9; by=department`), `territory`, `vintage`, `release`, `year`, `explained_by` (`year=2013 | base=2019`),
        `source`, `source_url`.
    data
        A folder of published files, or several, the first that has a file deciding; None for the usual places. Without
        any file, what the facts hold is computed, and the rest `needs DATA`.

    Returns
    -------
    pandas.DataFrame
        Indexed by `id`, in the order of the figures: `statement`, `measure`, `territory`, `vintage`, `year`,
        `published` (as printed), `computed` (in the unit of the publication; missing without data), `unit`,
        `difference` (computed less published), `tolerance` (half of the rounding), `verdict` (one of `VERDICTS`),
        `reason` (a note: what explains, what is missing; empty for what agrees), `source`, `source_url`.
        `attrs["qpvgeo"]` holds the files read.

    Raises
    ------
    DataError
        The table of figures cannot be read: lists its rows.
    UsageError
        A figure names a measure or an argument that does not exist: lists them all. A place that the files do not know
        `needs DATA`.

    Notes
    -----
    Whole numbers in a column of decimals have lost their last digit ("8.0" or "8"): they are taken as "8", and the
    reason says so. Give text, or `rounding`.

    Examples
    --------
    >>> import pandas as pd
    >>> mine = pd.DataFrame(
    ...     {"value": ["8.1", "1362"], "unit": ["percent", "QPV"], "measure": ["share", "n_qpv"], "vintage": 2024,
    ...      "year": 2020, "territory": "hexagone"}
    ... )
    >>> ledger(mine)[["published", "computed", "verdict"]].round(2)
       published  computed          verdict
    id
    1        8.1      8.13  within rounding
    2       1362    1362.0            exact
    """
    asked = figures_of(figures)
    unknown = [
        Note("published.no_measure", id=figure.id, measure=figure.measure)
        for figure in asked
        if figure.measure not in MEASURES
    ]
    if unknown:
        raise UsageError(
            Note("published.bad_measures"),
            problems=unknown,
            way_out=Note("published.measures_known", measures=", ".join(sorted(MEASURES))),
        )
    material = Material(data)
    held = {figure.id: figure for figure in asked}
    problems: list[str] = []
    rows = []
    for figure in asked:
        try:
            rows.append(_row(figure, material, held))
        except UsageError as error:
            problems += [
                Note("published.bad_row", row=figure.id, why=line) for line in (error.message, *error.problems)
            ]
    if problems:
        raise UsageError(Note("published.bad_places"), problems=problems, way_out=Note("published.places_way_out"))
    frame = pd.DataFrame(rows, columns=["id", *LEDGER_COLUMNS]).set_index("id")
    frame["reason"] = pd.Series([row["reason"] for row in rows], index=frame.index, dtype="object")
    whole = {"vintage": "Int64", "year": "Int64"}
    frame = frame.astype(whole | dict.fromkeys(["computed", "difference", "tolerance"], "Float64"))
    records = list(material.used.values())
    return provenance.stamp(frame, records, notes=[])


def settled(frame: pd.DataFrame) -> dict[str, int]:
    """Number of figures of each verdict, all verdicts named.

    Examples
    --------
    >>> import pandas as pd
    >>> settled(pd.DataFrame({"verdict": ["exact", "differs", "exact"]}))
    {'exact': 2, 'within rounding': 0, 'explained': 0, 'differs': 1, 'needs DATA': 0}
    """
    counts = frame["verdict"].value_counts()
    return {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS}


def _row(figure: Figure, material: Material, held: dict[str, Figure]) -> dict[str, Any]:
    """Row of a figure.

    Raises
    ------
    UsageError
        Its place or an argument does not exist.
    """
    computed: float | None = None
    try:
        computed = _computed(figure, material)
        verdict, reason = _verdict(figure, computed, material, held)
    except UsageError as error:
        if error.key not in _PLACES:
            raise
        verdict, reason = "needs DATA", Note("published.place_not_known", why=error.message)
    except QpvgeoError as error:
        verdict, reason = "needs DATA", error.message
    if figure.digits_lost and verdict in ("exact", "within rounding") and not reason:
        reason = Note("published.digits_lost", value=figure.text)
    worth = UNITS.get(figure.unit.casefold(), 1.0)
    return {
        "id": figure.id,
        "statement": figure.statement or MEASURES[figure.measure].title(),
        "measure": figure.measure,
        "territory": figure.territory,
        "vintage": figure.vintage,
        "year": figure.year,
        "published": figure.text if figure.relation == "=" else f"{figure.relation} {figure.text}",
        "computed": None if computed is None else computed / worth,
        "unit": figure.unit,
        "difference": None if computed is None else (computed - figure.value) / worth,
        "tolerance": figure.step / 2 / worth,
        "verdict": verdict,
        "reason": reason,
        "source": figure.source,
        "source_url": figure.source_url,
    }


def _computed(figure: Figure, material: Material) -> float:
    return MEASURES[figure.measure].compute(Asked(figure, scope_of(figure.territory, material), material))


def _agrees(figure: Figure, computed: float) -> str | None:
    """`exact` or `within rounding` where a computed value is the published one; None where it is not."""
    if figure.relation != "=":
        return "exact" if _COMPARED[figure.relation](computed, figure.value) else None
    gap, scale = abs(computed - figure.value), max(abs(figure.value), 1.0)
    if gap <= _EPS * scale:
        return "exact"
    return "within rounding" if gap <= figure.step / 2 * (1 + _EPS) else None


def _verdict(figure: Figure, computed: float, material: Material, held: dict[str, Figure]) -> tuple[str, str]:
    verdict = _agrees(figure, computed)
    if verdict:
        return verdict, ""
    for change in dict.fromkeys([*figure.explained_by, *_usual(figure)]):
        reason = _explained(figure, change, computed, material, held)
        if reason:
            return "explained", reason
    return "differs", _closest(figure, material)


def _usual(figure: Figure) -> Iterator[str]:
    """Changes that are tried on every figure: another release, scope, census of the people or of those below."""
    if figure.relation != "=":
        return
    if figure.measure in ("n_qpv", "n_multi_commune") and not figure.argument("on"):
        yield from (f"release={one}" for one in _RELEASES if one != figure.release)
    national = figure.territory if figure.territory in _SCOPES else ""
    if national:
        yield from (f"territory={one}" for one in _SCOPES if one != national)
    if figure.measure == "share" and not figure.argument("of"):
        yield from (f"base={one}" for one in _CENSUSES if one != figure.year)
    if figure.year:
        yield from (f"year={one}" for one in _YEARS.get(figure.vintage or 0, ()) if one != figure.year)


def _explained(figure: Figure, change: str, computed: float, material: Material, held: dict[str, Figure]) -> str:
    """Note that explains a difference by a change under which the published value is computed, or nothing."""
    if change == "truncated":
        step = figure.step or 1.0
        cut = 0 <= computed - figure.value < step and figure.relation == "="
        return Note("published.truncated", computed=_shown(figure, computed)) if cut else ""
    if change.startswith("total="):
        return _by_total(change.removeprefix("total="), material, held)
    if change.startswith("together="):
        return _together(change.removeprefix("together="), material, held)
    try:
        other = figure.changed(change)
        found = _computed(other, material)
    except (QpvgeoError, ValueError):
        return ""
    if not _agrees(other, found):
        return ""
    name, _, value = change.partition("=") if "&" not in change else (change, "", "")
    key = name.strip() if name.strip() in ("year", "base", "release", "territory", "vintage") else "argument"
    return Note(
        f"published.explained_{key}",
        change=change,
        value=value.strip(),
        found=_shown(figure, found),
        computed=_shown(figure, computed),
    )


def _together(text: str, material: Material, held: dict[str, Figure]) -> str:
    """Categories that the publication draws elsewhere than we do, and that agree once they are put together."""
    parts = [one.strip() for one in text.split("+")]
    if not set(parts) <= set(held):
        return ""
    try:
        ours = [_computed(held[one], material) for one in parts]
    except QpvgeoError:
        return ""
    if sum(ours) != sum(held[one].value for one in parts):
        return ""
    return Note(
        "published.agree_together",
        printed=" + ".join(held[one].text for one in parts),
        ours=" + ".join(f"{value:g}" for value in ours),
        total=f"{sum(ours):g}",
    )


def _by_total(text: str, material: Material, held: dict[str, Figure]) -> str:
    """Parts of one publication that are wrong in opposite ways: printed and computed, they add up to one total."""
    whole, _, listed = text.partition(":")
    parts = [one.strip() for one in listed.split("+")]
    if not {whole.strip(), *parts} <= set(held):
        return ""
    total = held[whole.strip()]
    try:
        ours = [_computed(held[one], material) for one in parts]
    except QpvgeoError:
        return ""
    printed = [held[one].value for one in parts]
    if not (sum(printed) == sum(ours) == total.value):
        return ""
    return Note(
        "published.contradicts_itself",
        printed=" + ".join(held[one].text for one in parts),
        ours=" + ".join(f"{value:g}" for value in ours),
        total=total.text,
    )


def _closest(figure: Figure, material: Material) -> str:
    """What the stated changes would give, where none of them gives the published value."""
    tried = []
    for change in figure.explained_by:
        if change == "truncated" or change.startswith(("total=", "together=")):
            continue
        try:
            found = _computed(figure.changed(change), material)
        except (QpvgeoError, ValueError):
            continue
        tried.append(Note("published.tried", change=change, found=_shown(figure, found)))
    return Note("published.not_explained_by", tried=tried) if tried else Note("published.not_explained")


def _shown(figure: Figure, value: float) -> Note:
    """A computed value in the unit of the publication, with a digit more than it has."""
    if figure.unit.casefold() in ("percent", "%"):
        return Note("published.value_percent", value=value)
    worth = UNITS.get(figure.unit.casefold(), 1.0)
    whole = figure.step / worth >= 1 and value / worth == round(value / worth)
    decimals = 0 if whole else 2 if figure.step / worth >= 0.1 else 3
    return Note(f"published.value_{decimals}", value=value / worth)


def missing_files(frame: pd.DataFrame) -> list[str]:
    """What the figures that need data miss, each once: notes, the most wanted first."""
    wanted = frame.loc[frame["verdict"] == "needs DATA", "reason"]
    counted = wanted.map(str).value_counts()
    by_text = {str(reason): reason for reason in wanted}
    return [by_text[text] for text in counted.index]
