"""What stands on a map, artist by artist: nothing of it can go missing and leave a picture that is nearly the same."""

import re
from itertools import pairwise

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.collections import PathCollection, PolyCollection

import qpvgeo as qg
from qpvgeo import maps
from qpvgeo.errors import DataError, UsageError
from qpvgeo.maps.palettes import BANDS, CASING, PERIMETER, TAGS


@pytest.fixture(scope="module")
def sample():
    return qg.sample()


@pytest.fixture(scope="module")
def new(sample):
    return qg.read_qpv(sample.qpv_2024)


@pytest.fixture(scope="module")
def communes(sample):
    return qg.read_communes(sample.communes, table=sample.communes_table)


@pytest.fixture(scope="module")
def cells(sample):
    return qg.read_grid(sample.grid_2019)


@pytest.fixture(scope="module")
def people(new, cells):
    return qg.estimate_population(new, cells)


@pytest.fixture(scope="module")
def addresses(sample):
    return pd.read_csv(sample.addresses, sep=";", dtype="str")


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def in_colour(ax, colour):
    """Collections of outlines in a colour."""
    wanted = mpl.colors.to_rgba(colour)
    outlines = [one for one in ax.collections if isinstance(one, PathCollection) and len(one.get_edgecolor())]
    return [one for one in outlines if np.allclose(one.get_edgecolor()[0], wanted)]


def test_every_qpv_is_an_area_and_a_dot_of_the_country(new, communes):
    ax = maps.france(new, communes)
    (areas,) = in_colour(ax, PERIMETER)
    (dots,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(areas.get_paths()) == len(dots.get_xdata()) == len(new)


def test_every_qpv_is_an_outline_of_its_map(new, communes):
    (areas,) = in_colour(maps.qpv(new, communes), PERIMETER)
    assert len(areas.get_paths()) == len(new)


def test_perimeters_over_cells_lie_on_a_wider_white_line(cells, new):
    ax = maps.grid(cells, new)
    (line,) = in_colour(ax, PERIMETER)
    (casing,) = [one for one in in_colour(ax, CASING) if one.get_linewidth()[0] > 1]
    assert casing.get_zorder() < line.get_zorder()
    assert casing.get_linewidth()[0] >= line.get_linewidth()[0] + 1.5
    assert len(line.get_paths()) == len(casing.get_paths()) == len(new)


def hatched_cells(ax):
    """First corners of the cells that are hatched, and of all that are drawn."""
    (squares,) = [one for one in ax.collections if isinstance(one, PolyCollection)]
    found = [patch.get_path() for patch in ax.patches if patch.get_hatch()]
    starts = [path.vertices[path.codes == mpl.path.Path.MOVETO] for path in found]
    return [
        {tuple(corner) for corner in np.round(corners, 1)}
        for corners in (np.concatenate(starts), [path.vertices[0] for path in squares.get_paths()])
    ]


def test_imputed_cells_are_hatched_and_no_others(cells, new):
    hatch, drawn = hatched_cells(maps.grid(cells, new))
    assert hatch < drawn
    every, _ = hatched_cells(maps.grid(cells.assign(imputed=True), new))
    rest, _ = hatched_cells(maps.grid(cells.assign(imputed=~cells["imputed"]), new))
    assert every == drawn
    assert rest == drawn - hatch


def test_cells_whose_number_is_missing_are_hatched_and_in_the_legend(cells, new):
    sums = cells["living_standard_sum_eur"].astype("Float64")
    some = cells.assign(imputed=False, living_standard_sum_eur=sums.mask(cells["imputed"].to_numpy(dtype=bool)))
    ax = maps.grid(some, new, "living_standard_mean_eur")
    assert hatched_cells(ax) == hatched_cells(maps.grid(cells, new))
    assert "Not known" in legend_of(ax)
    assert "Not known" not in legend_of(maps.grid(cells, new))


def test_poverty_of_people_is_drawn_where_the_file_counts_no_households(cells, new):
    rate = 0.25
    counted = cells.assign(
        households=pd.NA, poor_households=pd.NA, poor_population=rate * cells["population"].astype("Float64")
    )
    ax = maps.grid(counted, new, "poverty_rate")
    assert ax.get_legend().get_title().get_text() == "Poverty rate of people"
    assert legend_of(ax)[0] == "25.0%"
    assert "Not known" not in legend_of(ax)


def test_column_without_any_number_is_refused(cells, new):
    none = cells.assign(poor_households=pd.NA)
    with pytest.raises(DataError, match="No cell of this place has a number in 'poverty_rate'"):
        maps.grid(none, new, "poverty_rate")
    assert plt.get_fignums() == []


def test_no_map_needs_latex_where_it_is_the_setting(new, communes, cells, people, addresses, tmp_path):
    drawn = [
        lambda: maps.qpv(new, communes),
        lambda: maps.grid(cells, new),
        lambda: maps.estimates(people, new, communes),
        lambda: maps.tags(addresses, new, communes),
        lambda: maps.france(new, communes),
    ]
    with mpl.rc_context({"text.usetex": True}):
        for row, draw in enumerate(drawn):
            assert maps.save(draw(), tmp_path / f"{row}.svg").is_file()


def test_what_stands_around_a_map_is_seen_on_a_dark_figure(new, communes, people):
    with plt.style.context("dark_background"):
        for ax in (maps.qpv(new, communes), maps.estimates(people, new), maps.france(new, communes)):
            ax.figure.draw_without_rendering()
            outside = [
                ax.title,
                ax._left_title,
                *[text for one in (ax, *ax.child_axes) for text in one.texts if text.get_gid() in ("scale", "source")],
                *[line for one in (ax, *ax.child_axes) for line in one.lines if line.get_gid() == "scale"],
            ]
            assert {mpl.colors.to_hex(artist.get_color()) for artist in outside} == {"#ffffff"}
            legend = ax.get_legend()
            assert mpl.colors.to_hex(legend.get_frame().get_facecolor()) == "#ffffff"
            assert legend.get_frame().get_visible()
            names = [text for text in ax.texts if text.get_zorder() == 10]
            inside = [*legend.get_texts(), legend.get_title(), *names]
            assert all(sum(mpl.colors.to_rgb(text.get_color())) < 1.5 for text in inside)


def test_title_is_as_wide_as_its_axes(new):
    figure, axes = plt.subplots(1, 3, figsize=(12, 4))
    words = "A title that is much longer than a third of the figure, and would be written over that of its neighbour"
    for ax in axes:
        maps.qpv(new, ax=ax, title=words)
    figure.draw_without_rendering()
    boxes = [ax._left_title.get_window_extent() for ax in axes]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_nearer_points_lie_above_farther_ones_and_the_legend_starts_with_them(addresses, new):
    ax = maps.tags(addresses, new)
    points = [line for line in ax.lines if line.get_gid() is None]
    by_colour = {line.get_color(): line.get_zorder() for line in points if line.get_marker() == "o"}
    order = [by_colour[colour] for colour in (TAGS["in"], *BANDS[:2], TAGS["out"])]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == 4
    assert [text.split(" (")[0] for text in legend_of(ax)][:2] == ["In a QPV", "Within 300\u00a0m"]


def test_more_bands_than_colours_are_refused(addresses, new):
    three = qg.tag_points(addresses, new, bands=(100, 200, 300))
    colours = [line.get_color() for line in maps.tags(addresses, new, tags=three).lines]
    assert set(BANDS) <= set(colours)
    plt.close("all")
    with pytest.raises(UsageError, match="3 bands at most, not 4"):
        maps.tags(addresses, new, tags=qg.tag_points(addresses, new, bands=(100, 200, 300, 400)))
    assert plt.get_fignums() == []


def test_points_without_a_place_are_unknown_and_not_elsewhere(new):
    inside = new.to_crs(4326).representative_point()
    table = pd.DataFrame(
        {"lon": [*inside.x.astype(str), "", "far", "-3.41"], "lat": [*inside.y.astype(str), "", "away", "46.09"]}
    )
    counts = legend_of(maps.tags(table, new))
    assert "Unknown (2)" in counts
    assert "Not on this map (1)" in counts


def test_legend_of_estimates_names_the_perimeters_and_whole_people(new, people):
    assert "QPV" in legend_of(maps.estimates(people, new))
    few = people.assign(low=0.0, estimate=1.0, high=3.0)
    sizes = [text for text in legend_of(maps.estimates(few, new)) if re.fullmatch(r"\d+", text)]
    assert sizes == ["1"]
    unknown = people.assign(estimate=np.nan)
    assert "Estimation non disponible" in legend_of(maps.estimates(unknown, new, lang="fr"))


def test_circles_of_the_legend_do_not_touch_their_numbers(new, people):
    ax = maps.estimates(people, new)
    ax.figure.draw_without_rendering()
    legend = ax.get_legend()
    lines = [one for one in legend.get_lines() if one.get_marker() == "o"]
    for line, text in zip(lines, legend.get_texts(), strict=False):
        middle = line.get_transform().transform(line.get_xydata()).mean(axis=0)[0]
        radius = line.get_markersize() * ax.figure.dpi / 72 / 2
        assert middle + radius < text.get_window_extent().x0


@pytest.mark.parametrize("width", [4.0, 9.0])
def test_circles_lie_whole_in_the_frame(width):
    edge = gpd.GeoDataFrame(
        {"name": ["a", "b"]},
        geometry=[
            shapely.box(300_000, 6_500_000, 300_300, 6_500_300),
            shapely.box(303_000, 6_500_000, 303_300, 6_500_300),
        ],
        index=["QN09901I", "QN09902I"],
        crs=2154,
    )
    people = pd.DataFrame(
        {"low": [1.0, 0.0], "estimate": [900.0, 2.0], "high": [1_000.0, 4.0], "reliability": [None, None]},
        index=edge.index,
    )
    figure = plt.figure(figsize=(width, width), layout="constrained")
    place = (300_150.0, 6_499_000.0, 303_200.0, 6_501_500.0)
    ax = maps.estimates(people, edge, place=place, ax=figure.subplots())
    figure.draw_without_rendering()
    frame = ax.get_window_extent()
    for circles in [one for one in ax.collections if type(one).__name__ == "EllipseCollection"]:
        middles = ax.transData.transform(circles.get_offsets())
        radii = circles._widths[:, None] * figure.dpi / 72
        assert (middles - radii >= frame.min).all()
        assert (middles + radii <= frame.max).all()


def test_bands_come_from_the_metres_kept_beside_the_tags(addresses, new):
    said = qg.tag_points(addresses, new, bands=(250, 482.8))
    assert [text.split(" (")[0] for text in legend_of(maps.tags(addresses, new, tags=said))][1:4] == [
        "Within 250\u00a0m",
        "Within 483\u00a0m",
        "Beyond 483\u00a0m",
    ]
    read = pd.DataFrame({name: said[name].astype("str") for name in ("state", "band")})
    with pytest.raises(DataError) as caught:
        maps.tags(addresses, new, tags=read)
    assert caught.value.message.key == "maps.bands_not_known"
