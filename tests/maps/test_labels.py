"""Names on maps: text in every format, tied to what they name, over nothing that they would hide."""

import re
import zlib
from xml.etree import ElementTree as ET

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import shapely
from matplotlib.figure import Figure

import qpvgeo as qg
from qpvgeo import maps
from qpvgeo.maps.keys import Key
from qpvgeo.maps.labels import Label, Labels

SIZES = (0.3, 1.0, 2.5, 9.0)
"""Sides of squares, in the units of axes of 100: a name is about 15 wide and 3 high."""


@pytest.fixture(scope="module")
def layers():
    sample = qg.sample()
    communes = qg.read_communes(sample.communes, table=sample.communes_table)
    return qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024), communes


def names_on(ax):
    """Names that have found room, once the axes are drawn."""
    ax.get_figure(root=True).draw_without_rendering()
    return [text for text in ax.texts if text.get_zorder() == 10 and text.get_visible()]


def box_of(text):
    """Box of a name in the units of its axes."""
    return shapely.box(*text.get_window_extent().transformed(text.axes.transData.inverted()).extents)


def leaders_of(ax):
    (lines,) = [one for one in ax.collections if one.get_gid() == "leaders"]
    return np.array([shapely.LineString(path) for path in lines.get_segments()], dtype=object)


def axes_of_squares(count, seed):
    """Axes of 100 by 100 with squares here and there, and a name for each."""
    random = np.random.default_rng(seed)
    middle, half = random.uniform(5, 95, (count, 2)), random.choice(SIZES, count) / 2
    squares = shapely.box(*(middle - half[:, None]).T, *(middle + half[:, None]).T)
    ax = plt.figure(figsize=(6, 6)).subplots()
    ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    labels = Labels(ax)
    labels.add([Label(f"Name {row}", square) for row, square in enumerate(squares)])
    return ax, squares


@pytest.mark.parametrize("count", [3, 30, 150])
@pytest.mark.parametrize("seed", range(3))
def test_names_hide_no_shape_and_none_is_nearer_to_another(count, seed):
    ax, squares = axes_of_squares(count, seed)
    placed = names_on(ax)
    assert placed
    leaders = leaders_of(ax)
    for text in placed:
        row, box = int(text.get_text().split()[1]), box_of(text)
        covered = shapely.area(shapely.intersection(squares, box)) / shapely.area(squares)
        assert covered[row] <= 0.3
        alone = [
            other
            for other in range(count)
            if shapely.intersection(squares[other], squares[row]).area
            <= 0.3 * min(squares[[row, other]], key=_area).area
        ]
        assert not covered[alone].any()
        far = shapely.distance(squares, box)
        assert (far[alone] >= far[row] - 0.3).all()
        if far[row] > 1.4:
            ends = [shapely.intersects(leaders, shape.buffer(0.6)) for shape in (box, squares[row])]
            assert (ends[0] & ends[1]).any(), "a line leads from the name to its square"


def _area(shape):
    return shape.area


@pytest.mark.parametrize("count", [30, 150])
def test_names_and_lines_lie_over_no_other_name(count):
    ax, _ = axes_of_squares(count, 1)
    boxes = np.array([box_of(text) for text in names_on(ax)])
    one, other = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    assert (one == other).all()
    assert not shapely.crosses(leaders_of(ax)[:, None], boxes).any()


def test_name_stands_inside_a_large_shape_and_beside_a_small_one():
    ax = plt.figure(figsize=(6, 6)).subplots()
    ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    large, small = shapely.box(10, 10, 60, 60), shapely.box(80, 80, 81, 81)
    Labels(ax).add([Label("large", large), Label("small", small)])
    inside, beside = names_on(ax)
    assert large.contains(box_of(inside))
    assert 0 < small.distance(box_of(beside)) < 1.4


def test_name_of_land_is_inside_it_or_left_out():
    ax = plt.figure(figsize=(6, 6)).subplots()
    ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    labels = Labels(ax)
    labels.add([Label("perimeter", shapely.box(20, 20, 45, 45))])
    lands = {"wide": shapely.box(0, 0, 50, 100), "narrow": shapely.box(50, 0, 53, 100)}
    labels.add([Label(name, shape) for name, shape in lands.items()], within=True)
    placed = {text.get_text(): box_of(text) for text in names_on(ax)}
    assert set(placed) == {"perimeter", "wide"}
    assert lands["wide"].contains(placed["wide"])
    assert not placed["wide"].intersects(shapely.box(20, 20, 45, 45))


def test_names_of_communes_lie_in_their_commune(layers):
    _, new, communes = layers
    ax = maps.qpv(new, communes)
    shapes = communes.to_crs(2154).set_index("name").geometry
    written = {text.get_text().replace("\n", " ").replace("- ", "-"): text for text in names_on(ax)}
    found = [name for name in shapes.index if name in written]
    assert len(found) > 3
    assert all(shapes[name].buffer(1).contains(box_of(written[name])) for name in found)


@pytest.mark.parametrize(("rows", "columns"), [(1, 3), (2, 2)])
def test_names_do_not_collide_where_a_figure_has_several_maps(layers, rows, columns):
    old, new, communes = layers
    figure, grid = plt.subplots(rows, columns, figsize=(14, 8), layout="constrained")
    for ax in grid.flat:
        maps.change(old, new, communes, ax=ax)
    for size in ((14, 8), (20, 12)):
        figure.set_size_inches(size)
        for ax in grid.flat:
            boxes = np.array([box_of(text) for text in names_on(ax)])
            assert len(boxes)
            one, other = shapely.STRtree(boxes).query(boxes, predicate="intersects")
            assert (one == other).all()


@pytest.mark.parametrize("backend", ["svg", "pdf", "ps", "template"])
@pytest.mark.parametrize("kind", ["qpv", "change", "estimates", "tags"])
def test_maps_are_drawn_on_any_canvas(layers, tmp_path, backend, kind):
    old, new, communes = layers
    figure = Figure(layout="constrained")
    mpl.backends.backend_registry.load_backend_module(backend).FigureCanvas(figure)
    ax = figure.subplots()
    sample = qg.sample()
    if kind == "estimates":
        maps.estimates(qg.estimate_population(new, qg.read_grid(sample.grid_2019)), new, communes, ax=ax)
    elif kind == "tags":
        points = gpd.GeoDataFrame(geometry=new.representative_point(), crs=new.crs)
        maps.tags(points, new, communes, ax=ax)
    else:
        maps.change(old, new, communes, ax=ax) if kind == "change" else maps.qpv(new, communes, ax=ax)
    assert maps.save(ax, tmp_path / "map.png").stat().st_size > 10_000
    assert names_on(ax)


def test_names_of_an_svg_are_text_once(layers, tmp_path):
    _, new, communes = layers
    ax = maps.qpv(new, communes, title="x")
    root = ET.parse(maps.save(ax, tmp_path / "map.svg")).getroot()
    written = ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]
    names = [line for text in names_on(ax) for line in text.get_text().split("\n")]
    assert len(names) > 10
    assert all(written.count(line) >= 1 for line in names)


def test_names_of_a_pdf_are_text(layers, tmp_path):
    _, new, communes = layers
    ax = maps.qpv(new, communes, title="x")
    written = _words(maps.save(ax, tmp_path / "map.pdf").read_bytes())
    names = [line for text in names_on(ax) for line in text.get_text().split("\n") if line.isascii()]
    assert len(names) > 10
    assert [line for line in names if line not in written] == []


def _words(pdf):
    """Texts that a PDF shows, each on a line, kerning left out."""
    streams = [zlib.decompress(part) for part in re.findall(rb"stream\r?\n(x.*?)\r?\nendstream", pdf, re.DOTALL)]
    shown = [text for part in streams for text in re.findall(rb"(\[.*?\]\s*TJ|\(.*?\)\s*Tj)", part, re.DOTALL)]
    return [
        b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", text))
        .replace(b"\\", b"")
        .replace(b"\x00", b"")
        .decode("latin-1")
        for text in shown
    ]


@pytest.mark.parametrize(("inches", "numbered"), [(0.7, 9), (0.3, 2)], ids=["room", "no_room"])
def test_numbers_stand_on_their_shapes_where_there_is_no_room_beside(inches, numbered):
    """Nine squares that touch and fill the axes: none has room beside it, nor for its name; no name is passed over."""
    ax = plt.figure(figsize=(inches, inches)).subplots()
    ax.set(xlim=(0, 60), ylim=(0, 60), aspect="equal")
    squares = [shapely.box(20 * x, 20 * y, 20 * x + 20, 20 * y + 20) for y in range(3) for x in range(3)]
    key, names = Key(ax, colour="#000000", below=0), Labels(ax)
    names.add([Label(f"A quartier of a long name {row}", shape) for row, shape in enumerate(squares)], key=key)
    assert [text.get_text() for text in names_on(ax)] == [str(number) for number in range(1, numbered + 1)]
    marks, rest = zip(*key.entries, strict=True)
    assert list(marks) == [*(str(number) for number in range(1, numbered + 1)), *["–"] * (9 - numbered)]
    assert sorted(rest) == [f"A quartier of a long name {row}" for row in range(9)]


def test_names_placed_again_at_another_resolution_lie_over_no_other_name():
    ax, _ = axes_of_squares(30, 1)
    names_on(ax)
    figure = ax.get_figure(root=True)
    figure.set_dpi(300)
    figure.set_size_inches(5, 5)
    boxes = np.array([box_of(text) for text in names_on(ax)])
    one, other = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    assert (one == other).all()
