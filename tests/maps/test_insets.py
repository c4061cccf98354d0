"""Parts drawn at a larger scale: dense ones alone, with a number and a name for each perimeter, text as it is."""

from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qpvgeo import maps
from qpvgeo.maps.insets import dense_parts

X, Y = 700_000.0, 6_600_000.0
AWKWARD = "Cité $10 & <script>alert('1')</script> \"x\""
NAMES = [AWKWARD, *(f"{row} du Grand Faubourg Saint-Nicolas et de la Gare" for row in "ABCDEFGH")]


def square(x, y, size):
    return shapely.box(X + x, Y + y, X + x + size, Y + y + size)


@pytest.fixture(scope="module")
def town():
    """Communes of 60 km together; nine QPV within 4 km in the middle of the first, two far away."""
    communes = gpd.GeoDataFrame(
        {
            "name": ["Centre-Ville $ & <b>", "Campagne"],
            "population": [60_000, 900],
            "epci": "241800001",
            "department": "18",
        },
        geometry=[
            square(26_000, 26_000, 8_000),
            shapely.difference(square(0, 0, 60_000), square(26_000, 26_000, 8_000)),
        ],
        index=["18001", "18002"],
        crs=2154,
    )
    close = [square(28_000 + 1_500 * (row % 3), 28_000 + 1_500 * (row // 3), 700) for row in range(9)]
    qpv = gpd.GeoDataFrame(
        {"name": [*NAMES, "Loin", "Plus loin"], "communes": [["18001"]] * 9 + [["18002"]] * 2},
        geometry=[*close, square(5_000, 50_000, 900), square(50_000, 6_000, 900)],
        index=[f"QN018{row:02d}M" for row in range(11)],
        crs=2154,
    )
    return qpv, communes


def written(ax):
    """Names and numbers that have found room."""
    ax.get_figure(root=True).draw_without_rendering()
    return [text.get_text() for text in ax.texts if text.get_zorder() == 10 and text.get_visible()]


def enlarged(ax):
    return [one for one in ax.child_axes if one.get_label() == "enlarged"]


@pytest.mark.parametrize("page", ["a4", "a4-landscape", "half", None])
def test_every_qpv_of_a_dense_centre_is_named(town, page):
    qpv, communes = town
    ax = maps.qpv(qpv, communes, place="241800001", page=page)
    (inset,) = enlarged(ax)
    (key,) = [one for one in ax.artists if one.get_gid() == "key"]
    assert sorted(name for _, name in key.entries) == sorted(qpv["name"])
    inner, outer = ({one for one in written(axes) if one.isdigit()} for axes in (inset, ax))
    assert not inner & outer
    assert inner | outer == {mark for mark, _ in key.entries}
    assert len(inner) == 9


def test_a_part_has_its_scale_its_name_and_a_rectangle_on_the_map(town):
    qpv, communes = town
    ax = maps.qpv(qpv, communes, place="241800001", lang="fr")
    (inset,) = enlarged(ax)
    assert inset.get_title(loc="left") == "Autour de Centre-Ville $ & <b>"
    assert [line for line in inset.lines if line.get_gid() == "scale"]
    (corner,) = [patch for patch in ax.patches if patch.get_gid() == "enlarged"]
    assert corner.get_bbox().extents == pytest.approx(
        [inset.get_xlim()[0], inset.get_ylim()[0], inset.get_xlim()[1], inset.get_ylim()[1]]
    )
    ax.figure.draw_without_rendering()
    across = [np.ptp(axes.get_xlim()) / axes.get_window_extent().width for axes in (ax, inset)]
    assert across[0] / across[1] > 1.4
    assert not inset.get_window_extent().overlaps(ax.get_window_extent())


def test_a_map_of_change_has_hectares_in_its_key(town):
    qpv, communes = town
    old = qpv.set_axis([f"QP018{row:03d}" for row in range(len(qpv))])
    new = qpv.set_geometry(qpv.geometry.buffer(60, join_style="mitre"))
    ax = maps.change(old, new, communes, place="241800001")
    assert enlarged(ax)
    (key,) = [one for one in ax.artists if one.get_gid() == "key"]
    assert all("+" in name and name.endswith("ha") for _, name in key.entries)


def test_text_of_the_data_is_text_in_the_key_and_the_part(town, tmp_path):
    qpv, communes = town
    path = maps.save(maps.qpv(qpv, communes, place="241800001"), tmp_path / "map.svg")
    root = ET.parse(path).getroot()
    words = [" ".join("".join(node.itertext()).split()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Around Centre-Ville $ & <b>" in words
    assert AWKWARD in " ".join(words)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert maps.save(maps.qpv(qpv, communes, place="241800001"), tmp_path / "map.pdf").stat().st_size


def test_perimeters_spread_over_the_map_are_not_enlarged(town):
    qpv, communes = town
    apart = [square(4_000 + 5_000 * row, 4_000 + 5_000 * (row * 7 % 11), 900) for row in range(11)]
    assert not enlarged(maps.qpv(qpv.set_geometry(apart, crs=2154), communes, place="241800001"))


def test_axes_that_were_given_have_no_part_beside_them(town):
    import matplotlib.pyplot as plt

    qpv, communes = town
    ax = plt.figure(figsize=(8, 6)).subplots()
    assert not enlarged(maps.qpv(qpv, communes, place="241800001", ax=ax))


def test_dense_parts_hold_whole_perimeters_and_lie_in_the_map():
    shapes = gpd.GeoSeries([square(40_000 + 300 * row, 200, 200) for row in range(8)], crs=2154)
    frame = (X, Y, X + 60_000, Y + 60_000)
    (box,) = dense_parts(shapes, np.ones(8, dtype=bool), frame, 100.0)
    assert shapely.box(*frame).covers(shapely.box(*box))
    assert all(shapely.box(*box).covers(shape) for shape in shapes)
    assert dense_parts(shapes, np.zeros(8, dtype=bool), frame, 100.0) == []
    assert dense_parts(shapes.iloc[:3], np.ones(3, dtype=bool), frame, 100.0) == []
