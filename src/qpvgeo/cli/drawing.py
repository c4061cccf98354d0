"""Maps that `qpvgeo map` draws: what each kind needs, read and handed to its function."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from qpvgeo import maps, settings
from qpvgeo.at_hand import files
from qpvgeo.cli import answers, inputs
from qpvgeo.cli.outputs import input_problems, problems_of
from qpvgeo.cli.reading import Reading
from qpvgeo.cli.streams import said_in_the_answer
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.formats import vector_layers
from qpvgeo.formats.table_stream import open_table
from qpvgeo.frames import provenance
from qpvgeo.language import Note
from qpvgeo.maps.choropleths import LEVELS
from qpvgeo.maps.composition import not_shown
from qpvgeo.population.estimation import estimate_population
from qpvgeo.samples import sample as embedded
from qpvgeo.sources import recognise

__all__ = ["draw"]

Options = Any
"""Options of `qpvgeo map` by name, and `data`, the folder of the files."""

_PICTURES = (".png", ".svg", ".pdf")
_PAGES = (".html", ".htm")
_FORMS = {"png": (".png",), "svg": (".svg",), "pdf": (".pdf",), "html": _PAGES}
"""Endings of the file that each option of one form names."""


def draw(asked: Options) -> dict[str, Any]:
    """Answer of `qpvgeo map`: the files written, and what the map is made of."""
    _require(asked)
    pictures, pages = _files(asked, _PICTURES), _files(asked, _PAGES)
    parts = [_picture(asked, pictures)] if pictures else []
    parts += [_page(asked, pages)] if pages else []
    drawing, title = parts[0]
    answer = {
        "kind": asked.kind,
        "place": None if drawing.place is None else drawing.place.label or None,
        "title": title,
        "outputs": [str(path) for path in (*pictures, *pages)],
        "notes": [*answers.releases(*drawing.frames), *drawing.notes(settings.current_language())],
        "sources": drawing.sources(),
    }
    return answer | answers.fictional(*drawing.frames)


def _picture(asked: Options, files: list[Path]) -> tuple["_Drawing", str]:
    """Map drawn and written to the files of pictures, and its title."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    # the source line and the notes say it
    with mpl.rc_context({"backend": "agg"}), said_in_the_answer("tagging.without_outline"):
        drawing = _KINDS[asked.kind](asked)
        asked.reading.require_used(asked.points, asked.grid)
        try:
            if asked.basemap and drawing.place is not None:
                maps.basemap(drawing.ax, drawing.place)
            for path in files:
                maps.save(drawing.ax, path)
            title = drawing.ax.get_label()
        finally:
            plt.close(drawing.ax.figure)
    return drawing, str(title)


def _page(asked: Options, files: list[Path]) -> tuple["_Drawing", str]:
    """Interactive page written to its files, and its title."""
    layers = [_qpv(asked), *_other_geography(asked)]
    communes = _communes(asked)
    named = asked.place is not None or asked.box is not None
    place = _place(asked, layers, communes) if named else None
    # codes tell geographies apart: each table gives the figures of its own
    tables = [inputs.people(year, asked.data, None, asked.reading) for year in (2015, 2024)]
    figures = [table for table in tables if table is not None]
    more: dict[str, Any] = {}
    if asked.kind in ("grid", "estimates"):
        more = {"grid": _cells(asked, place or maps.find_place(None, layers, communes))}
        more |= {"column": asked.column} if asked.column else {}
    if asked.kind == "estimates":
        near = layers[0] if place is None else layers[0].loc[place.metres(layers[0]).index]
        figures.append(estimate_population(near, more["grid"]))
    if asked.kind == "tags":
        more = {"points": _points(asked.points or embedded().addresses, asked.reading)}
    if asked.kind == "choropleth":
        figures.append(inputs.covered(_year(asked), asked.data, by="commune", reading=asked.reading).frame)
    options = {name: value for name, value in _options(asked, place).items() if name != "page"}
    made = maps.page(layers, communes, figures=figures, **more, **options)
    for path in files:
        made.save(path)
    return _Drawing(None, place, _known(*layers, communes, *figures, more.get("grid"), more.get("points"))), made.title


def _other_geography(asked: Options) -> list[gpd.GeoDataFrame]:
    """Perimeters of the other geography, where they are available."""
    other = {2024: 2015, 2015: 2024}[_year(asked)]
    try:
        found = inputs.perimeters(other, asked.data)
    except MissingDataError:
        return []
    return [] if found is None else [found]


@dataclass(frozen=True, slots=True)
class _Drawing:
    ax: Any
    place: maps.Place | None
    frames: list[pd.DataFrame]

    def sources(self) -> list[dict[str, Any]]:
        """Records of the files that the map shows something of."""
        found = answers.sources(*self.frames)
        shown = None if self.place is None else self.place.regions(self.frames)
        if shown is None:
            return found
        return [one for one in found if one.get("regions") is None or shown & set(one["regions"])]

    def notes(self, lang: str) -> list[str]:
        """What belongs on the map and is not there."""
        if self.place is not None:
            return [note.say(lang) for note in not_shown(self.place.bare, self.frames)]
        outlines = (frame for frame in self.frames if isinstance(frame, gpd.GeoDataFrame) and "vintage" in frame)
        bare = [str(code) for one in outlines for code in one.index[one.geometry.isna()]]
        return [note.say(lang) for note in not_shown(bare, self.frames)]


def _named(asked: Options) -> list[tuple[str, Path, tuple[str, ...]]]:
    """Files to write: the option that names each, and the endings that it may have."""
    of_one_form = [(f"--{form}", getattr(asked, form), endings) for form, endings in _FORMS.items()]
    of_any = [("--output", path, (*_PICTURES, *_PAGES)) for path in asked.output]
    return [one for one in (*of_one_form, *of_any) if one[1] is not None]


def _files(asked: Options, endings: tuple[str, ...]) -> list[Path]:
    """Files to write of these endings, each once."""
    return list(dict.fromkeys(path for _, path, _ in _named(asked) if path.suffix.lower() in endings))


def _year(asked: Options) -> int:
    """Geography of the perimeters."""
    return int(asked.vintage or 2024)


def _require(asked: Options) -> None:
    problems: list[str] = []
    if not _named(asked):
        problems.append(Note("cli.name_a_map"))
    for name, path, endings in _named(asked):
        problems += problems_of(path, name, endings)
        problems += input_problems(path, [asked.points, asked.grid], asked.data)
    page = asked.html is not None or _files(asked, _PAGES)
    wrong: dict[str, Any] = {
        Note("cli.no_level", given=asked.by, known=", ".join(LEVELS)): asked.by is not None and asked.by not in LEVELS,
        Note("cli.page_by_commune"): page and asked.by not in (None, "commune"),
        Note("cli.tags_need_points"): asked.kind == "tags" and asked.points is None and not asked.sample,
    }
    problems += [words for words, told in wrong.items() if told] + _problems_of_place(asked)
    for option, kinds in _OPTIONS.items():
        if getattr(asked, option) is not None and asked.kind not in kinds:
            problems.append(Note("cli.option_of_kinds", option=f"--{option}", kinds=", ".join(kinds)))
    if problems:
        raise UsageError(Note("cli.no_map"), problems=problems)


_OPTIONS: dict[str, tuple[str, ...]] = {
    "vintage": ("qpv", "choropleth", "grid", "estimates", "tags", "france"),
    "by": ("choropleth", "france"),
    "column": ("choropleth", "grid", "france"),
    "points": ("tags",),
    "grid": ("grid", "estimates"),
}
"""Kinds of map that each option is for."""


def _problems_of_place(asked: Options) -> list[str]:
    country = asked.kind == "france"
    wrong: dict[str, Any] = {
        Note("cli.no_place_of_france"): country and (asked.place or asked.box),
        Note("cli.basemap_of_a_place"): country and asked.basemap,
        Note("cli.page_of_a_place"): country and asked.page,
        Note("cli.place_or_box"): asked.place and asked.box,
        Note("cli.not_a_box", given=asked.box): asked.box and _numbers(asked.box) is None,
    }
    return [words for words, told in wrong.items() if told]


def _qpv(asked: Options, vintage: int | None = None) -> gpd.GeoDataFrame:
    # the projection is that of the file of points where there is one
    reading = replace(asked.reading, crs=None) if asked.points is not None else asked.reading
    return inputs.required_perimeters(vintage or _year(asked), asked.data, reading)


def _communes(asked: Options) -> gpd.GeoDataFrame | None:
    """Communes available; None without them: a QPV, a department or a box is known all the same."""
    try:
        return files.communes(asked.data, None)
    except MissingDataError:
        return None


def _place(asked: Options, qpv: Any, communes: gpd.GeoDataFrame | None) -> maps.Place:  # noqa: ANN401 - or several
    box = None if asked.box is None else _numbers(asked.box)
    return maps.find_place(box or asked.place, qpv, communes, epci=files.epci(asked.data))


def _numbers(box: str) -> list[float] | None:
    """Four numbers with commas between them; None when it is not that."""
    try:
        numbers = [float(part) for part in box.split(",")]
    except ValueError:
        return None
    return numbers if len(numbers) == 4 else None


def _options(asked: Options, place: maps.Place | None) -> dict[str, Any]:
    """Options that every map takes."""
    return {
        "place": place,
        "lang": settings.current_language(),
        "title": asked.title,
        "source": asked.source,
        "page": asked.page,
    }


def _draw_qpv(asked: Options) -> _Drawing:
    qpv, communes = _qpv(asked), _communes(asked)
    place = _place(asked, qpv, communes)
    ax = maps.qpv(qpv, communes, **_options(asked, place))
    return _Drawing(ax, place, _known(qpv, communes))


def _draw_change(asked: Options) -> _Drawing:
    before, after, communes = _qpv(asked, 2015), _qpv(asked, 2024), _communes(asked)
    place = _place(asked, [after, before], communes)
    ax = maps.change(before, after, communes, **_options(asked, place))
    return _Drawing(ax, place, _known(before, after, communes))


def _draw_choropleth(asked: Options) -> _Drawing:
    by = asked.by or "commune"
    made = inputs.covered(_year(asked), asked.data, by=by, reading=asked.reading)
    communes = made.communes if made.communes is not None else files.communes(asked.data, None)
    place = _place(asked, communes if asked.place is None else made.qpv, communes)
    ax = maps.choropleth(made.frame, communes, asked.column or "share", **_options(asked, place))
    return _Drawing(ax, place, _known(made.frame, communes))


def _draw_grid(asked: Options) -> _Drawing:
    qpv, communes = _qpv(asked), _communes(asked)
    place = _place(asked, qpv, communes)
    cells = _cells(asked, place)
    ax = maps.grid(cells, qpv, asked.column or "population", communes, **_options(asked, place))
    return _Drawing(ax, place, _known(cells, qpv, communes))


def _draw_estimates(asked: Options) -> _Drawing:
    qpv, communes = _qpv(asked), _communes(asked)
    place = _place(asked, qpv, communes)
    near = qpv.loc[place.metres(qpv).index]
    if not len(near):
        raise MissingDataError(Note("cli.no_qpv_on_map", vintage=_year(asked)))
    people = estimate_population(near, _cells(asked, place))
    ax = maps.estimates(people, near, communes, **_options(asked, place))
    return _Drawing(ax, place, _known(people, qpv, communes))


def _draw_tags(asked: Options) -> _Drawing:
    qpv, communes = _qpv(asked), _communes(asked)
    place = _place(asked, qpv, communes)
    points = _points(asked.points or embedded().addresses, asked.reading)
    return _Drawing(maps.tags(points, qpv, communes, **_options(asked, place)), place, _known(qpv, communes, points))


def _draw_france(asked: Options) -> _Drawing:
    options = {name: value for name, value in _options(asked, None).items() if name not in ("place", "page")}
    if asked.by is None and asked.column is None:
        qpv, communes = _qpv(asked), _communes(asked)
        return _Drawing(maps.france(qpv, communes, **options), None, _known(qpv, communes))
    made = inputs.covered(_year(asked), asked.data, by=asked.by or "department", reading=asked.reading)
    communes = made.communes if made.communes is not None else files.communes(asked.data, None)
    ax = maps.france(made.frame, communes, asked.column or "share", **options)
    return _Drawing(ax, None, _known(made.frame, communes))


_KINDS: dict[str, Callable[[Options], _Drawing]] = {
    "qpv": _draw_qpv,
    "choropleth": _draw_choropleth,
    "grid": _draw_grid,
    "estimates": _draw_estimates,
    "change": _draw_change,
    "tags": _draw_tags,
    "france": _draw_france,
}


def _cells(asked: Options, place: maps.Place) -> pd.DataFrame:
    """Cells of the finest and latest available grid that has some in the place."""
    near = gpd.GeoSeries([shapely.box(*place.frame)], crs=place.epsg)
    columns, layer = asked.reading.rest(), asked.reading.rest_of_layers()
    try:
        return inputs.grids_near(asked.data, near, grid=asked.grid, layer=layer, columns=columns)[0]
    except DataError as error:
        raise DataError(
            str(error).splitlines()[0],
            problems=error.problems,
            way_out=Note("cli.layer_and_columns"),
        ) from error


def _points(path: Path, reading: Reading) -> pd.DataFrame:
    """Points of a CSV or Parquet table with longitudes and latitudes, or of a layer, with the file they are of."""
    addresses = any(one.kind == "addresses" for one in recognise.identify(path))
    record = provenance.file_record(path) | ({"kind": "addresses", "producer": "BAN"} if addresses else {})
    home = embedded().path.resolve()
    return provenance.stamp(_read_points(path, reading), [record], fictional=path.resolve().is_relative_to(home))


def _read_points(path: Path, reading: Reading) -> pd.DataFrame:
    if path.name.lower().endswith((".csv", ".csv.gz", ".parquet", ".txt")):
        table = open_table(path)
        parts = [batch.look.to_pandas() for batch in table.batches(table.schema.names, table.rows, "nothing")]
        found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=table.schema.names)
        found = found.rename(columns=reading.of(found.columns) or {})
        return found if reading.crs is None or isinstance(found, gpd.GeoDataFrame) else _placed(found, path, reading)
    held = vector_layers.layers(path)
    layer = vector_layers.chosen(held, reading.layer(held), where=path.name)[0]
    return vector_layers.read(layer, crs=reading.crs)[0]


def _placed(table: pd.DataFrame, path: Path, reading: Reading) -> gpd.GeoDataFrame:
    """Points of a table in the projection given."""
    return gpd.GeoDataFrame(table, geometry=inputs.addresses(table, path, reading.crs).to_crs(4326))


def _known(*frames: pd.DataFrame | None) -> list[pd.DataFrame]:
    return [frame for frame in frames if frame is not None]
