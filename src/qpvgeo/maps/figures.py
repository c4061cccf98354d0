"""A figure of each unit, and how it is drawn: classes for rates, circles for counts, printed values for a few units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes

from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.facts import figures as published
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps import furniture
from qpvgeo.maps.circles import LEGEND_LENGTH, diameters, draw_circles, size_handles
from qpvgeo.maps.classification import FEWEST, Classes, Kind, classed, written
from qpvgeo.maps.furniture import draw
from qpvgeo.maps.labels import Label
from qpvgeo.maps.options import near_words
from qpvgeo.maps.palettes import MISSING, NONE, PERIMETER

__all__ = ["Figure", "class_handles", "figure_of", "near_columns", "words_of"]

Mode = Literal["classes", "circles", "values"]

_MANY = 2_000
_CIRCLE_FILL, _VALUE_FILL = "#c9a6c6", "#dfe9ee"

_FIGURES: dict[str, tuple[str, Kind]] = {
    "share": ("share of people in QPV", "share"),
    "area_share": ("share of ground in QPV", "share"),
    "estimated_share": ("share estimated by area", "share"),
    "qpv_population": ("people in QPV", "number"),
    "population": ("people", "number"),
    "n_qpv": ("number of QPV", "number"),
    "n_with_population": ("number of QPV whose people are known", "number"),
    "households": ("households", "number"),
    "poor_households": ("poor households", "number"),
    "living_standard_sum_eur": ("sum of living standards (euros a year)", "number"),
    "qpv_area_km2": ("ground in QPV (km²)", "decimal"),
}

_COUNTS = set(_FIGURES) - {"share", "area_share", "estimated_share"}
"""Columns that count something: circles say how much, colours would say how large the unit is."""

_OF_PEOPLE = ("share", "qpv_population")
_ESTIMATED = 0.1
"""Part of the people of a unit that is shared out by area from which the map marks it."""

_UNKNOWN: dict[str, Any] = {"facecolor": MISSING, "hatch": "////", "edgecolor": "#8c8c8c", "linewidth": 0.4}
_BY_AREA: dict[str, Any] = {"facecolor": "none", "hatch": "....", "edgecolor": "#4d4d4d", "linewidth": 0.0}
_EDGE: dict[str, Any] = {"edgecolor": "#8c8c8c", "linewidth": 0.4}


@dataclass(frozen=True, slots=True)
class Figure:
    """Numbers of a column by unit, and how they are drawn.

    Attributes
    ----------
    values
        Number of each unit that has an outline; missing where it is not known, or where the frame has no such unit.
    named
        Which of these units the frame has: the others have no QPV.
    estimated
        Which of them rest on people shared out by area for a tenth or more.
    words, kind
        What the column is called, and how its numbers are written.
    mode
        `classes`, `circles` or `values`.
    cut
        Classes of the values; None in the other modes.
    national
        Value of the hexagone by the published figures; None where there is none for this column.
    """

    values: pd.Series
    named: npt.NDArray[np.bool_]
    estimated: npt.NDArray[np.bool_]
    words: str
    kind: Kind
    mode: Mode
    cut: Classes | None
    national: float | None
    lang: str

    @property
    def most(self) -> float:
        """Greatest number."""
        return float(self.values.max()) or 1.0

    def paint(self, ax: Axes, shapes: gpd.GeoSeries, **style: Any) -> None:  # noqa: ANN401 - of a collection
        """Draw units, outlines in the units of the axes."""
        rows = self.values.index.get_indexer(shapes.index)
        known = self.values.notna().to_numpy()[rows]
        named = self.named[rows]
        if self.cut is not None:
            colours = np.array([*self.cut.colours, NONE], dtype=object)[self.cut.of[rows]]
        else:
            fill = _VALUE_FILL if self.mode == "values" else "#ffffff"
            colours = np.full(len(rows), fill, dtype=object)
        colours = np.where(known, colours, np.where(named, MISSING, NONE))
        # boundaries of many units would hide them
        width = 0.3 * min(1.0, (_MANY / max(len(shapes), 1)) ** 0.5)
        edge = "#ffffff" if self.mode == "classes" else "#9a9a9a"
        line: dict[str, Any] = {"edgecolor": edge, "linewidth": width} | style
        outlines = shapes.to_numpy()
        draw(ax, outlines, facecolor=colours.tolist(), **line, zorder=2)
        few = len(shapes) <= _MANY
        for chosen, marks in ((named & ~known, _UNKNOWN), (self.estimated[rows] & known, _BY_AREA)):
            if chosen.any() and not (self.mode == "circles" and marks is _BY_AREA):
                width = marks["linewidth"] if few else 0.0
                draw(ax, outlines[chosen], **marks | {"facecolor": "none", "linewidth": width}, zorder=2.5)
        if self.mode == "circles":
            self._circles(ax, shapes, rows, known)

    def _circles(
        self, ax: Axes, shapes: gpd.GeoSeries, rows: npt.NDArray[np.intp], known: npt.NDArray[np.bool_]
    ) -> None:
        """Circles of the numbers, the largest first; a broken line where they are estimated."""
        numbers = self.values.to_numpy(dtype=float, na_value=np.nan)[rows]
        order = np.argsort(-np.where(known, numbers, -1.0), kind="stable")
        order = order[(known & (numbers > 0))[order]]
        if not len(order):
            return
        middles = shapely.get_coordinates(shapely.point_on_surface(shapes.to_numpy()[order]))
        dashed = (self.estimated[rows])[order]
        styles = np.where(dashed, "--", "-").tolist()
        draw_circles(
            ax,
            middles,
            diameters(numbers[order], self.most),
            facecolor=_CIRCLE_FILL,
            edgecolor=PERIMETER,
            linewidth=0.7,
            linestyle=styles,
            alpha=0.85,
            zorder=5,
        )

    def handles(self, index: pd.Index | None = None) -> list[Any]:
        """Legend handles; of the units of an index alone, or of all."""
        rows = np.arange(len(self.values)) if index is None else self.values.index.get_indexer(index)
        known = self.values.notna().to_numpy()[rows]
        if self.cut is not None:
            found = class_handles(self.cut)
            if self.national is not None:
                below = len(self.cut.colours) - self.cut.class_of(self.national)
                found.insert(below, furniture.mark(self._national()))
        elif self.mode == "circles":
            digits = 0 if self.kind == "number" else 1
            found = size_handles(self.most, self.lang, fill=_CIRCLE_FILL, digits=digits)
        else:
            words = term("value printed on the unit", self.lang)
            found = furniture.patches([(words, {"facecolor": _VALUE_FILL, **_EDGE})])
            found += [furniture.mark(self._national())] if self.national is not None else []
        entries = []
        if (self.estimated[rows] & known).any():
            words = Note("maps.estimated_by_area", least=_ESTIMATED).say(self.lang)
            dashed = {"color": PERIMETER, "linewidth": 0.9, "linestyle": "--"}
            found.append(furniture.line(words, **dashed)) if self.mode == "circles" else entries.append(
                (words, _BY_AREA | {"linewidth": 0.4})
            )
        if (self.named[rows] & ~known).any():
            entries.append((term("not known", self.lang), _UNKNOWN))
        if (~self.named[rows]).any():
            entries.append((term("no QPV", self.lang), {"facecolor": NONE, **_EDGE}))
        return found + furniture.patches(entries)

    def _national(self) -> str:
        name = territories.get("hexagone").name
        return Note("maps.national_value", name=name, value=written(self.national or 0.0, self.kind, self.lang)).say(
            self.lang
        )

    @property
    def legend_style(self) -> dict[str, float]:
        """Spacing and length that the handles need."""
        return {"spacing": 1.1, "length": LEGEND_LENGTH} if self.mode == "circles" else {}

    def labels(self, shapes: gpd.GeoSeries, names: Sequence[str]) -> list[Label]:
        """Names and values to print on units; the greatest value first; none in classes."""
        if self.mode == "classes":
            return []
        numbers = self.values.reindex(shapes.index)
        order = numbers.reset_index(drop=True).sort_values(ascending=False, kind="stable").dropna().index
        few = self.mode == "values"
        found = []
        for row in order:
            value = written(float(numbers.iloc[row]), self.kind, self.lang)
            if few:
                found.append(Label(f"{names[row]}\n{value}", shapes.iloc[row]))
            else:
                middle = shapely.point_on_surface(shapes.iloc[row])
                radius = float(diameters([numbers.iloc[row]], self.most)[0]) / 2
                found.append(Label(names[row], middle, max(radius, 0.5)))
        return found


def figure_of(
    coverage: pd.DataFrame,
    column: str,
    index: pd.Index,
    lang: str,
    *,
    shown: pd.Index | None = None,
    scheme: str | None = None,
    classes: int | None = None,
) -> Figure:
    """Numbers of a column by unit, and how they are drawn.

    Parameters
    ----------
    coverage, column
        As for `qpvgeo.maps.choropleth`.
    index
        Units that have an outline.
    lang
        Language of the words.
    shown
        Units that the classes are made of; all of them by default.
    scheme, classes
        How numbers are cut, and in how many classes; None for what suits the column.

    Raises
    ------
    UsageError
        The frame has no such column of numbers: names those near.
    DataError
        None of the units has an outline, or none a number.
    """
    values = _numbers(coverage, column, index)
    if shown is not None:
        values = values.reindex(shown)
    words, kind = words_of(column, values, lang)
    known = int(values.notna().sum())
    mode: Mode = "classes"
    if scheme is None and classes is None:
        mode = "circles" if column in _COUNTS else "values" if known < FEWEST else "classes"
    cut = None
    count = 5 if classes is None else classes
    if mode == "classes":
        if classes is None:
            count = min(count, max(known // 2, 1))
        cut = classed(values.to_numpy(), scheme=scheme or "round", count=count, kind=kind, lang=lang)
    named = np.asarray(values.index.isin(coverage.index))
    estimated = np.zeros(len(values), dtype=bool)
    if column in _OF_PEOPLE and "estimated_share" in coverage:
        shares = coverage["estimated_share"][coverage.index.notna()].reindex(values.index)
        estimated = shares.ge(_ESTIMATED).fillna(False).to_numpy(dtype=bool)
    national = _national(coverage) if column == "share" else None
    return Figure(values, named, estimated, words, kind, mode, cut, national, lang)


def _national(coverage: pd.DataFrame) -> float | None:
    """Share of the people of the hexagone that live in QPV, as published for the geography of a frame."""
    about = provenance.provenance(coverage)
    vintage = about.get("vintage")
    if about.get("fictional") or vintage is None:
        return None
    years = published.qpv_populations(vintage)
    year = about.get("reference_year") if about.get("reference_year") in years else max(years, default=None)
    if year is None or "hexagone" not in years[year]:
        return None
    try:
        census = published.census_populations(year)
    except UsageError:
        return None
    own = [row["code"] for row in facts.rows("departments") if territories.of_department(row["code"]) == "hexagone"]
    return years[year]["hexagone"][1] / sum(census[code][0] for code in own if code in census)


def _numbers(coverage: pd.DataFrame, column: str, index: pd.Index) -> pd.Series:
    """Numbers of a column by unit that has an outline; missing for those that the frame does not have."""
    if not isinstance(coverage, pd.DataFrame):
        raise UsageError(
            Note("frames.not_a_frame", what="coverage", kind=type(coverage).__name__),
            way_out=Note("maps.make_coverage"),
        )
    numbers = [str(name) for name in coverage.columns if pd.api.types.is_numeric_dtype(coverage[name])]
    if column not in numbers:
        raise UsageError(
            Note("maps.no_column", column=repr(column)),
            problems=near_columns(column, numbers),
            way_out=Note("maps.name_a_column"),
        )
    values = coverage[column][coverage.index.notna()]
    if not len(values):
        raise DataError(Note("maps.no_rows"), way_out=Note("maps.make_coverage"))
    repeated = values.index[values.index.duplicated()].unique()
    if len(repeated):
        raise DataError(
            Note("maps.repeated_units"), problems=map(str, repeated), way_out=Note("maps.keep_one_row_each")
        )
    if (values.index.get_indexer(index) < 0).all():
        first = str(index[0]) if len(index) else ""
        key = "maps.codes_start_with" if len(index) else "maps.no_outlines_of_level"
        raise DataError(
            Note("maps.no_unit_has_an_outline"),
            problems=[Note(key, unit=str(values.index[0]), outline=first)],
            way_out=Note("maps.give_outlines_of_level"),
        )
    found = values.astype("Float64").reindex(index)
    if not found.notna().any():
        raise _nothing_known(coverage, column)
    return found


def _nothing_known(coverage: pd.DataFrame, column: str) -> DataError:
    """Error for a column without a number, with the reasons that the frame gives."""
    reasons: list[str] = []
    if "note" in coverage:
        reasons = [note for note in dict.fromkeys(coverage["note"].dropna()) if note][:3]
    ways = {
        "share": "maps.give_population",
        "qpv_population": "maps.give_people",
        "area_share": "maps.give_units",
        "population": "maps.give_units",
    }
    way_out = Note(ways.get(column, "maps.name_a_column"))
    return DataError(Note("maps.nothing_known", column=repr(column)), problems=reasons, way_out=way_out)


def near_columns(asked: str, names: Sequence[str]) -> list[str]:
    """What an error says of the columns there are: those near the one asked for, or all of them."""
    return [Note("maps.there_is", name=repr(name)) for name in near_words(asked, names)]


def class_handles(cut: Classes) -> list[Any]:
    """Legend handles of classes, the highest first."""
    return furniture.patches(
        (label, {"facecolor": colour, **_EDGE})
        for label, colour in zip(cut.labels[::-1], cut.colours[::-1], strict=True)
    )


def words_of(column: str, values: pd.Series, lang: str) -> tuple[str, Kind]:
    """What a column is called in a language, and how its numbers are written; one without words keeps its name."""
    known = values.dropna()
    kind: Kind = "number" if (known == known.round()).all() else "decimal"
    words, kind = _FIGURES.get(column, (f"{term('column', lang)} {column}", kind))
    return term(words, lang), kind
