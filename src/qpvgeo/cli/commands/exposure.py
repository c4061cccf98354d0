"""`qpvgeo exposure`: people of QPV whom a layer, a raster or a column of the grid reaches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpvgeo.cli.options import folder, grid_option, place_option, shared, vintage_option
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import Choice, argument, file_option, option
from qpvgeo.cli.reading import Reading, with_reading
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.language import Note, number, share

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["exposure"]

_COLUMNS = (
    Column("QPV", "code"),
    Column("Name", "name", 1),
    Column("People", rank=3),
    Column("At least"),
    Column("Exposed"),
    Column("At most"),
    Column("Unknown", rank=2),
    Column("Share"),
    Column("Of the rest", rank=4),
    Column("Ratio", rank=4),
)


@argument("layer_or_column", metavar="LAYER", help="cli.exposure_layer")
@option("--within", kind=float, metavar="METRES", help="cli.exposure_within")
@option("--above", kind=float, metavar="VALUE", help="cli.exposure_above")
@option("--below", kind=float, metavar="VALUE", help="cli.exposure_below")
@option("--quantile", kind=float, metavar="SHARE", help="cli.exposure_quantile")
@option("--covered", metavar="everywhere|FILE", help="cli.exposure_covered")
@option("--class", "by_class", metavar="COLUMN", help="cli.exposure_class")
@option("--beside", kind=Choice("commune", "epci"), default="commune", help="cli.exposure_beside")
@file_option("--png", help="cli.exposure_png")
@vintage_option
@place_option
@grid_option
@with_reading
@with_output
@shared
def exposure(
    layer_or_column: str,
    *,
    within: float | None,
    above: float | None,
    below: float | None,
    quantile: float | None,
    covered: str | None,
    by_class: str | None,
    beside: str,
    png: Path | None,
    vintage: str,
    place: str | None,
    grid: Path | None,
    reading: Reading,
    output: Target,
    json: bool,
    sample: bool,
    data: Path | None,
) -> None:
    """People of QPV in the flood zone, in the heat, near a park: between bounds, beside the rest of their communes."""
    from qpvgeo.cli import answers

    where = folder(data, sample=sample)
    path = _file(layer_or_column, where)
    if problems := output.problems([path, grid], where):
        raise UsageError(Note("cli.options_do_not_fit"), problems=problems)
    every, qpv = _perimeters(int(vintage), where, place, reading)
    near = _extent(qpv, beside, where)
    cells, layer = _inputs(layer_or_column, path, near, where, grid=grid, reading=reading)
    options = {"within_m": within, "above": above, "below": below, "quantile": quantile}
    options["covered"] = _covered(covered, where, reading)
    found = _exposed(qpv, layer, cells, _units(beside, where, every, qpv), options)
    rows = found.sort_values("estimate", ascending=False, kind="stable", na_position="last")
    if "name" in qpv.columns:
        rows.insert(0, "name", qpv["name"].reindex(rows.index))
    output.write(rows)
    _picture(found, qpv, png, where)
    about = found.attrs["qpvgeo"]
    answer = {
        "layer": layer_or_column,
        "vintage": int(vintage),
        "place": place,
        "beside": beside,
        "rows": answers.records(rows, "qpv_code"),
        "unknown": None if found["unknown"].isna().all() else float(found["unknown"].sum()),
        **{name: about.get(name) for name in ("inside", "outside", "ratio")},
        **{name: about.get(name) for name in ("asked", "threshold", "reached_share")},
        **{name: about.get(name) for name in ("mean_inside", "mean_outside")},
        "classes": _classes(qpv, layer, cells, by_class, options),
        "output": output.name,
        "png": None if png is None else str(png),
        "sources": answers.sources(found),
        "notes": answers.notes(found),
    }
    answers.show(answer | answers.fictional(qpv, cells), _table, as_json=json)


def _file(given: str, data: Path | None) -> Path | None:
    """File that a layer names, here or in the folder of the data; None for a column of the grid."""
    found = [path for path in (Path(given), *([] if data is None else [data / given])) if path.is_file()]
    return found[0] if found else None


def _perimeters(
    vintage: int, data: Path | None, place: str | None, reading: Reading
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Every QPV, and those of the place."""
    from qpvgeo.at_hand.places import qpv_of
    from qpvgeo.cli import inputs

    qpv = inputs.required_perimeters(vintage, data, reading)
    return qpv, qpv if place is None else qpv_of(qpv, place, data)[0]


def _inputs(
    given: str,
    path: Path | None,
    around: gpd.GeoSeries,
    data: Path | None,
    *,
    grid: Path | None,
    reading: Reading,
) -> tuple[pd.DataFrame, Any]:
    """Cells of an area, and the layer."""
    from qpvgeo.cli import inputs
    from qpvgeo.resilience.raster import is_raster

    if path is None and Path(given).suffix:
        raise MissingDataError(Note("cli.no_layer_file", file=given))
    layer = given if path is None else path if is_raster(path) else _layer(path, reading)
    near: dict[str, Any] = {"grid": grid, "layer": reading.rest_of_layers(), "columns": reading.rest() or {}}
    try:
        return inputs.grids_near(data, around, keep=[given] if path is None else [], **near)[0], layer
    except (DataError, MissingDataError):
        if path is not None:
            raise
        inputs.grids_near(data, around, **near)  # it is the column that is missing
        way_out = Note("cli.exposure_layers")
        raise UsageError(Note("cli.no_layer", name=given), way_out=way_out) from None


def _layer(path: Path, reading: Reading) -> pd.DataFrame:
    """Layer of a file, whatever its shapes; points of a table of coordinates, or numbers of another."""
    import geopandas as gpd

    from qpvgeo.cli import inputs
    from qpvgeo.formats import vector_layers
    from qpvgeo.formats.cells import numbers_of
    from qpvgeo.formats.text_tables import read_table
    from qpvgeo.frames.provenance import file_record, stamp

    if vector_layers.holds_outlines(path):
        held = vector_layers.layers(path)
        chosen = vector_layers.chosen(held, reading.layer(held), where=path.name)
        return stamp(vector_layers.read(chosen[0], crs=reading.crs)[0], [file_record(path)])
    table = read_table(path).reset_index(drop=True)
    table = table.rename(columns=reading.of(table.columns) or {})
    if {"lon", "lat"} <= set(table.columns):
        return stamp(gpd.GeoDataFrame(table, geometry=inputs.addresses(table, path, reading.crs)), [file_record(path)])
    for name in table.columns:
        numbers, odd = numbers_of(table[name])
        if not odd.any():
            table[name] = numbers
    return stamp(table, [file_record(path)])


def _extent(qpv: gpd.GeoDataFrame, level: str, data: Path | None) -> gpd.GeoSeries:
    """Where cells are needed: the communes or the EPCI of the QPV, so that there is a rest to compare with."""
    units = _units("commune", data)
    if units is None:
        return qpv.geometry
    near = units.geometry.to_crs(qpv.crs)
    listed = {code for codes in qpv["communes"] if isinstance(codes, list) for code in codes}
    named = near[near.index.isin(list(listed))]
    named = named if len(named) else near[near.intersects(qpv.geometry.union_all())]
    if level == "commune":
        return named
    return near[units["epci"].isin(units.loc[named.index, "epci"].dropna())]


def _units(
    level: str, data: Path | None, every: gpd.GeoDataFrame | None = None, qpv: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame | None:
    """Outlines of communes or EPCI, without the QPV that are not asked for; None where there are none."""
    import geopandas as gpd

    from qpvgeo.at_hand import files
    from qpvgeo.resilience.comparisons import without_others

    try:
        units = files.communes(data, None)
    except MissingDataError:
        return None
    if not isinstance(units, gpd.GeoDataFrame):
        return None
    drawn = units[units.geometry.notna()]
    drawn = drawn if level == "commune" else drawn.dropna(subset="epci").dissolve("epci")[["geometry"]]
    return drawn if every is None or qpv is None else without_others(drawn, every, qpv.index)


def _covered(given: str | None, data: Path | None, reading: Reading) -> Any:  # noqa: ANN401 - polygons, a word, or None
    if given is None or given == "everywhere":
        return given
    path = _file(given, data)
    if path is None:
        raise MissingDataError(Note("cli.no_layer_file", file=given))
    return _layer(path, reading)


def _exposed(
    qpv: gpd.GeoDataFrame,
    layer: Any,  # noqa: ANN401
    cells: pd.DataFrame,
    units: gpd.GeoDataFrame | None,
    options: dict[str, Any],
) -> pd.DataFrame:
    """People exposed, with the rest of the units where their outlines are available."""
    from qpvgeo.resilience import exposure as exposed
    from qpvgeo.resilience import exposure_beside

    if units is None:
        return exposed(qpv, layer, cells, **options)
    found = exposure_beside(qpv, layer, cells, units, **options)
    around = units[units.index.isin(found["unit"].dropna())]
    whole = exposed(qpv, layer, cells, around=around if len(around) else None, **options)
    notes = [*whole.attrs["qpvgeo"]["notes"], *found.attrs["qpvgeo"]["notes"]]
    found.attrs["qpvgeo"] = {**whole.attrs["qpvgeo"], "notes": list(dict.fromkeys(notes))}
    return found


def _picture(found: pd.DataFrame, qpv: gpd.GeoDataFrame, png: Path | None, data: Path | None) -> None:
    """People exposed as circles between their bounds, light where these are wider than the estimate is great."""
    if png is None:
        return
    from qpvgeo import maps

    title = str(Note("cli.exposure_title", asked=found.attrs["qpvgeo"]["asked"]))
    # where the most is not known, they are wide
    narrow = found["high"] - found["low"] <= found["estimate"]
    people = found.assign(reliability=narrow.map({True: "", False: "wide"}))
    maps.save(maps.estimates(people, qpv, _units("commune", data), title=title), png)


def _classes(
    qpv: gpd.GeoDataFrame,
    layer: Any,  # noqa: ANN401
    cells: pd.DataFrame,
    by_class: str | None,
    options: dict[str, Any],
) -> list[dict[str, Any]]:
    """People of all QPV by class of the layer."""
    import geopandas as gpd

    from qpvgeo.cli import answers
    from qpvgeo.resilience import exposure_by_class

    if by_class is None:
        return []
    if isinstance(layer, gpd.GeoDataFrame):
        given = {name: options[name] for name in ("within_m", "covered")}
        found = exposure_by_class(qpv, layer, cells, by_class, **given)
    else:
        found = exposure_by_class(qpv, layer, cells, _limits(by_class))
    people = found[["low", "estimate", "high"]].dropna(subset="low")
    people["high"] = people["high"].fillna(float("inf"))  # the most beyond the grid has no end
    summed = people.groupby("class", sort=False).sum().replace(float("inf"), float("nan"))
    return answers.records(summed, "class")


def _limits(given: str) -> list[Any]:
    """Limits between classes as they are typed; what is not a number stays text, for the error to show."""
    found: list[Any] = []
    for part in given.split(","):
        try:
            found.append(float(part))
        except ValueError:
            found.append(part)
    return found


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """Headline over all QPV, then a row per QPV, the most exposed first."""
    lang = screen.lang
    _headline(answer, screen)
    for row in answer["classes"]:
        beside = row["class"].startswith("(")
        if not beside or row["high"]:
            people = {name: number(row[name], lang) for name in ("low", "estimate", "high")}
            name = screen.word(row["class"]) if beside else row["class"]
            screen.line(Note("cli.exposure_of_class", name=name, **people))
    rows = [
        (
            row["qpv_code"],
            row.get("name") or "–",
            *(number(row[name], lang) for name in ("population", "low", "estimate", "high", "unknown")),
            share(row["share"], lang, 0),
            share(row.get("rest_share"), lang, 0),
            number(row.get("ratio"), lang, 2),
        )
        for row in answer["rows"]
    ]
    screen.line()
    screen.table(_COLUMNS, rows, title=answer["asked"])
    screen.notes(answer["notes"])
    for path in (answer["output"], answer["png"]):
        screen.written(path)


def _headline(answer: dict[str, Any], screen: Screen) -> None:
    """Share over all QPV and over the rest, and the ratio of both."""
    lang = screen.lang
    inside, outside, ratio = answer["inside"], answer["outside"], answer["ratio"]
    if inside["estimate"] is None:
        people = sum(row["population"] or 0 for row in answer["rows"])
        low = share(inside["low"], lang, 1)
        headline = Note("cli.exposure_headline_unknown", low=low, unknown=answer["unknown"], people=people)
    else:
        headline = Note("cli.exposure_headline", share=share(inside["estimate"], lang, 1), **_bounds(inside, lang))
    screen.line(headline, style="bold")
    if outside and outside["estimate"] is None:
        screen.line(Note("cli.exposure_rest_unknown"), indent=2)
    elif outside:
        told = Note("cli.exposure_rest", share=share(outside["estimate"], lang, 1), **_bounds(outside, lang))
        screen.line(told, indent=2)
    if ratio and ratio["estimate"] is not None:
        said = {name: number(ratio[name], lang, 2) for name in ("low", "high")}
        screen.line(Note("cli.exposure_ratio", ratio=number(ratio["estimate"], lang, 2), **said), indent=2)
    if answer["mean_inside"] is not None:
        means = {part: number(answer[f"mean_{part}"], lang, 2) for part in ("inside", "outside")}
        screen.line(Note("cli.exposure_means", **means), indent=2)


def _bounds(part: dict[str, Any], lang: str) -> dict[str, str]:
    return {name: share(part[name], lang, 1) for name in ("low", "high")}
