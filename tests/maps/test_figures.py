"""Figures of units: classes, circles or values, and what says how sure they are."""

import geopandas as gpd
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.collections import EllipseCollection
from tests.builders import refused

from qpvgeo import maps
from qpvgeo.errors import DataError
from qpvgeo.frames import provenance
from qpvgeo.maps.figures import figure_of


def layer(count=12):
    """Communes of a department in a row, a kilometre wide each."""
    shapes = [shapely.box(700_000 + 1_000 * row, 6_600_000, 701_000 + 1_000 * row, 6_601_000) for row in range(count)]
    codes = [f"18{row:03d}" for row in range(1, count + 1)]
    return gpd.GeoDataFrame({"name": codes, "department": "18"}, geometry=shapes, index=codes, crs=2154)


def coverage_of(units, **columns):
    rows = np.arange(len(units))
    frame = pd.DataFrame(
        {
            "n_qpv": rows + 1,
            "qpv_population": 100.0 * (rows + 1),
            "share": (rows + 1) / 50,
            "estimated_share": 0.0,
            "note": "",
        }
        | columns,
        index=pd.Index(units.index, name="commune"),
    )
    return provenance.stamp(frame, vintage=2024, reference_year=2020)


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def hatched(ax):
    return [one for one in ax.collections if one.get_hatch()]


def test_rates_are_in_classes_and_counts_are_circles():
    units = layer()
    rates = maps.choropleth(coverage_of(units), units, "share")
    assert not [one for one in rates.collections if isinstance(one, EllipseCollection)]
    counts = maps.choropleth(coverage_of(units), units, "qpv_population")
    (circles,) = [one for one in counts.collections if isinstance(one, EllipseCollection)]
    areas = np.sort(np.asarray(circles.get_widths())) ** 2
    assert areas / areas.max() == pytest.approx(np.arange(1, 13) / 12)
    classes = maps.choropleth(coverage_of(units), units, "qpv_population", classes=3)
    assert not [one for one in classes.collections if isinstance(one, EllipseCollection)]


def test_fewer_than_seven_units_have_their_values_printed():
    units = layer(6)
    ax = maps.choropleth(coverage_of(units), units, "share")
    ax.figure.draw_without_rendering()
    printed = [text.get_text() for text in ax.texts if text.get_zorder() == 10]
    assert sorted(text.split("\n")[1] for text in printed) == sorted(f"{2 * row:.1f}%" for row in range(1, 7))
    assert "Value printed on the unit" in legend_of(ax)
    assert "Value printed on the unit" not in legend_of(maps.choropleth(coverage_of(layer(7)), layer(7), "share"))


def test_published_value_of_the_hexagone_is_marked_between_the_classes():
    units = layer()
    words = legend_of(maps.choropleth(coverage_of(units), units, "share"))
    assert "France hexagonale: 8.1%" in words
    assert words.index("France hexagonale: 8.1%") > 1
    assert not [text for text in legend_of(maps.choropleth(coverage_of(units), units, "n_qpv")) if "hexagonale" in text]


@pytest.mark.parametrize("column", ["share", "qpv_population"])
def test_people_shared_out_by_area_are_marked(column):
    units = layer()
    shares = np.zeros(12)
    shares[[2, 5]] = 1.0, 0.05
    plain, marked = (
        maps.choropleth(coverage_of(units, estimated_share=given), units, column) for given in (0.0, shares)
    )
    words = "10% of people or more estimated by area"
    assert words in [text.replace("\n", " ") for text in legend_of(marked)]
    assert words not in [text.replace("\n", " ") for text in legend_of(plain)]
    if column == "share":
        (dots,) = hatched(marked)
        assert len(dots.get_paths()) == 1
        assert not hatched(plain)


@pytest.mark.parametrize("column", ["share", "qpv_population", "n_qpv"])
def test_column_without_any_number_is_refused_with_the_reason(column):
    units = layer()
    empty = coverage_of(units, **{column: pd.array([pd.NA] * 12, dtype="Float64"), "note": "population not given"})
    with pytest.raises(DataError) as caught:
        maps.choropleth(empty, units, column)
    assert (caught.value.key, caught.value.problems) == ("maps.nothing_known", ("population not given",))
    assert plt.get_fignums() == []


def test_territories_without_an_outline_have_their_figures_printed():
    units = layer()
    frame = pd.DataFrame(
        {"name": ["Cher", "Saint-Martin", "Polynésie française"], "n_qpv": [12, 3, 88]},
        index=pd.Index(["18", "978", "987"], name="department"),
    )
    ax = maps.france(frame, units, "n_qpv")
    written = {inset.get_label(): [text.get_text() for text in inset.texts] for inset in ax.child_axes}
    assert written["978"] == ["3\n(no outline given)"]
    assert written["987"] == ["88\n(no outline given)"]
    assert written["971"] == ["not given"]


def test_figures_of_qpv_are_refused_on_a_map_of_the_country():
    units = layer(3).set_axis(["QN01801M", "QN01802M", "QN01803M"])
    frame = pd.DataFrame({"customers": [3, 2, 1]}, index=units.index)
    error = refused(lambda: maps.france(frame, units, "customers"), "maps.qpv_too_small", DataError)
    assert error.way_out.key == "maps.dots_or_a_place"
    assert maps.france(units.loc[frame.index]).child_axes


def test_circles_of_scattered_islands_lie_in_their_frame():
    land = gpd.GeoDataFrame(
        geometry=[
            shapely.MultiPolygon([shapely.box(-149.7, -17.8, -149.3, -17.5), shapely.box(-140.3, -9.0, -138.8, -8.0)])
        ],
        index=["987"],
        crs=4326,
    )
    frame = pd.DataFrame({"n_qpv": [88]}, index=pd.Index(["987"], name="department"))
    inset = next(one for one in maps.france(frame, land, "n_qpv").child_axes if one.get_label() == "987")
    (circles,) = [one for one in inset.collections if isinstance(one, EllipseCollection)]
    (x, y), box = (
        circles.get_offsets()[0],
        mpl.transforms.Bbox.from_extents(
            inset.get_xlim()[0], inset.get_ylim()[0], inset.get_xlim()[1], inset.get_ylim()[1]
        ),
    )
    assert box.contains(x, y)


def test_perimeters_drawn_by_hand_are_not_called_qpv():
    units = layer(2)
    drawn = gpd.GeoDataFrame({"name": ["mine"]}, geometry=[units.geometry.iloc[0].buffer(-100)], index=["a"], crs=2154)
    ax = maps.qpv(drawn, units)
    assert ax.get_title(loc="left") == "Perimeters"
    assert legend_of(ax)[0] == "Perimeter"


def test_grid_of_another_place_is_refused_and_one_of_a_part_noted():
    import qpvgeo as qg

    sample = qg.sample()
    new, grid = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019)
    communes = qg.read_communes(sample.communes, table=sample.communes_table)
    one = new.loc[["QN09902I"]].to_crs(3035).total_bounds
    at = grid.index.to_series().str.extract(r"N(\d+)E(\d+)").astype(int)
    kept = (at[1] >= one[0] - 200) & (at[1] <= one[2]) & (at[0] >= one[1] - 200) & (at[0] <= one[3])
    near = grid[kept.to_numpy()]
    with pytest.raises(DataError) as caught:
        maps.grid(near, new, "population", communes, place="99001")
    assert caught.value.key == "maps.grid_of_another_place"
    alone = maps.grid(near, new.loc[["QN09902I", "QN09905M"]], "population", communes, place="99001")
    (source,) = [text.get_text() for text in alone.texts if text.get_gid() == "source"]
    assert "1 of the 2 perimeters" in source.replace("\n", " ")


def test_figure_knows_its_classes_by_the_units_shown():
    units = layer()
    few = figure_of(coverage_of(units), "share", units.index, "en", shown=units.index[:8])
    assert len(few.values) == 8
    assert few.cut is not None
    assert len(few.cut.labels) <= 4
