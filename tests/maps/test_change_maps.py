"""Hectares gained and lost between two geographies, worked out by hand."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from qpvgeo import maps
from qpvgeo.maps.change_maps import hectares_of

X, Y = 700_000.0, 6_600_000.0


def box(west, south, east, north):
    return shapely.box(X + west, Y + south, X + east, Y + north)


@pytest.fixture
def geographies():
    """A quarter that moved 100 m east, one that is new, one that ended; 300 m by 200 m each."""
    old = gpd.GeoSeries([box(0, 0, 300, 200), box(0, 1_000, 300, 1_200)], index=["QP018001", "QP018002"], crs=2154)
    new = gpd.GeoSeries([box(100, 0, 400, 200), box(2_000, 0, 2_300, 200)], index=["QN01801M", "QN01802N"], crs=2154)
    return old, new


def test_hectares_gained_and_lost(geographies):
    found = hectares_of(*geographies)
    assert found.to_dict("index") == {
        "QN01801M": {"gained": 2.0, "lost": 2.0},
        "QN01802N": {"gained": 6.0, "lost": 0.0},
        "QP018002": {"gained": 0.0, "lost": 6.0},
    }


def test_hectares_add_up_to_the_areas_of_both(geographies):
    old, new = geographies
    found = hectares_of(old, new).sum()
    assert found["gained"] - found["lost"] == pytest.approx((new.area.sum() - old.area.sum()) / 10_000)


def test_names_and_hectares_are_on_the_map(geographies):
    layers = [
        gpd.GeoDataFrame({"name": names}, geometry=list(series), index=series.index, crs=2154)
        for names, series in zip((["Ancien", "Fini"], ["Centre", "Neuf"]), geographies, strict=True)
    ]
    ax = maps.change(*layers)
    ax.figure.draw_without_rendering()
    written = {text.get_text() for text in ax.texts if text.get_zorder() == 10 and text.get_visible()}
    assert written == {"Centre\n+2.0\u00a0ha −2.0\u00a0ha", "Neuf\n+6.0\u00a0ha", "Fini\n−6.0\u00a0ha"}


def test_hatching_is_thin(geographies):
    layers = [gpd.GeoDataFrame(geometry=series) for series in geographies]
    widths = [one.get_hatch_linewidth() for one in maps.change(*layers).collections if one.get_hatch()]
    assert len(widths) == 2
    assert np.max(widths) < 0.5


@pytest.mark.parametrize(("page", "inches"), [("a4", (6.7, 9.4)), ("a4-landscape", (10.1, 6.5)), ("half", (6.7, 4.6))])
def test_pages_have_a_width_of_their_own(geographies, tmp_path, page, inches):
    from PIL import Image

    ax = maps.qpv(gpd.GeoDataFrame(geometry=geographies[1]), page=page)
    with Image.open(maps.save(ax, tmp_path / "map.png", dpi=100)) as picture:
        assert picture.size[0] == round(100 * inches[0])
        assert 100 < picture.size[1] <= round(100 * inches[1])


def shifted(metres):
    """Two quarters of 300 m that did not change but are drawn some metres farther east; a third gained 300 m."""
    old = [box(0, 0, 300, 300), box(1_000, 0, 1_300, 300), box(2_000, 0, 2_300, 300)]
    new = [box(metres, 0, 300 + metres, 300), box(1_000 + metres, 0, 1_300 + metres, 300), box(2_000, 0, 2_600, 300)]
    codes = [f"QP01800{k}" for k in (1, 2, 3)], ["QN01801I", "QN01802I", "QN01803M"]
    return [
        gpd.GeoDataFrame(geometry=outlines, index=index, crs=2154)
        for outlines, index in zip((old, new), codes, strict=True)
    ]


def source_of(ax):
    return next(text.get_text() for text in ax.texts if text.get_gid() == "source").replace("\n", " ")


def test_the_shift_of_the_layers_is_told_where_it_explains_hectares():
    said = source_of(maps.change(*shifted(20), lang="en"))
    assert "2 unchanged perimeters are drawn 20.0 m apart" in said
    assert "4 of 5 areas of 0.5 ha or more gained or lost by a QPV are nowhere wider than 20 m" in said


def test_layers_drawn_alike_have_no_shift_to_tell():
    assert "Shift" not in source_of(maps.change(*shifted(0), lang="en"))
