"""Which names a map writes, in which order: the largest communes, the QPV of the place, then the other communes."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes

from qpvgeo.language import Note
from qpvgeo.maps import furniture
from qpvgeo.maps.composition import titles_of
from qpvgeo.maps.insets import Paint, dense_parts, enlarge, take_back
from qpvgeo.maps.keys import Key
from qpvgeo.maps.labels import Label, Labels
from qpvgeo.maps.palettes import LABEL
from qpvgeo.maps.places import Box, Place
from qpvgeo.maps.sheets import Sheet, sheet_of

__all__ = ["Named", "name_perimeters", "own_perimeters", "perimeters_named", "short_titles"]

_MOST_NAMED, _MOST_KEYED = 20, 180
"""QPV of a place up to which their names are on the map, and up to which numbers stand for them."""

_MOST_MAIN, _MOST_COMMUNES = 8, 80
_NUMBER_POINTS = 6.5
_ONE_COMMUNE = ("commune", "arrondissement", "qpv")
_BANDS, _SAID_POINTS = 12, 10.0
_LINK = re.compile(r"^(d['’]|(de|du|des) )", re.IGNORECASE)
_MAIN: dict[str, Any] = {"size": 7.5, "over": True, "color": "#3a3a3a", "fontweight": "bold"}
_OTHER: dict[str, Any] = {"size": 6, "within": True, "color": "#6b6b6b", "style": "italic"}


def own_perimeters(where: Place, qpv: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Perimeters of the place, metres, the largest first."""
    shapes = where.metres(qpv)[where.own(qpv)]
    return shapes.iloc[np.argsort(-shapely.area(shapes.to_numpy()), kind="stable")]


def short_titles(layer: gpd.GeoDataFrame, index: pd.Index) -> list[str]:
    """Names of some rows as a map writes them: without the words that more than half of them begin with.

    A name loses the longest beginning of two words or more that it shares, and a "de" or "du" after it; names that
    would be alike stay whole.

    Examples
    --------
    >>> names = [f"Quartier Prioritaire Du Village De {name}" for name in ("Sada", "Dapani", "Sohoa")]
    >>> layer = gpd.GeoDataFrame({"name": [*names, "Quartier Prioritaire D'Iloni", "Quartier De La Vigie"]})
    >>> short_titles(layer, layer.index)
    ['Sada', 'Dapani', 'Sohoa', 'Iloni', 'Quartier De La Vigie']
    """
    names = titles_of(layer, index)
    shared = Counter(start for name in names for start in _beginnings(name))
    short = []
    for name in names:
        common = [start for start in _beginnings(name) if shared[start] > max(len(names) / 2, 2)]
        rest = name.split()[max((start.count(" ") + 1 for start in common), default=0) :]
        short.append(_LINK.sub("", " ".join(rest)) if common else name)
    alike = Counter(one for one, _ in dict.fromkeys(zip(short, names, strict=True)))
    return [one if one and alike[one] == 1 else name for one, name in zip(short, names, strict=True)]


def _beginnings(name: str) -> list[str]:
    """Beginnings of a name of two words or more that leave a word of it."""
    words = name.casefold().split()
    return [" ".join(words[:count]) for count in range(2, len(words))]


@dataclass(frozen=True, slots=True)
class Named:
    """What a map writes at perimeters: a text of each, the largest first, and what its colour is."""

    texts: Sequence[str]
    shapes: gpd.GeoSeries
    colours: Sequence[str]

    def numbers(self, count: int) -> npt.NDArray[np.intp]:
        """Number of each of the largest from north to south, from 1."""
        order = np.empty(count, dtype=np.intp)
        if count:
            order[_reading_order(self.shapes.iloc[:count])] = np.arange(1, count + 1)
        return order


def perimeters_named(where: Place, qpv: gpd.GeoDataFrame) -> tuple[Named, gpd.GeoSeries]:
    """Names of the perimeters of a place, and the outlines of those around it."""
    shapes, every = own_perimeters(where, qpv), where.metres(qpv)
    named = Named(short_titles(qpv, shapes.index), shapes, [LABEL] * len(shapes))
    return named, every[~every.index.isin(shapes.index)]


def name_perimeters(
    ax: Axes,
    where: Place,
    named: Named,
    *,
    around: gpd.GeoSeries,
    communes: gpd.GeoDataFrame | None = None,
    entries: int = 0,
    size: float = 7,
    lang: str = "en",
    paint: Paint | None = None,
) -> None:
    """Write the names of the perimeters of a place, and those of its communes where they are given.

    Up to twenty have their names on the map, and a number with a key where there is no room; more have numbers and a
    key. Perimeters that stand too close in a small part of the map have their numbers in a part that is drawn again at
    a larger scale. Where the sheet has no room for a key of all, that of the largest stands there; how many have
    neither name nor number is said below the map, and which page has room for all.

    Parameters
    ----------
    ax, where, named
        Axes, place, and what is written.
    around
        Perimeters of neighbours, which no name may hide.
    communes
        Communes, of which the most populated are named first.
    entries
        Entries of the legend, on axes that were given.
    size
        Points of the names.
    lang
        Language.
    paint
        Draws the map, without names, on other axes; without it nothing is enlarged.
    """
    writing = _Writing(ax, where, named, around, communes, size)
    sheet, few = sheet_of(ax), len(named.texts) <= _MOST_NAMED
    key = None
    if len(named.texts) <= _MOST_KEYED:
        colour = named.colours[0] if len(named.colours) else LABEL
        key = Key(ax, colour=colour, below=entries, entries=[] if few else writing.in_key())
    if sheet is not None:
        sheet.key = key
        if key is not None and not few and not writing.fit(sheet, key):
            key.remove()
            sheet.key = key = None
    writing.write(key, numbered=not few and key is not None)
    if sheet is not None:
        sheet.crop()
        if key is not None and paint is not None and writing.enlarge(sheet, key, paint, lang):
            sheet.crop()
        writing.count_the_others(sheet, key, lang)


class _Writing:
    """Names of a map, written once or, where parts are enlarged, a second time."""

    def __init__(
        self,
        ax: Axes,
        where: Place,
        named: Named,
        around: gpd.GeoSeries,
        communes: gpd.GeoDataFrame | None,
        size: float,
    ) -> None:
        self.ax, self.where, self.named, self.around, self.size = ax, where, named, around, size
        self.numbers = named.numbers(len(named.texts))
        self.larger: list[str] = []
        self.communes = _communes_of(communes, where)
        # where nobody knows how many people live in them, none comes first
        self.main = _MOST_MAIN if communes is not None and "population" in communes else 0
        self.labels = Labels(ax)

    def in_key(self) -> list[tuple[str, str]]:
        """Number and text of each perimeter, in order."""
        order = np.argsort(self.numbers)
        return [(str(self.numbers[row]), self.named.texts[row].replace("\n", ", ")) for row in order]

    def fit(self, sheet: Sheet, key: Key) -> bool:
        """Keep as many of the largest in the key as the sheet has room for; False where that is fewer than some."""
        if sheet.fits():
            return True
        self.larger = [name for name, (wide, tall) in furniture.PAGES.items() if sheet.fits((72 * wide, 72 * tall))]
        sheet.kept = _SAID_POINTS
        held, beyond = 0, len(self.numbers)
        while beyond - held > 1:
            count = (held + beyond) // 2
            self.numbers = self.named.numbers(count)
            key.show(self.in_key())
            held, beyond = (count, beyond) if sheet.fits() else (held, count)
        self.numbers = self.named.numbers(held if held > _MOST_NAMED else len(self.named.texts))
        key.show(self.in_key())
        return held > _MOST_NAMED and sheet.fits()

    def write(self, key: Key | None, *, numbered: bool) -> None:
        """Write all names, or numbers, on the map."""
        rows = np.arange(len(self.named.texts))
        self.labels.add(self.communes[: self.main], **_MAIN)
        if numbered:
            self._numbers(self.labels, rows[: len(self.numbers)])
            self.labels.avoid(Label("", shape) for shape in self.named.shapes.iloc[len(self.numbers) :])
        else:
            kept = rows if len(rows) <= _MOST_NAMED else rows[:_MOST_NAMED]
            given = [Label(self.named.texts[row], self.named.shapes.iloc[row]) for row in kept]
            self.labels.add(given, size=self.size, colours=self.named.colours[: len(kept)], key=key)
            self.labels.avoid(Label("", shape) for shape in self.named.shapes.iloc[len(kept) :])
        self.labels.avoid(Label("", shape) for shape in self.around)
        self.labels.add(self.communes[self.main : _MOST_COMMUNES], **_OTHER)

    def _numbers(self, labels: Labels, rows: npt.NDArray[np.intp]) -> None:
        """Numbers at their perimeters, in the order of the key."""
        ordered = rows[np.argsort(self.numbers[rows])]
        given = [Label(str(self.numbers[row]), self.named.shapes.iloc[row]) for row in ordered]
        colours = [self.named.colours[row] for row in ordered]
        labels.add(given, size=_NUMBER_POINTS, numbers=True, colours=colours, fontweight="bold")

    def count_the_others(self, sheet: Sheet, key: Key | None, lang: str) -> None:
        """Say below the map how many perimeters have neither a name nor a number."""
        total = len(self.named.texts)
        missing = self.labels.missing + total - (len(self.numbers) if key is not None else min(total, _MOST_NAMED))
        if missing:
            sheet.kept = 0.0
            said = [Note("maps.unnamed", count=missing, total=total)]
            if self.larger:
                said.append(Note("maps.names_all", page=self.larger[0]))
            furniture.add_to_source(self.ax, " ".join(one.say(lang) for one in said))
            sheet.crop()

    def enlarge(self, sheet: Sheet, key: Key, paint: Paint, lang: str) -> bool:
        """Draw dense parts again beside the map, and write numbers in place of all names; False where there is none."""
        west, _, east, _ = self.where.frame
        if sheet.made is None or len(self.named.texts) < 2 or len(self.numbers) < len(self.named.texts):
            return False
        without = {id(label.shape) for label in self.labels.crowded}
        crowded = np.array([id(shape) in without for shape in self.named.shapes], dtype=bool)
        parts = dense_parts(self.named.shapes, crowded, self.where.frame, (east - west) / sheet.made.wide)
        if not parts:
            return False
        entries = key.entries
        inner = []
        for row, box in enumerate(parts):
            mark = "AB"[row] if len(parts) > 1 else ""
            inner.append(enlarge(sheet, self.where, box, paint, lang=lang, name=self._largest(box), mark=mark))
        key.show(self.in_key())
        if not sheet.fits():
            take_back(sheet)
            key.show(entries)
            return False
        self.labels.clear()
        rows, middles = np.arange(len(self.numbers)), shapely.point_on_surface(self.named.shapes.to_numpy())
        held = [np.asarray(shapely.covers(shapely.box(*box), middles)) for box in parts]
        outside = ~np.any(held, axis=0)
        self.labels.add([one for one in self.communes[: self.main] if not self._within(one, parts)], **_MAIN)
        self._numbers(self.labels, rows[outside])
        self.labels.avoid(Label("", shape) for shape in [*self.named.shapes[~outside], *self.around])
        self.labels.add(self.communes[self.main : _MOST_COMMUNES], **_OTHER)
        for ax, box, own in zip(inner, parts, held, strict=True):
            labels = Labels(ax)
            labels.add([one for one in self.communes[: self.main] if self._within(one, [box])], **_MAIN)
            self._numbers(labels, rows[own])
            labels.avoid(Label("", shape) for shape in [*self.named.shapes[~own], *self.around])
            labels.add(self.communes[self.main : _MOST_COMMUNES], **_OTHER)
        return True

    @staticmethod
    def _within(commune: Label, boxes: Sequence[Box]) -> bool:
        """Whether the middle of a commune lies in one of some boxes."""
        middle = shapely.point_on_surface(commune.shape)
        return any(shapely.covers(shapely.box(*box), middle) for box in boxes)

    def _largest(self, box: Box) -> str:
        """Name of the most populated commune of which a box holds the middle; empty where there is none."""
        names = [one.text for one in self.communes if self._within(one, [box])] if self.main else []
        return names[0] if names else ""


def _reading_order(shapes: gpd.GeoSeries) -> npt.NDArray[np.intp]:
    """Rows from north to south in bands, each from west to east."""
    x, y = shapely.get_coordinates(shapely.point_on_surface(shapes.to_numpy())).T
    band = np.floor((y.max() - y) / max(np.ptp(y) / _BANDS, 1.0))
    return np.asarray(np.lexsort([x, band]))


def _communes_of(communes: gpd.GeoDataFrame | None, where: Place) -> list[Label]:
    """Names of the communes of a place, the most populated first; none where it is one commune."""
    if communes is None or where.level in _ONE_COMMUNE:
        return []
    shapes = where.metres(communes)
    clipped = gpd.GeoSeries(shapely.clip_by_rect(shapes.to_numpy(), *where.frame), index=shapes.index)
    own = clipped.index.isin(where.communes) if where.communes else np.ones(len(clipped), dtype=bool)
    clipped = clipped[own & ~clipped.is_empty]
    if len(clipped) < 2:
        return []
    people = pd.Series(0.0, index=clipped.index)
    if "population" in communes:
        people = communes["population"].reindex(clipped.index).astype("Float64").fillna(0.0).astype(float)
    order = np.lexsort([-shapely.area(clipped.to_numpy()), -people.to_numpy()])
    names = titles_of(communes, clipped.index)
    return [Label(names[row], clipped.iloc[row]) for row in order]
