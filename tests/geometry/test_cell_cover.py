"""Cover of the cells of a lattice: shares worked out by hand, plain shapely as the oracle, the published perimeters."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

import qpvgeo as qg
from qpvgeo.errors import DataError
from qpvgeo.geometry import cell_cover
from qpvgeo.geometry import cell_cover as gridcover
from qpvgeo.geometry import edges as outlines
from qpvgeo.geometry.cell_cover import MAX_SHIFT_M, Cover, cover, overlap_cells
from qpvgeo.geometry.insee_lattice import Cells, Lattice, format_ids, squares
from qpvgeo.geometry.outline_repair import mended
from qpvgeo.geometry.projection import reproject

INSEE = Lattice(3035, 200)
N, E = 3_070_000, 3_830_000
EIGHT = Polygon([(E, N), (E + 200, N + 200), (E + 200, N), (E, N + 200), (E, N)])


def at(x, y, width=200, height=200):
    return box(E + x, N + y, E + x + width, N + y + height)


def layer(*shapes, crs=3035):
    return gpd.GeoSeries(list(shapes), index=[f"a{k}" for k in range(len(shapes))], crs=crs)


def shares(*shapes, lattice=INSEE, origin=(N, E)):
    """`{(row, column): share}` of the cells of areas, counted from an origin."""
    found = cover(layer(*shapes, crs=lattice.epsg), lattice)
    rows = (found.cells.north - origin[0]) // lattice.size
    cols = (found.cells.east - origin[1]) // lattice.size
    return dict(zip(zip(rows.tolist(), cols.tolist(), strict=True), found.share.tolist(), strict=True))


def oracle(shape, size=200):
    """Slow twin: every cell of the bounds as a square, intersected by shapely."""
    west, south, east, north = np.floor(np.array(shape.bounds) / size).astype(int)
    row, col = (part.ravel() for part in np.mgrid[south - 1 : north + 2, west - 1 : east + 2])
    cells = shapely.box(col * size, row * size, (col + 1) * size, (row + 1) * size)
    covered = shapely.area(shapely.intersection(cells, shape)) / size**2
    return dict(zip(zip(row.tolist(), col.tolist(), strict=True), covered.tolist(), strict=True))


def largest_gap(shape, lattice=INSEE):
    found = shares(shape, lattice=lattice, origin=(0, 0))
    expected = oracle(shapely.make_valid(shape, method="structure"), lattice.size)
    assert set(found) <= set(expected)
    return max(abs(found.get(cell, 0.0) - share) for cell, share in expected.items())


def same_bits(one: Cover, other: Cover):
    return all(
        np.array_equal(a, b)
        for a, b in (
            (one.area, other.area),
            (one.cells.north, other.cells.north),
            (one.cells.east, other.cells.east),
            (one.share, other.share),
            (one.size_m2, other.size_m2),
        )
    )


def of_area(found, position):
    """Rows of one area, as if it had been covered alone."""
    rows = found.area == position
    cells = Cells(found.cells.lattice, found.cells.north[rows], found.cells.east[rows])
    return Cover(np.zeros(rows.sum(), np.intp), cells, found.share[rows], found.size_m2[position : position + 1])


@st.composite
def stars(draw, reach=(1.0, 900.0), grids=(0.0, 0.001, 1.0, 50.0, 200.0)):
    """Outline around a centre at a large coordinate, at times a multiple of something, so that it follows grid lines.

    A zero among the grids leaves the coordinates as they come.
    """
    size = draw(st.floats(*reach))
    x = E + draw(st.floats(-500, 500))
    y = N + draw(st.floats(-500, 500))
    radii = np.array(draw(st.lists(st.floats(0.05, 1), min_size=3, max_size=12))) * size
    turn = draw(st.floats(0, 6.3))
    angles = turn + np.arange(len(radii)) * 2 * np.pi / len(radii)
    points = np.column_stack([x + radii * np.cos(angles), y + radii * np.sin(angles)])
    grid = draw(st.sampled_from(grids))
    return Polygon(np.round(points / grid) * grid if grid else points)


@st.composite
def areas(draw):
    """A star, one with a hole, or several together."""
    outer = draw(stars())
    kind = draw(st.sampled_from(["plain", "hole", "several"]))
    if kind == "several":
        return MultiPolygon([outer, *draw(st.lists(stars(), min_size=1, max_size=2))])
    if kind == "hole":
        centre = np.array(outer.exterior.coords).mean(axis=0)
        return Polygon(outer.exterior, [centre + (np.array(outer.exterior.coords) - centre) * 0.4])
    return outer


def test_half_of_a_cell_by_hand():
    assert shares(at(100, 0, 100, 200)) == {(0, 0): 0.5}


def test_triangle_by_hand_covers_half_of_two_cells_and_an_eighth_of_the_next():
    triangle = Polygon([(E, N), (E + 500, N), (E, N + 200)])
    found = shares(triangle)
    # heights of the long side over the grid lines: 200, 120, 40, 0
    assert found == pytest.approx({(0, 0): 0.8, (0, 1): 0.4, (0, 2): 0.05}, abs=1e-13)


def test_one_cell_exactly_is_covered_whole_and_no_other():
    assert shares(at(0, 0)) == {(0, 0): 1.0}


def test_edges_on_grid_lines_give_shares_without_rounding():
    found = shares(at(-200, -200, 600, 600))
    assert found == {(row, col): 1.0 for row in (-1, 0, 1) for col in (-1, 0, 1)}


def test_vertices_on_cell_corners_give_halves():
    diamond = Polygon([(E, N + 200), (E + 200, N), (E + 400, N + 200), (E + 200, N + 400)])
    assert shares(diamond) == {(0, 0): 0.5, (0, 1): 0.5, (1, 0): 0.5, (1, 1): 0.5}


def test_edge_through_the_corners_of_cells_leaves_them_out_beyond():
    triangle = Polygon([(E, N), (E + 600, N), (E + 600, N + 600)])
    whole = {(0, 1): 1.0, (0, 2): 1.0, (1, 2): 1.0}
    assert shares(triangle) == {(0, 0): 0.5, (1, 1): 0.5, (2, 2): 0.5, **whole}


def test_area_smaller_than_a_cell_astride_four_cells():
    assert shares(at(150, 170, 100, 60)) == {
        cell: pytest.approx(50 * 30 / 40_000, abs=1e-13) for cell in ((0, 0), (0, 1), (1, 0), (1, 1))
    }


def test_hole_is_not_covered():
    ring = at(0, 0, 600, 600).difference(at(200, 200, 300, 200))
    found = shares(ring)
    assert (1, 1) not in found
    assert found == {(row, col): 1.0 for row in range(3) for col in range(3) if row != 1 or col == 0} | {(1, 2): 0.5}


def test_part_in_a_hole_is_covered():
    ring = at(0, 0, 600, 600).difference(at(200, 200))
    assert shares(MultiPolygon([ring, at(250, 250, 100, 100)]))[1, 1] == pytest.approx(0.25, abs=1e-13)


def test_parts_in_one_cell_add_up():
    assert shares(MultiPolygon([at(0, 0, 50, 200), at(150, 0, 50, 200)])) == {(0, 0): 0.5}


def test_direction_of_the_ring_changes_nothing():
    forth = at(37, 41, 333, 222)
    assert same_bits(cover(layer(forth.normalize()), INSEE), cover(layer(forth.reverse().normalize()), INSEE))
    assert shares(forth.reverse()) == pytest.approx(shares(forth), abs=1e-13)


def test_square_millimetre_inside_a_cell_is_not_lost():
    found = shares(at(77, 88, 0.001, 0.001))
    assert found == {(0, 0): pytest.approx(1e-6 / 40_000, abs=1e-12)}


def test_cells_inside_a_box_of_500_km_are_covered_exactly():
    found = cover(layer(at(100, 100, 500_000, 500_000)), INSEE)
    edge = 2500
    rows, cols = (found.cells.north - N) // 200, (found.cells.east - E) // 200
    inner = (rows > 0) & (rows < edge) & (cols > 0) & (cols < edge)
    assert len(found.share) == (edge + 1) ** 2
    assert inner.sum() == (edge - 1) ** 2
    assert (found.share[inner] == 1.0).all()
    assert set(found.share[~inner].tolist()) == {0.5, 0.25}


@pytest.mark.parametrize("lattice", [Lattice(3035, 1000), Lattice(3035, 64_000)])
def test_other_sizes_by_hand(lattice):
    half = box(0, 0, lattice.size / 2, lattice.size)
    assert shares(half, lattice=lattice, origin=(0, 0)) == {(0, 0): 0.5}


def test_cells_beside_and_at_the_corner_are_not_covered():
    assert set(shares(at(200, 200, 400, 200))) == {(1, 1), (1, 2)}


def test_cells_south_and_west_of_the_origin_are_covered():
    assert shares(box(-300, -500, -100, -400), origin=(0, 0)) == {(-3, -2): 0.25, (-3, -1): 0.25}


@pytest.mark.parametrize("hair", [1e-20, 1e-9, -1e-20, -1e-9])
def test_edge_a_hair_beside_the_axes_covers_the_cells_it_covers(hair):
    found = shares(box(-150 + hair, -150 + hair, hair, hair), origin=(0, 0))
    assert found[-1, -1] == pytest.approx(0.75**2, abs=1e-9)
    assert sum(found.values()) == pytest.approx(0.75**2, abs=1e-12)


def test_invalid_outline_counts_as_the_area_that_it_encloses():
    assert shares(EIGHT) == {(0, 0): pytest.approx(0.5, abs=1e-13)}


def test_outline_that_encloses_nothing_covers_nothing():
    assert shares(Polygon([(E, N), (E + 50, N + 50), (E, N), (E, N)])) == {}


def test_areas_are_taken_out_of_a_collection():
    mixed = shapely.GeometryCollection([at(0, 0), Point(E + 500, N), shapely.LineString([(E, N), (E + 900, N)])])
    assert shares(mixed) == {(0, 0): 1.0}


@pytest.mark.parametrize("nothing", [None, Polygon(), MultiPolygon()], ids=["missing", "empty", "no parts"])
def test_shape_without_area_covers_nothing_and_shifts_no_other(nothing):
    found = cover(layer(at(0, 0), nothing, at(200, 0)), INSEE)
    assert (found.area.tolist(), found.size_m2.tolist()) == ([0, 2], [40_000.0, 0.0, 40_000.0])


@pytest.mark.parametrize("crs", [3035, 2154])
@pytest.mark.parametrize("shapes", [[], [None], [Polygon(), None]], ids=["no rows", "missing", "empty"])
def test_nothing_covers_nothing(shapes, crs):
    found = cover(layer(*shapes, crs=crs), INSEE)
    assert (len(found.cells), len(found.size_m2)) == (0, len(shapes))


def test_layer_without_crs_is_refused():
    with pytest.raises(DataError, match="no CRS"):
        cover(gpd.GeoSeries([at(0, 0)]), INSEE)


def test_lines_and_points_are_refused_and_listed():
    with pytest.raises(DataError) as caught:
        cover(layer(at(0, 0), at(0, 0).exterior, Point(E, N)), INSEE)
    assert [(problem.key, problem.values["label"]) for problem in caught.value.problems] == [
        ("frames.not_area", "a1"),
        ("frames.not_area", "a2"),
    ]


def test_mending_leaves_what_was_given_as_it_was():
    given_layer = layer(EIGHT, at(0, 0))
    assert mended(given_layer).is_valid.all()
    assert given_layer.iloc[0].equals_exact(EIGHT)


def test_rows_come_by_area_then_northwards_then_eastwards():
    found = cover(layer(at(500, 500, 700, 700), at(-300, -300, 800, 500)), INSEE)
    order = np.lexsort((found.cells.east, found.cells.north, found.area))
    assert np.array_equal(order, np.arange(len(order)))


def test_table_by_hand():
    table = overlap_cells(layer(at(100, 0, 150, 200), at(0, 0)).set_axis(["b", "a"]), INSEE)
    assert list(table.columns) == ["left", "right", "area_m2", "left_share", "right_share"]
    here, beside = f"CRS3035RES200mN{N}E{E}", f"CRS3035RES200mN{N}E{E + 200}"
    assert table.to_numpy().tolist() == [
        ["b", here, 20_000.0, pytest.approx(2 / 3), 0.5],
        ["b", beside, 10_000.0, pytest.approx(1 / 3), 0.25],
        ["a", here, 40_000.0, 1.0, 1.0],
    ]


def test_table_of_a_frame_is_that_of_its_outlines():
    outlines = layer(at(30, 40, 900, 300), at(0, 0))
    frame = gpd.GeoDataFrame({"name": ["x", "y"]}, index=outlines.index, geometry=outlines)
    assert overlap_cells(frame, INSEE).equals(overlap_cells(outlines, INSEE))


def test_table_of_nothing_has_its_columns():
    table = overlap_cells(layer(None), INSEE)
    assert (len(table), list(table.columns)[:2]) == (0, ["left", "right"])


@settings(max_examples=200, deadline=None)
@given(shape=areas())
def test_shares_are_those_of_plain_intersection(shape):
    assert largest_gap(shape) < 1e-9


@settings(max_examples=50, deadline=None)
@given(shape=stars(reach=(1e-3, 1.0), grids=(0.0, 0.001)))
def test_shares_of_tiny_areas_are_those_of_plain_intersection(shape):
    assert largest_gap(shape) < 1e-9


@settings(max_examples=8, deadline=None)
@given(shape=stars(reach=(5_000.0, 20_000.0)))
def test_shares_of_huge_areas_are_those_of_plain_intersection(shape):
    assert largest_gap(shape) < 1e-9


@settings(max_examples=50, deadline=None)
@given(shape=areas(), size=st.sampled_from([1000, 2000, 64_000, 217]))
def test_shares_of_other_sizes_are_those_of_plain_intersection(shape, size):
    assert largest_gap(shape, Lattice(3035, size)) < 1e-9


@settings(max_examples=50, deadline=None)
@given(shape=areas())
def test_shares_stand_between_nothing_and_the_whole(shape):
    found = cover(layer(shape), INSEE)
    assert (found.share > 0).all()
    assert (found.share <= 1).all()


@settings(max_examples=100, deadline=None)
@given(shape=areas())
def test_cells_wholly_inside_are_those_that_shapely_says_are(shape):
    """No other share is 1, and 1 is said without rounding."""
    sound = mended(layer(shape)).iloc[0]
    assume(sound is not None)
    found = cover(layer(shape), INSEE)
    cells = shapely.box(*squares(found.cells).T)
    deep = shapely.covers(shapely.buffer(sound, -1e-6), cells)
    assert (found.share[deep] == 1.0).all()
    assert shapely.covers(shapely.buffer(sound, 1e-6), cells[found.share == 1.0]).all()


@settings(max_examples=100, deadline=None)
@given(shape=areas())
def test_covered_areas_add_up_to_the_area(shape):
    found = cover(layer(shape), INSEE)
    area = mended(layer(shape)).area.fillna(0.0).iloc[0]
    assert found.size_m2[0] == pytest.approx(area, rel=1e-9, abs=1e-6)
    assert found.share.sum() * 40_000 == pytest.approx(area, rel=1e-9, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(shape=areas(), cuts=st.lists(st.tuples(st.floats(0, np.pi), st.floats(-400, 400)), min_size=1, max_size=3))
def test_parts_of_an_area_cut_at_random_add_up_to_it(shape, cuts):
    whole = mended(layer(shape)).iloc[0]
    assume(whole is not None)
    parts = [whole]
    for angle, shift in cuts:
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        foot = np.array([E, N]) + shift * across
        side = Polygon(
            [foot - 9_000 * along, foot + 9_000 * along, *(foot + 9_000 * (across + k * along) for k in (1, -1))]
        )
        parts = [piece for part in parts for piece in (part.intersection(side), part.difference(side))]
    parts = [part for part in parts if shapely.get_dimensions(part) == 2]
    found = cover(layer(*parts), INSEE)
    total = {}
    for cell, share in zip(format_ids(found.cells), found.share, strict=True):
        total[cell] = total.get(cell, 0.0) + share
    one = cover(layer(whole), INSEE)
    expected = dict(zip(format_ids(one.cells), one.share, strict=True))
    assert max(abs(total.get(cell, 0.0) - expected.get(cell, 0.0)) for cell in {*total, *expected}) < 1e-9


@settings(max_examples=50, deadline=None)
@given(shapes=st.lists(areas(), min_size=2, max_size=5), data=st.data())
def test_order_and_company_change_no_bit(shapes, data):
    order = data.draw(st.permutations(range(len(shapes))))
    shuffled = cover(layer(*(shapes[k] for k in order), at(10**6, 0, 90, 777)), INSEE)
    for position, original in enumerate(order):
        assert same_bits(of_area(shuffled, position), cover(layer(shapes[original]), INSEE))


@settings(max_examples=30, deadline=None)
@given(shapes=st.lists(areas(), min_size=1, max_size=6), window=st.sampled_from([1, 10, 100]))
def test_size_of_the_window_changes_no_bit(shapes, window):
    whole = cover(layer(*shapes), INSEE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gridcover, "_WINDOW", window)
        assert same_bits(cover(layer(*shapes), INSEE), whole)


def test_threads_change_no_bit():
    rng = np.random.default_rng(11)
    shapes = [Point(E + x, N + y).buffer(r) for x, y, r in rng.uniform(10, 5_000, (60, 3))]
    alone = cover(layer(*shapes), INSEE)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(partial(cover, lattice=INSEE), [layer(*shapes)] * 8))
    assert all(same_bits(result, alone) for result in results)


def lines_drawn(shape, source):
    """Outline that is covered, as segments in the projection of the cells."""
    edges = cell_cover._projected(outlines.edges_of(np.array([shape])), source, 3035, pd.RangeIndex(1))
    return shapely.linestrings(
        np.stack([np.column_stack([edges.x0, edges.y0]), np.column_stack([edges.x1, edges.y1])], 1)
    )


def true_outline(shape, source, pieces=2_000):
    """Outline moved point by point after it was cut finely: what a straight edge there is here."""
    fine = shapely.segmentize(shape, max(edge.length for edge in edges_of(shape)) / pieces)
    return reproject([fine], source, 3035)[0]


def edges_of(shape):
    return [shapely.LineString(pair) for pair in pairwise(shape.exterior.coords)]


@st.composite
def long_shapes(draw):
    """Triangles and quadrangles with sides of 1 to 50 km, anywhere in the hexagone, in Lambert-93 or degrees."""
    source = draw(st.sampled_from([2154, 4326]))
    lon, lat = draw(st.floats(-4.5, 8)), draw(st.floats(42.5, 50.8))
    size = draw(st.floats(1_000, 25_000))
    angles = draw(st.floats(0, 6.3)) + np.array([0, 2, 4]) + np.array(draw(st.tuples(*[st.floats(-0.5, 0.5)] * 3)))
    x, y = pyproj.Transformer.from_crs(4326, 2154, always_xy=True).transform(lon, lat)
    shape = Polygon(np.column_stack([x + size * np.cos(angles), y + size * np.sin(angles)]))
    return reproject([shape], 2154, source)[0], source


@settings(max_examples=30, deadline=None)
@given(case=long_shapes())
@example(case=(box(600_000, 6_600_000, 650_000, 6_650_000), 2154))
@example(case=(box(2.0, 47.0, 2.6, 47.4), 4326))
def test_long_edges_stray_less_than_a_centimetre_when_projected(case):
    shape, source = case
    true = shapely.points(shapely.get_coordinates(true_outline(shape, source)))
    drawn = shapely.union_all(lines_drawn(shape, source))
    assert shapely.distance(true, drawn).max() < MAX_SHIFT_M


@settings(max_examples=20, deadline=None)
@given(case=long_shapes())
def test_area_of_long_edges_is_that_of_the_finely_cut_outline(case):
    shape, source = case
    true = true_outline(shape, source)
    found = cover(layer(shape, crs=source), Lattice(3035, 1000))
    assert abs(found.share.sum() * 1e6 - true.area) < true.length * MAX_SHIFT_M
    assert abs(found.size_m2[0] - true.area) < true.length * MAX_SHIFT_M


def test_uncut_edges_would_stray_by_metres():
    """What the cutting is for: without it the share of a cell beside a long edge is wrong."""
    shape = box(2.0, 47.0, 2.6, 47.4)
    uncut = reproject([shape], 4326, 3035)[0]
    assert shapely.hausdorff_distance(true_outline(shape, 4326), uncut) > 1


def test_edges_that_neighbours_share_are_cut_alike():
    found = cover(layer(box(2.0, 47.0, 2.3, 47.4), box(2.3, 47.0, 2.6, 47.4), crs=4326), INSEE)
    total = np.bincount(np.unique(format_ids(found.cells), return_inverse=True)[1], found.share)
    assert total.max() < 1 + 1e-9
    both = cover(layer(box(2.0, 47.0, 2.6, 47.4), crs=4326), INSEE)
    # the long sides are cut in other places, a centimetre apart at most
    assert abs(found.size_m2.sum() - both.size_m2[0]) < 110_000 * MAX_SHIFT_M


def test_holes_are_projected_with_their_area():
    ring = box(2.0, 47.0, 2.1, 47.1).difference(box(2.02, 47.02, 2.08, 47.08))
    found = cover(layer(ring, at(0, 0), crs=4326).iloc[:1], INSEE)
    parts = cover(layer(box(2.0, 47.0, 2.1, 47.1), box(2.02, 47.02, 2.08, 47.08), crs=4326), INSEE)
    assert found.size_m2[0] == pytest.approx(parts.size_m2[0] - parts.size_m2[1], abs=1e-3)
    assert found.share.sum() * 40_000 == pytest.approx(found.size_m2[0], abs=1e-3)


@pytest.fixture(scope="module")
def touched(real_data):
    """Cover of the perimeters of the hexagone, by vintage."""
    outlines = {2015: "qpv2015/shp/QP_METROPOLE_LB93.shp", 2024: "qpv2024/qpv2024_simplified.geojson"}
    found = {}
    for vintage, path in outlines.items():
        qpv = qg.read_qpv(real_data / path, vintage=vintage)
        found[vintage] = cover(qpv[qpv["territory"] == "hexagone"], INSEE)
    return found


@pytest.mark.real
@pytest.mark.parametrize(("vintage", "pairs"), [(2015, 24_212), (2024, 28_936)])
def test_published_perimeters_touch_so_many_cells(touched, vintage, pairs):
    assert len(touched[vintage].share) == pairs


@pytest.mark.real
@pytest.mark.parametrize(("vintage", "percent"), [(2015, 6.1), (2024, 7.1)])
def test_few_cells_lie_wholly_inside_published_perimeters(touched, vintage, percent):
    assert round(100 * (touched[vintage].share == 1.0).mean(), 1) == percent


@pytest.mark.real
@pytest.mark.parametrize(("vintage", "percent"), [(2015, 84.7), (2024, 83.0)])
def test_most_of_the_area_of_published_perimeters_lies_in_cells_they_cross(touched, vintage, percent):
    found = touched[vintage]
    crossed = found.share[found.share < 1.0].sum() * 40_000 / found.size_m2.sum()
    assert round(100 * crossed, 1) == percent


@pytest.mark.real
@pytest.mark.parametrize(("vintage", "times"), [(2015, 2.51), (2024, 2.41)])
def test_cells_touched_are_larger_than_published_perimeters(touched, vintage, times):
    assert round(len(touched[vintage].share) * 40_000 / touched[vintage].size_m2.sum(), 2) == times


@pytest.mark.real
@pytest.mark.parametrize(("vintage", "cells"), [(2015, 14), (2024, 16)])
def test_median_perimeter_touches_so_many_cells(touched, vintage, cells):
    found = touched[vintage]
    assert np.median(np.bincount(found.area, minlength=len(found.size_m2))) == cells


@pytest.mark.real
@pytest.mark.parametrize("vintage", [2015, 2024])
def test_cells_add_up_to_the_area_of_each_published_perimeter(touched, vintage):
    found = touched[vintage]
    added = np.bincount(found.area, found.share, len(found.size_m2)) * 40_000
    assert added == pytest.approx(found.size_m2, rel=1e-9)


@pytest.mark.parametrize("radius", [0.01, 0.1, 1.0])
def test_a_tiny_area_keeps_its_digits(radius):
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    reach = radius * (0.6 + 0.4 * np.cos(3 * turns))
    shape = shapely.Polygon(np.column_stack([3_800_250.3 + reach * np.cos(turns), 2_900_070.7 + reach * np.sin(turns)]))
    found = cover(gpd.GeoSeries([shape], crs=3035), Lattice(3035, 200))
    assert found.share.tolist() == pytest.approx([shape.area / 200**2], rel=1e-9)
