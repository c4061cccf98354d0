"""How a sheet is laid out: nothing over anything else, nothing beyond the sheet, the map as large as can be."""

import itertools

import geopandas as gpd
import matplotlib.pyplot as plt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as some

from qpvgeo import maps
from qpvgeo.maps.keys import ROW_POINTS, Key, in_columns
from qpvgeo.maps.sheets import Parts, arrange


def key_of(names):
    ax = plt.figure(figsize=(6, 6)).subplots()
    return Key(ax, colour="#000000", below=0, entries=[(str(row), name) for row, name in enumerate(names, 1)])


def boxes_of(parts, made):
    """Boxes of all parts, from the upper left corner of the map, downwards."""
    found = [shapely.box(0, 0, made.wide, made.tall)]
    if parts.legend is not None:
        found.append(shapely.box(*made.legend, made.legend[0] + parts.legend[0], made.legend[1] + parts.legend[1]))
    if parts.key is not None:
        wide = made.columns * parts.key.column_width(made.measure)
        tall = parts.key.rows(made.columns, made.measure) * ROW_POINTS
        found.append(shapely.box(*made.key, made.key[0] + wide, made.key[1] + tall))
    return [*found, *(shapely.box(x, y, x + wide, y + tall) for x, y, wide, tall in made.insets)]


@settings(max_examples=60, deadline=None)
@given(
    ratio=some.floats(0.4, 2.5),
    legend=some.none() | some.tuples(some.floats(60, 200), some.floats(20, 160)),
    names=some.integers(0, 80),
    inset=some.booleans(),
    sheet=some.sampled_from([(480.0, 600.0), (720.0, 400.0), (480.0, 260.0), (620.0, 600.0)]),
)
def test_parts_lie_on_the_sheet_and_not_over_each_other(ratio, legend, names, inset, sheet):
    key = key_of([f"Quartier du Faubourg {row}" for row in range(names)]) if names else None
    parts = Parts(ratio, legend, key, ((0.2, 0.2),) if inset else (), 1.0)
    made = arrange(parts, *sheet)
    plt.close("all")
    if made is None:
        return
    boxes = boxes_of(parts, made)
    for one, other in itertools.combinations(boxes, 2):
        assert shapely.intersection(one, other).area < 1e-6
    west, north, east, south = shapely.total_bounds(boxes)
    assert round(min(west, north), 6) >= 0
    assert round(max(east - sheet[0], south - sheet[1]), 6) <= 0
    assert made.wide / made.tall == pytest.approx(ratio)


def test_legend_goes_below_a_flat_map_of_a_page_and_stays_beside_one_of_a_screen():
    flat = {"ratio": 1.5, "legend": (130.0, 60.0)}
    page, screen = (arrange(Parts(**flat, legend_below=part), 620, 600) for part in (0.8, 0.5))
    assert page.wide == 620
    assert page.legend[1] > page.tall
    assert screen.legend == (screen.wide + 9, 0.0)


def test_parts_that_no_sheet_holds_have_no_arrangement():
    assert arrange(Parts(1.0, (150.0, 60.0), key_of(["Un nom de quartier"] * 150)), 480, 260) is None


def test_columns_have_one_height_and_part_no_name():
    assert in_columns([["a"], ["b", "b"], ["c"], ["d"]], 2) == [["a", "b", "b"], ["c", "d"]]
    assert in_columns([], 3) == []


@pytest.mark.parametrize("page", ["a4", "a4-landscape", "half", None])
@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("kind", ["qpv", "choropleth", "change", "estimates", "bivariate"])
def test_everything_is_on_the_sheet_and_nothing_over_anything_else(layers, kind, lang, page):
    draw = {
        "qpv": lambda **more: maps.qpv(layers["new"], layers["communes"], **more),
        "choropleth": lambda **more: maps.choropleth(layers["coverage"], layers["communes"], **more),
        "change": lambda **more: maps.change(layers["old"], layers["new"], layers["communes"], **more),
        "estimates": lambda **more: maps.estimates(layers["people"], layers["new"], layers["communes"], **more),
        "bivariate": lambda **more: maps.bivariate(
            layers["coverage"], layers["communes"], ("share", "area_share"), **more
        ),
    }[kind]
    title = "Un titre bien plus long que la carte n'est large, " * 3
    ax = draw(lang=lang, page=page, title=title)
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    box = figure.get_tightbbox(renderer)
    assert round(min(box.x0, box.y0), 2) >= 0
    assert round(max(box.x1 - figure.get_figwidth(), box.y1 - figure.get_figheight()), 2) <= 0
    around = [ax.get_window_extent(renderer), ax.get_legend().get_window_extent(renderer)]
    around += [text.get_window_extent(renderer) for text in ax.texts if text.get_gid() == "source"]
    for one, other in itertools.combinations(around, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("page", ["a4", "a4-landscape", "half"])
@pytest.mark.parametrize("count", [25, 35, 50])
def test_sheet_is_the_same_at_every_resolution(page, count):
    corners = [(700_000 + row % 6 * 1_500, 6_600_000 + row // 6 * 1_900) for row in range(count)]
    layer = gpd.GeoDataFrame(
        {"name": [f"Quartier du Faubourg - Cité {row} Les Tilleuls" for row in range(count)]},
        geometry=[shapely.box(x, y, x + 700, y + 500) for x, y in corners],
        index=[f"QN{18000 + row:05}M" for row in range(count)],
        crs=2154,
    )
    ax = maps.qpv(layer, page=page)
    figure = ax.get_figure(root=True)
    for dpi in (72, 150, 300, 100):
        figure.set_dpi(dpi)
        figure.draw_without_rendering()
        box = figure.get_tightbbox(figure.canvas.get_renderer())
        assert round(min(box.x0, box.y0), 2) >= 0
        assert round(box.x1 - figure.get_figwidth(), 2) <= 0
        assert round(box.y1 - figure.get_figheight(), 2) <= 0
