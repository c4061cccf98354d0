"""Layers of the page: departments, communes, cells, perimeters and points, each with its codes, names and figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.errors import UsageError
from qpvgeo.frames import provenance
from qpvgeo.geometry import insee_lattice
from qpvgeo.geometry.projection import reproject, territory_of
from qpvgeo.language import Note
from qpvgeo.language.terms import term
from qpvgeo.maps.classification import Classes, classed
from qpvgeo.maps.composition import called
from qpvgeo.maps.grid_maps import values_of
from qpvgeo.maps.interactive import coding
from qpvgeo.maps.interactive.shown_figures import ShownFigure, figures_of
from qpvgeo.maps.layers import drawn
from qpvgeo.maps.palettes import BANDS, CASING, MISSING, PERIMETER, TAGS
from qpvgeo.maps.places import Place
from qpvgeo.tagging.coordinates import coordinates_of
from qpvgeo.tagging.points_in_qpv import tag_points

__all__ = ["PageLayer", "cell_layer", "land_layers", "perimeter_layers", "point_layer", "territory_boxes"]

_EARLIER = "#a84300"
_COARSE, _FINE = 0.01, 0.0002
_FEW = 500
"""Communes up to which each is drawn finely: about 20 m; beyond, a tenth of that detail."""

_MOST_CELLS, _MOST_POINTS = 60_000, 100_000
_WGS84 = 4326

Shapes = npt.NDArray[np.object_]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PageLayer:
    """A layer of the page.

    Attributes
    ----------
    id
        `departments`, `communes`, `grid`, `qpv-2024`, `qpv-2015`, `points`, ...
    label
        What it is called.
    shapes
        Outlines or points, degrees.
    codes, names, places
        Code and name of each, and the names of the communes it lies in; empty where there are none.
    style
        Colours and lines: `line`, `fill`, `opacity`, `width`, `dash`.
    figures
        Figures of each shape.
    classes
        Label and colour of each class, with the class of each shape, for layers in classes.
    faded
        Rows that lie outside the place; empty where none do.
    """

    id: str
    label: str
    shapes: Shapes
    codes: list[str]
    names: list[str]
    style: dict[str, Any]
    places: list[str] = field(default_factory=list)
    figures: list[ShownFigure] = field(default_factory=list)
    classes: list[tuple[str, str]] = field(default_factory=list)
    of: list[int] = field(default_factory=list)
    faded: list[int] = field(default_factory=list)
    kind: str = "areas"

    def record(self, streams: coding.Streams) -> dict[str, Any]:
        """Header of the layer; its shapes go into the streams."""
        found = {
            "id": self.id,
            "kind": self.kind,
            "label": self.label,
            "style": self.style,
            "codes": self.codes,
            "names": self.names,
            "places": self.places,
            "figures": [one.record for one in self.figures],
            "classes": [{"label": label, "colour": colour} for label, colour in self.classes],
            "of": self.of,
            "faded": self.faded,
            "count": len(self.shapes),
        }
        found["anchors"] = streams.add(coding.points(self.shapes))
        if self.kind != "points":
            rings, vertices = coding.outlines(self.shapes)
            found |= {"rings": streams.add(rings), "vertices": streams.add(vertices)}
        return found


def _degrees(layer: gpd.GeoDataFrame, rows: Booleans | None = None) -> tuple[Shapes, Booleans]:
    """Outlines of a layer in degrees, and which rows of it they are."""
    kept = drawn(layer) if rows is None else drawn(layer) & rows
    return reproject(layer.geometry.to_numpy()[kept], layer.crs, _WGS84), kept


def _texts(column: pd.Series | None, kept: Booleans, default: Sequence[str]) -> list[str]:
    """Texts of a column; what is missing is the default."""
    if column is None:
        return list(default)
    chosen = column[kept]
    return [given if pd.isna(one) else str(one) for one, given in zip(chosen, default, strict=True)]


def perimeter_layers(
    layers: Sequence[gpd.GeoDataFrame],
    figures: Sequence[pd.DataFrame],
    where: Place | None,
    lang: str,
    *,
    over_cells: bool = False,
) -> list[PageLayer]:
    """Perimeters, the earlier geography first: the later one lies above it; over cells they are lines alone."""
    found: list[PageLayer] = []
    for layer in layers:
        vintage = provenance.provenance(layer).get("vintage")
        rows = None if where is None else np.asarray(layer.index.isin(where.metres(layer).index))
        shapes, kept = _degrees(layer, rows)
        codes = [str(code) for code in layer.index[kept]]
        name = term(called(layer), lang)
        first = vintage is not None and vintage == min(_vintages(layers), default=None) and len(_vintages(layers)) > 1
        found.append(
            PageLayer(
                id=f"qpv-{vintage}" if vintage else f"perimeters-{len(found)}",
                label=f"{name} {vintage}" if vintage else name,
                shapes=shapes,
                codes=codes,
                names=_texts(layer.get("name"), kept, codes),
                places=_communes_of(layer, kept),
                style=_perimeter_style(earlier=first, over_cells=over_cells),
                figures=figures_of(figures, layer.index[kept], lang),
                faded=[] if where is None else _outside(where.metres(layer).index[where.own(layer)], layer.index[kept]),
            )
        )
    return sorted(found, key=lambda one: one.id)


def _outside(own: pd.Index, shown: pd.Index) -> list[int]:
    """Rows shown that do not belong to the place."""
    return [int(row) for row in np.flatnonzero(~shown.isin(own))]


def _perimeter_style(*, earlier: bool, over_cells: bool) -> dict[str, Any]:
    line = _EARLIER if earlier else PERIMETER
    style: dict[str, Any] = {"line": line, "fill": line, "opacity": 0.12 if earlier else 0.28, "width": 1.6}
    if over_cells:
        style |= {"opacity": 0.0, "width": 2.2, "casing": CASING}
    return style | ({"dash": "5 4"} if earlier else {})


def _vintages(layers: Sequence[gpd.GeoDataFrame]) -> set[int]:
    return {year for layer in layers if (year := provenance.provenance(layer).get("vintage")) is not None}


def _communes_of(layer: gpd.GeoDataFrame, kept: Booleans) -> list[str]:
    """Names of the communes of each perimeter, as its file gives them."""
    for column in ("lib_com", "commune_qp"):
        if column in layer:
            return _texts(layer[column], kept, [""] * int(kept.sum()))
    return []


def land_layers(
    communes: gpd.GeoDataFrame | None,
    perimeters: Sequence[PageLayer],
    figures: Sequence[pd.DataFrame],
    where: Place | None,
    lang: str,
) -> list[PageLayer]:
    """Communes of a place and around it; of the country, its departments, and the communes that have a QPV."""
    if communes is None:
        return []
    if where is not None:
        shapes, kept = _degrees(communes, np.asarray(communes.index.isin(where.metres(communes).index)))
        layer = _communes(communes, shapes, kept, figures, lang, term("communes", lang))
        outside = _outside(pd.Index(where.communes), communes.index[kept]) if where.communes else []
        return [replace(layer, faded=outside)]
    shapes, kept = _degrees(communes)
    if len(shapes) <= _FEW:
        return [_communes(communes, shapes, kept, figures, lang, term("communes", lang))]
    found = [_departments(communes, shapes, kept, lang)] if "department" in communes else []
    areas = np.concatenate([one.shapes for one in perimeters]) if perimeters else np.zeros(0, dtype=object)
    met = np.unique(shapely.STRtree(shapes).query(areas, predicate="intersects")[1])
    rows = np.zeros(len(kept), dtype=bool)
    rows[np.flatnonzero(kept)[met]] = True
    label = Note("maps.page_communes_with_qpv").say(lang)
    return [*found, _communes(communes, shapes[met], rows, figures, lang, label)]


def _communes(
    communes: gpd.GeoDataFrame, shapes: Shapes, kept: Booleans, figures: Sequence[pd.DataFrame], lang: str, label: str
) -> PageLayer:
    codes = [str(code) for code in communes.index[kept]]
    own = [communes[["population"]]] if "population" in communes and communes["population"].notna().any() else []
    return PageLayer(
        id="communes",
        label=label,
        shapes=_coarser(shapes, _FINE if len(shapes) <= _FEW else 10 * _FINE),
        codes=codes,
        names=_texts(communes.get("name"), kept, codes),
        style={"line": "#6f6f6f", "fill": "#ffffff", "opacity": 0.9, "width": 0.8},
        figures=figures_of([*own, *_without_population(figures, own)], communes.index[kept], lang),
    )


def _without_population(figures: Sequence[pd.DataFrame], own: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Figures without people of communes that the communes themselves give."""
    return [frame.drop(columns="population", errors="ignore") if own else frame for frame in figures]


def _coarser(shapes: Shapes, tolerance: float) -> Shapes:
    """Outlines with less detail, those of neighbours still the same line."""
    return np.asarray(shapely.coverage_simplify(shapes, tolerance))


def _departments(communes: gpd.GeoDataFrame, shapes: Shapes, kept: Booleans, lang: str) -> PageLayer:
    held = communes["department"][kept]
    thin = _coarser(shapes, _COARSE)
    groups = held.reset_index(drop=True).groupby(held.to_numpy()).indices
    joined = np.array([shapely.union_all(thin[rows]) for rows in groups.values()], dtype=object)
    names = {row["code"]: row["name"] for row in facts.rows("departments")}
    return PageLayer(
        id="departments",
        label=term("departments", lang),
        shapes=_coarser(joined, _COARSE / 2),
        codes=[str(code) for code in groups],
        names=[names.get(str(code), str(code)) for code in groups],
        style={"line": "#8a8a8a", "fill": "#ffffff", "opacity": 1.0, "width": 0.9},
    )


def cell_layer(grid: pd.DataFrame, column: str, where: Place | None, lang: str) -> PageLayer:
    """Cells of the grid in the classes of a column, within a place.

    Raises
    ------
    UsageError
        There is no such column, or there are too many cells for a page.
    """
    values, (called_, kind) = values_of(grid, column, lang)
    words = term(called_, lang)
    cells = insee_lattice.cells_of(grid)
    squares = insee_lattice.squares(cells).astype(float)
    shapes = reproject(shapely.box(*squares.T), cells.lattice.epsg, _WGS84)
    kept = np.ones(len(shapes), dtype=bool)
    if where is not None:
        corners = reproject(np.array([shapely.box(*where.frame)], dtype=object), where.epsg, _WGS84)
        kept = np.asarray(shapely.intersects(shapes, corners[0]))
    if kept.sum() > _MOST_CELLS:
        raise UsageError(
            Note("maps.page_too_many_cells", count=int(kept.sum()), most=_MOST_CELLS), way_out=Note("maps.page_place")
        )
    chosen = values[kept]
    cut: Classes = classed(chosen.to_numpy(dtype=float, na_value=np.nan), kind=kind, lang=lang)
    classes = [*zip(cut.labels, cut.colours, strict=True), (term("not known", lang), MISSING)]
    side = grid.attrs.get("resolution_m", 200)
    named = grid.loc[kept, [name for name in ("population", "households") if name in grid]]
    shown = figures_of([grid], named.index, lang)
    if column != "population":
        numbers = figures_of([pd.DataFrame({column: chosen}, index=named.index)], named.index, lang)
        shown += [ShownFigure(words, kind, one.values, shown[0].source if shown else "") for one in numbers]
    return PageLayer(
        id="grid",
        label=f"{words[:1].upper()}{words[1:]}, {term('cells of', lang)} {side}\u00a0m",
        shapes=shapes[kept],
        codes=[str(code) for code in named.index],
        names=[],
        style={"line": "#ffffff", "fill": "#ffffff", "opacity": 0.85, "width": 0.4},
        figures=shown,
        classes=classes,
        of=[len(classes) - 1 if one < 0 else int(one) for one in cut.of],
        kind="cells",
    )


def point_layer(
    points: Any,  # noqa: ANN401 - whatever `tag_points` takes
    perimeters: gpd.GeoDataFrame,
    where: Place | None,
    lang: str,
    tags: pd.DataFrame | None = None,
) -> PageLayer:
    """Points by their state: in a QPV, out of all, unknown; those without a place are left out.

    Raises
    ------
    UsageError
        There are too many points for a page.
    """
    found = coordinates_of(points, xy=None, crs=None)
    said = tag_points(points, perimeters) if tags is None else tags
    x, y = np.asarray(found.x, dtype=float), np.asarray(found.y, dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    shapes = np.full(len(x), None, dtype=object)
    shapes[known] = reproject(shapely.points(x[known], y[known]), found.crs, _WGS84)
    if where is not None:
        corners = reproject(np.array([shapely.box(*where.frame)], dtype=object), where.epsg, _WGS84)
        known &= np.asarray(shapely.intersects(shapes, corners[0]))
    else:
        known &= np.asarray(territory_of(shapes, _WGS84) != np.array(None))
    if known.sum() > _MOST_POINTS:
        raise UsageError(
            Note("maps.page_too_many_points", count=int(known.sum()), most=_MOST_POINTS),
            way_out=Note("maps.page_place"),
        )
    states = ["in", "out", "unknown"]
    words = {"in": "in a QPV", "out": "out", "unknown": "unknown"}
    state = said["state"].astype("str").to_numpy()[known]
    colours = {"in": TAGS["in"], "out": BANDS[0], "unknown": TAGS["unknown"]}
    return PageLayer(
        id="points",
        label=term("addresses", lang),
        shapes=shapes[known],
        codes=[],
        names=_addresses(points, known),
        style={"line": "#ffffff", "fill": TAGS["in"], "opacity": 1.0, "width": 1.0},
        classes=[(term(words[one], lang), colours[one]) for one in states],
        of=[states.index(one) for one in state],
        kind="points",
    )


def _addresses(points: Any, known: Booleans) -> list[str]:  # noqa: ANN401
    """What a table of addresses calls its rows; empty where it does not."""
    if not isinstance(points, pd.DataFrame):
        return []
    for columns in (("numero", "nom_voie"), ("address",), ("name",), ("label",)):
        if set(columns) <= set(points.columns):
            parts = [points.loc[known, name].astype("object") for name in columns]
            return [" ".join(str(one) for one in row if pd.notna(one)) for row in zip(*parts, strict=True)]
    return []


def territory_boxes(layers: Sequence[PageLayer]) -> list[tuple[str, list[float]]]:
    """Name and box, degrees, of each territory in which the layers have perimeters."""
    shapes = np.concatenate([one.shapes for one in layers]) if layers else np.zeros(0, dtype=object)
    place = territory_of(shapes, _WGS84)
    found = []
    for code in dict.fromkeys(one for one in place if one is not None):
        box = shapely.total_bounds(shapes[place == code])
        found.append((territories.get(str(code)).name, [round(side, 5) for side in box.tolist()]))
    return found
